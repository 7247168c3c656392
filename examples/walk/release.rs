//! Gathers evidence from the directory of a release: layout, manifests, log.

use std::fs;
use std::path::{Path, PathBuf};

use lotse_digest::{Digest, Reference};
use lotse_examples::said;
use lotse_gitops_manifest::find_images;
use lotse_oci::{Layout, Limits};
use lotse_provenance::{
    CommitEvidence, Evidence, GitFacts, Log, LogEvidence, LoggedEntry, ManifestEvidence, Query,
    SLSA_PROVENANCE, Start, Statement,
};
use lotse_sign::{Bundle, TlogProof};

type Found<T> = Result<T, String>;

pub(crate) fn gather(
    root: &Path,
    component: Option<&str>,
    repository: Option<&Path>,
) -> Found<(Start, Evidence)> {
    let log = Log::open(root.join("log")).map_err(said)?;
    let mut released = Query::default();
    released.action = Some("release".to_owned());
    let hits = log.search(&released).map_err(said)?;
    let event = &hits.last().ok_or("no release is in the log")?.event;
    let image = match component {
        Some(name) => {
            event.images.get(name).ok_or_else(|| format!("the release has no component {name:?}"))?
        }
        None => event.images.values().next().ok_or("the release has no image")?,
    };
    let mut evidence = Evidence::default();
    let layout = Layout::open(root.join("images"), Limits::default()).map_err(said)?;
    let descriptor = layout.find(image).map_err(said)?;
    evidence.documents.push(layout.read_blob(&descriptor).map_err(said)?);
    for referrer in layout.referrers(image).map_err(said)? {
        for layer in &referrer.manifest.layers {
            let json = layout.read_blob(layer).map_err(said)?;
            // Inventories say nothing of where the image came from, and are large.
            if is_provenance(&json) {
                evidence.bundles.push(json);
            }
        }
    }
    evidence.manifests = manifests(&root.join("manifests"), image)?;
    let mut about = Query::default();
    about.digest = Some(image.clone());
    let mut entries = Vec::new();
    for hit in log.search(&about).map_err(said)? {
        let entry = log.entry(hit.index).map_err(said)?;
        entries.push(LoggedEntry { entry, proof: log.prove(hit.index).map_err(said)?.to_text() });
    }
    evidence.log = Some(LogEvidence::Proved(entries));
    if let (Some(repository), Some(commit)) = (repository, &event.commit)
        && GitFacts::has_commit(repository, commit).map_err(said)?
    {
        let facts = GitFacts::read(repository).map_err(said)?;
        let author_time = (facts.commit == *commit).then_some(facts.author_time);
        evidence.commit =
            Some(CommitEvidence { id: commit.clone(), author_time, ..CommitEvidence::default() });
    }
    Ok((Start::Image(image.clone()), evidence))
}

/// The name of the log, by the first proof.
pub(crate) fn origin(evidence: &Evidence) -> Option<String> {
    let Some(LogEvidence::Proved(entries)) = &evidence.log else { return None };
    let proof = TlogProof::parse(&entries.first()?.proof).ok()?;
    proof.unverified_checkpoint().unverified_text().lines().next().map(str::to_owned)
}

/// What cannot be read is kept: the walk will say so.
fn is_provenance(json: &[u8]) -> bool {
    let bundle = Bundle::parse(json).ok();
    let statement = bundle.as_ref().and_then(|bundle| Statement::parse(bundle.unverified_statement()?).ok());
    statement.is_none_or(|statement| statement.predicate_type() == SLSA_PROVENANCE)
}

fn manifests(root: &Path, image: &Digest) -> Found<Vec<ManifestEvidence>> {
    let mut found = Vec::new();
    let mut files = Vec::new();
    list(root, &mut files)?;
    files.sort();
    for path in files {
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        for place in find_images(&bytes).map_err(|error| format!("{}: {error}", path.display()))? {
            let reference = place.text.parse::<Reference>().ok();
            if reference.as_ref().and_then(Reference::digest) == Some(image) {
                let path = path.strip_prefix(root).unwrap_or(&path).display().to_string();
                let manifest = ManifestEvidence { path, image: place.text, ..ManifestEvidence::default() };
                if !found.contains(&manifest) {
                    found.push(manifest);
                }
            }
        }
    }
    Ok(found)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Found<()> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    Ok(())
}
