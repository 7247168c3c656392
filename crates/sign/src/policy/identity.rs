use super::regexp::{GoRegex, RegexError};
use crate::Claims;

/// One entry of `keyless.identities`: who may have signed, in the words of the policy.
///
/// Each side is compared exactly or by a Go regular expression, **unanchored**; an expression wins over an exact value beside it,
/// and an empty side asks for nothing (the webhook refuses such entries; the comparison does not).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data: the four members of the API")]
pub struct PolicyIdentity {
    /// The issuer, exactly.
    pub issuer: String,
    /// The issuer, by pattern.
    pub issuer_regexp: String,
    /// The subject, exactly.
    pub subject: String,
    /// The subject, by pattern.
    pub subject_regexp: String,
}

/// Why a certificate's identity was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// No entry fits.
    #[error("none of the expected identities matched what was in the certificate, got subjects [{}] with issuer {issuer}", .subjects.join(", "))]
    Mismatch {
        /// What the certificate names.
        subjects: Vec<String>,
        /// Who vouched for it.
        issuer: String,
    },
    /// A pattern that Go does not compile; later entries are not looked at.
    #[error("malformed {side} in identity: {pattern} : {reason}")]
    Malformed {
        /// `issuer` or `subject`.
        side: &'static str,
        /// The pattern.
        pattern: String,
        /// Go's words.
        reason: String,
    },
    /// A pattern that Go takes and this crate does not.
    #[error("{pattern}: {reason}")]
    Unsupported {
        /// The pattern.
        pattern: String,
        /// What it uses.
        reason: String,
    },
}

/// Whether one of the entries fits the issuer and one of the subjects; no entries ask for nothing.
///
/// # Errors
///
/// [`IdentityError`]: which subjects and issuer were met, or which pattern is none.
pub fn check_identities(
    identities: &[PolicyIdentity],
    issuer: &str,
    subjects: &[&str],
) -> Result<(), IdentityError> {
    for identity in identities {
        let by_issuer = side("issuer", &identity.issuer, &identity.issuer_regexp, &[issuer])?;
        let by_subject = side("subject", &identity.subject, &identity.subject_regexp, subjects)?;
        if by_issuer && by_subject {
            return Ok(());
        }
    }
    if identities.is_empty() {
        return Ok(());
    }
    Err(IdentityError::Mismatch {
        subjects: subjects.iter().map(|subject| (*subject).to_owned()).collect(),
        issuer: issuer.to_owned(),
    })
}

/// [`check_identities`] for the claims of a certificate.
///
/// # Errors
///
/// As [`check_identities`].
pub fn check_claims(identities: &[PolicyIdentity], claims: &Claims) -> Result<(), IdentityError> {
    let subject = claims.subject.as_str();
    let subjects: &[&str] = if subject.is_empty() { &[] } else { &[subject] };
    check_identities(identities, claims.issuer.as_deref().unwrap_or_default(), subjects)
}

fn side(side: &'static str, exact: &str, pattern: &str, values: &[&str]) -> Result<bool, IdentityError> {
    if !pattern.is_empty() {
        let pattern_of = |reason| match reason {
            RegexError::Invalid(reason) => {
                IdentityError::Malformed { side, pattern: pattern.to_owned(), reason }
            }
            unsupported => {
                IdentityError::Unsupported { pattern: pattern.to_owned(), reason: unsupported.text() }
            }
        };
        let regex = GoRegex::new(pattern).map_err(pattern_of)?;
        return Ok(values.iter().any(|value| regex.matches(value)));
    }
    Ok(exact.is_empty() || values.contains(&exact))
}
