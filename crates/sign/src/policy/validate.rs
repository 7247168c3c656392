//! What the webhook's validation says of a decoded document, field by field.

use super::glob::Glob;
use super::image;
use super::issue::{Issue, Issues};
use super::json::Json;
use super::model::{object, text};
use super::pem;
use super::regexp::{GoRegex, RegexError};
use super::url;

const KMS: [&str; 4] = ["awskms://", "azurekms://", "hashivault://", "gcpkms://"];
const HASHES: [&str; 4] = ["sha224", "sha256", "sha384", "sha512"];
/// Deprecated short names that are known; other texts that are no URI are warned about in the same words.
const SHORT: [&str; 7] = ["custom", "slsaprovenance", "spdx", "spdxjson", "cyclonedx", "link", "vuln"];
/// The namespace that the controller is deployed to by default.
const NAMESPACE: &str = "cosign-system";

pub(crate) fn document(document: &Json, empty_authorities: bool) -> Issues {
    let nothing = Json::Object(Vec::new());
    spec(object(document, "spec").unwrap_or(&nothing), empty_authorities).via("spec")
}

fn list<'a>(value: &'a Json, name: &str) -> &'a [Json] {
    value.get(name).map(Json::items).unwrap_or_default()
}

fn is_set(value: &Json, name: &str) -> bool {
    value.get(name).is_some_and(|value| *value != Json::Null)
}

fn spec(spec: &Json, empty_authorities: bool) -> Issues {
    let mut issues = Issues::default();
    if list(spec, "images").is_empty() {
        issues.push(Issue::missing(&["images"]));
    }
    for (at, entry) in list(spec, "images").iter().enumerate() {
        issues.also(glob(entry).via_index("images", at));
    }
    if list(spec, "authorities").is_empty() && !empty_authorities {
        issues.push(Issue::missing(&["authorities"]));
    }
    for (at, entry) in list(spec, "authorities").iter().enumerate() {
        issues.also(authority(entry).via_index("authorities", at));
    }
    let mode = text(spec, "mode");
    if !matches!(mode.as_str(), "" | "enforce" | "warn") {
        issues.push(Issue::invalid(&mode, "mode", "unsupported mode"));
    }
    for (at, entry) in list(spec, "match").iter().enumerate() {
        let nothing = ["resource", "version", "group"].iter().all(|name| text(entry, name).is_empty());
        if object(entry, "selector").is_some() && nothing {
            let mut found = Issues::default();
            found.push(Issue::invalid(
                "",
                "selector",
                "selector requires a resource type to match the labels",
            ));
            issues.also(found.via_index("match", at));
        }
    }
    if let Some(rule) = object(spec, "policy") {
        // The controller leaves `policy` out of these paths.
        let mut found = policy(rule, true);
        for issue in &mut found.0 {
            issue.pointer = format!("/policy{}", issue.pointer);
        }
        issues.also(found);
    }
    issues
}

fn glob(entry: &Json) -> Issues {
    let mut issues = Issues::default();
    let glob = text(entry, "glob");
    if glob.is_empty() {
        issues.push(Issue::missing(&["glob"]));
    } else if let Err(error) = Glob::parse(&glob) {
        // Go's own matcher looks first, and only minds brackets and a backslash.
        let reason =
            if bad_path_pattern(&glob) { "syntax error in pattern".to_owned() } else { error.to_string() };
        let mut found = Issues::default();
        found.push(Issue::invalid(&glob, "", &format!("glob is invalid: {reason}")));
        issues.also(found.via("glob"));
    }
    issues
}

/// Whether `filepath.Match(pattern, "")` errs: it scans the whole pattern even after a mismatch.
fn bad_path_pattern(pattern: &str) -> bool {
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.next().is_none() => return true,
            '[' => {
                if characters.peek() == Some(&'^') {
                    characters.next();
                }
                let mut ranges = 0;
                loop {
                    match characters.next() {
                        Some(']') if ranges > 0 => break,
                        None | Some(']' | '-') => return true,
                        Some('\\') if characters.next().is_none() => return true,
                        Some(_) => {}
                    }
                    if characters.peek() == Some(&'-') {
                        characters.next();
                        match characters.next() {
                            None | Some(']' | '-') => return true,
                            Some('\\') if characters.next().is_none() => return true,
                            Some(_) => {}
                        }
                    }
                    ranges += 1;
                }
            }
            _ => {}
        }
    }
    false
}

fn authority(entry: &Json) -> Issues {
    let mut issues = Issues::default();
    let (key, keyless, fixed) = (object(entry, "key"), object(entry, "keyless"), object(entry, "static"));
    match [key, keyless, fixed].iter().flatten().count() {
        0 => {
            issues.push(Issue::neither(&["key", "keyless", "static"]));
            return issues;
        }
        1 => {}
        _ => {
            issues.push(Issue::both(&["key", "keyless", "static"]));
            return issues;
        }
    }
    if let Some(key) = key {
        issues.also(key_reference(key).via("key"));
    }
    if let Some(keyless) = keyless {
        issues.also(keyless_reference(keyless).via("keyless"));
    }
    if let Some(fixed) = fixed {
        let action = text(fixed, "action");
        let mut found = Issues::default();
        match action.as_str() {
            "pass" | "fail" => {}
            "" => found.push(Issue::missing(&["action"])),
            other => found.push(Issue::invalid(other, "action", "unsupported action")),
        }
        issues.also(found.via("static"));
        for name in ["attestations", "source"] {
            if !list(entry, name).is_empty() {
                issues.push(Issue::both(&["static", name]));
            }
        }
        for name in ["ctlog", "rfc3161timestamp"] {
            if object(entry, name).is_some() {
                issues.push(Issue::both(&["static", name]));
            }
        }
    }
    let sources = list(entry, "source");
    if sources.len() > 1 {
        issues.push(Issue::invalid("source", "source", "only single source is supported"));
    } else {
        for (at, source) in sources.iter().enumerate() {
            issues.also(source_reference(source).via_index("source", at));
        }
    }
    for (at, attestation) in list(entry, "attestations").iter().enumerate() {
        issues.also(attestation_rule(attestation).via_hidden_index("attestations", at));
    }
    issues
}

fn key_reference(key: &Json) -> Issues {
    let mut issues = Issues::default();
    let (data, kms, secret) = (text(key, "data"), text(key, "kms"), object(key, "secretRef"));
    const ALL: [&str; 3] = ["data", "kms", "secretref"];
    if data.is_empty() && kms.is_empty() && secret.is_none() {
        issues.push(Issue::neither(&ALL));
    }
    let hash = text(key, "hashAlgorithm");
    if !hash.is_empty() && !HASHES.contains(&hash.trim().to_lowercase().as_str()) {
        issues.push(Issue::invalid(&hash, "hashAlgorithm", ""));
    }
    if !data.is_empty() {
        if !kms.is_empty() || secret.is_some() {
            issues.push(Issue::both(&ALL));
        }
        if !pem::is_public_key(&data) {
            issues.push(Issue::invalid(&data, "data", ""));
        }
    } else if !kms.is_empty() && secret.is_some() {
        issues.push(Issue::both(&ALL));
    }
    if !kms.is_empty() {
        issues.also(kms_reference(&kms).via("kms"));
    }
    if let Some(secret) = secret {
        let namespace = text(secret, "namespace");
        if !namespace.is_empty() && namespace != NAMESPACE {
            let details = "secretref.namespace is invalid. If set, it should use the same namespace where the policy-controller was deployed";
            issues.push(Issue::invalid(&namespace, "secretref.namespace", details));
        }
    }
    issues
}

fn kms_reference(kms: &str) -> Issues {
    let mut issues = Issues::default();
    if !KMS.iter().any(|scheme| kms.starts_with(scheme)) {
        let details = format!(
            "malformed KMS format, should be prefixed by any of the supported providers: [{}]",
            KMS.join(" ")
        );
        issues.push(Issue::invalid(kms, "", &details));
    } else if kms.starts_with("awskms://")
        && let Err(reason) = aws(kms)
    {
        issues.push(Issue::invalid(kms, "", &reason));
    }
    issues
}

/// An AWS reference: `awskms://[host:port]/arn:…`; the regular forms are checked first, then only ARNs pass.
fn aws(kms: &str) -> Result<(), String> {
    const DOCUMENTATION: &str = "should be conformant with KMS standard documented here: https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id";
    const FORMAT: &str =
        "kms key should be in the format awskms://[ENDPOINT]/[ID/ALIAS/ARN] (endpoint optional)";
    const UUID: &str =
        "m?r?k?-?[A-Fa-f0-9]{8}-?[A-Fa-f0-9]{4}-?[A-Fa-f0-9]{4}-?[A-Fa-f0-9]{4}-?[A-Fa-f0-9]{12}";
    const ARN: &str = r"arn:(?:aws|aws-us-gov|aws-cn):kms:[a-z0-9-]+:[0-9]{12}:";
    let parts: Vec<&str> = kms.split('/').collect();
    if parts.len() < 4 {
        return Err(format!("malformed AWS KMS format 'awskms://$ENDPOINT/$KEYID', {DOCUMENTATION}"));
    }
    let forms =
        [UUID.to_owned(), format!("{ARN}key/{UUID}"), "alias/.*".to_owned(), format!("{ARN}alias/.*")];
    let fits = forms.iter().any(|form| {
        GoRegex::new(&format!("^awskms://[^/]*/(?:{form})$")).is_ok_and(|regex| regex.matches(kms))
    });
    let endpoint = parts.get(2).copied().unwrap_or_default();
    if !fits || endpoint.starts_with("arn") || endpoint.starts_with("alias") {
        return Err(FORMAT.to_owned());
    }
    if !endpoint.is_empty() {
        let reason = match endpoint.matches(':').count() {
            0 => Some("missing port in address"),
            1 => None,
            _ => Some("too many colons in address"),
        };
        if let Some(reason) = reason {
            return Err(format!("malformed endpoint: address {endpoint}: {reason}"));
        }
    }
    let id = parts.get(3).copied().unwrap_or_default();
    let sections: Vec<&str> = id.splitn(6, ':').collect();
    if !id.starts_with("arn:") {
        return Err("failed to parse either key or alias arn: arn: invalid prefix".to_owned());
    }
    match sections.as_slice() {
        [_, _, _, _, _, "key" | "alias"] => Ok(()),
        [_, _, _, _, _, resource] => Err(format!("Got ARN: {id} Resource: {resource}")),
        _ => Err("failed to parse either key or alias arn: arn: not enough sections".to_owned()),
    }
}

fn keyless_reference(keyless: &Json) -> Issues {
    let mut issues = Issues::default();
    let ca = object(keyless, "ca-cert");
    // Without both the default address stands in: "neither" cannot come up.
    if is_set(keyless, "url") && ca.is_some() {
        issues.push(Issue::both(&["url", "ca-cert"]));
    }
    if let Some(ca) = ca {
        issues.also(key_reference(ca).via("ca-cert"));
    }
    let identities = list(keyless, "identities");
    if identities.is_empty() {
        issues.push(Issue::missing(&["identities"]));
    }
    for (at, entry) in identities.iter().enumerate() {
        issues.also(identity(entry).via_index("identities", at));
    }
    issues
}

fn identity(entry: &Json) -> Issues {
    let mut issues = Issues::default();
    let sides = [("issuer", "issuerRegExp"), ("subject", "subjectRegExp")];
    for (exact, pattern) in sides {
        if !text(entry, exact).is_empty() && !text(entry, pattern).is_empty() {
            issues.push(Issue::both(&[exact, pattern]));
        }
    }
    for (_, field) in sides {
        let pattern = text(entry, field);
        if let Err(RegexError::Invalid(reason)) = GoRegex::new(&pattern) {
            let mut found = Issues::default();
            found.push(Issue::invalid(&pattern, "", &format!("regex is invalid: {reason}")));
            issues.also(found.via(field));
        }
    }
    for (exact, pattern) in sides.into_iter().rev() {
        if text(entry, exact).is_empty() && text(entry, pattern).is_empty() {
            issues.push(Issue::missing(&[exact, pattern]));
        }
    }
    issues
}

fn source_reference(source: &Json) -> Issues {
    let mut issues = Issues::default();
    let oci = text(source, "oci");
    if !oci.is_empty() {
        let checked = match oci.split_once('/') {
            Some((first, _)) if first.contains(['.', ':']) => image::repository(&oci, true).map(|_| ()),
            _ => image::registry(&oci, true).map(|_| ()),
        };
        if let Err(reason) = checked {
            issues.push(Issue::invalid(&oci, "oci", &reason));
        }
    }
    for (at, secret) in list(source, "signaturePullSecrets").iter().enumerate() {
        if text(secret, "name").is_empty() {
            // The controller puts this path in front of everything found so far.
            issues.push(Issue::missing(&["name"]));
            issues = issues.via_index("signaturePullSecrets", at);
        }
    }
    issues
}

fn attestation_rule(attestation: &Json) -> Issues {
    let mut issues = Issues::default();
    if text(attestation, "name").is_empty() {
        issues.push(Issue::missing(&["name"]));
    }
    let predicate_type = text(attestation, "predicateType");
    if predicate_type.is_empty() {
        issues.push(Issue::missing(&["predicateType"]));
    } else if SHORT.contains(&predicate_type.as_str()) || !url::is_request_uri(&predicate_type) {
        let details = "deprecated value, please use RFC 3986 conformant values";
        issues.push(Issue::invalid(&predicate_type, "predicateType", details).warn());
    }
    if let Some(rule) = object(attestation, "policy") {
        issues.also(policy(rule, false).via("policy"));
    }
    issues
}

fn policy(rule: &Json, in_spec: bool) -> Issues {
    let mut issues = Issues::default();
    let language = text(rule, "type");
    if !matches!(language.as_str(), "cue" | "rego") {
        issues.push(Issue::invalid(&language, "type", "only [cue,rego] are supported at the moment"));
    }
    let (data, config_map, remote) =
        (text(rule, "data"), object(rule, "configMapRef"), object(rule, "remote"));
    const ALL: [&str; 3] = ["data", "configMapRef", "remote"];
    let given = [!data.is_empty(), config_map.is_some(), remote.is_some()];
    match given.iter().filter(|given| **given).count() {
        0 => issues.push(Issue::missing(&ALL)),
        1 => {}
        2 => issues.push(Issue::both(&ALL)),
        _ => {
            issues.push(Issue::both(&ALL));
            issues.push(Issue::both(&ALL));
        }
    }
    if let Some(remote) = remote {
        let mut found = Issues::default();
        let address = text(remote, "url");
        if !url::is_https(&address) {
            found.push(Issue::invalid(
                &address,
                "url",
                "url valid is invalid. host and https scheme are expected",
            ));
        }
        if text(remote, "sha256sum").is_empty() {
            found.push(Issue::missing(&["sha256sum"]));
        }
        issues.also(found.via("remote"));
    }
    if let Some(config_map) = config_map {
        let mut found = Issues::default();
        for name in ["name", "key"] {
            if text(config_map, name).is_empty() {
                found.push(Issue::missing(&[name]));
            }
        }
        issues.also(found.via("configMapRef"));
    }
    if !in_spec {
        for name in ["fetchConfigFile", "includeSpec", "includeObjectMeta", "includeTypeMeta"] {
            if is_set(rule, name) {
                issues.push(Issue::disallowed(name));
            }
        }
    }
    issues
}
