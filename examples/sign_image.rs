//! Signs an image in a layout or a registry, as cosign does.
#![allow(clippy::print_stdout, reason = "a program for the command line")]

use std::process::ExitCode;

use clap::Parser;
use lotse_examples::images::ImageArgs;
use lotse_examples::signing::SigningArgs;
use lotse_sign::{Attachments, BUNDLE_MEDIA_TYPE, Content, CosignLayer, SimpleSigning, image_statement};

/// Signs an image: a bundle that refers to it, as cosign 3 does, or with --old a layer under its tag, as cosign 2 does.
#[derive(Parser)]
struct Call {
    #[command(flatten)]
    signing: SigningArgs,
    /// Write cosign's older layout, with --key alone.
    #[arg(long, requires = "key")]
    old: bool,
    #[command(flatten)]
    image: ImageArgs,
}

fn main() -> ExitCode {
    match run(&Call::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => lotse_examples::fail("sign_image", &lotse_examples::chain(&*error), 2),
    }
}

fn run(call: &Call) -> Result<(), Box<dyn std::error::Error>> {
    let image = call.image.open()?;
    if let Some(key) = call.signing.key()?.filter(|_| call.old) {
        let payload = SimpleSigning::new(image.digest().clone(), image.name());
        image.append(&Attachments::signature_tag(image.digest()), &CosignLayer::sign(&payload, &key)?)?;
    } else {
        let bundle = call.signing.sign(Content::Statement(image_statement(image.digest())))?;
        image.attach(BUNDLE_MEDIA_TYPE, &bundle.to_json()?, bundle.referrer_annotations())?;
    }
    println!("signed {}", image.name());
    Ok(())
}
