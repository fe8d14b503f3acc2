//! The check that credentials belong to the account that they are kept for. It comes before their first use.
//!
//! A secret with the credentials of another account would open cases there, in sight of other people. So the client
//! compares the account with the role's ARN, or with the answer of STS for keys, and sends nothing where they differ. A
//! case whose id names another account raises an alarm and is linked all the same, since the credentials are known to
//! be the account's.

use std::time::Duration;

use aws_sdk_sts::config::{Builder, IdentityCache, retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::SdkConfig;
use casebridge_core::{
    failure::{Failure, Refusal},
    identifiers::{AccountId, CaseId},
};

use crate::{
    account::{Access, AccountCredentials},
    failure::{Problem, classify_identity, is_answered},
};

/// How long GetCallerIdentity may take with its repeats. It comes before a call to AWS Support, once for each new
/// secret.
const IDENTITY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one attempt may take: two of them fit in [`IDENTITY_TIMEOUT`].
const IDENTITY_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);
/// The attempts of GetCallerIdentity: the SDK's own number.
const IDENTITY_ATTEMPTS: u32 = 3;
/// The segment of a role's ARN that holds the account: `arn:aws:iam::<account>:role/<name>`.
const ACCOUNT_SEGMENT: usize = 4;
/// The segment of a case's id that holds the account: `case-<account>-<language>-<year>-<hexadecimal digits>`. Source:
/// AWS Support API, CaseDetails.
const CASE_ACCOUNT_SEGMENT: usize = 1;

/// Credentials that are known to belong to another account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Foreign {
    message: String,
}

impl Foreign {
    fn new(what: &str, owner: &str, account: &AccountId) -> Self {
        let owner = if owner.is_empty() { "no account" } else { owner };
        let message = format!(
            "the secret of account {account} holds {what} of {owner}: nothing was sent; store credentials of {account}"
        );
        Self { message }
    }

    /// Returns the refusal, and writes the log line that the alarm looks for.
    pub(crate) fn problem(&self, account: &AccountId) -> Problem {
        tracing::error!(account = %account, alarm = "foreign_credentials", "{}", self.message);
        let failure = Failure::Refused { refusal: Refusal::Credentials, message: self.message.clone() };
        // The secret may have been corrected meanwhile: read it again, past the cache.
        Problem { failure, stale_credentials: true }
    }
}

/// Returns whether the credentials are the account's or another account's. Fails if that could not be found out.
pub(crate) async fn check(
    hub: &SdkConfig,
    account: &AccountId,
    credentials: &AccountCredentials,
) -> Result<Result<(), Foreign>, Problem> {
    let (what, owner) = match credentials {
        AccountCredentials::Role { role_arn, .. } => {
            ("a role", role_arn.split(':').nth(ACCOUNT_SEGMENT).unwrap_or_default().to_owned())
        }
        AccountCredentials::Keys { .. } => ("keys", owner_of_keys(hub, credentials).await?),
    };
    Ok(if is_same_account(&owner, account.as_str()) { Ok(()) } else { Err(Foreign::new(what, &owner, account)) })
}

/// Returns the account that STS names for keys. The call needs no permission. Source: AWS STS API, GetCallerIdentity.
async fn owner_of_keys(hub: &SdkConfig, credentials: &AccountCredentials) -> Result<String, Problem> {
    let config = config(hub)
        .credentials_provider(credentials.provider(hub, Access::Whole).await)
        // No cache, since this client makes one call. The hub's cache has room for few identities: its own.
        .identity_cache(IdentityCache::no_cache())
        .build();
    let answer = aws_sdk_sts::Client::from_conf(config).get_caller_identity().send().await;
    let answer = answer.map_err(|error| classify_identity(&error))?;
    Ok(answer.account.unwrap_or_default())
}

/// Opens a connection to STS with an unsigned request, which STS refuses. Returns whether STS answered.
pub(crate) async fn connect(anonymous: &SdkConfig) -> bool {
    let client = aws_sdk_sts::Client::from_conf(config(anonymous).allow_no_auth().build());
    is_answered(&client.get_caller_identity().send().await)
}

fn config(hub: &SdkConfig) -> Builder {
    Builder::from(hub).retry_config(RetryConfig::standard().with_max_attempts(IDENTITY_ATTEMPTS)).timeout_config(
        TimeoutConfig::builder()
            .connect_timeout(crate::CONNECT_TIMEOUT)
            .operation_attempt_timeout(IDENTITY_ATTEMPT_TIMEOUT)
            .operation_timeout(IDENTITY_TIMEOUT)
            .build(),
    )
}

/// Writes the log line that an alarm looks for, if the id of a case names another account than the one whose
/// credentials read or opened the case. Ignores an id without an account.
pub(crate) fn log_case_of_another_account(account: &AccountId, case_id: &CaseId) {
    if names_another(account, case_id) {
        tracing::error!(account = %account, case_id = %case_id, alarm = "foreign_case", "a case's id names another account");
    }
}

fn names_another(account: &AccountId, case_id: &CaseId) -> bool {
    let owner = case_id.as_str().split('-').nth(CASE_ACCOUNT_SEGMENT).and_then(number);
    owner.is_some() && owner != number(account.as_str())
}

/// Returns an account as a number, since some tables and documents drop leading zeros. Returns `None` if the text is
/// not a number.
fn number(account: &str) -> Option<u64> {
    account.parse().ok().filter(|_| account.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_same_account(left: &str, right: &str) -> bool {
    number(left).is_some() && number(left) == number(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_in_a_cases_id_is_compared_as_a_number() {
        let names_another = |account: &str, id: &str| names_another(&AccountId::new(account), &CaseId::new(id));
        for id in
            ["case-111122223333-muen-2027-0c3a", "case-0111122223333-2027-0c3a", "case--2027-0c3a", "case", "other"]
        {
            assert!(!names_another("111122223333", id), "{id}");
        }
        assert!(!names_another("012345678901", "case-12345678901-2013-c4c1d2bf33c5cf47"));
        assert!(names_another("111122223333", "case-444455556666-muen-2027-0c3a"));
    }

    #[test]
    fn accounts_are_compared_as_numbers() {
        assert!(is_same_account("012345678901", "12345678901"));
        assert!(is_same_account("111122223333", "111122223333"));
        for (left, right) in [("111122223333", "444455556666"), ("", ""), ("+1", "1"), ("aws", "aws")] {
            assert!(!is_same_account(left, right), "{left} {right}");
        }
    }
}
