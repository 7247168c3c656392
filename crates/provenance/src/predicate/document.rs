use crate::{Error, Json};

/// A document that a statement carries, and how it was put in. Its own format is for others to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    format: DocumentFormat,
    encoding: DocumentEncoding,
    text: String,
}

/// The formats of documents that have predicate types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DocumentFormat {
    /// SPDX.
    Spdx,
    /// CycloneDX.
    CycloneDx,
    /// OpenVEX.
    OpenVex,
}

/// How a document stands in a predicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DocumentEncoding {
    /// As an object: the predicate is the document.
    Object,
    /// As a JSON string that holds the document, as `cosign attest --type spdx` writes it. The Policy Controller refuses that.
    JsonString,
    /// As the member `Data` of an object, as older versions of cosign wrote it.
    DataMember,
}

impl DocumentFormat {
    pub(super) fn of_type(predicate_type: &str) -> Option<Self> {
        match predicate_type {
            "https://spdx.dev/Document" | "https://spdx.dev/Document/v2.3" => Some(Self::Spdx),
            "https://cyclonedx.org/bom" => Some(Self::CycloneDx),
            "https://openvex.dev/ns" | "https://openvex.dev/ns/v0.2.0" => Some(Self::OpenVex),
            other if other.starts_with("https://cyclonedx.org/bom/v1.") => Some(Self::CycloneDx),
            _ => None,
        }
    }

    /// A member that every document of this format has.
    const fn mark(self) -> &'static [&'static str] {
        match self {
            Self::Spdx => &["spdxVersion", "@context"],
            Self::CycloneDx => &["bomFormat"],
            Self::OpenVex => &["@context"],
        }
    }
}

impl Document {
    pub(super) fn parse(format: DocumentFormat, predicate: &str) -> Result<Self, Error> {
        let fault = |reason: &str| Error::malformed("document predicate", reason);
        let value = Json::parse(predicate)?;
        let (encoding, text) = if let Some(text) = value.as_str() {
            (DocumentEncoding::JsonString, text.to_owned())
        } else if let Some(data) = value.pointer("/Data").filter(|_| !format.marked(&value)) {
            let text = data.as_str().map_or_else(|| data.to_string(), str::to_owned);
            (DocumentEncoding::DataMember, text)
        } else {
            (DocumentEncoding::Object, predicate.to_owned())
        };
        let document = if encoding == DocumentEncoding::Object { value } else { Json::parse(&text)? };
        if !format.marked(&document) {
            return Err(fault(&format!(
                "it is no {format:?} document: it has no member {}",
                format.mark().join(" or ")
            )));
        }
        Ok(Self { format, encoding, text })
    }

    /// The format that the predicate type names.
    #[must_use]
    pub const fn format(&self) -> DocumentFormat {
        self.format
    }

    /// How it stood in the predicate.
    #[must_use]
    pub const fn encoding(&self) -> DocumentEncoding {
        self.encoding
    }

    /// The document as text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl DocumentFormat {
    fn marked(self, value: &Json) -> bool {
        value.members().any(|member| self.mark().contains(&member))
    }
}
