//! Base64 as proto3 JSON has it: written in the standard alphabet with padding, read in either alphabet, padded or not.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use crate::Error;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const EITHER: [GeneralPurpose; 2] =
    [GeneralPurpose::new(&alphabet::STANDARD, LENIENT), GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT)];

pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn to_hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes of lower-case hexadecimal.
pub(crate) fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let lower = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if !lower || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

pub(crate) fn decode(what: &'static str, text: &str) -> Result<Vec<u8>, Error> {
    let [standard, safe] = &EITHER;
    let engine = match (text.contains(['-', '_']), text.contains(['+', '/'])) {
        (true, true) => return Err(Error::malformed(what, "base64 of two alphabets in one text")),
        (true, false) => safe,
        (false, _) => standard,
    };
    engine.decode(text).map_err(|error| Error::malformed(what, format!("no base64: {error}")))
}
