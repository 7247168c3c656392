use super::field::Field;
use super::point::{Affine, Jacobian};

/// The width of the windows in bits, and how many odd multiples of a point they ask for.
const WIDTH: u32 = 5;
const ODD: usize = 8;

/// The sum of points times big-endian scalars of one length, the doublings done once for all of them (Straus), each scalar
/// in its non-adjacent form.
pub(super) fn sum<F: Field, const N: usize>(terms: [(Affine<F>, &[u8]); N]) -> Jacobian<F> {
    let terms = terms.map(|(point, scalar)| (odd_multiples(point), non_adjacent(scalar)));
    let longest = terms.iter().map(|(_, digits)| digits.len()).max().unwrap_or(0);
    let mut sum = Jacobian::INFINITY;
    for at in (0..longest).rev() {
        sum = sum.double();
        for (multiples, digits) in &terms {
            let digit = digits.get(at).copied().unwrap_or(0);
            if digit != 0
                && let Some(multiple) = multiples.get(usize::from(digit.unsigned_abs() / 2))
            {
                sum = sum.add(multiple.negated(digit < 0));
            }
        }
    }
    sum
}

/// 1, 3, 5, ... 15 times the point.
fn odd_multiples<F: Field>(point: Affine<F>) -> [Jacobian<F>; ODD] {
    let mut multiple = Jacobian::from(point);
    let twice = multiple.double();
    std::array::from_fn(|at| {
        if at > 0 {
            multiple = multiple.add(twice);
        }
        multiple
    })
}

/// The scalar as digits that are zero or odd and below 16, least first; of five that follow each other one at most is not zero.
fn non_adjacent(scalar: &[u8]) -> Vec<i8> {
    let mut bits = scalar.iter().rev().flat_map(|byte| (0..8).map(move |at| byte >> at & 1));
    let mut window = bits.by_ref().take(5).zip(0..).fold(0, |window, (bit, at)| window | bit << at);
    let mut digits = Vec::with_capacity(scalar.len() * 8 + 1);
    while digits.len() <= scalar.len() * 8 {
        // The window is at most 2^5; its lowest bits as a number from -15 to 15, if odd.
        let odd = window & 1 == 1;
        let negative = odd && window & 16 != 0;
        digits.push(match (odd, negative) {
            (false, _) => 0,
            (true, false) => window.cast_signed(),
            (true, true) => window.cast_signed() - 32,
        });
        window = match (odd, negative) {
            (false, _) => window,
            (true, false) => 0,
            (true, true) => 32,
        };
        window = (window >> 1) + (bits.next().unwrap_or(0) << (WIDTH - 1));
    }
    digits
}
