//! Globs, image names and identities against the verdicts of the Policy Controller's own packages.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_sign::policy::{Glob, ImageName, PolicyIdentity, check_identities};
use serde_json::Value;

fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().skip(1).map(|line| line.split('\t').collect())
}

fn text(cell: &str) -> String {
    match cell {
        "-" => String::new(),
        quoted => serde_json::from_str(quoted).unwrap(),
    }
}

#[test]
fn globs_match_as_the_controller_matches_them() {
    let mut wrong = Vec::new();
    for row in rows(include_str!("data/policy/glob.tsv")) {
        let (pattern, image) = (text(row[1]), text(row[2]));
        let name = ImageName::parse(&image);
        let glob = Glob::parse(&pattern);
        let (plain, admission, message) = match (&glob, &name) {
            (Err(error), _) => ("error", "error", error.to_string()),
            (_, Err(error)) => ("error", "error", error.to_string()),
            (Ok(glob), Ok(name)) => {
                let yes = |matched| if matched { "yes" } else { "no" };
                (yes(glob.matches(name, &image)), yes(glob.admits(name)), String::new())
            }
        };
        let full = name.as_ref().map(ToString::to_string).unwrap_or_default();
        let ours = (plain, admission, message, full);
        let theirs = (row[3], row[4], text(row[8]), text(row[6]));
        if ours != theirs {
            wrong.push(format!("{}: {pattern:?} on {image:?}: {ours:?}, the tool {theirs:?}", row[0]));
        }
        if let Ok(name) = &name {
            assert_eq!(if name.digest().is_some() { "yes" } else { "no" }, row[5], "{}", row[0]);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn identities_match_as_cosign_matches_them() {
    for row in rows(include_str!("data/policy/identity.tsv")) {
        let (issuer, subject) = (text(row[1]), text(row[2]));
        let list: Value = serde_json::from_str(row[4]).unwrap();
        let field = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let identities: Vec<PolicyIdentity> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| PolicyIdentity {
                issuer: field(entry, "Issuer"),
                issuer_regexp: field(entry, "IssuerRegExp"),
                subject: field(entry, "Subject"),
                subject_regexp: field(entry, "SubjectRegExp"),
            })
            .collect();
        let subjects: &[&str] = if row[3] == "none" { &[] } else { &[&subject] };
        let ours = match check_identities(&identities, &issuer, subjects) {
            Ok(()) => ("accept", String::new()),
            Err(error) => ("refuse", error.to_string()),
        };
        assert_eq!(ours, (row[5], text(row[6])), "{}", row[0]);
    }
}
