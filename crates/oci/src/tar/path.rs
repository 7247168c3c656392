//! Which names an entry of a layer may have.

use super::reader::Fault;
use crate::Limits;

/// A path that stays inside the layer: relative, plain, within the limits.
pub(super) fn inside(path: &str, limits: &Limits) -> Result<String, Fault> {
    let mut relative = path;
    while let Some(rest) = relative.strip_prefix("./") {
        relative = rest;
    }
    let fault = if relative.is_empty() {
        Some("is empty")
    } else if relative.starts_with('/') {
        Some("is absolute")
    } else if relative.contains('\0') {
        Some("holds a NUL")
    } else if relative.split('/').any(|component| component == "..") {
        Some("leaves the layer by '..'")
    } else if relative.split('/').any(|component| component.is_empty() || component == ".") {
        Some("has an empty or '.' component")
    } else {
        None
    };
    if let Some(fault) = fault {
        let shown: String = path.chars().take(256).collect();
        return Err(Fault::malformed(format!("path {shown:?} {fault}")));
    }
    at_most("bytes of a path in a layer", relative.len(), limits.path_bytes)?;
    at_most("components of a path in a layer", relative.split('/').count(), limits.path_depth)?;
    let longest = relative.split('/').map(str::len).max().unwrap_or(0);
    at_most("bytes of a name in a layer", longest, limits.name_bytes)?;
    Ok(relative.to_owned())
}

/// The target of a symbolic link: it may lead anywhere, for nothing here ever follows it.
pub(super) fn link(target: String, limits: &Limits) -> Result<String, Fault> {
    if target.is_empty() || target.contains('\0') {
        return Err(Fault::malformed("a symbolic link has no usable target"));
    }
    at_most("bytes of a symbolic link's target", target.len(), limits.path_bytes)?;
    Ok(target)
}

fn at_most(what: &'static str, count: usize, limit: usize) -> Result<(), Fault> {
    if count > limit {
        return Err(Fault::Limit { what, limit: u64::try_from(limit).unwrap_or(u64::MAX) });
    }
    Ok(())
}
