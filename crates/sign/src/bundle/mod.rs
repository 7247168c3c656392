//! Sigstore bundles: what was signed, by what, and what others witnessed of it.

mod builder;
mod wire;

pub use self::builder::BundleBuilder;
pub(crate) use self::wire::read_log_entry;
#[cfg(feature = "sandbox")]
pub(crate) use self::wire::write_log_entry;

use std::collections::BTreeMap;

use lotse_digest::Digest;

use self::wire::{Wire, WireMaterial, WireMessage};
use crate::dsse::IN_TOTO;
use crate::rekor::LogEntry;
use crate::statement::StatementHead;
use crate::x509::Certificate;
use crate::{Envelope, Error, Signer, VerifyingKey};

/// The media type of a bundle, also its artifact type as an OCI referrer.
pub const BUNDLE_MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const BYTES: usize = 64 << 20;

/// A Sigstore bundle, versions 0.1 to 0.3 (protobuf-specs, `Bundle`, as proto3 JSON).
///
/// It is read strictly, by these rules: a member has its camelCase or its original name, never both, never twice; unknown
/// members are refused; an absent member has its default; 64-bit integers are strings or JSON integers; bytes are base64 of
/// either alphabet, padded or not, without line breaks; enumerations are names; nothing follows the one JSON value.
///
/// A parsed bundle is well-formed, no more. Whether to believe it is [`Verifier`](crate::Verifier)'s answer, or, for a
/// bundle that nothing but a key vouches for, [`verify_statement`](Self::verify_statement)'s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    pub(crate) version: Version,
    pub(crate) material: Material,
    pub(crate) entries: Vec<LogEntry>,
    pub(crate) timestamps: Vec<Vec<u8>>,
    pub(crate) content: Content,
}

/// The version of the format, which decides what must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    V0_1,
    V0_2,
    V0_3,
}

/// What the signature is checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Material {
    /// A key that the verifier must know.
    Key { hint: String },
    /// The signer's certificate; intermediates that came along (versions 0.1 and 0.2) prove nothing.
    Certificates { leaf: Certificate, above: Vec<Certificate> },
}

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Dsse(Envelope),
    Message { digest: Digest, signature: Vec<u8> },
}

impl Bundle {
    /// Signs an in-toto statement, given as its JSON bytes, into a bundle without further witnesses.
    ///
    /// # Errors
    ///
    /// Those of the signer.
    pub fn sign_statement(statement: Vec<u8>, key: &dyn Signer) -> Result<Self, Error> {
        Ok(BundleBuilder::statement(statement, key)?.build())
    }

    /// Signs an artifact's bytes into a bundle with a message signature and without further witnesses.
    ///
    /// # Errors
    ///
    /// Those of the signer.
    pub fn sign_artifact(artifact: &[u8], key: &dyn Signer) -> Result<Self, Error> {
        Ok(BundleBuilder::artifact(artifact, key)?.build())
    }

    /// Reads a bundle.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if it is none, has not exactly one content and one material, or members that the specification
    /// does not have; [`Error::Unsupported`] for other versions; [`Error::Limit`] over 64 MiB, 32 log entries or 32
    /// timestamps.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.len() > BYTES {
            return Err(Error::Limit { what: "bytes of a bundle", limit: BYTES });
        }
        let mut wire: Wire =
            serde_json::from_slice(json).map_err(|error| Error::malformed("bundle", error))?;
        let version = Version::parse(&wire.media_type)?;
        let material = wire.verification_material.material(version)?;
        let entries = wire.verification_material.entries()?;
        for entry in &entries {
            version.check(entry)?;
        }
        let timestamps = wire.verification_material.timestamps()?;
        Ok(Self { version, material, entries, timestamps, content: wire.content()? })
    }

    /// The bundle in JSON, in the version it was read in. The same bundle gives the same bytes.
    ///
    /// # Errors
    ///
    /// None for values made by this crate.
    pub fn to_json(&self) -> Result<Vec<u8>, Error> {
        let (dsse_envelope, message_signature) = match &self.content {
            Content::Dsse(envelope) => (Some(envelope.to_wire()), None),
            Content::Message { digest, signature } => (None, Some(WireMessage::write(digest, signature))),
        };
        let wire = Wire {
            media_type: self.version.media_type().to_owned(),
            verification_material: WireMaterial::write(
                &self.material,
                &self.entries,
                &self.timestamps,
                self.version,
            ),
            dsse_envelope,
            message_signature,
        };
        serde_json::to_vec(&wire).map_err(|error| Error::malformed("bundle", error))
    }

    /// The media type of the version that the bundle was read in; new ones are of [`BUNDLE_MEDIA_TYPE`](crate::BUNDLE_MEDIA_TYPE).
    #[must_use]
    pub const fn media_type(&self) -> &'static str {
        self.version.media_type()
    }

    /// Which key the signer says it used; unauthenticated, and empty for a bundle with a certificate.
    #[must_use]
    pub fn key_hint(&self) -> &str {
        match &self.material {
            Material::Key { hint } => hint,
            Material::Certificates { .. } => "",
        }
    }

    /// Whether the bundle is signed with a certificate's key (keyless) and not with one that the verifier must know.
    #[must_use]
    pub const fn has_certificate(&self) -> bool {
        matches!(self.material, Material::Certificates { .. })
    }

    /// The annotations that cosign writes on the manifest of a bundle that is a referrer: what kind of content it has, and the
    /// predicate type of a statement. Readers of Lotse do not rely on them. cosign adds the time of writing, which is the
    /// caller's to add.
    #[must_use]
    pub fn referrer_annotations(&self) -> BTreeMap<String, String> {
        let mut annotations = BTreeMap::new();
        let mut put = |name: &str, value: &str| annotations.insert(name.to_owned(), value.to_owned());
        match &self.content {
            Content::Message { .. } => {
                put("dev.sigstore.bundle.content", "message-signature");
            }
            Content::Dsse(envelope) => {
                put("dev.sigstore.bundle.content", "dsse-envelope");
                if let Ok(head) = StatementHead::parse(envelope.unverified_payload()) {
                    put("dev.sigstore.bundle.predicateType", &head.predicate_type);
                }
            }
        }
        annotations
    }

    /// The statement in the bundle before any verification. Do not act on it.
    #[must_use]
    pub fn unverified_statement(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Dsse(envelope) => Some(envelope.unverified_payload()),
            Content::Message { .. } => None,
        }
    }

    /// The in-toto statement in the bundle, if `key` signed it. What it says of which artifact is the caller's next question.
    ///
    /// # Errors
    ///
    /// [`Error::Signature`] if the key did not sign it; [`Error::Mismatch`] if the bundle holds no in-toto statement;
    /// [`Error::Unsupported`] if it has more witnesses than the key: those are [`Verifier`](crate::Verifier)'s to judge.
    pub fn verify_statement(&self, key: &VerifyingKey) -> Result<&[u8], Error> {
        self.check_bare()?;
        match &self.content {
            Content::Dsse(envelope) => {
                let payload = envelope.verify(key)?;
                if envelope.payload_type() == IN_TOTO {
                    return Ok(payload);
                }
                Err(Error::Mismatch {
                    what: "payload type of the bundle",
                    expected: IN_TOTO.to_owned(),
                    actual: envelope.payload_type().to_owned(),
                })
            }
            Content::Message { .. } => Err(Error::Mismatch {
                what: "content of the bundle",
                expected: "an in-toto statement".to_owned(),
                actual: "a message signature".to_owned(),
            }),
        }
    }

    /// Checks that `key` signed these bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] if the bundle is for other bytes or holds no message signature; [`Error::Signature`];
    /// [`Error::Unsupported`] as for [`verify_statement`](Self::verify_statement).
    pub fn verify_artifact(&self, artifact: &[u8], key: &VerifyingKey) -> Result<(), Error> {
        self.check_bare()?;
        let Content::Message { digest, signature } = &self.content else {
            return Err(Error::Mismatch {
                what: "content of the bundle",
                expected: "a message signature".to_owned(),
                actual: "a DSSE envelope".to_owned(),
            });
        };
        let actual = Digest::of(digest.algorithm(), artifact);
        if actual != *digest {
            let (expected, actual) = (actual.to_string(), digest.to_string());
            return Err(Error::Mismatch { what: "digest of the artifact", expected, actual });
        }
        if key.verifies(artifact, signature) {
            return Ok(());
        }
        Err(Error::Signature { what: "artifact", key: key.fingerprint().to_string() })
    }

    /// What is not verified is not passed over.
    fn check_bare(&self) -> Result<(), Error> {
        let what = if self.has_certificate() {
            "keyless bundle (its material is a certificate)"
        } else if !self.entries.is_empty() {
            "bundle with transparency log entries"
        } else if !self.timestamps.is_empty() {
            "bundle with timestamps"
        } else {
            return Ok(());
        };
        Err(Error::Unsupported {
            what: what.to_owned(),
            advice: "verify it with a Verifier, which checks certificates, logs and timestamps",
        })
    }
}

impl Version {
    fn parse(media_type: &str) -> Result<Self, Error> {
        match media_type {
            "application/vnd.dev.sigstore.bundle+json;version=0.1" => Ok(Self::V0_1),
            "application/vnd.dev.sigstore.bundle+json;version=0.2" => Ok(Self::V0_2),
            "application/vnd.dev.sigstore.bundle+json;version=0.3" | BUNDLE_MEDIA_TYPE => Ok(Self::V0_3),
            other => Err(Error::Unsupported {
                what: format!("bundle of type {:?}", other.chars().take(128).collect::<String>()),
                advice: "versions 0.1, 0.2 and 0.3 are read",
            }),
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::V0_1 => "application/vnd.dev.sigstore.bundle+json;version=0.1",
            Self::V0_2 => "application/vnd.dev.sigstore.bundle+json;version=0.2",
            Self::V0_3 => BUNDLE_MEDIA_TYPE,
        }
    }

    /// 0.1: an entry needs the log's promise; from 0.2 on, a proof with a checkpoint.
    fn check(self, entry: &LogEntry) -> Result<(), Error> {
        let fault = |reason: &str| Err(Error::malformed("bundle", reason));
        if self == Self::V0_1 && entry.promise.is_none() {
            return fault("in version 0.1 a log entry needs an inclusion promise");
        }
        if self > Self::V0_1 {
            match &entry.proof {
                None => return fault("from version 0.2 on a log entry needs an inclusion proof"),
                Some(proof) if proof.checkpoint.is_empty() => {
                    return fault("from version 0.2 on an inclusion proof needs a checkpoint");
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

impl Material {
    fn certificates(ders: Vec<Vec<u8>>) -> Result<Self, Error> {
        let mut certificates = ders.iter().map(|der| Certificate::parse(der));
        let leaf = certificates
            .next()
            .ok_or_else(|| Error::malformed("bundle", "its chain of certificates is empty"))??;
        let above = certificates.collect::<Result<Vec<_>, _>>()?;
        if above.iter().any(Certificate::is_self_issued) {
            return Err(Error::malformed(
                "bundle",
                "its chain carries a root; trust comes from the trusted root alone",
            ));
        }
        Ok(Self::Certificates { leaf, above })
    }
}
