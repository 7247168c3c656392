use std::collections::VecDeque;

use super::meta::{MetaFile, Snapshot, Timestamp};
use super::search::Search;
use super::step::{Repository, Step, Store, Wanted};
use super::targets::{Delegation, TargetFile, Targets};
use super::{File, Limits, Refusal, Root, Rule};
use crate::{Error, Time};

/// One update of a TUF client, or one reading of what an earlier update stored (specification, section 5). It has no sockets, files
/// or clock: [`step`](Self::step) says what it wants, [`answer`](Self::answer) takes it.
///
/// The initial root is the caller's and the only thing that is believed. Everything else, from the network or from local
/// storage, is verified from there in each update.
#[derive(Debug)]
pub struct Update {
    pub(super) at: Time,
    pub(super) limits: Limits,
    pub(super) offline: bool,
    ignore_expiry: bool,
    pub(super) root: Root,
    root_bytes: Vec<u8>,
    rotations: usize,
    timestamp: Option<Timestamp>,
    /// What was trusted before, for the search for rollbacks.
    before: Option<Snapshot>,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) targets: Option<Targets>,
    pub(super) outbox: VecDeque<Step>,
    pub(super) state: State,
    discarded: Vec<Refusal>,
    pub(super) target: Option<(TargetFile, Vec<u8>)>,
}

/// Whose answer comes next. Of each file the stored one is read first.
#[derive(Debug)]
pub(super) enum State {
    ReadRoot,
    FetchRoot,
    ReadTimestamp,
    FetchTimestamp,
    ReadSnapshot,
    FetchSnapshot,
    ReadTargets,
    FetchTargets,
    /// The top-level metadata is trusted; a target may be asked for.
    Ready,
    ReadRole(Search, Delegation),
    FetchRole(Search, Delegation),
    ReadTarget(TargetFile),
    FetchTarget(TargetFile),
    Failed(Refusal),
}

type Next = Result<State, Refusal>;

impl Update {
    /// An update as of a time, which is fixed for all of it (5.1), from a root that came with the program or by another way that
    /// is trusted (5.2). Whether that root has expired does not matter.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if the root is none, is over a limit, or has not signed itself.
    pub fn new(initial_root: &[u8], at: Time, limits: Limits) -> Result<Self, Refusal> {
        if initial_root.len() > limits.root_bytes {
            let reason = format!("it has more than {} bytes", limits.root_bytes);
            return Err(Refusal::new("root", None, Rule::EndlessData, reason));
        }
        Ok(Self {
            at,
            limits,
            offline: false,
            ignore_expiry: false,
            root: Root::parse(initial_root, None, &limits)?,
            root_bytes: initial_root.to_vec(),
            rotations: 0,
            timestamp: None,
            before: None,
            snapshot: None,
            targets: None,
            outbox: VecDeque::new(),
            state: State::ReadRoot,
            discarded: Vec::new(),
            target: None,
        })
    }

    /// A reading of local storage alone: it wants no file of a repository and writes none. What an update stored is verified once
    /// more, and must not have expired at `at`.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn offline(initial_root: &[u8], at: Time, limits: Limits) -> Result<Self, Refusal> {
        Ok(Self { offline: true, ..Self::new(initial_root, at, limits)? })
    }

    /// Lets an offline reading take what has expired: whoever can write to the storage can then serve any state that was ever
    /// signed. Signatures, versions, lengths and hashes are checked as always. An update with a repository stays as it is.
    #[must_use]
    pub const fn dangerously_expired(mut self) -> Self {
        self.ignore_expiry = self.offline;
        self
    }

    /// What is wanted next. [`Step::Read`] and [`Step::Fetch`] are repeated until they are answered, the others are said once.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if the update has failed; it stays so. Metadata that was accepted before is trusted and stored.
    pub fn step(&mut self) -> Result<Step, Refusal> {
        if let Some(step) = self.outbox.pop_front() {
            return Ok(step);
        }
        let read = |file, limit| Ok(Step::Read { file, limit });
        let fetch = |path, limit| Ok(Step::Fetch(Wanted { is_target: false, path, limit }));
        let limits = self.limits;
        let root = self.root.version.saturating_add(1);
        let snapshot = self.timestamp.as_ref().map(|timestamp| &timestamp.snapshot);
        let file = |role: &str| self.snapshot.as_ref().and_then(|snapshot| snapshot.file(role));
        match &self.state {
            State::ReadRoot => read(File::root(root), limits.root_bytes),
            State::FetchRoot => fetch(format!("{root}.root.json"), limits.root_bytes),
            State::ReadTimestamp => read(File::metadata("timestamp"), limits.timestamp_bytes),
            State::FetchTimestamp => fetch("timestamp.json".to_owned(), limits.timestamp_bytes),
            State::ReadSnapshot => read(File::metadata("snapshot"), limits.snapshot_bytes),
            State::FetchSnapshot => {
                let limit = self.limit("snapshot", snapshot, limits.snapshot_bytes)?;
                fetch(self.remote("snapshot", snapshot), limit)
            }
            State::ReadTargets => read(File::metadata("targets"), limits.targets_bytes),
            State::FetchTargets => {
                let limit = self.limit("targets", file("targets"), limits.targets_bytes)?;
                fetch(self.remote("targets", file("targets")), limit)
            }
            State::Ready => Ok(Step::Done),
            State::ReadRole(_, role) => read(File::metadata(&role.name), limits.targets_bytes),
            State::FetchRole(_, role) => {
                let limit = self.limit(&role.name, file(&role.name), limits.targets_bytes)?;
                fetch(self.remote(&role.name, file(&role.name)), limit)
            }
            State::ReadTarget(target) => read(File::target(target.path()), self.target_limit(target)?),
            State::FetchTarget(target) => Ok(Step::Fetch(Wanted {
                is_target: true,
                path: target.remote(self.root.consistent_snapshot)?,
                limit: self.target_limit(target)?,
            })),
            State::Failed(refusal) => Err(refusal.clone()),
        }
    }

    /// Takes the bytes of the file that [`Step::Read`] or [`Step::Fetch`] named, or `None` if there is none. What they are worth is
    /// said by [`step`](Self::step).
    pub fn answer(&mut self, bytes: Option<Vec<u8>>) {
        let state = std::mem::replace(&mut self.state, State::Ready);
        let next = match state {
            State::ReadRoot => self.stored_root(bytes),
            State::FetchRoot => self.fetched_root(bytes),
            State::ReadTimestamp => self.stored_timestamp(bytes),
            State::FetchTimestamp => self.fetched_timestamp(bytes),
            State::ReadSnapshot => self.stored_snapshot(bytes),
            State::FetchSnapshot => self.fetched_snapshot(bytes),
            State::ReadTargets => self.stored_targets(bytes),
            State::FetchTargets => self.fetched_targets(bytes),
            State::ReadRole(search, role) => self.stored_role(bytes, search, role),
            State::FetchRole(search, role) => self.fetched_role(bytes, search, role),
            State::ReadTarget(target) => self.stored_target(bytes, target),
            State::FetchTarget(target) => self.fetched_target(bytes, target),
            State::Ready => Ok(State::Ready),
            State::Failed(refusal) => Err(refusal),
        };
        self.state = next.unwrap_or_else(State::Failed);
    }

    /// Does what is wanted until it is done.
    ///
    /// # Errors
    ///
    /// [`Error::Tuf`], and those of the storage and the repository.
    pub fn run(&mut self, store: &mut dyn Store, repository: &dyn Repository) -> Result<(), Error> {
        loop {
            match self.step()? {
                Step::Read { file, limit } => self.answer(store.read(&file, limit)?),
                Step::Fetch(wanted) => self.answer(repository.fetch(&wanted)?),
                Step::Write { file, bytes } => store.write(&file, &bytes)?,
                Step::Remove(file) => store.remove(&file)?,
                Step::Done => return Ok(()),
            }
        }
    }

    /// The versions of root, timestamp, snapshot and targets that are trusted now.
    #[must_use]
    pub fn versions(&self) -> [Option<u64>; 4] {
        let timestamp = self.timestamp.as_ref().map(|timestamp| timestamp.version);
        let snapshot = self.snapshot.as_ref().map(|snapshot| snapshot.version);
        [Some(self.root.version), timestamp, snapshot, self.targets.as_ref().map(|targets| targets.version)]
    }

    /// When the first of the trusted top-level files expires: until then they can be read offline.
    #[must_use]
    pub fn expires(&self) -> Time {
        let timestamp = self.timestamp.as_ref().map(|timestamp| timestamp.expires);
        let snapshot = self.snapshot.as_ref().map(|snapshot| snapshot.expires);
        let targets = self.targets.as_ref().map(|targets| targets.expires);
        [timestamp, snapshot, targets].into_iter().flatten().fold(self.root.expires, std::cmp::min)
    }

    /// Stored files that were not taken because they are malformed or not signed by the keys of today. After a rotation of keys that
    /// is as it should be.
    #[must_use]
    pub fn discarded(&self) -> &[Refusal] {
        &self.discarded
    }

    fn stored_root(&mut self, bytes: Option<Vec<u8>>) -> Next {
        if let Some(bytes) = bytes
            && self.rotations < self.limits.root_rotations
        {
            match self.next_root(&bytes) {
                Ok(root) => {
                    (self.root, self.root_bytes) = (root, bytes);
                    self.rotations += 1;
                    return Ok(State::ReadRoot);
                }
                Err(refusal) if self.offline => return Err(refusal),
                Err(refusal) => self.discarded.push(refusal),
            }
        }
        self.rotations = 0;
        if self.offline {
            return self.roots_done();
        }
        self.write(File::metadata("root"), self.root_bytes.clone());
        Ok(State::FetchRoot)
    }

    /// 5.3.3 to 5.3.9.
    fn fetched_root(&mut self, bytes: Option<Vec<u8>>) -> Next {
        let Some(bytes) = bytes else { return self.roots_done() };
        let root = self.next_root(&bytes)?;
        // 5.3.11, before the new root is stored: if the process ends in between, nothing is left that the new keys would
        // not have removed.
        if root.timestamp.lost_since(&self.root.timestamp) || root.snapshot.lost_since(&self.root.snapshot) {
            self.outbox.push_back(Step::Remove(File::metadata("snapshot")));
            self.outbox.push_back(Step::Remove(File::metadata("timestamp")));
        }
        self.write(File::root(root.version), bytes.clone());
        self.write(File::metadata("root"), bytes);
        self.root = root;
        self.rotations += 1;
        if self.rotations >= self.limits.root_rotations { self.roots_done() } else { Ok(State::FetchRoot) }
    }

    fn next_root(&self, bytes: &[u8]) -> Result<Root, Refusal> {
        let wanted = self.root.version.saturating_add(1);
        self.check_length("root", Some(wanted), bytes, self.limits.root_bytes)?;
        let root = Root::parse(bytes, Some(&self.root), &self.limits)?;
        if root.version != wanted {
            let reason = format!("it stands where version {wanted} should");
            return Err(Refusal::new("root", Some(root.version), Rule::Rollback, reason));
        }
        Ok(root)
    }

    /// 5.3.10.
    fn roots_done(&self) -> Next {
        self.check_expiry("root", self.root.version, self.root.expires)?;
        Ok(State::ReadTimestamp)
    }

    fn stored_timestamp(&mut self, bytes: Option<Vec<u8>>) -> Next {
        if let Some(bytes) = bytes {
            let read = self.check_length("timestamp", None, &bytes, self.limits.timestamp_bytes);
            match read.and_then(|()| Timestamp::parse(&bytes, &self.root, &self.limits)) {
                Ok(timestamp) => self.timestamp = Some(timestamp),
                Err(refusal) if self.offline => return Err(refusal),
                Err(refusal) => self.discarded.push(refusal),
            }
        }
        if !self.offline {
            return Ok(State::FetchTimestamp);
        }
        let timestamp = self.timestamp.as_ref().ok_or_else(|| self.absent("timestamp", None))?;
        self.check_expiry("timestamp", timestamp.version, timestamp.expires)?;
        Ok(State::ReadSnapshot)
    }

    /// 5.4.
    fn fetched_timestamp(&mut self, bytes: Option<Vec<u8>>) -> Next {
        let bytes = bytes.ok_or_else(|| self.absent("timestamp", None))?;
        self.check_length("timestamp", None, &bytes, self.limits.timestamp_bytes)?;
        let new = Timestamp::parse(&bytes, &self.root, &self.limits)?;
        let rollback =
            |reason: String| Err(Refusal::new("timestamp", Some(new.version), Rule::Rollback, reason));
        match &self.timestamp {
            Some(old) if new.version < old.version => {
                return rollback(format!("version {} was trusted before", old.version));
            }
            // The same one; its content does not count, but it may have expired since.
            Some(old) if new.version == old.version => {
                self.check_expiry("timestamp", old.version, old.expires)?;
                return Ok(State::ReadSnapshot);
            }
            Some(old) if new.snapshot.version < old.snapshot.version => {
                let (from, to) = (old.snapshot.version, new.snapshot.version);
                return rollback(format!("its snapshot goes back from version {from} to {to}"));
            }
            _ => {}
        }
        self.check_expiry("timestamp", new.version, new.expires)?;
        self.write(File::metadata("timestamp"), bytes);
        self.timestamp = Some(new);
        Ok(State::ReadSnapshot)
    }

    fn stored_snapshot(&mut self, bytes: Option<Vec<u8>>) -> Next {
        let refusal = match &bytes {
            None => {
                self.absent("snapshot", self.timestamp.as_ref().map(|timestamp| timestamp.snapshot.version))
            }
            Some(bytes) => match self
                .check_length("snapshot", None, bytes, self.limits.snapshot_bytes)
                .and_then(|()| Snapshot::parse(bytes, &self.root, &self.limits))
            {
                Err(refusal) => {
                    self.discarded.push(refusal.clone());
                    refusal
                }
                Ok(snapshot) => match self.check_snapshot(&snapshot, bytes) {
                    Ok(()) => {
                        self.snapshot = Some(snapshot);
                        return Ok(State::ReadTargets);
                    }
                    Err(refusal) => {
                        self.before = Some(snapshot);
                        refusal
                    }
                },
            },
        };
        if self.offline { Err(refusal) } else { Ok(State::FetchSnapshot) }
    }

    /// 5.5.
    fn fetched_snapshot(&mut self, bytes: Option<Vec<u8>>) -> Next {
        let meta = self.timestamp.as_ref().map(|timestamp| &timestamp.snapshot);
        let bytes = self.received("snapshot", bytes, meta, self.limits.snapshot_bytes)?;
        let snapshot = Snapshot::parse(&bytes, &self.root, &self.limits)?;
        self.check_snapshot(&snapshot, &bytes)?;
        self.write(File::metadata("snapshot"), bytes);
        self.snapshot = Some(snapshot);
        Ok(State::ReadTargets)
    }

    fn check_snapshot(&self, snapshot: &Snapshot, bytes: &[u8]) -> Result<(), Refusal> {
        if let Some(timestamp) = &self.timestamp {
            timestamp.snapshot.check("snapshot", bytes)?;
            timestamp.snapshot.check_version("snapshot", snapshot.version)?;
        }
        if let Some(before) = &self.before {
            snapshot.check_rollback(before)?;
        }
        self.check_expiry("snapshot", snapshot.version, snapshot.expires)
    }

    fn stored_targets(&mut self, bytes: Option<Vec<u8>>) -> Next {
        let found = bytes.ok_or_else(|| self.absent("targets", None));
        match found.and_then(|bytes| self.check_targets("targets", None, &bytes)) {
            Ok(targets) => self.trust(targets),
            Err(refusal) if self.offline => Err(refusal),
            Err(_) => Ok(State::FetchTargets),
        }
    }

    /// 5.6.1 to 5.6.6.
    fn fetched_targets(&mut self, bytes: Option<Vec<u8>>) -> Next {
        let meta = self.snapshot.as_ref().and_then(|snapshot| snapshot.file("targets"));
        let bytes = self.received("targets", bytes, meta, self.limits.targets_bytes)?;
        let targets = self.check_targets("targets", None, &bytes)?;
        self.write(File::metadata("targets"), bytes);
        self.trust(targets)
    }

    fn trust(&mut self, targets: Targets) -> Next {
        self.targets = Some(targets);
        Ok(State::Ready)
    }

    /// Verifies the metadata of targets, the top-level role's or, with a delegation, another's, in the order of 5.6.
    pub(super) fn check_targets(
        &self,
        role: &str,
        delegation: Option<&Delegation>,
        bytes: &[u8],
    ) -> Result<Targets, Refusal> {
        let meta = self.snapshot.as_ref().and_then(|snapshot| snapshot.file(role));
        let meta = meta.ok_or_else(|| {
            Refusal::new(role, None, Rule::Absence, "the snapshot does not list its metadata")
        })?;
        self.check_length(role, Some(meta.version), bytes, self.limits.targets_bytes)?;
        meta.check(role, bytes)?;
        let keys = delegation.map_or(&self.root.targets, |delegation| &delegation.keys);
        let targets = Targets::parse(role, bytes, keys, &self.limits)?;
        meta.check_version(role, targets.version)?;
        self.check_expiry(role, targets.version, targets.expires)?;
        Ok(targets)
    }

    fn check_expiry(&self, role: &str, version: u64, expires: Time) -> Result<(), Refusal> {
        if expires > self.at || self.ignore_expiry {
            return Ok(());
        }
        let reason = format!("it expired at {expires}, and it is {}", self.at);
        Err(Refusal::new(role, Some(version), Rule::Freeze, reason))
    }

    pub(super) fn check_length(
        &self,
        role: &str,
        version: Option<u64>,
        bytes: &[u8],
        limit: usize,
    ) -> Result<(), Refusal> {
        if bytes.len() <= limit {
            return Ok(());
        }
        Err(Refusal::new(role, version, Rule::EndlessData, format!("it has more than {limit} bytes")))
    }

    /// Bytes of metadata from the repository, no more than were announced.
    pub(super) fn received(
        &self,
        role: &str,
        bytes: Option<Vec<u8>>,
        meta: Option<&MetaFile>,
        most: usize,
    ) -> Result<Vec<u8>, Refusal> {
        let version = meta.map(|meta| meta.version);
        let bytes = bytes.ok_or_else(|| self.absent(role, version))?;
        self.check_length(role, version, &bytes, self.limit(role, meta, most)?)?;
        Ok(bytes)
    }

    /// Bytes that metadata may have: what the role above it says, within our own limit.
    fn limit(&self, role: &str, meta: Option<&MetaFile>, most: usize) -> Result<usize, Refusal> {
        let Some(length) = meta.and_then(|meta| meta.length) else { return Ok(most) };
        usize::try_from(length).ok().filter(|length| *length <= most).ok_or_else(|| {
            let reason = format!("its length is {length} bytes; {most} are read");
            Refusal::new(role, meta.map(|meta| meta.version), Rule::Limit, reason)
        })
    }

    pub(super) fn target_limit(&self, target: &TargetFile) -> Result<usize, Refusal> {
        let most = self.limits.target_bytes;
        usize::try_from(target.length()).ok().filter(|length| *length <= most).ok_or_else(|| {
            let reason = format!("its length is {} bytes; {most} are read", target.length());
            Refusal::new(target.path(), None, Rule::Limit, reason)
        })
    }

    /// The name of metadata in the repository (6.2).
    fn remote(&self, role: &str, meta: Option<&MetaFile>) -> String {
        let name = super::file::encode(role);
        match meta {
            Some(meta) if self.root.consistent_snapshot => format!("{}.{name}.json", meta.version),
            _ => format!("{name}.json"),
        }
    }

    pub(super) fn absent(&self, role: &str, version: Option<u64>) -> Refusal {
        let place = if self.offline { "local storage" } else { "the repository" };
        Refusal::new(role, version, Rule::Absence, format!("{place} does not have it"))
    }

    pub(super) fn write(&mut self, file: File, bytes: Vec<u8>) {
        self.outbox.push_back(Step::Write { file, bytes });
    }
}
