//! dpkg's status file and the `status.d` of distroless images.

use super::{Draft, Facts, Need};
use crate::error::Error;
use crate::inventory::{Kind, Problem, SourcePackage};
use crate::json::malformed;
use std::collections::BTreeMap;

pub(crate) fn status(path: &str, bytes: &[u8]) -> Result<Facts, Error> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| malformed(path, bytes, e.valid_up_to(), "the dpkg database is not UTF-8"))?;
    // In status.d the presence of the file says that the package is installed.
    let needs_status = !path.contains("status.d/");
    let mut facts = Facts::default();
    let mut paragraph = Paragraph::default();
    for (number, line) in (1_u32..).zip(text.lines()) {
        if line.trim().is_empty() {
            std::mem::take(&mut paragraph).finish(path, needs_status, &mut facts);
        } else {
            paragraph.line(number, line);
        }
    }
    paragraph.finish(path, needs_status, &mut facts);
    Ok(facts)
}

#[derive(Default)]
struct Paragraph<'a> {
    start: u32,
    broken: Option<u32>,
    fields: BTreeMap<String, &'a str>,
}

impl<'a> Paragraph<'a> {
    fn line(&mut self, number: u32, line: &'a str) {
        if self.start == 0 {
            self.start = number;
        }
        // A continuation: none of the fields read here has one.
        if line.starts_with([' ', '\t']) {
            return;
        }
        match line.split_once(':') {
            Some((key, value)) if !key.is_empty() && !key.contains(' ') => {
                self.fields.insert(key.to_ascii_lowercase(), value.trim());
            }
            _ => self.broken = Some(number),
        }
    }

    fn field(&self, key: &str) -> Option<&'a str> {
        self.fields.get(key).copied().filter(|v| !v.is_empty())
    }

    fn finish(self, path: &str, needs_status: bool, facts: &mut Facts) {
        if self.start == 0 {
            return;
        }
        let mut problem =
            |line: u32, reason: String| facts.problems.push(Problem { path: path.to_owned(), line, reason });
        if let Some(line) = self.broken {
            problem(line, "a line that is no field: the record was left out".to_owned());
            return;
        }
        let Some(name) = self.field("package") else {
            problem(self.start, "a dpkg record without Package was left out".to_owned());
            return;
        };
        let status = self.field("status").unwrap_or_default();
        let state = status.split_whitespace().nth(2).unwrap_or_default();
        // Removed packages keep their record while configuration files remain.
        if needs_status && matches!(state, "config-files" | "not-installed") {
            return;
        }
        if needs_status && state.is_empty() {
            problem(
                self.start,
                format!("package {name:?} has no readable Status; it is counted as installed"),
            );
        }
        let Some(version) = self.field("version") else {
            problem(self.start, format!("the record of {name:?} has no Version and was left out"));
            return;
        };
        let mut draft = Draft::new(Kind::Deb, name, Some(version), path);
        "dpkg".clone_into(&mut draft.scope_name);
        draft.line = self.start;
        draft.architecture = self.field("architecture").map(str::to_owned);
        draft.source = Some(source(self.field("source"), name, version));
        let provided = self.field("provides").unwrap_or_default();
        draft.provides = provided.split(',').map(|p| bare(p).to_owned()).filter(|p| !p.is_empty()).collect();
        draft.needs = ["pre-depends", "depends"].into_iter().flat_map(|key| needs(self.field(key))).collect();
        facts.drafts.push(draft);
    }
}

/// `Source: name (version)`; either part may be missing.
fn source(field: Option<&str>, name: &str, version: &str) -> SourcePackage {
    let (source, rest) = field.unwrap_or(name).split_once(' ').unwrap_or((field.unwrap_or(name), ""));
    let stated = rest.trim().strip_prefix('(').and_then(|v| v.strip_suffix(')'));
    SourcePackage { name: source.to_owned(), version: stated.unwrap_or(version).to_owned() }
}

fn needs(field: Option<&str>) -> Vec<Need> {
    let groups = field.unwrap_or_default().split(',').map(str::trim).filter(|g| !g.is_empty());
    groups
        .map(|group| Need {
            name: group.split('|').map(bare).collect::<Vec<_>>().join(" | "),
            any_of: group.split('|').map(|p| bare(p).to_owned()).collect(),
            optional: false,
        })
        .collect()
}

/// The name in front of a version condition or an architecture.
fn bare(need: &str) -> &str {
    let need = need.trim();
    let end = need.find([' ', '(', ':', '[']).unwrap_or(need.len());
    need.get(..end).unwrap_or(need)
}
