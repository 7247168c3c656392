//! Policies over signed images against the verdicts of the Policy Controller's tester.
#![cfg(feature = "rego")]
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
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lotse_digest::Digest;
use lotse_sign::Time;
use lotse_sign::policy::{
    Admission, Decision, ImageRegistry, NoMatch, PolicySet, ReadOptions, Resource, parse_trust_root,
};

/// Names that the tester's and our messages spell differently, and rows where ours is another verdict on purpose: each stands in
/// DIVERGENCES.md.
const OTHER_VERDICT: [&str; 2] = ["e589", "e597"];

struct Recorded {
    manifests: BTreeMap<(String, String), String>,
    blobs: BTreeMap<String, Vec<u8>>,
}

impl Recorded {
    fn read() -> Self {
        let mut text = String::new();
        let file = fs::File::open(data().join("registry.tsv.gz")).unwrap();
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
        let mut recorded = Self { manifests: BTreeMap::new(), blobs: BTreeMap::new() };
        for line in text.lines() {
            let cells: Vec<&str> = line.split('\t').collect();
            if cells[0] == "M" {
                recorded.manifests.insert((cells[1].to_owned(), cells[2].to_owned()), cells[3].to_owned());
            } else {
                let bytes = STANDARD.decode(cells[1]).unwrap();
                recorded.blobs.insert(Digest::sha256(&bytes).to_string(), bytes);
            }
        }
        recorded
    }
}

impl ImageRegistry for Recorded {
    fn manifest(&self, repository: &str, reference: &str) -> Result<Option<Vec<u8>>, String> {
        let repository = repository.split_once('/').unwrap().1.to_owned();
        let digest = if reference.starts_with("sha256:") {
            Some(reference.to_owned())
        } else {
            self.manifests.get(&(repository, reference.to_owned())).cloned()
        };
        Ok(digest.and_then(|digest| self.blobs.get(&digest).cloned()))
    }

    fn blob(&self, _repository: &str, digest: &Digest, _size: u64) -> Result<Option<Vec<u8>>, String> {
        Ok(self.blobs.get(&digest.to_string()).cloned())
    }

    fn referrers(&self, repository: &str, digest: &Digest) -> Result<Option<Vec<u8>>, String> {
        self.manifest(repository, &digest.to_string().replace(':', "-"))
    }
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/policy")
}

fn text(cell: &str) -> String {
    match cell {
        "-" => String::new(),
        quoted => serde_json::from_str(quoted).unwrap(),
    }
}

fn now() -> Time {
    "2026-11-21T20:00:00Z".parse().unwrap()
}

#[test]
fn images_are_judged_as_the_tester_judges_them() {
    let registry = Recorded::read();
    let (mut wrong, mut words, mut rows) = (Vec::new(), Vec::new(), 0);
    for line in fs::read_to_string(data().join("end-to-end.tsv")).unwrap().lines().skip(1) {
        rows += 1;
        let row: Vec<&str> = line.split('\t').collect();
        let read = |folder: &str, name: &str| fs::read_to_string(data().join(folder).join(name)).unwrap();
        let set = PolicySet::parse(&read("policies", row[1]), ReadOptions::default()).unwrap();
        let resource = (row[4] != "-").then(|| Resource::parse(&read("resources", row[4])).unwrap());
        let mut admission = Admission::new(now(), NoMatch::Deny);
        if row[5] != "-" {
            let (name, root) = parse_trust_root(&read("resources", row[5])).unwrap();
            admission = admission.with_root(&name, root);
        }
        let verdict = admission.judge(set.policies(), row[3], resource.as_ref(), &registry);
        let ours = match verdict.decision {
            Decision::Admitted => "accept",
            Decision::Refused => "refuse",
            _ => "undecided",
        };
        let (theirs, message) = (row[7], text(row[8]).replace('\u{a0}', " "));
        if ours != theirs && !OTHER_VERDICT.contains(&row[0]) {
            wrong.push(format!(
                "{} {} {}: {ours} {}\n  the tester {theirs} {message}",
                row[0], row[1], row[2], verdict.message
            ));
        } else if ours == theirs && verdict.message != message {
            words.push(format!("{} {}\n  ours {}\n  theirs {message}", row[0], row[1], verdict.message));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(words.len() <= 1, "{} of {rows} messages differ:\n{}", words.len(), words.join("\n"));
}
