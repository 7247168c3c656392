//! Laravel migrations: the schema builder's common calls, read as the SQL they become. Everything else needs review.

use crate::classify::classify;
use crate::engine::Engine;
use crate::error::Error;
use crate::php::{Php, Place, tokens};
use crate::split::split;
use crate::verdict::{Class, Rewrite, Undo, Verdict};
use std::cell::Cell;

pub(crate) type Judged = (u32, String, Verdict);

/// The statements of `up` (of a seeder: `run`), in order.
pub(crate) fn read(path: &str, text: &str, engine: Engine) -> Result<Vec<Judged>, Error> {
    let all = tokens(path, text)?;
    // Seeders have `run` instead.
    let Some(body) = method(&all, "up").or_else(|| method(&all, "run")) else {
        return Err(Error::Malformed {
            path: path.to_owned(),
            line: 1,
            reason: "no method `up` or `run`: this is no Laravel migration or seeder",
        });
    };
    let reader = Reader { path, text, engine, depth: Cell::new(0) };
    let mut out = Vec::new();
    for statement in statements(body) {
        reader.statement(statement, &mut out)?;
    }
    Ok(out)
}

/// The tokens between the braces of a method.
fn method<'t>(all: &'t [Place], name: &str) -> Option<&'t [Place]> {
    let at = all.windows(2).position(|pair| match pair {
        [a, b] => a.token == Php::Word("function".to_owned()) && b.token == Php::Word(name.to_owned()),
        _ => false,
    })?;
    let after = all.get(at..)?;
    let open = after.iter().position(|p| p.token == Php::Other('{'))?;
    let body = after.get(open.checked_add(1)?..)?;
    let mut depth = 1_usize;
    let end = body.iter().position(|p| {
        match p.token {
            Php::Other('{') => depth = depth.saturating_add(1),
            Php::Other('}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    })?;
    body.get(..end)
}

/// Parts that end with a semicolon outside brackets, or with a closing brace (`if`, `foreach`).
fn statements(body: &[Place]) -> Vec<&[Place]> {
    let mut out = Vec::new();
    let (mut start, mut depth) = (0_usize, 0_i32);
    for (i, place) in body.iter().enumerate() {
        let next = i.saturating_add(1);
        match place.token {
            Php::Other('(' | '[' | '{') => depth += 1,
            Php::Other(')' | ']') => depth -= 1,
            Php::Other('}') => {
                depth -= 1;
                // The end of a closure is followed by `)`, `,` or `;`; that of a block is not.
                let goes_on = matches!(body.get(next).map(|p| &p.token), Some(Php::Other(')' | ',' | ';')));
                if depth == 0 && !goes_on {
                    out.push(body.get(start..next).unwrap_or_default());
                    start = next;
                }
            }
            Php::Other(';') if depth == 0 => {
                out.push(body.get(start..i).unwrap_or_default());
                start = next;
            }
            _ => {}
        }
    }
    out.push(body.get(start..).unwrap_or_default());
    out.retain(|statement| !statement.is_empty());
    out
}

/// One call of a chain: its name, its arguments' tokens.
struct Call<'t> {
    name: &'t str,
    arguments: Vec<&'t [Place]>,
}

impl Call<'_> {
    fn text(&self, nth: usize) -> Option<String> {
        match self.arguments.get(nth)? {
            [Place { token: Php::Text(text), .. }] => Some(text.clone()),
            _ => None,
        }
    }

    /// One name, or a list of names.
    fn texts(&self, nth: usize) -> Option<Vec<String>> {
        if let Some(one) = self.text(nth) {
            return Some(vec![one]);
        }
        let tokens = self.arguments.get(nth)?;
        let [open, inner @ .., close] = tokens else { return None };
        if open.token != Php::Other('[') || close.token != Php::Other(']') {
            return None;
        }
        let items = inner.iter().filter(|p| p.token != Php::Other(','));
        items.map(|p| if let Php::Text(text) = &p.token { Some(text.clone()) } else { None }).collect()
    }
}

/// `$table->a(…)->b(…)` or `Schema::a(…)->…`: the start word and the calls.
fn chain(statement: &[Place]) -> Option<(&str, Vec<Call<'_>>)> {
    let (first, mut rest) = statement.split_first()?;
    let Php::Word(start) = &first.token else { return None };
    let mut calls = Vec::new();
    while !rest.is_empty() {
        let [arrow, name, open, after @ ..] = rest else { return None };
        let Php::Word(name) = &name.token else { return None };
        if !matches!(arrow.token, Php::Sign("->" | "::")) || open.token != Php::Other('(') {
            return None;
        }
        let (arguments, left) = arguments(after)?;
        calls.push(Call { name, arguments });
        rest = left;
    }
    Some((start, calls))
}

/// The arguments up to the closing bracket, and what follows it.
fn arguments(after: &[Place]) -> Option<(Vec<&[Place]>, &[Place])> {
    let (mut out, mut start, mut depth) = (Vec::new(), 0_usize, 0_i32);
    for (i, place) in after.iter().enumerate() {
        match place.token {
            Php::Other('(' | '[' | '{') => depth += 1,
            Php::Other(')') if depth == 0 => {
                let last = after.get(start..i)?;
                if !last.is_empty() {
                    out.push(last);
                }
                return Some((out, after.get(i.checked_add(1)?..)?));
            }
            Php::Other(')' | ']' | '}') => depth -= 1,
            Php::Other(',') if depth == 0 => {
                out.push(after.get(start..i)?);
                start = i.checked_add(1)?;
            }
            _ => {}
        }
    }
    None
}

/// Closures in closures that are read.
const MAX_DEPTH: u32 = 8;

struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    engine: Engine,
    /// How many closures deep.
    depth: Cell<u32>,
}

impl Reader<'_> {
    fn statement(&self, statement: &[Place], out: &mut Vec<Judged>) -> Result<(), Error> {
        let Some((start, calls)) = chain(statement) else {
            out.push(
                self.review(statement, "control flow or an expression: what runs depends on the moment"),
            );
            return Ok(());
        };
        let class = start.rsplit('\\').next().unwrap_or(start);
        match (class, calls.as_slice()) {
            ("Schema", [call]) => self.schema(statement, call, out),
            ("DB", [call])
                if matches!(call.name, "statement" | "unprepared" | "insert" | "update" | "delete") =>
            {
                match call.text(0) {
                    Some(sql) => self.sql(statement, &sql, out),
                    None => {
                        out.push(self.review(statement, "the SQL is put together at run time"));
                        Ok(())
                    }
                }
            }
            ("DB", [table, .., last]) if table.name == "table" => {
                out.push(self.rows(statement, last.name));
                Ok(())
            }
            _ => {
                out.push(self.review(statement, "a call that this reader does not know"));
                Ok(())
            }
        }
    }

    /// Goes into a closure, a few levels deep.
    fn inside(
        &self,
        statement: &[Place],
        out: &mut Vec<Judged>,
        read: &dyn Fn(&mut Vec<Judged>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let depth = self.depth.get();
        if depth >= MAX_DEPTH {
            out.push(self.review(statement, "closures are nested too deep to be read"));
            return Ok(());
        }
        self.depth.set(depth.saturating_add(1));
        let outcome = read(out);
        self.depth.set(depth);
        outcome
    }

    fn source(&self, statement: &[Place]) -> (u32, String) {
        let (first, last) = (statement.first(), statement.last());
        let range = first.map_or(0, |p| p.start)..last.map_or(0, |p| p.end);
        (first.map_or(1, |p| p.line), self.text.get(range).unwrap_or_default().to_owned())
    }

    fn review(&self, statement: &[Place], reason: &str) -> Judged {
        let (line, text) = self.source(statement);
        (line, text, Verdict::new(Class::Review, reason).rewrite(Rewrite::Depends))
    }

    fn rows(&self, statement: &[Place], call: &str) -> Judged {
        let (line, text) = self.source(statement);
        let verdict = match call {
            "insert" | "insertGetId" | "insertUsing" | "increment" | "decrement" => Verdict::new(
                Class::Backfill,
                "rows are added or counted again on every run; use upsert, insertOrIgnore or updateOrInsert",
            ),
            "upsert" | "insertOrIgnore" | "updateOrInsert" => {
                Verdict::new(Class::Backfill, "rows are added once").idempotent(true)
            }
            "update" => {
                Verdict::new(Class::Backfill, "rows are changed; do it in batches").undo(Undo::DataLost)
            }
            "delete" | "truncate" => {
                Verdict::new(Class::Contract, "rows are deleted").undo(Undo::No).idempotent(true)
            }
            _ => Verdict::new(Class::Review, "what this query does is not known here"),
        };
        (line, text, verdict)
    }

    fn sql(&self, statement: &[Place], sql: &str, out: &mut Vec<Judged>) -> Result<(), Error> {
        let (line, _) = self.source(statement);
        // The line that counts is that of the PHP file.
        let statements = split(self.path, sql, self.engine).map_err(|error| match error {
            Error::Malformed { path, reason, .. } => Error::Malformed { path, line, reason },
            other => other,
        })?;
        out.extend(statements.iter().map(|s| (line, s.text().to_owned(), classify(s, self.engine))));
        Ok(())
    }

    /// Judges the SQL that a builder call becomes, but shows the call.
    fn as_sql(&self, statement: &[Place], sql: &str) -> Result<Judged, Error> {
        let (line, text) = self.source(statement);
        let parts = split(self.path, sql, self.engine)?;
        let verdict = parts.iter().map(|s| classify(s, self.engine)).reduce(Verdict::and);
        Ok((line, text, verdict.unwrap_or_else(|| Verdict::new(Class::Review, "nothing to judge"))))
    }

    fn schema(&self, statement: &[Place], call: &Call<'_>, out: &mut Vec<Judged>) -> Result<(), Error> {
        if call.name == "withoutForeignKeyConstraints" {
            let Some(body) = call.arguments.first().and_then(|closure| closure_body(closure)) else {
                out.push(self.review(statement, "what runs is not in the source"));
                return Ok(());
            };
            return self.inside(statement, out, &|out| {
                statements(body).into_iter().try_for_each(|inner| self.statement(inner, out))
            });
        }
        let Some(table) = call.text(0) else {
            let neutral = matches!(call.name, "disableForeignKeyConstraints" | "enableForeignKeyConstraints");
            let (line, text) = self.source(statement);
            out.push(if neutral && call.arguments.is_empty() {
                (line, text, Verdict::new(Class::Expand, "a setting of the session changes").idempotent(true))
            } else {
                self.review(statement, "the table's name is not in the source")
            });
            return Ok(());
        };
        let name = self.quote(&table);
        match call.name {
            "create" => {
                // Column calls inside make a new table; only a foreign key touches another one.
                let references = statement.iter().any(|p| matches!(&p.token, Php::Word(w) if matches!(w.as_str(), "foreign" | "constrained" | "references")));
                let key = if references { ", x bigint references y(id)" } else { "" };
                out.push(self.as_sql(statement, &format!("CREATE TABLE {name} (id bigint{key})"))?);
            }
            "table" => {
                let body = call.arguments.get(1).and_then(|closure| closure_body(closure));
                let Some(body) = body else {
                    out.push(self.review(statement, "the changes of the table are not in the source"));
                    return Ok(());
                };
                self.inside(statement, out, &|out| {
                    statements(body).into_iter().try_for_each(|inner| self.blueprint(&name, inner, out))
                })?;
            }
            "drop" => out.push(self.as_sql(statement, &format!("DROP TABLE {name}"))?),
            "dropIfExists" => out.push(self.as_sql(statement, &format!("DROP TABLE IF EXISTS {name}"))?),
            "rename" => out.push(self.as_sql(statement, &format!("ALTER TABLE {name} RENAME TO x"))?),
            "dropColumns" => out.push(self.as_sql(statement, &format!("ALTER TABLE {name} DROP COLUMN x"))?),
            _ => out
                .push(self.review(statement, "a call of the schema builder that this reader does not know")),
        }
        Ok(())
    }

    fn quote(&self, name: &str) -> String {
        let quote = if self.engine.is_mysql_family() { '`' } else { '"' };
        format!("{quote}{}{quote}", name.replace(['`', '"', '\0'], "_"))
    }

    fn blueprint(&self, table: &str, statement: &[Place], out: &mut Vec<Judged>) -> Result<(), Error> {
        if matches!(&statement.first().map(|p| &p.token), Some(Php::Word(w)) if !w.starts_with('$')) {
            return self.statement(statement, out);
        }
        let Some((start, calls)) = chain(statement) else {
            out.push(
                self.review(statement, "control flow or an expression: what runs depends on the moment"),
            );
            return Ok(());
        };
        let (Some(first), true) = (calls.first(), start.starts_with('$')) else {
            out.push(self.review(statement, "a call that this reader does not know"));
            return Ok(());
        };
        match self.blueprint_sql(table, first, calls.get(1..).unwrap_or_default()) {
            Some(sql) => out.push(self.as_sql(statement, &sql)?),
            None => {
                out.push(self.review(statement, "a call of the table builder that this reader does not know"))
            }
        }
        Ok(())
    }

    fn blueprint_sql(&self, table: &str, call: &Call<'_>, modifiers: &[Call<'_>]) -> Option<String> {
        let mysql = self.engine.is_mysql_family();
        let index = |kind: &str| match self.engine {
            Engine::Postgres | Engine::Sqlite => format!("CREATE {kind} INDEX i ON {table} (x)"),
            _ => format!("ALTER TABLE {table} ADD {kind} INDEX i (x)"),
        };
        let drop = |count: usize| vec!["DROP COLUMN x"; count.max(1)];
        Some(match call.name {
            "dropColumn" => {
                let count = call.texts(0)?.len();
                drop(count).into_iter().map(|d| format!("ALTER TABLE {table} {d};")).collect()
            }
            "dropTimestamps" | "dropTimestampsTz" | "dropSoftDeletes" | "dropSoftDeletesTz"
            | "dropRememberToken" | "dropMorphs" => {
                format!("ALTER TABLE {table} DROP COLUMN x")
            }
            "dropConstrainedForeignId" | "dropConstrainedForeignIdFor" => {
                format!("ALTER TABLE {table} DROP COLUMN x")
            }
            "renameColumn" => format!("ALTER TABLE {table} RENAME COLUMN x TO y"),
            "renameIndex" if mysql => format!("ALTER TABLE {table} RENAME INDEX x TO y"),
            "rename" => format!("ALTER TABLE {table} RENAME TO y"),
            "dropForeign" if mysql => format!("ALTER TABLE {table} DROP FOREIGN KEY x"),
            "dropForeign" => format!("ALTER TABLE {table} DROP CONSTRAINT x"),
            "dropPrimary" => format!("ALTER TABLE {table} DROP PRIMARY KEY"),
            "dropIndex" | "dropUnique" | "dropFullText" | "dropSpatialIndex" if mysql => {
                format!("ALTER TABLE {table} DROP INDEX x")
            }
            "dropIndex" | "dropUnique" | "dropFullText" | "dropSpatialIndex" => "DROP INDEX x".to_owned(),
            "index" | "rawIndex" => index(""),
            "unique" => index("UNIQUE"),
            "fullText" | "spatialIndex" if mysql => format!("ALTER TABLE {table} ADD FULLTEXT INDEX i (x)"),
            "fullText" | "spatialIndex" => index(""),
            "primary" => format!("ALTER TABLE {table} ADD PRIMARY KEY (x)"),
            "foreign" => format!("ALTER TABLE {table} ADD CONSTRAINT f FOREIGN KEY (x) REFERENCES y (id)"),
            "timestamps" | "timestampsTz" | "nullableTimestamps" | "softDeletes" | "softDeletesTz"
            | "rememberToken" => {
                format!("ALTER TABLE {table} ADD COLUMN x timestamp NULL")
            }
            "nullableMorphs" | "nullableUuidMorphs" | "nullableUlidMorphs" => {
                format!("ALTER TABLE {table} ADD COLUMN x varchar(255) NULL; {}", index(""))
            }
            method => self.column(table, method, modifiers, &index)?,
        })
    }

    fn column(
        &self,
        table: &str,
        method: &str,
        modifiers: &[Call<'_>],
        index: &dyn Fn(&str) -> String,
    ) -> Option<String> {
        let mut kind = sql_type(method)?.to_owned();
        let (mut nullable, mut default, mut more, mut after) =
            (false, String::new(), String::new(), String::new());
        for modifier in modifiers {
            match modifier.name {
                "nullable" => nullable = modifier.arguments.is_empty() || is_true(modifier),
                "default" => default = default_sql(modifier),
                "useCurrent" => default = "DEFAULT CURRENT_TIMESTAMP".to_owned(),
                "storedAs" => kind.push_str(" GENERATED ALWAYS AS (1) STORED"),
                "virtualAs" => kind.push_str(" GENERATED ALWAYS AS (1) VIRTUAL"),
                "autoIncrement" => kind = "bigint AUTO_INCREMENT".to_owned(),
                // Old statements do not write the new column, so its rules cannot refuse them; building them costs.
                "unique" if self.engine == Engine::Sqlite => after.push_str(&format!("; {}", index(""))),
                "unique" => more.push_str(" UNIQUE"),
                "index" => after.push_str(&format!("; {}", index(""))),
                "primary" => after.push_str(&format!("; ALTER TABLE {table} ADD PRIMARY KEY (x)")),
                "constrained" | "references" | "on" if !more.contains("REFERENCES") => {
                    more.push_str(" REFERENCES y (id)")
                }
                "change" => {
                    return Some(format!(
                        "ALTER TABLE {table} {} x TYPE {kind}",
                        if self.engine.is_mysql_family() { "MODIFY" } else { "ALTER COLUMN" }
                    ));
                }
                // They change nothing of what is judged here.
                "after" | "first" | "comment" | "unsigned" | "charset" | "collation" | "constrained"
                | "references" | "on" | "onDelete" | "onUpdate" | "cascadeOnDelete" | "cascadeOnUpdate"
                | "nullOnDelete" | "restrictOnDelete" | "noActionOnDelete" | "useCurrentOnUpdate"
                | "invisible" => {}
                _ => return None,
            }
        }
        let null = if nullable || kind.contains("GENERATED") { "" } else { "NOT NULL" };
        let kind = if kind.contains("AUTO_INCREMENT") && self.engine == Engine::Postgres {
            "bigserial".to_owned()
        } else {
            kind
        };
        Some(format!("ALTER TABLE {table} ADD COLUMN x {kind} {null} {default}{more}{after}"))
    }
}

/// The statements inside `function (Blueprint $table) { … }`; an arrow function has no block and is not read.
fn closure_body(closure: &[Place]) -> Option<&[Place]> {
    let open = closure.iter().position(|p| p.token == Php::Other('{'))?;
    match closure.get(open.checked_add(1)?..)? {
        [body @ .., last] if last.token == Php::Other('}') => Some(body),
        _ => None,
    }
}

fn is_true(call: &Call<'_>) -> bool {
    matches!(call.arguments.first(), Some([Place { token: Php::Word(w), .. }]) if w.eq_ignore_ascii_case("true"))
}

fn default_sql(call: &Call<'_>) -> String {
    let constant = match call.arguments.first() {
        Some([Place { token: Php::Word(w), .. }]) => {
            matches!(w.to_ascii_lowercase().as_str(), "true" | "false" | "null")
        }
        Some([Place { token: Php::Text(_) | Php::Number(_), .. }]) => true,
        Some([minus, Place { token: Php::Number(_), .. }]) => minus.token == Php::Other('-'),
        _ => false,
    };
    let null = matches!(call.arguments.first(), Some([Place { token: Php::Word(w), .. }]) if w.eq_ignore_ascii_case("null"));
    match (null, constant) {
        (true, _) => "DEFAULT NULL".to_owned(),
        (_, true) => "DEFAULT 0".to_owned(),
        _ => "DEFAULT (unknown_expression())".to_owned(),
    }
}

/// A built-in type of the same weight; the exact one does not matter for the verdict.
fn sql_type(method: &str) -> Option<&'static str> {
    Some(match method {
        "string" | "char" | "ulid" | "ipAddress" | "macAddress" | "enum" | "set" => "varchar(255)",
        "text" | "tinyText" | "mediumText" | "longText" => "text",
        "integer"
        | "tinyInteger"
        | "smallInteger"
        | "mediumInteger"
        | "unsignedInteger"
        | "unsignedTinyInteger"
        | "unsignedSmallInteger"
        | "unsignedMediumInteger"
        | "year" => "int",
        "bigInteger" | "unsignedBigInteger" | "foreignId" | "foreignIdFor" => "bigint",
        "foreignUuid" | "uuid" => "varchar(36)",
        "foreignUlid" => "varchar(26)",
        "boolean" => "int",
        "decimal" | "unsignedDecimal" => "decimal(8,2)",
        "float" | "double" => "double precision",
        "json" | "jsonb" => "json",
        "binary" => "text",
        "date" => "date",
        "dateTime" | "dateTimeTz" | "timestamp" | "timestampTz" => "timestamp",
        "time" | "timeTz" => "time",
        "id" | "increments" | "bigIncrements" | "tinyIncrements" | "smallIncrements" | "mediumIncrements" => {
            "bigint AUTO_INCREMENT PRIMARY KEY"
        }
        _ => return None,
    })
}
