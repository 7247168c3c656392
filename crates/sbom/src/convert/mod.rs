//! Conversions to and from the types of other crates, through the documents both sides write. Every leaf of a
//! document must survive; what does not is named in the error.

#[cfg(feature = "cyclonedx-bom")]
mod cyclonedx_bom;
#[cfg(feature = "spdx-rs")]
mod spdx_rs;

#[cfg(feature = "cyclonedx-bom")]
pub use self::cyclonedx_bom::{from_cyclonedx_bom, to_cyclonedx_bom};
#[cfg(feature = "spdx-rs")]
pub use self::spdx_rs::{from_spdx_rs, to_spdx_rs};

use crate::error::Error;
use crate::inventory::{
    Checksum, Component, Distro, Inventory, Kind, NotRead, Origin, Problem, Scope, SourcePackage,
};
use crate::json::{Document, Node, Value};
use crate::licence::Licence;
use crate::purl::Purl;
use std::collections::{BTreeMap, BTreeSet};

/// Why a value has no counterpart on the other side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The other side cannot hold these values: each as `pointer = value`, list positions left out.
    #[error("the other side cannot hold {} values: {}", .0.len(), .0.iter().take(10).cloned().collect::<Vec<_>>().join("; "))]
    CannotHold(Vec<String>),
    /// The other side refuses the document as a whole.
    #[error("the other side refuses the document: {0}")]
    Refused(String),
    /// What the other side wrote is no document that this crate reads.
    #[error("the document of the other side is not understood")]
    NotUnderstood(#[source] Error),
}

/// Every leaf of `before` must be in `after`, as often.
fn nothing_lost(before: &str, after: &str) -> Result<(), ConvertError> {
    let mut kept = leaves(after)?;
    let mut lost = Vec::new();
    for (leaf, count) in leaves(before)? {
        let held = kept.remove(&leaf).unwrap_or(0);
        if held < count {
            lost.push(format!("{} = {}", leaf.0, leaf.1));
        }
    }
    if lost.is_empty() { Ok(()) } else { Err(ConvertError::CannotHold(lost)) }
}

fn leaves(text: &str) -> Result<BTreeMap<(String, String), usize>, ConvertError> {
    let document = Document::parse("document", text.as_bytes()).map_err(ConvertError::NotUnderstood)?;
    let mut out = BTreeMap::new();
    collect(&document.root, "", &mut out);
    Ok(out)
}

fn collect(node: &Node, pointer: &str, out: &mut BTreeMap<(String, String), usize>) {
    let leaf = match &node.value {
        Value::Object(members) => {
            members.iter().for_each(|(key, member)| collect(member, &format!("{pointer}/{key}"), out));
            return;
        }
        Value::Array(items) => {
            items.iter().for_each(|item| collect(item, pointer, out));
            return;
        }
        // Absent, null and an empty list say the same in both formats.
        Value::Null => return,
        Value::Bool(value) => value.to_string(),
        Value::Number(text) => text.clone(),
        Value::String(text) => text.clone(),
    };
    let count = out.entry((pointer.to_owned(), leaf)).or_insert(0);
    *count += 1;
}

/// What both formats say of a component, before it becomes one.
#[derive(Default)]
struct Read {
    id: Option<String>,
    kind: Option<Kind>,
    name: String,
    version: Option<String>,
    purl: Option<Purl>,
    licences: Vec<Licence>,
    checksums: BTreeSet<Checksum>,
    project: bool,
    scope: Option<Scope>,
    properties: Vec<(String, String)>,
}

impl Read {
    fn finish(self) -> Result<Component, ConvertError> {
        let lost = |what: String| ConvertError::CannotHold(vec![what]);
        let kind = match (self.kind, self.purl.as_ref().map(Purl::kind)) {
            (Some(kind), _) => kind,
            (None, Some("npm")) => Kind::Npm,
            (None, Some("composer")) => Kind::Composer,
            (None, Some("cargo")) => Kind::Cargo,
            (None, Some("apk")) => Kind::Apk,
            (None, Some("deb")) => Kind::Deb,
            (None, other) => return Err(lost(format!("component {:?} of type {other:?}", self.name))),
        };
        let plain =
            format!("{}:{}@{}", kind.as_str(), self.name, self.version.as_deref().unwrap_or_default());
        let id = self.id.unwrap_or_else(|| self.purl.as_ref().map_or(plain, ToString::to_string));
        let own =
            || SourcePackage { name: self.name.clone(), version: self.version.clone().unwrap_or_default() };
        let mut component = Component {
            id,
            kind,
            source: matches!(kind, Kind::Apk | Kind::Deb).then(own),
            name: self.name,
            version: self.version,
            purl: self.purl,
            licences: self.licences,
            checksums: self.checksums,
            locations: BTreeSet::new(),
            origin: Origin::Registry,
            scope: self.scope.unwrap_or(Scope::Required),
            project: self.project,
            unresolved: BTreeSet::new(),
        };
        for (name, value) in self.properties {
            match name.as_str() {
                "lotse:location" => {
                    component.locations.insert(value);
                }
                "lotse:unresolved-dependency" => {
                    component.unresolved.insert(value);
                }
                "lotse:source-package" => {
                    let (name, version) = value.rsplit_once('@').unwrap_or((&value, ""));
                    component.source =
                        Some(SourcePackage { name: name.to_owned(), version: version.to_owned() });
                }
                "lotse:origin" if value == "local" => component.origin = Origin::Local,
                "lotse:origin" => {
                    let vcs = component.purl.as_ref().is_some_and(|p| p.qualifier("vcs_url").is_some());
                    component.origin = if vcs { Origin::Vcs(value) } else { Origin::Url(value) };
                }
                _ => return Err(lost(format!("property {name:?} of {:?}", component.name))),
            }
        }
        Ok(component)
    }
}

/// Components, edges and the words about gaps, put together.
fn inventory(components: Vec<Component>, edges: Vec<(String, String)>, gaps: &[String]) -> Inventory {
    let mut components = components;
    components.sort_by(|a, b| a.id.cmp(&b.id));
    let mut dependencies: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, to) in edges {
        dependencies.entry(from).or_default().insert(to);
    }
    let os = components.iter().find(|c| c.kind == Kind::OperatingSystem);
    let distro = os.map(|c| Distro {
        id: c.name.clone(),
        version_id: c.version.clone(),
        pretty_name: None,
        location: c.locations.first().cloned().unwrap_or_default(),
    });
    let (mut not_read, mut problems) = (Vec::new(), Vec::new());
    for gap in gaps {
        if let Some((path, reason)) = gap.split_once(": not read: ") {
            not_read.push(NotRead { path: path.to_owned(), reason: reason.to_owned().into() });
        } else {
            let (place, reason) = gap.split_once(": ").unwrap_or(("", gap));
            let (path, line) = place.rsplit_once(':').unwrap_or((place, "0"));
            problems.push(Problem {
                path: path.to_owned(),
                line: line.parse().unwrap_or(0),
                reason: reason.to_owned(),
            });
        }
    }
    Inventory { components, dependencies, distro, not_read, problems }
}
