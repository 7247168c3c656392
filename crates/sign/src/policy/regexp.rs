//! Go's regular expressions (RE2): read by their own grammar, handed to the crate `regex` in words that mean the same there.

use std::fmt::Write as _;

use super::json::go_quote;

/// Bytes of a pattern; a compiled one may take a megabyte.
const BYTES: usize = 16 << 10;
const COMPILED: usize = 1 << 20;
const DEPTH: usize = 100;
const REPEAT: u32 = 1000;

/// A Go regular expression, unanchored as `MatchString` is.
#[derive(Clone, Debug)]
pub(crate) struct GoRegex {
    source: String,
    compiled: regex::Regex,
}

/// Why a pattern was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RegexError {
    /// Go refuses it, in these words.
    Invalid(String),
    /// Go takes it and we do not: what it uses.
    Unsupported(String),
}

impl RegexError {
    /// Go's words, or ours.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Invalid(text) => text.clone(),
            Self::Unsupported(what) => format!("{what} in a regular expression is not supported"),
        }
    }
}

impl GoRegex {
    pub(crate) fn new(source: &str) -> Result<Self, RegexError> {
        if source.len() > BYTES {
            return Err(RegexError::Unsupported("a pattern of more than 16 KiB".to_owned()));
        }
        let translated = translate(source)?;
        let compiled =
            regex::RegexBuilder::new(&translated).size_limit(COMPILED).build().map_err(|error| {
                RegexError::Unsupported(format!("something that we cannot translate ({error})"))
            })?;
        Ok(Self { source: source.to_owned(), compiled })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.source
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        self.compiled.is_match(text)
    }
}

impl PartialEq for GoRegex {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

fn translate(source: &str) -> Result<String, RegexError> {
    let mut reader = Reader { source, at: 0, out: String::new(), depth: 0 };
    reader.alternation()?;
    if reader.at < source.len() {
        return Err(invalid(&format!("unexpected ): `{source}`")));
    }
    Ok(reader.out)
}

fn invalid(reason: &str) -> RegexError {
    RegexError::Invalid(format!("error parsing regexp: {reason}"))
}

struct Reader<'a> {
    source: &'a str,
    at: usize,
    out: String,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Branches up to the end or a closing bracket, which stays.
    fn alternation(&mut self) -> Result<(), RegexError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(RegexError::Unsupported("nesting of more than 100 groups".to_owned()));
        }
        loop {
            self.branch()?;
            match self.peek() {
                Some('|') => {
                    self.at += 1;
                    self.out.push('|');
                }
                _ => break,
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn branch(&mut self) -> Result<(), RegexError> {
        // Where the last operand starts in the output, and the source text of the last repetition right before.
        let mut operand: Option<usize> = None;
        let mut repeated: Option<usize> = None;
        while let Some(character) = self.peek() {
            let start = self.at;
            match character {
                '|' | ')' => return Ok(()),
                '*' | '+' | '?' => {
                    self.at += 1;
                    self.repetition(start, operand, repeated, character.to_string())?;
                    repeated = Some(repeated.unwrap_or(start));
                    continue;
                }
                '{' => match self.counts()? {
                    Some(text) => {
                        self.repetition(start, operand, repeated, text)?;
                        repeated = Some(repeated.unwrap_or(start));
                        continue;
                    }
                    None => {
                        operand = Some(self.out.len());
                        self.at += 1;
                        self.out.push_str("\\{");
                    }
                },
                _ => {
                    operand = Some(self.out.len());
                    if !self.atom(character)? {
                        operand = None;
                    }
                }
            }
            repeated = None;
        }
        Ok(())
    }

    fn repetition(
        &mut self,
        start: usize,
        operand: Option<usize>,
        repeated: Option<usize>,
        text: String,
    ) -> Result<(), RegexError> {
        let lazy = self.eat("?");
        let written = |from: usize, to: usize| self.source.get(from..to).unwrap_or_default();
        if let Some(before) = repeated {
            let all = written(before, self.at);
            return Err(invalid(&format!("invalid nested repetition operator: `{all}`")));
        }
        let Some(operand) = operand else {
            let operator = written(start, self.at);
            return Err(invalid(&format!("missing argument to repetition operator: `{operator}`")));
        };
        // The operand as one unit: `\Qab\E*` repeats only its last character, which `atom` sees to.
        let unit = self.out.split_off(operand);
        let _ = write!(self.out, "(?:{unit}){text}");
        if lazy {
            self.out.push('?');
        }
        Ok(())
    }

    /// `{n}`, `{n,}`, `{n,m}`; anything else in braces is literal.
    fn counts(&mut self) -> Result<Option<String>, RegexError> {
        let rest = self.rest();
        let Some((inside, _)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
            return Ok(None);
        };
        let (low, high) = match inside.split_once(',') {
            Some((low, high)) => (low, Some(high)),
            None => (inside, None),
        };
        let number = |text: &str| {
            let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            (plain && (text.len() == 1 || !text.starts_with('0')))
                .then(|| text.parse::<u32>().unwrap_or(u32::MAX))
        };
        let Some(low) = number(low) else { return Ok(None) };
        let high = match high {
            None => Some(low),
            Some("") => None,
            Some(text) => match number(text) {
                Some(high) => Some(high),
                None => return Ok(None),
            },
        };
        let written = rest.get(..inside.len() + 2).unwrap_or_default();
        if low > REPEAT || high.is_some_and(|high| high > REPEAT || high < low) {
            return Err(invalid(&format!("invalid repeat count: `{written}`")));
        }
        self.at += written.len();
        Ok(Some(written.to_owned()))
    }

    /// One operand; `false` if what was read is none (a flag group alone).
    fn atom(&mut self, first: char) -> Result<bool, RegexError> {
        match first {
            '(' => return self.group(),
            '[' => self.class()?,
            '\\' => self.escape()?,
            '^' | '$' | '.' => {
                self.at += 1;
                self.out.push(first);
            }
            other => {
                self.at += other.len_utf8();
                self.literal(other);
            }
        }
        Ok(true)
    }

    fn literal(&mut self, character: char) {
        if character.is_ascii_punctuation() {
            self.out.push('\\');
        }
        self.out.push(character);
    }

    fn group(&mut self) -> Result<bool, RegexError> {
        let start = self.at;
        self.at += 1;
        if self.eat("?") {
            if self.eat("P<")
                || (self.peek() == Some('<')
                    && !self.rest().starts_with("<=")
                    && !self.rest().starts_with("<!")
                    && self.eat("<"))
            {
                let Some((name, _)) = self.rest().split_once('>') else {
                    let rest = self.source.get(start..).unwrap_or_default();
                    return Err(invalid(&format!("invalid named capture: `{rest}`")));
                };
                self.at += name.len() + 1;
                if name.is_empty()
                    || !name.chars().all(|character| character == '_' || character.is_ascii_alphanumeric())
                {
                    let written = self.source.get(start..self.at).unwrap_or_default();
                    return Err(invalid(&format!("invalid named capture: `{written}`")));
                }
                self.out.push('(');
            } else {
                let flags = self.flags(start)?;
                let _ = write!(self.out, "(?{flags}");
                if self.eat(")") {
                    self.out.push(')');
                    return Ok(false);
                }
                self.at += 1; // the colon
                self.out.push(':');
            }
        } else {
            self.out.push('(');
        }
        self.alternation()?;
        if !self.eat(")") {
            return Err(invalid(&format!("missing closing ): `{}`", self.source)));
        }
        self.out.push(')');
        Ok(true)
    }

    /// The flags of `(?flags)` and `(?flags:`, up to the colon or bracket.
    fn flags(&mut self, start: usize) -> Result<String, RegexError> {
        let mut flags = String::new();
        let mut negated = false;
        let mut given = false;
        loop {
            match self.peek() {
                Some(flag @ ('i' | 'm' | 's' | 'U')) => {
                    flags.push(flag);
                    given = true;
                }
                Some('-') if !negated => {
                    flags.push('-');
                    negated = true;
                    given = false;
                }
                Some(':' | ')') if !negated || given => return Ok(flags),
                other => {
                    self.at += other.map_or(0, char::len_utf8);
                    let written = self.source.get(start..self.at).unwrap_or_default();
                    let reason = match other {
                        None => format!("missing closing ): `{}`", self.source),
                        Some(_) => format!("invalid or unsupported Perl syntax: `{written}`"),
                    };
                    return Err(invalid(&reason));
                }
            }
            self.at += 1;
        }
    }

    fn escape(&mut self) -> Result<(), RegexError> {
        let start = self.at;
        self.at += 1;
        let Some(character) = self.bump() else {
            return Err(invalid("trailing backslash at end of expression: ``"));
        };
        match character {
            'A' => self.out.push_str("\\A"),
            'z' => self.out.push_str("\\z"),
            'b' => self.out.push_str("(?-u:\\b)"),
            'B' => return Err(RegexError::Unsupported("`\\B`".to_owned())),
            'C' => return Err(invalid("invalid escape sequence: `\\C`")),
            'Q' => {
                let text = self.rest();
                let (literal, length) = match text.find("\\E") {
                    Some(at) => (text.get(..at).unwrap_or_default(), at + 2),
                    None => (text, text.len()),
                };
                self.at += length;
                if literal.chars().count() != 1 && matches!(self.peek(), Some('*' | '+' | '?' | '{')) {
                    return Err(RegexError::Unsupported("a repetition right after `\\E`".to_owned()));
                }
                for character in literal.chars() {
                    self.literal(character);
                }
            }
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => {
                let _ = write!(self.out, "[{}]", perl(character));
            }
            'p' | 'P' => {
                let class = self.unicode(start, character == 'P')?;
                self.out.push_str(&class);
            }
            _ => {
                self.at = start;
                let character = self.character_escape()?;
                self.literal(character);
            }
        }
        Ok(())
    }

    /// `\p{Greek}`, `\pN`, `\p{^L}` in Rust's words.
    fn unicode(&mut self, start: usize, negated: bool) -> Result<String, RegexError> {
        let name = match self.bump() {
            Some('{') => {
                let Some((name, _)) = self.rest().split_once('}') else {
                    let rest = self.source.get(start..).unwrap_or_default();
                    return Err(invalid(&format!("invalid character class range: `{rest}`")));
                };
                self.at += name.len() + 1;
                name.to_owned()
            }
            Some(character) => character.to_string(),
            None => {
                return Err(invalid(&format!(
                    "invalid character class range: `{}`",
                    self.source.get(start..).unwrap_or_default()
                )));
            }
        };
        let (name, negated) = match name.strip_prefix('^') {
            Some(name) => (name.to_owned(), !negated),
            None => (name, negated),
        };
        let class = format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' });
        let known =
            name == "Any" || (!name.contains(['=', ':', '!', ' ']) && regex::Regex::new(&class).is_ok());
        if !known {
            let written = self.source.get(start..self.at).unwrap_or_default();
            return Err(invalid(&format!("invalid character class range: `{written}`")));
        }
        if name == "Any" {
            return Ok(if negated {
                "[^\\x{0}-\\x{10FFFF}]".to_owned()
            } else {
                "[\\x{0}-\\x{10FFFF}]".to_owned()
            });
        }
        Ok(class)
    }

    /// An escape that stands for one character.
    fn character_escape(&mut self) -> Result<char, RegexError> {
        let start = self.at;
        self.at += 1;
        let Some(character) = self.bump() else {
            return Err(invalid("trailing backslash at end of expression: ``"));
        };
        let bad = |reader: &Self| {
            let written = reader.source.get(start..reader.at).unwrap_or_default();
            invalid(&format!("invalid escape sequence: `{written}`"))
        };
        let code = match character {
            'a' => 7,
            'f' => 12,
            't' => 9,
            'n' => 10,
            'r' => 13,
            'v' => 11,
            '1'..='7' if !matches!(self.peek(), Some('0'..='7')) => return Err(bad(self)),
            '0'..='7' => {
                let mut code = character.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    if let Some(digit) = self.peek().and_then(|next| next.to_digit(8)) {
                        code = code * 8 + digit;
                        self.at += 1;
                    }
                }
                code
            }
            'x' => match self.bump() {
                Some('{') => {
                    let digits: String = self.rest().chars().take_while(char::is_ascii_hexdigit).collect();
                    self.at += digits.len();
                    let closed = self.bump() == Some('}');
                    match u32::from_str_radix(&digits, 16) {
                        Ok(code) if closed && code <= 0x10_ffff => code,
                        _ => return Err(bad(self)),
                    }
                }
                Some(high) => match (high.to_digit(16), self.bump().and_then(|low| low.to_digit(16))) {
                    (Some(high), Some(low)) => high * 16 + low,
                    _ => return Err(bad(self)),
                },
                None => return Err(bad(self)),
            },
            other if other.is_ascii() && !other.is_ascii_alphanumeric() => return Ok(other),
            _ => return Err(bad(self)),
        };
        char::from_u32(code).ok_or_else(|| bad(self))
    }

    fn class(&mut self) -> Result<(), RegexError> {
        let start = self.at;
        self.at += 1;
        self.out.push('[');
        if self.eat("^") {
            self.out.push('^');
        }
        let missing =
            || invalid(&format!("missing closing ]: `{}`", self.source.get(start..).unwrap_or_default()));
        let missing = missing();
        let mut first = true;
        loop {
            let rest = self.rest();
            match self.peek() {
                None => return Err(missing),
                Some(']') if !first => {
                    self.at += 1;
                    self.out.push(']');
                    return Ok(());
                }
                Some('-') if !first && !rest.starts_with("-]") => {
                    // Go: a dash in the middle that opens no range.
                    let next = rest.chars().nth(1).map_or(1, char::len_utf8);
                    let written = rest.get(..1 + next).unwrap_or(rest);
                    return Err(invalid(&format!("invalid character class range: `{written}`")));
                }
                Some('[') if rest.starts_with("[:") && rest.contains(":]") => {
                    let end = rest.find(":]").unwrap_or(0) + 2;
                    let name = rest.get(..end).unwrap_or_default();
                    let plain = name.trim_start_matches("[:").trim_end_matches(":]").trim_start_matches('^');
                    const NAMES: [&str; 14] = [
                        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print",
                        "punct", "space", "upper", "word", "xdigit",
                    ];
                    if !NAMES.contains(&plain) {
                        return Err(invalid(&format!("invalid character class range: `{name}`")));
                    }
                    self.out.push_str(name);
                    self.at += end;
                }
                Some('\\')
                    if matches!(rest.as_bytes().get(1), Some(b'd' | b'D' | b's' | b'S' | b'w' | b'W')) =>
                {
                    let letter = rest.chars().nth(1).unwrap_or('d');
                    let inside = perl(letter);
                    let _ = write!(self.out, "[{inside}]");
                    self.at += 2;
                }
                Some('\\') if matches!(rest.as_bytes().get(1), Some(b'p' | b'P')) => {
                    let from = self.at;
                    self.at += 2;
                    let class = self.unicode(from, rest.starts_with("\\P"))?;
                    self.out.push_str(&class);
                }
                Some(_) => {
                    let from = self.at;
                    let low = self.class_character()?;
                    let high = if self.rest().starts_with('-') && !self.rest().starts_with("-]") {
                        self.at += 1;
                        if self.peek().is_none() {
                            return Err(missing);
                        }
                        self.class_character()?
                    } else {
                        low
                    };
                    if high < low {
                        let written = self.source.get(from..self.at).unwrap_or_default();
                        return Err(invalid(&format!("invalid character class range: `{written}`")));
                    }
                    let _ = write!(self.out, "\\x{{{:x}}}-\\x{{{:x}}}", u32::from(low), u32::from(high));
                }
            }
            first = false;
        }
    }

    fn class_character(&mut self) -> Result<char, RegexError> {
        if self.peek() == Some('\\') {
            return self.character_escape();
        }
        self.bump().ok_or_else(|| invalid(&format!("missing closing ]: {}", go_quote(self.source))))
    }
}

/// Go's classes are ASCII.
fn perl(letter: char) -> &'static str {
    match letter {
        'd' => "0-9",
        'D' => "^0-9",
        's' => "\\t\\n\\f\\r ",
        'S' => "^\\t\\n\\f\\r ",
        'w' => "0-9A-Za-z_",
        _ => "^0-9A-Za-z_",
    }
}
