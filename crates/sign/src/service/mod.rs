//! The services of a Sigstore without sockets: requests built, responses parsed. Whoever drives them only moves bytes.
//!
//! Keyless signing is four questions. [`Fulcio`] gives a certificate for an identity token and a key; the key signs; a
//! [`TimestampAuthority`] says when; [`Rekor`] takes the signature into its log. [`BundleBuilder`](crate::BundleBuilder)
//! makes a bundle of the answers. [`Client`](crate::Client) (feature `client`) asks all of it over HTTP.

mod config;
mod fulcio;
mod message;
mod oidc;
mod rekor;
mod session;
mod timestamping;

pub use self::config::{Service, SigningConfig};
pub use self::fulcio::{Fulcio, SigningCertificate};
#[cfg(feature = "client")]
pub(crate) use self::message::ANSWER;
pub use self::message::{Request, Response};
pub use self::oidc::{IdentityToken, TokenSource};
pub use self::rekor::Rekor;
pub use self::session::{Content, SigningSession, Transport};
pub use self::timestamping::TimestampAuthority;
