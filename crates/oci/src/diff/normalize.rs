use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::tree::{FileTree, Kind, Source};
use crate::{
    Compression, Descriptor, EntryKind, Error, Image, Layer, LayerEntry, LayerOptions, Layout, Manifest,
    media, visit_layer,
};

/// What an image is rewritten to. Plain data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NormalizeOptions<'a> {
    /// The time of every file, in seconds since 1970.
    pub mtime: u64,
    /// The time of creation in the configuration and its history (RFC 3339); without it both say none.
    pub created: Option<&'a str>,
    /// How the layers are stored.
    pub compression: Compression,
}

/// Rewrites an image by the canonical rules of this crate: two builds of the same files become one digest, whatever builder, clock,
/// user and machine they come from.
///
/// Layers keep their number and their files. Every file gets the same time, owner 0:0 and mode 0644, or 0755 if its owner may
/// execute it (directories too); the entries are in canonical order and form, the blobs from the frozen encoder. Of the
/// configuration only times and Docker's `container` and `container_config` (they name a container of the build) are changed.
/// Contents pass through temporary files in the layout `into`, which nothing refers to if the process ends.
///
/// # Errors
///
/// Those of [`Image::visit`]; [`Error::Unsupported`] for devices and for hard links into lower layers, which a canonical layer
/// cannot hold; [`Error::Io`].
pub fn normalize(
    layout: &Layout,
    image: &Image,
    into: &Layout,
    options: &NormalizeOptions<'_>,
    tag: &str,
) -> Result<Image, Error> {
    let mut manifest = Manifest {
        media_type: Some(media::MANIFEST.to_owned()),
        layers: Vec::new(),
        ..image.manifest.clone()
    };
    let mut config = image.config.clone();
    config.rootfs.diff_ids.clear();
    for (number, (descriptor, diff_id)) in
        image.manifest.layers.iter().zip(&image.config.rootfs.diff_ids).enumerate()
    {
        let mut spool = Spool::new(into)?;
        let mut tree = FileTree::new();
        let blob = layout.open_blob(descriptor)?;
        let mut add = |entry: &mut LayerEntry<'_>| add(&mut tree, &mut spool, entry);
        let (actual, length) = visit_layer(blob, &descriptor.media_type, number, layout.limits(), &mut add)?;
        if actual != *diff_id {
            return Err(lotse_digest::Mismatch { expected: diff_id.clone(), actual, length }.into());
        }
        let layer: Layer = into.write_layer(&tree, &LayerOptions::new(options.compression, options.mtime))?;
        let annotations = descriptor.annotations.clone();
        manifest.layers.push(Descriptor { annotations, ..layer.descriptor });
        config.rootfs.diff_ids.push(layer.diff_id);
    }
    config.created = options.created.map(str::to_owned);
    for history in &mut config.history {
        history.created = options.created.map(str::to_owned);
    }
    config.rest.remove("container");
    config.rest.remove("container_config");
    manifest.config = into.write_blob(media::CONFIG, &config.to_bytes()?)?;
    let mut descriptor = into.write_blob(media::MANIFEST, &manifest.to_bytes()?)?;
    descriptor.platform = image.descriptor.platform.clone();
    into.tag(&descriptor, tag)?;
    Ok(Image { descriptor, manifest, config })
}

/// Puts one entry into the tree of its layer.
fn add(tree: &mut FileTree, spool: &mut Spool, entry: &mut LayerEntry<'_>) -> Result<(), Error> {
    let path = entry.path().to_owned();
    if path.is_empty() {
        return Ok(());
    }
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
    if name == ".wh..wh..opq" {
        return tree.opaque(parent);
    }
    if let Some(hidden) = name.strip_prefix(".wh.") {
        let hidden = if parent.is_empty() { hidden.to_owned() } else { format!("{parent}/{hidden}") };
        return tree.whiteout(&hidden);
    }
    let executable = entry.mode() & 0o100 != 0;
    match entry.kind() {
        EntryKind::Directory => tree.directory(&path)?,
        EntryKind::Symlink(to) => tree.symlink(&path, &to)?,
        EntryKind::Hardlink(to) => tree.hardlink(&path, &to).map_err(|_| Error::Unsupported {
            what: format!("hard link {path:?} to {to:?} of a lower layer"),
            advice: "a canonical layer cannot hold it; flatten the image first",
        })?,
        EntryKind::File => {
            let source = spool.take(entry)?;
            tree.insert(&path, Kind::File(source, None), if executable { 0o755 } else { 0o644 })?;
        }
        EntryKind::Special => {
            return Err(Error::Unsupported {
                what: format!("device or FIFO {path:?}"),
                advice: "a canonical layer cannot hold it; remove it from the image",
            });
        }
    }
    let xattrs = entry.xattrs().clone();
    xattrs.iter().try_for_each(|(name, value)| tree.set_xattr(&path, name, value))
}

/// Contents between reading and writing a layer: small ones in memory, large ones in files that go when this does.
struct Spool {
    directory: PathBuf,
    files: u64,
}

/// Contents up to this size stay in memory.
const SMALL: u64 = 4 << 10;

impl Spool {
    fn new(layout: &Layout) -> Result<Self, Error> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = layout.path().join(format!(".lotse-tmp-normalize-{}-{number}", std::process::id()));
        fs::create_dir(&directory).map_err(Error::io("create", &directory))?;
        Ok(Self { directory, files: 0 })
    }

    fn take(&mut self, entry: &mut LayerEntry<'_>) -> Result<Source, Error> {
        let size = entry.size();
        if size <= SMALL {
            return Ok(Source::Bytes(entry.read()?.into()));
        }
        let path = self.directory.join(self.files.to_string());
        self.files += 1;
        let mut file = BufWriter::new(File::create(&path).map_err(Error::io("create", &path))?);
        entry.copy_to(&mut file)?;
        file.flush().map_err(Error::io("write", &path))?;
        Ok(Source::Disk { path, size })
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // The layer is written, or an error is under way: nothing to add here.
        let _ = fs::remove_dir_all(&self.directory);
    }
}
