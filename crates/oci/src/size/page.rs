//! The size report as a page.

use std::fmt::Write as _;

use super::{SizeChange, SizeReport};

/// Rows of a table; the rest is counted.
const ROWS: usize = 30;
const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}\
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.2rem .6rem .2rem 0;border-bottom:1px solid #e4e7eb;vertical-align:top}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}code{font-size:.85em;overflow-wrap:anywhere}\
svg{width:100%;height:auto}rect{fill:#dbe7f3;stroke:#fff;stroke-width:2}text{font:12px system-ui,sans-serif;fill:#1b1f24}\
@media(prefers-color-scheme:dark){body{color:#e6e9ed;background:#14171a}th,td{border-color:#2c3238}rect{fill:#2b4763;stroke:#14171a}text{fill:#e6e9ed}}";

pub(super) fn html(report: &SizeReport, title: &str, before: Option<&SizeReport>) -> String {
    let title = escape(title);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Size of {title}</title>\n<style>{STYLE}</style></head>\n<body><h1>Size of {title}</h1>\n"
    );
    totals(report, before, &mut page);
    layers(report, &mut page);
    let map = report.treemap(960, 400, 4, 60);
    let _ = write!(
        page,
        "<h2>Visible bytes by directory</h2>\n{}",
        map.to_svg(&format!("Visible bytes of {title} by directory"))
    );
    changes(report, before, &mut page);
    directories(report, &mut page);
    duplicates(report, &mut page);
    page.push_str("</body></html>\n");
    page
}

type Measure = fn(&SizeReport) -> u64;

fn totals(report: &SizeReport, before: Option<&SizeReport>, page: &mut String) {
    let rows: [(&str, Measure); 5] = [
        ("transferred (compressed layers)", SizeReport::compressed),
        ("unpacked archives", SizeReport::archives),
        ("visible files", SizeReport::visible),
        ("hidden by later layers", |report| report.hidden),
        ("second copies of the same content", SizeReport::duplicated),
    ];
    page.push_str("<table><thead><tr><th>Bytes</th>");
    page.push_str(if before.is_some() {
        "<th class=\"n\">Before</th><th class=\"n\">After</th><th class=\"n\">Change</th>"
    } else {
        "<th class=\"n\"></th>"
    });
    page.push_str("</tr></thead><tbody>\n");
    for (name, of) in rows {
        let _ = write!(page, "<tr><td>{name}</td>");
        if let Some(before) = before {
            let pair = (of(before), of(report));
            let _ = write!(
                page,
                "<td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>",
                grouped(pair.0),
                grouped(pair.1),
                SizeChange::percent(pair)
            );
        } else {
            let _ = write!(page, "<td class=\"n\">{}</td>", grouped(of(report)));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table>\n");
}

fn changes(report: &SizeReport, before: Option<&SizeReport>, page: &mut String) {
    let Some(before) = before else { return };
    let change = SizeChange::between(before, report);
    let rows = change.files.iter().map(|file| {
        let side = |bytes: Option<u64>| bytes.map_or_else(|| "\u{2013}".to_owned(), grouped);
        vec![format!("<code>{}</code>", escape(&file.path)), side(file.before), side(file.after)]
    });
    table(page, "Files that came, went or changed", &["Path", "Before", "After"], rows);
}

fn layers(report: &SizeReport, page: &mut String) {
    let rows = report.layers.iter().enumerate().map(|(number, layer)| {
        vec![
            format!(
                "{number} <code>{}</code>",
                escape(&layer.digest.to_string().chars().take(19).collect::<String>())
            ),
            grouped(layer.compressed),
            grouped(layer.archive),
            grouped(layer.files),
            grouped(layer.hidden),
        ]
    });
    table(page, "Layers", &["Layer", "Transferred", "Archive", "Files in it", "Hidden"], rows);
}

fn directories(report: &SizeReport, page: &mut String) {
    let mut directories = report.directories();
    directories.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
    let rows = directories.into_iter().map(|directory| {
        vec![
            format!("<code>/{}</code>", escape(&directory.path)),
            grouped(directory.files),
            grouped(directory.bytes),
        ]
    });
    table(page, "Largest directories", &["Directory", "Files", "Bytes"], rows);
}

fn duplicates(report: &SizeReport, page: &mut String) {
    let rows = report.duplicates.iter().map(|duplicate| {
        let paths: Vec<String> =
            duplicate.paths.iter().take(4).map(|path| format!("<code>{}</code>", escape(path))).collect();
        let more = duplicate.paths.len().saturating_sub(4);
        let more = if more > 0 { format!("<br>and {more} more") } else { String::new() };
        vec![format!("{}{more}", paths.join("<br>")), grouped(duplicate.bytes), grouped(duplicate.wasted())]
    });
    table(page, "The same content more than once", &["Files", "Each", "Wasted"], rows);
}

/// A table whose first column is text and the others numbers.
fn table(page: &mut String, title: &str, head: &[&str], rows: impl ExactSizeIterator<Item = Vec<String>>) {
    if rows.len() == 0 {
        return;
    }
    let more = rows.len().saturating_sub(ROWS);
    let class = |column: usize| if column > 0 { " class=\"n\"" } else { "" };
    let _ = write!(page, "<h2>{title}</h2>\n<table><thead><tr>");
    for (column, name) in head.iter().enumerate() {
        let _ = write!(page, "<th scope=\"col\"{}>{name}</th>", class(column));
    }
    page.push_str("</tr></thead><tbody>\n");
    for row in rows.take(ROWS) {
        page.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            let _ = write!(page, "<td{}>{cell}</td>", class(column));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table>\n");
    if more > 0 {
        let _ = writeln!(page, "<p>and {more} more</p>");
    }
}

/// A number in groups of three digits, parted by a thin blank.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Text from outside in HTML and SVG; what cannot be seen becomes visible.
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
            | '\u{61c}' => {
                let _ = write!(escaped, "[U+{:04X}]", u32::from(character));
            }
            other if other.is_control() => {
                let _ = write!(escaped, "[U+{:04X}]", u32::from(other));
            }
            other => escaped.push(other),
        }
    }
    escaped
}
