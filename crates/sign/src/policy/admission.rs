use std::collections::BTreeMap;

use lotse_digest::Digest;
use lotse_yaml::{Dialect, Limits, Stream};

use super::authority::{Match, Place, Unmet};
use super::glob::Glob;
use super::image::ImageName;
use super::json::Json;
use super::model::{ClusterImagePolicy, LabelRequirement, text};
use super::registry::ImageRegistry;
use super::script::{RuleAnswer, evaluate_rule};
use super::signature::{Fault, refused};
use super::verdict::{AdmissionVerdict, AuthorityVerdict, Decision, PolicyVerdict};
use crate::{Time, TrustedRoot};

/// How deep an index of indices is followed for config files.
const INDICES: usize = 3;

/// What happens to an image that no policy covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoMatch {
    /// Refused: the controller's default.
    Deny,
    /// Admitted with a warning.
    Warn,
    /// Admitted.
    Allow,
}

/// Judges images as the Policy Controller does: with these trust roots, as of this time.
#[derive(Clone, Debug)]
pub struct Admission {
    roots: BTreeMap<String, TrustedRoot>,
    at: Time,
    no_match: NoMatch,
}

/// The object that wants to run the image, as `match`, `includeSpec` and its likes see it.
#[derive(Clone, Debug, Default)]
pub struct Resource {
    kind: String,
    api_version: String,
    labels: BTreeMap<String, String>,
    spec: Option<Json>,
    metadata: Option<Json>,
}

impl Resource {
    /// Reads a manifest in YAML.
    ///
    /// # Errors
    ///
    /// What is missing or malformed.
    pub fn parse(yaml: &str) -> Result<Self, String> {
        let stream = Stream::parse(yaml.as_bytes(), Dialect::ApiServer, &Limits::small_file())
            .map_err(|error| error.to_string())?;
        let document = stream.documents().first().ok_or("the resource is empty")?;
        let json = Json::from(&document.value().map_err(|error| error.to_string())?);
        for name in ["metadata", "spec", "kind", "apiVersion"] {
            if json.get(name).is_none() {
                return Err(format!("kubernetes resource is missing {name} key"));
            }
        }
        let metadata = json.get("metadata").cloned();
        let mut labels = BTreeMap::new();
        if let Some(Json::Object(members)) = metadata.as_ref().and_then(|metadata| metadata.get("labels")) {
            labels.extend(
                members
                    .iter()
                    .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())),
            );
        }
        Ok(Self {
            kind: text(&json, "kind"),
            api_version: text(&json, "apiVersion"),
            labels,
            spec: json.get("spec").cloned(),
            metadata,
        })
    }

    /// The resource's name in the plural, as the controller guesses it from the kind.
    fn plural(&self) -> String {
        let kind = self.kind.to_lowercase();
        match kind.chars().last() {
            None => kind,
            Some('s') if kind == "endpoints" => kind,
            Some('s') => format!("{kind}es"),
            Some('y') => format!("{}ies", kind.strip_suffix('y').unwrap_or(&kind)),
            Some(_) => format!("{kind}s"),
        }
    }
}

impl Admission {
    /// A judge without trust roots, for policies with keys.
    #[must_use]
    pub fn new(at: Time, no_match: NoMatch) -> Self {
        Self { roots: BTreeMap::new(), at, no_match }
    }

    /// Adds the root that `trustRootRef: name` means. The empty name is the public good instance, which policies mean that name
    /// no root.
    #[must_use]
    pub fn with_root(mut self, name: &str, root: TrustedRoot) -> Self {
        self.roots.insert(name.to_owned(), root);
        self
    }

    pub(crate) fn root(&self, name: &str) -> Option<&TrustedRoot> {
        self.roots.get(name)
    }

    pub(crate) fn has_roots(&self) -> bool {
        !self.roots.is_empty()
    }

    pub(crate) fn at(&self) -> Time {
        self.at
    }

    /// Judges an image. Every policy that covers it must be satisfied, whatever the order; a policy in warn mode only warns, and
    /// weakens no other.
    #[must_use]
    pub fn judge(
        &self,
        policies: &[ClusterImagePolicy],
        image: &str,
        resource: Option<&Resource>,
        registry: &dyn ImageRegistry,
    ) -> AdmissionVerdict {
        let name = match ImageName::parse(image) {
            Ok(name) => name,
            Err(error) => return AdmissionVerdict::refused(error.to_string()),
        };
        let nothing = Resource::default();
        let resource = resource.unwrap_or(&nothing);
        let mut taken: Vec<&str> = Vec::new();
        let mut warnings = Vec::new();
        let mut covering = Vec::new();
        for policy in policies {
            // Of policies with one name the first counts.
            if taken.contains(&policy.name.as_str()) {
                warnings.push(format!("duplicate policy named \"{}\", skipping", policy.name));
                continue;
            }
            taken.push(&policy.name);
            match covers(policy, &name, resource) {
                Ok(true) => covering.push(policy),
                Ok(false) => {}
                Err(reason) => return AdmissionVerdict::refused(reason),
            }
        }
        if covering.is_empty() {
            let message = format!("{image} is uncovered by policy");
            return match self.no_match {
                NoMatch::Deny => AdmissionVerdict::refused(message),
                NoMatch::Warn => AdmissionVerdict::uncovered(vec![message]),
                NoMatch::Allow => AdmissionVerdict::uncovered(Vec::new()),
            };
        }
        let place = Place { admission: self, registry, name: &name };
        let verdicts = covering.into_iter().map(|policy| self.policy(policy, &place, resource)).collect();
        AdmissionVerdict::of(verdicts, warnings)
    }

    fn policy(&self, policy: &ClusterImagePolicy, place: &Place<'_>, resource: &Resource) -> PolicyVerdict {
        let mut authorities = Vec::new();
        let mut matches: Vec<(String, Json)> = Vec::new();
        let mut failures: Vec<Unmet> = Vec::new();
        for authority in &policy.authorities {
            match place.check(authority) {
                Ok(found) => {
                    authorities.push(AuthorityVerdict {
                        name: authority.name.clone(),
                        decision: Decision::Admitted,
                        message: String::new(),
                    });
                    matches.retain(|(name, _)| *name != authority.name);
                    matches.push((authority.name.clone(), describe(found)));
                }
                Err(unmet) => {
                    let (decision, message) = match &unmet.fault {
                        Fault::Refused(reason) => (Decision::Refused, reason.clone()),
                        Fault::Undecided(reason) => (Decision::Undecided, reason.clone()),
                    };
                    authorities.push(AuthorityVerdict { name: authority.name.clone(), decision, message });
                    failures.push(unmet);
                }
            }
        }
        let undecided = failures.iter().find_map(|unmet| match &unmet.fault {
            Fault::Undecided(reason) => Some(reason.clone()),
            Fault::Refused(_) => None,
        });
        let outcome = if policy.authorities.is_empty() {
            // Nothing matches, and nothing speaks against it: the controller lets it pass.
            Ok(())
        } else if matches.is_empty() {
            failures.sort_by_key(|unmet| unmet.rank);
            match (undecided, failures.into_iter().next()) {
                (Some(reason), _) => Err(Fault::Undecided(reason)),
                (None, Some(unmet)) => Err(unmet.fault),
                (None, None) => Ok(()),
            }
        } else {
            match self.rule(policy, place, resource, matches) {
                // Who is missing among the authorities may change what the rule says.
                _ if undecided.is_some() && policy.policy.is_some() => {
                    Err(Fault::Undecided(undecided.unwrap_or_default()))
                }
                // The controller prints the failures of authorities before the rule's.
                Err(Fault::Refused(reason)) => {
                    failures.sort_by_key(|unmet| unmet.rank);
                    Err(failures.into_iter().next().map_or(Fault::Refused(reason), |unmet| unmet.fault))
                }
                answer => answer,
            }
        };
        let (decision, message) = match outcome {
            Ok(()) => (Decision::Admitted, String::new()),
            Err(Fault::Refused(reason)) => (Decision::Refused, format!("{reason}: ")),
            Err(Fault::Undecided(reason)) => (Decision::Undecided, reason),
        };
        PolicyVerdict { name: policy.name.clone(), decision, message, warn: policy.warn, authorities }
    }

    /// The rule of the policy itself, over what the authorities found.
    fn rule(
        &self,
        policy: &ClusterImagePolicy,
        place: &Place<'_>,
        resource: &Resource,
        mut matches: Vec<(String, Json)>,
    ) -> Result<(), Fault> {
        let Some(rule) = &policy.policy else { return Ok(()) };
        matches.sort_by(|one, two| one.0.cmp(&two.0));
        let mut members = vec![("authorityMatches".to_owned(), Json::Object(matches))];
        if rule.fetch_config {
            let mut configs = BTreeMap::new();
            self.configs(place, &reference(place.name), INDICES, &mut configs)?;
            members.push(("config".to_owned(), Json::Object(configs.into_iter().collect())));
        }
        let mut include = |wanted: bool, name: &str, value: Option<Json>| {
            if let Some(value) = value.filter(|_| wanted) {
                members.push((name.to_owned(), value));
            }
        };
        include(rule.include_spec, "spec", resource.spec.clone());
        include(rule.include_metadata, "metadata", resource.metadata.clone());
        let kinds = [("apiVersion", &resource.api_version), ("kind", &resource.kind)];
        let kinds = kinds.map(|(name, value)| (name.to_owned(), Json::text(value.as_str())));
        include(
            rule.include_type,
            "typemeta",
            (!resource.kind.is_empty()).then(|| Json::Object(kinds.to_vec())),
        );
        let document = Json::Object(members).marshal();
        if rule.elsewhere && rule.language == "cue" {
            return Err(Fault::Undecided("the policy-level rule is kept elsewhere".to_owned()));
        }
        match evaluate_rule("ClusterImagePolicy", &rule.language, &rule.data, &document) {
            RuleAnswer::Accepted => Ok(()),
            RuleAnswer::Refused(reason) => Err(refused(reason)),
            RuleAnswer::Undecided(what) => Err(Fault::Undecided(what)),
        }
    }

    /// The config files of an image by platform, those of an index through its manifests.
    fn configs(
        &self,
        place: &Place<'_>,
        reference: &str,
        depth: usize,
        found: &mut BTreeMap<String, Json>,
    ) -> Result<(), Fault> {
        let repository = place.name.repository();
        let missing = || {
            refused(format!(
                "failed to get ref {repository}@{reference} : MANIFEST_UNKNOWN: manifest unknown"
            ))
        };
        let manifest =
            place.registry.manifest(&repository, reference).map_err(Fault::Undecided)?.ok_or_else(missing)?;
        let manifest = Json::parse(&manifest).map_err(refused)?;
        if let Some(below) = manifest.get("manifests") {
            if depth == 0 {
                return Err(Fault::Undecided("an index of indices of indices".to_owned()));
            }
            for entry in below.items() {
                self.configs(place, &text(entry, "digest"), depth - 1, found)?;
            }
            return Ok(());
        }
        let digest = manifest.get("config").map(|config| text(config, "digest")).unwrap_or_default();
        let digest: Digest =
            digest.parse().map_err(|_| refused("getting ConfigFile: the manifest names no config"))?;
        let size = manifest.get("config").and_then(|config| config.get("size"));
        let size = size.and_then(|size| size.raw().parse::<u64>().ok());
        let size = size.ok_or_else(|| refused("getting ConfigFile: the manifest does not say its size"))?;
        let blob =
            place.registry.blob(&repository, &digest, size).map_err(Fault::Undecided)?.ok_or_else(missing)?;
        digest.verify(&blob).map_err(|error| refused(error.to_string()))?;
        let config = Json::parse(&blob).and_then(|config| config.generic()).map_err(refused)?;
        let mut platform = format!("{}/{}", text(&config, "os"), text(&config, "architecture"));
        let variant = text(&config, "variant");
        if !variant.is_empty() {
            platform = format!("{platform}/{variant}");
        }
        let version = text(&config, "os.version");
        if !version.is_empty() {
            platform = format!("{platform}:{version}");
        }
        found.insert(platform, config);
        Ok(())
    }
}

fn reference(name: &ImageName) -> String {
    name.digest().or(name.tag()).unwrap_or("latest").to_owned()
}

fn describe(found: Match) -> Json {
    let member = |name: &str, value| Json::Object(vec![(name.to_owned(), value)]);
    match found {
        Match::Static => member("static", Json::Bool(true)),
        Match::Signatures(signatures) => member("signatures", Json::Array(signatures)),
        Match::Attestations(attestations) => {
            let each = attestations.into_iter().map(|(name, found)| (name, Json::Array(found))).collect();
            member("attestations", Json::Object(each))
        }
    }
}

/// Whether a policy is for this image and this resource.
fn covers(policy: &ClusterImagePolicy, name: &ImageName, resource: &Resource) -> Result<bool, String> {
    let (group, version) = match resource.api_version.split_once('/') {
        Some((group, version)) if !version.contains('/') => (group, version),
        Some(_) => return Err(format!("unexpected GroupVersion string: {}", resource.api_version)),
        None => ("", resource.api_version.as_str()),
    };
    let plural = resource.plural();
    if !policy.resources.is_empty() {
        let mut fits = false;
        for wanted in &policy.resources {
            let version_fits = wanted.version == version || wanted.version == "*";
            if wanted.resource != plural || !version_fits || wanted.group != group {
                continue;
            }
            let labels = wanted.labels.as_deref().unwrap_or_default();
            let mut all = true;
            for requirement in labels {
                all &= selects(requirement, &resource.labels)?;
            }
            if all {
                fits = true;
                break;
            }
        }
        if !fits {
            return Ok(false);
        }
    }
    for glob in &policy.globs {
        match Glob::parse(glob) {
            Ok(glob) if glob.admits(name) => return Ok(true),
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(false)
}

fn selects(requirement: &LabelRequirement, labels: &BTreeMap<String, String>) -> Result<bool, String> {
    let value = labels.get(&requirement.key);
    Ok(match requirement.operator.as_str() {
        "In" => value.is_some_and(|value| requirement.values.contains(value)),
        "NotIn" => !value.is_some_and(|value| requirement.values.contains(value)),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        _ => return Err("policy with wrong match label selector".to_owned()),
    })
}
