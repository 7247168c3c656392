//! Committing and taking back, as Git sees it.
#![cfg(feature = "git")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::collections::BTreeMap;
use std::path::Path;

use lotse_gitops_manifest::{Committer, commit, revert};

fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = std::process::Command::new("git").args(arguments).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_commit_and_its_revert_are_what_git_sees() {
    let directory = tempfile::TempDir::new().unwrap();
    git(directory.path(), &["init", "-q", "--bare", "-b", "main"]);
    let by =
        Committer { name: "Lotse".to_owned(), email: "lotse@example.com".to_owned(), time: 1_760_423_767 };
    let files = |pairs: &[(&str, Option<&str>)]| {
        pairs
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.map(|text| text.as_bytes().to_vec())))
            .collect::<BTreeMap<_, _>>()
    };
    let path = directory.path();
    let first = commit(
        path,
        "main",
        &files(&[("app/a.yaml", Some("one\n")), ("b", Some("b\n"))]),
        "Release 1\n",
        &by,
    )
    .unwrap();
    let second = commit(
        path,
        "main",
        &files(&[("app/a.yaml", Some("two\n")), ("b", None), ("c", Some("c\n"))]),
        "Release 2\n",
        &by,
    )
    .unwrap();
    assert_eq!(git(path, &["rev-parse", "main"]), second);
    assert_eq!(git(path, &["show", "main:app/a.yaml"]), "two");
    assert_eq!(git(path, &["log", "-1", "--format=%at %an %s"]), "1760423767 Lotse Release 2");
    assert!(
        commit(path, "main", &files(&[("c", Some("c\n"))]), "Nothing\n", &by)
            .unwrap_err()
            .to_string()
            .contains("nothing would change")
    );
    assert!(commit(path, "main", &files(&[("../x", Some(""))]), "Out\n", &by).is_err());
    let back = revert(path, "main", &second, &by).unwrap();
    assert_eq!(git(path, &["rev-parse", "main"]), back);
    assert_eq!(
        git(path, &["rev-parse", "main^{tree}"]),
        git(path, &["rev-parse", &format!("{first}^{{tree}}")])
    );
    assert_eq!(git(path, &["fsck", "--strict"]), "");
    assert!(revert(path, "main", &first, &by).unwrap_err().to_string().contains("parents"));
    commit(path, "main", &files(&[("app/a.yaml", Some("three\n"))]), "Release 3\n", &by).unwrap();
    assert!(revert(path, "main", &back, &by).unwrap_err().to_string().contains("changed again"));
    let other = tempfile::TempDir::new().unwrap();
    git(other.path(), &["init", "-q", "--bare", "-b", "main"]);
    let again = commit(
        other.path(),
        "main",
        &files(&[("app/a.yaml", Some("one\n")), ("b", Some("b\n"))]),
        "Release 1\n",
        &by,
    )
    .unwrap();
    assert_eq!(first, again, "the same commit has the same id everywhere");
}
