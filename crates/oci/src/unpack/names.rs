//! Names that a system reads as something else than a file.

use crate::{Error, FileSystem};

/// Refuses on Windows what Windows would not take as the name of a file in this directory (CVE-2024-51756).
pub(super) fn check(system: &FileSystem) -> Result<(), Error> {
    if !cfg!(windows) {
        return Ok(());
    }
    match system.iter().find(|(path, _)| path.split('/').any(is_reserved_on_windows)) {
        Some((path, _)) => Err(Error::Unsupported {
            what: format!("path {path:?} on Windows"),
            advice: "it names a device or a stream there; unpack on another system",
        }),
        None => Ok(()),
    }
}

/// Whether Windows reads a component as a device, a stream, another path or another name. Superscript digits count as digits.
fn is_reserved_on_windows(component: &str) -> bool {
    if component.chars().any(|c| c < ' ' || matches!(c, '<' | '>' | ':' | '"' | '\\' | '|' | '?' | '*'))
        || component.ends_with([' ', '.'])
    {
        return true;
    }
    let stem = component.split('.').next().unwrap_or(component).trim_end_matches(' ').to_ascii_uppercase();
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") {
        return true;
    }
    let numbered = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    let mut rest = numbered.unwrap_or("").chars();
    matches!((rest.next(), rest.next()), (Some('0'..='9' | '\u{b9}' | '\u{b2}' | '\u{b3}'), None))
}

#[cfg(test)]
mod tests {
    use super::is_reserved_on_windows;

    #[test]
    fn cve_2024_51756_windows_devices_also_with_superscript_digits() {
        for name in [
            "CON",
            "con",
            "nul.txt",
            "COM1",
            "com\u{b9}",
            "LPT\u{b2}.log",
            "lpt\u{b3}",
            "COM0",
            "aux ",
            "PRN .x",
            "a:b",
            "a\\b",
            "CONIN$",
            "end.",
            "a?",
        ] {
            assert!(is_reserved_on_windows(name), "{name:?}");
        }
        for name in ["console", "COM", "COM10", "com4x", "lpt", "nulled", "a.con", "\u{b9}", ".hidden"] {
            assert!(!is_reserved_on_windows(name), "{name:?}");
        }
    }
}
