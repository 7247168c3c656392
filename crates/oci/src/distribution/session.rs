use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

use super::url::{encode, is_loopback};
use super::{Body, Challenge, Method, Request, Response, TOKEN_BYTES, Url};
use crate::Error;

/// What proves to a registry who asks. Its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Credentials {
    /// Nothing: what everybody may do.
    #[default]
    Anonymous,
    /// A name and a password, given as they are or changed for tokens, as the registry asks.
    Password {
        /// The user.
        username: String,
        /// The password.
        password: String,
    },
    /// A refresh token (docker's `identitytoken`), changed for tokens.
    IdentityToken(String),
    /// A token for the registry itself (docker's `registrytoken`).
    RegistryToken(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::Password { .. } => "Password(secret)",
            Self::IdentityToken(_) => "IdentityToken(secret)",
            Self::RegistryToken(_) => "RegistryToken(secret)",
        })
    }
}

/// What an operation needs to be allowed: names of repositories with their actions, as token services know them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope(BTreeMap<String, BTreeSet<String>>);

impl Scope {
    /// Reading from a repository.
    #[must_use]
    pub fn pull(repository: &str) -> Self {
        Self::default().and(repository, &["pull"])
    }

    /// Reading from and writing to a repository.
    #[must_use]
    pub fn push(repository: &str) -> Self {
        Self::default().and(repository, &["pull", "push"])
    }

    /// Reading and deleting.
    #[must_use]
    pub fn delete(repository: &str) -> Self {
        Self::default().and(repository, &["delete", "pull"])
    }

    /// This scope and more.
    #[must_use]
    pub fn and(mut self, repository: &str, actions: &[&str]) -> Self {
        let known = self.0.entry(format!("repository:{repository}")).or_default();
        known.extend(actions.iter().map(|&action| action.to_owned()));
        self
    }

    /// Reads what a challenge asks for; what is no scope is left out.
    fn widen(&mut self, text: &str) {
        for word in text.split(' ').filter(|word| word.len() <= 512).take(16) {
            if let Some((resource, actions)) = word.rsplit_once(':') {
                let known = self.0.entry(resource.to_owned()).or_default();
                known.extend(actions.split(',').map(str::to_owned));
            }
        }
    }

    fn words(&self) -> Vec<String> {
        let word = |(name, actions): (&String, &BTreeSet<String>)| {
            format!("{name}:{}", actions.iter().map(String::as_str).collect::<Vec<_>>().join(","))
        };
        self.0.iter().map(word).collect()
    }
}

/// What is known of one registry: how it asks for proof, and the tokens it gave. One session serves many operations.
///
/// Credentials go to the registry itself and to the token service that it names, and nowhere else; without encryption only if
/// the registry itself is spoken to in the clear, which its [`Repository`](super::Repository) says.
#[derive(Clone, Debug)]
pub struct Session {
    root: Url,
    credentials: Credentials,
    method: How,
    tokens: BTreeMap<Scope, Token>,
    wider: BTreeMap<Scope, Scope>,
    warnings: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum How {
    Unknown,
    Basic,
    Bearer { realm: Url, service: Option<String> },
}

#[derive(Clone)]
struct Token {
    value: String,
    expires: u64,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(secret, expires {})", self.expires)
    }
}

/// Tokens kept at once, and warnings.
const TOKENS: usize = 256;
const WARNINGS: usize = 64;
/// Seconds that a token lives if its service does not say (the Docker token specification), and at most.
const LIFETIME: u64 = 60;
const LONGEST: u64 = 24 * 3600;

impl Session {
    /// A session with the registry whose root this is.
    #[must_use]
    pub const fn new(root: Url, credentials: Credentials) -> Self {
        Self {
            root,
            credentials,
            method: How::Unknown,
            tokens: BTreeMap::new(),
            wider: BTreeMap::new(),
            warnings: BTreeSet::new(),
        }
    }

    /// What the registry said in `Warning` fields so far, each once, to be shown to people and otherwise ignored.
    #[must_use]
    pub const fn warnings(&self) -> &BTreeSet<String> {
        &self.warnings
    }

    /// Adds what proves who asks, if something is known that does; or the request for a token that comes first.
    pub(super) fn authorize(
        &self,
        request: &mut Request,
        scope: &Scope,
        now: u64,
    ) -> Result<Option<Request>, Error> {
        if !request.url.same_origin(&self.root) {
            return Ok(None);
        }
        if let Credentials::RegistryToken(token) = &self.credentials {
            request.headers.set("authorization", format!("Bearer {token}"));
            return Ok(None);
        }
        match &self.method {
            How::Unknown => Ok(None),
            How::Basic => {
                if let Credentials::Password { username, password } = &self.credentials {
                    request.headers.set("authorization", basic(username, password));
                }
                Ok(None)
            }
            How::Bearer { realm, service } => match self.tokens.get(scope) {
                Some(token) if token.expires > now => {
                    request.headers.set("authorization", format!("Bearer {}", token.value));
                    Ok(None)
                }
                _ => self.token_request(realm, service.as_deref(), scope).map(Some),
            },
        }
    }

    /// Learns from a 401 of the registry itself to a request with this proof; whether there is another to try.
    pub(super) fn challenged(
        &mut self,
        response: &Response,
        scope: &Scope,
        proof: Option<&str>,
    ) -> Result<bool, Error> {
        if matches!(self.credentials, Credentials::RegistryToken(_)) {
            return Ok(false);
        }
        let fields = response.headers.all("www-authenticate").take(16);
        let challenges: Vec<Challenge> = fields.flat_map(Challenge::parse).collect();
        let bearer = challenges.iter().find(|challenge| challenge.scheme == "bearer");
        if let Some((challenge, realm)) = bearer.and_then(|one| Some((one, one.parameter("realm")?))) {
            let realm = self.root.join(realm)?;
            self.check_realm(&realm)?;
            if challenge.parameter("error") == Some("insufficient_scope") || !self.tokens.contains_key(scope)
            {
                let wider = self.wider.entry(scope.clone()).or_insert_with(|| scope.clone());
                wider.widen(challenge.parameter("scope").unwrap_or_default());
            }
            // Another exchange may have got a new one meanwhile.
            if self.tokens.get(scope).is_some_and(|token| proof == Some(&format!("Bearer {}", token.value))) {
                self.tokens.remove(scope);
            }
            let service = challenge.parameter("service").map(str::to_owned);
            self.method = How::Bearer { realm, service };
            return Ok(true);
        }
        let basic = challenges.iter().any(|challenge| challenge.scheme == "basic");
        match &self.credentials {
            Credentials::Password { username, password } if basic => {
                self.method = How::Basic;
                Ok(proof != Some(&self::basic(username, password)))
            }
            _ => Ok(false),
        }
    }

    /// A token service is trusted with credentials if it is reached over `https`; in the clear only beside a registry that is.
    fn check_realm(&self, realm: &Url) -> Result<(), Error> {
        let beside =
            !self.root.is_secure() && (realm.host() == self.root.host() || is_loopback(realm.host()));
        if realm.is_secure() || beside {
            return Ok(());
        }
        Err(Error::Unsupported {
            what: format!("the token service http://{}", realm.authority()),
            advice: "credentials are not sent unencrypted; the registry must name it with https",
        })
    }

    fn token_request(&self, realm: &Url, service: Option<&str>, scope: &Scope) -> Result<Request, Error> {
        self.check_realm(realm)?;
        let scope = self.wider.get(scope).unwrap_or(scope);
        let mut request = if let Credentials::IdentityToken(token) = &self.credentials {
            let mut form =
                format!("grant_type=refresh_token&client_id=lotse&refresh_token={}", escape(token));
            if let Some(service) = service {
                form.push_str(&format!("&service={}", escape(service)));
            }
            form.push_str(&format!("&scope={}", escape(&scope.words().join(" "))));
            let mut request = Request::new(Method::Post, realm.clone())
                .header("content-type", "application/x-www-form-urlencoded");
            request.body = Body::Bytes(form.into_bytes());
            request
        } else {
            let mut url = realm.clone();
            if let Some(service) = service {
                url = url.with_parameter("service", service);
            }
            for word in scope.words() {
                url = url.with_parameter("scope", &word);
            }
            let request = Request::new(Method::Get, url);
            match &self.credentials {
                Credentials::Password { username, password } => {
                    request.header("authorization", basic(username, password))
                }
                _ => request,
            }
        };
        request.limit = TOKEN_BYTES;
        Ok(request)
    }

    /// Takes the token out of its service's answer.
    pub(super) fn token(&mut self, response: &Response, scope: &Scope, now: u64) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Answer {
            token: Option<String>,
            access_token: Option<String>,
            expires_in: Option<u64>,
        }
        let answer: Answer = serde_json::from_slice(&response.body)
            .map_err(|error| Error::malformed("the token service's answer", error.to_string()))?;
        let value = answer.token.filter(|token| !token.is_empty()).or(answer.access_token);
        let value =
            value.filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
        let Some(value) = value else {
            return Err(Error::malformed("the token service's answer", "it holds no token"));
        };
        let lifetime = answer.expires_in.filter(|&seconds| seconds > 0).unwrap_or(LIFETIME).min(LONGEST);
        // A tenth early: a request on the way takes time too.
        let expires = now.saturating_add(lifetime - lifetime / 10);
        if self.tokens.len() >= TOKENS {
            self.tokens.retain(|_, token| token.expires > now);
            if self.tokens.len() >= TOKENS {
                self.tokens.clear();
            }
        }
        self.tokens.insert(scope.clone(), Token { value, expires });
        Ok(())
    }

    /// Keeps the `Warning` fields of an answer (distribution-spec, warnings).
    pub(super) fn warn(&mut self, response: &Response) {
        let mut bytes = 0;
        for field in response.headers.all("warning") {
            bytes += field.len();
            if bytes > 4096 || self.warnings.len() >= WARNINGS {
                return;
            }
            let text = field.strip_prefix("299 - \"").and_then(|text| text.strip_suffix('"'));
            if let Some(text) = text {
                self.warnings.insert(text.replace("\\\"", "\"").replace("\\\\", "\\"));
            }
        }
    }

    pub(super) const fn root(&self) -> &Url {
        &self.root
    }
}

fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", base64(format!("{username}:{password}").as_bytes()))
}

/// In a form a slash is written out too, and so is everything else that is no letter or digit.
fn escape(text: &str) -> String {
    encode(text).replace('/', "%2F").replace(':', "%3A").replace(',', "%2C")
}

/// RFC 4648, section 4.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let at = |number: usize| u32::from(group.get(number).copied().unwrap_or(0));
        let value = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4_u32 {
            let index = usize::try_from(value >> (18 - 6 * place) & 63).unwrap_or(0);
            let kept = usize::try_from(place).is_ok_and(|place| place <= group.len());
            let letter = ALPHABET.get(index).copied().unwrap_or(b'=');
            out.push(if kept { char::from(letter) } else { '=' });
        }
    }
    out
}

/// RFC 4648, section 4, with padding; `None` if it is none.
#[cfg(any(feature = "client", feature = "registry"))]
pub(crate) fn base64_decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut value, mut bits) = (0_u32, 0_u32);
    for byte in text.trim_end_matches('=').bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        value = (value << 6 | u32::from(digit)) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(value >> bits & 0xff).ok()?);
        }
    }
    (text.len().is_multiple_of(4)).then_some(out)
}
