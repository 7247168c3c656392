//! What is said of the images, and signed: provenance and SBOMs, attached to the image in the layout.

use std::collections::BTreeMap;

use lotse_digest::Digest;
use lotse_oci::Layout;
use lotse_provenance::{CiFacts, GitFacts, Provenance, ResourceDescriptor, Statement, Subject, Timestamp};
use lotse_sign::{BUNDLE_MEDIA_TYPE, Bundle, SigningKey};

use crate::check::{Check, Outcome, Witness};
use crate::images::ReleaseImage;
use crate::packages::Packages;
use crate::source::Source;
use crate::{Error, Spec};

/// What our provenance calls the way an image is built.
pub(crate) const BUILD_TYPE: &str = "https://lotse.dev/build/release/v1";
/// The builder where no CI system names itself.
const LOCAL_BUILDER: &str = "https://lotse.dev/builder/local";
/// Predicate types, with the short names of the files.
pub(crate) const SPDX: &str = "https://spdx.dev/Document";
pub(crate) const CYCLONEDX: &str = "https://cyclonedx.org/bom";

/// The signed bundles of a release, by component and kind.
pub(crate) type Bundles = BTreeMap<(String, &'static str), Vec<u8>>;

pub(crate) struct Facts<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) git: &'a GitFacts,
    pub(crate) ci: Option<&'a CiFacts>,
    pub(crate) time: Timestamp,
    pub(crate) spec_digest: &'a Digest,
}

/// Signs provenance and both SBOMs of every image that was built, and attaches the bundles to it.
pub(crate) fn attest(
    facts: &Facts<'_>,
    images: &BTreeMap<String, ReleaseImage>,
    sources: &BTreeMap<String, Source>,
    packages: &BTreeMap<String, Packages>,
    layout: &Layout,
    key: &SigningKey,
) -> Result<Bundles, Error> {
    let mut bundles = Bundles::new();
    for (component, image) in images.iter().filter(|(_, image)| image.built) {
        let Some(built) = &image.image else { continue };
        let subject = vec![Subject::new(image.reference.repository(), &built.descriptor.digest)];
        let provenance = provenance(facts, component, image, sources.get(component))?;
        let mut statements = vec![("provenance", provenance.statement(subject.clone())?)];
        if let Some(packages) = packages.get(component) {
            statements.push((
                "cyclonedx",
                Statement::new(subject.clone(), CYCLONEDX, packages.cyclonedx.as_bytes())?,
            ));
            statements.push(("spdx", Statement::new(subject, SPDX, packages.spdx.as_bytes())?));
        }
        for (kind, statement) in statements {
            let bundle = Bundle::sign_statement(statement.to_json()?, key)?.to_json()?;
            let annotations = BTreeMap::from([
                ("dev.sigstore.bundle.content".to_owned(), "dsse-envelope".to_owned()),
                ("dev.sigstore.bundle.predicateType".to_owned(), statement.predicate_type().to_owned()),
            ]);
            layout.attach(&built.descriptor, BUNDLE_MEDIA_TYPE, &bundle, annotations)?;
            bundles.insert((component.clone(), kind), bundle);
        }
    }
    Ok(bundles)
}

fn provenance(
    facts: &Facts<'_>,
    component: &str,
    image: &ReleaseImage,
    source: Option<&Source>,
) -> Result<Provenance, Error> {
    let ci = facts.ci;
    let repository = ci.and_then(|ci| ci.repository.as_deref()).or(facts.spec.source.as_deref());
    let builder = ci.and_then(|ci| ci.builder.as_deref()).unwrap_or(LOCAL_BUILDER);
    let mut provenance =
        Provenance::new(BUILD_TYPE, builder, ResourceDescriptor::git(repository, &facts.git.commit));
    let parameters = &mut provenance.definition.external_parameters;
    parameters.insert("application", facts.spec.name.as_str());
    parameters.insert("component", component);
    let dependencies = &mut provenance.definition.resolved_dependencies;
    dependencies.push(ResourceDescriptor::new("lotse.yaml", facts.spec_digest));
    if let Some(base) = &image.base
        && let Some(digest) = base.digest()
    {
        dependencies.push(ResourceDescriptor::new(format!("oci://{}", base.repository()), digest));
    }
    if let Some((digest, count)) = source.map(Source::outside_commit).transpose()?.flatten() {
        let name = format!("{count} files from outside the commit");
        dependencies.push(ResourceDescriptor::named(name, &digest));
    }
    let version = &mut provenance.run.builder.version;
    version.insert("lotse".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    let provenance = provenance.started(facts.time);
    Ok(match ci {
        Some(ci) => provenance.with_ci(ci)?,
        None => provenance,
    })
}

/// That what was signed verifies with the public key, read back from the layout.
pub(crate) fn check(
    images: &BTreeMap<String, ReleaseImage>,
    layout: &Layout,
    key: &SigningKey,
    fresh_key: bool,
) -> Result<Check, Error> {
    let mut findings = Vec::new();
    let mut count = 0;
    for (component, image) in images.iter().filter(|(_, image)| image.built) {
        let Some(built) = &image.image else { continue };
        for referrer in layout.referrers(&built.descriptor.digest)? {
            for layer in &referrer.manifest.layers {
                let bundle = Bundle::parse(&layout.read_blob(layer)?)?;
                let payload = bundle.verify_statement(&key.verifying_key());
                let about = match payload {
                    Ok(payload) => Statement::parse(payload)?.is_about(&built.descriptor.digest),
                    Err(_) => false,
                };
                count += 1;
                if !about {
                    findings.push(Witness::against(component.clone(), "an attached bundle does not verify"));
                }
            }
        }
    }
    if fresh_key {
        let text = "the key was made for this run: the signatures prove integrity, not origin";
        findings.push(Witness::note("key.pub.pem", text));
    }
    Ok(Check {
        id: "signatures",
        title: "Are provenance and SBOM of every built image signed and attached?",
        requirements: &["R2", "R3"],
        gate: true,
        outcome: Outcome::NotRun,
        summary: format!("{count} bundles read back from the layout and verified with the public key"),
        findings: Vec::new(),
        evidence: vec!["attestations".to_owned(), "key.pub.pem".to_owned()],
        limits: "A signature says which key, not who holds it; there is no transparency log and no trusted time.",
    }
    .judged(findings))
}
