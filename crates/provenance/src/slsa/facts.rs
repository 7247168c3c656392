use std::collections::BTreeMap;

use super::v0_2::ProvenanceV02;
use super::{Provenance, SLSA_PROVENANCE, SLSA_PROVENANCE_0_2};
use crate::json::Json;
use crate::{Error, Statement};

/// What SLSA provenance of either version says of a build, taken from where its build type puts it. Plain data.
///
/// The build type decides where the source stands; an unknown one is refused by name, because a field that means something else
/// there would be read as a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildFacts {
    /// The predicate type it was read from.
    pub predicate_type: String,
    /// The builder, by the URI that people trust or do not.
    pub builder: String,
    /// The URI that says what the parameters mean.
    pub build_type: String,
    /// The repository, as a URL without `git+` and without the ref.
    pub source: Option<String>,
    /// The full ref, `refs/heads/main` or `refs/tags/v1`.
    pub reference: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// The workflow's path or the job's name.
    pub entry_point: Option<String>,
    /// What started it, if it says so.
    pub trigger: Option<String>,
    /// What whoever asked for the build could choose.
    pub parameters: Json,
    /// What the build system says of itself: v1 `internalParameters`, v0.2 `environment`.
    pub internal: Json,
    /// What went in, the source included.
    pub dependencies: Vec<Dependency>,
    /// The run, by the URI or number its system gave it.
    pub invocation: Option<String>,
    /// When it began, as it was written.
    pub started: Option<String>,
    /// When it ended, as it was written.
    pub finished: Option<String>,
}

/// Something that went into a build. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Where it is.
    pub uri: Option<String>,
    /// Its digests, by algorithm.
    pub digest: BTreeMap<String, String>,
}

/// Where a build type puts its facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// `externalParameters.workflow.{repository, ref, path}` (GitHub's attest action and the SLSA community's).
    Workflow,
    /// `externalParameters.source.{uri, digest}` (slsa-github-generator's delegators).
    Delegated,
    /// `externalParameters.{repository, ref, workflow}`, the first dependency is the source (ours).
    Release,
    /// `externalParameters.{source, entryPoint}`; the runner writes the commit under `sha256`, whatever its length.
    GitLab,
    /// v0.2 with `invocation.configSource`.
    ConfigSource,
}

/// Build types by their beginning, which ends at a version or at the end.
const TYPES: [(&str, Shape); 9] = [
    ("https://actions.github.io/buildtypes/workflow/v1", Shape::Workflow),
    ("https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1", Shape::Workflow),
    ("https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0", Shape::Delegated),
    (
        "https://github.com/slsa-framework/slsa-github-generator/delegator-lowperms-generic@v0",
        Shape::Delegated,
    ),
    ("https://lotse.dev/build/release/v1", Shape::Release),
    ("https://github.com/slsa-framework/slsa-github-generator/generic@v1", Shape::ConfigSource),
    ("https://github.com/slsa-framework/slsa-github-generator/container@v1", Shape::ConfigSource),
    ("https://github.com/slsa-framework/slsa-github-generator/go@v1", Shape::ConfigSource),
    ("https://github.com/npm/cli/gha/v2", Shape::ConfigSource),
];
/// GitLab's runner has its version in the middle.
const GITLAB: (&str, &str) = ("https://gitlab.com/gitlab-org/gitlab-runner/-/blob/", "/PROVENANCE.md");

fn shape(build_type: &str, v1: bool) -> Result<Shape, Error> {
    let gitlab = build_type.strip_prefix(GITLAB.0).and_then(|rest| rest.strip_suffix(GITLAB.1));
    let known = TYPES.iter().find(|(known, _)| *known == build_type).map(|(_, shape)| *shape);
    let known = match gitlab.filter(|version| !version.is_empty() && !version.contains('/')) {
        Some(_) if v1 => Some(Shape::GitLab),
        Some(_) => Some(Shape::ConfigSource),
        None => known,
    };
    known.filter(|shape| (*shape != Shape::ConfigSource) == v1).ok_or_else(|| {
        let reason =
            format!("what its build type {build_type:?} means is not known, so no fact is taken from it");
        Error::malformed("SLSA provenance", reason)
    })
}

impl BuildFacts {
    /// Reads SLSA provenance v1 or v0.2.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if the statement holds neither, or its build type is unknown, which is then named.
    pub fn parse(statement: &Statement) -> Result<Self, Error> {
        match statement.predicate_type() {
            SLSA_PROVENANCE => Self::of_v1(&Provenance::parse(statement)?),
            SLSA_PROVENANCE_0_2 => {
                let provenance = serde_json::from_str(statement.predicate())
                    .map_err(|error| Error::malformed("SLSA provenance v0.2", error))?;
                Self::of_v0_2(provenance)
            }
            other => {
                Err(Error::malformed("SLSA provenance", format!("the statement's predicate is {other:?}")))
            }
        }
    }

    /// Whether the commit is the one that was checked out, because the build read it from Git; others take it from the event.
    pub(crate) fn is_from_checkout(&self) -> bool {
        shape(&self.build_type, true).is_ok_and(|shape| shape == Shape::Release)
    }

    fn of_v1(provenance: &Provenance) -> Result<Self, Error> {
        let definition = &provenance.definition;
        let shape = shape(&definition.build_type, true)?;
        let external = &definition.external_parameters;
        let own = |pointer: &str| external.text(pointer).map(str::to_owned);
        let (uri, reference, entry_point) = match shape {
            Shape::Workflow => (own("/workflow/repository"), own("/workflow/ref"), own("/workflow/path")),
            Shape::Delegated => {
                let (uri, reference) = split_uri(external.text("/source/uri"));
                (uri, reference, own("/source/path").or_else(|| own("/inputs/path")))
            }
            Shape::GitLab => (own("/source"), own("/ref"), own("/entryPoint")),
            Shape::Release | Shape::ConfigSource => (own("/repository"), own("/ref"), own("/workflow")),
        };
        let dependencies: Vec<Dependency> = definition
            .resolved_dependencies
            .iter()
            .map(|dependency| Dependency { uri: dependency.uri.clone(), digest: dependency.digest.clone() })
            .collect();
        let source = uri.as_deref().map(plain_uri).map(str::to_owned);
        let commit = commit(shape, external, source.as_deref(), reference.as_deref(), &dependencies)?;
        let internal = &definition.internal_parameters;
        Ok(Self {
            predicate_type: SLSA_PROVENANCE.to_owned(),
            builder: provenance.run.builder.id.clone(),
            build_type: definition.build_type.clone(),
            source,
            reference,
            commit,
            entry_point,
            trigger: internal
                .text("/github/event_name")
                .or_else(|| internal.text("/GITHUB_EVENT_NAME"))
                .or_else(|| external.text("/event"))
                .map(str::to_owned),
            parameters: external.clone(),
            internal: internal.clone(),
            dependencies,
            invocation: provenance.run.metadata.invocation_id.clone(),
            started: provenance.run.metadata.started_on.clone(),
            finished: provenance.run.metadata.finished_on.clone(),
        })
    }

    fn of_v0_2(provenance: ProvenanceV02) -> Result<Self, Error> {
        shape(&provenance.build_type, false)?;
        let config = provenance.invocation.config_source;
        let (source, reference) = split_uri(config.uri.as_deref());
        let dependencies: Vec<Dependency> = provenance
            .materials
            .into_iter()
            .map(|material| Dependency { uri: material.uri, digest: material.digest })
            .collect();
        let commit = git_digest(&config.digest).map(str::to_owned);
        // The same source among the materials must be the same commit.
        for dependency in
            dependencies.iter().filter(|dependency| dependency.uri.is_some() && dependency.uri == config.uri)
        {
            if let (Some(one), Some(other)) = (&commit, git_digest(&dependency.digest))
                && one != other
            {
                return Err(contradiction(one, other));
            }
        }
        let environment = provenance.invocation.environment;
        let trigger =
            environment.text("/github_event_name").or_else(|| environment.text("/GITHUB_EVENT_NAME"));
        Ok(Self {
            predicate_type: SLSA_PROVENANCE_0_2.to_owned(),
            builder: provenance.builder.id,
            build_type: provenance.build_type,
            source,
            reference,
            commit,
            entry_point: config.entry_point,
            trigger: trigger.map(str::to_owned),
            parameters: provenance.invocation.parameters,
            internal: environment,
            dependencies,
            invocation: provenance.metadata.invocation,
            started: provenance.metadata.build_started_on,
            finished: provenance.metadata.build_finished_on,
        })
    }
}

/// The commit of the source: of the dependency that is the source, by its URI, and never of another one.
fn commit(
    shape: Shape,
    external: &Json,
    source: Option<&str>,
    reference: Option<&str>,
    dependencies: &[Dependency],
) -> Result<Option<String>, Error> {
    let is_source = |dependency: &&Dependency| {
        let (uri, at) = split_uri(dependency.uri.as_deref());
        uri.is_some() && uri.as_deref() == source && (at.is_none() || at.as_deref() == reference)
    };
    let mut commits: Vec<&str> = match shape {
        Shape::Release => {
            dependencies.iter().take(1).filter_map(|source| git_digest(&source.digest)).collect()
        }
        Shape::GitLab => dependencies
            .iter()
            .filter(is_source)
            .filter_map(|source| {
                git_digest(&source.digest).or_else(|| source.digest.get("sha256").map(String::as_str))
            })
            .collect(),
        _ => dependencies.iter().filter(is_source).filter_map(|source| git_digest(&source.digest)).collect(),
    };
    if shape == Shape::Delegated {
        commits.extend(
            ["/source/digest/gitCommit", "/source/digest/sha1"].iter().find_map(|at| external.text(at)),
        );
    }
    let mut commits = commits.into_iter();
    let first = commits.next();
    match (first, commits.find(|other| Some(*other) != first)) {
        (Some(one), Some(other)) => Err(contradiction(one, other)),
        (first, _) => Ok(first.map(str::to_owned)),
    }
}

fn contradiction(one: &str, other: &str) -> Error {
    Error::malformed("SLSA provenance", format!("it names two commits for one source, {one} and {other}"))
}

fn git_digest(digest: &BTreeMap<String, String>) -> Option<&str> {
    digest.get("gitCommit").or_else(|| digest.get("sha1")).map(String::as_str)
}

/// `git+https://host/owner/name@refs/heads/main` in its two parts.
fn split_uri(uri: Option<&str>) -> (Option<String>, Option<String>) {
    let Some(uri) = uri else { return (None, None) };
    let plain = plain_uri(uri);
    match plain.rsplit_once('@') {
        // An `@` before the path belongs to a user name.
        Some((uri, reference)) if reference.starts_with("refs/") => {
            (Some(uri.to_owned()), Some(reference.to_owned()))
        }
        _ => (Some(plain.to_owned()), None),
    }
}

fn plain_uri(uri: &str) -> &str {
    uri.strip_prefix("git+").unwrap_or(uri)
}
