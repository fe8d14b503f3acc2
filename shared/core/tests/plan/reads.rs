//! The reads that a look makes, round by round, and what their answers mean.

use casebridge_core::{
    failure::{Failure, Refusal},
    hint::Cause,
    identifiers::{AccountId, CaseId, DisplayId, IncidentId, LinkKey},
    link::{
        intent::Illegal,
        mark::{Entropy, Mark},
        pass::{Look, Read, Seen},
        plan::Waiting,
        trouble::Side,
    },
    servicenow::incident::IncidentState,
    support::{
        Link, Pass,
        case::{CaseStatus, RECENT_COMMUNICATIONS},
        memory::GivenUpCase,
        read::{Answer, CasePage, CaseQuery, CommunicationPage, DescribedCase, NamedCaseReader, Question},
        unknown_case::marked_cases,
    },
};
use std::ops::ControlFlow;

use jiff::{SignedDuration, Timestamp};

use crate::sides::{ACCOUNT, CASE_ID, Sides, refusal, unavailable};

/// The answer of AWS Support to a question. `None` if it answers with the case as it is.
type Answers<'a> = dyn FnMut(&Question) -> Option<Result<Answer, Failure>> + 'a;

/// A look: what it has asked for, in short, and the answers of both sides.
struct Looking<'a> {
    sides: &'a Sides,
    pass: Pass,
    /// The answers of AWS Support that differ from the case as it is.
    answers: Box<Answers<'a>>,
    asked: Vec<String>,
    failures: Vec<(Side, Failure)>,
}

impl<'a> Looking<'a> {
    fn new(sides: &'a Sides, look: Look) -> Self {
        let mut pass = sides.unseen();
        pass.look(look, sides.now);
        Self { sides, pass, answers: Box::new(|_| None), asked: Vec::new(), failures: Vec::new() }
    }

    fn answering(mut self, answers: impl FnMut(&Question) -> Option<Result<Answer, Failure>> + 'a) -> Self {
        self.answers = Box::new(answers);
        self
    }

    /// Makes all reads, round by round. In `asked` a bar separates two rounds.
    fn run(mut self) -> Self {
        loop {
            let reads = self.pass.next_reads();
            if reads.is_empty() {
                return self;
            }
            let round: Vec<String> = reads.iter().map(name).collect();
            self.asked.push(round.join(", "));
            for read in reads {
                let seen = self.answer(read);
                self.failures.extend(self.pass.see(&self.sides.policy, seen, self.sides.now, 0).unwrap());
            }
        }
    }

    fn answer(
        &mut self,
        read: Read<casebridge_core::support::read::Read>,
    ) -> Seen<casebridge_core::support::SupportCase> {
        match read {
            Read::Incident { entries_since } => Seen::Incident(Ok(Some(self.sides.snapshot(entries_since)))),
            Read::Record(read) => {
                let answer = (self.answers)(&read.question).unwrap_or_else(|| Ok(self.as_world(&read.question)));
                Seen::Record(read, answer)
            }
        }
    }

    fn as_world(&self, question: &Question) -> Answer {
        match question {
            Question::Cases { .. } => {
                Answer::Cases(CasePage { cases: described(self.sides).into_iter().collect(), next: None })
            }
            Question::Communications { .. } => {
                let mut communications = self.sides.case.as_ref().unwrap().communications.clone();
                communications.reverse();
                Answer::Communications(CommunicationPage { communications, next: None })
            }
            Question::FirstWaiter { .. } | Question::LinkOfCase { .. } => Answer::Link(None),
            Question::Transfer { .. } => Answer::Transfer(None),
        }
    }
}

fn name(read: &Read<casebridge_core::support::read::Read>) -> String {
    let Read::Record(read) = read else { return "incident".to_owned() };
    match &read.question {
        Question::Cases { query: CaseQuery::Ids(_), .. } => "case by id".to_owned(),
        Question::Cases { query: CaseQuery::DisplayId(number), .. } => format!("case {number}"),
        Question::Cases { query: CaseQuery::Since { next, .. }, .. } => page("cases", next.as_deref()),
        Question::Communications { span, next, .. } => {
            page(if span.before.is_some() { "a time" } else { "communications" }, next.as_deref())
        }
        Question::FirstWaiter { .. } => "first waiter".to_owned(),
        Question::LinkOfCase { .. } => "link of case".to_owned(),
        Question::Transfer { .. } => "transfer".to_owned(),
    }
}

fn page(what: &str, next: Option<&str>) -> String {
    next.map_or(what.to_owned(), |next| format!("{what} from {next}"))
}

/// Returns the case as DescribeCases shows it. Returns `None` if there is no case.
fn described(sides: &Sides) -> Option<DescribedCase> {
    let case = sides.case.as_ref()?;
    let first_shown = case.communications.len().saturating_sub(RECENT_COMMUNICATIONS);
    Some(DescribedCase {
        case_id: CaseId::new(CASE_ID),
        display_id: DisplayId::new("1234567890"),
        subject: "[INC0010001] Instance unreachable".to_owned(),
        status: CaseStatus::new(case.status.as_str()),
        service_code: "amazon-ec2".to_owned(),
        category_code: "other".to_owned(),
        severity_code: "low".to_owned(),
        time_created: case.communications[0].time_created,
        recent: case.communications[first_shown..].to_vec(),
        more_communications: first_shown > 0,
    })
}

fn not_found() -> Failure {
    refusal(Refusal::NotFound)
}

fn hint(cause: Cause) -> Look {
    Look::Hint(cause)
}

/// Returns sides with a case of many communications, of which most are not delivered.
fn talkative(communications: usize) -> Sides {
    let mut sides = Sides::linked();
    for number in 0..communications {
        sides.reply(&format!("Line {number}"));
    }
    sides
}

/// Returns linked sides, L after the case was opened.
fn old() -> Sides {
    let mut sides = Sides::linked();
    sides.pass_time(i64::from(sides.policy.unknown_outcome_seconds));
    sides
}

#[test]
fn a_look_for_aws_leaves_the_incident_alone_and_one_for_servicenow_reads_both_sides() {
    let sides = Sides::linked();
    for (look, asked) in [
        (hint(Cause::SupportEvent), "case by id"),
        (hint(Cause::CasePoll), "case by id"),
        (Look::Record, "case by id"),
        (hint(Cause::ServicenowWebhook), "incident, case by id"),
        (hint(Cause::Due), "incident, case by id"),
        (Look::Both, "incident, case by id"),
    ] {
        let looking = Looking::new(&sides, look).run();
        assert_eq!(looking.asked, [asked], "{look:?}");
        assert!(looking.pass.aws.case.is_some() && looking.failures.is_empty(), "{look:?}");
    }
}

#[test]
fn an_incident_without_a_case_asks_nothing_of_aws() {
    let sides = Sides::new();
    assert_eq!(Looking::new(&sides, hint(Cause::ServicenowWebhook)).run().asked, ["incident"]);
}

#[test]
fn an_incident_that_names_a_case_asks_whose_it_is() {
    let mut sides = Sides::new();
    sides.incident.summary.columns.own.insert("case_id".to_owned(), CASE_ID.to_owned());
    let other = LinkKey::support_case(IncidentId::new("ffffffffffffffffffffffffffffffff"));
    let own = LinkKey::support_case(sides.incident.summary.sys_id.clone());
    for (owner, is_anothers) in [(None, false), (Some(other), true), (Some(own), false)] {
        let looking = Looking::new(&sides, Look::Both).answering(|_| Some(Ok(Answer::Link(owner.clone())))).run();
        assert_eq!(looking.asked, ["incident", "link of case"]);
        assert_eq!(looking.pass.aws.columns_of_another, is_anothers);
    }
}

#[test]
fn an_incident_that_waits_for_a_quota_asks_for_its_turn() {
    let mut sides = Sides::new();
    let mut pass = sides.observe();
    let effect = sides.plan(&pass).effects.remove(0);
    pass.begin(&effect, sides.now);
    let failure = refusal(Refusal::CaseQuota);
    pass.refused(&sides.policy, crate::sides::call_of(&effect), &failure, sides.now, 0).unwrap();
    sides.link = pass.link;
    let own = LinkKey::support_case(sides.incident.summary.sys_id.clone());
    let other = LinkKey::support_case(IncidentId::new("ffffffffffffffffffffffffffffffff"));
    for (first, is_first) in [(None, true), (Some(own), true), (Some(other), false)] {
        let looking = Looking::new(&sides, Look::Both).answering(|_| Some(Ok(Answer::Link(first.clone())))).run();
        assert_eq!(looking.asked, ["incident", "first waiter"]);
        assert_eq!(looking.pass.aws.first_in_line, Some(is_first));
    }
}

#[test]
fn a_case_that_is_not_found_by_its_id_is_asked_for_by_its_number() {
    let sides = old();
    let by_number = |question: &Question| match question {
        Question::Cases { query: CaseQuery::Ids(_), .. } => Some(Err(not_found())),
        _ => None,
    };
    let looking = Looking::new(&sides, Look::Record).answering(by_number).run();
    assert_eq!(looking.asked, ["case by id", "case 1234567890"]);
    assert!(looking.pass.aws.case.is_some() && looking.failures.is_empty());

    let looking = Looking::new(&sides, Look::Record).answering(|_| Some(Err(not_found()))).run();
    assert_eq!(looking.asked, ["case by id", "case 1234567890"]);
    assert_eq!(looking.failures, [(Side::Aws, not_found())], "it is gone");
}

#[test]
fn a_case_without_a_known_number_is_looked_for_among_all() {
    let mut sides = old();
    sides.link.memory.case.as_mut().unwrap().display_id = None;
    let mut others = described(&sides).unwrap();
    others.case_id = CaseId::new("case-111122223333-muen-2026-ffffffffffffffff");
    let by_key = |pages: usize| {
        let (others, own) = (others.clone(), described(&sides).unwrap());
        let mut asked = 0;
        move |question: &Question| {
            if matches!(question, Question::Cases { query: CaseQuery::Ids(_), .. }) {
                return Some(Err(not_found()));
            }
            asked += 1;
            let is_found = asked == pages;
            let (case, next) = if is_found { (own.clone(), None) } else { (others.clone(), Some("2".to_owned())) };
            Some(Ok(Answer::Cases(CasePage { cases: vec![case], next })))
        }
    };
    let looking = Looking::new(&sides, Look::Record).answering(by_key(2)).run();
    assert_eq!(looking.asked, ["case by id", "cases", "cases from 2"]);
    assert!(looking.pass.aws.case.is_some() && looking.failures.is_empty());

    let looking = Looking::new(&sides, Look::Record).answering(by_key(21)).run();
    assert_eq!(looking.asked.len(), 1 + 20, "so many pages and no more");
    assert_eq!(looking.failures, [(Side::Aws, not_found())]);

    let fails = |question: &Question| match question {
        Question::Cases { query: CaseQuery::Ids(_), .. } => Some(Err(not_found())),
        _ => Some(Err(unavailable())),
    };
    let looking = Looking::new(&sides, Look::Record).answering(fails).run();
    assert_eq!(looking.failures, [(Side::Aws, not_found())], "what counts is that it is not found");
}

#[test]
fn a_case_that_was_opened_lately_may_not_show_yet() {
    let mut sides = Sides::new();
    sides.pass();
    sides.link.memory.case.as_mut().unwrap().display_id = None;
    let looking = Looking::new(&sides, Look::Record).answering(|_| Some(Err(not_found()))).run();
    assert_eq!((looking.asked.len(), looking.failures.len()), (1, 0));
    let looking = Looking::new(&sides, Look::Record).answering(|_| Some(Err(unavailable()))).run();
    assert_eq!(looking.failures, [(Side::Aws, unavailable())]);
    let empty = || Some(Ok(Answer::Cases(CasePage::default())));
    let looking = Looking::new(&sides, Look::Record).answering(|_| empty()).run();
    assert!(looking.pass.aws.case.is_none() && looking.failures.is_empty());
}

#[test]
fn all_communications_are_read_where_the_most_recent_are_not_enough() {
    let sides = talkative(RECENT_COMMUNICATIONS);
    let looking = Looking::new(&sides, Look::Record).run();
    assert_eq!(looking.asked, ["case by id", "communications"]);
    let case = looking.pass.aws.case.unwrap();
    assert!(case.communications_complete && case.communications_are_later);
    assert_eq!(case.communications.len(), RECENT_COMMUNICATIONS + 1);
}

#[test]
fn communications_are_read_from_a_second_before_the_first_that_is_not_settled() {
    let mut sides = talkative(RECENT_COMMUNICATIONS);
    let first = sides.case.as_ref().unwrap().communications[1].time_created;
    sides.link.memory.conversation.settled_before = Some(first);
    let mut asked_from = Vec::new();
    let answers = |question: &Question| {
        if let Question::Communications { span, .. } = question {
            asked_from.push(span.after);
        }
        None
    };
    drop(Looking::new(&sides, Look::Record).answering(answers).run());
    assert_eq!(asked_from, [first.checked_sub(SignedDuration::from_secs(1)).ok()]);
}

#[test]
fn pages_are_read_to_the_last_and_the_times_in_which_they_meet_by_themselves() {
    let sides = talkative(RECENT_COMMUNICATIONS);
    let all = &sides.case.as_ref().unwrap().communications;
    let newest_first: Vec<_> = all.iter().rev().cloned().collect();
    let pages = |question: &Question| match question {
        Question::Communications { span, next, .. } => {
            let (communications, next) = match next {
                _ if span.before.is_some() => {
                    let is_asked = |time| span.after.unwrap() <= time && time <= span.before.unwrap();
                    let asked = newest_first.iter().filter(|shown| is_asked(shown.time_created));
                    (asked.cloned().collect(), None)
                }
                // The list has shifted by one, so the second page begins with the last communication of the first.
                None => (newest_first[..3].to_vec(), Some("2".to_owned())),
                Some(_) => (newest_first[2..].to_vec(), None),
            };
            Some(Ok(Answer::Communications(CommunicationPage { communications, next })))
        }
        _ => None,
    };
    let looking = Looking::new(&sides, Look::Record).answering(pages).run();
    assert_eq!(looking.asked, ["case by id", "communications", "communications from 2", "a time"]);
    assert_eq!(looking.pass.aws.case.unwrap().communications.len(), all.len());
}

#[test]
fn a_case_of_more_pages_than_are_read_is_not_known_whole() {
    let sides = talkative(RECENT_COMMUNICATIONS);
    let endless = |question: &Question| match question {
        Question::Communications { .. } => {
            let communications = sides.case.as_ref().unwrap().communications.iter().rev().cloned().collect();
            Some(Ok(Answer::Communications(CommunicationPage { communications, next: Some("on".to_owned()) })))
        }
        _ => None,
    };
    let looking = Looking::new(&sides, Look::Record).answering(endless).run();
    let pages = looking.asked.iter().filter(|asked| asked.starts_with("communications")).count();
    let times = looking.asked.iter().filter(|asked| asked.starts_with("a time")).count();
    assert_eq!((pages, times), (100, 10));
    assert!(!looking.pass.aws.case.unwrap().communications_complete);
}

/// Returns sides with a CreateCase in doubt, and its mark.
fn opening() -> (Sides, Mark) {
    let mut sides = Sides::new();
    let mut pass = sides.observe();
    let effect = sides.plan(&pass).effects.remove(0);
    let mut begun = pass.clone();
    begun.begin(&effect, sides.now);
    sides.apply(&mut pass, &effect);
    sides.link = begun.link;
    let mark = sides.link.intent.as_ref().unwrap().mark.clone().unwrap();
    (sides, mark)
}

#[test]
fn a_case_in_doubt_is_searched_for_beside_the_incident() {
    let (sides, _) = opening();
    let looking = Looking::new(&sides, Look::Both).run();
    assert_eq!(looking.asked, ["incident, cases"]);
    assert_eq!(looking.pass.link.memory.case.as_ref().unwrap().case_id, CaseId::new(CASE_ID));
    assert!(looking.pass.aws.case.is_some() && looking.pass.link.intent.is_none());

    let none = |_: &Question| Some(Ok(Answer::Cases(CasePage::default())));
    let looking = Looking::new(&sides, Look::Both).answering(none).run();
    assert_eq!(looking.pass.link.intent.as_ref().unwrap().looked, 1);
    let looking = Looking::new(&sides, Look::Both).answering(|_| Some(Err(unavailable()))).run();
    assert_eq!(looking.pass.link.intent.as_ref().unwrap().looked, 0, "a search that fails proves nothing");
    assert_eq!(looking.failures, [(Side::Aws, unavailable())]);
}

#[test]
fn a_search_reads_the_first_communication_of_the_cases_that_may_be_ours_and_goes_on() {
    let (mut sides, _) = opening();
    for number in 0..RECENT_COMMUNICATIONS {
        sides.reply(&format!("Line {number}"));
    }
    let own = described(&sides).unwrap();
    let strange = DescribedCase { subject: "Something else".to_owned(), ..own.clone() };
    let long_ago = sides.now.checked_sub(SignedDuration::from_hours(2)).unwrap();
    let older = DescribedCase { time_created: long_ago, ..own.clone() };
    let pages = |question: &Question| match question {
        Question::Cases { query: CaseQuery::Since { next, .. }, .. } => {
            let (cases, next) = match next {
                None => (vec![strange.clone(), older.clone(), own.clone()], Some("2".to_owned())),
                Some(_) => (vec![strange.clone()], None),
            };
            Some(Ok(Answer::Cases(CasePage { cases, next })))
        }
        _ => None,
    };
    let looking = Looking::new(&sides, Look::Both).answering(pages).run();
    assert_eq!(looking.asked, ["incident, cases", "communications", "cases from 2"]);
    assert!(looking.pass.link.memory.case.is_some());
}

#[test]
fn a_search_ends_after_so_many_pages_and_proves_nothing_then() {
    let (sides, _) = opening();
    let mut pages = 0;
    let endless = |question: &Question| {
        pages += 1;
        endless_search(question)
    };
    let looking = Looking::new(&sides, Look::Both).answering(endless).run();
    assert_eq!(looking.pass.link.intent.as_ref().unwrap().looked, 0);
    assert!(matches!(looking.failures[..], [(Side::Aws, Failure::Unavailable { .. })]), "{:?}", looking.failures);
    drop(looking);
    assert_eq!(pages, 20);
}

/// The cases of an account that has more of them than a search reads. Each page shows these.
fn endless_pages(question: &Question, cases: Vec<DescribedCase>) -> Option<Result<Answer, Failure>> {
    is_search(question).then(|| Ok(Answer::Cases(CasePage { cases, next: Some("on".to_owned()) })))
}

fn endless_search(question: &Question) -> Option<Result<Answer, Failure>> {
    endless_pages(question, Vec::new())
}

fn failing_search(question: &Question) -> Option<Result<Answer, Failure>> {
    is_search(question).then(|| Err(unavailable()))
}

fn is_search(question: &Question) -> bool {
    matches!(question, Question::Cases { query: CaseQuery::Since { .. }, .. })
}

/// A CreateCase of an account that was given up: its intent was written so many seconds ago, and it is looked for so many
/// seconds from now.
fn given_up(sides: &Sides, account: &str, written: i64, look: i64) -> GivenUpCase {
    let at = |seconds: i64| sides.now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
    let key = LinkKey::support_case(sides.incident.summary.sys_id.clone());
    GivenUpCase {
        account: AccountId::new(account),
        mark: Mark::draw(Entropy::new([7; 16]), &key, written.unsigned_abs()),
        covers: Vec::new(),
        remainder: None,
        written_at: at(-written),
        look_at: at(look),
    }
}

/// The waits between looks that each end with a failure of AWS, in seconds.
fn waits_between_looks(sides: &mut Sides, answers: impl Fn(&Question) -> Option<Result<Answer, Failure>>) -> Vec<i64> {
    let mut waits = Vec::new();
    for _ in 0..6 {
        let Looking { pass, failures, .. } = Looking::new(sides, Look::Both).answering(&answers).run();
        assert_eq!(failures.len(), 1, "{failures:?}");
        let wait = pass.link.troubles.side_until(Side::Aws).unwrap().duration_since(sides.now);
        sides.record(pass);
        sides.now = sides.now.checked_add(wait).unwrap();
        waits.push(wait.as_secs());
    }
    waits
}

#[test]
fn a_search_for_a_case_in_doubt_that_ends_without_an_answer_waits_longer_each_time() {
    let (mut sides, _) = opening();
    assert_eq!(waits_between_looks(&mut sides, endless_search), [1, 2, 4, 8, 16, 32]);
    assert_eq!(sides.link.intent.as_ref().unwrap().looked, 0);
    let (mut sides, _) = opening();
    assert_eq!(waits_between_looks(&mut sides, failing_search), [1, 2, 4, 8, 16, 32]);
}

#[test]
fn what_a_search_without_an_end_has_found_counts() {
    let (sides, _) = opening();
    let own = described(&sides).unwrap();
    let found = |question: &Question| endless_pages(question, vec![own.clone()]);
    let looking = Looking::new(&sides, Look::Both).answering(found).run();
    assert!(looking.failures.is_empty(), "{:?}", looking.failures);
    assert_eq!(looking.pass.link.memory.case.as_ref().unwrap().case_id, CaseId::new(CASE_ID));
}

/// A search looks through one account, from the oldest case on whose time has come.
#[test]
fn late_cases_are_looked_for_later_only_where_a_search_has_looked_for_them() {
    let rows = [(ACCOUNT, 3_600, 0), (ACCOUNT, 1_800, 600), (ACCOUNT, 7_200, 1_200), ("444455556666", 1_800, 0)];
    let all_looks = |link: &Link| -> Vec<Timestamp> {
        link.memory.given_up_cases.iter().map(|given_up| given_up.look_at).collect()
    };
    let mut sides = Sides::linked();
    sides.link.memory.given_up_cases =
        rows.map(|(account, written, look)| given_up(&sides, account, written, look)).into();
    let before = all_looks(&sides.link);
    let at = |seconds: i64| sides.now.checked_add(SignedDuration::from_secs(seconds)).unwrap();

    let searched = Looking::new(&sides, Look::Both).run();
    // The third was written before what the search reaches back to, the fourth is another account's.
    assert_eq!(all_looks(&searched.pass.link), [at(3_600), at(1_800), before[2], before[3]]);
    let retry = at(i64::from(sides.policy.retry_longest_seconds));
    for answers in [failing_search, endless_search] {
        let searched = Looking::new(&sides, Look::Both).answering(answers).run();
        assert_eq!(all_looks(&searched.pass.link), [retry, retry, before[2], before[3]]);
        assert_eq!(searched.failures.len(), 1, "{:?}", searched.failures);
        assert!(searched.pass.link.troubles.is_empty(), "the link's own case goes on");
    }
}

/// The first pages show the link's own case, too.
#[test]
fn a_search_for_late_cases_without_an_end_is_put_off_though_it_found_the_case() {
    let mut sides = Sides::linked();
    sides.link.memory.given_up_cases = vec![given_up(&sides, ACCOUNT, 3_600, 0)];
    let own = described(&sides).unwrap();
    let found = |question: &Question| endless_pages(question, vec![own.clone()]);
    let looking = Looking::new(&sides, Look::Both).answering(found).run();
    assert_eq!(looking.failures.len(), 1, "{:?}", looking.failures);
    let wait = looking.pass.link.memory.given_up_cases[0].look_at.duration_since(sides.now);
    assert_eq!(wait.as_secs(), i64::from(sides.policy.retry_longest_seconds));
}

#[test]
fn of_several_cases_that_were_opened_the_oldest_goes_on() {
    let (sides, _) = opening();
    let own = described(&sides).unwrap();
    let earlier = own.time_created.checked_sub(SignedDuration::from_secs(1)).unwrap();
    let double = CaseId::new("case-111122223333-muen-2026-ffffffffffffffff");
    let first = DescribedCase { case_id: double.clone(), time_created: earlier, ..own.clone() };
    let both = |_: &Question| Some(Ok(Answer::Cases(CasePage { cases: vec![own.clone(), first.clone()], next: None })));
    let looking = Looking::new(&sides, Look::Both).answering(both).run();
    let memory = &looking.pass.link.memory;
    assert_eq!(memory.case.as_ref().unwrap().case_id, double);
    assert_eq!(memory.doubles.iter().map(|double| double.case_id.as_str()).collect::<Vec<_>>(), [CASE_ID]);
}

#[test]
fn an_answer_to_no_question_is_refused() {
    let sides = Sides::linked();
    let mut pass = sides.unseen();
    pass.look(Look::Record, sides.now);
    let Some(Read::Record(read)) = pass.next_reads().pop() else { panic!("the case is read") };
    let mut strange = pass.clone();
    let link = Seen::Record(read.clone(), Ok(Answer::Link(None)));
    assert_eq!(strange.see(&sides.policy, link, sides.now, 0), Err(Illegal::NotAsked));
    let case = || Answer::Cases(CasePage { cases: described(&sides).into_iter().collect(), next: None });
    assert_eq!(pass.see(&sides.policy, Seen::Record(read.clone(), Ok(case())), sides.now, 0), Ok(None));
    let again = pass.see(&sides.policy, Seen::Record(read, Ok(case())), sides.now, 0);
    assert_eq!(again, Err(Illegal::NotAsked), "it was answered");
}

#[test]
fn an_incident_that_is_gone_or_not_served_is_no_failure() {
    let sides = Sides::linked();
    let mut pass = sides.unseen();
    pass.look(Look::Both, sides.now);
    assert_eq!(pass.see(&sides.policy, Seen::Incident(Ok(None)), sides.now, 0), Ok(None));
    assert!(pass.incident_gone);
    let mut sides = Sides::new();
    sides.set_state(IncidentState::Resolved);
    let mut pass = sides.unseen();
    pass.look(Look::Both, sides.now);
    let not_served = Seen::Incident(Err(refusal(Refusal::NotServed)));
    assert_eq!(pass.see(&sides.policy, not_served, sides.now, 0), Ok(None));
    let failure = Seen::Incident(Err(unavailable()));
    assert_eq!(pass.see(&sides.policy, failure, sides.now, 0), Ok(Some((Side::ServiceNow, unavailable()))));
}

#[test]
fn a_strange_case_is_read_for_the_marks_of_its_first_communication() {
    let (mut sides, mark) = opening();
    let account = AccountId::new(ACCOUNT);
    let mut reader = NamedCaseReader::new(account.clone(), CaseId::new(CASE_ID));
    let page = |sides: &Sides| Answer::Cases(CasePage { cases: described(sides).into_iter().collect(), next: None });
    let read = reader.clone().see(page(&sides), |_| true).unwrap();
    let ControlFlow::Break(Ok(Some(case))) = read else { panic!("it is read: {read:?}") };
    let marks: Vec<Mark> = marked_cases(&account, &case).into_iter().map(|strange| strange.mark).collect();
    assert_eq!(marks, [mark]);
    assert_eq!(reader.clone().see(page(&sides), |_| false), Ok(ControlFlow::Break(Ok(None))), "it is too old");
    assert_eq!(reader.clone().see(Answer::Link(None), |_| true), Err(Illegal::NotAsked));

    for number in 0..RECENT_COMMUNICATIONS {
        sides.reply(&format!("Line {number}"));
    }
    assert_eq!(reader.see(page(&sides), |_| true), Ok(ControlFlow::Continue(())));
    assert!(matches!(reader.question(), Question::Communications { .. }));
    let communications = sides.case.as_ref().unwrap().communications.iter().rev().cloned().collect();
    let rest = Answer::Communications(CommunicationPage { communications, next: None });
    assert!(matches!(reader.see(rest, |_| true), Ok(ControlFlow::Break(Ok(Some(_))))));
}

#[test]
fn a_look_that_ends_for_lack_of_time_counts_as_one_that_aws_did_not_answer() {
    let mut sides = Sides::linked();
    let mut pass = sides.unseen();
    pass.look(Look::Record, sides.now);
    pass.stop_looking(&sides.policy, sides.now, 0);
    let plan = sides.plan(&pass);
    assert!(plan.waits.iter().any(|wait| matches!(wait, Waiting::Backoff { .. })), "{plan:?}");
}

#[test]
fn a_pass_is_woken_by_a_hint_that_its_link_is_due_and_by_no_other() {
    let sides = Sides::linked();
    for (look, is_woken) in [
        (hint(Cause::Due), true),
        (hint(Cause::Wake), true),
        (hint(Cause::ServicenowWebhook), false),
        (Look::Both, false),
    ] {
        let mut pass = sides.unseen();
        pass.look(look, sides.now);
        pass.look(Look::Record, sides.now);
        assert_eq!(pass.woken, is_woken, "{look:?}");
    }
}

#[test]
fn after_a_wait_both_sides_are_read_again() {
    let sides = Sides::linked();
    let mut pass = sides.observe();
    pass.woken = true;
    let expected = Pass { woken: true, ..Pass::new(pass.key.clone(), pass.link.clone()) };
    pass.look_again();
    assert_eq!(pass, expected);
}

#[test]
fn comments_are_read_from_the_moment_on_before_which_all_are_settled() {
    let mut sides = Sides::linked();
    for settled_before in [None, Some(sides.now)] {
        sides.link.journal.settled_before = settled_before;
        let mut pass = sides.unseen();
        pass.look(Look::Both, sides.now);
        assert_eq!(pass.next_reads()[0], Read::Incident { entries_since: settled_before });
    }
}
