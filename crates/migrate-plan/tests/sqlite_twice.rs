//! A plan run twice, and crashed at every statement, against a real SQLite: the second run changes nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_migrate_plan::{Engine, Ledger, Migration, Plan, Step};
use rusqlite::Connection;

const FILES: [(&str, &str); 4] = [
    (
        "base/000_shop.sql",
        "CREATE TABLE wristband (id INTEGER PRIMARY KEY, code TEXT NOT NULL, guest TEXT);\nCREATE INDEX wristband_code ON wristband (code);",
    ),
    (
        "expand/001_checkin.sql",
        "ALTER TABLE wristband ADD COLUMN checked_in INTEGER NOT NULL DEFAULT 0;\nCREATE TABLE gate (id INTEGER PRIMARY KEY, name TEXT);\nALTER TABLE wristband ADD COLUMN holder TEXT;",
    ),
    (
        "backfill/001_holder.sql",
        "UPDATE wristband SET holder = guest WHERE holder IS NULL;\nINSERT INTO gate (id, name) VALUES (1, 'north') ON CONFLICT DO NOTHING;",
    ),
    ("contract/001_guest.sql", "ALTER TABLE wristband DROP COLUMN guest;"),
];

fn plan() -> Plan {
    let migrations: Vec<Migration> =
        FILES.iter().map(|(p, t)| Migration::read(p, t, Engine::Sqlite).unwrap()).collect();
    let plan = Plan::new(&migrations, 1);
    assert!(plan.is_ready(), "{:?}", plan.problems);
    plan
}

/// Runs what is pending, each statement and its note in one transaction; `crash` stops after so many statements.
fn run(db: &mut Connection, steps: &[&Step], crash: Option<usize>) -> usize {
    db.execute_batch("CREATE TABLE IF NOT EXISTS lotse_ledger (path TEXT, nth INTEGER, digest TEXT, PRIMARY KEY (path, nth))").unwrap();
    let mut ledger = Ledger::default();
    {
        let mut rows = db.prepare("SELECT path, nth, digest FROM lotse_ledger").unwrap();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let (path, nth, digest): (String, i64, String) =
                (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
            ledger.record(&path, usize::try_from(nth).unwrap(), digest.parse().unwrap());
        }
    }
    let pending = ledger.pending(steps.iter().copied()).unwrap();
    for (done, step) in pending.iter().enumerate() {
        if crash == Some(done) {
            return done;
        }
        let transaction = db.transaction().unwrap();
        transaction.execute_batch(&step.text).unwrap();
        let nth = i64::try_from(step.index).unwrap();
        transaction
            .execute(
                "INSERT INTO lotse_ledger VALUES (?1, ?2, ?3)",
                (&step.path, nth, step.fingerprint().to_string()),
            )
            .unwrap();
        transaction.commit().unwrap();
    }
    pending.len()
}

fn state(db: &Connection) -> String {
    let mut out = String::new();
    for sql in [
        "SELECT sql FROM sqlite_schema ORDER BY name",
        "SELECT id || code || checked_in || coalesce(holder, '-') FROM wristband ORDER BY id",
        "SELECT id || name FROM gate ORDER BY id",
    ] {
        let mut rows = db.prepare(sql).unwrap();
        let rows = rows.query_map([], |row| row.get::<_, Option<String>>(0)).unwrap();
        out.extend(rows.map(|r| r.unwrap().unwrap_or_default() + "\n"));
    }
    out
}

fn with_rows(db: &Connection) {
    db.execute_batch("INSERT INTO wristband (id, code, guest) VALUES (1, 'a', 'Ada'), (2, 'b', NULL)")
        .unwrap();
}

#[test]
fn the_second_run_changes_nothing() {
    let plan = plan();
    let steps: Vec<&Step> = plan.this_release().collect();
    let mut db = Connection::open_in_memory().unwrap();
    let base: Vec<&Step> = steps.iter().copied().filter(|s| s.path.starts_with("base/")).collect();
    run(&mut db, &base, None);
    with_rows(&db);
    assert_eq!(run(&mut db, &steps, None), 5);
    let (first, changes) = (state(&db), db.total_changes());
    assert_eq!(run(&mut db, &steps, None), 0);
    assert_eq!((state(&db), db.total_changes()), (first, changes));
    assert!(state(&db).contains("1a0Ada"));
    // The guest column is still there for the previous release.
    assert!(state(&db).contains("guest TEXT"));
}

#[test]
fn a_crash_at_every_statement_ends_in_the_same_state() {
    let plan = plan();
    let steps: Vec<&Step> = plan.this_release().collect();
    let whole = {
        let mut db = Connection::open_in_memory().unwrap();
        run(&mut db, &steps, None);
        state(&db)
    };
    for crash in 0..steps.len() {
        let mut db = Connection::open_in_memory().unwrap();
        assert_eq!(run(&mut db, &steps, Some(crash)), crash);
        run(&mut db, &steps, None);
        assert_eq!(state(&db), whole, "after a crash before statement {crash}");
    }
}

#[test]
fn what_is_called_repeatable_is_repeatable() {
    let plan = plan();
    let mut db = Connection::open_in_memory().unwrap();
    let steps: Vec<&Step> = plan.this_release().collect();
    run(&mut db, &steps, None);
    with_rows(&db);
    for step in steps.iter().filter(|s| s.verdict.idempotent) {
        db.execute_batch(&step.text).unwrap();
        let before = state(&db);
        db.execute_batch(&step.text).unwrap();
        assert_eq!(state(&db), before, "{}", step.text);
    }
}
