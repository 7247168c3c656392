use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::Error;
use crate::distribution::{Credentials, Repository, base64_decode};

/// Credentials by registry: given, or as docker's `config.json` and podman's `auth.json` hold them, with the programs that keep
/// others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyring {
    /// By `host[:port]`, or with the beginning of a repository's name.
    entries: BTreeMap<String, Credentials>,
    helpers: BTreeMap<String, String>,
    default_helper: Option<String>,
}

/// Bytes of a configuration, and of a helper's answer.
const MOST: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

impl Keyring {
    /// Without credentials.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds credentials for `host[:port]`, or for what begins with `host[:port]/name`.
    #[must_use]
    pub fn with(mut self, host: &str, credentials: Credentials) -> Self {
        self.entries.insert(normal(host), credentials);
        self
    }

    /// Reads a configuration. Programs that it names are run when their registry is asked for, not here.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`]; its text holds no secret.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let what = "docker's configuration";
        if bytes.len() > MOST {
            return Err(Error::Limit { what: format!("bytes of {what}"), limit: 1 << 20 });
        }
        // serde's words may quote the document.
        let wrong = |error: serde_json::Error| {
            Error::malformed(what, format!("at line {}, column {}", error.line(), error.column()))
        };
        let file: File = serde_json::from_slice(bytes).map_err(wrong)?;
        let mut keyring =
            Self { helpers: BTreeMap::new(), default_helper: file.creds_store, ..Self::default() };
        for (key, helper) in file.cred_helpers {
            keyring.helpers.insert(normal(&key), helper);
        }
        for (key, auth) in file.auths {
            if let Some(credentials) = auth.credentials(&key)? {
                keyring.entries.insert(normal(&key), credentials);
            }
        }
        Ok(keyring)
    }

    /// Reads a configuration from a file, such as `~/.docker/config.json`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], and those of [`parse`](Self::parse).
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::parse(&std::fs::read(path).map_err(Error::io("read", path))?)
    }

    /// The credentials for a repository; anonymous if there are none.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if the program that keeps them fails.
    pub fn credentials(&self, repository: &Repository) -> Result<Credentials, Error> {
        let key = normal(repository.credentials_key());
        let mut name = format!("{key}/{}", repository.name());
        loop {
            if let Some(found) = self.entries.get(&name) {
                return Ok(found.clone());
            }
            match name.rsplit_once('/') {
                Some((shorter, _)) => name = shorter.to_owned(),
                None => break,
            }
        }
        match self.helpers.get(&key).or(self.default_helper.as_ref()) {
            Some(helper) => ask(helper, repository.credentials_key()),
            None => Ok(Credentials::Anonymous),
        }
    }
}

impl Auth {
    fn credentials(self, key: &str) -> Result<Option<Credentials>, Error> {
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        if let Some(token) = filled(self.registrytoken) {
            return Ok(Some(Credentials::RegistryToken(token)));
        }
        if let Some(token) = filled(self.identitytoken) {
            return Ok(Some(Credentials::IdentityToken(token)));
        }
        if let Some(auth) = filled(self.auth) {
            let text = base64_decode(auth.trim()).and_then(|bytes| String::from_utf8(bytes).ok());
            let pair = text.as_deref().and_then(|text| text.trim_end_matches('\0').split_once(':'));
            let Some((username, password)) = pair else {
                let reason = format!("the entry \"auth\" of {key:?} is no base64 of name:password");
                return Err(Error::malformed("docker's configuration", reason));
            };
            return Ok(Some(password_of(username, password)));
        }
        match (filled(self.username), filled(self.password)) {
            (Some(username), Some(password)) => Ok(Some(password_of(&username, &password))),
            _ => Ok(None),
        }
    }
}

/// The name `<token>` marks an identity token.
fn password_of(username: &str, password: &str) -> Credentials {
    if username == "<token>" {
        return Credentials::IdentityToken(password.to_owned());
    }
    Credentials::Password { username: username.to_owned(), password: password.to_owned() }
}

/// `https://index.docker.io/v1/` and `index.docker.io` are one key; scheme and version of an API say nothing.
fn normal(key: &str) -> String {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let key = key.trim_end_matches('/');
    let key = key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key);
    match key {
        "docker.io" | "registry-1.docker.io" => "index.docker.io".to_owned(),
        other => other.to_owned(),
    }
}

/// Runs `docker-credential-<name> get` (docker-credential-helpers, protocol).
fn ask(helper: &str, server: &str) -> Result<Credentials, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        username: String,
        secret: String,
    }
    let failed = || Error::Unsupported {
        what: format!("the credential helper docker-credential-{helper} for {server}"),
        advice: "run it with `get` and the registry on standard input to see what it says",
    };
    if helper.is_empty() || !helper.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    {
        return Err(Error::malformed(
            "docker's configuration",
            format!("{helper:?} names no credential helper"),
        ));
    }
    let mut child = Command::new(format!("docker-credential-{helper}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|_| failed())?;
    if let Some(mut input) = child.stdin.take() {
        // One that answers without reading is none the worse.
        let _ = input.write_all(server.as_bytes());
    }
    let output = child.wait_with_output().map_err(|_| failed())?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stdout);
        // What every helper says for a registry that it does not know.
        if text.contains("credentials not found") {
            return Ok(Credentials::Anonymous);
        }
        return Err(failed());
    }
    let bytes = output.stdout.get(..output.stdout.len().min(MOST)).unwrap_or_default();
    let answer: Answer = serde_json::from_slice(bytes).map_err(|_| failed())?;
    Ok(password_of(&answer.username, &answer.secret))
}
