//! The credentials of the integration user.

use std::{fmt, future::Future};

use casebridge_core::failure::Failure;
use secrecy::SecretString;
use serde::Deserialize;

/// The content of the instance's secret.
#[derive(Clone)]
pub enum Credentials {
    /// OAuth client credentials: the preferred form.
    OAuthClient {
        /// The id of the OAuth application.
        client_id: String,
        /// Its secret.
        client_secret: SecretString,
    },
    /// A user of the instance.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: SecretString,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OAuthClient { client_id, .. } => write!(formatter, "OAuthClient({client_id})"),
            Self::Basic { username, .. } => write!(formatter, "Basic({username})"),
        }
    }
}

/// The text of the secret has no known form. The error does not repeat the text.
#[derive(Debug, thiserror::Error)]
#[error(
    "the ServiceNow secret is unreadable: expected JSON with `client_id` and `client_secret`, or with `username` and \
     `password`"
)]
pub struct CredentialsError;

/// The fields of the secret.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretFields {
    client_id: Option<String>,
    client_secret: Option<SecretString>,
    username: Option<String>,
    password: Option<SecretString>,
}

impl Credentials {
    /// Reads the secret's JSON.
    ///
    /// # Errors
    /// If the text is not JSON with the fields of exactly one form: an OAuth client, or a user.
    pub fn parse(text: &str) -> Result<Self, CredentialsError> {
        let fields: SecretFields = serde_json::from_str(text).map_err(|_| CredentialsError)?;
        match fields {
            SecretFields {
                client_id: Some(client_id),
                client_secret: Some(client_secret),
                username: None,
                password: None,
            } => Ok(Self::OAuthClient { client_id, client_secret }),
            SecretFields {
                username: Some(username),
                password: Some(password),
                client_id: None,
                client_secret: None,
            } => Ok(Self::Basic { username, password }),
            _ => Err(CredentialsError),
        }
    }
}

/// A source of the credentials.
pub trait CredentialSource {
    /// Returns the credentials, from a cache if there is one.
    ///
    /// # Errors
    /// `Unavailable` if the source does not answer now; `Refused` if it has no readable credentials.
    fn credentials(&self) -> impl Future<Output = Result<Credentials, Failure>>;

    /// Returns the credentials past every cache, after the instance refused the cached ones.
    ///
    /// # Errors
    /// As [`CredentialSource::credentials`].
    fn renewed_credentials(&self) -> impl Future<Output = Result<Credentials, Failure>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_secret_are_read() {
        let client = Credentials::parse(r#"{"client_id":"a","client_secret":"b"}"#).unwrap();
        assert!(matches!(client, Credentials::OAuthClient { .. }));
        let user = Credentials::parse(r#"{"username":"a","password":"b"}"#).unwrap();
        assert!(matches!(user, Credentials::Basic { .. }));
    }

    #[test]
    fn an_unreadable_secret_is_not_repeated_in_the_error() {
        for text in ["hunter2", r#"{"username":"hunter2"}"#, r#"{"password":"hunter2","client_id":"x"}"#] {
            let error = Credentials::parse(text).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn credentials_hide_their_secret_when_printed() {
        let client = Credentials::parse(r#"{"client_id":"a","client_secret":"hunter2"}"#).unwrap();
        assert_eq!(format!("{client:?}"), "OAuthClient(a)");
    }
}
