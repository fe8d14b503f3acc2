use serde_json::{Value, json};

use super::*;
use crate::replay::{SetClock, body, calls, replay};

fn parameter(document: &str) -> (u16, Value) {
    (200, json!({"Parameter": {"Name": "policy", "Value": document}}))
}

const L_IS_20: &str = r#"{"unknown_outcome_seconds":20}"#;
const L_IS_30: &str = r#"{"unknown_outcome_seconds":30}"#;

#[tokio::test]
async fn a_function_does_not_start_without_a_valid_policy() {
    let missing = (400, json!({"__type": "ParameterNotFound"}));
    for (answer, words) in [(parameter(r#"{"typo":1}"#), "typo"), (missing, "check that it exists")] {
        let (_, config) = replay(&[answer]);
        let loaded = PolicySource::load(aws_sdk_ssm::Client::new(&config), "policy".to_owned(), SetClock::default());
        let Err(error) = loaded.await else { panic!("not valid") };
        assert!(error.to_string().contains(words) && error.to_string().contains("`policy`"), "{error}");
    }
}

/// A new environment behaves as those that run already: these have the last valid document.
#[tokio::test]
async fn a_function_starts_with_the_last_valid_version_and_tells_that_the_newest_is_not() {
    let version = |number: i64, document: &str| json!({"Name": "policy", "Value": document, "Version": number});
    let newest = |number: i64, document: &str| (200, json!({"Parameter": version(number, document)}));
    let first_page = [version(1, "{}"), version(2, L_IS_20), version(3, r#"{"typo":1}"#)];
    let first = (200, json!({"Parameters": first_page, "NextToken": "second"}));
    let second = (200, json!({"Parameters": [version(4, "{"), version(5, "{")]}));
    let (http, config) = replay(&[newest(5, "{"), first, second, newest(5, "{"), newest(6, L_IS_30)]);
    let clock = SetClock::default();
    let source = PolicySource::load(aws_sdk_ssm::Client::new(&config), "policy".to_owned(), clock.clone());
    let source = source.await.unwrap();
    assert_eq!(
        (body(&http, 1)["Name"].clone(), body(&http, 2)["NextToken"].clone()),
        (json!("policy"), json!("second"))
    );
    let (policy, outcome) = source.current().await;
    assert_eq!(policy.unknown_outcome_seconds, 20);
    assert!(matches!(outcome, Err(PolicySourceError::Invalid { .. })));
    clock.advance(180);
    assert_eq!(source.current().await.0.unknown_outcome_seconds, 30);
}

#[tokio::test]
async fn a_function_does_not_start_without_any_valid_version() {
    let newest = (200, json!({"Parameter": {"Name": "policy", "Value": "{", "Version": 100}}));
    let page = (200, json!({"Parameters": [{"Value": "{", "Version": 99}], "NextToken": "more"}));
    let refused = (400, json!({"__type": "AccessDeniedException"}));
    let valid = (200, json!({"Parameters": [{"Value": "{}", "Version": 1}], "NextToken": "newer"}));
    for (history, asked) in [([page.clone(), page], 3), ([refused.clone(), refused.clone()], 2), ([valid, refused], 3)]
    {
        let (http, config) = replay(&[std::slice::from_ref(&newest), &history[..]].concat());
        let source = PolicySource::load(aws_sdk_ssm::Client::new(&config), "policy".to_owned(), SetClock::default());
        assert!(source.await.is_err());
        assert_eq!(calls(&http), asked);
    }
}

#[tokio::test]
async fn the_last_good_policy_stays_in_force() {
    let (http, config) = replay(&[parameter(L_IS_20), parameter("{"), parameter(L_IS_30)]);
    let clock = SetClock::default();
    let source = PolicySource::load(aws_sdk_ssm::Client::new(&config), "policy".to_owned(), clock.clone());
    let source = source.await.unwrap();
    clock.advance(179);
    assert_eq!(source.current().await.0.unknown_outcome_seconds, 20);
    assert_eq!(calls(&http), 1);
    clock.advance(1);
    let (policy, outcome) = source.current().await;
    assert_eq!(policy.unknown_outcome_seconds, 20);
    assert!(matches!(outcome, Err(PolicySourceError::Invalid { .. })));
    assert!(source.current().await.1.is_ok(), "told once a reading");
    clock.advance(180);
    assert_eq!(source.current().await.0.unknown_outcome_seconds, 30);
}
