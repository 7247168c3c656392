//! The DEFLATE encoder of `lotse-layer/1` (CANONICAL.md, section 4). Its output is frozen: a change of any byte is a new
//! version beside this one.
//!
//! Integers only; nothing depends on the machine, the number of threads or a library.
#![expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "the hot loops of the crate: places are taken modulo the size of their table or come from its own length"
)]

mod block;
mod huffman;
mod matcher;
mod split;
mod symbol;

use matcher::Matcher;
use split::Splitter;

/// Bytes of input that are encoded as one.
pub(crate) const PIECE: usize = 512 << 10;
/// Bytes before a piece that its matches may reach into: all that RFC 1951 allows.
pub(crate) const WINDOW: usize = 32 << 10;
/// What ends a stream: an empty final block with the fixed code.
pub(crate) const END: [u8; 2] = [0x03, 0x00];

/// Encodes pieces, one at a time and each from scratch; it is kept for its tables.
pub(crate) struct Encoder {
    matcher: Matcher,
    splitter: Splitter,
}

impl Encoder {
    pub(crate) fn new() -> Self {
        Self { matcher: Matcher::new(), splitter: Splitter::new() }
    }

    /// Appends the blocks of the bytes from `start` on to `out`, which end on a byte; the bytes before are the window.
    ///
    /// `start` is at most [`WINDOW`], and what follows at most [`PIECE`] bytes.
    pub(crate) fn encode(&mut self, input: &[u8], start: usize, out: &mut Vec<u8>) {
        self.splitter.begin(start);
        self.matcher.parse(input, start, &mut self.splitter);
        let mut writer = block::Writer::new(out);
        let mut at = start;
        for block in self.splitter.blocks() {
            let plain = input.get(at..at + block.bytes).unwrap_or(&[]);
            writer.block(&block, plain);
            at += block.bytes;
        }
        writer.align();
    }
}
