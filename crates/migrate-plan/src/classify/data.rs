//! Statements that read or write rows.

use super::cursor::{Cursor, has, is_word};
use super::{neutral, review};
use crate::engine::Engine;
use crate::token::Token;
use crate::verdict::{Class, Undo, Verdict};

pub(super) fn data(verb: &str, c: &mut Cursor<'_>) -> Verdict {
    let lock = if c.engine() == Engine::Postgres { "ROW EXCLUSIVE" } else { "row locks" };
    let tokens = c.rest();
    match verb {
        "insert" => {
            let guarded = has(tokens, &["on", "conflict"])
                || has(tokens, &["on", "duplicate", "key"])
                || is_word(tokens.first(), "ignore")
                || has(tokens.get(..3).unwrap_or(tokens), &["or", "ignore"])
                || has(tokens.get(..3).unwrap_or(tokens), &["or", "replace"])
                || has(tokens, &["not", "exists"]);
            let reason = if guarded {
                "rows are added once"
            } else {
                "rows are added again on every run; guard it (ON CONFLICT, IGNORE, NOT EXISTS)"
            };
            let adds = has(tokens, &["do", "update"]) || has(tokens, &["duplicate", "key", "update"]);
            Verdict::new(Class::Backfill, reason)
                .lock(lock)
                .undo(Undo::Depends)
                .idempotent(guarded && (!adds || constant_assignments(tokens)))
        }
        "replace" => Verdict::new(
            Class::Backfill,
            "a row with the same key is deleted with all its other columns and added anew",
        )
        .lock(lock)
        .undo(Undo::DataLost)
        .idempotent(true),
        "update" => {
            let all = !c.any(&["where"]);
            let reason = if all {
                "every row is changed in one statement; do it in batches that can be run again"
            } else {
                "rows are changed"
            };
            Verdict::new(Class::Backfill, reason)
                .lock(lock)
                .undo(Undo::DataLost)
                .idempotent(constant_assignments(tokens))
        }
        "delete" => {
            Verdict::new(Class::Contract, "rows are deleted").lock(lock).undo(Undo::No).idempotent(true)
        }
        "merge" | "load" | "copy" => {
            let deletes = c.any(&["delete"]);
            let class = if deletes { Class::Contract } else { Class::Backfill };
            Verdict::new(class, "rows are added or changed").lock(lock).undo(Undo::DataLost)
        }
        "with" if c.any(&["delete", "update", "insert", "merge"]) => {
            review("a WITH that writes is not read yet")
        }
        "select" if c.any(&["into"]) => {
            Verdict::new(Class::Expand, "a new table is made from a query").lock("ACCESS SHARE")
        }
        "select" | "with" if calls(tokens) => {
            review("a function is called; what it does is not in the statement")
        }
        _ => neutral("rows are only read"),
    }
}

/// Whether every assignment after SET gives a constant or another column: then a second run changes nothing more.
fn constant_assignments(tokens: &[Token]) -> bool {
    let Some(set) = tokens.iter().rposition(|t| is_word(Some(t), "set") || is_word(Some(t), "update")) else {
        return false;
    };
    let mut body = tokens.get(set.saturating_add(1)..).unwrap_or_default();
    if let Some(end) = body
        .iter()
        .position(|t| is_word(Some(t), "where") || is_word(Some(t), "order") || is_word(Some(t), "from"))
    {
        body = body.get(..end).unwrap_or_default();
    }
    let mut depth = 0_i32;
    let parts = body.split(|t| {
        match t {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth -= 1,
            _ => {}
        }
        depth == 0 && *t == Token::Sign(',')
    });
    let mut any = false;
    for part in parts {
        any = true;
        let Some(equals) = part.iter().position(|t| *t == Token::Sign('=')) else { return false };
        let (target, value) = part.split_at(equals);
        let plain = |t: &Token| {
            matches!(t, Token::Text(_) | Token::Number(_) | Token::Sign('=' | '-' | '.' | ':'))
                || !is_name(t)
                || !target.iter().any(|own| own == t)
        };
        if value.contains(&Token::Sign('(')) && !has(value, &["values"]) || !value.iter().all(plain) {
            return false;
        }
    }
    any
}

fn is_name(token: &Token) -> bool {
    matches!(token, Token::Word(_) | Token::Name(_))
}

/// A word directly before an opening bracket is a call, but for the few that are grammar.
fn calls(tokens: &[Token]) -> bool {
    const GRAMMAR: [&str; 13] =
        ["in", "values", "from", "as", "and", "or", "not", "where", "exists", "count", "max", "min", "sum"];
    tokens.windows(2).any(|pair| match pair {
        [Token::Word(word), Token::Sign('(')] => !GRAMMAR.contains(&word.as_str()),
        _ => false,
    })
}
