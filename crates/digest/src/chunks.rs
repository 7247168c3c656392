use std::io::{self, Read};

use crate::{Lanes, MerkleHash, MerkleTree, ProofError, verify_inclusion};

/// The chunks of a large blob by their hashes: what lets a reader accept or refuse it piece by piece, in any order, before the
/// last byte is there.
///
/// The hash of a chunk is the leaf hash of RFC 9162 (section 2.1.1), so the [root](Self::root) stands for the whole list, and one
/// chunk can be proved with the log of their number of hashes. All chunks have the same size but the last.
///
/// ```
/// use lotse_digest::{ChunkList, ChunkReader};
/// let blob = vec![7; 100_000];
/// let list = ChunkList::of(&blob[..], 16 << 10)?;
/// list.verify(6, &blob[6 * (16 << 10)..])?; // the last one, alone
/// let trusted = ChunkList::parse(&list.to_bytes(), &list.root())?;
/// let mut copy = Vec::new();
/// std::io::copy(&mut ChunkReader::new(&blob[..], &trusted), &mut copy)?; // nothing unverified comes out
/// assert_eq!(copy, blob);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkList {
    chunk: u32,
    size: u64,
    hashes: Vec<MerkleHash>,
}

/// Chunks that are read before they are hashed together.
const BATCH: usize = 16;
const FORM: &[u8] = b"lotse-chunks/1\n";

impl ChunkList {
    /// Reads a blob to its end and lists its chunks of `chunk` bytes, hashed many at once: 16 are in memory together.
    ///
    /// # Errors
    ///
    /// Those of reading; [`io::ErrorKind::InvalidInput`] if `chunk` is 0.
    pub fn of(mut blob: impl Read, chunk: u32) -> io::Result<Self> {
        let length = usize::try_from(chunk).unwrap_or(0);
        if length == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a chunk has at least one byte"));
        }
        let lanes = Lanes::detect();
        let (mut size, mut hashes) = (0, Vec::new());
        let batch = u64::from(chunk).saturating_mul(u64::try_from(BATCH).unwrap_or(1));
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            let count = blob.by_ref().take(batch).read_to_end(&mut buffer)?;
            size += u64::try_from(count).unwrap_or(0);
            let chunks: Vec<&[u8]> = buffer.chunks(length).collect();
            hashes.append(&mut lanes.merkle_leaves(&chunks));
            if count == 0 {
                return Ok(Self { chunk, size, hashes });
            }
        }
    }

    /// The root of the Merkle tree over the chunks, and with it their number; the size of the blob is not in it.
    #[must_use]
    pub fn root(&self) -> MerkleHash {
        Lanes::detect().merkle_root(&self.hashes)
    }

    /// Bytes of the blob.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Bytes of every chunk but the last, which has 1 to as many.
    #[must_use]
    pub const fn chunk_size(&self) -> u32 {
        self.chunk
    }

    /// The hashes of the chunks, in order.
    #[must_use]
    pub fn hashes(&self) -> &[MerkleHash] {
        &self.hashes
    }

    /// Checks one chunk.
    ///
    /// # Errors
    ///
    /// [`ChunkError::OutOfRange`], [`ChunkError::Length`], [`ChunkError::Mismatch`].
    pub fn verify(&self, index: u64, chunk: &[u8]) -> Result<(), ChunkError> {
        let position = usize::try_from(index).ok();
        let Some(hash) = position.and_then(|position| self.hashes.get(position)) else {
            return Err(ChunkError::OutOfRange { index, chunks: self.chunks() });
        };
        let expected = u64::from(self.chunk).min(self.size - index * u64::from(self.chunk));
        let actual = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        if actual != expected {
            return Err(ChunkError::Length { index, expected, actual });
        }
        if MerkleTree::leaf_hash(chunk) == *hash { Ok(()) } else { Err(ChunkError::Mismatch { index }) }
    }

    /// The proof that a chunk is in the blob, for [`verify_chunk`](Self::verify_chunk); `None` if there is no such chunk.
    #[must_use]
    pub fn proof(&self, index: u64) -> Option<Vec<MerkleHash>> {
        MerkleTree::from_leaf_hashes(self.hashes.clone()).inclusion_proof(index, self.chunks())
    }

    /// Checks one chunk against a root, without the list: `chunks` is the number of chunks of the blob.
    ///
    /// # Errors
    ///
    /// Those of [`verify_inclusion`].
    pub fn verify_chunk(
        index: u64,
        chunks: u64,
        chunk: &[u8],
        proof: &[MerkleHash],
        root: &MerkleHash,
    ) -> Result<(), ProofError> {
        verify_inclusion(&MerkleTree::leaf_hash(chunk), index, chunks, proof, root)
    }

    /// The list as bytes: `lotse-chunks/1` and a newline, the chunk size (4 bytes, big-endian), the blob's size (8 bytes), the
    /// hashes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [FORM, &self.chunk.to_be_bytes(), &self.size.to_be_bytes(), self.hashes.as_flattened()].concat()
    }

    /// Reads a list from outside, which must have the root that is trusted.
    ///
    /// # Errors
    ///
    /// [`ChunkError::Malformed`] if it is no list or its sizes and its number of hashes disagree; [`ChunkError::Root`].
    pub fn parse(bytes: &[u8], root: &MerkleHash) -> Result<Self, ChunkError> {
        let parsed = bytes.strip_prefix(FORM).and_then(|rest| {
            let (chunk, rest) = rest.split_first_chunk::<4>()?;
            let (size, rest) = rest.split_first_chunk::<8>()?;
            let (hashes, odd) = rest.as_chunks::<32>();
            odd.is_empty().then_some((u32::from_be_bytes(*chunk), u64::from_be_bytes(*size), hashes))
        });
        let Some((chunk, size, hashes)) = parsed else { return Err(ChunkError::Malformed) };
        if chunk == 0 || usize::try_from(size.div_ceil(u64::from(chunk))) != Ok(hashes.len()) {
            return Err(ChunkError::Malformed);
        }
        let list = Self { chunk, size, hashes: hashes.to_vec() };
        if list.root() == *root { Ok(list) } else { Err(ChunkError::Root) }
    }

    fn chunks(&self) -> u64 {
        u64::try_from(self.hashes.len()).unwrap_or(u64::MAX)
    }
}

/// Reads a blob and hands out nothing that does not match its list: the first wrong chunk is an error, as are bytes too many or
/// too few.
///
/// The error is of [`io::ErrorKind::InvalidData`] and holds a [`ChunkError`]; what was read before it is right. One chunk is in
/// memory at a time.
#[derive(Debug)]
pub struct ChunkReader<'a, R> {
    inner: R,
    list: &'a ChunkList,
    index: u64,
    chunk: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<'a, R: Read> ChunkReader<'a, R> {
    /// Reads from the beginning of the blob.
    pub const fn new(inner: R, list: &'a ChunkList) -> Self {
        Self { inner, list, index: 0, chunk: Vec::new(), given: 0, ended: false }
    }

    /// Reads from the beginning of chunk `index` on, where `inner` must stand.
    pub const fn from_chunk(inner: R, list: &'a ChunkList, index: u64) -> Self {
        Self { inner, list, index, chunk: Vec::new(), given: 0, ended: false }
    }

    fn fill(&mut self) -> io::Result<()> {
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        self.chunk.clear();
        self.given = 0;
        // One byte more than the blob has would be seen at its end.
        let limit = if self.index < self.list.chunks() { u64::from(self.list.chunk) } else { 1 };
        self.inner.by_ref().take(limit).read_to_end(&mut self.chunk)?;
        if self.index >= self.list.chunks() {
            self.ended = true;
            if self.chunk.is_empty() {
                return Ok(());
            }
            self.chunk.clear();
            return Err(invalid(ChunkError::TooLong { size: self.list.size }));
        }
        if let Err(error) = self.list.verify(self.index, &self.chunk) {
            self.chunk.clear();
            self.ended = true;
            return Err(invalid(error));
        }
        self.index += 1;
        Ok(())
    }
}

impl<R: Read> Read for ChunkReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.given == self.chunk.len() && !self.ended {
            self.fill()?;
        }
        let count = self.chunk.get(self.given..).unwrap_or(&[]).read(buffer)?;
        self.given += count;
        Ok(count)
    }
}

/// Why a chunk or a list of chunks is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChunkError {
    /// The bytes are no list of chunks.
    #[error("this is no list of chunks of the form lotse-chunks/1")]
    Malformed,
    /// The list has another root than the trusted one.
    #[error("the list of chunks does not have the root that is trusted")]
    Root,
    /// The blob has no such chunk.
    #[error("there is no chunk {index}, the blob has {chunks}")]
    OutOfRange {
        /// The number of the chunk, from 0.
        index: u64,
        /// Chunks of the blob.
        chunks: u64,
    },
    /// The chunk is too short or too long.
    #[error("chunk {index} has {actual} bytes, expected {expected}")]
    Length {
        /// The number of the chunk, from 0.
        index: u64,
        /// Bytes it must have.
        expected: u64,
        /// Bytes found.
        actual: u64,
    },
    /// The chunk has other bytes than the listed one.
    #[error("chunk {index} does not match its hash")]
    Mismatch {
        /// The number of the chunk, from 0.
        index: u64,
    },
    /// The blob goes on after its last chunk.
    #[error("the blob is longer than the {size} bytes of its list")]
    TooLong {
        /// Bytes that the list knows.
        size: u64,
    },
}
