//! Debian's order: `[epoch:]upstream[-revision]` (deb-version(7)).

use super::VersionError;
use std::cmp::Ordering;

pub(super) fn compare(a: &str, b: &str) -> Result<Ordering, VersionError> {
    // No version at all is older than every version.
    if a.is_empty() || b.is_empty() {
        for version in [a, b].into_iter().filter(|v| !v.is_empty()) {
            validate(version)?;
        }
        return Ok(b.is_empty().cmp(&a.is_empty()));
    }
    let (a, b) = (Parts::parse(a)?, Parts::parse(b)?);
    Ok(a.epoch
        .cmp(&b.epoch)
        .then_with(|| compare_part(a.upstream, b.upstream))
        .then_with(|| compare_part(a.revision, b.revision)))
}

pub(super) fn validate(version: &str) -> Result<(), VersionError> {
    Parts::parse(version).map(drop)
}

struct Parts<'a> {
    epoch: u32,
    upstream: &'a [u8],
    revision: &'a [u8],
}

impl<'a> Parts<'a> {
    /// What dpkg refuses is an error; what it only warns about (a version that starts with a letter, odd
    /// characters) is ordered.
    fn parse(text: &'a str) -> Result<Self, VersionError> {
        let refuse = |reason| VersionError::new("dpkg", text, reason);
        let trimmed = text.trim_matches(is_space);
        if trimmed.is_empty() {
            return Err(refuse("it is empty"));
        }
        if trimmed.contains(is_space) {
            return Err(refuse("it has embedded spaces"));
        }
        let (epoch, rest) = match trimmed.split_once(':') {
            None => (0, trimmed),
            Some(("", _)) => return Err(refuse("the epoch is empty")),
            Some((_, "")) => return Err(refuse("nothing follows the colon")),
            Some((epoch, rest)) => {
                (parse_epoch(epoch).ok_or_else(|| refuse("the epoch is no number up to 2147483647"))?, rest)
            }
        };
        let (upstream, revision) = match rest.rsplit_once('-') {
            None => (rest, ""),
            Some((_, "")) => return Err(refuse("the revision is empty")),
            Some(parts) => parts,
        };
        if upstream.is_empty() {
            return Err(refuse("the upstream version is empty"));
        }
        Ok(Self { epoch, upstream: upstream.as_bytes(), revision: revision.as_bytes() })
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

/// A decimal number as C reads one (a sign is allowed), from 0 to 2^31-1.
fn parse_epoch(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, digits),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    let value: u32 = if significant.is_empty() { 0 } else { significant.parse().ok()? };
    (value <= 2_147_483_647 && (!negative || value == 0)).then_some(value)
}

/// Compares runs of non-digits by weight and runs of digits by value, in turn.
fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    loop {
        if a.is_empty() && b.is_empty() {
            return Ordering::Equal;
        }
        let ((text_a, rest_a), (text_b, rest_b)) =
            (split(a, |b| !b.is_ascii_digit()), split(b, |b| !b.is_ascii_digit()));
        let longest = text_a.len().max(text_b.len());
        for i in 0..longest {
            let order = weight(text_a.get(i)).cmp(&weight(text_b.get(i)));
            if order != Ordering::Equal {
                return order;
            }
        }
        let ((digits_a, rest_a), (digits_b, rest_b)) =
            (split(rest_a, u8::is_ascii_digit), split(rest_b, u8::is_ascii_digit));
        let order = compare_digits(digits_a, digits_b);
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

fn split(text: &[u8], belongs: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let end = text.iter().position(|b| !belongs(b)).unwrap_or(text.len());
    text.split_at(end)
}

/// `~` before the end, the end before letters, letters before everything else. dpkg reads the text as signed
/// characters, so bytes beyond ASCII count as negative and land below other signs.
fn weight(byte: Option<&u8>) -> i32 {
    match byte {
        None => 0,
        Some(b'~') => -1,
        Some(b) if b.is_ascii_alphabetic() => i32::from(*b),
        Some(b) => i32::from(b.cast_signed()) + 256,
    }
}

/// Orders two digit strings as numbers of any size.
pub(super) fn compare_digits(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (strip_zeros(a), strip_zeros(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn strip_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|b| **b == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}
