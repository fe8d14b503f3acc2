//! What the poller decides: where to continue reading in ServiceNow, which accounts come next, which incidents may have
//! drifted, and under which claim a due link is handed off.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    identifiers::{AccountId, ClaimId, IncidentId},
    time,
};

/// How long the first polls may fail before the watermark is recorded: the time in which somebody who deploys
/// casebridge notices that its ledger can't be written, and corrects that.
const FIRST_POLLS_FAIL: SignedDuration = SignedDuration::from_hours(1);
/// How far the first poll of an instance looks back, by our clock. Nothing was linked before the first poll.
const FIRST_LOOK_BACK: SignedDuration = FIRST_POLLS_FAIL.saturating_add(time::CLOCKS_APART);

/// How long a claim keeps others from handing off the same link. It is the delay if a poller dies or the queue loses
/// the message. If the queue is slower than this, a link that waits in it gets one more message.
pub const CLAIM_LASTS: SignedDuration = SignedDuration::from_mins(10);
/// How many accounts are remembered as not polled whole. Those that have waited longest are kept. They are stored in
/// one row of the ledger, of at most 400 KB. An account that is forgotten is polled from its first page on.
const MAXIMUM_BEHIND: usize = 1_000;

/// The progress of the poll of ServiceNow. All times are by ServiceNow's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// Everything that had changed by then has been handed off, or will be when the poll that `resume` continues is
    /// finished.
    #[serde(with = "time::servicenow_form")]
    pub covered_until: Timestamp,
    /// Where to continue a poll that was not finished. `None` if the last poll was finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Position>,
}

/// A place in the list of changes, which is ordered by time and key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The moment from which on changes are read.
    #[serde(with = "time::servicenow_form")]
    pub since: Timestamp,
    /// The incident after which changes of that moment are read. `None` for all changes of that moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<IncidentId>,
}

/// Returns the watermark before the first poll. It is recorded before the first read, so that it does not move with the
/// time if the first polls fail. `now` is by our clock, from which ServiceNow's may differ by an hour.
pub fn first(now: Timestamp) -> Watermark {
    Watermark { covered_until: time::earlier(now, FIRST_LOOK_BACK), resume: None }
}

/// Returns where a poll starts to read.
///
/// After a finished poll this is `overlap` before its end, since a change may appear a little later than its own time
/// says. An unfinished poll is continued exactly where it stopped, so that it finishes however many changes there are.
pub fn start(watermark: &Watermark, overlap: SignedDuration) -> Position {
    let overlapped = || Position { since: time::earlier(watermark.covered_until, overlap), after: None };
    watermark.resume.clone().unwrap_or_else(overlapped)
}

/// Returns the watermark after a poll has handed off what it read.
///
/// `began_at` is ServiceNow's time at the first page. `stopped_at` is where the poll stopped, or `None` if it finished.
/// A poll that continues another one covers only what the first of them covers. The overlap of the next poll finds what
/// appeared late behind it.
pub fn advance(before: &Watermark, began_at: Timestamp, stopped_at: Option<Position>) -> Watermark {
    let covered_until = if before.resume.is_some() { before.covered_until } else { began_at };
    Watermark { covered_until, resume: stopped_at }
}

/// Whether an incident may have drifted: no link remembers it, or its update count differs from the remembered one.
///
/// A restored instance shows lower counts. So does a lagging node, which costs a look that finds nothing to do.
pub fn has_incident_changed(sys_mod_count: u64, remembered: Option<u64>) -> bool {
    remembered != Some(sys_mod_count)
}

/// How often the poller reads a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CasePace {
    /// How long a case is warm after something changed on it.
    pub warm_for: SignedDuration,
    /// How often a quiet case is read.
    pub turn: SignedDuration,
}

impl CasePace {
    /// Whether the poll that began at `now` reads a case. `changed_at` is when something changed on it last; `last_polled`
    /// is when its account was polled last, or an earlier moment.
    ///
    /// A warm case is read by every poll, and a quiet one once in each turn. The quiet cases of an account have the same
    /// turns, so that most polls of a quiet account need no call. Accounts have different turns, so that their calls
    /// spread.
    pub fn is_due(self, account: &AccountId, changed_at: Timestamp, last_polled: Timestamp, now: Timestamp) -> bool {
        let turn = self.turn.as_secs().max(1);
        let shift = account.as_str().parse::<i64>().unwrap_or(0).rem_euclid(turn);
        let turn_at = |moment: Timestamp| moment.as_second().saturating_add(shift).div_euclid(turn);
        now.duration_since(changed_at) < self.warm_for || turn_at(last_polled) < turn_at(now)
    }
}

/// Returns the claim under which a link that is due since `due_at` is handed off, and when the link is due again.
///
/// The claim is made from the due time. So two pollers that see the same link make the same claim, and the queue takes
/// their messages as one. If a link is ever due at the same millisecond again, a late message of the first time costs a
/// pass that finds nothing to do.
pub fn claim(due_at: Timestamp, now: Timestamp) -> (ClaimId, Timestamp) {
    (ClaimId::new(due_at.as_millisecond().to_string()), time::later(now, CLAIM_LASTS))
}

/// The progress of the poll of the accounts. Accounts are polled in the order of their numbers, round after round. Each
/// poll begins after the account that the previous poll began last, so that no account is always left out for lack of
/// time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rounds {
    /// The account that was begun last. `None` before the first poll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_begun: Option<AccountId>,
    /// When the current round began.
    pub began_at: Timestamp,
    /// When the last complete round began. Every account has been begun since then.
    pub covered_since: Timestamp,
    /// The accounts that were not polled whole when they were last begun.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub behind: BTreeMap<AccountId, Behind>,
}

/// An account that was begun and not polled whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behind {
    /// When it was last polled whole, or an earlier moment.
    pub since: Timestamp,
    /// The page of its cases after which to continue. `None` to begin with the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// The progress of the poll of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// All its cases were read.
    Whole,
    /// The next poll continues after this page. `None` if it begins with the first page.
    Page(Option<String>),
}

impl Rounds {
    /// Returns the rounds before the first poll.
    pub fn first(now: Timestamp) -> Self {
        Self { last_begun: None, began_at: now, covered_since: now, behind: BTreeMap::new() }
    }

    /// Returns the accounts in the order in which the next poll takes them, each once.
    pub fn order(&self, mut accounts: Vec<AccountId>) -> Vec<AccountId> {
        accounts.sort();
        accounts.dedup();
        let begun = accounts.partition_point(|account| !self.is_ahead(account));
        accounts.rotate_left(begun);
        accounts
    }

    /// Returns the page after which the poll of an account begins. Returns `None` if it begins with the first page.
    pub fn page_of(&self, account: &AccountId) -> Option<String> {
        self.behind.get(account)?.page.clone()
    }

    /// Returns when an account was polled whole last, or an earlier moment.
    pub fn last_polled(&self, account: &AccountId) -> Timestamp {
        self.behind.get(account).map_or(self.covered_since, |behind| behind.since.min(self.covered_since))
    }

    /// Returns the rounds after a poll that began at `poll_began`. `polled` has the progress with each account that was
    /// begun; these are the first ones of `order`.
    #[must_use]
    pub fn advance(&self, poll_began: Timestamp, order: &[AccountId], polled: &BTreeMap<AccountId, Reached>) -> Self {
        let begun = polled.len().min(order.len());
        let ahead = order.iter().filter(|account| self.is_ahead(account)).count();
        let (began_at, covered_since) = if begun == order.len() {
            (poll_began, poll_began)
        } else if begun > ahead {
            (poll_began, self.began_at)
        } else {
            (self.began_at, self.covered_since)
        };
        let last_begun = begun.checked_sub(1).and_then(|last| order.get(last)).or(self.last_begun.as_ref()).cloned();
        Self { last_begun, began_at, covered_since, behind: self.behind_after(order, polled) }
    }

    /// Returns an upper bound of the time for which the account that waits longest has not been polled whole.
    ///
    /// For accounts that were polled whole when they were begun, the bound is the time since the last complete round
    /// began: up to twice the true wait. In return the ledger needs no row for each account and poll.
    pub fn longest_unpolled(&self, now: Timestamp) -> SignedDuration {
        let since = self.behind.values().map(|behind| behind.since).fold(self.covered_since, Timestamp::min);
        now.duration_since(since).max(SignedDuration::ZERO)
    }

    fn is_ahead(&self, account: &AccountId) -> bool {
        self.last_begun.as_ref().is_none_or(|last| account > last)
    }

    fn behind_after(&self, order: &[AccountId], polled: &BTreeMap<AccountId, Reached>) -> BTreeMap<AccountId, Behind> {
        let mut behind: Vec<(AccountId, Behind)> = Vec::new();
        for account in order {
            let before = self.behind.get(account);
            match polled.get(account) {
                Some(Reached::Whole) => {}
                Some(Reached::Page(page)) => {
                    let since = before.map_or(self.covered_since, |before| before.since);
                    behind.push((account.clone(), Behind { since, page: page.clone() }));
                }
                None => behind.extend(before.map(|before| (account.clone(), before.clone()))),
            }
        }
        behind.sort_by_key(|(_, behind)| behind.since);
        behind.truncate(MAXIMUM_BEHIND);
        behind.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OVERLAP: SignedDuration = SignedDuration::from_secs(60);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn from(since: Timestamp) -> Position {
        Position { since, after: None }
    }

    fn position(second: i64, incident: &str) -> Position {
        Position { since: at(second), after: Some(IncidentId::new(incident)) }
    }

    #[test]
    fn a_finished_poll_is_overlapped() {
        let watermark = advance(&first(at(900)), at(1_000), None);
        assert_eq!(start(&watermark, OVERLAP), from(at(940)));
    }

    #[test]
    fn the_first_poll_looks_back_an_hour() {
        assert_eq!(start(&first(at(10_000)), OVERLAP), from(at(2_740)));
    }

    #[test]
    fn an_unfinished_poll_goes_on_where_it_stopped_and_covers_no_more_than_its_beginning() {
        let stopped = advance(&first(at(900)), at(1_000), Some(position(500, "a")));
        assert_eq!(start(&stopped, OVERLAP), position(500, "a"));
        let stopped_again = advance(&stopped, at(2_000), Some(position(700, "b")));
        let finished = advance(&stopped_again, at(3_000), None);
        assert_eq!(start(&finished, OVERLAP), from(at(940)));
    }

    #[test]
    fn a_watermark_is_read_as_it_was_written() {
        let before = first(at(900));
        for watermark in [advance(&before, at(1_000), None), advance(&before, at(1_000), Some(position(500, "a")))] {
            let text = serde_json::to_string(&watermark).unwrap();
            assert_eq!(serde_json::from_str::<Watermark>(&text).unwrap(), watermark);
        }
    }

    #[test]
    fn an_incident_has_changed_when_its_count_is_another_one_or_unknown() {
        assert!(has_incident_changed(7, None));
        assert!(has_incident_changed(7, Some(6)));
        assert!(!has_incident_changed(7, Some(7)));
        assert!(has_incident_changed(7, Some(8)), "restored from an older copy");
    }

    #[test]
    fn a_claim_is_the_same_for_all_who_see_the_same_due_time() {
        let (claim_id, until) = claim(at(10), at(12));
        assert_eq!((claim_id.as_str(), until), ("10000", at(612)));
        assert_eq!(claim(at(10), at(70)).0, claim_id);
        assert_ne!(claim(at(612), at(613)).0, claim_id);
    }

    fn pace(warm: i64, turn: i64) -> CasePace {
        CasePace { warm_for: SignedDuration::from_secs(warm), turn: SignedDuration::from_secs(turn) }
    }

    #[test]
    fn a_warm_case_is_read_by_every_poll() {
        let account = AccountId::new("000000000300");
        let is_due = |changed: i64, now: i64| pace(60, 300).is_due(&account, at(changed), at(now - 1), at(now));
        assert!(is_due(900, 959), "warm");
        assert!(!is_due(900, 960), "quiet, and it was read in this turn");
        assert!(is_due(2_000, 960), "a clock that is behind");
        assert!(!pace(0, 300).is_due(&account, at(900), at(910), at(911)), "no case is ever warm");
    }

    #[test]
    fn a_quiet_case_is_read_once_in_each_turn_of_its_account() {
        let read = |account: &str, turn: i64, polls: &[i64]| -> Vec<i64> {
            let account = AccountId::new(account);
            let is_due = |pair: &&[i64]| pace(60, turn).is_due(&account, at(0), at(pair[0]), at(pair[1]));
            polls.windows(2).filter(is_due).map(|pair| pair[1]).collect()
        };
        let minutes: Vec<i64> = (20..32).map(|minute| minute * 60).collect();
        assert_eq!(read("000000000000", 300, &minutes), [1_500, 1_800]);
        assert_eq!(read("000000000060", 300, &minutes), [1_440, 1_740], "another account has other turns");
        assert_eq!(read("not a number", 300, &minutes), [1_500, 1_800]);
        assert_eq!(read("000000000000", 60, &minutes), minutes[1..]);
        assert_eq!(read("000000000000", 300, &[1_200, 9_999]), [9_999], "the poller stood still");
        assert_eq!(read("000000000000", 300, &[1_510, 1_490, 1_505]), [1_505], "clocks differ");
    }

    #[test]
    fn an_account_that_was_not_polled_whole_was_polled_last_before_that() {
        let order = accounts(&[1, 2]);
        let rounds = polled_whole(&Rounds::first(at(0)), 60, &[1, 2], 2);
        let polled = [(order[0].clone(), Reached::Page(None)), (order[1].clone(), Reached::Whole)].into();
        let rounds = rounds.advance(at(120), &order, &polled);
        assert_eq!((rounds.last_polled(&order[0]), rounds.last_polled(&order[1])), (at(60), at(120)));
    }

    fn accounts(numbers: &[u32]) -> Vec<AccountId> {
        numbers.iter().map(|number| AccountId::new(format!("{number:012}"))).collect()
    }

    /// Returns the rounds after a poll at `second` that polled the first `begun` accounts of its order whole.
    fn polled_whole(rounds: &Rounds, second: i64, numbers: &[u32], begun: usize) -> Rounds {
        let order = rounds.order(accounts(numbers));
        let polled = order.iter().take(begun).map(|account| (account.clone(), Reached::Whole)).collect();
        rounds.advance(at(second), &order, &polled)
    }

    #[test]
    fn a_poll_of_accounts_goes_on_where_the_last_one_stopped() {
        let first = Rounds::first(at(0));
        assert_eq!(first.order(accounts(&[3, 1, 2, 3])), accounts(&[1, 2, 3]));
        let second = polled_whole(&first, 0, &[1, 2, 3, 4], 3);
        assert_eq!(second.order(accounts(&[1, 2, 3, 4])), accounts(&[4, 1, 2, 3]));
        // Accounts are added and removed. The place is kept.
        assert_eq!(second.order(accounts(&[1, 2, 5])), accounts(&[5, 1, 2]));
        assert_eq!(second.order(accounts(&[1, 2])), accounts(&[1, 2]));
        let third = polled_whole(&second, 60, &[1, 2, 3, 4], 2);
        assert_eq!(third.order(accounts(&[1, 2, 3, 4])), accounts(&[2, 3, 4, 1]));
        let nothing = polled_whole(&third, 120, &[1, 2, 3, 4], 0);
        assert_eq!(nothing, third);
    }

    #[test]
    fn the_longest_wait_is_told_by_the_rounds() {
        let all = [1, 2, 3, 4, 5];
        let rounds = polled_whole(&Rounds::first(at(0)), 0, &all, 5);
        assert_eq!(rounds.longest_unpolled(at(60)).as_secs(), 60);
        let rounds = polled_whole(&rounds, 60, &all, 5);
        assert_eq!(rounds.longest_unpolled(at(61)).as_secs(), 1, "each poll is a round");
        // From now on a poll reaches two accounts only: 1 and 2, 3 and 4, 5 and 1, 2 and 3.
        let rounds = polled_whole(&rounds, 120, &all, 2);
        assert_eq!(rounds.longest_unpolled(at(120)).as_secs(), 60);
        let rounds = polled_whole(&rounds, 180, &all, 2);
        assert_eq!(rounds.longest_unpolled(at(180)).as_secs(), 120);
        let rounds = polled_whole(&rounds, 240, &all, 2);
        assert_eq!(rounds.longest_unpolled(at(240)).as_secs(), 120, "all were begun since 120");
        let rounds = polled_whole(&rounds, 300, &all, 2);
        assert_eq!(rounds.longest_unpolled(at(300)).as_secs(), 180, "4 has waited since 180, and that is the bound");
        let none = rounds.advance(at(360), &[], &BTreeMap::new());
        assert_eq!(none.longest_unpolled(at(360)), SignedDuration::ZERO);
    }

    #[test]
    fn polls_that_begin_no_account_hide_no_wait() {
        let all = [1, 2, 3, 4];
        let rounds = polled_whole(&Rounds::first(at(0)), 0, &all, 2);
        // The round ends with the last account; the next one is begun with the first.
        let mut rounds = polled_whole(&rounds, 60, &all, 2);
        for second in [120, 180, 240] {
            rounds = polled_whole(&rounds, second, &all, 0);
            assert_eq!(rounds.longest_unpolled(at(second)).as_secs(), second);
        }
        let rounds = polled_whole(&rounds, 300, &all, 1);
        assert_eq!(rounds.longest_unpolled(at(300)).as_secs(), 300, "2 was begun at second 0");
    }

    #[test]
    fn an_account_that_was_not_polled_whole_goes_on_and_is_remembered_until_it_is() {
        let order = accounts(&[1, 2, 3]);
        let poll = |rounds: &Rounds, second: i64, second_account: Option<Reached>| {
            let mut polled: BTreeMap<_, _> = accounts(&[1, 3]).into_iter().map(|id| (id, Reached::Whole)).collect();
            polled.extend(second_account.map(|reached| (order[1].clone(), reached)));
            rounds.advance(at(second), &order, &polled)
        };
        let page = |name: &str| Some(Reached::Page(Some(name.to_owned())));
        let rounds = poll(&Rounds::first(at(0)), 0, Some(Reached::Whole));
        let rounds = poll(&rounds, 60, page("a"));
        assert_eq!(rounds.page_of(&order[1]).as_deref(), Some("a"));
        assert_eq!(rounds.page_of(&order[0]), None);
        let rounds = poll(&rounds, 120, page("b"));
        assert_eq!(rounds.page_of(&order[1]).as_deref(), Some("b"));
        assert_eq!(rounds.longest_unpolled(at(130)).as_secs(), 130, "it was polled whole in the round of second 0");
        let text = serde_json::to_string(&rounds).unwrap();
        assert_eq!(serde_json::from_str::<Rounds>(&text).unwrap(), rounds);
        let whole = poll(&rounds, 180, Some(Reached::Whole));
        assert_eq!((whole.longest_unpolled(at(190)).as_secs(), whole.behind.len()), (10, 0));
        let gone = rounds.advance(at(180), &accounts(&[1, 3]), &BTreeMap::new());
        assert!(gone.behind.is_empty(), "its secret was removed");
    }

    #[test]
    fn what_is_remembered_of_accounts_fits_into_a_row() {
        let numbers: Vec<u32> = (0..5_000).collect();
        let mut rounds = Rounds::first(at(0));
        for second in [60, 120] {
            let order = rounds.order(accounts(&numbers));
            let page = Reached::Page(Some("2026-0123456789abcdef0123456789abcdef".to_owned()));
            let polled = order.iter().map(|account| (account.clone(), page.clone())).collect();
            rounds = rounds.advance(at(second), &order, &polled);
        }
        assert_eq!((rounds.behind.len(), rounds.longest_unpolled(at(120)).as_secs()), (MAXIMUM_BEHIND, 120));
        assert!(serde_json::to_string(&rounds).unwrap().len() < 300_000);
    }
}
