//! The failures of AWS Support, as the client reports them.

use casebridge_core::failure::{Failure, Refusal};
use casebridge_simulator::support::SupportError;

pub(super) fn failure(error: &SupportError) -> Failure {
    let message = format!("AWS Support answered {}: {error}", error.code());
    let refusal = match error {
        SupportError::Throttling => return Failure::Unavailable { message, retry_at: None },
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
    Failure::Unavailable { message: "AWS Support throttles".to_owned(), retry_at: None }
}
