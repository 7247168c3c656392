//! Which target paths a delegation is for.

use lotse_digest::Digest;

/// Paths by pattern, or by the beginning of their hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Paths {
    Patterns(Vec<String>),
    HashPrefixes(Vec<String>),
}

impl Paths {
    pub(super) fn matches(&self, path: &str) -> bool {
        match self {
            Self::Patterns(patterns) => patterns.iter().any(|pattern| matches(pattern, path)),
            Self::HashPrefixes(prefixes) => {
                let hash = Digest::sha256(path.as_bytes()).encoded();
                prefixes.iter().any(|prefix| hash.starts_with(prefix.as_str()))
            }
        }
    }
}

/// Whether a path fits a pattern of the shell: `*`, `?` and `[…]` stand for characters other than `/`. A leading dot is a
/// character like others.
fn matches(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) if segment(pattern, part) => {}
            _ => return false,
        }
    }
}

/// One part of a path. After a mismatch only the last `*` need take one character more, so the time is at most the product
/// of the lengths.
fn segment(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    let mut star: Option<(&str, &str)> = None;
    loop {
        let mut rest = pattern.chars();
        let head = rest.next();
        let next = text.chars().next();
        let matched = match (head, next) {
            (None, None) => return true,
            (Some('*'), _) => {
                pattern = rest.as_str();
                star = Some((pattern, text));
                continue;
            }
            (Some('?'), Some(_)) => Some(rest.as_str()),
            (Some('['), Some(character)) => match class(rest.as_str(), character) {
                Some((true, rest)) => Some(rest),
                Some((false, _)) => None,
                // Never closed: the character itself.
                None => (character == '[').then_some(rest.as_str()),
            },
            (Some(wanted), Some(character)) => (wanted == character).then_some(rest.as_str()),
            (Some(_), None) | (None, Some(_)) => None,
        };
        match (matched, &mut star) {
            (Some(rest), _) => {
                pattern = rest;
                text = skip(text);
            }
            (None, Some((after, from))) if !from.is_empty() => {
                *from = skip(from);
                (pattern, text) = (after, from);
            }
            (None, _) => return false,
        }
    }
}

fn skip(text: &str) -> &str {
    let mut characters = text.chars();
    characters.next();
    characters.as_str()
}

/// What stands behind a `[`: whether the character is of the class, and the pattern behind the `]`; `None` without one.
fn class(pattern: &str, character: char) -> Option<(bool, &str)> {
    let (negated, body) = match pattern.strip_prefix(['!', '^']) {
        Some(body) => (true, body),
        None => (false, pattern),
    };
    // The first character is of the class even if it is `]`.
    let end = body.char_indices().skip(1).find(|(_, character)| *character == ']').map(|(at, _)| at)?;
    let members: Vec<char> = body.get(..end)?.chars().collect();
    let mut found = false;
    let mut rest = members.as_slice();
    while let Some((first, after)) = rest.split_first() {
        rest = match after {
            ['-', last, behind @ ..] => {
                found |= (*first..=*last).contains(&character);
                behind
            }
            _ => {
                found |= *first == character;
                after
            }
        };
    }
    Some((found != negated, body.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_are_the_shells_and_stars_stop_at_slashes() {
        for (pattern, path, expected) in [
            // The specification's examples (section 4.5).
            ("targets/*.tgz", "targets/foo.tgz", true),
            ("targets/*.tgz", "targets/bar.tgz", true),
            ("targets/*.tgz", "targets/foo.txt", false),
            ("foo-version-?.tgz", "foo-version-2.tgz", true),
            ("foo-version-?.tgz", "foo-version-a.tgz", true),
            ("foo-version-?.tgz", "foo-version-alpha.tgz", false),
            ("*.tgz", "foo.tgz", true),
            ("*.tgz", "targets/foo.tgz", false),
            ("foo.tgz", "foo.tgz", true),
            ("foo.tgz", "foo.tgz2", false),
            ("*", "", true),
            ("*", "a", true),
            ("*", "a/b", false),
            ("**", "a/b", false),
            ("*/*", "a/b", true),
            ("*/*", "a/b/c", false),
            ("a/", "a/", true),
            ("a/", "a", false),
            ("", "", true),
            ("", "a", false),
            ("*.MD", "README.md", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("[ab]?", "bé", true),
            ("[!ab]", "a", false),
            ("[^ab]", "c", true),
            ("[a-c]x", "bx", true),
            ("[a-c]x", "dx", false),
            ("[]a]", "]", true),
            ("[a", "[a", true),
            ("[a", "a", false),
            ("?", "é", true),
            (".*", ".hidden", true),
            ("*", ".hidden", true),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern:?} {path:?}");
        }
        // What would take an exponential matcher for ever.
        assert!(!matches(&"*a".repeat(60), &"a".repeat(59)));
    }
}
