//! Where YAML 1.1 as Go's library scans it parts from the grammar of YAML 1.2: refused, not guessed.

use std::collections::BTreeSet;
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
        Style::DoubleQuoted | Style::SingleQuoted => {
            if node.style == Style::DoubleQuoted {
                escapes(source, position)?;
            }
            if source.contains(SEPARATORS) {
                *value = unfolded(value, source).ok_or_else(|| separator(position))?;
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

/// The text with spaces for the tabs at the start of its lines; `None` without such tabs.
pub(crate) fn without_tabs(source: &str) -> Option<String> {
    let mut out = String::with_capacity(source.len());
    for line in source.split_inclusive('\n') {
        let blank = line.len() - line.trim_start_matches([' ', '\t']).len();
        let (head, tail) = line.split_at_checked(blank)?;
        out.push_str(&head.replace('\t', " "));
        out.push_str(tail);
    }
    (out != source).then_some(out)
}

/// `true` if every tab at the start of a line of the document stands in brackets or in quotes.
pub(crate) fn tabs_mean_nothing(all: &str, document: &Document) -> bool {
    let mut spans: Vec<Range<usize>> = Vec::new();
    for node in &document.nodes {
        let quiet = matches!(node.style, Style::Flow | Style::SingleQuoted | Style::DoubleQuoted);
        if quiet && spans.last().is_none_or(|last| last.end < node.span.end) {
            spans.push(node.span.clone());
        }
    }
    let mut spans = spans.into_iter().peekable();
    let mut at = document.span.start;
    for line in all.get(document.span.clone()).unwrap_or_default().split_inclusive('\n') {
        let blank = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = line.get(..blank).and_then(|head| head.find('\t')).map(|tab| at + tab) {
            while spans.next_if(|span| span.end <= tab).is_some() {}
            // After a plain text Go's library still looks for more of it, and takes no tab there.
            let before = all
                .get(..tab)
                .unwrap_or_default()
                .trim_end()
                .ends_with([',', '[', '{', ']', '}', ':', '"', '\'']);
            if !before || !spans.peek().is_some_and(|span| span.contains(&tab)) {
                return false;
            }
        }
        at += line.len();
    }
    true
}

/// What ends a line in YAML 1.1 and not in YAML 1.2.
const SEPARATORS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

/// Escapes of YAML 1.2 that YAML 1.1 as Go reads it does not have.
fn escapes(source: &str, position: Position) -> Result<(), Error> {
    let mut rest = source;
    while let Some((_, escape)) = rest.split_once('\\') {
        let surrogate = escape.strip_prefix(['u', 'U']).is_some_and(|digits| {
            let digits = digits.strip_prefix("0000").filter(|_| escape.starts_with('U')).unwrap_or(digits);
            let code = digits.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
            code.is_some_and(|code| (0xd800..0xe000).contains(&code))
        });
        if surrogate || escape.starts_with('/') {
            let message = "an escape that YAML 1.1 does not have; write the character itself".to_owned();
            return Err(Error::Syntax { position, message });
        }
        let mut letters = escape.chars();
        letters.next();
        rest = letters.as_str();
    }
    Ok(())
}

/// A quoted text of one line with single separators in it, as YAML 1.1 folds them: blanks around them go, U+0085
/// becomes a space. `None` where that would not be all.
fn unfolded(value: &str, source: &str) -> Option<String> {
    if source.contains(['\\', '\n', '\r']) {
        return None;
    }
    let mut out = String::new();
    let mut parts = value.split_inclusive(SEPARATORS).peekable();
    while let Some(part) = parts.next() {
        let separator = part.chars().next_back().filter(|letter| SEPARATORS.contains(letter));
        let text = part.trim_end_matches(SEPARATORS);
        let text = if out.is_empty() { text } else { text.trim_start_matches([' ', '\t']) };
        match separator {
            Some(_) if text.trim().is_empty() || parts.peek().is_none() => return None,
            Some('\u{85}') => out.extend([text.trim_end_matches([' ', '\t']), " "]),
            Some(other) => {
                out.push_str(text.trim_end_matches([' ', '\t']));
                out.push(other);
            }
            None if text.trim().is_empty() => return None,
            None => out.push_str(text),
        }
    }
    Some(out)
}

fn separator(position: Position) -> Error {
    let message = "U+0085, U+2028 or U+2029 ends a line in YAML 1.1 and not in 1.2; write it as an escape in double quotes";
    Error::Undecided { position, message: message.to_owned() }
}

/// Refuses separators outside quoted values, and documents that start in a way Go's library does not take: with `...`,
/// or with directives that it does not know.
pub(crate) fn document(all: &str, document: &Document, range: &Range<usize>) -> Result<(), Error> {
    let place = |at: usize| Position::of_bytes(all.as_bytes(), at);
    let part = all.get(range.clone()).unwrap_or_default();
    let keys: BTreeSet<usize> = document.nodes.iter().flat_map(keys).collect();
    let quoted = document.nodes.iter().enumerate().filter(|(id, node)| {
        matches!(node.style, Style::DoubleQuoted | Style::SingleQuoted) && !keys.contains(id)
    });
    let mut quoted = quoted.map(|(_, node)| node.span.clone()).peekable();
    for (at, _) in part.match_indices(SEPARATORS) {
        let at = range.start + at;
        while quoted.next_if(|span| span.end <= at).is_some() {}
        if !quoted.peek().is_some_and(|span| span.contains(&at)) {
            return Err(separator(place(at)));
        }
    }
    let mut at = range.start;
    for line in part.split_inclusive('\n') {
        let content = line.trim_end();
        let directive = content.strip_prefix('%').map(|rest| rest.split([' ', '\t']).collect::<Vec<_>>());
        let message = match directive.as_deref() {
            Some(["TAG", ..]) | Some(["YAML", "1.1", ..]) => "",
            Some(["YAML", ..]) => "another version of YAML than 1.1; leave the directive out",
            Some(_) => "a directive that nobody knows; leave it out",
            None if content == "..." || content.starts_with("... ") => {
                "the end of a document that has not begun"
            }
            None if content.trim_start().is_empty() || content.trim_start().starts_with('#') => "",
            None => break,
        };
        if !message.is_empty() {
            return Err(Error::Syntax { position: place(at), message: message.to_owned() });
        }
        at += line.len();
    }
    Ok(())
}

fn keys(node: &NodeData) -> impl Iterator<Item = usize> {
    let entries = match &node.content {
        Content::Mapping(entries) => entries.as_slice(),
        _ => &[],
    };
    entries.iter().map(|(key, _)| *key)
}
