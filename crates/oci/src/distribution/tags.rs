use std::collections::BTreeSet;

use serde::Deserialize;

use super::link::{check_pages, next_page};
use super::{MANIFEST_BYTES, Method, Next, Operation, Refusal, Repository, Request, Response, Scope, Url};
use crate::Error;

/// Lists the tags of a repository, all pages of it (distribution-spec, listing tags). Sorted, each once.
#[derive(Debug)]
pub struct Tags {
    name: String,
    page: Option<Url>,
    pages: u64,
    seen: BTreeSet<Url>,
    tags: BTreeSet<String>,
}

/// Tags asked for at once, and kept.
const PAGE: &str = "1000";
const MOST: usize = 1_000_000;

impl Tags {
    /// Lists the tags of `repository`.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if the repository makes no URL.
    pub fn new(repository: &Repository) -> Result<Self, Error> {
        let page = repository.tags()?.with_parameter("n", PAGE);
        Ok(Self {
            name: repository.name().to_owned(),
            page: Some(page),
            pages: 0,
            seen: BTreeSet::new(),
            tags: BTreeSet::new(),
        })
    }
}

impl Operation for Tags {
    type Output = Vec<String>;

    fn next(&mut self) -> Result<Next<Vec<String>>, Error> {
        let Some(page) = &self.page else {
            return Ok(Next::Done(std::mem::take(&mut self.tags).into_iter().collect()));
        };
        let mut request = Request::new(Method::Get, page.clone());
        request.limit = MANIFEST_BYTES;
        Ok(Next::Send(request))
    }

    fn answer(&mut self, request: &Request, response: Response) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct List {
            tags: Option<Vec<String>>,
        }
        if response.status != 200 {
            return Err(Refusal::new(request, &response).into());
        }
        let list: List = serde_json::from_slice(&response.body)
            .map_err(|error| Error::malformed("the list of tags", error.to_string()))?;
        self.tags.extend(list.tags.unwrap_or_default());
        if self.tags.len() > MOST {
            let limit = u64::try_from(MOST).unwrap_or(u64::MAX);
            return Err(Error::Limit { what: "tags of one repository".to_owned(), limit });
        }
        self.pages += 1;
        check_pages(self.pages, "the list of tags")?;
        self.page = next_page(request, &response)?;
        if self.page.as_ref().is_some_and(|page| !self.seen.insert(page.clone())) {
            return Err(Error::malformed("the list of tags", "its pages run in a circle"));
        }
        Ok(())
    }

    fn scope(&self) -> Scope {
        Scope::pull(&self.name)
    }

    fn progress(&self) -> u64 {
        self.pages
    }
}
