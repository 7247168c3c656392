use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use lotse_oci::client::{Client, Options, Place};
use lotse_oci::{
    Compression, Error, FileTree, Image, ImageBuilder, ImageConfig, Layer, LayerOptions, Layout, Limits,
    Platform,
};

#[derive(Args)]
pub(crate) struct Build {
    /// The directory that becomes the root of the image.
    directory: PathBuf,
    /// Where the image goes: oci:PATH:TAG, the layout made if it is not there.
    #[arg(long)]
    to: Place,
    /// The image that it is built on, from a layout or a registry.
    #[arg(long)]
    base: Option<Place>,
    /// Files below this path get a layer of their own, below the others; may be given again.
    #[arg(long, value_name = "PATH")]
    layer: Vec<String>,
    /// The machine it is for.
    #[arg(long, default_value = "linux/amd64")]
    platform: Platform,
    /// The program, one word each time.
    #[arg(long, value_name = "WORD")]
    entrypoint: Vec<String>,
    /// Arguments, one word each time.
    #[arg(long, value_name = "WORD")]
    cmd: Vec<String>,
    /// Variables, NAME=value.
    #[arg(long)]
    env: Vec<String>,
    /// User and group, best by number.
    #[arg(long)]
    user: Option<String>,
    /// Ports, such as 8080/tcp.
    #[arg(long)]
    port: Vec<String>,
    /// Labels, name=value.
    #[arg(long, value_parser = pair)]
    label: Vec<(String, String)>,
    /// Annotations of the manifest, name=value.
    #[arg(long, value_parser = pair)]
    annotation: Vec<(String, String)>,
    /// When it was created (RFC 3339): the commit's time, never now.
    #[arg(long)]
    created: Option<String>,
    /// The time of every file, in seconds since 1970.
    #[arg(long, default_value_t = 0)]
    mtime: u64,
    /// Store layers as they are.
    #[arg(long)]
    plain: bool,
    /// How many threads compress; all that the machine has if it is not given.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Show no progress.
    #[arg(long)]
    quiet: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is not like name=value")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Build {
    pub(crate) fn run(&self) -> Result<ExitCode, Error> {
        let Place::Layout { path, tag } = &self.to else {
            return Err(Error::Caller(format!("{} is a registry; build into a layout and push", self.to)));
        };
        let layout = Layout::create(path, Limits::default())?;
        let mut rest = FileTree::new();
        rest.add_from_disk(&self.directory, "", &|_| true)?;
        let mut trees: Vec<(&str, FileTree)> = Vec::new();
        for path in &self.layer {
            let below = format!("{}/", path.trim_matches('/'));
            trees.push((path, rest.split_off(|file| file.starts_with(&below))));
        }
        trees.push(("the rest", rest));

        let total = trees.iter().map(|(_, tree)| tree.bytes()).sum();
        let bar = lotse_examples::bytes(self.quiet, total, "build");
        let mut builder = match &self.base {
            Some(base) => {
                let client = Client::new(Options::default())?;
                client.transfer(base, &Place::Layout { path: path.clone(), tag: format!("{tag}-base") })?;
                let base = layout.choose(&layout.resolve(&format!("{tag}-base"))?, Some(&self.platform))?;
                ImageBuilder::from_base(&Image::load(&layout, &base)?)
            }
            None => ImageBuilder::scratch(&self.platform),
        };
        let compression = if self.plain { Compression::None } else { Compression::Gzip };
        let told = |bytes| bar.inc(bytes);
        let mut options = LayerOptions::new(compression, self.mtime).progress(&told);
        if let Some(threads) = self.threads {
            options = options.threads(threads);
        }
        for (name, tree) in trees {
            let layer: Layer = layout.write_layer(&tree, &options)?;
            builder = builder.layer(&layer, &format!("copy {name}"));
        }
        for (name, value) in &self.annotation {
            builder = builder.annotation(name, value);
        }
        builder = builder.configure(|config| self.configure(config));
        if let Some(time) = &self.created {
            builder = builder.created(time);
        }
        let image = builder.write(&layout, tag)?;
        bar.finish_and_clear();
        println!("{}", image.descriptor.digest);
        Ok(ExitCode::SUCCESS)
    }

    fn configure(&self, image: &mut ImageConfig) {
        let config = &mut image.config;
        if !self.entrypoint.is_empty() {
            config.entrypoint = Some(self.entrypoint.clone());
        }
        if !self.cmd.is_empty() {
            config.cmd = Some(self.cmd.clone());
        }
        if !self.env.is_empty() {
            config.env.get_or_insert_default().extend(self.env.iter().cloned());
        }
        if self.user.is_some() {
            config.user.clone_from(&self.user);
        }
        config.exposed_ports.extend(self.port.iter().map(|port| (port.clone(), lotse_oci::Empty::default())));
        config.labels.extend(self.label.iter().cloned());
    }
}
