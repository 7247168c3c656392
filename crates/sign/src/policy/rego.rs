//! Rego as the Policy Controller uses it: version 0 of the language, the rule `isCompliant` of the package `sigstore`.

use regorus::{Engine, Value};

use super::script::RuleAnswer;

const QUERY: &str = "isCompliant = data.sigstore.isCompliant";
const RULE: &str = "data.sigstore.isCompliant";
/// Bytes of a rule.
const BYTES: usize = 256 << 10;

pub(crate) fn evaluate(name: &str, source: &str, document: &str) -> RuleAnswer {
    let refused = |reason: String| {
        RuleAnswer::Refused(format!("failed evaluating rego policy for type {name}: {reason}"))
    };
    let undecided = |reason: String| RuleAnswer::Undecided(format!("the Rego policy for {name}: {reason}"));
    if source.len() > BYTES {
        return undecided("longer than 256 KiB".to_owned());
    }
    if is_empty(source) {
        return refused("1 error occurred: sigstore.rego:0: rego_parse_error: empty module".to_owned());
    }
    let mut engine = Engine::new();
    engine.set_rego_v0(true);
    if let Err(error) = engine.add_policy("sigstore.rego".to_owned(), source.to_owned()) {
        // What regorus does not read, OPA most likely does not either; but only OPA knows.
        return undecided(format!("not read: {}", first_line(&error.to_string())));
    }
    if let Err(error) = engine.set_input_json(document) {
        return undecided(format!("its document was not read: {}", first_line(&error.to_string())));
    }
    let defined = engine.has_declared_rule_rooted_at("data.sigstore", "isCompliant").unwrap_or(true);
    let not_compliant = || refused(format!("policy is not compliant for query '{QUERY}'"));
    if !defined && !source.contains("isCompliant") {
        return not_compliant();
    }
    let packages = engine.get_packages().unwrap_or_default();
    if !packages.iter().any(|package| package == "data.sigstore") {
        return not_compliant();
    }
    let value = match engine.eval_rule(RULE.to_owned()) {
        Ok(value) => value,
        Err(error) => {
            let text = first_line(&error.to_string());
            return if text.contains("not a valid rule path") {
                not_compliant()
            } else {
                undecided(format!("not evaluated: {text}"))
            };
        }
    };
    match &value {
        Value::Bool(true) => RuleAnswer::Accepted,
        Value::Set(_) | Value::Array(_) => responses(&value, name),
        _ => not_compliant(),
    }
}

/// A set or list of answers: the first that says yes without a warning decides.
fn responses(value: &Value, name: &str) -> RuleAnswer {
    let json = value.to_json_str().unwrap_or_default();
    let items: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap_or_default();
    let mut reason = format!("policy is not compliant for query \"{QUERY}\"");
    for item in &items {
        let Some(members) = item.as_object() else {
            return RuleAnswer::Undecided(format!("the Rego policy for {name}: an answer that is no object"));
        };
        let text = |field: &str| members.get(field).map(|value| value.as_str().map(str::to_owned));
        let (Some(warning), Some(error)) =
            (text("warning").unwrap_or(Some(String::new())), text("error").unwrap_or(Some(String::new())))
        else {
            reason = format!(
                "policy is not compliant for query '{QUERY}' due to parsing errors: json: cannot unmarshal into a text"
            );
            return RuleAnswer::Refused(format!("failed evaluating rego policy for type {name}: {reason}"));
        };
        match members.get("result") {
            Some(serde_json::Value::Bool(true)) if warning.is_empty() => return RuleAnswer::Accepted,
            Some(serde_json::Value::Bool(true)) => return RuleAnswer::Refused(format!("warning: {warning}")),
            Some(serde_json::Value::Bool(false)) | None | Some(serde_json::Value::Null) => {
                reason = format!("policy is not compliant for query '{QUERY}' with errors: {error}");
            }
            Some(other) => {
                let kind = if other.is_string() {
                    "string"
                } else if other.is_number() {
                    "number"
                } else {
                    "object"
                };
                reason = format!(
                    "policy is not compliant for query '{QUERY}' due to parsing errors: json: cannot unmarshal {kind} into Go struct field CosignRuleResult.result of type bool"
                );
                return RuleAnswer::Refused(format!(
                    "failed evaluating rego policy for type {name}: {reason}"
                ));
            }
        }
    }
    RuleAnswer::Refused(format!("failed evaluating rego policy for type {name}: {reason}"))
}

/// Only comments and blanks.
fn is_empty(source: &str) -> bool {
    source.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().chars().take(200).collect()
}
