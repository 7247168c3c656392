use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lotse_digest::{Algorithm, Digest};

use super::{check_name, decode, short};
use crate::{Error, VerifyingKey};

/// Signature types of C2SP signed-note.
const ED25519: u8 = 1;
const ECDSA: u8 = 2;
const COSIGNATURE: u8 = 4;
const ML_DSA: u8 = 6;
const OTHER: u8 = 0xff;

/// DER of an Ed25519 `SubjectPublicKeyInfo` before the 32 bytes of the key.
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// `rsaEncryption` and `id-ecPublicKey` in DER.
const RSA_OID: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC_OID: [u8; 9] = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// The id of a key that signs notes under a name, in full; signature lines hold its first four bytes, and Rekor v2 calls the
/// whole of it the log's id.
///
/// Ed25519: `SHA-256(name || 0x0A || 0x01 || key)`. ECDSA: `SHA-256(SPKI)`, without the name. RSA, as Sigstore has it:
/// `SHA-256(name || 0x0A || 0xFF || "PKIX-RSA-PKCS#1v1.5" || SPKI)`.
///
/// # Errors
///
/// [`Error::Key`] if the key cannot be encoded, [`Error::Unsupported`] for other kinds of keys.
pub fn note_key_id(name: &str, key: &VerifyingKey) -> Result<[u8; 32], Error> {
    id_of_spki(name, key.as_der())
}

/// The id of a key that cosigns checkpoints under a name (C2SP tlog-cosignature, Ed25519):
/// `SHA-256(name || 0x0A || 0x04 || key)`.
///
/// # Errors
///
/// [`Error::Unsupported`] for keys other than Ed25519.
pub fn cosignature_key_id(name: &str, key: &VerifyingKey) -> Result<[u8; 32], Error> {
    Ok(sha256(&[name.as_bytes(), &[b'\n', COSIGNATURE], &ed25519(key)?]))
}

/// What the signatures of a key in a note mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NoteKeyKind {
    /// A signature over the text (types 0x01 and 0x02).
    Note,
    /// A witness' cosignature with its time (type 0x04).
    Cosignature,
}

/// A key with the name it signs notes under (C2SP signed-note, verifier keys): `NAME+ID+BASE64`.
///
/// ```
/// use lotse_sign::NoteKey;
/// let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
/// let key: NoteKey = text.parse()?;
/// assert_eq!((key.name(), key.key_id()), ("PeterNeumann", [0xc7, 0x4f, 0x20, 0xa3]));
/// assert_eq!(key.to_string(), text);
/// # Ok::<(), lotse_sign::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    kind: NoteKeyKind,
    id: [u8; 4],
    key: VerifyingKey,
    /// Type byte and key, as they are written.
    wire: Vec<u8>,
}

impl NoteKey {
    /// The key of a log, or of whoever signs notes.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for a name that is none; those of [`note_key_id`].
    pub fn signer(name: &str, key: &VerifyingKey) -> Result<Self, Error> {
        check_name(name)?;
        let der = key.as_der();
        let wire = match raw_ed25519(der) {
            Some(raw) => [&[ED25519], raw].concat(),
            None if algorithm(der).is_some_and(|oid| oid.starts_with(&EC_OID)) => [&[ECDSA], der].concat(),
            None => return Err(unsupported("a verifier key of this kind")),
        };
        let id = short(&note_key_id(name, key)?);
        Ok(Self { name: name.to_owned(), kind: NoteKeyKind::Note, id, key: key.clone(), wire })
    }

    /// The key of a witness, Ed25519.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for a name that is none; those of [`cosignature_key_id`].
    pub fn witness(name: &str, key: &VerifyingKey) -> Result<Self, Error> {
        check_name(name)?;
        let wire = [&[COSIGNATURE], ed25519(key)?.as_slice()].concat();
        let id = short(&cosignature_key_id(name, key)?);
        Ok(Self { name: name.to_owned(), kind: NoteKeyKind::Cosignature, id, key: key.clone(), wire })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of the key's id.
    #[must_use]
    pub const fn key_id(&self) -> [u8; 4] {
        self.id
    }

    /// What its signatures mean.
    #[must_use]
    pub const fn kind(&self) -> NoteKeyKind {
        self.kind
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }
}

impl std::str::FromStr for NoteKey {
    type Err = Error;

    /// Reads a verifier key.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if it is none or its id is not that of its key; [`Error::Unsupported`] for other signature types,
    /// such as ML-DSA-44.
    fn from_str(text: &str) -> Result<Self, Error> {
        let fault = |reason: &str| Error::malformed("verifier key", reason);
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(base64)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(fault("it is not NAME+ID+BASE64"));
        };
        check_name(name)?;
        let wire = decode("verifier key", base64)?;
        let (&kind, key) = wire.split_first().ok_or_else(|| fault("it is empty"))?;
        let parsed = match kind {
            ED25519 | COSIGNATURE if key.len() != 32 => return Err(fault("an Ed25519 key has 32 bytes")),
            ED25519 => Self::signer(name, &from_der(&[&ED25519_SPKI, key].concat())?)?,
            COSIGNATURE => Self::witness(name, &from_der(&[&ED25519_SPKI, key].concat())?)?,
            ECDSA => Self::signer(name, &from_der(key)?)?,
            ML_DSA => return Err(unsupported("a verifier key of type 0x06 (ML-DSA-44)")),
            other => return Err(unsupported(&format!("a verifier key of type {other:#04x}"))),
        };
        if parsed.wire != wire {
            return Err(fault("its type is not that of its key"));
        }
        if id != hexadecimal(parsed.id) {
            return Err(fault(&format!("its id is {id:?}, that of its key is {}", hexadecimal(parsed.id))));
        }
        Ok(parsed)
    }
}

impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}+{}", self.name, hexadecimal(self.id), STANDARD.encode(&self.wire))
    }
}

fn hexadecimal(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

fn unsupported(what: &str) -> Error {
    Error::Unsupported { what: what.to_owned(), advice: "use an Ed25519 key (type 0x01, for witnesses 0x04)" }
}

pub(super) fn ed25519(key: &VerifyingKey) -> Result<[u8; 32], Error> {
    key.ed25519_bytes().ok_or_else(|| unsupported("a cosignature by another key than Ed25519"))
}

fn raw_ed25519(der: &[u8]) -> Option<&[u8]> {
    der.strip_prefix(&ED25519_SPKI).filter(|raw| raw.len() == 32)
}

fn id_of_spki(name: &str, der: &[u8]) -> Result<[u8; 32], Error> {
    if let Some(raw) = raw_ed25519(der) {
        return Ok(sha256(&[name.as_bytes(), &[b'\n', ED25519], raw]));
    }
    match algorithm(der) {
        Some(oid) if oid.starts_with(&EC_OID) => Ok(sha256(&[der])),
        Some(oid) if oid.starts_with(&RSA_OID) => {
            Ok(sha256(&[name.as_bytes(), &[b'\n', OTHER], b"PKIX-RSA-PKCS#1v1.5", der]))
        }
        _ => Err(unsupported("a note signed by a key of this kind")),
    }
}

/// What stands in a `SubjectPublicKeyInfo` from the algorithm's identifier on: behind the headers of two sequences.
fn algorithm(der: &[u8]) -> Option<&[u8]> {
    sequence(sequence(der)?)
}

fn sequence(der: &[u8]) -> Option<&[u8]> {
    let (&length, rest) = der.strip_prefix(&[0x30])?.split_first()?;
    let more = if length < 0x80 { 0 } else { usize::from(length & 0x7f) };
    rest.get(more..)
}

fn from_der(der: &[u8]) -> Result<VerifyingKey, Error> {
    let pem =
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", wrapped(&STANDARD.encode(der)));
    VerifyingKey::from_pem(&pem)
}

/// PEM has 64 characters on a line.
fn wrapped(base64: &str) -> String {
    let lines: Vec<String> =
        base64.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    lines.join("\n")
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(Digest::of(Algorithm::Sha256, &parts.concat()).as_bytes()) {
        *to = *from;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_an_rsa_key_is_sigstores() {
        // The headers of an RSA key's SPKI are enough: the rest is hashed as it is. Expected by hashlib:
        // sha256(b"log" + b"\n\xff" + b"PKIX-RSA-PKCS#1v1.5" + der).
        let der = [&[0x30, 0x82, 0x01, 0x22, 0x30, 0x0d][..], &RSA_OID, &[5, 0, 3, 1, 0]].concat();
        let id = id_of_spki("log", &der).unwrap();
        assert_eq!(hexadecimal(short(&id)), "bfddff81");
        let other = [&[0x30, 0x10, 0x30, 0x05][..], &[0x06, 0x03, 0x2b, 0x65, 0x71, 0x03]].concat();
        assert!(matches!(id_of_spki("log", &other), Err(Error::Unsupported { .. })), "Ed448");
        assert!(id_of_spki("log", &[0x30]).is_err() && id_of_spki("log", &[]).is_err());
    }
}
