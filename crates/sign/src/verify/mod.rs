//! The verifier: a bundle, an artifact, who should have signed, and a trusted root go in; a verdict comes out.

mod artifact;
mod batch;
mod cache;
mod check;
mod hashes;
mod image;
mod requirements;
mod signer;
mod verdict;

pub use self::artifact::Artifact;
pub use self::cache::VerdictCache;
pub use self::image::{Attached, COSIGN_SIGN, ImageVerdict, Wanted};
pub use self::requirements::Requirements;
pub use self::signer::{ExactIdentity, ExpectedSigner, IdentityRule};
pub use self::verdict::{Finding, Proved, Question, Refusal, Rule, SignedBy, Step, Verdict, VerifiedTime};

use lotse_digest::Digest;

use self::check::Check;
use self::hashes::Hashes;
use crate::{Bundle, Error, Time, TrustedRoot};

/// Verifies bundles against a trusted root: offline, at a time of the caller's choosing, and with reasons.
///
/// It asks no clock, opens no file and no connection. Make one and keep it; it may be shared between threads.
#[derive(Clone, Debug)]
pub struct Verifier {
    root: TrustedRoot,
}

/// What a verification asks besides the bundle and the artifact. Plain data.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Who must have signed.
    pub signer: ExpectedSigner<'a>,
    /// What must be there besides the signature.
    pub requirements: Requirements,
    /// As of when: nothing may have happened after this second. As a rule, now.
    pub at: Time,
}

impl Verifier {
    /// A verifier that believes this root.
    #[must_use]
    pub const fn new(root: TrustedRoot) -> Self {
        Self { root }
    }

    /// The root that it believes.
    #[must_use]
    pub const fn trusted_root(&self) -> &TrustedRoot {
        &self.root
    }

    /// Verifies a bundle, given as its JSON.
    ///
    /// # Errors
    ///
    /// Those of [`Bundle::parse`]: what cannot be read gets no verdict.
    pub fn verify_json(
        &self,
        bundle: &[u8],
        artifact: &Artifact<'_>,
        context: &Context<'_>,
    ) -> Result<Verdict, Error> {
        let parsed = Bundle::parse(bundle)?;
        Ok(self.verify(&parsed, &Digest::sha256(bundle), artifact, context))
    }

    /// Verifies a bundle that was parsed from the JSON with this digest.
    #[must_use]
    pub fn verify(
        &self,
        bundle: &Bundle,
        json: &Digest,
        artifact: &Artifact<'_>,
        context: &Context<'_>,
    ) -> Verdict {
        let hashes = Hashes::new(artifact);
        let mut verdict = self.ask(json.clone(), hashes.names(), context);
        Check { root: &self.root, bundle, hashes, context, image: None, stamped: None, hash: None }
            .run(&mut verdict);
        verdict
    }

    /// A verdict that holds the question and no answer yet.
    fn ask(&self, bundle: Digest, artifact: Vec<Digest>, context: &Context<'_>) -> Verdict {
        Verdict::new(Question {
            bundle,
            artifact,
            trusted_root: self.root.digest().clone(),
            signer: context.signer.describe(),
            requirements: context.requirements,
            at: context.at,
        })
    }

    /// Proves a stored verdict again from the stored inputs: the same question must be asked, and the same steps must hold.
    ///
    /// # Errors
    ///
    /// Those of [`Bundle::parse`]; [`Error::Mismatch`] if an input or the signer is another one, or the verdict is not what
    /// the inputs lead to.
    pub fn recheck(
        &self,
        stored: &Verdict,
        bundle: &[u8],
        artifact: &Artifact<'_>,
        signer: ExpectedSigner<'_>,
    ) -> Result<(), Error> {
        let question = stored.question();
        let context = Context { signer, requirements: question.requirements, at: question.at };
        let again = self.verify_json(bundle, artifact, &context)?;
        let differs = |what: &'static str, expected: String, actual: String| {
            Err(Error::Mismatch { what, expected, actual })
        };
        let asked = again.question();
        if asked.bundle != question.bundle {
            return differs("bundle of the verdict", asked.bundle.to_string(), question.bundle.to_string());
        }
        if asked.trusted_root != question.trusted_root {
            return differs(
                "trusted root of the verdict",
                asked.trusted_root.to_string(),
                question.trusted_root.to_string(),
            );
        }
        if asked.artifact != question.artifact {
            return differs(
                "artifact of the verdict",
                format!("{:?}", asked.artifact),
                format!("{:?}", question.artifact),
            );
        }
        if asked.signer != question.signer {
            return differs("signer of the verdict", asked.signer.clone(), question.signer.clone());
        }
        if again != *stored {
            return differs("verdict", again.to_string(), stored.to_string());
        }
        Ok(())
    }
}
