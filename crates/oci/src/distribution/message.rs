use std::fmt;

use super::Url;

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Method {
    /// `DELETE`
    Delete,
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `PATCH`
    Patch,
    /// `POST`
    Post,
    /// `PUT`
    Put,
}

impl Method {
    /// The name in a request line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }

    /// The method of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Delete, Self::Get, Self::Head, Self::Patch, Self::Post, Self::Put]
            .into_iter()
            .find(|method| method.name() == name)
    }
}

/// The fields of a message's header, in order; names are compared without case.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// No fields.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a field at the end. Control characters, which no field holds, become spaces.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        let value: String = value.into();
        let value = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.0.push((name.to_owned(), value));
    }

    /// Replaces every field of this name by one.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.remove(name);
        self.push(name, value);
    }

    /// Removes every field of this name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    }

    /// The first field of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Every field of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All fields.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = |name: &str| name.eq_ignore_ascii_case("authorization");
        let shown = self.iter().map(|(name, value)| (name, if secret(name) { "(secret)" } else { value }));
        f.debug_map().entries(shown).finish()
    }
}

/// What a request carries.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body {
    /// Nothing.
    Empty,
    /// These bytes.
    Bytes(Vec<u8>),
    /// A part of the content that is uploaded; whoever sends the request has it and reads it anew each time.
    Content {
        /// The first byte of the part.
        offset: u64,
        /// Bytes of the part.
        length: u64,
    },
}

impl Body {
    /// Bytes that are sent.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Bytes(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Self::Content { length, .. } => *length,
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A token request's body is a secret.
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Content { offset, length } => write!(f, "Content({length} bytes from {offset})"),
        }
    }
}

/// A request to be sent as it stands: no header is added but `Host`, `Content-Length` of the body and connection management,
/// no redirect is followed, no body is decompressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where it goes.
    pub url: Url,
    /// The fields of its header.
    pub headers: Headers,
    /// What it carries.
    pub body: Body,
    /// Bytes of the answer's body that are read into [`Response::body`] at most; one byte more is an error.
    pub limit: u64,
    /// Whether the body of an answer with status 200 or 206 is content, which is not read into [`Response::body`].
    pub wants_content: bool,
}

impl Request {
    /// A request without headers and body, whose answer is an error document or nothing.
    #[must_use]
    pub const fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Headers::new(),
            body: Body::Empty,
            limit: super::ERROR_BYTES,
            wants_content: false,
        }
    }

    /// The request with one more header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// Method, host and path, for people: the query may hold what is nobody's business.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("{} {}{}", self.method.name(), self.url.authority(), self.url.path())
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code, 200 to 599.
    pub status: u16,
    /// The fields of its header.
    pub headers: Headers,
    /// The body, unless it is content.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer without header and body.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self { status, headers: Headers::new(), body: Vec::new() }
    }

    /// `Content-Type` without its parameters, in lower case.
    #[must_use]
    pub fn content_type(&self) -> Option<String> {
        let value = self.headers.get("content-type")?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }
}
