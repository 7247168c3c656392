//! The TUF client against the sandbox's repository: every fault is refused by the rule that it breaks, what was trusted before
//! stays, and offline readings believe nothing but the first root.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_sign::sandbox::{Sandbox, TufFault, TufRepository};
use lotse_sign::tuf::{
    Limits, MemoryStore, Refusal, Repository, Rule, SIGNING_CONFIG, Step, TRUSTED_ROOT, Update, Wanted,
};
use lotse_sign::{Error, SigningConfig, Time, TrustedRoot};

const TEAM: &str = "team/notes.txt";

fn now() -> Time {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn sandbox() -> Sandbox {
    Sandbox::new("tuf", now())
}

fn update(repository: &TufRepository) -> Update {
    Update::new(&repository.initial_root(), now(), Limits::default()).unwrap()
}

fn offline(repository: &TufRepository, at: Time) -> Update {
    Update::offline(&repository.initial_root(), at, Limits::default()).unwrap()
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::Tuf(refusal) => refusal,
        other => panic!("{other}"),
    }
}

/// A store as it is after an update and three targets of a repository in its first state.
fn stored(repository: &TufRepository) -> MemoryStore {
    let mut store = MemoryStore::new();
    let mut update = update(repository);
    for target in [TRUSTED_ROOT, SIGNING_CONFIG, TEAM] {
        update.fetch(target, &mut store, repository).unwrap();
    }
    assert_eq!(update.versions(), [Some(1), Some(11), Some(11), Some(11)]);
    store
}

#[test]
fn what_is_delivered_is_read_again_without_the_repository() {
    let sigstore = sandbox();
    let repository = sigstore.tuf().unwrap();
    let store = stored(&repository);
    let mut reading = offline(&repository, now());
    let root = reading.read(TRUSTED_ROOT, &store).unwrap();
    assert_eq!(TrustedRoot::parse(&root).unwrap().digest(), sigstore.trusted_root().unwrap().digest());
    let config = reading.read(SIGNING_CONFIG, &store).unwrap();
    assert!(SigningConfig::parse(&config).is_ok());
    assert_eq!(reading.read(TEAM, &store).unwrap(), b"what the team says");
    let (target, _) = {
        reading.want(TEAM).unwrap();
        reading.run(&mut store.clone(), &repository).unwrap();
        reading.target().unwrap()
    };
    assert_eq!((target.path(), target.length(), target.hashes().len()), (TEAM, 18, 1));
    // In the time of the timestamp, and no longer.
    let week = Time::from_seconds(now().seconds() + 7 * 86_400);
    assert_eq!(reading.expires(), week);
    let late = refusal(offline(&repository, week).read(TRUSTED_ROOT, &store).unwrap_err());
    assert_eq!((late.role.as_str(), late.rule), ("timestamp", Rule::Freeze));
    assert!(offline(&repository, week).dangerously_expired().read(TRUSTED_ROOT, &store).is_ok());
}

#[test]
fn the_same_seed_time_and_calls_give_the_same_repository() {
    let make = || {
        let mut repository = sandbox().tuf().unwrap();
        repository.advance().unwrap();
        repository.files().clone()
    };
    assert_eq!(make(), make());
    assert_ne!(make(), *sandbox().tuf().unwrap().files());
}

#[test]
fn the_next_state_is_taken_with_a_rotated_root_key() {
    let mut repository = sandbox().tuf().unwrap();
    let mut store = stored(&repository);
    repository.set_target("new.txt", b"new");
    for state in 2..6 {
        repository.advance().unwrap();
        let mut update = update(&repository);
        assert_eq!(update.fetch("new.txt", &mut store, &repository).unwrap(), b"new");
        assert_eq!(update.versions(), [Some(state), Some(10 + state), Some(10 + state), Some(10 + state)]);
        assert!(update.discarded().is_empty());
    }
    // Only the chain in the storage connects the first root with the last.
    assert!(offline(&repository, now()).read("new.txt", &store).is_ok());
    store.files_mut().remove("root_history/3.root.json");
    let mut reading = offline(&repository, now());
    assert!(reading.read("new.txt", &store).is_ok());
    assert_eq!(
        reading.versions()[0],
        Some(2),
        "as far as the chain reaches, while that root has not expired"
    );
}

/// Which rule finds a fault, in whose file, and the versions of root, timestamp, snapshot and targets that are trusted then.
fn finding(fault: TufFault) -> (Rule, &'static str, [u64; 4]) {
    use TufFault as F;
    let (root, timestamp, snapshot, targets) = ([1, 0, 0, 0], [2, 11, 0, 0], [2, 12, 0, 0], [2, 12, 12, 0]);
    let all = [2, 12, 12, 12];
    match fault {
        F::RootSignedByOldKeysAlone | F::RootSignedByNewKeysAlone | F::RootSignedByOneKeyUnderTwoIds => {
            (Rule::Signatures, "root", root)
        }
        F::RootSignedTwiceByOneKey | F::RootOfAnotherSpecification => (Rule::Form, "root", root),
        F::RootVersionSkipped => (Rule::Rollback, "root", root),
        // It is trusted, and then it is too late.
        F::RootExpired => (Rule::Freeze, "root", [2, 0, 0, 0]),
        F::TimestampSignedByAnotherKey => (Rule::Signatures, "timestamp", timestamp),
        F::TimestampExpired => (Rule::Freeze, "timestamp", timestamp),
        F::TimestampRolledBack | F::TimestampRollsSnapshotBack => (Rule::Rollback, "timestamp", timestamp),
        F::TimestampOfAnotherRole => (Rule::Form, "timestamp", timestamp),
        F::TimestampEndless => (Rule::EndlessData, "timestamp", timestamp),
        F::TimestampMissing => (Rule::Absence, "timestamp", timestamp),
        F::SnapshotSignedByAnotherKey => (Rule::Signatures, "snapshot", snapshot),
        F::SnapshotExpired => (Rule::Freeze, "snapshot", snapshot),
        F::SnapshotOfAnotherVersion | F::SnapshotChanged => (Rule::MixAndMatch, "snapshot", snapshot),
        F::SnapshotRollsTargetsBack | F::SnapshotForgetsRole => (Rule::Rollback, "snapshot", snapshot),
        F::SnapshotMissing => (Rule::Absence, "snapshot", snapshot),
        F::TargetsSignedByAnotherKey => (Rule::Signatures, "targets", targets),
        F::TargetsExpired => (Rule::Freeze, "targets", targets),
        F::TargetsOfAnotherVersion | F::TargetsChanged => (Rule::MixAndMatch, "targets", targets),
        F::TargetsMissing => (Rule::Absence, "targets", targets),
        F::TargetChanged | F::TargetTooShort => (Rule::MixAndMatch, TEAM, all),
        F::TargetTooLong => (Rule::EndlessData, TEAM, all),
        F::TargetMissing => (Rule::Absence, TEAM, all),
        F::TeamSignedByAnotherKey => (Rule::Signatures, "team", all),
        F::TeamExpired => (Rule::Freeze, "team", all),
        F::TeamMissing => (Rule::Absence, "team", all),
        F::TeamDelegatesInCircle => (Rule::NoSuchTarget, TEAM, all),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_fault_is_refused_by_the_rule_that_it_breaks() {
    for fault in TufFault::ALL {
        let mut repository = sandbox().tuf_with_faults([fault]).unwrap();
        let mut store = stored(&repository);
        // Another text of the same target, so that the stored one is not the wanted.
        store.files_mut().remove("targets/team%2Fnotes.txt");
        repository.advance().unwrap();
        let (rule, role, versions) = finding(fault);
        let mut first = update(&repository);
        let refused = first.fetch(TEAM, &mut store, &repository);
        let refused = refusal(refused.expect_err(&format!("{fault:?} is accepted")));
        assert_eq!((refused.rule, refused.role.as_str()), (rule, role), "{fault:?}: {refused}");
        let trusted = first.versions().map(Option::unwrap_or_default);
        assert_eq!(trusted, versions, "{fault:?}: {refused}");
        // A failed update stays failed, and the next one finds the same.
        assert_eq!(first.step().unwrap_err(), refused);
        let again = refusal(update(&repository).fetch(TEAM, &mut store, &repository).unwrap_err());
        assert_eq!(again, refused, "{fault:?}");
        // Nothing of the refused state got into the storage that would hold the good one up, once it is served.
        let mut repaired = sandbox().tuf().unwrap();
        for _ in 0..3 {
            repaired.advance().unwrap();
        }
        let repair = update(&repaired).fetch(TEAM, &mut store, &repaired);
        assert!(repair.is_ok(), "{fault:?}: {repair:?}");
    }
}

/// A repository that is asked and counts what for.
struct Counting<'a>(&'a TufRepository, std::cell::RefCell<Vec<String>>);

impl Repository for Counting<'_> {
    fn fetch(&self, wanted: &Wanted) -> Result<Option<Vec<u8>>, Error> {
        self.1.borrow_mut().push(wanted.path().to_owned());
        self.0.fetch(wanted)
    }
}

#[test]
fn what_is_stored_is_not_fetched_again() {
    let repository = sandbox().tuf().unwrap();
    let mut store = stored(&repository);
    let counting = Counting(&repository, Default::default());
    let mut update = update(&repository);
    for target in [TRUSTED_ROOT, SIGNING_CONFIG, TEAM] {
        update.fetch(target, &mut store, &counting).unwrap();
    }
    assert_eq!(*counting.1.borrow(), ["2.root.json", "timestamp.json"]);
}

/// Every file of a storage replaced by every kind of rubbish: an offline reading refuses it or does not need it, an update repairs it.
#[test]
fn nothing_in_the_storage_is_believed() {
    let mut repository = sandbox().tuf().unwrap();
    let old = stored(&repository);
    repository.advance().unwrap();
    let mut store = old.clone();
    update(&repository).fetch(TRUSTED_ROOT, &mut store, &repository).unwrap();
    update(&repository).fetch(TEAM, &mut store, &repository).unwrap();
    // Another Sigstore, everything of it signed in itself.
    let foreign = Sandbox::new("foreign", now()).tuf().unwrap();
    let foreign_store = stored(&foreign);
    for name in store.files().keys().filter(|name| !name.contains("signing_config")) {
        let good = &store.files()[name];
        let mut cut = good.clone();
        cut.truncate(good.len() / 2);
        let mut changed = good.clone();
        changed[good.len() / 2] ^= 1;
        let replacements =
            [Some(Vec::new()), Some(cut), Some(changed), foreign_store.files().get(name).cloned(), None];
        for bytes in replacements {
            let mut tampered = store.clone();
            // A chain may end anywhere, and the foreign team says the same.
            let harmless =
                (bytes.is_none() && name.starts_with("root_history")) || bytes.as_ref() == Some(good);
            match bytes {
                Some(bytes) => tampered.files_mut().insert(name.clone(), bytes),
                None => tampered.files_mut().remove(name),
            };
            let read = |path| offline(&repository, now()).read(path, &tampered);
            let needed = name != "root.json" && !harmless;
            let refused = read(TRUSTED_ROOT).is_err() || read(TEAM).is_err();
            assert_eq!(refused, needed, "{name}");
            let mut update = update(&repository);
            assert!(update.fetch(TRUSTED_ROOT, &mut tampered, &repository).is_ok(), "{name}");
            assert!(update.fetch(TEAM, &mut tampered, &repository).is_ok(), "{name}");
            assert!(offline(&repository, now()).read(TEAM, &tampered).is_ok(), "{name}");
        }
    }
    // Endless files of a storage that does not mind the limit.
    for name in ["root_history/2.root.json", "timestamp.json", "snapshot.json", "targets.json", "team.json"] {
        let mut tampered = store.clone();
        tampered.files_mut().get_mut(name).unwrap().resize(9 << 20, b' ');
        let refused = refusal(offline(&repository, now()).read(TEAM, &tampered).unwrap_err());
        assert_eq!(refused.rule, Rule::EndlessData, "{name}: {refused}");
        assert!(update(&repository).fetch(TEAM, &mut tampered, &repository).is_ok(), "{name}");
    }
    // All of the storage is another's, whole and in order.
    let whole = refusal(offline(&repository, now()).read(TRUSTED_ROOT, &foreign_store).unwrap_err());
    assert_eq!(whole.rule, Rule::Signatures);
}

/// A process that ends after any number of steps leaves a storage that the next update brings to its end.
#[test]
fn an_update_that_is_cut_off_anywhere_can_be_done_again() {
    let mut repository = sandbox().tuf().unwrap();
    let before = stored(&repository);
    repository.advance().unwrap();
    for cut in 0.. {
        let mut store = before.clone();
        let mut first = update(&repository);
        let mut steps = 0;
        let mut wanted = false;
        let finished = loop {
            if steps == cut {
                break false;
            }
            steps += 1;
            match first.step().unwrap() {
                Step::Read { file, limit } => {
                    let bytes = lotse_sign::tuf::Store::read(&store, &file, limit).unwrap();
                    first.answer(bytes);
                }
                Step::Fetch(file) => first.answer(repository.fetch(&file).unwrap()),
                Step::Write { file, bytes } => {
                    store.files_mut().insert(file.path().to_owned(), bytes);
                }
                Step::Remove(file) => {
                    store.files_mut().remove(file.path());
                }
                Step::Done if !wanted => {
                    wanted = true;
                    first.want(TRUSTED_ROOT).unwrap();
                }
                Step::Done => break true,
                other => panic!("{other:?}"),
            }
        };
        let mut second = update(&repository);
        assert!(second.fetch(TRUSTED_ROOT, &mut store, &repository).is_ok(), "cut after {cut} steps");
        assert_eq!(second.versions(), [Some(2), Some(12), Some(12), Some(12)]);
        if finished {
            return;
        }
    }
}

#[test]
fn a_step_is_asked_until_it_is_answered_and_a_target_only_after_the_metadata() {
    let repository = sandbox().tuf().unwrap();
    let mut update = update(&repository);
    assert_eq!(update.want(TRUSTED_ROOT).unwrap_err().rule, Rule::Absence);
    let first = update.step().unwrap();
    assert_eq!(first, update.step().unwrap());
    let Step::Read { file, .. } = first else { panic!("{first:?}") };
    assert_eq!(file.path(), "root_history/2.root.json");
}

#[test]
fn what_is_over_a_limit_is_refused_by_name() {
    let mut repository = sandbox().tuf().unwrap();
    let large = vec![b'x'; 70_000];
    repository.set_target("large", &large);
    for _ in 0..4 {
        repository.advance().unwrap();
    }
    let run = |change: &dyn Fn(&mut Limits), path: &str| {
        let mut limits = Limits::default();
        change(&mut limits);
        let mut update = Update::new(&repository.initial_root(), now(), limits)?;
        let fetched = update.fetch(path, &mut MemoryStore::new(), &repository);
        fetched.map(|_| update.versions()[0]).map_err(refusal)
    };
    assert_eq!(run(&|_| (), "large").unwrap(), Some(5));
    for (change, path, rule, role) in [
        ((|l| l.root_bytes = 100) as fn(&mut Limits), "large", Rule::EndlessData, "root"),
        (|l| l.timestamp_bytes = 100, "large", Rule::EndlessData, "timestamp"),
        (|l| l.snapshot_bytes = 100, "large", Rule::Limit, "snapshot"),
        (|l| l.targets_bytes = 100, "large", Rule::Limit, "targets"),
        (|l| l.target_bytes = 69_999, "large", Rule::Limit, "large"),
        (|l| l.roles = 1, TEAM, Rule::Limit, TEAM),
        (|l| l.entries = 1, TEAM, Rule::Form, "root"),
        (|l| l.depth = 3, TEAM, Rule::Form, "root"),
    ] {
        let refused = run(&change, path).unwrap_err();
        assert_eq!((refused.rule, refused.role.as_str()), (rule, role), "{refused}");
    }
    // After so many new roots the update goes on with the last one.
    assert_eq!(run(&|limits| limits.root_rotations = 2, "large").unwrap(), Some(3));
}

#[test]
fn a_refusal_says_whose_file_which_version_what_and_what_to_do() {
    let mut repository = sandbox().tuf_with_faults([TufFault::TimestampExpired]).unwrap();
    let mut store = stored(&repository);
    repository.advance().unwrap();
    let refused = update(&repository).fetch(TEAM, &mut store, &repository).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "TUF: timestamp version 12: freeze: it expired at 2026-11-21T09:00:00Z, and it is 2026-11-21T10:00:00Z; refresh; if \
         it stays, the repository is not signed in time or newer files are withheld"
    );
}
