//! Alpine's installed database (apk-tools 2 and 3): one letter, a colon, a value; records parted by blank lines.

use super::{Draft, Facts, Need, base64, hex, hex_checksum};
use crate::error::Error;
use crate::inventory::{ChecksumAlgorithm, Kind, Problem, SourcePackage};
use crate::json::malformed;
use crate::licence::Licence;

pub(crate) fn installed(path: &str, bytes: &[u8]) -> Result<Facts, Error> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| malformed(path, bytes, e.valid_up_to(), "the apk database is not UTF-8"))?;
    let mut facts = Facts::default();
    let mut record = Record::default();
    for (number, line) in (1_u32..).zip(text.lines()) {
        if line.is_empty() {
            std::mem::take(&mut record).finish(path, &mut facts);
            continue;
        }
        let Some((key, value)) = line.split_once(':') else {
            let reason =
                "a line without a colon in the apk database; its record may be incomplete".to_owned();
            facts.problems.push(Problem { path: path.to_owned(), line: number, reason });
            continue;
        };
        if record.line == 0 {
            record.line = number;
        }
        // Lines after the first F: describe files, not the package.
        record.files |= key == "F";
        if record.files {
            continue;
        }
        match key {
            "P" => record.name = value,
            "V" => record.version = value,
            "A" => record.architecture = value,
            "L" => record.licence = value,
            "o" => record.origin = value,
            "C" => record.checksum = value,
            "T" => record.description = value,
            "D" => record.depends = value,
            "p" => record.provides = value,
            _ => {}
        }
    }
    record.finish(path, &mut facts);
    Ok(facts)
}

#[derive(Default)]
struct Record<'a> {
    line: u32,
    files: bool,
    name: &'a str,
    version: &'a str,
    architecture: &'a str,
    licence: &'a str,
    origin: &'a str,
    checksum: &'a str,
    description: &'a str,
    depends: &'a str,
    provides: &'a str,
}

impl Record<'_> {
    fn finish(self, path: &str, facts: &mut Facts) {
        if self.line == 0 {
            return;
        }
        let mut problem = |reason: String| {
            facts.problems.push(Problem { path: path.to_owned(), line: self.line, reason });
        };
        if self.name.is_empty() || self.version.is_empty() {
            problem("an apk record without name or version was left out".to_owned());
            return;
        }
        // `apk add --virtual` records a name without files, origin and licence: a note, not a package.
        if self.origin.is_empty() && self.checksum.is_empty() && self.description == "virtual meta package" {
            return;
        }
        let mut draft = Draft::new(Kind::Apk, self.name, Some(self.version), path);
        "apk".clone_into(&mut draft.scope_name);
        draft.line = self.line;
        draft.architecture = Some(self.architecture.to_owned()).filter(|a| !a.is_empty());
        if !self.licence.is_empty() {
            draft.licences.push(Licence::read(self.licence));
        }
        let sha1 = self.checksum.strip_prefix("Q1").and_then(base64).map(|bytes| hex(&bytes));
        draft.checksums.extend(sha1.and_then(|h| hex_checksum(ChecksumAlgorithm::Sha1, &h)));
        let source = if self.origin.is_empty() { self.name } else { self.origin };
        draft.source = Some(SourcePackage { name: source.to_owned(), version: self.version.to_owned() });
        draft.provides = self.provides.split_whitespace().map(|p| bare(p).to_owned()).collect();
        let wanted = self.depends.split_whitespace().filter(|need| !need.starts_with('!'));
        draft.needs = wanted.map(|need| Need::on(bare(need))).collect();
        facts.drafts.push(draft);
    }
}

/// The name in front of a version condition or a repository pin.
fn bare(need: &str) -> &str {
    let end = need.find(['<', '>', '=', '~', '@']).unwrap_or(need.len());
    need.get(..end).unwrap_or(need)
}
