//! What incident and account say of how a case is opened: additional contacts, language, issue type, the caller.

use casebridge_core::servicenow::incident::CaseOptions;
use serde_json::{Value, json};

use crate::support::{Fixture, account_in_use, incident_in_scope, text};

const ACCOUNTS: &str = "x_casebridge_aws_account";
const OPTIONS: [&str; 3] = ["additional_contacts", "language", "issue_type"];

fn typed(contacts: &str, language: &str, issue_type: &str) -> CaseOptions {
    CaseOptions {
        additional_contacts: contacts.to_owned(),
        language: language.to_owned(),
        issue_type: issue_type.to_owned(),
    }
}

/// Returns the values of the columns with this prefix.
fn columns(prefix: &str, options: &CaseOptions) -> Value {
    let options = serde_json::to_value(options).expect("options are JSON");
    OPTIONS.map(|name| (format!("{prefix}{name}"), options[name].clone())).into_iter().collect()
}

fn account_row(fixture: &Fixture) -> String {
    fixture.instance.records(ACCOUNTS, "")[0]["sys_id"].clone()
}

#[test]
fn a_snapshot_shows_what_incident_and_account_say_as_it_was_typed() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let shown = fixture.snapshot(&incident);
    assert_eq!((shown.options, shown.account.unwrap().options), (CaseOptions::default(), CaseOptions::default()));
    // Over REST an instance drops a value that is no choice of a column. These columns take any.
    let of_incident = typed("jane@example.com;\nthe team", "klingon", "Billing");
    let changed = fixture.update("agent", "incident", &incident, &columns("x_casebridge_aws_", &of_incident));
    assert_eq!(changed.status, 200, "{}", text(&changed));
    let of_account = typed("duty@example.com", "ja", "customer-service");
    let account = account_row(&fixture);
    let changed = fixture.update("keeper", ACCOUNTS, &account, &columns("", &of_account));
    assert_eq!(changed.status, 200, "{}", text(&changed));
    let shown = fixture.snapshot(&incident);
    assert_eq!((shown.options, shown.account.unwrap().options), (of_incident, of_account));
}

#[test]
fn an_account_whose_defaults_aws_would_not_take_is_not_saved() {
    let mut fixture = Fixture::with_app();
    account_in_use(&mut fixture);
    let account = account_row(&fixture);
    let eleven: Vec<String> = (1..=11).map(|number| format!("agent{number}@example.com")).collect();
    let too_long = format!("{}@example.com", "x".repeat(243));
    for (column, value, words) in [
        ("language", "jp", "Case language: AWS Support has the languages en, zh"),
        ("issue_type", "billing", "Issue type: AWS Support has the types technical and customer-service."),
        ("additional_contacts", "jane@example.com, Nobody", "Additional contacts: Nobody is no e-mail address."),
        ("additional_contacts", "jane@host", "jane@host is no e-mail address"),
        ("additional_contacts", "Jane <jane@example.com>", "is no e-mail address"),
        ("additional_contacts", "jane@example..com", "is no e-mail address"),
        ("additional_contacts", "jane@a@example.com", "is no e-mail address"),
        ("additional_contacts", &too_long, "is no e-mail address"),
        ("additional_contacts", &eleven.join(";"), "AWS Support takes at most 10 addresses."),
    ] {
        let refused = fixture.update("keeper", ACCOUNTS, &account, &json!({column: value}));
        assert_eq!(refused.status, 403, "{value}");
        assert!(text(&refused).contains(words), "{value}: {}", text(&refused));
        assert!(!fixture.instance.record(ACCOUNTS, &account).expect("it is there").contains_key(column), "{value}");
    }
    let twice = format!("{}\r\nAGENT1@example.com ,", eleven[..10].join("\n"));
    let longest = format!("{}@example.com", "x".repeat(242));
    for (column, value) in [
        ("language", " JA "),
        ("language", ""),
        ("issue_type", "Customer-Service"),
        ("additional_contacts", twice.as_str()),
        ("additional_contacts", longest.as_str()),
        ("additional_contacts", "O'Hara+aws@mail.example.co.uk"),
        ("additional_contacts", " \n"),
    ] {
        let saved = fixture.update("keeper", ACCOUNTS, &account, &json!({column: value}));
        assert_eq!(saved.status, 200, "{value}: {}", text(&saved));
    }
}

#[test]
fn the_callers_address_leaves_the_instance_only_if_the_account_asks_for_it() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let caller = fixture.create("admin", "sys_user", &json!({"user_name": "caller", "email": "caller@example.com"}));
    fixture.put("incident", &incident, &[("caller_id", &caller)]);
    assert_eq!(fixture.snapshot(&incident).caller_email, "");
    let account = account_row(&fixture);
    fixture.update("keeper", ACCOUNTS, &account, &json!({"copy_caller": "true"}));
    assert_eq!(fixture.snapshot(&incident).caller_email, "caller@example.com");
    for nobody in ["", "0123456789abcdef0123456789abcdef", "javascript:gs.getUserID()"] {
        fixture.put("incident", &incident, &[("caller_id", nobody)]);
        assert_eq!(fixture.snapshot(&incident).caller_email, "", "{nobody}");
    }
    fixture.put("incident", &incident, &[("caller_id", &caller)]);
    fixture.put("sys_user", &caller, &[("email", "")]);
    assert_eq!(fixture.snapshot(&incident).caller_email, "");
    fixture.put("sys_user", &caller, &[("email", "caller@example.com")]);
    fixture.put(ACCOUNTS, &account, &[("active", "false")]);
    assert_eq!(fixture.snapshot(&incident).caller_email, "", "the group has no active account");
}

#[test]
fn agents_and_users_of_casebridge_fill_the_columns_in_and_nobody_else() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let options = typed("jane@example.com", "ja", "technical");
    for (user, may) in [("clerk", false), ("clerk.of.casebridge", true), ("agent", true)] {
        let made = fixture.create(user, "incident", &columns("x_casebridge_aws_", &options));
        fixture.update(user, "incident", &incident, &columns("x_casebridge_aws_", &options));
        for record in [&made, &incident] {
            let row = fixture.instance.record("incident", record).expect("it is there");
            for name in OPTIONS {
                assert_eq!(row.contains_key(&format!("x_casebridge_aws_{name}")), may, "{user} {name}");
            }
        }
        fixture.update("agent", "incident", &incident, &columns("x_casebridge_aws_", &CaseOptions::default()));
        for name in OPTIONS {
            let column = format!("x_casebridge_aws_{name}");
            let mut row = fixture.instance.record("incident", &incident).expect("it is there").clone();
            assert_eq!(row.remove(&column).unwrap_or_default(), "", "{user} {name}");
        }
    }
}

/// The case keeps what it was opened with: a change reaches AWS as a hint, and asks for nothing.
#[test]
fn a_change_is_announced_as_any_other() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.run_jobs();
    fixture.sent();
    let options = typed("jane@example.com", "ja", "technical");
    fixture.update("agent", "incident", &incident, &columns("x_casebridge_aws_", &options));
    fixture.run_jobs();
    assert_eq!(fixture.sent().len(), 1);
}
