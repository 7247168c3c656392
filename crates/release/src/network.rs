//! Policies from the declared connections, and the reachability matrix of what was rendered.

use std::collections::BTreeMap;

use lotse_gitops_manifest::{Application, Manifests};
use lotse_netpol::{Cluster, Connection, End, Expected, Intent, Matrix, PortSet, Profile, Protocol};
use lotse_yaml::{Map, Value, value};

use crate::check::{Check, Outcome, Witness};
use crate::{ConnectionSpec, EnvironmentSpec, Error, OutsideTarget, Spec};

/// Where the policies stand among the manifests: before any pod.
const FILE: &str = "05-network.yaml";
/// The namespace of a pod that nobody declared: it must reach nothing.
const STRANGER: &str = "somewhere-else";

/// What was declared for one environment, and what its policies allow.
pub(crate) struct Network {
    pub(crate) matrix: Matrix,
    pub(crate) expected: Vec<Expected>,
    /// Pairs that differ, in words.
    pub(crate) differences: Vec<String>,
    /// Peers in the order of the flow, with the names that people know.
    pub(crate) order: Vec<(String, String)>,
    /// How the peers of the application's namespace begin.
    ours: String,
}

/// Adds the policies of an environment to its manifests and evaluates them.
pub(crate) fn network(
    spec: &Spec,
    environment: &EnvironmentSpec,
    application: &Application,
    manifests: &mut Manifests,
) -> Result<Network, Error> {
    let intent = Intent::new(environment.namespace.clone(), connections(spec, application));
    let policies = intent.policies().map_err(|error| Error::below("network policies", &error))?;
    manifests.add(FILE, policies.clone());
    let (pods, order) = pods(spec, application, manifests);
    let documents = pods.iter().chain(&policies);
    let cluster =
        Cluster::from_values(documents).map_err(|error| Error::below("network policies", &error))?;
    let matrix = cluster.matrix(Profile::External, &[]);
    let expected = intent.expected(&cluster, matrix.peers());
    let ours = format!("{}/", environment.namespace);
    let differences = matrix.compare(&expected, |_| true);
    let differences = differences
        .iter()
        .filter(|pair| pair.from.starts_with(&ours) || pair.to.starts_with(&ours))
        .map(ToString::to_string);
    let order = ordered(spec, &matrix, order);
    Ok(Network { differences: differences.collect(), order, matrix, expected, ours })
}

/// Every declared connection, and those that follow: ingress, monitoring, jobs, the secret store.
fn connections(spec: &Spec, application: &Application) -> Vec<Connection> {
    let mut connections = Vec::new();
    let own = |name: &str| component(application, name);
    for component in &spec.components {
        for to in &component.connections {
            connections.extend(resolve(spec, application, own(&component.name), to));
        }
        if let (Some(ingress), Some(_), Some((_, port))) =
            (&spec.platform.ingress, &component.host, component.ports.first())
        {
            let from = End::Elsewhere { namespace: ingress.namespace.clone(), labels: BTreeMap::new() };
            connections.push(Connection::new(from, own(&component.name), vec![(Protocol::Tcp, *port)]));
        }
        if let (Some(namespace), Some(_), Some((_, port))) =
            (&spec.platform.monitoring, &component.metrics, component.ports.first())
        {
            let from = End::Elsewhere { namespace: namespace.clone(), labels: BTreeMap::new() };
            connections.push(Connection::new(from, own(&component.name), vec![(Protocol::Tcp, *port)]));
        }
        if let Some(migrations) = &component.migrations {
            let database = ConnectionSpec { to: migrations.database.clone(), port: None };
            for job in application.jobs.iter().filter(|job| job.component == component.name) {
                connections.extend(resolve(spec, application, own(&job.name), &database));
            }
        }
    }
    for outside in &spec.outside {
        for to in &outside.connections {
            for from in ends(&outside.target) {
                connections.extend(resolve(spec, application, from, to));
            }
        }
    }
    if matches!(spec.platform.secrets, crate::SecretStore::VaultAgent(_)) {
        let vault = ConnectionSpec { to: "vault".to_owned(), port: None };
        let jobs = application
            .jobs
            .iter()
            .filter(|job| spec.component(&job.component).is_some_and(|of| !of.secrets.is_empty()));
        let components = spec.components.iter().filter(|component| !component.secrets.is_empty());
        for name in components.map(|component| &component.name).chain(jobs.map(|job| &job.name)) {
            connections.extend(resolve(spec, application, own(name), &vault));
        }
    }
    connections
}

fn resolve(spec: &Spec, application: &Application, from: End, to: &ConnectionSpec) -> Vec<Connection> {
    if let Some(target) = spec.component(&to.to) {
        let wanted = |(name, _): &&(String, u16)| to.port.as_ref().is_none_or(|port| port == name);
        let ports = target.ports.iter().filter(wanted).map(|(_, port)| (Protocol::Tcp, *port)).collect();
        return vec![Connection::new(from, component(application, &to.to), ports)];
    }
    let outside = spec.outside.iter().filter(|outside| outside.name == to.to);
    outside
        .flat_map(|outside| ends(&outside.target).into_iter().map(|end| (end, outside.port)))
        .map(|(end, port)| Connection::new(from.clone(), end, vec![(Protocol::Tcp, port)]))
        .collect()
}

fn ends(target: &OutsideTarget) -> Vec<End> {
    match target {
        OutsideTarget::Addresses { blocks, .. } => {
            blocks.iter().map(|block| End::block(block.clone())).collect()
        }
        OutsideTarget::Pods { namespace, labels } => {
            vec![End::Elsewhere { namespace: namespace.clone(), labels: labels.clone() }]
        }
    }
}

fn component(application: &Application, name: &str) -> End {
    let labels = application.selector(name).into_iter().map(|(key, value)| (key.to_owned(), value));
    End::Component { name: name.to_owned(), labels: labels.collect() }
}

/// One pod for each workload and job, with an address, and those that stand for the rest of the cluster.
fn pods(
    spec: &Spec,
    application: &Application,
    manifests: &Manifests,
) -> (Vec<Value>, Vec<(String, String)>) {
    let mut pods = Vec::new();
    let mut order = Vec::new();
    let mut add = |namespace: &str, name: &str, labels: Value, containers: Value| {
        let number = pods.len() + 1;
        order.push((format!("{namespace}/{name}|4"), name.to_owned()));
        pods.push(value!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": { "name": name, "namespace": namespace, "labels": labels },
            "spec": { "containers": containers },
            "status": { "podIP": format!("10.0.{}.{}", number / 250, number % 250 + 1), "phase": "Running" },
        }));
    };
    let nobody = || value!([{ "name": "x", "image": "x" }]);
    if let Some(ingress) = &spec.platform.ingress {
        add(&ingress.namespace, "ingress", Value::Object(Map::new()), nobody());
    }
    let names = application.components.iter().map(|component| component.name.as_str());
    let names = names.chain(application.jobs.iter().map(|job| job.name.as_str()));
    for name in names {
        let template = manifests.documents().find_map(|document| {
            let template = document
                .pointer("/spec/jobTemplate/spec/template")
                .or_else(|| document.pointer("/spec/template"))?;
            let of =
                template.pointer("/metadata/labels/app.kubernetes.io~1component").and_then(Value::as_str);
            (of == Some(name)).then_some(template)
        });
        if let Some(template) = template {
            let labels = template.pointer("/metadata/labels").cloned().unwrap_or(Value::Null);
            let containers = template.pointer("/spec/containers").cloned().unwrap_or(Value::Null);
            add(&application.namespace, name, labels, containers);
        }
    }
    if let Some(namespace) = &spec.platform.monitoring {
        add(namespace, "monitoring", Value::Object(Map::new()), nobody());
    }
    for outside in &spec.outside {
        if let OutsideTarget::Pods { namespace, labels } = &outside.target {
            let labels = labels.iter().map(|(key, value)| (key.clone(), Value::from(value)));
            let mut map = Map::new();
            for (key, value) in labels {
                map.insert(key, value);
            }
            add(namespace, &outside.name, Value::Object(map), nobody());
        }
    }
    add("kube-system", "dns", value!({ "k8s-app": "kube-dns" }), nobody());
    add(STRANGER, "stranger", Value::Object(Map::new()), nobody());
    (pods, order)
}

/// Peers of the matrix in the order of the flow, outside addresses last, under the names that the spec gives them. An address
/// of a family in which nothing can talk is left out.
fn ordered(spec: &Spec, matrix: &Matrix, mut order: Vec<(String, String)>) -> Vec<(String, String)> {
    order.retain(|(peer, _)| matrix.peers().contains(peer));
    for peer in matrix.peers().iter().filter(|peer| !peer.contains('/')) {
        if !matrix.peers().iter().any(|from| matrix.get(from, peer).is_some()) {
            continue;
        }
        let named = spec.outside.iter().find(|outside| match &outside.target {
            OutsideTarget::Addresses { blocks, .. } => {
                blocks.iter().any(|block| block.split('/').next() == Some(peer))
            }
            OutsideTarget::Pods { .. } => false,
        });
        let name =
            named.map_or_else(|| format!("elsewhere, {peer}"), |outside| format!("{}, {peer}", outside.name));
        order.push((peer.clone(), name));
    }
    order
}

impl Network {
    /// What is open and what was declared between two peers, if the policies govern it: one end must be the application's.
    pub(crate) fn cell(&self, from: &str, to: &str) -> Option<(String, String)> {
        let governed = from != to && (from.starts_with(&self.ours) || to.starts_with(&self.ours));
        let actual = self.matrix.get(from, to).filter(|_| governed)?;
        Some((actual.to_string(), self.declared(from, to).to_string()))
    }

    /// What was declared between two peers.
    pub(crate) fn declared(&self, from: &str, to: &str) -> PortSet {
        let pairs = self.expected.iter().filter(|expected| expected.from == from && expected.to == to);
        pairs.fold(PortSet::nothing(), |set, expected| set.union(&expected.ports))
    }

    /// The matrix with the declared one beside it.
    pub(crate) fn to_value(&self) -> Value {
        let row = |from: &str| {
            self.matrix
                .peers()
                .iter()
                .map(|to| Value::from(self.declared(from, to).to_string()))
                .collect::<Value>()
        };
        let declared = self.matrix.peers().iter().map(|from| row(from)).collect::<Value>();
        let mut value = self.matrix.to_value();
        if let Some(value) = value.as_object_mut() {
            value.insert("profile", self.matrix.profile().to_string());
            value.insert("declared", declared);
            value.insert("differences", self.differences.as_slice());
        }
        value
    }
}

/// That the policies allow exactly what was declared, to and from every pod of the application (R8).
pub(crate) fn check(networks: &BTreeMap<String, Network>) -> Check {
    let mut findings = Vec::new();
    let (mut pairs, mut allowed) = (0, 0);
    for (environment, network) in networks {
        pairs += network.matrix.peers().len().pow(2);
        allowed += network.expected.len();
        let against = |text: &String| Witness::against(format!("network/{environment}.json"), text.clone());
        findings.extend(network.differences.iter().map(against));
    }
    Check {
        id: "network",
        title: "Do the policies allow the declared connections and nothing else?",
        requirements: &["R8"],
        gate: true,
        outcome: Outcome::NotRun,
        summary: format!("{pairs} pairs evaluated, {allowed} declared to be open, every other denied"),
        findings: Vec::new(),
        evidence: networks.keys().map(|environment| format!("network/{environment}.json")).collect(),
        limits: "The network plugin must enforce policies; established connections may outlive a change.",
    }
    .judged(findings)
}
