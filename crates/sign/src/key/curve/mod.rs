//! ECDSA verification over P-256 and P-384, several times as fast as the crates that bring the keys: their arithmetic is made
//! for secrets and takes the same time for every number. All that goes in here is public, so nothing takes constant time;
//! never sign with it.
//!
//! A key that verifies once costs one joint multiplication with the generator; one that verifies often (a log's, an
//! authority's) gets a table, as the generator does.

mod field;
mod inverse;
mod p256;
mod p384;
mod point;
mod table;
mod window;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use ::p256::NistP256;
use ::p256::elliptic_curve::ops::{Invert as _, Reduce};
use ::p256::elliptic_curve::point::AffineCoordinates;
use ::p256::elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytes, PrimeField as _, Scalar};
use ::p384::NistP384;
use field::Field;
use p256::Fp256;
use p384::Fp384;
use point::{Affine, Jacobian};
use table::Table;

/// After so many verifications a table has been paid for (measured: about 40 for either curve).
const WORTH: u32 = 50;

/// The orders of the generators, least limb first (SP 800-186, 3.2.1.3 and 3.2.1.4).
const P256_ORDER: [u64; 4] =
    [0xf3b9_cac2_fc63_2551, 0xbce6_faad_a717_9e84, 0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000];
const P384_ORDER: [u64; 6] = [
    0xecec_196a_ccc5_2973,
    0x581a_0db2_48b0_a77a,
    0xc763_4d81_f437_2ddf,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
];

static P256_GENERATOR: Prepared<NistP256> = Prepared::new();
static P384_GENERATOR: Prepared<NistP384> = Prepared::new();

/// What a key that verifies often keeps for it: 0.3 MiB for P-256, 0.6 MiB for P-384, made when it has become worth it.
#[derive(Debug)]
pub(super) struct Prepared<C: Curve> {
    uses: AtomicU32,
    table: OnceLock<Table<C::Field>>,
}

/// A curve whose arithmetic we have.
pub(in crate::key) trait Curve: CurveArithmetic {
    type Field: Field;

    /// The prime less the order, big-endian: below it the order may be added to r (SEC 1, 4.1.4, step 8, and 4.1.6).
    const BEYOND_ORDER: &'static [u8];

    /// The scalar's inverse modulo the order; none for zero.
    fn invert(scalar: &Scalar<Self>) -> Option<Scalar<Self>>;

    /// The generator, and what is kept for it.
    fn generator() -> (AffinePoint<Self>, &'static Prepared<Self>);
}

impl Curve for NistP256 {
    type Field = Fp256;

    const BEYOND_ORDER: &'static [u8] = &[
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x43, 0x19, 0x05, 0x53, 0x58, 0xe8, 0x61, 0x7b, 0x0c,
        0x46, 0x35, 0x3d, 0x03, 0x9c, 0xda, 0xae,
    ];

    fn invert(scalar: &Scalar<Self>) -> Option<Scalar<Self>> {
        invert::<Self, 4>(scalar, P256_ORDER)
    }

    fn generator() -> (AffinePoint<Self>, &'static Prepared<Self>) {
        (::p256::AffinePoint::GENERATOR, &P256_GENERATOR)
    }
}

impl Curve for NistP384 {
    type Field = Fp384;

    const BEYOND_ORDER: &'static [u8] = &[
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x38, 0x9c, 0xb2, 0x7e, 0x0b,
        0xc8, 0xd2, 0x1f, 0xa7, 0xe5, 0xf2, 0x4c, 0xb7, 0x4f, 0x58, 0x85, 0x13, 0x13, 0xe6, 0x96, 0x33, 0x3a,
        0xd6, 0x8c,
    ];

    fn invert(scalar: &Scalar<Self>) -> Option<Scalar<Self>> {
        invert::<Self, 6>(scalar, P384_ORDER)
    }

    fn generator() -> (AffinePoint<Self>, &'static Prepared<Self>) {
        (::p384::AffinePoint::GENERATOR, &P384_GENERATOR)
    }
}

/// Whether a signature (r, s) over the hash is by the key `point` (FIPS 186-5, 6.4.2).
pub(super) fn verifies<C>(
    prepared: Option<&Prepared<C>>,
    point: &AffinePoint<C>,
    hash: &[u8],
    (r, s): (Scalar<C>, Scalar<C>),
) -> bool
where
    C: Curve,
    AffinePoint<C>: AffineCoordinates<FieldRepr = FieldBytes<C>>,
    Scalar<C>: Reduce<FieldBytes<C>>,
{
    sum(prepared, point, hash, (r, s)).is_some_and(|sum| has_abscissa::<C>(&sum, r))
}

/// The point whose abscissa r must be: the generator times hash / s, and the key times r / s.
fn sum<C>(
    prepared: Option<&Prepared<C>>,
    point: &AffinePoint<C>,
    hash: &[u8],
    (r, s): (Scalar<C>, Scalar<C>),
) -> Option<Jacobian<C::Field>>
where
    C: Curve,
    AffinePoint<C>: AffineCoordinates<FieldRepr = FieldBytes<C>>,
    Scalar<C>: Reduce<FieldBytes<C>>,
{
    let inverse = C::invert(&s)?;
    let (of_generator, of_key) = ((reduce::<C>(hash) * inverse).to_repr(), (r * inverse).to_repr());
    let (of_generator, of_key): (&[u8], &[u8]) = (of_generator.as_ref(), of_key.as_ref());

    let (generator, of_generators) = C::generator();
    let of_keys = prepared.and_then(|prepared| prepared.table(point));
    Some(match (of_generators.table(&generator), of_keys) {
        (Some(generator), Some(key)) => key.add(generator.add(Jacobian::INFINITY, of_generator), of_key),
        (Some(generator), None) => generator.add(window::sum([(affine::<C>(point)?, of_key)]), of_generator),
        (None, Some(key)) => key.add(window::sum([(affine::<C>(&generator)?, of_generator)]), of_key),
        (None, None) => {
            window::sum([(affine::<C>(&generator)?, of_generator), (affine::<C>(point)?, of_key)])
        }
    })
}

impl<C: Curve> Prepared<C> {
    pub(super) const fn new() -> Self {
        Self { uses: AtomicU32::new(0), table: OnceLock::new() }
    }

    fn table(&self, point: &AffinePoint<C>) -> Option<&Table<C::Field>>
    where
        AffinePoint<C>: AffineCoordinates<FieldRepr = FieldBytes<C>>,
    {
        if let Some(table) = self.table.get() {
            return Some(table);
        }
        if self.uses.fetch_add(1, Ordering::Relaxed) < WORTH {
            return None;
        }
        let point = affine::<C>(point)?;
        Some(self.table.get_or_init(|| Table::new(point, C::BEYOND_ORDER.len())))
    }
}

/// The inverse as [`inverse::inverse`] has it. A product tells whether it is one, so that a mistake there costs time alone.
fn invert<C: CurveArithmetic, const N: usize>(scalar: &Scalar<C>, order: [u64; N]) -> Option<Scalar<C>> {
    let mut bytes = scalar.to_repr();
    let (chunks, _) = AsMut::<[u8]>::as_mut(&mut bytes).as_chunks_mut::<8>();
    let mut limbs = [0; N];
    for (limb, chunk) in limbs.iter_mut().zip(chunks.iter().rev()) {
        *limb = u64::from_be_bytes(*chunk);
    }
    for (limb, chunk) in inverse::inverse(limbs, order)?.iter().zip(chunks.iter_mut().rev()) {
        *chunk = limb.to_be_bytes();
    }
    let inverse = Option::<Scalar<C>>::from(Scalar::<C>::from_repr(bytes));
    inverse
        .filter(|inverse| *inverse * scalar == Scalar::<C>::from(1))
        .or_else(|| scalar.invert_vartime().into())
}

/// Whether the point's x modulo the order is r, without the inversion that would give x.
fn has_abscissa<C: Curve>(point: &Jacobian<C::Field>, r: Scalar<C>) -> bool {
    if point.z == C::Field::ZERO {
        return false;
    }
    let bytes = r.to_repr();
    let bytes: &[u8] = bytes.as_ref();
    let (Some(r), Some(beyond)) = (C::Field::from_bytes(bytes), C::Field::from_bytes(C::BEYOND_ORDER)) else {
        return false;
    };
    let z_squared = point.z.square();
    // The order is the prime less `beyond`.
    point.x == r.mul(z_squared) || (bytes < C::BEYOND_ORDER && point.x == r.sub(beyond).mul(z_squared))
}

/// A point of the library as ours.
fn affine<C>(point: &AffinePoint<C>) -> Option<Affine<C::Field>>
where
    C: Curve,
    AffinePoint<C>: AffineCoordinates<FieldRepr = FieldBytes<C>>,
{
    Some(Affine { x: C::Field::from_bytes(&point.x())?, y: C::Field::from_bytes(&point.y())? })
}

/// A hash as a scalar: its leftmost bytes, as many as the order has, then modulo the order (FIPS 186-5, 6.4.2).
fn reduce<C>(hash: &[u8]) -> Scalar<C>
where
    C: CurveArithmetic,
    Scalar<C>: Reduce<FieldBytes<C>>,
{
    let mut bytes = FieldBytes::<C>::default();
    let length = bytes.len();
    let hash = hash.get(..length).unwrap_or(hash);
    for (to, from) in bytes.iter_mut().skip(length - hash.len()).zip(hash) {
        *to = *from;
    }
    <Scalar<C> as Reduce<FieldBytes<C>>>::reduce(&bytes)
}
