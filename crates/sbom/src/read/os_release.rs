//! os-release(5).

use super::Facts;
use crate::error::Error;
use crate::inventory::Distro;
use crate::json::malformed;

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Facts, Error> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| malformed(path, bytes, e.valid_up_to(), "os-release is not UTF-8"))?;
    let mut distro =
        Distro { id: "linux".to_owned(), version_id: None, pretty_name: None, location: path.to_owned() };
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let Some((key, value)) = line.split_once('=') else { continue };
        let value = unquote(value);
        match key {
            "ID" if !value.is_empty() => distro.id = value.to_ascii_lowercase(),
            "VERSION_ID" if !value.is_empty() => distro.version_id = Some(value),
            "PRETTY_NAME" if !value.is_empty() => distro.pretty_name = Some(value),
            _ => {}
        }
    }
    Ok(Facts { distro: Some(distro), ..Facts::default() })
}

/// Shell quoting as far as os-release allows it.
fn unquote(value: &str) -> String {
    let value = value.trim();
    if let Some(inner) = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')) {
        return inner.to_owned();
    }
    let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c == '\\' { out.extend(chars.next()) } else { out.push(c) }
    }
    out
}
