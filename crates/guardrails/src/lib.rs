//! Is it allowed: pod security, RBAC, rollout safety.
