//! Releases Lotse itself: builds one of its programs, and takes it from the commit to a verified release.
#![allow(clippy::print_stdout, reason = "an example talks to people")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use lotse_examples::{fail, progress};
use lotse_release::{Error, Request, release};

/// Releases Lotse itself. Exit code 0: passed, 1: the gate refused, 2: specification or call wrong, 3: undecided.
#[derive(Parser)]
struct Arguments {
    /// The directory that the release is written to.
    #[arg(long, default_value = "target/release-self-out")]
    out: PathBuf,
    /// The private key that signs, as PEM; without one a fresh key is made.
    #[arg(long)]
    key: Option<PathBuf>,
    /// Print the evidence as JSON instead of the table.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => fail("release_self", &error.chain(), error.exit_code()),
    }
}

fn run(arguments: &Arguments) -> Result<u8, Error> {
    let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("apps/lotse");
    build(&app.join("program"))
        .map_err(|error| Error::Caller(format!("the program was not built: {error}")))?;
    let mut request = Request::new(&app, &arguments.out);
    request.read_environment(arguments.key.as_deref())?;
    let report = release(&request, &mut progress(arguments.json))?;
    print!("{}", if arguments.json { report.to_json() } else { report.to_table() });
    Ok(report.verdict.exit_code())
}

/// Builds the program `verify` so that it needs no library, without paths of this machine in it.
fn build(to: &Path) -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let target = root.join("target");
    let remap = format!("--remap-path-prefix={}=lotse", root.display());
    let arguments = [
        "rustc",
        "--quiet",
        "--release",
        "--package",
        "lotse-examples",
        "--example",
        "verify",
        "--target-dir",
    ];
    let status = Command::new("cargo")
        .args(arguments)
        .arg(&target)
        .args(["--", "-C", "target-feature=+crt-static", "-C", "strip=symbols", &remap])
        .current_dir(&root)
        .status()?;
    if !status.success() {
        return Err(std::io::Error::other(format!("cargo ended with {status}")));
    }
    std::fs::create_dir_all(to)?;
    std::fs::copy(target.join("release/examples/verify"), to.join("verify"))?;
    std::fs::copy(root.join("Cargo.lock"), to.join("Cargo.lock"))?;
    Ok(())
}
