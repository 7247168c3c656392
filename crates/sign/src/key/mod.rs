//! Keys: private ones that sign, public ones that verify.

mod curve;
#[cfg(feature = "encrypted-keys")]
mod encrypted;
mod pem;
mod scheme;
mod signer;
mod signing;
mod verifying;

pub(crate) use self::pem::{blocks, write as write_pem};
pub use self::scheme::Scheme;
pub use self::signer::Signer;
pub use self::signing::SigningKey;
pub use self::verifying::VerifyingKey;
