use std::collections::{BTreeMap, BTreeSet};

use lotse_digest::Digest;
use serde::Deserialize;

/// Documents, children of one index, and how deep indexes may stand in indexes.
const DOCUMENTS: usize = 256;
const CHILDREN: usize = 1000;
const DEPTH: usize = 4;

/// The image indexes and manifests of a chain, by what their bytes hash to.
#[derive(Debug, Default)]
pub(super) struct Documents {
    found: BTreeMap<Digest, Document>,
}

#[derive(Debug)]
enum Document {
    Index(Vec<Child>),
    Manifest { config: Option<Digest> },
}

#[derive(Clone, Debug)]
struct Child {
    digest: Digest,
    /// `os/architecture[/variant]`.
    platform: Option<String>,
    /// A child that describes another one and runs nowhere.
    attestation: bool,
}

/// How two digests belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Same,
    /// The first is an index that holds the second, or the other way round, or one is the configuration of the other.
    Joined(String),
    /// One of them is a known index, and they do not belong together, or not in this way.
    Wrong(String),
    /// Nothing is known of either.
    Unknown,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default)]
    manifests: Option<Vec<Descriptor>>,
    #[serde(default)]
    config: Option<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: Digest,
    #[serde(default)]
    platform: Option<Platform>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Platform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
}

impl Documents {
    /// Reads them; what is neither an index nor a manifest is refused.
    pub(super) fn parse(documents: &[Vec<u8>]) -> Result<Self, String> {
        if documents.len() > DOCUMENTS {
            return Err(format!("more than {DOCUMENTS} documents are given"));
        }
        let mut found = BTreeMap::new();
        for bytes in documents {
            let digest = Digest::sha256(bytes);
            let wire: Wire = serde_json::from_slice(bytes)
                .map_err(|error| format!("{digest} is neither an index nor a manifest: {error}"))?;
            let document = match (wire.manifests, wire.config) {
                (Some(children), None) if children.len() <= CHILDREN => {
                    Document::Index(children.into_iter().map(child).collect())
                }
                (Some(_), None) => return Err(format!("index {digest} has more than {CHILDREN} children")),
                (None, config) => Document::Manifest { config: config.map(|config| config.digest) },
                // What some read as an index and others as a manifest is two images in one digest.
                (Some(_), Some(_)) => return Err(format!("{digest} is an index and a manifest at once")),
            };
            found.insert(digest, document);
        }
        Ok(Self { found })
    }

    /// What kind of thing a digest names, as far as it is known.
    pub(super) fn kind(&self, digest: &Digest) -> &'static str {
        match self.found.get(digest) {
            Some(Document::Index(_)) => "an index",
            Some(Document::Manifest { .. }) => "a platform manifest",
            None if self.parents(digest).next().is_some() => "a platform manifest",
            None if self.of_config(digest).is_some() => "a configuration",
            None => "an image",
        }
    }

    /// The image, and all indexes that hold it: a signature on an index covers its children, and none the other way round.
    pub(super) fn covering(&self, image: &Digest) -> Vec<Digest> {
        let mut all = vec![image.clone()];
        all.extend(self.of_config(image).cloned());
        let mut at = 0;
        while let Some(digest) = all.get(at).cloned() {
            for parent in self.parents(&digest) {
                if !all.contains(parent) && all.len() <= DOCUMENTS {
                    all.push(parent.clone());
                }
            }
            at += 1;
        }
        all
    }

    /// How two digests belong together, for nodes of this platform.
    pub(super) fn relation(&self, one: &Digest, other: &Digest, platform: Option<&str>) -> Relation {
        if one == other {
            return Relation::Same;
        }
        for (config, image) in [(one, other), (other, one)] {
            if let Some(manifest) = self.of_config(config) {
                return match self.relation(manifest, image, platform) {
                    Relation::Same | Relation::Joined(_) => {
                        Relation::Joined(format!("{config} is the configuration of manifest {manifest}"))
                    }
                    other => other,
                };
            }
        }
        let mut wrong = None;
        for (index, child) in [(one, other), (other, one)] {
            if !matches!(self.found.get(index), Some(Document::Index(_))) {
                continue;
            }
            match self.find(index, child, DEPTH) {
                Some(Err(reason)) => return Relation::Wrong(reason),
                Some(Ok(found)) if found.attestation => {
                    return Relation::Wrong(format!(
                        "{child} is an attestation in index {index}, and no image"
                    ));
                }
                Some(Ok(found)) => {
                    return match (platform, found.platform.as_deref()) {
                        (Some(wanted), Some(has)) if has != wanted => Relation::Wrong(format!(
                            "{child} in index {index} is for {has}, the nodes are {wanted}"
                        )),
                        _ => Relation::Joined(format!("index {index} holds manifest {child}")),
                    };
                }
                None => wrong = Some(Relation::Wrong(format!("index {index} does not hold {child}"))),
            }
        }
        wrong.unwrap_or(Relation::Unknown)
    }

    /// The child of an index, or of one in it. Each index is looked at once.
    fn find(&self, index: &Digest, wanted: &Digest, depth: usize) -> Option<Result<Child, String>> {
        let mut seen = BTreeSet::new();
        let mut level = vec![index];
        for _ in 0..depth {
            let mut below = Vec::new();
            for index in level {
                let Some(Document::Index(children)) = self.found.get(index).filter(|_| seen.insert(index))
                else {
                    continue;
                };
                if let Some(child) = children.iter().find(|child| child.digest == *wanted) {
                    return Some(Ok(child.clone()));
                }
                below.extend(children.iter().map(|child| &child.digest));
            }
            level = below;
        }
        let deeper = level.iter().any(|index| matches!(self.found.get(index), Some(Document::Index(_))));
        deeper.then(|| Err(format!("indexes stand in indexes more than {DEPTH} deep")))
    }

    fn parents<'a>(&'a self, digest: &'a Digest) -> impl Iterator<Item = &'a Digest> {
        self.found.iter().filter_map(move |(index, document)| match document {
            Document::Index(children) => {
                children.iter().any(|child| child.digest == *digest && !child.attestation).then_some(index)
            }
            Document::Manifest { .. } => None,
        })
    }

    /// The manifest whose configuration this is.
    fn of_config(&self, digest: &Digest) -> Option<&Digest> {
        self.found.iter().find_map(|(manifest, document)| match document {
            Document::Manifest { config: Some(config) } if config == digest => Some(manifest),
            _ => None,
        })
    }
}

fn child(descriptor: Descriptor) -> Child {
    let platform = descriptor.platform.map(|platform| {
        let variant = platform.variant.map(|variant| format!("/{variant}")).unwrap_or_default();
        format!("{}/{}{variant}", platform.os, platform.architecture)
    });
    let marked = descriptor
        .annotations
        .get("vnd.docker.reference.type")
        .is_some_and(|kind| kind == "attestation-manifest");
    let attestation = marked || platform.as_deref() == Some("unknown/unknown");
    Child { digest: descriptor.digest, platform, attestation }
}
