//! Tree hashes: equal to the shell pipeline of the thesis and to Go's directory hash.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_digest::{Algorithm, ContentHash, Digest, GoDirHash, TreeHashError};

const FILES: [(&[u8], &[u8]); 4] =
    [(b"b", b"two\n"), (b"a/c", b"three\n"), (b"a-b", b""), (b"with space 'quote'", b"x")];

#[test]
fn the_content_hash_equals_the_shells() {
    let directory = std::env::temp_dir().join(format!("lotse-content-hash-{}", std::process::id()));
    let odd: [(&[u8], &[u8]); 2] = [(b"new\nline", b"1"), (b"back\\slash", b"2")];
    let mut hash = ContentHash::new();
    for (path, content) in FILES.into_iter().chain(odd) {
        let file = directory.join(std::str::from_utf8(path).unwrap());
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
        hash.file(path, content).unwrap();
    }
    let script = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum";
    let output =
        std::process::Command::new("sh").args(["-c", script]).current_dir(&directory).output().unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(hash.finish().encoded(), text.split_whitespace().next().unwrap(), "{script}");
}

#[test]
fn order_does_not_matter_and_bytes_sort_not_components() {
    let hash = |files: Vec<(&[u8], &[u8])>| {
        let mut content = ContentHash::new();
        let mut go = GoDirHash::new();
        for (path, bytes) in files {
            content.file(path, bytes).unwrap();
            go.file(path, bytes).unwrap();
        }
        (content.finish(), go.finish())
    };
    let forward = hash(FILES.to_vec());
    assert_eq!(forward, hash(FILES.into_iter().rev().collect()));
    assert_eq!(
        ContentHash::new().finish(),
        Digest::sha256(b""),
        "no file: the hash of nothing, as with xargs -r"
    );
}

#[test]
fn the_h1_hash_of_go_is_known() {
    // The answer of Python's hashlib and base64 over the list "hash  name\n" that golang.org/x/mod/sumdb/dirhash documents.
    let mut go = GoDirHash::new();
    go.file(b"go.mod", b"module example.com/m\n").unwrap();
    assert_eq!(go.finish(), "h1:flS2VctbRrTv+sBE+VKgxx6hlkMGPVz9MGOmzMYFg3k=");
    assert_eq!(GoDirHash::new().finish(), "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

#[test]
fn what_a_list_cannot_hold_is_refused() {
    let mut hash = ContentHash::new();
    hash.file(b"a", b"").unwrap();
    assert_eq!(hash.file(b"a", b"other"), Err(TreeHashError::Duplicate("a".to_owned())));
    assert_eq!(hash.file(b"/a", b""), Err(TreeHashError::Path("/a".to_owned())));
    assert_eq!(hash.file(b"", b""), Err(TreeHashError::Path(String::new())));
    let sha512 = Digest::of(Algorithm::Sha512, b"");
    assert_eq!(hash.hashed_file(b"c", sha512), Err(TreeHashError::Algorithm(Algorithm::Sha512)));
    assert_eq!(GoDirHash::new().file(b"a\nb", b""), Err(TreeHashError::Newline("a\nb".to_owned())));
}
