use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use lotse_oci::client::Place;
use lotse_oci::{
    Comparison, EntryKind, Error, FileSystem, Image, Layout, Owners, Platform, SizeChange, SizeReport,
    UnpackOptions, unpack,
};

use crate::transfer::Network;

/// How images are got.
#[derive(Args)]
struct Source {
    /// Which image of an index.
    #[arg(long)]
    platform: Option<Platform>,
    #[command(flatten)]
    network: Network,
}

/// An image where it was, or in a directory that ends with this.
struct Opened {
    layout: Layout,
    image: Image,
    _scratch: tempfile::TempDir,
}

impl Source {
    fn open(&self, place: &Place) -> Result<Opened, Error> {
        let scratch = tempfile::tempdir().map_err(|source| Error::Io {
            action: "make a temporary directory in",
            path: std::env::temp_dir(),
            source,
        })?;
        let (layout, descriptor) = self.network.client(&[place], false)?.at_hand(place, scratch.path())?;
        let image = Image::load(&layout, &layout.choose(&descriptor, self.platform.as_ref())?)?;
        Ok(Opened { layout, image, _scratch: scratch })
    }
}

#[derive(Args)]
pub(crate) struct Ls {
    /// The image.
    image: Place,
    #[command(flatten)]
    source: Source,
}

impl Ls {
    pub(crate) fn run(&self) -> Result<ExitCode, Error> {
        let Opened { layout, image, _scratch } = self.source.open(&self.image)?;
        let mut text = String::new();
        for (path, file) in FileSystem::of(&layout, &image)?.iter() {
            let (kind, target) = match &file.kind {
                EntryKind::Directory => ("d", String::new()),
                EntryKind::Symlink(target) => ("l", format!(" -> {target}")),
                EntryKind::Hardlink(target) => ("h", format!(" = {target}")),
                EntryKind::Special => ("s", String::new()),
                _ => ("-", String::new()),
            };
            text += &format!("{kind} {:04o} {:>12} {path}{target}\n", file.mode, file.size);
        }
        print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub(crate) struct Unpack {
    /// The image.
    image: Place,
    /// The directory, which must not be there yet.
    directory: PathBuf,
    /// Keep owners as the image has them; needs root.
    #[arg(long)]
    owners: bool,
    /// Keep extended attributes.
    #[arg(long)]
    xattrs: bool,
    #[command(flatten)]
    source: Source,
}

impl Unpack {
    pub(crate) fn run(&self) -> Result<ExitCode, Error> {
        let Opened { layout, image, _scratch } = self.source.open(&self.image)?;
        let owners = if self.owners { Owners::Image } else { Owners::Caller };
        let options = UnpackOptions { owners, xattrs: self.xattrs, ..UnpackOptions::default() };
        let report = unpack(&layout, &image, &self.directory, &options)?;
        println!(
            "{} files, {} directories, {} links, {} bytes",
            report.files, report.directories, report.symlinks, report.bytes
        );
        for (path, omission) in &report.left_out {
            eprintln!("image: left out: {path}: {omission:?}");
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub(crate) struct Size {
    /// The image.
    image: Place,
    /// The image that it replaces.
    #[arg(long)]
    before: Option<Place>,
    /// Write a page with a treemap.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print the data.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

impl Size {
    pub(crate) fn run(&self) -> Result<ExitCode, Error> {
        let measure = |place: &Place| -> Result<SizeReport, Error> {
            let opened = self.source.open(place)?;
            SizeReport::of(&opened.layout, &opened.image)
        };
        let report = measure(&self.image)?;
        let before = self.before.as_ref().map(measure).transpose()?;
        if let Some(path) = &self.html {
            let page = report.to_html(&self.image.to_string(), before.as_ref());
            lotse_examples::replace(path, page.as_bytes()).map_err(|source| Error::Io {
                action: "write",
                path: path.clone(),
                source,
            })?;
        }
        let change = before.map(|before| SizeChange::between(&before, &report));
        if self.json {
            print_json(&(&report, &change))?;
            return Ok(ExitCode::SUCCESS);
        }
        for (number, layer) in report.layers.iter().enumerate() {
            println!(
                "layer {number} {}: {} bytes, {} of files, {} hidden",
                layer.digest, layer.compressed, layer.files, layer.hidden
            );
        }
        for directory in report.directories().iter().filter(|directory| !directory.path.contains('/')) {
            println!("{:>12} {} ({} files)", directory.bytes, directory.path, directory.files);
        }
        println!(
            "{:>12} visible, {} transferred, {} twice, {} hidden",
            report.visible(),
            report.compressed(),
            report.duplicated(),
            report.hidden
        );
        if let Some(change) = change {
            for (what, pair) in [("transferred", change.compressed), ("visible", change.visible)] {
                println!("{what}: {} -> {} bytes, {}", pair.0, pair.1, SizeChange::percent(pair));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub(crate) struct Diff {
    /// One image.
    left: Place,
    /// The other.
    right: Place,
    /// Print the data.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

impl Diff {
    pub(crate) fn run(&self) -> Result<ExitCode, Error> {
        let (left, right) = (self.source.open(&self.left)?, self.source.open(&self.right)?);
        let comparison =
            Comparison::of(&left.layout, &left.image.descriptor, &right.layout, &right.image.descriptor)?;
        if self.json {
            print_json(&comparison)?;
        } else {
            print(&comparison.explain())?;
        }
        Ok(ExitCode::from(u8::from(!comparison.is_same())))
    }
}

fn print_json(value: &impl serde::Serialize) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Error::Caller(error.to_string()))?;
    print(&format!("{text}\n"))
}

/// Prints; a reader that has seen enough is no failure.
fn print(text: &str) -> Result<(), Error> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(source) if source.kind() != ErrorKind::BrokenPipe => {
            Err(Error::Io { action: "write", path: "standard output".into(), source })
        }
        _ => Ok(()),
    }
}
