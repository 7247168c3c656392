//! An image in a layout or a registry, and what is attached to it: the glue between `lotse-oci` and `lotse-sign`.

use std::collections::BTreeMap;

use clap::Args;
use lotse_digest::{Digest, Reference};
use lotse_oci::client::{Client, Options, Place, PlainHttp};
use lotse_oci::{Descriptor, Error, Index, Layout, Limits};
use lotse_sign::{AttachmentStore, Attachments, CosignLayer, CosignManifest};

/// Which image: in a layout, or in a registry.
#[derive(Args)]
pub struct ImageArgs {
    /// A directory with an OCI layout in which IMAGE is a tag or a digest.
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "registry")]
    layout: Option<std::path::PathBuf>,
    /// The host of a registry in which IMAGE is a name with tag or digest.
    #[arg(long, value_name = "HOST")]
    registry: Option<String>,
    /// Speak to the registry without encryption; one on this machine needs no word.
    #[arg(long)]
    plain_http: bool,
    /// The image; without --layout and --registry as oci:DIRECTORY:TAG or HOST/NAME:TAG.
    image: String,
}

/// An image and the place it is in.
pub struct Images {
    place: Stored,
    subject: Descriptor,
}

enum Stored {
    Layout(Layout),
    Registry(Box<(Client, Reference)>),
}

impl ImageArgs {
    /// Finds the image.
    ///
    /// # Errors
    ///
    /// Those of the layout or the registry, [`Error::NotFound`] if it is not there.
    pub fn open(&self) -> Result<Images, Error> {
        let place = match (&self.layout, &self.registry) {
            (Some(path), _) => Place::Layout { path: path.clone(), tag: self.image.clone() },
            (None, Some(host)) => format!("{host}/{}", self.image).parse()?,
            (None, None) => self.image.parse()?,
        };
        match place {
            Place::Layout { path, tag } => {
                let layout = Layout::open(path, Limits::default())?;
                let subject = layout.resolve(&tag)?;
                Ok(Images { place: Stored::Layout(layout), subject })
            }
            Place::Registry(reference) => {
                let host = reference.host().map(str::to_owned);
                let plain_http = match host {
                    Some(host) if self.plain_http => PlainHttp::Hosts([host].into()),
                    _ => PlainHttp::Loopback,
                };
                let client = Client::new(Options { plain_http, ..Options::default() })?;
                let subject = client.resolve(&reference)?;
                Ok(Images { place: Stored::Registry(Box::new((client, reference))), subject })
            }
            other => Err(Error::Caller(format!("{other} is neither a layout nor a registry"))),
        }
    }
}

impl Images {
    /// The digest of the image's manifest or index.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.subject.digest
    }

    /// The image's name with its digest, as in a registry.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.place {
            Stored::Layout(layout) => format!("{}@{}", layout.path().display(), self.subject.digest),
            Stored::Registry(registry) => {
                let text = registry.1.to_string();
                let name = text.split('@').next().unwrap_or_default();
                let cut = name.rfind(':').filter(|at| !name.get(*at..).unwrap_or_default().contains('/'));
                format!("{}@{}", cut.and_then(|at| name.get(..at)).unwrap_or(name), self.subject.digest)
            }
        }
    }

    /// Attaches a document as a referrer of the image.
    ///
    /// # Errors
    ///
    /// Those of the layout or the registry.
    pub fn attach(
        &self,
        artifact_type: &str,
        document: &[u8],
        annotations: BTreeMap<String, String>,
    ) -> Result<Descriptor, Error> {
        match &self.place {
            Stored::Layout(layout) => layout.attach(&self.subject, artifact_type, document, annotations),
            Stored::Registry(registry) => {
                let (client, _) = &**registry;
                client.attach(&self.by_digest(&self.subject.digest)?, artifact_type, document, annotations)
            }
        }
    }

    /// Adds a layer under one of cosign's tags.
    ///
    /// # Errors
    ///
    /// Those of the layout or the registry, and of what is under the tag.
    pub fn append(&self, tag: &str, layer: &CosignLayer) -> Result<(), Box<dyn std::error::Error>> {
        let existing = self.tagged(tag)?;
        let manifest = CosignManifest::append(existing.as_deref(), std::slice::from_ref(layer))?;
        let write = |layout: &Layout| -> Result<(), Error> {
            for (_, media_type, bytes) in &manifest.blobs {
                layout.write_blob(media_type, bytes)?;
            }
            let descriptor = layout.write_blob(manifest.media_type, &manifest.json)?;
            layout.tag(&descriptor, tag)
        };
        match &self.place {
            Stored::Layout(layout) => write(layout)?,
            Stored::Registry(registry) => {
                let (client, _) = &**registry;
                let scratch = tempfile::tempdir()?;
                let layout = Layout::create(scratch.path(), Limits::default())?;
                // The layers that are there already go along: a push is complete or it is nothing.
                if let Some(existing) = &existing {
                    let blob = |digest: &Digest, size: u64| self.blob(digest, size).ok().flatten();
                    for old in Attachments::layers_of(existing, blob)? {
                        layout.write_blob(&old.media_type, &old.payload)?;
                    }
                }
                write(&layout)?;
                client.push(&layout, tag, &self.with_tag(tag)?)?;
            }
        }
        Ok(())
    }

    fn with_tag(&self, tag: &str) -> Result<Reference, Error> {
        self.reference(&format!(":{tag}"))
    }

    fn by_digest(&self, digest: &Digest) -> Result<Reference, Error> {
        self.reference(&format!("@{digest}"))
    }

    fn reference(&self, end: &str) -> Result<Reference, Error> {
        let name = self.name();
        let name = name.split('@').next().unwrap_or_default();
        format!("{name}{end}").parse().map_err(|error| Error::Caller(format!("{name}{end}: {error}")))
    }
}

impl AttachmentStore for Images {
    type Error = Error;

    fn tagged(&self, tag: &str) -> Result<Option<Vec<u8>>, Error> {
        match &self.place {
            Stored::Layout(layout) => match layout.resolve(tag) {
                Ok(descriptor) => layout.read_blob(&descriptor).map(Some),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            },
            Stored::Registry(registry) => absent(registry.0.manifest(&self.with_tag(tag)?)),
        }
    }

    fn referrers(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        let descriptors = match &self.place {
            Stored::Layout(layout) => {
                layout.referrers(digest)?.into_iter().map(|referrer| referrer.descriptor).collect()
            }
            Stored::Registry(registry) => registry.0.referrers(&self.by_digest(digest)?, None)?,
        };
        Index::new(descriptors).to_bytes().map(Some)
    }

    fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        match &self.place {
            Stored::Layout(layout) => match layout.find(digest) {
                Ok(descriptor) => layout.read_blob(&descriptor).map(Some),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            },
            Stored::Registry(registry) => absent(registry.0.manifest(&self.by_digest(digest)?)),
        }
    }

    fn blob(&self, digest: &Digest, size: u64) -> Result<Option<Vec<u8>>, Error> {
        let descriptor = Descriptor::new("application/octet-stream", digest.clone(), size);
        match &self.place {
            Stored::Layout(layout) if layout.has_blob(digest) => layout.read_blob(&descriptor).map(Some),
            Stored::Layout(_) => Ok(None),
            Stored::Registry(registry) => {
                match registry.0.blob(&self.by_digest(&self.subject.digest)?, &descriptor, size) {
                    Ok(bytes) => Ok(Some(bytes)),
                    Err(Error::Registry(refusal)) if refusal.status == 404 => Ok(None),
                    Err(error) => Err(error),
                }
            }
        }
    }
}

fn absent(document: Result<lotse_oci::distribution::Document, Error>) -> Result<Option<Vec<u8>>, Error> {
    match document {
        Ok(document) => Ok(Some(document.bytes)),
        Err(Error::Registry(refusal)) if refusal.status == 404 => Ok(None),
        Err(error) => Err(error),
    }
}
