use std::time::Duration;

use super::retry::retry_after;
use super::{Body, Method, Refusal, Request, Response, Scope, Session};
use crate::Error;

/// One verb of the protocol as a machine that asks and is answered. [`Exchange`] drives it.
pub trait Operation {
    /// What it is done for.
    type Output;

    /// What is to be done next.
    ///
    /// # Errors
    ///
    /// What makes it pointless to go on.
    fn next(&mut self) -> Result<Next<Self::Output>, Error>;

    /// Takes the answer to the last request; one that is neither a redirect, nor a 401, nor a passing failure.
    ///
    /// # Errors
    ///
    /// What makes it pointless to go on.
    fn answer(&mut self, request: &Request, response: Response) -> Result<(), Error>;

    /// The last request came to nothing that is known: it may have been carried out, in part, or not at all.
    fn interrupted(&mut self) {}

    /// Takes a piece of the content that [`Next::Content`] announced.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`], [`Error::Size`]: the content is not what was asked for.
    fn content(&mut self, piece: &[u8]) -> Result<(), Error> {
        let _ = piece;
        Ok(())
    }

    /// The content ended as its length said, or broke off.
    ///
    /// # Errors
    ///
    /// As [`content`](Self::content).
    fn content_end(&mut self, complete: bool) -> Result<(), Error> {
        let _ = complete;
        Ok(())
    }

    /// What it needs to be allowed.
    fn scope(&self) -> Scope;

    /// A number that grows with every step that is not lost again. Patience is measured against it. One request and its
    /// answer have no such steps.
    fn progress(&self) -> u64 {
        0
    }
}

/// What an operation does next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Next<T> {
    /// Send this.
    Send(Request),
    /// The last answer's body is content, from this byte on. What lies there already is replaced.
    Content {
        /// The first byte's place in the content.
        offset: u64,
    },
    /// Do nothing for so long.
    Wait(Duration),
    /// Nothing: this came of it.
    Done(T),
}

/// How patient an [`Exchange`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Failures in a row, without any progress between, after which it is given up.
    pub attempts: u32,
    /// How long to wait after the first failure; each further one doubles it.
    pub first_wait: Duration,
    /// How long to wait at most. A registry that asks for more with `Retry-After` is given up.
    pub longest_wait: Duration,
}

impl Default for Patience {
    /// Six failures in a row, waits of 200 ms and more, two minutes at most.
    fn default() -> Self {
        Self { attempts: 6, first_wait: Duration::from_millis(200), longest_wait: Duration::from_secs(120) }
    }
}

/// Redirects that are followed for one request (RFC 9110 names no number).
const REDIRECTS: u32 = 5;
/// New proofs that are tried without progress between.
const PROOFS: u32 = 3;

/// Drives an [`Operation`] through authentication, redirects, waits and failures, without sockets and without a clock.
///
/// The caller repeats: [`step`](Self::step), do what it says, report by [`answer`](Self::answer), [`broken`](Self::broken),
/// [`content`](Self::content) and [`content_end`](Self::content_end). Times are seconds since 1970.
#[derive(Debug)]
pub struct Exchange<O> {
    operation: O,
    patience: Patience,
    state: State,
    failures: u32,
    proofs: u32,
    redirects: u32,
    progress: u64,
}

#[derive(Debug)]
enum State {
    /// The operation says what comes next.
    Ready,
    /// Wait, then go on with the operation.
    Waiting(Duration),
    /// Send this request (again), once it is authorised.
    Pending(Box<Request>),
    /// This request is on its way, with this proof.
    Sent(Box<Request>, Option<String>),
    /// A token is on its way; then this request is sent.
    Token { ask: Box<Request>, then: Box<Request> },
    /// The operation's content is on its way.
    Content,
}

impl<O: Operation> Exchange<O> {
    /// Drives `operation`.
    pub const fn new(operation: O, patience: Patience) -> Self {
        Self { operation, patience, state: State::Ready, failures: 0, proofs: 0, redirects: 0, progress: 0 }
    }

    /// The operation, to look at.
    pub const fn operation(&self) -> &O {
        &self.operation
    }

    /// What the caller does now.
    ///
    /// # Errors
    ///
    /// The operation's, and [`Error::Caller`] if the last step was not reported.
    pub fn step(&mut self, session: &mut Session, now: u64) -> Result<Next<O::Output>, Error> {
        match std::mem::replace(&mut self.state, State::Ready) {
            State::Waiting(time) => Ok(Next::Wait(time)),
            State::Pending(request) => self.send(session, *request, now),
            state @ (State::Sent(..) | State::Content | State::Token { .. }) => {
                self.state = state;
                Err(Error::Caller("the last step of this exchange was not reported".to_owned()))
            }
            State::Ready => match self.operation.next()? {
                Next::Send(request) => {
                    self.redirects = 0;
                    self.send(session, request, now)
                }
                Next::Content { offset } => {
                    self.state = State::Content;
                    Ok(Next::Content { offset })
                }
                other => Ok(other),
            },
        }
    }

    fn send(&mut self, session: &Session, request: Request, now: u64) -> Result<Next<O::Output>, Error> {
        let mut authorized = request.clone();
        if let Some(ask) = session.authorize(&mut authorized, &self.operation.scope(), now)? {
            self.state = State::Token { ask: Box::new(ask.clone()), then: Box::new(request) };
            return Ok(Next::Send(ask));
        }
        let proof = authorized.headers.get("authorization").map(str::to_owned);
        self.state = State::Sent(Box::new(request), proof);
        Ok(Next::Send(authorized))
    }

    /// Reports the answer to a request. Of an answer that is content, the body is left out.
    ///
    /// # Errors
    ///
    /// [`Error::Registry`] for a refusal; the operation's.
    pub fn answer(&mut self, session: &mut Session, now: u64, response: Response) -> Result<(), Error> {
        match std::mem::replace(&mut self.state, State::Ready) {
            State::Token { ask, then } => {
                if is_passing(response.status) {
                    self.failed(&ask, &response, now)?;
                    self.operation.interrupted();
                    return Ok(());
                }
                if response.status != 200 {
                    return Err(Refusal::new(&ask, &response).into());
                }
                session.token(&response, &self.operation.scope(), now)?;
                self.state = State::Pending(then);
                Ok(())
            }
            State::Sent(request, proof) => self.answered(session, now, *request, proof.as_deref(), response),
            state => {
                self.state = state;
                Err(Error::Caller("nothing was asked that this could answer".to_owned()))
            }
        }
    }

    fn answered(
        &mut self,
        session: &mut Session,
        now: u64,
        request: Request,
        proof: Option<&str>,
        response: Response,
    ) -> Result<(), Error> {
        let own = request.url.same_origin(session.root());
        if own {
            session.warn(&response);
        }
        if response.status == 401 && own {
            self.note_progress();
            self.proofs += 1;
            if self.proofs > PROOFS || !session.challenged(&response, &self.operation.scope(), proof)? {
                return Err(Refusal::new(&request, &response).into());
            }
            if matches!(request.body, Body::Content { .. }) {
                // Some of the content may have been taken before the refusal.
                self.operation.interrupted();
            } else {
                self.state = State::Pending(Box::new(request));
            }
            return Ok(());
        }
        if let Some(next) = redirect(&request, &response)? {
            self.redirects += 1;
            if self.redirects > REDIRECTS {
                let limit = u64::from(REDIRECTS);
                return Err(Error::Limit { what: format!("redirects of {}", request.describe()), limit });
            }
            self.state = State::Pending(Box::new(next));
            return Ok(());
        }
        if is_passing(response.status) {
            self.failed(&request, &response, now)?;
            self.operation.interrupted();
            return Ok(());
        }
        self.operation.answer(&request, response)?;
        self.note_progress();
        Ok(())
    }

    /// Reports that a request was not answered: the connection could not be made, or broke.
    ///
    /// # Errors
    ///
    /// [`Error::Broken`] once patience is at its end.
    pub fn broken(&mut self, reason: &str) -> Result<(), Error> {
        let request = match std::mem::replace(&mut self.state, State::Ready) {
            State::Sent(request, _) => *request,
            State::Token { ask, .. } => *ask,
            state => {
                self.state = state;
                return Err(Error::Caller("nothing was asked that could break".to_owned()));
            }
        };
        self.note_progress();
        self.failures += 1;
        if self.failures >= self.patience.attempts {
            return Err(Error::Broken { request: request.describe(), reason: reason.to_owned() });
        }
        self.operation.interrupted();
        self.state = State::Waiting(self.wait());
        Ok(())
    }

    /// Gives a piece of content to the operation, which checks it.
    ///
    /// # Errors
    ///
    /// The operation's.
    pub fn content(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.operation.content(piece)
    }

    /// Reports the end of the content: `complete` if the body ended as its length said.
    ///
    /// # Errors
    ///
    /// The operation's; [`Error::Broken`] once patience is at its end.
    pub fn content_end(&mut self, complete: bool) -> Result<(), Error> {
        self.state = State::Ready;
        let before = self.progress;
        self.operation.content_end(complete)?;
        self.note_progress();
        if !complete || self.progress == before {
            self.failures += 1;
            if self.failures >= self.patience.attempts {
                let reason = "the content broke off each time".to_owned();
                return Err(Error::Broken { request: "a download".to_owned(), reason });
            }
            self.state = State::Waiting(self.wait());
        }
        Ok(())
    }

    fn failed(&mut self, request: &Request, response: &Response, now: u64) -> Result<(), Error> {
        self.note_progress();
        self.failures += 1;
        let asked = response.headers.get("retry-after").and_then(|field| retry_after(field, now));
        if self.failures >= self.patience.attempts
            || asked.is_some_and(|time| time > self.patience.longest_wait)
        {
            return Err(Refusal::new(request, response).into());
        }
        self.state = State::Waiting(asked.unwrap_or_else(|| self.wait()));
        Ok(())
    }

    fn wait(&self) -> Duration {
        let doubled = self.patience.first_wait.saturating_mul(1 << self.failures.saturating_sub(1).min(16));
        doubled.min(self.patience.longest_wait)
    }

    fn note_progress(&mut self) {
        let progress = self.operation.progress();
        if progress > self.progress {
            self.progress = progress;
            self.failures = 0;
            self.proofs = 0;
        }
    }
}

/// A failure that the same request may not meet again.
const fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// Where a redirect leads. Proof of identity is added by origin, so none goes along to another.
fn redirect(request: &Request, response: &Response) -> Result<Option<Request>, Error> {
    let follows = match response.status {
        301..=303 => matches!(request.method, Method::Get | Method::Head),
        307 | 308 => true,
        _ => false,
    };
    let Some(location) = response.headers.get("location").filter(|_| follows) else { return Ok(None) };
    let url = request.url.join(location)?;
    if request.url.is_secure() && !url.is_secure() {
        return Err(Error::Unsupported {
            what: format!("the redirect of {} to http://{}", request.describe(), url.authority()),
            advice: "it leaves encryption; the registry must redirect to https",
        });
    }
    Ok(Some(Request { url, ..request.clone() }))
}
