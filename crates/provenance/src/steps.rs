use std::collections::{BTreeMap, BTreeSet};

use lotse_sign::TlogProof;

use crate::log::{Hit, Log, LogStore};
use crate::{ActorKind, Error, Event, Outcome, Timestamp};

/// The time in which the steps of one release are counted: from the end of the previous rollout to the end of this one, for one
/// application in one environment. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepWindow {
    /// The application.
    pub application: String,
    /// The environment.
    pub environment: Option<String>,
    /// The end of the previous rollout, which is not in the window; nothing if there was none.
    pub after: Option<Timestamp>,
    /// The end of this rollout, which is in the window.
    pub until: Timestamp,
    /// The place in the log of the event that ended this rollout.
    pub rollout: u64,
}

/// Where steps of people leave a trace. What none of them recorded cannot be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum StepSource {
    /// Merges and pushes, as the forge tells them.
    Forge,
    /// Runs of the CI system and who started them.
    Ci,
    /// The cluster's audit log: user and user agent.
    ClusterAudit,
    /// Shell sessions on hosts.
    Hosts,
}

impl StepSource {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Forge, Self::Ci, Self::ClusterAudit, Self::Hosts];
}

/// Why a step is listed where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum StepKind {
    /// A person did something.
    Act,
    /// A machine did it because a person had armed it.
    Armed,
    /// A person ran something again that had failed.
    ReRun,
    /// A person approved.
    Approval,
    /// Nobody knows who did it, so it counts as a person's.
    Unknown,
}

/// A step that a person took. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The place in the log of the event that is counted.
    pub index: u64,
    /// The event.
    pub event: Event,
    /// Why it counts.
    pub kind: StepKind,
    /// The places of the other events of the same act: what it did to further objects.
    pub same_act: Vec<u64>,
}

/// The steps of one release (R13). Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepCount {
    /// What was counted.
    pub window: StepWindow,
    /// The steps, in the order of the log.
    pub steps: Vec<Step>,
    /// The places of events in the window that machines did by themselves.
    pub automated: Vec<u64>,
    /// The sources that were not there: with one missing, the count is the least there were.
    pub missing: BTreeSet<StepSource>,
}

impl StepWindow {
    /// The windows of all rollouts of an application in an environment: each ends with an event `deploy` that did not fail.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for an event whose time is none.
    pub fn all(events: &[Hit], application: &str, environment: Option<&str>) -> Result<Vec<Self>, Error> {
        let mut ends = Vec::new();
        for hit in events {
            let event = &hit.event;
            let ours = event.application == application && event.environment.as_deref() == environment;
            if ours && event.action == "deploy" && event.outcome != Some(Outcome::Failed) {
                ends.push((event.timestamp()?, hit.index));
            }
        }
        ends.sort_unstable();
        let mut after = None;
        let mut windows = Vec::new();
        for (until, rollout) in ends {
            windows.push(Self {
                application: application.to_owned(),
                environment: environment.map(str::to_owned),
                after,
                until,
                rollout,
            });
            after = Some(until);
        }
        Ok(windows)
    }

    /// Whether an event belongs to this release: of this application, in this environment or in none, in the time between.
    fn has(&self, event: &Event, time: Timestamp) -> bool {
        event.application == self.application
            && (event.environment.is_none() || event.environment == self.environment)
            && self.after.is_none_or(|after| time > after)
            && time <= self.until
    }
}

impl StepCount {
    /// Counts the steps that people took in a window. `sources` says whose events are among those given.
    ///
    /// What a person did counts, and what a machine did that a person had armed; an act on several objects, told by their common
    /// cause, counts once; re-runs and approvals count and can be told apart; who is unknown counts as a person.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for an event whose time is none.
    pub fn of(events: &[Hit], window: StepWindow, sources: &BTreeSet<StepSource>) -> Result<Self, Error> {
        let mut steps: Vec<Step> = Vec::new();
        let mut automated = Vec::new();
        let mut acts: BTreeMap<&str, usize> = BTreeMap::new();
        for Hit { index, event } in events {
            if !window.has(event, event.timestamp()?) {
                continue;
            }
            let Some(kind) = kind(event) else {
                automated.push(*index);
                continue;
            };
            let cause = event.cause.as_deref();
            match cause.and_then(|cause| acts.get(cause)).and_then(|at| steps.get_mut(*at)) {
                Some(step) => step.same_act.push(*index),
                None => {
                    acts.extend(cause.map(|cause| (cause, steps.len())));
                    steps.push(Step { index: *index, event: event.clone(), kind, same_act: Vec::new() });
                }
            }
        }
        let missing = StepSource::ALL.into_iter().filter(|source| !sources.contains(source)).collect();
        Ok(Self { window, steps, automated, missing })
    }

    /// How many steps people took.
    #[must_use]
    pub fn count(&self) -> usize {
        self.steps.len()
    }

    /// How many of them changed anything: `cd` does not.
    #[must_use]
    pub fn with_effect(&self) -> usize {
        self.steps.iter().filter(|step| step.event.effect != Some(false)).count()
    }

    /// How many are of one kind.
    #[must_use]
    pub fn of_kind(&self, kind: StepKind) -> usize {
        self.steps.iter().filter(|step| step.kind == kind).count()
    }

    /// Whether there were at most `limit` steps: yes or no, or nothing if the ones that were seen are few enough but sources are
    /// missing.
    #[must_use]
    pub fn at_most(&self, limit: usize) -> Option<bool> {
        if self.count() > limit { Some(false) } else { self.missing.is_empty().then_some(true) }
    }

    /// The proof of every counted step, with its place.
    ///
    /// # Errors
    ///
    /// Those of [`Log::prove`].
    pub fn prove<S: LogStore>(&self, log: &Log<S>) -> Result<BTreeMap<u64, TlogProof>, Error> {
        self.steps.iter().map(|step| Ok((step.index, log.prove(step.index)?))).collect()
    }
}

/// Why an event is a person's step; nothing if it is a machine's own.
fn kind(event: &Event) -> Option<StepKind> {
    let person = |kind: ActorKind| matches!(kind, ActorKind::Human | ActorKind::Unknown);
    let armed = event.armed_by.as_ref().is_some_and(|actor| person(actor.kind));
    match (event.actor.kind, event.action.as_str()) {
        (ActorKind::Bot | ActorKind::Controller, _) if armed => Some(StepKind::Armed),
        (ActorKind::Bot | ActorKind::Controller, _) => None,
        (_, "approve") => Some(StepKind::Approval),
        (_, "re-run") => Some(StepKind::ReRun),
        (ActorKind::Unknown, _) => Some(StepKind::Unknown),
        (ActorKind::Human, _) => Some(StepKind::Act),
    }
}
