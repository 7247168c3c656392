//! Metadata that a TUF client must see through, made by hand: tables of forms, thresholds, chains of roots, delegations and names.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::cell::RefCell;
use std::collections::BTreeMap;

use lotse_digest::Digest;
use lotse_sign::tuf::{Limits, MemoryStore, Refusal, Repository, Rule, Update, Wanted};
use lotse_sign::{Error, Scheme, SigningKey, Time};
use serde_json::{Value, json};

fn now() -> Time {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn key(number: u8) -> SigningKey {
    SigningKey::from_secret(Scheme::Ed25519, &[number; 32]).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn describe(number: u8) -> Value {
    let public = key(number).verifying_key();
    json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": hex(&public.as_der()[12..]) } })
}

/// The canonical form of what has neither control characters nor quotes in its strings: serde_json sorts members.
fn canonical(value: &Value) -> Vec<u8> {
    let sorted: BTreeMap<String, Value> = serde_json::from_value(value.clone()).unwrap();
    serde_json::to_vec(&sorted).unwrap()
}

fn id(value: &Value) -> String {
    Digest::sha256(&canonical(value)).encoded()
}

fn sign(signed: &Value, signers: &[u8]) -> Value {
    let message = canonical(signed);
    let signatures: Vec<Value> = signers
        .iter()
        .map(|number| {
            json!({ "keyid": id(&describe(*number)), "sig": hex(&key(*number).sign(&message).unwrap()) })
        })
        .collect();
    json!({ "signatures": signatures, "signed": signed })
}

fn bytes(document: &Value) -> Vec<u8> {
    document.to_string().into_bytes()
}

/// A document with what all have in common.
fn document(kind: &str, version: u64, members: &Value) -> Value {
    let mut all = json!({ "_type": kind, "spec_version": "1.0.34", "version": version, "expires": "2027-01-01T00:00:00Z" });
    for (name, value) in members.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

/// Keys and a role list: `(name, keys, threshold)`.
fn roles(roles: &[(&str, &[u8], u64)]) -> (Value, BTreeMap<String, Value>) {
    let mut all = BTreeMap::new();
    let mut found = BTreeMap::new();
    for (name, keys, threshold) in roles {
        let ids: Vec<String> = keys.iter().map(|number| id(&describe(*number))).collect();
        all.extend(keys.iter().map(|number| (id(&describe(*number)), describe(*number))));
        found.insert((*name).to_owned(), json!({ "keyids": ids, "threshold": threshold }));
    }
    (json!(all), found)
}

fn root(version: u64, with: &[(&str, &[u8], u64)]) -> Value {
    let mut all: Vec<(&str, &[u8], u64)> =
        vec![("root", &[1], 1), ("timestamp", &[2], 1), ("snapshot", &[3], 1), ("targets", &[4], 1)];
    for role in with {
        all.retain(|(name, _, _)| *name != role.0);
        all.push(*role);
    }
    let (keys, roles) = roles(&all);
    document("root", version, &json!({ "consistent_snapshot": true, "keys": keys, "roles": roles }))
}

/// A delegation as targets metadata has it.
fn delegations(list: &[(&str, &[u8], Value)]) -> Value {
    let named: Vec<(&str, &[u8], u64)> = list.iter().map(|(name, keys, _)| (*name, *keys, 1)).collect();
    let (keys, _) = roles(&named);
    let roles: Vec<Value> = list
        .iter()
        .map(|(name, keys, more)| {
            let ids: Vec<String> = keys.iter().map(|number| id(&describe(*number))).collect();
            let mut role = json!({ "name": name, "keyids": ids, "threshold": 1, "terminating": false });
            for (member, value) in more.as_object().unwrap() {
                role[member] = value.clone();
            }
            role
        })
        .collect();
    json!({ "keys": keys, "roles": roles })
}

fn target(content: &[u8]) -> Value {
    json!({ "length": content.len(), "hashes": { "sha256": Digest::sha256(content).encoded() } })
}

/// A repository that says what it was asked for.
#[derive(Default)]
struct World {
    root: Vec<u8>,
    files: BTreeMap<String, Vec<u8>>,
    asked: RefCell<Vec<String>>,
}

impl Repository for World {
    fn fetch(&self, wanted: &Wanted) -> Result<Option<Vec<u8>>, Error> {
        let directory = if wanted.is_target() { "targets/" } else { "" };
        self.asked.borrow_mut().push(wanted.path().to_owned());
        Ok(self.files.get(&format!("{directory}{}", wanted.path())).cloned())
    }
}

impl World {
    /// Root, timestamp and snapshot around metadata of targets: `(role, members, signers)`, the top-level role first.
    fn new(roles: &[(&str, Value, &[u8])]) -> Self {
        let mut world = Self { root: bytes(&sign(&root(1, &[]), &[1])), ..Self::default() };
        world.publish(1, roles);
        world
    }

    fn publish(&mut self, version: u64, roles: &[(&str, Value, &[u8])]) {
        let mut meta = BTreeMap::new();
        for (role, members, signers) in roles {
            let mut all = json!({ "targets": {} });
            for (name, value) in members.as_object().unwrap() {
                all[name] = value.clone();
            }
            let name: String = role
                .bytes()
                .map(|b| match b {
                    b'-' | b'.' => (b as char).to_string(),
                    _ if b.is_ascii_alphanumeric() => (b as char).to_string(),
                    _ => format!("%{b:02X}"),
                })
                .collect();
            let text = bytes(&sign(&document("targets", version, &all), signers));
            self.files.insert(format!("{version}.{name}.json"), text);
            meta.insert(format!("{role}.json"), json!({ "version": version }));
        }
        self.finish(version, json!(meta));
    }

    /// Snapshot and timestamp.
    fn finish(&mut self, version: u64, meta: Value) {
        let snapshot = bytes(&sign(&document("snapshot", version, &json!({ "meta": meta })), &[3]));
        self.files.insert(format!("{version}.snapshot.json"), snapshot);
        let meta = json!({ "meta": { "snapshot.json": { "version": version } } });
        let timestamp = bytes(&sign(&document("timestamp", version, &meta), &[2]));
        self.files.insert("timestamp.json".to_owned(), timestamp);
    }

    fn update(&self) -> Update {
        Update::new(&self.root, now(), Limits::default()).unwrap()
    }

    fn fetch(&self, path: &str, store: &mut MemoryStore) -> Result<Vec<u8>, Refusal> {
        self.asked.borrow_mut().clear();
        self.update().fetch(path, store, self).map_err(refusal)
    }

    /// The delegated roles that were asked for, in order.
    fn visited(&self) -> Vec<String> {
        let asked = self.asked.borrow();
        let names = asked.iter().skip(4).filter_map(|name| name.split('.').nth(1).map(str::to_owned));
        names.collect()
    }
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::Tuf(refusal) => refusal,
        other => panic!("{other}"),
    }
}

#[test]
fn arbitrary_software_attack_and_key_compromise_thresholds_count_different_keys_of_the_role() {
    /// Keys of the timestamp, threshold, who signs, whether it holds.
    type Row = (&'static str, &'static [u8], u64, &'static [u8], bool);
    let rows: [Row; 11] = [
        ("one of one", &[2], 1, &[2], true),
        ("another's key", &[2], 1, &[5], false),
        ("another's key beside", &[2], 1, &[5, 2], true),
        ("nobody", &[2], 1, &[], false),
        ("two of three", &[2, 5, 6], 2, &[6, 2], true),
        ("one of two", &[2, 5], 2, &[2], false),
        ("one of two and a stranger", &[2, 5], 2, &[2, 7], false),
        ("a key of the targets role", &[2], 1, &[4], false),
        ("the root key", &[2], 1, &[1], false),
        ("a threshold that cannot be reached", &[2, 5], 3, &[2, 5], false),
        ("more than needed", &[2, 5, 6], 1, &[2, 5, 6], true),
    ];
    for (name, keys, threshold, signers, expected) in rows {
        let mut world = World::new(&[("targets", json!({}), &[4])]);
        world.root = bytes(&sign(&root(1, &[("timestamp", keys, threshold)]), &[1]));
        let meta = json!({ "meta": { "snapshot.json": { "version": 1 } } });
        let timestamp = bytes(&sign(&document("timestamp", 1, &meta), signers));
        world.files.insert("timestamp.json".to_owned(), timestamp);
        let result = world.update().run(&mut MemoryStore::new(), &world).map_err(refusal);
        assert_eq!(result.is_ok(), expected, "{name}: {result:?}");
        if let Err(refusal) = result {
            assert_eq!((refusal.rule, refusal.role.as_str()), (Rule::Signatures, "timestamp"), "{name}");
        }
    }
}

/// Changes a timestamp's signatures.
type Change = fn(&mut Vec<Value>);

#[test]
fn signatures_that_are_false_or_empty_do_no_harm_beside_enough_true_ones_and_none_counts_twice() {
    let rows: [(&str, Change, Option<Rule>); 6] = [
        ("as it was", |_| (), None),
        ("an empty one beside", |list| list[1]["sig"] = json!(""), None),
        ("no hexadecimal beside", |list| list[1]["sig"] = json!("zz"), None),
        ("one for another document beside", |list| list[1]["sig"] = json!("00".repeat(64)), None),
        (
            "the same key id again",
            |list| {
                let again = list[0].clone();
                list[1] = again;
            },
            Some(Rule::Form),
        ),
        (
            "both false",
            |list| {
                list[0]["sig"] = json!("00".repeat(64));
                list[1]["sig"] = json!("");
            },
            Some(Rule::Signatures),
        ),
    ];
    for (name, change, expected) in rows {
        let mut world = World::new(&[("targets", json!({}), &[4])]);
        world.root = bytes(&sign(&root(1, &[("timestamp", &[2, 5], 1)]), &[1]));
        let meta = json!({ "meta": { "snapshot.json": { "version": 1 } } });
        let mut timestamp = sign(&document("timestamp", 1, &meta), &[2, 5]);
        change(timestamp["signatures"].as_array_mut().unwrap());
        world.files.insert("timestamp.json".to_owned(), bytes(&timestamp));
        let result = world.update().run(&mut MemoryStore::new(), &world).map_err(refusal);
        assert_eq!(result.as_ref().err().map(|refusal| refusal.rule), expected, "{name}: {result:?}");
    }
}

#[test]
fn threshold_duplicates_one_key_under_two_ids_counts_once() {
    let mut again = describe(2);
    again["x-comment"] = json!("the same key");
    let mut signed = root(1, &[("timestamp", &[2], 2)]);
    signed["keys"][id(&again)] = again.clone();
    signed["roles"]["timestamp"]["keyids"].as_array_mut().unwrap().push(json!(id(&again)));
    let mut world = World::new(&[("targets", json!({}), &[4])]);
    world.root = bytes(&sign(&signed, &[1]));
    let mut timestamp: Value = serde_json::from_slice(&world.files["timestamp.json"]).unwrap();
    let mut second = timestamp["signatures"][0].clone();
    second["keyid"] = json!(id(&again));
    timestamp["signatures"].as_array_mut().unwrap().push(second);
    world.files.insert("timestamp.json".to_owned(), bytes(&timestamp));
    let refused = world.update().run(&mut MemoryStore::new(), &world).map_err(refusal).unwrap_err();
    assert_eq!((refused.rule, refused.role.as_str()), (Rule::Signatures, "timestamp"));
    assert!(refused.reason.starts_with("1 of 2 keys"), "{refused}");
}

#[test]
fn keys_that_cannot_be_used_count_for_nothing_and_spoil_nothing() {
    let unusable = [
        json!({ "keytype": "sphincs", "scheme": "sphincs", "keyval": { "public": "00" } }),
        json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": "00" } }),
        json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": {} }),
        json!({ "keytype": "rsa", "scheme": "rsa-pkcs1v15-sha256", "keyval": { "public": "no PEM" } }),
        json!({ "keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp384", "keyval": { "public": "no PEM" } }),
        json!({ "keytype": "ed25519", "scheme": "ecdsa-sha2-nistp256", "keyval": { "public": "00" } }),
        json!("no key at all"),
    ];
    for (number, key) in unusable.into_iter().enumerate() {
        for threshold in [1, 2] {
            let name = if key.is_object() { id(&key) } else { "0".repeat(64) };
            let mut signed = root(1, &[("timestamp", &[2], threshold)]);
            signed["keys"][&name] = key.clone();
            signed["roles"]["timestamp"]["keyids"].as_array_mut().unwrap().push(json!(name));
            let mut world = World::new(&[("targets", json!({}), &[4])]);
            world.root = bytes(&sign(&signed, &[1]));
            let result = world.update().run(&mut MemoryStore::new(), &world).map_err(refusal);
            assert_eq!(result.is_ok(), threshold == 1, "{number}: {result:?}");
        }
    }
    // A good key under an id that is not its hash.
    let mut signed = root(1, &[]);
    let (real, wrong) = (id(&describe(2)), "ab".repeat(32));
    signed["keys"][&wrong] = describe(2);
    signed["roles"]["timestamp"]["keyids"] = json!([wrong]);
    let mut world = World::new(&[("targets", json!({}), &[4])]);
    world.root = bytes(&sign(&signed, &[1]));
    let timestamp = String::from_utf8(world.files["timestamp.json"].clone()).unwrap().replace(&real, &wrong);
    world.files.insert("timestamp.json".to_owned(), timestamp.into_bytes());
    let refused = world.update().run(&mut MemoryStore::new(), &world).map_err(refusal).unwrap_err();
    assert!(refused.reason.contains("its id is not the SHA-256"), "{refused}");
}

#[test]
fn root_rotation_needs_both_thresholds_and_leaves_no_gap() {
    /// Root keys, threshold, who signs, the version inside.
    type Step = (&'static [u8], u64, &'static [u8], u64);
    let rows: [(&str, &[Step], u64, Option<Rule>); 10] = [
        ("one key for another", &[(&[5], 1, &[1, 5], 2), (&[5], 1, &[5], 3)], 3, None),
        ("only the new key", &[(&[5], 1, &[5], 2)], 1, Some(Rule::Signatures)),
        ("only the old key", &[(&[5], 1, &[1], 2)], 1, Some(Rule::Signatures)),
        ("a higher threshold", &[(&[1, 5], 2, &[1, 5], 2)], 2, None),
        ("a higher threshold not reached", &[(&[1, 5], 2, &[1], 2)], 1, Some(Rule::Signatures)),
        (
            "the old threshold not reached",
            &[(&[1, 5], 2, &[1, 5], 2), (&[1], 1, &[1], 3)],
            2,
            Some(Rule::Signatures),
        ),
        ("a version skipped", &[(&[1], 1, &[1], 3)], 1, Some(Rule::Rollback)),
        ("the same version again", &[(&[1], 1, &[1], 1)], 1, Some(Rule::Rollback)),
        (
            "a key that left comes back alone",
            &[(&[5], 1, &[1, 5], 2), (&[1], 1, &[1], 3)],
            2,
            Some(Rule::Signatures),
        ),
        ("nothing new", &[], 1, None),
    ];
    for (name, steps, trusted, expected) in rows {
        let mut world = World::new(&[("targets", json!({}), &[4])]);
        for (number, (keys, threshold, signers, version)) in steps.iter().enumerate() {
            let text = bytes(&sign(&root(*version, &[("root", keys, *threshold)]), signers));
            world.files.insert(format!("{}.root.json", number + 2), text);
        }
        let mut update = world.update();
        let result = update.run(&mut MemoryStore::new(), &world).map_err(refusal);
        assert_eq!(result.as_ref().err().map(|refusal| refusal.rule), expected, "{name}: {result:?}");
        assert_eq!(update.versions()[0], Some(trusted), "{name}");
    }
    // The chain ends at the first version that is not there, whatever stands behind.
    let mut world = World::new(&[("targets", json!({}), &[4])]);
    world.files.insert("3.root.json".to_owned(), bytes(&sign(&root(3, &[]), &[1])));
    let mut update = world.update();
    update.run(&mut MemoryStore::new(), &world).unwrap();
    assert_eq!(update.versions()[0], Some(1));
}

#[test]
fn a_first_root_that_is_none_is_refused_before_anything_is_asked() {
    let good = sign(&root(1, &[]), &[1]);
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut signed = root(1, &[]);
        change(&mut signed);
        bytes(&sign(&signed, &[1]))
    };
    let text = String::from_utf8(bytes(&good)).unwrap();
    let rows: Vec<(&str, Vec<u8>, Rule)> = vec![
        ("empty", Vec::new(), Rule::Form),
        ("no JSON", b"{".to_vec(), Rule::Form),
        ("a list", b"[]".to_vec(), Rule::Form),
        ("text behind it", format!("{text} {{}}").into_bytes(), Rule::Form),
        ("a member twice", text.replacen("{", "{\"signatures\":[],", 1).into_bytes(), Rule::Form),
        ("not signed", bytes(&sign(&root(1, &[]), &[])), Rule::Signatures),
        ("signed by another", bytes(&sign(&root(1, &[]), &[7])), Rule::Signatures),
        ("no version", changed(&|signed| _ = signed.as_object_mut().unwrap().remove("version")), Rule::Form),
        ("version 0", changed(&|signed| signed["version"] = json!(0)), Rule::Form),
        ("version as text", changed(&|signed| signed["version"] = json!("1")), Rule::Form),
        ("a negative version", changed(&|signed| signed["version"] = json!(-1)), Rule::Form),
        ("a fraction", changed(&|signed| signed["x"] = json!(0.5)), Rule::Form),
        ("another type", changed(&|signed| signed["_type"] = json!("targets")), Rule::Form),
        ("another specification", changed(&|signed| signed["spec_version"] = json!("2.0.0")), Rule::Form),
        ("a specification of ten", changed(&|signed| signed["spec_version"] = json!("10.0")), Rule::Form),
        ("no expiry", changed(&|signed| _ = signed.as_object_mut().unwrap().remove("expires")), Rule::Form),
        (
            "expiry with a zone",
            changed(&|signed| signed["expires"] = json!("2027-01-01T00:00:00+00:00")),
            Rule::Form,
        ),
        (
            "expiry with a fraction",
            changed(&|signed| signed["expires"] = json!("2027-01-01T00:00:0.5Z")),
            Rule::Form,
        ),
        ("expiry without time", changed(&|signed| signed["expires"] = json!("2027-01-01")), Rule::Form),
        (
            "no timestamp role",
            changed(&|signed| _ = signed["roles"].as_object_mut().unwrap().remove("timestamp")),
            Rule::Form,
        ),
        ("threshold 0", changed(&|signed| signed["roles"]["root"]["threshold"] = json!(0)), Rule::Form),
        (
            "a key id twice",
            changed(&|signed| {
                let id = signed["roles"]["root"]["keyids"][0].clone();
                signed["roles"]["root"]["keyids"] = json!([id, id]);
            }),
            Rule::Form,
        ),
        ("consistent as text", changed(&|signed| signed["consistent_snapshot"] = json!("yes")), Rule::Form),
    ];
    for (name, root, rule) in rows {
        let refused = Update::new(&root, now(), Limits::default()).expect_err(name);
        assert_eq!((refused.rule, refused.role.as_str()), (rule, "root"), "{name}: {refused}");
    }
    for (name, root) in [
        ("as it is", bytes(&good)),
        ("blanks around", format!(" \n{text}\n").into_bytes()),
        ("another order", text.replacen("{\"signatures\"", "{ \"x\": 1.5, \"signatures\"", 1).into_bytes()),
        ("unknown members", changed(&|signed| signed["x-custom"] = json!({ "a": [1, null, true] }))),
        ("the old way to write the specification", changed(&|signed| signed["spec_version"] = json!("1.0"))),
        ("expired", changed(&|signed| signed["expires"] = json!("2020-01-01T00:00:00Z"))),
    ] {
        assert!(Update::new(&root, now(), Limits::default()).is_ok(), "{name}");
    }
}

#[test]
fn delegations_are_walked_in_order_depth_first_and_every_role_once() {
    let any = || json!({ "paths": ["*"] });
    let end = || json!({ "paths": ["*"], "terminating": true });
    let only = |paths: &str| json!({ "paths": [paths] });
    /// Delegator, name, more of the delegation.
    type Edge = (&'static str, &'static str, Value);
    let rows: Vec<(&str, Vec<Edge>, &[&str])> = vec![
        ("one", vec![("targets", "a", any())], &["a"]),
        ("two in order", vec![("targets", "b", any()), ("targets", "a", any())], &["b", "a"]),
        (
            "depth first",
            vec![("targets", "a", any()), ("targets", "b", any()), ("a", "c", any()), ("c", "d", any())],
            &["a", "c", "d", "b"],
        ),
        (
            "a terminating one ends the search behind its own",
            vec![
                ("targets", "a", any()),
                ("targets", "b", any()),
                ("a", "c", end()),
                ("a", "d", any()),
                ("c", "e", any()),
            ],
            &["a", "c", "e"],
        ),
        (
            "a terminating one that is not for the path ends nothing",
            vec![
                ("targets", "a", json!({ "paths": ["*.py"], "terminating": true })),
                ("targets", "b", any()),
            ],
            &["b"],
        ),
        ("a loop", vec![("targets", "a", any()), ("a", "b", any()), ("b", "a", any())], &["a", "b"]),
        ("a loop to itself", vec![("targets", "a", any()), ("a", "a", any())], &["a"]),
        (
            "a role on two ways",
            vec![("targets", "a", any()), ("targets", "b", any()), ("a", "c", any()), ("b", "c", any())],
            &["a", "c", "b"],
        ),
        (
            "paths of every role on the way",
            vec![("targets", "a", only("*.py")), ("targets", "b", any()), ("a", "c", any())],
            &["b"],
        ),
        (
            "by hash",
            vec![
                ("targets", "a", json!({ "path_hash_prefixes": ["00", "none"] })),
                (
                    "targets",
                    "b",
                    json!({ "path_hash_prefixes": [&Digest::sha256(b"wanted").encoded()[..3]] }),
                ),
                ("targets", "c", json!({ "path_hash_prefixes": [] })),
            ],
            &["b"],
        ),
    ];
    for (name, edges, visited) in rows {
        let mut names = vec!["targets"];
        names.extend(edges.iter().map(|(_, to, _)| *to));
        names.dedup();
        let below = |role: &str| {
            let list: Vec<(&str, &[u8], Value)> = edges
                .iter()
                .filter(|(from, _, _)| *from == role)
                .map(|(_, to, more)| (*to, &[4][..], more.clone()))
                .collect();
            json!({ "delegations": delegations(&list) })
        };
        let roles: Vec<(&str, Value, &[u8])> =
            names.iter().map(|role| (*role, below(role), &[4][..])).collect();
        let world = World::new(&roles);
        let refused = world.fetch("wanted", &mut MemoryStore::new()).unwrap_err();
        assert_eq!(
            (refused.rule, refused.role.as_str()),
            (Rule::NoSuchTarget, "wanted"),
            "{name}: {refused}"
        );
        assert_eq!(world.visited(), visited, "{name}");
    }
}

#[test]
fn a_delegated_role_speaks_for_its_paths_and_is_asked_in_order_of_trust() {
    let content: [&[u8]; 3] = [b"by the targets", b"by a", b"by b"];
    let mut world = World::new(&[
        (
            "targets",
            json!({
                "targets": { "top": target(content[0]) },
                "delegations": delegations(&[
                    ("a", &[5], json!({ "paths": ["team-a/*"] })),
                    ("b", &[6], json!({ "paths": ["*/*"] })),
                ]),
            }),
            &[4],
        ),
        (
            "a",
            json!({ "targets": { "team-a/x": target(content[1]), "team-b/x": target(content[1]), "top": target(content[1]) } }),
            &[5],
        ),
        ("b", json!({ "targets": { "team-a/x": target(content[2]), "team-b/x": target(content[2]) } }), &[6]),
    ]);
    for (path, content) in
        [("top", content[0]), ("team-a/x", content[1]), ("team-b/x", content[2]), ("team-a/x", content[2])]
    {
        let hash = Digest::sha256(content).encoded();
        let name = match path.rsplit_once('/') {
            Some((directory, name)) => format!("targets/{directory}/{hash}.{name}"),
            None => format!("targets/{hash}.{path}"),
        };
        world.files.insert(name, content.to_vec());
    }
    let mut store = MemoryStore::new();
    assert_eq!(
        world.fetch("top", &mut store).unwrap(),
        content[0],
        "what the top-level role says counts first"
    );
    assert_eq!(
        world.fetch("team-a/x", &mut store).unwrap(),
        content[1],
        "the first delegation counts before the second"
    );
    assert_eq!(
        world.fetch("team-b/x", &mut store).unwrap(),
        content[2],
        "a is not asked for what is not its own"
    );
    assert_eq!(world.fetch("team-c/x", &mut store).unwrap_err().rule, Rule::NoSuchTarget);
}

#[test]
fn a_stored_role_is_verified_for_the_delegation_that_leads_to_it_now() {
    let release = json!({ "targets": { "a/x": target(b"a"), "b/x": target(b"b") } });
    let parent = |name: &str, key: u8| json!({ "delegations": delegations(&[("release", &[key], json!({ "paths": [format!("{name}/*")] }))]) });
    let mut world = World::new(&[
        (
            "targets",
            json!({ "delegations": delegations(&[
                ("parent-a", &[4], json!({ "paths": ["a/*"] })),
                ("parent-b", &[4], json!({ "paths": ["b/*"] })),
            ]) }),
            &[4],
        ),
        ("parent-a", parent("a", 5), &[4]),
        ("parent-b", parent("b", 6), &[4]),
        // Only the key that parent a trusts.
        ("release", release, &[5]),
    ]);
    for (path, content) in [("a", b"a"), ("b", b"b")] {
        world
            .files
            .insert(format!("targets/{path}/{}.x", Digest::sha256(content).encoded()), content.to_vec());
    }
    let mut store = MemoryStore::new();
    let mut update = world.update();
    assert_eq!(update.fetch("a/x", &mut store, &world).unwrap(), b"a");
    let refused = refusal(update.fetch("b/x", &mut store, &world).unwrap_err());
    assert_eq!((refused.rule, refused.role.as_str()), (Rule::Signatures, "release"));
    // The refusal of one target leaves the others.
    assert_eq!(update.fetch("a/x", &mut store, &world).unwrap(), b"a");
}

#[test]
fn delegations_that_could_be_read_in_two_ways_are_refused() {
    let any = json!({ "paths": ["*"] });
    let mut both = delegations(&[("a", &[4], any.clone())]);
    both["roles"][0]["path_hash_prefixes"] = json!(["00"]);
    let mut neither = delegations(&[("a", &[4], any.clone())]);
    neither["roles"][0].as_object_mut().unwrap().remove("paths");
    let mut zero = delegations(&[("a", &[4], any.clone())]);
    zero["roles"][0]["threshold"] = json!(0);
    for (name, delegations) in [
        ("paths and hashes", both),
        ("neither", neither),
        ("threshold 0", zero),
        ("a top-level name", delegations(&[("timestamp", &[4], any.clone())])),
        ("no name", delegations(&[("", &[4], any.clone())])),
        ("a name too long for a file", delegations(&[(&"x".repeat(200), &[4], any.clone())])),
        ("one name twice", delegations(&[("a", &[4], any.clone()), ("a", &[5], any.clone())])),
        ("succinct roles", json!({ "keys": {}, "succinct_roles": {} })),
        ("no roles", json!({ "keys": {} })),
    ] {
        let world = World::new(&[("targets", json!({ "delegations": delegations }), &[4])]);
        let refused = world.fetch("x", &mut MemoryStore::new()).expect_err(name);
        assert_eq!((refused.rule, refused.role.as_str()), (Rule::Form, "targets"), "{name}: {refused}");
    }
}

#[test]
fn names_of_roles_and_targets_stay_inside_the_storage_and_the_url() {
    for (role, asked) in [
        ("?", "1.%3F.json"),
        ("#", "1.%23.json"),
        ("/role", "1.%2Frole.json"),
        ("../role", "1...%2Frole.json"),
        ("a b\u{e9}", "1.a%20b%C3%A9.json"),
    ] {
        let mut world = World::new(&[
            (
                "targets",
                json!({ "delegations": delegations(&[(role, &[4], json!({ "paths": ["*", "*/*"] }))]) }),
                &[4],
            ),
            (role, json!({ "targets": { "../x": target(b"x"), "..": target(b"y") } }), &[4]),
        ]);
        world.files.insert(format!("targets/../{}.x", Digest::sha256(b"x").encoded()), b"x".to_vec());
        world.files.insert(format!("targets/{}...", Digest::sha256(b"y").encoded()), b"y".to_vec());
        let mut store = MemoryStore::new();
        assert_eq!(world.fetch("../x", &mut store).unwrap(), b"x", "{role}");
        assert!(world.asked.borrow().iter().any(|name| name == asked), "{role}: {:?}", world.asked);
        assert_eq!(world.fetch("..", &mut store).unwrap(), b"y", "{role}");
        for name in store.files().keys() {
            let known = ["root_history/", "targets/"];
            let rest = known.iter().find_map(|known| name.strip_prefix(known)).unwrap_or(name);
            assert!(!rest.contains('/') && rest != ".." && !rest.is_empty(), "{name}");
        }
    }
}

#[test]
fn fast_forward_attack_is_undone_by_a_rotation_of_the_keys() {
    // Who held the keys of timestamp and snapshot has raised the versions out of reach.
    let targets: [(&str, Value, &[u8]); 1] = [("targets", json!({}), &[4])];
    let mut world = World::new(&targets);
    world.publish(1_000_000, &targets);
    let mut store = MemoryStore::new();
    world.update().run(&mut store, &world).unwrap();
    // The repository goes back to where it was; without new keys that is a rollback.
    world.publish(2, &targets);
    let refused = world.update().run(&mut store, &world).map_err(refusal).unwrap_err();
    assert_eq!((refused.rule, refused.role.as_str()), (Rule::Rollback, "timestamp"));
    // With another key for the snapshot, in a root, the old timestamp and snapshot count no more.
    let rotated = root(2, &[("snapshot", &[5], 1)]);
    world.files.insert("2.root.json".to_owned(), bytes(&sign(&rotated, &[1])));
    let meta = json!({ "meta": { "targets.json": { "version": 2 } } });
    world.files.insert("2.snapshot.json".to_owned(), bytes(&sign(&document("snapshot", 2, &meta), &[5])));
    let mut update = world.update();
    update.run(&mut store, &world).unwrap();
    assert_eq!(update.versions(), [Some(2), Some(2), Some(2), Some(2)]);
    // A key more is no rotation: nothing is forgotten.
    world.publish(3, &targets);
    let meta = json!({ "meta": { "targets.json": { "version": 3 } } });
    world.files.insert("3.snapshot.json".to_owned(), bytes(&sign(&document("snapshot", 3, &meta), &[5])));
    world.update().run(&mut store, &world).unwrap();
    let more = root(3, &[("snapshot", &[5], 1), ("timestamp", &[2, 6], 1)]);
    world.files.insert("3.root.json".to_owned(), bytes(&sign(&more, &[1])));
    world.publish(2, &targets);
    let refused = world.update().run(&mut store, &world).map_err(refusal).unwrap_err();
    assert_eq!((refused.rule, refused.role.as_str()), (Rule::Rollback, "timestamp"));
}

#[test]
fn freeze_attack_what_is_served_on_expires_role_by_role() {
    let mut world = World::new(&[("targets", json!({}), &[4])]);
    // Each expires a month before what stands above it, but the root, which is the last.
    let dated = |kind: &str, members: Value, month: u32| {
        let mut signed = document(kind, 1, &members);
        signed["expires"] = json!(format!("2027-{month:02}-01T00:00:00Z"));
        signed
    };
    let timestamp = dated("timestamp", json!({ "meta": { "snapshot.json": { "version": 1 } } }), 2);
    let snapshot = dated("snapshot", json!({ "meta": { "targets.json": { "version": 1 } } }), 3);
    let targets = dated("targets", json!({ "targets": {} }), 4);
    let mut first = root(1, &[]);
    first["expires"] = json!("2027-05-01T00:00:00Z");
    world.root = bytes(&sign(&first, &[1]));
    let mut store = MemoryStore::new();
    for (name, signed, key) in
        [("timestamp", &timestamp, 2), ("1.snapshot", &snapshot, 3), ("1.targets", &targets, 4)]
    {
        world.files.insert(format!("{name}.json"), bytes(&sign(signed, &[key])));
    }
    world.update().run(&mut store, &world).unwrap();
    let at = |store: &mut MemoryStore, at: &str, world: &World| {
        let mut update = Update::new(&world.root, at.parse().unwrap(), Limits::default()).unwrap();
        update.run(store, world).map_err(refusal).err().map(|refusal| (refusal.rule, refusal.role))
    };
    // What is stored already and what is fetched anew; the moment of expiry is too late.
    for mut store in [store, MemoryStore::new()] {
        assert_eq!(at(&mut store, "2027-01-31T23:59:59Z", &world), None);
        let frozen = |role: &str| Some((Rule::Freeze, role.to_owned()));
        assert_eq!(at(&mut store, "2027-02-01T00:00:00Z", &world), frozen("timestamp"));
        assert_eq!(at(&mut store, "2027-05-01T00:00:00Z", &world), frozen("root"));
        // The timestamp is signed again, the others are not.
        let mut signed = timestamp.clone();
        (signed["version"], signed["expires"]) = (json!(2), json!("2028-01-01T00:00:00Z"));
        let before = world.files.insert("timestamp.json".to_owned(), bytes(&sign(&signed, &[2]))).unwrap();
        assert_eq!(at(&mut store, "2027-02-28T23:59:59Z", &world), None);
        assert_eq!(at(&mut store, "2027-03-01T00:00:00Z", &world), frozen("snapshot"));
        world.files.insert("timestamp.json".to_owned(), before);
    }
    // With a snapshot of today the targets are the next.
    let mut signed = snapshot.clone();
    (signed["version"], signed["expires"]) = (json!(2), json!("2028-01-01T00:00:00Z"));
    world.files.insert("2.snapshot.json".to_owned(), bytes(&sign(&signed, &[3])));
    let mut signed = timestamp.clone();
    (signed["version"], signed["expires"]) = (json!(2), json!("2028-01-01T00:00:00Z"));
    signed["meta"]["snapshot.json"]["version"] = json!(2);
    world.files.insert("timestamp.json".to_owned(), bytes(&sign(&signed, &[2])));
    let mut store = MemoryStore::new();
    assert_eq!(at(&mut store, "2027-03-31T23:59:59Z", &world), None);
    assert_eq!(at(&mut store, "2027-04-01T00:00:00Z", &world), Some((Rule::Freeze, "targets".to_owned())));
}

#[test]
fn the_content_of_a_timestamp_with_the_same_version_does_not_count() {
    let mut world = World::new(&[("targets", json!({}), &[4])]);
    let mut store = MemoryStore::new();
    world.update().run(&mut store, &world).unwrap();
    let before = store.clone();
    let meta = json!({ "meta": { "snapshot.json": { "version": 100 } } });
    world.files.insert("timestamp.json".to_owned(), bytes(&sign(&document("timestamp", 1, &meta), &[2])));
    world.update().run(&mut store, &world).unwrap();
    assert_eq!(store, before);
}

#[test]
fn without_consistent_snapshots_files_have_their_own_names() {
    let mut world = World::new(&[("targets", json!({ "targets": { "dir/x": target(b"x") } }), &[4])]);
    let mut signed = root(1, &[]);
    signed.as_object_mut().unwrap().remove("consistent_snapshot");
    world.root = bytes(&sign(&signed, &[1]));
    for role in ["snapshot", "targets"] {
        let text = world.files.remove(&format!("1.{role}.json")).unwrap();
        world.files.insert(format!("{role}.json"), text);
    }
    world.files.insert("targets/dir/x".to_owned(), b"x".to_vec());
    assert_eq!(world.fetch("dir/x", &mut MemoryStore::new()).unwrap(), b"x");
    assert_eq!(
        *world.asked.borrow(),
        ["2.root.json", "timestamp.json", "snapshot.json", "targets.json", "dir/x"]
    );
}

#[test]
fn hashes_of_unknown_functions_are_passed_over_beside_known_ones_and_not_alone() {
    let sha512 = Digest::of(lotse_digest::Algorithm::Sha512, b"x").encoded();
    let sha256 = Digest::sha256(b"x").encoded();
    for (hashes, expected) in [
        (json!({ "sha512": sha512 }), Ok(sha512.as_str())),
        (json!({ "sha256": sha256, "sha512": sha512 }), Ok(sha256.as_str())),
        (json!({ "sha256": sha256, "blake9": "00" }), Ok(sha256.as_str())),
        (json!({ "sha256": sha256, "sha512": "00".repeat(64) }), Err(Rule::MixAndMatch)),
        (json!({ "blake9": sha256 }), Err(Rule::Support)),
        (json!({}), Err(Rule::Support)),
    ] {
        let file = json!({ "length": 1, "hashes": hashes });
        let mut world =
            World::new(&[("targets", json!({ "targets": { "x": file, "y": target(b"y") } }), &[4])]);
        for hash in [&sha256, &sha512] {
            world.files.insert(format!("targets/{hash}.x"), b"x".to_vec());
        }
        world.files.insert(format!("targets/{}.y", Digest::sha256(b"y").encoded()), b"y".to_vec());
        let found = world.fetch("x", &mut MemoryStore::new()).map_err(|refusal| refusal.rule);
        match (&found, expected) {
            (Ok(_), Ok(hash)) => {
                let last = world.asked.borrow().last().cloned().unwrap();
                assert_eq!(last, format!("{hash}.x"));
            }
            (Err(rule), Err(expected)) => assert_eq!(*rule, expected, "{hashes}"),
            _ => panic!("{hashes}: {found:?}"),
        }
        assert!(world.fetch("y", &mut MemoryStore::new()).is_ok(), "{hashes} spoils another target");
    }
}

#[test]
fn what_others_wrote_is_repeated_short_and_without_commands_to_a_terminal() {
    let long = format!("\u{1b}[31m\r\n{}", "x".repeat(100_000));
    let mut signed = root(1, &[]);
    signed["_type"] = json!(long);
    let mut twice = sign(&root(1, &[]), &[1, 1]);
    for signature in twice["signatures"].as_array_mut().unwrap() {
        signature["keyid"] = json!("\u{1b}[31m");
    }
    for root in [bytes(&json!({ "signatures": [], "signed": signed })), bytes(&twice)] {
        let refused = Update::new(&root, now(), Limits::default()).unwrap_err().to_string();
        assert!(refused.contains("[31m") && refused.len() < 2000, "{refused}");
        assert!(!refused.chars().any(char::is_control), "{refused:?}");
    }
    let world = World::new(&[("targets", json!({}), &[4])]);
    let refused = world.fetch(&long, &mut MemoryStore::new()).unwrap_err().to_string();
    assert!(refused.len() < 2000 && !refused.chars().any(char::is_control), "{refused:?}");
}

/// A root that two RSA keys of 2048 and 3072 bits have signed by RSASSA-PSS, with a salt of 32 bytes and of the greatest length, made
/// with python-cryptography; the keys are forgotten.
const RSA_ROOT: &str = include_str!("data/tuf/rsa_root.json");

#[test]
fn rsa_signatures_hold_by_the_feature_and_are_refused_by_name_without() {
    let result = Update::new(RSA_ROOT.as_bytes(), now(), Limits::default());
    if cfg!(feature = "rsa") {
        assert!(result.is_ok(), "{result:?}");
    } else {
        let refused = result.unwrap_err();
        assert!(refused.reason.contains("behind the feature `rsa`"), "{refused}");
    }
    let root: Value = serde_json::from_str(RSA_ROOT).unwrap();
    for number in [0, 1] {
        let mut changed = root.clone();
        let signature = changed["signatures"][number]["sig"].as_str().unwrap().to_owned();
        let last = if signature.ends_with('0') { "1" } else { "0" };
        let other = format!("{}{last}", &signature[..signature.len() - 1]);
        for signature in [other, String::new(), signature.replace(char::is_alphanumeric, "0")] {
            changed["signatures"][number]["sig"] = json!(signature);
            let refused = Update::new(&bytes(&changed), now(), Limits::default()).unwrap_err();
            assert_eq!(refused.rule, Rule::Signatures);
        }
    }
}
