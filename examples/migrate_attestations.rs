//! Brings attestations of cosign's older layout into the newer one, without signing anything anew.
#![allow(clippy::print_stdout, reason = "a program for the command line")]

use std::process::ExitCode;

use clap::Parser;
use lotse_examples::images::ImageArgs;
use lotse_sign::Attachments;

/// Attaches each attestation under the tag `sha256-….att` as a bundle that refers to the image; what is attached already is left
/// alone, and nothing is removed. Exits with 1 if something has to be signed anew.
#[derive(Parser)]
struct Call {
    #[command(flatten)]
    image: ImageArgs,
}

fn main() -> ExitCode {
    match run(&Call::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => lotse_examples::fail("migrate_attestations", &lotse_examples::chain(&*error), 2),
    }
}

fn run(call: &Call) -> Result<bool, Box<dyn std::error::Error>> {
    let image = call.image.open()?;
    let attached = Attachments::find(&image, image.digest())?;
    let (mut moved, mut all) = (0, attached.unreadable.is_empty());
    for bundle in attached.to_migrate() {
        match bundle {
            Ok(bundle) => {
                image.attach(bundle.media_type(), &bundle.to_json()?, bundle.referrer_annotations())?;
                moved += 1;
            }
            Err(error) => {
                println!("{}", lotse_examples::chain(&error));
                all = false;
            }
        }
    }
    for unreadable in &attached.unreadable {
        println!("{unreadable}");
    }
    println!("{moved} attestations of {} attached as bundles", image.name());
    if !attached.signatures.is_empty() {
        println!("{} signatures stay where they are: sign the image anew", attached.signatures.len());
    }
    Ok(all)
}
