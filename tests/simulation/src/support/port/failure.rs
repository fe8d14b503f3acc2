//! The failures of AWS Support, as the client reports them.

use casebridge_core::{
    failure::{Failure, Refusal},
    identifiers::AccountId,
};
use casebridge_simulator::support::SupportError;

use crate::{calls::unavailable, world::World};

pub(super) fn failure(error: &SupportError) -> Failure {
    let message = format!("AWS Support answered {}: {error}", error.code());
    let refusal = match error {
        SupportError::Throttling => return unavailable(&message),
        SupportError::SubscriptionRequired => Refusal::Subscription,
        SupportError::CaseCreationLimitExceeded => Refusal::CaseQuota,
        SupportError::CaseIdNotFound(_) => Refusal::NotFound,
        SupportError::UnrecognizedClient | SupportError::MissingAuthenticationToken => Refusal::Credentials,
        _ => Refusal::InvalidRequest,
    };
    Failure::Refused { refusal, message }
}

pub(super) fn in_doubt() -> Failure {
    Failure::InDoubt { message: "AWS Support did not answer in time".to_owned() }
}

pub(super) fn throttled() -> Failure {
    unavailable("AWS Support throttles")
}

impl World {
    /// Refuses a call for an account that AWS refuses now.
    pub(in crate::support) fn admit(&self, account: &AccountId) -> Result<(), Failure> {
        match self.refused_accounts.get(account) {
            Some(refusal) => {
                Err(Failure::Refused { refusal: *refusal, message: format!("AWS Support answered {refusal:?}") })
            }
            None => Ok(()),
        }
    }
}
