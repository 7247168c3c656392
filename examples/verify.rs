//! Verifies a release from its files alone: from a pod's image id or a manifest back to the commit.
#![allow(clippy::print_stdout, reason = "an example talks to people")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use lotse_examples::{fail, progress};
use lotse_release::{Error, Start, VerifyRequest, verify};

/// Verifies a release from its files alone and names the first broken link. Exit code 0: everything holds, 1: a link is broken,
/// 2: wrong call, 3: undecided.
#[derive(Parser)]
struct Arguments {
    /// The directory of the release.
    release: PathBuf,
    /// The public key that must have signed, as PEM; without one the release's own, which proves integrity only.
    #[arg(long)]
    key: Option<PathBuf>,
    /// Begin at a pod's image id or an image reference.
    #[arg(long, conflicts_with = "manifest")]
    image_id: Option<String>,
    /// Begin at a manifest.
    #[arg(long)]
    manifest: Option<PathBuf>,
    /// A Git repository that must have the commit.
    #[arg(long)]
    repository: Option<PathBuf>,
    /// Print JSON lines instead of the table.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => fail("verify", &error.chain(), error.exit_code()),
    }
}

fn run(arguments: Arguments) -> Result<u8, Error> {
    let mut request = VerifyRequest::new(arguments.release);
    request.read_key(arguments.key.as_deref())?;
    request.from = arguments.image_id.map(Start::Image).or(arguments.manifest.map(Start::Manifest));
    request.repository = arguments.repository;
    let verification = verify(&request, &mut progress(arguments.json))?;
    if arguments.json {
        println!("{}", verification.to_value());
    } else {
        print!("{}", verification.to_table());
    }
    Ok(u8::from(verification.broken().is_some()))
}
