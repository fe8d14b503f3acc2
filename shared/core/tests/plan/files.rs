//! Files: which go where, in which groups, once, and what is told of those that stay.

use std::slice;

use casebridge_core::{
    failure::{Failure, Refusal, Side},
    file::{
        FileRefusal,
        order::{Cargo, Order},
        transfer::{Carried, End, FileFate, Transfer},
    },
    identifiers::{AttachmentId, FileId},
    link::plan::Waiting,
    policy::AttachmentRule,
    servicenow::incident::{FileState, Incident, IncidentFile, IncidentState},
    support::{
        Effect, Pass,
        call::{Call, Content},
        case::CaseFile,
        files::{Files, IncomingProgress, OutgoingProgress},
        read::{Answer, Question},
    },
};

use crate::sides::{Sides, names, refusal};

/// A person attaches a file of this many bytes.
pub fn attach(sides: &mut Sides, name: &str, bytes: u64) {
    sides.pass_time(1);
    sides.incident.attachments.push(IncidentFile {
        sys_id: FileId::new(format!("{:032x}", sides.incident.attachments.len() + 1)),
        created_on: sides.now,
        created_by: "abel.tuter".to_owned(),
        author: "Abel Tuter".to_owned(),
        file_name: name.to_owned(),
        content_type: String::new(),
        size_bytes: bytes,
        state: FileState::Available,
        ours: false,
        undecided: false,
    });
}

/// Returns the names of the files of an order.
fn cargo(order: &Order) -> Vec<&str> {
    match &order.cargo {
        Cargo::ToRecord(files) => files.iter().map(|file| file.name.as_str()).collect(),
        Cargo::ToIncident(file) => vec![file.name.as_str()],
    }
}

fn moved() -> FileFate {
    FileFate::Moved { sha256: "0".repeat(64) }
}

/// Returns the transfer of an order, ended with these fates.
fn ended(sides: &Sides, order: &Order, fates: Vec<FileFate>) -> Transfer {
    let is_any_moved = fates.contains(&moved());
    let until = sides.now + jiff::SignedDuration::from_hours(1);
    let carried = Carried { set: Some("set".to_owned()), uploads: Vec::new(), until };
    let is_outgoing = matches!(order.cargo, Cargo::ToRecord(_));
    let end = if is_any_moved && is_outgoing { End::Ready(carried) } else { End::Done };
    Transfer { fates, end: Some(end), ..Transfer::new(order.clone()) }
}

/// Makes a pass that reads the transfers from this ledger. Returns the names of its effects.
fn pass_with(sides: &mut Sides, transfers: &[Transfer]) -> Vec<&'static str> {
    let mut pass = sides.unseen();
    sides.see_incident(&mut pass);
    see_transfers(sides, &mut pass, transfers);
    sides.see_case(&mut pass);
    let mut done = Vec::new();
    for _ in 0..10 {
        let plan = sides.plan(&pass);
        if plan.effects.is_empty() {
            break;
        }
        for effect in &plan.effects {
            done.push(effect.name());
            if !sides.apply(&mut pass, effect) {
                break;
            }
        }
    }
    sides.record(pass);
    done
}

fn see_transfers(sides: &Sides, pass: &mut Pass, transfers: &[Transfer]) {
    use casebridge_core::link::{kind::Kind, pass::Seen};
    casebridge_core::support::SupportCase::look(pass, sides.now);
    for read in casebridge_core::support::SupportCase::next_reads(pass) {
        if let Question::Transfer { transfer: id, .. } = &read.question {
            let found = transfers.iter().find(|transfer| transfer.order.transfer == *id).cloned();
            let seen = Seen::Record(read.clone(), Ok(Answer::Transfer(found.map(Box::new))));
            pass.see(&sides.policy, seen, sides.now, 0).unwrap();
        }
    }
}

/// Orders the files of the incident and ends their transfers, each file with this fate. Returns the effects that follow.
fn move_all(sides: &mut Sides, fate: &FileFate) -> Vec<&'static str> {
    pass_with(sides, &[]);
    let orders = std::mem::take(&mut sides.orders);
    let transfers: Vec<Transfer> =
        orders.iter().map(|order| ended(sides, order, cargo(order).iter().map(|_| fate.clone()).collect())).collect();
    pass_with(sides, &transfers)
}

#[test]
fn files_go_in_groups_of_three_small_ones_and_large_ones_alone() {
    let mut sides = Sides::linked();
    for (name, bytes) in [("a", 1), ("b", 5_000_000), ("c", 5_000_001), ("d", 1), ("e", 1), ("f", 1), ("g", 1)] {
        attach(&mut sides, name, bytes);
    }
    sides.pass();
    let groups: Vec<Vec<&str>> = sides.orders.iter().map(cargo).collect();
    assert_eq!(groups, [vec!["a", "b"], vec!["c"], vec!["d", "e", "f"], vec!["g"]]);
}

#[test]
fn files_go_once_in_a_communication_that_names_them() {
    let mut sides = Sides::linked();
    attach(&mut sides, "log.txt", 10);
    attach(&mut sides, "log.txt", 10);
    assert_eq!(move_all(&mut sides, &moved()), ["add_communication"]);
    let body = sides.bodies().last().unwrap().to_string();
    assert!(body.starts_with("Abel Tuter attached 2 files to INC0010001."), "{body}");
    assert!(body.ends_with("log.txt\nlog.txt"), "{body}");
    assert_eq!(sides.carried.len(), 1);
    assert_eq!(sides.carried[0].set.as_deref(), Some("set"));
    assert_eq!(pass_with(&mut sides, &[]), [""; 0], "they are on the case");
    assert!(sides.orders.is_empty());
}

#[test]
fn what_casebridge_wrote_or_may_have_written_goes_nowhere() {
    let mut sides = Sides::linked();
    attach(&mut sides, "ours", 10);
    attach(&mut sides, "undecided", 10);
    sides.incident.attachments[0].ours = true;
    sides.incident.attachments[1].undecided = true;
    sides.pass();
    assert!(sides.orders.is_empty());
}

#[test]
fn files_from_before_the_case_follow_its_first_communication() {
    let mut sides = Sides::new();
    attach(&mut sides, "before.log", 10);
    sides.pass();
    assert!(sides.case.is_some() && sides.orders.is_empty());
    sides.pass();
    assert_eq!(sides.orders.len(), 1);
}

#[test]
fn a_link_of_a_former_version_leaves_the_files_that_are_there() {
    let mut sides = Sides::linked();
    attach(&mut sides, "old.log", 10);
    sides.link.memory.files = Files { are_followed: false, ..Files::default() };
    sides.pass();
    assert!(sides.orders.is_empty());
    attach(&mut sides, "new.log", 10);
    sides.pass();
    assert_eq!(cargo(&sides.orders[0]), ["new.log"]);
    let stored = serde_json::to_value(&Sides::linked().link.memory).unwrap();
    let mut former = stored.as_object().unwrap().clone();
    former.remove("files");
    let read: casebridge_core::support::memory::Memory = serde_json::from_value(former.into()).unwrap();
    assert!(!read.files.are_followed);
}

#[test]
fn both_sides_are_told_once_of_a_file_that_stays() {
    for (bytes, state, why) in [
        (0, FileState::Available, "it is empty"),
        (157_286_401, FileState::Available, "it is larger than 157 MB"),
        (10, FileState::NotAvailable, "the check for viruses of ServiceNow withholds it"),
    ] {
        let mut sides = Sides::linked();
        attach(&mut sides, "stays.bin", bytes);
        sides.incident.attachments[0].state = state;
        sides.settle();
        assert!(sides.orders.is_empty());
        let on_case = sides.bodies().iter().filter(|body| body.contains("stays.bin") && body.contains(why)).count();
        let on_incident = sides.told.iter().filter(|note| note.text.contains("stays.bin") && note.text.contains(why));
        assert_eq!((on_case, on_incident.count()), (1, 1), "{why}");
    }
}

#[test]
fn a_file_that_aws_refuses_in_its_transfer_is_told_and_one_that_is_gone_is_not() {
    let mut sides = Sides::linked();
    attach(&mut sides, "setup.exe", 10);
    let refusal = FileRefusal::NotAccepted { by: Side::Aws, reason: "type".to_owned() };
    move_all(&mut sides, &FileFate::Refused { refusal });
    sides.settle();
    assert_eq!(sides.told.iter().filter(|note| note.text.contains("setup.exe")).count(), 1);
    let mut gone = Sides::linked();
    attach(&mut gone, "gone.txt", 10);
    assert_eq!(move_all(&mut gone, &FileFate::Gone), [""; 0]);
    assert!(gone.told.is_empty() && gone.link.memory.files.settled.len() == 1);
}

#[test]
fn a_file_that_is_checked_goes_once_it_is_available() {
    let mut sides = Sides::linked();
    attach(&mut sides, "scanned.zip", 10);
    sides.incident.attachments[0].state = FileState::Pending;
    let pass = sides.observe();
    let plan = sides.plan(&pass);
    assert!(matches!(plan.waits[..], [Waiting::Files { .. }]), "{plan:?}");
    sides.record(pass);
    sides.incident.attachments[0].state = FileState::Available;
    sides.pass();
    assert_eq!(sides.orders.len(), 1);
}

#[test]
fn a_resolution_waits_for_the_files_from_before_it() {
    let mut sides = Sides::linked();
    attach(&mut sides, "last.log", 10);
    sides.set_state(IncidentState::Resolved);
    sides.pass();
    assert_eq!(sides.orders.len(), 1);
    assert_eq!(sides.status(), "opened");
    assert_eq!(move_all(&mut sides, &moved()), ["add_communication", "resolve_case", "write_columns"]);
}

#[test]
fn a_file_on_an_incident_that_has_ended_reopens_nothing() {
    let mut sides = Sides::linked();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    attach(&mut sides, "late.log", 10);
    assert_eq!(sides.settle(), [""; 0]);
    sides.set_state(IncidentState::InProgress);
    sides.pass();
    assert_eq!(sides.orders.len(), 1, "work goes on, and the file goes");
}

#[test]
fn a_set_that_ends_soon_is_not_used_and_the_files_are_moved_anew() {
    let mut sides = Sides::linked();
    attach(&mut sides, "a.log", 10);
    sides.pass();
    let first = sides.orders.remove(0);
    let transfer = ended(&sides, &first, vec![moved()]);
    sides.pass_time(3_600 - 200);
    let mut pass = sides.unseen();
    sides.see_incident(&mut pass);
    see_transfers(&sides, &mut pass, slice::from_ref(&transfer));
    sides.record(pass);
    assert!(matches!(sides.link.memory.files.outgoing[0].progress, OutgoingProgress::Ready(_)));
    pass_with(&mut sides, &[transfer]);
    let again = sides.orders.last().unwrap();
    assert_ne!(again.transfer, first.transfer);
    assert_eq!(cargo(again), ["a.log"]);
    assert!(sides.carried.is_empty());
}

#[test]
fn a_transfer_that_does_not_end_is_ordered_again_as_the_same_one() {
    let mut sides = Sides::linked();
    attach(&mut sides, "a.log", 10);
    sides.pass();
    let open = Transfer::new(sides.orders[0].clone());
    sides.pass_time(60);
    assert_eq!(pass_with(&mut sides, slice::from_ref(&open)), [""; 0]);
    sides.pass_time(20 * 60);
    assert_eq!(pass_with(&mut sides, &[open]), ["order_files"]);
    assert_eq!(sides.orders[0].transfer, sides.orders[1].transfer);
}

#[test]
fn a_refused_communication_moves_its_files_anew_and_gives_up_in_the_end() {
    let mut sides = Sides::linked();
    attach(&mut sides, "a.log", 10);
    sides.pass();
    for _ in 0..3 {
        let order = sides.orders.last().unwrap().clone();
        let transfer = ended(&sides, &order, vec![moved()]);
        let mut pass = sides.unseen();
        sides.see_incident(&mut pass);
        see_transfers(&sides, &mut pass, &[transfer]);
        sides.see_case(&mut pass);
        let plan = sides.plan(&pass);
        let sends = |effect: &&Effect| {
            matches!(effect, Effect::Call(Call::AddCommunication { content: Content::Files(_), .. }))
        };
        let effect = plan.effects.iter().find(sends).unwrap();
        let Effect::Call(call) = effect else { unreachable!("it is a call") };
        pass.begin(effect, sides.now);
        pass.refused(&sides.policy, call, &refusal(Refusal::InvalidRequest), sides.now, 0).unwrap();
        sides.record(pass);
        sides.pass();
    }
    assert!(sides.link.memory.files.outgoing.is_empty());
    sides.settle();
    assert_eq!(sides.told.iter().filter(|note| note.text.contains("a.log")).count(), 1);
}

/// AWS replies with files of these names.
fn reply_with(sides: &mut Sides, files: &[(&str, &str)]) {
    sides.reply("See the files.");
    let last = sides.case.as_mut().unwrap().communications.last_mut().unwrap();
    last.attachments =
        files.iter().map(|(id, name)| CaseFile { id: AttachmentId::new(*id), name: (*name).to_owned() }).collect();
}

#[test]
fn files_of_a_reply_follow_its_comment_each_once() {
    let mut sides = Sides::linked();
    reply_with(&mut sides, &[("one", "a.log"), ("two", "../a.log")]);
    let mut effects = sides.pass();
    effects.extend(sides.pass());
    assert_eq!(effects, ["deliver", "order_files", "order_files"]);
    assert_eq!(sides.orders.iter().flat_map(cargo).collect::<Vec<_>>(), ["a.log", "_a.log"]);
    let transfers: Vec<Transfer> = sides.orders.iter().map(|order| ended(&sides, order, vec![moved()])).collect();
    // AWS shows the files with other ids by now.
    sides.case.as_mut().unwrap().communications.last_mut().unwrap().attachments[0].id = AttachmentId::new("other");
    assert_eq!(pass_with(&mut sides, &transfers), [""; 0]);
    assert_eq!(pass_with(&mut sides, &[]), [""; 0]);
    assert_eq!(sides.orders.len(), 2);
}

#[test]
fn a_reply_is_remembered_as_long_as_a_file_of_it_is_under_way() {
    let mut sides = Sides::linked();
    sides.reply("Before.");
    sides.pass_time(60);
    reply_with(&mut sides, &[("one", "a.log")]);
    let written_at = sides.now;
    sides.settle();
    sides.pass_time(7_200);
    sides.reply("After.");
    sides.settle();
    assert_eq!(sides.link.memory.conversation.settled_before, Some(written_at));
}

#[test]
fn a_file_with_an_id_of_the_past_is_ordered_with_the_present_one() {
    let mut sides = Sides::linked();
    reply_with(&mut sides, &[("one", "a.log")]);
    sides.settle();
    let renamed = Transfer { end: Some(End::Renamed), ..Transfer::new(sides.orders[0].clone()) };
    sides.case.as_mut().unwrap().communications.last_mut().unwrap().attachments[0].id = AttachmentId::new("other");
    assert_eq!(pass_with(&mut sides, slice::from_ref(&renamed)), [""; 0], "every node of AWS may know the id soon");
    sides.pass_time(60);
    pass_with(&mut sides, &[renamed]);
    let Cargo::ToIncident(file) = &sides.orders.last().unwrap().cargo else { panic!("it goes to the incident") };
    assert_eq!(file.attachment.as_str(), "other");
    let Cargo::ToIncident(first) = &sides.orders[0].cargo else { panic!("it goes to the incident") };
    assert_eq!(file.external_id, first.external_id, "ServiceNow takes it once");
    assert_ne!(sides.orders[0].transfer, sides.orders[1].transfer);
}

#[test]
fn files_of_our_own_communications_do_not_come_back() {
    let mut sides = Sides::linked();
    attach(&mut sides, "a.log", 10);
    move_all(&mut sides, &moved());
    let last = sides.case.as_mut().unwrap().communications.last_mut().unwrap();
    last.attachments = vec![CaseFile { id: AttachmentId::new("ours"), name: "a.log".to_owned() }];
    sides.orders.clear();
    assert_eq!(pass_with(&mut sides, &[]), [""; 0]);
    assert!(sides.orders.is_empty());
}

#[test]
fn the_policy_chooses_the_direction() {
    for (rule, to_aws, to_servicenow) in [
        (AttachmentRule::Both, true, true),
        (AttachmentRule::ToAws, true, false),
        (AttachmentRule::ToServicenow, false, true),
        (AttachmentRule::None, false, false),
    ] {
        let mut sides = Sides::linked();
        sides.policy.attachments = rule;
        attach(&mut sides, "up.log", 10);
        reply_with(&mut sides, &[("one", "down.log")]);
        sides.pass();
        sides.pass();
        let ordered: Vec<&str> = sides.orders.iter().flat_map(cargo).collect();
        assert_eq!((ordered.contains(&"up.log"), ordered.contains(&"down.log")), (to_aws, to_servicenow), "{rule:?}");
        assert_eq!(sides.link.memory.files.incoming.len(), usize::from(to_servicenow), "{rule:?}");
    }
}

#[test]
fn a_link_that_pauses_orders_nothing_for_the_case() {
    use casebridge_core::servicenow::incident::AccountState;
    let mut sides = Sides::linked();
    sides.set_account(AccountState::Inactive);
    attach(&mut sides, "up.log", 10);
    let pass = sides.observe();
    assert!(!names(&sides.plan(&pass)).contains(&"order_files"));
}

#[test]
fn a_case_whose_reads_fail_sends_no_files() {
    let mut sides = Sides::linked();
    attach(&mut sides, "up.log", 10);
    let mut pass = sides.unseen();
    sides.see_incident(&mut pass);
    let plan = sides.plan(&pass);
    assert_eq!(names(&plan), ["order_files"], "moving a file shows nothing on the case");
    let failure = Failure::Unavailable { message: "busy".to_owned(), retry_at: None };
    assert_eq!(failure.name(), "unavailable");
}

#[test]
fn an_answer_that_leaves_no_file_out_says_nothing_of_it() {
    let incident = Sides::new().incident;
    let shown = serde_json::to_value(&incident).unwrap();
    assert_eq!(shown.get("attachments_complete"), None);
    assert_eq!(serde_json::from_value::<Incident>(shown).unwrap(), incident);
}

#[test]
fn a_file_that_aws_shows_with_another_name_is_the_same_one() {
    let mut sides = Sides::linked();
    reply_with(&mut sides, &[("one", "a.log"), ("two", "b.log")]);
    sides.settle();
    sides.case.as_mut().unwrap().communications.last_mut().unwrap().attachments[0].name = "a_log".to_owned();
    sides.settle();
    assert_eq!(sides.link.memory.files.incoming.len(), 2);
}

/// Equal replies of one second may change places from read to read.
#[test]
fn a_file_that_is_shown_with_the_other_of_two_equal_replies_is_the_same_one() {
    let mut sides = Sides::linked();
    reply_with(&mut sides, &[("one", "a.log")]);
    sides.reply("Once more.");
    let communications = &mut sides.case.as_mut().unwrap().communications;
    let mut twin = communications.last().unwrap().clone();
    twin.attachments = vec![CaseFile { id: AttachmentId::new("two"), name: "a.log".to_owned() }];
    communications.push(twin);
    sides.settle();
    assert_eq!(sides.link.memory.files.incoming.len(), 2);
    sides.case.as_mut().unwrap().communications[2..].reverse();
    sides.settle();
    assert_eq!(sides.link.memory.files.incoming.len(), 2);
}

/// One answer rounds the times, the next one cuts them and shows the later one of two equal replies alone.
#[test]
fn a_file_that_is_shown_with_an_equal_reply_of_the_second_before_is_the_same_one() {
    let mut sides = Sides::linked();
    sides.reply("See the files.");
    sides.pass_time(1);
    reply_with(&mut sides, &[("one", "a.log")]);
    sides.settle();
    let case = sides.case.as_mut().unwrap();
    let mut last = case.communications.pop().unwrap();
    last.time_created = case.communications.pop().unwrap().time_created;
    case.communications.push(last);
    sides.settle();
    assert_eq!(sides.link.memory.files.incoming.len(), 1);
}

#[test]
fn a_link_remembers_three_hundred_files_of_its_case() {
    let mut sides = Sides::linked();
    let names: Vec<String> = (0..301).map(|number| format!("{number}.log")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
    reply_with(&mut sides, &files);
    let pass = sides.observe();
    assert_eq!(pass.link.memory.files.incoming.len(), 300);
}

#[test]
fn files_that_are_to_be_moved_anew_stay_where_the_policy_sends_none_any_more() {
    let mut sides = Sides::linked();
    attach(&mut sides, "wanted.log", 6_000_000);
    attach(&mut sides, "ordered.log", 6_000_000);
    sides.pass();
    sides.link.memory.files.outgoing[0].progress = OutgoingProgress::Wanted;
    sides.policy.attachments = AttachmentRule::ToServicenow;
    let pass = sides.observe();
    let left: Vec<&str> =
        pass.link.memory.files.outgoing.iter().map(|outgoing| outgoing.files[0].name.as_str()).collect();
    assert_eq!(left, ["ordered.log"]);
}

#[test]
fn each_communication_with_files_names_who_attached_them() {
    let mut sides = Sides::linked();
    attach(&mut sides, "a.log", 6_000_000);
    attach(&mut sides, "b.log", 6_000_000);
    sides.incident.attachments[1].author = "Beth Anglin".to_owned();
    sides.pass();
    let authors: Vec<&str> = sides.link.memory.files.outgoing.iter().map(|outgoing| outgoing.author.as_str()).collect();
    assert_eq!(authors, ["Abel Tuter", "Beth Anglin"]);
}

#[test]
fn a_file_whose_id_aws_never_knows_stays_in_the_end_and_is_told() {
    let mut sides = Sides::linked();
    reply_with(&mut sides, &[("one", "a.log")]);
    sides.link = sides.observe().link;
    sides.link.memory.files.incoming[0].generation = 150;
    sides.settle();
    let renamed = Transfer { end: Some(End::Renamed), ..Transfer::new(sides.orders[0].clone()) };
    pass_with(&mut sides, &[renamed]);
    assert_eq!(sides.link.memory.files.incoming[0].progress, IncomingProgress::Settled);
    assert_eq!(sides.told.iter().filter(|note| note.text.contains("a.log")).count(), 1);
}

#[test]
fn a_reply_is_remembered_until_its_files_are_settled_and_the_files_as_long_as_the_reply() {
    for is_settled in [true, false] {
        let mut sides = Sides::linked();
        reply_with(&mut sides, &[("one", "a.log")]);
        sides.settle();
        let order = sides.orders[0].clone();
        let transfer = if is_settled { ended(&sides, &order, vec![moved()]) } else { Transfer::new(order) };
        for _ in 0..2 {
            pass_with(&mut sides, slice::from_ref(&transfer));
            sides.pass_time(2 * 3_600);
            sides.reply("Not yet.");
        }
        assert_eq!(sides.link.memory.files.incoming.len(), usize::from(!is_settled), "settled: {is_settled}");
    }
}

#[test]
fn a_case_is_resolved_with_the_last_files_and_not_before_files_that_are_not_ordered_yet() {
    for (is_any_unordered, effects) in [
        (false, ["add_communication", "resolve_case", "write_columns"].as_slice()),
        (true, ["order_files", "add_communication"].as_slice()),
    ] {
        let mut sides = Sides::linked();
        attach(&mut sides, "a.log", 10);
        sides.set_state(IncidentState::Resolved);
        sides.pass();
        let transfer = ended(&sides, &sides.orders[0], vec![moved()]);
        if is_any_unordered {
            attach(&mut sides, "b.log", 10);
        }
        let mut pass = sides.unseen();
        sides.see_incident(&mut pass);
        see_transfers(&sides, &mut pass, &[transfer]);
        sides.see_case(&mut pass);
        assert_eq!(names(&sides.plan(&pass)), effects);
    }
}
