//! Finding what is repeated: hash chains over the window, matches taken lazily (CANONICAL.md, 4.2).

use super::WINDOW;
use super::split::Splitter;
use super::symbol::{MAX_MATCH, MIN_MATCH, Token};

/// How many earlier places with the same four bytes are looked at.
const DEPTH: usize = 24;
/// As many when a match of this length is at hand and a better one is looked for at the next byte.
const GOOD: usize = 12;
const GOOD_DEPTH: usize = 8;
/// A match this long is taken at once.
const NICE: usize = 96;
/// The farthest distance of a match of three bytes.
const FAR: usize = 4096;

const HASH4_BITS: u32 = 16;
const HASH3_BITS: u32 = 14;

pub(super) struct Matcher {
    /// The last place of each hash of four bytes, and of three; places modulo 2^16.
    heads: Box<[u16; 1 << HASH4_BITS]>,
    threes: Box<[u16; 1 << HASH3_BITS]>,
    /// The place before, of the same hash of four bytes, for each place of the window.
    before: Box<[u16; WINDOW]>,
}

#[derive(Clone, Copy)]
struct Match {
    length: usize,
    distance: usize,
}

impl Match {
    const NONE: Self = Self { length: MIN_MATCH - 1, distance: 0 };
}

impl Matcher {
    pub(super) fn new() -> Self {
        Self {
            heads: Box::new([0; 1 << HASH4_BITS]),
            threes: Box::new([0; 1 << HASH3_BITS]),
            before: Box::new([0; WINDOW]),
        }
    }

    pub(super) fn parse(&mut self, input: &[u8], start: usize, out: &mut Splitter) {
        self.heads.fill(0);
        self.threes.fill(0);
        self.before.fill(0);
        for at in 0..start {
            self.insert(input, at);
        }
        let end = input.len();
        let mut at = start;
        while at < end {
            let mut best = self.find(input, at, Match::NONE, DEPTH);
            if best.length < MIN_MATCH {
                out.push(Token::literal(input[at]), 1);
                at += 1;
                continue;
            }
            // Taken unless the match at the next byte is better.
            let mut inserted = at + 1;
            while best.length < NICE && at + 1 < end {
                let depth = if best.length >= GOOD { GOOD_DEPTH } else { DEPTH };
                let next = self.find(input, at + 1, Match { length: best.length - 1, distance: 0 }, depth);
                inserted = at + 2;
                if next.distance == 0 || !better(next, best) {
                    break;
                }
                out.push(Token::literal(input[at]), 1);
                at += 1;
                best = next;
            }
            out.push(Token::matched(best.length, best.distance), best.length);
            at += best.length;
            for passed in inserted..at {
                self.insert(input, passed);
            }
        }
    }

    /// Puts a place into the tables.
    #[inline(always)]
    fn insert(&mut self, input: &[u8], at: usize) {
        let Some(&four) = input[at..].first_chunk::<4>() else { return };
        let four = u32::from_le_bytes(four);
        let hash = hash4(four);
        self.before[at % WINDOW] = self.heads[hash];
        self.heads[hash] = at as u16;
        self.threes[hash3(four)] = at as u16;
    }

    /// Puts a place into the tables and finds the longest match there that is longer than `least`, the nearest of those
    /// equally long.
    #[inline(always)]
    fn find(&mut self, input: &[u8], at: usize, least: Match, depth: usize) -> Match {
        let mut best = least;
        let Some(&four) = input[at..].first_chunk::<4>() else { return best };
        let four = u32::from_le_bytes(four);
        let hash = hash4(four);
        let mut place = self.heads[hash];
        self.before[at % WINDOW] = place;
        self.heads[hash] = at as u16;
        let three = hash3(four);
        let place3 = self.threes[three];
        self.threes[three] = at as u16;

        let reach = at.min(WINDOW);
        let longest = (input.len() - at).min(MAX_MATCH);
        if best.length < 3 {
            let distance = usize::from((at as u16).wrapping_sub(place3));
            if distance != 0 && distance <= reach.min(FAR) {
                let there = load(input, at - distance);
                if (there ^ four) & 0xff_ffff == 0 {
                    best = Match { length: 3, distance };
                }
            }
        }
        if best.length >= longest {
            return best;
        }
        let mut last = 0;
        // The four bytes that end one past the best match: where they differ, nothing longer is there.
        let mut offset = best.length.max(3) - 3;
        let mut tail = load(input, at + offset);
        for _ in 0..depth {
            let distance = usize::from((at as u16).wrapping_sub(place));
            if distance <= last || distance > reach {
                break;
            }
            last = distance;
            let there = at - distance;
            place = self.before[there % WINDOW];
            if load(input, there + offset) == tail && load(input, there) == four {
                let length = common(input, there, at, longest);
                if length > best.length {
                    best = Match { length, distance };
                    if length >= NICE || length == longest {
                        break;
                    }
                    offset = length - 3;
                    tail = load(input, at + offset);
                }
            }
        }
        best
    }
}

/// Whether the match at the next byte is worth the literal before it.
#[inline(always)]
fn better(next: Match, now: Match) -> bool {
    let (next_bits, now_bits) = (next.distance.ilog2() as usize, now.distance.ilog2() as usize);
    4 * next.length + now_bits > 4 * now.length + next_bits + 2
}

#[inline(always)]
fn hash4(four: u32) -> usize {
    (four.wrapping_mul(0x9e37_79b1) >> (32 - HASH4_BITS)) as usize
}

#[inline(always)]
fn hash3(four: u32) -> usize {
    ((four << 8).wrapping_mul(0x9e37_79b1) >> (32 - HASH3_BITS)) as usize
}

#[inline(always)]
fn load(input: &[u8], at: usize) -> u32 {
    input[at..].first_chunk::<4>().map_or(0, |four| u32::from_le_bytes(*four))
}

/// How many bytes are equal from two places on, `longest` at most; the first four are known to be.
#[inline(always)]
fn common(input: &[u8], there: usize, here: usize, longest: usize) -> usize {
    let mut length = 4;
    while length + 8 <= longest {
        let (Some(a), Some(b)) =
            (input[there + length..].first_chunk::<8>(), input[here + length..].first_chunk::<8>())
        else {
            break;
        };
        let differing = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differing != 0 {
            return length + differing.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    while length < longest && input[there + length] == input[here + length] {
        length += 1;
    }
    length
}
