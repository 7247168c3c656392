//! The audit log: C2SP tlog-tiles in a directory or another store, with a signed checkpoint.

mod append;
mod audit;
mod directory;
mod edge;
mod index;
mod read;
mod store;
mod tile;
mod witness;

use std::ops::Range;
use std::path::PathBuf;

use lotse_digest::{MerkleHash, verify_consistency};
use lotse_sign::{Checkpoint, NoteSignature, SignedNote, TlogProof, VerifyingKey};

pub use self::audit::{Anchor, Audit, Tampering};
pub use self::directory::DirectoryStore;
pub use self::index::{Hit, Query};
pub use self::store::{LogLock, LogStore, MemoryStore};
pub use self::witness::Witness;

use self::append::Writer;
use self::read::{Tiles, Tree};
use self::tile::{Tile, WIDTH, edge};
use crate::{Error, Event};

const CHECKPOINT: &str = "checkpoint";

/// An append-only log (C2SP tlog-tiles): `checkpoint`, `tile/<L>/<N>`, `tile/entries/<N>`.
///
/// However long it is, a few tiles of it are in memory. An append is done when the new checkpoint is in its place: before, a
/// process that is killed leaves the log as it was, and the next one cleans up behind it.
///
/// The owner of a log can rewrite it. What shows that is a checkpoint kept elsewhere, in the GitOps repository or with
/// [witnesses](Witness), and compared by [`audit`](Self::audit) or [`verify_extends`](Self::verify_extends).
///
/// ```
/// use lotse_provenance::{Actor, Event, Log, MemoryStore, Timestamp};
/// use lotse_sign::{Scheme, SigningKey};
///
/// let key = SigningKey::from_secret(Scheme::Ed25519, &[7; 32])?; // in earnest: 32 random bytes
/// let mut log = Log::over(MemoryStore::new())?;
/// let time: Timestamp = "2026-11-21T20:00:00Z".parse()?;
/// let index = log.append(&Event::new(time, "ci", Actor::bot("ci"), "release", "app"), "log.example/app", &key)?;
///
/// let proof = log.prove(index)?.to_text(); // a few hundred bytes that prove it offline
/// let proof = lotse_sign::TlogProof::parse(&proof)?;
/// proof.verify(&log.entry(index)?, "log.example/app", &key.verifying_key())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Log<S = DirectoryStore> {
    store: S,
    /// The checkpoint as it was read or written last, unverified.
    note: Option<SignedNote>,
    size: u64,
    writer: Option<Writer>,
}

impl Log {
    /// Opens the log in a directory, which may not exist yet: then it has no entries.
    ///
    /// # Errors
    ///
    /// As [`over`](Self::over).
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::over(DirectoryStore::new(directory))
    }
}

impl<S: LogStore> Log<S> {
    /// The log whose files are in `store`. Only its checkpoint is read, and nothing is verified yet.
    ///
    /// # Errors
    ///
    /// Those of the store; [`Error::Sign`] if the checkpoint is none.
    pub fn over(store: S) -> Result<Self, Error> {
        let mut log = Self { store, note: None, size: 0, writer: None };
        log.reload()?;
        Ok(log)
    }

    /// Reads the checkpoint again, as another process may have appended.
    ///
    /// # Errors
    ///
    /// As [`over`](Self::over).
    pub fn reload(&mut self) -> Result<(), Error> {
        let (note, size) = match self.store.read(CHECKPOINT)? {
            None => (None, 0),
            Some(bytes) => {
                let text = String::from_utf8(bytes).map_err(|error| Error::malformed(CHECKPOINT, error))?;
                let note = SignedNote::parse(&text)?;
                let size = Checkpoint::parse(note.unverified_text())?.size;
                (Some(note), size)
            }
        };
        if note != self.note {
            self.writer = None;
            (self.note, self.size) = (note, size);
        }
        Ok(())
    }

    /// Number of entries, as the checkpoint says.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The checkpoint with its signatures, none of them verified; `None` if nothing was ever appended.
    #[must_use]
    pub const fn unverified_checkpoint(&self) -> Option<&SignedNote> {
        self.note.as_ref()
    }

    /// An entry, as the bytes that were hashed.
    ///
    /// # Errors
    ///
    /// Those of the store; [`Error::Log`] if there is no such entry; [`Error::Malformed`] if its bundle is damaged.
    pub fn entry(&self, index: u64) -> Result<Vec<u8>, Error> {
        let mut found = None;
        self.visit(index..index.saturating_add(1), |_, entry| {
            found = Some(entry.to_vec());
            Ok(())
        })?;
        found.ok_or_else(|| Error::Log(format!("there is no entry {index} among {}", self.size)))
    }

    /// Shows the entries of a range, first to last, with their places. One bundle of 256 is in memory at a time.
    ///
    /// # Errors
    ///
    /// As [`entry`](Self::entry), and what `visit` returns.
    pub fn visit(
        &self,
        range: Range<u64>,
        mut visit: impl FnMut(u64, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let end = range.end.min(self.size);
        let mut at = range.start;
        while at < end {
            let number = at / WIDTH;
            let entries = self.bundle(number)?;
            for (index, entry) in (number * WIDTH..end).zip(&entries) {
                if index >= at {
                    visit(index, entry)?;
                }
            }
            at = (number + 1) * WIDTH;
        }
        Ok(())
    }

    fn bundle(&self, number: u64) -> Result<Vec<Vec<u8>>, Error> {
        let (last, width) = edge(self.size, 0);
        let width = if number < last { WIDTH } else { width };
        Tiles::new(&self.store).entries(Tile { level: None, number, width })
    }

    /// The events, first to last; all of them in memory.
    ///
    /// # Errors
    ///
    /// As [`visit`](Self::visit); [`Error::Malformed`] for an entry that is no event.
    pub fn events(&self) -> Result<Vec<Event>, Error> {
        let mut events = Vec::new();
        self.visit(0..self.size, |_, entry| {
            events.push(Event::parse(entry)?);
            Ok(())
        })?;
        Ok(events)
    }

    /// The checkpoint, if `key` signed it in the name of `origin` and all entries and tiles are those it was signed over.
    ///
    /// # Errors
    ///
    /// [`Error::Sign`] for a wrong signature, [`Error::Tampered`] with the place for anything else that does not fit.
    pub fn verify(&self, origin: &str, key: &VerifyingKey) -> Result<Checkpoint, Error> {
        let checkpoint = self.signed(origin, key)?;
        let audit = self.audit(origin, key, &[])?;
        match audit.findings.into_iter().next() {
            Some(finding) => Err(Error::Tampered(finding)),
            None => Ok(checkpoint),
        }
    }

    /// The checkpoint, if `key` signed it in the name of `origin`. The entries are not looked at.
    fn signed(&self, origin: &str, key: &VerifyingKey) -> Result<Checkpoint, Error> {
        let note = self.note.as_ref().ok_or_else(|| Error::Log("it has no checkpoint".to_owned()))?;
        Ok(Checkpoint::verify(note, origin, key)?)
    }

    /// Checks that this log extends the one that `earlier` was seen of: nothing was changed, dropped or inserted.
    ///
    /// # Errors
    ///
    /// [`Error::Tampered`] if it is shorter, or another log than the one that was seen.
    pub fn verify_extends(&self, earlier: &Checkpoint) -> Result<(), Error> {
        if earlier.size > self.size {
            return Err(Error::Tampered(Tampering::RolledBack { size: self.size, seen: earlier.size }));
        }
        let forked = |_| Error::Tampered(Tampering::Forked { size: earlier.size });
        let proof = self.consistency_proof(earlier.size)?;
        let root = self.root()?;
        verify_consistency(earlier.size, self.size, &proof, &earlier.root, &root).map_err(forked)
    }

    /// The root over all entries, by the tiles.
    ///
    /// # Errors
    ///
    /// Those of the store; [`Error::Log`] and [`Error::Malformed`] for tiles that are not there or damaged.
    pub fn root(&self) -> Result<MerkleHash, Error> {
        Tree::new(&self.store, self.size, self.size).root()
    }

    /// The hashes that prove that the log extends the one it was when it had `old` entries (RFC 9162, 2.1.4.1).
    ///
    /// # Errors
    ///
    /// [`Error::Log`] if it never was that long; those of the store.
    pub fn consistency_proof(&self, old: u64) -> Result<Vec<MerkleHash>, Error> {
        if old > self.size {
            return Err(Error::Log(format!("it has {} entries, not {old}", self.size)));
        }
        Tree::new(&self.store, self.size, self.size).consistency(old)
    }

    /// The proof that the entry at `index` is in the log, against its checkpoint with all signatures on it.
    ///
    /// # Errors
    ///
    /// [`Error::Log`] if there is no such entry; [`Error::Proof`] if the tiles do not lead to the checkpoint; those of the store.
    pub fn prove(&self, index: u64) -> Result<TlogProof, Error> {
        let note = self.note.clone().ok_or_else(|| Error::Log("it has no checkpoint".to_owned()))?;
        if index >= self.size {
            return Err(Error::Log(format!("there is no entry {index} among {}", self.size)));
        }
        let checkpoint = Checkpoint::parse(note.unverified_text())?;
        let mut tree = Tree::new(&self.store, self.size, self.size);
        let (leaf, hashes) = (tree.leaf(index)?, tree.inclusion(index)?);
        lotse_digest::verify_inclusion(&leaf, index, self.size, &hashes, &checkpoint.root).map_err(
            |source| Error::Proof {
                what: format!("the tiles around entry {index} do not lead to the checkpoint"),
                source,
            },
        )?;
        Ok(TlogProof::new(index, hashes, note)?)
    }

    /// Adds a witness' line to the checkpoint. It is not verified here: who reads the log does that.
    ///
    /// # Errors
    ///
    /// [`Error::Log`] if the log went on meanwhile, or has no checkpoint; those of the store.
    pub fn add_cosignature(&mut self, of: &Checkpoint, line: NoteSignature) -> Result<(), Error> {
        let _lock = self.store.lock()?;
        self.reload()?;
        let mut note = self.note.clone().ok_or_else(|| Error::Log("it has no checkpoint".to_owned()))?;
        if note.unverified_text() != of.to_text() {
            return Err(Error::Log("its checkpoint is not the one that was cosigned".to_owned()));
        }
        note.add_unverified(line)?;
        self.store.commit(CHECKPOINT, note.to_text().as_bytes())?;
        self.note = Some(note);
        Ok(())
    }
}
