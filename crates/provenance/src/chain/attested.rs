use lotse_digest::Digest;
use lotse_sign::{Artifact, Bundle, Claims, Context, SignedBy, Verifier, VerifyingKey};

use crate::Statement;
use crate::log::error_chain;

/// Verifies the bundles of a chain, and decides by that whom to believe.
pub trait BundleVerifier {
    /// The statement of a bundle that is about one of `images`, if it is signed by somebody who is believed. The digests are all that
    /// may be meant: the image, an index that holds it.
    ///
    /// # Errors
    ///
    /// Why it is not believed, in words.
    fn verify(&self, bundle: &[u8], images: &[Digest]) -> Result<Attested, String>;
}

/// A statement that was verified. Plain data.
#[derive(Clone, Debug)]
pub struct Attested {
    /// The statement.
    pub statement: Statement,
    /// Who signed it.
    pub signer: AttestedBy,
}

/// Who signed a statement.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AttestedBy {
    /// A key, by its fingerprint.
    Key(String),
    /// The subject of a certificate.
    Certificate(Box<Claims>),
}

/// Believes one key.
#[derive(Clone, Copy, Debug)]
pub struct KeyVerifier<'a>(pub &'a VerifyingKey);

impl BundleVerifier for KeyVerifier<'_> {
    fn verify(&self, bundle: &[u8], _: &[Digest]) -> Result<Attested, String> {
        let bundle = Bundle::parse(bundle).map_err(|error| error_chain(&error))?;
        let payload = bundle.verify_statement(self.0).map_err(|error| error_chain(&error))?;
        let statement = Statement::parse(payload).map_err(|error| error_chain(&error))?;
        let fingerprint = self.0.fingerprint();
        Ok(Attested { statement, signer: AttestedBy::Key(fingerprint.to_string()) })
    }
}

/// Believes whom a Sigstore verification accepts: an identity by a trusted root, at a time.
#[derive(Clone, Copy, Debug)]
pub struct SigstoreVerifier<'a> {
    /// The verifier with its trusted root.
    pub verifier: &'a Verifier,
    /// Who must have signed, what must be there, and as of when.
    pub context: Context<'a>,
}

impl BundleVerifier for SigstoreVerifier<'_> {
    fn verify(&self, json: &[u8], images: &[Digest]) -> Result<Attested, String> {
        let bundle = Bundle::parse(json).map_err(|error| error_chain(&error))?;
        let digest = Digest::sha256(json);
        let mut refused = "there is no image that it could be about".to_owned();
        for image in images {
            let artifact = Artifact::Digests(std::slice::from_ref(image));
            let verdict = self.verifier.verify(&bundle, &digest, &artifact, &self.context);
            match verdict.result() {
                Ok(proved) => {
                    // The verdict is on this very bundle.
                    let payload = bundle.unverified_statement().ok_or("it holds no statement")?;
                    let statement = Statement::parse(payload).map_err(|error| error_chain(&error))?;
                    let signer = match &proved.signer {
                        SignedBy::Key(key) => AttestedBy::Key(key.to_string()),
                        SignedBy::Certificate(claims) => AttestedBy::Certificate(claims.clone()),
                        _ => return Err("its signer is of a kind that is not known here".to_owned()),
                    };
                    return Ok(Attested { statement, signer });
                }
                Err(refusal) => refused = error_chain(&refusal),
            }
        }
        Err(refused)
    }
}
