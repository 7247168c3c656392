//! Links 1 and 2: from the commit to its tag, its branch and its run.

use lotse_digest::Digest;

use super::documents::Documents;
use super::evidence::Evidence;
use super::places::begin;
use super::{ChainRules, LinkKind, LinkState, Start};
use crate::{CiCaution, CiFacts, CiSource, Expected, Reconciled};

/// Bundles and log entries of one image.
pub(super) const MANY: usize = 1000;

/// A walk under way: what is known so far.
pub(super) struct Walk<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) rules: &'a ChainRules<'a>,
    /// Where the walk begins, or which link is broken before it can.
    pub(super) image: Result<Option<Digest>, (LinkKind, String)>,
    pub(super) commit: Option<String>,
    pub(super) documents: Result<Documents, String>,
    /// What the provenance and certificates of the image say of its run, once link 3 holds.
    pub(super) run: Vec<(CiSource, CiFacts)>,
    /// The commit that the build took from Git itself, if its provenance is of that kind.
    pub(super) checked_out: Option<String>,
}

/// What a link that does not hold is.
pub(super) enum Fault {
    Broken(String),
    Missing(String),
}

pub(super) type Found = Result<String, Fault>;

pub(super) fn broken<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Broken(reason.into()))
}

pub(super) fn missing<T>(what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Missing(what.into()))
}

impl<'a> Walk<'a> {
    pub(super) fn new(start: &Start, evidence: &'a Evidence, rules: &'a ChainRules<'a>) -> Self {
        let documents = Documents::parse(&evidence.documents);
        let commit = match start {
            Start::Commit(commit) => Some(commit.clone()),
            _ => None,
        };
        let image = begin(start, evidence);
        Self { evidence, rules, image, commit, documents, run: Vec::new(), checked_out: None }
    }

    pub(super) fn image(&self) -> Option<&Digest> {
        self.image.as_ref().ok()?.as_ref()
    }

    pub(super) fn commit(&self) -> Option<&str> {
        self.commit.as_deref()
    }

    pub(super) fn link(&mut self, kind: LinkKind) -> LinkState {
        let found = match &self.image {
            Err((at, reason)) if *at == kind => broken(reason.clone()),
            Err(_) => missing("where the walk begins is not known"),
            Ok(_) => match kind {
                LinkKind::Commit => self.commit_link(),
                LinkKind::Run => self.run_link(),
                LinkKind::Provenance => self.provenance_link(),
                LinkKind::Index => self.index_link(),
                LinkKind::Manifest => self.manifest_link(),
                LinkKind::Pod => self.pod_link(),
                LinkKind::Container => self.container_link(),
                LinkKind::Log => self.log_link(),
            },
        };
        match found {
            Ok(text) => LinkState::Holds(text),
            Err(Fault::Broken(reason)) => LinkState::Broken(reason),
            Err(Fault::Missing(what)) => LinkState::Missing(what),
        }
    }

    pub(super) fn documents(&self) -> Result<&Documents, Fault> {
        self.documents.as_ref().map_err(|reason| Fault::Broken(reason.clone()))
    }

    pub(super) fn known_image(&self) -> Result<&Digest, Fault> {
        self.image().ok_or_else(|| Fault::Missing("no image is known yet".to_owned()))
    }

    /// 1: the commit is the tag's, was merged, and is not younger than its release.
    fn commit_link(&mut self) -> Found {
        let Some(commit) = &self.evidence.commit else {
            return missing("what Git says of the commit: its tag, its branch, its date");
        };
        match &self.commit {
            Some(known) if *known != commit.id => {
                return broken(format!(
                    "Git was asked about commit {}, the chain leads to {known}",
                    commit.id
                ));
            }
            _ => {}
        }
        let mut text = format!("commit {}", commit.id);
        if let Some(release) = &self.evidence.release {
            match commit.tags.get(&release.tag) {
                Some(leads_to) if *leads_to == commit.id => {
                    text.push_str(&format!(" is tag {}", release.tag))
                }
                Some(leads_to) => {
                    return broken(format!(
                        "tag {} leads to {leads_to}, not to commit {}",
                        release.tag, commit.id
                    ));
                }
                None => return missing(format!("where tag {} leads", release.tag)),
            }
            if let (Some(author), Some(published)) = (commit.author_time, release.published)
                && author > published
            {
                return broken(format!(
                    "release {} was published {published}, before the author wrote its commit, {author}",
                    release.tag
                ));
            }
        }
        match (commit.on_protected_branch, commit.reviewed) {
            (Some(false), _) => broken(format!("{text}, but the protected branch does not have it")),
            (_, Some(false)) => broken(format!("{text}, but nobody else reviewed it")),
            (None, _) => missing(format!("whether the protected branch has it; {text}")),
            (_, None) => missing(format!("whether somebody else reviewed it; {text}")),
            (Some(true), Some(true)) => Ok(format!("{text}, reviewed and on the protected branch")),
        }
    }

    /// 2: everybody who speaks of the run says the same, and it is the run that the rules want.
    fn run_link(&mut self) -> Found {
        let mut sources: Vec<(CiSource, &CiFacts)> =
            self.run.iter().map(|(source, facts)| (*source, facts)).collect();
        if let Some(facts) = &self.evidence.run {
            sources.push((CiSource::Variables, facts));
        }
        if sources.is_empty() {
            return missing("who ran it: a certificate, provenance, or the run's record");
        }
        let run = Reconciled::of(&sources);
        if let Some(disagreement) = run.disagreements.first() {
            return broken(disagreement.to_string());
        }
        let Some(built) = run.facts.commit.clone() else { return missing("which commit the run was for") };
        match &self.commit {
            Some(commit) if *commit != built => {
                return broken(format!("the run was for commit {built}, not {commit}"));
            }
            _ => {}
        }
        if let Some(expected) = self.rules.repository
            && let Some(caution) = run.facts.compare_repository(expected).first()
        {
            return broken(caution.to_string());
        }
        if let Some(expected) = self.rules.reference {
            let reference = run.facts.reference.as_deref().unwrap_or("no ref");
            if !fits(expected, reference) {
                return broken(format!("the run was on {reference}, which is not the expected ref"));
            }
        }
        // A certificate and most builders know the commit of the event; which one was checked out is another question.
        let checked_out = self.evidence.checked_out.as_deref().or(self.checked_out.as_deref());
        let mut text = format!("commit {built}");
        for caution in run.facts.cautions(checked_out) {
            match &caution {
                CiCaution::ReRun { .. } => text.push_str(&format!(", {caution}")),
                CiCaution::SelfHosted if self.rules.allow_self_hosted => {
                    text.push_str(&format!(", {caution}"))
                }
                CiCaution::ReusableWorkflow { signer, .. } if self.may_sign(signer) => {
                    text.push_str(&format!(", {caution}"));
                }
                _ => return broken(caution.to_string()),
            }
        }
        if let Some(name) = &run.facts.run {
            text.push_str(&format!(" in {name}"));
        }
        let best = run.sources.get(&crate::CiField::Commit);
        text.push_str(match best {
            Some(CiSource::Certificate) => ", by certificate",
            Some(CiSource::Provenance) => ", by provenance",
            _ => ", by the run's own record",
        });
        Ok(text)
    }

    fn may_sign(&self, signer: &str) -> bool {
        self.rules.reusable_workflows.iter().any(|allowed| {
            if allowed.ends_with('@') {
                signer.strip_prefix(allowed).is_some_and(|rest| !rest.is_empty())
            } else {
                signer == *allowed
            }
        })
    }
}

fn fits(expected: &Expected, reference: &str) -> bool {
    match expected {
        Expected::Branch(name) => reference.strip_prefix("refs/heads/") == Some(name),
        Expected::Tag(name) => reference.strip_prefix("refs/tags/") == Some(name),
        Expected::AnyTag => reference.starts_with("refs/tags/"),
    }
}
