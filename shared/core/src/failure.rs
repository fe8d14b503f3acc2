//! Why a request to a side failed.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A side of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// AWS Support.
    Aws,
    /// ServiceNow.
    #[serde(rename = "servicenow")]
    ServiceNow,
}

impl Side {
    /// Returns the side's name in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::ServiceNow => "servicenow",
        }
    }
}

/// Why a side refused a request. A repeat of the same request gets the same answer until something changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The account has no support plan with an API (`SubscriptionRequiredException`).
    Subscription,
    /// The account has opened too many cases for now (`CaseCreationLimitExceeded`).
    CaseQuota,
    /// The side does not accept the credentials, or they lack a permission.
    Credentials,
    /// The side does not accept a value, for example a service code, a severity or a field.
    InvalidRequest,
    /// ServiceNow has no active record of the account, so the account gets no incidents.
    AccountNotInUse,
    /// The record does not exist, or no longer.
    NotFound,
    /// The record exists, but its side does not show it to casebridge. ServiceNow does this for an incident that is not
    /// linked, not in scope, and was never announced.
    NotServed,
}

/// Why an effect or a read failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It was certainly not applied. Waiting alone does not help.
    Refused {
        /// Why.
        refusal: Refusal,
        /// The side's own message, without secrets.
        message: String,
    },
    /// It was certainly not applied, but a later try may succeed: the side throttled it, or did not answer a read.
    Unavailable {
        /// The side's own message, without secrets.
        message: String,
        /// The earliest time for a retry, if the side gave one.
        retry_at: Option<Timestamp>,
    },
    /// It may or may not have been applied.
    InDoubt {
        /// What happened, without secrets.
        message: String,
    },
}

impl Failure {
    /// Returns the side's own message.
    pub fn message(&self) -> &str {
        match self {
            Self::Refused { message, .. } | Self::Unavailable { message, .. } | Self::InDoubt { message } => message,
        }
    }

    /// Returns the failure's name in logs.
    pub fn name(&self) -> &'static str {
        self.kind().name()
    }

    /// Returns the failure without its message.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Refused { refusal, .. } => FailureKind::Refused(*refusal),
            Self::Unavailable { .. } => FailureKind::Unavailable,
            Self::InDoubt { .. } => FailureKind::InDoubt,
        }
    }
}

/// A failure without its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// See [`Failure::Refused`].
    Refused(Refusal),
    /// See [`Failure::Unavailable`].
    Unavailable,
    /// See [`Failure::InDoubt`].
    InDoubt,
}

impl FailureKind {
    /// Returns the failure's name in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused(Refusal::Subscription) => "refused_subscription",
            Self::Refused(Refusal::CaseQuota) => "refused_case_quota",
            Self::Refused(Refusal::Credentials) => "refused_credentials",
            Self::Refused(Refusal::InvalidRequest) => "refused_invalid_request",
            Self::Refused(Refusal::AccountNotInUse) => "refused_account_not_in_use",
            Self::Refused(Refusal::NotFound) => "refused_not_found",
            Self::Refused(Refusal::NotServed) => "refused_not_served",
            Self::Unavailable => "unavailable",
            Self::InDoubt => "in_doubt",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_a_name_for_alarms_and_keeps_the_words_of_its_side() {
        let message = || "no such service code".to_owned();
        let refused = |refusal| Failure::Refused { refusal, message: message() };
        for (failure, name) in [
            (refused(Refusal::Subscription), "refused_subscription"),
            (refused(Refusal::CaseQuota), "refused_case_quota"),
            (refused(Refusal::Credentials), "refused_credentials"),
            (refused(Refusal::InvalidRequest), "refused_invalid_request"),
            (refused(Refusal::AccountNotInUse), "refused_account_not_in_use"),
            (refused(Refusal::NotFound), "refused_not_found"),
            (refused(Refusal::NotServed), "refused_not_served"),
            (Failure::Unavailable { message: message(), retry_at: None }, "unavailable"),
            (Failure::InDoubt { message: message() }, "in_doubt"),
        ] {
            assert_eq!(failure.kind().to_string(), name);
            assert_eq!(failure.message(), message(), "{name}");
        }
    }

    #[test]
    fn a_side_has_a_name_for_logs() {
        assert_eq!([Side::Aws, Side::ServiceNow].map(Side::name), ["aws", "servicenow"]);
    }
}
