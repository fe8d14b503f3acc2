//! The communications of a case, put together from several answers of AWS Support.
//!
//! DescribeCommunications answers in pages, DescribeCases shows the most recent ones. The answers may be of different ages:
//! what one shows the other may not show yet, or with another text (redacted meanwhile). Communications have no id, so two
//! answers are compared second by second.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::{case::RawCommunication, conversation::text_hash};

/// How far a second is read beyond its ends: whether AWS counts the ends in is not documented, and a time may be cut.
const MARGIN: SignedDuration = SignedDuration::from_secs(1);

/// Two answers differ so that what is the same can't be told: one of them is older. A later read settles it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("AWS Support still shows an older state of the case's communications")]
pub struct OlderState;

/// From when to when communications are asked for; none: from the first, to the last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// The earliest.
    pub after: Option<Timestamp>,
    /// The latest.
    pub before: Option<Timestamp>,
}

/// What makes two shown communications equal: the second and the text. The author may be told differently.
type Key = (i64, String);

fn key(communication: &RawCommunication) -> Key {
    (communication.time_created.as_second(), text_hash(&communication.body))
}

/// The communications that several answers show.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    communications: Vec<RawCommunication>,
    counts: BTreeMap<Key, usize>,
    doubtful: Vec<Span>,
}

impl Reading {
    /// Takes in the next page. Pages that shift while they are read show a communication twice, while equal ones within one
    /// page are different communications. Where a page begins with what an earlier one has shown, either may be the case:
    /// that time is to be read by itself, see [`Reading::doubtful`].
    pub fn page(&mut self, page: &[RawCommunication]) {
        let keys: Vec<Key> = page.iter().map(key).collect();
        let repeated = || keys.iter().filter(|key| self.counts.contains_key(*key)).map(|(second, _)| *second);
        if let (Some(first), Some(last)) = (repeated().min(), repeated().max()) {
            let at = |second: i64| Timestamp::from_second(second).ok();
            let after = at(first).and_then(|first| first.checked_sub(MARGIN).ok());
            let before = at(last).and_then(|last| last.checked_add(MARGIN * 2).ok());
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

    /// The times in which pages met and equal texts may be one communication or several: one answer for each tells.
    pub fn doubtful(&mut self) -> Vec<Span> {
        std::mem::take(&mut self.doubtful)
    }

    /// Takes in an answer that shows a time as a whole. What each of two answers alone shows of a second is the same, shown
    /// differently; unless the new one shows more, which is an error.
    pub fn join(&mut self, answer: &[RawCommunication]) -> Result<(), OlderState> {
        self.join_from(answer, None)
    }

    /// Takes in the most recent communications, as DescribeCases shows them with the case. What is older than `since` is
    /// left out. Unless the two overlap, something between them is in neither. Their oldest second may be cut.
    pub fn join_recent(&mut self, recent: &[RawCommunication], since: Option<Timestamp>) -> Result<(), OlderState> {
        let wanted = recent.iter().filter(|recent| since.is_none_or(|since| recent.time_created >= since));
        let wanted: Vec<RawCommunication> = wanted.cloned().collect();
        let Some(oldest) = wanted.iter().min_by_key(|recent| recent.time_created) else { return Ok(()) };
        if !self.counts.contains_key(&key(oldest)) {
            return Err(OlderState);
        }
        self.join_from(&wanted, Some(oldest.time_created.as_second()))
    }

    fn join_from(&mut self, answer: &[RawCommunication], cut: Option<i64>) -> Result<(), OlderState> {
        let mut seconds: BTreeMap<i64, Vec<&RawCommunication>> = BTreeMap::new();
        for communication in answer {
            seconds.entry(communication.time_created.as_second()).or_default().push(communication);
        }
        let mut news = Vec::new();
        for (second, theirs) in seconds {
            let (ours_alone, theirs_alone) = self.differences(second, &theirs);
            if theirs_alone.is_empty() {
                continue;
            }
            if ours_alone == 0 {
                news.extend(theirs_alone.into_iter().cloned());
            } else if cut == Some(second) || theirs_alone.len() > ours_alone {
                return Err(OlderState);
            }
        }
        for communication in news {
            *self.counts.entry(key(&communication)).or_default() += 1;
            self.communications.push(communication);
        }
        Ok(())
    }

    /// How many of a second this reading alone shows, and those that the other answer alone shows.
    fn differences<'a>(&self, second: i64, theirs: &[&'a RawCommunication]) -> (usize, Vec<&'a RawCommunication>) {
        let of_second = (second, String::new())..(second + 1, String::new());
        let mut ours: BTreeMap<&Key, usize> = self.counts.range(of_second).map(|(key, count)| (key, *count)).collect();
        let is_new = |communication: &&&RawCommunication| match ours.get_mut(&key(communication)) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        };
        let theirs_alone = theirs.iter().filter(is_new).copied().collect();
        (ours.values().sum(), theirs_alone)
    }

    /// All that was shown.
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
    fn what_only_the_recent_ones_show_is_added() {
        let mut all = reading(&[&[shown(9, "Thanks"), shown(8, "Hello")]]);
        all.join_recent(&[shown(10, "Bye"), shown(9, "Thanks"), shown(9, "Thanks"), shown(8, "Hello")], None).unwrap();
        assert_eq!(bodies(all), ["Thanks", "Hello", "Thanks", "Bye"]);
    }

    #[test]
    fn answers_that_cannot_be_told_apart_are_read_again() {
        let pages = [shown(9, "key abc"), shown(8, "Hello"), shown(8, "Before")];
        let fails = |recent: &[RawCommunication]| reading(&[&pages]).join_recent(recent, None) == Err(OlderState);
        assert!(fails(&[shown(9, "key ****"), shown(9, "New"), shown(8, "Hello")]), "one is new: which?");
        assert!(fails(&[shown(9, "key abc"), shown(8, "Other"), shown(8, "Hello")]), "of a second that may be cut");
        assert!(fails(&[shown(9, "Later")]), "they do not overlap");
        assert!(!fails(&[shown(9, "key abc"), shown(8, "Hello")]));
        assert!(!fails(&[]));
        let since = Timestamp::from_second(9).ok();
        let mut all = reading(&[&pages]);
        assert_eq!(all.join_recent(&[shown(9, "key abc"), shown(7, "Settled")], since), Ok(()));
    }
}
