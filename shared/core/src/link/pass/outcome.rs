//! The outcomes of a pass's effects: what was applied, refused or is in doubt.

use jiff::{SignedDuration, Timestamp};

use crate::{
    failure::{Failure, Refusal},
    file::order::Order,
    link::{
        Link, StateIntent,
        intent::{EndedIntent, Illegal, Intent, IntentEnd, Recovery},
        kind::Kind,
        pass::Pass,
        plan::Effect,
        trouble::{Request, Side, Trouble},
        written::WrittenColumns,
    },
    policy::Policy,
    servicenow::{
        columns::BridgeColumns,
        delivery::{Delivery, DeliveryAnswer, FieldsOutcome, IncidentFields, MessageOutcome},
        incident::{Incident, IncidentState},
    },
    time::{self, seconds},
};

/// The largest spread, which gives the longest extra wait. The port for random bits gives it in thousandths.
const FULL_SPREAD: u32 = 1_000;

/// How often an incident of an account that is not in use is tried each hour, by default. An account that is registered a
/// day after its first case gets its incidents within the hour, and later within a day.
const FREQUENT_ATTEMPTS: u32 = 24;
/// How long such an incident waits after that.
const SELDOM: SignedDuration = SignedDuration::from_hours(24);

/// How long after an order it is given again if its transfer has not ended: longer than the 15 minutes that the function
/// may run, and its lease. A repeat changes nothing while another worker has the lease.
const ORDERED_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(20);
/// How long after an order it is given again that the queue did not take: a minute, since the poller looks that often
/// for what is due. A message that is sent ahead may well fail with the same service.
const NOT_TAKEN_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(1);

impl<K: Kind> Pass<K> {
    /// Records an effect that is about to be applied. Returns whether there is anything to record. An effect that may
    /// be repeated needs no intent, except a state that ends or reopens the incident: a later pass must know who wrote
    /// it. Messages of casebridge's own must have their names recorded, so that a repeat has the same names.
    pub fn begin(&mut self, effect: &Effect<K::Call>, now: Timestamp) -> bool {
        let call = match effect {
            Effect::Call(call) => call,
            Effect::OpenIncident(incident) => {
                let opening = self.link.opening.get_or_insert_default();
                opening.describes.clone_from(&incident.describes);
                return true;
            }
            Effect::Deliver(delivery) => {
                let changes_ending = self.begin_state(delivery, now);
                return K::begin_messages(&mut self.link.memory, delivery) || changes_ending;
            }
            Effect::HandOver(_) | Effect::OrderFiles(_) | Effect::WriteColumns => return false,
        };
        if self.repeat(now).as_ref() == Some(call) {
            return self.begin_repeat();
        }
        let (mark, kind) = K::begin(self, call, now);
        self.link.intents += 1;
        self.link.intent = Some(Intent::new(self.link.intents, mark, kind, now));
        true
    }

    /// Records that a transfer of files was ordered, or that the queue did not take the order (`is_taken`). What has not
    /// ended is ordered again: soon if the queue did not take it, or else once the function can no longer be at work.
    pub fn ordered(&mut self, order: &Order, is_taken: bool, now: Timestamp) {
        let wait = if is_taken { ORDERED_AGAIN_AFTER } else { NOT_TAKEN_AGAIN_AFTER };
        K::ordered(self, order, time::later(now, wait));
    }

    /// Records that the call in doubt is made again. Returns whether this was not recorded yet.
    fn begin_repeat(&mut self) -> bool {
        self.link.intent.as_mut().is_some_and(|intent| !std::mem::replace(&mut intent.repeated, true))
    }

    /// Returns the call in doubt if it may be made again with its token. Returns `None` if there is no such call.
    pub(crate) fn repeat(&self, now: Timestamp) -> Option<K::Call> {
        match K::recovery(self.link.intent.as_ref()?) {
            Recovery::SameToken { call, until } => (now < until).then_some(call),
            Recovery::ReadBack => None,
        }
    }

    fn begin_state(&mut self, delivery: &Delivery, now: Timestamp) -> bool {
        if delivery.fields.state.is_empty() {
            return false;
        }
        let state = IncidentState::from(delivery.fields.state.clone());
        let changes_ending = self.link.incident.as_ref().is_none_or(|seen| seen.state.is_ended() != state.is_ended());
        if changes_ending {
            let expected_mod_count = delivery.expected_mod_count;
            self.link.state_intent = Some(StateIntent { state, expected_mod_count, written_at: now });
        }
        changes_ending
    }

    /// Records the answer that the call was applied. Returns whether that is certain. If it is not, the executor looks
    /// at the record before anything follows.
    ///
    /// # Errors
    ///
    /// Fails if the link has begun no call, or a different one.
    pub fn done(&mut self, policy: &Policy, done: K::Done, now: Timestamp) -> Result<bool, Illegal> {
        K::done(self, policy, done, now)
    }

    /// Records that the call was refused or could not be made. `spread` (0 to 1,000) spreads the retries of many links.
    ///
    /// # Errors
    ///
    /// Fails if the link has begun no call.
    pub fn refused(
        &mut self,
        policy: &Policy,
        call: &K::Call,
        failure: &Failure,
        now: Timestamp,
        spread: u32,
    ) -> Result<(), Illegal> {
        if self.link.intent.as_ref().is_some_and(|intent| intent.repeated) {
            self.leave_aws_alone(policy, failure, now, spread);
            return Ok(());
        }
        K::refused(self, policy, call, failure, now, spread)
    }

    /// Records that the call was not answered. Returns whether the executor has to look for its outcome before anything
    /// follows. It does not for a call with a token, which is made again after a wait.
    ///
    /// # Errors
    ///
    /// Fails if the link has begun no call.
    pub fn not_answered(
        &mut self,
        policy: &Policy,
        failure: &Failure,
        now: Timestamp,
        spread: u32,
    ) -> Result<bool, Illegal> {
        self.doubt(failure.message())?;
        let is_repeated = self.repeat(now).is_some();
        if is_repeated {
            self.leave_aws_alone(policy, failure, now, spread);
        }
        Ok(!is_repeated)
    }

    /// Records a trouble that delays all requests to AWS.
    fn leave_aws_alone(&mut self, policy: &Policy, failure: &Failure, now: Timestamp, spread: u32) {
        let retry_at = if let Failure::Unavailable { retry_at, .. } = failure { *retry_at } else { None };
        let failure = Failure::Unavailable { message: failure.message().to_owned(), retry_at };
        self.trouble(policy, Side::Aws, &failure, Request::Read, now, spread);
    }

    /// Takes the intent from the link and records how it ended. Returns `None` if there is no intent. If its call was
    /// applied, also forgets the troubles that this disproves: no answer from AWS, a refusal of the account, or of the
    /// same call.
    pub fn end_intent(&mut self, end: IntentEnd) -> Option<Intent<K::Intent>> {
        let intent = self.link.intent.take()?;
        self.link.ended_intent = Some(EndedIntent { sequence: intent.sequence, end });
        let in_a_row = self.link.never_applied.saturating_add(1);
        self.link.never_applied = if end == IntentEnd::NeverApplied { in_a_row } else { 0 };
        if matches!(end, IntentEnd::Done | IntentEnd::FoundDone) {
            self.link.troubles.end(Side::Aws, |trouble| {
                let about_account = matches!(trouble.refusal, Some(Refusal::Credentials | Refusal::Subscription));
                let about_call = trouble.request.call().is_some_and(|refused| K::concerns(refused, &intent.kind));
                trouble.refusal.is_none() || about_account || about_call
            });
        }
        Some(intent)
    }

    /// Records a lookup at `now` that did not find the effect of the call in doubt. Returns whether L is over, so that
    /// the call counts as never applied.
    pub fn record_failed_lookup(&mut self, policy: &Policy, now: Timestamp) -> bool {
        let Some(intent) = &mut self.link.intent else { return false };
        intent.looked = intent.looked.saturating_add(1);
        now.duration_since(intent.written_at) >= policy.unknown_outcome()
    }

    /// Leaves the intent in doubt and records the message of the failure.
    ///
    /// # Errors
    ///
    /// Fails if the link has begun no call.
    pub fn doubt(&mut self, message: &str) -> Result<(), Illegal> {
        let intent = self.link.intent.as_mut().ok_or(Illegal::NothingBegun)?;
        message.clone_into(&mut intent.doubt);
        Ok(())
    }

    /// Records that the incident is open: by this try or by an earlier one.
    pub fn incident_opened(&mut self, policy: &Policy, incident: Incident, now: Timestamp) {
        self.link.troubles.end(Side::ServiceNow, |trouble| {
            trouble.refusal.is_none_or(|refusal| refusal == Refusal::Credentials)
                || trouble.request == Request::OpenIncident
        });
        self.believe_incident(policy, incident, now);
        if self.link.interrupted {
            // An interrupted pass may have opened it and delivered messages. A read shows them, and then the record is
            // read again.
            (self.aws, self.incident) = (K::Sight::default(), None);
        }
    }

    /// Records that the incident could not be opened, or that the answer was lost. It is tried again: a repeat opens no
    /// second incident.
    ///
    /// If ServiceNow refused what the incident was to say, a later try says less, see
    /// [`crate::servicenow::delivery::LEFT_OUT_DESCRIPTION`].
    pub fn incident_not_opened(&mut self, policy: &Policy, failure: &Failure, now: Timestamp, spread: u32) {
        if let (Failure::Refused { refusal: Refusal::InvalidRequest, .. }, Some(opening)) =
            (failure, &mut self.link.opening)
        {
            opening.refused = opening.refused.saturating_add(1);
        }
        self.trouble(policy, Side::ServiceNow, failure, Request::OpenIncident, now, spread);
    }

    /// Records the answer to a delivery. Returns whether the plan goes on. It ends if anything was refused or stale, or
    /// if the answer shows a pause that began meanwhile.
    pub fn delivered(
        &mut self,
        policy: &Policy,
        delivery: &Delivery,
        answer: DeliveryAnswer,
        now: Timestamp,
        spread: u32,
    ) -> bool {
        let paused_before = self.pause(policy).is_some();
        let mut refusal = None;
        for message in &answer.messages {
            let was_sent = delivery.messages.iter().any(|sent| sent.external_id == message.external_id);
            match message.outcome {
                _ if !was_sent => {}
                MessageOutcome::Applied | MessageOutcome::AlreadyApplied => K::delivered(self, &message.external_id),
                MessageOutcome::Refused => {
                    if K::message_refused(self, &message.external_id, &message.error) {
                        refusal = Some((Request::Messages, message.error.clone()));
                    }
                }
            }
        }
        if answer.fields == FieldsOutcome::Refused && refusal.is_none() {
            refusal = Some((Request::of_fields(&delivery.fields), answer.field_error.clone()));
        }
        self.link.troubles.end(Side::ServiceNow, |trouble| {
            trouble.refusal.is_none() || trouble.refusal == Some(Refusal::Credentials)
        });
        self.note_written_columns(delivery, answer.fields, now);
        let reactions = self.reactions();
        self.take_in_state(&delivery.fields, &answer, &reactions);
        let (answer_count, answer_fields) = (taken(&answer), answer.fields);
        self.believe_incident(policy, answer.snapshot, now);
        if let Some((request, error)) = &refusal {
            let failure = Failure::Refused { refusal: Refusal::InvalidRequest, message: error.clone() };
            self.trouble(policy, Side::ServiceNow, &failure, request.clone(), now, spread);
        } else if answer_fields == FieldsOutcome::Applied {
            K::fields_applied(self, &delivery.fields);
            let requests = [Request::Columns, Request::of_fields(&delivery.fields), Request::of_delivery(delivery)];
            self.link.troubles.end(Side::ServiceNow, |trouble| requests.contains(&trouble.request));
        }
        let all_taken = answer_count == delivery.messages.len();
        let goes_on = paused_before || self.pause(policy).is_none();
        refusal.is_none() && all_taken && answer_fields != FieldsOutcome::Stale && goes_on
    }

    /// Records columns that were written although the incident showed others. Does not check what the
    /// incident shows now.
    fn note_written_columns(&mut self, delivery: &Delivery, fields: FieldsOutcome, now: Timestamp) {
        let Some(shown) = self.summary().map(|seen| &seen.columns) else { return };
        if fields == FieldsOutcome::Applied && !shown.show(&delivery.columns) {
            let earlier = self.link.columns_written.as_ref();
            self.link.columns_written = Some(WrittenColumns::after(earlier, shown, &delivery.columns, now));
        }
    }

    /// Records what became of the state that a delivery asked for.
    fn take_in_state(&mut self, fields: &IncidentFields, answer: &DeliveryAnswer, reactions: &[String]) {
        if fields.state.is_empty() {
            return;
        }
        let state = IncidentState::from(fields.state.clone());
        let was_ended = self.link.incident.as_ref().is_some_and(|seen| seen.state.is_ended());
        self.link.state_intent = None;
        match answer.fields {
            FieldsOutcome::Applied if state.is_ended() != was_ended => {
                if !state.is_ended() {
                    self.link.journal.reopened_by(reactions.iter().map(String::as_str));
                    let texts = K::reopened(&mut self.link.memory);
                    self.link.journal.reopened_by_hashes(texts);
                }
                // When a comment reopens both sides, the incident is reopened first, and the comment that reopens the
                // record follows.
                let record_has_ended = K::has_ended(&self.link.memory);
                self.state_is_written(&state, &answer.snapshot.summary);
                self.link.base.ended = state.is_ended() && record_has_ended;
            }
            FieldsOutcome::Applied => {
                self.link.base.state_written = Some(state);
                K::agree_on_status(&mut self.link.memory);
            }
            // A state that the platform refuses is not written again and again. An agent decides.
            FieldsOutcome::Refused => {
                K::agree_on_status(&mut self.link.memory);
            }
            FieldsOutcome::Stale | FieldsOutcome::None => {}
        }
    }

    /// Returns the delivery that writes the columns as they are at `now`. Returns `None` if the incident shows them
    /// already or was never seen.
    pub fn columns_delivery(&self, policy: &Policy, now: Timestamp) -> Option<Delivery> {
        self.delivery_of_columns(K::columns(policy, self, now))
    }

    /// Returns the delivery that reports that the link has become too large to be recorded. Returns `None` if the
    /// incident shows this already or was never seen.
    pub fn full_link_delivery(&self) -> Option<Delivery> {
        self.delivery_of_columns(self.summary()?.columns.of_full_link())
    }

    /// Returns the delivery that writes these columns alone. Returns `None` if the incident shows them already or was
    /// never seen.
    fn delivery_of_columns(&self, columns: BridgeColumns) -> Option<Delivery> {
        let incident = self.summary().filter(|incident| !incident.columns.show(&columns))?;
        Some(Delivery {
            expected_mod_count: incident.sys_mod_count,
            messages: Vec::new(),
            fields: IncidentFields::default(),
            columns,
            entries_since: self.answered_since(),
        })
    }

    /// Records that a delivery failed as a whole, or that its incident is not found. Any other refusal delays only an
    /// equal delivery.
    pub fn not_delivered(
        &mut self,
        policy: &Policy,
        delivery: &Delivery,
        failure: &Failure,
        now: Timestamp,
        spread: u32,
    ) {
        if matches!(failure, Failure::Refused { .. }) {
            self.link.state_intent = None;
        }
        if matches!(failure, Failure::Refused { refusal: Refusal::NotFound, .. }) {
            self.see_gone(now);
            return;
        }
        self.trouble(policy, Side::ServiceNow, failure, Request::of_delivery(delivery), now, spread);
    }

    /// Records a failure of a side and when to try again.
    ///
    /// `request` is the request that failed. `spread` (0 to 1,000) spreads the retries of many links: 1,000 adds half
    /// of the wait.
    pub fn trouble(
        &mut self,
        policy: &Policy,
        side: Side,
        failure: &Failure,
        request: Request<K::Refused>,
        now: Timestamp,
        spread: u32,
    ) {
        let (refusal, retry_at) = match failure {
            Failure::Refused { refusal, .. } => (Some(*refusal), None),
            Failure::Unavailable { retry_at, .. } => (None, *retry_at),
            Failure::InDoubt { .. } => (None, None),
        };
        let earlier = self.link.troubles.earlier(side, refusal, &request);
        let attempts = earlier.map_or(0, |earlier| earlier.attempts).saturating_add(1);
        let wait = match refusal {
            Some(Refusal::CaseQuota) => seconds(policy.case_quota_retry_seconds),
            Some(Refusal::AccountNotInUse) if attempts > FREQUENT_ATTEMPTS => SELDOM,
            Some(_) => seconds(policy.refusal_retry_seconds),
            None => backoff(policy, attempts),
        };
        // At most half of the wait.
        let spread = i32::try_from(spread.min(FULL_SPREAD)).unwrap_or_default();
        let extra = wait * spread / (2 * FULL_SPREAD.cast_signed());
        let until = time::later(now, wait + extra);
        self.link.troubles.note(Trouble {
            side,
            refusal,
            message: failure.message().to_owned(),
            attempts,
            until: retry_at.map_or(until, |retry_at| until.max(retry_at)),
            request,
        });
    }

    /// Returns the link for a pass that could not be recorded: the link as recorded before, marked as interrupted and
    /// with the times of the pass's writes.
    pub fn abandoned(&self, recorded: &Link<K>) -> Link<K> {
        Link { recent_writes: self.link.recent_writes.clone(), interrupted: true, ..recorded.clone() }
    }

    /// Counts a write for the loop breaker and forgets the writes outside its window.
    pub fn count_write(&mut self, policy: &Policy, now: Timestamp) {
        let window = seconds(policy.write_window_seconds);
        self.link.recent_writes.retain(|write| now.duration_since(*write) < window);
        self.link.recent_writes.push(now);
    }
}

/// Returns how many messages of a delivery are on the incident.
fn taken(answer: &DeliveryAnswer) -> usize {
    answer.messages.iter().filter(|message| message.outcome != MessageOutcome::Refused).count()
}

/// Returns the wait after this many failures in a row.
pub fn backoff(policy: &Policy, attempts: u32) -> SignedDuration {
    policy.longer_each_time(attempts, policy.retry_longest_seconds)
}
