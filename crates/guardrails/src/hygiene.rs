//! Pinned images, limits, probes, one process per container, and state off the primary database.

use lotse_gitops_manifest::{Container, ContainerRole, Object};
use lotse_yaml::Value;

use crate::cluster::workloads;
use crate::{Finding, Severity};

/// What every workload should have: images pinned by digest, requests and limits, probes, one process per container
/// (R18), and queue, cache and sessions off the primary database.
#[must_use]
pub fn hygiene_findings(objects: &[Object]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for workload in workloads(objects) {
        for container in workload.template.containers() {
            image(workload.object, &container, &mut findings);
            resources(workload.object, &container, &mut findings);
            liveness(workload.object, &container, &mut findings);
            processes(workload.object, &container, &mut findings);
            environment(workload.object, &container, &mut findings);
        }
    }
    for object in objects.iter().filter(|object| object.kind() == "ConfigMap" && object.group().is_empty()) {
        let data = object.value().get("data").and_then(Value::as_object);
        for (key, value) in data.into_iter().flatten() {
            let at = format!("/data/{}", lotse_yaml::pointer_escape(key));
            state(object, key, value.as_str().unwrap_or_default(), &at, &mut findings);
        }
    }
    findings
}

/// `true` for a reference that ends with a whole sha256, sha384 or sha512 digest.
fn is_pinned(image: &str) -> bool {
    let Some((_, digest)) = image.rsplit_once('@') else { return false };
    let length = match digest.split_once(':') {
        Some(("sha256", hex)) => (hex, 64),
        Some(("sha384", hex)) => (hex, 96),
        Some(("sha512", hex)) => (hex, 128),
        _ => return false,
    };
    length.0.len() == length.1 && length.0.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn image(object: &Object, container: &Container<'_>, findings: &mut Vec<Finding>) {
    let at = format!("{}/image", container.pointer());
    let image = container.image();
    if is_pinned(image) {
        return;
    }
    let name = image.split('@').next().unwrap_or_default();
    let tag = name.rsplit('/').next().unwrap_or_default().split_once(':').map(|(_, tag)| tag);
    let reason = match (image, tag) {
        ("", _) => "no image".to_owned(),
        (_, None | Some("latest")) => {
            format!("`{image}` means another image tomorrow; pin it as name:tag@sha256:…")
        }
        (_, Some(_)) => {
            format!("`{image}` can be pushed again under the same tag; pin it as name:tag@sha256:…")
        }
    };
    findings.push(Finding::new(object, Severity::Error, "hygiene/unpinned-image", &at, reason));
}

fn resources(object: &Object, container: &Container<'_>, findings: &mut Vec<Finding>) {
    if container.role() == ContainerRole::Ephemeral {
        return;
    }
    let wanted = [
        ("limits", "memory", Severity::Error, "without a memory limit one container can starve its node"),
        ("requests", "memory", Severity::Warning, "without a memory request the scheduler overfills nodes"),
        ("requests", "cpu", Severity::Warning, "without a CPU request the container gets what others leave"),
        (
            "limits",
            "ephemeral-storage",
            Severity::Note,
            "without a limit on local storage logs can fill the node",
        ),
    ];
    for (kind, resource, severity, reason) in wanted {
        let has = |kind: &str| container.value().pointer(&format!("/resources/{kind}/{resource}")).is_some();
        // A limit without a request is a request too.
        let found = has(kind) || (kind == "requests" && has("limits"));
        if !found {
            let at = format!("{}/resources/{kind}/{resource}", container.pointer());
            let rule = format!("hygiene/no-{resource}-{}", kind.trim_end_matches('s'));
            findings.push(Finding::new(object, severity, &rule, &at, reason));
        }
    }
}

fn liveness(object: &Object, container: &Container<'_>, findings: &mut Vec<Finding>) {
    let lasting = matches!(
        object.kind(),
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController"
    );
    let missing = container.value().get("livenessProbe").is_none_or(Value::is_null);
    if lasting && container.role() == ContainerRole::Regular && missing {
        let at = format!("{}/livenessProbe", container.pointer());
        let reason = "a process that hangs is not restarted; ask it something cheap";
        findings.push(Finding::new(object, Severity::Warning, "hygiene/no-liveness-probe", &at, reason));
    }
}

/// Programs whose job is to run other programs.
const SUPERVISORS: [&str; 14] = [
    "supervisord",
    "s6-svscan",
    "s6-overlay",
    "runsvdir",
    "runit",
    "systemd",
    "init",
    "monit",
    "foreman",
    "honcho",
    "pm2",
    "circusd",
    "god",
    "concurrently",
];

fn processes(object: &Object, container: &Container<'_>, findings: &mut Vec<Finding>) {
    for key in ["command", "args"] {
        let words = container.value().get(key).and_then(Value::as_array).unwrap_or_default();
        for (number, word) in words.iter().filter_map(Value::as_str).enumerate() {
            let at = format!("{}/{key}/{number}", container.pointer());
            let programs =
                word.split(|letter: char| letter.is_whitespace() || matches!(letter, ';' | '&' | '|'));
            let supervisor =
                programs.map(|program| program.rsplit('/').next().unwrap_or_default()).find(|program| {
                    SUPERVISORS.contains(program) && (*program != "init" || word.ends_with("/init"))
                });
            if let Some(supervisor) = supervisor {
                let reason =
                    format!("{supervisor} runs several processes in one container; give each its own (R18)");
                findings.push(Finding::new(object, Severity::Error, "process/supervisor", &at, reason));
            } else if backgrounds(word) {
                let reason = "the shell puts a process into the background: nobody sees it end; give it its own container (R18)";
                findings.push(Finding::new(object, Severity::Error, "process/background", &at, reason));
            }
        }
    }
    let image = container.image().to_lowercase();
    if image.contains("supervisor") || (image.contains("nginx") && image.contains("fpm")) {
        let at = format!("{}/image", container.pointer());
        let reason = "the image's name speaks of several processes in one container; give each its own (R18)";
        findings.push(Finding::new(object, Severity::Warning, "process/several-in-image", &at, reason));
    }
    let ports = container.value().get("ports").and_then(Value::as_array).unwrap_or_default();
    let metrics = |port: &Value| {
        let name = port.get("name").and_then(Value::as_str).unwrap_or_default();
        ["metrics", "health", "probe", "admin", "prom"].iter().any(|word| name.contains(word))
    };
    let numbers: std::collections::BTreeSet<_> = ports
        .iter()
        .filter(|port| !metrics(port))
        .filter_map(|port| port.get("containerPort")?.as_u64())
        .collect();
    if numbers.len() > 1 {
        let at = format!("{}/ports", container.pointer());
        let reason = format!("{} ports that are no metrics: is this one process? (R18)", numbers.len());
        findings.push(Finding::new(object, Severity::Note, "process/several-ports", &at, reason));
    }
}

/// `true` for a shell text with a single `&` outside quotes that ends a command.
fn backgrounds(word: &str) -> bool {
    let mut quote = None;
    let letters: Vec<char> = word.chars().collect();
    for (place, &letter) in letters.iter().enumerate() {
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), close) if open == close => quote = None,
            (None, '&') => {
                let before = place.checked_sub(1).and_then(|at| letters.get(at)).copied();
                let after = letters.get(place + 1).copied();
                let near = |letter: Option<char>| matches!(letter, Some('&' | '>' | '<'));
                let spaced = before.is_some_and(char::is_whitespace);
                if !near(before) && !near(after) && spaced && after.is_none_or(char::is_whitespace) {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

fn environment(object: &Object, container: &Container<'_>, findings: &mut Vec<Finding>) {
    let variables = container.value().get("env").and_then(Value::as_array).unwrap_or_default();
    for (number, variable) in variables.iter().enumerate() {
        let text = |key| variable.get(key).and_then(Value::as_str).unwrap_or_default();
        let at = format!("{}/env/{number}/value", container.pointer());
        state(object, text("name"), text("value"), &at, findings);
    }
}

/// Laravel's words for where queue, cache and sessions live.
fn state(object: &Object, name: &str, value: &str, at: &str, findings: &mut Vec<Finding>) {
    let what = match name {
        "QUEUE_CONNECTION" | "QUEUE_DRIVER" => "the queue",
        "CACHE_STORE" | "CACHE_DRIVER" => "the cache",
        "SESSION_DRIVER" => "the sessions",
        _ => return,
    };
    match value {
        "database" => {
            let reason = format!("{what} would load the primary database; use Redis (R18)");
            findings.push(Finding::new(object, Severity::Error, "process/state-on-database", at, reason));
        }
        "file" | "array" | "sync" => {
            let reason =
                format!("{what} would be lost with the pod, and differ from pod to pod; use Redis (R18)");
            findings.push(Finding::new(object, Severity::Warning, "process/state-in-pod", at, reason));
        }
        _ => {}
    }
}
