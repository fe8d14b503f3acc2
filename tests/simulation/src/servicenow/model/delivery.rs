//! What the app does with a delivery: each message once, then fields and columns.

use casebridge_core::{
    identifiers::{IncidentId, JournalEntryId},
    servicenow::{
        columns::BridgeColumns,
        delivery::{
            Delivery, DeliveryAnswer, FieldsOutcome, IncidentFields, Message, MessageAnswer, MessageKind,
            MessageOutcome,
        },
        incident::IncidentState,
    },
};
use jiff::{SignedDuration, Timestamp};

use super::{
    COMMENTS, Change, DeliveryRow, Instance, Journal, LINK_REFUSED, RequestFailure, SUPPORT_CASE, Status, WORK_NOTES,
    opening::priority, save::apply, second,
};

impl Instance {
    /// Writes each message once, then fields and columns. `kind` is the kind of the link that delivers. `expected` is
    /// the update count that fields and columns are bound to; with `None` they are always written.
    pub fn deliver(
        &mut self,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        delivery: &Delivery,
        expected: Option<u64>,
    ) -> Result<DeliveryAnswer, RequestFailure> {
        let answer = self.deliver_until_stopped(now, kind, id, delivery, expected);
        self.commits_left = None;
        answer
    }

    fn deliver_until_stopped(
        &mut self,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        delivery: &Delivery,
        expected: Option<u64>,
    ) -> Result<DeliveryAnswer, RequestFailure> {
        if let Some(name) = delivery.columns.own.keys().find(|_| kind != SUPPORT_CASE) {
            return Err(RequestFailure::Refused(format!("columns.{name}: is not known")));
        }
        let count = self.read(id)?.summary.sys_mod_count;
        let is_fresh = expected.is_none_or(|expected| expected == count);
        for message in &delivery.messages {
            self.settle_claim(now, id, message)?;
        }
        let mut messages = Vec::new();
        for message in &delivery.messages {
            let answer = self.message(now, id, message)?;
            let is_refused = answer.outcome == MessageOutcome::Refused;
            messages.push(answer);
            // The messages after a refused one would overtake it.
            if is_refused {
                break;
            }
        }
        let (fields, field_error) = if is_fresh {
            self.values(now, kind, id, &delivery.fields, &delivery.columns)?
        } else {
            (FieldsOutcome::Stale, String::new())
        };
        let snapshot = self.page(now, kind, id, delivery.entries_since, None)?;
        Ok(DeliveryAnswer { messages, fields, field_error, snapshot })
    }

    /// Ends what an earlier attempt began, before anything new is claimed: finds its entry, or removes its claim. So no
    /// second delivery is unfinished, and the entry of an unfinished one is known to be its own.
    fn settle_claim(&mut self, now: Timestamp, id: &IncidentId, message: &Message) -> Result<(), RequestFailure> {
        let key = message.external_id.as_str();
        let claim = self.deliveries.get(key).filter(|row| row.incident == *id && !row.done);
        let Some(row) = claim.cloned() else { return Ok(()) };
        if row.claimed_at > second(now) - SignedDuration::from_secs(self.claim_seconds) {
            return Err(RequestFailure::Conflict);
        }
        match self.earlier_entry(id, element_of(message.kind), &harmless(&message.text), key, &row) {
            Some(earlier) => self.finish(key, Some(earlier)),
            None if self.is_stopped() => Err(RequestFailure::Stopped),
            None => self.unclaim(key),
        }
    }

    fn message(&mut self, now: Timestamp, id: &IncidentId, message: &Message) -> Result<MessageAnswer, RequestFailure> {
        let answer = |outcome, error: &str| MessageAnswer {
            external_id: message.external_id.clone(),
            outcome,
            error: error.to_owned(),
        };
        let key = message.external_id.as_str();
        let text = harmless(&message.text);
        let element = element_of(message.kind);
        if let Some(row) = self.deliveries.get(key) {
            if row.incident != *id {
                return Ok(answer(MessageOutcome::Refused, "This external_id belongs to another incident."));
            }
            // A claim that did not end is settled by now.
            return Ok(answer(MessageOutcome::AlreadyApplied, ""));
        }
        if self.is_stopped() {
            return Err(RequestFailure::Stopped);
        }
        let row = self.claim(now, id, key)?;
        let mut change = Change::default();
        match message.kind {
            MessageKind::Comment => change.comment = Some(text.clone()),
            MessageKind::WorkNote => change.work_note = Some(text.clone()),
        }
        let user = self.integration_user.clone();
        let first_entry = self.journal.len();
        let saved = self.save(now, &user, id, &change);
        self.journal[first_entry..].iter_mut().for_each(|row| row.delivered = true);
        match saved {
            Ok(()) => {}
            Err(RequestFailure::Stopped) => return Err(RequestFailure::Stopped),
            Err(refusal) => {
                self.unclaim(key)?;
                return Ok(answer(MessageOutcome::Refused, &format!("{refusal:?}")));
            }
        }
        let journal = self.entry(id, element, Some(&text), &row);
        self.finish(key, journal)?;
        Ok(answer(MessageOutcome::Applied, ""))
    }

    pub(super) fn claim(&mut self, now: Timestamp, id: &IncidentId, key: &str) -> Result<DeliveryRow, RequestFailure> {
        let created_by = self.integration_user.clone();
        *self.deliverers.entry(created_by.clone()).or_default() += 1;
        let row = DeliveryRow { created_by, incident: id.clone(), done: false, journal: None, claimed_at: second(now) };
        self.deliveries.insert(key.to_owned(), row.clone());
        self.commit()?;
        Ok(row)
    }

    pub(super) fn unclaim(&mut self, key: &str) -> Result<(), RequestFailure> {
        if let Some(row) = self.deliveries.remove(key)
            && let Some(count) = self.deliverers.get_mut(&row.created_by)
        {
            *count -= 1;
            if *count == 0 {
                self.deliverers.remove(&row.created_by);
            }
        }
        self.commit()
    }

    pub(super) fn finish(&mut self, key: &str, journal: Option<JournalEntryId>) -> Result<(), RequestFailure> {
        if self.is_stopped() {
            return Err(RequestFailure::Stopped);
        }
        if let Some(row) = self.deliveries.get_mut(key) {
            row.done = true;
            self.finished.extend(journal.clone());
            row.journal = journal;
        }
        self.commit()
    }

    /// Returns the entry that an earlier attempt wrote. The journal may show the text changed. So if no other delivery
    /// to the incident is unfinished, any entry since the claim is taken for this one's.
    fn earlier_entry(
        &self,
        id: &IncidentId,
        element: &str,
        text: &str,
        key: &str,
        claim: &DeliveryRow,
    ) -> Option<JournalEntryId> {
        let is_another = |(other, row): (&String, &DeliveryRow)| other != key && row.incident == *id && !row.done;
        let sole = || !self.deliveries.iter().any(is_another);
        let exact = self.entry(id, element, Some(text), claim);
        exact.or_else(|| sole().then(|| self.entry(id, element, None, claim)).flatten())
    }

    /// Returns the first entry with this text (with any text if `None`) that the user of the claim wrote since the
    /// claim and that belongs to no other delivery.
    fn entry(&self, id: &IncidentId, element: &str, text: Option<&str>, claim: &DeliveryRow) -> Option<JournalEntryId> {
        let wanted = text.map(comparable);
        let mut found: Vec<&Journal> = self
            .journal
            .iter()
            .filter(|row| {
                row.incident == *id
                    && row.element == element
                    && row.created_by == claim.created_by
                    && row.created_on >= claim.claimed_at
                    && wanted.as_ref().is_none_or(|wanted| comparable(&row.text) == *wanted)
                    && !self.finished.contains(&row.sys_id)
            })
            .collect();
        found.sort_by(|left, right| (left.created_on, &left.sys_id).cmp(&(right.created_on, &right.sys_id)));
        found.first().map(|row| row.sys_id.clone())
    }

    fn values(
        &mut self,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        fields: &IncidentFields,
        columns: &BridgeColumns,
    ) -> Result<(FieldsOutcome, String), RequestFailure> {
        let said = Status::of(columns).cut();
        let is_noted = self.note_link(id, kind, &said)?;
        let mut columns = columns.clone();
        // If the link's row is refused, the incident gets the link's own status. So the link finds there what it wrote,
        // and does not deliver again.
        if is_noted { self.worst(id) } else { said }.put_into(&mut columns);
        let columns = &columns;
        match self.set(now, id, Some(fields), columns) {
            Ok(()) if is_noted => Ok((FieldsOutcome::Applied, String::new())),
            Ok(()) => Ok((FieldsOutcome::Applied, LINK_REFUSED.to_owned())),
            Err(RequestFailure::Refused(words)) if !fields.is_empty() => match self.set(now, id, None, columns) {
                Ok(()) | Err(RequestFailure::Refused(_)) => Ok((FieldsOutcome::Refused, words)),
                Err(refusal) => Err(refusal),
            },
            Err(RequestFailure::Refused(words)) => Ok((FieldsOutcome::Refused, words)),
            Err(refusal) => Err(refusal),
        }
    }

    fn set(
        &mut self,
        now: Timestamp,
        id: &IncidentId,
        fields: Option<&IncidentFields>,
        columns: &BridgeColumns,
    ) -> Result<(), RequestFailure> {
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let mut change = Change { columns: Some(columns.clone()), ..Change::default() };
        if let Some(fields) = fields {
            change.state = given(&fields.state).map(IncidentState::from);
            change.hold_reason = given(&fields.hold_reason);
            let has_level = !fields.impact.is_empty() && !fields.urgency.is_empty();
            change.priority = has_level.then(|| priority(&fields.impact, &fields.urgency));
            change.closing = given(&fields.close_code).map(|code| (code, fields.close_notes.clone()));
        }
        let record = self.incidents.get(id).ok_or(RequestFailure::NotFound)?;
        let mut changed = record.clone();
        apply(&mut changed, &change);
        // Values that the incident has already are not written, so that no rule runs.
        if changed == *record {
            return Ok(());
        }
        if let (Some(words), Some(columns)) = (self.words_of_rule, &mut change.columns) {
            words.clone_into(&mut columns.last_error);
        }
        let user = self.integration_user.clone();
        self.save(now, &user, id, &change)
    }
}

/// Returns the journal that a message is written to.
fn element_of(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Comment => COMMENTS,
        MessageKind::WorkNote => WORK_NOTES,
    }
}

/// Returns a text without what the platform may change: white space around it, and line ends.
fn comparable(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").trim().to_owned()
}

/// Breaks up `[code]` tags, between which the journal shows HTML. Removes control characters first, since one may hide
/// a tag.
pub fn harmless(text: &str) -> String {
    let text = text.replace(|letter: char| letter < ' ' && !matches!(letter, '\t' | '\n' | '\r'), "");
    let mut output = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find('[') {
        output.push_str(&rest[..start]);
        rest = &rest[start..];
        let tag = ["[code]", "[/code]"].into_iter().find(|tag| {
            rest.as_bytes().get(..tag.len()).is_some_and(|bytes| bytes.eq_ignore_ascii_case(tag.as_bytes()))
        });
        let Some(tag) = tag else {
            output.push('[');
            rest = &rest[1..];
            continue;
        };
        output.push_str("[ ");
        output.push_str(&rest[1..tag.len() - 1]);
        output.push_str(" ]");
        rest = &rest[tag.len()..];
    }
    output.push_str(rest);
    output
}
