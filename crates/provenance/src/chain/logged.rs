//! Link 8: from the release to its entry in the audit log.

use lotse_sign::{Checkpoint, TlogProof};

use super::evidence::LogEvidence;
use super::links::{Fault, Found, MANY, Walk, broken, missing};
use crate::Event;
use crate::log::error_chain;

impl Walk<'_> {
    /// 8: the release is in the audit log, as it was.
    pub(super) fn log_link(&mut self) -> Found {
        let (Some(image), Some(commit)) = (self.image().cloned(), self.commit.clone()) else {
            return missing("image and commit, to look for in the log");
        };
        let (events, how) = match &self.evidence.log {
            None => return missing("the audit log"),
            Some(LogEvidence::Verified(events)) => {
                (events.clone(), format!("{} entries, verified before", events.len()))
            }
            Some(LogEvidence::Proved(entries)) if entries.len() > MANY => {
                return broken(format!("more than {MANY} log entries are given"));
            }
            Some(LogEvidence::Proved(_)) => self.proved()?,
        };
        let covering = self.documents()?.covering(&image);
        let mut about = events
            .iter()
            .filter(|event| event.images.values().any(|digest| covering.contains(digest)))
            .peekable();
        if about.peek().is_none() {
            return broken(format!("none of the log's {how} names {image}"));
        }
        // Two commits may give one image, byte for byte; the entry for this one must be there.
        let mut others = None;
        for event in about {
            match event.commit.as_deref() {
                Some(named) if named == commit => {
                    return Ok(format!("{} by {} at {} ({how})", event.action, event.actor.id, event.time));
                }
                other => others = others.or(other),
            }
        }
        match others {
            Some(other) => broken(format!("the log's entry for {image} names commit {other}, not {commit}")),
            None => broken(format!("no entry of the log for {image} names its commit")),
        }
    }

    fn proved(&self) -> Result<(Vec<Event>, String), Fault> {
        let Some(LogEvidence::Proved(entries)) = &self.evidence.log else { return missing("the audit log") };
        let Some((origin, key)) = self.rules.log else { return missing("the key of the audit log") };
        let mut events = Vec::new();
        let mut largest: Option<Checkpoint> = None;
        for (number, logged) in entries.iter().enumerate() {
            let refuse = |error: &dyn std::error::Error| {
                Fault::Broken(format!("log entry {}: {}", number + 1, error_chain(error)))
            };
            let proof = TlogProof::parse(&logged.proof).map_err(|error| refuse(&error))?;
            let checkpoint = proof.verify(&logged.entry, origin, key).map_err(|error| refuse(&error))?;
            events.push(Event::parse(&logged.entry).map_err(|error| refuse(&error))?);
            for seen in self.rules.seen.iter().chain(&largest) {
                if seen.size == checkpoint.size && seen.root != checkpoint.root {
                    return broken(format!(
                        "the log forked: two roots are signed for its {} entries",
                        seen.size
                    ));
                }
            }
            if largest.as_ref().is_none_or(|largest| largest.size < checkpoint.size) {
                largest = Some(checkpoint);
            }
        }
        let size = largest.as_ref().map_or(0, |checkpoint| checkpoint.size);
        if let Some(seen) = self.rules.seen.iter().find(|seen| seen.size > size) {
            return broken(format!(
                "the log was rolled back: the proof is of {size} entries, {} were seen",
                seen.size
            ));
        }
        Ok((events, format!("{} entries proved among {size}", entries.len())))
    }
}
