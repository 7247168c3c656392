//! Every document of the sample that kubectl and the API server v1.36.1 were asked about.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::io::Read;

use lotse_yaml::{Dialect, Error, Limits, Stream, Value, parse_json};

fn rows() -> Vec<Value> {
    let file = include_bytes!("data/documents.jsonl.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&file[..]).read_to_string(&mut text).unwrap();
    // One line of the sample is the second half of a row whose text was cut at U+2028.
    let whole = text.lines().filter(|line| line.starts_with('{'));
    whole.map(|line| parse_json(line.as_bytes(), &Limits::manifests()).unwrap()).collect()
}

fn source(row: &Value) -> Vec<u8> {
    match row.get("yaml") {
        Some(text) => text.as_str().unwrap().as_bytes().to_vec(),
        None => {
            let text = format!("x: !!binary {}", row.get("yaml_base64").unwrap().as_str().unwrap());
            // The only row of this kind holds Latin-1; everything else in it is ASCII.
            let stream = Stream::parse(text.as_bytes(), Dialect::Kubectl, &Limits::small_file()).unwrap();
            let text = stream.documents()[0].pointer("/x").unwrap().value().unwrap();
            text.as_str().unwrap().chars().map(|c| if c == '\u{fffd}' { 0xe4 } else { c as u8 }).collect()
        }
    }
}

/// The sample keeps `spec` or `data` and the name of an object.
fn short(value: &Value) -> Value {
    let mut map = lotse_yaml::Map::new();
    for key in ["spec", "data"] {
        if let Some(part) = value.get(key) {
            map.insert(key, part.clone());
        }
    }
    map.insert("name", value.pointer("/metadata/name").cloned().unwrap_or_default());
    Value::Object(map)
}

fn read(bytes: &[u8], dialect: Dialect) -> Result<Vec<Value>, Error> {
    Stream::parse(bytes, dialect, &Limits::manifests())?.objects()
}

#[test]
fn every_row_is_read_as_kubectl_reads_it() {
    let mut agree = 0;
    let mut by_chance = 0;
    let rows = rows();
    for row in &rows {
        let case = row.get("case").unwrap();
        let ours = read(&source(row), Dialect::Kubectl);
        if row.get("nondeterministic").is_some() {
            assert!(matches!(ours, Err(Error::Undecided { .. })), "{case}: {ours:?}");
            by_chance += 1;
            continue;
        }
        let kubectl = row.get("kubectl").unwrap();
        match kubectl.get("objects_json") {
            Some(json) => {
                let theirs = parse_json(json.as_str().unwrap().as_bytes(), &Limits::manifests()).unwrap();
                let ours = ours.unwrap_or_else(|error| panic!("{case}: {error}"));
                assert_eq!(ours.iter().map(short).collect::<Value>(), theirs, "{case}");
            }
            None => assert!(ours.is_err(), "{case}: {ours:?}"),
        }
        agree += 1;
    }
    assert_eq!((agree, by_chance, rows.len()), (47, 1, 48));
}

#[test]
fn every_row_is_read_as_the_server_reads_it() {
    let mut agree = 0;
    for row in rows() {
        let case = row.get("case").unwrap();
        let server = row.get("server").or_else(|| row.get("server_strict")).unwrap();
        let ours = read(&source(&row), Dialect::ApiServer);
        match server.get("object_json") {
            Some(_) if row.get("nondeterministic").is_some() => continue,
            Some(json) => {
                let theirs = parse_json(json.as_str().unwrap().as_bytes(), &Limits::manifests()).unwrap();
                let ours = ours.unwrap_or_else(|error| panic!("{case}: {error}"));
                assert_eq!(ours.iter().map(short).collect::<Value>(), Value::from([theirs]), "{case}");
            }
            // What the server refuses because a field of a known kind has another type is not YAML's matter.
            None if case.as_str() == Some("typed-cm-yes") => assert!(ours.is_ok()),
            None => assert!(ours.is_err(), "{case}: {ours:?}"),
        }
        agree += 1;
    }
    assert_eq!(agree, 47);
}
