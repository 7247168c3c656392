use lotse_digest::Digest;
use serde::Deserialize;

use super::{Body, MANIFEST_BYTES, Method, Next, Operation, Refusal, Repository, Request, Response, Scope};
use crate::{Descriptor, Error, Index, Limits, Manifest, media};

/// A manifest or index as it was sent: its bytes, verified, and what points at them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document {
    /// Media type, digest and size.
    pub descriptor: Descriptor,
    /// The bytes, never written anew.
    pub bytes: Vec<u8>,
    /// The `ETag` of the answer.
    pub etag: Option<String>,
}

impl Document {
    /// A document of these bytes under the digest `digest`, or SHA-256 if none is given.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] for another digest; [`Error::Malformed`] if it is no manifest and no index, could be read as both
    /// (CVE-2021-41190), or is of another type than `content_type` says; [`Error::Unsupported`] for types that are unknown.
    pub fn new(bytes: Vec<u8>, content_type: Option<&str>, digest: Option<&Digest>) -> Result<Self, Error> {
        let digest = match digest {
            Some(digest) => {
                digest.verify(&bytes)?;
                digest.clone()
            }
            None => Digest::sha256(&bytes),
        };
        let media_type = identify(&bytes, content_type)?;
        let limits = Limits { document_bytes: MANIFEST_BYTES, ..Limits::default() };
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let mut descriptor = Descriptor::new(media_type, digest, size);
        if media::is_index(&descriptor.media_type) {
            descriptor.artifact_type = Index::parse(&bytes, &limits)?.artifact_type;
        } else {
            descriptor.artifact_type = Manifest::parse(&bytes, &limits)?.artifact_type;
        }
        Ok(Self { descriptor, bytes, etag: None })
    }

    /// The manifest that this one refers to, if it does.
    ///
    /// # Errors
    ///
    /// Those of [`Manifest::parse`].
    pub fn subject(&self) -> Result<Option<Descriptor>, Error> {
        let limits = Limits::default();
        Ok(if media::is_index(&self.descriptor.media_type) {
            Index::parse(&self.bytes, &limits)?.subject
        } else {
            Manifest::parse(&self.bytes, &limits)?.subject
        })
    }

    /// What points at this document in a list of referrers: with all its annotations, and what kind of artifact it is
    /// (distribution-spec, listing referrers).
    ///
    /// # Errors
    ///
    /// Those of [`Manifest::parse`].
    pub fn referrer(&self) -> Result<Descriptor, Error> {
        let limits = Limits::default();
        let mut descriptor = self.descriptor.clone();
        if media::is_index(&descriptor.media_type) {
            let index = Index::parse(&self.bytes, &limits)?;
            (descriptor.artifact_type, descriptor.annotations) = (index.artifact_type, index.annotations);
        } else {
            let manifest = Manifest::parse(&self.bytes, &limits)?;
            let kind = manifest.artifact_type.filter(|kind| !kind.is_empty());
            descriptor.artifact_type = kind.or(Some(manifest.config.media_type));
            descriptor.annotations = manifest.annotations;
        }
        Ok(descriptor)
    }
}

/// The type of a document, from what its sender says, what it says itself, and what it is.
fn identify(bytes: &[u8], content_type: Option<&str>) -> Result<String, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Members {
        media_type: Option<String>,
        schema_version: Option<u32>,
        manifests: Option<serde::de::IgnoredAny>,
        config: Option<serde::de::IgnoredAny>,
        layers: Option<serde::de::IgnoredAny>,
    }
    let wrong = |reason: String| Error::malformed("manifest", reason);
    let members: Members = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
    if members.schema_version == Some(1) {
        return Err(Error::Unsupported {
            what: "a manifest of schema version 1".to_owned(),
            advice: "pull and push it with a current docker first",
        });
    }
    let is_known = |name: &str| media::is_manifest(name) || media::is_index(name);
    let said = content_type.filter(|name| is_known(name) || name.starts_with("application/vnd."));
    if let (Some(said), Some(own)) = (said, &members.media_type)
        && said != own
    {
        return Err(wrong(format!("it was sent as {said:?}, and says it is {own:?}")));
    }
    let media_type = match (said, members.media_type) {
        (Some(said), _) => said.to_owned(),
        (None, Some(own)) => own,
        (None, None) if members.manifests.is_some() => media::INDEX.to_owned(),
        (None, None) if members.config.is_some() && members.layers.is_some() => media::MANIFEST.to_owned(),
        (None, None) => return Err(wrong("it is neither an image manifest nor an index".to_owned())),
    };
    if !is_known(&media_type) {
        return Err(Error::Unsupported {
            what: format!("manifest type {:?}", media_type.chars().take(128).collect::<String>()),
            advice: "OCI manifests and indexes are read, and Docker's of schema 2",
        });
    }
    Ok(media_type)
}

/// Every type of manifest that is read; without it some registries answer that an index is not there.
pub(super) fn accept() -> String {
    media::MANIFESTS.join(", ")
}

/// Fetches a manifest or index (distribution-spec, pulling manifests).
#[derive(Debug)]
pub struct FetchManifest {
    repository: Repository,
    what: String,
    done: Option<Document>,
}

impl FetchManifest {
    /// Fetches what has this tag or digest.
    #[must_use]
    pub fn new(repository: &Repository, tag_or_digest: &str) -> Self {
        Self { repository: repository.clone(), what: tag_or_digest.to_owned(), done: None }
    }
}

impl Operation for FetchManifest {
    type Output = Document;

    fn next(&mut self) -> Result<Next<Document>, Error> {
        if let Some(document) = self.done.take() {
            return Ok(Next::Done(document));
        }
        let mut request = Request::new(Method::Get, self.repository.manifest(&self.what)?)
            .header("accept", accept())
            .header("accept-encoding", "identity");
        request.limit = MANIFEST_BYTES;
        Ok(Next::Send(request))
    }

    fn answer(&mut self, request: &Request, response: Response) -> Result<(), Error> {
        if response.status != 200 {
            return Err(Refusal::new(request, &response).into());
        }
        let content_type = response.content_type();
        // The digest that was asked for; by a tag, the one that the registry says, whatever its algorithm.
        let asked = self.what.parse::<Digest>().ok();
        let said = response.headers.get("docker-content-digest").and_then(|text| text.parse().ok());
        let etag = response.headers.get("etag").map(str::to_owned);
        let mut document = Document::new(response.body, content_type.as_deref(), asked.or(said).as_ref())?;
        document.etag = etag;
        self.done = Some(document);
        Ok(())
    }

    fn scope(&self) -> Scope {
        Scope::pull(self.repository.name())
    }
}

/// What a registry says of a manifest without sending it. Nothing of it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Head {
    /// `Docker-Content-Digest`, which registries need not send.
    pub digest: Option<Digest>,
    /// `Content-Type`.
    pub media_type: Option<String>,
    /// `Content-Length`.
    pub size: Option<u64>,
}

/// Asks whether a manifest is there. Done with `None` if it is not.
#[derive(Debug)]
pub struct HeadManifest {
    repository: Repository,
    what: String,
    done: Option<Option<Head>>,
}

impl HeadManifest {
    /// Asks for what has this tag or digest.
    #[must_use]
    pub fn new(repository: &Repository, tag_or_digest: &str) -> Self {
        Self { repository: repository.clone(), what: tag_or_digest.to_owned(), done: None }
    }
}

impl Operation for HeadManifest {
    type Output = Option<Head>;

    fn next(&mut self) -> Result<Next<Option<Head>>, Error> {
        if let Some(head) = self.done.take() {
            return Ok(Next::Done(head));
        }
        let url = self.repository.manifest(&self.what)?;
        Ok(Next::Send(Request::new(Method::Head, url).header("accept", accept())))
    }

    fn answer(&mut self, request: &Request, response: Response) -> Result<(), Error> {
        self.done = Some(match response.status {
            200 => Some(Head {
                digest: response.headers.get("docker-content-digest").and_then(|text| text.parse().ok()),
                media_type: response.content_type(),
                size: response.headers.get("content-length").and_then(|text| text.parse().ok()),
            }),
            404 => None,
            _ => return Err(Refusal::new(request, &response).into()),
        });
        Ok(())
    }

    fn scope(&self) -> Scope {
        Scope::pull(self.repository.name())
    }
}

/// What a registry said to a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pushed {
    /// The subject that the registry knows the manifest as a referrer of (`OCI-Subject`). Without it, the list of referrers is
    /// the client's to keep: [`UpdateReferrers`](super::UpdateReferrers).
    pub subject: Option<Digest>,
}

/// Pushes a manifest or index (distribution-spec, pushing manifests). What it points at must be there already.
#[derive(Debug)]
pub struct PushManifest {
    repository: Repository,
    what: String,
    document: Document,
    done: Option<Pushed>,
}

impl PushManifest {
    /// Pushes `document` under a tag, or under its digest if there is none.
    #[must_use]
    pub fn new(repository: &Repository, tag: Option<&str>, document: Document) -> Self {
        let what = tag.map_or_else(|| document.descriptor.digest.to_string(), str::to_owned);
        Self { repository: repository.clone(), what, document, done: None }
    }
}

impl Operation for PushManifest {
    type Output = Pushed;

    fn next(&mut self) -> Result<Next<Pushed>, Error> {
        if let Some(pushed) = self.done.take() {
            return Ok(Next::Done(pushed));
        }
        let mut request = Request::new(Method::Put, self.repository.manifest(&self.what)?)
            .header("content-type", self.document.descriptor.media_type.clone());
        request.body = Body::Bytes(self.document.bytes.clone());
        Ok(Next::Send(request))
    }

    fn answer(&mut self, request: &Request, response: Response) -> Result<(), Error> {
        if !matches!(response.status, 200 | 201) {
            return Err(Refusal::new(request, &response).into());
        }
        let digest = |name: &str| response.headers.get(name).and_then(|text| text.parse::<Digest>().ok());
        if let Some(stored) = digest("docker-content-digest") {
            // Another algorithm is the registry's choice; another content is not.
            stored.verify(&self.document.bytes)?;
        }
        self.done = Some(Pushed { subject: digest("oci-subject") });
        Ok(())
    }

    fn scope(&self) -> Scope {
        Scope::push(self.repository.name())
    }
}
