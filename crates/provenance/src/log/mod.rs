//! The audit log: a directory of C2SP tlog-tiles with a signed checkpoint.

mod tiles;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use lotse_digest::{MerkleHash, MerkleTree, verify_consistency, verify_inclusion};
use lotse_sign::{Checkpoint, SignedNote, SigningKey, VerifyingKey};

use crate::Error;
use crate::event::{ENTRY, Event};

const CHECKPOINT: &str = "checkpoint";
/// Entries that this version holds in memory at once.
const ENTRIES: usize = 1_000_000;

/// An append-only log in a directory (C2SP tlog-tiles): `checkpoint`, `tile/<L>/<N>`, `tile/entries/<N>`.
///
/// The owner of a log can rewrite it; what shows that is a checkpoint kept elsewhere, checked with
/// [`verify_extends`](Self::verify_extends).
#[derive(Clone, Debug)]
pub struct Log {
    directory: PathBuf,
    entries: Vec<Vec<u8>>,
    tree: MerkleTree,
}

/// The proof that an entry is in a log: its place, the hashes, the checkpoint they lead to. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogProof {
    /// The place of the entry, 0 for the first.
    pub index: u64,
    /// The hashes from leaf to root.
    pub hashes: Vec<MerkleHash>,
    /// The checkpoint that the proof leads to.
    pub checkpoint: Checkpoint,
}

impl LogProof {
    /// Checks that `entry` is in the log.
    ///
    /// # Errors
    ///
    /// [`Error::Proof`].
    pub fn verify(&self, entry: &[u8]) -> Result<(), Error> {
        let leaf = MerkleTree::leaf_hash(entry);
        verify_inclusion(&leaf, self.index, self.checkpoint.size, &self.hashes, &self.checkpoint.root)
            .map_err(|source| Error::Proof {
                what: format!("entry {} is not in the log", self.index),
                source,
            })
    }
}

impl Log {
    /// Opens the log in `directory`, which may not exist yet: then it has no entries.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; [`Error::Malformed`] if tiles are cut or do not fit together; [`Error::Limit`] over a million entries.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, Error> {
        let directory = directory.into();
        let mut log = Self { directory, entries: Vec::new(), tree: MerkleTree::new() };
        if let Some(size) = log.recorded_size()? {
            log.entries = tiles::read_entries(&log.directory, size)?;
            let entries: Vec<&[u8]> = log.entries.iter().map(Vec::as_slice).collect();
            log.tree.extend(&entries);
            tiles::check_hashes(&log.directory, &log.tree)?;
        }
        Ok(log)
    }

    /// Number of entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The entries, first to last, as the bytes that were hashed.
    pub fn entries(&self) -> impl Iterator<Item = &[u8]> {
        self.entries.iter().map(Vec::as_slice)
    }

    /// The events, first to last.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for an entry that is no event.
    pub fn events(&self) -> Result<Vec<Event>, Error> {
        self.entries().map(Event::parse).collect()
    }

    /// Appends an event, unless the log has it already, and writes tiles and a checkpoint signed by `key`. Returns the place
    /// of the event. The checkpoint comes last: a process killed before leaves the log as it was.
    ///
    /// # Errors
    ///
    /// Those of [`Event::to_entry`] and of signing; [`Error::Io`]; [`Error::Limit`].
    pub fn append(&mut self, event: &Event, origin: &str, key: &SigningKey) -> Result<u64, Error> {
        let entry = event.to_entry()?;
        let index = match self.entries.iter().position(|other| *other == entry) {
            Some(index) => index,
            None => {
                if self.entries.len() >= ENTRIES {
                    return Err(Error::Limit { what: "entries of a log".to_owned(), limit: ENTRIES });
                }
                self.tree.push(&entry);
                self.entries.push(entry);
                self.entries.len() - 1
            }
        };
        tiles::write(&self.directory, &self.entries, &self.tree)?;
        let checkpoint = Checkpoint::new(origin, self.size(), self.tree.root());
        write_file(&self.directory, CHECKPOINT, checkpoint.sign(key)?.to_text().as_bytes())?;
        Ok(u64::try_from(index).unwrap_or(u64::MAX))
    }

    /// The checkpoint, if `key` signed it in the name of `origin` and the entries lead to its root.
    ///
    /// # Errors
    ///
    /// [`Error::Sign`] for a wrong signature, [`Error::Log`] if the entries are others than were signed.
    pub fn verify(&self, origin: &str, key: &VerifyingKey) -> Result<Checkpoint, Error> {
        let path = self.directory.join(CHECKPOINT);
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let checkpoint = Checkpoint::verify(&SignedNote::parse(&text)?, origin, key)?;
        if checkpoint.size != self.size() || checkpoint.root != self.tree.root() {
            let text = format!(
                "its {} entries do not lead to the signed root over {}",
                self.size(),
                checkpoint.size
            );
            return Err(Error::Log(text));
        }
        Ok(checkpoint)
    }

    /// Checks that this log extends the one that `earlier` was seen of: nothing was changed, dropped or inserted.
    ///
    /// # Errors
    ///
    /// [`Error::Log`] if it is shorter, [`Error::Proof`] if its beginning differs.
    pub fn verify_extends(&self, earlier: &Checkpoint) -> Result<(), Error> {
        let proof = self.tree.consistency_proof(earlier.size, self.size()).ok_or_else(|| {
            Error::Log(format!(
                "it has {} entries, fewer than the {} seen earlier",
                self.size(),
                earlier.size
            ))
        })?;
        verify_consistency(earlier.size, self.size(), &proof, &earlier.root, &self.tree.root()).map_err(
            |source| Error::Proof {
                what: "it does not extend the checkpoint seen earlier".to_owned(),
                source,
            },
        )
    }

    /// The proof that the entry at `index` is in the log that `checkpoint` stands for.
    ///
    /// # Errors
    ///
    /// [`Error::Log`] if there is no such entry.
    pub fn prove(&self, index: u64, checkpoint: &Checkpoint) -> Result<LogProof, Error> {
        let hashes = self
            .tree
            .inclusion_proof(index, checkpoint.size)
            .ok_or_else(|| Error::Log(format!("entry {index} is not among its first {}", checkpoint.size)))?;
        Ok(LogProof { index, hashes, checkpoint: checkpoint.clone() })
    }

    /// The size that the checkpoint on disk names, without a look at its signature.
    fn recorded_size(&self) -> Result<Option<u64>, Error> {
        let path = self.directory.join(CHECKPOINT);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path)(error)),
        };
        let size = text.lines().nth(1).and_then(|line| line.parse::<u64>().ok());
        let size = size.ok_or_else(|| Error::malformed("checkpoint", "its second line is no size"))?;
        if size > u64::try_from(ENTRIES).unwrap_or(u64::MAX) {
            return Err(Error::Limit { what: "entries of a log".to_owned(), limit: ENTRIES });
        }
        Ok(Some(size))
    }
}

/// Replaces a file in one step: temporary name, sync, rename.
fn write_file(directory: &Path, name: &str, content: &[u8]) -> Result<(), Error> {
    let path = directory.join(name);
    let parent = path.parent().unwrap_or(directory);
    fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
    let temporary = parent.join(format!(".lotse-tmp-{}", std::process::id()));
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, &path));
    if let Err(error) = written {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
        return Err(Error::io("write", &path)(error));
    }
    Ok(())
}

/// Bytes of one entry at most, checked where entries are read.
pub(super) const fn entry_limit() -> usize {
    ENTRY
}
