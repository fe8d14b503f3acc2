use std::{
    rc::Rc,
    sync::atomic::{AtomicI64, AtomicUsize, Ordering},
};

use casebridge_core::servicenow::{
    delivery::{FieldsOutcome, IncidentFields, MessageOutcome},
    incident::JournalPoint,
};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_string_contains, header, method, path, query_param, query_param_is_missing},
};

use super::*;

mod catalogue;

const INCIDENT: &str = "9d385017c611228701d22104cc95c371";

/// A clock that shows the moment that the test sets.
struct SetClock(Rc<AtomicI64>);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

/// Credentials whose cached form differs from the renewed one.
struct TwoForms {
    cached: &'static str,
    renewed: &'static str,
    renewals: Rc<AtomicUsize>,
}

impl CredentialSource for TwoForms {
    async fn credentials(&self) -> Result<Credentials, Failure> {
        Ok(Credentials::parse(self.cached).unwrap())
    }

    async fn renewed_credentials(&self) -> Result<Credentials, Failure> {
        self.renewals.fetch_add(1, Ordering::Relaxed);
        Ok(Credentials::parse(self.renewed).unwrap())
    }
}

const BASIC: &str = r#"{"username":"u","password":"p"}"#;
const OAUTH: &str = r#"{"client_id":"c","client_secret":"s"}"#;

struct Fixture {
    server: MockServer,
    client: Client<TwoForms, SetClock>,
    now: Rc<AtomicI64>,
    renewals: Rc<AtomicUsize>,
}

async fn fixture(cached: &'static str, renewed: &'static str) -> Fixture {
    let server = MockServer::start().await;
    let now = Rc::new(AtomicI64::new(1_800_000_000));
    let renewals = Rc::new(AtomicUsize::new(0));
    let credentials = TwoForms { cached, renewed, renewals: Rc::clone(&renewals) };
    let instance = Url::parse(&server.uri()).unwrap();
    let client = Client::with_instance(instance, credentials, SetClock(Rc::clone(&now))).unwrap();
    Fixture { server, client, now, renewals }
}

fn snapshot(entries: &[&str], complete: bool) -> Value {
    let entries: Vec<Value> = entries
        .iter()
        .map(|id| {
            json!({"sys_id": id, "created_on": "2026-11-20 21:14:05", "created_by": "abel", "author": "Abel Tuter",
                   "text": "text", "ours": false})
        })
        .collect();
    json!({"sys_id": INCIDENT, "number": "INC0010001", "sys_mod_count": 7, "state": "2", "hold_reason": "",
           "resolved_at": "", "columns": {}, "close_codes": [], "taken_at": "2026-11-20 21:14:06", "account": null,
           "service_code": "", "category_code": "", "short_description": "", "description": "", "priority": "3",
           "entries": entries, "entries_complete": complete, "entries_next": null})
}

/// Returns a page that shows these comments and says that there are more, behind the comment `next`, which it may leave
/// out.
fn part_of_snapshot(entries: &[&str], next: &str) -> Value {
    let mut page = snapshot(entries, false);
    page["entries_next"] = json!({"since": WRITTEN, "after": next});
    page
}

fn result(value: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({ "result": value }))
}

fn token(text: &str, lifetime: u32) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_json(json!({"access_token": text, "token_type": "Bearer", "expires_in": lifetime}))
}

fn error(status: u16, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status)
        .set_body_json(json!({"error": {"message": message, "detail": null}, "status": "failure"}))
}

fn snapshot_path() -> String {
    format!("/api/x_casebridge_aws/v1/incidents/{INCIDENT}/snapshot")
}

fn link() -> LinkKey {
    LinkKey::support_case(IncidentId::new(INCIDENT))
}

fn delivery() -> Delivery {
    Delivery {
        expected_mod_count: 7,
        messages: Vec::new(),
        fields: IncidentFields::default(),
        columns: casebridge_core::servicenow::columns::BridgeColumns::default(),
        entries_since: None,
    }
}

async fn calls(fixture: &Fixture) -> usize {
    fixture.server.received_requests().await.unwrap().len()
}

#[tokio::test]
async fn only_https_addresses_are_accepted() {
    for bad in
        ["http://dev.service-now.com", "dev.service-now.com", "https://u:p@dev.service-now.com", "", "https://x/?y"]
    {
        let clock = SetClock(Rc::new(AtomicI64::new(0)));
        let credentials = TwoForms { cached: BASIC, renewed: BASIC, renewals: Rc::default() };
        let Err(error) = Client::new(bad, credentials, clock) else { panic!("{bad}") };
        assert!(matches!(error, ClientError::Url(_)) && !error.to_string().contains("u:p"), "{error}");
    }
}

/// Lets the mock answer with these pages, each with its start (`entries_since`, `entries_after`).
async fn mount_pages(fixture: &Fixture, pages: &[(Option<&str>, Option<&str>, Value)]) {
    for (since, after, page) in pages {
        let mock = Mock::given(method("GET")).and(path(snapshot_path())).and(header("authorization", "Basic dTpw"));
        let mock = mock.and(query_param("kind", "support_case"));
        let mock = match since {
            Some(since) => mock.and(query_param("entries_since", *since)),
            None => mock.and(query_param_is_missing("entries_since")),
        };
        let mock = match after {
            Some(entry) => mock.and(query_param("entries_after", *entry)),
            None => mock.and(query_param_is_missing("entries_after")),
        };
        mock.respond_with(result(page)).expect(1).mount(&fixture.server).await;
    }
}

/// The moment of every comment of the mock.
const WRITTEN: &str = "2026-11-20 21:14:05";

#[tokio::test]
async fn a_snapshot_is_read_forward_page_by_page() {
    let fixture = fixture(BASIC, BASIC).await;
    let mut later = part_of_snapshot(&["c"], "c");
    later["sys_mod_count"] = json!(9);
    let pages = [
        (None, None, part_of_snapshot(&["a", "b"], "b")),
        (Some(WRITTEN), Some("b"), later),
        // The app has read two pages of work notes that stay in ServiceNow.
        (Some(WRITTEN), Some("c"), part_of_snapshot(&[], "note 1")),
        (Some(WRITTEN), Some("note 1"), part_of_snapshot(&[], "note 2")),
        (Some(WRITTEN), Some("note 2"), snapshot(&["d"], true)),
    ];
    mount_pages(&fixture, &pages).await;
    let snapshot = fixture.client.snapshot(&link(), None).await.unwrap().unwrap();
    let entries: Vec<&str> = snapshot.entries.iter().map(|entry| entry.sys_id.as_str()).collect();
    assert_eq!(entries, ["a", "b", "c", "d"]);
    assert!(snapshot.entries_complete && snapshot.entries_next.is_none());
    assert_eq!(snapshot.summary.sys_mod_count, 7, "the fields are those of the first page");
    assert_eq!(snapshot.entries_since, None);
}

#[tokio::test]
async fn comments_are_asked_for_from_a_moment_on() {
    let fixture = fixture(BASIC, BASIC).await;
    let since = "2026-11-20 21:00:00";
    let mut second = snapshot(&["b"], true);
    second["entries_since"] = json!(WRITTEN);
    let pages = [(Some(since), None, part_of_snapshot(&["a"], "a")), (Some(WRITTEN), Some("a"), second)];
    mount_pages(&fixture, &pages).await;
    let moment = time::parse_servicenow(since);
    let snapshot = fixture.client.snapshot(&link(), moment).await.unwrap().unwrap();
    assert_eq!(snapshot.entries.len(), 2);
    assert_eq!(snapshot.entries_since, moment);
}

#[tokio::test]
async fn pages_end_at_a_number_and_at_a_time_and_what_was_read_is_told() {
    let fixture = fixture(BASIC, BASIC).await;
    let page = part_of_snapshot(&["a"], "a");
    Mock::given(path(snapshot_path())).respond_with(result(&page)).mount(&fixture.server).await;
    let snapshot = fixture.client.snapshot(&link(), None).await.unwrap().unwrap();
    assert_eq!((snapshot.entries.len(), snapshot.entries_complete), (MAXIMUM_ENTRY_PAGES, false));
    let point = JournalPoint { since: time::parse_servicenow(WRITTEN).unwrap(), after: JournalEntryId::new("a") };
    assert_eq!(snapshot.entries_next, Some(point), "the next read knows how far this one came");
    assert_eq!(calls(&fixture).await, MAXIMUM_ENTRY_PAGES);
}

/// A clock that moves by a minute with each read.
struct HastyClock(AtomicI64);

impl Clock for HastyClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.fetch_add(60, Ordering::Relaxed)).unwrap()
    }
}

#[tokio::test]
async fn pages_end_when_their_time_is_over() {
    let fixture = fixture(BASIC, BASIC).await;
    let page = part_of_snapshot(&["a"], "a");
    Mock::given(path(snapshot_path())).respond_with(result(&page)).mount(&fixture.server).await;
    let credentials = TwoForms { cached: BASIC, renewed: BASIC, renewals: Rc::default() };
    let instance = Url::parse(&fixture.server.uri()).unwrap();
    let client = Client::with_instance(instance, credentials, HastyClock(AtomicI64::new(0))).unwrap();
    let snapshot = client.snapshot(&link(), None).await.unwrap().unwrap();
    assert_eq!((snapshot.entries.len(), snapshot.entries_complete), (1, false));
}

#[tokio::test]
async fn a_page_that_leads_nowhere_is_told() {
    let fixture = fixture(BASIC, BASIC).await;
    Mock::given(path(snapshot_path())).respond_with(result(&snapshot(&["a"], false))).mount(&fixture.server).await;
    let failure = fixture.client.snapshot(&link(), None).await.unwrap_err();
    assert!(failure.message().contains("update the app"), "{}", failure.message());
    assert_eq!(calls(&fixture).await, 1);
}

#[tokio::test]
async fn an_incident_that_is_not_served_is_refused_and_not_missing() {
    let fixture = fixture(BASIC, BASIC).await;
    Mock::given(path(snapshot_path())).respond_with(error(403, "Incident not served")).mount(&fixture.server).await;
    assert_eq!(fixture.client.snapshot(&link(), None).await.unwrap_err().name(), "refused_not_served");
    assert_eq!(calls(&fixture).await, 1);
}

#[tokio::test]
async fn a_firewalls_page_refuses_a_delivery_and_delays_a_read() {
    let fixture = fixture(BASIC, BASIC).await;
    let page = ResponseTemplate::new(403).set_body_raw("<html>blocked</html>", "text/html");
    Mock::given(method("POST")).respond_with(page.clone()).mount(&fixture.server).await;
    Mock::given(method("GET")).respond_with(page).mount(&fixture.server).await;
    assert_eq!(fixture.client.deliver(&link(), &delivery()).await.unwrap_err().name(), "refused_invalid_request");
    assert_eq!(calls(&fixture).await, 1);
    assert_eq!(fixture.client.snapshot(&link(), None).await.unwrap_err().name(), "unavailable");
}

#[tokio::test]
async fn a_delivery_says_from_when_on_it_wants_comments() {
    let fixture = fixture(BASIC, BASIC).await;
    let answer = json!({"messages": [], "fields": "none", "field_error": "", "snapshot": snapshot(&[], true)});
    Mock::given(method("POST")).respond_with(result(&answer)).mount(&fixture.server).await;
    let since = time::parse_servicenow(WRITTEN);
    fixture.client.deliver(&link(), &Delivery { entries_since: since, ..delivery() }).await.unwrap();
    fixture.client.deliver(&link(), &delivery()).await.unwrap();
    let requests = fixture.server.received_requests().await.unwrap();
    let sent: Vec<Value> = requests.iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
    assert_eq!(sent[0]["entries_since"], WRITTEN);
    assert!(sent[1].get("entries_since").is_none());
}

#[tokio::test]
async fn a_missing_incident_is_none_and_a_missing_page_is_not() {
    let fixture = fixture(BASIC, BASIC).await;
    Mock::given(path(snapshot_path())).respond_with(error(404, "No such incident")).mount(&fixture.server).await;
    assert_eq!(fixture.client.snapshot(&link(), None).await, Ok(None));
    fixture.server.reset().await;
    let page = ResponseTemplate::new(404).set_body_raw("<html>", "text/html");
    Mock::given(path(snapshot_path())).respond_with(page).mount(&fixture.server).await;
    assert_eq!(fixture.client.snapshot(&link(), None).await.unwrap_err().name(), "unavailable");
}

#[tokio::test]
async fn a_sys_id_can_not_leave_its_place_in_the_path() {
    let fixture = fixture(BASIC, BASIC).await;
    for bad in ["", "../../now", "a/b", "a?b"] {
        let failure = fixture.client.snapshot(&LinkKey::support_case(IncidentId::new(bad)), None).await.unwrap_err();
        assert_eq!(failure.name(), "refused_invalid_request");
    }
    assert_eq!(calls(&fixture).await, 0);
}

#[tokio::test]
async fn a_token_is_fetched_once_and_renewed_before_it_expires() {
    let fixture = fixture(OAUTH, OAUTH).await;
    let form = "grant_type=client_credentials&client_id=c&client_secret=s";
    Mock::given(method("POST"))
        .and(path("/oauth_token.do"))
        .and(body_string_contains(form))
        .respond_with(token("one", 1_800))
        .expect(2)
        .mount(&fixture.server)
        .await;
    Mock::given(header("authorization", "Bearer one"))
        .respond_with(result(&snapshot(&[], true)))
        .expect(3)
        .mount(&fixture.server)
        .await;
    fixture.client.warm_up().await.unwrap();
    fixture.client.snapshot(&link(), None).await.unwrap();
    fixture.client.snapshot(&link(), None).await.unwrap();
    fixture.now.fetch_add(1_750, Ordering::Relaxed);
    fixture.client.snapshot(&link(), None).await.unwrap();
}

#[tokio::test]
async fn a_revoked_token_and_a_rotated_secret_are_renewed_once() {
    let fixture = fixture(OAUTH, r#"{"client_id":"c","client_secret":"new"}"#).await;
    let old = Mock::given(path("/oauth_token.do")).and(body_string_contains("client_secret=s"));
    old.respond_with(token("old", 1_800)).mount(&fixture.server).await;
    let new = Mock::given(path("/oauth_token.do")).and(body_string_contains("client_secret=new"));
    new.respond_with(token("new", 1_800)).mount(&fixture.server).await;
    let refused = Mock::given(header("authorization", "Bearer old"));
    refused.respond_with(error(401, "User Not Authenticated")).expect(1).mount(&fixture.server).await;
    let accepted = Mock::given(header("authorization", "Bearer new"));
    accepted.respond_with(result(&snapshot(&[], true))).expect(1).mount(&fixture.server).await;
    assert!(fixture.client.snapshot(&link(), None).await.unwrap().is_some());
    assert_eq!(fixture.renewals.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn credentials_that_stay_refused_are_told_and_not_hammered() {
    let fixture = fixture(BASIC, BASIC).await;
    Mock::given(path(snapshot_path())).respond_with(error(401, "User Not Authenticated")).mount(&fixture.server).await;
    assert_eq!(fixture.client.snapshot(&link(), None).await.unwrap_err().name(), "refused_credentials");
    assert_eq!(calls(&fixture).await, 2);
}

#[tokio::test]
async fn a_refused_oauth_client_is_told_with_the_words_of_the_instance() {
    let fixture = fixture(OAUTH, OAUTH).await;
    let answer = ResponseTemplate::new(401)
        .set_body_json(json!({"error": "server_error", "error_description": "access_denied"}));
    Mock::given(path("/oauth_token.do")).respond_with(answer).mount(&fixture.server).await;
    let failure = fixture.client.snapshot(&link(), None).await.unwrap_err();
    assert_eq!(failure.name(), "refused_credentials");
    assert!(failure.message().contains("access_denied"), "{}", failure.message());
}

#[tokio::test]
async fn a_rate_limit_is_told_with_its_end_and_not_waited_out() {
    let fixture = fixture(BASIC, BASIC).await;
    let limited = error(429, "Rate limit exceeded").insert_header("retry-after", "120");
    Mock::given(path(snapshot_path())).respond_with(limited).mount(&fixture.server).await;
    let Failure::Unavailable { retry_at, .. } = fixture.client.snapshot(&link(), None).await.unwrap_err() else {
        panic!("a rate limit passes");
    };
    assert_eq!(retry_at.map(Timestamp::as_second), Some(1_800_000_120));
    assert_eq!(calls(&fixture).await, 1);
}

#[tokio::test]
async fn what_passes_by_itself_is_repeated_at_once() {
    let fixture = fixture(BASIC, BASIC).await;
    let broken = r#"{"result":{"sys_id":"a", "error":{"message":"Transaction cancelled"},"status":"failure"}"#;
    for answer in [ResponseTemplate::new(429), ResponseTemplate::new(200).set_body_raw(broken, "application/json")] {
        Mock::given(path(snapshot_path())).respond_with(answer).up_to_n_times(1).mount(&fixture.server).await;
    }
    Mock::given(path(snapshot_path())).respond_with(result(&snapshot(&[], true))).mount(&fixture.server).await;
    assert!(fixture.client.snapshot(&link(), None).await.unwrap().is_some());
    assert_eq!(calls(&fixture).await, 3);
}

#[tokio::test]
async fn repeats_end() {
    let fixture = fixture(BASIC, BASIC).await;
    Mock::given(path(snapshot_path())).respond_with(ResponseTemplate::new(503)).mount(&fixture.server).await;
    assert_eq!(fixture.client.snapshot(&link(), None).await.unwrap_err().name(), "unavailable");
    assert_eq!(calls(&fixture).await, 1 + MAXIMUM_REPEATS);
}

#[tokio::test]
async fn a_young_claim_is_not_waited_out() {
    let fixture = fixture(BASIC, BASIC).await;
    Mock::given(method("POST")).respond_with(error(409, "Conflict")).mount(&fixture.server).await;
    assert_eq!(fixture.client.deliver(&link(), &delivery()).await.unwrap_err().name(), "unavailable");
    assert_eq!(calls(&fixture).await, 1);
}

#[tokio::test]
async fn a_delivery_is_sent_as_the_app_reads_it() {
    let fixture = fixture(BASIC, BASIC).await;
    let answer = json!({"messages": [{"external_id": "x", "outcome": "already_applied", "journal": "j", "error": ""}],
                        "fields": "stale", "field_error": "", "snapshot": snapshot(&[], true)});
    Mock::given(method("POST")).respond_with(result(&answer)).mount(&fixture.server).await;
    let answer = fixture.client.deliver(&link(), &delivery()).await.unwrap();
    assert_eq!(answer.fields, FieldsOutcome::Stale);
    assert_eq!(answer.messages[0].outcome, MessageOutcome::AlreadyApplied);
    let request = &fixture.server.received_requests().await.unwrap()[0];
    assert_eq!(request.url.path(), format!("/api/x_casebridge_aws/v1/incidents/{INCIDENT}/deliver"));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["kind"], "support_case");
    assert_eq!(body["expected_mod_count"], 7);
    assert_eq!(body["messages"], json!([]));
    assert!(body.get("fields").is_none(), "empty fields are left out");
}

#[tokio::test]
async fn changes_are_asked_for_by_time_and_key() {
    let fixture = fixture(BASIC, BASIC).await;
    let page = json!({"now": "2026-11-20 21:14:06", "more": true,
                      "incidents": [{"sys_id": INCIDENT, "sys_mod_count": 7, "sys_updated_on": "2026-11-20 21:14:05"}]});
    Mock::given(path("/api/x_casebridge_aws/v1/incidents/changes"))
        .and(query_param("since", "2026-11-20 21:00:00"))
        .and(query_param("after", "abc"))
        .and(query_param("limit", "200"))
        .respond_with(result(&page))
        .mount(&fixture.server)
        .await;
    let since = time::parse_servicenow("2026-11-20 21:00:00").unwrap();
    let changes = fixture.client.changes(since, Some(&IncidentId::new("abc")), 9_999).await.unwrap();
    assert!(changes.more);
    assert_eq!(changes.incidents[0].sys_mod_count, 7);
}

#[tokio::test]
async fn an_unreachable_instance_is_unavailable_even_for_a_write() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let instance = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let credentials = TwoForms { cached: BASIC, renewed: BASIC, renewals: Rc::default() };
    let clock = SetClock(Rc::new(AtomicI64::new(0)));
    let client = Client::with_instance(Url::parse(&instance).unwrap(), credentials, clock).unwrap();
    let failure = client.deliver(&link(), &delivery()).await.unwrap_err();
    assert_eq!(failure.name(), "unavailable");
}

#[tokio::test]
async fn an_app_of_another_version_is_not_asked_again_and_refuses_nothing() {
    let fixture = fixture(BASIC, BASIC).await;
    let detail = "kind: is not known; known are expected_mod_count, messages, fields, columns, entries_since";
    let refusal = json!({"error": {"message": "Invalid request", "detail": detail}, "status": "failure"});
    let answer = ResponseTemplate::new(400).set_body_json(refusal);
    Mock::given(method("POST")).respond_with(answer).expect(1).mount(&fixture.server).await;
    let failure = fixture.client.deliver(&link(), &delivery()).await.unwrap_err();
    assert_eq!(failure.name(), "unavailable");
    assert!(failure.message().contains(detail), "{}", failure.message());
}
