//! Laws that hold for every value and every edit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_yaml::{
    Dialect, Limits, Map, Number, Stream, Value, parse_json, set_scalar, to_yaml, to_yaml_stream,
};
use proptest::prelude::*;

/// Texts that readers of YAML love to misread.
fn tricky() -> impl Strategy<Value = String> {
    let words = [
        "",
        " ",
        "~",
        "null",
        "yes",
        "No",
        "on",
        "y",
        "0644",
        "0o17",
        "0x1F",
        "1_000",
        "1e3",
        "1.",
        ".5",
        ".inf",
        "-",
        "--",
        "---",
        "2026-01-01",
        "12:30:00",
        "<<",
        "=",
        "a: b",
        "a #b",
        "#a",
        "- a",
        "? a",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "%a",
        "@a",
        "`a",
        "{a}",
        "[a]",
        "a,b",
        "'",
        "\"",
        "\\",
        "a\tb",
        "\t",
        "two\nlines",
        "two\nlines\n",
        "\n",
        "x\n\n\n",
        " lead\nb",
        "a\n b",
        "a \nb",
        "\u{feff}",
        "\u{85}",
        "\u{2028}",
        "\u{0}",
        "é😀",
        "10m",
        "1.2.3",
        "128Mi",
        "true",
        "a:",
        ":a",
        "a: ",
        "---\nb",
        "a\n---\nb",
    ];
    prop_oneof![
        3 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned),
        2 => "[a-z0-9 :#_./-]{0,12}",
        1 => any::<String>(),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |f| Number::from_f64(f).map(Value::from)),
        tricky().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((tricky(), inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map>())),
        ]
    })
}

fn read(text: &str, dialect: Dialect) -> Value {
    let stream = Stream::parse(text.as_bytes(), dialect, &Limits::manifests())
        .unwrap_or_else(|error| panic!("{dialect:?}: {error}\n{text}"));
    assert_eq!(stream.documents().len(), 1, "{text}");
    stream.documents()[0].value().unwrap_or_else(|error| panic!("{dialect:?}: {error}\n{text}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_as_the_same_value_in_every_dialect(value in values()) {
        let text = to_yaml(&value);
        for dialect in Dialect::ALL {
            prop_assert_eq!(read(&text, dialect), value.clone(), "{:?}\n{}", dialect, text);
        }
        prop_assert_eq!(to_yaml(&read(&text, Dialect::Yaml12)), text);
    }

    #[test]
    fn json_written_reads_back(value in values()) {
        for text in [value.to_json(), value.to_json_sorted(), value.to_json_pretty(), value.to_json_pretty_sorted()] {
            prop_assert_eq!(parse_json(text.as_bytes(), &Limits::manifests()).unwrap(), value.clone());
            let wrapped = format!("{{\"x\":{text}}}");
            let read = read(&wrapped, Dialect::Kubectl);
            prop_assert_eq!(read.get("x"), Some(&value));
        }
    }

    #[test]
    fn several_documents_stay_several(parts in proptest::collection::vec(values(), 1..4)) {
        let parts: Vec<Value> = parts.into_iter().map(|part| lotse_yaml::value!({ "part": part })).collect();
        let text = to_yaml_stream(&parts);
        for dialect in [Dialect::Kubectl, Dialect::Yaml12] {
            let stream = Stream::parse(text.as_bytes(), dialect, &Limits::manifests()).unwrap();
            prop_assert_eq!(stream.values().unwrap(), parts.clone());
        }
    }

    #[test]
    fn a_set_scalar_reads_back_and_undo_gives_the_same_bytes(new in tricky(), place in 0usize..6) {
        let source = "# head\nplain: app:1.0 # why\nsingle: 'it''s'\r\ndouble: \"a\\tb\"\nflow: {x: [one, \"two\"]}\n\
                      literal: |\n    a\n    b\n\ntail: &t yes\n";
        let pointer = ["/plain", "/single", "/double", "/flow/x/0", "/flow/x/1", "/literal"][place];
        for dialect in Dialect::ALL {
            match set_scalar(source.as_bytes(), dialect, 0, pointer, &new, &Limits::small_file()) {
                Ok(edit) => {
                    let text = String::from_utf8(edit.bytes().to_vec()).unwrap();
                    let after = read(&text, dialect);
                    prop_assert_eq!(after.pointer(pointer).unwrap(), &Value::from(new.as_str()));
                    prop_assert_eq!(edit.undo(), source.as_bytes());
                    let span = edit.span();
                    prop_assert_eq!(&source[..span.start], &text[..span.start]);
                    prop_assert!(text.ends_with(&source[span.end..]));
                }
                Err(error) => prop_assert!(pointer == "/literal", "{}", error),
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[ -~\n\t]{0,120}") {
        for dialect in Dialect::ALL {
            for input in [&bytes[..], text.as_bytes()] {
                if let Ok(stream) = Stream::parse(input, dialect, &Limits::small_file()) {
                    for document in stream.documents() {
                        let _ = document.value();
                        for node in document.nodes() {
                            assert!(stream.text().get(node.span()).is_some());
                        }
                    }
                }
            }
        }
    }
}
