//! What the poller decides: where to read on in ServiceNow, and which of what it sees may have drifted.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{case::Case, identifiers::IncidentId, time};

/// How far the first poll of an instance looks back: before it, nothing was linked.
const FIRST_LOOK_BACK: SignedDuration = SignedDuration::from_hours(1);

/// How far the poller of ServiceNow has come. All times are by ServiceNow's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// Everything that had changed by then has been handed off, or will be once the resumption is through.
    #[serde(with = "time::servicenow_form")]
    pub covered_until: Timestamp,
    /// Where a poll that was not finished goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Position>,
}

/// A place in the list of changes, which is ordered by time and key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// From this moment on.
    #[serde(with = "time::servicenow_form")]
    pub since: Timestamp,
    /// Behind this incident at that moment; none for all at that moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<IncidentId>,
}

/// The watermark before anything was polled. It is remembered before the first read: first polls that fail must not let
/// it move on with the time. `now` is by our own clock, from which ServiceNow's may differ by less than the look back.
pub fn first(now: Timestamp) -> Watermark {
    Watermark { covered_until: earlier(now, FIRST_LOOK_BACK), resume: None }
}

/// Where a poll starts reading.
///
/// A finished poll is overlapped, since a change may appear a little later than its own time says; an unfinished one
/// goes on exactly where it stopped, so that it gets through however much there is.
pub fn start(watermark: &Watermark, overlap: SignedDuration) -> Position {
    let overlapped = || Position { since: earlier(watermark.covered_until, overlap), after: None };
    watermark.resume.clone().unwrap_or_else(overlapped)
}

/// The watermark after a poll has handed off what it read.
///
/// `began_at` is ServiceNow's time at the first page; `stopped_at` is where the poll stopped, if it did not get through.
/// A poll that goes on for another covers no more than the first of them: what appeared late behind it is overlapped.
pub fn advance(before: &Watermark, began_at: Timestamp, stopped_at: Option<Position>) -> Watermark {
    let covered_until = if before.resume.is_some() { before.covered_until } else { began_at };
    Watermark { covered_until, resume: stopped_at }
}

/// Whether an incident may have drifted: it is not known, or has been updated since the link remembers it.
pub fn has_incident_changed(sys_mod_count: u64, remembered: Option<u64>) -> bool {
    remembered.is_none_or(|remembered| remembered < sys_mod_count)
}

/// Whether a case may have drifted: it looks different from what the link remembers.
pub fn has_case_changed(case: &Case, remembered_fingerprint: &str) -> bool {
    case.fingerprint != remembered_fingerprint
}

fn earlier(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_sub(by).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        case::{CaseStatus, fingerprint},
        identifiers::{CaseId, DisplayId},
    };

    const OVERLAP: SignedDuration = SignedDuration::from_secs(60);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn from(since: Timestamp) -> Position {
        Position { since, after: None }
    }

    fn position(second: i64, incident: &str) -> Position {
        Position { since: at(second), after: Some(IncidentId::new(incident)) }
    }

    #[test]
    fn a_finished_poll_is_overlapped() {
        let watermark = advance(&first(at(900)), at(1_000), None);
        assert_eq!(start(&watermark, OVERLAP), from(at(940)));
    }

    #[test]
    fn the_first_poll_looks_back_an_hour() {
        assert_eq!(start(&first(at(10_000)), OVERLAP), from(at(6_340)));
    }

    #[test]
    fn an_unfinished_poll_goes_on_where_it_stopped_and_covers_no_more_than_its_beginning() {
        let stopped = advance(&first(at(900)), at(1_000), Some(position(500, "a")));
        assert_eq!(start(&stopped, OVERLAP), position(500, "a"));
        let stopped_again = advance(&stopped, at(2_000), Some(position(700, "b")));
        let finished = advance(&stopped_again, at(3_000), None);
        assert_eq!(start(&finished, OVERLAP), from(at(940)));
    }

    #[test]
    fn a_watermark_is_read_as_it_was_written() {
        let before = first(at(900));
        for watermark in [advance(&before, at(1_000), None), advance(&before, at(1_000), Some(position(500, "a")))] {
            let text = serde_json::to_string(&watermark).unwrap();
            assert_eq!(serde_json::from_str::<Watermark>(&text).unwrap(), watermark);
        }
    }

    #[test]
    fn only_what_is_newer_or_unknown_has_changed() {
        assert!(has_incident_changed(7, None));
        assert!(has_incident_changed(7, Some(6)));
        assert!(!has_incident_changed(7, Some(7)));
        assert!(!has_incident_changed(7, Some(8)));
    }

    #[test]
    fn a_case_that_looks_as_the_link_remembers_it_has_not_changed() {
        let before = Case {
            case_id: CaseId::new("case-111122223333-muen-2022-7118885805350839"),
            display_id: DisplayId::new("1234563851"),
            subject: "[INC0010001] Instance unreachable".to_owned(),
            status: CaseStatus::new("opened"),
            severity_code: "high".to_owned(),
            time_created: at(1_000),
            communications: Vec::new(),
            communications_complete: true,
            fingerprint: String::new(),
        };
        let shown_as = |status: &CaseStatus| fingerprint(&before.case_id, &before.display_id, status, &[]);
        let remembered = shown_as(&before.status);
        let same = Case { fingerprint: shown_as(&before.status), ..before.clone() };
        assert!(!has_case_changed(&same, &remembered));
        assert!(has_case_changed(&same, ""));
        let resolved = CaseStatus::new("resolved");
        let changed = Case { fingerprint: shown_as(&resolved), status: resolved, ..before.clone() };
        assert!(has_case_changed(&changed, &remembered));
    }
}
