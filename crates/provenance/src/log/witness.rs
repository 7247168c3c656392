use std::collections::BTreeMap;

use lotse_digest::{MerkleHash, verify_consistency};
use lotse_sign::{Checkpoint, NoteKey, NoteSignature, SignedNote, SigningKey};

use super::audit::Tampering;
use crate::{Error, Timestamp};

/// A witness (C2SP tlog-witness, without its network): it remembers the last checkpoint of each log and cosigns only one that
/// extends it. Two sets of readers who trust it cannot be shown two logs.
///
/// What it remembers must be kept before a cosignature is given away: [`last`](Self::last) and
/// [`remember`](Self::remember) are for that.
#[derive(Clone, Debug)]
pub struct Witness {
    name: String,
    key: SigningKey,
    last: BTreeMap<String, Checkpoint>,
}

impl Witness {
    /// A witness that has seen nothing, with an Ed25519 key of its own.
    #[must_use]
    pub const fn new(name: String, key: SigningKey) -> Self {
        Self { name, key, last: BTreeMap::new() }
    }

    /// The last checkpoint it cosigned of a log.
    #[must_use]
    pub fn last(&self, origin: &str) -> Option<&Checkpoint> {
        self.last.get(origin)
    }

    /// Says what it had seen before, as it was kept.
    pub fn remember(&mut self, checkpoint: Checkpoint) {
        self.last.insert(checkpoint.origin.clone(), checkpoint);
    }

    /// Its key, as readers need it in their policies.
    ///
    /// # Errors
    ///
    /// [`Error::Sign`] for a name that is none or a key that is not Ed25519.
    pub fn key(&self) -> Result<NoteKey, Error> {
        Ok(NoteKey::witness(&self.name, &self.key.verifying_key())?)
    }

    /// Cosigns a checkpoint that `log` signed and that extends the last one by `proof` (RFC 9162, 2.1.4.1; empty for a log never
    /// seen or one that did not grow). Returns the line to add to the checkpoint.
    ///
    /// # Errors
    ///
    /// [`Error::Sign`] if the log did not sign; [`Error::Tampered`] if the log was rolled back or forked, [`Error::Proof`] if the
    /// proof proves nothing. Then nothing is signed, and what was remembered stays.
    pub fn cosign(
        &mut self,
        note: &SignedNote,
        log: &NoteKey,
        proof: &[MerkleHash],
        time: Timestamp,
    ) -> Result<NoteSignature, Error> {
        let checkpoint = Checkpoint::verify(note, log.name(), log.key())?;
        if let Some(last) = self.last.get(&checkpoint.origin) {
            if checkpoint.size < last.size {
                return Err(Error::Tampered(Tampering::RolledBack {
                    size: checkpoint.size,
                    seen: last.size,
                }));
            }
            if checkpoint.size == last.size && checkpoint.root != last.root {
                return Err(Error::Tampered(Tampering::Forked { size: last.size }));
            }
            verify_consistency(last.size, checkpoint.size, proof, &last.root, &checkpoint.root).map_err(
                |source| Error::Proof {
                    what: format!("it does not extend the {} entries seen before", last.size),
                    source,
                },
            )?;
        }
        let line = note.clone().cosign(&self.name, &self.key, time.seconds().unsigned_abs())?;
        self.remember(checkpoint);
        Ok(line)
    }
}
