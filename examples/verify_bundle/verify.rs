use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use lotse_digest::Digest;
use lotse_sign::{
    Artifact, Context, ExactIdentity, ExpectedSigner, Requirements, Time, TrustedRoot, Verifier, VerifyingKey,
};

/// What TUF delivers for the public good instance since 2025-09-22 (sigstore/root-signing); give --trusted-root for a newer one or another instance.
const PUBLIC_GOOD: &[u8] = include_bytes!("../data/sigstore-public-good.json");

#[derive(Args)]
pub(crate) struct Call {
    /// The bundle in JSON.
    #[arg(long)]
    bundle: PathBuf,
    /// Who must have signed: the subject of the certificate.
    #[arg(long, required_unless_present = "key", requires = "certificate_oidc_issuer")]
    certificate_identity: Option<String>,
    /// Who must have vouched for the subject.
    #[arg(long)]
    certificate_oidc_issuer: Option<String>,
    /// The public key that must have signed, in PEM, instead of an identity.
    #[arg(long, conflicts_with = "certificate_identity")]
    key: Option<PathBuf>,
    /// Whom to believe; without it, Sigstore's public good instance.
    #[arg(long)]
    trusted_root: Option<PathBuf>,
    /// What must be there: default = log entry, SCT for a certificate, verified time for a certificate; nosct; nolog =
    /// a timestamp but no log entry; bare = the signature alone.
    #[arg(long, value_enum, default_value = "default")]
    policy: Policy,
    /// As of when, in RFC 3339; without it, now.
    #[arg(long)]
    at: Option<Time>,
    /// Print the verdict with its steps as JSON.
    #[arg(long)]
    json: bool,
    /// The artifact: a file, or its digest as sha256:HEX.
    artifact: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Policy {
    Default,
    Nosct,
    Nolog,
    Bare,
}

impl Policy {
    const fn requirements(self) -> Requirements {
        let all = Requirements::sigstore();
        match self {
            Self::Default => all,
            Self::Nosct => all.dangerously_without_sct(),
            Self::Nolog => all.dangerously_without_log().timestamps(1),
            Self::Bare => all.dangerously_without_log().dangerously_without_sct(),
        }
    }
}

pub(crate) fn run(call: &Call) -> Result<bool, Box<dyn std::error::Error>> {
    let root = match &call.trusted_root {
        Some(path) => TrustedRoot::parse(&read(path)?)?,
        None => TrustedRoot::parse(PUBLIC_GOOD)?,
    };
    let key = match &call.key {
        Some(path) => Some(VerifyingKey::from_pem(&String::from_utf8(read(path)?)?)?),
        None => None,
    };
    let identity = ExactIdentity::new(
        call.certificate_identity.clone().unwrap_or_default(),
        call.certificate_oidc_issuer.clone().unwrap_or_default(),
    );
    let signer = match &key {
        Some(key) => ExpectedSigner::Key(key),
        None => ExpectedSigner::Identity(&identity),
    };
    let digest: Option<[Digest; 1]> = call.artifact.parse().ok().map(|digest| [digest]);
    let bytes = if digest.is_none() { read(Path::new(&call.artifact))? } else { Vec::new() };
    let artifact = digest.as_ref().map_or(Artifact::Bytes(&bytes), |digest| Artifact::Digests(digest));
    let context =
        Context { signer, requirements: call.policy.requirements(), at: call.at.map_or_else(now, Ok)? };

    let verdict = Verifier::new(root).verify_json(&read(&call.bundle)?, &artifact, &context)?;
    if call.json {
        println!("{}", String::from_utf8(verdict.to_json()?)?);
    } else {
        println!("{verdict}");
    }
    Ok(verdict.is_accepted())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[expect(clippy::disallowed_methods, reason = "a program for the command line may ask the clock")]
fn now() -> Result<Time, Box<dyn std::error::Error>> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    Ok(Time::from_seconds(i64::try_from(seconds)?))
}
