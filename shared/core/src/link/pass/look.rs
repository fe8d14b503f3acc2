//! A look at both sides: which reads it makes, and what their answers mean. The reads of one round are made in
//! parallel, and their answers decide the next round.

use jiff::Timestamp;

use crate::{
    failure::{Failure, Refusal},
    hint::Cause,
    link::{
        intent::Illegal,
        kind::{FailedRead, Kind},
        pass::Pass,
        trouble::{Request, Side},
    },
    policy::Policy,
    servicenow::incident::Incident,
};

/// Which sides are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The sides that a hint of this cause asks for.
    Hint(Cause),
    /// Both sides. The link was marked dirty, or the pass has waited.
    Both,
    /// The record at AWS, and the incident if it must be read. A call ended in doubt.
    Record,
}

/// A read that a look asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read<R> {
    /// The incident with its comments.
    Incident {
        /// The moment from which on comments are read. `None` for all comments.
        entries_since: Option<Timestamp>,
    },
    /// A read of the AWS side.
    Record(R),
}

/// The answer to a read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "only a few exist at a time, and each is used at once")]
pub enum Seen<K: Kind> {
    /// The incident, or `None` if ServiceNow does not find it.
    Incident(Result<Option<Incident>, Failure>),
    /// A read of the AWS side, and its answer.
    Record(K::Read, Result<K::Seen, Failure>),
}

impl<K: Kind> Pass<K> {
    /// Begins a look at `now`. It also reads the record of an incident that is not found. Otherwise the poller would
    /// find the record changed in each poll.
    pub fn look(&mut self, look: Look, now: Timestamp) {
        let from_aws = match look {
            Look::Hint(cause) => cause.is_from_aws(),
            Look::Record => true,
            Look::Both => false,
        };
        self.incident_wanted |= !from_aws;
        self.woken |= matches!(look, Look::Hint(Cause::Due | Cause::Wake));
        let is_there = self.link.opening.is_none();
        self.asks_for_incident = (look == Look::Both && is_there) || self.needs_incident();
        K::look(self, now);
    }

    /// Returns the next round of reads, to be made in parallel. Returns no reads when the look is over.
    pub fn next_reads(&mut self) -> Vec<Read<K::Read>> {
        let of_record = K::next_reads(self);
        let asks_for_incident = std::mem::take(&mut self.asks_for_incident);
        let incident = asks_for_incident.then(|| Read::Incident { entries_since: self.entries_since() });
        incident.into_iter().chain(of_record.into_iter().map(Read::Record)).collect()
    }

    /// Records that no time is left for further reads. The read of AWS counts as not answered.
    pub fn stop_looking(&mut self, policy: &Policy, now: Timestamp, spread: u32) {
        let message = "AWS answers too slowly: no time was left to read on".to_owned();
        let failure = Failure::Unavailable { message, retry_at: None };
        self.trouble(policy, Side::Aws, &failure, Request::Read, now, spread);
    }

    /// Records the answer to a read, which came at `now`. If the answer is a failure of a side, records a trouble and
    /// returns the failure. `spread` (0 to 1,000) spreads the retries of many links.
    ///
    /// # Errors
    ///
    /// Fails if the pass has not asked for this read.
    pub fn see(
        &mut self,
        policy: &Policy,
        seen: Seen<K>,
        now: Timestamp,
        spread: u32,
    ) -> Result<Option<(Side, Failure)>, Illegal> {
        let (side, failed) = match seen {
            Seen::Incident(answer) => {
                (Side::ServiceNow, self.see_incident_answer(policy, answer, now).map(FailedRead::Delays))
            }
            Seen::Record(read, answer) => (Side::Aws, K::see(self, policy, &read, answer)?),
        };
        if let Some(FailedRead::Delays(failure)) = &failed {
            self.trouble(policy, side, failure, Request::Read, now, spread);
        }
        Ok(failed.map(|failed| (side, failed.into_failure())))
    }

    /// Records the answer to a read of the incident. Returns the failure, if the answer counts as one.
    fn see_incident_answer(
        &mut self,
        policy: &Policy,
        answer: Result<Option<Incident>, Failure>,
        now: Timestamp,
    ) -> Option<Failure> {
        match answer {
            Ok(Some(incident)) => self.see_incident(policy, incident, now),
            Ok(None) if self.link.opening.is_some() => self.incident_not_opened = true,
            Ok(None) => self.see_gone(now),
            Err(Failure::Refused { refusal: Refusal::NotServed, .. }) if self.see_not_served() => {}
            Err(failure) => return Some(failure),
        }
        None
    }
}
