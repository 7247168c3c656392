use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::Error;

/// An `http` or `https` URL: scheme, authority, path and query. It carries no user and no fragment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Url {
    secure: bool,
    authority: String,
    path: String,
    query: Option<String>,
}

/// Bytes of a URL that are read.
const LENGTH: usize = 16 << 10;

impl Url {
    /// A URL of an authority (`host` or `host:port`) and a path that begins with a slash.
    ///
    /// # Errors
    ///
    /// [`Error::Caller`] if the authority is none or the path holds what no path holds.
    pub fn new(secure: bool, authority: &str, path: &str) -> Result<Self, Error> {
        let scheme = if secure { "https" } else { "http" };
        format!("{scheme}://{authority}{path}").parse().map_err(|_| {
            Error::Caller(format!("{authority:?} and {path:?} make no URL; name a registry as host[:port]"))
        })
    }

    /// Whether the scheme is `https`.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// Host and port as written, in lower case.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host without the port.
    #[must_use]
    pub fn host(&self) -> &str {
        split_port(&self.authority).0
    }

    /// The port, given or by the scheme.
    #[must_use]
    pub fn port(&self) -> u16 {
        split_port(&self.authority).1.and_then(|port| port.parse().ok()).unwrap_or(if self.secure {
            443
        } else {
            80
        })
    }

    /// The path, beginning with a slash.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query without its question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Path and query, as a request line has them.
    #[must_use]
    pub fn target(&self) -> String {
        self.query.as_ref().map_or_else(|| self.path.clone(), |query| format!("{}?{query}", self.path))
    }

    /// Whether scheme, host and port are those of `other`: what credentials may travel between.
    #[must_use]
    pub fn same_origin(&self, other: &Self) -> bool {
        self.secure == other.secure && self.host() == other.host() && self.port() == other.port()
    }

    /// The same URL with one more parameter at the end of its query; what stands there stays as it is.
    #[must_use]
    pub fn with_parameter(&self, key: &str, value: &str) -> Self {
        let pair = format!("{}={}", encode(key), encode(value));
        let query = match &self.query {
            Some(query) if !query.is_empty() => format!("{query}&{pair}"),
            _ => pair,
        };
        Self { query: Some(query), ..self.clone() }
    }

    /// What a `Location` or a link stands for, seen from this URL (RFC 3986, section 5).
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if it is no URL.
    pub fn join(&self, reference: &str) -> Result<Self, Error> {
        let reference = reference.trim();
        let lower = reference.get(..8.min(reference.len())).unwrap_or_default().to_ascii_lowercase();
        if lower.starts_with("http://") || lower.starts_with("https://") {
            return reference.parse();
        }
        let scheme = if self.secure { "https" } else { "http" };
        if let Some(rest) = reference.strip_prefix("//") {
            return format!("{scheme}://{rest}").parse();
        }
        let base = format!("{scheme}://{}", self.authority);
        if reference.starts_with('/') {
            return format!("{base}{reference}").parse();
        }
        if reference.starts_with('?') {
            return format!("{base}{}{reference}", self.path).parse();
        }
        let name = reference.split(['?', '#', '/']).next().unwrap_or_default();
        if reference.is_empty() || name.contains(':') {
            return Err(malformed(reference));
        }
        let directory = self.path.rsplit_once('/').map_or("", |(directory, _)| directory);
        format!("{base}{directory}/{reference}").parse()
    }
}

impl FromStr for Url {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
        if text.len() > LENGTH || !plain {
            return Err(malformed(text));
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(|| malformed(text))?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(malformed(text)),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let authority = authority.to_ascii_lowercase();
        let (host, port) = split_port(&authority);
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let good_host = bracketed.map_or_else(
            || {
                !host.is_empty()
                    && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
            },
            |address| address.parse::<std::net::Ipv6Addr>().is_ok(),
        );
        let good_port = port
            .is_none_or(|port| port.parse::<u16>().is_ok() && port.bytes().all(|byte| byte.is_ascii_digit()));
        if !good_host || !good_port {
            return Err(malformed(text));
        }
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        Ok(Self { secure, authority, path: without_dots(path), query })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.target())
    }
}

/// Whether a host (with or without a port) is this machine: `localhost`, `127.0.0.0/8` or `::1`.
#[must_use]
pub fn is_loopback(authority: &str) -> bool {
    let host = split_port(authority).0;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Everything but the unreserved characters of RFC 3986 as `%XX`; `/` and `:` stay, they mean nothing in a query.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:,".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    out
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// RFC 3986, section 5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let last = segments.len().saturating_sub(1);
    for (number, segment) in segments.iter().enumerate() {
        match *segment {
            "." | ".." => {
                if *segment == ".." {
                    kept.pop();
                }
                if number == last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}

fn malformed(text: &str) -> Error {
    let shown: String = text.chars().take(128).collect();
    Error::malformed(format!("URL {shown:?}"), "expected http:// or https://, a host and a path")
}
