//! npm's order: SemVer 2.0 with node-semver's limits and its loose grammar.

use super::VersionError;
use super::dpkg::compare_digits;
use std::cmp::Ordering;

/// Which of node-semver's comparisons is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Strict,
    Loose,
    StrictWithBuild,
}

pub(super) fn compare(a: &str, b: &str, mode: Mode) -> Result<Ordering, VersionError> {
    let loose = mode == Mode::Loose;
    let (a, b) = (Parsed::parse(a, loose)?, Parsed::parse(b, loose)?);
    let order = a.triple.cmp(&b.triple).then_with(|| compare_prerelease(&a.prerelease, &b.prerelease));
    if mode == Mode::StrictWithBuild {
        return Ok(order.then_with(|| compare_parts(&a.build, &b.build)));
    }
    Ok(order)
}

/// Numbers above this are no version parts: JavaScript cannot hold them exactly.
const MAX_SAFE: u64 = 9_007_199_254_740_991;
const MAX_LENGTH: usize = 256;

pub(super) struct Parsed<'a> {
    pub(super) triple: [u64; 3],
    pub(super) prerelease: Vec<&'a str>,
    build: Vec<&'a str>,
}

impl<'a> Parsed<'a> {
    /// Precedence against a version given in parts.
    pub(super) fn compare_to(&self, triple: &[u64; 3], prerelease: &[&str]) -> Ordering {
        self.triple.cmp(triple).then_with(|| compare_prerelease(&self.prerelease, prerelease))
    }

    pub(super) fn parse(text: &'a str, loose: bool) -> Result<Self, VersionError> {
        let refuse = |reason| VersionError::new("npm", text, reason);
        // JavaScript counts UTF-16 units.
        if text.encode_utf16().count() > MAX_LENGTH {
            return Err(refuse("it is longer than 256 characters"));
        }
        let trimmed = text.trim_matches(is_js_space);
        let mut rest = trimmed;
        if loose {
            rest = rest.trim_start_matches(|c: char| c == 'v' || c == '=' || is_js_space(c));
        } else {
            rest = rest.strip_prefix('v').unwrap_or(rest);
        }
        let (rest, build) = match rest.split_once('+') {
            Some((rest, build)) => (rest, Some(build)),
            None => (rest, None),
        };
        let build = match build {
            Some(build) => identifiers(build).ok_or_else(|| refuse("the build metadata is malformed"))?,
            None => Vec::new(),
        };
        let (mut rest, mut tail) = (rest, rest);
        let mut numbers = [""; 3];
        for (i, slot) in numbers.iter_mut().enumerate() {
            if i > 0 {
                rest = rest
                    .strip_prefix('.')
                    .ok_or_else(|| refuse("it is not of the form major.minor.patch"))?;
            }
            tail = rest;
            let end = rest.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
            (*slot, rest) = rest.split_at(end);
            if slot.is_empty() {
                return Err(refuse("it is not of the form major.minor.patch"));
            }
            if !loose && slot.len() > 1 && slot.starts_with('0') {
                return Err(refuse("a number has a leading zero"));
            }
        }
        let [major, minor, patch] = numbers;
        let (patch, prerelease) = if loose {
            loose_tail(patch.len(), tail).ok_or_else(|| refuse("the prerelease is malformed"))?
        } else {
            (patch, strict_prerelease(rest).ok_or_else(|| refuse("the prerelease is malformed"))?)
        };
        let mut triple = [0; 3];
        for (slot, digits) in triple.iter_mut().zip([major, minor, patch]) {
            *slot = safe_value(digits).ok_or_else(|| refuse("a number is above 2^53-1"))?;
        }
        Ok(Self { triple, prerelease, build })
    }
}

pub(super) fn strict_prerelease(rest: &str) -> Option<Vec<&str>> {
    if rest.is_empty() {
        return Some(Vec::new());
    }
    let leading_zero = |part: &&str| is_number(part) && part.len() > 1 && part.starts_with('0');
    identifiers(rest.strip_prefix('-')?).filter(|parts| !parts.iter().any(leading_zero))
}

/// The loose grammar needs no hyphen before a prerelease, so the patch number gives digits back until the rest
/// reads as one: `1.2.34.5` is 1.2.3 with the prerelease `4.5`.
fn loose_tail(patch_digits: usize, tail: &str) -> Option<(&str, Vec<&str>)> {
    (1..=patch_digits).rev().find_map(|cut| {
        let (patch, rest) = tail.split_at_checked(cut)?;
        if rest.is_empty() {
            return Some((patch, Vec::new()));
        }
        let parts = rest.strip_prefix('-').and_then(identifiers).or_else(|| identifiers(rest))?;
        Some((patch, parts))
    })
}

fn safe_value(digits: &str) -> Option<u64> {
    match digits.trim_start_matches('0') {
        "" => Some(0),
        significant => safe_number(significant),
    }
}

/// Dot-separated non-empty identifiers of letters, digits and hyphens.
fn identifiers(text: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = text.split('.').collect();
    parts
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
        .then_some(parts)
}

fn compare_prerelease(a: &[&str], b: &[&str]) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => compare_parts(a, b),
    }
}

fn compare_parts(a: &[&str], b: &[&str]) -> Ordering {
    for (x, y) in a.iter().zip(b) {
        let order = compare_identifiers(x, y);
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

fn compare_identifiers(a: &str, b: &str) -> Ordering {
    match (is_number(a), is_number(b)) {
        (true, true) => match (safe_number(a), safe_number(b)) {
            (Some(x), Some(y)) => x.cmp(&y),
            // Beyond 2^53 the reference compares floating point numbers; both round the same way.
            _ => match (a.parse::<f64>(), b.parse::<f64>()) {
                (Ok(x), Ok(y)) => x.partial_cmp(&y).unwrap_or(Ordering::Equal),
                _ => compare_digits(a.as_bytes(), b.as_bytes()),
            },
        },
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn safe_number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|v| *v <= MAX_SAFE)
}

/// What JavaScript's `trim` and `\s` take as white space.
pub(super) fn is_js_space(c: char) -> bool {
    matches!(c, '\u{9}'..='\u{d}' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{feff}')
}
