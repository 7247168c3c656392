//! From a tree whose structure is right to the model. What the structure guarantees is not checked again.

use std::collections::BTreeMap;

use lotse_gitops_manifest::{Replicas, Resources};
use lotse_yaml::{Dialect, Document, Error, Kind, Limits, Node, Position, Stream, pointer_escape};

use super::diagnostic::{Collector, Diagnostics};
use super::model::{
    AllowSpec, Build, ComponentSpec, ConnectionSpec, EnvironmentSpec, FlagSpec, GateSpec, ImageSource,
    IngressSpec, MigrationsSpec, OutsideSpec, OutsideTarget, OverrideSpec, PlatformSpec, ProbesSpec,
    SecretSpec, SecretStore, SloSpec, Spec,
};
use super::words::ROOT;
use super::{check, format, structure};

impl Spec {
    /// Reads a `lotse.yaml`; `file` is what messages call it.
    ///
    /// # Errors
    ///
    /// Every mistake in the file at once, by place.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Diagnostics> {
        let mut mistakes = Collector::default();
        let document = match document(bytes, &mut mistakes) {
            Some(document) => document,
            None => return Err(mistakes.finish(file)),
        };
        let Some(root) = document.root() else {
            mistakes.add("yaml-syntax", document.position(), "", EMPTY);
            return Err(mistakes.finish(file));
        };
        structure::check(root, &ROOT, "", &mut mistakes);
        if !mistakes.is_empty() {
            // Meaning is judged only where the form is right, but what can be judged is told in the same run.
            check::partial(root, &mut mistakes);
            return Err(mistakes.finish(file));
        }
        let mut spec = spec(file, root);
        places(root, "", &mut spec.places);
        check::check(&spec, &document, &mut mistakes);
        if mistakes.is_empty() { Ok(resolve(spec)) } else { Err(mistakes.finish(file)) }
    }
}

/// What is said of a file without content.
const EMPTY: &str = "the file is empty; begin with `lotse: v1`";

fn document(bytes: &[u8], mistakes: &mut Collector) -> Option<Document> {
    let start = Position { line: 1, column: 1, offset: 0 };
    let told = |error: &Error, mistakes: &mut Collector| {
        let code = if matches!(error, Error::Limit { .. }) { "yaml-bomb" } else { "yaml-syntax" };
        let text = error.to_string();
        // The position stands in front already.
        let message = text.split_once(": ").map_or(text.as_str(), |(_, message)| message).to_owned();
        mistakes.add(code, error.position().unwrap_or(start), "", message);
    };
    let stream = match Stream::parse(bytes, Dialect::Yaml12, &Limits::small_file()) {
        Ok(stream) => stream,
        Err(error) => {
            told(&error, mistakes);
            return None;
        }
    };
    let documents = stream.documents();
    if let Some(second) = documents.get(1) {
        mistakes.add(
            "yaml-syntax",
            second.position(),
            "",
            "a second document begins here; one file is one application",
        );
        return None;
    }
    let Some(document) = documents.first().cloned() else {
        mistakes.add("yaml-syntax", start, "", EMPTY);
        return None;
    };
    // Expansion of aliases is bounded here, once for all.
    if let Err(error @ Error::Limit { .. }) = document.value() {
        told(&error, mistakes);
        return None;
    }
    Some(document)
}

fn places(node: Node<'_>, pointer: &str, into: &mut BTreeMap<String, (usize, usize)>) {
    let at = node.position();
    into.insert(pointer.to_owned(), (at.line, at.column));
    let node = node.followed();
    for (index, item) in node.items().enumerate() {
        places(item, &format!("{pointer}/{index}"), into);
    }
    for (key, value) in node.entries() {
        places(value, &format!("{pointer}/{}", pointer_escape(key.text().unwrap_or_default())), into);
    }
}

fn spec(file: &str, root: Node<'_>) -> Spec {
    let name = text(root, "name").unwrap_or_default();
    let environments = map(root, "environments", |environment, node| EnvironmentSpec {
        automatic: text(node, "promote").as_deref() == Some("automatic"),
        approvers: texts(node, "approvers"),
        namespace: text(node, "namespace").unwrap_or_else(|| format!("{name}-{environment}")),
        components: map(node, "components", |name, node| (name, overrides(node))).into_iter().collect(),
        name: environment,
    });
    Spec {
        file: file.to_owned(),
        version: text(root, "version"),
        source: text(root, "source"),
        author: text(root, "author").unwrap_or_else(|| name.clone()),
        registry: text(root, "registry").unwrap_or_default(),
        regimes: texts(root, "regimes"),
        platform: platform(get(root, "platform")),
        components: map(root, "components", component),
        outside: map(root, "outside", outside),
        slos: map(root, "slos", |name, node| SloSpec {
            name,
            of: text(node, "of").unwrap_or_default(),
            objective: text(node, "objective").unwrap_or_default(),
            window_days: text(node, "window")
                .and_then(|days| days.trim_end_matches('d').parse().ok())
                .unwrap_or(30),
        }),
        alerts: texts(root, "alerts"),
        flags: map(root, "flags", |name, node| FlagSpec {
            name,
            owner: text(node, "owner").unwrap_or_default(),
            scopes: texts(node, "scopes"),
            sunset: text(node, "sunset").unwrap_or_default(),
        }),
        environments,
        gate: gate(get(root, "gate")),
        places: BTreeMap::new(),
        name,
    }
}

fn platform(node: Option<Node<'_>>) -> PlatformSpec {
    let of = |name: &str| node.and_then(|node| text(node, name));
    let secrets = node.and_then(|node| get(node, "secrets"));
    let external = secrets.and_then(|node| text(node, "external-secrets"));
    let vault = secrets.and_then(|node| text(node, "vault-agent"));
    PlatformSpec {
        secrets: match (external, vault) {
            (Some(store), _) => SecretStore::ExternalSecrets(store),
            (None, role) => SecretStore::VaultAgent(role.unwrap_or_default()),
        },
        ingress: node.and_then(|node| get(node, "ingress")).map(|node| IngressSpec {
            class: text(node, "class").unwrap_or_default(),
            namespace: text(node, "namespace").unwrap_or_default(),
            issuer: text(node, "issuer").unwrap_or_default(),
        }),
        monitoring: of("monitoring"),
        backup: of("backup"),
        gitops: of("gitops"),
    }
}

fn component(name: String, node: Node<'_>) -> ComponentSpec {
    let extends = text(node, "extends");
    let image = match (text(node, "image").and_then(|image| image.parse().ok()), get(node, "build")) {
        (Some(image), _) => ImageSource::Existing(image),
        (None, Some(node)) => match text(node, "base").and_then(|base| base.parse().ok()) {
            Some(base) => ImageSource::Build(Build { base, copy: copies(node) }),
            None => ImageSource::Of(String::new()),
        },
        (None, None) => ImageSource::Of(extends.clone().unwrap_or_default()),
    };
    ComponentSpec {
        image,
        extends,
        command: texts(node, "command"),
        args: texts(node, "args"),
        ports: map(node, "ports", |name, node| (name, scalar(node).parse().unwrap_or(0))),
        host: text(node, "host"),
        probes: get(node, "probes").map(|node| match node.kind() {
            Kind::Mapping => ProbesSpec::Exec(texts(node, "exec")),
            _ => ProbesSpec::Http(scalar(node)),
        }),
        metrics: text(node, "metrics"),
        scratch: texts(node, "scratch"),
        volumes: map(node, "volumes", |path, node| (path, scalar(node))),
        backup: text(node, "backup").as_deref() != Some("none"),
        replicas: get(node, "replicas").map(replicas),
        resources: get(node, "resources").map(resources),
        user: text(node, "user").and_then(|user| format::user(&user)),
        connections: connections(node),
        env: map(node, "env", |name, node| (name, scalar(node))).into_iter().collect(),
        secrets: map(node, "secrets", |path, node| SecretSpec {
            path,
            keys: keys(node),
            lifetime: text(node, "lease").or_else(|| text(node, "rotate")).unwrap_or_default(),
        }),
        schedule: text(node, "schedule"),
        migrations: get(node, "migrations").map(|node| MigrationsSpec {
            tool: text(node, "tool").unwrap_or_default(),
            engine: text(node, "engine").unwrap_or_default(),
            path: text(node, "path").unwrap_or_default(),
            database: text(node, "database").unwrap_or_default(),
            seed: texts(node, "seed"),
            applied: text(node, "applied"),
            rollback: text(node, "rollback").and_then(|count| count.parse().ok()).unwrap_or(0),
        }),
        name,
    }
}

/// A list of paths goes below `into` under its own names; a map says where each goes.
fn copies(node: Node<'_>) -> Vec<(String, String)> {
    let into = text(node, "into").unwrap_or_else(|| "/".to_owned());
    let below = |path: &str| format!("{}/{}", into.trim_end_matches('/'), path.trim_end_matches('/'));
    match get(node, "copy") {
        Some(list) if list.kind() == Kind::Sequence => list
            .items()
            .map(|item| scalar(item.followed()))
            .map(|path| (path.clone(), below(&path)))
            .collect(),
        _ => map(node, "copy", |path, node| (path, scalar(node))),
    }
}

fn keys(node: Node<'_>) -> BTreeMap<String, String> {
    match get(node, "keys") {
        Some(list) if list.kind() == Kind::Sequence => {
            list.items().map(|item| scalar(item.followed())).map(|key| (key.clone(), key)).collect()
        }
        _ => map(node, "keys", |variable, node| (variable, scalar(node))).into_iter().collect(),
    }
}

fn connections(node: Node<'_>) -> Vec<ConnectionSpec> {
    let connection = |text: String| match text.split_once(':') {
        Some((to, port)) => ConnectionSpec { to: to.to_owned(), port: Some(port.to_owned()) },
        None => ConnectionSpec { to: text, port: None },
    };
    texts(node, "connections").into_iter().map(connection).collect()
}

fn outside(name: String, node: Node<'_>) -> OutsideSpec {
    let target = match text(node, "namespace") {
        Some(namespace) => OutsideTarget::Pods {
            namespace,
            labels: map(node, "pods", |name, node| (name, scalar(node))).into_iter().collect(),
        },
        None => OutsideTarget::Addresses { host: text(node, "host"), blocks: texts(node, "addresses") },
    };
    let port = text(node, "port").and_then(|port| port.parse().ok()).unwrap_or(0);
    OutsideSpec { name, port, target, connections: connections(node) }
}

fn overrides(node: Node<'_>) -> OverrideSpec {
    OverrideSpec {
        host: text(node, "host"),
        replicas: get(node, "replicas").map(replicas),
        resources: get(node, "resources").map(resources),
        env: map(node, "env", |name, node| (name, scalar(node))).into_iter().collect(),
    }
}

fn replicas(node: Node<'_>) -> Replicas {
    let number = |name: &str| text(node, name).and_then(|number| number.parse().ok());
    match node.kind() {
        Kind::Mapping => Replicas {
            min: number("min").unwrap_or(0),
            max: number("max"),
            cpu: number("cpu"),
            memory: number("memory"),
        },
        _ => Replicas { min: scalar(node).parse().unwrap_or(0), max: None, cpu: None, memory: None },
    }
}

fn resources(node: Node<'_>) -> Resources {
    let of = |name: &str| map(node, name, |name, node| (name, scalar(node))).into_iter().collect();
    Resources { requests: of("requests"), limits: of("limits") }
}

fn gate(node: Option<Node<'_>>) -> GateSpec {
    let Some(node) = node else {
        return GateSpec {
            vulnerabilities: String::new(),
            count: 0,
            advisories: None,
            vex: vec![],
            allow: vec![],
        };
    };
    let allow = |node: Node<'_>| AllowSpec {
        id: text(node, "id").unwrap_or_default(),
        component: text(node, "component").unwrap_or_default(),
        reason: text(node, "reason").unwrap_or_default(),
        expires: text(node, "expires").unwrap_or_default(),
        added_by: text(node, "added-by").unwrap_or_default(),
    };
    GateSpec {
        vulnerabilities: text(node, "vulnerabilities").unwrap_or_default(),
        count: text(node, "count").and_then(|count| count.parse().ok()).unwrap_or(0),
        advisories: text(node, "advisories"),
        vex: texts(node, "vex"),
        allow: get(node, "allow")
            .map_or_else(Vec::new, |list| list.items().map(|item| allow(item.followed())).collect()),
    }
}

/// Fills in what a component takes from the one it extends. The check has made sure that this one exists and extends nothing.
fn resolve(mut spec: Spec) -> Spec {
    let originals = spec.components.clone();
    for component in &mut spec.components {
        let Some(base) =
            component.extends.as_ref().and_then(|name| originals.iter().find(|other| other.name == *name))
        else {
            continue;
        };
        let mut env = base.env.clone();
        env.append(&mut component.env);
        component.env = env;
        let mut secrets = base.secrets.clone();
        secrets.retain(|secret| component.secrets.iter().all(|own| own.path != secret.path));
        secrets.append(&mut component.secrets);
        component.secrets = secrets;
        if component.scratch.is_empty() {
            component.scratch.clone_from(&base.scratch);
        }
        component.user = component.user.or(base.user);
        component.resources = component.resources.take().or_else(|| base.resources.clone());
        if component.command.is_empty() {
            component.command.clone_from(&base.command);
        }
    }
    spec
}

pub(super) fn get<'a>(node: Node<'a>, name: &str) -> Option<Node<'a>> {
    let node = node.followed();
    node.entries().find(|(key, _)| key.text() == Some(name)).map(|(_, value)| value.followed())
}

fn scalar(node: Node<'_>) -> String {
    node.followed().text().unwrap_or_default().to_owned()
}

fn text(node: Node<'_>, name: &str) -> Option<String> {
    get(node, name).map(scalar)
}

fn texts(node: Node<'_>, name: &str) -> Vec<String> {
    get(node, name).map_or_else(Vec::new, |list| list.items().map(|item| scalar(item.followed())).collect())
}

fn map<T>(node: Node<'_>, name: &str, of: impl Fn(String, Node<'_>) -> T) -> Vec<T> {
    let entries = get(node, name).map_or_else(Vec::new, |map| map.entries().collect());
    entries.into_iter().map(|(key, value)| of(scalar(key), value.followed())).collect()
}
