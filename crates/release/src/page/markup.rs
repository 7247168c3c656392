//! Text from outside into HTML: names of packages, paths and commit messages are hostile.

/// Escapes text for HTML and SVG. Control characters, direction marks and invisible ones become visible.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{200b}'..='\u{200f}'
            | '\u{feff}'
            | '\u{061c}' => {
                escaped.push_str(&format!("[U+{:04X}]", u32::from(character)));
            }
            other if other.is_control() => escaped.push_str(&format!("[U+{:04X}]", u32::from(other))),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The beginning of a long text.
pub(super) fn short(text: &str) -> String {
    cut(text, 26)
}

/// At most `most` characters, with a sign that there was more.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return escape(text);
    }
    let beginning: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}\u{2026}", escape(&beginning))
}

/// A number of bytes for people, exact below a kilobyte.
pub(super) fn bytes(count: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
    for (unit, name) in units {
        if count >= unit {
            return format!("{}.{} {name}", count / unit, count % unit / (unit / 10));
        }
    }
    format!("{count} B")
}
