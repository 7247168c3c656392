//! Functions: those that are everywhere, and those of the packages `list`, `strings`, `struct`, `regexp` and `time`.

use super::ast::{Expr, ExprId, Number};
use super::compute::Found;
use super::eval::Machine;
use super::value::{BYTES, Bottom, Check, Constraint, LIST, Outcome, STRUCT, Scalar, TEXT, kinds, length};
use crate::policy::gotime;
use crate::policy::regexp::{GoRegex, RegexError};

/// A member of a package that is no function call.
pub(crate) fn constant(machine: &mut Machine<'_>, import: &str, name: &str) -> Result<Found, Bottom> {
    match (path(machine, import).as_str(), name) {
        ("time", "RFC3339" | "RFC3339Nano") => {
            Ok(Found::Scalar(Scalar::Text("2006-01-02T15:04:05Z07:00".to_owned())))
        }
        ("list", "UniqueItems") => {
            Ok(Found::Constraint(Constraint::Check(Check::UniqueItems, "list.UniqueItems".to_owned())))
        }
        (package, name) => Err(machine.give_up(&format!("{package}.{name}"))),
    }
}

fn path(machine: &Machine<'_>, import: &str) -> String {
    let found = machine.syntax.imports.iter().find(|(local, _)| local == import);
    found.map(|(_, path)| path.clone()).unwrap_or_default()
}

pub(crate) fn call(
    machine: &mut Machine<'_>,
    function: ExprId,
    arguments: &[ExprId],
    env: usize,
) -> Result<Found, Bottom> {
    let syntax = machine.syntax;
    match syntax.get(function) {
        Expr::Name(name) => match (name.as_str(), arguments) {
            ("len", [value]) => len(machine, *value, env),
            ("error", [message]) => match machine.concrete(*message, env, "error")? {
                Scalar::Text(message) => Err(Bottom::conflict(message)),
                other => Err(Bottom::conflict(other.print())),
            },
            ("div" | "mod" | "quo" | "rem", [left, right]) => {
                let (left, right) =
                    (machine.concrete(*left, env, name)?, machine.concrete(*right, env, name)?);
                division(name, &left, &right)
            }
            (name, _) => Err(machine.give_up(&format!("the function {name}"))),
        },
        Expr::Select(base, name) => match syntax.get(*base) {
            Expr::Name(import) if syntax.imports.iter().any(|(local, _)| local == import) => {
                let package = path(machine, import);
                package_call(machine, &package, name, arguments, env)
            }
            _ => Err(machine.give_up("a call of something that is no function of a package")),
        },
        _ => Err(machine.give_up("a call of something that is no function")),
    }
}

fn len(machine: &mut Machine<'_>, value: ExprId, env: usize) -> Result<Found, Bottom> {
    let vertex = machine.operand(value, env)?;
    let count = match machine.outcome(vertex) {
        Outcome::Scalar(Scalar::Text(text)) => length(text.len()),
        Outcome::Scalar(scalar) => {
            let (shown, kind) = (scalar.print(), kinds(scalar.mask()));
            return Err(Bottom::conflict(format!("invalid argument {shown} (type {kind})")));
        }
        Outcome::List { .. } => length(machine.at(vertex).map_or(0, |list| list.length)),
        Outcome::Struct => length(machine.field_count(vertex)),
        Outcome::Open { mask, .. } if mask & (TEXT | BYTES | LIST | STRUCT) == 0 => {
            let (shown, kind) = (machine.shape(vertex), kinds(*mask));
            return Err(Bottom::conflict(format!(
                "cannot use {shown} (type {kind}) as (string|bytes|list|struct) in argument 1 to len"
            )));
        }
        Outcome::Open { mask, .. } => {
            let (shown, kind) = (machine.shape(vertex), kinds(*mask));
            return Err(Bottom::incomplete(format!("incomplete argument {shown} (type {kind})")));
        }
        _ => return Err(Bottom::incomplete("incomplete argument _ (type _)")),
    };
    Ok(Found::Scalar(Scalar::Number(Number::Int(count))))
}

fn division(name: &str, left: &Scalar, right: &Scalar) -> Result<Found, Bottom> {
    let (Scalar::Number(Number::Int(left)), Scalar::Number(Number::Int(right))) = (left, right) else {
        return Err(Bottom::conflict(format!(
            "cannot use {} or {} as int in {name}",
            left.print(),
            right.print()
        )));
    };
    let result = match name {
        "div" => left.checked_div_euclid(*right),
        "mod" => left.checked_rem_euclid(*right),
        "quo" => left.checked_div(*right),
        _ => left.checked_rem(*right),
    };
    match result {
        Some(result) => Ok(Found::Scalar(Scalar::Number(Number::Int(result)))),
        None => Err(Bottom::conflict("division by zero")),
    }
}

fn package_call(
    machine: &mut Machine<'_>,
    package: &str,
    name: &str,
    arguments: &[ExprId],
    env: usize,
) -> Result<Found, Bottom> {
    let mut values = Vec::new();
    for argument in arguments {
        // Functions of whole lists see no values here.
        if package == "list" && (name == "Contains" || arguments.len() > 1) {
            return Err(machine.give_up(&format!("{package}.{name}")));
        }
        values.push(machine.concrete(*argument, env, name)?);
    }
    let shown =
        format!("{package}.{name}({})", values.iter().map(Scalar::print).collect::<Vec<_>>().join(", "));
    let text = |value: &Scalar| match value {
        Scalar::Text(text) => Ok(text.clone()),
        other => {
            Err(Bottom::conflict(format!("cannot use {} as type string in {package}.{name}", other.print())))
        }
    };
    let number = |value: &Scalar| match value {
        Scalar::Number(Number::Int(int)) => Ok(*int),
        other => {
            Err(Bottom::conflict(format!("cannot use {} as type int in {package}.{name}", other.print())))
        }
    };
    let check = |check| Ok(Found::Constraint(Constraint::Check(check, shown.clone())));
    let truth = |value| Ok(Found::Scalar(Scalar::Bool(value)));
    let string = |value: String| Ok(Found::Scalar(Scalar::Text(value)));
    match (package, name, values.as_slice()) {
        ("list", "MinItems", [least]) => check(Check::MinItems(number(least)?)),
        ("list", "MaxItems", [most]) => check(Check::MaxItems(number(most)?)),
        ("list", "UniqueItems", []) => check(Check::UniqueItems),
        ("struct", "MinFields", [least]) => check(Check::MinFields(number(least)?)),
        ("struct", "MaxFields", [most]) => check(Check::MaxFields(number(most)?)),
        ("strings", "MinRunes", [least]) => check(Check::MinRunes(number(least)?)),
        ("strings", "MaxRunes", [most]) => check(Check::MaxRunes(number(most)?)),
        ("strings", "MinRunes", [value, least]) => {
            truth(length(text(value)?.chars().count()) >= number(least)?)
        }
        ("strings", "MaxRunes", [value, most]) => {
            truth(length(text(value)?.chars().count()) <= number(most)?)
        }
        ("strings", "HasPrefix", [prefix]) => check(Check::HasPrefix(text(prefix)?)),
        ("strings", "HasSuffix", [suffix]) => check(Check::HasSuffix(text(suffix)?)),
        ("strings", "Contains", [part]) => check(Check::Contains(text(part)?)),
        ("strings", "HasPrefix", [value, prefix]) => truth(text(value)?.starts_with(&text(prefix)?)),
        ("strings", "HasSuffix", [value, suffix]) => truth(text(value)?.ends_with(&text(suffix)?)),
        ("strings", "Contains", [value, part]) => truth(text(value)?.contains(&text(part)?)),
        ("strings", "ToLower", [value]) => string(text(value)?.to_lowercase()),
        ("strings", "ToUpper", [value]) => string(text(value)?.to_uppercase()),
        ("strings", "TrimSpace", [value]) => string(text(value)?.trim().to_owned()),
        ("strings", "TrimPrefix", [value, prefix]) => {
            let value = text(value)?;
            string(value.strip_prefix(&text(prefix)?).unwrap_or(&value).to_owned())
        }
        ("strings", "TrimSuffix", [value, suffix]) => {
            let value = text(value)?;
            string(value.strip_suffix(&text(suffix)?).unwrap_or(&value).to_owned())
        }
        ("regexp", "Match", [pattern, value]) => match GoRegex::new(&text(pattern)?) {
            Ok(regex) => truth(regex.matches(&text(value)?)),
            Err(RegexError::Invalid(reason)) => Err(Bottom::conflict(reason)),
            Err(RegexError::Unsupported(what)) => Err(machine.give_up(&what)),
        },
        ("regexp", "Match", [pattern]) => match GoRegex::new(&text(pattern)?) {
            Ok(regex) => Ok(Found::Constraint(Constraint::Regex(false, regex))),
            Err(RegexError::Invalid(reason)) => Err(Bottom::conflict(reason)),
            Err(RegexError::Unsupported(what)) => Err(machine.give_up(&what)),
        },
        ("time", "Parse", [layout, value]) if text(layout)? == "2006-01-02T15:04:05Z07:00" => {
            match gotime::normalise(&text(value)?) {
                Ok(time) if time.ends_with('Z') => string(time),
                Ok(_) => Err(machine.give_up("time.Parse of a time that is not in UTC")),
                Err(reason) => Err(Bottom::conflict(reason)),
            }
        }
        _ => Err(machine.give_up(&format!("{package}.{name} with {} arguments", values.len()))),
    }
}
