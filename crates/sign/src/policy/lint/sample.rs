//! Texts that a regular expression matches, made from its syntax and then tried.

use crate::policy::regexp::GoRegex;

/// A short text that the pattern matches, anchors left out; `None` if none was found.
pub(super) fn matching(pattern: &str) -> Option<String> {
    let regex = GoRegex::new(pattern).ok()?;
    branches(pattern).into_iter().map(|branch| sample(&branch)).find(|text| regex.matches(text))
}

/// The parts between `|` outside of brackets.
pub(super) fn branches(pattern: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let (mut depth, mut class, mut escaped) = (0usize, false, false);
    for character in pattern.chars() {
        let top = depth == 0 && !class && !escaped;
        if character == '|' && top {
            found.push(String::new());
            continue;
        }
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' if !class => class = true,
            ']' if class => class = false,
            '(' if !class => depth += 1,
            ')' if !class => depth = depth.saturating_sub(1),
            _ => {}
        }
        if let Some(last) = found.last_mut() {
            last.push(character);
        }
    }
    found
}

/// Reads one branch; what is not understood gives a text that does not match, which the caller notices.
fn sample(branch: &str) -> String {
    let characters: Vec<char> = branch.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        let (unit, next) = unit(&characters, at, character);
        let (least, after) = repetition(&characters, next);
        for _ in 0..least {
            out.push_str(&unit);
        }
        at = after.max(at + 1);
    }
    out
}

/// One operand as a text, and where the next one starts.
fn unit(characters: &[char], at: usize, character: char) -> (String, usize) {
    match character {
        '^' | '$' => (String::new(), at + 1),
        // A bare dot is most likely meant.
        '.' if !matches!(characters.get(at + 1), Some('*' | '+' | '?' | '{')) => (".".to_owned(), at + 1),
        '.' => ("x".to_owned(), at + 1),
        '\\' => match characters.get(at + 1) {
            Some('d') => ("0".to_owned(), at + 2),
            Some('w' | 'S' | 'D') => ("x".to_owned(), at + 2),
            Some('s') => (" ".to_owned(), at + 2),
            Some('A' | 'z' | 'b') => (String::new(), at + 2),
            Some('n') => ("\n".to_owned(), at + 2),
            Some('t') => ("\t".to_owned(), at + 2),
            Some(other) => (other.to_string(), at + 2),
            None => (String::new(), at + 1),
        },
        '[' => class(characters, at),
        '(' => {
            let mut depth = 0usize;
            let mut end = at;
            while let Some(inner) = characters.get(end) {
                match inner {
                    '\\' => end += 1,
                    '(' => depth += 1,
                    ')' => {
                        depth -= 1;
                        if depth == 0 {
                            break;
                        }
                    }
                    _ => {}
                }
                end += 1;
            }
            let inside: String = characters.get(at + 1..end).unwrap_or_default().iter().collect();
            let inside = match inside.strip_prefix('?') {
                Some(rest) => rest.split_once([':', '>']).map_or("", |(_, inside)| inside).to_owned(),
                None => inside,
            };
            let first = branches(&inside).into_iter().next().unwrap_or_default();
            (sample(&first), end + 1)
        }
        other => (other.to_string(), at + 1),
    }
}

/// A character class: its first member, or for a negated one a character that it does not name.
fn class(characters: &[char], at: usize) -> (String, usize) {
    let mut end = at + 1;
    let negated = characters.get(end) == Some(&'^');
    if negated {
        end += 1;
    }
    let start = end;
    while let Some(inner) = characters.get(end) {
        match inner {
            '\\' => end += 1,
            ']' if end > start => break,
            _ => {}
        }
        end += 1;
    }
    let inside: Vec<char> = characters.get(start..end).unwrap_or_default().to_vec();
    let text = if negated {
        "xay0-".chars().find(|candidate| !inside.contains(candidate)).map(String::from).unwrap_or_default()
    } else {
        match inside.as_slice() {
            ['\\', 'd', ..] => "0".to_owned(),
            ['\\', 'w', ..] => "x".to_owned(),
            ['\\', other, ..] => other.to_string(),
            [first, ..] => first.to_string(),
            [] => String::new(),
        }
    };
    (text, end + 1)
}

/// How often at least, and where the repetition ends.
fn repetition(characters: &[char], at: usize) -> (usize, usize) {
    let (least, mut next) = match characters.get(at) {
        Some('*') => (0, at + 1),
        Some('?') => (0, at + 1),
        Some('+') => (1, at + 1),
        Some('{') => {
            let digits: String = characters
                .get(at + 1..)
                .unwrap_or_default()
                .iter()
                .take_while(|character| character.is_ascii_digit())
                .collect();
            let close =
                characters.get(at..).unwrap_or_default().iter().position(|character| *character == '}');
            match (digits.parse(), close) {
                (Ok(least), Some(close)) => (least, at + close + 1),
                _ => return (1, at),
            }
        }
        _ => return (1, at),
    };
    if characters.get(next) == Some(&'?') {
        next += 1;
    }
    (least, next)
}
