//! The inverse modulo an odd number by the binary algorithm of T. Pornin ("Optimized Binary GCD for Modular Inversion", 2020),
//! without its care for secrets.

/// So many steps are decided on the first and the last bits of the two numbers before the numbers follow.
const STEPS: u32 = 31;
const LOW: u64 = (1 << STEPS) - 1;

/// The inverse of a number below the modulus, least limb first; `None` if they have a common divisor, as zero has.
pub(super) fn inverse<const N: usize>(number: [u64; N], modulus: [u64; N]) -> Option<[u64; N]> {
    let lowest = *modulus.first()?;
    // Newton's method doubles the right bits: 3, 6, 12, 24, 48.
    let inverse_of_lowest = (0..4)
        .fold(lowest, |inverse, _| inverse.wrapping_mul(2u64.wrapping_sub(lowest.wrapping_mul(inverse))));
    let clearing = inverse_of_lowest.wrapping_neg();

    let (mut a, mut b) = (number, modulus);
    let (mut u, mut v) = ([0; N], [0; N]);
    *u.first_mut()? = 1;
    // Always a = u number and b = v number modulo the modulus, and b odd; both shrink by 31 bits together.
    for _ in 0..(N * 128).div_ceil(31) {
        if a == [0; N] {
            break;
        }
        let (of_a, of_b) = steps(leading(&a, &b));
        let (next_a, a_negative) = shrunk(&a, &b, of_a);
        let (next_b, b_negative) = shrunk(&a, &b, of_b);
        let (of_a, of_b) = (of_a.negated(a_negative), of_b.negated(b_negative));
        (u, v) = (combined(&u, &v, of_a, &modulus, clearing), combined(&u, &v, of_b, &modulus, clearing));
        (a, b) = (next_a, next_b);
    }
    let mut one = [0; N];
    *one.first_mut()? = 1;
    (b == one).then_some(v)
}

/// By what to multiply two numbers before they are added.
#[derive(Clone, Copy)]
struct Factors(i64, i64);

impl Factors {
    fn negated(self, negated: bool) -> Self {
        if negated { Self(-self.0, -self.1) } else { self }
    }
}

/// The last 31 bits and, from the highest bit that either number has, the first 33.
fn leading<const N: usize>(a: &[u64; N], b: &[u64; N]) -> (u64, u64) {
    let (Some(&last_a), Some(&last_b)) = (a.first(), b.first()) else { return (0, 0) };
    let mut limbs = a.iter().zip(b).rev().skip_while(|(a, b)| **a | **b == 0);
    let Some((&high_a, &high_b)) = limbs.next() else { return (0, 0) };
    let Some((&next_a, &next_b)) = limbs.next() else { return (last_a, last_b) };
    let zeros = (high_a | high_b).leading_zeros();
    let first = |high: u64, next: u64| (high << zeros) | next.checked_shr(64 - zeros).unwrap_or(0);
    (first(high_a, next_a) & !LOW | last_a & LOW, first(high_b, next_b) & !LOW | last_b & LOW)
}

/// 31 steps of the algorithm on small numbers of which the second is odd, as factors for the first and for the second.
fn steps((mut a, mut b): (u64, u64)) -> (Factors, Factors) {
    let (mut of_a, mut of_b) = (Factors(1, 0), Factors(0, 1));
    let mut left = STEPS;
    loop {
        let zeros = a.trailing_zeros().min(left);
        a >>= zeros;
        of_b = Factors(of_b.0 << zeros, of_b.1 << zeros);
        left -= zeros;
        if left == 0 {
            return (of_a, of_b);
        }
        if a < b {
            (a, b, of_a, of_b) = (b, a, of_b, of_a);
        }
        a -= b;
        of_a = Factors(of_a.0 - of_b.0, of_a.1 - of_b.1);
    }
}

/// The combination divided by 2^31, which it is a multiple of: its size, and whether it is negative.
fn shrunk<const N: usize>(a: &[u64; N], b: &[u64; N], factors: Factors) -> ([u64; N], bool) {
    let (mut limbs, top) = product(a, b, factors, &[0; N], 0);
    let negative = top < 0;
    if negative {
        let mut carry = true;
        for limb in &mut limbs {
            (*limb, carry) = (!*limb).carrying_add(0, carry);
        }
    }
    (limbs, negative)
}

/// The combination divided by 2^31 modulo the modulus, below the modulus.
fn combined<const N: usize>(
    u: &[u64; N],
    v: &[u64; N],
    factors: Factors,
    modulus: &[u64; N],
    clearing: u64,
) -> [u64; N] {
    let (mut limbs, top) = product(u, v, factors, modulus, clearing);
    // More than the negative modulus and less than twice the modulus.
    if top < 0 {
        let mut carry = false;
        for (limb, modulus) in limbs.iter_mut().zip(modulus) {
            (*limb, carry) = limb.carrying_add(*modulus, carry);
        }
    } else if top > 0 || limbs.iter().rev().ge(modulus.iter().rev()) {
        let mut borrow = false;
        for (limb, modulus) in limbs.iter_mut().zip(modulus) {
            (*limb, borrow) = limb.borrowing_sub(*modulus, borrow);
        }
    }
    limbs
}

/// `x f + y g` and the multiple of the modulus that clears its last 31 bits, without these bits; the last part is what
/// stands above the limbs, with the sign.
fn product<const N: usize>(
    x: &[u64; N],
    y: &[u64; N],
    Factors(f, g): Factors,
    modulus: &[u64; N],
    clearing: u64,
) -> ([u64; N], i128) {
    let (f, g) = (i128::from(f), i128::from(g));
    let lowest = |limbs: &[u64; N]| i128::from(limbs.first().copied().unwrap_or(0));
    let multiple = i128::from(low(lowest(x) * f + lowest(y) * g).wrapping_mul(clearing) & LOW);
    let mut limbs = [0; N];
    let mut carry = 0i128;
    let mut dropped = None::<u64>;
    let mut out = limbs.iter_mut();
    for ((x, y), modulus) in x.iter().zip(y).zip(modulus) {
        let sum = carry + i128::from(*x) * f + i128::from(*y) * g + i128::from(*modulus) * multiple;
        let limb = low(sum);
        carry = sum >> 64;
        if let Some(before) = dropped.replace(limb)
            && let Some(out) = out.next()
        {
            *out = before >> STEPS | limb << (64 - STEPS);
        }
    }
    if let (Some(out), Some(before)) = (out.next(), dropped) {
        *out = before >> STEPS | low(carry) << (64 - STEPS);
    }
    (limbs, carry >> STEPS)
}

/// The last 64 bits.
fn low(number: i128) -> u64 {
    u64::try_from(number & i128::from(u64::MAX)).unwrap_or(0)
}
