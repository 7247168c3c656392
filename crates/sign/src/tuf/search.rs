use std::collections::BTreeSet;

use super::step::{Repository, Store};
use super::targets::{Delegation, TargetFile, Targets};
use super::update::State;
use super::{File, Refusal, Rule, Update};
use crate::Error;

/// The search for the role that speaks for a target: pre-order and depth-first through the delegations (specification, 5.6.7).
#[derive(Debug)]
pub(super) struct Search {
    path: String,
    /// Roles to visit, the next one last.
    stack: Vec<Delegation>,
    visited: BTreeSet<String>,
}

impl Update {
    /// Asks for a target of the repository by its path: [`step`](Self::step) then leads to it. What is stored already is not fetched
    /// again.
    ///
    /// # Errors
    ///
    /// [`Refusal`] before the top-level metadata is there, that is before the first [`Step::Done`](super::Step::Done).
    pub fn want(&mut self, path: &str) -> Result<(), Refusal> {
        self.target = None;
        let Some(targets) = &self.targets else {
            return Err(Refusal::new(
                path,
                None,
                Rule::Absence,
                "the metadata of the repository is not there yet",
            ));
        };
        let search = Search { path: path.to_owned(), stack: Vec::new(), visited: BTreeSet::new() };
        self.state = self.visit(search, "targets", targets).unwrap_or_else(State::Failed);
        Ok(())
    }

    /// The target that was asked for last, verified, once it is there.
    #[must_use]
    pub fn target(&self) -> Option<(&TargetFile, &[u8])> {
        self.target.as_ref().map(|(target, bytes)| (target, bytes.as_slice()))
    }

    /// Brings a target: [`want`](Self::want) and [`run`](Self::run).
    ///
    /// # Errors
    ///
    /// [`Error::Tuf`], and those of the storage and the repository.
    pub fn fetch(
        &mut self,
        path: &str,
        store: &mut dyn Store,
        repository: &dyn Repository,
    ) -> Result<Vec<u8>, Error> {
        if self.targets.is_none() {
            self.run(store, repository)?;
        }
        self.want(path)?;
        self.run(store, repository)?;
        let (_, bytes) = self.target.take().ok_or_else(|| self.absent(path, None))?;
        Ok(bytes)
    }

    /// 5.6.7.1 and 5.6.7.2, with a role's metadata at hand.
    fn visit(&self, mut search: Search, role: &str, targets: &Targets) -> Result<State, Refusal> {
        search.visited.insert(role.to_owned());
        if let Some(target) = targets.target(&search.path) {
            if search.path.is_empty() || !File::fits(&search.path) {
                let reason = "its path is empty or too long for a name in local storage";
                return Err(Refusal::new(&search.path, None, Rule::Support, reason));
            }
            return Ok(State::ReadTarget(target.clone()));
        }
        let mut below = Vec::new();
        for delegation in targets.delegations.iter().filter(|delegation| delegation.is_for(&search.path)) {
            below.push(delegation.clone());
            if delegation.terminating {
                search.stack.clear();
                break;
            }
        }
        search.stack.extend(below.into_iter().rev());
        self.search(search)
    }

    /// The next role to visit.
    fn search(&self, mut search: Search) -> Result<State, Refusal> {
        while let Some(delegation) = search.stack.pop() {
            if search.visited.contains(&delegation.name) {
                continue;
            }
            if search.visited.len() >= self.limits.roles {
                let reason = format!("it was not found in the first {} roles", self.limits.roles);
                return Err(Refusal::new(&search.path, None, Rule::Limit, reason));
            }
            if self.snapshot.as_ref().and_then(|snapshot| snapshot.file(&delegation.name)).is_none() {
                let reason = "the snapshot does not list its metadata";
                return Err(Refusal::new(&delegation.name, None, Rule::Absence, reason));
            }
            return Ok(State::ReadRole(search, delegation));
        }
        let roles: Vec<&str> = search.visited.iter().map(String::as_str).take(8).collect();
        let reason = format!("no role that may speak for it lists it (asked: {})", roles.join(", "));
        Err(Refusal::new(&search.path, None, Rule::NoSuchTarget, reason))
    }

    /// The stored metadata is taken if it is what the snapshot of today and this delegation want; on another way to the same role
    /// it is verified anew.
    pub(super) fn stored_role(
        &self,
        bytes: Option<Vec<u8>>,
        search: Search,
        role: Delegation,
    ) -> Result<State, Refusal> {
        let found = bytes.ok_or_else(|| self.absent(&role.name, None));
        match found.and_then(|bytes| self.check_targets(&role.name, Some(&role), &bytes)) {
            Ok(targets) => self.visit(search, &role.name, &targets),
            Err(refusal) if self.offline => Err(refusal),
            Err(_) => Ok(State::FetchRole(search, role)),
        }
    }

    pub(super) fn fetched_role(
        &mut self,
        bytes: Option<Vec<u8>>,
        search: Search,
        role: Delegation,
    ) -> Result<State, Refusal> {
        let meta = self.snapshot.as_ref().and_then(|snapshot| snapshot.file(&role.name));
        let bytes = self.received(&role.name, bytes, meta, self.limits.targets_bytes)?;
        let targets = self.check_targets(&role.name, Some(&role), &bytes)?;
        self.write(File::metadata(&role.name), bytes);
        self.visit(search, &role.name, &targets)
    }

    pub(super) fn stored_target(
        &mut self,
        bytes: Option<Vec<u8>>,
        target: TargetFile,
    ) -> Result<State, Refusal> {
        let found = bytes.ok_or_else(|| self.absent(target.path(), None));
        match found.and_then(|bytes| target.check(&bytes).map(|()| bytes)) {
            Ok(bytes) => {
                self.target = Some((target, bytes));
                Ok(State::Ready)
            }
            Err(refusal) if self.offline => Err(refusal),
            Err(_) => Ok(State::FetchTarget(target)),
        }
    }

    /// 5.7.
    pub(super) fn fetched_target(
        &mut self,
        bytes: Option<Vec<u8>>,
        target: TargetFile,
    ) -> Result<State, Refusal> {
        let bytes = bytes.ok_or_else(|| self.absent(target.path(), None))?;
        target.check(&bytes)?;
        self.write(File::target(target.path()), bytes.clone());
        self.target = Some((target, bytes));
        Ok(State::Ready)
    }
}
