//! Who can be at an end of a connection.

use std::collections::BTreeSet;

use crate::address::Block;
use crate::cluster::Pod;
use crate::policy::{Peer as Selected, Rule};
use crate::{Address, Cluster, Direction, Profile};

/// One end of a connection: a pod under one of its addresses, or an address outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    /// Index into the pods, and the address; a pod that has none yet stands for both families.
    Pod(usize, Option<Address>),
    Outside(Address),
}

impl Peer {
    pub(crate) fn address(self) -> Option<Address> {
        match self {
            Self::Pod(_, address) => address,
            Self::Outside(address) => Some(address),
        }
    }

    pub(crate) fn pod(self, cluster: &Cluster) -> Option<&Pod> {
        match self {
            Self::Pod(index, _) => cluster.pods.get(index),
            Self::Outside(_) => None,
        }
    }

    pub(crate) fn name(self, cluster: &Cluster) -> String {
        match (self, self.pod(cluster)) {
            (Self::Pod(_, None), Some(pod)) => format!("{}/{}", pod.namespace, pod.name),
            (Self::Pod(_, Some(address)), Some(pod)) => {
                format!("{}/{}|{}", pod.namespace, pod.name, if address.is_v6() { 6 } else { 4 })
            }
            _ => self.address().map(|address| address.to_string()).unwrap_or_default(),
        }
    }
}

/// The pods, each under each address, in the order of the documents.
pub(crate) fn pods(cluster: &Cluster) -> Vec<Peer> {
    let mut peers = Vec::new();
    for (index, pod) in cluster.pods.iter().enumerate() {
        for address in &pod.addresses {
            peers.push(Peer::Pod(index, Some(*address)));
        }
        if pod.addresses.is_empty() {
            peers.push(Peer::Pod(index, None));
        }
    }
    peers
}

/// One outside address for each set of addresses that no block tells apart: IPv4 first, each family in order.
/// Addresses of nodes are passed over, because traffic from a pod's own node is judged apart. With contrast, also the
/// IPv4 addresses that a reader would take who sees only the first 32 bits of an IPv6 block.
pub(crate) fn outside(cluster: &Cluster, contrast: bool) -> Vec<Address> {
    let pods = cluster.pods.iter().flat_map(|pod| pod.addresses.iter().chain(&pod.node_addresses));
    let taken: BTreeSet<Address> = pods.chain(&cluster.ended).copied().collect();
    let mut found = Vec::new();
    for v6 in [false, true] {
        let mut cuts = BTreeSet::from([Address::first(v6)]);
        for block in blocks(cluster).filter(|block| block.first.is_v6() == v6) {
            cuts.insert(block.first);
            cuts.extend(block.last.next());
        }
        if contrast && !v6 {
            for block in blocks(cluster).filter(|block| block.first.is_v6()) {
                cuts.insert(block.first.first_bits());
                cuts.extend(block.last.first_bits().next());
            }
        }
        let cuts: Vec<Address> = cuts.into_iter().collect();
        for (number, first) in cuts.iter().enumerate() {
            let end = cuts.get(number + 1).copied();
            let mut at = Some(*first);
            while let Some(address) = at.filter(|address| end.is_none_or(|end| *address < end)) {
                if !taken.contains(&address) {
                    found.push(address);
                    break;
                }
                at = address.next();
            }
        }
    }
    found
}

fn blocks(cluster: &Cluster) -> impl Iterator<Item = Block> {
    let rules = cluster
        .policies
        .iter()
        .flat_map(|policy| policy.ingress.iter().chain(&policy.egress).flatten().chain(&policy.inert));
    let peers = rules.flat_map(|rule| rule.peers.iter().flatten());
    peers.flat_map(|peer| match peer {
        Selected::Block { block, except } => std::iter::once(*block).chain(except.iter().copied()).collect(),
        Selected::Pods { .. } => Vec::new(),
    })
}

/// `true` if policies select this pod and can name it as a peer.
pub(crate) fn is_policed(pod: &Pod, profile: Profile) -> bool {
    profile == Profile::Podlike || !pod.host_network
}

/// `true` if a rule of a policy in a namespace names the peer; with the place of the item that does.
pub(crate) fn names(
    cluster: &Cluster,
    profile: Profile,
    namespace: &str,
    rule: &Rule,
    peer: Peer,
) -> Option<usize> {
    let Some(items) = &rule.peers else { return Some(0) };
    items.iter().position(|item| match item {
        Selected::Block { block, except } => {
            // A pod on the host's network is its node, and no pod to a block.
            if profile != Profile::Node && peer.pod(cluster).is_some_and(|pod| is_policed(pod, profile)) {
                return false;
            }
            match peer.address() {
                Some(address) => {
                    block.contains(address) && !except.iter().any(|inner| inner.contains(address))
                }
                // A pod without an address yet: only a block that leaves nothing out is sure to hold it.
                None => block.is_everything() && except.is_empty(),
            }
        }
        Selected::Pods { namespaces, pods } => {
            let Some(pod) = peer.pod(cluster).filter(|pod| is_policed(pod, profile)) else { return false };
            let there = match namespaces {
                None => pod.namespace == namespace,
                Some(selector) => {
                    cluster.namespaces.get(&pod.namespace).is_some_and(|labels| selector.matches(labels))
                }
            };
            there && pods.as_ref().is_none_or(|selector| selector.matches(&pod.labels))
        }
    })
}

/// The policies that select a pod in a direction, by their index; empty if none does: everything is allowed then.
pub(crate) fn selecting(cluster: &Cluster, profile: Profile, direction: Direction, pod: &Pod) -> Vec<usize> {
    if !is_policed(pod, profile) {
        return Vec::new();
    }
    let policies = cluster.policies.iter().enumerate().filter(|(_, policy)| {
        policy.rules(direction).is_some()
            && policy.namespace == pod.namespace
            && policy.selector.matches(&pod.labels)
    });
    policies.map(|(index, _)| index).collect()
}

/// `true` if what comes from this source is let in whatever policies say: it comes from the pod's own node.
pub(crate) fn is_own_node(cluster: &Cluster, profile: Profile, source: Peer, pod: &Pod) -> bool {
    if profile == Profile::Podlike {
        return false;
    }
    let by_name = source
        .pod(cluster)
        .is_some_and(|source| source.host_network && source.node.is_some() && source.node == pod.node);
    let by_address = match source {
        Peer::Pod(..) if source.pod(cluster).is_some_and(|source| !source.host_network) => false,
        _ => source.address().is_some_and(|address| pod.node_addresses.contains(&address)),
    };
    by_name || by_address
}
