use std::fmt::Write as _;

use super::markup::escape;
use crate::Report;
use crate::check::Outcome;

/// The links from commit to log, each with the checks that hold it.
const LINKS: [(&str, &[&str]); 7] = [
    ("commit", &["source", "secrets"]),
    ("image", &["reproducible", "size"]),
    ("inventory", &["inventory", "vulnerabilities"]),
    ("signature", &["signatures"]),
    ("manifests", &["pinned", "pod-security", "rbac", "rollout", "workloads", "network"]),
    ("database", &["migrations"]),
    ("log", &[]),
];

/// The chain as a picture, with a list that says the same.
pub(super) fn picture(report: &Report) -> String {
    let (width, box_width, gap) = (980, 116, 28);
    let mut svg = format!(
        "<div class=\"scroll\"><svg viewBox=\"0 0 {width} 92\" role=\"img\" aria-labelledby=\"chain-title chain-desc\">\n\
         <title id=\"chain-title\">The chain from commit to log</title>\n<desc id=\"chain-desc\">"
    );
    let states: Vec<(&str, &str)> =
        LINKS.iter().map(|(name, checks)| (*name, state(report, checks))).collect();
    let words: Vec<String> = states.iter().map(|(name, state)| format!("{name}: {state}")).collect();
    let _ = writeln!(svg, "{}</desc>", escape(&words.join(", ")));
    for (number, (name, state)) in states.iter().enumerate() {
        let x = number * (box_width + gap);
        let (class, shape) = match *state {
            "holds" => ("good", "\u{2713}"),
            "broken" => ("bad", "\u{2717}"),
            _ => ("faint", "\u{25cb}"),
        };
        let _ = writeln!(
            svg,
            "<rect class=\"faint\" x=\"{x}\" y=\"8\" width=\"{box_width}\" height=\"60\" rx=\"6\"/><text x=\"{tx}\" y=\"34\">{name}</text><text x=\"{tx}\" y=\"56\"><tspan class=\"{class}\">{shape}</tspan> {state}</text>",
            tx = x + 12,
        );
        if number + 1 < states.len() {
            let from = x + box_width;
            let _ =
                writeln!(svg, "<path class=\"arrow\" d=\"M{} 38h{} m-6 -5l6 5l-6 5\"/>", from + 4, gap - 8);
        }
    }
    svg.push_str("</svg></div>\n");
    svg
}

fn state(report: &Report, checks: &[&str]) -> &'static str {
    let outcomes = report.checks.iter().filter(|check| checks.contains(&check.id)).map(|check| check.outcome);
    match outcomes.filter(|outcome| *outcome != Outcome::NeedsReview).max() {
        // The log is written after the page; the page is in it.
        None if checks.is_empty() => "see log/",
        None => "not run",
        Some(Outcome::Failed) => "broken",
        Some(Outcome::NotRun | Outcome::NeedsReview) => "not run",
        Some(Outcome::NotApplicable) => "not needed",
        Some(Outcome::Passed) => "holds",
    }
}
