use super::field::Field;
use super::point::{Affine, Jacobian};

/// How many multiples of one place a table holds: digits are from -128 to 128.
const ROW: usize = 128;

/// The multiples of one point by which a multiplication is one addition for each byte of the scalar, without doublings.
pub(super) struct Table<F>(Vec<Affine<F>>);

impl<F> std::fmt::Debug for Table<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Table of {} points", self.0.len())
    }
}

impl<F: Field> Table<F> {
    /// 1 to 128 times each 256^i of the point, for scalars of so many bytes; of the last place, which only a carry reaches,
    /// the first.
    pub(super) fn new(point: Affine<F>, bytes: usize) -> Self {
        let mut multiples = Vec::with_capacity(bytes * ROW + 1);
        let mut base = point;
        for _ in 0..bytes {
            let mut multiple = Jacobian::from(base);
            for _ in 1..ROW {
                multiples.push(multiple);
                multiple = multiple.add_affine(base);
            }
            multiples.push(multiple);
            // One inversion for each row keeps the additions cheap.
            if let Some(next) = Jacobian::to_affine(&[multiple.double()]).first() {
                base = *next;
            }
        }
        multiples.push(base.into());
        Self(Jacobian::to_affine(&multiples))
    }

    /// Adds the point times the scalar, which is big-endian.
    #[inline]
    pub(super) fn add(&self, mut sum: Jacobian<F>, scalar: &[u8]) -> Jacobian<F> {
        let mut carry = false;
        let bytes = scalar.iter().rev().map(|byte| u16::from(*byte)).chain([0]);
        for (row, byte) in self.0.chunks(ROW).zip(bytes) {
            let digit = byte + u16::from(carry);
            carry = digit > 128;
            let size = if carry { 256 - digit } else { digit };
            if let Some(multiple) = usize::from(size).checked_sub(1).and_then(|at| row.get(at)) {
                sum = sum.add_affine(multiple.negated(carry));
            }
        }
        sum
    }
}
