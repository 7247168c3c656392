//! Lotse tests: journeys across crates and the verdicts of real tools, and what these tests share.
//!
//! This is no library to build on: nothing here is part of Lotse.
#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests find their peers in the environment, say what they skip, and fail by panicking"
)]

mod application;
pub mod laws;

use std::env;
use std::path::PathBuf;

pub use application::{armband, commit, committed_armband, copy, git, test_key};

/// The program of a peer: looked for in the directories of `LOTSE_PEERS` (parted like `PATH`), then on `PATH`.
///
/// Where it is missing the test prints what it skips and gets `None`.
///
/// # Panics
/// If it is missing and `LOTSE_REQUIRE_PEERS` is `1`, as it is in CI.
#[must_use]
pub fn peer(name: &str) -> Option<PathBuf> {
    let places = ["LOTSE_PEERS", "PATH"].into_iter().filter_map(env::var_os);
    let directories: Vec<PathBuf> =
        places.flat_map(|list| env::split_paths(&list).collect::<Vec<_>>()).collect();
    if let Some(found) = directories.iter().map(|directory| directory.join(name)).find(|path| path.is_file())
    {
        return Some(found);
    }
    assert!(
        !env::var("LOTSE_REQUIRE_PEERS").is_ok_and(|v| v == "1"),
        "the peer {name:?} is neither in LOTSE_PEERS nor on PATH, and LOTSE_REQUIRE_PEERS=1 demands it"
    );
    eprintln!("skipped: the peer {name:?} is neither in LOTSE_PEERS nor on PATH");
    None
}
