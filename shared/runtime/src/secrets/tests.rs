use aws_smithy_http_client::test_util::StaticReplayClient;
use serde_json::{Value, json};

use super::*;
use crate::replay::{SetClock, body, calls, replay};

fn secrets(answers: &[(u16, Value)]) -> (StaticReplayClient, SetClock, Arc<Secrets<SetClock>>) {
    let (http, config) = replay(answers);
    let clock = SetClock::default();
    (http, clock.clone(), Arc::new(Secrets::new(Client::new(&config), clock)))
}

fn text(text: &str) -> (u16, Value) {
    (200, json!({"Name": "name", "SecretString": text}))
}

fn error(status: u16, code: &str) -> (u16, Value) {
    (status, json!({"__type": code, "message": "words"}))
}

#[tokio::test]
async fn a_secret_is_kept_for_minutes_and_renewed_on_demand() {
    let (http, clock, secrets) = secrets(&[text("one"), text("two"), text("three")]);
    assert_eq!(secrets.text("a").await.unwrap().expose_secret(), "one");
    clock.advance(299);
    assert_eq!(secrets.text("a").await.unwrap().expose_secret(), "one");
    assert_eq!(secrets.renewed_text("a").await.unwrap().expose_secret(), "two");
    assert_eq!(secrets.renewed_text("a").await.unwrap().expose_secret(), "two", "just read");
    clock.advance(300);
    assert_eq!(secrets.text("a").await.unwrap().expose_secret(), "three");
    assert_eq!(calls(&http), 3);
}

#[tokio::test]
async fn a_known_secret_outlives_an_outage_and_an_unknown_one_does_not() {
    let (_, clock, secrets) =
        secrets(&[text("one"), error(500, "InternalServiceError"), error(500, "InternalServiceError")]);
    secrets.text("a").await.unwrap();
    clock.advance(600);
    assert_eq!(secrets.text("a").await.unwrap().expose_secret(), "one");
    let failure = Failure::from(secrets.text("b").await.unwrap_err());
    assert_eq!(failure.name(), "unavailable");
}

#[tokio::test]
async fn a_secret_that_can_not_be_had_is_asked_for_once_a_second() {
    let (http, clock, secrets) =
        secrets(&[error(400, "AccessDeniedException"), error(500, "InternalServiceError"), text("one"), text("two")]);
    for expected in ["refused_credentials", "unavailable"] {
        for _ in 0..3 {
            assert_eq!(Failure::from(secrets.text("a").await.unwrap_err()).name(), expected);
        }
        clock.advance(1);
    }
    assert_eq!(calls(&http), 2);
    assert_eq!(secrets.text("a").await.unwrap().expose_secret(), "one");
    assert_eq!(secrets.text("b").await.unwrap().expose_secret(), "two", "each by itself");
}

#[tokio::test]
async fn a_known_secret_is_used_for_an_hour_at_most() {
    let outage = || error(500, "InternalServiceError");
    let (_, clock, secrets) = secrets(&[text("one"), outage(), outage()]);
    secrets.text("a").await.unwrap();
    clock.advance(3_599);
    assert_eq!(secrets.text("a").await.unwrap().expose_secret(), "one");
    clock.advance(1);
    assert_eq!(Failure::from(secrets.text("a").await.unwrap_err()).name(), "unavailable");
}

#[tokio::test]
async fn a_withdrawn_secret_is_a_refusal_even_where_its_text_is_known() {
    for code in
        ["InvalidRequestException", "DecryptionFailure", "KMSInvalidStateException", "ResourceNotFoundException"]
    {
        let (_, clock, secrets) = secrets(&[text("one"), error(400, code)]);
        secrets.text("a").await.unwrap();
        clock.advance(300);
        let failure = Failure::from(secrets.text("a").await.unwrap_err());
        assert_eq!(failure.name(), "refused_credentials", "{code}");
    }
    let (_, clock, secrets) = secrets(&[text("one"), error(400, "ThrottlingException")]);
    secrets.text("a").await.unwrap();
    clock.advance(300);
    assert_eq!(secrets.text("a").await.unwrap().expose_secret(), "one", "a limit of rates says nothing of the secret");
}

#[tokio::test]
async fn what_is_wrong_with_a_secret_is_told_by_its_name() {
    let answers = [error(400, "ResourceNotFoundException"), error(400, "AccessDeniedException"), (200, json!({}))];
    let (_, _, secrets) = secrets(&answers);
    for (id, words) in [("a", "create it"), ("b", "grant it"), ("c", "store it as a string")] {
        let failure = Failure::from(secrets.text(id).await.unwrap_err());
        assert_eq!(failure.name(), "refused_credentials");
        assert!(failure.message().contains(&format!("`{id}`")) && failure.message().contains(words));
    }
}

fn version(id: &str, text: &str) -> (u16, Value) {
    (200, json!({"Name": "name", "VersionId": id, "SecretString": text, "CreatedDate": 1_800_000_000.25}))
}

#[tokio::test]
async fn the_webhooks_secret_has_its_current_version_and_the_one_before() {
    let missing = || error(400, "ResourceNotFoundException");
    let (http, clock, secrets) =
        secrets(&[version("v2", "new"), version("v1", "old"), version("v2", "new"), missing()]);
    let webhook = WebhookSecrets::new(secrets, "casebridge/webhook".to_owned());
    let texts = |keys: WebhookKeys| {
        let previous = keys.previous.map(|previous| previous.expose_secret().to_owned());
        (keys.current.expose_secret().to_owned(), keys.version, previous)
    };
    let known = webhook.known().await.unwrap();
    assert_eq!(known.created_at, Timestamp::from_second(1_800_000_000).ok());
    let known = texts(known);
    assert_eq!(known, ("new".to_owned(), "v2".to_owned(), Some("old".to_owned())));
    assert_eq!(body(&http, 1)["VersionStage"], "AWSPREVIOUS");
    clock.advance(11);
    assert_eq!(texts(webhook.renewed().await.unwrap()).2, None);
    assert_eq!(texts(webhook.known().await.unwrap()).2, None, "an absent version is remembered as well");
    assert_eq!(calls(&http), 4);
}

#[tokio::test]
async fn the_current_version_is_told_without_its_text() {
    let stages = json!({"v1": ["AWSPREVIOUS"], "v2": ["AWSCURRENT"], "v3": ["AWSPENDING"]});
    let answers =
        [(200, json!({"VersionIdsToStages": stages})), (200, json!({})), error(400, "ResourceNotFoundException")];
    let (_, _, secrets) = secrets(&answers);
    assert_eq!(secrets.current_version("a").await.unwrap(), "v2");
    for _ in 0..2 {
        assert!(matches!(secrets.current_version("a").await, Err(SecretError::Missing { .. })));
    }
}

#[tokio::test]
async fn accounts_are_listed_by_prefix_over_all_pages() {
    let names = |names: &[&str], next: Option<&str>| {
        let list: Vec<Value> = names.iter().map(|name| json!({"Name": name})).collect();
        (200, json!({"SecretList": list, "NextToken": next}))
    };
    let (http, _, secrets) = secrets(&[
        names(&["casebridge/accounts/222222222222", "casebridge/accounts/readme"], Some("more")),
        names(&["casebridge/accounts/111111111111", "other/casebridge/accounts/333333333333"], None),
    ]);
    let accounts = AccountSecrets::new(secrets, "casebridge/accounts/".to_owned()).accounts().await.unwrap();
    assert_eq!(accounts, [AccountId::new("111111111111"), AccountId::new("222222222222")]);
    assert_eq!(body(&http, 0)["Filters"], json!([{"Key": "name", "Values": ["casebridge/accounts/"]}]));
}

#[tokio::test]
async fn credentials_are_parsed_and_a_bad_secret_is_not_repeated() {
    let keys = text(r#"{"access_key_id":"AKIA","secret_access_key":"s"}"#);
    let (_, _, secrets) = secrets(&[keys, text("hunter2"), text(r#"{"username":"u","password":"p"}"#)]);
    let accounts = AccountSecrets::new(Arc::clone(&secrets), "p/".to_owned());
    assert!(accounts.credentials(&AccountId::new("1")).await.is_ok());
    let failure = accounts.credentials(&AccountId::new("2")).await.unwrap_err();
    assert!(!failure.message().contains("hunter2"), "{}", failure.message());
    assert!(ServiceNowSecret::new(secrets, "s".to_owned()).credentials().await.is_ok());
}
