//! Rules over authorities that one of them satisfies.

use super::{Counterexample, Linter};
use crate::policy::authority_count;
use crate::policy::json::Json;
use crate::policy::model::{Authority, AuthorityKind, ClusterImagePolicy};
use crate::policy::script::{RuleAnswer, evaluate_rule};

pub(super) fn lint(policy: &ClusterImagePolicy, linter: &mut Linter<'_>) {
    let Some(rule) = &policy.policy else { return };
    if rule.data.is_empty() || authority_count(policy) < 2 {
        return;
    }
    let named = policy.authorities.iter().filter(|authority| rule.data.contains(&authority.name)).count();
    let counts = ["MinFields", "len(", "count(", ">= 2", ">=2"].iter().any(|word| rule.data.contains(word));
    if named < 2 && !counts {
        return;
    }
    let accepted = |authorities: &[&Authority]| {
        let matches =
            authorities.iter().map(|authority| (authority.name.clone(), found(authority))).collect();
        let document = Json::Object(vec![("authorityMatches".to_owned(), Json::Object(matches))]).marshal();
        let answer = evaluate_rule("ClusterImagePolicy", &rule.language, &rule.data, &document);
        (answer == RuleAnswer::Accepted, document)
    };
    let all: Vec<&Authority> = policy.authorities.iter().collect();
    if !accepted(&all).0 {
        return;
    }
    for authority in &policy.authorities {
        let (admitted, document) = accepted(&[authority]);
        if admitted {
            let message = format!(
                "the rule names several authorities, and {} alone satisfies it: in CUE a condition on a field that is absent holds",
                authority.name
            );
            let advice = "in Rego: count(input.authorityMatches) >= 2; in CUE: `authorityMatches: _` and `_n: len(authorityMatches) & >=2`";
            linter.report(
                "quorum-not-enforced",
                "/spec/policy/data",
                message,
                advice,
                Some(Counterexample::Matches(document)),
            );
            return;
        }
    }
}

/// What a satisfied authority looks like.
fn found(authority: &Authority) -> Json {
    let one = |name: &str, value: Json| Json::Object(vec![(name.to_owned(), value)]);
    let signature = one("id", Json::text("0000"));
    if matches!(authority.kind, AuthorityKind::Static { .. }) {
        return one("static", Json::Bool(true));
    }
    if authority.attestations.is_empty() {
        return one("signatures", Json::Array(vec![signature]));
    }
    let each = authority.attestations.iter().map(|attestation| {
        let members = vec![
            ("id".to_owned(), Json::text("0000")),
            ("predicateType".to_owned(), Json::text(&attestation.predicate_type)),
        ];
        (attestation.name.clone(), Json::Array(vec![Json::Object(members)]))
    });
    one("attestations", Json::Object(each.collect()))
}
