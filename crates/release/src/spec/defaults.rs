/// Something that follows without being said. Plain data; `--explain defaults` prints these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Default {
    /// The word it follows from.
    pub from: &'static str,
    /// What follows.
    pub follows: &'static str,
}

/// What is derived from what. Nothing about trust is among it: key, allow-list, approval and rollback horizon are always said.
#[must_use]
pub const fn defaults() -> &'static [Default] {
    DEFAULTS
}

const DEFAULTS: &[Default] = &[
    of(
        "component",
        "a Deployment (volumes: a StatefulSet, schedule: a CronJob), named application-component, with a ServiceAccount of its own and no token",
    ),
    of(
        "every pod",
        "Pod Security \"restricted\": not root, RuntimeDefault seccomp, no capabilities, no privilege escalation, read-only root",
    ),
    of(
        "build",
        "an image registry/application-component, tagged with version or commit and pinned by digest; its user is the base image's",
    ),
    of(
        "extends",
        "image, env, secrets, scratch, user, resources and command of the other component; not ports, host, probes, replicas, connections or migrations",
    ),
    of(
        "ports",
        "a Service; without probes an open TCP port means ready; a pause of 10 s before stopping, so that no request is lost",
    ),
    of("probes: /path", "HTTP startup, readiness and liveness on the first port"),
    of("replicas absent", "2 with ports, 1 with volumes, 1 otherwise"),
    of("replicas min >= 2", "a PodDisruptionBudget (maxUnavailable 1), spread over nodes"),
    of("replicas max", "a HorizontalPodAutoscaler, and no replica count in Git"),
    of("Deployment", "rollout with maxUnavailable 0 and maxSurge 25 %"),
    of("schedule", "Etc/UTC, concurrency Forbid, deadline 60 s, no retries"),
    of("host", "an Ingress with a Certificate, and a policy that lets the ingress namespace in"),
    of(
        "connections",
        "policies at both ends, everything else denied, DNS allowed; ${x.address} and ${x.port} in env",
    ),
    of("metrics", "a ServiceMonitor every 30 s, and a policy that lets the monitoring namespace in"),
    of("scratch", "an emptyDir of at most 64Mi each"),
    of("resources", "a limit on local storage: 256Mi, and 64Mi for each scratch directory"),
    of("volumes", "a claim for each, and a daily backup kept for 30 days unless backup: none"),
    of(
        "secrets",
        "ExternalSecret or Vault agent annotations, fetched anew within the lifetime, in the jobs as well",
    ),
    of(
        "migrations",
        "expand before the rollout, seeds after it; contract in a later release, once nothing within rollback needs the old shape; the jobs reach the database only",
    ),
    of("slos", "recording rules, multi-window burn-rate alerts and the remaining error budget"),
    of("flags", "flagd definitions that begin switched off, with owner and sunset"),
    of(
        "environment",
        "a namespace application-environment; automatic promotion syncs by itself, approval waits for a person",
    ),
];

const fn of(from: &'static str, follows: &'static str) -> Default {
    Default { from, follows }
}
