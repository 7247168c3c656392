//! Walks the chain between a commit and a running container from any end, and names the first broken link.
#![allow(clippy::print_stdout, reason = "an example talks to people")]

mod release;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use lotse_examples::fail;
use lotse_provenance::{Chain, ChainRules, Evidence, KeyVerifier, LinkState, RepositoryIdentity, Start};
use lotse_sign::{Checkpoint, SignedNote, VerifyingKey};

/// Walks the chain between a commit and what runs. SOURCE is an evidence archive, or a release's directory, from which evidence is
/// gathered. Exit code 0: every link that could be judged holds; 1: a link is broken; 2: wrong call or unreadable.
#[derive(Parser)]
struct Arguments {
    /// An evidence archive, or the directory of a release.
    source: PathBuf,
    /// The public key that must have signed, PEM.
    #[arg(long)]
    key: PathBuf,
    /// Begin at a pod's imageID.
    #[arg(long, group = "start")]
    image_id: Option<String>,
    /// Begin at a reference in a registry.
    #[arg(long, group = "start")]
    image: Option<String>,
    /// Begin at a commit.
    #[arg(long, group = "start")]
    commit: Option<String>,
    /// Begin at a manifest in Git.
    #[arg(long, group = "start")]
    manifest: Option<String>,
    /// The image of a release to gather evidence of, if it has several: a component's name.
    #[arg(long)]
    component: Option<String>,
    /// A Git repository that tells of the commit.
    #[arg(long)]
    repository: Option<PathBuf>,
    /// The repository that must have been built, by URL.
    #[arg(long)]
    built_from: Option<String>,
    /// How the image's repository must be spelt.
    #[arg(long)]
    image_repository: Option<String>,
    /// The pods' namespace.
    #[arg(long)]
    namespace: Option<String>,
    /// The nodes' platform, `linux/amd64`.
    #[arg(long)]
    platform: Option<String>,
    /// The log's public key, PEM; without it the one that signed.
    #[arg(long)]
    log_key: Option<PathBuf>,
    /// The log's name; without it whatever the proof says, which is then shown.
    #[arg(long)]
    log_origin: Option<String>,
    /// A checkpoint that was seen elsewhere.
    #[arg(long)]
    seen: Vec<PathBuf>,
    /// Accept self-hosted runners.
    #[arg(long)]
    allow_self_hosted: bool,
    /// Write the evidence to one file that others can check offline.
    #[arg(long)]
    archive: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(message) => fail("walk", &message, 2),
    }
}

fn run(arguments: &Arguments) -> Result<u8, String> {
    let key = VerifyingKey::from_pem(&text(&arguments.key)?).map_err(|error| error.to_string())?;
    let log_key = match &arguments.log_key {
        Some(path) => VerifyingKey::from_pem(&text(path)?).map_err(|error| error.to_string())?,
        None => key.clone(),
    };
    let (start, evidence) = if arguments.source.is_dir() {
        release::gather(&arguments.source, arguments.component.as_deref(), arguments.repository.as_deref())?
    } else {
        let bytes = fs::read(&arguments.source)
            .map_err(|error| format!("{}: {error}", arguments.source.display()))?;
        Evidence::from_archive(&bytes).map_err(|error| error.to_string())?
    };
    let given = [
        arguments.image_id.clone().map(Start::ImageId),
        arguments.image.clone().map(Start::Reference),
        arguments.commit.clone().map(Start::Commit),
        arguments.manifest.clone().map(Start::Manifest),
    ];
    let start = given.into_iter().flatten().next().unwrap_or(start);
    let mut seen = Vec::new();
    for path in &arguments.seen {
        let note = SignedNote::parse(&text(path)?).map_err(|error| error.to_string())?;
        seen.push(Checkpoint::parse(note.unverified_text()).map_err(|error| error.to_string())?);
    }
    let verifier = KeyVerifier(&key);
    let origin = arguments.log_origin.clone().or_else(|| release::origin(&evidence));
    let identity =
        arguments.built_from.clone().map(|uri| RepositoryIdentity { uri, id: None, owner_id: None });
    let mut rules = ChainRules::new(&verifier);
    rules.repository = identity.as_ref();
    rules.image_repository = arguments.image_repository.as_deref();
    rules.namespace = arguments.namespace.as_deref();
    rules.platform = arguments.platform.as_deref();
    rules.allow_self_hosted = arguments.allow_self_hosted;
    rules.log = origin.as_deref().map(|origin| (origin, &log_key));
    rules.seen = &seen;
    let chain = Chain::walk(&start, &evidence, &rules);
    if let Some(path) = &arguments.archive {
        let archive = evidence.to_archive(&start).map_err(|error| error.to_string())?;
        lotse_examples::replace(path, &archive).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    if arguments.json {
        println!("{}", json(&chain));
    } else {
        print(&chain);
    }
    Ok(u8::from(chain.broken().is_some()))
}

fn print(chain: &Chain) {
    for link in &chain.links {
        println!("{link}");
    }
    let image = chain.image.as_ref().map_or("no image".to_owned(), ToString::to_string);
    let commit = chain.commit.as_deref().unwrap_or("no commit");
    let verdict = match (chain.broken(), chain.missing().count()) {
        (Some(link), _) => format!("broken at link {}, {}", link.kind.number(), link.kind),
        (None, 0) => "whole".to_owned(),
        (None, missing) => format!("holds as far as it could be judged; {missing} links have no evidence"),
    };
    println!("\n{image}\n{commit}\n{verdict}");
}

fn json(chain: &Chain) -> serde_json::Value {
    let links: Vec<_> = chain
        .links
        .iter()
        .map(|link| {
            let (state, text) = match &link.state {
                LinkState::Holds(text) => ("holds", text.as_str()),
                LinkState::Broken(text) => ("broken", text.as_str()),
                LinkState::Missing(text) => ("missing", text.as_str()),
                _ => ("not reached", ""),
            };
            serde_json::json!({"link": link.kind.number(), "name": link.kind.to_string(), "state": state, "text": text})
        })
        .collect();
    serde_json::json!({
        "image": chain.image.as_ref().map(ToString::to_string),
        "commit": chain.commit,
        "broken": chain.broken().map(|link| link.kind.number()),
        "whole": chain.is_whole(),
        "links": links,
    })
}

fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
