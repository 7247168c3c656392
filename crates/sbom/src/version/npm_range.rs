//! npm's ranges: `^1.2`, `~1.2.3`, `1.x || >=2.0.0 <3`, `1.0 - 2.0`. Strict, without prereleases of other versions.

use super::RangeError;
use super::npm::{Parsed, is_js_space, strict_prerelease};
use std::cmp::Ordering;

pub(super) fn matches(range: &str, version: &str) -> Result<bool, RangeError> {
    let refuse = || RangeError::Range(range.chars().take(200).collect());
    let words: Vec<&str> = range.split(is_js_space).filter(|w| !w.is_empty()).collect();
    let mut sets = Vec::new();
    for alternative in words.join(" ").split("||") {
        sets.push(set(alternative.trim()).ok_or_else(refuse)?);
    }
    let version = Parsed::parse(version, false)?;
    Ok(sets.iter().any(|set| meets(set, &version)))
}

/// One bound, e.g. `<2.0.0-0`.
struct Bound {
    operator: &'static str,
    triple: [u64; 3],
    prerelease: Vec<String>,
}

/// A prerelease fits only where a bound names a prerelease of the same three numbers.
fn meets(set: &[Bound], version: &Parsed<'_>) -> bool {
    let fits = |bound: &Bound| {
        let prerelease: Vec<&str> = bound.prerelease.iter().map(String::as_str).collect();
        let order = version.compare_to(&bound.triple, &prerelease);
        match bound.operator {
            "<" => order == Ordering::Less,
            "<=" => order != Ordering::Greater,
            ">" => order == Ordering::Greater,
            ">=" => order != Ordering::Less,
            _ => order == Ordering::Equal,
        }
    };
    let invited = |bound: &Bound| !bound.prerelease.is_empty() && bound.triple == version.triple;
    set.iter().all(fits) && (version.prerelease.is_empty() || set.iter().any(invited))
}

/// All bounds of one alternative; none at all means every version.
fn set(text: &str) -> Option<Vec<Bound>> {
    let mut bounds = Vec::new();
    if let Some((from, to)) = hyphen(text) {
        bounds.extend(lower(&from)?);
        bounds.extend(upper(&to)?);
        return Some(bounds);
    }
    for comparator in join_operators(text).split(' ').filter(|c| !c.is_empty()) {
        comparator_bounds(comparator, &mut bounds)?;
    }
    // Everything is at least 0.0.0.
    bounds.retain(|b| !(b.operator == ">=" && b.triple == [0, 0, 0] && b.prerelease.is_empty()));
    Some(bounds)
}

/// A version with parts left open.
struct Partial<'a> {
    /// What stood before the first number: nothing, `v`, `=`, blanks.
    prefix: &'a str,
    /// `None` is an open part.
    parts: [Option<&'a str>; 3],
    prerelease: Vec<&'a str>,
}

fn partial(text: &str) -> Option<Partial<'_>> {
    let body = text.trim_start_matches(['v', '=', ' ']);
    let prefix = text.get(..text.len().saturating_sub(body.len()))?;
    let mut parts = [None; 3];
    let mut rest = body;
    let mut count = 0;
    for (i, slot) in parts.iter_mut().enumerate() {
        if i > 0 {
            match rest.strip_prefix('.') {
                Some(after) => rest = after,
                None => break,
            }
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            let (number, after) = rest.split_at(digits);
            if digits > 1 && number.starts_with('0') {
                return None;
            }
            *slot = Some(number);
            rest = after;
        } else {
            rest = rest.strip_prefix(['x', 'X', '*'])?;
        }
        count = i;
    }
    if count < 2 {
        return rest.is_empty().then_some(Partial { prefix, parts, prerelease: Vec::new() });
    }
    let (rest, build) = match rest.split_once('+') {
        Some((rest, build)) => (rest, Some(build)),
        None => (rest, None),
    };
    let valid_build = build.is_none_or(|b| {
        b.split('.').all(|id| !id.is_empty() && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-'))
    });
    let prerelease = strict_prerelease(rest)?;
    valid_build.then_some(Partial { prefix, parts, prerelease })
}

/// `a - b`, blanks on both sides.
fn hyphen(text: &str) -> Option<(String, String)> {
    let (from, to) = text.split_once(" - ")?;
    partial(from.trim())?;
    partial(to.trim())?;
    Some((from.trim().to_owned(), to.trim().to_owned()))
}

fn bound(operator: &'static str, triple: [Option<u64>; 3], prerelease: &[&str]) -> Option<Bound> {
    const MAX_SAFE: u64 = 9_007_199_254_740_991;
    let [major, minor, patch] = triple;
    let triple = [major?, minor?, patch?];
    let prerelease = prerelease.iter().map(|p| (*p).to_owned()).collect();
    triple.iter().all(|n| *n <= MAX_SAFE).then_some(Bound { operator, triple, prerelease })
}

fn number(text: Option<&str>) -> Option<u64> {
    text?.parse().ok()
}

fn next(text: Option<&str>) -> Option<u64> {
    number(text)?.checked_add(1)
}

/// A prefix that a full version may have in a comparator: nothing or one `v`.
fn plain(prefix: &str) -> bool {
    matches!(prefix, "" | "v")
}

fn lower(text: &str) -> Option<Vec<Bound>> {
    let p = partial(text)?;
    Some(match p.parts {
        [None, ..] => Vec::new(),
        [major, None, _] => vec![bound(">=", [number(major), Some(0), Some(0)], &[])?],
        [major, minor, None] => vec![bound(">=", [number(major), number(minor), Some(0)], &[])?],
        [major, minor, patch] if plain(p.prefix) => {
            vec![bound(">=", [number(major), number(minor), number(patch)], &p.prerelease)?]
        }
        _ => return None,
    })
}

fn upper(text: &str) -> Option<Vec<Bound>> {
    let p = partial(text)?;
    Some(match p.parts {
        [None, ..] => Vec::new(),
        [major, None, _] => vec![bound("<", [next(major), Some(0), Some(0)], &["0"])?],
        [major, minor, None] => vec![bound("<", [number(major), next(minor), Some(0)], &["0"])?],
        // With a prerelease the bound is put together anew, without it it is taken as written.
        [major, minor, patch] if plain(p.prefix) || !p.prerelease.is_empty() => {
            vec![bound("<=", [number(major), number(minor), number(patch)], &p.prerelease)?]
        }
        _ => return None,
    })
}

/// Blanks between an operator and its version vanish; `~>` with a blank is `~`.
fn join_operators(text: &str) -> String {
    let mut out = String::new();
    let words: Vec<&str> = text.split(' ').collect();
    for (i, word) in words.iter().enumerate() {
        let operator = word.trim_start_matches(|c: char| !matches!(c, '<' | '>' | '=' | '~' | '^'));
        let only_operator = !operator.is_empty()
            && operator.len() == word.len()
            && word.chars().all(|c| matches!(c, '<' | '>' | '=' | '~' | '^'));
        let joined = match *word {
            "~>" => "~",
            other => other,
        };
        out.push_str(joined);
        if !(only_operator && i + 1 < words.len()) {
            out.push(' ');
        }
    }
    out
}

/// Build metadata says nothing about the order and is taken out, wherever it stands.
fn without_build(text: &str) -> String {
    let Some((before, after)) = text.split_once('+') else { return text.to_owned() };
    let length = |text: &str| text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'-').count();
    let mut end = length(after);
    if end == 0 {
        return text.to_owned();
    }
    while after.get(end..).is_some_and(|rest| rest.starts_with('.')) {
        let more = length(after.get(end.saturating_add(1)..).unwrap_or_default());
        if more == 0 {
            break;
        }
        end = end.saturating_add(1).saturating_add(more);
    }
    format!("{before}{}", after.get(end..).unwrap_or_default())
}

fn comparator_bounds(text: &str, out: &mut Vec<Bound>) -> Option<()> {
    let text = &without_build(text);
    if let Some(rest) = text.strip_prefix('^') {
        return caret(&partial(rest)?, out);
    }
    if let Some(rest) = text.strip_prefix('~') {
        return tilde(&partial(rest.strip_prefix('>').unwrap_or(rest))?, out);
    }
    let (operator, rest) = ["<=", ">=", "<", ">", "="]
        .into_iter()
        .find_map(|op| text.strip_prefix(op).map(|rest| (op, rest)))
        .unwrap_or(("", text));
    let p = partial(rest)?;
    // After an open part there is no number.
    if matches!(p.parts, [None, Some(_), _] | [_, None, Some(_)]) {
        return None;
    }
    match (operator, p.parts) {
        ("<" | ">", [None, ..]) => out.push(bound("<", [Some(0), Some(0), Some(0)], &["0"])?),
        (_, [None, ..]) => {}
        ("" | "=", [major, None, _]) => {
            out.push(bound(">=", [number(major), Some(0), Some(0)], &[])?);
            out.push(bound("<", [next(major), Some(0), Some(0)], &["0"])?);
        }
        ("" | "=", [major, minor, None]) => {
            out.push(bound(">=", [number(major), number(minor), Some(0)], &[])?);
            out.push(bound("<", [number(major), next(minor), Some(0)], &["0"])?);
        }
        (">", [major, None, _]) => out.push(bound(">=", [next(major), Some(0), Some(0)], &[])?),
        (">", [major, minor, None]) => out.push(bound(">=", [number(major), next(minor), Some(0)], &[])?),
        ("<=", [major, None, _]) => out.push(bound("<", [next(major), Some(0), Some(0)], &["0"])?),
        ("<=", [major, minor, None]) => out.push(bound("<", [number(major), next(minor), Some(0)], &["0"])?),
        (operator, [major, minor, None]) => {
            let minor = if minor.is_none() { Some(0) } else { number(minor) };
            let prerelease: &[&str] = if operator == "<" { &["0"] } else { &[] };
            out.push(bound(operator, [number(major), minor, Some(0)], prerelease)?);
        }
        (operator, [major, minor, patch]) => {
            if !plain(p.prefix) {
                return None;
            }
            out.push(bound(operator, [number(major), number(minor), number(patch)], &p.prerelease)?);
        }
    }
    Some(())
}

fn caret(p: &Partial<'_>, out: &mut Vec<Bound>) -> Option<()> {
    let zero = Some("0");
    let (from, to) = match p.parts {
        [None, ..] => return Some(()),
        [major, None, _] => ([number(major), Some(0), Some(0)], [next(major), Some(0), Some(0)]),
        [major, minor, None] if major == zero => {
            ([Some(0), number(minor), Some(0)], [Some(0), next(minor), Some(0)])
        }
        [major, minor, None] => ([number(major), number(minor), Some(0)], [next(major), Some(0), Some(0)]),
        [major, minor, patch] => {
            let to = match (major == zero, minor == zero) {
                (true, true) => [Some(0), Some(0), next(patch)],
                (true, false) => [Some(0), next(minor), Some(0)],
                (false, _) => [next(major), Some(0), Some(0)],
            };
            ([number(major), number(minor), number(patch)], to)
        }
    };
    out.push(bound(">=", from, &p.prerelease)?);
    out.push(bound("<", to, &["0"])?);
    Some(())
}

fn tilde(p: &Partial<'_>, out: &mut Vec<Bound>) -> Option<()> {
    let (from, to) = match p.parts {
        [None, ..] => return Some(()),
        [major, None, _] => ([number(major), Some(0), Some(0)], [next(major), Some(0), Some(0)]),
        [major, minor, patch] => {
            let patch = if patch.is_none() { Some(0) } else { number(patch) };
            ([number(major), number(minor), patch], [number(major), next(minor), Some(0)])
        }
    };
    out.push(bound(">=", from, &p.prerelease)?);
    out.push(bound("<", to, &["0"])?);
    Some(())
}
