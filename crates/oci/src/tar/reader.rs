use std::collections::BTreeMap;
use std::io::Read;

use super::header::{BLOCK, CHECKSUM, GID, Header, LINK, MAGIC, MODE, MTIME, NAME, PREFIX, SIZE, TYPE, UID};
use super::path;
use super::pax::{self, Extended};
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
    /// The blocks before the content of the entry being read: extended headers with their content, and its own.
    head: Vec<u8>,
    /// What the padding of the content that was read last really holds; zeros, if the writer was tidy.
    tail: Vec<u8>,
    /// Bytes of the archive's end, from the first zero block on.
    end: u64,
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
    /// Whole seconds since 1970.
    pub(crate) mtime: i64,
    /// Extended attributes by name (`SCHILY.xattr.` taken off).
    pub(crate) xattrs: BTreeMap<String, Vec<u8>>,
    /// The bytes of its headers, as they stand in the archive.
    pub(crate) head: Vec<u8>,
}

impl<R: Read> TarReader<R> {
    pub(crate) fn new(inner: R, limits: Limits) -> Self {
        Self {
            inner,
            limits,
            content: 0,
            padding: 0,
            read: 0,
            entries: 0,
            head: Vec::new(),
            tail: Vec::new(),
            end: 0,
            done: false,
        }
    }

    /// The next entry; content of the one before that was not read is skipped.
    pub(crate) fn next_entry(&mut self) -> Result<Option<TarEntry>, Error> {
        let mut extended = Extended::default();
        self.skip_content()?;
        self.head.clear();
        loop {
            let Some(header) = self.header()? else {
                if extended.seen() {
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
            let kind = header.raw(TYPE).first().copied().unwrap_or(0);
            match kind {
                b'x' | b'g' | b'L' | b'K' => {
                    let content = self.small_content(size)?;
                    let read = match kind {
                        b'x' => extended.pax(&content),
                        b'g' => extended.global(&content),
                        b'L' => extended.long_name(&content),
                        _ => extended.long_link(&content),
                    };
                    read.map_err(|fault| self.refused(fault))?;
                }
                kind => return self.entry(&header, kind, size, extended).map(Some),
            }
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
            None => pax::utf8(header.text(LINK)).map_err(|fault| self.refused(fault))?,
        };
        let name = match extended.path {
            Some(path) => path,
            None => self.name(header)?,
        };
        let inside = |path: &str| path::inside(path, &self.limits).map_err(|fault| self.refused(fault));
        let (kind, holds_content) = match kind {
            // Old archives mark a directory by a slash alone.
            b'0' | 0 if name.ends_with('/') => (TarKind::Directory, false),
            b'0' | 0 => (TarKind::File, true),
            b'1' => (TarKind::Hardlink(inside(&link)?), false),
            b'2' => (
                TarKind::Symlink(path::link(link, &self.limits).map_err(|fault| self.refused(fault))?),
                false,
            ),
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
            inside(name.strip_suffix('/').unwrap_or(&name))?
        };
        let in_header = || header.number(MTIME).and_then(|seconds| i64::try_from(seconds).ok());
        let mtime = extended
            .mtime
            .or_else(in_header)
            .ok_or_else(|| self.malformed(format!("time of {name:?} is no number")))?;
        let padding = (512 - size % 512) % 512;
        self.count(size.saturating_add(padding))?;
        (self.content, self.padding) = (size, padding);
        let head = std::mem::take(&mut self.head);
        Ok(TarEntry { path, kind, size, mode: mode & 0o7777, uid, gid, mtime, xattrs: extended.xattrs, head })
    }

    fn name(&self, header: &Header) -> Result<String, Error> {
        let utf8 = |bytes| pax::utf8(bytes).map_err(|fault| self.refused(fault));
        let name = utf8(header.text(NAME))?;
        let is_ustar = header.raw(MAGIC).starts_with(b"ustar\0");
        let prefix = if is_ustar { utf8(header.text(PREFIX))? } else { String::new() };
        Ok(if prefix.is_empty() { name } else { format!("{prefix}/{name}") })
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
            self.end = 1024;
            self.rest_is_zero()?;
            self.done = true;
            return Ok(None);
        }
        if header.number(CHECKSUM) != Some(header.checksum()) {
            return Err(self.malformed("a header's checksum is wrong"));
        }
        self.head.extend_from_slice(header.bytes());
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
            let length = u64::try_from(count).unwrap_or(u64::MAX);
            self.count(length)?;
            self.end = self.end.saturating_add(length);
            if buffer.iter().take(count).any(|&byte| byte != 0) {
                return Err(self.malformed("data follows the end of the archive"));
            }
        }
    }

    /// Reads over what is left of the current entry; its padding is then in [`tail`](Self::tail).
    pub(crate) fn skip_content(&mut self) -> Result<(), Error> {
        self.copy_content(&mut std::io::sink())?;
        self.tail.clear();
        let padded =
            self.inner.by_ref().take(self.padding).read_to_end(&mut self.tail).map_err(read_error)?;
        if u64::try_from(padded).ok() != Some(self.padding) {
            return Err(self.malformed("the archive ends within a file"));
        }
        self.padding = 0;
        Ok(())
    }

    /// The padding of the entry that was [read over](Self::skip_content) last.
    pub(crate) fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// Bytes from the first of the zero blocks to the end of the archive, once that is reached.
    pub(crate) const fn end(&self) -> u64 {
        self.end
    }

    fn small_content(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        if size > self.limits.header_bytes {
            return Err(Error::Limit {
                what: "bytes of an extended header".to_owned(),
                limit: self.limits.header_bytes,
            });
        }
        let padding = (512 - size % 512) % 512;
        self.count(size + padding)?;
        (self.content, self.padding) = (size, padding);
        let mut content = Vec::new();
        self.copy_content(&mut content)?;
        self.skip_content()?;
        self.head.extend_from_slice(&content);
        self.head.extend_from_slice(&self.tail);
        Ok(content)
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

    fn refused(&self, fault: Fault) -> Error {
        match fault {
            Fault::Malformed(reason) => self.malformed(reason),
            Fault::Unsupported { what, advice } => Error::Unsupported { what, advice },
            Fault::Limit { what, limit } => Error::Limit { what: what.to_owned(), limit },
        }
    }

    fn malformed(&self, reason: impl Into<String>) -> Error {
        Error::malformed(format!("layer archive, entry {},", self.entries), reason)
    }
}

/// Why a part of an entry is refused, before it is said where that entry stands.
pub(crate) enum Fault {
    Malformed(String),
    Unsupported { what: String, advice: &'static str },
    Limit { what: &'static str, limit: u64 },
}

impl Fault {
    pub(super) fn malformed(reason: impl Into<String>) -> Self {
        Self::Malformed(reason.into())
    }
}

fn read_error(source: std::io::Error) -> Error {
    // A limit that stopped the reader below is told as what it is.
    match source.downcast::<Error>() {
        Ok(error) => error,
        Err(source) => Error::Io { action: "read", path: "layer".into(), source },
    }
}
