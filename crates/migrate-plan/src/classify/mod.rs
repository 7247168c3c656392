//! From a statement to its verdict. What is not listed needs review.

mod alter;
mod column;
mod cursor;
mod data;

use crate::engine::Engine;
use crate::split::Statement;
use crate::verdict::{Class, Rewrite, Undo, Verdict};
use cursor::Cursor;

/// Judges one statement. The table's size, its rows and the columns' present types are not known here; what depends on
/// them is judged by the worst case or needs review.
#[must_use]
pub fn classify(statement: &Statement, engine: Engine) -> Verdict {
    let mut c = Cursor::new(&statement.tokens, engine);
    let verb = c.word().unwrap_or_default().to_owned();
    let verdict = match verb.as_str() {
        "create" => create(&mut c),
        "drop" => drop_object(&mut c),
        "alter" => alter::alter(&mut c),
        "rename" => {
            Verdict::new(Class::Contract, "the old application uses the old name").lock(table_lock(engine))
        }
        "truncate" => Verdict::new(Class::Contract, "every row is deleted")
            .lock(exclusive(engine))
            .rewrite(Rewrite::Yes)
            .undo(Undo::No)
            .idempotent(true),
        "insert" | "replace" | "update" | "delete" | "merge" | "with" | "copy" | "load" | "select"
        | "values" | "table" => data::data(&verb, &mut c),
        "grant" => Verdict::new(Class::Expand, "rights are added").idempotent(true),
        "revoke" => Verdict::new(Class::Contract, "the old application may need the right").idempotent(true),
        "comment" => neutral("a comment changes").lock(if engine == Engine::Postgres {
            "SHARE UPDATE EXCLUSIVE"
        } else {
            "metadata lock"
        }),
        "set" if !c.any(&["global", "persist", "role", "password"]) => {
            neutral("a setting of the session changes")
        }
        "begin" | "start" | "commit" | "end" | "savepoint" | "release" | "use" => {
            neutral("it frames a transaction or session").idempotent(false)
        }
        "pragma" => pragma(&mut c),
        "analyze" | "explain" => neutral("statistics or a plan are computed"),
        "vacuum" | "cluster" | "reindex" | "optimize" | "refresh" => maintenance(&verb, &mut c),
        _ => review(format!("{} is not known here", verb.to_uppercase())),
    };
    if c.failed() {
        verdict.and(review("the statement has more than this reader understands"))
    } else {
        verdict
    }
}

/// The table a statement makes, or changes the shape of.
pub(crate) struct Touched {
    pub(crate) table: String,
    /// A new table of this statement: no other statement has seen it yet.
    pub(crate) creates: bool,
}

/// What a CREATE TABLE, ALTER TABLE or CREATE INDEX is about; nothing for other statements.
pub(crate) fn touched(statement: &Statement, engine: Engine) -> Option<Touched> {
    let mut c = Cursor::new(&statement.tokens, engine);
    let verb = c.word()?;
    let creates = match verb {
        "create" => {
            c.eat("unique");
            match c.word()? {
                "table" => true,
                "index" => {
                    c.skip_until(&["on"]);
                    c.eat("on").then_some(false)?
                }
                _ => return None,
            }
        }
        "alter" => c.eat("table").then_some(false)?,
        _ => return None,
    };
    let guarded = c.eat_guard();
    c.eat("only");
    // With IF NOT EXISTS the table may have been there, and be in use.
    Some(Touched { table: c.name()?.to_owned(), creates: creates && !guarded })
}

fn review(reason: impl Into<String>) -> Verdict {
    Verdict::new(Class::Review, reason).rewrite(Rewrite::Depends)
}

fn neutral(reason: &str) -> Verdict {
    Verdict::new(Class::Expand, reason).idempotent(true)
}

/// The lock of a statement that only changes the catalogue but needs the table for itself for a moment.
fn table_lock(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => "ACCESS EXCLUSIVE",
        Engine::MySql | Engine::MariaDb => "metadata lock (INSTANT)",
        Engine::Sqlite => "EXCLUSIVE",
    }
}

fn exclusive(engine: Engine) -> &'static str {
    match engine {
        Engine::MySql | Engine::MariaDb => "metadata lock",
        other => table_lock(other),
    }
}

/// The lock of a copy of the whole table.
fn copy_lock(engine: Engine) -> &'static str {
    match engine {
        Engine::MySql | Engine::MariaDb => "COPY, LOCK=SHARED",
        other => table_lock(other),
    }
}

fn create(c: &mut Cursor<'_>) -> Verdict {
    let engine = c.engine();
    let replaces = c.eat_all(&["or", "replace"]);
    // MySQL: ALGORITHM=…, DEFINER=… and SQL SECURITY stand before the kind.
    c.skip_until(&[
        "table",
        "index",
        "unique",
        "view",
        "materialized",
        "trigger",
        "function",
        "procedure",
        "type",
        "sequence",
        "extension",
        "schema",
        "database",
        "domain",
        "temporary",
        "temp",
        "fulltext",
        "spatial",
        "virtual",
        "event",
        "policy",
        "rule",
        "role",
        "user",
        "aggregate",
        "collation",
        "unlogged",
        "statistics",
        "recursive",
        "foreign",
        "server",
        "publication",
        "constraint",
    ]);
    let temporary = c.eat("temporary") | c.eat("temp");
    let kind = c.word().unwrap_or_default().to_owned();
    match kind.as_str() {
        _ if temporary => {
            neutral("a temporary object belongs to this session only").idempotent(c.any(&["exists"]))
        }
        "table" | "unlogged" if replaces => {
            Verdict::new(Class::Contract, "OR REPLACE drops the table that is there, with its rows")
                .undo(Undo::No)
        }
        "table" | "unlogged" => create_table(c),
        "virtual" => Verdict::new(Class::Expand, "a new table changes nothing that is there")
            .idempotent(c.any(&["exists"])),
        "unique" => index(c, true, false),
        "index" => index(c, false, false),
        "fulltext" | "spatial" => index(c, false, true),
        "view" | "recursive" if replaces => {
            review("a replaced view may lose columns that the old application reads").idempotent(true)
        }
        "view" | "recursive" => Verdict::new(Class::Expand, "a new view changes nothing that is there")
            .idempotent(c.any(&["exists"])),
        "materialized" => Verdict::new(Class::Expand, "a new materialized view reads its tables once")
            .lock("ACCESS SHARE")
            .idempotent(c.any(&["exists"])),
        "trigger" | "event" | "rule" | "policy" | "constraint" => {
            review(format!("what a {kind} does to the old application is in its body")).idempotent(replaces)
        }
        "function" | "procedure" | "aggregate" if replaces => {
            review("a replaced routine may act differently on the old application").idempotent(true)
        }
        "function" | "procedure" | "aggregate" | "type" | "sequence" | "extension" | "schema"
        | "database" | "domain" | "collation" | "statistics" => {
            let undo =
                if engine == Engine::Postgres && kind == "extension" { Undo::Depends } else { Undo::Yes };
            Verdict::new(Class::Expand, format!("a new {kind} changes nothing that is there"))
                .undo(undo)
                .idempotent(c.any(&["exists"]))
        }
        _ => review(format!("CREATE {} is not known here", kind.to_uppercase())),
    }
}

fn create_table(c: &mut Cursor<'_>) -> Verdict {
    let guarded = c.any(&["exists"]);
    let references = c.any(&["references"]);
    let verdict = if c.engine() == Engine::Postgres && c.any(&["partition"]) && c.any(&["of"]) {
        Verdict::new(Class::Blocking, "a new partition locks its parent, and scans the default partition if there is one; attach it instead")
            .lock("ACCESS EXCLUSIVE")
    } else if references {
        let lock = if c.engine() == Engine::Postgres { "SHARE ROW EXCLUSIVE" } else { exclusive(c.engine()) };
        Verdict::new(
            Class::Expand,
            "a new table changes nothing that is there; its foreign key locks the parent for a moment",
        )
        .lock(lock)
    } else {
        Verdict::new(Class::Expand, "a new table changes nothing that is there")
    };
    verdict.undo(Undo::Yes).idempotent(guarded)
}

fn index(c: &mut Cursor<'_>, unique: bool, full_text: bool) -> Verdict {
    let engine = c.engine();
    let concurrently = c.any(&["concurrently"]);
    let guarded = c.any(&["exists"]);
    let verdict = if unique {
        let lock = match engine {
            Engine::Postgres if concurrently => "SHARE UPDATE EXCLUSIVE",
            Engine::Postgres => "SHARE",
            _ => alter::index_lock(engine, full_text),
        };
        Verdict::new(Class::Contract, "duplicates that the old application may write are refused from now on")
            .lock(lock)
    } else if engine == Engine::Postgres && concurrently {
        let more = if guarded {
            "; a failed earlier run leaves an invalid index that IF NOT EXISTS keeps"
        } else {
            ""
        };
        Verdict::new(
            Class::Expand,
            format!("the index is built beside running writes, outside a transaction{more}"),
        )
        .lock("SHARE UPDATE EXCLUSIVE")
    } else if engine == Engine::Postgres {
        Verdict::new(Class::Blocking, "writes wait until the index is built; CONCURRENTLY avoids it")
            .lock("SHARE")
    } else if full_text {
        Verdict::new(
            Class::Blocking,
            "the first full-text or spatial index rebuilds the table without writes",
        )
        .lock("INPLACE, LOCK=SHARED")
        .rewrite(Rewrite::Yes)
    } else {
        Verdict::new(Class::Expand, "an index is added beside running writes")
            .lock(alter::index_lock(engine, false))
    };
    verdict.undo(Undo::Yes).idempotent(guarded)
}

fn drop_object(c: &mut Cursor<'_>) -> Verdict {
    let engine = c.engine();
    let temporary = c.eat("temporary");
    let kind = c.word().unwrap_or_default().to_owned();
    let guarded = c.any(&["exists"]);
    let (reason, undo) = match kind.as_str() {
        "table" if temporary => {
            return neutral("a temporary table belongs to this session only").idempotent(guarded);
        }
        "table" | "schema" | "database" | "materialized" => {
            ("the old application uses it, and its rows are lost", Undo::DataLost)
        }
        "index" => ("the old application's upserts and plans may need the index", Undo::Yes),
        "view" | "trigger" | "function" | "procedure" | "type" | "domain" | "extension" | "event"
        | "policy" | "rule" | "aggregate" | "statistics" => ("the old application may use it", Undo::Yes),
        "sequence" => ("the old application may use it, and its value is lost", Undo::DataLost),
        _ => return review(format!("DROP {} is not known here", kind.to_uppercase())),
    };
    let lock = if engine == Engine::Postgres && kind == "index" && c.any(&["concurrently"]) {
        "SHARE UPDATE EXCLUSIVE"
    } else {
        exclusive(engine)
    };
    Verdict::new(Class::Contract, reason).lock(lock).undo(undo).idempotent(guarded)
}

fn pragma(c: &mut Cursor<'_>) -> Verdict {
    let known = [
        "foreign_keys",
        "journal_mode",
        "user_version",
        "legacy_alter_table",
        "defer_foreign_keys",
        "busy_timeout",
        "synchronous",
        "foreign_key_check",
        "integrity_check",
        "table_info",
    ];
    match c.word() {
        Some(name) if known.contains(&name) => neutral("a setting of the connection or file changes"),
        _ => review("this pragma is not known here"),
    }
}

fn maintenance(verb: &str, c: &mut Cursor<'_>) -> Verdict {
    let engine = c.engine();
    let beside = c.any(&["concurrently"]);
    let (class, reason, lock) = match verb {
        "vacuum" if engine == Engine::Postgres && !c.any(&["full"]) => {
            (Class::Expand, "dead rows are reclaimed beside running writes", "SHARE UPDATE EXCLUSIVE")
        }
        "reindex" if beside => {
            (Class::Expand, "the index is rebuilt beside running writes", "SHARE UPDATE EXCLUSIVE")
        }
        "refresh" if beside => {
            (Class::Blocking, "the view is refreshed beside reads, its writes wait", "EXCLUSIVE")
        }
        "reindex" => {
            (Class::Blocking, "writes, and reads by the index, wait until it is rebuilt", exclusive(engine))
        }
        "refresh" => (Class::Blocking, "reads of the view wait until it is refreshed", "ACCESS EXCLUSIVE"),
        "optimize" => (Class::Blocking, "the table is rebuilt", "INPLACE, LOCK=NONE"),
        _ => (Class::Blocking, "the table is written anew while nobody may use it", table_lock(engine)),
    };
    let rewrite = if class == Class::Blocking && verb != "refresh" { Rewrite::Yes } else { Rewrite::No };
    Verdict::new(class, reason).lock(lock).rewrite(rewrite).idempotent(true)
}
