use std::collections::BTreeMap;

use lotse_digest::Digest;
use serde::{Deserialize, Serialize};

use crate::{Error, Timestamp};

/// Bytes of an entry: its length is written in 16 bits (C2SP tlog-tiles, log entries).
pub(crate) const ENTRY: usize = 65_535;

/// Something that happened to a release: who, what, when, to which commit and digests (R3). Plain data.
///
/// An event carries digests of documents, not documents, and no personal data: what is in an append-only log cannot be
/// deleted, so give actors by pseudonym.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The version of this format: 1.
    pub version: u32,
    /// When, as [`Timestamp`] prints it.
    pub time: String,
    /// Whose clock that was: `commit`, `ci`, …
    #[serde(rename = "timeSource")]
    pub time_source: String,
    /// Who did it.
    pub actor: Actor,
    /// What was done: `release`, `deploy`, `approve`, `rollback`, …
    pub action: String,
    /// The application.
    pub application: String,
    /// Where, if it concerns one environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The CI run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The images, by component.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, Digest>,
    /// The documents that prove it, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: BTreeMap<String, Digest>,
}

/// Who did something. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// What kind of actor.
    pub kind: ActorKind,
    /// By which name it is known here; a pseudonym for people.
    pub id: String,
}

/// Whether a person or a machine acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ActorKind {
    /// A person.
    Human,
    /// An account that acts by itself.
    Bot,
    /// A controller in the cluster.
    Controller,
    /// Not known. Counted as a person, never as nothing.
    Unknown,
}

impl Event {
    /// Reads an entry of the log.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if it is none, is of another version or has no valid time.
    pub fn parse(entry: &[u8]) -> Result<Self, Error> {
        let event: Self =
            serde_json::from_slice(entry).map_err(|error| Error::malformed("log entry", error))?;
        if event.version != 1 {
            return Err(Error::malformed(
                "log entry",
                format!("its version is {}, this reads 1", event.version),
            ));
        }
        event.time.parse::<Timestamp>().map_err(|error| Error::malformed("log entry", error))?;
        Ok(event)
    }

    /// The bytes that the log keeps and hashes.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] over 65,535 bytes.
    pub fn to_entry(&self) -> Result<Vec<u8>, Error> {
        let entry = serde_json::to_vec(self).map_err(|error| Error::malformed("log entry", error))?;
        if entry.len() > ENTRY {
            return Err(Error::Limit { what: "bytes of a log entry".to_owned(), limit: ENTRY });
        }
        Ok(entry)
    }
}

/// The steps of a release that a person took (R13): every event whose actor is a person or unknown.
///
/// What is not in the log is not counted, so a count is only as good as the log's sources.
pub fn manual_steps<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<&'a Event> {
    let manual = |event: &&Event| matches!(event.actor.kind, ActorKind::Human | ActorKind::Unknown);
    events.into_iter().filter(manual).collect()
}
