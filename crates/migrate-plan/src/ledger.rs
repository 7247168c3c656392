//! What has run already: statement by statement, because a crash between two of them is the normal failure.

use crate::error::Error;
use crate::migration::Step;
use lotse_digest::Digest;
use std::collections::BTreeMap;

/// The statements a database has behind it. The caller stores it in the database itself, in the same transaction as the
/// statement where the engine can.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    done: BTreeMap<(String, usize), Digest>,
}

impl Ledger {
    /// Notes a statement as done; also used to fill the ledger from the database.
    pub fn record(&mut self, path: &str, index: usize, fingerprint: Digest) {
        self.done.insert((path.to_owned(), index), fingerprint);
    }

    /// The statements that still have to run, in the order given.
    ///
    /// # Errors
    /// [`Error::ChangedAfterRun`] if a statement that has run reads differently now: what the database holds is then not
    /// what the files say.
    pub fn pending<'s>(&self, steps: impl IntoIterator<Item = &'s Step>) -> Result<Vec<&'s Step>, Error> {
        let mut out = Vec::new();
        for step in steps {
            match self.done.get(&(step.path.clone(), step.index)) {
                None => out.push(step),
                Some(done) if *done == step.fingerprint() => {}
                Some(_) => return Err(Error::ChangedAfterRun { path: step.path.clone(), index: step.index }),
            }
        }
        Ok(out)
    }
}
