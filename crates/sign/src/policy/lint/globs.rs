//! Globs that cover less than they look like.

use super::{Counterexample, Linter};
use crate::policy::glob::Glob;
use crate::policy::image::ImageName;
use crate::policy::model::ClusterImagePolicy;

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

pub(super) fn lint(policy: &ClusterImagePolicy, linter: &mut Linter<'_>) {
    let globs: Vec<Glob> = policy.globs.iter().filter_map(|glob| Glob::parse(glob).ok()).collect();
    for (at, text) in policy.globs.iter().enumerate() {
        let Ok(glob) = Glob::parse(text) else { continue };
        let pointer = format!("/spec/images/{at}/glob");
        // Without tag or digest: what the author has in mind.
        let base = text.split_once('@').map_or(text.as_str(), |(before, _)| before);
        let base = match base.rsplit_once(':') {
            Some((before, tag)) if !tag.contains('/') => before,
            _ => base,
        };
        let filled =
            |segment: &str, anything: &str| base.replace("**", anything).replace('*', segment).to_lowercase();
        let names =
            [filled("xx", "xx"), filled("xx", "xx/yy"), filled("registry.example", "registry.example/xx")];
        let names = names.iter().flat_map(|name| [name.clone(), format!("registry.example/{name}")]);
        let parsed: Vec<ImageName> =
            names.filter_map(|name| ImageName::parse(&format!("{name}@{DIGEST}")).ok()).collect();
        if parsed.iter().any(|name| glob.admits(name)) || text.contains("@sha256:") && !text.contains('*') {
            continue;
        }
        // Admission only ever sees names with a digest and without a tag.
        let Some(name) = parsed.first() else { continue };
        if globs.iter().any(|other| other.admits(name)) {
            continue;
        }
        let counterexample = Some(Counterexample::Uncovered(name.to_string()));
        let message = "no image at admission has a name that this matches: names come fully qualified, with a digest and without a tag";
        let advice = format!("write {}", advice(base, name));
        linter.report("glob-matches-nothing", &pointer, message, advice, counterexample);
    }
}

/// The glob that covers what was meant.
fn advice(base: &str, name: &ImageName) -> String {
    let repository = name.repository();
    if base.contains('*') {
        let host = if base.starts_with("docker.io/")
            || !base.split('/').next().unwrap_or(base).contains(['.', ':', '*'])
        {
            let path = base.trim_start_matches("docker.io/");
            if path.contains('/') {
                format!("index.docker.io/{path}")
            } else {
                format!("index.docker.io/library/{path}")
            }
        } else {
            base.to_owned()
        };
        let open = if host.ends_with('*') { "" } else { "@*" };
        return format!("{}{open}", host.to_lowercase());
    }
    format!("{repository}@*")
}
