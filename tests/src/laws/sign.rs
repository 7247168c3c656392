//! The laws of what a verifier reads. Each replaces one part of a real bundle by the bytes and verifies it: what is accepted
//! must say what the original said.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lotse_digest::Digest;
use lotse_sign::{
    Artifact, Bundle, Claims, Context, Envelope, ExpectedSigner, IdentityRule, Requirements, Time,
    TrustedRoot, Verdict, Verifier,
};
use serde_json::{Value, json};

const ROOT: &[u8] = include_bytes!("../../../crates/sign/tests/data/verdicts/roots/trusted_root.json");
const MESSAGE: &[u8] =
    include_bytes!("../../../crates/sign/tests/data/verdicts/bundles/msg-github.sigstore.json");
const STATEMENT: &[u8] =
    include_bytes!("../../../crates/sign/tests/data/verdicts/bundles/go-dsse.sigstore.json");
const ARTIFACT: &[u8] = include_bytes!("../../../crates/sign/tests/data/verdicts/artifacts/a.txt");

static VERIFIER: LazyLock<Option<Verifier>> =
    LazyLock::new(|| TrustedRoot::parse(ROOT).ok().map(Verifier::new));

struct Anybody;

impl IdentityRule for Anybody {
    fn describe(&self) -> String {
        "anybody".to_owned()
    }

    fn check(&self, _: &Claims) -> Result<(), String> {
        Ok(())
    }
}

/// The verdict on a bundle in JSON, if it can be read; it survives storing and is proved again.
fn verdict(bundle: &[u8]) -> Option<Verdict> {
    let verifier = VERIFIER.as_ref()?;
    let context = Context {
        signer: ExpectedSigner::Identity(&Anybody),
        requirements: Requirements::sigstore(),
        at: Time::from_seconds(1_900_000_000),
    };
    let artifact = Artifact::Bytes(ARTIFACT);
    let verdict = verifier.verify_json(bundle, &artifact, &context).ok()?;
    assert_eq!(verdict.is_accepted(), verdict.result().is_ok());
    let stored = verdict.to_json().unwrap_or_default();
    assert_eq!(Verdict::parse(&stored).ok().as_ref(), Some(&verdict));
    assert!(verifier.recheck(&verdict, bundle, &artifact, context.signer).is_ok());
    Some(verdict)
}

/// A bundle with one member replaced.
fn with(bundle: &[u8], pointer: &str, value: Value) -> Vec<u8> {
    let mut document: Value = serde_json::from_slice(bundle).unwrap_or_default();
    match document.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => panic!("the sample has no {pointer}"),
    }
    document.to_string().into_bytes()
}

/// A bundle that is read is written and read again, and verifying it never panics.
pub(super) fn bundle(data: &[u8]) {
    let Ok(parsed) = Bundle::parse(data) else { return };
    let json = parsed.to_json().unwrap_or_default();
    assert_eq!(Bundle::parse(&json).ok(), Some(parsed));
    verdict(data);
}

/// No certificate but the signer's is accepted in its place.
pub(super) fn certificate(data: &[u8]) {
    let place = "/verificationMaterial/certificate/rawBytes";
    let forged = with(MESSAGE, place, json!(STANDARD.encode(data)));
    if verdict(&forged).is_some_and(|verdict| verdict.is_accepted()) {
        let original: Value = serde_json::from_slice(MESSAGE).unwrap_or_default();
        assert_eq!(original.pointer(place), Some(&json!(STANDARD.encode(data))));
    }
}

/// No timestamp that says another time is accepted.
pub(super) fn timestamp(data: &[u8]) {
    let place = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp";
    let times = |verdict: Option<Verdict>| {
        verdict.and_then(|verdict| verdict.result().ok().map(|proved| proved.times.clone()))
    };
    if let Some(found) = times(verdict(&with(MESSAGE, place, json!(STANDARD.encode(data))))) {
        assert_eq!(Some(found), times(verdict(MESSAGE)));
    }
}

/// An envelope that is read is written and read again; in a signed bundle none with another payload is accepted.
pub(super) fn dsse(data: &[u8]) {
    let Ok(envelope) = Envelope::parse(data) else { return };
    let json = envelope.to_json().unwrap_or_default();
    assert_eq!(Envelope::parse(&json).ok().as_ref(), Some(&envelope));
    let Ok(value) = serde_json::from_slice(data) else { return };
    if verdict(&with(STATEMENT, "/dsseEnvelope", value)).is_some_and(|verdict| verdict.is_accepted()) {
        let original = Bundle::parse(STATEMENT).ok();
        let payload = original.as_ref().and_then(Bundle::unverified_statement);
        assert_eq!(payload.map(Digest::sha256), Some(Digest::sha256(envelope.unverified_payload())));
    }
}
