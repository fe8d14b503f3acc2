//! Plans with faults in calls to AWS and in waits.

use casebridge_core::{
    failure::Refusal,
    identifiers::{AccountId, CaseId, ExternalId, JournalEntryId},
    link::{
        LowerCount, Opening,
        plan::Waiting,
        trouble::{Request, Side},
    },
    servicenow::{columns::BridgeColumns, delivery::Described, incident::IncidentState},
    support::{
        Effect,
        call::{Call, Content, Part, RefusedCall},
        case::CaseStatus,
        columns::CASE_ID,
        memory::{PartlySent, QuotaWait},
    },
};
use casebridge_plan_linter::Check;

use crate::{
    Row,
    scene::{ACCOUNT, CASE, DOUBLE, OTHER_ACCOUNT, Scene, at, comment, resolve},
};

const FIRST: Part = Part { number: 1, of: 2, end: 4, left_out: false };
const LAST: Part = Part { number: 2, of: 2, end: 9, left_out: false };

pub fn rows() -> Vec<Row> {
    [bounds(), holds(), incidents(), opening(), targets(), endings(), texts(), entries(), parts(), waits()].concat()
}

fn bounds() -> Vec<Row> {
    vec![
        (Check::TooManyEffects, Scene::clean, |scene| {
            for number in 0..25 {
                let name = format!("f{number:02}");
                scene.entries().push(comment(&name, 100));
                let text = scene.send(&name, 100);
                scene.plan.effects.push(text);
            }
        }),
        (Check::BeyondLoopBreaker, Scene::clean, |scene| {
            scene.policy.writes_per_window = 2;
            scene.pass.link.recent_writes = vec![at(299)];
        }),
        (Check::SilentLoopBreaker, Scene::linked, |scene| {
            scene.policy.writes_per_window = 1;
            scene.pass.link.recent_writes = vec![at(299)];
            scene.plan.effects = vec![Effect::WriteColumns];
        }),
    ]
}

fn holds() -> Vec<Row> {
    vec![
        (Check::WriteToGoneIncident, Scene::clean, |scene| scene.pass.incident_gone = true),
        (Check::WriteToUnservedIncident, Scene::clean, |scene| scene.pass.incident_not_served = true),
        (Check::WriteWhileInDoubt, Scene::clean, |scene| {
            scene.doubt();
            scene.plan.waits = vec![Waiting::UnknownOutcome { until: at(400) }];
        }),
        (Check::WriteWhilePaused, Scene::clean, |scene| {
            scene.pass.link.incident.as_mut().unwrap().group_accounts = vec![AccountId::new(OTHER_ACCOUNT)];
        }),
        (Check::WriteWithUnreadCase, Scene::clean, |scene| scene.pass.aws.case = None),
        (Check::WriteWithUnreadIncident, Scene::ending, |scene| {
            scene.pass.incident.as_mut().unwrap().entries_complete = false;
        }),
        (Check::WriteToRestingSide, Scene::clean, |scene| scene.trouble(Side::Aws, None, Request::Read)),
        (Check::WriteToRestingSide, Scene::clean, |scene| scene.trouble(Side::ServiceNow, None, Request::Read)),
        (Check::RefusedRequestRepeated, Scene::clean, |scene| {
            scene.trouble(Side::Aws, Some(Refusal::InvalidRequest), Request::Call(RefusedCall::AddCommunication));
        }),
        (Check::RefusedRequestRepeated, Scene::clean, |scene| {
            scene.trouble(Side::ServiceNow, Some(Refusal::InvalidRequest), Request::Messages);
        }),
        (Check::RefusedRequestRepeated, Scene::ending, |scene| {
            scene.trouble(Side::Aws, Some(Refusal::InvalidRequest), Request::Call(RefusedCall::ResolveCase));
        }),
    ]
}

fn incidents() -> Vec<Row> {
    vec![
        (Check::SecondIncident, Scene::opened_at_aws, |scene| scene.pass.link.opening = None),
        (Check::SecondIncident, Scene::opened_at_aws, |scene| {
            let again = scene.plan.effects[0].clone();
            scene.plan.effects.push(again);
        }),
        (Check::WriteBeforeIncident, Scene::opened_at_aws, |scene| scene.plan.effects.push(Effect::WriteColumns)),
        (Check::IncidentOfAnotherCase, Scene::opened_at_aws, |scene| {
            scene.new_incident().columns.own.insert(CASE_ID.to_owned(), DOUBLE.to_owned());
        }),
        (Check::IncidentOfAnotherCase, Scene::opened_at_aws, |scene| {
            scene.new_incident().account = AccountId::new(OTHER_ACCOUNT);
        }),
        (Check::OtherTextCovered, Scene::opened_at_aws, |scene| {
            let another = Described { message: ExternalId::new("another"), stands_for_it: true };
            scene.pass.link.opening = Some(Opening { describes: Some(another), ..Opening::default() });
        }),
        (Check::HandOverOfOpenIncident, Scene::handing_over, |scene| scene.end_at(IncidentState::Resolved, 5)),
        (Check::HandOverOfOpenIncident, Scene::handing_over, |scene| scene.pass.link.memory.case = None),
        (Check::HandOverBeforeTexts, Scene::handing_over, |scene| {
            scene.pass.link.memory.opening_remainder = Some("and so on".to_owned());
        }),
        (Check::EffectBesideHandOver, Scene::handing_over, |scene| {
            scene.plan.effects.insert(0, resolve(CASE));
        }),
    ]
}

fn opening() -> Vec<Row> {
    vec![
        (Check::SecondCase, Scene::opening, |scene| {
            let second = scene.open();
            scene.plan.effects.insert(1, second);
        }),
        (Check::CaseNamedByColumns, Scene::opening, |scene| {
            let columns =
                BridgeColumns { own: [(CASE_ID.to_owned(), CASE.to_owned())].into(), ..BridgeColumns::default() };
            scene.pass.incident.as_mut().unwrap().summary.columns = columns;
        }),
        (Check::CaseOutOfScope, Scene::opening, |scene| {
            scene.end_at(IncidentState::Resolved, 5);
            scene.entries()[0].created_on = at(4);
        }),
        (Check::CaseOutOfScope, Scene::opening, |scene| scene.pass.incident.as_mut().unwrap().account = None),
        (Check::OpenedOutOfTurn, Scene::opening, |scene| {
            let (account, priority, since) = (AccountId::new(ACCOUNT), "3".to_owned(), at(0));
            scene.pass.link.memory.waits_for_quota = Some(QuotaWait { account, priority, since });
            scene.pass.aws.first_in_line = Some(false);
        }),
        (Check::CallInWrongAccount, Scene::opening, |scene| {
            scene.pass.incident.as_mut().unwrap().account.as_mut().unwrap().number = AccountId::new(OTHER_ACCOUNT);
        }),
    ]
}

fn targets() -> Vec<Row> {
    vec![
        (Check::CallInWrongAccount, Scene::ending, |scene| {
            let Effect::Call(Call::ResolveCase { account, .. }) = &mut scene.plan.effects[2] else { panic!() };
            *account = AccountId::new(OTHER_ACCOUNT);
        }),
        (Check::CallToUnknownCase, Scene::clean, |scene| scene.plan.effects.push(resolve(DOUBLE))),
        (Check::TextForAnotherCase, Scene::clean, |scene| {
            scene.double(false);
            let text = scene.write(DOUBLE, Content::ReopenNotice, Part::whole(0));
            let notice = Content::DoubleNotice(CaseId::new("another"));
            let Effect::Call(Call::AddCommunication { account, case_id, part, body, mark, .. }) = text else {
                panic!()
            };
            let text = Call::AddCommunication { account, case_id, content: notice, part, body, mark, carried: None };
            scene.plan.effects.push(Effect::Call(text));
        }),
        (Check::DoubleToldAgain, Scene::clean, |scene| {
            scene.double(true);
            let notice = scene.write(DOUBLE, Content::DoubleNotice(CaseId::new(DOUBLE)), Part::whole(0));
            scene.plan.effects.extend([notice, resolve(DOUBLE)]);
        }),
    ]
}

fn endings() -> Vec<Row> {
    vec![
        (Check::CallAfterResolution, Scene::ending, |scene| scene.plan.effects.insert(3, resolve(CASE))),
        (Check::CallAfterResolution, Scene::clean, |scene| {
            scene.double(false);
            let notice = scene.write(DOUBLE, Content::DoubleNotice(CaseId::new(DOUBLE)), Part::whole(0));
            scene.plan.effects.extend([resolve(DOUBLE), notice]);
        }),
        (Check::ResolutionOfResolved, Scene::ending, |scene| {
            scene.resolve_case();
            scene.entries().clear();
            scene.plan.effects.remove(1);
        }),
        (Check::ResolutionOfOpenIncident, Scene::ending, |scene| scene.set_incident(IncidentState::InProgress)),
        (Check::ResolutionAgainstReopening, Scene::ending, |scene| scene.pass.link.base.ended = true),
        (Check::NeedlessReopenNotice, Scene::clean, |scene| {
            let notice = scene.write(CASE, Content::ReopenNotice, Part::whole(0));
            scene.plan.effects.push(notice);
        }),
        (Check::NeedlessReopenNotice, Scene::clean, |scene| {
            scene.entries().clear();
            scene.plan.effects[1] = scene.write(CASE, Content::ReopenNotice, Part::whole(0));
        }),
    ]
}

fn texts() -> Vec<Row> {
    vec![
        (Check::TextTooLong, Scene::clean, |scene| scene.body().push_str(&"é".repeat(3_990))),
        (Check::SubjectTooLong, Scene::opening, |scene| {
            let Effect::Call(Call::OpenCase { request, .. }) = &mut scene.plan.effects[0] else { panic!() };
            request.subject = "é".repeat(126);
        }),
        (Check::TextWithoutMark, Scene::clean, |scene| *scene.body() = "Any news?".to_owned()),
        (Check::ForeignMark, Scene::clean, |scene| {
            let other = scene.mark().sign("\n\nYou wrote");
            scene.body().push_str(&other);
        }),
        (Check::MarkUsedTwice, Scene::clean, |scene| {
            let Effect::Call(Call::AddCommunication { mark, body, .. }) = scene.plan.effects[1].clone() else {
                panic!()
            };
            scene.pass.link.memory.conversation.sending(&mark, &body, at(0));
        }),
    ]
}

fn entries() -> Vec<Row> {
    vec![
        (Check::UnknownEntry, Scene::clean, |scene| scene.entries().clear()),
        (Check::PrivateEntry, Scene::clean, |scene| scene.entries()[0].element = "work_notes".to_owned()),
        (Check::PrivateEntry, Scene::clean, |scene| scene.entries()[0].ours = true),
        (Check::PrivateEntry, Scene::clean, |scene| scene.entries()[0].undecided = true),
        (Check::PrivateEntry, Scene::opening, |scene| scene.entries()[0].ours = true),
        (Check::SettledEntry, Scene::clean, |scene| {
            scene.pass.link.journal.settle([(JournalEntryId::new("e1"), at(10))]);
        }),
        (Check::SettledEntry, Scene::clean, |scene| scene.pass.link.journal.settled_before = Some(at(11))),
        (Check::EntryNotForAws, Scene::clean, |scene| scene.end_at(IncidentState::Closed, 5)),
        (Check::EntryOnEndedIncident, Scene::clean, |scene| scene.end_at(IncidentState::Resolved, 5)),
        (Check::TextSentTwice, Scene::clean, |scene| {
            let again = scene.send("e1", 10);
            scene.plan.effects.push(again);
        }),
        (Check::EntriesOutOfOrder, Scene::clean, |scene| {
            scene.entries().push(comment("e0", 9));
            let text = scene.send("e0", 9);
            scene.plan.effects.push(text);
        }),
        (Check::EntriesOutOfOrder, Scene::clean, |scene| {
            scene.pass.link.memory.opening_remainder = Some("and so on".to_owned());
        }),
        (Check::EntryOvertaken, Scene::clean, |scene| scene.entries().push(comment("e0", 9))),
        (Check::EntryOvertaken, Scene::ending, |scene| scene.entries().push(comment("e2", 12))),
    ]
}

fn parts() -> Vec<Row> {
    vec![
        (Check::PartsOutOfOrder, Scene::clean, |scene| scene.plan.effects[1] = scene.send_part("e1", 10, LAST)),
        (Check::PartsOutOfOrder, Scene::clean, |scene| {
            let content = Content::Entry { entry: JournalEntryId::new("e1"), created_on: at(10) };
            scene.pass.link.memory.partly_sent = Some(PartlySent { content, bytes: 4, parts: 1 });
        }),
        (Check::PartsOutOfOrder, Scene::clean, |scene| {
            scene.entries().push(comment("e2", 12));
            scene.plan.effects[1] = scene.send_part("e1", 10, FIRST);
            let next = scene.send("e2", 12);
            scene.plan.effects.push(next);
        }),
        (Check::PartsOutOfOrder, Scene::clean, |scene| {
            let left_out = Part { left_out: true, ..FIRST };
            scene.plan.effects[1] = scene.send_part("e1", 10, left_out);
            let next = scene.send_part("e1", 10, LAST);
            scene.plan.effects.push(next);
        }),
        (Check::PartsOutOfOrder, Scene::ending, |scene| {
            scene.plan.effects[1] = scene.send_part("e1", 10, FIRST);
        }),
    ]
}

fn waits() -> Vec<Row> {
    vec![
        (Check::WaitIsOver, Scene::clean, |scene| scene.plan.waits = vec![Waiting::Backoff { until: scene.now }]),
        (Check::WaitTwice, Scene::clean, |scene| scene.plan.waits = vec![Waiting::Backoff { until: at(400) }; 2]),
        (Check::DoubtNotWaitedFor, Scene::linked, |scene| {
            scene.doubt();
            scene.plan.waits = vec![Waiting::FullRead { until: at(400) }];
        }),
        (Check::OpenWorkWithoutDueTime, Scene::linked, |scene| {
            scene.pass.link.lower_count = Some(LowerCount { since: at(299) });
            scene.plan.waits = vec![Waiting::IncidentClosed];
        }),
        (Check::ForgottenComment, Scene::linked, |scene| {
            for reply in scene.pass.aws.shown.clone() {
                scene.pass.link.memory.conversation.delivered(&reply.id);
            }
        }),
        (Check::ForgottenReply, Scene::linked, |scene| scene.entries().clear()),
    ]
}

#[test]
fn a_case_that_was_resolved_is_reopened_by_one_text() {
    let mut scene = Scene::clean();
    scene.pass.link.memory.case.as_mut().unwrap().status = Some(CaseStatus::new("resolved"));
    assert_eq!(scene.checks(), []);
    scene.entries().clear();
    scene.plan.effects[1] = scene.write(CASE, Content::ReopenNotice, Part::whole(0));
    assert_eq!(scene.checks(), [], "nobody wrote anything");
}

#[test]
fn a_doubt_may_end_while_a_pass_plans() {
    let mut scene = Scene::linked();
    scene.doubt();
    scene.plan.waits = vec![Waiting::UnknownOutcome { until: scene.now }];
    assert_eq!(scene.checks(), []);
}

#[test]
fn the_parts_of_a_text_may_take_more_than_one_plan() {
    let mut scene = Scene::clean();
    let content = Content::Entry { entry: JournalEntryId::new("e1"), created_on: at(10) };
    scene.pass.link.memory.partly_sent = Some(PartlySent { content, bytes: 4, parts: 1 });
    scene.entries().push(comment("e0", 9));
    scene.plan.effects[1] = scene.send_part("e1", 10, LAST);
    let next = scene.send("e0", 9);
    scene.plan.effects.push(next);
    assert_eq!(scene.checks(), [], "what is on the case in part goes first");
}
