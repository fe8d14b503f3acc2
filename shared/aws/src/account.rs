//! The credentials of an account: keys of a user, or a role that casebridge assumes.

use std::{fmt, future::Future};

use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_types::SdkConfig;
use casebridge_core::{failure::Failure, identifiers::AccountId};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// The name of our sessions in CloudTrail.
const SESSION_NAME: &str = "casebridge";

/// The session policy of a client that only reads cases. AWS limits the session to these actions, whatever the role
/// grants.
const READING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["support:DescribeCases","support:DescribeCommunications"],"Resource":"*"}]}"#;

/// The session policy of a client that only reads what AWS Support offers.
const CATALOGUE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["support:DescribeServices","support:DescribeSeverityLevels"],"Resource":"*"}]}"#;

/// What a function does in the accounts.
///
/// AWS enforces it for the session of a role. It can't be enforced for keys, which need no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// All calls that the role grants.
    Whole,
    /// Only the calls that read cases.
    Reading,
    /// Only the calls that read what AWS Support offers.
    Catalogue,
}

/// The content of an account's secret.
#[derive(Clone)]
pub enum AccountCredentials {
    /// Keys of a user of the account.
    Keys {
        /// The access key's id.
        access_key_id: String,
        /// The secret key.
        secret_access_key: SecretString,
    },
    /// A role of the account.
    Role {
        /// The role's ARN.
        role_arn: String,
        /// The external id that the role's trust policy asks for.
        external_id: Option<String>,
    },
}

impl fmt::Debug for AccountCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys { .. } => formatter.write_str("Keys(..)"),
            Self::Role { role_arn, .. } => write!(formatter, "Role({role_arn})"),
        }
    }
}

impl PartialEq for AccountCredentials {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Keys { access_key_id, secret_access_key },
                Self::Keys { access_key_id: other_id, secret_access_key: other_key },
            ) => access_key_id == other_id && secret_access_key.expose_secret() == other_key.expose_secret(),
            (
                Self::Role { role_arn, external_id },
                Self::Role { role_arn: other_role, external_id: other_external_id },
            ) => role_arn == other_role && external_id == other_external_id,
            _ => false,
        }
    }
}

/// The text of an account's secret has no known form. The error does not repeat the text.
#[derive(Debug, thiserror::Error)]
#[error(
    "the account's secret is unreadable: expected JSON with `access_key_id` and `secret_access_key`, or with `role_arn` \
     and, if its trust policy asks for one, `external_id`"
)]
pub struct AccountCredentialsError;

/// The fields of an account's secret.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretFields {
    access_key_id: Option<String>,
    secret_access_key: Option<SecretString>,
    role_arn: Option<String>,
    external_id: Option<String>,
}

impl AccountCredentials {
    /// Reads the secret's JSON.
    ///
    /// # Errors
    /// If the text is not JSON with the fields of exactly one form: keys, or a role.
    pub fn parse(text: &str) -> Result<Self, AccountCredentialsError> {
        let fields: SecretFields = serde_json::from_str(text).map_err(|_| AccountCredentialsError)?;
        match fields {
            SecretFields {
                access_key_id: Some(access_key_id),
                secret_access_key: Some(secret_access_key),
                role_arn: None,
                external_id: None,
            } => Ok(Self::Keys { access_key_id, secret_access_key }),
            SecretFields { role_arn: Some(role_arn), external_id, access_key_id: None, secret_access_key: None } => {
                Ok(Self::Role { role_arn, external_id })
            }
            _ => Err(AccountCredentialsError),
        }
    }

    /// Returns the credentials in the SDK's form. The SDK assumes a role before the first call, with the function's own
    /// credentials.
    pub(crate) async fn provider(&self, hub: &SdkConfig, access: Access) -> SharedCredentialsProvider {
        match self {
            Self::Keys { access_key_id, secret_access_key } => SharedCredentialsProvider::new(Credentials::new(
                access_key_id,
                secret_access_key.expose_secret(),
                None,
                None,
                "casebridge account secret",
            )),
            Self::Role { role_arn, external_id } => {
                let builder = AssumeRoleProvider::builder(role_arn).configure(hub).session_name(SESSION_NAME);
                let builder = match external_id {
                    Some(external_id) => builder.external_id(external_id),
                    None => builder,
                };
                let builder = match access {
                    Access::Whole => builder,
                    Access::Reading => builder.policy(READING),
                    Access::Catalogue => builder.policy(CATALOGUE),
                };
                SharedCredentialsProvider::new(builder.build().await)
            }
        }
    }
}

/// A source of the accounts' credentials.
pub trait AccountSource {
    /// Returns the account's credentials, from a cache if there is one.
    ///
    /// # Errors
    /// `Unavailable` if the source does not answer now; `Refused` if it has no readable credentials for the account.
    fn credentials(&self, account: &AccountId) -> impl Future<Output = Result<AccountCredentials, Failure>>;

    /// Returns the account's credentials past every cache, after AWS refused the cached ones.
    ///
    /// # Errors
    /// As [`AccountSource::credentials`].
    fn renewed_credentials(&self, account: &AccountId) -> impl Future<Output = Result<AccountCredentials, Failure>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_roles_are_read() {
        let keys = AccountCredentials::parse(r#"{"access_key_id":"AKIA","secret_access_key":"s"}"#).unwrap();
        assert!(matches!(keys, AccountCredentials::Keys { .. }));
        let role = AccountCredentials::parse(r#"{"role_arn":"arn:aws:iam::111122223333:role/casebridge"}"#).unwrap();
        assert!(matches!(role, AccountCredentials::Role { external_id: None, .. }));
    }

    #[test]
    fn an_unreadable_secret_is_not_repeated() {
        for text in
            ["hunter2", r#"{"secret_access_key":"hunter2"}"#, r#"{"role_arn":"a","secret_access_key":"hunter2"}"#]
        {
            let error = AccountCredentials::parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
        let keys = AccountCredentials::parse(r#"{"access_key_id":"AKIA","secret_access_key":"hunter2"}"#).unwrap();
        assert!(!format!("{keys:?}").contains("hunter2"));
    }
}
