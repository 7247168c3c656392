//! Points of the curves y² = x³ - 3x + b, P-256 and P-384 (SP 800-186, 3.2.1). The formulas do not need b.

use super::field::Field;

/// A point that is not at infinity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Affine<F> {
    pub(super) x: F,
    pub(super) y: F,
}

/// A point as (x z², y z³, z), with z = 0 at infinity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jacobian<F> {
    pub(super) x: F,
    pub(super) y: F,
    pub(super) z: F,
}

impl<F: Field> Affine<F> {
    #[inline]
    pub(super) fn negated(self, negated: bool) -> Self {
        Self { x: self.x, y: if negated { self.y.neg() } else { self.y } }
    }
}

impl<F: Field> From<Affine<F>> for Jacobian<F> {
    fn from(point: Affine<F>) -> Self {
        Self { x: point.x, y: point.y, z: F::ONE }
    }
}

impl<F: Field> Jacobian<F> {
    pub(super) const INFINITY: Self = Self { x: F::ONE, y: F::ONE, z: F::ZERO };

    #[inline]
    pub(super) fn negated(self, negated: bool) -> Self {
        Self { y: if negated { self.y.neg() } else { self.y }, ..self }
    }

    /// "dbl-2001-b" of the Explicit-Formulas Database, but for a product where it saves a square; infinity stays.
    #[inline]
    pub(super) fn double(self) -> Self {
        let delta = self.z.square();
        let gamma = self.y.square();
        let beta = self.x.mul(gamma);
        let alpha = self.x.sub(delta).mul(self.x.add(delta));
        let alpha = alpha.double().add(alpha);
        let four_beta = beta.double().double();
        let x = alpha.square().sub(four_beta.double());
        let z = self.y.mul(self.z).double();
        let y = alpha.mul(four_beta.sub(x)).sub(gamma.square().double().double().double());
        Self { x, y, z }
    }

    /// Complete: of the same point it makes the double, of the opposite infinity.
    #[inline]
    pub(super) fn add_affine(self, other: Affine<F>) -> Self {
        if self.z == F::ZERO {
            return other.into();
        }
        let z_squared = self.z.square();
        let h = other.x.mul(z_squared).sub(self.x);
        let r = other.y.mul(z_squared.mul(self.z)).sub(self.y);
        self.finish(h, r, self.x, self.y, self.z)
    }

    /// Complete like [`add_affine`](Self::add_affine).
    #[inline]
    pub(super) fn add(self, other: Self) -> Self {
        if self.z == F::ZERO {
            return other;
        }
        if other.z == F::ZERO {
            return self;
        }
        let (z_squared, other_squared) = (self.z.square(), other.z.square());
        let x = self.x.mul(other_squared);
        let y = self.y.mul(other_squared.mul(other.z));
        let h = other.x.mul(z_squared).sub(x);
        let r = other.y.mul(z_squared.mul(self.z)).sub(y);
        self.finish(h, r, x, y, self.z.mul(other.z))
    }

    /// What both additions end with: `h` and `r` are the differences of the abscissas and ordinates over one denominator,
    /// `x` and `y` this point's over it, `z` the product of the denominators.
    #[inline]
    fn finish(self, h: F, r: F, x: F, y: F, z: F) -> Self {
        if h == F::ZERO {
            return if r == F::ZERO { self.double() } else { Self::INFINITY };
        }
        let h_squared = h.square();
        let h_cubed = h_squared.mul(h);
        let v = x.mul(h_squared);
        let x = r.square().sub(h_cubed).sub(v.double());
        let y = r.mul(v.sub(x)).sub(y.mul(h_cubed));
        Self { x, y, z: z.mul(h) }
    }

    /// Points with one inversion for all of them; those at infinity are left out.
    pub(super) fn to_affine(points: &[Self]) -> Vec<Affine<F>> {
        let points: Vec<&Self> = points.iter().filter(|point| point.z != F::ZERO).collect();
        let mut product = F::ONE;
        let mut products = Vec::with_capacity(points.len());
        for point in &points {
            products.push(product);
            product = product.mul(point.z);
        }
        let mut inverse = product.invert();
        let mut affine: Vec<Affine<F>> = points
            .iter()
            .zip(&products)
            .rev()
            .map(|(point, before)| {
                let z = inverse.mul(*before);
                inverse = inverse.mul(point.z);
                let squared = z.square();
                Affine { x: point.x.mul(squared), y: point.y.mul(squared.mul(z)) }
            })
            .collect();
        affine.reverse();
        affine
    }
}
