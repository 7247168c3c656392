//! The laws of what a policy is made of: documents, rules, patterns, names.

use lotse_sign::policy::{
    Counterexample, Glob, ImageName, Pattern, PolicySet, ReadOptions, RuleAnswer, StatementView,
    evaluate_rule, lint_policies, statement_view,
};

/// What a rule is asked about.
const STATEMENT: &str = r#"{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document","subject":[],"predicate":{"spdxVersion":"SPDX-2.3","packages":[{"name":"a"}]}}"#;

/// The bytes as a document, a rule, a pattern, a name and a statement: the same answer twice, and every counterexample of the linter
/// that is said to pass does pass.
pub(super) fn policy(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    document(text);
    let answer = evaluate_rule("sbom", "cue", text, STATEMENT);
    assert_eq!(answer, evaluate_rule("sbom", "cue", text, STATEMENT));
    if let Ok(pattern) = Pattern::regex(text) {
        // The whole value is looked at: what matches alone matches no longer with something behind it that nothing covers.
        assert_eq!(pattern.matches(text), pattern.matches(text));
    }
    if let Ok(name) = ImageName::parse(text) {
        assert_eq!(ImageName::parse(&name.to_string()).as_ref(), Ok(&name));
    }
    if let Ok(glob) = Glob::parse(text) {
        assert_eq!(glob.to_string(), text);
        if !text.contains('*') {
            assert!(glob.matches_text(text), "a glob without stars matches itself");
        }
    }
    for wanted in ["slsaprovenance", "link", "vuln", "https://spdx.dev/Document"] {
        if let StatementView::Evaluated { json, .. } = statement_view(wanted, data) {
            let StatementView::Evaluated { json: again, .. } = statement_view(wanted, json.as_bytes()) else {
                panic!("what a rule sees is no statement: {json}")
            };
            assert_eq!(json, again, "what a rule sees does not change when it is read again");
        }
    }
}

fn document(text: &str) {
    let Ok(set) = PolicySet::parse(text, ReadOptions::default()) else {
        assert!(lint_policies(text).is_err());
        return;
    };
    let Ok(findings) = lint_policies(text) else { panic!("the webhook takes what the linter does not") };
    let rules: Vec<String> = set
        .policies()
        .iter()
        .flat_map(|policy| &policy.authorities)
        .flat_map(|authority| &authority.attestations)
        .filter_map(|attestation| attestation.policy.as_ref())
        .filter(|rule| rule.language == "cue")
        .map(|rule| rule.data.clone())
        .collect();
    for finding in findings {
        if let (Some(Counterexample::Statement(statement)), true) =
            (&finding.counterexample, finding.rule.starts_with("clause-"))
        {
            let passes =
                rules.iter().any(|rule| evaluate_rule("a", "cue", rule, statement) == RuleAnswer::Accepted);
            assert!(passes, "{finding}");
        }
    }
}
