use std::collections::BTreeSet;

use super::Registry;
use super::reply::Reply;
use crate::distribution::{Method, Request, base64_decode};

/// Who may do what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Auth {
    /// Everybody, everything.
    #[default]
    None,
    /// Everything with this name and password.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: String,
    },
    /// Tokens from the registry's own `/token`, for this name and password, or for the identity token `identity-<username>`.
    Token {
        /// The user.
        username: String,
        /// The password.
        password: String,
        /// After so many requests a token has expired. Its service says 300 seconds all the same.
        requests: u32,
        /// Anyone gets tokens to pull.
        anonymous_pull: bool,
    },
}

/// A token that was given out.
#[derive(Debug)]
pub(super) struct Given {
    scopes: BTreeSet<String>,
    left: u32,
}

impl Registry {
    /// Whether the request may be carried out; else what is answered.
    pub(super) fn allowed(&self, request: &Request, name: Option<&str>) -> Result<(), Box<Reply>> {
        let field = request.headers.get("authorization").unwrap_or_default();
        match &self.options().auth {
            Auth::None => Ok(()),
            Auth::Basic { username, password } => {
                if password_of(field).is_some_and(|(user, word)| user == *username && word == *password) {
                    return Ok(());
                }
                Err(Box::new(self.refuse(request, None)))
            }
            Auth::Token { .. } => {
                let mut state = self.state();
                let known = field.strip_prefix("Bearer ").and_then(|token| state.tokens.get_mut(token));
                let Some(given) = known.filter(|given| given.left > 0) else {
                    drop(state);
                    return Err(Box::new(self.refuse(request, None)));
                };
                given.left -= 1;
                let enough =
                    name.is_none_or(|name| given.scopes.contains(&format!("{name}:{}", action(request))));
                drop(state);
                if enough { Ok(()) } else { Err(Box::new(self.refuse(request, Some("insufficient_scope")))) }
            }
        }
    }

    /// 401 with the challenge for this request.
    pub(super) fn refuse(&self, request: &Request, error: Option<&str>) -> Reply {
        let reply = Reply::error(401, "UNAUTHORIZED", "authentication is needed");
        match &self.options().auth {
            Auth::None | Auth::Basic { .. } => {
                reply.header("WWW-Authenticate", "Basic realm=\"lotse, for tests\"")
            }
            Auth::Token { .. } => {
                let scope = super::route::name(request.url.path()).map_or_else(String::new, |name| {
                    let actions = if action(request) == "push" { "pull,push" } else { action(request) };
                    format!(",scope=\"repository:{name}:{actions}\"")
                });
                let error = error.map_or_else(String::new, |error| format!(",error=\"{error}\""));
                let realm = format!("http://{}/token", request.url.authority());
                let field = format!("Bearer realm=\"{realm}\",service=\"lotse\"{scope}{error}");
                reply.header("WWW-Authenticate", field)
            }
        }
    }

    /// The token service.
    pub(super) fn give_token(&self, request: &Request, form: &str) -> Reply {
        let Auth::Token { username, password, requests, anonymous_pull } = &self.options().auth else {
            return Reply::error(404, "NAME_UNKNOWN", "this registry gives no tokens");
        };
        let text =
            if request.method == Method::Post { form } else { request.url.query().unwrap_or_default() };
        let parameters = super::route::parameters(text);
        let value =
            |key: &str| parameters.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        let by_password = password_of(request.headers.get("authorization").unwrap_or_default())
            .is_some_and(|(user, word)| user == *username && word == *password);
        let by_identity = value("grant_type") == Some("refresh_token")
            && value("refresh_token") == Some(format!("identity-{username}").as_str());
        let known = by_password || by_identity;
        if !known && (!anonymous_pull || request.headers.get("authorization").is_some()) {
            return Reply::error(401, "UNAUTHORIZED", "name and password are wrong");
        }
        let mut scopes = BTreeSet::new();
        let asked = parameters.iter().filter(|(name, _)| name == "scope");
        for word in asked.flat_map(|(_, value)| value.split(' ')) {
            if let Some((name, actions)) =
                word.strip_prefix("repository:").and_then(|rest| rest.rsplit_once(':'))
            {
                let granted = actions.split(',').filter(|&action| known || action == "pull");
                scopes.extend(granted.map(|action| format!("{name}:{action}")));
            }
        }
        let mut state = self.state();
        state.count += 1;
        let token = format!("token-{}", state.count);
        state.tokens.insert(token.clone(), Given { scopes, left: *requests });
        drop(state);
        let document = serde_json::json!({ "token": token, "expires_in": 300 });
        Reply::new(200).with_bytes("application/json", document.to_string().into_bytes())
    }
}

fn action(request: &Request) -> &'static str {
    match request.method {
        Method::Get | Method::Head if !request.url.path().contains("/blobs/uploads/") => "pull",
        Method::Delete if !request.url.path().contains("/blobs/uploads/") => "delete",
        _ => "push",
    }
}

fn password_of(field: &str) -> Option<(String, String)> {
    let decoded = String::from_utf8(base64_decode(field.strip_prefix("Basic ")?)?).ok()?;
    let (user, word) = decoded.split_once(':')?;
    Some((user.to_owned(), word.to_owned()))
}
