use std::collections::BTreeMap;
use std::io::{BufWriter, Write};

use lotse_digest::{Algorithm, Digest, HashingWriter};

use crate::gzip::GzipWriter;
use crate::tar::write_tar;
use crate::{Descriptor, Error, FileTree, Layout, Manifest, media};

/// A layer that was written: where it is, and what it is without compression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The blob in the layout.
    pub descriptor: Descriptor,
    /// The digest of the tar archive.
    pub diff_id: Digest,
    /// Bytes of the tar archive.
    pub tar_size: u64,
}

/// How the tar of a layer is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// As it is.
    None,
    /// gzip, the same bytes from every build of this version.
    Gzip,
}

impl Layout {
    /// Writes a tree as a layer in one pass: tar, digest of the tar, compression, digest of the blob.
    ///
    /// The bytes follow from the tree, `mtime` (seconds since 1970, given to every entry) and `compression` alone.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Caller`] if a file on disk changed since it was added.
    pub fn write_layer(&self, tree: &FileTree, mtime: u64, compression: Compression) -> Result<Layer, Error> {
        let blob = self.blob_writer()?;
        match compression {
            Compression::None => {
                let (blob, diff_id, tar_size) = archive(tree, mtime, blob)?;
                Ok(Layer { descriptor: blob.finish(media::LAYER)?, diff_id, tar_size })
            }
            Compression::Gzip => {
                let gzip = GzipWriter::new(blob).map_err(Error::io("write", self.path()))?;
                let (gzip, diff_id, tar_size) = archive(tree, mtime, gzip)?;
                let blob = gzip.finish().map_err(Error::io("write", self.path()))?;
                Ok(Layer { descriptor: blob.finish(media::LAYER_GZIP)?, diff_id, tar_size })
            }
        }
    }
}

impl Layout {
    /// Writes a tree as an artifact with one layer of the caller's media type, such as Flux' manifests, and tags it.
    ///
    /// The configuration is `{}` under the caller's type: these clients tell artifacts by it.
    ///
    /// # Errors
    ///
    /// As [`write_layer`](Self::write_layer).
    pub fn write_artifact(
        &self,
        tree: &FileTree,
        config_type: &str,
        layer_type: &str,
        compression: Compression,
        annotations: BTreeMap<String, String>,
        tag: &str,
    ) -> Result<Descriptor, Error> {
        let layer = self.write_layer(tree, 0, compression)?;
        let manifest = Manifest {
            annotations,
            artifact_type: None,
            config: self.write_blob(config_type, b"{}")?,
            layers: vec![Descriptor { media_type: layer_type.to_owned(), ..layer.descriptor }],
            media_type: Some(media::MANIFEST.to_owned()),
            schema_version: 2,
            subject: None,
        };
        let descriptor = self.write_blob(media::MANIFEST, &manifest.to_bytes()?)?;
        self.tag(&descriptor, tag)?;
        Ok(descriptor)
    }
}

/// Writes the archive through a hasher and hands the writer back.
fn archive<W: Write>(tree: &FileTree, mtime: u64, out: W) -> Result<(W, Digest, u64), Error> {
    let hashing = HashingWriter::new(out, Algorithm::Sha256);
    let mut buffered = BufWriter::with_capacity(256 << 10, hashing);
    write_tar(tree, mtime, &mut buffered)?;
    let failed = |error: std::io::IntoInnerError<_>| Error::io("write", "layer".as_ref())(error.into_error());
    let (diff_id, tar_size, out) = buffered.into_inner().map_err(failed)?.finish();
    Ok((out, diff_id, tar_size))
}
