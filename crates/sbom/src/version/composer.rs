//! Composer's order: a version is normalised first and compared as PHP's `version_compare` does.

use super::VersionError;
use std::cmp::Ordering;

pub(super) fn compare(a: &str, b: &str) -> Result<Option<Ordering>, VersionError> {
    let (a, b) = (normalise(a)?, normalise(b)?);
    let (branch_a, branch_b) = (a.starts_with("dev-"), b.starts_with("dev-"));
    if branch_a || branch_b {
        return Ok((a == b).then_some(Ordering::Equal));
    }
    Ok(Some(version_compare(a.as_bytes(), b.as_bytes())))
}

/// The form that is compared: four numbers, then `-alpha1`, `-beta2`, `-RC3`, `-patch4`, `-dev`; or `dev-branch`.
pub(super) fn normalise(text: &str) -> Result<String, VersionError> {
    let refuse = || VersionError::new("composer", text, "neither a numeric version nor a dev branch");
    let mut version = text.trim_matches(is_php_space);
    if let Some(real) = aliased(version) {
        version = real;
    }
    if let Some(plain) = without_flag(version) {
        version = plain;
    }
    if matches!(version, "master" | "trunk" | "default") {
        return Ok(format!("dev-{version}"));
    }
    if version.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("dev-")) {
        return Ok(format!("dev-{}", version.get(4..).unwrap_or_default()));
    }
    if let Some(plain) = without_build(version) {
        version = plain;
    }
    if let Some(normal) = classical(version).or_else(|| dated(version)) {
        return Ok(normal);
    }
    let stripped = strip_end(version);
    let lower = stripped.to_ascii_lowercase();
    if lower.ends_with("dev") && !version_has_newline(stripped) {
        let head = stripped.get(..stripped.len().saturating_sub(3)).unwrap_or_default();
        let head = head.strip_suffix(['.', '-']).unwrap_or(head);
        if let Some(branch) = numeric_branch(head) {
            return Ok(branch);
        }
    }
    Err(refuse())
}

/// `stable`, `RC`, `beta`, `alpha` or `dev`.
pub(super) fn stability(text: &str) -> &'static str {
    let version = match text.find('#') {
        Some(at) if at.saturating_add(1) < text.len() => text.get(..at).unwrap_or_default(),
        _ => text,
    };
    if version.starts_with("dev-") || version.ends_with("-dev") {
        return "dev";
    }
    let lower = version.to_ascii_lowercase();
    let plain = strip_end(&lower);
    // The expression is anchored at the end only: the first start that reaches the end decides.
    for (at, _) in plain.char_indices().chain([(plain.len(), ' ')]) {
        let tail = plain.get(at..).unwrap_or_default();
        let Some((modifier, rest)) = modifier_prefix(tail) else { continue };
        if !(rest.is_empty() || rest.starts_with('+')) {
            continue;
        }
        if modifier.dev {
            return "dev";
        }
        return match modifier.name {
            "beta" | "b" => "beta",
            "alpha" | "a" => "alpha",
            "rc" => "RC",
            _ => "stable",
        };
    }
    "stable"
}

fn is_php_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\0' | '\u{b}')
}

/// PCRE's `$` also stands before one final line feed.
fn strip_end(text: &str) -> &str {
    text.strip_suffix('\n').unwrap_or(text)
}

fn version_has_newline(text: &str) -> bool {
    text.contains('\n')
}

/// `1.0 as 2.0` means the first.
fn aliased(text: &str) -> Option<&str> {
    let is_word =
        |word: &str| !word.is_empty() && !word.contains([',', ' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
    let (left, rest) = text.split_once(' ')?;
    let rest = rest.trim_start_matches(' ').strip_prefix("as ")?.trim_start_matches(' ');
    (is_word(left) && is_word(strip_end(rest))).then_some(left)
}

/// Drops one `@dev`, `@beta`, ... at the end.
fn without_flag(text: &str) -> Option<&str> {
    let plain = strip_end(text);
    let (head, flag) = plain.rsplit_once('@')?;
    let known = ["stable", "rc", "beta", "alpha", "dev"].iter().any(|name| flag.eq_ignore_ascii_case(name));
    // PHP cuts the length of the match, which leaves a final line feed's place to the text before it.
    let kept = text.len().saturating_sub(flag.len().saturating_add(1));
    known.then(|| text.get(..kept).unwrap_or(head))
}

/// Drops `+build`.
fn without_build(text: &str) -> Option<&str> {
    let (head, build) = text.split_once('+')?;
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}');
    let build = strip_end(build);
    (!head.is_empty()
        && !head.contains(|c| c == ',' || is_space(c))
        && !build.is_empty()
        && !build.contains(is_space))
    .then_some(head)
}

#[derive(Debug, Default)]
struct Modifier<'a> {
    name: &'a str,
    number: &'a str,
    dev: bool,
}

const NAMES: [&str; 9] = ["stable", "beta", "b", "rc", "alpha", "a", "patch", "pl", "p"];

/// The longest reading of `[._-]?(name(number)?)?([.-]?dev)?` at the start; what is left comes back with it.
/// Without backtracking into shorter readings this is what the expression finds, since no shorter one could
/// be followed by the end of the text.
fn modifier_prefix(text: &str) -> Option<(Modifier<'_>, &str)> {
    let mut best: Option<(Modifier<'_>, &str)> = None;
    let without_separator = text.strip_prefix(['.', '_', '-']);
    for start in without_separator.into_iter().chain([text]) {
        let mut found = false;
        for name in NAMES {
            let Some(head) = start.get(..name.len()) else { continue };
            if !head.eq_ignore_ascii_case(name) {
                continue;
            }
            let after = start.get(name.len()..).unwrap_or_default();
            let digits = number_length(after);
            let (number, rest) = after.split_at(digits);
            let (dev, rest) = dev_suffix(rest);
            let candidate = (Modifier { name: head, number, dev }, rest);
            if rest.is_empty() || rest.starts_with('+') {
                return Some(candidate);
            }
            found = true;
            if best.is_none() {
                best = Some(candidate);
            }
        }
        let (dev, rest) = dev_suffix(start);
        if rest.is_empty() || rest.starts_with('+') {
            return Some((Modifier { dev, ..Modifier::default() }, rest));
        }
        if !found && best.is_none() {
            best = Some((Modifier { dev, ..Modifier::default() }, rest));
        }
    }
    best
}

/// Length of `([.-]?\d+)*`.
fn number_length(text: &str) -> usize {
    let mut length = 0;
    loop {
        let rest = text.get(length..).unwrap_or_default();
        let separator = usize::from(rest.starts_with(['.', '-']));
        let digits = rest.bytes().skip(separator).take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return length;
        }
        length = length.saturating_add(separator).saturating_add(digits);
    }
}

fn dev_suffix(text: &str) -> (bool, &str) {
    let start = text.strip_prefix(['.', '-']).unwrap_or(text);
    match start.get(..3) {
        Some(head) if head.eq_ignore_ascii_case("dev") => (true, start.get(3..).unwrap_or_default()),
        _ => (false, text),
    }
}

fn with_modifier(mut numbers: String, tail: &str) -> Option<String> {
    let (modifier, rest) = modifier_prefix(strip_end(tail))?;
    if !rest.is_empty() {
        return None;
    }
    // PHP compares with the text as written: `Stable` is not `stable` and is kept.
    if modifier.name == "stable" {
        return Some(numbers);
    }
    if !modifier.name.is_empty() {
        let lower = modifier.name.to_ascii_lowercase();
        let name = match lower.as_str() {
            "a" => "alpha",
            "b" => "beta",
            "p" | "pl" => "patch",
            "rc" => "RC",
            other => other,
        };
        numbers.push('-');
        numbers.push_str(name);
        numbers.push_str(modifier.number.trim_start_matches(['.', '-']));
    }
    if modifier.dev {
        numbers.push_str("-dev");
    }
    Some(numbers)
}

fn strip_v(text: &str) -> &str {
    text.strip_prefix(['v', 'V']).unwrap_or(text)
}

fn digits_at(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

/// One to four numbers, the first of at most five digits.
fn classical(text: &str) -> Option<String> {
    let (first, mut rest) = digits_at(strip_v(text));
    if first.is_empty() || first.len() > 5 {
        return None;
    }
    let mut numbers = first.to_owned();
    for _ in 0..3 {
        let next = rest.strip_prefix('.').map(digits_at).filter(|(digits, _)| !digits.is_empty());
        numbers.push('.');
        if let Some((digits, after)) = next {
            numbers.push_str(digits);
            rest = after;
        } else {
            numbers.push('0');
        }
    }
    with_modifier(numbers, rest)
}

/// A date or time: four digits, then one to six groups of two, then up to two groups of one to three.
fn dated(text: &str) -> Option<String> {
    let body = strip_v(text);
    let (year, rest) = body.split_at_checked(4)?;
    if !year.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // The expression is greedy with backtracking: try the longest readings first.
    for pairs in (1..=6).rev() {
        let Some(after_pairs) = groups(rest, pairs, 2) else { continue };
        for first in [3, 2, 1, 0] {
            for second in [3, 2, 1, 0] {
                if first == 0 && second != 0 {
                    continue;
                }
                let Some(tail) = optional_group(after_pairs, first).and_then(|t| optional_group(t, second))
                else {
                    continue;
                };
                let matched = body.get(..body.len().saturating_sub(tail.len())).unwrap_or_default();
                let numbers = matched.chars().map(|c| if c.is_ascii_digit() { c } else { '.' }).collect();
                if let Some(version) = with_modifier(numbers, tail) {
                    return Some(version);
                }
            }
        }
    }
    None
}

fn optional_group(text: &str, size: usize) -> Option<&str> {
    if size == 0 { Some(text) } else { groups(text, 1, size) }
}

fn groups(mut text: &str, count: usize, size: usize) -> Option<&str> {
    for _ in 0..count {
        let start = text.strip_prefix(['.', ':', '-']).unwrap_or(text);
        let (digits, rest) = start.split_at_checked(size)?;
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        text = rest;
    }
    Some(text)
}

/// `1.2.x` becomes `1.2.9999999.9999999-dev`.
fn numeric_branch(name: &str) -> Option<String> {
    let mut rest = strip_v(strip_end(name.trim_matches(is_php_space)));
    let (first, after) = digits_at(rest);
    if first.is_empty() {
        return None;
    }
    let mut version = first.to_owned();
    rest = after;
    for _ in 0..3 {
        version.push('.');
        match rest.strip_prefix('.') {
            None => version.push_str("9999999"),
            Some(after) => {
                if let Some(after) = after.strip_prefix(['x', 'X', '*']) {
                    version.push_str("9999999");
                    rest = after;
                } else {
                    let (digits, after) = digits_at(after);
                    if digits.is_empty() {
                        return None;
                    }
                    version.push_str(digits);
                    rest = after;
                }
            }
        }
    }
    rest.is_empty().then(|| format!("{version}-dev"))
}

/// PHP's `version_compare`: dots between every change of kind, then part by part.
fn version_compare(a: &[u8], b: &[u8]) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Less,
        (false, true) => return Ordering::Greater,
        (false, false) => {}
    }
    let (a, b) = (canonical(a), canonical(b));
    let (mut left, mut right) = (a.split(|c| *c == b'.'), b.split(|c| *c == b'.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (Some(part), None) => return compare_rest(part, true),
            (None, Some(part)) => return compare_rest(part, false),
            (Some(x), Some(y)) => compare_parts(x, y),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// What one side has more: a number makes it newer, a word is weighed against a number.
fn compare_rest(part: &[u8], left: bool) -> Ordering {
    let order = if starts_with_digit(part) { Ordering::Greater } else { rank(part).cmp(&NUMBER_RANK) };
    if left { order } else { order.reverse() }
}

fn compare_parts(x: &[u8], y: &[u8]) -> Ordering {
    match (starts_with_digit(x), starts_with_digit(y)) {
        (true, true) => long(x).cmp(&long(y)),
        (false, false) => rank(x).cmp(&rank(y)),
        (true, false) => NUMBER_RANK.cmp(&rank(y)),
        (false, true) => rank(x).cmp(&NUMBER_RANK),
    }
}

fn starts_with_digit(part: &[u8]) -> bool {
    part.first().is_some_and(u8::is_ascii_digit)
}

/// C's `strtol`: saturates at 2^63-1.
fn long(part: &[u8]) -> i64 {
    part.iter()
        .take_while(|b| b.is_ascii_digit())
        .fold(0_i64, |value, b| value.saturating_mul(10).saturating_add(i64::from(b - b'0')))
}

const NUMBER_RANK: i8 = 4;

/// Any other word is below all of them.
fn rank(word: &[u8]) -> i8 {
    const RANKS: [(&[u8], i8); 10] = [
        (b"dev", 0),
        (b"alpha", 1),
        (b"a", 1),
        (b"beta", 2),
        (b"b", 2),
        (b"RC", 3),
        (b"rc", 3),
        (b"#", NUMBER_RANK),
        (b"pl", 5),
        (b"p", 5),
    ];
    RANKS.iter().find(|(name, _)| word.starts_with(name)).map_or(-1, |(_, rank)| *rank)
}

fn canonical(text: &[u8]) -> Vec<u8> {
    let special = |b: u8| matches!(b, b'-' | b'_' | b'+');
    let word = |b: u8| !b.is_ascii_digit() && b != b'.';
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut previous = 0;
    for (i, &byte) in text.iter().enumerate() {
        if i == 0 {
            out.push(byte);
        } else {
            let change = (word(previous) && !special(previous) && byte.is_ascii_digit())
                || (previous.is_ascii_digit() && word(byte));
            let dot = special(byte) || change || !byte.is_ascii_alphanumeric();
            if dot && out.last() != Some(&b'.') {
                out.push(b'.');
            }
            if !special(byte) && (change || byte.is_ascii_alphanumeric()) {
                out.push(byte);
            }
        }
        previous = byte;
    }
    out
}
