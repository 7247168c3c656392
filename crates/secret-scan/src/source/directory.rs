//! A directory on disk.

use super::{Progress, append};
use crate::error::Error;
use crate::finding::{Findings, NotScanned, Place};
use crate::scan::Scanner;
use std::path::{Path, PathBuf};

/// Scans a directory: every file in order of its path, tracked by Git or not, `.git/config` included, the rest of
/// `.git` left to [`crate::scan_history`]. Links are not followed; their targets are scanned as text.
///
/// # Errors
/// [`Error::Unreadable`] if the directory itself cannot be listed; a file that cannot be read is listed as not scanned.
pub fn scan_directory(
    scanner: &Scanner,
    root: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Findings, Error> {
    let mut files: Vec<(String, PathBuf)> = Vec::new();
    let mut out = Findings::default();
    list(root, "", &mut files, &mut out)?;
    files.sort();
    let total = u64::try_from(files.len()).unwrap_or(u64::MAX);
    for (done, (path, file)) in (1_u64..).zip(files) {
        let place = Place::file(path);
        match read(&file, scanner.limits().file_bytes) {
            Ok(bytes) => append(&mut out, scanner.scan(&bytes, &place)),
            Err(reason) => out.not_scanned.push(NotScanned { place, reason }),
        }
        progress(Progress { done, total });
    }
    out.sort();
    Ok(out)
}

fn read(file: &Path, limit: usize) -> Result<Vec<u8>, String> {
    let metadata = std::fs::symlink_metadata(file).map_err(|e| e.to_string())?;
    if metadata.file_type().is_symlink() {
        let target = std::fs::read_link(file).map_err(|e| e.to_string())?;
        return Ok(target.to_string_lossy().into_owned().into_bytes());
    }
    if usize::try_from(metadata.len()).map_or(true, |length| length > limit) {
        return Err(format!("{} bytes are above the limit of {limit}", metadata.len()));
    }
    std::fs::read(file).map_err(|e| e.to_string())
}

fn list(
    folder: &Path,
    prefix: &str,
    files: &mut Vec<(String, PathBuf)>,
    out: &mut Findings,
) -> Result<(), Error> {
    let unreadable =
        |e: std::io::Error| Error::Unreadable { path: folder.display().to_string(), reason: e.to_string() };
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() && name == ".git" {
            let config = entry.path().join("config");
            if config.is_file() {
                files.push((format!("{path}/config"), config));
            }
        } else if kind.is_dir() {
            if let Err(Error::Unreadable { reason, .. }) = list(&entry.path(), &path, files, out) {
                out.not_scanned.push(NotScanned { place: Place::file(path), reason });
            }
        } else if kind.is_file() || kind.is_symlink() {
            files.push((path, entry.path()));
        }
    }
    Ok(())
}
