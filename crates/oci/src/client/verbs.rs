use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lotse_digest::{Digest, Reference};

use super::Transport;
use super::drive::{self, Content, Nothing};
use super::http::Http;
use super::options::{Event, Options, PlainHttp, Progress};
use crate::distribution::{
    Delete, Document, FetchManifest, HeadManifest, Operation, Referrers, Repository, Session, Tags,
    is_loopback,
};
use crate::{Descriptor, Error};

/// A client of registries. One serves many threads and many registries; it keeps connections and tokens.
#[derive(Debug)]
pub struct Client {
    pub(super) options: Options,
    transport: Held,
    sessions: Mutex<BTreeMap<Repository, Arc<Mutex<Session>>>>,
}

struct Held(Arc<dyn Transport>);

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Transport")
    }
}

const THREADS: usize = 4;
const SETTLE: Duration = Duration::from_millis(500);

impl Client {
    /// A client.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the certificates cannot be read, [`Error::Unsupported`] for some without the feature `rustls`,
    /// [`Error::Caller`] for a proxy that is none.
    pub fn new(options: Options) -> Result<Self, Error> {
        let threads = if options.threads == 0 { THREADS } else { options.threads };
        let transport: Arc<dyn Transport> = match &options.transport {
            Some(transport) => Arc::clone(transport),
            None => Arc::new(Http::new(&options.roots, options.proxy.as_deref(), threads + 1)?),
        };
        Ok(Self {
            options: Options { threads, ..options },
            transport: Held(transport),
            sessions: Mutex::default(),
        })
    }

    /// What a tag or a digest stands for: type, digest and size of the manifest, which is fetched and verified.
    ///
    /// # Errors
    ///
    /// [`Error::Registry`], with status 404 if it is not there; [`Error::Broken`]; [`Error::Mismatch`],
    /// [`Error::Malformed`] and [`Error::Unsupported`] for what is no manifest; [`Error::Caller`] for a reference without
    /// registry, or without tag and digest.
    pub fn resolve(&self, reference: &Reference) -> Result<Descriptor, Error> {
        Ok(self.manifest(reference)?.descriptor)
    }

    /// The manifest or index of a reference: its bytes, and what points at them.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve).
    pub fn manifest(&self, reference: &Reference) -> Result<Document, Error> {
        self.fetch(&self.sources(reference)?, &what(reference)?)
    }

    /// What the registry says that a reference stands for, without fetching it; `None` if nothing is there. Where the
    /// registry says too little, it is fetched.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve).
    pub fn head(&self, reference: &Reference) -> Result<Option<Descriptor>, Error> {
        let repository = self.repository(reference)?;
        let what = what(reference)?;
        let Some(head) = self.run(&repository, HeadManifest::new(&repository, &what))? else {
            return Ok(None);
        };
        let digest = reference.digest().cloned().or(head.digest);
        match (digest, head.media_type, head.size) {
            (Some(digest), Some(kind), Some(size)) => Ok(Some(Descriptor::new(kind, digest, size))),
            _ => Ok(Some(self.fetch(&[repository], &what)?.descriptor)),
        }
    }

    /// The tags of a repository, sorted.
    ///
    /// # Errors
    ///
    /// [`Error::Registry`], [`Error::Broken`]; [`Error::Malformed`] for lists that are none; [`Error::Caller`] for a reference
    /// without registry.
    pub fn tags(&self, reference: &Reference) -> Result<Vec<String>, Error> {
        let repository = self.repository(reference)?;
        self.run(&repository, Tags::new(&repository)?)
    }

    /// What refers to a manifest, of one artifact type or of all.
    ///
    /// # Errors
    ///
    /// As [`tags`](Self::tags), and [`resolve`](Self::resolve) for a reference without digest.
    pub fn referrers(
        &self,
        reference: &Reference,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>, Error> {
        let subject = match reference.digest() {
            Some(digest) => digest.clone(),
            None => self.resolve(reference)?.digest,
        };
        let repository = self.repository(reference)?;
        Ok(self.run(&repository, Referrers::new(&repository, &subject, artifact_type)?)?.descriptors)
    }

    /// Deletes a blob. Whether it was there.
    ///
    /// # Errors
    ///
    /// [`Error::Registry`], with status 405 or 400 where the registry does not offer it; [`Error::Broken`].
    pub fn delete_blob(&self, reference: &Reference, digest: &Digest) -> Result<bool, Error> {
        let repository = self.repository(reference)?;
        self.run(&repository, Delete::blob(&repository, digest)?)
    }

    /// What registries said in `Warning` fields so far, to be shown to people and otherwise ignored.
    #[must_use]
    pub fn warnings(&self) -> BTreeSet<String> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.values().flat_map(|session| drive::lock(session).warnings().clone()).collect()
    }

    /// Takes an operation of [`distribution`](crate::distribution) that carries no content to its end.
    ///
    /// # Errors
    ///
    /// The operation's, and [`Error::Broken`].
    pub fn run<O: Operation>(&self, repository: &Repository, operation: O) -> Result<O::Output, Error> {
        self.run_with(repository, operation, &mut Nothing)
    }

    /// The repository of a reference, as these options reach it.
    ///
    /// # Errors
    ///
    /// [`Error::Caller`] if the reference names no registry.
    pub fn repository(&self, reference: &Reference) -> Result<Repository, Error> {
        Repository::new(reference, reference.host().is_some_and(|host| self.is_plain(host)))
    }

    pub(super) fn run_with<O: Operation>(
        &self,
        repository: &Repository,
        operation: O,
        content: &mut dyn Content<O>,
    ) -> Result<O::Output, Error> {
        if self.options.transport.is_none() && repository.root().is_secure() && !cfg!(feature = "rustls") {
            return Err(Error::Unsupported {
                what: format!("https, which {} needs,", repository.host()),
                advice: "build with the feature rustls, or say by name that it is spoken to in the clear",
            });
        }
        let session = self.session(repository)?;
        drive::run(self.transport.0.as_ref(), &session, self.options.patience, operation, content)
    }

    /// Sessions are by repository: podman's credentials may be.
    fn session(&self, repository: &Repository) -> Result<Arc<Mutex<Session>>, Error> {
        let known = |sessions: &BTreeMap<_, _>| sessions.get(repository).map(Arc::clone);
        if let Some(session) = known(&self.sessions.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(session);
        }
        // A helper may take its time, and nobody else is kept waiting.
        let credentials = self.options.keyring.credentials(repository)?;
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Mutex::new(Session::new(repository.root().clone(), credentials)));
        Ok(Arc::clone(sessions.entry(repository.clone()).or_insert_with(new)))
    }

    fn is_plain(&self, host: &str) -> bool {
        match &self.options.plain_http {
            PlainHttp::Never => false,
            PlainHttp::Loopback => is_loopback(host),
            PlainHttp::Hosts(named) => is_loopback(host) || named.contains(host),
        }
    }

    /// Where to read from: the mirrors in order, then the registry itself.
    pub(super) fn sources(&self, reference: &Reference) -> Result<Vec<Repository>, Error> {
        let own = self.repository(reference)?;
        let mirrors = self.options.mirrors.get(own.host()).map(Vec::as_slice).unwrap_or_default();
        let mut sources = Vec::new();
        for mirror in mirrors {
            sources.push(own.mirrored(mirror, self.is_plain(mirror))?);
        }
        sources.push(own);
        Ok(sources)
    }

    pub(super) fn fetch(&self, sources: &[Repository], what: &str) -> Result<Document, Error> {
        first(sources, |source| self.run(source, FetchManifest::new(source, what)))
    }

    pub(super) fn settle(&self) -> Duration {
        self.options.settle.unwrap_or(SETTLE)
    }

    pub(super) fn tell(&self, digest: &Digest, event: Event, done: u64, total: u64) {
        if let Some(progress) = &self.options.progress {
            progress(&Progress { digest: digest.clone(), event, done, total });
        }
    }
}

/// The first source's outcome that is none of a mirror's failures; the last one's, whatever it is.
pub(super) fn first<T>(
    sources: &[Repository],
    mut ask: impl FnMut(&Repository) -> Result<T, Error>,
) -> Result<T, Error> {
    let Some((last, mirrors)) = sources.split_last() else {
        return Err(Error::Caller("there is no registry to ask".to_owned()));
    };
    for mirror in mirrors {
        match ask(mirror) {
            // What is wrong on this side is wrong with every registry.
            Err(error @ (Error::Io { .. } | Error::Caller(_))) => return Err(error),
            Err(_) => {}
            done => return done,
        }
    }
    ask(last)
}

/// The tag or the digest of a reference; the digest where both are given.
pub(super) fn what(reference: &Reference) -> Result<String, Error> {
    reference.digest().map(Digest::to_string).or_else(|| reference.tag().map(str::to_owned)).ok_or_else(
        || {
            Error::Caller(format!(
                "{reference} has neither tag nor digest; write {reference}:TAG or {reference}@DIGEST"
            ))
        },
    )
}
