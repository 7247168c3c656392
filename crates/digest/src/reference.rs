use std::fmt;
use std::str::FromStr;

use crate::{Digest, ParseDigestError};

/// An image reference: `[host[:port]/]name[:tag][@digest]`.
///
/// The first component is a host if it holds a `.` or a `:` or is `localhost`, as every client reads it. No tag and no host is
/// ever made up.
///
/// ```
/// let reference: lotse_digest::Reference = "registry.example:5000/team/app:1.2".parse()?;
/// assert_eq!(reference.host(), Some("registry.example:5000"));
/// assert_eq!(reference.name(), "team/app");
/// assert_eq!(reference.tag(), Some("1.2"));
/// assert!(reference.digest().is_none());
/// # Ok::<(), lotse_digest::ParseReferenceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    host: Option<String>,
    name: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// The registry, with its port if one is given.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The repository's name without the host.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Host and name as written: what two references must share to name the same repository.
    #[must_use]
    pub fn repository(&self) -> String {
        self.host.as_ref().map_or_else(|| self.name.clone(), |host| format!("{host}/{}", self.name))
    }

    /// The tag, if one is given.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if the reference is pinned.
    #[must_use]
    pub const fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The same reference pinned to `digest`; its tag stays for people to read.
    #[must_use]
    pub fn pinned(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }

    /// The same repository with `tag` and no digest.
    ///
    /// # Errors
    ///
    /// [`ParseReferenceError::Tag`] if `tag` is none.
    pub fn with_tag(&self, tag: &str) -> Result<Self, ParseReferenceError> {
        check_tag(tag)?;
        Ok(Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(host) = &self.host {
            write!(f, "{host}/")?;
        }
        f.write_str(&self.name)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl FromStr for Reference {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, ParseReferenceError> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse().map_err(ParseReferenceError::Digest)?)),
            None => (text, None),
        };
        let (host, rest) = match rest.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (Some(first), rest),
            _ => (None, rest),
        };
        let (name, tag) = match rest.split_once(':') {
            Some((name, tag)) => (name, Some(tag)),
            None => (rest, None),
        };
        if let Some(host) = host {
            check_host(host)?;
        }
        check_name(name)?;
        if let Some(tag) = tag {
            check_tag(tag)?;
        }
        let reference = Self {
            host: host.map(str::to_owned),
            name: name.to_owned(),
            tag: tag.map(str::to_owned),
            digest,
        };
        let length = reference.repository().len();
        if length > 255 { Err(ParseReferenceError::TooLong { length }) } else { Ok(reference) }
    }
}

/// Why a text is no image reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseReferenceError {
    /// The part before the first slash is no host with an optional port.
    #[error("{0:?} is no registry host: use letters, digits, dots and dashes, then an optional :port")]
    Host(String),
    /// The repository's name breaks the grammar of distribution-spec 1.1.
    #[error(
        "{0:?} is no repository name: lower-case letters and digits, joined by one '.', one or two '_' or dashes, in components parted by '/'"
    )]
    Name(String),
    /// The tag breaks the grammar `[a-zA-Z0-9_][a-zA-Z0-9._-]{{0,127}}`.
    #[error("{0:?} is no tag: up to 128 letters, digits, '_', '.' and '-', not beginning with '.' or '-'")]
    Tag(String),
    /// What follows the `@` is no digest.
    #[error("the reference's digest is malformed")]
    Digest(#[source] ParseDigestError),
    /// Host and name are longer than 255 characters together.
    #[error("host and name have {length} characters together, at most 255 are allowed")]
    TooLong {
        /// Characters found.
        length: usize,
    },
}

fn check_host(host: &str) -> Result<(), ParseReferenceError> {
    let (domain, port) = host.split_once(':').map_or((host, None), |(domain, port)| (domain, Some(port)));
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let port_fits =
        port.is_none_or(|port| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok());
    if domain.split('.').all(label) && port_fits { Ok(()) } else { Err(ParseReferenceError::Host(cut(host))) }
}

fn check_name(name: &str) -> Result<(), ParseReferenceError> {
    if name.split('/').all(component) { Ok(()) } else { Err(ParseReferenceError::Name(cut(name))) }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn component(text: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut separator = String::new();
    let mut begun = false;
    for character in text.chars() {
        if u8::try_from(character).is_ok_and(alphanumeric) {
            let allowed = matches!(separator.as_str(), "" | "." | "_" | "__")
                || separator.bytes().all(|byte| byte == b'-');
            if !allowed || (!begun && !separator.is_empty()) {
                return false;
            }
            separator.clear();
            begun = true;
        } else {
            separator.push(character);
        }
    }
    begun && separator.is_empty()
}

fn check_tag(tag: &str) -> Result<(), ParseReferenceError> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let fits = tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|byte| word(byte) || byte == b'.' || byte == b'-')
        && tag.len() <= 128;
    if fits { Ok(()) } else { Err(ParseReferenceError::Tag(cut(tag))) }
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(feature = "serde")]
mod serde_impl {
    use super::Reference;

    impl serde::Serialize for Reference {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }

    impl<'de> serde::Deserialize<'de> for Reference {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        }
    }
}
