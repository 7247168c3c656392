//! What a policy does not check: each finding with a counterexample that the evaluator itself has let pass.

mod clause;
mod globs;
mod identities;
mod quorum;
mod sample;
mod structure;

use std::fmt;

use lotse_yaml::Position;

use super::document::{Located, PolicyError, PolicySet, ReadOptions};

/// A flaw of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LintFinding {
    /// Which flaw, by a name that stays: `identity-unanchored`, `clause-never-refuses`, …
    pub rule: &'static str,
    /// The policy.
    pub policy: String,
    /// Where in the text.
    pub position: Position,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub advice: String,
    /// What proves it: made by the linter, judged by the evaluator.
    pub counterexample: Option<Counterexample>,
}

/// Something that the author most likely did not mean.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Counterexample {
    /// An image that the policy does not cover.
    Uncovered(String),
    /// A signer that the policy lets pass.
    Identity {
        /// Who vouches.
        issuer: String,
        /// For whom.
        subject: String,
    },
    /// A signer that the policy refuses, though it must be meant.
    RefusedIdentity {
        /// Who vouches.
        issuer: String,
        /// For whom.
        subject: String,
    },
    /// A statement in JSON that the rule lets pass.
    Statement(String),
    /// A statement in JSON that the rule refuses, though it must be meant.
    RefusedStatement(String),
    /// What the policy-level rule sees and lets pass, in JSON.
    Matches(String),
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uncovered(image) => write!(f, "not covered: {image}"),
            Self::Identity { issuer, subject } => write!(f, "admitted: {subject} by issuer {issuer}"),
            Self::RefusedIdentity { issuer, subject } => write!(f, "refused: {subject} by issuer {issuer}"),
            Self::Statement(statement) => write!(f, "admitted: {statement}"),
            Self::RefusedStatement(statement) => write!(f, "refused: {statement}"),
            Self::Matches(matches) => write!(f, "admitted: {matches}"),
        }
    }
}

impl fmt::Display for LintFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}: {}", self.position, self.policy, self.rule, self.message)?;
        if let Some(counterexample) = &self.counterexample {
            write!(f, "\n  {counterexample}")?;
        }
        write!(f, "\n  {}", self.advice)
    }
}

/// Reads policies and looks for what they do not check, in the order of the text.
///
/// # Errors
///
/// [`PolicyError`] if the webhook would refuse the text: that comes first.
pub fn lint_policies(text: &str) -> Result<Vec<LintFinding>, PolicyError> {
    let set = PolicySet::parse(text, ReadOptions::default())?;
    let mut findings = Vec::new();
    for policy in set.policies() {
        let Some(located) = set.located(policy) else { continue };
        let mut linter = Linter { policy: policy.name.clone(), located, findings: &mut findings };
        globs::lint(policy, &mut linter);
        structure::lint(policy, &mut linter);
        identities::lint(policy, &mut linter);
        clause::lint(policy, &mut linter);
        quorum::lint(policy, &mut linter);
    }
    for position in set.hidden_documents() {
        findings.push(LintFinding {
            rule: "document-hidden",
            policy: "-".to_owned(),
            position: *position,
            message:
                "the controller does not read what starts here: only a line of exactly `---` parts documents"
                    .to_owned(),
            advice: "remove blanks and carriage returns around the separator".to_owned(),
            counterexample: None,
        });
    }
    findings.sort_by_key(|finding| finding.position.offset);
    Ok(findings)
}

pub(super) struct Linter<'a> {
    policy: String,
    located: &'a Located,
    findings: &'a mut Vec<LintFinding>,
}

impl Linter<'_> {
    pub(super) fn report(
        &mut self,
        rule: &'static str,
        pointer: &str,
        message: impl Into<String>,
        advice: impl Into<String>,
        counterexample: Option<Counterexample>,
    ) {
        let position = self.located.locate(pointer);
        self.at(rule, position, message, advice, counterexample);
    }

    fn at(
        &mut self,
        rule: &'static str,
        position: Position,
        message: impl Into<String>,
        advice: impl Into<String>,
        counterexample: Option<Counterexample>,
    ) {
        self.findings.push(LintFinding {
            rule,
            policy: self.policy.clone(),
            position,
            message: message.into(),
            advice: advice.into(),
            counterexample,
        });
    }

    /// The place of a piece of text inside a field, or of the field.
    pub(super) fn inside(&self, pointer: &str, piece: &str) -> Position {
        let field = self.located.locate(pointer);
        let Some(node) = self.located.node(pointer) else { return field };
        let source = node.source();
        let Some(at) = source.find(piece).filter(|_| !piece.is_empty()) else { return field };
        let before = source.get(..at).unwrap_or_default();
        let lines = before.matches('\n').count();
        let column = match before.rsplit_once('\n') {
            Some((_, line)) => line.chars().count() + 1,
            None => field.column + before.chars().count(),
        };
        Position { line: field.line + lines, column, offset: field.offset + at }
    }

    pub(super) fn report_inside(
        &mut self,
        rule: &'static str,
        pointer: &str,
        piece: &str,
        message: impl Into<String>,
        advice: impl Into<String>,
        counterexample: Option<Counterexample>,
    ) {
        let position = self.inside(pointer, piece);
        self.at(rule, position, message, advice, counterexample);
    }
}
