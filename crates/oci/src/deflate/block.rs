//! Blocks as bits (CANONICAL.md, 4.5): stored, fixed or dynamic, whichever is shortest.

use super::huffman::{self, Code, LIMIT};
use super::split::Block;
use super::symbol::{
    DISTANCES, END_OF_BLOCK, LENGTH_BASE, LENGTH_EXTRA, LENGTH_SYMBOL, LITERALS, Sequence, distance_extra,
    distance_symbol,
};

/// The order in which the lengths of the code for code lengths are written (RFC 1951, 3.2.7).
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/// The longest code for code lengths.
const CODE_LIMIT: usize = 7;
/// The most bytes of a stored block.
const STORED: usize = 65535;

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
        let dynamic_bits =
            3 + extra + dynamic.bits + symbol_bits(block, &dynamic.literals, &dynamic.distances);
        // Each stored block: three bits, at most seven to the next byte, four bytes.
        let stored_bits = plain.len().div_ceil(STORED).max(1) as u64 * 42 + 8 * plain.len() as u64;
        if stored_bits <= fixed_bits.min(dynamic_bits) {
            self.stored(plain);
        } else if fixed_bits <= dynamic_bits {
            self.put(0b010, 3);
            let all = huffman::codes(&FIXED_LITERALS);
            let literals = std::array::from_fn(|symbol| all[symbol]);
            self.sequences(block.sequences, plain, &literals, &huffman::codes(&[5; DISTANCES]), fixed_bits);
        } else {
            self.put(0b100, 3);
            self.dynamic(&dynamic);
            let (literals, distances) =
                (huffman::codes(&dynamic.literals), huffman::codes(&dynamic.distances));
            self.sequences(block.sequences, plain, &literals, &distances, dynamic_bits);
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

    fn sequences(
        &mut self,
        sequences: &[Sequence],
        plain: &[u8],
        literals: &[Code; LITERALS],
        distances: &[Code; DISTANCES],
        bits: u64,
    ) {
        // One table by length: code, extra bits and their count together.
        let mut lengths = [(0u32, 0u8); 259];
        for (length, entry) in lengths.iter_mut().enumerate().skip(3) {
            let symbol = usize::from(LENGTH_SYMBOL[length]);
            let code = literals[257 + symbol];
            let extra = (length - usize::from(LENGTH_BASE[symbol])) as u32;
            *entry = (u32::from(code.bits) | extra << code.length, code.length + LENGTH_EXTRA[symbol]);
        }
        // What is written: the bits of the block are counted already.
        let from = self.out.len();
        self.out.resize(from + (bits / 8) as usize + 16, 0);
        let mut room = Room { out: &mut self.out[from..], at: 0, bits: self.bits, count: self.count };
        let mut rest = plain;
        for sequence in sequences {
            let (run, after) = rest.split_at(sequence.run as usize);
            for three in run.chunks(3) {
                // At most 7 bits are left from before, and three literals have at most 45.
                for &literal in three {
                    let code = literals[usize::from(literal)];
                    room.add(code.bits.into(), code.length.into());
                }
                room.write();
            }
            if sequence.length > 0 {
                let (code, bits) = lengths[usize::from(sequence.length)];
                let less_one = usize::from(sequence.distance);
                let symbol = distance_symbol(less_one);
                let distance = distances[symbol];
                let extra = distance_extra(symbol);
                // At most 7 bits from before, 15 + 5 of the length, 15 + 13 of the distance.
                room.add(code.into(), bits.into());
                room.add(distance.bits.into(), distance.length.into());
                room.add((less_one & ((1 << extra) - 1)) as u64, extra as u32);
                room.write();
            }
            rest = &after[usize::from(sequence.length)..];
        }
        (self.bits, self.count) = (room.bits, room.count);
        let end = from + room.at;
        self.out.truncate(end);
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

/// Where the symbols of a block are written.
struct Room<'a> {
    out: &'a mut [u8],
    at: usize,
    bits: u64,
    count: u32,
}

impl Room<'_> {
    #[inline(always)]
    fn add(&mut self, bits: u64, count: u32) {
        self.bits |= bits << self.count;
        self.count += count;
    }

    /// Writes the whole bytes.
    #[inline(always)]
    fn write(&mut self) {
        self.out[self.at..self.at + 8].copy_from_slice(&self.bits.to_le_bytes());
        self.at += (self.count / 8) as usize;
        self.bits >>= self.count & !7;
        self.count &= 7;
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
        let all: Vec<u8> =
            literals[..literal_count].iter().chain(&distances[..distance_count]).copied().collect();
        let runs = runs(&all);
        let mut counts = [0u32; 19];
        for run in &runs {
            counts[usize::from(run.symbol)] += 1;
        }
        let code_lengths = huffman::lengths(&counts, CODE_LIMIT);
        let code_count =
            ORDER.iter().rposition(|&symbol| code_lengths[symbol] > 0).map_or(4, |last| (last + 1).max(4));
        let bits = 14
            + 3 * code_count as u64
            + runs
                .iter()
                .map(|run| u64::from(code_lengths[usize::from(run.symbol)] + run.extra_bits))
                .sum::<u64>();
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
    let pairs =
        block.histogram.literals.iter().zip(literals).chain(block.histogram.distances.iter().zip(distances));
    pairs.map(|(&count, &length)| u64::from(count) * u64::from(length)).sum()
}
