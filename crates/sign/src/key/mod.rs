//! Keys: private ones that sign, public ones that verify.

mod pem;
mod scheme;
mod signing;
mod verifying;

pub(crate) use self::pem::blocks;
pub use self::scheme::Scheme;
pub use self::signing::SigningKey;
pub use self::verifying::VerifyingKey;
