//! Link 3: from the run to the image, by signed statements.

use std::collections::BTreeSet;

use lotse_digest::{Digest, Reference};

use super::attested::{Attested, AttestedBy};
use super::links::{Fault, Found, MANY, Walk, broken, missing};
use crate::log::error_chain;
use crate::{BuildFacts, CiFacts, CiSource, DigestMatch, SLSA_PROVENANCE, SLSA_PROVENANCE_0_2};

impl Walk<'_> {
    /// 3: a signed statement about the image says from which commit it was built.
    pub(super) fn provenance_link(&mut self) -> Found {
        if self.evidence.bundles.len() > MANY {
            return broken(format!("more than {MANY} bundles are given"));
        }
        let covering = match self.image() {
            Some(image) => self.documents()?.covering(image),
            None => self.candidates()?,
        };
        let attested = self.verified(&covering)?;
        let mut signed_only = None;
        let mut built: Option<(BuildFacts, &Attested)> = None;
        for (number, attested) in attested.iter().enumerate() {
            let kind = attested.statement.predicate_type();
            if kind == SLSA_PROVENANCE || kind == SLSA_PROVENANCE_0_2 {
                let facts = BuildFacts::parse(&attested.statement).map_err(|error| {
                    Fault::Broken(format!("attached bundle {}: {}", number + 1, error_chain(&error)))
                })?;
                if let Some((other, _)) = &built
                    && other.commit != facts.commit
                {
                    return broken("two provenance statements name different commits");
                }
                built = Some((facts, attested));
            } else if let AttestedBy::Certificate(claims) = &attested.signer {
                signed_only = signed_only.or(Some(claims));
            }
        }
        let (text, commit) = match (built, signed_only) {
            (Some((facts, attested)), _) => {
                let text = format!("{}, built by {}", signed_by(attested), facts.builder);
                let commit = facts.commit.clone();
                if facts.is_from_checkout() {
                    self.checked_out.clone_from(&commit);
                }
                if let AttestedBy::Certificate(claims) = &attested.signer {
                    self.run.push((CiSource::Certificate, CiFacts::from_claims(claims)));
                }
                // The builder's own name is no fact of the run to compare.
                self.run.push((
                    CiSource::Provenance,
                    CiFacts { builder: None, ..CiFacts::from_provenance(&facts) },
                ));
                (text, commit)
            }
            (None, Some(claims)) if self.rules.accept_signature_without_provenance => {
                let facts = CiFacts::from_claims(claims);
                let commit = facts.commit.clone();
                self.run.push((CiSource::Certificate, facts));
                (format!("{} signed it; which run built it nobody says", claims.subject.as_str()), commit)
            }
            (None, Some(claims)) => {
                let subject = claims.subject.as_str();
                return broken(format!(
                    "{subject} signed it, but nobody says which run built it: there is no provenance"
                ));
            }
            (None, None) => return self.by_tag_alone(),
        };
        let Some(commit) = commit else { return broken(format!("{text}, but it names no commit")) };
        match &self.commit {
            Some(known) if *known != commit => {
                return broken(format!("it was built from commit {commit}, not {known}"));
            }
            _ => {}
        }
        self.commit = Some(commit.clone());
        if let Ok(image @ None) = &mut self.image {
            let subjects = attested.iter().flat_map(digests).collect::<Vec<_>>();
            *image = covering.into_iter().find(|digest| subjects.contains(digest));
        }
        Ok(format!("commit {commit}: {text}"))
    }

    /// The bundles about the image, all of them verified. One that is not, or is about something else, breaks the link even if a good
    /// one is beside it: somebody put it there, and a reader with other eyes might believe it.
    fn verified(&self, covering: &[Digest]) -> Result<Vec<Attested>, Fault> {
        let mut all = Vec::new();
        for (number, json) in self.evidence.bundles.iter().enumerate() {
            let refuse = |reason: String| Fault::Broken(format!("attached bundle {}: {reason}", number + 1));
            let attested = self.rules.bundles.verify(json, covering).map_err(refuse)?;
            let about =
                covering.iter().map(|digest| attested.statement.matching(std::slice::from_ref(digest)));
            let about: Vec<DigestMatch> = about.collect();
            if !about.contains(&DigestMatch::Same) {
                // From a commit, statements about other images of the same build may stand beside.
                let subjects: Vec<_> =
                    attested.statement.subjects().iter().map(|subject| subject.name.as_str()).collect();
                let image = covering.first().map(Digest::to_string).unwrap_or_default();
                let mut reason = format!("its statement is about {}, not about {image}", subjects.join(", "));
                if let Some(child) = self.child_of(covering.first(), &attested) {
                    reason.push_str(&format!(
                        "; it covers {child} alone, and says nothing of the index around it"
                    ));
                }
                return Err(refuse(reason));
            }
            all.push(attested);
        }
        Ok(all)
    }

    fn child_of(&self, index: Option<&Digest>, attested: &Attested) -> Option<Digest> {
        let documents = self.documents.as_ref().ok()?;
        let index = index?;
        digests(attested)
            .into_iter()
            .find(|digest| documents.covering(digest).iter().skip(1).any(|above| above == index))
    }

    /// From a commit: the images that Git, the cluster and the statements name.
    fn candidates(&self) -> Result<Vec<Digest>, Fault> {
        let mut all = BTreeSet::new();
        let texts = self.evidence.manifests.iter().map(|manifest| manifest.image.as_str());
        let containers = self.evidence.pods.iter().flat_map(|pod| &pod.containers);
        let texts = texts.chain(containers.map(|container| container.image.as_str()));
        all.extend(texts.filter_map(|text| text.parse::<Reference>().ok()?.digest().cloned()));
        if all.is_empty() {
            all.extend(self.evidence.tags.values().cloned());
        }
        let documents = self.documents()?;
        let all: Vec<Digest> = all.into_iter().flat_map(|digest| documents.covering(&digest)).collect();
        if all.is_empty() { missing("an image: nothing names one") } else { Ok(all) }
    }

    fn by_tag_alone(&self) -> Found {
        let commit =
            self.commit.as_deref().or(self.evidence.commit.as_ref().map(|commit| commit.id.as_str()));
        let image = self.image().map(Digest::to_string).unwrap_or_default();
        let tag = self.evidence.tags.iter().find(|(tag, digest)| {
            commit.is_some_and(|commit| tag.ends_with(commit)) || self.image() == Some(*digest)
        });
        match tag {
            Some((tag, digest)) => broken(format!(
                "only the tag {tag} connects commit and image {digest}: no signed statement names both, and a tag can be moved"
            )),
            None => broken(format!(
                "no signed provenance about {image} among {} bundles",
                self.evidence.bundles.len()
            )),
        }
    }
}

fn signed_by(attested: &Attested) -> String {
    match &attested.signer {
        AttestedBy::Key(fingerprint) => format!("signed by key {fingerprint}"),
        AttestedBy::Certificate(claims) => format!("signed by {}", claims.subject.as_str()),
    }
}

/// The subjects of a statement, as digests.
fn digests(attested: &Attested) -> Vec<Digest> {
    let subjects = attested.statement.subjects().iter();
    let sets = subjects.flat_map(|subject| &subject.digest);
    sets.filter_map(|(algorithm, encoded)| format!("{algorithm}:{encoded}").parse().ok()).collect()
}
