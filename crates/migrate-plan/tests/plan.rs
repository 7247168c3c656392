//! The order of a release, and the two mistakes it cannot make.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_migrate_plan::{
    DeclaredHook, Engine, Error, Ledger, Migration, Phase, Plan, ProblemKind, check_hooks,
};

fn read(files: &[(&str, &str)]) -> Vec<Migration> {
    files.iter().map(|(path, text)| Migration::read(path, text, Engine::Postgres).unwrap()).collect()
}

fn kinds(plan: &Plan) -> Vec<ProblemKind> {
    plan.problems.iter().map(|p| p.kind).collect()
}

const EXPAND: (&str, &str) = ("expand/001.sql", "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int;");
const SEED: (&str, &str) = ("backfill/001.sql", "UPDATE t SET b = a WHERE b IS NULL;");
const CONTRACT: (&str, &str) = ("contract/001.sql", "ALTER TABLE t DROP COLUMN IF EXISTS a;");

#[test]
fn seeding_comes_after_the_rollout_and_contract_in_a_later_release() {
    for (rollback, later) in [(0, 1), (1, 1), (3, 3)] {
        let plan = Plan::new(&read(&[CONTRACT, SEED, EXPAND]), rollback);
        assert!(plan.is_ready(), "{:?}", plan.problems);
        let order: Vec<(Phase, u32)> = plan.stages.iter().map(|s| (s.phase, s.releases_later)).collect();
        assert_eq!(order, [(Phase::Expand, 0), (Phase::Backfill, 0), (Phase::Contract, later)]);
        assert_eq!(plan.this_release().count(), 2);
        let hooks: Vec<&str> = plan.stages.iter().map(|s| s.hooks.helm_hook).collect();
        assert_eq!(
            hooks,
            ["pre-install,pre-upgrade", "post-install,post-upgrade", "post-install,post-upgrade"]
        );
        assert!(
            plan.stages
                .iter()
                .zip(plan.stages.iter().skip(1))
                .all(|(a, b)| a.hooks.argo_wave < b.hooks.argo_wave)
        );
        assert!(plan.stages[1].hooks.needs_wait);
        let blockers: Vec<&str> = plan.rollback_blockers.iter().map(|b| b.step.path.as_str()).collect();
        assert_eq!(blockers, ["contract/001.sql"]);
    }
}

#[test]
fn misplaced_statements_are_moved_to_safety_and_named() {
    for (file, kind, phase) in [
        (("expand/1.sql", SEED.1), ProblemKind::SeedTooEarly, Phase::Backfill),
        (("expand/1.sql", CONTRACT.1), ProblemKind::ContractTooEarly, Phase::Contract),
        (("backfill/1.sql", CONTRACT.1), ProblemKind::ContractTooEarly, Phase::Contract),
        (("contract/1.sql", "CREATE TABLE n (id int);"), ProblemKind::LateExpand, Phase::Contract),
        (("backfill/1.sql", "INSERT INTO t VALUES (1);"), ProblemKind::NotRepeatable, Phase::Backfill),
        (("expand/1.sql", "ALTER TABLE t FROBNICATE;"), ProblemKind::NeedsReview, Phase::Review),
        (("1.sql", "VACUUM FULL t; CALL f();"), ProblemKind::NeedsReview, Phase::Review),
    ] {
        let plan = Plan::new(&read(&[file]), 1);
        assert_eq!(kinds(&plan), [kind], "{file:?}");
        assert_eq!(plan.stages.last().unwrap().phase, phase, "{file:?}");
        assert!(!plan.is_ready());
    }
}

#[test]
fn the_holes_of_a_chart_are_found() {
    let hook = |phase, events: &str| DeclaredHook {
        name: "job".to_owned(),
        phase,
        events: events.split(',').map(str::to_owned).collect(),
    };
    for (phase, events, kind) in [
        (Phase::Backfill, "pre-upgrade,post-install", Some(ProblemKind::SeedTooEarly)),
        (Phase::Contract, "post-upgrade", Some(ProblemKind::ContractInSameRelease)),
        (Phase::Expand, "pre-upgrade,post-install", Some(ProblemKind::ExpandAfterInstall)),
        (Phase::Expand, "pre-install,pre-upgrade", None),
        (Phase::Backfill, "post-install,post-upgrade", None),
    ] {
        let found: Vec<ProblemKind> = check_hooks(&[hook(phase, events)]).iter().map(|p| p.kind).collect();
        assert_eq!(found, kind.into_iter().collect::<Vec<_>>(), "{phase} {events}");
    }
}

#[test]
fn the_ledger_knows_statements_and_refuses_changed_ones() {
    let migrations = read(&[("1.sql", "CREATE TABLE a (id int); CREATE TABLE b (id int);")]);
    let steps = &migrations[0].steps;
    let mut ledger = Ledger::default();
    assert_eq!(ledger.pending(steps).unwrap().len(), 2);
    ledger.record("1.sql", 0, steps[0].fingerprint());
    assert_eq!(
        ledger.pending(steps).unwrap()[0].index,
        1,
        "a crash between two statements goes on at the second"
    );
    let changed = read(&[("1.sql", "CREATE TABLE a (id bigint); CREATE TABLE b (id int);")]);
    assert!(matches!(ledger.pending(&changed[0].steps), Err(Error::ChangedAfterRun { index: 0, .. })));
}

#[test]
fn what_happens_to_a_table_of_the_same_file_concerns_nobody() {
    let new =
        "CREATE TABLE n (id int); CREATE UNIQUE INDEX i ON n (id); ALTER TABLE public.n ADD CHECK (id > 0);";
    assert!(Plan::new(&read(&[("expand/1.sql", new)]), 1).is_ready());
    let guarded = "CREATE TABLE IF NOT EXISTS n (id int); CREATE UNIQUE INDEX i ON n (id);";
    assert_eq!(kinds(&Plan::new(&read(&[("expand/1.sql", guarded)]), 1)), [ProblemKind::ContractTooEarly]);
    let dropped = "CREATE TABLE n (id int); DROP TABLE n;";
    assert_eq!(kinds(&Plan::new(&read(&[("expand/1.sql", dropped)]), 1)), [ProblemKind::ContractTooEarly]);
}

#[test]
fn json_holds_everything_and_is_stable() {
    let plan = Plan::new(&read(&[EXPAND, SEED, CONTRACT, ("expand/002.sql", "CALL \"x\\\"();")]), 2);
    let value: serde_json::Value = serde_json::from_str(&lotse_migrate_plan::plan_json(&plan)).unwrap();
    assert_eq!(value["stages"][0]["steps"][0]["class"], "expand");
    assert_eq!(value["stages"][0]["steps"][0]["lock"], "ACCESS EXCLUSIVE");
    assert_eq!(value["stages"][2]["releases_later"], 2);
    assert_eq!(value["problems"][0]["path"], "expand/002.sql");
    assert_eq!(value["ready"], false);
}
