//! What goes into the images: files of the application, held against the commit.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lotse_digest::{ContentHash, Digest};
use lotse_oci::FileTree;
use lotse_provenance::{Change, GitFacts};

use crate::check::{Check, Outcome, Witness};
use crate::{Build, Diagnostic, Diagnostics, Error, Spec};

/// The files of one image, read once.
pub(crate) struct Source {
    /// The layer's files.
    pub(crate) tree: FileTree,
    /// Every file's digest, by path in the application.
    files: BTreeMap<String, Digest>,
    changes: Vec<Change>,
}

impl Source {
    /// Reads what a build copies.
    pub(crate) fn read(
        spec: &Spec,
        component: &str,
        build: &Build,
        app: &Path,
        git: &GitFacts,
    ) -> Result<Self, Error> {
        let mut source = Self { tree: FileTree::new(), files: BTreeMap::new(), changes: Vec::new() };
        for (index, (path, to)) in build.copy.iter().enumerate() {
            let pointer = format!("/components/{component}/build/copy/{index}");
            let path = path.trim_end_matches('/');
            let from = app.join(path);
            if fs::symlink_metadata(&from).is_err() {
                let message =
                    format!("{path:?} is not in the application's directory; make it first, or leave it out");
                return Err(misplaced(spec, &pointer, message));
            }
            source.add(spec, &pointer, &from, path, to.trim_matches('/'), git)?;
        }
        Ok(source)
    }

    fn add(
        &mut self,
        spec: &Spec,
        pointer: &str,
        from: &Path,
        path: &str,
        to: &str,
        git: &GitFacts,
    ) -> Result<(), Error> {
        let name = path.rsplit('/').next().unwrap_or(path);
        if name == ".git" || name == ".env" || (name.starts_with(".env.") && name != ".env.example") {
            let message =
                format!("{path:?} would go into the image; secrets and history do not belong there");
            return Err(misplaced(spec, pointer, message));
        }
        let metadata = fs::symlink_metadata(from).map_err(Error::io("read", from))?;
        if metadata.is_dir() {
            // Git knows no empty directories, so a clone would not have them: directories come with what is in them.
            let mut names = Vec::new();
            for entry in fs::read_dir(from).map_err(Error::io("read", from))? {
                let name = entry.map_err(Error::io("read", from))?.file_name();
                names.push(name.into_string().map_err(|name| {
                    Error::Caller(format!("{} holds {name:?}, which is not UTF-8; rename it", from.display()))
                })?);
            }
            names.sort_unstable();
            for name in names {
                let below = |parent: &str| {
                    if parent.is_empty() || parent == "." { name.clone() } else { format!("{parent}/{name}") }
                };
                self.add(spec, pointer, &from.join(&name), &below(path), &below(to), git)?;
            }
            return Ok(());
        }
        if metadata.is_symlink() {
            let target = fs::read_link(from).map_err(Error::io("read", from))?;
            let target = target
                .to_str()
                .ok_or_else(|| Error::Caller(format!("the target of {} is not UTF-8", from.display())))?;
            self.tree.symlink(to, target)?;
            return self.record(path, target.as_bytes(), git);
        }
        if !metadata.is_file() {
            return Err(misplaced(
                spec,
                pointer,
                format!("{path:?} is neither file, directory nor symbolic link"),
            ));
        }
        let content = fs::read(from).map_err(Error::io("read", from))?;
        self.record(path, &content, git)?;
        // What Git says of a tracked file goes before the mode on disk, which a checkout may lose.
        let executable = git.files.get(path).map_or_else(|| is_executable(&metadata), |file| file.executable);
        if executable {
            self.tree.executable(to, content)?
        } else {
            self.tree.file(to, content)?
        }
        Ok(())
    }

    fn record(&mut self, path: &str, content: &[u8], git: &GitFacts) -> Result<(), Error> {
        self.files.insert(path.to_owned(), Digest::sha256(content));
        self.changes.extend(git.compare(path, content)?);
        Ok(())
    }

    /// The content hash of the files that are not in the commit, with their number; `None` if all are.
    pub(crate) fn outside_commit(&self) -> Result<Option<(Digest, usize)>, Error> {
        let mut hash = ContentHash::new();
        let mut count = 0;
        for change in &self.changes {
            if let Change::Untracked(path) = change
                && let Some(digest) = self.files.get(path)
            {
                hash.hashed_file(path.as_bytes(), digest.clone())
                    .map_err(|error| Error::below("content hash", &error))?;
                count += 1;
            }
        }
        Ok((count > 0).then(|| (hash.finish(), count)))
    }

    /// The content hash of the thesis over everything copied.
    pub(crate) fn content_hash(&self) -> Result<Digest, Error> {
        let mut hash = ContentHash::new();
        for (path, digest) in &self.files {
            hash.hashed_file(path.as_bytes(), digest.clone())
                .map_err(|error| Error::below("content hash", &error))?;
        }
        Ok(hash.finish())
    }
}

/// The check that the images are made of the commit.
pub(crate) fn check(sources: &BTreeMap<String, Source>, git: &GitFacts) -> Check {
    let mut findings = Vec::new();
    let mut files = 0;
    for (component, source) in sources {
        files += source.files.len();
        let outside = source.changes.iter().filter(|change| matches!(change, Change::Untracked(_))).count();
        for change in &source.changes {
            if let Change::Modified(path) | Change::Missing(path) = change {
                let text = "differs from the commit; commit it, or the image is not of this commit";
                findings.push(Witness::against(format!("{component}: {path}"), text));
            }
        }
        if outside > 0 {
            let text = format!(
                "{outside} files are not in the commit; the provenance names them by their content hash"
            );
            findings.push(Witness::note(component.clone(), text));
        }
    }
    Check {
        id: "source",
        title: "Are the images made of the commit?",
        requirements: &["R1", "R3"],
        gate: true,
        outcome: Outcome::NotRun,
        summary: format!("{files} files compared with commit {}", git.commit),
        findings: Vec::new(),
        evidence: vec!["images/index.json".to_owned()],
        limits: "Files from outside the commit, such as installed dependencies, are named but not traced further.",
    }
    .judged(findings)
}

fn misplaced(spec: &Spec, pointer: &str, message: String) -> Error {
    let (line, column) = spec.place(pointer);
    let list = vec![Diagnostic { code: "copy-missing", line, column, pointer: pointer.to_owned(), message }];
    Error::Spec(Diagnostics { file: spec.file.clone(), list })
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}
