//! Rules in CUE beside the program that defines the language.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use lotse_sign::policy::{RuleAnswer, evaluate_rule};
use lotse_tests::peer;

fn statement(packages: &str) -> String {
    let packages = if packages.is_empty() { String::new() } else { format!(r#","packages":{packages}"#) };
    format!(
        r#"{{"predicateType":"https://spdx.dev/Document","predicate":{{"spdxVersion":"SPDX-2.3"{packages}}}}}"#
    )
}

/// Whether `cue vet` takes a document; `complete` asks for concrete values, which the Policy Controller does not.
fn vet(cue: &Path, rule: &str, document: &str, complete: bool) -> bool {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("rule.cue"), rule).unwrap();
    fs::write(directory.path().join("document.json"), document).unwrap();
    let concrete = if complete { "--concrete=true" } else { "--concrete=false" };
    let output = Command::new(cue)
        .args(["vet", concrete, "rule.cue", "document.json"])
        .current_dir(directory.path())
        .env("HOME", directory.path())
        .output()
        .unwrap();
    output.status.success()
}

/// The clause of the thesis' listing 7.3.13, its usual repair and one that holds, as the controller and as `cue vet` see them:
/// 0, 1 and 3 items, absent, null, a text, a number, an object.
#[test]
fn cue_vet_refuses_what_admission_lets_pass() {
    let Some(cue) = peer("cue") else { return };
    let values = ["[]", r#"[{"name":"a"}]"#, r#"[1,2,3]"#, "", "null", r#""many""#, "3", r#"{"a":1}"#];
    for (clause, admission, complete) in [
        ("packages: len(_) > 0", "AAAAAAAA", "rrrrrrrr"),
        ("packages: [_, ...]", "rAAArrrr", "rAArrrrr"),
        ("packages: [...]\n  if predicateType != \"\" { _n: len(packages) & >0 }", "rAArrrrr", "rAArrrrr"),
    ] {
        let rule =
            format!("predicateType: string\npredicate: {{\n  spdxVersion: =~\"^SPDX-\"\n  {clause}\n}}\n");
        let letters = |accepts: &dyn Fn(&str) -> bool| -> String {
            values.iter().map(|value| if accepts(&statement(value)) { 'A' } else { 'r' }).collect()
        };
        let ours = letters(&|document| evaluate_rule("sbom", "cue", &rule, document) == RuleAnswer::Accepted);
        assert_eq!(ours, admission, "ours: {clause}");
        assert_eq!(letters(&|document| vet(&cue, &rule, document, true)), complete, "cue vet: {clause}");
    }
}

/// Where no value is still wanted `cue vet --concrete=false` says what admission says; a field that is absent is not asked for here,
/// since the program then wants one for a bound all the same.
#[test]
fn rules_of_many_kinds_are_judged_alike() {
    let Some(cue) = peer("cue") else { return };
    let documents = [statement("[]"), statement(r#"[{"name":"a"}]"#), statement("\"many\""), statement("3")];
    for rule in [
        "predicate: spdxVersion: \"SPDX-2.3\"",
        "predicate: spdxVersion: \"SPDX-2.2\" | \"SPDX-2.1\"",
        "predicate: spdxVersion: =~\"^SPDX-\" & !=\"SPDX-2.3\"",
        "predicate: packages: [...{name: =~\"^a\"}]",
        "predicate: packages: [...{name: \"b\"}]",
        "predicate: packages: *[...] | string",
        "predicate: packages: int & >2 & <4",
        "import \"list\"\npredicate: packages: list.MinItems(1)",
        "import \"strings\"\npredicate: spdxVersion: strings.HasPrefix(\"SPDX-\")",
        "predicate: {packages: _, for p in packages {_q: p & {name: \"a\"}}}",
        "predicate: {[string]: string}",
        "predicate: {[=~\"^p\"]: [...]}",
        "predicate: {packages: [...], let n = len(packages), _ok: n & <1}",
        "predicate: {spdxVersion: _, if spdxVersion == \"SPDX-2.3\" {packages: [_]}}",
        "predicate: {spdxVersion: #V, #V: \"SPDX-2.3\" | \"SPDX-3.0\"}",
    ] {
        for document in &documents {
            let ours = evaluate_rule("sbom", "cue", rule, document);
            assert!(!matches!(ours, RuleAnswer::Undecided(_)), "{rule}: {ours:?}");
            let ours = ours == RuleAnswer::Accepted;
            assert_eq!(ours, vet(&cue, rule, document, false), "{rule} on {document}");
        }
    }
}
