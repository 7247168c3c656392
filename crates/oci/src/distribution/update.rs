use std::collections::BTreeMap;
use std::time::Duration;

use lotse_digest::Digest;

use super::document::accept;
use super::referrers::{read_tag, referrers_tag};
use super::{Body, MANIFEST_BYTES, Method, Next, Operation, Refusal, Repository, Request, Response, Scope};
use crate::{Descriptor, Error, Index, media};

/// Adds to, or removes from, the list of referrers that clients keep under a tag where the registry keeps none
/// (distribution-spec, referrers tag schema).
///
/// Reading the list, changing it and writing it back is a race. A registry that honours `If-Match` refuses the second of two
/// writers, who reads again; whether it does is tried with the first write and costs one request. Elsewhere the list is read
/// back after `settle`, and what was seen before and is missing is written again. Two such clients lose nothing as long as
/// neither takes longer than `settle` between its reading and its writing; beyond that, and with other clients that
/// do not read back, an entry can be lost, and no client can prevent it. An entry removed meanwhile may come back.
#[derive(Debug)]
pub struct UpdateReferrers {
    repository: Repository,
    tag: String,
    add: Option<Descriptor>,
    remove: Option<Digest>,
    settle: Duration,
    stage: Stage,
    known: BTreeMap<Digest, Descriptor>,
    base: Option<(Index, Option<String>)>,
    honours: Option<bool>,
    written: bool,
    rounds: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Read,
    Write,
    /// Another was faster: step aside before reading again.
    Yield,
    Settle,
    Done,
}

/// How often the list is written before it is given up.
const ROUNDS: u32 = 256;
/// An entity tag that no registry has given.
const PROBE: &str = "\"lotse-no-such-etag\"";

impl UpdateReferrers {
    /// Adds `referrer` (see [`Document::referrer`](super::Document::referrer)) to the list of `subject`.
    #[must_use]
    pub fn add(repository: &Repository, subject: &Digest, referrer: Descriptor, settle: Duration) -> Self {
        Self { add: Some(referrer), ..Self::new(repository, subject, settle) }
    }

    /// Removes what has the digest `referrer` from the list of `subject`.
    #[must_use]
    pub fn remove(repository: &Repository, subject: &Digest, referrer: Digest, settle: Duration) -> Self {
        Self { remove: Some(referrer), ..Self::new(repository, subject, settle) }
    }

    fn new(repository: &Repository, subject: &Digest, settle: Duration) -> Self {
        Self {
            repository: repository.clone(),
            tag: referrers_tag(subject),
            add: None,
            remove: None,
            settle,
            stage: Stage::Read,
            known: BTreeMap::new(),
            base: None,
            honours: None,
            written: false,
            rounds: 0,
        }
    }

    /// The list as it should be, or nothing if it is so already.
    fn wanted(&self) -> Option<Index> {
        let mut index = self.base.as_ref().map_or_else(|| Index::new(Vec::new()), |(index, _)| index.clone());
        let before = index.manifests.clone();
        if let Some(digest) = &self.remove {
            index.manifests.retain(|entry| entry.digest != *digest);
        }
        for entry in self.known.values().chain(&self.add) {
            if !index.manifests.iter().any(|other| other.digest == entry.digest) {
                index.manifests.push(entry.clone());
            }
        }
        (index.manifests != before).then_some(index)
    }

    fn read(&mut self, request: &Request, response: Response) -> Result<(), Error> {
        self.base = read_tag(request, response)?;
        if self.add.is_some() {
            let entries = self.base.iter().flat_map(|(index, _)| &index.manifests);
            let entries: Vec<_> = entries.map(|entry| (entry.digest.clone(), entry.clone())).collect();
            self.known.extend(entries);
        }
        self.stage = match self.wanted() {
            Some(_) => Stage::Write,
            None => Stage::Done,
        };
        Ok(())
    }

    fn write(&self) -> Result<Request, Error> {
        let index = self.wanted().unwrap_or_else(|| Index::new(Vec::new()));
        let kind = index.media_type.clone().unwrap_or_else(|| media::INDEX.to_owned());
        let url = self.repository.manifest(&self.tag)?;
        let mut request = Request::new(Method::Put, url).header("content-type", kind);
        match (&self.base, self.honours) {
            (None, _) => request.headers.push("if-none-match", "*"),
            (Some((_, Some(_))), None) => request.headers.push("if-match", PROBE),
            (Some((_, Some(etag))), Some(true)) => request.headers.push("if-match", etag.clone()),
            _ => {}
        }
        request.body = Body::Bytes(index.to_bytes()?);
        Ok(request)
    }

    /// How long to step aside: longer with every round, and for each entry and round another time, so that writers that met
    /// once do not meet again. Nothing is random here; digests are as good.
    fn aside(&self) -> Duration {
        let digest = self.add.as_ref().map(|entry| &entry.digest).or(self.remove.as_ref());
        let bytes = digest.map(Digest::as_bytes).unwrap_or_default();
        let place = usize::try_from(self.rounds).unwrap_or(0) % bytes.len().max(1);
        let share = bytes.get(place).copied().unwrap_or(0);
        Duration::from_millis(u64::from(share) * u64::from(self.rounds.min(32)) / 16)
    }

    fn wrote(&mut self, request: &Request, response: &Response) -> Result<(), Error> {
        self.rounds += 1;
        if self.rounds > ROUNDS {
            let what = format!("attempts to write {} against other writers", request.describe());
            return Err(Error::Limit { what, limit: u64::from(ROUNDS) });
        }
        let probing = request.headers.get("if-match") == Some(PROBE);
        match response.status {
            200 | 201 => {
                if probing {
                    self.honours = Some(false);
                }
                self.written = true;
                let proven = self.honours == Some(true) && request.headers.get("if-match").is_some();
                self.stage = if proven { Stage::Done } else { Stage::Settle };
                Ok(())
            }
            412 if probing => {
                self.honours = Some(true);
                Ok(())
            }
            412 => {
                self.stage = Stage::Yield;
                Ok(())
            }
            _ => Err(Refusal::new(request, response).into()),
        }
    }
}

impl Operation for UpdateReferrers {
    /// Whether anything was written.
    type Output = bool;

    fn next(&mut self) -> Result<Next<bool>, Error> {
        match self.stage {
            Stage::Read => {
                let url = self.repository.manifest(&self.tag)?;
                let mut request = Request::new(Method::Get, url).header("accept", accept());
                request.limit = MANIFEST_BYTES;
                Ok(Next::Send(request))
            }
            Stage::Write => Ok(Next::Send(self.write()?)),
            Stage::Yield => {
                self.stage = Stage::Read;
                Ok(Next::Wait(self.aside()))
            }
            Stage::Settle => {
                self.stage = Stage::Read;
                Ok(Next::Wait(self.settle))
            }
            Stage::Done => Ok(Next::Done(self.written)),
        }
    }

    fn answer(&mut self, request: &Request, response: Response) -> Result<(), Error> {
        match self.stage {
            Stage::Read => self.read(request, response),
            Stage::Write => self.wrote(request, &response),
            Stage::Yield | Stage::Settle | Stage::Done => Ok(()),
        }
    }

    fn interrupted(&mut self) {
        // Written or not: reading tells.
        self.stage = Stage::Read;
    }

    fn scope(&self) -> Scope {
        Scope::push(self.repository.name())
    }

    fn progress(&self) -> u64 {
        u64::from(self.rounds)
    }
}
