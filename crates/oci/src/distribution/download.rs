use lotse_digest::{Digest, Hasher, Mismatch};

use super::{Method, Next, Operation, Refusal, Repository, Request, Response, Scope};
use crate::Error;

/// Downloads a blob (distribution-spec, pulling blobs): verifies size and digest while it arrives, and takes up again what broke.
#[derive(Debug)]
pub struct Download {
    repository: Repository,
    digest: Digest,
    size: u64,
    stage: Stage,
    hasher: Hasher,
    have: u64,
    /// Some of the content was there before; a wrong digest may be its fault.
    inherited: bool,
    best: u64,
    disorder: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Ask,
    Receive { offset: u64 },
    Done,
}

const DISORDER: u32 = 4;

impl Download {
    /// Downloads the blob with this digest and size.
    #[must_use]
    pub fn new(repository: &Repository, digest: Digest, size: u64) -> Self {
        let hasher = Hasher::new(digest.algorithm());
        Self {
            repository: repository.clone(),
            digest,
            size,
            stage: Stage::Ask,
            hasher,
            have: 0,
            inherited: false,
            best: 0,
            disorder: 0,
        }
    }

    /// Takes in a piece of the content that an earlier attempt left, from the first byte on. What is too much is not used:
    /// compare [`have`](Self::have) with what is there.
    pub fn already(&mut self, piece: &[u8]) {
        let left = usize::try_from(self.size.saturating_sub(self.have)).unwrap_or(usize::MAX);
        let piece = piece.get(..left.min(piece.len())).unwrap_or_default();
        self.take(piece);
        self.inherited = true;
    }

    /// Bytes of the content that are known.
    #[must_use]
    pub const fn have(&self) -> u64 {
        self.have
    }

    fn take(&mut self, piece: &[u8]) {
        self.hasher.update(piece);
        self.have = self.have.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        self.best = self.best.max(self.have);
    }

    fn reset(&mut self) {
        self.hasher = Hasher::new(self.digest.algorithm());
        self.have = 0;
    }

    fn verified(&mut self) -> Result<(), Error> {
        let hasher = std::mem::replace(&mut self.hasher, Hasher::new(self.digest.algorithm()));
        let actual = hasher.finish();
        if actual == self.digest {
            self.stage = Stage::Done;
            return Ok(());
        }
        if !self.inherited {
            return Err(Mismatch { expected: self.digest.clone(), actual, length: self.have }.into());
        }
        self.inherited = false;
        self.have = 0;
        self.stage = Stage::Ask;
        Ok(())
    }

    fn disorder(&mut self, request: &Request, response: &Response) -> Result<(), Error> {
        self.disorder += 1;
        self.reset();
        if self.disorder > DISORDER {
            return Err(Refusal::new(request, response).into());
        }
        Ok(())
    }
}

impl Operation for Download {
    type Output = ();

    fn next(&mut self) -> Result<Next<()>, Error> {
        // All of it may have been there before.
        if self.stage == Stage::Ask && self.have == self.size && self.inherited {
            self.verified()?;
        }
        match self.stage {
            Stage::Done => Ok(Next::Done(())),
            Stage::Receive { offset } => Ok(Next::Content { offset }),
            Stage::Ask => {
                let mut request = Request::new(Method::Get, self.repository.blob(&self.digest)?)
                    .header("accept-encoding", "identity");
                request.wants_content = true;
                if self.have > 0 {
                    request.headers.push("range", format!("bytes={}-", self.have));
                }
                Ok(Next::Send(request))
            }
        }
    }

    fn answer(&mut self, request: &Request, response: Response) -> Result<(), Error> {
        if response.headers.get("content-encoding").is_some_and(|coding| coding != "identity") {
            return Err(Error::Unsupported {
                what: format!("a content coding in the answer to {}", request.describe()),
                advice: "none was accepted; a proxy changes what passes through it",
            });
        }
        match response.status {
            200 => {
                let length = response.headers.get("content-length").and_then(|text| text.parse::<u64>().ok());
                if let Some(actual) = length.filter(|&length| length != self.size) {
                    return Err(Error::Size { digest: self.digest.clone(), expected: self.size, actual });
                }
                self.reset();
                self.stage = Stage::Receive { offset: 0 };
                Ok(())
            }
            206 => match content_range(&response) {
                Some((first, last, total))
                    if first == self.have
                        && last < self.size
                        && total.is_none_or(|total| total == self.size) =>
                {
                    self.stage = Stage::Receive { offset: self.have };
                    Ok(())
                }
                _ => self.disorder(request, &response),
            },
            416 => self.disorder(request, &response),
            _ => Err(Refusal::new(request, &response).into()),
        }
    }

    fn content(&mut self, piece: &[u8]) -> Result<(), Error> {
        let actual = self.have.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if actual > self.size {
            return Err(Error::Size { digest: self.digest.clone(), expected: self.size, actual });
        }
        self.take(piece);
        Ok(())
    }

    fn content_end(&mut self, _: bool) -> Result<(), Error> {
        self.stage = Stage::Ask;
        if self.have == self.size { self.verified() } else { Ok(()) }
    }

    fn scope(&self) -> Scope {
        Scope::pull(self.repository.name())
    }

    fn progress(&self) -> u64 {
        self.best
    }
}

/// `Content-Range: bytes <first>-<last>/<total or *>`
fn content_range(response: &Response) -> Option<(u64, u64, Option<u64>)> {
    let field = response.headers.get("content-range")?.trim();
    let (range, total) = field.strip_prefix("bytes ")?.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    (first <= last).then_some((first, last, total))
}
