//! Plans with faults in what is written to the incident.

use casebridge_core::{
    identifiers::{CommunicationId, ExternalId},
    link::mark::marks_in,
    servicenow::{delivery::MessageKind, incident::IncidentState},
    support::{Effect, columns::CASE_ID, conversation::Fate},
};
use casebridge_plan_linter::Check;

use crate::{
    Row,
    scene::{CASE, Scene, at, resolve},
};

pub fn rows() -> Vec<Row> {
    [messages(), fates(), fields(), reports()].concat()
}

fn messages() -> Vec<Row> {
    vec![
        (Check::TooManyMessages, Scene::clean, |scene| {
            // One message under many names: with these 24 the delivery has 26, one too many. Each name has a
            // communication of its own, so that no other check finds anything.
            let shown = scene.pass.aws.shown[1].clone();
            let second = shown.raw.time_created.as_second();
            for number in 0..24 {
                let mut another = shown.clone();
                another.id = CommunicationId::new(format!("another{number:02}"));
                let mut known = scene.pass.link.memory.conversation.known[&second][0].clone();
                known.id = another.id.clone();
                scene.pass.link.memory.conversation.known.entry(second).or_default().push(known);
                let message = scene.message_about(&another.id);
                scene.pass.aws.shown.push(another);
                scene.delivery().messages.push(message);
            }
        }),
        (Check::DeliveryOfNothing, Scene::clean, |scene| scene.delivery().messages.clear()),
        (Check::MessageTwice, Scene::clean, |scene| {
            let again = scene.message(1);
            scene.delivery().messages.push(again);
        }),
        (Check::UnknownMessage, Scene::clean, |scene| {
            scene.delivery().messages[0].external_id = ExternalId::new("0123456789abcdef-1-2-3");
            scene.pass.aws.shown.remove(0);
        }),
        (Check::UnknownMessage, Scene::clean, |scene| {
            let message = scene.message_about(&CommunicationId::new("1-2-3"));
            scene.delivery().messages.push(message);
        }),
        (Check::MessagesOutOfOrder, Scene::clean, |scene| scene.delivery().messages.reverse()),
        (Check::MessagesOutOfOrder, Scene::clean, |scene| {
            scene.delivery().messages.remove(0);
        }),
        (Check::MarkInMessage, Scene::clean, |scene| {
            let quoted = scene.mark().sign("You wrote");
            assert_eq!(marks_in(&quoted).len(), 1);
            scene.delivery().messages[0].text.push_str(&quoted);
        }),
        (Check::WrongMessageKind, Scene::clean, |scene| scene.policy.replies_become = MessageKind::WorkNote),
        (Check::StaleExpectation, Scene::clean, |scene| scene.delivery().expected_mod_count += 1),
        (Check::ColumnsOfAnotherCase, Scene::clean, |scene| {
            scene.delivery().columns.own.insert(CASE_ID.to_owned(), "another".to_owned());
        }),
    ]
}

/// Gives the second reply this fate.
fn fate(scene: &mut Scene, fate: Fate) {
    let id = scene.pass.aws.shown[1].id.clone();
    let known = scene.pass.link.memory.conversation.known.values_mut().flatten();
    for known in known.filter(|known| known.id == id) {
        known.fate = fate;
    }
}

fn fates() -> Vec<Row> {
    vec![
        (Check::MessageDeliveredAgain, Scene::clean, |scene| fate(scene, Fate::Delivered)),
        (Check::OwnTextDelivered, Scene::clean, |scene| fate(scene, Fate::Ours)),
        (Check::UndecidedTextDelivered, Scene::clean, |scene| fate(scene, Fate::Undecided)),
    ]
}

fn fields() -> Vec<Row> {
    vec![
        (Check::FieldsBeforeMessages, Scene::clean, |scene| {
            let (first, second) = (scene.deliver(&[0], "3"), scene.deliver(&[1], ""));
            scene.plan.effects.splice(..1, [first, second]);
        }),
        (Check::StateOfClosedIncident, Scene::clean, |scene| {
            scene.set_incident(IncidentState::Closed);
            scene.delivery().fields.state = "2".to_owned();
        }),
        (Check::StateAlreadyThere, Scene::clean, |scene| scene.delivery().fields.state = "2".to_owned()),
        (Check::BackToNew, Scene::clean, |scene| scene.delivery().fields.state = "1".to_owned()),
        (Check::AgentsWordsOverwritten, Scene::clean, |scene| {
            scene.pass.link.incident.as_mut().unwrap().has_close_code = true;
            scene.delivery().fields.close_code = "Duplicate".to_owned();
        }),
        (Check::EndOfOpenCase, Scene::clean, |scene| {
            scene.entries().clear();
            scene.plan.effects.truncate(1);
            scene.delivery().fields.state = "6".to_owned();
        }),
        (Check::EndBeforeComments, Scene::clean, |scene| {
            scene.resolve_case();
            scene.plan.effects.truncate(1);
            scene.delivery().fields.state = "6".to_owned();
        }),
    ]
}

fn reports() -> Vec<Row> {
    vec![
        (Check::EffectAfterColumns, Scene::opening, |scene| scene.plan.effects.push(Effect::WriteColumns)),
        (Check::ColumnsBesideDelivery, Scene::clean, |scene| scene.plan.effects.push(Effect::WriteColumns)),
        (Check::NeedlessColumns, Scene::clean, |scene| {
            let columns = scene.delivery().columns.clone();
            scene.pass.link.incident.as_mut().unwrap().columns = columns;
            scene.plan.effects.remove(0);
            scene.plan.effects.push(Effect::WriteColumns);
        }),
    ]
}

#[test]
fn an_end_that_casebridge_writes_goes_with_the_last_message() {
    let mut scene = Scene::clean();
    scene.resolve_case();
    scene.entries().clear();
    let (first, second) = (scene.deliver(&[0], ""), scene.deliver(&[1], "6"));
    scene.plan.effects = vec![first, second];
    assert_eq!(scene.checks(), []);
}

#[test]
fn a_comment_from_after_the_end_follows_the_reopening_of_its_incident() {
    let mut scene = Scene::clean();
    scene.end_at(IncidentState::Resolved, 5);
    scene.resolve_case();
    scene.delivery().fields.state = "2".to_owned();
    assert_eq!(scene.checks(), []);
    scene.plan.effects.push(resolve(CASE));
    assert_eq!(scene.checks(), [Check::ResolutionOfOpenIncident]);
    assert!(scene.now > at(5));
}
