//! The chain from a commit to a running container: whole from every end, and every manipulation found at its link.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::collections::BTreeMap;

use lotse_digest::Digest;
use lotse_provenance::{
    Actor, Attested, AttestedBy, BundleVerifier, Chain, ChainRules, CiFacts, CommitEvidence,
    ContainerEvidence, Error, Event, Evidence, Expected, KeyVerifier, LinkKind, LinkState, Log, LogEvidence,
    LoggedEntry, ManifestEvidence, MemoryStore, PodEvidence, Provenance, ReleaseEvidence, RepositoryIdentity,
    ResourceDescriptor, SigstoreVerifier, Start, Statement, Subject, VsaResult,
};
use lotse_sign::{
    Bundle, Checkpoint, Claims, Context, ExpectedSigner, IdentityRule, Requirements, Scheme, SigningKey,
    SubjectName, Time, TlogProof, TrustedRoot, Verifier, VerifyingKey,
};

const COMMIT: &str = "513167b3b49f4c6aeec82c14b4db965623680059";
const OTHER: &str = "0000000000000000000000000000000000000001";
const REPOSITORY: &str = "registry.example/team/app";
const ORIGIN: &str = "log.example/app";
const SOURCE: &str = "https://github.com/team/app";
const WORKFLOW: &str = "https://github.com/team/app/.github/workflows/release.yml@refs/heads/main";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_secret(Scheme::Ed25519, &[seed; 32]).unwrap()
}

fn manifest(name: &str) -> Vec<u8> {
    let config = Digest::sha256(format!("config of {name}").as_bytes());
    format!(r#"{{"schemaVersion":2,"config":{{"digest":"{config}","size":1}},"layers":[]}}"#).into_bytes()
}

fn child(bytes: &[u8], platform: &str) -> String {
    let (os, architecture) = platform.split_once('/').unwrap();
    format!(
        r#"{{"digest":"{}","platform":{{"os":"{os}","architecture":"{architecture}"}}}}"#,
        Digest::sha256(bytes)
    )
}

fn index(children: &[String]) -> Vec<u8> {
    format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, children.join(",")).into_bytes()
}

/// The documents of an image as BuildKit makes it: an index with two platforms and an attestation.
struct Image {
    amd64: Vec<u8>,
    arm64: Vec<u8>,
    attestation: Vec<u8>,
    index: Vec<u8>,
}

impl Image {
    fn new() -> Self {
        let (amd64, arm64, attestation) = (manifest("amd64"), manifest("arm64"), manifest("attestation"));
        let index = index(&[
            child(&amd64, "linux/amd64"),
            child(&arm64, "linux/arm64"),
            child(&attestation, "unknown/unknown"),
        ]);
        Self { amd64, arm64, attestation, index }
    }

    fn digest(&self) -> Digest {
        Digest::sha256(&self.index)
    }

    fn documents(&self) -> Vec<Vec<u8>> {
        vec![self.index.clone(), self.amd64.clone(), self.arm64.clone()]
    }
}

fn provenance(commit: &str) -> Provenance {
    let mut ci = CiFacts::default();
    ci.repository = Some(SOURCE.to_owned());
    ci.reference = Some("refs/heads/main".to_owned());
    ci.event = Some("push".to_owned());
    ci.run = Some(format!("{SOURCE}/actions/runs/18487769733/attempts/1"));
    ci.commit = Some(commit.to_owned());
    let source = ResourceDescriptor::git(Some(SOURCE), commit);
    Provenance::new("https://lotse.dev/build/release/v1", "https://lotse.dev/builder", source)
        .with_ci(&ci)
        .unwrap()
}

fn signed(statement: &Statement, key: &SigningKey) -> Vec<u8> {
    Bundle::sign_statement(statement.to_json().unwrap(), key).unwrap().to_json().unwrap()
}

fn attested(image: &Digest, commit: &str) -> Vec<u8> {
    signed(&provenance(commit).statement(vec![Subject::new("app", image)]).unwrap(), &key(1))
}

fn event(image: &Digest, commit: &str) -> Event {
    let mut event =
        Event::new("2025-10-14T06:40:00Z".parse().unwrap(), "ci", Actor::bot("ci"), "release", "app");
    event.commit = Some(commit.to_owned());
    event.images = BTreeMap::from([("app".to_owned(), image.clone())]);
    event
}

/// A log with some entries around the one that matters; the entry with its proof, and the checkpoint.
fn logged(event: &Event, seed: u8) -> (LoggedEntry, Checkpoint) {
    let mut log = Log::over(MemoryStore::new()).unwrap();
    let other = Digest::sha256(b"other");
    let around = |number: usize| self::event(&other, &format!("{number:040x}"));
    let mut events: Vec<Event> = (0..5).map(around).collect();
    events.push(event.clone());
    events.extend((6..9).map(around));
    log.append_all(&events, ORIGIN, &key(seed)).unwrap();
    let entry = LoggedEntry { entry: log.entry(5).unwrap(), proof: log.prove(5).unwrap().to_text() };
    (entry, log.verify(ORIGIN, &key(seed).verifying_key()).unwrap())
}

fn evidence() -> Evidence {
    let image = Image::new();
    let pinned = format!("{REPOSITORY}@{}", image.digest());
    let mut evidence = Evidence::default();
    evidence.commit = Some(CommitEvidence {
        id: COMMIT.to_owned(),
        tags: BTreeMap::from([("v1.40.19".to_owned(), COMMIT.to_owned())]),
        author_time: Some("2025-10-14T06:36:07Z".parse().unwrap()),
        on_protected_branch: Some(true),
        reviewed: Some(true),
    });
    evidence.release = Some(ReleaseEvidence {
        tag: "v1.40.19".to_owned(),
        published: Some("2025-10-14T06:36:20Z".parse().unwrap()),
    });
    let mut run = CiFacts::default();
    run.repository = Some(SOURCE.to_owned());
    run.repository_id = Some("101".to_owned());
    run.commit = Some(COMMIT.to_owned());
    run.reference = Some("refs/heads/main".to_owned());
    run.event = Some("push".to_owned());
    run.run = Some(format!("{SOURCE}/actions/runs/18487769733/attempts/1"));
    evidence.run = Some(run);
    evidence.manifests = vec![ManifestEvidence {
        path: "apps/app/deployment.yaml".to_owned(),
        commit: Some(OTHER.to_owned()),
        namespace: Some("prod".to_owned()),
        image: pinned.clone(),
    }];
    evidence.pods = vec![PodEvidence {
        name: "app-0".to_owned(),
        namespace: Some("prod".to_owned()),
        containers: vec![
            ContainerEvidence {
                name: "app".to_owned(),
                image: pinned.clone(),
                image_id: Some(pinned.clone()),
            },
            ContainerEvidence {
                name: "migrate".to_owned(),
                image: pinned,
                image_id: Some(format!("docker-pullable://{REPOSITORY}@{}", Digest::sha256(&image.amd64))),
            },
        ],
    }];
    evidence.documents = image.documents();
    evidence.bundles = vec![attested(&image.digest(), COMMIT)];
    evidence.log = Some(LogEvidence::Proved(vec![logged(&event(&image.digest(), COMMIT), 9).0]));
    evidence
}

/// What a test may change: the evidence, and what the certificate says, if there is one.
struct Case {
    evidence: Evidence,
    claims: Option<Claims>,
    seen: Vec<Checkpoint>,
    platform: Option<&'static str>,
    start: Start,
}

impl Case {
    fn good() -> Self {
        let start = Start::Image(Image::new().digest());
        Self { evidence: evidence(), claims: None, seen: Vec::new(), platform: Some("linux/amd64"), start }
    }

    fn claims(&mut self) -> &mut Claims {
        self.claims.get_or_insert_with(claims)
    }

    fn container(&mut self) -> &mut ContainerEvidence {
        &mut self.evidence.pods[0].containers[0]
    }

    fn walk(&self) -> Chain {
        let public: VerifyingKey = key(1).verifying_key();
        let by_key = KeyVerifier(&public);
        let verifier = Certified { key: by_key, claims: self.claims.clone() };
        let log_key = key(9).verifying_key();
        let identity =
            RepositoryIdentity { uri: SOURCE.to_owned(), id: Some("101".to_owned()), owner_id: None };
        let branch = Expected::Branch("main".to_owned());
        let mut rules = ChainRules::new(&verifier);
        rules.repository = Some(&identity);
        rules.reference = Some(&branch);
        rules.image_repository = Some(REPOSITORY);
        rules.namespace = Some("prod");
        rules.platform = self.platform;
        rules.log = Some((ORIGIN, &log_key));
        rules.seen = &self.seen;
        Chain::walk(&self.start, &self.evidence, &rules)
    }
}

/// A key's signature that counts as a certificate's: what a Sigstore verification would hand on.
struct Certified<'a> {
    key: KeyVerifier<'a>,
    claims: Option<Claims>,
}

impl BundleVerifier for Certified<'_> {
    fn verify(&self, bundle: &[u8], images: &[Digest]) -> Result<Attested, String> {
        let attested = self.key.verify(bundle, images)?;
        Ok(match &self.claims {
            Some(claims) => {
                Attested { signer: AttestedBy::Certificate(Box::new(claims.clone())), ..attested }
            }
            None => attested,
        })
    }
}

fn claims() -> Claims {
    let mut claims = Claims::new(SubjectName::Uri(WORKFLOW.to_owned()));
    claims.build_signer_uri = Some(WORKFLOW.to_owned());
    claims.source_repository_uri = Some(SOURCE.to_owned());
    claims.source_repository_identifier = Some("101".to_owned());
    claims.source_repository_digest = Some(COMMIT.to_owned());
    claims.source_repository_ref = Some("refs/heads/main".to_owned());
    claims.build_trigger = Some("push".to_owned());
    claims.run_invocation_uri = Some(format!("{SOURCE}/actions/runs/18487769733/attempts/1"));
    claims.runner_environment = Some("github-hosted".to_owned());
    claims
}

#[test]
fn the_chain_is_whole_from_every_end() {
    let image = Image::new();
    let starts = [
        Start::Image(image.digest()),
        Start::Image(Digest::sha256(&image.amd64)),
        Start::ImageId(format!("docker-pullable://{REPOSITORY}@{}", image.digest())),
        Start::ImageId(Digest::sha256(b"config of amd64").to_string()),
        Start::Reference(format!("{REPOSITORY}@{}", image.digest())),
        Start::Commit(COMMIT.to_owned()),
        Start::Manifest("apps/app/deployment.yaml".to_owned()),
    ];
    for start in starts {
        for certified in [false, true] {
            let mut case = Case { start: start.clone(), ..Case::good() };
            if certified {
                case.claims();
            }
            let chain = case.walk();
            assert!(chain.is_whole(), "{start:?}: {:#?}", chain.links);
            assert_eq!(chain.commit.as_deref(), Some(COMMIT), "{start:?}");
            assert!(chain.image.is_some());
            assert_eq!(chain.links.len(), 8);
        }
    }
    let mut by_tag = Case { start: Start::Reference(format!("{REPOSITORY}:v1")), ..Case::good() };
    by_tag.evidence.tags.insert(format!("{REPOSITORY}:v1"), image.digest());
    assert!(by_tag.walk().is_whole(), "a tag that somebody looked up may begin, but it proves nothing");
    let summary = Case::good().walk().summary(
        "https://checker.example",
        "pkg:oci/app",
        ResourceDescriptor::new("x", &image.digest()),
    );
    assert_eq!((summary.result(), summary.levels().len()), (VsaResult::Passed, 8));
}

#[test]
fn every_manipulation_breaks_its_link() {
    let image = Image::new;
    let other = || Digest::sha256(b"another image");
    type Change = Box<dyn Fn(&mut Case)>;
    let log_with = |event: Event, seed: u8| -> Change {
        Box::new(move |case| case.evidence.log = Some(LogEvidence::Proved(vec![logged(&event, seed).0])))
    };
    let table: Vec<(&str, LinkKind, Change)> = vec![
        (
            "tag moved",
            LinkKind::Commit,
            Box::new(|case| {
                case.evidence.commit.as_mut().unwrap().tags.values_mut().for_each(|to| *to = OTHER.to_owned())
            }),
        ),
        (
            "not on the protected branch",
            LinkKind::Commit,
            Box::new(|case| case.evidence.commit.as_mut().unwrap().on_protected_branch = Some(false)),
        ),
        (
            "not reviewed",
            LinkKind::Commit,
            Box::new(|case| case.evidence.commit.as_mut().unwrap().reviewed = Some(false)),
        ),
        (
            "written after its release",
            LinkKind::Commit,
            Box::new(|case| {
                case.evidence.commit.as_mut().unwrap().author_time =
                    Some("2025-10-15T00:00:00Z".parse().unwrap())
            }),
        ),
        (
            "another run",
            LinkKind::Run,
            Box::new(|case| {
                case.evidence.run.as_mut().unwrap().run = Some(format!("{SOURCE}/actions/runs/1/attempts/1"))
            }),
        ),
        (
            "other checkout",
            LinkKind::Run,
            Box::new(|case| case.evidence.run.as_mut().unwrap().commit = Some(OTHER.to_owned())),
        ),
        (
            "look-alike ref",
            LinkKind::Run,
            Box::new(|case| {
                let mut ci = CiFacts::default();
                ci.repository = Some(SOURCE.to_owned());
                ci.reference = Some("refs/heads/main2".to_owned());
                let provenance = Provenance::new(
                    "https://lotse.dev/build/release/v1",
                    "https://lotse.dev/builder",
                    ResourceDescriptor::git(Some(SOURCE), COMMIT),
                )
                .with_ci(&ci)
                .unwrap();
                let image = Image::new().digest();
                case.evidence.bundles =
                    vec![signed(&provenance.statement(vec![Subject::new("app", &image)]).unwrap(), &key(1))];
                case.evidence.run.as_mut().unwrap().reference = Some("refs/heads/main2".to_owned());
            }),
        ),
        (
            "foreign reusable workflow",
            LinkKind::Run,
            Box::new(|case| {
                case.claims().build_signer_uri =
                    Some("https://github.com/evil/build/.github/workflows/x.yml@refs/heads/main".to_owned())
            }),
        ),
        (
            "self-hosted runner",
            LinkKind::Run,
            Box::new(|case| case.claims().runner_environment = Some("self-hosted".to_owned())),
        ),
        (
            "repository registered again",
            LinkKind::Run,
            Box::new(|case| {
                case.claims().source_repository_identifier = Some("999".to_owned());
                case.evidence.run = None;
            }),
        ),
        (
            "no repository id to compare",
            LinkKind::Run,
            Box::new(|case| case.evidence.run.as_mut().unwrap().repository_id = None),
        ),
        (
            "look-alike repository",
            LinkKind::Run,
            Box::new(|case| {
                case.claims().source_repository_uri = Some("https://github.com/tearn/app".to_owned())
            }),
        ),
        (
            "certificate of another commit",
            LinkKind::Run,
            Box::new(|case| case.claims().source_repository_digest = Some(OTHER.to_owned())),
        ),
        (
            "certificate of another trigger",
            LinkKind::Run,
            Box::new(|case| case.claims().build_trigger = Some("workflow_dispatch".to_owned())),
        ),
        (
            "built from a pull request",
            LinkKind::Run,
            Box::new(|case| {
                case.claims().source_repository_ref = Some("refs/pull/12/merge".to_owned());
            }),
        ),
        ("bundle removed", LinkKind::Provenance, Box::new(|case| case.evidence.bundles.clear())),
        (
            "statement about another image",
            LinkKind::Provenance,
            Box::new(move |case| case.evidence.bundles = vec![attested(&other(), COMMIT)]),
        ),
        (
            "signed by another key",
            LinkKind::Provenance,
            Box::new(move |case| {
                let statement =
                    provenance(COMMIT).statement(vec![Subject::new("app", &image().digest())]).unwrap();
                case.evidence.bundles = vec![signed(&statement, &key(2))];
            }),
        ),
        (
            "statement changed",
            LinkKind::Provenance,
            Box::new(|case| {
                let text = String::from_utf8(case.evidence.bundles[0].clone()).unwrap();
                let at = text.find("\"payload\":\"").unwrap() + 30;
                let mut bytes = text.into_bytes();
                bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
                case.evidence.bundles = vec![bytes];
            }),
        ),
        (
            "a false bundle beside a good one",
            LinkKind::Provenance,
            Box::new(move |case| {
                let statement =
                    provenance(COMMIT).statement(vec![Subject::new("app", &image().digest())]).unwrap();
                case.evidence.bundles.push(signed(&statement, &key(2)));
            }),
        ),
        (
            "two commits for one image",
            LinkKind::Provenance,
            Box::new(move |case| case.evidence.bundles.push(attested(&image().digest(), OTHER))),
        ),
        (
            "only an SBOM is signed",
            LinkKind::Provenance,
            Box::new(move |case| {
                let statement = Statement::new(
                    vec![Subject::new("app", &image().digest())],
                    "https://spdx.dev/Document",
                    b"{}",
                )
                .unwrap();
                case.evidence.bundles = vec![signed(&statement, &key(1))];
            }),
        ),
        (
            "signed, but nobody says which run built it",
            LinkKind::Provenance,
            Box::new(move |case| {
                let statement = Statement::new(
                    vec![Subject::new("app", &image().digest())],
                    "https://sigstore.dev/cosign/sign/v1",
                    b"{}",
                )
                .unwrap();
                case.evidence.bundles = vec![signed(&statement, &key(1))];
                case.claims();
            }),
        ),
        (
            "unknown build type",
            LinkKind::Provenance,
            Box::new(move |case| {
                let provenance =
                    Provenance::new("https://example.com/build", "b", ResourceDescriptor::git(None, COMMIT));
                case.evidence.bundles = vec![signed(
                    &provenance.statement(vec![Subject::new("app", &image().digest())]).unwrap(),
                    &key(1),
                )];
            }),
        ),
        (
            "only a tag connects commit and image",
            LinkKind::Provenance,
            Box::new(move |case| {
                case.evidence.bundles.clear();
                case.evidence.tags.insert(format!("{REPOSITORY}:{COMMIT}"), image().digest());
            }),
        ),
        (
            "a child is signed, the index is pinned",
            LinkKind::Provenance,
            Box::new(move |case| {
                case.evidence.bundles = vec![attested(&Digest::sha256(&image().amd64), COMMIT)]
            }),
        ),
        (
            "an attestation runs as image",
            LinkKind::Index,
            Box::new(move |case| {
                case.container().image_id = Some(Digest::sha256(&image().attestation).to_string())
            }),
        ),
        (
            "a child that the index does not hold",
            LinkKind::Index,
            Box::new(move |case| case.container().image_id = Some(other().to_string())),
        ),
        (
            "a child for another platform",
            LinkKind::Index,
            Box::new(move |case| {
                case.container().image_id = Some(Digest::sha256(&image().arm64).to_string())
            }),
        ),
        (
            "two children of one index",
            LinkKind::Index,
            Box::new(move |case| {
                case.platform = None;
                case.container().image_id = Some(Digest::sha256(&image().arm64).to_string());
            }),
        ),
        (
            "an index that is a manifest too",
            LinkKind::Index,
            Box::new(|case| {
                case.evidence.documents.push(br#"{"manifests":[],"config":{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}"#.to_vec())
            }),
        ),
        (
            "indexes in indexes without end",
            LinkKind::Index,
            Box::new(|case| {
                let mut bytes = Image::new().index;
                for _ in 0..6 {
                    bytes = index(&[child(&bytes, "linux/amd64")]);
                    case.evidence.documents.push(bytes.clone());
                }
                case.start = Start::Image(Digest::sha256(&bytes));
            }),
        ),
        (
            "pinned by tag",
            LinkKind::Manifest,
            Box::new(|case| case.evidence.manifests[0].image = format!("{REPOSITORY}:1.40.19")),
        ),
        (
            "another image pinned",
            LinkKind::Manifest,
            Box::new(move |case| {
                case.evidence.documents.clear();
                case.evidence.pods[0].containers.pop();
                case.evidence.manifests[0].image = format!("{REPOSITORY}@{}", other());
            }),
        ),
        (
            "repository spelt differently",
            LinkKind::Manifest,
            Box::new(move |case| {
                case.evidence.manifests[0].image = format!("registry.example/tearn/app@{}", image().digest())
            }),
        ),
        (
            "manifest of another namespace",
            LinkKind::Manifest,
            Box::new(|case| case.evidence.manifests[0].namespace = Some("stage".to_owned())),
        ),
        (
            "no image reference",
            LinkKind::Manifest,
            Box::new(|case| case.evidence.manifests[0].image = "not an image".to_owned()),
        ),
        (
            "pod pinned by tag",
            LinkKind::Pod,
            Box::new(|case| case.container().image = format!("{REPOSITORY}:1.40.19")),
        ),
        (
            "drift: a pod of another revision",
            LinkKind::Pod,
            Box::new(move |case| {
                case.evidence.documents.clear();
                case.evidence.pods[0].containers.pop();
                *case.container() = ContainerEvidence {
                    name: "app".to_owned(),
                    image: format!("{REPOSITORY}@{}", other()),
                    image_id: Some(other().to_string()),
                };
            }),
        ),
        (
            "pod in another namespace",
            LinkKind::Pod,
            Box::new(|case| case.evidence.pods[0].namespace = Some("default".to_owned())),
        ),
        (
            "a webhook changed the repository",
            LinkKind::Pod,
            Box::new(move |case| case.container().image = format!("mirror.example/app@{}", image().digest())),
        ),
        (
            "retag between pull and start",
            LinkKind::Container,
            Box::new(move |case| {
                case.evidence.documents.clear();
                case.evidence.pods[0].containers.pop();
                case.container().image_id = Some(other().to_string());
            }),
        ),
        (
            "a container without status",
            LinkKind::Container,
            Box::new(|case| case.container().image_id = None),
        ),
        (
            "an imageID without digest",
            LinkKind::Container,
            Box::new(|case| case.container().image_id = Some("app:latest".to_owned())),
        ),
        ("log entry of another image", LinkKind::Log, log_with(event(&other(), COMMIT), 9)),
        ("log entry of another commit", LinkKind::Log, log_with(event(&image().digest(), OTHER), 9)),
        ("log of another key", LinkKind::Log, log_with(event(&image().digest(), COMMIT), 8)),
        ("log entry changed", LinkKind::Log, Box::new(|case| entry(case, &|logged| logged.entry[20] ^= 1))),
        (
            "log entry moved",
            LinkKind::Log,
            Box::new(|case| entry(case, &|logged| logged.proof = logged.proof.replace("index 5", "index 4"))),
        ),
        ("log proof cut", LinkKind::Log, Box::new(|case| entry(case, &|logged| logged.proof.truncate(60)))),
        (
            "log forked",
            LinkKind::Log,
            Box::new(move |case| case.seen = vec![logged(&event(&other(), COMMIT), 9).1]),
        ),
        (
            "log rolled back",
            LinkKind::Log,
            Box::new(|case| case.seen = vec![Checkpoint::new(ORIGIN, 100, [1; 32])]),
        ),
    ];
    assert!(table.len() >= 30);
    let mut kinds = std::collections::BTreeSet::new();
    for (name, kind, change) in &table {
        for start in [Some(Start::Commit(COMMIT.to_owned())), None] {
            let mut case = Case::good();
            change(&mut case);
            let forward = start.is_some();
            // From a commit there is no image to compare with until something is signed; those of places begin at the image.
            if let Some(start) =
                start.filter(|_| matches!(kind, LinkKind::Commit | LinkKind::Run | LinkKind::Log))
            {
                case.start = start;
            }
            let chain = case.walk();
            let broken = chain.broken().unwrap_or_else(|| panic!("{name} is not found: {:#?}", chain.links));
            assert_eq!(broken.kind, *kind, "{name} (forward: {forward}): {broken}");
            assert!(!chain.is_whole());
            let at = chain.links.iter().position(|link| link == broken).unwrap();
            assert!(chain.links[at + 1..].iter().all(|link| link.state == LinkState::NotReached), "{name}");
        }
        kinds.insert(*kind);
    }
    assert_eq!(kinds.len(), 8, "every link is broken by something");
    println!("{} manipulations, each found at its link", table.len());
}

fn entry(case: &mut Case, change: &dyn Fn(&mut LoggedEntry)) {
    let Some(LogEvidence::Proved(entries)) = &mut case.evidence.log else { panic!() };
    change(&mut entries[0]);
}

#[test]
fn what_was_not_given_is_named_and_the_chain_is_not_called_whole() {
    type Remove = fn(&mut Evidence);
    let table: [(LinkKind, Remove); 5] = [
        (LinkKind::Commit, |evidence| evidence.commit = None),
        (LinkKind::Manifest, |evidence| evidence.manifests.clear()),
        (LinkKind::Pod, |evidence| evidence.pods.clear()),
        (LinkKind::Container, |evidence| evidence.pods.clear()),
        (LinkKind::Log, |evidence| evidence.log = None),
    ];
    for (kind, remove) in table {
        let mut case = Case::good();
        remove(&mut case.evidence);
        let chain = case.walk();
        assert_eq!(chain.broken(), None, "{kind}: {:#?}", chain.links);
        assert!(chain.missing().any(|link| link.kind == kind) && !chain.is_whole(), "{kind}");
    }
    for unsaid in [
        |commit: &mut CommitEvidence| commit.reviewed = None,
        |commit: &mut CommitEvidence| commit.on_protected_branch = None,
    ] {
        let mut case = Case::good();
        unsaid(case.evidence.commit.as_mut().unwrap());
        assert_eq!(case.walk().missing().map(|link| link.kind).collect::<Vec<_>>(), [LinkKind::Commit]);
    }
    let empty = Case { evidence: Evidence::default(), ..Case::good() }.walk();
    assert_eq!(
        empty.broken().unwrap().kind,
        LinkKind::Provenance,
        "that nobody signed is no gap in what was gathered"
    );
    let wrong = Case { start: Start::Manifest("other.yaml".to_owned()), ..Case::good() }.walk();
    assert_eq!(wrong.broken().unwrap().kind, LinkKind::Manifest);
    let no_digest = Case { start: Start::ImageId("app:latest".to_owned()), ..Case::good() }.walk();
    assert_eq!(no_digest.broken().unwrap().kind, LinkKind::Container);
}

/// The evidence of the thesis (5.2.3), which it calls gapless. A checker must object.
#[test]
fn the_thesis_own_evidence_is_not_gapless() {
    let digest = |start: &str, end: &str| {
        format!("sha256:{start}{}{end}", "0".repeat(64 - start.len() - end.len())).parse::<Digest>().unwrap()
    };
    let app = digest("929465298de5", "dd9393d");
    let repository = "ghcr.io/dlrgev/app";
    let running = format!("{repository}@{app}");
    let mut evidence = Evidence::default();
    evidence.commit = Some(CommitEvidence {
        id: COMMIT.to_owned(),
        tags: BTreeMap::from([("v1.40.19".to_owned(), COMMIT.to_owned())]),
        author_time: Some("2025-10-14T06:36:07Z".parse().unwrap()),
        on_protected_branch: Some(true),
        reviewed: Some(true),
    });
    let mut run = CiFacts::default();
    run.commit = Some(COMMIT.to_owned());
    run.run = Some("https://github.com/dlrgev/app/actions/runs/18487769733/attempts/1".to_owned());
    run.event = Some("release".to_owned());
    evidence.run = Some(run);
    evidence.tags = BTreeMap::from([(format!("{repository}:{COMMIT}"), app.clone())]);
    evidence.manifests = vec![ManifestEvidence {
        path: "release.yaml".to_owned(),
        image: running.clone(),
        ..Default::default()
    }];
    evidence.pods = vec![PodEvidence {
        name: "app-0".to_owned(),
        namespace: None,
        containers: vec![ContainerEvidence {
            name: "app".to_owned(),
            image: running.clone(),
            image_id: Some(running.clone()),
        }],
    }];
    let public = key(1).verifying_key();
    let verifier = KeyVerifier(&public);
    let rules = ChainRules::new(&verifier);
    let walk = |evidence: &Evidence| {
        let chain = Chain::walk(&Start::ImageId(running.clone()), evidence, &rules);
        let broken = chain.broken().cloned().unwrap();
        (broken.kind, broken.to_string())
    };

    // Both imageIDs equal the tag's digest. But the run's record has no digest, and the certificate was never compared.
    let (kind, text) = walk(&evidence);
    assert_eq!(kind, LinkKind::Provenance);
    assert!(text.contains(&format!("only the tag {repository}:{COMMIT}")), "{text}");

    // The release is dated the day before its commit was written.
    let mut dated = evidence.clone();
    dated.release = Some(ReleaseEvidence {
        tag: "v1.40.19".to_owned(),
        published: Some("2025-10-13T00:00:00Z".parse().unwrap()),
    });
    let chain = Chain::walk(&Start::Commit(COMMIT.to_owned()), &dated, &rules);
    assert_eq!(chain.broken().unwrap().kind, LinkKind::Commit);
    assert!(chain.broken().unwrap().to_string().contains("before the author wrote its commit"));

    // The Helm release pins a tag.
    let mut by_tag = evidence.clone();
    by_tag.manifests[0].image = format!("{repository}:1.40.19");
    assert_eq!(walk(&by_tag).0, LinkKind::Manifest);

    // As printed, the worker's repository has another owner.
    let mut worker = evidence.clone();
    worker.manifests.push(ManifestEvidence {
        path: "worker.yaml".to_owned(),
        image: format!("ghcr.io/dlrgdev/app@{app}"),
        ..Default::default()
    });
    let (kind, text) = walk(&worker);
    assert!(
        kind == LinkKind::Manifest && text.contains("ghcr.io/dlrgdev/app, not ghcr.io/dlrgev/app"),
        "{text}"
    );

    // Only an SBOM is attested.
    let mut sbom = evidence;
    let statement =
        Statement::new(vec![Subject::new("app", &app)], "https://spdx.dev/Document", b"{}").unwrap();
    sbom.bundles = vec![signed(&statement, &key(1))];
    assert_eq!(walk(&sbom).0, LinkKind::Provenance);
}

#[test]
fn a_run_by_hand_may_have_checked_out_another_commit() {
    // Provenance by GitHub's action has the commit of the event, not that of the checkout.
    let image = Image::new().digest();
    let predicate = format!(
        r#"{{"buildDefinition":{{"buildType":"https://actions.github.io/buildtypes/workflow/v1","externalParameters":{{"workflow":{{"ref":"refs/heads/main","repository":"{SOURCE}","path":".github/workflows/release.yml"}}}},"internalParameters":{{"github":{{"event_name":"workflow_dispatch","repository_id":"101"}}}},"resolvedDependencies":[{{"uri":"git+{SOURCE}@refs/heads/main","digest":{{"gitCommit":"{COMMIT}"}}}}]}},"runDetails":{{"builder":{{"id":"{WORKFLOW}"}}}}}}"#
    );
    let mut case = Case::good();
    let statement = Statement::new(
        vec![Subject::new("app", &image)],
        "https://slsa.dev/provenance/v1",
        predicate.as_bytes(),
    )
    .unwrap();
    case.evidence.bundles = vec![signed(&statement, &key(1))];
    case.claims().build_trigger = Some("workflow_dispatch".to_owned());
    case.evidence.run = None;
    for (checked_out, holds) in [(None, false), (Some(OTHER), false), (Some(COMMIT), true)] {
        case.evidence.checked_out = checked_out.map(str::to_owned);
        let chain = case.walk();
        assert_eq!(
            chain.broken().map(|link| link.kind),
            (!holds).then_some(LinkKind::Run),
            "{checked_out:?}: {:#?}",
            chain.links
        );
    }
}

#[test]
fn one_image_of_two_commits_has_two_entries_in_the_log() {
    let image = Image::new().digest();
    let mut case = Case::good();
    let entries = [OTHER, COMMIT].map(|commit| logged(&event(&image, commit), 9).0);
    case.evidence.log = Some(LogEvidence::Proved(entries[1..].to_vec()));
    assert!(case.walk().is_whole());
    let events = [OTHER, COMMIT].map(|commit| event(&image, commit));
    case.evidence.log = Some(LogEvidence::Verified(events.to_vec()));
    assert!(case.walk().is_whole());
    case.evidence.log = Some(LogEvidence::Verified(events[..1].to_vec()));
    assert_eq!(case.walk().broken().unwrap().kind, LinkKind::Log);
}

#[test]
fn rules_that_are_relaxed_say_so_and_relax_nothing_else() {
    let mut case = Case::good();
    case.claims().runner_environment = Some("self-hosted".to_owned());
    case.claims().build_signer_uri =
        Some("https://github.com/platform/build/.github/workflows/image.yml@refs/tags/v2".to_owned());
    let public = key(1).verifying_key();
    let verifier = Certified { key: KeyVerifier(&public), claims: case.claims.clone() };
    let walk = |rules: &ChainRules<'_>| {
        Chain::walk(&case.start, &case.evidence, rules).broken().map(|link| link.kind)
    };
    let mut rules = ChainRules::new(&verifier);
    assert_eq!(walk(&rules), Some(LinkKind::Run));
    rules.allow_self_hosted = true;
    assert_eq!(walk(&rules), Some(LinkKind::Run), "the signer is still foreign");
    let image = "https://github.com/platform/build/.github/workflows/image.yml@";
    for (allowed, broken) in [
        (image, None),
        ("https://github.com/platform/build/.github/workflows/image.yml@refs/tags/v1", Some(LinkKind::Run)),
        ("https://github.com/platform/", Some(LinkKind::Run)),
    ] {
        let allowed = [allowed];
        let mut rules = rules;
        rules.reusable_workflows = &allowed;
        assert_eq!(walk(&rules), broken, "{allowed:?}");
    }
}

#[test]
fn an_archive_walks_again_and_is_the_same_bytes() {
    let case = Case::good();
    let archive = case.evidence.to_archive(&case.start).unwrap();
    assert_eq!(archive, case.evidence.to_archive(&case.start).unwrap());
    assert!(archive.len() <= 200_000, "{} bytes", archive.len());
    let (start, mut evidence) = Evidence::from_archive(&archive).unwrap();
    assert_eq!(start, case.start);
    let again = Case { start, evidence: evidence.clone(), ..Case::good() };
    assert_eq!(again.walk(), case.walk());
    let sorted = |mut documents: Vec<Vec<u8>>| {
        documents.sort();
        documents
    };
    assert_eq!(sorted(evidence.documents.clone()), sorted(case.evidence.documents.clone()));
    evidence.documents.clone_from(&case.evidence.documents);
    assert_eq!(evidence, case.evidence);
    // Any tar reads it.
    let names: Vec<&str> = (0..archive.len())
        .step_by(512)
        .filter_map(|at| {
            let block = &archive[at..at + 512];
            (&block[257..262] == b"ustar")
                .then(|| std::str::from_utf8(&block[..100]).unwrap().trim_end_matches('\0'))
        })
        .collect();
    assert_eq!(names.len(), 1 + 3 + 1 + 2, "{names:?}");
    assert!(names.contains(&"evidence.json") && names.contains(&"log/0000.tlog-proof"));

    for (name, wrong) in [
        ("cut", archive[..archive.len() - 512].to_vec()),
        ("more behind it", [archive.clone(), vec![0; 512]].concat()),
        ("nothing", Vec::new()),
        ("a byte of padding", {
            let mut bytes = archive.clone();
            let at = bytes.len() - 1030;
            bytes[at] ^= 1;
            bytes
        }),
        ("a time", {
            let mut bytes = archive.clone();
            bytes[136] = b'1';
            bytes
        }),
    ] {
        assert!(Evidence::from_archive(&wrong).is_err(), "{name}");
    }
    let mut unproved = case.evidence.clone();
    unproved.log = Some(LogEvidence::Verified(Vec::new()));
    assert!(matches!(unproved.to_archive(&case.start), Err(Error::Malformed { .. })));
    // Proofs stay small.
    let Some(LogEvidence::Proved(entries)) = &case.evidence.log else { panic!() };
    assert!(TlogProof::parse(&entries[0].proof).unwrap().to_text().len() < 1000);
}

struct Anybody;

impl IdentityRule for Anybody {
    fn describe(&self) -> String {
        "anybody".to_owned()
    }

    fn check(&self, _: &Claims) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn keyless_bundles_are_believed_by_a_trusted_root() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../sign/tests/data/verdicts");
    let read = |name: &str| std::fs::read(data.join(name)).unwrap();
    let verifier = Verifier::new(TrustedRoot::parse(&read("roots/trusted_root.json")).unwrap());
    let context = Context {
        signer: ExpectedSigner::Identity(&Anybody),
        requirements: Requirements::sigstore(),
        at: Time::from_seconds(1_900_000_000),
    };
    let sigstore = SigstoreVerifier { verifier: &verifier, context };
    let artifact = Digest::sha256(&read("artifacts/a.txt"));
    let bundle = read("bundles/go-dsse.sigstore.json");
    let attested = sigstore.verify(&bundle, &[Digest::sha256(b"other"), artifact.clone()]).unwrap();
    assert!(attested.statement.is_about(&artifact));
    assert!(matches!(attested.signer, AttestedBy::Certificate(_)));
    assert!(sigstore.verify(&bundle, &[Digest::sha256(b"other")]).is_err());
    assert!(sigstore.verify(&bundle, &[]).is_err());
    let early = Context { at: Time::from_seconds(1_000_000_000), ..context };
    assert!(SigstoreVerifier { verifier: &verifier, context: early }.verify(&bundle, &[artifact]).is_err());
}
