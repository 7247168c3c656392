//! Documents against what the webhook's validation says of them.
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

use lotse_sign::policy::{PolicySet, ReadOptions};

fn text(cell: &str) -> String {
    match cell {
        "-" => String::new(),
        quoted => serde_json::from_str(quoted).unwrap(),
    }
}

#[test]
fn documents_are_judged_in_the_webhooks_words() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/policy");
    let mut wrong = Vec::new();
    for line in fs::read_to_string(data.join("validate.tsv")).unwrap().lines().skip(1) {
        let row: Vec<&str> = line.split('\t').collect();
        let document = fs::read_to_string(data.join("validate").join(row[1])).unwrap();
        let judge = |empty| {
            let mut options = ReadOptions::default();
            options.dangerous_empty_authorities = empty;
            match PolicySet::parse(&document, options) {
                Err(error) => ("reject", error.message, String::new()),
                Ok(set) if set.warnings().is_empty() => ("accept", String::new(), String::new()),
                Ok(set) => ("warn", String::new(), set.warning_text()),
            }
        };
        let ours = judge(false);
        if ours != (row[2], text(row[4]), text(row[5])) || judge(true).0 != row[3] {
            wrong.push(format!("{}: {ours:?}\n  the webhook {} {}", row[1], row[2], text(row[4])));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_issue_knows_its_place() {
    let document = "apiVersion: policy.sigstore.dev/v1beta1\nkind: ClusterImagePolicy\nmetadata: {name: p}\nspec:\n  images: [{glob: '**'}]\n  authorities:\n  - static: {action: PASS}\n---\n";
    let document = format!("# first\n{document}").replace("---\n", "");
    let error = PolicySet::parse(&document, ReadOptions::default()).unwrap_err();
    assert_eq!(error.message, "invalid value: PASS: spec.authorities[0].static.action\nunsupported action");
    assert_eq!(error.position.unwrap().to_string(), "8:22");
}

#[test]
fn rules_see_statements_as_the_controller_shows_them() {
    use lotse_sign::policy::{StatementView, statement_view};
    for line in include_str!("data/policy/payload.tsv").lines().skip(1) {
        let row: Vec<&str> = line.split('\t').collect();
        let ours = match statement_view(&text(row[1]), row[2].as_bytes()) {
            StatementView::Evaluated { json, predicate_type } => {
                ("evaluated", json, predicate_type, String::new())
            }
            StatementView::Skipped { predicate_type } => {
                ("skipped", "-".to_owned(), predicate_type, String::new())
            }
            StatementView::Failed { message, predicate_type } => {
                ("error", "-".to_owned(), predicate_type.unwrap_or_default(), message)
            }
            _ => unreachable!(),
        };
        assert_eq!(ours, (row[3], row[4].to_owned(), text(row[5]), text(row[6])), "{}", row[0]);
    }
}
