//! Takes one application from a commit to a verified release: images, inventories, signatures, manifests, verdicts, evidence.
#![allow(clippy::print_stdout, reason = "an example talks to people")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use lotse_examples::{fail, progress};
use lotse_release::{Error, Request, explain, release};

/// Takes one application from a commit to a verified release. Exit code 0: passed, 1: the gate refused, 2: specification or call
/// wrong, 3: undecided.
#[derive(Parser)]
struct Arguments {
    /// The directory of the application, with its lotse.yaml.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/apps/armband"))]
    app: PathBuf,
    /// The directory that the release is written to.
    #[arg(long, default_value = "target/release-out")]
    out: PathBuf,
    /// The OCI layout with the base images; bases/layout of the application if absent.
    #[arg(long)]
    bases: Option<PathBuf>,
    /// The private key that signs, as PEM; without one a fresh key is made.
    #[arg(long)]
    key: Option<PathBuf>,
    /// Print the evidence as JSON instead of the table.
    #[arg(long)]
    json: bool,
    /// Judge everything and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Explain defaults, schema, a check, a requirement or a JSON pointer of lotse.yaml instead.
    #[arg(long, value_name = "WHAT")]
    explain: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => fail("release", &error.chain(), error.exit_code()),
    }
}

fn run(arguments: &Arguments) -> Result<u8, Error> {
    if let Some(what) = &arguments.explain {
        println!("{}", explain(what, &arguments.app)?);
        return Ok(0);
    }
    let mut request = Request::new(&arguments.app, &arguments.out);
    request.bases.clone_from(&arguments.bases);
    request.dry_run = arguments.dry_run;
    request.read_environment(arguments.key.as_deref())?;
    let report = release(&request, &mut progress(arguments.json))?;
    if arguments.json {
        print!("{}", report.to_json());
    } else {
        print!("{}", report.to_table());
        if !arguments.dry_run {
            println!("\nEvidence: {}", arguments.out.join("evidence.html").display());
        }
    }
    Ok(report.verdict.exit_code())
}
