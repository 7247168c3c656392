//! What the linter finds, and that each counterexample really passes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_sign::policy::{
    AuthorityKind, Counterexample, LintFinding, PolicyIdentity, PolicySet, ReadOptions, RuleAnswer,
    check_identities, evaluate_rule, lint_policies,
};

const LISTING: &str = include_str!("data/policy/listing.yaml");

fn find<'a>(findings: &'a [LintFinding], rule: &str) -> &'a LintFinding {
    findings
        .iter()
        .find(|finding| finding.rule == rule)
        .unwrap_or_else(|| panic!("no {rule} among {findings:#?}"))
}

fn rule_of(policy: &str) -> String {
    let set = PolicySet::parse(policy, ReadOptions::default()).unwrap();
    set.policies()[0].authorities[0].attestations[0].policy.clone().unwrap().data
}

fn identities_of(policy: &str) -> Vec<PolicyIdentity> {
    let set = PolicySet::parse(policy, ReadOptions::default()).unwrap();
    match &set.policies()[0].authorities[0].kind {
        AuthorityKind::Keyless(keyless) => keyless.identities.clone(),
        other => panic!("{other:?}"),
    }
}

/// Listing 7.3.13: the finding, its counterexample, and the corrected policy.
#[test]
fn the_listing_admits_an_sbom_without_packages() {
    let findings = lint_policies(LISTING).unwrap();

    let vacuous = find(&findings, "clause-never-refuses");
    assert_eq!(vacuous.position.to_string(), "23:17", "{vacuous}");
    let Some(Counterexample::Statement(statement)) = &vacuous.counterexample else { panic!("{vacuous}") };
    assert!(statement.contains(r#""packages":[]"#), "{statement}");
    assert_eq!(evaluate_rule("sbom", "cue", &rule_of(LISTING), statement), RuleAnswer::Accepted);

    let absent = find(&findings, "clause-admits-absent");
    assert_eq!(absent.position.to_string(), "22:17", "{absent}");

    let blank = find(&findings, "identity-blank");
    let Some(Counterexample::RefusedIdentity { issuer, subject }) = &blank.counterexample else {
        panic!("{blank}")
    };
    assert_eq!(
        subject,
        "https://github.com/DLRGeV-BGSt/kindersucharmband/.github/workflows/ci-build-image.yaml@refs/heads/main"
    );
    assert!(check_identities(&identities_of(LISTING), issuer, &[subject]).is_err());
    find(&findings, "identity-dot");
    find(&findings, "signature-not-checked");

    let corrected = LISTING
        .replace(
            "            subjectRegExp:\n              \"^https://github.com/DLRGeV-BGSt/kindersucharmband/\n                .github/workflows/ci-build-image.yaml@refs/heads/main$\"\n",
            "            subjectRegExp: '^https://github\\.com/DLRGeV-BGSt/kindersucharmband/\\.github/workflows/ci-build-image\\.yaml@refs/tags/[0-9.]+$'\n",
        )
        .replace(
            "                packages: len(_) > 0\n",
            "                packages: [...]\n                if predicateType != \"\" {\n                  _n: len(packages) & >0\n                }\n",
        )
        .replace("              predicate: {\n", "              predicateType: string\n              predicate: {\n");
    let rule = rule_of(&corrected);
    assert!(
        matches!(evaluate_rule("sbom", "cue", &rule, statement), RuleAnswer::Refused(_)),
        "the counterexample"
    );
    let good = statement.replace(r#""packages":[]"#, r#""packages":[{"name":"app"}]"#);
    assert_eq!(evaluate_rule("sbom", "cue", &rule, &good), RuleAnswer::Accepted, "the good statement");
    let findings = lint_policies(&corrected).unwrap();
    for rule in ["clause-never-refuses", "identity-blank", "identity-dot", "identity-unanchored"] {
        assert!(findings.iter().all(|finding| finding.rule != rule), "{rule} in {findings:#?}");
    }
}

fn policy(glob: &str, authority: &str, rest: &str) -> String {
    format!(
        "apiVersion: policy.sigstore.dev/v1alpha1\nkind: ClusterImagePolicy\nmetadata:\n  name: p\nspec:\n  images:\n  - glob: '{glob}'\n  authorities:\n{authority}{rest}"
    )
}

fn keyless(subject: &str) -> String {
    format!(
        "  - keyless:\n      url: https://fulcio.example\n      identities:\n      - issuer: https://issuer.example\n        subjectRegExp: '{subject}'\n"
    )
}

#[test]
fn patterns_of_identities() {
    for (pattern, rule) in [
        ("ci-build-image", Some("identity-unanchored")),
        ("^https://github\\.com/org/app", Some("identity-unanchored")),
        ("@example\\.com$", Some("identity-unanchored")),
        ("^https://a/x|https://b/y$", Some("identity-alternation")),
        ("^dev@example.com$", Some("identity-dot")),
        (".*", Some("identity-any")),
        (".+", Some("identity-any")),
        ("^https://github\\.com/org/app/\\.github/workflows/ci\\.yaml@refs/heads/main$", None),
        ("^(?:https://a/x|https://b/y)$", None),
        ("^https://github\\.com/org/.*$", None),
        ("^[^@]+@example\\.com$", None),
    ] {
        let text = policy("**", &keyless(pattern), "");
        let findings = lint_policies(&text).unwrap();
        let found: Vec<&LintFinding> =
            findings.iter().filter(|finding| finding.rule.starts_with("identity-")).collect();
        match rule {
            None => assert!(found.is_empty(), "{pattern}: {found:#?}"),
            Some(rule) => {
                let finding = find(&findings, rule);
                let Some(Counterexample::Identity { issuer, subject }) = &finding.counterexample else {
                    panic!("{pattern}: {finding}")
                };
                assert!(
                    check_identities(&identities_of(&text), issuer, &[subject]).is_ok(),
                    "{pattern}: {finding}"
                );
                assert_eq!(finding.position.line, 13, "{finding}");
            }
        }
    }
}

#[test]
fn globs_that_match_no_pinned_image() {
    for (glob, missed) in [
        ("ghcr.io/org/app:*", true),
        ("ghcr.io/org/app", true),
        ("ghcr.io/org/app:v1", true),
        ("ubuntu", true),
        ("docker.io/**", true),
        ("library/*", true),
        ("ghcr.io/org/app*", false),
        ("ghcr.io/org/app@*", false),
        ("ghcr.io/org/app@sha256:*", false),
        ("ghcr.io/org/**", false),
        ("**", false),
        ("*", false),
        ("*/*", false),
        ("index.docker.io/library/*", false),
        ("localhost:5000/*", false),
    ] {
        let findings = lint_policies(&policy(glob, &keyless("^a$"), "")).unwrap();
        let found = findings.iter().any(|finding| finding.rule == "glob-matches-nothing");
        assert_eq!(found, missed, "{glob}: {findings:#?}");
    }
}

fn attestation(clause: &str) -> String {
    let indented: String = clause.lines().map(|line| format!("            {line}\n")).collect();
    format!(
        "{}    attestations:\n    - name: a\n      predicateType: https://spdx.dev/Document\n      policy:\n        type: cue\n        data: |\n{indented}",
        keyless("^a$")
    )
}

#[test]
fn clauses_that_cannot_say_no() {
    for (clause, rule) in [
        ("predicate: packages: len(_) > 0", Some("clause-never-refuses")),
        ("predicate: packages: [_, ...]", Some("clause-admits-absent")),
        ("predicate: packages!: [_, ...]", Some("clause-admits-absent")),
        ("predicate: name: string", Some("clause-admits-absent")),
        ("spdxVersion: \"SPDX-2.3\"", Some("clause-outside-predicate")),
        ("_type: \"x\"", Some("clause-hidden")),
        ("predicate: {packages: [...], _n: len(packages) & >0}", Some("rule-refuses-all")),
        ("predicate: {", Some("rule-refuses-all")),
        (
            "predicateType: string\npredicate: {\n  packages: [...]\n  if predicateType != \"\" { _n: len(packages) & >0 }\n}",
            None,
        ),
    ] {
        let text = policy("**", &attestation(clause), "");
        let findings = lint_policies(&text).unwrap();
        let found: Vec<&LintFinding> = findings
            .iter()
            .filter(|finding| finding.rule.starts_with("clause-") || finding.rule.starts_with("rule-"))
            .collect();
        let Some(rule) = rule else {
            assert!(found.is_empty(), "{clause}: {found:#?}");
            continue;
        };
        let finding = find(&findings, rule);
        match &finding.counterexample {
            Some(Counterexample::Statement(statement)) => {
                assert_eq!(
                    evaluate_rule("a", "cue", &rule_of(&text), statement),
                    RuleAnswer::Accepted,
                    "{finding}"
                );
            }
            Some(Counterexample::RefusedStatement(statement)) => {
                assert!(matches!(
                    evaluate_rule("a", "cue", &rule_of(&text), statement),
                    RuleAnswer::Refused(_)
                ));
            }
            other => assert_eq!((rule, other), ("clause-hidden", &None), "{finding}"),
        }
    }
}

#[test]
fn what_is_not_checked_at_all() {
    let key = |name: &str| {
        format!(
            "  - name: {name}\n    key:\n      data: |\n        -----BEGIN PUBLIC KEY-----\n        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEy4e3QYsyHFyT6iwlx27SzFjx95Qc\n        wfXw7d1xtfviqbZZhWGyvRP12SKkozUHE1HebD8+nklTXiKmLasUW4Gduw==\n        -----END PUBLIC KEY-----\n"
        )
    };
    let attested = format!(
        "{}    attestations:\n    - name: sbom\n      predicateType: https://spdx.dev/Document\n",
        key("att")
    );
    let naive = "  policy:\n    type: cue\n    data: |\n      authorityMatches: {\n        k1: {...}\n        k2: {...}\n      }\n";
    let counted = "  policy:\n    type: cue\n    data: |\n      authorityMatches: _\n      _n: len(authorityMatches) & >=2\n";
    for (authorities, rest, rule) in [
        (format!("{}  - static:\n      action: pass\n", key("k1")), "", "authority-idle"),
        (key("k1"), "  mode: warn\n", "mode-warn"),
        (key("k1"), "", "log-unchecked"),
        (attested.clone(), "", "attestation-not-evaluated"),
        (attested.clone(), "", "signature-not-checked"),
        (format!("{}{attested}", key("k1")), "", "attestation-optional"),
        (format!("{}{}", key("k1"), key("k2")), naive, "quorum-not-enforced"),
        (
            keyless("^a$").replace("identities:", "insecureIgnoreSCT: true\n      identities:"),
            "",
            "sct-ignored",
        ),
        (key("k1").replace("  - name", "  - signatureFormat: bundle\n    name"), "", "authority-never"),
        (attested.replace("https://spdx.dev/Document", "spdx"), "", "predicate-as-text"),
    ] {
        let findings = lint_policies(&policy("**", &authorities, rest)).unwrap();
        find(&findings, rule);
    }
    let findings = lint_policies(&policy("**", &format!("{}{}", key("k1"), key("k2")), counted)).unwrap();
    assert!(findings.iter().all(|finding| finding.rule != "quorum-not-enforced"), "{findings:#?}");

    let one = policy("**", &key("k1"), "");
    let hidden = lint_policies(&format!("{one}--- \n{one}").replace('\n', "\r\n")).unwrap();
    assert!(find(&hidden, "document-hidden").position.line > 14, "{hidden:#?}");
}

#[test]
fn a_text_that_the_webhook_refuses_is_not_linted() {
    assert!(lint_policies("kind: ClusterImagePolicy").is_err());
}
