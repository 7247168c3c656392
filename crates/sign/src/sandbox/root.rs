//! The trusted root and the signing configs of the sandbox.

use serde_json::{Value, json};

use super::{Fault, Sandbox, Setup};
use crate::trusted_root::key_details;
use crate::{Time, VerifyingKey, encoding};

impl Sandbox {
    /// Whom to believe, in JSON: what other clients take as their trusted root.
    #[must_use]
    pub fn trusted_root_json(&self) -> Vec<u8> {
        let state = self.lock();
        let start = Time::from_seconds(self.now.seconds() - 86_400);
        let window = |ended: bool| {
            let end = Time::from_seconds(start.seconds() + 3600);
            if ended { json!({ "start": start, "end": end }) } else { json!({ "start": start }) }
        };
        let log = |url: &str, id: &[u8], key: &VerifyingKey, ended: bool| {
            json!({
                "baseUrl": url,
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": encoding::encode(key.as_der()),
                    "keyDetails": key_details(key),
                    "validFor": window(ended),
                },
                "logId": { "keyId": encoding::encode(id) },
            })
        };
        let authority = |uri: &str, chain: &[Vec<u8>], ended: bool| {
            let certificates: Vec<Value> =
                chain.iter().map(|der| json!({ "rawBytes": encoding::encode(der) })).collect();
            json!({
                "subject": { "organization": "sandbox.test", "commonName": "sandbox" },
                "uri": uri,
                "certChain": { "certificates": certificates },
                "validFor": window(ended),
            })
        };
        let ended = self.has(Fault::RootLogWindowEnded);
        let key_v1 = state.log_v1.key();
        let mut logs =
            vec![log("https://rekor1.sandbox.test", key_v1.fingerprint().as_bytes(), &key_v1, ended)];
        for (url, v2) in
            ["https://rekor.sandbox.test", "https://rekor-b.sandbox.test"].iter().zip(&state.logs_v2)
        {
            logs.push(log(url, &v2.id(), &v2.key(), ended));
        }
        if self.has(Fault::RootWithoutLogs) {
            logs.clear();
        }
        let issuing = &self.services.issuing;
        let ct = issuing.log_key();
        let first_ended =
            self.has(Fault::RootTimestampWindowEnded) || self.has(Fault::RootOtherTimestampWindowOpen);
        let both_ended = self.has(Fault::RootTimestampWindowEnded);
        let [tsa, tsa_b] = &self.services.stamping;
        let root = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": logs,
            "certificateAuthorities": [authority(
                "https://fulcio.sandbox.test",
                &issuing.chain,
                self.has(Fault::RootCertificateWindowEnded),
            )],
            "ctlogs": [log("https://ctlog.sandbox.test/2026", ct.fingerprint().as_bytes(), &ct, false)],
            "timestampAuthorities": [
                authority("https://tsa.sandbox.test/api/v1/timestamp", &tsa.chain, first_ended),
                authority("https://tsa-b.sandbox.test/api/v1/timestamp", &tsa_b.chain, both_ended),
            ],
        });
        root.to_string().into_bytes()
    }

    /// The services of a setup, in JSON.
    #[must_use]
    pub fn signing_config_json(&self, setup: Setup) -> Vec<u8> {
        let start = Time::from_seconds(self.now.seconds() - 86_400);
        let service = |url: &str, version: u32, operator: &str| {
            json!({
                "url": url,
                "majorApiVersion": version,
                "validFor": { "start": start },
                "operator": operator,
            })
        };
        let (a, b) = ("sandbox.test", "b.sandbox.test");
        let v2 = service("https://rekor.sandbox.test", 2, a);
        let v2_b = service("https://rekor-b.sandbox.test", 2, b);
        let tsa = service("https://tsa.sandbox.test/api/v1/timestamp", 1, a);
        let tsa_b = service("https://tsa-b.sandbox.test/api/v1/timestamp", 1, b);
        let (logs, stamps) = match setup {
            Setup::V2 => (vec![v2], vec![tsa]),
            Setup::V1 => (vec![service("https://rekor1.sandbox.test", 1, a)], vec![]),
            Setup::Both => (vec![v2, v2_b], vec![tsa, tsa_b]),
            Setup::NoLog => (vec![], vec![tsa]),
        };
        let stamps = if self.has(Fault::TimestampMissing) { Vec::new() } else { stamps };
        let config = json!({
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [service("https://fulcio.sandbox.test", 1, a)],
            "oidcUrls": [service("https://oidc.sandbox.test", 1, a)],
            "rekorTlogUrls": logs,
            "rekorTlogConfig": { "selector": "ALL" },
            "tsaUrls": stamps,
            "tsaConfig": { "selector": "ALL" },
        });
        config.to_string().into_bytes()
    }
}
