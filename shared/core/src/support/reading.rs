//! The communications of a case, put together from several answers of AWS Support.
//!
//! DescribeCommunications answers in pages, and DescribeCases shows the most recent communications. The answers may be
//! of different ages: a communication of one may be missing in the other, or have another text (redacted meanwhile), or
//! be a second later (one cuts a time, the other rounds it). Communications have no id, so two answers are compared
//! moment by moment.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::{
    support::{
        case::RawCommunication,
        conversation::{ONE_MOMENT, same_moments},
    },
    text::text_hash,
    time,
};

/// How far a span is read beyond the seconds in question: AWS does not document whether the ends of a span are
/// included, and a time may be cut.
const MARGIN: SignedDuration = SignedDuration::from_secs(1);

/// Two answers differ in a way that does not tell which communications are the same: one answer is older. A later read
/// settles it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("AWS Support still shows an older state of the case's communications")]
pub struct OlderState;

/// The time span of the communications that are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// The earliest time; `None`: from the first communication on.
    pub after: Option<Timestamp>,
    /// The latest time; `None`: up to the last communication.
    pub before: Option<Timestamp>,
}

/// What two answers do not have in common.
struct Comparison<'a> {
    /// The seconds of the communications that only the reading shows, in order.
    ours_alone: Vec<i64>,
    /// The communications that only the other answer shows, in the order of time.
    theirs_alone: Vec<&'a RawCommunication>,
}

/// Returns the items of a list whose indexes are not taken.
fn left_over<T>(all: Vec<T>, taken: &BTreeSet<usize>) -> impl Iterator<Item = T> {
    all.into_iter().enumerate().filter(|(index, _)| !taken.contains(index)).map(|(_, one)| one)
}

/// The second and the text's hash: two shown communications with the same key are equal. The author does not count,
/// since two answers may show different ones.
type Key = (i64, String);

fn key(communication: &RawCommunication) -> Key {
    (second(communication), text_hash(&communication.body))
}

fn second(communication: &RawCommunication) -> i64 {
    communication.time_created.as_second()
}

/// The communications that several answers show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    communications: Vec<RawCommunication>,
    counts: BTreeMap<Key, usize>,
    doubtful: Vec<Span>,
}

impl Reading {
    /// Takes in the next page. If pages shift while they are read, two pages show the same communication, while equal
    /// communications within one page are different ones. If a page repeats what an earlier one has shown, either may
    /// be the case: the time span of the repeats has to be read by itself, see [`Reading::doubtful`].
    pub fn page(&mut self, page: &[RawCommunication]) {
        let keys: Vec<Key> = page.iter().map(key).collect();
        let repeated = || keys.iter().filter(|key| self.counts.contains_key(*key)).map(|(second, _)| *second);
        if let (Some(first), Some(last)) = (repeated().min(), repeated().max()) {
            let at = |second: i64| Timestamp::from_second(second).ok();
            let after = at(first).map(|first| time::earlier(first, MARGIN));
            let before = at(last).map(|last| time::later(last, MARGIN * 2));
            self.doubtful.push(Span { after, before });
        }
        let mut here: BTreeMap<&Key, usize> = BTreeMap::new();
        for (communication, key) in page.iter().zip(&keys) {
            let here = here.entry(key).or_default();
            *here += 1;
            if self.counts.get(key).is_none_or(|there| there < here) {
                self.counts.insert(key.clone(), *here);
                self.communications.push(communication.clone());
            }
        }
    }

    /// Returns the time spans in which pages met and equal texts may be one communication or several, and forgets them.
    /// One answer for each span settles it.
    pub fn doubtful(&mut self) -> Vec<Span> {
        std::mem::take(&mut self.doubtful)
    }

    /// Takes in an answer that shows a time span as a whole. If each of the two answers alone shows communications of a
    /// moment, these are the same, shown differently.
    ///
    /// # Errors
    /// Fails if the new answer shows more of them than the reading: then it is not clear which are new.
    pub fn join(&mut self, answer: &[RawCommunication]) -> Result<(), OlderState> {
        let mut comparison = self.compare(answer);
        // The answer tells nothing of the time beyond its ends.
        let ends = answer.iter().map(second).min().zip(answer.iter().map(second).max());
        comparison.ours_alone.retain(|ours| ends.is_some_and(|(first, last)| (first..=last).contains(ours)));
        self.add(comparison, None)
    }

    /// Takes in the most recent communications, as DescribeCases shows them with the case. Leaves out those older than
    /// `since`. The oldest second of the recent ones may be cut. What they show differently in it is left out if the
    /// reading also shows a later one of them, since the reading then shows that second as well.
    ///
    /// # Errors
    /// Fails if they do not overlap with the reading, since neither may show something between the two.
    pub fn join_recent(&mut self, recent: &[RawCommunication], since: Option<Timestamp>) -> Result<(), OlderState> {
        let wanted = recent.iter().filter(|recent| since.is_none_or(|since| recent.time_created >= since));
        let wanted: Vec<RawCommunication> = wanted.cloned().collect();
        let Some(cut) = wanted.iter().map(second).min() else { return Ok(()) };
        let mut comparison = self.compare(&wanted);
        comparison.ours_alone.retain(|ours| *ours >= cut);
        let goes_further =
            wanted.iter().any(|theirs| second(theirs) > cut && !comparison.theirs_alone.contains(&theirs));
        if goes_further && comparison.ours_alone.contains(&cut) {
            comparison.theirs_alone.retain(|theirs| second(theirs) != cut);
        }
        if comparison.theirs_alone.iter().any(|theirs| second(theirs) == cut) {
            return Err(OlderState);
        }
        self.add(comparison, Some(cut))
    }

    /// Adds what only the other answer shows.
    fn add(&mut self, comparison: Comparison<'_>, cut: Option<i64>) -> Result<(), OlderState> {
        let Comparison { mut ours_alone, theirs_alone } = comparison;
        let mut theirs = theirs_alone.as_slice();
        while let Some(first) = theirs.first() {
            let moments =
                theirs.windows(2).take_while(|pair| second(pair[1]) - second(pair[0]) <= ONE_MOMENT).count() + 1;
            let (near, later) = theirs.split_at(moments);
            let span = second(first) - ONE_MOMENT..=near.last().map_or(0, |last| second(last)) + ONE_MOMENT;
            let from = ours_alone.partition_point(|ours| ours < span.start());
            let ours = ours_alone.partition_point(|ours| ours <= span.end()) - from;
            let is_unclear = cut.is_some_and(|cut| ours_alone[from..from + ours].contains(&cut));
            match ours {
                0 => self.extend(near),
                ours if is_unclear || near.len() > ours => return Err(OlderState),
                // These are the same communications, shown differently.
                _ => drop(ours_alone.drain(from..from + near.len())),
            }
            theirs = later;
        }
        Ok(())
    }

    fn extend(&mut self, news: &[&RawCommunication]) {
        for communication in news {
            *self.counts.entry(key(communication)).or_default() += 1;
            self.communications.push((*communication).clone());
        }
    }

    /// Compares the reading with another answer. Equal texts of one moment match: one answer may cut the time, and
    /// another round it.
    fn compare<'a>(&self, theirs: &'a [RawCommunication]) -> Comparison<'a> {
        let mut ours_of: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for ((second, hash), count) in &self.counts {
            ours_of.entry(hash).or_default().extend(std::iter::repeat_n(*second, *count));
        }
        let mut theirs_of: BTreeMap<String, Vec<&RawCommunication>> = BTreeMap::new();
        for communication in theirs {
            theirs_of.entry(text_hash(&communication.body)).or_default().push(communication);
        }
        let (mut ours_alone, mut theirs_alone) = (Vec::new(), Vec::new());
        for (hash, mut equals) in theirs_of {
            equals.sort_by_key(|communication| communication.time_created);
            let here: Vec<i64> = equals.iter().map(|communication| second(communication)).collect();
            let there = ours_of.remove(hash.as_str()).unwrap_or_default();
            let (matched, known): (BTreeSet<usize>, BTreeSet<usize>) = same_moments(&here, &there).into_iter().unzip();
            theirs_alone.extend(left_over(equals, &matched));
            ours_alone.extend(left_over(there, &known));
        }
        ours_alone.extend(ours_of.into_values().flatten());
        ours_alone.sort_unstable();
        theirs_alone.sort_by_key(|communication| communication.time_created);
        Comparison { ours_alone, theirs_alone }
    }

    /// Returns all communications that were shown.
    pub fn into_communications(self) -> Vec<RawCommunication> {
        self.communications
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(second: i64, body: &str) -> RawCommunication {
        RawCommunication {
            time_created: Timestamp::from_second(second).unwrap(),
            submitted_by: "Amazon Web Services".to_owned(),
            body: body.to_owned(),
            attachments: Vec::new(),
        }
    }

    fn reading(pages: &[&[RawCommunication]]) -> Reading {
        let mut reading = Reading::default();
        for page in pages {
            reading.page(page);
        }
        reading
    }

    fn bodies(reading: Reading) -> Vec<String> {
        reading.into_communications().into_iter().map(|communication| communication.body).collect()
    }

    fn span(after: i64, before: i64) -> Span {
        Span { after: Timestamp::from_second(after).ok(), before: Timestamp::from_second(before).ok() }
    }

    #[test]
    fn equal_texts_within_one_page_are_several_and_pages_that_shift_show_one_twice() {
        let (same, other) = (shown(9, "Any news?"), shown(8, "Hello"));
        let mut all = reading(&[&[same.clone(), same.clone()], &[same.clone(), other.clone()]]);
        assert_eq!(all.doubtful(), [span(8, 11)]);
        assert!(all.doubtful().is_empty(), "it is asked for once");
        assert_eq!(bodies(all), ["Any news?", "Any news?", "Hello"]);
        assert!(reading(&[&[same], &[other]]).doubtful().is_empty());
    }

    #[test]
    fn where_two_pages_meet_in_equal_texts_an_answer_of_that_time_tells_how_many_there_are() {
        let (same, other) = (shown(9, "Any news?"), shown(8, "Hello"));
        let mut two = reading(&[&[shown(12, "Bye"), same.clone()], &[same.clone(), other.clone()]]);
        two.join(&[same.clone(), same.clone(), other.clone()]).unwrap();
        assert_eq!(bodies(two), ["Bye", "Any news?", "Hello", "Any news?"]);
        let mut one = reading(&[&[shown(12, "Bye"), same.clone()], &[same.clone(), other.clone()]]);
        one.join(&[same, other]).unwrap();
        assert_eq!(bodies(one), ["Bye", "Any news?", "Hello"]);
    }

    #[test]
    fn what_each_of_two_answers_alone_shows_of_a_second_is_the_same() {
        let pages = [shown(9, "Thanks"), shown(9, "key abc"), shown(8, "Hello")];
        let mut all = reading(&[&pages]);
        all.join_recent(&[shown(9, "key ****"), shown(9, "Thanks"), shown(8, "Hello")], None).unwrap();
        assert_eq!(bodies(all), ["Thanks", "key abc", "Hello"]);
    }

    #[test]
    fn a_time_that_one_answer_rounds_is_the_same_moment() {
        let pages = [shown(9, "Thanks"), shown(8, "key abc"), shown(7, "Hello")];
        for recent in [
            [shown(10, "Thanks"), shown(8, "key abc"), shown(8, "Hello")],
            [shown(8, "Thanks"), shown(7, "key abc"), shown(7, "Hello")],
            [shown(10, "Thanks"), shown(9, "key ****"), shown(7, "Hello")],
            [shown(8, "Thank ****"), shown(8, "key abc"), shown(7, "Hello")],
        ] {
            let mut all = reading(&[&pages]);
            all.join_recent(&recent, None).unwrap();
            assert_eq!(bodies(all), ["Thanks", "key abc", "Hello"], "{recent:?}");
        }
    }

    #[test]
    fn the_oldest_recent_one_may_be_shown_differently_where_the_reading_goes_further() {
        let mut all = reading(&[&[shown(9, "Thanks"), shown(8, "key abc"), shown(7, "Hello")]]);
        all.join_recent(&[shown(9, "Thanks"), shown(8, "key ****")], None).unwrap();
        assert_eq!(bodies(all), ["Thanks", "key abc", "Hello"]);
    }

    #[test]
    fn what_only_the_recent_ones_show_is_added() {
        let mut all = reading(&[&[shown(9, "Thanks"), shown(8, "Hello")]]);
        all.join_recent(&[shown(10, "Bye"), shown(9, "Thanks"), shown(9, "Thanks"), shown(8, "Hello")], None).unwrap();
        assert_eq!(bodies(all), ["Thanks", "Hello", "Thanks", "Bye"]);
    }

    #[test]
    fn each_text_of_two_answers_is_there_once_however_often_the_later_one_is_joined() {
        let (abc, hidden) = (shown(9, "key abc"), shown(9, "key ****"));
        for (what, pages, answer) in [
            ("times of their own", [shown(5, "Gone"), shown(4, "Hello")], vec![shown(9, "News"), shown(4, "Hello")]),
            (
                "one a second earlier, and news",
                [abc.clone(), shown(5, "Hello")],
                vec![shown(10, "News"), shown(8, "key ****"), shown(5, "Hello")],
            ),
            (
                "one redacted, and news",
                [abc.clone(), shown(5, "Hello")],
                vec![shown(12, "News"), hidden.clone(), shown(5, "Hello")],
            ),
            ("one redacted, another not shown", [abc, shown(9, "Thanks")], vec![hidden, shown(4, "Hello")]),
        ] {
            let mut all = reading(&[&pages]);
            for _ in 0..2 {
                all.join(&answer).unwrap();
            }
            assert_eq!(bodies(all).len(), 3, "{what}");
        }
    }

    #[test]
    fn answers_that_cannot_be_told_apart_are_read_again() {
        let pages = [shown(9, "key abc"), shown(8, "Hello"), shown(8, "Before")];
        let fails = |recent: &[RawCommunication]| reading(&[&pages]).join_recent(recent, None) == Err(OlderState);
        assert!(fails(&[shown(9, "key ****"), shown(9, "New"), shown(8, "Hello")]), "one is new: which?");
        assert!(fails(&[shown(9, "new"), shown(8, "Other"), shown(8, "Hello")]), "of a second that may be cut");
        assert!(fails(&[shown(11, "new"), shown(8, "Other"), shown(8, "Hello")]), "which the reading does not show");
        assert!(fails(&[shown(8, "Other"), shown(8, "Hello")]), "of the only second");
        assert!(fails(&[shown(11, "New"), shown(10, "key ****"), shown(8, "Hello"), shown(8, "Before")]), "which one?");
        assert!(fails(&[shown(9, "Later")]), "they do not overlap");
        assert!(!fails(&[shown(9, "key abc"), shown(8, "Hello")]));
        assert!(!fails(&[]));
        let since = Timestamp::from_second(9).ok();
        let mut all = reading(&[&pages]);
        assert_eq!(all.join_recent(&[shown(9, "key abc"), shown(7, "Settled")], since), Ok(()));
    }
}
