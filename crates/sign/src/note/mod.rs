//! Signed notes, and what is built of them: checkpoints, cosignatures, witness policies, proofs to hand out.

mod checkpoint;
mod cosignature;
mod key;
mod policy;
mod proof;

pub use self::checkpoint::Checkpoint;
pub use self::key::{NoteKey, NoteKeyKind, cosignature_key_id, note_key_id};
pub use self::policy::{WitnessPolicy, Witnessed};
pub use self::proof::TlogProof;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{Error, SigningKey, VerifyingKey};

/// Bytes of a note.
const BYTES: usize = 1 << 20;
/// Signatures on a note; the specification asks for at least 16.
const SIGNATURES: usize = 64;

/// A signed note (C2SP signed-note): text that ends in a newline, a blank line, signature lines.
///
/// A signature line names its key by a name and four bytes of key id. Lines of keys that nobody asked for are ignored. A
/// line under the name *and* id of the key that was asked for must verify, each one of them: a false one refuses the note,
/// even if a good one stands beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line of a note: who claims to have signed, and the claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

impl NoteSignature {
    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of the key's id. They are a hint: many keys can be made that have the same.
    #[must_use]
    pub const fn key_id(&self) -> [u8; 4] {
        self.id
    }

    /// The bytes behind the key id: a signature, or a time and a signature.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl SignedNote {
    /// Signs `text`, which must end in a newline, as `name`.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if text or name break the format; those of [`SigningKey::sign`].
    pub fn sign(text: &str, name: &str, key: &SigningKey) -> Result<Self, Error> {
        check_text(text)?;
        let mut note = Self { text: text.to_owned(), signatures: Vec::new() };
        note.add_signature(name, key)?;
        Ok(note)
    }

    /// Signs the same text once more, as `name`.
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign); [`Error::Limit`] over 64 signatures.
    pub fn add_signature(&mut self, name: &str, key: &SigningKey) -> Result<(), Error> {
        check_name(name)?;
        let id = short(&note_key_id(name, &key.verifying_key())?);
        let bytes = key.sign(self.text.as_bytes())?;
        self.push(NoteSignature { name: name.to_owned(), id, bytes })
    }

    /// Adds a signature line that somebody else made of the same text, unless it is there. It is not verified.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] over 64 signatures.
    pub fn add_unverified(&mut self, signature: NoteSignature) -> Result<(), Error> {
        if self.signatures.contains(&signature) { Ok(()) } else { self.push(signature) }
    }

    fn push(&mut self, signature: NoteSignature) -> Result<(), Error> {
        if self.signatures.len() >= SIGNATURES {
            return Err(Error::Limit { what: "signatures of a note", limit: SIGNATURES });
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Reads a note. Control characters, and with them `CR`, are refused, as is any base64 but the standard one.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if it is none; [`Error::Limit`] over 1 MiB or 64 signatures.
    pub fn parse(note: &str) -> Result<Self, Error> {
        if note.len() > BYTES {
            return Err(Error::Limit { what: "bytes of a note", limit: BYTES });
        }
        let (text, lines) = note
            .rsplit_once("\n\n")
            .ok_or_else(|| Error::malformed("note", "no blank line before the signatures"))?;
        let text = format!("{text}\n");
        check_text(&text)?;
        let lines = lines
            .strip_suffix('\n')
            .ok_or_else(|| Error::malformed("note", "its last signature line does not end in a newline"))?;
        let mut parsed = Self { text, signatures: Vec::new() };
        for line in lines.split('\n') {
            parsed.push(parse_signature(line)?)?;
        }
        Ok(parsed)
    }

    /// The note as text, byte for byte as it was read.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut note = format!("{}\n", self.text);
        for signature in &self.signatures {
            let bytes = [signature.id.as_slice(), &signature.bytes].concat();
            note.push_str(&format!("\u{2014} {} {}\n", signature.name, STANDARD.encode(bytes)));
        }
        note
    }

    /// The text, though nobody has verified a signature on it yet.
    #[must_use]
    pub fn unverified_text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in order.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// The text, if `key` signed it as `name`.
    ///
    /// # Errors
    ///
    /// [`Error::Signature`] if no line has the name and id of this key, or one that has does not verify.
    pub fn verify(&self, name: &str, key: &VerifyingKey) -> Result<&str, Error> {
        let id = short(&note_key_id(name, key)?);
        let lines = self.signatures.iter().filter(|line| line.name == name && line.id == id);
        self.verified(lines, key, |bytes| key.verifies(self.text.as_bytes(), bytes))?;
        Ok(&self.text)
    }

    /// The text and the name under which it is signed, if `key` signed it under the given key id, whatever the name.
    ///
    /// For logs that are known by id alone, as in a Sigstore trusted root: `id` is the beginning of the log's id.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_key_id(&self, id: [u8; 4], key: &VerifyingKey) -> Result<(&str, &str), Error> {
        let lines = self.signatures.iter().filter(|line| line.id == id);
        let line = self.verified(lines, key, |bytes| key.verifies(self.text.as_bytes(), bytes))?;
        Ok((&self.text, &line.name))
    }

    /// The first of the lines, if there is one and all of them verify.
    fn verified<'a>(
        &self,
        lines: impl Iterator<Item = &'a NoteSignature>,
        key: &VerifyingKey,
        verifies: impl Fn(&[u8]) -> bool,
    ) -> Result<&'a NoteSignature, Error> {
        let mut first = None;
        for line in lines {
            if !verifies(&line.bytes) {
                let what = "the note's line under this name and key id";
                return Err(Error::Signature { what, key: key.fingerprint().to_string() });
            }
            first = first.or(Some(line));
        }
        match first {
            Some(line) => Ok(line),
            None => Err(Error::Signature { what: "note", key: key.fingerprint().to_string() }),
        }
    }
}

fn parse_signature(line: &str) -> Result<NoteSignature, Error> {
    let fault = || Error::malformed("note", "a signature line is not: \u{2014} NAME BASE64");
    let (name, base64) =
        line.strip_prefix("\u{2014} ").and_then(|rest| rest.split_once(' ')).ok_or_else(fault)?;
    check_name(name)?;
    let bytes = decode("note signature", base64)?;
    let (id, bytes) =
        bytes.split_first_chunk::<4>().filter(|(_, bytes)| !bytes.is_empty()).ok_or_else(fault)?;
    Ok(NoteSignature { name: name.to_owned(), id: *id, bytes: bytes.to_vec() })
}

/// Base64 as notes have it: the standard alphabet, padded, in its one canonical form.
fn decode(what: &'static str, text: &str) -> Result<Vec<u8>, Error> {
    STANDARD.decode(text).map_err(|error| Error::malformed(what, format!("no base64: {error}")))
}

/// A decimal number without sign or leading zeros.
fn decimal(text: &str) -> Option<u64> {
    let plain = text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
    text.parse().ok().filter(|_| plain)
}

/// The four bytes of a key id that a signature line holds.
fn short(id: &[u8; 32]) -> [u8; 4] {
    let [a, b, c, d, ..] = *id;
    [a, b, c, d]
}

fn check_name(name: &str) -> Result<(), Error> {
    let wrong = |character: char| character.is_whitespace() || character < ' ' || character == '+';
    if name.is_empty() || name.contains(wrong) {
        let reason =
            format!("{:?} is no key name: no spaces, no plus", name.chars().take(80).collect::<String>());
        return Err(Error::malformed("note", reason));
    }
    Ok(())
}

fn check_text(text: &str) -> Result<(), Error> {
    if !text.ends_with('\n') {
        return Err(Error::malformed("note", "its text does not end in a newline"));
    }
    if text.chars().any(|character| character < ' ' && character != '\n') {
        return Err(Error::malformed("note", "its text holds control characters"));
    }
    Ok(())
}
