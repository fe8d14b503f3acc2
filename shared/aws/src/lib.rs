#![doc = include_str!("../README.md")]

use std::time::Duration;

use aws_types::SdkConfig;

mod account;
mod catalogue;
mod failure;
mod files;
mod identity;
mod support;

pub use account::{AccountCredentials, AccountCredentialsError, AccountSource};
pub use files::{Download, FileClient, FileClientError};
pub use support::SupportClient;

/// How long a connection may take: TCP sends a lost packet again after one second and after two more. All calls use the
/// same value, because clients with different settings share no connections.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Returns the configuration without credentials, for a request that only opens a connection. AWS refuses the request.
/// Its client must allow requests without authentication.
pub fn anonymous_config(sdk: &SdkConfig) -> SdkConfig {
    let mut anonymous = sdk.clone().into_builder();
    anonymous.set_credentials_provider(None);
    anonymous.build()
}
