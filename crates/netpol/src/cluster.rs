use std::collections::{BTreeMap, BTreeSet};

use lotse_yaml::{Dialect, Document, Limits, Stream, Value};

use crate::policy::{self, Policy};
use crate::selector::{Labels, labels};
use crate::{Address, Error, Place, Protocol};

/// Namespaces, pods, services and policies of one cluster, as a set of documents declares them.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    pub(crate) namespaces: BTreeMap<String, Labels>,
    pub(crate) pods: Vec<Pod>,
    pub(crate) policies: Vec<Policy>,
    pub(crate) services: Vec<Service>,
    /// Addresses of pods that have ended: they are nobody's now.
    pub(crate) ended: Vec<Address>,
    names: BTreeSet<String>,
}

/// A pod, or the pods of a workload, which are alike.
#[derive(Clone, Debug)]
pub(crate) struct Pod {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) labels: Labels,
    /// Empty for a pod that has no address yet.
    pub(crate) addresses: Vec<Address>,
    pub(crate) host_network: bool,
    pub(crate) node: Option<String>,
    pub(crate) node_addresses: Vec<Address>,
    pub(crate) ports: Vec<(String, Protocol, u16)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) selector: Labels,
    pub(crate) ports: Vec<ServicePort>,
}

#[derive(Clone, Debug)]
pub(crate) struct ServicePort {
    pub(crate) number: u16,
    pub(crate) protocol: Protocol,
    pub(crate) target: Target,
}

#[derive(Clone, Debug)]
pub(crate) enum Target {
    Number(u16),
    Name(String),
}

/// One object of the input, and how its places are named.
pub(crate) struct Source<'a> {
    pub(crate) file: &'a str,
    pub(crate) value: &'a Value,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
    prefix: String,
    tree: Option<&'a Document>,
}

impl Source<'_> {
    pub(crate) fn place(&self, pointer: &str) -> Place {
        Place {
            file: self.file.to_owned(),
            object: format!("{} {}/{}", self.kind, self.namespace, self.name),
            pointer: pointer.to_owned(),
            position: self.tree.map(|tree| tree.locate(&format!("{}{pointer}", self.prefix))),
        }
    }

    fn invalid<T>(&self, pointer: &str, message: impl Into<String>) -> Result<T, Error> {
        Err(Error::Invalid { place: Box::new(self.place(pointer)), message: message.into() })
    }
}

/// Groups whose policies change verdicts and are not evaluated here.
const OTHER_POLICIES: [&str; 6] = [
    "cilium.io",
    "crd.projectcalico.org",
    "projectcalico.org",
    "policy.networking.k8s.io",
    "crd.antrea.io",
    "k8s.ovn.org",
];

impl Cluster {
    /// Reads every document of some files as kubectl does: namespaces, pods, workloads (one peer each), services and
    /// NetworkPolicies. Other kinds are passed over, but for other kinds of network policy.
    ///
    /// Namespaces that are used and not declared exist, with their name as `kubernetes.io/metadata.name`. Pods that
    /// have ended (`Failed`, `Succeeded`) are no peers.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Invalid`] for what the API server refuses, [`Error::UnsupportedPolicy`] for policies
    /// of other kinds, [`Error::Twice`] for two pods of one name.
    pub fn parse<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let mut cluster = Self::default();
        for (file, bytes) in files {
            let read = |source| Error::Read { file: file.to_owned(), source };
            let stream = Stream::parse(bytes, Dialect::Kubectl, limits).map_err(read)?;
            for document in stream.documents() {
                let value = document.value().map_err(read)?;
                cluster.take(file, &value, String::new(), Some(document))?;
            }
        }
        cluster.finish();
        Ok(cluster)
    }

    /// Takes objects that were made, not read: their places have a name and no lines.
    ///
    /// # Errors
    /// As [`Cluster::parse`].
    pub fn from_values<'a>(values: impl IntoIterator<Item = &'a Value>) -> Result<Self, Error> {
        let mut cluster = Self::default();
        for value in values {
            cluster.take("made", value, String::new(), None)?;
        }
        cluster.finish();
        Ok(cluster)
    }

    fn take(
        &mut self,
        file: &str,
        value: &Value,
        prefix: String,
        tree: Option<&Document>,
    ) -> Result<(), Error> {
        let text =
            |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let kind = text("/kind");
        if kind.ends_with("List")
            && let Some(items) = value.get("items").and_then(Value::as_array)
        {
            for (number, item) in items.iter().enumerate() {
                self.take(file, item, format!("{prefix}/items/{number}"), tree)?;
            }
            return Ok(());
        }
        let namespace = Some(text("/metadata/namespace")).filter(|name| !name.is_empty());
        let source = Source {
            file,
            value,
            kind: kind.clone(),
            name: text("/metadata/name"),
            namespace: namespace.unwrap_or_else(|| "default".to_owned()),
            prefix,
            tree,
        };
        let api_version = text("/apiVersion");
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let template = match (api_version.as_str(), kind.as_str()) {
            ("v1", "Namespace") => return self.namespace(&source),
            ("v1", "Pod") => return self.pod(&source, "", true),
            ("v1", "Service") => return self.service(&source),
            ("networking.k8s.io/v1", "NetworkPolicy") => {
                self.policies.push(policy::read(&source)?);
                return Ok(());
            }
            ("v1", "ReplicationController")
            | ("apps/v1", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
            | ("batch/v1", "Job") => "/spec/template",
            ("batch/v1", "CronJob") => "/spec/jobTemplate/spec/template",
            (_, "NetworkPolicy") => {
                return Err(Error::UnsupportedPolicy {
                    place: Box::new(source.place("")),
                    kind: format!("{api_version} {kind}"),
                });
            }
            (_, kind)
                if OTHER_POLICIES.contains(&group)
                    && (kind.contains("Policy") || kind.contains("NetworkSet")) =>
            {
                return Err(Error::UnsupportedPolicy {
                    place: Box::new(source.place("")),
                    kind: format!("{api_version} {kind}"),
                });
            }
            _ => return Ok(()),
        };
        self.pod(&source, template, false)
    }

    fn namespace(&mut self, source: &Source<'_>) -> Result<(), Error> {
        let at = "/metadata/labels";
        let mut labels =
            labels(source.value.get("metadata")).or_else(|message| source.invalid(at, message))?;
        let own = "kubernetes.io/metadata.name";
        match labels.get(own) {
            Some(name) if *name != source.name => {
                return source.invalid(
                    at,
                    format!("`{own}` must be the name of the namespace; the API server sets it"),
                );
            }
            _ => labels.insert(own.to_owned(), source.name.clone()),
        };
        self.namespaces.insert(source.name.clone(), labels);
        Ok(())
    }

    fn pod(&mut self, source: &Source<'_>, template: &str, is_pod: bool) -> Result<(), Error> {
        let Some(value) = source.value.pointer(template).filter(|value| value.as_object().is_some()) else {
            return source.invalid(template, "there is no pod template");
        };
        let at = format!("{template}/metadata/labels");
        let labels = labels(value.get("metadata")).or_else(|message| source.invalid(&at, message))?;
        let status = value.get("status").filter(|_| is_pod);
        let addresses = |single: &str, several: &str| -> Result<Vec<Address>, Error> {
            let mut found = Vec::new();
            let list = status.and_then(|status| status.get(several)?.as_array()).unwrap_or_default();
            let first = status.and_then(|status| status.get(single)?.as_str());
            let texts = list.iter().filter_map(|item| item.get("ip").unwrap_or(item).as_str()).chain(first);
            for text in texts.filter(|text| !text.is_empty()) {
                match text.parse() {
                    Ok(address) if !found.contains(&address) => found.push(address),
                    Ok(_) => {}
                    Err(_) => {
                        return source
                            .invalid(&format!("/status/{several}"), format!("`{text}` is no address"));
                    }
                }
            }
            Ok(found)
        };
        let spec = value.get("spec");
        let mut pod = Pod {
            namespace: source.namespace.clone(),
            name: source.name.clone(),
            labels,
            addresses: addresses("podIP", "podIPs")?,
            host_network: spec.and_then(|spec| spec.get("hostNetwork")?.as_bool()).unwrap_or_default(),
            node: spec.and_then(|spec| spec.get("nodeName")?.as_str()).map(str::to_owned),
            node_addresses: addresses("hostIP", "hostIPs")?,
            ports: container_ports(source, spec, &format!("{template}/spec"))?,
        };
        let phase = value.pointer("/status/phase").and_then(Value::as_str).unwrap_or_default();
        if is_pod && matches!(phase, "Failed" | "Succeeded") {
            self.ended.extend(pod.addresses);
            return Ok(());
        }
        let full = |pod: &Pod| format!("{}/{}", pod.namespace, pod.name);
        if !is_pod && self.names.contains(&full(&pod)) {
            // A Deployment and a CronJob of one name are two workloads.
            pod.name = format!("{}[{}]", pod.name, source.kind);
        }
        if !self.names.insert(full(&pod)) {
            return Err(Error::Twice { place: Box::new(source.place("")), name: full(&pod) });
        }
        self.pods.push(pod);
        Ok(())
    }

    fn service(&mut self, source: &Source<'_>) -> Result<(), Error> {
        let spec = source.value.get("spec");
        let mut selector = Labels::new();
        let map = spec.and_then(|spec| spec.get("selector")?.as_object());
        for (key, value) in map.into_iter().flatten() {
            selector.insert(key.to_owned(), value.as_str().unwrap_or_default().to_owned());
        }
        let mut ports = Vec::new();
        let list = spec.and_then(|spec| spec.get("ports")?.as_array()).unwrap_or_default();
        for (number, port) in list.iter().enumerate() {
            let at = format!("/spec/ports/{number}");
            let own = port_number(source, port.get("port"), &format!("{at}/port"))?;
            let protocol = protocol(source, port.get("protocol"), &at)?;
            let target = match port.get("targetPort") {
                None | Some(Value::Null) => Target::Number(own),
                Some(Value::String(name)) => Target::Name(name.clone()),
                number => Target::Number(port_number(source, number, &format!("{at}/targetPort"))?),
            };
            ports.push(ServicePort { number: own, protocol, target });
        }
        let (namespace, name) = (source.namespace.clone(), source.name.clone());
        self.services.push(Service { namespace, name, selector, ports });
        Ok(())
    }

    fn finish(&mut self) {
        let used: BTreeSet<String> = self.pods.iter().map(|pod| pod.namespace.clone()).collect();
        for name in used {
            let own = || Labels::from([("kubernetes.io/metadata.name".to_owned(), name.clone())]);
            self.namespaces.entry(name.clone()).or_insert_with(own);
        }
    }

    /// The pods behind every port of every service that selects pods: `namespace/name:port/PROTOCOL` to
    /// `namespace/pod` and the port there, sorted.
    #[must_use]
    pub fn services(&self) -> BTreeMap<String, Vec<(String, u16)>> {
        let mut all = BTreeMap::new();
        for service in self.services.iter().filter(|service| !service.selector.is_empty()) {
            for port in &service.ports {
                let behind = self.pods.iter().filter(|pod| service.selects(pod));
                let mut pods: Vec<(String, u16)> = behind
                    .flat_map(|pod| {
                        let numbers = port.on(pod).into_iter();
                        numbers.map(|number| (format!("{}/{}", pod.namespace, pod.name), number))
                    })
                    .collect();
                pods.sort();
                let name =
                    format!("{}/{}:{}/{}", service.namespace, service.name, port.number, port.protocol);
                all.insert(name, pods);
            }
        }
        all
    }
}

impl Service {
    pub(crate) fn selects(&self, pod: &Pod) -> bool {
        self.namespace == pod.namespace
            && self.selector.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
    }
}

impl ServicePort {
    /// The ports of a pod that the service port leads to.
    pub(crate) fn on(&self, pod: &Pod) -> Vec<u16> {
        match &self.target {
            Target::Number(number) => vec![*number],
            Target::Name(name) => {
                let named =
                    pod.ports.iter().find(|(port, protocol, _)| port == name && *protocol == self.protocol);
                named.map(|(_, _, number)| *number).into_iter().collect()
            }
        }
    }
}

fn container_ports(
    source: &Source<'_>,
    spec: Option<&Value>,
    at: &str,
) -> Result<Vec<(String, Protocol, u16)>, Error> {
    let mut ports = Vec::new();
    for list in ["containers", "initContainers"] {
        let containers = spec.and_then(|spec| spec.get(list)?.as_array()).unwrap_or_default();
        for (number, container) in containers.iter().enumerate() {
            // An init container that is not restarted has ended when traffic comes.
            let lasting = list == "containers"
                || container.get("restartPolicy").and_then(Value::as_str) == Some("Always");
            let items =
                container.get("ports").and_then(Value::as_array).filter(|_| lasting).unwrap_or_default();
            for (place, port) in items.iter().enumerate() {
                let at = format!("{at}/{list}/{number}/ports/{place}");
                let number = port_number(source, port.get("containerPort"), &format!("{at}/containerPort"))?;
                let protocol = protocol(source, port.get("protocol"), &at)?;
                if let Some(name) = port.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()) {
                    ports.push((name.to_owned(), protocol, number));
                }
            }
        }
    }
    Ok(ports)
}

fn port_number(source: &Source<'_>, value: Option<&Value>, at: &str) -> Result<u16, Error> {
    let number = value.and_then(Value::as_u64).and_then(|number| u16::try_from(number).ok());
    match number.filter(|number| *number > 0) {
        Some(number) => Ok(number),
        None => source.invalid(at, "a port is a number from 1 to 65535"),
    }
}

fn protocol(source: &Source<'_>, value: Option<&Value>, at: &str) -> Result<Protocol, Error> {
    match value {
        None | Some(Value::Null) => Ok(Protocol::Tcp),
        Some(value) => match value.as_str().unwrap_or_default().parse() {
            Ok(protocol) => Ok(protocol),
            Err(_) => source.invalid(&format!("{at}/protocol"), "the protocol is TCP, UDP or SCTP"),
        },
    }
}
