//! 3: nothing that stays in ServiceNow is at AWS, and no text is on a case or an incident that it does not belong to.

use casebridge_core::identifiers::IncidentId;

use super::our_bodies;
use crate::{
    invariants::Invariant,
    people::texts::tokens,
    servicenow::{model::Journal, people::AUTOMATIC_CLOSING},
    world::World,
};

impl World {
    /// Whether people wrote the text with this token on one of these incidents, and for AWS. The copy of an incident has the
    /// same description.
    fn is_written_on(&self, token: &str, incidents: &[IncidentId]) -> bool {
        let is_shared = |row: &&Journal| self.servicenow.for_aws(row).is_some_and(|text| text.contains(token));
        let mut rows = self.servicenow.journal.iter().filter(is_shared);
        let mut described = self.all_incidents().filter(|record| record.description.contains(token));
        rows.any(|row| incidents.contains(&row.incident))
            || described.any(|record| incidents.contains(&record.summary.sys_id))
    }
}

/// 3: nothing that stays in ServiceNow is at AWS, and no text is on a case or an incident that it does not belong to.
pub(super) fn judge_confidentiality(world: &mut World) {
    let mut found = Vec::new();
    for case in world.support.cases() {
        let incidents = world.incidents_of(case);
        for communication in &case.communications {
            if communication.body.contains("«SECRET") {
                found.push(format!("a private text is on {}", case.case_id));
            }
        }
        for body in our_bodies(world, case) {
            if body.contains(AUTOMATIC_CLOSING) {
                found.push(format!("the platform's word is on {}", case.case_id));
            }
            for token in tokens(body) {
                if !world.is_written_on(token, &incidents) {
                    found.push(format!("{token} is on {}, which no text for AWS on its incident has", case.case_id));
                }
            }
        }
    }
    for row in world.servicenow.journal.iter().filter(|row| row.is_ours()) {
        for token in tokens(&row.text) {
            let mut cases = world.cases_ever_of(&row.incident);
            let written = cases.any(|case| case.communications.iter().any(|seen| seen.body.contains(token)));
            if !written {
                found.push(format!("{token} is on {}, and not on its case", world.number_of(&row.incident)));
            }
        }
    }
    for record in world.all_incidents().filter(|record| world.memory.opened_for_cases.contains(&record.summary.sys_id))
    {
        let bodies: Vec<&str> = world
            .cases_ever_of(&record.summary.sys_id)
            .flat_map(|case| case.communications.iter().map(|seen| seen.body.as_str()))
            .collect();
        for token in tokens(&record.description).filter(|token| !bodies.iter().any(|body| body.contains(token))) {
            found.push(format!("{token} is in the description of {}, and not on its case", record.summary.number));
        }
    }
    for what in found {
        world.violate(Invariant::Confidential, what);
    }
}
