//! The people on the side of ServiceNow: agents, administrators, the platform's job, a flow.

use std::slice;

use casebridge_core::{identifiers::IncidentId, servicenow::incident::IncidentState};
use jiff::{SignedDuration, Timestamp};

use super::{model::Change, options, scope::OTHER_GROUP};
use crate::{
    people::Deed,
    random::Random,
    timeline::{Place, shorten},
    world::{ACCOUNTS, World},
};

/// How long an incident is unchanged before the platform's job closes it. On an instance the shortest setting is a day.
/// What matters here is that the closing comment and the change before it are never of one second.
pub const CLOSED_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// How long a rule hides an incident at most, in seconds. casebridge looks for it often for a day, then seldom. It stops
/// after a month, which no rule of these worlds lasts, nor two that follow each other so fast that casebridge does not see
/// the incident in between.
const MAXIMUM_HIDDEN_SECONDS: [i64; 3] = [60, 3_600, 14 * 86_400];
/// The text of a flow that comments on each resolution by casebridge.
pub const AUTOMATIC_ANSWER: &str = "Thank you. This is an automatic answer.";
/// What a text begins with to be shared, in worlds where that takes a prefix.
pub const SHARED: &str = "[aws]";
/// How people write that prefix.
const SHARED_FORMS: [&str; 3] = ["[aws] ", " \n[AWS]", "[Aws]\r\n"];
/// The user name of a job whose texts are never shared, in worlds that have a list of such users.
pub const SILENT_AUTHOR: &str = "batch.robot";
/// The user name of the flow.
const FLOW: &str = "flow.robot";
/// How the comment begins that the platform's job writes when it closes an incident.
pub const AUTOMATIC_CLOSING: &str = "Incident automatically closed";

fn state(state: IncidentState) -> Change {
    Change { state: Some(state), ..Change::default() }
}

fn closing(new_state: IncidentState) -> Change {
    let closing = Some(("Solution provided".to_owned(), "Done.".to_owned()));
    Change { closing, ..state(new_state) }
}

impl World {
    /// Lets somebody do a deed to a random incident, if it is possible now. Returns whether it was done.
    pub fn do_on_incident(&mut self, deed: Deed, random: &mut Random) -> bool {
        let ids: Vec<IncidentId> = self.servicenow.incidents.keys().cloned().collect();
        let Some(id) = ids.get(random.index(ids.len())) else { return false };
        match deed {
            Deed::Delete => {
                self.delete(id);
                return true;
            }
            Deed::CopyIncident => return self.copy(id),
            Deed::Restore => return self.restore(id),
            Deed::Lag => return self.lag(id),
            Deed::Hide => {
                self.hide(id, random);
                return true;
            }
            _ => {}
        }
        let now_state = self.servicenow.incidents[id].summary.state.clone();
        let is_open = !now_state.is_ended();
        let change = match deed {
            Deed::Comment if self.is_job_at_work(random) => return self.comment_by_job(id),
            Deed::Comment if !self.prefers_note(random) => {
                Change { comment: Some(self.some_comment(random)), ..Change::default() }
            }
            Deed::Comment | Deed::WorkNote => {
                Change { work_note: Some(self.some_work_note(random)), ..Change::default() }
            }
            Deed::CommentAndResolve if is_open => {
                Change { comment: Some(self.some_comment(random)), ..closing(IncidentState::Resolved) }
            }
            Deed::Resolve if is_open => closing(IncidentState::Resolved),
            Deed::Cancel if is_open => state(IncidentState::Cancelled),
            Deed::Close if now_state == IncidentState::Resolved => closing(IncidentState::Closed),
            Deed::Reopen if now_state == IncidentState::Resolved => state(IncidentState::InProgress),
            Deed::Move if is_open => match random.below(3) {
                0 => Change { hold_reason: Some("1".to_owned()), ..state(IncidentState::OnHold) },
                1 => state(IncidentState::Other("42".to_owned())),
                _ => state(IncidentState::InProgress),
            },
            Deed::Draft if is_open => {
                let closing = Some(("Duplicate".to_owned(), self.token("draft")));
                Change { closing, ..Change::default() }
            }
            Deed::LeaveScope => Change { codes: Some((String::new(), String::new())), ..Change::default() },
            Deed::Triage => Change {
                priority: Some(random.pick(&["1", "3", "5"]).to_string()),
                options: self.settings.options.then(|| options::draw(random)),
                ..Change::default()
            },
            Deed::Reassign => {
                let groups = [ACCOUNTS[0].1, ACCOUNTS[1].1, OTHER_GROUP];
                let codes = random.chance(500).then(|| ("aws-lambda".to_owned(), "other".to_owned()));
                Change { group: Some((*random.pick(&groups)).to_owned()), codes, ..Change::default() }
            }
            _ => return false,
        };
        self.save(id, &change);
        if deed == Deed::Reopen && self.settings.resolves_again {
            let comment = format!("It was nothing after all {}", self.token("c"));
            self.save(id, &Change { comment: Some(comment), ..closing(IncidentState::Resolved) });
        }
        true
    }

    /// Returns a comment, with the prefix that shares it most often, if the world has one.
    fn some_comment(&mut self, random: &mut Random) -> String {
        let text = self.text(random, "c");
        let is_shared = !self.settings.sharing.comment_prefix.is_empty() && random.chance(700);
        if is_shared { format!("{}{text}", random.pick(&SHARED_FORMS)) } else { text }
    }

    /// Whether an agent who has something to say writes a work note, since those may be shared.
    fn prefers_note(&self, random: &mut Random) -> bool {
        !self.settings.sharing.work_note_prefix.is_empty() && random.chance(400)
    }

    /// Returns a work note. If the world has a prefix for work notes, the note often begins with it or quotes it.
    fn some_work_note(&mut self, random: &mut Random) -> String {
        if self.settings.sharing.work_note_prefix.is_empty() {
            return self.token("SECRET");
        }
        match random.below(10) {
            0..=5 => format!("{}{}", random.pick(&SHARED_FORMS), self.text(random, "n")),
            6 => format!("{SHARED} \r\n"),
            7 => format!("Begin with {SHARED} to share {}", self.token("SECRET")),
            _ => self.token("SECRET"),
        }
    }

    /// Whether the job whose texts are never shared comments now.
    fn is_job_at_work(&self, random: &mut Random) -> bool {
        !self.settings.sharing.silent_authors.is_empty() && random.chance(200)
    }

    /// The job whose texts are never shared comments on an incident.
    fn comment_by_job(&mut self, id: &IncidentId) -> bool {
        let comment = Some(format!("{SHARED} {}", self.token("SECRET")));
        self.save_as(SILENT_AUTHOR, id, &Change { comment, ..Change::default() });
        true
    }

    /// An administrator deletes an incident.
    pub fn delete(&mut self, id: &IncidentId) {
        let number = self.number_of(id);
        let record = self.servicenow.delete(id);
        self.note(Place::ServiceNow, || format!("{number} is deleted"));
        self.memory.gone.extend(record.map(|record| (id.clone(), record)));
    }

    /// An administrator undeletes an incident. Has no effect if it was not deleted.
    pub fn undelete(&mut self, id: &IncidentId) {
        if !self.servicenow.undelete(id) {
            return;
        }
        self.memory.gone.remove(id);
        let number = self.number_of(id);
        self.note(Place::ServiceNow, || format!("{number} is put back"));
    }

    /// An agent saves an incident.
    pub fn save(&mut self, id: &IncidentId, change: &Change) {
        self.save_as("abel.tuter", id, change);
    }

    /// Somebody saves an incident.
    pub fn save_as(&mut self, user: &str, id: &IncidentId, change: &Change) {
        let now = self.servicenow_now();
        let before = self.servicenow.incidents[id].clone();
        let was_ended = before.summary.state.is_ended();
        let number = self.number_of(id);
        let rows = self.servicenow.journal.len();
        let saved = self.servicenow.save(now, user, id, change);
        self.note(Place::ServiceNow, || format!("{number}: {user} saves {} {saved:?}", tell(change)));
        if before.summary.state.is_closed() {
            let written = self.servicenow.journal[rows..].iter().map(|row| row.sys_id.clone());
            self.memory.after_closing.extend(written);
        }
        if saved.is_err() {
            return;
        }
        self.memory.earlier.insert(id.clone(), (before, self.servicenow_now()));
        let summary = &self.servicenow.incidents[id].summary;
        let (count, is_ended) = (summary.sys_mod_count, summary.state.is_ended());
        if change.state.is_some() {
            self.memory.state_changes.insert(number, count);
        }
        if was_ended && !is_ended {
            *self.memory.reopenings.entry(id.clone()).or_default() += 1;
            self.note_reopening_by_agent(id);
        }
        self.note_scope(id);
        self.note_pauses();
    }

    /// The platform's job closes the incidents that are resolved and have not changed for this long. Returns whether it
    /// closed any.
    pub fn auto_close(&mut self, unchanged_for: SignedDuration) -> bool {
        let now = self.servicenow_now();
        let closed = self.servicenow.auto_close(now, unchanged_for);
        for id in &closed {
            let number = self.number_of(id);
            self.note(Place::ServiceNow, || format!("{number} is closed by the platform's job"));
            let count = self.servicenow.incidents[id].summary.sys_mod_count;
            self.memory.state_changes.insert(number, count);
        }
        !closed.is_empty()
    }

    /// An agent closes the first resolved incident. Returns whether there is one.
    pub fn close_one(&mut self) -> bool {
        let mut records = self.servicenow.incidents.values();
        let resolved = records.find(|record| record.summary.state == IncidentState::Resolved);
        let Some(id) = resolved.map(|record| record.summary.sys_id.clone()) else { return false };
        self.save(&id, &closing(IncidentState::Closed));
        true
    }

    /// An agent copies an incident with all its columns. Returns `false` if the world has its most incidents already.
    pub fn copy(&mut self, id: &IncidentId) -> bool {
        if self.servicenow.incidents.len() >= self.settings.most_incidents {
            return false;
        }
        let now = self.servicenow_now();
        let Some(copy) = self.servicenow.copy(now, "abel.tuter", id) else { return false };
        let (original, number) = (self.number_of(id), self.number_of(&copy));
        self.note(Place::ServiceNow, || format!("{original} is copied: {number}"));
        self.note_scope(&copy);
        true
    }

    /// An administrator restores an incident to its previous record. Then an agent changes its priority. Returns
    /// whether it was done.
    ///
    /// Not done in worlds that lose webhooks: if the webhook is lost and the incident reaches the remembered update
    /// count again before a worker looks, nothing that the poller reads shows a difference.
    pub fn restore(&mut self, id: &IncidentId) -> bool {
        if !self.webhooks_arrive() || self.faults.rates().hint_lost > 0 {
            return false;
        }
        let Some((earlier, _)) = self.memory.earlier.get(id).cloned() else { return false };
        let state = self.servicenow.incidents[id].summary.state.clone();
        // After the restore the incident was never closed, so the platform's comment on its closing would count as any
        // other comment.
        if state.is_closed() {
            return false;
        }
        let now_ended = state.is_ended();
        let (number, count) = (self.number_of(id), earlier.summary.sys_mod_count);
        let is_open = !earlier.summary.state.is_ended();
        self.note(Place::ServiceNow, || format!("{number} is put back as it was at its update {count}"));
        self.servicenow.restore(earlier);
        // Only the save that follows sends a hint, so it must not be aborted.
        self.servicenow.abort_updates(0);
        self.memory.restored.insert(id.clone());
        self.note_pauses();
        let restored = self.number_of(id);
        self.memory.state_changes.insert(restored, count);
        if now_ended && is_open {
            *self.memory.reopenings.entry(id.clone()).or_default() += 1;
        }
        let priority = if self.servicenow.incidents[id].priority == "1" { "2" } else { "1" };
        self.save(id, &Change { priority: Some(priority.to_owned()), ..Change::default() });
        true
    }

    /// Lets the next read of an incident show its previous record. Returns `false` if there is none.
    pub fn lag(&mut self, id: &IncidentId) -> bool {
        let Some((earlier, until)) = self.memory.earlier.get(id).cloned() else { return false };
        let number = self.number_of(id);
        self.note(Place::ServiceNow, || format!("the next read of {number} comes from a node that lags"));
        self.servicenow.lag_once(earlier, until);
        true
    }

    /// A query rule hides the incident from the integration user for some time, if none hides it already.
    fn hide(&mut self, id: &IncidentId, random: &mut Random) {
        let longest = *random.pick(&MAXIMUM_HIDDEN_SECONDS);
        let lasts = SignedDuration::from_secs(random.between(1, longest));
        if self.servicenow.hidden.contains_key(id) {
            return;
        }
        let until = self.now.saturating_add(lasts).unwrap_or(Timestamp::MAX);
        let number = self.number_of(id);
        self.note(Place::ServiceNow, || format!("{number} is hidden from the integration user until {until:.0}"));
        self.servicenow.hidden.insert(id.clone(), until);
    }

    /// Shows the incidents again that were hidden until now. The poller has not seen what was changed meanwhile. So an
    /// agent saves an incident of which a webhook was lost: nothing else tells casebridge of it. Nobody can save it if it
    /// was closed meanwhile.
    pub fn show_hidden(&mut self) {
        for id in self.servicenow.take_shown(self.now) {
            let is_unreported = !self.webhooks_arrive() || self.memory.unreported.contains(&id);
            let number = self.number_of(&id);
            self.note(Place::ServiceNow, || format!("{number} is shown again"));
            let Some(record) = self.servicenow.incidents.get(&id).filter(|_| is_unreported) else { continue };
            if record.summary.state.is_closed() {
                let written = self.servicenow.shared_of(slice::from_ref(&id)).into_iter().map(|row| row.sys_id);
                self.memory.left_behind.extend(written);
                self.memory.closed_while_hidden.insert(id);
            } else {
                // The save must not be aborted.
                self.servicenow.abort_updates(0);
                self.retriage(&id);
            }
        }
    }

    /// A flow comments on a resolution by casebridge, always with the same text.
    pub fn answer_automatically(&mut self, id: &IncidentId) {
        let comment = Some(AUTOMATIC_ANSWER.to_owned());
        self.save_as(FLOW, id, &Change { comment, ..Change::default() });
    }
}

fn tell(change: &Change) -> String {
    let mut parts = Vec::new();
    if let Some(state) = &change.state {
        parts.push(format!("state {state:?}"));
    }
    for (name, value) in [
        ("comment", &change.comment),
        ("work note", &change.work_note),
        ("group", &change.group),
        ("priority", &change.priority),
    ] {
        if let Some(value) = value {
            parts.push(format!("{name} {}", shorten(value)));
        }
    }
    parts.join(", ")
}
