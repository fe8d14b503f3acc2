//! The `Authorization` header and its lifetime.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::answer::{Answer, Problem};
use casebridge_core::failure::Refusal;

/// A token is renewed this long before it expires, so that it is valid until the request arrives.
const RENEWAL_MARGIN: Duration = Duration::from_mins(1);
/// The lifetime of a token whose answer does not state one: short, since an early renewal costs one more request only.
const UNSTATED_LIFETIME: Duration = Duration::from_mins(5);
/// The longest use of a token. Instances issue tokens for a day, and a withdrawn secret must stop working within the
/// hour.
const MAXIMUM_LIFETIME: Duration = Duration::from_mins(30);
/// How long basic credentials are used before the secret is read again: as long as the cache of secrets keeps it.
const BASIC_LIFETIME: Duration = Duration::from_mins(5);

/// A value for the `Authorization` header; it prints as `Sensitive`.
#[derive(Debug, Clone)]
pub(crate) struct Authorization {
    pub(crate) header: HeaderValue,
    valid_until: Timestamp,
}

/// The beginning of a header with a user's name and password.
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

    /// Whether the header holds a user's name and password, for which no token was fetched.
    pub(crate) fn is_basic(&self) -> bool {
        self.header.as_bytes().starts_with(BASIC.as_bytes())
    }

    /// Creates the header from a user's name and password.
    pub(crate) fn basic(username: &str, password: &SecretString, now: Timestamp) -> Result<Self, Problem> {
        let value = format!("{BASIC}{}", base64_of(&format!("{username}:{}", password.expose_secret())));
        Ok(Self { header: sensitive(&value)?, valid_until: now + BASIC_LIFETIME })
    }

    /// Creates the header from the answer of the token endpoint.
    pub(crate) fn bearer(answer: &Answer, now: Timestamp) -> Result<Self, Problem> {
        if !answer.status.is_success() {
            return Err(refusal_of(answer));
        }
        let token: TokenAnswer = serde_json::from_slice(&answer.body).map_err(|_| {
            Problem::unavailable("ServiceNow's token endpoint answered without a token", answer.retry_at, true)
        })?;
        let lifetime = token.expires_in.map_or(UNSTATED_LIFETIME, |seconds| Duration::from_secs(u64::from(seconds)));
        let valid_until = now + lifetime.saturating_sub(RENEWAL_MARGIN).min(MAXIMUM_LIFETIME);
        Ok(Self { header: sensitive(&format!("Bearer {}", token.access_token.expose_secret()))?, valid_until })
    }
}

/// Returns the problem of a failed request for a token. The endpoint answers a wrong secret and a disabled grant with
/// 400 or 401.
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
