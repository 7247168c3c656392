use std::cell::RefCell;
use std::collections::BTreeMap;

use lotse_digest::{Algorithm, Digest};

use super::Artifact;
use crate::Envelope;

/// The digests that one verification needs of the artifact and of the signed envelope, each computed once, and only if asked for.
pub(super) struct Hashes<'a> {
    artifact: &'a Artifact<'a>,
    of_artifact: RefCell<BTreeMap<Algorithm, Option<Digest>>>,
    of_envelope: RefCell<BTreeMap<Algorithm, Digest>>,
}

impl<'a> Hashes<'a> {
    pub(super) const fn new(artifact: &'a Artifact<'a>) -> Self {
        Self {
            artifact,
            of_artifact: RefCell::new(BTreeMap::new()),
            of_envelope: RefCell::new(BTreeMap::new()),
        }
    }

    /// The artifact's bytes, if they were given.
    pub(super) const fn bytes(&self) -> Option<&'a [u8]> {
        match self.artifact {
            Artifact::Bytes(bytes) => Some(bytes),
            Artifact::Digests(_) => None,
        }
    }

    /// The artifact's digest of this kind, if it can be known.
    pub(super) fn artifact(&self, algorithm: Algorithm) -> Option<Digest> {
        let mut known = self.of_artifact.borrow_mut();
        known.entry(algorithm).or_insert_with(|| self.artifact.digest(algorithm)).clone()
    }

    /// The digest of what is signed of the verification's one envelope.
    pub(super) fn envelope(&self, envelope: &Envelope, algorithm: Algorithm) -> Digest {
        let mut known = self.of_envelope.borrow_mut();
        known.entry(algorithm).or_insert_with(|| envelope.pae_digest(algorithm)).clone()
    }

    /// By which a verdict names the artifact.
    pub(super) fn names(&self) -> Vec<Digest> {
        match self.artifact {
            Artifact::Bytes(_) => self.artifact(Algorithm::Sha256).into_iter().collect(),
            Artifact::Digests(digests) => digests.to_vec(),
        }
    }

    /// In words.
    pub(super) fn name(&self) -> String {
        self.names().iter().map(Digest::to_string).collect::<Vec<_>>().join(", ")
    }
}
