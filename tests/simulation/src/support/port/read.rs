//! What all reads share: a read may lag, its pages belong together, and the client repeats it while AWS throttles.

use casebridge_core::{failure::Failure, identifiers::AccountId, support::case::RawCommunication};
use casebridge_simulator::support::SupportError;
use jiff::{SignedDuration, Timestamp};

use super::{
    SupportPort,
    failure::{failure, throttled},
};
use crate::{
    calls::{Fate, RemoteCall, unavailable},
    timeline::Place,
    world::World,
};

/// How often the client attempts a read that is throttled.
const READ_ATTEMPTS: u32 = 3;
/// The pause of the client between two attempts.
const READ_PAUSE: SignedDuration = SignedDuration::from_millis(1_100);

/// A listing in pages. All its pages show the same moment, and they may shift. Several listings may be under way at
/// once, also of the same case.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) as_of: Timestamp,
    pub(super) last: Option<RawCommunication>,
}

/// The place at which a listing continues: its number at the port, and AWS's token.
#[derive(Debug, Clone)]
pub(super) struct Continuation {
    pub(super) listing: usize,
    pub(super) token: String,
}

impl Continuation {
    /// Reads a token of the port. Returns `None` for a first page.
    pub(super) fn of(next: Option<&str>) -> Option<Self> {
        let (listing, token) = next?.split_once(' ').expect("the port gave it out");
        Some(Self { listing: listing.parse().expect("the port gave it out"), token: token.to_owned() })
    }

    /// Returns the token that the port gives to the client.
    pub(super) fn token(listing: usize, token: &str) -> String {
        format!("{listing} {token}")
    }
}

impl SupportPort {
    /// Sends a read and sets by how much its answer lags. Returns its fate and the number of its listing.
    async fn read(
        &self,
        call: RemoteCall,
        account: &AccountId,
        goes_on: Option<&Continuation>,
        what: &str,
    ) -> Result<(Fate, usize), Failure> {
        let fate = self.desk.arrive(call, || what.to_owned()).await;
        if matches!(fate, Fate::Refused | Fate::RequestLost) {
            return Err(throttled());
        }
        self.desk.world.borrow().admit(account)?;
        let world = &mut *self.desk.world.borrow_mut();
        let lagging = world.faults.rates().lagging;
        let mut listings = self.listings.borrow_mut();
        let lag = if let Some(goes_on) = goes_on {
            world.now.duration_since(listings[goes_on.listing].as_of).as_secs()
        } else if world.random.chance(lagging) {
            let longest = world.settings.longest_shown_delay().as_secs();
            let span = if world.random.chance(500) { 20.min(longest) } else { longest };
            let lag = world.random.between(1, span);
            world.count_fault("read lags");
            world.note(Place::Aws, || format!("(the read is as of {lag} seconds ago)"));
            lag
        } else {
            world.read_lag.as_secs()
        };
        let lag = SignedDuration::from_secs(lag);
        let listing = goes_on.map_or(listings.len(), |goes_on| goes_on.listing);
        if goes_on.is_none() {
            listings.push(Listing { as_of: world.now - lag, last: None });
        }
        world.support.observe_with_lag(lag);
        Ok((fate, listing))
    }

    /// Makes a read, and repeats it after a pause while AWS throttles, as the client does. Returns the answer and the
    /// number of its listing.
    pub(super) async fn reading<T>(
        &self,
        call: RemoteCall,
        account: &AccountId,
        goes_on: Option<&Continuation>,
        what: &str,
        describe: impl Fn(&mut World) -> Result<T, SupportError>,
    ) -> Result<(T, usize), Failure> {
        let mut attempt = 1;
        loop {
            let (fate, listing) = self.read(call, account, goes_on, what).await?;
            let result = describe(&mut self.desk.world.borrow_mut());
            self.desk.world.borrow_mut().support.observe_with_lag(SignedDuration::ZERO);
            self.desk.leave(fate).await;
            let is_throttled = matches!(result, Err(SupportError::Throttling));
            if fate == Fate::AnswerLost {
                return Err(unavailable("AWS Support did not answer"));
            }
            if !is_throttled || attempt == READ_ATTEMPTS {
                return result.map(|answer| (answer, listing)).map_err(|error| failure(&error));
            }
            attempt += 1;
            self.desk.pause(READ_PAUSE).await;
        }
    }
}
