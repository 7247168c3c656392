//! Checks over what the spec declares: rotation, service levels, flags.

use std::collections::BTreeMap;

use lotse_gitops_manifest::Manifests;
use lotse_provenance::{ActorKind, Timestamp};
use lotse_yaml::Value;

use crate::check::{Check, Outcome, Witness};
use crate::{Report, Spec};

/// That every secret has a lifetime and no manifest holds one (R7).
pub(crate) fn check_rotation(spec: &Spec, environments: &BTreeMap<String, Manifests>) -> Check {
    let mut findings = Vec::new();
    let mut count = 0;
    for component in &spec.components {
        for secret in &component.secrets {
            count += 1;
            let place = format!("{}: {}", component.name, secret.path);
            if secret.lifetime.is_empty() {
                findings.push(Witness::against(place, "has neither rotation nor lease"));
            } else {
                findings.push(Witness::note(place, format!("good for {}", secret.lifetime)));
            }
        }
    }
    for (environment, manifests) in environments {
        for (file, documents) in manifests.files() {
            if documents.iter().any(|document| document.get("kind").and_then(Value::as_str) == Some("Secret"))
            {
                findings.push(Witness::against(format!("manifests/{environment}/{file}"), "holds a Secret"));
            }
        }
    }
    let check = Check::of_manifests(
        "rotation",
        "Has every secret a lifetime, and no manifest a value?",
        &["R7", "R6"],
        format!("{count} references to secrets"),
        "That the store really changes the value.",
    );
    if count == 0 {
        Check {
            outcome: Outcome::NotApplicable,
            summary: "no component uses a secret".to_owned(),
            findings,
            ..check
        }
    } else {
        check.judged(findings)
    }
}

/// That what faces outside has a service level with alerts (R15).
pub(crate) fn check_service_levels(spec: &Spec) -> Check {
    let mut findings = Vec::new();
    for component in spec.components.iter().filter(|component| component.host.is_some()) {
        let objectives: Vec<String> = spec
            .slos
            .iter()
            .filter(|slo| slo.of == component.name)
            .map(|slo| format!("{} {} % over {} days", slo.name, slo.objective, slo.window_days))
            .collect();
        if objectives.is_empty() {
            findings.push(Witness::against(
                component.name.clone(),
                "answers from outside without a service level",
            ));
        } else {
            let text = format!("{}; burn-rate alerts are among the manifests", objectives.join(", "));
            findings.push(Witness::note(component.name.clone(), text));
        }
    }
    Check::of_manifests(
        "service-levels",
        "Has what faces outside a service level with alerts?",
        &["R15"],
        format!("{} service levels declared", spec.slos.len()),
        "That metrics arrive, and that somebody answers the alert.",
    )
    .judged(findings)
}

/// That every flag has an owner and a sunset that is not past (R16).
pub(crate) fn check_flags(spec: &Spec, now: Timestamp) -> Check {
    let mut findings = Vec::new();
    for flag in &spec.flags {
        let past =
            flag.sunset.parse::<Timestamp>().is_ok_and(|sunset| sunset.seconds() + 86_400 <= now.seconds());
        if past {
            findings.push(Witness::against(
                flag.name.clone(),
                format!(
                    "should be gone since {}; remove it, or its owner {} moves the day",
                    flag.sunset, flag.owner
                ),
            ));
        } else {
            findings.push(Witness::note(
                flag.name.clone(),
                format!("owned by {}, for {}, until {}", flag.owner, flag.scopes.join(", "), flag.sunset),
            ));
        }
    }
    let check = Check::of_manifests(
        "flags",
        "Has every feature flag an owner, a scope and a day to be gone?",
        &["R16"],
        format!("{} flags", spec.flags.len()),
        "Who switched it, and when.",
    );
    if spec.flags.is_empty() {
        Check { outcome: Outcome::NotApplicable, summary: "no flag is declared".to_owned(), ..check }
    } else {
        check.judged(findings)
    }
}

/// Which earlier releases could come back (R17). This version is given none, and says so instead of guessing.
pub(crate) fn check_rollback() -> Check {
    let mut check = Check::of_manifests(
        "rollback",
        "Which earlier releases could come back right now?",
        &["R17"],
        "no earlier release was given, so no way back was tried".to_owned(),
        "How long a rollback takes is seen in a cluster.",
    );
    check.gate = false;
    check.evidence = Vec::new();
    check
}

/// That the release goes into the log, and how many steps people took (R3, R13). The log is written last, so this says what will
/// be in it.
pub(crate) fn check_log(report: &Report, actor: ActorKind) -> Check {
    let mut check = Check::of_manifests(
        "log",
        "Is the release in an append-only log, and how many steps did people take?",
        &["R3", "R13"],
        format!(
            "commit {} with {} images goes into the log; {}",
            report.commit,
            report.images.len(),
            steps(actor)
        ),
        "Steps that nobody logs are not counted; a log's owner can rewrite it unless a checkpoint is kept elsewhere.",
    );
    check.evidence = vec!["log/checkpoint".to_owned()];
    check.judged(Vec::new())
}

/// The steps of this release that people took, in words.
fn steps(actor: ActorKind) -> &'static str {
    match actor {
        ActorKind::Bot | ActorKind::Controller => "0 steps by people so far, an approval comes on top",
        ActorKind::Human => "1 step by a person so far",
        _ => "1 step by somebody unknown so far, counted as a person's",
    }
}
