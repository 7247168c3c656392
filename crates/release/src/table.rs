//! The report as a table for a terminal.

use std::fmt::Write as _;

use crate::Report;

/// How many findings of one check the table shows.
const SHOWN: usize = 10;

impl Report {
    /// The report as a table that a person can read, without colours.
    #[must_use]
    pub fn to_table(&self) -> String {
        let mut table = format!("{} {}, commit {}\n\n", self.application, self.version, self.commit);
        let width = self.checks.iter().map(|check| check.id.len()).max().unwrap_or(0);
        for check in &self.checks {
            let gate = if check.gate { "gate" } else { "    " };
            let _ = writeln!(
                table,
                "{gate}  {:width$}  {:14}  {}",
                check.id,
                check.outcome.word(),
                check.summary
            );
            let against: Vec<_> = check.findings.iter().filter(|finding| finding.counts).collect();
            for finding in against.iter().take(SHOWN) {
                let _ = writeln!(
                    table,
                    "      {:width$}  against         {}: {}",
                    "", finding.place, finding.text
                );
            }
            if let Some(more) = against.len().checked_sub(SHOWN).filter(|more| *more > 0) {
                let _ =
                    writeln!(table, "      {:width$}  against         {more} more, all in the evidence", "");
            }
        }
        table.push('\n');
        for requirement in &self.requirements {
            let _ = writeln!(
                table,
                "{:4} {:14}  {}",
                requirement.id,
                requirement.outcome.word(),
                requirement.title
            );
        }
        let _ = writeln!(table, "\nThe gate says: {}", self.verdict.word());
        if self.fresh_key {
            table.push_str("The key was made for this run: the signatures prove integrity, not origin.\n");
        }
        table
    }
}
