//! One good bundle, and what a trusted root may say of its witnesses.

use lotse_sign::Time;
use lotse_sign::sandbox::{Sandbox, Setup};
use serde_json::{Value, json};

use super::{Out, contents, json, sign};

pub(super) fn write(out: &mut Out) {
    for setup in [Setup::V1, Setup::V2] {
        let [(_, content), _] = contents();
        let group = format!("root-{setup:?}").to_lowercase();
        let sigstore = Sandbox::new(&group, out.now);
        let bundle = json(&sign(&sigstore, setup, &content).unwrap()).to_string();
        let good: Value = serde_json::from_slice(&sigstore.trusted_root_json()).unwrap();
        let strange: Value =
            serde_json::from_slice(&Sandbox::new("strange", out.now).trusted_root_json()).unwrap();
        for (change, root) in changes(&good, &strange, out.now) {
            out.case(&group, &change, bundle.as_bytes(), root.to_string().as_bytes());
        }
    }
}

const LISTS: [&str; 4] = ["tlogs", "certificateAuthorities", "ctlogs", "timestampAuthorities"];

fn changes(good: &Value, strange: &Value, now: Time) -> Vec<(String, Value)> {
    let at = |seconds: i64| json!(Time::from_seconds(now.seconds() + seconds));
    let mut changes = Vec::new();
    for list in LISTS {
        let mut put = |change: &str, value: Option<Value>| {
            let mut root = good.clone();
            match value {
                Some(value) => root[list] = value,
                None => drop(root.as_object_mut().unwrap().remove(list)),
            }
            changes.push((format!("{list} {change}"), root));
        };
        let items = good[list].as_array().unwrap();
        let strangers = strange[list].as_array().unwrap();
        let each = |change: &dyn Fn(&mut Value)| {
            let mut items = items.clone();
            items.iter_mut().for_each(change);
            Some(Value::Array(items))
        };
        put("absent", None);
        put("empty", Some(json!([])));
        put("null", Some(Value::Null));
        put("of strangers", Some(Value::Array(strangers.clone())));
        put("and strangers behind", Some(Value::Array([items.as_slice(), strangers].concat())));
        put("and strangers in front", Some(Value::Array([strangers, items.as_slice()].concat())));
        put("twice", Some(Value::Array([items.as_slice(), items].concat())));
        put("reversed", Some(items.iter().rev().cloned().collect()));
        put("with unknown member", each(&|item| item["surprise"] = json!(1)));
        let window = match list {
            "tlogs" | "ctlogs" => "/publicKey/validFor",
            _ => "/validFor",
        };
        for (change, value) in [
            ("that ended before", json!({ "start": at(-86_400), "end": at(-3_600) })),
            ("that ended one second before", json!({ "start": at(-86_400), "end": at(-1) })),
            ("that ends with the signing", json!({ "start": at(-86_400), "end": at(0) })),
            ("that starts with the signing", json!({ "start": at(0) })),
            ("that starts one second after", json!({ "start": at(1) })),
            ("that starts in a year", json!({ "start": at(31_536_000) })),
            ("that ends before it starts", json!({ "start": at(-60), "end": at(-120) })),
            ("without window", Value::Null),
            ("with an empty window", json!({})),
            ("with an end alone", json!({ "end": at(3_600) })),
            ("with a window that is no time", json!({ "start": "yesterday" })),
        ] {
            put(change, each(&|item| *item.pointer_mut(window).unwrap() = value.clone()));
        }
        if matches!(list, "tlogs" | "ctlogs") {
            put("with the keys of strangers", {
                let mut items = items.clone();
                for (item, other) in items.iter_mut().zip(strangers) {
                    item["publicKey"]["rawBytes"] = other["publicKey"]["rawBytes"].clone();
                }
                Some(Value::Array(items))
            });
            put("with the ids of strangers", {
                let mut items = items.clone();
                for (item, other) in items.iter_mut().zip(strangers) {
                    item["logId"] = other["logId"].clone();
                }
                Some(Value::Array(items))
            });
            put("without ids", each(&|item| drop(item.as_object_mut().unwrap().remove("logId"))));
            put(
                "of another kind of key",
                each(&|item| item["publicKey"]["keyDetails"] = json!("PKIX_ECDSA_P384_SHA_384")),
            );
            put("of an unknown kind of key", each(&|item| item["publicKey"]["keyDetails"] = json!("NEW")));
            put(
                "without kind of key",
                each(&|item| drop(item["publicKey"].as_object_mut().unwrap().remove("keyDetails"))),
            );
            put("without key", each(&|item| drop(item.as_object_mut().unwrap().remove("publicKey"))));
            put("of another hash", each(&|item| item["hashAlgorithm"] = json!("SHA2_512")));
            put("without hash", each(&|item| drop(item.as_object_mut().unwrap().remove("hashAlgorithm"))));
            put("with another address", each(&|item| item["baseUrl"] = json!("https://else.sandbox.test")));
            put("without address", each(&|item| drop(item.as_object_mut().unwrap().remove("baseUrl"))));
        } else {
            let chain = "/certChain/certificates";
            put(
                "with reversed chain",
                each(&|item| item.pointer_mut(chain).unwrap().as_array_mut().unwrap().reverse()),
            );
            put(
                "without first certificate",
                each(&|item| drop(item.pointer_mut(chain).unwrap().as_array_mut().unwrap().remove(0))),
            );
            put(
                "without last certificate",
                each(&|item| drop(item.pointer_mut(chain).unwrap().as_array_mut().unwrap().pop())),
            );
            put("with empty chain", each(&|item| *item.pointer_mut(chain).unwrap() = json!([])));
            put("without chain", each(&|item| drop(item.as_object_mut().unwrap().remove("certChain"))));
            put("without address", each(&|item| drop(item.as_object_mut().unwrap().remove("uri"))));
            put("without subject", each(&|item| drop(item.as_object_mut().unwrap().remove("subject"))));
        }
    }
    for (change, media_type) in [
        ("media type absent", None),
        ("media type 0.2", Some("application/vnd.dev.sigstore.trustedroot+json;version=0.2")),
        ("media type v0.1+json", Some("application/vnd.dev.sigstore.trustedroot.v0.1+json")),
        ("media type 0.9", Some("application/vnd.dev.sigstore.trustedroot+json;version=0.9")),
        ("media type of a bundle", Some("application/vnd.dev.sigstore.bundle.v0.3+json")),
    ] {
        let mut root = good.clone();
        match media_type {
            Some(media_type) => root["mediaType"] = json!(media_type),
            None => drop(root.as_object_mut().unwrap().remove("mediaType")),
        }
        changes.push((change.to_owned(), root));
    }
    let mut root = good.clone();
    root["surprise"] = json!(1);
    changes.push(("unknown member".to_owned(), root));
    changes
}
