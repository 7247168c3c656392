//! The evidence as a page: one file, no script, no request, readable without its styles.

mod chain;
mod markup;
mod matrix;
mod timeline;
mod treemap;

use std::fmt::Write as _;

use crate::Report;
use crate::check::{Check, Outcome};
use crate::law::{ACTS, READ, support};
use markup::{escape, short};

const STYLE: &str = include_str!("style.css");

impl Report {
    /// The evidence as a self-contained HTML page. The same report gives the same bytes.
    #[must_use]
    pub fn to_html(&self) -> String {
        let mut page = String::new();
        let style = style_hash();
        let title = format!("Release evidence: {} {}", escape(&self.application), escape(&self.version));
        // Written into a String: nothing here can fail.
        let _ = write!(
            page,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{style}'; base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n",
        );
        self.head(&mut page);
        page.push_str("<h2 id=\"chain\">The chain</h2>\n");
        page.push_str(&chain::picture(self));
        self.requirements_table(&mut page);
        self.images_section(&mut page);
        self.network_section(&mut page);
        self.migrations_section(&mut page);
        self.checks_section(&mut page);
        self.files_section(&mut page);
        page.push_str("</main>\n</body>\n</html>\n");
        page
    }

    fn head(&self, page: &mut String) {
        let counted =
            |outcome| self.requirements.iter().filter(|requirement| requirement.outcome == outcome).count();
        let counts: Vec<String> = Outcome::ALL
            .into_iter()
            .filter(|outcome| counted(*outcome) > 0)
            .map(|outcome| format!("{} {}", counted(outcome), outcome.word()))
            .collect();
        let _ = write!(
            page,
            "<h1>{} {}</h1>\n<p class=\"verdict {class}\">The gate says: <strong>{verdict}</strong></p>\n\
             <dl>\n<dt>Commit</dt><dd><code>{}</code></dd>\n<dt>Time</dt><dd>{}</dd>\n<dt>Key</dt><dd><code>{}</code>{}</dd>\n\
             <dt>Requirements</dt><dd>{}</dd>\n</dl>\n\
             <p>This page shows checks and what they found. A check supports an article of an act; whether a duty is met is for people to judge. \
             The same content for machines is in <code>evidence.json</code>; the log entry beside it holds the digests of both.</p>\n",
            escape(&self.application),
            escape(&self.version),
            escape(&self.commit),
            escape(&self.time),
            self.key,
            if self.fresh_key {
                ". It was made for this run: the signatures prove integrity, not origin"
            } else {
                ""
            },
            counts.join(", "),
            class = self.verdict.word(),
            verdict = self.verdict.word(),
        );
    }

    fn requirements_table(&self, page: &mut String) {
        page.push_str("<h2 id=\"requirements\">Requirements</h2>\n<div class=\"wide\"><table>\n<caption>R1 to R19: the worst of the checks that speak to each</caption>\n<thead><tr><th scope=\"col\">Requirement</th><th scope=\"col\">Verdict</th><th scope=\"col\">Checks</th><th scope=\"col\">Still open</th><th scope=\"col\">Supports</th></tr></thead>\n<tbody>\n");
        for requirement in &self.requirements {
            let checks: Vec<String> =
                requirement.checks.iter().map(|id| format!("<a href=\"#check-{id}\">{id}</a>")).collect();
            let supports: Vec<String> = ACTS
                .iter()
                .filter_map(|act| support(requirement.id, act.id).map(|support| (act, support)))
                .map(|(act, support)| {
                    let chosen = self.regimes.iter().any(|regime| regime == act.id);
                    let name =
                        if chosen { format!("<strong>{}</strong>", act.name) } else { act.name.to_owned() };
                    format!("{name} {}", escape(&support.points.join(", ")))
                })
                .collect();
            let _ = writeln!(
                page,
                "<tr><th scope=\"row\" id=\"{id}\">{id} {title}</th><td>{mark}</td><td>{}</td><td>{}</td><td class=\"small\">{}</td></tr>",
                checks.join(", "),
                escape(requirement.open),
                supports.join("; "),
                id = requirement.id,
                title = escape(requirement.title),
                mark = mark(requirement.outcome),
            );
        }
        let _ = write!(
            page,
            "</tbody>\n</table></div>\n<p class=\"small\">Articles as we read them in {READ}; acts that were chosen as applying are in bold. No legal advice.</p>\n",
        );
    }

    fn checks_section(&self, page: &mut String) {
        page.push_str("<h2 id=\"checks\">Checks</h2>\n");
        for check in &self.checks {
            let _ = write!(
                page,
                "<h3 id=\"check-{id}\">{title}</h3>\n<p>{mark} <code>{id}</code>{gate}: {summary}.</p>\n",
                id = check.id,
                title = escape(check.title),
                mark = mark(check.outcome),
                gate = if check.gate { ", part of the gate" } else { "" },
                summary = escape(&check.summary),
            );
            findings(check, page);
            let _ = writeln!(page, "<p class=\"small\">Does not prove: {}</p>", escape(check.limits));
        }
    }

    fn images_section(&self, page: &mut String) {
        page.push_str("<h2 id=\"images\">Images</h2>\n<div class=\"wide\"><table>\n<caption>The images of this release</caption>\n<thead><tr><th scope=\"col\">Component</th><th scope=\"col\">Image</th><th scope=\"col\">Packages</th><th scope=\"col\">Transferred</th><th scope=\"col\">Remarks</th></tr></thead>\n<tbody>\n");
        for (component, image) in &self.images {
            let remark = match (image.built, image.stand_in) {
                (true, true) => "built here, on a stand-in for its base image",
                (true, false) => "built here",
                (false, true) => "a stand-in, not built here",
                (false, false) => "not built here",
            };
            let packages =
                image.components.map_or_else(|| "not looked at".to_owned(), |count| count.to_string());
            let size = image.size.as_ref().map_or_else(String::new, |size| markup::bytes(size.compressed()));
            let _ = writeln!(
                page,
                "<tr><th scope=\"row\">{}</th><td><code>{}</code></td><td>{packages}</td><td>{size}</td><td>{remark}</td></tr>",
                escape(component),
                escape(&image.reference.to_string()),
            );
        }
        page.push_str("</tbody>\n</table></div>\n");
        for (component, image) in &self.images {
            if let Some(size) = image.size.as_ref().filter(|_| image.built) {
                let _ = writeln!(page, "<h3>Where the bytes of {} are</h3>", escape(component));
                page.push_str(&treemap::picture(component, size));
            }
        }
    }

    fn network_section(&self, page: &mut String) {
        page.push_str("<h2 id=\"network\">Who may talk to whom</h2>\n");
        for (environment, network) in &self.networks {
            page.push_str(&matrix::picture(environment, network));
        }
        if self.networks.is_empty() {
            page.push_str("<p>Not evaluated.</p>\n");
        }
    }

    fn migrations_section(&self, page: &mut String) {
        page.push_str("<h2 id=\"migrations\">How the database gets there</h2>\n");
        if self.migrations.is_empty() {
            page.push_str("<p>This release changes no database.</p>\n");
            return;
        }
        page.push_str(&timeline::picture(self));
        page.push_str("<div class=\"wide\"><table>\n<caption>Every statement with its class</caption>\n<thead><tr><th scope=\"col\">Phase</th><th scope=\"col\">Statement</th><th scope=\"col\">Class</th><th scope=\"col\">Because</th></tr></thead>\n<tbody>\n");
        for step in &self.migrations {
            let _ = writeln!(
                page,
                "<tr><td>{}{}</td><td><code>{}</code><br><span class=\"small\">{}</span></td><td>{}</td><td>{}</td></tr>",
                escape(&step.phase),
                if step.now { "" } else { ", later release" },
                escape(&step.statement),
                escape(&step.place),
                escape(&step.class),
                escape(&step.reason),
            );
        }
        page.push_str("</tbody>\n</table></div>\n");
        for blocker in &self.rollback {
            let _ = writeln!(page, "<p>Blocks a rollback: {}</p>", escape(blocker));
        }
    }

    fn files_section(&self, page: &mut String) {
        let _ = write!(
            page,
            "<h2 id=\"files\">Files</h2>\n<details><summary>{} files with their digests</summary>\n<ul class=\"small\">\n",
            self.files.len()
        );
        for (path, digest) in &self.files {
            let _ = writeln!(
                page,
                "<li><code>{}</code> <code>{}</code></li>",
                escape(path),
                short(&digest.to_string())
            );
        }
        page.push_str("</ul>\n</details>\n");
    }
}

fn findings(check: &Check, page: &mut String) {
    if check.findings.is_empty() {
        return;
    }
    let against = check.findings.iter().filter(|finding| finding.counts).count();
    let open = if against > 0 { " open" } else { "" };
    let _ = write!(
        page,
        "<details{open}><summary>{} findings, {against} against</summary>\n<ul>\n",
        check.findings.len()
    );
    for finding in &check.findings {
        let weight = if finding.counts { "<strong>against</strong> " } else { "" };
        let _ = writeln!(
            page,
            "<li>{weight}<code>{}</code> {}</li>",
            escape(&finding.place),
            escape(&finding.text)
        );
    }
    page.push_str("</ul>\n</details>\n");
}

/// Word and shape: no meaning by colour alone (WCAG 1.4.1).
fn mark(outcome: Outcome) -> String {
    let (class, shape) = match outcome {
        Outcome::Passed => ("passed", "\u{2713}"),
        Outcome::NotApplicable => ("other", "\u{2013}"),
        Outcome::NotRun => ("other", "\u{25cb}"),
        Outcome::NeedsReview => ("review", "?"),
        Outcome::Failed => ("failed", "\u{2717}"),
    };
    format!("<span class=\"mark {class}\">{shape} {}</span>", outcome.word())
}

/// The hash of the one style sheet, as the content security policy names it.
fn style_hash() -> String {
    format!("sha256-{}", lotse_digest::Digest::sha256(STYLE.as_bytes()).base64())
}
