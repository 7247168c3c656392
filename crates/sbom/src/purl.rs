//! Package URLs (ECMA-427), strict and canonical.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A package URL in canonical form; printing and parsing it again is the identity.
///
/// ```
/// use lotse_sbom::Purl;
/// let purl: Purl = "pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64".parse()?;
/// assert_eq!(purl.version(), Some("1:2.4.47-2+b1"));
/// assert_eq!(purl.to_string(), "pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64");
/// # Ok::<(), lotse_sbom::PurlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purl {
    kind: String,
    namespace: Option<String>,
    name: String,
    version: Option<String>,
    qualifiers: BTreeMap<String, String>,
    subpath: Option<String>,
}

/// What is wrong with a package URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{purl:?} is no package URL: {reason}")]
pub struct PurlError {
    /// The text, cut to 300 characters.
    pub purl: String,
    /// What is wrong.
    pub reason: &'static str,
}

impl Purl {
    /// Builds one from decoded parts; letter case and separators are made canonical for the type.
    ///
    /// # Errors
    /// [`PurlError`] if the type or name is malformed, or if the type forbids or demands a namespace.
    pub fn new(
        kind: &str,
        namespace: Option<&str>,
        name: &str,
        version: Option<&str>,
    ) -> Result<Self, PurlError> {
        let mut purl = Self {
            kind: kind.to_ascii_lowercase(),
            namespace: namespace.map(|n| n.trim_matches('/').to_owned()).filter(|n| !n.is_empty()),
            name: name.to_owned(),
            version: version.filter(|v| !v.is_empty()).map(str::to_owned),
            qualifiers: BTreeMap::new(),
            subpath: None,
        };
        match purl.normalise() {
            Ok(()) => Ok(purl),
            Err(reason) => Err(PurlError { purl: purl.to_string().chars().take(300).collect(), reason }),
        }
    }

    /// Reads leniently: letter case of qualifier keys is made canonical instead of refused.
    ///
    /// # Errors
    /// [`PurlError`] for everything else that [`Purl::from_str`] refuses.
    pub fn canonicalise(text: &str) -> Result<Self, PurlError> {
        let Some((head, tail)) = text.split_once('?') else { return text.parse() };
        let (qualifiers, subpath) = match tail.split_once('#') {
            Some((qualifiers, subpath)) => (qualifiers, format!("#{subpath}")),
            None => (tail, String::new()),
        };
        let lower = |pair: &str| match pair.split_once('=') {
            Some((key, value)) => format!("{}={value}", key.to_ascii_lowercase()),
            None => pair.to_owned(),
        };
        let qualifiers: Vec<String> = qualifiers.split('&').map(lower).collect();
        format!("{head}?{}{subpath}", qualifiers.join("&")).parse()
    }

    /// The same with one qualifier more; an empty value leaves it out.
    ///
    /// # Errors
    /// [`PurlError`] if the key is not of lower-case letters, digits, `.`, `-` and `_`.
    pub fn with_qualifier(mut self, key: &str, value: &str) -> Result<Self, PurlError> {
        if !valid_key(key) {
            return Err(PurlError {
                purl: key.chars().take(300).collect(),
                reason: "a malformed qualifier key",
            });
        }
        if !value.is_empty() {
            self.qualifiers.insert(key.to_owned(), value.to_owned());
        }
        Ok(self)
    }

    /// The same with a path within the package; empty, `.` and `..` segments are left out.
    ///
    /// # Errors
    /// [`PurlError`] never at present; a path is always made canonical.
    pub fn with_subpath(mut self, subpath: &str) -> Result<Self, PurlError> {
        let segments: Vec<&str> = subpath.split('/').filter(|s| !matches!(*s, "" | "." | "..")).collect();
        self.subpath = Some(segments.join("/")).filter(|s| !s.is_empty());
        Ok(self)
    }

    /// The type, lower case: `npm`, `deb`, `composer`, ...
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The decoded namespace, segments parted by `/`.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The decoded name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The decoded version.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// One decoded qualifier.
    #[must_use]
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers.get(key).map(String::as_str)
    }

    /// The decoded path within the package.
    #[must_use]
    pub fn subpath(&self) -> Option<&str> {
        self.subpath.as_deref()
    }

    /// Whether this one, read as a pattern, covers `other`: type and name equal, every part given here equal,
    /// parts missing here free.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let free_or_equal = |mine: &Option<String>, theirs: &Option<String>| mine.is_none() || mine == theirs;
        self.kind == other.kind
            && self.namespace == other.namespace
            && self.name == other.name
            && free_or_equal(&self.version, &other.version)
            && free_or_equal(&self.subpath, &other.subpath)
            && self.qualifiers.iter().all(|(key, value)| other.qualifiers.get(key) == Some(value))
    }

    fn normalise(&mut self) -> Result<(), &'static str> {
        if !valid_type(&self.kind) {
            return Err("the type must start with a letter and hold letters, digits, `.`, `+` and `-` only");
        }
        if self.name.is_empty() {
            return Err("the name is missing");
        }
        let rule = Rule::of(&self.kind);
        if rule.lower_name {
            self.name = self.name.to_lowercase();
        }
        if rule.lower_namespace {
            self.namespace = self.namespace.as_ref().map(|n| n.to_lowercase());
        }
        match self.kind.as_str() {
            "pypi" => self.name = self.name.replace('_', "-"),
            "huggingface" => self.version = self.version.as_ref().map(|v| v.to_lowercase()),
            "cpan" if self.name.contains("::") => {
                return Err("a CPAN distribution is written with `-`, not with `::`");
            }
            "chrome-extension" => {
                let parts = self.version.as_deref().unwrap_or("0").split('.');
                let numbers = parts.clone().all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
                let id = self.name.len() == 32 && self.name.bytes().all(|b| (b'a'..=b'p').contains(&b));
                if !id || !numbers || parts.count() > 4 {
                    return Err(
                        "an extension has 32 letters from a to p and a version of up to four numbers",
                    );
                }
            }
            _ => {}
        }
        match (rule.namespace, &self.namespace) {
            (Need::Required, None) => Err("this type needs a namespace"),
            (Need::Forbidden, Some(_)) => Err("this type has no namespace"),
            _ => Ok(()),
        }
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let rest = text.strip_prefix("pkg:").ok_or("it does not start with `pkg:`")?;
        let rest = rest.trim_start_matches('/');
        let (rest, subpath) = match rest.rsplit_once('#') {
            Some((rest, subpath)) => (rest, join_segments(subpath, true)?),
            None => (rest, None),
        };
        let (rest, qualifiers) = match rest.rsplit_once('?') {
            Some((rest, qualifiers)) => (rest, parse_qualifiers(qualifiers)?),
            None => (rest, BTreeMap::new()),
        };
        let (kind, rest) = rest.split_once('/').ok_or("the name is missing")?;
        let rest = rest.trim_matches('/');
        let (rest, version) = match rest.rsplit_once('@') {
            // An `@` with a slash after it begins a scope.
            Some((before, version)) if !version.contains('/') => (before, Some(decode(version)?)),
            _ => (rest, None),
        };
        if rest.ends_with('/') || rest.is_empty() {
            return Err("the name is missing");
        }
        let (namespace, name) = match rest.rsplit_once('/') {
            Some((namespace, name)) => (join_segments(namespace, false)?, name),
            None => (None, rest),
        };
        let mut purl = Self {
            kind: kind.to_ascii_lowercase(),
            namespace,
            name: decode(name)?,
            version: version.filter(|v| !v.is_empty()),
            qualifiers,
            subpath,
        };
        purl.normalise()?;
        Ok(purl)
    }
}

impl FromStr for Purl {
    type Err = PurlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).map_err(|reason| PurlError { purl: text.chars().take(300).collect(), reason })
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}/", self.kind)?;
        for segment in self.namespace.iter().flat_map(|n| n.split('/')) {
            encode(segment, f)?;
            f.write_str("/")?;
        }
        encode(&self.name, f)?;
        if let Some(version) = &self.version {
            f.write_str("@")?;
            encode(version, f)?;
        }
        for (i, (key, value)) in self.qualifiers.iter().enumerate() {
            write!(f, "{}{key}=", if i == 0 { '?' } else { '&' })?;
            encode(value, f)?;
        }
        if let Some(subpath) = &self.subpath {
            for (i, segment) in subpath.split('/').enumerate() {
                f.write_str(if i == 0 { "#" } else { "/" })?;
                encode(segment, f)?;
            }
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Required,
    Free,
    Forbidden,
}

struct Rule {
    namespace: Need,
    lower_name: bool,
    lower_namespace: bool,
}

impl Rule {
    fn of(kind: &str) -> Self {
        let namespace = match kind {
            "vscode-extension" | "apk" | "alpm" | "bitbucket" | "composer" | "deb" | "github" | "golang"
            | "maven" | "rpm" | "swift" => Need::Required,
            "otp" | "vcpkg" | "julia" | "chrome-extension" | "bitnami" | "cargo" | "cocoapods" | "conda"
            | "cran" | "gem" | "hackage" | "nuget" | "oci" | "pub" | "pypi" => Need::Forbidden,
            _ => Need::Free,
        };
        let lower =
            matches!(kind, "alpm" | "apk" | "bitbucket" | "brew" | "composer" | "deb" | "github" | "hex");
        Self {
            namespace,
            lower_name: lower || matches!(kind, "bitnami" | "oci" | "pub" | "pypi"),
            lower_namespace: lower || kind == "rpm",
        }
    }
}

fn valid_type(kind: &str) -> bool {
    kind.starts_with(|c: char| c.is_ascii_lowercase())
        && kind
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'+' | b'-'))
}

fn valid_key(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_lowercase())
        && key
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'))
}

fn parse_qualifiers(text: &str) -> Result<BTreeMap<String, String>, &'static str> {
    let mut out = BTreeMap::new();
    for pair in text.split('&').filter(|p| !p.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or("a qualifier has no `=`")?;
        if !valid_key(key) {
            return Err("a qualifier key must be of lower-case letters, digits, `.`, `-` and `_`");
        }
        if value.is_empty() {
            continue;
        }
        if out.insert(key.to_owned(), decode(value)?).is_some() {
            return Err("a qualifier stands twice");
        }
    }
    Ok(out)
}

fn join_segments(text: &str, path: bool) -> Result<Option<String>, &'static str> {
    let mut out = String::new();
    for segment in text.split('/').filter(|s| !s.is_empty()) {
        let segment = decode(segment)?;
        if path && (segment == "." || segment == "..") {
            continue;
        }
        if segment.contains('/') || segment.is_empty() {
            return Err("an encoded slash in a segment");
        }
        if !out.is_empty() {
            out.push('/');
        }
        out.push_str(&segment);
    }
    Ok(Some(out).filter(|s| !s.is_empty()))
}

fn decode(text: &str) -> Result<String, &'static str> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit =
            |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        match (digit(bytes.next()), digit(bytes.next())) {
            (Some(high), Some(low)) => out.push(high * 16 + low),
            _ => return Err("`%` without two hex digits"),
        }
    }
    String::from_utf8(out).map_err(|_| "the decoded text is not UTF-8")
}

/// Everything is percent-encoded but letters, digits, `.`, `-`, `_`, `~` and the colon.
fn encode(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~' | b':') {
            write!(f, "{}", char::from(byte))?;
        } else {
            write!(f, "%{byte:02X}")?;
        }
    }
    Ok(())
}
