//! What the `Authorization` header carries, and how long.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::answer::{Answer, Problem};
use casebridge_core::failure::Refusal;

/// A token is renewed this long before it expires, so that it is valid until the request arrives.
const RENEWAL_MARGIN: Duration = Duration::from_mins(1);
/// How long a token is taken to live when its answer does not say.
const UNSTATED_LIFETIME: Duration = Duration::from_mins(5);
/// How long a token is used, whatever it says: instances give tokens of a day, and a secret that is withdrawn must stop to
/// act within the hour.
const LONGEST_LIFETIME: Duration = Duration::from_mins(30);
/// How long basic credentials are kept before the secret is looked at again.
const BASIC_LIFETIME: Duration = Duration::from_mins(5);

/// A value for the `Authorization` header; it prints as `Sensitive`.
#[derive(Debug, Clone)]
pub(crate) struct Authorization {
    pub(crate) header: HeaderValue,
    valid_until: Timestamp,
}

/// What the header of a user's name and password begins with.
const BASIC: &str = "Basic ";

/// The answer of `oauth_token.do`.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: SecretString,
    expires_in: Option<u32>,
}

/// OAuth's own form of an error.
#[derive(Deserialize)]
struct OAuthError {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Authorization {
    /// Whether the header may still be sent.
    pub(crate) fn is_valid(&self, now: Timestamp) -> bool {
        now < self.valid_until
    }

    /// Whether it is a user's name and password: no token was fetched for it.
    pub(crate) fn is_basic(&self) -> bool {
        self.header.as_bytes().starts_with(BASIC.as_bytes())
    }

    /// From a user's name and password.
    pub(crate) fn basic(username: &str, password: &SecretString, now: Timestamp) -> Result<Self, Problem> {
        let value = format!("{BASIC}{}", base64_of(&format!("{username}:{}", password.expose_secret())));
        Ok(Self { header: sensitive(&value)?, valid_until: now + BASIC_LIFETIME })
    }

    /// From the answer of the token endpoint.
    pub(crate) fn bearer(answer: &Answer, now: Timestamp) -> Result<Self, Problem> {
        if !answer.status.is_success() {
            return Err(refusal_of(answer));
        }
        let token: TokenAnswer = serde_json::from_slice(&answer.body).map_err(|_| {
            Problem::unavailable("ServiceNow's token endpoint answered without a token", answer.retry_at, true)
        })?;
        let lifetime = token.expires_in.map_or(UNSTATED_LIFETIME, |seconds| Duration::from_secs(u64::from(seconds)));
        let valid_until = now + lifetime.saturating_sub(RENEWAL_MARGIN).min(LONGEST_LIFETIME);
        Ok(Self { header: sensitive(&format!("Bearer {}", token.access_token.expose_secret()))?, valid_until })
    }
}

/// The token endpoint answers a wrong secret and a switched-off grant with 400 or 401.
fn refusal_of(answer: &Answer) -> Problem {
    let status = answer.status.as_u16();
    if matches!(status, 408 | 425 | 429 | 500..=599 | 300..=399) {
        return Problem::unavailable(
            format!("ServiceNow's token endpoint answered {status}"),
            answer.retry_at,
            !answer.status.is_redirection(),
        );
    }
    let words = serde_json::from_slice::<OAuthError>(&answer.body)
        .map_or_else(|_| "no reason given".to_owned(), |error| format!("{} {}", error.error, error.error_description));
    Problem::refused(
        Refusal::Credentials,
        format!(
            "ServiceNow's token endpoint answered {status} ({}): check the secret, and that the instance allows the \
             client credentials grant for it",
            words.trim()
        ),
    )
}

fn sensitive(value: &str) -> Result<HeaderValue, Problem> {
    let mut header = HeaderValue::from_str(value).map_err(|_| {
        Problem::refused(Refusal::Credentials, "the ServiceNow credentials hold a character that no header may carry")
    })?;
    header.set_sensitive(true);
    Ok(header)
}

fn base64_of(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}
