use std::fmt;

use crate::{Claims, VerifyingKey};

/// Who must have signed.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum ExpectedSigner<'a> {
    /// This key, which the verifier knows.
    Key(&'a VerifyingKey),
    /// Somebody whose certificate fits this rule.
    Identity(&'a dyn IdentityRule),
}

/// A rule about who may have signed, by the claims of the certificate.
pub trait IdentityRule {
    /// The rule in words, the same words for the same rule: stored verdicts are compared by them.
    fn describe(&self) -> String;

    /// Why the claims do not fit.
    ///
    /// # Errors
    ///
    /// The claim that differs, with what was expected.
    fn check(&self, claims: &Claims) -> Result<(), String>;
}

/// Exactly this subject, vouched for by exactly this issuer: `--certificate-identity` and `--certificate-oidc-issuer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExactIdentity {
    subject: String,
    issuer: String,
}

impl ExactIdentity {
    /// The subject (an e-mail address, a URI or `user!domain`) and the issuer, compared byte by byte.
    #[must_use]
    pub fn new(subject: impl Into<String>, issuer: impl Into<String>) -> Self {
        Self { subject: subject.into(), issuer: issuer.into() }
    }
}

impl IdentityRule for ExactIdentity {
    fn describe(&self) -> String {
        format!("{:?} by issuer {:?}", self.subject, self.issuer)
    }

    fn check(&self, claims: &Claims) -> Result<(), String> {
        let issuer = claims.issuer.as_deref().ok_or("the certificate names no issuer")?;
        if issuer != self.issuer {
            return Err(format!("the issuer is {issuer:?}, not {:?}", self.issuer));
        }
        let subject = claims.subject.as_str();
        if subject != self.subject {
            return Err(format!("the subject is {subject:?}, not {:?}", self.subject));
        }
        Ok(())
    }
}

impl ExpectedSigner<'_> {
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Key(key) => format!("key {}", key.fingerprint()),
            Self::Identity(rule) => rule.describe(),
        }
    }
}

impl fmt::Debug for ExpectedSigner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}
