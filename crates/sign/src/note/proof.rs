use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lotse_digest::{MerkleHash, MerkleTree, verify_inclusion};

use super::{Checkpoint, SignedNote, WitnessPolicy, decimal, decode};
use crate::{Error, VerifyingKey};

const MAGIC: &str = "c2sp.org/tlog-proof@v1";
/// Hashes of an inclusion proof: as many as a tree of 2^64 leaves is high.
const HASHES: usize = 64;
const EXTRA: usize = 1 << 16;

/// The proof that an entry is in a log, to hand out (C2SP tlog-proof): offline, in text, a few hundred bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    index: u64,
    hashes: Vec<MerkleHash>,
    checkpoint: SignedNote,
    extra: Option<Vec<u8>>,
}

impl TlogProof {
    /// A proof that leads from the entry at `index` over `hashes`, leaf to root, to a checkpoint.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] over 64 hashes.
    pub fn new(index: u64, hashes: Vec<MerkleHash>, checkpoint: SignedNote) -> Result<Self, Error> {
        if hashes.len() > HASHES {
            return Err(Error::Limit { what: "hashes of an inclusion proof", limit: HASHES });
        }
        Ok(Self { index, hashes, checkpoint, extra: None })
    }

    /// The same proof with data beside it, which nothing authenticates.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] over 65,536 bytes.
    pub fn with_unauthenticated_extra(mut self, extra: Vec<u8>) -> Result<Self, Error> {
        if extra.len() > EXTRA {
            return Err(Error::Limit { what: "extra bytes of a log proof", limit: EXTRA });
        }
        self.extra = Some(extra);
        Ok(self)
    }

    /// Reads a proof.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if it is none, [`Error::Limit`] over 64 hashes or 65,536 extra bytes.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let fault = |reason: &str| Error::malformed("log proof", reason);
        let (head, checkpoint) = text.split_once("\n\n").ok_or_else(|| fault("it has no blank line"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(MAGIC) {
            return Err(fault("its first line is not c2sp.org/tlog-proof@v1"));
        }
        let extra = match lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            Some(base64) if base64.len() > EXTRA * 2 => {
                return Err(Error::Limit { what: "extra bytes of a log proof", limit: EXTRA });
            }
            Some(base64) => Some(decode("log proof's extra data", base64)?),
            None => None,
        };
        if extra.is_some() {
            lines.next();
        }
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(decimal);
        let index = index.ok_or_else(|| fault("it has no line \"index NUMBER\" where it must stand"))?;
        let mut hashes = Vec::new();
        for line in lines {
            if hashes.len() == HASHES {
                return Err(Error::Limit { what: "hashes of an inclusion proof", limit: HASHES });
            }
            let hash = decode("log proof's hash", line)?;
            hashes.push(MerkleHash::try_from(hash.as_slice()).map_err(|_| fault("a hash has not 32 bytes"))?);
        }
        let proof = Self::new(index, hashes, SignedNote::parse(checkpoint)?)?;
        match extra {
            Some(extra) => proof.with_unauthenticated_extra(extra),
            None => Ok(proof),
        }
    }

    /// The proof as text, byte for byte as it was read.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{MAGIC}\n");
        if let Some(extra) = &self.extra {
            text.push_str(&format!("extra {}\n", STANDARD.encode(extra)));
        }
        text.push_str(&format!("index {}\n", self.index));
        for hash in &self.hashes {
            text.push_str(&STANDARD.encode(hash));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.checkpoint.to_text());
        text
    }

    /// The place of the entry, 0 for the first.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The hashes from the leaf's sibling to the root's child.
    #[must_use]
    pub fn hashes(&self) -> &[MerkleHash] {
        &self.hashes
    }

    /// The checkpoint the proof leads to, with its signatures, none of them verified.
    #[must_use]
    pub const fn unverified_checkpoint(&self) -> &SignedNote {
        &self.checkpoint
    }

    /// The data beside the proof, which nothing authenticates.
    #[must_use]
    pub fn unauthenticated_extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// That `entry` is in the log named `origin`, by a checkpoint which `key` signed. Witnesses are not asked for.
    ///
    /// # Errors
    ///
    /// Those of [`Checkpoint::verify`]; [`Error::Mismatch`] if the hashes lead elsewhere.
    pub fn verify(&self, entry: &[u8], origin: &str, key: &VerifyingKey) -> Result<Checkpoint, Error> {
        let checkpoint = Checkpoint::verify(&self.checkpoint, origin, key)?;
        self.leads_to(entry, &checkpoint)?;
        Ok(checkpoint)
    }

    /// That `entry` is in a log that the policy lists, by a checkpoint that its quorum of witnesses cosigned.
    ///
    /// # Errors
    ///
    /// Those of [`WitnessPolicy::verify`]; [`Error::Mismatch`] if the hashes lead elsewhere.
    pub fn verify_witnessed(&self, entry: &[u8], policy: &WitnessPolicy) -> Result<Checkpoint, Error> {
        let checkpoint = policy.verify(&self.checkpoint)?.checkpoint;
        self.leads_to(entry, &checkpoint)?;
        Ok(checkpoint)
    }

    fn leads_to(&self, entry: &[u8], checkpoint: &Checkpoint) -> Result<(), Error> {
        let leaf = MerkleTree::leaf_hash(entry);
        verify_inclusion(&leaf, self.index, checkpoint.size, &self.hashes, &checkpoint.root).map_err(
            |error| Error::Mismatch {
                what: "inclusion proof",
                expected: format!(
                    "entry {} of the {} under the checkpoint's root",
                    self.index, checkpoint.size
                ),
                actual: error.to_string(),
            },
        )
    }
}
