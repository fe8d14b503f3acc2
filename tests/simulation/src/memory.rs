//! What is remembered of what people did, to judge the world by.

use std::collections::{BTreeMap, BTreeSet};

use casebridge_core::identifiers::{AccountId, IncidentId, JournalEntryId};
use jiff::Timestamp;

use crate::{
    servicenow::model::{Account, Record},
    support::judge::{endings::Endings, pauses::Pauses, refusals::Refusals},
};

/// What people did, as far as the two sides do not show it.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// The cases that people opened at AWS.
    pub own_cases: BTreeSet<String>,
    /// The communications that people wrote: case and time.
    pub persons: BTreeSet<(String, Timestamp)>,
    /// The `sys_mod_count` of each incident after an agent last set its state.
    pub state_changes: BTreeMap<IncidentId, u64>,
    /// How often people reopened an incident.
    pub reopenings: BTreeMap<IncidentId, usize>,
    /// The incidents that have been in scope, each with the accounts of which.
    pub ever_in_scope: BTreeMap<IncidentId, BTreeSet<AccountId>>,
    /// The incidents that were deleted.
    pub gone: BTreeMap<IncidentId, Record>,
    /// The comments that were written when their incident was closed or cancelled.
    pub after_closing: BTreeSet<JournalEntryId>,
    /// The comments of incidents that were closed while their group belonged to another account: AWS need not get them.
    pub left_behind: BTreeSet<JournalEntryId>,
    /// Incidents as they once were, and until when by ServiceNow's clock: what a node that lags shows, and what an
    /// administrator puts back.
    pub earlier: BTreeMap<IncidentId, (Record, Timestamp)>,
    /// The incidents that an administrator has put back.
    pub restored: BTreeSet<IncidentId>,
    /// What was seen of ends and reopenings.
    pub endings: Endings,
    /// What either side has refused.
    pub refusals: Refusals,
    /// What was seen of pauses.
    pub pauses: Pauses,
    /// When casebridge wrote to either side of a link.
    pub writes: BTreeMap<IncidentId, Vec<Timestamp>>,
    /// The accounts whose records were deleted.
    pub removed_accounts: Vec<Account>,
    /// How many tokens there are.
    pub tokens: u64,
}
