//! SQL words as each engine reads them.

use crate::engine::Engine;

/// One token. Comments and white space are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A bare word, lower case.
    Word(String),
    /// A quoted name, as it is.
    Name(String),
    /// A string literal or dollar-quoted body.
    Text(String),
    /// A number.
    Number(String),
    /// Any other character.
    Sign(char),
}

/// A token with its place in the text.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) token: Token,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// What a text could not be read for: a byte offset and why.
pub(crate) type Broken = (usize, &'static str);

/// Reads one token at an offset; `None` at the end.
pub(crate) struct Lexer<'a> {
    text: &'a str,
    engine: Engine,
    at: usize,
    /// Open `/*!` comments, whose content counts.
    versioned: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str, engine: Engine) -> Self {
        Self { text, engine, at: 0, versioned: 0 }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn jump(&mut self, to: usize) {
        self.at = to;
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes).min(self.text.len());
    }

    /// White space and comments; `/*! … */` only loses its marks on MySQL and MariaDB.
    pub(crate) fn blank(&mut self) -> Result<(), Broken> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.skip(rest.len().saturating_sub(trimmed.len()));
            let rest = trimmed;
            let mysql = self.engine.is_mysql_family();
            let dashes =
                rest.starts_with("--") && (!mysql || rest.get(2..3).is_none_or(|c| c.trim().is_empty()));
            if dashes || (mysql && rest.starts_with('#')) {
                self.skip(rest.find('\n').unwrap_or(rest.len()));
            } else if mysql
                && (rest.starts_with("/*!") || (self.engine == Engine::MariaDb && rest.starts_with("/*M!")))
            {
                let mark = if rest.starts_with("/*!") { 3 } else { 4 };
                let digits = rest.bytes().skip(mark).take_while(u8::is_ascii_digit).count();
                self.skip(mark.saturating_add(digits));
                self.versioned = self.versioned.saturating_add(1);
            } else if self.versioned > 0 && rest.starts_with("*/") {
                self.versioned = self.versioned.saturating_sub(1);
                self.skip(2);
            } else if rest.starts_with("/*") {
                self.comment()?;
            } else {
                return Ok(());
            }
        }
    }

    /// PostgreSQL's comments nest, the others' do not.
    fn comment(&mut self) -> Result<(), Broken> {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            let rest = self.rest();
            let nested = depth == 0 || self.engine == Engine::Postgres;
            if nested && rest.starts_with("/*") {
                depth = depth.saturating_add(1);
                self.skip(2);
            } else if rest.starts_with("*/") {
                depth = depth.saturating_sub(1);
                self.skip(2);
                if depth == 0 {
                    return Ok(());
                }
            } else if let Some(c) = rest.chars().next() {
                self.skip(c.len_utf8());
            } else {
                return Err((start, "the text ends inside a comment"));
            }
        }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Placed>, Broken> {
        self.blank()?;
        let (start, rest) = (self.at, self.rest());
        let Some(first) = rest.chars().next() else { return Ok(None) };
        let mysql = self.engine.is_mysql_family();
        let token = match first {
            '\'' => Token::Text(self.quoted('\'', mysql)?),
            '"' if mysql => Token::Text(self.quoted('"', true)?),
            '"' => Token::Name(self.quoted('"', false)?),
            '`' => Token::Name(self.quoted('`', false)?),
            '[' if self.engine == Engine::Sqlite => Token::Name(self.quoted(']', false)?),
            '$' if self.engine == Engine::Postgres => match self.dollar()? {
                Some(body) => Token::Text(body),
                None => {
                    self.skip(1);
                    Token::Sign('$')
                }
            },
            'e' | 'E' if self.engine == Engine::Postgres && rest.get(1..2) == Some("'") => {
                self.skip(1);
                Token::Text(self.quoted('\'', true)?)
            }
            c if c.is_ascii_digit() => {
                let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'.').count();
                self.skip(length);
                Token::Number(rest.get(..length).unwrap_or_default().to_owned())
            }
            c if c.is_alphabetic() || c == '_' => {
                let length: usize = rest
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
                    .map(char::len_utf8)
                    .sum();
                self.skip(length);
                Token::Word(rest.get(..length).unwrap_or_default().to_lowercase())
            }
            c => {
                self.skip(c.len_utf8());
                Token::Sign(c)
            }
        };
        Ok(Some(Placed { token, start, end: self.at }))
    }

    /// Up to the closing quote; a doubled one stands for itself, a backslash escapes where the engine says so.
    fn quoted(&mut self, close: char, backslash: bool) -> Result<String, Broken> {
        let start = self.at;
        self.skip(1);
        let mut out = String::new();
        loop {
            let mut chars = self.rest().chars();
            match (chars.next(), chars.next()) {
                (None, _) => return Err((start, "the text ends inside a quoted string or name")),
                (Some(c), Some(next)) if c == '\\' && backslash => {
                    out.push(next);
                    self.skip(c.len_utf8().saturating_add(next.len_utf8()));
                }
                (Some(c), Some(next)) if c == close && next == close && close != ']' => {
                    out.push(c);
                    self.skip(2);
                }
                (Some(c), _) if c == close => {
                    self.skip(1);
                    return Ok(out);
                }
                (Some(c), _) => {
                    out.push(c);
                    self.skip(c.len_utf8());
                }
            }
        }
    }

    /// `$tag$ … $tag$`; `None` if this dollar opens none (`$1`).
    fn dollar(&mut self) -> Result<Option<String>, Broken> {
        let rest = self.rest();
        let tag: usize =
            rest.chars().skip(1).take_while(|c| c.is_alphanumeric() || *c == '_').map(char::len_utf8).sum();
        let Some(mark) = rest.get(..tag.saturating_add(2)).filter(|m| m.ends_with('$')) else {
            return Ok(None);
        };
        if rest.get(1..2).is_some_and(|c| c.starts_with(|c: char| c.is_ascii_digit())) {
            return Ok(None);
        }
        let body = rest.get(mark.len()..).unwrap_or_default();
        let Some(end) = body.find(mark) else {
            return Err((self.at, "the text ends inside a dollar-quoted body"));
        };
        self.skip(mark.len().saturating_add(end).saturating_add(mark.len()));
        Ok(Some(body.get(..end).unwrap_or_default().to_owned()))
    }
}
