#[cfg(feature = "rsa")]
use std::sync::Arc;

use lotse_digest::Digest;
use lotse_yaml::Value;

use super::canonical::canonical;
use super::fields::{array, member, object, positive, text};
use super::{Limits, Refusal, Rule};
use crate::{Scheme, VerifyingKey, encoding};

/// DER of an Ed25519 `SubjectPublicKeyInfo` before the 32 bytes of the key.
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A key of a role.
#[derive(Clone, Debug)]
pub(super) struct Key {
    key: VerifyingKey,
    #[cfg(feature = "rsa")]
    rsa: Option<Arc<rsa::RsaPublicKey>>,
}

/// The keys of a role and how many must sign. A key that cannot be used says why, and counts for nothing.
#[derive(Clone, Debug)]
pub(super) struct RoleKeys {
    keys: Vec<(String, Result<Key, String>)>,
    threshold: usize,
}

/// Every key of a document, by id.
pub(super) type Keys = std::collections::BTreeMap<String, Result<Key, String>>;

impl Key {
    /// Reads a key (specification, 4.2.2). The id must be the SHA-256 of its canonical form.
    fn parse(id: &str, value: &Value) -> Result<Self, String> {
        if Digest::sha256(&canonical(value)?).encoded() != id {
            return Err("its id is not the SHA-256 of its canonical form".to_owned());
        }
        let kind = text(value, "key", "keytype")?;
        let scheme = text(value, "key", "scheme")?;
        let public = text(member(value, "key", "keyval")?, "keyval", "public")?;
        let expected = match (kind, scheme) {
            ("ed25519", "ed25519") => Scheme::Ed25519,
            // The longer names are what older repositories, Sigstore's among them, call the kind.
            ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => Scheme::EcdsaP256Sha256,
            ("ecdsa" | "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384") => Scheme::EcdsaP384Sha384,
            ("rsa", "rsassa-pss-sha256") => Scheme::RsaPkcs1Sha256,
            _ => return Err(format!("keys of type {kind:?} with scheme {scheme:?} are not read")),
        };
        let key = match expected {
            Scheme::Ed25519 => {
                let raw = encoding::hexadecimal(public).filter(|raw| raw.len() == 32);
                let raw = raw.ok_or("an Ed25519 key is 64 hexadecimal digits")?;
                VerifyingKey::from_der(&[&ED25519_SPKI[..], &raw].concat())
            }
            _ => VerifyingKey::from_pem(public),
        }
        .map_err(|error| error.to_string())?;
        if key.scheme() != expected {
            return Err(format!("its scheme is {scheme}, but the key is {}", key.scheme()));
        }
        Ok(Self {
            #[cfg(feature = "rsa")]
            rsa: match expected {
                Scheme::RsaPkcs1Sha256 => Some(Arc::new(rsa_key(&key)?)),
                _ => None,
            },
            key,
        })
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        #[cfg(feature = "rsa")]
        if let Some(key) = &self.rsa {
            // Whatever the length of the salt, as the reference implementation has it.
            let padding = rsa::Pss { blinded: false, digest: sha2::Sha256::default(), salt_len: None };
            return key.verify(padding, Digest::sha256(message).as_bytes(), signature).is_ok();
        }
        self.key.verifies(message, signature)
    }
}

#[cfg(feature = "rsa")]
fn rsa_key(key: &VerifyingKey) -> Result<rsa::RsaPublicKey, String> {
    use rsa::pkcs8::DecodePublicKey as _;
    rsa::RsaPublicKey::from_public_key_der(key.as_der()).map_err(|error| error.to_string())
}

/// The member `keys` of a document.
pub(super) fn keys(value: &Value, at: &str, limits: &Limits) -> Result<Keys, String> {
    let map = object(value, at)?;
    // A role has so many at most, and a document four roles or as many as it delegates to.
    if map.len() > limits.entries.saturating_mul(4) {
        return Err(format!("{at} has {} keys; {} are read", map.len(), limits.entries.saturating_mul(4)));
    }
    Ok(map.iter().map(|(id, key)| (id.to_owned(), Key::parse(id, key))).collect())
}

impl RoleKeys {
    /// Reads `keyids` and `threshold`.
    pub(super) fn parse(value: &Value, at: &str, keys: &Keys, limits: &Limits) -> Result<Self, String> {
        let mut found: Vec<(String, Result<Key, String>)> = Vec::new();
        let ids = array(member(value, at, "keyids")?, &format!("{at}.keyids"))?;
        if ids.len() > limits.entries {
            return Err(format!("{at}.keyids has {} entries; {} are read", ids.len(), limits.entries));
        }
        let mut seen = std::collections::BTreeSet::new();
        for id in ids {
            let id = id.as_str().ok_or_else(|| format!("{at}.keyids has an entry that is no string"))?;
            if !seen.insert(id) {
                return Err(format!("{at}.keyids names {id:.16} twice"));
            }
            let key = keys.get(id).cloned().unwrap_or_else(|| Err("the key is not given".to_owned()));
            found.push((id.to_owned(), key));
        }
        let threshold = positive(value, at, "threshold")?;
        Ok(Self { keys: found, threshold: usize::try_from(threshold).unwrap_or(usize::MAX) })
    }

    /// Whether a key that was trusted for the role before is trusted no more.
    pub(super) fn lost_since(&self, before: &Self) -> bool {
        before.keys.iter().any(|(id, _)| !self.keys.iter().any(|(other, _)| other == id))
    }

    /// Holds if a threshold of different keys has signed. Two ids of one key count once.
    pub(super) fn check(
        &self,
        role: &str,
        version: u64,
        message: &[u8],
        signatures: &[(String, Vec<u8>)],
    ) -> Result<(), Refusal> {
        let mut signed: Vec<&VerifyingKey> = Vec::new();
        let mut missing = Vec::new();
        for (id, key) in &self.keys {
            let signature = signatures.iter().find(|(other, _)| other == id);
            match (key, signature) {
                (Ok(key), Some((_, signature))) if key.verifies(message, signature) => {
                    if !signed.contains(&&key.key) {
                        signed.push(&key.key);
                    }
                    if signed.len() >= self.threshold {
                        return Ok(());
                    }
                }
                (Ok(_), Some(_)) => missing.push(format!("the signature by {id:.16} is false")),
                (Ok(_), None) => missing.push(format!("none by {id:.16}")),
                (Err(reason), _) => missing.push(format!("key {id:.16} cannot be used: {reason}")),
            }
        }
        let (signed, threshold) = (signed.len(), self.threshold);
        missing.truncate(8);
        let reason = format!("{signed} of {threshold} keys have signed it ({})", missing.join(", "));
        Err(Refusal::new(role, Some(version), Rule::Signatures, reason))
    }
}
