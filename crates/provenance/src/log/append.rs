use std::collections::BTreeMap;

use lotse_digest::MerkleHash;
use lotse_sign::{Checkpoint, SigningKey};

use super::edge::Edge;
use super::read::Tiles;
use super::store::LogStore;
use super::tile::{LEVELS, Tile, WIDTH, edge, leaves};
use super::{CHECKPOINT, Log};
use crate::event::ENTRY;
use crate::{Error, Event};

/// Entries of one append: it is one step, so what it writes before the checkpoint is bounded.
const BATCH: usize = 1 << 20;

/// What a log that is written to keeps in memory.
#[derive(Debug)]
pub(super) struct Writer {
    edge: Edge,
    /// The beginning of each leaf hash and where it is, so that a repeated event is found. 16 bytes for each entry.
    known: BTreeMap<u64, u64>,
}

impl<S: LogStore> Log<S> {
    /// Appends an event and signs the new checkpoint in the name of `origin`; returns its place. An event that is in the log
    /// already is not stored again. When this returns, the event lasts.
    ///
    /// # Errors
    ///
    /// As [`append_all`](Self::append_all).
    pub fn append(&mut self, event: &Event, origin: &str, key: &SigningKey) -> Result<u64, Error> {
        let places = self.append_all([event], origin, key)?;
        places.first().copied().ok_or_else(|| Error::Log("nothing was appended".to_owned()))
    }

    /// Appends events in one step: all of them are in the log, or none is. Returns their places.
    ///
    /// # Errors
    ///
    /// Those of [`Event::to_entry`] and [`append_entries`](Self::append_entries).
    pub fn append_all<'a>(
        &mut self,
        events: impl IntoIterator<Item = &'a Event>,
        origin: &str,
        key: &SigningKey,
    ) -> Result<Vec<u64>, Error> {
        let entries = events.into_iter().map(Event::to_entry).collect::<Result<Vec<_>, _>>()?;
        self.append_entries(&entries, origin, key)
    }

    /// Appends entries of any kind in one step. Returns their places.
    ///
    /// Before, what is there is checked as far as it is built upon: the checkpoint must be signed by the same key in the name of
    /// the same origin, and the tiles at the right edge must lead to its root.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] for an entry over 65,535 bytes or more than 2^20 at once; [`Error::Sign`] if the checkpoint is not this
    /// key's; [`Error::Log`] if tiles and checkpoint do not fit; those of the store. Then nothing was appended, unless the very
    /// last step failed: reload to see.
    pub fn append_entries(
        &mut self,
        entries: &[Vec<u8>],
        origin: &str,
        key: &SigningKey,
    ) -> Result<Vec<u64>, Error> {
        if entries.len() > BATCH {
            return Err(Error::Limit { what: "entries of one append".to_owned(), limit: BATCH });
        }
        if entries.iter().any(|entry| entry.len() > ENTRY) {
            return Err(Error::Limit { what: "bytes of a log entry".to_owned(), limit: ENTRY });
        }
        let _lock = self.store.lock()?;
        self.reload()?;
        let signed = match &self.note {
            Some(_) => Some(self.signed(origin, &key.verifying_key())?),
            None => None,
        };
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.writer(signed.as_ref())?,
        };
        let before = writer.edge.size();
        let slices: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        let mut places = Vec::with_capacity(entries.len());
        let mut fresh = BTreeMap::new();
        for (entry, leaf) in slices.iter().zip(leaves(&slices)) {
            let place = match fresh.get(&leaf) {
                Some(&index) => index,
                None => match self.place(&writer, entry, &leaf)? {
                    Some(index) => index,
                    None => {
                        let index = writer.edge.size();
                        writer.edge.push(&self.store, entry, leaf)?;
                        fresh.insert(leaf, index);
                        index
                    }
                },
            };
            places.push(place);
        }
        writer.known.extend(fresh.iter().map(|(leaf, index)| (short(leaf), *index)));
        // With nothing new, a log that is there is left as it is; one that is not yet gets its first checkpoint.
        if writer.edge.size() > before || self.note.is_none() {
            writer.edge.write_partial(&self.store)?;
            self.store.sync()?;
            let checkpoint = Checkpoint::new(origin, writer.edge.size(), writer.edge.root());
            let note = checkpoint.sign(key)?;
            self.store.commit(CHECKPOINT, note.to_text().as_bytes())?;
            (self.note, self.size) = (Some(note), checkpoint.size);
            self.drop_partial(before)?;
        }
        self.writer = Some(writer);
        Ok(places)
    }

    /// Reads what is needed to append, checks it, and removes what an interrupted append left behind.
    fn writer(&self, signed: Option<&Checkpoint>) -> Result<Writer, Error> {
        let edge = Edge::load(&self.store, self.size)?;
        if signed.is_some_and(|checkpoint| checkpoint.root != edge.root()) {
            let text =
                "its tiles do not lead to the root of its checkpoint; audit it before anything is appended";
            return Err(Error::Log(text.to_owned()));
        }
        for name in self.store.list("tile/")? {
            let Some(tile) = Tile::parse(&name) else { continue };
            let full = super::tile::edge(self.size, tile.level.unwrap_or(0)).0;
            if tile.covers().is_none_or(|size| size > self.size) || (tile.width < WIDTH && tile.number < full)
            {
                self.store.remove(&name)?;
            }
        }
        let mut known = Vec::new();
        let tiles = Tiles::new(&self.store);
        let (last, rest) = super::tile::edge(self.size, 0);
        for number in 0..=last {
            let width = if number < last { WIDTH } else { rest };
            if width > 0 {
                let hashes = tiles.hashes(Tile { level: Some(0), number, width })?;
                known.extend((number * WIDTH..).zip(hashes).map(|(index, hash)| (short(&hash), index)));
            }
        }
        // In one go: a map is built from a sorted list in a fraction of the time.
        Ok(Writer { edge, known: known.into_iter().collect() })
    }

    /// Where an entry is that the log has already.
    fn place(&self, writer: &Writer, entry: &[u8], leaf: &MerkleHash) -> Result<Option<u64>, Error> {
        match writer.known.get(&short(leaf)) {
            // The beginning of a hash is a hint; the entry itself decides.
            Some(&index) if self.entry(index)? == entry => Ok(Some(index)),
            _ => Ok(None),
        }
    }

    /// Removes the partial tiles of those that became full since the log had `before` entries.
    fn drop_partial(&self, before: u64) -> Result<(), Error> {
        for level in std::iter::once(None).chain((0..LEVELS).map(Some)) {
            let (number, width) = edge(before, level.unwrap_or(0));
            if width > 0 && edge(self.size, level.unwrap_or(0)).0 > number {
                let full = Tile { level, number, width: WIDTH }.name();
                for name in self.store.list(&format!("{full}.p/"))? {
                    self.store.remove(&name)?;
                }
            }
        }
        Ok(())
    }
}

fn short(hash: &MerkleHash) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *hash;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}
