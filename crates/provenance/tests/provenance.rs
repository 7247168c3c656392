//! Statements, provenance, CI facts, Git facts and the chain from an image to its commit.
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
    Actor, Chain, ChainEvidence, CiFacts, Event, LinkKind, Provenance, ResourceDescriptor, Statement,
    Subject, Timestamp,
};
use lotse_sign::{Bundle, Scheme, SigningKey};
use proptest::prelude::*;

const COMMIT: &str = "513167b3b49f4c6aeec82c14b4db965623680059";

fn key() -> SigningKey {
    SigningKey::from_secret(Scheme::EcdsaP256Sha256, &[3; 32]).unwrap()
}

fn provenance() -> Provenance {
    Provenance::new(
        "https://example.com/build/v1",
        "https://ci.example/1",
        ResourceDescriptor::git(None, COMMIT),
    )
}

fn bundle(statement: &Statement, key: &SigningKey) -> Vec<u8> {
    Bundle::sign_statement(statement.to_json().unwrap(), key).unwrap().to_json().unwrap()
}

#[test]
fn a_statement_is_read_strictly_where_it_matters_and_leniently_where_it_must() {
    let digest = Digest::sha256(b"x").encoded();
    let good = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"a","digest":{{"sha256":"{digest}","other":"zz"}}}}],"predicateType":"t","predicate":{{"a": 1.0}},"later":true}}"#
    );
    let statement = Statement::parse(good.as_bytes()).unwrap();
    assert!(statement.is_about(&Digest::sha256(b"x")) && !statement.is_about(&Digest::sha256(b"y")));
    assert_eq!(statement.predicate(), r#"{"a": 1.0}"#, "the predicate keeps its bytes");
    assert!(Statement::parse(good.replace("Statement/v1", "Statement/v0.1").as_bytes()).is_ok());
    for (name, changed) in [
        ("another type", good.replace("Statement/v1", "Statement/v2")),
        (
            "no subject",
            good.replace(good.split("\"subject\":").nth(1).unwrap().split("],").next().unwrap(), "["),
        ),
        ("a subject without digest", good.replace(&format!(r#"{{"sha256":"{digest}","other":"zz"}}"#), "{}")),
        ("a malformed digest", good.replace(&digest, "00")),
    ] {
        assert!(Statement::parse(changed.as_bytes()).is_err(), "{name}: {changed}");
    }
}

#[test]
fn provenance_survives_a_statement_and_is_the_same_every_time() {
    let provenance = provenance().started(Timestamp::from_seconds(1_700_000_000));
    let subjects = || vec![Subject::new("app", &Digest::sha256(b"m"))];
    let json = provenance.statement(subjects()).unwrap().to_json().unwrap();
    assert_eq!(json, provenance.statement(subjects()).unwrap().to_json().unwrap());
    let parsed = Provenance::parse(&Statement::parse(&json).unwrap()).unwrap();
    assert_eq!(parsed, provenance);
    assert_eq!(parsed.commit(), Some(COMMIT));
    let other = Statement::new(subjects(), "https://spdx.dev/Document", b"{}").unwrap();
    assert!(Provenance::parse(&other).is_err());
    assert!(Statement::new(subjects(), "t", b"{").is_err(), "a predicate that is no JSON");
}

#[test]
fn ci_facts_come_from_predefined_variables_and_must_be_of_the_built_commit() {
    let variables = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<BTreeMap<_, _>>()
    };
    let github = CiFacts::from_variables(&variables(&[
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_SERVER_URL", "https://github.example"),
        ("GITHUB_REPOSITORY", "team/app"),
        ("GITHUB_SHA", COMMIT),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_RUN_ID", "18487769733"),
        ("GITHUB_RUN_ATTEMPT", "2"),
        ("GITHUB_EVENT_NAME", "workflow_dispatch"),
    ]))
    .unwrap();
    assert_eq!(
        github.run.as_deref(),
        Some("https://github.example/team/app/actions/runs/18487769733/attempts/2")
    );
    assert_eq!(github.started_by_hand(), Some(true));
    let built = provenance().with_ci(&github).unwrap();
    assert_eq!(built.definition.external_parameters.pointer("/ref"), Some("refs/heads/main".into()));
    let gitlab = CiFacts::from_variables(&variables(&[
        ("GITLAB_CI", "true"),
        ("CI_COMMIT_SHA", "0000000000000000000000000000000000000000"),
        ("CI_COMMIT_TAG", "v1"),
        ("CI_PIPELINE_SOURCE", "push"),
        ("CI_JOB_URL", "https://gitlab.example/-/jobs/1"),
    ]))
    .unwrap();
    assert_eq!((gitlab.reference.as_deref(), gitlab.started_by_hand()), (Some("refs/tags/v1"), Some(false)));
    assert!(provenance().with_ci(&gitlab).unwrap_err().to_string().contains("is checked out"));
    assert_eq!(CiFacts::from_variables(&variables(&[("CI", "true")])), None);
}

#[test]
fn the_chain_names_its_first_broken_link() {
    let image = Digest::sha256(b"manifest");
    let other = Digest::sha256(b"another");
    let about = |digest: &Digest| provenance().statement(vec![Subject::new("app", digest)]).unwrap();
    let sbom = Statement::new(vec![Subject::new("app", &image)], "https://spdx.dev/Document", b"{}").unwrap();
    let event = |image: &Digest, commit: &str| {
        let time = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut event = Event::new(time, "commit", Actor::bot("ci"), "release", "app");
        event.commit = Some(commit.to_owned());
        event.images = BTreeMap::from([("app".to_owned(), image.clone())]);
        event
    };
    let stranger = SigningKey::from_secret(Scheme::EcdsaP256Sha256, &[9; 32]).unwrap();
    let good = vec![bundle(&about(&image), &key()), bundle(&sbom, &key())];
    let log = vec![event(&image, COMMIT)];
    let index = format!(r#"{{"manifests":[{{"digest":"{image}"}}]}}"#).into_bytes();
    let index_digest = Digest::sha256(&index);
    let verifying = key().verifying_key();
    let walk =
        |bundles: &[Vec<u8>], log: Option<&[Event]>, index: Option<(&[u8], &Digest)>, image: &Digest| {
            Chain::walk(&ChainEvidence { image, index, bundles, key: &verifying, log })
        };

    let whole = walk(&good, Some(&log), None, &image);
    assert_eq!(whole.broken(), None, "{whole:?}");
    assert_eq!(whole.commit.as_deref(), Some(COMMIT));
    assert_eq!(whole.links.len(), 3);
    let from_index = walk(&good, Some(&log), Some((&index, &image)), &index_digest);
    assert_eq!(from_index.broken(), None, "{from_index:?}");

    let table: Vec<(&str, Chain, LinkKind)> = vec![
        ("no bundle", walk(&[], Some(&log), None, &image), LinkKind::Provenance),
        ("only an SBOM", walk(&good[1..], Some(&log), None, &image), LinkKind::Provenance),
        (
            "another signer",
            walk(&[bundle(&about(&image), &stranger)], Some(&log), None, &image),
            LinkKind::Provenance,
        ),
        (
            "another image",
            walk(&[bundle(&about(&other), &key())], Some(&log), None, &image),
            LinkKind::Provenance,
        ),
        (
            "a false one beside a good one",
            walk(&[good[0].clone(), bundle(&sbom, &stranger)], Some(&log), None, &image),
            LinkKind::Provenance,
        ),
        ("no log", walk(&good, None, None, &image), LinkKind::Log),
        ("not in the log", walk(&good, Some(&[event(&other, COMMIT)]), None, &image), LinkKind::Log),
        ("another commit in the log", walk(&good, Some(&[event(&image, "00")]), None, &image), LinkKind::Log),
        ("a changed index", walk(&good, Some(&log), Some((b"{}", &image)), &index_digest), LinkKind::Index),
        (
            "an index without the image",
            walk(&good, Some(&log), Some((&index, &other)), &index_digest),
            LinkKind::Index,
        ),
    ];
    for (name, chain, kind) in table {
        assert_eq!(chain.broken().map(|link| link.kind), Some(kind), "{name}: {chain:?}");
        assert_eq!(chain.links.last(), chain.broken(), "{name}: nothing is walked behind a broken link");
    }
}

#[cfg(feature = "git")]
#[test]
fn git_facts_are_those_of_the_commit_object() {
    use lotse_provenance::{Change, GitFacts};
    let directory = tempfile::TempDir::new().unwrap();
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git")
            .args(["-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .env("GIT_AUTHOR_DATE", "2025-10-14T08:36:07+02:00")
            .env("GIT_COMMITTER_DATE", "2025-10-14T08:36:08+02:00")
            .current_dir(directory.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert!(GitFacts::read(directory.path()).unwrap_err().to_string().contains("needs a commit"));
    git(&["init", "-q", "-b", "main"]);
    assert!(GitFacts::read(directory.path()).unwrap_err().to_string().contains("commit first"));
    let app = directory.path().join("apps/one");
    std::fs::create_dir_all(app.join("src")).unwrap();
    std::fs::write(app.join("src/a"), "content\n").unwrap();
    std::fs::write(directory.path().join("outside"), "x").unwrap();
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "one"]);

    let facts = GitFacts::read(&app).unwrap();
    assert_eq!(facts.commit, git(&["rev-parse", "HEAD"]));
    assert_eq!(facts.tree, git(&["rev-parse", "HEAD^{tree}"]));
    assert_eq!(facts.author_time.to_string(), "2025-10-14T06:36:07Z");
    assert_eq!(facts.commit_time.to_string(), "2025-10-14T06:36:08Z");
    assert_eq!(facts.files.keys().collect::<Vec<_>>(), ["src/a"]);
    assert_eq!(facts.compare("src/a", b"content\n").unwrap(), None);
    assert_eq!(facts.compare("src/a", b"changed\n").unwrap(), Some(Change::Modified("src/a".to_owned())));
    assert_eq!(facts.compare("new", b"").unwrap(), Some(Change::Untracked("new".to_owned())));
    assert!(GitFacts::has_commit(&app, &facts.commit).unwrap());
    assert!(!GitFacts::has_commit(&app, COMMIT).unwrap());
    assert!(GitFacts::has_commit(&app, "no id").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn printing_and_parsing_a_time_is_the_identity(seconds in 0i64..253_402_300_800) {
        let time = Timestamp::from_seconds(seconds);
        prop_assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
        prop_assert_eq!(time.seconds(), seconds);
    }

    #[test]
    fn no_input_makes_a_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120), text in ".{0,30}") {
        let _ = Statement::parse(&bytes);
        let _ = Event::parse(&bytes);
        let _ = text.parse::<Timestamp>();
    }
}

#[test]
fn a_time_that_does_not_exist_is_refused() {
    for text in [
        "",
        "2026-02-29",
        "2026-1-1",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00",
        "1969-12-31",
        "2026-01-01T00:00:00+01:00",
        "10000-01-01",
    ] {
        assert!(text.parse::<Timestamp>().is_err(), "{text}");
    }
    assert_eq!("2024-02-29".parse::<Timestamp>().unwrap().date(), (2024, 2, 29));
}
