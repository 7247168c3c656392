//! Signs and verifies Sigstore bundles, with the command line of sigstore-conformance's clients.
#![allow(clippy::print_stdout, reason = "a program for the command line")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser};
use lotse_digest::Digest;
use lotse_examples::signing::SigningArgs;
use lotse_examples::trust::{TrustArgs, read};
use lotse_sign::{Artifact, Content};

/// Signs and verifies Sigstore bundles: 0 accepted or signed, 1 refused, 2 wrong call or unreadable input.
#[derive(Parser)]
#[command(name = "verify_bundle")]
enum Call {
    /// Verifies a bundle for an artifact, offline.
    VerifyBundle(Box<Verify>),
    /// Signs a file.
    SignBundle(Box<Sign>),
}

#[derive(Args)]
struct Verify {
    /// The bundle in JSON.
    #[arg(long)]
    bundle: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
    /// Print the verdict with its steps as JSON.
    #[arg(long)]
    json: bool,
    /// The artifact: a file, or its digest as sha256:HEX.
    artifact: String,
}

#[derive(Args)]
struct Sign {
    #[command(flatten)]
    signing: SigningArgs,
    /// Where the bundle goes.
    #[arg(long)]
    bundle: PathBuf,
    /// Accepted and not needed: what is signed here is verified by `verify-bundle`.
    #[arg(long)]
    trusted_root: Option<PathBuf>,
    /// The file is an in-toto statement, to be signed as an envelope.
    #[arg(long)]
    in_toto: bool,
    /// The file to sign.
    file: PathBuf,
}

fn main() -> ExitCode {
    let done = match Call::parse() {
        Call::VerifyBundle(call) => verify(&call),
        Call::SignBundle(call) => sign(&call).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => lotse_examples::fail("verify_bundle", &lotse_examples::chain(&*error), 2),
    }
}

fn verify(call: &Verify) -> Result<bool, Box<dyn std::error::Error>> {
    let trust = call.trust.read()?;
    let digest: Option<[Digest; 1]> = call.artifact.parse().ok().map(|digest| [digest]);
    let bytes = if digest.is_none() { read(Path::new(&call.artifact))? } else { Vec::new() };
    let artifact = digest.as_ref().map_or(Artifact::Bytes(&bytes), |digest| Artifact::Digests(digest));

    let verdict = trust.verifier().verify_json(&read(&call.bundle)?, &artifact, &trust.context())?;
    if call.json {
        println!("{}", String::from_utf8(verdict.to_json()?)?);
    } else {
        println!("{verdict}");
    }
    Ok(verdict.is_accepted())
}

fn sign(call: &Sign) -> Result<(), Box<dyn std::error::Error>> {
    let file = read(&call.file)?;
    let content = if call.in_toto { Content::Statement(file) } else { Content::Artifact(&file) };
    let bundle = call.signing.sign(content)?;
    Ok(lotse_examples::replace(&call.bundle, &bundle.to_json()?)?)
}
