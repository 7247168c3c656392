//! ALTER: each action by itself, then all together.

use super::column::add_column;
use super::cursor::{Cursor, has, is_word, top_level};
use super::{copy_lock, exclusive, neutral, review, table_lock};
use crate::engine::Engine;
use crate::token::Token;
use crate::verdict::{Class, Rewrite, Undo, Verdict};

pub(super) fn alter(c: &mut Cursor<'_>) -> Verdict {
    // MariaDB and old MySQL: ALTER ONLINE IGNORE TABLE.
    c.eat("online");
    c.eat("ignore");
    match c.word().unwrap_or_default() {
        "table" => table(c),
        "type" => alter_type(c),
        "index" if c.any(&["rename"]) => {
            neutral("an index gets another name").lock("SHARE UPDATE EXCLUSIVE").idempotent(false)
        }
        "view" | "materialized" if c.any(&["rename"]) => {
            Verdict::new(Class::Contract, "the old application uses the old name")
                .lock(table_lock(c.engine()))
        }
        other => review(format!("ALTER {} is not known here", other.to_uppercase())),
    }
}

fn alter_type(c: &mut Cursor<'_>) -> Verdict {
    let _ = c.name();
    if c.eat_all(&["add", "value"]) {
        let guarded = c.eat_guard();
        return Verdict::new(
            Class::Expand,
            "a value is added; it cannot be used before the commit and never be removed",
        )
        .undo(Undo::No)
        .idempotent(guarded);
    }
    if c.eat("rename") {
        return Verdict::new(Class::Contract, "the old application uses the old name").undo(Undo::Yes);
    }
    review("this change of a type is not known here")
}

fn table(c: &mut Cursor<'_>) -> Verdict {
    let engine = c.engine();
    c.eat_guard();
    c.eat("only");
    if c.name().is_none() {
        return review("the table's name is not readable");
    }
    if c.peek() == Some(&Token::Sign('*')) {
        c.step();
    }
    if c.eat("wait") {
        c.step();
    }
    c.eat("nowait");
    let mut all: Option<Verdict> = None;
    let (mut columns, mut indexes) = (false, false);
    while !c.rest().is_empty() {
        let part = c.part();
        if is_algorithm(part) {
            continue;
        }
        columns |= is_word(part.first(), "add")
            && !has(part, &["index"])
            && !has(part, &["key"])
            && !has(part, &["constraint"]);
        indexes |= is_word(part.first(), "add") && (has(part, &["index"]) || has(part, &["key"]));
        let verdict = action(part, engine);
        all = Some(match all {
            Some(before) => before.and(verdict),
            None => verdict,
        });
    }
    let mut verdict = all.unwrap_or_else(|| review("an ALTER TABLE without action"));
    if engine.is_mysql_family() && columns && indexes {
        verdict = verdict.and(
            Verdict::new(Class::Blocking, "a column and an index in one ALTER rebuild the table; split them")
                .lock("INPLACE, LOCK=NONE")
                .rewrite(Rewrite::Yes),
        );
    }
    verdict
}

/// `ALGORITHM=…`, `LOCK=…`: a wish, not a change.
fn is_algorithm(part: &[Token]) -> bool {
    (is_word(part.first(), "algorithm") || is_word(part.first(), "lock")) && part.len() <= 3
}

fn action(part: &[Token], engine: Engine) -> Verdict {
    let mut c = Cursor::new(part, engine);
    let Some(verb) = c.word() else { return review("an action that does not start with a word") };
    match verb {
        "add" => add(&mut c),
        "drop" => drop_part(&mut c),
        "rename" => rename(&mut c),
        "alter" => alter_column(&mut c),
        "change" => {
            let old = {
                c.eat("column");
                c.name()
            };
            let new = c.name();
            if old.is_some() && old == new { modify() } else { renamed(engine).rewrite(Rewrite::Depends) }
        }
        "modify" => modify(),
        "validate" => Verdict::new(Class::Expand, "rows are read beside running writes")
            .lock("SHARE UPDATE EXCLUSIVE")
            .idempotent(true),
        "attach" => Verdict::new(Class::Expand, "the partition is checked, its parent stays writable")
            .lock("SHARE UPDATE EXCLUSIVE"),
        "detach" | "truncate" | "discard" | "import" | "exchange" => {
            Verdict::new(Class::Contract, "the old application loses the partition's rows")
                .lock(exclusive(engine))
                .undo(Undo::DataLost)
                .idempotent(verb == "truncate")
        }
        "reorganize" | "coalesce" | "partition" | "remove" | "rebuild" => {
            Verdict::new(Class::Blocking, "partitions are written anew")
                .lock(copy_lock(engine))
                .rewrite(Rewrite::Yes)
        }
        "enable" | "force" if c.any(&["security"]) => {
            Verdict::new(Class::Contract, "rows may become invisible to the old application")
                .lock(table_lock(engine))
                .idempotent(true)
        }
        "force" | "engine" | "row_format" | "order" | "tablespace" => rebuilt(engine, verb),
        "disable" | "enable" if c.any(&["keys"]) => {
            Verdict::new(Class::Blocking, "index maintenance is switched")
                .lock("COPY, LOCK=SHARED")
                .idempotent(true)
        }
        "convert" => Verdict::new(Class::Contract, "every text is converted, and what does not fit is lost")
            .lock(copy_lock(engine))
            .rewrite(Rewrite::Yes)
            .undo(Undo::Depends)
            .idempotent(true),
        "comment" | "auto_increment" | "stats_persistent" | "stats_auto_recalc" | "default" | "character"
        | "charset" | "collate" => neutral("only the table's description changes").lock(table_lock(engine)),
        "set" => set(&mut c),
        "reset" | "replica" => neutral("a property of the table changes").lock(table_lock(engine)),
        "owner" => review("the old application's role may lose its rights").idempotent(true),
        other => review(format!("ALTER TABLE … {} is not known here", other.to_uppercase())),
    }
}

fn rebuilt(engine: Engine, verb: &str) -> Verdict {
    let lock =
        if verb == "order" || engine == Engine::Postgres { copy_lock(engine) } else { "INPLACE, LOCK=NONE" };
    Verdict::new(Class::Blocking, "the table is written anew")
        .lock(lock)
        .rewrite(Rewrite::Yes)
        .idempotent(true)
}

fn renamed(engine: Engine) -> Verdict {
    Verdict::new(Class::Contract, "the old application uses the old name")
        .lock(table_lock(engine))
        .undo(Undo::Yes)
}

fn modify() -> Verdict {
    review("what MODIFY changes depends on the column's present type, which the statement does not say")
        .lock("COPY, LOCK=SHARED")
        .idempotent(true)
}

fn set(c: &mut Cursor<'_>) -> Verdict {
    let engine = c.engine();
    match c.word() {
        Some("schema") => renamed(engine),
        Some("logged" | "unlogged" | "tablespace" | "access") => rebuilt(engine, "set"),
        None if c.peek() == Some(&Token::Sign('(')) => {
            neutral("a storage parameter changes").lock("SHARE UPDATE EXCLUSIVE")
        }
        _ => review("this SET of a table is not known here"),
    }
}

fn add(c: &mut Cursor<'_>) -> Verdict {
    let engine = c.engine();
    let top = top_level(c.rest());
    let not_enforced = has(&top, &["not", "enforced"]);
    let later = has(&top, &["not", "valid"]) || has(&top, &["using", "index"]);
    let restriction = |reason: &str| {
        let lock = match engine {
            Engine::Postgres => "ACCESS EXCLUSIVE",
            _ => copy_lock(engine),
        };
        let reason = if later {
            format!("{reason} (rows that are there are not read now)")
        } else {
            reason.to_owned()
        };
        Verdict::new(Class::Contract, reason).lock(lock).undo(Undo::Yes)
    };
    if c.eat("constraint") {
        // MySQL allows a constraint without a name.
        if !matches!(c.peek(), Some(Token::Word(w)) if matches!(w.as_str(), "foreign" | "check" | "unique" | "primary" | "exclude"))
        {
            c.eat_guard();
            let _ = c.name();
        }
    }
    match c.peek() {
        Some(Token::Word(w)) => match w.as_str() {
            "check" if not_enforced => {
                neutral("the CHECK is written down, not enforced").lock(table_lock(engine)).idempotent(false)
            }
            "check" => restriction("values that the old application may write are refused from now on"),
            "foreign" => {
                let verdict =
                    restriction("references that the old application may write are refused from now on");
                if engine == Engine::Postgres { verdict.lock("SHARE ROW EXCLUSIVE") } else { verdict }
            }
            "unique" | "exclude" => {
                let verdict =
                    restriction("duplicates that the old application may write are refused from now on");
                if engine.is_mysql_family() { verdict.lock("INPLACE, LOCK=NONE") } else { verdict }
            }
            "primary" => {
                restriction("duplicates and NULLs that the old application may write are refused from now on")
                    .rewrite(if engine == Engine::Postgres { Rewrite::No } else { Rewrite::Yes })
            }
            "not" => restriction("NULLs that the old application may write are refused from now on"),
            "index" | "key" => {
                c.step();
                let guarded = c.eat_guard();
                Verdict::new(Class::Expand, "an index is added beside running writes")
                    .lock(index_lock(engine, false))
                    .idempotent(guarded)
            }
            "fulltext" | "spatial" => Verdict::new(
                Class::Blocking,
                "the first full-text or spatial index rebuilds the table without writes",
            )
            .lock("INPLACE, LOCK=SHARED")
            .rewrite(Rewrite::Yes),
            "partition" => Verdict::new(Class::Expand, "a partition is added").lock(exclusive(engine)),
            "system" | "period" => Verdict::new(Class::Blocking, "every row gets its versions")
                .lock(copy_lock(engine))
                .rewrite(Rewrite::Yes),
            _ => columns(c),
        },
        _ => columns(c),
    }
}

fn columns(c: &mut Cursor<'_>) -> Verdict {
    let engine = c.engine();
    let named = c.eat("column");
    let guarded = c.eat_guard();
    if guarded && engine != Engine::Postgres && engine != Engine::MariaDb {
        return review("this engine has no IF NOT EXISTS for columns");
    }
    // SQLite takes `ADD colum z int` for a column called colum.
    if !named
        && engine == Engine::Sqlite
        && c.rest().len() > 2
        && matches!(c.rest(), [Token::Word(_), Token::Word(_), Token::Word(w), ..] if !matches!(w.as_str(), "not" | "null" | "default" | "check" | "references" | "collate" | "generated" | "primary" | "unique" | "as"))
    {
        return review("is this a column, or a misspelt word? write ADD COLUMN");
    }
    if c.peek() == Some(&Token::Sign('(')) {
        return review("a list of columns in brackets is not read yet; write one ADD COLUMN each");
    }
    add_column(c.rest(), engine).idempotent(guarded)
}

fn drop_part(c: &mut Cursor<'_>) -> Verdict {
    let engine = c.engine();
    let kind = match c.peek() {
        Some(Token::Word(w)) => w.as_str(),
        _ => "column",
    };
    let guarded = c.any(&["exists"]);
    let cascade = c.any(&["cascade"]);
    match kind {
        "foreign" | "check" if !cascade => {
            neutral("a rule is dropped: new values become possible, which the old application must bear")
                .lock(table_lock(engine))
                .undo(Undo::Depends)
                .idempotent(guarded)
        }
        "constraint" if !cascade => {
            review("the name does not say whether this is a check, a reference or a key that upserts need")
                .lock(table_lock(engine))
                .idempotent(guarded)
        }
        "index" | "key" => {
            Verdict::new(Class::Contract, "the old application's upserts and plans may need the index")
                .lock(index_lock(engine, false))
                .undo(Undo::Yes)
                .idempotent(guarded)
        }
        "primary" => Verdict::new(Class::Contract, "the old application may need the key")
            .lock(copy_lock(engine))
            .rewrite(Rewrite::Yes)
            .undo(Undo::Yes),
        "partition" => Verdict::new(Class::Contract, "the partition's rows are lost")
            .lock(exclusive(engine))
            .undo(Undo::No)
            .idempotent(guarded),
        "constraint" | "foreign" | "check" => {
            Verdict::new(Class::Contract, "CASCADE drops what stands on it")
                .lock(table_lock(engine))
                .undo(Undo::Depends)
                .idempotent(guarded)
        }
        _ => {
            let lost = if cascade {
                "the old application uses the column; its values and what stands on it are lost"
            } else {
                "the old application uses the column, and its values are lost"
            };
            Verdict::new(Class::Contract, lost)
                .lock(table_lock(engine))
                .undo(Undo::DataLost)
                .idempotent(guarded)
        }
    }
}

fn rename(c: &mut Cursor<'_>) -> Verdict {
    let engine = c.engine();
    match c.peek() {
        Some(Token::Word(w)) if matches!(w.as_str(), "constraint" | "index" | "key") => {
            neutral("an index or constraint gets another name").lock(table_lock(engine)).idempotent(false)
        }
        _ => renamed(engine),
    }
}

fn alter_column(c: &mut Cursor<'_>) -> Verdict {
    let engine = c.engine();
    if is_word(c.peek(), "index") && engine.is_mysql_family() {
        return neutral("the optimiser uses the index or not").lock(table_lock(engine));
    }
    if is_word(c.peek(), "constraint") {
        return review("a constraint's properties change").lock(table_lock(engine)).idempotent(true);
    }
    if is_word(c.peek(), "check") {
        return review("whether a CHECK is enforced changes");
    }
    c.eat("column");
    let _ = c.name();
    let done =
        |class: Class, reason: &str| Verdict::new(class, reason).lock(table_lock(engine)).idempotent(true);
    match (c.word(), c.word()) {
        (Some("set"), Some("default")) => done(Class::Expand, "only rows added from now on get the default"),
        (Some("drop"), Some("default")) => done(Class::Contract, "old INSERTs that rely on the default fail or write NULL"),
        (Some("set"), Some("not")) => done(Class::Contract, "NULLs that the old application may write are refused, and every row is read"),
        (Some("drop"), Some("not")) => done(Class::Expand, "NULLs become possible, which the old application must bear").undo(Undo::Depends),
        (Some("set"), Some("statistics" | "storage" | "compression")) => done(Class::Expand, "only storage or statistics change"),
        (Some("drop"), Some("expression")) => done(Class::Expand, "the column keeps its values"),
        (Some("set"), Some("expression")) => {
            done(Class::Contract, "the values that the old application reads change").rewrite(Rewrite::Yes)
        }
        (Some("restart"), _) => done(Class::Contract, "numbers may repeat: INSERTs of the old application fail"),
        (Some("type"), _) | (Some("set"), Some("data")) => {
            review("a change of type may rewrite the table, lose data or break the old application; the present type decides")
                .lock(table_lock(engine))
                .undo(Undo::Depends)
                .idempotent(true)
        }
        _ => review("this change of a column is not known here"),
    }
}

/// The lock of an index build inside ALTER TABLE.
pub(super) fn index_lock(engine: Engine, full_text: bool) -> &'static str {
    match engine {
        Engine::Postgres => "SHARE",
        Engine::Sqlite => "EXCLUSIVE",
        _ if full_text => "INPLACE, LOCK=SHARED",
        _ => "INPLACE, LOCK=NONE",
    }
}
