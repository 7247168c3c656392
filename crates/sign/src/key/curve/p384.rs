use super::field::Field;

/// 2^384 - 2^128 - 2^96 + 2^32 - 1, least limb first (SP 800-186, 3.2.1.4).
const PRIME: [u64; 6] = [
    0x0000_0000_ffff_ffff,
    0xffff_ffff_0000_0000,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
];

/// 2^768 modulo the prime: what brings a number into Montgomery's form.
const SQUARED_RADIX: Fp384 = Fp384([
    0xffff_fffe_0000_0001,
    0x0000_0002_0000_0000,
    0xffff_fffe_0000_0000,
    0x0000_0002_0000_0000,
    0x0000_0000_0000_0001,
    0,
]);

/// A number modulo the prime of P-384, times 2^384 (Montgomery's form), below the prime.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::key) struct Fp384([u64; 6]);

impl Field for Fp384 {
    const ZERO: Self = Self([0; 6]);
    const ONE: Self = Self([0xffff_ffff_0000_0001, 0x0000_0000_ffff_ffff, 1, 0, 0, 0]);
    const INVERTING: &'static [u8] = &[
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff,
        0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xfd,
    ];

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 48] = bytes.try_into().ok()?;
        let (limbs, _) = bytes.as_chunks::<8>();
        let [high, fifth, fourth, third, second, low] = limbs else { return None };
        let limbs = [low, second, third, fourth, fifth, high].map(|limb| u64::from_be_bytes(*limb));
        let (_, below) = less(limbs, PRIME);
        below.then(|| Self(limbs).mul(SQUARED_RADIX))
    }

    #[inline]
    fn add(self, other: Self) -> Self {
        let ([a0, a1, a2, a3, a4, a5], [b0, b1, b2, b3, b4, b5]) = (self.0, other.0);
        let (r0, c) = a0.carrying_add(b0, false);
        let (r1, c) = a1.carrying_add(b1, c);
        let (r2, c) = a2.carrying_add(b2, c);
        let (r3, c) = a3.carrying_add(b3, c);
        let (r4, c) = a4.carrying_add(b4, c);
        let (r5, c) = a5.carrying_add(b5, c);
        reduce_once([r0, r1, r2, r3, r4, r5], c)
    }

    #[inline]
    fn sub(self, other: Self) -> Self {
        let ([r0, r1, r2, r3, r4, r5], borrow) = less(self.0, other.0);
        // The prime's limbs, if it must be added.
        let mask = 0u64.wrapping_sub(u64::from(borrow));
        let (r0, c) = r0.carrying_add(mask >> 32, false);
        let (r1, c) = r1.carrying_add(mask << 32, c);
        let (r2, c) = r2.carrying_add(mask << 1, c);
        let (r3, c) = r3.carrying_add(mask, c);
        let (r4, c) = r4.carrying_add(mask, c);
        let (r5, _) = r5.carrying_add(mask, c);
        Self([r0, r1, r2, r3, r4, r5])
    }

    /// The product by rows, each followed by a step of Montgomery's reduction.
    #[expect(clippy::inline_always, reason = "a call costs a tenth of the work")]
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let ([a0, a1, a2, a3, a4, a5], b) = (self.0, other.0);
        let sum = step(row([0; 6], false, a0, b));
        let sum = step(row(sum.0, sum.1, a1, b));
        let sum = step(row(sum.0, sum.1, a2, b));
        let sum = step(row(sum.0, sum.1, a3, b));
        let sum = step(row(sum.0, sum.1, a4, b));
        let sum = step(row(sum.0, sum.1, a5, b));
        reduce_once(sum.0, sum.1)
    }
}

/// `sum + top 2^384 + a b`, in eight limbs of which the last is a carry.
#[inline]
fn row(sum: [u64; 6], top: bool, a: u64, b: [u64; 6]) -> ([u64; 7], bool) {
    let ([t0, t1, t2, t3, t4, t5], [b0, b1, b2, b3, b4, b5]) = (sum, b);
    let (r0, c) = a.carrying_mul(b0, t0);
    let (r1, c) = a.carrying_mul_add(b1, t1, c);
    let (r2, c) = a.carrying_mul_add(b2, t2, c);
    let (r3, c) = a.carrying_mul_add(b3, t3, c);
    let (r4, c) = a.carrying_mul_add(b4, t4, c);
    let (r5, c) = a.carrying_mul_add(b5, t5, c);
    let (r6, c) = c.carrying_add(u64::from(top), false);
    ([r0, r1, r2, r3, r4, r5, r6], c)
}

/// Adds the multiple m of the prime that clears the lowest limb, and drops that limb. The prime is 2^32 - 1 modulo 2^64, so m
/// is the limb times 2^32 + 1; what is added is m 2^384 less m (2^128 + 2^96 - 2^32 + 1), all of it shifts.
#[inline]
fn step((sum, top): ([u64; 7], bool)) -> ([u64; 6], bool) {
    let [t0, t1, t2, t3, t4, t5, t6] = sum;
    let m = t0.wrapping_add(t0 << 32);
    // The subtrahend without its lowest limb, which is t0.
    let (_, c) = m.borrowing_sub(m << 32, false);
    let (s1, c) = (m << 32).borrowing_sub(m >> 32, c);
    let (s2, borrow) = m.borrowing_sub(u64::from(c), false);
    let (s2, carry) = s2.carrying_add(m >> 32, false);
    let s3 = u64::from(carry).wrapping_sub(u64::from(borrow));
    let (r0, c) = t1.borrowing_sub(s1, false);
    let (r1, c) = t2.borrowing_sub(s2, c);
    let (r2, c) = t3.borrowing_sub(s3, c);
    let (r3, c) = t4.borrowing_sub(0, c);
    let (r4, c) = t5.borrowing_sub(0, c);
    let (r5, c) = t6.borrowing_sub(0, c);
    let (r5, carry) = r5.carrying_add(m, false);
    // Not negative and below 2^385: a borrow and a carry cancel.
    ([r0, r1, r2, r3, r4, r5], top ^ carry ^ c)
}

/// The number modulo the prime, if it is below twice the prime.
#[inline]
fn reduce_once(limbs: [u64; 6], carry: bool) -> Fp384 {
    let (reduced, below) = less(limbs, PRIME);
    Fp384(if below && !carry { limbs } else { reduced })
}

/// The difference modulo 2^384, and whether the first number is the lesser.
#[inline]
fn less([a0, a1, a2, a3, a4, a5]: [u64; 6], [b0, b1, b2, b3, b4, b5]: [u64; 6]) -> ([u64; 6], bool) {
    let (r0, c) = a0.borrowing_sub(b0, false);
    let (r1, c) = a1.borrowing_sub(b1, c);
    let (r2, c) = a2.borrowing_sub(b2, c);
    let (r3, c) = a3.borrowing_sub(b3, c);
    let (r4, c) = a4.borrowing_sub(b4, c);
    let (r5, c) = a5.borrowing_sub(b5, c);
    ([r0, r1, r2, r3, r4, r5], c)
}
