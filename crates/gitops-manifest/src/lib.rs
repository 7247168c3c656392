//! What shall run: Kubernetes, Flux and Argo CD documents, rendered and pinned.

mod object;

pub use object::{Container, ContainerRole, Object, ObjectError, Place, PodTemplate};
