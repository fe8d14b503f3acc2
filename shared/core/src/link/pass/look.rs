//! A look at both sides: which reads it makes, and what their answers mean. Each round of reads is made side by side, and the
//! next one follows from its answers.

use jiff::Timestamp;

use crate::{
    failure::{Failure, Refusal},
    hint::Cause,
    link::{
        intent::Illegal,
        kind::Kind,
        pass::Pass,
        trouble::{Request, Side},
    },
    policy::Policy,
    servicenow::incident::Incident,
};

/// Which sides are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Those that a hint of this cause asks for.
    Hint(Cause),
    /// Both: the link was marked dirty, or the pass has waited.
    Both,
    /// The record at AWS, and the incident where it must be read: a call ended in doubt.
    Record,
}

/// A read that a look asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read<R> {
    /// The incident, with its comments since a moment or all of them.
    Incident {
        /// Since when.
        entries_since: Option<Timestamp>,
    },
    /// A read of the AWS side.
    Record(R),
}

/// The answer to a read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there are a few of them at a time, and each is taken in at once")]
pub enum Seen<K: Kind> {
    /// The incident; none if it is not there.
    Incident(Result<Option<Incident>, Failure>),
    /// What was asked of the AWS side, and its answer.
    Record(K::Read, Result<K::Seen, Failure>),
}

impl<K: Kind> Pass<K> {
    /// Begins a look at `now`. The record of an incident that is gone is read as well, so that nobody finds it changed again
    /// and again.
    pub fn look(&mut self, look: Look, now: Timestamp) {
        let from_aws = match look {
            Look::Hint(cause) => cause.is_from_aws(),
            Look::Record => true,
            Look::Both => false,
        };
        self.incident_wanted |= !from_aws;
        self.woken |= matches!(look, Look::Hint(Cause::Due | Cause::Wake));
        self.asks_for_incident = look == Look::Both || self.needs_incident();
        K::look(self, now);
    }

    /// The next round of reads, to be made side by side; none when the look is over.
    pub fn next_reads(&mut self) -> Vec<Read<K::Read>> {
        let of_record = K::next_reads(self);
        let asks_for_incident = std::mem::take(&mut self.asks_for_incident);
        let incident = asks_for_incident.then(|| Read::Incident { entries_since: self.entries_since() });
        incident.into_iter().chain(of_record.into_iter().map(Read::Record)).collect()
    }

    /// Takes in that no time is left to read on: the read of AWS counts as not answered.
    pub fn stop_looking(&mut self, policy: &Policy, now: Timestamp, spread: u32) {
        let message = "AWS answers too slowly: no time was left to read on".to_owned();
        let failure = Failure::Unavailable { message, retry_at: None };
        self.trouble(policy, Side::Aws, &failure, Request::Read, now, spread);
    }

    /// Takes in the answer to a read, which came at `now`. Returns the failure of a side, if the answer is one: it is noted as
    /// a trouble, whose retries `spread` (0 to 1,000) spreads.
    ///
    /// # Errors
    ///
    /// Fails if the answer is to no read that was asked for.
    pub fn see(
        &mut self,
        policy: &Policy,
        seen: Seen<K>,
        now: Timestamp,
        spread: u32,
    ) -> Result<Option<(Side, Failure)>, Illegal> {
        let (side, failure) = match seen {
            Seen::Incident(answer) => (Side::ServiceNow, self.see_incident_answer(policy, answer, now)),
            Seen::Record(read, answer) => (Side::Aws, K::see(self, policy, &read, answer)?),
        };
        let Some(failure) = failure else { return Ok(None) };
        self.trouble(policy, side, &failure, Request::Read, now, spread);
        Ok(Some((side, failure)))
    }

    /// Takes in what a read of the incident answered. Returns the failure, if it counts as one.
    fn see_incident_answer(
        &mut self,
        policy: &Policy,
        answer: Result<Option<Incident>, Failure>,
        now: Timestamp,
    ) -> Option<Failure> {
        match answer {
            Ok(Some(incident)) => self.see_incident(policy, incident, now),
            Ok(None) => self.see_gone(now),
            Err(Failure::Refused { refusal: Refusal::NotServed, .. }) if self.see_not_served() => {}
            Err(failure) => return Some(failure),
        }
        None
    }
}
