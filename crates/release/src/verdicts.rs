//! Verdicts over the rendered manifests.

use std::collections::BTreeMap;

use lotse_gitops_manifest::{Manifests, Object, find_images};
use lotse_guardrails::{
    Finding, Level, Severity, Version, hygiene_findings, pod_security_admitted, rbac_findings,
    rollout_findings,
};
use lotse_yaml::Limits;

use crate::Error;
use crate::check::{Check, Witness};

/// The objects of every environment, read back from the bytes that are written.
pub(crate) fn objects(
    environments: &BTreeMap<String, Manifests>,
) -> Result<BTreeMap<String, Vec<Object>>, Error> {
    let mut all = BTreeMap::new();
    for (environment, manifests) in environments {
        let mut objects = Vec::new();
        for (file, text) in manifests.to_yaml() {
            let file = format!("manifests/{environment}/{file}");
            let parsed = Object::parse_all(&file, text.as_bytes(), &Limits::manifests())
                .map_err(|error| Error::below("rendered manifests", &error))?;
            objects.extend(parsed);
        }
        all.insert(environment.clone(), objects);
    }
    Ok(all)
}

/// The Pod Security Standard "restricted", as the API server would admit every pod (R9).
pub(crate) fn check_pod_security(environments: &BTreeMap<String, Vec<Object>>) -> Result<Check, Error> {
    let mut findings = Vec::new();
    let mut pods = 0;
    for object in environments.values().flatten().filter(|object| object.pod_template().is_some()) {
        pods += 1;
        let verdict = pod_security_admitted(object, Level::Restricted, Version::Latest)
            .map_err(|error| Error::below("pod security", &error))?;
        findings.extend(verdict.findings(object).iter().map(against));
    }
    Ok(Check::of_manifests(
        "pod-security",
        "Is every pod admitted under the Pod Security Standard \"restricted\"?",
        &["R9"],
        format!("{pods} pod templates judged as the API server judges them"),
        "A webhook in the cluster may change a pod after this verdict.",
    )
    .judged(findings))
}

/// Wildcards and verbs by which a role grants more than it says (R10).
pub(crate) fn check_rbac(environments: &BTreeMap<String, Vec<Object>>) -> Result<Check, Error> {
    let mut findings = Vec::new();
    let (mut roles, mut accounts) = (0, 0);
    for objects in environments.values() {
        roles += objects.iter().filter(|object| object.group() == "rbac.authorization.k8s.io").count();
        accounts += objects.iter().filter(|object| object.kind() == "ServiceAccount").count();
        let found = rbac_findings(objects).map_err(|error| Error::below("RBAC", &error))?;
        findings.extend(found.iter().map(against));
    }
    Ok(Check::of_manifests(
        "rbac",
        "Does every role grant only what it must?",
        &["R10"],
        format!("{accounts} service accounts and {roles} roles and bindings; without a role an account may do nothing"),
        "Roles and bindings that are in the cluster already are not known here.",
    )
    .judged(findings))
}

/// Whether a rollout can interrupt the service (R5).
pub(crate) fn check_rollout(environments: &BTreeMap<String, Vec<Object>>) -> Check {
    let findings =
        environments.values().flat_map(|objects| rollout_findings(objects)).map(|finding| against(&finding));
    Check::of_manifests(
        "rollout",
        "Can a rollout or a drained node interrupt the service?",
        &["R5"],
        "strategy, probes, disruption budgets and autoscalers compared with each other".to_owned(),
        "Whether the program is ready when its probe says so is the program's word.",
    )
    .judged(findings.collect())
}

/// Limits, probes, one process in a container (R18).
pub(crate) fn check_hygiene(environments: &BTreeMap<String, Vec<Object>>) -> Check {
    let findings =
        environments.values().flat_map(|objects| hygiene_findings(objects)).map(|finding| against(&finding));
    Check::of_manifests(
        "workloads",
        "Has every container limits, probes, a pinned image and one process?",
        &["R18", "R9"],
        "every container of every workload".to_owned(),
        "A program may start others by itself; only its command line was seen.",
    )
    .judged(findings.collect())
}

/// Every image pinned by digest, and by one of this release (R1, R2).
pub(crate) fn check_pins(
    environments: &BTreeMap<String, Manifests>,
    known: &[String],
) -> Result<Check, Error> {
    let mut findings = Vec::new();
    let mut count = 0;
    for (environment, manifests) in environments {
        for (file, text) in manifests.to_yaml() {
            for image in find_images(text.as_bytes())? {
                count += 1;
                if !known.contains(&image.text) {
                    let place = format!("manifests/{environment}/{file}#{}", image.pointer);
                    findings
                        .push(Witness::against(place, format!("{} is no image of this release", image.text)));
                }
            }
        }
    }
    Ok(Check::of_manifests(
        "pinned",
        "Is every image pinned by the digest that was built and judged?",
        &["R1", "R2"],
        format!("{count} images in the manifests, each name:tag@sha256"),
        "What a registry serves under a digest is checked by whoever pulls it.",
    )
    .judged(findings))
}

fn against(finding: &Finding) -> Witness {
    let line = finding.position.map(|position| format!(":{}", position.line)).unwrap_or_default();
    Witness {
        place: format!("{}{line} {} {}", finding.place.file, finding.object, finding.pointer),
        text: format!("{}: {}", finding.rule, finding.reason),
        counts: finding.severity == Severity::Error,
    }
}
