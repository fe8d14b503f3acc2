use casebridge_core::{
    catalogue::{AccountSeverities, Changes, Named, Service},
    identifiers::AccountId,
};
use wiremock::matchers::body_json;

use super::*;
use crate::Written;

const CATALOGUE: &str = "/api/x_casebridge_aws/v1/incidents/catalogue";

/// Lets the instance answer a request for the page of a part after this key.
async fn show(fixture: &Fixture, part: &str, after: &str, page: &Value) {
    Mock::given(method("GET"))
        .and(path(CATALOGUE))
        .and(query_param("part", part))
        .and(query_param("after", after))
        .and(query_param("limit", "100"))
        .respond_with(result(page))
        .expect(1)
        .mount(&fixture.server)
        .await;
}

fn service(code: &str) -> Value {
    let categories = json!([{"code": "other", "name": "Other", "active": false}]);
    json!({"code": code, "name": "Name", "active": true, "categories": categories})
}

#[tokio::test]
async fn all_pages_of_both_parts_are_read() {
    let fixture = fixture(BASIC, BASIC).await;
    let levels = json!([{"code": "low", "name": "Low", "active": true}]);
    let account = |number: &str| json!({"account": number, "levels": levels});
    show(&fixture, "services", "", &json!({"services": [service("a"), service("b")], "more": true})).await;
    show(&fixture, "services", "b", &json!({"services": [service("c")], "more": false})).await;
    show(&fixture, "severities", "", &json!({"severities": [account("111122223333")], "more": true})).await;
    show(&fixture, "severities", "111122223333", &json!({"severities": [account("444455556666")], "more": false}))
        .await;
    let held = fixture.client.catalogue().await.unwrap();
    let codes: Vec<&str> = held.services.iter().map(|service| service.code.as_str()).collect();
    assert_eq!(codes, ["a", "b", "c"]);
    assert!(!held.services[2].categories[0].active);
    assert_eq!(held.severities[1].account.as_str(), "444455556666");
    assert_eq!(held.severities[1].levels[0].code, "low");
}

#[tokio::test]
async fn changes_are_written_as_the_app_takes_them() {
    let fixture = fixture(BASIC, BASIC).await;
    let order = json!({
        "services": [{"code": "a", "name": "A", "active": false, "categories": []}],
        "severities": [{"account": "111122223333", "levels": [{"code": "low", "name": "Low"}]}],
    });
    Mock::given(method("POST"))
        .and(path(CATALOGUE))
        .and(body_json(&order))
        .respond_with(result(&json!({"services": 1, "categories": 0, "severities": 1, "refused": ["b"]})))
        .mount(&fixture.server)
        .await;
    let service = Service { code: "a".to_owned(), name: "A".to_owned(), active: false, categories: Vec::new() };
    let levels = vec![Named { code: "low".to_owned(), name: "Low".to_owned() }];
    let severities = AccountSeverities { account: AccountId::new("111122223333"), levels };
    let changes = Changes { services: vec![service], severities: vec![severities] };
    let written = fixture.client.write_catalogue(&changes).await.unwrap();
    assert_eq!(written, Written { services: 1, categories: 0, severities: 1, refused: vec!["b".to_owned()] });
}

#[tokio::test]
async fn an_app_without_the_resource_is_told_by_its_failure() {
    let fixture = fixture(BASIC, BASIC).await;
    Mock::given(method("GET"))
        .and(path(CATALOGUE))
        .respond_with(error(400, "Requested URI does not represent any resource"))
        .mount(&fixture.server)
        .await;
    let failure = fixture.client.catalogue().await.unwrap_err();
    assert_eq!(failure.name(), "unavailable");
}
