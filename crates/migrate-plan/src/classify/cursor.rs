//! Walking over the tokens of one statement.

use crate::engine::Engine;
use crate::token::Token;

pub(super) struct Cursor<'a> {
    tokens: &'a [Token],
    engine: Engine,
    at: usize,
    failed: bool,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(tokens: &'a [Token], engine: Engine) -> Self {
        Self { tokens, engine, at: 0, failed: false }
    }

    pub(super) fn engine(&self) -> Engine {
        self.engine
    }

    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    pub(super) fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    pub(super) fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    pub(super) fn rest(&self) -> &'a [Token] {
        self.tokens.get(self.at..).unwrap_or_default()
    }

    /// Takes a bare word, if one is next.
    pub(super) fn word(&mut self) -> Option<&'a str> {
        match self.peek() {
            Some(Token::Word(word)) => {
                self.step();
                Some(word)
            }
            _ => None,
        }
    }

    pub(super) fn eat(&mut self, word: &str) -> bool {
        let found = is_word(self.peek(), word);
        if found {
            self.step();
        }
        found
    }

    pub(super) fn eat_all(&mut self, words: &[&str]) -> bool {
        let found = words.iter().zip(self.rest()).filter(|(word, token)| is_word(Some(token), word)).count()
            == words.len();
        if found {
            self.at = self.at.saturating_add(words.len());
        }
        found
    }

    /// `IF [NOT] EXISTS`.
    pub(super) fn eat_guard(&mut self) -> bool {
        self.eat_all(&["if", "not", "exists"]) || self.eat_all(&["if", "exists"])
    }

    /// Takes a name, bare or quoted, with its schema; its last part.
    pub(super) fn name(&mut self) -> Option<&'a str> {
        let mut last = None;
        loop {
            match self.peek() {
                Some(Token::Word(name) | Token::Name(name)) => last = Some(name.as_str()),
                // MySQL takes "x" for a text; as a name it is only a name in ANSI mode.
                _ => return last,
            }
            self.step();
            if self.peek() != Some(&Token::Sign('.')) {
                return last;
            }
            self.step();
        }
    }

    /// Whether one of the words stands anywhere ahead, outside quotes.
    pub(super) fn any(&self, words: &[&str]) -> bool {
        self.rest().iter().any(|t| matches!(t, Token::Word(w) if words.contains(&w.as_str())))
    }

    /// Skips to the next of the words; stays where it is if there is none.
    pub(super) fn skip_until(&mut self, words: &[&str]) {
        let found =
            self.rest().iter().position(|t| matches!(t, Token::Word(w) if words.contains(&w.as_str())));
        match found {
            Some(ahead) => self.at = self.at.saturating_add(ahead),
            None => self.failed = true,
        }
    }

    /// The tokens up to the next comma outside brackets; the comma is taken too.
    pub(super) fn part(&mut self) -> &'a [Token] {
        let start = self.at;
        let mut depth = 0_i32;
        while let Some(token) = self.peek() {
            match token {
                Token::Sign('(') => depth += 1,
                Token::Sign(')') => depth -= 1,
                Token::Sign(',') if depth == 0 => {
                    let part = self.tokens.get(start..self.at).unwrap_or_default();
                    self.step();
                    return part;
                }
                _ => {}
            }
            self.step();
        }
        self.tokens.get(start..self.at).unwrap_or_default()
    }
}

pub(super) fn is_word(token: Option<&Token>, word: &str) -> bool {
    matches!(token, Some(Token::Word(w)) if w == word)
}

/// Whether the words stand one after the other anywhere in the tokens.
pub(super) fn has(tokens: &[Token], words: &[&str]) -> bool {
    !words.is_empty()
        && tokens
            .windows(words.len())
            .any(|w| w.iter().zip(words).all(|(token, word)| is_word(Some(token), word)))
}

/// The tokens outside any brackets.
pub(super) fn top_level(tokens: &[Token]) -> Vec<Token> {
    let mut depth = 0_i32;
    let mut out = Vec::new();
    for token in tokens {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth -= 1,
            other if depth == 0 => out.push(other.clone()),
            _ => {}
        }
    }
    out
}
