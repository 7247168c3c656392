//! What one scalar is: the tables of YAML 1.1 as Go's library reads them, and the core schema of YAML 1.2.

use crate::{Dialect, Node, Number, Style, timestamp};

const PREFIX: &str = "tag:yaml.org,2002:";

/// What a scalar resolves to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// Above `i64::MAX`.
    Uint(u64),
    Float(f64),
    Text(String),
}

/// Resolves a scalar node in the dialect of its document. The error says why the dialect's reader refuses it.
pub(crate) fn resolve(node: Node<'_>) -> Result<Scalar, String> {
    let text = node.text().unwrap_or_default();
    let plain = node.style() == Style::Plain;
    if node.document.dialect.is_kubernetes() {
        go(text, plain, node.tag())
    } else {
        core(text, plain, node.tag())
    }
}

/// `true` if this plain text is a string in every dialect, and to kustomize.
pub(crate) fn is_plain_string(text: &str) -> bool {
    let is_text = |scalar: Result<Scalar, String>| matches!(scalar, Ok(Scalar::Text(_)));
    !matches!(text, "<<" | "=") && is_text(go(text, true, None)) && is_text(core(text, true, None))
}

/// `true` if kubectl and YAML 1.2 read this plain text alike, as a number, a truth value or null.
pub(crate) fn plain_type(text: &str) -> Option<&'static str> {
    let name = |scalar: Result<Scalar, String>| match scalar {
        Ok(Scalar::Null) => "null",
        Ok(Scalar::Bool(_)) => "boolean",
        Ok(Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_)) => "number",
        Ok(Scalar::Text(_)) | Err(_) => "string",
    };
    let first = name(go(text, true, None));
    (first == name(core(text, true, None))).then_some(first)
}

/// `true` for a key that merges.
pub(crate) fn is_merge(node: Node<'_>) -> bool {
    let plain = node.style() == Style::Plain && matches!(node.tag(), None | Some("!"));
    node.text() == Some("<<") && (plain || node.tag() == Some("tag:yaml.org,2002:merge"))
}

/// The text of a key in the resulting object. The error says why the dialect's reader refuses it.
pub(crate) fn key_text(node: Node<'_>) -> Result<String, String> {
    let node = node.followed();
    let Some(text) = node.text() else {
        return Err("a list or mapping cannot be a key; use a text".to_owned());
    };
    match resolve(node)? {
        Scalar::Text(text) => Ok(text),
        _ if node.document.dialect == Dialect::Yaml12 => Ok(text.to_owned()),
        Scalar::Bool(flag) => Ok(flag.to_string()),
        Scalar::Int(int) => Ok(int.to_string()),
        Scalar::Float(float) => Ok(float_key(float)),
        Scalar::Null => Err("null cannot be a key; put it in quotes".to_owned()),
        Scalar::Uint(_) => Err("an integer above 2^63 cannot be a key; put it in quotes".to_owned()),
    }
}

impl Scalar {
    /// As a JSON number, if it is one.
    pub(crate) fn number(&self, kubernetes: bool) -> Option<Number> {
        let number = match *self {
            Self::Int(int) => Number::from(int),
            Self::Uint(uint) => Number::from(uint),
            Self::Float(float) => Number::from_f64(float)?,
            _ => return None,
        };
        Some(if kubernetes { number.kubernetes() } else { number })
    }
}

/// YAML 1.1 as Go's yaml v2 resolves it.
fn go(text: &str, plain: bool, tag: Option<&str>) -> Result<Scalar, String> {
    let Some(tag) = tag else {
        return Ok(if plain { go_implicit(text) } else { Scalar::Text(text.to_owned()) });
    };
    let refuse =
        || Err(format!("the text `{text}` is not what its tag !!{} says", tag.trim_start_matches(PREFIX)));
    match tag.strip_prefix(PREFIX) {
        Some("binary") => {
            base64(text).ok_or_else(|| "!!binary without valid base64".to_owned()).map(Scalar::Text)
        }
        Some("timestamp") if timestamp::is_timestamp(text) => Ok(Scalar::Text(text.to_owned())),
        Some("timestamp") => refuse(),
        Some(kind @ ("bool" | "int" | "float" | "null")) => match (kind, go_implicit(text)) {
            ("float", Scalar::Int(int)) => int.to_string().parse().map(Scalar::Float).or_else(|_| refuse()),
            ("bool", found @ Scalar::Bool(_))
            | ("int", found @ (Scalar::Int(_) | Scalar::Uint(_)))
            | ("float", found @ Scalar::Float(_))
            | ("null", found @ Scalar::Null) => Ok(found),
            _ => refuse(),
        },
        _ => Ok(Scalar::Text(text.to_owned())),
    }
}

fn go_implicit(text: &str) -> Scalar {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let found = match text.bytes().next() {
        Some(b'.') => float(text),
        Some(b'+' | b'-' | b'0'..=b'9') => go_number(&text.replace('_', "")),
        _ => None,
    };
    found.unwrap_or_else(|| Scalar::Text(text.to_owned()))
}

/// Integers with Go's prefixes (`0x`, `0b`, `0o`, and a bare leading zero for octal), then decimal floats.
fn go_number(text: &str) -> Option<Scalar> {
    let (sign, digits) = match text.split_at_checked(1) {
        Some((sign @ ("+" | "-"), rest)) => (sign, rest),
        _ => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.split_at_checked(2) {
        Some(("0x", rest)) => (16, rest),
        Some(("0b", rest)) => (2, rest),
        Some(("0o", rest)) => (8, rest),
        _ => match lower.strip_prefix('0') {
            Some(rest) if !rest.is_empty() => (8, rest),
            _ => (10, lower.as_str()),
        },
    };
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        if let Ok(int) = i64::from_str_radix(&format!("{}{digits}", sign.trim_start_matches('+')), radix) {
            return Some(Scalar::Int(int));
        }
        if sign.is_empty()
            && let Ok(uint) = u64::from_str_radix(digits, radix)
        {
            return Some(Scalar::Uint(uint));
        }
    }
    float(text)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, and within the range of a 64-bit float.
fn float(text: &str) -> Option<Scalar> {
    let rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    let shape = digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent));
    let value: f64 = shape.then(|| text.parse().ok())??;
    value.is_finite().then_some(Scalar::Float(value))
}

/// The core schema of YAML 1.2.2, section 10.3.
fn core(text: &str, plain: bool, tag: Option<&str>) -> Result<Scalar, String> {
    let kind = match tag {
        None if plain => return Ok(core_implicit(text)),
        None | Some("!") => return Ok(Scalar::Text(text.to_owned())),
        Some(tag) => tag.strip_prefix(PREFIX),
    };
    let found = core_implicit(text);
    match (kind, &found) {
        (Some("str"), _) => Ok(Scalar::Text(text.to_owned())),
        (Some("null"), Scalar::Null)
        | (Some("bool"), Scalar::Bool(_))
        | (Some("int"), Scalar::Int(_) | Scalar::Uint(_))
        | (Some("float"), Scalar::Float(_) | Scalar::Int(_) | Scalar::Uint(_)) => Ok(found),
        (Some(kind @ ("null" | "bool" | "int" | "float")), _) => {
            Err(format!("the text `{text}` is not what its tag !!{kind} says"))
        }
        _ => Err(format!("the tag {} is not in the core schema; leave it out", tag.unwrap_or_default())),
    }
}

fn core_implicit(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "true" | "True" | "TRUE" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" => return Scalar::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let whole = text.strip_prefix(['+', '-']).unwrap_or(text);
    let decimal = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
    let (digits, radix) = if let Some(digits) = text.strip_prefix("0o") {
        (digits, 8)
    } else if let Some(digits) = text.strip_prefix("0x") {
        (digits, 16)
    } else {
        (if decimal { text } else { "" }, 10)
    };
    let clean = radix == 10 || digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !digits.is_empty() && clean {
        if let Ok(int) = i64::from_str_radix(digits, radix) {
            return Scalar::Int(int);
        }
        if let Ok(uint) = u64::from_str_radix(digits, radix) {
            return Scalar::Uint(uint);
        }
    }
    float(text).unwrap_or_else(|| Scalar::Text(text.to_owned()))
}

/// A float as a key: Go writes it with the precision of a 32-bit float, format `%g`.
fn float_key(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    // Through the shortest decimal text: the standard library has no checked narrowing of floats.
    let short: f32 = format!("{value:e}").parse().unwrap_or(f32::NAN);
    if short.is_infinite() {
        return if short > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = format!("{short:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // Go's shortest `%g` turns to an exponent below 1e-4 and from 1e6 on.
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    format!("{short}")
}

/// Standard base64 with padding; line breaks are ignored. Bytes that are not UTF-8 become U+FFFD, one each.
fn base64(text: &str) -> Option<String> {
    let clean: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    let mut bytes = Vec::new();
    let chunks = clean.chunks(4);
    let last = chunks.len().checked_sub(1);
    for (place, chunk) in chunks.enumerate() {
        let padding = chunk.iter().rev().take_while(|&&byte| byte == b'=').count();
        if chunk.len() != 4 || padding > 2 || (padding > 0 && Some(place) != last) {
            return None;
        }
        let mut bits = 0u32;
        for &byte in chunk.iter().take(4 - padding) {
            let six = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = (bits << 6) | u32::from(six);
        }
        for _ in 0..padding {
            bits <<= 6;
        }
        bytes.extend(bits.to_be_bytes().iter().skip(1).take(3 - padding));
    }
    Some(go_text(&bytes))
}

fn go_text(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    out
}
