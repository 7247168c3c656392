//! The headers of two entries of one path compared, field by field and record by record.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Cause, Difference, Place};
use crate::tar::{BLOCK, TarEntry, TarKind, records};

/// The fields of a header by offset and length: together they are its 512 bytes.
const FIELDS: [(&str, usize, usize); 17] = [
    ("name", 0, 100),
    ("mode", 100, 8),
    ("uid", 108, 8),
    ("gid", 116, 8),
    ("size", 124, 12),
    ("mtime", 136, 12),
    ("chksum", 148, 8),
    ("typeflag", 156, 1),
    ("linkname", 157, 100),
    ("magic", 257, 6),
    ("version", 263, 2),
    ("uname", 265, 32),
    ("gname", 297, 32),
    ("devmajor", 329, 8),
    ("devminor", 337, 8),
    ("prefix", 345, 155),
    ("end of the header", 500, 12),
];

pub(super) fn compare(
    place: &dyn Fn(&str) -> Place,
    left: &TarEntry,
    right: &TarEntry,
    found: &mut Vec<Difference>,
) {
    let (ours, theirs) = (Head::parse(&left.head), Head::parse(&right.head));
    for (name, offset, length) in FIELDS {
        let raw = |head: &Head<'_>| head.main.get(offset..offset + length).unwrap_or(&[]).to_vec();
        let (a, b) = (raw(&ours), raw(&theirs));
        if a != b {
            let cause = cause(name, left, right);
            let shown = |entry, raw: &[u8]| Some(meant(name, entry).unwrap_or_else(|| text(raw)));
            let (mut a_text, mut b_text) = (shown(left, &a), shown(right, &b));
            if a_text == b_text {
                // The same said in other bytes: those are shown.
                (a_text, b_text) = (Some(text(&a)), Some(text(&b)));
            }
            found.push(Difference::new(place(name), cause, a_text, b_text));
        }
    }
    compare_records(place, left, right, (&ours, &theirs), found);
    compare_others(place, (&ours, &theirs), found);
}

/// What an entry is, in words.
pub(super) const fn kind(entry: &TarEntry) -> &'static str {
    match entry.kind {
        TarKind::File => "file",
        TarKind::Directory => "directory",
        TarKind::Symlink(_) => "symbolic link",
        TarKind::Hardlink(_) => "hard link",
        TarKind::Special => "device or FIFO",
    }
}

fn link(entry: &TarEntry) -> Option<&str> {
    match &entry.kind {
        TarKind::Symlink(to) | TarKind::Hardlink(to) => Some(to),
        _ => None,
    }
}

/// What a field means for the file, where it means something.
fn meant(field: &str, entry: &TarEntry) -> Option<String> {
    match field {
        "mode" => Some(format!("{:04o}", entry.mode)),
        "uid" => Some(entry.uid.to_string()),
        "gid" => Some(entry.gid.to_string()),
        "size" => Some(entry.size.to_string()),
        "mtime" => Some(entry.mtime.to_string()),
        "typeflag" => Some(kind(entry).to_owned()),
        "linkname" | "linkpath" => link(entry).map(|to| format!("{to:?}")),
        _ => None,
    }
}

/// A field that says something else about the file has that as its cause; one that says the same in other bytes, its form.
fn cause(field: &str, left: &TarEntry, right: &TarEntry) -> Cause {
    let differs = |cause, differs: bool| if differs { cause } else { Cause::TarFormat };
    match field {
        "mode" => differs(Cause::Mode, left.mode != right.mode),
        "uid" => differs(Cause::Owner, left.uid != right.uid),
        "gid" => differs(Cause::Owner, left.gid != right.gid),
        "uname" | "gname" => Cause::Owner,
        "size" => differs(Cause::Content, left.size != right.size),
        "mtime" => differs(Cause::Time, left.mtime != right.mtime),
        "typeflag" => differs(Cause::Kind, kind(left) != kind(right)),
        "linkname" => differs(Cause::Link, link(left) != link(right)),
        "devmajor" | "devminor" => {
            differs(Cause::Kind, left.kind == TarKind::Special && right.kind == TarKind::Special)
        }
        "chksum" => Cause::Consequence,
        _ => Cause::TarFormat,
    }
}

fn compare_records(
    place: &dyn Fn(&str) -> Place,
    left: &TarEntry,
    right: &TarEntry,
    (ours, theirs): (&Head<'_>, &Head<'_>),
    found: &mut Vec<Difference>,
) {
    let (a, b) = (ours.records(), theirs.records());
    let map = |records: &[(String, Vec<u8>)]| records.iter().cloned().collect::<BTreeMap<_, _>>();
    let (a_map, b_map) = (map(&a), map(&b));
    let keys: BTreeSet<&String> = a_map.keys().chain(b_map.keys()).collect();
    let mut changed = false;
    for key in keys {
        let (x, y) = (a_map.get(key), b_map.get(key));
        if x == y {
            continue;
        }
        changed = true;
        let differs = |cause, differs: bool| if differs { cause } else { Cause::Pax };
        let cause = match key.as_str() {
            "mtime" => Cause::Time,
            "uid" => differs(Cause::Owner, left.uid != right.uid),
            "gid" => differs(Cause::Owner, left.gid != right.gid),
            "uname" | "gname" => Cause::Owner,
            "size" => differs(Cause::Content, left.size != right.size),
            "linkpath" => differs(Cause::Link, link(left) != link(right)),
            key if key.starts_with("SCHILY.xattr.") || key.starts_with("LIBARCHIVE.xattr.") => Cause::Xattr,
            _ => Cause::Pax,
        };
        let shown = |value: Option<&Vec<u8>>| value.map(|value| text(value));
        found.push(Difference::new(place(&format!("PAX record {key:?}")), cause, shown(x), shown(y)));
    }
    if !changed && a != b {
        let shown = |records: &[(String, Vec<u8>)]| {
            Some(records.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>().join(", "))
        };
        found.push(Difference::new(place("order of PAX records"), Cause::Pax, shown(&a), shown(&b)));
    }
    // The extended header has a header of its own.
    let (x, y) = (ours.extra(b'x'), theirs.extra(b'x'));
    match (x, y) {
        (Some((x, _)), Some((y, _))) => {
            for (name, offset, length) in FIELDS {
                let raw = |header: &[u8]| header.get(offset..offset + length).unwrap_or(&[]).to_vec();
                let (x, y) = (raw(x), raw(y));
                if x != y {
                    let follows = matches!(name, "chksum") || name == "size" && changed;
                    let cause = if follows { Cause::Consequence } else { Cause::Pax };
                    let field = format!("{name} of the PAX header");
                    found.push(Difference::new(place(&field), cause, Some(text(&x)), Some(text(&y))));
                }
            }
        }
        (None, None) => {}
        (x, y) => {
            let cause = if changed { Cause::Consequence } else { Cause::Pax };
            let shown =
                |extra: Option<(&[u8], &[u8])>| extra.map(|(_, content)| format!("{} bytes", content.len()));
            found.push(Difference::new(place("PAX header"), cause, shown(x), shown(y)));
        }
    }
}

/// GNU's long names and global headers: the same on both sides, or another form.
fn compare_others(
    place: &dyn Fn(&str) -> Place,
    (ours, theirs): (&Head<'_>, &Head<'_>),
    found: &mut Vec<Difference>,
) {
    for (kind, name, cause) in [
        (b'L', "GNU long name", Cause::TarFormat),
        (b'K', "GNU long link", Cause::TarFormat),
        (b'g', "global PAX header", Cause::Pax),
    ] {
        let all = |head: &Head<'_>| -> Vec<u8> {
            let extras = head.extras.iter().filter(|(other, ..)| *other == kind);
            extras.flat_map(|(_, header, content)| [*header, *content].concat()).collect()
        };
        let (a, b) = (all(ours), all(theirs));
        if a != b {
            let shown = |bytes: &[u8]| (!bytes.is_empty()).then(|| text(bytes.get(BLOCK..).unwrap_or(&[])));
            found.push(Difference::new(place(name), cause, shown(&a), shown(&b)));
        }
    }
}

/// The blocks before an entry's content: extended headers with theirs, then its own.
struct Head<'a> {
    /// Kind, header and content with its padding.
    extras: Vec<(u8, &'a [u8], &'a [u8])>,
    main: &'a [u8],
}

impl<'a> Head<'a> {
    fn parse(mut bytes: &'a [u8]) -> Self {
        let mut extras = Vec::new();
        while let Some((header, rest)) = bytes.split_at_checked(BLOCK).filter(|(_, rest)| !rest.is_empty()) {
            let digits = header.get(124..136).unwrap_or(&[]);
            let digits = digits.iter().filter(|byte| (b'0'..=b'7').contains(*byte));
            let size = digits
                .fold(0usize, |size, digit| size.saturating_mul(8).saturating_add(usize::from(digit - b'0')));
            let (content, rest) = rest.split_at_checked(size.next_multiple_of(BLOCK)).unwrap_or((rest, &[]));
            extras.push((header.get(156).copied().unwrap_or(0), header, content));
            bytes = rest;
        }
        Self { extras, main: bytes }
    }

    fn extra(&self, kind: u8) -> Option<(&'a [u8], &'a [u8])> {
        self.extras.iter().find(|(other, ..)| *other == kind).map(|(_, header, content)| (*header, *content))
    }

    fn records(&self) -> Vec<(String, Vec<u8>)> {
        let Some((_, content)) = self.extra(b'x') else { return Vec::new() };
        // What follows the records is the padding of the block.
        let end = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        records(content.get(..end).unwrap_or(&[])).unwrap_or_default()
    }
}

/// Bytes as text, without the NULs at their end.
fn text(bytes: &[u8]) -> String {
    match bytes.iter().rposition(|byte| *byte != 0) {
        None => "NULs".to_owned(),
        Some(last) => format!("{:?}", String::from_utf8_lossy(bytes.get(..=last.min(199)).unwrap_or(&[]))),
    }
}
