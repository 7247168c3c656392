//! Does a rollout, a drain or a scale-up interrupt the service? Rules over a set of manifests.

use std::collections::{BTreeMap, BTreeSet};

use lotse_gitops_manifest::{ContainerRole, Object};
use lotse_yaml::Value;

use crate::cluster::{Amount, Space, Workload, spaces};
use crate::{Finding, Severity};

/// What in a set of manifests interrupts a service on a rollout, a drain or a scaling: strategy, probes, disruption
/// budgets, autoscalers, services and volumes, each against the others.
///
/// What is not in the set (a Service made elsewhere, say) is not known here; selectors that match nothing are
/// therefore warnings, not errors.
#[must_use]
pub fn rollout_findings(objects: &[Object]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for space in spaces(objects).values() {
        let served: BTreeSet<usize> =
            space.services.iter().flat_map(|service| space.behind(service)).collect();
        for (place, workload) in space.workloads.iter().enumerate() {
            let served = served.contains(&place);
            strategy(space, workload, served, &mut findings);
            probes(workload, served, &mut findings);
            volumes(space, workload, &mut findings);
        }
        budgets(space, &mut findings);
        space.autoscalers.iter().for_each(|scaler| autoscaler(space, scaler, &mut findings));
        space.services.iter().for_each(|object| service(space, object, &mut findings));
    }
    findings
}

/// The fewest pods a workload runs with: the autoscaler's minimum, or its replicas.
fn least(space: &Space<'_>, object: &Object) -> u64 {
    let number = |object: &Object, at| object.value().pointer(at).and_then(Value::as_u64).unwrap_or(1);
    match space.autoscaler(object) {
        Some(scaler) => number(scaler, "/spec/minReplicas"),
        None => number(object, "/spec/replicas"),
    }
}

fn strategy(space: &Space<'_>, workload: &Workload<'_>, served: bool, findings: &mut Vec<Finding>) {
    let object = workload.object;
    if object.kind() != "Deployment" {
        return;
    }
    let spec = object.value().get("spec");
    let replicas = least(space, object);
    if spec.and_then(|spec| spec.get("strategy")?.get("type")).and_then(Value::as_str) == Some("Recreate") {
        let reason =
            "Recreate ends every old pod before a new one starts; use RollingUpdate with maxUnavailable 0";
        findings.push(Finding::new(
            object,
            Severity::Error,
            "rollout/recreate",
            "/spec/strategy/type",
            reason,
        ));
        return;
    }
    let amount = |key: &str| {
        let value = spec.and_then(|spec| spec.get("strategy")?.get("rollingUpdate")?.get(key));
        value.and_then(Amount::read).unwrap_or(Amount::Percent(25))
    };
    let surge = amount("maxSurge").rounded_up(replicas);
    let mut gone = amount("maxUnavailable").rounded_down(replicas);
    if surge == 0 && gone == 0 {
        gone = 1;
        let reason =
            "maxSurge and maxUnavailable both come to 0 pods; the controller then takes maxUnavailable 1";
        findings.push(Finding::new(
            object,
            Severity::Warning,
            "rollout/both-zero",
            "/spec/strategy/rollingUpdate",
            reason,
        ));
    }
    let at = "/spec/strategy/rollingUpdate/maxUnavailable";
    if replicas > 0 && gone >= replicas {
        let reason =
            format!("a rollout may take away all {replicas} pod(s) at once; set maxUnavailable to 0");
        findings.push(Finding::new(object, Severity::Error, "rollout/all-unavailable", at, reason));
    } else if served && gone > 0 {
        let reason = format!("a rollout runs with {gone} of {replicas} pods fewer; set maxUnavailable to 0");
        findings.push(Finding::new(object, Severity::Note, "rollout/less-capacity", at, reason));
    }
    if served && replicas < 2 {
        let reason = "one pod behind a Service: a drain or a crash interrupts it; run at least 2";
        findings.push(Finding::new(
            object,
            Severity::Warning,
            "rollout/single-replica",
            "/spec/replicas",
            reason,
        ));
    }
    let number = |key: &str| spec.and_then(|spec| spec.get(key)).and_then(Value::as_u64);
    let ready = number("minReadySeconds").unwrap_or(0);
    if ready >= number("progressDeadlineSeconds").unwrap_or(600) {
        let reason =
            "minReadySeconds must be below progressDeadlineSeconds, or no rollout ever counts as done";
        findings.push(Finding::new(
            object,
            Severity::Error,
            "rollout/deadline",
            "/spec/minReadySeconds",
            reason,
        ));
    }
}

fn probes(workload: &Workload<'_>, served: bool, findings: &mut Vec<Finding>) {
    let object = workload.object;
    if matches!(object.kind(), "Job" | "CronJob" | "Pod" | "PodTemplate") {
        return;
    }
    let spec = workload.template.spec();
    let grace =
        spec.and_then(|spec| spec.get("terminationGracePeriodSeconds")).and_then(Value::as_u64).unwrap_or(30);
    for container in
        workload.template.containers().iter().filter(|container| container.role() == ContainerRole::Regular)
    {
        let value = container.value();
        let ports = value.get("ports").and_then(Value::as_array).is_some_and(|ports| !ports.is_empty());
        let readiness = value.get("readinessProbe").filter(|probe| !probe.is_null());
        if served && ports && readiness.is_none() {
            let reason = "without a readinessProbe a pod gets traffic as soon as its process starts";
            let at = format!("{}/readinessProbe", container.pointer());
            findings.push(Finding::new(object, Severity::Error, "rollout/no-readiness-probe", &at, reason));
        }
        let liveness = value.get("livenessProbe").filter(|probe| !probe.is_null());
        if let (Some(live), Some(ready)) = (liveness, readiness)
            && handler(live) == handler(ready)
            && threshold(live) <= threshold(ready)
            && value.get("startupProbe").is_none_or(Value::is_null)
        {
            let reason = "the same question as the readinessProbe, as impatiently: load restarts pods instead of sparing \
                          them; ask less, wait longer, or add a startupProbe";
            let at = format!("{}/livenessProbe", container.pointer());
            findings.push(Finding::new(
                object,
                Severity::Warning,
                "rollout/liveness-as-readiness",
                &at,
                reason,
            ));
        }
        let stop = value
            .get("lifecycle")
            .and_then(|lifecycle| lifecycle.get("preStop"))
            .filter(|stop| !stop.is_null());
        let at = format!("{}/lifecycle/preStop", container.pointer());
        if served && ports && stop.is_none() {
            let reason =
                "without a preStop delay a pod ends while endpoints still send to it; sleep a few seconds";
            findings.push(Finding::new(object, Severity::Warning, "rollout/no-pre-stop", &at, reason));
        }
        let sleep = stop.and_then(|stop| stop.get("sleep")?.get("seconds")).and_then(Value::as_u64);
        if sleep.is_some_and(|seconds| seconds >= grace) {
            let reason = format!(
                "preStop sleeps as long as the grace period of {grace} s: the process is killed, not ended"
            );
            findings.push(Finding::new(object, Severity::Error, "rollout/pre-stop-eats-grace", &at, reason));
        }
    }
}

/// What a probe asks, without its timing.
fn handler(probe: &Value) -> Vec<Option<&Value>> {
    ["httpGet", "tcpSocket", "exec", "grpc"].into_iter().map(|key| probe.get(key)).collect()
}

/// Seconds of failing after which a probe acts.
fn threshold(probe: &Value) -> u64 {
    let number = |key: &str, default| probe.get(key).and_then(Value::as_u64).unwrap_or(default);
    number("failureThreshold", 3).saturating_mul(number("periodSeconds", 10))
}

fn volumes(space: &Space<'_>, workload: &Workload<'_>, findings: &mut Vec<Finding>) {
    let object = workload.object;
    let volumes = workload.template.spec().and_then(|spec| spec.get("volumes")).and_then(Value::as_array);
    for (number, volume) in volumes.unwrap_or_default().iter().enumerate() {
        let claim = volume.pointer("/persistentVolumeClaim/claimName").and_then(Value::as_str);
        let Some(claim) = claim.filter(|_| object.kind() == "Deployment") else { continue };
        let found = space.claims.get(claim);
        let modes =
            found.and_then(|found| found.value().pointer("/spec/accessModes")).and_then(Value::as_array);
        let once = modes.is_some_and(|modes| {
            modes.iter().all(|mode| matches!(mode.as_str(), Some("ReadWriteOnce" | "ReadWriteOncePod")))
        });
        if once {
            let at = format!("{}/spec/volumes/{number}/persistentVolumeClaim", workload.template.pointer());
            let reason = "a volume for one node at a time: a rolling update waits for ever if the new pod lands elsewhere; \
                          use a StatefulSet or ReadWriteMany";
            findings.push(Finding::new(object, Severity::Error, "rollout/volume-once", &at, reason));
        }
    }
    for container in workload.template.containers() {
        let value = container.value();
        let locked =
            value.pointer("/securityContext/readOnlyRootFilesystem").and_then(Value::as_bool) == Some(true);
        let mounts = value.get("volumeMounts").and_then(Value::as_array).unwrap_or_default();
        let writable =
            mounts.iter().any(|mount| mount.get("readOnly").and_then(Value::as_bool) != Some(true));
        if locked && !writable {
            let at = format!("{}/volumeMounts", container.pointer());
            let reason =
                "the root file system is read-only and nothing else is writable; mount an emptyDir on /tmp";
            findings.push(Finding::new(object, Severity::Note, "rollout/nowhere-to-write", &at, reason));
        }
    }
}

fn budgets(space: &Space<'_>, findings: &mut Vec<Finding>) {
    let covered = |budget: &&Object| {
        let selector = budget.value().pointer("/spec/selector").filter(|selector| !selector.is_null());
        selector.map(|selector| space.selected(selector)).unwrap_or_default()
    };
    let covered: Vec<Vec<usize>> = space.budgets.iter().map(covered).collect();
    // Of each workload, the budgets over it.
    let mut over: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, places) in covered.iter().enumerate() {
        places.iter().for_each(|place| over.entry(*place).or_default().push(number));
    }
    for (number, (budget, places)) in space.budgets.iter().zip(&covered).enumerate() {
        let at = "/spec/selector";
        if places.is_empty() {
            let reason = "selects no pods of this set: it protects nothing";
            findings.push(Finding::new(budget, Severity::Warning, "rollout/budget-empty", at, reason));
        }
        let shared = places.iter().find_map(|place| {
            let other = over.get(place)?.iter().find(|other| **other != number)?;
            Some((space.workloads.get(*place)?, space.budgets.get(*other)?))
        });
        if let Some((workload, other)) = shared {
            let name = workload.object;
            let reason =
                format!("{name} is also under {other}: with two budgets no pod of it can be evicted");
            findings.push(Finding::new(budget, Severity::Error, "rollout/two-budgets", at, reason));
        }
        let replicated =
            |object: &&Object| matches!(object.kind(), "Deployment" | "StatefulSet" | "ReplicaSet");
        let objects =
            places.iter().filter_map(|place| space.workloads.get(*place)).map(|workload| workload.object);
        let pods: u64 = objects.filter(replicated).map(|object| least(space, object)).sum();
        let amount = |key: &str| budget.value().pointer(&format!("/spec/{key}")).and_then(Amount::read);
        let evictable = match (amount("minAvailable"), amount("maxUnavailable")) {
            (Some(least), _) => pods.saturating_sub(least.rounded_up(pods)),
            (None, Some(most)) => most.rounded_up(pods),
            (None, None) => 0,
        };
        if pods > 0 && evictable == 0 {
            let reason =
                format!("with {pods} pod(s) no eviction is ever allowed: every node drain waits for ever");
            findings.push(Finding::new(budget, Severity::Error, "rollout/budget-blocks", "/spec", reason));
        }
    }
}

fn autoscaler(space: &Space<'_>, scaler: &Object, findings: &mut Vec<Finding>) {
    let number = |key: &str| scaler.value().pointer(&format!("/spec/{key}")).and_then(Value::as_u64);
    let (least, most) = (number("minReplicas").unwrap_or(1), number("maxReplicas").unwrap_or(0));
    if least > most {
        let reason = format!("minReplicas {least} is above maxReplicas {most}");
        findings.push(Finding::new(
            scaler,
            Severity::Error,
            "rollout/autoscaler-range",
            "/spec/maxReplicas",
            reason,
        ));
    }
    let Some(target) = space.scaled(scaler).map(|workload| workload.object) else {
        let reason = "its target is not in this set";
        findings.push(Finding::new(
            scaler,
            Severity::Warning,
            "rollout/autoscaler-target",
            "/spec/scaleTargetRef",
            reason,
        ));
        return;
    };
    if target.value().pointer("/spec/replicas").is_some_and(|replicas| !replicas.is_null()) {
        let reason = format!("{scaler} scales it, and every sync sets the replicas back; leave them out");
        findings.push(Finding::new(
            target,
            Severity::Error,
            "rollout/replicas-with-autoscaler",
            "/spec/replicas",
            reason,
        ));
    }
    for container in target.pod_template().map(|template| template.containers()).unwrap_or_default() {
        let requested = container.value().pointer("/resources/requests/cpu").is_some();
        if container.role() == ContainerRole::Regular && !requested {
            let at = format!("{}/resources/requests/cpu", container.pointer());
            let reason = "an autoscaler on utilisation needs a CPU request of every container";
            findings.push(Finding::new(target, Severity::Warning, "rollout/autoscaler-request", &at, reason));
        }
    }
}

fn service(space: &Space<'_>, service: &Object, findings: &mut Vec<Finding>) {
    let selector = service.value().pointer("/spec/selector");
    if selector.and_then(Value::as_object).is_none_or(lotse_yaml::Map::is_empty) {
        return;
    }
    let behind = space.behind(service);
    let behind: Vec<&Workload<'_>> =
        behind.into_iter().filter_map(|place| space.workloads.get(place)).collect();
    if behind.is_empty() {
        let reason = "selects no pods of this set: nobody answers";
        findings.push(Finding::new(
            service,
            Severity::Warning,
            "rollout/service-empty",
            "/spec/selector",
            reason,
        ));
        return;
    }
    let ports = service.value().pointer("/spec/ports").and_then(Value::as_array).unwrap_or_default();
    for (number, port) in ports.iter().enumerate() {
        let target = port.get("targetPort").or_else(|| port.get("port"));
        let name = target.and_then(Value::as_str);
        let has = |workload: &Workload<'_>| {
            let containers = workload.template.containers();
            let lists = containers.iter().filter_map(|container| container.value().get("ports")?.as_array());
            lists.flatten().any(|port| port.get("name").and_then(Value::as_str) == name)
        };
        if let Some(name) = name.filter(|_| !behind.iter().any(|workload| has(workload))) {
            let at = format!("/spec/ports/{number}/targetPort");
            let reason = format!("no container behind it has a port named `{name}`");
            findings.push(Finding::new(service, Severity::Error, "rollout/service-port", &at, reason));
        }
    }
}
