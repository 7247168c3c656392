use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use indicatif::ProgressBar;
use lotse_oci::Error;
use lotse_oci::client::{Client, Event, Keyring, Options, Place, PlainHttp, Progress};
use lotse_oci::registry::{self, Registry, Server};

#[derive(Args)]
pub(crate) struct Transfer {
    /// Where the image is.
    from: Place,
    /// Where it goes.
    to: Place,
    /// What refers to the image goes with it: signatures, SBOMs, attestations.
    #[arg(long)]
    referrers: bool,
    #[command(flatten)]
    network: Network,
}

/// How registries are spoken to.
#[derive(Args)]
pub(crate) struct Network {
    /// Speak to the registries that are named without encryption; those on this machine need no word.
    #[arg(long)]
    plain_http: bool,
    /// Docker's or podman's file of credentials.
    #[arg(long, value_name = "FILE")]
    keyring: Option<PathBuf>,
    /// A directory in which an upload that is cut off leaves its state, so that the next call goes on with it.
    #[arg(long, value_name = "DIRECTORY")]
    resume: Option<PathBuf>,
    /// Show no progress.
    #[arg(long)]
    quiet: bool,
}

impl Network {
    pub(crate) fn client(&self, places: &[&Place], referrers: bool) -> Result<Client, Error> {
        let bar = lotse_examples::bytes(self.quiet, 0, "blobs");
        let hosts = places.iter().filter_map(|place| match place {
            Place::Registry(reference) => reference.host().map(str::to_owned),
            _ => None,
        });
        let plain_http =
            if self.plain_http { PlainHttp::Hosts(hosts.collect()) } else { PlainHttp::Loopback };
        Client::new(Options {
            keyring: self.keyring.as_deref().map(Keyring::read).transpose()?.unwrap_or_default(),
            plain_http,
            upload_state: self.resume.clone(),
            referrers,
            progress: Some(Arc::new(move |progress: &Progress| show(&bar, progress))),
            ..Options::default()
        })
    }
}

fn show(bar: &ProgressBar, progress: &Progress) {
    match progress.event {
        Event::Complete => bar.println(format!("{} {} bytes", progress.digest, progress.total)),
        Event::Existed => bar.println(format!("{} was there", progress.digest)),
        Event::Mounted => bar.println(format!("{} mounted", progress.digest)),
        _ => {
            bar.set_length(progress.total);
            bar.set_position(progress.done);
        }
    }
}

impl Transfer {
    pub(crate) fn run(&self, allowed: fn(&Place, &Place) -> bool) -> Result<ExitCode, Error> {
        if !allowed(&self.from, &self.to) {
            let advice =
                "push goes from oci:PATH:TAG to HOST/NAME:TAG, pull the other way; copy takes any two places";
            return Err(Error::Caller(format!("{} to {}: {advice}", self.from, self.to)));
        }
        let client = self.network.client(&[&self.from, &self.to], self.referrers)?;
        let descriptor = client.transfer(&self.from, &self.to)?;
        for warning in client.warnings() {
            eprintln!("image: the registry warns: {warning}");
        }
        println!("{}", descriptor.digest);
        Ok(ExitCode::SUCCESS)
    }
}

pub(crate) fn push(from: &Place, to: &Place) -> bool {
    matches!((from, to), (Place::Layout { .. }, Place::Registry(_)))
}

pub(crate) fn pull(from: &Place, to: &Place) -> bool {
    push(to, from)
}

pub(crate) fn any(_: &Place, _: &Place) -> bool {
    true
}

#[derive(Args)]
pub(crate) struct Serve {
    /// Address and port; 0 is a free port.
    #[arg(long, default_value = "127.0.0.1:0")]
    address: SocketAddr,
    /// Keep blobs in this directory, not in memory.
    #[arg(long)]
    directory: Option<PathBuf>,
}

impl Serve {
    pub(crate) fn run(&self) -> Result<ExitCode, Error> {
        let options = registry::Options { directory: self.directory.clone(), ..registry::Options::default() };
        let server = Server::bind(Arc::new(Registry::new(options)?), self.address)?;
        println!("{}", server.address());
        server.run()?;
        Ok(ExitCode::SUCCESS)
    }
}
