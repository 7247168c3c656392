//! X.509 as Sigstore uses it: leaf certificates of a few minutes, short paths to a configured authority, embedded SCTs.
//! Nothing of the web's PKI (no revocation, no host names, no system store).

mod algorithm;
mod certificate;
mod extensions;
mod path;
mod sct;

pub(crate) use self::algorithm::{SignatureAlgorithm, hash_algorithm};
pub(crate) use self::certificate::Certificate;
pub(crate) use self::path::{Authority, Purpose, check_leaf};
pub(crate) use self::sct::scts;
