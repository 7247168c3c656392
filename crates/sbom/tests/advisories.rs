//! Matching, excuses and the gate.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_sbom::{
    Advisory, Allow, Because, Database, Date, Error, Excuse, Gate, GateVerdict, Inventory, Judgement, Limits,
    Severity, Vex, catalogue, cvss_v3_base, judge,
};

fn limits() -> Limits {
    Limits::for_images()
}

fn composer(packages: &[(&str, &str)]) -> Inventory {
    let list: Vec<String> =
        packages.iter().map(|(n, v)| format!(r#"{{"name": "{n}", "version": "{v}"}}"#)).collect();
    catalogue([("composer.lock", format!(r#"{{"packages": [{}]}}"#, list.join(",")))], limits()).unwrap()
}

fn record(id: &str, ecosystem: &str, name: &str, rest: &str, more: &str) -> Advisory {
    let text = format!(
        r#"{{"schema_version": "1.7.0", "id": "{id}", "aliases": ["CVE-{id}"], "summary": "s", {more}
        "affected": [{{"package": {{"ecosystem": "{ecosystem}", "name": "{name}"}}, {rest}}}]}}"#
    );
    Advisory::parse(id, text.as_bytes(), limits()).unwrap()
}

fn database(advisories: Vec<Advisory>) -> Database {
    let mut database = Database::default();
    advisories.into_iter().for_each(|a| database.insert(a));
    database
}

/// Whether `version` of the Packagist package counts as affected: yes, no or undecided.
fn affected(version: &str, rest: &str) -> &'static str {
    let matches = database(vec![record("A", "Packagist", "acme/x", rest, "")])
        .matches(&composer(&[("acme/x", version)]));
    match (matches.found.len(), matches.undecided.len()) {
        (0, 0) => "no",
        (1, 0) => "yes",
        (0, 1) => "undecided",
        other => panic!("{other:?}"),
    }
}

#[test]
fn ranges_as_the_schema_evaluates_them() {
    let range = |events: &str| format!(r#""ranges": [{{"type": "ECOSYSTEM", "events": [{events}]}}]"#);
    let fixed = range(r#"{"introduced": "1.0"}, {"fixed": "1.2"}"#);
    let last = range(r#"{"introduced": "0"}, {"last_affected": "1.2"}"#);
    let two = range(r#"{"introduced": "2.0"}, {"fixed": "2.1"}, {"introduced": "0"}, {"fixed": "1.5"}"#);
    let limit = range(r#"{"introduced": "0"}, {"limit": "2.0"}"#);
    let git = r#""ranges": [{"type": "GIT", "repo": "r", "events": [{"introduced": "0"}]}]"#;
    let git_and_list =
        r#""ranges": [{"type": "GIT", "repo": "r", "events": [{"introduced": "0"}]}], "versions": ["1.0.0"]"#;
    for (version, rest, expected) in [
        ("0.9", fixed.as_str(), "no"),
        ("1.0", &fixed, "yes"),
        ("v1.1.99", &fixed, "yes"),
        ("1.2-beta1", &fixed, "yes"),
        ("1.2", &fixed, "no"),
        ("1.2", &last, "yes"),
        ("1.2.0.1", &last, "no"),
        ("1.4", &two, "yes"),
        ("1.5", &two, "no"),
        ("2.0.5", &two, "yes"),
        ("1.9", &limit, "yes"),
        ("2.0", &limit, "no"),
        ("1.0", git, "undecided"),
        ("v1.0.0", git_and_list, "yes"),
        ("1.0.1", git_and_list, "no"),
        ("dev-main", &fixed, "undecided"),
        ("not a version", &fixed, "undecided"),
        ("dev-main", r#""versions": ["dev-main"]"#, "yes"),
    ] {
        assert_eq!(affected(version, rest), expected, "{version} in {rest}");
    }
}

#[test]
fn distributions_are_matched_by_source_and_release() {
    let tree = [
        ("etc/os-release", "ID=alpine\nVERSION_ID=3.20.3\n"),
        (
            "lib/apk/db/installed",
            "P:libcrypto3\nV:3.3.2-r0\nA:x86_64\no:openssl\nC:Q1T/3pLZt8JyCOsuR7GqQNvAJLkGc=\n",
        ),
    ];
    let inventory = catalogue(tree, limits()).unwrap();
    let range =
        r#""ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.3.2-r1"}]}]"#;
    for (ecosystem, name, expected) in [
        ("Alpine:v3.20", "openssl", 1),
        ("Alpine:v3.20", "libcrypto3", 0),
        ("Alpine:v3.19", "openssl", 0),
        ("Alpine", "openssl", 1),
        ("Debian:12", "openssl", 0),
    ] {
        let found = database(vec![record("A", ecosystem, name, range, "")]).matches(&inventory).found;
        assert_eq!(found.len(), expected, "{ecosystem} {name}");
    }
    let debian = [
        ("usr/lib/os-release", "ID=debian\nVERSION_ID=\"12\"\n"),
        (
            "var/lib/dpkg/status",
            "Package: libssl3\nStatus: install ok installed\nSource: openssl (3.0.15-1~deb12u1)\nVersion: 3.0.15-1~deb12u1+b1\nArchitecture: amd64\n",
        ),
    ];
    let range = r#""ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.0.15-1~deb12u1"}]}]"#;
    let matches = database(vec![record("D", "Debian:12", "openssl", range, "")])
        .matches(&catalogue(debian, limits()).unwrap());
    assert!(matches.found.is_empty(), "the source version decides: {matches:#?}");
}

#[test]
fn withdrawn_records_match_nothing_and_foreign_ecosystems_are_named() {
    let all = r#""versions": ["1.0"]"#;
    let mut db =
        database(vec![record("A", "Packagist", "acme/x", all, r#""withdrawn": "2024-01-01T00:00:00Z","#)]);
    db.insert(record("B", "Go", "acme/x", all, ""));
    assert!(db.matches(&composer(&[("acme/x", "1.0")])).found.is_empty());
    assert_eq!(db.unsupported_ecosystems().collect::<Vec<_>>(), ["Go"]);
}

#[test]
fn severities() {
    for (vector, tenths) in [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Some(98)),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", Some(100)),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", Some(61)),
        ("CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N", Some(37)),
        ("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", Some(78)),
        ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", Some(16)),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", Some(0)),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N", None),
        ("CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", None),
        ("AV:N/AC:L/Au:N/C:N/I:N/A:C", None),
    ] {
        assert_eq!(cvss_v3_base(vector), tenths, "{vector}");
    }
    let v4 = r#""severity": [{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}],"#;
    let word = format!(r#"{v4} "database_specific": {{"severity": "MODERATE"}},"#);
    let all = r#""versions": ["1"]"#;
    assert_eq!(record("A", "npm", "x", all, v4).severity, Severity::Unknown);
    assert_eq!(record("A", "npm", "x", all, &word).severity, Severity::Medium);
}

const HIGH: &str =
    r#""severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"}],"#;

fn judged(allow: &[Allow], vex: &[&str]) -> Judgement {
    let all = r#""versions": ["1.0"]"#;
    let db = database(vec![
        record("A", "Packagist", "acme/x", all, HIGH),
        record("B", "Packagist", "acme/y", all, ""),
    ]);
    let inventory = composer(&[("acme/x", "1.0"), ("acme/y", "1.0")]);
    let matches = db.matches(&inventory);
    assert!(matches.found.iter().all(|m| m.because == Because::Listed));
    let vex: Vec<Vex> = vex.iter().map(|v| Vex::parse("v", v.as_bytes(), limits()).unwrap()).collect();
    judge(
        &matches,
        &inventory,
        allow,
        &vex,
        &["pkg:oci/shop@sha256:ab".to_owned()],
        "2026-11-21".parse().unwrap(),
    )
}

fn allow(id: &str, component: &str, expires: &str) -> Allow {
    Allow::new(id, component, "not reachable", expires.parse().unwrap(), "sec@example.org").unwrap()
}

#[test]
fn the_allow_list_is_exact_dated_and_accounted_for() {
    let open = |j: &Judgement| j.open.iter().map(|c| c.advisory.clone()).collect::<Vec<_>>().join(",");
    for (entry, left, expired, unused) in [
        (allow("A", "pkg:composer/acme/x", "2026-11-21"), "B", 0, 0),
        (allow("CVE-A", "pkg:composer/acme/x@1.0", "2027-01-01"), "B", 0, 0),
        (allow("A", "pkg:composer/acme/x@*", "2027-01-01"), "B", 0, 0),
        (allow("A", "pkg:*/y@1.0", "2027-01-01"), "A,B", 0, 1),
        (allow("A", "*acme/x@1.0", "2027-01-01"), "B", 0, 0),
        (allow("A", "pkg:composer/acme/x", "2026-11-20"), "A,B", 1, 0),
        (allow("A", "pkg:composer/acme/y", "2027-01-01"), "A,B", 0, 1),
        (allow("B", "pkg:composer/acme/x", "2027-01-01"), "A,B", 0, 1),
    ] {
        let judgement = judged(std::slice::from_ref(&entry), &[]);
        assert_eq!(
            (open(&judgement).as_str(), judgement.expired.len(), judgement.unused.len()),
            (left, expired, unused),
            "{entry:?}"
        );
    }
    assert!(Allow::new("A", "x", " ", "2027-01-01".parse().unwrap(), "me").is_err());
}

fn vex(statements: &str) -> String {
    format!(
        r#"{{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/v1", "author": "a", "version": 1,
        "timestamp": "2026-01-01T00:00:00Z", "statements": [{statements}]}}"#
    )
}

fn statement(vulnerability: &str, product: &str, status: &str, more: &str) -> String {
    format!(
        r#"{{"vulnerability": {{"name": "{vulnerability}"}}, "products": [{product}], "status": "{status}"{more}}}"#
    )
}

#[test]
fn vex_binds_vulnerability_product_and_component() {
    let why = r#", "justification": "vulnerable_code_not_present""#;
    let x = r#"{"@id": "pkg:composer/acme/x"}"#;
    let part = r#"{"@id": "pkg:oci/shop@sha256:ab", "subcomponents": [{"@id": "pkg:composer/acme/x@1.0"}]}"#;
    let other =
        r#"{"@id": "pkg:oci/other@sha256:ab", "subcomponents": [{"@id": "pkg:composer/acme/x@1.0"}]}"#;
    let whole = r#"{"@id": "pkg:oci/shop@sha256:ab"}"#;
    let later = r#", "timestamp": "2026-02-01T00:00:00+01:00", "action_statement": "update""#;
    let not_affected = |product: &str| statement("CVE-A", product, "not_affected", why);
    for (name, statements, left) in [
        ("component as product", not_affected(x), "B"),
        ("part of the subject", not_affected(part), "B"),
        ("part of something else", not_affected(other), "A,B"),
        ("the subject as a whole", not_affected(whole), "B"),
        ("fixed", statement("A", x, "fixed", ""), "B"),
        ("still looked into", statement("A", x, "under_investigation", ""), "A,B"),
        ("another vulnerability", statement("B", x, "not_affected", why), "A,B"),
        (
            "the later one wins",
            format!("{},{}", statement("A", x, "affected", later), not_affected(x)),
            "A,B",
        ),
    ] {
        let judgement = judged(&[], &[&vex(&statements)]);
        let open: Vec<&str> = judgement.open.iter().map(|c| c.advisory.as_str()).collect();
        assert_eq!(open.join(","), left, "{name}");
        assert!(judgement.excused.iter().all(|(_, e)| matches!(e, Excuse::Vex { .. })));
    }
    for (statements, said) in [
        (statement("A", "", "fixed", ""), "excuse everything"),
        (statement("A", x, "not_affected", ""), "justification"),
        (statement("A", x, "affected", ""), "action statement"),
        (statement("A", x, "fine", ""), "\"fine\""),
    ] {
        let Err(error @ Error::Malformed { .. }) = Vex::parse("v", vex(&statements).as_bytes(), limits())
        else {
            panic!("{said}")
        };
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn the_gate_counts_from_a_severity_on_and_unknown_is_worst() {
    let judgement = judged(&[], &[]);
    for (severity, max, passed) in [
        (Severity::Low, 2, true),
        (Severity::Low, 1, false),
        (Severity::Critical, 0, false), // B has no known severity
        (Severity::Critical, 1, true),
    ] {
        let verdict = Gate { severity, max }.judge(&judgement);
        assert_eq!(matches!(verdict, GateVerdict::Passed { .. }), passed, "{severity} {max}: {verdict:?}");
        if let GateVerdict::Refused { witnesses, .. } = verdict {
            assert_eq!(witnesses[0].advisory, "B", "the worst comes first");
        }
    }
}

#[test]
fn dates_and_times() {
    for text in ["2024-02-29", "1970-01-01", "9999-12-31"] {
        assert_eq!(text.parse::<Date>().unwrap().to_string(), text);
    }
    for text in
        ["2023-02-29", "2024-13-01", "2024-1-01", "2024-01-00", "24-01-01", "2024-01-01x", "+024-01-01"]
    {
        assert!(text.parse::<Date>().is_err(), "{text}");
    }
    use lotse_sbom::Timestamp;
    for (text, printed) in [
        ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"),
        ("2024-03-01T00:30:00.123+01:00", "2024-02-29T23:30:00Z"),
        ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
    ] {
        assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), printed);
    }
    assert_eq!(Timestamp::from_unix(1_732_147_200).unwrap().to_string(), "2024-11-21T00:00:00Z");
    assert!("2024-01-01T00:00:00".parse::<Timestamp>().is_err());
}
