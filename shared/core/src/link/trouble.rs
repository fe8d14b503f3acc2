//! What keeps a side from being written to, and until when.
//!
//! What passes by itself (throttling, no answer) keeps the whole side waiting. A refusal holds back the request that was
//! refused: another one is tried, and the other side goes on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    failure::Refusal,
    identifiers::ExternalId,
    servicenow::delivery::{Delivery, IncidentFields},
};

/// How many troubles a link remembers: the requests that differ by their content are few.
const TROUBLES: usize = 12;

/// A side of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// AWS Support.
    Aws,
    /// ServiceNow.
    #[serde(rename = "servicenow")]
    ServiceNow,
}

impl Side {
    /// Its name in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::ServiceNow => "servicenow",
        }
    }
}

/// A request that a side refused, as far as it tells it from another one that is tried at once. `C` is the kind's word for
/// its calls to AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request<C> {
    /// A read. The next one that succeeds ends the trouble.
    Read,
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
        /// The messages' names.
        messages: Vec<ExternalId>,
    },
    /// A call to AWS.
    Call(C),
}

impl<C> Request<C> {
    /// The request that refused fields are remembered by, or the columns alone.
    pub fn of_fields(fields: &IncidentFields) -> Self {
        if fields.is_empty() { Self::Columns } else { Self::State(fields.state.clone()) }
    }

    /// The request that a delivery is remembered by that was refused as a whole: its messages and its fields, or the columns
    /// alone.
    pub fn of_delivery(delivery: &Delivery) -> Self {
        if delivery.messages.is_empty() && delivery.fields.is_empty() {
            return Self::Columns;
        }
        let messages = delivery.messages.iter().map(|message| message.external_id.clone()).collect();
        Self::Delivery { state: delivery.fields.state.clone(), messages }
    }

    /// The call to AWS, if it is one.
    pub fn call(&self) -> Option<&C> {
        match self {
            Self::Call(call) => Some(call),
            Self::Read | Self::Messages | Self::Columns | Self::State(_) | Self::Delivery { .. } => None,
        }
    }
}

/// What keeps a request to one side waiting, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble<C> {
    /// The side.
    pub side: Side,
    /// The refusal, or none for what passes by itself.
    pub refusal: Option<Refusal>,
    /// What happened, in the side's own words.
    pub message: String,
    /// How often in a row.
    pub attempts: u32,
    /// When to try again, by our clock.
    pub until: Timestamp,
    /// The request that was refused: another one is tried at once.
    pub request: Request<C>,
}

impl<C: PartialEq> Trouble<C> {
    /// Whether it lasts still.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.until > now
    }

    /// Whether it is the refusal of a call to AWS whose new try is in doubt.
    fn is_tried_again(&self, is_in_doubt: impl Fn(&C) -> bool) -> bool {
        self.refusal.is_some() && self.request.call().is_some_and(is_in_doubt)
    }
}

/// The troubles of a link: of each side at most one that passes by itself, and one of each refused request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Troubles<C>(Vec<Trouble<C>>);

// Derived, it would ask for a call by default.
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

    /// The earlier trouble that this one is a repetition of.
    pub fn earlier(&self, side: Side, refusal: Option<Refusal>, request: &Request<C>) -> Option<&Trouble<C>> {
        self.0.iter().find(|trouble| is_same(trouble, side, refusal, request))
    }

    /// Notes a trouble in the place of the one that it repeats.
    pub fn note(&mut self, trouble: Trouble<C>) {
        self.0.retain(|earlier| !is_same(earlier, trouble.side, trouble.refusal, &trouble.request));
        self.0.push(trouble);
        if self.0.len() > TROUBLES {
            // The refusal that was noted longest ago is the least loss: its request is tried once more, if it is made at all.
            // The newest one must stay, or the plan that follows makes its request again at once.
            let oldest = self.0.iter().position(|trouble| trouble.refusal.is_some()).unwrap_or_default();
            self.0.remove(oldest);
        }
    }

    /// The troubles that last at this moment.
    pub fn active(&self, now: Timestamp) -> impl Iterator<Item = &Trouble<C>> {
        self.0.iter().filter(move |trouble| trouble.is_active(now))
    }

    /// What keeps this request to a side waiting: of several troubles the one that lasts longest.
    pub fn blocking(&self, side: Side, request: &Request<C>, now: Timestamp) -> Option<&Trouble<C>> {
        self.blocking_unless(side, request, now, |_| false)
    }

    /// What keeps this request to a side waiting, apart from the troubles that are waived.
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

    /// The latest moment until which a side is left alone, whatever the request.
    pub fn side_until(&self, side: Side) -> Option<Timestamp> {
        self.0.iter().filter(|trouble| trouble.side == side).map(|trouble| trouble.until).max()
    }

    /// Forgets the troubles of a side with these requests.
    pub fn end(&mut self, side: Side, requests: impl Fn(&Trouble<C>) -> bool) {
        self.0.retain(|trouble| trouble.side != side || !requests(trouble));
    }

    /// Forgets what is over, but for a refusal of the call to AWS that is in doubt: until it is known how the new try ended,
    /// the last word is that it is refused.
    pub fn forget_passed(&mut self, now: Timestamp, is_in_doubt: impl Fn(&C) -> bool) {
        self.0.retain(|trouble| trouble.is_active(now) || trouble.is_tried_again(&is_in_doubt));
    }

    /// The troubles that last at this moment, and those whose new try is in doubt.
    pub fn told(&self, now: Timestamp, is_in_doubt: impl Fn(&C) -> bool) -> impl Iterator<Item = &Trouble<C>> {
        self.0.iter().filter(move |trouble| trouble.is_active(now) || trouble.is_tried_again(&is_in_doubt))
    }
}

/// Of what passes by itself a side has one, whatever the request.
fn is_same<C: PartialEq>(trouble: &Trouble<C>, side: Side, refusal: Option<Refusal>, request: &Request<C>) -> bool {
    let same_request = match (trouble.refusal, refusal) {
        (None, None) => true,
        (Some(_), Some(_)) => trouble.request == *request,
        _ => false,
    };
    trouble.side == side && same_request
}
