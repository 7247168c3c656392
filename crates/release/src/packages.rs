//! What is inside the images: inventories, documents, advisories.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lotse_sbom::{
    Advisory, Allow, Catalogue, Database, Date, DocumentInfo, Excuse, Gate, GateVerdict, Inventory,
    Judgement, Limits, Severity, Subject, Vex, cyclonedx, judge, spdx,
};

use crate::check::{Check, Outcome, Witness};
use crate::images::ReleaseImage;
use crate::{Error, Spec};

/// The inventory of one image with its documents.
pub(crate) struct Packages {
    pub(crate) inventory: Inventory,
    pub(crate) cyclonedx: String,
    pub(crate) spdx: String,
}

/// Catalogues every image that is at hand.
pub(crate) fn catalogue(
    spec: &Spec,
    images: &BTreeMap<String, ReleaseImage>,
    time: i64,
) -> Result<BTreeMap<String, Packages>, Error> {
    let mut all = BTreeMap::new();
    for (component, image) in images {
        let Some(found) = &image.image else { continue };
        let mut catalogue = Catalogue::new(Limits::for_images());
        for (path, bytes) in &image.files {
            catalogue.add(path, bytes)?;
        }
        let inventory = catalogue.finish();
        let info = DocumentInfo {
            subject: Subject {
                name: image.reference.repository(),
                version: image.reference.tag().map(str::to_owned),
                digest: Some(found.descriptor.digest.clone()),
                purl: None,
            },
            created: lotse_sbom::Timestamp::from_unix(time).map_err(|error| Error::below("time", &error))?,
            author: spec.author.clone(),
        };
        let (cyclonedx, spdx) = (cyclonedx(&inventory, &info), spdx(&inventory, &info));
        all.insert(component.clone(), Packages { inventory, cyclonedx, spdx });
    }
    Ok(all)
}

/// Whether every image was catalogued, and nothing in it was left unread.
pub(crate) fn check_inventory(
    images: &BTreeMap<String, ReleaseImage>,
    packages: &BTreeMap<String, Packages>,
) -> Check {
    let mut findings = Vec::new();
    let mut count = 0;
    for component in images.keys() {
        let Some(packages) = packages.get(component) else {
            findings.push(Witness::against(
                component.clone(),
                "the image is not among the base images, so nobody looked inside",
            ));
            continue;
        };
        count += packages.inventory.components().len();
        for left in packages.inventory.not_read() {
            findings.push(Witness::against(format!("{component}: {}", left.path), left.reason.clone()));
        }
        for problem in packages.inventory.problems() {
            findings.push(Witness::note(format!("{component}: {}", problem.path), problem.reason.clone()));
        }
    }
    let outcome =
        if findings.iter().any(|finding| finding.counts) { Outcome::NotRun } else { Outcome::Passed };
    let evidence =
        packages.keys().flat_map(|name| [format!("sbom/{name}.cdx.json"), format!("sbom/{name}.spdx.json")]);
    Check {
        id: "inventory",
        title: "Is it known what is inside?",
        requirements: &["R2", "R12"],
        gate: true,
        outcome,
        summary: format!("{count} components found in the files of {} images", packages.len()),
        findings,
        evidence: evidence.collect(),
        limits: "Programs that no package database or lock file lists are not seen.",
    }
}

/// Matches advisories against the inventories and applies excuses.
pub(crate) fn check_vulnerabilities(
    spec: &Spec,
    app: &Path,
    images: &BTreeMap<String, ReleaseImage>,
    packages: &BTreeMap<String, Packages>,
    today: Date,
) -> Result<Check, Error> {
    let mut check = Check {
        id: "vulnerabilities",
        title: "Are known vulnerabilities absent, excused or below the gate?",
        requirements: &["R12"],
        gate: true,
        outcome: Outcome::NotRun,
        summary: "no directory of OSV records was given, so nothing was compared".to_owned(),
        findings: Vec::new(),
        evidence: Vec::new(),
        limits: "Only advisories in the given records are known, and only for what the inventory lists.",
    };
    let Some(directory) = &spec.gate.advisories else { return Ok(check) };
    let database = advisories(&app.join(directory))?;
    let severity: Severity =
        spec.gate.vulnerabilities.parse().map_err(|error| Error::below("severity", &error))?;
    let allow = allow_list(spec)?;
    let mut vex = Vec::new();
    for file in &spec.gate.vex {
        let path = app.join(file);
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        vex.push(Vex::parse(file, &bytes, Limits::for_images())?);
    }
    let mut findings = Vec::new();
    let (mut open, mut failed) = (0, false);
    let mut unused: BTreeMap<usize, usize> = BTreeMap::new();
    for (component, packages) in packages {
        let matches = database.matches(&packages.inventory);
        let Some(image) = images.get(component) else { continue };
        let subject = [image.reference.to_string(), image.reference.repository()];
        let judgement = judge(&matches, &packages.inventory, &allow, &vex, &subject, today);
        let verdict = Gate { severity, max: spec.gate.count }.judge(&judgement);
        failed |= matches!(verdict, GateVerdict::Refused { .. });
        open += judgement.open.len();
        tell(component, &judgement, severity, &mut findings);
        for entry in &judgement.unused {
            if let Some(index) = allow.iter().position(|other| other == entry) {
                *unused.entry(index).or_default() += 1;
            }
        }
        for name in &matches.unmatched {
            let text = "its distribution has no advisories among the records, so nothing was compared";
            findings.push(Witness::note(format!("{component}: {name}"), text));
        }
    }
    for (index, entry) in allow.iter().enumerate() {
        let place = format!("allow-list: {}", entry.id());
        if entry.expires() < today {
            findings
                .push(Witness::note(place, format!("expired on {}; it excuses nothing", entry.expires())));
        } else if unused.get(&index) == Some(&packages.len()) {
            findings.push(Witness::note(
                place,
                "matches nothing; delete it before it excuses something new by accident",
            ));
        }
    }
    findings.sort();
    findings.dedup();
    check.outcome = if failed { Outcome::Failed } else { Outcome::Passed };
    check.summary =
        format!("{} records compared; {open} open, of which none may be {severity} or worse", database.len());
    check.findings = findings;
    check.evidence = packages.keys().map(|name| format!("sbom/{name}.cdx.json")).collect();
    Ok(check)
}

fn tell(component: &str, judgement: &Judgement, gate: Severity, findings: &mut Vec<Witness>) {
    for concern in &judgement.open {
        let repair = if concern.fixed.is_empty() {
            String::new()
        } else {
            format!("; repaired in {}", concern.fixed.join(", "))
        };
        let text = format!("{} ({}): {}{repair}", concern.advisory, concern.severity, concern.text);
        let place = format!("{component}: {}", concern.component);
        let counts = concern.severity >= gate;
        findings.push(Witness { place, text, counts });
    }
    for (concern, excuse) in &judgement.excused {
        let why = match excuse {
            Excuse::Allowed(entry) => {
                format!("allowed until {} by {}: {}", entry.expires(), entry.added_by(), entry.reason())
            }
            Excuse::Vex { document, .. } => format!("not affected, says {document}"),
            _ => "excused".to_owned(),
        };
        let place = format!("{component}: {}", concern.component);
        findings.push(Witness::note(place, format!("{} ({}) {why}", concern.advisory, concern.severity)));
    }
}

fn advisories(directory: &Path) -> Result<Database, Error> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(Error::io("read", directory))? {
        let path = entry.map_err(Error::io("read", directory))?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            names.push(path);
        }
    }
    names.sort_unstable();
    let mut database = Database::default();
    for path in names {
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        database.insert(Advisory::parse(&name, &bytes, Limits::for_images())?);
    }
    Ok(database)
}

fn allow_list(spec: &Spec) -> Result<Vec<Allow>, Error> {
    let entry = |entry: &crate::AllowSpec| {
        let expires: Date = entry.expires.parse().map_err(|error| Error::below("allow-list", &error))?;
        Allow::new(&entry.id, &entry.component, &entry.reason, expires, &entry.added_by)
            .map_err(|error| Error::below("allow-list", &error))
    };
    spec.gate.allow.iter().map(entry).collect()
}
