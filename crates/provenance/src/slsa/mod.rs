//! SLSA provenance: v1 read and written, v0.2 read, and what is expected of it.

mod expect;
mod facts;
mod v0_2;

use std::collections::BTreeMap;

use lotse_digest::Digest;
use serde::{Deserialize, Serialize};

pub use self::expect::{BuilderRule, Expectations, Expected, Signer, SlsaCheck, SlsaVerdict};
pub use self::facts::{BuildFacts, Dependency};

use crate::json::{Json, Others};
use crate::{CiFacts, Error, Statement, Subject, Timestamp};

/// The predicate type of SLSA provenance v1.
pub const SLSA_PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// The predicate type of SLSA provenance v0.2.
pub const SLSA_PROVENANCE_0_2: &str = "https://slsa.dev/provenance/v0.2";

/// SLSA provenance v1 (slsa.dev/spec/v1.1/provenance): how some artifacts were built. Members that the specification does not have
/// are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// What was built, from what.
    #[serde(rename = "buildDefinition")]
    pub definition: BuildDefinition,
    /// Who built it, when.
    #[serde(rename = "runDetails")]
    pub run: RunDetails,
    #[serde(flatten)]
    others: Others,
}

/// The inputs of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// The URI that says what the parameters mean.
    pub build_type: String,
    /// What whoever asked for the build could choose: an object.
    pub external_parameters: Json,
    /// What the builder chose.
    #[serde(default, skip_serializing_if = "Json::is_nothing")]
    pub internal_parameters: Json,
    /// Everything that went in: the source, base images, files from outside the commit.
    #[serde(default)]
    pub resolved_dependencies: Vec<ResourceDescriptor>,
    #[serde(flatten)]
    others: Others,
}

/// Who ran a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunDetails {
    /// The builder.
    pub builder: Builder,
    /// The run.
    #[serde(default)]
    pub metadata: RunMetadata,
    /// What else came out: logs, configurations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub byproducts: Vec<ResourceDescriptor>,
    #[serde(flatten)]
    others: Others,
}

/// A builder, by the URI that people trust or do not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Builder {
    /// The URI.
    pub id: String,
    /// Versions of the tools, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub version: BTreeMap<String, String>,
    /// What the builder itself is made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub builder_dependencies: Vec<ResourceDescriptor>,
    #[serde(flatten)]
    others: Others,
}

/// One run of a builder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunMetadata {
    /// The run, by the URI or number its system gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocation_id: Option<String>,
    /// When it began, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_on: Option<String>,
    /// When it ended, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_on: Option<String>,
    #[serde(flatten)]
    others: Others,
}

/// A thing by URI and digest (in-toto, `ResourceDescriptor`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceDescriptor {
    /// Its digests, by algorithm.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub digest: BTreeMap<String, String>,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    #[serde(flatten)]
    others: Others,
}

impl ResourceDescriptor {
    /// A thing by its URI and digest.
    #[must_use]
    pub fn new(uri: impl Into<String>, digest: &Digest) -> Self {
        Self { uri: Some(uri.into()), ..Self::named_by(digest) }
    }

    /// A thing that has a name and no URI.
    #[must_use]
    pub fn named(name: impl Into<String>, digest: &Digest) -> Self {
        Self { name: Some(name.into()), ..Self::named_by(digest) }
    }

    fn named_by(digest: &Digest) -> Self {
        let digest = BTreeMap::from([(digest.algorithm().name().to_owned(), digest.encoded())]);
        Self { digest, ..Self::default() }
    }

    /// The source of a build: the commit object of a Git repository. `uri` is where the repository is, if it is known.
    #[must_use]
    pub fn git(uri: Option<&str>, commit: &str) -> Self {
        let digest = BTreeMap::from([("gitCommit".to_owned(), commit.to_owned())]);
        let uri = uri.map(|uri| format!("git+{uri}"));
        Self { digest, name: Some("source".to_owned()), uri, ..Self::default() }
    }
}

impl Provenance {
    /// Provenance of a build from one commit.
    #[must_use]
    pub fn new(build_type: &str, builder: &str, source: ResourceDescriptor) -> Self {
        Self {
            definition: BuildDefinition {
                build_type: build_type.to_owned(),
                external_parameters: Json::object(),
                internal_parameters: Json::default(),
                resolved_dependencies: vec![source],
                others: Others::new(),
            },
            run: RunDetails {
                builder: Builder {
                    id: builder.to_owned(),
                    version: BTreeMap::new(),
                    builder_dependencies: Vec::new(),
                    others: Others::new(),
                },
                metadata: RunMetadata::default(),
                byproducts: Vec::new(),
                others: Others::new(),
            },
            others: Others::new(),
        }
    }

    /// Adds what the CI system says of the run. The commit it names must be the one that was built.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if CI ran on another commit than the source: then one of the two is not what was built.
    pub fn with_ci(mut self, ci: &CiFacts) -> Result<Self, Error> {
        if let (Some(source), Some(run)) = (self.commit(), ci.commit.as_deref())
            && source != run
        {
            let reason = format!("CI says it runs on commit {run}, but commit {source} is checked out");
            return Err(Error::malformed("build facts", reason));
        }
        let facts = [
            ("repository", &ci.repository),
            ("ref", &ci.reference),
            ("workflow", &ci.workflow),
            ("event", &ci.event),
        ];
        for (name, fact) in facts {
            if let Some(fact) = fact {
                self.definition.external_parameters.insert(name, fact.as_str());
            }
        }
        self.run.metadata.invocation_id.clone_from(&ci.run);
        Ok(self)
    }

    /// Says when the run began.
    #[must_use]
    pub fn started(mut self, time: Timestamp) -> Self {
        self.run.metadata.started_on = Some(time.to_string());
        self
    }

    /// The commit that was built: the `gitCommit` of the first dependency that has one.
    #[must_use]
    pub fn commit(&self) -> Option<&str> {
        let digests = self.definition.resolved_dependencies.iter();
        digests.filter_map(|dependency| dependency.digest.get("gitCommit")).map(String::as_str).next()
    }

    /// The statement that these subjects were built so.
    ///
    /// # Errors
    ///
    /// Those of [`Statement::new`].
    pub fn statement(&self, subjects: Vec<Subject>) -> Result<Statement, Error> {
        let predicate =
            serde_json::to_vec(self).map_err(|error| Error::malformed("SLSA provenance", error))?;
        Statement::new(subjects, SLSA_PROVENANCE, &predicate)
    }

    /// The provenance v1 in a statement. For v0.2 as well, take [`BuildFacts::parse`].
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if the statement is of another type or its predicate is none.
    pub fn parse(statement: &Statement) -> Result<Self, Error> {
        if statement.predicate_type() != SLSA_PROVENANCE {
            let reason = format!("the statement's predicate is {:?}", statement.predicate_type());
            return Err(Error::malformed("SLSA provenance", reason));
        }
        let provenance: Self = serde_json::from_str(statement.predicate())
            .map_err(|error| Error::malformed("SLSA provenance", error))?;
        if !provenance.definition.external_parameters.0.is_object() {
            return Err(Error::malformed("SLSA provenance", "its externalParameters are no object"));
        }
        Ok(provenance)
    }
}
