//! An OCI image layout: a directory of blobs with an index.

mod blob;
#[cfg(feature = "client")]
mod partial;
mod referrers;
mod sweep;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use lotse_digest::{Algorithm, Digest, VerifyingReader};
use serde::{Deserialize, Serialize};

pub use blob::BlobWriter;
#[cfg(feature = "client")]
pub(crate) use partial::PartialBlob;
pub use referrers::Referrer;

use crate::{Descriptor, Error, Index, Limits, Manifest, document, media};

/// The annotation that tags a manifest in `index.json`.
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
const INDEX: &str = "index.json";
const MARKER: &str = "oci-layout";
/// How deep indexes may lie in indexes.
const NESTING: usize = 8;

/// An OCI image layout on disk (image-spec, image layout, version 1.0.0).
///
/// Files appear whole: written under a temporary name, synced, renamed; `index.json` last. A process that is killed leaves
/// a layout that opens, with at most temporary files that [`sweep`](Self::sweep) removes.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
    limits: Limits,
}

#[derive(Serialize, Deserialize)]
struct Marker {
    #[serde(rename = "imageLayoutVersion")]
    version: String,
}

impl Layout {
    /// Makes an empty layout in `root`, which may exist; or opens the one that is there.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], and those of [`open`](Self::open).
    pub fn create(root: impl Into<PathBuf>, limits: Limits) -> Result<Self, Error> {
        let layout = Self { root: root.into(), limits };
        let blobs = layout.root.join("blobs").join(Algorithm::Sha256.name());
        fs::create_dir_all(&blobs).map_err(Error::io("create", &blobs))?;
        let alone = layout.lock()?;
        if !layout.root.join(INDEX).exists() {
            layout.write_index(&Index::new(Vec::new()))?;
        }
        if !layout.root.join(MARKER).exists() {
            let marker = document::to_bytes(MARKER, &Marker { version: "1.0.0".to_owned() })?;
            layout.write_file(MARKER, &marker)?;
        }
        drop(alone);
        Self::open(layout.root, limits)
    }

    /// Opens a layout.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if `root` holds no layout, [`Error::Unsupported`] for another version than 1.0.0.
    pub fn open(root: impl Into<PathBuf>, limits: Limits) -> Result<Self, Error> {
        let layout = Self { root: root.into(), limits };
        let path = layout.root.join(MARKER);
        if !path.is_file() {
            let place = layout.root.display().to_string();
            return Err(Error::NotFound {
                what: format!("the file {MARKER:?} of an OCI image layout"),
                place,
            });
        }
        let marker: Marker = document::parse(MARKER, &layout.read_file(&path)?, &limits)?;
        if marker.version != "1.0.0" {
            let what = format!("image layout version {:?}", marker.version);
            return Err(Error::Unsupported { what, advice: "this version reads 1.0.0" });
        }
        layout.index()?;
        Ok(layout)
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The limits that reading is bound to.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The file of a blob, whether it is there or not.
    #[must_use]
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs").join(digest.algorithm().name()).join(digest.encoded())
    }

    /// Whether the blob is there. Its content may still be wrong.
    #[must_use]
    pub fn has_blob(&self, digest: &Digest) -> bool {
        self.blob_path(digest).is_file()
    }

    /// The index of the layout.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], and those of [`Index::parse`].
    pub fn index(&self) -> Result<Index, Error> {
        let path = self.root.join(INDEX);
        Index::parse(&self.read_file(&path)?, &self.limits).map_err(|error| match error {
            Error::Malformed { what, reason } => {
                Error::Malformed { what: format!("{what} {}", path.display()), reason }
            }
            other => other,
        })
    }

    /// Adds a manifest to the index under a tag, which moves from the manifest that had it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if the manifest's blob is not in the layout; [`Error::Io`].
    pub fn tag(&self, descriptor: &Descriptor, tag: &str) -> Result<(), Error> {
        let mut tagged = descriptor.clone();
        tagged.annotations.insert(REF_NAME.to_owned(), tag.to_owned());
        self.add(tagged)
    }

    /// Adds a manifest to the index without a tag.
    ///
    /// # Errors
    ///
    /// As [`tag`](Self::tag).
    pub fn add(&self, descriptor: Descriptor) -> Result<(), Error> {
        if !self.has_blob(&descriptor.digest) {
            return Err(self.not_found(&descriptor.digest));
        }
        let _alone = self.lock()?;
        let mut index = self.index()?;
        let tag = descriptor.tag().map(str::to_owned);
        index.manifests.retain(|other| match (&tag, other.tag()) {
            (Some(tag), Some(other_tag)) => tag != other_tag,
            (_, None) => other.digest != descriptor.digest,
            (None, Some(_)) => true,
        });
        index.manifests.push(descriptor);
        self.write_index(&index)
    }

    /// The manifest or index with this tag, or with this digest.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none, [`Error::Malformed`] if two manifests have the tag.
    pub fn resolve(&self, tag_or_digest: &str) -> Result<Descriptor, Error> {
        if let Ok(digest) = tag_or_digest.parse::<Digest>() {
            return self.find(&digest);
        }
        let mut found: Vec<_> =
            self.index()?.manifests.into_iter().filter(|entry| entry.tag() == Some(tag_or_digest)).collect();
        match (found.pop(), found.pop()) {
            (Some(descriptor), None) => Ok(descriptor),
            (Some(_), Some(_)) => Err(Error::malformed(
                INDEX,
                format!("tag {tag_or_digest:?} stands for more than one manifest"),
            )),
            _ => Err(Error::NotFound {
                what: format!("tag {tag_or_digest:?}"),
                place: self.root.display().to_string(),
            }),
        }
    }

    /// The descriptor of a manifest by its digest, anywhere below the index.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if the index leads to no such manifest.
    pub fn find(&self, digest: &Digest) -> Result<Descriptor, Error> {
        let mut found = None;
        self.walk(&mut |descriptor| {
            if descriptor.digest == *digest && found.is_none() {
                found = Some(descriptor.clone());
            }
            Ok(())
        })?;
        found.ok_or_else(|| self.not_found(digest))
    }

    /// The image manifest that `descriptor` points at, verified; an index resolves to nothing here.
    ///
    /// # Errors
    ///
    /// Those of [`read_blob`](Self::read_blob) and [`Manifest::parse`]; [`Error::Unsupported`] for an index.
    pub fn manifest(&self, descriptor: &Descriptor) -> Result<Manifest, Error> {
        if media::is_index(&descriptor.media_type) {
            return Err(Error::Unsupported {
                what: format!("index {} where an image is needed", descriptor.digest),
                advice: "name one of its platform manifests by digest",
            });
        }
        let bytes = self.read_blob(descriptor)?;
        let manifest = Manifest::parse(&bytes, &self.limits)?;
        if manifest.media_type.as_ref().is_some_and(|media_type| *media_type != descriptor.media_type) {
            return Err(Error::malformed("image manifest", "its mediaType is not the descriptor's"));
        }
        Ok(manifest)
    }

    /// The index that `descriptor` points at, verified.
    ///
    /// # Errors
    ///
    /// Those of [`read_blob`](Self::read_blob) and [`Index::parse`].
    pub fn nested_index(&self, descriptor: &Descriptor) -> Result<Index, Error> {
        Index::parse(&self.read_blob(descriptor)?, &self.limits)
    }

    /// Copies a manifest or index with everything it points at from another layout, verifying each blob. It gets no tag here.
    ///
    /// # Errors
    ///
    /// Those of reading there and writing here. What was copied before an error stays, unreferenced.
    pub fn import(&self, from: &Self, descriptor: &Descriptor) -> Result<(), Error> {
        self.import_within(from, descriptor, 0)
    }

    fn import_within(&self, from: &Self, descriptor: &Descriptor, depth: usize) -> Result<(), Error> {
        if depth > NESTING {
            let limit = u64::try_from(NESTING).unwrap_or(u64::MAX);
            return Err(Error::Limit { what: "indexes within indexes".to_owned(), limit });
        }
        if media::is_index(&descriptor.media_type) {
            for child in &from.nested_index(descriptor)?.manifests {
                self.import_within(from, child, depth + 1)?;
            }
        } else if media::is_manifest(&descriptor.media_type) {
            let manifest = from.manifest(descriptor)?;
            for part in manifest.layers.iter().chain([&manifest.config]) {
                self.import_blob(from, part)?;
            }
        }
        self.import_blob(from, descriptor)
    }

    fn import_blob(&self, from: &Self, blob: &Descriptor) -> Result<(), Error> {
        if !self.has_blob(&blob.digest) {
            let mut writer = self.blob_writer()?;
            let source = from.blob_path(&blob.digest);
            std::io::copy(&mut from.open_blob(blob)?, &mut writer).map_err(Error::io("copy", &source))?;
            writer.finish_under(&blob.media_type, Some(&blob.digest))?;
        }
        Ok(())
    }

    /// Opens a blob for reading; size and digest are verified when its end is reached.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Io`].
    pub fn open_blob(&self, descriptor: &Descriptor) -> Result<VerifyingReader<File>, Error> {
        let path = self.blob_path(&descriptor.digest);
        if !path.is_file() {
            return Err(self.not_found(&descriptor.digest));
        }
        let file = File::open(&path).map_err(Error::io("read", &path))?;
        Ok(VerifyingReader::new(file, descriptor.digest.clone(), descriptor.size))
    }

    /// Reads a document's blob whole and verifies it.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] over [`Limits::document_bytes`], [`Error::Size`], [`Error::Mismatch`], [`Error::NotFound`],
    /// [`Error::Io`].
    pub fn read_blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>, Error> {
        document::check_size(&format!("blob {}", descriptor.digest), descriptor.size, &self.limits)?;
        let path = self.blob_path(&descriptor.digest);
        if !path.is_file() {
            return Err(self.not_found(&descriptor.digest));
        }
        let bytes = self.read_file(&path)?;
        let actual = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if actual != descriptor.size {
            return Err(Error::Size { digest: descriptor.digest.clone(), expected: descriptor.size, actual });
        }
        descriptor.digest.verify(&bytes)?;
        Ok(bytes)
    }

    /// Calls `visit` for every manifest and index below the index of the layout, indexes before what is in them.
    pub(crate) fn walk(&self, visit: &mut dyn FnMut(&Descriptor) -> Result<(), Error>) -> Result<(), Error> {
        self.walk_index(&self.index()?, 0, visit)
    }

    fn walk_index(
        &self,
        index: &Index,
        depth: usize,
        visit: &mut dyn FnMut(&Descriptor) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if depth > NESTING {
            let limit = u64::try_from(NESTING).unwrap_or(u64::MAX);
            return Err(Error::Limit { what: "indexes within indexes".to_owned(), limit });
        }
        for descriptor in &index.manifests {
            visit(descriptor)?;
            if media::is_index(&descriptor.media_type) {
                self.walk_index(&self.nested_index(descriptor)?, depth + 1, visit)?;
            }
        }
        Ok(())
    }

    /// Keeps others from changing the index until what is returned is dropped. The directory itself is locked, so that no file is
    /// added to the layout; where that cannot be done, two writers at once may lose one's entry.
    pub(super) fn lock(&self) -> Result<Option<File>, Error> {
        if !cfg!(unix) {
            return Ok(None);
        }
        let directory = File::open(&self.root).map_err(Error::io("lock", &self.root))?;
        match directory.lock() {
            Ok(()) => Ok(Some(directory)),
            Err(error) if error.kind() == std::io::ErrorKind::Unsupported => Ok(None),
            Err(error) => Err(Error::io("lock", &self.root)(error)),
        }
    }

    fn write_index(&self, index: &Index) -> Result<(), Error> {
        self.write_file(INDEX, &index.to_bytes()?)
    }

    fn read_file(&self, path: &Path) -> Result<Vec<u8>, Error> {
        let size = fs::metadata(path).map_err(Error::io("read", path))?.len();
        document::check_size(&path.display().to_string(), size, &self.limits)?;
        fs::read(path).map_err(Error::io("read", path))
    }

    /// Says which of these blobs is not there.
    pub(crate) fn require<'a>(&self, mut blobs: impl Iterator<Item = &'a Descriptor>) -> Result<(), Error> {
        match blobs.find(|blob| !self.has_blob(&blob.digest)) {
            Some(missing) => Err(self.not_found(&missing.digest)),
            None => Ok(()),
        }
    }

    fn not_found(&self, digest: &Digest) -> Error {
        Error::NotFound { what: format!("blob {digest}"), place: format!("layout {}", self.root.display()) }
    }
}

/// What a caller that builds an artifact gives as its empty configuration.
pub(crate) fn empty_descriptor() -> Descriptor {
    Descriptor {
        rest: BTreeMap::from([("data".to_owned(), serde_json::Value::from("e30="))]),
        ..Descriptor::new(media::EMPTY, Digest::sha256(b"{}"), 2)
    }
}
