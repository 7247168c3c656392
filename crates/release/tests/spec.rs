//! `lotse.yaml`: the bundled one is read, and every mistake is told at its place, all in one run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_release::{ImageSource, Spec, json_schema};
use lotse_yaml::Value;
use proptest::prelude::*;

const ARMBAND: &str = include_str!("../../../examples/apps/armband/lotse.yaml");

#[test]
fn the_bundled_application_is_read() {
    let spec = Spec::parse("lotse.yaml", ARMBAND.as_bytes()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(spec.name, "armband");
    let worker = spec.component("worker").unwrap();
    assert_eq!(worker.image, ImageSource::Of("app".to_owned()));
    assert_eq!(worker.env["APP_DEBUG"], "false", "variables keep the text of the source");
    assert_eq!(worker.secrets.len(), 2, "extended from app");
    assert!(worker.migrations.is_none() && worker.ports.is_empty());
    assert_eq!(spec.builds().count(), 2);
    assert_eq!(
        spec.place("/components/redis/ports/redis").0,
        ARMBAND.lines().position(|line| line.contains("{redis: 6379}")).unwrap() + 1
    );
}

/// Code, what is replaced, by what: one mistake each, made in the bundled file.
const MISTAKES: [(&str, &str, &str); 42] = [
    ("key-unknown", "    connections: [app]\n", "    conections: [app]\n"),
    ("key-unknown", "name: armband\n", "name: armband\n<<: {a: b}\n"),
    (
        "key-twice",
        "registry: registry.example/armband\n",
        "registry: registry.example/armband\nregistry: registry.example/other\n",
    ),
    ("key-missing", "registry: registry.example/armband\n", ""),
    ("yaml-syntax", "name: armband\n", "name: armband\n\tx: y\n"),
    ("yaml-syntax", "schedule: \"* * * * *\"", "schedule: * * * * *"),
    ("yaml-syntax", "name: armband\n", "name: armband\n---\n"),
    ("version-unknown", "lotse: v1", "lotse: v2"),
    ("name-invalid", "name: armband\n", "name: Armband\n"),
    ("name-invalid", "  redis:\n    image", "  re_dis:\n    image"),
    ("scalar-kind", "objective: 99.9", "objective: \"99,9\""),
    ("scalar-kind", "sunset: 2027-03-31", "sunset: 31.3.27"),
    ("scalar-kind", "sunset: 2027-03-31", "sunset: 2027-02-30"),
    ("scalar-kind", "ports: {fastcgi: 9000}", "ports: {fastcgi: 80}"),
    ("scalar-kind", "ports: {fastcgi: 9000}", "ports: {fastcgi: }"),
    ("scalar-kind", "ports: {fastcgi: 9000}", "ports: [9000]"),
    (
        "image-unpinned",
        "redis:8.0@sha256:fd09a9a00413fa7616ab877e27018d6d61e48b10ed4f66658a4b935c02951b78",
        "redis:8.0",
    ),
    ("image-unpinned", "redis:8.0@sha256", "redis:latest@sha256"),
    ("image-owner", "registry.example/base/redis:8.0", "registry.example/armbnad/redis:8.0"),
    (
        "image-and-build",
        "    extends: app\n    schedule",
        "    extends: app\n    build: {base: \"a:1@sha256:fd09a9a00413fa7616ab877e27018d6d61e48b10ed4f66658a4b935c02951b78\", copy: []}\n    schedule",
    ),
    ("extends-unknown", "    extends: app\n    schedule", "    extends: worker\n    schedule"),
    ("secret-literal", "APP_NAME: armband,", "APP_NAME: armband, API_TOKEN: abc123,"),
    (
        "secret-literal",
        "APP_NAME: armband,",
        "APP_NAME: armband, QUEUE_URL: \"amqp://user:pw@queue.example\",",
    ),
    ("secret-rotation", "keys: [MYSQL_ROOT_PASSWORD], rotate: 90d", "keys: [MYSQL_ROOT_PASSWORD]"),
    ("connection-unknown", "    connections: [mysql, redis]\n", "    connections: [mysql, redsi]\n"),
    ("connection-port", "    connections: [mysql, redis]\n", "    connections: [mysql, worker]\n"),
    ("connection-port", "    connections: [mysql, redis]\n", "    connections: [mysql, \"redis:tls\"]\n"),
    ("outside-wide", "addresses: [195.201.160.143/32]", "addresses: [0.0.0.0/0]"),
    ("outside-wide", ", addresses: [195.201.160.143/32]", ""),
    ("reference-unknown", "${redis.address}", "${redis.adress}"),
    ("reference-unknown", "${redis.address}", "${rabbit.address}"),
    ("quantity", "memory: 512Mi", "memory: 512m"),
    ("quantity", "cpu: 50m", "cpu: \"0,5\""),
    ("quantity", "limits: {cpu: 100m, memory: 128Mi}", "limits: {cpu: 10m, memory: 128Mi}"),
    ("replicas", "{min: 2, max: 8, cpu: 60}", "{min: 9, max: 8, cpu: 60}"),
    ("replicas", "    volumes: {/data: 8Gi}\n", "    volumes: {/data: 8Gi}\n    replicas: 2\n"),
    ("schedule", "\"* * * * *\"", "\"* * * * * *\""),
    ("several-processes", "args: [php, artisan, \"schedule:run\"]", "args: [supervisord, -n]"),
    ("primary-as-queue", "QUEUE_CONNECTION: redis", "QUEUE_CONNECTION: database"),
    ("environment", "promote: approval", "promote: automatic"),
    (
        "environment",
        "components: {nginx: {host: armband.dev.example}}",
        "components: {ngnix: {host: armband.dev.example}}",
    ),
    ("user-missing", "    user: 999:1000\n", ""),
];

#[test]
fn every_mistake_has_its_code_and_place() {
    for (code, from, to) in MISTAKES {
        assert!(ARMBAND.contains(from), "{code}: {from:?}");
        let text = ARMBAND.replacen(from, to, 1);
        let mistakes = Spec::parse("lotse.yaml", text.as_bytes()).expect_err(code);
        let found = mistakes.list.iter().find(|mistake| mistake.code == code);
        let found = found.unwrap_or_else(|| panic!("{code} for {to:?}: {mistakes}"));
        let line = ARMBAND[..ARMBAND.find(from).unwrap()].lines().count();
        assert!(
            found.line.abs_diff(line) <= 4 || code == "key-missing" || code == "image-and-build",
            "{code}: {found:?} near line {line}"
        );
        assert!(!found.message.is_empty());
    }
}

#[test]
fn all_mistakes_are_told_in_one_run_in_the_order_of_their_places() {
    let text = ARMBAND
        .replacen("name: armband\n", "name: Armband\n", 1)
        .replacen("    connections: [mysql, redis]\n", "    connections: [mysql, redsi]\n", 1)
        .replacen("sunset: 2027-03-31", "sunset: soon", 1);
    let mistakes = Spec::parse("lotse.yaml", text.as_bytes()).unwrap_err();
    let codes: Vec<_> = mistakes.list.iter().map(|mistake| mistake.code).collect();
    assert_eq!(codes, ["name-invalid", "connection-unknown", "scalar-kind"]);
    assert!(mistakes.to_string().contains("did you mean \"redis\"?"), "{mistakes}");
    assert!(mistakes.to_string().starts_with("lotse.yaml:3:7: error[name-invalid]:"), "{mistakes}");
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let links = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{links}]\n"));
    }
    let mistakes = Spec::parse("lotse.yaml", text.as_bytes()).unwrap_err();
    assert!(mistakes.list.iter().any(|mistake| mistake.code == "yaml-bomb"), "{mistakes}");
}

#[test]
fn the_schema_is_made_of_the_same_words() {
    let schema = json_schema();
    let committed = include_str!("../../../lotse.schema.json");
    assert_eq!(
        format!("{}\n", schema.to_json_pretty()),
        committed,
        "run: cargo run --example release -- --explain schema > lotse.schema.json"
    );
    assert_eq!(schema.pointer("/properties/lotse/enum/0").and_then(Value::as_str), Some("v1"));
    assert_eq!(schema.pointer("/additionalProperties").and_then(Value::as_bool), Some(false));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn no_mutation_makes_the_parser_panic(at in 0usize..ARMBAND.len(), length in 0usize..40, insert in "[ -~\n\tß]{0,12}") {
        let (mut start, mut end) = (at, (at + length).min(ARMBAND.len()));
        while !ARMBAND.is_char_boundary(start) { start -= 1; }
        while !ARMBAND.is_char_boundary(end) { end += 1; }
        let text = format!("{}{insert}{}", &ARMBAND[..start], &ARMBAND[end..]);
        let _ = Spec::parse("lotse.yaml", text.as_bytes());
    }
}
