use lotse_digest::{Digest, Reference};

use super::Url;
use crate::Error;

/// A repository of a registry: where its requests go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repository {
    root: Url,
    host: String,
    name: String,
}

/// The names of Docker Hub, whose API has a host of its own.
const HUB: [&str; 4] = ["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"];
const HUB_API: &str = "registry-1.docker.io";
/// Under what docker keeps the credentials of Docker Hub.
const HUB_CREDENTIALS: &str = "https://index.docker.io/v1/";

impl Repository {
    /// The repository of a reference. Over `https` unless `plain_http`: that is the caller's decision, host by host.
    ///
    /// Docker Hub is known by its names: its API has another host, and a name of one part stands for `library/…`.
    ///
    /// # Errors
    ///
    /// [`Error::Caller`] if the reference names no registry: none is made up.
    pub fn new(reference: &Reference, plain_http: bool) -> Result<Self, Error> {
        let Some(host) = reference.host() else {
            let text = format!("{reference} names no registry; write host[:port]/{}", reference.name());
            return Err(Error::Caller(text));
        };
        Self::at(host, host, reference.name(), plain_http)
    }

    /// The repository of the same name on a mirror.
    ///
    /// # Errors
    ///
    /// [`Error::Caller`] if `mirror` is no `host[:port]`.
    pub fn mirrored(&self, mirror: &str, plain_http: bool) -> Result<Self, Error> {
        Self::at(mirror, mirror, &self.name, plain_http)
    }

    fn at(host: &str, authority: &str, name: &str, plain_http: bool) -> Result<Self, Error> {
        let is_hub = HUB.contains(&host.to_ascii_lowercase().as_str());
        let authority = if is_hub { HUB_API } else { authority };
        let name = if is_hub && !name.contains('/') { format!("library/{name}") } else { name.to_owned() };
        Ok(Self { root: Url::new(!plain_http, authority, "/v2/")?, host: host.to_owned(), name })
    }

    /// The name of the repository in its registry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The registry as its reference names it.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The registry's root, `/v2/`.
    #[must_use]
    pub const fn root(&self) -> &Url {
        &self.root
    }

    /// Under what name credentials of this registry are kept in docker's configuration.
    #[must_use]
    pub fn credentials_key(&self) -> &str {
        if self.root.authority() == HUB_API { HUB_CREDENTIALS } else { &self.host }
    }

    pub(crate) fn blob(&self, digest: &Digest) -> Result<Url, Error> {
        self.below(&format!("blobs/{digest}"))
    }

    pub(crate) fn uploads(&self) -> Result<Url, Error> {
        self.below("blobs/uploads/")
    }

    pub(crate) fn manifest(&self, tag_or_digest: &str) -> Result<Url, Error> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte);
        if tag_or_digest.is_empty() || tag_or_digest.len() > 256 || !tag_or_digest.bytes().all(plain) {
            return Err(Error::Caller(format!("{tag_or_digest:?} is neither a tag nor a digest")));
        }
        self.below(&format!("manifests/{tag_or_digest}"))
    }

    pub(crate) fn tags(&self) -> Result<Url, Error> {
        self.below("tags/list")
    }

    pub(crate) fn referrers(&self, subject: &Digest) -> Result<Url, Error> {
        self.below(&format!("referrers/{subject}"))
    }

    fn below(&self, rest: &str) -> Result<Url, Error> {
        self.root.join(&format!("{}{}/{rest}", self.root.path(), self.name))
    }
}
