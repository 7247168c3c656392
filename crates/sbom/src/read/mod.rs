//! One reader per package database: bytes in, drafts out. Nothing here looks beyond its own file.

pub(crate) mod apk;
pub(crate) mod cargo;
pub(crate) mod composer;
pub(crate) mod dpkg;
pub(crate) mod npm;
pub(crate) mod os_release;
mod sort;

pub(crate) use sort::{Reader, Sort, sort};

use crate::inventory::{Checksum, ChecksumAlgorithm, Distro, Kind, Origin, Problem, Scope, SourcePackage};
use crate::licence::Licence;
use std::collections::{BTreeMap, BTreeSet};

/// What one file says.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) drafts: Vec<Draft>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) distro: Option<Distro>,
    pub(crate) manifest: Option<Manifest>,
}

/// A project file (composer.json, package.json) that a lock file beside it completes.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) kind: Kind,
    pub(crate) name: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) licences: Vec<Licence>,
    pub(crate) needs: Vec<Need>,
}

/// A component before purl and id are known.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    pub(crate) architecture: Option<String>,
    pub(crate) licences: Vec<Licence>,
    pub(crate) checksums: BTreeSet<Checksum>,
    pub(crate) location: String,
    pub(crate) line: u32,
    pub(crate) source: Option<SourcePackage>,
    pub(crate) origin: Origin,
    pub(crate) scope: Scope,
    pub(crate) project: bool,
    /// Names are looked up among the drafts of the same scope name.
    pub(crate) scope_name: String,
    pub(crate) key: String,
    pub(crate) provides: Vec<String>,
    pub(crate) needs: Vec<Need>,
}

impl Draft {
    pub(crate) fn new(kind: Kind, name: &str, version: Option<&str>, path: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            version: version.filter(|v| !v.is_empty()).map(str::to_owned),
            architecture: None,
            licences: Vec::new(),
            checksums: BTreeSet::new(),
            location: path.to_owned(),
            line: 0,
            source: None,
            origin: Origin::Registry,
            scope: Scope::Required,
            project: false,
            scope_name: path.to_owned(),
            key: name.to_owned(),
            provides: Vec::new(),
            needs: Vec::new(),
        }
    }
}

/// A dependency as it is written, and the keys that would satisfy it, best first.
#[derive(Debug)]
pub(crate) struct Need {
    pub(crate) name: String,
    pub(crate) any_of: Vec<String>,
    pub(crate) optional: bool,
}

impl Need {
    pub(crate) fn on(name: &str) -> Self {
        Self { name: name.to_owned(), any_of: vec![name.to_owned()], optional: false }
    }
}

pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// `etc/os-release` before `usr/lib/os-release`.
pub(crate) fn pick_distro(facts: &mut BTreeMap<String, Facts>) -> Option<Distro> {
    facts.values_mut().filter_map(|f| f.distro.take()).min_by(|a, b| a.location.cmp(&b.location))
}

/// Lets each manifest name the project of the lock file beside it; returns the manifests that have none.
pub(crate) fn apply_manifests(facts: &mut BTreeMap<String, Facts>) -> Vec<String> {
    let manifests: Vec<(String, Manifest)> =
        facts.iter_mut().filter_map(|(path, f)| Some((path.clone(), f.manifest.take()?))).collect();
    let mut alone = Vec::new();
    for (path, manifest) in manifests {
        let folder = parent(&path).to_owned();
        let beside =
            |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        let locks: &[&str] = match manifest.kind {
            Kind::Composer => &["composer.lock", "vendor/composer/installed.json"],
            _ => &["package-lock.json", "npm-shrinkwrap.json", "node_modules/.package-lock.json"],
        };
        let mut found = false;
        for lock in locks.iter().map(|lock| beside(lock)) {
            let Some(lock_facts) = facts.get_mut(&lock) else { continue };
            found = true;
            // One that already has its project (package-lock v2 and v3) says more than the manifest.
            if lock_facts.drafts.iter().any(|d| d.project) {
                continue;
            }
            lock_facts.drafts.push(project(&manifest, &lock, &path));
        }
        if !found {
            alone.push(path);
        }
    }
    alone
}

fn project(manifest: &Manifest, lock: &str, path: &str) -> Draft {
    let unnamed = parent(path).rsplit('/').next().filter(|n| !n.is_empty()).unwrap_or("project");
    let name = manifest.name.as_deref().unwrap_or(unnamed);
    let mut draft = Draft::new(manifest.kind, name, manifest.version.as_deref(), path);
    draft.scope_name = lock.to_owned();
    draft.key = String::new();
    draft.project = true;
    draft.origin = Origin::Local;
    draft.licences.clone_from(&manifest.licences);
    let needs = manifest.needs.iter();
    draft.needs = needs
        .map(|n| Need { name: n.name.clone(), any_of: n.any_of.clone(), optional: n.optional })
        .collect();
    draft
}

/// Two records of one package in one database: the first is kept, the second reported.
pub(crate) fn drop_duplicate_records(drafts: &mut Vec<Draft>) -> Vec<Problem> {
    let mut seen: BTreeMap<(Kind, String), Vec<Option<String>>> = BTreeMap::new();
    let mut problems = Vec::new();
    drafts.retain(|draft| {
        if draft.kind != Kind::Deb {
            return true;
        }
        let known = seen.entry((draft.kind, draft.name.clone())).or_default();
        let twice =
            known.iter().any(|a| a.is_none() || draft.architecture.is_none() || *a == draft.architecture);
        if twice {
            problems.push(Problem {
                path: draft.location.clone(),
                line: draft.line,
                reason: format!(
                    "package {:?} is recorded twice for one architecture; the first record was kept",
                    draft.name
                ),
            });
        } else {
            known.push(draft.architecture.clone());
        }
        !twice
    });
    problems
}

/// A hex checksum of exactly the right length, else nothing.
pub(crate) fn hex_checksum(algorithm: ChecksumAlgorithm, hex: &str) -> Option<Checksum> {
    let valid = hex.len() == algorithm.hex_length() && hex.bytes().all(|b| b.is_ascii_hexdigit());
    valid.then(|| Checksum { algorithm, hex: hex.to_ascii_lowercase() })
}

/// Standard base64 with padding, strict enough for checksums.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let body = text.trim_end_matches('=');
    if text.len().saturating_sub(body.len()) > 2 {
        return None;
    }
    let (mut out, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for byte in body.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0x3fff;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    Some(out)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
