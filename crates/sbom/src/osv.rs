//! Advisories in the OSV schema (1.7).

use crate::cvss::{Severity, cvss_v3_base};
use crate::error::{Error, Limits};
use crate::json::{Document, Node};
use crate::purl::Purl;

/// One OSV record: what is needed to match it, read strictly.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Advisory {
    /// `id`.
    pub id: String,
    /// `aliases`: other names of the same problem.
    pub aliases: Vec<String>,
    /// `summary`, or the first line of `details`.
    pub summary: String,
    /// `withdrawn`: the record is taken back and matches nothing.
    pub withdrawn: bool,
    /// The worst severity the record states.
    pub severity: Severity,
    /// The CVSS vector the severity was computed from, if it was.
    pub vector: Option<String>,
    /// `affected`.
    pub affected: Vec<Affected>,
}

/// One package a record speaks about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Affected {
    /// `package.ecosystem` as written, with its suffix.
    pub ecosystem: String,
    /// `package.name`.
    pub name: String,
    /// `package.purl`, if it is a valid one.
    pub purl: Option<Purl>,
    /// `versions`: affected ones by name.
    pub versions: Vec<String>,
    /// `ranges` of types SEMVER and ECOSYSTEM.
    pub ranges: Vec<Range>,
    /// How many ranges of type GIT there are: they hold commits, and no version can be judged by them.
    pub git_ranges: usize,
}

/// A range: events in the order of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// What happens at which version.
    pub events: Vec<Event>,
}

/// One event of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the OSV schema closes this list")]
pub enum Event {
    /// Affected from here on; `0` is before every version.
    Introduced(String),
    /// Not affected from here on.
    Fixed(String),
    /// Not affected after this one.
    LastAffected(String),
    /// The range says nothing from here on.
    Limit(String),
}

impl Advisory {
    /// Reads one record; `name` stands in errors.
    ///
    /// # Errors
    /// [`Error::Malformed`] with line and column, [`Error::UnsupportedVersion`] for a schema of another major
    /// version, [`Error::Limit`] above the limit of bytes.
    pub fn parse(name: &str, bytes: &[u8], limits: Limits) -> Result<Self, Error> {
        if bytes.len() > limits.file_bytes {
            return Err(Error::Limit { path: name.to_owned(), what: "bytes", limit: limits.file_bytes });
        }
        let document = Document::parse(name, bytes)?;
        let root = &document.root;
        document.object(root, "an OSV record")?;
        if let Some(version) = document.optional(root, "schema_version")?.filter(|v| !v.starts_with("1.")) {
            return Err(Error::UnsupportedVersion {
                path: name.to_owned(),
                format: "OSV schema",
                version: version.to_owned(),
                known: "1.x",
            });
        }
        let mut aliases = Vec::new();
        for alias in document.list(root, "aliases")? {
            aliases.push(document.string(alias, "an alias")?.to_owned());
        }
        let details = document.optional(root, "details")?.unwrap_or_default();
        let summary =
            document.optional(root, "summary")?.unwrap_or_else(|| details.lines().next().unwrap_or_default());
        let mut rating = Rating::default();
        rating.read(&document, root)?;
        let mut affected = Vec::new();
        for node in document.list(root, "affected")? {
            rating.read(&document, node)?;
            affected.extend(read_affected(&document, node)?);
        }
        Ok(Self {
            id: document.required(root, "id")?.to_owned(),
            aliases,
            summary: summary.to_owned(),
            withdrawn: document.optional(root, "withdrawn")?.is_some(),
            severity: rating.severity(),
            vector: rating.vector,
            affected,
        })
    }

    /// Whether this record goes by the name, as id or alias.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.id == name || self.aliases.iter().any(|alias| alias == name)
    }
}

#[derive(Default)]
struct Rating {
    score: Option<u8>,
    vector: Option<String>,
    word: Option<Severity>,
}

impl Rating {
    fn read(&mut self, document: &Document<'_>, node: &Node) -> Result<(), Error> {
        for entry in document.list(node, "severity")? {
            let vector = document.required(entry, "score")?;
            let score = cvss_v3_base(vector);
            if score.is_some() && score > self.score {
                self.score = score;
                self.vector = Some(vector.to_owned());
            }
        }
        for member in ["database_specific", "ecosystem_specific"] {
            for key in ["severity", "urgency"] {
                let word = node.get(member).and_then(|m| m.get(key)).and_then(Node::as_str);
                let word = word.and_then(|w| w.parse().ok());
                self.word = self.word.max(word);
            }
        }
        Ok(())
    }

    fn severity(&self) -> Severity {
        self.score.map(Severity::of_tenths).or(self.word).unwrap_or(Severity::Unknown)
    }
}

fn read_affected(document: &Document<'_>, node: &Node) -> Result<Option<Affected>, Error> {
    // Records of pure Git projects have no package: there is nothing to match by name.
    let Some(package) = node.get("package") else { return Ok(None) };
    let mut versions = Vec::new();
    for version in document.list(node, "versions")? {
        versions.push(document.string(version, "a version")?.to_owned());
    }
    let (mut ranges, mut git_ranges) = (Vec::new(), 0_usize);
    for range in document.list(node, "ranges")? {
        match document.required(range, "type")? {
            "SEMVER" | "ECOSYSTEM" => ranges.push(read_range(document, range)?),
            "GIT" => git_ranges = git_ranges.saturating_add(1),
            other => {
                return Err(document
                    .error(range, &format!("range type {other:?} is not known (SEMVER, ECOSYSTEM, GIT)")));
            }
        }
    }
    Ok(Some(Affected {
        ecosystem: document.required(package, "ecosystem")?.to_owned(),
        name: document.required(package, "name")?.to_owned(),
        purl: document.optional(package, "purl")?.and_then(|p| p.parse().ok()),
        versions,
        ranges,
        git_ranges,
    }))
}

fn read_range(document: &Document<'_>, range: &Node) -> Result<Range, Error> {
    let mut events = Vec::new();
    for event in document.list(range, "events")? {
        for (kind, version) in document.object(event, "an event")? {
            let version = document.string(version, "an event's version")?.to_owned();
            events.push(match kind.as_str() {
                "introduced" => Event::Introduced(version),
                "fixed" => Event::Fixed(version),
                "last_affected" => Event::LastAffected(version),
                "limit" => Event::Limit(version),
                other => return Err(document.error(event, &format!("event {other:?} is not known"))),
            });
        }
    }
    if events.is_empty() {
        return Err(document.error(range, "a range without events"));
    }
    Ok(Range { events })
}
