use std::fs;
use std::path::Path;

use lotse_digest::{MerkleHash, MerkleTree};

use super::{entry_limit, write_file};
use crate::Error;

/// Hashes of a full tile, and entries of a full bundle.
const WIDTH: usize = 256;

/// Writes the tiles of the log that are not there in full yet; full ones never change.
pub(super) fn write(directory: &Path, entries: &[Vec<u8>], tree: &MerkleTree) -> Result<(), Error> {
    for (number, bundle) in entries.chunks(WIDTH).enumerate() {
        let name = name("entries", number, bundle.len());
        if bundle.len() < WIDTH || !directory.join(&name).exists() {
            let mut bytes = Vec::new();
            for entry in bundle {
                let length = u16::try_from(entry.len()).map_err(|_| Error::Limit {
                    what: "bytes of a log entry".to_owned(),
                    limit: entry_limit(),
                })?;
                bytes.extend_from_slice(&length.to_be_bytes());
                bytes.extend_from_slice(entry);
            }
            write_file(directory, &name, &bytes)?;
        }
    }
    for (level, hashes) in levels(tree).iter().enumerate() {
        for (number, tile) in hashes.chunks(WIDTH).enumerate() {
            let name = name(&level.to_string(), number, tile.len());
            if tile.len() < WIDTH || !directory.join(&name).exists() {
                write_file(directory, &name, &tile.concat())?;
            }
        }
    }
    Ok(())
}

/// Reads the first `size` entries.
pub(super) fn read_entries(directory: &Path, size: u64) -> Result<Vec<Vec<u8>>, Error> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let mut entries = Vec::new();
    while entries.len() < size {
        let number = entries.len() / WIDTH;
        let width = (size - entries.len()).min(WIDTH);
        let name = name("entries", number, width);
        let path = directory.join(&name);
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        let mut rest = bytes.as_slice();
        for _ in 0..width {
            let (entry, after) = next_entry(rest).ok_or_else(|| Error::malformed(&name, "it is cut off"))?;
            entries.push(entry.to_vec());
            rest = after;
        }
        if !rest.is_empty() {
            return Err(Error::malformed(&name, "it holds more than its entries"));
        }
    }
    Ok(entries)
}

/// Checks that the hash tiles on disk are those of the entries.
pub(super) fn check_hashes(directory: &Path, tree: &MerkleTree) -> Result<(), Error> {
    for (level, hashes) in levels(tree).iter().enumerate() {
        for (number, tile) in hashes.chunks(WIDTH).enumerate() {
            let name = name(&level.to_string(), number, tile.len());
            let path = directory.join(&name);
            if fs::read(&path).map_err(Error::io("read", &path))? != tile.concat() {
                return Err(Error::malformed(&name, "its hashes are not those of the entries"));
            }
        }
    }
    Ok(())
}

fn next_entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_at_checked(2)?;
    let length = u16::from_be_bytes(length.try_into().ok()?);
    rest.split_at_checked(usize::from(length))
}

/// The hashes of each tile level: the leaves, then the roots of each full tile below.
fn levels(tree: &MerkleTree) -> Vec<Vec<MerkleHash>> {
    let mut levels = Vec::new();
    let mut current = tree.leaf_hashes().to_vec();
    while !current.is_empty() {
        let above = current
            .chunks_exact(WIDTH)
            .map(|tile| MerkleTree::from_leaf_hashes(tile.to_vec()).root())
            .collect();
        levels.push(std::mem::replace(&mut current, above));
    }
    levels
}

/// `tile/<L>/<N>[.p/<W>]`, with N in groups of three digits, all but the last marked by `x`.
fn name(level: &str, number: usize, width: usize) -> String {
    let mut path = format!("{:03}", number % 1000);
    let mut rest = number / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    let partial = if width < WIDTH { format!(".p/{width}") } else { String::new() };
    format!("tile/{level}/{path}{partial}")
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn names_are_those_of_c2sp_tlog_tiles() {
        assert_eq!(name("0", 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(name("entries", 273, 112), "tile/entries/273.p/112");
        assert_eq!(name("1", 0, 1), "tile/1/000.p/1");
    }
}
