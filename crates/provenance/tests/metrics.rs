//! Steps of people in a release (R13) and figures of delivery (R19), recomputed by hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::collections::BTreeSet;

use lotse_provenance::{
    Actor, ActorKind, Commit, DeliveryMetrics, Event, History, Hit, Json, Log, MemoryStore, Outcome,
    StepCount, StepKind, StepSource, StepWindow, Timestamp,
};
use lotse_sign::{Scheme, SigningKey};
use proptest::prelude::*;

const DAY: i64 = 86_400;
const START: i64 = 1_760_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(START + seconds)
}

fn event(seconds: i64, kind: ActorKind, action: &str) -> Event {
    Event::new(at(seconds), "test", Actor::new(kind, format!("{kind:?}")), action, "app")
}

fn deploy(seconds: i64, commit: &str) -> Event {
    let mut event = event(seconds, ActorKind::Controller, "deploy");
    event.environment = Some("prod".to_owned());
    event.commit = Some(commit.to_owned());
    event
}

fn hits(events: Vec<Event>) -> Vec<Hit> {
    events.into_iter().enumerate().map(|(index, event)| Hit { index: index as u64, event }).collect()
}

fn all_sources() -> BTreeSet<StepSource> {
    StepSource::ALL.into()
}

fn count(events: Vec<Event>) -> StepCount {
    let events = hits(events);
    let window = StepWindow::all(&events, "app", Some("prod")).unwrap().pop().unwrap();
    StepCount::of(&events, window, &all_sources()).unwrap()
}

/// The thesis, 5.2.13: six steps before, one now.
#[test]
fn the_thesis_two_tables_are_six_and_one() {
    let mut before: Vec<Event> = ["merge", "ssh", "cd", "docker compose restart", "migrate", "seed"]
        .iter()
        .enumerate()
        .map(|(number, action)| event(10 + number as i64, ActorKind::Human, action))
        .collect();
    before[2].effect = Some(false);
    before.push(deploy(100, "c1"));
    let before = count(before);
    assert_eq!((before.count(), before.with_effect()), (6, 5), "cd is a keystroke without effect");
    assert_eq!(before.at_most(1), Some(false));

    let now = count(vec![
        event(10, ActorKind::Human, "merge"),
        event(11, ActorKind::Bot, "ci-run"),
        event(20, ActorKind::Bot, "release"),
        event(21, ActorKind::Bot, "bump"),
        event(30, ActorKind::Controller, "reconcile"),
        event(31, ActorKind::Controller, "migrate"),
        event(32, ActorKind::Controller, "seed"),
        deploy(100, "c1"),
    ]);
    assert_eq!((now.count(), now.automated.len()), (1, 7));
    assert_eq!((now.steps[0].index, now.steps[0].kind), (0, StepKind::Act));
    assert_eq!(now.at_most(1), Some(true));
}

#[test]
fn each_rule_of_counting_holds() {
    let armed = |by: ActorKind| {
        let mut event = event(10, ActorKind::Bot, "merge");
        event.armed_by = Some(Actor::new(by, "x"));
        event
    };
    let of_one_cause = |seconds, action: &str| {
        let mut event = event(seconds, ActorKind::Human, action);
        event.cause = Some("act-1".to_owned());
        event
    };
    let table: Vec<(&str, Vec<Event>, usize)> = vec![
        ("nobody did anything", vec![], 0),
        ("a bot's merge", vec![event(10, ActorKind::Bot, "merge")], 0),
        ("a bot's merge that a person armed", vec![armed(ActorKind::Human)], 1),
        ("a bot's merge that nobody knows who armed", vec![armed(ActorKind::Unknown)], 1),
        ("a bot's merge that a bot armed", vec![armed(ActorKind::Bot)], 0),
        ("an unknown actor", vec![event(10, ActorKind::Unknown, "kubectl delete")], 1),
        (
            "one act on three objects",
            vec![of_one_cause(10, "scale"), of_one_cause(11, "scale"), of_one_cause(12, "scale")],
            1,
        ),
        (
            "two acts of one kind",
            vec![event(10, ActorKind::Human, "scale"), event(11, ActorKind::Human, "scale")],
            2,
        ),
        (
            "a re-run and an approval",
            vec![event(10, ActorKind::Human, "re-run"), event(11, ActorKind::Human, "approve")],
            2,
        ),
    ];
    for (name, mut events, expected) in table {
        events.push(deploy(100, "c1"));
        let counted = count(events);
        assert_eq!(counted.count(), expected, "{name}: {counted:?}");
    }
    let apart = count(vec![
        event(10, ActorKind::Human, "merge"),
        event(20, ActorKind::Human, "re-run"),
        event(30, ActorKind::Human, "approve"),
        event(40, ActorKind::Unknown, "ssh"),
        armed(ActorKind::Human),
        deploy(100, "c1"),
    ]);
    let kinds = [StepKind::Act, StepKind::ReRun, StepKind::Approval, StepKind::Unknown, StepKind::Armed];
    assert_eq!(kinds.map(|kind| apart.of_kind(kind)), [1, 1, 1, 1, 1]);
}

#[test]
fn a_window_is_from_the_end_of_one_rollout_to_the_end_of_the_next() {
    let in_stage = |mut event: Event| {
        event.environment = Some("stage".to_owned());
        event
    };
    let of_other = |mut event: Event| {
        event.application = "other".to_owned();
        event
    };
    let mut failed = deploy(150, "c2");
    failed.outcome = Some(Outcome::Failed);
    let events = hits(vec![
        event(10, ActorKind::Human, "merge"),
        deploy(100, "c1"),
        event(100, ActorKind::Human, "late"),
        event(120, ActorKind::Human, "merge"),
        in_stage(event(130, ActorKind::Human, "restart")),
        of_other(event(140, ActorKind::Human, "merge")),
        failed,
        event(160, ActorKind::Human, "re-run"),
        deploy(200, "c2"),
        event(210, ActorKind::Human, "merge"),
    ]);
    let windows = StepWindow::all(&events, "app", Some("prod")).unwrap();
    assert_eq!(windows.len(), 2, "a rollout that failed ends no window");
    let counts: Vec<Vec<u64>> = windows
        .into_iter()
        .map(|window| {
            StepCount::of(&events, window, &all_sources())
                .unwrap()
                .steps
                .iter()
                .map(|step| step.index)
                .collect()
        })
        .collect();
    assert_eq!(counts, [vec![0, 2], vec![3, 7]], "the last moment belongs to the window that it ends");
}

#[test]
fn a_source_that_was_not_there_is_named_and_yes_is_not_said() {
    let events = hits(vec![event(10, ActorKind::Human, "merge"), deploy(100, "c1")]);
    let window = StepWindow::all(&events, "app", Some("prod")).unwrap().pop().unwrap();
    let sources = [StepSource::Forge, StepSource::Ci].into();
    let counted = StepCount::of(&events, window.clone(), &sources).unwrap();
    assert_eq!(counted.missing, [StepSource::ClusterAudit, StepSource::Hosts].into());
    assert_eq!((counted.at_most(1), counted.at_most(0)), (None, Some(false)));
    assert_eq!(StepCount::of(&events, window, &all_sources()).unwrap().at_most(1), Some(true));
}

#[test]
fn every_counted_step_has_its_proof() {
    let key = SigningKey::from_secret(Scheme::Ed25519, &[3; 32]).unwrap();
    let mut log = Log::over(MemoryStore::new()).unwrap();
    let events =
        vec![event(10, ActorKind::Human, "merge"), event(11, ActorKind::Bot, "ci-run"), deploy(100, "c1")];
    log.append_all(&events, "log.example/app", &key).unwrap();
    let hits = log.scan(&lotse_provenance::Query::default()).unwrap();
    let window = StepWindow::all(&hits, "app", Some("prod")).unwrap().pop().unwrap();
    let counted = StepCount::of(&hits, window, &all_sources()).unwrap();
    let proofs = counted.prove(&log).unwrap();
    assert_eq!(proofs.keys().collect::<Vec<_>>(), [&0]);
    proofs[&0].verify(&events[0].to_entry().unwrap(), "log.example/app", &key.verifying_key()).unwrap();
}

fn commit(id: &str, parents: &[&str], seconds: i64) -> Commit {
    let parents = parents.iter().map(|parent| (*parent).to_owned()).collect();
    Commit { id: id.to_owned(), parents, author_time: START + seconds, commit_time: START + seconds }
}

/// Two merged branches, one squashed commit:
///
/// ```text
/// m0 - m1 ------- m2 - s3 --- m4
///   \  b1 - b2 --/   \  c1 --/
/// ```
fn history() -> History {
    let commits = vec![
        commit("m0", &[], 0),
        commit("m1", &["m0"], 100),
        commit("b1", &["m0"], 1000),
        commit("b2", &["b1"], 2000),
        commit("m2", &["m1", "b2"], 5000),
        commit("s3", &["m2"], 6000),
        commit("c1", &["m2"], 7000),
        commit("m4", &["s3", "c1"], 9000),
    ];
    History::new(commits, "m4").unwrap()
}

fn metrics(events: Vec<Event>, history: &History) -> DeliveryMetrics {
    DeliveryMetrics::of(&hits(events), history, "app", Some("prod"), (at(0), at(10 * DAY))).unwrap()
}

#[test]
fn the_four_figures_are_those_computed_by_hand() {
    let mut failed = deploy(20_000, "m4");
    failed.release = Some("v3".to_owned());
    let mut repair = deploy(23_600, "m2");
    repair.repairs = Some("v3".to_owned());
    let mut check = |passed| {
        let mut event = event(50, ActorKind::Human, "pre-commit");
        event.outcome = passed;
        event
    };
    let checks =
        [Some(Outcome::Succeeded), Some(Outcome::Succeeded), Some(Outcome::Failed), None].map(&mut check);
    let mut events = vec![deploy(200, "m1"), deploy(8000, "m2"), failed, repair];
    events.extend(checks);
    let metrics = metrics(events, &history());

    assert_eq!(metrics.deployments.counted, [0, 1, 2, 3]);
    assert_eq!(metrics.deployments.per_mille(), Some(400), "four in ten days");
    // The first deployment is where the log begins. m2 brought b1, b2, m2; m4 brought s3, c1, m4.
    let samples: Vec<(i64, &str)> =
        metrics.lead_time.samples.iter().map(|sample| (sample.seconds, sample.of.as_str())).collect();
    assert_eq!(
        samples,
        [(3000, "m2"), (6000, "b2"), (7000, "b1"), (11_000, "m4"), (13_000, "c1"), (14_000, "s3")]
    );
    assert_eq!(metrics.lead_time.percentile(50).unwrap().seconds, 7000, "nearest rank: the third of six");
    assert_eq!(metrics.lead_time.percentile(90).unwrap().seconds, 14_000);
    assert_eq!(
        (metrics.change_failures.counted.clone(), metrics.change_failures.per_mille()),
        (vec![2], Some(250))
    );
    assert_eq!(metrics.time_to_restore.percentile(50).unwrap().seconds, 3600);
    assert!(metrics.unrepaired.is_empty());
    let lifetimes: Vec<(i64, &str)> =
        metrics.branch_lifetime.samples.iter().map(|sample| (sample.seconds, sample.of.as_str())).collect();
    assert_eq!(lifetimes, [(2000, "m4"), (4000, "m2")]);
    assert_eq!(metrics.without_branch, 3, "m0, m1 and the squashed one");
    assert_eq!((metrics.pre_commit.per_mille(), metrics.pre_commit.unknown.len()), (Some(667), 1));
}

#[test]
fn there_is_no_figure_for_no_sample() {
    let metrics = metrics(vec![], &history());
    assert_eq!(metrics.lead_time.percentile(50), None);
    assert_eq!(metrics.time_to_restore.percentile(90), None);
    let rates = [&metrics.deployments, &metrics.change_failures, &metrics.pre_commit];
    assert_eq!(rates.map(lotse_provenance::Rate::per_mille), [None, None, None]);
    let json = Json::parse(&metrics.to_json(false)).unwrap();
    for pointer in [
        "/leadTime/p50",
        "/changeFailureRate/perMille",
        "/deploymentFrequency/perMille",
        "/timeToRestore/p90",
    ] {
        assert_eq!(json.pointer(pointer).unwrap().to_string(), "null", "{pointer}");
    }
    assert_eq!(metrics.branch_lifetime.percentile(0), None);
    assert_eq!(metrics.branch_lifetime.percentile(101), None);
}

#[test]
fn a_failure_is_what_says_so_or_is_repaired_and_nothing_else() {
    let mut failed = deploy(100, "m2");
    failed.outcome = Some(Outcome::Failed);
    let fixed = deploy(300, "m4");
    let metrics1 = metrics(vec![failed.clone(), fixed.clone()], &history());
    assert_eq!(
        (metrics1.change_failures.counted.clone(), metrics1.unrepaired.clone()),
        (vec![0], vec![0]),
        "nobody says that the next one repairs it"
    );
    assert_eq!(metrics1.deployments.counted, [1]);
    let mut repair = fixed.clone();
    repair.repairs = Some("m2".to_owned());
    let metrics2 = metrics(vec![failed.clone(), repair.clone()], &history());
    assert_eq!((metrics2.time_to_restore.samples[0].seconds, metrics2.unrepaired.len()), (200, 0));
    // A repair that failed itself restores nothing; the one behind it does.
    let mut bad = repair.clone();
    bad.outcome = Some(Outcome::Failed);
    bad.time = at(200).to_string();
    let metrics3 = metrics(vec![failed.clone(), bad, repair.clone()], &history());
    assert_eq!(
        metrics3.time_to_restore.samples.iter().map(|sample| sample.seconds).collect::<Vec<_>>(),
        [200]
    );
    // In another environment it repairs nothing here, but it says that this one failed.
    repair.environment = Some("stage".to_owned());
    let metrics4 = metrics(vec![deploy(100, "m2"), repair], &history());
    assert_eq!((metrics4.change_failures.counted.clone(), metrics4.unrepaired.clone()), (vec![0], vec![0]));
    let unknown = metrics(vec![deploy(10, "m0"), deploy(100, "nowhere")], &history());
    assert_eq!(unknown.without_commit, [1]);
}

#[test]
fn times_that_run_backwards_are_left_out_and_listed() {
    let metrics = metrics(vec![deploy(200, "m1"), deploy(4500, "m2")], &history());
    assert_eq!(
        metrics.lead_time.backwards.len(),
        1,
        "m2 was committed after it was deployed, by other clocks"
    );
    assert_eq!(metrics.lead_time.samples.len(), 2);
}

#[test]
fn figures_are_the_same_bytes_in_whatever_order_commits_and_events_come() {
    let mut commits =
        vec![commit("m4", &["s3", "c1"], 9000), commit("c1", &["m2"], 7000), commit("s3", &["m2"], 6000)];
    commits.extend([
        commit("m2", &["m1", "b2"], 5000),
        commit("b2", &["b1"], 2000),
        commit("b1", &["m0"], 1000),
    ]);
    commits.extend([commit("m1", &["m0"], 100), commit("m0", &[], 0)]);
    let reversed = History::new(commits, "m4").unwrap();
    let mut events = hits(vec![deploy(200, "m1"), deploy(8000, "m2"), deploy(20_000, "m4")]);
    let period = (at(0), at(DAY));
    let one = DeliveryMetrics::of(&events, &history(), "app", Some("prod"), period).unwrap().to_json(true);
    events.reverse();
    let other = DeliveryMetrics::of(&events, &reversed, "app", Some("prod"), period).unwrap().to_json(true);
    assert_eq!(one, other);
    assert!(DeliveryMetrics::of(&events, &reversed, "app", None, (at(1), at(0))).is_err());
    assert!(History::new(vec![commit("a", &[], 0)], "b").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn the_nearest_rank_is_a_sample_with_that_many_at_or_below_it(lifetimes in proptest::collection::vec(0_i64..1000, 1..60), percent in 1_u8..=100) {
        let mut commits = vec![commit("m0", &[], 0)];
        for (number, lifetime) in lifetimes.iter().enumerate() {
            let (branch, merge) = (format!("b{number}"), format!("m{}", number + 1));
            let main = format!("m{number}");
            commits.push(commit(&branch, &[&main], 5000 - lifetime));
            commits.push(commit(&merge, &[&main, &branch], 5000));
        }
        let history = History::new(commits, &format!("m{}", lifetimes.len())).unwrap();
        let figure = metrics(vec![], &history).branch_lifetime;
        let point = figure.percentile(percent).unwrap().seconds;
        let at_or_below = lifetimes.iter().filter(|lifetime| **lifetime <= point).count();
        let below = lifetimes.iter().filter(|lifetime| **lifetime < point).count();
        prop_assert!(at_or_below * 100 >= lifetimes.len() * usize::from(percent));
        prop_assert!(below * 100 < lifetimes.len() * usize::from(percent));
    }
}

/// A repository by `git fast-import`: `merges` branches of `each` commits. Returns its directory.
#[cfg(feature = "git")]
fn imported(merges: usize, each: usize) -> tempfile::TempDir {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let directory = tempfile::TempDir::new().unwrap();
    assert!(
        Command::new("git")
            .args(["init", "-q", "-b", "main"])
            .arg(directory.path())
            .status()
            .unwrap()
            .success()
    );
    let mut child = Command::new("git")
        .args(["-C"])
        .arg(directory.path())
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = std::io::BufWriter::new(child.stdin.take().unwrap());
    let mut mark = 1;
    writeln!(input, "commit refs/heads/main\nmark :1\ncommitter T <t@example.com> {START} +0000\ndata 1\n0\nM 644 inline f\ndata 1\n0").unwrap();
    let mut main = 1;
    for merge in 0..merges {
        let time = START + (merge as i64) * 3600;
        let mut from = main;
        for number in 0..each {
            mark += 1;
            let time = time + number as i64 * 60;
            writeln!(input, "commit refs/heads/b\nmark :{mark}\nauthor A <a@example.com> {time} +0100\ncommitter T <t@example.com> {time} +0000\ndata 1\nb\nfrom :{from}\nM 644 inline b\ndata 8\n{mark:08}").unwrap();
            from = mark;
        }
        mark += 1;
        let merged = time + 3000;
        writeln!(input, "commit refs/heads/main\nmark :{mark}\ncommitter T <t@example.com> {merged} +0000\ndata 1\nm\nfrom :{main}\nmerge :{from}").unwrap();
        main = mark;
    }
    drop(input);
    assert!(child.wait().unwrap().success());
    directory
}

#[cfg(feature = "git")]
#[test]
#[allow(clippy::disallowed_methods, reason = "this test measures")]
fn branch_lifetimes_come_from_a_repository() {
    // LOTSE_METRICS_MERGES=10000 makes 50,001 commits: two seconds is what the figures may take then.
    let merges =
        std::env::var("LOTSE_METRICS_MERGES").ok().and_then(|number| number.parse().ok()).unwrap_or(50);
    let directory = imported(merges, 4);
    let started = std::time::Instant::now();
    let history = History::read(directory.path(), None).unwrap();
    let metrics = DeliveryMetrics::of(&[], &history, "app", None, history.period().unwrap()).unwrap();
    println!("{} commits: {} ms", history.len(), started.elapsed().as_millis());
    assert_eq!(history.len(), merges * 5 + 1);
    assert_eq!(metrics.branch_lifetime.samples.len(), merges);
    assert_eq!(metrics.branch_lifetime.percentile(90).unwrap().seconds, 3000);
    assert_eq!(metrics.without_branch, 1);
    let by_name = History::read(directory.path(), Some("refs/heads/main")).unwrap();
    assert_eq!(by_name.len(), history.len());
    assert!(History::read(directory.path(), Some("refs/heads/none")).is_err());
}
