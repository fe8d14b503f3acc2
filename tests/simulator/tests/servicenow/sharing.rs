//! Which texts of an incident the app shows to AWS: comments, shared work notes, and nothing by silent authors.

use casebridge_core::servicenow::incident::Incident;
use serde_json::{Value, json};

use crate::support::{Fixture, INCIDENTS, body, deliver, external_id, incident_in_scope, message};

const WORK_NOTE_PREFIX: &str = "work_note_prefix";
const COMMENT_PREFIX: &str = "comment_prefix";
const SILENT_AUTHORS: &str = "silent_authors";
/// The app's limit of the texts that one page reads.
const PAGE_ENTRIES: usize = 250;
/// More pages than any test here has.
const MAXIMUM_PAGES: usize = 20;

/// Sets a property of the app.
fn set_property(fixture: &mut Fixture, name: &str, value: &str) {
    fixture.instance.set_property(&format!("x_casebridge_aws.{name}"), value);
}

fn save(fixture: &mut Fixture, user: &str, incident: &str, values: &Value) {
    assert_eq!(fixture.update(user, "incident", incident, values).status, 200, "{values}");
}

/// Returns an app with one incident, which has no comment, and the incident.
fn with_incident() -> (Fixture, String) {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let first = fixture.instance.records("sys_journal_field", "element=comments").remove(0);
    fixture.put("sys_journal_field", &first["sys_id"], &[("element_id", "")]);
    (fixture, incident)
}

/// Puts a row into the journal.
fn put_entry(fixture: &mut Fixture, number: usize, incident: &str, values: &[(&str, &str)]) -> String {
    let sys_id = format!("{number:032x}");
    let mut row = vec![
        ("element_id", incident),
        ("element", "work_notes"),
        ("sys_created_by", "agent"),
        ("sys_created_on", "2026-11-20 21:00:01"),
    ];
    row.extend(values);
    fixture.put("sys_journal_field", &sys_id, &row);
    sys_id
}

fn texts(incident: &Incident) -> Vec<&str> {
    incident.entries.iter().map(|entry| entry.text.as_str()).collect()
}

/// Returns the texts that the app shows of an incident on all pages, and how many each page shows.
fn all_pages(fixture: &mut Fixture, incident: &str) -> (Vec<String>, Vec<usize>) {
    let (mut query, mut shown, mut sizes) = (String::new(), Vec::new(), Vec::new());
    while sizes.len() < MAXIMUM_PAGES {
        let page = fixture.page(incident, &query);
        sizes.push(page.entries.len());
        shown.extend(page.entries.iter().map(|entry| entry.text.clone()));
        assert_eq!(page.entries_complete, page.entries_next.is_none());
        let Some(next) = page.entries_next else { return (shown, sizes) };
        let since = casebridge_core::time::format_servicenow(next.since);
        query = format!("entries_since={since}&entries_after={}", next.after);
    }
    panic!("the pages do not end: {sizes:?}");
}

#[test]
fn by_default_every_comment_is_shared_and_no_work_note() {
    let (mut fixture, incident) = with_incident();
    save(
        &mut fixture,
        "agent",
        &incident,
        &json!({"comments": "  [aws] for the customer ", "work_notes": "[aws] secret"}),
    );
    save(&mut fixture, "admin", &incident, &json!({"work_notes": "secret"}));
    assert_eq!(texts(&fixture.snapshot(&incident)), ["  [aws] for the customer "], "a comment is left as it is");
}

#[test]
fn a_work_note_is_shared_by_the_prefix_at_its_beginning_and_without_it() {
    for (prefix, words, shared) in [
        ("[aws]", "[aws] Please look.", Some("Please look.")),
        ("[aws]", "[aws]Please look.", Some("Please look.")),
        ("[aws]", "[AWS] Please look.", Some("Please look.")),
        ("[AWS]", "[aws] Please look.", Some("Please look.")),
        (" [aws] ", "[aws] Please look.", Some("Please look.")),
        ("[aws]", "\r\n \t[aws]\r\nPlease look.\r\nNow. \n", Some("Please look.\r\nNow.")),
        ("[aws]", "[aws] [aws] Please look.", Some("[aws] Please look.")),
        ("für aws:", "FÜR AWS: Bitte", Some("Bitte")),
        ("[aws]", "As agreed: [aws] nothing of this.", None),
        ("[aws]", "Secret\n[aws] Please look.", None),
        ("[aws]", "aws Please look.", None),
        ("[aws]", "[aws", None),
        ("[aws]", "[aws]", None),
        ("[aws]", " [aws] \r\n ", None),
        ("[aws]", "secret", None),
        ("", "[aws] Please look.", None),
        ("  ", "[aws] Please look.", None),
    ] {
        let (mut fixture, incident) = with_incident();
        set_property(&mut fixture, WORK_NOTE_PREFIX, prefix);
        save(&mut fixture, "agent", &incident, &json!({"work_notes": words}));
        let shown = fixture.snapshot(&incident);
        assert_eq!(texts(&shown), shared.into_iter().collect::<Vec<_>>(), "{prefix:?} {words:?}");
        assert!(shown.entries.iter().all(|entry| entry.author == "Alice Tester" && !entry.ours && !entry.undecided));
        assert!(shown.entries.iter().all(casebridge_core::servicenow::incident::JournalEntry::is_for_aws));
    }
}

#[test]
fn comments_may_need_a_prefix_too_and_each_field_has_its_own() {
    let rows = [
        ("", "[w]", vec!["[c] comment", "comment", "note"]),
        ("[c]", "", vec!["comment"]),
        ("[c]", "[w]", vec!["comment", "note"]),
        ("[w]", "[c]", vec![]),
    ];
    for (of_comments, of_notes, mut shared) in rows {
        let (mut fixture, incident) = with_incident();
        set_property(&mut fixture, COMMENT_PREFIX, of_comments);
        set_property(&mut fixture, WORK_NOTE_PREFIX, of_notes);
        for values in [
            json!({"comments": "[c] comment"}),
            json!({"comments": "comment"}),
            json!({"work_notes": "[w] note"}),
            json!({"work_notes": "note"}),
        ] {
            save(&mut fixture, "agent", &incident, &values);
        }
        let shown = fixture.snapshot(&incident);
        let mut words = texts(&shown);
        words.sort_unstable();
        shared.sort_unstable();
        assert_eq!(words, shared, "{of_comments:?} {of_notes:?}");
    }
}

#[test]
fn a_silent_author_is_never_heard() {
    for (silent, is_shared) in [
        ("", true),
        ("agent", false),
        ("AGENT", false),
        ("admin, agent ,nobody", false),
        ("admin,nobody", true),
        ("agen,agents", true),
        ("admin agent", true),
        (" , ,", true),
    ] {
        let (mut fixture, incident) = with_incident();
        set_property(&mut fixture, SILENT_AUTHORS, silent);
        set_property(&mut fixture, WORK_NOTE_PREFIX, "[aws]");
        save(&mut fixture, "agent", &incident, &json!({"comments": "comment", "work_notes": "[aws] note"}));
        let shown = fixture.snapshot(&incident);
        let mut words = texts(&shown);
        words.sort_unstable();
        let expected: &[&str] = if is_shared { &["comment", "note"] } else { &[] };
        assert_eq!(words, expected, "{silent:?}");
    }
    let (mut fixture, incident) = with_incident();
    put_entry(&mut fixture, 1, &incident, &[("element", "comments"), ("sys_created_by", ""), ("value", "by nobody")]);
    assert_eq!(texts(&fixture.snapshot(&incident)), ["by nobody"], "an empty list names no author without a name");
    set_property(&mut fixture, SILENT_AUTHORS, "Agent");
    put_entry(
        &mut fixture,
        1,
        &incident,
        &[("element", "comments"), ("sys_created_by", "AGENT"), ("value", "by Alice")],
    );
    assert_eq!(texts(&fixture.snapshot(&incident)), [""; 0], "names are compared in any case of letters");
}

#[test]
fn a_work_note_stays_at_home_even_if_it_is_read_without_a_prefix() {
    let mut fixture = Fixture::with_app();
    for (element, shared) in [("work_notes", ""), ("comments", "words")] {
        let source = format!("new CasebridgeSharing().shared('{element}', 'agent', 'words')");
        assert_eq!(fixture.script(&source), shared, "{element}");
    }
}

#[test]
fn nothing_that_stays_at_home_is_in_an_answer() {
    let (mut fixture, incident) = with_incident();
    set_property(&mut fixture, WORK_NOTE_PREFIX, "[aws]");
    set_property(&mut fixture, COMMENT_PREFIX, "[aws]");
    set_property(&mut fixture, SILENT_AUTHORS, "admin");
    for (user, values) in [
        ("agent", json!({"work_notes": "secret 1", "comments": "secret 2"})),
        ("agent", json!({"work_notes": "secret 3 [aws]", "comments": "secret 4 [aws]"})),
        ("admin", json!({"work_notes": "[aws] secret 5", "comments": "[aws] secret 6"})),
    ] {
        save(&mut fixture, user, &incident, &values);
    }
    let target = format!("{INCIDENTS}/{incident}/snapshot?kind=support_case");
    let answers = [
        fixture.call("casebridge", "GET", &target, None),
        deliver(&mut fixture, &incident, &message("one", "from AWS")),
    ];
    for answer in answers {
        let words = crate::support::text(&answer);
        assert_eq!(answer.status, 200, "{words}");
        assert!(!words.contains("secret"), "{words}");
    }
    fixture.run_jobs();
    let sent = fixture.sent();
    assert!(!sent.is_empty());
    for (_, request) in sent {
        assert!(!String::from_utf8_lossy(&request.body).contains("secret"));
    }
}

#[test]
fn what_casebridge_delivered_is_never_shared_whatever_it_begins_with() {
    let (mut fixture, incident) = with_incident();
    set_property(&mut fixture, WORK_NOTE_PREFIX, "[aws]");
    let note = |name: &str, words: &str| json!({"messages": [{"external_id": external_id(name), "text": words, "kind": "work_note"}]});
    assert_eq!(deliver(&mut fixture, &incident, &note("one", "[aws] a reply of AWS")).status, 200);
    // A delivery of another kind of link is no more a person's.
    let mut other = note("two", "[aws] a word of another link");
    other["kind"] = json!("another_kind");
    assert_eq!(deliver(&mut fixture, &incident, &other).status, 200);
    assert_eq!(texts(&fixture.snapshot(&incident)), [""; 0]);
    // A comment is shown as before, as ours, with all of its text.
    set_property(&mut fixture, COMMENT_PREFIX, "[aws]");
    let answer = body(&deliver(&mut fixture, &incident, &message("three", "[aws] a comment of AWS")));
    let shown: Incident = serde_json::from_value(answer["result"]["snapshot"].clone()).unwrap();
    assert_eq!(texts(&shown), ["[aws] a comment of AWS"]);
    assert!(shown.entries[0].ours);
    set_property(&mut fixture, SILENT_AUTHORS, "casebridge");
    assert_eq!(fixture.snapshot(&incident).entries, shown.entries, "whoever wrote it");
}

#[test]
fn a_shared_text_of_unclear_origin_is_undecided_and_a_private_one_stays() {
    for (element, words, shown) in [
        ("work_notes", "[aws] by whom?", Some("by whom?")),
        ("work_notes", "by whom?", None),
        ("comments", "[aws] by whom?", Some("by whom?")),
        ("comments", "by whom?", None),
    ] {
        let (mut fixture, incident) = with_incident();
        set_property(&mut fixture, WORK_NOTE_PREFIX, "[aws]");
        set_property(&mut fixture, COMMENT_PREFIX, "[aws]");
        // The integration user wrote it, and no finished delivery names it.
        put_entry(
            &mut fixture,
            1,
            &incident,
            &[("element", element), ("sys_created_by", "casebridge"), ("value", words)],
        );
        let snapshot = fixture.snapshot(&incident);
        assert_eq!(texts(&snapshot), shown.into_iter().collect::<Vec<_>>(), "{element} {words}");
        assert!(snapshot.entries.iter().all(|entry| entry.undecided && !entry.ours));
    }
}

#[test]
fn comments_and_shared_work_notes_are_in_one_order() {
    let (mut fixture, incident) = with_incident();
    set_property(&mut fixture, WORK_NOTE_PREFIX, "[aws]");
    for (number, element, second) in
        [(5, "comments", 1), (4, "work_notes", 1), (3, "comments", 2), (2, "work_notes", 3), (1, "comments", 3)]
    {
        let (words, second) = (format!("[aws] {number}"), format!("2026-11-20 21:00:0{second}"));
        put_entry(
            &mut fixture,
            number,
            &incident,
            &[("element", element), ("value", &words), ("sys_created_on", &second)],
        );
    }
    let shown = fixture.snapshot(&incident);
    assert_eq!(texts(&shown), ["4", "[aws] 5", "[aws] 3", "[aws] 1", "2"]);
    let second = fixture.page(&incident, "entries_since=2026-11-20 21:00:02");
    assert_eq!(texts(&second), ["[aws] 3", "[aws] 1", "2"]);
}

#[test]
fn pages_of_private_work_notes_alone_lead_on_to_what_is_shared() {
    let (mut fixture, incident) = with_incident();
    set_property(&mut fixture, WORK_NOTE_PREFIX, "[aws]");
    // Two pages and a half of private notes of one second, between shared ones.
    let private = PAGE_ENTRIES * 5 / 2;
    put_entry(&mut fixture, 0, &incident, &[("value", "[aws] first"), ("sys_created_on", "2026-11-20 21:00:00")]);
    for number in 1..=private {
        put_entry(&mut fixture, number, &incident, &[("value", "secret")]);
    }
    put_entry(&mut fixture, private + 1, &incident, &[("value", "[aws] last")]);
    assert_eq!(all_pages(&mut fixture, &incident), (vec!["first".to_owned(), "last".to_owned()], vec![1, 0, 1]));
    // Without a prefix no work note is read at all.
    set_property(&mut fixture, WORK_NOTE_PREFIX, "");
    assert_eq!(all_pages(&mut fixture, &incident), (vec![], vec![0]));
}

#[test]
fn a_page_reads_so_many_texts_whether_they_are_shown_or_not() {
    for (private, sizes) in [(PAGE_ENTRIES - 1, vec![1]), (PAGE_ENTRIES, vec![0, 1])] {
        let (mut fixture, incident) = with_incident();
        set_property(&mut fixture, WORK_NOTE_PREFIX, "[aws]");
        for number in 0..private {
            put_entry(&mut fixture, number, &incident, &[("value", "secret")]);
        }
        put_entry(&mut fixture, private, &incident, &[("value", "[aws] last")]);
        assert_eq!(all_pages(&mut fixture, &incident), (vec!["last".to_owned()], sizes), "{private}");
    }
    // The characters of private notes count as well: a log in a note costs what it costs.
    let (mut fixture, incident) = with_incident();
    set_property(&mut fixture, WORK_NOTE_PREFIX, "[aws]");
    let long = "x".repeat(150_000);
    for number in 0..3 {
        put_entry(&mut fixture, number, &incident, &[("value", &long)]);
    }
    put_entry(&mut fixture, 3, &incident, &[("value", "[aws] last")]);
    assert_eq!(all_pages(&mut fixture, &incident), (vec!["last".to_owned()], vec![0, 0, 1]));
}

#[test]
fn a_shared_work_note_has_the_count_of_its_update_and_not_that_of_a_comment() {
    let (mut fixture, incident) = with_incident();
    set_property(&mut fixture, WORK_NOTE_PREFIX, "[aws]");
    // The same words in both fields, and twice within one second.
    save(&mut fixture, "agent", &incident, &json!({"work_notes": "[aws] ok"}));
    save(&mut fixture, "agent", &incident, &json!({"comments": "[aws] ok"}));
    let shown = fixture.snapshot(&incident);
    let count_of = |words: &str| shown.entries.iter().find(|entry| entry.text == words).unwrap().mod_count;
    assert_eq!((count_of("ok"), count_of("[aws] ok")), (Some(1), Some(2)));
}

#[test]
fn a_shared_work_note_announces_its_incident_and_the_webhook_holds_none_of_it() {
    let (mut fixture, incident) = with_incident();
    set_property(&mut fixture, WORK_NOTE_PREFIX, "[aws]");
    fixture.run_jobs();
    fixture.sent();
    save(&mut fixture, "agent", &incident, &json!({"work_notes": "[aws] Please look."}));
    fixture.run_jobs();
    let sent = fixture.sent();
    assert_eq!(sent.len(), 1);
    assert!(!String::from_utf8_lossy(&sent[0].1.body).contains("look"));
}

#[test]
fn only_the_platforms_administrator_decides_what_is_shared() {
    let (fixture, _) = with_incident();
    for name in [WORK_NOTE_PREFIX, COMMENT_PREFIX, SILENT_AUTHORS] {
        let row = fixture.instance.records("sys_properties", &format!("name=x_casebridge_aws.{name}")).remove(0);
        assert_eq!((row["type"].as_str(), row["write_roles"].as_str()), ("string", "admin"), "{name}");
        assert_eq!(row.get("value").map_or("", String::as_str), "", "{name}: nothing is set at first");
    }
}
