//! Documents: what both formats need to be told, and the identity derived from content.

mod cyclonedx;
mod out;
mod plain;
mod spdx;

use crate::inventory::{Component, Inventory, Origin};
use crate::purl::Purl;
use crate::time::Timestamp;
use lotse_digest::Digest;
use std::collections::BTreeMap;

pub use cyclonedx::cyclonedx;
#[cfg(feature = "cyclonedx-bom")]
pub(crate) use cyclonedx::cyclonedx_1_5;
pub use plain::inventory_json;
#[cfg(feature = "spdx-rs")]
pub(crate) use spdx::SUBJECT as SPDX_SUBJECT;
pub use spdx::spdx;

/// What a document is about and who says so. There is no default: a time of now or a random number would make two
/// documents of the same content differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentInfo {
    /// The thing that was catalogued.
    pub subject: Subject,
    /// When the content was looked at, as the caller decides it (a commit's time serves well).
    pub created: Timestamp,
    /// The organisation that answers for the document.
    pub author: String,
}

/// The thing a document describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its name, e.g. the image's repository.
    pub name: String,
    /// Its version, if it has one.
    pub version: Option<String>,
    /// The digest of the image, if it is one.
    pub digest: Option<Digest>,
    /// Its package URL, if it has one.
    pub purl: Option<Purl>,
}

/// This crate's name in the documents it writes.
const TOOL: &str = "lotse-sbom";
const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The graph both writers draw: the subject first, then every component, each with what it depends on.
struct Graph<'a> {
    /// Component ids the subject stands on.
    roots: Vec<&'a str>,
    edges: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Graph<'a> {
    fn of(inventory: &'a Inventory) -> Self {
        let edges =
            inventory.components().iter().map(|c| (c.id.as_str(), inventory.dependencies(&c.id).collect()));
        Self { roots: inventory.roots(), edges: edges.collect() }
    }
}

/// A name-based identifier (RFC 9562, version 8): the first 128 bits of the SHA-256 of the document without it.
fn uuid(content: &str) -> String {
    let digest = Digest::sha256(content.as_bytes());
    let mut bytes = [0_u8; 16];
    for (slot, byte) in bytes.iter_mut().zip(digest.as_bytes()) {
        *slot = *byte;
    }
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = *version & 0x0f | 0x80;
    *variant = *variant & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// Things neither format has a member for, as name and value.
fn properties(component: &Component) -> Vec<(&'static str, String)> {
    let mut out: Vec<(&'static str, String)> = Vec::new();
    out.extend(component.locations.iter().map(|location| ("lotse:location", location.clone())));
    if let Some(source) = &component.source
        && (source.name != component.name || Some(&source.version) != component.version.as_ref())
    {
        out.push(("lotse:source-package", format!("{}@{}", source.name, source.version)));
    }
    match &component.origin {
        Origin::Registry => {}
        Origin::Local => out.push(("lotse:origin", "local".to_owned())),
        Origin::Vcs(url) | Origin::Url(url) => out.push(("lotse:origin", url.clone())),
    }
    out.extend(component.unresolved.iter().map(|name| ("lotse:unresolved-dependency", name.clone())));
    out
}

/// What keeps the inventory from being complete, in words.
fn gaps(inventory: &Inventory) -> Vec<String> {
    let files = inventory.not_read().iter().map(|n| format!("{}: not read: {}", n.path, n.reason));
    let records = inventory.problems().iter().map(|p| format!("{}:{}: {}", p.path, p.line, p.reason));
    files.chain(records).collect()
}
