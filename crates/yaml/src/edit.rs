use std::ops::Range;

use crate::emit::is_safe_plain;
use crate::json::{array_index, pointer_steps, write_string};
use crate::{Dialect, Document, EditRefusal, Error, Kind, Limits, Node, Stream, Style, Value, resolve};

/// A replaced scalar: the new text, and what changed where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    bytes: Vec<u8>,
    at: usize,
    before: String,
    after: String,
}

impl Edit {
    /// The whole new text.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The whole new text, owned.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The bytes of the old text that were replaced.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.at..self.at + self.before.len()
    }

    /// What stood there, as written.
    #[must_use]
    pub fn before(&self) -> &str {
        &self.before
    }

    /// What stands there now, as written.
    #[must_use]
    pub fn after(&self) -> &str {
        &self.after
    }

    /// The text as it was before the edit.
    #[must_use]
    pub fn undo(&self) -> Vec<u8> {
        splice(&self.bytes, self.at..self.at + self.after.len(), &self.before)
    }
}

/// Replaces one scalar by a new text and changes no other byte.
///
/// The quoting stays: a value in quotes or in a literal block keeps them, a plain one stays plain where the new
/// text reads as the same type (a number stays a number) or as exactly this string in every dialect, and gets
/// double quotes otherwise. The result is parsed again: the edit is given back only if this value, and no other
/// in any document, reads differently.
///
/// `document` counts from 0, documents without content included; `pointer` is a JSON pointer (RFC 6901).
///
/// # Errors
/// [`Error::Edit`] with the reason; the errors of [`Stream::parse`] and [`Document::value`] if the text does not
/// read in the dialect.
pub fn set_scalar(
    source: &[u8],
    dialect: Dialect,
    document: usize,
    pointer: &str,
    new: &str,
    limits: &Limits,
) -> Result<Edit, Error> {
    let refused = |reason| Error::Edit { document, pointer: pointer.to_owned(), reason };
    let stream = Stream::parse(source, dialect, limits)?;
    if stream.is_lossy() {
        return Err(refused(EditRefusal::NotUtf8));
    }
    let place = stream.documents().get(document).ok_or_else(|| refused(EditRefusal::NoDocument))?;
    let node = find(place, pointer).map_err(refused)?;
    let (after, expected) = written(node, new).map_err(refused)?;
    let edit = Edit {
        bytes: splice(source, node.span(), &after),
        at: node.span().start,
        before: node.source().to_owned(),
        after,
    };
    if proves(&stream, &edit, dialect, document, pointer, &expected, limits)? {
        return Ok(edit);
    }
    Err(refused(EditRefusal::NotAlone))
}

fn splice(source: &[u8], span: Range<usize>, text: &str) -> Vec<u8> {
    let head = source.get(..span.start).unwrap_or_default();
    let tail = source.get(span.end..).unwrap_or_default();
    [head, text.as_bytes(), tail].concat()
}

/// The scalar at a pointer, if it can be changed without changing anything else.
fn find<'a>(document: &'a Document, pointer: &str) -> Result<Node<'a>, EditRefusal> {
    let mut node = document.root().ok_or(EditRefusal::NotFound)?;
    let steps = pointer_steps(pointer).ok_or(EditRefusal::NotFound)?;
    unshared(document, node)?;
    for step in steps {
        node = match node.kind() {
            Kind::Mapping => {
                let same: Vec<_> =
                    node.entries().filter(|(key, _)| key.key_text().as_ref() == Some(&step)).collect();
                let merges = node.entries().any(|(key, _)| key.is_merge_key());
                match same.as_slice() {
                    [(_, value)] => *value,
                    [] if merges => return Err(EditRefusal::Merge),
                    [] => return Err(EditRefusal::NotFound),
                    _ => return Err(EditRefusal::DuplicateKey),
                }
            }
            Kind::Sequence => {
                let index = array_index(&step).ok_or(EditRefusal::NotFound)?;
                node.items().nth(index).ok_or(EditRefusal::NotFound)?
            }
            Kind::Scalar | Kind::Alias => return Err(EditRefusal::NotFound),
        };
        unshared(document, node)?;
    }
    if node.kind() != Kind::Scalar {
        return Err(EditRefusal::NotScalar);
    }
    match node.tag() {
        Some(tag) => Err(EditRefusal::Tagged(tag.to_owned())),
        None => Ok(node),
    }
}

fn unshared(document: &Document, node: Node<'_>) -> Result<(), EditRefusal> {
    if let Some((name, _)) = node.alias() {
        return Err(EditRefusal::Alias(name.to_owned()));
    }
    match node.anchor() {
        Some(name)
            if document.nodes().any(|other| other.alias().is_some_and(|(_, target)| target == node)) =>
        {
            Err(EditRefusal::Shared(name.to_owned()))
        }
        _ => Ok(()),
    }
}

/// The new bytes of a scalar, and the value they must read as.
fn written(node: Node<'_>, new: &str) -> Result<(String, Value), EditRefusal> {
    let string = Value::from(new);
    match node.style() {
        Style::Plain if node.source().is_empty() => Err(EditRefusal::Empty),
        Style::Plain => Ok(plain(node, new)),
        Style::SingleQuoted if new.chars().all(|letter| !letter.is_control() && !is_separator(letter)) => {
            Ok((format!("'{}'", new.replace('\'', "''")), string))
        }
        Style::SingleQuoted | Style::DoubleQuoted => Ok((quoted(new), string)),
        Style::Literal => literal(node, new).map(|text| (text, string)),
        Style::Folded => Err(EditRefusal::Folded),
        Style::Block | Style::Flow => Err(EditRefusal::NotScalar),
    }
}

fn is_separator(letter: char) -> bool {
    matches!(letter, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    write_string(&mut out, text);
    out
}

fn plain(node: Node<'_>, new: &str) -> (String, Value) {
    let old_type = node.value().map(|value| value.type_name()).unwrap_or("string");
    let new_type = resolve::plain_type(new);
    if old_type != "string" && new_type == Some(old_type) && !new.is_empty() {
        // Read it the way it will be read: as a document of its own.
        let read = Stream::parse(new.as_bytes(), node.document.dialect, &Limits::small_file());
        let value = read.ok().and_then(|stream| stream.documents().first().and_then(|one| one.value().ok()));
        if let Some(value) = value.filter(|value| value.type_name() == old_type) {
            return (new.to_owned(), value);
        }
    }
    let text = if is_safe_plain(new) { new.to_owned() } else { quoted(new) };
    (text, Value::from(new))
}

/// The lines of a literal block, indented as the ones that stand there.
fn literal(node: Node<'_>, new: &str) -> Result<String, EditRefusal> {
    let source = node.source();
    let text = node.document.text.get(..node.span().start).unwrap_or_default();
    let indent = text.rsplit('\n').next().unwrap_or_default();
    let header = text.trim_end_matches([' ', '\t']).trim_end_matches(['\n', '\r']);
    let header = header.rsplit('\n').next().unwrap_or_default();
    let header = header.rfind('|').and_then(|at| header.get(at + 1..)).unwrap_or_default();
    let header = header.split_whitespace().next().unwrap_or_default();
    if source.is_empty() || !indent.bytes().all(|byte| byte == b' ') {
        return Err(EditRefusal::Literal("the block is empty"));
    }
    if header.starts_with(|letter: char| letter.is_ascii_digit() || letter == '+') {
        return Err(EditRefusal::Literal("its header has an indentation or `+`"));
    }
    let strip = header.starts_with('-');
    let body = match (strip, new.strip_suffix('\n')) {
        (true, None) => new,
        (false, Some(body)) => body,
        (true, Some(_)) => return Err(EditRefusal::Literal("it must not end with a line break")),
        (false, None) => return Err(EditRefusal::Literal("it must end with a line break")),
    };
    let odd =
        |letter: char| (letter.is_control() && letter != '\n' && letter != '\t') || is_separator(letter);
    if body.is_empty() || body.starts_with([' ', '\n', '\t']) || body.ends_with('\n') || body.chars().any(odd)
    {
        return Err(EditRefusal::Literal("it starts or ends with space, or holds control characters"));
    }
    let line_end = if source.contains("\r\n") { "\r\n" } else { "\n" };
    let mut out = String::new();
    for (place, line) in body.split('\n').enumerate() {
        if place > 0 {
            out.push_str(line_end);
            if !line.is_empty() {
                out.push_str(indent);
            }
        }
        out.push_str(line);
    }
    // Blank lines and comments after the last line of text stay as they are.
    let kept = source.trim_end_matches(['\n', '\r', ' ']);
    out.push_str(source.get(kept.len()..).unwrap_or_default());
    Ok(out)
}

/// Reads the new text and compares: the meant value changed as meant, and no other did.
fn proves(
    before: &Stream,
    edit: &Edit,
    dialect: Dialect,
    document: usize,
    pointer: &str,
    expected: &Value,
    limits: &Limits,
) -> Result<bool, Error> {
    let Ok(after) = Stream::parse(edit.bytes(), dialect, limits) else { return Ok(false) };
    if before.documents().len() != after.documents().len() || before.dropped().len() != after.dropped().len()
    {
        return Ok(false);
    }
    for (number, (old, new)) in before.documents().iter().zip(after.documents()).enumerate() {
        let mut wanted = old.value()?;
        if number == document {
            let Some(place) = wanted.pointer_mut(pointer) else { return Ok(false) };
            *place = expected.clone();
        }
        if new.value().as_ref() != Ok(&wanted) {
            return Ok(false);
        }
    }
    Ok(true)
}
