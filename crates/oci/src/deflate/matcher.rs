//! Finding what is repeated: hash chains over the window, matches taken lazily (CANONICAL.md, 4.2).

use super::split::Splitter;
use super::symbol::{MAX_MATCH, MIN_MATCH, Sequence};
use super::{PIECE, WINDOW};

/// How many earlier places with the same four bytes are looked at.
const DEPTH: usize = 24;
/// As many when a match of [`GOOD`] bytes is at hand and a better one is looked for at the next byte.
const GOOD: usize = 10;
const GOOD_DEPTH: usize = 8;
/// A match this long is taken at once.
const NICE: usize = 96;
/// The farthest distance of a match of three bytes.
const FAR: usize = 4096;
/// After so many literals without a match, places are passed over: one more for each [`SKIP`] further ones.
const PATIENCE: usize = 384;
const SKIP: usize = 64;
/// How many places are passed over at most.
const LEAP: usize = 8;

/// A power of two that window and piece fit into: a place taken modulo it needs no check.
const ROOM: usize = 1 << 20;
const HASH4_BITS: u32 = 16;
const HASH3_BITS: u32 = 14;
const MULTIPLIER: u32 = 0x9e37_79b1;

/// The window, the piece, and zeros, so that a load behind the end reads something.
type Buffer = [u8; ROOM + 8];

pub(super) struct Matcher {
    buffer: Box<Buffer>,
    tables: Tables,
}

struct Tables {
    /// The last place of each hash of four bytes, and of three; places modulo 2^16.
    heads: Box<[u16; 1 << HASH4_BITS]>,
    threes: Box<[u16; 1 << HASH3_BITS]>,
    /// The place before, of the same hash of four bytes, for each place of the window.
    before: Box<[u16; WINDOW]>,
}

/// A place: its first four bytes, its hashes, and the places before that have the same ones.
#[derive(Clone, Copy)]
struct Place {
    four: u32,
    hash: usize,
    three: usize,
    before: u16,
    before3: u16,
}

#[derive(Clone, Copy)]
struct Match {
    length: usize,
    distance: usize,
}

impl Matcher {
    pub(super) fn new() -> Self {
        let tables = Tables {
            heads: Box::new([0; 1 << HASH4_BITS]),
            threes: Box::new([0; 1 << HASH3_BITS]),
            before: Box::new([0; WINDOW]),
        };
        Self { buffer: Box::new([0; ROOM + 8]), tables }
    }

    /// Parts what follows the first `start` bytes of `input` into literals and matches.
    pub(super) fn parse(&mut self, input: &[u8], start: usize, out: &mut Splitter) {
        let Self { buffer, tables } = self;
        let end = input.len();
        buffer[..end].copy_from_slice(input);
        buffer[end..end + 8].fill(0);
        let buffer: &Buffer = buffer;
        tables.heads.fill(0);
        tables.threes.fill(0);
        tables.before.fill(0);

        let mut place = tables.look(buffer, 0);
        for at in 0..start {
            place = tables.insert(buffer, at, place);
        }
        let mut at = start;
        let mut matched = start;
        while at + MIN_MATCH < end {
            let here = place;
            place = tables.insert(buffer, at, here);
            let mut best = tables.find3(buffer, at, here);
            if let Some(longer) = tables.find(buffer, end, at, here, best.length.max(3), DEPTH) {
                best = longer;
            } else if best.length == 0 {
                let run = at - matched;
                at += 1;
                if run >= PATIENCE {
                    let leap = ((run - PATIENCE) / SKIP).min(LEAP);
                    if leap > 0 {
                        at = (at + leap).min(end);
                        place = tables.look(buffer, at);
                    }
                }
                continue;
            }
            // Taken unless the match at the next byte is better.
            let mut inserted = at + 1;
            while best.length < NICE && at + 1 + MIN_MATCH < end {
                let here = place;
                place = tables.insert(buffer, at + 1, here);
                inserted = at + 2;
                let depth = if best.length >= GOOD { GOOD_DEPTH } else { DEPTH };
                let least = (best.length - 1).max(3);
                match tables.find(buffer, end, at + 1, here, least, depth) {
                    Some(next) if better(next, best) => {
                        at += 1;
                        best = next;
                    }
                    _ => break,
                }
            }
            out.push(input, Sequence::new(at - matched, best.length, best.distance));
            at += best.length;
            matched = at;
            for passed in inserted..at {
                place = tables.insert(buffer, passed, place);
            }
        }
        out.finish(input, end - matched);
    }
}

impl Tables {
    /// Reads what the tables hold for a place.
    #[inline(always)]
    fn look(&self, buffer: &Buffer, at: usize) -> Place {
        let four = load(buffer, at);
        let hash = (four.wrapping_mul(MULTIPLIER) >> (32 - HASH4_BITS)) as usize;
        let three = ((four << 8).wrapping_mul(MULTIPLIER) >> (32 - HASH3_BITS)) as usize;
        Place { four, hash, three, before: self.heads[hash], before3: self.threes[three] }
    }

    /// Puts a place into the tables and reads the next one: long before it is asked for, since the tables are too large
    /// for the nearest cache.
    #[inline(always)]
    fn insert(&mut self, buffer: &Buffer, at: usize, place: Place) -> Place {
        self.before[at % WINDOW] = place.before;
        self.heads[place.hash] = at as u16;
        self.threes[place.three] = at as u16;
        self.look(buffer, at + 1)
    }

    /// The last match of three bytes, if it is near; length 0 if there is none.
    #[inline(always)]
    fn find3(&self, buffer: &Buffer, at: usize, here: Place) -> Match {
        let distance = usize::from((at as u16).wrapping_sub(here.before3));
        let near = distance.wrapping_sub(1) < at.min(FAR);
        let same = (load(buffer, at.wrapping_sub(distance)) ^ here.four) & 0xff_ffff == 0;
        if near && same { Match { length: 3, distance } } else { Match { length: 0, distance: 0 } }
    }

    /// The longest match of four bytes or more that is longer than `least`, the nearest of those equally long.
    #[inline(always)]
    fn find(
        &self,
        buffer: &Buffer,
        end: usize,
        at: usize,
        here: Place,
        least: usize,
        depth: usize,
    ) -> Option<Match> {
        let reach = at.min(WINDOW);
        let longest = (end - at).min(MAX_MATCH);
        if least >= longest {
            return None;
        }
        let mut best = Match { length: least, distance: 0 };
        // The four bytes that end one past the best match: where they differ, nothing longer is there.
        let mut offset = least - 3;
        let mut tail = load(buffer, at + offset);
        let mut last = 0;
        let mut before = here.before;
        for _ in 0..depth {
            let distance = usize::from((at as u16).wrapping_sub(before));
            if distance <= last || distance > reach {
                break;
            }
            last = distance;
            let there = at - distance;
            before = self.before[there % WINDOW];
            if load(buffer, there + offset) == tail && load(buffer, there) == here.four {
                let length = common(buffer, there, at, longest);
                if length > best.length {
                    best = Match { length, distance };
                    if length >= NICE || length == longest {
                        break;
                    }
                    offset = length - 3;
                    tail = load(buffer, at + offset);
                }
            }
        }
        (best.distance != 0).then_some(best)
    }
}

/// Whether the match at the next byte is worth the literal before it.
#[inline(always)]
fn better(next: Match, now: Match) -> bool {
    let (next_bits, now_bits) = (next.distance.ilog2() as usize, now.distance.ilog2() as usize);
    4 * next.length + now_bits > 4 * now.length + next_bits + 2
}

#[inline(always)]
fn load(buffer: &Buffer, at: usize) -> u32 {
    let at = at % ROOM;
    u32::from_le_bytes([buffer[at], buffer[at + 1], buffer[at + 2], buffer[at + 3]])
}

#[inline(always)]
fn load8(buffer: &Buffer, at: usize) -> u64 {
    let at = at % ROOM;
    buffer[at..at + 8].first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight))
}

/// How many bytes are equal from two places on, `longest` at most; the first four are known to be.
#[inline(always)]
fn common(buffer: &Buffer, there: usize, here: usize, longest: usize) -> usize {
    let mut length = 4;
    while length < longest {
        let differing = load8(buffer, there + length) ^ load8(buffer, here + length);
        if differing != 0 {
            return (length + differing.trailing_zeros() as usize / 8).min(longest);
        }
        length += 8;
    }
    longest
}

const _: () = assert!(WINDOW + PIECE + 8 <= ROOM);
