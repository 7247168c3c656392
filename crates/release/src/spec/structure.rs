//! Checks a tree against the table of words, whatever the words mean.

use std::collections::BTreeMap;

use lotse_yaml::{Kind, Node, Style, pointer_escape};

use super::diagnostic::{Collector, nearest};
use super::format::Format;
use super::words::{Shape, Word};

/// Checks `node` and everything below it. A branch whose own form is wrong is not entered.
pub(super) fn check(node: Node<'_>, shape: &Shape, pointer: &str, mistakes: &mut Collector) {
    let node = node.followed();
    match (shape, node.kind()) {
        (Shape::Either(shapes), kind) => match shapes.iter().find(|shape| fits(shape, kind)) {
            Some(shape) => check(node, shape, pointer, mistakes),
            None => wrong_kind(node, shape, pointer, mistakes),
        },
        (Shape::Object(words), Kind::Mapping) => object(node, words, pointer, mistakes),
        (Shape::Map(format, shape), Kind::Mapping) => {
            for (key, (_, value)) in unique(node, pointer, mistakes) {
                let below = format!("{pointer}/{}", pointer_escape(&key));
                if !format.fits(&key) {
                    let message = format!("key {key:?} is not {}", format.wanted());
                    mistakes.add("name-invalid", value.position(), &below, message);
                }
                check(value, shape, &below, mistakes);
            }
        }
        (Shape::List(shape), Kind::Sequence) => {
            for (index, item) in node.items().enumerate() {
                check(item, shape, &format!("{pointer}/{index}"), mistakes);
            }
        }
        (Shape::Scalar(format), Kind::Scalar) => scalar(node, *format, pointer, mistakes),
        _ => wrong_kind(node, shape, pointer, mistakes),
    }
}

fn object(node: Node<'_>, words: &'static [Word], pointer: &str, mistakes: &mut Collector) {
    let entries = unique(node, pointer, mistakes);
    for (name, (key, value)) in &entries {
        let below = format!("{pointer}/{}", pointer_escape(name));
        match Word::find(words, name) {
            Some(word) => check(*value, &word.shape, &below, mistakes),
            // What begins with x- is the user's own, for anchors and notes.
            None if name.starts_with("x-") => {}
            None => {
                let known: Vec<&str> = words.iter().map(|word| word.name).collect();
                let meant = match (name.as_str(), nearest(name, known.iter().copied())) {
                    ("<<", _) => "merge keys are not read here; say extends".to_owned(),
                    (_, Some(word)) => format!("did you mean {word:?}?"),
                    (_, None) => format!("words allowed here: {}", known.join(", ")),
                };
                mistakes.add(
                    "key-unknown",
                    key.position(),
                    &below,
                    format!("no word {name:?} here; {meant}"),
                );
            }
        }
    }
    for word in words.iter().filter(|word| word.required && !entries.contains_key(word.name)) {
        let message = format!("{:?} is missing: {}", word.name, word.meaning);
        mistakes.add("key-missing", node.position(), pointer, message);
    }
}

type Entries<'a> = BTreeMap<String, (Node<'a>, Node<'a>)>;

/// The entries of a mapping; a key that comes twice is a mistake at its second place.
fn unique<'a>(node: Node<'a>, pointer: &str, mistakes: &mut Collector) -> Entries<'a> {
    let mut entries: Entries<'a> = BTreeMap::new();
    for (key, value) in node.entries() {
        let Some(name) = key.text().map(str::to_owned) else {
            mistakes.add("key-unknown", key.position(), pointer, "a key must be a text");
            continue;
        };
        if let Some((first, _)) = entries.get(&name) {
            let message =
                format!("key {name:?} is already in line {}; delete one of the two", first.position().line);
            mistakes.add("key-twice", key.position(), pointer, message);
        } else {
            entries.insert(name, (key, value));
        }
    }
    entries
}

fn scalar(node: Node<'_>, format: Format, pointer: &str, mistakes: &mut Collector) {
    let text = node.text().unwrap_or_default();
    let is_null = node.style() == Style::Plain && matches!(text, "" | "~" | "null" | "Null" | "NULL");
    if is_null {
        let message = format!("nothing stands here; wanted is {} (an empty text is \"\")", format.wanted());
        mistakes.add("scalar-kind", node.position(), pointer, message);
        return;
    }
    if !format.fits(text) {
        let code = match format {
            Format::Version => "version-unknown",
            Format::Label => "name-invalid",
            Format::Image => "image-unpinned",
            Format::Quantity => "quantity",
            Format::Cron => "schedule",
            _ => "scalar-kind",
        };
        let shown: String = text.chars().take(80).collect();
        mistakes.add(code, node.position(), pointer, format!("{shown:?} is not {}", format.wanted()));
    } else if let Some(advice) = other_type(node, format) {
        mistakes.add("scalar-kind", node.position(), pointer, format!("{text:?} {advice}"));
    }
}

/// What to do about a scalar of the right form that other readers of YAML take for another type, so that the JSON Schema
/// refuses it.
fn other_type(node: Node<'_>, format: Format) -> Option<&'static str> {
    let value = node.value().ok()?;
    match format {
        Format::Text | Format::Percent | Format::Quantity => None,
        Format::Port | Format::AnyPort | Format::Count => {
            value.as_str().map(|_| "is a text; write the number without quotes")
        }
        _ if value.as_str().is_some() => None,
        _ => Some("is no text to other readers of YAML; put it in quotes"),
    }
}

fn wrong_kind(node: Node<'_>, shape: &Shape, pointer: &str, mistakes: &mut Collector) {
    let found = match node.kind() {
        Kind::Scalar => "a scalar",
        Kind::Sequence => "a list",
        Kind::Mapping => "a mapping",
        Kind::Alias => "an alias",
    };
    mistakes.add(
        "scalar-kind",
        node.position(),
        pointer,
        format!("{found} stands here; wanted is {}", wanted(shape)),
    );
}

fn wanted(shape: &Shape) -> String {
    match shape {
        Shape::Object(words) => {
            let names: Vec<&str> = words.iter().map(|word| word.name).collect();
            format!("a mapping with {}", names.join(", "))
        }
        Shape::Map(format, _) => format!("a mapping whose keys are each {}", format.wanted()),
        Shape::List(shape) => format!("a list of {}", wanted(shape)),
        Shape::Scalar(format) => format.wanted(),
        Shape::Either(shapes) => shapes.iter().map(wanted).collect::<Vec<_>>().join(", or "),
    }
}

fn fits(shape: &Shape, kind: Kind) -> bool {
    matches!(
        (shape, kind),
        (Shape::Scalar(_), Kind::Scalar)
            | (Shape::List(_), Kind::Sequence)
            | (Shape::Object(_) | Shape::Map(..), Kind::Mapping)
    )
}
