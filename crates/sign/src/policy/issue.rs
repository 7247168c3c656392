use std::collections::BTreeMap;
use std::fmt;

use lotse_yaml::Position;

/// Something that the webhook says of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Issue {
    /// What is wrong, in the webhook's words.
    pub message: String,
    /// The fields it is said of, as `spec.authorities[0].key`.
    pub paths: Vec<String>,
    /// More words, or nothing.
    pub details: String,
    /// Whether the document is taken nevertheless.
    pub warning: bool,
    /// Where in the text.
    pub position: Option<Position>,
    /// The JSON pointer by which the position was found.
    pub(crate) pointer: String,
}

impl Issue {
    pub(crate) fn new(message: impl Into<String>, fields: &[&str]) -> Self {
        let first = fields.first().copied().unwrap_or_default();
        Self {
            message: message.into(),
            paths: fields.iter().map(|field| (*field).to_owned()).collect(),
            details: String::new(),
            warning: false,
            position: None,
            pointer: if first.is_empty() { String::new() } else { format!("/{}", first.replace('.', "/")) },
        }
    }

    pub(crate) fn missing(fields: &[&str]) -> Self {
        Self::new("missing field(s)", fields)
    }

    pub(crate) fn neither(fields: &[&str]) -> Self {
        Self::new("expected exactly one, got neither", fields)
    }

    pub(crate) fn both(fields: &[&str]) -> Self {
        Self::new("expected exactly one, got both", fields)
    }

    pub(crate) fn disallowed(field: &str) -> Self {
        Self::new("must not set the field(s)", &[field])
    }

    pub(crate) fn invalid(value: &str, field: &str, details: &str) -> Self {
        Self { details: details.to_owned(), ..Self::new(format!("invalid value: {value}"), &[field]) }
    }

    pub(crate) fn warn(self) -> Self {
        Self { warning: true, ..self }
    }
}

/// Issues that grow from the inside to the outside, each step adding a field in front of all paths.
#[derive(Default)]
pub(crate) struct Issues(pub(crate) Vec<Issue>);

impl Issues {
    pub(crate) fn push(&mut self, issue: Issue) {
        self.0.push(issue);
    }

    pub(crate) fn also(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn via(mut self, field: &str) -> Self {
        for issue in &mut self.0 {
            for path in &mut issue.paths {
                *path = join(field, path);
            }
            issue.pointer = format!("/{}{}", lotse_yaml::pointer_escape(field), issue.pointer);
        }
        self
    }

    pub(crate) fn via_index(mut self, field: &str, index: usize) -> Self {
        let prefix = format!("{field}[{index}]");
        for issue in &mut self.0 {
            for path in &mut issue.paths {
                *path = join(&prefix, path);
            }
            issue.pointer = format!("/{}/{index}{}", lotse_yaml::pointer_escape(field), issue.pointer);
        }
        self
    }

    /// As [`via`](Self::via) in the paths, as [`via_index`](Self::via_index) in the pointer: the controller leaves this index out.
    pub(crate) fn via_hidden_index(mut self, field: &str, index: usize) -> Self {
        for issue in &mut self.0 {
            for path in &mut issue.paths {
                *path = join(field, path);
            }
            issue.pointer = format!("/{}/{index}{}", lotse_yaml::pointer_escape(field), issue.pointer);
        }
        self
    }
}

fn join(prefix: &str, path: &str) -> String {
    if path.is_empty() { prefix.to_owned() } else { format!("{prefix}.{path}") }
}

/// What the webhook prints: equal messages merged, their paths and the messages sorted.
pub(crate) struct Merged<'a>(pub(crate) Vec<&'a Issue>);

impl fmt::Display for Merged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut merged: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for issue in &self.0 {
            let repeated = merged.contains_key(&(issue.message.as_str(), issue.details.as_str()));
            let paths = merged.entry((&issue.message, &issue.details)).or_default();
            paths.extend(issue.paths.iter().map(String::as_str));
            paths.sort_unstable();
            if repeated {
                paths.dedup();
            }
        }
        for (at, ((message, details), paths)) in merged.iter().enumerate() {
            let newline = if at > 0 { "\n" } else { "" };
            write!(f, "{newline}{message}: {}", paths.join(", "))?;
            if !details.is_empty() {
                write!(f, "\n{details}")?;
            }
        }
        Ok(())
    }
}
