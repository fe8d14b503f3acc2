use serde_json::{Value, json};

use super::*;
use crate::support::catalogue::CatalogueChange;
use crate::support::request::{
    DescribeCreateCaseOptions, DescribeServices, DescribeSeverityLevels, DescribeSupportedLanguages,
};

fn change(json: Value) -> CatalogueChange {
    serde_json::from_value(json).unwrap()
}

fn about(service: &str, category: &str) -> CreateCase {
    CreateCase { service_code: Some(service.to_owned()), category_code: Some(category.to_owned()), ..creation() }
}

fn options(service: &str, language: &str) -> DescribeCreateCaseOptions {
    DescribeCreateCaseOptions {
        issue_type: Some("technical".to_owned()),
        service_code: Some(service.to_owned()),
        language: Some(language.to_owned()),
        category_code: Some("other".to_owned()),
        dry_run: false,
    }
}

#[test]
fn a_catalogue_changes_for_one_account() {
    let mut support = support();
    let changed = change(json!({
        "removedServices": ["aws-lambda"],
        "removedCategories": [{"serviceCode": "amazon-virtual-private-cloud", "categoryCode": "connectivity"}],
        "services": [
            {"code": "aws-new", "name": "New", "languages": ["en", "ja"], "categories": [{"code": "other", "name": "Other"}]},
            {"code": "account-management", "name": "Accounts", "categories": [{"code": "billing", "name": "Bills"}]}
        ],
        "severities": ["low", "normal"]
    }));
    support.change_catalogue(ACCOUNT, &changed).unwrap();
    let request = DescribeServices {
        service_code_list: ["aws-lambda", "aws-new", "account-management"].map(ToOwned::to_owned).to_vec(),
        ..DescribeServices::default()
    };
    let services = support.describe_services(start(), ACCOUNT, &request).unwrap();
    let seen = serde_json::to_value(&services).unwrap();
    assert_eq!(seen[0]["name"], "Accounts");
    assert_eq!(seen[0]["categories"][0], json!({"code": "billing", "name": "Bills"}));
    assert_eq!(seen[1], json!({"code": "aws-new", "name": "New", "categories": [{"code": "other", "name": "Other"}]}));
    assert_eq!(services.len(), 2);
    let levels = support.describe_severity_levels(start(), ACCOUNT, &DescribeSeverityLevels::default()).unwrap();
    assert_eq!(levels.len(), 2);
    let levels = support.describe_severity_levels(start(), OTHER_ACCOUNT, &DescribeSeverityLevels::default());
    assert_eq!(levels.unwrap().len(), 5);

    let refused = |support: &mut Support, request: CreateCase| support.create_case(start(), ACCOUNT, &request).is_err();
    assert!(refused(&mut support, creation()), "the severity 'high' is gone");
    let low = |request| CreateCase { severity_code: Some("low".to_owned()), ..request };
    assert!(refused(&mut support, low(about("aws-lambda", "other"))));
    assert!(refused(&mut support, low(about("amazon-virtual-private-cloud", "connectivity"))));
    let french = CreateCase { language: Some("fr".to_owned()), ..low(about("aws-new", "other")) };
    assert!(refused(&mut support, french));
    assert!(support.create_case(start(), ACCOUNT, &low(about("aws-new", "other"))).is_ok());
    assert!(support.create_case(start(), OTHER_ACCOUNT, &about("aws-lambda", "other")).is_ok());
}

#[test]
fn a_change_that_is_impossible_changes_nothing() {
    let mut support = support();
    let before = support.catalogue(ACCOUNT).unwrap();
    for (wrong, named) in [
        (json!({"removedServices": ["aws-lambda", "nothing"]}), "nothing"),
        (json!({"removedCategories": [{"serviceCode": "aws-lambda", "categoryCode": "none"}]}), "none"),
        (json!({"services": [{"code": "aws-new"}]}), "aws-new"),
        (json!({"services": [{"code": "aws-lambda", "categories": [{"code": "fresh"}]}]}), "fresh"),
        (json!({"services": [{"code": "aws-lambda", "languages": ["xx"]}]}), "xx"),
        (json!({"severities": ["grave"]}), "severities"),
    ] {
        let error = support.change_catalogue(ACCOUNT, &change(wrong)).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    }
    assert_eq!(support.catalogue(ACCOUNT).unwrap(), before);
    assert!(matches!(support.catalogue("999"), Err(PeopleError::NoSuchAccount(_))));
}

#[test]
fn options_and_languages_come_from_the_catalogue() {
    let mut support = support();
    let changed = change(json!({"services": [{"code": "aws-lambda", "languages": ["en", "ja"]}]}));
    support.change_catalogue(ACCOUNT, &changed).unwrap();
    let shown = |support: &mut Support, language| {
        serde_json::to_value(
            support.describe_create_case_options(start(), ACCOUNT, &options("aws-lambda", language)).unwrap(),
        )
        .unwrap()
    };
    let english = shown(&mut support, "en");
    assert_eq!(english["languageAvailability"], "available");
    let web = json!({
        "type": "web",
        "supportedHours": [{"startTime": "00:00:00.000", "endTime": "23:59:59.999"}],
        "datesWithoutSupport": []
    });
    assert_eq!(english["communicationTypes"][0], web);
    assert_eq!(english["communicationTypes"].as_array().unwrap().len(), 3);
    assert_eq!(shown(&mut support, "fr")["languageAvailability"], "unavailable");

    let mut request = DescribeSupportedLanguages {
        issue_type: Some("customer-service".to_owned()),
        service_code: Some("aws-lambda".to_owned()),
        category_code: Some("other".to_owned()),
        dry_run: false,
    };
    let languages = support.describe_supported_languages(start(), ACCOUNT, &request).unwrap();
    let expected = json!([
        {"code": "en", "language": "ENGLISH", "display": "ENGLISH"},
        {"code": "ja", "language": "JAPANESE", "display": "JAPANESE"}
    ]);
    assert_eq!(serde_json::to_value(languages).unwrap(), expected);
    request.dry_run = true;
    let error = support.describe_supported_languages(start(), ACCOUNT, &request).unwrap_err();
    assert_eq!(error, SupportError::DryRunOperation);
    request.category_code = None;
    let error = support.describe_supported_languages(start(), ACCOUNT, &request).unwrap_err();
    assert!(error.to_string().contains("categoryCode"), "{error}");
    let error = support.describe_create_case_options(start(), ACCOUNT, &options("nothing", "en")).unwrap_err();
    assert_eq!(error.code(), "ValidationException");
}

#[test]
fn people_open_cases_and_change_severities_in_the_console() {
    let mut support = support();
    let case_id = support.open_case(start(), ACCOUNT, &creation(), None, Vec::new()).unwrap();
    assert_eq!(support.case(&case_id).unwrap().communications[0].submitted_by, "one@example.com");
    assert_eq!(names(&mut support), [EventName::CreateCase]);
    support.set_severity(after(60), &case_id, "urgent").unwrap();
    assert!(support.take_events().is_empty());
    support.observe_with_lag(SignedDuration::from_secs(30));
    let mut severity =
        |now| support.describe_cases(now, ACCOUNT, &by_ids(&[&case_id])).unwrap().cases[0].severity_code.clone();
    assert_eq!((severity(after(89)), severity(after(90))), ("high".to_owned(), "urgent".to_owned()));
    assert!(support.set_severity(after(60), &case_id, "grave").is_err());
    let by_aws = support.open_case(after(91), ACCOUNT, &creation(), Some(SUBMITTED_BY_AWS), Vec::new()).unwrap();
    assert_eq!(support.case(&by_aws).unwrap().communications[0].origin, Origin::Aws);
    assert!(support.open_case(start(), "999", &creation(), None, Vec::new()).is_err());
}

#[test]
fn addresses_for_copies_are_checked_and_shown() {
    let mut support = support();
    let to = |addresses: &[&str]| CreateCase {
        cc_email_addresses: addresses.iter().map(|address| (*address).to_owned()).collect(),
        ..creation()
    };
    let case_id = support.create_case(start(), ACCOUNT, &to(&["ops@example.com"])).unwrap();
    let page = support.describe_cases(start(), ACCOUNT, &by_ids(&[&case_id])).unwrap();
    assert_eq!(page.cases[0].cc_email_addresses, ["ops@example.com"]);
    for wrong in [vec!["ops"], vec!["a@b, c@d"], vec!["@example.com"], vec!["a@b.c"; 11]] {
        let error = support.create_case(start(), ACCOUNT, &to(&wrong)).unwrap_err();
        assert_eq!(error.code(), "ValidationException", "{wrong:?}");
    }
}
