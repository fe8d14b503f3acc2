//! Properties of the plan over random worlds.

use crate::world::{World, entry};
use casebridge_core::{
    effect::Effect,
    incident::IncidentState,
    mark::Entropy,
    plan::{EFFECTS_PER_PLAN, plan},
};
use proptest::prelude::*;

/// What a person may do on either side.
#[derive(Debug, Clone)]
enum Deed {
    Comment(String),
    WorkNote(String),
    State(u8),
    Reply(String),
    Console(String),
    Status(String),
    Priority(String),
    LeaveGroup,
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
        status().prop_map(Deed::Status),
        "[0-9a-z]{0,2}".prop_map(Deed::Priority),
        Just(Deed::LeaveGroup),
        (0_u16..2_000).prop_map(Deed::Time),
        Just(Deed::Pass),
        Just(Deed::Pass),
    ]
}

fn act(world: &mut World, number: usize, deed: &Deed) {
    let has_case = world.case.is_some();
    match deed {
        Deed::Comment(text) => world.comment(&format!("entry{number}"), text),
        Deed::WorkNote(text) => {
            let mut note = entry(&format!("note{number}"), world.now, &format!("SECRET {text}"));
            "work_notes".clone_into(&mut note.element);
            world.incident.entries.push(note);
            world.incident.summary.sys_mod_count += 1;
        }
        Deed::State(value) => {
            let state = ["1", "2", "3", "6", "7", "8", "42"][usize::from(*value)];
            world.set_state(IncidentState::from(state.to_owned()));
        }
        Deed::Reply(text) if has_case => world.reply(text),
        Deed::Console(text) if has_case => world.communicate("Person <person@example.com>", text),
        Deed::Status(status) if has_case => world.set_status(status),
        Deed::Priority(priority) => priority.clone_into(&mut world.incident.priority),
        Deed::LeaveGroup => world.incident.account = None,
        Deed::Time(seconds) => world.pass_time(i64::from(*seconds)),
        Deed::Pass => {
            world.pass();
        }
        Deed::Reply(_) | Deed::Console(_) | Deed::Status(_) => {}
    }
}

fn lived(deeds: &[Deed]) -> World {
    let mut world = World::new();
    for (number, deed) in deeds.iter().enumerate() {
        act(&mut world, number, deed);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_same_arguments_give_the_same_plan(deeds in prop::collection::vec(deed(), 0..16)) {
        let world = lived(&deeds);
        let observation = world.observe();
        let entropy = Entropy::new([9; 16]);
        let first = plan(&world.policy, &observation, entropy, world.now);
        prop_assert_eq!(first, plan(&world.policy, &observation, entropy, world.now));
    }

    #[test]
    fn a_plan_applied_and_planned_again_has_no_effects(deeds in prop::collection::vec(deed(), 0..16)) {
        let mut world = lived(&deeds);
        let mut observation = world.observe();
        let first = world.plan(&observation);
        prop_assume!(first.effects.len() < EFFECTS_PER_PLAN);
        let mut last = first.clone();
        // What follows a text that has to reopen the case comes with the plan after the look at it.
        while let Some(doubted) = last.effects.iter().position(|effect| !world.apply(&mut observation, effect)) {
            world.see_case(&mut observation);
            let rest = world.plan(&observation);
            prop_assert!(rest.effects.len() < last.effects.len() - doubted, "{:?} after {:?}", rest, last);
            last = rest;
        }
        let again = world.plan(&observation);
        prop_assert!(again.effects.is_empty(), "{:?} after {:?}", again, first);
    }

    #[test]
    fn whatever_happens_both_sides_come_to_rest_in_step(deeds in prop::collection::vec(deed(), 0..24)) {
        let mut world = lived(&deeds);
        world.settle();
        world.pass_time(i64::from(world.policy.unknown_outcome_seconds) + 1);
        world.settle();
        let Some(case) = &world.case else { return Ok(()) };
        let incident = &world.incident;
        let resolved = matches!(case.status.as_str(), "resolved" | "closed");
        let closed = incident.summary.state.is_ended() && !incident.summary.state.can_reopen();
        prop_assert!(incident.summary.state.is_ended() == resolved || closed, "{:?} {}", incident.summary.state, case.status);
        let comments = incident.entries.iter().filter(|entry| entry.is_for_aws());
        prop_assert!(comments.clone().all(|entry| world.link.journal.is_settled(entry)));
    }

    #[test]
    fn work_notes_are_in_no_plan(deeds in prop::collection::vec(deed(), 0..16)) {
        let mut world = lived(&deeds);
        let observation = world.observe();
        let plan = world.plan(&observation);
        let shown = format!("{plan:?}");
        prop_assert!(!shown.contains("SECRET"));
        prop_assert!(world.bodies().iter().all(|body| !body.contains("SECRET")));
    }

    #[test]
    fn a_resolution_comes_after_every_message_before_it(deeds in prop::collection::vec(deed(), 0..16)) {
        let mut world = lived(&deeds);
        let observation = world.observe();
        let plan = world.plan(&observation);
        let resolution = plan.effects.iter().position(|effect| matches!(effect, Effect::ResolveCase { .. }));
        let last = plan.effects.iter().rposition(|effect| matches!(effect, Effect::AddCommunication { .. }));
        if let (Some(resolution), Some(last)) = (resolution, last) {
            prop_assert!(last < resolution);
        }
    }
}
