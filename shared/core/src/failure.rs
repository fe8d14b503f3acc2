//! Why a request to a side came to nothing.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a side refused for good: a repeat of the same request meets the same answer until something changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The account has no support plan with an API (`SubscriptionRequiredException`).
    Subscription,
    /// The account has opened too many cases for now (`CaseCreationLimitExceeded`).
    CaseQuota,
    /// The side does not accept the credentials or they lack a permission.
    Credentials,
    /// The side does not accept a value: a service code, a severity, a field.
    InvalidRequest,
    /// The record is not there (any more).
    NotFound,
    /// The record is there, and its side does not show it to casebridge: an incident that is not linked, not in scope, and
    /// was never announced.
    NotServed,
}

/// Why an effect or a read came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Certainly not applied; waiting alone does not help.
    Refused {
        /// Why.
        refusal: Refusal,
        /// The side's own words, without secrets.
        message: String,
    },
    /// Certainly not applied; later it may be: throttled, or not reachable on a read.
    Unavailable {
        /// The side's own words, without secrets.
        message: String,
        /// Not before then, if the side said so.
        retry_at: Option<Timestamp>,
    },
    /// It may have been applied and may not have been.
    InDoubt {
        /// What happened, without secrets.
        message: String,
    },
}

impl Failure {
    /// The side's own words.
    pub fn message(&self) -> &str {
        match self {
            Self::Refused { message, .. } | Self::Unavailable { message, .. } | Self::InDoubt { message } => message,
        }
    }

    /// The failure's name in logs.
    pub fn name(&self) -> &'static str {
        self.kind().name()
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Refused { refusal, .. } => FailureKind::Refused(*refusal),
            Self::Unavailable { .. } => FailureKind::Unavailable,
            Self::InDoubt { .. } => FailureKind::InDoubt,
        }
    }
}

/// A failure without the words of its side.
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
    /// The failure's name in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused(Refusal::Subscription) => "refused_subscription",
            Self::Refused(Refusal::CaseQuota) => "refused_case_quota",
            Self::Refused(Refusal::Credentials) => "refused_credentials",
            Self::Refused(Refusal::InvalidRequest) => "refused_invalid_request",
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
            (refused(Refusal::NotFound), "refused_not_found"),
            (refused(Refusal::NotServed), "refused_not_served"),
            (Failure::Unavailable { message: message(), retry_at: None }, "unavailable"),
            (Failure::InDoubt { message: message() }, "in_doubt"),
        ] {
            assert_eq!(failure.kind().to_string(), name);
            assert_eq!(failure.message(), message(), "{name}");
        }
    }
}
