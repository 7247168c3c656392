//! Secrets in trees, git history and image layers.
