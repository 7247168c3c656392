//! ADD COLUMN: the commonest expansion, and its many exceptions.

use super::cursor::{has, is_word, top_level};
use super::{copy_lock, review, table_lock};
use crate::engine::Engine;
use crate::token::Token;
use crate::verdict::{Class, Rewrite, Undo, Verdict};

/// Judges a column definition: its name and everything up to the comma.
pub(super) fn add_column(definition: &[Token], engine: Engine) -> Verdict {
    let definition = definition.get(1..).unwrap_or_default();
    let top = top_level(definition);
    let default = default_of(definition);
    let no_default = default == Default::None || default == Default::Null;
    let generated = has(&top, &["generated"]) || has(&top, &["as"]);
    let stored = has(&top, &["stored"]) || has(&top, &["persistent"]);
    let numbered = has(&top, &["identity"]) || has(&top, &["auto_increment"]) || serial(&top);
    let not_null = has(&top, &["not", "null"]);
    let key = has(&top, &["primary"]);
    let ok = || {
        Verdict::new(Class::Expand, "a new column that old statements need not name")
            .lock(table_lock(engine))
            .undo(Undo::DataLost)
    };
    let rewritten = |reason: &str| {
        Verdict::new(Class::Blocking, reason)
            .lock(copy_lock(engine))
            .rewrite(Rewrite::Yes)
            .undo(Undo::DataLost)
    };
    if engine == Engine::Sqlite {
        return sqlite(&top, &default, ok());
    }
    let mut verdict = ok();
    if numbered || key {
        let lock = if engine == Engine::Postgres { "ACCESS EXCLUSIVE" } else { "INPLACE, LOCK=SHARED" };
        verdict = verdict.and(rewritten("every row gets a number: the table is written anew").lock(lock));
        if key {
            verdict = verdict.and(Verdict::new(Class::Blocking, "a primary key is built").lock(lock));
        }
        return verdict;
    }
    if generated && stored {
        return rewritten("a stored generated column is computed for every row");
    }
    if generated {
        return verdict;
    }
    if not_null && no_default {
        let reason = "NOT NULL without default: old INSERTs do not name the column and fail";
        verdict = verdict.and(Verdict::new(Class::Contract, reason).lock(table_lock(engine)));
    }
    if has(&top, &["unique"]) {
        let lock = if engine == Engine::Postgres { "ACCESS EXCLUSIVE" } else { "INPLACE, LOCK=NONE" };
        verdict = verdict.and(
            Verdict::new(Class::Blocking, "a unique index is built with the column")
                .lock(lock)
                .rewrite(Rewrite::Depends),
        );
    }
    if has(&top, &["check"]) {
        verdict = verdict.and(
            Verdict::new(Class::Blocking, "every row is checked against the new CHECK")
                .lock(copy_lock(engine)),
        );
    }
    if has(&top, &["references"]) && (engine.is_mysql_family() || !no_default) {
        verdict = verdict.and(
            Verdict::new(Class::Blocking, "every row is checked against the parent table")
                .lock(copy_lock(engine))
                .rewrite(Rewrite::Depends),
        );
    }
    match default {
        Default::None | Default::Null | Default::Constant | Default::Stable => {}
        Default::Volatile if engine == Engine::MySql => {
            verdict = verdict.and(review("MySQL refuses this default as unsafe for replication"))
        }
        Default::Volatile => {
            verdict = verdict.and(rewritten("the default differs from row to row: the table is written anew"))
        }
        Default::Expression if engine == Engine::Postgres => {
            verdict =
                verdict.and(review("if the default calls a volatile function, the table is written anew"))
        }
        Default::Expression => verdict = verdict.and(rewritten("an expression as default copies the table")),
    }
    if engine == Engine::Postgres && !known_type(definition) {
        verdict = verdict
            .and(review("a type of your own: if it is a constrained domain, the table is written anew"));
    }
    verdict
}

fn sqlite(top: &[Token], default: &Default, ok: Verdict) -> Verdict {
    let no_default = matches!(default, Default::None | Default::Null);
    if has(top, &["primary"]) || has(top, &["unique"]) || has(top, &["stored"]) {
        return review(
            "SQLite refuses ADD COLUMN with PRIMARY KEY, UNIQUE or STORED; the table must be rebuilt",
        );
    }
    if has(top, &["not", "null"]) && no_default && !has(top, &["generated"]) && !has(top, &["as"]) {
        return Verdict::new(
            Class::Contract,
            "NOT NULL without default: refused if there are rows, and old INSERTs fail",
        )
        .lock("EXCLUSIVE");
    }
    if !matches!(default, Default::None | Default::Null | Default::Constant) {
        return review("SQLite refuses a default that is no constant if there are rows");
    }
    if has(top, &["references"]) && !no_default {
        return review("SQLite refuses a foreign key column with a default");
    }
    if has(top, &["check"]) {
        return ok.and(
            Verdict::new(Class::Blocking, "every row is checked against the new CHECK").lock("EXCLUSIVE"),
        );
    }
    ok
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Default {
    None,
    Null,
    Constant,
    /// One value for all rows, computed once.
    Stable,
    /// Known to differ from row to row.
    Volatile,
    /// An expression that is not known.
    Expression,
}

const STABLE: [&str; 12] = [
    "now",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtime",
    "localtimestamp",
    "current_user",
    "session_user",
    "user",
    "transaction_timestamp",
    "statement_timestamp",
    "current_schema",
];
const VOLATILE: [&str; 11] = [
    "random",
    "rand",
    "nextval",
    "gen_random_uuid",
    "uuid_generate_v4",
    "uuid_generate_v1",
    "uuid",
    "uuidv7",
    "uuidv4",
    "clock_timestamp",
    "timeofday",
];

fn default_of(definition: &[Token]) -> Default {
    let Some(at) = definition.iter().position(|t| is_word(Some(t), "default")) else { return Default::None };
    let after = definition.get(at.saturating_add(1)..).unwrap_or_default();
    let call = |skip: usize| after.get(skip) == Some(&Token::Sign('('));
    match after.first() {
        Some(Token::Text(_) | Token::Number(_)) => Default::Constant,
        Some(Token::Sign('-' | '+')) if matches!(after.get(1), Some(Token::Number(_))) => Default::Constant,
        Some(Token::Word(word)) => match word.as_str() {
            "null" => Default::Null,
            "true" | "false" => Default::Constant,
            word if STABLE.contains(&word) => Default::Stable,
            word if VOLATILE.contains(&word) => Default::Volatile,
            // b'0', x'ff', date '2024-01-01'
            _ if matches!(after.get(1), Some(Token::Text(_))) => Default::Constant,
            _ if call(1) => Default::Expression,
            _ => Default::Expression,
        },
        Some(Token::Sign('(')) => {
            let inner = after.get(1..).unwrap_or_default();
            let known = |list: &[&str]| {
                inner.iter().any(|t| matches!(t, Token::Word(w) if list.contains(&w.as_str())))
            };
            if known(&VOLATILE) { Default::Volatile } else { Default::Expression }
        }
        _ => Default::Expression,
    }
}

fn serial(top: &[Token]) -> bool {
    matches!(top.first(), Some(Token::Word(w)) if matches!(w.as_str(), "serial" | "bigserial" | "smallserial" | "serial2" | "serial4" | "serial8"))
}

/// Types that come with PostgreSQL: none of them is a domain.
fn known_type(definition: &[Token]) -> bool {
    const TYPES: [&str; 46] = [
        "int",
        "integer",
        "int2",
        "int4",
        "int8",
        "smallint",
        "bigint",
        "text",
        "varchar",
        "character",
        "char",
        "bpchar",
        "boolean",
        "bool",
        "numeric",
        "decimal",
        "real",
        "float",
        "float4",
        "float8",
        "double",
        "date",
        "time",
        "timetz",
        "timestamp",
        "timestamptz",
        "interval",
        "json",
        "jsonb",
        "uuid",
        "bytea",
        "inet",
        "cidr",
        "macaddr",
        "money",
        "xml",
        "point",
        "line",
        "box",
        "path",
        "polygon",
        "circle",
        "tsvector",
        "tsquery",
        "bit",
        "oid",
    ];
    matches!(definition.first(), Some(Token::Word(w)) if TYPES.contains(&w.as_str()))
        && definition.get(1) != Some(&Token::Sign('.'))
}
