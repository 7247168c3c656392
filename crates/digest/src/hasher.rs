use sha2::Digest as _;

use crate::{Algorithm, Digest};

/// A streaming hasher: give it the content in pieces of any size, then [`finish`](Self::finish).
#[derive(Clone, Debug)]
pub struct Hasher(State);

#[derive(Clone, Debug)]
enum State {
    Sha256(sha2::Sha256),
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
}

impl Hasher {
    /// A hasher that has seen nothing yet.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
            Algorithm::Sha384 => State::Sha384(sha2::Sha384::new()),
            Algorithm::Sha512 => State::Sha512(sha2::Sha512::new()),
        })
    }

    /// Takes in the next piece. Where the content is cut makes no difference.
    pub fn update(&mut self, piece: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(piece),
            State::Sha384(state) => state.update(piece),
            State::Sha512(state) => state.update(piece),
        }
    }

    /// The digest of everything taken in.
    #[must_use]
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Sha256(state) => Digest::computed(Algorithm::Sha256, &state.finalize()),
            State::Sha384(state) => Digest::computed(Algorithm::Sha384, &state.finalize()),
            State::Sha512(state) => Digest::computed(Algorithm::Sha512, &state.finalize()),
        }
    }
}

/// Several digests of one content in one pass.
///
/// ```
/// use lotse_digest::{Algorithm, Digest, MultiHasher};
/// let mut hasher = MultiHasher::new(&[Algorithm::Sha256, Algorithm::Sha512]);
/// hasher.update(b"a");
/// hasher.update(b"bc");
/// let digests = hasher.finish();
/// assert_eq!(digests, [Digest::of(Algorithm::Sha256, b"abc"), Digest::of(Algorithm::Sha512, b"abc")]);
/// ```
#[derive(Clone, Debug)]
pub struct MultiHasher(Vec<Hasher>);

impl MultiHasher {
    /// One hasher for each algorithm, in the given order.
    #[must_use]
    pub fn new(algorithms: &[Algorithm]) -> Self {
        Self(algorithms.iter().map(|&algorithm| Hasher::new(algorithm)).collect())
    }

    /// Takes in the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        for hasher in &mut self.0 {
            hasher.update(piece);
        }
    }

    /// The digests, in the order in which the algorithms were given.
    #[must_use]
    pub fn finish(self) -> Vec<Digest> {
        self.0.into_iter().map(Hasher::finish).collect()
    }
}
