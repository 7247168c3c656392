//! Verification over P-256 and P-384 is our own arithmetic: beside the crates that bring the keys, in every way it goes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_digest::{Algorithm, Digest};
use lotse_sign::VerifyingKey;
use p256::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use p256::elliptic_curve::{PrimeField as _, ops::Reduce as _};
use p256::pkcs8::EncodePublicKey as _;
use proptest::prelude::*;

/// More than it takes until a prepared key has its table.
const MANY: usize = 60;

macro_rules! curve {
    ($name:ident, $curve:ident, $length:literal, $hash:ident) => {
        mod $name {
            use super::*;

            fn key(secret: &[u8; $length]) -> Option<($curve::ecdsa::SigningKey, VerifyingKey)> {
                let signer = $curve::ecdsa::SigningKey::from_slice(secret).ok()?;
                let verifier = VerifyingKey::from_der(signer.verifying_key().to_public_key_der().ok()?.as_bytes()).ok()?;
                Some((signer, verifier))
            }

            fn digest(bytes: &[u8; $length]) -> Digest {
                Digest::from_bytes(Algorithm::$hash, bytes).unwrap()
            }

            /// The key after as many verifications as it takes until it has its table.
            fn with_table(key: &VerifyingKey) -> VerifyingKey {
                let key = key.clone().prepared();
                let one = $curve::Scalar::ONE;
                let signed = signature(one, one).unwrap();
                for _ in 0..MANY {
                    assert!(!key.verifies_digest(&digest(&[1; $length]), signed.to_der().as_bytes()));
                }
                key
            }

            /// A signature that need not be anybody's.
            fn signature(r: $curve::Scalar, s: $curve::Scalar) -> Option<$curve::ecdsa::Signature> {
                $curve::ecdsa::Signature::from_scalars(r, s).ok()
            }

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(64))]

                #[test]
                fn what_the_library_signs_we_verify_and_nothing_near_it(
                    secret: [u8; $length], hash: [u8; $length], bit in 0..$length * 8usize,
                ) {
                    let Some((signer, verifier)) = key(&secret) else { return Ok(()) };
                    let signed: $curve::ecdsa::Signature = signer.sign_prehash(&hash).unwrap();
                    let der = signed.to_der();
                    prop_assert!(verifier.verifies_digest(&digest(&hash), der.as_bytes()));
                    let mut other = hash;
                    other[bit / 8] ^= 1 << (bit % 8);
                    prop_assert!(!verifier.verifies_digest(&digest(&other), der.as_bytes()));
                    let (r, s) = signed.split_scalars();
                    for (r, s, theirs) in [(*r, -*s, true), (-*r, *s, false), (*r + $curve::Scalar::ONE, *s, false), (*s, *r, false)] {
                        let Some(changed) = signature(r, s) else { continue };
                        prop_assert_eq!(verifier.verifies_digest(&digest(&hash), changed.to_der().as_bytes()), theirs);
                    }
                }

                /// The library's answer is the oracle; random numbers are never signatures, so it is made of points: r is the
                /// abscissa of a G + b Q, and s and the hash follow (SEC 1, 4.1.4, backwards).
                #[test]
                fn signatures_made_of_any_point_verify(secret: [u8; $length], a in 0u64..5, b in 1u64..5, far: [bool; 2]) {
                    let Some((signer, verifier)) = key(&secret) else { return Ok(()) };
                    let size = |number: u64, far: bool| {
                        let number = $curve::Scalar::from(number);
                        if far { -number } else { number }
                    };
                    let (a, b) = (size(a, far[0]), size(b, far[1]));
                    let point = $curve::ProjectivePoint::GENERATOR * a
                        + $curve::ProjectivePoint::from(*signer.verifying_key().as_affine()) * b;
                    use p256::elliptic_curve::point::AffineCoordinates as _;
                    let r = $curve::Scalar::reduce(&point.to_affine().x());
                    let s = r * b.invert().unwrap();
                    let hash: [u8; $length] = (a * s).to_repr().into();
                    let Some(signed) = signature(r, s) else { return Ok(()) };
                    let theirs = signer.verifying_key().verify_prehash(&hash, &signed).is_ok();
                    prop_assert!(theirs);
                    prop_assert!(verifier.verifies_digest(&digest(&hash), signed.to_der().as_bytes()));
                }
            }

            /// The key is the generator, its opposite, or a small multiple: sums meet equal and opposite points on the way.
            #[test]
            fn keys_beside_the_generator() {
                for number in (1..4u64).flat_map(|number| [$curve::Scalar::from(number), -$curve::Scalar::from(number)]) {
                    let (signer, verifier) = key(&number.to_repr().into()).unwrap();
                    let prepared = with_table(&verifier);
                    for seed in 0..9u64 {
                        let hash: [u8; $length] = $curve::Scalar::from(seed).to_repr().into();
                        let signed: $curve::ecdsa::Signature = signer.sign_prehash(&hash).unwrap();
                        let wrong = signature(*signed.s(), *signed.r()).unwrap();
                        for key in [&verifier, &prepared] {
                            assert!(key.verifies_digest(&digest(&hash), signed.to_der().as_bytes()), "{number:?} {seed}");
                            assert!(!key.verifies_digest(&digest(&hash), wrong.to_der().as_bytes()), "{number:?} {seed}");
                        }
                    }
                }
            }

            /// With hash = -r d the sum is the point at infinity, whose abscissa no r is.
            #[test]
            fn the_point_at_infinity_is_no_signature() {
                let d = $curve::Scalar::from(5u64);
                let (signer, verifier) = key(&d.to_repr().into()).unwrap();
                let prepared = with_table(&verifier);
                for number in 1..9u64 {
                    let r = $curve::Scalar::from(number);
                    let hash: [u8; $length] = (-(r * d)).to_repr().into();
                    let signed = signature(r, $curve::Scalar::from(7u64)).unwrap();
                    assert!(signer.verifying_key().verify_prehash(&hash, &signed).is_err());
                    for key in [&verifier, &prepared] {
                        assert!(!key.verifies_digest(&digest(&hash), signed.to_der().as_bytes()), "{number}");
                    }
                }
            }
        }
    };
}

curve!(p_256, p256, 32, Sha256);
curve!(p_384, p384, 48, Sha384);
