//! The protocol of registries (OCI distribution-spec 1.1) without sockets: requests built, responses parsed.
//!
//! An [`Operation`] is one verb as a machine: it says what to send next and is told what came back. [`Exchange`] takes it through
//! authentication, redirects, waits and broken connections, and whoever drives it only moves bytes: a blocking client (feature
//! `client`), an async runtime, a simulation. There is no clock, no thread and no randomness inside.
//!
//! ```
//! use lotse_oci::distribution::{Credentials, Exchange, Next, Patience, Repository, Response, Session, Tags};
//!
//! let repository = Repository::new(&"registry.example/team/app".parse()?, false)?;
//! let mut session = Session::new(repository.root().clone(), Credentials::Anonymous);
//! let mut exchange = Exchange::new(Tags::new(&repository)?, Patience::default());
//! let Next::Send(request) = exchange.step(&mut session, 0)? else { panic!() };
//! assert_eq!(request.url.to_string(), "https://registry.example/v2/team/app/tags/list?n=1000");
//! let answer = Response { body: br#"{"name":"team/app","tags":["v1"]}"#.to_vec(), ..Response::new(200) };
//! exchange.answer(&mut session, 0, answer)?;
//! let Next::Done(tags) = exchange.step(&mut session, 0)? else { panic!() };
//! assert_eq!(tags, ["v1"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod challenge;
mod delete;
mod document;
mod download;
mod error;
mod exchange;
mod link;
mod message;
mod referrers;
mod repository;
mod retry;
mod session;
mod tags;
mod update;
mod upload;
mod url;

pub use challenge::Challenge;
pub use delete::{Delete, HeadBlob};
pub use document::{Document, FetchManifest, Head, HeadManifest, PushManifest, Pushed};
pub use download::Download;
pub use error::{Reason, Refusal};
pub use exchange::{Exchange, Next, Operation, Patience};
pub use message::{Body, Headers, Method, Request, Response};
pub use referrers::{Attached, Referrers, referrers_tag};
pub use repository::Repository;
pub use session::{Credentials, Scope, Session};
pub use tags::Tags;
pub use update::UpdateReferrers;
pub use upload::{Upload, UploadOptions, UploadState, Uploaded};
pub use url::{Url, is_loopback};

#[cfg(any(feature = "client", feature = "registry"))]
pub(crate) use session::base64_decode;

/// Bytes of a manifest or an index that are read: what every registry takes (distribution-spec, pushing manifests).
pub(crate) const MANIFEST_BYTES: u64 = 4 << 20;
/// Bytes of a token service's answer.
pub(crate) const TOKEN_BYTES: u64 = 1 << 20;
/// Bytes of an answer that is no document that was asked for.
pub(crate) const ERROR_BYTES: u64 = 64 << 10;
/// Pages of one list.
pub(crate) const PAGES: u64 = 1000;
