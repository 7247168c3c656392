//! The dialect table, structure, places and limits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test states what must hold"
)]

use lotse_yaml::{Dialect, Error, Kind, Limits, Stream, Style, Value, parse_json};

fn read(text: &str, dialect: Dialect) -> Result<Value, Error> {
    Stream::parse(text.as_bytes(), dialect, &Limits::manifests())?.documents()[0].value()
}

#[test]
fn scalars_are_what_each_dialect_says() {
    // Text, kubectl's JSON, JSON by the core schema of YAML 1.2; `-` where it has no value.
    let table = [
        ("0644", "420", "644"),
        ("0o644", "420", "420"),
        ("-0644", "-420", "-644"),
        ("08", "8", "8"),
        ("0x1F", "31", "31"),
        ("0b11", "3", "\"0b11\""),
        ("yes", "true", "\"yes\""),
        ("on", "true", "\"on\""),
        ("y", "true", "\"y\""),
        ("NO", "false", "\"NO\""),
        ("tRUE", "\"tRUE\"", "\"tRUE\""),
        ("~", "null", "null"),
        ("nUll", "\"nUll\"", "\"nUll\""),
        ("1_000", "1000", "\"1_000\""),
        ("0x_1F", "31", "\"0x_1F\""),
        ("1e3", "1000", "1000"),
        ("1.10", "1.1", "1.1"),
        (".5", "0.5", "0.5"),
        ("12:30:00", "\"12:30:00\"", "\"12:30:00\""),
        ("2026-01-01", "\"2026-01-01\"", "\"2026-01-01\""),
        (".inf", "-", "-"),
        ("9223372036854775807", "9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", "9223372036854776000", "9223372036854775808"),
        ("1e400", "\"1e400\"", "\"1e400\""),
        ("=", "\"=\"", "\"=\""),
        ("!!binary aGk=", "\"hi\"", "-"),
        ("!!bool yes", "true", "-"),
        ("!!int \"7\"", "7", "7"),
        ("!!str 0644", "\"0644\"", "\"0644\""),
        ("!foo bar", "\"bar\"", "-"),
        ("1e21", "1e+21", "1e+21"),
    ];
    for (text, kubectl, core) in table {
        for (dialect, expected) in
            [(Dialect::Kubectl, kubectl), (Dialect::ApiServer, kubectl), (Dialect::Yaml12, core)]
        {
            let found = read(&format!("v: {text}"), dialect).map(|value| value.get("v").unwrap().to_json());
            assert_eq!(found.unwrap_or_else(|_| "-".to_owned()), expected, "{text} in {dialect:?}");
        }
    }
}

#[test]
fn keys_merges_and_documents_follow_kubectl() {
    let table = [
        ("yes: 1\non: 2\n", r#"[{"true":2}]"#),
        ("1: a\n0x10: b\n1.50: c\n", r#"[{"1":"a","1.5":"c","16":"b"}]"#),
        ("b: &b {x: 1}\nm:\n  <<: *b\n  x: 2\n", r#"[{"b":{"x":1},"m":{"x":2}}]"#),
        ("b: &b {x: 1}\nm:\n  x: 2\n  <<: *b\n", r#"[{"b":{"x":1},"m":{"x":1}}]"#),
        ("a: &a {x: 1}\nb: &b {x: 2}\nm: {<<: [*a, *b]}\n", r#"[{"a":{"x":1},"b":{"x":2},"m":{"x":1}}]"#),
        ("a: 1\n...\nb: 2\n", r#"[{"a":1}]"#),
        ("a: 1\n--- # next\nb: 2\n---\n---\n# none\n", r#"[{"a":1},{"b":2}]"#),
        ("a: 1\n--- \t\nb: 2\n", r#"[{"a":1},{"b":2}]"#),
        ("{\"a\":1}{\"b\":2}", r#"[{"a":1},{"b":2}]"#),
        ("{\"a\":1}\n---\nb: 2\n", r#"[{"a":1},{"b":2}]"#),
        ("v:\u{a0}1\n", "[\"v:\u{a0}1\"]"),
    ];
    for (text, expected) in table {
        let stream = Stream::parse(text.as_bytes(), Dialect::Kubectl, &Limits::manifests()).unwrap();
        assert_eq!(Value::from(stream.values().unwrap()).to_json_sorted(), expected, "{text}");
    }
    for text in
        ["--- {a: b}\n", "%YAML 1.2\n---\na: 1\n", "a: *nowhere\n", "? [a]\n: 1\n", "~: 1\n", "a: 1\n<<: 2\n"]
    {
        let stream = Stream::parse(text.as_bytes(), Dialect::Kubectl, &Limits::manifests());
        assert!(stream.and_then(|stream| stream.values()).is_err(), "{text}");
    }
}

#[test]
fn what_a_reader_drops_is_told() {
    let stream = Stream::parse(b"a: 1\n...\nb: 2\n", Dialect::Kubectl, &Limits::manifests()).unwrap();
    assert_eq!(&stream.text()[stream.dropped()[0].clone()], "b: 2\n");
    let stream = Stream::parse(b"a: 1\n---\nb: 2\n", Dialect::ApiServer, &Limits::manifests()).unwrap();
    assert_eq!(stream.dropped().len(), 1);
}

#[test]
fn nodes_know_their_place_style_and_text() {
    let text = "# c\nä: &x 'b''c'\nlist:\n  - {k: v, k: w}\n---\nsecond: *no\n".replace("*no", "|\n  t\n");
    let stream = Stream::parse(text.as_bytes(), Dialect::Kubectl, &Limits::small_file()).unwrap();
    let [first, second] = stream.documents() else { panic!("two documents") };
    let node = first.pointer("/ä").unwrap();
    assert_eq!((node.text(), node.source(), node.style()), (Some("b'c"), "'b''c'", Style::SingleQuoted));
    assert_eq!((node.anchor(), node.position().to_string().as_str()), (Some("x"), "2:7"));
    let flow = first.pointer("/list/0").unwrap();
    assert_eq!((flow.kind(), flow.style(), flow.source()), (Kind::Mapping, Style::Flow, "{k: v, k: w}"));
    let keys: Vec<_> = flow.entries().map(|(key, value)| (key.source(), value.source())).collect();
    assert_eq!(keys, [("k", "v"), ("k", "w")], "equal keys are both visible");
    assert_eq!(first.root().unwrap().source(), "ä: &x 'b''c'\nlist:\n  - {k: v, k: w}");
    assert_eq!(second.pointer("/second").unwrap().text(), Some("t\n"));
    assert_eq!(second.pointer("/second").unwrap().position().line, 7);
    assert_eq!(first.locate("/list/0/k/absent").to_string(), "4:15");
}

#[test]
fn too_much_is_refused_with_its_place() {
    let limits = Limits { bytes: 1000, depth: 8, documents: 3, nodes: 50, expanded: 200 };
    let bomb = "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\nd: [*c, *c, *c, *c, *c]\n";
    let cases = [
        ("bytes", "x".repeat(1001)),
        ("levels", "[".repeat(20)),
        ("levels", format!("{}a", "- ".repeat(20))),
        ("documents", "a: 1\n---\n".repeat(5)),
        (
            "nodes",
            "[a, b, c, d, e, f, g, h, i, j]\n---\n".repeat(3).replace("---\n", "") + &" - a\n".repeat(60),
        ),
        ("values after aliases", bomb.to_owned()),
    ];
    for (name, text) in cases {
        let text = if name == "nodes" { "- a\n".repeat(60) } else { text };
        for dialect in [Dialect::Kubectl, Dialect::Yaml12] {
            let result = Stream::parse(text.as_bytes(), dialect, &limits).and_then(|stream| stream.values());
            assert!(
                matches!(result, Err(Error::Limit { what, .. }) if what == name),
                "{name} {dialect:?}: {result:?}"
            );
        }
    }
}

#[test]
fn an_alias_bomb_stops_where_go_stops() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..7 {
        let items = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    let result = read(&text, Dialect::Kubectl);
    assert!(matches!(&result, Err(Error::NoValue { .. } | Error::Limit { .. })), "{result:?}");
    assert!(matches!(read("a: &x [*x]\n", Dialect::Kubectl), Err(Error::NoValue { .. })));
}

#[test]
fn errors_name_line_and_column() {
    let table = [
        ("a: 1\nb: @x\n", "2:4"),
        ("a:\n- b\n\t- c\n", "2:3"),
        ("a: 1\n---\nb: 1\nc: *d\n", "4:4"),
        ("a: 1\nc: .nan\n", "2:4"),
        ("x: \u{2028}\n", "1:4"),
    ];
    for (text, place) in table {
        let result = Stream::parse(text.as_bytes(), Dialect::Kubectl, &Limits::manifests());
        let error = result.and_then(|stream| stream.values()).unwrap_err();
        assert_eq!(error.position().unwrap().to_string(), place, "{error}");
    }
}

#[test]
fn strict_json_refuses_what_json_does_not_have() {
    let limits = Limits::small_file();
    for text in [
        "",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\":1,\"a\":2}",
        "01",
        "1.",
        ".5",
        "+1",
        "NaN",
        "'a'",
        "\"\\ud800\"",
        "1 2",
        "\"\t\"",
        "1e999",
    ] {
        assert!(parse_json(text.as_bytes(), &limits).is_err(), "{text}");
    }
    let text = r#"{"a":[1,-2.5,1e3,"\u00e9\ud83d\ude00\/",true,null],"b":18446744073709551615}"#;
    let value = parse_json(text.as_bytes(), &limits).unwrap();
    assert_eq!(value.to_json(), r#"{"a":[1,-2.5,1000,"é😀/",true,null],"b":18446744073709551615}"#);
    assert!(parse_json("[".repeat(1000).as_bytes(), &limits).is_err());
}

#[test]
fn what_yaml_1_1_reads_otherwise_is_refused_or_read_its_way() {
    let read_all = [
        ("v: '\u{85}a'", "-"),
        ("v: 'a\u{85}b'", r#"{"v":"a b"}"#),
        ("v: \"a \u{2028} b\"", "{\"v\":\"a\\u2028b\"}"),
        ("v: a\u{2028}b", "-"),
        ("# \u{2028}\nv: 1", "-"),
        ("v: \"\\ud83d\\ude00\"", "-"),
        ("v: \"\\/\"", "-"),
        ("v: [1,\n\t2]", r#"{"v":[1,2]}"#),
        ("v: [1\n\t, 2]", "-"),
        ("v:\n\t- 1", "-"),
        ("v: |\n \tx", "-"),
        ("v: {a::b}", "{\"v\":{\"a::b\":null}}"),
        ("v: {a:}", "-"),
        ("v: [::1]", "-"),
        ("v: &a.b 1", "-"),
        ("...\nv: 1", "-"),
        ("1: a\n'1': b", "-"),
        ("v: !!timestamp 2026-02-28", r#"{"v":"2026-02-28"}"#),
        ("v: !!timestamp 2026-02-28T1:2:3.5+01:00", r#"{"v":"2026-02-28T1:2:3.5+01:00"}"#),
        ("v: !!timestamp 2026-02-30", "-"),
        (
            "{\"v\":\"\\ud800\",\n\t\"w\":18446744073709551616}",
            "{\"v\":\"\u{fffd}\",\"w\":18446744073709552000}",
        ),
        ("{\"v\":1e999}", "-"),
        ("{\"v\":1} x", "-"),
    ];
    for (text, expected) in read_all {
        let stream = Stream::parse(text.as_bytes(), Dialect::Kubectl, &Limits::manifests());
        let value = stream.and_then(|stream| stream.values()).map(|values| values[0].to_json());
        assert_eq!(value.unwrap_or_else(|_| "-".to_owned()), expected, "{text}");
    }
    let server = |text: &str| read(text, Dialect::ApiServer);
    assert!(server("%YAML 1.1\n---\na: 1\n").is_ok() && server("%YAML 1.2\n---\na: 1\n").is_err());
    assert!(server("%TAG ! tag:x,2000:\n---\na: 1\n").is_ok() && server("%FOO x\n---\na: 1\n").is_err());
    assert_eq!(server("a: |\n  x").unwrap().to_json(), r#"{"a":"x"}"#);
    let wide: Vec<u8> = "\u{feff}a: \u{e9}\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let stream = Stream::parse(&wide, Dialect::Kubectl, &Limits::small_file()).unwrap();
    assert_eq!(
        (stream.values().unwrap()[0].to_json().as_str(), stream.is_lossy()),
        ("{\"a\":\"\u{e9}\"}", true)
    );
}

#[test]
fn objects_are_what_kubectl_takes_for_objects() {
    let head = "apiVersion: e.com/v1\nkind: Any\n";
    let table = [
        ("metadata: {name: a, labels: {a: 'yes'}, annotations: {b: null}, finalizers: [x]}", true),
        ("metadata: {name: y}", false),
        ("metadata: {name: 1}", false),
        ("metadata: {labels: {a: yes}}", false),
        ("metadata: {annotations: {a: 1}}", false),
        ("metadata: {finalizers: [1]}", false),
        ("metadata: {generation: x}", false),
        ("metadata: {creationTimestamp: x}", false),
        ("metadata: {creationTimestamp: 2026-01-02T03:04:05Z}", true),
        ("metadata: {creationTimestamp: null, ownerReferences: [{controller: yes}]}", true),
        ("metadata: {ownerReferences: {}}", false),
        ("metadata: {ownerReferences: [{controller: 'yes'}]}", false),
        ("metadata: []", false),
        ("metadata: null", true),
        ("spec: []", true),
    ];
    let objects =
        |text: &str| Stream::parse(text.as_bytes(), Dialect::Kubectl, &Limits::small_file())?.objects();
    for (text, fine) in table {
        assert_eq!(objects(&format!("{head}{text}\n")).is_ok(), fine, "{text}");
    }
    for text in [
        "",
        "---\n",
        "[]",
        "x",
        "kind: Any",
        "apiVersion: v1",
        "apiVersion: a/b/c\nkind: X",
        "apiVersion: v1\nkind: yes",
    ] {
        assert!(objects(text).is_err(), "{text}");
    }
    let list =
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A}\n- {apiVersion: v1, kind: B}\n";
    assert_eq!(objects(list).unwrap().len(), 2);
    let error = objects(
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {labels: {x: on}}}\n",
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "4:52: /metadata/labels/x: must be a text, and is true; put it in quotes if a text is meant"
    );
}
