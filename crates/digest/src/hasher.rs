use sha2::Digest as _;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};

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

impl Hasher {
    /// What was taken in so far, as bytes that another process can go on from: for transfers that are resumed.
    ///
    /// The form is versioned: `lotse-hasher/1` and the algorithm's name on a line each, then the state as `sha2` 0.11 writes it.
    /// A state is no check: whoever can change it can change the digest, so keep it where the partial content is kept.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let (algorithm, state): (Algorithm, Vec<u8>) = match &self.0 {
            State::Sha256(state) => (Algorithm::Sha256, state.serialize().to_vec()),
            State::Sha384(state) => (Algorithm::Sha384, state.serialize().to_vec()),
            State::Sha512(state) => (Algorithm::Sha512, state.serialize().to_vec()),
        };
        [SAVED.as_bytes(), algorithm.name().as_bytes(), b"\n", &state].concat()
    }

    /// A hasher that goes on where another one was [saved](Self::save).
    ///
    /// ```
    /// use lotse_digest::{Algorithm, Digest, Hasher};
    /// let mut first = Hasher::new(Algorithm::Sha256);
    /// first.update(b"half of ");
    /// let state = first.save(); // written to disk; the process ends, and another one goes on
    /// let mut second = Hasher::resume(&state)?;
    /// second.update(b"it");
    /// assert_eq!(second.finish(), Digest::sha256(b"half of it"));
    /// # Ok::<(), lotse_digest::ResumeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ResumeError`] for bytes that [`save`](Self::save) of this version does not write: hash the content again.
    pub fn resume(saved: &[u8]) -> Result<Self, ResumeError> {
        let rest = saved.strip_prefix(SAVED.as_bytes()).ok_or(ResumeError)?;
        let end = rest.iter().take(16).position(|&byte| byte == b'\n').ok_or(ResumeError)?;
        let (name, state) = rest.split_at_checked(end).ok_or(ResumeError)?;
        let state = state.get(1..).ok_or(ResumeError)?;
        let name = std::str::from_utf8(name).map_err(|_| ResumeError)?;
        Ok(Self(match Algorithm::from_name(name).ok_or(ResumeError)? {
            Algorithm::Sha256 => State::Sha256(resumed(state)?),
            Algorithm::Sha384 => State::Sha384(resumed(state)?),
            Algorithm::Sha512 => State::Sha512(resumed(state)?),
        }))
    }
}

const SAVED: &str = "lotse-hasher/1\n";

fn resumed<T: SerializableState>(state: &[u8]) -> Result<T, ResumeError> {
    let state = SerializedState::<T>::try_from(state).map_err(|_| ResumeError)?;
    T::deserialize(&state).map_err(|_| ResumeError)
}

/// Bytes that are no saved hasher of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no saved hasher of the form lotse-hasher/1; hash the content again from its beginning")]
pub struct ResumeError;

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
