//! cosign's encrypted private keys: PKCS#8 in NaCl's secretbox (XSalsa20, Poly1305) under a key that scrypt makes of the password.

use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit as _;
use salsa20::XSalsa20;
use salsa20::cipher::{KeyIvInit as _, StreamCipher as _};
use serde::{Deserialize, Serialize};

use super::pem;
use crate::proto::Bytes;
use crate::{Error, SigningKey};

const LABEL: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";
const OLD_LABEL: &str = "ENCRYPTED COSIGN PRIVATE KEY";
/// What cosign writes: 2^16 rounds of 8 blocks.
const LOG_N: u8 = 16;
const R: u32 = 8;
const P: u32 = 1;
/// scrypt takes 128 * N * r bytes: 256 MiB at most.
const MOST: u64 = 2 << 20;
const TAG: usize = 16;

#[derive(Serialize, Deserialize)]
struct Wire {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: Bytes,
}

#[derive(Serialize, Deserialize)]
struct Kdf {
    name: String,
    params: Params,
    salt: Bytes,
}

#[derive(Serialize, Deserialize)]
struct Params {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Serialize, Deserialize)]
struct Cipher {
    name: String,
    nonce: Bytes,
}

impl SigningKey {
    /// Reads a private key as `cosign generate-key-pair` and `cosign import-key-pair` write it, with its password.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] for a wrong password or what is no such key; [`Error::Limit`] for a key that asks scrypt for more than
    /// 256 MiB.
    pub fn from_encrypted_pem(text: &str, password: &[u8]) -> Result<Self, Error> {
        let block = pem::single(text).map_err(|error| fault(error.to_string()))?;
        if block.label != LABEL && block.label != OLD_LABEL {
            return Err(fault(format!("the PEM is of type {:?}, not {LABEL:?}", block.label)));
        }
        let wire: Wire = serde_json::from_slice(&block.bytes).map_err(|error| fault(error.to_string()))?;
        if wire.kdf.name != "scrypt" || wire.cipher.name != "nacl/secretbox" {
            let names = format!("{} and {}", wire.kdf.name, wire.cipher.name);
            return Err(fault(format!("it is encrypted with {names}, not with scrypt and nacl/secretbox")));
        }
        let Params { n, r, p } = wire.kdf.params;
        if n.checked_mul(u64::from(r)).is_none_or(|work| work > MOST) || p > 4 {
            return Err(Error::Limit { what: "N times r of an encrypted key", limit: 2 << 20 });
        }
        let log_n = u8::try_from(n.trailing_zeros()).ok().filter(|_| n.is_power_of_two());
        let log_n = log_n.ok_or_else(|| fault("scrypt's N is no power of two"))?;
        let key = derive(password, &wire.kdf.salt.0, (log_n, r, p))?;
        let der = open(&key, &wire.cipher.nonce.0, &wire.ciphertext.0)
            .ok_or_else(|| fault("the password is wrong, or the key was changed"))?;
        Self::from_pkcs8(&der)
    }

    /// The key as cosign reads it. Salt and nonce must be fresh random bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] if the key cannot be encoded.
    pub fn to_encrypted_pem(
        &self,
        password: &[u8],
        salt: &[u8; 32],
        nonce: &[u8; 24],
    ) -> Result<String, Error> {
        let der = pem::single(&self.to_pem()?)?.bytes;
        let key = derive(password, salt, (LOG_N, R, P))?;
        let wire = Wire {
            kdf: Kdf {
                name: "scrypt".to_owned(),
                params: Params { n: 1 << LOG_N, r: R, p: P },
                salt: Bytes(salt.to_vec()),
            },
            cipher: Cipher { name: "nacl/secretbox".to_owned(), nonce: Bytes(nonce.to_vec()) },
            ciphertext: Bytes(seal(&key, nonce, der)),
        };
        let json = serde_json::to_vec(&wire).map_err(|error| fault(error.to_string()))?;
        Ok(pem::write(LABEL, &json))
    }
}

fn derive(password: &[u8], salt: &[u8], (log_n, r, p): (u8, u32, u32)) -> Result<[u8; 32], Error> {
    let params = scrypt::Params::new(log_n, r, p).map_err(|error| fault(format!("scrypt: {error}")))?;
    let mut key = [0; 32];
    scrypt::scrypt(password, salt, &params, &mut key).map_err(|error| fault(format!("scrypt: {error}")))?;
    Ok(key)
}

/// The cipher behind the first block, and the authenticator that the first half of that block keys.
fn secretbox(key: &[u8; 32], nonce: &[u8; 24]) -> (XSalsa20, Poly1305) {
    let mut cipher = XSalsa20::new(&(*key).into(), &(*nonce).into());
    let mut first = [0; 32];
    cipher.apply_keystream(&mut first);
    (cipher, Poly1305::new(&first.into()))
}

fn seal(key: &[u8; 32], nonce: &[u8; 24], mut message: Vec<u8>) -> Vec<u8> {
    let (mut cipher, authenticator) = secretbox(key, nonce);
    cipher.apply_keystream(&mut message);
    let tag = authenticator.compute_unpadded(&message);
    [tag.as_slice(), &message].concat()
}

fn open(key: &[u8; 32], nonce: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (tag, message) = sealed.split_at_checked(TAG)?;
    let (mut cipher, authenticator) = secretbox(key, nonce.try_into().ok()?);
    if authenticator.compute_unpadded(message).as_slice() != tag {
        return None;
    }
    let mut message = message.to_vec();
    cipher.apply_keystream(&mut message);
    Some(message)
}

fn fault(reason: impl Into<String>) -> Error {
    Error::Key { what: "private key", reason: reason.into() }
}
