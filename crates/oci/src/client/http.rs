use std::io::{self, Read};
use std::time::Duration;

use super::options::Roots;
use super::transport::{Answer, Transport};
use crate::Error;
use crate::distribution::{Body, Headers, Method, Request};

/// HTTP/1.1 over sockets, with connections kept for the next request.
#[derive(Debug)]
pub(super) struct Http {
    agent: ureq::Agent,
}

const CONNECT: Duration = Duration::from_secs(30);
/// Without a byte for so long, a connection is taken for broken.
const SILENCE: Duration = Duration::from_secs(60);
/// A registry that has everything may still hash and copy before it answers.
const ANSWER: Duration = Duration::from_secs(600);
const IDLE: Duration = Duration::from_secs(15);

impl Http {
    pub(super) fn new(roots: &Roots, proxy: Option<&str>, connections: usize) -> Result<Self, Error> {
        let wrong = |_| Error::Caller("the proxy is no http://host:port".to_owned());
        let proxy = proxy.map(ureq::Proxy::new).transpose().map_err(wrong)?;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            .user_agent(concat!("lotse/", env!("CARGO_PKG_VERSION")))
            .accept("")
            .accept_encoding("")
            .max_idle_connections(connections * 4)
            .max_idle_connections_per_host(connections)
            .max_idle_age(IDLE)
            .timeout_connect(Some(CONNECT))
            .timeout_per_read(Some(SILENCE))
            .timeout_per_write(Some(SILENCE))
            .timeout_recv_response(Some(ANSWER));
        let config = tls(config, roots)?;
        Ok(Self { agent: ureq::Agent::new_with_config(config.build()) })
    }
}

type Builder = ureq::config::ConfigBuilder<ureq::typestate::AgentScope>;

#[cfg(feature = "rustls")]
fn tls(config: Builder, roots: &Roots) -> Result<Builder, Error> {
    use std::sync::Arc;
    use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

    let pem = roots.read()?;
    let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
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
fn tls(config: Builder, roots: &Roots) -> Result<Builder, Error> {
    match roots {
        Roots::System => Ok(config),
        Roots::Pem(_) => Err(Error::Unsupported {
            what: "a choice of certificates".to_owned(),
            advice: "build with the feature rustls for https",
        }),
    }
}

impl Transport for Http {
    fn send(&self, request: &Request, body: &mut dyn Read) -> io::Result<Answer> {
        let mut builder =
            ureq::http::Request::builder().method(request.method.name()).uri(request.url.to_string());
        for (name, value) in request.headers.iter() {
            builder = builder.header(name, value);
        }
        let bare = matches!(request.method, Method::Get | Method::Head | Method::Delete);
        let answer = if request.body == Body::Empty && bare {
            let request = builder.body(()).map_err(io::Error::other)?;
            self.agent.run(request)
        } else {
            let length = request.body.length();
            let request = builder.header("content-length", length.to_string());
            let request = request.body(ureq::SendBody::from_reader(body)).map_err(io::Error::other)?;
            self.agent.run(request)
        };
        let answer = answer.map_err(failure)?;
        let mut headers = Headers::new();
        for (name, value) in answer.headers() {
            headers.push(name.as_str(), String::from_utf8_lossy(value.as_bytes()));
        }
        let status = answer.status().as_u16();
        Ok(Answer::new(status, headers, Box::new(answer.into_body().into_reader())))
    }
}

fn failure(error: ureq::Error) -> io::Error {
    match error {
        ureq::Error::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}
