//! What keeps a side from being written to, and until when.
//!
//! What passes by itself (throttling, no answer) keeps the whole side waiting. A refusal holds back the request that was
//! refused, by its name: another one is tried, and the other side goes on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::failure::Refusal;

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

/// What keeps a request to one side waiting, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
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
    /// The request that was refused, in short: another one is tried at once.
    #[serde(default)]
    pub request: String,
}

impl Trouble {
    /// Whether it lasts still.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.until > now
    }

    /// Whether it is the refusal of a request to AWS whose new try is in doubt.
    fn is_tried_again(&self, in_doubt: Option<&str>) -> bool {
        let is_request = in_doubt.is_some_and(|request| self.request.starts_with(request));
        self.side == Side::Aws && self.refusal.is_some() && is_request
    }
}

/// The troubles of a link: of each side at most one that passes by itself, and one of each refused request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Troubles(Vec<Trouble>);

impl Troubles {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The earlier trouble that this one is a repetition of.
    pub fn earlier(&self, side: Side, refusal: Option<Refusal>, request: &str) -> Option<&Trouble> {
        self.0.iter().find(|trouble| is_same(trouble, side, refusal, request))
    }

    /// Notes a trouble in the place of the one that it repeats.
    pub fn note(&mut self, trouble: Trouble) {
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
    pub fn active(&self, now: Timestamp) -> impl Iterator<Item = &Trouble> {
        self.0.iter().filter(move |trouble| trouble.is_active(now))
    }

    /// What keeps this request to a side waiting.
    pub fn blocking(&self, side: Side, request: &str, now: Timestamp) -> Option<&Trouble> {
        let concerns = |trouble: &&Trouble| trouble.refusal.is_none() || trouble.request == request;
        self.active(now).filter(|trouble| trouble.side == side).filter(concerns).max_by_key(|trouble| trouble.until)
    }

    /// The latest moment until which a side is left alone, whatever the request.
    pub fn side_until(&self, side: Side) -> Option<Timestamp> {
        self.0.iter().filter(|trouble| trouble.side == side).map(|trouble| trouble.until).max()
    }

    /// Forgets the troubles of a side with these requests.
    pub fn end(&mut self, side: Side, requests: impl Fn(&Trouble) -> bool) {
        self.0.retain(|trouble| trouble.side != side || !requests(trouble));
    }

    /// Forgets what is over, but for a refusal of the request to AWS that is in doubt: until it is known how the new try
    /// ended, the last word is that it is refused.
    pub fn forget_passed(&mut self, now: Timestamp, in_doubt: Option<&str>) {
        self.0.retain(|trouble| trouble.is_active(now) || trouble.is_tried_again(in_doubt));
    }

    /// The troubles that last at this moment, and those whose new try is in doubt.
    pub fn told(&self, now: Timestamp, in_doubt: Option<&str>) -> impl Iterator<Item = &Trouble> {
        self.0.iter().filter(move |trouble| trouble.is_active(now) || trouble.is_tried_again(in_doubt))
    }
}

/// Of what passes by itself a side has one, whatever the request.
fn is_same(trouble: &Trouble, side: Side, refusal: Option<Refusal>, request: &str) -> bool {
    let same_request = match (trouble.refusal, refusal) {
        (None, None) => true,
        (Some(_), Some(_)) => trouble.request == request,
        _ => false,
    };
    trouble.side == side && same_request
}
