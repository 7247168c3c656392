//! A timestamp authority.

use lotse_digest::{Algorithm, Digest};

use super::certificate::{Draft, KEY_USAGE, TIME_STAMPING, algorithm, digits, name};
use super::{Fault, Sandbox};
use crate::der::{BIT_STRING, Der, GENERALIZED_TIME, INTEGER, OCTET_STRING, OID, SEQUENCE, SET, wrap};
use crate::{Error, Scheme, SigningKey, Time};

const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];
const TST_INFO: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x01, 0x04];
const CONTENT_TYPE: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x04];
const SIGNING_CERTIFICATE_V2: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x02, 0x2F];
const SHA384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SHA1: &[u8] = &[0x2B, 0x0E, 0x03, 0x02, 0x1A];
const POLICY: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x83, 0xBF, 0x30, 0x02];

/// The key and the chain of an authority.
#[derive(Debug)]
pub(super) struct Stamping {
    key: SigningKey,
    /// Leaf and root in DER.
    pub(super) chain: Vec<Vec<u8>>,
    issuer: Vec<u8>,
}

impl Stamping {
    pub(super) fn new(host: &str, key: &dyn Fn(&str, Scheme) -> SigningKey, start: Time) -> Self {
        let root = key(&format!("{host} root"), Scheme::EcdsaP384Sha384);
        let leaf = key(host, Scheme::EcdsaP384Sha384);
        let (subject, issuer) = (format!("sandbox-{host}"), format!("sandbox-{host}-root"));
        let mut draft = Draft {
            serial: 1,
            issuer: name(&issuer),
            subject: name(&subject),
            not_before: start,
            not_after: Time::from_seconds(start.seconds() + 3650 * 86_400),
            key: leaf.verifying_key(),
            extensions: Vec::new(),
        };
        draft.extend(KEY_USAGE, true, wrap(BIT_STRING, &[&[0x07, 0x80]]));
        draft.purposes(true, &[TIME_STAMPING]);
        draft.key_ids(&root.verifying_key());
        let above = root.verifying_key();
        let chain =
            [draft.sign(&root), Draft::authority(&issuer, &issuer, &above, &above, start).sign(&root)];
        Self { key: leaf, chain: chain.into_iter().flatten().collect(), issuer: name(&issuer) }
    }
}

impl Sandbox {
    /// `POST /api/v1/timestamp`.
    pub(super) fn stamp(&self, number: usize, query: &[u8]) -> Result<Vec<u8>, Error> {
        let missing = || Error::malformed("timestamp query", "no such authority");
        let authority = self.services.stamping.get(number).ok_or_else(missing)?;
        let mut fields = Der::single("timestamp query", query, SEQUENCE)?.reader();
        fields.take(INTEGER)?;
        let mut imprint = fields.take(SEQUENCE)?.reader();
        imprint.take(SEQUENCE)?;
        let asked = imprint.take(OCTET_STRING)?.value.to_vec();
        let (hash, imprint) = match () {
            () if self.has(Fault::TimestampOfAnotherSignature) => {
                (SHA256, Digest::sha256(b"another").as_bytes().to_vec())
            }
            () if self.has(Fault::TimestampOverArtifact) => {
                (SHA256, Digest::sha256(b"artifact").as_bytes().to_vec())
            }
            () if self.has(Fault::TimestampWithSha1) => (SHA1, vec![7; 20]),
            () => (SHA256, asked),
        };
        let time = match () {
            () if self.has(Fault::TimestampInFuture) => self.later(86_400 * 400),
            () if self.has(Fault::TimestampAfterLeaf) => self.later(3600),
            () => self.now,
        };
        let algorithm_of = |oid: &[u8]| wrap(SEQUENCE, &[&wrap(OID, &[oid])]);
        let imprint = wrap(SEQUENCE, &[&algorithm_of(hash), &wrap(OCTET_STRING, &[&imprint])]);
        let content = wrap(
            SEQUENCE,
            &[
                &wrap(INTEGER, &[&[1]]),
                &wrap(OID, &[POLICY]),
                &imprint,
                &wrap(INTEGER, &[&[1]]),
                &wrap(GENERALIZED_TIME, &[digits(time).as_bytes()]),
            ],
        );
        let signer = self.signer_info(authority, &content)?;
        let content = if self.has(Fault::TimestampContentChanged) { changed(&content) } else { content };
        let encapsulated =
            wrap(SEQUENCE, &[&wrap(OID, &[TST_INFO]), &wrap(0xA0, &[&wrap(OCTET_STRING, &[&content])])]);
        let data = wrap(
            SEQUENCE,
            &[
                &wrap(INTEGER, &[&[3]]),
                &wrap(SET, &[&algorithm_of(SHA384)]),
                &encapsulated,
                &wrap(SET, &[&signer]),
            ],
        );
        let token = wrap(SEQUENCE, &[&wrap(OID, &[SIGNED_DATA]), &wrap(0xA0, &[&data])]);
        let status = u8::from(self.has(Fault::TimestampRejected)) * 2;
        Ok(wrap(SEQUENCE, &[&wrap(SEQUENCE, &[&wrap(INTEGER, &[&[status]])]), &token]))
    }

    fn signer_info(&self, authority: &Stamping, content: &[u8]) -> Result<Vec<u8>, Error> {
        let attribute =
            |oid: &[u8], value: &[u8]| wrap(SEQUENCE, &[&wrap(OID, &[oid]), &wrap(SET, &[value])]);
        let leaf = authority.chain.first().map(Vec::as_slice).unwrap_or_default();
        let bound = if self.has(Fault::TimestampBoundToAnotherCertificate) {
            Digest::sha256(b"another")
        } else {
            Digest::sha256(leaf)
        };
        let ess = wrap(SEQUENCE, &[&wrap(OCTET_STRING, &[bound.as_bytes()])]);
        let digest = Digest::of(Algorithm::Sha384, content);
        let mut attributes = [
            attribute(CONTENT_TYPE, &wrap(OID, &[TST_INFO])),
            attribute(MESSAGE_DIGEST, &wrap(OCTET_STRING, &[digest.as_bytes()])),
            attribute(SIGNING_CERTIFICATE_V2, &wrap(SEQUENCE, &[&wrap(SEQUENCE, &[&ess])])),
        ];
        // DER orders the members of a SET OF; what is signed is that order (RFC 5652, 5.4).
        attributes.sort();
        let attributes = attributes.concat();
        let key = if self.has(Fault::TimestampSignedByAnotherKey) {
            super::key(&self.seed, "another tsa", Scheme::EcdsaP384Sha384)
        } else {
            authority.key.clone()
        };
        let signature = key.sign(&wrap(SET, &[&attributes]))?;
        // The serial number as the certificate has it: a leading 1 and eight bytes.
        let serial = wrap(INTEGER, &[&[1], &1_u64.to_be_bytes()]);
        Ok(wrap(
            SEQUENCE,
            &[
                &wrap(INTEGER, &[&[1]]),
                &wrap(SEQUENCE, &[&authority.issuer, &serial]),
                &wrap(SEQUENCE, &[&wrap(OID, &[SHA384])]),
                &wrap(0xA0, &[&attributes]),
                &algorithm(key.scheme()),
                &wrap(OCTET_STRING, &[&signature]),
            ],
        ))
    }
}

/// Another accuracy at the end: the content is still well-formed.
fn changed(content: &[u8]) -> Vec<u8> {
    let value = Der::single("content", content, SEQUENCE).map(|tlv| tlv.value).unwrap_or_default();
    wrap(SEQUENCE, &[value, &wrap(SEQUENCE, &[&wrap(INTEGER, &[&[1]])])])
}
