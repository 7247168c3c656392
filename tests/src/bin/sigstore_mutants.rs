//! Writes bundles that are good, and mutants of them: every fault of the Sigstore in memory, and every member of the JSON changed in
//! every way that readers are known to differ about. `tests/scripts/sigstore-differential` gives them to other clients.
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

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lotse_digest::Digest;
use lotse_sign::sandbox::{Fault, Sandbox, Setup};
use lotse_sign::{
    Artifact, Bundle, Claims, Content, Context, ExactIdentity, ExpectedSigner, Requirements, SubjectName,
    Time, TrustedRoot, Verifier,
};
use serde_json::{Value, json};

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const WORKFLOW: &str = "https://github.com/example/app/.github/workflows/release.yml@refs/tags/v1";
const ARTIFACT: &[u8] = b"artifact";

struct Out {
    directory: PathBuf,
    now: Time,
    rows: Vec<String>,
}

fn main() {
    #[expect(clippy::disallowed_methods, reason = "the clients ask the clock, too")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let now = Time::from_seconds(i64::try_from(now).unwrap() - 60);
    let directory = PathBuf::from(std::env::args().nth(1).expect("usage: sigstore_mutants DIRECTORY"));
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("artifact"), ARTIFACT).unwrap();
    let mut out = Out { directory, now, rows: Vec::new() };
    for setup in [Setup::V2, Setup::V1, Setup::Both] {
        for (kind, content) in
            [("message", Content::Artifact(ARTIFACT)), ("statement", Content::Statement(statement()))]
        {
            let name = format!("{setup:?}-{kind}").to_lowercase();
            out.faults(&name, setup, &content);
            out.json(&name, setup, &content);
        }
    }
    out.rows.sort();
    fs::write(out.directory.join("cases.tsv"), out.rows.join("\n") + "\n").unwrap();
    println!("{} cases", out.rows.len());
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

impl Out {
    /// One row: id, the change, our verdict, why; the files stand under the id.
    fn case(&mut self, group: &str, change: &str, bundle: &[u8], root: &[u8]) {
        let id = format!("{:05}", self.rows.len());
        fs::write(self.directory.join(format!("{id}.bundle.json")), bundle).unwrap();
        fs::write(self.directory.join(format!("{id}.root.json")), root).unwrap();
        let identity = ExactIdentity::new(WORKFLOW, ISSUER);
        let at = Time::from_seconds(self.now.seconds() + 60);
        let context = Context {
            signer: ExpectedSigner::Identity(&identity),
            requirements: Requirements::sigstore(),
            at,
        };
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

    fn json(&mut self, name: &str, setup: Setup, content: &Content<'_>) {
        let sigstore = Sandbox::new(name, self.now);
        let root = sigstore.trusted_root_json();
        let read = || -> Value {
            serde_json::from_slice(&sign(&sigstore, setup, content).unwrap().to_json().unwrap()).unwrap()
        };
        let (good, other) = (read(), read());
        let mut pointers = Vec::new();
        collect(&good, String::new(), &mut pointers);
        for pointer in &pointers {
            let original = good.pointer(pointer).unwrap().clone();
            let short =
                pointer.rsplit_once("/verificationMaterial").map_or(pointer.as_str(), |(_, rest)| rest);
            for (change, value) in changes(&original, other.pointer(pointer)) {
                let mut mutant = good.clone();
                match value {
                    Some(value) => *mutant.pointer_mut(pointer).unwrap() = value,
                    None => remove(&mut mutant, pointer),
                }
                self.case(name, &format!("{change} {short}"), mutant.to_string().as_bytes(), &root);
            }
            if original.is_object() {
                let mut mutant = good.clone();
                mutant.pointer_mut(pointer).unwrap()["surprise"] = json!(1);
                self.case(name, &format!("unknown member in {short}"), mutant.to_string().as_bytes(), &root);
            }
        }
        let text = good.to_string();
        for (change, mutant) in [
            ("trailing newline", format!("{text}\n")),
            ("trailing value", format!("{text} {{}}")),
            ("byte order mark", format!("\u{feff}{text}")),
            ("member twice", text.replacen('{', r#"{"mediaType":"x","#, 1)),
            ("snake case", text.replace("verificationMaterial", "verification_material")),
        ] {
            self.case(name, change, mutant.as_bytes(), &root);
        }
    }
}

fn collect(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                collect(value, format!("{pointer}/{key}"), pointers);
            }
        }
        Value::Array(items) => {
            for (number, value) in items.iter().enumerate() {
                collect(value, format!("{pointer}/{number}"), pointers);
            }
        }
        _ => {}
    }
    if !pointer.is_empty() {
        pointers.push(pointer);
    }
}

/// The changes of a value; `None` takes the member away.
fn changes(value: &Value, other: Option<&Value>) -> Vec<(&'static str, Option<Value>)> {
    let mut changes = vec![("absent", None), ("null", Some(Value::Null))];
    if let Some(other) = other.filter(|other| *other != value) {
        changes.push(("another bundle's", Some(other.clone())));
    }
    match value {
        Value::String(text) => {
            changes.push(("empty", Some(json!(""))));
            if let Ok(number) = text.parse::<i64>() {
                changes.push(("number", Some(json!(number))));
                changes.push(("plus one", Some(json!((number + 1).to_string()))));
                changes.push(("negative", Some(json!((-number - 1).to_string()))));
                changes.push(("leading zero", Some(json!(format!("0{text}")))));
                changes.push(("float", Some(json!(format!("{text}.0")))));
            } else if let Ok(bytes) = STANDARD.decode(text)
                && bytes.len() > 8
            {
                let mut flipped = bytes.clone();
                let middle = flipped.len() / 2;
                flipped[middle] ^= 1;
                changes.push(("bit flipped", Some(json!(STANDARD.encode(&flipped)))));
                changes.push(("cut", Some(json!(STANDARD.encode(&bytes[..bytes.len() - 1])))));
                changes.push(("byte behind", Some(json!(STANDARD.encode([&bytes[..], &[0]].concat())))));
                changes.push(("unpadded", Some(json!(text.trim_end_matches('=')))));
                changes.push(("URL-safe", Some(json!(text.replace('+', "-").replace('/', "_")))));
                changes.push(("line break", Some(json!(format!("{}\n{}", &text[..4], &text[4..])))));
            } else {
                changes.push(("longer", Some(json!(format!("{text}x")))));
                changes.push(("upper case", Some(json!(text.to_uppercase()))));
            }
        }
        Value::Array(items) => {
            changes.push(("empty", Some(json!([]))));
            if let Some(first) = items.first() {
                changes.push((
                    "first twice",
                    Some(Value::Array([std::slice::from_ref(first), items.as_slice()].concat())),
                ));
                let reversed: Vec<Value> = items.iter().rev().cloned().collect();
                if reversed != *items {
                    changes.push(("reversed", Some(Value::Array(reversed))));
                }
            }
        }
        Value::Object(_) => changes.push(("empty", Some(json!({})))),
        _ => {}
    }
    changes.retain(|(_, changed)| changed.as_ref() != Some(value));
    changes
}

fn remove(document: &mut Value, pointer: &str) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.remove(key);
        }
        Some(Value::Array(items)) => {
            items.remove(key.parse().unwrap());
        }
        _ => {}
    }
}
