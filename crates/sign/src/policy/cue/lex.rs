//! The words of a CUE file.

use super::SyntaxError;
use super::ast::Number;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// Also keywords; `true`, `false` and `null` too.
    Name(String),
    Number(Number),
    /// Text, and between its pieces the source of what is interpolated with its offset.
    Text(Vec<Piece>),
    Mark(&'static str),
    /// Written, or put in at the end of a line.
    Comma,
    End,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Text(String),
    Source(String, usize),
}

const MARKS: [&str; 34] = [
    "_|_", "...", "==", "!=", "<=", ">=", "=~", "!~", "&&", "||", "<", ">", "=", "!", "&", "|", "+", "-",
    "*", "/", "(", ")", "[", "]", "{", "}", ":", "?", ".", ",", "@", "~", ";", "^",
];

pub(crate) fn lex(source: &str) -> Result<Vec<(Token, usize)>, SyntaxError> {
    let mut lexer = Lexer { source, at: 0, tokens: Vec::new() };
    lexer.run()?;
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    tokens: Vec<(Token, usize)>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Whether a line break here ends a declaration.
    fn ends(&self) -> bool {
        match self.tokens.last() {
            Some((Token::Name(_) | Token::Number(_) | Token::Text(_), _)) => true,
            Some((Token::Mark(mark), _)) => matches!(*mark, ")" | "]" | "}" | "?" | "!" | "..." | "_|_"),
            _ => false,
        }
    }

    fn run(&mut self) -> Result<(), SyntaxError> {
        while let Some(character) = self.peek() {
            let start = self.at;
            match character {
                '\n' => {
                    if self.ends() {
                        self.tokens.push((Token::Comma, start));
                    }
                    self.at += 1;
                }
                ' ' | '\t' | '\r' => self.at += 1,
                '/' if self.rest().starts_with("//") => {
                    let length = self.rest().find('\n').unwrap_or(self.rest().len());
                    self.at += length;
                }
                '"' | '\'' => self.text(0)?,
                '#' if self.rest().trim_start_matches('#').starts_with(['"', '\'']) => {
                    let hashes = self.rest().len() - self.rest().trim_start_matches('#').len();
                    self.at += hashes;
                    self.text(hashes)?;
                }
                '_' if self.rest().starts_with("_|_") => self.mark("_|_"),
                '0'..='9' => self.number()?,
                '.' if self.rest().chars().nth(1).is_some_and(|next| next.is_ascii_digit()) => {
                    self.number()?
                }
                character
                    if character == '_'
                        || character == '#'
                        || character == '$'
                        || character.is_alphabetic() =>
                {
                    let name: String = self
                        .rest()
                        .chars()
                        .take_while(|next| matches!(next, '_' | '#' | '$') || next.is_alphanumeric())
                        .collect();
                    self.at += name.len();
                    self.tokens.push((Token::Name(name), start));
                }
                ',' => {
                    self.tokens.push((Token::Comma, start));
                    self.at += 1;
                }
                other => match MARKS.iter().find(|mark| self.rest().starts_with(**mark)) {
                    Some(mark) => self.mark(mark),
                    None => {
                        return Err(SyntaxError::invalid(
                            format!("illegal character U+{:04X} '{other}'", u32::from(other)),
                            start,
                        ));
                    }
                },
            }
        }
        if self.ends() {
            self.tokens.push((Token::Comma, self.at));
        }
        self.tokens.push((Token::End, self.at));
        Ok(())
    }

    fn mark(&mut self, mark: &'static str) {
        self.tokens.push((Token::Mark(mark), self.at));
        self.at += mark.len();
    }

    fn number(&mut self) -> Result<(), SyntaxError> {
        let start = self.at;
        let mut text = String::new();
        let mut previous = ' ';
        for character in self.rest().chars() {
            let sign = matches!(character, '+' | '-') && matches!(previous, 'e' | 'E');
            // `1...` is no number with a dot.
            if !(character.is_ascii_alphanumeric() || character == '_' || character == '.' || sign) {
                break;
            }
            text.push(character);
            previous = character;
        }
        self.at += text.len();
        let plain = text.replace('_', "");
        let number = if plain.bytes().all(|byte| byte.is_ascii_digit())
            && (plain.len() == 1 || !plain.starts_with('0'))
        {
            plain.parse().ok().map(Number::Int)
        } else if plain
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'))
            && plain.contains(['.', 'e', 'E'])
        {
            plain.parse().ok().map(Number::Float)
        } else {
            None
        };
        match number {
            Some(number) => self.tokens.push((Token::Number(number), start)),
            None => return Err(SyntaxError::unsupported(format!("the number {text}"), start)),
        }
        Ok(())
    }

    /// A string from its opening quote on; `hashes` stood before it.
    fn text(&mut self, hashes: usize) -> Result<(), SyntaxError> {
        let start = self.at;
        let quote = self.peek().unwrap_or('"');
        if quote == '\'' {
            return Err(SyntaxError::unsupported("a bytes literal".to_owned(), start));
        }
        let fence = "#".repeat(hashes);
        let many = self.rest().starts_with("\"\"\"");
        let close = format!("{}{fence}", if many { "\"\"\"" } else { "\"" });
        self.at += if many { 3 } else { 1 };
        let escape = format!("\\{fence}");
        let mut pieces = Vec::new();
        let mut text = String::new();
        loop {
            let rest = self.rest();
            if rest.starts_with(&close) {
                self.at += close.len();
                break;
            }
            if rest.starts_with(&escape) {
                self.at += escape.len();
                if self.peek() == Some('(') {
                    let length = balanced(self.rest()).ok_or_else(|| unterminated(start))?;
                    let inside = self.rest().get(1..length - 1).unwrap_or_default().to_owned();
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                    pieces.push(Piece::Source(inside, self.at + 1));
                    self.at += length;
                } else {
                    self.escape(&mut text)?;
                }
                continue;
            }
            match self.peek() {
                None => return Err(unterminated(start)),
                Some('\n') if !many => return Err(unterminated(start)),
                Some(character) => {
                    text.push(character);
                    self.at += character.len_utf8();
                }
            }
        }
        if many {
            if !pieces.is_empty() {
                return Err(SyntaxError::unsupported(
                    "interpolation in a text of several lines".to_owned(),
                    start,
                ));
            }
            text = unindented(&text).ok_or_else(|| {
                SyntaxError::invalid("invalid whitespace in multi-line string".to_owned(), start)
            })?;
        }
        pieces.push(Piece::Text(text));
        self.tokens.push((Token::Text(pieces), start));
        Ok(())
    }

    fn escape(&mut self, text: &mut String) -> Result<(), SyntaxError> {
        let start = self.at;
        let Some(character) = self.peek() else { return Err(unterminated(start)) };
        self.at += character.len_utf8();
        let plain = match character {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '/' | '\\' | '"' => character,
            'u' | 'U' => {
                let length = if character == 'u' { 4 } else { 8 };
                let digits = self.rest().get(..length).unwrap_or_default().to_owned();
                self.at += digits.len();
                u32::from_str_radix(&digits, 16)
                    .ok()
                    .filter(|_| digits.len() == length)
                    .and_then(char::from_u32)
                    .ok_or_else(|| {
                        SyntaxError::invalid("illegal character in escape sequence".to_owned(), start)
                    })?
            }
            _ => return Err(SyntaxError::invalid("unknown escape sequence".to_owned(), start)),
        };
        text.push(plain);
        Ok(())
    }
}

fn unterminated(start: usize) -> SyntaxError {
    SyntaxError::invalid("string literal not terminated".to_owned(), start)
}

/// Bytes up to and with the bracket that closes the first one.
fn balanced(text: &str) -> Option<usize> {
    let mut open = 0usize;
    for (at, character) in text.char_indices() {
        match character {
            '(' => open += 1,
            ')' => {
                open -= 1;
                if open == 0 {
                    return Some(at + 1);
                }
            }
            '\n' => return None,
            _ => {}
        }
    }
    None
}

/// The lines of a long string without the indentation of its last line.
fn unindented(text: &str) -> Option<String> {
    let text = text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n'))?;
    let (body, indent) = match text.rsplit_once('\n') {
        Some((body, indent)) => (body, indent),
        None => return text.trim().is_empty().then(String::new),
    };
    if !indent.trim().is_empty() {
        return None;
    }
    let lines: Option<Vec<&str>> = body
        .split('\n')
        .map(|line| if line.trim().is_empty() { Some("") } else { line.strip_prefix(indent) })
        .collect();
    lines.map(|lines| lines.join("\n"))
}
