//! Alpine's order, in the two generations of apk-tools that are in use.

use std::cmp::Ordering;

/// Which apk-tools decides. The two agree on what Alpine publishes and differ on odd and invalid versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ApkGeneration {
    /// apk-tools 2.14, up to Alpine 3.22.
    V2,
    /// apk-tools 3.0, from Alpine 3.23 on and in `edge`.
    V3,
}

impl ApkGeneration {
    /// The generation that a release (`v3.20`, `3.23.1`, `edge`) ships; without a release the current one.
    #[must_use]
    pub fn of_release(release: Option<&str>) -> Self {
        let Some(release) = release else { return Self::V3 };
        let mut numbers = release.strip_prefix('v').unwrap_or(release).split('.').map(str::parse::<u32>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) if (major, minor) < (3, 23) => Self::V2,
            _ => Self::V3,
        }
    }
}

pub(super) fn compare(a: &str, b: &str, generation: ApkGeneration) -> Ordering {
    match generation {
        ApkGeneration::V3 => v3::compare(a.as_bytes(), b.as_bytes()),
        ApkGeneration::V2 => v2::compare(a.as_bytes(), b.as_bytes()),
    }
}

pub(super) fn valid(version: &str, generation: ApkGeneration) -> bool {
    match generation {
        ApkGeneration::V3 => v3::valid(version.as_bytes()),
        ApkGeneration::V2 => v2::valid(version.as_bytes()),
    }
}

const PRE: [&[u8]; 4] = [b"alpha", b"beta", b"pre", b"rc"];
const POST: [&[u8]; 5] = [b"cvs", b"svn", b"git", b"hg", b"p"];

fn split(text: &[u8], belongs: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let end = text.iter().position(|b| !belongs(b)).unwrap_or(text.len());
    text.split_at(end)
}

/// A version is read part by part; both are read as long as their parts are equal.
mod v3 {
    use super::{Ordering, POST, PRE, split};

    /// The kinds in the order in which they may follow each other; a later one where the other version has an
    /// earlier one means the older version.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    enum Kind {
        First,
        Number,
        Letter,
        Suffix,
        SuffixNumber,
        Hash,
        Revision,
        End,
        Invalid,
    }

    #[derive(Debug, Clone, Copy)]
    struct Part<'a> {
        kind: Kind,
        text: &'a [u8],
        rank: i8,
    }

    pub(super) fn valid(version: &[u8]) -> bool {
        let (mut part, mut rest) = first(version);
        while part.kind < Kind::End {
            (part, rest) = next(part.kind, rest);
        }
        part.kind == Kind::End
    }

    pub(super) fn compare(a: &[u8], b: &[u8]) -> Ordering {
        let ((mut x, mut a), (mut y, mut b)) = (first(a), first(b));
        while x.kind == y.kind && x.kind < Kind::End {
            let order = compare_parts(x, y);
            if order != Ordering::Equal {
                return order;
            }
            (x, a) = next(x.kind, a);
            (y, b) = next(y.kind, b);
        }
        let prerelease = |part: Part<'_>| part.kind == Kind::Suffix && part.rank < 0;
        if x.kind == y.kind {
            Ordering::Equal
        } else if prerelease(x) {
            Ordering::Less
        } else if prerelease(y) {
            Ordering::Greater
        } else {
            y.kind.cmp(&x.kind)
        }
    }

    fn compare_parts(x: Part<'_>, y: Part<'_>) -> Ordering {
        match x.kind {
            // A later number with a leading zero is text, like a fraction.
            Kind::Number if x.text.first() == Some(&b'0') || y.text.first() == Some(&b'0') => {
                x.text.cmp(y.text)
            }
            Kind::First | Kind::Number | Kind::SuffixNumber | Kind::Revision => {
                number(x.text).cmp(&number(y.text))
            }
            Kind::Suffix => x.rank.cmp(&y.rank),
            _ => x.text.cmp(y.text),
        }
    }

    /// apk counts modulo 2^64.
    fn number(digits: &[u8]) -> u64 {
        digits.iter().fold(0_u64, |n, b| n.wrapping_mul(10).wrapping_add(u64::from(b.wrapping_sub(b'0'))))
    }

    fn first(text: &[u8]) -> (Part<'_>, &[u8]) {
        let (digits, rest) = split(text, u8::is_ascii_digit);
        let kind = if digits.is_empty() { Kind::Invalid } else { Kind::First };
        (Part { kind, text: digits, rank: 0 }, rest)
    }

    fn next(last: Kind, text: &[u8]) -> (Part<'_>, &[u8]) {
        let invalid = (Part { kind: Kind::Invalid, text: &[], rank: 0 }, text);
        let Some((&head, tail)) = text.split_first() else {
            return (Part { kind: Kind::End, text: &[], rank: 0 }, text);
        };
        let part = |kind, text| Part { kind, text, rank: 0 };
        match head {
            b'a'..=b'z' if last <= Kind::Number => {
                let (letter, rest) = text.split_at(1);
                (part(Kind::Letter, letter), rest)
            }
            b'.' if last <= Kind::Number => {
                let (digits, rest) = split(tail, u8::is_ascii_digit);
                if digits.is_empty() { invalid } else { (part(Kind::Number, digits), rest) }
            }
            b'0'..=b'9' if last == Kind::Suffix => {
                let (digits, rest) = split(text, u8::is_ascii_digit);
                (part(Kind::SuffixNumber, digits), rest)
            }
            b'_' if last <= Kind::SuffixNumber => {
                let (word, rest) = split(tail, u8::is_ascii_lowercase);
                match suffix_rank(word) {
                    Some(rank) => (Part { kind: Kind::Suffix, text: word, rank }, rest),
                    None => invalid,
                }
            }
            b'~' if last < Kind::Hash => {
                let (hash, rest) = split(tail, |b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                if hash.is_empty() { invalid } else { (part(Kind::Hash, hash), rest) }
            }
            b'-' if last < Kind::Revision => {
                let Some((b'r', after)) = tail.split_first() else { return invalid };
                let (digits, rest) = split(after, u8::is_ascii_digit);
                if digits.is_empty() { invalid } else { (part(Kind::Revision, digits), rest) }
            }
            _ => invalid,
        }
    }

    fn suffix_rank(word: &[u8]) -> Option<i8> {
        let position =
            |list: &[&[u8]]| list.iter().position(|name| *name == word).and_then(|i| i8::try_from(i).ok());
        position(&PRE).map(|i| i.saturating_sub(4)).or_else(|| position(&POST))
    }
}

/// The older reader: it knows what must come next, and a number may turn into a run of zeros.
mod v2 {
    use super::{Ordering, POST, PRE};

    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    enum Next {
        Invalid,
        NumberOrZeros,
        Number,
        Letter,
        Suffix,
        SuffixNumber,
        Revision,
        End,
    }

    pub(super) fn valid(version: &[u8]) -> bool {
        let (mut next, mut rest) = (Next::Number, version);
        while next != Next::End && next != Next::Invalid {
            (_, next, rest) = take(next, rest);
        }
        next == Next::End
    }

    pub(super) fn compare(a: &[u8], b: &[u8]) -> Ordering {
        let (mut next_a, mut next_b, mut a, mut b) = (Next::Number, Next::Number, a, b);
        let (mut value_a, mut value_b) = (0, 0);
        while next_a == next_b && next_a != Next::End && next_a != Next::Invalid && value_a == value_b {
            (value_a, next_a, a) = take(next_a, a);
            (value_b, next_b, b) = take(next_b, b);
        }
        if value_a != value_b {
            return value_a.cmp(&value_b);
        }
        if next_a == next_b {
            return Ordering::Equal;
        }
        if next_a == Next::Suffix && take(next_a, a).0 < 0 {
            return Ordering::Less;
        }
        if next_b == Next::Suffix && take(next_b, b).0 < 0 {
            return Ordering::Greater;
        }
        next_b.cmp(&next_a)
    }

    /// Reads one part of the announced kind: its value, what comes next, what is left.
    fn take(kind: Next, text: &[u8]) -> (i64, Next, &[u8]) {
        let invalid = (-1, Next::Invalid, text);
        if text.is_empty() {
            return (0, Next::End, text);
        }
        let (value, length, then) = match kind {
            Next::NumberOrZeros if text.first() == Some(&b'0') => {
                // The last zero of the run is left to be read as a number.
                let zeros = text.iter().skip(1).take_while(|b| **b == b'0').count();
                (i64::try_from(zeros).map_or(i64::MIN, |z| -z), zeros, Some(Next::Number))
            }
            Next::NumberOrZeros | Next::Number | Next::SuffixNumber | Next::Revision => {
                let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
                if digits >= 18 {
                    return invalid;
                }
                let value = text.iter().take(digits).fold(0_i64, |v, b| v * 10 + i64::from(b - b'0'));
                (value, digits, None)
            }
            Next::Letter => (text.first().map_or(0, |b| i64::from(*b)), 1, None),
            Next::Suffix => {
                let find = |list: &[&[u8]], base: i64| {
                    (base..)
                        .zip(list)
                        .find(|(_, name)| text.starts_with(name))
                        .map(|(value, name)| (value, name.len(), None))
                };
                match find(&PRE, -4).or_else(|| find(&POST, 0)) {
                    Some(found) => found,
                    None => return invalid,
                }
            }
            Next::Invalid | Next::End => return invalid,
        };
        let rest = text.get(length..).unwrap_or_default();
        if rest.is_empty() {
            return (value, Next::End, rest);
        }
        if let Some(then) = then {
            return (value, then, rest);
        }
        let (next, rest) = announce(kind, rest);
        (value, next, rest)
    }

    /// What the next character announces after a part of this kind.
    fn announce(last: Next, text: &[u8]) -> (Next, &[u8]) {
        let Some((&head, tail)) = text.split_first() else { return (Next::End, text) };
        let (next, rest) = match (last, head) {
            (Next::Number | Next::NumberOrZeros, b'a'..=b'z') => (Next::Letter, text),
            (Next::Letter, b'0'..=b'9') => (Next::Number, text),
            (Next::Suffix, b'0'..=b'9') => (Next::SuffixNumber, text),
            (_, b'.') => (Next::NumberOrZeros, tail),
            (_, b'_') => (Next::Suffix, tail),
            (_, b'-') => match tail.split_first() {
                Some((b'r', after)) => (Next::Revision, after),
                _ => (Next::Invalid, tail),
            },
            _ => (Next::Invalid, tail),
        };
        let back = matches!(
            (next, last),
            (Next::NumberOrZeros, Next::Number)
                | (Next::Suffix, Next::SuffixNumber)
                | (Next::Number, Next::Letter)
        );
        (if next < last && !back { Next::Invalid } else { next }, rest)
    }
}
