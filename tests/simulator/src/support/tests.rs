use jiff::{SignedDuration, Timestamp};

use super::events::{EventName, Origin};
use super::model::SUBMITTED_BY_AWS;
use super::request::{DescribeCases, DescribeCommunications, DescribeServices, MAXIMUM_BODY_LENGTH};
use super::*;

mod catalogue;
mod files;
mod oddities;
mod uploads;

const ACCOUNT: &str = "111122223333";
const OTHER_ACCOUNT: &str = "444455556666";

fn start() -> Timestamp {
    "2026-11-20T21:14:05Z".parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

fn with_quotas(quotas: Quotas) -> Support {
    let accounts = [
        Account::new(ACCOUNT, "AKIAONE", "one@example.com"),
        Account::new(OTHER_ACCOUNT, "AKIATWO", "two@example.com"),
    ];
    Support::new(7, quotas, accounts)
}

fn support() -> Support {
    with_quotas(Quotas::UNLIMITED)
}

fn creation() -> CreateCase {
    CreateCase {
        subject: Some("[INC0010001] Disk is full".to_owned()),
        communication_body: Some("The disk of ip-10-0-0-1 is full.".to_owned()),
        service_code: Some("amazon-elastic-compute-cloud-linux".to_owned()),
        category_code: Some("instance-issue".to_owned()),
        severity_code: Some("high".to_owned()),
        ..CreateCase::default()
    }
}

fn message(case_id: &str, body: &str) -> AddCommunicationToCase {
    AddCommunicationToCase {
        case_id: Some(case_id.to_owned()),
        communication_body: Some(body.to_owned()),
        ..AddCommunicationToCase::default()
    }
}

fn resolution(case_id: &str) -> ResolveCase {
    ResolveCase { case_id: Some(case_id.to_owned()), dry_run: false }
}

fn by_ids(ids: &[&str]) -> DescribeCases {
    DescribeCases {
        case_id_list: ids.iter().map(|id| (*id).to_owned()).collect(),
        include_resolved_cases: true,
        ..DescribeCases::default()
    }
}

fn names(support: &mut Support) -> Vec<EventName> {
    support.take_events().into_iter().map(|event| event.name).collect()
}

#[test]
fn a_case_is_created_as_documented() {
    let mut support = support();
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    let hex = case_id.strip_prefix("case-111122223333-muen-2026-").unwrap();
    assert!(hex.len() == 16 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()), "{case_id}");

    let page = support.describe_cases(start(), ACCOUNT, &by_ids(&[&case_id])).unwrap();
    let case = &page.cases[0];
    assert_eq!(case.status, "unassigned");
    assert_eq!(case.submitted_by, "one@example.com");
    assert!(case.display_id.bytes().all(|byte| byte.is_ascii_digit()));
    let first = &case.recent_communications.as_ref().unwrap().communications[0];
    assert_eq!(first.submitted_by, "AdminRole (Role) <one@example.com>");
    assert_eq!(serde_json::to_value(first).unwrap()["timeCreated"], "2026-11-20T21:14:05.000Z");
    assert_eq!(names(&mut support), [EventName::CreateCase]);
}

#[test]
fn limits_are_checked_and_name_the_field() {
    let mut support = support();
    let mut refused = |change: fn(&mut CreateCase), field: &str| {
        let mut request = creation();
        change(&mut request);
        let error = support.create_case(start(), ACCOUNT, &request).unwrap_err();
        assert_eq!(error.code(), "ValidationException");
        assert!(error.to_string().contains(field), "{error}");
    };
    refused(|request| request.subject = None, "subject");
    refused(|request| request.communication_body = Some(String::new()), "communicationBody");
    refused(|request| request.communication_body = Some("ä".repeat(MAXIMUM_BODY_LENGTH + 1)), "communicationBody");
    refused(|request| request.cc_email_addresses = vec!["a@example.com".to_owned(); 11], "ccEmailAddresses");
    refused(|request| request.service_code = Some("no-such-service".to_owned()), "no-such-service");
    refused(|request| request.category_code = Some("no-such-category".to_owned()), "no-such-category");
    refused(|request| request.severity_code = Some("terrible".to_owned()), "terrible");
    refused(|request| request.issue_type = Some("other".to_owned()), "issueType");
    assert!(support.cases().is_empty() && support.take_events().is_empty());

    let mut request = creation();
    request.communication_body = Some("ä".repeat(MAXIMUM_BODY_LENGTH));
    assert!(support.create_case(start(), ACCOUNT, &request).is_ok());
}

#[test]
fn pages_follow_tokens_and_end() {
    let mut support = support();
    let ids: Vec<String> = (0..25).map(|_| support.create_case(start(), ACCOUNT, &creation()).unwrap()).collect();
    support.create_case(start(), OTHER_ACCOUNT, &creation()).unwrap();

    let mut request = DescribeCases::default();
    let mut seen = Vec::new();
    loop {
        let page = support.describe_cases(start(), ACCOUNT, &request).unwrap();
        seen.extend(page.cases.into_iter().map(|case| case.case_id));
        // A case that is created between two pages shifts nothing.
        support.create_case(start(), ACCOUNT, &creation()).unwrap();
        let Some(token) = page.next_token else { break };
        request.next_token = Some(token);
    }
    seen.reverse();
    assert_eq!(seen, ids);

    for wrong in [9, 101, -1] {
        let request = DescribeCases { max_results: Some(wrong), ..DescribeCases::default() };
        assert_eq!(support.describe_cases(start(), ACCOUNT, &request).unwrap_err().code(), "ValidationException");
    }
    let request = DescribeCases { next_token: Some("guessed".to_owned()), ..DescribeCases::default() };
    assert_eq!(support.describe_cases(start(), ACCOUNT, &request).unwrap_err().code(), "ValidationException");
}

#[test]
fn the_five_newest_communications_lead_to_the_others() {
    let mut support = support();
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    for number in 1..=7 {
        support.add_communication_to_case(start(), ACCOUNT, &message(&case_id, &format!("message {number}"))).unwrap();
    }
    let page = support.describe_cases(start(), ACCOUNT, &by_ids(&[&case_id])).unwrap();
    let recent = page.cases[0].recent_communications.clone().unwrap();
    let bodies: Vec<&str> = recent.communications.iter().map(|communication| communication.body.as_str()).collect();
    assert_eq!(bodies, ["message 7", "message 6", "message 5", "message 4", "message 3"]);
    let times: Vec<_> = recent.communications.iter().map(|communication| communication.time_created).collect();
    assert!(times.windows(2).all(|pair| pair[0] > pair[1]));

    let request = DescribeCommunications {
        case_id: Some(case_id.clone()),
        next_token: recent.next_token,
        ..DescribeCommunications::default()
    };
    let rest = support.describe_communications(start(), ACCOUNT, &request).unwrap();
    assert_eq!(rest.communications.len(), 3);
    assert_eq!(rest.communications[0].body, "message 2");
    assert!(rest.next_token.is_none());

    let without = DescribeCases { include_communications: Some(false), ..by_ids(&[&case_id]) };
    let page = support.describe_cases(start(), ACCOUNT, &without).unwrap();
    assert!(page.cases[0].recent_communications.is_none());
}

#[test]
fn one_unknown_id_fails_the_whole_call() {
    let mut support = support();
    let mine = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    let theirs = support.create_case(start(), OTHER_ACCOUNT, &creation()).unwrap();
    for unknown in ["case-111122223333-muen-2026-0000000000000000", theirs.as_str()] {
        let error = support.describe_cases(start(), ACCOUNT, &by_ids(&[&mine, unknown])).unwrap_err();
        assert_eq!(error, SupportError::CaseIdNotFound(unknown.to_owned()));
        let error = support.add_communication_to_case(start(), ACCOUNT, &message(unknown, "text")).unwrap_err();
        assert_eq!(error.code(), "CaseIdNotFound");
    }
    let too_many = DescribeCases { case_id_list: vec![mine; 101], ..DescribeCases::default() };
    assert_eq!(support.describe_cases(start(), ACCOUNT, &too_many).unwrap_err().code(), "ValidationException");
}

#[test]
fn resolved_cases_are_left_out_by_default() {
    let mut support = support();
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    let first = support.resolve_case(start(), ACCOUNT, &resolution(&case_id)).unwrap();
    assert_eq!((first.initial_case_status.as_str(), first.final_case_status.as_str()), ("unassigned", "resolved"));
    let second = support.resolve_case(start(), ACCOUNT, &resolution(&case_id)).unwrap();
    assert_eq!(second.initial_case_status, "resolved");
    assert_eq!(names(&mut support), [EventName::CreateCase, EventName::ResolveCase]);

    let open = DescribeCases { include_resolved_cases: false, ..by_ids(&[&case_id]) };
    assert!(support.describe_cases(start(), ACCOUNT, &open).unwrap().cases.is_empty());
    assert_eq!(support.describe_cases(start(), ACCOUNT, &by_ids(&[&case_id])).unwrap().cases.len(), 1);
}

#[test]
fn correspondence_reopens_a_case_for_fourteen_days() {
    let mut support = support();
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    support.resolve_case(start(), ACCOUNT, &resolution(&case_id)).unwrap();
    let last_moment = start() + REOPEN_WINDOW;
    support.add_communication_to_case(last_moment, ACCOUNT, &message(&case_id, "again")).unwrap();
    assert_eq!(support.case(&case_id).unwrap().status(), "reopened");
    let expected =
        [EventName::CreateCase, EventName::ResolveCase, EventName::AddCommunicationToCase, EventName::ReopenCase];
    assert_eq!(names(&mut support), expected);

    support.resolve_case(last_moment, ACCOUNT, &resolution(&case_id)).unwrap();
    let too_late = last_moment + REOPEN_WINDOW + SignedDuration::from_secs(1);
    let error = support.add_communication_to_case(too_late, ACCOUNT, &message(&case_id, "later")).unwrap_err();
    assert_eq!(error.code(), "ValidationException");
    assert!(support.case(&case_id).unwrap().is_resolved());
}

#[test]
fn the_status_follows_the_customer_who_was_waited_for() {
    let mut support = support();
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    support.communicate(start(), &case_id, "Which instance?", None).unwrap();
    support.set_status(start(), &case_id, "pending-customer-action").unwrap();
    support.add_communication_to_case(start(), ACCOUNT, &message(&case_id, "i-1")).unwrap();
    assert_eq!(support.case(&case_id).unwrap().status(), "customer-action-completed");
    support.set_status(start(), &case_id, "pending-amazon-action").unwrap();
    support.add_communication_to_case(start(), ACCOUNT, &message(&case_id, "and i-2")).unwrap();
    assert_eq!(support.case(&case_id).unwrap().status(), "pending-amazon-action");
}

#[test]
fn people_write_on_either_side() {
    let mut support = support();
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    let display_id = support.case(&case_id).unwrap().display_id.clone();
    support.take_events();
    support.communicate(start(), &display_id, "We look into it.", None).unwrap();
    support.communicate(start(), &case_id, "Thanks.", Some("janedoe@example.com")).unwrap();
    let events = support.take_events();
    let origins: Vec<Origin> = events.iter().map(|event| event.communication.as_ref().unwrap().1).collect();
    assert_eq!(origins, [Origin::Aws, Origin::Customer]);
    let detail = &events[0].to_json()["detail"];
    assert_eq!(detail["case-id"], case_id);
    assert_eq!(detail["display-id"], display_id);
    assert_eq!(detail["origin"], "AWS");
    assert_eq!(events[0].to_json()["time"], "2026-11-20T21:14:05Z");
    assert_eq!(support.case(&case_id).unwrap().communications[1].submitted_by, SUBMITTED_BY_AWS);

    support.set_status(start(), &case_id, "resolved").unwrap();
    support.set_status(start(), &case_id, "reopened").unwrap();
    assert_eq!(names(&mut support), [EventName::ResolveCase, EventName::ReopenCase]);
    assert!(matches!(support.communicate(start(), "nowhere", "text", None), Err(PeopleError::NoSuchCase(_))));
}

#[test]
fn quotas_are_kept_per_account_and_window() {
    let mut support = with_quotas(Quotas { cases_per_hour: Some(2), ..Quotas::default() });
    let services = DescribeServices::default();
    for _ in 0..5 {
        support.describe_services(start(), ACCOUNT, &services).unwrap();
    }
    assert_eq!(support.describe_services(start(), ACCOUNT, &services).unwrap_err(), SupportError::Throttling);
    assert!(support.describe_services(start(), OTHER_ACCOUNT, &services).is_ok());
    assert!(support.describe_services(after(1), ACCOUNT, &services).is_ok());

    support.create_case(after(2), ACCOUNT, &creation()).unwrap();
    support.create_case(after(3), ACCOUNT, &creation()).unwrap();
    let error = support.create_case(after(4), ACCOUNT, &creation()).unwrap_err();
    assert_eq!(error, SupportError::CaseCreationLimitExceeded);
    assert!(support.create_case(after(4), OTHER_ACCOUNT, &creation()).is_ok());
    assert!(support.create_case(after(3602), ACCOUNT, &creation()).is_ok());
}

#[test]
fn an_account_without_a_plan_is_refused() {
    let mut account = Account::new(ACCOUNT, "AKIAONE", "one@example.com");
    account.has_plan = false;
    let mut support = Support::new(1, Quotas::default(), [account]);
    let error = support.create_case(start(), ACCOUNT, &creation()).unwrap_err();
    assert_eq!(error.code(), "SubscriptionRequiredException");
    let error = support.create_case(start(), OTHER_ACCOUNT, &creation()).unwrap_err();
    assert_eq!(error.code(), "UnrecognizedClientException");
}

#[test]
fn a_dry_run_checks_everything_and_changes_nothing() {
    let mut support = support();
    let request = CreateCase { dry_run: true, ..creation() };
    assert_eq!(support.create_case(start(), ACCOUNT, &request).unwrap_err(), SupportError::DryRunOperation);
    let invalid = CreateCase { dry_run: true, subject: None, ..creation() };
    assert_eq!(support.create_case(start(), ACCOUNT, &invalid).unwrap_err().code(), "ValidationException");
    assert!(support.cases().is_empty());
}

#[test]
fn the_time_filters_exclude_their_ends() {
    let mut support = support();
    support.create_case(start(), ACCOUNT, &creation()).unwrap();
    let second = support.create_case(after(10), ACCOUNT, &creation()).unwrap();
    let request = DescribeCases {
        after_time: Some("2026-11-20T21:14:05.000Z".to_owned()),
        before_time: Some("2026-11-21".to_owned()),
        ..DescribeCases::default()
    };
    let page = support.describe_cases(after(20), ACCOUNT, &request).unwrap();
    assert_eq!(page.cases.iter().map(|case| case.case_id.as_str()).collect::<Vec<_>>(), [second.as_str()]);
    let wrong = DescribeCases { after_time: Some("yesterday".to_owned()), ..DescribeCases::default() };
    assert!(support.describe_cases(after(20), ACCOUNT, &wrong).unwrap_err().to_string().contains("afterTime"));
}

#[test]
fn reads_lag_behind_writes_when_told_to() {
    let mut support = support();
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    support.observe_with_lag(SignedDuration::from_secs(60));
    let error = support.describe_cases(after(59), ACCOUNT, &by_ids(&[&case_id])).unwrap_err();
    assert_eq!(error.code(), "CaseIdNotFound");
    support.add_communication_to_case(after(30), ACCOUNT, &message(&case_id, "more")).unwrap();
    support.resolve_case(after(30), ACCOUNT, &resolution(&case_id)).unwrap();

    let seen = support.describe_cases(after(60), ACCOUNT, &by_ids(&[&case_id])).unwrap();
    assert_eq!(seen.cases[0].status, "unassigned");
    assert_eq!(seen.cases[0].recent_communications.as_ref().unwrap().communications.len(), 1);
    let seen = support.describe_cases(after(90), ACCOUNT, &by_ids(&[&case_id])).unwrap();
    assert_eq!(seen.cases[0].status, "resolved");
    assert_eq!(seen.cases[0].recent_communications.as_ref().unwrap().communications.len(), 2);
}

#[test]
fn a_late_write_lands_when_it_is_due() {
    let mut support = support();
    support.land_later(after(100), ACCOUNT, Write::CreateCase(creation()));
    assert_eq!(support.next_landing(), Some(after(100)));
    support.settle(after(99));
    assert!(support.cases().is_empty());
    let page = support.describe_cases(after(101), ACCOUNT, &DescribeCases::default()).unwrap();
    assert_eq!(page.cases[0].time_created, after(100));
    assert_eq!(support.next_landing(), None);
}
