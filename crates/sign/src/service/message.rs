use std::fmt;

use crate::Error;

/// Bytes of an answer that are read.
pub(crate) const ANSWER: usize = 4 << 20;

/// What to send to a service. Plain data.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Where to, in full.
    pub url: String,
    /// The fields of the header besides `Host` and `Content-Length`, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for `GET`.
    pub body: Vec<u8>,
}

/// What a service answered. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The body, at most 4 MiB of it.
    pub body: Vec<u8>,
}

impl Request {
    pub(super) fn post(url: String, content_type: &str, accept: &str, body: Vec<u8>) -> Self {
        let headers = vec![("content-type", content_type.to_owned()), ("accept", accept.to_owned())];
        Self { method: "POST", url, headers, body }
    }

    pub(super) fn get(url: String, headers: Vec<(&'static str, String)>) -> Self {
        Self { method: "GET", url, headers, body: Vec::new() }
    }
}

impl fmt::Debug for Request {
    /// Tokens stand in headers and bodies: neither is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method, self.url, self.body.len())
    }
}

impl Response {
    /// The body of a success.
    pub(super) fn success(&self, service: &'static str) -> Result<&[u8], Error> {
        if self.body.len() > ANSWER {
            return Err(Error::Limit { what: "bytes of a service's answer", limit: ANSWER });
        }
        if (200..300).contains(&self.status) {
            return Ok(&self.body);
        }
        let text = String::from_utf8_lossy(self.body.get(..self.body.len().min(512)).unwrap_or_default());
        Err(Error::Service { service, reason: format!("status {}: {}", self.status, text.trim()) })
    }
}

/// A URL of a service with a path behind it.
pub(super) fn url(base: &str, path: &str) -> String {
    format!("{}{path}", base.trim_end_matches('/'))
}
