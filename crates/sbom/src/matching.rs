//! Which advisories concern which components.

use crate::cvss::Severity;
use crate::inventory::{Component, Inventory, Kind, Origin};
use crate::osv::{Advisory, Affected, Event, Range};
use crate::version::{Ecosystem, VersionError};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Advisories, indexed by ecosystem and package name.
#[derive(Debug, Clone, Default)]
pub struct Database {
    advisories: BTreeMap<String, Advisory>,
    index: BTreeMap<(String, String), BTreeSet<String>>,
    unsupported: BTreeSet<String>,
}

impl Database {
    /// Takes one record; one with the same id replaces an earlier one.
    pub fn insert(&mut self, advisory: Advisory) {
        for affected in &advisory.affected {
            match affected.ecosystem.parse::<Ecosystem>() {
                Ok(ecosystem) => {
                    let key = (family(&ecosystem).to_owned(), key_name(&ecosystem, &affected.name));
                    self.index.entry(key).or_default().insert(advisory.id.clone());
                }
                Err(error) => {
                    self.unsupported.insert(error.name);
                }
            }
        }
        self.advisories.insert(advisory.id.clone(), advisory);
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.advisories.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.advisories.is_empty()
    }

    /// One record by its id.
    #[must_use]
    pub fn advisory(&self, id: &str) -> Option<&Advisory> {
        self.advisories.get(id)
    }

    /// Ecosystems that records name and whose version order is not known here: their packages were not judged.
    pub fn unsupported_ecosystems(&self) -> impl Iterator<Item = &str> {
        self.unsupported.iter().map(String::as_str)
    }

    /// Matches every component against every record of its package. Development packages are matched too: what to
    /// excuse is the allow-list's decision.
    #[must_use]
    pub fn matches(&self, inventory: &Inventory) -> Matches {
        let mut out = Matches::default();
        for component in inventory.components() {
            if component.kind == Kind::OperatingSystem || component.origin == Origin::Local {
                continue;
            }
            let Some(ecosystem) = inventory.ecosystem(component) else {
                if matches!(component.kind, Kind::Apk | Kind::Deb) {
                    out.unmatched.insert(component.id.clone());
                }
                continue;
            };
            // Distributions file their advisories under the source package and its version.
            let (name, version) = match (&component.source, component.kind) {
                (Some(source), Kind::Apk | Kind::Deb) => {
                    (source.name.as_str(), Some(source.version.as_str()))
                }
                _ => (component.name.as_str(), component.version.as_deref()),
            };
            let key = (family(&ecosystem).to_owned(), key_name(&ecosystem, name));
            for id in self.index.get(&key).into_iter().flatten() {
                if let Some(advisory) = self.advisories.get(id).filter(|a| !a.withdrawn) {
                    judge(advisory, component, &ecosystem, &key.1, version, &mut out);
                }
            }
        }
        out
    }
}

/// Everything that concerns an inventory, in the order of components and ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matches {
    /// Advisories that concern a component.
    pub found: Vec<Match>,
    /// Advisories of a component's package that could not be judged. Never read as "not affected".
    pub undecided: Vec<Undecided>,
    /// Ids of distribution packages whose distribution has no advisories here.
    pub unmatched: BTreeSet<String>,
}

/// One advisory that concerns one component.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Match {
    /// The component's id.
    pub component: String,
    /// The component's name and version as matched (of the source package, for distributions).
    pub package: String,
    /// The advisory's id.
    pub advisory: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// Its summary.
    pub summary: String,
    /// Its severity.
    pub severity: Severity,
    /// What in the record decided.
    pub because: Because,
    /// Versions that repair it, as the record names them.
    pub fixed: Vec<String>,
}

/// Why a version counts as affected.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Because {
    /// The record lists exactly this version.
    Listed,
    /// The version lies in a range, given in words, e.g. `>= 1.0, < 1.2`.
    InRange(String),
}

/// One advisory that could not be judged for one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// The component's id.
    pub component: String,
    /// The advisory's id.
    pub advisory: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// Its severity.
    pub severity: Severity,
    /// Why no order of versions could decide.
    pub reason: String,
}

fn family(ecosystem: &Ecosystem) -> &'static str {
    match ecosystem {
        Ecosystem::Npm => "npm",
        Ecosystem::Packagist => "Packagist",
        Ecosystem::CratesIo => "crates.io",
        Ecosystem::Alpine(_) => "Alpine",
        Ecosystem::Debian(_) => "Debian",
    }
}

/// Packagist's names have no case; crates.io takes `-` and `_` as one.
fn key_name(ecosystem: &Ecosystem, name: &str) -> String {
    match ecosystem {
        Ecosystem::Packagist => name.to_lowercase(),
        Ecosystem::CratesIo => name.replace('_', "-"),
        _ => name.to_owned(),
    }
}

fn judge(
    advisory: &Advisory,
    component: &Component,
    ecosystem: &Ecosystem,
    name: &str,
    version: Option<&str>,
    out: &mut Matches,
) {
    let mut undecided = None;
    for affected in &advisory.affected {
        let Ok(stated) = affected.ecosystem.parse::<Ecosystem>() else { continue };
        let same_release = match (&stated, ecosystem) {
            (Ecosystem::Alpine(None), Ecosystem::Alpine(_))
            | (Ecosystem::Debian(None), Ecosystem::Debian(_)) => true,
            (stated, own) => stated == own,
        };
        if !same_release || key_name(&stated, &affected.name) != name {
            continue;
        }
        let Some(version) = version else {
            undecided = Some("the component has no version".to_owned());
            continue;
        };
        match is_affected(affected, ecosystem, version) {
            Ok(Some(because)) => {
                out.found.push(Match {
                    component: component.id.clone(),
                    package: format!("{name}@{version}"),
                    advisory: advisory.id.clone(),
                    aliases: advisory.aliases.clone(),
                    summary: advisory.summary.clone(),
                    severity: advisory.severity,
                    because,
                    fixed: fixes(affected),
                });
                return;
            }
            Ok(None) => {}
            Err(reason) => undecided = Some(reason),
        }
    }
    if let Some(reason) = undecided {
        out.undecided.push(Undecided {
            component: component.id.clone(),
            advisory: advisory.id.clone(),
            aliases: advisory.aliases.clone(),
            severity: advisory.severity,
            reason,
        });
    }
}

fn fixes(affected: &Affected) -> Vec<String> {
    let events = affected.ranges.iter().flat_map(|r| &r.events);
    let fixed: BTreeSet<String> =
        events.filter_map(|e| if let Event::Fixed(v) = e { Some(v.clone()) } else { None }).collect();
    fixed.into_iter().collect()
}

/// Whether a version is affected: `Err` if nothing here can say.
fn is_affected(affected: &Affected, ecosystem: &Ecosystem, version: &str) -> Result<Option<Because>, String> {
    if affected.versions.iter().any(|v| v == version) {
        return Ok(Some(Because::Listed));
    }
    if affected.ranges.is_empty() && affected.versions.is_empty() {
        let reason = if affected.git_ranges > 0 {
            "the record has only GIT ranges: commits, no versions"
        } else {
            "the record names neither versions nor ranges"
        };
        return Err(reason.to_owned());
    }
    ecosystem.validate(version).map_err(|e| e.to_string())?;
    // The same version may be written in another way.
    for listed in &affected.versions {
        if ecosystem.compare(version, listed) == Ok(Some(Ordering::Equal)) {
            return Ok(Some(Because::Listed));
        }
    }
    for range in &affected.ranges {
        if in_range(range, ecosystem, version)? {
            return Ok(Some(Because::InRange(words(range))));
        }
    }
    Ok(None)
}

/// The algorithm of the OSV schema: events in order of version, the last one at or below the version decides.
fn in_range(range: &Range, ecosystem: &Ecosystem, version: &str) -> Result<bool, String> {
    let mut affected = false;
    let mut within_limit = true;
    let mut limited = false;
    let mut best: Option<(&str, u8)> = None;
    for event in &range.events {
        let (at, rank) = match event {
            Event::Fixed(at) => (at.as_str(), 0),
            Event::LastAffected(at) => (at.as_str(), 2),
            Event::Introduced(at) => (at.as_str(), 1),
            Event::Limit(at) => {
                let below = at == "*" || order(ecosystem, version, at)? == Ordering::Less;
                within_limit = if limited { within_limit || below } else { below };
                limited = true;
                continue;
            }
        };
        let reached = match (event, order(ecosystem, version, at)?) {
            (Event::LastAffected(_), o) => o == Ordering::Greater,
            (_, o) => o != Ordering::Less,
        };
        if !reached {
            continue;
        }
        // At one version an end comes before a beginning, so a record that says both means affected.
        let later = match best {
            None => true,
            Some((best_at, best_rank)) => match order(ecosystem, at, best_at)? {
                Ordering::Greater => true,
                Ordering::Equal => rank >= best_rank,
                Ordering::Less => false,
            },
        };
        if later {
            best = Some((at, rank));
            affected = matches!(event, Event::Introduced(_));
        }
    }
    Ok(affected && within_limit)
}

fn order(ecosystem: &Ecosystem, a: &str, b: &str) -> Result<Ordering, String> {
    match (a, b) {
        ("0", "0") => return Ok(Ordering::Equal),
        (_, "0") => return Ok(Ordering::Greater),
        ("0", _) => return Ok(Ordering::Less),
        _ => {}
    }
    match ecosystem.compare(a, b) {
        Ok(Some(order)) => Ok(order),
        Ok(None) => Err(format!("{a:?} and {b:?} have no order in {ecosystem}")),
        Err(error @ VersionError { .. }) => Err(error.to_string()),
    }
}

fn words(range: &Range) -> String {
    let word = |event: &Event| match event {
        Event::Introduced(v) if v == "0" => "every version".to_owned(),
        Event::Introduced(v) => format!(">= {v}"),
        Event::Fixed(v) => format!("< {v}"),
        Event::LastAffected(v) => format!("<= {v}"),
        Event::Limit(v) => format!("(up to {v})"),
    };
    range.events.iter().map(word).collect::<Vec<_>>().join(", ")
}
