use std::fmt;
use std::io::{self, Cursor, Read};

use crate::distribution::{Headers, Method, Request, Response};

/// What the registry answers: a status, fields, and a body that is read while it is sent.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The fields of its header; `Content-Length` is among them.
    pub headers: Headers,
    /// The body.
    pub body: ReplyBody,
}

/// The body of a [`Reply`]; reading it fails where a fault cuts it.
pub struct ReplyBody(Box<dyn Read + Send>);

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyBody")
    }
}

impl Read for ReplyBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Reply {
    pub(super) fn new(status: u16) -> Self {
        let mut headers = Headers::new();
        headers.push("Content-Length", "0");
        Self { status, headers, body: ReplyBody(Box::new(io::empty())) }
    }

    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.set(name, value);
        self
    }

    pub(super) fn with_bytes(self, kind: &str, bytes: Vec<u8>) -> Self {
        let length = bytes.len();
        let mut reply = self.header("Content-Type", kind).header("Content-Length", length.to_string());
        reply.body = ReplyBody(Box::new(Cursor::new(bytes)));
        reply
    }

    pub(super) fn with_reader(self, kind: &str, length: u64, reader: Box<dyn Read + Send>) -> Self {
        let mut reply = self.header("Content-Type", kind).header("Content-Length", length.to_string());
        reply.body = ReplyBody(reader);
        reply
    }

    /// Breaks the body off after so many bytes.
    pub(super) fn cut(mut self, after: u64) -> Self {
        let body = std::mem::replace(&mut self.body, ReplyBody(Box::new(io::empty())));
        self.body = ReplyBody(Box::new(Cut { inner: body, left: after }));
        self
    }

    /// An error document (distribution-spec, error codes).
    pub(super) fn error(status: u16, code: &str, message: &str) -> Self {
        let document = serde_json::json!({ "errors": [{ "code": code, "message": message }] });
        Self::new(status).with_bytes("application/json", document.to_string().into_bytes())
    }

    /// The whole reply as a response, as `request` may have it.
    ///
    /// # Errors
    ///
    /// What a fault did to the body; a body over the request's limit.
    pub fn read(self, request: &Request) -> io::Result<Response> {
        let mut response = Response { status: self.status, headers: self.headers, body: Vec::new() };
        if request.method != Method::Head {
            self.body.take(request.limit.saturating_add(1)).read_to_end(&mut response.body)?;
        }
        if u64::try_from(response.body.len()).unwrap_or(u64::MAX) > request.limit {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the body is over its limit"));
        }
        Ok(response)
    }
}

/// A reader that breaks off.
pub(super) struct Cut<R> {
    pub(super) inner: R,
    pub(super) left: u64,
}

impl<R: Read> Read for Cut<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            return Err(broken());
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.inner.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left = self.left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

pub(super) fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the connection was broken by a fault")
}
