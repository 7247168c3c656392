//! What a rule in CUE refuses and what it lets pass, as measured at the Policy Controller.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_sign::policy::{RuleAnswer, evaluate_rule};

/// `A` accepted, `r` refused, `?` undecided.
fn letter(rule: &str, document: &str) -> char {
    match evaluate_rule("sbom", "cue", rule, document) {
        RuleAnswer::Accepted => 'A',
        RuleAnswer::Refused(_) => 'r',
        _ => '?',
    }
}

fn statement(packages: &str) -> String {
    let packages = if packages.is_empty() { String::new() } else { format!(r#","packages":{packages}"#) };
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document","subject":[],"predicate":{{"spdxVersion":"SPDX-2.3"{packages}}}}}"#
    )
}

#[test]
fn clauses_that_ask_for_packages() {
    // 0, 1, 3 items, absent, null, a text, a number, an object.
    let values = [
        "[]",
        r#"[{"name":"a"}]"#,
        r#"[{"name":"a"},{"name":"b"},{"name":"c"}]"#,
        "",
        "null",
        r#""many""#,
        "3",
        r#"{"a":1}"#,
    ];
    for (clause, expected) in [
        ("packages: len(_) > 0", "AAAAAAAA"),
        ("packages: [_, ...]", "rAAArrrr"),
        ("packages!: [_, ...]", "rAAArrrr"),
        ("len(packages) > 0", "rrrrrrrr"),
        ("packages: [...]\n  len(packages) > 0", "rrrrrrrr"),
        ("packages: [...]\n  _n: len(packages) & >0", "rrrrrrrr"),
        ("packages: [...]\n  if predicateType != \"\" { _n: len(packages) & >0 }", "rAArrrrr"),
        ("packages: _\n  _n: len(packages) & >0", "rAAArArA"),
        ("packages: [...{name: string}]", "AAAArrrr"),
        ("packages: null | [_, ...]", "rAAAArrr"),
        ("packages: *[_, ...] | string", "rAAArArr"),
        ("packages: [for p in packages {name: p.name}]", "????????"),
    ] {
        let rule =
            format!("predicateType: string\npredicate: {{\n  spdxVersion: =~\"^SPDX-\"\n  {clause}\n}}\n");
        let ours: String = values.iter().map(|value| letter(&rule, &statement(value))).collect();
        if !expected.contains('?') {
            assert_eq!(ours, expected, "{clause}");
        }
    }
    let imported = "import \"list\"\npredicate: packages: [...{}] & list.MinItems(1)\n";
    let ours: String = values.iter().map(|value| letter(imported, &statement(value))).collect();
    assert_eq!(ours, "rAAArrrr", "list.MinItems(1)");
}

#[test]
fn clauses_of_all_kinds() {
    let document = statement(r#"[{"name":"a","license":"MIT"},{"name":"b","license":"GPL"}]"#);
    for (rule, expected) in [
        ("", 'A'),
        ("// nothing", 'A'),
        ("import \"list\"\npredicate: {}", 'r'),
        ("predicate: {", 'r'),
        ("predicate: list.MinItems(1)", 'r'),
        ("predicate: spdxVersion: \"SPDX-2.3\"", 'A'),
        ("predicate: spdxVersion: \"SPDX-2.2\" | \"SPDX-2.3\"", 'A'),
        ("predicate: spdxVersion: \"SPDX-2.2\" | \"SPDX-2.1\"", 'r'),
        ("predicate: spdxVersion: string & !=\"SPDX-2.3\"", 'r'),
        ("predicate: spdxVersion: !~\"^SPDX\"", 'r'),
        ("predicate: spdxVersion: int", 'r'),
        ("predicate: spdxVersion: #V\n#V: =~\"^SPDX-2\"", 'A'),
        ("predicate: spdxVersion: #V\n#V: =~\"^SPDX-3\"", 'r'),
        ("#P: {spdxVersion: string}\npredicate: #P", '?'),
        ("predicate: packages: [...{license: \"MIT\"}]", 'r'),
        ("predicate: packages: [...{license: \"MIT\" | \"GPL\"}]", 'A'),
        (
            "predicate: packages: _\nfor p in predicate.packages if p.license == \"GPL\" {_e: false & true}",
            'r',
        ),
        (
            "predicate: {packages: [...], if predicateType != \"\" {for p in packages {\"_\\(p.name)\": 1}}}\npredicateType: _",
            '?',
        ),
        ("import \"strings\"\npredicate: spdxVersion: strings.HasPrefix(\"SPDX-\")", 'A'),
        ("import \"strings\"\npredicate: spdxVersion: strings.MinRunes(20)", 'r'),
        ("predicate: {[string]: _}", 'A'),
        ("predicate: {[=~\"^spdx\"]: =~\"^SPDX-3\"}", 'r'),
        ("predicate: {[!~\"^spdx\"]: [...]}", 'A'),
        (
            "import \"time\"\nbefore: time.Parse(time.RFC3339, \"2022-04-15T17:10:27Z\")\npredicate: created: <before",
            'A',
        ),
        ("predicate: {version: \"\\(spdxVersion)!\", spdxVersion: _} & {version: \"SPDX-2.3!\"}", 'A'),
        ("x: 1\nx: 2", 'r'),
        ("predicate: spdxVersion: >5 & <3", 'r'),
        ("predicate: created: >5 & <3", 'r'),
        ("a: b\nb: a", 'A'),
        ("predicate: a.b\na: b: spdxVersion: \"SPDX-2.3\"", 'A'),
        ("predicate: a.b\na: b: spdxVersion: \"SPDX-2\"", 'r'),
        ("let v = \"SPDX-2\"\npredicate: spdxVersion: v", 'r'),
        ("_type: \"anything\"", 'A'),
        ("\"_type\": \"anything\"", 'r'),
        ("predicate: matchN(1, [{a: 1}])", '?'),
        ("predicate: packages: [_, _]", 'A'),
        ("predicate: packages: [_]", 'r'),
        ("predicate: packages: [{name: \"a\"}, ...]", 'A'),
        ("predicate: packages: [{name: \"b\"}, ...]", 'r'),
        ("predicate: spdxVersion: *\"SPDX-2.3\" | string", 'A'),
    ] {
        assert_eq!(
            letter(rule, &document),
            expected,
            "{rule}: {:?}",
            evaluate_rule("sbom", "cue", rule, &document)
        );
    }
}

#[test]
fn no_rule_makes_the_evaluator_run_away() {
    let document = statement("[]");
    for rule in [
        "a: {b: a}",
        "a: [a]",
        "a: b: a",
        "x: {for k, v in x {\"\\(k)1\": v}}",
        &format!("a: {}1{}", "(".repeat(500), ")".repeat(500)),
        &format!("a: {}", "1 | 2 & ".repeat(300)),
        &format!("predicate: spdxVersion: {}\"z\"", "\"a\" | ".repeat(200)),
        "a: =~\"(((((((((((a{1000}){1000}\"",
    ] {
        let _ = letter(rule, &document);
    }
}

/// What CUE 0.15.4 says: whoever computes with a required field that is missing computes with nothing.
#[test]
fn a_required_field_that_is_missing_is_nothing_to_compute_with() {
    use lotse_sign::policy::{RuleAnswer, evaluate_rule};
    for (clause, document, accepted) in [
        ("p!: [...], _n: len(p) & >0", "", true),
        ("p!: [...], _n: len(p) & >0", r#""p":[1]"#, true),
        ("p!: [...], _n: len(p) & >0", r#""p":[]"#, false),
        ("p!: _, if p == _|_ {q: 1 & 2}", "", false),
        ("p!: _, _n: p.a & \"x\"", "", true),
        ("p!: _, _n: p.a & \"x\"", r#""p":{"a":"y"}"#, false),
        ("p!: 3, _n: p == 4, _o: _n & true", "", true),
    ] {
        let rule = format!("predicateType: string\npredicate: {{{clause}}}\n");
        let document = format!(r#"{{"predicateType":"x","predicate":{{{document}}}}}"#);
        let answer = evaluate_rule("rule", "cue", &rule, &document);
        assert_eq!(answer == RuleAnswer::Accepted, accepted, "{clause} {document}: {answer:?}");
        assert!(!matches!(answer, RuleAnswer::Undecided(_)), "{clause} {document}: {answer:?}");
    }
}

/// CUE refuses both: a list has no fields, also where it is the default of a choice and not known yet.
#[test]
fn a_field_of_a_list_that_a_choice_prefers_is_no_yes() {
    for (field, wanted) in [("packages: _", '?'), ("packages: [...]", 'r')] {
        let rule = format!(
            "import \"list\"\npredicateType: string\npredicate: {{\n  {field}\n  other: (list.MinItems(2) | *[for p in packages if p.name == \"a\" {{p.name}}])\n  _n: other.a.b & \"x\"\n}}\n"
        );
        assert_eq!(letter(&rule, &statement("")), wanted, "{rule}");
    }
}
