use lotse_digest::{Algorithm, Digest};

use crate::der::{Der, GENERALIZED_TIME, INTEGER, OCTET_STRING, OID, SEQUENCE, SET, Tlv, dotted, wrap};
use crate::trusted_root::{TimestampAuthority, TrustedRoot};
use crate::x509::{Certificate, Purpose, SignatureAlgorithm, check_leaf, hash_algorithm};
use crate::{Error, Time};

/// Bytes of a token.
const BYTES: usize = 64 << 10;
const WHAT: &str = "timestamp";
const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];
const TST_INFO: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x01, 0x04];
const CONTENT_TYPE: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x04];
const SIGNING_CERTIFICATE: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x02, 0x0C];
const SIGNING_CERTIFICATE_V2: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x02, 0x2F];
const ATTRIBUTES: usize = 32;

/// An RFC 3161 time-stamp token: an authority says when it saw a hash. Read strictly, as DER with one signer.
#[derive(Clone, Debug)]
pub(crate) struct Timestamp {
    /// When, by the authority's clock.
    pub(crate) time: Time,
    imprint: Digest,
    /// The content as it is signed: `TSTInfo` in DER.
    content: Vec<u8>,
    signer: Signer,
}

#[derive(Clone, Debug)]
struct Signer {
    id: SignerId,
    /// The signed attributes, tagged as the SET that is signed.
    attributes: Vec<u8>,
    content_digest: Digest,
    certificate_digest: Digest,
    algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
}

#[derive(Clone, Debug)]
enum SignerId {
    IssuerAndSerial { issuer: Vec<u8>, serial: Vec<u8> },
    SubjectKeyId(Vec<u8>),
}

impl Timestamp {
    /// Reads a `TimeStampResp` or the token in it alone.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > BYTES {
            return Err(Error::Limit { what: "bytes of a timestamp", limit: BYTES });
        }
        let outer = Der::single(WHAT, bytes, SEQUENCE)?;
        let mut fields = outer.reader();
        let first = fields.next()?;
        if first.tag == OID {
            return Self::content_info(&outer);
        }
        if first.tag != SEQUENCE {
            return Err(first.fault("neither a response nor a token"));
        }
        let status = first.reader().take(INTEGER)?.small()?;
        // granted, grantedWithMods: the two with which a token must be present (RFC 3161, 2.4.2).
        if status > 1 {
            return Err(first.fault(format!("the authority refused (status {status})")));
        }
        let token = fields.take(SEQUENCE)?;
        fields.finish()?;
        Self::content_info(&token)
    }

    /// `ContentInfo` and `SignedData` of RFC 5652, 3 and 5.1.
    fn content_info(token: &Tlv<'_>) -> Result<Self, Error> {
        let mut fields = token.reader();
        expect(&fields.take(OID)?, SIGNED_DATA)?;
        let explicit = fields.take(0xA0)?;
        fields.finish()?;
        let mut explicit = explicit.reader();
        let data = explicit.take(SEQUENCE)?;
        explicit.finish()?;

        let mut fields = data.reader();
        fields.take(INTEGER)?;
        fields.take(SET)?;
        let mut content = fields.take(SEQUENCE)?.reader();
        expect(&content.take(OID)?, TST_INFO)?;
        let explicit = content.take(0xA0)?;
        content.finish()?;
        let mut explicit = explicit.reader();
        let content = explicit.take(OCTET_STRING)?;
        explicit.finish()?;
        // Certificates and revocation lists that came along prove nothing: the authority's are configured.
        fields.take_optional(0xA0)?;
        fields.take_optional(0xA1)?;
        let signers = fields.take(SET)?;
        fields.finish()?;
        let mut signers = signers.reader();
        let signer = Signer::parse(&signers.take(SEQUENCE)?)?;
        signers.finish()?;
        let (time, imprint) = tst_info(&mut content.reader())?;
        Ok(Self { time, imprint, content: content.value.to_vec(), signer })
    }

    /// Whether the token may be by this certificate: it names it.
    pub(crate) fn names(&self, certificate: &Certificate) -> bool {
        match &self.signer.id {
            SignerId::IssuerAndSerial { issuer, serial } => {
                certificate.issuer() == issuer && certificate.serial() == serial
            }
            SignerId::SubjectKeyId(id) => certificate.extensions().subject_key_id.as_ref() == Some(id),
        }
    }

    /// That the token is about `message` and signed by the key of `certificate`, to which it is bound. Neither the
    /// certificate's path nor its window is looked at here.
    pub(crate) fn verify(&self, message: &[u8], certificate: &Certificate) -> Result<(), String> {
        let actual = Digest::of(self.imprint.algorithm(), message);
        if actual != self.imprint {
            return Err(format!("it is about {}, not about the signature ({actual})", self.imprint));
        }
        let signer = &self.signer;
        if Digest::of(signer.content_digest.algorithm(), &self.content) != signer.content_digest {
            return Err("its signed attributes are about another content".to_owned());
        }
        let bound = Digest::of(signer.certificate_digest.algorithm(), certificate.as_der());
        if bound != signer.certificate_digest {
            return Err(format!(
                "it is bound to certificate {}, not to the authority's {bound}",
                signer.certificate_digest
            ));
        }
        if !signer.algorithm.verifies(certificate.key(), &signer.attributes, &signer.signature) {
            return Err("its signature does not verify".to_owned());
        }
        Ok(())
    }
}

impl TrustedRoot {
    /// The authority whose leaf signed a timestamp of `message`, judged by its own chain and its own window at its own time.
    pub(crate) fn authority_of(
        &self,
        timestamp: &Timestamp,
        message: &[u8],
    ) -> Result<&TimestampAuthority, String> {
        let mut reason = "no configured timestamp authority is named in it".to_owned();
        for authority in self.timestamp_authorities.iter().flatten() {
            if !timestamp.names(&authority.leaf) {
                continue;
            }
            match authority.judge(timestamp, message) {
                Ok(()) => return Ok(authority),
                Err(why) => reason = why,
            }
        }
        Err(reason)
    }
}

impl TimestampAuthority {
    fn judge(&self, timestamp: &Timestamp, message: &[u8]) -> Result<(), String> {
        timestamp.verify(message, &self.leaf)?;
        check_leaf(&self.leaf, Purpose::TimeStamping)?;
        if let Some(reason) = self.leaf.invalid_at(timestamp.time) {
            return Err(format!("the authority's certificate: {reason}"));
        }
        self.authority.valid_at(Purpose::TimeStamping, timestamp.time)?;
        match self.window.excludes(timestamp.time) {
            Some(reason) => Err(format!("{}: {reason}", self.uri)),
            None => Ok(()),
        }
    }
}

impl Signer {
    /// `SignerInfo` of RFC 5652, 5.3.
    fn parse(info: &Tlv<'_>) -> Result<Self, Error> {
        let mut fields = info.reader();
        fields.take(INTEGER)?;
        let id = fields.next()?;
        let id = match id.tag {
            SEQUENCE => {
                let mut fields = id.reader();
                let issuer = fields.take(SEQUENCE)?.raw.to_vec();
                let serial = fields.take(INTEGER)?.value.to_vec();
                fields.finish()?;
                SignerId::IssuerAndSerial { issuer, serial }
            }
            0x80 => SignerId::SubjectKeyId(id.value.to_vec()),
            _ => return Err(id.fault("a signer that is named in no known way")),
        };
        let hash = hash_algorithm(&fields.take(SEQUENCE)?)?;
        let signed = fields.take(0xA0)?;
        let algorithm = SignatureAlgorithm::parse(&fields.take(SEQUENCE)?, Some(hash))?;
        let signature = fields.take(OCTET_STRING)?.value.to_vec();
        fields.take_optional(0xA1)?;
        fields.finish()?;

        let mut attributes = signed.reader();
        let (mut kind, mut content_digest, mut certificate_digest) = (None, None, None);
        let mut seen: Vec<&[u8]> = Vec::new();
        while !attributes.is_empty() {
            let attribute = attributes.take(SEQUENCE)?;
            let mut fields = attribute.reader();
            let oid = fields.take(OID)?;
            let values = fields.take(SET)?;
            fields.finish()?;
            if seen.len() == ATTRIBUTES {
                return Err(Error::Limit { what: "signed attributes of a timestamp", limit: ATTRIBUTES });
            }
            if seen.contains(&oid.value) {
                return Err(oid.fault(format!("attribute {} stands there twice", dotted(oid.value))));
            }
            seen.push(oid.value);
            match oid.value {
                CONTENT_TYPE => {
                    kind = Some(single(&values, OID)?.value.to_vec());
                }
                MESSAGE_DIGEST => {
                    let value = single(&values, OCTET_STRING)?;
                    content_digest = Some(digest(hash, &value)?);
                }
                SIGNING_CERTIFICATE_V2 => {
                    certificate_digest = Some(ess_certificate(&single(&values, SEQUENCE)?)?);
                }
                _ => {}
            }
        }
        if kind.as_deref() != Some(TST_INFO) {
            return Err(signed.fault("its signed content type is not TSTInfo"));
        }
        let missing = |what: &str| signed.fault(format!("its signed attributes have no {what}"));
        if certificate_digest.is_none() && seen.contains(&SIGNING_CERTIFICATE) {
            return Err(signed.fault("it binds its certificate by SHA-1 alone (ESSCertID)"));
        }
        Ok(Self {
            id,
            attributes: wrap(SET, &[signed.value]),
            content_digest: content_digest.ok_or_else(|| missing("messageDigest"))?,
            certificate_digest: certificate_digest.ok_or_else(|| missing("signingCertificateV2"))?,
            algorithm,
            signature,
        })
    }
}

/// `TSTInfo` of RFC 3161, 2.4.2: the time and the imprint.
fn tst_info(content: &mut Der<'_>) -> Result<(Time, Digest), Error> {
    let info = content.take(SEQUENCE)?;
    content.finish()?;
    let mut fields = info.reader();
    if fields.take(INTEGER)?.small()? != 1 {
        return Err(info.fault("a TSTInfo of an unknown version"));
    }
    fields.take(OID)?;
    let mut imprint = fields.take(SEQUENCE)?.reader();
    let hash = hash_algorithm(&imprint.take(SEQUENCE)?)?;
    let imprint_digest = digest(hash, &imprint.take(OCTET_STRING)?)?;
    imprint.finish()?;
    fields.take(INTEGER)?;
    let time = fields.take(GENERALIZED_TIME)?.time()?;
    Ok((time, imprint_digest))
}

/// `SigningCertificateV2` of RFC 5035, 3: the first certificate is the signer's.
fn ess_certificate(value: &Tlv<'_>) -> Result<Digest, Error> {
    let mut certificates = value.reader().take(SEQUENCE)?.reader();
    let mut fields = certificates.take(SEQUENCE)?.reader();
    let hash = match fields.take_optional(SEQUENCE)? {
        Some(identifier) => hash_algorithm(&identifier)?,
        None => Algorithm::Sha256,
    };
    digest(hash, &fields.take(OCTET_STRING)?)
}

fn digest(hash: Algorithm, value: &Tlv<'_>) -> Result<Digest, Error> {
    Digest::from_bytes(hash, value.value).map_err(|error| value.fault(error.to_string()))
}

/// The only value of an attribute.
fn single<'a>(values: &Tlv<'a>, tag: u8) -> Result<Tlv<'a>, Error> {
    let mut reader = values.reader();
    let value = reader.take(tag)?;
    reader.finish()?;
    Ok(value)
}

fn expect(oid: &Tlv<'_>, expected: &[u8]) -> Result<(), Error> {
    if oid.value == expected {
        return Ok(());
    }
    Err(oid.fault(format!("type {} where {} was expected", dotted(oid.value), dotted(expected))))
}
