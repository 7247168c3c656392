//! A TUF repository that delivers the sandbox's trusted root and signing config.

use std::collections::{BTreeMap, BTreeSet};

use lotse_digest::Digest;
use lotse_yaml::{Limits, parse_json};
use serde_json::{Value, json};

use super::{Sandbox, Setup, TufFault, key};
use crate::tuf::{Repository, SIGNING_CONFIG, TRUSTED_ROOT, Wanted, canonical};
use crate::{Error, Scheme, SigningKey, Time, encoding};

/// A target of the delegated role `team`.
const TEAM_TARGET: &str = "team/notes.txt";
/// Versions of all roles but the root begin above this, so that there is a way back.
const BASE: u64 = 10;
const DAY: i64 = 86_400;

/// A TUF repository in memory: three root keys of which two must sign, keys for timestamp, snapshot and targets, a delegated
/// role `team` for `team/*`, consistent snapshots. Its targets are `trusted_root.json`, `signing_config.v0.2.json` and
/// `team/notes.txt`.
///
/// Its first state is good, whatever the faults: a client begins there, and [`advance`](Self::advance) publishes the next, in which
/// one root key is replaced. The same seed, time and calls give the same bytes.
#[derive(Clone, Debug)]
pub struct TufRepository {
    seed: String,
    now: Time,
    faults: BTreeSet<TufFault>,
    targets: BTreeMap<String, Vec<u8>>,
    state: u64,
    initial_root: Vec<u8>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Sandbox {
    /// A TUF repository with the trusted root and the signing config of this Sigstore.
    ///
    /// # Errors
    ///
    /// None.
    pub fn tuf(&self) -> Result<TufRepository, Error> {
        self.tuf_with_faults([])
    }

    /// A TUF repository that does wrong in the named ways from its second state on.
    ///
    /// # Errors
    ///
    /// None.
    pub fn tuf_with_faults(
        &self,
        faults: impl IntoIterator<Item = TufFault>,
    ) -> Result<TufRepository, Error> {
        let mut repository = TufRepository {
            seed: self.seed.clone(),
            now: self.now,
            faults: faults.into_iter().collect(),
            targets: BTreeMap::from([
                (TRUSTED_ROOT.to_owned(), self.trusted_root_json()),
                (SIGNING_CONFIG.to_owned(), self.signing_config_json(Setup::V2)),
            ]),
            state: 0,
            initial_root: Vec::new(),
            files: BTreeMap::new(),
        };
        repository.advance()?;
        repository.initial_root = repository.files.get("1.root.json").cloned().unwrap_or_default();
        Ok(repository)
    }
}

impl TufRepository {
    /// The first root, which a client must get by another way.
    #[must_use]
    pub fn initial_root(&self) -> Vec<u8> {
        self.initial_root.clone()
    }

    /// What is served, by path: metadata at the top, targets below `targets/`.
    #[must_use]
    pub const fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// What is served, by path, to change it.
    pub const fn files_mut(&mut self) -> &mut BTreeMap<String, Vec<u8>> {
        &mut self.files
    }

    /// Sets a target, to be published with the next state.
    pub fn set_target(&mut self, path: &str, bytes: &[u8]) {
        self.targets.insert(path.to_owned(), bytes.to_vec());
    }

    /// Publishes the next state: a new version of every role.
    ///
    /// # Errors
    ///
    /// None.
    pub fn advance(&mut self) -> Result<(), Error> {
        self.state += 1;
        self.publish_root()?;
        let team = self.publish_team()?;
        let targets = self.publish_targets()?;
        let snapshot = self.publish_snapshot(&team, &targets)?;
        self.publish_timestamp(&snapshot)
    }

    fn publish_root(&mut self) -> Result<(), Error> {
        let state = self.state;
        let rotated =
            self.has(TufFault::RootSignedByOldKeysAlone) || self.has(TufFault::RootSignedByNewKeysAlone);
        // Each state has a key more and a key less; with these faults all three are others.
        let first = if rotated { state + 10 } else { state };
        let keys: Vec<SigningKey> = (first..first + 3).map(|number| self.root_key(number)).collect();
        let signers: Vec<SigningKey> = match () {
            () if self.has(TufFault::RootSignedByOldKeysAlone) => {
                vec![self.root_key(state - 1), self.root_key(state)]
            }
            // Two for the root before; the new one has but one of them.
            () if self.has(TufFault::RootSignedByOneKeyUnderTwoIds) => {
                vec![self.root_key(state), self.root_key(state - 1)]
            }
            // In the first state these are all; later the two that stay.
            () => keys.iter().take(2).cloned().collect(),
        };
        let mut described: Vec<Value> = keys.iter().map(describe).collect();
        if self.has(TufFault::RootSignedByOneKeyUnderTwoIds) {
            let mut again = described.first().cloned().unwrap_or_default();
            set(Some(&mut again), "x-comment", json!("the first key once more"));
            described.push(again);
        }
        let ids = described.iter().map(id).collect::<Result<Vec<_>, _>>()?;
        let mut all: BTreeMap<String, Value> = ids.iter().cloned().zip(described).collect();
        let mut roles = json!({ "root": { "keyids": ids, "threshold": 2 } });
        for name in ["timestamp", "snapshot", "targets"] {
            let key = describe(&self.key(name));
            let id = id(&key)?;
            set(Some(&mut roles), name, json!({ "keyids": [id], "threshold": 1 }));
            all.insert(id, key);
        }
        let version = state + u64::from(self.has(TufFault::RootVersionSkipped));
        let expires = self.expires(365, TufFault::RootExpired);
        let mut signed = common("root", version, expires);
        set(Some(&mut signed), "consistent_snapshot", json!(true));
        set(Some(&mut signed), "keys", json!(all));
        set(Some(&mut signed), "roles", roles);
        if self.has(TufFault::RootOfAnotherSpecification) {
            set(Some(&mut signed), "spec_version", json!("2.0.0"));
        }
        let mut document = sign(&signed, &signers)?;
        let mut repeat = |id: Option<&String>| {
            if let Some(list) = document.get_mut("signatures").and_then(Value::as_array_mut)
                && let Some(mut again) = list.first().cloned()
            {
                if let Some(id) = id {
                    set(Some(&mut again), "keyid", json!(id));
                }
                list.push(again);
            }
        };
        if self.has(TufFault::RootSignedByOneKeyUnderTwoIds) {
            repeat(ids.last());
        }
        if self.has(TufFault::RootSignedTwiceByOneKey) {
            repeat(None);
        }
        self.files.insert(format!("{state}.root.json"), document.to_string().into_bytes());
        Ok(())
    }

    /// Each publishes a role and gives what the role above it says of it.
    fn publish_team(&mut self) -> Result<Value, Error> {
        let mut signed = common("targets", self.version(), self.expires(365, TufFault::TeamExpired));
        set(
            Some(&mut signed),
            "targets",
            json!({ TEAM_TARGET: self.publish_target(TEAM_TARGET, b"what the team says") }),
        );
        if self.has(TufFault::TeamDelegatesInCircle) {
            set(Some(&mut signed), "targets", json!({}));
            set(Some(&mut signed), "delegations", self.delegation(&["team"])?);
        }
        let key = self.signer("team", TufFault::TeamSignedByAnotherKey);
        let bytes = sign(&signed, &[key])?.to_string().into_bytes();
        Ok(self.publish("team", self.version(), bytes, TufFault::TeamMissing))
    }

    fn publish_targets(&mut self) -> Result<Value, Error> {
        let version = self.version() + u64::from(self.has(TufFault::TargetsOfAnotherVersion));
        let mut signed = common("targets", version, self.expires(365, TufFault::TargetsExpired));
        let targets = self.targets.clone();
        let targets: BTreeMap<&String, Value> =
            targets.iter().map(|(path, bytes)| (path, self.publish_target(path, bytes))).collect();
        set(Some(&mut signed), "targets", json!(targets));
        set(Some(&mut signed), "delegations", self.delegation(&["team"])?);
        let key = self.signer("targets", TufFault::TargetsSignedByAnotherKey);
        let bytes = sign(&signed, &[key])?.to_string().into_bytes();
        let meta = self.publish("targets", self.version(), bytes, TufFault::TargetsMissing);
        self.change("targets", TufFault::TargetsChanged);
        Ok(meta)
    }

    fn publish_snapshot(&mut self, team: &Value, targets: &Value) -> Result<Value, Error> {
        let version = self.version() + u64::from(self.has(TufFault::SnapshotOfAnotherVersion));
        let mut signed = common("snapshot", version, self.expires(365, TufFault::SnapshotExpired));
        set(Some(&mut signed), "meta", json!({ "targets.json": targets, "team.json": team }));
        if self.has(TufFault::SnapshotRollsTargetsBack) {
            set(signed.pointer_mut("/meta/targets.json"), "version", json!(BASE - 1));
        }
        if self.has(TufFault::SnapshotForgetsRole) {
            set(Some(&mut signed), "meta", json!({ "targets.json": targets }));
        }
        let key = self.signer("snapshot", TufFault::SnapshotSignedByAnotherKey);
        let bytes = sign(&signed, &[key])?.to_string().into_bytes();
        let meta = self.publish("snapshot", self.version(), bytes, TufFault::SnapshotMissing);
        self.change("snapshot", TufFault::SnapshotChanged);
        Ok(meta)
    }

    fn publish_timestamp(&mut self, snapshot: &Value) -> Result<(), Error> {
        let version = if self.has(TufFault::TimestampRolledBack) { BASE - 1 } else { self.version() };
        let mut signed = common("timestamp", version, self.expires(7, TufFault::TimestampExpired));
        set(Some(&mut signed), "meta", json!({ "snapshot.json": snapshot }));
        if self.has(TufFault::TimestampRollsSnapshotBack) {
            set(signed.pointer_mut("/meta/snapshot.json"), "version", json!(BASE - 1));
        }
        if self.has(TufFault::TimestampOfAnotherRole) {
            set(Some(&mut signed), "_type", json!("snapshot"));
        }
        let key = self.signer("timestamp", TufFault::TimestampSignedByAnotherKey);
        let mut bytes = sign(&signed, &[key])?.to_string().into_bytes();
        if self.has(TufFault::TimestampEndless) {
            bytes.resize(8 << 20, b' ');
        }
        self.files.insert("timestamp.json".to_owned(), bytes);
        if self.has(TufFault::TimestampMissing) {
            self.files.remove("timestamp.json");
        }
        Ok(())
    }

    fn publish(&mut self, role: &str, version: u64, mut bytes: Vec<u8>, missing: TufFault) -> Value {
        bytes.push(b'\n');
        let meta = json!({
            "version": version,
            "length": bytes.len(),
            "hashes": { "sha256": Digest::sha256(&bytes).encoded() },
        });
        if !self.has(missing) {
            self.files.insert(format!("{version}.{role}.json"), bytes);
        }
        meta
    }

    /// The same document with another blank behind it: signed, but not the bytes that were named.
    fn change(&mut self, role: &str, fault: TufFault) {
        let name = format!("{}.{role}.json", self.version());
        if self.has(fault)
            && let Some(last) = self.files.get_mut(&name).and_then(|bytes| bytes.last_mut())
        {
            *last = b' ';
        }
    }

    fn publish_target(&mut self, path: &str, bytes: &[u8]) -> Value {
        let digest = Digest::sha256(bytes).encoded();
        let name = match path.rsplit_once('/') {
            Some((directory, name)) => format!("targets/{directory}/{digest}.{name}"),
            None => format!("targets/{digest}.{path}"),
        };
        let mut served = bytes.to_vec();
        match served.last_mut() {
            Some(last) if self.has(TufFault::TargetChanged) => *last ^= 1,
            Some(_) if self.has(TufFault::TargetTooLong) => served.push(b' '),
            Some(_) if self.has(TufFault::TargetTooShort) => served.truncate(bytes.len() - 1),
            _ => {}
        }
        if self.has(TufFault::TargetMissing) {
            self.files.remove(&name);
        } else {
            self.files.insert(name, served);
        }
        json!({ "length": bytes.len(), "hashes": { "sha256": digest } })
    }

    fn delegation(&self, roles: &[&str]) -> Result<Value, Error> {
        let (mut keys, mut list) = (BTreeMap::new(), Vec::new());
        for name in roles {
            let key = describe(&self.key(name));
            let id = id(&key)?;
            list.push(json!({
                "name": name, "keyids": [id], "threshold": 1, "terminating": true, "paths": [format!("{name}/*")],
            }));
            keys.insert(id, key);
        }
        Ok(json!({ "keys": keys, "roles": list }))
    }

    const fn version(&self) -> u64 {
        BASE + self.state
    }

    fn expires(&self, days: i64, fault: TufFault) -> Time {
        let seconds = if self.has(fault) { -3600 } else { days * DAY };
        Time::from_seconds(self.now.seconds() + seconds)
    }

    /// The first state is good.
    fn has(&self, fault: TufFault) -> bool {
        self.state > 1 && self.faults.contains(&fault)
    }

    fn root_key(&self, number: u64) -> SigningKey {
        let scheme = if number.is_multiple_of(2) { Scheme::Ed25519 } else { Scheme::EcdsaP256Sha256 };
        key(&self.seed, &format!("tuf root {number}"), scheme)
    }

    fn key(&self, role: &str) -> SigningKey {
        key(&self.seed, &format!("tuf {role}"), Scheme::EcdsaP256Sha256)
    }

    fn signer(&self, role: &str, another: TufFault) -> SigningKey {
        if self.has(another) { self.key(&format!("another {role}")) } else { self.key(role) }
    }
}

impl Repository for TufRepository {
    fn fetch(&self, wanted: &Wanted) -> Result<Option<Vec<u8>>, Error> {
        let directory = if wanted.is_target() { "targets/" } else { "" };
        Ok(self.files.get(&format!("{directory}{}", wanted.path())).cloned())
    }
}

fn common(kind: &str, version: u64, expires: Time) -> Value {
    json!({ "_type": kind, "spec_version": "1.0.34", "version": version, "expires": expires })
}

/// Sets a member of an object.
fn set(object: Option<&mut Value>, name: &str, value: Value) {
    if let Some(members) = object.and_then(Value::as_object_mut) {
        members.insert(name.to_owned(), value);
    }
}

/// A key as TUF writes it.
fn describe(key: &SigningKey) -> Value {
    let public = key.verifying_key();
    match public.ed25519_bytes() {
        Some(raw) => json!({
            "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": encoding::to_hexadecimal(&raw) },
        }),
        None => json!({
            "keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": { "public": public.to_pem() },
        }),
    }
}

fn id(key: &Value) -> Result<String, Error> {
    Ok(Digest::sha256(&message(key)?).encoded())
}

fn sign(signed: &Value, keys: &[SigningKey]) -> Result<Value, Error> {
    let message = message(signed)?;
    let mut signatures = Vec::new();
    for key in keys {
        let signature = encoding::to_hexadecimal(&key.sign(&message)?);
        signatures.push(json!({ "keyid": id(&describe(key))?, "sig": signature }));
    }
    Ok(json!({ "signatures": signatures, "signed": signed }))
}

/// The canonical form, by the reader that the client has.
fn message(value: &Value) -> Result<Vec<u8>, Error> {
    let text = value.to_string();
    let fault = |reason: String| Error::malformed("TUF metadata", reason);
    let value =
        parse_json(text.as_bytes(), &Limits::manifests()).map_err(|error| fault(error.to_string()))?;
    canonical(&value).map_err(fault)
}
