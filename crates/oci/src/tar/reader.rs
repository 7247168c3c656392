use std::io::Read;

use super::header::{BLOCK, CHECKSUM, GID, Header, LINK, MAGIC, MODE, NAME, PREFIX, SIZE, TYPE, UID};
use crate::{Error, Limits};

/// A strict reader of tar archives from untrusted layers. What readers disagree on is refused.
pub(crate) struct TarReader<R> {
    inner: R,
    limits: Limits,
    /// Content and padding of the current entry that were not read yet.
    content: u64,
    padding: u64,
    read: u64,
    entries: u64,
    done: bool,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TarKind {
    File,
    Directory,
    Symlink(String),
    Hardlink(String),
    /// A device or FIFO; nothing that a reader of files wants.
    Special,
}

/// The header of one entry, PAX records and GNU long names applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TarEntry {
    /// Relative, without `./` and without a slash at the end.
    pub(crate) path: String,
    pub(crate) kind: TarKind,
    pub(crate) size: u64,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// What the headers before an entry say about it.
#[derive(Default)]
struct Extended {
    path: Option<String>,
    link: Option<String>,
    size: Option<u64>,
    uid: Option<u32>,
    gid: Option<u32>,
    seen: bool,
}

impl<R: Read> TarReader<R> {
    pub(crate) fn new(inner: R, limits: Limits) -> Self {
        Self { inner, limits, content: 0, padding: 0, read: 0, entries: 0, done: false }
    }

    /// The next entry; content of the one before that was not read is skipped.
    pub(crate) fn next_entry(&mut self) -> Result<Option<TarEntry>, Error> {
        let mut extended = Extended::default();
        loop {
            self.skip_content()?;
            let Some(header) = self.header()? else {
                if extended.seen {
                    return Err(self.malformed("the archive ends after an extended header"));
                }
                return Ok(None);
            };
            self.entries += 1;
            if self.entries > self.limits.entries {
                return Err(Error::Limit {
                    what: "entries of a layer".to_owned(),
                    limit: self.limits.entries,
                });
            }
            let size = header.number(SIZE).ok_or_else(|| self.malformed("an entry's size is no number"))?;
            match header.raw(TYPE).first().copied().unwrap_or(0) {
                b'x' => {
                    let records = self.small_content(size)?;
                    self.pax(&records, &mut extended)?;
                }
                b'g' => {
                    let records = self.small_content(size)?;
                    self.global(&records)?;
                }
                b'L' => extended.path = Some(self.long_name(size, extended.path.is_some())?),
                b'K' => extended.link = Some(self.long_name(size, extended.link.is_some())?),
                kind => return self.entry(&header, kind, size, extended).map(Some),
            }
            extended.seen = true;
        }
    }

    /// The content of the current entry, which must not exceed [`Limits::file_bytes`].
    pub(crate) fn read_content(&mut self) -> Result<Vec<u8>, Error> {
        if self.content > self.limits.file_bytes {
            return Err(Error::Limit {
                what: "bytes of a file in a layer".to_owned(),
                limit: self.limits.file_bytes,
            });
        }
        let mut content = Vec::with_capacity(usize::try_from(self.content.min(1 << 20)).unwrap_or(0));
        self.copy_content(&mut content)?;
        Ok(content)
    }

    /// Copies the content of the current entry.
    pub(crate) fn copy_content(&mut self, out: &mut impl std::io::Write) -> Result<(), Error> {
        let copied = std::io::copy(&mut self.inner.by_ref().take(self.content), out).map_err(read_error)?;
        if copied != self.content {
            return Err(self.malformed("the archive ends within a file"));
        }
        self.content = 0;
        Ok(())
    }

    fn entry(&mut self, header: &Header, kind: u8, size: u64, extended: Extended) -> Result<TarEntry, Error> {
        let size = extended.size.unwrap_or(size);
        let link = match extended.link {
            Some(link) => link,
            None => self.utf8(header.text(LINK))?,
        };
        let name = match extended.path {
            Some(path) => path,
            None => self.name(header)?,
        };
        let (kind, holds_content) = match kind {
            // Old archives mark a directory by a slash alone.
            b'0' | 0 if name.ends_with('/') => (TarKind::Directory, false),
            b'0' | 0 => (TarKind::File, true),
            b'1' => (TarKind::Hardlink(self.path(&link)?), false),
            b'2' => (TarKind::Symlink(self.link(link)?), false),
            b'5' => (TarKind::Directory, false),
            b'3' | b'4' | b'6' => (TarKind::Special, false),
            other => {
                return Err(Error::Unsupported {
                    what: format!("tar entry type {:?}", char::from(other)),
                    advice: "sparse, contiguous and vendor entries are refused",
                });
            }
        };
        if !holds_content && size != 0 {
            return Err(self.malformed(format!("entry {name:?} has a size but can hold no content")));
        }
        let number = |value: Option<u64>| value.and_then(|value| u32::try_from(value).ok());
        let id = |given: Option<u32>, field| given.or_else(|| number(header.number(field)));
        let (Some(uid), Some(gid)) = (id(extended.uid, UID), id(extended.gid, GID)) else {
            return Err(self.malformed(format!("owner of {name:?} is no number")));
        };
        let mode = number(header.number(MODE))
            .ok_or_else(|| self.malformed(format!("mode of {name:?} is no number")))?;
        let path = if name.trim_end_matches('/') == "." && kind == TarKind::Directory {
            String::new()
        } else {
            self.path(name.strip_suffix('/').unwrap_or(&name))?
        };
        self.content = size;
        self.padding = (512 - size % 512) % 512;
        self.count(size.saturating_add(self.padding))?;
        Ok(TarEntry { path, kind, size, mode: mode & 0o7777, uid, gid })
    }

    fn name(&self, header: &Header) -> Result<String, Error> {
        let name = self.utf8(header.text(NAME))?;
        let is_ustar = header.raw(MAGIC).starts_with(b"ustar\0");
        let prefix = if is_ustar { self.utf8(header.text(PREFIX))? } else { String::new() };
        Ok(if prefix.is_empty() { name } else { format!("{prefix}/{name}") })
    }

    /// A path that stays inside the layer.
    fn path(&self, path: &str) -> Result<String, Error> {
        let mut relative = path;
        while let Some(rest) = relative.strip_prefix("./") {
            relative = rest;
        }
        if relative.len() > self.limits.path_bytes {
            let limit = u64::try_from(self.limits.path_bytes).unwrap_or(u64::MAX);
            return Err(Error::Limit { what: "bytes of a path in a layer".to_owned(), limit });
        }
        let fault = if relative.is_empty() {
            Some("is empty")
        } else if relative.starts_with('/') {
            Some("is absolute")
        } else if relative.contains('\0') {
            Some("holds a NUL")
        } else if relative.split('/').any(|component| component == "..") {
            Some("leaves the layer by '..'")
        } else if relative.split('/').any(|component| component.is_empty() || component == ".") {
            Some("has an empty or '.' component")
        } else {
            None
        };
        match fault {
            Some(fault) => Err(self.malformed(format!("path {path:?} {fault}"))),
            None => Ok(relative.to_owned()),
        }
    }

    fn link(&self, target: String) -> Result<String, Error> {
        if target.is_empty() || target.contains('\0') || target.len() > self.limits.path_bytes {
            return Err(self.malformed("a symbolic link has no usable target"));
        }
        Ok(target)
    }

    fn header(&mut self) -> Result<Option<Header>, Error> {
        if self.done {
            return Ok(None);
        }
        let mut header = Header::zeroed();
        self.block(header.bytes_mut())?;
        if header.is_zero() {
            let mut second = Header::zeroed();
            self.block(second.bytes_mut())?;
            if !second.is_zero() {
                return Err(self.malformed("data follows a single zero block"));
            }
            self.rest_is_zero()?;
            self.done = true;
            return Ok(None);
        }
        if header.number(CHECKSUM) != Some(header.checksum()) {
            return Err(self.malformed("a header's checksum is wrong"));
        }
        Ok(Some(header))
    }

    fn block(&mut self, block: &mut [u8; BLOCK]) -> Result<(), Error> {
        self.count(512)?;
        match self.inner.read_exact(block) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Err(self.malformed("the archive is cut off: its two zero blocks are missing"))
            }
            Err(error) => Err(read_error(error)),
        }
    }

    /// GNU tar pads with zeros to 10,240 bytes; anything else after the end is a second archive that some readers see.
    fn rest_is_zero(&mut self) -> Result<(), Error> {
        let mut buffer = [0; 4096];
        loop {
            let count = self.inner.read(&mut buffer).map_err(read_error)?;
            if count == 0 {
                return Ok(());
            }
            self.count(u64::try_from(count).unwrap_or(u64::MAX))?;
            if buffer.iter().take(count).any(|&byte| byte != 0) {
                return Err(self.malformed("data follows the end of the archive"));
            }
        }
    }

    fn skip_content(&mut self) -> Result<(), Error> {
        let rest = self.content + self.padding;
        let skipped =
            std::io::copy(&mut self.inner.by_ref().take(rest), &mut std::io::sink()).map_err(read_error)?;
        if skipped != rest {
            return Err(self.malformed("the archive ends within a file"));
        }
        (self.content, self.padding) = (0, 0);
        Ok(())
    }

    fn small_content(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        if size > self.limits.header_bytes {
            return Err(Error::Limit {
                what: "bytes of an extended header".to_owned(),
                limit: self.limits.header_bytes,
            });
        }
        self.content = size;
        self.padding = (512 - size % 512) % 512;
        self.count(size + self.padding)?;
        let mut content = Vec::new();
        self.copy_content(&mut content)?;
        Ok(content)
    }

    fn long_name(&mut self, size: u64, twice: bool) -> Result<String, Error> {
        if twice {
            return Err(self.malformed("an entry is named by two headers"));
        }
        let content = self.small_content(size)?;
        let name = content.strip_suffix(&[0]).unwrap_or(&content);
        self.utf8(name)
    }

    /// The records of a PAX header for the next entry. One that is malformed is an error, never skipped.
    fn pax(&self, records: &[u8], extended: &mut Extended) -> Result<(), Error> {
        if extended.seen {
            return Err(self.malformed("two extended headers stand before one entry"));
        }
        for (key, value) in self.records(records)? {
            match key.as_str() {
                "path" => extended.path = Some(value),
                "linkpath" => extended.link = Some(value),
                "size" => extended.size = Some(self.decimal(&key, &value)?),
                "uid" => extended.uid = Some(self.id(&key, &value)?),
                "gid" => extended.gid = Some(self.id(&key, &value)?),
                _ if key.starts_with("GNU.sparse.") || key == "hdrcharset" => {
                    return Err(Error::Unsupported {
                        what: format!("PAX record {key:?}"),
                        advice: "sparse files and other character sets are refused",
                    });
                }
                // Times, names of owners and extended attributes: not of interest here.
                _ => {}
            }
        }
        Ok(())
    }

    /// A global header may carry a comment (`git archive` writes one); it may not rename or resize entries.
    fn global(&self, records: &[u8]) -> Result<(), Error> {
        for (key, _) in self.records(records)? {
            if key != "comment" {
                return Err(Error::Unsupported {
                    what: format!("global PAX record {key:?}"),
                    advice: "readers disagree on what it applies to, so it is refused",
                });
            }
        }
        Ok(())
    }

    fn records(&self, mut bytes: &[u8]) -> Result<Vec<(String, String)>, Error> {
        let mut records: Vec<(String, String)> = Vec::new();
        while !bytes.is_empty() {
            let fault = || self.malformed("a PAX record is malformed");
            let blank = bytes.iter().position(|&byte| byte == b' ').ok_or_else(fault)?;
            let digits =
                bytes.get(..blank).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(fault)?;
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let length = digits.parse::<usize>().ok().filter(|_| plain).ok_or_else(fault)?;
            let record = bytes
                .get(blank + 1..length)
                .and_then(|record| record.strip_suffix(b"\n"))
                .ok_or_else(fault)?;
            let equals = record.iter().position(|&byte| byte == b'=').ok_or_else(fault)?;
            let (key, value) = record.split_at_checked(equals).ok_or_else(fault)?;
            let key = self.utf8(key)?;
            if records.iter().any(|(other, _)| *other == key) {
                return Err(self.malformed(format!("PAX record {key:?} comes twice")));
            }
            // Extended attributes may hold any bytes; they are not read here.
            let is_text = !key.starts_with("SCHILY.xattr.") && !key.starts_with("LIBARCHIVE.");
            let value = value.get(1..).unwrap_or(&[]);
            let value = if is_text { self.utf8(value)? } else { String::new() };
            records.push((key, value));
            bytes = bytes.get(length..).ok_or_else(fault)?;
        }
        Ok(records)
    }

    fn decimal(&self, key: &str, value: &str) -> Result<u64, Error> {
        let plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        value
            .parse()
            .ok()
            .filter(|_| plain)
            .ok_or_else(|| self.malformed(format!("PAX record {key:?} is no number")))
    }

    fn id(&self, key: &str, value: &str) -> Result<u32, Error> {
        u32::try_from(self.decimal(key, value)?)
            .map_err(|_| self.malformed(format!("PAX record {key:?} is too large")))
    }

    fn utf8(&self, bytes: &[u8]) -> Result<String, Error> {
        String::from_utf8(bytes.to_vec()).map_err(|_| self.malformed("a name is not UTF-8"))
    }

    fn count(&mut self, bytes: u64) -> Result<(), Error> {
        self.read = self.read.saturating_add(bytes);
        if self.read > self.limits.layer_bytes {
            return Err(Error::Limit {
                what: "uncompressed bytes of a layer".to_owned(),
                limit: self.limits.layer_bytes,
            });
        }
        Ok(())
    }

    fn malformed(&self, reason: impl Into<String>) -> Error {
        Error::malformed(format!("layer archive, entry {},", self.entries), reason)
    }
}

fn read_error(source: std::io::Error) -> Error {
    Error::Io { action: "read", path: "layer".into(), source }
}
