use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lotse_digest::Digest;

use super::auth::{Auth, Given};
use super::fault::Rule;
use super::reply::{Reply, broken};
use super::route::{self, Place};
use super::store::{Listing, Partial, Store};
use crate::distribution::{Document, Method, Request};
use crate::{Descriptor, Error};

/// How a [`Registry`] behaves. The defaults are what the specification asks for, all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where content is kept; `None` is memory.
    pub directory: Option<PathBuf>,
    /// Who may do what.
    pub auth: Auth,
    /// Whether there is a referrers API. Without it, clients keep lists under tags.
    pub referrers_api: bool,
    /// Whether a manifest is written under `If-Match` and `If-None-Match` only if they hold. Many registries ignore them.
    pub honours_if_match: bool,
    /// Whether an upload whose connection broke keeps what came. Else it is lost.
    pub keeps_cut_uploads: bool,
    /// Whether manifests, tags and blobs can be deleted.
    pub deletes: bool,
    /// Whether manifests may point at what is not there.
    pub sparse: bool,
    /// `OCI-Chunk-Min-Length`.
    pub chunk_minimum: Option<u64>,
    /// Entries of one page of a list.
    pub page: usize,
    /// Bytes of a manifest.
    pub manifest_bytes: usize,
    /// The text of a `Warning` in every answer.
    pub warning: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            directory: None,
            auth: Auth::None,
            referrers_api: true,
            honours_if_match: true,
            keeps_cut_uploads: true,
            deletes: true,
            sparse: false,
            chunk_minimum: None,
            page: 1000,
            manifest_bytes: 4 << 20,
            warning: None,
        }
    }
}

/// A registry: requests in, replies out. It opens no socket; [`start`](Self::start) does.
#[derive(Debug)]
pub struct Registry {
    options: Options,
    pub(super) store: Store,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) repositories: BTreeMap<String, Repository>,
    pub(super) uploads: BTreeMap<String, Arc<Mutex<Upload>>>,
    pub(super) tokens: BTreeMap<String, Given>,
    pub(super) rules: Vec<Rule>,
    pub(super) count: u64,
}

#[derive(Debug, Default)]
pub(super) struct Repository {
    pub(super) listing: Listing,
    pub(super) manifests: BTreeMap<Digest, Known>,
}

/// What is known of a manifest.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) referrer: Descriptor,
    pub(super) subject: Option<Digest>,
}

#[derive(Debug)]
pub(super) struct Upload {
    /// `None` while and after it is made a blob.
    pub(super) partial: Option<Partial>,
}

impl Registry {
    /// A registry, with what an earlier one left in the same directory.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Malformed`] if the directory cannot be read.
    pub fn new(options: Options) -> Result<Self, Error> {
        let store = Store::open(options.directory.as_deref())?;
        let mut state = State::default();
        for (name, listing) in store.listings()? {
            let mut manifests = BTreeMap::new();
            for (digest, kind) in &listing.manifests {
                let bytes = store.read(digest).map_err(Error::io("read", digest.to_string().as_ref()))?;
                let document = Document::new(bytes, Some(kind), Some(digest))?;
                manifests.insert(digest.clone(), Known::of(&document)?);
            }
            state.repositories.insert(name, Repository { listing, manifests });
        }
        let left = store.left_uploads().map_err(Error::io("read", "uploads".as_ref()))?;
        for (id, partial) in left {
            let number = id.trim_start_matches("upload-").parse().unwrap_or(0);
            state.count = state.count.max(number);
            state.uploads.insert(id, Arc::new(Mutex::new(Upload { partial: Some(partial) })));
        }
        Ok(Self { options, store, state: Mutex::new(state) })
    }

    /// How it behaves.
    #[must_use]
    pub const fn options(&self) -> &Options {
        &self.options
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request whose body is read from `body`, whatever the request itself carries.
    ///
    /// A body that fails while it is read, or is shorter than the field `Content-Length` says, is a connection that broke.
    ///
    /// # Errors
    ///
    /// The connection is to be closed without an answer: the body failed, or a fault says so.
    pub fn handle(&self, request: &Request, body: &mut dyn Read) -> io::Result<Reply> {
        let mut reply = match self.next_fault(request) {
            Some(fault) => self.faulty(fault, request, body)?,
            None => self.answer(request, body)?,
        };
        if let Some(text) = &self.options.warning {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"");
            reply.headers.push("Warning", format!("299 - \"{text}\""));
        }
        Ok(reply)
    }

    pub(super) fn answer(&self, request: &Request, body: &mut dyn Read) -> io::Result<Reply> {
        let (name, place) = match route::parse(request.url.path()) {
            Ok(found) => found,
            Err("NAME_INVALID") => return Ok(Reply::error(400, "NAME_INVALID", "no such name is possible")),
            Err(code) => return Ok(Reply::error(404, code, "there is nothing at this path")),
        };
        if place == Place::Token {
            let mut form = String::new();
            body.take(64 << 10).read_to_string(&mut form)?;
            return Ok(self.give_token(request, &form));
        }
        if let Err(reply) = self.allowed(request, Some(name.as_str()).filter(|name| !name.is_empty())) {
            return Ok(*reply);
        }
        let query = route::parameters(request.url.query().unwrap_or_default());
        let get = matches!(request.method, Method::Get | Method::Head);
        match (place, request.method) {
            (Place::Root, _) if get => Ok(Reply::new(200)
                .header("Docker-Distribution-API-Version", "registry/2.0")
                .with_bytes("application/json", b"{}".to_vec())),
            (Place::Blob(digest), _) if get => self.blob(&name, &digest, request),
            (Place::Blob(digest), Method::Delete) => self.delete_blob(&name, &digest),
            (Place::Uploads, Method::Post) => self.begin_upload(&name, &query, request, body),
            (Place::Upload(id), Method::Patch) => self.add_to_upload(&name, &id, request, body),
            (Place::Upload(id), Method::Put) => self.end_upload(&name, &id, &query, request, body),
            (Place::Upload(id), Method::Get) => Ok(self.upload_status(&name, &id)),
            (Place::Upload(id), Method::Delete) => Ok(self.cancel_upload(&id)),
            (Place::Manifest(what), _) if get => self.manifest(&name, &what),
            (Place::Manifest(what), Method::Put) => self.put_manifest(&name, &what, &query, request, body),
            (Place::Manifest(what), Method::Delete) => self.delete_manifest(&name, &what),
            (Place::Tags, _) if get => Ok(self.tags(&name, &query)),
            (Place::Referrers(digest), _) if get => Ok(self.referrers(&name, &digest, &query)),
            _ => Ok(Reply::error(405, "UNSUPPORTED", "this method has no meaning here")),
        }
    }

    /// Changes a repository, which is made if it is not there, and writes its lists down.
    pub(super) fn change<T>(&self, name: &str, change: impl FnOnce(&mut Repository) -> T) -> io::Result<T> {
        let mut state = self.state();
        let repository = state.repositories.entry(name.to_owned()).or_default();
        let outcome = change(repository);
        self.store.write_listing(name, &repository.listing)?;
        Ok(outcome)
    }

    pub(super) fn has_blob(&self, name: &str, digest: &Digest) -> bool {
        let state = self.state();
        state.repositories.get(name).is_some_and(|repository| repository.listing.blobs.contains(digest))
    }

    /// Removes content that no repository names any more.
    pub(super) fn collect(&self, digest: &Digest) {
        let state = self.state();
        let named = state.repositories.values().any(|repository| {
            repository.listing.blobs.contains(digest) || repository.listing.manifests.contains_key(digest)
        });
        if !named {
            self.store.remove(digest);
        }
    }

    pub(super) fn forget_uploads(&self) {
        let uploads = std::mem::take(&mut self.state().uploads);
        for upload in uploads.into_values() {
            discard(&upload);
        }
    }
}

impl Known {
    pub(super) fn of(document: &Document) -> Result<Self, Error> {
        let subject = document.subject()?.map(|subject| subject.digest);
        Ok(Self { referrer: document.referrer()?, subject })
    }
}

pub(super) fn discard(upload: &Mutex<Upload>) {
    if let Some(partial) = upload.lock().unwrap_or_else(PoisonError::into_inner).partial.take() {
        partial.discard();
    }
}

/// What a client is told whose connection broke: nothing.
pub(super) fn closed<T>() -> io::Result<T> {
    Err(broken())
}
