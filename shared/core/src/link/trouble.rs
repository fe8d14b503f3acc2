//! Troubles: what delays requests to a side, and until when.
//!
//! A trouble that passes by itself (throttling, no answer) delays all requests to its side. A refusal delays only the
//! request that was refused: other requests to that side are made, and the other side is not affected.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::failure::Side;
use crate::{
    failure::Refusal,
    identifiers::ExternalId,
    servicenow::delivery::{Delivery, IncidentFields},
};

/// How many troubles a link remembers at most. A link has few requests that differ by their content.
const TROUBLES: usize = 12;

/// The key of a request for which troubles are recorded. A refusal delays only requests with an equal key. `C` is the
/// kind's key of a call to AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request<C> {
    /// A read. The next one that succeeds ends the trouble.
    Read,
    /// The opening of the link's incident.
    OpenIncident,
    /// Messages for the incident.
    Messages,
    /// A change of the incident's columns alone.
    Columns,
    /// A change of the incident's fields that sets this state.
    State(String),
    /// A delivery that sets this state, or none, and carries these messages.
    Delivery {
        /// The state.
        state: String,
        /// The external ids of the messages.
        messages: Vec<ExternalId>,
    },
    /// A call to AWS.
    Call(C),
}

impl<C> Request<C> {
    /// Returns the key for fields that were refused. If there are no fields, that is [`Self::Columns`].
    pub fn of_fields(fields: &IncidentFields) -> Self {
        if fields.is_empty() { Self::Columns } else { Self::State(fields.state.clone()) }
    }

    /// Returns the key for a delivery that was refused as a whole. If it has neither messages nor fields, that is
    /// [`Self::Columns`].
    pub fn of_delivery(delivery: &Delivery) -> Self {
        if delivery.messages.is_empty() && delivery.fields.is_empty() {
            return Self::Columns;
        }
        let messages = delivery.messages.iter().map(|message| message.external_id.clone()).collect();
        Self::Delivery { state: delivery.fields.state.clone(), messages }
    }

    /// Returns the call to AWS, or `None` if the request is not a call.
    pub fn call(&self) -> Option<&C> {
        match self {
            Self::Call(call) => Some(call),
            Self::Read
            | Self::OpenIncident
            | Self::Messages
            | Self::Columns
            | Self::State(_)
            | Self::Delivery { .. } => None,
        }
    }
}

/// What delays a request to one side, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble<C> {
    /// The side.
    pub side: Side,
    /// The refusal. `None` for a trouble that passes by itself.
    pub refusal: Option<Refusal>,
    /// The side's own message.
    pub message: String,
    /// How many times in a row it has happened.
    pub attempts: u32,
    /// When to try again, by our clock.
    pub until: Timestamp,
    /// The request that failed. A refusal delays only this request.
    pub request: Request<C>,
}

impl<C: PartialEq> Trouble<C> {
    /// Whether the trouble is still active at `now`.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.until > now
    }

    /// Whether this is the refusal of a call to AWS whose new try is in doubt.
    fn is_tried_again(&self, is_in_doubt: impl Fn(&C) -> bool) -> bool {
        self.refusal.is_some() && self.request.call().is_some_and(is_in_doubt)
    }
}

/// The troubles of a link: for each side at most one that passes by itself, and at most one for each refused request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Troubles<C>(Vec<Trouble<C>>);

// Not derived: the derive would require a default for `C`.
impl<C> Default for Troubles<C> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<C: PartialEq> Troubles<C> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the recorded trouble that this one repeats. Returns `None` if it is the first.
    pub fn earlier(&self, side: Side, refusal: Option<Refusal>, request: &Request<C>) -> Option<&Trouble<C>> {
        self.0.iter().find(|trouble| is_same(trouble, side, refusal, request))
    }

    /// Records a trouble and removes the one that it repeats. Removes the oldest refusal if there are too many
    /// troubles.
    pub fn note(&mut self, trouble: Trouble<C>) {
        self.0.retain(|earlier| !is_same(earlier, trouble.side, trouble.refusal, &trouble.request));
        self.0.push(trouble);
        if self.0.len() > TROUBLES {
            // The oldest refusal is the least loss: at worst its request is made once more. The newest trouble must
            // stay, or the next plan makes its request again at once.
            let oldest = self.0.iter().position(|trouble| trouble.refusal.is_some()).unwrap_or_default();
            self.0.remove(oldest);
        }
    }

    /// Returns the troubles that are active at `now`.
    pub fn active(&self, now: Timestamp) -> impl Iterator<Item = &Trouble<C>> {
        self.0.iter().filter(move |trouble| trouble.is_active(now))
    }

    /// Returns the trouble that delays this request to a side. If there are several, returns the one that lasts
    /// longest.
    pub fn blocking(&self, side: Side, request: &Request<C>, now: Timestamp) -> Option<&Trouble<C>> {
        self.blocking_unless(side, request, now, |_| false)
    }

    /// Like [`Self::blocking`], without the troubles for which `is_waived` returns true.
    pub fn blocking_unless(
        &self,
        side: Side,
        request: &Request<C>,
        now: Timestamp,
        is_waived: impl Fn(&Trouble<C>) -> bool,
    ) -> Option<&Trouble<C>> {
        let concerns = |trouble: &Trouble<C>| trouble.refusal.is_none() || trouble.request == *request;
        let of_side = self.active(now).filter(|trouble| trouble.side == side);
        of_side.filter(|trouble| concerns(trouble) && !is_waived(trouble)).max_by_key(|trouble| trouble.until)
    }

    /// Returns when the last trouble of a side ends, for whatever request. Returns `None` if the side has no trouble.
    pub fn side_until(&self, side: Side) -> Option<Timestamp> {
        self.0.iter().filter(|trouble| trouble.side == side).map(|trouble| trouble.until).max()
    }

    /// Forgets the troubles of a side for which `requests` returns true.
    pub fn end(&mut self, side: Side, requests: impl Fn(&Trouble<C>) -> bool) {
        self.0.retain(|trouble| trouble.side != side || !requests(trouble));
    }

    /// Forgets the troubles that are over, except the refusal of a call to AWS whose new try is in doubt: until the
    /// outcome of the new try is known, the refusal is the latest known answer.
    pub fn forget_passed(&mut self, now: Timestamp, is_in_doubt: impl Fn(&C) -> bool) {
        self.0.retain(|trouble| trouble.is_active(now) || trouble.is_tried_again(&is_in_doubt));
    }

    /// Returns the troubles that are active at `now`, and the refusals whose new try is in doubt.
    pub fn reported(&self, now: Timestamp, is_in_doubt: impl Fn(&C) -> bool) -> impl Iterator<Item = &Trouble<C>> {
        self.0.iter().filter(move |trouble| trouble.is_active(now) || trouble.is_tried_again(&is_in_doubt))
    }
}

/// Whether a trouble repeats one of this side, refusal and request. All troubles of a side that pass by themselves
/// count as one, whatever the request.
fn is_same<C: PartialEq>(trouble: &Trouble<C>, side: Side, refusal: Option<Refusal>, request: &Request<C>) -> bool {
    let same_request = match (trouble.refusal, refusal) {
        (None, None) => true,
        (Some(_), Some(_)) => trouble.request == *request,
        _ => false,
    };
    trouble.side == side && same_request
}
