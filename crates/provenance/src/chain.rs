use std::fmt;

use lotse_digest::Digest;
use lotse_sign::{Bundle, VerifyingKey};

use crate::{Event, Provenance, SLSA_PROVENANCE, Statement};

/// The evidence for one image, as the caller found it. Plain data.
#[derive(Clone, Copy, Debug)]
pub struct ChainEvidence<'a> {
    /// What runs or is pinned: the digest of an image manifest, or of an index if `index` says what is in it.
    pub image: &'a Digest,
    /// The bytes of the index that `image` is the digest of, and which of its manifests is looked for.
    pub index: Option<(&'a [u8], &'a Digest)>,
    /// The bundles attached to the image, as JSON.
    pub bundles: &'a [Vec<u8>],
    /// The key that must have signed.
    pub key: &'a VerifyingKey,
    /// The events of a log that was verified, and the proof of that in words; `None` if there is no log.
    pub log: Option<&'a [Event]>,
}

/// The way from an image to its commit, link by link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The links in the order in which they were walked. Links behind a broken one were not walked.
    pub links: Vec<Link>,
    /// The commit that the image was built from, once the way leads there.
    pub commit: Option<String>,
}

/// One link of the chain. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Which.
    pub kind: LinkKind,
    /// Whether it holds.
    pub state: LinkState,
}

/// Which two things a link joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LinkKind {
    /// From an index to one of its manifests.
    Index,
    /// From the image's digest to a signed provenance statement about it.
    Provenance,
    /// From the statement to the commit.
    Commit,
    /// From the release to its entry in the log.
    Log,
}

/// Whether a link holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkState {
    /// It holds, by this evidence.
    Holds(String),
    /// It is broken, for this reason.
    Broken(String),
}

impl fmt::Display for LinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Index => "index to manifest",
            Self::Provenance => "image to provenance",
            Self::Commit => "provenance to commit",
            Self::Log => "release to log",
        })
    }
}

impl Chain {
    /// Walks from an image to its commit.
    #[must_use]
    pub fn walk(evidence: &ChainEvidence<'_>) -> Self {
        let mut chain = Self { links: Vec::new(), commit: None };
        let image = match evidence.index {
            None => evidence.image.clone(),
            Some((bytes, manifest)) => {
                if !chain.link(LinkKind::Index, index(bytes, evidence.image, manifest)) {
                    return chain;
                }
                manifest.clone()
            }
        };
        let (state, provenance) = match provenance(evidence, &image) {
            Ok(provenance) => {
                let signer = format!("signed by {:?}", evidence.key);
                (Ok(format!("{signer}, built by {}", provenance.run.builder.id)), Some(provenance))
            }
            Err(reason) => (Err(reason), None),
        };
        let holds = chain.link(LinkKind::Provenance, state);
        let Some(provenance) = provenance.filter(|_| holds) else { return chain };
        let commit = provenance.commit().map(str::to_owned);
        let state = commit.clone().ok_or_else(|| "the provenance names no gitCommit".to_owned());
        if !chain.link(LinkKind::Commit, state.map(|commit| format!("commit {commit}"))) {
            return chain;
        }
        chain.commit = commit;
        let state = logged(evidence, &image, chain.commit.as_deref());
        chain.link(LinkKind::Log, state);
        chain
    }

    /// The first link that is broken, or `None` if the whole chain holds.
    #[must_use]
    pub fn broken(&self) -> Option<&Link> {
        self.links.iter().find(|link| matches!(link.state, LinkState::Broken(_)))
    }

    fn link(&mut self, kind: LinkKind, state: Result<String, String>) -> bool {
        let holds = state.is_ok();
        let state = match state {
            Ok(evidence) => LinkState::Holds(evidence),
            Err(reason) => LinkState::Broken(reason),
        };
        self.links.push(Link { kind, state });
        holds
    }
}

/// That the index hashes to its digest and lists the manifest, by its raw bytes.
fn index(bytes: &[u8], digest: &Digest, manifest: &Digest) -> Result<String, String> {
    #[derive(serde::Deserialize)]
    struct Index {
        manifests: Vec<Descriptor>,
    }
    #[derive(serde::Deserialize)]
    struct Descriptor {
        digest: Digest,
    }
    digest.verify(bytes).map_err(|mismatch| format!("the index is another one: {mismatch}"))?;
    let index: Index =
        serde_json::from_slice(bytes).map_err(|error| format!("the index cannot be read: {error}"))?;
    if index.manifests.iter().any(|descriptor| descriptor.digest == *manifest) {
        Ok(format!("index {digest} lists manifest {manifest}"))
    } else {
        Err(format!("index {digest} does not list manifest {manifest}"))
    }
}

/// The provenance of the image among the bundles. A bundle that cannot be verified breaks the link even if a good one is
/// beside it: somebody put it there, and a reader with other eyes might believe it.
fn provenance(evidence: &ChainEvidence<'_>, image: &Digest) -> Result<Provenance, String> {
    let mut found = None;
    for (number, json) in evidence.bundles.iter().enumerate() {
        let refuse =
            |error: &dyn std::error::Error| format!("attached bundle {}: {}", number + 1, chain_of(error));
        let bundle = Bundle::parse(json).map_err(|error| refuse(&error))?;
        let payload = bundle.verify_statement(evidence.key).map_err(|error| refuse(&error))?;
        let statement = Statement::parse(payload).map_err(|error| refuse(&error))?;
        if !statement.is_about(image) {
            let subjects: Vec<_> = statement.subjects().iter().map(|subject| subject.name.as_str()).collect();
            let subjects = subjects.join(", ");
            return Err(format!(
                "attached bundle {}: its statement is about {subjects}, not about {image}",
                number + 1
            ));
        }
        if statement.predicate_type() == SLSA_PROVENANCE {
            let provenance = Provenance::parse(&statement).map_err(|error| refuse(&error))?;
            if found.as_ref().is_some_and(|other: &Provenance| other.commit() != provenance.commit()) {
                return Err("two provenance statements name different commits".to_owned());
            }
            found = Some(provenance);
        }
    }
    found
        .ok_or_else(|| format!("no signed provenance about {image} among {} bundles", evidence.bundles.len()))
}

fn logged(evidence: &ChainEvidence<'_>, image: &Digest, commit: Option<&str>) -> Result<String, String> {
    let events = evidence.log.ok_or("there is no log")?;
    let about: Vec<_> =
        events.iter().filter(|event| event.images.values().any(|digest| digest == image)).collect();
    if about.is_empty() {
        return Err(format!("none of the log's {} entries names {image}", events.len()));
    }
    match about.iter().find(|event| event.commit.as_deref() == commit) {
        Some(event) => Ok(format!("{} by {} at {}", event.action, event.actor.id, event.time)),
        None => Err(format!("the log's entry for {image} names another commit")),
    }
}

/// An error with its causes, on one line.
fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
