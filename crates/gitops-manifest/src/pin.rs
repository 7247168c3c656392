use lotse_digest::Reference;
use lotse_yaml::{Dialect, Limits, Stream, set_scalar};

use crate::{Container, Error, Object};

/// An image in a manifest: where it stands and what it says. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagePlace {
    /// The document, 0 for the first.
    pub document: usize,
    /// The JSON pointer of the scalar.
    pub pointer: String,
    /// The reference as written.
    pub text: String,
}

/// Every container image of the workloads in `source`.
///
/// # Errors
///
/// [`Error::Yaml`] if the source cannot be read; [`Error::Caller`] if a document is no Kubernetes object.
pub fn find_images(source: &[u8]) -> Result<Vec<ImagePlace>, Error> {
    let limits = Limits::manifests();
    let stream = Stream::parse(source, Dialect::Kubectl, &limits)?;
    let mut places = Vec::new();
    for (document, value) in stream.documents().iter().enumerate() {
        let value = value.value()?;
        if value.is_null() {
            continue;
        }
        let objects = Object::from_value("", value).map_err(|error| Error::Caller {
            what: format!("document {}: {error}", document + 1),
            advice: "images are looked for in Kubernetes objects",
        })?;
        for object in &objects {
            let Some(template) = object.pod_template() else { continue };
            for container in template.containers() {
                let pointer = format!("{}/image", pointer_of(&container));
                places.push(ImagePlace { document, pointer, text: container.image().to_owned() });
            }
        }
    }
    Ok(places)
}

fn pointer_of(container: &Container<'_>) -> String {
    container.pointer().to_owned()
}

/// Moves every image of `to`'s repository in `source` to `to`, tag and digest together, and changes no byte else.
///
/// Returns the new source and how many places changed.
///
/// # Errors
///
/// [`Error::Unpinned`] if `to` has no digest; those of [`find_images`]; [`Error::Yaml`] where a value cannot be replaced without
/// changing others, such as one behind an alias.
pub fn bump(source: &[u8], to: &Reference) -> Result<(Vec<u8>, usize), Error> {
    if to.digest().is_none() {
        return Err(Error::Unpinned(to.to_string()));
    }
    let mut bytes = source.to_vec();
    let mut changed = 0;
    for place in find_images(source)? {
        let from: Reference =
            place.text.parse().map_err(|source| Error::Reference { text: place.text.clone(), source })?;
        if from.repository() == to.repository() && from != *to {
            let limits = Limits::manifests();
            let edit = set_scalar(
                &bytes,
                Dialect::Kubectl,
                place.document,
                &place.pointer,
                &to.to_string(),
                &limits,
            )?;
            bytes = edit.into_bytes();
            changed += 1;
        }
    }
    Ok((bytes, changed))
}
