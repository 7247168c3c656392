use std::collections::BTreeMap;
use std::rc::Rc;

use lotse_yaml::Value;

use crate::cluster::Pod;
use crate::peers::{self, Peer};
use crate::policy::{Port, Rule};
use crate::{Address, Cluster, Direction, Error, PortSet, Profile};

/// Who may reach whom on which ports: one cell per source and destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    profile: Profile,
    peers: Vec<String>,
    sets: Vec<PortSet>,
    /// Row by row, sources first: index into the sets; `NO_TRAFFIC` where there is none.
    cells: Vec<u32>,
}

impl Cluster {
    /// Every pair of pods and outside addresses under a profile. There is one outside address for each set of
    /// addresses that no policy tells apart, and those that are asked for besides.
    ///
    /// Judged is the port on the destination pod, after any translation by a service.
    #[must_use]
    pub fn matrix(&self, profile: Profile, more: &[Address]) -> Matrix {
        let mut all = peers::pods(self);
        let mut outside = peers::outside(self, false);
        outside.extend(more.iter().copied());
        outside.sort_unstable();
        outside.dedup();
        outside.retain(|address| !self.pods.iter().any(|pod| pod.addresses.contains(address)));
        all.extend(outside.into_iter().map(Peer::Outside));
        Evaluation::new(self, profile, all).matrix()
    }

    /// IPv4 addresses outside at which a tool differs that takes the first 32 bits of an IPv6 block for an IPv4 block
    /// (some do). Give them to [`Cluster::matrix`] to show that nothing is open there.
    #[must_use]
    pub fn contrast(&self) -> Vec<Address> {
        peers::outside(self, true)
    }
}

impl Matrix {
    /// The profile of the verdicts.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The peers: `namespace/pod|4`, `namespace/pod|6`, `namespace/pod` for a pod without an address yet, and bare
    /// outside addresses.
    #[must_use]
    pub fn peers(&self) -> &[String] {
        &self.peers
    }

    /// What a source may reach at a destination; `None` where there is no such traffic (two outside addresses,
    /// or two families), or no such peer.
    #[must_use]
    pub fn get(&self, from: &str, to: &str) -> Option<&PortSet> {
        let find = |name: &str| self.peers.iter().position(|peer| peer == name);
        self.cell(find(from)?, find(to)?)
    }

    /// What the peer at one place may reach at the peer at another.
    #[must_use]
    pub fn cell(&self, from: usize, to: usize) -> Option<&PortSet> {
        if to >= self.peers.len() {
            return None;
        }
        let cell = *self.cells.get(from.checked_mul(self.peers.len())?.checked_add(to)?)?;
        let set = usize::try_from(cell).ok().filter(|_| cell != NO_TRAFFIC)?;
        self.sets.get(set)
    }

    /// Every pair with traffic that is not denied: source, destination, ports. Pods with themselves are left out.
    pub fn allowed(&self) -> impl Iterator<Item = (&str, &str, &PortSet)> {
        let pairs = self.peers.iter().enumerate().flat_map(move |(from, source)| {
            self.peers
                .iter()
                .enumerate()
                .map(move |(to, target)| (from, source.as_str(), to, target.as_str()))
        });
        pairs.filter(|(from, _, to, _)| from != to).filter_map(|(from, source, to, target)| {
            let set = self.cell(from, to).filter(|set| !set.is_nothing())?;
            Some((source, target, set))
        })
    }

    /// `{"peers", "strings", "matrix"}`: the matrix holds indices into the strings, -1 where there is no such traffic.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let number = |cell: &u32| if *cell == NO_TRAFFIC { -1 } else { i64::from(*cell) };
        let rows =
            self.cells.chunks(self.peers.len().max(1)).map(|row| row.iter().map(number).collect::<Value>());
        lotse_yaml::value!({
            "peers": self.peers.iter().map(String::as_str).collect::<Value>(),
            "strings": self.sets.iter().map(ToString::to_string).collect::<Value>(),
            "matrix": rows.collect::<Value>(),
        })
    }
}

/// One run over a cluster. Pods that the same policies select share their rows.
struct Evaluation<'c> {
    cluster: &'c Cluster,
    profile: Profile,
    peers: Vec<Peer>,
    /// Of each peer, the number of its class.
    classes: Vec<usize>,
    /// For each rule, by its address in the policy: which peers it names.
    named: BTreeMap<(usize, Direction, usize), Vec<bool>>,
    sets: Vec<PortSet>,
    known: BTreeMap<PortSet, u32>,
}

const DENIED: u32 = 0;
const NO_TRAFFIC: u32 = u32::MAX;

impl<'c> Evaluation<'c> {
    fn new(cluster: &'c Cluster, profile: Profile, peers: Vec<Peer>) -> Self {
        let classes = classes(cluster, &peers);
        let mut named = BTreeMap::new();
        for (index, policy) in cluster.policies.iter().enumerate() {
            for direction in [Direction::Ingress, Direction::Egress] {
                for (number, rule) in policy.rules(direction).unwrap_or_default().iter().enumerate() {
                    let names = |peer: &Peer| {
                        peers::names(cluster, profile, &policy.namespace, rule, *peer).is_some()
                    };
                    let row: Vec<bool> = if rule.has_block() {
                        peers.iter().map(names).collect()
                    } else {
                        // Selectors cannot tell the peers of one class apart.
                        let mut known: BTreeMap<usize, bool> = BTreeMap::new();
                        let pairs = peers.iter().zip(&classes);
                        pairs
                            .map(|(peer, class)| *known.entry(*class).or_insert_with(|| names(peer)))
                            .collect()
                    };
                    named.insert((index, direction, number), row);
                }
            }
        }
        let mut run =
            Self { cluster, profile, peers, classes, named, sets: Vec::new(), known: BTreeMap::new() };
        run.intern(PortSet::nothing());
        run
    }

    fn intern(&mut self, set: PortSet) -> u32 {
        if let Some(found) = self.known.get(&set) {
            return *found;
        }
        // Four thousand million different sets do not fit any memory.
        let index = u32::try_from(self.sets.len()).unwrap_or(NO_TRAFFIC);
        self.sets.push(set.clone());
        self.known.insert(set, index);
        index
    }

    fn set(&self, index: u32) -> Option<&PortSet> {
        self.sets.get(usize::try_from(index).ok()?)
    }

    fn matrix(mut self) -> Matrix {
        let peers = self.peers.clone();
        let egress = self.rows(Direction::Egress, &peers);
        let ingress = self.rows(Direction::Ingress, &peers);
        let everything = self.intern(PortSet::everything());
        let mut both: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        let mut cells = Vec::with_capacity(peers.len() * peers.len());
        for (from, source) in peers.iter().enumerate() {
            let out = egress.get(from).and_then(|row| row.as_deref());
            // Only nodes and what may be one are let in by their own node's pods.
            let node = source.pod(self.cluster).is_none_or(|pod| pod.host_network);
            for (to, target) in peers.iter().enumerate() {
                if !is_traffic(*source, *target) {
                    cells.push(NO_TRAFFIC);
                    continue;
                }
                let own = node
                    && target
                        .pod(self.cluster)
                        .is_some_and(|pod| peers::is_own_node(self.cluster, self.profile, *source, pod));
                let row = ingress.get(to).and_then(|row| row.as_deref()).filter(|_| !own);
                let sides =
                    (out.and_then(|row| row.get(to)).copied(), row.and_then(|row| row.get(from)).copied());
                cells.push(match sides {
                    (None, None) => everything,
                    (Some(one), None) | (None, Some(one)) => one,
                    (Some(DENIED), Some(_)) | (Some(_), Some(DENIED)) => DENIED,
                    (Some(out), Some(into)) if out == into => out,
                    (Some(out), Some(into)) => match both.get(&(out, into)) {
                        Some(found) => *found,
                        None => {
                            let set = match (self.set(out), self.set(into)) {
                                (Some(out), Some(into)) => out.intersection(into),
                                _ => PortSet::nothing(),
                            };
                            let found = self.intern(set);
                            both.insert((out, into), found);
                            found
                        }
                    },
                });
            }
        }
        let names = peers.iter().map(|peer| peer.name(self.cluster)).collect();
        Matrix { profile: self.profile, peers: names, sets: self.sets, cells }
    }

    /// For each peer that policies restrict in a direction: what it may have with every other peer.
    fn rows(&mut self, direction: Direction, peers: &[Peer]) -> Vec<Option<Rc<[u32]>>> {
        // Ports are those of the destination: in rows of ingress they depend on the pod's own named ports.
        type Key = (Vec<usize>, Vec<(String, crate::Protocol, u16)>);
        let mut known: BTreeMap<Key, Rc<[u32]>> = BTreeMap::new();
        let mut rows = Vec::with_capacity(peers.len());
        let mut selecting: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let classes = self.classes.clone();
        for (peer, class) in peers.iter().zip(classes) {
            let Some(pod) = peer.pod(self.cluster) else {
                rows.push(None);
                continue;
            };
            let policies = selecting
                .entry(class)
                .or_insert_with(|| peers::selecting(self.cluster, self.profile, direction, pod))
                .clone();
            if policies.is_empty() {
                rows.push(None);
                continue;
            }
            let ports = if direction == Direction::Ingress { pod.ports.clone() } else { Vec::new() };
            let key = (policies, ports);
            let row = match known.get(&key) {
                Some(row) => row.clone(),
                None => {
                    let row: Rc<[u32]> = self.row(direction, &key.0, Some(pod), peers).into();
                    known.insert(key, row.clone());
                    row
                }
            };
            rows.push(Some(row));
        }
        rows
    }

    fn row(
        &mut self,
        direction: Direction,
        policies: &[usize],
        own: Option<&Pod>,
        peers: &[Peer],
    ) -> Vec<u32> {
        let mut row = Vec::with_capacity(peers.len());
        for (place, other) in peers.iter().enumerate() {
            let target = if direction == Direction::Ingress { own } else { other.pod(self.cluster) };
            let mut set = PortSet::nothing();
            for &index in policies {
                let rules = self
                    .cluster
                    .policies
                    .get(index)
                    .and_then(|policy| policy.rules(direction))
                    .unwrap_or_default();
                for (number, rule) in rules.iter().enumerate() {
                    let names = self.named.get(&(index, direction, number)).and_then(|row| row.get(place));
                    if names == Some(&true) && !set.is_everything() {
                        set = set.union(&ports_of(rule, target));
                    }
                }
            }
            row.push(self.intern(set));
        }
        row
    }
}

/// Numbers peers so that those of one number are alike to every selector: same namespace, labels and network.
fn classes(cluster: &Cluster, peers: &[Peer]) -> Vec<usize> {
    let mut known = BTreeMap::new();
    let class = |peer: &Peer| {
        let key = peer.pod(cluster).map(|pod| (&pod.namespace, &pod.labels, pod.host_network));
        let next = known.len();
        *known.entry(key).or_insert(next)
    };
    peers.iter().map(class).collect()
}

/// The ports of a rule on a destination: names are those of the destination pod, all containers together.
pub(crate) fn ports_of(rule: &Rule, target: Option<&Pod>) -> PortSet {
    let Some(ports) = &rule.ports else { return PortSet::everything() };
    let mut set = PortSet::nothing();
    for port in ports {
        match port {
            Port::Range(protocol, first, last) => set.add(*protocol, *first, *last),
            Port::Named(protocol, name) => {
                let named = target.into_iter().flat_map(|pod| pod.ports.iter());
                for (_, _, number) in named.filter(|(port, own, _)| port == name && own == protocol) {
                    set.add(*protocol, *number, *number);
                }
            }
        }
    }
    set
}

/// Traffic has two ends, a pod at one of them, and one family. What a pod says to itself no policy sees.
pub(crate) fn is_traffic(source: Peer, target: Peer) -> bool {
    let same = matches!((source, target), (Peer::Pod(one, _), Peer::Pod(other, _)) if one == other);
    let outside = matches!((source, target), (Peer::Outside(_), Peer::Outside(_)));
    let family = match (source.address(), target.address()) {
        (Some(source), Some(target)) => source.is_v6() == target.is_v6(),
        _ => true,
    };
    family && !outside && !same
}

/// Finds a peer by its name, or takes an outside address.
pub(crate) fn find(cluster: &Cluster, word: &str) -> Result<Peer, Error> {
    let pods = peers::pods(cluster);
    if let Some(peer) = pods.iter().find(|peer| peer.name(cluster) == word) {
        return Ok(*peer);
    }
    let short =
        |peer: &&Peer| peer.pod(cluster).is_some_and(|pod| format!("{}/{}", pod.namespace, pod.name) == word);
    if let Some(peer) = pods.iter().find(short) {
        return Ok(*peer);
    }
    let address: Address = word.parse().map_err(|_| Error::UnknownWord {
        what: "peer",
        word: word.to_owned(),
        advice: "write namespace/pod, namespace/pod|4, namespace/pod|6 or an address".to_owned(),
    })?;
    let own = pods.iter().find(|peer| peer.address() == Some(address));
    Ok(own.copied().unwrap_or(Peer::Outside(address)))
}
