//! An incident with several links: each has its own status, and the incident shows the worst of them.

use casebridge_simulator::servicenow::{state::Obstacle, store::Row};
use serde_json::{Value, json};

use crate::support::{
    Fixture, INCIDENTS, SUPPORT_CASE, another_inserts_first, body, deliver, deliver_where, gone_after,
    incident_in_scope, inserts_are_refused, message, text, updates,
};

const LINKS: &str = "x_casebridge_aws_link";
/// A kind of link that has no columns of its own on the incident.
const ANOTHER: &str = "another_kind";
/// Limits of the app.
const MAXIMUM_SYNC_STATUS_CHARACTERS: usize = 40;
const MAXIMUM_LAST_ERROR_CHARACTERS: usize = 1_000;
const MAXIMUM_ROWS: usize = 100;
const MAXIMUM_SETTLE_ROUNDS: usize = 3;

/// A status: `sync_status` and `last_error`.
type Status<'a> = (&'a str, &'a str);

/// Returns a delivery with the status of a link of this kind.
fn says(kind: &str, (sync_status, last_error): Status<'_>) -> Value {
    json!({"kind": kind, "columns": {"sync_status": sync_status, "last_error": last_error}})
}

fn world_with_incident() -> (Fixture, String) {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.snapshot(&incident);
    (fixture, incident)
}

/// Delivers the status of a link of this kind. Returns the columns that the answer shows to that link.
fn tell(fixture: &mut Fixture, incident: &str, kind: &str, status: Status<'_>) -> Value {
    let response = deliver(fixture, incident, &says(kind, status));
    assert_eq!(response.status, 200, "{}", text(&response));
    let answer = body(&response)["result"].clone();
    assert_eq!(answer["fields"], "applied", "{answer}");
    answer["snapshot"]["columns"].clone()
}

/// Returns the status that the incident shows.
fn on_incident(fixture: &Fixture, incident: &str) -> (String, String) {
    let row = fixture.instance.record("incident", incident).expect("the incident");
    let column = |name: &str| row.get(&format!("x_casebridge_aws_{name}")).cloned().unwrap_or_default();
    (column("sync_status"), column("last_error"))
}

fn count_of_updates(fixture: &Fixture, incident: &str) -> String {
    fixture.instance.record("incident", incident).expect("the incident")["sys_mod_count"].clone()
}

/// Returns the status that a snapshot shows to a link of this kind.
fn shown(fixture: &mut Fixture, incident: &str, kind: &str) -> (String, String) {
    let columns = fixture.snapshot_for(kind, incident).summary.columns;
    (columns.sync_status, columns.last_error)
}

fn pair((sync_status, last_error): Status<'_>) -> (String, String) {
    (sync_status.to_owned(), last_error.to_owned())
}

#[test]
fn an_incident_shows_the_worst_of_its_links_and_none_undoes_what_another_says() {
    let (mut fixture, incident) = world_with_incident();
    let (waiting, error) = (("waiting", "AWS does not answer"), ("error", "The keys are refused"));
    tell(&mut fixture, &incident, SUPPORT_CASE, error);
    assert_eq!(on_incident(&fixture, &incident), pair(error));
    let told = tell(&mut fixture, &incident, ANOTHER, waiting);
    assert_eq!(told, json!({"sync_status": waiting.0, "last_error": waiting.1}), "its own columns alone");
    assert_eq!(on_incident(&fixture, &incident), pair(error));
    assert_eq!(shown(&mut fixture, &incident, SUPPORT_CASE), pair(error));
    assert_eq!(shown(&mut fixture, &incident, ANOTHER), pair(waiting));
    assert_eq!(shown(&mut fixture, &incident, "a_third_kind"), pair(("", "")), "it has said nothing yet");
    tell(&mut fixture, &incident, SUPPORT_CASE, ("in_sync", ""));
    assert_eq!(on_incident(&fixture, &incident), pair(waiting));
    tell(&mut fixture, &incident, ANOTHER, ("in_sync", ""));
    assert_eq!(on_incident(&fixture, &incident), pair(("in_sync", "")));
    let rows = fixture.instance.records(LINKS, "ORDERBYkind");
    let keys: Vec<(&str, &str, &str)> =
        rows.iter().map(|row| (row["link_key"].as_str(), row["kind"].as_str(), row["incident"].as_str())).collect();
    let named = [ANOTHER, SUPPORT_CASE].map(|kind| (format!("{kind}:{incident}"), kind));
    assert_eq!(keys, named.each_ref().map(|(key, kind)| (key.as_str(), *kind, incident.as_str())));
}

#[test]
fn each_status_is_worse_than_those_after_it_whichever_link_has_it() {
    let order = [("a_new_word", "w"), ("error", "e"), ("waiting", "w"), ("pending", ""), ("in_sync", ""), ("", "n")];
    for (index, worse) in order.iter().enumerate() {
        for better in &order[index..] {
            for [first, second] in [[worse, better], [better, worse]] {
                let (mut fixture, incident) = world_with_incident();
                tell(&mut fixture, &incident, SUPPORT_CASE, *first);
                tell(&mut fixture, &incident, ANOTHER, *second);
                assert_eq!(on_incident(&fixture, &incident), pair(*worse), "{first:?} {second:?}");
            }
        }
    }
}

#[test]
fn of_two_that_are_equally_bad_the_first_by_kind_is_shown() {
    let (mut fixture, incident) = world_with_incident();
    tell(&mut fixture, &incident, SUPPORT_CASE, ("error", "of the case"));
    tell(&mut fixture, &incident, ANOTHER, ("error", "of another"));
    assert_eq!(on_incident(&fixture, &incident), pair(("error", "of another")));
    tell(&mut fixture, &incident, "third_kind", ("error", "of a third"));
    assert_eq!(on_incident(&fixture, &incident), pair(("error", "of another")));
}

#[test]
fn what_has_not_changed_is_not_written() {
    let (mut fixture, incident) = world_with_incident();
    let order = says(SUPPORT_CASE, ("error", "The keys are refused"));
    deliver(&mut fixture, &incident, &order);
    tell(&mut fixture, &incident, ANOTHER, ("waiting", "AWS does not answer"));
    let count = count_of_updates(&fixture, &incident);
    let rows = fixture.instance.records(LINKS, "");
    fixture.pass(60);
    deliver(&mut fixture, &incident, &order);
    assert_eq!(fixture.instance.records(LINKS, ""), rows);
    tell(&mut fixture, &incident, ANOTHER, ("in_sync", ""));
    assert_ne!(fixture.instance.records(LINKS, ""), rows);
    assert_eq!(count_of_updates(&fixture, &incident), count, "the worst is the same");
}

#[test]
fn a_link_mends_what_others_made_of_the_columns() {
    let (waiting, error) = (("waiting", "AWS does not answer"), ("error", "The keys are refused"));
    for (changed, to) in [
        ("sync_status", ("in_sync", error.1)),
        ("last_error", ("error", "what a person wrote")),
        ("last_error", ("error", "")),
        ("sync_status", ("", error.1)),
    ] {
        let (mut fixture, incident) = world_with_incident();
        tell(&mut fixture, &incident, SUPPORT_CASE, error);
        tell(&mut fixture, &incident, ANOTHER, waiting);
        let value = if changed == "sync_status" { to.0 } else { to.1 };
        fixture.put("incident", &incident, &[(&format!("x_casebridge_aws_{changed}"), value)]);
        assert_eq!(on_incident(&fixture, &incident), pair(to));
        for kind in [SUPPORT_CASE, ANOTHER] {
            assert_eq!(shown(&mut fixture, &incident, kind), pair(to), "{kind} sees that something else stands");
        }
        let told = tell(&mut fixture, &incident, ANOTHER, waiting);
        assert_eq!(told, json!({"sync_status": waiting.0, "last_error": waiting.1}));
        assert_eq!(on_incident(&fixture, &incident), pair(error), "{to:?}");
        assert_eq!(shown(&mut fixture, &incident, SUPPORT_CASE), pair(error));
    }
}

#[test]
fn a_copy_shows_what_its_source_did_until_its_own_link_says_otherwise() {
    let (mut fixture, incident) = world_with_incident();
    let order = json!({"columns": {
        "account": "111122223333", "case_id": "case-1", "sync_status": "waiting", "last_error": "AWS does not answer",
    }});
    assert_eq!(deliver(&mut fixture, &incident, &order).status, 200);
    let copy = fixture.instance.copy(fixture.now, "agent", "incident", &incident, &fixture.network).unwrap();
    let columns = fixture.snapshot(&copy).summary.columns;
    assert_eq!(columns, fixture.snapshot(&incident).summary.columns);
    assert_eq!(columns.sync_status, "waiting");
    assert_eq!(fixture.instance.records(LINKS, "").len(), 1, "the copy has no row");
    let cleared = json!({"columns": {"account": "", "case_id": "", "sync_status": "", "last_error": ""}});
    assert_eq!(deliver(&mut fixture, &copy, &cleared).status, 200);
    assert_eq!(on_incident(&fixture, &copy), pair(("", "")));
    assert_eq!(fixture.snapshot(&copy).summary.columns.own("case_id"), "");
    assert_eq!(on_incident(&fixture, &incident), pair(("waiting", "AWS does not answer")), "the source is as it was");
    assert_eq!(fixture.snapshot(&incident).summary.columns, columns);
}

#[test]
fn the_rows_of_a_removed_incident_harm_nothing() {
    let (mut fixture, incident) = world_with_incident();
    tell(&mut fixture, &incident, SUPPORT_CASE, ("error", "The keys are refused"));
    let record = fixture.instance.record("incident", &incident).unwrap().clone();
    let target = format!("/api/now/table/incident/{incident}");
    assert_eq!(fixture.call("admin", "DELETE", &target, None).status, 204);
    assert_eq!(deliver(&mut fixture, &incident, &says(SUPPORT_CASE, ("in_sync", ""))).status, 404);
    assert!(
        !fixture.instance.records(LINKS, "")[0].contains_key("incident"),
        "the platform empties a reference to what is gone"
    );
    assert!(fixture.instance.undelete("incident", &incident));
    assert_eq!(fixture.instance.record("incident", &incident), Some(&record));
    assert!(!fixture.instance.records(LINKS, "")[0].contains_key("incident"), "and does not give it back");
    assert_eq!(shown(&mut fixture, &incident, SUPPORT_CASE), pair(("error", "The keys are refused")));
    tell(&mut fixture, &incident, SUPPORT_CASE, ("in_sync", ""));
    assert_eq!(on_incident(&fixture, &incident), pair(("in_sync", "")));
    assert_eq!(fixture.instance.records(LINKS, &format!("incident={incident}")).len(), 1);
}

#[test]
fn a_kind_that_is_none_is_refused() {
    let (mut fixture, incident) = world_with_incident();
    let detail = "kind: must be 1 to 40 small letters and underscores, for example support_case";
    let long = "k".repeat(41);
    for kind in ["", "Support_case", "support-case", "case1", "a,b", long.as_str()] {
        let target = format!("{INCIDENTS}/{incident}/snapshot?kind={kind}");
        let read = fixture.call("casebridge", "GET", &target, None);
        assert_eq!((read.status, &body(&read)["error"]["detail"]), (400, &json!(detail)), "{kind}");
    }
    let target = format!("{INCIDENTS}/{incident}");
    let columns = json!({"sync_status": "error"});
    let kinds = ["", "Support_case", "support_case\n", " a", "toString", long.as_str()].map(|kind| json!(kind));
    for kind in kinds.into_iter().chain([json!(null), json!(7), json!(["support_case"])]) {
        let order = json!({"kind": kind, "columns": columns});
        let answer = fixture.call("casebridge", "POST", &format!("{target}/deliver"), Some(&order));
        assert_eq!((answer.status, &body(&answer)["error"]["detail"]), (400, &json!(detail)), "{kind}");
    }
    assert!(fixture.instance.records(LINKS, "").is_empty());
    assert_eq!(on_incident(&fixture, &incident), pair(("", "")));
    tell(&mut fixture, &incident, &"k".repeat(40), ("error", "e"));
}

#[test]
fn a_sender_that_knows_no_kinds_is_that_of_support_cases() {
    let (mut fixture, incident) = world_with_incident();
    let target = format!("{INCIDENTS}/{incident}");
    let order = json!({"columns": {"case_id": "case-1", "sync_status": "error", "last_error": "e"}});
    let answer = fixture.call("casebridge", "POST", &format!("{target}/deliver"), Some(&order));
    assert_eq!(answer.status, 200, "{}", text(&answer));
    assert_eq!(fixture.instance.records(LINKS, "")[0]["link_key"], format!("{SUPPORT_CASE}:{incident}"));
    tell(&mut fixture, &incident, ANOTHER, ("a_new_word", "w"));
    let read = fixture.call("casebridge", "GET", &format!("{target}/snapshot"), None);
    let columns = &body(&read)["result"]["columns"];
    assert_eq!((read.status, &columns["case_id"], &columns["sync_status"]), (200, &json!("case-1"), &json!("error")));
}

#[test]
fn no_kind_writes_the_columns_of_another() {
    let (mut fixture, incident) = world_with_incident();
    for kind in [ANOTHER, "constructor"] {
        for column in ["account", "case_id", "display_id", "case_status"] {
            let order = json!({"kind": kind, "columns": {column: "x", "sync_status": "error"}});
            let answer = deliver(&mut fixture, &incident, &order);
            assert_eq!(answer.status, 400, "{kind} {column}: {}", text(&answer));
            let detail = body(&answer)["error"]["detail"].clone();
            assert_eq!(detail, format!("columns.{column}: is not known; known are sync_status, last_error"));
        }
    }
    let order = json!({"columns": {"account": "1", "case_id": "2", "display_id": "3", "case_status": "4"}});
    assert_eq!(deliver(&mut fixture, &incident, &order).status, 200);
    assert!(fixture.instance.records(LINKS, "").is_empty(), "nothing was said of the link's status");
    tell(&mut fixture, &incident, ANOTHER, ("error", "e"));
    let columns = fixture.snapshot(&incident).summary.columns;
    let own = ["account", "case_id", "display_id", "case_status"].map(|name| columns.own(name));
    assert_eq!(own, ["1", "2", "3", "4"]);
    assert_eq!(columns.sync_status, "");
}

#[test]
fn what_an_order_leaves_out_of_a_status_stays() {
    let (mut fixture, incident) = world_with_incident();
    tell(&mut fixture, &incident, SUPPORT_CASE, ("waiting", "first"));
    for (columns, expected) in [
        (json!({"last_error": "second"}), ("waiting", "second")),
        (json!({"sync_status": "error"}), ("error", "second")),
        (json!({"case_id": "case-1"}), ("error", "second")),
        (json!({}), ("error", "second")),
    ] {
        let answer = deliver(&mut fixture, &incident, &json!({"columns": columns}));
        assert_eq!(answer.status, 200, "{}", text(&answer));
        assert_eq!(on_incident(&fixture, &incident), pair(expected), "{columns}");
        assert_eq!(shown(&mut fixture, &incident, SUPPORT_CASE), pair(expected), "{columns}");
    }
    // A delivery without a status does not change the status of an incident without links.
    let (mut fixture, incident) = world_with_incident();
    fixture.put("incident", &incident, &[("x_casebridge_aws_sync_status", "error")]);
    deliver(&mut fixture, &incident, &json!({"columns": {"case_id": "case-1"}}));
    assert_eq!(on_incident(&fixture, &incident), pair(("error", "")));
}

#[test]
fn a_status_is_cut_where_its_columns_end() {
    let (mut fixture, incident) = world_with_incident();
    let (status, error) =
        ("s".repeat(MAXIMUM_SYNC_STATUS_CHARACTERS + 1), "e".repeat(MAXIMUM_LAST_ERROR_CHARACTERS + 1));
    let cut = (&status[..MAXIMUM_SYNC_STATUS_CHARACTERS], &error[..MAXIMUM_LAST_ERROR_CHARACTERS]);
    // The table would cut a text that is too long. The platform may then take each further write for a change.
    let counted = "var insert = GlideRecord.prototype.insert;
        GlideRecord.prototype.insert = function () {
            gs.info(this.getValue('sync_status').length + ' ' + this.getValue('last_error').length);
            return insert.call(this);
        };";
    let answer = deliver_where(&mut fixture, &incident, counted, &says(SUPPORT_CASE, (&status, &error)));
    assert_eq!(answer["result"]["fields"], "applied", "{answer}");
    assert_eq!(
        fixture.logged("info").pop(),
        Some(format!("{MAXIMUM_SYNC_STATUS_CHARACTERS} {MAXIMUM_LAST_ERROR_CHARACTERS}"))
    );
    assert_eq!(on_incident(&fixture, &incident), pair(cut));
    assert_eq!(shown(&mut fixture, &incident, SUPPORT_CASE), pair(cut));
    let count = count_of_updates(&fixture, &incident);
    tell(&mut fixture, &incident, SUPPORT_CASE, (&status, &error));
    assert_eq!(count_of_updates(&fixture, &incident), count);
}

#[test]
fn a_stale_delivery_says_nothing_of_its_link() {
    let (mut fixture, incident) = world_with_incident();
    let mut order = says(SUPPORT_CASE, ("error", "The keys are refused"));
    order["expected_mod_count"] = json!(7);
    assert_eq!(body(&deliver(&mut fixture, &incident, &order))["result"]["fields"], "stale");
    assert!(fixture.instance.records(LINKS, "").is_empty());
    assert_eq!(on_incident(&fixture, &incident), pair(("", "")));
}

#[test]
fn a_death_between_the_row_and_the_incident_is_mended() {
    let (mut fixture, incident) = world_with_incident();
    tell(&mut fixture, &incident, SUPPORT_CASE, ("in_sync", ""));
    fixture.instance.stop_after_commits(1);
    let order = says(SUPPORT_CASE, ("error", "The keys are refused"));
    assert_eq!(deliver(&mut fixture, &incident, &order).status, 502);
    assert_eq!(fixture.instance.records(LINKS, "")[0]["sync_status"], "error");
    assert_eq!(shown(&mut fixture, &incident, SUPPORT_CASE), pair(("in_sync", "")), "as the incident stands");
    deliver(&mut fixture, &incident, &order);
    assert_eq!(on_incident(&fixture, &incident), pair(("error", "The keys are refused")));
}

#[test]
fn columns_that_the_instance_refuses_are_seen_by_the_next_look() {
    let (mut fixture, incident) = world_with_incident();
    fixture.instance.abort_updates("No updates now", 1);
    let answer = body(&deliver(&mut fixture, &incident, &says(SUPPORT_CASE, ("error", "e"))));
    assert_eq!(answer["result"]["fields"], "refused", "{answer}");
    assert_eq!(answer["result"]["snapshot"]["columns"]["sync_status"], "");
    assert_eq!(shown(&mut fixture, &incident, SUPPORT_CASE), pair(("", "")));
    // If only the fields are refused, the status is written and settled.
    let mut order = says(SUPPORT_CASE, ("error", "e"));
    order["fields"] = json!({"state": "6"});
    let late = another_delivers_before("update", &says(ANOTHER, ("a_new_word", "w")));
    let answer = deliver_where(&mut fixture, &incident, &late, &order);
    assert_eq!(answer["result"]["fields"], "refused", "{answer}");
    assert_eq!(on_incident(&fixture, &incident), pair(("a_new_word", "w")));
}

/// Returns a script that makes another complete delivery just before the next update (or insert) of an incident.
fn another_delivers_before(operation: &str, order: &Value) -> String {
    format!(
        "var own = GlideRecord.prototype.{operation};
        GlideRecord.prototype.{operation} = function () {{
            if (String(this.getTableName()) === 'incident') {{
                GlideRecord.prototype.{operation} = own;
                new CasebridgeDelivery(calls).deliver({order});
            }}
            return own.call(this);
        }};"
    )
}

#[test]
fn of_two_deliveries_at_once_the_last_write_leaves_the_worst() {
    let (error, waiting) = (("error", "The keys are refused"), ("waiting", "AWS does not answer"));
    for (ours, theirs) in [(waiting, error), (error, waiting)] {
        let (mut fixture, incident) = world_with_incident();
        let late = another_delivers_before("update", &says(ANOTHER, theirs));
        let answer = deliver_where(&mut fixture, &incident, &late, &says(SUPPORT_CASE, ours));
        assert_eq!(answer["result"]["fields"], "applied", "{answer}");
        let columns = &answer["result"]["snapshot"]["columns"];
        assert_eq!((&columns["sync_status"], &columns["last_error"]), (&json!(ours.0), &json!(ours.1)));
        assert_eq!(on_incident(&fixture, &incident), pair(error), "{ours:?}");
        assert_eq!(shown(&mut fixture, &incident, SUPPORT_CASE), pair(ours));
        assert_eq!(shown(&mut fixture, &incident, ANOTHER), pair(theirs));
    }
}

#[test]
fn a_worst_that_does_not_come_to_stand_is_written_a_few_times() {
    for (behaviour, expected) in [
        // A rule of the customer writes a status of its own.
        (
            "count += 1; this.x_casebridge_aws_sync_status = 'x' + count; return update.call(this);",
            1 + MAXIMUM_SETTLE_ROUNDS,
        ),
        ("count += 1; this.x_casebridge_aws_sync_status = 'x'; return count === 1 ? update.call(this) : null;", 2),
        ("count += 1; return update.call(this);", 1),
    ] {
        let (mut fixture, incident) = world_with_incident();
        let counted = format!("var count = 0; {}", updates(behaviour));
        let report = "gs.info('updates: ' + count);";
        let source = format!(
            "{counted} var show = CasebridgeIncident.prototype.show;
            CasebridgeIncident.prototype.show = function () {{ {report} return show.apply(this, arguments); }};"
        );
        let answer = deliver_where(&mut fixture, &incident, &source, &says(SUPPORT_CASE, ("error", "e")));
        assert_eq!(answer["result"]["fields"], "applied", "what was asked for was written: {answer}");
        assert_eq!(fixture.logged("info").pop(), Some(format!("updates: {expected}")), "{behaviour}");
    }
}

#[test]
fn an_incident_that_is_deleted_while_the_worst_is_settled_ends_that() {
    let (mut fixture, incident) = world_with_incident();
    // The request reads the incident, then writes it, and then would read it again.
    let answer = deliver_where(&mut fixture, &incident, &gone_after(2), &says(SUPPORT_CASE, ("error", "e")));
    assert_eq!(answer["result"]["fields"], "applied", "{answer}");
}

#[test]
fn of_two_first_words_of_a_link_the_later_stands() {
    let (mut fixture, incident) = world_with_incident();
    let key = format!("{SUPPORT_CASE}:{incident}");
    let values =
        [("link_key", key.as_str()), ("incident", &incident), ("kind", SUPPORT_CASE), ("sync_status", "in_sync")];
    let late = another_inserts_first(LINKS, &values);
    let answer = deliver_where(&mut fixture, &incident, &late, &says(SUPPORT_CASE, ("error", "e")));
    assert_eq!(answer["result"]["fields"], "applied", "{answer}");
    assert_eq!(fixture.instance.records(LINKS, "").len(), 1);
    assert_eq!(on_incident(&fixture, &incident), pair(("error", "e")));
    assert_eq!(shown(&mut fixture, &incident, SUPPORT_CASE), pair(("error", "e")));
}

/// Returns a delivery with everything that a delivery may hold.
fn whole_order(kind: &str, (sync_status, last_error): Status<'_>) -> Value {
    let mut order = message("words", "from AWS");
    order["kind"] = json!(kind);
    order["fields"] = json!({"state": "2"});
    order["columns"] = json!({"case_id": "case-1", "sync_status": sync_status, "last_error": last_error});
    order
}

/// Returns the statuses in the rows of the case's link.
fn rows_of_case(fixture: &Fixture, incident: &str) -> Vec<(String, String)> {
    let rows = fixture.instance.records(LINKS, &format!("link_key={SUPPORT_CASE}:{incident}^ORDERBYsys_id"));
    let column = |row: &Row, name: &str| row.get(name).cloned().unwrap_or_default();
    rows.iter().map(|row| (column(row, "sync_status"), column(row, "last_error"))).collect()
}

const NOT_RECORDED: &str = "The status of the link was not recorded: ";

#[test]
fn a_row_of_a_link_that_cannot_be_written_fails_no_message_and_no_field() {
    let (before, said) = (("in_sync", ""), ("error", "The keys are refused"));
    for obstacle in [Obstacle::Missing, Obstacle::WritesAborted, Obstacle::RowsHidden] {
        for is_known in [false, true] {
            let (mut fixture, incident) = world_with_incident();
            if is_known {
                tell(&mut fixture, &incident, SUPPORT_CASE, before);
            }
            let rows = rows_of_case(&fixture, &incident);
            fixture.instance.hinder(LINKS, obstacle);
            let answer = body(&deliver(&mut fixture, &incident, &whole_order(SUPPORT_CASE, said)))["result"].clone();
            assert_eq!(answer["messages"][0]["outcome"], "applied", "{obstacle:?}: {answer}");
            assert_eq!(answer["fields"], "applied", "{obstacle:?}: {answer}");
            let problem = answer["field_error"].as_str().unwrap();
            assert!(problem.starts_with(NOT_RECORDED), "{problem}");
            assert_eq!(fixture.logged("error"), [format!("casebridge: {problem}")]);
            assert_eq!(answer["snapshot"]["state"], "2");
            assert_eq!(answer["snapshot"]["columns"]["case_id"], "case-1");
            assert_eq!(on_incident(&fixture, &incident), pair(said), "{obstacle:?}");
            assert_eq!(rows_of_case(&fixture, &incident), rows, "{obstacle:?}");
            // The link finds its own status and has nothing to write.
            assert_eq!(shown(&mut fixture, &incident, SUPPORT_CASE), pair(said));
            let count = count_of_updates(&fixture, &incident);
            let again = body(&deliver(&mut fixture, &incident, &whole_order(SUPPORT_CASE, said)))["result"].clone();
            assert_eq!(
                (&again["messages"][0]["outcome"], &again["fields"]),
                (&json!("already_applied"), &json!("applied"))
            );
            assert_eq!(count_of_updates(&fixture, &incident), count);
            fixture.instance.unhinder(LINKS, obstacle);
            tell(&mut fixture, &incident, SUPPORT_CASE, said);
            assert_eq!(rows_of_case(&fixture, &incident), [pair(said)], "{obstacle:?}");
            assert_eq!(shown(&mut fixture, &incident, SUPPORT_CASE), pair(said));
        }
    }
}

#[test]
fn a_row_that_is_hidden_is_not_inserted_anew_each_time() {
    let (mut fixture, incident) = world_with_incident();
    fixture.instance.hinder(LINKS, Obstacle::RowsHidden);
    fixture.instance.hinder(LINKS, Obstacle::NoUniqueIndex);
    for said in [("error", "e"), ("in_sync", "")] {
        tell(&mut fixture, &incident, SUPPORT_CASE, said);
        assert_eq!(on_incident(&fixture, &incident), pair(said));
        assert!(rows_of_case(&fixture, &incident).is_empty());
    }
}

#[test]
fn a_row_that_the_platform_refuses_leaves_the_words_of_the_link_on_the_incident() {
    let row_update = |refusal: &str| {
        format!(
            "var update = GlideRecord.prototype.update;
            GlideRecord.prototype.update = function () {{
                if (String(this.getTableName()) === '{LINKS}') {{ {refusal} }}
                return update.call(this);
            }};"
        )
    };
    for (refusal, reason) in [("return null;", ""), ("throw new Error('no space');", "Error: no space")] {
        for (is_known, broken) in [(false, inserts_are_refused(refusal)), (true, row_update(refusal))] {
            let (mut fixture, incident) = world_with_incident();
            if is_known {
                tell(&mut fixture, &incident, SUPPORT_CASE, ("in_sync", ""));
            }
            let answer = deliver_where(&mut fixture, &incident, &broken, &says(SUPPORT_CASE, ("error", "e")));
            assert_eq!(answer["result"]["fields"], "applied", "{answer}");
            let problem = answer["result"]["field_error"].as_str().unwrap();
            assert!(problem.starts_with(NOT_RECORDED) && problem.contains(reason), "{problem}");
            assert_eq!(fixture.logged("error"), [format!("casebridge: {problem}")]);
            assert_eq!(on_incident(&fixture, &incident), pair(("error", "e")));
        }
    }
}

#[test]
fn a_table_of_links_that_cannot_be_read_fails_no_request() {
    let (mut fixture, incident) = world_with_incident();
    tell(&mut fixture, &incident, SUPPORT_CASE, ("error", "e"));
    let unreadable = format!(
        "var query = GlideRecord.prototype.query;
        GlideRecord.prototype.query = function () {{
            if (String(this.getTableName()) === '{LINKS}') {{ throw new Error('no such table'); }}
            return query.call(this);
        }};"
    );
    let answer = deliver_where(&mut fixture, &incident, &unreadable, &says(SUPPORT_CASE, ("waiting", "w")));
    assert_eq!(answer["result"]["fields"], "applied", "{answer}");
    assert_eq!(answer["result"]["field_error"], format!("{NOT_RECORDED}Error: no such table"));
    assert_eq!(answer["result"]["snapshot"]["columns"]["sync_status"], "waiting");
    assert_eq!(on_incident(&fixture, &incident), pair(("waiting", "w")));
}

#[test]
fn what_is_refused_of_the_incident_and_of_the_row_is_told_together() {
    let (mut fixture, incident) = world_with_incident();
    fixture.instance.hinder(LINKS, Obstacle::WritesAborted);
    let mut order = says(SUPPORT_CASE, ("error", "e"));
    // An end without a close code.
    order["fields"] = json!({"state": "6"});
    let answer = body(&deliver(&mut fixture, &incident, &order))["result"].clone();
    assert_eq!(answer["fields"], "refused", "{answer}");
    let problem = answer["field_error"].as_str().unwrap();
    assert!(problem.starts_with("Data Policy Exception") && problem.contains(NOT_RECORDED), "{problem}");
    assert_eq!(on_incident(&fixture, &incident), pair(("error", "e")), "the columns alone");
}

#[test]
fn what_an_order_leaves_out_stays_where_the_row_cannot_be_written() {
    let (mut fixture, incident) = world_with_incident();
    tell(&mut fixture, &incident, SUPPORT_CASE, ("waiting", "first"));
    fixture.instance.hinder(LINKS, Obstacle::WritesAborted);
    let long = "e".repeat(MAXIMUM_LAST_ERROR_CHARACTERS + 1);
    let answer = body(&deliver(&mut fixture, &incident, &json!({"columns": {"last_error": long}})));
    assert_eq!(answer["result"]["fields"], "applied", "{answer}");
    assert_eq!(on_incident(&fixture, &incident), pair(("waiting", &long[..MAXIMUM_LAST_ERROR_CHARACTERS])));
}

#[test]
fn an_instance_that_answers_null_to_an_update_of_nothing_refuses_nothing() {
    let (mut fixture, incident) = world_with_incident();
    fixture.instance.answer_empty_updates_with_null(true);
    let order = whole_order(SUPPORT_CASE, ("error", "e"));
    for _ in 0..2 {
        let answer = body(&deliver(&mut fixture, &incident, &order))["result"].clone();
        assert_eq!((&answer["fields"], &answer["field_error"]), (&json!("applied"), &json!("")), "{answer}");
    }
    // The worst status does not change, so that nothing is written to the incident.
    tell(&mut fixture, &incident, ANOTHER, ("waiting", "w"));
    tell(&mut fixture, &incident, ANOTHER, ("in_sync", ""));
    assert!(fixture.logged("error").is_empty());
    assert_eq!(on_incident(&fixture, &incident), pair(("error", "e")));
}

#[test]
fn rows_of_an_incident_that_was_merged_into_another_say_nothing_of_that() {
    let (mut fixture, incident) = world_with_incident();
    let duplicate = fixture.instance.copy(fixture.now, "agent", "incident", &incident, &fixture.network).unwrap();
    tell(&mut fixture, &duplicate, SUPPORT_CASE, ("error", "of the duplicate"));
    tell(&mut fixture, &duplicate, ANOTHER, ("error", "of the duplicate"));
    tell(&mut fixture, &incident, SUPPORT_CASE, ("in_sync", ""));
    fixture.instance.repoint(fixture.now, "incident", &duplicate, &incident);
    assert_eq!(fixture.instance.records(LINKS, &format!("incident={incident}")).len(), 3);
    assert_eq!(shown(&mut fixture, &incident, SUPPORT_CASE), pair(("in_sync", "")));
    tell(&mut fixture, &incident, SUPPORT_CASE, ("waiting", "w"));
    assert_eq!(on_incident(&fixture, &incident), pair(("waiting", "w")));
    assert_eq!(shown(&mut fixture, &incident, ANOTHER), pair(("", "")), "it has said nothing of this incident");
    // The duplicate's link delivers its status again, and has its row back.
    tell(&mut fixture, &duplicate, SUPPORT_CASE, ("error", "of the duplicate"));
    assert_eq!(fixture.instance.records(LINKS, &format!("incident={duplicate}")).len(), 1);
    assert_eq!(shown(&mut fixture, &incident, SUPPORT_CASE), pair(("waiting", "w")));
}

#[test]
fn a_row_whose_kind_is_not_that_of_its_key_says_nothing() {
    let (mut fixture, incident) = world_with_incident();
    tell(&mut fixture, &incident, SUPPORT_CASE, ("in_sync", ""));
    let key = format!("{SUPPORT_CASE}:{incident}x");
    let values =
        [("link_key", key.as_str()), ("incident", &incident), ("kind", SUPPORT_CASE), ("sync_status", "error")];
    fixture.put(LINKS, &"e".repeat(32), &values);
    let key = format!("{ANOTHER}:{incident}");
    let values =
        [("link_key", key.as_str()), ("incident", &incident), ("kind", SUPPORT_CASE), ("sync_status", "error")];
    fixture.put(LINKS, &"f".repeat(32), &values);
    assert_eq!(shown(&mut fixture, &incident, SUPPORT_CASE), pair(("in_sync", "")));
    tell(&mut fixture, &incident, SUPPORT_CASE, ("waiting", "w"));
    assert_eq!(on_incident(&fixture, &incident), pair(("waiting", "w")));
    // The link that the row's key names corrects the row.
    tell(&mut fixture, &incident, ANOTHER, ("error", ""));
    assert_eq!(on_incident(&fixture, &incident), pair(("error", "")));
    assert_eq!(shown(&mut fixture, &incident, ANOTHER), pair(("error", "")));
}

#[test]
fn two_rows_of_one_link_become_of_one_mind() {
    let (error, calm) = (("error", "The keys are refused"), ("in_sync", ""));
    let (mut fixture, incident) = world_with_incident();
    fixture.instance.hinder(LINKS, Obstacle::NoUniqueIndex);
    let key = format!("{SUPPORT_CASE}:{incident}");
    let values =
        [("link_key", key.as_str()), ("incident", &incident), ("kind", SUPPORT_CASE), ("sync_status", "error")];
    let late = another_inserts_first(LINKS, &values);
    deliver_where(&mut fixture, &incident, &late, &says(SUPPORT_CASE, calm));
    assert_eq!(rows_of_case(&fixture, &incident).len(), 2, "nothing keeps the second row out");
    // The link's status differs from what it is shown, so it delivers once.
    tell(&mut fixture, &incident, SUPPORT_CASE, calm);
    assert_eq!(rows_of_case(&fixture, &incident), [pair(calm), pair(calm)]);
    assert_eq!(on_incident(&fixture, &incident), pair(calm));
    assert_eq!(shown(&mut fixture, &incident, SUPPORT_CASE), pair(calm));
    tell(&mut fixture, &incident, SUPPORT_CASE, error);
    assert_eq!(rows_of_case(&fixture, &incident), [pair(error), pair(error)]);
    // If only one of the two rows can't be written, this is reported as well.
    let rows = fixture.instance.records(LINKS, "ORDERBYsys_id");
    for row in [&rows[0], &rows[1]] {
        let only = format!(
            "var update = GlideRecord.prototype.update;
            GlideRecord.prototype.update = function () {{
                return String(this.getUniqueValue()) === '{}' ? null : update.call(this);
            }};",
            row["sys_id"]
        );
        let answer = deliver_where(&mut fixture, &incident, &only, &says(SUPPORT_CASE, ("waiting", &row["sys_id"])));
        let problem = answer["result"]["field_error"].as_str().unwrap();
        assert!(problem.starts_with(NOT_RECORDED), "{answer}");
    }
}

#[test]
fn rows_of_others_leave_room_for_those_of_the_incident() {
    let (mut fixture, incident) = world_with_incident();
    for number in 0..MAXIMUM_ROWS {
        let key = format!("a_kind:{number:032x}");
        let values =
            [("link_key", key.as_str()), ("incident", &incident), ("kind", "a_kind"), ("sync_status", "error")];
        fixture.put(LINKS, &format!("{number:032x}"), &values);
    }
    tell(&mut fixture, &incident, SUPPORT_CASE, ("waiting", "w"));
    assert_eq!(on_incident(&fixture, &incident), pair(("waiting", "w")));
}

#[test]
fn more_rows_than_there_are_kinds_are_not_read() {
    let (mut fixture, incident) = world_with_incident();
    let letter = |number: usize| char::from(b'a' + u8::try_from(number).expect("below 26"));
    for number in 0..=MAXIMUM_ROWS {
        let kind = format!("{}{}", letter(number / 26), letter(number % 26));
        let status = if number == MAXIMUM_ROWS { "error" } else { "pending" };
        let key = format!("{kind}:{incident}");
        let values = [
            ("link_key", key.as_str()),
            ("incident", &incident),
            ("kind", &kind),
            ("sync_status", status),
            ("last_error", &kind),
        ];
        // The rows are in another order than the kinds.
        fixture.put(LINKS, &format!("{:032x}", 9_999 - number), &values);
    }
    tell(&mut fixture, &incident, "aa", ("waiting", "w"));
    assert_eq!(on_incident(&fixture, &incident), pair(("waiting", "w")));
}
