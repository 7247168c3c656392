//! Cargo.lock versions 1 to 4: the part of TOML that Cargo writes, read strictly.

use super::{Draft, Facts, Need, hex_checksum};
use crate::error::Error;
use crate::inventory::{ChecksumAlgorithm, Kind, Origin};
use std::collections::BTreeMap;

pub(crate) fn lock(path: &str, bytes: &[u8]) -> Result<Facts, Error> {
    let error = |line: usize, reason: &str| Error::Malformed {
        path: path.to_owned(),
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: 1,
        reason: reason.to_owned(),
    };
    let text = std::str::from_utf8(bytes).map_err(|_| error(1, "Cargo.lock is not UTF-8"))?;
    let mut tables: Vec<Table> = vec![Table::default()];
    let mut lines = (1..).zip(text.lines());
    while let Some((number, raw)) = lines.next() {
        let line = raw.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix("[[").and_then(|l| l.strip_suffix("]]")) {
            tables.push(Table { name: name.trim().to_owned(), line: number, fields: BTreeMap::new() });
            continue;
        }
        if let Some(name) =
            line.strip_prefix('[').and_then(|l| l.strip_suffix(']')).filter(|n| !n.contains(['[', ']']))
        {
            tables.push(Table { name: name.trim().to_owned(), line: number, fields: BTreeMap::new() });
            continue;
        }
        let (key, value) =
            line.split_once('=').ok_or_else(|| error(number, "neither a table nor `key = value`"))?;
        let key = key.trim().trim_matches('"').to_owned();
        let mut value = value.trim().to_owned();
        if value.starts_with('[') {
            while !value.ends_with(']') {
                let (_, more) = lines.next().ok_or_else(|| error(number, "the file ends inside a list"))?;
                value.push_str(more.trim());
            }
        }
        let values = strings(&value)
            .ok_or_else(|| error(number, "the value is no string, number or list of strings"))?;
        let table = tables.last_mut().ok_or_else(|| error(number, "no table"))?;
        if table.fields.insert(key, values).is_some() {
            return Err(error(number, "a key stands twice in one table"));
        }
    }
    build(path, &tables, error)
}

#[derive(Default)]
struct Table {
    name: String,
    line: usize,
    fields: BTreeMap<String, Vec<String>>,
}

impl Table {
    fn one(&self, key: &str) -> Option<&str> {
        self.fields.get(key).and_then(|v| v.first()).map(String::as_str)
    }
}

fn build(path: &str, tables: &[Table], error: impl Fn(usize, &str) -> Error) -> Result<Facts, Error> {
    let top = tables.first().and_then(|t| t.one("version"));
    if let Some(version) = top.filter(|v| !matches!(*v, "1" | "2" | "3" | "4")) {
        return Err(Error::UnsupportedVersion {
            path: path.to_owned(),
            format: "Cargo.lock",
            version: version.to_owned(),
            known: "1 to 4",
        });
    }
    let metadata = tables.iter().find(|t| t.name == "metadata");
    let mut facts = Facts::default();
    for table in tables.iter().skip(1) {
        match table.name.as_str() {
            // Version 1 wrote the root package into a table of its own.
            "package" | "root" => {}
            "metadata" | "patch.unused" => continue,
            _ => {
                return Err(error(
                    table.line,
                    &format!("the table {:?} is not known in Cargo.lock", table.name),
                ));
            }
        }
        let name = table.one("name").ok_or_else(|| error(table.line, "a package without name"))?;
        let version = table.one("version").ok_or_else(|| error(table.line, "a package without version"))?;
        let source = table.one("source");
        let mut draft = Draft::new(Kind::Cargo, name, Some(version), path);
        draft.line = u32::try_from(table.line).unwrap_or(u32::MAX);
        draft.key = format!("{name} {version}");
        draft.provides = vec![name.to_owned()];
        draft.origin = match source {
            None => Origin::Local,
            Some(source) if source.starts_with("git+") => Origin::Vcs(source.to_owned()),
            Some(_) => Origin::Registry,
        };
        draft.provides.extend(source.map(|s| format!("{name} {version} ({s})")));
        let old_key = source.map(|s| format!("checksum {name} {version} ({s})"));
        let sum = table.one("checksum").or_else(|| metadata.and_then(|m| m.one(old_key.as_deref()?)));
        draft.checksums.extend(sum.and_then(|s| hex_checksum(ChecksumAlgorithm::Sha256, s)));
        let needs = table.fields.get("dependencies").into_iter().flatten();
        draft.needs = needs
            .map(|need| {
                // Best match first: the whole text, then without the source.
                let short: Vec<&str> = need.split(' ').take(2).collect();
                Need { name: need.clone(), any_of: vec![need.clone(), short.join(" ")], optional: false }
            })
            .collect();
        facts.drafts.push(draft);
    }
    // A local package that nothing needs is a project of this lock file.
    let needed: std::collections::BTreeSet<String> = facts
        .drafts
        .iter()
        .flat_map(|d| &d.needs)
        .filter_map(|n| n.name.split(' ').next())
        .map(str::to_owned)
        .collect();
    for draft in &mut facts.drafts {
        draft.project = draft.origin == Origin::Local && !needed.contains(&draft.name);
    }
    Ok(facts)
}

/// A basic string, a bare number, or a list of basic strings.
fn strings(value: &str) -> Option<Vec<String>> {
    if let Some(list) = value.strip_prefix('[').and_then(|v| v.strip_suffix(']')) {
        return list.split(',').map(str::trim).filter(|item| !item.is_empty()).map(string).collect();
    }
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(vec![value.to_owned()]);
    }
    string(value).map(|s| vec![s])
}

fn string(value: &str) -> Option<String> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains(['"', '\\'])).then(|| inner.to_owned())
}
