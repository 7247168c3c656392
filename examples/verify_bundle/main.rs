//! Signs and verifies Sigstore bundles, with the command line of sigstore-conformance's clients.
#![allow(clippy::print_stdout, reason = "a program for the command line")]

mod sign;
mod verify;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use lotse_sign::Time;

/// Signs and verifies Sigstore bundles: 0 accepted or signed, 1 refused, 2 wrong call or unreadable input.
#[derive(Parser)]
#[command(name = "verify_bundle")]
enum Call {
    /// Verifies a bundle for an artifact, offline.
    VerifyBundle(Box<verify::Call>),
    /// Signs a file with the services of a signing config.
    SignBundle(Box<sign::Call>),
}

fn main() -> ExitCode {
    let done = match Call::parse() {
        Call::VerifyBundle(call) => verify::run(&call),
        Call::SignBundle(call) => sign::run(&call).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => lotse_examples::fail("verify_bundle", &lotse_examples::chain(&*error), 2),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[expect(clippy::disallowed_methods, reason = "a program for the command line may ask the clock")]
fn now() -> Result<Time, Box<dyn std::error::Error>> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    Ok(Time::from_seconds(i64::try_from(seconds)?))
}
