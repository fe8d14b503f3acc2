//! Finds the link of a case that a hint names.

use std::ops::ControlFlow;

use casebridge_core::{
    failure::Failure,
    identifiers::{CaseKey, LinkKey},
    link::trouble::Side,
    support::{
        case::Case,
        index,
        read::NamedCaseReader,
        unknown_case::{self, MarkedCase, UnknownCase},
    },
};
use casebridge_ledger::Ledger;
use casebridge_ports::Clock;

use crate::{
    counted::CountedPorts,
    error::ReconcileError,
    ports::Ports,
    report::Report,
    support::{
        carrier::SupportCarrier,
        owner::{NamedCase, Owner, owner_of_case},
    },
};

/// The link of a hint.
pub(crate) struct Found {
    pub(crate) key: LinkKey,
    /// A case that carries a mark of the link and is not the link's case, or not yet. `None` if the link was found by
    /// the case's key or named by the hint.
    pub(crate) case: Option<MarkedCase>,
}

/// Finds the link of a case by the case's key, or by the mark of a CreateCase that is in doubt or was given up. Returns
/// `None` if no link was found; `report.unknown_case` says what was decided.
///
/// A case that others opened at AWS has neither.
pub(crate) async fn find_link<P: Ports>(
    ports: &CountedPorts<'_, P>,
    named: NamedCase<'_>,
    report: &mut Report,
) -> Result<Option<Found>, ReconcileError> {
    let now = ports.clock.now();
    let mut unknown = match owner_of_case(&ports.ledger, named, now).await? {
        Owner::Link(key) => return Ok(Some(Found { key, case: None })),
        Owner::Unknown(unknown) => unknown,
    };
    if unknown == UnknownCase::Read {
        let reads = ports.ledger.count_in_minute(named.account, unknown_case::READS, now).await?;
        unknown = unknown_case::within_limit(reads);
    }
    report.unknown_case = Some(unknown);
    if unknown == UnknownCase::Read { find_link_by_mark(ports, named, report).await } else { Ok(None) }
}

/// Finds the link of a case by the mark that its first communication carries. Returns `None` if there is none or the
/// case can't be read. The link that opened the case, if any, is due by itself.
async fn find_link_by_mark<P: Ports>(
    ports: &CountedPorts<'_, P>,
    named: NamedCase<'_>,
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
    let marked = unknown_case::marked_cases(named.account, &case);
    if marked.is_empty() {
        return Ok(None);
    }
    for case in marked {
        if let Some(key) = ports.ledger.link_at(&index::open_intent(named.account, &case.mark)).await? {
            return Ok(Some(Found { key, case: Some(case) }));
        }
    }
    // The outcome may have been recorded between the two lookups.
    let link = ports.ledger.link_at(&index::case(&CaseKey::new(named.account.clone(), named.case_id))).await?;
    Ok(link.map(|key| Found { key, case: None }))
}

/// Reads a case without a known link. The inner error is AWS Support's. The inner `None` says that the case is not
/// there or is too old to be ours.
async fn read_case<P: Ports>(
    ports: &CountedPorts<'_, P>,
    named: NamedCase<'_>,
) -> Result<Result<Option<Case>, Failure>, ReconcileError> {
    let carrier = SupportCarrier { ports };
    let mut reader = NamedCaseReader::new(named.account.clone(), named.case_id.clone());
    loop {
        let answer = match carrier.ask(&reader.question()).await? {
            Ok(answer) => answer,
            Err(failure) => return Ok(Err(failure)),
        };
        let now = ports.clock.now();
        if let ControlFlow::Break(read) = reader.see(answer, |created| unknown_case::is_young_enough(created, now))? {
            return Ok(read);
        }
    }
}
