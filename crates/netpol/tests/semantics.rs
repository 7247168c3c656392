//! What the API says, each point by itself; what it refuses; policies made from an intent; differences.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test states what must hold"
)]

use lotse_netpol::{Cluster, Connection, End, Error, Expected, Intent, PortSet, Profile, Protocol};
use lotse_yaml::{Limits, Value, to_yaml_stream};

/// Three pods of one namespace and one of another, and a policy.
fn cluster(policy: &str) -> Result<Cluster, Error> {
    let text = format!(
        "apiVersion: v1
kind: Pod
metadata: {{name: a, namespace: one, labels: {{app: a}}}}
spec:
  nodeName: n1
  containers:
  - {{name: x, ports: [{{name: http, containerPort: 80}}, {{name: http, containerPort: 81, protocol: UDP}}]}}
  - {{name: y, ports: [{{name: http, containerPort: 8080}}]}}
status: {{podIP: 10.0.0.1, podIPs: [{{ip: 10.0.0.1}}, {{ip: 'fd00::1'}}], hostIP: 192.0.2.1}}
---
apiVersion: v1
kind: Pod
metadata: {{name: b, namespace: one, labels: {{app: b, tier: ''}}}}
spec: {{nodeName: n2}}
status: {{podIP: 10.0.0.2}}
---
apiVersion: v1
kind: Pod
metadata: {{name: node, namespace: one}}
spec: {{hostNetwork: true, nodeName: n1}}
status: {{podIP: 192.0.2.1, hostIP: 192.0.2.1}}
---
apiVersion: v1
kind: Pod
metadata: {{name: c, namespace: two, labels: {{app: a}}}}
status: {{podIP: 10.0.0.3}}
---
apiVersion: v1
kind: Pod
metadata: {{name: gone, namespace: two}}
status: {{phase: Succeeded, podIP: 10.0.0.2}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: p, namespace: one}}
spec: {policy}
"
    );
    Cluster::parse([("t.yaml", text.as_bytes())], &Limits::manifests())
}

fn ports(policy: &str, profile: Profile, from: &str, to: &str) -> String {
    let cluster = cluster(policy).unwrap_or_else(|error| panic!("{policy}: {error}"));
    let matrix = cluster.matrix(profile, &["8.8.8.8".parse().unwrap(), "192.0.2.1".parse().unwrap()]);
    matrix.get(from, to).map_or_else(|| "none".to_owned(), ToString::to_string)
}

#[test]
fn each_rule_of_the_api_holds() {
    let to_a = "podSelector: {matchLabels: {app: a}}";
    let table = [
        // Selection and isolation.
        ("{}".to_owned(), "one/b|4", "one/a|4", "-"),
        ("{podSelector: {}, ingress: []}".to_owned(), "one/b|4", "one/a|4", "-"),
        ("{podSelector: {}, ingress: [{}]}".to_owned(), "one/b|4", "one/a|4", "*"),
        ("{podSelector: {}, policyTypes: [Egress]}".to_owned(), "two/c|4", "one/a|4", "*"),
        ("{podSelector: {}, policyTypes: [Egress]}".to_owned(), "one/a|4", "two/c|4", "-"),
        ("{podSelector: {}, egress: []}".to_owned(), "one/a|4", "two/c|4", "*"),
        ("{podSelector: {}, egress: [{}]}".to_owned(), "two/c|4", "one/a|4", "-"),
        (format!("{{{to_a}}}"), "one/a|4", "two/c|4", "*"),
        (format!("{{{to_a}}}"), "one/a|4", "one/b|4", "*"),
        (format!("{{{to_a}}}"), "one/b|4", "one/a|6", "none"),
        (format!("{{{to_a}}}"), "one/a|4", "one/a|4", "none"),
        // Peers.
        (format!("{{{to_a}, ingress: [{{from: [{{podSelector: {{}}}}]}}]}}"), "one/b|4", "one/a|4", "*"),
        (format!("{{{to_a}, ingress: [{{from: [{{podSelector: {{}}}}]}}]}}"), "two/c|4", "one/a|4", "-"),
        (
            format!("{{{to_a}, ingress: [{{from: [{{namespaceSelector: {{}}}}]}}]}}"),
            "two/c|4",
            "one/a|4",
            "*",
        ),
        (format!("{{{to_a}, ingress: [{{from: []}}]}}"), "8.8.8.8", "one/a|4", "*"),
        (
            format!(
                "{{{to_a}, ingress: [{{from: [{{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: two}}}}}}]}}]}}"
            ),
            "two/c|4",
            "one/a|4",
            "*",
        ),
        (
            format!(
                "{{{to_a}, ingress: [{{from: [{{namespaceSelector: {{}}, podSelector: {{matchLabels: {{app: b}}}}}}]}}]}}"
            ),
            "two/c|4",
            "one/a|4",
            "-",
        ),
        (
            format!(
                "{{{to_a}, ingress: [{{from: [{{podSelector: {{matchExpressions: [{{key: tier, operator: NotIn, values: [x]}}]}}}}]}}]}}"
            ),
            "one/b|4",
            "one/a|4",
            "*",
        ),
        (
            format!("{{{to_a}, ingress: [{{from: [{{podSelector: {{matchLabels: {{tier: ''}}}}}}]}}]}}"),
            "one/b|4",
            "one/a|4",
            "*",
        ),
        (
            format!("{{{to_a}, ingress: [{{from: [{{podSelector: {{matchLabels: {{none: ''}}}}}}]}}]}}"),
            "one/b|4",
            "one/a|4",
            "-",
        ),
        // Ports.
        (format!("{{{to_a}, ingress: [{{ports: [{{}}]}}]}}"), "one/b|4", "one/a|4", "TCP 1-65535"),
        (
            format!("{{{to_a}, ingress: [{{ports: [{{protocol: UDP}}]}}]}}"),
            "one/b|4",
            "one/a|4",
            "UDP 1-65535",
        ),
        (
            format!("{{{to_a}, ingress: [{{ports: [{{port: 80, endPort: 90}}, {{port: 91}}]}}]}}"),
            "one/b|4",
            "one/a|4",
            "TCP 80-91",
        ),
        (format!("{{{to_a}, ingress: [{{ports: [{{port: http}}]}}]}}"), "one/b|4", "one/a|4", "TCP 80,8080"),
        (format!("{{{to_a}, ingress: [{{ports: [{{port: nosuch}}]}}]}}"), "one/b|4", "one/a|4", "-"),
        (
            "{podSelector: {matchLabels: {app: b}}, egress: [{ports: [{port: http, protocol: UDP}]}]}"
                .to_owned(),
            "one/b|4",
            "one/a|4",
            "UDP 81",
        ),
        (
            "{podSelector: {matchLabels: {app: b}}, egress: [{ports: [{port: http}, {port: 443}]}]}"
                .to_owned(),
            "one/b|4",
            "8.8.8.8",
            "TCP 443",
        ),
        // Blocks.
        (
            format!("{{{to_a}, ingress: [{{from: [{{ipBlock: {{cidr: 8.8.8.99/24}}}}]}}]}}"),
            "8.8.8.8",
            "one/a|4",
            "*",
        ),
        (
            format!(
                "{{{to_a}, ingress: [{{from: [{{ipBlock: {{cidr: 0.0.0.0/0, except: [8.0.0.0/8]}}}}]}}]}}"
            ),
            "8.8.8.8",
            "one/a|4",
            "-",
        ),
        (
            format!("{{{to_a}, ingress: [{{from: [{{ipBlock: {{cidr: 10.0.0.0/8}}}}]}}]}}"),
            "one/b|4",
            "one/a|4",
            "*",
        ),
        (
            format!("{{{to_a}, ingress: [{{from: [{{ipBlock: {{cidr: '::/0'}}}}]}}]}}"),
            "8.8.8.8",
            "one/a|4",
            "-",
        ),
        // The own node.
        (format!("{{{to_a}}}"), "one/node|4", "one/a|4", "*"),
        ("{podSelector: {matchLabels: {app: b}}}".to_owned(), "one/node|4", "one/b|4", "-"),
        ("{podSelector: {}}".to_owned(), "one/a|4", "one/node|4", "*"),
    ];
    for (policy, from, to, expected) in table {
        assert_eq!(ports(&policy, Profile::Node, from, to), expected, "{policy} {from} -> {to}");
    }
}

#[test]
fn profiles_differ_where_the_api_is_silent() {
    let block = "{podSelector: {matchLabels: {app: a}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}";
    let own = "{podSelector: {matchLabels: {app: a}}}";
    let table = [
        (block, "one/b|4", "one/a|4", ["*", "-", "-"]),
        (own, "one/node|4", "one/a|4", ["*", "*", "-"]),
        ("{podSelector: {}, egress: [{to: [{podSelector: {}}]}]}", "one/b|4", "one/node|4", ["-", "-", "-"]),
        (
            "{podSelector: {}, egress: [{to: [{podSelector: {}}]}], ingress: [{}]}",
            "one/b|4",
            "one/node|4",
            ["-", "-", "*"],
        ),
    ];
    for (policy, from, to, expected) in table {
        for (profile, expected) in Profile::ALL.into_iter().zip(expected) {
            assert_eq!(ports(policy, profile, from, to), expected, "{policy} {profile}");
        }
    }
}

#[test]
fn what_the_server_refuses_is_refused_with_its_place() {
    let table = [
        ("{podSelector: {}, ingress: [{from: [{}]}]}", "/spec/ingress/0/from/0"),
        (
            "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]}",
            "/spec/ingress/0/from/0",
        ),
        ("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0}}]}]}", "/ipBlock/cidr"),
        ("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/33}}]}]}", "/ipBlock/cidr"),
        (
            "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/8]}}]}]}",
            "/except/0",
        ),
        (
            "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]}",
            "/except/0",
        ),
        ("{podSelector: {}, ingress: [{ports: [{port: 0}]}]}", "/ports/0/port"),
        ("{podSelector: {}, ingress: [{ports: [{port: Http}]}]}", "/ports/0/port"),
        ("{podSelector: {}, ingress: [{ports: [{port: 90, endPort: 80}]}]}", "/ports/0/endPort"),
        ("{podSelector: {}, ingress: [{ports: [{port: http, endPort: 80}]}]}", "/ports/0/endPort"),
        ("{podSelector: {}, ingress: [{ports: [{endPort: 80}]}]}", "/ports/0/endPort"),
        ("{podSelector: {}, ingress: [{ports: [{protocol: tcp}]}]}", "/ports/0/protocol"),
        ("{podSelector: {}, ingress: [{form: []}]}", "/spec/ingress/0"),
        ("{podSelector: {}, policyTypes: [ingress]}", "/spec/policyTypes/0"),
        ("{podSelector: {matchExpressions: [{key: a, operator: In}]}}", "/spec/podSelector"),
        ("{podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}", "/spec/podSelector"),
        ("{podSelector: {matchLabels: {a: 1}}}", "/spec/podSelector"),
        ("{selector: {}}", "/spec"),
    ];
    for (policy, pointer) in table {
        match cluster(policy) {
            Err(Error::Invalid { place, .. }) => {
                assert!(place.pointer.ends_with(pointer), "{policy}: {place}");
                assert!(place.position.is_some_and(|position| position.line > 30));
            }
            other => panic!("{policy}: {other:?}"),
        }
    }
    let cilium = b"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: x}\n";
    let refused = Cluster::parse([("c", &cilium[..])], &Limits::manifests());
    assert!(matches!(refused, Err(Error::UnsupportedPolicy { .. })));
    let wrong =
        b"apiVersion: v1\nkind: Namespace\nmetadata: {name: x, labels: {kubernetes.io/metadata.name: z}}\n";
    assert!(Cluster::parse([("n", &wrong[..])], &Limits::manifests()).is_err());
    let twice = b"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: x}\n";
    assert!(matches!(Cluster::parse([("p", &twice[..])], &Limits::manifests()), Err(Error::Twice { .. })));
}

#[test]
fn an_explanation_names_rule_and_line() {
    let policy = "{podSelector: {matchLabels: {app: a}}, ingress: [{from: [{podSelector: {matchLabels: {app: z}}}, {podSelector: {}}], ports: [{port: 80}]}, {ports: [{port: 99}]}]}";
    let cluster = cluster(policy).unwrap();
    let why = cluster.explain(Profile::Node, "one/b", "one/a", Protocol::Tcp, 80).unwrap();
    assert_eq!(
        why.to_string(),
        "one/b|4 (10.0.0.2) -> one/a|4 (10.0.0.1) TCP 80: allowed (profile node)\n  egress: open: no policy selects the \
         pod in this direction\n  ingress: allowed by\n    t.yaml:36:56: NetworkPolicy one/p /spec/ingress/0 (item 1)"
    );
    let why = cluster.explain(Profile::Node, "one/b", "one/a", Protocol::Tcp, 81).unwrap();
    assert!(!why.allowed && why.to_string().contains("other ports: t.yaml:36"), "{why}");
    let why = cluster.explain(Profile::Node, "8.8.8.8", "one/a", Protocol::Tcp, 80).unwrap();
    assert!(!why.allowed && why.to_string().contains("other peers: t.yaml:36"), "{why}");
    let why = cluster.explain(Profile::Node, "2001:db8::1", "one/a", Protocol::Tcp, 99).unwrap();
    assert_eq!((why.allowed, why.destination.1.as_str()), (true, "fd00::1"));
    assert!(cluster.explain(Profile::Node, "8.8.8.8", "9.9.9.9", Protocol::Tcp, 99).is_err());
    assert!(cluster.explain(Profile::Node, "one/zz", "one/a", Protocol::Tcp, 99).is_err());
}

fn armband() -> (Intent, Vec<Value>) {
    let own = |name: &str| End::component(name, "component", name);
    let tcp = |port| vec![(Protocol::Tcp, port)];
    let mut connections = vec![
        Connection::new(
            End::Elsewhere { namespace: "ingress".into(), labels: Default::default() },
            own("nginx"),
            tcp(8080),
        ),
        Connection::new(own("nginx"), own("app"), tcp(9000)),
        Connection::new(own("worker"), End::block("195.201.160.143/32"), tcp(443)),
    ];
    for name in ["app", "worker", "scheduler", "seeder", "migrator"] {
        connections.push(Connection::new(own(name), own("mysql"), tcp(3306)));
    }
    for name in ["app", "worker", "scheduler"] {
        connections.push(Connection::new(own(name), own("redis"), tcp(6379)));
    }
    let pod = |namespace: &str, name: &str, key: &str, address: &str| {
        lotse_yaml::value!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": name, "namespace": namespace, "labels": { (key): name } },
            "status": { "podIP": address },
        })
    };
    let mut pods = vec![
        pod("kube-system", "kube-dns", "k8s-app", "10.1.0.1"),
        pod("ingress", "controller", "app", "10.1.0.2"),
        pod("other", "stranger", "component", "10.1.0.3"),
    ];
    for (number, name) in
        ["app", "nginx", "worker", "scheduler", "migrator", "seeder", "mysql", "redis", "idle"]
            .iter()
            .enumerate()
    {
        pods.push(pod("shop", name, "component", &format!("10.2.0.{}", number + 1)));
    }
    (Intent::new("shop", connections), pods)
}

#[test]
fn what_is_made_allows_exactly_what_was_meant() {
    let (intent, mut documents) = armband();
    let policies = intent.policies().unwrap();
    assert_eq!(policies.len(), 9, "default-deny and one for each component");
    assert_eq!(policies, intent.policies().unwrap());
    let written = to_yaml_stream(&policies);
    documents.extend(policies);
    let cluster = Cluster::from_values(&documents).unwrap();
    for profile in Profile::ALL {
        let matrix = cluster.matrix(profile, &[]);
        let expected = intent.expected(&cluster, matrix.peers());
        // The policies are those of one namespace: pairs without any end there are nobody's business here.
        let shop = |peer: &str| peer.starts_with("shop/");
        let found: Vec<Expected> = matrix
            .allowed()
            .filter(|(from, to, _)| shop(from) || shop(to))
            .map(|(from, to, set)| Expected::new(from, to, set.clone()))
            .collect();
        let mut found_sorted = found;
        found_sorted.sort();
        assert_eq!(found_sorted, expected, "{profile}\n{written}");
    }
    // 1 from the ingress, 1 to the application, 1 outside, 5 to MySQL, 3 to Redis, 6 to DNS.
    let matrix = cluster.matrix(Profile::Node, &[]);
    assert_eq!(intent.expected(&cluster, matrix.peers()).len(), 17);
    let outside = matrix.get("shop/worker|4", "195.201.160.143").unwrap();
    assert_eq!(outside.to_string(), "TCP 443");
    let lost =
        lotse_netpol::Expected::new("shop/idle|4", "shop/redis|4", PortSet::range(Protocol::Tcp, 6379, 6379));
    let mut expected = intent.expected(&cluster, matrix.peers());
    expected.push(lost);
    let only_shop = |peer: &str| peer.starts_with("shop/");
    let differences = matrix.compare(&expected, only_shop);
    assert_eq!(differences.len(), 1);
    assert_eq!(differences[0].to_string(), "shop/idle|4 -> shop/redis|4: expected TCP 6379, is -");
}

#[test]
fn an_intent_that_says_nothing_clear_is_refused() {
    let own = |name: &str| End::component(name, "component", name);
    let nameless = End::Component { name: "x".into(), labels: Default::default() };
    let twin = End::component("app", "component", "other");
    let ports = || vec![(Protocol::Tcp, 1)];
    let table = [
        vec![Connection::new(own("a"), own("b"), vec![])],
        vec![Connection::new(own("a"), nameless, ports())],
        vec![Connection::new(own("a"), End::block("10.0.0.1"), ports())],
        vec![Connection::new(End::block("10.0.0.0/8"), End::block("11.0.0.0/8"), ports())],
        vec![Connection::new(own("app"), twin, ports())],
    ];
    for connections in table {
        assert!(Intent::new("shop", connections.clone()).policies().is_err(), "{connections:?}");
    }
}

#[test]
fn a_diff_says_what_opens_and_what_closes() {
    let before = cluster("{podSelector: {}}").unwrap().matrix(Profile::Node, &[]);
    let after =
        cluster("{podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}]}").unwrap();
    let changes: Vec<String> =
        after.matrix(Profile::Node, &[]).diff(&before).iter().map(ToString::to_string).collect();
    assert_eq!(
        changes,
        ["one/a|4 -> one/b|4: expected -, is TCP 80", "one/b|4 -> one/a|4: expected -, is TCP 80"]
    );
}

#[test]
fn workloads_are_peers_without_an_address() {
    let text = b"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: s}\nspec: {template: {metadata: {labels: {a: b}}}}\n---\n\
        apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: web, namespace: s}\nspec: {jobTemplate: {spec: {template: {}}}}\n---\n\
        apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: n, namespace: s}\n\
        spec: {podSelector: {matchLabels: {a: b}}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}], ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}\n";
    let cluster = Cluster::parse([("w", &text[..])], &Limits::manifests()).unwrap();
    let matrix = cluster.matrix(Profile::Node, &[]);
    let get = |from, to| matrix.get(from, to).unwrap().to_string();
    assert_eq!(get("s/web", "10.0.0.0"), "*");
    assert_eq!(get("s/web", "11.0.0.0"), "-");
    assert_eq!(get("::", "s/web"), "-");
    assert_eq!(get("s/web[CronJob]", "s/web"), "*", "a block that leaves nothing out holds every address");
}
