use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::{Error, Timestamp};

/// What a Git repository says of the commit that is checked out. Plain data.
///
/// Only facts of the commit object are taken: branches, remotes and paths differ from clone to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitFacts {
    /// The commit, by its id in hexadecimal.
    pub commit: String,
    /// The tree of the commit.
    pub tree: String,
    /// When the author wrote it, by the author's clock.
    pub author_time: Timestamp,
    /// When it was committed, by the committer's clock.
    pub commit_time: Timestamp,
    /// Number of parents: 0 for a root, 2 or more for a merge.
    pub parents: usize,
    /// The files of the commit below the directory that was asked for, by path relative to it.
    pub files: BTreeMap<String, GitFile>,
    /// Where the work tree is.
    pub work_tree: PathBuf,
}

/// A file of a commit. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitFile {
    /// The id of its blob, in hexadecimal.
    pub blob: String,
    /// Whether it is executable.
    pub executable: bool,
    /// Whether it is a symbolic link; the blob then holds its target.
    pub symlink: bool,
}

/// How a file on disk differs from the commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Change {
    /// The commit has other content.
    Modified(String),
    /// The commit does not have the file.
    Untracked(String),
    /// The file is gone.
    Missing(String),
}

/// How many files of a commit are listed.
const FILES: usize = 1_000_000;

impl GitFacts {
    /// Reads the commit at `HEAD` of the repository that `directory` lies in.
    ///
    /// # Errors
    ///
    /// [`Error::Git`] if there is no repository, no commit, or the directory is not in the work tree.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let repository = gix::discover(directory).map_err(|error| {
            Error::Git(format!(
                "{} lies in no Git repository ({error}); a release needs a commit",
                directory.display()
            ))
        })?;
        let work_tree = repository
            .workdir()
            .ok_or_else(|| Error::Git("the repository is bare; check out the commit first".to_owned()))?
            .canonicalize()
            .map_err(Error::io("read", directory))?;
        let absolute = directory.canonicalize().map_err(Error::io("read", directory))?;
        let below = absolute
            .strip_prefix(&work_tree)
            .map_err(|_| Error::Git(format!("{} lies outside the work tree", directory.display())))?;
        let commit = repository
            .head_commit()
            .map_err(|error| Error::Git(format!("HEAD names no commit ({error}); commit first")))?;
        let damaged =
            |error: &dyn std::fmt::Display| Error::Git(format!("the commit cannot be read: {error}"));
        let author = commit.author().map_err(|error| damaged(&error))?;
        let author_time = author.time().map_err(|error| damaged(&error))?;
        let commit_time = commit.time().map_err(|error| damaged(&error))?;
        let mut files = BTreeMap::new();
        let root = commit.tree().map_err(|error| damaged(&error))?;
        let tree_id = root.id.to_string();
        let tree = if below.as_os_str().is_empty() {
            Some(root)
        } else {
            let entry = root.lookup_entry_by_path(below).map_err(|error| damaged(&error))?;
            match entry {
                Some(entry) => Some(entry.object().map_err(|error| damaged(&error))?.into_tree()),
                None => None,
            }
        };
        if let Some(tree) = tree {
            list(&tree, "", &mut files)?;
        }
        Ok(Self {
            commit: commit.id.to_string(),
            tree: tree_id,
            author_time: Timestamp::from_seconds(author_time.seconds),
            commit_time: Timestamp::from_seconds(commit_time.seconds),
            parents: commit.parent_ids().count(),
            files,
            work_tree,
        })
    }

    /// How `content` at `path` differs from the commit, if it does. Links are compared by their target.
    ///
    /// # Errors
    ///
    /// [`Error::Git`] if the content cannot be hashed.
    pub fn compare(&self, path: &str, content: &[u8]) -> Result<Option<Change>, Error> {
        let Some(file) = self.files.get(path) else { return Ok(Some(Change::Untracked(path.to_owned()))) };
        let kind = if file.blob.len() == 40 {
            gix::hash::Kind::Sha1
        } else {
            return Err(Error::Git(
                "repositories with SHA-256 object names are not supported yet".to_owned(),
            ));
        };
        let id = gix::objs::compute_hash(kind, gix::objs::Kind::Blob, content)
            .map_err(|error| Error::Git(error.to_string()))?;
        let actual = id.to_hex().to_string();
        Ok((actual != file.blob).then(|| Change::Modified(path.to_owned())))
    }

    /// Whether the repository that `directory` lies in has this commit.
    ///
    /// # Errors
    ///
    /// [`Error::Git`] if there is no repository or the id is none.
    pub fn has_commit(directory: &Path, commit: &str) -> Result<bool, Error> {
        let repository = gix::discover(directory).map_err(|error| {
            Error::Git(format!("{} lies in no Git repository ({error})", directory.display()))
        })?;
        let id = gix::ObjectId::from_hex(commit.as_bytes())
            .map_err(|error| Error::Git(format!("{commit:?} is no commit id: {error}")))?;
        Ok(repository.find_commit(id).is_ok())
    }
}

fn list(tree: &gix::Tree<'_>, prefix: &str, files: &mut BTreeMap<String, GitFile>) -> Result<(), Error> {
    for entry in tree.iter() {
        let entry = entry.map_err(|error| Error::Git(format!("a tree cannot be read: {error}")))?;
        let path = format!("{prefix}{}", entry.filename());
        let mode = entry.mode();
        if mode.is_tree() {
            let object = entry
                .object()
                .map_err(|error| Error::Git(format!("tree {path:?} cannot be read: {error}")))?;
            list(&object.into_tree(), &format!("{path}/"), files)?;
        } else if mode.is_blob_or_symlink() {
            let file = GitFile {
                blob: entry.object_id().to_string(),
                executable: mode.is_executable(),
                symlink: mode.is_link(),
            };
            files.insert(path, file);
        }
        if files.len() > FILES {
            return Err(Error::Limit { what: "files of a commit".to_owned(), limit: FILES });
        }
    }
    Ok(())
}
