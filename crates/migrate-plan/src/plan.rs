//! The order of a release: what runs when, what never runs unread, and what ends the way back.

use crate::migration::{Migration, Step};
use crate::verdict::{Class, Phase, Undo};
use std::fmt;

/// The plan of one release.
///
/// Two mistakes it cannot make: rows are never seeded before the last old instance is gone (old instances go on
/// writing rows that the seeder would miss), and nothing the previous releases need is removed with the release that
/// stops using it (that would end the way back in the minutes in which it is needed most).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The stages in the order in which they run.
    pub stages: Vec<Stage>,
    /// What stands in the way. The plan is ready when this is empty.
    pub problems: Vec<Problem>,
    /// Statements after which the previous release cannot come back as it was.
    pub rollback_blockers: Vec<RollbackBlocker>,
}

/// One stage: the same moment of a release, and the hooks that hit it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stage {
    /// The phase.
    pub phase: Phase,
    /// How many releases later it runs at the earliest; 0 is this one.
    pub releases_later: u32,
    /// The statements in order of path and place.
    pub steps: Vec<Step>,
    /// What must hold before it starts, in words.
    pub condition: String,
    /// How Helm and Argo CD are told.
    pub hooks: Hooks,
}

/// Annotations of the job that runs a stage, as plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hooks {
    /// `helm.sh/hook`.
    pub helm_hook: &'static str,
    /// `helm.sh/hook-weight`: orders the hooks of one event, not those of different events.
    pub helm_weight: i32,
    /// `helm.sh/hook-delete-policy`: a failed job stays for its log.
    pub helm_delete_policy: &'static str,
    /// `argocd.argoproj.io/hook`.
    pub argo_hook: &'static str,
    /// `argocd.argoproj.io/sync-wave`.
    pub argo_wave: i32,
    /// Whether Helm must be called with `--wait`: without it `post-` hooks run while old instances still serve.
    pub needs_wait: bool,
}

/// Something that stands in the way of the plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Problem {
    /// The file, or the name of a hook.
    pub path: String,
    /// The line, from 1; 0 where there is none.
    pub line: u32,
    /// What is wrong.
    pub kind: ProblemKind,
    /// What is wrong and what to do, in words.
    pub text: String,
}

/// What kind of problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ProblemKind {
    /// A statement nobody has judged yet.
    NeedsReview,
    /// A statement that breaks the old application stands in a file for the time before the rollout.
    ContractTooEarly,
    /// Rows are written before the last old instance is gone.
    SeedTooEarly,
    /// A statement stands in a folder of a later phase than it needs.
    LateExpand,
    /// A seeder that cannot be run twice.
    NotRepeatable,
    /// A chart contracts in the release that stops using the old shape.
    ContractInSameRelease,
    /// A chart creates the tables after the first instances need them.
    ExpandAfterInstall,
}

/// A statement that limits the way back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RollbackBlocker {
    /// The statement.
    pub step: Step,
    /// What the way back costs, in words.
    pub text: String,
}

impl Plan {
    /// Plans a release. `rollback` is how many releases back the operator wants to be able to go; there is no default.
    #[must_use]
    pub fn new(migrations: &[Migration], rollback: u32) -> Self {
        let mut problems = Vec::new();
        let mut steps: Vec<(Phase, Step)> = Vec::new();
        let mut ordered: Vec<&Migration> = migrations.iter().collect();
        ordered.sort_by(|a, b| a.path.cmp(&b.path));
        for migration in ordered {
            for step in &migration.steps {
                check(migration.declared, step, &mut problems);
                steps.push((phase(migration.declared, step), step.clone()));
            }
        }
        problems.sort();
        let rollback_blockers = steps.iter().filter_map(|(_, step)| blocker(step)).collect();
        let later = rollback.max(1);
        let stages = [Phase::Expand, Phase::Backfill, Phase::Contract, Phase::Review];
        let stages = stages.into_iter().filter_map(|phase| {
            let mine: Vec<Step> = steps.iter().filter(|(p, _)| *p == phase).map(|(_, s)| s.clone()).collect();
            (!mine.is_empty()).then(|| stage(phase, mine, later))
        });
        Self { stages: stages.collect(), problems, rollback_blockers }
    }

    /// Whether everything is judged and in its place.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.problems.is_empty()
    }

    /// The statements that run with this release, in order.
    pub fn this_release(&self) -> impl Iterator<Item = &Step> {
        let now = self.stages.iter().filter(|s| s.releases_later == 0 && s.phase != Phase::Review);
        now.flat_map(|stage| &stage.steps)
    }
}

/// A folder may move a statement to a later phase, never to an earlier one; what needs review is nowhere.
fn phase(declared: Option<Phase>, step: &Step) -> Phase {
    let own = step.verdict.phase();
    match declared {
        _ if own == Phase::Review => Phase::Review,
        Some(declared) => own.max(declared),
        None => own,
    }
}

fn check(declared: Option<Phase>, step: &Step, problems: &mut Vec<Problem>) {
    let mut add =
        |kind, text: String| problems.push(Problem { path: step.path.clone(), line: step.line, kind, text });
    let verdict = &step.verdict;
    let reason = verdict.reasons.join("; ");
    match (declared, verdict.class) {
        (_, Class::Review) => add(
            ProblemKind::NeedsReview,
            format!("{reason}; judge it and write it in a form that is known, or run it by hand"),
        ),
        (Some(Phase::Expand | Phase::Backfill), Class::Contract) => {
            add(
                ProblemKind::ContractTooEarly,
                format!("{reason}; it is planned for a later release: move it to contract/"),
            );
        }
        (Some(Phase::Expand), Class::Backfill) => {
            add(ProblemKind::SeedTooEarly, "old instances write rows after a seeder before the upgrade has passed; it is planned after the rollout: move it to backfill/".to_owned());
        }
        (Some(Phase::Contract), Class::Expand | Class::Blocking) if !verdict.idempotent => {
            add(
                ProblemKind::LateExpand,
                "it adds something and stands in contract/: the new application would start without it"
                    .to_owned(),
            );
        }
        _ => {}
    }
    if verdict.class == Class::Backfill && !verdict.idempotent {
        add(ProblemKind::NotRepeatable, format!("{reason}; a job that is retried runs it twice"));
    }
}

fn blocker(step: &Step) -> Option<RollbackBlocker> {
    let text = match (step.verdict.class, step.verdict.undo) {
        (Class::Contract, Undo::DataLost | Undo::No) => {
            "what it removes cannot come back; restore a backup to go back behind it"
        }
        (Class::Contract, _) => "the previous release does not fit the schema after it; undo it first",
        (Class::Review, _) => "nobody has judged it yet",
        (_, Undo::No) => "it cannot be undone, but the previous release works with it",
        _ => return None,
    };
    Some(RollbackBlocker { step: step.clone(), text: text.to_owned() })
}

fn stage(phase: Phase, steps: Vec<Step>, later: u32) -> Stage {
    let keep = "before-hook-creation";
    let (releases_later, condition, hooks) = match phase {
        Phase::Expand => (
            0,
            "before the first new instance starts; old instances go on serving".to_owned(),
            Hooks {
                helm_hook: "pre-install,pre-upgrade",
                helm_weight: -10,
                helm_delete_policy: keep,
                // A PreSync hook would run before the accounts, secrets and the database of a first installation are there.
                argo_hook: "Sync",
                argo_wave: -10,
                needs_wait: false,
            },
        ),
        Phase::Backfill => (
            0,
            "after the last old instance is gone; to be run until it changes nothing".to_owned(),
            Hooks {
                helm_hook: "post-install,post-upgrade",
                helm_weight: 10,
                helm_delete_policy: keep,
                argo_hook: "PostSync",
                argo_wave: 10,
                needs_wait: true,
            },
        ),
        Phase::Contract => (
            later,
            format!(
                "{later} release(s) later at the earliest, when no release that may be rolled back to needs the old shape, and the backfill changes nothing any more"
            ),
            Hooks {
                helm_hook: "post-install,post-upgrade",
                helm_weight: 20,
                helm_delete_policy: keep,
                argo_hook: "PostSync",
                argo_wave: 20,
                needs_wait: true,
            },
        ),
        Phase::Review => (
            0,
            "never, until a person has judged it".to_owned(),
            Hooks {
                helm_hook: "",
                helm_weight: 0,
                helm_delete_policy: "",
                argo_hook: "Skip",
                argo_wave: 0,
                needs_wait: false,
            },
        ),
    };
    Stage { phase, releases_later, steps, condition, hooks }
}

/// A hook as a chart declares it today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredHook {
    /// The job's name.
    pub name: String,
    /// What it runs.
    pub phase: Phase,
    /// The events of `helm.sh/hook`.
    pub events: Vec<String>,
}

/// Finds the known holes in a chart's own hooks: seeding before the upgrade, contracting in the same release, creating
/// tables after the first instances started.
#[must_use]
pub fn check_hooks(hooks: &[DeclaredHook]) -> Vec<Problem> {
    let mut out = Vec::new();
    for hook in hooks {
        let on = |event: &str| hook.events.iter().any(|e| e.trim() == event);
        let mut add = |kind, text: &str| {
            out.push(Problem { path: hook.name.clone(), line: 0, kind, text: text.to_owned() })
        };
        match hook.phase {
            Phase::Backfill if on("pre-upgrade") || on("pre-install") => {
                add(
                    ProblemKind::SeedTooEarly,
                    "it seeds while old instances serve: rows they write afterwards are never seeded; use post-upgrade with --wait",
                );
            }
            Phase::Contract if on("post-upgrade") || on("pre-upgrade") => {
                add(
                    ProblemKind::ContractInSameRelease,
                    "it removes the old shape with the release that stops using it: the way back is gone; contract in a later release",
                );
            }
            Phase::Expand if on("post-install") && !on("pre-install") => {
                add(
                    ProblemKind::ExpandAfterInstall,
                    "the first instances start before their tables exist; use pre-install",
                );
            }
            _ => {}
        }
    }
    out
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.text)
    }
}
