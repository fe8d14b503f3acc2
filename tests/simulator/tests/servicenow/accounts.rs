//! The set-up of an account: its group and its user.

use casebridge_simulator::servicenow::store::Row;
use serde_json::{Value, json};

use crate::support::{Fixture, text};

const ACCOUNTS: &str = "x_casebridge_aws_account";
const NUMBER: &str = "111122223333";

fn shop() -> Value {
    json!({"name": "Shop", "number": NUMBER})
}

fn account(fixture: &Fixture, sys_id: &str) -> Row {
    fixture.instance.record(ACCOUNTS, sys_id).expect("the account was saved").clone()
}

/// Returns how many groups, users and memberships there are.
fn counts(fixture: &Fixture) -> [usize; 3] {
    ["sys_user_group", "sys_user", "sys_user_grmember"].map(|table| fixture.instance.records(table, "").len())
}

#[test]
fn an_account_without_a_group_gets_its_group_and_its_user() {
    let mut fixture = Fixture::with_app();
    let made = fixture.create("keeper", ACCOUNTS, &shop());
    let account = account(&fixture, &made);
    let group = fixture.instance.record("sys_user_group", &account["assignment_group"]).unwrap();
    assert_eq!(group["name"], "AWS-Shop");
    let user = fixture.instance.record("sys_user", &account["aws_user"]).unwrap();
    assert_eq!((user["user_name"].as_str(), user["name"].as_str()), ("aws-111122223333", "AWS Shop"));
    assert_eq!(user["web_service_access_only"], "true");
    assert_eq!(user.get("user_password"), None, "nobody can log in as it");
    assert!(fixture.instance.records("sys_user_has_role", &format!("user={}", user["sys_id"])).is_empty());
    let query = format!("user={}^group={}", user["sys_id"], group["sys_id"]);
    assert_eq!(fixture.instance.records("sys_user_grmember", &query).len(), 1);
}

#[test]
fn saving_it_again_changes_nothing_and_what_exists_is_found_by_its_name() {
    let mut fixture = Fixture::with_app();
    let group = fixture.create("admin", "sys_user_group", &json!({"name": "AWS-Shop"}));
    let user = fixture.create("admin", "sys_user", &json!({"user_name": "aws-111122223333", "last_name": "Known"}));
    let [groups, users, memberships] = counts(&fixture);
    let made = fixture.create("keeper", ACCOUNTS, &shop());
    let saved = account(&fixture, &made);
    assert_eq!((&saved["assignment_group"], &saved["aws_user"]), (&group, &user));
    assert_eq!(counts(&fixture), [groups, users, memberships + 1]);
    assert_eq!(fixture.update("keeper", ACCOUNTS, &made, &shop()).status, 200);
    assert_eq!(account(&fixture, &made), saved, "no update is counted");
    assert_eq!(fixture.update("keeper", ACCOUNTS, &made, &json!({"name": "Renamed"})).status, 200);
    let renamed = account(&fixture, &made);
    assert_eq!((&renamed["assignment_group"], &renamed["aws_user"]), (&group, &user), "it keeps what it has");
    assert_eq!(counts(&fixture), [groups, users, memberships + 1]);
}

#[test]
fn a_chosen_group_is_left_alone_and_the_box_decides() {
    let mut fixture = Fixture::with_app();
    let group = fixture.create("admin", "sys_user_group", &json!({"name": "Cloud desk"}));
    let before = counts(&fixture);
    let mut values = shop();
    values["assignment_group"] = json!(group);
    let made = fixture.create("keeper", ACCOUNTS, &values);
    assert_eq!(account(&fixture, &made).get("aws_user"), None);
    let without = json!({"name": "Other", "number": "444455556666", "configure_group": "false"});
    let refused = fixture.call("keeper", "POST", &format!("/api/now/table/{ACCOUNTS}"), Some(&without));
    assert_eq!(refused.status, 403);
    assert!(text(&refused).contains("Assignment group: choose one"), "{}", text(&refused));
    assert_eq!(counts(&fixture), before);
}

#[test]
fn a_group_of_another_active_account_is_refused_and_leaves_nothing_behind() {
    let mut fixture = Fixture::with_app();
    fixture.create("keeper", ACCOUNTS, &shop());
    let before = counts(&fixture);
    for (values, words) in [
        (json!({"name": "Shop", "number": "444455556666"}), "already belongs to the active account 111122223333"),
        (json!({"name": "Other", "number": "44445555666"}), "an AWS account number has 12 digits"),
        (json!({"name": "Other", "number": NUMBER}), "Error during insert"),
    ] {
        let refused = fixture.call("keeper", "POST", &format!("/api/now/table/{ACCOUNTS}"), Some(&values));
        assert_eq!(refused.status, 403, "{values}");
        assert!(text(&refused).contains(words), "{values}: {}", text(&refused));
        assert_eq!(counts(&fixture), before, "{values}");
    }
    let inactive = json!({"name": "Shop", "number": "444455556666", "active": "false"});
    fixture.create("keeper", ACCOUNTS, &inactive);
}

#[test]
fn what_the_instance_refuses_is_told_and_the_account_is_saved_without_it() {
    for (table, what) in [
        ("sys_user_group", "the group AWS-Shop"),
        ("sys_user", "the user aws-111122223333"),
        ("sys_user_grmember", "the membership of the AWS user"),
    ] {
        let mut fixture = Fixture::with_app();
        let before = counts(&fixture);
        let source = format!(
            "var insert = GlideRecord.prototype.insert;
            GlideRecord.prototype.insert = function () {{
                if (String(this.getTableName()) === '{table}') {{ throw 'no privilege.'; }}
                return insert.call(this);
            }};
            var account = new GlideRecord('{ACCOUNTS}');
            account.newRecord();
            account.setValue('name', 'Shop');
            account.setValue('number', '{NUMBER}');
            account.insert()"
        );
        let made = fixture.script(&source);
        let saved = account(&fixture, &made);
        let told = &fixture.logged("error")[0];
        assert!(told.contains(&format!("The instance refused {what}: no privilege.")), "{told}");
        assert_eq!(saved.contains_key("assignment_group"), table != "sys_user_group", "{table}");
        assert_eq!(saved.contains_key("aws_user"), table == "sys_user_grmember", "{table}");
        assert_ne!(counts(&fixture)[2], before[2] + 1, "{table}");
        // Once the instance allows it, the next save makes what is missing.
        fixture.update("keeper", ACCOUNTS, &made, &json!({"production": "true"}));
        let saved = account(&fixture, &made);
        assert!(saved.contains_key("assignment_group") && saved.contains_key("aws_user"), "{table}");
        assert_eq!(counts(&fixture)[2], before[2] + 1, "{table}");
    }
}
