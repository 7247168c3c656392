//! A migration file: its place, its statements, their verdicts.

use crate::classify::{classify, touched};
use crate::engine::Engine;
use crate::error::Error;
use crate::laravel;
use crate::split::{Statement, split};
use crate::verdict::{Class, Phase, Verdict};
use lotse_digest::Digest;
use std::collections::BTreeSet;

/// One migration file, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// Its path, parted by `/`.
    pub path: String,
    /// The phase its folder declares: `expand/`, `backfill/` (also `seed/`, `seeders/`), `contract/`; none elsewhere.
    pub declared: Option<Phase>,
    /// Its statements in order.
    pub steps: Vec<Step>,
}

/// One statement, or one call of Laravel's schema builder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The file.
    pub path: String,
    /// Its place in the file, from 0: a crash between two statements is repaired from here.
    pub index: usize,
    /// Line in the file, from 1.
    pub line: u32,
    /// The statement as written.
    pub text: String,
    /// The judgement.
    pub verdict: Verdict,
}

impl Step {
    /// Names the statement's text, for the ledger.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        Digest::sha256(self.text.as_bytes())
    }
}

impl Migration {
    /// Reads and judges a file: `.sql`, or a Laravel migration in `.php` (its `up` method).
    ///
    /// # Errors
    /// [`Error::Malformed`] with file and line, [`Error::TooLarge`], [`Error::UnknownFile`].
    pub fn read(path: &str, text: &str, engine: Engine) -> Result<Self, Error> {
        let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
        let judged: Vec<(u32, String, Verdict)> = match extension {
            "sql" => {
                let statements = split(path, text, engine)?;
                judged(&statements, engine)
            }
            "php" => laravel::read(path, text, engine)?,
            _ => return Err(Error::UnknownFile { path: path.to_owned() }),
        };
        let steps = judged.into_iter().enumerate().map(|(index, (line, text, verdict))| Step {
            path: path.to_owned(),
            index,
            line,
            text,
            verdict,
        });
        Ok(Self { path: path.to_owned(), declared: declared(path), steps: steps.collect() })
    }
}

/// Judges statements in order: what happens to a table that the same file has just made concerns nobody yet.
fn judged(statements: &[Statement], engine: Engine) -> Vec<(u32, String, Verdict)> {
    let mut new_tables: BTreeSet<String> = BTreeSet::new();
    let mut out = Vec::with_capacity(statements.len());
    for statement in statements {
        let mut verdict = classify(statement, engine);
        if let Some(touched) = touched(statement, engine) {
            if touched.creates {
                new_tables.insert(touched.table);
            } else if new_tables.contains(&touched.table) && verdict.class != Class::Review {
                let idempotent = verdict.idempotent;
                verdict = Verdict::new(Class::Expand, "the table is new in this file: nobody uses it yet")
                    .idempotent(idempotent);
            }
        }
        out.push((statement.line(), statement.text().to_owned(), verdict));
    }
    out
}

fn declared(path: &str) -> Option<Phase> {
    path.rsplit('/').skip(1).find_map(|folder| match folder.to_ascii_lowercase().as_str() {
        "expand" => Some(Phase::Expand),
        "backfill" | "seed" | "seeds" | "seeder" | "seeders" => Some(Phase::Backfill),
        "contract" => Some(Phase::Contract),
        _ => None,
    })
}
