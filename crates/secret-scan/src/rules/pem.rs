//! Private keys: blocks that a program could load, also inside JSON, YAML and one-line variables.

use base64::Engine;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::GeneralPurposeConfig;

pub(crate) const ID: &str = "private-key";
pub(crate) const DESCRIPTION: &str = "private key (PEM, OpenSSH or PGP) that can be loaded";

/// Longest block that is looked at; RSA keys of 16,384 bits take 13 kB.
const MAX_BLOCK: usize = 64 << 10;

/// Offsets of the secret blocks: from the dashes of BEGIN to the dashes of END. Each END belongs to the last BEGIN before
/// it, so the work grows with the text only.
pub(crate) fn find_keys(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let ends = positions(bytes, b"-----END ");
    let begins = positions(bytes, b"-----BEGIN ");
    let mut found = Vec::new();
    for (i, begin) in begins.iter().enumerate() {
        let Some(end) = ends.get(ends.partition_point(|end| end < begin)).copied() else { break };
        let next = begins.get(i.saturating_add(1)).copied().unwrap_or(usize::MAX);
        if next < end || end.saturating_sub(*begin) > MAX_BLOCK {
            continue;
        }
        let block = bytes.get(begin.saturating_add(11)..end).unwrap_or_default();
        let Some(label_end) = block.windows(5).take(80).position(|w| w == b"-----") else { continue };
        let label = block.get(..label_end).unwrap_or_default();
        let pgp = label == b"PGP PRIVATE KEY BLOCK";
        let known = label.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b' ');
        let body = block.get(label_end.saturating_add(5)..).unwrap_or_default();
        if known && (pgp || label.ends_with(b"PRIVATE KEY")) && loads(body, label, pgp) {
            let tail = bytes.get(end.saturating_add(9)..).unwrap_or_default();
            let tail =
                tail.windows(5).take(80).position(|w| w == b"-----").map_or(0, |t| t.saturating_add(5));
            found.push(*begin..end.saturating_add(9).saturating_add(tail));
        }
    }
    found
}

fn positions(bytes: &[u8], needle: &[u8]) -> Vec<usize> {
    bytes.windows(needle.len()).enumerate().filter(|(_, w)| *w == needle).map(|(i, _)| i).collect()
}

/// Whether the text between the lines decodes to what the label promises.
fn loads(body: &[u8], label: &[u8], pgp: bool) -> bool {
    let body = plain(body);
    let Ok(der) = lenient().decode(&body) else { return false };
    let enough = der.len() >= 32;
    let sequence = der.first() == Some(&0x30);
    match label {
        _ if pgp => enough && der.first().is_some_and(|b| b & 0x80 != 0),
        b"OPENSSH PRIVATE KEY" => der.starts_with(b"openssh-key-v1\0"),
        // A block encrypted in the old way (Proc-Type) is no DER before it is decrypted.
        b"RSA PRIVATE KEY" | b"DSA PRIVATE KEY" | b"EC PRIVATE KEY" => enough,
        _ => enough && sequence,
    }
}

fn lenient() -> GeneralPurpose {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent);
    GeneralPurpose::new(STANDARD_ALPHABET, config)
}

const STANDARD_ALPHABET: &base64::alphabet::Alphabet = &base64::alphabet::STANDARD;

/// Base64 without what surrounds it in other formats: white space, `\n` as two characters, quotes, plus signs of
/// concatenations, header lines, PGP's checksum.
fn plain(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body).replace("\\n", "\n").replace("\\r", "\n");
    let lines = text.lines().map(|line| {
        line.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '\\'))
    });
    // Headers have a colon; the last line of a PGP block starts with an equals sign.
    let lines = lines.filter(|line| !line.contains(": ") && !line.starts_with('='));
    lines.collect::<String>().bytes().filter(|b| !b.is_ascii_whitespace()).collect()
}
