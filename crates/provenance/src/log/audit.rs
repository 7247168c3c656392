use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use lotse_digest::{MerkleHash, MerkleTree};
use lotse_sign::{Checkpoint, VerifyingKey};

use super::Log;
use super::edge::Edge;
use super::store::LogStore;
use super::tile::{self, Tile, WIDTH, edge};
use crate::{Error, Event, Timestamp};

/// Findings of one kind that are listed at most; a log that is wrong in more places is wrong.
const FINDINGS: usize = 1000;

/// What an audit of a whole log found. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Audit {
    /// The checkpoint, if it is signed as it should be.
    pub checkpoint: Option<Checkpoint>,
    /// Everything that does not fit, in the order of the log; empty if the log is as it was signed.
    pub findings: Vec<Tampering>,
}

/// A checkpoint that was seen earlier or elsewhere, and when, if somebody vouches for that. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The checkpoint, as verified then.
    pub checkpoint: Checkpoint,
    /// A time at which it existed, such as that of a witness' cosignature.
    pub time: Option<Timestamp>,
}

/// Something in a log that is not as it was signed, and where. Indices count entries from 0.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Tampering {
    /// The checkpoint is missing, not signed, or signed by another.
    Checkpoint(String),
    /// An entry is another than the one that was signed.
    Changed {
        /// Which entry.
        index: u64,
    },
    /// Entries are gone, and those behind them have moved up.
    Dropped {
        /// The first that is gone.
        index: u64,
        /// How many.
        count: u64,
    },
    /// Entries were put in.
    Inserted {
        /// Where the first now stands.
        index: u64,
        /// How many.
        count: u64,
    },
    /// An entry stands where another was signed to stand.
    Reordered {
        /// Where it stands.
        index: u64,
        /// Where it belongs.
        belongs: u64,
    },
    /// The last entries are gone.
    Truncated {
        /// How many entries are left.
        left: u64,
        /// How many were signed.
        signed: u64,
    },
    /// A file of hashes or entries is missing, damaged or other than what was signed.
    File {
        /// Its name in the log.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Entries and hashes fit each other, but not what was signed: the log was written anew.
    Rewritten {
        /// The largest size at which it still is what was seen or signed; 0 if there is none.
        after: u64,
        /// The smallest size at which it no longer is.
        before: u64,
    },
    /// The log is not the one that was seen: of one size, there are two signed roots. Keep both as proof.
    Forked {
        /// The size.
        size: u64,
    },
    /// The log is shorter than it was seen.
    RolledBack {
        /// How many entries it has.
        size: u64,
        /// How many it was seen to have.
        seen: u64,
    },
    /// An event claims a time that it cannot have.
    Time {
        /// Which entry.
        index: u64,
        /// Why not.
        reason: String,
    },
    /// An entry is no event.
    NoEvent {
        /// Which entry.
        index: u64,
        /// Why not.
        reason: String,
    },
}

impl fmt::Display for Tampering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint(reason) => write!(f, "the checkpoint does not hold: {reason}"),
            Self::Changed { index } => write!(f, "entry {index} is not the one that was signed"),
            Self::Dropped { index, count } => write!(f, "{count} entries from {index} on were taken out"),
            Self::Inserted { index, count } => write!(f, "{count} entries from {index} on were put in"),
            Self::Reordered { index, belongs } => {
                write!(f, "entry {index} is the one that was signed as entry {belongs}")
            }
            Self::Truncated { left, signed } => {
                write!(f, "entries {left} to {} are gone: {signed} were signed", signed.saturating_sub(1))
            }
            Self::File { name, reason } => write!(f, "{name}: {reason}"),
            Self::Rewritten { after, before } => {
                write!(
                    f,
                    "entries were written anew: it is the signed log up to {after} entries, and at {before} no longer"
                )
            }
            Self::Forked { size } => {
                write!(f, "the log forked: another root was seen for its first {size} entries")
            }
            Self::RolledBack { size, seen } => {
                write!(f, "the log was rolled back: it has {size} entries, {seen} were seen")
            }
            Self::Time { index, reason } => write!(f, "entry {index} claims a time it cannot have: {reason}"),
            Self::NoEvent { index, reason } => write!(f, "entry {index} is no event: {reason}"),
        }
    }
}

impl<S: LogStore> Log<S> {
    /// Reads the whole log, every entry and every hash, and says what is not as `key` signed it in the name of `origin`, and
    /// where; and whether it still is the log that was seen earlier.
    ///
    /// # Errors
    ///
    /// Those of the store. What is wrong with the log is no error but a finding.
    pub fn audit(&self, origin: &str, key: &VerifyingKey, seen: &[Anchor]) -> Result<Audit, Error> {
        let (checkpoint, fault) = match self.signed(origin, key) {
            Ok(checkpoint) => (Some(checkpoint), None),
            Err(error) => (None, Some(Tampering::Checkpoint(error_chain(&error)))),
        };
        let mut findings: Vec<Tampering> = fault.into_iter().collect();
        let sizes = seen.iter().map(|anchor| anchor.checkpoint.size).collect();
        let pass = Pass::run(&self.store, self.size, &sizes)?;
        findings.extend(pass.files);
        let signed = checkpoint.as_ref().map(|checkpoint| checkpoint.root);
        if pass.entries_root == pass.tiles_root {
            if let Some(root) = signed
                && root != pass.entries_root
            {
                let (mut after, mut before) = (0, self.size);
                for Anchor { checkpoint: Checkpoint { size, root, .. }, .. } in seen {
                    match pass.roots.get(size) {
                        Some(ours) if ours == root => after = after.max(*size),
                        Some(_) => before = before.min(*size),
                        None => {}
                    }
                }
                findings.push(Tampering::Rewritten { after, before });
            }
        } else if signed.is_some_and(|root| root == pass.entries_root) {
            for index in differing(&pass.found, &pass.signed).take(FINDINGS) {
                let index = pass.first + index;
                let name = Tile { level: Some(0), number: index / WIDTH, width: WIDTH }.name();
                let reason = format!("its hash {} is not that of entry {index}", index % WIDTH);
                findings.push(Tampering::File { name, reason });
            }
        } else {
            // The tiles are what was signed, or at least what tells where the entries differ.
            findings.extend(compare(pass.first, &pass.signed, &pass.found));
            if signed.is_some_and(|root| root != pass.tiles_root) {
                findings.push(Tampering::Rewritten { after: 0, before: self.size });
            }
        }
        for anchor in seen {
            let Checkpoint { size, root, .. } = &anchor.checkpoint;
            if *size > self.size {
                findings.push(Tampering::RolledBack { size: self.size, seen: *size });
            } else if pass.tile_roots.get(size).is_some_and(|ours| ours != root) {
                findings.push(Tampering::Forked { size: *size });
            }
        }
        Ok(Audit { checkpoint, findings })
    }

    /// Says which events claim a time that they cannot have: one that lies behind the moment at which a witness saw them in the
    /// log, or that lies more than `lag` seconds before the moment at which a witness saw the log without them.
    ///
    /// # Errors
    ///
    /// Those of the store; [`Error::Malformed`] if a bundle is damaged. An entry that is no event is a finding.
    pub fn audit_times(&self, seen: &[Anchor], lag: i64) -> Result<Vec<Tampering>, Error> {
        let mut anchors: Vec<(u64, Timestamp)> =
            seen.iter().filter_map(|anchor| Some((anchor.checkpoint.size, anchor.time?))).collect();
        anchors.sort_unstable();
        let mut findings = Vec::new();
        self.visit(0..self.size, |index, entry| {
            let event = match Event::parse(entry) {
                Ok(event) => event,
                Err(error) => {
                    findings.push(Tampering::NoEvent { index, reason: error_chain(&error) });
                    return Ok(());
                }
            };
            let Ok(time) = event.time.parse::<Timestamp>() else { return Ok(()) };
            let with = anchors.iter().filter(|(size, _)| *size > index).map(|(_, seen)| *seen).min();
            let without = anchors.iter().filter(|(size, _)| *size <= index).map(|(_, seen)| *seen).max();
            if let Some(seen) = with.filter(|seen| time > *seen) {
                let reason = format!("it says {time}, but a witness saw it in the log at {seen}");
                findings.push(Tampering::Time { index, reason });
            }
            if let Some(seen) = without.filter(|seen| time.seconds().saturating_add(lag) < seen.seconds()) {
                let reason = format!("it says {time}, but a witness saw the log without it at {seen}");
                findings.push(Tampering::Time { index, reason });
            }
            Ok(())
        })?;
        Ok(findings)
    }
}

/// One reading of all files.
struct Pass {
    /// Files that are missing or damaged, and tiles above the leaves that are not those of the leaves.
    files: Vec<Tampering>,
    entries_root: MerkleHash,
    tiles_root: MerkleHash,
    /// The roots at the sizes that were asked for, by entries and by tiles.
    roots: BTreeMap<u64, MerkleHash>,
    tile_roots: BTreeMap<u64, MerkleHash>,
    /// From the first bundle on in which entries and hashes differ: where that is, the hashes of the tiles, those of the entries.
    first: u64,
    signed: Vec<MerkleHash>,
    found: Vec<MerkleHash>,
}

impl Pass {
    fn run<S: LogStore>(store: &S, size: u64, sizes: &BTreeSet<u64>) -> Result<Self, Error> {
        let empty = MerkleTree::new().root();
        let mut pass = Self {
            files: Vec::new(),
            entries_root: empty,
            tiles_root: empty,
            roots: BTreeMap::new(),
            tile_roots: BTreeMap::new(),
            first: 0,
            signed: Vec::new(),
            found: Vec::new(),
        };
        let (mut by_entries, mut by_tiles) = (Edge::default(), Edge::default());
        let (last, rest) = edge(size, 0);
        let mut differs = false;
        for number in 0..=last {
            let width = if number < last { WIDTH } else { rest };
            if width == 0 {
                continue;
            }
            let signed = pass.hashes(store, Tile { level: Some(0), number, width })?;
            let found = pass.leaves(store, Tile { level: None, number, width })?;
            if !differs && signed != found {
                (differs, pass.first) = (true, number * WIDTH);
            }
            for leaf in &found {
                note_root(&by_entries, sizes, &mut pass.roots);
                by_entries.push_leaf(*leaf, |_, _| Ok(()))?;
            }
            let mut full = Vec::new();
            for leaf in &signed {
                note_root(&by_tiles, sizes, &mut pass.tile_roots);
                by_tiles.push_leaf(*leaf, |tile, hashes| {
                    full.push((tile, hashes.to_vec()));
                    Ok(())
                })?;
            }
            for (tile, hashes) in full {
                pass.same(store, tile, &hashes)?;
            }
            if differs {
                pass.signed.extend(signed);
                pass.found.extend(found);
            }
        }
        for (tile, hashes) in by_tiles.partial() {
            pass.same(store, tile, hashes)?;
        }
        note_root(&by_entries, sizes, &mut pass.roots);
        note_root(&by_tiles, sizes, &mut pass.tile_roots);
        (pass.entries_root, pass.tiles_root) = (by_entries.root(), by_tiles.root());
        Ok(pass)
    }

    /// That a tile above the leaves is what the leaves make it.
    fn same<S: LogStore>(&mut self, store: &S, tile: Tile, hashes: &[MerkleHash]) -> Result<(), Error> {
        if tile.level != Some(0) {
            let stored = self.hashes(store, tile)?;
            if let Some(at) = differing(&stored, hashes).next().filter(|_| !stored.is_empty()) {
                let reason = format!("its hash {at} is not that of the tiles below");
                self.files.push(Tampering::File { name: tile.name(), reason });
            }
        }
        Ok(())
    }

    /// The hashes of a tile; none if it is missing or damaged, which is noted.
    fn hashes<S: LogStore>(&mut self, store: &S, tile: Tile) -> Result<Vec<MerkleHash>, Error> {
        let Some((bytes, _)) = self.file(store, tile)? else { return Ok(Vec::new()) };
        Ok(tile::hashes(tile, &bytes).unwrap_or_else(|error| {
            self.files.push(Tampering::File { name: tile.name(), reason: error.to_string() });
            Vec::new()
        }))
    }

    /// The leaf hashes of a bundle, as many as it has; that it has another number is seen when they are compared.
    fn leaves<S: LogStore>(&mut self, store: &S, tile: Tile) -> Result<Vec<MerkleHash>, Error> {
        let Some((bytes, full)) = self.file(store, tile)? else { return Ok(Vec::new()) };
        let (mut entries, rest) = tile::split_entries(&bytes);
        if rest > 0 {
            let reason = format!("its last {rest} bytes are no entry");
            self.files.push(Tampering::File { name: tile.name(), reason });
        }
        // A full bundle that serves for a partial one holds more than is asked for.
        if full {
            entries.truncate(tile::count(tile.width));
        }
        Ok(tile::leaves(&entries))
    }

    /// The file of a tile, and whether it is the full one in the place of a partial one.
    fn file<S: LogStore>(&mut self, store: &S, tile: Tile) -> Result<Option<(Vec<u8>, bool)>, Error> {
        if let Some(bytes) = store.read(&tile.name())? {
            return Ok(Some((bytes, false)));
        }
        let full = if tile.width < WIDTH { store.read(&tile.full().name())? } else { None };
        if let Some(bytes) = full {
            return Ok(Some((bytes, true)));
        }
        self.files.push(Tampering::File { name: tile.name(), reason: "it is missing".to_owned() });
        // A bundle of another width tells what happened to the entries.
        let other = |name: &String| {
            Tile::parse(name).filter(|other| tile.level.is_none() && other.number == tile.number)
        };
        let names = store.list(&format!("{}.p/", tile.full().name()))?;
        let widest = names.iter().filter_map(other).max_by_key(|tile| tile.width);
        let bytes = widest.map(|tile| store.read(&tile.name())).transpose()?.flatten();
        Ok(bytes.map(|bytes| (bytes, false)))
    }
}

fn note_root(edge: &Edge, sizes: &BTreeSet<u64>, roots: &mut BTreeMap<u64, MerkleHash>) {
    if sizes.contains(&edge.size()) {
        roots.insert(edge.size(), edge.root());
    }
}

/// The places at which two lists differ, the longer one's rest included.
fn differing(one: &[MerkleHash], other: &[MerkleHash]) -> impl Iterator<Item = u64> {
    let length = one.len().max(other.len());
    (0..length).filter(|at| one.get(*at) != other.get(*at)).map(|at| u64::try_from(at).unwrap_or(u64::MAX))
}

/// What happened to a list of entries: what was signed, what is found now.
fn compare(first: u64, signed: &[MerkleHash], found: &[MerkleHash]) -> Vec<Tampering> {
    let prefix = signed.iter().zip(found).take_while(|(one, other)| one == other).count();
    let (signed, found) = (signed.get(prefix..).unwrap_or_default(), found.get(prefix..).unwrap_or_default());
    let suffix = signed.iter().rev().zip(found.iter().rev()).take_while(|(one, other)| one == other).count();
    let signed = signed.get(..signed.len() - suffix).unwrap_or_default();
    let found = found.get(..found.len() - suffix).unwrap_or_default();
    let number = |at: usize| u64::try_from(at).unwrap_or(u64::MAX);
    let start = first.saturating_add(number(prefix));
    let count = |list: &[MerkleHash]| number(list.len());
    match (signed, found) {
        ([], []) => return Vec::new(),
        (gone, []) if suffix == 0 => {
            return vec![Tampering::Truncated { left: start, signed: start.saturating_add(count(gone)) }];
        }
        (gone, []) => return vec![Tampering::Dropped { index: start, count: count(gone) }],
        ([], more) => return vec![Tampering::Inserted { index: start, count: count(more) }],
        _ => {}
    }
    let places: BTreeMap<&MerkleHash, usize> =
        signed.iter().enumerate().map(|(at, hash)| (hash, at)).collect();
    let known: BTreeSet<&MerkleHash> = found.iter().collect();
    let mut findings = Vec::new();
    if signed.len() == found.len() {
        for (at, hash) in found.iter().enumerate() {
            let index = start.saturating_add(number(at));
            match places.get(hash) {
                Some(belongs) if *belongs == at => {}
                Some(belongs) => {
                    let belongs = start.saturating_add(number(*belongs));
                    findings.push(Tampering::Reordered { index, belongs });
                }
                None => findings.push(Tampering::Changed { index }),
            }
        }
    } else {
        let gone = signed.iter().enumerate().filter(|(_, hash)| !known.contains(hash));
        for (index, count) in runs(start, gone.map(|(at, _)| at)) {
            findings.push(Tampering::Dropped { index, count });
        }
        let more = found.iter().enumerate().filter(|(_, hash)| !places.contains_key(hash));
        for (index, count) in runs(start, more.map(|(at, _)| at)) {
            findings.push(Tampering::Inserted { index, count });
        }
        if findings.is_empty() {
            // The same entries, some of them more or less often.
            findings.push(Tampering::Changed { index: start });
        }
    }
    findings.truncate(FINDINGS);
    findings
}

/// Places that follow each other, as begin and count.
fn runs(start: u64, places: impl Iterator<Item = usize>) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for at in places {
        let index = start.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
        match runs.last_mut() {
            Some((first, count)) if first.saturating_add(*count) == index => *count += 1,
            _ => runs.push((index, 1)),
        }
    }
    runs
}

/// An error with its causes, on one line.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
