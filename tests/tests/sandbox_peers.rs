//! What the Sigstore in memory makes is accepted by clients that know nothing of it, and its faults are not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stderr,
    reason = "a test states what must hold"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use lotse_sign::sandbox::{Fault, Sandbox, Setup};
use lotse_sign::{Claims, Content, SubjectName};
use lotse_tests::peer;

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const WORKFLOW: &str = "https://github.com/example/app/.github/workflows/release.yml@refs/tags/v1";
const ARTIFACT: &[u8] = b"artifact";

/// The sandbox's clock stands shortly before the clients', which judge some windows by their own.
fn sandbox(faults: &[Fault]) -> Sandbox {
    #[expect(clippy::disallowed_methods, reason = "the clients ask the clock too")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let now = lotse_sign::Time::from_seconds(i64::try_from(now).unwrap() - 60);
    Sandbox::with_faults("peers", now, faults.iter().copied())
}

fn write(directory: &Path, sigstore: &Sandbox, setup: Setup) -> bool {
    let mut claims = Claims::new(SubjectName::Uri(WORKFLOW.to_owned()));
    claims.issuer = Some(ISSUER.to_owned());
    let Ok(bundle) = sigstore.sign_with(setup, Content::Artifact(ARTIFACT), &claims) else { return false };
    fs::write(directory.join("bundle.json"), bundle.to_json().unwrap()).unwrap();
    fs::write(directory.join("root.json"), sigstore.trusted_root_json()).unwrap();
    fs::write(directory.join("artifact"), ARTIFACT).unwrap();
    true
}

fn run(directory: &Path, program: &Path, verb: &[&str]) -> Output {
    Command::new(program)
        .args(verb)
        .args(["--bundle", "bundle.json", "--trusted-root", "root.json"])
        .args(["--certificate-identity", WORKFLOW, "--certificate-oidc-issuer", ISSUER, "artifact"])
        .current_dir(directory)
        .output()
        .unwrap()
}

#[test]
fn cosign_accepts_what_the_sandbox_signs_and_not_its_faults() {
    let Some(cosign) = peer("cosign") else { return };
    let directory = tempfile::tempdir().unwrap();
    for setup in [Setup::V1, Setup::V2, Setup::Both] {
        assert!(write(directory.path(), &sandbox(&[]), setup));
        let output = run(directory.path(), &cosign, &["verify-blob"]);
        assert!(output.status.success(), "{setup:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    for fault in [
        Fault::LeafSignedByAnotherKey,
        Fault::SctSignedByAnotherKey,
        Fault::TimestampOfAnotherSignature,
        Fault::TimestampSignedByAnotherKey,
        Fault::EntryOfAnotherSignature,
        Fault::ProofCut,
        Fault::CheckpointSignedByAnotherKey,
        Fault::RootTimestampWindowEnded,
    ] {
        assert!(write(directory.path(), &sandbox(&[fault]), Setup::V2));
        let output = run(directory.path(), &cosign, &["verify-blob"]);
        assert!(!output.status.success(), "cosign accepts {fault:?}");
    }
}
