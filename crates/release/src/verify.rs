use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lotse_digest::{Digest, Reference};
use lotse_gitops_manifest::find_images;
use lotse_oci::{Image, Layout, Limits};
use lotse_provenance::{
    Chain, ChainRules, Event, Evidence, GitFacts, KeyVerifier, LinkKind, LinkState, Log, LogEvidence,
};
use lotse_sign::{Bundle, VerifyingKey};
use lotse_yaml::{Value, parse_json, value};

use crate::error::chain;
use crate::output::digests;
use crate::run::origin;
use crate::{Error, Progress};

/// What to verify, and from where to walk back.
#[derive(Clone, Debug)]
pub struct VerifyRequest {
    /// The directory of the release.
    pub release: PathBuf,
    /// The public key that must have signed, as PEM. Without one the release's own is taken, which proves integrity only.
    pub key: Option<String>,
    /// Where to begin; every image of the manifests if absent.
    pub from: Option<Start>,
    /// A Git repository that must have the commit.
    pub repository: Option<PathBuf>,
}

/// Where the walk back begins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Start {
    /// A pod's image id or an image reference: whatever holds a digest.
    Image(String),
    /// A manifest.
    Manifest(PathBuf),
}

impl VerifyRequest {
    /// A request for everything in a release's directory.
    #[must_use]
    pub fn new(release: impl Into<PathBuf>) -> Self {
        Self { release: release.into(), key: None, from: None, repository: None }
    }

    /// Takes the public key from a file.
    ///
    /// # Errors
    ///
    /// [`Error::Caller`] if it cannot be read.
    pub fn read_key(&mut self, key: Option<&Path>) -> Result<(), Error> {
        if let Some(path) = key {
            let pem = fs::read_to_string(path)
                .map_err(|error| Error::Caller(format!("key {}: {error}", path.display())))?;
            self.key = Some(pem);
        }
        Ok(())
    }
}

/// What a verification found: every step that holds, and the first that does not. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The steps in the order in which they were walked; behind a broken one nothing was walked.
    pub steps: Vec<VerifiedStep>,
    /// The commit that everything leads to, if it does.
    pub commit: Option<String>,
    /// Whether the key came from the caller; if not, whoever changed the release could have changed the key.
    pub key_given: bool,
}

/// One step of a verification. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedStep {
    /// The link, such as `log` or `image app`.
    pub link: String,
    /// What was proved, or why it is broken.
    pub text: String,
    /// Whether it holds.
    pub holds: bool,
}

impl Verification {
    /// The steps as a table that a person can read.
    #[must_use]
    pub fn to_table(&self) -> String {
        let width = self.steps.iter().map(|step| step.link.len()).max().unwrap_or(0);
        let mut table = String::new();
        for step in &self.steps {
            let state = if step.holds { "holds " } else { "BROKEN" };
            table.push_str(&format!("{state}  {:width$}  {}\n", step.link, step.text));
        }
        match (self.broken(), &self.commit) {
            (Some(step), _) => table.push_str(&format!("\nThe first broken link: {}\n", step.link)),
            (None, Some(commit)) => table.push_str(&format!("\nEverything holds, back to commit {commit}\n")),
            (None, None) => table.push_str(
                "\nEverything holds; no image of the release was built here, so no commit is reached\n",
            ),
        }
        if !self.key_given {
            table.push_str("The key is the release's own: this proves integrity, not origin\n");
        }
        table
    }

    /// The verification for machines.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let step =
            |step: &VerifiedStep| value!({ "link": &step.link, "holds": step.holds, "text": &step.text });
        value!({
            "broken": self.broken().map(|step| step.link.as_str()),
            "commit": self.commit.as_deref(),
            "keyGiven": self.key_given,
            "steps": self.steps.iter().map(step).collect::<Value>(),
        })
    }

    /// The first broken link, or `None` if everything holds.
    #[must_use]
    pub fn broken(&self) -> Option<&VerifiedStep> {
        self.steps.iter().find(|step| !step.holds)
    }
}

/// The steps that progress is reported in.
const STEPS: usize = 5;

/// Verifies a release from its files alone, from a pod's image id or a manifest back to the commit.
///
/// A broken link is no error: the verification names it.
///
/// # Errors
///
/// [`Error::Caller`] if the directory holds no release, or the key or start are not usable.
pub fn verify(request: &VerifyRequest, progress: &mut dyn Progress) -> Result<Verification, Error> {
    let directory = &request.release;
    if !directory.join("evidence.json").is_file() && !directory.join("log").is_dir() {
        return Err(Error::Caller(format!(
            "{} holds no release: there is neither evidence.json nor log/",
            directory.display()
        )));
    }
    let mut walk = Walk { steps: Vec::new(), commit: None };
    // A link that is broken ends the walk; what it says is in the steps.
    let _ = walk.run(request, progress)?;
    Ok(Verification { steps: walk.steps, commit: walk.commit, key_given: request.key.is_some() })
}

struct Walk {
    steps: Vec<VerifiedStep>,
    commit: Option<String>,
}

/// The walk ends here: the step that broke is the last one noted.
struct Broken;

type Walked<T> = Result<Result<T, Broken>, Error>;

impl Walk {
    fn run(&mut self, request: &VerifyRequest, progress: &mut dyn Progress) -> Walked<()> {
        let directory = request.release.as_path();
        progress.step(1, STEPS, "key and log");
        let key = match self.note("key", key(request)?) {
            Ok(key) => key,
            Err(broken) => return Ok(Err(broken)),
        };
        let evidence_json = fs::read(directory.join("evidence.json")).map_err(|error| error.to_string());
        let name = evidence_json.as_ref().ok().and_then(|bytes| application(bytes)).unwrap_or_default();
        let (events, event) = match self.note("log", log(directory, &name, &key)) {
            Ok(found) => found,
            Err(broken) => return Ok(Err(broken)),
        };
        progress.step(2, STEPS, "evidence");
        let evidence = match self.note("evidence", evidence(directory, evidence_json, &event)) {
            Ok(evidence) => evidence,
            Err(broken) => return Ok(Err(broken)),
        };
        progress.step(3, STEPS, "files");
        if let Err(broken) = self.note("files", listed_files(directory, &evidence)) {
            return Ok(Err(broken));
        }
        progress.step(4, STEPS, "manifests");
        let starts = match self.note("manifests", starts(request, directory, &event)?) {
            Ok(starts) => starts,
            Err(broken) => return Ok(Err(broken)),
        };
        progress.step(5, STEPS, "images");
        let layout = match self.note("layout", layout(directory)) {
            Ok(layout) => layout,
            Err(broken) => return Ok(Err(broken)),
        };
        for digest in starts {
            let component =
                event.images.iter().find(|(_, image)| **image == digest).map(|(name, _)| name.clone());
            let component = component.unwrap_or_else(|| digest.to_string());
            let built = evidence.pointer(&format!("/images/{component}/built")).and_then(Value::as_bool)
                == Some(true);
            let found = if built {
                self.image(&layout, directory, &component, &digest, &key, &events)
            } else {
                Ok(())
            };
            if let Err(broken) = found {
                return Ok(Err(broken));
            }
        }
        if let (Some(repository), Some(commit)) = (&request.repository, self.commit.clone()) {
            let has = match GitFacts::has_commit(repository, &commit) {
                Ok(true) => Ok(((), format!("the repository has commit {commit}"))),
                Ok(false) => Err(format!("the repository has no commit {commit}")),
                Err(error) => Err(error.to_string()),
            };
            if let Err(broken) = self.note("commit", has) {
                return Ok(Err(broken));
            }
        }
        Ok(Ok(()))
    }

    /// An image: its bytes, what is attached to it, and the way to its commit.
    fn image(
        &mut self,
        layout: &Layout,
        directory: &Path,
        component: &str,
        digest: &Digest,
        key: &VerifyingKey,
        events: &[Event],
    ) -> Result<(), Broken> {
        let bytes = || -> Result<(Image, String), lotse_oci::Error> {
            let image = Image::load(layout, &layout.find(digest)?)?;
            let mut files = 0;
            image.visit(layout, &mut |_| {
                files += 1;
                Ok(())
            })?;
            let text =
                format!("{} layers with {files} entries have their digests", image.manifest.layers.len());
            Ok((image, text))
        };
        let image = self.note(&format!("image {component}"), bytes().map_err(|error| chain(&error)))?;
        let bundles = self.note(
            &format!("attestations of {component}"),
            attached(layout, directory, component, &image, key),
        )?;
        let mut evidence = Evidence::default();
        evidence.bundles = bundles;
        evidence.log = Some(LogEvidence::Verified(events.to_vec()));
        let verifier = KeyVerifier(key);
        let mut rules = ChainRules::new(&verifier);
        // Whose machine built it is not what a release is asked here.
        rules.allow_self_hosted = true;
        let walked = Chain::walk(&lotse_provenance::Start::Image(digest.clone()), &evidence, &rules);
        for link in &walked.links {
            let state = match &link.state {
                LinkState::Holds(text) => Ok(((), text.clone())),
                LinkState::Broken(reason) => Err(reason.clone()),
                // Pods, tags and branches are not in a release; what must be in it is.
                LinkState::Missing(_) if !matches!(link.kind, LinkKind::Provenance | LinkKind::Log) => {
                    continue;
                }
                LinkState::Missing(what) => Err(format!("missing: {what}")),
                _ => continue,
            };
            self.note(&format!("{} of {component}", link.kind), state)?;
        }
        self.commit = walked.commit;
        Ok(())
    }

    fn note<T>(&mut self, link: &str, found: Result<(T, String), String>) -> Result<T, Broken> {
        let (result, text, holds) = match found {
            Ok((value, text)) => (Ok(value), text, true),
            Err(text) => (Err(Broken), text, false),
        };
        self.steps.push(VerifiedStep { link: link.to_owned(), text, holds });
        result
    }
}

type Found<T> = Result<(T, String), String>;

/// The key that was given, or the release's own.
fn key(request: &VerifyRequest) -> Result<Found<VerifyingKey>, Error> {
    let given = match &request.key {
        Some(pem) => Some(VerifyingKey::from_pem(pem).map_err(|error| Error::Caller(error.to_string()))?),
        None => None,
    };
    let own = fs::read_to_string(request.release.join("key.pub.pem"))
        .map_err(|error| format!("key.pub.pem: {error}"));
    let own = own.and_then(|pem| VerifyingKey::from_pem(&pem).map_err(|error| error.to_string()));
    Ok(match (given, own) {
        (Some(given), Ok(own)) if given != own => {
            Err("the release was signed with another key than the given one".to_owned())
        }
        (Some(given), _) => Ok((given, "the given one".to_owned())),
        (None, Ok(own)) => Ok((own, "the release's own: it proves integrity, not origin".to_owned())),
        (None, Err(reason)) => Err(reason),
    })
}

fn application(evidence: &[u8]) -> Option<String> {
    let value = parse_json(evidence, &lotse_yaml::Limits::manifests()).ok()?;
    value.get("application")?.as_str().map(str::to_owned)
}

/// The log, its signed checkpoint, and the last release in it.
fn log(directory: &Path, application: &str, key: &VerifyingKey) -> Found<(Vec<Event>, Event)> {
    let log = Log::open(directory.join("log")).map_err(|error| chain(&error))?;
    let checkpoint = log.verify(&origin(application), key).map_err(|error| chain(&error))?;
    let events = log.events().map_err(|error| chain(&error))?;
    let last =
        events.iter().rfind(|event| event.action == "release").cloned().ok_or("no release is in it")?;
    let text =
        format!("{} entries lead to the signed root; the last release is of {}", checkpoint.size, last.time);
    Ok(((events, last), text))
}

/// That evidence and page are those in the log.
fn evidence(directory: &Path, json: Result<Vec<u8>, String>, event: &Event) -> Found<Value> {
    let json = json.map_err(|error| format!("evidence.json: {error}"))?;
    let expected = |name: &str| event.evidence.get(name).ok_or_else(|| format!("the log names no {name}"));
    expected("evidence.json")?.verify(&json).map_err(|mismatch| format!("evidence.json: {mismatch}"))?;
    let html =
        fs::read(directory.join("evidence.html")).map_err(|error| format!("evidence.html: {error}"))?;
    expected("evidence.html")?.verify(&html).map_err(|mismatch| format!("evidence.html: {mismatch}"))?;
    let value = parse_json(&json, &lotse_yaml::Limits::manifests())
        .map_err(|error| format!("evidence.json: {error}"))?;
    Ok((value, "evidence.json and evidence.html are those in the log".to_owned()))
}

/// That every file is there as the evidence lists it, and none beside.
fn listed_files(directory: &Path, evidence: &Value) -> Found<()> {
    let found = digests(directory).map_err(|error| error.chain())?;
    let listed = evidence.get("files").and_then(Value::as_object).ok_or("the evidence lists no files")?;
    let mut expected = BTreeMap::new();
    for (path, digest) in listed {
        expected.insert(path.to_owned(), digest.as_str().unwrap_or_default().to_owned());
    }
    for (path, digest) in &expected {
        match found.get(path) {
            None => return Err(format!("{path} is gone")),
            Some(actual) if actual.to_string() != *digest => {
                return Err(format!("{path} has digest {actual}, listed is {digest}"));
            }
            Some(_) => {}
        }
    }
    match found.keys().find(|path| !expected.contains_key(*path)) {
        Some(path) => Err(format!("{path} is not listed: somebody put it there")),
        None => Ok(((), format!("{} files have their digests, none is beside them", expected.len()))),
    }
}

/// The digests to walk back from, each pinned in a manifest and named by the log.
fn starts(request: &VerifyRequest, directory: &Path, event: &Event) -> Result<Found<Vec<Digest>>, Error> {
    let mut images = Vec::new();
    match &request.from {
        Some(Start::Image(text)) => {
            let digest = text.rsplit_once('@').map_or(text.as_str(), |(_, digest)| digest);
            let digest: Digest =
                digest.parse().map_err(|error| Error::Caller(format!("image {text:?}: {error}")))?;
            images.push((text.clone(), Some(digest)));
        }
        Some(Start::Manifest(path)) => {
            let bytes = fs::read(path)
                .map_err(|error| Error::Caller(format!("manifest {}: {error}", path.display())))?;
            let found = find_images(&bytes)
                .map_err(|error| Error::Caller(format!("manifest {}: {error}", path.display())))?;
            images.extend(found.into_iter().map(|place| pinned(place.text)));
        }
        None => {
            let root = directory.join("manifests");
            for path in yaml_files(&root).map_err(Error::io("read", &root))? {
                let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
                match find_images(&bytes) {
                    Ok(found) => images.extend(found.into_iter().map(|place| pinned(place.text))),
                    Err(error) => return Ok(Err(format!("{}: {error}", path.display()))),
                }
            }
        }
    }
    let mut digests = Vec::new();
    for (text, digest) in images {
        let Some(digest) = digest else { return Ok(Err(format!("image {text} is not pinned by digest"))) };
        if !event.images.values().any(|known| *known == digest) {
            return Ok(Err(format!("image {text} is none of the release's in the log")));
        }
        if !digests.contains(&digest) {
            digests.push(digest);
        }
    }
    digests.sort();
    let text = format!("{} images, each pinned and in the log", digests.len());
    Ok(Ok((digests, text)))
}

fn pinned(text: String) -> (String, Option<Digest>) {
    let digest = text.parse::<Reference>().ok().and_then(|reference| reference.digest().cloned());
    (text, digest)
}

fn yaml_files(root: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn layout(directory: &Path) -> Found<Layout> {
    let layout = Layout::open(directory.join("images"), Limits::default()).map_err(|error| chain(&error))?;
    let count = layout.index().map_err(|error| chain(&error))?.manifests.len();
    Ok((layout, format!("an OCI image layout with {count} manifests")))
}

/// The bundles attached to an image: the same as in `attestations/`, their SBOMs the same as in `sbom/`.
fn attached(
    layout: &Layout,
    directory: &Path,
    component: &str,
    image: &Image,
    key: &VerifyingKey,
) -> Found<Vec<Vec<u8>>> {
    let mut bundles = Vec::new();
    let referrers = layout.referrers(&image.descriptor.digest).map_err(|error| chain(&error))?;
    let mut kinds = Vec::new();
    for referrer in &referrers {
        for layer in &referrer.manifest.layers {
            let json = layout.read_blob(layer).map_err(|error| chain(&error))?;
            let bundle = Bundle::parse(&json).map_err(|error| chain(&error))?;
            let payload = bundle.verify_statement(key).map_err(|error| chain(&error))?;
            let statement = lotse_provenance::Statement::parse(payload).map_err(|error| chain(&error))?;
            let kind = match statement.predicate_type() {
                crate::attest::SPDX => "spdx",
                crate::attest::CYCLONEDX => "cyclonedx",
                lotse_provenance::SLSA_PROVENANCE => "provenance",
                other => return Err(format!("a statement of the unknown type {other:?} is attached")),
            };
            let file = match kind {
                "spdx" => Some(format!("sbom/{component}.spdx.json")),
                "cyclonedx" => Some(format!("sbom/{component}.cdx.json")),
                _ => None,
            };
            if let Some(file) = file {
                let bytes = fs::read(directory.join(&file)).map_err(|error| format!("{file}: {error}"))?;
                if bytes.trim_ascii_end() != statement.predicate().as_bytes() {
                    return Err(format!("{file} is another document than the attested one"));
                }
            }
            let copy = directory.join(format!("attestations/{component}.{kind}.sigstore.json"));
            if fs::read(&copy).ok().as_deref() != Some(&json) {
                return Err(format!(
                    "attestations/{component}.{kind}.sigstore.json differs from the attached bundle"
                ));
            }
            kinds.push(kind);
            bundles.push(json);
        }
    }
    kinds.sort_unstable();
    if kinds != ["cyclonedx", "provenance", "spdx"] {
        return Err(format!("attached is {}, expected are one provenance and both SBOMs", kinds.join(", ")));
    }
    Ok((bundles, "provenance and both SBOMs are attached, signed, and the same as the files".to_owned()))
}
