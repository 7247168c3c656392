//! Who compressed a layer: read from the gzip header, and found out by doing it again.

use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;

use lotse_digest::VerifyingReader;
use serde::Serialize;

use super::finding::{Cause, Difference, Place};
use crate::bounded::{Bounded, Counting};
use crate::{Descriptor, Error, GzipWriter, Layout, decode, media};

/// What made a layer's blob of its archive, as far as the bytes tell. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Encoder {
    /// `none`, `zstd`, `lotse-layer/1`, `flate2`, or `unknown` for a gzip stream that none of those here makes.
    pub name: String,
    /// The level, 1 to 9: certain if the encoder is known, else what the gzip header says of it (1 and 9 only).
    pub level: Option<u8>,
    /// Whether compressing the archive again gave the same bytes.
    pub exact: bool,
    /// The gzip header: flags, time, extra flags, operating system and name.
    pub header: Option<GzipHeader>,
}

/// The header of the first gzip member (RFC 1952, section 2.3). Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GzipHeader {
    /// `FLG`: which optional parts follow.
    pub flags: u8,
    /// `MTIME`, in seconds since 1970; 0 if there is none.
    pub mtime: u32,
    /// `XFL`: 2 for the best compression, 4 for the fastest.
    pub extra_flags: u8,
    /// `OS`: 3 for Unix, 255 for unknown.
    pub system: u8,
    /// `FNAME`, the name of the file that was compressed.
    pub name: Option<String>,
    /// The bytes of the header.
    pub length: usize,
}

impl Encoder {
    /// Finds out who compressed a layer.
    ///
    /// The encoders at hand are those of `lotse-layer/1` and of the crate `flate2` with the backend of this build, at each of its
    /// levels; they stop at the first byte that differs.
    ///
    /// # Errors
    ///
    /// Those of reading the blob.
    pub fn guess(layout: &Layout, descriptor: &Descriptor) -> Result<Self, Error> {
        let plain = |name: &str| Self { name: name.to_owned(), level: None, exact: true, header: None };
        let mut begin = Vec::new();
        let read = layout.open_blob(descriptor)?.take(1 << 10).read_to_end(&mut begin);
        read.map_err(Error::io("read", &layout.blob_path(&descriptor.digest)))?;
        if media::encoding(&descriptor.media_type)? == media::Encoding::Plain {
            return Ok(plain("none"));
        }
        let Some(header) = GzipHeader::parse(&begin) else {
            return Ok(Self { exact: false, ..plain("zstd") });
        };
        let same = |encode: &dyn Fn(Check, &mut dyn Read) -> io::Result<Check>, skip: usize| {
            remade(layout, descriptor, skip, encode)
        };
        let whole = |check: Check, archive: &mut dyn Read| {
            let mut gzip = GzipWriter::new(check, NonZeroUsize::MIN);
            io::copy(archive, &mut gzip)?;
            gzip.finish()
        };
        if header.is_canonical() && same(&whole, 0)? {
            return Ok(Self { header: Some(header), ..plain("lotse-layer/1") });
        }
        for level in 1..=9u8 {
            let encode = |check: Check, archive: &mut dyn Read| {
                let mut deflate =
                    flate2::write::DeflateEncoder::new(check, flate2::Compression::new(level.into()));
                io::copy(archive, &mut deflate)?;
                deflate.finish()
            };
            if same(&encode, header.length)? {
                return Ok(Self { level: Some(level), header: Some(header), ..plain("flate2") });
            }
        }
        let level = match header.extra_flags {
            2 => Some(9),
            4 => Some(1),
            _ => None,
        };
        Ok(Self { level, exact: false, header: Some(header), ..plain("unknown") })
    }
}

impl GzipHeader {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (&[0x1f, 0x8b, 8, flags, a, b, c, d, extra_flags, system], mut rest) =
            bytes.split_first_chunk::<10>()?
        else {
            return None;
        };
        if flags & 4 != 0 {
            let (length, after) = rest.split_first_chunk::<2>()?;
            rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
        }
        let mut name = None;
        // A name, then a comment, each ended by a NUL.
        for bit in [8, 16] {
            if flags & bit != 0 {
                let end = rest.iter().position(|byte| *byte == 0)?;
                if bit == 8 {
                    name = rest.get(..end).map(|name| String::from_utf8_lossy(name).into_owned());
                }
                rest = rest.get(end + 1..)?;
            }
        }
        if flags & 2 != 0 {
            rest = rest.get(2..)?;
        }
        let mtime = u32::from_le_bytes([a, b, c, d]);
        Some(Self { flags, mtime, extra_flags, system, name, length: bytes.len() - rest.len() })
    }

    const fn is_canonical(&self) -> bool {
        matches!(self, Self { flags: 0, mtime: 0, extra_flags: 0, system: 255, .. })
    }
}

/// Whether an encoder makes this blob of the archive that is in it, from byte `skip` on; where it makes no trailer, a gzip member
/// ends with eight bytes more.
fn remade(
    layout: &Layout,
    descriptor: &Descriptor,
    skip: usize,
    encode: &dyn Fn(Check, &mut dyn Read) -> io::Result<Check>,
) -> Result<bool, Error> {
    let failed = |error| Error::io("read", &layout.blob_path(&descriptor.digest))(error);
    let mut expected = layout.open_blob(descriptor)?;
    let skipped = u64::try_from(skip).unwrap_or(u64::MAX);
    io::copy(&mut expected.by_ref().take(skipped), &mut io::sink()).map_err(failed)?;
    let (blob, taken) = Counting::new(layout.open_blob(descriptor)?);
    let mut archive = Bounded::new(decode::decoder(blob, &descriptor.media_type)?, taken, *layout.limits());
    let trailer = if skip == 0 { 0 } else { 8 };
    match encode(Check { expected }, &mut archive) {
        Ok(mut check) => {
            let rest = io::copy(&mut check.expected, &mut io::sink()).map_err(failed)?;
            Ok(rest == trailer)
        }
        Err(error)
            if error.kind() == io::ErrorKind::Other && error.get_ref().is_some_and(|e| e.is::<Differs>()) =>
        {
            Ok(false)
        }
        Err(error) => Err(match error.downcast::<Error>() {
            Ok(error) => error,
            Err(error) => failed(error),
        }),
    }
}

/// Takes bytes as long as they are the expected ones.
struct Check {
    expected: VerifyingReader<File>,
}

#[derive(Debug, thiserror::Error)]
#[error("another byte")]
struct Differs;

impl Write for Check {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut expected = vec![0; bytes.len().min(64 << 10)];
        let count = self.expected.read(&mut expected)?;
        if count == 0 && !bytes.is_empty() || expected.get(..count) != bytes.get(..count) {
            return Err(io::Error::other(Differs));
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What two blobs differ in beside their archives.
pub(super) fn compare(
    layer: usize,
    left: &Encoder,
    right: &Encoder,
    same_archive: bool,
    found: &mut Vec<Difference>,
) {
    let before = found.len();
    let mut add = |field: &str, cause, left: String, right: String| {
        let place = Place::Blob { layer, field: field.to_owned() };
        found.push(Difference::new(place, cause, Some(left), Some(right)));
    };
    let level =
        |encoder: &Encoder| encoder.level.map_or_else(|| "unknown".to_owned(), |level| level.to_string());
    // Where nothing is known of either stream, a level in the header may still tell them apart.
    if left.name != right.name {
        add("encoder", Cause::Compressor, left.shown(), right.shown());
    } else if left.level != right.level {
        add("level", Cause::Level, level(left), level(right));
    }
    if let (Some(a), Some(b)) = (&left.header, &right.header) {
        let told = left.name != right.name || left.level != right.level;
        let number = |value: u32| value.to_string();
        for (field, a, b) in [
            ("time in the gzip header", number(a.mtime), number(b.mtime)),
            ("operating system in the gzip header", a.system.to_string(), b.system.to_string()),
            ("name in the gzip header", format!("{:?}", a.name), format!("{:?}", b.name)),
            ("flags of the gzip header", a.flags.to_string(), b.flags.to_string()),
            ("extra flags of the gzip header", a.extra_flags.to_string(), b.extra_flags.to_string()),
        ] {
            if a != b {
                let of_level = told && field.starts_with("extra flags");
                add(field, if of_level { Cause::Consequence } else { Cause::GzipHeader }, a, b);
            }
        }
    }
    let told = found.len() > before;
    if same_archive && !told && !(left.exact && right.exact) {
        let text = |encoder: &Encoder| Some(encoder.shown());
        let place = Place::Blob { layer, field: "encoder, its version or its level".to_owned() };
        found.push(Difference::new(place, Cause::Compressor, text(left), text(right)));
    }
}

impl Encoder {
    fn shown(&self) -> String {
        let level = self.level.map_or_else(String::new, |level| format!(", level {level}"));
        let system = match (&self.header, self.exact) {
            (Some(header), false) => format!(", operating system {}", header.system),
            _ => String::new(),
        };
        format!("{}{level}{system}", self.name)
    }
}
