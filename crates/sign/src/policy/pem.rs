//! Public keys in PEM as Go reads them: the first block counts, text before it does not matter.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::VerifyingKey;

/// The first block of a text: its label and its bytes.
pub(crate) fn first_block(text: &str) -> Option<(&str, Vec<u8>)> {
    let mut rest = text;
    loop {
        let at = if rest.starts_with("-----BEGIN ") { 0 } else { rest.find("\n-----BEGIN ")? + 1 };
        let inside = rest.get(at + "-----BEGIN ".len()..)?;
        if let Some(block) = block(inside) {
            return Some(block);
        }
        rest = inside;
    }
}

fn block(inside: &str) -> Option<(&str, Vec<u8>)> {
    let (label, body) = inside.split_once("-----")?;
    if label.contains('\n') {
        return None;
    }
    let (first, body) = body.split_once('\n')?;
    if !first.trim().is_empty() {
        return None;
    }
    let end = format!("-----END {label}-----");
    let at = if body.starts_with(&end) { 0 } else { body.find(&format!("\n{end}"))? };
    let mut data = body.get(..at)?;
    // Headers (`Key: value`) up to an empty line.
    while let Some((line, after)) = data.split_once('\n')
        && line.contains(':')
    {
        data = after;
    }
    let text: String = data.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    STANDARD.decode(text).ok().map(|bytes| (label, bytes))
}

/// Whether cosign's `UnmarshalPEMToPublicKey` takes the text.
pub(crate) fn is_public_key(text: &str) -> bool {
    match first_block(text) {
        Some(("PUBLIC KEY", der)) => is_spki(&der),
        Some(("RSA PUBLIC KEY", der)) => is_rsa(&der),
        _ => false,
    }
}

/// The first key of a text, if it is of a kind that this crate verifies with.
pub(crate) fn verifying_key(text: &str) -> Option<VerifyingKey> {
    let (label, der) = first_block(text)?;
    if label == "PUBLIC KEY" { VerifyingKey::from_der(&der).ok() } else { None }
}

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const X25519: &[u8] = &[0x2b, 0x65, 0x6e];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// Curves by object identifier, with the length of an uncompressed point.
const CURVES: [(&[u8], usize); 4] = [
    (&[0x2b, 0x81, 0x04, 0x00, 0x21], 57),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], 65),
    (&[0x2b, 0x81, 0x04, 0x00, 0x22], 97),
    (&[0x2b, 0x81, 0x04, 0x00, 0x23], 133),
];

/// A `SubjectPublicKeyInfo` of a kind that Go knows. Whether a point lies on its curve is looked at where we can verify with it.
fn is_spki(der: &[u8]) -> bool {
    let Some((0x30, outer, [])) = element(der) else { return false };
    let Some((0x30, algorithm, rest)) = element(outer) else { return false };
    let Some((0x03, bits, [])) = element(rest) else { return false };
    let Some((0x06, oid, parameters)) = element(algorithm) else { return false };
    let Some((0, key)) = bits.split_first() else { return false };
    match oid {
        RSA => is_rsa(key),
        ED25519 | X25519 => key.len() == 32,
        DSA => matches!(element(key), Some((0x02, _, []))),
        EC => {
            let Some((0x06, curve, _)) = element(parameters) else { return false };
            let known = CURVES
                .iter()
                .any(|(oid, length)| *oid == curve && key.len() == *length && key.first() == Some(&4));
            let ours = CURVES.get(1).is_some_and(|(p256, _)| *p256 == curve);
            known && (!ours || VerifyingKey::from_der(der).is_ok())
        }
        _ => false,
    }
}

fn is_rsa(der: &[u8]) -> bool {
    let Some((0x30, inside, [])) = element(der) else { return false };
    let Some((0x02, modulus, rest)) = element(inside) else { return false };
    matches!(element(rest), Some((0x02, exponent, [])) if !exponent.is_empty()) && !modulus.is_empty()
}

/// One DER element: its tag, its content, and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let (bytes, rest) = rest.split_at_checked(count)?;
        (bytes.iter().fold(0usize, |length, &byte| (length << 8) | usize::from(byte)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}
