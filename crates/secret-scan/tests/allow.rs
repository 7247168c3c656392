//! Excuses are exact, dated and accounted for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

mod corpus;

use lotse_secret_scan::{Allow, Limits, Place, Scanner, judge, scan_image};

#[test]
fn an_entry_fits_rule_path_and_secret_until_its_day() {
    let scanner = Scanner::new(Limits::for_repositories()).unwrap();
    let findings = scanner.scan(corpus::with_crc("ghp", 1).as_bytes(), &Place::file("a"));
    let print = findings.found[0].fingerprint.clone();
    let other = "0123456789abcdef";
    for (rule, path, print, day, counts) in [
        ("github-token", "a", print.as_str(), "2026-11-21", (0, 1, 0, 0)),
        ("github-token", "a", &print, "2026-11-20", (1, 0, 1, 0)),
        ("github-token", "b", &print, "2026-11-21", (1, 0, 0, 1)),
        ("npm-token", "a", &print, "2026-11-21", (1, 0, 0, 1)),
        ("github-token", "a", other, "2026-11-21", (1, 0, 0, 1)),
    ] {
        let entry = Allow::new(rule, path, print, "a test key", day).unwrap();
        let j = judge(&findings, &[entry], "2026-11-21").unwrap();
        assert_eq!(
            (j.open.len(), j.excused.len(), j.expired.len(), j.unused.len()),
            counts,
            "{rule} {path} {day}"
        );
    }
}

#[test]
fn incomplete_entries_are_refused() {
    let print = "0123456789abcdef";
    for (rule, path, print, reason, day) in [
        ("", "a", print, "r", "2026-01-01"),
        ("r", "", print, "r", "2026-01-01"),
        ("r", "a", "*", "r", "2026-01-01"),
        ("r", "a", print, " ", "2026-01-01"),
        ("r", "a", print, "r", "never"),
        ("r", "a", print, "r", "2026-13-01"),
    ] {
        assert!(Allow::new(rule, path, print, reason, day).is_err(), "{rule} {path} {print} {reason} {day}");
    }
}

#[test]
fn layers_and_the_configuration_of_an_image() {
    let scanner = Scanner::new(Limits::for_repositories()).unwrap();
    let token = corpus::with_crc("ghp", 2);
    let config =
        format!(r#"{{"config": {{"Env": ["PATH=/bin", "DB_{}={}"]}}}}"#, "PASSWORD", corpus::base62(16, 3));
    // The second layer deletes the file; the first still holds it.
    let entries = [
        ("0", "etc/token", token.as_bytes()),
        ("1", "etc/.wh.token", b"".as_slice()),
        ("2", "etc/token", token.as_bytes()),
    ];
    let mut steps = 0;
    let findings = scan_image(&scanner, entries, Some(config.as_bytes()), &mut |_| steps += 1);
    let seen: Vec<String> = findings.found.iter().map(|f| format!("{} {}", f.place, f.rule)).collect();
    assert_eq!(seen, ["layer 0 etc/token github-token", "image configuration env-secret"]);
    assert_eq!(steps, 3);
}
