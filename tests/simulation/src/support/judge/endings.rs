//! 9: work that has ended goes on only for a reason, and for every question.
//!
//! The judge goes by the order in which the instance wrote, and judges only worlds in which the app may read the audit
//! trail. Without the trail only times are left, and within one second they leave the order open. The end of the
//! incident decides. What was written before that end may reopen the case, which is then resolved again; another judge
//! checks that both sides agree in the end.

use std::{any::Any, collections::BTreeSet};

use casebridge_core::{
    identifiers::IncidentId,
    servicenow::incident::IncidentState,
    support::{Link, case::CaseStatus},
};
use casebridge_simulator::support::{Case, Write, events::Origin, model::Communication, request::ResolveCase};

use crate::{
    invariants::Invariant,
    memory::Memory,
    people::texts::{EQUAL_TEXTS, tokens},
    servicenow::model::{Journal, Record},
    support::cases::first_id,
    timeline::shorten,
    world::World,
};

/// What the judge has seen of ends and reopenings.
#[derive(Debug, Clone, Default)]
pub struct Endings {
    /// The resolved cases that people reopened, until casebridge acts on it.
    reopened_at_aws: BTreeSet<String>,
    /// The incidents whose case people have ever reopened. casebridge need not have seen how often the case was
    /// resolved since.
    ever_reopened_at_aws: BTreeSet<IncidentId>,
    /// The incidents for which the ledger remembers that both sides have ended.
    agreed_ended: BTreeSet<IncidentId>,
    /// The incidents among them that somebody has reopened since.
    reopened_by_agent: BTreeSet<IncidentId>,
    /// The incidents whose case a late ResolveCase of ours may resolve at any time.
    resolved_late: BTreeSet<IncidentId>,
    /// The cases that the ledger has ever remembered as reopened.
    known_reopened: BTreeSet<String>,
    /// The cases that a late read showed as reopened when they were resolved again, until a later read shows another
    /// status.
    shown_reopened_late: BTreeSet<String>,
}

fn is_ended(record: &Record) -> bool {
    record.summary.state.is_ended()
}

impl World {
    /// Whether casebridge can know what was written after the last end. Not for a restored incident, whose trail
    /// differs from its record.
    fn tells_ends(&self, incident: &IncidentId) -> bool {
        self.settings.trail_is_readable && !self.memory.restored.contains(incident)
    }

    /// Returns what people wrote for AWS after the last end of an incident.
    fn reactions<'a>(&'a self, incident: &'a IncidentId) -> impl Iterator<Item = &'a Journal> {
        self.servicenow.shared_since_end(incident)
    }

    /// Whether a customer wrote something at AWS that was not on the incident at its last end. Then the agent who ended
    /// it had not seen it. A text whose delivery was not finished by then counts as well: ServiceNow stopped after it wrote
    /// the comment, so casebridge can't know that the agent saw it.
    fn has_news_of_customer(&self, incident: &IncidentId) -> bool {
        let is_by_person = |case: &Case, text: &Communication| {
            text.origin == Origin::Customer
                && self.memory.persons.contains(&(first_id(&case.case_id), text.time_created))
        };
        // If texts are equal, as many of them count as seen as are on the incident, the earliest first.
        let is_seen = |text: &Communication| {
            let rows = self.servicenow.comments_before_end(incident).filter(|row| row.is_ours());
            let parts: Vec<&str> = tokens(&text.body).collect();
            let parts = if parts.is_empty() { vec![text.body.as_str()] } else { parts };
            let equal = self.cases_of(incident).flat_map(|case| &case.communications);
            let equal = equal.filter(|other| other.body == text.body && other.time_created <= text.time_created);
            rows.filter(|row| parts.iter().all(|part| row.text.contains(part))).count() >= equal.count()
        };
        let mut written =
            self.cases_of(incident).flat_map(|case| case.communications.iter().map(move |text| (case, text)));
        written.any(|(case, text)| is_by_person(case, text) && !is_seen(text))
    }

    /// Notes what the ledger remembers of an incident's link: whether both sides have ended, and whether the case was
    /// reopened. Has no effect for a link of another kind.
    pub fn note_memory(&mut self, incident: &IncidentId, link: &dyn Any) {
        let Some(link) = link.downcast_ref::<Link>() else { return };
        let endings = &mut self.memory.endings;
        if link.base.ended {
            endings.agreed_ended.insert(incident.clone());
        } else {
            endings.agreed_ended.remove(incident);
        }
        let reopened = link.memory.case.as_ref().filter(|case| case.reopened_at.is_some());
        endings.known_reopened.extend(reopened.map(|case| first_id(case.case_id.as_str())));
    }

    /// Notes a write that lands late. A late ResolveCase may resolve the case after somebody has reopened its incident.
    pub fn note_late_write(&mut self, write: &Write) {
        if let Write::ResolveCase(ResolveCase { case_id: Some(case_id), .. }) = write {
            let incident = self.support.case(case_id).and_then(|case| self.incident_of(case));
            self.memory.endings.resolved_late.extend(incident);
        }
    }

    /// Notes that somebody reopened an incident. casebridge must not end it again for a resolution that it knew before.
    pub fn note_reopening_by_agent(&mut self, incident: &IncidentId) {
        if self.memory.endings.agreed_ended.contains(incident) {
            self.memory.endings.reopened_by_agent.insert(incident.clone());
        }
    }

    /// Notes that a case's status may have changed. A resolution is a new reason to end the incident. A reopening is
    /// something that casebridge has to act on.
    pub fn note_status_change(&mut self, case_id: &str, was_resolved: bool) {
        let Some(case) = self.support.case(case_id) else { return };
        let (is_resolved, incident) = (case.is_resolved(), self.incident_of(case));
        let endings = &mut self.memory.endings;
        match (was_resolved, is_resolved) {
            (false, true) => {
                if let Some(incident) = incident {
                    endings.reopened_by_agent.remove(&incident);
                    // The ledger's memory of an agreed end is older than this resolution.
                    endings.agreed_ended.remove(&incident);
                }
            }
            (true, false) => {
                endings.ever_reopened_at_aws.extend(incident);
                endings.reopened_at_aws.insert(first_id(case_id));
            }
            (true, true) | (false, false) => {}
        }
    }

    /// Notes the status that a read shows. The first read that shows a reopening may be late: casebridge, which knew
    /// the case as open, has resolved it again by then, and nothing in the answer shows that it is old. Reads that the
    /// reader could not record do not count.
    pub fn note_shown_status(&mut self, case_id: &str, status: &CaseStatus) {
        let case = first_id(case_id);
        if !status.is_reopened() {
            self.memory.endings.shown_reopened_late.remove(&case);
        } else if !self.memory.endings.known_reopened.contains(&case)
            && self.support.case(case_id).is_some_and(Case::is_resolved)
        {
            self.memory.endings.shown_reopened_late.insert(case);
        }
    }

    /// Notes that casebridge has acted on a reopening at AWS. Returns whether there was one.
    pub fn forget_reopening_at_aws(&mut self, case_id: &str) -> bool {
        self.memory.endings.reopened_at_aws.remove(&first_id(case_id))
    }

    /// Judges a delivery that has ended an incident. casebridge may not end it for a resolution that it knew before an
    /// agent reopened the incident. A restored incident is excused, since its state may be one that casebridge had
    /// ended.
    pub fn check_end(&mut self, incident: &IncidentId, before: Option<&Record>) {
        let was_open = before.is_some_and(|record| !is_ended(record));
        let is_ended_now = self.servicenow.incidents.get(incident).is_some_and(is_ended);
        let is_known = self.memory.endings.reopened_by_agent.contains(incident);
        let Memory { restored, endings: Endings { resolved_late, ever_reopened_at_aws, .. }, .. } = &self.memory;
        let is_excused =
            [restored, resolved_late, ever_reopened_at_aws].iter().any(|excused| excused.contains(incident));
        if was_open && is_ended_now && is_known && !is_excused {
            let what =
                format!("{} was ended again, and its case had not been resolved again", self.number_of(incident));
            self.violate(Invariant::Reopening, what);
        }
    }

    /// Judges a delivery that has reopened an incident which a person had ended. It needs a reason: since then people
    /// commented or reopened the case, or they had written at AWS what was not yet on the incident. casebridge may
    /// always reopen what it ended itself, since it may have read an old status.
    pub fn check_reopening(&mut self, incident: &IncidentId, before: Option<&Record>) {
        let is_open = self.servicenow.incidents.get(incident).is_some_and(|record| !is_ended(record));
        if !is_open || !before.is_some_and(is_ended) {
            return;
        }
        let cases: Vec<String> = self.cases_of(incident).map(|case| case.case_id.clone()).collect();
        let mut has_reason = self.reactions(incident).next().is_some() || self.has_news_of_customer(incident);
        for case in cases {
            has_reason |= self.forget_reopening_at_aws(&case);
            has_reason |= self.memory.endings.shown_reopened_late.contains(&first_id(&case));
        }
        if self.tells_ends(incident) && self.servicenow.is_ended_by_person(incident) && !has_reason {
            let what = format!("{} was reopened, and nobody had written since its end", self.number_of(incident));
            self.violate(Invariant::Reopening, what);
        }
    }

    /// Judges a resolved incident of a world at rest: no question was written after its end, or it would be open. Texts
    /// that several people write alike are left out, since they reopen a link only once.
    pub fn judge_reactions(&mut self, incident: &IncidentId) {
        let is_resolved = self.servicenow.incidents[incident].summary.state == IncidentState::Resolved;
        let linked: Vec<&Case> = self.cases_of(incident).collect();
        let is_excused = self.is_excused(incident) || self.has_left_its_case(incident);
        if !is_resolved || linked.is_empty() || !self.tells_ends(incident) || is_excused {
            return;
        }
        let is_unequal = |row: &&Journal| !EQUAL_TEXTS.contains(&row.text.as_str());
        // The first text of a case quotes the comments that existed while a read showed the incident as open, even a
        // read of a lagging node.
        let is_in_opening = |row: &&Journal| {
            let mut openings = linked.iter().filter_map(|case| case.communications.first());
            openings.any(|opening| tokens(&row.text).all(|token| opening.body.contains(token)))
        };
        let unheard: Vec<String> = self
            .reactions(incident)
            .filter(|row| is_unequal(row) && !is_in_opening(row))
            .map(|row| row.text.clone())
            .collect();
        for text in unheard {
            let number = self.number_of(incident);
            let what = format!("{number}: {} was written after the end and reopened nothing", shorten(&text));
            self.violate(Invariant::Reopening, what);
        }
    }
}
