//! package-lock.json (versions 1, 2, 3), npm-shrinkwrap.json, node_modules/.package-lock.json and package.json.

use super::{Draft, Facts, Manifest, Need, base64, hex, hex_checksum};
use crate::error::Error;
use crate::inventory::{Checksum, ChecksumAlgorithm, Kind, Origin, Scope};
use crate::json::{Document, Node, Value};
use crate::licence::Licence;

const KNOWN: &str = "1, 2, 3";

/// Longest path of a package in the tree.
const MAX_PLACE: usize = 4096;

pub(crate) fn lock(path: &str, bytes: &[u8]) -> Result<Facts, Error> {
    let document = Document::parse(path, bytes)?;
    let root = &document.root;
    document.object(root, "the lock file")?;
    let version = match root.get("lockfileVersion").map(|n| &n.value) {
        Some(Value::Number(version)) => version.clone(),
        Some(_) => return Err(document.error(root, "lockfileVersion must be a number")),
        None => return Err(document.error(root, "\"lockfileVersion\" is missing")),
    };
    match version.as_str() {
        "1" => version_1(&document, path),
        "2" | "3" => by_path(&document, path),
        _ => Err(Error::UnsupportedVersion {
            path: path.to_owned(),
            format: "package-lock.json",
            version,
            known: KNOWN,
        }),
    }
}

pub(crate) fn manifest(path: &str, bytes: &[u8]) -> Result<Facts, Error> {
    let document = Document::parse(path, bytes)?;
    let root = &document.root;
    document.object(root, "package.json")?;
    let mut needs = Vec::new();
    for (member, optional) in MEMBERS.into_iter().chain([("devDependencies", true)]) {
        for (name, _) in document.members(root, member)? {
            needs.push(Need { name: name.clone(), any_of: vec![format!("node_modules/{name}")], optional });
        }
    }
    let manifest = Manifest {
        kind: Kind::Npm,
        name: document.optional(root, "name")?.map(str::to_owned),
        version: document.optional(root, "version")?.map(str::to_owned),
        licences: licences(root),
        needs,
    };
    Ok(Facts { manifest: Some(manifest), ..Facts::default() })
}

/// Dependency members and whether a missing package is fine.
const MEMBERS: [(&str, bool); 3] =
    [("dependencies", false), ("optionalDependencies", true), ("peerDependencies", true)];

/// Versions 2 and 3: `packages`, keyed by the path in the tree.
fn by_path(document: &Document<'_>, path: &str) -> Result<Facts, Error> {
    let Some(packages) = document.root.get("packages") else {
        return Err(document.error(&document.root, "\"packages\" is missing"));
    };
    let mut facts = Facts::default();
    let mut links: Vec<(String, String)> = Vec::new();
    let root_name = document.optional(&document.root, "name")?;
    for (place, node) in document.object(packages, "packages")? {
        document.object(node, "a package")?;
        if place.len() > MAX_PLACE {
            return Err(document.error(node, "the package's path is longer than any file system allows"));
        }
        let flag = |key: &str| node.get(key).is_some_and(Node::is_true);
        if flag("link") {
            // The real package stands under its own path; the link is only another name for it.
            if let Some(target) = document.optional(node, "resolved")? {
                links.push((target.to_owned(), place.clone()));
            }
            continue;
        }
        let from_place = place.rsplit_once("node_modules/").map(|(_, name)| name);
        let last = place.rsplit('/').next().unwrap_or(place);
        let fallback =
            if place.is_empty() { root_name.unwrap_or("project") } else { from_place.unwrap_or(last) };
        let name = document.optional(node, "name")?.unwrap_or(fallback);
        let mut draft = Draft::new(Kind::Npm, name, document.optional(node, "version")?, path);
        draft.key.clone_from(place);
        draft.project = place.is_empty();
        draft.scope = Scope::of(flag("dev") || flag("devOptional"), flag("optional"));
        draft.origin = match document.optional(node, "resolved")? {
            _ if place.is_empty() || from_place.is_none() => Origin::Local,
            Some(resolved) => origin(resolved),
            None => Origin::Registry,
        };
        draft.licences = licences(node);
        draft.checksums.extend(document.optional(node, "integrity")?.into_iter().flat_map(integrity));
        let development = draft.project.then_some(("devDependencies", true));
        for (member, optional) in MEMBERS.into_iter().chain(development) {
            for (need, _) in document.members(node, member)? {
                draft.needs.push(resolve(need, place, optional));
            }
        }
        facts.drafts.push(draft);
    }
    for (target, place) in links {
        if let Some(draft) = facts.drafts.iter_mut().find(|d| d.key == target) {
            draft.provides.push(place);
        }
    }
    Ok(facts)
}

/// Version 1: a tree of `dependencies`, turned into the same paths.
fn version_1(document: &Document<'_>, path: &str) -> Result<Facts, Error> {
    let mut facts = Facts::default();
    let mut open: Vec<(String, &Node)> = vec![(String::new(), &document.root)];
    while let Some((place, node)) = open.pop() {
        for (name, package) in document.members(node, "dependencies")? {
            document.object(package, "a dependency")?;
            let separator = if place.is_empty() { "" } else { "/" };
            let here = format!("{place}{separator}node_modules/{name}");
            if here.len() > MAX_PLACE {
                return Err(
                    document.error(package, "the package's path is longer than any file system allows")
                );
            }
            let stated = document.required(package, "version")?;
            let (real, version, origin) = match stated.strip_prefix("npm:") {
                Some(alias) => {
                    let (real, version) = alias.rsplit_once('@').unwrap_or((alias, ""));
                    (real, version, Origin::Registry)
                }
                None if stated.starts_with("file:") => (name.as_str(), "", Origin::Local),
                None if stated.contains("://") || stated.starts_with("github:") => {
                    (name.as_str(), "", origin(stated))
                }
                None => (name.as_str(), stated, Origin::Registry),
            };
            let mut draft = Draft::new(Kind::Npm, real, Some(version), path);
            draft.key.clone_from(&here);
            let flag = |key: &str| package.get(key).is_some_and(Node::is_true);
            draft.scope = Scope::of(flag("dev"), flag("optional"));
            draft.origin = origin;
            draft.checksums.extend(document.optional(package, "integrity")?.into_iter().flat_map(integrity));
            // `requires: true` stands at the root only.
            if let Some(Node { value: Value::Object(requires), .. }) = package.get("requires") {
                draft.needs = requires.iter().map(|(need, _)| resolve(need, &here, true)).collect();
            }
            facts.drafts.push(draft);
            open.push((here, package));
        }
    }
    facts.drafts.sort_by(|a, b| a.key.cmp(&b.key));
    if let Some(name) = document.optional(&document.root, "name")? {
        let mut project = Draft::new(Kind::Npm, name, document.optional(&document.root, "version")?, path);
        project.key = String::new();
        project.project = true;
        project.origin = Origin::Local;
        let nested = |key: &str| key.matches("node_modules/").count() > 1;
        // Version 1 does not say what the project itself asks for; the top level is what it can reach.
        let top = facts.drafts.iter().filter(|d| !nested(&d.key));
        let required: std::collections::BTreeSet<&str> =
            facts.drafts.iter().flat_map(|d| &d.needs).flat_map(|n| &n.any_of).map(String::as_str).collect();
        project.needs = top
            .filter(|d| !required.contains(d.key.as_str()))
            .map(|d| Need { name: d.name.clone(), any_of: vec![d.key.clone()], optional: false })
            .collect();
        facts.drafts.push(project);
    }
    Ok(facts)
}

/// Node's rule: look beside, then climb.
fn resolve(name: &str, place: &str, optional: bool) -> Need {
    let mut any_of = Vec::new();
    let mut at = place;
    loop {
        any_of.push(if at.is_empty() {
            format!("node_modules/{name}")
        } else {
            format!("{at}/node_modules/{name}")
        });
        if at.is_empty() {
            break;
        }
        at = match at.rfind("node_modules/") {
            Some(i) => at.get(..i).unwrap_or_default().trim_end_matches('/'),
            None => at.rsplit_once('/').map_or("", |(parent, _)| parent),
        };
    }
    Need { name: name.to_owned(), any_of, optional }
}

fn origin(resolved: &str) -> Origin {
    if resolved.starts_with("git") || resolved.starts_with("github:") {
        return Origin::Vcs(resolved.to_owned());
    }
    if resolved.starts_with("file:") {
        return Origin::Local;
    }
    // A registry's address has `/-/` before the archive's name; mirrors keep it.
    match resolved.split_once("://") {
        Some(_) if !resolved.contains("/-/") => Origin::Url(resolved.to_owned()),
        _ => Origin::Registry,
    }
}

/// Subresource integrity: one or several `algorithm-base64`.
fn integrity(text: &str) -> Vec<Checksum> {
    let read = |part: &str| {
        let (name, value) = part.split_once('-')?;
        let algorithm = match name {
            "sha1" => ChecksumAlgorithm::Sha1,
            "sha256" => ChecksumAlgorithm::Sha256,
            "sha384" => ChecksumAlgorithm::Sha384,
            "sha512" => ChecksumAlgorithm::Sha512,
            _ => return None,
        };
        hex_checksum(algorithm, &hex(&base64(value.split('?').next()?)?))
    };
    text.split_whitespace().filter_map(read).collect()
}

fn licences(node: &Node) -> Vec<Licence> {
    node.get("license").and_then(Node::as_str).map(Licence::read).into_iter().collect()
}
