use lotse_digest::{MerkleHash, MerkleTree};

use crate::Error;
use crate::event::ENTRY;

/// Hashes of a full tile, and entries of a full bundle.
pub(super) const WIDTH: u64 = 256;
/// Tile levels of a tree of 64 bits.
pub(super) const LEVELS: u8 = 8;
const HASH: usize = 32;

/// The file of some hashes or entries (C2SP tlog-tiles).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tile {
    /// The level of hashes, or `None` for entries.
    pub(super) level: Option<u8>,
    /// Its place in the level.
    pub(super) number: u64,
    /// 1 to 256.
    pub(super) width: u64,
}

impl Tile {
    /// `tile/<L>/<N>[.p/<W>]`, with N in groups of three digits, all but the last marked by `x`.
    pub(super) fn name(self) -> String {
        let mut path = format!("{:03}", self.number % 1000);
        let mut rest = self.number / 1000;
        while rest > 0 {
            path = format!("x{:03}/{path}", rest % 1000);
            rest /= 1000;
        }
        let level = self.level.map_or_else(|| "entries".to_owned(), |level| level.to_string());
        let partial = if self.width < WIDTH { format!(".p/{}", self.width) } else { String::new() };
        format!("tile/{level}/{path}{partial}")
    }

    /// The tile of a name; `None` for names that [`name`](Self::name) does not make.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (level, path) = name.strip_prefix("tile/")?.split_once('/')?;
        let level = if level == "entries" { None } else { Some(level.parse::<u8>().ok()?) };
        let (path, width) = match path.split_once(".p/") {
            Some((path, width)) => (path, width.parse().ok()?),
            None => (path, WIDTH),
        };
        let mut number = 0_u64;
        for part in path.split('/') {
            let digits = part.strip_prefix('x').unwrap_or(part);
            number = number.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        let tile = Self { level, number, width };
        (tile.name() == name).then_some(tile)
    }

    /// How many entries a log has at least if this tile is one of its.
    pub(super) fn covers(self) -> Option<u64> {
        let hashes = self.number.checked_mul(WIDTH)?.checked_add(self.width)?;
        hashes.checked_mul(WIDTH.checked_pow(u32::from(self.level.unwrap_or(0)))?)
    }

    /// The full tile at its place.
    pub(super) const fn full(self) -> Self {
        Self { width: WIDTH, ..self }
    }
}

/// The tile of a level at the right edge of a tree, with its width; 0 if there is none.
pub(super) fn edge(size: u64, level: u8) -> (u64, u64) {
    let hashes = WIDTH.checked_pow(u32::from(level)).map_or(0, |span| size / span);
    (hashes / WIDTH, hashes % WIDTH)
}

/// The hashes of a tile.
pub(super) fn hashes(tile: Tile, bytes: &[u8]) -> Result<Vec<MerkleHash>, Error> {
    let (hashes, rest) = bytes.as_chunks::<HASH>();
    let width = u64::try_from(hashes.len()).unwrap_or(u64::MAX);
    if width < tile.width || width > WIDTH || !rest.is_empty() {
        let reason = format!("it has {} bytes, {} hashes are asked for", bytes.len(), tile.width);
        return Err(Error::malformed(tile.name(), reason));
    }
    Ok(hashes.iter().take(count(tile.width)).copied().collect())
}

/// The entries of a bundle. A full bundle may serve for a partial one.
pub(super) fn entries(tile: Tile, bytes: &[u8]) -> Result<Vec<&[u8]>, Error> {
    let (mut entries, rest) = split_entries(bytes);
    let width = u64::try_from(entries.len()).unwrap_or(u64::MAX);
    if rest > 0 {
        return Err(Error::malformed(tile.name(), "its last entry is cut off"));
    }
    if width < tile.width || width > WIDTH {
        return Err(Error::malformed(tile.name(), format!("it has {width} entries, not {}", tile.width)));
    }
    entries.truncate(count(tile.width));
    Ok(entries)
}

/// The whole entries of a bundle, and how many bytes behind them are none.
pub(super) fn split_entries(bytes: &[u8]) -> (Vec<&[u8]>, usize) {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while let Some((entry, after)) = next_entry(rest) {
        entries.push(entry);
        rest = after;
    }
    (entries, rest.len())
}

/// Adds an entry to a bundle.
pub(super) fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), Error> {
    let length = u16::try_from(entry.len())
        .map_err(|_| Error::Limit { what: "bytes of a log entry".to_owned(), limit: ENTRY })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The root over hashes of one level, and over what lies to their right.
pub(super) fn root(hashes: &[MerkleHash], right: Option<MerkleHash>) -> Option<MerkleHash> {
    // Appending the right part as one more leaf gives the tree of RFC 6962: the left ones are split in the same way.
    let all: Vec<MerkleHash> = hashes.iter().copied().chain(right).collect();
    (!all.is_empty()).then(|| MerkleTree::from_leaf_hashes(all).root())
}

/// The leaf hashes of entries.
pub(super) fn leaves(entries: &[&[u8]]) -> Vec<MerkleHash> {
    let mut tree = MerkleTree::new();
    tree.extend(entries);
    tree.leaf_hashes().to_vec()
}

/// A number that is small, as the width of a tile is.
pub(super) fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn next_entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_c2sp_tlog_tiles() {
        let tile = |level, number, width| Tile { level, number, width };
        for (tile, name) in [
            (tile(Some(0), 1_234_067, 256), "tile/0/x001/x234/067"),
            (tile(None, 273, 112), "tile/entries/273.p/112"),
            (tile(Some(1), 0, 1), "tile/1/000.p/1"),
        ] {
            assert_eq!(tile.name(), name);
            assert_eq!(Tile::parse(name), Some(tile));
        }
        for name in [
            "tile/0/1",
            "tile/0/0001",
            "tile/00/001",
            "tile/0/001.p/256",
            "tile/0/001.p/0x",
            "tile/0/x000/001",
            "tile/x/001",
        ] {
            assert_eq!(Tile::parse(name), None, "{name}");
        }
    }

    #[test]
    fn the_edge_of_70_000_entries_is_that_of_the_specification() {
        let edges: Vec<_> = (0..4).map(|level| edge(70_000, level)).collect();
        assert_eq!(edges, [(273, 112), (1, 17), (0, 1), (0, 0)]);
        assert_eq!((edge(256, 0), edge(256, 1)), ((1, 0), (0, 1)));
    }
}
