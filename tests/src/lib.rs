//! Lotse tests.
