use std::collections::BTreeMap;
use std::fmt;

use super::CiFacts;

/// Who says something of a run, the most trustworthy first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CiSource {
    /// A verified certificate: the CI system said it, and the build could not.
    Certificate,
    /// Verified provenance of a trusted builder.
    Provenance,
    /// A token that was not verified here.
    UnverifiedToken,
    /// Variables, which the build script can set.
    Variables,
}

/// Which fact of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CiField {
    /// The repository's URL.
    Repository,
    /// The repository's id.
    RepositoryId,
    /// The owner's id.
    OwnerId,
    /// The commit.
    Commit,
    /// The ref.
    Reference,
    /// The definition of the repository that was built.
    Workflow,
    /// The definition that signed.
    Signer,
    /// What started the run.
    Event,
    /// The run with its attempt.
    Run,
    /// Who started it.
    Actor,
    /// Where it ran.
    Runner,
    /// The environment that was deployed to.
    Environment,
    /// The builder.
    Builder,
    /// The commit that a merge request proposes.
    HeadCommit,
}

/// Two sources that contradict each other. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CiDisagreement {
    /// About what.
    pub field: CiField,
    /// Who is believed, and what it says.
    pub believed: (CiSource, String),
    /// Who says something else, and what.
    pub other: (CiSource, String),
}

/// The facts of a run from all who speak of it. Plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconciled {
    /// The facts, each from the most trustworthy source that has it.
    pub facts: CiFacts,
    /// Where each fact comes from.
    pub sources: BTreeMap<CiField, CiSource>,
    /// What the others say differently, and must be explained.
    pub disagreements: Vec<CiDisagreement>,
}

impl Reconciled {
    /// Brings together what several sources say of one run.
    ///
    /// ```
    /// use lotse_provenance::{CiFacts, CiSource, Reconciled};
    /// let mut certificate = CiFacts::default();
    /// certificate.commit = Some("513167b3b49f4c6aeec82c14b4db965623680059".to_owned());
    /// let mut variables = CiFacts::default();
    /// variables.commit = Some("0000000000000000000000000000000000000000".to_owned());
    /// let run = Reconciled::of(&[(CiSource::Variables, &variables), (CiSource::Certificate, &certificate)]);
    /// assert_eq!(run.facts.commit, certificate.commit);
    /// assert!(run.disagreements[0].to_string().starts_with("Commit: Variables says 0000"));
    /// ```
    #[must_use]
    pub fn of(sources: &[(CiSource, &CiFacts)]) -> Self {
        let mut sources = sources.to_vec();
        sources.sort_by_key(|(source, _)| *source);
        let mut run = Self::default();
        for (field, access) in FIELDS {
            let mut believed: Option<(CiSource, String)> = None;
            for (source, facts) in &sources {
                let mut facts = (*facts).clone();
                let Some(value) = access(&mut facts).take() else { continue };
                match &believed {
                    None => {
                        run.sources.insert(field, *source);
                        *access(&mut run.facts) = Some(value.clone());
                        believed = Some((*source, value));
                    }
                    Some((_, first)) if same(field, first, &value) => {}
                    Some(first) => run.disagreements.push(CiDisagreement {
                        field,
                        believed: first.clone(),
                        other: (*source, value),
                    }),
                }
            }
        }
        run
    }
}

type Access = fn(&mut CiFacts) -> &mut Option<String>;

const FIELDS: [(CiField, Access); 14] = [
    (CiField::Repository, |facts| &mut facts.repository),
    (CiField::RepositoryId, |facts| &mut facts.repository_id),
    (CiField::OwnerId, |facts| &mut facts.owner_id),
    (CiField::Commit, |facts| &mut facts.commit),
    (CiField::Reference, |facts| &mut facts.reference),
    (CiField::Workflow, |facts| &mut facts.workflow),
    (CiField::Signer, |facts| &mut facts.signer),
    (CiField::Event, |facts| &mut facts.event),
    (CiField::Run, |facts| &mut facts.run),
    (CiField::Actor, |facts| &mut facts.actor),
    (CiField::Runner, |facts| &mut facts.runner),
    (CiField::Environment, |facts| &mut facts.environment),
    (CiField::Builder, |facts| &mut facts.builder),
    (CiField::HeadCommit, |facts| &mut facts.head_commit),
];

/// Whether two values mean the same. A definition by path alone is compared by its end.
fn same(field: CiField, one: &str, other: &str) -> bool {
    let by_path = |long: &str, short: &str| {
        let long = long.split_once('@').map_or(long, |(path, _)| path);
        !short.contains("://") && long.ends_with(&format!("/{}", short.trim_start_matches('/')))
    };
    one == other || (field == CiField::Workflow && (by_path(one, other) || by_path(other, one)))
}

impl fmt::Display for CiDisagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((believed, value), (source, other)) = (&self.believed, &self.other);
        write!(f, "{:?}: {source:?} says {other}, but {believed:?} says {value}", self.field)
    }
}
