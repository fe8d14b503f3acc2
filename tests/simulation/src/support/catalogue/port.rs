//! The ports of the function that writes the catalogue.

use std::rc::Rc;

use casebridge_core::{
    catalogue::{Changes, Held, Named, OfferedService},
    failure::Failure,
    identifiers::AccountId,
};
use casebridge_ports::SupportCatalogue;
use casebridge_servicenow::Written;
use catalog_sync::CatalogueStore;

use super::Stopped;
use crate::{
    calls::{Fate, RemoteCall, unavailable},
    desk::Desk,
    world::World,
};

/// The catalogue at AWS and in the app.
pub struct CataloguePort {
    /// The world.
    pub desk: Rc<Desk>,
}

impl CataloguePort {
    /// Makes a call. By its fate it is refused or loses its answer.
    async fn call<T>(
        &self,
        call: RemoteCall,
        what: String,
        apply: impl FnOnce(&mut World, Fate) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let fate = self.desk.arrive(call, || what).await;
        if fate == Fate::Refused {
            return Err(unavailable("the other side throttles"));
        }
        let result = apply(&mut self.desk.world.borrow_mut(), fate);
        self.desk.leave(fate).await;
        if fate == Fate::AnswerLost { Err(unavailable("no answer came")) } else { result }
    }

    /// Makes a call to AWS, which may refuse the account.
    async fn ask<T>(
        &self,
        call: RemoteCall,
        account: &AccountId,
        answer: impl FnOnce(&World) -> T,
    ) -> Result<T, Failure> {
        self.call(call, account.to_string(), |world, _| {
            world.admit(account)?;
            Ok(answer(world))
        })
        .await
    }
}

impl SupportCatalogue for CataloguePort {
    async fn describe_services(&self, account: &AccountId) -> Result<Vec<OfferedService>, Failure> {
        self.ask(RemoteCall::DescribeServices, account, |world| world.catalogue.services_of(account)).await
    }

    async fn describe_severity_levels(&self, account: &AccountId) -> Result<Vec<Named>, Failure> {
        self.ask(RemoteCall::DescribeSeverityLevels, account, |world| world.catalogue.levels_of(account)).await
    }
}

impl CatalogueStore for CataloguePort {
    async fn held(&self) -> Result<Held, Failure> {
        self.call(RemoteCall::ReadCatalogue, String::new(), |world, _| Ok(world.catalogue.held.clone())).await
    }

    async fn write(&self, changes: &Changes) -> Result<Written, Failure> {
        let what = format!("{} services, {} accounts", changes.services.len(), changes.severities.len());
        self.call(RemoteCall::WriteCatalogue, what, |world, fate| {
            let most = (fate == Fate::Stopped).then(|| world.random.index(changes.services.len() + 1));
            let services = world.catalogue.write(changes, most);
            let services = services.map_err(|Stopped| unavailable("ServiceNow stopped before its last row"))?;
            Ok(Written { services, ..Written::default() })
        })
        .await
    }
}
