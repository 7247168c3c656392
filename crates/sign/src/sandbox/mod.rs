//! A Sigstore in memory, for tests: certificate authority, certificate log, Rekor of both versions, timestamp authorities,
//! tokens, and a TUF repository that delivers its trusted root. Deterministic: the same seed, time and calls give the same bytes.
//! Faults can be asked for by name.
//!
//! ```
//! use lotse_sign::sandbox::Sandbox;
//! use lotse_sign::{Artifact, Claims, Content, Context, ExactIdentity, ExpectedSigner, Requirements, SubjectName, Verifier};
//!
//! let sigstore = Sandbox::new("example", "2026-11-21T10:00:00Z".parse()?);
//! let mut claims = Claims::new(SubjectName::Email("alice@example.test".to_owned()));
//! claims.issuer = Some("https://oidc.example.test".to_owned());
//! let bundle = sigstore.sign(Content::Artifact(b"artifact"), &claims)?;
//!
//! let alice = ExactIdentity::new("alice@example.test", "https://oidc.example.test");
//! let context = Context { signer: ExpectedSigner::Identity(&alice), requirements: Requirements::sigstore(), at: sigstore.now() };
//! let verifier = Verifier::new(sigstore.trusted_root()?);
//! assert!(verifier.verify_json(&bundle.to_json()?, &Artifact::Bytes(b"artifact"), &context)?.is_accepted());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod certificate;
mod fault;
mod issuing;
mod log;
mod root;
mod stamping;
mod tuf;
mod tuf_fault;

pub use self::fault::Fault;
pub use self::tuf::TufRepository;
pub use self::tuf_fault::TufFault;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use lotse_digest::Digest;

use self::issuing::Issuing;
use self::log::{LogV1, LogV2};
use self::stamping::Stamping;
use crate::service::{Request, Response, SigningSession, Transport};
use crate::{
    Bundle, Claims, Content, Error, IdentityToken, Scheme, SigningConfig, SigningKey, Time, TrustedRoot,
    encoding,
};

/// A Sigstore in memory. Its keys are no secrets: they follow from the seed.
#[derive(Debug)]
pub struct Sandbox {
    seed: String,
    now: Time,
    faults: BTreeSet<Fault>,
    services: Services,
    state: Mutex<State>,
}

/// What signs in the sandbox.
#[derive(Debug)]
struct Services {
    issuing: Issuing,
    stamping: [Stamping; 2],
}

/// What grows.
#[derive(Debug)]
struct State {
    serial: u64,
    log_v1: LogV1,
    logs_v2: [LogV2; 2],
}

/// The services to sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Setup {
    /// Rekor version 2 and a timestamp authority: what Sigstore's clients do from 2026 on.
    V2,
    /// Rekor version 1 alone, whose promise says when.
    V1,
    /// Two logs of version 2 of two operators and two timestamp authorities.
    Both,
    /// A timestamp authority and no log.
    NoLog,
}

impl Sandbox {
    /// A Sigstore whose clocks stand still.
    #[must_use]
    pub fn new(seed: &str, now: Time) -> Self {
        Self::with_faults(seed, now, [])
    }

    /// A Sigstore that does wrong, in the named ways.
    #[must_use]
    pub fn with_faults(seed: &str, now: Time, faults: impl IntoIterator<Item = Fault>) -> Self {
        let key = |name: &str, scheme| key(seed, name, scheme);
        let start = Time::from_seconds(now.seconds() - 86_400);
        let services = Services {
            issuing: Issuing::new(&key, start),
            stamping: ["tsa", "tsa-b"].map(|name| Stamping::new(name, &key, start)),
        };
        let state = State {
            serial: 1,
            log_v1: LogV1::new("rekor1.sandbox.test", key("rekor1", Scheme::EcdsaP256Sha256)),
            logs_v2: [
                LogV2::new("rekor.sandbox.test", key("rekor", Scheme::Ed25519)),
                LogV2::new("rekor-b.sandbox.test", key("rekor-b", Scheme::EcdsaP256Sha256)),
            ],
        };
        let faults = faults.into_iter().collect();
        Self { seed: seed.to_owned(), now, faults, services, state: Mutex::new(state) }
    }

    /// The time of all clocks.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.now
    }

    /// A token that the certificate authority takes for these claims. Its signature is not checked by anybody here.
    ///
    /// # Errors
    ///
    /// None for claims with a subject.
    pub fn token(&self, claims: &Claims) -> Result<IdentityToken, Error> {
        let payload = serde_json::json!({
            "iss": claims.issuer,
            "sub": claims.subject.as_str(),
            "aud": "sigstore",
            "claims": claims,
        });
        let url_safe = |bytes: &[u8]| {
            encoding::encode(bytes).replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned()
        };
        let head = url_safe(br#"{"alg":"ES256","typ":"JWT"}"#);
        let body = format!("{head}.{}", url_safe(payload.to_string().as_bytes()));
        let signature = key(&self.seed, "oidc", Scheme::EcdsaP256Sha256).sign(body.as_bytes())?;
        IdentityToken::new(&format!("{body}.{}", url_safe(&signature)))
    }

    /// Signs keyless as somebody with these claims, with Rekor version 2 and a timestamp.
    ///
    /// # Errors
    ///
    /// Those of signing; with a fault, also those that it leads to.
    pub fn sign(&self, content: Content<'_>, claims: &Claims) -> Result<Bundle, Error> {
        self.sign_with(Setup::V2, content, claims)
    }

    /// As [`sign`](Self::sign), with the services of a setup.
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign).
    pub fn sign_with(&self, setup: Setup, content: Content<'_>, claims: &Claims) -> Result<Bundle, Error> {
        let serial = self.lock().serial;
        let key = key(&self.seed, &format!("signer {serial}"), Scheme::EcdsaP256Sha256);
        let config = self.signing_config(setup)?;
        let session = SigningSession { config: &config, transport: self, at: self.now };
        session.sign_keyless(content, &self.token(claims)?, &key)
    }

    /// Signs with a managed key and the services of a setup.
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign).
    pub fn sign_with_key(
        &self,
        setup: Setup,
        content: Content<'_>,
        key: &SigningKey,
    ) -> Result<Bundle, Error> {
        let config = self.signing_config(setup)?;
        SigningSession { config: &config, transport: self, at: self.now }.sign(content, key)
    }

    /// Whom to believe, to verify what the sandbox signs.
    ///
    /// # Errors
    ///
    /// None for a sandbox without faults in its root.
    pub fn trusted_root(&self) -> Result<TrustedRoot, Error> {
        TrustedRoot::parse(&self.trusted_root_json())
    }

    /// The signing config of a setup.
    ///
    /// # Errors
    ///
    /// None.
    pub fn signing_config(&self, setup: Setup) -> Result<SigningConfig, Error> {
        SigningConfig::parse(&self.signing_config_json(setup))
    }

    fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn later(&self, seconds: i64) -> Time {
        Time::from_seconds(self.now.seconds() + seconds)
    }
}

impl Transport for Sandbox {
    fn send(&self, request: &Request) -> Result<Response, Error> {
        let body = match request.url.as_str() {
            "https://fulcio.sandbox.test/api/v2/signingCert" => self.issue(&request.body),
            "https://tsa.sandbox.test/api/v1/timestamp" => self.stamp(0, &request.body),
            "https://tsa-b.sandbox.test/api/v1/timestamp" => self.stamp(1, &request.body),
            "https://rekor1.sandbox.test/api/v1/log/entries" => self.log_v1(&request.body),
            "https://rekor.sandbox.test/api/v2/log/entries" => self.log_v2(0, &request.body),
            "https://rekor-b.sandbox.test/api/v2/log/entries" => self.log_v2(1, &request.body),
            other => {
                let reason = format!("{other}: no such service");
                return Ok(Response { status: 404, body: reason.into_bytes() });
            }
        };
        Ok(match body {
            Ok(body) => Response { status: 200, body },
            Err(error) => Response { status: 400, body: error.to_string().into_bytes() },
        })
    }
}

/// The key of a service: what the seed and its name hash to.
fn key(seed: &str, name: &str, scheme: Scheme) -> SigningKey {
    let mut secret = Digest::sha256(format!("lotse sandbox\n{seed}\n{name}").as_bytes());
    loop {
        if let Some(key) = <[u8; 32]>::try_from(secret.as_bytes())
            .ok()
            .and_then(|secret| SigningKey::from_secret(scheme, &secret).ok())
        {
            return key;
        }
        secret = Digest::sha256(secret.as_bytes());
    }
}
