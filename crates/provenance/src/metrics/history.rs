use std::collections::BTreeMap;

use crate::{Error, Timestamp};

/// Commits of a history at most.
const COMMITS: usize = 10_000_000;

/// A commit as far as times are concerned. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id in hexadecimal.
    pub id: String,
    /// Its parents; the first is the line it was merged into.
    pub parents: Vec<String>,
    /// When the author wrote it, in seconds since 1970, by the author's clock.
    pub author_time: i64,
    /// When it was committed, by the committer's clock.
    pub commit_time: i64,
}

/// A merge on the main line, or a commit there that is none. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch<'a> {
    /// The commit on the main line.
    pub commit: &'a str,
    /// When it was made.
    pub merged: Timestamp,
    /// The author's date of the first commit that the branch alone has; nothing if there is no branch to see.
    pub began: Option<Timestamp>,
    /// How many commits the branch brought.
    pub commits: usize,
}

/// The commits that a branch is made of, from its tip back.
#[derive(Clone, Debug, Default)]
pub struct History {
    commits: Vec<Commit>,
    /// The parents of each commit that are in the history.
    parents: Vec<Vec<usize>>,
    places: BTreeMap<String, usize>,
    tip: Option<usize>,
}

/// Which commits were seen already.
pub(super) struct Seen(Vec<bool>);

impl History {
    /// A history of commits in any order, `tip` the last of the main line. Parents that are not among them are the edge of what is
    /// known, as in a shallow clone.
    ///
    /// # Errors
    ///
    /// [`Error::Git`] if the tip is not among them; [`Error::Limit`] over ten million commits.
    pub fn new(commits: Vec<Commit>, tip: &str) -> Result<Self, Error> {
        if commits.len() > COMMITS {
            return Err(Error::Limit { what: "commits of a history".to_owned(), limit: COMMITS });
        }
        let places: BTreeMap<String, usize> =
            commits.iter().enumerate().map(|(at, commit)| (commit.id.clone(), at)).collect();
        let found = places.get(tip).copied();
        let tip = found.ok_or_else(|| Error::Git(format!("commit {tip} is not in the history")))?;
        let parents = commits
            .iter()
            .map(|commit| commit.parents.iter().filter_map(|parent| places.get(parent).copied()).collect())
            .collect();
        Ok(Self { commits, parents, places, tip: Some(tip) })
    }

    /// Reads the history of `HEAD`, or of a branch, tag or commit, from the Git repository that `directory` lies in.
    ///
    /// # Errors
    ///
    /// [`Error::Git`] if there is no repository, no such commit, or an object cannot be read.
    #[cfg(feature = "git")]
    pub fn read(directory: &std::path::Path, of: Option<&str>) -> Result<Self, Error> {
        let damaged = |error: &dyn std::fmt::Display| Error::Git(error.to_string());
        let mut repository = gix::discover(directory).map_err(|error| damaged(&error))?;
        repository.object_cache_size_if_unset(16 << 20);
        let tip = match of {
            None => repository.head_id().map_err(|error| damaged(&error))?,
            Some(name) => {
                let mut reference = repository.find_reference(name).map_err(|error| damaged(&error))?;
                reference.peel_to_id().map_err(|error| damaged(&error))?
            }
        };
        let mut commits = Vec::new();
        for info in repository.rev_walk([tip]).all().map_err(|error| damaged(&error))? {
            let info = info.map_err(|error| damaged(&error))?;
            let commit = info.object().map_err(|error| damaged(&error))?;
            let author = commit.author().map_err(|error| damaged(&error))?;
            commits.push(Commit {
                id: info.id.to_string(),
                parents: info.parent_ids.iter().map(ToString::to_string).collect(),
                author_time: author.time().map_err(|error| damaged(&error))?.seconds,
                commit_time: commit.time().map_err(|error| damaged(&error))?.seconds,
            });
            if commits.len() > COMMITS {
                return Err(Error::Limit { what: "commits of a history".to_owned(), limit: COMMITS });
            }
        }
        Self::new(commits, &tip.to_string())
    }

    /// Number of commits.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.commits.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.commits.is_empty()
    }

    /// Whether a commit is in it.
    #[must_use]
    pub fn has(&self, commit: &str) -> bool {
        self.places.contains_key(commit)
    }

    /// The first and last commit time on the main line.
    #[must_use]
    pub fn period(&self) -> Option<(Timestamp, Timestamp)> {
        let times = || {
            self.main_line()
                .into_iter()
                .filter_map(|at| self.commits.get(at))
                .map(|commit| commit.commit_time)
        };
        Some((Timestamp::from_seconds(times().min()?), Timestamp::from_seconds(times().max()?)))
    }

    /// The commits of the main line, by first parents, oldest first.
    fn main_line(&self) -> Vec<usize> {
        let mut line = Vec::new();
        let mut at = self.tip;
        // Git has no cycles; a history that was made up may.
        while let Some(commit) = at.filter(|_| line.len() < self.commits.len()) {
            line.push(commit);
            let parent = self.commits.get(commit).and_then(|commit| commit.parents.first());
            at = parent.and_then(|parent| self.places.get(parent)).copied();
        }
        line.reverse();
        line
    }

    /// Every commit on the main line with the branch that it merged, oldest first.
    #[must_use]
    pub fn branches(&self) -> Vec<Branch<'_>> {
        let mut seen = self.nothing_seen();
        let mut branches = Vec::new();
        for at in self.main_line() {
            let Some(commit) = self.commits.get(at) else { continue };
            // Its own line first: what it has is not the branch's.
            if let Some(first) = commit.parents.first().and_then(|parent| self.places.get(parent)) {
                self.walk(*first, &mut seen);
            }
            seen.mark(at);
            let others = commit.parents.iter().skip(1).filter_map(|parent| self.places.get(parent));
            let brought: Vec<usize> = others.flat_map(|parent| self.walk(*parent, &mut seen)).collect();
            let first =
                brought.iter().filter_map(|at| self.commits.get(*at)).map(|commit| commit.author_time).min();
            branches.push(Branch {
                commit: &commit.id,
                merged: Timestamp::from_seconds(commit.commit_time),
                began: first.map(Timestamp::from_seconds),
                commits: brought.len(),
            });
        }
        branches
    }

    pub(super) fn nothing_seen(&self) -> Seen {
        Seen(vec![false; self.commits.len()])
    }

    /// The commits that are reachable from one and were not seen; they are now.
    pub(super) fn bring(&self, commit: &str, seen: &mut Seen) -> Vec<&Commit> {
        let Some(at) = self.places.get(commit) else { return Vec::new() };
        self.walk(*at, seen).into_iter().filter_map(|at| self.commits.get(at)).collect()
    }

    fn walk(&self, from: usize, seen: &mut Seen) -> Vec<usize> {
        let mut found = Vec::new();
        let mut waiting = vec![from];
        while let Some(at) = waiting.pop() {
            if seen.mark(at) {
                found.push(at);
                waiting.extend(self.parents.get(at).into_iter().flatten());
            }
        }
        found
    }
}

impl Seen {
    /// Marks a commit; whether it was not marked before.
    fn mark(&mut self, at: usize) -> bool {
        self.0.get_mut(at).is_some_and(|seen| !std::mem::replace(seen, true))
    }
}
