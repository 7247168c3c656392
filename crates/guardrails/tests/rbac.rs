//! RBAC against SubjectAccessReview and creation of roles on a real API server v1.36.1.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test states what must hold"
)]

use std::io::Read;

use lotse_gitops_manifest::Object;
use lotse_guardrails::{
    Action, Before, Deploy, Grant, Rbac, Severity, Subject, deployer_rules, rbac_findings,
};
use lotse_yaml::{Limits, Value, parse_json, value};

fn rows(file: &[u8]) -> Vec<Value> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text.lines().map(|line| parse_json(line.as_bytes(), &Limits::manifests()).unwrap()).collect()
}

fn objects(list: &Value) -> Vec<Object> {
    let items = list.as_array().unwrap().iter();
    items.flat_map(|item| Object::from_value("row", item.clone()).unwrap()).collect()
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[test]
fn every_review_is_answered_as_by_the_server() {
    let row = rows(include_bytes!("data/reviews.jsonl.gz")).remove(0);
    let mut all = objects(row.get("cluster_defaults").unwrap());
    all.extend(objects(row.get("objects").unwrap()));
    let rbac = Rbac::new(&all).unwrap();
    let (mut verdicts, mut reasons) = (0, 0);
    let reviews = row.get("reviews").unwrap().as_array().unwrap();
    for review in reviews {
        let spec = review.get("spec").unwrap();
        let groups = spec.get("groups").unwrap().as_array().unwrap();
        let groups: Vec<&str> = groups.iter().map(|group| group.as_str().unwrap()).collect();
        let subject = Subject::user(spec.get("user").unwrap().as_str().unwrap(), &groups);
        let action = match spec.get("resourceAttributes") {
            Some(on) => Action::Resource {
                verb: text(on, "verb"),
                group: text(on, "group"),
                resource: text(on, "resource"),
                subresource: text(on, "subresource"),
                namespace: text(on, "namespace"),
                name: text(on, "name"),
            },
            None => {
                let on = spec.get("nonResourceAttributes").unwrap();
                Action::Path { verb: text(on, "verb"), path: text(on, "path") }
            }
        };
        let ours = rbac.can_i(&subject, &action);
        let status = review.get("status").unwrap();
        verdicts += usize::from(Some(ours.allowed) == status.get("allowed").unwrap().as_bool());
        reasons += usize::from(ours.reason == text(status, "reason"));
    }
    assert_eq!((verdicts, reviews.len()), (420, 420));
    // Where several bindings allow it, the server names one by chance.
    assert!(reasons >= 400, "{reasons}");
}

#[test]
fn nobody_grants_what_he_does_not_hold() {
    let review = rows(include_bytes!("data/reviews.jsonl.gz")).remove(0);
    let rows = rows(include_bytes!("data/rbac-escalation.jsonl.gz"));
    let role = |name: &str, rules: Value| {
        value!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": rules,
            "metadata": { "name": name, "namespace": "dep" },
        })
    };
    for row in &rows {
        let mut all = objects(review.get("cluster_defaults").unwrap());
        let create = value!({ "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "rolebindings"], "verbs": ["create"] });
        let pods = value!({ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] });
        all.extend(objects(&value!([
            role("mine", row.get("user_rules_in_namespace").unwrap().clone()),
            role("e-plain", value!([create.clone()])),
            role("e-pods-get", value!([create, pods])),
            {
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
                "metadata": { "name": "mine", "namespace": "dep" },
                "roleRef": { "kind": "Role", "name": "mine" },
                "subjects": [{ "kind": "User", "name": "me" }],
            },
        ])));
        let rbac = Rbac::new(&all).unwrap();
        let created = objects(&value!([row.get("create").unwrap().clone()])).remove(0);
        let ours = rbac.may_grant(&Subject::user("me", &["system:authenticated"]), &created).unwrap();
        let expected = row.get("allowed").unwrap().as_bool().unwrap();
        assert_eq!(ours == Grant::Allowed, expected, "{row} {ours:?}");
        let message = text(row, "message");
        match &ours {
            Grant::Allowed => {}
            Grant::MayNotCreate => assert!(message.contains("cannot create"), "{message}"),
            Grant::RoleMissing => assert!(message.contains("not found"), "{message}"),
            Grant::Lacking(rules) => {
                assert!(message.contains("not currently held"), "{message}");
                if let [rule] = rules.as_slice() {
                    assert!(message.ends_with(&rule.to_string()), "{message} {rule}");
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(rows.len(), 39);
}

#[test]
fn wide_rules_are_named() {
    let text = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a}\nrules:\n\
                - {apiGroups: [''], resources: [pods], verbs: [get, '*']}\n\
                - {apiGroups: [''], resources: [secrets, pods/*], verbs: [list]}\n\
                - {apiGroups: [''], resources: [configmaps], verbs: [create], resourceNames: [x]}\n\
                - {apiGroups: [''], resources: [configmaps], verbs: [get]}\n\
                ---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\n\
                roleRef: {kind: ClusterRole, name: cluster-admin}\nsubjects: [{kind: Group, name: 'system:unauthenticated'}]\n";
    let objects = Object::parse_all("r.yaml", text.as_bytes(), &Limits::manifests()).unwrap();
    let findings = rbac_findings(&objects).unwrap();
    let found: Vec<_> = findings.iter().map(|f| (f.rule.as_str(), f.severity, f.pointer.as_str())).collect();
    assert_eq!(
        found,
        [
            ("rbac/wildcard", Severity::Error, "/rules/0/verbs/1"),
            ("rbac/no-pattern", Severity::Warning, "/rules/1/resources/1"),
            ("rbac/escalation", Severity::Warning, "/rules/1/verbs/0"),
            ("rbac/unbounded-name", Severity::Warning, "/rules/2/verbs/0"),
            ("rbac/cluster-admin", Severity::Error, "/roleRef/name"),
            ("rbac/anonymous", Severity::Error, "/subjects/0/name"),
        ]
    );
    assert_eq!(findings[0].position.unwrap().to_string(), "5:53");
}

#[test]
fn the_verbs_of_a_deployer_are_those_the_server_asks_for() {
    let rows = rows(include_bytes!("data/deployer-verbs.jsonl.gz"));
    for row in &rows {
        let way = match row.get("way").unwrap().as_str().unwrap() {
            "kubectl apply" => Deploy::Apply,
            "kubectl apply --server-side" | "kubectl apply --server-side --dry-run=server" => {
                Deploy::ServerSideApply
            }
            "kubectl create" => Deploy::Create,
            "kubectl replace" => Deploy::Replace,
            "kubectl delete --wait=false" => Deploy::Delete,
            other => panic!("{other}"),
        };
        let before = match row.get("state").unwrap().as_str().unwrap() {
            "absent" => Before::Absent,
            "present" => Before::Present,
            _ => Before::Changed,
        };
        let held = row.get("verbs").unwrap().as_array().unwrap();
        let enough = way.verbs(before).iter().all(|verb| held.iter().any(|held| held.as_str() == Some(verb)));
        assert_eq!(Some(enough), row.get("ok").unwrap().as_bool(), "{row}");
    }
    assert_eq!(rows.len(), 58);
}

#[test]
fn the_deployer_can_deploy_and_nothing_of_its_role_is_too_much() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n---\napiVersion: v1\nkind: Service\n\
                metadata: {name: web, namespace: shop}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: shop}\n";
    let objects = Object::parse_all("all.yaml", text.as_bytes(), &Limits::manifests()).unwrap();
    let rules = deployer_rules(&objects, Deploy::ServerSideApply).unwrap();
    let rules = &rules[&Some("shop".to_owned())];
    let shown: Vec<String> = rules.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            r#"{APIGroups:[""], Resources:["services"], Verbs:["create"]}"#,
            r#"{APIGroups:[""], Resources:["services"], ResourceNames:["db" "web"], Verbs:["patch"]}"#,
            r#"{APIGroups:["apps"], Resources:["deployments"], Verbs:["create"]}"#,
            r#"{APIGroups:["apps"], Resources:["deployments"], ResourceNames:["web"], Verbs:["patch"]}"#,
        ]
    );
    let deploys = |rules: &[lotse_guardrails::Rule]| {
        let all = value!([
            {
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": "d", "namespace": "shop" },
                "rules": rules.iter().map(lotse_guardrails::Rule::to_value).collect::<Value>(),
            },
            {
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
                "metadata": { "name": "d", "namespace": "shop" }, "roleRef": { "kind": "Role", "name": "d" },
                "subjects": [{ "kind": "ServiceAccount", "name": "deployer", "namespace": "ci" }],
            },
        ]);
        let rbac = Rbac::new(&crate::objects(&all)).unwrap();
        let who = Subject::service_account("ci", "deployer");
        let can = |verb, group, resource, name| {
            rbac.can_i(&who, &Action::on(verb, group, resource, "shop", name)).allowed
        };
        [("", "services", "web"), ("", "services", "db"), ("apps", "deployments", "web")].iter().all(
            |(group, resource, name)| {
                can("create", group, resource, "") && can("patch", group, resource, name)
            },
        )
    };
    assert!(deploys(rules));
    for leave_out in 0..rules.len() {
        let mut fewer = rules.clone();
        fewer.remove(leave_out);
        assert!(!deploys(&fewer), "{leave_out}");
    }
    let odd = Object::parse_all(
        "x",
        b"apiVersion: x.io/v1\nkind: Odd\nmetadata: {name: a}\n",
        &Limits::manifests(),
    )
    .unwrap();
    assert!(deployer_rules(&odd, Deploy::Apply).is_err());
}
