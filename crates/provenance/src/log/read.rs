use lotse_digest::{MerkleHash, MerkleTree};

use super::store::LogStore;
use super::tile::{self, LEVELS, Tile, WIDTH, edge};
use crate::Error;

/// Reads tiles of a log, and hashes of its tree from them.
pub(super) struct Tiles<'a, S> {
    store: &'a S,
}

impl<'a, S: LogStore> Tiles<'a, S> {
    pub(super) const fn new(store: &'a S) -> Self {
        Self { store }
    }

    /// The file of a tile, or of the full tile in its place, as a log may drop partial ones once the full one is there.
    fn file(&self, tile: Tile) -> Result<Vec<u8>, Error> {
        if let Some(bytes) = self.store.read(&tile.name())? {
            return Ok(bytes);
        }
        let full = if tile.width < WIDTH { self.store.read(&tile.full().name())? } else { None };
        full.ok_or_else(|| Error::Log(format!("{} is missing", tile.name())))
    }

    /// The hashes of a tile, as many as it is wide.
    pub(super) fn hashes(&self, tile: Tile) -> Result<Vec<MerkleHash>, Error> {
        tile::hashes(tile, &self.file(tile)?)
    }

    /// The entries of a bundle, as many as it is wide.
    pub(super) fn entries(&self, tile: Tile) -> Result<Vec<Vec<u8>>, Error> {
        let bytes = self.file(tile)?;
        Ok(tile::entries(tile, &bytes)?.into_iter().map(<[u8]>::to_vec).collect())
    }
}

/// The tree of a log of some size, read from its tiles where it is asked for: a proof needs about three tiles for each level.
pub(super) struct Tree<'a, S> {
    tiles: Tiles<'a, S>,
    size: u64,
    /// How many entries the log has, by which its tiles are as wide as they are.
    of: u64,
    /// The tile that was read last in each level.
    last: Vec<(u64, Vec<MerkleHash>)>,
}

impl<'a, S: LogStore> Tree<'a, S> {
    /// The tree of the first `size` entries of a log that has `of` or more.
    pub(super) fn new(store: &'a S, size: u64, of: u64) -> Self {
        let last = vec![(u64::MAX, Vec::new()); usize::from(LEVELS)];
        Self { tiles: Tiles::new(store), size, of, last }
    }

    /// The root over all entries.
    pub(super) fn root(&mut self) -> Result<MerkleHash, Error> {
        self.range(0, self.size)
    }

    /// The hashes from leaf to root that prove the entry at `index` (RFC 9162, 2.1.3.1), for `index` below the size.
    pub(super) fn inclusion(&mut self, index: u64) -> Result<Vec<MerkleHash>, Error> {
        let (mut start, mut end) = (0, self.size);
        let mut proof = Vec::new();
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                proof.push(self.range(middle, end)?);
                end = middle;
            } else {
                proof.push(self.range(start, middle)?);
                start = middle;
            }
        }
        proof.reverse();
        Ok(proof)
    }

    /// The hashes that prove that this tree extends that of `old` entries (RFC 9162, 2.1.4.1), for `old` up to the size.
    pub(super) fn consistency(&mut self, old: u64) -> Result<Vec<MerkleHash>, Error> {
        let mut proof = Vec::new();
        if old == 0 {
            return Ok(proof);
        }
        let (mut start, mut end, mut whole) = (0, self.size, true);
        while old != end {
            let middle = start + split(end - start);
            if old <= middle {
                proof.push(self.range(middle, end)?);
                end = middle;
            } else {
                proof.push(self.range(start, middle)?);
                start = middle;
                whole = false;
            }
        }
        if !whole {
            proof.push(self.range(start, end)?);
        }
        proof.reverse();
        Ok(proof)
    }

    /// The hash of the leaf at `index`.
    pub(super) fn leaf(&mut self, index: u64) -> Result<MerkleHash, Error> {
        self.range(index, index + 1)
    }

    /// The hash over the entries from `start` to before `end`, a range that occurs in the tree.
    fn range(&mut self, start: u64, end: u64) -> Result<MerkleHash, Error> {
        let width = end - start;
        if width == 0 {
            return Ok(MerkleTree::new().root());
        }
        if !width.is_power_of_two() {
            let middle = start + split(width);
            let (left, right) = (self.range(start, middle)?, self.range(middle, end)?);
            return Ok(MerkleTree::node_hash(&left, &right));
        }
        let height = width.trailing_zeros();
        let level = height / 8;
        let span = 1_u64 << (8 * level);
        let (first, hashes) = (start / span, width / span);
        let level = u8::try_from(level).unwrap_or(LEVELS);
        let (number, skip) = (first / WIDTH, first % WIDTH);
        let tile = self.tile(level, number)?;
        let part = tile.get(tile::count(skip)..tile::count(skip + hashes));
        let part =
            part.ok_or_else(|| Error::Log(format!("entries {start} to {end} lie beyond its tiles")))?;
        Ok(MerkleTree::from_leaf_hashes(part.to_vec()).root())
    }

    fn tile(&mut self, level: u8, number: u64) -> Result<&[MerkleHash], Error> {
        let (at, width) = edge(self.of, level);
        let width = if number < at { WIDTH } else { width };
        let last =
            self.last.get_mut(usize::from(level)).ok_or_else(|| Error::Log("no such level".to_owned()))?;
        if last.0 != number {
            *last = (number, self.tiles.hashes(Tile { level: Some(level), number, width })?);
        }
        Ok(&last.1)
    }
}

/// The largest power of two below `width`, which is at least 2.
const fn split(width: u64) -> u64 {
    1 << (u64::BITS - 1 - (width - 1).leading_zeros())
}
