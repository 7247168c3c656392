//! What the words mean together.

use std::collections::BTreeSet;

use lotse_gitops_manifest::{Replicas, Resources};
use lotse_yaml::{Document, Node, pointer_escape};

use super::diagnostic::{Collector, nearest};
use super::format;
use super::model::{ComponentSpec, ImageSource, OutsideTarget, ProbesSpec, SecretStore, Spec};
use super::read::get;

struct Check<'a> {
    spec: &'a Spec,
    document: &'a Document,
    mistakes: &'a mut Collector,
}

pub(super) fn check(spec: &Spec, document: &Document, mistakes: &mut Collector) {
    let mut check = Check { spec, document, mistakes };
    check.platform();
    for component in &spec.components {
        check.component(component);
    }
    check.outside();
    check.references();
    check.environments();
    check.owners();
}

/// What can be said while the form is not right yet: names in `connections` that do not exist.
pub(super) fn partial(root: Node<'_>, mistakes: &mut Collector) {
    let names = |word: &str| get(root, word).map_or_else(Vec::new, |map| map.entries().collect::<Vec<_>>());
    let components = names("components");
    let known: BTreeSet<&str> =
        components.iter().chain(&names("outside")).filter_map(|(key, _)| key.text()).collect();
    for (key, component) in &components {
        let Some(list) = get(*component, "connections") else { continue };
        for (index, item) in list.items().enumerate() {
            let Some(text) = item.text() else { continue };
            let name = text.split(':').next().unwrap_or(text);
            if !known.contains(name) {
                let pointer = format!("/components/{}/connections/{index}", key.text().unwrap_or_default());
                mistakes.add("connection-unknown", item.position(), &pointer, unknown_target(name, &known));
            }
        }
    }
}

fn unknown_target(name: &str, known: &BTreeSet<&str>) -> String {
    match nearest(name, known.iter().copied()) {
        Some(meant) => format!("no component or outside named {name:?}; did you mean {meant:?}?"),
        None => format!("no component or outside named {name:?}; declare it under outside"),
    }
}

impl Check<'_> {
    fn add(&mut self, code: &'static str, pointer: &str, message: impl Into<String>) {
        let at = self.document.locate(pointer);
        self.mistakes.add(code, at, pointer, message);
    }

    fn platform(&mut self) {
        let both = ["external-secrets", "vault-agent"]
            .iter()
            .filter(|word| self.document.pointer(&format!("/platform/secrets/{word}")).is_some())
            .count();
        let named = match &self.spec.platform.secrets {
            SecretStore::ExternalSecrets(name) | SecretStore::VaultAgent(name) => !name.is_empty(),
        };
        if both != 1 || !named {
            let message = "say exactly one of external-secrets and vault-agent";
            self.add("platform-secrets", "/platform/secrets", message);
        }
    }

    fn component(&mut self, component: &ComponentSpec) {
        let pointer = format!("/components/{}", pointer_escape(&component.name));
        let spec = self.spec;
        if component.name.len() + spec.name.len() > 50 {
            self.add(
                "name-invalid",
                &pointer,
                "the application's and the component's name together exceed 50 characters",
            );
        }
        let own = |word: &str| self.document.pointer(&format!("{pointer}/{word}")).is_some();
        let sources = [own("image"), own("build"), own("extends")].into_iter().filter(|given| *given).count();
        if sources != 1 {
            let message = if sources == 0 {
                "say one of image, build and extends"
            } else {
                "image, build and extends exclude each other: choose one"
            };
            self.add("image-and-build", &pointer, message);
        }
        if let Some(base) = &component.extends {
            match spec.component(base) {
                None => {
                    let known: BTreeSet<&str> =
                        spec.components.iter().map(|other| other.name.as_str()).collect();
                    self.add("extends-unknown", &format!("{pointer}/extends"), unknown_target(base, &known));
                }
                Some(other) if other.extends.is_some() => {
                    let message = format!("{base:?} extends another component itself; extend that one");
                    self.add("extends-unknown", &format!("{pointer}/extends"), message);
                }
                Some(_) => {}
            }
        }
        if matches!(component.image, ImageSource::Existing(_)) && component.user.is_none() {
            self.add(
                "user-missing",
                &pointer,
                "say the user an existing image runs as, such as user: 999:999; nothing runs as root",
            );
        }
        if component.resources.is_none() && component.extends.is_none() {
            self.add(
                "resources-missing",
                &pointer,
                "say resources: without limits one component can starve the others",
            );
        }
        self.shape(component, &pointer);
        self.replicas(component.replicas, !component.volumes.is_empty(), &pointer);
        if let Some(resources) = &component.resources {
            self.resources(resources, &format!("{pointer}/resources"));
        }
        self.connections(
            component.connections.iter().map(|to| (to.to.as_str(), to.port.as_deref())),
            &pointer,
        );
        self.secrets(component, &pointer);
        self.processes(component, &pointer);
        if let Some(migrations) = &component.migrations
            && spec.component(&migrations.database).is_none()
        {
            let known: BTreeSet<&str> = spec.components.iter().map(|other| other.name.as_str()).collect();
            let message = unknown_target(&migrations.database, &known);
            self.add("connection-unknown", &format!("{pointer}/migrations/database"), message);
        }
    }

    /// Words that exclude each other.
    fn shape(&mut self, component: &ComponentSpec, pointer: &str) {
        if component.schedule.is_some() && (!component.ports.is_empty() || !component.volumes.is_empty()) {
            self.add(
                "schedule",
                &format!("{pointer}/schedule"),
                "what runs by the clock ends by itself: it has no ports and no volumes",
            );
        }
        if component.host.is_some() && component.ports.is_empty() {
            self.add("host-port", &format!("{pointer}/host"), "a host needs a port: say ports");
        }
        if component.host.is_some() && self.spec.platform.ingress.is_none() {
            self.add("host-port", &format!("{pointer}/host"), "a host needs platform.ingress");
        }
        if component.metrics.is_some() && component.ports.is_empty() {
            self.add("host-port", &format!("{pointer}/metrics"), "metrics need a port: say ports");
        }
        if matches!(component.probes, Some(ProbesSpec::Http(_))) && component.ports.is_empty() {
            self.add(
                "host-port",
                &format!("{pointer}/probes"),
                "a path needs a port: say ports, or {exec: […]}",
            );
        }
    }

    fn replicas(&mut self, replicas: Option<Replicas>, has_volumes: bool, pointer: &str) {
        let Some(replicas) = replicas else { return };
        let pointer = format!("{pointer}/replicas");
        if replicas.max.is_some_and(|max| max < replicas.min) {
            self.add("replicas", &pointer, "min is greater than max");
        }
        if replicas.max.is_some() && replicas.cpu.is_none() && replicas.memory.is_none() {
            self.add("replicas", &pointer, "an autoscaler needs something to aim at: say cpu or memory");
        }
        if replicas.min == 0 {
            self.add("replicas", &pointer, "at least one pod must run");
        }
        if has_volumes && (replicas.min > 1 || replicas.max.is_some()) {
            self.add(
                "replicas",
                &pointer,
                "a component with volumes has one pod: nothing here makes copies agree",
            );
        }
    }

    fn resources(&mut self, resources: &Resources, pointer: &str) {
        for (name, request) in &resources.requests {
            let (wanted, limit) = (format::quantity(request), resources.limits.get(name));
            if let (Some(wanted), Some(limit)) = (wanted, limit.and_then(|limit| format::quantity(limit)))
                && wanted > limit
            {
                self.add(
                    "quantity",
                    &format!("{pointer}/requests/{name}"),
                    format!("the request for {name} exceeds the limit"),
                );
            }
        }
        for (kind, values) in [("requests", &resources.requests), ("limits", &resources.limits)] {
            for (name, value) in values {
                let pointer = format!("{pointer}/{kind}/{name}");
                let thousandths = format::quantity(value).unwrap_or(0);
                if name == "memory" && thousandths < 1_000_000_000 {
                    self.add(
                        "quantity",
                        &pointer,
                        format!("{value:?} of memory is less than 1 MB; the unit meant is Mi"),
                    );
                }
                if name == "cpu" && thousandths > 1_000_000 {
                    self.add(
                        "quantity",
                        &pointer,
                        format!("{value:?} is more than 1000 CPUs; the unit meant is m"),
                    );
                }
            }
        }
        for name in ["cpu", "memory"] {
            if !resources.limits.contains_key(name) {
                self.add("resources-missing", &format!("{pointer}/limits"), format!("say a limit of {name}"));
            }
        }
    }

    fn connections<'c>(
        &mut self,
        connections: impl Iterator<Item = (&'c str, Option<&'c str>)>,
        pointer: &str,
    ) {
        let spec = self.spec;
        for (index, (to, port)) in connections.enumerate() {
            let pointer = format!("{pointer}/connections/{index}");
            if let Some(target) = spec.component(to) {
                let names: Vec<&str> = target.ports.iter().map(|(name, _)| name.as_str()).collect();
                let message = match (port, names.len()) {
                    (_, 0) => Some(format!("{to:?} has no port to connect to")),
                    (None, 1) => None,
                    (None, _) => Some(format!(
                        "{to:?} has several ports; say one of {}",
                        names.iter().map(|name| format!("{to}:{name}")).collect::<Vec<_>>().join(", ")
                    )),
                    (Some(port), _) if names.contains(&port) => None,
                    (Some(port), _) => {
                        Some(format!("{to:?} has no port {port:?}; it has {}", names.join(", ")))
                    }
                };
                if let Some(message) = message {
                    self.add("connection-port", &pointer, message);
                }
            } else if let Some(outside) = spec.outside.iter().find(|outside| outside.name == to) {
                if port.is_some() {
                    let message =
                        format!("{to:?} has one port, {}; leave out the part behind the colon", outside.port);
                    self.add("connection-port", &pointer, message);
                }
            } else {
                let names = spec.components.iter().map(|component| component.name.as_str());
                let known: BTreeSet<&str> =
                    names.chain(spec.outside.iter().map(|outside| outside.name.as_str())).collect();
                self.add("connection-unknown", &pointer, unknown_target(to, &known));
            }
        }
    }

    fn secrets(&mut self, component: &ComponentSpec, pointer: &str) {
        for secret in &component.secrets {
            let pointer = format!("{pointer}/secrets/{}", pointer_escape(&secret.path));
            if self.document.pointer(&pointer).is_some() && secret.lifetime.is_empty() {
                self.add("secret-rotation", &pointer, "say how it changes: rotate: 90d, or lease: 1h");
            }
            for variable in secret.keys.keys() {
                if component.env.contains_key(variable) {
                    self.add(
                        "secret-literal",
                        &pointer,
                        format!("{variable} is in env as well; one of the two would win silently"),
                    );
                }
            }
        }
        for (variable, text) in &component.env {
            if looks_secret(variable, text) {
                let message = format!(
                    "{variable} looks like a secret; put it into the store and name its path under secrets"
                );
                self.add("secret-literal", &format!("{pointer}/env/{variable}"), message);
            }
        }
    }

    /// R18: one process in a container; queue, session and cache beside the primary database, not in it.
    fn processes(&mut self, component: &ComponentSpec, pointer: &str) {
        let words = component.command.iter().chain(&component.args);
        let joined = words.map(String::as_str).collect::<Vec<_>>().join(" ");
        let several = ["supervisord", "s6-svscan", "runsvdir", "crond", "cron -f"]
            .iter()
            .find(|name| joined.contains(**name));
        let background = joined.contains(" & ") || joined.ends_with(" &");
        if several.is_some() || background {
            let what = several.map_or("a command in the background", |name| *name);
            let place = if component.command.is_empty() { "args" } else { "command" };
            let message = format!(
                "{what} runs several processes; make each a component, and what runs by the clock a schedule"
            );
            self.add("several-processes", &format!("{pointer}/{place}"), message);
        }
        for variable in ["QUEUE_CONNECTION", "SESSION_DRIVER", "CACHE_STORE", "CACHE_DRIVER"] {
            if component.env.get(variable).is_some_and(|value| value == "database") {
                let message = format!(
                    "{variable} is on the primary database; use redis, so that load there does not stop the application"
                );
                self.add("primary-as-queue", &format!("{pointer}/env/{variable}"), message);
            }
        }
    }

    fn outside(&mut self) {
        let spec = self.spec;
        for outside in &spec.outside {
            let pointer = format!("/outside/{}", pointer_escape(&outside.name));
            if spec.component(&outside.name).is_some() {
                self.add(
                    "name-invalid",
                    &pointer,
                    format!("{:?} is a component as well; connections could mean either", outside.name),
                );
            }
            match &outside.target {
                OutsideTarget::Addresses { blocks, .. } if blocks.is_empty() => {
                    self.add(
                        "outside-wide",
                        &pointer,
                        "say addresses, or namespace and pods: a network policy knows no names",
                    );
                }
                OutsideTarget::Addresses { blocks, .. } => {
                    for (index, block) in blocks.iter().enumerate() {
                        if format::cidr(block).is_some_and(|(_, length)| length == 0) {
                            self.add(
                                "outside-wide",
                                &format!("{pointer}/addresses/{index}"),
                                "this is the whole world; name the addresses that are meant",
                            );
                        }
                    }
                }
                OutsideTarget::Pods { labels, .. } => {
                    let both = ["host", "addresses"]
                        .iter()
                        .any(|word| self.document.pointer(&format!("{pointer}/{word}")).is_some());
                    if both {
                        self.add("outside-wide", &pointer, "say either addresses or namespace and pods");
                    }
                    if labels.is_empty() {
                        self.add(
                            "outside-wide",
                            &pointer,
                            "say pods: without labels every pod of the namespace is meant",
                        );
                    }
                }
            }
            self.connections(
                outside.connections.iter().map(|to| (to.to.as_str(), to.port.as_deref())),
                &pointer,
            );
        }
    }

    /// `${component.address}`, `${component.port}` and `${component.host}` in variables.
    fn references(&mut self) {
        let spec = self.spec;
        for component in &spec.components {
            for (variable, text) in &component.env {
                let pointer = format!("/components/{}/env/{variable}", pointer_escape(&component.name));
                for reference in references(text) {
                    let Err(message) = reference.and_then(|(name, word)| resolves(spec, name, word)) else {
                        continue;
                    };
                    self.add("reference-unknown", &pointer, message);
                }
            }
        }
    }

    fn environments(&mut self) {
        let spec = self.spec;
        for environment in &spec.environments {
            let pointer = format!("/environments/{}", pointer_escape(&environment.name));
            if environment.name.starts_with("prod") && environment.automatic {
                self.add(
                    "environment",
                    &format!("{pointer}/promote"),
                    "production is promoted by approval: whoever releases is not whoever approves",
                );
            }
            if !environment.automatic && environment.approvers.is_empty() {
                self.add("environment", &pointer, "say approvers: somebody must approve");
            }
            for (name, overrides) in &environment.components {
                let pointer = format!("{pointer}/components/{}", pointer_escape(name));
                let Some(component) = spec.component(name) else {
                    let known: BTreeSet<&str> =
                        spec.components.iter().map(|other| other.name.as_str()).collect();
                    self.add("environment", &pointer, unknown_target(name, &known));
                    continue;
                };
                self.replicas(overrides.replicas, !component.volumes.is_empty(), &pointer);
                if let Some(resources) = &overrides.resources {
                    self.resources(resources, &format!("{pointer}/resources"));
                }
                for (variable, text) in &overrides.env {
                    if looks_secret(variable, text) {
                        self.add(
                            "secret-literal",
                            &format!("{pointer}/env/{variable}"),
                            format!("{variable} looks like a secret; put it into the store"),
                        );
                    }
                }
            }
        }
        if spec.environments.is_empty() {
            self.add("environment", "/environments", "say at least one environment");
        }
        for slo in &spec.slos {
            if spec.component(&slo.of).is_none() {
                let known: BTreeSet<&str> = spec.components.iter().map(|other| other.name.as_str()).collect();
                self.add(
                    "connection-unknown",
                    &format!("/slos/{}/of", slo.name),
                    unknown_target(&slo.of, &known),
                );
            }
        }
    }

    /// One owner spelt two ways: an image of another repository is pulled, or no policy matches it.
    fn owners(&mut self) {
        let spec = self.spec;
        let owner = |repository: &str| repository.rsplit_once('/').map(|(owner, _)| owner.to_owned());
        for component in &spec.components {
            let (image, word) = match &component.image {
                ImageSource::Existing(image) => (image, "image"),
                ImageSource::Build(build) => (&build.base, "build/base"),
                ImageSource::Of(_) => continue,
            };
            let Some(theirs) = owner(&image.repository()) else { continue };
            let (Some((host, path)), Some((our_host, our_path))) =
                (theirs.split_once('/'), spec.registry.split_once('/'))
            else {
                continue;
            };
            let ours = theirs == spec.registry || theirs.starts_with(&format!("{}/", spec.registry));
            let close = !ours && host == our_host && nearest(path, [our_path]).is_some();
            if close {
                let pointer = format!("/components/{}/{word}", pointer_escape(&component.name));
                let line = self.document.locate("/registry").line;
                let message = format!(
                    "{theirs:?} differs little from the registry {:?} in line {line}; spell one like the other",
                    spec.registry
                );
                self.add("image-owner", &pointer, message);
            }
        }
    }
}

/// The references in a text, or what is wrong with one.
pub(crate) fn references(text: &str) -> Vec<Result<(&str, &str), String>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("${") {
        let Some((inside, after)) = after.split_once('}') else {
            found.push(Err("${ without a closing brace".to_owned()));
            break;
        };
        found.push(inside.split_once('.').ok_or_else(|| format!("${{{inside}}} is not ${{component.word}}")));
        rest = after;
    }
    found
}

fn resolves(spec: &Spec, name: &str, word: &str) -> Result<(), String> {
    let known: BTreeSet<&str> = spec.components.iter().map(|component| component.name.as_str()).collect();
    let component = spec.component(name).ok_or_else(|| unknown_target(name, &known))?;
    match word {
        "address" | "port" if component.ports.is_empty() => {
            Err(format!("{name:?} has no port, so it has no address"))
        }
        "host" if component.host.is_none() => Err(format!("{name:?} has no host")),
        "address" | "port" | "host" => Ok(()),
        other => {
            let meant = nearest(other, ["address", "port", "host"]).unwrap_or("address, port or host");
            Err(format!("{name:?} has no {other:?}; did you mean {meant}?"))
        }
    }
}

/// A variable that is named like a secret and holds a value of its own, or a URL with a password.
fn looks_secret(variable: &str, text: &str) -> bool {
    let upper = variable.to_ascii_uppercase();
    let named = ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "APP_KEY", "PRIVATE_KEY"]
        .iter()
        .any(|part| upper.contains(part));
    let empty = matches!(text, "" | "null" | "none" | "false" | "true") || text.starts_with("${");
    let with_password = text.split_once("://").is_some_and(|(_, rest)| {
        rest.split(['/', '?'])
            .next()
            .and_then(|authority| authority.rsplit_once('@'))
            .is_some_and(|(user, _)| user.contains(':'))
    });
    (named && !empty) || with_password || text.contains("-----BEGIN")
}
