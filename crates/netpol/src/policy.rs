//! networking.k8s.io/v1 NetworkPolicy, read strictly: what the API server refuses is refused here, by name.

use lotse_yaml::Value;

use crate::address::Block;
use crate::cluster::Source;
use crate::selector::Selector;
use crate::{Direction, Error, Place, Protocol};

#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) namespace: String,
    pub(crate) selector: Selector,
    pub(crate) place: Place,
    pub(crate) ingress: Option<Vec<Rule>>,
    pub(crate) egress: Option<Vec<Rule>>,
    /// Rules of a direction that `policyTypes` leaves out: they are read and do nothing.
    pub(crate) inert: Vec<Rule>,
}

impl Policy {
    /// The rules in a direction; `None` if the policy says nothing about it.
    pub(crate) fn rules(&self, direction: Direction) -> Option<&[Rule]> {
        match direction {
            Direction::Ingress => self.ingress.as_deref(),
            Direction::Egress => self.egress.as_deref(),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) place: Place,
    /// `None`: everybody.
    pub(crate) peers: Option<Vec<Peer>>,
    /// `None`: everything.
    pub(crate) ports: Option<Vec<Port>>,
}

impl Rule {
    /// `true` if a block of addresses is among its peers.
    pub(crate) fn has_block(&self) -> bool {
        self.peers.iter().flatten().any(|peer| matches!(peer, Peer::Block { .. }))
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Peer {
    Pods { namespaces: Option<Selector>, pods: Option<Selector> },
    Block { block: Block, except: Vec<Block> },
}

#[derive(Clone, Debug)]
pub(crate) enum Port {
    Range(Protocol, u16, u16),
    Named(Protocol, String),
}

/// Reads fields below one place.
struct At<'a> {
    source: &'a Source<'a>,
    pointer: String,
    value: &'a Value,
}

impl<'a> At<'a> {
    fn invalid<T>(&self, message: impl Into<String>) -> Result<T, Error> {
        Err(Error::Invalid { place: Box::new(self.place()), message: message.into() })
    }

    fn place(&self) -> Place {
        self.source.place(&self.pointer)
    }

    fn below(&self, step: impl std::fmt::Display, value: &'a Value) -> Self {
        At { source: self.source, pointer: format!("{}/{step}", self.pointer), value }
    }

    /// A field that is there and not null.
    fn field(&self, key: &str) -> Option<Self> {
        self.value.get(key).filter(|value| !value.is_null()).map(|value| self.below(key, value))
    }

    /// The fields of an object, none of them unknown.
    fn only(&self, known: &[&str]) -> Result<(), Error> {
        let Some(map) = self.value.as_object() else { return self.invalid("must be an object") };
        match map.keys().find(|key| !known.contains(key)) {
            Some(key) => {
                self.invalid(format!("there is no field `{key}` here; it may be {}", known.join(", ")))
            }
            None => Ok(()),
        }
    }

    fn list(&self) -> Result<Vec<Self>, Error> {
        match self.value.as_array() {
            Some(items) => {
                Ok(items.iter().enumerate().map(|(number, item)| self.below(number, item)).collect())
            }
            None => self.invalid("must be a list"),
        }
    }

    fn text(&self) -> Result<&'a str, Error> {
        match self.value.as_str() {
            Some(text) => Ok(text),
            None => self.invalid(format!("must be a text, and is a {}", self.value.type_name())),
        }
    }

    fn selector(&self) -> Result<Selector, Error> {
        Selector::read(self.value).or_else(|message| self.invalid(message))
    }
}

pub(crate) fn read(source: &Source<'_>) -> Result<Policy, Error> {
    let value = source.value;
    let root = At { source, pointer: String::new(), value };
    let empty = lotse_yaml::value!({});
    let spec = match root.field("spec") {
        Some(spec) => spec,
        None => At { source, pointer: "/spec".to_owned(), value: &empty },
    };
    spec.only(&["podSelector", "ingress", "egress", "policyTypes"])?;
    let selector = match spec.field("podSelector") {
        Some(selector) => selector.selector()?,
        None => Selector::default(),
    };
    let ingress = rules(&spec, "ingress", "from")?;
    let egress = rules(&spec, "egress", "to")?;
    let mut types = Vec::new();
    if let Some(list) = spec.field("policyTypes") {
        for item in list.list()? {
            match item.text()? {
                "Ingress" => types.push(Direction::Ingress),
                "Egress" => types.push(Direction::Egress),
                other => {
                    return item.invalid(format!("`{other}` is no policy type; write Ingress or Egress"));
                }
            }
        }
    }
    if types.is_empty() {
        types.push(Direction::Ingress);
        if !egress.is_empty() {
            types.push(Direction::Egress);
        }
    }
    let namespace = source.namespace.clone();
    let mut inert = Vec::new();
    let mut active = |direction, rules: Vec<Rule>| {
        let there = types.contains(&direction);
        inert.extend(rules.iter().filter(|_| !there).cloned());
        there.then_some(rules)
    };
    let (ingress, egress) = (active(Direction::Ingress, ingress), active(Direction::Egress, egress));
    Ok(Policy { place: source.place(""), namespace, selector, ingress, egress, inert })
}

fn rules(spec: &At<'_>, list: &str, side: &str) -> Result<Vec<Rule>, Error> {
    let mut rules = Vec::new();
    let Some(list) = spec.field(list) else { return Ok(rules) };
    for item in list.list()? {
        if item.value.is_null() {
            rules.push(Rule { place: item.place(), peers: None, ports: None });
            continue;
        }
        item.only(&[side, "ports"])?;
        let mut peers = Vec::new();
        if let Some(list) = item.field(side) {
            for peer in list.list()? {
                peers.push(self::peer(&peer)?);
            }
        }
        let mut ports = Vec::new();
        if let Some(list) = item.field("ports") {
            for port in list.list()? {
                ports.push(self::port(&port)?);
            }
        }
        rules.push(Rule {
            place: item.place(),
            peers: (!peers.is_empty()).then_some(peers),
            ports: (!ports.is_empty()).then_some(ports),
        });
    }
    Ok(rules)
}

fn peer(at: &At<'_>) -> Result<Peer, Error> {
    at.only(&["podSelector", "namespaceSelector", "ipBlock"])?;
    let pods = at.field("podSelector").map(|selector| selector.selector()).transpose()?;
    let namespaces = at.field("namespaceSelector").map(|selector| selector.selector()).transpose()?;
    match at.field("ipBlock") {
        Some(_) if pods.is_some() || namespaces.is_some() => {
            at.invalid("an ipBlock stands alone: put the selectors into an item of their own")
        }
        Some(block) => ip_block(&block),
        None if pods.is_none() && namespaces.is_none() => {
            at.invalid("a peer without a selector or a block selects nobody and is refused; remove it, or write `{}` selectors")
        }
        None => Ok(Peer::Pods { namespaces, pods }),
    }
}

fn ip_block(at: &At<'_>) -> Result<Peer, Error> {
    at.only(&["cidr", "except"])?;
    let block = |at: &At<'_>| match Block::parse(at.text()?) {
        Some(block) => Ok(block),
        None => at.invalid("is no block of addresses; write it as 10.0.0.0/8 or fd00::/8"),
    };
    let Some(cidr) = at.field("cidr") else { return at.invalid("an ipBlock needs a `cidr`") };
    let cidr = block(&cidr)?;
    let mut except = Vec::new();
    if let Some(list) = at.field("except") {
        for item in list.list()? {
            let inner = block(&item)?;
            if !inner.is_strictly_inside(&cidr) {
                return item.invalid("an exception must lie inside its `cidr` and be smaller");
            }
            except.push(inner);
        }
    }
    Ok(Peer::Block { block: cidr, except })
}

fn port(at: &At<'_>) -> Result<Port, Error> {
    if at.value.is_null() {
        return Ok(Port::Range(Protocol::Tcp, 1, u16::MAX));
    }
    at.only(&["protocol", "port", "endPort"])?;
    let protocol = match at.field("protocol") {
        None => Protocol::Tcp,
        Some(field) => match field.text()?.parse() {
            Ok(protocol) => protocol,
            Err(_) => return field.invalid("the protocol is TCP, UDP or SCTP"),
        },
    };
    let number = |at: &At<'_>| {
        let number =
            at.value.as_u64().and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0);
        match number {
            Some(number) => Ok(number),
            None => at.invalid("a port is a number from 1 to 65535"),
        }
    };
    let end = at.field("endPort");
    let Some(port) = at.field("port") else {
        return match end {
            Some(end) => end.invalid("endPort needs a `port` that is a number"),
            None => Ok(Port::Range(protocol, 1, u16::MAX)),
        };
    };
    if let Value::String(name) = port.value {
        let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let valid = (1..=15).contains(&name.len())
            && name.bytes().all(letters)
            && name.bytes().any(|byte| byte.is_ascii_lowercase())
            && !name.starts_with('-')
            && !name.ends_with('-')
            && !name.contains("--");
        return match end {
            Some(end) => end.invalid("endPort needs a `port` that is a number"),
            None if valid => Ok(Port::Named(protocol, name.clone())),
            None => port.invalid(format!("`{name}` is no name of a port: 1 to 15 of a-z, 0-9 and -")),
        };
    }
    let first = number(&port)?;
    let last = match &end {
        Some(end) => number(end)?,
        None => first,
    };
    match end {
        Some(end) if last < first => end.invalid("endPort lies below its port"),
        _ => Ok(Port::Range(protocol, first, last)),
    }
}
