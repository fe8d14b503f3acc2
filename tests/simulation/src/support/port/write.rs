//! What all writes share.

use casebridge_core::{failure::Failure, identifiers::AccountId};
use casebridge_simulator::support::{SupportError, Write};
use jiff::SignedDuration;

use super::{
    SupportPort,
    failure::{failure, in_doubt, throttled},
};
use crate::{
    calls::{Fate, RemoteCall},
    timeline::{Place, shorten},
    world::World,
};

impl SupportPort {
    /// Makes one write. By its fate and the account it is refused, lost, applied now, or applied later.
    pub(super) async fn write<T>(
        &self,
        call: RemoteCall,
        account: &AccountId,
        write: Write,
        apply: impl FnOnce(&mut World) -> Result<T, SupportError>,
    ) -> Result<T, Failure> {
        let fate = self.desk.arrive(call, || describe(&write)).await;
        if fate == Fate::Refused {
            return Err(throttled());
        }
        let admitted = self.desk.world.borrow().admit(account);
        if let Err(refused) = admitted {
            let refused = Err(refused);
            self.desk.world.borrow_mut().note_support_write(&write, &refused);
            return refused;
        }
        let writer = self.desk.current.borrow().clone();
        self.desk.world.borrow_mut().check_pause(&writer, self.began, account, &write);
        if fate == Fate::RequestLost {
            self.desk.leave(fate).await;
            return Err(in_doubt());
        }
        if matches!(fate, Fate::LandsLate | Fate::DiedLandsLate) {
            {
                let world = &mut *self.desk.world.borrow_mut();
                let longest = world.settings.longest_shown_delay().as_secs();
                let wait = SignedDuration::from_secs(world.random.between(1, longest));
                let lands_at = world.aws_now() + wait;
                world.note_late_write(&write);
                world.support.land_later(lands_at, account.as_str(), write);
            }
            self.desk.leave(fate).await;
            return Err(in_doubt());
        }
        let result = apply(&mut self.desk.world.borrow_mut());
        if let Err(error) = &result {
            self.desk.world.borrow_mut().note(Place::Aws, || format!("refuses: {error}"));
        }
        self.desk.leave(fate).await;
        let result = match fate {
            Fate::AnswerLost if result.is_ok() => Err(in_doubt()),
            _ => result.map_err(|error| failure(&error)),
        };
        self.desk.world.borrow_mut().note_support_write(&write, &result);
        result
    }
}

fn describe(write: &Write) -> String {
    match write {
        Write::CreateCase(request) => shorten(request.subject.as_deref().unwrap_or_default()),
        Write::AddCommunicationToCase(request) => shorten(request.communication_body.as_deref().unwrap_or_default()),
        Write::ResolveCase(request) => request.case_id.clone().unwrap_or_default(),
    }
}
