//! Makes a base image in an OCI layout from a directory of plain files.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to people")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use lotse_oci::{Compression, FileTree, ImageBuilder, LayerOptions, Layout, Limits, Platform};

/// Makes a base image in an OCI layout from a directory of plain files.
#[derive(Parser)]
struct Arguments {
    /// The directory with the files of the image.
    files: PathBuf,
    /// The tag in the layout.
    #[arg(long)]
    tag: String,
    /// User and group that the image runs as, by number.
    #[arg(long)]
    user: String,
    /// The layout, made if it is not there.
    #[arg(long)]
    to: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(digest) => {
            println!("{digest}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("base_image: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<String, lotse_oci::Error> {
    let layout = Layout::create(&arguments.to, Limits::default())?;
    let mut tree = FileTree::new();
    tree.add_from_disk(&arguments.files, "", &|_| true)?;
    let layer = layout.write_layer(&tree, &LayerOptions::new(Compression::Gzip, 0))?;
    let image = ImageBuilder::scratch(&Platform::new("linux", "amd64"))
        .layer(&layer, "stand-in for a base image, made from plain files")
        .configure(|config| config.config.user = Some(arguments.user.clone()))
        .annotation("org.opencontainers.image.title", "stand-in")
        .write(&layout, &arguments.tag)?;
    layout.sweep()?;
    Ok(format!("{}@{}", arguments.tag, image.descriptor.digest))
}
