//! What was found, and where. Nothing here holds a secret.

use std::fmt;

/// One secret at one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Finding {
    /// Where it starts.
    pub place: Place,
    /// Line of the start, from 1; line feeds end lines.
    pub line: u64,
    /// Column of the start in bytes, from 1.
    pub column: u64,
    /// The rule that found it.
    pub rule: &'static str,
    /// What it is, in words.
    pub description: &'static str,
    /// Its public start and its length, never more than half of it.
    pub preview: String,
    /// Names rule and secret: the same secret has the same fingerprint everywhere.
    pub fingerprint: String,
    /// What beyond the form speaks for it.
    pub proof: Proof,
}

/// What was checked offline beyond the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Proof {
    /// The token's own checksum is right.
    Checksum,
    /// The content is what it claims to be: a key that decodes, a header that parses.
    Structure,
    /// The form alone.
    Form,
}

/// Where bytes come from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub struct Place {
    /// The path, parted by `/`; a secret that stands in it is masked.
    pub path: String,
    /// The commit (or tag object) that brought it, in hex; the path is then inside that commit.
    pub commit: Option<String>,
    /// The layer of an image, by its digest or number as the caller names it.
    pub layer: Option<String>,
    /// The part of the file or object that was decoded: a value of a Kubernetes Secret, a commit message.
    pub part: Option<String>,
}

impl Place {
    /// A file in a tree.
    #[must_use]
    pub fn file(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// A file in a layer of an image.
    #[must_use]
    pub fn layer(layer: impl Into<String>, path: impl Into<String>) -> Self {
        Self { path: path.into(), layer: Some(layer.into()), ..Self::default() }
    }

    /// A file as a commit has it.
    #[must_use]
    pub fn commit(commit: impl Into<String>, path: impl Into<String>) -> Self {
        Self { path: path.into(), commit: Some(commit.into()), ..Self::default() }
    }

    pub(crate) fn part(&self, part: impl Into<String>) -> Self {
        Self { part: Some(part.into()), ..self.clone() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(commit) = &self.commit {
            write!(f, "commit {} ", commit.get(..12).unwrap_or(commit))?;
        }
        if let Some(layer) = &self.layer {
            write!(f, "layer {layer} ")?;
        }
        f.write_str(&self.path)?;
        if let Some(part) = &self.part {
            write!(f, " ({part})")?;
        }
        Ok(())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}: {} [{}]",
            self.place, self.line, self.column, self.rule, self.preview, self.fingerprint
        )
    }
}

/// Something that was not scanned, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct NotScanned {
    /// What.
    pub place: Place,
    /// Why, in words.
    pub reason: String,
}

/// The outcome of one or several scans, sorted by place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Findings {
    /// What was found.
    pub found: Vec<Finding>,
    /// What was left out. A scan that lists something here is not clean.
    pub not_scanned: Vec<NotScanned>,
    /// How many files, blobs, messages and entries were scanned.
    pub scanned: u64,
    /// How many bytes they held.
    pub bytes: u64,
}

impl Findings {
    /// Takes over another scan's outcome; the result is sorted and holds each finding once.
    pub fn merge(&mut self, other: Self) {
        self.found.extend(other.found);
        self.not_scanned.extend(other.not_scanned);
        self.scanned = self.scanned.saturating_add(other.scanned);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.sort();
    }

    pub(crate) fn sort(&mut self) {
        self.found.sort();
        self.found.dedup();
        self.not_scanned.sort();
        self.not_scanned.dedup();
    }
}

/// One finding as a JSON object on one line: `path`, `commit`, `layer`, `part`, `line`, `column`, `rule`, `description`,
/// `preview`, `fingerprint`, `proof`.
#[must_use]
pub fn finding_json(finding: &Finding) -> String {
    let proof = match finding.proof {
        Proof::Checksum => "checksum",
        Proof::Structure => "structure",
        Proof::Form => "form",
    };
    let place = &finding.place;
    let mut members = vec![("path", Some(place.path.as_str()))];
    members.push(("commit", place.commit.as_deref()));
    members.push(("layer", place.layer.as_deref()));
    members.push(("part", place.part.as_deref()));
    members.push(("rule", Some(finding.rule)));
    members.push(("description", Some(finding.description)));
    members.push(("preview", Some(&finding.preview)));
    members.push(("fingerprint", Some(&finding.fingerprint)));
    members.push(("proof", Some(proof)));
    let texts = members.into_iter().filter_map(|(name, value)| Some(format!("\"{name}\":{}", quote(value?))));
    let numbers = [format!("\"line\":{}", finding.line), format!("\"column\":{}", finding.column)];
    format!("{{{}}}", texts.chain(numbers).collect::<Vec<_>>().join(","))
}

fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
