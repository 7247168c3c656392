use lotse_digest::Digest;

use super::message::{Request, Response};
use crate::Error;
use crate::der::{BOOLEAN, INTEGER, OCTET_STRING, OID, SEQUENCE, wrap};
use crate::timestamp::Timestamp;

/// 2.16.840.1.101.3.4.2.1
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const NULL: &[u8] = &[0x05, 0x00];

/// A timestamp authority (RFC 3161 over HTTP, section 3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimestampAuthority {
    url: String,
}

impl TimestampAuthority {
    /// The authority at a URL, which is the full one.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into() }
    }

    /// Asks when `signature` was seen. Without a nonce: the same question has the same bytes, and the answer is bound to the
    /// signature, which nobody else has.
    #[must_use]
    pub fn request(&self, signature: &[u8]) -> Request {
        let algorithm = wrap(SEQUENCE, &[&wrap(OID, &[SHA256]), NULL]);
        let imprint = wrap(OCTET_STRING, &[Digest::sha256(signature).as_bytes()]);
        let imprint = wrap(SEQUENCE, &[&algorithm, &imprint]);
        let query = wrap(SEQUENCE, &[&wrap(INTEGER, &[&[1]]), &imprint, &wrap(BOOLEAN, &[&[0xFF]])]);
        Request::post(self.url.clone(), "application/timestamp-query", "application/timestamp-reply", query)
    }

    /// The token in the answer, as it goes into a bundle. It is read, not believed.
    ///
    /// # Errors
    ///
    /// [`Error::Service`] if the authority refused, [`Error::Malformed`] if the answer is no timestamp.
    pub fn timestamp(response: &Response) -> Result<Vec<u8>, Error> {
        let token = response.success("timestamp authority")?;
        Timestamp::parse(token)?;
        Ok(token.to_vec())
    }
}
