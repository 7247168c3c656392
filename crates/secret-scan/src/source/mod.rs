//! Where bytes come from: image layers as the caller hands them in, a directory, a Git history.

#[cfg(feature = "fs")]
mod directory;
#[cfg(feature = "git")]
mod git;

#[cfg(feature = "fs")]
pub use directory::scan_directory;
#[cfg(feature = "git")]
pub use git::scan_history;

use crate::finding::{Findings, Place};
use crate::scan::Scanner;
use lotse_digest::Digest;
use std::collections::BTreeSet;

/// How far a long scan has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Pieces done.
    pub done: u64,
    /// Pieces known so far; grows while a source is still being listed.
    pub total: u64,
}

/// Scans the layers of an image: each entry is (layer, path, bytes), files that a later layer deletes included. `config` is
/// the image configuration: its environment, command, labels and history. The same content in the same path is
/// scanned once, in the first layer that has it.
pub fn scan_image<'a>(
    scanner: &Scanner,
    entries: impl IntoIterator<Item = (&'a str, &'a str, &'a [u8])>,
    config: Option<&[u8]>,
    progress: &mut dyn FnMut(Progress),
) -> Findings {
    let mut out = Findings::default();
    let mut seen: BTreeSet<(String, Digest)> = BTreeSet::new();
    let mut done = 0_u64;
    for (layer, path, bytes) in entries {
        done = done.saturating_add(1);
        if seen.insert((path.to_owned(), Digest::sha256(bytes))) {
            append(&mut out, scanner.scan(bytes, &Place::layer(layer, path)));
        }
        progress(Progress { done, total: done });
    }
    if let Some(config) = config {
        // JSON escapes quotes and slashes: the values are scanned as a program will see them.
        let text =
            String::from_utf8_lossy(config).replace("\\\"", "\"").replace("\\/", "/").replace("\\n", "\n");
        append(&mut out, scanner.scan(text.as_bytes(), &Place::file("image configuration")));
    }
    out.sort();
    out
}

/// Merging without sorting each time.
fn append(out: &mut Findings, more: Findings) {
    out.found.extend(more.found);
    out.not_scanned.extend(more.not_scanned);
    out.scanned = out.scanned.saturating_add(more.scanned);
    out.bytes = out.bytes.saturating_add(more.bytes);
}
