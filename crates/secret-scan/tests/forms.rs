//! What is found and what is not, in one piece of content.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

mod corpus;

use corpus::{base62, base64, hex, in_context, jwt, pem, secrets, with_crc};
use lotse_secret_scan::{Findings, Limits, Place, Proof, Scanner, rules};
use proptest::prelude::*;
use std::sync::LazyLock;

static SCANNER: LazyLock<Scanner> = LazyLock::new(|| Scanner::new(Limits::for_repositories()).unwrap());

fn scan(text: &str) -> Findings {
    SCANNER.scan(text.as_bytes(), &Place::file("a.txt"))
}

fn found(text: &str) -> Vec<&'static str> {
    scan(text).found.iter().map(|f| f.rule).collect()
}

/// Every secret of the corpus with the text it stands in.
fn planted() -> Vec<(&'static str, String, String)> {
    let alone = secrets().into_iter().map(|(rule, secret)| (rule, "@".to_owned(), secret));
    let context = in_context();
    alone.chain(context).map(|(rule, text, secret)| (rule, text.replacen('@', &secret, 1), secret)).collect()
}

#[test]
fn every_planted_secret_is_found_once_at_its_place() {
    for (rule, text, secret) in planted() {
        let findings = scan(&format!("one\ntwo\n{text}\n"));
        let all: Vec<String> = findings.found.iter().map(ToString::to_string).collect();
        assert_eq!(findings.found.len(), 1, "{rule}: {text}: {all:?}");
        let finding = &findings.found[0];
        assert_eq!(finding.rule, rule, "{text}");
        let column = text.lines().find_map(|l| l.find(secret.lines().next().unwrap())).unwrap() + 1;
        assert_eq!((finding.line, finding.column), (3, column as u64), "{rule}");
    }
}

#[test]
fn surroundings_do_not_hide_a_secret() {
    for (rule, secret) in secrets().into_iter().filter(|(rule, _)| *rule != "private-key") {
        for (before, after) in [
            ("\"", "\""),
            ("<v>", "</v>"),
            ("key: ", ","),
            ("(", ")"),
            ("'", "\\\""),
            ("\u{1}\0", "\0"),
            ("x=", ";"),
            ("`", "`"),
        ] {
            // `.` and `-` belong to some alphabets and are not tried.
            let text = format!("{before}{secret}{after}");
            assert_eq!(found(&text), [rule], "{text:?}");
        }
    }
}

#[test]
fn no_output_holds_a_secret() {
    for (rule, text, secret) in planted() {
        // Also as part of the path, and with a second secret beside it.
        let other = with_crc("ghp", 99);
        let all = format!("{text}\n{other}\n");
        let findings = SCANNER.scan(all.as_bytes(), &Place::file(format!("d/{other}/x")));
        let shown = format!(
            "{findings:?} {:#?} {}",
            SCANNER.scan(&[], &Place::file("x")),
            findings.found.iter().map(ToString::to_string).collect::<String>()
        );
        for secret in [secret.as_str(), &other] {
            assert!(!shown.contains(secret), "{rule}");
            let half = &secret[secret.len() / 2..];
            assert!(!shown.contains(half), "{rule}: not even its second half");
        }
    }
}

#[test]
fn lookalikes_are_no_findings() {
    let wrong_sum = {
        let mut token = with_crc("ghp", 70);
        let last = if token.ends_with('a') { 'b' } else { 'a' };
        token.pop();
        token.push(last);
        token
    };
    let url = |password: &str| format!("mysql://shop:{password}\u{40}db/shop");
    for text in [
        wrong_sum.clone(),
        format!("x{}", with_crc("ghp", 71)),
        format!("{}x", with_crc("ghp", 72)),
        format!("ghp_{}", "a".repeat(36)),
        format!("AK{}IOSFODNN7EXAMPLE", "IA"),
        format!("AK{}{}", "IA", "A".repeat(16)),
        url("password"),
        url("${DB_PASSWORD}"),
        url("<password>"),
        url("changeme"),
        url("xxxxxxxx"),
        url("%env(DB)%"),
        url("your-password"),
        "https://example.org:8080/a@b".to_owned(),
        "https://user@example.org/x".to_owned(),
        format!("https://user:{}\u{40}www.example.org/x", "k3Vx9qLw"),
        format!("type APPLY_{}_FN = Option<unsafe extern fn()>", "TOKEN"),
        "git@github.com:acme/x.git".to_owned(),
        "APP_KEY=".to_owned(),
        format!("\"DB_{}=\".to_owned(),", "PASSWORD"),
        "DB_PASSWORD=".to_owned(),
        // The line above, as a scanner of this file sees it.
        format!("\"DB_{}=\".to_owned(),", "PASSWORD"),
        format!("DB_{}=${{DB_PASSWORD}}", "PASSWORD"),
        format!("DB_{}=secretsecret", "PASSWORD"),
        format!("DB_{}=config('database.secret.x7')", "PASSWORD"),
        format!("const CREATE_{} = 'api_token_create'", "TOKEN"),
        format!("APP_{}=SomeRandomString", "KEY"),
        format!("token = {}", "user_session_token_v2_name"),
        format!("password: {}", "components/PasswordField2.vue"),
        format!("ERROR_{}=-2147467259i32", "TOKEN"),
        format!("ERROR_{}=0x80045023", "TOKEN"),
        format!("APP_{}=std::env::var9", "SECRET"),
        format!("base{}:{}", 64, base64(&[0; 32])),
        format!("eyJ{}.eyJ{}.{}", base62(30, 73), base62(30, 74), base62(43, 75)),
        "integrity sha512-VT0ZI6kZRdTh8YyJw3SMbYm/u+NqfsAxEpWO0Pf9sq8/e94WxxOpPKx9FR1FlyCtOVDNOQ+8ntlqFxiRc+r5qA==".to_owned(),
        format!("commit {}", hex(40, 76)),
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----".to_owned(),
        format!("{0}BEGIN RSA PRIVATE KEY{0}\n...\n{0}END RSA PRIVATE KEY{0}", "-----"),
        format!("{0}BEGIN RSA PRIVATE KEY{0}", "-----"),
        pem("CERTIFICATE", 77),
        "sk_live_0123456789012345".to_owned(),
    ] {
        assert_eq!(found(&text), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn checksums_and_structure_are_said() {
    for (text, proof) in [
        (with_crc("ghp", 80), Proof::Checksum),
        (jwt(81), Proof::Structure),
        (pem("PRIVATE KEY", 82), Proof::Structure),
    ] {
        assert_eq!(scan(&text).found[0].proof, proof);
    }
}

#[test]
fn keys_in_json_yaml_and_one_line_variables() {
    let key = pem("PRIVATE KEY", 83);
    let json = format!("{{\"private_key\": \"{}\"}}", key.replace('\n', "\\n"));
    let yaml = format!("key: |\n{}", key.lines().map(|l| format!("    {l}\n")).collect::<String>());
    let windows = key.replace('\n', "\r\n");
    for text in [json, yaml, windows] {
        assert_eq!(found(&text), ["private-key"], "{text}");
    }
}

#[test]
fn kubernetes_secrets_are_decoded_value_by_value() {
    let password = base62(14, 84);
    let token = with_crc("ghp", 85);
    let text = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\ndata:\n  user: {}\n  password: {}\n  again: {}\nstringData:\n  token: {token}\n  host: ${{HOST}}\n---\nkind: ConfigMap\ndata:\n  motto: {}\n",
        base64(b"root"),
        base64(password.as_bytes()),
        base64(password.as_bytes()),
        base64(b"not looked at"),
    );
    let findings = scan(&text);
    let seen: Vec<(&str, u64, &str)> =
        findings.found.iter().map(|f| (f.rule, f.line, f.place.part.as_deref().unwrap_or(""))).collect();
    let mut expected = vec![
        ("kubernetes-secret", 6, "data.password"),
        ("kubernetes-secret", 7, "data.again"),
        ("github-token", 9, "stringData.token"),
    ];
    expected.sort_by_key(|(_, _, part)| *part);
    assert_eq!(seen, expected);
    let [again, first, _] = findings.found.as_slice() else { panic!() };
    assert_eq!(again.fingerprint, first.fingerprint, "the same secret has the same fingerprint");
    assert!(!format!("{findings:?}").contains(&password));
}

#[test]
fn many_beginnings_without_end_take_linear_time() {
    let begin = format!("{0}BEGIN PRIVATE KEY{0}\n", "-----");
    let key = pem("PRIVATE KEY", 88);
    let text = format!("{}{key}{}", begin.repeat(50_000), begin.repeat(50_000));
    assert_eq!(found(&text), ["private-key"]);
}

#[test]
fn utf16_is_read() {
    let secret = with_crc("ghp", 86);
    let text = format!("token = {secret}\r\n");
    let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [[vec![0xff, 0xfe], le.clone()].concat(), [vec![0xfe, 0xff], be.clone()].concat(), le, be] {
        assert_eq!(SCANNER.scan(&bytes, &Place::file("x")).found.len(), 1);
    }
}

#[test]
fn what_is_too_large_or_packed_is_listed() {
    let small = Scanner::new(Limits { file_bytes: 10, findings_per_file: 1 }).unwrap();
    let findings = small.scan(b"0123456789a", &Place::file("big"));
    assert_eq!((findings.scanned, findings.not_scanned.len()), (0, 1));
    assert!(findings.not_scanned[0].reason.contains("above the limit of 10"));
    assert_eq!(scan("PK\u{3}\u{4}...").not_scanned.len(), 1);
}

#[test]
fn gzip_is_unpacked_within_the_limit() {
    use std::io::Write;
    let pack = |text: &str| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(text.as_bytes()).unwrap();
        out.finish().unwrap()
    };
    let text = format!("{}\n{}", "some words before it ".repeat(99), with_crc("ghp", 87));
    let findings = SCANNER.scan(&pack(&text), &Place::file("x.gz"));
    assert!(findings.found.iter().any(|f| f.place.part.as_deref() == Some("unpacked")));
    let small = Scanner::new(Limits { file_bytes: 1000, findings_per_file: 9 }).unwrap();
    let bomb = small.scan(&pack(&"a".repeat(100_000)), &Place::file("bomb"));
    assert!(bomb.not_scanned[0].reason.contains("above the limit of 1000"));
}

#[test]
fn every_rule_is_listed_once() {
    let mut ids: Vec<&str> = rules().iter().map(|r| r.id).collect();
    ids.sort_unstable();
    let before = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), before);
    assert!(before >= 50, "{before} rules");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Text before and after a secret changes its place, never whether it is found: no window or cut loses it.
    #[test]
    fn place_does_not_matter(which in 0_usize..36, before in 0_usize..3000, after in 0_usize..3000, filler in "[ -~]{1,30}\n") {
        let (rule, secret) = secrets().swap_remove(which % secrets().len());
        let fill = |n: usize| filler.chars().cycle().take(n).collect::<String>();
        let text = format!("{}\n{secret}\n{}", fill(before), fill(after));
        prop_assert!(found(&text).contains(&rule), "{rule}");
    }

    #[test]
    fn any_bytes_are_scanned_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = SCANNER.scan(&bytes, &Place::file("x"));
    }
}
