use std::collections::{BTreeMap, BTreeSet};

use lotse_yaml::{Map, Value, value};

use crate::address::Block;
use crate::cluster::Pod;
use crate::{Cluster, Error, Expected, Place, PortSet, Protocol};

/// Who talks to whom, in plain words: what a NetworkPolicy for one namespace is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Intent {
    /// The namespace that is closed but for these connections.
    pub namespace: String,
    /// The connections; everything else is denied in both directions.
    pub connections: Vec<Connection>,
    /// Where names are looked up; every component that opens a connection may ask there. `None`: nobody may.
    pub dns: Option<End>,
}

/// One connection: who opens it, to whom, on which ports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connection {
    /// Who opens it.
    pub from: End,
    /// To whom.
    pub to: End,
    /// On which ports of the destination pod; names are not needed, services are seen through.
    pub ports: Vec<(Protocol, u16)>,
}

/// One end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// Pods of the namespace that have these labels; the name becomes the name of their policy.
    Component {
        /// Name, as `web`.
        name: String,
        /// Labels that all of its pods have and no others.
        labels: BTreeMap<String, String>,
    },
    /// Pods of another namespace; without labels all of them.
    Elsewhere {
        /// The namespace.
        namespace: String,
        /// Labels of the pods.
        labels: BTreeMap<String, String>,
    },
    /// A block of addresses outside.
    Block {
        /// As `203.0.113.10/32`.
        cidr: String,
        /// Smaller blocks inside that are left out.
        except: Vec<String>,
    },
}

impl Intent {
    /// A namespace whose connections are all there are, and whose components ask the cluster's DNS (pods labelled
    /// `k8s-app: kube-dns` in `kube-system`, port 53).
    #[must_use]
    pub fn new(namespace: impl Into<String>, connections: Vec<Connection>) -> Self {
        let labels = BTreeMap::from([("k8s-app".to_owned(), "kube-dns".to_owned())]);
        let dns = End::Elsewhere { namespace: "kube-system".to_owned(), labels };
        Self { namespace: namespace.into(), connections, dns: Some(dns) }
    }

    /// The policies: `default-deny` for the namespace, and one `allow-NAME` for each component that opens or takes a
    /// connection, with rules at both ends. Sorted by name; the same intent gives the same documents.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a component without labels or two of one name with different labels, for a connection
    /// without ports or between two ends outside the namespace, and for blocks that are none.
    pub fn policies(&self) -> Result<Vec<Value>, Error> {
        let mut components: BTreeMap<&str, Component<'_>> = BTreeMap::new();
        for (number, connection) in self.connections.iter().enumerate() {
            let refuse = |message: &str| invalid(number, message);
            if connection.ports.is_empty() {
                return refuse("a connection needs at least one port");
            }
            let mut inside = 0;
            for (end, other, rules) in [
                (&connection.from, &connection.to, Side::Egress),
                (&connection.to, &connection.from, Side::Ingress),
            ] {
                end.check().or_else(|message| invalid(number, &message))?;
                let End::Component { name, labels } = end else { continue };
                inside += 1;
                let component =
                    components.entry(name).or_insert_with(|| Component { labels, rules: BTreeMap::new() });
                if component.labels != labels {
                    return refuse(&format!("the component `{name}` has other labels elsewhere"));
                }
                let rule = component.rules.entry((rules, other.key()));
                rule.or_insert_with(|| (other, BTreeSet::new())).1.extend(connection.ports.iter().copied());
            }
            if inside == 0 {
                return refuse("neither end lies in the namespace");
            }
        }
        let mut policies = vec![self.policy("default-deny", value!({}), None, None)];
        for (name, component) in &components {
            let rules = |side: Side| -> Vec<Value> {
                let list = component.rules.iter().filter(|((found, _), _)| *found == side);
                list.map(|(_, (other, ports))| rule(side, other, ports)).collect()
            };
            let (mut egress, ingress) = (rules(Side::Egress), rules(Side::Ingress));
            if let Some(dns) = self.dns.as_ref().filter(|_| !egress.is_empty()) {
                egress.push(rule(Side::Egress, dns, &dns_ports()));
            }
            let pods = value!({ "matchLabels": map(component.labels) });
            policies.push(self.policy(&format!("allow-{name}"), pods, Some(ingress), Some(egress)));
        }
        Ok(policies)
    }

    fn policy(
        &self,
        name: &str,
        pods: Value,
        ingress: Option<Vec<Value>>,
        egress: Option<Vec<Value>>,
    ) -> Value {
        let mut spec = value!({ "podSelector": pods, "policyTypes": ["Ingress", "Egress"] });
        if let Some(spec) = spec.as_object_mut() {
            for (key, rules) in [("ingress", ingress), ("egress", egress)] {
                if let Some(rules) = rules.filter(|rules| !rules.is_empty()) {
                    spec.insert(key, rules);
                }
            }
        }
        value!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": { "name": name, "namespace": &self.namespace },
            "spec": spec,
        })
    }

    /// What the intent allows between the peers of a cluster, straight from the connections: the other column beside
    /// a [`crate::Matrix`]. Blocks are matched against the outside peers given.
    #[must_use]
    pub fn expected(&self, cluster: &Cluster, peers: &[String]) -> Vec<Expected> {
        let mut expected = Vec::new();
        let pairs = |from: &End, to: &End, ports: &PortSet, expected: &mut Vec<Expected>| {
            for source in peers.iter().filter(|peer| self.is(cluster, from, peer)) {
                for target in peers.iter().filter(|peer| self.is(cluster, to, peer)) {
                    if family(source) == family(target)
                        || family(source).is_none()
                        || family(target).is_none()
                    {
                        expected.push(Expected::new(source, target, ports.clone()));
                    }
                }
            }
        };
        for connection in &self.connections {
            let ports = set(connection.ports.iter());
            pairs(&connection.from, &connection.to, &ports, &mut expected);
            if let (Some(dns), End::Component { .. }) = (&self.dns, &connection.from) {
                pairs(&connection.from, dns, &set(dns_ports().iter()), &mut expected);
            }
        }
        expected.retain(|entry| own_name(&entry.from) != own_name(&entry.to));
        expected.sort();
        expected.dedup();
        expected
    }

    fn is(&self, cluster: &Cluster, end: &End, peer: &str) -> bool {
        let pod = cluster.pods.iter().find(|pod| format!("{}/{}", pod.namespace, pod.name) == own_name(peer));
        let has = |pod: &Pod, labels: &BTreeMap<String, String>| {
            labels.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
        };
        match (end, pod) {
            (End::Component { labels, .. }, Some(pod)) => pod.namespace == self.namespace && has(pod, labels),
            (End::Elsewhere { namespace, labels }, Some(pod)) => {
                pod.namespace == *namespace && has(pod, labels)
            }
            (End::Block { cidr, except }, None) => {
                let inside = |cidr: &str| match (Block::parse(cidr), peer.parse()) {
                    (Some(block), Ok(address)) => block.contains(address),
                    _ => false,
                };
                inside(cidr) && !except.iter().any(|cidr| inside(cidr))
            }
            _ => false,
        }
    }
}

impl Connection {
    /// A connection.
    #[must_use]
    pub fn new(from: End, to: End, ports: Vec<(Protocol, u16)>) -> Self {
        Self { from, to, ports }
    }
}

impl End {
    /// Pods of the namespace with one label.
    #[must_use]
    pub fn component(name: impl Into<String>, label: &str, value: &str) -> Self {
        Self::Component { name: name.into(), labels: BTreeMap::from([(label.to_owned(), value.to_owned())]) }
    }

    /// One block of addresses outside.
    #[must_use]
    pub fn block(cidr: impl Into<String>) -> Self {
        Self::Block { cidr: cidr.into(), except: Vec::new() }
    }

    fn check(&self) -> Result<(), String> {
        match self {
            Self::Component { name, labels } if labels.is_empty() => Err(format!(
                "the component `{name}` needs labels: without any it would be the whole namespace"
            )),
            Self::Block { cidr, except } => {
                let block = |text: &String| {
                    Block::parse(text).ok_or_else(|| format!("`{text}` is no block of addresses"))
                };
                let outer = block(cidr)?;
                for inner in except {
                    if !block(inner)?.is_strictly_inside(&outer) {
                        return Err(format!("the exception `{inner}` must lie inside `{cidr}`"));
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Sorts rules, and joins those of one end.
    fn key(&self) -> String {
        match self {
            Self::Component { labels, .. } => format!("0 {labels:?}"),
            Self::Elsewhere { namespace, labels } => format!("1 {namespace} {labels:?}"),
            Self::Block { cidr, except } => format!("2 {cidr} {except:?}"),
        }
    }

    fn peer(&self) -> Value {
        match self {
            Self::Component { labels, .. } => value!({ "podSelector": { "matchLabels": map(labels) } }),
            Self::Elsewhere { namespace, labels } => {
                let there = value!({ "matchLabels": { "kubernetes.io/metadata.name": namespace } });
                let pods =
                    if labels.is_empty() { value!({}) } else { value!({ "matchLabels": map(labels) }) };
                value!({ "namespaceSelector": there, "podSelector": pods })
            }
            Self::Block { cidr, except } if except.is_empty() => value!({ "ipBlock": { "cidr": cidr } }),
            Self::Block { cidr, except } => value!({ "ipBlock": { "cidr": cidr, "except": except.clone() } }),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Ingress,
    Egress,
}

/// What is at the other end, and on which ports.
type Opening<'a> = (&'a End, BTreeSet<(Protocol, u16)>);

/// A component, and its rules: what is at the other end, on which ports.
struct Component<'a> {
    labels: &'a BTreeMap<String, String>,
    rules: BTreeMap<(Side, String), Opening<'a>>,
}

fn rule(side: Side, other: &End, ports: &BTreeSet<(Protocol, u16)>) -> Value {
    let list: Value = ports
        .iter()
        .map(|(protocol, port)| value!({ "protocol": protocol.to_string(), "port": *port }))
        .collect();
    let side = if side == Side::Ingress { "from" } else { "to" };
    value!({ (side): [other.peer()], "ports": list })
}

fn dns_ports() -> BTreeSet<(Protocol, u16)> {
    BTreeSet::from([(Protocol::Udp, 53), (Protocol::Tcp, 53)])
}

fn set<'a>(ports: impl Iterator<Item = &'a (Protocol, u16)>) -> PortSet {
    ports
        .fold(PortSet::nothing(), |set, (protocol, port)| set.union(&PortSet::range(*protocol, *port, *port)))
}

fn map(labels: &BTreeMap<String, String>) -> Map {
    labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

/// `namespace/pod` of a peer's name.
fn own_name(peer: &str) -> &str {
    peer.split('|').next().unwrap_or(peer)
}

/// The family of a peer's name; `None` if it has none yet.
fn family(peer: &str) -> Option<bool> {
    match (peer.split_once('|'), peer.contains('/')) {
        (Some((_, family)), _) => Some(family == "6"),
        (None, true) => None,
        (None, false) => Some(peer.contains(':')),
    }
}

fn invalid<T>(number: usize, message: &str) -> Result<T, Error> {
    let place = Place {
        file: "intent".to_owned(),
        object: format!("connection {number}"),
        pointer: String::new(),
        position: None,
    };
    Err(Error::Invalid { place: Box::new(place), message: message.to_owned() })
}
