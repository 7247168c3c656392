//! Bundles in the forms of all versions: the material as one certificate or as chains, entries with promise, proof, both or neither.

use lotse_sign::sandbox::{Sandbox, Setup};
use serde_json::{Value, json};

use super::{Out, contents, json, sign};

const MEDIA_TYPES: [(&str, &str); 5] = [
    ("0.1", "application/vnd.dev.sigstore.bundle+json;version=0.1"),
    ("0.2", "application/vnd.dev.sigstore.bundle+json;version=0.2"),
    ("0.3", "application/vnd.dev.sigstore.bundle+json;version=0.3"),
    ("v0.3", "application/vnd.dev.sigstore.bundle.v0.3+json"),
    ("v0.2", "application/vnd.dev.sigstore.bundle.v0.2+json"),
];

pub(super) fn write(out: &mut Out) {
    for setup in [Setup::V1, Setup::V2] {
        for (kind, content) in contents() {
            let group = format!("form-{setup:?}-{kind}").to_lowercase();
            let sigstore = Sandbox::new(&group, out.now);
            let root = sigstore.trusted_root_json();
            let good = json(&sign(&sigstore, setup, &content).unwrap());
            let trusted: Value = serde_json::from_slice(&root).unwrap();
            let leaf = &good["verificationMaterial"]["certificate"];
            let authority = |number: usize| {
                trusted["certificateAuthorities"][0]["certChain"]["certificates"][number].clone()
            };
            let materials = [
                ("certificate", json!({ "certificate": leaf })),
                ("leaf", json!({ "x509CertificateChain": { "certificates": [leaf] } })),
                ("chain", json!({ "x509CertificateChain": { "certificates": [leaf, authority(0)] } })),
                (
                    "chain with root",
                    json!({ "x509CertificateChain": { "certificates": [leaf, authority(0), authority(1)] } }),
                ),
                (
                    "chain of another order",
                    json!({ "x509CertificateChain": { "certificates": [authority(0), leaf] } }),
                ),
            ];
            for (version, media_type) in MEDIA_TYPES {
                for (shape, material) in &materials {
                    for witness in ["both", "promise", "proof", "neither"] {
                        if setup == Setup::V2 && matches!(witness, "both" | "promise") {
                            continue; // There is no promise in Rekor v2.
                        }
                        let mut bundle = good.clone();
                        bundle["mediaType"] = json!(media_type);
                        let mut material = material.clone();
                        for member in ["tlogEntries", "timestampVerificationData"] {
                            if let Some(value) = good["verificationMaterial"].get(member) {
                                material[member] = value.clone();
                            }
                        }
                        let entry = material["tlogEntries"][0].as_object_mut().unwrap();
                        if matches!(witness, "proof" | "neither") {
                            entry.remove("inclusionPromise");
                        }
                        if matches!(witness, "promise" | "neither") {
                            entry.remove("inclusionProof");
                        }
                        bundle["verificationMaterial"] = material;
                        let change = format!("{version}, {shape}, {witness}");
                        out.case(&group, &change, bundle.to_string().as_bytes(), &root);
                    }
                }
            }
        }
    }
}
