use std::collections::BTreeMap;

use lotse_digest::{Algorithm, Digest};
use lotse_yaml::Value;

use super::document::{Document, Kind};
use super::fields::{member, object, positive};
use super::{Limits, Refusal, Root, Rule};
use crate::{Time, encoding};

/// What one file says of another (specification, 4.4): its version, and perhaps its length and hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MetaFile {
    pub(super) version: u64,
    pub(super) length: Option<u64>,
    hashes: Vec<Digest>,
}

/// A verified timestamp: which snapshot is the latest.
#[derive(Clone, Debug)]
pub(super) struct Timestamp {
    pub(super) version: u64,
    pub(super) expires: Time,
    pub(super) snapshot: MetaFile,
}

/// A verified snapshot: which version of each role's metadata belongs to it.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) version: u64,
    pub(super) expires: Time,
    meta: BTreeMap<String, MetaFile>,
}

impl Timestamp {
    pub(super) fn parse(bytes: &[u8], root: &Root, limits: &Limits) -> Result<Self, Refusal> {
        let document = Document::parse("timestamp", Kind::Timestamp, bytes, limits)?;
        document.check_signatures(&root.timestamp)?;
        let read = || -> Result<MetaFile, String> {
            let meta = member(&document.signed, "signed", "meta")?;
            let snapshot = MetaFile::parse(member(meta, "signed.meta", "snapshot.json")?, "signed.meta")?;
            match object(meta, "signed.meta")?.len() {
                1 => Ok(snapshot),
                _ => Err("signed.meta describes more than the snapshot".to_owned()),
            }
        };
        let snapshot = read().map_err(|reason| document.malformed(reason))?;
        Ok(Self { version: document.version, expires: document.expires, snapshot })
    }
}

impl Snapshot {
    pub(super) fn parse(bytes: &[u8], root: &Root, limits: &Limits) -> Result<Self, Refusal> {
        let document = Document::parse("snapshot", Kind::Snapshot, bytes, limits)?;
        document.check_signatures(&root.snapshot)?;
        let read = || -> Result<BTreeMap<String, MetaFile>, String> {
            let meta = object(member(&document.signed, "signed", "meta")?, "signed.meta")?;
            if !meta.contains_key("targets.json") {
                return Err("signed.meta does not list targets.json".to_owned());
            }
            meta.iter()
                .map(|(name, file)| {
                    Ok((name.to_owned(), MetaFile::parse(file, &format!("signed.meta.{name:.128}"))?))
                })
                .collect()
        };
        let meta = read().map_err(|reason| document.malformed(reason))?;
        Ok(Self { version: document.version, expires: document.expires, meta })
    }

    /// What is said of a role's file.
    pub(super) fn file(&self, role: &str) -> Option<&MetaFile> {
        self.meta.get(&format!("{role}.json"))
    }

    /// Refuses a snapshot in which a file is older than in the one trusted before, or is gone.
    pub(super) fn check_rollback(&self, before: &Self) -> Result<(), Refusal> {
        for (name, old) in &before.meta {
            let reason = match self.meta.get(name) {
                Some(new) if new.version >= old.version => continue,
                Some(new) => format!("{name:.128} goes back from version {} to {}", old.version, new.version),
                None => format!("{name:.128} was listed before and is no more"),
            };
            return Err(Refusal::new("snapshot", Some(self.version), Rule::Rollback, reason));
        }
        Ok(())
    }
}

impl MetaFile {
    fn parse(value: &Value, at: &str) -> Result<Self, String> {
        Ok(Self {
            version: positive(value, at, "version")?,
            length: match value.get("length") {
                None => None,
                Some(_) => Some(positive(value, at, "length")?),
            },
            hashes: match value.get("hashes") {
                None => Vec::new(),
                Some(value) => hashes(value, at)?,
            },
        })
    }

    /// Refuses bytes that are not the ones described.
    pub(super) fn check(&self, role: &str, bytes: &[u8]) -> Result<(), Refusal> {
        let found = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if let Some(length) = self.length.filter(|length| *length != found) {
            let reason = format!("it has {found} bytes, not {length}");
            return Err(Refusal::new(role, Some(self.version), Rule::MixAndMatch, reason));
        }
        check_hashes(&self.hashes, bytes)
            .map_err(|reason| Refusal::new(role, Some(self.version), Rule::MixAndMatch, reason))
    }

    /// Refuses a document of another version.
    pub(super) fn check_version(&self, role: &str, version: u64) -> Result<(), Refusal> {
        if version == self.version {
            return Ok(());
        }
        let reason = format!("it should be version {}", self.version);
        Err(Refusal::new(role, Some(version), Rule::MixAndMatch, reason))
    }
}

/// The hashes of a file. Those of functions that are not known here say nothing, but one must be known.
pub(super) fn hashes(value: &Value, at: &str) -> Result<Vec<Digest>, String> {
    let map = object(value, &format!("{at}.hashes"))?;
    let mut known = Vec::new();
    for (name, hash) in map.iter() {
        let Some(algorithm) = Algorithm::from_name(name) else { continue };
        let digest = hash
            .as_str()
            .and_then(encoding::hexadecimal)
            .and_then(|bytes| Digest::from_bytes(algorithm, &bytes).ok());
        known.push(digest.ok_or_else(|| format!("{at}.hashes.{name} is no {name} in hexadecimal"))?);
    }
    if known.is_empty() {
        let names: Vec<String> = map.keys().take(4).map(|name| name.chars().take(32).collect()).collect();
        return Err(format!("{at}.hashes has none of a known function (sha256, sha384, sha512): {names:?}"));
    }
    known.sort_by_key(Digest::algorithm);
    Ok(known)
}

/// Holds if the bytes have all these hashes.
pub(super) fn check_hashes(hashes: &[Digest], bytes: &[u8]) -> Result<(), String> {
    match hashes.iter().find_map(|hash| hash.verify(bytes).err()) {
        None => Ok(()),
        Some(mismatch) => Err(mismatch.to_string()),
    }
}
