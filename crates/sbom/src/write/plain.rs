//! Our own plain JSON: everything the inventory knows, for programs that need no SBOM format.

use super::out::Out;
use super::properties;
use crate::inventory::{Component, Inventory};

/// Writes the inventory as plain JSON: `distro`, `components`, `not_read`, `problems`.
#[must_use]
pub fn inventory_json(inventory: &Inventory) -> String {
    let mut out = Vec::new();
    if let Some(distro) = inventory.distro() {
        let version = distro.version_id.as_deref().unwrap_or_default();
        out.push(("distro", Out::Map(vec![("id", Out::text(&distro.id)), ("version", Out::text(version))])));
    }
    let components = inventory.components().iter().map(|c| component(inventory, c));
    out.push(("components", Out::List(components.collect())));
    let not_read = inventory.not_read().iter();
    let not_read = not_read
        .map(|n| Out::Map(vec![("path", Out::text(&n.path)), ("reason", Out::text(n.reason.as_ref()))]));
    out.push(("not_read", Out::List(not_read.collect())));
    let problems = inventory.problems().iter().map(|p| {
        Out::Map(vec![
            ("path", Out::text(&p.path)),
            ("line", Out::Number(u64::from(p.line))),
            ("reason", Out::text(&p.reason)),
        ])
    });
    out.push(("problems", Out::List(problems.collect())));
    Out::Map(out).pretty()
}

fn component(inventory: &Inventory, component: &Component) -> Out {
    let list = |items: Vec<String>| Out::List(items.into_iter().map(Out::Text).collect());
    let mut out = vec![
        ("id", Out::text(&component.id)),
        ("kind", Out::text(component.kind.as_str())),
        ("name", Out::text(&component.name)),
    ];
    out.extend(component.version.as_ref().map(|v| ("version", Out::text(v))));
    out.extend(component.purl.as_ref().map(|p| ("purl", Out::text(p.to_string()))));
    out.push(("project", Out::Bool(component.project)));
    out.push(("licences", list(component.licences.iter().map(ToString::to_string).collect())));
    out.push(("depends_on", list(inventory.dependencies(&component.id).map(str::to_owned).collect())));
    let facts = properties(component).into_iter();
    let facts =
        facts.map(|(name, value)| Out::Map(vec![("name", Out::text(name)), ("value", Out::text(value))]));
    out.push(("facts", Out::List(facts.collect())));
    Out::Map(out)
}
