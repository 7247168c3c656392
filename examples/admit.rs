//! Judges an image by ClusterImagePolicy as the Sigstore Policy Controller does, or lints the policies.
#![allow(clippy::print_stdout, reason = "a program for the command line")]

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use lotse_digest::{Digest, Reference};
use lotse_examples::trust::now;
use lotse_examples::{chain, fail};
use lotse_oci::client::{Client, Options, PlainHttp};
use lotse_oci::{Descriptor, Error as OciError, Index, Layout, Limits};
use lotse_sign::policy::{
    Admission, AdmissionVerdict, Decision, ImageName, ImageRegistry, NoMatch, PolicySet, ReadOptions,
    Resource, lint_policies, parse_trust_root,
};
use lotse_sign::{Time, TrustedRoot};

/// Judges an image: 0 admitted, 1 refused, 2 wrong call or unreadable input, 3 undecided. With --lint: 0 no finding, 1 findings.
#[derive(Parser)]
struct Call {
    /// Files with policies.
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    policy: Vec<PathBuf>,
    /// A directory with an OCI layout that holds the image and what is attached to it; IMAGE is then the name that a pod would use.
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "registry")]
    layout: Option<PathBuf>,
    /// The host of a registry that holds them.
    #[arg(long, value_name = "HOST")]
    registry: Option<String>,
    /// Speak to the registry without encryption; one on this machine needs no word.
    #[arg(long)]
    plain_http: bool,
    /// A trusted root in JSON or a TrustRoot in YAML, by the name that trustRootRef uses; an empty name is the public good instance.
    #[arg(long, value_name = "NAME=FILE")]
    trust_root: Vec<String>,
    /// The manifest of the object that wants to run the image.
    #[arg(long, value_name = "FILE")]
    resource: Option<PathBuf>,
    /// What becomes of an image that no policy covers.
    #[arg(long, value_enum, default_value = "deny")]
    no_match: Uncovered,
    /// Look the tag up first and judge the name with its digest, as a cluster's webhook does.
    #[arg(long)]
    pin: bool,
    /// As of when, in RFC 3339; without it, now.
    #[arg(long)]
    at: Option<Time>,
    /// Look for what the policies do not check, and judge no image.
    #[arg(long)]
    lint: bool,
    /// The image.
    #[arg(required_unless_present = "lint")]
    image: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Uncovered {
    Deny,
    Warn,
    Allow,
}

fn main() -> ExitCode {
    match run(&Call::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => fail("admit", &chain(&*error), 2),
    }
}

fn run(call: &Call) -> Result<u8, Box<dyn Error>> {
    if call.lint {
        return lint(call);
    }
    let mut policies = Vec::new();
    for path in &call.policy {
        let set = PolicySet::parse(&fs::read_to_string(path)?, ReadOptions::default())
            .map_err(|error| format!("{}: {error}", path.display()))?;
        for warning in set.warnings() {
            println!("warning: {}: {}: {}", path.display(), warning.message, warning.paths.join(", "));
        }
        policies.extend(set.policies().iter().cloned());
    }
    let no_match = match call.no_match {
        Uncovered::Deny => NoMatch::Deny,
        Uncovered::Warn => NoMatch::Warn,
        Uncovered::Allow => NoMatch::Allow,
    };
    let mut admission = Admission::new(call.at.map_or_else(now, Ok)?, no_match);
    for named in &call.trust_root {
        let (name, path) = named.split_once('=').ok_or("--trust-root wants NAME=FILE")?;
        let text = fs::read_to_string(path)?;
        let root = if text.trim_start().starts_with('{') {
            TrustedRoot::parse(text.as_bytes())?
        } else {
            parse_trust_root(&text)?.1
        };
        admission = admission.with_root(name, root);
    }
    let resource = match &call.resource {
        Some(path) => Some(Resource::parse(&fs::read_to_string(path)?)?),
        None => None,
    };
    let image = call.image.as_deref().unwrap_or_default();
    let (image, store) = open(call, image)?;
    let image = if call.pin { pinned(&image, &store)? } else { image };
    let verdict = admission.judge(&policies, &image, resource.as_ref(), &store);
    print(&image, &verdict);
    Ok(match verdict.decision {
        Decision::Admitted => 0,
        Decision::Refused => 1,
        _ => 3,
    })
}

fn lint(call: &Call) -> Result<u8, Box<dyn Error>> {
    let mut count = 0;
    for path in &call.policy {
        let findings = lint_policies(&fs::read_to_string(path)?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        count += findings.len();
        for finding in findings {
            println!("{}:{finding}", path.display());
        }
    }
    Ok(u8::from(count > 0))
}

fn print(image: &str, verdict: &AdmissionVerdict) {
    println!("{image}\n{verdict}");
    for policy in &verdict.policies {
        let mode = if policy.warn { " (warns only)" } else { "" };
        println!("policy {}{mode}: {}", policy.name, word(policy.decision));
        for authority in &policy.authorities {
            let reason =
                if authority.message.is_empty() { String::new() } else { format!(": {}", authority.message) };
            println!("  authority {}: {}{reason}", authority.name, word(authority.decision));
        }
    }
}

const fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Admitted => "admitted",
        Decision::Refused => "refused",
        _ => "undecided",
    }
}

/// The image's name with its host, and where it is.
fn open(call: &Call, image: &str) -> Result<(String, Store), Box<dyn Error>> {
    if let Some(path) = &call.layout {
        return Ok((image.to_owned(), Store::Layout(Layout::open(path, Limits::default())?)));
    }
    let name = match &call.registry {
        Some(host) if !image.starts_with(&format!("{host}/")) => format!("{host}/{image}"),
        _ => image.to_owned(),
    };
    let host = ImageName::parse(&name)?.registry().to_owned();
    let plain_http = if call.plain_http { PlainHttp::Hosts([host].into()) } else { PlainHttp::Loopback };
    let client = Client::new(Options { plain_http, ..Options::default() })?;
    Ok((name, Store::Registry(Box::new(client))))
}

fn pinned(image: &str, store: &Store) -> Result<String, Box<dyn Error>> {
    let name = ImageName::parse(image)?;
    let Some(tag) = name.tag() else { return Ok(image.to_owned()) };
    let manifest = store.manifest(&name.repository(), tag)?.ok_or_else(|| format!("{name} is not there"))?;
    Ok(format!("{name}@{}", Digest::sha256(&manifest)))
}

/// Where images are: one layout for every repository, or registries.
enum Store {
    Layout(Layout),
    Registry(Box<Client>),
}

impl ImageRegistry for Store {
    fn manifest(&self, repository: &str, reference: &str) -> Result<Option<Vec<u8>>, String> {
        let found = match self {
            Self::Layout(layout) => {
                let found = match reference.parse() {
                    Ok(digest) => layout.find(&digest),
                    Err(_) => layout.resolve(reference),
                };
                found.and_then(|descriptor| layout.read_blob(&descriptor))
            }
            Self::Registry(client) => {
                let separator = if reference.contains(':') { '@' } else { ':' };
                client
                    .manifest(&name(&format!("{repository}{separator}{reference}"))?)
                    .map(|document| document.bytes)
            }
        };
        absent(found)
    }

    fn blob(&self, repository: &str, digest: &Digest, size: u64) -> Result<Option<Vec<u8>>, String> {
        let descriptor = Descriptor::new("application/octet-stream", digest.clone(), size);
        absent(match self {
            Self::Layout(layout) if !layout.has_blob(digest) => return Ok(None),
            Self::Layout(layout) => layout.read_blob(&descriptor),
            Self::Registry(client) => {
                client.blob(&name(&format!("{repository}@{digest}"))?, &descriptor, size)
            }
        })
    }

    fn referrers(&self, repository: &str, digest: &Digest) -> Result<Option<Vec<u8>>, String> {
        let descriptors = match self {
            Self::Layout(layout) => layout
                .referrers(digest)
                .map(|found| found.into_iter().map(|referrer| referrer.descriptor).collect()),
            Self::Registry(client) => client.referrers(&name(&format!("{repository}@{digest}"))?, None),
        };
        absent(descriptors.and_then(|descriptors| Index::new(descriptors).to_bytes()))
    }
}

fn name(text: &str) -> Result<Reference, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

fn absent<T>(found: Result<T, OciError>) -> Result<Option<T>, String> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(OciError::NotFound { .. }) => Ok(None),
        Err(OciError::Registry(refusal)) if refusal.status == 404 => Ok(None),
        Err(error) => Err(chain(&error)),
    }
}
