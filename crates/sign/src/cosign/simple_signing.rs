use std::collections::BTreeMap;

use lotse_digest::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;

const TYPE: &str = "cosign container image signature";
const BYTES: usize = 1 << 20;

/// The payload that cosign signs in its older layout ("simple signing"): which image, and what else the signer says.
///
/// The digest's member is read as `docker-manifest-digest`, which everybody writes, or `Docker-manifest-digest`, which the
/// specification prints; both at once, or one of them twice, is refused. `docker-reference` says nothing that is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimpleSigning {
    /// The image's manifest.
    pub digest: Digest,
    /// What the signer wrote there; unchecked.
    pub docker_reference: String,
    /// What else the signer says, such as `cosign sign -a key=value`.
    pub optional: BTreeMap<String, Value>,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    critical: Critical,
    #[serde(default)]
    optional: Option<BTreeMap<String, Value>>,
}

#[derive(Serialize, Deserialize)]
struct Critical {
    #[serde(default)]
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Identity {
    #[serde(default, rename = "docker-reference")]
    docker_reference: String,
}

#[derive(Serialize, Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest", alias = "Docker-manifest-digest")]
    digest: Digest,
}

impl SimpleSigning {
    /// A payload about an image.
    #[must_use]
    pub fn new(digest: Digest, docker_reference: impl Into<String>) -> Self {
        Self { digest, docker_reference: docker_reference.into(), optional: BTreeMap::new() }
    }

    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if it is none or of another type; [`Error::Limit`] over 1 MiB.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.len() > BYTES {
            return Err(Error::Limit { what: "bytes of a simple signing payload", limit: BYTES });
        }
        let fault = |reason: String| Error::malformed("simple signing payload", reason);
        let wire: Wire = serde_json::from_slice(json).map_err(|error| fault(error.to_string()))?;
        if wire.critical.kind != TYPE {
            let kind: String = wire.critical.kind.chars().take(80).collect();
            return Err(fault(format!("its type is {kind:?}, not {TYPE:?}")));
        }
        Ok(Self {
            digest: wire.critical.image.digest,
            docker_reference: wire.critical.identity.docker_reference,
            optional: wire.optional.unwrap_or_default(),
        })
    }

    /// The payload in JSON. The same payload gives the same bytes.
    ///
    /// # Errors
    ///
    /// None for values made by this crate.
    pub fn to_json(&self) -> Result<Vec<u8>, Error> {
        let wire = Wire {
            critical: Critical {
                identity: Identity { docker_reference: self.docker_reference.clone() },
                image: Image { digest: self.digest.clone() },
                kind: TYPE.to_owned(),
            },
            optional: (!self.optional.is_empty()).then(|| self.optional.clone()),
        };
        serde_json::to_vec(&wire).map_err(|error| Error::malformed("simple signing payload", error))
    }
}
