//! From a located tree to the value a reader gets, with its treatment of equal keys, merge keys and aliases.

use std::collections::BTreeMap;

use crate::resolve::{Scalar, key_text, resolve};
use crate::tree::Content;
use crate::{Dialect, Document, Error, Limits, Map, Node, Position, Value};

/// The state of one conversion.
pub(crate) struct Conversion {
    dialect: Dialect,
    limits: Limits,
    /// Aliases that are being followed.
    following: Vec<usize>,
    /// Values made so far, and how many of them under an alias: Go's guard against alias bombs.
    made: usize,
    aliased: usize,
}

impl Conversion {
    pub(crate) fn document(document: &Document) -> Self {
        // Go counts the document itself as one step.
        Self {
            dialect: document.dialect,
            limits: document.limits,
            following: Vec::new(),
            made: 1,
            aliased: 0,
        }
    }

    fn count(&mut self, node: Node<'_>, depth: usize) -> Result<(), Error> {
        self.made += 1;
        if !self.following.is_empty() {
            self.aliased += 1;
        }
        let position = node.position();
        if self.made > self.limits.expanded {
            return Err(Error::Limit { what: "values after aliases", limit: self.limits.expanded, position });
        }
        if depth > self.limits.depth {
            return Err(Error::Limit { what: "levels", limit: self.limits.depth, position });
        }
        if self.dialect.is_kubernetes() && is_bomb(self.made, self.aliased) {
            return refuse(position, "the document expands too much through its aliases");
        }
        Ok(())
    }

    fn follow<T>(
        &mut self,
        node: Node<'_>,
        go: impl FnOnce(&mut Self, Node<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let target = node.followed();
        if self.following.contains(&node.id) || target.span().contains(&node.span().start) {
            return refuse(node.position(), "this alias stands inside the value it links to");
        }
        self.following.push(node.id);
        let result = go(self, target);
        self.following.pop();
        result
    }
}

/// Go's rule: up to 400,000 steps 99 of 100 may come from aliases, then fewer, 10 of 100 from four million on.
fn is_bomb(made: usize, aliased: usize) -> bool {
    if aliased <= 100 || made <= 1000 {
        return false;
    }
    let per_mille = match made {
        0..=400_000 => 990,
        400_001..4_000_000 => 990 - (890 * ((made - 400_000) / 3_600)) / 1_000,
        _ => 100,
    };
    aliased.saturating_mul(1_000) > made.saturating_mul(per_mille)
}

fn refuse<T>(position: Position, message: &str) -> Result<T, Error> {
    Err(Error::NoValue { position, message: message.to_owned() })
}

pub(crate) fn convert(node: Node<'_>, mut state: Conversion) -> Result<Value, Error> {
    value(node, &mut state, 0)
}

fn value(node: Node<'_>, state: &mut Conversion, depth: usize) -> Result<Value, Error> {
    state.count(node, depth)?;
    match node.content() {
        Some(Content::Alias(..)) => state.follow(node, |state, target| value(target, state, depth)),
        Some(Content::Sequence(_)) => {
            node.items().map(|item| value(item, state, depth + 1)).collect::<Result<_, _>>().map(Value::Array)
        }
        Some(Content::Mapping(_)) => {
            let mut entries = Entries::default();
            mapping(node, state, depth, &mut entries)?;
            Ok(Value::Object(entries.map))
        }
        Some(Content::Scalar(_)) | None => scalar(node),
    }
}

fn scalar(node: Node<'_>) -> Result<Value, Error> {
    let kubernetes = node.document.dialect.is_kubernetes();
    match resolve(node).map_err(|message| Error::NoValue { position: node.position(), message })? {
        Scalar::Null => Ok(Value::Null),
        Scalar::Bool(flag) => Ok(Value::Bool(flag)),
        Scalar::Text(text) => Ok(Value::String(text)),
        number => match number.number(kubernetes) {
            Some(number) => Ok(Value::Number(number)),
            None => refuse(node.position(), "infinity and NaN have no JSON form; put the text in quotes"),
        },
    }
}

/// An object in the making: its values, and what kind of scalar each key was before it became text.
#[derive(Default)]
struct Entries {
    map: Map,
    kinds: BTreeMap<String, &'static str>,
}

fn mapping(node: Node<'_>, state: &mut Conversion, depth: usize, entries: &mut Entries) -> Result<(), Error> {
    for (key, item) in node.entries() {
        if key.is_merge_key() {
            merge(item, state, depth, entries)?;
            continue;
        }
        state.count(key, depth)?;
        if key.alias().is_some() {
            state.follow(key, |state, target| state.count(target, depth))?;
        }
        let position = key.position();
        let text = key_text(key).map_err(|message| Error::NoValue { position, message })?;
        let kind = key_kind(key);
        let value = value(item, state, depth + 1)?;
        match entries.kinds.get(&text) {
            Some(&before) if before != kind => {
                let message =
                    format!("the key `{text}` is there as {before} and as {kind}; which one stays is chance");
                return Err(Error::Undecided { position, message });
            }
            Some(_) if state.dialect.is_strict() => {
                return refuse(position, &format!("the key `{text}` is already set in this mapping"));
            }
            _ => {}
        }
        entries.kinds.insert(text.clone(), kind);
        entries.map.insert(text, value);
    }
    Ok(())
}

fn key_kind(key: Node<'_>) -> &'static str {
    match resolve(key.followed()) {
        Ok(Scalar::Bool(_)) => "a boolean",
        Ok(Scalar::Int(_)) => "an integer",
        Ok(Scalar::Float(_)) => "a float",
        _ => "a text",
    }
}

/// Merges as Go's yaml v2 does: where the merge key stands, over what came before; of a list the first wins.
fn merge(node: Node<'_>, state: &mut Conversion, depth: usize, entries: &mut Entries) -> Result<(), Error> {
    let wrong =
        |place: Node<'_>| refuse(place.position(), "<< takes a mapping, an alias of one, or a list of these");
    let is_map = |place: Node<'_>| matches!(place.followed().content(), Some(Content::Mapping(_)));
    let sources: Vec<Node<'_>> = match node.content() {
        Some(Content::Mapping(_) | Content::Alias(..)) => vec![node],
        Some(Content::Sequence(_)) => node.items().collect::<Vec<_>>().into_iter().rev().collect(),
        _ => return wrong(node),
    };
    for source in sources {
        if !is_map(source) {
            return wrong(source);
        }
        state.count(source, depth)?;
        if source.alias().is_some() {
            state.follow(source, |state, target| {
                state.count(target, depth)?;
                mapping(target, state, depth + 1, entries)
            })?;
        } else {
            mapping(source, state, depth + 1, entries)?;
        }
    }
    Ok(())
}
