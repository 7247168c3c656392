//! Hashes of files beside the programs that define them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::fs;
use std::process::Command;

use lotse_digest::{ContentHash, FsVerity};
use lotse_tests::peer;

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 131 + length * 7 + at / 251) as u8).collect()
}

#[test]
fn fsverity_computes_the_same_digests() {
    let Some(fsverity) = peer("fsverity") else { return };
    let directory = tempfile::tempdir().unwrap();
    let around = [1, 128, 129].map(|blocks| blocks * 4096);
    let sizes: Vec<usize> =
        around.iter().flat_map(|size| [size - 1, *size, size + 1]).chain([0, 77, 3_000_000]).collect();
    let mut command = Command::new(&fsverity);
    command.args(["digest", "--compact"]);
    for size in &sizes {
        let path = directory.path().join(size.to_string());
        fs::write(&path, content(*size)).unwrap();
        command.arg(path);
    }
    let output = command.output().unwrap();
    assert!(output.status.success());
    let theirs = String::from_utf8(output.stdout).unwrap();
    let ours: Vec<String> = sizes
        .iter()
        .map(|size| FsVerity::of(&content(*size)[..]).unwrap().to_string().replace("sha256:", ""))
        .collect();
    assert_eq!(theirs.lines().collect::<Vec<_>>(), ours, "{sizes:?}");
}

#[test]
fn the_shell_computes_the_same_content_hash() {
    let Some(shell) = peer("sh") else { return };
    let directory = tempfile::tempdir().unwrap();
    let names = ["a", "a-b", "a/c", "z\nline", "back\\slash", "\u{e4}", "a b/ 'quoted'", "deep/er/file"];
    // A file named `a` and a directory of that name cannot both be.
    let names: Vec<&str> = names.into_iter().filter(|name| *name != "a").collect();
    let contents: Vec<Vec<u8>> = (0..names.len()).map(|number| content(number * 997)).collect();
    for (name, content) in names.iter().zip(&contents) {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let script = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum";
    let output = Command::new(&shell).args(["-c", script]).current_dir(directory.path()).output().unwrap();
    let theirs = String::from_utf8(output.stdout).unwrap();
    let mut ours = ContentHash::new();
    let files: Vec<(&[u8], &[u8])> =
        names.iter().map(|name| name.as_bytes()).zip(contents.iter().map(Vec::as_slice)).collect();
    ours.files(&files).unwrap();
    assert_eq!(theirs.split(' ').next().unwrap(), ours.finish().encoded());
}
