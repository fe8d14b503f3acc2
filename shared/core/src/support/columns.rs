//! What the columns of an incident say of its case.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    failure::Refusal,
    identifiers::{AccountId, DisplayId},
    link::{
        notice::Notice,
        pace::writes_left,
        trouble::{Request, Side},
    },
    policy::{ClosedIncidentRule, Policy},
    servicenow::{
        columns::{ACCOUNT, BridgeColumns},
        incident::Incident,
    },
    support::{
        Intent, Link, Pass, Trouble,
        call::{IntentKind, RefusedCall},
        case::CaseStatus,
        render,
        sight::is_in_scope,
    },
};

/// The column with the id of the case.
pub const CASE_ID: &str = "case_id";
/// The column with the number of the case that people see.
pub const DISPLAY_ID: &str = "display_id";
/// The column with the status of the case, in AWS's words.
pub const CASE_STATUS: &str = "case_status";
/// The columns that belong to cases alone.
const OWN_COLUMNS: [&str; 4] = [ACCOUNT, CASE_ID, DISPLAY_ID, CASE_STATUS];
/// From this many failures in a row on, an agent is told. Most failures pass by themselves in seconds. With the default
/// policy, the waits after the first three take seven to ten seconds in all.
const QUIET_ATTEMPTS: u32 = 4;
/// How many characters of an error an incident shows. The column holds 1,000 UTF-16 units. The rest is for characters
/// that take two, so that the text mostly reads back as it was written.
const LAST_ERROR_CHARACTERS: usize = 900;
/// What an agent is told while the account may open no more cases.
const QUOTA_ADVICE: &str =
    "The AWS account has opened too many cases for now. casebridge opens this one later by itself.";
/// What an agent is told of a closed incident whose case goes on in another one.
const HANDED_OVER_ADVICE: &str =
    "AWS reopened the case after this incident was closed. It goes on in another incident, which names this one.";
/// What an agent is told of an incident that names a case which the ledger does not know.
const UNKNOWN_CASE_ADVICE: &str = "This incident names an AWS case that casebridge does not know, so nothing is synchronised. \
     casebridge looks again by itself for a month. If the incident is a copy, ask an administrator to clear its AWS case \
     id and to save it.";

/// Returns what the app's columns say of the link.
pub fn columns(policy: &Policy, pass: &Pass, now: Timestamp) -> BridgeColumns {
    let link = &pass.link;
    if let Some(incident) = pass.incident.as_ref().filter(|incident| names_unknown_case(pass, incident)) {
        let (sync_status, last_error) = ("error".to_owned(), UNKNOWN_CASE_ADVICE.to_owned());
        return BridgeColumns { sync_status, last_error, ..incident.summary.columns.clone() };
    }
    let (sync_status, last_error) = sync_status(policy, pass, now);
    if let Some(incident) = pass.summary().filter(|_| link.memory.handed_over_to.is_some()) {
        // The closed incident keeps the name of the case that it had.
        return BridgeColumns { sync_status: sync_status.to_owned(), last_error, ..incident.columns.clone() };
    }
    let own = if let Some(case) = &link.memory.case {
        own_columns([
            case.account.as_str(),
            case.case_id.as_str(),
            case.display_id.as_ref().map_or("", DisplayId::as_str),
            case.status.as_ref().map_or("", CaseStatus::as_str),
        ])
    } else if let Some(account) = opening_account(pass) {
        own_columns([account.as_str(), "", "", ""])
    } else {
        return empty_columns();
    };
    BridgeColumns { own, sync_status: sync_status.to_owned(), last_error }
}

/// The columns of an incident that has no case and needs none. Each is named, so that a delivery clears it.
fn empty_columns() -> BridgeColumns {
    BridgeColumns { own: own_columns(["", "", "", ""]), ..BridgeColumns::default() }
}

/// The columns that belong to cases alone, with the texts in the order of [`OWN_COLUMNS`].
fn own_columns(texts: [&str; OWN_COLUMNS.len()]) -> BTreeMap<String, String> {
    OWN_COLUMNS.into_iter().map(str::to_owned).zip(texts.map(str::to_owned)).collect()
}

/// Whether the incident names a case that no known link has. False if this link has a case or an intent, since the case
/// may then be its own, and for a case that this link had before.
pub fn names_unknown_case(pass: &Pass, incident: &Incident) -> bool {
    let (memory, named) = (&pass.link.memory, incident.summary.columns.own(CASE_ID));
    let has_case = memory.case.is_some() || memory.handed_over_to.is_some() || pass.link.intent.is_some();
    !has_case && !named.is_empty() && !memory.had_case(named) && !pass.aws.columns_of_another
}

/// Returns the account in which a case is to be opened, or may have been opened: an incident that has ended meanwhile
/// may have a case all the same. Returns `None` if there is no such account.
fn opening_account(pass: &Pass) -> Option<&AccountId> {
    if let Some(Intent { kind: IntentKind::OpenCase { account, .. }, .. }) = &pass.link.intent {
        return Some(account);
    }
    let incident = pass.incident.as_ref().filter(|incident| is_in_scope(incident))?;
    incident.account.as_ref().map(|account| &account.number)
}

/// Returns `pending`, `in_sync`, `waiting` or `error`, and what to tell the agent.
fn sync_status(policy: &Policy, pass: &Pass, now: Timestamp) -> (&'static str, String) {
    let link = &pass.link;
    // A pause comes first: while nothing is sent, other troubles do not matter yet, and AWS may well refuse an account
    // that is out of use.
    if let Some(pause) = pass.pause(policy) {
        return ("waiting", pause.advice());
    }
    if let Some(told) = reported_trouble(link, now) {
        return told;
    }
    let is_in_doubt = link.intent.as_ref().is_some_and(|intent| intent.looked >= QUIET_ATTEMPTS);
    if is_in_doubt || (link.memory.case.is_none() && link.memory.opens_no_case_until().is_some()) {
        let text = "AWS Support did not confirm the last call; casebridge makes sure of it before it goes on.";
        return ("waiting", text.to_owned());
    }
    if writes_left(policy, link, now) == 0 {
        return ("waiting", "Too many changes in a short time; casebridge goes on in a few minutes.".to_owned());
    }
    if link.memory.waits_for_quota.is_some() {
        return ("waiting", QUOTA_ADVICE.to_owned());
    }
    if reopened_while_closed(link) && policy.case_reopened_after_closing == ClosedIncidentRule::Note {
        let text = "AWS reopened the case, but this incident is closed: open a new incident if work is needed.";
        return ("waiting", text.to_owned());
    }
    let ended = link.incident.as_ref().is_some_and(|incident| incident.state.is_ended());
    if ended && (link.journal.has_repeated || is_left_reopened(link)) {
        let text = "A text that has reopened this incident before came again and reopened nothing: reopen the incident by \
                    hand if work is needed.";
        return ("waiting", text.to_owned());
    }
    if let Some(notice) = link.notices.last() {
        return ("waiting", notice_text(notice));
    }
    if link.memory.handed_over_to.is_some() {
        // What is written on an incident that was opened again by hand goes nowhere.
        return (if ended { "in_sync" } else { "waiting" }, HANDED_OVER_ADVICE.to_owned());
    }
    (if link.memory.case.is_some() { "in_sync" } else { "pending" }, String::new())
}

/// Returns what an agent is told of the troubles: of a refusal, or else of what passes by itself. Returns `None` if
/// there is nothing to tell.
fn reported_trouble(link: &Link, now: Timestamp) -> Option<(&'static str, String)> {
    let name = |side: Side| if side == Side::Aws { "AWS Support" } else { "ServiceNow" };
    let told = link.troubles.reported(now, |refused| link.is_in_doubt(refused));
    let mut refusals: Vec<(Refusal, &Trouble)> = told.filter_map(|trouble| Some((trouble.refusal?, trouble))).collect();
    refusals.sort_by_key(|(refusal, trouble)| (*refusal == Refusal::CaseQuota, trouble.side));
    if let Some((refusal, trouble)) = refusals.first() {
        let status = if *refusal == Refusal::CaseQuota { "waiting" } else { "error" };
        return Some((status, refusal_text(name(trouble.side), *refusal, trouble)));
    }
    let lasting = link.troubles.active(now).find(|trouble| trouble.attempts >= QUIET_ATTEMPTS)?;
    let side = name(lasting.side);
    Some(("waiting", format!("{side} does not answer or throttles; casebridge tries again by itself.")))
}

/// Whether casebridge did not follow a reopening at AWS, as far as the link remembers: every text that was written
/// there since work ended has reopened the link before.
fn is_left_reopened(link: &Link) -> bool {
    let reopened = link.base.ended && link.memory.case.as_ref().is_some_and(|case| !case.is_resolved());
    let texts = &link.memory.texts_since_end;
    reopened && !texts.is_empty() && texts.iter().all(|text| link.journal.reopening_texts.contains(text))
}

/// Returns the text of a notice: what happened and what to do.
fn notice_text(notice: &Notice) -> String {
    match notice {
        Notice::CommentAfterClosing { .. } => {
            "A comment was written after this incident was closed: it was not sent to AWS. Open a new incident if work is \
             needed."
                .to_owned()
        }
        Notice::CommentForAnotherAccount { .. } => {
            "A comment was not sent to AWS: this incident was closed while its group belonged to another AWS account than its \
             case. Open a new incident if the comment is to go to AWS."
                .to_owned()
        }
        Notice::CommentOfUnclearOrigin { .. } => {
            "A comment by casebridge's own user belongs to no delivery: it was not sent to AWS. Write it again as a person \
             if the comment is to go to AWS."
                .to_owned()
        }
        Notice::MessageRefused { reason, .. } => render::one_line(
            &format!("ServiceNow refused a message of AWS on this incident: a comment says that it is left out. ({reason})"),
            LAST_ERROR_CHARACTERS,
        ),
        Notice::TextRefused { reason, .. } => render::one_line(
            &format!("AWS Support refused a text of this incident, also in parts: the case says that it is left out. ({reason})"),
            LAST_ERROR_CHARACTERS,
        ),
    }
}

/// Returns the text of a refusal: what happened and what to do.
fn refusal_text(side: &str, refusal: Refusal, trouble: &Trouble) -> String {
    let advice = match refusal {
        Refusal::Subscription => {
            "The AWS account has no support plan with an API. Ask its owners for Business Support+ or a higher plan."
        }
        Refusal::CaseQuota => QUOTA_ADVICE,
        Refusal::Credentials if side == "ServiceNow" => {
            "ServiceNow refuses casebridge's user. Check its credentials and the role x_casebridge_aws.integration."
        }
        Refusal::Credentials => {
            "AWS refuses the account's keys or role. Check the account's secret and its permissions."
        }
        Refusal::InvalidRequest if side == "ServiceNow" => {
            "ServiceNow does not accept what AWS changed. Change it by hand or correct the rule that refuses it."
        }
        Refusal::InvalidRequest if !matches!(trouble.request, Request::Call(RefusedCall::OpenCase(_))) => {
            "AWS Support does not accept what was written here. casebridge tries again; open a new incident if the case is \
             too old to be reopened."
        }
        Refusal::InvalidRequest => {
            "AWS Support does not accept the request. Check service code, category code and severity."
        }
        Refusal::AccountNotInUse => "The account has no active record in ServiceNow.",
        Refusal::NotFound => "The record is not there any more.",
        Refusal::NotServed => "The incident is out of scope for casebridge in ServiceNow.",
    };
    render::one_line(&format!("{advice} ({side} says: {})", trouble.message), LAST_ERROR_CHARACTERS)
}

/// Whether AWS reopened the case of an incident that can't be reopened.
fn reopened_while_closed(link: &Link) -> bool {
    let (Some(incident), Some(case)) = (&link.incident, &link.memory.case) else { return false };
    let closed = incident.state.is_closed();
    closed && !case.is_resolved() && link.base.ended
}
