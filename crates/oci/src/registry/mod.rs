//! A registry for tests, in process: the OCI distribution-spec 1.1 as a function from a request to a reply, in memory or in a
//! directory, with faults on demand; and a listener on loopback that serves it to other programs.
//!
//! It is complete, and it is no production registry: it keeps its lists in memory, has no TLS, and its tokens are numbers.
//!
//! ```
//! use lotse_oci::registry::{Options, Registry};
//!
//! let registry = Registry::start(Options::default())?; // a free port on 127.0.0.1, until it is dropped
//! let mut socket = std::net::TcpStream::connect(registry.address())?;
//! std::io::Write::write_all(&mut socket, b"GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
//! let answer = std::io::read_to_string(socket)?;
//! assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod auth;
mod blobs;
mod fault;
mod handler;
mod http;
mod lists;
mod manifests;
mod reply;
mod route;
mod serve;
mod store;
mod uploads;

pub use auth::Auth;
pub use fault::{Fault, Rule};
pub use handler::{Options, Registry};
pub use reply::{Reply, ReplyBody};
pub use serve::{Running, Server};
