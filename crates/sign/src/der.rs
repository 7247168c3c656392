//! Reading DER (X.690) with the place of every value kept: what was signed is cut out of the original bytes and never
//! written anew. Tags of one byte, definite and minimal lengths; anything else is refused.

use std::ops::Range;

use crate::{Error, Time};

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const UTF8_STRING: u8 = 0x0C;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// A run of values.
#[derive(Clone, Debug)]
pub(crate) struct Der<'a> {
    what: &'static str,
    rest: &'a [u8],
    offset: usize,
}

/// One value: tag, length, value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tlv<'a> {
    what: &'static str,
    pub(crate) tag: u8,
    pub(crate) value: &'a [u8],
    /// The value with its tag and length.
    pub(crate) raw: &'a [u8],
    /// Where `raw` begins in the document.
    offset: usize,
}

impl<'a> Der<'a> {
    /// `what` names the document in errors.
    pub(crate) const fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { what, rest: bytes, offset: 0 }
    }

    /// The only value of a document: nothing may follow it.
    pub(crate) fn single(what: &'static str, bytes: &'a [u8], tag: u8) -> Result<Tlv<'a>, Error> {
        let mut der = Self::new(what, bytes);
        let value = der.take(tag)?;
        der.finish()?;
        Ok(value)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next value, whatever it is.
    pub(crate) fn next(&mut self) -> Result<Tlv<'a>, Error> {
        let (tag, length, header) = header(self.rest).map_err(|reason| self.fault(reason.to_owned()))?;
        let end = header.checked_add(length).ok_or_else(|| self.fault("its length overflows".to_owned()))?;
        let (Some(raw), Some(value)) = (self.rest.get(..end), self.rest.get(header..end)) else {
            return Err(self.fault(format!("a value of {length} bytes is cut off")));
        };
        let tlv = Tlv { what: self.what, tag, value, raw, offset: self.offset };
        self.rest = self.rest.get(end..).unwrap_or_default();
        self.offset += end;
        Ok(tlv)
    }

    /// The next value, which has this tag.
    pub(crate) fn take(&mut self, tag: u8) -> Result<Tlv<'a>, Error> {
        match self.rest.first() {
            Some(actual) if *actual == tag => self.next(),
            Some(actual) => Err(self.fault(format!("tag {actual:#04x} where {tag:#04x} was expected"))),
            None => Err(self.fault(format!("it ends where tag {tag:#04x} was expected"))),
        }
    }

    /// The next value, if it has this tag.
    pub(crate) fn take_optional(&mut self, tag: u8) -> Result<Option<Tlv<'a>>, Error> {
        if self.rest.first() == Some(&tag) { self.next().map(Some) } else { Ok(None) }
    }

    pub(crate) fn finish(&self) -> Result<(), Error> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(self.fault(format!("{} bytes too many", self.rest.len())))
    }

    pub(crate) fn fault(&self, reason: String) -> Error {
        Error::malformed(self.what, format!("at byte {}: {reason}", self.offset))
    }
}

impl<'a> Tlv<'a> {
    /// The values inside.
    pub(crate) fn reader(&self) -> Der<'a> {
        Der { what: self.what, rest: self.value, offset: self.value_range().start }
    }

    /// Where the value with its tag and length lies in the document.
    pub(crate) const fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.raw.len()
    }

    /// Where the value lies in the document.
    pub(crate) const fn value_range(&self) -> Range<usize> {
        let end = self.offset + self.raw.len();
        end - self.value.len()..end
    }

    pub(crate) fn fault(&self, reason: impl Into<String>) -> Error {
        Error::malformed(self.what, format!("at byte {}: {}", self.offset, reason.into()))
    }

    pub(crate) fn boolean(&self) -> Result<bool, Error> {
        match self.value {
            [0xFF] => Ok(true),
            [0] => Ok(false),
            _ => Err(self.fault("a BOOLEAN that is neither true nor false")),
        }
    }

    /// A small number that is not negative.
    pub(crate) fn small(&self) -> Result<u32, Error> {
        let canonical = match self.value {
            [] => false,
            [first, second, ..] => *first != 0 || *second >= 0x80,
            [_] => true,
        };
        let negative = self.value.first().is_some_and(|byte| *byte >= 0x80);
        if !canonical || negative || self.value.len() > 5 {
            return Err(self.fault("an INTEGER that is no small number"));
        }
        let number = self.value.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        u32::try_from(number).map_err(|_| self.fault("an INTEGER that is no small number"))
    }

    /// A BIT STRING of whole bytes.
    pub(crate) fn bits(&self) -> Result<&'a [u8], Error> {
        match self.value {
            [0, bytes @ ..] => Ok(bytes),
            _ => Err(self.fault("a BIT STRING that is no row of bytes")),
        }
    }

    pub(crate) fn text(&self) -> Result<&'a str, Error> {
        std::str::from_utf8(self.value).map_err(|_| self.fault("a text that is no UTF-8"))
    }

    /// `UTCTime` or `GeneralizedTime` (RFC 5280, 4.1.2.5; RFC 3161 allows a fraction).
    pub(crate) fn time(&self) -> Result<Time, Error> {
        let text = self.text()?;
        let full = match self.tag {
            UTC_TIME if text.len() == 13 => {
                let century = if text < "50" { "20" } else { "19" };
                format!("{century}{text}")
            }
            GENERALIZED_TIME => text.to_owned(),
            _ => return Err(self.fault("no time")),
        };
        Time::parse_asn1(&full).ok_or_else(|| self.fault(format!("{text:?} is no time")))
    }
}

/// Tag, length of the value, length of the header.
fn header(bytes: &[u8]) -> Result<(u8, usize, usize), &'static str> {
    let (tag, rest) = bytes.split_first().ok_or("it ends where a value was expected")?;
    if tag & 0x1F == 0x1F {
        return Err("a tag of more than one byte");
    }
    let (first, rest) = rest.split_first().ok_or("it ends in a length")?;
    if *first < 0x80 {
        return Ok((*tag, usize::from(*first), 2));
    }
    let count = usize::from(first & 0x7F);
    if count == 0 || count > 4 {
        return Err("a length that is indefinite or of more than four bytes");
    }
    let digits = rest.get(..count).ok_or("it ends in a length")?;
    let length = digits.iter().fold(0_usize, |length, digit| length << 8 | usize::from(*digit));
    if length < 0x80 || digits.first() == Some(&0) {
        return Err("a length that is not in its shortest form");
    }
    Ok((*tag, length, 2 + count))
}

/// A value with its tag and length in front.
pub(crate) fn wrap(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => bytes.push(short),
        _ => {
            let digits = length.to_be_bytes();
            let zeros = digits.iter().take_while(|digit| **digit == 0).count();
            let digits = digits.get(zeros..).unwrap_or_default();
            bytes.push(0x80 | u8::try_from(digits.len()).unwrap_or(0));
            bytes.extend_from_slice(digits);
        }
    }
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

/// An object identifier as people write it, for messages.
pub(crate) fn dotted(oid: &[u8]) -> String {
    let mut arcs = Vec::new();
    let mut arc = 0_u64;
    for byte in oid {
        arc = arc << 7 & u64::MAX >> 1 | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            if arcs.is_empty() {
                let first = (arc / 40).min(2);
                arcs.push(first.to_string());
                arc -= first * 40;
            }
            arcs.push(arc.to_string());
            arc = 0;
        }
    }
    arcs.join(".")
}
