//! Writes bundles that are good, and mutants of them: every fault of the Sigstore in memory, every member of the JSON changed in
//! every way that readers are known to differ about, bits of everything that is binary, the forms of all versions, envelopes,
//! statements, managed keys and trusted roots. `tests/scripts/sigstore-differential` gives them to other clients.
//!
//! usage: sigstore_mutants DIRECTORY
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a program for tests"
)]

mod forms;
mod members;
mod roots;
mod statements;

use std::fs;
use std::path::PathBuf;

use lotse_digest::Digest;
use lotse_sign::sandbox::{Fault, Sandbox, Setup};
use lotse_sign::{
    Artifact, Bundle, Claims, Content, Context, ExactIdentity, ExpectedSigner, Requirements, Scheme,
    SigningKey, SubjectName, Time, TrustedRoot, Verifier, VerifyingKey,
};
use serde_json::Value;

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const WORKFLOW: &str = "https://github.com/example/app/.github/workflows/release.yml@refs/tags/v1";
const ARTIFACT: &[u8] = b"artifact";

struct Out {
    directory: PathBuf,
    now: Time,
    rows: Vec<String>,
    key: VerifyingKey,
}

fn main() {
    #[expect(clippy::disallowed_methods, reason = "the clients ask the clock, too")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let now = Time::from_seconds(i64::try_from(now).unwrap() - 60);
    let directory = PathBuf::from(std::env::args().nth(1).expect("usage: sigstore_mutants DIRECTORY"));
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("artifact"), ARTIFACT).unwrap();
    let key = managed(1).verifying_key();
    fs::write(directory.join("key.pub"), key.to_pem()).unwrap();
    let mut out = Out { directory, now, rows: Vec::new(), key };
    for setup in [Setup::V2, Setup::V1, Setup::Both] {
        for (kind, content) in contents() {
            let name = format!("{setup:?}-{kind}").to_lowercase();
            out.faults(&name, setup, &content);
            let sigstore = Sandbox::new(&name, now);
            let good = [(); 2].map(|()| json(&sign(&sigstore, setup, &content).unwrap()));
            members::changed(&mut out, &name, &good, &sigstore.trusted_root_json());
        }
    }
    for setup in [Setup::V2, Setup::V1] {
        for (kind, content) in contents() {
            out.managed_keys(&format!("key-{setup:?}-{kind}").to_lowercase(), setup, &content);
        }
    }
    forms::write(&mut out);
    statements::write(&mut out);
    roots::write(&mut out);
    out.rows.sort();
    fs::write(out.directory.join("cases.tsv"), out.rows.join("\n") + "\n").unwrap();
    println!("{} cases", out.rows.len());
}

fn contents() -> [(&'static str, Content<'static>); 2] {
    [("message", Content::Artifact(ARTIFACT)), ("statement", Content::Statement(statement()))]
}

fn statement() -> Vec<u8> {
    let digest = Digest::sha256(ARTIFACT).encoded();
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"a","digest":{{"sha256":"{digest}"}}}}],"predicateType":"https://example.com/p","predicate":{{}}}}"#
    )
    .into_bytes()
}

fn sign(sigstore: &Sandbox, setup: Setup, content: &Content<'_>) -> Option<Bundle> {
    let mut claims = Claims::new(SubjectName::Uri(WORKFLOW.to_owned()));
    claims.issuer = Some(ISSUER.to_owned());
    sigstore.sign_with(setup, content.clone(), &claims).ok()
}

fn json(bundle: &Bundle) -> Value {
    serde_json::from_slice(&bundle.to_json().unwrap()).unwrap()
}

/// No secret: it follows from a number.
fn managed(number: u8) -> SigningKey {
    SigningKey::from_secret(Scheme::EcdsaP256Sha256, &[number; 32]).unwrap()
}

impl Out {
    /// One row: id, group, the change, our verdict, why; the files stand under the id. A group that begins with `key-` is asked
    /// with `key.pub`, any other with the identity.
    fn case(&mut self, group: &str, change: &str, bundle: &[u8], root: &[u8]) {
        let id = format!("{:05}", self.rows.len());
        fs::write(self.directory.join(format!("{id}.bundle.json")), bundle).unwrap();
        fs::write(self.directory.join(format!("{id}.root.json")), root).unwrap();
        let identity = ExactIdentity::new(WORKFLOW, ISSUER);
        let signer = match group.starts_with("key-") {
            true => ExpectedSigner::Key(&self.key),
            false => ExpectedSigner::Identity(&identity),
        };
        let at = Time::from_seconds(self.now.seconds() + 60);
        let context = Context { signer, requirements: Requirements::sigstore(), at };
        let judged = TrustedRoot::parse(root)
            .and_then(|root| Verifier::new(root).verify_json(bundle, &Artifact::Bytes(ARTIFACT), &context));
        let (said, why) = match judged {
            Ok(verdict) => match verdict.result() {
                Ok(_) => ("accept", String::new()),
                Err(refusal) => ("refuse", refusal.to_string()),
            },
            Err(error) => ("refuse", error.to_string()),
        };
        let why = why.replace(['\t', '\n'], " ");
        self.rows.push(format!("{id}\t{group}\t{change}\t{said}\t{why}"));
    }

    fn faults(&mut self, name: &str, setup: Setup, content: &Content<'_>) {
        let good = Sandbox::new(name, self.now);
        let bundle = sign(&good, setup, content).unwrap().to_json().unwrap();
        self.case(name, "none", &bundle, &good.trusted_root_json());
        for fault in Fault::ALL {
            let sigstore = Sandbox::with_faults(name, self.now, [fault]);
            if let Some(bundle) = sign(&sigstore, setup, content) {
                let root = sigstore.trusted_root_json();
                self.case(name, &format!("fault {fault:?}"), &bundle.to_json().unwrap(), &root);
            }
        }
    }

    fn managed_keys(&mut self, name: &str, setup: Setup, content: &Content<'_>) {
        let sigstore = Sandbox::new(name, self.now);
        let root = sigstore.trusted_root_json();
        let sign = |setup, key| json(&sigstore.sign_with_key(setup, content.clone(), &managed(key)).unwrap());
        let (good, other) = (sign(setup, 1), sign(setup, 2));
        self.case(name, "none", good.to_string().as_bytes(), &root);
        self.case(name, "signed with another key", other.to_string().as_bytes(), &root);
        let mut hinted = other.clone();
        hinted["verificationMaterial"]["publicKey"] = good["verificationMaterial"]["publicKey"].clone();
        self.case(
            name,
            "signed with another key, under this key's hint",
            hinted.to_string().as_bytes(),
            &root,
        );
        self.case(name, "no log", sign(Setup::NoLog, 1).to_string().as_bytes(), &root);
        let mut bare = good.clone();
        bare["verificationMaterial"]["tlogEntries"] = serde_json::json!([]);
        bare["verificationMaterial"]["timestampVerificationData"] = serde_json::json!({});
        self.case(name, "no log and no time", bare.to_string().as_bytes(), &root);
        let mut untimed = good.clone();
        untimed["verificationMaterial"]["timestampVerificationData"] = serde_json::json!({});
        self.case(name, "no time", untimed.to_string().as_bytes(), &root);
        members::changed(self, name, &[good, other], &root);
    }
}
