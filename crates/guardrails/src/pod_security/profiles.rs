//! The checks of AppArmor, SELinux and seccomp, by field and by annotation.

use std::collections::BTreeSet;

use lotse_yaml::pointer_escape;

use super::Violation;
use super::facts::{Facts, Security};
use super::words::{bad, contexts, fields, named, plural, quoted, setters, violation};

pub(super) fn app_armor(pod: &Facts<'_>) -> Option<Violation> {
    let allowed = |kind: &str| matches!(kind, "RuntimeDefault" | "Localhost");
    let is_bad = |context: &Security<'_>| context.app_armor.is_some_and(|profile| !allowed(profile.kind));
    let (mut who, mut places) = setters(pod, "securityContext/appArmorProfile/type", is_bad);
    let kinds: BTreeSet<&str> = contexts(pod)
        .filter(|context| is_bad(context))
        .filter_map(|c| c.app_armor.map(|profile| profile.kind))
        .collect();
    let mut values: Vec<String> = kinds.into_iter().map(str::to_owned).collect();
    let fine =
        |value: &str| value.is_empty() || value == "runtime/default" || value.starts_with("localhost/");
    let prefix = "container.apparmor.security.beta.kubernetes.io/";
    let annotations = pod.annotations.iter().filter(|(key, value)| key.starts_with(prefix) && !fine(value));
    let mut found: Vec<String> = Vec::new();
    for (key, value) in annotations {
        found.push(format!("{key}={}", go_quoted(value)));
        places.push(format!("{}/metadata/annotations/{}", pod.pointer, pointer_escape(key)));
    }
    if !found.is_empty() {
        found.sort();
        who.push(plural(found.len(), "annotation", "annotations").to_owned());
        values.append(&mut found);
    }
    if who.is_empty() {
        return None;
    }
    let detail = format!(
        "{} must not set AppArmor profile type to {}",
        who.join(" and "),
        quoted(values.iter().map(String::as_str))
    );
    violation(
        plural(values.len(), "forbidden AppArmor profile", "forbidden AppArmor profiles"),
        detail,
        places,
    )
}

pub(super) fn se_linux(pod: &Facts<'_>, engine: bool) -> Option<Violation> {
    let known = |kind: &str| {
        matches!(kind, "" | "container_t" | "container_init_t" | "container_kvm_t")
            || (engine && kind == "container_engine_t")
    };
    let is_bad = |context: &Security<'_>| {
        context.se_linux.as_ref().is_some_and(|options| !known(options.kind) || options.user || options.role)
    };
    let (who, places) = setters(pod, "securityContext/seLinuxOptions", is_bad);
    if who.is_empty() {
        return None;
    }
    let options = || contexts(pod).filter_map(|context| context.se_linux.as_ref());
    let kinds: BTreeSet<&str> = options().map(|options| options.kind).filter(|kind| !known(kind)).collect();
    let mut data = Vec::new();
    if !kinds.is_empty() {
        data.push(format!("{} {}", plural(kinds.len(), "type", "types"), quoted(kinds)));
    }
    if options().any(|options| options.user) {
        data.push("user may not be set".to_owned());
    }
    if options().any(|options| options.role) {
        data.push("role may not be set".to_owned());
    }
    let detail =
        format!("{} set forbidden securityContext.seLinuxOptions: {}", who.join(" and "), data.join("; "));
    violation("seLinuxOptions", detail, places)
}

pub(super) fn seccomp_annotations(pod: &Facts<'_>) -> Option<Violation> {
    let fine = |value: &str| {
        matches!(value, "runtime/default" | "docker/default") || value.starts_with("localhost/")
    };
    let mut keys = vec!["seccomp.security.alpha.kubernetes.io/pod".to_owned()];
    let prefix = "container.seccomp.security.alpha.kubernetes.io/";
    keys.extend(pod.containers.iter().map(|container| format!("{prefix}{}", container.name)));
    let mut found = BTreeSet::new();
    let mut places = BTreeSet::new();
    for key in keys {
        if let Some((_, value)) = pod.annotations.iter().find(|(name, value)| *name == key && !fine(value)) {
            found.insert(format!("{key}={}", go_quoted(value)));
            places.insert(format!("{}/metadata/annotations/{}", pod.pointer, pointer_escape(&key)));
        }
    }
    if found.is_empty() {
        return None;
    }
    let list: Vec<String> = found.into_iter().collect();
    let detail = format!("forbidden {} {}", plural(list.len(), "annotation", "annotations"), list.join(", "));
    violation("seccompProfile", detail, places.into_iter().collect())
}

const SECCOMP: &str = "securityContext/seccompProfile/type";

fn is_seccomp(kind: &str) -> bool {
    matches!(kind, "RuntimeDefault" | "Localhost")
}

pub(super) fn seccomp_baseline(pod: &Facts<'_>) -> Option<Violation> {
    let is_bad = |context: &Security<'_>| context.seccomp.is_some_and(|kind| !is_seccomp(kind));
    let (who, places) = setters(pod, SECCOMP, is_bad);
    if who.is_empty() {
        return None;
    }
    let kinds: BTreeSet<&str> =
        contexts(pod).filter_map(|context| context.seccomp).filter(|kind| !is_seccomp(kind)).collect();
    let detail = format!(
        "{} must not set securityContext.seccompProfile.type to {}",
        who.join(" and "),
        quoted(kinds)
    );
    violation("seccompProfile", detail, places)
}

pub(super) fn seccomp_restricted(pod: &Facts<'_>) -> Option<Violation> {
    if let Some(explicit) = seccomp_baseline(pod) {
        return Some(explicit);
    }
    if pod.security.seccomp.is_some() {
        return None;
    }
    let containers = bad(pod, |container| container.security.seccomp.is_none());
    if containers.is_empty() {
        return None;
    }
    let detail = format!(
        "pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
        named(&containers)
    );
    violation("seccompProfile", detail, fields(&containers, SECCOMP))
}

/// A text as Go's `%q` prints it.
fn go_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            letter if letter.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(letter))),
            // The standard library escapes what is not printable, as Go does, in another notation.
            letter if format!("{:?}", format!("x{letter}")).contains("\\u{") => {
                let code = u32::from(letter);
                out.push_str(&if code > 0xffff {
                    format!("\\U{code:08x}")
                } else {
                    format!("\\u{code:04x}")
                });
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}
