use std::sync::atomic::{AtomicUsize, Ordering};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use std::sync::Arc;

use super::*;

mod catalogue;

/// A source of keys whose cached keys may differ from the renewed ones.
struct Keys {
    known: &'static str,
    renewed: &'static str,
    renewals: AtomicUsize,
}

impl Keys {
    fn new(known: &'static str, renewed: &'static str) -> Self {
        Self { known, renewed, renewals: AtomicUsize::new(0) }
    }
}

fn keys(id: &str) -> AccountCredentials {
    let text = json!({"access_key_id": id, "secret_access_key": "secret"});
    AccountCredentials::parse(&text.to_string()).unwrap()
}

impl AccountSource for Keys {
    async fn credentials(&self, _: &AccountId) -> Result<AccountCredentials, Failure> {
        Ok(keys(if self.renewals.load(Ordering::Relaxed) > 0 { self.renewed } else { self.known }))
    }

    async fn renewed_credentials(&self, account: &AccountId) -> Result<AccountCredentials, Failure> {
        self.renewals.fetch_add(1, Ordering::Relaxed);
        self.credentials(account).await
    }
}

/// AWS: Support gives the prepared answers in order, and STS knows the account of each key.
#[derive(Debug, Clone)]
struct Aws {
    support: StaticReplayClient,
    /// The calls of STS, with their keys and the limits of their sessions.
    identities: Arc<Mutex<Vec<String>>>,
}

impl HttpClient for Aws {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if !request.uri().contains("://sts.") {
            return self.support.call(request);
        }
        let authorization = request.headers().get("authorization").unwrap_or_default();
        let key = authorization.split_once("Credential=").and_then(|(_, rest)| rest.split_once('/'));
        let key = key.map_or("nobody", |(key, _)| key).to_owned();
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let action = if body.contains("Action=AssumeRole") { "AssumeRole" } else { "GetCallerIdentity" };
        let (status, answer) = if action == "AssumeRole" { assumed(&body) } else { identity(&key) };
        let limits: Vec<&str> = body.split("support%3A").skip(1).filter_map(|rest| rest.split('%').next()).collect();
        let asked = [&[action, &key], limits.as_slice()].concat().join(" ");
        self.identities.lock().unwrap().push(asked);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(answer))))
    }
}

/// Returns the answer of STS for keys.
fn identity(key: &str) -> (u16, String) {
    let account = match key {
        "nobody" => return sts_error(403, "MissingAuthenticationToken"),
        "AKIAGONE" => return sts_error(403, "InvalidClientTokenId"),
        "AKIABUSY" => return sts_error(503, "ServiceUnavailable"),
        "AKIATHROTTLED" => return sts_error(400, "Throttling"),
        "AKIAODD" => return sts_error(400, "RegionDisabledException"),
        "AKIAOTHER" => "444455556666",
        _ => "111122223333",
    };
    let result = format!("<Account>{account}</Account><Arn>arn:aws:iam::{account}:user/u</Arn><UserId>U</UserId>");
    (200, sts_answer("GetCallerIdentity", &result))
}

/// Returns the answer of STS for a role.
fn assumed(request: &str) -> (u16, String) {
    if request.contains("denied") {
        return sts_error(403, "AccessDenied");
    }
    if request.contains("busy") {
        return sts_error(500, "InternalFailure");
    }
    let credentials = "<AccessKeyId>ASIASESSION</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
        <SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>";
    (200, sts_answer("AssumeRole", &format!("<Credentials>{credentials}</Credentials>")))
}

fn sts_answer(action: &str, result: &str) -> String {
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>{result}\
         </{action}Result></{action}Response>"
    )
}

fn sts_error(status: u16, code: &str) -> (u16, String) {
    let error = format!("<Type>Sender</Type><Code>{code}</Code><Message>in AWS's words</Message>");
    (status, format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>"))
}

struct Fixture<S = Keys> {
    aws: Aws,
    support: SupportClient<S>,
}

/// Creates an AWS Support that gives these answers in this order.
async fn fixture(rotated: bool, answers: &[(u16, Value)]) -> Fixture {
    fixture_of(Keys::new("AKIAOLD", if rotated { "AKIANEW" } else { "AKIAOLD" }), answers).await
}

async fn fixture_of<S: AccountSource>(accounts: S, answers: &[(u16, Value)]) -> Fixture<S> {
    let aws = Aws { support: replay(answers), identities: Arc::default() };
    let support = SupportClient::new(hub(&aws).await, accounts);
    Fixture { aws, support }
}

fn replay(answers: &[(u16, Value)]) -> StaticReplayClient {
    let events = answers.iter().map(|(status, body)| {
        let request = http::Request::builder().uri("https://unused").body(SdkBody::empty()).unwrap();
        let answer = http::Response::builder().status(*status).body(SdkBody::from(body.to_string())).unwrap();
        ReplayEvent::new(request, answer)
    });
    StaticReplayClient::new(events.collect())
}

async fn hub(http: &Aws) -> SdkConfig {
    let own = Credentials::new("AKIAHUB", "secret", None, None, "test");
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(own))
        .http_client(http.clone())
        .load()
        .await
}

/// A source that returns a role with this ARN.
struct Role(&'static str);

impl AccountSource for Role {
    async fn credentials(&self, _: &AccountId) -> Result<AccountCredentials, Failure> {
        let text = json!({"role_arn": self.0, "external_id": "x"});
        Ok(AccountCredentials::parse(&text.to_string()).unwrap())
    }

    async fn renewed_credentials(&self, account: &AccountId) -> Result<AccountCredentials, Failure> {
        self.credentials(account).await
    }
}

impl<S> Fixture<S> {
    fn calls(&self) -> usize {
        self.aws.support.actual_requests().count()
    }

    /// Returns the calls of STS.
    fn identities(&self) -> Vec<String> {
        self.aws.identities.lock().unwrap().clone()
    }

    fn body(&self, call: usize) -> Value {
        let request = self.aws.support.actual_requests().nth(call).unwrap();
        serde_json::from_slice(request.body().bytes().unwrap()).unwrap()
    }

    fn header(&self, call: usize, name: &str) -> String {
        self.aws.support.actual_requests().nth(call).unwrap().headers().get(name).unwrap().to_owned()
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

/// Makes the write of this name.
async fn write<S: AccountSource>(fixture: &Fixture<S>, operation: &str) -> Result<(), Failure> {
    match operation {
        "CreateCase" => fixture.support.create_case(&account(), &new_case()).await.map(drop),
        "AddCommunicationToCase" => fixture.support.add_communication(&account(), &case_id(), "text", None).await,
        _ => fixture.support.resolve_case(&account(), &case_id()).await.map(drop),
    }
}

const WRITES: [&str; 3] = ["CreateCase", "AddCommunicationToCase", "ResolveCase"];

#[tokio::test]
async fn a_case_is_created_with_its_language_its_issue_type_and_its_copies() {
    let fixture = fixture(false, &[(200, json!({"caseId": case_id()}))]).await;
    let request = NewCase {
        language: "ja".to_owned(),
        issue_type: "customer-service".to_owned(),
        cc_email_addresses: vec!["jane@example.com".to_owned(), "bob@example.com".to_owned()],
        ..new_case()
    };
    assert_eq!(fixture.support.create_case(&account(), &request).await, Ok(case_id()));
    let sent = fixture.body(0);
    assert_eq!((&sent["language"], &sent["issueType"]), (&json!("ja"), &json!("customer-service")));
    assert_eq!(sent["ccEmailAddresses"], json!(["jane@example.com", "bob@example.com"]));
}

#[tokio::test]
async fn a_case_is_created_with_the_bytes_of_the_protocol() {
    let fixture = fixture(false, &[(200, json!({"caseId": case_id()}))]).await;
    assert_eq!(fixture.support.create_case(&account(), &new_case()).await, Ok(case_id()));
    assert_eq!(
        fixture.body(0),
        json!({"subject": "[INC0010001] printer", "communicationBody": "It is on fire", "serviceCode": "general-info",
               "categoryCode": "using-aws", "severityCode": "low", "language": "en", "issueType": "technical"})
    );
    assert_eq!(fixture.header(0, "x-amz-target"), "AWSSupport_20130415.CreateCase");
    let authorization = fixture.header(0, "authorization");
    assert!(authorization.contains("AKIAOLD/"), "{authorization}");
    assert!(authorization.contains("/us-east-1/support/"), "signed for the Region of Support: {authorization}");
}

#[tokio::test]
async fn a_write_without_an_answer_is_sent_once_and_in_doubt() {
    for operation in WRITES {
        for (status, code) in [(500, "InternalServerError"), (503, "ServiceUnavailable"), (502, "")] {
            let fixture =
                fixture(false, &[(status, refusal(code)), (200, json!({"caseId": "a", "result": true}))]).await;
            assert_eq!(write(&fixture, operation).await.unwrap_err().name(), "in_doubt", "{operation} {status}");
            assert_eq!(fixture.calls(), 1, "{operation} {status}");
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
            let fixture = fixture(true, &[(400, refusal(code)), (200, json!({}))]).await;
            let failure = write(&fixture, operation).await.unwrap_err();
            assert_eq!(failure.name(), expected, "{operation} {code}");
            // The text of a denial names roles, so only the log may have it.
            let is_told = failure.message().contains("in AWS's words");
            assert_eq!(is_told, code != "AccessDeniedException", "{}", failure.message());
            assert_eq!(fixture.calls(), 1, "{operation} {code}");
        }
    }
}

#[tokio::test]
async fn a_write_whose_connection_breaks_is_in_doubt() {
    let fixture = fixture(false, &[]).await;
    assert_eq!(write(&fixture, "CreateCase").await.unwrap_err().name(), "in_doubt");
}

#[tokio::test]
async fn answers_that_confirm_nothing_are_in_doubt() {
    for operation in WRITES {
        let fixture = fixture(false, &[(200, json!({}))]).await;
        assert_eq!(write(&fixture, operation).await.unwrap_err().name(), "in_doubt", "{operation}");
    }
}

#[tokio::test]
async fn a_rotated_secret_is_read_once_and_the_write_arrives() {
    let fixture =
        fixture(true, &[(400, refusal("UnrecognizedClientException")), (200, json!({"caseId": case_id()}))]).await;
    assert_eq!(fixture.support.create_case(&account(), &new_case()).await, Ok(case_id()));
    assert!(fixture.header(1, "authorization").contains("AKIANEW/"));
}

#[tokio::test]
async fn keys_that_stay_refused_are_not_tried_again() {
    let fixture = fixture(false, &[(400, refusal("InvalidClientTokenId")), (200, json!({}))]).await;
    assert_eq!(write(&fixture, "CreateCase").await.unwrap_err().name(), "refused_credentials");
    assert_eq!(fixture.calls(), 1);
}

#[tokio::test]
async fn a_read_is_repeated_within_bounds() {
    let fixture = fixture(false, &[(500, refusal("InternalServerError")), (200, json!({"cases": []}))]).await;
    let page = fixture.support.describe_cases(&account(), &CaseQuery::Ids(vec![case_id()])).await.unwrap();
    assert_eq!(page, CasePage::default());
    assert_eq!(fixture.calls(), 2);
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
    let fixture = fixture(false, &[(200, first), (200, second)]).await;
    let page = fixture.support.describe_cases(&account(), &CaseQuery::Ids(vec![case_id()])).await.unwrap();
    assert_eq!(
        fixture.body(0),
        json!({"caseIdList": [case_id()], "includeResolvedCases": true, "includeCommunications": true, "maxResults": 100})
    );
    assert_eq!(fixture.body(1)["nextToken"], "more");
    assert_eq!(page.next, None);
    assert_eq!(page.cases[0].time_created.to_string(), "2020-03-23T21:31:47.774Z");
    assert_eq!(page.cases[0].recent[0].time_created.to_string(), "2020-05-12T23:12:35Z");
    assert!(!page.cases[0].more_communications);
    assert!(page.cases[1].more_communications);
}

#[tokio::test]
async fn cases_since_a_moment_come_page_by_page() {
    let fixture = fixture(false, &[(200, json!({"cases": [], "nextToken": "two"}))]).await;
    let query = CaseQuery::Since { after: Timestamp::UNIX_EPOCH, next: Some("one".to_owned()) };
    let page = fixture.support.describe_cases(&account(), &query).await.unwrap();
    assert_eq!(page.next.as_deref(), Some("two"));
    let body = fixture.body(0);
    assert_eq!((&body["afterTime"], &body["nextToken"]), (&json!("1970-01-01T00:00:00Z"), &json!("one")));
}

#[tokio::test]
async fn communications_come_page_by_page() {
    let answer = json!({"communications": [{"body": "b", "submittedBy": "x", "timeCreated": "2020-05-12T23:12:35.000Z"}],
                        "nextToken": "two"});
    let fixture = fixture(false, &[(200, answer)]).await;
    let page = fixture.support.describe_communications(&account(), &case_id(), Span::default(), None).await.unwrap();
    assert_eq!((page.communications.len(), page.next.as_deref()), (1, Some("two")));
    let body = fixture.body(0);
    assert!(body.get("afterTime").is_none() && body.get("beforeTime").is_none(), "{body}");
}

#[tokio::test]
async fn communications_of_a_span_are_asked_for_by_its_ends() {
    let fixture = fixture(false, &[(200, json!({"communications": []}))]).await;
    let span = Span { after: Some(Timestamp::UNIX_EPOCH), before: Timestamp::from_second(3).ok() };
    fixture.support.describe_communications(&account(), &case_id(), span, None).await.unwrap();
    let body = fixture.body(0);
    assert_eq!(
        (&body["afterTime"], &body["beforeTime"]),
        (&json!("1970-01-01T00:00:00Z"), &json!("1970-01-01T00:00:03Z"))
    );
}

#[tokio::test]
async fn an_unreadable_time_is_a_failure() {
    let fixture = fixture(false, &[(200, json!({"cases": [case("yesterday", None)]}))]).await;
    let failure = fixture.support.describe_cases(&account(), &CaseQuery::Ids(vec![case_id()])).await.unwrap_err();
    assert!(failure.message().contains("yesterday"), "{}", failure.message());
}

#[tokio::test]
async fn a_role_that_can_not_be_assumed_refuses_and_nothing_is_sent() {
    for (role, name) in [
        ("arn:aws:iam::111122223333:role/denied", "refused_credentials"),
        ("arn:aws:iam::111122223333:role/busy", "unavailable"),
    ] {
        let fixture = fixture_of(Role(role), &[(200, json!({"caseId": case_id()}))]).await;
        let failure = fixture.support.create_case(&account(), &new_case()).await.unwrap_err();
        assert_eq!(failure.name(), name, "{}", failure.message());
        assert_eq!(fixture.calls(), 0, "{role}");
    }
}

#[tokio::test]
async fn a_role_of_the_account_is_assumed_and_used() {
    let created = [(200, json!({"caseId": case_id()})), (200, json!({"result": true}))];
    let fixture = fixture_of(Role("arn:aws:iam::111122223333:role/casebridge"), &created).await;
    assert_eq!(fixture.support.create_case(&account(), &new_case()).await, Ok(case_id()));
    fixture.support.add_communication(&account(), &case_id(), "text", None).await.unwrap();
    assert!(fixture.header(1, "authorization").contains("ASIASESSION/"));
    assert_eq!(fixture.identities(), ["AssumeRole AKIAHUB"], "once, and by its ARN alone");
}

#[tokio::test]
async fn who_only_reads_limits_the_session_in_a_role_to_reading() {
    let role = || Role("arn:aws:iam::111122223333:role/casebridge");
    let mut fixture = fixture_of(role(), &[(200, json!({"cases": []}))]).await;
    fixture.support = SupportClient::reading(hub(&fixture.aws).await, role());
    fixture.support.describe_cases(&account(), &CaseQuery::Ids(vec![case_id()])).await.unwrap();
    assert_eq!(fixture.identities(), ["AssumeRole AKIAHUB DescribeCases DescribeCommunications"]);
}

#[tokio::test]
async fn the_credentials_of_another_account_send_nothing() {
    for operation in WRITES {
        let created = [(200, json!({"caseId": case_id(), "result": true, "finalCaseStatus": "resolved"}))];
        let keys = fixture_of(Keys::new("AKIAOTHER", "AKIAOTHER"), &created).await;
        let failure = write(&keys, operation).await.unwrap_err();
        assert_eq!(failure.name(), "refused_credentials");
        let words = "the secret of account 111122223333 holds keys of 444455556666: nothing was sent";
        assert!(failure.message().starts_with(words), "{}", failure.message());
        assert_eq!(keys.calls(), 0, "{operation}");
        let role = fixture_of(Role("arn:aws:iam::444455556666:role/casebridge"), &created).await;
        let failure = write(&role, operation).await.unwrap_err();
        assert_eq!(failure.name(), "refused_credentials");
        assert!(failure.message().contains("holds a role of 444455556666"), "{}", failure.message());
        assert_eq!((role.calls(), role.identities().len()), (0, 0), "{operation}");
    }
    let unreadable = fixture_of(Role("casebridge"), &[]).await;
    let failure = unreadable.support.describe_cases(&account(), &CaseQuery::Ids(vec![case_id()])).await.unwrap_err();
    assert!(failure.message().contains("a role of no account"), "{}", failure.message());
}

#[tokio::test]
async fn whose_keys_they_are_is_asked_once_for_each_secret() {
    let done = (200, json!({"result": true}));
    let refused = (400, refusal("UnrecognizedClientException"));
    let fixture = fixture(true, &[done.clone(), done.clone(), refused, done.clone(), done]).await;
    for _ in 0..4 {
        write(&fixture, "AddCommunicationToCase").await.unwrap();
    }
    assert_eq!(fixture.identities(), ["GetCallerIdentity AKIAOLD", "GetCallerIdentity AKIANEW"]);
    let foreign = fixture_of(Keys::new("AKIAOTHER", "AKIAOTHER"), &[]).await;
    for _ in 0..2 {
        write(&foreign, "CreateCase").await.unwrap_err();
    }
    assert_eq!(foreign.identities().len(), 1, "that they are another's is remembered as well");
}

#[tokio::test]
async fn a_secret_that_was_corrected_is_read_past_the_cache() {
    for wrong in ["AKIAOTHER", "AKIAGONE"] {
        let fixture = fixture_of(Keys::new(wrong, "AKIANEW"), &[(200, json!({"caseId": case_id()}))]).await;
        assert_eq!(fixture.support.create_case(&account(), &new_case()).await, Ok(case_id()), "{wrong}");
        assert!(fixture.header(0, "authorization").contains("AKIANEW/"));
    }
}

#[tokio::test]
async fn while_nobody_says_whose_keys_they_are_nothing_is_sent() {
    for (key, name) in [
        ("AKIABUSY", "unavailable"),
        ("AKIATHROTTLED", "unavailable"),
        ("AKIAGONE", "refused_credentials"),
        ("AKIAODD", "refused_credentials"),
    ] {
        let fixture = fixture_of(Keys::new(key, key), &[(200, json!({"caseId": case_id()}))]).await;
        let failure = write(&fixture, "CreateCase").await.unwrap_err();
        assert_eq!((failure.name(), fixture.calls()), (name, 0), "{key}: {}", failure.message());
    }
}

#[tokio::test]
async fn five_communications_may_be_followed_by_more_without_a_token() {
    let mut full = case("2020-03-23T21:31:47.774Z", None);
    let communication = full["recentCommunications"]["communications"][0].clone();
    full["recentCommunications"]["communications"] = json!(vec![communication; 5]);
    let fixture = fixture(false, &[(200, json!({"cases": [full]}))]).await;
    let page = fixture.support.describe_cases(&account(), &CaseQuery::Ids(vec![case_id()])).await.unwrap();
    assert!(page.cases[0].more_communications);
}

#[tokio::test]
async fn ids_are_asked_for_without_a_page_size_once_that_was_refused() {
    let (refused, found) = ((400, refusal("ValidationException")), (200, json!({"cases": []})));
    let fixture = fixture(false, &[refused.clone(), refused.clone(), refused, found.clone(), found]).await;
    let query = CaseQuery::Ids(vec![case_id()]);
    // AWS refuses the query with and without the page size, so the page size is not the reason.
    let failure = fixture.support.describe_cases(&account(), &query).await.unwrap_err();
    assert_eq!(failure.name(), "refused_invalid_request");
    for _ in 0..2 {
        fixture.support.describe_cases(&account(), &query).await.unwrap();
    }
    let sizes: Vec<Value> = (0..5).map(|call| fixture.body(call)["maxResults"].clone()).collect();
    assert_eq!(sizes, [json!(100), Value::Null, json!(100), Value::Null, Value::Null]);
}

/// An unsigned request opens a connection as a signed one does.
#[tokio::test]
async fn connections_are_opened_in_nobodys_name() {
    let refused = json!({"__type": "MissingAuthenticationTokenException", "message": "Missing Authentication Token"});
    let fixture = fixture(false, &[(400, refused)]).await;
    fixture.support.warm_up().await.unwrap();
    let sent = fixture.aws.support.actual_requests().collect::<Vec<_>>();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].headers().get("authorization"), None);
    assert_eq!(*fixture.aws.identities.lock().unwrap(), ["GetCallerIdentity nobody"]);
}
