//! `Link: <target>; rel="next"` (RFC 8288), as lists with pages have it.

use super::{PAGES, Request, Response, Url};
use crate::Error;

/// The next page of a list; it stays with the registry that began it.
pub(super) fn next_page(request: &Request, response: &Response) -> Result<Option<Url>, Error> {
    for field in response.headers.all("link").take(16) {
        let mut rest = field;
        while let Some((_, after)) = rest.split_once('<') {
            let Some((target, parameters)) = after.split_once('>') else { break };
            let end = parameters.find(['<', ',']).unwrap_or(parameters.len());
            let (own, others) = parameters.split_at(end);
            if own.split(';').any(is_next) {
                let url = request.url.join(target)?;
                if !url.same_origin(&request.url) {
                    let what = format!("the list of {}", request.describe());
                    return Err(Error::malformed(what, "its next page is said to be on another host"));
                }
                return Ok(Some(url));
            }
            rest = others;
        }
    }
    Ok(None)
}

fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let value = value.trim().trim_matches('"');
    name.trim().eq_ignore_ascii_case("rel") && value.split(' ').any(|kind| kind.eq_ignore_ascii_case("next"))
}

/// Refuses one page too many.
pub(super) fn check_pages(pages: u64, what: &str) -> Result<(), Error> {
    if pages > PAGES {
        return Err(Error::Limit { what: format!("pages of {what}"), limit: PAGES });
    }
    Ok(())
}
