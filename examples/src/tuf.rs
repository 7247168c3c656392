//! What TUF delivers, from the command line: read from a cache, refreshed only when asked.

use std::path::PathBuf;

use clap::Args;
use lotse_sign::tuf::{Cache, HttpRepository, Limits, Rule, SIGNING_CONFIG, TRUSTED_ROOT};
use lotse_sign::{Client, Error, SigningConfig, TrustedRoot};

use crate::trust::{now, read};

/// Where trusted root and signing config come from, if not from files.
#[derive(Args)]
pub struct TufArgs {
    /// The directory in which a TUF client keeps the trusted root and the signing config. It is read without a network, and
    /// only what follows from --tuf-root is believed.
    #[arg(long, value_name = "DIRECTORY", requires = "tuf_root")]
    tuf_cache: Option<PathBuf>,
    /// The first root of the TUF repository, which you got by a way that you trust.
    #[arg(long, value_name = "FILE", requires = "tuf_cache")]
    tuf_root: Option<PathBuf>,
    /// Refresh the cache first, from the TUF repository at this URL.
    #[arg(long, value_name = "URL", requires = "tuf_cache")]
    tuf_refresh: Option<String>,
    /// Certificates in PEM to believe for https.
    #[arg(long, value_name = "FILE", requires = "tuf_refresh")]
    tuf_tls_roots: Option<PathBuf>,
}

type Failure = Box<dyn std::error::Error>;

impl TufArgs {
    /// The trusted root, if a cache was given.
    ///
    /// # Errors
    ///
    /// Those of the cache and the repository; what is not there or has expired.
    pub fn trusted_root(&self) -> Result<Option<TrustedRoot>, Failure> {
        let Some((cache, root)) = self.open(TRUSTED_ROOT)? else { return Ok(None) };
        Ok(Some(cache.trusted_root(&root, now()?)?))
    }

    /// The signing config, if a cache was given.
    ///
    /// # Errors
    ///
    /// Those of the cache and the repository; what is not there or has expired.
    pub fn signing_config(&self) -> Result<Option<SigningConfig>, Failure> {
        let Some((cache, root)) = self.open(SIGNING_CONFIG)? else { return Ok(None) };
        Ok(Some(cache.signing_config(&root, now()?)?))
    }

    /// The cache, refreshed if that was asked for, and the first root.
    fn open(&self, wanted: &str) -> Result<Option<(Cache, Vec<u8>)>, Failure> {
        let (Some(cache), Some(root)) = (&self.tuf_cache, &self.tuf_root) else { return Ok(None) };
        let (mut cache, root) = (Cache::new(cache), read(root)?);
        if let Some(url) = &self.tuf_refresh {
            let roots = self.tuf_tls_roots.as_deref().map(read).transpose()?;
            let repository = HttpRepository::sigstore(Client::new(roots.as_deref())?, url);
            let (at, limits) = (now()?, Limits::default());
            // Both, so that the next reading of either needs no network; a repository may have no signing config.
            match cache.refresh(&root, &repository, &[TRUSTED_ROOT, SIGNING_CONFIG], at, limits) {
                Err(Error::Tuf(refusal)) if refusal.rule == Rule::NoSuchTarget => {
                    cache.refresh(&root, &repository, &[wanted], at, limits)?
                }
                both => both?,
            };
        }
        Ok(Some((cache, root)))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use lotse_sign::Time;
    use lotse_sign::sandbox::Sandbox;

    use super::*;

    #[derive(Parser)]
    struct Call {
        #[command(flatten)]
        tuf: TufArgs,
    }

    #[test]
    fn a_cache_is_read_from_the_root_that_is_given() {
        let directory = tempfile::tempdir().unwrap();
        let at = Time::from_seconds(now().unwrap().seconds() - 60);
        let (sigstore, other) = (Sandbox::new("cache", at), Sandbox::new("other", at));
        let cache = directory.path().join("cache");
        let parse = |sigstore: &Sandbox, more: &[&str]| {
            let root = directory.path().join("root.json");
            std::fs::write(&root, sigstore.tuf().unwrap().initial_root()).unwrap();
            let call = ["call", "--tuf-cache", cache.to_str().unwrap(), "--tuf-root", root.to_str().unwrap()];
            Call::try_parse_from(call.into_iter().chain(more.iter().copied())).unwrap().tuf
        };
        let empty = parse(&sigstore, &[]).trusted_root().unwrap_err().to_string();
        assert!(empty.contains("no refresh of the cache") && empty.contains("; refresh"), "{empty}");
        let repository = sigstore.tuf().unwrap();
        let both = [TRUSTED_ROOT, SIGNING_CONFIG];
        let root = repository.initial_root();
        Cache::new(&cache).refresh(&root, &repository, &both, at, Limits::default()).unwrap();
        let found = parse(&sigstore, &[]).trusted_root().unwrap().unwrap();
        assert_eq!(found.digest(), sigstore.trusted_root().unwrap().digest());
        assert!(parse(&sigstore, &[]).signing_config().unwrap().is_some());
        assert!(parse(&other, &[]).trusted_root().is_err(), "another first root");
        // Nobody is there; what was stored is not taken in silence.
        assert!(parse(&sigstore, &["--tuf-refresh", "http://127.0.0.1:1"]).trusted_root().is_err());
        let none = Call::try_parse_from(["call"]).unwrap().tuf;
        assert!(none.trusted_root().unwrap().is_none());
        assert!(Call::try_parse_from(["call", "--tuf-cache", "x"]).is_err(), "a cache without a root");
    }
}
