//! CPU time for one bundle, warm: ours beside `sigstore-verify`, in turns, on the bundles of a Sigstore in memory. The least of
//! several rounds counts, so that what else the machine does disturbs little.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use lotse_digest::Digest;
use lotse_sign::sandbox::{Sandbox, Setup};
use lotse_sign::{
    Artifact, AttachedBundle, Attachments, Bundle, Claims, Content, Context, ExactIdentity, ExpectedSigner, Requirements,
    SubjectName, VerdictCache, Verifier, Wanted, image_statement,
};
use sigstore_verify::{VerificationPolicy, trust_root, types, verify};

const ISSUER: &str = "https://oidc.example.test";
const ALICE: &str = "alice@example.test";
const ARTIFACT: &[u8] = b"artifact";
const ROUNDS: usize = 9;
const EACH: usize = 400;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sigstore = Sandbox::new("bench", "2026-11-21T10:00:00Z".parse()?);
    let mut claims = Claims::new(SubjectName::Email(ALICE.to_owned()));
    claims.issuer = Some(ISSUER.to_owned());
    let digest = Digest::sha256(ARTIFACT).encoded();
    let statement = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"a","digest":{{"sha256":"{digest}"}}}}],"predicateType":"https://example.com/p","predicate":{{}}}}"#
    );
    let verifier = Verifier::new(sigstore.trusted_root()?);
    let peer_root = trust_root::TrustedRoot::from_json(&String::from_utf8(sigstore.trusted_root_json())?)?;
    let peer_policy = VerificationPolicy::any_identity().require_identity(ALICE).require_issuer(ISSUER);
    let alice = ExactIdentity::new(ALICE, ISSUER);
    let context =
        Context { signer: ExpectedSigner::Identity(&alice), requirements: Requirements::sigstore(), at: sigstore.now() };

    println!("| bundle | lotse, us | sigstore-verify, us | ratio |");
    println!("|---|---|---|---|");
    for (name, setup, content) in [
        ("Rekor v1, message", Setup::V1, Content::Artifact(ARTIFACT)),
        ("Rekor v1, statement", Setup::V1, Content::Statement(statement.clone().into_bytes())),
        ("Rekor v2, message", Setup::V2, Content::Artifact(ARTIFACT)),
        ("Rekor v2, statement", Setup::V2, Content::Statement(statement.clone().into_bytes())),
    ] {
        let json = sigstore.sign_with(setup, content, &claims)?.to_json()?;
        let text = String::from_utf8(json.clone())?;
        let ours = || {
            let bundle = Bundle::parse(&json).expect("a bundle");
            let verdict = verifier.verify(&bundle, &Digest::sha256(&json), &Artifact::Bytes(ARTIFACT), &context);
            assert!(verdict.is_accepted(), "{verdict}");
        };
        let peers = || {
            let bundle = types::Bundle::from_json(&text).expect("a bundle");
            verify(ARTIFACT, &bundle, &peer_policy, &peer_root).expect("the peer accepts it");
        };
        let (mut best_ours, mut best_peers) = (f64::MAX, f64::MAX);
        for _ in 0..ROUNDS {
            best_ours = best_ours.min(cpu(ours));
            best_peers = best_peers.min(cpu(peers));
        }
        println!("| {name} | {best_ours:.0} | {best_peers:.0} | {:.2} |", best_peers / best_ours);
    }
    cluster(&sigstore, &claims, &verifier, &context)
}

/// 5,000 containers of 500 images, with an empty cache and with a full one.
fn cluster(
    sigstore: &Sandbox,
    claims: &Claims,
    verifier: &Verifier,
    context: &Context<'_>,
) -> Result<(), Box<dyn std::error::Error>> {
    let images: Vec<Digest> = (0..500).map(|number| Digest::sha256(format!("image {number}").as_bytes())).collect();
    let mut attached = BTreeMap::new();
    for image in &images {
        let json = sigstore.sign(Content::Statement(image_statement(image)), claims)?.to_json()?;
        let bundle = AttachedBundle { manifest: image.clone(), json };
        attached.insert(image.clone(), Attachments { bundles: vec![bundle], ..Attachments::default() });
    }
    let containers: Vec<&Digest> = images.iter().cycle().take(5_000).collect();
    let fetch = |image: &Digest| attached.get(image).cloned().ok_or("no such image");
    let cache = VerdictCache::new(10_000);
    for name in ["cold", "warm"] {
        let start = Instant::now();
        let verdicts = verifier.verify_images(containers.iter().copied(), fetch, Wanted::Signature, context, &cache)?;
        let spent = start.elapsed();
        assert!(verdicts.iter().all(|verdict| verdict.is_accepted()));
        println!("\n5,000 containers of 500 images, {name}: {:.1} ms", spent.as_secs_f64() * 1000.0);
    }
    Ok(())
}

/// Microseconds on the processor for one call.
fn cpu(call: impl Fn()) -> f64 {
    let start = (on_cpu(), Instant::now());
    for _ in 0..EACH {
        call();
    }
    let spent = match (start.0, on_cpu()) {
        (Some(before), Some(after)) => after - before,
        _ => start.1.elapsed().as_nanos() as f64,
    };
    spent / 1000.0 / EACH as f64
}

/// Nanoseconds that this process was on a processor, where the kernel says it.
fn on_cpu() -> Option<f64> {
    fs::read_to_string("/proc/self/schedstat").ok()?.split(' ').next()?.parse().ok()
}
