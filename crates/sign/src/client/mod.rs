mod tuf;

use std::time::Duration;

use crate::Error;
use crate::service::{ANSWER, Request, Response, Transport};

pub use self::tuf::HttpRepository;

const CONNECT: Duration = Duration::from_secs(30);
/// A tiled log answers when its next checkpoint is out.
const WAIT: Duration = Duration::from_secs(120);

/// A blocking HTTP client for the services of a Sigstore, with connections kept for the next request. Redirects are not
/// followed: tokens stand in the requests.
#[derive(Clone, Debug)]
pub struct Client {
    agent: ureq::Agent,
}

impl Client {
    /// A client. `https` needs the feature `rustls`; the certificates in `roots` (PEM) are then the ones it believes.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for roots without the feature.
    pub fn new(roots: Option<&[u8]>) -> Result<Self, Error> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("lotse/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT))
            .timeout_per_call(Some(WAIT));
        let config = tls(config, roots)?;
        Ok(Self { agent: ureq::Agent::new_with_config(config.build()) })
    }
}

impl Transport for Client {
    fn send(&self, request: &Request) -> Result<Response, Error> {
        let fault = |error: &dyn std::fmt::Display| Error::Service {
            service: "the network",
            reason: format!("{}: {error}", request.url),
        };
        let mut builder = ureq::http::Request::builder().method(request.method).uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        let answer = if request.method == "GET" {
            self.agent.run(builder.body(()).map_err(|error| fault(&error))?)
        } else {
            self.agent.run(builder.body(request.body.as_slice()).map_err(|error| fault(&error))?)
        };
        let mut answer = answer.map_err(|error| fault(&error))?;
        let status = answer.status().as_u16();
        let limit = u64::try_from(ANSWER).unwrap_or(u64::MAX);
        let body =
            answer.body_mut().with_config().limit(limit).read_to_vec().map_err(|error| fault(&error))?;
        Ok(Response { status, body })
    }
}

type Builder = ureq::config::ConfigBuilder<ureq::typestate::AgentScope>;

#[cfg(feature = "rustls")]
fn tls(config: Builder, roots: Option<&[u8]>) -> Result<Builder, Error> {
    use std::sync::Arc;
    use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

    let certificates: Vec<Certificate<'static>> = parse_pem(roots.unwrap_or_default())
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::from(certificates))
        .unversioned_rustls_crypto_provider(provider)
        .build();
    Ok(config.tls_config(tls))
}

#[cfg(not(feature = "rustls"))]
fn tls(config: Builder, roots: Option<&[u8]>) -> Result<Builder, Error> {
    match roots {
        None => Ok(config),
        Some(_) => Err(Error::Unsupported {
            what: "a choice of certificates".to_owned(),
            advice: "build with the feature rustls for https",
        }),
    }
}
