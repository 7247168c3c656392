//! Statements, predicates, and what is expected of SLSA provenance.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::collections::BTreeMap;

use lotse_digest::{Algorithm, Digest};
use lotse_provenance::{
    BuildFacts, BuilderRule, DigestMatch, DocumentEncoding, DocumentFormat, Error, Expectations, Expected,
    Json, Predicate, Provenance, ResourceDescriptor, Signer, SlsaVerdict, Statement, Subject, TestVerdict,
    Timestamp, Vsa, VsaExpectations, VsaResult, match_digests,
};
use lotse_sign::{Claims, SubjectName};

const COMMIT: &str = "513167b3b49f4c6aeec82c14b4db965623680059";
const BUILDER: &str = "https://github.com/team/build/.github/workflows/image.yml@refs/tags/v1";

fn artifact() -> Digest {
    Digest::sha256(b"image")
}

fn statement(kind: &str, predicate: &str) -> Statement {
    Statement::new(vec![Subject::new("app", &artifact())], kind, predicate.as_bytes()).unwrap()
}

#[test]
fn two_algorithms_of_which_one_differs_are_refused() {
    let (right, wrong) = (Digest::sha256(b"image"), Digest::sha256(b"other"));
    let (right512, wrong512) =
        (Digest::of(Algorithm::Sha512, b"image"), Digest::of(Algorithm::Sha512, b"other"));
    let set = |digests: &[(&str, String)]| -> BTreeMap<String, String> {
        digests.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    };
    let table = [
        ("one that is equal", set(&[("sha256", right.encoded())]), vec![right.clone()], DigestMatch::Same),
        (
            "unknown ones are ignored",
            set(&[("sha256", right.encoded()), ("blake9", "00".into())]),
            vec![right.clone()],
            DigestMatch::Same,
        ),
        ("one that differs", set(&[("sha256", wrong.encoded())]), vec![right.clone()], DigestMatch::Other),
        ("nothing comparable", set(&[("gitCommit", COMMIT.into())]), vec![right.clone()], DigestMatch::Other),
        (
            "the other one is not known of the content",
            set(&[("sha256", right.encoded()), ("sha512", wrong512.encoded())]),
            vec![right.clone()],
            DigestMatch::Same,
        ),
        (
            "both equal",
            set(&[("sha256", right.encoded()), ("sha512", right512.encoded())]),
            vec![right.clone(), right512.clone()],
            DigestMatch::Same,
        ),
        (
            "one equal, one not",
            set(&[("sha256", right.encoded()), ("sha512", wrong512.encoded())]),
            vec![right.clone(), right512.clone()],
            DigestMatch::Contradictory,
        ),
        (
            "the other way round",
            set(&[("sha256", wrong.encoded()), ("sha512", right512.encoded())]),
            vec![right.clone(), right512.clone()],
            DigestMatch::Contradictory,
        ),
        (
            "the example of the specification",
            set(&[("sha256", right.encoded())]),
            vec![wrong, right512],
            DigestMatch::Other,
        ),
    ];
    for (name, set, content, expected) in table {
        assert_eq!(match_digests(&set, &content), expected, "{name}");
    }
}

#[test]
fn unknown_members_are_ignored_and_kept() {
    let digest = artifact().encoded();
    let json = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v0.1","subject":[{{"name":"a","digest":{{"sha256":"{digest}"}},"later":[1],"uri":"pkg:oci/app"}}],"predicateType":"t","predicate":{{"b": 1,  "a":2}},"more":{{"x":1}}}}"#
    );
    let statement = Statement::parse(json.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(statement.to_json().unwrap()).unwrap(), json, "byte for byte here");
    for (name, wrong) in [
        ("no predicateType", json.replace("\"predicateType\":\"t\"", "\"predicateType\":\"\"")),
        ("a member twice", json.replace("\"more\":", "\"predicateType\":")),
        ("no JSON", json.replace("[1]", "[1")),
        ("a link of the old kind", r#"{"_type":"link","name":"x"}"#.to_owned()),
    ] {
        assert!(Statement::parse(wrong.as_bytes()).is_err(), "{name}");
    }
}

#[test]
fn predicates_are_read_by_their_type_and_unknown_ones_kept() {
    let spdx = r#"{"spdxVersion":"SPDX-2.3","name":"app"}"#;
    let text = serde_json::to_string(spdx).unwrap();
    for (predicate, encoding) in [
        (spdx.to_owned(), DocumentEncoding::Object),
        (text.clone(), DocumentEncoding::JsonString),
        (format!(r#"{{"Data":{text},"Timestamp":"2026-01-01T00:00:00Z"}}"#), DocumentEncoding::DataMember),
        (format!(r#"{{"Data":{spdx}}}"#), DocumentEncoding::DataMember),
    ] {
        let Predicate::Document(document) =
            Predicate::parse(&statement("https://spdx.dev/Document", &predicate)).unwrap()
        else {
            panic!()
        };
        assert_eq!((document.format(), document.encoding()), (DocumentFormat::Spdx, encoding), "{predicate}");
        assert_eq!(Json::parse(document.text()).unwrap(), Json::parse(spdx).unwrap());
    }
    let good = [
        ("https://cyclonedx.org/bom", r#"{"bomFormat":"CycloneDX"}"#),
        ("https://cyclonedx.org/bom/v1.5", r#"{"bomFormat":"CycloneDX"}"#),
        ("https://openvex.dev/ns", r#"{"@context":"https://openvex.dev/ns/v0.2.0"}"#),
        ("https://in-toto.io/attestation/release/v0.1", r#"{"purl":"pkg:oci/app@1","releaseId":"7"}"#),
        (
            "https://in-toto.io/attestation/test-result/v0.1",
            r#"{"result":"PASSED","configuration":[{"uri":"x","digest":{"sha256":"00"}}],"passedTests":["a"]}"#,
        ),
        ("https://in-toto.io/attestation/link/v0.3", r#"{"name":"build","command":["make"],"materials":[]}"#),
        ("https://in-toto.io/Link/v1", r#"{"name":"build","materials":{"a":{"sha256":"00"}}}"#),
        (
            "https://cosign.sigstore.dev/attestation/vuln/v1",
            r#"{"invocation":{},"scanner":{"uri":"pkg:x","version":"1","db":{},"result":{"n":1}},"metadata":{}}"#,
        ),
    ];
    for (kind, predicate) in good {
        assert!(
            !matches!(Predicate::parse(&statement(kind, predicate)).unwrap(), Predicate::Unknown(_)),
            "{kind}"
        );
    }
    let bad = [
        ("https://spdx.dev/Document", r#"{"bomFormat":"CycloneDX"}"#),
        ("https://spdx.dev/Document", r#""no JSON""#),
        ("https://cyclonedx.org/bom", "null"),
        ("https://in-toto.io/attestation/test-result/v0.1", r#"{"result":"passed","configuration":[]}"#),
        ("https://in-toto.io/attestation/release/v0.1", "{}"),
        ("https://slsa.dev/verification_summary/v1", "{}"),
        ("https://slsa.dev/provenance/v1", "{}"),
        ("https://slsa.dev/provenance/v0.2", "{}"),
    ];
    for (kind, predicate) in bad {
        assert!(Predicate::parse(&statement(kind, predicate)).is_err(), "{kind}: {predicate}");
    }
    let Predicate::TestResult(result) = Predicate::parse(&statement(good[4].0, good[4].1)).unwrap() else {
        panic!()
    };
    assert_eq!((result.result, result.passed_tests.len()), (TestVerdict::Passed, 1));
    let unknown = statement("https://example.com/own/v1", r#"{"a":  1}"#);
    assert!(
        matches!(Predicate::parse(&unknown).unwrap(), Predicate::Unknown(kind) if kind == "https://example.com/own/v1")
    );
    assert_eq!(unknown.predicate(), r#"{"a":  1}"#);
}

/// Provenance as GitHub's attest action writes it.
fn github_v1() -> String {
    format!(
        r#"{{"buildDefinition":{{"buildType":"https://actions.github.io/buildtypes/workflow/v1","externalParameters":{{"workflow":{{"ref":"refs/heads/main","repository":"https://github.com/team/app","path":".github/workflows/release.yml"}}}},"internalParameters":{{"github":{{"event_name":"push","repository_id":"1","repository_owner_id":"2","runner_environment":"github-hosted"}}}},"resolvedDependencies":[{{"uri":"git+https://github.com/team/app@refs/heads/main","digest":{{"gitCommit":"{COMMIT}"}}}}]}},"runDetails":{{"builder":{{"id":"{BUILDER}"}},"metadata":{{"invocationId":"https://github.com/team/app/actions/runs/1/attempts/1","own":true}}}}}}"#
    )
}

fn generator_v0_2() -> String {
    format!(
        r#"{{"builder":{{"id":"https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml@refs/tags/v1.9.0"}},"buildType":"https://github.com/slsa-framework/slsa-github-generator/container@v1","invocation":{{"configSource":{{"uri":"git+https://github.com/team/app@refs/tags/v1","digest":{{"sha1":"{COMMIT}"}},"entryPoint":".github/workflows/release.yml"}},"parameters":{{}},"environment":{{"github_event_name":"push"}}}},"metadata":{{"buildInvocationID":"1-1"}},"materials":[{{"uri":"git+https://github.com/team/app@refs/tags/v1","digest":{{"sha1":"{COMMIT}"}}}}]}}"#
    )
}

fn gitlab_v1() -> String {
    format!(
        r#"{{"buildDefinition":{{"buildType":"https://gitlab.com/gitlab-org/gitlab-runner/-/blob/v17.0.0/PROVENANCE.md","externalParameters":{{"source":"https://gitlab.com/team/app","entryPoint":"build"}},"resolvedDependencies":[{{"uri":"https://gitlab.com/team/app","digest":{{"sha256":"{COMMIT}"}}}}]}},"runDetails":{{"builder":{{"id":"https://gitlab.com/team/app/-/runners/1"}},"metadata":{{"invocationId":"9"}}}}}}"#
    )
}

const V1: &str = "https://slsa.dev/provenance/v1";
const V0_2: &str = "https://slsa.dev/provenance/v0.2";

#[test]
fn facts_come_from_where_the_build_type_puts_them() {
    let table = [
        (
            V1,
            github_v1(),
            Some("https://github.com/team/app"),
            Some("refs/heads/main"),
            Some(".github/workflows/release.yml"),
        ),
        (
            V0_2,
            generator_v0_2(),
            Some("https://github.com/team/app"),
            Some("refs/tags/v1"),
            Some(".github/workflows/release.yml"),
        ),
        (V1, gitlab_v1(), Some("https://gitlab.com/team/app"), None, Some("build")),
    ];
    for (kind, predicate, source, reference, entry_point) in table {
        let facts = BuildFacts::parse(&statement(kind, &predicate)).unwrap();
        assert_eq!(facts.commit.as_deref(), Some(COMMIT), "{kind}");
        assert_eq!(
            (facts.source.as_deref(), facts.reference.as_deref(), facts.entry_point.as_deref()),
            (source, reference, entry_point)
        );
    }
    // The commit of another dependency is not the commit of the source.
    let other = github_v1().replace(
        "git+https://github.com/team/app@refs/heads/main",
        "git+https://github.com/team/lib@refs/heads/main",
    );
    assert_eq!(BuildFacts::parse(&statement(V1, &other)).unwrap().commit, None);
    let lookalike = github_v1().replace("team/app@refs/heads/main", "team/app@refs/heads/main2");
    assert_eq!(BuildFacts::parse(&statement(V1, &lookalike)).unwrap().commit, None, "a look-alike ref");
    let two = github_v1().replace("\"resolvedDependencies\":[", &format!("\"resolvedDependencies\":[{{\"uri\":\"git+https://github.com/team/app\",\"digest\":{{\"gitCommit\":\"{}\"}}}},", "0".repeat(40)));
    assert!(BuildFacts::parse(&statement(V1, &two)).unwrap_err().to_string().contains("two commits"));
    let disagreeing = generator_v0_2().replacen(COMMIT, &"0".repeat(40), 1);
    assert!(
        BuildFacts::parse(&statement(V0_2, &disagreeing)).unwrap_err().to_string().contains("two commits")
    );
    for (kind, predicate) in [
        (V1, github_v1().replace("workflow/v1", "workflow/v9")),
        (V1, github_v1().replace("actions.github.io", "actions.github.io.example")),
        (V1, generator_v0_2()),
        (V0_2, generator_v0_2().replace("container@v1", "container@v1x")),
        (V1, gitlab_v1().replace("v17.0.0", "v17/evil")),
    ] {
        let error = BuildFacts::parse(&statement(kind, &predicate)).unwrap_err().to_string();
        assert!(error.contains("malformed"), "{error}");
    }
    let error =
        BuildFacts::parse(&statement(V1, &github_v1().replace("workflow/v1", "workflow/v9"))).unwrap_err();
    assert!(
        error.to_string().contains("https://actions.github.io/buildtypes/workflow/v9"),
        "unknown build types by name: {error}"
    );
}

fn claims() -> Claims {
    let mut claims = Claims::new(SubjectName::Uri(BUILDER.to_owned()));
    claims.issuer = Some("https://token.actions.githubusercontent.com".to_owned());
    claims.build_signer_uri = Some(BUILDER.to_owned());
    claims.runner_environment = Some("github-hosted".to_owned());
    claims.source_repository_uri = Some("https://github.com/team/app".to_owned());
    claims.source_repository_digest = Some(COMMIT.to_owned());
    claims.source_repository_ref = Some("refs/heads/main".to_owned());
    claims.build_trigger = Some("push".to_owned());
    claims.run_invocation_uri = Some("https://github.com/team/app/actions/runs/1/attempts/1".to_owned());
    claims
}

fn expectations() -> Expectations {
    let mut expectations = Expectations::new(vec![BuilderRule::new(
        "https://github.com/team/build/.github/workflows/image.yml@",
        3,
    )]);
    expectations.source = Some("git+https://github.com/team/app.git".to_owned());
    expectations.reference = Some(Expected::Branch("main".to_owned()));
    expectations.commit = Some(COMMIT.to_owned());
    expectations.entry_point = Some(".github/workflows/release.yml".to_owned());
    expectations
}

fn judge(predicate: &str, signer: Signer<'_>, change: &dyn Fn(&mut Expectations)) -> SlsaVerdict {
    let mut expectations = expectations();
    change(&mut expectations);
    expectations.judge(&statement(V1, predicate), &artifact(), signer)
}

#[test]
fn the_level_that_holds_says_why_it_is_no_higher() {
    let claims = claims();
    let with = |change: &dyn Fn(&mut Claims)| {
        let mut claims = claims.clone();
        change(&mut claims);
        claims
    };
    let self_hosted = with(&|claims| claims.runner_environment = Some("self-hosted".to_owned()));
    let caller = with(&|claims| {
        claims.build_signer_uri =
            Some("https://github.com/team/app/.github/workflows/release.yml@refs/heads/main".to_owned())
    });
    let silent = with(&|claims| claims.source_repository_digest = None);
    let same: &dyn Fn(&mut Expectations) = &|_| {};
    let table = [
        (judge(&github_v1(), Signer::Certificate(&claims), same), 3, "highest"),
        (judge(&github_v1(), Signer::BuildersKey, same), 2, "by a key"),
        (judge(&github_v1(), Signer::Nobody, same), 1, "nobody signed"),
        (judge(&github_v1(), Signer::Certificate(&self_hosted), same), 1, "self-hosted"),
        (judge(&github_v1(), Signer::Certificate(&caller), same), 2, "not of the builder"),
        (judge(&github_v1(), Signer::Certificate(&silent), same), 2, "could not be compared"),
        (
            judge(&github_v1(), Signer::Certificate(&claims), &|e| e.builders[0].level = 2),
            2,
            "trusted for level 2",
        ),
    ];
    for (verdict, level, why) in table {
        assert_eq!(verdict.level, level, "{verdict:?}");
        assert!(verdict.why_no_higher.contains(why), "{}", verdict.why_no_higher);
        assert_eq!(verdict.failed(), None);
    }
}

#[test]
fn what_is_expected_and_does_not_hold_is_named() {
    let claims = claims();
    let certificate = Signer::Certificate(&claims);
    type Change = fn(&mut Expectations);
    let table: [(&str, Change); 12] = [
        ("builder", |e| e.builders.clear()),
        ("builder", |e| {
            e.builders[0].id = "https://github.com/team/build/.github/workflows/image.yml".to_owned()
        }),
        ("builder", |e| e.builders[0].id = format!("{BUILDER}@")),
        ("source", |e| e.source = Some("https://github.com/team/apq".to_owned())),
        ("ref", |e| e.reference = Some(Expected::Branch("mai".to_owned()))),
        ("ref", |e| e.reference = Some(Expected::Tag("main".to_owned()))),
        ("ref", |e| e.reference = Some(Expected::AnyTag)),
        ("commit", |e| e.commit = Some("0".repeat(40))),
        ("entry point", |e| e.entry_point = Some("other.yml".to_owned())),
        ("build type", |e| e.build_types.extend(["https://other".to_owned()])),
        ("dependency", |e| e.dependencies.push(Digest::sha256(b"base"))),
        ("parameter", |e| drop(e.parameters.insert("/workflow/ref".to_owned(), "refs/heads/x".into()))),
    ];
    for (number, (what, change)) in table.into_iter().enumerate() {
        let verdict = judge(&github_v1(), certificate, &change);
        assert_eq!(
            (verdict.level, verdict.failed().map(|check| check.what)),
            (0, Some(what)),
            "{number}: {verdict:?}"
        );
    }
    let only: &dyn Fn(&mut Expectations) = &|e| {
        e.only_these_parameters = true;
        e.parameters.insert("/workflow".to_owned(), Json::parse(r#"{"ref":"refs/heads/main","repository":"https://github.com/team/app","path":".github/workflows/release.yml"}"#).unwrap());
    };
    assert_eq!(judge(&github_v1(), certificate, only).level, 3);
    let more = github_v1()
        .replace("\"externalParameters\":{", "\"externalParameters\":{\"inputs\":{\"debug\":\"true\"},");
    let verdict = judge(&more, certificate, only);
    assert!(verdict.failed().unwrap().found.contains("/inputs/debug"), "{verdict:?}");
    let unknown = judge(&github_v1().replace("workflow/v1", "workflow/v9"), certificate, &|_| {});
    assert!(unknown.failed().unwrap().found.contains("workflow/v9"));
    let foreign = expectations().judge(&statement(V1, &github_v1()), &Digest::sha256(b"other"), certificate);
    assert_eq!(foreign.failed().unwrap().what, "subject");

    // Every fact of which the certificate speaks must be the certificate's: a build script can write what it likes.
    type Disagree = fn(&mut Claims);
    let table: [(&str, Disagree); 5] = [
        ("source by certificate", |c| {
            c.source_repository_uri = Some("https://github.com/other/app".to_owned())
        }),
        ("commit by certificate", |c| c.source_repository_digest = Some("0".repeat(40))),
        ("ref by certificate", |c| c.source_repository_ref = Some("refs/pull/1/merge".to_owned())),
        ("run by certificate", |c| {
            c.run_invocation_uri = Some("https://github.com/team/app/actions/runs/2/attempts/1".to_owned())
        }),
        ("trigger by certificate", |c| c.build_trigger = Some("workflow_dispatch".to_owned())),
    ];
    for (what, disagree) in table {
        let mut claims = claims.clone();
        disagree(&mut claims);
        let verdict = judge(&github_v1(), Signer::Certificate(&claims), &|_| {});
        assert_eq!((verdict.level, verdict.failed().map(|check| check.what)), (0, Some(what)));
    }
}

#[test]
fn provenance_keeps_what_it_does_not_know() {
    let parsed = Provenance::parse(&statement(V1, &github_v1())).unwrap();
    let written = parsed.statement(vec![Subject::new("app", &artifact())]).unwrap();
    assert_eq!(Json::parse(written.predicate()).unwrap(), Json::parse(&github_v1()).unwrap());
    assert!(Provenance::parse(&statement(V1, &github_v1().replace(r#""externalParameters":{"workflow":{"ref":"refs/heads/main","repository":"https://github.com/team/app","path":".github/workflows/release.yml"}}"#, r#""externalParameters":[]"#))).is_err());
}

fn vsa(result: VsaResult, levels: &[&str]) -> Statement {
    let policy = ResourceDescriptor::new("https://example.com/policy", &Digest::sha256(b"policy"));
    let levels = levels.iter().map(|level| (*level).to_owned()).collect();
    Vsa::new("https://verifier.example", "pkg:oci/app", policy, result, levels)
        .at(Timestamp::from_seconds(1_760_000_000))
        .statement(vec![Subject::new("app", &artifact())])
        .unwrap()
}

#[test]
fn a_verification_summary_is_checked_in_the_specifications_order() {
    let expected = |levels: &[&str]| VsaExpectations {
        verifier: "https://verifier.example".to_owned(),
        resource_uri: "pkg:oci/app".to_owned(),
        levels: levels.iter().map(|level| (*level).to_owned()).collect(),
    };
    let passed = vsa(VsaResult::Passed, &["SLSA_BUILD_LEVEL_3", "OWN_LEVEL"]);
    let read = Vsa::verify(&passed, &artifact(), &expected(&["SLSA_BUILD_LEVEL_2", "OWN_LEVEL"])).unwrap();
    assert_eq!((read.result(), read.time_verified()), (VsaResult::Passed, Some("2025-10-09T08:53:20Z")));
    let refused = |statement: &Statement, artifact: &Digest, expected: &VsaExpectations| match Vsa::verify(
        statement, artifact, expected,
    ) {
        Err(Error::Refused { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    let mut verifier = expected(&[]);
    verifier.verifier.push('x');
    let mut resource = expected(&[]);
    resource.resource_uri.push('x');
    assert_eq!(refused(&passed, &Digest::sha256(b"other"), &verifier), "subject", "the first that fails");
    assert_eq!(refused(&passed, &artifact(), &verifier), "verifier");
    assert_eq!(refused(&passed, &artifact(), &resource), "resource");
    assert_eq!(
        refused(&vsa(VsaResult::Failed, &["SLSA_BUILD_LEVEL_3"]), &artifact(), &expected(&[])),
        "result"
    );
    assert_eq!(refused(&passed, &artifact(), &expected(&["SLSA_BUILD_LEVEL_4"])), "levels");
    assert_eq!(refused(&passed, &artifact(), &expected(&["SLSA_SOURCE_LEVEL_1"])), "levels", "another track");
    assert_eq!(refused(&passed, &artifact(), &expected(&["OTHER"])), "levels");
    let text = String::from_utf8(passed.to_json().unwrap()).unwrap();
    for result in ["passed", "PASSED ", "MAYBE", ""] {
        let changed = text.replace("\"PASSED\"", &format!("{result:?}"));
        let statement = Statement::parse(changed.as_bytes()).unwrap();
        assert!(
            matches!(Vsa::verify(&statement, &artifact(), &expected(&[])), Err(Error::Malformed { .. })),
            "{result:?}"
        );
    }
}
