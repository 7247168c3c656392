//! SHA-256's compression function on 16 messages at once, one in each lane (FIPS 180-4, section 6.2.2).

use fearless_simd::{Level, Simd, SimdBase, prelude::*, u8x64, u32x16};

/// Messages that are hashed side by side.
pub(super) const WIDTH: usize = 16;

/// The state of 16 hashes: eight words, each of 16 lanes.
pub(super) type States = [[u32; WIDTH]; 8];

/// The round constants, 16 to each turn of the schedule (FIPS 180-4, section 4.2.2).
#[rustfmt::skip]
const ROUNDS: [[u32; 16]; 4] = [
    [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    ],
    [
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    ],
    [
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    ],
    [
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ],
];

/// Words and constants of a block that is the same in every lane, summed.
pub(super) type Schedule = [[u32; 16]; 4];

/// Compiles what follows for the levels that win anywhere, and runs it on the one that is asked for. `dispatch!` would compile it
/// for SSE as well, where it never does, in twice the time.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
macro_rules! on {
    ($level:expr, $simd:ident => $body:expr) => {
        if let Some($simd) = $level.as_avx512() {
            $simd.vectorize(
                #[inline(always)]
                || $body,
            )
        } else if let Some($simd) = $level.as_avx2() {
            $simd.vectorize(
                #[inline(always)]
                || $body,
            )
        }
    };
}
#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
macro_rules! on {
    ($level:expr, $simd:ident => $body:expr) => {
        fearless_simd::dispatch!($level, $simd => $body)
    };
}

/// Takes one block of each message into the states.
pub(super) fn compress(level: Level, states: &mut States, blocks: &[[u8; 64]; WIDTH]) {
    let blocks = blocks.each_ref();
    on!(level, simd => {
        let mut state = load(simd, states);
        rounds(simd, &mut state, words(simd, &blocks));
        store(&state, states);
    });
}

/// Takes the first `count` blocks of each message into the states, from where they stand; `count` is at most what the shortest has.
pub(super) fn compress_many(
    level: Level,
    states: &mut States,
    messages: &[&[[u8; 64]]; WIDTH],
    count: usize,
) {
    on!(level, simd => {
        let mut state = load(simd, states);
        for index in 0..count {
            let mut blocks = [&ZEROS; WIDTH];
            for (block, message) in blocks.iter_mut().zip(messages) {
                *block = message.get(index).unwrap_or(&ZEROS);
            }
            rounds(simd, &mut state, words(simd, &blocks));
        }
        store(&state, states);
    });
}

const ZEROS: [u8; 64] = [0; 64];

/// Takes the same block of padding into all states.
pub(super) fn compress_padding(level: Level, states: &mut States, schedule: &Schedule) {
    on!(level, simd => {
        let mut state = load(simd, states);
        padding_rounds(simd, &mut state, schedule);
        store(&state, states);
    });
}

#[inline(always)]
fn load<S: Simd>(simd: S, states: &States) -> [u32x16<S>; 8] {
    let mut state = [u32x16::splat(simd, 0); 8];
    for (to, from) in state.iter_mut().zip(states) {
        *to = u32x16::from_slice(simd, from);
    }
    state
}

#[inline(always)]
fn store<S: Simd>(state: &[u32x16<S>; 8], states: &mut States) {
    for (to, from) in states.iter_mut().zip(state) {
        from.store_slice(to);
    }
}

/// The 16 words of each block, the lanes of one word together: four perfect shuffles turn the square.
#[inline(always)]
fn words<S: Simd>(simd: S, blocks: &[&[u8; 64]; WIDTH]) -> [u32x16<S>; 16] {
    let swap: u8x64<S> = u8x64::from_slice(simd, &BIG_ENDIAN);
    let mut rows = [u32x16::splat(simd, 0); WIDTH];
    for (row, block) in rows.iter_mut().zip(blocks) {
        *row = simd.swizzle_dyn_within_blocks_u8x64(u8x64::from_slice(simd, *block), swap).bitcast();
    }
    turned(simd, rows)
}

/// Within each 16 bytes, the bytes of each word turned round.
#[rustfmt::skip]
const BIG_ENDIAN: [u8; 64] = [
    3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12,
    3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12,
];

#[inline(always)]
fn turned<S: Simd>(simd: S, mut rows: [u32x16<S>; 16]) -> [u32x16<S>; 16] {
    for _ in 0..4 {
        rows = shuffle(simd, rows);
    }
    rows
}

/// Interleaves the first half of the rows with the second.
#[inline(always)]
fn shuffle<S: Simd>(simd: S, rows: [u32x16<S>; 16]) -> [u32x16<S>; 16] {
    let [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, r15] = rows;
    let (r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, r15) = {
        let (a, b) = simd.interleave_u32x16(r0, r8);
        let (c, d) = simd.interleave_u32x16(r1, r9);
        let (e, f) = simd.interleave_u32x16(r2, r10);
        let (g, h) = simd.interleave_u32x16(r3, r11);
        let (i, j) = simd.interleave_u32x16(r4, r12);
        let (k, l) = simd.interleave_u32x16(r5, r13);
        let (m, n) = simd.interleave_u32x16(r6, r14);
        let (o, p) = simd.interleave_u32x16(r7, r15);
        (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
    };
    [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, r15]
}

#[inline(always)]
fn rotated<S: Simd>(x: u32x16<S>, bits: u32) -> u32x16<S> {
    (x >> bits) | (x << (32 - bits))
}

/// One round; the names of the eight words move on by one at each use.
macro_rules! round {
    ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $kw:expr) => {
        let sum = rotated($e, 6) ^ rotated($e, 11) ^ rotated($e, 25);
        let choice = $g ^ ($e & ($f ^ $g));
        let first = $h + sum + choice + $kw;
        let sum = rotated($a, 2) ^ rotated($a, 13) ^ rotated($a, 22);
        let majority = ($a & $b) | ($c & ($a | $b));
        $d += first;
        $h = first + sum + majority;
    };
}

/// Sixteen rounds on the words `w` and the constants `k`, or on their sums where they are known.
macro_rules! sixteen_rounds {
    ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $kw:expr) => {
        let [k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11, k12, k13, k14, k15] = $kw;
        round!($a $b $c $d $e $f $g $h, k0);
        round!($h $a $b $c $d $e $f $g, k1);
        round!($g $h $a $b $c $d $e $f, k2);
        round!($f $g $h $a $b $c $d $e, k3);
        round!($e $f $g $h $a $b $c $d, k4);
        round!($d $e $f $g $h $a $b $c, k5);
        round!($c $d $e $f $g $h $a $b, k6);
        round!($b $c $d $e $f $g $h $a, k7);
        round!($a $b $c $d $e $f $g $h, k8);
        round!($h $a $b $c $d $e $f $g, k9);
        round!($g $h $a $b $c $d $e $f, k10);
        round!($f $g $h $a $b $c $d $e, k11);
        round!($e $f $g $h $a $b $c $d, k12);
        round!($d $e $f $g $h $a $b $c, k13);
        round!($c $d $e $f $g $h $a $b, k14);
        round!($b $c $d $e $f $g $h $a, k15);
    };
}

#[inline(always)]
fn rounds<S: Simd>(simd: S, state: &mut [u32x16<S>; 8], mut w: [u32x16<S>; 16]) {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (turn, constants) in ROUNDS.iter().enumerate() {
        if turn > 0 {
            w = next_words(w);
        }
        let [w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15] = w;
        let [k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11, k12, k13, k14, k15] = splat16(simd, constants);
        let sums = [
            w0 + k0,
            w1 + k1,
            w2 + k2,
            w3 + k3,
            w4 + k4,
            w5 + k5,
            w6 + k6,
            w7 + k7,
            w8 + k8,
            w9 + k9,
            w10 + k10,
            w11 + k11,
            w12 + k12,
            w13 + k13,
            w14 + k14,
            w15 + k15,
        ];
        sixteen_rounds!(a b c d e f g h, sums);
    }
    add(state, [a, b, c, d, e, f, g, h]);
}

/// The rounds of a block whose words are the same in every lane: `schedule` holds words and constants summed.
#[inline(always)]
fn padding_rounds<S: Simd>(simd: S, state: &mut [u32x16<S>; 8], schedule: &Schedule) {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for sums in schedule {
        sixteen_rounds!(a b c d e f g h, splat16(simd, sums));
    }
    add(state, [a, b, c, d, e, f, g, h]);
}

#[inline(always)]
fn add<S: Simd>(state: &mut [u32x16<S>; 8], other: [u32x16<S>; 8]) {
    for (word, other) in state.iter_mut().zip(other) {
        *word += other;
    }
}

/// The next 16 words of the schedule.
#[inline(always)]
fn next_words<S: Simd>(words: [u32x16<S>; 16]) -> [u32x16<S>; 16] {
    let [w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15] = words;
    let w0 = next(w0, w1, w9, w14);
    let w1 = next(w1, w2, w10, w15);
    let w2 = next(w2, w3, w11, w0);
    let w3 = next(w3, w4, w12, w1);
    let w4 = next(w4, w5, w13, w2);
    let w5 = next(w5, w6, w14, w3);
    let w6 = next(w6, w7, w15, w4);
    let w7 = next(w7, w8, w0, w5);
    let w8 = next(w8, w9, w1, w6);
    let w9 = next(w9, w10, w2, w7);
    let w10 = next(w10, w11, w3, w8);
    let w11 = next(w11, w12, w4, w9);
    let w12 = next(w12, w13, w5, w10);
    let w13 = next(w13, w14, w6, w11);
    let w14 = next(w14, w15, w7, w12);
    let w15 = next(w15, w0, w8, w13);
    [w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15]
}

#[inline(always)]
fn next<S: Simd>(before: u32x16<S>, x: u32x16<S>, middle: u32x16<S>, y: u32x16<S>) -> u32x16<S> {
    let small0 = rotated(x, 7) ^ rotated(x, 18) ^ (x >> 3);
    let small1 = rotated(y, 17) ^ rotated(y, 19) ^ (y >> 10);
    before + small0 + middle + small1
}

// Loops, for a closure would not be compiled for the level that is dispatched to.
#[inline(always)]
fn splat16<S: Simd>(simd: S, words: &[u32; 16]) -> [u32x16<S>; 16] {
    let mut vectors = [u32x16::splat(simd, 0); 16];
    for (vector, word) in vectors.iter_mut().zip(words) {
        *vector = u32x16::splat(simd, *word);
    }
    vectors
}

/// Words and constants of the block that holds the padding bit and a length in bits alone.
pub(super) fn padding_schedule(bits: u64) -> Schedule {
    let mut words = [0; 16];
    words[0] = 0x8000_0000;
    let [.., high, low] = &mut words;
    (*high, *low) =
        (u32::try_from(bits >> 32).unwrap_or(0), u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(0));
    let mut sums = ROUNDS;
    for (turn, constants) in sums.iter_mut().enumerate() {
        if turn > 0 {
            words = next_scalar(words);
        }
        for (sum, word) in constants.iter_mut().zip(words) {
            *sum = sum.wrapping_add(word);
        }
    }
    sums
}

fn next_scalar(words: [u32; 16]) -> [u32; 16] {
    let mut window = std::collections::VecDeque::from(words);
    for _ in 0..16 {
        let at = |index: usize| window.get(index).copied().unwrap_or(0);
        let (x, y) = (at(1), at(14));
        let small0 = x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3);
        let small1 = y.rotate_right(17) ^ y.rotate_right(19) ^ (y >> 10);
        let word = at(0).wrapping_add(small0).wrapping_add(at(9)).wrapping_add(small1);
        window.pop_front();
        window.push_back(word);
    }
    let mut next = [0; 16];
    for (to, from) in next.iter_mut().zip(window) {
        *to = from;
    }
    next
}
