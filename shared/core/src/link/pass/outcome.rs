//! What became of what a pass did: what was delivered, refused or is in doubt.

use jiff::{SignedDuration, Timestamp};

use crate::{
    failure::{Failure, Refusal},
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
        incident::IncidentState,
    },
    time::seconds,
};

/// How often a wait doubles at most, so that the arithmetic stays small.
const MAXIMUM_DOUBLINGS: u32 = 16;
/// A spread of one: all of the longest extra wait.
const FULL_SPREAD: u32 = 1_000;

impl<K: Kind> Pass<K> {
    /// Writes down what is about to be done; whether there is anything to write down. Effects that may be repeated need no
    /// intent, but for a state of the incident: whoever finds it later must know whose it is.
    pub fn begin(&mut self, effect: &Effect<K::Call>, now: Timestamp) -> bool {
        let call = match effect {
            Effect::Call(call) => call,
            Effect::Deliver(delivery) => return self.begin_state(delivery, now),
            Effect::WriteColumns => return false,
        };
        if self.repeat(now).as_ref() == Some(call) {
            return self.begin_repeat();
        }
        let (mark, kind) = K::begin(self, call, now);
        self.link.intents += 1;
        self.link.intent = Some(Intent::new(self.link.intents, mark, kind, now));
        true
    }

    /// Writes down that the call in doubt is made again; whether that is new.
    fn begin_repeat(&mut self) -> bool {
        self.link.intent.as_mut().is_some_and(|intent| !std::mem::replace(&mut intent.repeated, true))
    }

    /// The call in doubt, if it may be made again with its token.
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

    /// Takes in the answer that the call was applied; whether that is certain. Where it is not, both sides are read before
    /// anything follows.
    ///
    /// # Errors
    ///
    /// Fails if the link has begun no call, or another one than this answer belongs to.
    pub fn done(&mut self, policy: &Policy, done: K::Done, now: Timestamp) -> Result<bool, Illegal> {
        K::done(self, policy, done, now)
    }

    /// Takes in that the call was refused, or could not be made: `spread` (0 to 1,000) spreads the retries of many links.
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

    /// Takes in that the call was not answered. Returns whether its outcome is to be looked for before anything follows; a
    /// call with a token is made again after a wait.
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

    /// Waits before AWS is called again, whatever the call.
    fn leave_aws_alone(&mut self, policy: &Policy, failure: &Failure, now: Timestamp, spread: u32) {
        let retry_at = if let Failure::Unavailable { retry_at, .. } = failure { *retry_at } else { None };
        let failure = Failure::Unavailable { message: failure.message().to_owned(), retry_at };
        self.trouble(policy, Side::Aws, &failure, Request::Read, now, spread);
    }

    /// Takes the intent from the link and notes how it ended; none if there is none. Where its call was applied, AWS answers,
    /// and accepts the account and a call of this kind.
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

    /// Records a failed look for the call in doubt, at `now`. Returns whether the call counts as never applied: L is over.
    pub fn looked_in_vain(&mut self, policy: &Policy, now: Timestamp) -> bool {
        let Some(intent) = &mut self.link.intent else { return false };
        intent.looked = intent.looked.saturating_add(1);
        now.duration_since(intent.written_at) >= policy.unknown_outcome()
    }

    /// Leaves the intent in doubt, with the words of the failure.
    ///
    /// # Errors
    ///
    /// Fails if the link has begun no call.
    pub fn doubt(&mut self, message: &str) -> Result<(), Illegal> {
        let intent = self.link.intent.as_mut().ok_or(Illegal::NothingBegun)?;
        message.clone_into(&mut intent.doubt);
        Ok(())
    }

    /// Takes in the answer to a delivery; whether all that it asked for was done, and the plan goes on. A pause that the answer
    /// shows ends the plan.
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
            let requests = [Request::Columns, Request::of_fields(&delivery.fields), Request::of_delivery(delivery)];
            self.link.troubles.end(Side::ServiceNow, |trouble| requests.contains(&trouble.request));
        }
        let all_taken = answer_count == delivery.messages.len();
        let goes_on = paused_before || self.pause(policy).is_none();
        refusal.is_none() && all_taken && answer_fields != FieldsOutcome::Stale && goes_on
    }

    /// Notes columns that were written where the incident showed others. What it shows by now is another matter.
    fn note_written_columns(&mut self, delivery: &Delivery, fields: FieldsOutcome, now: Timestamp) {
        let differed = self.summary().is_some_and(|seen| seen.columns != delivery.columns);
        if differed && fields == FieldsOutcome::Applied {
            let earlier = self.link.columns_written.as_ref();
            self.link.columns_written = Some(WrittenColumns::after(earlier, &delivery.columns, now));
        }
    }

    /// Takes in what became of the state that a delivery asked for.
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
                // A reopening of the incident for a comment goes before the comment that reopens the record.
                let record_has_ended = K::has_ended(&self.link.memory);
                self.state_is_written(&state, &answer.snapshot.summary);
                self.link.base.ended = state.is_ended() && record_has_ended;
            }
            FieldsOutcome::Applied => {
                self.link.base.state_written = Some(state);
                K::agree_on_status(&mut self.link.memory);
            }
            // What the platform does not let us write is not written again and again: an agent decides.
            FieldsOutcome::Refused => {
                K::agree_on_status(&mut self.link.memory);
            }
            FieldsOutcome::Stale | FieldsOutcome::None => {}
        }
    }

    /// The delivery that writes the columns as the link says now; none where the incident shows them already, or was never
    /// seen.
    pub fn columns_delivery(&self, policy: &Policy, now: Timestamp) -> Option<Delivery> {
        self.delivery_of_columns(K::columns(policy, self, now))
    }

    /// The delivery that tells that the link has become too large to be recorded; none where the incident says so already, or
    /// was never seen.
    pub fn full_link_delivery(&self) -> Option<Delivery> {
        self.delivery_of_columns(self.summary()?.columns.of_full_link())
    }

    /// The delivery that writes the columns alone; none where the incident shows them already, or was never seen.
    fn delivery_of_columns(&self, columns: BridgeColumns) -> Option<Delivery> {
        let incident = self.summary().filter(|incident| incident.columns != columns)?;
        Some(Delivery {
            expected_mod_count: incident.sys_mod_count,
            messages: Vec::new(),
            fields: IncidentFields::default(),
            columns,
            entries_since: self.answered_since(),
        })
    }

    /// Takes in that a delivery as a whole came to nothing. What is refused waits as this request.
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

    /// Notes a failure of a side and when to try again.
    ///
    /// `request` is what was refused; `spread` (0 to 1,000) spreads the retries of many links.
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
            Some(_) => seconds(policy.refusal_retry_seconds),
            None => backoff(policy, attempts),
        };
        // Half of the wait at most.
        let spread = i32::try_from(spread.min(FULL_SPREAD)).unwrap_or_default();
        let extra = wait * spread / (2 * FULL_SPREAD.cast_signed());
        let until = now.checked_add(wait + extra).unwrap_or(now);
        self.link.troubles.note(Trouble {
            side,
            refusal,
            message: failure.message().to_owned(),
            attempts,
            until: retry_at.map_or(until, |retry_at| until.max(retry_at)),
            request,
        });
    }

    /// What to remember of a pass that could not be recorded: what was recorded before it, and that it wrote.
    pub fn abandoned(&self, recorded: &Link<K>) -> Link<K> {
        Link { recent_writes: self.link.recent_writes.clone(), interrupted: true, ..recorded.clone() }
    }

    /// Counts a write for the loop breaker and forgets those outside its window.
    pub fn count_write(&mut self, policy: &Policy, now: Timestamp) {
        let window = seconds(policy.write_window_seconds);
        self.link.recent_writes.retain(|write| now.duration_since(*write) < window);
        self.link.recent_writes.push(now);
    }
}

/// How many messages of a delivery are on the incident.
fn taken(answer: &DeliveryAnswer) -> usize {
    answer.messages.iter().filter(|message| message.outcome != MessageOutcome::Refused).count()
}

/// The wait after this many failures in a row.
pub fn backoff(policy: &Policy, attempts: u32) -> SignedDuration {
    longer_each_time(policy, attempts, policy.retry_longest_seconds)
}

/// A wait that doubles with each attempt, up to the longest.
pub(crate) fn longer_each_time(policy: &Policy, attempts: u32, longest_seconds: u32) -> SignedDuration {
    let doublings = attempts.saturating_sub(1).min(MAXIMUM_DOUBLINGS);
    let wait = u64::from(policy.retry_first_seconds) << doublings;
    seconds(u32::try_from(wait).unwrap_or(u32::MAX).min(longest_seconds))
}
