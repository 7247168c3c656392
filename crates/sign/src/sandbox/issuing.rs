//! The certificate authority and the certificate log.

use lotse_digest::Digest;
use serde::Deserialize;
use serde_json::json;

use super::certificate::{BASIC_CONSTRAINTS, CODE_SIGNING, Draft, KEY_USAGE, SUBJECT_ALT_NAME, name};
use super::{Fault, Sandbox};
use crate::claims::SubjectName;
use crate::der::{BIT_STRING, BOOLEAN, OCTET_STRING, OID, SEQUENCE, UTF8_STRING, wrap};
use crate::proto::Bytes;
use crate::{Claims, Error, Scheme, SigningKey, Time, VerifyingKey, encoding};

const SCT_LIST: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0xD6, 0x79, 0x02, 0x04, 0x02];
const FULCIO: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x83, 0xBF, 0x30, 0x01];
const SERVER_AUTH: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const ANY_PURPOSE: &[u8] = &[0x55, 0x1D, 0x25, 0x00];
const INTERMEDIATE: &str = "sandbox-intermediate";
const ROOT: &str = "sandbox-root";
const STRANGER: &str = "sandbox-stranger";

/// The keys and the chain.
#[derive(Debug)]
pub(super) struct Issuing {
    key: SigningKey,
    stranger: SigningKey,
    log: SigningKey,
    /// Intermediate and root in DER.
    pub(super) chain: Vec<Vec<u8>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ask {
    credentials: Credentials,
    public_key_request: PublicKeyRequest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credentials {
    oidc_identity_token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PublicKeyRequest {
    public_key: PublicKey,
    proof_of_possession: Bytes,
}

#[derive(Deserialize)]
struct PublicKey {
    content: String,
}

#[derive(Deserialize)]
struct TokenClaims {
    claims: Claims,
}

impl Issuing {
    pub(super) fn new(key: &dyn Fn(&str, Scheme) -> SigningKey, start: Time) -> Self {
        let root = key("fulcio root", Scheme::EcdsaP384Sha384);
        let intermediate = key("fulcio intermediate", Scheme::EcdsaP384Sha384);
        let (above, below) = (root.verifying_key(), intermediate.verifying_key());
        let mut draft = Draft::authority(INTERMEDIATE, ROOT, &below, &above, start);
        draft.purposes(false, &[CODE_SIGNING]);
        let chain = [draft.sign(&root), Draft::authority(ROOT, ROOT, &above, &above, start).sign(&root)];
        Self {
            key: intermediate,
            stranger: key("stranger", Scheme::EcdsaP384Sha384),
            log: key("ctlog", Scheme::EcdsaP256Sha256),
            chain: chain.into_iter().flatten().collect(),
        }
    }

    pub(super) fn log_key(&self) -> VerifyingKey {
        self.log.verifying_key()
    }
}

impl Sandbox {
    /// `POST /api/v2/signingCert`.
    pub(super) fn issue(&self, body: &[u8]) -> Result<Vec<u8>, Error> {
        let fault = |error: &dyn std::fmt::Display| Error::malformed("request for a certificate", error);
        let ask: Ask = serde_json::from_slice(body).map_err(|error| fault(&error))?;
        let token = &ask.credentials.oidc_identity_token;
        let payload = encoding::decode("identity token", token.split('.').nth(1).unwrap_or_default())?;
        let claims = serde_json::from_slice::<TokenClaims>(&payload).map_err(|error| fault(&error))?.claims;
        let key = VerifyingKey::from_pem(&ask.public_key_request.public_key.content)?;
        let proof = &ask.public_key_request.proof_of_possession.0;
        if !key.verifies(claims.subject.as_str().as_bytes(), proof) {
            return Err(fault(&"the key's possession is not proved"));
        }
        let certificate = self.certificate(&claims, key)?;
        let pem = |der: &[u8]| crate::key::write_pem("CERTIFICATE", der);
        let mut chain = vec![pem(&certificate)];
        chain.extend(self.services.issuing.chain.iter().map(|der| pem(der)));
        let answer = json!({ "signedCertificateEmbeddedSct": { "chain": { "certificates": chain } } });
        Ok(answer.to_string().into_bytes())
    }

    fn certificate(&self, claims: &Claims, key: VerifyingKey) -> Result<Vec<u8>, Error> {
        let issuing = &self.services.issuing;
        let serial = {
            let mut state = self.lock();
            state.serial += 1;
            state.serial
        };
        let start = match () {
            () if self.has(Fault::LeafExpiredBeforeSigning) => self.later(-3600),
            () if self.has(Fault::LeafNotYetValid) => self.later(3600),
            () => self.now,
        };
        let issuer = if self.has(Fault::LeafIssuedByAnotherAuthority) { STRANGER } else { INTERMEDIATE };
        let mut draft = Draft {
            serial,
            issuer: name(issuer),
            subject: wrap(SEQUENCE, &[]),
            not_before: start,
            not_after: Time::from_seconds(start.seconds() + 600),
            key,
            extensions: Vec::new(),
        };
        self.profile(&mut draft);
        draft.key_ids(&issuing.key.verifying_key());
        self.subject(&mut draft, claims);
        let stranger =
            self.has(Fault::LeafIssuedByAnotherAuthority) || self.has(Fault::LeafSignedByAnotherKey);
        let signer = if stranger { &issuing.stranger } else { &issuing.key };
        if !self.has(Fault::SctMissing) {
            let list = self.sct_list(&draft, signer)?;
            draft.extend(SCT_LIST, false, list);
        }
        let mut certificate = draft.sign(signer)?;
        if self.has(Fault::LeafWithTrailingBytes) {
            certificate.push(0);
        }
        Ok(certificate)
    }

    /// What the leaf is for.
    fn profile(&self, draft: &mut Draft) {
        if !self.has(Fault::LeafWithoutKeyUsage) {
            draft.extend(KEY_USAGE, true, wrap(BIT_STRING, &[&[0x07, 0x80]]));
        }
        match () {
            () if self.has(Fault::LeafWithoutPurposes) => {}
            () if self.has(Fault::LeafWithoutCodeSigning) => draft.purposes(false, &[SERVER_AUTH]),
            () if self.has(Fault::LeafForAnyPurpose) => draft.purposes(false, &[ANY_PURPOSE]),
            () => draft.purposes(false, &[CODE_SIGNING]),
        }
        if self.has(Fault::LeafIsAuthority) {
            draft.extend(BASIC_CONSTRAINTS, true, wrap(SEQUENCE, &[&wrap(BOOLEAN, &[&[0xFF]])]));
        }
        if self.has(Fault::LeafWithUnknownCriticalExtension) {
            draft.extend(&[0x2A, 0x03, 0x04], true, vec![0x05, 0x00]);
        }
    }

    /// Whose the leaf is.
    fn subject(&self, draft: &mut Draft, claims: &Claims) {
        let san = match &claims.subject {
            SubjectName::Email(name) => wrap(0x81, &[name.as_bytes()]),
            SubjectName::Uri(name) => wrap(0x86, &[name.as_bytes()]),
            SubjectName::OtherName(name) => {
                let text = wrap(0xA0, &[&wrap(UTF8_STRING, &[name.as_bytes()])]);
                wrap(0xA0, &[&wrap(OID, &[FULCIO, &[7]]), &text])
            }
        };
        if self.has(Fault::LeafWithTwoSubjects) {
            let other = wrap(0x81, &[b"mallory@example.test"]);
            draft.extend(SUBJECT_ALT_NAME, true, wrap(SEQUENCE, &[&san, &other]));
        } else if !self.has(Fault::LeafWithoutSubject) {
            draft.extend(SUBJECT_ALT_NAME, true, wrap(SEQUENCE, &[&san]));
        }
        let mut put = |number: u8, value: &Option<String>, der: bool| {
            let Some(text) = value else { return };
            let mut value = text.as_bytes().to_vec();
            if der {
                value = wrap(UTF8_STRING, &[text.as_bytes()]);
            }
            if self.has(Fault::LeafIssuerWithTrailingBytes) && number == 8 {
                value.push(0);
            }
            draft.extend(&[FULCIO, &[number]].concat(), false, value);
        };
        let issuer = if self.has(Fault::LeafWithoutIssuer) { &None } else { &claims.issuer };
        put(1, issuer, false);
        put(2, &claims.github_workflow_trigger, false);
        put(3, &claims.github_workflow_sha, false);
        put(4, &claims.github_workflow_name, false);
        put(5, &claims.github_workflow_repository, false);
        put(6, &claims.github_workflow_ref, false);
        put(8, issuer, true);
        for (number, value) in (9..).zip([
            &claims.build_signer_uri,
            &claims.build_signer_digest,
            &claims.runner_environment,
            &claims.source_repository_uri,
            &claims.source_repository_digest,
            &claims.source_repository_ref,
            &claims.source_repository_identifier,
            &claims.source_repository_owner_uri,
            &claims.source_repository_owner_identifier,
            &claims.build_config_uri,
            &claims.build_config_digest,
            &claims.build_trigger,
            &claims.run_invocation_uri,
            &claims.source_repository_visibility,
            &claims.deployment_environment,
            &claims.token_subject,
        ]) {
            put(number, value, true);
        }
    }

    /// The value of the SCT extension: the log's promise over the draft as it is.
    fn sct_list(&self, draft: &Draft, signer: &SigningKey) -> Result<Vec<u8>, Error> {
        let issuing = &self.services.issuing;
        let time = match () {
            () if self.has(Fault::SctLaterThanLeaf) => self.later(86_400 * 365),
            () if self.has(Fault::SctBeforeWindowOfLog) => self.later(-86_400 * 365),
            () => self.now,
        };
        let milliseconds = u64::try_from(time.seconds()).unwrap_or(0).saturating_mul(1000);
        let of = if self.has(Fault::SctOfAnotherIssuer) { &issuing.stranger } else { signer };
        let mut tbs = draft.tbs(signer.scheme());
        if self.has(Fault::SctOfAnotherCertificate)
            && let Some(last) = tbs.last_mut()
        {
            *last ^= 1;
        }
        let mut signed = vec![0, 0];
        signed.extend_from_slice(&milliseconds.to_be_bytes());
        signed.extend_from_slice(&[0, 1]);
        signed.extend_from_slice(Digest::sha256(of.verifying_key().as_der()).as_bytes());
        let length = u32::try_from(tbs.len()).unwrap_or(u32::MAX).to_be_bytes();
        signed.extend_from_slice(length.get(1..).unwrap_or_default());
        signed.extend_from_slice(&tbs);
        signed.extend_from_slice(&[0, 0]);
        let key = match () {
            () if self.has(Fault::SctSignedByAnotherKey) => {
                super::key(&self.seed, "another ctlog", Scheme::EcdsaP256Sha256)
            }
            () => issuing.log.clone(),
        };
        let signature = key.sign(&signed)?;
        let id = if self.has(Fault::SctOfUnknownLog) {
            Digest::sha256(b"unknown")
        } else {
            issuing.log_key().fingerprint()
        };
        let mut sct = vec![0];
        sct.extend_from_slice(id.as_bytes());
        sct.extend_from_slice(&milliseconds.to_be_bytes());
        sct.extend_from_slice(&[0, 0, 4, 3]);
        sct.extend_from_slice(&vector(&signature));
        Ok(wrap(OCTET_STRING, &[&vector(&vector(&sct))]))
    }
}

/// A TLS vector with a length of two bytes.
fn vector(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&length, bytes].concat()
}
