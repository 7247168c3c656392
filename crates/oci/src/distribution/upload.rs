use lotse_digest::{Algorithm, Digest};
use serde::{Deserialize, Serialize};

use super::{Body, Method, Next, Operation, Refusal, Repository, Request, Response, Scope, Url};
use crate::Error;

/// How a blob is uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadOptions {
    /// Bytes of one piece. A blob that is no longer goes in one; what is lost with a broken connection is one at most,
    /// where the registry keeps uploads.
    pub chunk: u64,
    /// How often a blob is begun anew where the registry lost what it had.
    pub restarts: u32,
}

impl Default for UploadOptions {
    /// Pieces of 16 MiB, eight new beginnings.
    fn default() -> Self {
        Self { chunk: 16 << 20, restarts: 8 }
    }
}

/// Where an upload stands: what another process needs to go on with it. Keep it from strangers, its location may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadState {
    digest: Digest,
    location: String,
    offset: u64,
    repository: String,
    size: u64,
}

impl UploadState {
    /// The state as a JSON document.
    ///
    /// # Errors
    ///
    /// None for states made by this crate.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self).map_err(|error| Error::malformed("upload state", error.to_string()))
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|error| Error::malformed("upload state", error.to_string()))
    }

    /// The blob.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Bytes that the registry confirmed.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }
}

/// What came of an upload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uploaded {
    /// The registry had the blob already.
    pub existed: bool,
    /// The registry took it from another repository.
    pub mounted: bool,
    /// Bytes of content in requests of this exchange, broken ones included as if they had been sent whole.
    pub sent: u64,
    /// Where an earlier process' upload was taken up, if it was.
    pub resumed_at: Option<u64>,
    /// How often the registry lost the upload and the blob was begun anew.
    pub restarts: u32,
}

/// Uploads a blob (distribution-spec, pushing blobs): asks whether it is there, mounts it, or sends it in pieces, and takes up
/// again what broke.
///
/// The blob's content is not in here: requests name the part that they carry. Keep [`state`](Self::state) before each
/// request, and the upload survives the process.
#[derive(Debug)]
pub struct Upload {
    repository: Repository,
    digest: Digest,
    size: u64,
    mount: Option<String>,
    options: UploadOptions,
    stage: Stage,
    location: Option<Url>,
    /// Bytes that the registry has, as far as its answers tell.
    offset: u64,
    /// `Range: 0-0` means nothing or one byte; this says that nothing was tried and wrong.
    one_byte: bool,
    /// Nothing was interrupted since the upload began.
    straight: bool,
    /// What the registry said last may be out of date: it may still be taking in what another process sent. The next piece is
    /// a small one, so that little is sent for nothing.
    cautious: bool,
    chunk_minimum: u64,
    disorder: u32,
    best: u64,
    result: Uploaded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Ask whether the registry has it.
    Ask,
    /// Begin.
    Begin,
    /// Ask how much of it the registry has.
    Status,
    /// Send the next piece, or end it.
    Send,
    /// The registry does not know the upload: perhaps since it is complete.
    Lost,
    /// It is there.
    Done,
}

/// Answers in a row that contradict what was said before.
const DISORDER: u32 = 4;
/// Bytes of a piece that may be sent for nothing.
const CAUTIOUS: u64 = 64 << 10;
/// More than this a registry does not ask for (`OCI-Chunk-Min-Length`).
const LARGEST_MINIMUM: u64 = 1 << 30;

impl Upload {
    /// Uploads the blob with this digest and size to `repository`.
    #[must_use]
    pub fn new(repository: &Repository, digest: Digest, size: u64, options: UploadOptions) -> Self {
        Self {
            repository: repository.clone(),
            digest,
            size,
            mount: None,
            options,
            stage: Stage::Ask,
            location: None,
            offset: 0,
            one_byte: false,
            straight: true,
            cautious: false,
            chunk_minimum: 1,
            disorder: 0,
            best: 0,
            result: Uploaded::default(),
        }
    }

    /// Lets the registry take the blob from another of its repositories, if it is there and may be read.
    #[must_use]
    pub fn mount_from(mut self, name: &str) -> Self {
        self.mount = Some(name.to_owned());
        self
    }

    /// Goes on where another process stopped.
    ///
    /// # Errors
    ///
    /// [`Error::Caller`] if the state is of another blob or repository.
    pub fn resume(mut self, state: &UploadState) -> Result<Self, Error> {
        if state.digest != self.digest || state.size != self.size || state.repository != self.key() {
            let text = format!("the upload state is of {} in {}", state.digest, state.repository);
            return Err(Error::Caller(text));
        }
        self.location = Some(state.location.parse()?);
        self.offset = state.offset.min(self.size);
        self.stage = Stage::Status;
        self.straight = false;
        self.result.resumed_at = Some(self.offset);
        Ok(self)
    }

    /// Where the upload stands; nothing before it has begun and after it has ended.
    #[must_use]
    pub fn state(&self) -> Option<UploadState> {
        let location = self.location.as_ref().filter(|_| self.stage != Stage::Done)?;
        Some(UploadState {
            digest: self.digest.clone(),
            location: location.to_string(),
            offset: self.offset,
            repository: self.key(),
            size: self.size,
        })
    }

    /// Bytes that the registry has confirmed.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    fn key(&self) -> String {
        format!("{}{}", self.repository.root(), self.repository.name())
    }

    fn at(&self) -> Result<&Url, Error> {
        self.location.as_ref().ok_or_else(|| Error::malformed("upload", "it has no location"))
    }

    fn begin(&self) -> Result<Request, Error> {
        let mut url = self.repository.uploads()?;
        if let Some(from) = &self.mount {
            url = url.with_parameter("mount", &self.digest.to_string()).with_parameter("from", from);
        }
        if self.digest.algorithm() != Algorithm::Sha256 {
            url = url.with_parameter("digest-algorithm", self.digest.algorithm().name());
        }
        Ok(Request::new(Method::Post, url))
    }

    fn piece(&self) -> Result<Request, Error> {
        let location = self.at()?;
        let left = self.size.saturating_sub(self.offset);
        let chunk = if self.cautious { self.options.chunk.min(CAUTIOUS) } else { self.options.chunk };
        let chunk = chunk.max(self.chunk_minimum).max(1);
        // Whole only if nothing of it can be there: a PUT says nothing of where it begins.
        if left == 0 || (self.straight && self.offset == 0 && left <= chunk) {
            let url = location.with_parameter("digest", &self.digest.to_string());
            let mut request =
                Request::new(Method::Put, url).header("content-type", "application/octet-stream");
            if left > 0 {
                request.body = Body::Content { offset: 0, length: left };
            }
            return Ok(request);
        }
        let length = left.min(chunk);
        let last = self.offset.saturating_add(length).saturating_sub(1);
        let mut request = Request::new(Method::Patch, location.clone())
            .header("content-type", "application/octet-stream")
            .header("content-range", format!("{}-{last}", self.offset));
        request.body = Body::Content { offset: self.offset, length };
        Ok(request)
    }

    fn follow(&mut self, request: &Request, response: &Response) -> Result<bool, Error> {
        if let Some(minimum) = response.headers.get("oci-chunk-min-length") {
            self.chunk_minimum = minimum.trim().parse().unwrap_or(1).min(LARGEST_MINIMUM);
        }
        let Some(location) = response.headers.get("location") else { return Ok(false) };
        let url = request.url.join(location)?;
        if self.repository.root().is_secure() && !url.is_secure() {
            return Err(Error::Unsupported {
                what: format!("the upload location http://{}", url.authority()),
                advice: "it leaves encryption; the registry must name it with https",
            });
        }
        self.location = Some(url);
        Ok(true)
    }

    fn restart(&mut self, request: &Request, response: &Response) -> Result<(), Error> {
        self.result.restarts += 1;
        if self.result.restarts > self.options.restarts {
            return Err(Refusal::new(request, response).into());
        }
        self.location = None;
        self.offset = 0;
        (self.one_byte, self.cautious) = (false, false);
        self.straight = true;
        self.stage = Stage::Begin;
        Ok(())
    }

    /// Something does not fit: ask the registry where it stands, a few times.
    fn disorder(&mut self, request: &Request, response: &Response) -> Result<(), Error> {
        self.disorder += 1;
        self.straight = false;
        if self.disorder > DISORDER {
            self.disorder = 0;
            return self.restart(request, response);
        }
        self.stage = Stage::Status;
        Ok(())
    }

    fn begun(&mut self, request: &Request, response: &Response) -> Result<(), Error> {
        match response.status {
            201 if self.mount.is_some() => {
                self.result.mounted = true;
                self.stage = Stage::Done;
                Ok(())
            }
            202 => {
                // What could not be mounted is not asked for again.
                self.mount = None;
                self.offset = 0;
                if self.follow(request, response)? {
                    self.stage = Stage::Send;
                    return Ok(());
                }
                self.restart(request, response)
            }
            _ if self.mount.take().is_some() => Ok(()),
            _ => Err(Refusal::new(request, response).into()),
        }
    }

    fn told(&mut self, request: &Request, response: &Response) -> Result<(), Error> {
        if !matches!(response.status, 200 | 202 | 204) {
            return self.gone(request, response);
        }
        self.follow(request, response)?;
        match range(response) {
            Some(0) if self.one_byte && self.size > 0 => self.offset = 1,
            Some(0) => self.offset = 0,
            Some(end) if end < self.size => self.offset = end + 1,
            // Without a range, or beyond the end, nothing is known that could be gone on from.
            _ => return self.restart(request, response),
        }
        self.cautious = true;
        self.stage = Stage::Send;
        Ok(())
    }

    fn gone(&mut self, request: &Request, response: &Response) -> Result<(), Error> {
        match response.status {
            400 | 404 | 405 | 410 | 501 => {
                self.stage = Stage::Lost;
                Ok(())
            }
            _ => Err(Refusal::new(request, response).into()),
        }
    }

    fn taken(&mut self, request: &Request, response: &Response) -> Result<(), Error> {
        let Body::Content { offset, length } = request.body else {
            return Err(Error::malformed("upload", "a piece without content was answered"));
        };
        match response.status {
            202 | 204 => {
                let end = offset.saturating_add(length);
                let found = self.follow(request, response)?;
                // `0-0` tells nothing: our own count does.
                self.offset = match range(response) {
                    Some(last) if last > 0 && last + 1 < end && last + 1 >= offset => last + 1,
                    Some(last) if last > 0 && last + 1 != end => return self.disorder(request, response),
                    _ => end,
                };
                (self.one_byte, self.cautious) = (false, false);
                if found {
                    self.disorder = 0;
                    return Ok(());
                }
                self.disorder(request, response)
            }
            416 => {
                self.one_byte = offset == 0;
                self.disorder(request, response)
            }
            _ => self.gone(request, response),
        }
    }

    fn ended(&mut self, request: &Request, response: &Response) -> Result<(), Error> {
        match response.status {
            200 | 201 | 204 => {
                let header = response.headers.get("docker-content-digest");
                let said = header.and_then(|text| text.parse::<Digest>().ok());
                if said.is_some_and(|said| said.algorithm() == self.digest.algorithm() && said != self.digest)
                {
                    let reason = format!("it stored {} as {}", self.digest, header.unwrap_or_default());
                    return Err(Error::malformed("the registry's answer to an upload", reason));
                }
                self.stage = Stage::Done;
                Ok(())
            }
            416 => self.disorder(request, response),
            // A wrong digest after an interruption: pieces may lie there twice or not at all. Else the content is wrong.
            400 if Refusal::new(request, response).has("DIGEST_INVALID") => {
                if self.straight {
                    return Err(Refusal::new(request, response).into());
                }
                self.restart(request, response)
            }
            400 | 404 | 410 => {
                self.stage = Stage::Lost;
                Ok(())
            }
            _ => Err(Refusal::new(request, response).into()),
        }
    }
}

impl Operation for Upload {
    type Output = Uploaded;

    fn next(&mut self) -> Result<Next<Uploaded>, Error> {
        Ok(Next::Send(match self.stage {
            Stage::Ask | Stage::Lost => Request::new(Method::Head, self.repository.blob(&self.digest)?),
            Stage::Begin => self.begin()?,
            Stage::Status => Request::new(Method::Get, self.at()?.clone()),
            Stage::Send => {
                let request = self.piece()?;
                self.result.sent = self.result.sent.saturating_add(request.body.length());
                request
            }
            Stage::Done => return Ok(Next::Done(self.result)),
        }))
    }

    fn answer(&mut self, request: &Request, response: Response) -> Result<(), Error> {
        match self.stage {
            Stage::Ask | Stage::Lost => match (response.status, self.stage) {
                (200, stage) => {
                    self.result.existed = stage == Stage::Ask;
                    self.stage = Stage::Done;
                    Ok(())
                }
                (401, _) => Err(Refusal::new(request, &response).into()),
                (_, Stage::Lost) => self.restart(request, &response),
                _ => {
                    self.stage = Stage::Begin;
                    Ok(())
                }
            },
            Stage::Begin => self.begun(request, &response),
            Stage::Status => self.told(request, &response),
            Stage::Send if request.method == Method::Patch => self.taken(request, &response),
            Stage::Send => self.ended(request, &response),
            Stage::Done => Ok(()),
        }
        .inspect(|()| self.best = self.best.max(self.offset))
    }

    fn interrupted(&mut self) {
        if self.stage == Stage::Send {
            self.straight = false;
            self.stage = Stage::Status;
        }
    }

    fn scope(&self) -> Scope {
        let scope = Scope::push(self.repository.name());
        match &self.mount {
            Some(from) => scope.and(from, &["pull"]),
            None => scope,
        }
    }

    fn progress(&self) -> u64 {
        self.best
    }
}

/// The last byte's place in `Range: 0-<end>`, also as `bytes=0-<end>`.
fn range(response: &Response) -> Option<u64> {
    let field = response.headers.get("range")?.trim();
    let field = field.strip_prefix("bytes=").unwrap_or(field);
    let end = field.strip_prefix("0-")?;
    end.bytes().all(|byte| byte.is_ascii_digit()).then(|| end.parse().ok())?
}
