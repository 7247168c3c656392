//! CUE as the Policy Controller uses it: a rule is compiled, unified with a JSON document, and must have no error that no further
//! value could mend. Nothing is asked to be concrete: **a field that is absent satisfies every condition on it**.

mod ast;
mod bounds;
mod builtin;
mod choice;
mod compute;
mod each;
mod eval;
mod leaves;
mod lex;
mod parse;
mod scope;
mod sum;
mod value;

use self::ast::{Decl, Expr, ExprId, Number, Presence, Syntax};
use self::eval::Machine;
pub(crate) use self::leaves::Leaf;
use self::value::{Bottom, Code};
use super::json::Json;

/// Bytes of a rule.
const BYTES: usize = 256 << 10;
/// Errors that are counted for the message.
const ERRORS: usize = 10;

/// What a rule says of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Accepted,
    /// In the controller's words, after "failed evaluating cue policy for …: ".
    Refused(String),
    /// The rule uses something that this version does not evaluate.
    Undecided(String),
}

/// A text that is not the CUE we read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) message: String,
    pub(crate) offset: usize,
    /// CUE may well read it.
    pub(crate) unsupported: bool,
}

impl SyntaxError {
    fn invalid(message: String, offset: usize) -> Self {
        Self { message, offset, unsupported: false }
    }

    fn unsupported(message: String, offset: usize) -> Self {
        Self { message, offset, unsupported: true }
    }
}

/// A rule that was read and compiled.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    syntax: Syntax,
    top: ExprId,
}

/// Why a rule is none.
pub(crate) enum Refusal {
    Compile(String),
    Unsupported(String),
}

impl Rule {
    /// Reads a rule and evaluates it by itself, as compiling does.
    pub(crate) fn compile(source: &str) -> Result<Self, Refusal> {
        if source.len() > BYTES {
            return Err(Refusal::Unsupported("a rule of more than 256 KiB".to_owned()));
        }
        let mut syntax = Syntax::default();
        let top = parse::parse(source, &mut syntax).map_err(|error| {
            if error.unsupported {
                Refusal::Unsupported(error.message)
            } else {
                Refusal::Compile(error.message)
            }
        })?;
        scope::check(&syntax, top).map_err(Refusal::Compile)?;
        let mut machine = Machine::new(&syntax, &[top], usize::MAX);
        let error = first_error(&mut machine, true);
        if let Some(what) = machine.unsupported {
            return Err(Refusal::Unsupported(what));
        }
        match error {
            Some(message) => Err(Refusal::Compile(message)),
            None => Ok(Self { syntax, top }),
        }
    }

    /// Unifies the rule with a document.
    pub(crate) fn check(&self, document: &Json) -> Answer {
        let mut syntax = self.syntax.clone();
        let data = syntax.exprs.len();
        let document = match embed(document, &mut syntax) {
            Ok(document) => document,
            Err(what) => return Answer::Undecided(what),
        };
        let mut machine = Machine::new(&syntax, &[self.top, document], data);
        let error = first_error(&mut machine, false);
        if let Some(what) = machine.unsupported {
            return Answer::Undecided(what);
        }
        match error {
            Some(message) => Answer::Refused(format!("failed to evaluate the policy with error: {message}")),
            None => Answer::Accepted,
        }
    }
}

/// What a rule says of a document.
pub(crate) fn evaluate(source: &str, document: &Json) -> Answer {
    match Rule::compile(source) {
        Ok(rule) => rule.check(document),
        Err(Refusal::Compile(message)) => {
            Answer::Refused(format!("failed to compile the cue policy with error: {message}"))
        }
        Err(Refusal::Unsupported(what)) => Answer::Undecided(what),
    }
}

/// The first error and how many more there are; when compiling also what the top itself still waits for.
fn first_error(machine: &mut Machine<'_>, compiling: bool) -> Option<String> {
    let mut found = Vec::new();
    machine.conflicts(Machine::ROOT, "", &mut found, ERRORS, 0);
    if found.is_empty() && compiling {
        let own: Option<Bottom> = machine.at(Machine::ROOT).and_then(|root| root.own.clone());
        return own.filter(|error| error.code == Code::Incomplete).map(|error| error.message);
    }
    let more = found.len().saturating_sub(1);
    let (path, error) = found.into_iter().next()?;
    let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
    let rest = if more > 0 { format!(" (and {more} more errors)") } else { String::new() };
    Some(format!("{place}{}{rest}", error.message))
}

/// A document as syntax.
fn embed(document: &Json, syntax: &mut Syntax) -> Result<ExprId, String> {
    let expr = match document {
        Json::Null => Expr::Null,
        Json::Bool(value) => Expr::Bool(*value),
        Json::Number(text) => {
            let int = if text.contains(['.', 'e', 'E']) { None } else { text.parse().ok().map(Number::Int) };
            let number = int.or_else(|| text.parse().ok().map(Number::Float));
            Expr::Number(number.ok_or_else(|| format!("the number {text}"))?)
        }
        Json::String(text) => Expr::Text(text.clone()),
        Json::Array(items) => {
            let items = items
                .iter()
                .map(|item| embed(item, syntax).map(ast::Item::Value))
                .collect::<Result<_, _>>()?;
            Expr::List { items, rest: None }
        }
        Json::Object(members) => {
            let mut decls = Vec::new();
            for (name, value) in members {
                let value = embed(value, syntax)?;
                decls.push(Decl::Field {
                    name: name.clone(),
                    quoted: true,
                    presence: Presence::Regular,
                    value,
                });
            }
            Expr::Struct(decls)
        }
    };
    Ok(syntax.add(expr, 0))
}
