//! Where YAML 1.1 as Go's library scans it parts from the grammar of YAML 1.2: refused, not guessed.

use std::ops::Range;

use crate::tree::{Content, NodeData};
use crate::{Dialect, Document, Error, Position, Style};

/// Checks one node that was just read; takes back the line break that a block scalar at the end of a text without
/// one does not have.
pub(crate) fn check(text: &str, dialect: Dialect, node: &mut NodeData, in_flow: bool) -> Result<(), Error> {
    let source = text.get(node.span.clone()).unwrap_or_default();
    let position = node.position;
    if node.tag.as_ref().is_some_and(|tag| tag.ends_with(':')) {
        let message = "readers differ on where this tag ends; put a space before the colon".to_owned();
        return Err(Error::Undecided { position, message });
    }
    let Content::Scalar(value) = &mut node.content else { return Ok(()) };
    match node.style {
        Style::Plain if in_flow => {
            if source.starts_with([':', '?']) {
                let message =
                    "a text in brackets or braces cannot start with `:` or `?`; put it in quotes".to_owned();
                return Err(Error::Syntax { position, message });
            }
            let after = text.get(node.span.end..).unwrap_or_default();
            let glued = [":,", ":]", ":}"].iter().any(|end| after.starts_with(end));
            if glued || source.ends_with(':') || (source.is_empty() && node.tag.is_some()) {
                let message = "readers differ on where this text ends; put it in quotes".to_owned();
                return Err(Error::Undecided { position, message });
            }
        }
        Style::Literal | Style::Folded => {
            if value.trim_start_matches('\n').starts_with('\t') {
                let message =
                    "a tab stands where the indentation of the block is decided; use spaces".to_owned();
                return Err(Error::Syntax { position, message });
            }
            let at_end = node.span.end == text.len() && !text.ends_with(['\n', '\r']);
            if dialect == Dialect::ApiServer && at_end && value.ends_with('\n') {
                value.pop();
            }
        }
        _ => {}
    }
    Ok(())
}

/// Go's library ends the name of an anchor at the first character that is no letter, digit, `_` or `-`.
pub(crate) fn anchor_name(name: &str, position: Position) -> Result<(), Error> {
    let common = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.bytes().all(common) {
        return Ok(());
    }
    let message =
        format!("readers differ on where the anchor name `{name}` ends; use letters, digits, `_` and `-`");
    Err(Error::Undecided { position, message })
}

/// YAML 1.1 as Go's library reads it takes no tab where a block token may start.
pub(crate) fn tabs(all: &str, document: &Document, range: &Range<usize>) -> Result<(), Error> {
    if document.json.is_some() {
        return Ok(());
    }
    let quiet: Vec<Range<usize>> = quiet_spans(document);
    let end = document.span.end.min(range.end);
    let text = all.get(range.start..end).unwrap_or_default();
    let mut quiet = quiet.into_iter().peekable();
    let mut at = range.start;
    for line in text.split_inclusive('\n') {
        let blank = line.len() - line.trim_start_matches([' ', '\t', '-', '?']).len();
        let tab = line.get(..blank).unwrap_or_default().find('\t').map(|tab| at + tab);
        if let Some(tab) = tab {
            while quiet.next_if(|span| span.end <= tab).is_some() {}
            let inside = quiet.peek().is_some_and(|span| span.contains(&tab));
            if !inside {
                return Err(Error::Syntax {
                    position: Position::of_bytes(all.as_bytes(), tab),
                    message: "a tab stands where only spaces may indent".to_owned(),
                });
            }
        }
        at += line.len();
    }
    Ok(())
}

/// Spans in which tabs are text or harmless: scalars, and collections in brackets. In order.
fn quiet_spans(document: &Document) -> Vec<Range<usize>> {
    let mut spans: Vec<Range<usize>> = Vec::new();
    for node in &document.nodes {
        let quiet = node.style == Style::Flow || matches!(node.content, Content::Scalar(_));
        if quiet && spans.last().is_none_or(|last| last.end < node.span.end) {
            spans.push(node.span.clone());
        }
    }
    spans
}

pub(crate) fn line_separators(text: &str, range: &Range<usize>) -> Result<(), Error> {
    let part = text.get(range.clone()).unwrap_or_default();
    match part.find(['\u{85}', '\u{2028}', '\u{2029}']) {
        Some(at) => Err(Error::Undecided {
            position: Position::of_bytes(text.as_bytes(), range.start + at),
            message: "U+0085, U+2028 or U+2029 ends a line in YAML 1.1 and not in 1.2; write it as an escape in double \
                      quotes"
                .to_owned(),
        }),
        None => Ok(()),
    }
}
