//! A history made by real git, with secrets where patches do not show them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

mod corpus;

use corpus::with_crc;
use lotse_secret_scan::{Error, Limits, Scanner, scan_history};
use std::path::Path;
use std::process::Command;

fn git(root: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(root)
        .env_clear()
        .env("PATH", option_env!("PATH").unwrap_or("/usr/bin:/bin"))
        .env("HOME", root)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_DATE", "1700000000 +0000")
        .env("GIT_COMMITTER_DATE", "1700000000 +0000")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Where each secret of the corpus stands in the history.
fn history(root: &Path) -> Vec<String> {
    let commit = |message: &str| {
        git(root, &["add", "-A"]);
        git(root, &["commit", "-q", "-m", message]);
        git(root, &["rev-parse", "HEAD"])
    };
    git(root, &["init", "-q"]);
    write(root, "a.txt", "nothing\n");
    commit("first");
    let mut expected = Vec::new();
    // Added and removed again.
    write(root, "old/.env", &format!("x\nTOKEN={}\n", with_crc("ghp", 1)));
    expected.push(format!("{} old/.env 2", commit("add")));
    std::fs::remove_file(root.join("old/.env")).unwrap();
    commit("remove");
    // In a message.
    git(root, &["commit", "-q", "--allow-empty", "-m", &format!("token {}", with_crc("ghp", 2))]);
    expected.push(format!("{}  commit message", git(root, &["rev-parse", "HEAD"])));
    // Only in the resolution of a merge.
    git(root, &["checkout", "-q", "-b", "side", "HEAD~1"]);
    write(root, "a.txt", "side\n");
    commit("side");
    git(root, &["checkout", "-q", "main"]);
    write(root, "a.txt", "main\n");
    commit("main");
    let _ = Command::new("git").current_dir(root).args(["merge", "-q", "side"]).output();
    write(root, "a.txt", &format!("{}\n", with_crc("ghp", 3)));
    expected.push(format!("{} a.txt 1", commit("merge")));
    write(root, "a.txt", "clean\n");
    commit("clean");
    // In an annotated tag and on a branch that is gone but tagged.
    git(root, &["tag", "-a", "v1", "-m", &with_crc("ghp", 4)]);
    expected.push(format!("{}  tag message", git(root, &["rev-parse", "v1"])));
    git(root, &["checkout", "-q", "-b", "gone"]);
    write(root, "b.txt", &with_crc("ghp", 5));
    expected.push(format!("{} b.txt 1", commit("gone")));
    git(root, &["tag", "light"]);
    git(root, &["checkout", "-q", "main"]);
    git(root, &["branch", "-q", "-D", "gone"]);
    // In two stashes: the older one lives in a reference's log.
    for seed in [6, 7] {
        write(root, "a.txt", &with_crc("ghp", seed));
        git(root, &["stash", "-q"]);
        expected.push(format!("{} a.txt 1", git(root, &["rev-parse", "stash@{0}"])));
    }
    expected.sort();
    expected
}

fn describe(root: &Path) -> Vec<String> {
    let scanner = Scanner::new(Limits::for_repositories()).unwrap();
    let findings = scan_history(&scanner, root, &mut |_| ()).unwrap();
    let line = |f: &lotse_secret_scan::Finding| match &f.place.part {
        Some(part) => format!("{}  {part}", f.place.commit.as_deref().unwrap()),
        None => format!("{} {} {}", f.place.commit.as_deref().unwrap(), f.place.path, f.line),
    };
    let mut all: Vec<String> = findings.found.iter().map(line).collect();
    all.sort();
    all
}

#[test]
fn merges_messages_tags_stashes_and_deleted_files() {
    let root = tempfile::tempdir().unwrap();
    let expected = history(root.path());
    assert_eq!(expected.len(), 7);
    assert_eq!(describe(root.path()), expected);
    // Packing the objects and the references changes nothing.
    git(root.path(), &["pack-refs", "--all"]);
    git(root.path(), &["gc", "-q"]);
    assert_eq!(describe(root.path()), expected);
}

#[test]
fn what_is_no_whole_history_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let scanner = Scanner::new(Limits::for_repositories()).unwrap();
    let empty = scan_history(&scanner, root.path(), &mut |_| ());
    assert!(matches!(empty, Err(Error::Git { .. })));
    let origin = root.path().join("origin");
    std::fs::create_dir(&origin).unwrap();
    history(&origin);
    let url = format!("file://{}", origin.display());
    git(root.path(), &["clone", "-q", "--depth", "1", &url, "shallow"]);
    let error = scan_history(&scanner, &root.path().join("shallow"), &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("shallow clone"), "{error}");
}
