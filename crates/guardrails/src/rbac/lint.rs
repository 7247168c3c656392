use lotse_gitops_manifest::Object;

use super::Rule;
use crate::{Error, Finding, Severity};

/// Rules that reach further than they look: wildcards, and verbs that lead to other people's rights.
///
/// # Errors
/// [`Error::WrongType`] for a field that the API server would refuse.
pub fn rbac_findings(objects: &[Object]) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    for object in objects.iter().filter(|object| object.group() == "rbac.authorization.k8s.io") {
        match object.kind() {
            "Role" | "ClusterRole" => {
                for (number, rule) in Rule::read_all(object)?.iter().enumerate() {
                    wildcards(object, number, rule, &mut findings);
                    escalations(object, number, rule, &mut findings);
                    names(object, number, rule, &mut findings);
                }
            }
            "RoleBinding" | "ClusterRoleBinding" => bindings(object, &mut findings),
            _ => {}
        }
    }
    Ok(findings)
}

fn wildcards(object: &Object, number: usize, rule: &Rule, findings: &mut Vec<Finding>) {
    let fields = [
        ("verbs", &rule.verbs),
        ("apiGroups", &rule.api_groups),
        ("resources", &rule.resources),
        ("nonResourceURLs", &rule.non_resource_urls),
    ];
    for (field, list) in fields {
        for (place, item) in list.iter().enumerate() {
            let at = format!("/rules/{number}/{field}/{place}");
            if item == "*" {
                let reason = format!("`*` in {field} also grants what comes later; name what is needed");
                findings.push(Finding::new(object, Severity::Error, "rbac/wildcard", &at, reason));
            } else if field == "resources" && item.ends_with("/*") {
                let reason = format!("`{item}` is no pattern: it grants nothing; name each subresource");
                findings.push(Finding::new(object, Severity::Warning, "rbac/no-pattern", &at, reason));
            }
        }
    }
}

/// Verb, group, resource, and what they lead to.
const ESCALATIONS: [(&str, &str, &str, &str); 22] = [
    ("escalate", "rbac.authorization.k8s.io", "roles", "grants rights the holder does not have"),
    ("escalate", "rbac.authorization.k8s.io", "clusterroles", "grants rights the holder does not have"),
    ("bind", "rbac.authorization.k8s.io", "roles", "binds roles the holder does not have"),
    ("bind", "rbac.authorization.k8s.io", "clusterroles", "binds roles the holder does not have"),
    ("impersonate", "", "users", "acts as anybody"),
    ("impersonate", "", "groups", "acts as any group, system:masters included"),
    ("impersonate", "", "serviceaccounts", "acts as any service account"),
    ("get", "", "secrets", "reads credentials, tokens of service accounts among them"),
    ("list", "", "secrets", "reads all credentials: list shows the contents"),
    ("watch", "", "secrets", "reads all credentials: watch shows the contents"),
    ("create", "", "serviceaccounts/token", "makes tokens for any service account"),
    ("create", "", "pods", "runs code as any service account of the namespace"),
    ("create", "", "pods/exec", "runs commands in other people's pods"),
    ("get", "", "pods/exec", "runs commands in other people's pods: exec over WebSocket is a get"),
    ("create", "", "pods/attach", "talks to processes in other people's pods"),
    ("patch", "", "pods/ephemeralcontainers", "adds containers to running pods"),
    ("update", "", "pods/ephemeralcontainers", "adds containers to running pods"),
    ("create", "", "nodes/proxy", "reaches every pod of a node past the API server"),
    ("get", "", "nodes/proxy", "reaches every pod of a node past the API server"),
    ("create", "", "persistentvolumes", "mounts any path of a node"),
    ("approve", "certificates.k8s.io", "signers", "issues client certificates"),
    (
        "create",
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        "changes every object on its way in",
    ),
];

fn escalations(object: &Object, number: usize, rule: &Rule, findings: &mut Vec<Finding>) {
    if rule.verbs.iter().any(|verb| verb == "*") || rule.resources.iter().any(|resource| resource == "*") {
        return; // Said already, as a wildcard.
    }
    for (verb, group, resource, leads_to) in ESCALATIONS {
        let place = rule.verbs.iter().position(|item| item == verb);
        let here = rule.resources.iter().any(|item| item == resource)
            && rule.api_groups.iter().any(|item| item == group || item == "*");
        if let Some(place) = place.filter(|_| here) {
            let at = format!("/rules/{number}/verbs/{place}");
            let reason = format!("{verb} on {resource} {leads_to}; drop it, or bound it by resourceNames");
            let bounded = !rule.resource_names.is_empty() && verb != "create";
            let severity = if bounded { Severity::Note } else { Severity::Warning };
            findings.push(Finding::new(object, severity, "rbac/escalation", &at, reason));
        }
    }
}

fn names(object: &Object, number: usize, rule: &Rule, findings: &mut Vec<Finding>) {
    if rule.resource_names.is_empty() {
        return;
    }
    for (place, verb) in rule.verbs.iter().enumerate() {
        if matches!(verb.as_str(), "create" | "deletecollection") {
            let at = format!("/rules/{number}/verbs/{place}");
            let reason = format!(
                "resourceNames cannot bound {verb}: the request names no object, so nothing is granted"
            );
            findings.push(Finding::new(object, Severity::Warning, "rbac/unbounded-name", &at, reason));
        }
    }
}

fn bindings(object: &Object, findings: &mut Vec<Finding>) {
    let role =
        object.value().pointer("/roleRef/name").and_then(lotse_yaml::Value::as_str).unwrap_or_default();
    if role == "cluster-admin" {
        let reason = "cluster-admin may do everything; bind a role that names what is needed";
        findings.push(Finding::new(object, Severity::Error, "rbac/cluster-admin", "/roleRef/name", reason));
    }
    let subjects = object.value().get("subjects").and_then(lotse_yaml::Value::as_array).unwrap_or_default();
    for (number, subject) in subjects.iter().enumerate() {
        let name = subject.get("name").and_then(lotse_yaml::Value::as_str).unwrap_or_default();
        let at = format!("/subjects/{number}/name");
        match name {
            "system:unauthenticated" | "system:anonymous" => {
                let reason = format!("{name} is everybody who reaches the API server, without any login");
                findings.push(Finding::new(object, Severity::Error, "rbac/anonymous", &at, reason));
            }
            "system:authenticated" | "system:serviceaccounts" => {
                let reason =
                    format!("{name} is every account of the cluster; name the account that needs it");
                findings.push(Finding::new(object, Severity::Warning, "rbac/everybody", &at, reason));
            }
            "default"
                if subject.get("kind").and_then(lotse_yaml::Value::as_str) == Some("ServiceAccount") =>
            {
                let reason =
                    "every pod without an account of its own runs as `default`; make an account for this";
                findings.push(Finding::new(object, Severity::Warning, "rbac/default-account", &at, reason));
            }
            _ => {}
        }
    }
}
