use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use lotse_digest::{Algorithm, Digest};

use super::Registry;
use super::handler::{Upload, closed, discard};
use super::reply::Reply;
use crate::distribution::Request;

type Query = [(String, String)];

fn value<'a>(query: &'a Query, key: &str) -> Option<&'a str> {
    query.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

impl Registry {
    pub(super) fn begin_upload(
        &self,
        name: &str,
        query: &Query,
        request: &Request,
        body: &mut dyn Read,
    ) -> io::Result<Reply> {
        if let Some(digest) = value(query, "mount") {
            let Ok(digest) = digest.parse::<Digest>() else {
                return Ok(Reply::error(400, "DIGEST_INVALID", "that is no digest"));
            };
            let found = match value(query, "from") {
                Some(from) => self.has_blob(from, &digest),
                None => {
                    let state = self.state();
                    state.repositories.values().any(|repository| repository.listing.blobs.contains(&digest))
                }
            };
            if found {
                return self.stored(name, &digest);
            }
        }
        if value(query, "digest-algorithm").is_some_and(|name| Algorithm::from_name(name).is_none()) {
            return Ok(Reply::error(400, "DIGEST_INVALID", "that algorithm is not known"));
        }
        let id = {
            let mut state = self.state();
            state.count += 1;
            format!("upload-{}", state.count)
        };
        let partial = self.store.begin(&id)?;
        let upload = Arc::new(Mutex::new(Upload { partial: Some(partial) }));
        self.state().uploads.insert(id.clone(), upload);
        if value(query, "digest").is_some() && request.headers.get("content-length").is_some() {
            return self.end_upload(name, &id, query, request, body);
        }
        let reply = Reply::new(202).header("Range", "0-0");
        let reply = match self.options().chunk_minimum {
            Some(minimum) => reply.header("OCI-Chunk-Min-Length", minimum.to_string()),
            None => reply,
        };
        Ok(located(reply, name, &id))
    }

    pub(super) fn add_to_upload(
        &self,
        name: &str,
        id: &str,
        request: &Request,
        body: &mut dyn Read,
    ) -> io::Result<Reply> {
        let Some(upload) = self.upload(id) else { return Ok(unknown()) };
        match self.append(&upload, id, request, body)? {
            Ok(length) => {
                let reply = Reply::new(202).header("Range", format!("0-{}", length.saturating_sub(1)));
                Ok(located(reply, name, id))
            }
            Err(reply) => Ok(*reply),
        }
    }

    pub(super) fn end_upload(
        &self,
        name: &str,
        id: &str,
        query: &Query,
        request: &Request,
        body: &mut dyn Read,
    ) -> io::Result<Reply> {
        let Some(upload) = self.upload(id) else { return Ok(unknown()) };
        let Some(Ok(digest)) = value(query, "digest").map(str::parse::<Digest>) else {
            return Ok(Reply::error(400, "DIGEST_INVALID", "the upload ends with ?digest="));
        };
        if let Err(reply) = self.append(&upload, id, request, body)? {
            return Ok(*reply);
        }
        let partial = upload.lock().unwrap_or_else(PoisonError::into_inner).partial.take();
        self.state().uploads.remove(id);
        let Some(partial) = partial else { return Ok(unknown()) };
        if self.store.commit(partial, &digest)? {
            self.stored(name, &digest)
        } else {
            Ok(Reply::error(400, "DIGEST_INVALID", "the content has another digest; the upload is discarded"))
        }
    }

    pub(super) fn upload_status(&self, name: &str, id: &str) -> Reply {
        let length = self.upload(id).and_then(|upload| {
            let upload = upload.lock().unwrap_or_else(PoisonError::into_inner);
            upload.partial.as_ref().map(super::store::Partial::length)
        });
        let Some(length) = length else { return unknown() };
        located(Reply::new(204).header("Range", format!("0-{}", length.saturating_sub(1))), name, id)
    }

    pub(super) fn cancel_upload(&self, id: &str) -> Reply {
        let upload = self.state().uploads.remove(id);
        let Some(upload) = upload else { return unknown() };
        discard(&upload);
        Reply::new(204)
    }

    fn upload(&self, id: &str) -> Option<Arc<Mutex<Upload>>> {
        self.state().uploads.get(id).cloned()
    }

    /// Adds the body to the upload; the length that it has then, or what is wrong.
    fn append(
        &self,
        upload: &Mutex<Upload>,
        id: &str,
        request: &Request,
        body: &mut dyn Read,
    ) -> io::Result<Result<u64, Box<Reply>>> {
        let mut upload = upload.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(partial) = &mut upload.partial else { return Ok(Err(Box::new(unknown()))) };
        let announced = request.headers.get("content-length").and_then(|field| field.parse::<u64>().ok());
        if let Some(field) = request.headers.get("content-range") {
            let range = field.strip_prefix("bytes ").unwrap_or(field);
            let range = range.split('/').next().and_then(|range| range.split_once('-'));
            let range = range.and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
            let Some((first, last)) = range.filter(|(first, last): &(u64, u64)| first <= last) else {
                return Ok(Err(Box::new(Reply::error(416, "BLOB_UPLOAD_INVALID", "that is no range"))));
            };
            if first != partial.length() {
                let held = partial.length().saturating_sub(1);
                let reply = Reply::error(
                    416,
                    "BLOB_UPLOAD_INVALID",
                    "the piece does not begin where the upload ends",
                );
                return Ok(Err(Box::new(reply.header("Range", format!("0-{held}")))));
            }
            if announced.is_some_and(|length| length != last - first + 1) {
                let reply = Reply::error(400, "SIZE_INVALID", "range and length of the piece differ");
                return Ok(Err(Box::new(reply)));
            }
        }
        match partial.append(body) {
            Ok(added) if announced.is_none_or(|length| length == added) => Ok(Ok(partial.length())),
            _ => {
                // The connection broke.
                if !self.options().keeps_cut_uploads {
                    if let Some(partial) = upload.partial.take() {
                        partial.discard();
                    }
                    drop(upload);
                    self.state().uploads.remove(id);
                }
                closed()
            }
        }
    }

    fn stored(&self, name: &str, digest: &Digest) -> io::Result<Reply> {
        self.change(name, |repository| repository.listing.blobs.insert(digest.clone()))?;
        Ok(Reply::new(201)
            .header("Location", format!("/v2/{name}/blobs/{digest}"))
            .header("Docker-Content-Digest", digest.to_string()))
    }
}

fn located(reply: Reply, name: &str, id: &str) -> Reply {
    reply.header("Location", format!("/v2/{name}/blobs/uploads/{id}")).header("Docker-Upload-UUID", id)
}

fn unknown() -> Reply {
    Reply::error(404, "BLOB_UPLOAD_UNKNOWN", "the upload is not known, or has ended")
}
