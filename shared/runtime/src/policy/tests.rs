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

/// Another environment of the function runs already, with the last good document.
#[tokio::test]
async fn a_function_starts_with_the_last_valid_version_and_tells_that_the_newest_is_not() {
    let version = |number: i64, document: &str| {
        (200, json!({"Parameter": {"Name": "policy", "Value": document, "Version": number}}))
    };
    let gone = (400, json!({"__type": "ParameterVersionNotFound"}));
    let (newest, corrected) = (version(5, "{"), version(6, L_IS_30));
    let (http, config) =
        replay(&[newest.clone(), version(4, r#"{"typo":1}"#), gone, version(2, L_IS_20), newest, corrected]);
    let clock = SetClock::default();
    let source = PolicySource::load(aws_sdk_ssm::Client::new(&config), "policy".to_owned(), clock.clone());
    let source = source.await.unwrap();
    let names: Vec<Value> = (0..4).map(|call| body(&http, call)["Name"].clone()).collect();
    assert_eq!(names, ["policy", "policy:4", "policy:3", "policy:2"]);
    let (policy, outcome) = source.current().await;
    assert_eq!(policy.unknown_outcome_seconds, 20);
    assert!(matches!(outcome, Err(PolicySourceError::Invalid { .. })));
    clock.advance(180);
    assert_eq!(source.current().await.0.unknown_outcome_seconds, 30);
}

#[tokio::test]
async fn the_search_for_a_valid_version_ends() {
    let newest = (200, json!({"Parameter": {"Name": "policy", "Value": "{", "Version": 100}}));
    let (http, config) = replay(&vec![newest; 20]);
    let source = PolicySource::load(aws_sdk_ssm::Client::new(&config), "policy".to_owned(), SetClock::default());
    assert!(source.await.is_err());
    assert_eq!(calls(&http), 11);
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
