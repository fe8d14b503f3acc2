//! What people did, remembered for the judges.

use std::collections::{BTreeMap, BTreeSet};

use casebridge_core::{
    identifiers::{AccountId, ExternalId, IncidentId, JournalEntryId},
    servicenow::incident::CaseOptions,
};
use jiff::Timestamp;

use crate::{
    servicenow::model::{Account, Attachment, Record},
    support::judge::{endings::Endings, pauses::Pauses, refusals::Refusals},
};

/// What people did and what the two sides do not show.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// The cases that people opened at AWS.
    pub own_cases: BTreeSet<String>,
    /// The incidents that casebridge opened for cases of people.
    pub opened_for_cases: BTreeSet<IncidentId>,
    /// The incidents that casebridge opened for each case after the one before was closed, the oldest first.
    pub next_incidents: BTreeMap<String, Vec<IncidentId>>,
    /// The communications that people wrote, by case and time.
    pub persons: BTreeSet<(String, Timestamp)>,
    /// The `sys_mod_count` of each record after an agent last set its state, by the number of the record. An incident that
    /// was deleted and opened again has its old `sys_id`, but another number: its update count begins anew.
    pub state_changes: BTreeMap<String, u64>,
    /// How often people changed the severity of each case.
    pub severity_changes: BTreeMap<String, usize>,
    /// The cases of which people changed the language.
    pub renamed: BTreeSet<String>,
    /// What each incident has said of its case.
    pub options: BTreeMap<IncidentId, Vec<CaseOptions>>,
    /// How often people reopened each incident.
    pub reopenings: BTreeMap<IncidentId, usize>,
    /// The incidents that have ever been in scope, each with the accounts that it was in scope of.
    pub ever_in_scope: BTreeMap<IncidentId, BTreeSet<AccountId>>,
    /// The incidents that were deleted.
    pub gone: BTreeMap<IncidentId, Record>,
    /// The incidents of which a webhook was lost.
    pub unreported: BTreeSet<IncidentId>,
    /// The incidents of which a webhook was lost and that were closed while a rule hid them.
    pub closed_while_hidden: BTreeSet<IncidentId>,
    /// The incidents that the latest answer showed as closed.
    pub shown_as_closed: BTreeSet<IncidentId>,
    /// The journal entries that people wrote while their incident was closed or cancelled.
    pub after_closing: BTreeSet<JournalEntryId>,
    /// The comments of incidents that were closed while their group belonged to another account, or while a rule hid them
    /// and no webhook reported it. They need not reach AWS.
    pub left_behind: BTreeSet<JournalEntryId>,
    /// The previous record of each incident, and the time until which it was current, by ServiceNow's clock. A lagging
    /// node shows it, and an administrator restores it.
    pub earlier: BTreeMap<IncidentId, (Record, Timestamp)>,
    /// The incidents that an administrator has restored to an earlier record.
    pub restored: BTreeSet<IncidentId>,
    /// What the judge of reopenings has seen.
    pub endings: Endings,
    /// The requests that either side has refused.
    pub refusals: Refusals,
    /// What the judge of pauses has seen.
    pub pauses: Pauses,
    /// When casebridge wrote to either side of a link.
    pub writes: BTreeMap<IncidentId, Vec<Timestamp>>,
    /// The accounts whose records were deleted.
    pub removed_accounts: Vec<Account>,
    /// The texts of the messages that the instance has refused and not taken since. casebridge drops a note that is
    /// refused.
    pub refused_messages: BTreeMap<(IncidentId, ExternalId), String>,
    /// The files that agents removed from incidents.
    pub removed_files: Vec<Attachment>,
    /// How many tokens were made so far.
    pub tokens: u64,
}
