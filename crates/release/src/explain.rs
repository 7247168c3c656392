use std::fmt::Write as _;
use std::path::Path;

use crate::law::{ACTS, support};
use crate::{Error, Request, Spec, defaults, json_schema, release};

/// Explains `defaults`, `schema`, a check by its id, a requirement (`R1` to `R19`), or a place in `lotse.yaml` by its JSON
/// pointer.
///
/// # Errors
///
/// [`Error::Caller`] for anything else; for checks and requirements, those of [`release`], which is run without writing.
pub fn explain(what: &str, app: &Path) -> Result<String, Error> {
    match what {
        "defaults" => return Ok(default_table()),
        "schema" => return Ok(json_schema().to_json_pretty()),
        _ => {}
    }
    if what.starts_with('/') {
        return pointer(what, app);
    }
    // The directory is never written to in a dry run; only its neighbour, and that is removed.
    let mut request = Request::new(app, std::env::temp_dir().join("lotse-explain"));
    request.dry_run = true;
    let report = release(&request, &mut ())?;
    let mut text = String::new();
    if let Some(requirement) =
        report.requirements.iter().find(|requirement| requirement.id.eq_ignore_ascii_case(what))
    {
        let _ = writeln!(text, "{} {}: {}", requirement.id, requirement.title, requirement.outcome);
        let _ = writeln!(text, "checks: {}", requirement.checks.join(", "));
        if !requirement.open.is_empty() {
            let _ = writeln!(text, "still open: {}", requirement.open);
        }
        for act in ACTS {
            if let Some(support) = support(requirement.id, act.id) {
                let _ = writeln!(
                    text,
                    "supports {} {}, because {}",
                    act.name,
                    support.points.join(", "),
                    support.reason
                );
            }
        }
        return Ok(text);
    }
    let Some(check) = report.checks.iter().find(|check| check.id == what) else {
        let ids: Vec<&str> = report.checks.iter().map(|check| check.id).collect();
        let known = format!("defaults, schema, R1 to R19, a JSON pointer, {}", ids.join(", "));
        return Err(Error::Caller(format!("nothing is called {what:?}; there are {known}")));
    };
    let _ = writeln!(text, "{}: {}\n{}: {}", check.id, check.title, check.outcome, check.summary);
    for finding in &check.findings {
        let weight = if finding.counts { "against" } else { "note" };
        let _ = writeln!(text, "  {weight} {}: {}", finding.place, finding.text);
    }
    let _ = writeln!(text, "speaks to {}; does not prove: {}", check.requirements.join(", "), check.limits);
    Ok(text)
}

fn default_table() -> String {
    let width = defaults().iter().map(|default| default.from.len()).max().unwrap_or(0);
    let line = |default: &crate::Default| format!("{:width$}  {}", default.from, default.follows);
    defaults().iter().map(line).collect::<Vec<_>>().join("\n")
}

fn pointer(pointer: &str, app: &Path) -> Result<String, Error> {
    let path = app.join("lotse.yaml");
    let bytes = std::fs::read(&path).map_err(Error::io("read", &path))?;
    let spec = Spec::parse("lotse.yaml", &bytes)?;
    let (line, column) = spec.place(pointer);
    let text = String::from_utf8_lossy(&bytes);
    let source = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let word = pointer.split('/').rfind(|part| !part.is_empty()).unwrap_or_default();
    let from = defaults().iter().filter(|default| default.from.contains(word));
    let follows: Vec<String> = from.map(|default| format!("{}: {}", default.from, default.follows)).collect();
    Ok(format!("lotse.yaml:{line}:{column}: {}\n{}", source.trim(), follows.join("\n")))
}
