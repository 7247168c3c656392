//! Verifies Sigstore bundles, with the command line of sigstore-conformance's clients.
#![allow(clippy::print_stdout, reason = "a program for the command line")]

mod verify;

use std::process::ExitCode;

use clap::Parser;

/// Verifies Sigstore bundles: 0 accepted, 1 refused, 2 wrong call or unreadable input.
#[derive(Parser)]
#[command(name = "verify_bundle")]
enum Call {
    /// Verifies a bundle for an artifact, offline.
    VerifyBundle(verify::Call),
}

fn main() -> ExitCode {
    let Call::VerifyBundle(call) = Call::parse();
    match verify::run(&call) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => lotse_examples::fail("verify_bundle", &lotse_examples::chain(&*error), 2),
    }
}
