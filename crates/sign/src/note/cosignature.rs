use super::{Checkpoint, NoteSignature, SignedNote, check_name, cosignature_key_id, short};
use crate::{Error, SigningKey, VerifyingKey};

/// The last time that the format can hold.
const LAST: u64 = i64::MAX.unsigned_abs();

/// Witnesses (C2SP tlog-cosignature, `cosignature/v1`, Ed25519): a witness says that at a time this was the largest tree it had
/// seen of the log, and that it extends all it had seen before.
impl SignedNote {
    /// Adds a witness' cosignature to a checkpoint and returns its line, which the log adds to its own copy. `time` is in
    /// seconds since 1970.
    ///
    /// It is the witness' duty to have verified before that the checkpoint is the log's and extends the last one it saw.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if the note is no checkpoint, the name is none or the time beyond 2^63 - 1;
    /// [`Error::Unsupported`] for keys other than Ed25519; [`Error::Limit`] over 64 signatures.
    pub fn cosign(&mut self, name: &str, key: &SigningKey, time: u64) -> Result<NoteSignature, Error> {
        check_name(name)?;
        Checkpoint::parse(self.unverified_text())?;
        if time > LAST {
            return Err(Error::malformed("cosignature", "its time is beyond 2^63 - 1"));
        }
        let id = short(&cosignature_key_id(name, &key.verifying_key())?);
        let signature = key.sign(message(time, self.unverified_text()).as_bytes())?;
        let bytes = [time.to_be_bytes().as_slice(), &signature].concat();
        let line = NoteSignature { name: name.to_owned(), id, bytes };
        self.push(line.clone())?;
        Ok(line)
    }

    /// When the witness `name` cosigned this checkpoint with `key`, in seconds since 1970; the latest, if it did several times.
    ///
    /// # Errors
    ///
    /// [`Error::Signature`] if no line has the name and id of this witness, or one that has does not verify;
    /// [`Error::Malformed`] if the note is no checkpoint.
    pub fn verify_cosignature(&self, name: &str, key: &VerifyingKey) -> Result<u64, Error> {
        Checkpoint::parse(self.unverified_text())?;
        let id = short(&cosignature_key_id(name, key)?);
        let lines = || self.signatures().iter().filter(|line| line.name == name && line.id == id);
        self.verified(lines(), key, |bytes| {
            timed(bytes).is_some_and(|(time, signature)| {
                key.verifies(message(time, self.unverified_text()).as_bytes(), signature)
            })
        })?;
        Ok(lines().filter_map(|line| timed(&line.bytes)).map(|(time, _)| time).max().unwrap_or(0))
    }
}

fn timed(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (time, signature) = bytes.split_first_chunk::<8>()?;
    let time = u64::from_be_bytes(*time);
    (time <= LAST && signature.len() == 64).then_some((time, signature))
}

fn message(time: u64, checkpoint: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{checkpoint}")
}
