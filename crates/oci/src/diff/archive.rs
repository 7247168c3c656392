//! Two archives compared, entry by entry.

use std::collections::BTreeMap;

use lotse_digest::{Algorithm, Digest, HashingReader, Lanes};

use super::field;
use super::finding::{Cause, Difference, Place};
use crate::bounded::{Bounded, Counting};
use crate::tar::{TarEntry, TarReader};
use crate::{Descriptor, Error, Layout, decode};

/// Bytes of content that are compared together.
const CHUNK: usize = 64 << 10;

/// An archive without its contents.
pub(super) struct Archive {
    entries: Vec<Raw>,
    /// Bytes from the first zero block to the end.
    end: u64,
}

/// An entry with everything that stands around its content.
pub(super) struct Raw {
    pub(super) entry: TarEntry,
    /// The hash of each chunk of the content.
    chunks: Vec<[u8; 32]>,
    padding: Vec<u8>,
}

/// Reads a layer's archive and verifies it. Contents are hashed as they pass, headers are kept.
pub(super) fn read(layout: &Layout, descriptor: &Descriptor, diff_id: &Digest) -> Result<Archive, Error> {
    let (blob, taken) = Counting::new(layout.open_blob(descriptor)?);
    let decoder = decode::decoder(blob, &descriptor.media_type)?;
    let mut hashing = HashingReader::new(Bounded::new(decoder, taken, *layout.limits()), Algorithm::Sha256);
    let mut tar = TarReader::new(&mut hashing, *layout.limits());
    let mut entries = Vec::new();
    while let Some(entry) = tar.next_entry()? {
        let mut chunks = Chunks::default();
        tar.copy_content(&mut chunks)?;
        tar.skip_content()?;
        entries.push(Raw { entry, chunks: chunks.finish(), padding: tar.tail().to_vec() });
    }
    let end = tar.end();
    let (actual, length, _) = hashing.finish();
    if actual != *diff_id {
        return Err(lotse_digest::Mismatch { expected: diff_id.clone(), actual, length }.into());
    }
    Ok(Archive { entries, end })
}

/// Hashes what is written to it, chunk by chunk, 16 of them at once.
#[derive(Default)]
struct Chunks {
    buffer: Vec<u8>,
    hashes: Vec<[u8; 32]>,
}

impl Chunks {
    fn hash(&mut self) {
        let chunks: Vec<&[u8]> = self.buffer.chunks(CHUNK).collect();
        self.hashes.append(&mut Lanes::detect().sha256(&chunks));
        self.buffer.clear();
    }

    fn finish(mut self) -> Vec<[u8; 32]> {
        self.hash();
        self.hashes
    }
}

impl std::io::Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let room = (16 * CHUNK - self.buffer.len()).min(bytes.len());
        self.buffer.extend_from_slice(bytes.get(..room).unwrap_or(&[]));
        if self.buffer.len() == 16 * CHUNK {
            self.hash();
        }
        Ok(room)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(super) fn compare(layer: usize, left: &Archive, right: &Archive, found: &mut Vec<Difference>) {
    let (ours, theirs) = (numbered(left), numbered(right));
    let entry =
        |path: &str, field: &str| Place::Entry { layer, path: path.to_owned(), field: field.to_owned() };
    let kind = |raw: &Raw| Some(field::kind(&raw.entry).to_owned());
    for ((path, number), raw) in &ours {
        match theirs.get(&(*path, *number)) {
            Some(other) => compare_entries(layer, raw, other, found),
            None => found.push(Difference::new(entry(path, "entry"), Cause::Missing, kind(raw), None)),
        }
    }
    for ((path, _), raw) in theirs.iter().filter(|(key, _)| !ours.contains_key(*key)) {
        found.push(Difference::new(entry(path, "entry"), Cause::Extra, None, kind(raw)));
    }
    let archive = |field: &str| Place::Archive { layer, field: field.to_owned() };
    if let Some((a, b)) = first_out_of_order(left, right, &ours, &theirs) {
        let shown = |path: &str| Some(format!("{path:?} comes first"));
        found.push(Difference::new(archive("order"), Cause::Order, shown(a), shown(b)));
    }
    if left.end != right.end {
        let shown = |bytes: u64| Some(format!("{bytes} bytes of zeros"));
        found.push(Difference::new(archive("end"), Cause::TarFormat, shown(left.end), shown(right.end)));
    }
}

type Numbered<'a> = BTreeMap<(&'a str, usize), &'a Raw>;

/// Entries by path; a path that comes again (a directory may) is told apart by how often it came before.
fn numbered(archive: &Archive) -> Numbered<'_> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut numbered = BTreeMap::new();
    for raw in &archive.entries {
        let count = counts.entry(&raw.entry.path).or_default();
        numbered.insert((raw.entry.path.as_str(), *count), raw);
        *count += 1;
    }
    numbered
}

/// The first entries that both have and that stand where the other has another one.
fn first_out_of_order<'a>(
    left: &'a Archive,
    right: &'a Archive,
    ours: &Numbered<'_>,
    theirs: &Numbered<'_>,
) -> Option<(&'a str, &'a str)> {
    let in_both = |raw: &&Raw| {
        let key = (raw.entry.path.as_str(), 0);
        ours.contains_key(&key) && theirs.contains_key(&key)
    };
    let pairs = left.entries.iter().filter(in_both).zip(right.entries.iter().filter(in_both));
    let mut paths = pairs.map(|(a, b)| (a.entry.path.as_str(), b.entry.path.as_str()));
    paths.find(|(a, b)| a != b)
}

fn compare_entries(layer: usize, left: &Raw, right: &Raw, found: &mut Vec<Difference>) {
    let place = |field: &str| Place::Entry { layer, path: left.entry.path.clone(), field: field.to_owned() };
    if left.entry.head != right.entry.head {
        let before = found.len();
        field::compare(&place, &left.entry, &right.entry, found);
        if found.len() == before {
            let shown = |entry: &TarEntry| Some(format!("{} bytes", entry.head.len()));
            let cause = Cause::TarFormat;
            found.push(Difference::new(place("headers"), cause, shown(&left.entry), shown(&right.entry)));
        }
    }
    if left.chunks != right.chunks || left.entry.size != right.entry.size {
        let length = left.chunks.len().max(right.chunks.len());
        let differs = |at: &usize| left.chunks.get(*at) != right.chunks.get(*at);
        let different: Vec<usize> = (0..length).filter(differs).collect();
        let first = different.first().copied().unwrap_or(0).saturating_mul(CHUNK);
        let shown = |raw: &Raw| Some(format!("{} bytes", raw.entry.size));
        let field =
            format!("content from byte {first} on ({} of {length} chunks of 64 KiB)", different.len());
        found.push(Difference::new(place(&field), Cause::Content, shown(left), shown(right)));
    }
    // The padding's length follows from the size; what stands in it is the writer's.
    let dirty = |raw: &Raw| raw.padding.iter().any(|byte| *byte != 0);
    if left.padding != right.padding && (dirty(left) || dirty(right)) {
        let shown = |raw: &Raw| Some(if dirty(raw) { "not zeros" } else { "zeros" }.to_owned());
        found.push(Difference::new(place("padding"), Cause::TarFormat, shown(left), shown(right)));
    }
}
