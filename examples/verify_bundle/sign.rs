use std::fs;
use std::path::PathBuf;

use clap::Args;
use lotse_sign::{
    Client, Content, IdentityToken, Scheme, SigningConfig, SigningKey, SigningSession, TrustedRoot,
};

#[derive(Args)]
pub(crate) struct Call {
    /// The OIDC token of whoever signs.
    #[arg(long, required_unless_present = "key")]
    identity_token: Option<String>,
    /// A private key in PEM, to sign with instead of an identity.
    #[arg(long, conflicts_with = "identity_token")]
    key: Option<PathBuf>,
    /// Where the bundle goes.
    #[arg(long)]
    bundle: PathBuf,
    /// Which services to sign with.
    #[arg(long)]
    signing_config: PathBuf,
    /// Whom to believe; the bundle is not verified here, so that it is only read.
    #[arg(long)]
    trusted_root: Option<PathBuf>,
    /// The file is an in-toto statement, to be signed as an envelope.
    #[arg(long)]
    in_toto: bool,
    /// The file to sign.
    file: PathBuf,
}

pub(crate) fn run(call: &Call) -> Result<(), Box<dyn std::error::Error>> {
    if let Some(root) = &call.trusted_root {
        TrustedRoot::parse(&super::read(root)?)?;
    }
    let config = SigningConfig::parse(&super::read(&call.signing_config)?)?;
    let client = Client::new(None)?;
    let session = SigningSession { config: &config, transport: &client, at: super::now()? };
    let file = super::read(&call.file)?;
    let content = if call.in_toto { Content::Statement(file) } else { Content::Artifact(&file) };
    let bundle = match (&call.identity_token, &call.key) {
        (Some(token), _) => session.sign_keyless(content, &IdentityToken::new(token)?, &fresh_key()?)?,
        (None, Some(key)) => session.sign(content, &SigningKey::from_pem(&fs::read_to_string(key)?)?)?,
        (None, None) => return Err("give --identity-token or --key".into()),
    };
    lotse_examples::replace(&call.bundle, &bundle.to_json()?)?;
    Ok(())
}

/// A key for one signature.
fn fresh_key() -> Result<SigningKey, Box<dyn std::error::Error>> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| error.to_string())?;
    Ok(SigningKey::from_secret(Scheme::EcdsaP256Sha256, &secret)?)
}
