//! Canonical JSON as OLPC's wiki has it and TUF signs it: members sorted, no blanks, integers only, in strings only `"` and `\`
//! escaped.

use lotse_yaml::Value;

/// The canonical form; an error for numbers that are no 64-bit integers.
pub(crate) fn canonical(value: &Value) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    write(value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => {
            if number.as_i64().is_none() && number.as_u64().is_none() {
                return Err(format!(
                    "{number} is no 64-bit integer, and other numbers have no canonical form"
                ));
            }
            out.extend_from_slice(number.to_string().as_bytes());
        }
        Value::String(text) => string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            out.push(b'{');
            for (number, (name, member)) in members.into_iter().enumerate() {
                if number > 0 {
                    out.push(b',');
                }
                string(name, out);
                out.push(b':');
                write(member, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use lotse_yaml::{Limits, parse_json};

    use super::canonical;

    #[test]
    fn the_canonical_form_is_olpcs() {
        for (text, expected) in [
            (r#" { "b" : [ 1 , -2, true,null ], "a":{} } "#, Some("{\"a\":{},\"b\":[1,-2,true,null]}")),
            ("\"a\\n\\t\\\"\\\\\\u00e9\\/\"", Some("\"a\n\t\\\"\\\\é/\"")),
            (r#"{"é":1,"z":2,"Z":3,"":4}"#, Some("{\"\":4,\"Z\":3,\"z\":2,\"é\":1}")),
            (
                "[18446744073709551615,-9223372036854775808]",
                Some("[18446744073709551615,-9223372036854775808]"),
            ),
            ("[0.5]", None),
            ("[18446744073709551616]", None),
        ] {
            let value = parse_json(text.as_bytes(), &Limits::small_file()).unwrap();
            let found = canonical(&value).ok();
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{text}");
        }
    }
}
