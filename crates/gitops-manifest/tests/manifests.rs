//! Rendering and pinning.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::collections::BTreeMap;

use lotse_digest::{Digest, Reference};
use lotse_gitops_manifest::{
    Application, Component, Delivery, DeliveryEnvironment, Error, Flag, Ingress, Job, Object, Platform,
    Probes, Replicas, Resources, SecretSource, SecretUse, Slo, Stage, Workload, argo_cd, argo_cd_set, bump,
    find_images, flux, render,
};
use lotse_yaml::{Dialect, Limits, Stream};
use proptest::prelude::*;

fn component(name: &str, workload: Workload) -> Component {
    let image: Reference = format!("registry.example/team/{name}:1").parse().unwrap();
    Component {
        name: name.to_owned(),
        workload,
        image: image.pinned(Digest::sha256(name.as_bytes())),
        command: vec![],
        args: vec!["run: all".to_owned()],
        env: BTreeMap::from([("MODE".to_owned(), "on".to_owned()), ("OCTAL".to_owned(), "0644".to_owned())]),
        ports: vec![("http".to_owned(), 8080)],
        host: None,
        probes: Probes::Http { path: "/healthz".to_owned(), port: 8080 },
        metrics: None,
        resources: Resources::default(),
        replicas: Replicas { min: 2, max: Some(4), cpu: Some(60), memory: None },
        volumes: vec![],
        scratch: vec!["/tmp".to_owned()],
        secrets: vec![SecretUse {
            path: "kv/data/app".to_owned(),
            keys: BTreeMap::from([("KEY".to_owned(), "key".to_owned())]),
            lifetime: "90d".to_owned(),
        }],
        user: (1000, 3000),
        backup: true,
        early: false,
    }
}

fn application() -> Application {
    let store = Component {
        volumes: vec![("/data".to_owned(), "8Gi".to_owned())],
        replicas: Replicas { min: 1, max: None, cpu: None, memory: None },
        ..component("store", Workload::StatefulSet)
    };
    let web = Component {
        host: Some("app.example".to_owned()),
        metrics: Some("/metrics".to_owned()),
        ..component("web", Workload::Deployment)
    };
    let clock = Component {
        ports: vec![],
        probes: Probes::None,
        replicas: Replicas { min: 1, max: None, cpu: None, memory: None },
        ..component("clock", Workload::CronJob { schedule: "* * * * *".to_owned() })
    };
    Application {
        name: "app".to_owned(),
        namespace: "app".to_owned(),
        environment: "production".to_owned(),
        revision: "0123456789abcdef".to_owned(),
        components: vec![web, store, clock],
        jobs: vec![Job {
            name: "expand".to_owned(),
            component: "web".to_owned(),
            args: vec!["migrate".to_owned()],
            stage: Stage::BeforeRollout,
        }],
        platform: Platform {
            secrets: SecretSource::ExternalSecrets { store: "vault".to_owned() },
            ingress: Some(Ingress { class: "nginx".to_owned(), issuer: "issuer".to_owned() }),
            backup_namespace: Some("velero".to_owned()),
        },
        slos: vec![Slo {
            name: "availability".to_owned(),
            of: "web".to_owned(),
            objective: "99.95".to_owned(),
            window_days: 30,
        }],
        flags: vec![Flag {
            name: "New".to_owned(),
            owner: "team".to_owned(),
            scopes: vec!["public".to_owned()],
            sunset: "2027-01-01".to_owned(),
        }],
        extra: vec![],
    }
}

#[test]
fn rendering_gives_every_kind_and_the_same_bytes_every_time() {
    let manifests = render(&application()).unwrap();
    let kinds: Vec<&str> =
        manifests.documents().map(|document| document.get("kind").unwrap().as_str().unwrap()).collect();
    for kind in [
        "Namespace",
        "ServiceAccount",
        "ExternalSecret",
        "Deployment",
        "StatefulSet",
        "CronJob",
        "Job",
        "Service",
        "Ingress",
        "Certificate",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "ServiceMonitor",
        "PrometheusRule",
        "Schedule",
        "ConfigMap",
    ] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
    let yaml = manifests.to_yaml();
    assert_eq!(yaml, render(&application()).unwrap().to_yaml());
    for (file, text) in &yaml {
        let documents =
            Stream::parse(text.as_bytes(), Dialect::Kubectl, &Limits::manifests()).unwrap().values().unwrap();
        let rendered: Vec<_> = manifests.files().find(|(name, _)| name == file).unwrap().1.to_vec();
        assert_eq!(documents, rendered, "{file}: kubectl reads what was meant");
    }
    assert!(
        yaml["20-web.yaml"].contains("value: \"on\"") || yaml["20-web.yaml"].contains("value: 'on'"),
        "text stays text"
    );
    assert!(yaml["40-operations.yaml"].contains("14.4 * 0.0005"), "99.95 % leaves 0.0005");
}

#[test]
fn vault_annotations_replace_the_external_secret() {
    let mut application = application();
    application.platform.secrets = SecretSource::VaultAgent { role: "app".to_owned() };
    let manifests = render(&application).unwrap();
    let yaml = manifests.to_yaml();
    assert!(!yaml.values().any(|text| text.contains("ExternalSecret")));
    assert!(yaml["20-web.yaml"].contains("KEY={{ .Data.data.key }}"));
    assert!(
        yaml["10-before.yaml"].contains("agent-pre-populate-only: \"true\"")
            || yaml["10-before.yaml"].contains("agent-pre-populate-only: 'true'")
    );
}

#[test]
fn what_cannot_be_rendered_is_refused() {
    let change = |change: fn(&mut Application)| {
        let mut application = application();
        change(&mut application);
        render(&application).unwrap_err()
    };
    assert!(matches!(change(|app| app.components[0].image = "web:1".parse().unwrap()), Error::Unpinned(_)));
    assert!(change(|app| app.components[0].user = (0, 3000)).to_string().contains("group 0"));
    assert!(change(|app| app.name = "App".to_owned()).to_string().contains("App"));
    assert!(change(|app| app.jobs[0].component = "none".to_owned()).to_string().contains("none"));
    assert!(change(|app| app.slos[0].objective = "100".to_owned()).to_string().contains("100"));
    assert!(change(|app| app.slos[0].objective = "99,9".to_owned()).to_string().contains("99,9"));
}

#[test]
fn delivery_documents_pin_the_artifact_and_limit_the_project() {
    let environment = |name: &str, automatic| DeliveryEnvironment {
        name: name.to_owned(),
        namespace: format!("app-{name}"),
        automatic,
        path: format!("app/{name}"),
        artifact: Digest::sha256(b"artifact"),
        stages: vec!["10-before".to_owned(), "20-workloads".to_owned(), "30-after".to_owned()],
    };
    let delivery = Delivery {
        application: "app".to_owned(),
        registry: "registry.example/team".to_owned(),
        repository: "https://git.example/manifests".to_owned(),
        other_namespaces: vec!["velero".to_owned()],
        environments: vec![environment("dev", true), environment("production", false)],
    };
    let flux = flux(&delivery);
    let repositories: Vec<_> = flux
        .iter()
        .filter(|document| document.get("kind").unwrap().as_str() == Some("OCIRepository"))
        .collect();
    assert_eq!(repositories.len(), 2);
    assert_eq!(repositories[1].pointer("/spec/suspend").unwrap().as_bool(), Some(true), "production waits");
    assert_eq!(
        repositories[0].pointer("/spec/ref/digest").unwrap().as_str(),
        Some(Digest::sha256(b"artifact").to_string().as_str())
    );
    let ordered = flux
        .iter()
        .find(|document| document.pointer("/metadata/name").unwrap().as_str() == Some("app-dev-after"))
        .unwrap();
    assert_eq!(ordered.pointer("/spec/dependsOn/0/name").unwrap().as_str(), Some("app-dev-workloads"));
    let elsewhere = |document: &lotse_yaml::Value| document.pointer("/spec/targetNamespace").is_some();
    assert!(!flux.iter().any(elsewhere), "documents keep their own namespaces");
    let argo = argo_cd(&delivery);
    let destinations = argo[0].pointer("/spec/destinations").unwrap().as_array().unwrap().len();
    assert_eq!(destinations, 3, "two environments and the backups");
    assert_eq!(
        argo[0].pointer("/spec/sourceRepos/0").unwrap().as_str(),
        Some("https://git.example/manifests")
    );
    assert!(
        argo[1].pointer("/spec/syncPolicy/automated").is_some()
            && argo[2].pointer("/spec/syncPolicy/automated").is_none()
    );
    assert_eq!(
        argo_cd_set(&delivery).pointer("/spec/syncPolicy/preserveResourcesOnDeletion").unwrap().as_bool(),
        Some(true)
    );
}

const SOURCE: &str = "# kept\napiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec:\n  initContainers:\n  - {name: i, image: \"team/app:1@sha256:0000000000000000000000000000000000000000000000000000000000000000\"}\n  containers:\n    - image:   team/app:1 # comment\n      name: a\n\n    - image: team/other:1\n      name: b\n---\n# nothing\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {image: team/app:1}\n";

#[test]
fn a_bump_changes_the_values_bytes_and_nothing_else() {
    let to: Reference = format!("team/app:2@{}", Digest::sha256(b"2")).parse().unwrap();
    let (bytes, changed) = bump(SOURCE.as_bytes(), &to).unwrap();
    let expected = SOURCE
        .replace(
            "team/app:1@sha256:0000000000000000000000000000000000000000000000000000000000000000",
            &to.to_string(),
        )
        .replace("image:   team/app:1 #", &format!("image:   {to} #"));
    assert_eq!((String::from_utf8(bytes.clone()).unwrap(), changed), (expected, 2));
    assert_eq!(bump(&bytes, &to).unwrap(), (bytes, 0), "a second time changes nothing");
    assert!(matches!(bump(SOURCE.as_bytes(), &"team/app:2".parse().unwrap()), Err(Error::Unpinned(_))));
    assert_eq!(find_images(SOURCE.as_bytes()).unwrap().len(), 3, "a ConfigMap has no image");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn bumping_there_and_back_is_the_identity(indent in 0usize..6, quote in prop::sample::select(vec!["", "'", "\""]), crlf: bool, comment in "[ a-z]{0,10}") {
        let (one, two) = (format!("team/app:1@{}", Digest::sha256(b"1")), format!("team/app:2@{}", Digest::sha256(b"2")));
        let pad = " ".repeat(indent);
        let mut source = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  containers:\n  {pad}- name: a\n  {pad}  image: {quote}{one}{quote} #{comment}\n");
        if crlf {
            source = source.replace('\n', "\r\n");
        }
        let (there, changed) = bump(source.as_bytes(), &two.parse().unwrap()).unwrap();
        prop_assert_eq!(changed, 1);
        prop_assert_eq!(there.len(), source.len());
        let (back, _) = bump(&there, &one.parse().unwrap()).unwrap();
        prop_assert_eq!(back, source.into_bytes());
    }
}

#[test]
fn rendered_documents_are_kubernetes_objects() {
    for document in render(&application()).unwrap().documents() {
        let objects = Object::from_value("rendered", document.clone()).unwrap();
        assert_eq!(objects.len(), 1);
        assert!(!objects[0].name().is_empty());
    }
}
