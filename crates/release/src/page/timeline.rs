use std::fmt::Write as _;

use super::markup::escape;
use crate::Report;

/// The lanes, in the order of time.
const LANES: [&str; 5] = ["expand", "rollout", "backfill", "soak", "contract"];

/// When each phase runs, and how long the way back stays open.
pub(super) fn picture(report: &Report) -> String {
    let count = |phase: &str| report.migrations.iter().filter(|step| step.phase == phase).count();
    let mut svg = String::from(
        "<div class=\"scroll\"><svg viewBox=\"0 0 960 210\" role=\"img\" aria-labelledby=\"timeline-title\">\n<title id=\"timeline-title\">The phases of the migration in time; the table below lists every statement</title>\n",
    );
    for (number, lane) in LANES.iter().enumerate() {
        let y = 10 + number * 32;
        let x = 110 + number * 160;
        let words = match (*lane, count(lane)) {
            ("rollout", _) => "new pods".to_owned(),
            ("soak", _) => "earlier releases may return".to_owned(),
            (_, 0) => "nothing".to_owned(),
            ("contract", count) => format!("{count}, later release"),
            (_, count) => format!("{count} statements"),
        };
        let _ = writeln!(
            svg,
            "<text x=\"4\" y=\"{ty}\">{lane}</text><rect class=\"faint\" x=\"{x}\" y=\"{y}\" width=\"200\" height=\"26\" rx=\"4\"/><text x=\"{tx}\" y=\"{ty}\">{}</text>",
            escape(&words),
            ty = y + 18,
            tx = x + 8,
        );
    }
    let (class, words) = if report.rollback.is_empty() {
        ("good", "rollback possible: from expand until contract")
    } else {
        ("bad", "rollback blocked: see below")
    };
    let _ = writeln!(
        svg,
        "<rect class=\"{class}\" x=\"110\" y=\"176\" width=\"640\" height=\"6\"/><text x=\"110\" y=\"200\">{words}</text>"
    );
    svg.push_str("</svg></div>\n");
    svg
}
