//! Cases that somebody opens at AWS: which of them become incidents.
//!
//! An event reports such a case within seconds. The poller is the certainty: it reads the cases of each account that were
//! opened since its watermark, and names those without a link in hints. The watermark of an account passes a case only
//! once the case has a link, or must not get one. The incident's `sys_id` follows from the case, so that event, poll and
//! repeats name the same link, and its lease lets one worker at a time open the incident.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    identifiers::{AccountId, CaseId, CaseKey, IncidentId, LinkKey},
    link::Opening,
    policy::{OpenedCaseRule, Policy},
    support::{
        Pass,
        case::Case,
        outcome::new_linked_case,
        read::{DescribedCase, marks_of},
        render,
    },
    time::{self, CLOCKS_APART},
};

/// How long after a case its first communication is written: AWS writes both in one step, and an answer may cut the time
/// of one of them.
const FIRST_TEXT_WITHIN: SignedDuration = SignedDuration::from_secs(2);
/// How long a case without a link holds back its account's watermark from when on a poll has come there. A CreateCase of ours counts as undecided for a
/// day, and the case may be its own until then; the second day is for an AWS that can't be read.
const HOLDS_WATERMARK_FOR: SignedDuration = SignedDuration::from_hours(48);

/// What becomes of a case without a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intake {
    /// casebridge opens this incident for it.
    OpenIncident(LinkKey),
    /// The policy leaves it at AWS.
    Ignored,
    /// casebridge itself opened it once.
    Ours,
    /// Its first communication does not show yet, so the case may be ours. It is looked at again.
    Unread,
}

/// A case that somebody opened at AWS and that becomes an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedCase {
    /// The account that owns it.
    pub account: AccountId,
    /// The case.
    pub case_id: CaseId,
}

/// Decides what becomes of a case without a link. `may_be_ours` says that the account has an undecided CreateCase: then
/// the case must show the text that it was opened with. A young case must show it, too, since the incident is opened with
/// that text, and a read may be late.
pub fn decide(policy: &Policy, account: &AccountId, case: &Case, may_be_ours: bool, now: Timestamp) -> Intake {
    if !becomes_incident(policy, account, &case.service_code, &case.severity_code) {
        return Intake::Ignored;
    }
    if is_ours(policy, case) {
        return Intake::Ours;
    }
    let is_young = now.duration_since(case.time_created) < policy.unknown_outcome();
    // The first text that shows may be one that follows the first within a second. So with our subject, the mark may come.
    if is_young && render::is_subject_of_ours(policy, &case.subject) {
        return Intake::Unread;
    }
    let first = case.communications.iter().map(|communication| communication.time_created).min();
    let is_shown = |first: Timestamp| first.duration_since(case.time_created) <= FIRST_TEXT_WITHIN;
    if first.is_none_or(|first| (may_be_ours || is_young) && !is_shown(first)) {
        return Intake::Unread;
    }
    Intake::OpenIncident(link_key(account, &case.case_id))
}

/// Returns the link of the first incident that casebridge opens for a case.
pub fn link_key(account: &AccountId, case_id: &CaseId) -> LinkKey {
    LinkKey::support_case(IncidentId::of_case(&CaseKey::new(account.clone(), case_id), 1))
}

/// Whether the policy opens an incident for a case of this account with these codes.
fn becomes_incident(policy: &Policy, account: &AccountId, service: &str, severity: &str) -> bool {
    takes_cases_of(policy, account)
        && admits(&policy.opened_cases_of_services, service)
        && admits(&policy.opened_cases_of_severities, severity)
}

/// Whether the policy opens incidents for cases of this account at all.
pub fn takes_cases_of(policy: &Policy, account: &AccountId) -> bool {
    policy.cases_opened_at_aws == OpenedCaseRule::OpenIncident
        && admits(&policy.opened_cases_of_accounts, account.as_str())
}

/// Whether a filter of the policy admits a word. An empty filter admits all.
fn admits(filter: &[String], word: &str) -> bool {
    filter.is_empty() || filter.iter().any(|admitted| admitted == word)
}

/// Whether casebridge opened the case, for whatever link and however long ago: its first communication carries a mark,
/// and its subject begins like ours. People copy one of them, but not both.
fn is_ours(policy: &Policy, case: &Case) -> bool {
    !marks_of(case).is_empty() && render::is_subject_of_ours(policy, &case.subject)
}

/// Returns from when on, by AWS's clock, the poller reads the cases of an account: a case may show up late, and AWS's
/// clock is not ours.
pub fn reads_since(policy: &Policy, watermark: Timestamp) -> Timestamp {
    time::earlier(watermark, policy.unknown_outcome() + CLOCKS_APART)
}

/// Whether the poller names this case in a hint if it has no link: it was opened since the moment from which on the poller
/// reads, and may become an incident. A read may also show an older case on which somebody wrote.
pub fn is_candidate(policy: &Policy, account: &AccountId, case: &DescribedCase, since: Timestamp) -> bool {
    let is_new = case.time_created >= since;
    is_new
        && becomes_incident(policy, account, &case.service_code, &case.severity_code)
        && !is_ours(policy, &Case::from(case))
}

/// Whether no poll with this watermark reads the case again.
pub fn is_left_behind(policy: &Policy, case: &DescribedCase, watermark: Timestamp) -> bool {
    case.time_created < reads_since(policy, watermark)
}

/// How far the poll of the cases that are opened in an account has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// The moment up to which, by our clock, the cases have links.
    pub at: Timestamp,
    /// When a poll got there, by our clock.
    pub reached_at: Timestamp,
}

impl Watermark {
    /// Returns the watermark of an account that is polled for the first time.
    pub fn first(now: Timestamp) -> Self {
        Self { at: now, reached_at: now }
    }

    /// Returns the next watermark after a read of all its cases at `now`. `opened` are the times, by AWS's clock, at which
    /// the candidates without a link were opened: the watermark does not pass them before it has stood there for 48 hours.
    #[must_use]
    pub fn next(self, now: Timestamp, opened: impl Iterator<Item = Timestamp>) -> Self {
        let has_stood = now.duration_since(self.reached_at) >= HOLDS_WATERMARK_FOR;
        let holding = opened.filter(|opened| *opened > self.at || !has_stood).min();
        let at = holding.map_or(now, |oldest| oldest.min(now)).max(self.at);
        if at == self.at { self } else { Self { at, reached_at: now } }
    }
}

impl Pass {
    /// Takes in a case that becomes the link's incident. Does nothing if the link has a case, or has begun to open one.
    pub(super) fn see_opened_case(&mut self, opened: &OpenedCase, now: Timestamp) {
        if self.link.memory.case.is_none() && self.link.is_blank() {
            self.link.memory.case = Some(new_linked_case(opened.account.clone(), opened.case_id.clone(), now));
            self.link.opening = Some(Opening::default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identifiers::DisplayId,
        link::mark::Mark,
        support::case::{AMAZON_WEB_SERVICES, CaseStatus, RawCommunication},
    };

    const CASE: &str = "case-111122223333-muen-2022-7118885805350839";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn account() -> AccountId {
        AccountId::new("111122223333")
    }

    fn described(subject: &str, texts: &[(i64, &str)]) -> DescribedCase {
        let recent = texts.iter().map(|(second, body)| RawCommunication {
            time_created: at(*second),
            submitted_by: "beth.anglin@example.com".to_owned(),
            body: (*body).to_owned(),
            attachments: Vec::new(),
        });
        DescribedCase {
            case_id: CaseId::new(CASE),
            display_id: DisplayId::new("1234563851"),
            subject: subject.to_owned(),
            status: CaseStatus::new("unassigned"),
            service_code: "amazon-ec2".to_owned(),
            category_code: "other".to_owned(),
            severity_code: "low".to_owned(),
            time_created: at(0),
            recent: recent.collect(),
            more_communications: false,
        }
    }

    fn decided(policy: &Policy, described: &DescribedCase, may_be_ours: bool) -> Intake {
        decide(policy, &account(), &Case::from(described), may_be_ours, at(900))
    }

    fn opened() -> Intake {
        Intake::OpenIncident(link_key(&account(), &CaseId::new(CASE)))
    }

    #[test]
    fn a_case_of_others_becomes_the_same_incident_each_time() {
        let case = described("Instance unreachable", &[(0, "It does not answer.")]);
        assert_eq!(decided(&Policy::default(), &case, false), opened());
        assert_eq!(decided(&Policy::default(), &case, true), opened());
        let french = link_key(&account(), &CaseId::new("case-111122223333-mufr-2022-7118885805350839"));
        assert_eq!(opened(), Intake::OpenIncident(french));
    }

    #[test]
    fn a_case_of_our_own_becomes_no_incident_even_if_its_link_is_not_known() {
        let mark = Mark::of_text("[ref bcdf-ghjk-mnpq-rstv]").unwrap();
        let ours = mark.sign("INC0010001 was opened in ServiceNow.");
        let tested = format!("{}[INC0010001] Unreachable", Policy::default().test_subject_prefix);
        for (subject, text, expected) in [
            ("[INC0010001] Unreachable", ours.as_str(), Intake::Ours),
            (tested.as_str(), ours.as_str(), Intake::Ours),
            ("[INC0010001] Unreachable", "It does not answer.", opened()),
            ("About INC0010001", ours.as_str(), opened()),
            ("About [INC0010001]", ours.as_str(), opened()),
        ] {
            assert_eq!(decided(&Policy::default(), &described(subject, &[(0, text)]), false), expected, "{subject}");
        }
    }

    #[test]
    fn a_case_with_our_subject_waits_for_our_mark_while_it_is_young() {
        let case = Case::from(&described("[INC0010001] Unreachable", &[(0, "It does not answer.")]));
        let after = |seconds: i64| decide(&Policy::default(), &account(), &case, false, at(seconds));
        assert_eq!((after(0), after(899), after(900)), (Intake::Unread, Intake::Unread, opened()));
    }

    #[test]
    fn a_case_without_its_first_text_waits_while_it_may_be_ours() {
        let policy = Policy::default();
        assert_eq!(decided(&policy, &described("Unreachable", &[]), false), Intake::Unread);
        let late = described("Unreachable", &[(3, "A later text.")]);
        assert_eq!(decided(&policy, &late, true), Intake::Unread);
        assert_eq!(decided(&policy, &late, false), opened());
        let after = |seconds: i64| decide(&policy, &account(), &Case::from(&late), false, at(seconds));
        assert_eq!((after(899), after(900)), (Intake::Unread, opened()), "a read may be late, by L at most");
        assert_eq!(decided(&policy, &described("Unreachable", &[(2, "The first.")]), true), opened());
    }

    #[test]
    fn the_policy_says_which_cases_become_incidents() {
        let case = described("Instance unreachable", &[(0, "It does not answer.")]);
        let words = |word: &str| vec!["another".to_owned(), word.to_owned()];
        let filters = |accounts: &str, services: &str, severities: &str| Policy {
            opened_cases_of_accounts: words(accounts),
            opened_cases_of_services: words(services),
            opened_cases_of_severities: words(severities),
            ..Policy::default()
        };
        let ignores = Policy { cases_opened_at_aws: OpenedCaseRule::Ignore, ..Policy::default() };
        for (policy, takes) in [
            (filters("111122223333", "amazon-ec2", "low"), true),
            (filters("444455556666", "amazon-ec2", "low"), false),
            (filters("111122223333", "amazon-s3", "low"), false),
            (filters("111122223333", "amazon-ec2", "high"), false),
            (ignores, false),
        ] {
            assert_eq!(decided(&policy, &case, false), if takes { opened() } else { Intake::Ignored }, "{policy:?}");
            assert_eq!(is_candidate(&policy, &account(), &case, at(0)), takes, "{policy:?}");
        }
        assert!(!takes_cases_of(&filters("444455556666", "", ""), &account()));
        assert!(takes_cases_of(&filters("111122223333", "", ""), &account()));
    }

    #[test]
    fn the_poller_names_cases_that_were_opened_since_its_watermark() {
        let policy = Policy::default();
        let case = described("Instance unreachable", &[(0, "It does not answer.")]);
        assert!(is_candidate(&policy, &account(), &case, at(0)) && !is_candidate(&policy, &account(), &case, at(1)));
        assert_eq!(reads_since(&policy, at(0)), at(-4_500));
        let aws = described("Unusual activity", &[]);
        let mut by_aws = aws.clone();
        by_aws.recent = vec![RawCommunication {
            time_created: at(0),
            submitted_by: AMAZON_WEB_SERVICES.to_owned(),
            body: "We noticed unusual activity.".to_owned(),
            attachments: Vec::new(),
        }];
        assert!(is_candidate(&policy, &account(), &by_aws, at(0)));
        assert_eq!(decided(&policy, &by_aws, true), opened());
    }

    #[test]
    fn a_watermark_goes_on_and_waits_for_cases_without_a_link() {
        let day = 24 * 3_600;
        let next =
            |from: Watermark, opened: &[i64], now: i64| from.next(at(now), opened.iter().map(|second| at(*second)));
        let first = Watermark::first(at(0));
        let watermark = |reached: i64, now: i64| Watermark { at: at(reached), reached_at: at(now) };
        assert_eq!(next(first, &[], 60), watermark(60, 60));
        assert_eq!(next(first, &[50, 40], 60), watermark(40, 60));
        assert_eq!(next(first, &[70], 60), watermark(60, 60), "AWS's clock may be ahead");
        assert_eq!(next(first, &[-50], 60), first, "it never goes back");
        let late = 3 * day;
        assert_eq!(next(first, &[40], late), watermark(40, late), "however late the first poll sees it");
        let held = watermark(40, late);
        assert_eq!(next(held, &[40], late + 2 * day - 1), held);
        assert_eq!(next(held, &[40], late + 2 * day), watermark(late + 2 * day, late + 2 * day));
        assert_eq!(
            next(held, &[40, 90], late + 2 * day),
            watermark(90, late + 2 * day),
            "the next one has its own time"
        );
    }
}
