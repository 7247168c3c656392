//! Secrets in a directory, in the history of a repository or in the layers of an image.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use lotse_release::{Error, scan};
use lotse_secret_scan::{Findings, Progress};

/// Looks for secrets. Shows where they are, never what they are. Exits 1 if something was found or not scanned,
/// 2 if the source cannot be read.
#[derive(Parser)]
struct Call {
    /// A directory, an OCI layout; with --history a Git repository.
    source: PathBuf,
    /// The image in the layout, by tag or digest, if there are several.
    #[arg(long)]
    image: Option<String>,
    /// Scan everything the references of the repository reach, instead of the files as they lie there.
    #[arg(long)]
    history: bool,
    /// One JSON object per line: findings, then what was not scanned.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let call = Call::parse();
    let findings = match run(&call) {
        Ok(findings) => findings,
        Err(error) => {
            eprintln!("{}", error.chain());
            return ExitCode::from(2);
        }
    };
    for finding in &findings.found {
        if call.json {
            println!("{}", lotse_secret_scan::finding_json(finding));
        } else {
            println!("{finding}");
        }
    }
    for left_out in &findings.not_scanned {
        eprintln!("not scanned: {}: {}", left_out.place, left_out.reason);
    }
    eprintln!("{} found in {} pieces, {} bytes", findings.found.len(), findings.scanned, findings.bytes);
    let clean = findings.found.is_empty() && findings.not_scanned.is_empty();
    if clean { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn run(call: &Call) -> Result<Findings, Error> {
    let bar = std::io::stderr().is_terminal();
    let mut show = |progress: Progress| {
        if bar && (progress.done.is_multiple_of(64) || progress.done == progress.total) {
            eprint!("\r{} of {} ", progress.done, progress.total);
            let _ = std::io::stderr().flush();
        }
    };
    scan(&call.source, call.image.as_deref(), call.history, &mut show)
}
