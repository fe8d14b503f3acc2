//! The severity of a case: which one casebridge asks for, and what people are told of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    policy::{Policy, SEVERITIES, SeverityRule},
    servicenow::incident::Incident,
    support::{Pass, case::Case},
    time,
};

/// The severity of the link's case, as AWS shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenSeverity {
    /// Its code.
    pub code: String,
    /// From when on, by our clock, a read that shows another one is no older than the read that showed this one.
    pub settles_at: Timestamp,
}

/// The severity that casebridge asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedSeverity {
    /// The code for CreateCase.
    pub code: String,
    /// What agents are told if it is not the policy's code for the incident's priority.
    pub note: Option<String>,
}

/// Returns the severity that the case of an incident is opened with: the policy's for the priority, but not more than the
/// policy's cap for the account, and the next lower one that the account's support plan has.
///
/// A plan that ServiceNow does not know has every severity. A code that is none of [`SEVERITIES`] is neither capped nor
/// replaced: AWS decides.
pub fn asked(policy: &Policy, incident: &Incident) -> AskedSeverity {
    let wanted = policy.severity(&incident.priority);
    let Some(account) = &incident.account else { return AskedSeverity { code: wanted.to_owned(), note: None } };
    let cap = policy.severity_cap_by_account.get(account.number.as_str());
    let is_above = |cap: &&String| rank(wanted).zip(rank(cap)).is_some_and(|(wanted, cap)| wanted > cap);
    let capped = cap.filter(is_above).map_or(wanted, String::as_str);
    let code = offered(capped, &account.severities);
    let because = match (capped == wanted, code == capped) {
        (true, true) => return AskedSeverity { code: wanted.to_owned(), note: None },
        (false, true) => "as the policy caps the severity for this account",
        (_, false) => "as the account's support plan does not offer more",
    };
    let note = format!("The AWS Support case is opened with severity {code} instead of {wanted}, {because}.");
    AskedSeverity { code: code.to_owned(), note: Some(note) }
}

/// Returns the code, or the highest lower one among those that are offered. A plan that offers no lower one, or that is
/// not known, gives the code itself.
fn offered<'a>(code: &'a str, offered: &'a [String]) -> &'a str {
    if offered.is_empty() || offered.iter().any(|level| level == code) {
        return code;
    }
    let lower = offered.iter().filter(|level| rank(level).zip(rank(code)).is_some_and(|(level, code)| level < code));
    lower.max_by_key(|level| rank(level)).map_or(code, String::as_str)
}

fn rank(code: &str) -> Option<usize> {
    SEVERITIES.iter().position(|level| *level == code)
}

impl Pass {
    /// Takes in that the case is open which casebridge asked for with this severity. AWS can't have shown another one
    /// before, so the first that it shows is new.
    pub(super) fn see_asked_severity(&mut self, asked: AskedSeverity, now: Timestamp) {
        if let Some(linked) = &mut self.link.memory.case {
            linked.severity = Some(SeenSeverity { code: asked.code, settles_at: now });
        }
        if let Some(note) = asked.note {
            self.note(note);
        }
    }

    /// Takes in the severity that a read of the case shows. A change is told on the incident, as the policy has it. A read
    /// may be as old as L, so a severity that differs soon after another was seen may be an older one. It counts later.
    pub(super) fn see_severity(&mut self, policy: &Policy, case: &Case, now: Timestamp) {
        let shown = &case.severity_code;
        let Some(linked) = self.link.memory.case.as_mut().filter(|_| !shown.is_empty()) else { return };
        if linked.severity.as_ref().is_some_and(|known| known.code == *shown || now < known.settles_at) {
            return;
        }
        let seen = SeenSeverity { code: shown.clone(), settles_at: time::later(now, policy.unknown_outcome()) };
        let Some(SeenSeverity { code: before, .. }) = linked.severity.replace(seen) else { return };
        if policy.severity_changes_at_aws == SeverityRule::Ignore {
            return;
        }
        self.note(format!("The severity of the AWS Support case was changed at AWS from {before} to {shown}."));
        if policy.severity_changes_at_aws == SeverityRule::SetImpactAndUrgency {
            self.link.memory.severity_to_set = Some(shown.clone());
        }
    }

    /// Returns until when a severity stays unsettled that AWS shows and that may be from an older read. Returns `None` if
    /// AWS shows the one that is known.
    pub(super) fn severity_unsettled_until(&self) -> Option<Timestamp> {
        let known = self.link.memory.case.as_ref()?.severity.as_ref()?;
        let shown = &self.aws.case.as_ref()?.severity_code;
        let is_other = !shown.is_empty() && *shown != known.code;
        is_other.then_some(known.settles_at)
    }
}
