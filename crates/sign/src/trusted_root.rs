use std::sync::Arc;

use lotse_digest::Digest;
use serde::{Deserialize, Serialize};

use crate::proto::{Bytes, nullable};
use crate::x509::{Authority, Certificate};
use crate::{Error, Scheme, Time, VerifyingKey, encoding};

/// Bytes of a trusted root.
const BYTES: usize = 4 << 20;
/// Logs or authorities of one kind.
const COUNT: usize = 256;
const MEDIA_TYPES: [&str; 3] = [
    "application/vnd.dev.sigstore.trustedroot.v0.2+json",
    "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    "application/vnd.dev.sigstore.trustedroot.v0.1+json",
];

/// Whom to believe: certificate authorities, transparency logs, certificate logs, timestamp authorities, each for a time
/// (protobuf-specs, `TrustedRoot`).
///
/// What in it cannot be used (a key of an unknown kind, a chain that does not hold together) does not spoil the rest; it
/// is refused by name where a bundle refers to it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TrustedRoot {
    pub(crate) logs: Arc<[Result<Log, Unusable>]>,
    pub(crate) ct_logs: Arc<[Result<Log, Unusable>]>,
    pub(crate) authorities: Arc<[Result<CertificateAuthority, String>]>,
    pub(crate) timestamp_authorities: Arc<[Result<TimestampAuthority, String>]>,
    digest: Digest,
}

/// A log of the trusted root.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    base_url: String,
    pub(crate) id: Vec<u8>,
    pub(crate) key: VerifyingKey,
    pub(crate) window: Window,
    operator: String,
}

/// A log that cannot be used, and why.
#[derive(Clone, Debug)]
pub(crate) struct Unusable {
    pub(crate) id: Vec<u8>,
    pub(crate) reason: String,
}

#[derive(Clone, Debug)]
pub(crate) struct CertificateAuthority {
    pub(crate) uri: String,
    pub(crate) authority: Authority,
    pub(crate) window: Window,
}

#[derive(Clone, Debug)]
pub(crate) struct TimestampAuthority {
    pub(crate) uri: String,
    pub(crate) leaf: Certificate,
    /// Above the leaf.
    pub(crate) authority: Authority,
    pub(crate) window: Window,
    operator: String,
}

/// A time from its first moment to its last, both included; without an end it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    start: Time,
    end: Option<Time>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    #[serde(alias = "media_type")]
    media_type: String,
    #[serde(default, deserialize_with = "nullable")]
    tlogs: Vec<WireLog>,
    #[serde(default, deserialize_with = "nullable", alias = "certificate_authorities")]
    certificate_authorities: Vec<WireAuthority>,
    #[serde(default, deserialize_with = "nullable")]
    ctlogs: Vec<WireLog>,
    #[serde(default, deserialize_with = "nullable", alias = "timestamp_authorities")]
    timestamp_authorities: Vec<WireAuthority>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireLog {
    #[serde(default, deserialize_with = "nullable", alias = "base_url")]
    base_url: String,
    #[serde(default, deserialize_with = "nullable", alias = "hash_algorithm")]
    hash_algorithm: String,
    #[serde(alias = "public_key")]
    public_key: WireKey,
    #[serde(default, alias = "log_id")]
    log_id: Option<WireId>,
    #[serde(default, alias = "checkpoint_key_id")]
    checkpoint_key_id: Option<WireId>,
    #[serde(default, deserialize_with = "nullable")]
    operator: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireKey {
    #[serde(default, alias = "raw_bytes")]
    raw_bytes: Bytes,
    #[serde(default, deserialize_with = "nullable", alias = "key_details")]
    key_details: String,
    #[serde(default, alias = "valid_for")]
    valid_for: Option<WireWindow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireWindow {
    #[serde(default)]
    start: Option<Time>,
    #[serde(default)]
    end: Option<Time>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireId {
    #[serde(default, alias = "key_id")]
    key_id: Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireAuthority {
    #[serde(default)]
    #[expect(dead_code, reason = "the certificates say it themselves")]
    subject: Option<WireSubject>,
    #[serde(default, deserialize_with = "nullable")]
    uri: String,
    #[serde(default, alias = "cert_chain")]
    cert_chain: Option<WireChain>,
    #[serde(default, alias = "valid_for")]
    valid_for: Option<WireWindow>,
    #[serde(default, deserialize_with = "nullable")]
    operator: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "read so that they are not unknown")]
struct WireSubject {
    #[serde(default)]
    organization: String,
    #[serde(default, alias = "common_name")]
    common_name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireChain {
    #[serde(default)]
    certificates: Vec<WireCertificate>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WireCertificate {
    #[serde(default, alias = "raw_bytes")]
    pub(crate) raw_bytes: Bytes,
}

impl TrustedRoot {
    /// Reads a trusted root in JSON, as TUF delivers it and `cosign trusted-root create` writes it.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if it is none; [`Error::Unsupported`] for other versions; [`Error::Limit`] over 4 MiB or 256
    /// logs or authorities of a kind.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.len() > BYTES {
            return Err(Error::Limit { what: "bytes of a trusted root", limit: BYTES });
        }
        let wire: Wire =
            serde_json::from_slice(json).map_err(|error| Error::malformed("trusted root", error))?;
        if !MEDIA_TYPES.contains(&wire.media_type.as_str()) {
            return Err(Error::Unsupported {
                what: format!(
                    "trusted root of type {:?}",
                    wire.media_type.chars().take(128).collect::<String>()
                ),
                advice: "versions 0.1 and 0.2 are read",
            });
        }
        let longest = [
            wire.tlogs.len(),
            wire.ctlogs.len(),
            wire.certificate_authorities.len(),
            wire.timestamp_authorities.len(),
        ];
        if longest.into_iter().any(|count| count > COUNT) {
            return Err(Error::Limit { what: "logs or authorities of a trusted root", limit: COUNT });
        }
        Ok(Self {
            logs: wire.tlogs.into_iter().map(WireLog::log).collect(),
            ct_logs: wire.ctlogs.into_iter().map(WireLog::log).collect(),
            authorities: wire.certificate_authorities.into_iter().map(WireAuthority::issuing).collect(),
            timestamp_authorities: wire
                .timestamp_authorities
                .into_iter()
                .map(WireAuthority::timestamping)
                .collect(),
            digest: Digest::sha256(json),
        })
    }

    /// The SHA-256 of the JSON that it was read from, by which verdicts name it.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What of the root cannot be used, and why; empty for a root without surprises.
    #[must_use]
    pub fn unusable(&self) -> Vec<String> {
        let logs =
            self.logs.iter().filter_map(|log| log.as_ref().err()).map(|log| format!("log: {}", log.reason));
        let ct = self.ct_logs.iter().filter_map(|log| log.as_ref().err());
        let ct = ct.map(|log| format!("certificate log: {}", log.reason));
        let authorities = self.authorities.iter().filter_map(|authority| authority.as_ref().err());
        let authorities = authorities.map(|reason| format!("certificate authority: {reason}"));
        let timestamps = self.timestamp_authorities.iter().filter_map(|authority| authority.as_ref().err());
        let timestamps = timestamps.map(|reason| format!("timestamp authority: {reason}"));
        logs.chain(ct).chain(authorities).chain(timestamps).collect()
    }

    /// The logs with this id. Ids are compared in full.
    pub(crate) fn log(&self, id: &[u8]) -> Result<&Log, String> {
        find(&self.logs, id)
    }

    /// The certificate log with this id.
    pub(crate) fn ct_log(&self, id: &[u8]) -> Result<&Log, String> {
        find(&self.ct_logs, id)
    }
}

fn find<'a>(logs: &'a [Result<Log, Unusable>], id: &[u8]) -> Result<&'a Log, String> {
    let mut unusable = None;
    for log in logs {
        match log {
            Ok(log) if log.id == id => return Ok(log),
            Err(log) if log.id == id => unusable = Some(&log.reason),
            _ => {}
        }
    }
    let hex = encoding::to_hexadecimal(id.get(..32).unwrap_or(id));
    Err(match unusable {
        Some(reason) => format!("log {hex} cannot be used: {reason}"),
        None => format!("log {hex} is not in the trusted root"),
    })
}

impl Log {
    /// The host of the log's URL, which is the name it signs checkpoints with.
    pub(crate) fn host(&self) -> &str {
        let rest = self.base_url.split_once("://").map_or(self.base_url.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default()
    }

    pub(crate) fn name(&self) -> &str {
        &self.base_url
    }

    /// As whom it counts towards a threshold: logs of one operator are one witness (protobuf-specs,
    /// `TransparencyLogInstance.operator`, since version 0.2); without an operator each log is its own.
    pub(crate) fn witness(&self) -> &[u8] {
        if self.operator.is_empty() { &self.id } else { self.operator.as_bytes() }
    }
}

impl TimestampAuthority {
    /// As whom it counts towards a threshold, like [`Log::witness`].
    pub(crate) fn witness(&self) -> &str {
        if self.operator.is_empty() { &self.uri } else { &self.operator }
    }
}

impl Window {
    /// Why a time is outside, if it is.
    pub(crate) fn excludes(&self, time: Time) -> Option<String> {
        let (start, end) = (self.start, self.end);
        if time < start {
            return Some(format!("{time} is before its window, which starts at {start}"));
        }
        end.filter(|end| time > *end).map(|end| format!("{time} is after its window, which ended at {end}"))
    }
}

impl WireWindow {
    fn window(window: Option<Self>) -> Result<Window, String> {
        let missing = "its window has no start";
        let Self { start, end } = window.ok_or(missing)?;
        Ok(Window { start: start.ok_or(missing)?, end })
    }
}

impl WireLog {
    fn log(self) -> Result<Log, Unusable> {
        let id = self.log_id.map(|id| id.key_id.0).unwrap_or_default();
        // Both are the same by protobuf-specs; where only the newer is given it counts.
        let id =
            if id.is_empty() { self.checkpoint_key_id.map(|id| id.key_id.0).unwrap_or_default() } else { id };
        let log = || {
            if id.is_empty() {
                return Err("it has no id".to_owned());
            }
            if self.hash_algorithm != "SHA2_256" {
                return Err(format!("its hash algorithm is {:?}", self.hash_algorithm));
            }
            let window = WireWindow::window(self.public_key.valid_for)?;
            let key =
                VerifyingKey::from_der(&self.public_key.raw_bytes.0).map_err(|error| error.to_string())?;
            if !key_details_fit(&self.public_key.key_details, &key) {
                let (details, scheme) = (&self.public_key.key_details, key.scheme());
                return Err(format!("its key is {scheme}, not {details:?}"));
            }
            Ok((key.prepared(), window))
        };
        match log() {
            Ok((key, window)) => {
                Ok(Log { base_url: self.base_url, id, key, window, operator: self.operator })
            }
            Err(reason) => Err(Unusable { reason: format!("{}: {reason}", self.base_url), id }),
        }
    }
}

impl WireAuthority {
    fn chain(self) -> Result<(String, Vec<Certificate>, Window), String> {
        let uri = self.uri;
        let name = |reason: String| format!("{uri}: {reason}");
        let window = WireWindow::window(self.valid_for).map_err(name)?;
        let chain = self
            .cert_chain
            .map(|chain| chain.certificates)
            .unwrap_or_default()
            .iter()
            .map(|certificate| Certificate::parse_authority(&certificate.raw_bytes.0))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| name(error.to_string()))?;
        Ok((uri, chain, window))
    }

    fn issuing(self) -> Result<CertificateAuthority, String> {
        let (uri, chain, window) = self.chain()?;
        let authority = Authority::new(chain).map_err(|error| format!("{uri}: {error}"))?;
        Ok(CertificateAuthority { uri, authority, window })
    }

    fn timestamping(mut self) -> Result<TimestampAuthority, String> {
        let operator = std::mem::take(&mut self.operator);
        let (uri, chain, window) = self.chain()?;
        let mut chain = chain.into_iter();
        let leaf = chain.next().ok_or_else(|| format!("{uri}: its certificate chain is empty"))?;
        // The last certificate is the anchor, and an anchor is a CA: a chain of the leaf alone has none.
        let authority = Authority::new(chain.collect()).map_err(|error| format!("{uri}: {error}"))?;
        if !authority.issued(&leaf) {
            return Err(format!("{uri}: its first certificate is not issued by its second"));
        }
        Ok(TimestampAuthority { uri, leaf, authority, window, operator })
    }
}

/// protobuf-specs' `PublicKeyDetails` of a key.
pub(crate) fn key_details(key: &VerifyingKey) -> &'static str {
    match key.scheme() {
        Scheme::EcdsaP256Sha256 => "PKIX_ECDSA_P256_SHA_256",
        Scheme::EcdsaP384Sha384 => "PKIX_ECDSA_P384_SHA_384",
        Scheme::EcdsaP521Sha512 => "PKIX_ECDSA_P521_SHA_512",
        Scheme::Ed25519 => "PKIX_ED25519",
        Scheme::RsaPkcs1Sha256 => match key.as_der().len() {
            ..=300 => "PKIX_RSA_PKCS1V15_2048_SHA256",
            301..=430 => "PKIX_RSA_PKCS1V15_3072_SHA256",
            _ => "PKIX_RSA_PKCS1V15_4096_SHA256",
        },
    }
}

/// Whether protobuf-specs' `PublicKeyDetails` is the kind of this key.
pub(crate) fn key_details_fit(details: &str, key: &VerifyingKey) -> bool {
    match key.scheme() {
        Scheme::EcdsaP256Sha256 => matches!(details, "PKIX_ECDSA_P256_SHA_256"),
        Scheme::EcdsaP384Sha384 => matches!(details, "PKIX_ECDSA_P384_SHA_384" | "PKIX_ECDSA_P384_SHA_256"),
        Scheme::EcdsaP521Sha512 => matches!(details, "PKIX_ECDSA_P521_SHA_512" | "PKIX_ECDSA_P521_SHA_256"),
        Scheme::Ed25519 => matches!(details, "PKIX_ED25519"),
        Scheme::RsaPkcs1Sha256 => {
            matches!(
                details,
                "PKIX_RSA_PKCS1V15_2048_SHA256"
                    | "PKIX_RSA_PKCS1V15_3072_SHA256"
                    | "PKIX_RSA_PKCS1V15_4096_SHA256"
            )
        }
    }
}
