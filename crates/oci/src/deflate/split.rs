//! Where one block ends and the next begins (CANONICAL.md, 4.3).

use std::cmp::Reverse;

use super::symbol::{DISTANCES, END_OF_BLOCK, Histogram, LENGTH_SYMBOL, Sequence, distance_symbol};

/// Bytes of input whose symbols are kept together.
const GROUP: usize = 8 << 10;
/// What another block costs beside its symbols, in units of 1/256 bit.
const HEADER: u64 = 720 * 256;

/// Collects literals and matches, and cuts them into blocks where the statistics change.
pub(super) struct Splitter {
    sequences: Vec<Sequence>,
    groups: Vec<Group>,
    /// The sequences and bytes of the group that is being filled.
    first: usize,
    bytes: usize,
    /// Where its bytes begin in the input.
    at: usize,
}

struct Group {
    histogram: Histogram,
    cost: u64,
    sequences: usize,
    bytes: usize,
}

/// What goes into one block.
pub(super) struct Block<'a> {
    pub(super) sequences: &'a [Sequence],
    pub(super) histogram: &'a Histogram,
    /// How many bytes of the input it stands for.
    pub(super) bytes: usize,
}

impl Splitter {
    pub(super) fn new() -> Self {
        Self { sequences: Vec::new(), groups: Vec::new(), first: 0, bytes: 0, at: 0 }
    }

    /// Begins with the byte `start` of the input.
    pub(super) fn begin(&mut self, start: usize) {
        self.sequences.clear();
        self.groups.clear();
        (self.first, self.bytes, self.at) = (0, 0, start);
    }

    #[inline(always)]
    pub(super) fn push(&mut self, input: &[u8], sequence: Sequence) {
        self.sequences.push(sequence);
        self.bytes += sequence.run as usize + usize::from(sequence.length);
        if self.bytes >= GROUP {
            self.cut(input);
        }
    }

    /// Takes the literals at the end.
    pub(super) fn finish(&mut self, input: &[u8], literals: usize) {
        if literals > 0 {
            self.push(input, Sequence::new(literals, 0, 0));
        }
        self.cut(input);
    }

    #[inline(never)]
    fn cut(&mut self, input: &[u8]) {
        if self.bytes == 0 {
            return;
        }
        let sequences = &self.sequences[self.first..];
        let mut histogram = Histogram::EMPTY;
        let mut rest = &input[self.at..];
        for sequence in sequences {
            let (literals, after) = rest.split_at(sequence.run as usize);
            for &literal in literals {
                histogram.literals[usize::from(literal)] += 1;
            }
            if sequence.length > 0 {
                histogram.literals[257 + usize::from(LENGTH_SYMBOL[usize::from(sequence.length)])] += 1;
                histogram.distances[distance_symbol(sequence.distance.into())] += 1;
            }
            rest = &after[usize::from(sequence.length)..];
        }
        let cost = cost(&histogram);
        let group = Group { histogram, cost, sequences: sequences.len(), bytes: self.bytes };
        self.first = self.sequences.len();
        self.at += self.bytes;
        self.bytes = 0;
        self.groups.push(group);
    }

    /// Joins neighbours as long as that saves something, those first that save most.
    fn join(&mut self) {
        let groups = &mut self.groups;
        let mut savings: Vec<i64> = groups.windows(2).map(|pair| saving(&pair[0], &pair[1])).collect();
        while let Some((left, _)) = savings
            .iter()
            .copied()
            .enumerate()
            .filter(|&(_, saved)| saved >= 0)
            .max_by_key(|&(at, saved)| (saved, Reverse(at)))
        {
            let right = groups.remove(left + 1);
            savings.remove(left);
            let joined = &mut groups[left];
            joined.histogram.add(&right.histogram);
            joined.cost = cost(&joined.histogram);
            joined.sequences += right.sequences;
            joined.bytes += right.bytes;
            if left > 0 {
                savings[left - 1] = saving(&groups[left - 1], &groups[left]);
            }
            if left < savings.len() {
                savings[left] = saving(&groups[left], &groups[left + 1]);
            }
        }
    }

    /// The blocks of what was pushed.
    pub(super) fn blocks(&mut self) -> impl Iterator<Item = Block<'_>> {
        self.join();
        let sequences = &self.sequences;
        let mut at = 0;
        self.groups.iter_mut().map(move |group| {
            let from = at;
            at += group.sequences;
            group.histogram.literals[END_OF_BLOCK] = 1;
            Block { sequences: &sequences[from..at], histogram: &group.histogram, bytes: group.bytes }
        })
    }
}

/// What one block instead of two saves.
fn saving(left: &Group, right: &Group) -> i64 {
    let mut both = left.histogram.clone();
    both.add(&right.histogram);
    (left.cost + right.cost + HEADER).cast_signed() - cost(&both).cast_signed()
}

/// The entropy of a block's symbols in units of 1/256 bit.
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

/// The binary logarithm in units of 1/256, 0 for 0.
#[inline(always)]
fn log2(value: u32) -> u32 {
    if value == 0 {
        return 0;
    }
    let top = value.ilog2();
    // The eight bits below the highest.
    let mantissa = ((u64::from(value) << 8) >> top) & 0xff;
    256 * top + u32::from(FRACTION[mantissa as usize])
}

/// The whole part of 256 log2(1 + i / 256).
const FRACTION: [u8; 256] = fractions();

const fn fractions() -> [u8; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        // Eight squarings give eight bits of the logarithm; 32 bits behind the point.
        let mut power = (256 + index as u64) << 24;
        let mut bits = 0;
        let mut step = 0;
        while step < 8 {
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
