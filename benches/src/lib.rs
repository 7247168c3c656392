//! Lotse benches.
