//! From parser events to located trees.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StructureStyle};

use crate::compat;
use crate::tree::{Content, NodeData};
use crate::{Dialect, Document, Error, Limits, Position, Style, Value};

pub(crate) struct Builder {
    text: Arc<str>,
    dialect: Dialect,
    limits: Limits,
    nodes_left: usize,
    /// A place in the text and the line breaks before it: chunks come in order.
    counted: (usize, usize),
}

/// A place inside a chunk turned into one of the whole text.
struct Base {
    offset: usize,
    line: usize,
    /// Characters before the chunk on its first line: two JSON values may share one.
    column: usize,
}

impl Builder {
    pub(crate) fn new(text: Arc<str>, dialect: Dialect, limits: Limits) -> Self {
        Self { text, dialect, limits, nodes_left: limits.nodes, counted: (0, 0) }
    }

    /// Parses one chunk and adds its documents.
    pub(crate) fn chunk(
        &mut self,
        range: Range<usize>,
        json: Option<Value>,
        documents: &mut Vec<Document>,
        dropped: &mut Vec<Range<usize>>,
    ) -> Result<(), Error> {
        let text = self.text.clone();
        let source = text.get(range.clone()).unwrap_or_default();
        let mut result = self.parse(source, &range, json.clone(), documents, dropped);
        if self.dialect.is_kubernetes()
            && matches!(result, Err(Error::Syntax { .. }))
            && let Some(spaces) = compat::without_tabs(source)
        {
            // Go's library takes tabs at the start of lines in brackets and quotes, where they mean nothing.
            let (mut found, mut rest) = (Vec::new(), Vec::new());
            let again = self.parse(&spaces, &range, json.clone(), &mut found, &mut rest);
            if again.is_ok() && found.iter().all(|document| compat::tabs_mean_nothing(&text, document)) {
                documents.append(&mut found);
                dropped.append(&mut rest);
                result = Ok(());
            }
        }
        match result {
            // A lone surrogate, say: JSON to kubectl, but no YAML. It keeps its value and has no tree.
            Err(Error::Syntax { position, .. }) if json.is_some() => {
                documents.push(Document {
                    text,
                    dialect: self.dialect,
                    limits: self.limits,
                    nodes: Vec::new(),
                    span: range,
                    position,
                    json,
                });
                Ok(())
            }
            result => result,
        }
    }

    fn parse(
        &mut self,
        source: &str,
        range: &Range<usize>,
        json: Option<Value>,
        documents: &mut Vec<Document>,
        dropped: &mut Vec<Range<usize>>,
    ) -> Result<(), Error> {
        let text = self.text.clone();
        let between = text.get(self.counted.0..range.start).unwrap_or_default();
        let line = self.counted.1 + between.bytes().filter(|&byte| byte == b'\n').count();
        self.counted = (range.start, line);
        let before = text.get(..range.start).unwrap_or_default();
        let column =
            before.rsplit('\n').next().unwrap_or_default().trim_start_matches('\u{feff}').chars().count();
        let base = Base { offset: range.start, line, column };
        let options = granit_parser::options! {
            emit_anchor_events: true,
            emit_comments: false,
            flow_nesting_limit: self.limits.depth,
            block_nesting_limit: self.limits.depth,
            simple_key_max_lookahead: if json.is_some() { source.len().max(1024) } else { 1024 },
        };
        let mut parser = Parser::new_from_str_with_options(source, options);
        loop {
            let Some(event) = parser.next_event() else { return Ok(()) };
            match event.map_err(|error| self.syntax(&error, &base))? {
                (Event::DocumentStart(..), span) => {
                    let start = base.offset + offset(&span.start);
                    let mut document = self.document(&mut parser, &base, start, json.is_some())?;
                    if self.dialect.is_kubernetes() {
                        let end = document.span.end;
                        document.json = json;
                        if document.json.is_none() {
                            compat::document(&self.text, &document, range)?;
                        }
                        compat::tabs(&self.text, &document, range)?;
                        documents.push(document);
                        if let Some(rest) = rest_of(&text, end..range.end) {
                            dropped.push(rest);
                        }
                        return Ok(());
                    }
                    if documents.len() == self.limits.documents {
                        return Err(Error::Limit {
                            what: "documents",
                            limit: self.limits.documents,
                            position: base.position(&span.start),
                        });
                    }
                    documents.push(document);
                }
                (Event::StreamEnd, _) => {
                    if self.dialect.is_kubernetes() {
                        let empty = self.empty(range, &base);
                        compat::document(&self.text, &empty, range)?;
                        documents.push(empty);
                    }
                    return Ok(());
                }
                _ => {}
            }
        }
    }

    fn empty(&self, range: &Range<usize>, base: &Base) -> Document {
        Document {
            text: self.text.clone(),
            dialect: self.dialect,
            limits: self.limits,
            nodes: Vec::new(),
            span: range.clone(),
            position: Position { line: base.line + 1, column: 1, offset: base.offset },
            json: None,
        }
    }

    fn document<'i>(
        &mut self,
        parser: &mut Parser<'i, granit_parser::StrInput<'i>>,
        base: &Base,
        start: usize,
        is_json: bool,
    ) -> Result<Document, Error> {
        let mut nodes: Vec<NodeData> = Vec::new();
        // Open collections: their node, and the key that waits for its value.
        let mut open: Vec<(usize, Option<usize>)> = Vec::new();
        let mut anchors: BTreeMap<usize, usize> = BTreeMap::new();
        let mut names: BTreeMap<usize, String> = BTreeMap::new();
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| self.syntax(&error, base))?;
            let (content, style, anchor, tag) = match event {
                Event::Scalar(text, style, anchor, tag) => {
                    // The parser gives `~` for a value left empty.
                    let empty = span.start == span.end && style == ScalarStyle::Plain;
                    let text = if empty { String::new() } else { text.into_owned() };
                    (Content::Scalar(text), scalar_style(style), anchor, tag)
                }
                Event::SequenceStart(style, anchor, tag) => {
                    (Content::Sequence(Vec::new()), structure_style(style), anchor, tag)
                }
                Event::MappingStart(style, anchor, tag) => {
                    (Content::Mapping(Vec::new()), structure_style(style), anchor, tag)
                }
                Event::Alias(target) => {
                    let node = anchors.get(&target).copied().unwrap_or_default();
                    let name = names.get(&target).cloned().unwrap_or_default();
                    (Content::Alias(name, node), Style::Plain, 0, None)
                }
                Event::Anchor(id, name) => {
                    if let Some(node) = anchors.get(&id).and_then(|&node| nodes.get_mut(node)) {
                        node.anchor = Some(name.to_string());
                        if self.dialect.is_kubernetes() {
                            compat::anchor_name(&name, base.position(&span.start))?;
                        }
                    }
                    names.insert(id, name.into_owned());
                    continue;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    if let Some((id, _)) = open.pop() {
                        let end = base.offset + offset(&span.end);
                        close(&mut nodes, id, end);
                    }
                    continue;
                }
                Event::DocumentEnd => {
                    let end = base.offset + offset(&span.end);
                    let position = nodes.first().map_or_else(Position::start, |node| node.position);
                    return Ok(Document {
                        text: self.text.clone(),
                        dialect: self.dialect,
                        limits: self.limits,
                        nodes,
                        span: start..end,
                        position,
                        json: None,
                    });
                }
                _ => continue,
            };
            let position = base.position(&span.start);
            self.nodes_left = self.nodes_left.checked_sub(1).ok_or(Error::Limit {
                what: "nodes",
                limit: self.limits.nodes,
                position,
            })?;
            let id = nodes.len();
            if anchor != 0 {
                anchors.insert(anchor, id);
            }
            attach(&mut nodes, &mut open, id);
            let in_flow = open
                .last()
                .and_then(|&(parent, _)| nodes.get(parent))
                .is_some_and(|n| n.style == Style::Flow);
            let collection = !matches!(content, Content::Scalar(_) | Content::Alias(..));
            nodes.push(NodeData {
                content,
                style,
                span: base.offset + offset(&span.start)..base.offset + offset(&span.end),
                position,
                anchor: None,
                tag: tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix())),
            });
            if self.dialect.is_kubernetes()
                && !is_json
                && let Some(node) = nodes.last_mut()
            {
                compat::check(&self.text, self.dialect, node, in_flow)?;
            }
            if collection {
                if open.len() >= self.limits.depth {
                    return Err(Error::Limit { what: "levels", limit: self.limits.depth, position });
                }
                open.push((id, None));
            }
        }
        Err(Error::Syntax { position: Position::start(), message: "the document does not end".to_owned() })
    }

    fn syntax(&self, error: &ScanError, base: &Base) -> Error {
        let position = base.position(error.marker());
        match error.kind() {
            granit_parser::ErrorKind::RecursionLimitExceeded => {
                Error::Limit { what: "levels", limit: self.limits.depth, position }
            }
            _ => Error::Syntax { position, message: error.info() },
        }
    }
}

impl Base {
    fn position(&self, place: &Marker) -> Position {
        let shift = if place.line() == 1 { self.column } else { 0 };
        Position {
            line: self.line + place.line(),
            column: place.col() + 1 + shift,
            offset: self.offset + offset(place),
        }
    }
}

fn offset(place: &Marker) -> usize {
    place.byte_offset().unwrap_or_default()
}

fn scalar_style(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::SingleQuoted,
        ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}

fn structure_style(style: StructureStyle) -> Style {
    match style {
        StructureStyle::Block => Style::Block,
        StructureStyle::Flow => Style::Flow,
    }
}

/// Adds a node to the collection that is open.
fn attach(nodes: &mut [NodeData], open: &mut [(usize, Option<usize>)], id: usize) {
    let Some((parent, key)) = open.last_mut() else { return };
    match nodes.get_mut(*parent).map(|node| &mut node.content) {
        Some(Content::Sequence(items)) => items.push(id),
        Some(Content::Mapping(entries)) => match key.take() {
            Some(key) => entries.push((key, id)),
            None => *key = Some(id),
        },
        Some(Content::Scalar(_) | Content::Alias(..)) | None => {}
    }
}

/// Sets the end of a collection: its bracket, or the end of its last part.
fn close(nodes: &mut [NodeData], id: usize, end: usize) {
    let last = nodes.get(id..).and_then(|inner| inner.iter().skip(1).map(|node| node.span.end).max());
    if let Some(node) = nodes.get_mut(id) {
        node.span.end = if node.style == Style::Flow { end } else { last.unwrap_or(node.span.end) };
    }
}

/// What is not blank or comment in a range, if anything.
fn rest_of(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let part = text.get(range.clone())?;
    let mut at = range.start;
    for line in part.split_inclusive('\n') {
        let content = line.trim_start();
        if !content.is_empty() && !content.starts_with('#') {
            return Some(at..range.end);
        }
        at += line.len();
    }
    None
}
