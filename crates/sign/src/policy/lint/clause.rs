//! Rules over statements: clauses that let everything pass, or everything but what is there.

use super::sample::matching;
use super::{Counterexample, Linter};
use crate::policy::cue::{Answer, Leaf, Refusal, Rule};
use crate::policy::json::Json;
use crate::policy::model::{AttestationRule, ClusterImagePolicy};
use crate::policy::payload::predicate_uri;
use crate::policy::script::{RuleAnswer, evaluate_rule};

/// What a statement of in-toto has at its top.
const TOP: [&str; 4] = ["_type", "predicateType", "subject", "predicate"];
/// Values that a clause may be made for, the smallest first.
const VALUES: [&str; 11] =
    ["null", "[]", "{}", r#""""#, "0", "false", r#""many""#, "3", "true", r#"[{"name":"a"}]"#, r#"{"a":1}"#];
/// Documents that are tried for one rule.
const TRIES: usize = 3000;

pub(super) fn lint(policy: &ClusterImagePolicy, linter: &mut Linter<'_>) {
    for (at, authority) in policy.authorities.iter().enumerate() {
        for (entry, attestation) in authority.attestations.iter().enumerate() {
            let place = format!("/spec/authorities/{at}/attestations/{entry}");
            if attestation.predicate_type == "spdx" {
                let message = "`spdx` is what cosign stores as one text: such a statement is refused before any rule sees it";
                let advice =
                    "attest with --type spdxjson, and write predicateType: https://spdx.dev/Document";
                let statement = statement("spdx", Json::text("{…}")).marshal();
                linter.report(
                    "predicate-as-text",
                    &format!("{place}/predicateType"),
                    message,
                    advice,
                    Some(Counterexample::RefusedStatement(statement)),
                );
            }
            match &attestation.policy {
                None => {
                    let message = format!(
                        "any statement of type {} will do, whatever it says",
                        attestation.predicate_type
                    );
                    let empty = statement(&attestation.predicate_type, Json::Object(Vec::new())).marshal();
                    let advice = "add a policy that looks at the predicate";
                    linter.report(
                        "attestation-not-evaluated",
                        &place,
                        message,
                        advice,
                        Some(Counterexample::Statement(empty)),
                    );
                }
                Some(rule) if rule.data.is_empty() => {}
                Some(rule) if rule.language == "cue" => {
                    cue(attestation, &rule.data, &format!("{place}/policy/data"), linter)
                }
                Some(rule) => rego(attestation, &rule.data, &format!("{place}/policy/data"), linter),
            }
        }
    }
}

fn statement(predicate_type: &str, predicate: Json) -> Json {
    let digest = Json::Object(vec![("sha256".to_owned(), Json::text("aa"))]);
    let subject = Json::Object(vec![("name".to_owned(), Json::text("app")), ("digest".to_owned(), digest)]);
    Json::Object(vec![
        ("_type".to_owned(), Json::text("https://in-toto.io/Statement/v0.1")),
        ("predicateType".to_owned(), Json::text(predicate_uri(predicate_type))),
        ("subject".to_owned(), Json::Array(vec![subject])),
        ("predicate".to_owned(), predicate),
    ])
}

fn cue(attestation: &AttestationRule, source: &str, pointer: &str, linter: &mut Linter<'_>) {
    let rule = match Rule::compile(source) {
        Ok(rule) => rule,
        Err(Refusal::Compile(reason)) => {
            let empty = statement(&attestation.predicate_type, Json::Object(Vec::new())).marshal();
            let message = format!("the rule refuses every statement: {reason}");
            let advice = "a length is taken of an empty list while the rule is compiled: guard it with `if predicateType != \"\" {…}` and `predicateType: string` at the top";
            linter.report(
                "rule-refuses-all",
                pointer,
                message,
                advice,
                Some(Counterexample::RefusedStatement(empty)),
            );
            return;
        }
        Err(Refusal::Unsupported(_)) => return,
    };
    let leaves = rule.leaves();
    for leaf in leaves.iter().filter(|leaf| leaf.path.len() == 1) {
        let Some(name) = leaf.path.first() else { continue };
        if leaf.hidden && TOP.contains(&name.as_str()) {
            let message =
                format!("`{name}` without quotes is a hidden field of the rule, not the statement's");
            linter.report_inside("clause-hidden", pointer, name, message, format!("write \"{name}\""), None);
        }
    }
    let tops: Vec<&Leaf> = leaves
        .iter()
        .filter(|leaf| !leaf.hidden && leaf.path.first().is_some_and(|top| !TOP.contains(&top.as_str())))
        .collect();
    for leaf in tops {
        let name = leaf.path.join(".");
        let bad = statement(&attestation.predicate_type, Json::Object(Vec::new()));
        if rule.check(&bad) == Answer::Accepted {
            let message = format!("a statement has no member {name} at its top: nothing is checked");
            let advice = format!("write predicate: {name}: …");
            linter.report_inside(
                "clause-outside-predicate",
                pointer,
                &leaf.line(source),
                message,
                advice,
                Some(Counterexample::Statement(bad.marshal())),
            );
        }
    }
    let inside: Vec<&Leaf> = leaves
        .iter()
        .filter(|leaf| {
            !leaf.hidden && leaf.path.first().is_some_and(|top| top == "predicate") && leaf.path.len() > 1
        })
        .collect();
    let mut tries = 0;
    let mut accepts = |predicate: &Json| {
        tries += 1;
        tries <= TRIES
            && rule.check(&statement(&attestation.predicate_type, predicate.clone())) == Answer::Accepted
    };
    let Some(good) = good(&inside, &mut accepts) else { return };
    for leaf in &inside {
        let path = leaf.path.get(1..).unwrap_or_default();
        let name = leaf.path.join(".");
        let absent = without(&good, path);
        let admits_absent = accepts(&absent);
        let mut admitted = Vec::new();
        let mut refused = 0;
        for value in VALUES {
            let Ok(value) = Json::parse(value.as_bytes()) else { continue };
            let changed = with(&good, path, value);
            if accepts(&changed) { admitted.push(changed) } else { refused += 1 }
        }
        let found = |predicate: &Json| {
            Some(Counterexample::Statement(
                statement(&attestation.predicate_type, predicate.clone()).marshal(),
            ))
        };
        if refused == 0 && !leaf.anything {
            // The smallest that a clause about a list or its length must have meant to refuse.
            let smallest = with(&good, path, Json::Array(Vec::new()));
            let message = format!("{name} may be anything: the clause never becomes false at admission");
            let advice = format!(
                "write `predicateType: string` at the top and, beside it, `if predicateType != \"\" {{ _n: len({}) & >0 }}` with `{}: [...]`; or use Rego",
                path.last().map(String::as_str).unwrap_or_default(),
                path.last().map(String::as_str).unwrap_or_default()
            );
            linter.report_inside(
                "clause-never-refuses",
                pointer,
                &leaf.line(source),
                message,
                advice,
                found(&smallest),
            );
        } else if admits_absent && refused > 0 {
            let message = format!(
                "{name} may be absent: a condition on a field that is not there holds (with `!` too)"
            );
            let advice = "in Rego a field that is absent makes a rule undefined: ask there, or compute with the field under a guard";
            linter.report_inside(
                "clause-admits-absent",
                pointer,
                &leaf.line(source),
                message,
                advice,
                found(&absent),
            );
        }
    }
}

/// A predicate that the rule lets pass: built from its clauses, then tried with other values.
fn good(leaves: &[&Leaf], accepts: &mut impl FnMut(&Json) -> bool) -> Option<Json> {
    let candidates: Vec<Vec<Json>> = leaves
        .iter()
        .map(|leaf| {
            let mut values: Vec<Json> = leaf.literals.clone();
            values.extend(leaf.patterns.iter().filter_map(|pattern| matching(pattern)).map(Json::String));
            values.extend(
                [r#"[{"name":"a"}]"#, r#""x""#, "1", "true", "{}", "null"]
                    .iter()
                    .filter_map(|text| Json::parse(text.as_bytes()).ok()),
            );
            values
        })
        .collect();
    let mut predicate = Json::Object(Vec::new());
    for (leaf, values) in leaves.iter().zip(&candidates) {
        let path = leaf.path.get(1..).unwrap_or_default();
        if let Some(first) = values.first() {
            predicate = with(&predicate, path, first.clone());
        }
    }
    if accepts(&predicate) {
        return Some(predicate);
    }
    // One field after the other, keeping what helps; twice, since fields may depend on each other.
    for _ in 0..2 {
        for (leaf, values) in leaves.iter().zip(&candidates) {
            let path = leaf.path.get(1..).unwrap_or_default();
            for value in values {
                let changed = with(&predicate, path, value.clone());
                if accepts(&changed) {
                    return Some(changed);
                }
            }
        }
        for (leaf, values) in leaves.iter().zip(&candidates) {
            let path = leaf.path.get(1..).unwrap_or_default();
            let alone =
                values.iter().find(|value| accepts(&with(&Json::Object(Vec::new()), path, (*value).clone())));
            if let Some(value) = alone {
                predicate = with(&predicate, path, value.clone());
            }
        }
        if accepts(&predicate) {
            return Some(predicate);
        }
    }
    None
}

fn with(value: &Json, path: &[String], new: Json) -> Json {
    let Some((first, rest)) = path.split_first() else { return new };
    let mut members = match value {
        Json::Object(members) => members.clone(),
        _ => Vec::new(),
    };
    let inner = members.iter().find(|(name, _)| name == first).map_or(Json::Null, |(_, value)| value.clone());
    let inner = with(&inner, rest, new);
    members.retain(|(name, _)| name != first);
    members.push((first.clone(), inner));
    Json::Object(members)
}

fn without(value: &Json, path: &[String]) -> Json {
    let (Some((first, rest)), Json::Object(members)) = (path.split_first(), value) else {
        return value.clone();
    };
    let kept = members.iter().filter(|(name, _)| name != first || !rest.is_empty());
    Json::Object(
        kept.map(|(name, value)| {
            (name.clone(), if name == first { without(value, rest) } else { value.clone() })
        })
        .collect(),
    )
}

/// Rego: whether the rule lets an empty predicate pass, or none.
fn rego(attestation: &AttestationRule, source: &str, pointer: &str, linter: &mut Linter<'_>) {
    let admits = |predicate: &str| {
        let predicate = Json::parse(predicate.as_bytes()).ok()?;
        let document = statement(&attestation.predicate_type, predicate).marshal();
        let answer = evaluate_rule(&attestation.name, "rego", source, &document);
        (answer == RuleAnswer::Accepted).then_some(document)
    };
    let found: Vec<String> = ["null", "{}", r#""text""#].into_iter().filter_map(admits).collect();
    if let Some(first) = found.into_iter().next() {
        let message = "the rule lets a statement pass that says nothing";
        let advice = "ask for what must be there: `is_array(input.predicate.packages)`, then `count(…) > 0`; `not` of something undefined is true";
        linter.report(
            "rule-admits-nothing",
            pointer,
            message,
            advice,
            Some(Counterexample::Statement(first)),
        );
    }
}
