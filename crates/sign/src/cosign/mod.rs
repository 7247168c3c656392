//! Where cosign keeps signatures of images: the older layout (tags `sha256-….sig` and `.att`, one layer a signature) and
//! bundles as referrers. Manifests, annotations and blobs come in as plain values; nothing here knows a registry.

mod attachments;
mod layer;
mod manifest;
mod predicate;
mod simple_signing;

pub use self::attachments::{AttachedBundle, AttachmentStore, Attachments};
pub(crate) use self::layer::{BUNDLE, CERTIFICATE, SIGNATURE, TIMESTAMP, decode_layer};
pub use self::layer::{CosignLayer, DSSE_MEDIA_TYPE, SIMPLE_SIGNING_MEDIA_TYPE};
pub use self::manifest::CosignManifest;
pub use self::predicate::cosign_predicate_type;
pub use self::simple_signing::SimpleSigning;
