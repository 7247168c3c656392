use super::field::Field;

/// 2^256 - 2^224 + 2^192 + 2^96 - 1, least limb first (SP 800-186, 3.2.1.3).
const PRIME: [u64; 4] = [0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001];

/// 2^512 modulo the prime: what brings a number into Montgomery's form.
const SQUARED_RADIX: Fp256 =
    Fp256([0x0000_0000_0000_0003, 0xffff_fffb_ffff_ffff, 0xffff_ffff_ffff_fffe, 0x0000_0004_ffff_fffd]);

/// A number modulo the prime of P-256, times 2^256 (Montgomery's form), below the prime.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::key) struct Fp256([u64; 4]);

impl Field for Fp256 {
    const ZERO: Self = Self([0; 4]);
    const ONE: Self = Self([1, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_fffe]);
    const INVERTING: &'static [u8] = &[
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfd,
    ];

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 32] = bytes.try_into().ok()?;
        let (limbs, _) = bytes.as_chunks::<8>();
        let [high, third, second, low] = limbs else { return None };
        let limbs = [low, second, third, high].map(|limb| u64::from_be_bytes(*limb));
        let (_, below) = less(limbs, PRIME);
        below.then(|| Self(limbs).mul(SQUARED_RADIX))
    }

    #[inline]
    fn add(self, other: Self) -> Self {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
        let (r0, c) = a0.carrying_add(b0, false);
        let (r1, c) = a1.carrying_add(b1, c);
        let (r2, c) = a2.carrying_add(b2, c);
        let (r3, c) = a3.carrying_add(b3, c);
        reduce_once([r0, r1, r2, r3], c)
    }

    #[inline]
    fn sub(self, other: Self) -> Self {
        let ([r0, r1, r2, r3], borrow) = less(self.0, other.0);
        // The prime's limbs, if it must be added.
        let mask = 0u64.wrapping_sub(u64::from(borrow));
        let (r0, c) = r0.carrying_add(mask, false);
        let (r1, c) = r1.carrying_add(mask & 0xffff_ffff, c);
        let (r2, c) = r2.carrying_add(0, c);
        let (r3, _) = r3.carrying_add(mask & 0xffff_ffff_0000_0001, c);
        Self([r0, r1, r2, r3])
    }

    /// The product by rows, each followed by a step of Montgomery's reduction.
    #[expect(clippy::inline_always, reason = "a call costs a tenth of the work")]
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let ([a0, a1, a2, a3], b) = (self.0, other.0);
        let sum = step(row([0; 4], false, a0, b));
        let sum = step(row(sum.0, sum.1, a1, b));
        let sum = step(row(sum.0, sum.1, a2, b));
        let sum = step(row(sum.0, sum.1, a3, b));
        reduce_once(sum.0, sum.1)
    }

    /// The products of different limbs once, doubled, and the squares of the limbs; then the reduction.
    #[expect(clippy::inline_always, reason = "a call costs a tenth of the work")]
    #[inline(always)]
    fn square(self) -> Self {
        let [a0, a1, a2, a3] = self.0;
        let (t1, c) = a0.carrying_mul(a1, 0);
        let (t2, c) = a0.carrying_mul(a2, c);
        let (t3, t4) = a0.carrying_mul(a3, c);
        let (t3, c) = a1.carrying_mul(a2, t3);
        let (t4, t5) = a1.carrying_mul_add(a3, t4, c);
        let (t5, t6) = a2.carrying_mul(a3, t5);

        let (t1, c) = t1.carrying_add(t1, false);
        let (t2, c) = t2.carrying_add(t2, c);
        let (t3, c) = t3.carrying_add(t3, c);
        let (t4, c) = t4.carrying_add(t4, c);
        let (t5, c) = t5.carrying_add(t5, c);
        let (t6, c) = t6.carrying_add(t6, c);
        let t7 = u64::from(c);

        let (t0, high) = a0.carrying_mul(a0, 0);
        let (t1, c) = t1.carrying_add(high, false);
        let (low, high) = a1.carrying_mul(a1, 0);
        let (t2, c) = t2.carrying_add(low, c);
        let (t3, c) = t3.carrying_add(high, c);
        let (low, high) = a2.carrying_mul(a2, 0);
        let (t4, c) = t4.carrying_add(low, c);
        let (t5, c) = t5.carrying_add(high, c);
        let (low, high) = a3.carrying_mul(a3, 0);
        let (t6, c) = t6.carrying_add(low, c);
        let (t7, _) = t7.carrying_add(high, c);

        // Four steps clear the lower half, each with a result in four limbs; to it the upper half is added.
        let mut lower = [t0, t1, t2, t3];
        for _ in 0..4 {
            let [s0, s1, s2, s3] = lower;
            (lower, _) = step(([s0, s1, s2, s3, 0], false));
        }
        let [s0, s1, s2, s3] = lower;
        let (s0, c) = s0.carrying_add(t4, false);
        let (s1, c) = s1.carrying_add(t5, c);
        let (s2, c) = s2.carrying_add(t6, c);
        let (s3, c) = s3.carrying_add(t7, c);
        reduce_once([s0, s1, s2, s3], c)
    }
}

/// `sum + top 2^256 + a b`, in six limbs of which the last is a carry.
#[inline]
fn row(sum: [u64; 4], top: bool, a: u64, b: [u64; 4]) -> ([u64; 5], bool) {
    let ([t0, t1, t2, t3], [b0, b1, b2, b3]) = (sum, b);
    let (r0, c) = a.carrying_mul(b0, t0);
    let (r1, c) = a.carrying_mul_add(b1, t1, c);
    let (r2, c) = a.carrying_mul_add(b2, t2, c);
    let (r3, c) = a.carrying_mul_add(b3, t3, c);
    let (r4, c) = c.carrying_add(u64::from(top), false);
    ([r0, r1, r2, r3, r4], c)
}

/// Adds the multiple of the prime that clears the lowest limb, and drops that limb. The prime is -1 modulo 2^64, so the
/// multiple is the limb itself, and limbs one and two of it are shifts.
#[inline]
fn step((sum, top): ([u64; 5], bool)) -> ([u64; 4], bool) {
    let [m, t1, t2, t3, t4] = sum;
    let (r0, c) = t1.carrying_add(m << 32, false);
    let (r1, c) = t2.carrying_add(m >> 32, c);
    let (low, high) = m.carrying_mul(0xffff_ffff_0000_0001, 0);
    let (r2, c) = t3.carrying_add(low, c);
    let (r3, c) = t4.carrying_add(high, c);
    ([r0, r1, r2, r3], c | top)
}

/// The number modulo the prime, if it is below twice the prime.
#[inline]
fn reduce_once(limbs: [u64; 4], carry: bool) -> Fp256 {
    let (reduced, below) = less(limbs, PRIME);
    Fp256(if below && !carry { limbs } else { reduced })
}

/// The difference modulo 2^256, and whether the first number is the lesser.
#[inline]
fn less([a0, a1, a2, a3]: [u64; 4], [b0, b1, b2, b3]: [u64; 4]) -> ([u64; 4], bool) {
    let (r0, c) = a0.borrowing_sub(b0, false);
    let (r1, c) = a1.borrowing_sub(b1, c);
    let (r2, c) = a2.borrowing_sub(b2, c);
    let (r3, c) = a3.borrowing_sub(b3, c);
    ([r0, r1, r2, r3], c)
}
