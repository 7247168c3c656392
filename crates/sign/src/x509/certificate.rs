use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use lotse_digest::Digest;

use super::SignatureAlgorithm;
use super::extensions::Extensions;
use crate::der::{BIT_STRING, Der, INTEGER, SEQUENCE};
use crate::{Error, Time, VerifyingKey};

/// Bytes of a certificate.
const BYTES: usize = 64 << 10;
const WHAT: &str = "certificate";

/// An X.509 v3 certificate (RFC 5280, 4.1), read strictly. The original bytes are kept, and everything signed is a part of
/// them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Certificate(Arc<Fields>);

struct Fields {
    raw: Vec<u8>,
    tbs: Range<usize>,
    serial: Range<usize>,
    issuer: Range<usize>,
    subject: Range<usize>,
    not_before: Time,
    not_after: Time,
    key: VerifyingKey,
    algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
    extensions: Extensions,
}

impl Certificate {
    pub(crate) fn parse(der: &[u8]) -> Result<Self, Error> {
        if der.len() > BYTES {
            return Err(Error::Limit { what: "bytes of a certificate", limit: BYTES });
        }
        let mut outer = Der::single(WHAT, der, SEQUENCE)?.reader();
        let tbs = outer.take(SEQUENCE)?;
        let algorithm = outer.take(SEQUENCE)?;
        let signature = outer.take(BIT_STRING)?.bits()?.to_vec();
        outer.finish()?;

        let mut fields = tbs.reader();
        let version = fields.take_optional(0xA0)?.ok_or_else(|| tbs.fault("only version 3 is read"))?;
        if version.reader().take(INTEGER)?.small()? != 2 {
            return Err(version.fault("only version 3 is read"));
        }
        let serial = fields.take(INTEGER)?;
        let inner = fields.take(SEQUENCE)?;
        if inner.raw != algorithm.raw {
            return Err(inner.fault("the signature algorithm inside is another than the one outside"));
        }
        let issuer = fields.take(SEQUENCE)?;
        let mut validity = fields.take(SEQUENCE)?.reader();
        let (not_before, not_after) = (validity.next()?.time()?, validity.next()?.time()?);
        validity.finish()?;
        let subject = fields.take(SEQUENCE)?;
        let spki = fields.take(SEQUENCE)?;
        let extensions = Extensions::parse(&mut fields)?;
        Ok(Self(Arc::new(Fields {
            raw: der.to_vec(),
            tbs: tbs.range(),
            serial: serial.value_range(),
            issuer: issuer.range(),
            subject: subject.range(),
            not_before,
            not_after,
            key: VerifyingKey::from_der(spki.raw)?,
            algorithm: SignatureAlgorithm::parse(&algorithm, None)?,
            signature,
            extensions,
        })))
    }

    /// A certificate of an authority, whose key will verify many signatures.
    pub(crate) fn parse_authority(der: &[u8]) -> Result<Self, Error> {
        let Self(mut fields) = Self::parse(der)?;
        if let Some(fields) = Arc::get_mut(&mut fields) {
            fields.key = fields.key.clone().prepared();
        }
        Ok(Self(fields))
    }

    /// The certificate in DER, as it was read.
    pub(crate) fn as_der(&self) -> &[u8] {
        &self.0.raw
    }

    /// What is signed.
    pub(crate) fn tbs(&self) -> &[u8] {
        self.part(&self.0.tbs)
    }

    /// The serial number's bytes.
    pub(crate) fn serial(&self) -> &[u8] {
        self.part(&self.0.serial)
    }

    /// The issuer's name in DER.
    pub(crate) fn issuer(&self) -> &[u8] {
        self.part(&self.0.issuer)
    }

    /// The subject's name in DER.
    pub(crate) fn subject(&self) -> &[u8] {
        self.part(&self.0.subject)
    }

    pub(crate) fn key(&self) -> &VerifyingKey {
        &self.0.key
    }

    pub(crate) fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    pub(crate) fn not_before(&self) -> Time {
        self.0.not_before
    }

    pub(crate) fn not_after(&self) -> Time {
        self.0.not_after
    }

    pub(crate) fn fingerprint(&self) -> Digest {
        Digest::sha256(&self.0.raw)
    }

    /// Whether the certificate may be a root: it names itself as its issuer.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.issuer() == self.subject()
    }

    /// Whether `issuer` is named as the issuer and signed the certificate.
    pub(crate) fn is_issued_by(&self, issuer: &Self) -> bool {
        self.issuer() == issuer.subject()
            && self.0.algorithm.verifies(issuer.key(), self.tbs(), &self.0.signature)
    }

    /// Why the certificate is not valid at a time; both ends belong to the window, to the end of the last second.
    pub(crate) fn invalid_at(&self, time: Time) -> Option<String> {
        let (from, to) = (self.0.not_before, self.0.not_after);
        (time < from || time >= to.next_second())
            .then(|| format!("it is valid from {from} to {to}, not at {time}"))
    }

    fn part(&self, range: &Range<usize>) -> &[u8] {
        self.0.raw.get(range.clone()).unwrap_or_default()
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.raw == other.0.raw
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.fingerprint())
    }
}
