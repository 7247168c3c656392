//! From the spec to what `gitops-manifest` renders, for one environment.

use std::collections::BTreeMap;
use std::path::Path;

use lotse_gitops_manifest::{
    Application, Component, Flag, Ingress, Job, Platform, Probes, Replicas, Resources, SecretSource,
    SecretUse, Slo, Stage, Workload,
};
use lotse_yaml::{Dialect, Limits, Stream, Value};

use crate::images::ReleaseImage;
use crate::{
    ComponentSpec, EnvironmentSpec, Error, ImageSource, MigrationsSpec, ProbesSpec, SecretStore, Spec,
};

/// The application in one environment.
pub(crate) fn application(
    spec: &Spec,
    environment: &EnvironmentSpec,
    images: &BTreeMap<String, ReleaseImage>,
    app: &Path,
    revision: &str,
) -> Result<Application, Error> {
    let mut components = Vec::new();
    for component in &spec.components {
        components.push(workload(spec, environment, component, images)?);
    }
    let mut jobs = Vec::new();
    for component in &spec.components {
        if let Some(migrations) = &component.migrations {
            jobs.extend(migration_jobs(&component.name, migrations));
        }
    }
    Ok(Application {
        name: spec.name.clone(),
        namespace: environment.namespace.clone(),
        environment: environment.name.clone(),
        revision: revision.to_owned(),
        components,
        jobs,
        platform: Platform {
            secrets: match &spec.platform.secrets {
                SecretStore::VaultAgent(role) => SecretSource::VaultAgent { role: role.clone() },
                SecretStore::ExternalSecrets(store) => SecretSource::ExternalSecrets { store: store.clone() },
            },
            ingress: spec
                .platform
                .ingress
                .as_ref()
                .map(|ingress| Ingress { class: ingress.class.clone(), issuer: ingress.issuer.clone() }),
            backup_namespace: spec.platform.backup.clone(),
        },
        slos: spec
            .slos
            .iter()
            .map(|slo| Slo {
                name: slo.name.clone(),
                of: slo.of.clone(),
                objective: slo.objective.clone(),
                window_days: slo.window_days,
            })
            .collect(),
        flags: spec
            .flags
            .iter()
            .map(|flag| Flag {
                name: flag.name.clone(),
                owner: flag.owner.clone(),
                scopes: flag.scopes.clone(),
                sunset: flag.sunset.clone(),
            })
            .collect(),
        extra: alerts(spec, environment, app)?,
    })
}

fn workload(
    spec: &Spec,
    environment: &EnvironmentSpec,
    component: &ComponentSpec,
    images: &BTreeMap<String, ReleaseImage>,
) -> Result<Component, Error> {
    let of = match &component.image {
        ImageSource::Of(other) => other,
        _ => &component.name,
    };
    let image = images.get(of).ok_or_else(|| Error::Caller(format!("component {of:?} has no image")))?;
    let none = crate::OverrideSpec::default();
    let here = environment.components.get(&component.name).unwrap_or(&none);
    let user = component.user.or(image.user).ok_or_else(|| {
        Error::Caller(format!(
            "component {:?}: its image names no user and group by number; say user: 1000:1000",
            component.name
        ))
    })?;
    let first_port = component.ports.first().map(|(_, port)| *port);
    let probes = match (&component.probes, first_port) {
        (Some(ProbesSpec::Http(path)), Some(port)) => Probes::Http { path: path.clone(), port },
        (Some(ProbesSpec::Exec(command)), _) => Probes::Exec(command.clone()),
        (None, Some(port)) => Probes::Tcp(port),
        _ => Probes::None,
    };
    let workload = match &component.schedule {
        Some(schedule) => Workload::CronJob { schedule: schedule.clone() },
        None if component.volumes.is_empty() => Workload::Deployment,
        None => Workload::StatefulSet,
    };
    let absent = if component.volumes.is_empty() && !component.ports.is_empty() { 2 } else { 1 };
    let absent = Replicas { min: absent, max: None, cpu: None, memory: None };
    let mut env = component.env.clone();
    env.extend(here.env.clone());
    for text in env.values_mut() {
        *text = filled_in(spec, environment, text);
    }
    Ok(Component {
        name: component.name.clone(),
        workload,
        image: image.reference.clone(),
        command: component.command.clone(),
        args: component.args.clone(),
        env,
        ports: component.ports.clone(),
        host: here.host.clone().or_else(|| component.host.clone()),
        probes,
        metrics: component.metrics.clone(),
        resources: limited(
            here.resources.clone().or_else(|| component.resources.clone()).unwrap_or_default(),
            component,
        ),
        replicas: here.replicas.or(component.replicas).unwrap_or(absent),
        volumes: component.volumes.clone(),
        scratch: component.scratch.clone(),
        secrets: component
            .secrets
            .iter()
            .map(|secret| SecretUse {
                path: secret.path.clone(),
                keys: secret.keys.clone(),
                lifetime: secret.lifetime.clone(),
            })
            .collect(),
        user,
        backup: component.backup,
        early: spec
            .components
            .iter()
            .filter_map(|other| other.migrations.as_ref())
            .any(|migrations| migrations.database == component.name),
    })
}

/// Local storage gets a limit if none is said: room for logs, and what scratch directories may hold.
fn limited(mut resources: Resources, component: &ComponentSpec) -> Resources {
    let mebibytes = 256 + 64 * component.scratch.len();
    resources.limits.entry("ephemeral-storage".to_owned()).or_insert_with(|| format!("{mebibytes}Mi"));
    resources
}

/// Fills in `${component.address}`, `.port` and `.host`; that they resolve was checked when the spec was read.
fn filled_in(spec: &Spec, environment: &EnvironmentSpec, text: &str) -> String {
    let mut filled = text.to_owned();
    for component in &spec.components {
        let address = format!("{}-{}", spec.name, component.name);
        let port = component.ports.first().map(|(_, port)| port.to_string()).unwrap_or_default();
        let here = environment.components.get(&component.name).and_then(|here| here.host.clone());
        let host = here.or_else(|| component.host.clone()).unwrap_or_default();
        for (word, value) in [("address", &address), ("port", &port), ("host", &host)] {
            filled = filled.replace(&format!("${{{}.{word}}}", component.name), value);
        }
    }
    filled
}

/// Expand before the rollout, seeds after it. Contract is not among the jobs of the release that brings it.
fn migration_jobs(component: &str, migrations: &MigrationsSpec) -> Vec<Job> {
    let job =
        |name: String, args: Vec<String>, stage| Job { name, component: component.to_owned(), args, stage };
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let expand = match migrations.tool.as_str() {
        "laravel" => words(&format!("php artisan migrate --force --path={}/expand", migrations.path)),
        _ => words(&format!("migrate {}/expand", migrations.path)),
    };
    let mut jobs = vec![job("expand".to_owned(), expand, Stage::BeforeRollout)];
    for (number, seed) in migrations.seed.iter().enumerate() {
        let args = match migrations.tool.as_str() {
            "laravel" => words(&format!("php artisan db:seed --force --class={seed}")),
            _ => vec!["seed".to_owned(), seed.clone()],
        };
        jobs.push(job(format!("seed-{number}"), args, Stage::AfterRollout));
    }
    jobs
}

/// Rules kept by hand, put into the namespace.
fn alerts(spec: &Spec, environment: &EnvironmentSpec, app: &Path) -> Result<Vec<Value>, Error> {
    let mut documents = Vec::new();
    for file in &spec.alerts {
        let path = app.join(file);
        let bytes = std::fs::read(&path).map_err(Error::io("read", &path))?;
        let read = |error: lotse_yaml::Error| Error::Caller(format!("{file}:{error}"));
        let stream = Stream::parse(&bytes, Dialect::Kubectl, &Limits::small_file()).map_err(read)?;
        for mut document in stream.objects().map_err(read)? {
            if let Some(metadata) = document.pointer_mut("/metadata").and_then(Value::as_object_mut) {
                metadata.insert("namespace", environment.namespace.as_str());
            }
            documents.push(document);
        }
    }
    Ok(documents)
}
