//! Laws of port sets, and size.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test states what must hold")]

use lotse_netpol::{Cluster, PortSet, Profile, Protocol};
use lotse_yaml::{Value, value};
use proptest::prelude::*;

fn sets() -> impl Strategy<Value = PortSet> {
    let range = (0usize..3, 1u16..40, 0u16..6);
    let some = proptest::collection::vec(range, 0..5).prop_map(|ranges| {
        ranges.into_iter().fold(PortSet::nothing(), |set, (protocol, first, more)| {
            let protocol = Protocol::ALL.into_iter().nth(protocol).unwrap();
            set.union(&PortSet::range(protocol, first, first + more))
        })
    });
    prop_oneof![9 => some, 1 => Just(PortSet::everything())]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sets_are_sets(a in sets(), b in sets(), protocol in 0usize..3, port in 1u16..50) {
        let protocol = Protocol::ALL.into_iter().nth(protocol).unwrap();
        let (one, other) = (a.contains(protocol, port), b.contains(protocol, port));
        prop_assert_eq!(a.union(&b).contains(protocol, port), one || other);
        prop_assert_eq!(a.intersection(&b).contains(protocol, port), one && other);
        prop_assert_eq!(a.union(&b), b.union(&a));
        prop_assert_eq!(a.intersection(&b), b.intersection(&a));
        prop_assert_eq!(a.intersection(&a.union(&b)), a.clone());
        prop_assert_eq!(a.to_string().parse::<PortSet>().unwrap(), a);
    }
}

#[test]
fn wrong_sets_are_refused() {
    for text in ["", "TCP", "TCP x", "TCP 0", "TCP 5-4", "ICMP 1", "TCP 70000", "TCP 1;"] {
        assert!(text.parse::<PortSet>().is_err(), "{text}");
    }
}

/// Five replicas of each of `apps` applications, and one policy per application that lets the next one in.
fn many(apps: usize) -> Vec<Value> {
    let mut documents = Vec::new();
    for app in 0..apps {
        for replica in 0..5 {
            documents.push(value!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": { "name": format!("p{app}-{replica}"), "namespace": format!("n{}", app % 10), "labels": { "app": format!("a{app}") } },
                "spec": { "containers": [{ "name": "c", "ports": [{ "name": "http", "containerPort": 8000 + app % 7 }] }] },
                "status": { "podIP": format!("10.{}.{}.{replica}", app / 200, app % 200) },
            }));
        }
        documents.push(value!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": { "name": format!("np{app}"), "namespace": format!("n{}", app % 10) },
            "spec": {
                "podSelector": { "matchLabels": { "app": format!("a{app}") } },
                "ingress": [{
                    "from": [{ "namespaceSelector": {}, "podSelector": { "matchLabels": { "app": format!("a{}", app + 1) } } }],
                    "ports": [{ "port": "http" }],
                }],
            },
        }));
    }
    documents
}

#[test]
fn a_thousand_pods_take_seconds_even_without_optimisation() {
    let documents = many(200);
    let cluster = Cluster::from_values(&documents).unwrap();
    let matrix = cluster.matrix(Profile::Node, &[]);
    assert_eq!(matrix.peers().len(), 1002);
    assert_eq!(matrix.get("n1/p1-0|4", "n0/p0-4|4").unwrap().to_string(), "TCP 8000");
    // Every pod but the last application's takes 5 others; nothing restricts what 1000 pods send outside.
    assert_eq!(matrix.allowed().count(), 199 * 25 + 1000);
}
