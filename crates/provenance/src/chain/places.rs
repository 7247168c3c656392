//! Links 4 to 7: the places that name the image, in Git and in the cluster.

use lotse_digest::{Digest, Reference};

use super::documents::Relation;
use super::evidence::{ContainerEvidence, Evidence, ManifestEvidence};
use super::links::{Fault, Found, Walk, broken, missing};
use super::{LinkKind, Start};

impl Walk<'_> {
    /// 4: the digests that the places name belong together, by the bytes of the indexes.
    pub(super) fn index_link(&mut self) -> Found {
        let documents = self.documents()?;
        let image = match self.image() {
            Some(image) => image,
            None => return missing("an image to begin with"),
        };
        let mut places = Vec::new();
        for manifest in &self.evidence.manifests {
            places.extend(pinned(&manifest.image).map(|digest| (manifest.path.clone(), digest)));
        }
        for pod in &self.evidence.pods {
            for container in &pod.containers {
                let place = format!("container {} of pod {}", container.name, pod.name);
                places.extend(pinned(&container.image).map(|digest| (place.clone(), digest)));
                let running = container.image_id.as_deref().and_then(image_id);
                places.extend(running.map(|digest| (format!("{place}, running"), digest)));
            }
        }
        let mut texts = Vec::new();
        for (place, digest) in &places {
            match documents.relation(image, digest, self.rules.platform) {
                Relation::Same | Relation::Unknown => {}
                Relation::Joined(text) => {
                    texts.push(format!("{place} names {}: {text}", documents.kind(digest)))
                }
                Relation::Wrong(reason) => return broken(format!("{place}: {reason}")),
            }
        }
        // Two places that name different children of one index cannot be told apart by the index alone.
        for (place, digest) in &places {
            for (other, another) in &places {
                let both =
                    [digest, another].map(|digest| documents.relation(image, digest, self.rules.platform));
                if digest != another
                    && both.iter().all(|relation| matches!(relation, Relation::Joined(_)))
                    && !matches!(
                        documents.relation(digest, another, self.rules.platform),
                        Relation::Same | Relation::Joined(_)
                    )
                {
                    return broken(format!(
                        "{place} names {digest} and {other} names {another}: both are of {image}, but not the same"
                    ));
                }
            }
        }
        if texts.is_empty() {
            return Ok(format!(
                "{image} is {}; no place names another digest that an index would explain",
                documents.kind(image)
            ));
        }
        Ok(format!("{image} is {}; {}", documents.kind(image), texts.join("; ")))
    }

    /// That two digests are the same image, or an index says that they belong together.
    fn same(&self, one: &Digest, other: &Digest) -> Result<bool, Fault> {
        let relation = self.documents()?.relation(one, other, self.rules.platform);
        Ok(matches!(relation, Relation::Same | Relation::Joined(_)))
    }

    /// 5: the manifests in Git pin this image by digest, under its own name.
    pub(super) fn manifest_link(&mut self) -> Found {
        let image = self.known_image()?.clone();
        if self.evidence.manifests.is_empty() {
            return missing("the manifests in Git that name the image");
        }
        for manifest in &self.evidence.manifests {
            let (reference, digest) = self.reference(&manifest.image, &manifest.path)?;
            let Some(digest) = digest else {
                return broken(format!("{} pins {:?} by tag, not by digest", manifest.path, manifest.image));
            };
            if !self.same(&image, &digest)? {
                return broken(format!(
                    "{} pins {digest} of {}, not {image}",
                    manifest.path,
                    reference.repository()
                ));
            }
            if let (Some(wanted), Some(namespace)) = (self.rules.namespace, &manifest.namespace)
                && wanted != namespace
            {
                return broken(format!("{} deploys to namespace {namespace}, not {wanted}", manifest.path));
            }
        }
        let places: Vec<String> = self.evidence.manifests.iter().map(place).collect();
        Ok(format!("pinned by digest in {}", places.join(", ")))
    }

    /// A reference whose repository is spelt as it must be.
    fn reference(&self, text: &str, place: &str) -> Result<(Reference, Option<Digest>), Fault> {
        let reference: Reference = text.parse().map_err(|error| {
            Fault::Broken(format!("{place} names {text:?}, which is no image reference: {error}"))
        })?;
        let named =
            self.evidence.manifests.first().and_then(|manifest| manifest.image.parse::<Reference>().ok());
        let wanted = self.rules.image_repository.map(str::to_owned).or(named.map(|first| first.repository()));
        let spelt = reference.repository();
        if let Some(wanted) = wanted.filter(|wanted| *wanted != spelt) {
            return Err(Fault::Broken(format!("{place} names the repository {spelt}, not {wanted}")));
        }
        let digest = reference.digest().cloned();
        Ok((reference, digest))
    }

    /// 6: the pods' specifications are what the manifests say.
    pub(super) fn pod_link(&mut self) -> Found {
        let image = self.known_image()?.clone();
        if self.evidence.pods.is_empty() {
            return missing("the pods that run the image");
        }
        let mut count = 0;
        for pod in &self.evidence.pods {
            let wanted = self.evidence.manifests.iter().filter_map(|manifest| manifest.namespace.as_deref());
            let wanted = self.rules.namespace.or(wanted.into_iter().next());
            if let (Some(wanted), Some(namespace)) = (wanted, pod.namespace.as_deref())
                && wanted != namespace
            {
                return broken(format!("pod {} is in namespace {namespace}, not {wanted}", pod.name));
            }
            for container in &pod.containers {
                let place = format!("container {} of pod {}", container.name, pod.name);
                let (_, digest) = self.reference(&container.image, &place)?;
                let Some(digest) = digest else {
                    return broken(format!("{place} has {:?}: by tag, not by digest", container.image));
                };
                if !self.same(&image, &digest)? {
                    return broken(format!(
                        "{place} has {digest}, the manifests say {image}: drift, or a pod of another revision"
                    ));
                }
                count += 1;
            }
        }
        if count == 0 {
            missing("the containers of the pods")
        } else {
            Ok(format!("{count} containers are specified as in Git"))
        }
    }

    /// 7: what runs is what the specification says.
    pub(super) fn container_link(&mut self) -> Found {
        let image = self.known_image()?.clone();
        if self.evidence.pods.is_empty() {
            return missing("the status of the pods that run the image");
        }
        let mut count = 0;
        for pod in &self.evidence.pods {
            for ContainerEvidence { name, image: specified, image_id: running } in &pod.containers {
                let place = format!("container {name} of pod {}", pod.name);
                let Some(running) = running else {
                    return broken(format!("{place} has no imageID: it does not run"));
                };
                let Some(digest) = image_id(running) else {
                    return broken(format!("{place} runs {running:?}, which names no digest"));
                };
                let expected = pinned(specified).unwrap_or_else(|| image.clone());
                if !self.same(&expected, &digest)? {
                    return broken(format!("{place} runs {digest}, specified is {expected}"));
                }
                count += 1;
            }
        }
        if count == 0 {
            missing("the status of the containers")
        } else {
            Ok(format!("{count} containers run what is specified"))
        }
    }
}

/// The image to begin with, if the start names one.
pub(super) fn begin(start: &Start, evidence: &Evidence) -> Result<Option<Digest>, (LinkKind, String)> {
    match start {
        Start::Commit(_) => Ok(None),
        Start::Image(digest) => Ok(Some(digest.clone())),
        Start::ImageId(text) => match image_id(text) {
            Some(digest) => Ok(Some(digest)),
            None => Err((LinkKind::Container, format!("imageID {text:?} names no digest"))),
        },
        Start::Reference(text) => match pinned(text).or_else(|| evidence.tags.get(text).cloned()) {
            Some(digest) => Ok(Some(digest)),
            None => Err((LinkKind::Index, format!("{text:?} names no digest, and nobody looked its tag up"))),
        },
        Start::Manifest(path) => match evidence.manifests.iter().find(|manifest| manifest.path == *path) {
            Some(manifest) => match pinned(&manifest.image) {
                Some(digest) => Ok(Some(digest)),
                None => Err((
                    LinkKind::Manifest,
                    format!("{path} pins {:?} by tag, not by digest", manifest.image),
                )),
            },
            None => Err((LinkKind::Manifest, format!("no manifest {path:?} is among the evidence"))),
        },
    }
}

/// The digest of a reference, if it has one.
fn pinned(text: &str) -> Option<Digest> {
    text.parse::<Reference>().ok()?.digest().cloned()
}

/// The digest of an `imageID`: `repository@sha256:…`, `docker-pullable://repository@sha256:…` or the digest alone.
fn image_id(text: &str) -> Option<Digest> {
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    text.rsplit_once('@').map_or(text, |(_, digest)| digest).parse().ok()
}

fn place(manifest: &ManifestEvidence) -> String {
    match &manifest.commit {
        Some(commit) => format!("{} of commit {commit}", manifest.path),
        None => manifest.path.clone(),
    }
}
