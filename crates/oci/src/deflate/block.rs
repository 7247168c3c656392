//! Blocks as bits (CANONICAL.md, 4.5): stored, fixed or dynamic, whichever is shortest.

use super::huffman::{self, Code, LIMIT};
use super::split::Block;
use super::symbol::{
    DISTANCES, END_OF_BLOCK, LENGTH_BASE, LENGTH_EXTRA, LENGTH_SYMBOL, LITERALS, Token, distance_extra,
    distance_symbol,
};

/// The order in which the lengths of the code for code lengths are written (RFC 1951, 3.2.7).
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/// The longest code for code lengths.
const CODE_LIMIT: usize = 7;
/// The most bytes of a stored block.
const STORED: usize = 65535;
/// Bytes of room that a token may need.
const ROOM: usize = 16;

/// The lengths of the fixed code (RFC 1951, 3.2.6); it has two symbols that never occur.
const FIXED_LITERALS: [u8; LITERALS + 2] = fixed_literals();

const fn fixed_literals() -> [u8; LITERALS + 2] {
    let mut lengths = [8; LITERALS + 2];
    let mut symbol = 144;
    while symbol < 280 {
        lengths[symbol] = if symbol < 256 { 9 } else { 7 };
        symbol += 1;
    }
    lengths
}

/// Writes bits, the lowest first.
pub(super) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    bits: u64,
    count: u32,
}

impl<'a> Writer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, bits: 0, count: 0 }
    }

    pub(super) fn block(&mut self, block: &Block<'_>, plain: &[u8]) {
        let dynamic = Dynamic::new(block);
        let extra = extra_bits(block);
        let fixed_bits = 3 + extra + symbol_bits(block, &FIXED_LITERALS, &[5; DISTANCES]);
        let dynamic_bits = 3 + extra + dynamic.bits + symbol_bits(block, &dynamic.literals, &dynamic.distances);
        // Each stored block: three bits, at most seven to the next byte, four bytes.
        let stored_bits = plain.len().div_ceil(STORED).max(1) as u64 * 42 + 8 * plain.len() as u64;
        if stored_bits <= fixed_bits.min(dynamic_bits) {
            self.stored(plain);
        } else if fixed_bits <= dynamic_bits {
            self.put(0b010, 3);
            let all = huffman::codes(&FIXED_LITERALS);
            let literals = std::array::from_fn(|symbol| all[symbol]);
            self.tokens(block.tokens, &literals, &huffman::codes(&[5; DISTANCES]));
        } else {
            self.put(0b100, 3);
            self.dynamic(&dynamic);
            let (literals, distances) = (huffman::codes(&dynamic.literals), huffman::codes(&dynamic.distances));
            self.tokens(block.tokens, &literals, &distances);
        }
    }

    /// An empty stored block, which ends on a byte.
    pub(super) fn align(&mut self) {
        self.stored_header(0);
    }

    fn stored(&mut self, plain: &[u8]) {
        for part in plain.chunks(STORED) {
            self.stored_header(part.len());
            self.out.extend_from_slice(part);
        }
    }

    fn stored_header(&mut self, length: usize) {
        self.put(0b000, 3);
        let padding = (8 - self.count % 8) % 8;
        self.put(0, padding);
        self.flush();
        let length = length as u16;
        self.out.extend_from_slice(&length.to_le_bytes());
        self.out.extend_from_slice(&(!length).to_le_bytes());
    }

    fn dynamic(&mut self, dynamic: &Dynamic) {
        self.put(dynamic.literal_count as u64 - 257, 5);
        self.put(dynamic.distance_count as u64 - 1, 5);
        self.put(dynamic.code_count as u64 - 4, 4);
        for &symbol in ORDER.iter().take(dynamic.code_count) {
            self.put(dynamic.code_lengths[symbol].into(), 3);
        }
        let codes = huffman::codes(&dynamic.code_lengths);
        for run in &dynamic.runs {
            let code = codes[usize::from(run.symbol)];
            self.put(code.bits.into(), code.length.into());
            self.put(run.extra.into(), run.extra_bits.into());
        }
    }

    fn tokens(&mut self, tokens: &[Token], literals: &[Code; LITERALS], distances: &[Code; DISTANCES]) {
        // One table by length: code, extra bits and their count together.
        let mut lengths = [(0u32, 0u8); 259];
        for (length, entry) in lengths.iter_mut().enumerate().skip(3) {
            let symbol = usize::from(LENGTH_SYMBOL[length]);
            let code = literals[257 + symbol];
            let extra = (length - usize::from(LENGTH_BASE[symbol])) as u32;
            *entry = (u32::from(code.bits) | extra << code.length, code.length + LENGTH_EXTRA[symbol]);
        }
        let (mut bits, mut count) = (self.bits, self.count);
        let mut at = self.out.len();
        for tokens in tokens.chunks(4096) {
            self.out.resize(at + tokens.len() * ROOM, 0);
            let out = self.out.as_mut_slice();
            for token in tokens {
                let length = token.length();
                if length == 0 {
                    let code = literals[token.rest()];
                    bits |= u64::from(code.bits) << count;
                    count += u32::from(code.length);
                } else {
                    let (code, code_bits) = lengths[length];
                    bits |= u64::from(code) << count;
                    count += u32::from(code_bits);
                    let symbol = distance_symbol(token.rest());
                    let code = distances[symbol];
                    let extra = distance_extra(symbol);
                    let rest = (token.rest() & ((1 << extra) - 1)) as u64;
                    bits |= (u64::from(code.bits) | rest << code.length) << count;
                    count += u32::from(code.length) + extra as u32;
                }
                // At most 7 bits are left from before, and a token has at most 48.
                if let Some(room) = out.get_mut(at..at + 8) {
                    room.copy_from_slice(&bits.to_le_bytes());
                }
                at += (count / 8) as usize;
                bits >>= count & !7;
                count &= 7;
            }
        }
        self.out.truncate(at);
        (self.bits, self.count) = (bits, count);
        let end = literals[END_OF_BLOCK];
        self.put(end.bits.into(), end.length.into());
    }

    #[inline(always)]
    fn put(&mut self, bits: u64, count: u32) {
        self.bits |= bits << self.count;
        self.count += count;
        self.flush();
    }

    /// Writes the whole bytes.
    #[inline(always)]
    fn flush(&mut self) {
        while self.count >= 8 {
            self.out.push(self.bits as u8);
            self.bits >>= 8;
            self.count -= 8;
        }
    }
}

/// The codes of a dynamic block, and how they are written.
struct Dynamic {
    literals: [u8; LITERALS],
    distances: [u8; DISTANCES],
    literal_count: usize,
    distance_count: usize,
    runs: Vec<Run>,
    code_lengths: [u8; 19],
    code_count: usize,
    /// Bits of all this.
    bits: u64,
}

/// A symbol of the code for code lengths.
struct Run {
    symbol: u8,
    extra: u8,
    extra_bits: u8,
}

impl Dynamic {
    fn new(block: &Block<'_>) -> Self {
        let literals = huffman::lengths(&block.histogram.literals, LIMIT);
        let distances = huffman::lengths(&block.histogram.distances, LIMIT);
        let literal_count = used(&literals).max(257);
        let distance_count = used(&distances).max(1);
        let all: Vec<u8> = literals[..literal_count].iter().chain(&distances[..distance_count]).copied().collect();
        let runs = runs(&all);
        let mut counts = [0u32; 19];
        for run in &runs {
            counts[usize::from(run.symbol)] += 1;
        }
        let code_lengths = huffman::lengths(&counts, CODE_LIMIT);
        let code_count = ORDER.iter().rposition(|&symbol| code_lengths[symbol] > 0).map_or(4, |last| (last + 1).max(4));
        let bits = 14
            + 3 * code_count as u64
            + runs.iter().map(|run| u64::from(code_lengths[usize::from(run.symbol)] + run.extra_bits)).sum::<u64>();
        Self { literals, distances, literal_count, distance_count, runs, code_lengths, code_count, bits }
    }
}

/// How many symbols there are up to the last that has a code.
fn used(lengths: &[u8]) -> usize {
    lengths.iter().rposition(|&length| length > 0).map_or(0, |last| last + 1)
}

/// Runs of code lengths (RFC 1951, 3.2.7), each as long as can be.
fn runs(lengths: &[u8]) -> Vec<Run> {
    let mut runs = Vec::new();
    for same in lengths.chunk_by(|a, b| a == b) {
        let length = same[0];
        let mut left = same.len();
        if length == 0 {
            while left >= 11 {
                let take = left.min(138);
                runs.push(Run { symbol: 18, extra: (take - 11) as u8, extra_bits: 7 });
                left -= take;
            }
            if left >= 3 {
                runs.push(Run { symbol: 17, extra: (left - 3) as u8, extra_bits: 3 });
                left = 0;
            }
        } else {
            runs.push(Run { symbol: length, extra: 0, extra_bits: 0 });
            left -= 1;
            while left >= 3 {
                let take = left.min(6);
                runs.push(Run { symbol: 16, extra: (take - 3) as u8, extra_bits: 2 });
                left -= take;
            }
        }
        runs.extend((0..left).map(|_| Run { symbol: length, extra: 0, extra_bits: 0 }));
    }
    runs
}

/// The extra bits of all lengths and distances.
fn extra_bits(block: &Block<'_>) -> u64 {
    let lengths = block.histogram.literals[257..].iter().zip(LENGTH_EXTRA);
    let distances = block.histogram.distances.iter().enumerate();
    lengths.map(|(&count, extra)| u64::from(count) * u64::from(extra)).sum::<u64>()
        + distances.map(|(symbol, &count)| u64::from(count) * distance_extra(symbol) as u64).sum::<u64>()
}

fn symbol_bits(block: &Block<'_>, literals: &[u8], distances: &[u8; DISTANCES]) -> u64 {
    let pairs = block.histogram.literals.iter().zip(literals).chain(block.histogram.distances.iter().zip(distances));
    pairs.map(|(&count, &length)| u64::from(count) * u64::from(length)).sum()
}
