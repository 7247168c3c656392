use lotse_yaml::{Map, Value, value};

use super::{metadata, named, selector};
use crate::Error;
use crate::application::{Application, Slo};

/// Burn rates of the error budget, with the windows that must both show them (SRE workbook, chapter 5): rate in tenths,
/// long and short window, severity.
const BURN_RATES: [(u32, &str, &str, &str); 4] = [
    (144, "1h", "5m", "page"),
    (60, "6h", "30m", "page"),
    (30, "1d", "2h", "ticket"),
    (10, "3d", "6h", "ticket"),
];

/// Monitors, rules, backups, flags, and what else was given.
pub(super) fn documents(application: &Application) -> Result<Vec<Value>, Error> {
    let mut documents = Vec::new();
    for component in &application.components {
        if let (Some(path), Some((port, _))) = (&component.metrics, component.ports.first()) {
            documents.push(value!({
                "apiVersion": "monitoring.coreos.com/v1",
                "kind": "ServiceMonitor",
                "metadata": metadata(application, &component.name),
                "spec": {
                    "selector": { "matchLabels": selector(application, &component.name) },
                    "endpoints": [{ "port": port, "path": path, "interval": "30s" }],
                },
            }));
        }
    }
    for slo in &application.slos {
        documents.push(rules(application, slo)?);
    }
    documents.extend(backup(application));
    documents.extend(flags(application));
    documents.extend(application.extra.iter().cloned());
    Ok(documents)
}

fn rules(application: &Application, slo: &Slo) -> Result<Value, Error> {
    let budget = budget(&slo.objective).ok_or_else(|| Error::Caller {
        what: format!("objective {:?} of SLO {:?}", slo.objective, slo.name),
        advice: "give percent below 100 with up to four decimals, such as 99.9",
    })?;
    let service = application.object_name(&slo.of);
    let record = |window: &str| format!("slo:{}:error_ratio:{window}", slo.name.replace('-', "_"));
    let labels = format!("namespace=\"{}\",service=\"{service}\"", application.namespace);
    let mut windows: Vec<&str> = BURN_RATES.iter().flat_map(|(_, long, short, _)| [*long, *short]).collect();
    windows.sort_unstable();
    windows.dedup();
    let window = format!("{}d", slo.window_days);
    let recordings = windows.into_iter().chain([window.as_str()]).map(|window| {
        let requests = |filter: &str| format!("sum(rate(http_requests_total{{{labels}{filter}}}[{window}]))");
        let expression = format!("{} / {}", requests(",code=~\"5..\""), requests(""));
        value!({ "record": record(window), "expr": expression })
    });
    let remaining = format!("1 - {} / {budget}", record(&window));
    let remaining = value!({ "record": format!("slo:{}:error_budget_remaining:ratio", slo.name.replace('-', "_")), "expr": remaining });
    let alerts = BURN_RATES.into_iter().map(|(tenths, long, short, severity)| {
        let rate = format!("{}.{}", tenths / 10, tenths % 10);
        let burns = |window: &str| format!("{} > {rate} * {budget}", record(window));
        value!({
            "alert": format!("ErrorBudgetBurn{}", if severity == "page" { "Fast" } else { "Slow" }),
            "expr": format!("{} and {}", burns(long), burns(short)),
            "labels": { "severity": severity, "slo": &slo.name },
            "annotations": {
                "summary": format!("{service} burns its error budget {rate} times too fast over {long}"),
            },
        })
    });
    let groups = value!([
        { "name": format!("{}-record", slo.name), "rules": recordings.chain([remaining]).collect::<Vec<_>>() },
        { "name": format!("{}-alert", slo.name), "rules": alerts.collect::<Vec<_>>() },
    ]);
    Ok(value!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": named(application, &application.object_name(&format!("slo-{}", slo.name)), &slo.of),
        "spec": { "groups": groups },
    }))
}

/// The share of requests that may fail, as exact decimal text: `99.9` gives `0.001`.
fn budget(objective: &str) -> Option<String> {
    let (whole, decimals) = objective.split_once('.').unwrap_or((objective, ""));
    if decimals.len() > 4 || !objective.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let millionths = format!("{whole}{decimals:0<4}").parse::<u32>().ok()?;
    let rest = 1_000_000u32.checked_sub(millionths).filter(|&rest| rest > 0)?;
    let text = format!("0.{rest:06}");
    Some(text.trim_end_matches('0').to_owned())
}

fn backup(application: &Application) -> Option<Value> {
    let namespace = application.platform.backup_namespace.as_ref()?;
    let components: Vec<&str> = application
        .components
        .iter()
        .filter(|component| component.backup && !component.volumes.is_empty())
        .map(|component| component.name.as_str())
        .collect();
    if components.is_empty() {
        return None;
    }
    Some(value!({
        "apiVersion": "velero.io/v1",
        "kind": "Schedule",
        "metadata": { "name": format!("{}-{}", application.namespace, "daily"), "namespace": namespace },
        "spec": {
            "schedule": "0 2 * * *",
            "template": {
                "includedNamespaces": [&application.namespace],
                "labelSelector": { "matchExpressions": [{
                    "key": "app.kubernetes.io/component",
                    "operator": "In",
                    "values": components,
                }] },
                "ttl": "720h0m0s",
            },
        },
    }))
}

/// Flag definitions as flagd reads them; every flag begins switched off.
fn flags(application: &Application) -> Option<Value> {
    if application.flags.is_empty() {
        return None;
    }
    let mut flags = Map::new();
    for flag in &application.flags {
        flags.insert(
            flag.name.as_str(),
            value!({
                "state": "ENABLED",
                "variants": { "on": true, "off": false },
                "defaultVariant": "off",
                "metadata": { "owner": &flag.owner, "scopes": flag.scopes.join(","), "sunset": &flag.sunset },
            }),
        );
    }
    let document = value!({ "$schema": "https://flagd.dev/schema/v0/flags.json", "flags": flags });
    Some(value!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": named(application, &application.object_name("flags"), "flags"),
        "data": { "flags.json": document.to_json_pretty() },
    }))
}
