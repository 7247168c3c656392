//! How delivery flows (R19), from the log and from Git: the four figures of software delivery, branch lifetimes, and the pass rate of
//! checks before a commit.

mod figure;
mod history;

pub use self::figure::{Figure, Rate, Sample};
pub use self::history::{Branch, Commit, History};

use crate::log::Hit;
use crate::{Error, Event, Outcome, Timestamp};

/// Figures of software delivery for one application in one environment. Plain data.
///
/// Definitions:
///
/// - A **deployment** is an event `deploy` of the application in the environment. It **failed** if its outcome says so, or a later
///   event says that it repairs it (by release or commit); nothing else makes it fail.
/// - **Deployment frequency**: deployments that did not fail by their own outcome, per day of the period.
/// - **Lead time**: for each commit that a deployment brings (reachable from its commit and from that of no deployment before), the
///   time from its author's date to the deployment. Over commits, not over deployments. The first deployment brings what came before
///   the log and is left out. The author's date, because a rebase rewrites the committer's; it is a lower bound of when work began.
/// - **Change failure rate**: failed deployments by all.
/// - **Time to restore**: from a failed deployment to the first later one that repairs it and did not fail.
/// - **Branch lifetime**: from the author's date of the first commit that only the branch has to the merge on the main line. Commits
///   on the main line that are no merge (squashed, rebased, pushed) have no branch and are counted apart.
/// - **Pass rate**: events `pre-commit` that succeeded by all that have an outcome.
///
/// Percentiles are by nearest rank. There is no figure for no sample. Times that run backwards, because clocks differ, are left out
/// and counted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryMetrics {
    /// The application.
    pub application: String,
    /// The environment.
    pub environment: Option<String>,
    /// The first and last moment of the period.
    pub period: (Timestamp, Timestamp),
    /// Deployments per day.
    pub deployments: Rate,
    /// Seconds from commit to deployment, by commit.
    pub lead_time: Figure,
    /// Failed deployments by all.
    pub change_failures: Rate,
    /// Deployments, by place in the log, whose commit is not given or not in the history: they bring nothing to the lead time.
    pub without_commit: Vec<u64>,
    /// Seconds from a failed deployment to its repair, by the failed deployment's place in the log.
    pub time_to_restore: Figure,
    /// Failed deployments, by place in the log, that nothing repaired yet.
    pub unrepaired: Vec<u64>,
    /// Seconds a branch lived, by its merge commit.
    pub branch_lifetime: Figure,
    /// Commits of the main line in the period that are no merges.
    pub without_branch: u64,
    /// Checks before commits that passed, by all.
    pub pre_commit: Rate,
}

impl DeliveryMetrics {
    /// Computes the figures of a period from events, with their places in the log, and the history of the main line.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for an event whose time is none, or a period that ends before it begins.
    pub fn of(
        events: &[Hit],
        history: &History,
        application: &str,
        environment: Option<&str>,
        period: (Timestamp, Timestamp),
    ) -> Result<Self, Error> {
        let (from, to) = period;
        if to < from {
            return Err(Error::malformed("period", format!("it ends at {to}, before it begins at {from}")));
        }
        let mut deployments = Vec::new();
        let mut checks = Rate::default();
        for Hit { index, event } in events {
            let time = event.timestamp()?;
            if event.application != application {
                continue;
            }
            if event.action == "deploy" && event.environment.as_deref() == environment {
                deployments.push(Deployment { index: *index, time, event, repaired: None });
            } else if event.action == "pre-commit" && from <= time && time <= to {
                checks.add(*index, event.outcome.map(|outcome| outcome == Outcome::Succeeded));
            }
        }
        deployments.sort_by_key(|deployment| (deployment.time, deployment.index));
        find_repairs(&mut deployments, events)?;
        let within = |time: Timestamp| from <= time && time <= to;
        let (mut frequency, mut failures) = (Rate::default(), Rate::default());
        let (mut restore, mut unrepaired) = (Figure::default(), Vec::new());
        for deployment in deployments.iter().filter(|deployment| within(deployment.time)) {
            let failed = deployment.failed();
            failures.add(deployment.index, Some(failed));
            if deployment.event.outcome != Some(Outcome::Failed) {
                frequency.add(deployment.index, Some(true));
            }
            match deployment.repaired {
                Some(Repair { restored: Some(restored), .. }) => {
                    restore.add(deployment.index.to_string(), restored.seconds() - deployment.time.seconds());
                }
                _ if failed => unrepaired.push(deployment.index),
                _ => {}
            }
        }
        frequency.per = Some(u64::try_from((to.seconds() - from.seconds()).max(1)).unwrap_or(1));
        let (lead_time, without_commit) = lead_time(&deployments, history, within);
        let (mut branch_lifetime, mut without_branch) = (Figure::default(), 0);
        for branch in history.branches() {
            if !within(branch.merged) {
                continue;
            }
            match branch.began {
                Some(began) => {
                    branch_lifetime.add(branch.commit.to_owned(), branch.merged.seconds() - began.seconds())
                }
                None => without_branch += 1,
            }
        }
        for figure in [&mut restore, &mut branch_lifetime] {
            figure.sort();
        }
        Ok(Self {
            application: application.to_owned(),
            environment: environment.map(str::to_owned),
            period,
            deployments: frequency,
            lead_time,
            without_commit,
            change_failures: failures,
            time_to_restore: restore,
            unrepaired,
            branch_lifetime,
            without_branch,
            pre_commit: checks,
        })
    }

    /// The figures as JSON, the same bytes for the same input. With `samples`, every figure lists what it was made of.
    #[must_use]
    pub fn to_json(&self, samples: bool) -> String {
        let value = serde_json::json!({
            "application": self.application,
            "environment": self.environment,
            "from": self.period.0.to_string(),
            "to": self.period.1.to_string(),
            "deploymentFrequency": self.deployments.to_value(samples),
            "leadTime": self.lead_time.to_value(samples),
            "deploymentsWithoutCommit": self.without_commit,
            "changeFailureRate": self.change_failures.to_value(samples),
            "timeToRestore": self.time_to_restore.to_value(samples),
            "unrepaired": self.unrepaired,
            "branchLifetime": self.branch_lifetime.to_value(samples),
            "commitsWithoutBranch": self.without_branch,
            "preCommitPassRate": self.pre_commit.to_value(samples),
        });
        value.to_string()
    }
}

struct Deployment<'a> {
    index: u64,
    time: Timestamp,
    event: &'a Event,
    repaired: Option<Repair>,
}

#[derive(Clone, Copy)]
struct Repair {
    /// When a later deployment that repairs it succeeded.
    restored: Option<Timestamp>,
}

impl Deployment<'_> {
    fn failed(&self) -> bool {
        self.event.outcome == Some(Outcome::Failed) || self.repaired.is_some()
    }

    fn is(&self, name: &str) -> bool {
        self.event.release.as_deref() == Some(name) || self.event.commit.as_deref() == Some(name)
    }
}

/// Marks the deployments that a later event repairs: the last one of that name before it.
fn find_repairs(deployments: &mut [Deployment<'_>], events: &[Hit]) -> Result<(), Error> {
    let mut repairs = Vec::new();
    for Hit { index, event } in events {
        if let Some(name) = &event.repairs {
            repairs.push((event.timestamp()?, *index, event, name));
        }
    }
    repairs.sort_by_key(|(time, index, ..)| (*time, *index));
    for (time, index, event, name) in repairs {
        let before = |deployment: &&mut Deployment<'_>| {
            (deployment.time, deployment.index) < (time, index)
                && deployment.is(name)
                && deployment.event.application == event.application
        };
        let Some(deployment) = deployments.iter_mut().rev().find(before) else { continue };
        let same_place = event.action == "deploy" && event.environment == deployment.event.environment;
        let restored = (same_place && event.outcome != Some(Outcome::Failed)).then_some(time);
        let known = deployment.repaired.and_then(|repair| repair.restored);
        deployment.repaired = Some(Repair { restored: known.or(restored) });
    }
    Ok(())
}

fn lead_time(
    deployments: &[Deployment<'_>],
    history: &History,
    within: impl Fn(Timestamp) -> bool,
) -> (Figure, Vec<u64>) {
    let (mut figure, mut unknown) = (Figure::default(), Vec::new());
    let mut seen = history.nothing_seen();
    let mut first = true;
    for deployment in
        deployments.iter().filter(|deployment| deployment.event.outcome != Some(Outcome::Failed))
    {
        let Some(commit) = deployment.event.commit.as_ref().filter(|commit| history.has(commit)) else {
            unknown.push(deployment.index);
            continue;
        };
        let brought = history.bring(commit, &mut seen);
        if !first && within(deployment.time) {
            for commit in brought {
                figure.add(commit.id.clone(), deployment.time.seconds() - commit.author_time);
            }
        }
        first = false;
    }
    figure.sort();
    (figure, unknown)
}
