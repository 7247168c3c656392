//! The alphabets of RFC 1951, 3.2.5, and the tokens that matching leaves behind.

/// Symbols for literals, the end of a block and lengths.
pub(super) const LITERALS: usize = 286;
/// Symbols for distances.
pub(super) const DISTANCES: usize = 30;
/// The symbol that ends a block.
pub(super) const END_OF_BLOCK: usize = 256;
/// The shortest and the longest match.
pub(super) const MIN_MATCH: usize = 3;
pub(super) const MAX_MATCH: usize = 258;

/// Literals, and the match after them.
#[derive(Clone, Copy)]
pub(super) struct Sequence {
    /// How many literals.
    pub(super) run: u32,
    /// Bytes of the match; 0 if there is none, at the end.
    pub(super) length: u16,
    /// Its distance less 1.
    pub(super) distance: u16,
}

impl Sequence {
    #[inline(always)]
    pub(super) const fn new(run: usize, length: usize, distance: usize) -> Self {
        Self { run: run as u32, length: length as u16, distance: distance.wrapping_sub(1) as u16 }
    }
}

/// The symbol of a length from 3 to 258, less 257, at the length.
pub(super) const LENGTH_SYMBOL: [u8; MAX_MATCH + 1] = length_symbols();
/// The first length of each symbol, and how many extra bits it has.
pub(super) const LENGTH_BASE: [u16; 29] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
    227, 258,
];
pub(super) const LENGTH_EXTRA: [u8; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

const fn length_symbols() -> [u8; MAX_MATCH + 1] {
    let mut table = [0; MAX_MATCH + 1];
    let mut symbol = 0;
    while symbol < 29 {
        let mut length = LENGTH_BASE[symbol] as usize;
        while length <= MAX_MATCH {
            table[length] = symbol as u8;
            length += 1;
        }
        symbol += 1;
    }
    table
}

/// The symbol of a distance, given less 1.
#[inline(always)]
pub(super) const fn distance_symbol(less_one: usize) -> usize {
    if less_one < 4 {
        return less_one;
    }
    let top = less_one.ilog2() as usize;
    2 * top + ((less_one >> (top - 1)) & 1)
}

/// How many extra bits the symbol of a distance has; they are the low bits of the distance less 1.
#[inline(always)]
pub(super) const fn distance_extra(symbol: usize) -> usize {
    if symbol < 4 { 0 } else { symbol / 2 - 1 }
}

/// How often each symbol occurs.
#[derive(Clone)]
pub(super) struct Histogram {
    pub(super) literals: [u32; LITERALS],
    pub(super) distances: [u32; DISTANCES],
}

impl Histogram {
    pub(super) const EMPTY: Self = Self { literals: [0; LITERALS], distances: [0; DISTANCES] };

    pub(super) fn add(&mut self, other: &Self) {
        for (to, from) in self.literals.iter_mut().zip(&other.literals) {
            *to += from;
        }
        for (to, from) in self.distances.iter_mut().zip(&other.distances) {
            *to += from;
        }
    }
}
