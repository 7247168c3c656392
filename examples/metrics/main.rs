//! How delivery flows: branch lifetimes from a Git repository, and with an audit log the four figures of software delivery.
#![allow(clippy::print_stdout, reason = "an example talks to people")]

mod picture;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use lotse_examples::fail;
use lotse_provenance::{DeliveryMetrics, Figure, History, Log, Query, Rate, Timestamp};

/// Computes delivery figures of a repository and its audit log. Definitions are those of `DeliveryMetrics`; percentiles are by nearest
/// rank, and without samples there is no figure.
#[derive(Parser)]
struct Arguments {
    /// A Git repository.
    repository: PathBuf,
    /// The main line, by full ref; without it, what is checked out.
    #[arg(long)]
    branch: Option<String>,
    /// The audit log; without one there are branch lifetimes alone.
    #[arg(long)]
    log: Option<PathBuf>,
    /// The application in the log.
    #[arg(long, default_value = "app")]
    application: String,
    /// The environment in the log.
    #[arg(long)]
    environment: Option<String>,
    /// Begin of the period, `2026-01-31`; without it, the first commit of the main line.
    #[arg(long)]
    from: Option<String>,
    /// End of the period; without it, the last commit of the main line.
    #[arg(long)]
    to: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// With --json: list what every figure was made of.
    #[arg(long)]
    samples: bool,
    /// Write a picture to this file.
    #[arg(long)]
    svg: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => fail("metrics", &message, 2),
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let said = |error: lotse_provenance::Error| error.to_string();
    let history = History::read(&arguments.repository, arguments.branch.as_deref()).map_err(said)?;
    let events = match &arguments.log {
        Some(log) => Log::open(log).and_then(|log| log.scan(&Query::default())).map_err(said)?,
        None => Vec::new(),
    };
    let time = |text: &Option<String>| -> Result<Option<Timestamp>, String> {
        text.as_ref()
            .map(|text| {
                text.parse().map_err(|error: lotse_provenance::ParseTimestampError| error.to_string())
            })
            .transpose()
    };
    let (first, last) = history.period().ok_or("the history has no commit")?;
    let period = (time(&arguments.from)?.unwrap_or(first), time(&arguments.to)?.unwrap_or(last));
    let environment = arguments.environment.as_deref();
    let metrics =
        DeliveryMetrics::of(&events, &history, &arguments.application, environment, period).map_err(said)?;
    if let Some(path) = &arguments.svg {
        lotse_examples::replace(path, picture::svg(&metrics).as_bytes())
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    if arguments.json {
        println!("{}", metrics.to_json(arguments.samples));
    } else {
        print!("{}", table(&metrics, &history));
    }
    Ok(())
}

fn table(metrics: &DeliveryMetrics, history: &History) -> String {
    let mut text = format!("{} commits, {} to {}\n\n", history.len(), metrics.period.0, metrics.period.1);
    let mut row =
        |name: &str, value: String, n: usize| text.push_str(&format!("{name:<26} {value:<34} n = {n}\n"));
    row("deployments per day", rate(&metrics.deployments), metrics.deployments.counted.len());
    row("lead time p50, p90", both(&metrics.lead_time), metrics.lead_time.samples.len());
    let failures = &metrics.change_failures;
    row("change failure rate", rate(failures), failures.counted.len() + failures.others.len());
    row("time to restore p50, p90", both(&metrics.time_to_restore), metrics.time_to_restore.samples.len());
    row("branch lifetime p50, p90", both(&metrics.branch_lifetime), metrics.branch_lifetime.samples.len());
    let checks = &metrics.pre_commit;
    row("pre-commit pass rate", rate(checks), checks.counted.len() + checks.others.len());
    let backwards = metrics.lead_time.backwards.len()
        + metrics.branch_lifetime.backwards.len()
        + metrics.time_to_restore.backwards.len();
    text.push_str(&format!(
        "\n{} commits of the main line have no branch to see; {} deployments have no known commit; {} failed and are not repaired; {backwards} \
         times run backwards and were left out\n",
        metrics.without_branch,
        metrics.without_commit.len(),
        metrics.unrepaired.len(),
    ));
    text
}

fn both(figure: &Figure) -> String {
    match (figure.percentile(50), figure.percentile(90)) {
        (Some(p50), Some(p90)) => format!("{}, {}", duration(p50.seconds), duration(p90.seconds)),
        _ => "no figure".to_owned(),
    }
}

/// A frequency per day, or a share in per cent.
pub(crate) fn rate(rate: &Rate) -> String {
    match (rate.per_mille(), rate.per) {
        (Some(per_mille), Some(_)) => format!("{}.{:03}", per_mille / 1000, per_mille % 1000),
        (Some(per_mille), None) => format!("{}.{} %", per_mille / 10, per_mille % 10),
        (None, _) => "no figure".to_owned(),
    }
}

/// Seconds in the two largest units.
pub(crate) fn duration(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}
