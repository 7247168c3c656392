//! What can be hashed in a lane: bytes in blocks of 64, the padding included (FIPS 180-4, section 5.1.1).

use sha2::Digest as _;

/// The hash of nothing yet (FIPS 180-4, section 5.3.3).
pub(crate) const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// A message by its blocks.
pub(crate) trait Message: Copy {
    /// Blocks, the padding included.
    fn blocks(&self) -> usize;

    /// Writes block `index` (below [`blocks`](Self::blocks)) to `block`.
    fn block(&self, index: usize, block: &mut [u8; 64]);

    /// The blocks at its beginning that stand in memory as they are hashed.
    fn whole(&self) -> &[[u8; 64]] {
        &[]
    }

    /// The length in bits, if the last block is padding alone.
    fn whole_padding(&self) -> Option<u64>;

    /// The hash, by one block after the other.
    fn hash_alone(&self) -> [u8; 32] {
        let mut state = INITIAL;
        self.finish(0, &mut state);
        bytes(&state)
    }

    /// Takes the blocks from `index` on into `state`, one after the other.
    fn finish(&self, index: usize, state: &mut [u32; 8]) {
        let mut block = [0; 64];
        for index in index..self.blocks() {
            self.block(index, &mut block);
            sha2::block_api::compress256(state, &[block]);
        }
    }
}

/// Some bytes as they are.
impl Message for &[u8] {
    fn whole(&self) -> &[[u8; 64]] {
        self.as_chunks::<64>().0
    }

    #[inline(always)]
    fn blocks(&self) -> usize {
        padded_blocks(self.len())
    }

    #[inline(always)]
    fn block(&self, index: usize, block: &mut [u8; 64]) {
        let (whole, rest) = self.as_chunks::<64>();
        match whole.get(index) {
            Some(content) => *block = *content,
            None => pad(rest, self.len(), index == whole.len(), index + 1 == self.blocks(), block),
        }
    }

    #[inline(always)]
    fn whole_padding(&self) -> Option<u64> {
        self.len().is_multiple_of(64).then(|| bits(self.len()))
    }

    fn hash_alone(&self) -> [u8; 32] {
        // Below one block the backend's own buffer is quicker to pad.
        if self.len() < 64 {
            return sha2::Sha256::digest(self).into();
        }
        let mut state = INITIAL;
        self.finish(0, &mut state);
        bytes(&state)
    }

    fn finish(&self, index: usize, state: &mut [u32; 8]) {
        let (whole, _) = self.as_chunks::<64>();
        sha2::block_api::compress256(state, whole.get(index..).unwrap_or(&[]));
        let mut tail = [[0; 64]; 2];
        let mut count = 0;
        for (index, block) in (index.max(whole.len())..self.blocks()).zip(&mut tail) {
            self.block(index, block);
            count += 1;
        }
        sha2::block_api::compress256(state, tail.get(..count).unwrap_or(&[]));
    }
}

/// A leaf of a Merkle tree: a zero byte, then the entry (RFC 9162, section 2.1.1).
#[derive(Clone, Copy)]
pub(crate) struct Leaf<'a>(pub(crate) &'a [u8]);

impl Message for Leaf<'_> {
    #[inline(always)]
    fn blocks(&self) -> usize {
        padded_blocks(self.0.len() + 1)
    }

    #[inline(always)]
    fn block(&self, index: usize, block: &mut [u8; 64]) {
        // The zero byte stands before the first block's 63 bytes; the others begin one byte earlier.
        let length = self.0.len() + 1;
        if index == 0 {
            *block = [0; 64];
            if let (Some((content, _)), [_, to @ ..]) = (self.0.split_first_chunk::<63>(), &mut *block) {
                *to = *content;
            } else {
                let mut shifted = [0; 64];
                for (to, from) in shifted.iter_mut().skip(1).zip(self.0) {
                    *to = *from;
                }
                let tail = shifted.get(..length).unwrap_or(&shifted);
                pad(tail, length, true, self.blocks() == 1, block);
            }
            return;
        }
        let after = self.0.get(63..).unwrap_or(&[]);
        let (whole, rest) = after.as_chunks::<64>();
        match whole.get(index - 1) {
            Some(content) => *block = *content,
            None => {
                let is_first_of_padding = length >= 64 && index == whole.len() + 1;
                pad(rest, length, is_first_of_padding, index + 1 == self.blocks(), block);
            }
        }
    }

    #[inline(always)]
    fn whole_padding(&self) -> Option<u64> {
        (self.0.len() + 1).is_multiple_of(64).then(|| bits(self.0.len() + 1))
    }
}

/// A node of a Merkle tree: a one byte, then two hashes (RFC 9162, section 2.1.1).
#[derive(Clone, Copy)]
pub(crate) struct Node<'a>(pub(crate) &'a [u8; 32], pub(crate) &'a [u8; 32]);

impl Message for Node<'_> {
    #[inline(always)]
    fn blocks(&self) -> usize {
        2
    }

    #[inline(always)]
    fn block(&self, index: usize, block: &mut [u8; 64]) {
        let Self(left, [right @ .., last]) = self;
        if index == 0 {
            let (begin, end) = block.split_at_mut(33);
            if let [first, begin @ ..] = begin {
                *first = 1;
                begin.copy_from_slice(*left);
            }
            end.copy_from_slice(right);
        } else {
            *block = [0; 64];
            (block[0], block[1]) = (*last, 0x80);
            // 65 bytes are 520 bits.
            (block[62], block[63]) = (2, 8);
        }
    }

    #[inline(always)]
    fn whole_padding(&self) -> Option<u64> {
        None
    }
}

fn padded_blocks(length: usize) -> usize {
    length / 64 + if length % 64 < 56 { 1 } else { 2 }
}

fn bits(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(0).wrapping_mul(8)
}

/// Writes a block of padding: the last bytes and the bit after them if they stand in this one, the length if it is the last.
#[inline(always)]
fn pad(rest: &[u8], length: usize, is_first: bool, is_last: bool, block: &mut [u8; 64]) {
    *block = [0; 64];
    if is_first {
        for (to, from) in block.iter_mut().zip(rest.iter().chain([&0x80])) {
            *to = *from;
        }
    }
    if is_last && let Some(end) = block.last_chunk_mut::<8>() {
        *end = bits(length).to_be_bytes();
    }
}

/// The hash that a state stands for.
pub(super) fn bytes(state: &[u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    let (words, _) = bytes.as_chunks_mut::<4>();
    for (to, word) in words.iter_mut().zip(state) {
        *to = word.to_be_bytes();
    }
    bytes
}
