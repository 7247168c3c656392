//! The checks, each with the levels and versions it belongs to. Reasons and details are the words of the reference.

use std::collections::BTreeSet;

use super::facts::{ALLOWED_SOURCES, Container, Facts, OTHER_SOURCES};
use super::profiles::{app_armor, se_linux, seccomp_annotations, seccomp_baseline, seccomp_restricted};
use super::words::{bad, fields, named, plural, quoted, setters, violation};
use super::{Level, Violation};

type Run = fn(&Facts<'_>) -> Option<Violation>;

/// One check: what runs from which minor on.
pub(super) struct Check {
    pub(super) id: &'static str,
    pub(super) level: Level,
    pub(super) versions: &'static [(u32, Run)],
    /// Baseline checks that this one replaces at the restricted level.
    pub(super) overrides: &'static [&'static str],
}

/// In the order in which the reference reports: baseline by name, then restricted by name.
pub(super) const CHECKS: [Check; 19] = [
    baseline("appArmorProfile", &[(0, app_armor)]),
    baseline("capabilities_baseline", &[(0, capabilities_baseline)]),
    baseline("hostNamespaces", &[(0, host_namespaces)]),
    baseline("hostPathVolumes", &[(0, host_path_volumes)]),
    baseline("hostPorts", &[(0, host_ports)]),
    baseline("hostProbesAndHostLifecycle", &[(34, hosts)]),
    baseline("privileged", &[(0, privileged)]),
    baseline("procMount", &[(0, proc_mount), (35, |pod| outside_user_namespace(pod, proc_mount))]),
    baseline("seLinuxOptions", &[(0, |pod| se_linux(pod, false)), (31, |pod| se_linux(pod, true))]),
    baseline("seccompProfile_baseline", &[(0, seccomp_annotations), (19, seccomp_baseline)]),
    baseline(
        "sysctls",
        &[
            (0, |pod| sysctls(pod, 5)),
            (27, |pod| sysctls(pod, 6)),
            (29, |pod| sysctls(pod, 10)),
            (32, |pod| sysctls(pod, 12)),
        ],
    ),
    baseline("windowsHostProcess", &[(0, host_process)]),
    restricted("allowPrivilegeEscalation", &[(8, escalation), (25, |pod| on_linux(pod, escalation))], &[]),
    restricted(
        "capabilities_restricted",
        &[(22, capabilities_restricted), (25, |pod| on_linux(pod, capabilities_restricted))],
        &["capabilities_baseline"],
    ),
    restricted("procMount_restricted", &[(35, proc_mount)], &["procMount"]),
    restricted("restrictedVolumes", &[(0, restricted_volumes)], &["hostPathVolumes"]),
    restricted("runAsNonRoot", &[(0, non_root), (35, |pod| outside_user_namespace(pod, non_root))], &[]),
    restricted("runAsUser", &[(23, run_as_user), (35, |pod| outside_user_namespace(pod, run_as_user))], &[]),
    restricted(
        "seccompProfile_restricted",
        &[(19, seccomp_restricted), (25, |pod| on_linux(pod, seccomp_restricted))],
        &["seccompProfile_baseline"],
    ),
];

const fn baseline(id: &'static str, versions: &'static [(u32, Run)]) -> Check {
    Check { id, level: Level::Baseline, versions, overrides: &[] }
}

const fn restricted(
    id: &'static str,
    versions: &'static [(u32, Run)],
    overrides: &'static [&'static str],
) -> Check {
    Check { id, level: Level::Restricted, versions, overrides }
}

fn on_linux(pod: &Facts<'_>, run: Run) -> Option<Violation> {
    if pod.windows { None } else { run(pod) }
}

fn outside_user_namespace(pod: &Facts<'_>, run: Run) -> Option<Violation> {
    if pod.in_user_namespace() { None } else { run(pod) }
}

const DEFAULT_CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Containers that add a capability outside a list, and what they add.
fn adding<'p, 'a>(pod: &'p Facts<'a>, allowed: &[&str]) -> (Vec<&'p Container<'a>>, BTreeSet<&'a str>) {
    let mut names = BTreeSet::new();
    let mut containers = Vec::new();
    for container in &pod.containers {
        let added = container.security.capabilities.iter().flat_map(|capabilities| capabilities.add.iter());
        let before = containers.len();
        for name in added.filter(|name| !allowed.contains(name)) {
            names.insert(*name);
            if containers.len() == before {
                containers.push(container);
            }
        }
    }
    (containers, names)
}

fn must_not_add(containers: &[&Container<'_>], names: BTreeSet<&str>) -> String {
    format!("{} must not include {} in securityContext.capabilities.add", named(containers), quoted(names))
}

fn capabilities_baseline(pod: &Facts<'_>) -> Option<Violation> {
    let (containers, names) = adding(pod, &DEFAULT_CAPABILITIES);
    if containers.is_empty() {
        return None;
    }
    let places = fields(&containers, "securityContext/capabilities/add");
    violation("non-default capabilities", must_not_add(&containers, names), places)
}

fn capabilities_restricted(pod: &Facts<'_>) -> Option<Violation> {
    let keeping = bad(pod, |container| {
        !container
            .security
            .capabilities
            .as_ref()
            .is_some_and(|capabilities| capabilities.drop.contains(&"ALL"))
    });
    let (containers, names) = adding(pod, &["NET_BIND_SERVICE"]);
    let mut details = Vec::new();
    let mut places = fields(&keeping, "securityContext/capabilities/drop");
    if !keeping.is_empty() {
        details.push(format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", named(&keeping)));
    }
    if !containers.is_empty() {
        places.extend(fields(&containers, "securityContext/capabilities/add"));
        details.push(must_not_add(&containers, names));
    }
    if details.is_empty() { None } else { violation("unrestricted capabilities", details.join("; "), places) }
}

fn host_namespaces(pod: &Facts<'_>) -> Option<Violation> {
    let all = [("hostNetwork", pod.host_network), ("hostPID", pod.host_pid), ("hostIPC", pod.host_ipc)];
    let set: Vec<&str> = all.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect();
    if set.is_empty() {
        return None;
    }
    let detail: Vec<String> = set.iter().map(|name| format!("{name}=true")).collect();
    let places = set.iter().map(|name| format!("{}/spec/{name}", pod.pointer)).collect();
    violation("host namespaces", detail.join(", "), places)
}

fn host_path_volumes(pod: &Facts<'_>) -> Option<Violation> {
    let mut names = Vec::new();
    let mut places = Vec::new();
    for (number, volume) in pod.volumes.iter().enumerate() {
        if volume.sources.contains(&"hostPath") {
            names.push(volume.name);
            places.push(format!("{}/spec/volumes/{number}/hostPath", pod.pointer));
        }
    }
    if names.is_empty() {
        return None;
    }
    let detail = format!("{} {}", plural(names.len(), "volume", "volumes"), quoted(names));
    violation("hostPath volumes", detail, places)
}

fn restricted_volumes(pod: &Facts<'_>) -> Option<Violation> {
    let mut names = Vec::new();
    let mut kinds = BTreeSet::new();
    let mut places = Vec::new();
    for (number, volume) in pod.volumes.iter().enumerate() {
        if volume.sources.iter().any(|source| ALLOWED_SOURCES.contains(source)) {
            continue;
        }
        names.push(volume.name);
        let place = format!("{}/spec/volumes/{number}", pod.pointer);
        match OTHER_SOURCES.iter().find(|source| volume.sources.contains(source)) {
            Some(source) => {
                kinds.insert(*source);
                places.push(format!("{place}/{source}"));
            }
            None => {
                kinds.insert("unknown");
                places.push(place);
            }
        }
    }
    if names.is_empty() {
        return None;
    }
    let detail = format!(
        "{} {} {} {} {}",
        plural(names.len(), "volume", "volumes"),
        quoted(names.iter().copied()),
        plural(names.len(), "uses", "use"),
        plural(kinds.len(), "restricted volume type", "restricted volume types"),
        quoted(kinds),
    );
    violation("restricted volume types", detail, places)
}

fn host_ports(pod: &Facts<'_>) -> Option<Violation> {
    let containers = bad(pod, |container| container.ports.iter().any(|(host, _)| *host != 0));
    if containers.is_empty() {
        return None;
    }
    let mut ports = BTreeSet::new();
    let mut places = Vec::new();
    for container in &containers {
        for (number, (host, _)) in container.ports.iter().enumerate().filter(|(_, (host, _))| *host != 0) {
            ports.insert(host.to_string());
            places.push(format!("{}/ports/{number}/hostPort", container.pointer));
        }
    }
    let list: Vec<String> = ports.into_iter().collect();
    let detail = format!(
        "{} {} {} {}",
        named(&containers),
        plural(containers.len(), "uses", "use"),
        plural(list.len(), "hostPort", "hostPorts"),
        list.join(", "),
    );
    violation("hostPort", detail, places)
}

fn hosts(pod: &Facts<'_>) -> Option<Violation> {
    let mut names = BTreeSet::new();
    let mut found = BTreeSet::new();
    let mut places = Vec::new();
    for container in &pod.containers {
        for (host, below) in &container.hosts {
            names.insert(container.name);
            found.insert(*host);
            places.push(format!("{}{below}", container.pointer));
        }
    }
    if names.is_empty() {
        return None;
    }
    let detail = format!(
        "{} {} {} {} {}",
        plural(names.len(), "container", "containers"),
        quoted(names.iter().copied()),
        plural(names.len(), "uses", "use"),
        plural(found.len(), "probe or lifecycle host", "probe or lifecycle hosts"),
        quoted(found),
    );
    violation("probe or lifecycle host", detail, places)
}

fn privileged(pod: &Facts<'_>) -> Option<Violation> {
    let containers = bad(pod, |container| container.security.privileged == Some(true));
    if containers.is_empty() {
        return None;
    }
    let detail = format!("{} must not set securityContext.privileged=true", named(&containers));
    violation("privileged", detail, fields(&containers, "securityContext/privileged"))
}

fn proc_mount(pod: &Facts<'_>) -> Option<Violation> {
    let other =
        |container: &Container<'_>| container.security.proc_mount.is_some_and(|mount| mount != "Default");
    let containers = bad(pod, other);
    if containers.is_empty() {
        return None;
    }
    let kinds: BTreeSet<&str> =
        containers.iter().filter_map(|container| container.security.proc_mount).collect();
    let detail =
        format!("{} must not set securityContext.procMount to {}", named(&containers), quoted(kinds));
    violation("procMount", detail, fields(&containers, "securityContext/procMount"))
}

/// In the order in which they became safe: five in 1.0, one in 1.27, four in 1.29, two in 1.32.
const SAFE_SYSCTLS: [&str; 12] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
];

fn sysctls(pod: &Facts<'_>, safe: usize) -> Option<Violation> {
    let unsafe_ones = pod
        .sysctls
        .iter()
        .enumerate()
        .filter(|(_, name)| !SAFE_SYSCTLS.iter().take(safe).any(|s| s == *name));
    let (places, names): (Vec<String>, Vec<&str>) = unsafe_ones
        .map(|(number, name)| (format!("{}/spec/securityContext/sysctls/{number}/name", pod.pointer), *name))
        .unzip();
    if names.is_empty() { None } else { violation("forbidden sysctls", names.join(", "), places) }
}

fn host_process(pod: &Facts<'_>) -> Option<Violation> {
    let (who, places) = setters(pod, "securityContext/windowsOptions/hostProcess", |context| {
        context.host_process == Some(true)
    });
    if who.is_empty() {
        return None;
    }
    let detail =
        format!("{} must not set securityContext.windowsOptions.hostProcess=true", who.join(" and "));
    violation("hostProcess", detail, places)
}

fn escalation(pod: &Facts<'_>) -> Option<Violation> {
    let containers = bad(pod, |container| container.security.allow_escalation != Some(false));
    if containers.is_empty() {
        return None;
    }
    let detail = format!("{} must set securityContext.allowPrivilegeEscalation=false", named(&containers));
    violation(
        "allowPrivilegeEscalation != false",
        detail,
        fields(&containers, "securityContext/allowPrivilegeEscalation"),
    )
}

fn non_root(pod: &Facts<'_>) -> Option<Violation> {
    let below = "securityContext/runAsNonRoot";
    let (who, places) = setters(pod, below, |context| context.run_as_non_root == Some(false));
    let reason = "runAsNonRoot != true";
    if !who.is_empty() {
        let detail = format!("{} must not set securityContext.runAsNonRoot=false", who.join(" and "));
        return violation(reason, detail, places);
    }
    if pod.security.run_as_non_root == Some(true) {
        return None;
    }
    let containers = bad(pod, |container| container.security.run_as_non_root.is_none());
    if containers.is_empty() {
        return None;
    }
    let detail = format!("pod or {} must set securityContext.runAsNonRoot=true", named(&containers));
    violation(reason, detail, fields(&containers, below))
}

fn run_as_user(pod: &Facts<'_>) -> Option<Violation> {
    let (who, places) = setters(pod, "securityContext/runAsUser", |context| context.run_as_user == Some(0));
    if who.is_empty() {
        return None;
    }
    violation("runAsUser=0", format!("{} must not set runAsUser=0", who.join(" and ")), places)
}
