//! A small JSON tree with byte offsets, read strictly: UTF-8, no duplicate keys, bounded depth, numbers kept
//! as written.

use crate::error::{Error, place};

const MAX_DEPTH: usize = 128;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) offset: usize,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// A document together with its name, so that every complaint says where.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    name: &'a str,
    bytes: &'a [u8],
    pub(crate) root: Node,
}

impl<'a> Document<'a> {
    pub(crate) fn parse(name: &'a str, bytes: &'a [u8]) -> Result<Self, Error> {
        let mut parser = Parser { bytes, at: 0 };
        match parser.document() {
            Ok(root) => Ok(Self { name, bytes, root }),
            Err(reason) => Err(malformed(name, bytes, parser.at, &reason)),
        }
    }

    pub(crate) fn error(&self, node: &Node, reason: &str) -> Error {
        malformed(self.name, self.bytes, node.offset, reason)
    }

    /// The members of an object.
    pub(crate) fn object<'n>(&self, node: &'n Node, what: &str) -> Result<&'n [(String, Node)], Error> {
        match &node.value {
            Value::Object(members) => Ok(members),
            other => Err(self.error(node, &format!("{what} must be an object, found {}", kind(other)))),
        }
    }

    pub(crate) fn array<'n>(&self, node: &'n Node, what: &str) -> Result<&'n [Node], Error> {
        match &node.value {
            Value::Array(items) => Ok(items),
            other => Err(self.error(node, &format!("{what} must be a list, found {}", kind(other)))),
        }
    }

    pub(crate) fn string<'n>(&self, node: &'n Node, what: &str) -> Result<&'n str, Error> {
        match &node.value {
            Value::String(text) => Ok(text),
            other => Err(self.error(node, &format!("{what} must be a string, found {}", kind(other)))),
        }
    }

    /// A member that must be there and must be a string.
    pub(crate) fn required<'n>(&self, node: &'n Node, key: &str) -> Result<&'n str, Error> {
        match node.get(key) {
            Some(member) => self.string(member, key),
            None => Err(self.error(node, &format!("{key:?} is missing"))),
        }
    }

    /// A member that may be missing or null, else must be a string.
    pub(crate) fn optional<'n>(&self, node: &'n Node, key: &str) -> Result<Option<&'n str>, Error> {
        match node.get(key) {
            None => Ok(None),
            Some(member) if member.value == Value::Null => Ok(None),
            Some(member) => self.string(member, key).map(Some),
        }
    }

    /// A member that may be missing or null, else must be a list.
    pub(crate) fn list<'n>(&self, node: &'n Node, key: &str) -> Result<&'n [Node], Error> {
        match node.get(key) {
            None => Ok(&[]),
            Some(member) if member.value == Value::Null => Ok(&[]),
            Some(member) => self.array(member, key),
        }
    }

    /// A member that may be missing or null, else must be an object. PHP writes an empty object as `[]`.
    pub(crate) fn members<'n>(&self, node: &'n Node, key: &str) -> Result<&'n [(String, Node)], Error> {
        match node.get(key) {
            None => Ok(&[]),
            Some(member) => match &member.value {
                Value::Null => Ok(&[]),
                Value::Array(items) if items.is_empty() => Ok(&[]),
                _ => self.object(member, key),
            },
        }
    }
}

impl Node {
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, node)| node),
            _ => None,
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_true(&self) -> bool {
        self.value == Value::Bool(true)
    }
}

pub(crate) fn malformed(name: &str, bytes: &[u8], offset: usize, reason: &str) -> Error {
    let (line, column) = place(bytes, offset);
    Error::Malformed { path: name.to_owned(), line, column, reason: reason.to_owned() }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn document(&mut self) -> Result<Node, String> {
        if self.bytes.starts_with(b"\xef\xbb\xbf") {
            self.at = 3;
        }
        self.space();
        let node = self.value(0)?;
        self.space();
        if self.at < self.bytes.len() {
            return Err("text follows the JSON document".to_owned());
        }
        Ok(node)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.step();
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        if self.peek() == Some(byte) {
            self.step();
            return Ok(());
        }
        Err(format!("expected {:?}, found {}", char::from(byte), self.found()))
    }

    fn found(&self) -> String {
        self.peek().map_or_else(|| "the end of the file".to_owned(), |b| format!("{:?}", char::from(b)))
    }

    fn value(&mut self, depth: usize) -> Result<Node, String> {
        if depth > MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        let offset = self.at;
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            Some(b't') => self.word(b"true", Value::Bool(true))?,
            Some(b'f') => self.word(b"false", Value::Bool(false))?,
            Some(b'n') => self.word(b"null", Value::Null)?,
            _ => return Err(format!("expected a value, found {}", self.found())),
        };
        Ok(Node { offset, value })
    }

    fn word(&mut self, word: &[u8], value: Value) -> Result<Value, String> {
        if self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at = self.at.saturating_add(word.len());
            return Ok(value);
        }
        Err("expected a value".to_owned())
    }

    fn array(&mut self, depth: usize) -> Result<Value, String> {
        self.step();
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.step();
            return Ok(Value::Array(items));
        }
        loop {
            self.space();
            items.push(self.value(depth.saturating_add(1))?);
            self.space();
            if self.peek() == Some(b']') {
                self.step();
                return Ok(Value::Array(items));
            }
            self.expect(b',')?;
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, String> {
        self.step();
        let mut members: Vec<(String, Node)> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.step();
            return Ok(Value::Object(members));
        }
        loop {
            self.space();
            let start = self.at;
            let key = self.string()?;
            if !seen.insert(key.clone()) {
                self.at = start;
                return Err(format!("the key {key:?} stands twice in one object"));
            }
            self.space();
            self.expect(b':')?;
            self.space();
            members.push((key, self.value(depth.saturating_add(1))?));
            self.space();
            if self.peek() == Some(b'}') {
                self.step();
                return Ok(Value::Object(members));
            }
            self.expect(b',')?;
        }
    }

    fn number(&mut self) -> Result<String, String> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.step();
        }
        let first = self.peek();
        let digits = self.digits();
        if digits == 0 || (digits > 1 && first == Some(b'0')) {
            return Err("a malformed number".to_owned());
        }
        if self.peek() == Some(b'.') {
            self.step();
            if self.digits() == 0 {
                return Err("a malformed number".to_owned());
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.step();
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.step();
            }
            if self.digits() == 0 {
                return Err("a malformed number".to_owned());
            }
        }
        Ok(self.slice(start).to_owned())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.step();
        }
        self.at.saturating_sub(start)
    }

    fn slice(&self, start: usize) -> &str {
        self.bytes.get(start..self.at).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default()
    }

    fn string(&mut self) -> Result<String, String> {
        self.expect(b'"')?;
        let mut out = String::new();
        loop {
            let start = self.at;
            while self.peek().is_some_and(|b| b != b'"' && b != b'\\' && b >= 0x20) {
                self.step();
            }
            let plain = self.bytes.get(start..self.at).unwrap_or_default();
            out.push_str(std::str::from_utf8(plain).map_err(|_| "a string is not UTF-8".to_owned())?);
            match self.peek() {
                Some(b'"') => {
                    self.step();
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.step();
                    out.push(self.escape()?);
                }
                Some(_) => return Err("a control character in a string".to_owned()),
                None => return Err("the file ends inside a string".to_owned()),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let byte = self.peek();
        self.step();
        Ok(match byte {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let high = self.hex4()?;
                if !(0xd800..0xdc00).contains(&high) {
                    return char::from_u32(high).ok_or_else(|| "half a surrogate pair".to_owned());
                }
                self.expect(b'\\')?;
                self.expect(b'u')?;
                let low = self.hex4()?;
                if !(0xdc00..0xe000).contains(&low) {
                    return Err("half a surrogate pair".to_owned());
                }
                let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                char::from_u32(code).ok_or_else(|| "no character".to_owned())?
            }
            _ => return Err("an unknown escape in a string".to_owned()),
        })
    }

    fn hex4(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self
                .peek()
                .and_then(|b| char::from(b).to_digit(16))
                .ok_or("four hex digits must follow \\u")?;
            code = code * 16 + digit;
            self.step();
        }
        Ok(code)
    }
}
