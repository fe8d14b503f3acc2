//! The AWS side: Support of every account, each with credentials of its own.
//!
//! No operation of AWS Support has an idempotency token, so a write is sent once: retries of the SDK are off for it, and
//! whatever is not certainly refused is in doubt. Reads are repeated by the SDK within bounds.

mod account;
mod failure;
mod support;

pub use account::{AccountCredentials, AccountCredentialsError, AccountSource};
pub use support::SupportClient;
