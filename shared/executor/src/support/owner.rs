//! Which link has the case that a hint or an event names.

use casebridge_core::{
    hint::Cause,
    identifiers::{AccountId, CaseId, CaseKey, LinkKey},
    policy::Policy,
    support::{
        index,
        unknown_case::{self, UnknownCase},
    },
};
use casebridge_ledger::{Ledger, LedgerError};
use jiff::Timestamp;

use crate::counted::Counted;

/// Which link has a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    /// This link.
    Link(LinkKey),
    /// No link is known; this is what to do with the event.
    Unknown(UnknownCase),
}

/// A case that a hint or an event names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HintedCase<'a> {
    /// The account that owns the case.
    pub(crate) account: &'a AccountId,
    /// The case.
    pub(crate) case_id: &'a CaseId,
    /// The trigger.
    pub(crate) cause: Cause,
    /// When the trigger was received, by our clock.
    pub(crate) received_at: Timestamp,
}

/// Finds the link of a case. If no link is known, the undecided CreateCases of the case's account decide what to do
/// with the event.
///
/// # Errors
///
/// Fails if the ledger does.
pub(crate) async fn owner_of_case(
    ledger: &Counted<'_, impl Ledger>,
    policy: &Policy,
    named: HintedCase<'_>,
    now: Timestamp,
) -> Result<Owner, LedgerError> {
    let HintedCase { account, case_id, cause, received_at } = named;
    let row = index::case(&CaseKey::new(account.clone(), case_id));
    if let Some(link) = ledger.link_at(&row).await? {
        return Ok(Owner::Link(link));
    }
    let newest = newest_undecided(ledger, account, received_at, now).await?;
    let unknown = unknown_case::decide(policy, cause, newest, now);
    if unknown != UnknownCase::NotOurs {
        return Ok(Owner::Unknown(unknown));
    }
    // The outcome may have been recorded between the two lookups.
    Ok(ledger.link_at(&row).await?.map_or(Owner::Unknown(unknown), Owner::Link))
}

/// Returns when the newest undecided CreateCase of an account was written that may have opened a case which was reported
/// at `received_at`. Returns `None` if there is none.
pub(crate) async fn newest_undecided(
    ledger: &Counted<'_, impl Ledger>,
    account: &AccountId,
    received_at: Timestamp,
    now: Timestamp,
) -> Result<Option<Timestamp>, LedgerError> {
    let (from, until) = unknown_case::candidates(received_at, now);
    let newest = ledger.last_between(&index::undecided_between(account, from, until)).await?;
    Ok(newest.as_ref().map(index::written_at).transpose()?)
}
