//! Writing certificates.

use crate::der::{
    BIT_STRING, BOOLEAN, GENERALIZED_TIME, INTEGER, OCTET_STRING, OID, SEQUENCE, SET, UTC_TIME, UTF8_STRING,
    wrap,
};
use crate::{Error, Scheme, SigningKey, Time, VerifyingKey};

pub(super) const KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x0F];
pub(super) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 0x13];
pub(super) const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x25];
pub(super) const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 0x11];
const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1D, 0x0E];
const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1D, 0x23];
pub(super) const CODE_SIGNING: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];
pub(super) const TIME_STAMPING: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0A];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ECDSA_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
const ECDSA_SHA384: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03];
const ED25519: &[u8] = &[0x2B, 0x65, 0x70];

/// A certificate to be written.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) serial: u64,
    pub(super) issuer: Vec<u8>,
    pub(super) subject: Vec<u8>,
    pub(super) not_before: Time,
    pub(super) not_after: Time,
    pub(super) key: VerifyingKey,
    /// OID, critical, value.
    pub(super) extensions: Vec<(Vec<u8>, bool, Vec<u8>)>,
}

impl Draft {
    /// A certificate authority.
    pub(super) fn authority(
        subject: &str,
        issuer: &str,
        key: &VerifyingKey,
        above: &VerifyingKey,
        start: Time,
    ) -> Self {
        let mut draft = Self {
            serial: 1,
            issuer: name(issuer),
            subject: name(subject),
            not_before: start,
            not_after: Time::from_seconds(start.seconds() + 3650 * 86_400),
            key: key.clone(),
            extensions: Vec::new(),
        };
        draft.extend(KEY_USAGE, true, wrap(BIT_STRING, &[&[0x01, 0x06]]));
        draft.extend(BASIC_CONSTRAINTS, true, wrap(SEQUENCE, &[&wrap(BOOLEAN, &[&[0xFF]])]));
        draft.key_ids(above);
        draft
    }

    pub(super) fn extend(&mut self, oid: &[u8], critical: bool, value: Vec<u8>) {
        self.extensions.push((oid.to_vec(), critical, value));
    }

    /// Subject and authority key identifiers.
    pub(super) fn key_ids(&mut self, issuer: &VerifyingKey) {
        let id = |key: &VerifyingKey| key.fingerprint().as_bytes().get(..20).unwrap_or_default().to_vec();
        let own = wrap(OCTET_STRING, &[&id(&self.key)]);
        self.extend(SUBJECT_KEY_ID, false, own);
        self.extend(AUTHORITY_KEY_ID, false, wrap(SEQUENCE, &[&wrap(0x80, &[&id(issuer)])]));
    }

    pub(super) fn purposes(&mut self, critical: bool, purposes: &[&[u8]]) {
        let purposes: Vec<Vec<u8>> = purposes.iter().map(|oid| wrap(OID, &[oid])).collect();
        let purposes: Vec<&[u8]> = purposes.iter().map(Vec::as_slice).collect();
        self.extend(EXTENDED_KEY_USAGE, critical, wrap(SEQUENCE, &purposes));
    }

    /// `TBSCertificate`, to be signed with a key of this scheme.
    pub(super) fn tbs(&self, scheme: Scheme) -> Vec<u8> {
        let serial = self.serial.to_be_bytes();
        let extensions: Vec<Vec<u8>> = self
            .extensions
            .iter()
            .map(|(oid, critical, value)| {
                let critical = if *critical { wrap(BOOLEAN, &[&[0xFF]]) } else { Vec::new() };
                wrap(SEQUENCE, &[&wrap(OID, &[oid]), &critical, &wrap(OCTET_STRING, &[value])])
            })
            .collect();
        let extensions: Vec<&[u8]> = extensions.iter().map(Vec::as_slice).collect();
        wrap(
            SEQUENCE,
            &[
                &wrap(0xA0, &[&wrap(INTEGER, &[&[2]])]),
                // A leading byte keeps the number positive.
                &wrap(INTEGER, &[&[1], &serial]),
                &algorithm(scheme),
                &self.issuer,
                &wrap(SEQUENCE, &[&time(self.not_before), &time(self.not_after)]),
                &self.subject,
                self.key.as_der(),
                &wrap(0xA3, &[&wrap(SEQUENCE, &extensions)]),
            ],
        )
    }

    /// The certificate, signed.
    pub(super) fn sign(&self, key: &SigningKey) -> Result<Vec<u8>, Error> {
        let tbs = self.tbs(key.scheme());
        let signature = key.sign(&tbs)?;
        Ok(wrap(SEQUENCE, &[&tbs, &algorithm(key.scheme()), &wrap(BIT_STRING, &[&[0], &signature])]))
    }
}

/// `AlgorithmIdentifier` of a signature.
pub(super) fn algorithm(scheme: Scheme) -> Vec<u8> {
    let oid = match scheme {
        Scheme::EcdsaP384Sha384 => ECDSA_SHA384,
        Scheme::Ed25519 => ED25519,
        _ => ECDSA_SHA256,
    };
    wrap(SEQUENCE, &[&wrap(OID, &[oid])])
}

/// A distinguished name of organisation and common name.
pub(super) fn name(common: &str) -> Vec<u8> {
    let part = |oid: &[u8], text: &str| {
        wrap(SET, &[&wrap(SEQUENCE, &[&wrap(OID, &[oid]), &wrap(UTF8_STRING, &[text.as_bytes()])])])
    };
    wrap(SEQUENCE, &[&part(ORGANIZATION, "sandbox.test"), &part(COMMON_NAME, common)])
}

/// `YYYYMMDDHHMMSSZ`.
pub(super) fn digits(time: Time) -> String {
    let text = Time::from_seconds(time.seconds()).to_string();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    format!("{digits}Z")
}

/// `UTCTime` to 2049, `GeneralizedTime` after (RFC 5280, 4.1.2.5).
fn time(time: Time) -> Vec<u8> {
    let text = digits(time);
    match text.get(2..) {
        Some(short) if text.as_str() < "2050" && text.as_str() >= "1950" => {
            wrap(UTC_TIME, &[short.as_bytes()])
        }
        _ => wrap(GENERALIZED_TIME, &[text.as_bytes()]),
    }
}
