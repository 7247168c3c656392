//! Who must have signed and whom to believe, from the command line.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use lotse_sign::{
    Context, ExactIdentity, ExpectedSigner, Requirements, Time, TrustedRoot, Verifier, VerifyingKey,
};

use crate::tuf::TufArgs;

/// What TUF delivers for the public good instance since 2025-09-22 (sigstore/root-signing); give --trusted-root for a newer
/// one or another instance.
const PUBLIC_GOOD: &[u8] = include_bytes!("../data/sigstore-public-good.json");

/// Who must have signed, and whom to believe.
#[derive(Args)]
pub struct TrustArgs {
    /// Who must have signed: the subject of the certificate.
    #[arg(long, required_unless_present = "key", requires = "certificate_oidc_issuer")]
    certificate_identity: Option<String>,
    /// Who must have vouched for the subject.
    #[arg(long)]
    certificate_oidc_issuer: Option<String>,
    /// The public key that must have signed, in PEM, instead of an identity.
    #[arg(long, conflicts_with = "certificate_identity")]
    key: Option<PathBuf>,
    /// Whom to believe; without it and --tuf-cache, Sigstore's public good instance.
    #[arg(long, conflicts_with = "tuf_cache")]
    trusted_root: Option<PathBuf>,
    #[command(flatten)]
    tuf: TufArgs,
    /// What must be there: default = log entry, SCT for a certificate, verified time for a certificate; nosct; nolog =
    /// a timestamp but no log entry; bare = the signature alone.
    #[arg(long, value_enum, default_value = "default")]
    policy: Policy,
    /// As of when, in RFC 3339; without it, now.
    #[arg(long)]
    at: Option<Time>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Policy {
    Default,
    Nosct,
    Nolog,
    Bare,
}

/// The verifier and the question, read from the command line.
pub struct Trust {
    verifier: Verifier,
    key: Option<VerifyingKey>,
    identity: ExactIdentity,
    requirements: Requirements,
    at: Time,
}

impl TrustArgs {
    /// Reads what the arguments name.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or is not what it should be.
    pub fn read(&self) -> Result<Trust, Box<dyn std::error::Error>> {
        let root = match (&self.trusted_root, self.tuf.trusted_root()?) {
            (Some(path), _) => TrustedRoot::parse(&read(path)?)?,
            (None, Some(root)) => root,
            (None, None) => TrustedRoot::parse(PUBLIC_GOOD)?,
        };
        let key = match &self.key {
            Some(path) => Some(VerifyingKey::from_pem(&String::from_utf8(read(path)?)?)?),
            None => None,
        };
        let identity = ExactIdentity::new(
            self.certificate_identity.clone().unwrap_or_default(),
            self.certificate_oidc_issuer.clone().unwrap_or_default(),
        );
        let all = Requirements::sigstore();
        let requirements = match self.policy {
            Policy::Default => all,
            Policy::Nosct => all.dangerously_without_sct(),
            Policy::Nolog => all.dangerously_without_log().timestamps(1),
            Policy::Bare => all.dangerously_without_log().dangerously_without_sct(),
        };
        Ok(Trust {
            verifier: Verifier::new(root),
            key,
            identity,
            requirements,
            at: self.at.map_or_else(now, Ok)?,
        })
    }
}

impl Trust {
    /// The verifier.
    #[must_use]
    pub const fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The question.
    #[must_use]
    pub fn context(&self) -> Context<'_> {
        let signer = match &self.key {
            Some(key) => ExpectedSigner::Key(key),
            None => ExpectedSigner::Identity(&self.identity),
        };
        Context { signer, requirements: self.requirements, at: self.at }
    }
}

/// Reads a file; the error names it.
///
/// # Errors
///
/// Those of the file system.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The time by this machine's clock.
///
/// # Errors
///
/// A clock before 1970.
#[expect(clippy::disallowed_methods, reason = "a program for the command line may ask the clock")]
pub fn now() -> Result<Time, Box<dyn std::error::Error>> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    Ok(Time::from_seconds(i64::try_from(seconds)?))
}
