//! The app's own columns on an incident.

use serde::{Deserialize, Serialize};

/// The app's columns on `incident` (`x_casebridge_aws_*`). Only casebridge writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BridgeColumns {
    /// The account that holds the case.
    pub account: String,
    /// The id of the case.
    pub case_id: String,
    /// The number of the case that people see.
    pub display_id: String,
    /// The status of the case, as AWS writes it.
    pub case_status: String,
    /// `pending`, `in_sync`, `waiting` or `error`.
    pub sync_status: String,
    /// What is wrong and what to do, in plain words. Empty if nothing is wrong.
    pub last_error: String,
}

impl BridgeColumns {
    /// Returns the columns for an incident whose link has become too large to be recorded.
    pub(crate) fn of_full_link(&self) -> Self {
        let last_error = "casebridge remembers more of this incident than one link can hold and stopped here. Open a new \
                          incident, and tell the operators of casebridge.";
        Self { sync_status: "error".to_owned(), last_error: last_error.to_owned(), ..self.clone() }
    }
}
