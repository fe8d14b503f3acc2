//! What the link remembers of its case's communications, and which of those that a read shows are ours.
//!
//! Communications have no id in the AWS Support API. casebridge identifies a communication by its second of creation,
//! the hash of its text and its ordinal among equal texts, all as first seen. A later read may show the same
//! communication differently: with another author, redacted, wrapped, or with a time of another precision. So the
//! communications of a read are matched with the known ones of the same second or of a neighbouring one. Equal hashes
//! are matched first. What is left over on both sides is the same communications, shown differently. A surplus is new.
//!
//! A text of ours is recognised by its mark. More than one communication may carry the mark, since people copy and
//! quote. Ours is the one with exactly the text that was sent, or else the earliest. While a read may not show ours
//! yet, the others wait.
//!
//! A complete read settles what is older than L before the newest communication that it shows. What is settled is
//! forgotten, so that a link of ten thousand communications remembers as much as one of ten.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    identifiers::CommunicationId,
    link::mark::{Mark, marks_in},
    support::{
        Intent,
        case::{Communication, RawCommunication},
    },
    text::{HASH_DIGITS, letter_count, text_hash},
    time,
    time::CLOCKS_APART,
};

/// How many communications a link remembers at most, with some hundred bytes each. From a longer read, only the oldest
/// are taken in. The rest follows once these are on the incident and settled.
pub const MAXIMUM_KNOWN_COMMUNICATIONS: usize = 1_000;
/// How long, by our clock, a mark is kept if AWS accepted its text and no read has shown it. AWS's clock may differ.
const UNSEEN_MARK_KEPT: SignedDuration = SignedDuration::from_hours(24);
/// By how many seconds two answers may differ in the time of one communication: one cuts the time, the other rounds it.
pub(crate) const ONE_MOMENT: i64 = 1;

/// What became of a communication that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// A person or AWS wrote it, and it is not on the incident yet. Later communications must not overtake it.
    Pending,
    /// It is on the incident.
    Delivered,
    /// It is ours.
    Ours,
    /// It carries a mark of ours, and it is not known yet whether it is ours.
    Undecided,
}

/// A communication that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Its identity, as given when it was first seen.
    pub id: CommunicationId,
    /// The hash of its text, as last shown.
    pub hash: String,
    /// How many letters and digits its text has, as last shown; `None` if no read has shown it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letters: Option<usize>,
    /// Whether AWS wrote it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_aws: bool,
    /// Whether it carries a mark of ours.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub carries_mark: bool,
    /// What became of it.
    pub fate: Fate,
}

/// The communication that casebridge takes for the text that it sent with a mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Its identity.
    pub id: CommunicationId,
    /// When it was written, by AWS's clock.
    pub time_created: Timestamp,
    /// Whether it has exactly the text that was sent.
    pub exact: bool,
    /// By how many letters and digits its length differs from the text that was sent.
    #[serde(default)]
    pub letters_apart: usize,
}

impl Owner {
    /// Returns the key that decides between two candidates; the lower one wins. The exact one comes first, then the one
    /// of the earlier second. Within a second (one answer may cut its times, another may not) the one whose length is
    /// closer to the text that was sent comes first: AWS changes few letters of it, and people quote a part or add
    /// something.
    fn rank(&self) -> (bool, i64, usize, Timestamp, &CommunicationId) {
        (!self.exact, self.time_created.as_second(), self.letters_apart, self.time_created, &self.id)
    }
}

/// What is remembered of a mark whose text was sent, or may have been sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkMemory {
    /// When its intent was written, by our clock.
    pub sent_at: Timestamp,
    /// The hash of the text that was sent.
    pub hash: String,
    /// How many letters and digits that text has.
    #[serde(default)]
    pub letters: usize,
    /// The best candidate so far for the text with this mark; `None` until a read shows one.
    #[serde(default)]
    pub owner: Option<Owner>,
    /// Whether `owner` is final: no other communication can turn out to be ours.
    #[serde(default)]
    pub settled: bool,
    /// The hash of the subject that a CreateCase sent with the text; `None` for a text on an existing case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whether its call counts as never applied. Such a mark is kept for good, since the call may be applied late.
    #[serde(default)]
    pub given_up: bool,
}

/// What a read shows, without what is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenIn {
    /// The communications with their identities, in the order in which they were written.
    pub shown: Vec<Communication>,
    /// Those that no earlier read has shown.
    pub news: Vec<CommunicationId>,
}

/// What is remembered of the communications of one case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Conversation {
    /// Everything written before this moment, by AWS's clock, is settled and forgotten.
    pub settled_before: Option<Timestamp>,
    /// The communications that were seen since then, by their second.
    pub known: BTreeMap<i64, Vec<Known>>,
    /// The marks of our texts.
    pub marks: BTreeMap<Mark, MarkMemory>,
}

/// A communication as it was when first seen: what its identity encodes.
struct FirstSight<'a> {
    moment: i64,
    hash: &'a str,
    /// Its place among equal texts of one second.
    ordinal: usize,
    by_aws: bool,
    carries_mark: bool,
}

/// The letter in an identity for a text that AWS wrote.
const BY_AWS: char = 'a';
/// The letter in an identity for a text that carries a mark of ours.
const CARRIES_MARK: char = 'm';

impl<'a> FirstSight<'a> {
    fn id(&self) -> CommunicationId {
        let Self { moment, hash, ordinal, .. } = self;
        let mut id = format!("{moment}-{hash}-{ordinal}");
        id.extend(self.by_aws.then_some(BY_AWS));
        id.extend(self.carries_mark.then_some(CARRIES_MARK));
        CommunicationId::new(id)
    }

    /// Reads an identity. Returns `None` if the id has another form.
    fn of(id: &'a CommunicationId) -> Option<Self> {
        let mut parts = id.as_str().splitn(3, '-');
        let moment = parts.next()?.parse().ok()?;
        let hash = parts.next().filter(|hash| hash.len() == HASH_DIGITS)?;
        let rest = parts.next()?;
        let ordinal = rest.trim_end_matches([BY_AWS, CARRIES_MARK]).parse().ok()?;
        Some(Self { moment, hash, ordinal, by_aws: rest.contains(BY_AWS), carries_mark: rest.contains(CARRIES_MARK) })
    }
}

fn second(moment: Timestamp) -> i64 {
    moment.as_second()
}

/// Sorts communications by the time at which they were written, then by text and author.
pub fn sort(communications: &mut [RawCommunication]) {
    communications.sort_by(|left, right| {
        (left.time_created, &left.body, &left.submitted_by).cmp(&(right.time_created, &right.body, &right.submitted_by))
    });
}

impl Known {
    /// Whether it waits for its delivery alone, and the read shows it.
    fn is_ready(&self, shown: &[Communication]) -> bool {
        self.fate == Fate::Pending && shown.iter().any(|communication| communication.id == self.id)
    }
}

impl Conversation {
    /// Whether a communication is from a settled time. Such a communication is ignored.
    fn is_settled(&self, communication: &RawCommunication) -> bool {
        self.settled_before.is_some_and(|floor| second(communication.time_created) < second(floor))
    }

    /// Whether a read of the most recent communications leaves nothing unclear, so that not all have to be read.
    ///
    /// The oldest second of the read may be cut, so that the read hides communications of that second. The read joins
    /// if four conditions hold. It shows only known communications of its oldest second. It shows a known communication
    /// of a later second, since one of the oldest second may only seem known: it may be new, while the known one of
    /// equal text is hidden. None of its unknown texts shortly after the oldest second can be a hidden known one, shown
    /// differently. Everything that waits for its delivery or for a decision is later than the oldest second, so that
    /// the read shows it.
    pub fn connects_to_known(&self, recent: &[RawCommunication]) -> bool {
        let Some(oldest) = recent.iter().min_by_key(|communication| communication.time_created) else {
            return self.open().next().is_none();
        };
        let cut = second(oldest.time_created);
        let overlaps =
            self.is_settled(oldest) || (self.cut_second_is_known(cut, recent) && self.is_any_known_behind(cut, recent));
        overlaps && self.open().all(|(moment, _)| moment > cut)
    }

    /// Whether the read shows a known communication of a later second than the one that may be cut.
    fn is_any_known_behind(&self, cut: i64, recent: &[RawCommunication]) -> bool {
        let behind = recent.iter().map(|shown| (second(shown.time_created), shown)).filter(|(moment, _)| *moment > cut);
        behind
            .filter_map(|(moment, shown)| Some((self.known.get(&moment)?, text_hash(&shown.body))))
            .any(|(of_second, hash)| of_second.iter().any(|known| known.hash == hash))
    }

    fn cut_second_is_known(&self, cut: i64, recent: &[RawCommunication]) -> bool {
        let end = cut + ONE_MOMENT;
        let hidden = self.known.range(cut - ONE_MOMENT..=end);
        let mut hidden: Vec<(i64, &str)> =
            hidden.flat_map(|(moment, known)| known.iter().map(|known| (*moment, known.hash.as_str()))).collect();
        let mut unknown = Vec::new();
        for shown in recent.iter().filter(|shown| second(shown.time_created) <= end + ONE_MOMENT) {
            let (moment, hash) = (second(shown.time_created), text_hash(&shown.body));
            match hidden.iter().position(|known| *known == (moment, hash.as_str())) {
                Some(position) => drop(hidden.swap_remove(position)),
                None => unknown.push((moment, hash)),
            }
        }
        // One second after the cut it may be a communication of the cut second, shown with another text and another
        // time.
        let may_be_of_cut = |moment: i64| moment == end && hidden.iter().any(|(known, _)| *known == cut);
        let is_clear = |moment: i64, hash: &str| {
            moment > cut && !may_be_of_cut(moment) && hidden.iter().all(|(_, known)| *known != hash)
        };
        unknown.iter().all(|(moment, hash)| is_clear(*moment, hash))
    }

    /// The communications that wait for their delivery or for a decision, with their seconds.
    fn open(&self) -> impl Iterator<Item = (i64, &Known)> {
        let all = self.known.iter().flat_map(|(second, known)| known.iter().map(|known| (*second, known)));
        all.filter(|(_, known)| matches!(known.fate, Fate::Pending | Fate::Undecided))
    }

    /// Returns when the newest communication was written that waits for its delivery or for a decision, in whole
    /// seconds. Returns `None` if none waits.
    pub fn newest_undelivered(&self) -> Option<Timestamp> {
        let newest = self.open().map(|(second, _)| second).max()?;
        Timestamp::from_second(newest).ok()
    }

    /// Whether all texts of others are on the incident, or can be put there now, see [`Self::deliverable`].
    pub fn delivers_all(&self, shown: &[Communication]) -> bool {
        self.open().all(|(_, known)| known.is_ready(shown))
    }

    /// Returns what can be put on the incident now: texts of others that the read shows and that are not on the
    /// incident yet. Stops at the first communication that is undecided or not shown, since later ones must not
    /// overtake it.
    pub fn deliverable<'a>(&self, shown: &'a [Communication]) -> Vec<&'a Communication> {
        let blocked_from = self.open().filter(|(_, known)| !known.is_ready(shown)).map(|(second, _)| second).min();
        // A read may show a communication in another second than when it was first seen. Both must be before the second
        // that blocks.
        let is_free = |communication: &&Communication| {
            let known = self.open().find(|(_, known)| known.id == communication.id);
            let latest = known.map_or(i64::MIN, |(moment, _)| moment).max(second(communication.raw.time_created));
            blocked_from.is_none_or(|blocked| latest < blocked)
        };
        let before_undecided = shown.iter().take_while(|shown| self.fate(&shown.id) != Some(Fate::Undecided));
        let pending = before_undecided.filter(|shown| self.fate(&shown.id) == Some(Fate::Pending));
        pending.take_while(is_free).collect()
    }

    /// Returns what became of a communication; `None` if it is not known.
    pub fn fate(&self, id: &CommunicationId) -> Option<Fate> {
        self.known.values().flatten().find(|known| known.id == *id).map(|known| known.fate)
    }

    /// Returns when a communication was written, in whole seconds; `None` if it is not known.
    pub(crate) fn moment_of(&self, id: &CommunicationId) -> Option<Timestamp> {
        let found = self.known.iter().find(|(_, known)| known.iter().any(|known| known.id == *id));
        found.and_then(|(moment, _)| Timestamp::from_second(*moment).ok())
    }

    /// Records that a communication is on the incident.
    pub fn delivered(&mut self, id: &CommunicationId) {
        for known in self.known.values_mut().flatten().filter(|known| known.id == *id) {
            known.fate = Fate::Delivered;
        }
    }

    /// Records a text that is about to be sent.
    pub fn sending(&mut self, mark: &Mark, body: &str, now: Timestamp) {
        let memory = MarkMemory {
            sent_at: now,
            hash: text_hash(body),
            letters: letter_count(body),
            owner: None,
            settled: false,
            subject: None,
            given_up: false,
        };
        self.marks.insert(mark.clone(), memory);
    }

    /// Records a case that is about to be opened.
    pub fn opening(&mut self, mark: &Mark, subject: &str, body: &str, now: Timestamp) {
        self.sending(mark, body, now);
        if let Some(memory) = self.marks.get_mut(mark) {
            memory.subject = Some(text_hash(subject));
        }
    }

    /// Returns the hash of the subject of the CreateCase whose text carries this mark. Returns `None` if there is no
    /// such CreateCase.
    pub fn subject_of(&self, mark: &Mark) -> Option<&str> {
        self.marks.get(mark)?.subject.as_deref()
    }

    /// Whether a CreateCase of the link has a subject with this hash.
    pub fn has_subject(&self, subject: &str) -> bool {
        self.marks.values().any(|memory| memory.subject.as_deref() == Some(subject))
    }

    /// Whether a mark of ours has been recognised on a communication.
    pub fn is_found(&self, mark: &Mark) -> bool {
        self.marks.get(mark).is_some_and(|memory| memory.owner.is_some())
    }

    /// Returns our texts that AWS accepted and that no read has shown yet. Leaves out the text of the intent
    /// `in_doubt`, since AWS may not have accepted it, and texts whose call counts as never applied.
    pub fn accepted_but_unseen<'a>(&'a self, in_doubt: Option<&'a Intent>) -> impl Iterator<Item = &'a MarkMemory> {
        let mark_in_doubt = in_doubt.and_then(|intent| intent.mark.as_ref());
        let is_taken = move |(mark, memory): &(&Mark, &MarkMemory)| !memory.given_up && Some(*mark) != mark_in_doubt;
        self.marks.iter().filter(is_taken).map(|(_, memory)| memory).filter(|memory| memory.owner.is_none())
    }

    /// Takes in what a read shows. If `complete`, the read shows everything since the settled time. Otherwise it must
    /// [connect to what is known](Self::connects_to_known).
    pub fn take_in(
        &mut self,
        mut shown: Vec<RawCommunication>,
        complete: bool,
        now: Timestamp,
        longest_doubt: SignedDuration,
    ) -> TakenIn {
        sort(&mut shown);
        // If the oldest one is settled, the read shows everything since the settled time, and no second is cut.
        let cut = shown.first().filter(|oldest| !complete && !self.is_settled(oldest));
        let cut_second = cut.map(|oldest| second(oldest.time_created));
        shown.retain(|communication| !self.is_settled(communication));
        shown.truncate(MAXIMUM_KNOWN_COMMUNICATIONS);
        let hashes: Vec<String> = shown.iter().map(|communication| text_hash(&communication.body)).collect();
        let mut matching = Matching { ids: vec![None; shown.len()], matched: BTreeSet::new(), shifts: BTreeSet::new() };
        matching.by_hash(self, &shown, &hashes, cut_second);
        matching.shown_differently(self, &shown, &hashes, cut_second);
        let mut news = Vec::new();
        let shown: Vec<Communication> = shown
            .into_iter()
            .zip(hashes)
            .zip(matching.ids)
            .map(|((raw, hash), id)| {
                let id = id.unwrap_or_else(|| {
                    let id = self.remember(&raw, hash);
                    news.push(id.clone());
                    id
                });
                Communication { id, raw }
            })
            .collect();
        let decided_before = time::earlier(now, longest_doubt);
        self.recognise(&shown, cut_second.is_none(), decided_before);
        TakenIn { shown, news }
    }

    /// Whether a communication may be this known one, shown with another text. Returns how sure that is, the lowest number
    /// first. Returns `None` if it is not. A communication with a mark of ours is the one that was recognised by that mark, or
    /// else one that carries a mark and was recognised by no mark: never another text of ours. A communication without a
    /// mark of ours is one that carries none. AWS stays the author of what it wrote. AWS changes few letters of a text, so
    /// the one of the most similar length comes first.
    fn resembles(&self, looks: &Looks, known: &Known) -> Option<(bool, usize)> {
        let is_recognised_by = |mark: &MarkMemory| mark.owner.as_ref().is_some_and(|it| it.id == known.id);
        let is_owner = looks.marks.iter().filter_map(|mark| self.marks.get(mark)).any(is_recognised_by);
        let is_same_author = known.by_aws == looks.by_aws;
        let may_be = match (!looks.marks.is_empty(), known.carries_mark) {
            (true, true) => is_owner || (is_same_author && !self.marks.values().any(is_recognised_by)),
            (true, false) => is_owner,
            (false, carries_mark) => is_same_author && !carries_mark,
        };
        let apart = known.letters.map_or(usize::MAX, |letters| letters.abs_diff(looks.letters));
        may_be.then_some((!is_owner, apart))
    }

    /// Returns what a communication is compared by with those that are known by another text.
    fn looks_of(&self, communication: &RawCommunication) -> Looks {
        let mut marks = marks_in(&communication.body);
        marks.retain(|mark| self.marks.contains_key(mark));
        Looks { marks, letters: letter_count(&communication.body), by_aws: communication.is_by_aws() }
    }

    /// Remembers a communication that was not seen before.
    fn remember(&mut self, raw: &RawCommunication, hash: String) -> CommunicationId {
        let moment = second(raw.time_created);
        let by_aws = raw.is_by_aws();
        let carries_mark = marks_in(&raw.body).iter().any(|mark| self.marks.contains_key(mark));
        let of_second = self.known.entry(moment).or_default();
        let mut ordinal = 0_usize;
        // Equal texts of one second differ by their ordinal. One that is shown differently by now keeps its identity.
        let id = loop {
            let id = FirstSight { moment, hash: &hash, ordinal, by_aws, carries_mark }.id();
            if of_second.iter().all(|known| known.id != id) {
                break id;
            }
            ordinal += 1;
        };
        let letters = Some(letter_count(&raw.body));
        of_second.push(Known { id: id.clone(), hash, letters, by_aws, carries_mark, fate: Fate::Pending });
        id
    }

    /// Takes in communications that a pass began to deliver without recording it. They wait for their delivery like
    /// others, under the identity that they had then, so that ServiceNow recognises a repeat of the delivery.
    pub fn begun_before<'a>(&mut self, ids: impl IntoIterator<Item = &'a CommunicationId>) {
        for id in ids {
            let Some(sight) = FirstSight::of(id) else { continue };
            let is_settled = self.settled_before.is_some_and(|floor| sight.moment < second(floor));
            let of_second = self.known.get(&sight.moment);
            if is_settled || of_second.is_some_and(|known| known.iter().any(|known| known.id == *id)) {
                continue;
            }
            let FirstSight { moment, hash, by_aws, carries_mark, .. } = sight;
            let (id, hash) = (id.clone(), hash.to_owned());
            let known = Known { id, hash, letters: None, by_aws, carries_mark, fate: Fate::Pending };
            self.known.entry(moment).or_default().push(known);
        }
    }

    /// Decides which of the communications that carry marks of ours are ours.
    fn recognise(&mut self, shown: &[Communication], hides_none: bool, decided_before: Timestamp) {
        let mut carriers: Vec<(&Communication, Vec<Mark>)> = Vec::new();
        for communication in shown.iter().filter(|communication| !communication.is_by_aws()) {
            let marks: Vec<Mark> =
                marks_in(&communication.raw.body).into_iter().filter(|mark| self.marks.contains_key(mark)).collect();
            if !marks.is_empty() {
                carriers.push((communication, marks));
            }
        }
        let mut outranked = Vec::new();
        for (communication, marks) in &carriers {
            let hash = text_hash(&communication.raw.body);
            let letters = letter_count(&communication.raw.body);
            if self.fate(&communication.id) == Some(Fate::Delivered) {
                continue;
            }
            for mark in marks {
                let Some(memory) = self.marks.get_mut(mark).filter(|memory| !memory.settled) else { continue };
                let (id, time_created) = (communication.id.clone(), communication.raw.time_created);
                let letters_apart = memory.letters.abs_diff(letters);
                let found = Owner { id, time_created, exact: memory.hash == hash, letters_apart };
                // Only times of the same read are compared: another read may cut them where this one rounds them.
                if let Some(owner) = &mut memory.owner
                    && let Some(shown) = carriers.iter().find(|(carrier, _)| carrier.id == owner.id)
                {
                    owner.time_created = shown.0.raw.time_created;
                }
                if memory.owner.as_ref().is_none_or(|owner| found.rank() < owner.rank()) {
                    outranked.extend(memory.owner.replace(found));
                }
            }
        }
        // An outranked communication that this read does not show is undecided until a read shows it.
        for known in self.known.values_mut().flatten() {
            if outranked.iter().any(|owner| owner.id == known.id) && known.fate == Fate::Ours {
                known.fate = Fate::Undecided;
            }
        }
        // A read that hides older texts may hide ours and show only a quotation of it.
        let is_certain = |owner: &Owner| owner.exact || hides_none;
        for memory in self.marks.values_mut().filter(|memory| memory.sent_at <= decided_before) {
            memory.settled |= memory.owner.as_ref().is_some_and(is_certain);
        }
        let fates: Vec<(CommunicationId, Fate)> = carriers
            .into_iter()
            .map(|(carrier, marks)| (carrier.id.clone(), self.fate_of_carrier(&carrier.id, &marks)))
            .collect();
        for (id, fate) in fates {
            let carriers = self.known.values_mut().flatten().filter(|known| known.id == id);
            for known in carriers.filter(|known| known.fate != Fate::Delivered) {
                known.fate = fate;
            }
        }
    }

    /// Returns what a communication with these marks of ours is: `Ours`, `Pending` (another's) or `Undecided`.
    fn fate_of_carrier(&self, id: &CommunicationId, marks: &[Mark]) -> Fate {
        let memories: Vec<&MarkMemory> = marks.iter().filter_map(|mark| self.marks.get(mark)).collect();
        if memories.iter().any(|memory| memory.owner.as_ref().is_some_and(|owner| owner.id == *id)) {
            return Fate::Ours;
        }
        let decided = |memory: &&MarkMemory| memory.settled || memory.owner.as_ref().is_some_and(|owner| owner.exact);
        if memories.iter().all(decided) { Fate::Pending } else { Fate::Undecided }
    }

    /// Returns when the last open decision can be made: L after its text was sent. Returns `None` if no decision is
    /// open. A decision is open if the candidate for a mark does not have exactly the text that was sent: it may quote
    /// our text, and ours may not be shown yet. While a communication is undecided, the decision on every mark that is
    /// not settled and has a candidate is open.
    pub fn last_decision_at(&self, longest_doubt: SignedDuration) -> Option<Timestamp> {
        let is_undecided = self.open().any(|(_, known)| known.fate == Fate::Undecided);
        let is_open = |owner: &Owner| is_undecided || !owner.exact;
        let open = self.marks.values().filter(|memory| !memory.settled && memory.owner.as_ref().is_some_and(is_open));
        open.map(|memory| time::later(memory.sent_at, longest_doubt)).max()
    }

    /// Forgets what a complete read has settled: everything older than `longest_doubt` before `newest_shown`. Keeps
    /// everything from the first open communication on and, if not all of the read was taken in, from `last_taken_in`
    /// on. Forgets a mark with the communication that it was recognised on, or after 24 hours if it was recognised on
    /// none. Keeps the marks of calls that count as never applied.
    pub fn compact(
        &mut self,
        newest_shown: Option<Timestamp>,
        last_taken_in: Option<Timestamp>,
        now: Timestamp,
        longest_doubt: SignedDuration,
    ) {
        let Some(floor) = newest_shown.map(|newest| time::earlier(newest, longest_doubt)) else { return };
        let floor = last_taken_in.map_or(floor, |last| floor.min(last));
        // Another answer may show the open one a second earlier.
        let first_open = self.open().map(|(second, _)| second - ONE_MOMENT).min();
        let floor =
            first_open.and_then(|second| Timestamp::from_second(second).ok()).map_or(floor, |open| floor.min(open));
        if self.settled_before.is_some_and(|before| floor <= before) {
            return;
        }
        self.settled_before = Some(floor);
        // Another answer may show what is just below the floor in the floor's second.
        self.known = self.known.split_off(&(second(floor) - ONE_MOMENT));
        self.marks.retain(|_, memory| match &memory.owner {
            _ if memory.given_up => true,
            Some(owner) => !memory.settled || second(owner.time_created) >= second(floor),
            // AWS accepted the text and no read shows the mark: AWS has changed the mark, too.
            None => now.duration_since(memory.sent_at) < UNSEEN_MARK_KEPT,
        });
    }

    /// Whether a read leaves out something that waits for its delivery or for a decision.
    pub fn hides_open(&self, shown: &[Communication]) -> bool {
        let ids: BTreeSet<&CommunicationId> = shown.iter().map(|communication| &communication.id).collect();
        self.open().any(|(_, known)| !ids.contains(&known.id))
    }

    /// Forgets what waits for its delivery or for a decision if a complete read does not show it although it is old
    /// enough to be in every read. AWS shows it in another second with another text by now, or not at all, and it must
    /// not hold back what came after it. It is old enough after `longest_doubt` and one hour more, since AWS's clock is
    /// not ours.
    pub fn forget_vanished(&mut self, shown: &[Communication], now: Timestamp, longest_doubt: SignedDuration) {
        let ids: BTreeSet<&CommunicationId> = shown.iter().map(|communication| &communication.id).collect();
        let latest = time::earlier(now, longest_doubt + CLOCKS_APART);
        for (_, known) in self.known.range_mut(..second(latest)) {
            known.retain(|known| !matches!(known.fate, Fate::Pending | Fate::Undecided) || ids.contains(&known.id));
        }
        self.known.retain(|_, known| !known.is_empty());
    }
}

/// The matches between the communications of a read and the known ones.
struct Matching {
    /// The identity of each communication of the read, once found.
    ids: Vec<Option<CommunicationId>>,
    matched: BTreeSet<CommunicationId>,
    /// The differences in seconds between the known and the shown times of equal texts.
    shifts: BTreeSet<i64>,
}

/// Communications of equal text: those of a read, by their index in it, and the known ones, with their seconds.
#[derive(Default)]
struct Equals<'a> {
    shown: Vec<usize>,
    known: Vec<(i64, &'a Known)>,
}

impl Matching {
    /// Matches equal texts of the same second or of neighbouring ones: one of two answers may cut a time and the other
    /// round it. Matches them in order, so that as many as possible match. Texts of the second that may be cut match
    /// only texts of that second.
    fn by_hash(
        &mut self,
        conversation: &Conversation,
        shown: &[RawCommunication],
        hashes: &[String],
        cut_second: Option<i64>,
    ) {
        let mut by_hash: BTreeMap<(bool, &str), Equals> = BTreeMap::new();
        let is_cut = |moment: i64| cut_second.is_some_and(|cut| moment <= cut);
        for (index, hash) in hashes.iter().enumerate() {
            let part = is_cut(second(shown[index].time_created));
            by_hash.entry((part, hash)).or_default().shown.push(index);
        }
        for (moment, known) in conversation.known.iter().flat_map(|(moment, all)| all.iter().map(|one| (*moment, one)))
        {
            let is_older = cut_second.is_some_and(|cut| moment < cut);
            let equals = by_hash.get_mut(&(is_cut(moment), known.hash.as_str())).filter(|_| !is_older);
            if let Some(equals) = equals {
                equals.known.push((moment, known));
            }
        }
        for equals in by_hash.into_values() {
            let here: Vec<i64> = equals.shown.iter().map(|index| second(shown[*index].time_created)).collect();
            let there: Vec<i64> = equals.known.iter().map(|(moment, _)| *moment).collect();
            for (one, other) in same_moments(&here, &there) {
                let id = equals.known[other].1.id.clone();
                self.shifts.insert(there[other] - here[one]);
                self.matched.insert(id.clone());
                self.ids[equals.shown[one]] = Some(id);
            }
        }
    }

    /// Matches what is left over on both sides in the same second or in neighbouring ones: the same communications,
    /// shown differently, with a time that is cut or rounded. Leaves out the second that may be cut, since what the
    /// read shows of it is incomplete.
    ///
    /// If equal texts show that times moved one way, first the second that they moved from and the same second are
    /// tried, then the other neighbour. Otherwise first the same second is tried, then both neighbours. Of several that
    /// are left over, those that resemble each other most are matched first, and then as many as possible.
    fn shown_differently(
        &mut self,
        conversation: &mut Conversation,
        shown: &[RawCommunication],
        hashes: &[String],
        cut_second: Option<i64>,
    ) {
        let rounds: &[&[i64]] = match (self.shifts.contains(&-ONE_MOMENT), self.shifts.contains(&ONE_MOMENT)) {
            (true, false) => &[&[-ONE_MOMENT, 0], &[ONE_MOMENT]],
            (false, true) => &[&[0, ONE_MOMENT], &[-ONE_MOMENT]],
            _ => &[&[0], &[-ONE_MOMENT, ONE_MOMENT]],
        };
        for distances in rounds {
            let mut pairs = Vec::new();
            for (index, communication) in shown.iter().enumerate().filter(|(index, _)| self.ids[*index].is_none()) {
                let here = second(communication.time_created);
                let looks = conversation.looks_of(communication);
                let is_cut = |there: i64| cut_second.is_some_and(|cut| cut == here || there <= cut);
                for there in distances.iter().map(|distance| here + distance).filter(|there| !is_cut(*there)) {
                    let left = conversation.known.get(&there).into_iter().flatten();
                    let left = left.filter(|known| !self.matched.contains(&known.id));
                    let alike = left.filter_map(|known| Some((conversation.resembles(&looks, known)?, known)));
                    pairs.extend(alike.map(|(rank, known)| Pair { rank, index, there, id: known.id.clone() }));
                }
            }
            pairs.sort_by_key(|pair| pair.rank);
            for Pair { index, there, id, .. } in chosen(&pairs).into_values() {
                self.match_with(conversation, *there, id.clone(), *index, &shown[*index].body, &hashes[*index]);
            }
        }
    }

    /// Records that a communication of the read is a known one, shown with another text.
    fn match_with(
        &mut self,
        conversation: &mut Conversation,
        there: i64,
        id: CommunicationId,
        index: usize,
        body: &str,
        hash: &str,
    ) {
        for known in conversation.known.get_mut(&there).into_iter().flatten().filter(|known| known.id == id) {
            hash.clone_into(&mut known.hash);
            known.letters = Some(letter_count(body));
        }
        self.matched.insert(id.clone());
        self.ids[index] = Some(id);
    }
}

/// What a communication of a read is compared by with those that are known by another text.
struct Looks {
    /// The marks of the link that it carries.
    marks: Vec<Mark>,
    /// The number of its letters and digits.
    letters: usize,
    by_aws: bool,
}

/// A communication of a read, by its index in it, and a known one that it may be, with its second.
struct Pair {
    rank: (bool, usize),
    index: usize,
    there: i64,
    id: CommunicationId,
}

/// The pairs that are chosen, by the known communication.
type Chosen<'a> = BTreeMap<&'a CommunicationId, &'a Pair>;

/// Chooses from pairs in the order of their ranks, each communication once. Then one that is left over takes the place of
/// another one that has a second choice: two texts of neighbouring seconds may each resemble the same known one.
fn chosen(pairs: &[Pair]) -> Chosen<'_> {
    let mut chosen = Chosen::new();
    let mut matched = BTreeSet::new();
    let mut choices: BTreeMap<usize, Vec<&Pair>> = BTreeMap::new();
    for pair in pairs {
        choices.entry(pair.index).or_default().push(pair);
        if !matched.contains(&pair.index) && !chosen.contains_key(&pair.id) {
            matched.insert(pair.index);
            chosen.insert(&pair.id, pair);
        }
    }
    for index in choices.keys().filter(|index| !matched.contains(index)) {
        make_room(*index, &choices, &mut chosen, &mut BTreeSet::new());
    }
    chosen
}

/// Chooses a pair of this index, and for the one that had its place another pair, and so on. Returns whether each of them
/// has a pair. What was recognised by its mark keeps its place.
fn make_room<'a>(
    index: usize,
    choices: &BTreeMap<usize, Vec<&'a Pair>>,
    chosen: &mut Chosen<'a>,
    tried: &mut BTreeSet<&'a CommunicationId>,
) -> bool {
    for pair in choices.get(&index).into_iter().flatten().copied() {
        if !tried.insert(&pair.id) {
            continue;
        }
        let other = chosen.get(&pair.id).map(|other| (other.rank.0, other.index));
        if other.is_none_or(|(may_move, other)| may_move && make_room(other, choices, chosen, tried)) {
            chosen.insert(&pair.id, pair);
            return true;
        }
    }
    false
}

/// Pairs the seconds `here` with the seconds `there` that are at most one second apart. Both must be sorted. Returns
/// pairs of indexes.
pub(crate) fn same_moments(here: &[i64], there: &[i64]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let (mut index, mut other) = (0, 0);
    while index < here.len() && other < there.len() {
        let distance = there[other] - here[index];
        if distance.abs() <= ONE_MOMENT {
            pairs.push((index, other));
        }
        index += usize::from(distance >= -ONE_MOMENT);
        other += usize::from(distance <= ONE_MOMENT);
    }
    pairs
}
