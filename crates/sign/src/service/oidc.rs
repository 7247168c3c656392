use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::message::{Request, Response};
use crate::{Error, encoding};

/// Who Sigstore's tokens are for.
const AUDIENCE: &str = "sigstore";

/// An OIDC identity token, as a CI system or an identity provider gave it. Nothing shows it: whoever has it is the signer
/// for some minutes.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentityToken {
    text: String,
    subject: String,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(default)]
    sub: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    email_verified: Option<serde_json::Value>,
}

impl IdentityToken {
    /// Reads a token (RFC 7519, compact form). Its signature is not checked: that is the certificate authority's to do.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if it is none or names no subject.
    pub fn new(text: &str) -> Result<Self, Error> {
        let fault = |reason: &str| Error::malformed("identity token", reason);
        let text = text.trim();
        let mut parts = text.split('.');
        let (Some(_), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(fault("it has not three parts"));
        };
        let payload = encoding::decode("identity token", payload)?;
        let payload: Payload =
            serde_json::from_slice(&payload).map_err(|_| fault("its second part is no set of claims"))?;
        let verified = match &payload.email_verified {
            Some(serde_json::Value::Bool(verified)) => *verified,
            Some(serde_json::Value::String(text)) => text == "true",
            _ => false,
        };
        let subject = match payload.email {
            Some(email) if verified => email,
            _ => payload.sub,
        };
        if subject.is_empty() {
            return Err(fault("it names no subject"));
        }
        Ok(Self { text: text.to_owned(), subject })
    }

    /// The token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The e-mail address if it is verified, else `sub`: what the possession of the key is proved over.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

impl fmt::Debug for IdentityToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityToken of {:?}", self.subject)
    }
}

/// Where the token of a CI job comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenSource {
    /// It is there: GitLab CI's `id_tokens` put it into `SIGSTORE_ID_TOKEN`.
    Given(IdentityToken),
    /// It must be asked for: GitHub Actions with `permissions: id-token: write`.
    Ask(Request),
}

impl TokenSource {
    /// Finds the token among the variables of a CI job; `None` if the job has none.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if `SIGSTORE_ID_TOKEN` is no token.
    pub fn from_variables(variables: &BTreeMap<String, String>) -> Result<Option<Self>, Error> {
        let get = |name: &str| variables.get(name).filter(|value| !value.is_empty());
        if let Some(token) = get("SIGSTORE_ID_TOKEN") {
            return Ok(Some(Self::Given(IdentityToken::new(token)?)));
        }
        let (Some(url), Some(secret)) =
            (get("ACTIONS_ID_TOKEN_REQUEST_URL"), get("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
        else {
            return Ok(None);
        };
        let join = if url.contains('?') { '&' } else { '?' };
        let headers =
            vec![("authorization", format!("bearer {secret}")), ("accept", "application/json".to_owned())];
        Ok(Some(Self::Ask(Request::get(format!("{url}{join}audience={AUDIENCE}"), headers))))
    }

    /// The token in GitHub's answer.
    ///
    /// # Errors
    ///
    /// [`Error::Service`] if it refused, [`Error::Malformed`] if the answer holds no token.
    pub fn token(response: &Response) -> Result<IdentityToken, Error> {
        #[derive(Deserialize)]
        struct Answer {
            value: String,
        }
        let answer: Answer = serde_json::from_slice(response.success("GitHub's token service")?)
            .map_err(|_| Error::malformed("answer of GitHub's token service", "it has no value"))?;
        IdentityToken::new(&answer.value)
    }
}
