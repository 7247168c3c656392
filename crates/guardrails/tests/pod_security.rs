//! Pod Security against the answers of the reference evaluator v0.36.1 and of a real API server v1.36.1.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test states what must hold"
)]

use std::io::Read;

use lotse_gitops_manifest::Object;
use lotse_guardrails::{Level, NamespacePolicy, Version, pod_security, pod_security_admitted};
use lotse_yaml::{Limits, Value, parse_json};

fn rows(file: &[u8]) -> Vec<Value> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text.lines().map(|line| parse_json(line.as_bytes(), &Limits::manifests()).unwrap()).collect()
}

fn object(value: &Value) -> Object {
    Object::from_value("row", value.clone()).unwrap().remove(0)
}

#[test]
fn every_pod_gets_the_verdict_of_the_reference_in_every_version() {
    let rows = rows(include_bytes!("data/pods.jsonl.gz"));
    let mut verdicts = 0;
    for row in &rows {
        let pod = object(row.get("pod").unwrap());
        for level in [Level::Baseline, Level::Restricted] {
            for range in row.get(&level.to_string()).unwrap().as_array().unwrap() {
                let mut expected = range.as_object().unwrap().clone();
                let minor = |word: &str| match word.parse::<Version>().unwrap() {
                    Version::Minor(minor) => minor,
                    Version::Latest => 37,
                };
                let from = minor(expected.remove("from").unwrap().as_str().unwrap());
                let to = minor(expected.remove("to").unwrap().as_str().unwrap());
                for number in from..=to {
                    let version = if number == 37 { Version::Latest } else { Version::Minor(number) };
                    let ours = pod_security(&pod, level, version).unwrap();
                    let expected = Value::Object(expected.clone());
                    assert_eq!(ours.to_value(), expected, "{} {level} {version}", pod.name());
                    verdicts += 1;
                }
            }
        }
    }
    assert_eq!((rows.len(), verdicts), (375, 375 * 2 * 38));
}

#[test]
fn every_pod_is_admitted_as_by_the_server() {
    let rows = rows(include_bytes!("data/enforced.jsonl.gz"));
    let mut verdicts = 0;
    for row in &rows {
        let pod = object(row.get("pod").unwrap());
        for (policy, verdict) in row.get("verdicts").unwrap().as_object().unwrap() {
            let code = verdict.get("code").and_then(Value::as_i64);
            if !matches!(code, Some(201 | 403)) {
                continue; // The server refused the pod for another reason.
            }
            let (level, version) = policy.split_once(':').unwrap();
            let ours = pod_security_admitted(&pod, level.parse().unwrap(), version.parse().unwrap()).unwrap();
            assert_eq!(
                Some(ours.allowed()),
                verdict.get("allowed").unwrap().as_bool(),
                "{} {policy}",
                pod.name()
            );
            if !ours.allowed() {
                let message = format!("pods {:?} is forbidden: violates {}", pod.name(), ours.message());
                assert_eq!(Some(message.as_str()), verdict.get("message").unwrap().as_str());
            }
            verdicts += 1;
        }
    }
    assert_eq!((rows.len(), verdicts), (65, 520));
}

#[test]
fn namespaces_warn_of_workloads_and_refuse_pods() {
    let rows = rows(include_bytes!("data/workloads.jsonl.gz"));
    for row in &rows {
        let labels = row.get("namespace_labels").unwrap().as_object().unwrap();
        let policy =
            NamespacePolicy::from_labels(labels.iter().map(|(key, value)| (key, value.as_str().unwrap())));
        let manifest = object(row.get("manifest").unwrap());
        let ours = policy.admit(&manifest).unwrap();
        let verdict = row.get("verdict").unwrap();
        assert_eq!(Some(ours.allowed), verdict.get("allowed").unwrap().as_bool(), "{manifest}");
        assert_eq!(ours.message.as_deref(), verdict.get("message").and_then(Value::as_str), "{manifest}");
        let warnings = verdict.get("warnings").and_then(Value::as_array).unwrap_or_default();
        let theirs = warnings.iter().filter_map(Value::as_str).find(|text| text.starts_with("would violate"));
        assert_eq!(ours.warning.as_deref(), theirs, "{manifest}");
    }
    assert_eq!(rows.len(), 18);
}

#[test]
fn findings_stand_at_their_fields() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n\
                \x20     containers:\n      - name: a\n        securityContext:\n          privileged: true\n";
    let object = Object::parse_all("web.yaml", text.as_bytes(), &Limits::manifests()).unwrap().remove(0);
    let verdict = pod_security(&object, Level::Baseline, Version::Latest).unwrap();
    let findings = verdict.findings(&object);
    assert_eq!(
        findings[0].to_string(),
        "web.yaml:10:23: error: Deployment web: pod-security/privileged at \
         /spec/template/spec/containers/0/securityContext/privileged: privileged (container \"a\" must not set \
         securityContext.privileged=true)"
    );
    let missing = pod_security(&object, Level::Restricted, Version::Latest).unwrap().findings(&object);
    assert!(missing.iter().all(|finding| finding.position.is_some()));
}

#[test]
fn what_the_server_cannot_read_is_refused() {
    for spec in [
        "hostNetwork: 'yes'",
        "containers: {}",
        "containers: [{ports: [{hostPort: x}]}]",
        "securityContext: []",
    ] {
        let text = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{{spec}}}\n");
        let object = Object::parse_all("a", text.as_bytes(), &Limits::manifests()).unwrap().remove(0);
        assert!(pod_security(&object, Level::Baseline, Version::Latest).is_err(), "{spec}");
    }
    let service =
        Object::parse_all("a", b"apiVersion: v1\nkind: Service\n", &Limits::manifests()).unwrap().remove(0);
    assert!(pod_security(&service, Level::Baseline, Version::Latest).is_err());
    assert!(
        "v1.07".parse::<Version>().is_err()
            && "1.2".parse::<Version>().is_err()
            && "Baseline".parse::<Level>().is_err()
    );
}
