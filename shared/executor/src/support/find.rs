//! Finds the link of a case that a hint names.

use std::ops::ControlFlow;

use casebridge_core::{
    failure::Failure,
    identifiers::{CaseKey, LinkKey},
    link::trouble::Side,
    policy::Policy,
    support::{
        NamedCase,
        case::Case,
        index,
        opened_case::{self, Intake, OpenedCase},
        read::NamedCaseReader,
        unknown_case::{self, UnknownCase},
    },
};
use casebridge_ports::Clock;

use crate::{
    counted::CountedPorts,
    error::ReconcileError,
    ports::Ports,
    report::Report,
    support::{
        carrier::SupportCarrier,
        owner::{HintedCase, Owner, newest_undecided, owner_of_case},
    },
};

/// The link of a hint.
pub(crate) struct Found {
    pub(crate) key: LinkKey,
    /// A case that carries a mark of the link or becomes its incident, and is not the link's case, or not yet. `None` if
    /// the link was found by the case's key or named by the hint.
    pub(crate) case: Option<NamedCase>,
}

/// Finds the link of a case by the case's key, or by the mark of a CreateCase that is in doubt or was given up. A case
/// that others opened at AWS has neither: if it becomes an incident, its link is the one of that incident. Returns `None`
/// if there is no link; `report.unknown_case` says what was decided.
pub(crate) async fn find_link<P: Ports>(
    ports: &CountedPorts<'_, P>,
    policy: &Policy,
    named: HintedCase<'_>,
    report: &mut Report,
) -> Result<Option<Found>, ReconcileError> {
    let now = ports.clock.now();
    let mut unknown = match owner_of_case(&ports.ledger, policy, named, now).await? {
        Owner::Link(key) => return Ok(Some(Found { key, case: None })),
        Owner::Unknown(unknown) => unknown,
    };
    if unknown == UnknownCase::Read && unknown_case::is_limited(named.cause) {
        let reads = ports.ledger.count_in_minute(named.account, unknown_case::READS, now).await?;
        unknown = unknown_case::within_limit(reads);
    }
    report.unknown_case = Some(unknown);
    if unknown == UnknownCase::Read { find_link_by_read(ports, policy, named, report).await } else { Ok(None) }
}

/// Finds the link of a case by what the case shows: the mark that its first communication carries, or that it becomes
/// an incident. Returns `None` if there is no link or the case can't be read. The link that opened the case, if any, is
/// due by itself, and the poller names a case again that others opened.
async fn find_link_by_read<P: Ports>(
    ports: &CountedPorts<'_, P>,
    policy: &Policy,
    named: HintedCase<'_>,
    report: &mut Report,
) -> Result<Option<Found>, ReconcileError> {
    let case = match read_case(ports, named).await? {
        Ok(Some(case)) => case,
        Ok(None) => return Ok(None),
        Err(failure) => {
            report.failed(Side::Aws, &failure);
            return Ok(None);
        }
    };
    for marked in unknown_case::marked_cases(named.account, &case) {
        if let Some(key) = ports.ledger.link_at(&index::open_intent(named.account, &marked.mark)).await? {
            return Ok(Some(Found { key, case: Some(NamedCase::Marked(marked)) }));
        }
    }
    // The outcome may have been recorded since the first lookup.
    let link = ports.ledger.link_at(&index::case(&CaseKey::new(named.account.clone(), named.case_id))).await?;
    if let Some(key) = link {
        return Ok(Some(Found { key, case: None }));
    }
    take_in(ports, policy, named, &case, report).await
}

/// Returns the link of the incident that is opened for a case without a link; `None` if none is.
async fn take_in<P: Ports>(
    ports: &CountedPorts<'_, P>,
    policy: &Policy,
    named: HintedCase<'_>,
    case: &Case,
    report: &mut Report,
) -> Result<Option<Found>, ReconcileError> {
    let (account, case_id) = (named.account.clone(), named.case_id.clone());
    let now = ports.clock.now();
    let undecided = newest_undecided(&ports.ledger, &account, now, now).await?;
    match opened_case::decide(policy, &account, case, undecided.is_some(), now) {
        Intake::OpenIncident(key) => {
            let opened = OpenedCase { account, case_id };
            Ok(Some(Found { key, case: Some(NamedCase::Opened(opened)) }))
        }
        Intake::Ignored | Intake::Ours => {
            report.unknown_case = Some(UnknownCase::NotOurs);
            Ok(None)
        }
        Intake::Unread => Ok(None),
    }
}

/// Reads a case without a known link. The inner error is AWS Support's. The inner `None` says that the case is not
/// there or is too old to be ours.
async fn read_case<P: Ports>(
    ports: &CountedPorts<'_, P>,
    named: HintedCase<'_>,
) -> Result<Result<Option<Case>, Failure>, ReconcileError> {
    let carrier = SupportCarrier { ports };
    let mut reader = NamedCaseReader::new(named.account.clone(), named.case_id.clone());
    loop {
        let answer = match carrier.ask(&reader.question()).await? {
            Ok(answer) => answer,
            Err(failure) => return Ok(Err(failure)),
        };
        let now = ports.clock.now();
        if let ControlFlow::Break(read) =
            reader.see(answer, |created| unknown_case::is_young_enough(named.cause, created, now))?
        {
            return Ok(read);
        }
    }
}
