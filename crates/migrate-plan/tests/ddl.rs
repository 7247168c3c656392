//! Every statement of the sample beside what the real engines did with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a test states what must hold"
)]

use flate2::read::GzDecoder;
use lotse_migrate_plan::{Class, Engine, Verdict, classify, split};
use serde_json::Value;
use std::io::Read;

fn rows(engine: &str) -> Vec<Value> {
    let path = format!("{}/tests/data/{engine}.jsonl.gz", env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap())
        .filter(|v| v.get("meta").is_none())
        .collect()
}

fn statements(row: &Value) -> Vec<String> {
    match &row["sql"] {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many.iter().map(|s| s.as_str().unwrap().to_owned()).collect(),
        other => panic!("{other}"),
    }
}

fn judge(sql: &[String], engine: Engine) -> Vec<Verdict> {
    let all = sql.iter().flat_map(|s| split("row", s, engine).unwrap());
    all.map(|s| classify(&s, engine)).collect()
}

/// What the engine did, in our words; `None` if the statement failed.
fn measured(engine: &str, row: &Value, writes_rows: bool) -> Option<Class> {
    let loaded = &row["loaded"];
    if loaded["result"] != "ok" {
        return None;
    }
    let empty = serde_json::Map::new();
    let (mut lost, mut altered) = (false, false);
    for data in loaded["data"].as_object().unwrap_or(&empty).values() {
        lost |= data.as_str().is_some_and(|s| s.contains("gone")) || data.get("columns_gone").is_some();
        lost |= data.get("rows").is_some_and(|r| r[1].as_u64() < r[0].as_u64());
        altered |= data.get("values_changed").is_some();
    }
    if lost || loaded["old_broken"].as_object().is_some_and(|o| !o.is_empty()) || (altered && !writes_rows) {
        return Some(Class::Contract);
    }
    if writes_rows {
        return Some(Class::Backfill);
    }
    let filled = |v: &Value| v.as_array().is_some_and(|a| !a.is_empty());
    let costly = match engine {
        "postgres" => {
            let locks = loaded["locks"].as_object().unwrap_or(&empty);
            let strong = locks
                .iter()
                .any(|(t, l)| !t.contains('(') && ["S", "SRE", "E", "AE"].contains(&l.as_str().unwrap()));
            filled(&loaded["rewritten"])
                || (strong && loaded["scanned"].as_object().is_some_and(|s| !s.is_empty()))
        }
        "sqlite" => loaded["rewritten"] == true,
        _ => {
            row["algorithm"] == "COPY"
                || ["SHARED", "EXCLUSIVE"].iter().any(|l| row["lock"] == *l)
                || filled(&loaded["table_id_changed"])
        }
    };
    Some(if costly { Class::Blocking } else { Class::Expand })
}

struct Tally {
    agree: usize,
    stricter: usize,
    review: usize,
    failed: usize,
}

fn compare(name: &str) -> Tally {
    let engine: Engine = name.parse().unwrap();
    let mut tally = Tally { agree: 0, stricter: 0, review: 0, failed: 0 };
    let (mut looser, mut repeats): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for row in rows(name) {
        let sql = statements(&row);
        let verdicts = judge(&sql, engine);
        let ours = verdicts.iter().map(|v| v.class).max().unwrap();
        let writes_rows = verdicts.iter().any(|v| v.class == Class::Backfill)
            || sql.iter().any(|s| s.starts_with("delete"));
        // Grave for the application: contract, then blocking, then rows, then nothing.
        let rank = |c: Class| {
            [Class::Expand, Class::Backfill, Class::Blocking, Class::Contract]
                .iter()
                .position(|k| *k == c)
                .unwrap()
        };
        match measured(name, &row, writes_rows) {
            None => tally.failed += 1,
            Some(_) if ours == Class::Review => tally.review += 1,
            Some(theirs) if theirs == ours => tally.agree += 1,
            Some(theirs) if rank(theirs) < rank(ours) => tally.stricter += 1,
            Some(theirs) => {
                looser.push(format!("{sql:?}: measured {theirs}, we say {ours}: {:?}", verdicts[0].reasons))
            }
        }
        let again = row["loaded"]["second"] == "ok";
        if row["loaded"]["result"] == "ok" && verdicts.iter().all(|v| v.idempotent) && !again {
            repeats.push(format!("{sql:?}: {}", row["loaded"]["second"]));
        }
    }
    println!(
        "{name}: {} agree, {} stricter, {} need review, {} looser; {} statements the engine refused",
        tally.agree,
        tally.stricter,
        tally.review,
        looser.len(),
        tally.failed
    );
    assert!(looser.is_empty(), "never safer than the engine:\n{}", looser.join("\n"));
    assert!(repeats.is_empty(), "called repeatable, and failed the second time:\n{}", repeats.join("\n"));
    tally
}

#[test]
fn postgres_rows() {
    let t = compare("postgres");
    assert!(t.agree >= 1 && t.review * 3 <= t.agree * 2, "review is for the few");
}

#[test]
fn mysql_rows() {
    compare("mysql");
}

#[test]
fn mariadb_rows() {
    compare("mariadb");
}

#[test]
fn sqlite_rows() {
    compare("sqlite");
}
