use casebridge_core::catalogue::{Named, OfferedService};
use casebridge_ports::SupportCatalogue;

use super::*;

fn named(code: &str, name: &str) -> Named {
    Named { code: code.to_owned(), name: name.to_owned() }
}

#[tokio::test]
async fn services_and_severities_are_read_in_english() {
    let services = json!({"services": [
        {"code": "aws-lambda", "name": "Lambda", "categories": [{"code": "other", "name": "Other"}]},
        {"code": "general-info", "name": "General Info"},
    ]});
    let levels = json!({"severityLevels": [{"code": "low", "name": "General guidance"}]});
    let fixture = fixture(false, &[(200, services), (200, levels), (200, json!({}))]).await;
    let lambda = OfferedService { service: named("aws-lambda", "Lambda"), categories: vec![named("other", "Other")] };
    let info = OfferedService { service: named("general-info", "General Info"), categories: Vec::new() };
    assert_eq!(fixture.support.describe_services(&account()).await, Ok(vec![lambda, info]));
    let levels = fixture.support.describe_severity_levels(&account()).await;
    assert_eq!(levels, Ok(vec![named("low", "General guidance")]));
    assert_eq!(fixture.support.describe_services(&account()).await, Ok(Vec::new()));
    for (call, operation) in [(0, "DescribeServices"), (1, "DescribeSeverityLevels")] {
        assert_eq!(fixture.header(call, "x-amz-target"), format!("AWSSupport_20130415.{operation}"));
        assert_eq!(fixture.body(call), json!({"language": "en"}));
    }
}

#[tokio::test]
async fn a_read_that_aws_throttles_is_repeated_and_a_refusal_is_told() {
    let answers = [(400, refusal("ThrottlingException")), (200, json!({"services": []}))];
    let throttled = fixture(false, &answers).await;
    assert_eq!(throttled.support.describe_services(&account()).await, Ok(Vec::new()));
    assert_eq!(throttled.calls(), 2);
    let refused = fixture(false, &[(400, refusal("SubscriptionRequiredException"))]).await;
    let failure = refused.support.describe_severity_levels(&account()).await.unwrap_err();
    assert_eq!(failure.name(), "refused_subscription");
}

#[tokio::test]
async fn the_session_of_a_role_may_read_the_catalogue_alone() {
    let aws = Aws { support: replay(&[(200, json!({"services": []}))]), identities: Arc::default() };
    let support = SupportClient::for_catalogue(hub(&aws).await, Role("arn:aws:iam::111122223333:role/casebridge"));
    let fixture = Fixture { aws, support };
    fixture.support.describe_services(&account()).await.unwrap();
    assert_eq!(fixture.identities(), ["AssumeRole AKIAHUB DescribeServices DescribeSeverityLevels"]);
}
