use std::fmt;

/// Docker Hub by its canonical name, which `docker.io` becomes.
const HUB: &str = "index.docker.io";
const REPOSITORY: &str = "abcdefghijklmnopqrstuvwxyz0123456789_-./";
const TAG: &str = "abcdefghijklmnopqrstuvwxyz0123456789_-.ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGEST: &str = "sh:0123456789abcdef";

/// The name of an image as admission sees it: registry, repository and either a tag or a digest.
///
/// The rules are those of go-containerregistry, which differ from the reference grammar of distribution-spec: a first part
/// without `.` or `:` is no registry (not even `localhost`), a missing registry is Docker Hub, a missing tag is `latest`, and
/// **a tag beside a digest is dropped**.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageName {
    registry: String,
    repository: String,
    identifier: Identifier,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Tag(String),
    Digest(String),
}

/// A text that names no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not parse reference: {text}")]
pub struct ParseImageError {
    text: String,
}

impl ImageName {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// [`ParseImageError`] if go-containerregistry (weak validation) refuses it.
    pub fn parse(text: &str) -> Result<Self, ParseImageError> {
        Self::tagged(text)
            .or_else(|| Self::pinned(text))
            .ok_or_else(|| ParseImageError { text: text.to_owned() })
    }

    fn tagged(text: &str) -> Option<Self> {
        let (base, tag) = match text.rsplit_once(':') {
            Some((base, tag)) if !tag.contains('/') => (base, tag),
            _ => (text, ""),
        };
        if !tag.is_empty() {
            check("tag", tag, TAG, 1, 128).ok()?;
        }
        let (registry, repository) = repository(base, false).ok()?;
        let tag = if tag.is_empty() { "latest" } else { tag };
        Some(Self { registry, repository, identifier: Identifier::Tag(tag.to_owned()) })
    }

    fn pinned(text: &str) -> Option<Self> {
        let (base, digest) = text.split_once('@')?;
        check("digest", digest, DIGEST, 71, 71).ok()?;
        let (registry, repository) = match Self::tagged(base) {
            Some(tagged) => (tagged.registry, tagged.repository),
            None => repository(base, false).ok()?,
        };
        Some(Self { registry, repository, identifier: Identifier::Digest(digest.to_owned()) })
    }

    /// The registry's host and port, `index.docker.io` for Docker Hub.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository with its registry.
    #[must_use]
    pub fn repository(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The digest, if the name is pinned.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        match &self.identifier {
            Identifier::Digest(digest) => Some(digest),
            Identifier::Tag(_) => None,
        }
    }

    /// The tag, if the name is not pinned.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        match &self.identifier {
            Identifier::Tag(tag) => Some(tag),
            Identifier::Digest(_) => None,
        }
    }
}

impl fmt::Display for ImageName {
    /// The fully qualified name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.identifier {
            Identifier::Tag(tag) => write!(f, "{}/{}:{tag}", self.registry, self.repository),
            Identifier::Digest(digest) => write!(f, "{}/{}@{digest}", self.registry, self.repository),
        }
    }
}

/// Registry and repository of a name without tag; `strict` wants the full path on Docker Hub.
pub(crate) fn repository(name: &str, strict: bool) -> Result<(String, String), String> {
    if name.is_empty() {
        return Err("a repository name must be specified".to_owned());
    }
    let (host, path) = match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) => (first, rest),
        _ => ("", name),
    };
    check("repository", path, REPOSITORY, 2, 255)?;
    let host = registry(host, strict && !host.is_empty())?;
    if host == HUB && !path.contains('/') {
        if strict {
            return Err("strict validation requires the full repository path (missing 'library')".to_owned());
        }
        return Ok((host, format!("library/{path}")));
    }
    Ok((host, path.to_owned()))
}

/// A registry by its canonical name.
pub(crate) fn registry(name: &str, strict: bool) -> Result<String, String> {
    if name.is_empty() && strict {
        return Err("strict validation requires the registry to be explicitly defined".to_owned());
    }
    if !is_authority(name) {
        return Err(format!("registries must be valid RFC 3986 URI authorities: {name}"));
    }
    Ok(if name.is_empty() || name == "docker.io" { HUB.to_owned() } else { name.to_owned() })
}

/// Whether Go's `url.Parse("//" + name)` gives this very host.
fn is_authority(name: &str) -> bool {
    if name
        .chars()
        .any(|character| matches!(character, '/' | '?' | '#' | '@' | '%') || character.is_ascii_control())
    {
        return false;
    }
    let (host, port) = match name.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((inside, after)) => {
                if inside
                    .chars()
                    .any(|character| !character.is_ascii_hexdigit() && !matches!(character, ':' | '.'))
                {
                    return false;
                }
                ("", after)
            }
            None => return false,
        },
        None => match name.rfind(':') {
            Some(at) => (name.get(..at).unwrap_or_default(), name.get(at..).unwrap_or_default()),
            None => (name, ""),
        },
    };
    let host_fits = host.chars().all(|character| !character.is_ascii() || is_host_character(character));
    let port_fits = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => port.is_empty(),
    };
    host_fits && port_fits
}

fn is_host_character(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || matches!(
            character,
            '-' | '_'
                | '.'
                | '~'
                | '!'
                | '$'
                | '&'
                | '\''
                | '('
                | ')'
                | '*'
                | '+'
                | ','
                | ';'
                | '='
                | ':'
                | '['
                | ']'
                | '<'
                | '>'
                | '"'
        )
}

fn check(what: &str, text: &str, allowed: &str, least: usize, most: usize) -> Result<(), String> {
    let length = text.chars().count();
    if length < least || length > most {
        return Err(format!("{what} must be between {least} and {most} characters in length: {text}"));
    }
    if text.chars().all(|character| allowed.contains(character)) {
        return Ok(());
    }
    Err(format!("{what} can only contain the characters `{allowed}`: {text}"))
}
