use std::io::{self, Read, Write};

use super::header::{
    BLOCK, CHECKSUM, DEV_MAJOR, DEV_MINOR, GID, Header, LINK, MAGIC, MODE, MTIME, NAME, PREFIX, SIZE, TYPE,
    UID,
};
use crate::Error;
use crate::tree::{FileTree, Kind, Node};

/// Writes the canonical archive of `tree`: ustar headers, PAX records only for what does not fit, byte order of full paths,
/// directories ending in `/`, every time `mtime`, no names of owners, two zero blocks at the end.
pub(crate) fn write_tar<W: Write>(tree: &FileTree, mtime: u64, out: &mut W) -> Result<(), Error> {
    for (path, node) in tree.nodes() {
        write_node(path, node, mtime, out)?;
    }
    out.write_all(&[0; 2 * BLOCK]).map_err(write_error)
}

fn write_node<W: Write>(path: &str, node: &Node, mtime: u64, out: &mut W) -> Result<(), Error> {
    let (kind, size, link) = match &node.kind {
        Kind::File(source) => (b'0', source.size(), ""),
        Kind::Directory => (b'5', 0, ""),
        Kind::Symlink(target) => (b'2', 0, target.as_str()),
    };
    let name = if kind == b'5' { format!("{path}/") } else { path.to_owned() };
    let mut records = Vec::new();
    let mut header = Header::zeroed();
    match split(&name) {
        Some((prefix, rest)) => {
            header.put(PREFIX, prefix.as_bytes());
            header.put(NAME, rest.as_bytes());
        }
        None => {
            record("path", &name, &mut records);
            header.put(NAME, truncated(&name).as_bytes());
        }
    }
    if link.len() <= 100 {
        header.put(LINK, link.as_bytes());
    } else {
        record("linkpath", link, &mut records);
        header.put(LINK, truncated(link).as_bytes());
    }
    number(&mut header, SIZE, "size", size, &mut records);
    number(&mut header, UID, "uid", node.uid.into(), &mut records);
    number(&mut header, GID, "gid", node.gid.into(), &mut records);
    number(&mut header, MTIME, "mtime", mtime, &mut records);
    header.put_octal(MODE, u64::from(node.mode & 0o7777));
    header.put(TYPE, &[kind]);
    if !records.is_empty() {
        let mut extended = Header::zeroed();
        extended.put(NAME, b"PaxHeaders/lotse");
        extended.put_octal(MODE, 0o644);
        extended.put_octal(SIZE, u64::try_from(records.len()).unwrap_or(u64::MAX));
        extended.put_octal(UID, 0);
        extended.put_octal(GID, 0);
        extended.put_octal(MTIME, 0);
        extended.put(TYPE, b"x");
        finish(extended, out)?;
        out.write_all(&records).map_err(write_error)?;
        pad(u64::try_from(records.len()).unwrap_or(u64::MAX), out)?;
    }
    finish(header, out)?;
    if let Kind::File(source) = &node.kind {
        copy(path, source.open()?, size, out)?;
        pad(size, out)?;
    }
    Ok(())
}

/// A number goes into the header if it fits there, else into a PAX record (and the header says 0).
fn number(header: &mut Header, field: super::header::Field, key: &str, value: u64, records: &mut Vec<u8>) {
    if !header.put_octal(field, value) {
        header.put_octal(field, 0);
        record(key, &value.to_string(), records);
    }
}

fn finish<W: Write>(mut header: Header, out: &mut W) -> Result<(), Error> {
    header.put(MAGIC, b"ustar\x0000");
    header.put_octal(DEV_MAJOR, 0);
    header.put_octal(DEV_MINOR, 0);
    let checksum = format!("{:06o}\0 ", header.checksum());
    header.put(CHECKSUM, checksum.as_bytes());
    out.write_all(header.bytes()).map_err(write_error)
}

/// Copies exactly `size` bytes; a file that grew or shrank since it was listed is an error, never a short entry.
fn copy<W: Write>(path: &str, mut content: impl Read, size: u64, out: &mut W) -> Result<(), Error> {
    let copied = io::copy(&mut content.by_ref().take(size), out).map_err(write_error)?;
    let mut more = [0; 1];
    let grew = content.read(&mut more).map_err(write_error)? > 0;
    if copied != size || grew {
        let change = if grew { "grew" } else { "shrank" };
        return Err(Error::Caller(format!(
            "file {path:?} {change} while the layer was written; build from a tree at rest"
        )));
    }
    Ok(())
}

fn pad<W: Write>(size: u64, out: &mut W) -> Result<(), Error> {
    let rest = usize::try_from(size % 512).unwrap_or(0);
    if rest == 0 {
        return Ok(());
    }
    out.write_all([0; BLOCK].get(rest..).unwrap_or(&[])).map_err(write_error)
}

/// A name that fits: whole into 100 bytes, or split at its last possible slash into 155 and 100.
fn split(name: &str) -> Option<(&str, &str)> {
    if name.len() <= 100 {
        return Some(("", name));
    }
    name.char_indices()
        .filter(|&(index, character)| character == '/' && index <= 155 && index + 1 < name.len())
        .filter_map(|(index, _)| Some((name.get(..index)?, name.get(index + 1..)?)))
        .rfind(|(prefix, rest)| !prefix.is_empty() && rest.len() <= 100)
}

/// The first bytes of a name that stands in a PAX record: what a reader without PAX shows.
fn truncated(name: &str) -> &str {
    let mut end = name.len().min(100);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or("")
}

/// One PAX record `LENGTH KEY=VALUE\n`, where LENGTH counts itself.
fn record(key: &str, value: &str, records: &mut Vec<u8>) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    while length.to_string().len() + rest != length {
        length = length.to_string().len() + rest;
    }
    records.extend_from_slice(format!("{length} {key}={value}\n").as_bytes());
}

fn write_error(source: io::Error) -> Error {
    Error::Io { action: "write", path: "layer".into(), source }
}
