//! Attests something of an image in a layout or a registry, as cosign does.
#![allow(clippy::print_stdout, reason = "a program for the command line")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use lotse_examples::images::ImageArgs;
use lotse_examples::signing::SigningArgs;
use lotse_examples::trust::read;
use lotse_provenance::{Statement, Subject};
use lotse_sign::{Attachments, BUNDLE_MEDIA_TYPE, Content, CosignLayer, cosign_predicate_type};

/// Attests a predicate of an image: a bundle that refers to it, as cosign 3 does, or with --old a layer under its tag.
#[derive(Parser)]
struct Call {
    #[command(flatten)]
    signing: SigningArgs,
    /// The predicate in JSON.
    #[arg(long)]
    predicate: PathBuf,
    /// Its type: a URI, or cosign's short name for one (slsaprovenance1, spdxjson, cyclonedx, vuln, …).
    #[arg(long = "type")]
    kind: String,
    /// Write cosign's older layout, with --key alone.
    #[arg(long, requires = "key")]
    old: bool,
    #[command(flatten)]
    image: ImageArgs,
}

fn main() -> ExitCode {
    match run(&Call::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => lotse_examples::fail("attest", &lotse_examples::chain(&*error), 2),
    }
}

fn run(call: &Call) -> Result<(), Box<dyn std::error::Error>> {
    let image = call.image.open()?;
    let name = image.name();
    let subject = Subject::new(name.split('@').next().unwrap_or_default(), image.digest());
    let kind = cosign_predicate_type(&call.kind);
    let statement = Statement::new(vec![subject], kind, &read(&call.predicate)?)?.to_json()?;
    if let Some(key) = call.signing.key()?.filter(|_| call.old) {
        let layer = CosignLayer::attest(statement, kind, &key)?;
        image.append(&Attachments::attestation_tag(image.digest()), &layer)?;
    } else {
        let bundle = call.signing.sign(Content::Statement(statement))?;
        image.attach(BUNDLE_MEDIA_TYPE, &bundle.to_json()?, bundle.referrer_annotations())?;
    }
    println!("attested {kind} of {name}");
    Ok(())
}
