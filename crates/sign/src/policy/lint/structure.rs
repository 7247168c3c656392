//! Authorities: what is not checked, whatever the signature.

use super::{Counterexample, Linter};
use crate::policy::authority_count;
use crate::policy::model::{Authority, AuthorityKind, ClusterImagePolicy};

pub(super) fn lint(policy: &ClusterImagePolicy, linter: &mut Linter<'_>) {
    if policy.warn {
        let message = "the policy refuses nothing: a failure only warns";
        linter.report(
            "mode-warn",
            "/spec/mode",
            message,
            "set mode: enforce once the warnings are gone",
            None,
        );
    }
    let passes = |authority: &Authority| matches!(authority.kind, AuthorityKind::Static { pass: true, .. });
    let idle = policy.authorities.iter().any(passes) && authority_count(policy) > 1;
    for (at, authority) in policy.authorities.iter().enumerate() {
        let place = format!("/spec/authorities/{at}");
        if idle && passes(authority) && policy.policy.is_none() {
            let message = "one authority is enough, and this one always is: the others decide nothing";
            let matches = format!(r#"{{"authorityMatches":{{"{}":{{"static":true}}}}}}"#, authority.name);
            let advice = "remove it, or ask for the others in a policy-level rule";
            linter.report("authority-idle", &place, message, advice, Some(Counterexample::Matches(matches)));
        }
        if matches!(authority.kind, AuthorityKind::Static { pass: false, .. }) && authority_count(policy) > 1
        {
            let message = "a static refusal beside other authorities refuses only what they refuse anyway";
            linter.report("authority-idle", &place, message, "remove it", None);
        }
        if matches!(authority.kind, AuthorityKind::Static { .. }) {
            continue;
        }
        one(policy, authority, &place, linter);
    }
}

fn one(policy: &ClusterImagePolicy, authority: &Authority, place: &str, linter: &mut Linter<'_>) {
    let signature_elsewhere = policy.policy.is_some()
        && policy.authorities.iter().any(|other| {
            other.attestations.is_empty() && !matches!(other.kind, AuthorityKind::Static { .. })
        });
    if !authority.attestations.is_empty() && !signature_elsewhere {
        let message = "with `attestations` the image's own signature is not looked at";
        let advice = "add an authority without attestations, and ask for both in a policy-level rule (in Rego: count of each)";
        linter.report("signature-not-checked", &format!("{place}/attestations"), message, advice, None);
    }
    if authority.attestations.is_empty()
        && policy.policy.is_none()
        && policy.authorities.iter().any(|other| !other.attestations.is_empty())
    {
        let message = "this authority alone is enough: the attestations of the others are never required";
        let matches =
            format!(r#"{{"authorityMatches":{{"{}":{{"signatures":[{{"id":"…"}}]}}}}}}"#, authority.name);
        let advice = "ask for both in a policy-level rule";
        linter.report("attestation-optional", place, message, advice, Some(Counterexample::Matches(matches)));
    }
    log(authority, place, linter);
    match &authority.kind {
        AuthorityKind::Keyless(keyless) => {
            if keyless.ignore_sct {
                let message =
                    "certificates need not have been published: the authority may have issued one in silence";
                let pointer = format!("{place}/keyless/insecureIgnoreSCT");
                linter.report("sct-ignored", &pointer, message, "remove insecureIgnoreSCT", None);
            }
            if keyless.url.is_none() {
                let message = "without `url` nothing ever verifies, whatever `ca-cert` holds";
                linter.report(
                    "authority-never",
                    &format!("{place}/keyless"),
                    message,
                    "use trustRootRef",
                    None,
                );
            }
            if authority.bundle_format && authority.attestations.is_empty() {
                let message =
                    "image signatures in bundles are not verified by the controller: everything is refused";
                linter.report(
                    "authority-never",
                    &format!("{place}/signatureFormat"),
                    message,
                    "use attestations, or the legacy format",
                    None,
                );
            }
            if authority.bundle_format && keyless.identities.len() > 1 {
                let message =
                    "with bundles the controller refuses everything if there is more than one identity";
                linter.report(
                    "authority-never",
                    &format!("{place}/keyless/identities"),
                    message,
                    "use one authority for each",
                    None,
                );
            }
        }
        AuthorityKind::Key(key) => {
            if authority.bundle_format {
                let message = "bundles are verified with certificates only: everything is refused";
                linter.report(
                    "authority-never",
                    &format!("{place}/signatureFormat"),
                    message,
                    "use the legacy format",
                    None,
                );
            }
            if key.data.matches("-----BEGIN ").count() > 1 {
                let message = "only the first key counts";
                linter.report(
                    "key-ignored",
                    &format!("{place}/key/data"),
                    message,
                    "use one authority for each key",
                    None,
                );
            }
        }
        AuthorityKind::Static { .. } => {}
    }
}

fn log(authority: &Authority, place: &str, linter: &mut Linter<'_>) {
    if authority.timestamp_root.as_deref().is_some_and(|root| !root.is_empty()) {
        let message = "a timestamp switches the transparency log off";
        let advice = "nothing in the policy switches it on again: watch the log elsewhere";
        linter.report("log-unchecked", &format!("{place}/rfc3161timestamp"), message, advice, None);
        return;
    }
    if authority.bundle_format {
        return;
    }
    let checked = match (&authority.log, &authority.kind) {
        (Some(log), _) => log.url.is_some() || !log.trust_root.is_empty(),
        (None, AuthorityKind::Keyless(keyless)) => keyless.trust_root.is_empty(),
        (None, _) => false,
    };
    if !checked {
        let message = "no transparency log is asked: nobody learns of a signature with a stolen key";
        let advice = "add ctlog with url (in v1beta1 a ctlog without url is dropped) and, for a log of your own, trustRootRef";
        linter.report("log-unchecked", place, message, advice, None);
    }
}
