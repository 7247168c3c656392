use std::io::Read as _;

use super::Client;
use crate::Error;
use crate::tuf::{Repository, Wanted};

/// A TUF repository over HTTP. Each file must come whole within two minutes, against slow retrieval.
#[derive(Clone, Debug)]
pub struct HttpRepository {
    client: Client,
    metadata: String,
    targets: String,
}

impl HttpRepository {
    /// A repository whose metadata and targets are below these URLs.
    #[must_use]
    pub fn new(client: Client, metadata_url: &str, targets_url: &str) -> Self {
        let base = |url: &str| format!("{}/", url.trim_end_matches('/'));
        Self { client, metadata: base(metadata_url), targets: base(targets_url) }
    }

    /// A repository as Sigstore lays it out: the targets are below `targets/` of the metadata's URL.
    #[must_use]
    pub fn sigstore(client: Client, url: &str) -> Self {
        let targets = format!("{}/targets", url.trim_end_matches('/'));
        Self::new(client, url, &targets)
    }
}

impl Repository for HttpRepository {
    /// A status of 404 or 403 (which buckets give that may not be listed) says that there is no such file; others but 200 are
    /// errors. Redirects are not followed.
    fn fetch(&self, wanted: &Wanted) -> Result<Option<Vec<u8>>, Error> {
        let base = if wanted.is_target() { &self.targets } else { &self.metadata };
        let url = format!("{base}{}", wanted.path());
        let fault = |reason: String| Error::Service {
            service: "the TUF repository",
            reason: format!("{url}: {reason}"),
        };
        let answer = self.client.agent.get(&url).call().map_err(|error| fault(error.to_string()))?;
        match answer.status().as_u16() {
            200 => {
                // One more, so that too long a file is seen as such.
                let limit = u64::try_from(wanted.limit()).unwrap_or(u64::MAX).saturating_add(1);
                let mut bytes = Vec::new();
                let mut body = answer.into_body().into_reader().take(limit);
                body.read_to_end(&mut bytes).map_err(|error| fault(error.to_string()))?;
                Ok(Some(bytes))
            }
            403 | 404 => Ok(None),
            status => Err(fault(format!("status {status}"))),
        }
    }
}
