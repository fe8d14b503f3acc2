//! 4: no field of an agent is overwritten against policy.

use casebridge_core::{
    identifiers::IncidentId,
    servicenow::{
        delivery::{Delivery, DeliveryAnswer, FieldsOutcome},
        incident::IncidentState,
    },
};

use super::model::Record;
use crate::{invariants::Invariant, world::World};

impl World {
    /// Checks that a delivery kept the close code and close notes that an agent had drafted.
    fn check_drafts(&mut self, incident: &IncidentId, before: Option<&Record>) {
        let (Some(before), Some(after)) = (before, self.servicenow.incidents.get(incident)) else { return };
        let kept = |before: &str, after: &str| before.is_empty() || before == after;
        let stays = kept(&before.close_code, &after.close_code) && kept(&before.close_notes, &after.close_notes);
        if !stays {
            let number = self.number_of(incident);
            self.violate(Invariant::Fields, format!("{number}: what an agent had drafted was overwritten"));
        }
    }

    /// Judges what a delivery did to an agent's fields, and counts the write.
    pub fn check_delivery(
        &mut self,
        incident: &IncidentId,
        delivery: &Delivery,
        record_before: Option<&Record>,
        answer: Option<&DeliveryAnswer>,
    ) {
        self.count_write(incident.clone());
        let before = record_before.map(|record| &record.summary.state);
        let Some(answer) = answer.filter(|answer| answer.fields == FieldsOutcome::Applied) else { return };
        if delivery.fields.state.is_empty() {
            return;
        }
        let number = self.number_of(incident);
        let agents = self.memory.state_changes.get(&number).copied().unwrap_or_default();
        if agents > delivery.expected_mod_count {
            let what = format!("{number}: a state set by an agent after the plan was made was overwritten");
            self.violate(Invariant::Fields, what);
        }
        let after = &answer.snapshot.summary.state;
        // The changes of a state that the default policy allows, even if an agent set the state.
        let allowed = match before {
            _ if before == Some(after) => true,
            Some(IncidentState::New) => matches!(after, IncidentState::InProgress | IncidentState::Resolved),
            Some(IncidentState::InProgress | IncidentState::OnHold | IncidentState::Other(_)) => {
                *after == IncidentState::Resolved
            }
            Some(IncidentState::Resolved) => *after == IncidentState::InProgress,
            Some(IncidentState::Closed | IncidentState::Cancelled) | None => false,
        };
        if !allowed {
            self.violate(Invariant::Fields, format!("{number}: {before:?} became {after:?}"));
        }
        self.check_drafts(incident, record_before);
        let has_ended = after.is_ended() && before.is_some_and(|before| !before.is_ended());
        if has_ended && self.settings.automatic_answer {
            self.answer_automatically(incident);
        }
    }
}
