use crate::{Error, Limits, Map, Number, Position, Value};

/// Reads one JSON text (RFC 8259) strictly: no comments, no trailing commas, no equal keys, no lone surrogates,
/// nothing after the value. Integers that fit 64 bits stay exact.
///
/// # Errors
/// [`Error::Syntax`] with the place, [`Error::Encoding`] for bytes that are not UTF-8, [`Error::Limit`].
pub fn parse_json(bytes: &[u8], limits: &Limits) -> Result<Value, Error> {
    if bytes.len() > limits.bytes {
        return Err(Error::Limit { what: "bytes", limit: limits.bytes, position: Position::start() });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| Error::Encoding {
        position: Position::of_bytes(bytes, error.valid_up_to()),
        message: "not valid UTF-8".to_owned(),
    })?;
    let mut reader = Reader { text, at: 0, limits, nodes: 0, strict: true };
    let value = reader.document()?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.syntax("text after the end of the JSON value")),
    }
}

/// Reads the JSON value that starts at `at`, as Go does: the last of equal keys wins and a lone surrogate becomes
/// U+FFFD. Gives the value and where it ends.
pub(crate) fn parse_prefix(text: &str, at: usize, limits: &Limits) -> Result<(Value, usize), Error> {
    let mut reader = Reader { text, at, limits, nodes: 0, strict: false };
    reader.space();
    let value = reader.value(0)?;
    Ok((value, reader.at))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    limits: &'a Limits,
    nodes: usize,
    strict: bool,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<Value, Error> {
        self.space();
        let value = self.value(0)?;
        self.space();
        Ok(value)
    }

    fn value(&mut self, depth: usize) -> Result<Value, Error> {
        self.nodes += 1;
        if depth > self.limits.depth {
            return Err(self.limit("levels", self.limits.depth));
        }
        if self.nodes > self.limits.nodes {
            return Err(self.limit("nodes", self.limits.nodes));
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) => Err(self.syntax("a JSON value was expected here")),
            None => Err(self.syntax("the JSON ends where a value was expected")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Error> {
        let mut map = Map::new();
        self.at += 1;
        self.space();
        if self.eat(b'}') {
            return Ok(Value::Object(map));
        }
        loop {
            self.space();
            let at = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.syntax("a key in double quotes was expected here"));
            }
            let key = self.string()?;
            self.space();
            if !self.eat(b':') {
                return Err(self.syntax("a colon was expected after the key"));
            }
            self.space();
            let value = self.value(depth + 1)?;
            if self.strict && map.contains_key(&key) {
                self.at = at;
                return Err(self.syntax("this key occurs twice in its object"));
            }
            map.insert(key, value);
            self.space();
            if self.eat(b'}') {
                return Ok(Value::Object(map));
            }
            if !self.eat(b',') {
                return Err(self.syntax("a comma or a closing brace was expected here"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, Error> {
        let mut items = Vec::new();
        self.at += 1;
        self.space();
        if self.eat(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            self.space();
            items.push(self.value(depth + 1)?);
            self.space();
            if self.eat(b']') {
                return Ok(Value::Array(items));
            }
            if !self.eat(b',') {
                return Err(self.syntax("a comma or a closing bracket was expected here"));
            }
        }
    }

    fn number(&mut self) -> Result<Value, Error> {
        let start = self.at;
        self.eat(b'-');
        if self.eat(b'0') {
            // No digit may follow a leading zero; the caller sees it as stray text.
        } else if self.digits() == 0 {
            return Err(self.syntax("a digit was expected here"));
        }
        let mut whole = true;
        if self.eat(b'.') {
            whole = false;
            if self.digits() == 0 {
                return Err(self.syntax("a digit was expected after the point"));
            }
        }
        if self.eat(b'e') || self.eat(b'E') {
            whole = false;
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            if self.digits() == 0 {
                return Err(self.syntax("a digit was expected in the exponent"));
            }
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let int = if whole {
            text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok()
        } else {
            None
        };
        match int.or_else(|| text.parse().ok().and_then(Number::from_f64)) {
            Some(number) if self.strict => Ok(Value::Number(number)),
            Some(number) => Ok(Value::Number(number.kubernetes())),
            None => Err(Error::NoValue {
                position: Position::of_bytes(self.text.as_bytes(), start),
                message: "the number is too large for a 64-bit float".to_owned(),
            }),
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Result<String, Error> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let stop = rest.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20);
            let Some(stop) = stop else {
                self.at = self.text.len();
                return Err(self.syntax("the string has no closing quote"));
            };
            out.push_str(rest.get(..stop).unwrap_or_default());
            self.at += stop;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape(&mut out)?;
                }
                _ => return Err(self.syntax("a control character must be escaped in a string")),
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), Error> {
        let letter = self.peek();
        self.at += 1;
        out.push(match letter {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(out),
            _ => {
                self.at -= 1;
                return Err(self.syntax("unknown escape in a string"));
            }
        });
        Ok(())
    }

    fn unicode(&mut self, out: &mut String) -> Result<(), Error> {
        let high = self.hex()?;
        if let Some(single) = char::from_u32(high) {
            out.push(single);
            return Ok(());
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        if (0xd800..0xdc00).contains(&high) && rest.starts_with("\\u") {
            let back = self.at;
            self.at += 2;
            let low = self.hex()?;
            if (0xdc00..0xe000).contains(&low)
                && let Some(pair) = char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))
            {
                out.push(pair);
                return Ok(());
            }
            self.at = back;
        }
        if self.strict {
            return Err(self.syntax("a surrogate escape without its other half"));
        }
        out.push(char::REPLACEMENT_CHARACTER);
        Ok(())
    }

    fn hex(&mut self) -> Result<u32, Error> {
        let digits =
            self.text.get(self.at..self.at + 4).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|text| u32::from_str_radix(text, 16).ok());
        let code = code.ok_or_else(|| self.syntax("four hexadecimal digits were expected after \\u"))?;
        self.at += 4;
        Ok(code)
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Error> {
        if !self.text.get(self.at..).unwrap_or_default().starts_with(word) {
            return Err(self.syntax("a JSON value was expected here"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn syntax(&self, message: &str) -> Error {
        Error::Syntax {
            position: Position::of_bytes(self.text.as_bytes(), self.at),
            message: message.to_owned(),
        }
    }

    fn limit(&self, what: &'static str, limit: usize) -> Error {
        Error::Limit { what, limit, position: Position::of_bytes(self.text.as_bytes(), self.at) }
    }
}

/// Writes JSON; `indent` is the level to start at, or `None` for one line.
pub(crate) fn write(value: &Value, indent: Option<usize>, sorted: bool) -> String {
    let mut out = String::new();
    write_value(&mut out, value, indent, sorted);
    out
}

fn write_value(out: &mut String, value: &Value, indent: Option<usize>, sorted: bool) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => write_string(out, text),
        Value::Array(items) if items.is_empty() => out.push_str("[]"),
        Value::Object(map) if map.is_empty() => out.push_str("{}"),
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                line(out, indent, 1);
                write_value(out, item, indent.map(|level| level + 1), sorted);
            }
            line(out, indent, 0);
            out.push(']');
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            if sorted {
                entries.sort_by_key(|(key, _)| *key);
            }
            out.push('{');
            for (place, (key, item)) in entries.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                line(out, indent, 1);
                write_string(out, key);
                out.push_str(if indent.is_some() { ": " } else { ":" });
                write_value(out, item, indent.map(|level| level + 1), sorted);
            }
            line(out, indent, 0);
            out.push('}');
        }
    }
}

fn line(out: &mut String, indent: Option<usize>, more: usize) {
    if let Some(level) = indent {
        out.push('\n');
        for _ in 0..level + more {
            out.push_str("  ");
        }
    }
}

pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Escaped so that the text is also valid JavaScript and YAML 1.1.
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
}

/// Writes a key as one step of a JSON pointer: `~` becomes `~0`, `/` becomes `~1` (RFC 6901, section 3).
#[must_use]
pub fn pointer_escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The steps of a JSON pointer, unescaped; `None` if it is not one.
pub(crate) fn pointer_steps(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let steps = pointer.strip_prefix('/')?.split('/');
    Some(steps.map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
}

/// A step as an array index: digits without a leading zero (RFC 6901, section 4).
pub(crate) fn array_index(step: &str) -> Option<usize> {
    let plain = step == "0" || !step.starts_with('0');
    (plain && step.bytes().all(|byte| byte.is_ascii_digit())).then(|| step.parse().ok()).flatten()
}
