//! Offline checks of a secret beyond its form.

use crate::finding::Proof;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// What must hold beyond the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Nothing more.
    None,
    /// The last six characters are the CRC-32 of the rest after the prefix, in base 62 (GitHub, npm).
    Crc32Base62 { prefix: usize },
    /// Three base64url segments whose first two are JSON objects, the first naming `alg`.
    Jwt,
    /// Base64 of exactly so many bytes.
    Base64 { bytes: &'static [usize] },
    /// Base64 of `user:password`.
    BasicAuth,
    /// At least one letter and one digit.
    Mixed,
}

impl Check {
    /// `None` if the secret fails the check.
    pub(crate) fn apply(self, secret: &[u8]) -> Option<Proof> {
        match self {
            Self::None => Some(Proof::Form),
            Self::Crc32Base62 { prefix } => crc_is_right(secret, prefix).then_some(Proof::Checksum),
            Self::Jwt => is_jwt(secret).then_some(Proof::Structure),
            Self::Base64 { bytes } => {
                let body = secret.strip_prefix(b"base64:").unwrap_or(secret);
                let length = STANDARD.decode(body).ok()?.len();
                bytes.contains(&length).then_some(Proof::Structure)
            }
            Self::BasicAuth => {
                let text = STANDARD.decode(secret).ok()?;
                let colon = text.iter().position(|b| *b == b':')?;
                let password = text.get(colon.checked_add(1)?..)?;
                let graphic = text.iter().all(|b| b.is_ascii_graphic());
                (graphic && colon > 0 && password.len() >= 4 && !super::is_placeholder(password))
                    .then_some(Proof::Structure)
            }
            Self::Mixed => {
                let letter = secret.iter().any(u8::is_ascii_alphabetic);
                (letter && secret.iter().any(u8::is_ascii_digit)).then_some(Proof::Form)
            }
        }
    }
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn crc_is_right(secret: &[u8], prefix: usize) -> bool {
    let Some((_, body)) = secret.split_at_checked(prefix) else { return false };
    let Some((random, sum)) = body.len().checked_sub(6).and_then(|at| body.split_at_checked(at)) else {
        return false;
    };
    let mut rest = crc32fast::hash(random);
    let mut expected = [b'0'; 6];
    for slot in expected.iter_mut().rev() {
        let digit = usize::try_from(rest % 62).unwrap_or(0);
        *slot = BASE62.get(digit).copied().unwrap_or(b'0');
        rest /= 62;
    }
    expected == sum
}

fn is_jwt(secret: &[u8]) -> bool {
    let mut parts = secret.split(|b| *b == b'.');
    let object = |part: Option<&[u8]>| part.and_then(|p| URL_SAFE_NO_PAD.decode(p).ok());
    let (Some(header), Some(payload)) = (object(parts.next()), object(parts.next())) else { return false };
    let is_object = |json: &[u8]| {
        let json = json.trim_ascii();
        json.starts_with(b"{") && json.ends_with(b"}")
    };
    let names_alg = header.windows(5).any(|w| w == b"\"alg\"");
    is_object(&header) && names_alg && is_object(&payload)
}
