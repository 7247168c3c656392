use std::collections::BTreeMap;
use std::path::Path;

use gix::actor::Signature;
use gix::objs::tree::EntryKind;

use crate::Error;

/// Who commits, and when: never the machine's clock or user. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committer {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// Seconds since 1970, in UTC.
    pub time: i64,
}

/// Commits files onto a branch without a work tree and returns the id of the commit. `None` as content removes a file.
///
/// The same files on the same parent give the same id. The branch moves only if nobody moved it meanwhile. A work tree that
/// has the branch checked out is not touched: bare repositories are what this is for.
///
/// # Errors
///
/// [`Error::Git`] if the repository, the branch or a path is not usable, if nothing would change, or if the branch moved.
pub fn commit(
    repository: &Path,
    branch: &str,
    files: &BTreeMap<String, Option<Vec<u8>>>,
    message: &str,
    committer: &Committer,
) -> Result<String, Error> {
    let repository = open(repository)?;
    let reference = format!("refs/heads/{branch}");
    let parent = match repository.try_find_reference(&reference).map_err(|error| fault(&error))? {
        Some(mut reference) => Some(reference.peel_to_commit().map_err(|error| fault(&error))?),
        None => None,
    };
    let base = match &parent {
        Some(parent) => parent.tree().map_err(|error| fault(&error))?,
        None => repository.empty_tree(),
    };
    let before = base.id;
    let mut editor = repository.edit_tree(before).map_err(|error| fault(&error))?;
    for (path, content) in files {
        if path.is_empty() || path.split('/').any(|part| matches!(part, "" | "." | ".." | ".git")) {
            return Err(Error::Git(format!("{path:?} is no path that can be committed")));
        }
        match content {
            Some(content) => {
                let blob = repository.write_blob(content).map_err(|error| fault(&error))?;
                editor.upsert(path.as_str(), EntryKind::Blob, blob).map_err(|error| fault(&error))?;
            }
            None => {
                editor.remove(path.as_str()).map_err(|error| fault(&error))?;
            }
        }
    }
    let tree = editor.write().map_err(|error| fault(&error))?;
    if tree == before {
        return Err(Error::Git("nothing would change".to_owned()));
    }
    write(&repository, &reference, message, committer, tree.detach(), parent.map(|parent| parent.id))
}

/// Takes back what one commit changed, in a new commit on the branch: the only rollback that a cluster under GitOps keeps.
///
/// # Errors
///
/// [`Error::Git`] as [`commit`]; if the commit is a merge or a root; or if a later commit changed one of its files, which is
/// named: taking that back would undo more than was asked.
pub fn revert(repository: &Path, branch: &str, commit: &str, committer: &Committer) -> Result<String, Error> {
    let repository = open(repository)?;
    let id = gix::ObjectId::from_hex(commit.as_bytes())
        .map_err(|error| Error::Git(format!("{commit:?} is no commit id: {error}")))?;
    let reverted = repository.find_commit(id).map_err(|error| fault(&error))?;
    let parents: Vec<_> = reverted.parent_ids().map(gix::Id::detach).collect();
    let [parent] = parents.as_slice() else {
        return Err(Error::Git(format!(
            "commit {commit} has {} parents; only one can be gone back to",
            parents.len()
        )));
    };
    let reference = format!("refs/heads/{branch}");
    let head = repository
        .find_reference(&reference)
        .map_err(|error| fault(&error))?
        .peel_to_commit()
        .map_err(|error| fault(&error))?;
    let old = files(&repository.find_commit(*parent).map_err(|error| fault(&error))?)?;
    let new = files(&reverted)?;
    let now = files(&head)?;
    let mut editor = repository
        .edit_tree(head.tree_id().map_err(|error| fault(&error))?)
        .map_err(|error| fault(&error))?;
    for path in old.keys().chain(new.keys()).collect::<std::collections::BTreeSet<_>>() {
        let (before, after) = (old.get(path), new.get(path));
        if before == after {
            continue;
        }
        if now.get(path) != after {
            return Err(Error::Git(format!(
                "{path:?} was changed again since; revert the later commit first"
            )));
        }
        match before {
            Some((kind, blob)) => {
                editor.upsert(path.as_str(), *kind, *blob).map_err(|error| fault(&error))?;
            }
            None => {
                editor.remove(path.as_str()).map_err(|error| fault(&error))?;
            }
        }
    }
    let tree = editor.write().map_err(|error| fault(&error))?.detach();
    let title = reverted.message().map_err(|error| fault(&error))?.title.to_string();
    let message = format!("Revert \"{}\"\n\nThis reverts commit {commit}.\n", title.trim());
    write(&repository, &reference, &message, committer, tree, Some(head.id))
}

fn open(path: &Path) -> Result<gix::Repository, Error> {
    gix::open(path).map_err(|error| Error::Git(format!("{} is no Git repository: {error}", path.display())))
}

fn write(
    repository: &gix::Repository,
    reference: &str,
    message: &str,
    committer: &Committer,
    tree: gix::ObjectId,
    parent: Option<gix::ObjectId>,
) -> Result<String, Error> {
    let signature = Signature {
        name: committer.name.as_str().into(),
        email: committer.email.as_str().into(),
        time: gix::date::Time::new(committer.time, 0),
    };
    let mut buffer = gix::date::parse::TimeBuf::default();
    let mut other = gix::date::parse::TimeBuf::default();
    let id = repository
        .commit_as(
            signature.to_ref(&mut buffer),
            signature.to_ref(&mut other),
            reference,
            message,
            tree,
            parent,
        )
        .map_err(|error| fault(&error))?;
    Ok(id.to_string())
}

type Entry = (EntryKind, gix::ObjectId);

fn files(commit: &gix::Commit<'_>) -> Result<BTreeMap<String, Entry>, Error> {
    let mut files = BTreeMap::new();
    list(&commit.tree().map_err(|error| fault(&error))?, "", &mut files)?;
    Ok(files)
}

fn list(tree: &gix::Tree<'_>, prefix: &str, files: &mut BTreeMap<String, Entry>) -> Result<(), Error> {
    for entry in tree.iter() {
        let entry = entry.map_err(|error| fault(&error))?;
        let path = format!("{prefix}{}", entry.filename());
        if entry.mode().is_tree() {
            let below = entry.object().map_err(|error| fault(&error))?.into_tree();
            list(&below, &format!("{path}/"), files)?;
        } else {
            files.insert(path, (entry.mode().kind(), entry.object_id()));
        }
    }
    Ok(())
}

fn fault(error: &dyn std::fmt::Display) -> Error {
    Error::Git(error.to_string())
}
