use std::fmt;

use serde::Deserialize;

use super::{Request, Response};

/// A registry that said no.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// What was asked, without the query.
    pub request: String,
    /// The status code.
    pub status: u16,
    /// The reasons it gave (distribution-spec, error codes); empty if its answer is in no form that is known.
    pub reasons: Vec<Reason>,
}

/// One reason of a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Reason {
    /// `BLOB_UNKNOWN`, `DENIED`, …
    #[serde(default)]
    pub code: String,
    /// Words for people.
    #[serde(default)]
    pub message: String,
}

/// Reasons, and characters of each of their words, that are kept.
const MOST: usize = 16;
const CHARACTERS: usize = 256;

impl Refusal {
    /// Reads the answer's error document.
    #[must_use]
    pub fn new(request: &Request, response: &Response) -> Self {
        Self { request: request.describe(), status: response.status, reasons: reasons(&response.body) }
    }

    /// Whether one of the reasons has this code.
    #[must_use]
    pub fn has(&self, code: &str) -> bool {
        self.reasons.iter().any(|reason| reason.code == code)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = match self.status {
            401 => "; give credentials for this registry",
            403 => "; the credentials do not allow it",
            404 => "; it is not there, or not to be seen with these credentials",
            405 => "; the registry does not offer it",
            413 => "; it is larger than the registry takes",
            429 => "; too many requests, try again later",
            500.. => "; the registry failed, try again later",
            _ => "",
        };
        write!(f, "{} was answered with {}", self.request, self.status)?;
        for reason in &self.reasons {
            write!(f, ", {}", reason.code)?;
            if !reason.message.is_empty() {
                write!(f, " ({})", reason.message)?;
            }
        }
        f.write_str(advice)
    }
}

/// The reasons in an error document; none where it is something else.
fn reasons(body: &[u8]) -> Vec<Reason> {
    #[derive(Deserialize)]
    struct Document {
        errors: Vec<Reason>,
    }
    let Ok(document) = serde_json::from_slice::<Document>(body) else { return Vec::new() };
    let cut = |text: String| text.chars().filter(|c| !c.is_control()).take(CHARACTERS).collect();
    let kept = document.errors.into_iter().take(MOST);
    kept.map(|reason| Reason { code: cut(reason.code), message: cut(reason.message) }).collect()
}
