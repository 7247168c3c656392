//! Who signs and with which services, from the command line.

use std::path::PathBuf;

use clap::Args;
use lotse_sign::{Bundle, Client, Content, IdentityToken, Scheme, SigningConfig, SigningKey, SigningSession};

use crate::trust::{now, read};
use crate::tuf::TufArgs;

/// Who signs, and which services witness it.
#[derive(Args)]
pub struct SigningArgs {
    /// The OIDC token of whoever signs.
    #[arg(long, required_unless_present = "key")]
    identity_token: Option<String>,
    /// A private key in PEM, to sign with instead of an identity; cosign's own with the password in COSIGN_PASSWORD.
    #[arg(long, conflicts_with = "identity_token")]
    key: Option<PathBuf>,
    /// Which services to sign with, if not the ones that --tuf-cache names; a key needs none.
    #[arg(long, conflicts_with = "tuf_cache")]
    signing_config: Option<PathBuf>,
    #[command(flatten)]
    tuf: TufArgs,
}

impl SigningArgs {
    /// The key in memory, if one was given.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or holds no key.
    pub fn key(&self) -> Result<Option<SigningKey>, Box<dyn std::error::Error>> {
        match &self.key {
            Some(path) => {
                let text = String::from_utf8(read(path)?)?;
                if text.contains("ENCRYPTED") {
                    let password = password().unwrap_or_default();
                    return Ok(Some(SigningKey::from_encrypted_pem(&text, password.as_bytes())?));
                }
                Ok(Some(SigningKey::from_pem(&text)?))
            }
            None => Ok(None),
        }
    }

    /// Signs.
    ///
    /// # Errors
    ///
    /// Those of the services.
    pub fn sign(&self, content: Content<'_>) -> Result<Bundle, Box<dyn std::error::Error>> {
        let config = match &self.signing_config {
            Some(path) => Some(SigningConfig::parse(&read(path)?)?),
            None => self.tuf.signing_config()?,
        };
        let Some(config) = config else {
            let key = self.key()?;
            let key = key.ok_or("give --key, or --identity-token with --signing-config or --tuf-cache")?;
            return Ok(match content {
                Content::Artifact(bytes) => Bundle::sign_artifact(bytes, &key)?,
                Content::Statement(json) => Bundle::sign_statement(json, &key)?,
                _ => return Err("this content cannot be signed with a key alone".into()),
            });
        };
        let client = Client::new(None)?;
        let session = SigningSession { config: &config, transport: &client, at: now()? };
        match (&self.identity_token, self.key()?) {
            (Some(token), _) => {
                Ok(session.sign_keyless(content, &IdentityToken::new(token)?, &fresh_key()?)?)
            }
            (None, Some(key)) => Ok(session.sign(content, &key)?),
            (None, None) => Err("give --identity-token or --key".into()),
        }
    }
}

/// Where cosign takes it from, too.
#[expect(clippy::disallowed_methods, reason = "a program for the command line may ask its environment")]
fn password() -> Option<String> {
    std::env::var("COSIGN_PASSWORD").ok()
}

/// A key for one signature.
fn fresh_key() -> Result<SigningKey, Box<dyn std::error::Error>> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| error.to_string())?;
    Ok(SigningKey::from_secret(Scheme::EcdsaP256Sha256, &secret)?)
}
