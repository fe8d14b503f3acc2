//! The AWS side: Support of every account, each with credentials of its own.
//!
//! No operation of AWS Support has an idempotency token, so a write is sent once: retries of the SDK are off for it, and
//! whatever is not certainly refused is in doubt. Reads are repeated by the SDK within bounds. A credential is used only
//! once it is known to be of the account that it is kept for.

use std::time::Duration;

use aws_types::SdkConfig;

mod account;
mod failure;
mod identity;
mod support;

pub use account::{AccountCredentials, AccountCredentialsError, AccountSource};
pub use support::SupportClient;

/// How long a connection may take. The same for every call: clients with other settings would share no connections.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The configuration of one who signs nothing, for a request that only opens a connection: AWS refuses it. The request's
/// client must allow that there are no credentials.
pub fn nobody(sdk: &SdkConfig) -> SdkConfig {
    let mut nobody = sdk.clone().into_builder();
    nobody.set_credentials_provider(None);
    nobody.build()
}
