//! The reference's way of naming who sets what, and the fields behind it.

use super::Violation;
use super::facts::{Container, Facts, Security};

pub(super) fn violation(reason: &str, detail: String, fields: Vec<String>) -> Option<Violation> {
    Some(Violation { check: "", reason: reason.to_owned(), detail, fields })
}

pub(super) fn quoted<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let items: Vec<_> = items.into_iter().collect();
    if items.is_empty() { String::new() } else { format!("\"{}\"", items.join("\", \"")) }
}

pub(super) fn plural<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

/// `container "a"` or `containers "a", "b"`.
pub(super) fn named(bad: &[&Container<'_>]) -> String {
    format!(
        "{} {}",
        plural(bad.len(), "container", "containers"),
        quoted(bad.iter().map(|container| container.name))
    )
}

pub(super) fn fields(bad: &[&Container<'_>], below: &str) -> Vec<String> {
    bad.iter().map(|container| format!("{}/{below}", container.pointer)).collect()
}

pub(super) fn bad<'p, 'a>(
    pod: &'p Facts<'a>,
    is_bad: impl Fn(&Container<'a>) -> bool,
) -> Vec<&'p Container<'a>> {
    pod.containers.iter().filter(|container| is_bad(container)).collect()
}

/// Who sets a field badly: the pod, containers, or both; with the pointers of the fields.
pub(super) fn setters<'a>(
    pod: &Facts<'a>,
    below: &str,
    is_bad: impl Fn(&Security<'a>) -> bool,
) -> (Vec<String>, Vec<String>) {
    let mut who = Vec::new();
    let mut places = Vec::new();
    if is_bad(&pod.security) {
        who.push("pod".to_owned());
        places.push(format!("{}/spec/{below}", pod.pointer));
    }
    let containers = bad(pod, |container| is_bad(&container.security));
    if !containers.is_empty() {
        who.push(named(&containers));
        places.extend(fields(&containers, below));
    }
    (who, places)
}

/// All security contexts: the pod's first.
pub(super) fn contexts<'p, 'a>(pod: &'p Facts<'a>) -> impl Iterator<Item = &'p Security<'a>> {
    std::iter::once(&pod.security).chain(pod.containers.iter().map(|container| &container.security))
}
