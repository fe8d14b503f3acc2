//! What delays requests to a side, and until when.

use casebridge_core::{
    failure::Refusal,
    link::trouble::{Request, Side, Trouble, Troubles},
};
use jiff::{SignedDuration, Timestamp};

use crate::sides::start;

fn at(second: i64) -> Timestamp {
    start().checked_add(SignedDuration::from_secs(second)).unwrap()
}

fn call(name: &str) -> Request<String> {
    Request::Call(name.to_owned())
}

fn trouble(side: Side, refusal: Option<Refusal>, request: &str, until: i64) -> Trouble<String> {
    let message = format!("no {request}");
    Trouble { side, refusal, message, attempts: 1, until: at(until), request: call(request) }
}

fn refused(request: &str, until: i64) -> Trouble<String> {
    trouble(Side::Aws, Some(Refusal::InvalidRequest), request, until)
}

fn throttled(request: &str, until: i64) -> Trouble<String> {
    trouble(Side::Aws, None, request, until)
}

fn all(troubles: impl IntoIterator<Item = Trouble<String>>) -> Troubles<String> {
    let mut noted = Troubles::default();
    for trouble in troubles {
        noted.note(trouble);
    }
    noted
}

fn blocks(troubles: &Troubles<String>, side: Side, request: &str, second: i64) -> Option<Timestamp> {
    troubles.blocking(side, &call(request), at(second)).map(|trouble| trouble.until)
}

#[test]
fn a_refusal_holds_back_its_request_until_its_time() {
    let troubles = all([refused("messages", 100)]);
    assert_eq!(blocks(&troubles, Side::Aws, "messages", 99), Some(at(100)));
    assert_eq!(blocks(&troubles, Side::Aws, "messages", 100), None);
    assert_eq!(blocks(&troubles, Side::Aws, "columns", 99), None);
    assert_eq!(blocks(&troubles, Side::Aws, "message", 99), None);
    assert_eq!(blocks(&troubles, Side::ServiceNow, "messages", 99), None);
}

#[test]
fn what_passes_by_itself_holds_back_the_whole_side() {
    let troubles = all([throttled("messages", 100)]);
    for request in ["messages", "columns", ""] {
        assert_eq!(blocks(&troubles, Side::Aws, request, 99), Some(at(100)));
        assert_eq!(blocks(&troubles, Side::ServiceNow, request, 99), None);
    }
}

#[test]
fn of_several_the_last_that_is_over_counts() {
    let troubles = all([throttled("", 100), refused("messages", 200), refused("columns", 300)]);
    assert_eq!(blocks(&troubles, Side::Aws, "messages", 0), Some(at(200)));
    assert_eq!(blocks(&troubles, Side::Aws, "columns", 0), Some(at(300)));
    assert_eq!(blocks(&troubles, Side::Aws, "read", 0), Some(at(100)));
    assert_eq!(blocks(&troubles, Side::Aws, "read", 150), None);
    assert_eq!(troubles.side_until(Side::Aws), Some(at(300)));
    assert_eq!(troubles.side_until(Side::ServiceNow), None);
}

#[test]
fn a_repetition_takes_the_place_of_what_it_repeats() {
    let quota = trouble(Side::Aws, Some(Refusal::CaseQuota), "open 1", 400);
    let mut troubles = all([throttled("read", 100), throttled("messages", 200), refused("open 1", 300), quota]);
    assert_eq!(troubles.active(at(0)).count(), 2, "one for the side, and one of each request whatever the refusal");
    let earlier = |troubles: &Troubles<String>, refusal, request| {
        troubles.earlier(Side::Aws, refusal, &call(request)).map(|trouble| trouble.until)
    };
    assert_eq!(earlier(&troubles, None, "whatever"), Some(at(200)));
    assert_eq!(earlier(&troubles, Some(Refusal::Credentials), "open 1"), Some(at(400)));
    assert_eq!(earlier(&troubles, Some(Refusal::CaseQuota), "open 2"), None);
    troubles.note(trouble(Side::ServiceNow, None, "read", 500));
    assert_eq!(troubles.active(at(0)).count(), 3, "each side has its own");
}

#[test]
fn troubles_end_by_their_side_and_by_what_is_asked() {
    let mut troubles =
        all([throttled("", 100), refused("messages", 200), trouble(Side::ServiceNow, None, "messages", 300)]);
    troubles.end(Side::Aws, |trouble| trouble.request == call("messages"));
    assert_eq!(blocks(&troubles, Side::Aws, "messages", 0), Some(at(100)));
    assert_eq!(blocks(&troubles, Side::ServiceNow, "messages", 0), Some(at(300)));
    troubles.forget_passed(at(99), |_| false);
    assert_eq!(troubles.side_until(Side::Aws), Some(at(100)));
    troubles.forget_passed(at(100), |_| false);
    assert_eq!(troubles.side_until(Side::Aws), None);
    troubles.forget_passed(at(300), |_| false);
    assert!(troubles.is_empty());
}

/// The newest refusal often ends first, since older ones may have been repeated and then wait longer.
#[test]
fn troubles_are_remembered_within_bounds_and_the_refusal_that_was_noted_longest_ago_is_forgotten() {
    let refusals = (1..12).map(|number| refused(&format!("request {number}"), 1_000 - number));
    let mut troubles = all([throttled("", 900)].into_iter().chain(refusals));
    assert_eq!(troubles.active(at(0)).count(), 12);
    troubles.note(refused("one more", 500));
    assert_eq!(troubles.active(at(0)).count(), 12);
    let is_remembered =
        |request: &str| troubles.earlier(Side::Aws, Some(Refusal::InvalidRequest), &call(request)).is_some();
    assert!(!is_remembered("request 1") && is_remembered("request 2") && is_remembered("one more"));
    assert!(troubles.earlier(Side::Aws, None, &call("")).is_some(), "what holds back the whole side is no refusal");
}

#[test]
fn a_refused_call_is_remembered_while_its_next_try_is_in_doubt() {
    let read = Trouble { request: Request::Read, ..refused("", 100) };
    let mut troubles = all([throttled("call", 100), refused("call", 100), refused("another call", 100), read]);
    let is_in_doubt = |call: &String| call == "call";
    assert_eq!(troubles.reported(at(99), is_in_doubt).count(), 4);
    let reported: Vec<_> = troubles.reported(at(100), is_in_doubt).cloned().collect();
    assert_eq!(reported, [refused("call", 100)]);
    troubles.forget_passed(at(100), is_in_doubt);
    assert_eq!(troubles, all(reported));
}
