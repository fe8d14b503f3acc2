//! Files of incidents: what a snapshot shows of them, how their bytes leave the instance, how files of AWS come to an
//! incident, each once, and what tells AWS of a file.

use casebridge_simulator::{support::attachments::content::Content, wire::Response};
use serde_json::{Value, json};

use crate::support::{Fixture, INCIDENTS, body, deliver, incident_in_scope, message, text};

const DELIVERIES: &str = "x_casebridge_aws_delivery";
/// The most files that a snapshot shows.
const MAXIMUM_FILES: usize = 300;
/// The most files that a page of changes looks at.
const MAXIMUM_FILES_OF_A_PAGE: usize = 1000;
/// The default of how long a claim counts as a request under way, in seconds.
const CLAIM_SECONDS: i64 = 60;
/// How many commits a write has made when its file is claimed, when the attachment is there without bytes, and when it has
/// them.
const CLAIMED: u64 = 1;
const BEGUN: u64 = 2;
const WRITTEN: u64 = 3;
/// The bytes of a file, which are no text.
const BYTES: &[u8] = &[0, 159, 146, 150, 10, 13, 0, 255];

/// Returns the `external_id` of the file at this place of a communication.
fn name_of(place: usize) -> String {
    format!("0123456789abcdef-1795208400-0123456789abcdef-0a-f{place}")
}

/// Returns the target that writes these bytes under this name.
fn target_of(incident: &str, external_id: &str, file_name: &str, size: usize) -> String {
    format!(
        "{INCIDENTS}/{incident}/files?external_id={external_id}&file_name={file_name}&content_type=text/plain&size_bytes={size}"
    )
}

/// Writes a file as casebridge does.
fn write(fixture: &mut Fixture, incident: &str, place: usize, file_name: &str, bytes: &[u8]) -> Response {
    let target = target_of(incident, &name_of(place), file_name, bytes.len());
    fixture.send_file("casebridge", &target, bytes)
}

/// Writes a file and returns its outcome.
fn outcome(fixture: &mut Fixture, incident: &str, place: usize, file_name: &str, bytes: &[u8]) -> Value {
    let response = write(fixture, incident, place, file_name, bytes);
    assert_eq!(response.status, 200, "{}", text(&response));
    body(&response)["result"].clone()
}

/// Returns the files as the snapshot shows them.
fn shown(fixture: &mut Fixture, incident: &str) -> Value {
    let response =
        fixture.call("casebridge", "GET", &format!("{INCIDENTS}/{incident}/snapshot?kind=support_case"), None);
    assert_eq!(response.status, 200, "{}", text(&response));
    body(&response)["result"].clone()
}

fn read(fixture: &mut Fixture, user_name: &str, incident: &str, file: &str) -> Response {
    fixture.call(user_name, "GET", &format!("{INCIDENTS}/{incident}/files/{file}"), None)
}

fn in_scope() -> (Fixture, String) {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.run_jobs();
    fixture.sent();
    (fixture, incident)
}

/// Returns the names of the incident's attachments.
fn attached(fixture: &Fixture, incident: &str) -> Vec<String> {
    let query = format!("table_sys_id={incident}^ORDERBYsys_created_on^ORDERBYsys_id");
    fixture.instance.records("sys_attachment", &query).into_iter().map(|row| row["file_name"].clone()).collect()
}

/// Lets the instance die after this many commits of a write.
fn die(fixture: &mut Fixture, incident: &str, commits: u64, place: usize, file_name: &str) {
    fixture.instance.stop_after_commits(commits);
    assert_eq!(write(fixture, incident, place, file_name, BYTES).status, 502);
}

#[test]
fn a_snapshot_shows_each_file_of_the_incident() {
    let (mut fixture, incident) = in_scope();
    assert_eq!(shown(&mut fixture, &incident)["attachments"], json!([]));
    let file = fixture.attach("agent", &incident, "dump.log", BYTES);
    fixture.pass(1);
    let image = fixture.attach("agent", &incident, "dump.log", b"of the same name");
    fixture.put("sys_attachment", &image, &[("state", "pending"), ("content_type", "image/png")]);
    // An image in a column of the incident, and a file of another record.
    let hidden = fixture.attach("agent", &incident, "hidden.png", b"x");
    fixture.put("sys_attachment", &hidden, &[("table_name", "ZZ_YYincident")]);
    let foreign = fixture.attach("agent", &incident, "foreign.log", b"x");
    fixture.put("sys_attachment", &foreign, &[("table_name", "problem")]);
    let snapshot = shown(&mut fixture, &incident);
    let expected = |sys_id: &str, created_on: &str, content_type: &str, size: usize, state: &str| {
        json!({
            "sys_id": sys_id, "created_on": created_on, "created_by": "agent", "author": "Alice Tester",
            "file_name": "dump.log", "content_type": content_type, "size_bytes": size, "state": state,
            "ours": false, "undecided": false,
        })
    };
    let files = [
        expected(&file, "2026-11-20 21:00:00", "application/octet-stream", BYTES.len(), ""),
        expected(&image, "2026-11-20 21:00:01", "image/png", 16, "pending"),
    ];
    assert_eq!(snapshot["attachments"], json!(files));
    assert_eq!(snapshot["attachments_complete"], true);
    let answer = deliver(&mut fixture, &incident, &message("one", "from AWS"));
    assert_eq!(body(&answer)["result"]["snapshot"]["attachments"], json!(files));
}

#[test]
fn so_many_files_are_shown_and_no_more() {
    let (mut fixture, incident) = in_scope();
    for number in 0..=MAXIMUM_FILES {
        let sys_id = format!("{number:032x}");
        let time = if number == 0 { "2026-11-20 21:00:01" } else { "2026-11-20 21:00:00" };
        let values = [("table_name", "incident"), ("table_sys_id", &incident), ("sys_created_on", time)];
        fixture.put("sys_attachment", &sys_id, &values);
    }
    let snapshot = shown(&mut fixture, &incident);
    let files = snapshot["attachments"].as_array().unwrap();
    assert_eq!((files.len(), &snapshot["attachments_complete"]), (MAXIMUM_FILES, &json!(false)));
    assert_eq!(files[0]["sys_id"], format!("{:032x}", 1));
    assert_eq!(files[MAXIMUM_FILES - 1]["sys_id"], format!("{MAXIMUM_FILES:032x}"));
    let last = format!("{MAXIMUM_FILES:032x}");
    fixture.put("sys_attachment", &last, &[("table_name", "problem")]);
    let snapshot = shown(&mut fixture, &incident);
    assert_eq!(snapshot["attachments"].as_array().unwrap().len(), MAXIMUM_FILES);
    assert_eq!(snapshot["attachments_complete"], true);
}

#[test]
fn the_bytes_of_a_file_leave_as_they_are() {
    let (mut fixture, incident) = in_scope();
    let file = fixture.attach("agent", &incident, "dump.bin", BYTES);
    let answer = read(&mut fixture, "casebridge", &incident, &file);
    assert_eq!(answer.status, 200, "{}", text(&answer));
    assert_eq!(answer.content().to_vec().unwrap(), BYTES);
    assert_eq!(answer.headers["content-type"], "application/octet-stream");
    assert_eq!(read(&mut fixture, "admin", &incident, &file).status, 200);
    let refused = read(&mut fixture, "second", &incident, &file);
    assert_eq!((refused.status, body(&refused)["error"]["message"].clone()), (403, json!("Not the integration user")));
}

#[test]
fn a_file_that_is_not_there_is_told_from_an_incident_that_is_not() {
    let (mut fixture, incident) = in_scope();
    let file = fixture.attach("agent", &incident, "dump.bin", BYTES);
    let other = fixture.create("agent", "incident", &json!({"short_description": "Not served"}));
    let foreign = fixture.attach("agent", &other, "foreign.bin", b"secret");
    let nowhere = "0".repeat(32);
    for (of, which, expected) in [
        (&incident, &nowhere, (404, "No such file")),
        (&incident, &foreign, (404, "No such file")),
        (&incident, &"javascript:1".to_owned(), (404, "No such file")),
        (&other, &foreign, (403, "Incident not served")),
        (&nowhere, &file, (404, "No such incident")),
    ] {
        let answer = read(&mut fixture, "casebridge", of, which);
        let found = (answer.status, body(&answer)["error"]["message"].as_str().unwrap().to_owned());
        assert_eq!(found, (expected.0, expected.1.to_owned()), "{which}");
    }
}

#[test]
fn a_file_in_which_a_scan_has_found_something_does_not_leave() {
    let (mut fixture, incident) = in_scope();
    let file = fixture.attach("agent", &incident, "dump.bin", BYTES);
    for (state, expected) in [("not_available", 404), ("available", 200), ("pending", 200)] {
        fixture.put("sys_attachment", &file, &[("state", state)]);
        assert_eq!(read(&mut fixture, "casebridge", &incident, &file).status, expected, "{state}");
    }
}

#[test]
fn a_file_without_bytes_is_a_failure_and_no_empty_file() {
    let (mut fixture, incident) = in_scope();
    die(&mut fixture, &incident, BEGUN, 0, "a.log");
    let file = fixture.instance.records("sys_attachment", "")[0]["sys_id"].clone();
    assert_eq!(read(&mut fixture, "casebridge", &incident, &file).status, 500);
}

#[test]
fn a_file_of_aws_is_attached_once_and_is_ours() {
    let (mut fixture, incident) = in_scope();
    let count = fixture.instance.record("incident", &incident).unwrap()["sys_mod_count"].clone();
    let written = outcome(&mut fixture, &incident, 0, "a.log", BYTES);
    assert_eq!((&written["outcome"], &written["error"]), (&json!("applied"), &json!("")));
    assert_eq!(written["external_id"], name_of(0));
    let file = written["attachment"].as_str().unwrap().to_owned();
    let row = fixture.instance.record("sys_attachment", &file).unwrap().clone();
    assert_eq!((row["file_name"].as_str(), row["content_type"].as_str()), ("a.log", "text/plain"));
    assert_eq!((row["size_bytes"].as_str(), row["sys_created_by"].as_str()), ("8", "casebridge"));
    assert_eq!(read(&mut fixture, "casebridge", &incident, &file).content().to_vec().unwrap(), BYTES);
    let again = outcome(&mut fixture, &incident, 0, "a.log", BYTES);
    assert_eq!((&again["outcome"], &again["attachment"]), (&json!("already_applied"), &json!(file)));
    let digest = Content::bytes(BYTES).sha256().unwrap();
    assert_eq!((&written["sha256"], &again["sha256"]), (&json!(digest), &json!(digest)));
    fixture.put("sys_attachment", &file, &[("hash", "")]);
    assert_eq!(outcome(&mut fixture, &incident, 0, "a.log", BYTES)["sha256"], "", "an instance without digests");
    // A second file of this name and content is another one.
    assert_eq!(outcome(&mut fixture, &incident, 1, "a.log", BYTES)["outcome"], "applied");
    assert_eq!(attached(&fixture, &incident), ["a.log", "a.log"]);
    let snapshot = shown(&mut fixture, &incident);
    for file in snapshot["attachments"].as_array().unwrap() {
        assert_eq!((&file["ours"], &file["undecided"]), (&json!(true), &json!(false)));
    }
    // The names of deliveries are those of messages, and no file changes the incident.
    assert_eq!(snapshot["deliveries"], json!([]));
    assert_eq!(fixture.instance.record("incident", &incident).unwrap()["sys_mod_count"], count);
    assert_eq!(fixture.instance.records(DELIVERIES, "state=done").len(), 2);
    assert_eq!(fixture.run_jobs(), 0, "no rule announces what casebridge wrote");
}

#[test]
fn a_file_that_is_gone_is_not_written_again() {
    let (mut fixture, incident) = in_scope();
    let file = outcome(&mut fixture, &incident, 0, "a.log", BYTES)["attachment"].as_str().unwrap().to_owned();
    assert_eq!(fixture.call("admin", "DELETE", &format!("/api/now/attachment/{file}"), None).status, 204);
    let again = outcome(&mut fixture, &incident, 0, "a.log", BYTES);
    assert_eq!((&again["outcome"], &again["sha256"]), (&json!("already_applied"), &json!("")));
    assert!(attached(&fixture, &incident).is_empty());
}

#[test]
fn a_write_that_the_instance_did_not_survive_is_repeated_without_a_double() {
    for (commits, expected) in [(CLAIMED, "applied"), (BEGUN, "applied"), (WRITTEN, "already_applied")] {
        let (mut fixture, incident) = in_scope();
        die(&mut fixture, &incident, commits, 0, "a.log");
        let young = write(&mut fixture, &incident, 0, "a.log", BYTES);
        assert_eq!((young.status, &body(&young)["error"]["detail"]), (409, &json!(name_of(0))), "{commits}");
        let unclear = shown(&mut fixture, &incident);
        for file in unclear["attachments"].as_array().unwrap() {
            assert_eq!((&file["ours"], &file["undecided"]), (&json!(false), &json!(true)), "{commits}");
        }
        fixture.pass(CLAIM_SECONDS);
        let result = outcome(&mut fixture, &incident, 0, "a.log", BYTES);
        assert_eq!(result["outcome"], expected, "{commits}");
        assert_eq!(attached(&fixture, &incident), ["a.log"], "{commits}");
        let file = result["attachment"].as_str().unwrap();
        assert_eq!(shown(&mut fixture, &incident)["attachments"][0]["ours"], true, "{commits}");
        assert_eq!(fixture.instance.record("sys_attachment", file).unwrap()["size_bytes"], "8", "{commits}");
    }
}

#[test]
fn of_two_writes_that_the_instance_did_not_survive_each_finds_its_own() {
    let (mut fixture, incident) = in_scope();
    die(&mut fixture, &incident, WRITTEN, 0, "a.log");
    fixture.pass(CLAIM_SECONDS / 2);
    die(&mut fixture, &incident, WRITTEN, 1, "b.log");
    fixture.pass(CLAIM_SECONDS / 2);
    // Nobody can tell yet whose the second file is.
    let young = write(&mut fixture, &incident, 0, "a.log", BYTES);
    let error = body(&young)["error"].clone();
    assert_eq!((young.status, &error["message"]), (409, &json!("A file is being written by another request")));
    fixture.pass(CLAIM_SECONDS);
    for (place, name) in [(0, "a.log"), (1, "b.log")] {
        let result = outcome(&mut fixture, &incident, place, name, BYTES);
        assert_eq!(result["outcome"], "already_applied", "{name}");
        let file = result["attachment"].as_str().unwrap();
        assert_eq!(fixture.instance.record("sys_attachment", file).unwrap()["file_name"], name);
    }
    assert_eq!(attached(&fixture, &incident).len(), 2);
}

#[test]
fn a_file_that_the_instance_has_renamed_is_found_by_its_size_where_it_is_the_only_one() {
    for (is_another_claimed, expected) in [(false, "already_applied"), (true, "applied")] {
        let (mut fixture, incident) = in_scope();
        die(&mut fixture, &incident, WRITTEN, 0, "a.log");
        let file = fixture.instance.records("sys_attachment", "")[0]["sys_id"].clone();
        fixture.put("sys_attachment", &file, &[("file_name", "a_1.log")]);
        if is_another_claimed {
            die(&mut fixture, &incident, CLAIMED, 1, "b.log");
        }
        fixture.pass(CLAIM_SECONDS);
        assert_eq!(outcome(&mut fixture, &incident, 0, "a.log", BYTES)["outcome"], expected);
    }
}

#[test]
fn what_people_attach_is_not_taken_for_a_file_of_aws() {
    let (mut fixture, incident) = in_scope();
    fixture.attach("agent", &incident, "a.log", BYTES);
    die(&mut fixture, &incident, CLAIMED, 0, "a.log");
    fixture.attach("agent", &incident, "a.log", BYTES);
    fixture.pass(CLAIM_SECONDS);
    assert_eq!(outcome(&mut fixture, &incident, 0, "a.log", BYTES)["outcome"], "applied");
    assert_eq!(attached(&fixture, &incident).len(), 3);
    let snapshot = shown(&mut fixture, &incident);
    let ours = snapshot["attachments"].as_array().unwrap().iter().filter(|file| file["ours"] == true);
    assert_eq!(ours.count(), 1);
}

#[test]
fn a_body_of_another_length_is_no_file() {
    let (mut fixture, incident) = in_scope();
    for size in [BYTES.len() + 1, BYTES.len() - 1] {
        let target = target_of(&incident, &name_of(0), "a.log", size);
        let response = fixture.send_file("casebridge", &target, BYTES);
        assert_eq!(response.status, 200, "{}", text(&response));
        let result = body(&response)["result"].clone();
        assert_eq!((&result["outcome"], &result["attachment"]), (&json!("incomplete"), &json!("")), "{size}");
        assert!(attached(&fixture, &incident).is_empty() && fixture.instance.records(DELIVERIES, "").is_empty());
    }
    assert_eq!(outcome(&mut fixture, &incident, 0, "a.log", BYTES)["outcome"], "applied");
}

#[test]
fn a_file_that_the_instance_does_not_take_is_refused_and_leaves_nothing() {
    let (mut fixture, incident) = in_scope();
    fixture.instance.set_property("glide.attachment.extensions", "txt, PDF,log");
    for (name, expected) in [("a.exe", "refused"), ("a", "refused"), ("a.pdf", "applied"), ("a.LOG", "applied")] {
        let place = name.len() + usize::from(name == "a.pdf");
        let result = outcome(&mut fixture, &incident, place, name, BYTES);
        assert_eq!(result["outcome"], expected, "{name}");
        assert_eq!(result["error"].as_str().unwrap().is_empty(), expected == "applied", "{name}: {result}");
    }
    fixture.instance.set_property("glide.attachment.extensions", "");
    fixture.instance.set_property("com.glide.attachment.max_size", "0");
    assert_eq!(outcome(&mut fixture, &incident, 0, "b.log", BYTES)["outcome"], "refused");
    fixture.instance.set_property("com.glide.attachment.max_size", "1");
    assert_eq!(outcome(&mut fixture, &incident, 0, "b.log", BYTES)["outcome"], "applied");
    assert_eq!(attached(&fixture, &incident).len(), 3);
}

#[test]
fn a_rule_that_fails_or_deletes_is_a_refusal() {
    // The rules of a customer run in the same request.
    for (script, words) in [
        ("GlideSysAttachment.prototype.writeContentStream = function () { throw 'Quarantined'; };", "Quarantined"),
        (
            "var writes = GlideSysAttachment.prototype.writeContentStream;
            GlideSysAttachment.prototype.writeContentStream = function () {
                var written = writes.apply(this, arguments);
                this.deleteAttachment(written);
                return written;
            };",
            "gave no reason",
        ),
    ] {
        let (mut fixture, incident) = in_scope();
        let source = format!(
            "{script}
            var answer = {{}};
            var calls = new CasebridgeRequest(
                {{
                    pathParams: {{ sys_id: '{incident}' }},
                    queryParams: {{
                        external_id: '{}', file_name: 'a.log', content_type: 'text/plain', size_bytes: '8'
                    }},
                    body: {{ dataStream: {{ $source: {{ text: '12345678' }} }} }}
                }},
                {{ setStatus: function () {{}}, setBody: function (body) {{ answer = body; }}, setError: function () {{}} }}
            );
            calls.answerWrite(function () {{ return new CasebridgeFile(calls).write(); }});
            JSON.stringify(answer)",
            name_of(0)
        );
        let result: Value = serde_json::from_str(&fixture.script(&source)).unwrap();
        assert_eq!(result["outcome"], "refused", "{result}");
        assert!(result["error"].as_str().unwrap().contains(words), "{result}");
        assert!(fixture.instance.records(DELIVERIES, "").is_empty() && attached(&fixture, &incident).is_empty());
    }
}

#[test]
fn an_external_id_belongs_to_one_incident() {
    let (mut fixture, incident) = in_scope();
    outcome(&mut fixture, &incident, 0, "a.log", BYTES);
    let other = fixture.create(
        "agent",
        "incident",
        &json!({"short_description": "Other", "x_casebridge_aws_service_code": "a", "x_casebridge_aws_category_code": "b",
            "assignment_group": fixture.instance.record("incident", &incident).unwrap()["assignment_group"]}),
    );
    let result = outcome(&mut fixture, &other, 0, "a.log", BYTES);
    assert_eq!(result["outcome"], "refused");
    assert!(result["error"].as_str().unwrap().contains("another incident"), "{result}");
    assert!(attached(&fixture, &other).is_empty());
}

#[test]
fn a_wrong_request_is_told_from_a_wrong_file() {
    let (mut fixture, incident) = in_scope();
    let right = target_of(&incident, &name_of(0), "a.log", BYTES.len());
    let long = "x".repeat(201);
    for (from, to) in [
        ("-f0&", "&"),
        ("-f0&", "-f1234&"),
        ("file_name=a.log", "file_name="),
        ("file_name=a.log", "file_name=..%2Fa.log/b"),
        ("file_name=a.log", "file_name=a\\b"),
        ("file_name=a.log", "file_name=a\u{7}b"),
        ("file_name=a.log", &format!("file_name={long}")),
        ("content_type=text/plain", "content_type="),
        ("content_type=text/plain", "content_type=text/pl\u{e4}in"),
        ("size_bytes=8", "size_bytes=0"),
        ("size_bytes=8", "size_bytes=157286401"),
        ("size_bytes=8", "size_bytes=eight"),
        ("&size_bytes=8", ""),
    ] {
        let target = right.replace(from, to);
        assert_ne!(target, right);
        let answer = fixture.send_file("casebridge", &target, BYTES);
        let error = body(&answer)["error"].clone();
        assert_eq!((answer.status, &error["message"]), (400, &json!("Invalid request")), "{to}: {error}");
    }
    assert_eq!(fixture.call("casebridge", "POST", &right, Some(&json!({}))).status, 415);
    for user in ["second", "admin"] {
        assert_eq!(fixture.send_file(user, &right, BYTES).status, 403, "{user}");
    }
    // A message can't take the place of a file.
    let order = json!({"messages": [{"external_id": name_of(0), "text": "x", "kind": "comment"}]});
    assert_eq!(deliver(&mut fixture, &incident, &order).status, 400);
    assert!(attached(&fixture, &incident).is_empty());
    let name = "\u{1f512}".repeat(100);
    assert_eq!(fixture.send_file("casebridge", &right.replace("a.log", &name), BYTES).status, 200);
    assert_eq!(attached(&fixture, &incident), [name]);
}

#[test]
fn a_file_that_is_being_written_holds_up_no_message() {
    let (mut fixture, incident) = in_scope();
    die(&mut fixture, &incident, CLAIMED, 0, "a.log");
    let order = message("one", "from AWS");
    // The claim, the update and the entry are there, and the row is not done. AWS shows other words now.
    fixture.instance.stop_after_commits(WRITTEN);
    assert_eq!(deliver(&mut fixture, &incident, &order).status, 502);
    fixture.pass(CLAIM_SECONDS);
    let answer = deliver(&mut fixture, &incident, &message("one", "from ***"));
    assert_eq!(body(&answer)["result"]["messages"][0]["outcome"], "already_applied", "{}", text(&answer));
}

#[test]
fn a_file_announces_its_incident() {
    let (mut fixture, incident) = in_scope();
    fixture.attach("agent", &incident, "a.log", BYTES);
    assert_eq!(fixture.run_jobs(), 1);
    let sent = fixture.sent();
    assert_eq!(sent.len(), 1);
    assert!(String::from_utf8_lossy(&sent[0].1.body).contains(&incident));
    // The end of a scan is a change, too.
    let file = fixture.instance.records("sys_attachment", "")[0]["sys_id"].clone();
    assert_eq!(fixture.update("admin", "sys_attachment", &file, &json!({"state": "available"})).status, 200);
    fixture.run_jobs();
    assert_eq!(fixture.sent().len(), 1);
}

#[test]
fn a_file_of_what_aws_may_not_see_announces_nothing() {
    let (mut fixture, incident) = in_scope();
    let other = fixture.create("agent", "incident", &json!({"short_description": "Not served"}));
    fixture.attach("agent", &other, "a.log", BYTES);
    let hidden = [("table_name", "incident"), ("table_sys_id", "javascript:gs.error('run')")];
    fixture.put("sys_attachment", &"a".repeat(32), &hidden);
    let file = fixture.attach("agent", &incident, "a.log", BYTES);
    fixture.put("sys_attachment", &file, &[("table_sys_id", "javascript:gs.error('run')")]);
    fixture.run_jobs();
    assert!(fixture.sent().is_empty());
    assert!(fixture.logged("error").is_empty(), "{:?}", fixture.logged("error"));
}

/// Returns what has changed since, as (incident, time, whether it got a file).
fn changes(fixture: &mut Fixture, query: &str) -> (Vec<(String, String, bool)>, bool) {
    let answer = fixture.call("casebridge", "GET", &format!("{INCIDENTS}/changes?{query}"), None);
    assert_eq!(answer.status, 200, "{}", text(&answer));
    let result = body(&answer)["result"].clone();
    let list = result["incidents"].as_array().expect("a list of changes").iter();
    let found = list.map(|change| {
        let column = |name: &str| change[name].as_str().expect("a text").to_owned();
        (column("sys_id"), column("sys_updated_on"), change["attached"] == true)
    });
    (found.collect(), result["more"] == true)
}

#[test]
fn the_poll_finds_an_incident_that_got_a_file() {
    let (mut fixture, incident) = in_scope();
    let other = fixture.create("agent", "incident", &json!({"short_description": "Not served"}));
    fixture.pass(10);
    for _ in 0..3 {
        fixture.attach("agent", &incident, "a.log", BYTES);
    }
    fixture.attach("agent", &other, "a.log", BYTES);
    fixture.pass(1);
    outcome(&mut fixture, &incident, 0, "b.log", BYTES);
    let since = "since=2026-11-20 21:00:05";
    let found = (incident.clone(), "2026-11-20 21:00:10".to_owned(), true);
    assert_eq!(changes(&mut fixture, since), (vec![found], false));
    let all = changes(&mut fixture, "since=2026-11-20 20:00:00").0;
    let times: Vec<_> = all.iter().map(|(_, time, is_attached)| (time.as_str(), *is_attached)).collect();
    assert_eq!(times, [("2026-11-20 21:00:00", false), ("2026-11-20 21:00:10", true)]);
    let after = format!("since=2026-11-20 21:00:10&after={incident}");
    assert!(changes(&mut fixture, &after).0.is_empty());
}

#[test]
fn the_poll_reads_page_by_page_through_files_and_changes() {
    let (mut fixture, first) = in_scope();
    let group = fixture.instance.record("incident", &first).unwrap()["assignment_group"].clone();
    let values = json!({"short_description": "Other", "assignment_group": group, "x_casebridge_aws_service_code": "a",
        "x_casebridge_aws_category_code": "b"});
    let second = fixture.create("agent", "incident", &values);
    for _ in 0..3 {
        fixture.pass(1);
        for incident in [&first, &second] {
            fixture.attach("agent", incident, "a.log", BYTES);
            fixture.attach("agent", incident, "b.log", BYTES);
        }
    }
    // One of the files comes in the second in which its incident is saved.
    fixture.update("agent", "incident", &first, &json!({"comments": "Look"}));
    let mut found = Vec::new();
    let mut position = ("2026-11-20 20:00:00".to_owned(), String::new());
    loop {
        let (page, more) = changes(&mut fixture, &format!("since={}&after={}&limit=1", position.0, position.1));
        let Some((incident, time, _)) = page.last().cloned() else { break };
        position = (time, incident);
        found.extend(page);
        if !more {
            break;
        }
    }
    let mut sorted = found.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((found.len(), sorted.len()), (7, 7), "{found:?}");
    assert!(found.iter().filter(|(_, _, is_attached)| *is_attached).count() == 6, "{found:?}");
}

#[test]
fn so_many_files_are_looked_at_for_a_page() {
    let (mut fixture, incident) = in_scope();
    let foreign = "f".repeat(32);
    let put = |fixture: &mut Fixture, number: usize, of: &str, time: &str| {
        let columns = [("table_name", "incident"), ("table_sys_id", of), ("sys_created_by", "agent")];
        let mut columns = columns.to_vec();
        columns.push(("sys_created_on", time));
        fixture.put("sys_attachment", &format!("{number:032x}"), &columns);
    };
    for number in 1..MAXIMUM_FILES_OF_A_PAGE {
        put(&mut fixture, number, &foreign, "2026-11-20 21:30:00");
    }
    put(&mut fixture, 0, &incident, "2026-11-20 21:30:01");
    let since = "since=2026-11-20 21:30:00";
    assert_eq!(changes(&mut fixture, since).0.len(), 1);
    put(&mut fixture, MAXIMUM_FILES_OF_A_PAGE, &foreign, "2026-11-20 21:30:00");
    assert!(changes(&mut fixture, since).0.is_empty());
}
