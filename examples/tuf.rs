//! A TUF client: updates metadata and brings targets of any TUF repository, with the command line of tuf-conformance.
//!
//! ```text
//! tuf --metadata-dir DIR init ROOT.json
//! tuf --metadata-dir DIR --metadata-url URL refresh
//! tuf --metadata-dir DIR --metadata-url URL --target-base-url URL --target-dir DIR --target-name PATH download
//! ```
//!
//! The root given to `init` is the anchor: every later run verifies the rest from there. Ends with 0 if all was done, 1 if not.
#![allow(clippy::print_stdout, reason = "a program for the command line")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lotse_examples::trust::{now, read};
use lotse_examples::{chain, fail, replace};
use lotse_sign::tuf::{Cache, File, HttpRepository, Limits, Store, Update};
use lotse_sign::{Client, Error};

#[derive(Parser)]
struct Arguments {
    /// Where trusted metadata is kept.
    #[arg(long)]
    metadata_dir: PathBuf,
    /// Where the repository's metadata is.
    #[arg(long)]
    metadata_url: Option<String>,
    /// Where the repository's targets are.
    #[arg(long)]
    target_base_url: Option<String>,
    /// Where targets are kept.
    #[arg(long)]
    target_dir: Option<PathBuf>,
    /// The path of a target; may be repeated.
    #[arg(long)]
    target_name: Vec<String>,
    /// Certificates in PEM to believe for https.
    #[arg(long)]
    tls_roots: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Begins with a root that is trusted.
    Init {
        /// Its file.
        root: PathBuf,
    },
    /// Brings the metadata up to date.
    Refresh,
    /// Brings the metadata up to date, then the targets.
    Download,
}

/// Metadata and targets in two directories.
struct Directories {
    metadata: Cache,
    targets: Cache,
}

impl Store for Directories {
    fn read(&self, file: &File, limit: usize) -> Result<Option<Vec<u8>>, Error> {
        if file.is_target() { self.targets.read(file, limit) } else { self.metadata.read(file, limit) }
    }

    fn write(&mut self, file: &File, bytes: &[u8]) -> Result<(), Error> {
        if file.is_target() { self.targets.write(file, bytes) } else { self.metadata.write(file, bytes) }
    }

    fn remove(&mut self, file: &File) -> Result<(), Error> {
        if file.is_target() { self.targets.remove(file) } else { self.metadata.remove(file) }
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail("tuf", &chain(&*error), 1),
    }
}

/// Not among the metadata, which the program may replace.
fn anchor(directory: &Path) -> PathBuf {
    directory.join("initial").join("root.json")
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let anchor = anchor(&arguments.metadata_dir);
    if let Command::Init { root } = &arguments.command {
        let root = read(root)?;
        Update::new(&root, now()?, Limits::default())?;
        std::fs::create_dir_all(anchor.parent().unwrap_or(&anchor))?;
        replace(&anchor, &root)?;
        return Ok(());
    }
    let metadata_url = arguments.metadata_url.as_deref().ok_or("give --metadata-url")?;
    let target_url = arguments.target_base_url.as_deref().unwrap_or(metadata_url);
    let roots = arguments.tls_roots.as_deref().map(read).transpose()?;
    let repository = HttpRepository::new(Client::new(roots.as_deref())?, metadata_url, target_url);
    let mut store = Directories {
        metadata: Cache::new(&arguments.metadata_dir),
        targets: Cache::new(arguments.target_dir.as_ref().unwrap_or(&arguments.metadata_dir)),
    };
    let mut update = Update::new(&read(&anchor)?, now()?, Limits::default())?;
    update.run(&mut store, &repository)?;
    if matches!(arguments.command, Command::Download) {
        if arguments.target_name.is_empty() || arguments.target_dir.is_none() {
            return Err("give --target-name and --target-dir".into());
        }
        for name in &arguments.target_name {
            let bytes = update.fetch(name, &mut store, &repository)?;
            println!("{name}: {} bytes", bytes.len());
        }
    }
    let [root, timestamp, snapshot, targets] = update.versions().map(Option::unwrap_or_default);
    println!(
        "root {root}, timestamp {timestamp}, snapshot {snapshot}, targets {targets}; good until {}",
        update.expires()
    );
    Ok(())
}
