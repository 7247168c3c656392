use serde::Deserialize;

use crate::proto::nullable;
use crate::{Error, Time};

const BYTES: usize = 1 << 20;
const MEDIA_TYPES: [&str; 2] = [
    "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    "application/vnd.dev.sigstore.signingconfig+json;version=0.2",
];

/// Which services to sign with (protobuf-specs, `SigningConfig` version 0.2), as TUF delivers it and
/// `cosign signing-config create` writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningConfig {
    authorities: Vec<Service>,
    logs: Vec<Service>,
    log_selector: Selector,
    timestamp_authorities: Vec<Service>,
    timestamp_selector: Selector,
}

/// A service. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Service {
    /// Where it is.
    pub url: String,
    /// The major version of its API.
    pub api_version: u32,
    /// Who runs it: of several by one operator one is asked.
    pub operator: String,
    start: Time,
    end: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Selector {
    /// One that is valid.
    Any,
    /// All that are valid.
    All,
    /// So many.
    Exact(usize),
    /// Not said, which is wrong where there are services.
    Undefined,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    #[serde(alias = "media_type")]
    media_type: String,
    #[serde(default, deserialize_with = "nullable", alias = "ca_urls")]
    ca_urls: Vec<WireService>,
    #[serde(default, deserialize_with = "nullable", rename = "oidcUrls", alias = "oidc_urls")]
    _oidc_urls: Vec<WireService>,
    #[serde(default, deserialize_with = "nullable", alias = "rekor_tlog_urls")]
    rekor_tlog_urls: Vec<WireService>,
    #[serde(default, alias = "rekor_tlog_config")]
    rekor_tlog_config: Option<WireSelector>,
    #[serde(default, deserialize_with = "nullable", alias = "tsa_urls")]
    tsa_urls: Vec<WireService>,
    #[serde(default, alias = "tsa_config")]
    tsa_config: Option<WireSelector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireService {
    url: String,
    #[serde(default, alias = "major_api_version")]
    major_api_version: u32,
    #[serde(default, alias = "valid_for")]
    valid_for: Option<WireWindow>,
    #[serde(default, deserialize_with = "nullable")]
    operator: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireWindow {
    start: Option<Time>,
    #[serde(default)]
    end: Option<Time>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSelector {
    #[serde(default, deserialize_with = "nullable")]
    selector: String,
    #[serde(default, deserialize_with = "nullable")]
    count: usize,
}

impl SigningConfig {
    /// Reads a signing config in JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if it is none; [`Error::Unsupported`] for other versions; [`Error::Limit`] over 1 MiB.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.len() > BYTES {
            return Err(Error::Limit { what: "bytes of a signing config", limit: BYTES });
        }
        let wire: Wire =
            serde_json::from_slice(json).map_err(|error| Error::malformed("signing config", error))?;
        if !MEDIA_TYPES.contains(&wire.media_type.as_str()) {
            return Err(Error::Unsupported {
                what: format!(
                    "signing config of type {:?}",
                    wire.media_type.chars().take(128).collect::<String>()
                ),
                advice: "version 0.2 is read",
            });
        }
        let services =
            |list: Vec<WireService>| list.into_iter().map(WireService::read).collect::<Result<_, _>>();
        Ok(Self {
            authorities: services(wire.ca_urls)?,
            logs: services(wire.rekor_tlog_urls)?,
            log_selector: WireSelector::read(wire.rekor_tlog_config)?,
            timestamp_authorities: services(wire.tsa_urls)?,
            timestamp_selector: WireSelector::read(wire.tsa_config)?,
        })
    }

    /// The certificate authority to ask at a time: the newest API of those that are valid.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if none is valid.
    pub fn certificate_authority(&self, at: Time) -> Result<&Service, Error> {
        select(&self.authorities, Selector::Any, 1, at, "certificate authority")?
            .into_iter()
            .next()
            .ok_or_else(|| none("certificate authority"))
    }

    /// The logs to ask at a time, one of each operator; none if the config names none.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if there are fewer valid ones than the config demands.
    pub fn logs(&self, at: Time) -> Result<Vec<&Service>, Error> {
        select(&self.logs, self.log_selector, 2, at, "transparency log")
    }

    /// The timestamp authorities to ask at a time, one of each operator; none if the config names none.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if there are fewer valid ones than the config demands.
    pub fn timestamp_authorities(&self, at: Time) -> Result<Vec<&Service>, Error> {
        select(&self.timestamp_authorities, self.timestamp_selector, 1, at, "timestamp authority")
    }
}

/// One service of each operator: of the newest API that we speak, then the one whose time began last.
fn select<'a>(
    services: &'a [Service],
    selector: Selector,
    newest: u32,
    at: Time,
    what: &'static str,
) -> Result<Vec<&'a Service>, Error> {
    if services.is_empty() {
        return Ok(Vec::new());
    }
    let mut valid: Vec<&Service> = services
        .iter()
        .filter(|service| service.start <= at && service.end.is_none_or(|end| at <= end))
        .filter(|service| (1..=newest).contains(&service.api_version))
        .collect();
    valid.sort_by_key(|service| std::cmp::Reverse((service.api_version, service.start)));
    let mut chosen: Vec<&Service> = Vec::new();
    for service in valid {
        let same = |other: &&Service| !service.operator.is_empty() && other.operator == service.operator;
        if !chosen.iter().any(same) {
            chosen.push(service);
        }
    }
    let count = match selector {
        Selector::Any => 1,
        Selector::All => chosen.len().max(1),
        Selector::Exact(count) => count,
        Selector::Undefined => {
            return Err(Error::malformed(
                "signing config",
                format!("it does not say how many to take: {what}"),
            ));
        }
    };
    if chosen.len() < count {
        return Err(none(what));
    }
    chosen.truncate(count);
    Ok(chosen)
}

fn none(what: &str) -> Error {
    Error::Unsupported {
        what: format!("a signing config with too few valid services: {what}"),
        advice: "refresh the signing config",
    }
}

impl WireService {
    fn read(self) -> Result<Service, Error> {
        let fault = || Error::malformed("signing config", "a service has no start of its validity");
        let window = self.valid_for.ok_or_else(fault)?;
        Ok(Service {
            url: self.url,
            api_version: self.major_api_version,
            operator: self.operator,
            start: window.start.ok_or_else(fault)?,
            end: window.end,
        })
    }
}

impl WireSelector {
    fn read(selector: Option<Self>) -> Result<Selector, Error> {
        let Some(Self { selector, count }) = selector else { return Ok(Selector::Undefined) };
        match selector.as_str() {
            "" | "SERVICE_SELECTOR_UNDEFINED" => Ok(Selector::Undefined),
            "ANY" => Ok(Selector::Any),
            "ALL" => Ok(Selector::All),
            "EXACT" if count > 0 => Ok(Selector::Exact(count)),
            other => Err(Error::malformed(
                "signing config",
                format!("its selector is {other:?} with count {count}"),
            )),
        }
    }
}
