//! Lower-case hexadecimal, the only form a digest may have.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The lower-case hexadecimal form of `bytes`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|nibble| DIGITS.get(usize::from(nibble)).copied().map(char::from))
        .collect()
}

/// The bytes of a lower-case hexadecimal text, or the byte offset of the first character that is none.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, usize> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    for (offset, character) in text.bytes().enumerate() {
        let nibble = match character {
            b'0'..=b'9' => character - b'0',
            b'a'..=b'f' => character - b'a' + 10,
            _ => return Err(offset),
        };
        high = match high {
            None => Some(nibble),
            Some(high) => {
                bytes.push(high << 4 | nibble);
                None
            }
        };
    }
    if high.is_some() { Err(text.len()) } else { Ok(bytes) }
}
