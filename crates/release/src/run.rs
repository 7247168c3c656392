//! The road from a commit to a verified release, step by step.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lotse_digest::Digest;
use lotse_gitops_manifest::{Manifests, render};
use lotse_oci::Layout;
use lotse_provenance::{Actor, ActorKind, CiFacts, Event, GitFacts, Log, Timestamp};
use lotse_sign::{Scheme, SigningKey};

use crate::check::Check;
use crate::images::ReleaseImage;
use crate::output::Output;
use crate::packages::Packages;
use crate::report::{ImageReport, NetworkReport};
use crate::source::Source;
use crate::{
    Error, Progress, Report, Spec, Verdict, application, attest, delivery, images, migrations, network,
    operations, packages, requirement, secrets, source, verdicts,
};

/// What to release, and where to.
#[derive(Clone, Debug)]
pub struct Request {
    /// The application's directory, with its `lotse.yaml`.
    pub app: PathBuf,
    /// The OCI layout that holds the base images; `bases/layout` in the application's directory if absent.
    pub bases: Option<PathBuf>,
    /// The directory that the release is written to. What is there is replaced, but for the log and the key.
    pub out: PathBuf,
    /// The key that signs, as PEM. Without one a fresh key is made, and the report says what that proves.
    pub key: Option<String>,
    /// What the CI system says.
    pub ci: Option<CiFacts>,
    /// The time of the release; the commit's if absent. Expiry and sunset are judged at it.
    pub time: Option<Timestamp>,
    /// Whether to write nothing.
    pub dry_run: bool,
}

impl Request {
    /// A request with everything derived from the application.
    #[must_use]
    pub fn new(app: impl Into<PathBuf>, out: impl Into<PathBuf>) -> Self {
        Self {
            app: app.into(),
            bases: None,
            out: out.into(),
            key: None,
            ci: None,
            time: None,
            dry_run: false,
        }
    }
}

impl Request {
    /// Takes what a program's surroundings say: the key from a file, the CI system from the environment.
    ///
    /// # Errors
    ///
    /// [`Error::Caller`] if the key cannot be read.
    #[expect(clippy::disallowed_methods, reason = "this is the edge where a program's environment comes in")]
    pub fn read_environment(&mut self, key: Option<&Path>) -> Result<(), Error> {
        if let Some(path) = key {
            let pem = fs::read_to_string(path)
                .map_err(|error| Error::Caller(format!("key {}: {error}", path.display())))?;
            self.key = Some(pem);
        }
        self.ci = CiFacts::from_variables(&std::env::vars().collect());
        Ok(())
    }
}

/// The steps that progress is reported in.
const STEPS: [&str; 9] = [
    "read the specification",
    "compare with the commit",
    "build the images",
    "look inside",
    "search for secrets",
    "render the manifests",
    "judge",
    "sign",
    "write the evidence",
];

/// Makes a release: images, inventories, signatures, manifests, verdicts, log entry, evidence.
///
/// A gate that refuses is no error: the report says so. Everything is written to a temporary directory beside `out` and
/// appears there in one step; after an error nothing is left.
///
/// # Errors
///
/// [`Error::Spec`] with every mistake in `lotse.yaml`; [`Error::Caller`] for a call that cannot work; others where something
/// could not be read, understood or written.
pub fn release(request: &Request, progress: &mut dyn Progress) -> Result<Report, Error> {
    let mut number = 0;
    let mut step = || {
        let what = STEPS.get(number).copied().unwrap_or_default();
        number += 1;
        progress.step(number, STEPS.len(), what);
    };
    step();
    let path = request.app.join("lotse.yaml");
    let bytes = fs::read(&path).map_err(|error| {
        Error::Caller(format!("{}: {error}; name the directory of an application with --app", path.display()))
    })?;
    let spec = Spec::parse("lotse.yaml", &bytes)?;
    step();
    let git = GitFacts::read(&request.app)?;
    let time = request.time.unwrap_or(git.commit_time);
    let mut sources = BTreeMap::new();
    for (component, build) in spec.builds() {
        let source = Source::read(&spec, &component.name, build, &request.app, &git)?;
        sources.insert(component.name.clone(), source);
    }
    let mut checks = vec![source::check(&sources, &git)];
    step();
    let mut output = Output::begin(&request.out, request.dry_run)?;
    let (key, fresh_key) = key(request, &mut output)?;
    let bases = bases(request, output.limits())?;
    let layout = output.layout()?;
    let images = images::images(&spec, &sources, bases.as_ref(), &layout, &git, time)?;
    checks.push(images::check_reproducible(&images, &sources, &layout)?);
    checks.push(images::check_size(&images));
    step();
    let packages = packages::catalogue(&spec, &images, time.seconds())?;
    for (component, packages) in &packages {
        output.write(&format!("sbom/{component}.cdx.json"), packages.cyclonedx.as_bytes())?;
        output.write(&format!("sbom/{component}.spdx.json"), packages.spdx.as_bytes())?;
    }
    checks.push(packages::check_inventory(&images, &packages));
    checks.push(packages::check_vulnerabilities(&spec, &request.app, &images, &packages, today(time)?)?);
    step();
    checks.push(secrets::check(&spec, &request.app, &git, &images, &layout, time)?);
    step();
    let (environments, networks) = manifests(&spec, &images, &request.app, &git)?;
    for (environment, manifests) in &environments {
        for (file, text) in manifests.to_yaml() {
            output.write(&format!("manifests/{environment}/{file}"), text.as_bytes())?;
        }
        if let Some(network) = networks.get(environment) {
            let text = format!("{}\n", network.to_value().to_json_pretty());
            output.write(&format!("network/{environment}.json"), text.as_bytes())?;
        }
    }
    for (file, text) in delivery::files(&spec, &environments, &layout, &git.commit)? {
        output.write(&format!("manifests/{file}"), text.as_bytes())?;
    }
    let plan = migrations::plan(&spec, &request.app)?;
    if let Some(text) = &plan.json {
        output.write("migrations.json", text.as_bytes())?;
    }
    step();
    checks.extend(judge(&spec, &images, &environments, &networks, time)?);
    checks.push(plan.check.clone());
    step();
    let spec_digest = Digest::sha256(&bytes);
    let facts =
        attest::Facts { spec: &spec, git: &git, ci: request.ci.as_ref(), time, spec_digest: &spec_digest };
    for ((component, kind), bundle) in attest::attest(&facts, &images, &sources, &packages, &layout, &key)? {
        output.write(&format!("attestations/{component}.{kind}.sigstore.json"), &bundle)?;
    }
    checks.push(attest::check(&images, &layout, &key, fresh_key)?);
    layout.sweep()?;
    output.write("key.pub.pem", key.verifying_key().to_pem().as_bytes())?;
    output.write("lotse.yaml", &bytes)?;
    step();
    let mut report = Report {
        application: spec.name.clone(),
        version: spec.version.clone().unwrap_or_else(|| git.commit.chars().take(12).collect()),
        commit: git.commit.clone(),
        time: time.to_string(),
        verdict: Verdict::Undecided,
        regimes: spec.regimes.clone(),
        images: image_reports(&images, &packages),
        requirements: Vec::new(),
        networks: network_reports(&networks),
        migrations: plan.steps,
        rollback: plan.rollback,
        key: key.verifying_key().fingerprint(),
        fresh_key,
        files: output.files()?,
        checks,
    };
    let actor = actor(request.ci.as_ref());
    report.checks.push(operations::check_log(&report, actor.kind));
    report.checks.push(operations::check_rollback());
    report.verdict = Verdict::of(&report.checks);
    report.requirements = requirement::requirements(&report.checks);
    let evidence = [("evidence.json", report.to_json()), ("evidence.html", report.to_html())];
    let mut digests = BTreeMap::new();
    for (name, text) in &evidence {
        output.write(name, text.as_bytes())?;
        digests.insert((*name).to_owned(), Digest::sha256(text.as_bytes()));
    }
    let event = event(&report, time, actor, request.ci.as_ref(), digests);
    let mut log = Log::open(output.path("log"))?;
    log.append(&event, &origin(&spec.name), &key)?;
    output.finish()?;
    Ok(report)
}

/// The name of an application's log.
pub(crate) fn origin(application: &str) -> String {
    format!("lotse.dev/log/{application}")
}

fn today(time: Timestamp) -> Result<lotse_sbom::Date, Error> {
    Ok(lotse_sbom::Timestamp::from_unix(time.seconds()).map_err(|error| Error::below("time", &error))?.date())
}

/// The key that was given, the one of the last run here, or a fresh one.
fn key(request: &Request, output: &mut Output) -> Result<(SigningKey, bool), Error> {
    if let Some(pem) = &request.key {
        return Ok((SigningKey::from_pem(pem)?, false));
    }
    if let Some(pem) = output.earlier("key.pem")? {
        let pem = String::from_utf8(pem).map_err(|error| Error::below("key.pem", &error))?;
        output.write_secret("key.pem", pem.as_bytes())?;
        return Ok((SigningKey::from_pem(&pem)?, true));
    }
    loop {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| Error::below("random bytes for a key", &error))?;
        // A few of all values are no key; then another is drawn.
        if let Ok(key) = SigningKey::from_secret(Scheme::EcdsaP256Sha256, &secret) {
            output.write_secret("key.pem", key.to_pem()?.as_bytes())?;
            return Ok((key, true));
        }
    }
}

fn bases(request: &Request, limits: lotse_oci::Limits) -> Result<Option<Layout>, Error> {
    match &request.bases {
        Some(path) => Ok(Some(Layout::open(path, limits)?)),
        None => {
            let bundled = request.app.join("bases/layout");
            if bundled.is_dir() { Ok(Some(Layout::open(bundled, limits)?)) } else { Ok(None) }
        }
    }
}

type Rendered = (BTreeMap<String, Manifests>, BTreeMap<String, network::Network>);

fn manifests(
    spec: &Spec,
    images: &BTreeMap<String, ReleaseImage>,
    app: &Path,
    git: &GitFacts,
) -> Result<Rendered, Error> {
    let mut rendered = Rendered::default();
    for environment in &spec.environments {
        let application = application::application(spec, environment, images, app, &git.commit)?;
        let mut manifests = render(&application)?;
        let network = network::network(spec, environment, &application, &mut manifests)?;
        rendered.0.insert(environment.name.clone(), manifests);
        rendered.1.insert(environment.name.clone(), network);
    }
    Ok(rendered)
}

fn judge(
    spec: &Spec,
    images: &BTreeMap<String, ReleaseImage>,
    environments: &BTreeMap<String, Manifests>,
    networks: &BTreeMap<String, network::Network>,
    time: Timestamp,
) -> Result<Vec<Check>, Error> {
    let objects = verdicts::objects(environments)?;
    let known: Vec<String> = images.values().map(|image| image.reference.to_string()).collect();
    Ok(vec![
        verdicts::check_pins(environments, &known)?,
        verdicts::check_pod_security(&objects)?,
        verdicts::check_rbac(&objects)?,
        verdicts::check_rollout(&objects),
        verdicts::check_hygiene(&objects),
        network::check(networks),
        operations::check_rotation(spec, environments),
        operations::check_service_levels(spec),
        operations::check_flags(spec, time),
    ])
}

fn image_reports(
    images: &BTreeMap<String, ReleaseImage>,
    packages: &BTreeMap<String, Packages>,
) -> BTreeMap<String, ImageReport> {
    let report = |(component, image): (&String, &ReleaseImage)| {
        let report = ImageReport {
            reference: image.reference.clone(),
            built: image.built,
            stand_in: image.stand_in,
            components: packages.get(component).map(|packages| packages.inventory.components().len()),
            size: image.size.clone(),
        };
        (component.clone(), report)
    };
    images.iter().map(report).collect()
}

fn network_reports(networks: &BTreeMap<String, network::Network>) -> BTreeMap<String, NetworkReport> {
    let report = |(environment, network): (&String, &network::Network)| {
        let row = |from: &str| network.order.iter().map(|(to, _)| network.cell(from, to)).collect();
        let report = NetworkReport {
            peers: network.order.iter().map(|(_, name)| name.clone()).collect(),
            cells: network.order.iter().map(|(from, _)| row(from)).collect(),
        };
        (environment.clone(), report)
    };
    networks.iter().map(report).collect()
}

/// Who releases: a CI system by itself, a person who started it, or somebody that nobody knows.
fn actor(ci: Option<&CiFacts>) -> Actor {
    match ci {
        Some(ci) if ci.started_by_hand() == Some(false) => Actor::bot("ci"),
        Some(_) => Actor::human("ci, started by hand"),
        None => Actor::new(ActorKind::Unknown, "local"),
    }
}

fn event(
    report: &Report,
    time: Timestamp,
    actor: Actor,
    ci: Option<&CiFacts>,
    evidence: BTreeMap<String, Digest>,
) -> Event {
    let pinned = |(component, image): (&String, &ImageReport)| {
        image.reference.digest().map(|digest| (component.clone(), digest.clone()))
    };
    let mut event = Event::new(time, "commit", actor, "release", &report.application);
    event.commit = Some(report.commit.clone());
    event.run = ci.and_then(|ci| ci.run.clone());
    event.images = report.images.iter().filter_map(pinned).collect();
    event.evidence = evidence;
    event
}
