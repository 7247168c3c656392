use std::fmt;
use std::io::{self, Read};

use crate::distribution::{Headers, Request};

/// What carries requests to registries and answers back. The client's own speaks HTTP over sockets; tests put another under it.
pub trait Transport: Send + Sync {
    /// Sends a request with its body, which has exactly [`Body::length`](crate::distribution::Body::length) bytes.
    ///
    /// Adds `Host`, `Content-Length` and what a connection needs, and nothing else: no redirect is followed, no proof of identity
    /// is added, and the body of the answer is as it was sent.
    ///
    /// # Errors
    ///
    /// There was no answer, or not all of its header.
    fn send(&self, request: &Request, body: &mut dyn Read) -> io::Result<Answer>;
}

/// An answer whose body is still to be read; reading fails where the connection breaks before its end.
#[non_exhaustive]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The fields of its header.
    pub headers: Headers,
    /// The body.
    pub body: Box<dyn Read + Send>,
}

impl Answer {
    /// An answer.
    #[must_use]
    pub fn new(status: u16, headers: Headers, body: Box<dyn Read + Send>) -> Self {
        Self { status, headers, body }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, headers, .. } = self;
        f.debug_struct("Answer").field("status", status).field("headers", headers).finish_non_exhaustive()
    }
}

/// The registry for tests, without sockets.
#[cfg(feature = "registry")]
impl Transport for crate::registry::Registry {
    fn send(&self, request: &Request, body: &mut dyn Read) -> io::Result<Answer> {
        let mut request = request.clone();
        request.headers.set("content-length", request.body.length().to_string());
        let reply = self.handle(&request, body)?;
        Ok(Answer::new(reply.status, reply.headers, Box::new(reply.body)))
    }
}
