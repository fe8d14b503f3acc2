//! The severity of a case: what it is opened with, and what agents are told of it.

use casebridge_core::{
    policy::SeverityRule,
    servicenow::delivery::{DeliveryAnswer, FieldsOutcome, Message, MessageAnswer, MessageKind, MessageOutcome},
    support::{Effect, call::Call, severity::asked},
};

use crate::{
    files::attach,
    sides::{self, Sides, delivery_of},
};

/// Returns sides whose incident has this priority and whose account offers these severities.
fn sides(priority: &str, offered: &[&str]) -> Sides {
    let mut sides = Sides::new();
    priority.clone_into(&mut sides.incident.priority);
    let account = sides.incident.account.as_mut().unwrap();
    account.severities = offered.iter().map(|code| (*code).to_owned()).collect();
    sides
}

fn asked_code(sides: &Sides) -> String {
    asked(&sides.policy, &sides.incident).code
}

/// Returns the messages of the next plan.
fn messages(sides: &mut Sides) -> Vec<Message> {
    let pass = sides.observe();
    let plan = sides.plan(&pass);
    let deliveries = plan.effects.iter().filter(|effect| matches!(effect, Effect::Deliver(_)));
    deliveries.flat_map(|effect| delivery_of(effect).messages.clone()).collect()
}

/// Changes the severity at AWS.
fn change(sides: &mut Sides, severity: &str) {
    severity.clone_into(&mut sides.case.as_mut().unwrap().severity);
}

#[test]
fn a_severity_that_the_plan_lacks_becomes_the_next_lower_one_that_it_has() {
    for (priority, offered, expected) in [
        ("1", &["low", "normal", "high", "urgent", "critical"][..], "critical"),
        ("1", &["low", "normal", "high", "urgent"], "urgent"),
        ("1", &["low", "normal"], "normal"),
        ("3", &["critical", "low"], "low"),
        ("5", &["normal", "high"], "low"),
        ("1", &["gold"], "critical"),
        ("1", &[], "critical"),
    ] {
        assert_eq!(asked_code(&sides(priority, offered)), expected, "{priority} {offered:?}");
    }
}

#[test]
fn a_severity_of_the_policys_own_is_left_to_aws() {
    let mut sides = sides("3", &["low", "normal"]);
    sides.policy.severity_by_priority.insert("3".to_owned(), "platinum".to_owned());
    sides.policy.severity_cap_by_account.insert(sides::ACCOUNT.to_owned(), "low".to_owned());
    assert_eq!(asked_code(&sides), "platinum");
}

#[test]
fn the_policy_caps_the_severity_of_an_account() {
    let mut sides = sides("1", &["low", "normal"]);
    sides.policy.severity_cap_by_account.insert(sides::ACCOUNT.to_owned(), "high".to_owned());
    assert_eq!(asked_code(&sides), "normal", "the plan lacks what the cap allows");
    sides.incident.account.as_mut().unwrap().severities.clear();
    assert_eq!(asked_code(&sides), "high");
    sides.incident.priority = "4".to_owned();
    assert_eq!(asked_code(&sides), "normal", "below the cap");
    sides.policy.severity_cap_by_account.clear();
    sides.policy.severity_cap_by_account.insert("999999999999".to_owned(), "low".to_owned());
    sides.incident.priority = "1".to_owned();
    assert_eq!(asked_code(&sides), "critical", "the cap of another account");
}

#[test]
fn agents_are_told_once_that_a_case_has_a_lower_severity_than_its_incident() {
    let mut sides = sides("1", &["low", "normal", "high"]);
    let pass = sides.observe();
    let plan = sides.plan(&pass);
    let [Effect::Call(Call::OpenCase { request, severity, .. }), ..] = plan.effects.as_slice() else {
        panic!("{plan:?}")
    };
    assert_eq!(request.severity_code, "high");
    assert!(severity.note.is_some());
    sides.settle();
    let told: Vec<_> = sides.told.iter().filter(|message| message.text.contains("severity")).cloned().collect();
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(told.kind, MessageKind::WorkNote);
    assert!(told.text.contains("high instead of critical") && told.text.contains("support plan"), "{}", told.text);
    assert!(sides.link.memory.notes.is_empty() && sides.link.memory.asked_severity.is_none());
}

#[test]
fn a_case_with_the_severity_of_its_incident_has_no_note() {
    let mut sides = sides("3", &["low", "normal", "high"]);
    sides.settle();
    assert!(sides.told.is_empty());
    assert_eq!(sides.link.memory.case.as_ref().unwrap().severity.as_ref().unwrap().code, "high");
}

#[test]
fn a_severity_that_is_changed_at_aws_is_told_in_a_work_note() {
    let mut sides = Sides::linked();
    change(&mut sides, "urgent");
    let [message] = <[Message; 1]>::try_from(messages(&mut sides)).unwrap();
    assert_eq!(message.kind, MessageKind::WorkNote);
    assert!(message.text.contains("from high to urgent"), "{}", message.text);
    sides.settle();
    assert_eq!(messages(&mut sides), []);
    change(&mut sides, "low");
    sides.pass_time(i64::from(sides.policy.unknown_outcome_seconds));
    assert_eq!(messages(&mut sides).len(), 1);
}

/// The pass that told it was not recorded, and the next one begins where that one began.
#[test]
fn a_note_that_is_planned_again_after_an_interruption_has_the_same_name() {
    let mut sides = Sides::linked();
    change(&mut sides, "urgent");
    let first = messages(&mut sides);
    sides.pass_time(7);
    assert_eq!(messages(&mut sides), first);
}

#[test]
fn a_read_that_may_be_from_before_the_change_tells_nothing_and_is_looked_at_again() {
    let mut sides = Sides::linked();
    change(&mut sides, "urgent");
    sides.settle();
    change(&mut sides, "critical");
    assert_eq!(messages(&mut sides), []);
    sides.settle();
    let due = sides.due.expect("it looks again");
    assert!(due.duration_since(sides.now) <= sides.policy.unknown_outcome());
    sides.now = due;
    assert_eq!(messages(&mut sides).len(), 1, "after L it counts");
}

#[test]
fn the_policy_may_set_impact_and_urgency_or_ignore_the_change() {
    let mut sides = Sides::linked();
    sides.policy.severity_changes_at_aws = SeverityRule::SetImpactAndUrgency;
    change(&mut sides, "critical");
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    let delivery = delivery_of(&plan.effects[0]).clone();
    assert_eq!((delivery.fields.impact.as_str(), delivery.fields.urgency.as_str()), ("1", "1"));
    assert_eq!(delivery.fields.state, "");
    let answer = |fields| DeliveryAnswer {
        messages: vec![MessageAnswer {
            external_id: delivery.messages[0].external_id.clone(),
            outcome: MessageOutcome::Applied,
            error: String::new(),
        }],
        fields,
        field_error: String::new(),
        snapshot: sides.snapshot(None),
    };
    pass.delivered(&sides.policy, &delivery, answer(FieldsOutcome::Stale), sides.now, 0);
    assert!(pass.link.memory.severity_to_set.is_some(), "it is tried again");
    pass.delivered(&sides.policy, &delivery, answer(FieldsOutcome::Applied), sides.now, 0);
    assert_eq!(pass.link.memory.severity_to_set, None);

    sides.policy.severity_changes_at_aws = SeverityRule::Ignore;
    assert_eq!(messages(&mut sides), []);
}

/// A worker delivers a note and dies. The next pass finds something else to tell first.
#[test]
fn a_note_has_the_same_name_however_a_pass_is_repeated() {
    let mut sides = Sides::linked();
    change(&mut sides, "urgent");
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    assert!(pass.begin(&plan.effects[0], sides.now), "its number is recorded before it is delivered");
    assert!(!pass.begin(&plan.effects[0], sides.now), "and only then");
    let name = |effect: &Effect| delivery_of(effect).messages[0].external_id.clone();
    let before = name(&plan.effects[0]);
    // The worker has died after the record.
    sides.link = pass.link;
    sides.link.interrupted = true;
    attach(&mut sides, "too-large.log", 200_000_000);
    let pass = sides.observe();
    let plan = sides.plan(&pass);
    assert_eq!(name(&plan.effects[0]), before);
    assert_eq!(delivery_of(&plan.effects[0]).messages.len(), 2);
}

#[test]
fn a_delivery_without_notes_is_not_recorded_first() {
    let mut sides = Sides::linked();
    sides.reply("It is on fire.");
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    assert!(!pass.begin(&plan.effects[0], sides.now));
}

#[test]
fn a_note_that_servicenow_refuses_is_dropped() {
    let mut sides = Sides::linked();
    change(&mut sides, "urgent");
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    let delivery = delivery_of(&plan.effects[0]).clone();
    let refused = MessageAnswer {
        external_id: delivery.messages[0].external_id.clone(),
        outcome: MessageOutcome::Refused,
        error: "a rule of the instance".to_owned(),
    };
    let answer = DeliveryAnswer {
        messages: vec![refused],
        fields: FieldsOutcome::None,
        field_error: String::new(),
        snapshot: sides.snapshot(None),
    };
    assert!(!pass.delivered(&sides.policy, &delivery, answer, sides.now, 0));
    assert!(pass.link.memory.notes.is_empty());
    assert!(pass.link.troubles.active(sides.now).next().is_none(), "it holds up nothing");
}
