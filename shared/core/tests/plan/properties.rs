//! Properties of the plan over random sides.

use crate::sides::{ACCOUNT, BRIDGE, Sides, call_of, entry, plan, refusal};
use casebridge_core::{
    failure::{Failure, Refusal},
    link::{
        mark::Entropy,
        notice::Notice,
        plan::EFFECTS_PER_PLAN,
        trouble::{Request, Side},
    },
    servicenow::incident::{AccountState, IncidentState, JournalEntry},
    support::{Effect, Link, Pass, Plan, call::Call, memory::LinkedCase},
    time::format_servicenow,
};
use proptest::prelude::*;

/// The author of texts in the console of AWS.
const PERSON: &str = "Person <person@example.com>";

/// An account in which the incident has no case.
const OTHER_ACCOUNT: &str = "444455556666";

/// What people may do on either side.
#[derive(Debug, Clone)]
enum Deed {
    Comment(String),
    WorkNote(String),
    State(u8),
    Reply(String),
    Console(String),
    Copy,
    Quote,
    Status(String),
    Priority(String),
    LeaveGroup,
    Group(u8),
    Account(u8),
    Time(u16),
    Pass,
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z ]{0,20}",
        ".{0,40}",
        Just("line\r\nline".to_owned()),
        Just("[ref bcdf-ghjk-mnpq-rstv]".to_owned())
    ]
}

fn status() -> impl Strategy<Value = String> {
    let known = [
        "unassigned",
        "opened",
        "reopened",
        "work-in-progress",
        "pending-customer-action",
        "customer-action-completed",
        "pending-amazon-action",
        "resolved",
        "closed",
    ];
    prop_oneof![4 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => ".{0,12}"]
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        text().prop_map(Deed::Comment),
        "[a-z]{1,9}".prop_map(Deed::WorkNote),
        (0_u8..7).prop_map(Deed::State),
        text().prop_map(Deed::Reply),
        text().prop_map(Deed::Console),
        Just(Deed::Copy),
        Just(Deed::Quote),
        status().prop_map(Deed::Status),
        "[0-9a-z]{0,2}".prop_map(Deed::Priority),
        Just(Deed::LeaveGroup),
        (0_u8..4).prop_map(Deed::Group),
        (0_u8..4).prop_map(Deed::Account),
        (0_u16..2_000).prop_map(Deed::Time),
        Just(Deed::Pass),
        Just(Deed::Pass),
    ]
}

fn act(sides: &mut Sides, number: usize, deed: &Deed) {
    let has_case = sides.case.is_some();
    match deed {
        Deed::Comment(text) => sides.comment(&format!("entry{number}"), text),
        Deed::WorkNote(text) => {
            let mut note = entry(&format!("note{number}"), sides.now, &format!("SECRET {text}"));
            "work_notes".clone_into(&mut note.element);
            sides.incident.entries.push(note);
            sides.incident.summary.sys_mod_count += 1;
        }
        Deed::State(value) => {
            let state = ["1", "2", "3", "6", "7", "8", "42"][usize::from(*value)];
            sides.set_state(IncidentState::from(state.to_owned()));
        }
        Deed::Reply(text) if has_case => sides.reply(text),
        Deed::Console(text) if has_case => sides.communicate(PERSON, text),
        Deed::Copy if has_case => {
            let copy = sides.bodies().last().copied().unwrap_or_default().to_owned();
            sides.communicate(PERSON, &copy);
        }
        Deed::Quote if has_case => {
            let quotation = format!("See below.\n\n> {}", sides.bodies().last().copied().unwrap_or_default());
            sides.communicate(PERSON, &quotation);
        }
        Deed::Status(status) if has_case => sides.set_status(status),
        Deed::Priority(priority) => priority.clone_into(&mut sides.incident.priority),
        Deed::LeaveGroup => sides.set_group(&[]),
        Deed::Group(number) => {
            let groups: [&[&str]; 4] = [&[], &[ACCOUNT], &[OTHER_ACCOUNT], &[OTHER_ACCOUNT, ACCOUNT]];
            // A case in a different account is not of interest here.
            if has_case {
                sides.set_group(groups[usize::from(*number)]);
            }
        }
        Deed::Account(number) => {
            let states = [AccountState::Active, AccountState::Active, AccountState::Inactive, AccountState::Missing];
            sides.set_account(states[usize::from(*number)].clone());
        }
        Deed::Time(seconds) => sides.pass_time(i64::from(*seconds)),
        Deed::Pass => {
            sides.pass();
        }
        Deed::Reply(_) | Deed::Console(_) | Deed::Copy | Deed::Quote | Deed::Status(_) => {}
    }
}

/// Returns both sides after these deeds. Without an audit trail the instance keeps the first `resolved_at`.
fn lived_in(deeds: &[Deed], audit_trail: bool) -> Sides {
    let mut sides = Sides::new();
    sides.audit_trail = audit_trail;
    sides.keeps_resolved_at = !audit_trail;
    for (number, deed) in deeds.iter().enumerate() {
        act(&mut sides, number, deed);
    }
    sides
}

fn lived(deeds: &[Deed]) -> Sides {
    lived_in(deeds, deeds.len().is_multiple_of(2))
}

/// Returns how often a comment is on the case. It is found by its author and time.
fn times_on_case(sides: &Sides, comment: &JournalEntry) -> usize {
    let byline = format!("{}, {} UTC", comment.author, format_servicenow(comment.created_on));
    let ours = sides.case.iter().flat_map(|case| &case.communications).filter(|seen| seen.submitted_by == BRIDGE);
    ours.map(|seen| seen.body.matches(&byline).count()).sum()
}

/// Whether a comment need not be sent: it was written when the incident was closed, a notice names it, or it waits
/// since its text has reopened the link before.
fn may_stay_at_home(sides: &Sides, comment: &JournalEntry) -> bool {
    may_stay_by(&sides.link, comment) || sides.written_when_closed.contains(&comment.sys_id)
}

/// Whether a link tells that a comment stays, or waits with it.
fn may_stay_by(link: &Link, comment: &JournalEntry) -> bool {
    let told = |notice: &Notice| match notice {
        Notice::CommentAfterClosing { entry } | Notice::CommentForAnotherAccount { entry } => *entry == comment.sys_id,
        _ => false,
    };
    let waits = link.journal.has_repeated && link.journal.all_reopened_before([comment.text.as_str()]);
    link.notices.iter().any(told) || waits
}

/// The faults of a pass.
#[derive(Debug, Clone)]
struct Faults {
    incident: Read,
    case: Read,
    /// The index of the effect that fails, and its failure. `None` if none fails.
    effect: Option<(usize, Failure)>,
    /// How long the pass lasts, in seconds.
    lasts: u16,
}

#[derive(Debug, Clone)]
enum Read {
    Seen,
    /// The read leaves out the newest comments, or does not find the case.
    Less,
    Failed(Failure),
}

fn failure() -> impl Strategy<Value = Failure> {
    let reasons =
        [Refusal::Subscription, Refusal::CaseQuota, Refusal::Credentials, Refusal::InvalidRequest, Refusal::NotFound];
    prop_oneof![
        proptest::sample::select(reasons.to_vec()).prop_map(refusal),
        Just(Failure::Unavailable { message: "slow down".to_owned(), retry_at: None }),
        Just(Failure::InDoubt { message: "the connection was closed".to_owned() }),
    ]
}

fn read() -> impl Strategy<Value = Read> {
    prop_oneof![3 => Just(Read::Seen), 1 => Just(Read::Less), 2 => failure().prop_map(Read::Failed)]
}

fn faults() -> impl Strategy<Value = Faults> {
    (read(), read(), prop::option::of((0_usize..4, failure())), prop_oneof![Just(0), 0_u16..2_000])
        .prop_map(|(incident, case, effect, lasts)| Faults { incident, case, effect, lasts })
}

/// Makes the reads of a pass with these faults. Returns the pass.
fn observe_with(sides: &Sides, faults: &Faults) -> Pass {
    let mut pass = sides.unseen();
    pass.incident_wanted = sides.link.intents.is_multiple_of(2);
    match &faults.incident {
        Read::Seen => sides.see_incident(&mut pass),
        Read::Less => {
            let mut cut = sides.snapshot(pass.entries_since());
            cut.entries.truncate(1);
            cut.entries_complete = false;
            pass.see_incident(&sides.policy, cut, sides.now);
        }
        Read::Failed(failure) => {
            pass.trouble(&sides.policy, Side::ServiceNow, failure, Request::Read, sides.now, 0);
        }
    }
    match &faults.case {
        Read::Seen => sides.see_case(&mut pass),
        Read::Less => {}
        Read::Failed(failure) => pass.trouble(&sides.policy, Side::Aws, failure, Request::Read, sides.now, 0),
    }
    pass
}

/// Applies a plan up to the effect that fails.
fn apply_with(sides: &mut Sides, pass: &mut Pass, plan: &Plan, faults: &Faults) {
    for (number, effect) in plan.effects.iter().enumerate() {
        let Some((_, failure)) = faults.effect.as_ref().filter(|(failing, _)| *failing == number) else {
            if sides.apply(pass, effect) {
                continue;
            }
            return;
        };
        pass.begin(effect, sides.now);
        match (effect, failure) {
            (Effect::Deliver(delivery), failure) => {
                pass.not_delivered(&sides.policy, delivery, failure, sides.now, 0);
            }
            (Effect::OrderFiles(order), _) => pass.ordered(order, false, sides.now),
            (Effect::HandOver(_) | Effect::WriteColumns, _) => {}
            (_, Failure::InDoubt { message }) => pass.doubt(message).unwrap(),
            (_, failure) => pass.refused(&sides.policy, call_of(effect), failure, sides.now, 0).unwrap(),
        }
        return;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_same_arguments_give_the_same_plan(deeds in prop::collection::vec(deed(), 0..16)) {
        let sides = lived(&deeds);
        let pass = sides.observe();
        let entropy = Entropy::new([9; 16]);
        let first = plan(&sides.policy, &pass, entropy, sides.now);
        prop_assert_eq!(first, plan(&sides.policy, &pass, entropy, sides.now));
    }

    #[test]
    fn a_plan_applied_and_planned_again_has_no_effects(deeds in prop::collection::vec(deed(), 0..16)) {
        let mut sides = lived(&deeds);
        let mut pass = sides.observe();
        let first = sides.plan(&pass);
        prop_assume!(first.effects.len() < EFFECTS_PER_PLAN);
        let mut last = first.clone();
        // The effects after a text that has to reopen the case come in the plan after the next read of the case.
        while let Some(doubted) = last.effects.iter().position(|effect| !sides.apply(&mut pass, effect)) {
            sides.see_case(&mut pass);
            let rest = sides.plan(&pass);
            prop_assert!(rest.effects.len() < last.effects.len() - doubted, "{:?} after {:?}", rest, last);
            last = rest;
        }
        let again = sides.plan(&pass);
        prop_assert!(again.effects.is_empty(), "{:?} after {:?}", again, first);
    }

    #[test]
    fn whatever_happens_both_sides_come_to_rest_in_step(deeds in prop::collection::vec(deed(), 0..24)) {
        let mut sides = lived(&deeds);
        sides.settle();
        sides.set_account(AccountState::Active);
        sides.set_group(&[ACCOUNT]);
        sides.settle();
        sides.pass_time(i64::from(sides.policy.unknown_outcome_seconds) + 1);
        sides.settle();
        let closed_before = sides.successor.is_some().then(|| sides.incident.clone());
        let closed_link = sides.link.clone();
        if closed_before.is_some() {
            sides.follow_case();
            sides.settle();
        }
        let Some(case) = &sides.case else { return Ok(()) };
        let incident = &sides.incident;
        let entries = || incident.entries.iter().chain(closed_before.iter().flat_map(|closed| &closed.entries));
        let resolved = matches!(case.status.as_str(), "resolved" | "closed");
        let closed = incident.summary.state.is_closed();
        let told = incident.summary.columns.last_error.contains("reopened nothing");
        let in_step = incident.summary.state.is_ended() == resolved || closed || told;
        prop_assert!(in_step, "{:?} {}", incident.summary.state, case.status);
        for comment in entries().filter(|entry| entry.is_for_aws()) {
            let times = times_on_case(&sides, comment);
            // What is written on an incident after its case has moved stays there, and is told.
            let is_late = closed_before.is_some() && sides.handed_over_at.is_some_and(|at| comment.created_on > at);
            let may_stay = may_stay_at_home(&sides, comment) || may_stay_by(&closed_link, comment) || is_late;
            prop_assert!(times == 1 || (times == 0 && may_stay), "{} times: {:?}", times, comment);
        }
        let written = case.communications.iter().filter(|seen| seen.submitted_by != BRIDGE).count();
        prop_assert_eq!(entries().filter(|entry| entry.ours).count(), written);
    }

    #[test]
    fn nothing_is_sent_while_a_link_pauses(
        deeds in prop::collection::vec(deed(), 0..16),
        faults in faults(),
    ) {
        let mut sides = lived(&deeds);
        let written = sides.bodies().len();
        sides.set_account(AccountState::Inactive);
        let status = sides.status().to_owned();
        let has_case = sides.link.memory.case.is_some() && !sides.incident.summary.columns.own("account").is_empty();
        let mut pass = observe_with(&sides, &faults);
        let plan = sides.plan(&pass);
        apply_with(&mut sides, &mut pass, &plan, &faults);
        sides.record(pass);
        // By then casebridge has tried again what was refused.
        sides.pass_time(i64::from(2 * sides.policy.refusal_retry_seconds));
        sides.settle();
        prop_assert!(!has_case || sides.bodies().len() == written);
        prop_assert!(!has_case || sides.status() == status);
        let case_is_resolved = sides.link.memory.case.as_ref().is_some_and(LinkedCase::is_resolved);
        let is_ended = sides.incident.summary.state.is_ended() && case_is_resolved;
        let told = sides.incident.summary.columns.last_error.as_str();
        let says_paused = told.starts_with("Paused: ");
        prop_assert!(!has_case || is_ended || says_paused, "{}", told);
        prop_assert!(!says_paused || sides.due.is_some());
    }

    #[test]
    fn work_notes_are_in_no_plan(deeds in prop::collection::vec(deed(), 0..16)) {
        let mut sides = lived(&deeds);
        let pass = sides.observe();
        let plan = sides.plan(&pass);
        let shown = format!("{plan:?}");
        prop_assert!(!shown.contains("SECRET"));
        prop_assert!(sides.bodies().iter().all(|body| !body.contains("SECRET")));
    }

    #[test]
    fn a_resolution_comes_after_every_message_before_it(deeds in prop::collection::vec(deed(), 0..16)) {
        let mut sides = lived(&deeds);
        let pass = sides.observe();
        let plan = sides.plan(&pass);
        let resolution = plan.effects.iter().position(|effect| matches!(effect, Effect::Call(Call::ResolveCase { .. })));
        let last = plan.effects.iter().rposition(|effect| matches!(effect, Effect::Call(Call::AddCommunication { .. })));
        if let (Some(resolution), Some(last)) = (resolution, last) {
            prop_assert!(last < resolution);
        }
    }

    /// A link that has something left to do, or has not read what it needs, is not released without a due time.
    #[test]
    fn a_link_that_has_something_left_always_has_a_due_time(
        deeds in prop::collection::vec(deed(), 0..16),
        faults in prop::collection::vec(faults(), 1..4),
    ) {
        let mut sides = lived(&deeds);
        for faults in faults {
            let mut pass = observe_with(&sides, &faults);
            let plan = sides.plan(&pass);
            apply_with(&mut sides, &mut pass, &plan, &faults);
            let last = sides.plan(&pass);
            sides.pass_time(i64::from(faults.lasts));
            let unseen = pass.may_miss_comments() || (pass.link.memory.case.is_some() && pass.aws.case.is_none());
            // If the incident is not found, no read is missing, whatever an earlier one showed.
            let blind = unseen && !pass.incident_gone;
            let due = pass.finish(&sides.policy, &last, sides.now);
            let link = &pass.link;
            // If the incident is not found and the case is resolved, nothing is left to do for troubles.
            let is_over = pass.incident_gone && link.memory.case.as_ref().is_some_and(LinkedCase::is_resolved);
            let waits = link.intent.is_some() || link.state_intent.is_some() || !last.effects.is_empty();
            let undelivered = link.memory.conversation.newest_undelivered().is_some();
            let left = waits || blind || undelivered || (!is_over && !link.troubles.is_empty());
            prop_assert!(due.is_some() || !left, "{:?} {:?}", last, link);
            prop_assert!(!blind || !link.settled);
            sides.link = pass.link;
        }
    }

    #[test]
    fn a_link_is_read_as_it_was_written(
        deeds in prop::collection::vec(deed(), 0..24),
        faults in faults(),
    ) {
        let mut sides = lived(&deeds);
        let mut pass = observe_with(&sides, &faults);
        let plan = sides.plan(&pass);
        apply_with(&mut sides, &mut pass, &plan, &faults);
        let successor = sides.successor.as_ref().map(|(_, link)| link);
        for link in [&sides.link, &pass.link].into_iter().chain(successor) {
            let text = serde_json::to_string(link).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Link>(&text).unwrap(), link);
        }
    }
}
