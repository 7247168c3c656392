use std::collections::{BTreeSet, VecDeque};

use lotse_digest::Digest;

use super::document::accept;
use super::link::{check_pages, next_page};
use super::{
    Document, MANIFEST_BYTES, Method, Next, Operation, Refusal, Repository, Request, Response, Scope, Url,
};
use crate::{Descriptor, Error, Index, Limits, media};

/// What is attached to a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attached {
    /// The referrers, in the order of the registry, each once.
    pub descriptors: Vec<Descriptor>,
    /// The registry does not know the referrers API; the list is the one that clients keep under a tag.
    pub from_tag: bool,
}

/// The tag under which clients keep the referrers of a manifest where the registry does not (distribution-spec, referrers tag
/// schema).
#[must_use]
pub fn referrers_tag(subject: &Digest) -> String {
    let algorithm: String = subject.algorithm().name().chars().take(32).collect();
    let encoded: String = subject.encoded().chars().take(64).collect();
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    format!("{algorithm}-{encoded}").chars().map(plain).collect()
}

/// Whether two digests can share one [`referrers_tag`]: then only `subject` tells whose referrer something is.
fn may_collide(subject: &Digest) -> bool {
    subject.encoded().len() > 64
}

/// Lists what refers to a manifest (distribution-spec, listing referrers): all pages of the API, else the list under the tag.
#[derive(Debug)]
pub struct Referrers {
    repository: Repository,
    subject: Digest,
    artifact_type: Option<String>,
    stage: Stage,
    pages: u64,
    seen: BTreeSet<Url>,
    found: Vec<Descriptor>,
    /// Entries of the tag whose subject is still to be looked at.
    unsure: VecDeque<Descriptor>,
    from_tag: bool,
}

#[derive(Debug)]
enum Stage {
    Page(Url),
    Tag,
    Subject(Descriptor),
    Done,
}

/// Referrers of one manifest.
const MOST: usize = 100_000;
/// Of these, how many are opened to see their subject.
const OPENED: usize = 1000;

impl Referrers {
    /// Lists what refers to `subject`, of one artifact type or of all.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if the repository makes no URL.
    pub fn new(
        repository: &Repository,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Self, Error> {
        let mut url = repository.referrers(subject)?;
        if let Some(kind) = artifact_type {
            url = url.with_parameter("artifactType", kind);
        }
        Ok(Self {
            repository: repository.clone(),
            subject: subject.clone(),
            artifact_type: artifact_type.map(str::to_owned),
            stage: Stage::Page(url),
            pages: 0,
            seen: BTreeSet::new(),
            found: Vec::new(),
            unsure: VecDeque::new(),
            from_tag: false,
        })
    }

    /// Keeps what was asked for; whether the registry has filtered already makes no difference.
    fn take(&mut self, descriptor: Descriptor) -> Result<(), Error> {
        let wanted =
            self.artifact_type.as_ref().is_none_or(|kind| descriptor.artifact_type.as_ref() == Some(kind));
        if wanted && !self.found.iter().any(|other| other.digest == descriptor.digest) {
            if self.found.len() >= MOST {
                let limit = u64::try_from(MOST).unwrap_or(u64::MAX);
                return Err(Error::Limit { what: "referrers of one manifest".to_owned(), limit });
            }
            self.found.push(descriptor);
        }
        Ok(())
    }

    fn next_unsure(&mut self) {
        self.stage = self.unsure.pop_front().map_or(Stage::Done, Stage::Subject);
    }

    fn page(&mut self, request: &Request, response: Response) -> Result<(), Error> {
        match response.status {
            200 => {}
            404 | 405 | 501 if self.pages == 0 => {
                self.from_tag = true;
                self.stage = Stage::Tag;
                return Ok(());
            }
            _ => return Err(Refusal::new(request, &response).into()),
        }
        if response.content_type().as_deref() != Some(media::INDEX) {
            let kind = response.content_type().unwrap_or_default();
            return Err(Error::malformed(
                "the list of referrers",
                format!("it is sent as {kind:?}, not as an index"),
            ));
        }
        let next = next_page(request, &response)?;
        for descriptor in Index::parse(&response.body, &Limits::default())?.manifests {
            self.take(descriptor)?;
        }
        self.pages += 1;
        check_pages(self.pages, "the list of referrers")?;
        if let Some(page) = &next
            && !self.seen.insert(page.clone())
        {
            return Err(Error::malformed("the list of referrers", "its pages run in a circle"));
        }
        self.stage = next.map_or(Stage::Done, Stage::Page);
        Ok(())
    }

    fn tag(&mut self, request: &Request, response: Response) -> Result<(), Error> {
        let index = read_tag(request, response)?.map(|(index, _)| index);
        for descriptor in index.map(|index| index.manifests).unwrap_or_default() {
            if may_collide(&self.subject) {
                self.unsure.push_back(descriptor);
            } else {
                self.take(descriptor)?;
            }
        }
        if self.unsure.len() > OPENED {
            let limit = u64::try_from(OPENED).unwrap_or(u64::MAX);
            return Err(Error::Limit { what: "referrers whose subject must be looked at".to_owned(), limit });
        }
        self.next_unsure();
        Ok(())
    }

    fn opened(&mut self, request: &Request, response: Response) -> Result<(), Error> {
        let Stage::Subject(descriptor) = std::mem::replace(&mut self.stage, Stage::Done) else {
            return Ok(());
        };
        match response.status {
            200 => {
                let kind = response.content_type();
                let document = Document::new(response.body, kind.as_deref(), Some(&descriptor.digest))?;
                if document.subject()?.is_some_and(|subject| subject.digest == self.subject) {
                    self.take(descriptor)?;
                }
            }
            404 => {}
            _ => return Err(Refusal::new(request, &response).into()),
        }
        self.pages += 1;
        self.next_unsure();
        Ok(())
    }
}

impl Operation for Referrers {
    type Output = Attached;

    fn next(&mut self) -> Result<Next<Attached>, Error> {
        let url = match &self.stage {
            Stage::Page(url) => url.clone(),
            Stage::Tag => self.repository.manifest(&referrers_tag(&self.subject))?,
            Stage::Subject(descriptor) => self.repository.manifest(&descriptor.digest.to_string())?,
            Stage::Done => {
                let descriptors = std::mem::take(&mut self.found);
                return Ok(Next::Done(Attached { descriptors, from_tag: self.from_tag }));
            }
        };
        let mut request = Request::new(Method::Get, url).header("accept", accept());
        request.limit = MANIFEST_BYTES;
        Ok(Next::Send(request))
    }

    fn answer(&mut self, request: &Request, response: Response) -> Result<(), Error> {
        match self.stage {
            Stage::Page(_) => self.page(request, response),
            Stage::Tag => self.tag(request, response),
            Stage::Subject(_) => self.opened(request, response),
            Stage::Done => Ok(()),
        }
    }

    fn scope(&self) -> Scope {
        Scope::pull(self.repository.name())
    }

    fn progress(&self) -> u64 {
        self.pages
    }
}

/// The index under a referrers tag with its `ETag`; nothing if there is none. What is no index is not touched.
pub(super) fn read_tag(
    request: &Request,
    response: Response,
) -> Result<Option<(Index, Option<String>)>, Error> {
    match response.status {
        200 => {}
        404 => return Ok(None),
        _ => return Err(Refusal::new(request, &response).into()),
    }
    let kind = response.content_type();
    let etag = response.headers.get("etag").map(str::to_owned);
    let document = Document::new(response.body, kind.as_deref(), None)?;
    if !media::is_index(&document.descriptor.media_type) {
        let reason = "something that is no index has the tag that referrers are kept under";
        return Err(Error::malformed(request.describe(), reason));
    }
    Ok(Some((Index::parse(&document.bytes, &Limits::default())?, etag)))
}
