use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::convert::{Conversion, convert};
use crate::{Dialect, Error, Limits, Value, json, resolve};

/// A place in the original text: line and column count from 1, the column in characters; the offset in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Offset in bytes, from 0.
    pub offset: usize,
}

impl Position {
    pub(crate) fn start() -> Self {
        Self { line: 1, column: 1, offset: 0 }
    }

    /// The place of a byte in a text that need not be UTF-8.
    pub(crate) fn of_bytes(bytes: &[u8], offset: usize) -> Self {
        let before = bytes.get(..offset).unwrap_or(bytes);
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        // Continuation bytes of UTF-8 start no character.
        let column = before.get(line_start..).unwrap_or_default();
        let column = column.iter().filter(|&&byte| byte & 0xc0 != 0x80).count() + 1;
        Self { line, column, offset }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// How a scalar or collection is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "YAML 1.2.2, chapters 7 and 8, closes the list of styles")]
pub enum Style {
    /// A scalar without quotes.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
    /// A collection by indentation.
    Block,
    /// A collection in brackets or braces.
    Flow,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "YAML 1.2.2, chapter 3, closes the list of node kinds")]
pub enum Kind {
    /// One text.
    Scalar,
    /// A list of nodes.
    Sequence,
    /// Pairs of nodes.
    Mapping,
    /// `*name`: a link to an earlier node.
    Alias,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    Scalar(String),
    Sequence(Vec<usize>),
    Mapping(Vec<(usize, usize)>),
    Alias(String, usize),
}

#[derive(Clone, Debug)]
pub(crate) struct NodeData {
    pub(crate) content: Content,
    pub(crate) style: Style,
    pub(crate) span: Range<usize>,
    pub(crate) position: Position,
    pub(crate) anchor: Option<String>,
    /// Resolved, `tag:yaml.org,2002:int` for `!!int`.
    pub(crate) tag: Option<String>,
}

/// One document of a [`crate::Stream`]: a tree of nodes over the text of the stream.
#[derive(Clone, Debug)]
pub struct Document {
    pub(crate) text: Arc<str>,
    pub(crate) dialect: Dialect,
    pub(crate) limits: Limits,
    pub(crate) nodes: Vec<NodeData>,
    pub(crate) span: Range<usize>,
    pub(crate) position: Position,
    /// The value, where the dialect read this document as JSON.
    pub(crate) json: Option<Value>,
}

impl Document {
    /// The node at the top; `None` for a document without content, whose value is null.
    #[must_use]
    pub fn root(&self) -> Option<Node<'_>> {
        (!self.nodes.is_empty()).then_some(Node { document: self, id: 0 })
    }

    /// The bytes of this document in the text, without its separators.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Where the document starts.
    #[must_use]
    pub fn position(&self) -> Position {
        self.root().map_or(self.position, |root| root.position())
    }

    /// The dialect the stream was parsed in.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The node at a JSON pointer (RFC 6901). Keys compare by what they are in the dialect (`on` is the key
    /// `true` for kubectl); aliases on the way are followed, merge keys are not. Of equal keys the last is taken.
    #[must_use]
    pub fn pointer(&self, pointer: &str) -> Option<Node<'_>> {
        let root = self.root()?;
        json::pointer_steps(pointer)?.iter().try_fold(root, |node, step| node.step(step))
    }

    /// The place of a JSON pointer, or of the nearest thing above it that is in the text.
    #[must_use]
    pub fn locate(&self, pointer: &str) -> Position {
        let mut node = self.root();
        for step in json::pointer_steps(pointer).unwrap_or_default() {
            match node.and_then(|node| node.step(&step)) {
                Some(next) => node = Some(next),
                None => break,
            }
        }
        node.map_or(self.position, |node| node.position())
    }

    /// What the dialect makes of the document.
    ///
    /// # Errors
    /// [`Error::NoValue`] where the dialect's reader refuses it, [`Error::Undecided`] where readers differ by
    /// chance, [`Error::Limit`] for too many values after aliases.
    pub fn value(&self) -> Result<Value, Error> {
        match (&self.json, self.root()) {
            (Some(value), _) => Ok(value.clone()),
            (None, Some(root)) => convert(root, Conversion::document(self)),
            (None, None) => Ok(Value::Null),
        }
    }

    /// Every node, in the order of the text.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        (0..self.nodes.len()).map(|id| Node { document: self, id })
    }
}

/// One node of a [`Document`].
#[derive(Clone, Copy)]
pub struct Node<'a> {
    pub(crate) document: &'a Document,
    pub(crate) id: usize,
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.document, other.document) && self.id == other.id
    }
}

impl Eq for Node<'_> {}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {} {:?}", self.kind(), self.position(), self.source())
    }
}

impl<'a> Node<'a> {
    fn data(&self) -> Option<&'a NodeData> {
        self.document.nodes.get(self.id)
    }

    pub(crate) fn content(&self) -> Option<&'a Content> {
        self.data().map(|data| &data.content)
    }

    fn other(&self, id: usize) -> Node<'a> {
        Node { document: self.document, id }
    }

    /// What the node is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.content() {
            Some(Content::Sequence(_)) => Kind::Sequence,
            Some(Content::Mapping(_)) => Kind::Mapping,
            Some(Content::Alias(..)) => Kind::Alias,
            Some(Content::Scalar(_)) | None => Kind::Scalar,
        }
    }

    /// How it is written; an alias is `Plain`.
    #[must_use]
    pub fn style(&self) -> Style {
        self.data().map_or(Style::Plain, |data| data.style)
    }

    /// Its bytes in the text of the stream: quotes included; of a block scalar the lines without the header; of a
    /// collection from its first to its last byte; anchors and tags before the node not included.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.data().map_or(0..0, |data| data.span.clone())
    }

    /// Where it starts.
    #[must_use]
    pub fn position(&self) -> Position {
        self.data().map_or(self.document.position, |data| data.position)
    }

    /// Its text as written, quotes and line breaks included.
    #[must_use]
    pub fn source(&self) -> &'a str {
        self.document.text.get(self.span()).unwrap_or_default()
    }

    /// The name after `&`, if it has an anchor.
    #[must_use]
    pub fn anchor(&self) -> Option<&'a str> {
        self.data()?.anchor.as_deref()
    }

    /// Its tag, resolved: `tag:yaml.org,2002:int` for `!!int`.
    #[must_use]
    pub fn tag(&self) -> Option<&'a str> {
        self.data()?.tag.as_deref()
    }

    /// The text of a scalar after quotes, escapes and folding; `""` for a value left empty.
    #[must_use]
    pub fn text(&self) -> Option<&'a str> {
        match self.content()? {
            Content::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a sequence; none for other kinds.
    pub fn items(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        let ids: &'a [usize] = match self.content() {
            Some(Content::Sequence(ids)) => ids,
            _ => &[],
        };
        let node = *self;
        ids.iter().map(move |&id| node.other(id))
    }

    /// Keys and values of a mapping as written, equal keys and merge keys (`<<`) included; none for other kinds.
    pub fn entries(&self) -> impl Iterator<Item = (Node<'a>, Node<'a>)> + use<'a> {
        let ids: &'a [(usize, usize)] = match self.content() {
            Some(Content::Mapping(ids)) => ids,
            _ => &[],
        };
        let node = *self;
        ids.iter().map(move |&(key, value)| (node.other(key), node.other(value)))
    }

    /// The name and the target of an alias.
    #[must_use]
    pub fn alias(&self) -> Option<(&'a str, Node<'a>)> {
        match self.content()? {
            Content::Alias(name, target) => Some((name, self.other(*target))),
            _ => None,
        }
    }

    /// The node itself, or what an alias finally links to.
    #[must_use]
    pub fn followed(&self) -> Node<'a> {
        self.alias().map_or(*self, |(_, target)| target)
    }

    /// `true` for the key `<<` where the dialect merges by it.
    #[must_use]
    pub fn is_merge_key(&self) -> bool {
        self.document.dialect.is_kubernetes() && resolve::is_merge(*self)
    }

    /// The key this node stands for, if it is a scalar that the dialect takes as a key.
    #[must_use]
    pub fn key_text(&self) -> Option<String> {
        resolve::key_text(*self).ok()
    }

    /// The value under a key of a mapping: the last of equal ones; merge keys are not followed.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Node<'a>> {
        let wanted = |node: &Node<'a>| node.key_text().is_some_and(|text| text == key);
        self.entries().filter(|(node, _)| wanted(node)).last().map(|(_, value)| value)
    }

    /// What the dialect makes of this node and all below it.
    ///
    /// # Errors
    /// As [`Document::value`].
    pub fn value(&self) -> Result<Value, Error> {
        convert(*self, Conversion::document(self.document))
    }

    fn step(self, step: &str) -> Option<Node<'a>> {
        let node = self.followed();
        match node.kind() {
            Kind::Mapping => node.get(step),
            Kind::Sequence => node.items().nth(json::array_index(step)?),
            Kind::Scalar | Kind::Alias => None,
        }
    }
}
