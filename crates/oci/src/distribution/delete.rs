use lotse_digest::Digest;

use super::{Method, Next, Operation, Refusal, Repository, Request, Response, Scope, Url};
use crate::Error;

/// Deletes a tag, a manifest or a blob (distribution-spec, content management). Done with `false`: it was not there.
///
/// A registry that answers with 400 or 405 does not offer deletion; that is the error's status.
#[derive(Debug)]
pub struct Delete {
    name: String,
    url: Url,
    done: Option<bool>,
    asked: bool,
}

impl Delete {
    /// Deletes a tag, or a manifest by its digest with all tags that it has.
    ///
    /// # Errors
    ///
    /// [`Error::Caller`] if it is neither.
    pub fn manifest(repository: &Repository, tag_or_digest: &str) -> Result<Self, Error> {
        Ok(Self::new(repository, repository.manifest(tag_or_digest)?))
    }

    /// Deletes a blob.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if the repository makes no URL.
    pub fn blob(repository: &Repository, digest: &Digest) -> Result<Self, Error> {
        Ok(Self::new(repository, repository.blob(digest)?))
    }

    fn new(repository: &Repository, url: Url) -> Self {
        Self { name: repository.name().to_owned(), url, done: None, asked: false }
    }
}

impl Operation for Delete {
    type Output = bool;

    fn next(&mut self) -> Result<Next<bool>, Error> {
        Ok(self.done.map_or_else(|| Next::Send(Request::new(Method::Delete, self.url.clone())), Next::Done))
    }

    fn answer(&mut self, request: &Request, response: Response) -> Result<(), Error> {
        self.done = Some(match response.status {
            200 | 202 | 204 => true,
            // Asked before without an answer, it may have been this very deletion.
            404 => self.asked,
            _ => return Err(Refusal::new(request, &response).into()),
        });
        Ok(())
    }

    fn interrupted(&mut self) {
        self.asked = true;
    }

    fn scope(&self) -> Scope {
        Scope::delete(&self.name)
    }
}

/// Asks whether a blob is there.
#[derive(Debug)]
pub struct HeadBlob {
    repository: Repository,
    digest: Digest,
    done: Option<bool>,
}

impl HeadBlob {
    /// Asks for the blob with this digest.
    #[must_use]
    pub fn new(repository: &Repository, digest: &Digest) -> Self {
        Self { repository: repository.clone(), digest: digest.clone(), done: None }
    }
}

impl Operation for HeadBlob {
    type Output = bool;

    fn next(&mut self) -> Result<Next<bool>, Error> {
        match self.done {
            Some(done) => Ok(Next::Done(done)),
            None => Ok(Next::Send(Request::new(Method::Head, self.repository.blob(&self.digest)?))),
        }
    }

    fn answer(&mut self, request: &Request, response: Response) -> Result<(), Error> {
        self.done = Some(match response.status {
            200 => true,
            404 => false,
            _ => return Err(Refusal::new(request, &response).into()),
        });
        Ok(())
    }

    fn scope(&self) -> Scope {
        Scope::pull(self.repository.name())
    }
}
