//! The reachability of the bundled application: table 5.3 and figure 4.11 of the thesis, and nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_netpol::{PortSet, Protocol};
use lotse_release::{NetworkReport, Request, release};
use lotse_tests::{committed_armband, test_key};
use tempfile::TempDir;

fn network() -> NetworkReport {
    let directory = TempDir::new().unwrap();
    let app = directory.path().join("app");
    committed_armband(&app);
    let request = Request { key: Some(test_key()), ..Request::new(&app, directory.path().join("out")) };
    release(&request, &mut ()).unwrap().networks["production"].clone()
}

fn cell(network: &NetworkReport, from: &str, to: &str) -> String {
    let at = |name: &str| {
        network
            .peers
            .iter()
            .position(|peer| peer == name)
            .unwrap_or_else(|| panic!("{name} in {:?}", network.peers))
    };
    network.cells[at(from)][at(to)].as_ref().unwrap_or_else(|| panic!("{from} to {to}")).0.clone()
}

#[test]
fn the_matrix_equals_table_5_3_and_figure_4_11_and_denies_everything_else() {
    let network = network();
    let sms = "sms, 195.201.160.143";
    let dns = PortSet::range(Protocol::Tcp, 53, 53).union(&PortSet::range(Protocol::Udp, 53, 53)).to_string();
    let allowed = [
        // Table 5.3.
        ("app", sms, "TCP 443"),
        ("app", "redis", "TCP 6379"),
        ("app", "mysql", "TCP 3306"),
        // Figure 4.11 and the text before it.
        ("ingress", "nginx", "TCP 8080"),
        ("nginx", "app", "TCP 9000"),
        ("worker", "mysql", "TCP 3306"),
        ("worker", "redis", "TCP 6379"),
        ("worker", sms, "TCP 443"),
        ("scheduler", "mysql", "TCP 3306"),
        ("scheduler", "redis", "TCP 6379"),
        ("expand", "mysql", "TCP 3306"),
        ("seed-0", "mysql", "TCP 3306"),
    ];
    let ours = ["nginx", "app", "worker", "scheduler", "mysql", "redis", "expand", "seed-0"];
    for from in &network.peers {
        for to in &network.peers {
            let known = ours.contains(&from.as_str()) || ours.contains(&to.as_str());
            if from == to || !known {
                continue;
            }
            let resolves = to == "dns"
                && ["nginx", "app", "worker", "scheduler", "expand", "seed-0"].contains(&from.as_str());
            let expected = match allowed.iter().find(|(source, target, _)| source == from && target == to) {
                Some((_, _, ports)) => (*ports).to_owned(),
                None if resolves => dns.clone(),
                None => "-".to_owned(),
            };
            assert_eq!(cell(&network, from, to), expected, "{from} to {to}");
        }
    }
    assert!(!cell(&network, "app", sms).contains("80"), "table 5.3: HTTP to the gateway is blocked");
}
