//! Envelopes with none, several and foreign signatures; statements that are signed as they are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lotse_digest::{Algorithm, Digest};
use lotse_sign::Content;
use lotse_sign::sandbox::{Sandbox, Setup};
use serde_json::{Value, json};

use super::{ARTIFACT, Out, json, managed, sign, statement};

pub(super) fn write(out: &mut Out) {
    for setup in [Setup::V2, Setup::V1] {
        let group = format!("envelope-{setup:?}").to_lowercase();
        envelopes(out, &group, setup);
        let group = format!("payload-{setup:?}").to_lowercase();
        let sigstore = Sandbox::new(&group, out.now);
        for (change, payload) in payloads() {
            if let Some(bundle) = sign(&sigstore, setup, &Content::Statement(payload)) {
                out.case(&group, change, &bundle.to_json().unwrap(), &sigstore.trusted_root_json());
            }
        }
    }
}

fn envelopes(out: &mut Out, group: &str, setup: Setup) {
    let sigstore = Sandbox::new(group, out.now);
    let root = sigstore.trusted_root_json();
    let read = || json(&sign(&sigstore, setup, &Content::Statement(statement())).unwrap());
    let (good, other) = (read(), read());
    let of = |bundle: &Value| bundle["dsseEnvelope"]["signatures"][0].clone();
    let (ours, theirs) = (of(&good), of(&other));
    let stranger = lotse_sign::Envelope::sign_statement(statement(), &managed(3)).unwrap().to_json().unwrap();
    let stranger = serde_json::from_slice::<Value>(&stranger).unwrap()["signatures"][0].clone();
    let garbage = json!({ "sig": STANDARD.encode([0; 70]), "keyid": "" });
    let hinted = |keyid: &str| json!({ "sig": ours["sig"], "keyid": keyid });
    for (change, signatures) in [
        ("none", json!([])),
        ("twice", json!([ours, ours])),
        ("a certificate's of another bundle behind", json!([ours, theirs])),
        ("a certificate's of another bundle in front", json!([theirs, ours])),
        ("a stranger's behind", json!([ours, stranger])),
        ("a stranger's in front", json!([stranger, ours])),
        ("a stranger's alone", json!([stranger])),
        ("garbage behind", json!([ours, garbage])),
        ("garbage in front", json!([garbage, ours])),
        ("garbage alone", json!([garbage])),
        ("an empty one behind", json!([ours, { "sig": "", "keyid": "" }])),
        ("a key id", json!([hinted("mine")])),
        ("the key id of another key", json!([hinted(&managed(3).verifying_key().fingerprint().encoded())])),
        ("no key id", json!([{ "sig": ours["sig"] }])),
    ] {
        let mut mutant = good.clone();
        mutant["dsseEnvelope"]["signatures"] = signatures;
        out.case(group, &format!("signatures: {change}"), mutant.to_string().as_bytes(), &root);
    }
    for payload_type in [
        "application/vnd.in-toto+json; charset=utf-8",
        "application/VND.in-toto+json",
        "text/plain",
        "application/json",
    ] {
        let mut mutant = good.clone();
        mutant["dsseEnvelope"]["payloadType"] = json!(payload_type);
        out.case(group, &format!("payload type {payload_type}"), mutant.to_string().as_bytes(), &root);
    }
    let mut both = good.clone();
    both["messageSignature"] = json!({
        "messageDigest": { "algorithm": "SHA2_256", "digest": STANDARD.encode(Digest::sha256(ARTIFACT).as_bytes()) },
        "signature": ours["sig"],
    });
    out.case(group, "a message signature too", both.to_string().as_bytes(), &root);
}

fn payloads() -> Vec<(&'static str, Vec<u8>)> {
    let hex = Digest::sha256(ARTIFACT).encoded();
    let long = Digest::of(Algorithm::Sha512, ARTIFACT).encoded();
    let zeros = "0".repeat(64);
    let good: Value = serde_json::from_slice(&statement()).unwrap();
    let with = |pointer: &str, value: Value| {
        let mut changed = good.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        changed.pointer_mut(parent).unwrap()[key] = value;
        changed.to_string().into_bytes()
    };
    let without = |pointer: &str| {
        let mut changed = good.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        changed.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key);
        changed.to_string().into_bytes()
    };
    let digest = |value: Value| with("/subject", json!([{ "name": "a", "digest": value }]));
    let text = good.to_string();
    vec![
        ("_type v0.1", with("/_type", json!("https://in-toto.io/Statement/v0.1"))),
        ("_type v9", with("/_type", json!("https://in-toto.io/Statement/v9"))),
        ("_type absent", without("/_type")),
        ("_type null", with("/_type", Value::Null)),
        ("subject absent", without("/subject")),
        ("subject empty", with("/subject", json!([]))),
        ("subject null", with("/subject", Value::Null)),
        ("subject an object", with("/subject", json!({ "name": "a", "digest": { "sha256": hex } }))),
        ("subject of another artifact", digest(json!({ "sha256": zeros }))),
        (
            "subject of another artifact in front",
            with(
                "/subject",
                json!([{ "name": "b", "digest": { "sha256": zeros } }, { "name": "a", "digest": { "sha256": hex } }]),
            ),
        ),
        (
            "subject twice",
            with(
                "/subject",
                json!([{ "name": "a", "digest": { "sha256": hex } }, { "name": "a", "digest": { "sha256": hex } }]),
            ),
        ),
        ("subject without name", with("/subject", json!([{ "digest": { "sha256": hex } }]))),
        ("subject without digest", with("/subject", json!([{ "name": "a" }]))),
        (
            "subject with unknown member",
            with("/subject", json!([{ "name": "a", "digest": { "sha256": hex }, "x": 1 }])),
        ),
        ("digest empty", digest(json!({}))),
        ("digest null", digest(Value::Null)),
        ("digest upper case", digest(json!({ "sha256": hex.to_uppercase() }))),
        ("digest cut", digest(json!({ "sha256": hex[..62] }))),
        ("digest with prefix", digest(json!({ "sha256": format!("sha256:{hex}") }))),
        ("digest SHA256", digest(json!({ "SHA256": hex }))),
        ("digest sha512 alone", digest(json!({ "sha512": long }))),
        ("digest sha256 and sha512", digest(json!({ "sha256": hex, "sha512": long }))),
        ("digest sha256, wrong sha512", digest(json!({ "sha256": hex, "sha512": zeros.repeat(2) }))),
        ("digest sha512, wrong sha256", digest(json!({ "sha256": zeros, "sha512": long }))),
        ("digest sha256, wrong sha1", digest(json!({ "sha256": hex, "sha1": "0".repeat(40) }))),
        ("digest sha256 and unknown", digest(json!({ "sha256": hex, "gitTree": "0" }))),
        ("digest unknown alone", digest(json!({ "gitTree": hex }))),
        ("predicateType absent", without("/predicateType")),
        ("predicateType empty", with("/predicateType", json!(""))),
        ("predicateType no URI", with("/predicateType", json!("p"))),
        ("predicateType a number", with("/predicateType", json!(1))),
        ("predicate absent", without("/predicate")),
        ("predicate null", with("/predicate", Value::Null)),
        ("predicate a text", with("/predicate", json!("text"))),
        ("predicate a list", with("/predicate", json!([]))),
        ("unknown member", with("/surprise", json!(1))),
        ("member twice", text.replacen('{', r#"{"_type":"x","#, 1).into_bytes()),
        ("subject member twice", text.replacen('{', r#"{"subject":[],"#, 1).into_bytes()),
        ("byte order mark", format!("\u{feff}{text}").into_bytes()),
        ("trailing newline", format!("{text}\n").into_bytes()),
        ("trailing value", format!("{text} {{}}").into_bytes()),
        ("a list", format!("[{text}]").into_bytes()),
        ("no JSON", b"statement".to_vec()),
        ("empty", Vec::new()),
    ]
}
