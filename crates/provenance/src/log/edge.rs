use lotse_digest::{MerkleHash, MerkleTree};

use super::read::Tiles;
use super::store::LogStore;
use super::tile::{LEVELS, Tile, WIDTH, edge, leaves, push_entry, root};
use crate::Error;

/// The right edge of a log: all that must be known to append to it, a few kilobytes however long it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Edge {
    size: u64,
    /// The hashes of the partial tile of each level.
    levels: Vec<Vec<MerkleHash>>,
    /// The partial bundle.
    bundle: Vec<u8>,
}

impl Edge {
    /// Reads the edge of a log of `size` entries. The caller compares its root with the signed one.
    pub(super) fn load<S: LogStore>(store: &S, size: u64) -> Result<Self, Error> {
        let tiles = Tiles::new(store);
        let mut levels = Vec::new();
        for level in 0..LEVELS {
            let (number, width) = edge(size, level);
            levels.push(match width {
                0 => Vec::new(),
                _ => tiles.hashes(Tile { level: Some(level), number, width })?,
            });
        }
        while levels.last().is_some_and(Vec::is_empty) {
            levels.pop();
        }
        let mut loaded = Self { size, levels, bundle: Vec::new() };
        let (number, width) = edge(size, 0);
        if width > 0 {
            let entries = tiles.entries(Tile { level: None, number, width })?;
            let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
            if loaded.levels.first() != Some(&leaves(&entries)) {
                return Err(Error::Log(format!(
                    "the last {width} entries are not those of the tile beside them"
                )));
            }
            for entry in entries {
                push_entry(&mut loaded.bundle, entry)?;
            }
        }
        Ok(loaded)
    }

    /// Number of entries.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// The root over all entries.
    pub(super) fn root(&self) -> MerkleHash {
        let mut right = None;
        for hashes in &self.levels {
            right = root(hashes, right);
        }
        right.unwrap_or_else(|| MerkleTree::new().root())
    }

    /// Appends an entry with its leaf hash; tiles that become full are written.
    pub(super) fn push<S: LogStore>(
        &mut self,
        store: &S,
        entry: &[u8],
        leaf: MerkleHash,
    ) -> Result<(), Error> {
        push_entry(&mut self.bundle, entry)?;
        if self.size % WIDTH == WIDTH - 1 {
            let tile = Tile { level: None, number: self.size / WIDTH, width: WIDTH };
            store.write(&tile.name(), &self.bundle)?;
            self.bundle.clear();
        }
        self.push_leaf(leaf, |tile, hashes| store.write(&tile.name(), hashes.as_flattened()))
    }

    /// Appends a leaf hash; tiles that become full are handed on.
    pub(super) fn push_leaf(
        &mut self,
        leaf: MerkleHash,
        mut full: impl FnMut(Tile, &[MerkleHash]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut number = self.size;
        self.size += 1;
        let mut hash = leaf;
        for level in 0..LEVELS {
            if self.levels.len() <= usize::from(level) {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(usize::from(level)) else { break };
            hashes.push(hash);
            number /= WIDTH;
            if u64::try_from(hashes.len()).unwrap_or(0) < WIDTH {
                return Ok(());
            }
            full(Tile { level: Some(level), number, width: WIDTH }, hashes)?;
            hash = MerkleTree::from_leaf_hashes(std::mem::take(hashes)).root();
        }
        Ok(())
    }

    /// The partial tiles of hashes.
    pub(super) fn partial(&self) -> impl Iterator<Item = (Tile, &[MerkleHash])> {
        (0..LEVELS).zip(&self.levels).filter(|(_, hashes)| !hashes.is_empty()).map(|(level, hashes)| {
            let (number, width) = edge(self.size, level);
            (Tile { level: Some(level), number, width }, hashes.as_slice())
        })
    }

    /// Writes the partial tiles and the partial bundle.
    pub(super) fn write_partial<S: LogStore>(&self, store: &S) -> Result<(), Error> {
        for (tile, hashes) in self.partial() {
            store.write(&tile.name(), hashes.as_flattened())?;
        }
        let (number, width) = edge(self.size, 0);
        if width > 0 {
            store.write(&Tile { level: None, number, width }.name(), &self.bundle)?;
        }
        Ok(())
    }
}
