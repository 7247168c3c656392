use crate::json::write_string;
use crate::{Value, resolve};

/// Longest key, in bytes, that is written before a colon; readers stop looking for the colon after 1024 characters.
const LONGEST_SIMPLE_KEY: usize = 256;

/// Writes a value as one YAML document: block style, two spaces per level, lists level with their key, keys in
/// their order, a newline at the end. Every string that some dialect would not read as that string is quoted; text
/// of several lines becomes a literal block where it can. The same value always gives the same bytes.
#[must_use]
pub fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    block(&mut out, value, 0, Place::Top);
    out
}

/// Writes several documents, with `---` on a line of its own between them.
#[must_use]
pub fn to_yaml_stream<'a>(values: impl IntoIterator<Item = &'a Value>) -> String {
    let mut out = String::new();
    for value in values {
        if !out.is_empty() {
            out.push_str("---\n");
        }
        block(&mut out, value, 0, Place::Top);
    }
    out
}

/// Where a value is written: what stands before it on the line.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Top,
    AfterKey,
    AfterDash,
}

fn block(out: &mut String, value: &Value, level: usize, place: Place) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            if place == Place::AfterKey {
                out.push('\n');
            }
            for (number, item) in items.iter().enumerate() {
                if number > 0 || place != Place::AfterDash {
                    indent(out, level);
                }
                out.push_str("- ");
                block(out, item, level + 1, Place::AfterDash);
            }
        }
        Value::Object(map) if !map.is_empty() => {
            if place == Place::AfterKey {
                out.push('\n');
            }
            for (number, (key, item)) in map.iter().enumerate() {
                if number > 0 || place != Place::AfterDash {
                    indent(out, level);
                }
                if key.len() > LONGEST_SIMPLE_KEY {
                    out.push_str("? ");
                    write_string(out, key);
                    out.push('\n');
                    indent(out, level);
                } else {
                    text(out, key);
                }
                out.push(':');
                // A list stands level with its key, everything else one level deeper.
                let deeper = !matches!(item, Value::Array(items) if !items.is_empty());
                if !is_block(item) {
                    out.push(' ');
                }
                block(out, item, level + usize::from(deeper), Place::AfterKey);
            }
        }
        Value::String(string) if is_literal(string) => literal(out, string, level.max(1)),
        Value::String(string) => {
            text(out, string);
            out.push('\n');
        }
        other => {
            out.push_str(&other.to_json());
            out.push('\n');
        }
    }
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => false,
    }
}

fn indent(out: &mut String, level: usize) {
    for _ in 0..level {
        out.push_str("  ");
    }
}

/// One line: plain where every reader sees this string, in double quotes otherwise.
fn text(out: &mut String, string: &str) {
    if is_safe_plain(string) { out.push_str(string) } else { write_string(out, string) }
}

/// `true` if the text, without quotes, is this string to every dialect, in block and in flow context.
pub(crate) fn is_safe_plain(string: &str) -> bool {
    let mut bytes = string.bytes();
    let first = bytes.next();
    let start = first.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'.'));
    let clean = string.bytes().all(|byte| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b' ' | b'_'
                    | b'.'
                    | b'/'
                    | b':'
                    | b'@'
                    | b'+'
                    | b'='
                    | b'-'
                    | b'~'
                    | b'%'
                    | b'('
                    | b')'
                    | b'$'
            )
    });
    let colon = string.contains(": ") || string.ends_with(':');
    start
        && clean
        && !colon
        && !string.ends_with(' ')
        && !looks_numeric(string)
        && resolve::is_plain_string(string)
}

/// Numbers, versions, dates, times: read as text here, but some reader somewhere takes them for something else.
fn looks_numeric(string: &str) -> bool {
    let numeric = |byte: u8| {
        byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-' | b'+' | b':' | b' ' | b'e' | b'E')
    };
    let first = string.bytes().next().unwrap_or_default();
    let date =
        string.bytes().take(4).all(|byte| byte.is_ascii_digit()) && string.as_bytes().get(4) == Some(&b'-');
    let radix = string.starts_with("0x") || string.starts_with("0b") || string.starts_with("0o");
    (first.is_ascii_digit() || first == b'.') && (string.bytes().all(numeric) || date || radix)
}

/// Text of several lines that a literal block keeps exactly, in every dialect.
fn is_literal(string: &str) -> bool {
    let printable = |letter: char| match letter {
        '\n' => true,
        '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
        letter => !letter.is_control(),
    };
    let lines = string.trim_end_matches('\n');
    string.contains('\n')
        && !lines.is_empty()
        && string.chars().all(printable)
        && !lines.starts_with([' ', '\n'])
        && !lines
            .split('\n')
            .any(|line| line.trim_end() != line || line.starts_with(' ') && line.trim().is_empty())
}

fn literal(out: &mut String, string: &str, level: usize) {
    out.push('|');
    let body = string.trim_end_matches('\n');
    match string.len() - body.len() {
        0 => out.push('-'),
        1 => {}
        _ => out.push('+'),
    }
    out.push('\n');
    for line in body.split('\n') {
        if !line.is_empty() {
            indent(out, level);
            out.push_str(line);
        }
        out.push('\n');
    }
    for _ in 1..string.len() - body.len() {
        out.push('\n');
    }
}
