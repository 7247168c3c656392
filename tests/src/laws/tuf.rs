//! The law of a TUF client: whatever stands in the place of one file, of the repository or of the storage, nothing is trusted but
//! what the repository's keys signed.

use std::sync::LazyLock;

use lotse_sign::sandbox::{Sandbox, TufRepository};
use lotse_sign::tuf::{Limits, MemoryStore, Repository, Step, Store as _, TRUSTED_ROOT, Update, Wanted};
use lotse_sign::{Error, Time};

/// By the first byte: the file that is replaced by the others.
const PLACES: [&str; 14] = [
    "2.root.json",
    "timestamp.json",
    "12.snapshot.json",
    "12.targets.json",
    "12.team.json",
    "a target",
    "stored root_history/2.root.json",
    "stored timestamp.json",
    "stored snapshot.json",
    "stored targets.json",
    "stored team.json",
    "stored targets/trusted_root.json",
    "stored targets/team%2Fnotes.txt",
    "the first root",
];
const TEAM: &str = "team/notes.txt";
const NOW: i64 = 1_795_000_000;

/// A repository in its second state, and a storage from the first.
struct World {
    repository: TufRepository,
    store: MemoryStore,
    trusted_root: Vec<u8>,
}

static WORLD: LazyLock<Option<World>> = LazyLock::new(|| {
    let sigstore = Sandbox::new("laws", Time::from_seconds(NOW));
    let mut repository = sigstore.tuf().ok()?;
    let mut store = MemoryStore::new();
    let mut update = update(&repository.initial_root())?;
    for target in [TRUSTED_ROOT, TEAM] {
        update.fetch(target, &mut store, &repository).ok()?;
    }
    repository.advance().ok()?;
    Some(World { repository, store, trusted_root: sigstore.trusted_root_json() })
});

fn update(root: &[u8]) -> Option<Update> {
    Update::new(root, Time::from_seconds(NOW), Limits::default()).ok()
}

/// The repository with one file replaced.
struct Replaced<'a> {
    repository: &'a TufRepository,
    place: &'a str,
    bytes: &'a [u8],
}

impl Repository for Replaced<'_> {
    fn fetch(&self, wanted: &Wanted) -> Result<Option<Vec<u8>>, Error> {
        if self.place == wanted.path() || (self.place == "a target" && wanted.is_target()) {
            return Ok(Some(self.bytes.to_vec()));
        }
        self.repository.fetch(wanted)
    }
}

/// Steps to an end, of which there must be one; the targets that were trusted.
fn walk(
    mut update: Update,
    store: &mut MemoryStore,
    repository: &dyn Repository,
) -> ([Option<u64>; 4], Vec<Vec<u8>>) {
    let mut paths = [TRUSTED_ROOT, TEAM].iter();
    let mut found = Vec::new();
    for _ in 0..1000 {
        match update.step() {
            Ok(Step::Read { file, limit }) => update.answer(store.read(&file, limit).ok().flatten()),
            Ok(Step::Fetch(wanted)) => update.answer(repository.fetch(&wanted).ok().flatten()),
            Ok(Step::Write { file, bytes }) => assert!(store.write(&file, &bytes).is_ok()),
            Ok(Step::Remove(file)) => assert!(store.remove(&file).is_ok()),
            Ok(Step::Done) => {
                found.extend(update.target().map(|(_, bytes)| bytes.to_vec()));
                match paths.next() {
                    Some(path) => assert!(update.want(path).is_ok()),
                    None => return (update.versions(), found),
                }
            }
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => {
                assert!(!refusal.reason.is_empty() && !refusal.role.is_empty());
                return (update.versions(), found);
            }
        }
    }
    panic!("an update without end");
}

/// One file replaced: what is trusted then is what was signed, and the storage is none the worse for it.
pub(super) fn tuf(data: &[u8]) {
    let (Some(world), Some((place, bytes))) = (WORLD.as_ref(), data.split_first()) else { return };
    let place = PLACES.get(usize::from(*place) % PLACES.len()).copied().unwrap_or_default();
    let first = world.repository.initial_root();
    let mut store = world.store.clone();
    if let Some(name) = place.strip_prefix("stored ") {
        store.files_mut().insert(name.to_owned(), bytes.to_vec());
    }
    let replaced = Replaced { repository: &world.repository, place, bytes };
    let root = if place == "the first root" { bytes } else { &first };
    let offline = Update::offline(root, Time::from_seconds(NOW), Limits::default());
    for update in [update(root), offline.ok()].into_iter().flatten() {
        let (versions, targets) = walk(update, &mut store, &replaced);
        for (version, signed) in versions.into_iter().zip([1..=2, 11..=12, 11..=12, 11..=12]) {
            assert!(
                version.is_none_or(|version| signed.contains(&version)),
                "{versions:?} with another {place}"
            );
        }
        for target in targets {
            assert!(target == world.trusted_root || target == b"what the team says", "another {place}");
        }
    }
    // And with the true files again it comes to its end.
    if let Some(update) = self::update(&first) {
        let (versions, targets) = walk(update, &mut store, &world.repository);
        assert_eq!((versions, targets.len()), ([Some(2), Some(12), Some(12), Some(12)], 2));
    }
}
