//! The edge: a directory on disk.

use crate::catalogue::Catalogue;
use crate::error::{Error, Limits};
use crate::inventory::Inventory;
use std::path::Path;

/// Catalogues a directory: its files in order of their names, links not followed, `.git` left out. Only files of
/// package managers are opened.
///
/// # Errors
/// As [`crate::catalogue`], and [`Error::Unreadable`] for what the file system refuses.
pub fn catalogue_directory(root: &Path, limits: Limits) -> Result<Inventory, Error> {
    let mut catalogue = Catalogue::new(limits);
    let mut errors = Vec::new();
    let mut open = vec![(root.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = open.pop() {
        let unreadable = |e: std::io::Error| Error::Unreadable {
            path: folder.display().to_string(),
            reason: e.to_string(),
        };
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            // Names that are not UTF-8 belong to no package manager that is read.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            let kind = entry.file_type().map_err(unreadable)?;
            if kind.is_dir() && name != ".git" {
                open.push((entry.path(), path));
            } else if kind.is_file() {
                let bytes =
                    if Catalogue::wants(&path) { read(&entry.path(), &path, limits)? } else { Vec::new() };
                if let Err(error) = catalogue.add(&path, &bytes) {
                    errors.push(error);
                }
            }
        }
    }
    errors.sort_by_key(ToString::to_string);
    if errors.is_empty() { Ok(catalogue.finish()) } else { Err(Error::Files(errors)) }
}

fn read(file: &Path, path: &str, limits: Limits) -> Result<Vec<u8>, Error> {
    let unreadable = |e: std::io::Error| Error::Unreadable { path: path.to_owned(), reason: e.to_string() };
    let length = std::fs::metadata(file).map_err(unreadable)?.len();
    if usize::try_from(length).map_or(true, |n| n > limits.file_bytes) {
        return Err(Error::Limit { path: path.to_owned(), what: "bytes", limit: limits.file_bytes });
    }
    std::fs::read(file).map_err(unreadable)
}
