use std::collections::BTreeMap;

use lotse_digest::{Algorithm, Digest, Hasher};
use serde::{Deserialize, Serialize};

use crate::{Error, Timestamp};

/// Bytes of an entry: its length is written in 16 bits (C2SP tlog-tiles, log entries).
pub(crate) const ENTRY: usize = 65_535;

/// Something that happened to a release: who, what, when, to which commit and digests (R3). Plain data.
///
/// An event carries digests of documents, not documents, and no personal data: what is in an append-only log cannot be
/// deleted, and people may ask for that (GDPR, article 17). Give people by [`pseudonym`](Actor::pseudonym), keep the salt and the
/// list of names outside the log, and delete those; a user name, an e-mail address or a commit message has no place here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Event {
    /// The version of this format: 1.
    pub version: u32,
    /// When, as [`Timestamp`] prints it.
    pub time: String,
    /// Whose clock that was: `commit`, `ci`, `cluster`, …
    pub time_source: String,
    /// Who did it.
    pub actor: Actor,
    /// Who made a machine do it: the person who armed an automatic merge. It counts as that person's step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub armed_by: Option<Actor>,
    /// What was done: `release`, `deploy`, `merge`, `approve`, `rollback`, …
    pub action: String,
    /// The application.
    pub application: String,
    /// Where, if it concerns one environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The release, by its version or tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The CI run, with its attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Which act this belongs to: what one act did to several objects has several events and one cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// How it ended, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The release or commit of the failed deployment that this one repairs: by a fix, a revert or a roll-back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repairs: Option<String>,
    /// Whether it changed anything outside whoever's terminal; `cd` does not. Nothing said means yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<bool>,
    /// The images, by component.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, Digest>,
    /// The documents that prove it, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: BTreeMap<String, Digest>,
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Outcome {
    /// As it should.
    Succeeded,
    /// Not as it should.
    Failed,
}

/// Who did something. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Actor {
    /// What kind of actor.
    pub kind: ActorKind,
    /// By which name it is known here; a pseudonym for people.
    pub id: String,
    /// Who vouches for the name: an identity provider, a CI system, a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
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

impl Actor {
    /// An actor of a kind.
    #[must_use]
    pub fn new(kind: ActorKind, id: impl Into<String>) -> Self {
        Self { kind, id: id.into(), issuer: None }
    }

    /// A person, by pseudonym.
    #[must_use]
    pub fn human(id: impl Into<String>) -> Self {
        Self::new(ActorKind::Human, id)
    }

    /// An account that acts by itself.
    #[must_use]
    pub fn bot(id: impl Into<String>) -> Self {
        Self::new(ActorKind::Bot, id)
    }

    /// The same actor, and who vouches for its name.
    #[must_use]
    pub fn with_issuer(self, issuer: impl Into<String>) -> Self {
        Self { issuer: Some(issuer.into()), ..self }
    }

    /// A name for a person that tells nobody who it is without the salt: the first 128 bits of a salted SHA-256. Delete the salt,
    /// and the events are anonymous.
    #[must_use]
    pub fn pseudonym(salt: &[u8; 32], name: &str) -> String {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        hasher.update(salt);
        hasher.update(name.as_bytes());
        let hex = hasher.finish().encoded();
        format!("person-{}", hex.get(..32).unwrap_or_default())
    }
}

impl Event {
    /// An event with what every event has.
    #[must_use]
    pub fn new(
        time: Timestamp,
        time_source: impl Into<String>,
        actor: Actor,
        action: impl Into<String>,
        application: impl Into<String>,
    ) -> Self {
        Self {
            version: 1,
            time: time.to_string(),
            time_source: time_source.into(),
            actor,
            armed_by: None,
            action: action.into(),
            application: application.into(),
            environment: None,
            release: None,
            commit: None,
            run: None,
            cause: None,
            outcome: None,
            repairs: None,
            effect: None,
            images: BTreeMap::new(),
            evidence: BTreeMap::new(),
        }
    }

    /// When it happened, by its own word.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for a time that is none, which no event that was read has.
    pub fn timestamp(&self) -> Result<Timestamp, Error> {
        self.time.parse().map_err(|error| Error::malformed("log entry", error))
    }

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
        event.timestamp()?;
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
