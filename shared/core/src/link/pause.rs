//! The pause of a link: why casebridge sends nothing to AWS for now, although the link goes on.
//!
//! A link pauses while its account is not active in ServiceNow, and, by policy, while the incident's group belongs to
//! another account, since what that group's agents write is not meant for the account of the case. If the group belongs
//! to no account, the link does not pause.
//!
//! During a pause casebridge still delivers what AWS writes. The incident shows the account's conversation anyway, so a
//! reply discloses nothing new to its readers, and a reply that is held back is lost if the pause never ends.
//! casebridge changes no state on either side: a case must not end the work of a group that has nothing to do with it.

use crate::{
    identifiers::AccountId,
    link::{Link, remembered::Remembered},
    policy::{GroupRule, Policy},
    servicenow::{
        columns::ACCOUNT,
        incident::{AccountState, IncidentSummary},
    },
};

/// Why a link pauses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pause {
    /// The account of the case is set inactive in ServiceNow.
    AccountInactive {
        /// The account of the case.
        account: AccountId,
    },
    /// ServiceNow has no record of the account of the case, or no longer has one.
    AccountMissing {
        /// The account of the case.
        account: AccountId,
    },
    /// The incident's group belongs to another account.
    GroupOfAnotherAccount {
        /// The account of the case.
        account: AccountId,
        /// The first account of the group. It is the active one, if the group has one.
        of_group: AccountId,
    },
}

impl Pause {
    /// Returns what pauses the link, as the remembered incident shows it, or `None`. Only a link with a record pauses.
    /// Without a record there is nothing to pause: no record is opened for an incident that is out of scope.
    pub fn of<K: Remembered>(policy: &Policy, link: &Link<K>) -> Option<Self> {
        let (account, incident) = (K::account(&link.memory)?, link.incident.as_ref()?);
        let account = || account.clone();
        match account_state(incident, &account()) {
            AccountState::Inactive => return Some(Self::AccountInactive { account: account() }),
            AccountState::Missing => return Some(Self::AccountMissing { account: account() }),
            AccountState::Active | AccountState::Unknown(_) => {}
        }
        let of_group = incident.group_accounts.first().filter(|_| !incident.group_accounts.contains(&account()))?;
        match policy.group_of_another_account {
            GroupRule::Keep => None,
            GroupRule::Pause => Some(Self::GroupOfAnotherAccount { account: account(), of_group: of_group.clone() }),
        }
    }

    /// Returns the text for agents: why the link pauses, and what they can do.
    pub fn advice(&self) -> String {
        let told = match self {
            Self::AccountInactive { account } => format!(
                "AWS account {account} is inactive in ServiceNow, so nothing is sent to its case. What is written here is \
                 sent when the account is active again; ask an administrator of casebridge. Replies of AWS still arrive."
            ),
            Self::AccountMissing { account } => format!(
                "ServiceNow has no record of AWS account {account}, so nothing is sent to its case. What is written here is \
                 sent when the account is there again; ask an administrator of casebridge. Replies of AWS still arrive."
            ),
            Self::GroupOfAnotherAccount { account, of_group } => format!(
                "the assignment group belongs to AWS account {of_group} and the case to {account}, so nothing is sent to the \
                 case. Assign the incident to a group of {account} or of no account: then what was written here is sent. \
                 For a case in {of_group} open a new incident. Replies of AWS still arrive."
            ),
        };
        format!("Paused: {told}")
    }
}

/// Returns the state of the case's account in ServiceNow. The incident shows the state of the account that its own
/// column names. That column may not name the case's account yet, or may have been copied or restored; then the state
/// is unknown.
fn account_state(incident: &IncidentSummary, account: &AccountId) -> AccountState {
    let is_told = incident.columns.own(ACCOUNT) == account.as_str();
    if is_told { incident.linked_account_state.clone() } else { AccountState::default() }
}
