use std::collections::BTreeMap;

use lotse_digest::Digest;
use lotse_yaml::Value;

use super::document::{Document, Kind};
use super::fields::{array, member, object, text, texts};
use super::key::{RoleKeys, keys};
use super::meta::{check_hashes, hashes};
use super::pattern::Paths;
use super::{File, Limits, Refusal, Rule};
use crate::Time;

/// Verified metadata of targets, of the top-level role or a delegated one (specification, 4.5).
#[derive(Clone, Debug)]
pub(super) struct Targets {
    pub(super) version: u64,
    pub(super) expires: Time,
    targets: BTreeMap<String, TargetFile>,
    pub(super) delegations: Vec<Delegation>,
}

/// Another role that may speak for some paths.
#[derive(Clone, Debug)]
pub(super) struct Delegation {
    pub(super) name: String,
    pub(super) keys: RoleKeys,
    pub(super) terminating: bool,
    paths: Paths,
}

/// What signed metadata says of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetFile {
    path: String,
    length: u64,
    hashes: Result<Vec<Digest>, String>,
    custom: Option<Value>,
}

impl Targets {
    pub(super) fn parse(role: &str, bytes: &[u8], keys: &RoleKeys, limits: &Limits) -> Result<Self, Refusal> {
        let document = Document::parse(role, Kind::Targets, bytes, limits)?;
        document.check_signatures(keys)?;
        Self::read(&document, limits).map_err(|reason| document.malformed(reason))
    }

    fn read(document: &Document, limits: &Limits) -> Result<Self, String> {
        let signed = &document.signed;
        let targets = object(member(signed, "signed", "targets")?, "signed.targets")?
            .iter()
            .map(|(path, value)| Ok((path.to_owned(), TargetFile::parse(path, value)?)))
            .collect::<Result<_, String>>()?;
        let delegations = match signed.get("delegations") {
            None => Vec::new(),
            Some(value) => delegations(value, limits)?,
        };
        Ok(Self { version: document.version, expires: document.expires, targets, delegations })
    }

    pub(super) fn target(&self, path: &str) -> Option<&TargetFile> {
        self.targets.get(path)
    }
}

fn delegations(value: &Value, limits: &Limits) -> Result<Vec<Delegation>, String> {
    let at = "signed.delegations";
    if value.get("succinct_roles").is_some() {
        return Err(format!("{at}.succinct_roles (TAP 15) are not read"));
    }
    let keys = keys(member(value, at, "keys")?, &format!("{at}.keys"), limits)?;
    let roles = array(member(value, at, "roles")?, &format!("{at}.roles"))?;
    if roles.len() > limits.entries {
        return Err(format!("{at}.roles has {} entries; {} are read", roles.len(), limits.entries));
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut found = Vec::with_capacity(roles.len());
    for role in roles {
        let name = text(role, &format!("{at}.roles[]"), "name")?;
        let at = format!("{at}.roles[{name:.64}]");
        // Their files would take the place of the top-level ones.
        if name.is_empty() || ["root", "timestamp", "snapshot", "targets"].contains(&name) {
            return Err(format!("{at} has the name of a top-level role"));
        }
        if !File::fits(name) {
            return Err(format!("{at} has too long a name"));
        }
        if !seen.insert(name) {
            return Err(format!("{at} is there twice"));
        }
        let paths = |member: &str| {
            role.get(member).map(|value| texts(value, &format!("{at}.{member}"), limits.entries)).transpose()
        };
        let paths = match (paths("paths")?, paths("path_hash_prefixes")?) {
            (Some(patterns), None) => Paths::Patterns(patterns),
            (None, Some(prefixes)) => Paths::HashPrefixes(prefixes),
            _ => return Err(format!("{at} must have either paths or path_hash_prefixes")),
        };
        let terminating = match role.get("terminating") {
            None => false,
            Some(value) => {
                value.as_bool().ok_or_else(|| format!("{at}.terminating is neither true nor false"))?
            }
        };
        let keys = RoleKeys::parse(role, &at, &keys, limits)?;
        found.push(Delegation { name: name.to_owned(), keys, terminating, paths });
    }
    Ok(found)
}

impl Delegation {
    /// Whether the role may speak for a path.
    pub(super) fn is_for(&self, path: &str) -> bool {
        self.paths.matches(path)
    }
}

impl TargetFile {
    fn parse(path: &str, value: &Value) -> Result<Self, String> {
        let at = format!("signed.targets[{path:.128}]");
        let length = member(value, &at, "length")?.as_u64();
        let custom = value.get("custom");
        if custom.is_some_and(|custom| custom.as_object().is_none()) {
            return Err(format!("{at}.custom is no object"));
        }
        Ok(Self {
            path: path.to_owned(),
            length: length.ok_or_else(|| format!("{at}.length is no integer"))?,
            // One target that cannot be checked does not spoil the others.
            hashes: hashes(member(value, &at, "hashes")?, &at),
            custom: custom.cloned(),
        })
    }

    /// Where it is in the repository, as its metadata names it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Its hashes, of functions that are known here; none if there is no such hash.
    #[must_use]
    pub fn hashes(&self) -> &[Digest] {
        self.hashes.as_deref().unwrap_or_default()
    }

    /// What the repository says of it beyond that, as a JSON object.
    #[must_use]
    pub fn custom(&self) -> Option<String> {
        self.custom.as_ref().map(Value::to_json)
    }

    /// Holds if these are the bytes of the target: its length and all its hashes.
    ///
    /// # Errors
    ///
    /// [`Rule::EndlessData`] for more bytes, [`Rule::MixAndMatch`] for others, [`Rule::Support`] without a known hash.
    pub fn check(&self, bytes: &[u8]) -> Result<(), Refusal> {
        let refuse = |rule, reason: String| Err(Refusal::new(&self.path, None, rule, reason));
        let found = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        match &self.hashes {
            Err(reason) => refuse(Rule::Support, reason.clone()),
            _ if found > self.length => {
                refuse(Rule::EndlessData, format!("it has more than its {} bytes", self.length))
            }
            _ if found < self.length => {
                refuse(Rule::MixAndMatch, format!("it has {found} bytes, not {}", self.length))
            }
            Ok(hashes) => check_hashes(hashes, bytes).or_else(|reason| refuse(Rule::MixAndMatch, reason)),
        }
    }

    /// Its name in a repository: with the hash before the last part of the path where snapshots are consistent.
    pub(super) fn remote(&self, consistent_snapshot: bool) -> Result<String, Refusal> {
        let hashes = self.hashes.as_ref();
        let hashes =
            hashes.map_err(|reason| Refusal::new(&self.path, None, Rule::Support, reason.clone()))?;
        let encoded = super::file::encode_path(&self.path);
        let (Some(hash), true) = (hashes.first(), consistent_snapshot) else { return Ok(encoded) };
        Ok(match encoded.rsplit_once('/') {
            Some((directory, name)) => format!("{directory}/{}.{name}", hash.encoded()),
            None => format!("{}.{encoded}", hash.encoded()),
        })
    }
}
