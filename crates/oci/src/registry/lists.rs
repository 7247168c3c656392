use lotse_digest::Digest;

use super::Registry;
use super::reply::Reply;
use crate::distribution::Url;
use crate::{Descriptor, Index, media};

type Query = [(String, String)];

fn value<'a>(query: &'a Query, key: &str) -> Option<&'a str> {
    query.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

impl Registry {
    pub(super) fn tags(&self, name: &str, query: &Query) -> Reply {
        let tags: Vec<String> = {
            let state = self.state();
            let Some(repository) = state.repositories.get(name) else {
                return Reply::error(404, "NAME_UNKNOWN", "there is no such repository");
            };
            repository.listing.tags.keys().cloned().collect()
        };
        let last = value(query, "last").unwrap_or_default();
        let wanted = value(query, "n").and_then(|n| n.parse::<usize>().ok()).unwrap_or(usize::MAX);
        let most = wanted.min(self.options().page);
        let rest: Vec<String> =
            tags.into_iter().filter(|tag| last.is_empty() || tag.as_str() > last).collect();
        let more = rest.len() > most;
        let page: Vec<String> = rest.into_iter().take(most).collect();
        let next = page.last().filter(|_| more).and_then(|last| {
            next_link(&format!("/v2/{name}/tags/list"), &[("n", &most.to_string()), ("last", last)])
        });
        let document = serde_json::json!({ "name": name, "tags": page });
        let reply = Reply::new(200).with_bytes("application/json", document.to_string().into_bytes());
        match next {
            Some(link) => reply.header("Link", link),
            None => reply,
        }
    }

    pub(super) fn referrers(&self, name: &str, digest: &str, query: &Query) -> Reply {
        if !self.options().referrers_api {
            return Reply::error(404, "NAME_UNKNOWN", "there is nothing at this path");
        }
        let Ok(subject) = digest.parse::<Digest>() else {
            return Reply::error(400, "DIGEST_INVALID", "that is no digest");
        };
        let wanted = value(query, "artifactType");
        let last = value(query, "last").and_then(|last| last.parse::<Digest>().ok());
        let all: Vec<Descriptor> = {
            let state = self.state();
            let manifests = state.repositories.get(name).map(|repository| &repository.manifests);
            manifests
                .into_iter()
                .flatten()
                .filter(|(digest, known)| {
                    known.subject.as_ref() == Some(&subject)
                        && last.as_ref().is_none_or(|last| *digest > last)
                        && wanted.is_none_or(|kind| known.referrer.artifact_type.as_deref() == Some(kind))
                })
                .map(|(_, known)| known.referrer.clone())
                .collect()
        };
        let most = self.options().page.max(1);
        let more = all.len() > most;
        let page: Vec<Descriptor> = all.into_iter().take(most).collect();
        let last = page.last().map(|entry| entry.digest.to_string()).filter(|_| more);
        let Ok(bytes) = Index::new(page).to_bytes() else {
            return Reply::error(500, "UNKNOWN", "the list cannot be written");
        };
        let mut reply = Reply::new(200).with_bytes(media::INDEX, bytes);
        if wanted.is_some() {
            reply = reply.header("OCI-Filters-Applied", "artifactType");
        }
        let mut parameters: Vec<(&str, &str)> =
            wanted.map(|kind| ("artifactType", kind)).into_iter().collect();
        let Some(last) = &last else { return reply };
        parameters.push(("last", last));
        match next_link(&format!("/v2/{name}/referrers/{subject}"), &parameters) {
            Some(link) => reply.header("Link", link),
            None => reply,
        }
    }
}

fn next_link(path: &str, parameters: &[(&str, &str)]) -> Option<String> {
    let mut url = Url::new(false, "localhost", path).ok()?;
    for (key, value) in parameters {
        url = url.with_parameter(key, value);
    }
    Some(format!("<{}>; rel=\"next\"", url.target()))
}
