//! What a statement means for an application that goes on running.

use std::fmt;

/// The judgement on one statement. When several parts of a statement differ, the gravest stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Class {
    /// Old and new application both work, and no table is held for long.
    Expand,
    /// Writes or changes rows: a seeder or backfill.
    Backfill,
    /// Old and new application both work, but the table is scanned, copied or locked against writes while it runs.
    Blocking,
    /// Not understood, or it depends on what the statement does not say. Never run it unread.
    Review,
    /// The old application may break, or data is lost.
    Contract,
}

/// When a statement may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Phase {
    /// Before the new application rolls out.
    Expand,
    /// After the last old instance is gone; can be run again.
    Backfill,
    /// In a later release, when no supported release needs the old shape.
    Contract,
    /// Nowhere, until a person has decided.
    Review,
}

impl Class {
    /// The phase a statement of this class belongs to.
    #[must_use]
    pub fn phase(self) -> Phase {
        match self {
            Self::Expand | Self::Blocking => Phase::Expand,
            Self::Backfill => Phase::Backfill,
            Self::Contract => Phase::Contract,
            Self::Review => Phase::Review,
        }
    }
}

/// Whether the table is written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rewrite {
    /// Only the catalogue changes, or rows are only read.
    No,
    /// It depends on what the statement does not say.
    Depends,
    /// Every row is written anew.
    Yes,
}

/// What undoing it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Undo {
    /// The opposite statement exists and loses nothing the old application had.
    Yes,
    /// It depends on the data or on what the statement does not say.
    Depends,
    /// The shape can come back, the data cannot.
    DataLost,
    /// There is no way back.
    No,
}

/// Everything known about one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// The judgement.
    pub class: Class,
    /// Why, one sentence per part that decided, gravest first.
    pub reasons: Vec<String>,
    /// The strongest lock, in the engine's own words; none where no table of the application is locked.
    pub lock: Option<&'static str>,
    /// Whether rows are written anew.
    pub rewrite: Rewrite,
    /// What undoing it costs.
    pub undo: Undo,
    /// Whether the statement by itself can be run a second time without error or further effect.
    pub idempotent: bool,
}

impl Verdict {
    pub(crate) fn new(class: Class, reason: impl Into<String>) -> Self {
        let undo = match class {
            Class::Contract | Class::Review | Class::Backfill => Undo::Depends,
            Class::Expand | Class::Blocking => Undo::Yes,
        };
        Self {
            class,
            reasons: vec![reason.into()],
            lock: None,
            rewrite: Rewrite::No,
            undo,
            idempotent: false,
        }
    }

    pub(crate) fn lock(mut self, lock: &'static str) -> Self {
        self.lock = Some(lock);
        self
    }

    pub(crate) fn rewrite(mut self, rewrite: Rewrite) -> Self {
        self.rewrite = rewrite;
        self
    }

    pub(crate) fn undo(mut self, undo: Undo) -> Self {
        self.undo = undo;
        self
    }

    pub(crate) fn idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }

    /// Both parts together: the graver of each, all reasons, the stronger lock.
    pub(crate) fn and(self, other: Self) -> Self {
        let (mut first, second) = if other.class > self.class { (other, self) } else { (self, other) };
        for reason in second.reasons {
            if first.reasons.len() < MAX_REASONS && !first.reasons.contains(&reason) {
                first.reasons.push(reason);
            }
        }
        if strength(second.lock) > strength(first.lock) {
            first.lock = second.lock;
        }
        first.rewrite = first.rewrite.max(second.rewrite);
        first.undo = first.undo.max(second.undo);
        first.idempotent &= second.idempotent;
        first
    }

    /// The phase it belongs to.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.class.phase()
    }
}

/// So many different reasons are kept.
const MAX_REASONS: usize = 16;

/// Locks from weak to strong, each in its engine's words.
pub(crate) const LOCKS: [&str; 13] = [
    "ACCESS SHARE",
    "ROW EXCLUSIVE",
    "row locks",
    "SHARE UPDATE EXCLUSIVE",
    "metadata lock (INSTANT)",
    "metadata lock",
    "INPLACE, LOCK=NONE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "INPLACE, LOCK=SHARED",
    "COPY, LOCK=SHARED",
    "ACCESS EXCLUSIVE",
];

fn strength(lock: Option<&str>) -> usize {
    lock.and_then(|l| LOCKS.iter().position(|known| *known == l)).map_or(0, |i| i.saturating_add(1))
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expand => "expand",
            Self::Backfill => "backfill",
            Self::Blocking => "blocking",
            Self::Review => "needs review",
            Self::Contract => "contract",
        })
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expand => "expand",
            Self::Backfill => "backfill",
            Self::Contract => "contract",
            Self::Review => "review",
        })
    }
}
