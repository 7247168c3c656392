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
    /// A value, as in `Value`, that also has letters and digits, and is more than one word or version.
    MixedValue,
    /// A value, not code: no number, call, path or member access.
    Value,
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
            Self::MixedValue => {
                (is_mixed(secret) && !is_code(secret) && !is_wordy(secret)).then_some(Proof::Form)
            }
            Self::Value => (!is_code(secret)).then_some(Proof::Form),
            Self::Mixed => is_mixed(secret).then_some(Proof::Form),
        }
    }
}

/// `0x80070005u32`, `std::env::var`, `config('app.key')`, `$this->token`, `request.token`, `api_token_create`: what stands there in source code.
fn is_code(value: &[u8]) -> bool {
    let number = value.strip_prefix(b"-").unwrap_or(value);
    let digits = number.first().is_some_and(u8::is_ascii_digit);
    let suffix = [b"i32".as_slice(), b"u32", b"i64", b"u64", b"usize"].iter().any(|s| number.ends_with(s));
    let hex = number.starts_with(b"0x") && number.len() <= 24;
    let word =
        value.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'\\')).count();
    let after = value.get(word..).unwrap_or_default();
    let access = [b"(".as_slice(), b"::", b"->", b"?.", b"[", b"<"].iter().any(|s| after.starts_with(s));
    let plain_number = number.iter().all(|b| b.is_ascii_digit() || matches!(b, b'_' | b'.'));
    let member =
        after.starts_with(b".") && value.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'.' | b'_'));
    let separators = value.iter().filter(|b| matches!(b, b'_' | b'-' | b'.' | b'/' | b':')).count();
    let words = separators > 0
        && [u8::is_ascii_lowercase, u8::is_ascii_uppercase]
            .iter()
            .any(|case| value.iter().all(|b| case(b) || matches!(b, b'_' | b'-' | b'.' | b'/' | b':')));
    let method = value.starts_with(b".") && value.contains(&b'(');
    (digits && suffix) || hex || words || plain_number || (word > 0 && access) || member || method
}

fn is_mixed(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_alphabetic) && value.iter().any(u8::is_ascii_digit)
}

/// Names and paths with a number in them: most parts are words of one case, and digits are few.
fn is_wordy(value: &[u8]) -> bool {
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let parts = value.split(|b| matches!(b, b'_' | b'-' | b'.' | b'/'));
    let words = parts.filter(|part| part.len() >= 3 && part.iter().all(u8::is_ascii_alphabetic)).count();
    let switches = value
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.is_ascii_digit() != b.is_ascii_digit()))
        .count();
    words >= 2 || (digits.saturating_mul(8) < value.len() && switches <= 2)
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
