use std::sync::atomic::{AtomicUsize, Ordering};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::*;

/// Keys that are rotated once somebody asks past the cache.
struct RotatedKeys {
    rotated: bool,
    renewals: AtomicUsize,
}

fn keys(id: &str) -> AccountCredentials {
    let text = json!({"access_key_id": id, "secret_access_key": "secret"});
    AccountCredentials::parse(&text.to_string()).unwrap()
}

impl AccountSource for RotatedKeys {
    async fn credentials(&self, _: &AccountId) -> Result<AccountCredentials, Failure> {
        let renewed = self.rotated && self.renewals.load(Ordering::Relaxed) > 0;
        Ok(keys(if renewed { "AKIANEW" } else { "AKIAOLD" }))
    }

    async fn renewed_credentials(&self, account: &AccountId) -> Result<AccountCredentials, Failure> {
        self.renewals.fetch_add(1, Ordering::Relaxed);
        self.credentials(account).await
    }
}

struct World {
    http: StaticReplayClient,
    support: SupportClient<RotatedKeys>,
}

/// AWS answers in this order.
async fn world(rotated: bool, answers: &[(u16, Value)]) -> World {
    let http = replay(answers);
    let support = SupportClient::new(hub(&http).await, RotatedKeys { rotated, renewals: AtomicUsize::new(0) });
    World { http, support }
}

fn replay(answers: &[(u16, Value)]) -> StaticReplayClient {
    let events = answers.iter().map(|(status, body)| {
        let request = http::Request::builder().uri("https://unused").body(SdkBody::empty()).unwrap();
        let answer = http::Response::builder().status(*status).body(SdkBody::from(body.to_string())).unwrap();
        ReplayEvent::new(request, answer)
    });
    StaticReplayClient::new(events.collect())
}

async fn hub(http: &StaticReplayClient) -> SdkConfig {
    let own = Credentials::new("AKIAHUB", "secret", None, None, "test");
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(own))
        .http_client(http.clone())
        .load()
        .await
}

/// An account that is acted in by a role.
struct Role;

impl AccountSource for Role {
    async fn credentials(&self, account: &AccountId) -> Result<AccountCredentials, Failure> {
        let text = json!({"role_arn": format!("arn:aws:iam::{account}:role/casebridge"), "external_id": "x"});
        Ok(AccountCredentials::parse(&text.to_string()).unwrap())
    }

    async fn renewed_credentials(&self, account: &AccountId) -> Result<AccountCredentials, Failure> {
        self.credentials(account).await
    }
}

impl World {
    fn calls(&self) -> usize {
        self.http.actual_requests().count()
    }

    fn body(&self, call: usize) -> Value {
        let request = self.http.actual_requests().nth(call).unwrap();
        serde_json::from_slice(request.body().bytes().unwrap()).unwrap()
    }

    fn header(&self, call: usize, name: &str) -> String {
        self.http.actual_requests().nth(call).unwrap().headers().get(name).unwrap().to_owned()
    }
}

fn account() -> AccountId {
    AccountId::new("111122223333")
}

fn case_id() -> CaseId {
    CaseId::new("case-111122223333-muen-2022-7118885805350839")
}

fn new_case() -> NewCase {
    NewCase {
        subject: "[INC0010001] printer".to_owned(),
        body: "It is on fire".to_owned(),
        service_code: "general-info".to_owned(),
        category_code: "using-aws".to_owned(),
        severity_code: "low".to_owned(),
        language: "en".to_owned(),
        issue_type: "technical".to_owned(),
        cc_email_addresses: Vec::new(),
    }
}

fn refusal(code: &str) -> Value {
    json!({"__type": format!("com.amazonaws.support#{code}"), "message": "in AWS's words"})
}

/// Every write, by name.
async fn write(world: &World, operation: &str) -> Result<(), Failure> {
    match operation {
        "CreateCase" => world.support.create_case(&account(), &new_case()).await.map(drop),
        "AddCommunicationToCase" => world.support.add_communication(&account(), &case_id(), "text").await,
        _ => world.support.resolve_case(&account(), &case_id()).await.map(drop),
    }
}

const WRITES: [&str; 3] = ["CreateCase", "AddCommunicationToCase", "ResolveCase"];

#[tokio::test]
async fn a_case_is_created_with_the_bytes_of_the_protocol() {
    let world = world(false, &[(200, json!({"caseId": case_id()}))]).await;
    assert_eq!(world.support.create_case(&account(), &new_case()).await, Ok(case_id()));
    assert_eq!(
        world.body(0),
        json!({"subject": "[INC0010001] printer", "communicationBody": "It is on fire", "serviceCode": "general-info",
               "categoryCode": "using-aws", "severityCode": "low", "language": "en", "issueType": "technical"})
    );
    assert_eq!(world.header(0, "x-amz-target"), "AWSSupport_20130415.CreateCase");
    let authorization = world.header(0, "authorization");
    assert!(authorization.contains("AKIAOLD/"), "{authorization}");
    assert!(authorization.contains("/us-east-1/support/"), "signed for the Region of Support: {authorization}");
}

#[tokio::test]
async fn a_write_without_an_answer_is_sent_once_and_in_doubt() {
    for operation in WRITES {
        for (status, code) in [(500, "InternalServerError"), (503, "ServiceUnavailable"), (502, "")] {
            let world = world(false, &[(status, refusal(code)), (200, json!({"caseId": "a", "result": true}))]).await;
            assert_eq!(write(&world, operation).await.unwrap_err().name(), "in_doubt", "{operation} {status}");
            assert_eq!(world.calls(), 1, "{operation} {status}");
        }
    }
}

#[tokio::test]
async fn a_write_that_aws_turned_away_is_sent_once_and_refused() {
    let cases = [
        ("ThrottlingException", "unavailable"),
        ("CaseCreationLimitExceeded", "refused_case_quota"),
        ("SubscriptionRequiredException", "refused_subscription"),
        ("CaseIdNotFound", "refused_not_found"),
        ("ValidationException", "refused_invalid_request"),
        ("AccessDeniedException", "refused_credentials"),
    ];
    for operation in WRITES {
        for (code, expected) in cases {
            let world = world(true, &[(400, refusal(code)), (200, json!({}))]).await;
            let failure = write(&world, operation).await.unwrap_err();
            assert_eq!(failure.name(), expected, "{operation} {code}");
            assert!(failure.message().contains("in AWS's words"), "{}", failure.message());
            assert_eq!(world.calls(), 1, "{operation} {code}");
        }
    }
}

#[tokio::test]
async fn a_write_whose_connection_breaks_is_in_doubt() {
    let world = world(false, &[]).await;
    assert_eq!(write(&world, "CreateCase").await.unwrap_err().name(), "in_doubt");
}

#[tokio::test]
async fn answers_that_confirm_nothing_are_in_doubt() {
    for operation in WRITES {
        let world = world(false, &[(200, json!({}))]).await;
        assert_eq!(write(&world, operation).await.unwrap_err().name(), "in_doubt", "{operation}");
    }
}

#[tokio::test]
async fn a_rotated_secret_is_read_once_and_the_write_arrives() {
    let world =
        world(true, &[(400, refusal("UnrecognizedClientException")), (200, json!({"caseId": case_id()}))]).await;
    assert_eq!(world.support.create_case(&account(), &new_case()).await, Ok(case_id()));
    assert!(world.header(1, "authorization").contains("AKIANEW/"));
}

#[tokio::test]
async fn keys_that_stay_refused_are_not_tried_again() {
    let world = world(false, &[(400, refusal("InvalidClientTokenId")), (200, json!({}))]).await;
    assert_eq!(write(&world, "CreateCase").await.unwrap_err().name(), "refused_credentials");
    assert_eq!(world.calls(), 1);
}

#[tokio::test]
async fn a_read_is_repeated_within_bounds() {
    let world = world(false, &[(500, refusal("InternalServerError")), (200, json!({"cases": []}))]).await;
    let page = world.support.describe_cases(&account(), &CaseQuery::Ids(vec![case_id()])).await.unwrap();
    assert_eq!(page, CasePage::default());
    assert_eq!(world.calls(), 2);
}

fn case(created: &str, token: Option<&str>) -> Value {
    json!({"caseId": case_id(), "displayId": "1234563851", "subject": "s", "status": "opened", "severityCode": "low",
           "timeCreated": created, "submittedBy": "a@example.com",
           "recentCommunications": {"nextToken": token, "communications": [
               {"caseId": case_id(), "body": "hello", "submittedBy": "Amazon Web Services",
                "timeCreated": "2020-05-12T23:12:35.000+0000"}]}})
}

#[tokio::test]
async fn cases_are_asked_for_by_id_resolved_ones_included() {
    let first = json!({"cases": [case("2020-03-23T21:31:47.774Z", None)], "nextToken": "more"});
    let second = json!({"cases": [case("2020-03-23T21:31:47.774Z", Some("older"))], "nextToken": ""});
    let world = world(false, &[(200, first), (200, second)]).await;
    let page = world.support.describe_cases(&account(), &CaseQuery::Ids(vec![case_id()])).await.unwrap();
    assert_eq!(
        world.body(0),
        json!({"caseIdList": [case_id()], "includeResolvedCases": true, "includeCommunications": true, "maxResults": 100})
    );
    assert_eq!(world.body(1)["nextToken"], "more");
    assert_eq!(page.next, None);
    assert_eq!(page.cases[0].time_created.to_string(), "2020-03-23T21:31:47.774Z");
    assert_eq!(page.cases[0].recent[0].time_created.to_string(), "2020-05-12T23:12:35Z");
    assert!(!page.cases[0].more_communications);
    assert!(page.cases[1].more_communications);
}

#[tokio::test]
async fn cases_since_a_moment_come_page_by_page() {
    let world = world(false, &[(200, json!({"cases": [], "nextToken": "two"}))]).await;
    let query = CaseQuery::Since { after: Timestamp::UNIX_EPOCH, next: Some("one".to_owned()) };
    let page = world.support.describe_cases(&account(), &query).await.unwrap();
    assert_eq!(page.next.as_deref(), Some("two"));
    let body = world.body(0);
    assert_eq!((&body["afterTime"], &body["nextToken"]), (&json!("1970-01-01T00:00:00Z"), &json!("one")));
}

#[tokio::test]
async fn communications_come_page_by_page() {
    let answer = json!({"communications": [{"body": "b", "submittedBy": "x", "timeCreated": "2020-05-12T23:12:35.000Z"}],
                        "nextToken": "two"});
    let world = world(false, &[(200, answer)]).await;
    let page = world.support.describe_communications(&account(), &case_id(), None, None).await.unwrap();
    assert_eq!((page.communications.len(), page.next.as_deref()), (1, Some("two")));
}

#[tokio::test]
async fn an_unreadable_time_is_a_failure() {
    let world = world(false, &[(200, json!({"cases": [case("yesterday", None)]}))]).await;
    let failure = world.support.describe_cases(&account(), &CaseQuery::Ids(vec![case_id()])).await.unwrap_err();
    assert!(failure.message().contains("yesterday"), "{}", failure.message());
}

#[tokio::test]
async fn a_role_that_can_not_be_assumed_refuses_and_nothing_is_sent() {
    let http = replay(&[(403, json!("<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"))]);
    let support = SupportClient::new(hub(&http).await, Role);
    let failure = support.create_case(&account(), &new_case()).await.unwrap_err();
    assert_eq!(failure.name(), "refused_credentials", "{}", failure.message());
    let requests: Vec<String> = http.actual_requests().map(|request| request.uri().to_owned()).collect();
    assert_eq!(requests, ["https://sts.eu-west-1.amazonaws.com/"]);
}
