//! The numbered rules of the design. Each has a story for every sequence of events that it guards against.

use casebridge_core::{
    failure::Refusal,
    identifiers::{AccountId, LinkKey},
    policy::OldCaseRule,
    servicenow::{delivery::MessageKind, incident::IncidentState},
    support::SupportCase,
};
use casebridge_simulation::{
    calls::{Fate, RemoteCall},
    invariants::Invariant,
    sabotage::Sabotage,
    script::Script,
    servicenow::model::Change,
    settings::SELDOM,
    world::ACCOUNTS,
};
use jiff::SignedDuration;

/// L of the default policy, in seconds.
const MAXIMUM_DOUBT: i64 = 900;

/// Two workers handle hints of one link at the same time. Only one of them acts, and the other's hint is not lost.
#[test]
fn rule_1_lease_two_workers_on_one_link() {
    let mut world = Script::new();
    let incident = world.open("It does not answer. «d1»");
    // The message becomes visible again while the first worker still handles it.
    world.until(RemoteCall::CreateCase, 1);
    world.life.desk.world.borrow_mut().queue.show(1, jiff::Timestamp::UNIX_EPOCH);
    world.comment(&incident, "Written meanwhile «c2»");
    world.until(RemoteCall::TakeLease, 2);
    assert_eq!(world.calls(RemoteCall::Release), 0, "the workers did not overlap: {}", world.story());
    world.settle();
    assert_eq!(world.cases(&incident).len(), 1, "{}", world.story());
    assert_eq!(world.count_on_case(&incident, "«c2»"), 1, "{}", world.story());
    world.must_hold();
}

/// The answer to the write of the lease is lost. The client's repeat, or the next message, still gets the lease.
#[test]
fn rule_1_lease_whose_answer_was_lost() {
    let mut world = Script::new();
    world.fate(RemoteCall::TakeLease, &[Fate::AnswerLost]);
    let incident = world.open("It does not answer. «d1»");
    world.settle();
    assert_eq!(world.cases(&incident).len(), 1, "{}", world.story());
    world.must_hold();
}

/// A worker dies while it holds the lease. The link is due at the lease's end, even if no hint comes.
#[test]
fn rule_1_lease_of_a_dead_worker_ends() {
    let mut world = Script::new();
    let incident = world.linked();
    world.fate(RemoteCall::DescribeCases, &[Fate::DiedBefore]);
    world.comment(&incident, "Anybody there? «c1»").settle();
    assert_eq!(world.count_on_case(&incident, "«c1»"), 1, "{}", world.story());
    world.must_hold();
}

/// The process dies right after CreateCase. Because of the intent the next one looks for the case before it acts.
#[test]
fn rule_2_intent_before_effect() {
    let mut world = Script::new();
    world.fate(RemoteCall::CreateCase, &[Fate::DiedAfter]);
    let incident = world.open("It does not answer. «d1»");
    world.settle();
    assert_eq!(world.cases(&incident).len(), 1, "{}", world.story());
    world.must_hold();
}

/// A refused call was certainly not applied, so it is repeated without waiting for L.
#[test]
fn rule_2_refused_is_not_in_doubt() {
    let mut world = Script::new();
    world.fate(RemoteCall::CreateCase, &[Fate::Refused]);
    let incident = world.open("It does not answer. «d1»");
    world.wait(MAXIMUM_DOUBT / 3);
    assert_eq!(world.cases(&incident).len(), 1, "{}", world.story());
    world.must_hold();
}

/// People copy our text with its mark. The earliest text is ours, the copies are theirs and reach the incident.
#[test]
fn rule_3_mark_copied_by_people() {
    let mut world = Script::new();
    let incident = world.linked();
    let ours = world.bodies(&incident)[0].clone();
    let first_line = ours.lines().next().unwrap().to_owned();
    for (number, author) in [(1, None), (2, Some("Admin (Role) <root@111122223333.example>"))] {
        world.write_on_case(&incident, &format!("{first_line}\n\nA copy «m{number}»"), author).settle();
        assert_eq!(world.count_on_incident(&incident, &format!("«m{number}»")), 1, "{}", world.story());
    }
    assert_eq!(world.delivered(&incident).len(), 2, "our own text came back: {}", world.story());
    world.must_hold();
}

/// A person in ServiceNow pastes our mark into a comment. It is sent as any other comment.
#[test]
fn rule_3_mark_in_a_comment() {
    let mut world = Script::new();
    let incident = world.linked();
    let first_line = world.bodies(&incident)[0].lines().next().unwrap().to_owned();
    world.comment(&incident, &format!("{first_line}\n\nI wrote this «c1»")).settle();
    assert_eq!(world.count_on_case(&incident, "«c1»"), 1, "{}", world.story());
    assert_eq!(world.delivered(&incident).len(), 0, "{}", world.story());
    world.must_hold();
}

/// A person pastes our mark of one case into the incident of another one. It is sent as any other comment, and nothing of it is
/// taken for ours on either case.
#[test]
fn rule_3_mark_of_another_incident_in_a_comment() {
    let mut world = Script::new();
    let (one, other) = (world.linked(), world.linked());
    let first_line = world.bodies(&one)[0].lines().next().unwrap().to_owned();
    world.comment(&other, &format!("{first_line}\n\nSee the other one «c1»")).settle();
    world.reply(&one, "Here «r2»").reply(&other, "There «r3»").settle();
    assert_eq!((world.count_on_case(&one, "«c1»"), world.count_on_case(&other, "«c1»")), (0, 1), "{}", world.story());
    assert_eq!((world.delivered(&one).len(), world.delivered(&other).len()), (1, 1), "{}", world.story());
    world.must_hold();
}

/// The answer is lost and reads do not show the effect yet. Nothing is repeated before L.
#[test]
fn rule_4_doubt_waits_for_late_reads() {
    let mut world = Script::new();
    world.fate(RemoteCall::CreateCase, &[Fate::AnswerLost]).lag(MAXIMUM_DOUBT / 2);
    let incident = world.open("It does not answer. «d1»");
    world.wait(MAXIMUM_DOUBT / 3);
    assert_eq!(world.calls(RemoteCall::CreateCase), 1, "{}", world.story());
    world.lag(0).settle();
    assert_eq!(world.cases(&incident).len(), 1, "{}", world.story());
    world.must_hold();
}

/// The request never arrived. It is repeated once, after L and not before.
#[test]
fn rule_4_doubt_ends_after_the_longest_time() {
    let mut world = Script::new();
    world.fate(RemoteCall::CreateCase, &[Fate::RequestLost]);
    let incident = world.open("It does not answer. «d1»");
    world.wait(MAXIMUM_DOUBT - 60);
    assert_eq!(world.cases(&incident).len(), 0, "{}", world.story());
    world.wait(180);
    assert_eq!(world.cases(&incident).len(), 1, "{}", world.story());
    assert_eq!(world.calls(RemoteCall::CreateCase), 2, "{}", world.story());
    world.must_hold();
}

/// The request is applied after its caller has died. Nothing is doubled.
#[test]
fn rule_4_doubt_about_a_late_landing() {
    let mut world = Script::new();
    let incident = world.linked();
    world.fate(RemoteCall::AddCommunication, &[Fate::DiedLandsLate]);
    world.comment(&incident, "Slowly «c1»").settle();
    assert_eq!(world.count_on_case(&incident, "«c1»"), 1, "{}", world.story());
    world.must_hold();
}

/// Nothing follows a call in doubt: if a comment were applied late, it would reopen the case that was resolved after
/// it.
#[test]
fn rule_4_nothing_follows_an_effect_in_doubt() {
    let mut world = Script::new();
    let incident = world.linked();
    world.fate(RemoteCall::AddCommunication, &[Fate::RequestLost]);
    world.comment(&incident, "Lost at first «c1»").set_state(&incident, IncidentState::Resolved);
    world.wait(60);
    assert_eq!(world.calls(RemoteCall::ResolveCase), 0, "{}", world.story());
    world.settle();
    assert_eq!(world.status(&incident), "resolved", "{}", world.story());
    assert_eq!(world.count_on_case(&incident, "«c1»"), 1, "{}", world.story());
    world.must_hold();
}

/// The event of a case arrives before our CreateCase has stored its link. The mark leads to the link.
#[test]
fn rule_5_adopt_by_the_mark() {
    let mut world = Script::new();
    world.fate(RemoteCall::CreateCase, &[Fate::DiedAfter]);
    let incident = world.open("It does not answer. «d1»");
    world.settle();
    assert_eq!(world.life.desk.world.borrow().servicenow.incidents.len(), 1);
    assert!(world.calls(RemoteCall::LinkOfOpenIntent) > 0, "the event did not ask for the mark: {}", world.story());
    assert_eq!(world.cases(&incident).len(), 1, "{}", world.story());
    world.must_hold();
}

/// A case that somebody opened at AWS names our incident in its subject and its text. It is not taken for ours.
#[test]
fn rule_5_adopt_no_case_of_others() {
    let mut world = Script::new();
    let incident = world.linked();
    let subject = world.case(&incident).unwrap().subject;
    world.life.desk.world.borrow_mut().open_own_case(ACCOUNTS[0].0, &subject, "low", "Looks like it «o1»");
    world.settle();
    assert_eq!(world.delivered(&incident).len(), 0, "{}", world.story());
    world.must_hold();
}

/// Equal texts of the same author are different communications, and each is delivered.
#[test]
fn rule_6_identity_of_equal_texts() {
    let mut world = Script::new();
    let incident = world.linked();
    world.reply(&incident, "Any news?").reply(&incident, "Any news?").settle();
    assert_eq!(world.count_on_incident(&incident, "Any news?"), 2, "{}", world.story());
    world.comment(&incident, "k").comment(&incident, "k").settle();
    assert_eq!(world.bodies(&incident).iter().filter(|body| body.ends_with("\n\nk")).count(), 2, "{}", world.story());
    world.must_hold();
}

/// ServiceNow dies after each of the records of a delivery in turn. The message is there once.
#[test]
fn rule_7_servicenow_stops_between_two_records() {
    for seed in 1..=20 {
        let mut world = Script::with(|settings| settings.seed = seed);
        let incident = world.linked();
        world.fate(RemoteCall::Deliver, &[Fate::Stopped, Fate::Stopped]);
        world.reply(&incident, "We look into it «r1»").settle();
        assert_eq!(world.count_on_incident(&incident, "«r1»"), 1, "seed {seed}: {}", world.story());
        world.must_hold();
    }
}

/// The incident changes between the plan and the delivery. The message is delivered, the fields wait for a new plan.
#[test]
fn rule_7_fields_only_on_a_match() {
    let mut world = Script::new();
    let incident = world.linked();
    let deliveries = world.calls(RemoteCall::Deliver);
    world.reply(&incident, "Solved «r1»").set_status(&incident, "resolved");
    // The agent saves while the delivery is under way.
    world.until(RemoteCall::Deliver, deliveries + 1);
    world.set_state(&incident, IncidentState::OnHold).wait(1);
    assert_eq!(world.count_on_incident(&incident, "«r1»"), 1, "{}", world.story());
    assert!(world.calls(RemoteCall::Deliver) > deliveries + 1, "the fields were not planned anew: {}", world.story());
    world.must_hold();
}

/// An agent comments and resolves in one save. The case gets the comment, then it is resolved, and it stays resolved.
#[test]
fn rule_8_order_comment_and_resolve_in_one_save() {
    let mut world = Script::new();
    let incident = world.linked();
    let change = Change {
        comment: Some("The last word «c1»".to_owned()),
        state: Some(IncidentState::Resolved),
        closing: Some(("Solution provided".to_owned(), "Done.".to_owned())),
        ..Change::default()
    };
    world.save(&incident, &change).settle();
    assert_eq!(world.count_on_case(&incident, "«c1»"), 1, "{}", world.story());
    assert_eq!(world.status(&incident), "resolved", "{}", world.story());
    assert_eq!(world.state(&incident), IncidentState::Resolved, "{}", world.story());
    world.must_hold();
}

/// Only a comment that is later than the resolution reopens. Then both sides are open.
#[test]
fn rule_8_order_a_later_comment_reopens() {
    let mut world = Script::new();
    let incident = world.linked();
    world.set_state(&incident, IncidentState::Resolved).settle();
    assert_eq!(world.status(&incident), "resolved", "{}", world.story());
    world.wait(5).comment(&incident, "Not solved «c1»").settle();
    assert_eq!(world.state(&incident), IncidentState::InProgress, "{}", world.story());
    assert_eq!(world.status(&incident), "reopened", "{}", world.story());
    world.must_hold();
}

/// A reply on a resolved case reopens both. A case that reads show as resolved is not resolved again.
#[test]
fn rule_8_order_reopened_at_aws() {
    let mut world = Script::new();
    let incident = world.linked();
    world.set_state(&incident, IncidentState::Resolved).settle();
    let resolutions = world.calls(RemoteCall::ResolveCase);
    assert_eq!(resolutions, 1, "{}", world.story());
    world.wait(5).reply(&incident, "One more question «r1»").settle();
    assert_eq!(world.state(&incident), IncidentState::InProgress, "{}", world.story());
    assert_eq!(world.calls(RemoteCall::ResolveCase), resolutions, "{}", world.story());
    world.must_hold();
}

/// A side fails. The link gets a due time, the message is done, and other links go on.
#[test]
fn rule_10_waits_are_wake_ups() {
    let mut world = Script::with(|settings| settings.hints = false);
    let incident = world.open("It does not answer. «d1»");
    world.fate(RemoteCall::CreateCase, &[Fate::Refused; 10]);
    world.wait(90);
    let key = LinkKey::support_case(incident.clone());
    let link = world.life.desk.ledger.link::<SupportCase>(&key).unwrap().unwrap();
    assert!(!link.troubles.is_empty(), "{}", world.story());
    assert!(world.life.desk.world.borrow().queue.is_empty(), "the message blocks its group: {}", world.story());
    world.settle();
    assert_eq!(world.cases(&incident).len(), 1, "{}", world.story());
    world.must_hold();
}

/// The ledger fails at each of its calls in turn. The message comes again within seconds and finds the link free.
#[test]
fn rule_10_a_failing_ledger_delays_by_seconds() {
    for call in [RemoteCall::TakeLease, RemoteCall::Record, RemoteCall::Release] {
        let mut world = Script::new();
        let incident = world.linked();
        let before = world.calls(call);
        world.fate(call, &[Fate::Refused]);
        world.comment(&incident, "Anybody there? «c1»").wait(10);
        assert!(world.calls(call) > before + 1, "{call:?} was not tried again: {}", world.story());
        assert_eq!(world.count_on_case(&incident, "«c1»"), 1, "{}", world.story());
        let report = world.look_again(&incident).unwrap();
        assert_eq!((report.deferred, report.effects), (false, Vec::new()), "{}", world.story());
        world.must_hold();
    }
}

/// Every hint is lost. The poller brings both sides in step.
#[test]
fn rule_10_no_hint_at_all() {
    let mut world = Script::with(|settings| settings.hints = false);
    let incident = world.open("It does not answer. «d1»");
    world.settle();
    world.reply(&incident, "We look into it «r1»").comment(&incident, "Thanks «c2»").wait(130);
    assert_eq!(world.count_on_incident(&incident, "«r1»"), 1, "{}", world.story());
    assert_eq!(world.count_on_case(&incident, "«c2»"), 1, "{}", world.story());
    world.must_hold();
}

/// ServiceNow is down for an hour, and every worker waits for it. The queue holds a few hints for each due link, not
/// one for each poll. After the hour each link costs one pass.
#[test]
fn rule_10_an_outage_piles_up_no_hints() {
    const LINKS: usize = 12;
    let mut world = Script::with(|settings| (settings.hints, settings.wakes) = (false, false));
    let incidents: Vec<_> = (1..=LINKS).map(|number| world.open(&format!("It does not answer. «d{number}»"))).collect();
    // The first poll's workers stay and try three times. The second poll's don't stay, and there are two for each link.
    world.fate(RemoteCall::Snapshot, &[Fate::Refused; 5 * LINKS]);
    world.wait(90);
    let links = world.life.desk.ledger.link_keys();
    assert_eq!(links.len(), LINKS, "not every link waits: {}", world.story());
    world.life.desk.world.borrow_mut().queue.hold(true);
    world.fate(RemoteCall::Changes, &[Fate::Refused; 60]);
    world.wait(3_600);
    let piled_up = world.life.desk.world.borrow().queue.len();
    assert!(piled_up <= 7 * LINKS, "{piled_up} hints for {LINKS} links in an hour of polls every minute");
    let looks = world.calls(RemoteCall::Snapshot);
    world.life.desk.world.borrow_mut().queue.hold(false);
    world.life.follow_up();
    world.wait(30);
    let looks = world.calls(RemoteCall::Snapshot) - looks;
    assert!(looks <= 2 * LINKS as u64, "{looks} reads of {LINKS} incidents: {}", world.story());
    world.settle();
    for incident in &incidents {
        assert_eq!(world.cases(incident).len(), 1, "{}", world.story());
    }
    world.must_hold();
}

/// The poller dies between its claims and the queue. The claimed links are due again ten minutes later, and not before.
#[test]
fn rule_10_a_dead_pollers_claims_cost_ten_minutes() {
    let mut world = Script::with(|settings| (settings.hints, settings.wakes) = (false, false));
    let incident = world.linked();
    world.fate(RemoteCall::Deliver, &[Fate::Refused; 3]);
    world.reply(&incident, "We look into it «r1»");
    // The reply is seen, the delivery is refused, and the link waits.
    let delivered = world.calls(RemoteCall::Deliver);
    world.until(RemoteCall::Deliver, delivered + 3);
    world.fate(RemoteCall::Enqueue, &[Fate::DiedBefore]);
    let polled = world.calls(RemoteCall::ClaimDue);
    world.until(RemoteCall::ClaimDue, polled + 1);
    world.wait(9 * 60);
    assert_eq!(world.count_on_incident(&incident, "«r1»"), 0, "the claim was not kept: {}", world.story());
    world.wait(3 * 60);
    assert_eq!(world.count_on_incident(&incident, "«r1»"), 1, "{}", world.story());
    world.must_hold();
}

/// AWS refuses one account. The other account's link is not affected; the refused one shows an error and recovers.
#[test]
fn rule_11_poison_stays_alone() {
    let mut world = Script::new();
    let refused = Refusal::Subscription;
    let account = AccountId::new(ACCOUNTS[0].0);
    world.life.desk.world.borrow_mut().refused_accounts.insert(account, refused);
    let poisoned = world.open("In the account without a plan «d1»");
    let other = world.open_in(ACCOUNTS[1].1, "In the other account «d2»");
    world.wait(300);
    assert_eq!(world.cases(&other).len(), 1, "{}", world.story());
    let (status, error) = world.sync_status(&poisoned);
    assert_eq!((status.as_str(), error.is_empty()), ("error", false), "{}", world.story());
    world.settle();
    assert_eq!(world.cases(&poisoned).len(), 1, "{}", world.story());
    world.must_hold();
}

/// One id that AWS does not know fails the whole DescribeCases. The other cases are polled all the same.
#[test]
fn rule_11_one_unknown_case() {
    let mut world = Script::with(|settings| settings.hints = false);
    let first = world.open("The first «d1»");
    world.settle();
    let polls = world.calls(RemoteCall::DueLinks);
    world.until(RemoteCall::DueLinks, polls + 1);
    // Reads lag so much that the next poll asks for the second case and AWS does not show it yet.
    world.wait(1).lag(70).reply(&first, "News «r3»");
    let second = world.open("The second «d2»");
    world.wait(130);
    assert_eq!(world.count_on_incident(&first, "«r3»"), 1, "{}", world.story());
    assert_eq!(world.cases(&second).len(), 1);
    world.must_hold();
}

/// Writes beyond the bound are deferred, the incident says so, and nothing is dropped.
#[test]
fn rule_12_bounds_defer_and_drop_nothing() {
    let mut world = Script::with(|settings| settings.policy.writes_per_window = 5);
    let incident = world.linked();
    for number in 1..=12 {
        world.comment(&incident, &format!("One of many «c{number}»")).wait(2);
    }
    let sent = (1..=12).filter(|number| world.count_on_case(&incident, &format!("«c{number}»")) > 0).count();
    assert!(sent < 12, "the breaker never tripped: {}", world.story());
    assert_eq!(world.sync_status(&incident).0, "waiting", "{}", world.story());
    world.settle();
    for number in 1..=12 {
        assert_eq!(world.count_on_case(&incident, &format!("«c{number}»")), 1, "{}", world.story());
    }
    world.must_hold();
}

/// Work notes are never sent.
#[test]
fn work_notes_stay() {
    let mut world = Script::new();
    let incident = world.linked();
    world.save(&incident, &Change { work_note: Some("«SECRET1»".to_owned()), ..Change::default() }).settle();
    assert_eq!(world.count_on_case(&incident, "SECRET"), 0, "{}", world.story());
    world.must_hold();
}

/// A work note that begins with the prefix goes to AWS without it. One that quotes the prefix stays, and so does a note
/// of casebridge itself.
#[test]
fn a_work_note_that_is_marked_is_shared_and_no_other() {
    let mut world = Script::with(|settings| {
        settings.sharing.work_note_prefix = "[aws]".to_owned();
        settings.policy.replies_become = MessageKind::WorkNote;
    });
    let incident = world.linked();
    for note in ["[AWS] Please look at this «n1»", "They want [aws] in front «SECRET1»", "Nobody knows «SECRET2»"]
    {
        world.save(&incident, &Change { work_note: Some(note.to_owned()), ..Change::default() });
    }
    world.reply(&incident, "[aws] We look into it «r1»").settle();
    assert_eq!(world.count_on_case(&incident, "«n1»"), 1, "{}", world.story());
    assert_eq!(world.count_on_case(&incident, "SECRET"), 0, "{}", world.story());
    assert_eq!(world.count_on_case(&incident, "[AWS]"), 0, "the prefix is not for AWS: {}", world.story());
    assert_eq!(world.count_on_case(&incident, "«r1»"), 1, "{}", world.story());
    world.must_hold();
}

/// After the end a shared work note reopens both sides, as a comment does. What stays in ServiceNow reopens nothing.
#[test]
fn only_what_is_shared_reopens() {
    for (user, change, reopens) in [
        ("abel.tuter", Change { work_note: Some("[aws] Not yet «n1»".to_owned()), ..Change::default() }, true),
        ("abel.tuter", Change { work_note: Some("Not yet «SECRET1»".to_owned()), ..Change::default() }, false),
        ("batch.robot", Change { comment: Some("Not yet «SECRET1»".to_owned()), ..Change::default() }, false),
        ("abel.tuter", Change { comment: Some("Not yet «c1»".to_owned()), ..Change::default() }, true),
    ] {
        let mut world = Script::with(|settings| {
            settings.sharing.work_note_prefix = "[aws]".to_owned();
            settings.sharing.silent_authors = ["batch.robot".to_owned()].into();
        });
        let incident = world.linked();
        world.set_state(&incident, IncidentState::Resolved).settle();
        assert_eq!(world.status(&incident), "resolved", "{}", world.story());
        world.life.desk.world.borrow_mut().save_as(user, &incident, &change);
        world.settle();
        assert_eq!(world.state(&incident).is_ended(), !reopens, "{user} {change:?}: {}", world.story());
        assert_eq!(world.status(&incident) == "resolved", !reopens, "{user} {change:?}: {}", world.story());
        world.must_hold();
    }
}

/// A prefix that an administrator sets, or removes, brings back nothing that is older than the last complete read less L.
#[test]
fn a_rule_that_changes_brings_nothing_old_and_doubles_nothing() {
    let mut world = Script::new();
    let incident = world.linked();
    let note = |text: &str| Change { work_note: Some(text.to_owned()), ..Change::default() };
    world.save(&incident, &note("[aws] of old «n1»")).comment(&incident, "Any change? «c1»");
    let past = MAXIMUM_DOUBT + 60;
    world.wait(past).comment(&incident, "Still nothing? «c2»").wait(past);
    let set_prefix = |world: &mut Script, of_comments: &str, of_notes: &str| {
        let sharing = &mut world.life.desk.world.borrow_mut().servicenow.sharing;
        (sharing.comment_prefix, sharing.work_note_prefix) = (of_comments.to_owned(), of_notes.to_owned());
    };
    set_prefix(&mut world, "[aws]", "[aws]");
    world.save(&incident, &note("[aws] from now on «n2»")).comment(&incident, "[aws] Hello? «c3»").wait(past);
    set_prefix(&mut world, "", "");
    world.comment(&incident, "As before «c4»").settle();
    let counts = ["«n1»", "«c1»", "«c2»", "«n2»", "«c3»", "«c4»"].map(|token| world.count_on_case(&incident, token));
    assert_eq!(counts, [0, 1, 1, 1, 1, 1], "{}", world.story());
}

/// A story can fail: without unique external ids, a lost answer doubles a reply.
#[test]
fn a_story_notices_a_missing_safeguard() {
    let mut world = Script::sabotaged(Sabotage::UniqueDelivery);
    let incident = world.linked();
    world.fate(RemoteCall::Deliver, &[Fate::AnswerLost]);
    world.reply(&incident, "Once only «r1»");
    let outcome = world.conclude();
    let invariants: Vec<Invariant> = outcome.violations.iter().map(|violation| violation.invariant).collect();
    assert!(invariants.contains(&Invariant::ExactlyOnce), "{}", outcome.story);
}

/// The webhook's secret is rotated step by step. No webhook is refused, and none waits for the poller.
#[test]
fn a_rotation_of_the_webhooks_secret_turns_no_webhook_away() {
    let mut world = Script::with(|settings| settings.polling = SignedDuration::from_hours(8));
    let incident = world.open("It does not answer. «d1»");
    world.wait(20);
    for step in 2..8 {
        world.life.desk.world.borrow_mut().rotate_secret();
        world.comment(&incident, &format!("After a step «c{step}»")).wait(20);
        assert_eq!(world.count_on_case(&incident, &format!("«c{step}»")), 1, "{}", world.story());
    }
    assert!(world.calls(RemoteCall::WebhookSecret) > 1, "the function never had to read the secret again");
    assert!(!world.story().contains("answers 4"), "{}", world.story());
    world.must_hold();
}

/// ServiceNow's clock is too far off for its webhooks to be accepted. The poller finds what they would have announced.
#[test]
fn webhooks_of_a_wrong_clock_are_turned_away_and_made_up_for() {
    let mut world = Script::with(|settings| settings.servicenow_clock = SignedDuration::from_mins(10));
    let incident = world.open("It does not answer. «d1»");
    world.wait(3).comment(&incident, "Anybody there? «c2»").settle();
    assert!(world.story().contains("answers 401"), "{}", world.story());
    assert_eq!(world.count_on_case(&incident, "«c2»"), 1, "{}", world.story());
    world.must_hold();
}

/// An incident is hidden from the integration user for some hours. What both sides wrote meanwhile is delivered later,
/// even if nobody saves the incident.
#[test]
fn what_is_written_while_the_incident_is_hidden_arrives_once_it_is_shown_again() {
    let mut world = Script::new();
    let incident = world.linked();
    world.hide(&incident, true);
    world.comment(&incident, "Any news? «c1»").wait(5 * 3_600);
    assert_eq!(world.count_on_case(&incident, "«c1»"), 0, "{}", world.story());
    world.hide(&incident, false).wait(2 * 3_600);
    assert_eq!(world.count_on_case(&incident, "«c1»"), 1, "{}", world.story());

    world.hide(&incident, true);
    world.reply(&incident, "It is solved. «r2»").set_status(&incident, "resolved").wait(30 * 3_600);
    world.hide(&incident, false).wait(25 * 3_600);
    assert_eq!(world.count_on_incident(&incident, "«r2»"), 1, "{}", world.story());
    assert_eq!(world.state(&incident), IncidentState::Resolved, "{}", world.story());
    world.must_hold();
}

/// A rule hides the incident until it is closed, and no webhook reports it. casebridge hears of the closing with the next text
/// of AWS, and resolves the case.
#[test]
fn a_closing_behind_a_rule_is_heard_with_the_next_text_of_the_case() {
    for writes in [false, true] {
        let mut world = Script::with(|settings| settings.hints = false);
        let incident = world.linked();
        world.wait(2 * 3_600).hide(&incident, true);
        world.set_state(&incident, IncidentState::Resolved).set_state(&incident, IncidentState::Closed);
        world.wait(2 * 3_600).settle();
        assert_eq!(world.status(&incident), "unassigned", "{}", world.story());
        if writes {
            world.reply(&incident, "Any news? «r1»").settle();
            assert_eq!(world.status(&incident), "resolved", "{}", world.story());
        }
        world.must_hold();
    }
}

/// The incident is hidden before casebridge reads it for the first time.
#[test]
fn an_incident_that_is_hidden_from_the_beginning_gets_its_case_once_it_is_shown() {
    let mut world = Script::new();
    let incident = world.open("It does not answer. «d1»");
    world.hide(&incident, true).wait(5 * 3_600);
    assert_eq!(world.count_on_case(&incident, "«d1»"), 0, "{}", world.story());
    world.hide(&incident, false).wait(2 * 3_600);
    assert_eq!(world.count_on_case(&incident, "«d1»"), 1, "{}", world.story());
    world.must_hold();
}

/// AWS writes to a resolved case while its resolved incident is hidden.
#[test]
fn a_text_on_a_resolved_case_arrives_once_its_hidden_incident_is_shown_again() {
    let mut world = Script::new();
    let incident = world.linked();
    world.reply(&incident, "It is solved. «r1»").set_status(&incident, "resolved").settle();
    assert_eq!(world.state(&incident), IncidentState::Resolved, "{}", world.story());
    world.hide(&incident, true);
    world.reply(&incident, "Please rate this answer. «r2»").wait(5 * 3_600);
    world.hide(&incident, false).wait(2 * 3_600);
    assert_eq!(world.count_on_incident(&incident, "«r2»"), 1, "{}", world.story());
    world.must_hold();
}

/// An incident is deleted. casebridge writes nothing more to AWS. It looks for the incident less and less often, and
/// after a month not at all.
#[test]
fn a_deleted_incident_is_left_alone() {
    let mut world = Script::with(|settings| settings.polling = SignedDuration::from_mins(10));
    let incident = world.linked();
    let case_id = world.case(&incident).unwrap().case_id;
    world.life.desk.world.borrow_mut().delete(&incident);
    let writes = |world: &Script| {
        [RemoteCall::AddCommunication, RemoteCall::ResolveCase, RemoteCall::CreateCase].map(|call| world.calls(call))
    };
    let (at_aws, delivered) = (writes(&world), world.calls(RemoteCall::Deliver));
    for number in 0..3 {
        world.life.desk.world.borrow_mut().write_at_aws(&case_id, &format!("Hello? «r{number}»"), None);
        world.life.follow_up();
        world.settle();
    }
    assert_eq!(writes(&world), at_aws, "{}", world.story());
    // The first reply may be sent before a pass has seen that the incident is gone.
    assert!(world.calls(RemoteCall::Deliver) <= delivered + 1, "{}", world.story());
    assert!(world.delivered(&incident).is_empty(), "{}", world.story());
    let looks = world.calls(RemoteCall::TakeLease);
    world.wait(6 * 3_600);
    // Replies wait for the incident, so casebridge looks for it at most every hour, by the default policy.
    let looked = world.calls(RemoteCall::TakeLease) - looks;
    assert!((1..=6).contains(&looked), "{looked} looks: {}", world.story());
    world.life.desk.world.borrow_mut().set_case_status(&case_id, "resolved");
    world.life.follow_up();
    world.settle();
    let looks = world.calls(RemoteCall::TakeLease);
    world.wait(30 * 24 * 3_600);
    let looked = world.calls(RemoteCall::TakeLease) - looks;
    assert!((20..=60).contains(&looked), "{looked} looks: {}", world.story());
    let looks = world.calls(RemoteCall::TakeLease);
    world.wait(3 * 24 * 3_600);
    assert_eq!(world.calls(RemoteCall::TakeLease), looks, "{}", world.story());
    world.must_hold();
}

/// A worker opens the incident of a case and dies. An agent sets the incident's state, and an administrator deletes the
/// incident before another worker looks. The incident is opened again and gets the state that its case asks for: the agent's
/// state was one of the deleted record. A state that an agent sets from then on is not overwritten.
#[test]
fn an_incident_that_is_deleted_before_anybody_knew_of_it_is_opened_again() {
    for sabotage in [None, Some(Sabotage::ConditionalWrite)] {
        let mut world = Script::with(|settings| settings.sabotage = sabotage);
        world.fate(RemoteCall::Open, &[Fate::DiedAfter]);
        world.life.desk.world.borrow_mut().open_own_case(ACCOUNTS[0].0, "A bill", "low", "A question «o1»");
        world.life.follow_up();
        let opened = |world: &Script| world.life.desk.world.borrow().servicenow.incidents.keys().next().cloned();
        while opened(&world).is_none() && world.life.step() {}
        let incident = opened(&world).unwrap();
        world.set_state(&incident, IncidentState::OnHold).set_status(&incident, "work-in-progress");
        world.life.desk.world.borrow_mut().delete(&incident);
        world.settle();
        assert_eq!(world.calls(RemoteCall::Open), 2, "{}", world.story());
        assert_eq!(world.state(&incident), IncidentState::InProgress, "{}", world.story());
        assert!(world.life.desk.world.borrow().violations.is_empty(), "{}", world.story());
        let deliveries = world.calls(RemoteCall::Deliver);
        world.reply(&incident, "Solved «r2»").set_status(&incident, "resolved");
        // The agent saves while the delivery is under way.
        world.until(RemoteCall::Deliver, deliveries + 1);
        world.set_state(&incident, IncidentState::OnHold);
        let outcome = world.conclude();
        let is_noticed = outcome.violations.iter().any(|violation| violation.what.contains("a state set by an agent"));
        assert_eq!(is_noticed, sabotage.is_some(), "{:?}: {}", outcome.violations, outcome.story);
        assert!(is_noticed || outcome.violations.is_empty(), "{:?}: {}", outcome.violations, outcome.story);
    }
}

/// AWS refuses the account's keys for good. What people write is kept, and the agent is told why.
#[test]
fn a_comment_for_an_account_that_is_refused_for_good_is_a_visible_error() {
    let mut world = Script::new();
    let incident = world.linked();
    let account = AccountId::new(ACCOUNTS[0].0);
    world.life.desk.world.borrow_mut().settings.stays_refused = true;
    world.life.desk.world.borrow_mut().refused_accounts.insert(account, Refusal::Credentials);
    world.comment(&incident, "Anybody there? «c2»").settle();
    assert_eq!(world.count_on_case(&incident, "«c2»"), 0, "{}", world.story());
    let (status, error) = world.sync_status(&incident);
    assert_eq!(status, "error", "{}", world.story());
    assert!(error.contains("AWS refuses the account's keys or role"), "{error}");
    world.life.desk.world.borrow_mut().settings.stays_refused = false;
    world.settle();
    assert_eq!(world.count_on_case(&incident, "«c2»"), 1, "{}", world.story());
    world.must_hold();
}

/// AWS reopens no case that was resolved more than 14 days ago. The comment waits, and the agent is told.
#[test]
fn a_comment_on_a_case_that_was_resolved_too_long_ago_is_a_visible_error() {
    let mut world = Script::with(|settings| {
        settings.policy.case_too_old_to_reopen = OldCaseRule::Note;
        settings.polling = SELDOM;
        settings.jobs = SELDOM;
    });
    let incident = world.linked();
    world.set_state(&incident, IncidentState::Resolved).settle();
    assert_eq!(world.status(&incident), "resolved", "{}", world.story());
    world.wait(15 * 86_400).comment(&incident, "It is back «c2»").settle();
    assert_eq!(world.count_on_case(&incident, "«c2»"), 0, "{}", world.story());
    let (status, error) = world.sync_status(&incident);
    assert_eq!(status, "error", "{}", world.story());
    assert!(error.contains("more than 14 days ago"), "{error}");
    world.must_hold();
}

/// If the policy says so, replies become work notes. They are delivered once, and do not come back as comments.
#[test]
fn replies_may_become_work_notes() {
    let mut world = Script::with(|settings| settings.policy.replies_become = MessageKind::WorkNote);
    let incident = world.linked();
    world.reply(&incident, "We are looking into it «r2»").settle();
    world.comment(&incident, "Thank you «c3»").settle();
    assert!(world.journal(&incident).iter().all(|row| !row.is_ours()), "{}", world.story());
    assert_eq!(world.count_on_incident(&incident, "«r2»"), 1, "{}", world.story());
    world.must_hold();
}

/// ServiceNow's clock is behind ours and the first polls fail. What happened before the first successful poll is not
/// left out.
#[test]
fn first_polls_that_fail_leave_nothing_out() {
    let mut world = Script::with(|settings| {
        settings.hints = false;
        settings.servicenow_clock = SignedDuration::from_mins(-45);
    });
    let incident = world.open("It does not answer. «d1»");
    world.fate(RemoteCall::Changes, &[Fate::Refused; 30]).wait(31 * 60).settle();
    assert_eq!(world.cases(&incident).len(), 1, "{}", world.story());
    world.must_hold();
}
