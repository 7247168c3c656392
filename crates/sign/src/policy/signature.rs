//! One signature of cosign's older layout, checked in cosign's order and refused in cosign's words.

use lotse_digest::{Algorithm, Digest};

use super::identity::{IdentityError, PolicyIdentity, check_identities};
use super::json::Json;
use super::payload::{check_subject, go_base64, wrong_payload_type};
use crate::cosign::{BUNDLE, CERTIFICATE, SIGNATURE, TIMESTAMP};
use crate::timestamp::Timestamp;
use crate::x509::{Certificate, Purpose, check_leaf, scts};
use crate::{Claims, Context, CosignLayer, Envelope, ExpectedSigner, IdentityRule, Requirements, Scheme};
use crate::{SubjectName, Time, TrustedRoot, Verifier, VerifyingKey, dsse};

/// Why a signature does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// In cosign's words.
    Refused(String),
    /// It cannot be told here.
    Undecided(String),
}

pub(crate) fn refused(reason: impl Into<String>) -> Fault {
    Fault::Refused(reason.into())
}

/// Who must have signed.
pub(crate) enum Signer<'a> {
    Key { key: &'a VerifyingKey, hash: Algorithm },
    Keyless { root: &'a TrustedRoot, identities: &'a [PolicyIdentity], ignore_sct: bool },
}

/// Whether a transparency log is asked for.
pub(crate) enum Log<'a> {
    Unchecked,
    /// Its entry must be attached.
    Attached(&'a TrustedRoot),
    /// cosign would look it up in the log if it is not attached.
    Online(Option<&'a TrustedRoot>, String),
}

pub(crate) struct Question<'a> {
    pub(crate) signer: Signer<'a>,
    pub(crate) log: Log<'a>,
    /// The root whose timestamp authorities count, if timestamps are looked at.
    pub(crate) timestamps: Option<&'a TrustedRoot>,
    pub(crate) image: &'a Digest,
    pub(crate) attestation: bool,
    pub(crate) at: Time,
}

/// A signature that counts: the certificate that made it, if one did.
pub(crate) struct Good {
    pub(crate) certificate: Option<Certificate>,
    pub(crate) claims: Option<Claims>,
}

impl Question<'_> {
    pub(crate) fn check(&self, layer: &CosignLayer) -> Result<Good, Fault> {
        let annotation = |name: &str| layer.annotations.get(name).filter(|text| !text.is_empty());
        let Some(encoded) = layer.annotations.get(SIGNATURE) else {
            let digest = Digest::sha256(&layer.payload);
            return Err(refused(format!("signature layer {digest} is missing \"{SIGNATURE}\" annotation")));
        };
        let certificate = match annotation(CERTIFICATE) {
            Some(pem) => Some(first_certificate(pem)?),
            None => None,
        };
        let mut stamped = None;
        if let Some(root) = self.timestamps
            && let Some(json) = annotation(TIMESTAMP)
        {
            let message = if encoded.is_empty() {
                layer.payload.clone()
            } else {
                go_base64(encoded).map_err(refused)?
            };
            let time = timestamp(json, &message, root)
                .map_err(|reason| refused(format!("unable to verify RFC3161 timestamp bundle: {reason}")))?;
            stamped = Some(time);
        }
        self.log(layer, annotation(BUNDLE).is_some())?;
        let claims = match (&self.signer, &certificate) {
            (Signer::Key { .. }, _) => None,
            (Signer::Keyless { .. }, None) => return Err(refused("no certificate found on signature")),
            (Signer::Keyless { root, identities, ignore_sct }, Some(leaf)) => {
                Some(keyless(leaf, root, identities, *ignore_sct)?)
            }
        };
        let (key, hash) = match (&self.signer, &certificate) {
            (Signer::Key { key, hash }, _) => (*key, *hash),
            (Signer::Keyless { .. }, Some(leaf)) => (leaf.key(), Algorithm::Sha256),
            (Signer::Keyless { .. }, None) => return Err(refused("no certificate found on signature")),
        };
        if self.attestation {
            envelope(&layer.payload, key, hash)?;
        } else {
            let signature = go_base64(encoded).map_err(refused)?;
            if !signs(key, hash, &layer.payload, &signature) {
                return Err(refused(bad_signature(key)));
            }
        }
        self.claim(layer)?;
        if let Some(leaf) = &certificate
            && let Signer::Keyless { root, .. } = &self.signer
        {
            expiry(leaf, root, stamped, self.at)?;
        }
        Ok(Good { certificate, claims })
    }

    /// The log's part is what the verifier of bundles does for this layout, with all its bindings.
    fn log(&self, layer: &CosignLayer, attached: bool) -> Result<(), Fault> {
        let root = match &self.log {
            Log::Unchecked => return Ok(()),
            Log::Attached(_) if !attached => return Err(refused("offline verification failed")),
            Log::Online(_, url) if !attached => {
                return Err(Fault::Undecided(format!(
                    "the log at {url} would have to be asked: no entry is attached"
                )));
            }
            Log::Online(None, url) => {
                return Err(Fault::Undecided(format!("no trusted root is given for the log at {url}")));
            }
            Log::Attached(root) | Log::Online(Some(root), _) => *root,
        };
        let anyone = Anyone;
        let (signer, hash) = match &self.signer {
            Signer::Key { key, hash } => (ExpectedSigner::Key(key), *hash),
            Signer::Keyless { .. } => (ExpectedSigner::Identity(&anyone), Algorithm::Sha256),
        };
        let requirements = Requirements::sigstore().dangerously_without_sct();
        let context = Context { signer, requirements, at: self.at };
        let verifier = Verifier::new(root.clone());
        let verdict = verifier
            .verify_layer_with(layer, self.image, &context, Some(hash))
            .map_err(|error| refused(format!("error verifying bundle: {error}")))?;
        match verdict.result() {
            Ok(_) => Ok(()),
            Err(refusal) => Err(refused(format!("error verifying bundle: {refusal}"))),
        }
    }

    /// What was signed must be about the image.
    fn claim(&self, layer: &CosignLayer) -> Result<(), Fault> {
        let image = self.image.to_string();
        if self.attestation {
            let envelope = Json::parse(&layer.payload).map_err(refused)?;
            let payload = envelope.get("payload").and_then(Json::as_str).unwrap_or_default();
            let statement = go_base64(payload).map_err(refused)?;
            return check_subject(&statement, &image).map_err(refused);
        }
        let payload = Json::parse(&layer.payload).map_err(refused)?;
        let member = |value: &Json, name: &str| match value {
            Json::Object(members) => members
                .iter()
                .rev()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.clone()),
            _ => None,
        };
        let found = member(&payload, "critical")
            .and_then(|critical| member(&critical, "image"))
            .and_then(|image| member(&image, "docker-manifest-digest"));
        let found = found.as_ref().and_then(Json::as_str).unwrap_or_default();
        if found == image {
            return Ok(());
        }
        Err(refused(format!("invalid or missing digest in claim: {found}")))
    }
}

/// The envelope's one accepted signature.
fn envelope(payload: &[u8], key: &VerifyingKey, hash: Algorithm) -> Result<(), Fault> {
    let json = Json::parse(payload).map_err(refused)?;
    let text =
        |value: &Json, name: &str| value.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let payload_type = text(&json, "payloadType");
    if payload_type != dsse::IN_TOTO {
        return Err(refused(wrong_payload_type(&payload_type)));
    }
    if json.get("signatures").map(Json::items).unwrap_or_default().is_empty() {
        return Err(refused("no signature found"));
    }
    // One reader for envelopes: what it refuses is refused.
    let envelope = Envelope::parse(payload).map_err(|error| refused(error.to_string()))?;
    let message = envelope.pae();
    let signatures = json.get("signatures").map(Json::items).unwrap_or_default();
    let good = signatures.iter().any(|entry| {
        crate::encoding::decode("DSSE signature", &text(entry, "sig"))
            .is_ok_and(|signature| signs(key, hash, &message, &signature))
    });
    if good {
        Ok(())
    } else {
        Err(refused("accepted signatures do not match threshold, Found: 0, Expected 1"))
    }
}

fn signs(key: &VerifyingKey, hash: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    if key.scheme().hash().is_none() {
        return key.verifies(message, signature);
    }
    key.verifies_digest(&Digest::of(hash, message), signature)
}

fn bad_signature(key: &VerifyingKey) -> &'static str {
    match key.scheme() {
        Scheme::Ed25519 => "failed to verify signature",
        Scheme::EcdsaP256Sha256 | Scheme::EcdsaP384Sha384 | Scheme::EcdsaP521Sha512 => {
            "invalid signature when validating ASN.1 encoded signature"
        }
        _ => "crypto/rsa: verification error",
    }
}

fn first_certificate(pem: &str) -> Result<Certificate, Fault> {
    let fault = |error: crate::Error| refused(error.to_string());
    let blocks = crate::key::blocks(pem).map_err(fault)?;
    let first = blocks.first().ok_or_else(|| refused("no certificate in PEM"))?;
    Certificate::parse(&first.bytes).map_err(fault)
}

/// The names of a certificate, in the order in which cosign prints them.
pub(crate) fn names(certificate: &Certificate) -> Vec<SubjectName> {
    let mut names: Vec<SubjectName> = certificate.extensions().names.iter().flatten().cloned().collect();
    names.sort_by_key(|name| match name {
        SubjectName::Email(_) => 0,
        SubjectName::Uri(_) => 1,
        _ => 2,
    });
    names
}

fn keyless(
    leaf: &Certificate,
    root: &TrustedRoot,
    identities: &[PolicyIdentity],
    ignore_sct: bool,
) -> Result<Claims, Fault> {
    let path = |reason: &str| {
        refused(format!(
            "cert verification failed: {reason}. Check your TUF root (see cosign initialize) or set a custom root with env var SIGSTORE_ROOT_FILE"
        ))
    };
    let authority = root
        .authorities
        .iter()
        .flatten()
        .find(|authority| authority.authority.issued(leaf))
        .ok_or_else(|| path("x509: certificate signed by unknown authority"))?;
    check_leaf(leaf, Purpose::CodeSigning).map_err(|reason| path(&format!("x509: {reason}")))?;
    authority
        .authority
        .valid_at(Purpose::CodeSigning, leaf.not_before())
        .map_err(|reason| path(&format!("x509: {reason}")))?;
    let names = names(leaf);
    let subject = names.first().cloned().unwrap_or_else(|| SubjectName::Uri(String::new()));
    let claims = leaf.extensions().claims_of(subject).map_err(refused)?;
    let subjects: Vec<&str> = names.iter().map(SubjectName::as_str).collect();
    check_identities(identities, claims.issuer.as_deref().unwrap_or_default(), &subjects).map_err(
        |error| match error {
            IdentityError::Unsupported { .. } => Fault::Undecided(error.to_string()),
            _ => refused(error.to_string()),
        },
    )?;
    if ignore_sct {
        return Ok(claims);
    }
    let found = scts(leaf).map_err(|error| refused(error.to_string()))?;
    if found.is_empty() {
        return Err(refused(
            "certificate does not include required embedded SCT and no detached SCT was set",
        ));
    }
    let issuer = authority.authority.issuer();
    let good = found.iter().any(|sct| {
        let (Ok(log), Some(issuer)) = (root.ct_log(&sct.log_id), issuer) else { return false };
        log.window.excludes(sct.time).is_none() && sct.verifies(leaf, issuer, &log.key)
    });
    if good { Ok(claims) } else { Err(refused("no SCT of the certificate verifies with a known log")) }
}

/// The certificate must be valid at the verified time, or now.
fn expiry(leaf: &Certificate, root: &TrustedRoot, stamped: Option<Time>, now: Time) -> Result<(), Fault> {
    let time = stamped.unwrap_or(now);
    let issuers = root.authorities.iter().flatten().find(|authority| authority.authority.issued(leaf));
    let reason = leaf.invalid_at(time).or_else(|| {
        issuers.and_then(|authority| authority.authority.valid_at(Purpose::CodeSigning, time).err())
    });
    match (reason, stamped) {
        (None, _) => Ok(()),
        (Some(reason), Some(_)) => {
            Err(refused(format!("checking expiry on certificate with timestamp: {reason}")))
        }
        (Some(_), None) => Err(refused("expected a signed timestamp to verify an expired certificate")),
    }
}

fn timestamp(json: &str, message: &[u8], root: &TrustedRoot) -> Result<Time, String> {
    let json = Json::parse(json.as_bytes())?;
    let encoded = json.get("SignedRFC3161Timestamp").and_then(Json::as_str).ok_or("no timestamp in it")?;
    let timestamp = Timestamp::parse(&go_base64(encoded)?).map_err(|error| error.to_string())?;
    root.authority_of(&timestamp, message)?;
    Ok(timestamp.time)
}

/// Any signer: who it is is asked elsewhere.
struct Anyone;

impl IdentityRule for Anyone {
    fn describe(&self) -> String {
        "anyone".to_owned()
    }

    fn check(&self, _claims: &Claims) -> Result<(), String> {
        Ok(())
    }
}
