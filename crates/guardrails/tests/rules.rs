//! Every rollout and hygiene rule with one example that breaks it and one that does not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test states what must hold")]

use lotse_gitops_manifest::Object;
use lotse_guardrails::{Finding, hygiene_findings, rollout_findings};
use lotse_yaml::Limits;

const GOOD: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  minReadySeconds: 5
  strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 30
      volumes: [{name: tmp, emptyDir: {}}]
      containers:
      - name: web
        image: 'r.example/web:1@sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
        command: [php-fpm]
        ports: [{name: http, containerPort: 8080}, {name: metrics, containerPort: 9090}]
        env: [{name: QUEUE_CONNECTION, value: redis}]
        readinessProbe: {httpGet: {path: /ready, port: http}}
        livenessProbe: {httpGet: {path: /live, port: http}}
        lifecycle: {preStop: {sleep: {seconds: 5}}}
        resources: {limits: {memory: 1Gi, ephemeral-storage: 1Gi}, requests: {cpu: 100m, memory: 1Gi}}
        securityContext: {readOnlyRootFilesystem: true}
        volumeMounts: [{name: tmp, mountPath: /tmp}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {minReplicas: 2, maxReplicas: 4, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
";

fn findings(text: &str) -> Vec<Finding> {
    let objects = Object::parse_all("all.yaml", text.as_bytes(), &Limits::manifests()).unwrap();
    let mut findings = rollout_findings(&objects);
    findings.extend(hygiene_findings(&objects));
    findings
}

#[test]
fn a_careful_set_has_no_finding() {
    assert_eq!(findings(GOOD), []);
}

#[test]
fn each_rule_sees_its_counterexample() {
    let table = [
        ("{rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}", "{type: Recreate}", "rollout/recreate"),
        ("maxUnavailable: 0, maxSurge: 1", "maxUnavailable: 0, maxSurge: 0%", "rollout/both-zero"),
        ("maxUnavailable: 0", "maxUnavailable: 100%", "rollout/all-unavailable"),
        ("maxUnavailable: 0", "maxUnavailable: 50%", "rollout/less-capacity"),
        ("minReplicas: 2", "minReplicas: 1", "rollout/single-replica"),
        ("minReplicas: 2", "minReplicas: 1", "rollout/budget-blocks"),
        ("minReadySeconds: 5", "minReadySeconds: 600", "rollout/deadline"),
        (
            "readinessProbe: {httpGet: {path: /ready, port: http}}",
            "readinessProbe: null",
            "rollout/no-readiness-probe",
        ),
        ("path: /live", "path: /ready", "rollout/liveness-as-readiness"),
        ("lifecycle: {preStop: {sleep: {seconds: 5}}}", "lifecycle: null", "rollout/no-pre-stop"),
        ("seconds: 5}", "seconds: 30}", "rollout/pre-stop-eats-grace"),
        ("volumeMounts: [{name: tmp, mountPath: /tmp}]", "volumeMounts: []", "rollout/nowhere-to-write"),
        ("minAvailable: 1", "minAvailable: 60%", "rollout/budget-blocks"),
        ("minAvailable: 1", "maxUnavailable: 0", "rollout/budget-blocks"),
        (
            "selector: {matchLabels: {app: web}}}",
            "selector: {matchLabels: {app: x}}}",
            "rollout/budget-empty",
        ),
        ("maxReplicas: 4", "maxReplicas: 1", "rollout/autoscaler-range"),
        ("kind: Deployment, name: web", "kind: Deployment, name: api", "rollout/autoscaler-target"),
        ("minReadySeconds: 5", "replicas: 3", "rollout/replicas-with-autoscaler"),
        ("requests: {cpu: 100m, memory: 1Gi}", "requests: {memory: 1Gi}", "rollout/autoscaler-request"),
        ("{selector: {app: web}", "{selector: {app: api}", "rollout/service-empty"),
        ("targetPort: http", "targetPort: web", "rollout/service-port"),
        ("@sha256:ba78", "@sha256:", "hygiene/unpinned-image"),
        ("limits: {memory: 1Gi, ", "limits: {", "hygiene/no-memory-limit"),
        (
            "limits: {memory: 1Gi, ephemeral-storage: 1Gi}",
            "limits: {memory: 1Gi}",
            "hygiene/no-ephemeral-storage-limit",
        ),
        ("cpu: 100m, ", "", "hygiene/no-cpu-request"),
        (
            "livenessProbe: {httpGet: {path: /live, port: http}}",
            "livenessProbe: null",
            "hygiene/no-liveness-probe",
        ),
        ("[php-fpm]", "[/usr/bin/supervisord, -n]", "process/supervisor"),
        ("[php-fpm]", "[sh, -c, 'php-fpm & nginx']", "process/background"),
        ("web:1@", "nginx-fpm:1@", "process/several-in-image"),
        ("{name: metrics, ", "{name: other, ", "process/several-ports"),
        ("QUEUE_CONNECTION, value: redis", "QUEUE_CONNECTION, value: database", "process/state-on-database"),
        ("QUEUE_CONNECTION, value: redis", "SESSION_DRIVER, value: file", "process/state-in-pod"),
    ];
    for (from, to, rule) in table {
        assert!(GOOD.contains(from), "{from}");
        let found = findings(&GOOD.replacen(from, to, 1));
        let hit = found.iter().find(|finding| finding.rule == rule);
        let hit = hit.unwrap_or_else(|| panic!("{rule} does not see `{to}`: {found:#?}"));
        assert!(hit.position.is_some() && !hit.reason.is_empty());
    }
}

#[test]
fn volumes_and_second_budgets_are_seen() {
    let claim = "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: d}\nspec: {accessModes: [ReadWriteOnce]}\n";
    let text = GOOD.replace("emptyDir: {}", "persistentVolumeClaim: {claimName: d}") + claim;
    assert!(findings(&text).iter().any(|finding| finding.rule == "rollout/volume-once"));
    let budget = "---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b}\nspec: {maxUnavailable: 1, selector: {}}\n";
    let found = findings(&(GOOD.to_owned() + budget));
    assert_eq!(found.iter().filter(|finding| finding.rule == "rollout/two-budgets").count(), 2);
    let map = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {CACHE_STORE: database}\n";
    assert_eq!(findings(&(GOOD.to_owned() + map)).len(), 1);
}
