//! The bundled application in a repository of its own, so that a test's release depends on nothing around it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A private key for tests: P-256 from 32 bytes of 7. It guards nothing.
///
/// # Panics
/// If the key cannot be made.
#[must_use]
pub fn test_key() -> String {
    lotse_sign::SigningKey::from_secret(lotse_sign::Scheme::EcdsaP256Sha256, &[7; 32])
        .and_then(|key| key.to_pem())
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The directory of the bundled application in this repository.
#[must_use]
pub fn armband() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/apps/armband")
}

/// Copies the bundled application to `to` and commits it there, at a fixed time by a fixed author.
///
/// # Panics
/// If files cannot be copied or Git fails.
pub fn committed_armband(to: &Path) {
    copy(&armband(), to);
    commit(to);
}

/// Commits everything in `directory` in a repository of its own, at a fixed time by a fixed author.
///
/// # Panics
/// If Git fails.
pub fn commit(directory: &Path) {
    git(directory, &["init", "-q", "-b", "main"]);
    git(directory, &["add", "-A", "-f"]);
    git(directory, &["commit", "-q", "-m", "Release"]);
}

/// Runs Git in `directory`, blind to the user's configuration.
///
/// # Panics
/// If Git fails.
pub fn git(directory: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"])
        .args(["-c", "core.autocrlf=false", "-c", "core.fileMode=true"])
        .args(arguments)
        .env("GIT_AUTHOR_DATE", "2026-11-20T10:00:00+0000")
        .env("GIT_COMMITTER_DATE", "2026-11-20T10:00:00+0000")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .current_dir(directory)
        .output();
    match output {
        Ok(output) if output.status.success() => {}
        other => panic!("git {arguments:?}: {other:?}"),
    }
}

/// Copies a directory with everything in it; what is executable stays executable.
///
/// # Panics
/// If a file cannot be copied.
pub fn copy(from: &Path, to: &Path) {
    let fail = |error: std::io::Error| -> ! { panic!("copy {}: {error}", from.display()) };
    fs::create_dir_all(to).unwrap_or_else(|error| fail(error));
    for entry in fs::read_dir(from).unwrap_or_else(|error| fail(error)) {
        let entry = entry.unwrap_or_else(|error| fail(error));
        let target = to.join(entry.file_name());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap_or_else(|error| fail(error));
        }
    }
}
