//! Verification by precomputed multiples of a key that verifies many signatures: a log's, an authority's.
//!
//! For each byte of a scalar the 255 multiples of the point shifted to its place are kept; a multiplication is then one
//! addition for each byte, without doublings. Variable time: everything that goes in is public.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use p256::NistP256;
use p256::elliptic_curve::group::{Curve as _, Group as _};
use p256::elliptic_curve::ops::{MulVartime as _, Reduce};
use p256::elliptic_curve::point::AffineCoordinates as _;
use p256::elliptic_curve::{
    AffinePoint, BatchNormalize, CurveArithmetic, FieldBytes, PrimeField as _, ProjectivePoint, Scalar,
};
use p384::NistP384;

/// After so many verifications a table has been paid for (measured: about 40 for P-384, 50 for P-256).
const WORTH: u32 = 50;

static P256_GENERATOR: OnceLock<Table<NistP256>> = OnceLock::new();
static P384_GENERATOR: OnceLock<Table<NistP384>> = OnceLock::new();

/// What a key that verifies often keeps for it: 0.6 MiB for P-256, 1.2 MiB for P-384, made when it has become worth it.
#[derive(Debug, Default)]
pub(super) struct Prepared<C: CurveArithmetic> {
    uses: AtomicU32,
    table: OnceLock<Table<C>>,
}

/// A curve with a place for the generator's table.
pub(super) trait Curve: CurveArithmetic {
    fn generator() -> &'static OnceLock<Table<Self>>;
}

impl Curve for NistP256 {
    fn generator() -> &'static OnceLock<Table<Self>> {
        &P256_GENERATOR
    }
}

impl Curve for NistP384 {
    fn generator() -> &'static OnceLock<Table<Self>> {
        &P384_GENERATOR
    }
}

/// The multiples of one point.
pub(super) struct Table<C: CurveArithmetic>(Vec<[AffinePoint<C>; 255]>);

impl<C: CurveArithmetic> std::fmt::Debug for Table<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Table of {} rows", self.0.len())
    }
}

/// Whether a signature (r, s) over the hash is by the key `point`, if a table makes the answer cheaper than the library's;
/// `None` if there is none yet.
pub(super) fn verifies<C>(
    prepared: Option<&Prepared<C>>,
    point: &AffinePoint<C>,
    hash: &[u8],
    (r, s): (Scalar<C>, Scalar<C>),
) -> Option<bool>
where
    C: Curve,
    ProjectivePoint<C>: BatchNormalize<[ProjectivePoint<C>], Output = Vec<AffinePoint<C>>>,
    Scalar<C>: Reduce<FieldBytes<C>>,
{
    let table = prepared.and_then(|prepared| prepared.table(point));
    let generator = match table {
        Some(_) => C::generator().get_or_init(|| Table::new(ProjectivePoint::<C>::generator())),
        None => C::generator().get()?,
    };
    let inverse = Option::<Scalar<C>>::from(p256::elliptic_curve::ops::Invert::invert_vartime(&s))?;
    let (of_generator, of_key) = (reduce::<C>(hash) * inverse, r * inverse);
    let sum = match table {
        Some(table) => table.add(ProjectivePoint::<C>::identity(), &of_key),
        None => ProjectivePoint::<C>::from(*point).mul_vartime(&of_key),
    };
    let sum = generator.add(sum, &of_generator);
    let x = sum.to_affine().x();
    Some(<Scalar<C> as Reduce<FieldBytes<C>>>::reduce(&x) == r)
}

impl<C> Prepared<C>
where
    C: Curve,
    ProjectivePoint<C>: BatchNormalize<[ProjectivePoint<C>], Output = Vec<AffinePoint<C>>>,
{
    fn table(&self, point: &AffinePoint<C>) -> Option<&Table<C>> {
        if let Some(table) = self.table.get() {
            return Some(table);
        }
        let uses = self.uses.fetch_add(1, Ordering::Relaxed);
        (uses >= WORTH).then(|| self.table.get_or_init(|| Table::new((*point).into())))
    }
}

impl<C> Table<C>
where
    C: CurveArithmetic,
    ProjectivePoint<C>: BatchNormalize<[ProjectivePoint<C>], Output = Vec<AffinePoint<C>>>,
{
    fn new(point: ProjectivePoint<C>) -> Self {
        let mut multiples = Vec::new();
        let mut base = point;
        for _ in 0..FieldBytes::<C>::default().len() {
            let mut multiple = base;
            for _ in 0..255 {
                multiples.push(multiple);
                multiple += base;
            }
            base = multiple;
        }
        let affine = <ProjectivePoint<C> as BatchNormalize<[ProjectivePoint<C>]>>::batch_normalize(
            multiples.as_slice(),
        );
        Self(affine.chunks(255).filter_map(|row| <[AffinePoint<C>; 255]>::try_from(row).ok()).collect())
    }

    fn add(&self, mut sum: ProjectivePoint<C>, scalar: &Scalar<C>) -> ProjectivePoint<C> {
        let bytes = scalar.to_repr();
        let bytes: &[u8] = bytes.as_ref();
        for (row, byte) in self.0.iter().zip(bytes.iter().rev()) {
            if let Some(multiple) = usize::from(*byte).checked_sub(1).and_then(|at| row.get(at)) {
                sum += *multiple;
            }
        }
        sum
    }
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
