//! The library's own rules: whole-value patterns, claims of CI systems, and m of n.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_sign::policy::{Claim, Pattern, Quorum, Requirement, Signed, SignerRule};
use lotse_sign::{Claims, SubjectName};

const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn github(workflow: &str, reference: &str) -> Claims {
    let mut claims = Claims::new(SubjectName::Uri(format!(
        "https://github.com/org/app/.github/workflows/{workflow}@{reference}"
    )));
    claims.issuer = Some(GITHUB.to_owned());
    claims.source_repository_ref = Some(reference.to_owned());
    claims.runner_environment = Some("github-hosted".to_owned());
    claims
}

fn person(mail: &str) -> Claims {
    let mut claims = Claims::new(SubjectName::Email(mail.to_owned()));
    claims.issuer = Some("https://accounts.example".to_owned());
    claims
}

#[test]
fn patterns_look_at_the_whole_value() {
    let regex = |pattern| Pattern::regex(pattern).unwrap();
    for (pattern, value, expected) in [
        (Pattern::exact("a"), "a", true),
        (Pattern::exact("a"), "ab", false),
        (Pattern::glob("https://github.com/org/*/x"), "https://github.com/org/app/x", true),
        (Pattern::glob("https://github.com/org/*/x"), "https://github.com/org/app/evil/x", false),
        (Pattern::glob("https://github.com/**"), "https://github.com/org/app/evil/x", true),
        (regex("main"), "refs/heads/main", false),
        (regex("^a|main$"), "evil-main", false),
        (regex("a|main"), "main", true),
        (regex(r"v\d+"), "v٣", false),
        (regex(r"(?i)MAIN"), "main", true),
        (regex(r"\Qa.b\E"), "axb", false),
        (regex(r"\Qa.b\E"), "a.b", true),
        (regex(r"[[:alpha:]_-]+"), "a_-b", true),
        (regex("x{0,2}"), "xx", true),
        (regex("x{,2}"), "x{,2}", true),
        (regex("a.b"), "a\nb", false),
    ] {
        assert_eq!(pattern.matches(value), expected, "{pattern:?} on {value:?}");
    }
    for bad in ["(", "a)|(b", "a**", "(?=x)", r"\8", r"\1", "[b-a]", "*", "x{1001}", r"\pX"] {
        assert!(Pattern::regex(bad).is_err(), "{bad:?} was taken for a pattern");
    }
}

#[test]
fn a_claim_that_is_not_there_fits_no_rule() {
    let rule = SignerRule::new(Pattern::exact(GITHUB), Pattern::glob("https://github.com/org/app/**"))
        .with_claim(Claim::SourceRepositoryRef, Pattern::glob("refs/tags/*"))
        .with_claim(Claim::RunnerEnvironment, Pattern::exact("github-hosted"));
    assert!(rule.matches(&github("release.yaml", "refs/tags/1.0.0")));
    assert!(!rule.matches(&github("release.yaml", "refs/heads/main")), "another ref");
    let mut self_hosted = github("release.yaml", "refs/tags/1.0.0");
    self_hosted.runner_environment = None;
    assert!(!rule.matches(&self_hosted), "no runner environment");
    let mut elsewhere = github("release.yaml", "refs/tags/1.0.0");
    elsewhere.issuer = Some("https://gitlab.com".to_owned());
    assert!(!rule.matches(&elsewhere), "another issuer");
}

#[test]
fn a_quorum_counts_signers_and_not_signatures() {
    let mail = |pattern: &str| Requirement {
        rule: SignerRule::new(Pattern::exact("https://accounts.example"), Pattern::glob(pattern)),
        predicate_type: None,
    };
    let by = |mail: &str| Signed { by: person(mail), predicate_type: None };
    let quorum =
        Quorum::new(2, vec![mail("*@example.com"), mail("ann@example.com"), mail("*@example.org")]).unwrap();

    // CVE-2020-15093: one key that signs twice is one signer.
    let twice = quorum.check(&[by("bob@example.com"), by("bob@example.com")]).unwrap_err();
    assert_eq!((twice.met, twice.missing.clone()), (1, vec![1, 2]));
    // Ann fits two requirements, and whoever comes first must not block her.
    assert!(quorum.check(&[by("ann@example.com"), by("bob@example.com")]).is_ok());
    assert!(quorum.check(&[by("ann@example.com")]).is_err());
    assert_eq!(quorum.check(&[by("ann@example.com"), by("x@example.org")]).unwrap().len(), 2);

    let with_attestation = Quorum::new(
        2,
        vec![
            mail("*@example.com"),
            Requirement {
                predicate_type: Some("https://spdx.dev/Document".to_owned()),
                ..mail("*@example.com")
            },
        ],
    )
    .unwrap();
    let sbom =
        |mail: &str| Signed { predicate_type: Some("https://spdx.dev/Document".to_owned()), ..by(mail) };
    assert!(with_attestation.check(&[by("a@example.com"), by("b@example.com")]).is_err(), "no attestation");
    assert!(with_attestation.check(&[by("a@example.com"), sbom("a@example.com")]).is_ok());

    assert!(Quorum::new(0, vec![mail("*")]).is_err(), "nothing asked for");
    assert!(Quorum::new(2, vec![mail("*")]).is_err(), "never reached");
}
