//! Authentication of callers: basic authentication, and OAuth tokens with a lifetime.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use serde_json::json;

use super::{
    Instance, OauthClient,
    records::Actor,
    state::{State, Token, named_identifier},
    store::field,
};
use crate::wire::{Request, Response};

/// The lifetime of a token in seconds: the platform's default for a new client.
const TOKEN_SECONDS: i64 = 1_800;
/// The lifetime that the client is told, in seconds: one second has passed meanwhile.
const TOKEN_SECONDS_ANNOUNCED: i64 = TOKEN_SECONDS - 1;

/// Returns the user that the request's headers authenticate, if any.
pub fn authenticate(state: &State, request: &Request, now: Timestamp) -> Option<Actor> {
    let (scheme, credentials) = request.header("authorization")?.split_once(' ')?;
    let user_name = match scheme.to_ascii_lowercase().as_str() {
        "basic" => basic(state, credentials)?,
        "bearer" => {
            let token = state.tokens.get(credentials.trim()).filter(|token| token.expires_at > now)?;
            token.user_name.clone()
        }
        _ => return None,
    };
    active_user(state, &user_name)
}

fn basic(state: &State, credentials: &str) -> Option<String> {
    let decoded = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (user_name, password) = decoded.split_once(':')?;
    password_matches(state, user_name, password).then(|| user_name.to_owned())
}

fn password_matches(state: &State, user_name: &str, password: &str) -> bool {
    let user = state.store.find_by("sys_user", "user_name", user_name);
    user.is_some_and(|user| !password.is_empty() && field(user, "user_password") == password)
}

fn active_user(state: &State, user_name: &str) -> Option<Actor> {
    let user = state.store.find_by("sys_user", "user_name", user_name)?;
    let refused = field(user, "active") == "false" || field(user, "locked_out") == "true";
    if refused { None } else { state.actor(user_name) }
}

/// The grant types that the token endpoint knows.
enum Grant {
    ClientCredentials,
    Password,
    Refresh,
}

impl Instance {
    /// Answers `POST /oauth_token.do`. Reads parameters from the body only.
    pub(super) fn oauth_token(&mut self, request: &Request, now: Timestamp) -> Response {
        let form = parse_form(&String::from_utf8_lossy(&request.body));
        let value = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let basic = request.header("authorization").and_then(basic_pair);
        let (client_id, client_secret) = match (value("client_id"), value("client_secret"), &basic) {
            (Some(client_id), Some(secret), _) => (client_id, secret),
            (_, _, Some((client_id, secret))) => (client_id.as_str(), secret.as_str()),
            _ => return token_refused("invalid_client"),
        };
        let known = self.configuration.oauth_clients.iter().find(|client| client.client_id == client_id);
        let Some(client) = known.filter(|client| client.client_secret.expose_secret() == client_secret).cloned() else {
            return token_refused("invalid_client");
        };
        let grant = match value("grant_type") {
            Some("client_credentials") => Grant::ClientCredentials,
            Some("password") => Grant::Password,
            Some("refresh_token") => Grant::Refresh,
            _ => return token_refused("server_error"),
        };
        let user_name = self.grant_user(&grant, &client, &value);
        match user_name.filter(|user_name| active_user(&self.state, user_name).is_some()) {
            Some(user_name) => self.give_token(&grant, &user_name, now),
            None => token_refused("server_error"),
        }
    }

    fn grant_user<'a>(
        &self,
        grant: &Grant,
        client: &OauthClient,
        value: &impl Fn(&str) -> Option<&'a str>,
    ) -> Option<String> {
        match grant {
            Grant::ClientCredentials => client.user_name.clone(),
            Grant::Password => {
                let (user_name, password) = (value("username")?, value("password")?);
                password_matches(&self.state, user_name, password).then(|| user_name.to_owned())
            }
            Grant::Refresh => self.state.refresh_tokens.get(value("refresh_token")?).cloned(),
        }
    }

    fn give_token(&mut self, grant: &Grant, user_name: &str, now: Timestamp) -> Response {
        let token = named_identifier(&format!("token:{}", self.state.next_identifier()));
        self.state.tokens.retain(|_, token| token.expires_at > now);
        let expires_at = now + SignedDuration::from_secs(TOKEN_SECONDS);
        self.state.tokens.insert(token.clone(), Token { user_name: user_name.to_owned(), expires_at });
        let mut body = json!({
            "access_token": token, "scope": "useraccount", "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS_ANNOUNCED,
        });
        if !matches!(grant, Grant::ClientCredentials) {
            let refresh = named_identifier(&format!("refresh:{}", self.state.next_identifier()));
            self.state.refresh_tokens.insert(refresh.clone(), user_name.to_owned());
            body["refresh_token"] = json!(refresh);
        }
        Response::json(200, &body)
    }
}

fn token_refused(error: &str) -> Response {
    Response::json(401, &json!({"error": error, "error_description": "access_denied"}))
}

fn basic_pair(header: &str) -> Option<(String, String)> {
    let decoded = String::from_utf8(STANDARD.decode(header.strip_prefix("Basic ")?).ok()?).ok()?;
    decoded.split_once(':').map(|(name, secret)| (name.to_owned(), secret.to_owned()))
}

/// Reads `application/x-www-form-urlencoded` text, and a URL's query.
pub fn parse_form(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded() {
        let form = parse_form("grant_type=password&password=a%2Bb+c&odd=%zz");
        assert_eq!(form[1], ("password".to_owned(), "a+b c".to_owned()));
        assert_eq!(form[2].1, "%zz");
    }
}
