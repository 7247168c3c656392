use super::Certificate;
use crate::{Error, Time};

const DIGITAL_SIGNATURE: u16 = 0x8000;
const KEY_CERT_SIGN: u16 = 0x0400;
const CODE_SIGNING: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];
const TIME_STAMPING: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
const ANY_PURPOSE: &[u8] = &[0x55, 0x1D, 0x25, 0x00];
/// How many certificates an authority's chain may have.
const LENGTH: usize = 10;

/// What a leaf must be made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// 1.3.6.1.5.5.7.3.3, Fulcio's leaves.
    CodeSigning,
    /// 1.3.6.1.5.5.7.3.8, critical and alone (RFC 3161, 2.3).
    TimeStamping,
}

impl Purpose {
    const fn oid(self) -> &'static [u8] {
        match self {
            Self::CodeSigning => CODE_SIGNING,
            Self::TimeStamping => TIME_STAMPING,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::CodeSigning => "codeSigning",
            Self::TimeStamping => "timeStamping",
        }
    }
}

/// A configured chain from the certificate that issues leaves up to the trust anchor, in this order. The signatures inside
/// are checked once, when it is made.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    chain: Vec<Certificate>,
}

impl Authority {
    pub(crate) fn new(chain: Vec<Certificate>) -> Result<Self, Error> {
        let fault = |reason: String| Error::malformed("certificate chain", reason);
        if chain.is_empty() {
            return Err(fault("it is empty".to_owned()));
        }
        if chain.len() > LENGTH {
            return Err(Error::Limit { what: "certificates of a chain", limit: LENGTH });
        }
        for (number, pair) in chain.windows(2).enumerate() {
            let [below, above] = pair else { continue };
            if !below.is_issued_by(above) {
                let above = number + 2;
                return Err(fault(format!(
                    "certificate {} is not issued by certificate {above}",
                    number + 1
                )));
            }
        }
        for (below, certificate) in chain.iter().enumerate() {
            check_issuer(certificate, below)
                .map_err(|reason| fault(format!("certificate {}: {reason}", below + 1)))?;
        }
        Ok(Self { chain })
    }

    /// The certificate that issues leaves.
    pub(crate) fn issuer(&self) -> Option<&Certificate> {
        self.chain.first()
    }

    /// That this authority issued the leaf. Says nothing of time.
    pub(crate) fn issued(&self, leaf: &Certificate) -> bool {
        self.issuer().is_some_and(|issuer| leaf.is_issued_by(issuer))
    }

    /// That the chain permits leaves of this purpose, and that every certificate of it is valid at `time`.
    pub(crate) fn valid_at(&self, purpose: Purpose, time: Time) -> Result<(), String> {
        for (number, certificate) in self.chain.iter().enumerate() {
            let place = || format!("certificate {} of the authority's chain", number + 1);
            if let Some(purposes) = &certificate.extensions().purposes {
                let fits = |oid: &Vec<u8>| oid == purpose.oid() || oid == ANY_PURPOSE;
                if !purposes.iter().any(fits) {
                    return Err(format!("{} may not issue for {}", place(), purpose.name()));
                }
            }
            if let Some(reason) = certificate.invalid_at(time) {
                return Err(format!("{}: {reason}", place()));
            }
        }
        Ok(())
    }
}

/// That a leaf is made for the purpose and for nothing that a leaf must not do.
pub(crate) fn check_leaf(leaf: &Certificate, purpose: Purpose) -> Result<(), String> {
    let extensions = leaf.extensions();
    if let Some(oid) = &extensions.unknown_critical {
        return Err(format!("its critical extension {oid} is not understood"));
    }
    if extensions.basic_constraints.is_some_and(|(ca, _)| ca) {
        return Err("it is a CA".to_owned());
    }
    match extensions.key_usage {
        Some(usage) if usage & DIGITAL_SIGNATURE != 0 => {}
        Some(_) => return Err("its key usage has no digitalSignature".to_owned()),
        None => return Err("it says no key usage".to_owned()),
    }
    let Some(purposes) = &extensions.purposes else {
        return Err(format!("it has no extended key usage; {} is needed", purpose.name()));
    };
    if !purposes.iter().any(|oid| oid == purpose.oid()) {
        return Err(format!("its extended key usage does not name {}", purpose.name()));
    }
    if purpose == Purpose::TimeStamping && (purposes.len() != 1 || !extensions.purposes_critical) {
        return Err(
            "its extended key usage must be critical and timeStamping alone (RFC 3161, 2.3)".to_owned()
        );
    }
    Ok(())
}

/// That a certificate may stand above `below` other CA certificates and a leaf.
fn check_issuer(certificate: &Certificate, below: usize) -> Result<(), String> {
    let extensions = certificate.extensions();
    if let Some(oid) = &extensions.unknown_critical {
        return Err(format!("its critical extension {oid} is not understood"));
    }
    match extensions.basic_constraints {
        Some((true, None)) => {}
        Some((true, Some(length))) if usize::try_from(length).is_ok_and(|length| below <= length) => {}
        Some((true, Some(length))) => {
            return Err(format!("its path length is {length}, but {below} CA certificates stand below"));
        }
        _ => return Err("it is no CA".to_owned()),
    }
    match extensions.key_usage {
        Some(usage) if usage & KEY_CERT_SIGN == 0 => Err("its key usage has no keyCertSign".to_owned()),
        _ => Ok(()),
    }
}
