//! Verifies the signatures or attestations of an image in a layout or a registry, in both of cosign's layouts.
#![allow(clippy::print_stdout, reason = "a program for the command line")]

use std::process::ExitCode;

use clap::Parser;
use lotse_examples::images::ImageArgs;
use lotse_examples::trust::TrustArgs;
use lotse_sign::{Attachments, Wanted, cosign_predicate_type};

/// Verifies an image: 0 if a signature or attestation holds, 1 if none does, 2 for a wrong call or unreadable input.
#[derive(Parser)]
struct Call {
    #[command(flatten)]
    trust: TrustArgs,
    /// Want an attestation with this predicate type instead of a signature: a URI, or cosign's short name for one.
    #[arg(long = "type")]
    kind: Option<String>,
    /// Print the statements that hold, one a line.
    #[arg(long)]
    statements: bool,
    #[command(flatten)]
    image: ImageArgs,
}

fn main() -> ExitCode {
    match run(&Call::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => lotse_examples::fail("verify_image", &lotse_examples::chain(&*error), 2),
    }
}

fn run(call: &Call) -> Result<bool, Box<dyn std::error::Error>> {
    let trust = call.trust.read()?;
    let image = call.image.open()?;
    let attachments = Attachments::find(&image, image.digest())?;
    let wanted = match &call.kind {
        Some(kind) => Wanted::Attestation(cosign_predicate_type(kind)),
        None => Wanted::Signature,
    };
    let found = trust.verifier().verify_image(&attachments, image.digest(), wanted, &trust.context());
    if call.statements {
        for statement in found.accepted().filter_map(|attached| attached.statement.as_ref()) {
            println!("{}", String::from_utf8_lossy(statement));
        }
        return Ok(found.is_accepted());
    }
    println!("{}", image.name());
    for attached in &found.verdicts {
        println!("{}\n{}", attached.place, attached.verdict);
    }
    for reason in &found.unreadable {
        println!("unreadable: {reason}");
    }
    if found.verdicts.is_empty() {
        println!("nothing of the wanted kind is attached");
    }
    Ok(found.is_accepted())
}
