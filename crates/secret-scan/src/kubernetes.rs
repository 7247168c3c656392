//! Kubernetes Secrets in the clear: every value under `data` and `stringData`, decoded, at its place in the file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lotse_yaml::{Dialect, Limits, Node, Stream};

pub(crate) const ID: &str = "kubernetes-secret";
pub(crate) const DESCRIPTION: &str = "value of a Kubernetes Secret in the clear";

/// One value of a Secret.
pub(crate) struct SecretValue {
    /// `data.password`, for the place.
    pub(crate) part: String,
    pub(crate) offset: usize,
    /// As it will be mounted.
    pub(crate) decoded: Vec<u8>,
}

/// The values of all Secrets in a text; nothing if it is no readable YAML (then the other rules have seen it as text).
pub(crate) fn secret_values(bytes: &[u8]) -> Vec<SecretValue> {
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|w| w == needle);
    if !has(b"Secret") || !has(b"kind") || bytes.len() > 4 << 20 {
        return Vec::new();
    }
    let limits = Limits { bytes: 4 << 20, depth: 64, documents: 10_000, nodes: 500_000, expanded: 500_000 };
    let Ok(stream) = Stream::parse(bytes, Dialect::Kubectl, &limits) else { return Vec::new() };
    let mut out = Vec::new();
    for root in stream.documents().iter().filter_map(|document| document.root()) {
        secrets(root, &mut out);
    }
    out
}

fn member<'a>(node: &Node<'a>, key: &str) -> Option<Node<'a>> {
    node.entries().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
}

fn secrets(root: Node<'_>, out: &mut Vec<SecretValue>) {
    match member(&root, "kind").and_then(|kind| kind.text().map(str::to_owned)).as_deref() {
        Some("List" | "SecretList") => {
            member(&root, "items").iter().flat_map(|items| items.items()).for_each(|item| secrets(item, out));
        }
        Some("Secret") => {
            for (name, encoded) in [("data", true), ("stringData", false)] {
                for (key, value) in member(&root, name).iter().flat_map(|data| data.entries()) {
                    let Some(text) = value.text() else { continue };
                    let compact: String = text.split_whitespace().collect();
                    let decoded =
                        if encoded { STANDARD.decode(compact).ok() } else { Some(text.as_bytes().to_vec()) };
                    let Some(decoded) = decoded else { continue };
                    let part = format!("{name}.{}", key.text().unwrap_or_default());
                    out.push(SecretValue { part, offset: value.span().start, decoded });
                }
            }
        }
        _ => {}
    }
}
