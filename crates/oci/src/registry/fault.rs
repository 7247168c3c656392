use std::io::{self, Read};

use super::Registry;
use super::reply::{Cut, Reply, broken};
use crate::distribution::{Method, Request};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The connection breaks after so many bytes of the request's body; what came before is kept or lost as
    /// [`Options::keeps_cut_uploads`](super::Options::keeps_cut_uploads) says.
    CutRequest {
        /// Bytes that arrive.
        after: u64,
    },
    /// The request is carried out, and the connection breaks before the answer.
    LoseAnswer,
    /// The connection breaks after so many bytes of the answer's body.
    CutAnswer {
        /// Bytes that arrive.
        after: u64,
    },
    /// Nothing is done, and this is the status: 429, 503, 500, …
    Status {
        /// The status code.
        status: u16,
        /// The field `Retry-After`.
        retry_after: Option<String>,
    },
    /// All tokens end now; the request is answered with 401 after so many bytes of its body were read and kept.
    ExpireTokens {
        /// Bytes that are kept.
        after: u64,
    },
    /// Every upload is forgotten before the request is carried out.
    LoseUploads,
    /// The answer has no `Location`.
    NoLocation,
    /// `Range` is ignored: 200 with everything.
    WholeContent,
    /// 206 with so many bytes at most.
    ShortContent {
        /// Bytes that are sent.
        bytes: u64,
    },
    /// 416, whatever is asked for.
    RangeRefused,
    /// 307 to the same path elsewhere.
    Redirect {
        /// Scheme and authority, such as `http://127.0.0.1:5000`.
        to: String,
    },
    /// The first byte of the answer's body is another one.
    WrongContent,
}

/// When a [`Fault`] happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// To requests with this method, or with any.
    pub method: Option<Method>,
    /// Whose path and query hold this; empty holds for all.
    pub path: String,
    /// So many of these are let pass first.
    pub skip: u32,
    /// So many after them meet the fault.
    pub times: u32,
    /// What happens to them.
    pub fault: Fault,
}

impl Rule {
    /// The fault happens once, to the next request.
    #[must_use]
    pub const fn once(fault: Fault) -> Self {
        Self { method: None, path: String::new(), skip: 0, times: 1, fault }
    }

    /// Only to this method.
    #[must_use]
    pub const fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only where path and query hold `part`.
    #[must_use]
    pub fn path(mut self, part: &str) -> Self {
        part.clone_into(&mut self.path);
        self
    }

    /// After `skip` such requests, for `times` of them.
    #[must_use]
    pub const fn after(mut self, skip: u32, times: u32) -> Self {
        self.skip = skip;
        self.times = times;
        self
    }
}

impl Registry {
    /// Lets something go wrong. Of several rules that a request meets, the first that has not run out counts.
    pub fn inject(&self, rule: Rule) {
        self.state().rules.push(rule);
    }

    /// Lets nothing more go wrong.
    pub fn clear_faults(&self) {
        self.state().rules.clear();
    }

    pub(super) fn next_fault(&self, request: &Request) -> Option<Fault> {
        let mut state = self.state();
        let target = request.url.target();
        let mut found = None;
        for rule in &mut state.rules {
            if rule.times == 0
                || rule.method.is_some_and(|method| method != request.method)
                || !target.contains(&rule.path)
            {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            rule.times -= 1;
            found = Some(rule.fault.clone());
            break;
        }
        state.rules.retain(|rule| rule.times > 0);
        found
    }

    /// Carries a request out under a fault.
    pub(super) fn faulty(&self, fault: Fault, request: &Request, body: &mut dyn Read) -> io::Result<Reply> {
        match fault {
            Fault::CutRequest { after } => {
                let mut cut = Cut { inner: body, left: after };
                if request.headers.get("content-length").is_none_or(|length| length == "0") {
                    return Err(broken());
                }
                self.answer(request, &mut cut)
            }
            Fault::LoseAnswer => self.answer(request, body).and(Err(broken())),
            Fault::CutAnswer { after } => Ok(self.answer(request, body)?.cut(after)),
            Fault::Status { status, retry_after } => {
                let code = if status == 429 { "TOOMANYREQUESTS" } else { "UNAVAILABLE" };
                let reply = Reply::error(status, code, "so that it can be seen what comes of it");
                Ok(match retry_after {
                    Some(field) => reply.header("Retry-After", field),
                    None => reply,
                })
            }
            Fault::ExpireTokens { after } => {
                let has_body = request.headers.get("content-length").is_some_and(|length| length != "0");
                if after > 0 && has_body {
                    // What came before the refusal lies there as after a broken connection.
                    let _ = self.answer(request, &mut Cut { inner: body, left: after });
                }
                self.state().tokens.clear();
                Ok(self.refuse(request, None))
            }
            Fault::LoseUploads => {
                self.forget_uploads();
                self.answer(request, body)
            }
            Fault::NoLocation => {
                let mut reply = self.answer(request, body)?;
                reply.headers.remove("Location");
                Ok(reply)
            }
            Fault::WholeContent => {
                let mut request = request.clone();
                request.headers.remove("range");
                self.answer(&request, body)
            }
            Fault::ShortContent { bytes } => {
                let mut request = request.clone();
                let field = request.headers.get("range").unwrap_or("bytes=0-").to_owned();
                if let Some(first) = field.strip_prefix("bytes=").and_then(|range| range.split('-').next())
                    && let Ok(first) = first.parse::<u64>()
                {
                    let last = first.saturating_add(bytes.max(1)) - 1;
                    request.headers.set("range", format!("bytes={first}-{last}"));
                }
                self.answer(&request, body)
            }
            Fault::RangeRefused => Ok(Reply::error(416, "UNSUPPORTED", "the range cannot be had")),
            Fault::Redirect { to } => {
                Ok(Reply::new(307).header("Location", format!("{to}{}", request.url.target())))
            }
            Fault::WrongContent => {
                let reply = self.answer(request, body)?;
                let (headers, status) = (reply.headers.clone(), reply.status);
                let mut bytes = Vec::new();
                let mut content = reply.body;
                content.read_to_end(&mut bytes)?;
                if let Some(first) = bytes.first_mut() {
                    *first ^= 1;
                }
                let mut wrong = Reply::new(status).with_bytes("application/octet-stream", bytes);
                wrong.headers = headers;
                Ok(wrong)
            }
        }
    }
}
