use std::collections::BTreeMap;

use lotse_digest::Digest;
use serde::{Deserialize, Serialize};

use crate::{CiFacts, Event, Timestamp};

/// Everything that was found about one image, as it was found. Plain data.
///
/// What is signed or hashed is here as bytes: documents prove themselves by their digests, bundles and log entries by their
/// signatures. The rest is the word of whoever gathered it from Git, the registry and the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Evidence {
    /// What Git says of the commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitEvidence>,
    /// What the forge says of the release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseEvidence>,
    /// What the CI system's variables or interface say of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<CiFacts>,
    /// The commit that the job recorded as checked out, where that is known: a run by hand is for one commit and may build another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_out: Option<String>,
    /// Tags in the registry and what they resolved to when somebody looked. They prove nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, Digest>,
    /// Where manifests in Git name the image.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub manifests: Vec<ManifestEvidence>,
    /// The pods that run it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<PodEvidence>,
    /// Image indexes and manifests, byte for byte.
    #[serde(skip)]
    pub documents: Vec<Vec<u8>>,
    /// Bundles attached to the image, as JSON.
    #[serde(skip)]
    pub bundles: Vec<Vec<u8>>,
    /// What the audit log says.
    #[serde(skip)]
    pub log: Option<LogEvidence>,
}

/// What Git says of a commit. Plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommitEvidence {
    /// Its id.
    pub id: String,
    /// The tags that matter, and the commits they lead to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// When the author wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_time: Option<Timestamp>,
    /// Whether the protected branch has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_protected_branch: Option<bool>,
    /// Whether it came there by a merge that somebody else reviewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviewed: Option<bool>,
}

/// What the forge says of a release. Plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReleaseEvidence {
    /// The tag it was made of.
    pub tag: String,
    /// When it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
}

/// Where a manifest in Git names an image. Plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManifestEvidence {
    /// The file.
    pub path: String,
    /// The commit of the GitOps repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The namespace that it deploys to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The image as it is written there.
    pub image: String,
}

/// A pod. Plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodEvidence {
    /// Its name.
    pub name: String,
    /// Its namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its containers of this image, init and ephemeral ones too.
    pub containers: Vec<ContainerEvidence>,
}

/// A container of a pod. Plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContainerEvidence {
    /// Its name.
    pub name: String,
    /// The image in the specification.
    pub image: String,
    /// The `imageID` in the status, if there is one.
    #[serde(default, rename = "imageID", skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
}

/// What the audit log says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogEvidence {
    /// The events of a log that the caller verified as a whole.
    Verified(Vec<Event>),
    /// Entries with proofs, which are verified here.
    Proved(Vec<LoggedEntry>),
}

/// An entry of a log with its proof. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedEntry {
    /// The entry, byte for byte.
    pub entry: Vec<u8>,
    /// The proof (C2SP tlog-proof).
    pub proof: String,
}
