use std::ops::Range;
use std::sync::Arc;

use crate::build::Builder;
use crate::split::split;
use crate::{Dialect, Document, Error, Limits, Position, Value, check_object};

/// A parsed text: its documents, and what the dialect's reader passes over in silence.
#[derive(Clone, Debug)]
pub struct Stream {
    text: Arc<str>,
    lossy: bool,
    documents: Vec<Document>,
    dropped: Vec<Range<usize>>,
}

impl Stream {
    /// Parses a text within limits. A byte-order mark is part of the offsets but of no document. Documents without
    /// content stay in the list; their value is null.
    ///
    /// # Errors
    /// [`Error::Syntax`], [`Error::Limit`], [`Error::Encoding`], [`Error::Undecided`], each with its place.
    pub fn parse(bytes: &[u8], dialect: Dialect, limits: &Limits) -> Result<Self, Error> {
        if bytes.len() > limits.bytes {
            return Err(Error::Limit { what: "bytes", limit: limits.bytes, position: Position::start() });
        }
        let (text, lossy) = decode(bytes, dialect)?;
        let mut stream = Self { text: text.clone(), lossy, documents: Vec::new(), dropped: Vec::new() };
        let mut builder = Builder::new(text.clone(), dialect, *limits);
        for chunk in split(body(&text), dialect, limits)? {
            let shift = text.len() - body(&text).len();
            let range = chunk.range.start + shift..chunk.range.end + shift;
            builder.chunk(range, chunk.json, &mut stream.documents, &mut stream.dropped)?;
        }
        Ok(stream)
    }

    /// The text: the input, with U+FFFD for bytes that are not UTF-8 where the dialect replaces them.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// `true` if the input was not UTF-8 as it stands (bytes were replaced, or it was UTF-16): offsets are then those of
    /// [`Stream::text`].
    #[must_use]
    pub fn is_lossy(&self) -> bool {
        self.lossy
    }

    /// The documents, empty ones included.
    #[must_use]
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// Content that the dialect's reader does not read, without a word: what follows `...` in a document, and for
    /// the API server every document but the first. Byte ranges of the text.
    #[must_use]
    pub fn dropped(&self) -> &[Range<usize>] {
        &self.dropped
    }

    /// The values of all documents; for kubectl without those that are null, which it passes over.
    ///
    /// # Errors
    /// As [`Document::value`].
    pub fn values(&self) -> Result<Vec<Value>, Error> {
        let mut values = Vec::new();
        for document in &self.documents {
            let value = document.value()?;
            if !(value.is_null() && document.dialect() == Dialect::Kubectl) {
                values.push(value);
            }
        }
        Ok(values)
    }

    /// The Kubernetes objects of all documents, lists unpacked. kubectl and the server refuse a document that is none
    /// (see [`crate::check_object`]), and a stream without any object.
    ///
    /// # Errors
    /// As [`Stream::values`], and [`Error::NoValue`] for what is no object.
    pub fn objects(&self) -> Result<Vec<Value>, Error> {
        let mut objects = Vec::new();
        for document in &self.documents {
            let value = document.value()?;
            if !(value.is_null() && document.dialect() == Dialect::Kubectl) {
                unpack(document, value, "", &mut objects)?;
            }
        }
        match objects.is_empty() {
            true => Err(Error::NoValue {
                position: Position::start(),
                message: "no object in the input".to_owned(),
            }),
            false => Ok(objects),
        }
    }
}

/// Adds an object, or those of a list that kubectl unpacks: anything with a list of `items`.
fn unpack(document: &Document, mut value: Value, at: &str, objects: &mut Vec<Value>) -> Result<(), Error> {
    check_object(&value).map_err(|error| Error::NoValue {
        position: document.locate(&format!("{at}{}", error.pointer)),
        message: error.to_string(),
    })?;
    let items =
        value.as_object_mut().filter(|map| map.get("items").is_some_and(|items| items.as_array().is_some()));
    match (items.and_then(|map| map.remove("items")), document.dialect()) {
        (Some(Value::Array(items)), Dialect::Kubectl) => items
            .into_iter()
            .enumerate()
            .try_for_each(|(number, item)| unpack(document, item, &format!("{at}/items/{number}"), objects)),
        (Some(items), _) => {
            if let Some(map) = value.as_object_mut() {
                map.insert("items", items);
            }
            objects.push(value);
            Ok(())
        }
        (None, _) => {
            objects.push(value);
            Ok(())
        }
    }
}

/// The text after a byte-order mark.
fn body(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn decode(bytes: &[u8], dialect: Dialect) -> Result<(Arc<str>, bool), Error> {
    if dialect.is_kubernetes()
        && let Some((text, clean)) = utf16(bytes)
    {
        if clean || dialect == Dialect::Kubectl {
            return Ok((text.into(), true));
        }
        let message = "half a character of UTF-16".to_owned();
        return Err(Error::Encoding { position: Position::start(), message });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok((text.into(), false)),
        Err(_) if dialect == Dialect::Kubectl => Ok((String::from_utf8_lossy(bytes).into(), true)),
        Err(error) => Err(Error::Encoding {
            position: Position::of_bytes(bytes, error.valid_up_to()),
            message: "bytes that are not UTF-8".to_owned(),
        }),
    }
}

/// UTF-16 after a byte-order mark, which Go's readers take; `false` if a part had to be replaced.
fn utf16(bytes: &[u8]) -> Option<(String, bool)> {
    let big = match bytes {
        [0xff, 0xfe, ..] => false,
        [0xfe, 0xff, ..] => true,
        _ => return None,
    };
    let (pairs, odd) = bytes.as_chunks::<2>();
    let units =
        pairs.iter().map(|pair| if big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) });
    let mut clean = odd.is_empty();
    let mut text = String::new();
    for unit in char::decode_utf16(units) {
        clean &= unit.is_ok();
        text.push(unit.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    Some((text, clean))
}
