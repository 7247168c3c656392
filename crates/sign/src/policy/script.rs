use super::cue;
use super::json::Json;

/// What a rule in CUE or Rego says of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleAnswer {
    /// It has nothing against it.
    Accepted,
    /// It refuses, in the controller's words.
    Refused(String),
    /// It uses something that this version does not evaluate (or Rego, and the feature `rego` is off). Never to be taken for a
    /// yes.
    Undecided(String),
}

/// Evaluates a rule as the controller does: `language` is `cue` or `rego`, `name` is what its messages call the rule, `document`
/// the JSON text that the rule sees.
#[must_use]
pub fn evaluate_rule(name: &str, language: &str, source: &str, document: &str) -> RuleAnswer {
    match language {
        "cue" => {
            let document = match Json::parse(document.as_bytes()) {
                Ok(document) => document,
                Err(error) => {
                    return RuleAnswer::Refused(format!(
                        "failed evaluating cue policy for {name}: failed to compile the attestation data with error: {error}"
                    ));
                }
            };
            match cue::evaluate(source, &document) {
                cue::Answer::Accepted => RuleAnswer::Accepted,
                cue::Answer::Refused(reason) => {
                    RuleAnswer::Refused(format!("failed evaluating cue policy for {name}: {reason}"))
                }
                cue::Answer::Undecided(what) => RuleAnswer::Undecided(format!(
                    "the CUE policy for {name} uses {what}, which is not evaluated here"
                )),
            }
        }
        "rego" => rego(name, source, document),
        other => RuleAnswer::Refused(format!("sorry Type {other} is not supported yet")),
    }
}

#[cfg(feature = "rego")]
fn rego(name: &str, source: &str, document: &str) -> RuleAnswer {
    super::rego::evaluate(name, source, document)
}

#[cfg(not(feature = "rego"))]
fn rego(name: &str, _source: &str, _document: &str) -> RuleAnswer {
    RuleAnswer::Undecided(format!("the policy for {name} is in Rego, and the feature `rego` is off"))
}
