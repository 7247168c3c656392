//! PEM (RFC 7468): labelled base64 between two lines.

use crate::{Error, encoding};

/// How many blocks one text may have.
const BLOCKS: usize = 64;
/// Bytes of a text.
const BYTES: usize = 1 << 20;

/// One block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) label: String,
    pub(crate) bytes: Vec<u8>,
}

/// The blocks of a text, in order. What stands between them is ignored, as everybody does (headers in front of a chain).
pub(crate) fn blocks(text: &str) -> Result<Vec<Block>, Error> {
    if text.len() > BYTES {
        return Err(Error::Limit { what: "bytes of a PEM text", limit: BYTES });
    }
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(label) = line.trim().strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"))
        else {
            continue;
        };
        let mut body = String::new();
        let end = format!("-----END {label}-----");
        loop {
            let line = lines
                .next()
                .ok_or_else(|| Error::malformed("PEM", format!("the line {end:?} is missing")))?
                .trim();
            if line == end {
                break;
            }
            body.push_str(line);
        }
        if blocks.len() == BLOCKS {
            return Err(Error::Limit { what: "blocks of a PEM text", limit: BLOCKS });
        }
        blocks.push(Block { label: label.to_owned(), bytes: encoding::decode("PEM", &body)? });
    }
    Ok(blocks)
}

/// The only block of a text.
pub(super) fn single(text: &str) -> Result<Block, Error> {
    let mut blocks = blocks(text)?;
    match (blocks.pop(), blocks.is_empty()) {
        (Some(block), true) => Ok(block),
        (None, _) => Err(Error::malformed("PEM", "there is no \"-----BEGIN …-----\"")),
        (Some(_), false) => Err(Error::malformed("PEM", "there is more than one block")),
    }
}

/// A block as text, 64 characters a line.
pub(crate) fn write(label: &str, bytes: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for (number, character) in encoding::encode(bytes).chars().enumerate() {
        if number > 0 && number % 64 == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}
