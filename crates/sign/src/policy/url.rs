//! The few rules of Go's `net/url` that decide whether a policy is taken.

use super::json::go_quote;

/// `url.Parse`, as far as it errs.
pub(crate) fn parse(text: &str) -> Result<(), String> {
    match split(text) {
        Ok(_) => Ok(()),
        Err(reason) => Err(format!("parse {}: {reason}", go_quote(text))),
    }
}

/// `url.ParseRequestURI` takes the text: an absolute URI or an absolute path.
pub(crate) fn is_request_uri(text: &str) -> bool {
    if text.is_empty() {
        return false;
    }
    match split(text) {
        Ok(parts) => text == "*" || parts.scheme.is_some() || parts.rest.starts_with('/'),
        Err(_) => false,
    }
}

/// Whether the scheme is https and a host is there.
pub(crate) fn is_https(text: &str) -> bool {
    split(text).is_ok_and(|parts| {
        parts.scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")) && !parts.host.is_empty()
    })
}

struct Parts<'a> {
    scheme: Option<&'a str>,
    host: &'a str,
    rest: &'a str,
}

fn split(text: &str) -> Result<Parts<'_>, String> {
    if text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
        return Err("net/url: invalid control character in URL".to_owned());
    }
    let (scheme, rest) = scheme(text)?;
    let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
    let rest = rest.split_once('?').map_or(rest, |(before, _)| before);
    if scheme.is_none() && !rest.starts_with('/') {
        let segment = rest.split_once('/').map_or(rest, |(before, _)| before);
        if segment.contains(':') {
            return Err("first path segment in URL cannot contain colon".to_owned());
        }
    }
    let opaque = scheme.is_some() && !rest.starts_with('/');
    let (host, path) = match rest.strip_prefix("//") {
        Some(after) if scheme.is_some() || !rest.starts_with("///") => match after.find('/') {
            Some(at) => (after.get(..at).unwrap_or_default(), after.get(at..).unwrap_or_default()),
            None => (after, ""),
        },
        _ => ("", rest),
    };
    if !opaque {
        escapes(path)?;
    }
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if let Some(inside) = host.strip_prefix('[') {
        if !inside.contains(']') {
            return Err("missing ']' in host".to_owned());
        }
    } else if let Some(at) = host.rfind(':') {
        let port = host.get(at..).unwrap_or_default();
        if !port.bytes().skip(1).all(|byte| byte.is_ascii_digit()) {
            return Err(format!("invalid port {} after host", go_quote(port)));
        }
    }
    if let Some(bad) =
        host.chars().find(|character| matches!(character, ' ' | '\\' | '^' | '`' | '{' | '|' | '}'))
    {
        return Err(format!("invalid character {} in host name", go_quote(&bad.to_string())));
    }
    escapes(host)?;
    Ok(Parts { scheme, host, rest })
}

fn scheme(text: &str) -> Result<(Option<&str>, &str), String> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((text.get(..at), text.get(at + 1..).unwrap_or_default())),
            _ => return Ok((None, text)),
        }
    }
    Ok((None, text))
}

fn escapes(text: &str) -> Result<(), String> {
    for (at, _) in text.match_indices('%') {
        let digits = text.as_bytes().get(at + 1..at + 3);
        if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            let shown: String = text.get(at..).unwrap_or_default().chars().take(3).collect();
            return Err(format!("invalid URL escape {}", go_quote(&shown)));
        }
    }
    Ok(())
}
