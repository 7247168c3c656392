//! The images of a release: built, or found among the base images.

use std::collections::BTreeMap;

use lotse_digest::{Digest, Reference};
use lotse_oci::{Compression, Image, ImageBuilder, LayerOptions, Layout, SizeReport};
use lotse_provenance::{GitFacts, Timestamp};

use crate::check::{Check, Outcome, Witness};
use crate::source::Source;
use crate::{ComponentSpec, Error, ImageSource, Spec, look};

/// An image of a release and what is known of it.
pub(crate) struct ReleaseImage {
    /// What manifests call it.
    pub(crate) reference: Reference,
    /// The image, if it is at hand.
    pub(crate) image: Option<Image>,
    /// Whether it was built here.
    pub(crate) built: bool,
    /// The base it was built on.
    pub(crate) base: Option<Reference>,
    /// User and group it runs as, if it names them by number.
    pub(crate) user: Option<(u32, u32)>,
    /// Whether it or its base says that it is a stand-in.
    pub(crate) stand_in: bool,
    /// Where its bytes are.
    pub(crate) size: Option<SizeReport>,
    /// The files that the next stages look at, by path.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

/// Builds every image that is built and finds every other.
pub(crate) fn images(
    spec: &Spec,
    sources: &BTreeMap<String, Source>,
    bases: Option<&Layout>,
    layout: &Layout,
    git: &GitFacts,
    time: Timestamp,
) -> Result<BTreeMap<String, ReleaseImage>, Error> {
    let tag = spec.version.clone().unwrap_or_else(|| git.commit.chars().take(12).collect());
    let mut images = BTreeMap::new();
    for component in &spec.components {
        let image = match &component.image {
            ImageSource::Existing(reference) => existing(reference, bases)?,
            ImageSource::Build(build) => {
                let source = sources
                    .get(&component.name)
                    .ok_or_else(|| Error::Caller(format!("component {:?} has no source", component.name)))?;
                let base = base(&build.base, bases)?;
                layout.import(base.0, &base.1.descriptor)?;
                let image = build_image(spec, component, source, &base.1, layout, git, time, &tag)?;
                let name = format!("{}/{}-{}:{tag}", spec.registry, spec.name, component.name);
                let reference: Reference =
                    name.parse().map_err(|error| Error::below("image reference", &error))?;
                let mut found = describe(reference.pinned(image.descriptor.digest.clone()), layout, image)?;
                found.built = true;
                found.base = Some(build.base.clone());
                found.stand_in = is_stand_in(&base.1);
                found
            }
            ImageSource::Of(_) => continue,
        };
        images.insert(component.name.clone(), image);
    }
    Ok(images)
}

fn base<'a>(reference: &Reference, bases: Option<&'a Layout>) -> Result<(&'a Layout, Image), Error> {
    let bases = bases.ok_or_else(|| {
        Error::Caller(format!(
            "base image {reference} is needed; give the OCI layout that holds it with --bases"
        ))
    })?;
    let digest = digest(reference)?;
    let descriptor = bases.find(digest)?;
    Ok((bases, Image::load(bases, &descriptor)?))
}

fn existing(reference: &Reference, bases: Option<&Layout>) -> Result<ReleaseImage, Error> {
    let digest = digest(reference)?;
    match bases.map(|bases| (bases, bases.find(digest))) {
        Some((bases, Ok(descriptor))) => {
            let image = Image::load(bases, &descriptor)?;
            describe(reference.clone(), bases, image)
        }
        // Not at hand: whatever looks into it will say that it did not run.
        Some((_, Err(lotse_oci::Error::NotFound { .. }))) | None => Ok(ReleaseImage {
            reference: reference.clone(),
            image: None,
            built: false,
            base: None,
            user: None,
            stand_in: false,
            size: None,
            files: BTreeMap::new(),
        }),
        Some((_, Err(error))) => Err(error.into()),
    }
}

#[expect(clippy::too_many_arguments, reason = "what an image is made of")]
fn build_image(
    spec: &Spec,
    component: &ComponentSpec,
    source: &Source,
    base: &Image,
    layout: &Layout,
    git: &GitFacts,
    time: Timestamp,
    tag: &str,
) -> Result<Image, Error> {
    let layer = layout.write_layer(&source.tree, &LayerOptions::new(Compression::Gzip, 0))?;
    let mut builder = ImageBuilder::from_base(base)
        .layer(&layer, "lotse: files of the application")
        .created(&time.to_string())
        .annotation("org.opencontainers.image.revision", &git.commit)
        .annotation("org.opencontainers.image.version", tag)
        .annotation("org.opencontainers.image.title", &format!("{}-{}", spec.name, component.name))
        .configure(|config| {
            for (_, port) in &component.ports {
                config.config.exposed_ports.insert(format!("{port}/tcp"), lotse_oci::Empty {});
            }
            if let Some((user, group)) = component.user {
                config.config.user = Some(format!("{user}:{group}"));
            }
        });
    if let Some(repository) = &spec.source {
        builder = builder.annotation("org.opencontainers.image.source", repository);
    }
    Ok(builder.write(layout, &format!("{}-{}", spec.name, component.name))?)
}

fn describe(reference: Reference, layout: &Layout, image: Image) -> Result<ReleaseImage, Error> {
    let files = look::package_files(layout, &image)?;
    let user = image.config.config.user.as_deref().and_then(|user| user.split_once(':'));
    let user = user.and_then(|(user, group)| user.parse().ok().zip(group.parse().ok()));
    let size = Some(SizeReport::of(layout, &image)?);
    let stand_in = is_stand_in(&image);
    Ok(ReleaseImage { reference, image: Some(image), built: false, base: None, user, stand_in, size, files })
}

fn is_stand_in(image: &Image) -> bool {
    image.manifest.annotations.get("org.opencontainers.image.title").is_some_and(|title| title == "stand-in")
}

fn digest(reference: &Reference) -> Result<&Digest, Error> {
    reference.digest().ok_or_else(|| Error::Caller(format!("image {reference} is not pinned")))
}

/// That the same bytes come out when the layers are written a second time, and what they are in the thesis' measure.
pub(crate) fn check_reproducible(
    images: &BTreeMap<String, ReleaseImage>,
    sources: &BTreeMap<String, Source>,
    layout: &Layout,
) -> Result<Check, Error> {
    let mut findings = Vec::new();
    for (component, source) in sources {
        let again = layout.write_layer(&source.tree, &LayerOptions::new(Compression::Gzip, 0))?;
        let image = images.get(component).and_then(|image| image.image.as_ref());
        let first = image.and_then(|image| image.manifest.layers.last());
        if first.is_none_or(|first| first.digest != again.descriptor.digest) {
            findings.push(Witness::against(
                component.clone(),
                "the layer differs when it is written a second time",
            ));
        }
        findings.push(Witness::note(
            component.clone(),
            format!("content hash of its files {}", source.content_hash()?),
        ));
    }
    Ok(Check {
        id: "reproducible",
        title: "Does the same commit give the same image?",
        requirements: &["R1"],
        gate: true,
        outcome: Outcome::NotRun,
        summary: format!("{} layers written twice and compared", sources.len()),
        findings: Vec::new(),
        evidence: vec!["images/index.json".to_owned()],
        limits: "It was built twice on one machine; another machine's digest shows more.",
    }
    .judged(findings))
}

/// How large the images are (R11).
pub(crate) fn check_size(images: &BTreeMap<String, ReleaseImage>) -> Check {
    let mut findings = Vec::new();
    for (component, image) in images {
        if let Some(size) = &image.size {
            let text = format!(
                "{} bytes transferred, {} bytes visible, {} hidden by later layers",
                size.compressed(),
                size.visible(),
                size.hidden
            );
            findings.push(Witness::note(component.clone(), text));
        }
        if image.stand_in {
            findings.push(Witness::note(
                component.clone(),
                "stands on a stand-in for a base image, which holds no programs",
            ));
        }
    }
    Check {
        id: "size",
        title: "How large are the images, and where are the bytes?",
        requirements: &["R11"],
        gate: false,
        outcome: Outcome::NeedsReview,
        summary: format!(
            "{} images measured; without an earlier image there is nothing to compare with",
            images.len()
        ),
        findings,
        evidence: vec!["evidence.html".to_owned()],
        limits: "A small image is not a safe one; it only holds less that can be attacked.",
    }
}
