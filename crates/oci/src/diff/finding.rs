use std::fmt;

use serde::Serialize;

/// One thing in which two images differ. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The image in an index, by its platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Where.
    pub place: Place,
    /// Why.
    pub cause: Cause,
    /// What the left side has; nothing if it has nothing there.
    pub left: Option<String>,
    /// What the right side has.
    pub right: Option<String>,
}

impl Difference {
    pub(super) fn new(place: Place, cause: Cause, left: Option<String>, right: Option<String>) -> Self {
        Self { platform: None, place, cause, left, right }
    }
}

/// `place: left against right (cause)`
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(platform) = &self.platform {
            write!(f, "{platform}, ")?;
        }
        let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(f, "{}: {} against {} ({})", self.place, side(&self.left), side(&self.right), self.cause)
    }
}

/// Where two images differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "in", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Place {
    /// In the index, at a JSON pointer (RFC 6901).
    Index {
        /// The member.
        pointer: String,
    },
    /// In the manifest.
    Manifest {
        /// The member.
        pointer: String,
    },
    /// In the configuration.
    Config {
        /// The member.
        pointer: String,
    },
    /// In an entry of a layer's archive.
    Entry {
        /// The layer's number, 0 for the base.
        layer: usize,
        /// The entry's path.
        path: String,
        /// The field of its header, the record, `content` or `padding`.
        field: String,
    },
    /// In a layer's archive, outside its entries.
    Archive {
        /// The layer's number, 0 for the base.
        layer: usize,
        /// `order` or `end`.
        field: String,
    },
    /// In a layer's blob, around or inside its compressed stream.
    Blob {
        /// The layer's number, 0 for the base.
        layer: usize,
        /// `encoder`, `level`, or a field of the gzip header (RFC 1952).
        field: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index { pointer } => write!(f, "index {pointer}"),
            Self::Manifest { pointer } => write!(f, "manifest {pointer}"),
            Self::Config { pointer } => write!(f, "configuration {pointer}"),
            Self::Entry { layer, path, field } => write!(f, "layer {layer}, {path:?}, {field}"),
            Self::Archive { layer, field } => write!(f, "layer {layer}, {field} of the archive"),
            Self::Blob { layer, field } => write!(f, "layer {layer}, {field} of the blob"),
        }
    }
}

/// Why two images differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cause {
    /// A file's time.
    Time,
    /// A file's owner or group, by number or name.
    Owner,
    /// A file's permissions.
    Mode,
    /// What a file is: file, directory, link, device.
    Kind,
    /// Where a link leads.
    Link,
    /// An extended attribute.
    Xattr,
    /// The bytes of a file.
    Content,
    /// A file or layer that only the left side has.
    Missing,
    /// A file or layer that only the right side has.
    Extra,
    /// The order of the entries of an archive.
    Order,
    /// A PAX record that says nothing about the file, or says it in another way.
    Pax,
    /// The same said in another form of the tar format, such as GNU's.
    TarFormat,
    /// The program that compressed the layer, or its version.
    Compressor,
    /// The level of the same compressor.
    Level,
    /// The header of the gzip stream: its time, name or system.
    GzipHeader,
    /// A member of the configuration.
    ConfigField,
    /// How the layers came to be, and when.
    History,
    /// When the image was created.
    Created,
    /// For which machine the image is.
    Platform,
    /// An annotation.
    Annotation,
    /// The media type of a document or layer.
    MediaType,
    /// The order of the images of an index.
    ManifestOrder,
    /// Another member of a manifest or index.
    Member,
    /// The same JSON with its members in another order or with other white space.
    JsonForm,
    /// Follows from other differences: a digest, a size, a checksum.
    Consequence,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Time => "time",
            Self::Owner => "owner",
            Self::Mode => "mode",
            Self::Kind => "kind of file",
            Self::Link => "target of a link",
            Self::Xattr => "extended attribute",
            Self::Content => "content",
            Self::Missing => "only on the left",
            Self::Extra => "only on the right",
            Self::Order => "order of entries",
            Self::Pax => "PAX record",
            Self::TarFormat => "form of tar",
            Self::Compressor => "compressor",
            Self::Level => "compression level",
            Self::GzipHeader => "gzip header",
            Self::ConfigField => "member of the configuration",
            Self::History => "history",
            Self::Created => "time of creation",
            Self::Platform => "platform",
            Self::Annotation => "annotation",
            Self::MediaType => "media type",
            Self::ManifestOrder => "order of manifests",
            Self::Member => "member of a document",
            Self::JsonForm => "form of JSON",
            Self::Consequence => "follows from other differences",
        })
    }
}
