//! The app's own columns on an incident.

use serde::{Deserialize, Serialize};

/// The app's columns on incident (`x_casebridge_aws_*`), written by casebridge alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BridgeColumns {
    /// The account that holds the case.
    pub account: String,
    /// The id of the case.
    pub case_id: String,
    /// The number of the case that people see.
    pub display_id: String,
    /// The status of the case, in AWS's words.
    pub case_status: String,
    /// `pending`, `in_sync`, `waiting` or `error`.
    pub sync_status: String,
    /// What is wrong and what to do, in plain words; empty when nothing is.
    pub last_error: String,
}
