use lotse_yaml::{Value, parse_json};

use super::canonical::canonical;
use super::fields::{array, date, member, positive, text};
use super::key::RoleKeys;
use super::{Limits, Refusal, Rule};
use crate::{Time, encoding};

/// What kind of metadata a file must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Root,
    Timestamp,
    Snapshot,
    Targets,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Timestamp => "timestamp",
            Self::Snapshot => "snapshot",
            Self::Targets => "targets",
        }
    }
}

/// A signed document (specification, 4.2.1), read and not yet verified.
#[derive(Debug)]
pub(super) struct Document {
    role: String,
    pub(super) version: u64,
    pub(super) expires: Time,
    pub(super) signed: Value,
    message: Vec<u8>,
    signatures: Vec<(String, Vec<u8>)>,
}

impl Document {
    /// Reads the metadata of a role.
    pub(super) fn parse(role: &str, kind: Kind, bytes: &[u8], limits: &Limits) -> Result<Self, Refusal> {
        let fault = |reason: String| Refusal::new(role, None, Rule::Form, reason);
        let reading = lotse_yaml::Limits {
            bytes: bytes.len(),
            depth: limits.depth,
            documents: 1,
            nodes: bytes.len(),
            expanded: bytes.len(),
        };
        let value = parse_json(bytes, &reading).map_err(|error| fault(error.to_string()))?;
        Self::read(role, kind, value, limits).map_err(fault)
    }

    fn read(role: &str, kind: Kind, value: Value, limits: &Limits) -> Result<Self, String> {
        let signatures = signatures(member(&value, "the document", "signatures")?, limits)?;
        let Value::Object(mut members) = value else { return Err("the document is no object".to_owned()) };
        let signed = members.remove("signed").ok_or("signed is missing")?;
        let found = text(&signed, "signed", "_type")?;
        if found != kind.name() {
            return Err(format!("signed._type is {found:?}, not {:?}", kind.name()));
        }
        let specification = text(&signed, "signed", "spec_version")?;
        if specification.split('.').next() != Some("1") {
            return Err(format!("signed.spec_version is {specification:?}; version 1 is read"));
        }
        Ok(Self {
            role: role.to_owned(),
            version: positive(&signed, "signed", "version")?,
            expires: date(&signed, "signed", "expires")?,
            message: canonical(&signed)?,
            signed,
            signatures,
        })
    }

    /// Holds if a threshold of the keys has signed.
    pub(super) fn check_signatures(&self, keys: &RoleKeys) -> Result<(), Refusal> {
        keys.check(&self.role, self.version, &self.message, &self.signatures)
    }

    /// A refusal of this document for its form.
    pub(super) fn malformed(&self, reason: String) -> Refusal {
        Refusal::new(&self.role, Some(self.version), Rule::Form, reason)
    }
}

/// The signatures by key id. What is no hexadecimal is a signature that does not hold: signing services leave empty ones
/// where somebody has not signed yet.
fn signatures(value: &Value, limits: &Limits) -> Result<Vec<(String, Vec<u8>)>, String> {
    let items = array(value, "signatures")?;
    if items.len() > limits.entries {
        return Err(format!("there are {} signatures; {} are read", items.len(), limits.entries));
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut found = Vec::with_capacity(items.len());
    for item in items {
        let id = text(item, "signatures[]", "keyid")?;
        if !seen.insert(id) {
            return Err(format!("signatures names the key {id:.16} twice"));
        }
        let signature = encoding::hexadecimal(text(item, "signatures[]", "sig")?).unwrap_or_default();
        found.push((id.to_owned(), signature));
    }
    Ok(found)
}
