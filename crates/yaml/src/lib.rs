//! YAML as Kubernetes reads it: a located tree over the original bytes, the value that kubectl or the API
//! server gets from it, and byte-exact replacement of one scalar.
//!
//! It is not a general YAML library: there is no serde model, and a reading that this crate cannot do right
//! yet (kustomize's, for instance) is left out instead of guessed.
//!
//! ```
//! use lotse_yaml::{Dialect, Limits, Stream, set_scalar};
//!
//! let text = b"spec:\n  mode: 0644   # octal, for Kubernetes\n  image: app:1.0\n";
//! let stream = Stream::parse(text, Dialect::Kubectl, &Limits::manifests())?;
//! let document = stream.documents().first().expect("one document");
//! assert_eq!(document.value()?.to_json(), r#"{"spec":{"mode":420,"image":"app:1.0"}}"#);
//! assert_eq!(document.pointer("/spec/image").expect("there").position().to_string(), "3:10");
//!
//! let edit = set_scalar(text, Dialect::Kubectl, 0, "/spec/image", "app:1.1", &Limits::manifests())?;
//! assert_eq!(edit.bytes(), b"spec:\n  mode: 0644   # octal, for Kubernetes\n  image: app:1.1\n");
//! # Ok::<(), lotse_yaml::Error>(())
//! ```
//!
//! # Dialects
//!
//! [`Dialect`] has no default: the same bytes mean different things to different readers.
//! `Kubectl` and `ApiServer` read YAML 1.1 the way the Go library behind `sigs.k8s.io/yaml` does, `Yaml12` is
//! the core schema of YAML 1.2.2.
//!
//! # Known deviations
//!
//! * Keys that only become equal when they are written as text (`true` and `'true'`) are decided by chance in
//!   kubectl; here they are refused.
//! * U+0085, U+2028 and U+2029 end a line in YAML 1.1; outside JSON and quoted values of one line they are refused in
//!   the Kubernetes dialects, with the advice to write them escaped.
//! * Go's library takes a little more than YAML 1.2: quoted text that goes on at the margin, `#` right after a comma or
//!   `|`, a lone `-` in brackets. Such text is refused here.
//!
//! # Features
//!
//! None.

mod build;
mod compat;
mod convert;
mod dialect;
mod edit;
mod emit;
mod error;
mod json;
mod limits;
mod macros;
mod map;
mod number;
mod object;
mod resolve;
mod split;
mod stream;
mod timestamp;
mod tree;
mod value;

pub use dialect::Dialect;
pub use edit::{Edit, set_scalar};
pub use emit::{to_yaml, to_yaml_stream};
pub use error::{EditRefusal, Error};
pub use json::{parse_json, pointer_escape};
pub use limits::Limits;
pub use map::{IntoIter, Iter, Map};
pub use number::Number;
pub use object::{NotAnObject, check_object};
pub use stream::Stream;
pub use tree::{Document, Kind, Node, Position, Style};
pub use value::Value;
