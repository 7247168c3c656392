use std::io::{BufWriter, Write};
use std::num::NonZeroUsize;

use lotse_digest::{Algorithm, Digest, HashingWriter};

use crate::tar::write_tar;
use crate::{Descriptor, Error, FileTree, GzipWriter, Layout, media};

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
    /// As it is. Frozen with `lotse-layer/1`.
    None,
    /// gzip by the encoder of `lotse-layer/1`: the same bytes from every version of this crate.
    Gzip,
    /// Zstandard at one of libzstd's levels, 1 to 22. **Not frozen**: the bytes are those of the libzstd that is linked, and
    /// another version may give others, hence another image digest.
    #[cfg(feature = "zstd")]
    Zstd(i32),
}

/// How a layer is written. Of these only times and compression show in its bytes.
#[derive(Clone, Copy)]
pub struct LayerOptions<'a> {
    compression: Compression,
    mtime: u64,
    threads: NonZeroUsize,
    progress: &'a dyn Fn(u64),
}

impl<'a> LayerOptions<'a> {
    /// Every entry gets `mtime`, in seconds since 1970. Compression uses all threads that the machine offers.
    #[must_use]
    pub fn new(compression: Compression, mtime: u64) -> Self {
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { compression, mtime, threads, progress: &|_| {} }
    }

    /// How many threads compress, the calling one among them.
    #[must_use]
    pub const fn threads(self, threads: NonZeroUsize) -> Self {
        Self { threads, ..self }
    }

    /// What is told of the bytes of files as they are read.
    #[must_use]
    pub const fn progress(self, progress: &'a dyn Fn(u64)) -> Self {
        Self { progress, ..self }
    }
}

impl Layout {
    /// Writes a tree as a layer in one pass: tar, digest of the tar, compression, digest of the blob. Memory does not grow
    /// with the size of the files.
    ///
    /// The bytes are those of `lotse-layer/1` (`CANONICAL.md` beside this crate) and follow from the tree, the time and the
    /// compression alone.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Caller`] if a file on disk changed since it was added.
    pub fn write_layer(&self, tree: &FileTree, options: &LayerOptions<'_>) -> Result<Layer, Error> {
        let blob = self.blob_writer()?;
        let failed = |error| Error::io("write", self.path())(error);
        let (blob, diff_id, tar_size, media_type) = match options.compression {
            Compression::None => {
                let (blob, diff_id, tar_size) = archive(tree, options, blob)?;
                (blob, diff_id, tar_size, media::LAYER)
            }
            Compression::Gzip => {
                let (gzip, diff_id, tar_size) =
                    archive(tree, options, GzipWriter::new(blob, options.threads))?;
                (gzip.finish().map_err(failed)?, diff_id, tar_size, media::LAYER_GZIP)
            }
            #[cfg(feature = "zstd")]
            Compression::Zstd(level) => {
                let mut zstd = zstd::Encoder::new(blob, level).map_err(failed)?;
                zstd.include_checksum(true).map_err(failed)?;
                let (zstd, diff_id, tar_size) = archive(tree, options, zstd)?;
                (zstd.finish().map_err(failed)?, diff_id, tar_size, media::LAYER_ZSTD)
            }
        };
        Ok(Layer { descriptor: blob.finish(media_type)?, diff_id, tar_size })
    }
}

/// Writes the archive through a hasher and hands the writer back.
fn archive<W: Write>(tree: &FileTree, options: &LayerOptions<'_>, out: W) -> Result<(W, Digest, u64), Error> {
    let hashing = HashingWriter::new(out, Algorithm::Sha256);
    let mut buffered = BufWriter::with_capacity(256 << 10, hashing);
    write_tar(tree, options.mtime, &mut buffered, options.progress)?;
    let failed = |error: std::io::IntoInnerError<_>| Error::io("write", "layer".as_ref())(error.into_error());
    let (diff_id, tar_size, out) = buffered.into_inner().map_err(failed)?.finish();
    Ok((out, diff_id, tar_size))
}
