use std::io;

use lotse_digest::Digest;

use super::Registry;
use super::reply::Reply;
use crate::distribution::{Method, Request};

impl Registry {
    pub(super) fn blob(&self, name: &str, digest: &str, request: &Request) -> io::Result<Reply> {
        let Ok(digest) = digest.parse::<Digest>() else {
            return Ok(Reply::error(400, "DIGEST_INVALID", "that is no digest"));
        };
        let size = self.store.size(&digest).filter(|_| self.has_blob(name, &digest));
        let Some(size) = size else {
            return Ok(Reply::error(404, "BLOB_UNKNOWN", "the blob is not in this repository"));
        };
        let range = request.headers.get("range").filter(|_| request.method == Method::Get);
        let (status, first, length) = match range.map(|field| part(field, size)) {
            None | Some(Part::Whole) => (200, 0, size),
            Some(Part::Some { first, length }) => (206, first, length),
            Some(Part::None) => {
                let reply = Reply::error(416, "UNSUPPORTED", "the blob has no such range");
                return Ok(reply.header("Content-Range", format!("bytes */{size}")));
            }
        };
        let reader = self.store.open_at(&digest, first, length)?;
        let reply = Reply::new(status)
            .with_reader("application/octet-stream", length, reader)
            .header("Docker-Content-Digest", digest.to_string())
            .header("Accept-Ranges", "bytes");
        if status == 206 {
            let last = first.saturating_add(length).saturating_sub(1);
            return Ok(reply.header("Content-Range", format!("bytes {first}-{last}/{size}")));
        }
        Ok(reply)
    }

    pub(super) fn delete_blob(&self, name: &str, digest: &str) -> io::Result<Reply> {
        if !self.options().deletes {
            return Ok(Reply::error(405, "UNSUPPORTED", "nothing is deleted here"));
        }
        let Ok(digest) = digest.parse::<Digest>() else {
            return Ok(Reply::error(400, "DIGEST_INVALID", "that is no digest"));
        };
        if !self.has_blob(name, &digest) {
            return Ok(Reply::error(404, "BLOB_UNKNOWN", "the blob is not in this repository"));
        }
        self.change(name, |repository| repository.listing.blobs.remove(&digest))?;
        self.collect(&digest);
        Ok(Reply::new(202))
    }
}

enum Part {
    Whole,
    Some { first: u64, length: u64 },
    None,
}

/// `bytes=<first>-<last>`, `bytes=<first>-` or `bytes=-<length>`; several ranges are answered with the whole.
fn part(field: &str, size: u64) -> Part {
    let Some((from, to)) = field.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Part::Whole;
    };
    if to.contains(',') {
        return Part::Whole;
    }
    let (first, last) = match (from.trim().parse::<u64>(), to.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) => (first, last),
        (Ok(first), Err(_)) if to.trim().is_empty() => (first, u64::MAX),
        (Err(_), Ok(length)) if from.trim().is_empty() && length > 0 => {
            (size.saturating_sub(length), u64::MAX)
        }
        _ => return Part::None,
    };
    if first >= size || last < first {
        return Part::None;
    }
    Part::Some { first, length: last.min(size - 1) - first + 1 }
}
