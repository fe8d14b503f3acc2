use serde_json::{Value, json};

use super::*;
use crate::replay::{SetClock, calls, replay};

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
