use lotse_yaml::{Dialect, Document, Limits, Position, Stream};

use super::issue::{Issue, Merged};
use super::json::Json;
use super::model::{self, ClusterImagePolicy};
use super::{schema, validate};

/// Bytes of a text of policies, and documents in it.
const BYTES: usize = 4 << 20;
const DOCUMENTS: usize = 1000;

/// The policies of one text, each with the places of its fields.
#[derive(Clone, Debug)]
pub struct PolicySet {
    policies: Vec<ClusterImagePolicy>,
    warnings: Vec<Issue>,
    documents: Vec<Located>,
    hidden: Vec<Position>,
}

/// How a text of policies is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadOptions {
    /// Takes policies without authorities, which admit nothing and refuse nothing by themselves
    /// (`fail-on-empty-authorities: false`).
    pub dangerous_empty_authorities: bool,
}

/// Why a text of policies was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct PolicyError {
    /// The webhook's words.
    pub message: String,
    /// Where, as far as it is known.
    pub position: Option<Position>,
    /// The findings field by field, if it came that far.
    pub issues: Vec<Issue>,
}

/// A document and where it stands in the whole text.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    document: Document,
    line: usize,
    offset: usize,
}

impl Located {
    /// The place of a field, or of what stands where it is missing.
    pub(crate) fn locate(&self, pointer: &str) -> Position {
        let place = self.document.locate(pointer);
        Position { line: place.line + self.line, column: place.column, offset: place.offset + self.offset }
    }

    pub(crate) fn node(&self, pointer: &str) -> Option<lotse_yaml::Node<'_>> {
        self.document.pointer(pointer)
    }
}

impl PolicySet {
    /// Reads and validates policies as the webhook does: documents part at lines of exactly `---`, defaults are applied, every
    /// document must be a ClusterImagePolicy (or a Secret of the controller's namespace, which is passed over).
    ///
    /// # Errors
    ///
    /// [`PolicyError`] in the webhook's words for the first document that it refuses.
    pub fn parse(text: &str, options: ReadOptions) -> Result<Self, PolicyError> {
        if text.is_empty() {
            return Err(refused("document is required to create policy", None));
        }
        if text.len() > BYTES {
            return Err(refused("the text is longer than 4 MiB", None));
        }
        let mut read = Vec::new();
        for (at, (offset, chunk)) in chunks(text).into_iter().enumerate().take(DOCUMENTS) {
            if let Some(document) = open(text, offset, chunk, at)? {
                read.push((at, document));
            }
        }
        let mut set =
            Self { policies: Vec::new(), warnings: Vec::new(), documents: Vec::new(), hidden: Vec::new() };
        for (at, opened) in read {
            let Opened { located, json, api_version, kind, hidden } = opened;
            set.hidden.extend(hidden);
            let version = match (api_version.as_str(), kind.as_str()) {
                ("policy.sigstore.dev/v1beta1", "ClusterImagePolicy") => "v1beta1",
                ("policy.sigstore.dev/v1alpha1", "ClusterImagePolicy") => "v1alpha1",
                ("v1", "Secret") => {
                    let namespace = json.get("metadata").map(|metadata| model::text(metadata, "namespace"));
                    let namespace = namespace.unwrap_or_default();
                    if namespace != "cosign-system" {
                        let message = format!("invalid value: {namespace}: [{at}].metadata.namespace");
                        return Err(refused(&message, Some(located.locate("/metadata/namespace"))));
                    }
                    continue;
                }
                _ => {
                    let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
                    let version =
                        api_version.rsplit_once('/').map_or(api_version.as_str(), |(_, version)| version);
                    let message = format!("unknown type: {group}/{version}, Kind={kind}");
                    return Err(refused(&message, Some(located.locate("/kind"))));
                }
            };
            let (decoded, misfit) = schema::decode(&json, version);
            if let Some(misfit) = misfit {
                let message = format!("unable to unmarshal: {}", misfit.message);
                return Err(refused(&message, Some(located.locate(&misfit.pointer))));
            }
            let mut issues = validate::document(&decoded, options.dangerous_empty_authorities).0;
            for issue in &mut issues {
                issue.position = Some(located.locate(&issue.pointer));
            }
            // The controller keeps the warnings of the last document alone; so does the message, the list keeps all.
            if issues.iter().any(|issue| !issue.warning) {
                let message = Merged(issues.iter().filter(|issue| !issue.warning).collect()).to_string();
                let position = issues.iter().find(|issue| !issue.warning).and_then(|issue| issue.position);
                return Err(PolicyError { message, position, issues });
            }
            set.warnings.retain(|_| false);
            set.warnings.extend(issues);
            let index = set.documents.len();
            set.policies.push(model::read(&decoded, version, located.locate(""), index));
            set.documents.push(located);
        }
        Ok(set)
    }

    /// The policies in their order.
    #[must_use]
    pub fn policies(&self) -> &[ClusterImagePolicy] {
        &self.policies
    }

    /// What the webhook warns about; like the controller, only of the last document.
    #[must_use]
    pub fn warnings(&self) -> &[Issue] {
        &self.warnings
    }

    /// The warnings as the webhook prints them, nothing if there are none.
    #[must_use]
    pub fn warning_text(&self) -> String {
        Merged(self.warnings.iter().collect()).to_string()
    }

    /// Where documents start that the controller does not read: their separator is followed by blanks or a carriage return.
    #[must_use]
    pub fn hidden_documents(&self) -> &[Position] {
        &self.hidden
    }

    pub(crate) fn located(&self, policy: &ClusterImagePolicy) -> Option<&Located> {
        self.documents.get(policy.document)
    }
}

struct Opened {
    located: Located,
    json: Json,
    api_version: String,
    kind: String,
    hidden: Vec<Position>,
}

fn refused(message: &str, position: Option<Position>) -> PolicyError {
    PolicyError { message: message.to_owned(), position, issues: Vec::new() }
}

/// The texts between lines of exactly `---`, with their offsets.
fn chunks(text: &str) -> Vec<(usize, &str)> {
    let mut chunks = Vec::new();
    let mut start = 0;
    while let Some(found) = text.get(start..).and_then(|rest| rest.find("\n---\n")) {
        chunks.push((start, text.get(start..start + found).unwrap_or_default()));
        start += found + 5;
    }
    chunks.push((start, text.get(start..).unwrap_or_default()));
    chunks
}

fn open(text: &str, start: usize, chunk: &str, at: usize) -> Result<Option<Opened>, PolicyError> {
    let trimmed = chunk.trim();
    if trimmed.is_empty() {
        return Ok(None);
    }
    let offset = start + chunk.len() - chunk.trim_start().len();
    let line = text.get(..offset).unwrap_or_default().matches('\n').count();
    let shifted = |position: Position| Position {
        line: position.line + line,
        column: position.column,
        offset: position.offset + offset,
    };
    let broken = |error: &lotse_yaml::Error| {
        let message = format!("decoding object[{at}]: error converting YAML to JSON: {error}");
        refused(&message, error.position().map(shifted))
    };
    let stream = Stream::parse(trimmed.as_bytes(), Dialect::ApiServer, &Limits::small_file())
        .map_err(|error| broken(&error))?;
    let hidden = stream
        .dropped()
        .iter()
        .map(|range| {
            let before = trimmed.get(..range.start).unwrap_or_default();
            let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
            shifted(Position { line: before.matches('\n').count() + 1, column, offset: range.start })
        })
        .collect();
    let missing = |field: &str, place: Position| {
        Err(refused(&format!("missing field(s): [{at}].{field}"), Some(place)))
    };
    let Some(document) = stream.documents().first().cloned() else {
        return missing("apiVersion", shifted(Position { line: 1, column: 1, offset: 0 }));
    };
    let located = Located { document, line, offset };
    let value = located.document.value().map_err(|error| broken(&error))?;
    let json = Json::from(&value);
    if json == Json::Null {
        return missing("apiVersion", located.locate(""));
    }
    let kind = model::text(&json, "kind");
    if kind.is_empty() {
        let message = match &json {
            Json::Object(_) => format!("Object 'Kind' is missing in '{}'", json.marshal()),
            other => format!(
                "json: cannot unmarshal {} into Go value of type struct {{ Items json.RawMessage }}",
                other.kind()
            ),
        };
        let message =
            format!("decoding object[{at}]: error unmarshaling JSON: while decoding JSON: {message}");
        return Err(refused(&message, Some(located.locate(""))));
    }
    let api_version = model::text(&json, "apiVersion");
    if api_version.is_empty() {
        return missing("apiVersion", located.locate("/apiVersion"));
    }
    if json.get("metadata").map(|metadata| model::text(metadata, "name")).unwrap_or_default().is_empty() {
        return missing("metadata.name", located.locate("/metadata/name"));
    }
    Ok(Some(Opened { located, json, api_version, kind, hidden }))
}
