//! What real instances do to an integration: clones, renamed users, lost settings, copies, incidents that leave the
//! scope.

use serde_json::{Value, json};

use crate::support::{
    Fixture, INCIDENTS, WEBHOOK_URL, body, deliver, incident_in_scope, message, of_support_case, text,
};

/// Returns the status and the message of each of the three resources.
fn answers(fixture: &mut Fixture, user_name: &str, incident: &str) -> Vec<(u16, String)> {
    let changes = format!("{INCIDENTS}/changes?since=2026-11-20 00:00:00");
    let snapshot = format!("{INCIDENTS}/{incident}/snapshot?kind=support_case");
    let order = of_support_case(&message("one", "from AWS"));
    let responses = [
        fixture.call(user_name, "GET", &changes, None),
        fixture.call(user_name, "GET", &snapshot, None),
        fixture.call(user_name, "POST", &format!("{INCIDENTS}/{incident}/deliver"), Some(&order)),
    ];
    let message = |response| body(&response)["error"]["message"].as_str().unwrap_or_default().to_owned();
    responses.into_iter().map(|response| (response.status, message(response))).collect()
}

fn changed(fixture: &mut Fixture) -> Vec<String> {
    let target = format!("{INCIDENTS}/changes?since=2026-11-20 00:00:00");
    let listed = body(&fixture.call("casebridge", "GET", &target, None));
    let listed = listed["result"]["incidents"].as_array().expect("a list").clone();
    listed.iter().map(|change| change["sys_id"].as_str().expect("a sys_id").to_owned()).collect()
}

fn leave_scope(fixture: &mut Fixture, incident: &str) {
    assert_eq!(fixture.update("agent", "incident", incident, &json!({"assignment_group": ""})).status, 200);
}

/// Returns a fixture with a clone of the instance that no administrator has adopted, and an incident.
fn cloned() -> (Fixture, String) {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.network.status.replace(Some(503));
    fixture.run_jobs();
    fixture.sent();
    fixture.network.status.replace(None);
    fixture.instance = fixture.instance.cloned_over("casebridgetest");
    (fixture, incident)
}

#[test]
fn a_clone_is_silent() {
    let (mut fixture, incident) = cloned();
    assert_eq!(fixture.update("agent", "incident", &incident, &json!({"comments": "on the clone"})).status, 200);
    for _ in 0..5 {
        fixture.run_jobs();
        fixture.pass(3_600);
    }
    assert!(fixture.sent().is_empty(), "neither its own saves nor the source's waiting webhooks leave");
    let rows = fixture.instance.records("x_casebridge_aws_outbox", "");
    assert_eq!(rows.len(), 1, "however often it is saved, one entry waits");
    assert!(
        rows[0]["last_error"].starts_with("This instance has not been adopted. This is the instance casebridgetest")
    );
    for (status, message) in answers(&mut fixture, "casebridge", &incident) {
        assert_eq!((status, message.as_str()), (503, "This instance has not been adopted"));
    }
    assert!(!fixture.comments(&incident).contains(&"from AWS".to_owned()));
}

#[test]
fn an_adopted_clone_works_and_sends_what_has_waited() {
    let (mut fixture, incident) = cloned();
    fixture.pass(3_600);
    fixture.run_jobs();
    for user in ["agent", "keeper", "nobody"] {
        let pressed = fixture.instance.press(fixture.now, user, "Adopt this instance", &fixture.network).unwrap();
        assert!(!pressed, "{user}: settings are the administrator's");
    }
    assert!(fixture.instance.press(fixture.now, "admin", "Adopt this instance", &fixture.network).unwrap());
    assert_eq!(fixture.settings()["home_instance"], "casebridgetest");
    let told = fixture.logged("info");
    assert!(told.iter().any(|words| words.starts_with("casebridge belongs on this instance from now on")), "{told:?}");
    assert!(
        !fixture.instance.press(fixture.now, "admin", "Adopt this instance", &fixture.network).unwrap(),
        "it is gone"
    );
    fixture.pass(60);
    fixture.run_jobs();
    assert_eq!(fixture.sent().len(), 1);
    for (status, message) in answers(&mut fixture, "casebridge", &incident) {
        assert_eq!(status, 200, "{message}");
    }
}

#[test]
fn the_clean_up_of_a_clone_takes_what_is_the_sources_and_leaves_what_was_preserved() {
    let (mut fixture, _) = cloned();
    fixture.instance.clean_up_clone(fixture.now, &fixture.network).unwrap();
    let settings = fixture.settings();
    for name in ["webhook_url", "webhook_secret", "allowed_hosts", "integration_user", "home_instance"] {
        assert_eq!(settings.get(name), None, "{name}");
    }
    assert!(fixture.instance.records("x_casebridge_aws_outbox", "").is_empty());
    let (mut fixture, _) = cloned();
    fixture.set("home_instance", "casebridgetest");
    let preserved = fixture.settings();
    fixture.instance.clean_up_clone(fixture.now, &fixture.network).unwrap();
    assert_eq!(fixture.settings(), preserved);
    assert_eq!(preserved["webhook_url"], WEBHOOK_URL);
    assert!(fixture.instance.records("x_casebridge_aws_outbox", "").is_empty());
}

#[test]
fn an_instance_that_nobody_has_adopted_is_silent_too() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.set("home_instance", "");
    fixture.instance.set_property("instance_name", "");
    fixture.run_jobs();
    assert!(fixture.sent().is_empty());
    assert!(answers(&mut fixture, "casebridge", &incident).iter().all(|(status, _)| *status == 503));
}

#[test]
fn without_its_integration_user_the_app_tells_nothing() {
    for lost in ["", "casebridge", "0123456789abcdef0123456789abcdef"] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        let kept = fixture.settings()["integration_user"].clone();
        fixture.set("integration_user", lost);
        fixture.run_jobs();
        assert!(fixture.sent().is_empty(), "{lost}");
        let row = fixture.instance.records("x_casebridge_aws_outbox", "").remove(0);
        assert!(row["last_error"].starts_with("The integration user is not known. "), "{row:?}");
        assert_eq!((row["state"].as_str(), row["attempts"].as_str()), ("error", "0"));
        for (status, message) in answers(&mut fixture, "casebridge", &incident) {
            assert_eq!((status, message.as_str()), (503, "The integration user is not known"), "{lost}");
        }
        fixture.set("integration_user", &kept);
        fixture.pass(60);
        fixture.run_jobs();
        assert_eq!(fixture.sent().len(), 1, "what has waited leaves");
    }
}

#[test]
fn only_the_integration_user_reads_and_delivers() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let missing = "0123456789abcdef0123456789abcdef";
    for asked in [incident.as_str(), missing] {
        for (status, message) in answers(&mut fixture, "second", asked) {
            assert_eq!((status, message.as_str()), (403, "Not the integration user"), "{asked}");
        }
    }
    assert!(fixture.instance.records("x_casebridge_aws_announcement", "").is_empty(), "nothing was shown");
    assert!(!fixture.comments(&incident).contains(&"from AWS".to_owned()));
    let second = fixture.instance.records("sys_user", "user_name=second")[0]["sys_id"].clone();
    fixture.set("integration_user", &second);
    assert!(answers(&mut fixture, "second", &incident).iter().all(|(status, _)| *status == 200));
    assert!(answers(&mut fixture, "casebridge", &incident).iter().all(|(status, _)| *status == 403));
    // An administrator may read but not deliver.
    let statuses: Vec<u16> = answers(&mut fixture, "admin", &incident).iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 403).count(), 1, "{statuses:?}");
    // Every caller learns which setting an administrator has to set.
    fixture.set("integration_user", "");
    for user in ["casebridge", "second"] {
        for (status, message) in answers(&mut fixture, user, &incident) {
            assert_eq!((status, message.as_str()), (503, "The integration user is not known"), "{user}");
        }
    }
}

#[test]
fn renaming_the_integration_user_changes_nothing() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    deliver(&mut fixture, &incident, &message("one", "from AWS"));
    fixture.run_jobs();
    fixture.sent();
    fixture.instance.rename_user("casebridge", "bridge");
    // The password of a test user contains the user name.
    let user = fixture.instance.records("sys_user", "user_name=bridge")[0]["sys_id"].clone();
    fixture.update("admin", "sys_user", &user, &json!({"user_password": "password of bridge"}));
    fixture.pass(100);
    let target = format!("{INCIDENTS}/{incident}/deliver");
    let again = fixture.call("bridge", "POST", &target, Some(&of_support_case(&message("one", "from AWS"))));
    assert_eq!(body(&again)["result"]["messages"][0]["outcome"], "already_applied", "{}", text(&again));
    let order = of_support_case(&message("two", "more from AWS"));
    let second = body(&fixture.call("bridge", "POST", &target, Some(&order)));
    let entries = second["result"]["snapshot"]["entries"].as_array().unwrap();
    let ours = |words: &str| entries.iter().find(|entry| entry["text"] == words).map(|entry| entry["ours"].clone());
    assert_eq!((ours("from AWS"), ours("more from AWS")), (Some(json!(true)), Some(json!(true))));
    fixture.run_jobs();
    assert!(fixture.sent().is_empty(), "its writing is no news under any name");
}

#[test]
fn a_claim_of_before_the_renaming_finds_its_comment() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.snapshot(&incident);
    // Claim, incident, journal entry; then the instance dies.
    fixture.instance.stop_after_commits(3);
    deliver(&mut fixture, &incident, &message("one", "from AWS"));
    fixture.instance.rename_user("casebridge", "bridge");
    let user = fixture.instance.records("sys_user", "user_name=bridge")[0]["sys_id"].clone();
    fixture.update("admin", "sys_user", &user, &json!({"user_password": "password of bridge"}));
    let target = format!("{INCIDENTS}/{incident}/snapshot?kind=support_case");
    let shown = body(&fixture.call("bridge", "GET", &target, None));
    let entry =
        shown["result"]["entries"].as_array().unwrap().iter().find(|entry| entry["text"] == "from AWS").unwrap();
    assert_eq!((&entry["ours"], &entry["undecided"]), (&json!(false), &json!(true)), "a row that is not finished");
    fixture.pass(100);
    let again = body(&fixture.call(
        "bridge",
        "POST",
        &format!("{INCIDENTS}/{incident}/deliver"),
        Some(&of_support_case(&message("one", "from AWS"))),
    ));
    assert_eq!(again["result"]["messages"][0]["outcome"], "already_applied");
    assert_eq!(fixture.comments(&incident).iter().filter(|words| *words == "from AWS").count(), 1);
    let ours = &again["result"]["snapshot"]["entries"];
    assert!(ours.as_array().unwrap().iter().any(|entry| entry["ours"] == json!(true)), "{ours}");
}

#[test]
fn what_the_integration_user_writes_without_a_delivery_is_undecided() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.script(&format!(
        "var incident = new GlideRecord('incident'); incident.get('{incident}');
        incident.comments = 'by hand';
        incident.update()"
    ));
    let whose = |fixture: &mut Fixture, user_name: &str| {
        let shown =
            body(&fixture.call(user_name, "GET", &format!("{INCIDENTS}/{incident}/snapshot?kind=support_case"), None));
        let entries = shown["result"]["entries"].as_array().unwrap().clone();
        let entry = entries.into_iter().find(|entry| entry["text"] == "by hand").unwrap();
        (entry["ours"] == json!(true), entry["undecided"] == json!(true))
    };
    assert_eq!(whose(&mut fixture, "casebridge"), (false, true));
    // Another user is the integration user now. The former one still counts while a delivery has its name.
    let second = fixture.instance.records("sys_user", "user_name=second")[0]["sys_id"].clone();
    fixture.set("integration_user", &second);
    assert_eq!(whose(&mut fixture, "second"), (false, false));
    let user = fixture.instance.records("sys_user", "user_name=casebridge")[0]["sys_id"].clone();
    fixture.set("integration_user", &user);
    deliver(&mut fixture, &incident, &message("one", "from AWS"));
    fixture.set("integration_user", &second);
    assert_eq!(whose(&mut fixture, "second"), (false, true));
}

#[test]
fn a_name_that_is_a_script_is_nobodys_and_is_not_run() {
    for name in ["javascript:gs.error('run')", " JavaScript:gs.error('run')"] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        let user = fixture.instance.records("sys_user", "user_name=agent")[0]["sys_id"].clone();
        let done = json!({"state": "6", "close_code": "Solution provided", "close_notes": "Done."});
        assert_eq!(fixture.update("agent", "incident", &incident, &done).status, 200);
        let entry = fixture.instance.records("sys_journal_field", "element=comments")[0]["sys_id"].clone();
        let change = fixture.instance.records("sys_audit", "fieldname=state").remove(0)["sys_id"].clone();
        fixture.put("sys_user", &user, &[("user_name", name)]);
        fixture.put("sys_journal_field", &entry, &[("sys_created_by", name)]);
        fixture.put("sys_audit", &change, &[("user", name)]);
        let shown = fixture.snapshot(&incident);
        let entry = &shown.entries[0];
        assert_eq!((entry.created_by.as_str(), entry.author.as_str()), (name, name));
        assert!(!entry.ours && !entry.undecided);
        assert!(!shown.summary.ended_by_another);
        assert!(fixture.logged("error").is_empty(), "{:?}", fixture.logged("error"));
    }
}

#[test]
fn a_group_or_an_account_that_is_a_script_is_nobodys_and_is_not_run() {
    let script = "javascript:gs.error('run')";
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let account = fixture.instance.records("x_casebridge_aws_account", "")[0]["sys_id"].clone();
    fixture.snapshot(&incident);
    fixture.put("incident", &incident, &[("assignment_group", script), ("x_casebridge_aws_account", script)]);
    fixture.put("x_casebridge_aws_account", &account, &[("assignment_group", script)]);
    let shown =
        body(&fixture.call("casebridge", "GET", &format!("{INCIDENTS}/{incident}/snapshot?kind=support_case"), None));
    assert_eq!(shown["result"]["group_accounts"], json!([]));
    assert_eq!(shown["result"]["linked_account_state"], "missing");
    let renamed = json!({"name": "Renamed"});
    assert_eq!(fixture.update("keeper", "x_casebridge_aws_account", &account, &renamed).status, 200);
    assert!(fixture.logged("error").is_empty(), "{:?}", fixture.logged("error"));
}

#[test]
fn a_group_of_an_account_adds_nothing_to_the_question_for_changes() {
    for group in ["^NQnumberISNOTEMPTY", "x,^NQactive=true", "javascript:gs.error('run')", "0123^ORnumberISNOTEMPTY"] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        let foreign = fixture.create("agent", "incident", &json!({"short_description": "The printer is on fire"}));
        let account = json!({"name": "Second", "number": "222233334444"});
        let account = fixture.create("admin", "x_casebridge_aws_account", &account);
        fixture.put("x_casebridge_aws_account", &account, &[("assignment_group", group)]);
        let listed = changed(&mut fixture);
        assert!(!listed.contains(&foreign), "{group}");
        assert_eq!(listed, std::slice::from_ref(&incident), "{group}");
        assert!(fixture.logged("error").is_empty(), "{:?}", fixture.logged("error"));
    }
}

#[test]
fn a_delivery_of_another_incident_or_as_a_work_note_is_ours_by_its_row_alone() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.update("agent", "incident", &incident, &json!({"comments": "by Alice"}));
    let entry = fixture.instance.records("sys_journal_field", "value=by Alice")[0]["sys_id"].clone();
    let rows = deliver(&mut fixture, &incident, &message("one", "from AWS"));
    assert_eq!(rows.status, 200);
    let mut row = fixture.instance.records("x_casebridge_aws_delivery", "")[0].clone();
    row.insert("journal".to_owned(), entry.clone());
    row.insert("incident".to_owned(), "0123456789abcdef0123456789abcdef".to_owned());
    fixture.instance.restore("x_casebridge_aws_delivery", row);
    let shown = fixture.snapshot(&incident);
    let entry = shown.entries.iter().find(|shown| shown.sys_id.as_str() == entry).unwrap();
    assert!(entry.ours && !entry.undecided, "whoever its author is");
}

#[test]
fn an_incident_that_left_the_scope_is_served_once_aws_has_heard_of_it() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.run_jobs();
    leave_scope(&mut fixture, &incident);
    fixture.run_jobs();
    assert_eq!(fixture.sent().len(), 2, "that it leaves is news");
    assert_eq!(changed(&mut fixture), std::slice::from_ref(&incident));
    for (status, message) in answers(&mut fixture, "casebridge", &incident) {
        assert_eq!(status, 200, "{message}");
    }
}

#[test]
fn what_was_shown_counts_as_announced() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    // No rule has run. AWS has heard of the incident by the list of changes.
    fixture.snapshot(&incident);
    leave_scope(&mut fixture, &incident);
    assert_eq!(deliver(&mut fixture, &incident, &message("one", "the case is open")).status, 200);
    assert_eq!(fixture.instance.records("x_casebridge_aws_announcement", "").len(), 1);
}

#[test]
fn an_incident_that_aws_has_not_heard_of_is_not_served_and_not_missing() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    leave_scope(&mut fixture, &incident);
    fixture.run_jobs();
    assert!(fixture.sent().is_empty());
    assert!(changed(&mut fixture).is_empty());
    let answers = answers(&mut fixture, "casebridge", &incident);
    for (status, message) in &answers[1..] {
        assert_eq!((*status, message.as_str()), (403, "Incident not served"));
    }
    assert!(!fixture.comments(&incident).contains(&"from AWS".to_owned()));
    let missing = format!("{INCIDENTS}/0123456789abcdef0123456789abcdef/snapshot?kind=support_case");
    let missing = fixture.call("casebridge", "GET", &missing, None);
    assert_eq!((missing.status, &body(&missing)["error"]["message"]), (404, &json!("No such incident")));
}

#[test]
fn changes_list_linked_announced_and_scoped_incidents_each_once_in_order() {
    let mut fixture = Fixture::with_app();
    let first = incident_in_scope(&mut fixture);
    fixture.snapshot(&first);
    let row = fixture.instance.record("incident", &first).unwrap().clone();
    let mut all = vec![first];
    for number in 0..5 {
        let mut values: Value = json!({"short_description": number.to_string()});
        for name in ["assignment_group", "x_casebridge_aws_service_code", "x_casebridge_aws_category_code"] {
            values[name] = json!(row[name]);
        }
        fixture.pass(number % 2);
        all.push(fixture.create("agent", "incident", &values));
        let incident = all.last().unwrap().clone();
        if number % 2 == 0 {
            fixture.snapshot(&incident);
            leave_scope(&mut fixture, &incident);
        }
    }
    let mut paged = Vec::new();
    let (mut since, mut after) = ("2026-11-20 00:00:00".to_owned(), String::new());
    while paged.len() < 20 {
        let target = format!("{INCIDENTS}/changes?since={since}&after={after}&limit=2");
        let page = body(&fixture.call("casebridge", "GET", &target, None))["result"].clone();
        let incidents = page["incidents"].as_array().unwrap().clone();
        assert!(incidents.len() <= 2);
        paged.extend(incidents.iter().map(|change| change["sys_id"].as_str().unwrap().to_owned()));
        if page["more"] == json!(false) {
            break;
        }
        let last = incidents.last().unwrap();
        since = last["sys_updated_on"].as_str().unwrap().to_owned();
        after = last["sys_id"].as_str().unwrap().to_owned();
    }
    assert_eq!(paged, changed(&mut fixture));
    all.sort();
    paged.sort();
    assert_eq!(paged, all);
}

#[test]
fn without_any_active_account_nothing_is_in_scope() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let account = fixture.instance.records("x_casebridge_aws_account", "")[0]["sys_id"].clone();
    assert_eq!(fixture.update("admin", "x_casebridge_aws_account", &account, &json!({"active": "false"})).status, 200);
    assert!(changed(&mut fixture).is_empty());
    leave_scope(&mut fixture, &incident);
    assert!(changed(&mut fixture).is_empty(), "no group is not the group of no account");
}

#[test]
fn a_page_of_changes_has_a_hundred_unless_told_and_at_most_two_hundred() {
    let mut fixture = Fixture::with_app();
    let first = incident_in_scope(&mut fixture);
    let mut row = fixture.instance.record("incident", &first).unwrap().clone();
    for number in 0..200 {
        row.insert("sys_id".to_owned(), format!("{number:032x}"));
        fixture.instance.restore("incident", row.clone());
    }
    for (limit, status, length) in [("", 200, 100), ("&limit=200", 200, 200), ("&limit=201", 400, 0)] {
        let target = format!("{INCIDENTS}/changes?since=2026-11-20 00:00:00{limit}");
        let response = fixture.call("casebridge", "GET", &target, None);
        assert_eq!(response.status, status, "{limit}");
        let listed = body(&response)["result"]["incidents"].as_array().map_or(0, Vec::len);
        assert_eq!(listed, length, "{limit}");
    }
}

#[test]
fn an_ordinary_day_leaves_no_error_in_the_log() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.run_jobs();
    for number in 0..2 {
        deliver(&mut fixture, &incident, &message("one", "from AWS"));
        assert_eq!(
            fixture.update("agent", "incident", &incident, &json!({"comments": number.to_string()})).status,
            200
        );
        fixture.run_jobs();
        fixture.pass(60);
    }
    let errors: Vec<_> = fixture.instance.log().filter(|line| line.level != "info").collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn a_copy_of_a_linked_incident_is_listed() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let columns = json!({"columns": {"case_id": "case-111122223333-muen-2026-1", "account": "111122223333"}});
    assert_eq!(deliver(&mut fixture, &incident, &columns).status, 200);
    leave_scope(&mut fixture, &incident);
    fixture.run_jobs();
    fixture.sent();
    let copy = fixture.instance.copy(fixture.now, "agent", "incident", &incident, &fixture.network).unwrap();
    let row = fixture.instance.record("incident", &copy).unwrap();
    assert_eq!(row["x_casebridge_aws_case_id"], "case-111122223333-muen-2026-1");
    assert_ne!(row["number"], fixture.instance.record("incident", &incident).unwrap()["number"]);
    assert!(fixture.snapshot(&copy).entries.is_empty(), "its comments stay behind");
    assert!(changed(&mut fixture).contains(&copy));
    fixture.run_jobs();
    assert_eq!(fixture.sent().len(), 1, "the copy is announced");
}
