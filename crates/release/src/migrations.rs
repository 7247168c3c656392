//! The plan of the database's changes (R14, R17).

use std::fs;
use std::path::{Path, PathBuf};

use lotse_migrate_plan::{Engine, Migration, Plan as Planned, ProblemKind, plan_json};

use crate::check::{Check, Outcome, Witness};
use crate::report::MigrationStep;
use crate::{Error, MigrationsSpec, Spec};

/// The plan, as it is written, shown and judged.
pub(crate) struct Plan {
    pub(crate) json: Option<String>,
    pub(crate) steps: Vec<MigrationStep>,
    pub(crate) rollback: Vec<String>,
    pub(crate) check: Check,
}

/// Reads and plans the migrations of the component that has some.
pub(crate) fn plan(spec: &Spec, app: &Path) -> Result<Plan, Error> {
    let mut check = Check {
        id: "migrations",
        title: "Does the database get there while both versions run, and back again?",
        requirements: &["R14", "R17"],
        gate: true,
        outcome: Outcome::NotApplicable,
        summary: "no component changes a database".to_owned(),
        findings: Vec::new(),
        evidence: Vec::new(),
        limits: "Statements were judged by their text; the tables' size and present shape are not known here.",
    };
    let Some(migrations) = spec.components.iter().find_map(|component| component.migrations.as_ref()) else {
        return Ok(Plan { json: None, steps: Vec::new(), rollback: Vec::new(), check });
    };
    let (files, applied) = read(app, migrations)?;
    let planned = Planned::new(&files, migrations.rollback);
    let mut steps = Vec::new();
    let mut rollback = Vec::new();
    for stage in &planned.stages {
        let now = stage.releases_later == 0;
        for step in &stage.steps {
            let statement = step.text.split_whitespace().collect::<Vec<_>>().join(" ");
            steps.push(MigrationStep {
                phase: stage.phase.to_string(),
                place: format!("{}:{}", step.path, step.line),
                statement: statement.chars().take(160).collect(),
                class: step.verdict.class.to_string(),
                reason: step.verdict.reasons.join("; "),
                now,
            });
            if now {
                let blockers = planned.rollback_blockers.iter().filter(|blocker| blocker.step == *step);
                rollback
                    .extend(blockers.map(|blocker| format!("{}:{}: {}", step.path, step.line, blocker.text)));
            }
        }
    }
    let read = |seed: &&String| files.iter().any(|file| file.path.ends_with(&format!("/{seed}.php")));
    let unread_seeds: Vec<&String> = migrations.seed.iter().filter(|seed| !read(seed)).collect();
    let findings: Vec<Witness> = planned
        .problems
        .iter()
        .map(|problem| Witness::against(format!("{}:{}", problem.path, problem.line), problem.text.clone()))
        .chain(
            unread_seeds
                .iter()
                .map(|seed| Witness::against(seed.as_str(), "the seeder was not found, so nobody judged it")),
        )
        .chain(rollback.iter().map(|blocker| Witness::note("rollback", blocker.clone())))
        .collect();
    let unread = |kind: ProblemKind| kind == ProblemKind::NeedsReview;
    check.outcome = match planned.problems.iter().map(|problem| problem.kind).collect::<Vec<_>>().as_slice() {
        [] if unread_seeds.is_empty() => Outcome::Passed,
        kinds if kinds.iter().all(|kind| unread(*kind)) => Outcome::NeedsReview,
        _ => Outcome::Failed,
    };
    let later = steps.iter().filter(|step| !step.now).count();
    check.summary = format!(
        "{} statements in {} files judged, {applied} files are applied already; {later} wait for a later release, at the earliest {} from now",
        steps.len(),
        files.len(),
        migrations.rollback.max(1)
    );
    check.findings = findings;
    check.evidence = vec!["migrations.json".to_owned()];
    Ok(Plan { json: Some(format!("{}\n", plan_json(&planned).trim_end())), steps, rollback, check })
}

/// The migrations that are not applied everywhere yet, and how many are.
fn read(app: &Path, spec: &MigrationsSpec) -> Result<(Vec<Migration>, usize), Error> {
    let engine: Engine = spec.engine.parse().map_err(|error| Error::below("engine", &error))?;
    let root = app.join(&spec.path);
    let mut paths = Vec::new();
    let mut waiting = vec![root.clone()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).map_err(Error::io("read", &directory))? {
            let path = entry.map_err(Error::io("read", &directory))?.path();
            if path.is_dir() { waiting.push(path) } else { paths.push(path) }
        }
    }
    paths.sort_unstable();
    let found = paths.len();
    let is_new = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        spec.applied.as_ref().is_none_or(|applied| *name > **applied)
    };
    paths.retain(is_new);
    let applied = found - paths.len();
    // Laravel keeps seeders here; what a name outside of it stands for, only the application knows.
    let seeders = spec.seed.iter().map(|seed| app.join("database/seeders").join(format!("{seed}.php")));
    paths.extend(seeders.filter(|path| spec.tool == "laravel" && path.is_file()));
    let mut migrations = Vec::new();
    for path in paths {
        let name = path.strip_prefix(app).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            Error::Caller(format!("{}: byte {at} is not UTF-8; save the migration as UTF-8", path.display()))
        })?;
        migrations
            .push(Migration::read(&name, &text, engine).map_err(|error| Error::below("migrations", &error))?);
    }
    Ok((migrations, applied))
}
