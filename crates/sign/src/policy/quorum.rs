use std::collections::BTreeSet;

use super::rule::SignerRule;
use crate::Claims;

/// One of the things that a quorum counts: somebody's signature, or somebody's attestation of one type.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "plain data: who, and what")]
pub struct Requirement {
    /// Who must have signed.
    pub rule: SignerRule,
    /// The predicate type of the attestation; `None` asks for a signature of the image.
    pub predicate_type: Option<String>,
}

/// A verified signature or attestation. Whoever makes one has verified it.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "plain data: who, and what")]
pub struct Signed {
    /// Who signed, by the certificate.
    pub by: Claims,
    /// The predicate type of an attestation; `None` for a signature of the image.
    pub predicate_type: Option<String>,
}

/// m of n: so many of these requirements, each met by a signature of its own.
///
/// One signer counts once for one kind of statement, however many signatures it left: what is counted are pairs of issuer,
/// subject and predicate type.
#[derive(Clone, Debug, PartialEq)]
pub struct Quorum {
    required: usize,
    requirements: Vec<Requirement>,
}

/// A quorum that was not reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{met} of the {required} required signers signed; not met: requirement {}", .missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
#[non_exhaustive]
pub struct Shortfall {
    /// How many requirements were met.
    pub met: usize,
    /// How many must be.
    pub required: usize,
    /// Which were not, by their place from 0.
    pub missing: Vec<usize>,
}

/// A quorum that can never be reached or asks for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quorum of {required} over {requirements} requirements")]
#[non_exhaustive]
pub struct QuorumError {
    /// How many were asked for.
    pub required: usize,
    /// How many there are.
    pub requirements: usize,
}

impl Quorum {
    /// A quorum.
    ///
    /// # Errors
    ///
    /// [`QuorumError`] if `required` is 0 or more than there are.
    pub fn new(required: usize, requirements: Vec<Requirement>) -> Result<Self, QuorumError> {
        if required == 0 || required > requirements.len() {
            return Err(QuorumError { required, requirements: requirements.len() });
        }
        Ok(Self { required, requirements })
    }

    /// Which requirement is met by which signature (indices from 0), as many as possible.
    ///
    /// # Errors
    ///
    /// [`Shortfall`] if these are fewer than required.
    pub fn check(&self, signed: &[Signed]) -> Result<Vec<(usize, usize)>, Shortfall> {
        let mut seen = BTreeSet::new();
        // Equal signers of equal statements are one.
        let candidates: Vec<usize> = (0..signed.len())
            .filter(|&at| {
                signed.get(at).is_some_and(|signed| {
                    seen.insert((
                        signed.by.issuer.clone(),
                        signed.by.subject.clone(),
                        signed.predicate_type.clone(),
                    ))
                })
            })
            .collect();
        let mut taken: Vec<(usize, usize)> = Vec::new();
        for wanted in 0..self.requirements.len() {
            let mut tried = BTreeSet::new();
            self.place(wanted, signed, &candidates, &mut taken, &mut tried);
        }
        taken.sort_unstable();
        if taken.len() >= self.required {
            return Ok(taken);
        }
        let met: BTreeSet<usize> = taken.iter().map(|(wanted, _)| *wanted).collect();
        let missing = (0..self.requirements.len()).filter(|at| !met.contains(at)).collect();
        Err(Shortfall { met: taken.len(), required: self.required, missing })
    }

    /// An augmenting path: gives `wanted` a signature, moving others along if need be.
    fn place(
        &self,
        wanted: usize,
        signed: &[Signed],
        candidates: &[usize],
        taken: &mut Vec<(usize, usize)>,
        tried: &mut BTreeSet<usize>,
    ) -> bool {
        for &candidate in candidates {
            let fits = match (self.requirements.get(wanted), signed.get(candidate)) {
                (Some(requirement), Some(signed)) => {
                    requirement.predicate_type == signed.predicate_type
                        && requirement.rule.matches(&signed.by)
                }
                _ => false,
            };
            if !fits || !tried.insert(candidate) {
                continue;
            }
            let holder =
                taken.iter().find(|(_, signature)| *signature == candidate).map(|(holder, _)| *holder);
            if let Some(holder) = holder
                && !self.place(holder, signed, candidates, taken, tried)
            {
                continue;
            }
            taken.retain(|(other, signature)| *other != wanted && *signature != candidate);
            taken.push((wanted, candidate));
            return true;
        }
        false
    }
}
