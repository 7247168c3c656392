//! Where one document ends and the next begins, as each reader decides it.

use std::ops::Range;

use crate::{Dialect, Error, Limits, Position, Value, json};

/// A part of the text that holds one document (Kubernetes dialects) or a whole stream (YAML 1.2).
pub(crate) struct Chunk {
    pub(crate) range: Range<usize>,
    /// The value, if the reader took this part as JSON.
    pub(crate) json: Option<Value>,
}

impl Chunk {
    fn yaml(range: Range<usize>) -> Self {
        Self { range, json: None }
    }
}

pub(crate) fn split(text: &str, dialect: Dialect, limits: &Limits) -> Result<Vec<Chunk>, Error> {
    let chunks = match dialect {
        Dialect::Kubectl => kubectl(text, limits)?,
        Dialect::ApiServer | Dialect::Yaml12 => vec![Chunk::yaml(0..text.len())],
    };
    match chunks.get(limits.documents) {
        Some(chunk) => Err(Error::Limit {
            what: "documents",
            limit: limits.documents,
            position: Position::of_bytes(text.as_bytes(), chunk.range.start),
        }),
        None => Ok(chunks),
    }
}

/// With fewer bytes left after a JSON value, kubectl does not try YAML.
const SHORTEST_REST: usize = 4;

/// kubectl guesses JSON by the first character, reads values until one fails, and goes on as YAML if at most one
/// JSON value came before.
fn kubectl(text: &str, limits: &Limits) -> Result<Vec<Chunk>, Error> {
    let mut chunks = Vec::new();
    let mut at = 0;
    if text.trim_start().starts_with('{') {
        loop {
            let rest = text.get(at..).unwrap_or_default();
            if rest.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
                return Ok(chunks);
            }
            match json::parse_prefix(text, at, limits) {
                Ok((value, end)) => {
                    let start = at + rest.len() - rest.trim_start().len();
                    chunks.push(Chunk { range: start..end, json: Some(value) });
                    at = end;
                }
                // Only a text that is no JSON may still be YAML.
                Err(Error::Syntax { .. }) if chunks.len() < 2 => break,
                Err(error) => return Err(error),
            }
        }
        // The white space before the rest goes, up to and with the first line break.
        let rest = text.get(at..).unwrap_or_default();
        let space = rest.len() - rest.trim_start().len();
        let first_line = rest.find('\n').filter(|line| *line < space);
        if !chunks.is_empty() && rest.len() - first_line.unwrap_or(space) < SHORTEST_REST {
            let message = "text after a JSON value that is neither JSON nor a document".to_owned();
            return Err(Error::Syntax { position: Position::of_bytes(text.as_bytes(), at + space), message });
        }
        at += first_line.map_or(space, |line| line + 1);
    }
    lines(text, at, &mut chunks)?;
    Ok(chunks)
}

/// Cuts at every line that starts with `---`; only a comment may follow on that line.
fn lines(text: &str, from: usize, chunks: &mut Vec<Chunk>) -> Result<(), Error> {
    let mut start = from;
    let mut at = from;
    let mut filled = false;
    for line in text.get(from..).unwrap_or_default().split_inclusive('\n') {
        let next = at + line.len();
        if let Some(rest) = line.strip_prefix("---") {
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                let message = format!("`{rest}` stands on a document separator; only a comment may");
                return Err(Error::Syntax { position: Position::of_bytes(text.as_bytes(), at + 3), message });
            }
            if filled {
                chunks.push(Chunk::yaml(start..at));
                start = next;
                filled = false;
            } else {
                // The first separator stays in the document that it opens.
                filled = true;
            }
        } else {
            filled = true;
        }
        at = next;
    }
    if filled {
        chunks.push(Chunk::yaml(start..at));
    }
    Ok(())
}
