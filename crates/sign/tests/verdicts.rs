//! What the real tools said about bundles and images of ours, and what we say. `data/verdicts/expect.tsv`: `expect` is the
//! reading of the specifications, `either` marks what they leave open; for those our decision stands in `decided`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lotse_digest::Digest;
use lotse_sign::{
    Artifact, AttachmentStore, Attachments, Context, ExactIdentity, ExpectedSigner, Requirements, Time,
    TrustedRoot, Verifier, VerifyingKey, Wanted, cosign_predicate_type,
};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/verdicts")
}

/// What we decided where the specifications leave a choice; the reasons stand in DIVERGENCES.md.
fn decided(id: &str) -> Option<&'static str> {
    Some(match id {
        "st-sha512-only-v1" | "ts-status1" | "st-null-predicate" | "st-unknown-field" => "accept",
        "media-vnd-dev-sigstore-bundle-json-version-0-2" => "accept",
        "hint-absent" | "chain-v02-root" | "json-b64-newlines4" | "both-bad-second-log" => "refuse",
        "both-bad-second-ts" | "leaf-san-two" | "oldatt-two-sigs" => "refuse",
        _ => return None,
    })
}

fn requirements(policy: &str) -> Requirements {
    let all = Requirements::sigstore();
    match policy {
        "default" => all,
        "nosct" => all.dangerously_without_sct(),
        "nolog" => all.dangerously_without_log().timestamps(1),
        "bare" => all.dangerously_without_log().dangerously_without_sct(),
        other => panic!("unknown policy {other}"),
    }
}

struct Layout {
    tags: BTreeMap<String, String>,
}

impl Layout {
    fn open(index: &Path) -> Self {
        let index: serde_json::Value = serde_json::from_slice(&fs::read(index).unwrap()).unwrap();
        let tag = |manifest: &serde_json::Value| {
            let tag =
                manifest["annotations"]["org.opencontainers.image.ref.name"].as_str().unwrap().to_owned();
            (tag, manifest["digest"].as_str().unwrap().to_owned())
        };
        Self { tags: index["manifests"].as_array().unwrap().iter().map(tag).collect() }
    }
}

impl AttachmentStore for Layout {
    type Error = std::convert::Infallible;

    fn tagged(&self, tag: &str) -> Result<Option<Vec<u8>>, Self::Error> {
        Ok(self.tags.get(tag).and_then(|digest| self.manifest(&digest.parse().unwrap()).unwrap()))
    }

    fn referrers(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Self::Error> {
        self.tagged(&Attachments::referrers_tag(digest))
    }

    fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Self::Error> {
        Ok(fs::read(data().join("images/blobs/sha256").join(digest.encoded())).ok())
    }

    fn blob(&self, digest: &Digest, _: u64) -> Result<Option<Vec<u8>>, Self::Error> {
        self.manifest(digest)
    }
}

#[test]
fn every_row_is_judged_as_the_specifications_say() {
    let table = fs::read_to_string(data().join("expect.tsv")).unwrap();
    let at: Time = "2026-11-22T00:00:00Z".parse().unwrap();
    let mut judged = BTreeMap::<&str, usize>::new();
    let mut wrong = Vec::new();
    for line in table.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let [id, kind, bundle, artifact, root, key, identity, issuer, predicate, policy, expect, ..] =
            columns[..]
        else {
            panic!("{line}");
        };
        let verifier = Verifier::new(TrustedRoot::parse(&fs::read(data().join(root)).unwrap()).unwrap());
        let key = (!key.is_empty())
            .then(|| VerifyingKey::from_pem(&fs::read_to_string(data().join(key)).unwrap()).unwrap());
        let exact = ExactIdentity::new(identity, issuer);
        let signer = key.as_ref().map_or(ExpectedSigner::Identity(&exact), ExpectedSigner::Key);
        let context = Context { signer, requirements: requirements(policy), at };
        let (accepted, why) = if kind.starts_with("image") {
            let layout = Layout::open(&data().join(bundle));
            let image: Digest = artifact.parse().unwrap();
            let attachments = Attachments::find(&layout, &image).unwrap();
            let wanted = if kind.ends_with("att") {
                Wanted::Attestation(cosign_predicate_type(predicate))
            } else {
                Wanted::Signature
            };
            let verdict = verifier.verify_image(&attachments, &image, wanted, &context);
            (verdict.is_accepted(), format!("{verdict:#?}"))
        } else {
            let bundle = fs::read(data().join(bundle)).unwrap();
            let digest: Option<Digest> = artifact.parse().ok();
            let digests: Vec<_> = digest.into_iter().collect();
            let bytes =
                if digests.is_empty() { fs::read(data().join(artifact)).unwrap() } else { Vec::new() };
            let artifact =
                if digests.is_empty() { Artifact::Bytes(&bytes) } else { Artifact::Digests(&digests) };
            match verifier.verify_json(&bundle, &artifact, &context) {
                Ok(verdict) => {
                    verifier.recheck(&verdict, &bundle, &artifact, signer).expect(id);
                    (verdict.is_accepted(), verdict.to_string())
                }
                Err(error) => (false, error.to_string()),
            }
        };
        let expect = if expect == "either" { decided(id).unwrap_or("undecided") } else { expect };
        let said = if accepted { "accept" } else { "refuse" };
        *judged.entry(said).or_default() += 1;
        if said != expect {
            wrong.push(format!("{id} ({kind}): expected {expect}, got {said}\n{why}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(judged["accept"] > 30 && judged["refuse"] > 50, "{judged:?}");
}
