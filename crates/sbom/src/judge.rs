//! Matches, excuses and the gate: what is left after every excuse was heard, and whether that may pass.

use crate::cvss::Severity;
use crate::inventory::Inventory;
use crate::matching::{Match, Matches};
use crate::purl::Purl;
use crate::time::Date;
use crate::vex::{Statement, Status, Vex};
use std::collections::BTreeSet;

/// One entry of an allow-list. It excuses one vulnerability in the components it names, until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    id: String,
    component: String,
    reason: String,
    expires: Date,
    added_by: String,
}

/// Why an allow-list entry is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("allow-list entry for {id:?}: {what} is empty; say it or drop the entry")]
pub struct AllowError {
    /// The vulnerability the entry names.
    pub id: String,
    /// The member that is missing.
    pub what: &'static str,
}

impl Allow {
    /// An entry. `component` is a purl (parts that are left out are free) or a pattern over component ids in which
    /// `*` stands for any text. The entry is good through the day `expires`.
    ///
    /// # Errors
    /// [`AllowError`] if one of the texts is empty: an excuse without reason or author is none.
    pub fn new(
        id: &str,
        component: &str,
        reason: &str,
        expires: Date,
        added_by: &str,
    ) -> Result<Self, AllowError> {
        for (what, text) in
            [("the id", id), ("the component", component), ("the reason", reason), ("added_by", added_by)]
        {
            if text.trim().is_empty() {
                return Err(AllowError { id: id.to_owned(), what });
            }
        }
        Ok(Self {
            id: id.to_owned(),
            component: component.to_owned(),
            reason: reason.to_owned(),
            expires,
            added_by: added_by.to_owned(),
        })
    }

    /// The vulnerability's id or alias.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The purl or pattern of components.
    #[must_use]
    pub fn component(&self) -> &str {
        &self.component
    }

    /// Why it is excused.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The last day it is good for.
    #[must_use]
    pub fn expires(&self) -> Date {
        self.expires
    }

    /// Who answers for it.
    #[must_use]
    pub fn added_by(&self) -> &str {
        &self.added_by
    }

    fn concerns(&self, subject: &Candidate<'_>) -> bool {
        let named = subject.names.contains(&self.id.as_str());
        let covered = if self.component.contains('*') {
            glob(&self.component, subject.component)
        } else {
            match (self.component.parse::<Purl>(), subject.purl) {
                (Ok(pattern), Some(purl)) => pattern.covers(purl),
                (Ok(_), None) => false,
                (Err(_), _) => self.component == subject.component,
            }
        };
        named && covered
    }
}

/// Text with `*` for any run of characters.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = rest.get(at.saturating_add(part.len())..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// One concern that is left or was excused: a match, or an advisory that could not be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Concern {
    /// The component's id.
    pub component: String,
    /// The advisory's id.
    pub advisory: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// Its severity.
    pub severity: Severity,
    /// Its summary, or why it could not be judged.
    pub text: String,
    /// Versions that repair it.
    pub fixed: Vec<String>,
    /// Whether the advisory could not be judged for this component.
    pub undecided: bool,
}

/// Who excused a concern.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Excuse {
    /// An entry of the allow-list.
    Allowed(Allow),
    /// A VEX statement, with the id of its document.
    Vex {
        /// The document's `@id`.
        document: String,
        /// The statement.
        statement: Statement,
    },
}

/// What is left after every excuse was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Judgement {
    /// Concerns that nothing excuses.
    pub open: Vec<Concern>,
    /// Concerns with the excuse that took them out.
    pub excused: Vec<(Concern, Excuse)>,
    /// Entries whose day has passed: they excused nothing, whatever they match.
    pub expired: Vec<Allow>,
    /// Entries that match no concern: they are to be deleted, before they excuse something new by accident.
    pub unused: Vec<Allow>,
}

struct Candidate<'a> {
    names: Vec<&'a str>,
    component: &'a str,
    purl: Option<&'a Purl>,
}

/// Applies excuses to matches. `subject` holds the identifiers of the catalogued thing (purl, digest, name) that VEX
/// statements may name as product; `today` is the day entries are judged by.
#[must_use]
pub fn judge(
    matches: &Matches,
    inventory: &Inventory,
    allow: &[Allow],
    vex: &[Vex],
    subject: &[String],
    today: Date,
) -> Judgement {
    let (good, expired): (Vec<&Allow>, Vec<&Allow>) = allow.iter().partition(|entry| entry.expires >= today);
    let mut used: BTreeSet<usize> = BTreeSet::new();
    let (mut open, mut excused) = (Vec::new(), Vec::new());
    for concern in concerns(matches) {
        let component = inventory.component(&concern.component);
        let candidate = Candidate {
            names: std::iter::once(concern.advisory.as_str())
                .chain(concern.aliases.iter().map(String::as_str))
                .collect(),
            component: &concern.component,
            purl: component.and_then(|c| c.purl.as_ref()),
        };
        let entries = good.iter().enumerate().filter(|(_, entry)| entry.concerns(&candidate));
        let entry = entries.fold(None, |first, (i, entry)| {
            used.insert(i);
            first.or(Some((*entry).clone()))
        });
        let excuse = entry.map(Excuse::Allowed).or_else(|| statement(vex, &candidate, subject));
        match excuse {
            Some(excuse) => excused.push((concern, excuse)),
            None => open.push(concern),
        }
    }
    let unused =
        good.iter().enumerate().filter(|(i, _)| !used.contains(i)).map(|(_, entry)| (*entry).clone());
    Judgement { open, excused, unused: unused.collect(), expired: expired.into_iter().cloned().collect() }
}

fn concerns(matches: &Matches) -> Vec<Concern> {
    let found = matches.found.iter().map(|m: &Match| Concern {
        component: m.component.clone(),
        advisory: m.advisory.clone(),
        aliases: m.aliases.clone(),
        severity: m.severity,
        text: m.summary.clone(),
        fixed: m.fixed.clone(),
        undecided: false,
    });
    let undecided = matches.undecided.iter().map(|u| Concern {
        component: u.component.clone(),
        advisory: u.advisory.clone(),
        aliases: u.aliases.clone(),
        severity: u.severity,
        text: u.reason.clone(),
        fixed: Vec::new(),
        undecided: true,
    });
    found.chain(undecided).collect()
}

/// The latest statement decides; of two at the same time the graver one.
fn statement(vex: &[Vex], candidate: &Candidate<'_>, subject: &[String]) -> Option<Excuse> {
    let all = vex.iter().flat_map(|document| document.statements.iter().map(move |s| (document, s)));
    let (document, statement) = all
        .filter(|(_, s)| s.concerns(&candidate.names, candidate.purl, subject))
        .max_by_key(|(_, s)| (s.timestamp, s.status))?;
    matches!(statement.status, Status::NotAffected | Status::Fixed)
        .then(|| Excuse::Vex { document: document.id.clone(), statement: statement.clone() })
}

/// How many open concerns of at least this severity may pass. Unknown severity counts as the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// From this severity on concerns are counted.
    pub severity: Severity,
    /// So many may stay open.
    pub max: usize,
}

/// What the gate says. A refusal carries its witnesses; a pass says what was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a gate is open or closed")]
pub enum GateVerdict {
    /// Not more than allowed are open.
    Passed {
        /// Open concerns at or above the severity.
        counted: usize,
        /// All open concerns.
        open: usize,
    },
    /// Too many are open.
    Refused {
        /// The concerns that were counted, worst first.
        witnesses: Vec<Concern>,
        /// How many were allowed.
        max: usize,
    },
}

impl Gate {
    /// Judges what is left open.
    #[must_use]
    pub fn judge(&self, judgement: &Judgement) -> GateVerdict {
        let mut witnesses: Vec<Concern> =
            judgement.open.iter().filter(|c| c.severity >= self.severity).cloned().collect();
        if witnesses.len() <= self.max {
            return GateVerdict::Passed { counted: witnesses.len(), open: judgement.open.len() };
        }
        witnesses.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.component.cmp(&b.component)));
        GateVerdict::Refused { witnesses, max: self.max }
    }
}
