//! The incidents of cases that somebody opens at AWS.

use casebridge_core::{
    failure::{Failure, Refusal},
    hint::Cause,
    identifiers::{AccountId, CaseId},
    link::{
        kind::Kind as _,
        pass::Look,
        plan::Waiting,
        trouble::{Request, Side},
    },
    servicenow::delivery::NewIncident,
    support::{Effect, NamedCase, Pass, SupportCase, opened_case::OpenedCase, render::DESCRIPTION_CHARACTERS},
};

use crate::sides::{self, Sides, refusal, unavailable};

/// Plans, and returns the request that opens the incident. Fails if the plan has any other effect.
fn request(sides: &mut Sides, pass: &Pass) -> NewIncident {
    let plan = sides.plan(pass);
    let [Effect::OpenIncident(request)] = plan.effects.as_slice() else { panic!("{plan:?}") };
    request.clone()
}

/// Begins to open the incident, and returns the request and the link as recorded before the call.
fn begun(sides: &mut Sides) -> (NewIncident, Pass) {
    let mut pass = sides.observe();
    let request = request(sides, &pass);
    assert!(pass.begin(&Effect::OpenIncident(request.clone()), sides.now), "it is recorded before the call");
    (request, pass)
}

#[test]
fn a_case_of_others_opens_one_incident_with_its_first_text() {
    let mut sides = Sides::opened_at_aws("It does not answer.");
    let pass = sides.observe();
    let opened = request(&mut sides, &pass);
    assert_eq!(opened.account.as_str(), sides::ACCOUNT);
    assert_eq!((opened.impact.as_str(), opened.urgency.as_str()), ("1", "2"), "urgent");
    assert_eq!((opened.service_code.as_str(), opened.category_code.as_str()), ("amazon-ec2", "other"));
    assert_eq!(opened.columns.own("case_id"), sides::CASE_ID);
    assert_eq!(opened.columns.sync_status, "in_sync");
    let expected = "AWS Support case 1234567890, opened at AWS by Beth Anglin (Role) <beth.anglin@example.com>, \
                    2027-01-15 08:00:01 UTC.\n\nIt does not answer.";
    assert_eq!(opened.description, expected);
    assert_eq!(sides.settle(), ["open_incident"]);
    assert!(sides.link.opening.is_none());
    assert_eq!(sides.bodies().len(), 1, "nothing is sent to AWS");
    assert!(sides.incident.entries.is_empty(), "the first text is in the description");
    assert_eq!(sides.due, None);
}

#[test]
fn what_follows_the_first_text_is_delivered_and_comments_go_out() {
    let mut sides = Sides::opened_at_aws("It does not answer.");
    sides.reply("We look into it.");
    sides.communicate("Beth Anglin (Role) <beth.anglin@example.com>", "Since noon.");
    assert_eq!(sides.settle(), ["open_incident", "deliver"]);
    let texts: Vec<&str> = sides.incident.entries.iter().map(|entry| entry.text.as_str()).collect();
    assert!(
        texts.len() == 2 && texts[0].ends_with("We look into it.") && texts[1].ends_with("Since noon."),
        "{texts:?}"
    );
    sides.comment("e1", "Two hosts are affected.");
    assert_eq!(sides.settle(), ["add_communication"]);
    assert!(sides.bodies()[3].contains("Two hosts are affected."));
}

#[test]
fn a_text_that_a_description_can_not_hold_follows_whole_as_a_comment() {
    let text = "A long line.\n".repeat(400);
    let mut sides = Sides::opened_at_aws(&text);
    assert_eq!(sides.settle(), ["open_incident", "deliver"]);
    let description = &sides.incident.description;
    assert!(description.chars().count() <= DESCRIPTION_CHARACTERS, "{}", description.chars().count());
    assert!(description.ends_with("A long line.\n\n(The whole text follows as a comment.)"), "{description}");
    assert!(sides.incident.entries[0].text.contains(&text));
}

#[test]
fn a_case_that_is_resolved_already_resolves_its_incident() {
    let mut sides = Sides::opened_at_aws("It does not answer.");
    sides.set_status("resolved");
    assert_eq!(sides.settle()[..2], ["open_incident", "deliver"]);
    assert!(sides.incident.summary.state.is_ended());
}

#[test]
fn an_incident_whose_answer_was_lost_is_not_opened_twice_and_its_text_comes_once() {
    let mut sides = Sides::opened_at_aws("It does not answer.");
    let (opened, mut pass) = begun(&mut sides);
    sides.open(&opened);
    pass.incident_not_opened(&sides.policy, &unavailable(), sides.now, 0);
    sides.record(pass);
    assert!(sides.due.is_some(), "it is tried again");
    // AWS redacts the text meanwhile.
    sides.case.as_mut().unwrap().communications[0].body = "It [REDACTED].".to_owned();
    sides.pass_time(60);
    assert_eq!(sides.settle(), ["open_incident"]);
    assert!(sides.incident.entries.is_empty(), "the text is in the description: {:?}", sides.incident.entries);
}

#[test]
fn a_further_try_describes_the_same_text_even_if_an_earlier_one_shows_by_then() {
    let mut sides = Sides::opened_at_aws("The second text.");
    let (first, mut pass) = begun(&mut sides);
    pass.incident_not_opened(&sides.policy, &unavailable(), sides.now, 0);
    sides.record(pass);
    let mut earlier = sides.case.as_ref().unwrap().communications[0].clone();
    earlier.time_created = sides::start();
    earlier.body = "The first text.".to_owned();
    sides.case.as_mut().unwrap().communications.insert(0, earlier);
    sides.pass_time(60);
    let pass = sides.observe();
    let second = request(&mut sides, &pass);
    assert_eq!((second.describes, second.description), (first.describes, first.description));
    assert_eq!(sides.settle(), ["open_incident", "deliver"]);
    assert!(sides.incident.entries[0].text.ends_with("The first text."), "{:?}", sides.incident.entries);
}

#[test]
fn after_an_interrupted_pass_the_incident_is_read_before_it_is_opened() {
    let mut sides = Sides::opened_at_aws("It does not answer.");
    sides.link.interrupted = true;
    let mut unread = sides.unseen();
    assert!(unread.needs_incident());
    sides.see_case(&mut unread);
    let plan = sides.plan(&unread);
    assert!(plan.effects.is_empty() && plan.due().is_some(), "{plan:?}");
    assert_eq!(sides.settle(), ["open_incident"], "it is not there");
    // The other pass had opened it.
    let mut sides = Sides::opened_at_aws("It does not answer.");
    let (opened, pass) = begun(&mut sides);
    sides.open(&opened);
    sides.link = pass.link;
    sides.link.interrupted = true;
    assert_eq!(sides.settle(), Vec::<&str>::new());
    assert!(sides.link.opening.is_none() && sides.incident.entries.is_empty());
}

#[test]
fn a_refused_incident_waits_and_nothing_else_is_written() {
    let mut sides = Sides::opened_at_aws("It does not answer.");
    let (_, mut pass) = begun(&mut sides);
    pass.incident_not_opened(&sides.policy, &refusal(Refusal::InvalidRequest), sides.now, 0);
    let plan = sides.plan(&pass);
    assert!(plan.effects.is_empty(), "{plan:?}");
    assert!(matches!(plan.waits.as_slice(), [Waiting::Refused { refusal: Refusal::InvalidRequest, .. }]), "{plan:?}");
    sides.record(pass);
    sides.reply("We look into it.");
    assert_eq!(sides.pass(), Vec::<&str>::new());
    sides.pass_time(3_600);
    assert_eq!(sides.settle(), ["open_incident", "deliver"]);
}

#[test]
fn a_link_that_has_begun_to_open_a_case_takes_no_case_of_others() {
    let mut sides = Sides::new();
    let mut pass = sides.observe();
    let effect = sides.plan(&pass).effects.remove(0);
    pass.begin(&effect, sides.now);
    let opened = OpenedCase { account: AccountId::new(sides::ACCOUNT), case_id: CaseId::new(sides::CASE_ID) };
    SupportCase::see_record(&mut pass, &sides.policy, &NamedCase::Opened(opened), sides.now);
    assert!(pass.link.memory.case.is_none() && pass.link.opening.is_none());
}

#[test]
fn an_incident_that_is_not_open_yet_is_not_looked_for() {
    let mut sides = Sides::opened_at_aws("It does not answer.");
    for look in [Look::Hint(Cause::ServicenowWebhook), Look::Both, Look::Hint(Cause::SupportEvent)] {
        let mut pass = sides.unseen();
        pass.look(look, sides.now);
        assert!(!pass.asks_for_incident, "{look:?}");
    }
    let (_, mut pass) = begun(&mut sides);
    let in_doubt = Failure::InDoubt { message: "no answer".to_owned() };
    pass.incident_not_opened(&sides.policy, &in_doubt, sides.now, 0);
    assert!(pass.link.opening.is_some() && pass.link.gone_since.is_none());
}

#[test]
fn an_incident_whose_words_servicenow_refuses_twice_is_opened_with_a_placeholder_and_the_words_follow() {
    let mut sides = Sides::opened_at_aws("It does not answer.");
    for _ in 0..2 {
        let (opened, mut pass) = begun(&mut sides);
        assert!(opened.description.contains("It does not answer."));
        pass.incident_not_opened(&sides.policy, &refusal(Refusal::InvalidRequest), sides.now, 0);
        sides.record(pass);
        sides.pass_time(3_600);
    }
    let (opened, _) = begun(&mut sides);
    assert_eq!(opened.short_description, "AWS Support case 1234567890");
    assert!(opened.description.contains("ServiceNow does not accept") && !opened.description.contains("answer"));
    assert_eq!(sides.settle(), ["open_incident", "deliver"]);
    assert!(sides.incident.entries[0].text.contains("It does not answer."));
}

#[test]
fn an_account_without_a_record_changes_nothing_of_the_words_and_is_tried_seldom_after_a_day() {
    let mut sides = Sides::opened_at_aws("It does not answer.");
    for tries in 0..30 {
        let (opened, mut pass) = begun(&mut sides);
        assert!(opened.description.contains("It does not answer."));
        pass.incident_not_opened(&sides.policy, &refusal(Refusal::AccountNotInUse), sides.now, 0);
        sides.record(pass);
        let wait = sides.due.unwrap().duration_since(sides.now);
        assert_eq!(wait.as_hours(), if tries < 24 { 1 } else { 24 }, "{tries}");
        sides.now = sides.due.unwrap();
    }
    assert_eq!(sides.settle(), ["open_incident"]);
}

#[test]
fn a_text_that_is_too_long_for_the_description_is_described_again_although_a_shorter_one_sorts_before_it() {
    let mut sides = Sides::opened_at_aws(&"It does not answer. ".repeat(400));
    let (first, mut pass) = begun(&mut sides);
    pass.incident_not_opened(&sides.policy, &unavailable(), sides.now, 0);
    sides.record(pass);
    let mut short = sides.case.as_ref().unwrap().communications[0].clone();
    short.body = "A word.".to_owned();
    sides.case.as_mut().unwrap().communications.insert(0, short);
    sides.pass_time(60);
    let pass = sides.observe();
    let second = request(&mut sides, &pass);
    assert_eq!((second.describes, second.description), (first.describes, first.description));
    assert_eq!(sides.settle(), ["open_incident", "deliver"]);
    assert_eq!(sides.incident.entries.len(), 2, "each text once: {:?}", sides.incident.entries);
}

/// ServiceNow counts as JavaScript does.
#[test]
fn texts_of_an_incident_are_cut_in_units_of_utf_16() {
    let mut sides = Sides::opened_at_aws(&"\u{1f692}".repeat(1_960));
    let (opened, _) = begun(&mut sides);
    let units = opened.description.encode_utf16().count();
    assert!(units <= DESCRIPTION_CHARACTERS && units > DESCRIPTION_CHARACTERS - 2_100, "{units}");
    assert!(!opened.describes.unwrap().stands_for_it, "the whole text follows");
}

#[test]
fn an_incident_that_is_opened_disproves_what_delayed_it_and_no_other_refusal() {
    let invalid = refusal(Refusal::InvalidRequest);
    for (request, failure, ends) in [
        (Request::Messages, unavailable(), true),
        (Request::Messages, refusal(Refusal::Credentials), true),
        (Request::OpenIncident, invalid.clone(), true),
        (Request::Messages, invalid, false),
    ] {
        let mut sides = Sides::opened_at_aws("It does not answer.");
        let (opened, mut pass) = begun(&mut sides);
        pass.trouble(&sides.policy, Side::ServiceNow, &failure, request.clone(), sides.now, 0);
        let incident = sides.open(&opened);
        pass.incident_opened(&sides.policy, incident, sides.now);
        assert_eq!(pass.link.troubles.is_empty(), ends, "{request:?} {failure:?}");
    }
}

#[test]
fn a_case_of_others_that_can_not_be_read_waits_until_aws_may_be_asked_again() {
    let mut sides = Sides::opened_at_aws("It does not answer.");
    let mut pass = sides.unseen();
    pass.trouble(&sides.policy, Side::Aws, &unavailable(), Request::Read, sides.now, 0);
    let plan = sides.plan(&pass);
    assert!(plan.waits.iter().any(|wait| matches!(wait, Waiting::Backoff { .. })), "{plan:?}");
    assert!(!plan.waits.iter().any(|wait| matches!(wait, Waiting::CaseUnread { .. })), "{plan:?}");
}
