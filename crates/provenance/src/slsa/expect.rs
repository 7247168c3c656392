use std::collections::{BTreeMap, BTreeSet};

use lotse_digest::Digest;
use lotse_sign::Claims;

use super::BuildFacts;
use crate::json::Json;
use crate::{DigestMatch, Statement};

/// What is expected of provenance: everything that is given must hold. Plain data.
///
/// There is no default: which builders to trust is a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expectations {
    /// The builders that are trusted, and how far.
    pub builders: Vec<BuilderRule>,
    /// The repository, as a URL; `git+` before it and `.git` behind it do not matter.
    pub source: Option<String>,
    /// The full ref: `refs/heads/main`, `refs/tags/v1.2.3`.
    pub reference: Option<Expected>,
    /// The commit.
    pub commit: Option<String>,
    /// The build types that are accepted; none given accepts every one that can be read.
    pub build_types: BTreeSet<String>,
    /// The workflow's path or the job's name.
    pub entry_point: Option<String>,
    /// Parameters by JSON pointer, with the value each must have.
    pub parameters: BTreeMap<String, Json>,
    /// Whether parameters that are not expected refuse. The specification wants that: whoever asks for a build can give some.
    pub only_these_parameters: bool,
    /// Digests that must be among the dependencies.
    pub dependencies: Vec<Digest>,
}

/// A builder that is trusted. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuilderRule {
    /// Its URI; with a final `@`, whatever version or ref stands behind that.
    pub id: String,
    /// The highest build level that it can give: 3 for builders that keep the build away from the signing.
    pub level: u8,
}

/// What a ref is expected to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// This branch, by short name.
    Branch(String),
    /// This tag, by short name.
    Tag(String),
    /// Any tag.
    AnyTag,
}

/// Who signed the provenance, as somebody verified before.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Signer<'a> {
    /// Nobody: level 1 at most.
    Nobody,
    /// A key that is trusted to be the builder's.
    BuildersKey,
    /// A certificate with these claims.
    Certificate(&'a Claims),
}

/// The verdict on some provenance. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlsaVerdict {
    /// The build level that holds: 0 if anything that was expected does not.
    pub level: u8,
    /// Why it is no higher.
    pub why_no_higher: String,
    /// Every check in order, those that failed too.
    pub checks: Vec<SlsaCheck>,
    /// The facts, if they could be read.
    pub facts: Option<BuildFacts>,
}

/// One check and what it found. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlsaCheck {
    /// What was looked at.
    pub what: &'static str,
    /// Whether it holds.
    pub holds: bool,
    /// What was found, and what was expected if that is another.
    pub found: String,
}

impl BuilderRule {
    /// Trust in a builder up to a build level (1 to 3).
    #[must_use]
    pub fn new(id: impl Into<String>, level: u8) -> Self {
        Self { id: id.into(), level: level.min(3) }
    }

    fn fits(&self, builder: &str) -> bool {
        if self.id.ends_with('@') {
            builder.strip_prefix(&self.id).is_some_and(|rest| !rest.is_empty())
        } else {
            builder == self.id
        }
    }
}

impl Expectations {
    /// Trust in these builders, and nothing else expected yet.
    #[must_use]
    pub const fn new(builders: Vec<BuilderRule>) -> Self {
        Self {
            builders,
            source: None,
            reference: None,
            commit: None,
            build_types: BTreeSet::new(),
            entry_point: None,
            parameters: BTreeMap::new(),
            only_these_parameters: false,
            dependencies: Vec::new(),
        }
    }

    /// Judges a statement about `artifact`. Who signed it was verified before; here it is compared with what it says.
    #[must_use]
    pub fn judge(&self, statement: &Statement, artifact: &Digest, signer: Signer<'_>) -> SlsaVerdict {
        let mut checks = Checks(Vec::new());
        let about = statement.matching(std::slice::from_ref(artifact)) == DigestMatch::Same;
        checks.add("subject", about, format!("{artifact} is {}a subject", if about { "" } else { "not " }));
        let facts = match BuildFacts::parse(statement) {
            Ok(facts) => facts,
            Err(error) => {
                checks.add("provenance", false, error.to_string());
                return checks.verdict(0, "what it says could not be read".to_owned(), None);
            }
        };
        checks.add("provenance", true, facts.predicate_type.clone());
        let rule =
            self.builders.iter().filter(|rule| rule.fits(&facts.builder)).max_by_key(|rule| rule.level);
        let trusted = if rule.is_some() { "is trusted" } else { "is not among the trusted builders" };
        checks.add("builder", rule.is_some(), format!("{:?} {trusted}", facts.builder));
        self.compare(&facts, &mut checks);
        if let Signer::Certificate(claims) = signer {
            agree(&facts, claims, &mut checks);
        }
        if checks.0.iter().any(|check| !check.holds) {
            return checks.verdict(0, "something that was expected does not hold".to_owned(), Some(facts));
        }
        let (level, why) = level(rule, &facts, signer);
        checks.verdict(level, why, Some(facts))
    }

    fn compare(&self, facts: &BuildFacts, checks: &mut Checks) {
        if !self.build_types.is_empty() {
            let holds = self.build_types.contains(&facts.build_type);
            checks.add("build type", holds, format!("{:?}", facts.build_type));
        }
        if let Some(wanted) = &self.source {
            let found = facts.source.as_deref();
            checks.same("source", Some(repository(wanted)), found.map(repository));
        }
        if let Some(wanted) = &self.reference {
            let reference = facts.reference.as_deref().unwrap_or("no ref");
            let (holds, wanted) = match wanted {
                Expected::Branch(name) => {
                    (reference.strip_prefix("refs/heads/") == Some(name), format!("branch {name}"))
                }
                Expected::Tag(name) => {
                    (reference.strip_prefix("refs/tags/") == Some(name), format!("tag {name}"))
                }
                Expected::AnyTag => (reference.starts_with("refs/tags/"), "a tag".to_owned()),
            };
            let found = if holds { reference.to_owned() } else { format!("{reference}, expected {wanted}") };
            checks.add("ref", holds, found);
        }
        if let Some(wanted) = &self.commit {
            checks.same("commit", Some(wanted), facts.commit.as_deref());
        }
        if let Some(wanted) = &self.entry_point {
            checks.same("entry point", Some(wanted), facts.entry_point.as_deref());
        }
        for (pointer, wanted) in &self.parameters {
            let found = facts.parameters.pointer(pointer);
            let shown = found.as_ref().map_or_else(|| "absent".to_owned(), Json::to_string);
            let holds = found.as_ref() == Some(wanted);
            let found = if holds { shown } else { format!("{shown}, expected {wanted}") };
            checks.add("parameter", holds, format!("{pointer}: {found}"));
        }
        if self.only_these_parameters {
            let mut leaves = Vec::new();
            leaves_of(&facts.parameters.0, String::new(), &mut leaves);
            let covered = |leaf: &String| {
                self.parameters.keys().any(|known| leaf == known || leaf.starts_with(&format!("{known}/")))
            };
            let extra: Vec<String> = leaves.into_iter().filter(|leaf| !covered(leaf)).collect();
            let found =
                if extra.is_empty() { "none beside the expected".to_owned() } else { extra.join(", ") };
            checks.add("other parameters", extra.is_empty(), found);
        }
        for digest in &self.dependencies {
            let same = |set: &BTreeMap<String, String>| {
                crate::match_digests(set, std::slice::from_ref(digest)) == DigestMatch::Same
            };
            let holds = facts.dependencies.iter().any(|dependency| same(&dependency.digest));
            checks.add(
                "dependency",
                holds,
                format!("{digest} is {}among them", if holds { "" } else { "not " }),
            );
        }
    }
}

/// What a certificate says of the run goes before what the build wrote; where both speak they must agree.
fn agree(facts: &BuildFacts, claims: &Claims, checks: &mut Checks) {
    let pairs = [
        (
            "source by certificate",
            claims.source_repository_uri.as_deref().map(repository),
            facts.source.as_deref().map(repository),
        ),
        ("commit by certificate", claims.source_repository_digest.as_deref(), facts.commit.as_deref()),
        ("ref by certificate", claims.source_repository_ref.as_deref(), facts.reference.as_deref()),
        ("run by certificate", claims.run_invocation_uri.as_deref(), facts.invocation.as_deref()),
        ("trigger by certificate", claims.build_trigger.as_deref(), facts.trigger.as_deref()),
    ];
    for (what, certificate, provenance) in pairs {
        if let (Some(certificate), Some(provenance)) = (certificate, provenance) {
            checks.same(what, Some(certificate), Some(provenance));
        }
    }
}

/// The level that holds when everything expected does, and why no higher.
fn level(rule: Option<&BuilderRule>, facts: &BuildFacts, signer: Signer<'_>) -> (u8, String) {
    let trusted = rule.map_or(0, |rule| rule.level);
    let (reached, why) = match signer {
        Signer::Nobody => (1, "nobody signed it".to_owned()),
        Signer::BuildersKey => {
            (2, "it is signed by a key, and nothing says that the build could not use that key".to_owned())
        }
        Signer::Certificate(claims) => {
            let signer = claims.build_signer_uri.as_deref().unwrap_or_else(|| claims.subject.as_str());
            if claims.runner_environment.as_deref() == Some("self-hosted") {
                (1, "it ran on a self-hosted runner, which whoever owns it can enter".to_owned())
            } else if signer != facts.builder {
                (2, format!("the certificate is that of {signer:?}, not of the builder {:?}", facts.builder))
            } else if facts.commit.is_none() || claims.source_repository_digest.is_none() {
                (2, "commit and certificate could not be compared".to_owned())
            } else {
                (3, "3 is the highest level of the build track".to_owned())
            }
        }
    };
    if trusted < reached {
        (trusted, format!("the builder is trusted for level {trusted} only"))
    } else {
        (reached, why)
    }
}

struct Checks(Vec<SlsaCheck>);

impl Checks {
    fn add(&mut self, what: &'static str, holds: bool, found: String) {
        self.0.push(SlsaCheck { what, holds, found });
    }

    fn same(&mut self, what: &'static str, wanted: Option<&str>, found: Option<&str>) {
        let shown = found.unwrap_or("absent");
        let holds = wanted == found;
        let found = if holds {
            shown.to_owned()
        } else {
            format!("{shown}, expected {}", wanted.unwrap_or("nothing"))
        };
        self.add(what, holds, found);
    }

    fn verdict(self, level: u8, why_no_higher: String, facts: Option<BuildFacts>) -> SlsaVerdict {
        SlsaVerdict { level, why_no_higher, checks: self.0, facts }
    }
}

impl SlsaVerdict {
    /// The first check that failed.
    #[must_use]
    pub fn failed(&self) -> Option<&SlsaCheck> {
        self.checks.iter().find(|check| !check.holds)
    }
}

fn repository(uri: &str) -> &str {
    let uri = uri.strip_prefix("git+").unwrap_or(uri);
    let uri = uri.strip_suffix('/').unwrap_or(uri);
    uri.strip_suffix(".git").unwrap_or(uri)
}

fn leaves_of(value: &serde_json::Value, at: String, leaves: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(object) => {
            for (name, value) in object {
                let name = name.replace('~', "~0").replace('/', "~1");
                leaves_of(value, format!("{at}/{name}"), leaves);
            }
        }
        serde_json::Value::Null => {}
        _ => leaves.push(at),
    }
}
