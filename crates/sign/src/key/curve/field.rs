use std::fmt;

/// The numbers modulo a curve's prime.
///
/// Nothing here is secret: the code branches and looks up by value.
pub(in crate::key) trait Field: Copy + Eq + fmt::Debug + Send + Sync + 'static {
    const ZERO: Self;
    const ONE: Self;
    /// The prime less two, big-endian: the exponent that inverts.
    const INVERTING: &'static [u8];

    /// The number in these big-endian bytes; `None` unless they have the prime's length and the number is below the prime.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;

    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;

    fn square(self) -> Self;

    #[inline]
    fn double(self) -> Self {
        self.add(self)
    }

    #[inline]
    fn neg(self) -> Self {
        Self::ZERO.sub(self)
    }

    /// By Fermat's little theorem; zero for zero.
    fn invert(self) -> Self {
        let bits = Self::INVERTING.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1 == 1));
        bits.fold(Self::ONE, |power, bit| if bit { power.square().mul(self) } else { power.square() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test states what must hold")]

    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::super::p256::Fp256;
    use super::super::p384::Fp384;
    use super::*;

    /// Numbers whose limbs are often all zeros or all ones: there the carries are.
    fn limbs(count: usize) -> impl Strategy<Value = Vec<u8>> {
        let limb = prop_oneof![
            Just(0u64),
            Just(1),
            Just(u64::MAX),
            Just(u64::MAX - 1),
            Just(0xffff_ffff),
            Just(0xffff_ffff_0000_0000),
            Just(0xffff_ffff_0000_0001),
            any::<u64>()
        ];
        prop::collection::vec(limb, count)
            .prop_map(|limbs| limbs.iter().flat_map(|limb| limb.to_be_bytes()).collect())
    }

    fn laws<F: Field>(a: &[u8], b: &[u8]) {
        let prime = BigUint::from_bytes_be(F::INVERTING) + 2u8;
        let read = |number: &BigUint| {
            let bytes = number.to_bytes_be();
            F::from_bytes(&[vec![0; a.len() - bytes.len()], bytes].concat()).unwrap()
        };
        let (x, y) = (BigUint::from_bytes_be(a), BigUint::from_bytes_be(b));
        assert_eq!(F::from_bytes(a).is_some(), x < prime);
        let (x, y) = (x % &prime, y % &prime);
        let (p, q) = (read(&x), read(&y));
        assert_eq!(p.add(q), read(&((&x + &y) % &prime)));
        assert_eq!(p.sub(q), read(&((&prime + &x - &y) % &prime)));
        assert_eq!(p.mul(q), read(&(&x * &y % &prime)));
        assert_eq!(p.square(), read(&(&x * &x % &prime)));
        assert_eq!(p.neg().add(p), F::ZERO);
        assert_eq!(p.invert().mul(p), if p == F::ZERO { F::ZERO } else { F::ONE });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn numbers_of_p_256_are_those_of_big_integers(a in limbs(4), b in limbs(4)) {
            laws::<Fp256>(&a, &b);
        }

        #[test]
        fn numbers_of_p_384_are_those_of_big_integers(a in limbs(6), b in limbs(6)) {
            laws::<Fp384>(&a, &b);
        }
    }
}
