use std::io::{self, Read};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use lotse_digest::Mismatch;

use super::Transport;
use super::clock::now;
use crate::Error;
use crate::distribution::{Body, Exchange, Method, Next, Operation, Patience, Request, Response, Session};

/// What an exchange has to do with the caller's bytes.
pub(super) trait Content<O> {
    /// A part of the content that is sent.
    fn part(&mut self, offset: u64, length: u64) -> Result<Box<dyn Read + '_>, Error> {
        let _ = (offset, length);
        Ok(Box::new(io::empty()))
    }

    /// Content arrives, and its first byte belongs here.
    fn begin(&mut self, offset: u64) -> Result<(), Error> {
        let _ = offset;
        Ok(())
    }

    /// The next piece of it.
    fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        let _ = piece;
        Ok(())
    }

    /// A request is about to be sent.
    fn before(&mut self, operation: &O) -> Result<(), Error> {
        let _ = operation;
        Ok(())
    }
}

/// For operations without content.
pub(super) struct Nothing;

impl<O> Content<O> for Nothing {}

/// Takes an operation to its end.
pub(super) fn run<O: Operation>(
    transport: &dyn Transport,
    session: &Mutex<Session>,
    patience: Patience,
    operation: O,
    content: &mut dyn Content<O>,
) -> Result<O::Output, Error> {
    let mut exchange = Exchange::new(operation, patience);
    let mut body: Option<Box<dyn Read + Send>> = None;
    loop {
        let next = exchange.step(&mut lock(session), now())?;
        match next {
            Next::Done(output) => return Ok(output),
            Next::Wait(time) => thread::sleep(time),
            Next::Content { offset } => {
                content.begin(offset)?;
                let complete = receive(&mut exchange, body.take(), content)?;
                exchange.content_end(complete)?;
            }
            Next::Send(request) => {
                content.before(exchange.operation())?;
                let (sent, own_failure) = send(transport, &request, content)?;
                if let Some(error) = own_failure {
                    return Err(error);
                }
                let response = match sent.and_then(|answer| read(&request, answer)) {
                    Ok((response, rest)) => {
                        body = rest;
                        response
                    }
                    Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                        let what = format!("bytes of the answer to {}", request.describe());
                        return Err(Error::Limit { what, limit: request.limit });
                    }
                    Err(error) => {
                        exchange.broken(&error.to_string())?;
                        continue;
                    }
                };
                exchange.answer(&mut lock(session), now(), response)?;
            }
        }
    }
}

pub(super) fn lock(session: &Mutex<Session>) -> MutexGuard<'_, Session> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

type Sent = io::Result<super::Answer>;

/// Sends a request; beside the outcome, what went wrong with the caller's own bytes meanwhile.
fn send<O>(
    transport: &dyn Transport,
    request: &Request,
    content: &mut dyn Content<O>,
) -> Result<(Sent, Option<Error>), Error> {
    match &request.body {
        Body::Content { offset, length } => {
            let mut part = Own { inner: content.part(*offset, *length)?, left: *length, failure: None };
            let sent = transport.send(request, &mut part);
            Ok((sent, part.failure.map(own_failure)))
        }
        Body::Bytes(bytes) => Ok((transport.send(request, &mut bytes.as_slice()), None)),
        Body::Empty => Ok((transport.send(request, &mut io::empty()), None)),
    }
}

/// Content that is not what its digest says, or cannot be read.
fn own_failure(error: io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Mismatch>()) {
        Some(mismatch) => mismatch.clone().into(),
        None => Error::io("read", "the content of an upload".as_ref())(error),
    }
}

/// The caller's bytes: exactly as many as were announced, and what went wrong with them is kept apart from what goes wrong
/// with the connection.
struct Own<'a> {
    inner: Box<dyn Read + 'a>,
    left: u64,
    failure: Option<io::Error>,
}

impl Read for Own<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let outcome = match self.inner.read(buffer.get_mut(..most).unwrap_or_default()) {
            Ok(0) => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            other => other,
        };
        match outcome {
            Ok(count) => {
                self.left = self.left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let told = io::Error::other(error.to_string());
                self.failure = Some(error);
                Err(told)
            }
        }
    }
}

type Received = (Response, Option<Box<dyn Read + Send>>);

/// Reads an answer, unless its body is content.
fn read(request: &Request, answer: super::Answer) -> io::Result<Received> {
    let mut response = Response { status: answer.status, headers: answer.headers, body: Vec::new() };
    if request.wants_content && matches!(response.status, 200 | 206) {
        return Ok((response, Some(answer.body)));
    }
    if request.method != Method::Head {
        let read = answer.body.take(request.limit.saturating_add(1)).read_to_end(&mut response.body);
        let is_long = u64::try_from(response.body.len()).unwrap_or(u64::MAX) > request.limit;
        match read {
            Ok(_) if is_long && response.status < 400 => return Err(io::ErrorKind::FileTooLarge.into()),
            Ok(_) => {}
            // Of a refusal, the status is enough.
            Err(_) if response.status >= 400 => {}
            Err(error) => return Err(error),
        }
    }
    Ok((response, None))
}

/// Hands content on; whether it ended as it should.
fn receive<O: Operation>(
    exchange: &mut Exchange<O>,
    body: Option<Box<dyn Read + Send>>,
    content: &mut dyn Content<O>,
) -> Result<bool, Error> {
    let Some(mut body) = body else { return Ok(false) };
    let mut buffer = vec![0; 256 << 10];
    loop {
        match body.read(&mut buffer) {
            Ok(0) => return Ok(true),
            Ok(count) => {
                let piece = buffer.get(..count).unwrap_or_default();
                exchange.content(piece)?;
                content.write(piece)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Ok(false),
        }
    }
}
