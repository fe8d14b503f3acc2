//! What happens to an integration on real instances: clones, renamed users, lost settings, copies, incidents that leave the
//! scope.

use serde_json::{Value, json};

use crate::support::{INCIDENTS, WEBHOOK_URL, World, body, deliver, incident_in_scope, message, of_support_case, text};

/// The answers of the three resources: status and message.
fn answers(world: &mut World, user_name: &str, incident: &str) -> Vec<(u16, String)> {
    let changes = format!("{INCIDENTS}/changes?since=2026-11-20 00:00:00");
    let snapshot = format!("{INCIDENTS}/{incident}/snapshot?kind=support_case");
    let order = of_support_case(&message("one", "from AWS"));
    let responses = [
        world.call(user_name, "GET", &changes, None),
        world.call(user_name, "GET", &snapshot, None),
        world.call(user_name, "POST", &format!("{INCIDENTS}/{incident}/deliver"), Some(&order)),
    ];
    let message = |response| body(&response)["error"]["message"].as_str().unwrap_or_default().to_owned();
    responses.into_iter().map(|response| (response.status, message(response))).collect()
}

fn changed(world: &mut World) -> Vec<String> {
    let target = format!("{INCIDENTS}/changes?since=2026-11-20 00:00:00");
    let listed = body(&world.call("casebridge", "GET", &target, None));
    let listed = listed["result"]["incidents"].as_array().expect("a list").clone();
    listed.iter().map(|change| change["sys_id"].as_str().expect("a sys_id").to_owned()).collect()
}

fn leave_scope(world: &mut World, incident: &str) {
    assert_eq!(world.update("agent", "incident", incident, &json!({"assignment_group": ""})).status, 200);
}

/// A world with a clone of the instance that nobody has adopted.
fn cloned() -> (World, String) {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    world.network.status.replace(Some(503));
    world.run_jobs();
    world.sent();
    world.network.status.replace(None);
    world.instance = world.instance.cloned_over("casebridgetest");
    (world, incident)
}

#[test]
fn a_clone_is_silent() {
    let (mut world, incident) = cloned();
    assert_eq!(world.update("agent", "incident", &incident, &json!({"comments": "on the clone"})).status, 200);
    for _ in 0..5 {
        world.run_jobs();
        world.pass(3_600);
    }
    assert!(world.sent().is_empty(), "neither its own saves nor the source's waiting webhooks leave");
    let rows = world.instance.records("x_casebridge_aws_outbox", "");
    assert_eq!(rows.len(), 1, "however often it is saved, one entry waits");
    assert!(
        rows[0]["last_error"].starts_with("This instance has not been adopted. This is the instance casebridgetest")
    );
    for (status, message) in answers(&mut world, "casebridge", &incident) {
        assert_eq!((status, message.as_str()), (503, "This instance has not been adopted"));
    }
    assert!(!world.comments(&incident).contains(&"from AWS".to_owned()));
}

#[test]
fn an_adopted_clone_works_and_sends_what_has_waited() {
    let (mut world, incident) = cloned();
    world.pass(3_600);
    world.run_jobs();
    for user in ["agent", "keeper", "nobody"] {
        let pressed = world.instance.press(world.now, user, "Adopt this instance", &world.network).unwrap();
        assert!(!pressed, "{user}: settings are the administrator's");
    }
    assert!(world.instance.press(world.now, "admin", "Adopt this instance", &world.network).unwrap());
    assert_eq!(world.settings()["home_instance"], "casebridgetest");
    let told = world.logged("info");
    assert!(told.iter().any(|words| words.starts_with("casebridge belongs on this instance from now on")), "{told:?}");
    assert!(!world.instance.press(world.now, "admin", "Adopt this instance", &world.network).unwrap(), "it is gone");
    world.pass(60);
    world.run_jobs();
    assert_eq!(world.sent().len(), 1);
    for (status, message) in answers(&mut world, "casebridge", &incident) {
        assert_eq!(status, 200, "{message}");
    }
}

#[test]
fn the_clean_up_of_a_clone_takes_what_is_the_sources_and_leaves_what_was_preserved() {
    let (mut world, _) = cloned();
    world.instance.clean_up_clone(world.now, &world.network).unwrap();
    let settings = world.settings();
    for name in ["webhook_url", "webhook_secret", "allowed_hosts", "integration_user", "home_instance"] {
        assert_eq!(settings.get(name), None, "{name}");
    }
    assert!(world.instance.records("x_casebridge_aws_outbox", "").is_empty());
    let (mut world, _) = cloned();
    world.set("home_instance", "casebridgetest");
    let preserved = world.settings();
    world.instance.clean_up_clone(world.now, &world.network).unwrap();
    assert_eq!(world.settings(), preserved);
    assert_eq!(preserved["webhook_url"], WEBHOOK_URL);
    assert!(world.instance.records("x_casebridge_aws_outbox", "").is_empty());
}

#[test]
fn an_instance_that_nobody_has_adopted_is_silent_too() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    world.set("home_instance", "");
    world.instance.set_property("instance_name", "");
    world.run_jobs();
    assert!(world.sent().is_empty());
    assert!(answers(&mut world, "casebridge", &incident).iter().all(|(status, _)| *status == 503));
}

#[test]
fn without_its_integration_user_the_app_tells_nothing() {
    for lost in ["", "casebridge", "0123456789abcdef0123456789abcdef"] {
        let mut world = World::with_app();
        let incident = incident_in_scope(&mut world);
        let kept = world.settings()["integration_user"].clone();
        world.set("integration_user", lost);
        world.run_jobs();
        assert!(world.sent().is_empty(), "{lost}");
        let row = world.instance.records("x_casebridge_aws_outbox", "").remove(0);
        assert!(row["last_error"].starts_with("The integration user is not known. "), "{row:?}");
        assert_eq!((row["state"].as_str(), row["attempts"].as_str()), ("error", "0"));
        for (status, message) in answers(&mut world, "casebridge", &incident) {
            assert_eq!((status, message.as_str()), (503, "The integration user is not known"), "{lost}");
        }
        world.set("integration_user", &kept);
        world.pass(60);
        world.run_jobs();
        assert_eq!(world.sent().len(), 1, "what has waited leaves");
    }
}

#[test]
fn only_the_integration_user_reads_and_delivers() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    let missing = "0123456789abcdef0123456789abcdef";
    for asked in [incident.as_str(), missing] {
        for (status, message) in answers(&mut world, "second", asked) {
            assert_eq!((status, message.as_str()), (403, "Not the integration user"), "{asked}");
        }
    }
    assert!(world.instance.records("x_casebridge_aws_announcement", "").is_empty(), "nothing was shown");
    assert!(!world.comments(&incident).contains(&"from AWS".to_owned()));
    let second = world.instance.records("sys_user", "user_name=second")[0]["sys_id"].clone();
    world.set("integration_user", &second);
    assert!(answers(&mut world, "second", &incident).iter().all(|(status, _)| *status == 200));
    assert!(answers(&mut world, "casebridge", &incident).iter().all(|(status, _)| *status == 403));
    // An administrator may read and may not deliver.
    let statuses: Vec<u16> = answers(&mut world, "admin", &incident).iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 403).count(), 1, "{statuses:?}");
    // Whoever asks learns what an administrator has to set.
    world.set("integration_user", "");
    for user in ["casebridge", "second"] {
        for (status, message) in answers(&mut world, user, &incident) {
            assert_eq!((status, message.as_str()), (503, "The integration user is not known"), "{user}");
        }
    }
}

#[test]
fn renaming_the_integration_user_changes_nothing() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    deliver(&mut world, &incident, &message("one", "from AWS"));
    world.run_jobs();
    world.sent();
    world.instance.rename_user("casebridge", "bridge");
    // Passwords of tests name their user.
    let user = world.instance.records("sys_user", "user_name=bridge")[0]["sys_id"].clone();
    world.update("admin", "sys_user", &user, &json!({"user_password": "password of bridge"}));
    world.pass(100);
    let target = format!("{INCIDENTS}/{incident}/deliver");
    let again = world.call("bridge", "POST", &target, Some(&of_support_case(&message("one", "from AWS"))));
    assert_eq!(body(&again)["result"]["messages"][0]["outcome"], "already_applied", "{}", text(&again));
    let order = of_support_case(&message("two", "more from AWS"));
    let second = body(&world.call("bridge", "POST", &target, Some(&order)));
    let entries = second["result"]["snapshot"]["entries"].as_array().unwrap();
    let ours = |words: &str| entries.iter().find(|entry| entry["text"] == words).map(|entry| entry["ours"].clone());
    assert_eq!((ours("from AWS"), ours("more from AWS")), (Some(json!(true)), Some(json!(true))));
    world.run_jobs();
    assert!(world.sent().is_empty(), "its writing is no news under any name");
}

#[test]
fn a_claim_of_before_the_renaming_finds_its_comment() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    world.snapshot(&incident);
    // Claim, incident, journal entry; then the instance dies.
    world.instance.stop_after_commits(3);
    deliver(&mut world, &incident, &message("one", "from AWS"));
    world.instance.rename_user("casebridge", "bridge");
    let user = world.instance.records("sys_user", "user_name=bridge")[0]["sys_id"].clone();
    world.update("admin", "sys_user", &user, &json!({"user_password": "password of bridge"}));
    let target = format!("{INCIDENTS}/{incident}/snapshot?kind=support_case");
    let shown = body(&world.call("bridge", "GET", &target, None));
    let entry =
        shown["result"]["entries"].as_array().unwrap().iter().find(|entry| entry["text"] == "from AWS").unwrap();
    assert_eq!((&entry["ours"], &entry["undecided"]), (&json!(false), &json!(true)), "a row that is not finished");
    world.pass(100);
    let again = body(&world.call(
        "bridge",
        "POST",
        &format!("{INCIDENTS}/{incident}/deliver"),
        Some(&of_support_case(&message("one", "from AWS"))),
    ));
    assert_eq!(again["result"]["messages"][0]["outcome"], "already_applied");
    assert_eq!(world.comments(&incident).iter().filter(|words| *words == "from AWS").count(), 1);
    let ours = &again["result"]["snapshot"]["entries"];
    assert!(ours.as_array().unwrap().iter().any(|entry| entry["ours"] == json!(true)), "{ours}");
}

#[test]
fn what_the_integration_user_writes_without_a_delivery_is_undecided() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    world.script(&format!(
        "var incident = new GlideRecord('incident'); incident.get('{incident}');
        incident.comments = 'by hand';
        incident.update()"
    ));
    let whose = |world: &mut World, user_name: &str| {
        let shown =
            body(&world.call(user_name, "GET", &format!("{INCIDENTS}/{incident}/snapshot?kind=support_case"), None));
        let entries = shown["result"]["entries"].as_array().unwrap().clone();
        let entry = entries.into_iter().find(|entry| entry["text"] == "by hand").unwrap();
        (entry["ours"] == json!(true), entry["undecided"] == json!(true))
    };
    assert_eq!(whose(&mut world, "casebridge"), (false, true));
    // Another user is the integration user by now: the one before counts as long as a delivery has its name.
    let second = world.instance.records("sys_user", "user_name=second")[0]["sys_id"].clone();
    world.set("integration_user", &second);
    assert_eq!(whose(&mut world, "second"), (false, false));
    let user = world.instance.records("sys_user", "user_name=casebridge")[0]["sys_id"].clone();
    world.set("integration_user", &user);
    deliver(&mut world, &incident, &message("one", "from AWS"));
    world.set("integration_user", &second);
    assert_eq!(whose(&mut world, "second"), (false, true));
}

#[test]
fn a_name_that_is_a_script_is_nobodys_and_is_not_run() {
    for name in ["javascript:gs.error('run')", " JavaScript:gs.error('run')"] {
        let mut world = World::with_app();
        let incident = incident_in_scope(&mut world);
        let user = world.instance.records("sys_user", "user_name=agent")[0]["sys_id"].clone();
        let done = json!({"state": "6", "close_code": "Solution provided", "close_notes": "Done."});
        assert_eq!(world.update("agent", "incident", &incident, &done).status, 200);
        let entry = world.instance.records("sys_journal_field", "element=comments")[0]["sys_id"].clone();
        let change = world.instance.records("sys_audit", "fieldname=state").remove(0)["sys_id"].clone();
        world.put("sys_user", &user, &[("user_name", name)]);
        world.put("sys_journal_field", &entry, &[("sys_created_by", name)]);
        world.put("sys_audit", &change, &[("user", name)]);
        let shown = world.snapshot(&incident);
        let entry = &shown.entries[0];
        assert_eq!((entry.created_by.as_str(), entry.author.as_str()), (name, name));
        assert!(!entry.ours && !entry.undecided);
        assert!(!shown.summary.ended_by_another);
        assert!(world.logged("error").is_empty(), "{:?}", world.logged("error"));
    }
}

#[test]
fn a_group_or_an_account_that_is_a_script_is_nobodys_and_is_not_run() {
    let script = "javascript:gs.error('run')";
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    let account = world.instance.records("x_casebridge_aws_account", "")[0]["sys_id"].clone();
    world.snapshot(&incident);
    world.put("incident", &incident, &[("assignment_group", script), ("x_casebridge_aws_account", script)]);
    world.put("x_casebridge_aws_account", &account, &[("assignment_group", script)]);
    let shown =
        body(&world.call("casebridge", "GET", &format!("{INCIDENTS}/{incident}/snapshot?kind=support_case"), None));
    assert_eq!(shown["result"]["group_accounts"], json!([]));
    assert_eq!(shown["result"]["linked_account_state"], "missing");
    let renamed = json!({"name": "Renamed"});
    assert_eq!(world.update("keeper", "x_casebridge_aws_account", &account, &renamed).status, 200);
    assert!(world.logged("error").is_empty(), "{:?}", world.logged("error"));
}

#[test]
fn a_group_of_an_account_adds_nothing_to_the_question_for_changes() {
    for group in ["^NQnumberISNOTEMPTY", "x,^NQactive=true", "javascript:gs.error('run')", "0123^ORnumberISNOTEMPTY"] {
        let mut world = World::with_app();
        let incident = incident_in_scope(&mut world);
        let foreign = world.create("agent", "incident", &json!({"short_description": "The printer is on fire"}));
        let account = json!({"name": "Second", "number": "222233334444"});
        let account = world.create("admin", "x_casebridge_aws_account", &account);
        world.put("x_casebridge_aws_account", &account, &[("assignment_group", group)]);
        let listed = changed(&mut world);
        assert!(!listed.contains(&foreign), "{group}");
        assert_eq!(listed, std::slice::from_ref(&incident), "{group}");
        assert!(world.logged("error").is_empty(), "{:?}", world.logged("error"));
    }
}

#[test]
fn a_delivery_of_another_incident_or_as_a_work_note_is_ours_by_its_row_alone() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    world.update("agent", "incident", &incident, &json!({"comments": "by Alice"}));
    let entry = world.instance.records("sys_journal_field", "value=by Alice")[0]["sys_id"].clone();
    let rows = deliver(&mut world, &incident, &message("one", "from AWS"));
    assert_eq!(rows.status, 200);
    let mut row = world.instance.records("x_casebridge_aws_delivery", "")[0].clone();
    row.insert("journal".to_owned(), entry.clone());
    row.insert("incident".to_owned(), "0123456789abcdef0123456789abcdef".to_owned());
    world.instance.restore("x_casebridge_aws_delivery", row);
    let shown = world.snapshot(&incident);
    let entry = shown.entries.iter().find(|shown| shown.sys_id.as_str() == entry).unwrap();
    assert!(entry.ours && !entry.undecided, "whoever its author is");
}

#[test]
fn an_incident_that_left_the_scope_is_served_once_aws_has_heard_of_it() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    world.run_jobs();
    leave_scope(&mut world, &incident);
    world.run_jobs();
    assert_eq!(world.sent().len(), 2, "that it leaves is news");
    assert_eq!(changed(&mut world), std::slice::from_ref(&incident));
    for (status, message) in answers(&mut world, "casebridge", &incident) {
        assert_eq!(status, 200, "{message}");
    }
}

#[test]
fn what_was_shown_counts_as_announced() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    // No rule has run: AWS has it from the sweep.
    world.snapshot(&incident);
    leave_scope(&mut world, &incident);
    assert_eq!(deliver(&mut world, &incident, &message("one", "the case is open")).status, 200);
    assert_eq!(world.instance.records("x_casebridge_aws_announcement", "").len(), 1);
}

#[test]
fn an_incident_that_aws_has_not_heard_of_is_not_served_and_not_missing() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    leave_scope(&mut world, &incident);
    world.run_jobs();
    assert!(world.sent().is_empty());
    assert!(changed(&mut world).is_empty());
    let answers = answers(&mut world, "casebridge", &incident);
    for (status, message) in &answers[1..] {
        assert_eq!((*status, message.as_str()), (403, "Incident not served"));
    }
    assert!(!world.comments(&incident).contains(&"from AWS".to_owned()));
    let missing = format!("{INCIDENTS}/0123456789abcdef0123456789abcdef/snapshot?kind=support_case");
    let missing = world.call("casebridge", "GET", &missing, None);
    assert_eq!((missing.status, &body(&missing)["error"]["message"]), (404, &json!("No such incident")));
}

#[test]
fn changes_list_linked_announced_and_scoped_incidents_each_once_in_order() {
    let mut world = World::with_app();
    let first = incident_in_scope(&mut world);
    world.snapshot(&first);
    let row = world.instance.record("incident", &first).unwrap().clone();
    let mut all = vec![first];
    for number in 0..5 {
        let mut values: Value = json!({"short_description": number.to_string()});
        for name in ["assignment_group", "x_casebridge_aws_service_code", "x_casebridge_aws_category_code"] {
            values[name] = json!(row[name]);
        }
        world.pass(number % 2);
        all.push(world.create("agent", "incident", &values));
        let incident = all.last().unwrap().clone();
        if number % 2 == 0 {
            world.snapshot(&incident);
            leave_scope(&mut world, &incident);
        }
    }
    let mut paged = Vec::new();
    let (mut since, mut after) = ("2026-11-20 00:00:00".to_owned(), String::new());
    while paged.len() < 20 {
        let target = format!("{INCIDENTS}/changes?since={since}&after={after}&limit=2");
        let page = body(&world.call("casebridge", "GET", &target, None))["result"].clone();
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
    assert_eq!(paged, changed(&mut world));
    all.sort();
    paged.sort();
    assert_eq!(paged, all);
}

#[test]
fn without_any_active_account_nothing_is_in_scope() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    let account = world.instance.records("x_casebridge_aws_account", "")[0]["sys_id"].clone();
    assert_eq!(world.update("admin", "x_casebridge_aws_account", &account, &json!({"active": "false"})).status, 200);
    assert!(changed(&mut world).is_empty());
    leave_scope(&mut world, &incident);
    assert!(changed(&mut world).is_empty(), "no group is not the group of no account");
}

#[test]
fn a_page_of_changes_has_a_hundred_unless_told_and_at_most_two_hundred() {
    let mut world = World::with_app();
    let first = incident_in_scope(&mut world);
    let mut row = world.instance.record("incident", &first).unwrap().clone();
    for number in 0..200 {
        row.insert("sys_id".to_owned(), format!("{number:032x}"));
        world.instance.restore("incident", row.clone());
    }
    for (limit, status, length) in [("", 200, 100), ("&limit=200", 200, 200), ("&limit=201", 400, 0)] {
        let target = format!("{INCIDENTS}/changes?since=2026-11-20 00:00:00{limit}");
        let response = world.call("casebridge", "GET", &target, None);
        assert_eq!(response.status, status, "{limit}");
        let listed = body(&response)["result"]["incidents"].as_array().map_or(0, Vec::len);
        assert_eq!(listed, length, "{limit}");
    }
}

#[test]
fn an_ordinary_day_leaves_no_error_in_the_log() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    world.run_jobs();
    for number in 0..2 {
        deliver(&mut world, &incident, &message("one", "from AWS"));
        assert_eq!(world.update("agent", "incident", &incident, &json!({"comments": number.to_string()})).status, 200);
        world.run_jobs();
        world.pass(60);
    }
    let errors: Vec<_> = world.instance.log().filter(|line| line.level != "info").collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn a_copy_of_a_linked_incident_is_listed() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    let columns = json!({"columns": {"case_id": "case-111122223333-muen-2026-1", "account": "111122223333"}});
    assert_eq!(deliver(&mut world, &incident, &columns).status, 200);
    leave_scope(&mut world, &incident);
    world.run_jobs();
    world.sent();
    let copy = world.instance.copy(world.now, "agent", "incident", &incident, &world.network).unwrap();
    let row = world.instance.record("incident", &copy).unwrap();
    assert_eq!(row["x_casebridge_aws_case_id"], "case-111122223333-muen-2026-1");
    assert_ne!(row["number"], world.instance.record("incident", &incident).unwrap()["number"]);
    assert!(world.snapshot(&copy).entries.is_empty(), "its comments stay behind");
    assert!(changed(&mut world).contains(&copy));
    world.run_jobs();
    assert_eq!(world.sent().len(), 1, "the copy is announced");
}
