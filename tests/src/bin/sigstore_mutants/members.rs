//! Every member of a bundle changed in every way that readers are known to differ about.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Out;

/// Mutants of the first bundle; what another bundle has in a member's place comes from the second.
pub(super) fn changed(out: &mut Out, name: &str, [good, other]: &[Value; 2], root: &[u8]) {
    let mut pointers = Vec::new();
    collect(good, String::new(), &mut pointers);
    for pointer in &pointers {
        let original = good.pointer(pointer).unwrap().clone();
        let short = pointer.rsplit_once("/verificationMaterial").map_or(pointer.as_str(), |(_, rest)| rest);
        for (change, value) in changes(&original, other.pointer(pointer)) {
            let mut mutant = good.clone();
            match value {
                Some(value) => *mutant.pointer_mut(pointer).unwrap() = value,
                None => remove(&mut mutant, pointer),
            }
            out.case(name, &format!("{change} {short}"), mutant.to_string().as_bytes(), root);
        }
        if original.is_object() {
            let mut mutant = good.clone();
            mutant.pointer_mut(pointer).unwrap()["surprise"] = json!(1);
            out.case(name, &format!("unknown member in {short}"), mutant.to_string().as_bytes(), root);
        }
    }
    let text = good.to_string();
    for (change, mutant) in [
        ("trailing newline", format!("{text}\n")),
        ("trailing value", format!("{text} {{}}")),
        ("byte order mark", format!("\u{feff}{text}")),
        ("member twice", text.replacen('{', r#"{"mediaType":"x","#, 1)),
        ("snake case", text.replace("verificationMaterial", "verification_material")),
    ] {
        out.case(name, change, mutant.as_bytes(), root);
    }
}

fn collect(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                collect(value, format!("{pointer}/{key}"), pointers);
            }
        }
        Value::Array(items) => {
            for (number, value) in items.iter().enumerate() {
                collect(value, format!("{pointer}/{number}"), pointers);
            }
        }
        _ => {}
    }
    if !pointer.is_empty() {
        pointers.push(pointer);
    }
}

/// Where a bit is flipped, in eighths; short values have the first alone.
const FLIPS: [(&str, usize); 8] = [
    ("bit flipped", 4),
    ("bit flipped at 0/8", 0),
    ("bit flipped at 1/8", 1),
    ("bit flipped at 2/8", 2),
    ("bit flipped at 3/8", 3),
    ("bit flipped at 5/8", 5),
    ("bit flipped at 6/8", 6),
    ("bit flipped at 7/8", 7),
];

/// The changes of a value; `None` takes the member away.
fn changes(value: &Value, other: Option<&Value>) -> Vec<(&'static str, Option<Value>)> {
    let mut changes = vec![("absent", None), ("null", Some(Value::Null))];
    if let Some(other) = other.filter(|other| *other != value) {
        changes.push(("another bundle's", Some(other.clone())));
    }
    match value {
        Value::String(text) => {
            changes.push(("empty", Some(json!(""))));
            if let Ok(number) = text.parse::<i64>() {
                changes.push(("number", Some(json!(number))));
                changes.push(("plus one", Some(json!((number + 1).to_string()))));
                changes.push(("negative", Some(json!((-number - 1).to_string()))));
                changes.push(("leading zero", Some(json!(format!("0{text}")))));
                changes.push(("float", Some(json!(format!("{text}.0")))));
            } else if let Ok(bytes) = STANDARD.decode(text)
                && bytes.len() > 8
            {
                let eighths: &[(&str, usize)] = match bytes.len() {
                    ..60 => &FLIPS[..1],
                    _ => &FLIPS,
                };
                for (name, eighth) in eighths {
                    let mut flipped = bytes.clone();
                    flipped[bytes.len() * eighth / 8] ^= 1;
                    changes.push((name, Some(json!(STANDARD.encode(&flipped)))));
                }
                changes.push(("cut", Some(json!(STANDARD.encode(&bytes[..bytes.len() - 1])))));
                changes.push(("byte behind", Some(json!(STANDARD.encode([&bytes[..], &[0]].concat())))));
                changes.push(("unpadded", Some(json!(text.trim_end_matches('=')))));
                changes.push(("URL-safe", Some(json!(text.replace('+', "-").replace('/', "_")))));
                changes.push(("line break", Some(json!(format!("{}\n{}", &text[..4], &text[4..])))));
            } else {
                changes.push(("longer", Some(json!(format!("{text}x")))));
                changes.push(("upper case", Some(json!(text.to_uppercase()))));
            }
        }
        Value::Array(items) => {
            changes.push(("empty", Some(json!([]))));
            if let Some(first) = items.first() {
                changes.push((
                    "first twice",
                    Some(Value::Array([std::slice::from_ref(first), items.as_slice()].concat())),
                ));
                let reversed: Vec<Value> = items.iter().rev().cloned().collect();
                if reversed != *items {
                    changes.push(("reversed", Some(Value::Array(reversed))));
                }
            }
        }
        Value::Object(_) => changes.push(("empty", Some(json!({})))),
        _ => {}
    }
    changes.retain(|(_, changed)| changed.as_ref() != Some(value));
    changes
}

fn remove(document: &mut Value, pointer: &str) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.remove(key);
        }
        Some(Value::Array(items)) => {
            items.remove(key.parse().unwrap());
        }
        _ => {}
    }
}
