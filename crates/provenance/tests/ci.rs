//! What CI systems say of their runs, whom to believe, and the traps, each by its name.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lotse_provenance::{ActorKind, CiCaution, CiFacts, CiField, CiSource, Reconciled, RepositoryIdentity};
use lotse_sign::{Claims, SubjectName};

const COMMIT: &str = "513167b3b49f4c6aeec82c14b4db965623680059";
const OTHER: &str = "0000000000000000000000000000000000000001";

fn variables(pairs: &[(&str, &str)]) -> CiFacts {
    let map: BTreeMap<_, _> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    CiFacts::from_variables(&map).unwrap()
}

fn github(more: &[(&str, &str)]) -> CiFacts {
    let mut pairs = vec![
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_REPOSITORY", "team/app"),
        ("GITHUB_REPOSITORY_ID", "101"),
        ("GITHUB_REPOSITORY_OWNER_ID", "7"),
        ("GITHUB_SHA", COMMIT),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_RUN_ID", "18487769733"),
        ("GITHUB_RUN_ATTEMPT", "1"),
        ("GITHUB_EVENT_NAME", "push"),
        ("GITHUB_ACTOR", "ada"),
        ("GITHUB_WORKFLOW_REF", "team/app/.github/workflows/release.yml@refs/heads/main"),
        ("RUNNER_ENVIRONMENT", "github-hosted"),
    ];
    pairs.extend_from_slice(more);
    variables(&pairs)
}

fn token(claims: &str) -> String {
    format!("e30.{}.AA", URL_SAFE_NO_PAD.encode(claims))
}

const GITHUB_TOKEN: &str = r#"{"iss":"https://token.actions.githubusercontent.com","sub":"repo:team/app:ref:refs/heads/main","repository":"team/app","repository_id":"101","repository_owner":"team","repository_owner_id":"7","sha":"513167b3b49f4c6aeec82c14b4db965623680059","ref":"refs/heads/main","ref_type":"branch","event_name":"push","run_id":"18487769733","run_attempt":"1","workflow_ref":"team/app/.github/workflows/release.yml@refs/heads/main","job_workflow_ref":"team/app/.github/workflows/release.yml@refs/heads/main","runner_environment":"github-hosted","actor":"ada"}"#;
const GITLAB_TOKEN: &str = r#"{"iss":"https://gitlab.com","project_path":"team/app","project_id":101,"namespace_id":"7","namespace_path":"team","sha":"513167b3b49f4c6aeec82c14b4db965623680059","ref":"main","ref_type":"branch","pipeline_source":"push","pipeline_id":"5","job_id":"9","ci_config_ref_uri":"gitlab.com/team/app//.gitlab-ci.yml@refs/heads/main","runner_environment":"gitlab-hosted","user_login":"ada"}"#;

fn claims() -> Claims {
    let definition = "https://github.com/team/app/.github/workflows/release.yml@refs/heads/main";
    let mut claims = Claims::new(SubjectName::Uri(definition.to_owned()));
    claims.build_signer_uri = Some(definition.to_owned());
    claims.build_config_uri = Some(definition.to_owned());
    claims.source_repository_uri = Some("https://github.com/team/app".to_owned());
    claims.source_repository_identifier = Some("101".to_owned());
    claims.source_repository_owner_identifier = Some("7".to_owned());
    claims.source_repository_digest = Some(COMMIT.to_owned());
    claims.source_repository_ref = Some("refs/heads/main".to_owned());
    claims.build_trigger = Some("push".to_owned());
    claims.run_invocation_uri =
        Some("https://github.com/team/app/actions/runs/18487769733/attempts/1".to_owned());
    claims.runner_environment = Some("github-hosted".to_owned());
    claims
}

#[test]
fn certificate_token_and_variables_of_one_run_agree() {
    let (certificate, token, variables) = (
        CiFacts::from_claims(&claims()),
        CiFacts::from_unverified_token(&token(GITHUB_TOKEN)).unwrap(),
        github(&[]),
    );
    let run = Reconciled::of(&[
        (CiSource::Variables, &variables),
        (CiSource::UnverifiedToken, &token),
        (CiSource::Certificate, &certificate),
    ]);
    assert_eq!(run.disagreements, []);
    assert_eq!(run.sources[&CiField::Commit], CiSource::Certificate);
    assert_eq!(run.sources[&CiField::Actor], CiSource::UnverifiedToken, "the certificate does not say who");
    assert_eq!(run.sources[&CiField::Builder], CiSource::Variables);
    assert_eq!(run.facts.cautions(Some(COMMIT)), []);
    assert_eq!(
        run.facts.run.as_deref(),
        Some("https://github.com/team/app/actions/runs/18487769733/attempts/1")
    );
}

#[test]
fn gitlab_says_the_same_by_token_and_variables() {
    let token = CiFacts::from_unverified_token(&token(GITLAB_TOKEN)).unwrap();
    let variables = variables(&[
        ("GITLAB_CI", "true"),
        ("CI_SERVER_URL", "https://gitlab.com"),
        ("CI_PROJECT_URL", "https://gitlab.com/team/app"),
        ("CI_PROJECT_ID", "101"),
        ("CI_PROJECT_NAMESPACE_ID", "7"),
        ("CI_COMMIT_SHA", COMMIT),
        ("CI_COMMIT_BRANCH", "main"),
        ("CI_PIPELINE_SOURCE", "push"),
        ("CI_JOB_URL", "https://gitlab.com/team/app/-/jobs/9"),
        ("CI_CONFIG_PATH", ".gitlab-ci.yml"),
        ("GITLAB_USER_LOGIN", "ada"),
    ]);
    let run = Reconciled::of(&[(CiSource::UnverifiedToken, &token), (CiSource::Variables, &variables)]);
    assert_eq!(run.disagreements, []);
    assert_eq!(run.facts.reference.as_deref(), Some("refs/heads/main"));
    assert_eq!(run.facts.repository_id.as_deref(), Some("101"), "a number in the token");
    assert_eq!(
        run.facts.signer.as_deref(),
        Some("https://gitlab.com/team/app//.gitlab-ci.yml@refs/heads/main")
    );
    assert_eq!(run.facts.cautions(Some(COMMIT)), []);
}

#[test]
fn variables_that_the_build_script_set_are_not_believed() {
    let certificate = CiFacts::from_claims(&claims());
    let forged = github(&[("GITHUB_SHA", OTHER), ("GITHUB_REPOSITORY", "team/other")]);
    let run = Reconciled::of(&[(CiSource::Variables, &forged), (CiSource::Certificate, &certificate)]);
    assert_eq!(run.facts.commit.as_deref(), Some(COMMIT));
    let fields: Vec<CiField> = run.disagreements.iter().map(|disagreement| disagreement.field).collect();
    assert_eq!(fields, [CiField::Repository, CiField::Commit, CiField::Run]);
    assert!(run.disagreements[1].to_string().contains(OTHER));
}

#[test]
fn the_commit_of_the_event_is_not_the_commit_checked_out() {
    let dispatched = github(&[("GITHUB_EVENT_NAME", "workflow_dispatch")]);
    assert_eq!(
        dispatched.cautions(None),
        [CiCaution::CheckoutUnknown { event: "workflow_dispatch".to_owned() }]
    );
    assert_eq!(dispatched.cautions(Some(COMMIT)), []);
    let other = CiCaution::CheckedOut { run: COMMIT.to_owned(), checked_out: OTHER.to_owned() };
    assert_eq!(dispatched.cautions(Some(OTHER)), std::slice::from_ref(&other));
    assert_eq!(github(&[]).cautions(Some(OTHER)), [other]);
    assert_eq!(github(&[]).cautions(None), [], "a push checks out its commit");
}

#[test]
fn a_pull_request_is_built_from_a_merge_that_no_branch_has() {
    let pull = github(&[("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_REF", "refs/pull/12/merge")]);
    assert!(matches!(pull.cautions(Some(COMMIT))[..], [CiCaution::SyntheticMerge { head: None, .. }]));
    let target = github(&[("GITHUB_EVENT_NAME", "pull_request_target")]);
    assert_eq!(
        target.cautions(Some(COMMIT)),
        [CiCaution::OtherCommit { event: "pull_request_target".to_owned() }]
    );
    let merged = variables(&[
        ("GITLAB_CI", "true"),
        ("CI_COMMIT_SHA", OTHER),
        ("CI_PIPELINE_SOURCE", "merge_request_event"),
        ("CI_MERGE_REQUEST_REF_PATH", "refs/merge-requests/1/merge"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", COMMIT),
    ]);
    assert_eq!(
        merged.cautions(Some(OTHER)),
        [CiCaution::SyntheticMerge { commit: OTHER.to_owned(), head: Some(COMMIT.to_owned()) }]
    );
    let detached = variables(&[
        ("GITLAB_CI", "true"),
        ("CI_COMMIT_SHA", COMMIT),
        ("CI_MERGE_REQUEST_REF_PATH", "refs/merge-requests/1/head"),
    ]);
    assert_eq!(detached.cautions(Some(COMMIT)), []);
}

#[test]
fn a_reusable_workflow_signs_for_another_repository() {
    let mut claims = claims();
    let signer = "https://github.com/platform/build/.github/workflows/image.yml@refs/tags/v1";
    claims.build_signer_uri = Some(signer.to_owned());
    let facts = CiFacts::from_claims(&claims);
    let caution = CiCaution::ReusableWorkflow {
        signer: signer.to_owned(),
        repository: "https://github.com/team/app".to_owned(),
    };
    assert_eq!(facts.cautions(Some(COMMIT)), [caution]);
    // A repository whose name begins like ours is not ours.
    claims.build_signer_uri =
        Some("https://github.com/team/app-evil/.github/workflows/release.yml@refs/heads/main".to_owned());
    assert_eq!(CiFacts::from_claims(&claims).cautions(Some(COMMIT)).len(), 1);
}

#[test]
fn a_name_that_was_registered_again_has_another_id() {
    let expected = RepositoryIdentity {
        uri: "https://github.com/team/app".to_owned(),
        id: Some("101".to_owned()),
        owner_id: Some("7".to_owned()),
    };
    assert_eq!(github(&[]).compare_repository(&expected), []);
    let again = github(&[("GITHUB_REPOSITORY_ID", "999"), ("GITHUB_REPOSITORY_OWNER_ID", "8")]);
    let found = again.compare_repository(&expected);
    assert!(
        matches!(
            &found[..],
            [
                CiCaution::OtherIdentity { what: "repository", .. },
                CiCaution::OtherIdentity { what: "owner", .. }
            ]
        ),
        "{found:?}"
    );
    let silent = github(&[("GITHUB_REPOSITORY_ID", ""), ("GITHUB_REPOSITORY_OWNER_ID", "")]);
    assert_eq!(silent.compare_repository(&expected).len(), 2, "an id that is not there was not compared");
    let renamed = github(&[("GITHUB_REPOSITORY", "team/app2")]);
    assert!(matches!(renamed.compare_repository(&expected)[..], [CiCaution::OtherRepository { .. }]));
}

#[test]
fn a_re_run_changes_the_attempt_and_not_the_run() {
    let again = github(&[("GITHUB_RUN_ATTEMPT", "3")]);
    assert_eq!((again.attempt(), github(&[]).attempt()), (Some(3), Some(1)));
    assert_eq!(again.cautions(Some(COMMIT)), [CiCaution::ReRun { attempt: 3 }]);
    let certificate = CiFacts::from_claims(&claims());
    let run = Reconciled::of(&[(CiSource::Certificate, &certificate), (CiSource::Variables, &again)]);
    assert_eq!(
        run.disagreements[0].field,
        CiField::Run,
        "variables of another attempt than the certificate's"
    );
}

#[test]
fn a_self_hosted_runner_is_named() {
    assert_eq!(
        github(&[("RUNNER_ENVIRONMENT", "self-hosted")]).cautions(Some(COMMIT)),
        [CiCaution::SelfHosted]
    );
}

#[test]
fn who_started_a_run_is_a_person_a_machine_or_unknown() {
    let kind = |event: &str, actor: &str| {
        github(&[("GITHUB_EVENT_NAME", event), ("GITHUB_ACTOR", actor)]).actor_kind()
    };
    for (event, actor, expected) in [
        ("push", "ada", ActorKind::Bot),
        ("schedule", "ada", ActorKind::Bot),
        ("workflow_dispatch", "ada", ActorKind::Human),
        ("workflow_dispatch", "renovate[bot]", ActorKind::Bot),
        ("release", "ada", ActorKind::Human),
        ("release", "release-please[bot]", ActorKind::Bot),
        ("repository_dispatch", "ada", ActorKind::Unknown),
        ("something_new", "ada", ActorKind::Unknown),
        ("web", "ada", ActorKind::Human),
    ] {
        assert_eq!(kind(event, actor), expected, "{event} by {actor}");
    }
    assert_eq!(CiFacts::default().actor_kind(), ActorKind::Unknown);
}

#[test]
fn a_token_that_is_none_is_refused() {
    for (name, wrong) in [
        ("nothing", String::new()),
        ("two parts", "e30.e30".to_owned()),
        ("four parts", "e30.e30.e30.e30".to_owned()),
        ("no base64", "e30.{}.AA".to_owned()),
        ("no JSON", token("{")),
        ("of an unknown issuer", token(r#"{"iss":"https://other.example"}"#)),
        ("too long", "a".repeat(70_000)),
    ] {
        assert!(CiFacts::from_unverified_token(&wrong).is_err(), "{name}");
    }
    let enterprise = GITHUB_TOKEN
        .replace("https://token.actions.githubusercontent.com", "https://git.corp.example/_services/token");
    let facts = CiFacts::from_unverified_token(&token(&enterprise)).unwrap();
    assert_eq!(facts.repository.as_deref(), Some("https://git.corp.example/team/app"));
}
