//! Every cell of the sampled clusters, in all three profiles.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::io::Read;

use lotse_netpol::{Cluster, Profile, Protocol};
use lotse_yaml::{Limits, Value, parse_json};

fn rows() -> Vec<Value> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(&include_bytes!("data/clusters.jsonl.gz")[..])
        .read_to_string(&mut text)
        .unwrap();
    text.lines().map(|line| parse_json(line.as_bytes(), &Limits::manifests()).unwrap()).collect()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

#[test]
fn every_cell_agrees_in_every_profile() {
    let rows = rows();
    assert_eq!(rows.len(), 100);
    for profile in Profile::ALL {
        let mut cells = 0;
        for row in &rows {
            let cluster = Cluster::from_values(row.get("docs").unwrap().as_array().unwrap()).unwrap();
            let strings = texts(row.get("strings").unwrap());
            // The sample also asks at the addresses that a tool would take who misreads IPv6 blocks.
            let matrix = cluster.matrix(profile, &cluster.contrast());
            let peers = texts(row.get("peers").unwrap());
            assert_eq!(matrix.peers(), peers, "{}", row.get("id").unwrap());
            let verdict = row.pointer(&format!("/verdict/{profile}")).unwrap().as_array().unwrap();
            for (from, line) in verdict.iter().enumerate() {
                for (to, cell) in line.as_array().unwrap().iter().enumerate() {
                    let expected =
                        usize::try_from(cell.as_i64().unwrap()).ok().map(|index| strings[index].to_owned());
                    let ours = matrix.cell(from, to).map(ToString::to_string);
                    let (id, from, to) = (row.get("id").unwrap(), peers[from], peers[to]);
                    assert_eq!(ours, expected, "{id} {profile} {from} -> {to}");
                    cells += 1;
                }
            }
        }
        assert_eq!(cells, 46_231);
    }
}

#[test]
fn explanations_agree_with_the_matrix() {
    for row in rows().iter().take(12) {
        let cluster = Cluster::from_values(row.get("docs").unwrap().as_array().unwrap()).unwrap();
        let matrix = cluster.matrix(Profile::Node, &[]);
        for from in matrix.peers() {
            for to in matrix.peers() {
                for (protocol, port) in [(Protocol::Tcp, 80), (Protocol::Udp, 53), (Protocol::Sctp, 5432)] {
                    let why = cluster.explain(Profile::Node, from, to, protocol, port);
                    match matrix.get(from, to) {
                        None => assert!(why.is_err(), "{from} {to}"),
                        Some(set) => {
                            assert_eq!(why.unwrap().allowed, set.contains(protocol, port), "{from} {to}")
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn services_lead_to_the_same_pods() {
    for row in rows() {
        let cluster = Cluster::from_values(row.get("docs").unwrap().as_array().unwrap()).unwrap();
        let theirs = row.get("services").unwrap().as_object().unwrap();
        let ours = cluster.services();
        assert_eq!(ours.len(), theirs.len(), "{}", row.get("id").unwrap());
        for (service, pods) in &ours {
            let pods: Value =
                pods.iter().map(|(pod, port)| lotse_yaml::value!([pod.as_str(), *port])).collect();
            let mut expected = theirs.get(service).unwrap().as_array().unwrap().to_vec();
            expected.sort_by_key(Value::to_json);
            assert_eq!(pods, Value::from(expected), "{service}");
        }
    }
}
