use std::io::{self, Read};

use crate::{Lanes, MerkleHash};

/// The fs-verity digest of a file, as the Linux kernel computes it: SHA-256, blocks of 4096 bytes, no salt (kernel documentation,
/// filesystems/fsverity).
///
/// It is what `fsverity digest FILE` prints; no kernel support is needed.
///
/// ```
/// let digest = lotse_digest::FsVerity::of(&b"hello"[..])?;
/// assert_eq!(digest.as_bytes().len(), 32);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FsVerity(MerkleHash);

const BLOCK: usize = 4096;
/// Blocks that are read before they are hashed together: 1 MiB.
const BATCH: usize = 256;

impl FsVerity {
    /// Reads a file to its end.
    ///
    /// # Errors
    ///
    /// Those of reading.
    pub fn of(mut file: impl Read) -> io::Result<Self> {
        let lanes = Lanes::detect();
        let (mut size, mut hashes) = (0u64, Vec::new());
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            let limit = u64::try_from(BLOCK * BATCH).unwrap_or(u64::MAX);
            let count = file.by_ref().take(limit).read_to_end(&mut buffer)?;
            if count == 0 {
                break;
            }
            size += u64::try_from(count).unwrap_or(0);
            hashes.append(&mut blocks(lanes, &mut buffer));
        }
        while hashes.len() > 1 {
            hashes = blocks(lanes, &mut hashes.into_flattened());
        }
        // An empty file has no tree; its root is all zeros.
        let root = hashes.first().copied().unwrap_or([0; 32]);
        // Version 1, SHA-256, blocks of 2^12 bytes, no salt: then the size, and the root padded to 64 bytes.
        let mut descriptor = vec![1, 1, 12, 0, 0, 0, 0, 0];
        descriptor.extend_from_slice(&size.to_le_bytes());
        descriptor.extend_from_slice(&root);
        descriptor.resize(256, 0);
        Ok(Self(lanes.sha256(&[&descriptor]).first().copied().unwrap_or([0; 32])))
    }

    /// The digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Display for FsVerity {
    /// `sha256:` and the hexadecimal form, as `fsverity` prints it. This is no digest of the file's bytes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sha256:{}", crate::hex::encode(&self.0))
    }
}

/// The hash of each block, the last one filled up with zeros.
fn blocks(lanes: Lanes, bytes: &mut Vec<u8>) -> Vec<MerkleHash> {
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    let blocks: Vec<&[u8]> = bytes.chunks(BLOCK).collect();
    lanes.sha256(&blocks)
}
