//! Secrets in the work tree, in the whole history and in the layers of the images (R6).

use std::collections::BTreeMap;
use std::path::Path;

use lotse_oci::Layout;
use lotse_provenance::{GitFacts, Timestamp};
use lotse_secret_scan::{Allow, Finding, Findings, Limits, Scanner, judge, scan_directory, scan_history};

use crate::check::{Check, Outcome, Witness};
use crate::images::ReleaseImage;
use crate::{Error, Spec, look};

/// Searches everywhere a secret could have been left.
pub(crate) fn check(
    spec: &Spec,
    app: &Path,
    git: &GitFacts,
    images: &BTreeMap<String, ReleaseImage>,
    layout: &Layout,
    time: Timestamp,
) -> Result<Check, Error> {
    let scanner = Scanner::new(Limits::for_repositories())
        .map_err(|error| Error::below("rules for secrets", &error))?;
    let mut notes = Vec::new();
    let mut missing = false;
    let mut findings = Findings::default();
    let mut summary = Vec::new();
    let places = [
        ("files of the work tree", scan_directory(&scanner, app, &mut |_| ())),
        ("objects of the history", scan_history(&scanner, &git.work_tree, &mut |_| ())),
        ("entries of the layers", Ok(layers(&scanner, images, layout)?)),
    ];
    for (place, found) in places {
        match found {
            Ok(found) => {
                summary.push(format!("{} {place}", found.scanned));
                findings.merge(found);
            }
            Err(error) => {
                missing = true;
                notes.push(Witness::note(place, format!("not searched: {error}")));
            }
        }
    }
    let day = time.to_string();
    let day = day.split('T').next().unwrap_or_default();
    let judgement = judge(&findings, &allow(spec, &findings)?, day)
        .map_err(|error| Error::below("allow-list", &error))?;
    notes.extend(grouped(&judgement.open));
    for (finding, allow) in &judgement.excused {
        let text = format!("{} allowed until {}: {}", finding.rule, allow.expires(), allow.reason());
        notes.push(Witness::note(format!("{}:{}", finding.place, finding.line), text));
    }
    for left in &findings.not_scanned {
        notes.push(Witness::note(left.place.to_string(), format!("not searched: {}", left.reason)));
    }
    let check = Check {
        id: "secrets",
        title: "Is no secret in repository, history or image?",
        requirements: &["R6"],
        gate: true,
        outcome: Outcome::NotRun,
        summary: format!("{} searched", summary.join(", ")),
        findings: Vec::new(),
        evidence: Vec::new(),
        limits: "Rules know forms; a password without a form is not seen. No finding was tried against a service.",
    }
    .judged(notes);
    // What was found counts even if something could not be searched; without a finding, nothing is proved.
    let outcome = if missing && check.outcome == Outcome::Passed { Outcome::NotRun } else { check.outcome };
    Ok(Check { outcome, ..check })
}

/// One witness for each secret: where it was found first, and in how many places more. History repeats them in every version of
/// a file.
fn grouped(open: &[Finding]) -> Vec<Witness> {
    let mut secrets: BTreeMap<(&str, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in open {
        secrets.entry((finding.rule, &finding.fingerprint)).or_default().push(finding);
    }
    let mut witnesses: Vec<Witness> = secrets
        .values()
        .filter_map(|places| {
            let (first, more) = places.split_first()?;
            let place = format!("{}:{}:{}", first.place, first.line, first.column);
            let more =
                if more.is_empty() { String::new() } else { format!(", and in {} places more", more.len()) };
            Some(Witness::against(
                place,
                format!("{} ({}) {}{more}", first.description, first.rule, first.preview),
            ))
        })
        .collect();
    witnesses.sort();
    witnesses
}

/// The layers of what was built, and the configurations.
fn layers(
    scanner: &Scanner,
    images: &BTreeMap<String, ReleaseImage>,
    layout: &Layout,
) -> Result<Findings, Error> {
    let mut all = Findings::default();
    for (component, image) in images.iter().filter(|(_, image)| image.built) {
        let Some(built) = &image.image else { continue };
        all.merge(look::layers(scanner, layout, built, &format!(" of {component}"), &mut |_| ())?);
    }
    Ok(all)
}

/// Entries of the gate's allow-list that name a rule for secrets; their component is `path` or `path#fingerprint`.
fn allow(spec: &Spec, findings: &Findings) -> Result<Vec<Allow>, Error> {
    let rules = lotse_secret_scan::rules();
    let mut allow = Vec::new();
    for entry in spec.gate.allow.iter().filter(|entry| rules.iter().any(|rule| rule.id == entry.id)) {
        let (path, fingerprint) = entry.component.split_once('#').unwrap_or((&entry.component, ""));
        let named =
            findings.found.iter().filter(|finding| finding.place.path == path && finding.rule == entry.id);
        let fingerprints: Vec<&str> = if fingerprint.is_empty() {
            named.map(|finding| finding.fingerprint.as_str()).collect()
        } else {
            vec![fingerprint]
        };
        for fingerprint in fingerprints {
            let entry = Allow::new(&entry.id, path, fingerprint, &entry.reason, &entry.expires);
            allow.push(entry.map_err(|error| Error::below("allow-list", &error))?);
        }
    }
    Ok(allow)
}
