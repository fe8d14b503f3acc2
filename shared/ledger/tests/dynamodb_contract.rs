//! The contract of the ledger, checked with the DynamoDB that the environment names. Each test has a table of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod suite;

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use aws_sdk_dynamodb::{
    Client, Config,
    config::{
        BehaviorVersion, ConfigBag, Credentials, Intercept, Region, RuntimeComponents,
        http::HttpResponse,
        interceptors::{BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextRef},
        retry::RetryConfig,
    },
    error::BoxError,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
        ProjectionType, ScalarAttributeType,
    },
};
use casebridge_core::{
    identifiers::{CaseKey, LinkKey},
    link::{
        self,
        intent::{EndedIntent, IntentEnd},
    },
    support::{
        Link, SupportCase,
        case::CaseStatus,
        index,
        memory::{LinkedCase, Memory, QuotaWait},
    },
};
use casebridge_ledger::{DueLink, DynamoLedger, Lease, LeaseAnswer, Ledger, LedgerError, ReleaseAnswer};
use suite::{
    alarm::{self, Alarm},
    at, attempt, key, remembered,
};

/// The variable with the endpoint of the DynamoDB that the tests use.
const ENDPOINT_VARIABLE: &str = "CASEBRIDGE_TEST_DYNAMODB_ENDPOINT";

contract_tests!(Table::create().await.ledger());

/// A table for one test in the running DynamoDB.
struct Table {
    client: Client,
    name: String,
}

impl Table {
    /// Creates a table with the keys and the index of the template.
    async fn create() -> Self {
        static CREATED: AtomicU32 = AtomicU32::new(0);
        let created = CREATED.fetch_add(1, Ordering::Relaxed);
        let name = format!("ledger-contract-{}-{created}", std::process::id());
        let client = Client::from_conf(config(&endpoint()).build());
        let attribute = |name: &str, kind| {
            AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
        };
        let keys = |hash: &str, range: &str| {
            [(hash, KeyType::Hash), (range, KeyType::Range)]
                .map(|(name, kind)| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap())
                .to_vec()
        };
        let due = GlobalSecondaryIndex::builder()
            .index_name("due")
            .set_key_schema(Some(keys("due_shard", "due_at")))
            .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
            .build()
            .unwrap();
        client
            .create_table()
            .table_name(&name)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(attribute("pk", ScalarAttributeType::S))
            .attribute_definitions(attribute("sk", ScalarAttributeType::S))
            .attribute_definitions(attribute("due_shard", ScalarAttributeType::S))
            .attribute_definitions(attribute("due_at", ScalarAttributeType::N))
            .set_key_schema(Some(keys("pk", "sk")))
            .global_secondary_indexes(due)
            .send()
            .await
            .unwrap();
        Self { client, name }
    }

    fn ledger(&self) -> DynamoLedger {
        DynamoLedger::new(self.client.clone(), &self.name)
    }

    /// Returns a ledger on the table, and the wire that counts its calls and can lose their answers.
    fn observed(&self) -> (DynamoLedger, Wire) {
        let wire = Wire::default();
        let client = Client::from_conf(config(&endpoint()).interceptor(wire.clone()).build());
        (DynamoLedger::new(client, &self.name), wire)
    }

    async fn put(&self, attributes: &[(&str, AttributeValue)]) {
        let item = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.client.put_item().table_name(&self.name).set_item(Some(item)).send().await.unwrap();
    }

    async fn row(&self, partition: &str, sort: &str) -> Option<HashMap<String, AttributeValue>> {
        let request = self.client.get_item().table_name(&self.name).key("pk", text(partition)).key("sk", text(sort));
        request.send().await.unwrap().item
    }
}

fn endpoint() -> String {
    std::env::var(ENDPOINT_VARIABLE)
        .unwrap_or_else(|_| panic!("set {ENDPOINT_VARIABLE} to the endpoint of a running DynamoDB; `make test` does"))
}

fn config(endpoint: &str) -> aws_sdk_dynamodb::config::Builder {
    Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// An answer that replaces the real one. `None` lets the real one pass.
type Answer = Option<(u16, &'static str)>;

/// Counts the requests and can replace the next answers.
#[derive(Debug, Clone, Default)]
struct Wire {
    sent: Arc<AtomicU32>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

impl Wire {
    /// Returns how many requests were sent since the last call of this function.
    fn sent(&self) -> u32 {
        self.sent.swap(0, Ordering::Relaxed)
    }

    /// Lets DynamoDB carry out the next request and loses its answer.
    fn lose_next_answer(&self) {
        self.replace_next_answers(1, 500, "");
    }

    /// Lets the answer to the next request pass unchanged.
    fn let_next_answer_pass(&self) {
        self.answers.lock().unwrap().push_back(None);
    }

    fn replace_next_answers(&self, count: usize, status: u16, body: &'static str) {
        self.answers.lock().unwrap().extend(std::iter::repeat_n(Some((status, body)), count));
    }
}

impl Intercept for Wire {
    fn name(&self) -> &'static str {
        "Wire"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some((status, body)) = self.answers.lock().unwrap().pop_front().flatten() {
            *context.response_mut() = HttpResponse::new(status.try_into()?, body.into());
        }
        Ok(())
    }
}

#[tokio::test]
async fn each_operation_is_one_call_in_the_usual_case() {
    let (ledger, wire) = Table::create().await.observed();
    let (lease, blank) = suite::take(&ledger, &key(1), "a").await;
    assert_eq!(wire.sent(), 1);
    let open = suite::opening(1, &key(1));
    let lease = ledger.record(&lease, &blank, &open, at(1)).await.unwrap();
    assert_eq!(wire.sent(), 1, "an intent with its rows");
    let opened = opened(&open);
    ledger.release(&lease, &open, &opened, None, false, at(2)).await.unwrap();
    assert_eq!(wire.sent(), 1, "an outcome with its rows and the release");

    suite::take(&ledger, &key(1), "b").await;
    wire.sent();
    suite::mark_dirty(&ledger, &key(1), "c").await;
    assert_eq!(wire.sent(), 2, "a claim that is refused, and the word");
    ledger.page_under(&index::watched(&suite::account()), None, 100).await.unwrap();
    assert_eq!(wire.sent(), 1);
    ledger.link_at(&index::case(&suite::case(1).key())).await.unwrap();
    assert_eq!(wire.sent(), 1);
    ledger.last_between(&index::undecided_between(&suite::account(), at(0), at(100))).await.unwrap();
    assert_eq!(wire.sent(), 1);
    ledger.last_between(&index::undecided_between(&suite::account(), at(100), at(0))).await.unwrap();
    assert_eq!(wire.sent(), 0, "no row can be there");
    ledger.count_in_minute(&suite::account(), "reads", at(0)).await.unwrap();
    assert_eq!(wire.sent(), 1);
    let links: Vec<LinkKey> = (0..100).map(key).collect();
    ledger.remembered_mod_counts(&links).await.unwrap();
    assert_eq!(wire.sent(), 1);
    ledger.due_links(at(0), 100).await.unwrap();
    assert_eq!(wire.sent(), 4, "one for each shard");
    suite::first_waiter(&ledger).await;
    assert_eq!(wire.sent(), 1);
}

#[tokio::test]
async fn a_claim_a_hint_whose_claim_is_gone_and_a_wake_up_are_one_call_each() {
    let (ledger, wire) = Table::create().await.observed();
    let due = suite::due_link(&ledger, &key(1)).await;
    wire.sent();
    assert!(ledger.claim_due(&due, &suite::claim("first"), at(610)).await.unwrap());
    assert_eq!(wire.sent(), 1);
    assert!(!ledger.claim_due(&due, &suite::claim("second"), at(610)).await.unwrap());
    assert_eq!(wire.sent(), 1, "somebody was faster");
    for id in [1, 2] {
        assert_eq!(suite::take_claimed(&ledger, &key(id), "a", 11, "gone").await, LeaseAnswer::Unclaimed);
        assert_eq!(wire.sent(), 1);
    }
    ledger.wake(&key(1), at(20)).await.unwrap();
    assert_eq!(wire.sent(), 1);
    suite::take(&ledger, &key(1), "b").await;
    wire.sent();
    ledger.wake(&key(1), at(20)).await.unwrap();
    assert_eq!(wire.sent(), 2, "the lease is held, and its holder is left word");
}

#[tokio::test]
async fn the_lost_answers_to_a_claim_and_to_a_lease_under_it_are_recognised() {
    let (ledger, wire) = Table::create().await.observed();
    let due = suite::due_link(&ledger, &key(1)).await;
    wire.sent();
    wire.lose_next_answer();
    assert!(ledger.claim_due(&due, &suite::claim("first"), at(610)).await.unwrap());
    assert_eq!(wire.sent(), 2);
    wire.lose_next_answer();
    let answer = suite::take_claimed(&ledger, &key(1), "a", 11, "first").await;
    assert!(matches!(answer, LeaseAnswer::Taken { .. }), "{answer:?}");
    assert_eq!(wire.sent(), 2);
}

fn opened(open: &Link) -> Link {
    let ended_intent = Some(EndedIntent { sequence: 1, end: IntentEnd::Done });
    Link {
        memory: Memory { case: Some(suite::case(1)), ..open.memory.clone() },
        intent: None,
        ended_intent,
        ..open.clone()
    }
}

#[tokio::test]
async fn writes_whose_answers_are_lost_are_recognised() {
    let (ledger, wire) = Table::create().await.observed();
    wire.lose_next_answer();
    let (lease, blank) = suite::take(&ledger, &key(1), "a").await;
    assert_eq!(wire.sent(), 2);

    wire.lose_next_answer();
    let lease = ledger.record(&lease, &blank, &remembered(1), at(1)).await.unwrap();
    assert_eq!(wire.sent(), 2);

    wire.lose_next_answer();
    let open = suite::opening(1, &key(1));
    let lease = ledger.record(&lease, &remembered(1), &open, at(1)).await.unwrap();
    assert_eq!(wire.sent(), 2);

    suite::mark_dirty(&ledger, &key(1), "b").await;
    wire.sent();
    wire.let_next_answer_pass();
    wire.lose_next_answer();
    let answer = ledger.release(&lease, &open, &open, None, false, at(2)).await.unwrap();
    let ReleaseAnswer::Dirty { lease } = answer else { panic!("the word was lost") };
    assert_eq!(wire.sent(), 3);

    wire.lose_next_answer();
    let released = ledger.release(&lease, &open, &opened(&open), None, false, at(2)).await.unwrap();
    assert_eq!((released, wire.sent()), (ReleaseAnswer::Released, 2));
    assert_eq!(suite::take(&ledger, &key(1), "c").await.1, opened(&open));
}

#[tokio::test]
async fn the_lost_answer_to_the_deletion_of_a_blank_link_is_recognised() {
    let (ledger, wire) = Table::create().await.observed();
    let (lease, blank) = suite::take(&ledger, &key(1), "a").await;
    wire.sent();
    wire.lose_next_answer();
    let released = ledger.release(&lease, &blank, &blank, None, false, at(2)).await.unwrap();
    assert_eq!((released, wire.sent()), (ReleaseAnswer::Released, 2));
}

#[tokio::test]
async fn a_write_that_meets_a_transaction_is_tried_again_and_not_for_ever() {
    const CONFLICT: &str = r#"{"__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException"}"#;
    const CANCELLED: &str = r#"{"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}]}"#;
    let (ledger, wire) = Table::create().await.observed();
    wire.replace_next_answers(2, 400, CONFLICT);
    let (lease, blank) = suite::take(&ledger, &key(1), "a").await;
    assert_eq!(wire.sent(), 3);

    wire.replace_next_answers(2, 400, CANCELLED);
    let open = suite::opening(1, &key(1));
    let lease = ledger.record(&lease, &blank, &open, at(1)).await.unwrap();
    assert_eq!(wire.sent(), 3);

    wire.replace_next_answers(5, 400, CONFLICT);
    assert_unavailable(&ledger.record(&lease, &open, &open, at(1)).await);
    assert_eq!(wire.sent(), 5);
}

#[tokio::test]
async fn counts_that_a_batch_leaves_out_are_asked_for_again_and_not_for_ever() {
    let table = Table::create().await;
    let (ledger, wire) = table.observed();
    suite::store(&ledger, &key(1), &remembered(7)).await;
    wire.sent();
    let left_out: &'static str = format!(
        r#"{{"Responses": {{}}, "UnprocessedKeys": {{"{}": {{"Keys": [{{"pk": {{"S": "LINK#{}"}}, "sk": {{"S": "LINK"}}}}],
            "ProjectionExpression": "pk, sk, mod_count"}}}}}}"#,
        table.name,
        key(1)
    )
    .leak();
    wire.replace_next_answers(1, 200, left_out);
    assert_eq!(ledger.remembered_mod_counts(&[key(1)]).await.unwrap(), [Some(7)]);
    assert_eq!(wire.sent(), 2);
    wire.replace_next_answers(5, 200, left_out);
    assert_unavailable(&ledger.remembered_mod_counts(&[key(1)]).await);
    assert_eq!(wire.sent(), 5);
}

#[tokio::test]
async fn rows_are_as_documented() {
    let table = Table::create().await;
    let ledger = table.ledger();
    let (lease, blank) = suite::take(&ledger, &key(10), "a").await;
    let partition = format!("LINK#{}", key(10));
    let row = table.row(&partition, "LINK").await.unwrap();
    assert_eq!(row["lease_owner"], text("a"));
    assert_eq!(row["due_at"], AttributeValue::N(at(100).as_millisecond().to_string()));

    let open = suite::opening(1, &key(10));
    let lease = ledger.record(&lease, &blank, &open, at(1)).await.unwrap();
    let intent = table.row(&partition, "INTENT#0000000001").await.unwrap();
    assert_eq!((&intent["kind"], intent.get("end")), (&text("open_case"), None));
    assert_eq!(intent["mark"], text(suite::mark(1, &key(10)).as_str()));
    let open_intent = table.row("ACCOUNT#111122223333", &format!("INTENT#{}", suite::mark(1, &key(10)))).await.unwrap();
    assert_eq!(open_intent["link"], text(&key(10).to_string()));

    let after = Link { incident: remembered(7).incident, ..opened(&open) };
    ledger.release(&lease, &open, &after, None, false, at(2)).await.unwrap();
    let intent = table.row(&partition, "INTENT#0000000001").await.unwrap();
    assert_eq!(intent["end"], text("done"));
    assert!(intent["expires_at"].is_n());
    let row = table.row(&partition, "LINK").await.unwrap();
    assert_eq!(row["mod_count"], AttributeValue::N("7".to_owned()));
    assert_eq!((&row["number"], &row["account"]), (&text("INC0000001"), &text("111122223333")));
    assert_eq!(row["released_by"], text("a"));
    for gone in ["lease_owner", "lease_until", "due_shard", "due_at", "dirty", "claim"] {
        assert_eq!(row.get(gone), None);
    }
}

#[tokio::test]
async fn the_rows_of_claims_and_of_waits_are_as_documented() {
    let table = Table::create().await;
    let ledger = table.ledger();
    let due = suite::due_link(&ledger, &key(1)).await;
    assert!(ledger.claim_due(&due, &suite::claim("first"), at(610)).await.unwrap());
    let row = table.row(&format!("LINK#{}", key(1)), "LINK").await.unwrap();
    assert_eq!(row["claim"], text("first"));
    assert_eq!(row["due_at"], AttributeValue::N(at(610).as_millisecond().to_string()));
    let wait = QuotaWait { account: suite::account(), priority: "2".to_owned(), since: at(0) };
    suite::store(
        &ledger,
        &key(2),
        &Link { memory: Memory { waits_for_quota: Some(wait), ..Memory::default() }, ..remembered(1) },
    )
    .await;
    let sort = format!("WAITING#2#001800000000000#{}", key(2));
    assert_eq!(table.row("ACCOUNT#111122223333", &sort).await.unwrap()["link"], text(&key(2).to_string()));
}

/// Returns a row with these texts and numbers and no other attributes.
fn row_of(sort: &str, texts: &[(&str, &str)], numbers: &[(&str, i64)]) -> HashMap<String, AttributeValue> {
    let texts = texts.iter().map(|(name, value)| (*name, text(value)));
    let numbers = numbers.iter().map(|(name, value)| (*name, AttributeValue::N(value.to_string())));
    let keys = [("pk", text("ACCOUNT#111122223333")), ("sk", text(sort))];
    keys.into_iter().chain(texts).chain(numbers).map(|(name, value)| (name.to_owned(), value)).collect()
}

#[tokio::test]
async fn the_rows_of_an_account_are_as_documented_to_the_last_attribute() {
    let table = Table::create().await;
    let ledger = table.ledger();
    let status = Some(CaseStatus::new("resolved"));
    let resolved = LinkedCase { status, fingerprint: "f1".to_owned(), ..suite::case(1) };
    let CaseKey { stable_id, .. } = resolved.key();
    suite::store(
        &ledger,
        &key(1),
        &Link { memory: Memory { case: Some(resolved), ..Memory::default() }, ..remembered(1) },
    )
    .await;
    suite::store(&ledger, &key(2), &suite::opening(1, &key(2))).await;
    for second in [0, 1] {
        ledger.count_in_minute(&suite::account(), "reads", at(second)).await.unwrap();
    }
    let (owner, opener, mark) = (key(1).to_string(), key(2).to_string(), suite::mark(1, &key(2)));
    let case_id = "case-111122223333-muen-2026-0000000000000001";
    let watched = [("link", owner.as_str()), ("case_id", case_id), ("fingerprint", "f1")];
    let (month, day, hour) = (30 * 24 * 3_600, 24 * 3_600, 3_600);
    let began = 1_800_000_000;
    for expected in [
        row_of(&format!("CASE#{stable_id}"), &[("link", &owner)], &[]),
        row_of(
            &format!("WATCHED#{stable_id}"),
            &watched,
            &[("changed_at", began * 1_000), ("expires_at", began + month)],
        ),
        row_of(&format!("INTENT#{mark}"), &[("link", &opener)], &[]),
        row_of(
            &format!("UNDECIDED#001800000000000#{mark}"),
            &[],
            &[("written_at", began * 1_000), ("expires_at", began + day)],
        ),
        row_of("READS#30000000", &[], &[("reads", 2), ("expires_at", began + hour)]),
    ] {
        let AttributeValue::S(sort) = &expected["sk"] else { panic!("no sort key: {expected:?}") };
        assert_eq!(table.row("ACCOUNT#111122223333", sort).await, Some(expected));
    }
}

#[tokio::test]
async fn the_rows_of_a_kind_say_what_the_kind_says() {
    let table = Table::create().await;
    let ledger = table.ledger();
    let named = alarm::alarm("disk", &[("host", -1)]);
    let silent = alarm::Memory { silent_until: Some(at(60)), ..named.memory.clone() };
    let kind = alarm::AlarmIntent::Raise(suite::account());
    let intent = serde_json::json!({"sequence": 1, "mark": null, "written_at": at(0), "kind": kind});
    let intent = Some(serde_json::from_value(intent).unwrap());
    suite::store::<Alarm>(&ledger, &key(1), &link::Link { memory: silent, intent, intents: 1, ..named }).await;
    let link = key(1).to_string();
    let expected =
        row_of("RESOURCE#host", &[("link", &link), ("alarm", "disk")], &[("level", -1), ("expires_at", 1_800_000_060)]);
    assert_eq!(table.row("ACCOUNT#111122223333", "RESOURCE#host").await, Some(expected));
    assert_eq!(table.row(&format!("LINK#{link}"), "INTENT#0000000001").await.unwrap()["kind"], text("raise"));
    let row = table.row(&format!("LINK#{link}"), "LINK").await.unwrap();
    assert_eq!(row["account"], text("111122223333"), "the account of the record that is being opened");
}

#[tokio::test]
async fn a_corrupt_row_is_an_error_and_never_an_absent_one() {
    let table = Table::create().await;
    let ledger = table.ledger();
    let case = suite::case(1).key();
    let account = "ACCOUNT#111122223333";
    table.put(&[("pk", text(account)), ("sk", text(&format!("CASE#{}", case.stable_id)))]).await;
    assert_corrupt(&ledger.link_at(&index::case(&case)).await);
    let mark = suite::mark(1, &key(1));
    let nonsense = ("link", text("nonsense"));
    table.put(&[("pk", text(account)), ("sk", text(&format!("INTENT#{mark}"))), nonsense]).await;
    assert_corrupt(&ledger.link_at(&index::open_intent(&suite::account(), &mark)).await);
    table.put(&[("pk", text("WATERMARK")), ("sk", text("changes"))]).await;
    assert_corrupt(&ledger.watermark("changes").await);
}

#[tokio::test]
async fn an_unreadable_link_is_not_taken_for_a_blank_one_and_waits_for_a_person() {
    let table = Table::create().await;
    let ledger = table.ledger();
    let partition = format!("LINK#{}", key(1));
    // The second has another form: its case is not inside `memory`.
    for state in [text("{\"memory\":{\"case\":7}}"), text("{\"case\":{}}"), AttributeValue::Bool(true)] {
        table.put(&[("pk", text(&partition)), ("sk", text("LINK")), ("state", state)]).await;
        for by in ["a", "b"] {
            assert_corrupt(&ledger.take_lease::<SupportCase>(&key(1), &attempt(by), at(0), at(100), None).await);
        }
        assert_eq!(ledger.due_links(at(1_000), 10).await.unwrap(), [], "it does not come up again by itself");
    }
}

#[tokio::test]
async fn an_unreadable_row_keeps_no_other_from_being_listed() {
    let table = Table::create().await;
    let ledger = table.ledger();
    suite::store(&ledger, &key(1), &suite::with_case(1)).await;
    suite::take(&ledger, &key(1), "a").await;
    let due_at = ("due_at", AttributeValue::N("1".to_owned()));
    table.put(&[("pk", text("LINK#nonsense")), ("sk", text("LINK")), ("due_shard", text("0")), due_at]).await;
    let nonsense = ("link", text("nonsense"));
    table.put(&[("pk", text("ACCOUNT#111122223333")), ("sk", text("WATCHED#nonsense")), nonsense]).await;
    table.put(&[("pk", text("ACCOUNT#111122223333")), ("sk", text("WAITING#1#nonsense"))]).await;
    let wait = QuotaWait { account: suite::account(), priority: "2".to_owned(), since: at(0) };
    suite::store(
        &ledger,
        &key(2),
        &Link { memory: Memory { waits_for_quota: Some(wait), ..Memory::default() }, ..remembered(1) },
    )
    .await;
    assert_eq!(suite::first_waiter(&ledger).await, Some(key(2)));
    assert_eq!(ledger.due_links(at(1_000), 10).await.unwrap().len(), 1);
    assert_eq!(suite::watched_cases(&ledger, None).await.0.len(), 1);
}

fn assert_corrupt<T: std::fmt::Debug>(answer: &Result<T, LedgerError>) {
    assert!(matches!(answer, Err(LedgerError::Corrupt { .. })), "{answer:?}");
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_no_answer() {
    // No process listens on this port: the system assigned it to a listener, which is closed now.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = config(&format!("http://127.0.0.1:{port}")).retry_config(RetryConfig::disabled());
    let client = Client::from_conf(nobody.build());
    let ledger = DynamoLedger::new(client, "ledger");
    let lease = Lease { key: key(1), attempt: attempt("a"), until: at(100), revision: 0 };
    let blank = Link::default();
    assert_unavailable(&ledger.take_lease::<SupportCase>(&key(1), &attempt("a"), at(0), at(100), None).await);
    assert_unavailable(&ledger.record(&lease, &blank, &remembered(1), at(1)).await);
    assert_unavailable(&ledger.record(&lease, &blank, &suite::opening(1, &key(1)), at(1)).await);
    assert_unavailable(&ledger.release(&lease, &blank, &blank, None, false, at(1)).await);
    let account = suite::account();
    assert_unavailable(&ledger.link_at(&index::case(&suite::case(1).key())).await);
    assert_unavailable(&ledger.last_between(&index::undecided_between(&account, at(0), at(1))).await);
    assert_unavailable(&ledger.first_link_under(&index::waiting(&account)).await);
    assert_unavailable(&ledger.page_under(&index::watched(&account), None, 100).await);
    assert_unavailable(&ledger.count_in_minute(&account, "reads", at(0)).await);
    assert_unavailable(&ledger.due_links(at(0), 10).await);
    let due = DueLink { key: key(1), due_at: at(0) };
    assert_unavailable(&ledger.claim_due(&due, &suite::claim("a"), at(600)).await);
    assert_unavailable(&ledger.wake(&key(1), at(0)).await);
    assert_unavailable(&ledger.remembered_mod_counts(&[key(1)]).await);
    assert_unavailable(&ledger.watermark("changes").await);
    assert_unavailable(&ledger.set_watermark("changes", "1").await);
}

fn assert_unavailable<T: std::fmt::Debug>(answer: &Result<T, LedgerError>) {
    assert!(matches!(answer, Err(LedgerError::Unavailable { .. })), "{answer:?}");
}

#[tokio::test]
async fn workers_with_clients_of_their_own_lose_no_update() {
    const WORKERS: u64 = 8;
    const ROUNDS: u64 = 5;
    let table = Table::create().await;
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..WORKERS {
        let (ledger, _) = table.observed();
        workers.spawn(async move {
            for round in 0..ROUNDS {
                count_one(&ledger, &format!("{worker}/{round}")).await;
            }
        });
    }
    workers.join_all().await;
    let (_, link) = suite::take(&table.ledger(), &key(1), "end").await;
    assert_eq!(link.intents, WORKERS * ROUNDS);
}

/// Adds one to the link's count of intents under a lease. Tries until it gets the lease.
async fn count_one(ledger: &DynamoLedger, by: &str) {
    loop {
        let answer = match ledger.take_lease::<SupportCase>(&key(1), &attempt(by), at(0), at(100), None).await {
            Err(LedgerError::Contended { .. }) => continue,
            answer => answer.unwrap(),
        };
        let LeaseAnswer::Taken { lease, link, .. } = answer else { continue };
        let counted = Link { intents: link.intents + 1, ..*link.clone() };
        let lease = ledger.record(&lease, &link, &counted, at(1)).await.unwrap();
        ledger.release(&lease, &counted, &counted, None, true, at(1)).await.unwrap();
        return;
    }
}
