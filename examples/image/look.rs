use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use lotse_oci::client::Place;
use lotse_oci::{EntryKind, Error, FileSystem, Image, Layout, Platform, SizeReport};

use crate::transfer::Network;

/// An image to be looked at.
#[derive(Args)]
struct Source {
    /// Where it is.
    image: Place,
    /// Which image of an index.
    #[arg(long)]
    platform: Option<Platform>,
    #[command(flatten)]
    network: Network,
}

impl Source {
    /// Opens an image where it is, or pulls it into a directory of its own that ends with what is returned.
    fn open(&self, place: &Place) -> Result<(tempfile::TempDir, Layout, Image), Error> {
        let scratch = tempfile::tempdir().map_err(|source| Error::Io {
            action: "make a temporary directory in",
            path: std::env::temp_dir(),
            source,
        })?;
        let (layout, descriptor) = self.network.client(false)?.at_hand(place, scratch.path())?;
        let image = Image::load(&layout, &layout.choose(&descriptor, self.platform.as_ref())?)?;
        Ok((scratch, layout, image))
    }
}

#[derive(Args)]
pub(crate) struct Ls {
    #[command(flatten)]
    source: Source,
}

impl Ls {
    pub(crate) fn run(&self) -> Result<ExitCode, Error> {
        let (_scratch, layout, image) = self.source.open(&self.source.image)?;
        for (path, file) in FileSystem::of(&layout, &image)?.iter() {
            let (kind, target) = match &file.kind {
                EntryKind::Directory => ("d", String::new()),
                EntryKind::Symlink(target) => ("l", format!(" -> {target}")),
                EntryKind::Hardlink(target) => ("h", format!(" = {target}")),
                EntryKind::Special => ("s", String::new()),
                _ => ("-", String::new()),
            };
            println!("{kind} {:04o} {:>12} {path}{target}", file.mode, file.size);
        }
        Ok(ExitCode::SUCCESS)
    }
}
