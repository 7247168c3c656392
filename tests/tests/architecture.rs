//! The house as it is drawn: who may stand on whom, what no core knows, and what every package keeps to.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lotse_yaml::{Limits, Value, parse_json};

/// What each crate may stand on; other packages may stand on all.
const ARROWS: [(&str, &[&str]); 12] = [
    ("lotse-digest", &[]),
    ("lotse-yaml", &[]),
    ("lotse-oci", GROUND),
    ("lotse-sbom", GROUND),
    ("lotse-secret-scan", GROUND),
    ("lotse-sign", GROUND),
    ("lotse-gitops-manifest", GROUND),
    ("lotse-netpol", GROUND),
    ("lotse-migrate-plan", GROUND),
    ("lotse-provenance", &["lotse-digest", "lotse-yaml", "lotse-sign"]),
    ("lotse-guardrails", &["lotse-digest", "lotse-yaml", "lotse-gitops-manifest"]),
    (
        "lotse-release",
        &[
            "lotse-digest",
            "lotse-yaml",
            "lotse-oci",
            "lotse-sbom",
            "lotse-secret-scan",
            "lotse-sign",
            "lotse-gitops-manifest",
            "lotse-netpol",
            "lotse-migrate-plan",
            "lotse-provenance",
            "lotse-guardrails",
        ],
    ),
];
const GROUND: &[&str] = &["lotse-digest", "lotse-yaml"];
const PACKAGES: [&str; 3] = ["lotse-benches", "lotse-examples", "lotse-tests"];

/// HTTP, async runtimes, OpenSSL: at the edge, behind a feature, or not at all.
const NOT_IN_A_CORE: [&str; 12] = [
    "async-std",
    "curl",
    "hyper",
    "isahc",
    "native-tls",
    "openssl",
    "openssl-sys",
    "reqwest",
    "smol",
    "surf",
    "tokio",
    "ureq",
];

const LINES: usize = 600;

/// Files that may look at the clock: edges behind features.
const CLOCKS: [&str; 1] = ["crates/oci/src/client/clock.rs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(root()).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// Cargo's view of the workspace, for this machine's platform and the default features.
fn metadata() -> Value {
    let version = run("rustc", &["-vV"]).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let arguments = ["metadata", "--format-version", "1", "--filter-platform", host];
    // What was never downloaded, cargo may get; what is there needs no network.
    let text = run(env!("CARGO"), &[&arguments[..], &["--offline"]].concat())
        .or_else(|| run(env!("CARGO"), &arguments))
        .expect("cargo metadata");
    let mut limits = Limits::manifests();
    (limits.bytes, limits.nodes, limits.expanded) = (1 << 28, 1 << 24, 1 << 24);
    parse_json(text.as_bytes(), &limits).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_else(|| panic!("{key}"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).unwrap_or_else(|| panic!("{key}"))
}

/// Name to package, of the workspace's own.
fn ours(metadata: &Value) -> BTreeMap<&str, &Value> {
    let packages = list(metadata, "packages").iter();
    packages
        .filter(|package| package.get("source").is_none_or(Value::is_null))
        .map(|package| (text(package, "name"), package))
        .collect()
}

#[test]
fn arrows_point_down_and_only_as_drawn() {
    let metadata = metadata();
    let ours = ours(&metadata);
    let drawn: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).chain(PACKAGES).collect();
    assert_eq!(ours.keys().copied().collect::<BTreeSet<_>>(), drawn, "the drawing shows every package");
    let mut wrong = Vec::new();
    for (name, allowed) in ARROWS {
        assert!(text(ours[name], "manifest_path").contains("/crates/"), "{name} is a crate");
        // Of every kind: what a test of a crate stands on, the crate cannot be moved without.
        for dependency in list(ours[name], "dependencies") {
            let on = text(dependency, "name");
            if ours.contains_key(on) && !allowed.contains(&on) {
                wrong.push(format!("{name} stands on {on}"));
            }
        }
    }
    assert!(wrong.is_empty(), "not as drawn: {wrong:#?}");
}

#[test]
fn no_core_pulls_a_network_client_an_async_runtime_or_openssl() {
    let mut wrong = Vec::new();
    for (crate_name, _) in ARROWS {
        // Of this crate alone, with its default features: what others in the workspace switch on is their matter.
        let arguments = ["tree", "-p", crate_name, "-e", "normal", "--prefix", "none", "--format", "{p}"];
        let text = run(env!("CARGO"), &[&arguments[..], &["--offline"]].concat())
            .or_else(|| run(env!("CARGO"), &arguments))
            .expect("cargo tree");
        let names: BTreeSet<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
        assert!(names.contains(crate_name), "{names:?}");
        let pulled = NOT_IN_A_CORE.iter().filter(|name| names.contains(*name));
        wrong.extend(pulled.map(|name| format!("{crate_name} > {name}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn manifests() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .chain(["benches", "examples", "tests"].map(|name| root().join(name)))
        .map(|directory| directory.join("Cargo.toml"))
        .collect();
    found.sort();
    assert_eq!(found.len(), ARROWS.len() + PACKAGES.len());
    found
}

/// The lines of a manifest with the section that each is in.
fn sections(manifest: &Path) -> Vec<(String, String)> {
    let mut section = String::new();
    let mut found = Vec::new();
    for line in fs::read_to_string(manifest).unwrap().lines() {
        if line.starts_with('[') {
            section = line.trim().to_owned();
            found.push((section.clone(), String::new()));
        } else if !line.trim().is_empty() && !line.starts_with('#') {
            found.push((section.clone(), line.to_owned()));
        }
    }
    found
}

#[test]
fn every_package_inherits_the_lints() {
    for manifest in manifests() {
        let inherited = sections(&manifest).contains(&("[lints]".to_owned(), "workspace = true".to_owned()));
        assert!(inherited, "{}: `[lints]` with `workspace = true` is missing", manifest.display());
    }
}

#[test]
fn every_version_stands_in_the_table_of_the_workspace() {
    for manifest in manifests() {
        let place = manifest.display();
        let lines = sections(&manifest);
        for (section, line) in &lines {
            let is_header = line.is_empty();
            if section.ends_with("dependencies]") && !is_header && !line.starts_with([' ', ']']) {
                assert!(line.contains("workspace = true"), "{place}: {line}");
                assert!(!line.contains("version ="), "{place}: {line}");
            } else if section.contains("dependencies.") && is_header {
                let own: Vec<_> = lines.iter().filter(|(other, _)| other == section).collect();
                assert!(own.iter().any(|(_, line)| line == "workspace = true"), "{place}: {section}");
            }
        }
    }
    let table = sections(&root().join("Cargo.toml"));
    let table = table.iter().filter(|(section, _)| section == "[workspace.dependencies]");
    for (_, line) in table.filter(|(_, line)| !line.is_empty()) {
        assert!(line.contains('"') && !line.contains("\"*\"") && !line.contains("git ="), "{line}");
    }
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every source file of the crates: its path in the workspace and its text.
fn code() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        sources(&entry.unwrap().path().join("src"), &mut found);
    }
    found.sort();
    assert!(found.len() > 100, "{}", found.len());
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
    found.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn no_source_file_is_too_long_to_read() {
    let long: Vec<String> = code()
        .iter()
        .filter(|(_, text)| text.lines().count() > LINES)
        .map(|(name, text)| format!("{name}: {} lines", text.lines().count()))
        .collect();
    assert!(long.is_empty(), "over {LINES} lines: {long:#?}");
}

#[test]
fn no_core_looks_at_the_clock() {
    let looking: Vec<String> = code()
        .into_iter()
        .filter(|(name, text)| {
            let looks = ["SystemTime::now", "Instant::now"].iter().any(|clock| text.contains(clock));
            looks && !CLOCKS.contains(&name.as_str())
        })
        .map(|(name, _)| name)
        .collect();
    assert!(looking.is_empty(), "time is an argument: {looking:#?}");
}
