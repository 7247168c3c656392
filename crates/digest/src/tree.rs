use std::collections::BTreeMap;

use crate::{Algorithm, Digest, Hasher, Lanes};

/// The content hash of the thesis: `find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum`.
///
/// It covers the paths and bytes of regular files; it is blind to modes, owners, times, symbolic links and empty directories.
/// So it says less than an image digest, and is stable where image digests of other builders are not.
///
/// ```
/// let mut hash = lotse_digest::ContentHash::new();
/// hash.file(b"artisan", b"#!/usr/bin/env php\n")?;
/// assert_eq!(hash.finish().to_string(), "sha256:9c270033d8ef7f4fe3eb14f34a348bb5bd1a9356a9e6bf81b3097909b9236440");
/// # Ok::<(), lotse_digest::TreeHashError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ContentHash {
    files: BTreeMap<Vec<u8>, Digest>,
}

impl ContentHash {
    /// A tree without files.
    #[must_use]
    pub const fn new() -> Self {
        Self { files: BTreeMap::new() }
    }

    /// Adds a regular file, in any order. `path` is relative to the directory, without `./`.
    ///
    /// # Errors
    ///
    /// [`TreeHashError::Duplicate`] if the path was added before, [`TreeHashError::Path`] if it is empty or absolute.
    pub fn file(&mut self, path: &[u8], content: &[u8]) -> Result<(), TreeHashError> {
        self.hashed_file(path, Digest::sha256(content))
    }

    /// Adds regular files, `(path, content)`, hashed many at once.
    ///
    /// # Errors
    ///
    /// As [`file`](Self::file); files before the one that is refused are added.
    pub fn files(&mut self, files: &[(&[u8], &[u8])]) -> Result<(), TreeHashError> {
        let contents: Vec<&[u8]> = files.iter().map(|(_, content)| *content).collect();
        let hashes = Lanes::detect().sha256(&contents);
        files.iter().zip(hashes).try_for_each(|((path, _), hash)| {
            self.hashed_file(path, Digest::computed(Algorithm::Sha256, &hash))
        })
    }

    /// Adds a regular file whose SHA-256 is known.
    ///
    /// # Errors
    ///
    /// As [`file`](Self::file), and [`TreeHashError::Algorithm`] if the digest is not SHA-256.
    pub fn hashed_file(&mut self, path: &[u8], digest: Digest) -> Result<(), TreeHashError> {
        insert(&mut self.files, path, digest)
    }

    /// The hash of the sorted list.
    #[must_use]
    pub fn finish(&self) -> Digest {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        for (path, digest) in &self.files {
            // sha256sum escapes these and says so with a backslash at the line's start.
            let escape = path.iter().any(|byte| matches!(byte, b'\\' | b'\n' | b'\r'));
            let mut line = Vec::with_capacity(path.len() + 72);
            if escape {
                line.push(b'\\');
            }
            line.extend_from_slice(digest.encoded().as_bytes());
            line.extend_from_slice(b"  ./");
            for &byte in path {
                match byte {
                    b'\\' => line.extend_from_slice(b"\\\\"),
                    b'\n' => line.extend_from_slice(b"\\n"),
                    b'\r' => line.extend_from_slice(b"\\r"),
                    _ => line.push(byte),
                }
            }
            line.push(b'\n');
            hasher.update(&line);
        }
        hasher.finish()
    }
}

/// Go's directory hash `h1:` (golang.org/x/mod/sumdb/dirhash, `Hash1`): the list `<hex>␠␠<path>\n`, sorted by path, hashed again.
///
/// Printed in standard base64 with padding, as in `go.sum`. Paths are the ones the caller gives; in a module zip they begin with
/// `module@version/`.
#[derive(Clone, Debug, Default)]
pub struct GoDirHash {
    files: BTreeMap<Vec<u8>, Digest>,
}

impl GoDirHash {
    /// A tree without files.
    #[must_use]
    pub const fn new() -> Self {
        Self { files: BTreeMap::new() }
    }

    /// Adds a file, in any order.
    ///
    /// # Errors
    ///
    /// [`TreeHashError::Newline`] if the path holds a newline (Go refuses it too), [`TreeHashError::Duplicate`] and
    /// [`TreeHashError::Path`] as in [`ContentHash::file`].
    pub fn file(&mut self, path: &[u8], content: &[u8]) -> Result<(), TreeHashError> {
        if path.contains(&b'\n') {
            return Err(TreeHashError::Newline(String::from_utf8_lossy(path).into_owned()));
        }
        insert(&mut self.files, path, Digest::sha256(content))
    }

    /// The hash as `h1:` and base64.
    #[must_use]
    pub fn finish(&self) -> String {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        for (path, digest) in &self.files {
            hasher.update(digest.encoded().as_bytes());
            hasher.update(b"  ");
            hasher.update(path);
            hasher.update(b"\n");
        }
        format!("h1:{}", hasher.finish().base64())
    }
}

/// Why a file cannot be part of a tree hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeHashError {
    /// The same path came twice: one of the two contents would be lost.
    #[error("path {0:?} was given twice")]
    Duplicate(String),
    /// The path is empty or absolute.
    #[error("path {0:?} is not relative to the tree")]
    Path(String),
    /// The path holds a newline, which Go's list cannot hold.
    #[error("path {0:?} holds a newline, which an h1: hash cannot hold")]
    Newline(String),
    /// The digest given for a file is not SHA-256.
    #[error("the list holds sha256 digests, not {0}")]
    Algorithm(Algorithm),
}

fn insert(files: &mut BTreeMap<Vec<u8>, Digest>, path: &[u8], digest: Digest) -> Result<(), TreeHashError> {
    let lossy = || String::from_utf8_lossy(path).into_owned();
    if path.is_empty() || path.starts_with(b"/") {
        return Err(TreeHashError::Path(lossy()));
    }
    if digest.algorithm() != Algorithm::Sha256 {
        return Err(TreeHashError::Algorithm(digest.algorithm()));
    }
    if files.insert(path.to_vec(), digest).is_some() {
        Err(TreeHashError::Duplicate(lossy()))
    } else {
        Ok(())
    }
}
