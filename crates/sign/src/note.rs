use lotse_digest::{Algorithm, Digest, MerkleHash};

use crate::{Error, SigningKey, VerifyingKey, encoding};

/// Bytes of a note, and signatures on it.
const BYTES: usize = 1 << 20;
const SIGNATURES: usize = 64;

/// A signed note (C2SP signed-note v1.0.0): text that ends in a newline, a blank line, signature lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct NoteSignature {
    name: String,
    /// Four bytes of key id, then the signature.
    bytes: Vec<u8>,
}

impl SignedNote {
    /// Signs `text`, which must end in a newline, as `name`.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if text or name break the format; those of [`SigningKey::sign`].
    pub fn sign(text: &str, name: &str, key: &SigningKey) -> Result<Self, Error> {
        check_text(text)?;
        if name.is_empty() || name.contains(|character: char| character.is_whitespace() || character == '+') {
            return Err(Error::malformed("note", format!("{name:?} is no key name: no spaces, no plus")));
        }
        let mut bytes = key_id(name, &key.verifying_key())?.to_vec();
        bytes.extend_from_slice(&key.sign(text.as_bytes())?);
        Ok(Self { text: text.to_owned(), signatures: vec![NoteSignature { name: name.to_owned(), bytes }] })
    }

    /// Reads a note.
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
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == SIGNATURES {
                return Err(Error::Limit { what: "signatures of a note", limit: SIGNATURES });
            }
            let fault = || Error::malformed("note", "a signature line is not: \u{2014} NAME BASE64");
            let (name, base64) =
                line.strip_prefix("\u{2014} ").and_then(|rest| rest.split_once(' ')).ok_or_else(fault)?;
            let bytes = encoding::decode("note signature", base64)?;
            if name.is_empty() || bytes.len() < 5 {
                return Err(fault());
            }
            signatures.push(NoteSignature { name: name.to_owned(), bytes });
        }
        Ok(Self { text, signatures })
    }

    /// The note as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut note = format!("{}\n", self.text);
        for signature in &self.signatures {
            note.push_str(&format!("\u{2014} {} {}\n", signature.name, encoding::encode(&signature.bytes)));
        }
        note
    }

    /// The text, if `key` signed it as `name`. A false signature under that name and key id refuses the note.
    ///
    /// # Errors
    ///
    /// [`Error::Signature`].
    pub fn verify(&self, name: &str, key: &VerifyingKey) -> Result<&str, Error> {
        let id = key_id(name, key)?;
        let mut ours = self.signatures.iter().filter_map(|signature| {
            let (given, bytes) = signature.bytes.split_at_checked(4)?;
            (signature.name == name && given == id).then_some(bytes)
        });
        let verified = match ours.next() {
            Some(first) => {
                key.verifies(self.text.as_bytes(), first)
                    && ours.all(|bytes| key.verifies(self.text.as_bytes(), bytes))
            }
            None => false,
        };
        if verified {
            Ok(&self.text)
        } else {
            Err(Error::Signature { what: "note", key: key.fingerprint().to_string() })
        }
    }
}

/// A checkpoint (C2SP tlog-checkpoint): which log, how many entries, which root.
///
/// ```
/// use lotse_sign::Checkpoint;
/// let text = "log.example/releases\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n";
/// let checkpoint = Checkpoint::parse(text)?;
/// assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("log.example/releases", 1));
/// assert_eq!(checkpoint.to_text(), text);
/// # Ok::<(), lotse_sign::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log, which is also the name of its key.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// The root over them (RFC 6962).
    pub root: MerkleHash,
}

impl Checkpoint {
    /// Reads the body of a checkpoint. Extension lines are refused: this version has no use for them.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let fault = |reason: &str| Error::malformed("checkpoint", reason);
        let body = text.strip_suffix('\n').ok_or_else(|| fault("it does not end in a newline"))?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(fault("it must have three lines: origin, size, root"));
        };
        if origin.is_empty() {
            return Err(fault("its origin is empty"));
        }
        let plain = size == "0" || (!size.starts_with('0') && size.bytes().all(|byte| byte.is_ascii_digit()));
        let size =
            size.parse().ok().filter(|_| plain).ok_or_else(|| fault("its size is no decimal number"))?;
        let bytes = encoding::decode("checkpoint's root", root)?;
        let root = MerkleHash::try_from(bytes.as_slice()).map_err(|_| fault("its root has not 32 bytes"))?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// The body of the checkpoint.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, encoding::encode(&self.root))
    }

    /// Signs the checkpoint in the name of its log.
    ///
    /// # Errors
    ///
    /// Those of [`SignedNote::sign`].
    pub fn sign(&self, key: &SigningKey) -> Result<SignedNote, Error> {
        SignedNote::sign(&self.to_text(), &self.origin, key)
    }

    /// The checkpoint in a note, if the log named `origin` signed it with `key`.
    ///
    /// # Errors
    ///
    /// Those of [`SignedNote::verify`] and [`parse`](Self::parse); [`Error::Mismatch`] for another log's checkpoint.
    pub fn verify(note: &SignedNote, origin: &str, key: &VerifyingKey) -> Result<Self, Error> {
        let checkpoint = Self::parse(note.verify(origin, key)?)?;
        if checkpoint.origin != origin {
            let (expected, actual) = (origin.to_owned(), checkpoint.origin);
            return Err(Error::Mismatch { what: "origin of the checkpoint", expected, actual });
        }
        Ok(checkpoint)
    }
}

/// Ed25519: `SHA-256(name || 0x0A || 0x01 || key)[:4]`; ECDSA: `SHA-256(SPKI)[:4]`.
fn key_id(name: &str, key: &VerifyingKey) -> Result<[u8; 4], Error> {
    let digest = match key.ed25519_bytes() {
        Some(raw) => Digest::of(Algorithm::Sha256, &[name.as_bytes(), b"\n\x01", &raw].concat()),
        None => key.fingerprint(),
    };
    let mut id = [0; 4];
    for (to, from) in id.iter_mut().zip(digest.as_bytes()) {
        *to = *from;
    }
    Ok(id)
}

fn check_text(text: &str) -> Result<(), Error> {
    if !text.ends_with('\n') {
        return Err(Error::malformed("note", "its text does not end in a newline"));
    }
    if text.chars().any(|character| character.is_ascii_control() && character != '\n') {
        return Err(Error::malformed("note", "its text holds control characters"));
    }
    Ok(())
}
