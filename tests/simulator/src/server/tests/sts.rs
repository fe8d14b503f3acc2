//! Tests casebridge's client with the simulated STS and AWS Support, on one port.

use aws_config::SdkConfig;
use casebridge_aws::{AccountCredentials, AccountSource, SupportClient};
use casebridge_core::identifiers::{AccountId, CaseId};
use casebridge_core::support::read::CaseQuery;
use casebridge_core::support::reading::Span;
use casebridge_core::{failure::Failure, support::call::NewCase};
use casebridge_ports::Support;

use super::*;

const ACCOUNT: &str = "111122223333";
const ROLE: &str = "arn:aws:iam::111122223333:role/casebridge";

/// The secret of every account.
struct Secret(Value);

impl AccountSource for Secret {
    async fn credentials(&self, _: &AccountId) -> Result<AccountCredentials, Failure> {
        Ok(AccountCredentials::parse(&self.0.to_string()).unwrap())
    }

    async fn renewed_credentials(&self, account: &AccountId) -> Result<AccountCredentials, Failure> {
        self.credentials(account).await
    }
}

async fn start(name: &str) -> Running {
    let accounts = json!([
        {"id": ACCOUNT, "access_key_id": "AKIAONE", "email": "one@example.com", "role_arn": ROLE, "external_id": "shared"},
        {"id": "444455556666", "access_key_id": "AKIATWO", "email": "two@example.com"}
    ]);
    Running::start(name, json!({"accounts": accounts})).await
}

/// Returns the hub's configuration.
async fn hub(running: &Running) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("AKIAHUB", "secret", None, None, "test"))
        .endpoint_url(running.description["support"]["endpoint"].as_str().unwrap())
        .load()
        .await
}

/// Opens a case in the account with the credentials that its secret holds.
async fn open_case(running: &Running, secret: Value) -> Result<String, Failure> {
    create_case(&SupportClient::new(hub(running).await, Secret(secret))).await
}

async fn create_case(support: &SupportClient<Secret>) -> Result<String, Failure> {
    let request = NewCase {
        subject: "Disk is full".to_owned(),
        body: "It is.".to_owned(),
        service_code: "general-info".to_owned(),
        category_code: "using-aws".to_owned(),
        severity_code: "low".to_owned(),
        language: "en".to_owned(),
        issue_type: "technical".to_owned(),
        cc_email_addresses: Vec::new(),
    };
    support.create_case(&AccountId::new(ACCOUNT), &request).await.map(|case_id| case_id.to_string())
}

fn keys(id: &str) -> Value {
    json!({"access_key_id": id, "secret_access_key": "secret"})
}

async fn counts(running: &Running) -> Value {
    let (_, calls) = running.control(reqwest::Method::GET, "/calls", Value::Null).await;
    json!([calls["sts"], calls["support"]])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_acted_in_by_its_keys_and_by_its_role() {
    let running = start("sts").await;
    for secret in [keys("AKIAONE"), json!({"role_arn": ROLE, "external_id": "shared"})] {
        assert!(open_case(&running, secret).await.unwrap().starts_with("case-111122223333-"));
    }
    assert_eq!(counts(&running).await, json!([{"AssumeRole": 1, "GetCallerIdentity": 1}, {"CreateCase": 2}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_reads_can_not_write_whatever_the_role_grants() {
    let running = start("sts-reading").await;
    let secret = json!({"role_arn": ROLE, "external_id": "shared"});
    let case_id = open_case(&running, secret.clone()).await.unwrap();
    let support = SupportClient::reading(hub(&running).await, Secret(secret));
    let (account, case_id) = (AccountId::new(ACCOUNT), CaseId::new(case_id));
    let read = support.describe_cases(&account, &CaseQuery::Ids(vec![case_id.clone()])).await.unwrap();
    assert_eq!(read.cases.len(), 1);
    let page = support.describe_communications(&account, &case_id, Span::default(), None).await.unwrap();
    assert_eq!(page.communications.len(), 1);
    let refusals = [
        create_case(&support).await.unwrap_err(),
        support.add_communication(&account, &case_id, "text", None).await.unwrap_err(),
        support.resolve_case(&account, &case_id).await.unwrap_err(),
    ];
    for failure in refusals {
        assert_eq!(failure.name(), "refused_credentials", "{}", failure.message());
    }
    let cases = running.truth().await;
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0]["status"], "unassigned");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_another_accounts_or_not_known_opens_no_case() {
    let running = start("sts-refused").await;
    let secrets = [
        (keys("AKIATWO"), "keys of 444455556666"),
        (keys("AKIANOBODY"), "InvalidClientTokenId"),
        (json!({"role_arn": ROLE, "external_id": "guessed"}), "could not be assumed"),
        (json!({"role_arn": "arn:aws:iam::111122223333:role/other"}), "could not be assumed"),
        (json!({"role_arn": "arn:aws:iam::444455556666:role/casebridge"}), "a role of 444455556666"),
    ];
    for (secret, words) in secrets {
        let failure = open_case(&running, secret).await.unwrap_err();
        assert_eq!(failure.name(), "refused_credentials");
        assert!(failure.message().contains(words), "{}", failure.message());
    }
    assert!(running.truth().await.is_empty());
    assert_eq!(counts(&running).await[1], json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_sts_passes() {
    let running = start("sts-faults").await;
    for kind in ["error", "throttle"] {
        running.fault(json!({"target": "sts", "operation": "GetCallerIdentity", "count": 3, "kind": kind})).await;
        assert_eq!(open_case(&running, keys("AKIAONE")).await.unwrap_err().name(), "unavailable", "{kind}");
        assert!(running.truth().await.is_empty());
    }
    let invalid = json!({"target": "sts", "kind": "error", "error": "InvalidClientTokenId"});
    running.fault(invalid).await;
    assert_eq!(open_case(&running, keys("AKIAONE")).await.unwrap_err().name(), "refused_credentials");
    open_case(&running, keys("AKIAONE")).await.unwrap();
}
