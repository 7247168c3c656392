use lotse_provenance::{DeliveryMetrics, Figure};

use super::{duration, rate};

const WIDTH: usize = 960;
const HEIGHT: usize = 470;
/// Upper bounds of the columns, in seconds, with what is written below them.
const COLUMNS: [(i64, &str); 9] = [
    (900, "15 min"),
    (3600, "1 h"),
    (4 * 3600, "4 h"),
    (12 * 3600, "12 h"),
    (86_400, "1 d"),
    (3 * 86_400, "3 d"),
    (7 * 86_400, "1 w"),
    (30 * 86_400, "30 d"),
    (i64::MAX, "more"),
];

/// The figures as a picture: six tiles, and below them how long branches lived and commits waited.
pub(crate) fn svg(metrics: &DeliveryMetrics) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"system-ui, sans-serif\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fbfaf7\"/>\n"
    );
    let environment = metrics.environment.as_deref().map(|name| format!(" in {name}")).unwrap_or_default();
    text(&mut svg, 24, 36, 20, "#1f2d3a", &format!("How {}{environment} is delivered", metrics.application));
    text(&mut svg, 24, 58, 13, "#5c6b78", &format!("{} to {}", metrics.period.0, metrics.period.1));
    let point = |figure: &Figure, percent| {
        figure.percentile(percent).map_or("no figure".to_owned(), |sample| duration(sample.seconds))
    };
    let p90 = |figure: &Figure| {
        let p90 = figure.percentile(90).map(|sample| format!("p90 {}", duration(sample.seconds)));
        [p90.unwrap_or_default(), format!("n = {}", figure.samples.len())]
    };
    let of = |rate: &lotse_provenance::Rate| {
        let all = rate.counted.len() + rate.others.len();
        [format!("{} of {all}", rate.counted.len()), format!("{} unknown", rate.unknown.len())]
    };
    let deployments = [format!("n = {}", metrics.deployments.counted.len()), String::new()];
    let tiles = [
        ("deployments per day", rate(&metrics.deployments), deployments),
        ("lead time, p50", point(&metrics.lead_time, 50), p90(&metrics.lead_time)),
        ("change failure rate", rate(&metrics.change_failures), of(&metrics.change_failures)),
        ("time to restore, p50", point(&metrics.time_to_restore, 50), p90(&metrics.time_to_restore)),
        ("branch lifetime, p50", point(&metrics.branch_lifetime, 50), p90(&metrics.branch_lifetime)),
        ("pre-commit pass rate", rate(&metrics.pre_commit), of(&metrics.pre_commit)),
    ];
    for (number, (name, value, [below, last])) in tiles.iter().enumerate() {
        let x = 24 + number * 153;
        svg.push_str(&format!("<rect x=\"{x}\" y=\"78\" width=\"145\" height=\"112\" rx=\"6\" fill=\"#ffffff\" stroke=\"#d8dde1\"/>\n"));
        text(&mut svg, x + 12, 100, 12, "#5c6b78", name);
        let colour = if value == "no figure" { "#9aa5ae" } else { "#0b5d7a" };
        text(&mut svg, x + 12, 133, 20, colour, value);
        text(&mut svg, x + 12, 158, 12, "#5c6b78", below);
        text(&mut svg, x + 12, 176, 12, "#5c6b78", last);
    }
    columns(&mut svg, 24, "How long branches lived, up to", &metrics.branch_lifetime);
    columns(&mut svg, 500, "How long commits waited for their deployment, up to", &metrics.lead_time);
    svg.push_str("</svg>\n");
    svg
}

fn columns(svg: &mut String, x: usize, title: &str, figure: &Figure) {
    let (top, base) = (256, 430);
    text(svg, x, 226, 14, "#1f2d3a", title);
    let mut counts = [0_usize; COLUMNS.len()];
    for sample in &figure.samples {
        let at = COLUMNS.iter().position(|(bound, _)| sample.seconds <= *bound);
        if let Some(count) = at.and_then(|at| counts.get_mut(at)) {
            *count += 1;
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    svg.push_str(&format!(
        "<line x1=\"{x}\" y1=\"{base}\" x2=\"{}\" y2=\"{base}\" stroke=\"#9aa5ae\"/>\n",
        x + 432
    ));
    for (number, ((_, name), count)) in COLUMNS.iter().zip(counts).enumerate() {
        let left = x + number * 48;
        let height = (base - top) * count / most;
        if count > 0 {
            let height = height.max(2);
            svg.push_str(&format!(
                "<rect x=\"{}\" y=\"{}\" width=\"40\" height=\"{height}\" rx=\"2\" fill=\"#3a8fb0\"/>\n",
                left + 4,
                base - height
            ));
            centred(svg, left + 24, base - height - 6, &count.to_string());
        }
        centred(svg, left + 24, base + 18, name);
    }
    if figure.samples.is_empty() {
        text(svg, x + 150, 330, 14, "#9aa5ae", "no samples, no figure");
    }
}

fn text(svg: &mut String, x: usize, y: usize, size: usize, colour: &str, content: &str) {
    svg.push_str(&format!(
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{colour}\">{}</text>\n",
        escaped(content)
    ));
}

fn centred(svg: &mut String, x: usize, y: usize, content: &str) {
    svg.push_str(&format!(
        "<text x=\"{x}\" y=\"{y}\" font-size=\"11\" fill=\"#5c6b78\" text-anchor=\"middle\">{}</text>\n",
        escaped(content)
    ));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
