//! Our side: what the examples `sign_image`, `attest`, `verify_image` and `verify_bundle` do, by their command lines.

use std::error::Error;
use std::fs;
use std::path::Path;

use clap::Parser;
use lotse_digest::Digest;
use lotse_examples::images::{ImageArgs, Images};
use lotse_examples::signing::SigningArgs;
use lotse_examples::trust::TrustArgs;
use lotse_oci::client::{Client, Options};
use lotse_oci::{Compression, FileTree, ImageBuilder, LayerOptions, Layout, Limits, Platform};
use lotse_provenance::{Statement, Subject};
use lotse_sign::{
    Artifact, Attachments, BUNDLE_MEDIA_TYPE, Content, CosignLayer, SimpleSigning, Wanted,
    cosign_predicate_type, image_statement,
};

use super::judge::Outcome;

/// What cosign asks of a provenance at least; other types take it as well.
pub(crate) const PREDICATE: &[u8] = br#"{"buildDefinition":{"buildType":"https://example.com/build","externalParameters":{}},"runDetails":{"builder":{"id":"https://example.com/builder"}}}"#;

#[derive(Parser)]
struct Signing {
    #[command(flatten)]
    signing: SigningArgs,
}

#[derive(Parser)]
struct Trusting {
    #[command(flatten)]
    trust: TrustArgs,
}

#[derive(Parser)]
struct Opening {
    #[command(flatten)]
    image: ImageArgs,
}

fn read<T: Parser>(line: &str) -> T {
    T::try_parse_from(std::iter::once("ours").chain(line.split_whitespace())).unwrap()
}

fn open(image: &str) -> Images {
    read::<Opening>(image).image.open().unwrap()
}

fn outcome(done: Result<(), Box<dyn Error>>) -> Outcome {
    done.map(|()| String::new()).map_err(|error| lotse_examples::chain(&*error))
}

/// Pushes an image that says its own name, and names it by its digest.
pub(crate) fn image(registry: &str, name: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::create(directory.path(), Limits::default()).unwrap();
    let mut files = FileTree::new();
    let file = directory.path().join("name");
    fs::write(&file, name).unwrap();
    files.add_from_disk(&file, "name", &|_| true).unwrap();
    let layer = layout.write_layer(&files, &LayerOptions::new(Compression::Gzip, 0)).unwrap();
    let builder = ImageBuilder::scratch(&Platform::new("linux", "amd64")).layer(&layer, "copy name");
    let image = builder.write(&layout, "1").unwrap();
    let reference = format!("{registry}/app/{name}:1").parse().unwrap();
    Client::new(Options::default()).unwrap().push(&layout, "1", &reference).unwrap();
    format!("{registry}/app/{name}@{}", image.descriptor.digest)
}

/// `sign_image`
pub(crate) fn sign(image: &str, who: &str) -> Outcome {
    let image = open(image);
    let content = Content::Statement(image_statement(image.digest()));
    outcome((|| attach(&image, &read::<Signing>(who).signing.sign(content)?))())
}

/// `attest`
pub(crate) fn attest(image: &str, kind: &str, who: &str) -> Outcome {
    let image = open(image);
    let content = Content::Statement(statement(image.digest(), kind));
    outcome((|| attach(&image, &read::<Signing>(who).signing.sign(content)?))())
}

fn attach(image: &Images, bundle: &lotse_sign::Bundle) -> Result<(), Box<dyn Error>> {
    image.attach(BUNDLE_MEDIA_TYPE, &bundle.to_json()?, bundle.referrer_annotations())?;
    Ok(())
}

fn statement(artifact: &Digest, kind: &str) -> Vec<u8> {
    let subjects = vec![Subject::new("artifact", artifact)];
    Statement::new(subjects, cosign_predicate_type(kind), PREDICATE).unwrap().to_json().unwrap()
}

/// `sign_image --old`
pub(crate) fn sign_old(image: &str, who: &str) -> Outcome {
    let image = open(image);
    let key = read::<Signing>(who).signing.key().unwrap().unwrap();
    let payload = SimpleSigning::new(image.digest().clone(), image.name());
    let tag = Attachments::signature_tag(image.digest());
    outcome((|| image.append(&tag, &CosignLayer::sign(&payload, &key)?))())
}

/// `attest --old`
pub(crate) fn attest_old(image: &str, kind: &str, who: &str) -> Outcome {
    let image = open(image);
    let key = read::<Signing>(who).signing.key().unwrap().unwrap();
    let tag = Attachments::attestation_tag(image.digest());
    let statement = statement(image.digest(), kind);
    outcome((|| image.append(&tag, &CosignLayer::attest(statement, cosign_predicate_type(kind), &key)?))())
}

/// `migrate_attestations`; what it attaches last stands in a file, too.
pub(crate) fn migrate(image: &str, file: &Path) -> Outcome {
    let image = open(image);
    let attached = Attachments::find(&image, image.digest()).unwrap();
    outcome((|| {
        for bundle in attached.to_migrate() {
            let bundle = bundle?;
            let json = bundle.to_json()?;
            image.attach(bundle.media_type(), &json, bundle.referrer_annotations())?;
            fs::write(file, json)?;
        }
        Ok(())
    })())
}

/// Hangs what hangs on one image on another one, as whoever wants to pass a signature off would.
pub(crate) fn move_over(from: &str, to: &str) {
    let (from, to) = (open(from), open(to));
    let found = Attachments::find(&from, from.digest()).unwrap();
    for bundle in &found.bundles {
        to.attach(BUNDLE_MEDIA_TYPE, &bundle.json, std::collections::BTreeMap::new()).unwrap();
    }
    for layer in &found.signatures {
        to.append(&Attachments::signature_tag(to.digest()), layer).unwrap();
    }
    for layer in &found.attestations {
        to.append(&Attachments::attestation_tag(to.digest()), layer).unwrap();
    }
}

/// `verify_image`, with how many hold and every verdict's steps.
pub(crate) fn verify(image: &str, kind: Option<&str>, whom: &str) -> Outcome {
    let image = open(image);
    let trust = read::<Trusting>(whom).trust.read().unwrap();
    let attachments = Attachments::find(&image, image.digest()).unwrap();
    let wanted = kind.map_or(Wanted::Signature, |kind| Wanted::Attestation(cosign_predicate_type(kind)));
    let found = trust.verifier().verify_image(&attachments, image.digest(), wanted, &trust.context());
    let mut said = format!("{} hold", found.accepted().count());
    for attached in &found.verdicts {
        said += &format!("\n{}\n{}", attached.place, attached.verdict);
    }
    said += &found.unreadable.join("\n");
    if found.is_accepted() { Ok(said) } else { Err(said) }
}

/// `verify_bundle sign-bundle`
pub(crate) fn sign_blob(file: &Path, bundle: &Path, who: &str) -> Outcome {
    let bytes = fs::read(file).unwrap();
    outcome((|| {
        let signed = read::<Signing>(who).signing.sign(Content::Artifact(&bytes))?;
        Ok(fs::write(bundle, signed.to_json()?)?)
    })())
}

/// `verify_bundle verify-bundle`
pub(crate) fn verify_blob(file: &Path, bundle: &Path, whom: &str) -> Outcome {
    let trust = read::<Trusting>(whom).trust.read().unwrap();
    let (bytes, bundle) = (fs::read(file).unwrap(), fs::read(bundle).unwrap());
    let judged = trust.verifier().verify_json(&bundle, &Artifact::Bytes(&bytes), &trust.context());
    match judged {
        Ok(verdict) if verdict.is_accepted() => Ok(verdict.to_string()),
        Ok(verdict) => Err(verdict.to_string()),
        Err(error) => Err(lotse_examples::chain(&error)),
    }
}
