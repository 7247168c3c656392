use super::document::{Document, Kind};
use super::fields::{member, object};
use super::key::{RoleKeys, keys};
use super::{Limits, Refusal};
use crate::Time;

/// A verified root: whom to believe for each top-level role (specification, 4.3).
#[derive(Clone, Debug)]
pub(super) struct Root {
    pub(super) version: u64,
    pub(super) expires: Time,
    pub(super) consistent_snapshot: bool,
    pub(super) root: RoleKeys,
    pub(super) timestamp: RoleKeys,
    pub(super) snapshot: RoleKeys,
    pub(super) targets: RoleKeys,
}

impl Root {
    /// Reads a root that has signed itself, and that the one before it has signed, if there is one.
    pub(super) fn parse(bytes: &[u8], before: Option<&Self>, limits: &Limits) -> Result<Self, Refusal> {
        let document = Document::parse("root", Kind::Root, bytes, limits)?;
        let root = Self::read(&document, limits).map_err(|reason| document.malformed(reason))?;
        if let Some(before) = before {
            document.check_signatures(&before.root)?;
        }
        document.check_signatures(&root.root)?;
        Ok(root)
    }

    fn read(document: &Document, limits: &Limits) -> Result<Self, String> {
        let signed = &document.signed;
        let keys = keys(member(signed, "signed", "keys")?, "signed.keys", limits)?;
        let roles = member(signed, "signed", "roles")?;
        object(roles, "signed.roles")?;
        let role = |kind: Kind| {
            let name = kind.name();
            let at = format!("signed.roles.{name}");
            RoleKeys::parse(member(roles, "signed.roles", name)?, &at, &keys, limits)
        };
        let consistent_snapshot = match signed.get("consistent_snapshot") {
            None => false,
            Some(value) => value.as_bool().ok_or("signed.consistent_snapshot is neither true nor false")?,
        };
        Ok(Self {
            version: document.version,
            expires: document.expires,
            consistent_snapshot,
            root: role(Kind::Root)?,
            timestamp: role(Kind::Timestamp)?,
            snapshot: role(Kind::Snapshot)?,
            targets: role(Kind::Targets)?,
        })
    }
}
