//! Each migration statement with its class, reason, lock and phase, and the plan of the release.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use lotse_migrate_plan::{Engine, Migration, Plan, plan_json};

/// Judges the migrations (.sql, Laravel's .php) in a directory and plans them. Exits 1 if something stands in the
/// way of the plan, 2 if a file cannot be read.
#[derive(Parser)]
struct Call {
    /// The directory; its folders expand/, backfill/ (seeders/) and contract/ declare phases.
    directory: PathBuf,
    /// mysql, mariadb, postgres or sqlite.
    #[arg(long)]
    engine: Engine,
    /// How many releases back one must be able to go.
    #[arg(long, default_value_t = 1)]
    rollback: u32,
    /// The plan as one JSON object.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let call = Call::parse();
    let plan = match read(&call.directory, &call.directory, call.engine) {
        Ok(migrations) => Plan::new(&migrations, call.rollback),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    if call.json {
        println!("{}", plan_json(&plan));
    } else {
        show(&plan);
    }
    if plan.is_ready() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn show(plan: &Plan) {
    for stage in &plan.stages {
        println!("== {}: {}", stage.phase, stage.condition);
        for step in &stage.steps {
            let first = step.text.lines().next().unwrap_or_default();
            let verdict = &step.verdict;
            let lock = verdict.lock.unwrap_or("none");
            println!("{}:{}: {first}", step.path, step.line);
            println!("    {}, lock {lock}: {}", verdict.class, verdict.reasons.join("; "));
        }
    }
    for blocker in &plan.rollback_blockers {
        println!("no way back: {}:{}: {}", blocker.step.path, blocker.step.line, blocker.text);
    }
    for problem in &plan.problems {
        println!("in the way: {problem}");
    }
}

fn read(root: &Path, folder: &Path, engine: Engine) -> Result<Vec<Migration>, Box<dyn std::error::Error>> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    entries.sort();
    let mut out = Vec::new();
    for path in entries {
        if path.is_dir() {
            out.extend(read(root, &path, engine)?);
        } else if !path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.')) {
            let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
            out.push(Migration::read(&name, &std::fs::read_to_string(&path)?, engine)?);
        }
    }
    Ok(out)
}
