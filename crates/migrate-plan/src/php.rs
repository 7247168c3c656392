//! Just enough PHP to read a migration: words, strings and brackets, with their places.

use crate::error::Error;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Php {
    /// A name, keyword or variable (`$table`).
    Word(String),
    /// A string without interpolation.
    Text(String),
    /// A string whose value is not in the source.
    Dynamic,
    Number(String),
    /// `->`, `::`, `=>`, or one character.
    Sign(&'static str),
    Other(char),
}

#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) token: Php,
    pub(crate) line: u32,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Longest migration that is read.
const MAX_BYTES: usize = 1 << 20;

pub(crate) fn tokens(path: &str, text: &str) -> Result<Vec<Place>, Error> {
    if text.len() > MAX_BYTES {
        return Err(Error::TooLarge { path: path.to_owned(), bytes: text.len(), limit: MAX_BYTES });
    }
    let mut out = Vec::new();
    let (mut at, mut line) = (0_usize, 1_u32);
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some(first) = rest.chars().next() else { return Ok(out) };
        let broken = |reason| Error::Malformed { path: path.to_owned(), line, reason };
        let (token, length) = match first {
            c if c.is_whitespace() => (None, c.len_utf8()),
            '#' if !rest.starts_with("#[") => (None, line_end(rest)),
            '/' if rest.starts_with("//") => (None, line_end(rest)),
            '/' if rest.starts_with("/*") => {
                let end = rest.find("*/").ok_or_else(|| broken("the text ends inside a comment"))?;
                (None, end.saturating_add(2))
            }
            '<' if rest.starts_with("<?php") => (None, 5),
            '<' if rest.starts_with("<?=") => return Err(broken("a template is no migration")),
            '<' if rest.starts_with("<<<") => {
                let (token, length) =
                    heredoc(rest).ok_or_else(|| broken("the text ends inside a heredoc"))?;
                (Some(token), length)
            }
            '\'' | '"' => {
                let (token, length) =
                    string(rest, first).ok_or_else(|| broken("the text ends inside a string"))?;
                (Some(token), length)
            }
            c if c.is_ascii_digit() => {
                let length = rest
                    .bytes()
                    .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_'))
                    .count();
                (Some(Php::Number(rest.get(..length).unwrap_or_default().to_owned())), length)
            }
            c if c.is_alphabetic() || matches!(c, '_' | '$' | '\\') => {
                let length: usize = rest
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '\\'))
                    .map(char::len_utf8)
                    .sum();
                (Some(Php::Word(rest.get(..length).unwrap_or_default().to_owned())), length)
            }
            '-' if rest.starts_with("->") => (Some(Php::Sign("->")), 2),
            '?' if rest.starts_with("?->") => (Some(Php::Sign("->")), 3),
            ':' if rest.starts_with("::") => (Some(Php::Sign("::")), 2),
            '=' if rest.starts_with("=>") => (Some(Php::Sign("=>")), 2),
            c => (Some(Php::Other(c)), c.len_utf8()),
        };
        let taken = rest.get(..length).unwrap_or(rest);
        let end = at.saturating_add(taken.len());
        if let Some(token) = token {
            out.push(Place { token, line, start: at, end });
        }
        line = line.saturating_add(u32::try_from(taken.matches('\n').count()).unwrap_or(0));
        at = end;
    }
}

fn line_end(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

fn string(rest: &str, quote: char) -> Option<(Php, usize)> {
    let mut out = String::new();
    let mut dynamic = false;
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next()?.1 {
                'n' if quote == '"' => out.push('\n'),
                't' if quote == '"' => out.push('\t'),
                escaped @ ('\\' | '\'' | '"' | '$') => out.push(escaped),
                other => out.extend(['\\', other]),
            },
            c if c == quote => {
                let token = if dynamic { Php::Dynamic } else { Php::Text(out) };
                return Some((token, at.saturating_add(1)));
            }
            '$' if quote == '"' => {
                dynamic = true;
                out.push(c);
            }
            c => out.push(c),
        }
    }
    None
}

/// `<<<SQL … SQL` and `<<<'SQL' … SQL`, the closing word perhaps indented.
fn heredoc(rest: &str) -> Option<(Php, usize)> {
    let (head, body) = rest.split_once('\n')?;
    let word = head.trim_start_matches('<').trim();
    let raw = word.starts_with('\'');
    let word = word.trim_matches(['\'', '"']);
    if word.is_empty() {
        return None;
    }
    let mut used = head.len().saturating_add(1);
    let mut lines = Vec::new();
    for line in body.split_inclusive('\n') {
        let trimmed = line.trim_start();
        let closes = trimmed
            .strip_prefix(word)
            .is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
        if closes {
            used = used.saturating_add(line.len().saturating_sub(trimmed.len())).saturating_add(word.len());
            let text: String = lines.concat();
            let dynamic = !raw && text.contains('$');
            return Some((if dynamic { Php::Dynamic } else { Php::Text(text) }, used));
        }
        used = used.saturating_add(line.len());
        lines.push(line);
    }
    None
}
