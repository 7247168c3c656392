//! The history of a Git repository, read from its objects.

use super::{Progress, append};
use crate::error::Error;
use crate::finding::{Findings, NotScanned, Place};
use crate::scan::Scanner;
use gix::ObjectId;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Scans everything that any reference, HEAD or the stash reaches: each distinct blob once, named by the first commit and
/// path that has it (merges included), and the messages of commits and tags. Commits are taken parents first, then
/// by time and id, so the outcome does not depend on how the objects are packed.
///
/// Not covered: objects that nothing references any more, submodules' own histories.
///
/// # Errors
/// [`Error::Git`] if there is no repository, if it is a shallow clone (its history is not there), or an object is
/// missing or damaged.
pub fn scan_history(
    scanner: &Scanner,
    directory: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Findings, Error> {
    let git = |reason: &dyn std::fmt::Display| Error::Git {
        path: directory.display().to_string(),
        reason: reason.to_string(),
    };
    let repository = gix::open_opts(directory, gix::open::Options::isolated()).map_err(|e| git(&e))?;
    if repository.is_shallow().map_err(|e| git(&e))? {
        return Err(git(&"it is a shallow clone: fetch the whole history first (git fetch --unshallow)"));
    }
    let mut history =
        History { scanner, repository: &repository, git: &git, out: Findings::default(), done: 0, total: 0 };
    let tips = history.tips()?;
    let commits = history.commits(tips)?;
    history.total = u64::try_from(commits.len()).unwrap_or(u64::MAX);
    let mut trees: BTreeSet<ObjectId> = BTreeSet::new();
    let mut blobs: BTreeSet<ObjectId> = BTreeSet::new();
    for commit in commits {
        history.commit(commit, &mut trees, &mut blobs)?;
        history.done = history.done.saturating_add(1);
        progress(Progress { done: history.done, total: history.total });
    }
    let mut out = history.out;
    out.sort();
    Ok(out)
}

struct History<'a> {
    scanner: &'a Scanner,
    repository: &'a gix::Repository,
    git: &'a dyn Fn(&dyn std::fmt::Display) -> Error,
    out: Findings,
    done: u64,
    total: u64,
}

impl History<'_> {
    /// Every object a reference names; annotated tags are scanned on the way, and what they tag may be a blob or tree.
    fn tips(&mut self) -> Result<BTreeSet<ObjectId>, Error> {
        let git = self.git;
        let mut open: Vec<ObjectId> = Vec::new();
        let platform = self.repository.references().map_err(|e| git(&e))?;
        for reference in platform.all().map_err(|e| git(&e))? {
            let reference = reference.map_err(|e| git(&e))?;
            open.extend(reference.target().try_id().map(ToOwned::to_owned));
            // Older stashes live in the reference's log only.
            if reference.name().as_bstr() == "refs/stash" {
                let mut log = reference.log_iter();
                for line in log.all().map_err(|e| git(&e))?.into_iter().flatten() {
                    open.push(line.map_err(|e| git(&e))?.new_oid());
                }
            }
        }
        open.extend(self.repository.head_id().ok().map(gix::Id::detach));
        let mut commits = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let (mut trees, mut blobs) = (BTreeSet::new(), BTreeSet::new());
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let object = self.repository.find_object(id).map_err(|e| git(&e))?;
            match object.kind {
                gix::object::Kind::Commit => {
                    commits.insert(id);
                }
                gix::object::Kind::Tag => {
                    let tag = object.try_into_tag().map_err(|e| git(&e))?;
                    let target = tag.target_id().map_err(|e| git(&e))?.detach();
                    self.message(&tag.data, id, "tag");
                    open.push(target);
                }
                gix::object::Kind::Tree => self.tree(id, &id.to_string(), "", &mut trees, &mut blobs)?,
                gix::object::Kind::Blob => self.blob(id, &id.to_string(), "", &mut blobs)?,
            }
        }
        Ok(commits)
    }

    /// All commits reachable from the tips: parents before children, else by time and id.
    fn commits(&self, tips: BTreeSet<ObjectId>) -> Result<Vec<ObjectId>, Error> {
        let git = self.git;
        let mut children: BTreeMap<ObjectId, Vec<ObjectId>> = BTreeMap::new();
        let mut waiting: BTreeMap<ObjectId, (i64, usize)> = BTreeMap::new();
        let mut open: Vec<ObjectId> = tips.into_iter().collect();
        while let Some(id) = open.pop() {
            if waiting.contains_key(&id) {
                continue;
            }
            let commit = self.repository.find_commit(id).map_err(|e| git(&e))?;
            let time = commit.time().map_err(|e| git(&e))?.seconds;
            let parents: BTreeSet<ObjectId> = commit.parent_ids().map(gix::Id::detach).collect();
            waiting.insert(id, (time, parents.len()));
            for parent in parents {
                children.entry(parent).or_default().push(id);
                open.push(parent);
            }
        }
        let mut ready: BTreeSet<(i64, ObjectId)> = waiting
            .iter()
            .filter(|(_, (_, parents))| *parents == 0)
            .map(|(id, (time, _))| (*time, *id))
            .collect();
        let mut order = Vec::with_capacity(waiting.len());
        while let Some((_, id)) = ready.pop_first() {
            order.push(id);
            for child in children.remove(&id).unwrap_or_default() {
                if let Some((time, parents)) = waiting.get_mut(&child) {
                    *parents = parents.saturating_sub(1);
                    if *parents == 0 {
                        ready.insert((*time, child));
                    }
                }
            }
        }
        Ok(order)
    }

    fn commit(
        &mut self,
        id: ObjectId,
        trees: &mut BTreeSet<ObjectId>,
        blobs: &mut BTreeSet<ObjectId>,
    ) -> Result<(), Error> {
        let git = self.git;
        let commit = self.repository.find_commit(id).map_err(|e| git(&e))?;
        self.message(&commit.data, id, "commit");
        let tree = commit.tree_id().map_err(|e| git(&e))?.detach();
        self.tree(tree, &id.to_string(), "", trees, blobs)
    }

    /// The whole object, headers included: its lines are those of `git cat-file -p`.
    fn message(&mut self, data: &[u8], id: ObjectId, part: &str) {
        let place = Place::commit(id.to_string(), "").part(format!("{part} message"));
        append(&mut self.out, self.scanner.scan(data, &place));
    }

    fn tree(
        &mut self,
        id: ObjectId,
        commit: &str,
        prefix: &str,
        trees: &mut BTreeSet<ObjectId>,
        blobs: &mut BTreeSet<ObjectId>,
    ) -> Result<(), Error> {
        let git = self.git;
        let mut open = vec![(id, prefix.to_owned())];
        while let Some((id, prefix)) = open.pop() {
            if !trees.insert(id) {
                continue;
            }
            let tree = self.repository.find_tree(id).map_err(|e| git(&e))?;
            for entry in tree.iter() {
                let entry = entry.map_err(|e| git(&e))?;
                let path = format!("{prefix}{}", entry.filename());
                let mode = entry.mode();
                if mode.is_tree() {
                    open.push((entry.object_id(), format!("{path}/")));
                } else if mode.is_blob_or_symlink() {
                    self.blob(entry.object_id(), commit, &path, blobs)?;
                }
            }
        }
        Ok(())
    }

    fn blob(
        &mut self,
        id: ObjectId,
        commit: &str,
        path: &str,
        blobs: &mut BTreeSet<ObjectId>,
    ) -> Result<(), Error> {
        if !blobs.insert(id) {
            return Ok(());
        }
        let git = self.git;
        let place = Place::commit(commit, path);
        let header = self.repository.find_header(id).map_err(|e| git(&e))?;
        let limit = self.scanner.limits().file_bytes;
        if usize::try_from(header.size()).map_or(true, |size| size > limit) {
            let reason = format!("{} bytes are above the limit of {limit}", header.size());
            self.out.not_scanned.push(NotScanned { place, reason });
            return Ok(());
        }
        let blob = self.repository.find_blob(id).map_err(|e| git(&e))?;
        append(&mut self.out, self.scanner.scan(&blob.data, &place));
        Ok(())
    }
}
