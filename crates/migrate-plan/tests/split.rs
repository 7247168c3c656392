//! Scripts into statements, as each engine's client cuts them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_migrate_plan::{Engine, Error, split};
use proptest::prelude::*;

fn cut(engine: Engine, text: &str) -> Vec<(u32, String)> {
    split("x.sql", text, engine).unwrap().iter().map(|s| (s.line(), s.text().to_owned())).collect()
}

#[test]
fn ends_are_found_outside_strings_comments_and_bodies() {
    use Engine::{MariaDb, MySql, Postgres, Sqlite};
    for (engine, text, expected) in [
        (Postgres, "select 1; ;\n\nselect ';';", vec![(1, "select 1"), (3, "select ';'")]),
        (Postgres, "-- a;b\nselect /* ; /* ; */ ; */ 1;", vec![(2, "select /* ; /* ; */ ; */ 1")]),
        (Postgres, "do $$ begin; end $$; select $1;", vec![(1, "do $$ begin; end $$"), (1, "select $1")]),
        (Postgres, "do $a$ ; $$ ; $a$;", vec![(1, "do $a$ ; $$ ; $a$")]),
        (Postgres, r"select E'\';'; select '\';", vec![(1, r"select E'\';'"), (1, r"select '\'")]),
        (
            Postgres,
            "create function f() returns int begin atomic select 1; select 2; end; select 3;",
            vec![
                (1, "create function f() returns int begin atomic select 1; select 2; end"),
                (1, "select 3"),
            ],
        ),
        (MySql, r"select '\';'; select 2", vec![(1, r"select '\';'"), (1, "select 2")]),
        (MySql, "# a;\nselect 1; -- b;\nselect 2--1;", vec![(2, "select 1"), (3, "select 2--1")]),
        (
            MySql,
            "DELIMITER //\ncreate trigger t before insert on x for each row begin set @a=1; end//\nDELIMITER ;\nselect 1;",
            vec![
                (2, "create trigger t before insert on x for each row begin set @a=1; end"),
                (4, "select 1"),
            ],
        ),
        (MySql, "/*!50701 alter table t add column z int */;", vec![(1, "alter table t add column z int")]),
        (MariaDb, "/*M!100100 select 1 */; select `;`;", vec![(1, "select 1"), (1, "select `;`")]),
        (
            Sqlite,
            "create trigger t after insert on x begin select 1; select case when 1 then 2 end; end; select 2;",
            vec![
                (1, "create trigger t after insert on x begin select 1; select case when 1 then 2 end; end"),
                (1, "select 2"),
            ],
        ),
        (Sqlite, "select [a;b], \"c;d\";", vec![(1, "select [a;b], \"c;d\"")]),
        (Sqlite, "begin; select 1; end;", vec![(1, "begin"), (1, "select 1"), (1, "end")]),
        (Sqlite, "\u{feff}select 1", vec![(1, "select 1")]),
    ] {
        let expected: Vec<(u32, String)> = expected.into_iter().map(|(l, t)| (l, t.to_owned())).collect();
        assert_eq!(cut(engine, text), expected, "{engine}: {text}");
    }
}

#[test]
fn what_does_not_end_is_refused_with_its_line() {
    for (engine, text, line) in [
        (Engine::Postgres, "select 1;\nselect 'a", 2),
        (Engine::Postgres, "\n\ndo $$ begin", 3),
        (Engine::MySql, "select 1; /* x", 1),
        (Engine::Sqlite, "select 1;\ncreate trigger t after insert on x begin select 1;", 2),
    ] {
        let Err(Error::Malformed { line: found, .. }) = split("x.sql", text, engine) else {
            panic!("{text}")
        };
        assert_eq!(found, line, "{text}");
    }
    assert!(matches!(split("x.sql", &" ".repeat(9 << 20), Engine::Sqlite), Err(Error::TooLarge { .. })));
}

#[test]
fn long_bodies_take_linear_time() {
    let body = "select 1; ".repeat(100_000);
    let text = format!("create trigger t after insert on x begin {body} end; select 2;");
    assert_eq!(split("x.sql", &text, Engine::Sqlite).unwrap().len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn any_text_is_cut_or_refused(text in "[a-z'\"`;$/*# \\n()-]{0,80}") {
        for engine in [Engine::MySql, Engine::MariaDb, Engine::Postgres, Engine::Sqlite] {
            if let Ok(all) = split("x.sql", &text, engine) {
                for statement in all {
                    let _ = lotse_migrate_plan::classify(&statement, engine);
                }
            }
        }
    }
}
