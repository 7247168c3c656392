//! The chain from a commit to a running container, walked from any end, link by link.

mod archive;
mod attested;
mod documents;
mod evidence;
mod links;
mod logged;
mod places;
mod provenance;

use std::fmt;

use lotse_digest::Digest;
use serde::{Deserialize, Serialize};

pub use self::attested::{Attested, AttestedBy, BundleVerifier, KeyVerifier, SigstoreVerifier};
pub use self::evidence::{
    CommitEvidence, ContainerEvidence, Evidence, LogEvidence, LoggedEntry, ManifestEvidence, PodEvidence,
    ReleaseEvidence,
};

use self::links::Walk;
use crate::{Expected, RepositoryIdentity, ResourceDescriptor, Vsa, VsaResult};

/// Where the walk begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Start {
    /// An image or index by digest.
    Image(Digest),
    /// A container's `imageID`, as the cluster reports it.
    ImageId(String),
    /// A reference in a registry. A tag is looked up in the evidence.
    Reference(String),
    /// A commit.
    Commit(String),
    /// A manifest in Git, by its path in the evidence.
    Manifest(String),
}

/// What the chain is held against. Which signatures are believed is a decision, so nothing here has a default but
/// [`new`](Self::new), which is strict.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct ChainRules<'a> {
    /// Who verifies bundles, and decides by that which signers are believed.
    pub bundles: &'a dyn BundleVerifier,
    /// The repository that must have been built.
    pub repository: Option<&'a RepositoryIdentity>,
    /// The ref it must have been built from.
    pub reference: Option<&'a Expected>,
    /// The image's repository, without tag and digest, as manifests and pods must spell it.
    pub image_repository: Option<&'a str>,
    /// The namespace of the pods.
    pub namespace: Option<&'a str>,
    /// The platform of the nodes, `linux/amd64`; other children of an index do not fit.
    pub platform: Option<&'a str>,
    /// Definitions of other repositories that may sign, exactly, or with a final `@` whatever version stands behind.
    pub reusable_workflows: &'a [&'a str],
    /// Whether runners of one's own are accepted.
    pub allow_self_hosted: bool,
    /// Whether a signature without provenance is accepted: it says which run signed, not which run built.
    pub accept_signature_without_provenance: bool,
    /// The log's name and key.
    pub log: Option<(&'a str, &'a lotse_sign::VerifyingKey)>,
    /// Checkpoints of the log that were seen elsewhere.
    pub seen: &'a [lotse_sign::Checkpoint],
}

impl<'a> ChainRules<'a> {
    /// Strict rules: provenance is required, self-hosted runners and foreign definitions are refused.
    #[must_use]
    pub const fn new(bundles: &'a dyn BundleVerifier) -> Self {
        Self {
            bundles,
            repository: None,
            reference: None,
            image_repository: None,
            namespace: None,
            platform: None,
            reusable_workflows: &[],
            allow_self_hosted: false,
            accept_signature_without_provenance: false,
            log: None,
            seen: &[],
        }
    }
}

/// The way between a commit and what runs, link by link.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chain {
    /// The links in the order in which they were walked. Behind a broken one, all are [`LinkState::NotReached`].
    pub links: Vec<Link>,
    /// The image, once it is known.
    pub image: Option<Digest>,
    /// The commit, once a link that holds leads there.
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
    /// 1: from a commit to the tag of its release and the branch it was merged into.
    Commit,
    /// 2: from the commit to the CI run that built it.
    Run,
    /// 3: from the run to the image, by a signed statement.
    Provenance,
    /// 4: from an index to its platform manifests.
    Index,
    /// 5: from the image to the manifests in Git that pin it.
    Manifest,
    /// 6: from those manifests to the pods' specifications.
    Pod,
    /// 7: from a pod's specification to the container that runs.
    Container,
    /// 8: from the release to its entry in the audit log.
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
    /// Nothing was given by which it could be judged; this would be needed.
    Missing(String),
    /// A link before it is broken.
    NotReached,
}

impl LinkKind {
    /// From a commit on. What is signed comes before the run's own record, which is held against it.
    const FORWARD: [Self; 8] = [
        Self::Commit,
        Self::Provenance,
        Self::Run,
        Self::Index,
        Self::Manifest,
        Self::Pod,
        Self::Container,
        Self::Log,
    ];
    /// From what runs back. Which digests belong together is known from bytes alone and comes first.
    const BACKWARD: [Self; 8] = [
        Self::Index,
        Self::Container,
        Self::Pod,
        Self::Manifest,
        Self::Provenance,
        Self::Run,
        Self::Commit,
        Self::Log,
    ];

    /// Its number, 1 to 8.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Commit => 1,
            Self::Run => 2,
            Self::Provenance => 3,
            Self::Index => 4,
            Self::Manifest => 5,
            Self::Pod => 6,
            Self::Container => 7,
            Self::Log => 8,
        }
    }
}

impl fmt::Display for LinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Commit => "commit to tag and branch",
            Self::Run => "commit to run",
            Self::Provenance => "run to image",
            Self::Index => "index to manifest",
            Self::Manifest => "image to Git manifest",
            Self::Pod => "Git manifest to pod",
            Self::Container => "pod to container",
            Self::Log => "release to log",
        })
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, text) = match &self.state {
            LinkState::Holds(text) => ("holds", text.as_str()),
            LinkState::Broken(text) => ("BROKEN", text.as_str()),
            LinkState::Missing(text) => ("missing", text.as_str()),
            LinkState::NotReached => ("not reached", ""),
        };
        write!(f, "{} {:<24} {word:<11} {text}", self.kind.number(), self.kind.to_string())
    }
}

impl Chain {
    /// Walks the chain from one end over all the evidence.
    #[must_use]
    pub fn walk(start: &Start, evidence: &Evidence, rules: &ChainRules<'_>) -> Self {
        let order = if matches!(start, Start::Commit(_)) { LinkKind::FORWARD } else { LinkKind::BACKWARD };
        let mut walk = Walk::new(start, evidence, rules);
        let mut links = Vec::new();
        let mut broken = false;
        for kind in order {
            let state = if broken { LinkState::NotReached } else { walk.link(kind) };
            broken |= matches!(state, LinkState::Broken(_));
            links.push(Link { kind, state });
        }
        Self { links, image: walk.image().cloned(), commit: walk.commit().map(str::to_owned) }
    }

    /// The first link that is broken.
    #[must_use]
    pub fn broken(&self) -> Option<&Link> {
        self.links.iter().find(|link| matches!(link.state, LinkState::Broken(_)))
    }

    /// The links for which there was no evidence.
    pub fn missing(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(|link| matches!(link.state, LinkState::Missing(_)))
    }

    /// Whether every link holds: none is broken and none is missing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.links.iter().all(|link| matches!(link.state, LinkState::Holds(_)))
    }

    /// The result as a verification summary about the image, for others to rely on once it is signed. It passed only if the chain is
    /// whole; the links that hold are its levels.
    #[must_use]
    pub fn summary(&self, verifier: &str, resource_uri: &str, policy: ResourceDescriptor) -> Vsa {
        let holds = self.links.iter().filter(|link| matches!(link.state, LinkState::Holds(_)));
        let mut levels: Vec<String> =
            holds.map(|link| format!("LOTSE_CHAIN_LINK_{}", link.kind.number())).collect();
        levels.sort();
        let result = if self.is_whole() { VsaResult::Passed } else { VsaResult::Failed };
        Vsa::new(verifier, resource_uri, policy, result, levels)
    }
}
