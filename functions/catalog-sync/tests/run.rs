//! Runs over ports that the tests play: which accounts are asked, what is written, and what a failure costs.

#![expect(clippy::unwrap_used, reason = "a test that can not go on fails")]

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::atomic::{AtomicI64, Ordering},
};

use casebridge_core::{
    catalogue::{Changes, Entry, Held, HeldSeverities, Named, OfferedService, Service},
    failure::{Failure, Refusal},
    identifiers::AccountId,
};
use casebridge_ports::{Clock, SupportCatalogue};
use casebridge_runtime::{
    SecretError,
    metrics::{Metric, Metrics},
};
use casebridge_servicenow::Written;
use catalog_sync::{AccountList, CatalogSync, CatalogueStore, RESERVE};
use jiff::{SignedDuration, Timestamp};

const ONE: &str = "111122223333";
const TWO: &str = "444455556666";

/// An organisation: the services of each account, or `None` for one that refuses, and the requests that were written.
#[derive(Default)]
struct Organisation {
    services: BTreeMap<&'static str, Option<Vec<&'static str>>>,
    held: RefCell<Held>,
    writes: RefCell<Vec<Changes>>,
    has_no_plan: bool,
    refuses: Vec<&'static str>,
    is_servicenow_down: bool,
    lists_no_accounts: bool,
    seconds: AtomicI64,
    seconds_per_account: i64,
}

fn named(code: &str) -> Named {
    Named { code: code.to_owned(), name: format!("Name of {code}") }
}

fn held(services: &[&str]) -> Held {
    let services = services.iter().map(|code| Service {
        code: (*code).to_owned(),
        name: format!("Name of {code}"),
        active: true,
        categories: vec![Entry { code: "other".to_owned(), name: "Name of other".to_owned(), active: true }],
    });
    let severities = [ONE, TWO].map(|account| HeldSeverities {
        account: AccountId::new(account),
        levels: vec![Entry { code: "low".to_owned(), name: "Name of low".to_owned(), active: true }],
    });
    Held { services: services.collect(), severities: severities.to_vec() }
}

fn unavailable() -> Failure {
    Failure::Unavailable { message: "a text of the other side".to_owned(), retry_at: None }
}

impl AccountList for &Organisation {
    async fn accounts(&self) -> Result<Vec<AccountId>, SecretError> {
        if self.lists_no_accounts {
            return Err(SecretError::Denied { id: "casebridge/accounts/".to_owned() });
        }
        Ok(self.services.keys().map(|account| AccountId::new(*account)).collect())
    }
}

impl SupportCatalogue for &Organisation {
    async fn describe_services(&self, account: &AccountId) -> Result<Vec<OfferedService>, Failure> {
        self.seconds.fetch_add(self.seconds_per_account, Ordering::Relaxed);
        let refusal = if self.has_no_plan { Refusal::Subscription } else { Refusal::Credentials };
        let refused = || Failure::Refused { refusal, message: "no".to_owned() };
        let services = self.services[account.as_str()].clone().ok_or_else(refused)?;
        let offered = |code| OfferedService { service: named(code), categories: vec![named("other")] };
        Ok(services.into_iter().map(offered).collect())
    }

    async fn describe_severity_levels(&self, _: &AccountId) -> Result<Vec<Named>, Failure> {
        Ok(vec![named("low")])
    }
}

impl CatalogueStore for &Organisation {
    async fn held(&self) -> Result<Held, Failure> {
        if self.is_servicenow_down { Err(unavailable()) } else { Ok(self.held.borrow().clone()) }
    }

    async fn write(&self, changes: &Changes) -> Result<Written, Failure> {
        self.writes.borrow_mut().push(changes.clone());
        let services = changes.services.len();
        let refused = self.refuses.iter().map(|code| (*code).to_owned()).collect();
        Ok(Written { services, refused, ..Written::default() })
    }
}

impl Clock for &Organisation {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.seconds.load(Ordering::Relaxed)).unwrap()
    }
}

/// Returns the outcome of a run, and the metrics.
fn run(organisation: &Organisation) -> (Result<Written, String>, BTreeMap<Metric, Vec<i64>>) {
    let sync = CatalogSync {
        accounts: organisation,
        support: organisation,
        servicenow: organisation,
        clock: organisation,
        metrics: Metrics::new("catalog-sync"),
    };
    let deadline = Timestamp::UNIX_EPOCH + RESERVE + SignedDuration::from_secs(60);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let outcome = runtime.block_on(sync.run(deadline)).map_err(|error| error.to_string());
    (outcome, sync.metrics.take())
}

/// Returns the codes of the written services, each with whether it is active.
fn written(organisation: &Organisation) -> Vec<(String, bool)> {
    let writes = organisation.writes.borrow();
    let services = writes.iter().flat_map(|changes| &changes.services);
    services.map(|service| (service.code.clone(), service.active)).collect()
}

fn is(code: &str, active: bool) -> (String, bool) {
    (code.to_owned(), active)
}

#[test]
fn what_any_account_offers_is_written_and_what_none_offers_is_retired() {
    let services = BTreeMap::from([(ONE, Some(vec!["a", "b"])), (TWO, Some(vec!["b", "c"]))]);
    let organisation = Organisation { services, held: held(&["a", "old"]).into(), ..Organisation::default() };
    let (outcome, metrics) = run(&organisation);
    assert_eq!(outcome.unwrap().services, 3);
    assert_eq!(written(&organisation), [is("b", true), is("c", true), is("old", false)]);
    assert_eq!(metrics[&Metric::CatalogueRowsWritten], [3]);
    assert_eq!(metrics[&Metric::CatalogueFailures], [0]);
}

#[test]
fn nothing_is_written_when_nothing_differs() {
    let services = BTreeMap::from([(ONE, Some(vec!["a"])), (TWO, Some(vec!["a"]))]);
    let organisation = Organisation { services, held: held(&["a"]).into(), ..Organisation::default() };
    assert_eq!(run(&organisation).0.unwrap(), Written::default());
    assert!(organisation.writes.borrow().is_empty());
}

#[test]
fn an_account_that_fails_retires_nothing_and_fails_no_other() {
    let services = BTreeMap::from([(ONE, None), (TWO, Some(vec!["c"]))]);
    let organisation = Organisation { services, held: held(&["old"]).into(), ..Organisation::default() };
    let (outcome, metrics) = run(&organisation);
    assert!(outcome.is_ok());
    assert_eq!(written(&organisation), [is("c", true)]);
    assert_eq!(metrics[&Metric::CatalogueFailures], [1]);
}

#[test]
fn an_account_without_a_plan_offers_nothing_and_is_no_failure() {
    let services = BTreeMap::from([(ONE, None), (TWO, Some(vec!["c"]))]);
    let organisation =
        Organisation { services, held: held(&["old"]).into(), has_no_plan: true, ..Organisation::default() };
    let (outcome, metrics) = run(&organisation);
    assert!(outcome.is_ok());
    assert_eq!(written(&organisation), [is("c", true), is("old", false)]);
    assert_eq!(metrics[&Metric::CatalogueFailures], [0]);
}

#[test]
fn rows_that_servicenow_refuses_are_counted() {
    let services = BTreeMap::from([(ONE, Some(vec!["a", "b"]))]);
    let organisation = Organisation { services, refuses: vec!["a"], ..Organisation::default() };
    let (outcome, metrics) = run(&organisation);
    assert_eq!(outcome.unwrap().refused, ["a"]);
    assert_eq!(metrics[&Metric::CatalogueFailures], [1]);
}

#[test]
fn accounts_for_which_there_is_no_time_count_as_failed() {
    let names: Vec<&'static str> = (0..40).map(|number| &*format!("{number:012}").leak()).collect();
    let services = names.into_iter().map(|account| (account, Some(vec!["c"]))).collect();
    let organisation =
        Organisation { services, held: held(&["old"]).into(), seconds_per_account: 3, ..Organisation::default() };
    let (outcome, metrics) = run(&organisation);
    assert!(outcome.is_ok());
    assert_eq!(written(&organisation), [is("c", true)], "nothing is retired");
    let failures = metrics[&Metric::CatalogueFailures][0];
    assert!((1..40).contains(&failures), "{failures}");
}

#[test]
fn without_accounts_nothing_is_retired() {
    let organisation = Organisation { held: held(&["old"]).into(), ..Organisation::default() };
    assert_eq!(run(&organisation).0.unwrap(), Written::default());
    assert!(written(&organisation).is_empty());
}

#[test]
fn a_failing_instance_or_store_of_secrets_fails_the_run_without_its_words() {
    let services = BTreeMap::from([(ONE, Some(vec!["a"]))]);
    let organisation = Organisation { services, is_servicenow_down: true, ..Organisation::default() };
    assert_eq!(run(&organisation).0.unwrap_err(), "ServiceNow could not show its catalogue: unavailable");
    let organisation = Organisation { lists_no_accounts: true, ..Organisation::default() };
    assert_eq!(run(&organisation).0.unwrap_err(), "the accounts could not be listed");
}
