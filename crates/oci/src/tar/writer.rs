use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use super::header::{
    BLOCK, CHECKSUM, DEV_MAJOR, DEV_MINOR, GID, Header, LINK, MAGIC, MODE, MTIME, NAME, PREFIX, SIZE, TYPE,
    UID,
};
use crate::Error;
use crate::tree::{FileTree, Kind, Node};

/// Bytes that are copied at a time.
const COPY: usize = 256 << 10;

/// Writes the canonical archive of `tree` (CANONICAL.md, section 3). `progress` is told the bytes of each file.
pub(crate) fn write_tar<W: Write>(
    tree: &FileTree,
    mtime: u64,
    out: &mut W,
    progress: &dyn Fn(u64),
) -> Result<(), Error> {
    let mut archive = Archive { mtime, out, buffer: vec![0; COPY], firsts: BTreeMap::new(), progress };
    archive.whiteouts(tree, "")?;
    for (path, node) in tree.nodes() {
        archive.node(path, node)?;
        if matches!(node.kind, Kind::Directory) {
            archive.whiteouts(tree, path)?;
        }
    }
    archive.write(&[0; 2 * BLOCK])
}

struct Archive<'a, W> {
    mtime: u64,
    out: &'a mut W,
    buffer: Vec<u8>,
    /// The first name of each group of hard links.
    firsts: BTreeMap<u64, (&'a str, &'a Node)>,
    progress: &'a dyn Fn(u64),
}

/// What a header says.
struct Entry<'a> {
    kind: u8,
    name: &'a str,
    link: &'a str,
    size: u64,
    node: &'a Node,
}

impl<'a, W: Write> Archive<'a, W> {
    fn whiteouts(&mut self, tree: &'a FileTree, directory: &str) -> Result<(), Error> {
        let node = Node::new(Kind::Directory, 0o644);
        for name in tree.whiteouts(directory) {
            let name = if directory.is_empty() { name } else { format!("{directory}/{name}") };
            self.header(&Entry { kind: b'0', name: &name, link: "", size: 0, node: &node })?;
        }
        Ok(())
    }

    fn node(&mut self, path: &'a str, node: &'a Node) -> Result<(), Error> {
        match &node.kind {
            Kind::Directory => {
                self.header(&Entry { kind: b'5', name: &format!("{path}/"), link: "", size: 0, node })
            }
            Kind::Symlink(target) => {
                self.header(&Entry { kind: b'2', name: path, link: target, size: 0, node })
            }
            Kind::File(source, group) => {
                if let Some(group) = group {
                    if let Some((first, node)) = self.firsts.get(group).copied() {
                        return self.header(&Entry { kind: b'1', name: path, link: first, size: 0, node });
                    }
                    self.firsts.insert(*group, (path, node));
                }
                let size = source.size();
                self.header(&Entry { kind: b'0', name: path, link: "", size, node })?;
                self.copy(path, source.open()?, size)?;
                self.pad(size)
            }
        }
    }

    fn header(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        let mut records = Vec::new();
        let mut header = Header::zeroed();
        for (name, value) in &entry.node.xattrs {
            record(&format!("SCHILY.xattr.{name}"), value, &mut records);
        }
        number(&mut header, GID, "gid", entry.node.gid.into(), &mut records);
        if entry.link.len() <= 100 {
            header.put(LINK, entry.link.as_bytes());
        } else {
            record("linkpath", entry.link.as_bytes(), &mut records);
            header.put(LINK, truncated(entry.link).as_bytes());
        }
        number(&mut header, MTIME, "mtime", self.mtime, &mut records);
        match split(entry.name) {
            Some((prefix, rest)) => {
                header.put(PREFIX, prefix.as_bytes());
                header.put(NAME, rest.as_bytes());
            }
            None => {
                record("path", entry.name.as_bytes(), &mut records);
                header.put(NAME, truncated(entry.name).as_bytes());
            }
        }
        number(&mut header, SIZE, "size", entry.size, &mut records);
        number(&mut header, UID, "uid", entry.node.uid.into(), &mut records);
        header.put_octal(MODE, u64::from(entry.node.mode & 0o7777));
        header.put(TYPE, &[entry.kind]);
        if !records.is_empty() {
            let size = u64::try_from(records.len()).unwrap_or(u64::MAX);
            let mut extended = Header::zeroed();
            extended.put(NAME, b"PaxHeaders/lotse");
            extended.put_octal(MODE, 0o644);
            extended.put_octal(SIZE, size);
            extended.put_octal(UID, 0);
            extended.put_octal(GID, 0);
            extended.put_octal(MTIME, 0);
            extended.put(TYPE, b"x");
            self.finish(extended)?;
            self.write(&records)?;
            self.pad(size)?;
        }
        self.finish(header)
    }

    fn finish(&mut self, mut header: Header) -> Result<(), Error> {
        header.put(MAGIC, b"ustar\x0000");
        header.put_octal(DEV_MAJOR, 0);
        header.put_octal(DEV_MINOR, 0);
        let checksum = format!("{:06o}\0 ", header.checksum());
        header.put(CHECKSUM, checksum.as_bytes());
        self.write(header.bytes())
    }

    /// Copies exactly `size` bytes; a file that grew or shrank since it was listed is an error, never a short entry.
    fn copy(&mut self, path: &str, mut content: Box<dyn Read + '_>, size: u64) -> Result<(), Error> {
        let mut left = size;
        loop {
            // One byte more than is left shows a file that grew.
            let most = usize::try_from(left.saturating_add(1)).unwrap_or(usize::MAX).min(self.buffer.len());
            let room = self.buffer.get_mut(..most).unwrap_or(&mut []);
            let read = match content.read(room) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::io("read", path.as_ref())(error)),
            };
            let count = u64::try_from(read).unwrap_or(u64::MAX);
            if count > left || (read == 0 && left > 0) {
                let change = if read == 0 { "shrank" } else { "grew" };
                return Err(Error::Caller(format!(
                    "file {path:?} {change} while the layer was written; build from a tree at rest"
                )));
            }
            if read == 0 {
                return Ok(());
            }
            self.out.write_all(self.buffer.get(..read).unwrap_or(&[])).map_err(write_error)?;
            left -= count;
            (self.progress)(count);
        }
    }

    fn pad(&mut self, size: u64) -> Result<(), Error> {
        let rest = usize::try_from(size % 512).unwrap_or(0);
        if rest == 0 {
            return Ok(());
        }
        self.write([0; BLOCK].get(rest..).unwrap_or(&[]))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.write_all(bytes).map_err(write_error)
    }
}

/// A number goes into the header if it fits there, else into a PAX record (and the header says 0).
fn number(header: &mut Header, field: super::header::Field, key: &str, value: u64, records: &mut Vec<u8>) {
    if !header.put_octal(field, value) {
        header.put_octal(field, 0);
        record(key, value.to_string().as_bytes(), records);
    }
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
fn record(key: &str, value: &[u8], records: &mut Vec<u8>) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    while length.to_string().len() + rest != length {
        length = length.to_string().len() + rest;
    }
    records.extend_from_slice(format!("{length} {key}=").as_bytes());
    records.extend_from_slice(value);
    records.push(b'\n');
}

fn write_error(source: io::Error) -> Error {
    Error::Io { action: "write", path: "layer".into(), source }
}
