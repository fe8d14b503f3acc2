//! The app's resource `catalogue`: what ServiceNow holds of what AWS Support offers.

use casebridge_core::{
    catalogue::{Changes, Held, HeldSeverities, Service},
    failure::Failure,
};
use casebridge_ports::Clock;
use reqwest::Method;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    client::{Client, RepeatableRequest, invalid},
    credentials::CredentialSource,
};

/// How many services, or accounts, a page has. The app refuses a request for more.
const PAGE_SIZE: usize = 100;
/// The most pages of a part: 20,000 services or accounts. AWS has some hundred services.
const MAXIMUM_PAGES: usize = 200;

/// How many rows of each kind the app has written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Written {
    /// Services.
    pub services: usize,
    /// Categories.
    pub categories: usize,
    /// Severities.
    pub severities: usize,
    /// The codes of rows that the instance refused, twenty at most. The instance's log says why.
    #[serde(default)]
    pub refused: Vec<String>,
}

#[derive(Deserialize)]
struct ServicePage {
    services: Vec<Service>,
    more: bool,
}

#[derive(Deserialize)]
struct SeverityPage {
    severities: Vec<HeldSeverities>,
    more: bool,
}

impl<S: CredentialSource, C: Clock> Client<S, C> {
    /// Returns what ServiceNow holds of the catalogue, read page by page.
    ///
    /// # Errors
    /// `Unavailable` if the instance does not answer as expected; `Refused` if it refuses the request or the credentials,
    /// or if its pages do not end.
    pub async fn catalogue(&self) -> Result<Held, Failure> {
        let mut held = Held::default();
        let mut after = String::new();
        for _ in 0..MAXIMUM_PAGES {
            let page: ServicePage = self.catalogue_page("services", &after).await?;
            let last = page.services.last().map(|service| service.code.clone());
            held.services.extend(page.services);
            match last.filter(|_| page.more) {
                Some(last) => after = last,
                None => return self.with_severities(held).await,
            }
        }
        Err(without_end())
    }

    async fn with_severities(&self, mut held: Held) -> Result<Held, Failure> {
        let mut after = String::new();
        for _ in 0..MAXIMUM_PAGES {
            let page: SeverityPage = self.catalogue_page("severities", &after).await?;
            let last = page.severities.last().map(|account| account.account.to_string());
            held.severities.extend(page.severities);
            match last.filter(|_| page.more) {
                Some(last) => after = last,
                None => return Ok(held),
            }
        }
        Err(without_end())
    }

    async fn catalogue_page<T: DeserializeOwned>(&self, part: &str, after: &str) -> Result<T, Failure> {
        let mut url = self.incidents_url(&["catalogue"])?;
        url.query_pairs_mut()
            .append_pair("part", part)
            .append_pair("after", after)
            .append_pair("limit", &PAGE_SIZE.to_string());
        let request = RepeatableRequest { method: Method::GET, url, body: None };
        self.repeatedly(&request).await.map_err(|problem| problem.failure)
    }

    /// Writes changes of the catalogue: one of the requests of [`Changes::into_requests`]. The app writes only what differs,
    /// so this call may be repeated.
    ///
    /// # Errors
    /// As [`Client::catalogue`].
    pub async fn write_catalogue(&self, changes: &Changes) -> Result<Written, Failure> {
        let url = self.incidents_url(&["catalogue"])?;
        let body = serde_json::to_vec(changes).map_err(|error| invalid(&error.to_string()))?;
        let request = RepeatableRequest { method: Method::POST, url, body: Some(body) };
        self.repeatedly(&request).await.map_err(|problem| problem.failure)
    }
}

fn without_end() -> Failure {
    invalid("ServiceNow shows more pages of the catalogue than there can be: update the app")
}
