use lotse_digest::Digest;

use super::Certificate;
use crate::der::{SEQUENCE, wrap};
use crate::{Error, Scheme, Time, VerifyingKey};

/// How many SCTs one certificate may carry.
const COUNT: usize = 16;

/// A signed certificate timestamp (RFC 6962, 3.2): a log promises to publish the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sct {
    pub(crate) log_id: [u8; 32],
    pub(crate) time: Time,
    milliseconds: u64,
    extensions: Vec<u8>,
    hash: u8,
    algorithm: u8,
    signature: Vec<u8>,
}

/// The SCTs that are embedded in a certificate; none if it has no such extension.
pub(crate) fn scts(certificate: &Certificate) -> Result<Vec<Sct>, Error> {
    let Some((list, _)) = &certificate.extensions().scts else { return Ok(Vec::new()) };
    let fault = |reason: &str| Error::malformed("SCT list", reason);
    let mut reader = Tls(list);
    let mut entries = Tls(reader.vector().ok_or_else(|| fault("its length is wrong"))?);
    if !reader.0.is_empty() {
        return Err(fault("bytes follow it"));
    }
    let mut scts = Vec::new();
    while !entries.0.is_empty() {
        if scts.len() == COUNT {
            return Err(Error::Limit { what: "SCTs of a certificate", limit: COUNT });
        }
        let entry = entries.vector().ok_or_else(|| fault("an SCT is cut off"))?;
        let sct = Sct::parse(entry).ok_or_else(|| fault("an SCT is no SCT of version 1"))?;
        if scts.contains(&sct) {
            return Err(fault("an SCT stands there twice"));
        }
        scts.push(sct);
    }
    Ok(scts)
}

impl Sct {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Tls(bytes);
        if reader.take(1)? != [0] {
            return None;
        }
        let log_id = reader.take(32)?.try_into().ok()?;
        let milliseconds = u64::from_be_bytes(reader.take(8)?.try_into().ok()?);
        let extensions = reader.vector()?.to_vec();
        let [hash, algorithm] = *reader.take(2)? else { return None };
        let signature = reader.vector()?.to_vec();
        let time = Time::from_milliseconds(milliseconds);
        reader.0.is_empty().then_some(Self {
            log_id,
            time,
            milliseconds,
            extensions,
            hash,
            algorithm,
            signature,
        })
    }

    /// Whether the log with this key signed the timestamp for `leaf`, which `issuer` issued.
    pub(crate) fn verifies(&self, leaf: &Certificate, issuer: &Certificate, key: &VerifyingKey) -> bool {
        // SignatureAndHashAlgorithm: sha256 with ecdsa or rsa (RFC 6962, 2.1.4).
        let fits = match key.scheme() {
            Scheme::EcdsaP256Sha256 | Scheme::EcdsaP384Sha384 => (self.hash, self.algorithm) == (4, 3),
            Scheme::RsaPkcs1Sha256 => (self.hash, self.algorithm) == (4, 1),
            _ => false,
        };
        let Some(signed) = self.signed(leaf, issuer).filter(|_| fits) else { return false };
        key.verifies_digest(&Digest::sha256(&signed), &self.signature)
    }

    /// `digitally-signed` of RFC 6962, 3.2, for a precertificate.
    fn signed(&self, leaf: &Certificate, issuer: &Certificate) -> Option<Vec<u8>> {
        let tbs = without_scts(leaf)?;
        let length = u32::try_from(tbs.len()).ok()?.to_be_bytes();
        let [0, length @ ..] = length else { return None };
        let mut signed = vec![0, 0];
        signed.extend_from_slice(&self.milliseconds.to_be_bytes());
        signed.extend_from_slice(&[0, 1]);
        signed.extend_from_slice(Digest::sha256(issuer.key().as_der()).as_bytes());
        signed.extend_from_slice(&length);
        signed.extend_from_slice(&tbs);
        signed.extend_from_slice(&u16::try_from(self.extensions.len()).ok()?.to_be_bytes());
        signed.extend_from_slice(&self.extensions);
        Some(signed)
    }
}

/// The `TBSCertificate` as it was before the log answered: the original bytes with the SCT extension cut out and the three
/// lengths around it mended.
fn without_scts(certificate: &Certificate) -> Option<Vec<u8>> {
    let extensions = certificate.extensions();
    let (_, sct) = extensions.scts.as_ref()?;
    let raw = certificate.as_der();
    let kept: Vec<&[u8]> = extensions
        .places
        .iter()
        .filter(|place| *place != sct)
        .map(|place| raw.get(place.clone()))
        .collect::<Option<_>>()?;
    let tbs = certificate.tbs();
    let tbs_end = tbs_value(tbs)?;
    // The extensions are the last field of the TBSCertificate.
    let before = tbs_end.get(..tbs_end.len().checked_sub(extensions.outer.len())?)?;
    let list = wrap(SEQUENCE, &kept);
    let explicit = if kept.is_empty() { Vec::new() } else { wrap(0xA3, &[&list]) };
    Some(wrap(SEQUENCE, &[before, &explicit]))
}

fn tbs_value(tbs: &[u8]) -> Option<&[u8]> {
    crate::der::Der::single("certificate", tbs, SEQUENCE).ok().map(|tlv| tlv.value)
}

/// TLS presentation language (RFC 5246, 4): vectors with a length of two bytes.
struct Tls<'a>(&'a [u8]);

impl<'a> Tls<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn vector(&mut self) -> Option<&'a [u8]> {
        let length = u16::from_be_bytes(self.take(2)?.try_into().ok()?);
        self.take(usize::from(length))
    }
}
