use lotse_digest::{Algorithm, Digest};

use super::check::Check;
use super::hashes::Hashes;
use super::{Artifact, Context, Verdict, Verifier};
use crate::cosign::{Attachments, CosignLayer, DSSE_MEDIA_TYPE, decode_layer};
use crate::{Bundle, Error};

/// The predicate type of what `cosign sign` writes since version 3.
pub const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

/// What is wanted of the attachments of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wanted<'a> {
    /// A signature: a simple signing payload, a message signature, or a statement of type [`COSIGN_SIGN`]. An attestation
    /// is none, even if it is signed by the right one.
    Signature,
    /// An attestation with this predicate type.
    Attestation(&'a str),
}

/// The verdicts on everything of the wanted kind that is attached to an image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageVerdict {
    /// One verdict each, accepted ones too, in the order of the attachments.
    pub verdicts: Vec<Attached>,
    /// What could not be read, with the reason.
    pub unreadable: Vec<String>,
}

/// One attachment, judged. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attached {
    /// Where it was found: `.sig layer 1`, `.att layer 2`, or the referrer's digest.
    pub place: String,
    /// The verdict on it.
    pub verdict: Verdict,
    /// The signed statement, if it is an accepted attestation.
    pub statement: Option<Vec<u8>>,
}

impl ImageVerdict {
    /// Those that hold.
    pub fn accepted(&self) -> impl Iterator<Item = &Attached> {
        self.verdicts.iter().filter(|attached| attached.verdict.is_accepted())
    }

    /// Whether at least one holds.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.accepted().next().is_some()
    }
}

impl Verifier {
    /// Verifies a layer of cosign's older layout for an image.
    ///
    /// # Errors
    ///
    /// What cannot be read gets no verdict: [`Error::Malformed`], [`Error::Unsupported`], [`Error::Limit`].
    pub fn verify_layer(
        &self,
        layer: &CosignLayer,
        image: &Digest,
        context: &Context<'_>,
    ) -> Result<Verdict, Error> {
        // cosign's older layout signs SHA-256 digests whatever the key; the key's own hash function is as good.
        self.verify_layer_with(layer, image, context, Some(Algorithm::Sha256))
    }

    /// As [`verify_layer`](Self::verify_layer), with the hash function that may stand in for the key's own.
    pub(crate) fn verify_layer_with(
        &self,
        layer: &CosignLayer,
        image: &Digest,
        context: &Context<'_>,
        hash: Option<Algorithm>,
    ) -> Result<Verdict, Error> {
        let bundle = decode_layer(layer)?;
        let images = [image.clone()];
        let mut verdict = self.ask(layer_digest(layer), images.to_vec(), context);
        let is_attestation = layer.media_type == DSSE_MEDIA_TYPE;
        let artifact =
            if is_attestation { Artifact::Digests(&images) } else { Artifact::Bytes(&layer.payload) };
        let check = Check {
            root: &self.root,
            bundle: &bundle,
            hashes: Hashes::new(&artifact),
            context,
            image: (!is_attestation).then_some((image, layer.payload.as_slice())),
            stamped: is_attestation.then_some(&layer.payload),
            hash,
        };
        check.run(&mut verdict);
        Ok(verdict)
    }

    /// Verifies everything of the wanted kind that is attached to an image, in both layouts.
    #[must_use]
    pub fn verify_image(
        &self,
        attachments: &Attachments,
        image: &Digest,
        wanted: Wanted<'_>,
        context: &Context<'_>,
    ) -> ImageVerdict {
        let mut found = ImageVerdict { verdicts: Vec::new(), unreadable: attachments.unreadable.clone() };
        let (layers, name) = match wanted {
            Wanted::Signature => (&attachments.signatures, ".sig"),
            Wanted::Attestation(_) => (&attachments.attestations, ".att"),
        };
        for (number, layer) in layers.iter().enumerate() {
            let place = format!("{name} layer {}", number + 1);
            match self.verify_layer(layer, image, context) {
                Ok(verdict) => found.judge(place, verdict, wanted, || {
                    crate::Envelope::parse(&layer.payload)
                        .ok()
                        .map(|envelope| envelope.unverified_payload().to_vec())
                }),
                Err(error) => found.unreadable.push(format!("{place}: {error}")),
            }
        }
        let images = [image.clone()];
        for attached in &attachments.bundles {
            let place = format!("referrer {}", attached.manifest);
            match Bundle::parse(&attached.json) {
                Ok(bundle) => {
                    let digest = Digest::sha256(&attached.json);
                    let verdict = self.verify(&bundle, &digest, &Artifact::Digests(&images), context);
                    found.judge(place, verdict, wanted, || bundle.unverified_statement().map(<[u8]>::to_vec));
                }
                Err(error) => found.unreadable.push(format!("{place}: {error}")),
            }
        }
        found
    }
}

impl ImageVerdict {
    /// Keeps a verdict unless it accepted something of another kind than wanted.
    fn judge(
        &mut self,
        place: String,
        verdict: Verdict,
        wanted: Wanted<'_>,
        statement: impl FnOnce() -> Option<Vec<u8>>,
    ) {
        let mut kept = None;
        if let Ok(proved) = verdict.result() {
            let found = proved.predicate_type.as_deref();
            let fits = match wanted {
                Wanted::Signature => found.is_none_or(|predicate| predicate == COSIGN_SIGN),
                Wanted::Attestation(predicate) => found == Some(predicate),
            };
            if !fits {
                return;
            }
            kept = found.and_then(|_| statement());
        }
        self.verdicts.push(Attached { place, verdict, statement: kept });
    }
}

/// A layer has no one document that could be hashed: its media type, payload and annotations, each with its length.
fn layer_digest(layer: &CosignLayer) -> Digest {
    let mut bytes = Vec::new();
    let mut push = |part: &[u8]| {
        bytes.extend_from_slice(format!("{}:", part.len()).as_bytes());
        bytes.extend_from_slice(part);
    };
    push(layer.media_type.as_bytes());
    push(&layer.payload);
    for (name, value) in &layer.annotations {
        push(name.as_bytes());
        push(value.as_bytes());
    }
    Digest::sha256(&bytes)
}
