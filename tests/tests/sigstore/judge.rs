//! What was tried, by name, and whether it went as it must.

/// What somebody said: `Ok` if it was signed or accepted, `Err` if it was refused.
pub(crate) type Outcome = Result<String, String>;

/// Collects, so that one failure does not hide the next.
#[derive(Default)]
pub(crate) struct Judge {
    lines: Vec<String>,
    failed: usize,
}

impl Judge {
    /// It must be signed or accepted.
    pub(crate) fn accepts(&mut self, name: impl AsRef<str>, outcome: Outcome) {
        self.note(name.as_ref(), outcome.err().map(|said| format!("is refused: {said}")));
    }

    /// It must be refused, and for this reason.
    pub(crate) fn refuses(&mut self, name: impl AsRef<str>, because: &str, outcome: Outcome) {
        let wrong = match outcome {
            Ok(said) => Some(format!("is accepted: {said}")),
            Err(said) if said.contains(because) => None,
            Err(said) => Some(format!("is refused, but not because {because:?}: {said}")),
        };
        self.note(name.as_ref(), wrong);
    }

    fn note(&mut self, name: &str, wrong: Option<String>) {
        self.failed += usize::from(wrong.is_some());
        let line = wrong.map_or_else(|| format!("ok     {name}"), |wrong| format!("FAILED {name} {wrong}"));
        eprintln!("{line}");
        self.lines.push(line);
    }

    /// Ends the test: nothing failed, and so many things were tried.
    pub(crate) fn end(self, tried: usize) {
        assert!(
            self.failed == 0,
            "{} of {} failed:\n{}",
            self.failed,
            self.lines.len(),
            self.lines.join("\n")
        );
        assert_eq!(self.lines.len(), tried, "not everything was tried:\n{}", self.lines.join("\n"));
    }
}
