//! Where one block ends and the next begins (CANONICAL.md, 4.3).

use super::PIECE;
use super::symbol::{DISTANCES, END_OF_BLOCK, Histogram, LENGTH_SYMBOL, Token, distance_symbol};

/// Tokens that are kept together.
const GROUP: usize = 2048;
/// What another block costs beside its symbols, in units of 1/16 bit.
const HEADER: u64 = 560 * 16;

/// Collects tokens, and cuts them into blocks where the statistics change.
pub(super) struct Splitter {
    tokens: Vec<Token>,
    group: Histogram,
    group_bytes: usize,
    group_start: usize,
    groups: Vec<Group>,
}

struct Group {
    histogram: Histogram,
    tokens: usize,
    bytes: usize,
}

/// What goes into one block.
pub(super) struct Block<'a> {
    pub(super) tokens: &'a [Token],
    pub(super) histogram: &'a Histogram,
    pub(super) bytes: usize,
}

impl Splitter {
    pub(super) fn new() -> Self {
        Self {
            tokens: Vec::with_capacity(PIECE),
            group: Histogram::EMPTY,
            group_bytes: 0,
            group_start: 0,
            groups: Vec::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.tokens.clear();
        self.groups.clear();
        self.group = Histogram::EMPTY;
        self.group_bytes = 0;
        self.group_start = 0;
    }

    #[inline(always)]
    pub(super) fn push(&mut self, token: Token, bytes: usize) {
        self.tokens.push(token);
        self.group_bytes += bytes;
        if token.length() == 0 {
            self.group.literals[token.rest()] += 1;
        } else {
            self.group.literals[257 + usize::from(LENGTH_SYMBOL[token.length()])] += 1;
            self.group.distances[distance_symbol(token.rest())] += 1;
        }
        if self.tokens.len() - self.group_start == GROUP {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let tokens = self.tokens.len() - self.group_start;
        if tokens == 0 {
            return;
        }
        let histogram = std::mem::replace(&mut self.group, Histogram::EMPTY);
        let bytes = std::mem::take(&mut self.group_bytes);
        self.group_start = self.tokens.len();
        let Some(last) = self.groups.last_mut() else {
            self.groups.push(Group { histogram, tokens, bytes });
            return;
        };
        let mut both = last.histogram.clone();
        both.add(&histogram);
        if cost(&last.histogram) + cost(&histogram) + HEADER < cost(&both) {
            self.groups.push(Group { histogram, tokens, bytes });
        } else {
            last.histogram = both;
            last.tokens += tokens;
            last.bytes += bytes;
        }
    }

    /// The blocks of what was pushed.
    pub(super) fn blocks(&mut self) -> impl Iterator<Item = Block<'_>> {
        self.cut();
        let tokens = &self.tokens;
        let mut at = 0;
        self.groups.iter_mut().map(move |group| {
            let from = at;
            at += group.tokens;
            group.histogram.literals[END_OF_BLOCK] = 1;
            Block { tokens: &tokens[from..at], histogram: &group.histogram, bytes: group.bytes }
        })
    }
}

/// The entropy of a block's symbols in units of 1/16 bit.
fn cost(histogram: &Histogram) -> u64 {
    entropy(&histogram.literals) + entropy::<DISTANCES>(&histogram.distances)
}

fn entropy<const N: usize>(counts: &[u32; N]) -> u64 {
    let mut total = 0;
    let mut sum = 0;
    for &count in counts {
        total += count;
        sum += u64::from(count) * u64::from(log2(count));
    }
    u64::from(total) * u64::from(log2(total)) - sum
}

/// The binary logarithm in sixteenths, 0 for 0.
#[inline(always)]
fn log2(value: u32) -> u32 {
    if value == 0 {
        return 0;
    }
    let top = value.ilog2();
    // The eight bits below the highest.
    let mantissa = ((u64::from(value) << 8) >> top) & 0xff;
    16 * top + u32::from(FRACTION[mantissa as usize])
}

/// round down of 16 log2(1 + i / 256)
const FRACTION: [u8; 256] = fractions();

const fn fractions() -> [u8; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        // Four squarings give four bits of the logarithm; 32 bits behind the point.
        let mut power = (256 + index as u64) << 24;
        let mut bits = 0;
        let mut step = 0;
        while step < 4 {
            power = ((power as u128 * power as u128) >> 32) as u64;
            bits <<= 1;
            if power >> 33 != 0 {
                bits |= 1;
                power >>= 1;
            }
            step += 1;
        }
        table[index] = bits;
        index += 1;
    }
    table
}
