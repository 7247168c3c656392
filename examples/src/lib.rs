//! Lotse examples.
