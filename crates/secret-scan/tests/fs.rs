//! A directory on disk.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

mod corpus;

use lotse_secret_scan::{Limits, Scanner, scan_directory};
use std::fs;

#[test]
fn files_ignored_or_not_and_the_git_configuration() {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let token = corpus::with_crc("ghp", 1);
    write(".gitignore", "node_modules\n.env\n");
    write(".env", &format!("TOKEN={token}"));
    write("node_modules/a/b.js", &token);
    write("values.branch.yaml", &token);
    write(
        ".git/config",
        &format!("[remote \"o\"]\n\turl = https://bot:{}\u{40}git.acme.dev/x\n", corpus::base62(12, 2)),
    );
    write(".git/objects/aa/x", &token);
    let scanner = Scanner::new(Limits::for_repositories()).unwrap();
    let mut last = 0;
    let findings = scan_directory(&scanner, root.path(), &mut |p| last = p.done).unwrap();
    let paths: Vec<&str> = findings.found.iter().map(|f| f.place.path.as_str()).collect();
    assert_eq!(paths, [".env", ".git/config", "node_modules/a/b.js", "values.branch.yaml"]);
    assert_eq!(last, 5);
    assert_eq!(findings, scan_directory(&scanner, root.path(), &mut |_| ()).unwrap());
    assert!(scan_directory(&scanner, &root.path().join("gone"), &mut |_| ()).is_err());
}
