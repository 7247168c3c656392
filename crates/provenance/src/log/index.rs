use std::collections::BTreeSet;

use lotse_digest::{Algorithm, Digest, Hasher};

use super::Log;
use super::read::Tree;
use super::store::LogStore;
use crate::{Error, Event, Timestamp};

/// Entries of one part of the index.
const SEGMENT: u64 = 65_536;
const MAGIC: &[u8] = b"lotse log index 1\n";
const HASH: usize = 32;
/// Kind of field, beginning of the hash of its value (or the time), place in the part.
const RECORD: usize = 11;

type Record = [u8; RECORD];

/// What to look for in a log: events that have all that is given. Plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Query {
    /// The commit, in full.
    pub commit: Option<String>,
    /// The release.
    pub release: Option<String>,
    /// The digest of an image or of a piece of evidence.
    pub digest: Option<Digest>,
    /// The id of the actor, or of who armed it.
    pub actor: Option<String>,
    /// The environment.
    pub environment: Option<String>,
    /// The application.
    pub application: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// Not before this time.
    pub from: Option<Timestamp>,
    /// Not after this time.
    pub to: Option<Timestamp>,
}

/// An event that was found, and its place. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The place in the log.
    pub index: u64,
    /// The event.
    pub event: Event,
}

impl Query {
    /// Whether an event has all that is asked for.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        let same =
            |wanted: &Option<String>, value: Option<&String>| wanted.is_none() || wanted.as_ref() == value;
        let time = event.time.parse::<Timestamp>().ok();
        let armed = event.armed_by.as_ref().map(|actor| &actor.id);
        same(&self.commit, event.commit.as_ref())
            && same(&self.release, event.release.as_ref())
            && same(&self.environment, event.environment.as_ref())
            && same(&self.application, Some(&event.application))
            && same(&self.action, Some(&event.action))
            && (same(&self.actor, Some(&event.actor.id)) || same(&self.actor, armed))
            && self.digest.as_ref().is_none_or(|digest| digests(event).any(|other| other == digest))
            && self.from.is_none_or(|from| time.is_some_and(|time| time >= from))
            && self.to.is_none_or(|to| time.is_some_and(|time| time <= to))
    }

    /// The fields with one value that are asked for.
    fn keys(&self) -> Vec<Record> {
        let mut keys = Vec::new();
        let fields = [
            (1, &self.commit),
            (2, &self.release),
            (3, &self.actor),
            (4, &self.environment),
            (5, &self.application),
            (6, &self.action),
        ];
        keys.extend(fields.into_iter().filter_map(|(kind, value)| Some(text(kind, value.as_ref()?, 0))));
        keys.extend(self.digest.as_ref().map(|digest| text(DIGEST, &digest.to_string(), 0)));
        keys
    }
}

const DIGEST: u8 = 7;
const TIME: u8 = 8;

fn digests(event: &Event) -> impl Iterator<Item = &Digest> {
    event.images.values().chain(event.evidence.values())
}

/// All records of an event.
fn records(event: &Event, place: u16) -> Vec<Record> {
    let fields = [
        (1, event.commit.as_ref()),
        (2, event.release.as_ref()),
        (3, Some(&event.actor.id)),
        (3, event.armed_by.as_ref().map(|actor| &actor.id)),
        (4, event.environment.as_ref()),
        (5, Some(&event.application)),
        (6, Some(&event.action)),
    ];
    let mut all: Vec<Record> =
        fields.into_iter().filter_map(|(kind, value)| Some(text(kind, value?, place))).collect();
    all.extend(digests(event).map(|digest| text(DIGEST, &digest.to_string(), place)));
    all.extend(event.time.parse::<Timestamp>().ok().map(|time| number(TIME, seconds(time), place)));
    all
}

fn seconds(time: Timestamp) -> u64 {
    time.seconds().unsigned_abs()
}

fn text(kind: u8, value: &str, place: u16) -> Record {
    let hash = Digest::of(Algorithm::Sha256, value.as_bytes());
    let mut first = [0; 8];
    for (to, from) in first.iter_mut().zip(hash.as_bytes()) {
        *to = *from;
    }
    number(kind, u64::from_be_bytes(first), place)
}

fn number(kind: u8, value: u64, place: u16) -> Record {
    let [a, b, c, d, e, f, g, h] = value.to_be_bytes();
    let [i, j] = place.to_be_bytes();
    [kind, a, b, c, d, e, f, g, h, i, j]
}

const fn place(record: &Record) -> u16 {
    let [.., i, j] = *record;
    u16::from_be_bytes([i, j])
}

impl<S: LogStore> Log<S> {
    /// Writes the index for what has none yet, and returns how many entries were read for it.
    ///
    /// The index is a projection of the log, in files beside it (`index/<N>`, each for 65,536 entries). It can be removed at any
    /// time. Entries that are no events are not in it.
    ///
    /// # Errors
    ///
    /// Those of the store; [`Error::Malformed`] if a bundle is damaged.
    pub fn index(&self) -> Result<u64, Error> {
        let mut read = 0;
        for segment in 0..self.size().div_ceil(SEGMENT) {
            let (start, end) = (segment * SEGMENT, ((segment + 1) * SEGMENT).min(self.size()));
            if self.segment(segment)?.is_some() {
                continue;
            }
            let mut all = Vec::new();
            self.visit(start..end, |index, entry| {
                read += 1;
                if let Ok(event) = Event::parse(entry) {
                    all.extend(records(&event, u16::try_from(index - start).unwrap_or(u16::MAX)));
                }
                Ok(())
            })?;
            all.sort_unstable();
            let body = all.as_flattened();
            let file = [MAGIC, &self.binding(start, end)?, Digest::sha256(body).as_bytes(), body].concat();
            self.store().commit(&name(segment), &file)?;
        }
        Ok(read)
    }

    /// The events that a query matches, first to last, with their places. Every hit was read from the log and compared, and what
    /// the index does not cover, or covers for another state of the log, is read in full.
    ///
    /// Whoever can write the index can hide an event from it: ask [`scan`](Self::scan) where that matters.
    ///
    /// # Errors
    ///
    /// As [`index`](Self::index).
    pub fn search(&self, query: &Query) -> Result<Vec<Hit>, Error> {
        let mut hits = Vec::new();
        for segment in 0..self.size().div_ceil(SEGMENT) {
            let (start, end) = (segment * SEGMENT, ((segment + 1) * SEGMENT).min(self.size()));
            match self.segment(segment)?.and_then(|records| candidates(&records, query)) {
                Some(places) => {
                    for place in places {
                        let index = start + u64::from(place);
                        self.collect(index..index + 1, query, &mut hits)?;
                    }
                }
                None => self.collect(start..end, query, &mut hits)?,
            }
        }
        Ok(hits)
    }

    /// As [`search`](Self::search), but reads every entry and no index.
    ///
    /// # Errors
    ///
    /// As [`index`](Self::index).
    pub fn scan(&self, query: &Query) -> Result<Vec<Hit>, Error> {
        let mut hits = Vec::new();
        self.collect(0..self.size(), query, &mut hits)?;
        Ok(hits)
    }

    fn collect(&self, range: std::ops::Range<u64>, query: &Query, hits: &mut Vec<Hit>) -> Result<(), Error> {
        self.visit(range, |index, entry| {
            if let Ok(event) = Event::parse(entry)
                && query.matches(&event)
            {
                hits.push(Hit { index, event });
            }
            Ok(())
        })
    }

    /// The records of a part of the index, if it is there, whole, and of the log as it is.
    fn segment(&self, segment: u64) -> Result<Option<Vec<Record>>, Error> {
        let (start, end) = (segment * SEGMENT, ((segment + 1) * SEGMENT).min(self.size()));
        let Some(file) = self.store().read(&name(segment))? else { return Ok(None) };
        let binding = self.binding(start, end)?;
        let Some(rest) = file.strip_prefix(MAGIC).and_then(|rest| rest.strip_prefix(binding.as_slice()))
        else {
            return Ok(None);
        };
        let Some((digest, body)) = rest.split_at_checked(HASH) else { return Ok(None) };
        if Digest::sha256(body).as_bytes() != digest {
            return Ok(None);
        }
        Ok(Some(body.as_chunks::<RECORD>().0.to_vec()))
    }

    /// What ties a part of the index to the entries it was made of: the root of the log when it ended there.
    fn binding(&self, start: u64, end: u64) -> Result<Vec<u8>, Error> {
        let root = Tree::new(self.store(), end, self.size()).root()?;
        let mut hasher = Hasher::new(Algorithm::Sha256);
        for part in [start.to_be_bytes().as_slice(), &end.to_be_bytes(), &root] {
            hasher.update(part);
        }
        Ok(hasher.finish().as_bytes().to_vec())
    }
}

fn name(segment: u64) -> String {
    format!("index/{segment:06}")
}

/// The places that may match by the index, or `None` if the query asks for nothing that is in it.
fn candidates(records: &[Record], query: &Query) -> Option<BTreeSet<u16>> {
    let mut places: Option<BTreeSet<u16>> = None;
    let mut narrow = |low: Record, high: Record| {
        let from = records.partition_point(|record| *record < low);
        let found =
            records.get(from..).unwrap_or_default().iter().take_while(|record| **record <= high).map(place);
        places = Some(match &places {
            None => found.collect(),
            Some(before) => found.filter(|place| before.contains(place)).collect(),
        });
    };
    for key in query.keys() {
        let [kind, a, b, c, d, e, f, g, h, ..] = key;
        narrow(key, [kind, a, b, c, d, e, f, g, h, u8::MAX, u8::MAX]);
    }
    if query.from.is_some() || query.to.is_some() {
        narrow(
            number(TIME, query.from.map_or(0, seconds), 0),
            number(TIME, query.to.map_or(u64::MAX, seconds), u16::MAX),
        );
    }
    places
}
