use std::io::{self, Read};

use lotse_digest::{Digest, Reference};

use super::Registry;
use super::handler::{Known, Repository, closed};
use super::reply::Reply;
use crate::distribution::{Document, Request};
use crate::{Index, Limits, Manifest, media};

impl Registry {
    pub(super) fn manifest(&self, name: &str, what: &str) -> io::Result<Reply> {
        let found = {
            let state = self.state();
            state.repositories.get(name).and_then(|repository| {
                let digest = lookup(repository, what)?;
                Some((digest.clone(), repository.listing.manifests.get(&digest)?.clone()))
            })
        };
        let Some((digest, kind)) = found else {
            return Ok(Reply::error(404, "MANIFEST_UNKNOWN", "the manifest is not in this repository"));
        };
        let bytes = self.store.read(&digest)?;
        Ok(Reply::new(200)
            .with_bytes(&kind, bytes)
            .header("Docker-Content-Digest", digest.to_string())
            .header("ETag", etag(&digest)))
    }

    pub(super) fn put_manifest(
        &self,
        name: &str,
        what: &str,
        query: &[(String, String)],
        request: &Request,
        body: &mut dyn Read,
    ) -> io::Result<Reply> {
        let most = u64::try_from(self.options().manifest_bytes).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        body.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if length > most {
            return Ok(Reply::error(413, "SIZE_INVALID", "the manifest is too large"));
        }
        let announced = request.headers.get("content-length").and_then(|field| field.parse::<u64>().ok());
        if announced.is_some_and(|announced| announced != length) {
            return closed();
        }
        let asked = what.parse::<Digest>().ok();
        if asked.is_none() && !is_tag(what) {
            let (code, message) = if what.contains(':') {
                ("DIGEST_INVALID", "that is no digest")
            } else {
                ("MANIFEST_INVALID", "that is neither a tag nor a digest")
            };
            return Ok(Reply::error(400, code, message));
        }
        let mut tags: Vec<String> = if asked.is_none() { vec![what.to_owned()] } else { Vec::new() };
        tags.extend(query.iter().filter(|(key, _)| key == "tag").map(|(_, tag)| tag.clone()));
        if !tags.iter().all(|tag| is_tag(tag)) {
            return Ok(Reply::error(400, "MANIFEST_INVALID", "that is no tag"));
        }
        let kind = request
            .headers
            .get("content-type")
            .map(|field| field.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        let document = match Document::new(bytes, kind.as_deref(), asked.as_ref()) {
            Ok(document) => document,
            Err(crate::Error::Mismatch(_)) => {
                return Ok(Reply::error(400, "DIGEST_INVALID", "the content has another digest"));
            }
            Err(error) => return Ok(Reply::error(400, "MANIFEST_INVALID", &error.to_string())),
        };
        let known = match Known::of(&document) {
            Ok(known) => known,
            Err(error) => return Ok(Reply::error(400, "MANIFEST_INVALID", &error.to_string())),
        };
        if let Some(missing) = self.missing(name, &document) {
            let message = format!("{missing} is not in this repository");
            return Ok(Reply::error(404, "MANIFEST_BLOB_UNKNOWN", &message));
        }
        let digest = document.descriptor.digest.clone();
        self.store.write(&digest, &document.bytes)?;
        let subject = known.subject.clone();
        let kind = document.descriptor.media_type;
        // Whether the conditions hold and the writing itself are one step.
        let written = self.change(name, |repository| {
            if self.options().honours_if_match && !conditions_hold(repository, what, request) {
                return false;
            }
            repository.listing.manifests.insert(digest.clone(), kind);
            repository.manifests.insert(digest.clone(), known);
            for tag in &tags {
                repository.listing.tags.insert(tag.clone(), digest.clone());
            }
            true
        })?;
        if !written {
            self.collect(&digest);
            return Ok(Reply::error(412, "DENIED", "the manifest has changed"));
        }
        let mut reply = Reply::new(201)
            .header("Location", format!("/v2/{name}/manifests/{digest}"))
            .header("Docker-Content-Digest", digest.to_string())
            .header("ETag", etag(&digest));
        if let Some(subject) = subject.filter(|_| self.options().referrers_api) {
            reply = reply.header("OCI-Subject", subject.to_string());
        }
        for (_, tag) in query.iter().filter(|(key, _)| key == "tag") {
            reply.headers.push("OCI-Tag", tag.clone());
        }
        Ok(reply)
    }

    pub(super) fn delete_manifest(&self, name: &str, what: &str) -> io::Result<Reply> {
        if !self.options().deletes {
            return Ok(Reply::error(405, "UNSUPPORTED", "nothing is deleted here"));
        }
        let found = self.state().repositories.get(name).and_then(|repository| lookup(repository, what));
        let digest = found.filter(|digest| {
            let state = self.state();
            let repository = state.repositories.get(name);
            repository.is_some_and(|repository| repository.listing.manifests.contains_key(digest))
        });
        let Some(digest) = digest else {
            return Ok(Reply::error(404, "MANIFEST_UNKNOWN", "the manifest is not in this repository"));
        };
        self.change(name, |repository| {
            if is_tag(what) {
                repository.listing.tags.remove(what);
            } else {
                repository.listing.manifests.remove(&digest);
                repository.manifests.remove(&digest);
                repository.listing.tags.retain(|_, of| *of != digest);
            }
        })?;
        self.collect(&digest);
        Ok(Reply::new(202))
    }

    /// What the document points at that is not there. Layers that are not distributed need not be.
    fn missing(&self, name: &str, document: &Document) -> Option<Digest> {
        if self.options().sparse {
            return None;
        }
        let limits = Limits::default();
        let state = self.state();
        let repository = state.repositories.get(name);
        let has_blob = |digest: &Digest| repository.is_some_and(|own| own.listing.blobs.contains(digest));
        let has_manifest = |digest: &Digest| repository.is_some_and(|own| own.manifests.contains_key(digest));
        if media::is_index(&document.descriptor.media_type) {
            let index = Index::parse(&document.bytes, &limits).ok()?;
            return index.manifests.into_iter().map(|child| child.digest).find(|child| !has_manifest(child));
        }
        let manifest = Manifest::parse(&document.bytes, &limits).ok()?;
        let parts = manifest.layers.iter().filter(|layer| !media::is_not_distributed(&layer.media_type));
        parts.chain([&manifest.config]).map(|part| &part.digest).find(|digest| !has_blob(digest)).cloned()
    }
}

pub(super) fn is_tag(text: &str) -> bool {
    !text.contains(['/', '@', ':']) && format!("host.example/name:{text}").parse::<Reference>().is_ok()
}

fn lookup(repository: &Repository, what: &str) -> Option<Digest> {
    what.parse().ok().or_else(|| repository.listing.tags.get(what).cloned())
}

fn etag(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

/// `If-Match` and `If-None-Match` (RFC 9110, section 13.1).
fn conditions_hold(repository: &Repository, what: &str, request: &Request) -> bool {
    let current = lookup(repository, what).filter(|digest| repository.manifests.contains_key(digest));
    let matches = |field: &str| match &current {
        None => false,
        Some(digest) => field.split(',').any(|one| one.trim() == "*" || one.trim() == etag(digest)),
    };
    request.headers.get("if-match").is_none_or(matches)
        && !request.headers.get("if-none-match").is_some_and(matches)
}
