//! The texts that people read, on either side.

use std::borrow::Cow;

use jiff::Timestamp;
use unicode_segmentation::GraphemeCursor;

use crate::{
    identifiers::{CaseId, DisplayId},
    link::mark::{Mark, without_marks},
    policy::Policy,
    servicenow::{
        delivery::LEFT_OUT_DESCRIPTION,
        incident::{Incident, JournalEntry},
    },
    support::{
        call::Part,
        case::Communication,
        memory::{FormerCase, LinkedCase, Reduction},
    },
    text::letters,
    time::format_servicenow,
};

/// How many bytes of UTF-8 a communication may have. AWS says "8,000" without a unit: a text of so many bytes has no
/// more characters or UTF-16 units. Source: AWS Support API, `communicationBody`.
pub const COMMUNICATION_BYTES: usize = 8_000;
/// How many bytes a subject may have: the console's limit of 250 characters, counted in the strictest unit. The API
/// states no limit.
pub const SUBJECT_BYTES: usize = 250;
/// How many bytes are reserved for what surrounds a part: its first line and a note after it. A first line has a name
/// of up to [`NAME_BYTES`], a time, a number, the part and the mark, and a note has fewer than a hundred bytes:
/// together less than 400.
const FRAME_BYTES: usize = 500;
/// How many bytes of a text go into one part, at most, unless a smaller size is asked for.
pub const PART_BYTES: usize = COMMUNICATION_BYTES - FRAME_BYTES;
/// How many bytes of a text go into one part once AWS has refused it: what AWS refuses may be in one part alone. A
/// quarter of a communication's limit also fits if AWS counts up to four units for each byte, and makes about four
/// communications of one.
pub const SMALL_PART_BYTES: usize = 2_000;
/// How many bytes of a text go into one part once AWS has refused a small part as well: a few lines, so that little is
/// left out if AWS refuses one of them. A small part then makes about five communications.
pub const SMALLEST_PART_BYTES: usize = 400;
/// How many characters of a side's reason are remembered for a text that it refused: two or three sentences, which fit
/// the incident's `last_error` with the words around them.
pub(crate) const REASON_CHARACTERS: usize = 300;
/// The placeholder for a text that ServiceNow refuses.
const LEFT_OUT_REPLY: &str = "(ServiceNow does not accept this text. It stands on the case.)";
/// The placeholder for a text that AWS refuses.
pub(crate) const LEFT_OUT: &str = "(AWS Support does not accept this text. It stands in ServiceNow.)";
/// How many bytes of a name go into a first line, at most. Names of people, and their roles at AWS, mostly have fewer.
/// The bound keeps the first line within [`FRAME_BYTES`].
const NAME_BYTES: usize = 100;
/// How many bytes of the opening text are sent at most, in about nine parts: many times the 4,000 characters of
/// ServiceNow's own column, which an instance may have widened. The nine calls take two seconds of the account's
/// quota. The rest stays in ServiceNow. Both the first part and the last one say so.
pub const OPENING_BYTES: usize = 64_000;
/// The end of an opening text that was cut.
const CUT_NOTICE: &str = "\n\n(The description goes on in ServiceNow.)";
/// The end of the first communication if more of the description follows.
const CONTINUED_NOTICE: &str = "\n\n(The description goes on in the next message.)";
/// The end of the first communication if more follows, but not all.
const CONTINUED_IN_PART_NOTICE: &str =
    "\n\n(The description goes on in the next message. It is too long to be sent whole: its end stays in ServiceNow.)";
/// The heading between the description and the comments that were written before the case was opened.
const DIGEST_HEADING: &str = "\n\nEarlier comments:";
/// The end of a line that was cut.
const ELLIPSIS: &str = "…";

/// Whether a text may be cut at this byte: not within a grapheme, which a reader sees as one character.
fn is_boundary(text: &str, place: usize) -> bool {
    GraphemeCursor::new(place, text.len(), true).is_boundary(text, 0).unwrap_or(true)
}

/// Returns the last byte up to `place` at which a text may be cut; `None` if a single grapheme is longer.
fn last_boundary(text: &str, place: usize) -> Option<usize> {
    if is_boundary(text, place) {
        return Some(place);
    }
    let before = GraphemeCursor::new(place, text.len(), true).prev_boundary(text, 0);
    before.ok().flatten().filter(|boundary| *boundary > 0)
}

/// Returns the beginning of a text, at most `bytes` bytes, cut between graphemes. Cuts within a grapheme only if it
/// alone is longer.
fn head(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let end = text.floor_char_boundary(bytes);
    &text[..last_boundary(text, end).unwrap_or(end)]
}

/// Returns how many units of UTF-16 a text has. ServiceNow counts the characters of a text in them.
fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Returns the beginning of a text, at most `limit` units of UTF-16, cut between graphemes.
fn head_of_units(text: &str, limit: usize) -> &str {
    let mut used = 0;
    let beyond = text.char_indices().find(|(_, letter)| {
        used += letter.len_utf16();
        used > limit
    });
    beyond.map_or(text, |(end, _)| head(text, end))
}

/// Returns a text on one line, without control characters, for a subject or a first line.
fn flat(text: &str) -> String {
    let flat: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let words: Vec<&str> = flat.split_whitespace().collect();
    words.join(" ")
}

/// Returns a text on one line with at most `characters` characters.
pub(crate) fn one_line(text: &str, characters: usize) -> String {
    let line = flat(text);
    let end = line.char_indices().nth(characters).map_or(line.len(), |(end, _)| end);
    head(&line, end).to_owned()
}

/// Returns a text on one line with at most `bytes` bytes. A line that was cut ends with an ellipsis.
fn short_line(text: &str, bytes: usize) -> String {
    let line = flat(text);
    if line.len() <= bytes {
        return line;
    }
    format!("{}{ELLIPSIS}", head(&line, bytes - ELLIPSIS.len()).trim_end())
}

/// The subject of the case of an incident.
pub fn subject(policy: &Policy, incident: &Incident, production: bool) -> String {
    let prefix = if production { "" } else { policy.test_subject_prefix.as_str() };
    let subject = format!("{prefix}{} {}", subject_tag(&incident.summary.number), incident.short_description);
    short_line(&subject, SUBJECT_BYTES)
}

/// Returns the tag with which our subjects name the incident.
fn subject_tag(number: &str) -> String {
    format!("[{number}]")
}

/// Whether a subject that AWS shows is the one that casebridge gave to the case of the incident with this number.
///
/// AWS may have trimmed, redacted or re-encoded the subject. So only the incident's tag is looked for, at the beginning
/// or after the letters of the prefix of tests. White space and the case of letters do not count. People who name an
/// incident do so further back.
pub fn is_subject_of(policy: &Policy, subject_shown: &str, number: &str) -> bool {
    let essence = |text: &str| -> String {
        text.chars().filter(|letter| !letter.is_whitespace()).map(|letter| letter.to_ascii_lowercase()).collect()
    };
    let shown = essence(subject_shown);
    let before = shown.split_once(&essence(&subject_tag(number))).map(|(before, _)| letters(before));
    let is_prefix = |before: String| before.is_empty() || before == letters(&policy.test_subject_prefix);
    !number.trim().is_empty() && before.is_some_and(is_prefix)
}

/// Whether a subject that AWS shows begins as casebridge's subjects do, for whatever incident: with a tag in brackets, at
/// the beginning or after the letters of the prefix of tests.
pub fn is_subject_of_ours(policy: &Policy, subject_shown: &str) -> bool {
    let Some((before, rest)) = subject_shown.split_once('[') else { return false };
    let before = letters(before);
    let is_prefix = before.is_empty() || before == letters(&policy.test_subject_prefix);
    is_prefix && rest.split_once(']').is_some_and(|(tag, _)| !letters(tag).is_empty())
}

/// How many characters the short description of an incident holds, counted in UTF-16 as JavaScript does. Source:
/// ServiceNow, `task.short_description`.
const SHORT_DESCRIPTION_CHARACTERS: usize = 160;
/// How many characters of a description are written, counted in UTF-16: `incident.description` holds 4,000, and
/// ServiceNow cuts what is longer without a word. The other hundred are a margin for an instance that counts
/// differently, for example a line end as two.
pub const DESCRIPTION_CHARACTERS: usize = 3_900;
/// How many bytes of a case's subject go into the description, if the short description can't hold it: the console's
/// limit of 250 characters, each of up to four bytes in UTF-8.
const LONG_SUBJECT_BYTES: usize = 1_000;
/// The end of a description that does not hold the whole first communication.
const CONTINUED_IN_COMMENT: &str = "\n\n(The whole text follows as a comment.)";

/// How many communications the digest of a case has: as many as DescribeCases shows, so that no further read is needed. Source:
/// AWS Support API, `recentCommunications`.
const DIGEST_COMMUNICATIONS: usize = 5;
/// How many bytes of a communication the digest has: enough to recognise it. The whole text is on the closed incident, or follows as
/// a comment.
const DIGEST_LINE_BYTES: usize = 400;

/// The texts of an incident that casebridge opens for a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentTexts {
    /// The short description: the subject.
    pub short_description: String,
    /// The description: who opened the case, and its first communication.
    pub description: String,
    /// Whether the description holds all of the first communication.
    pub is_whole: bool,
}

/// Renders an incident for a case that somebody opened at AWS, from its subject and its first communication. Without them,
/// the incident names the case alone.
pub fn incident_texts(case: &LinkedCase, said: Option<(&str, &Communication)>) -> IncidentTexts {
    let Some((subject, first)) = said else {
        let description = format!("{}, opened at AWS.\n\n{LEFT_OUT_DESCRIPTION}", case_name(case));
        return IncidentTexts { short_description: case_name(case), description, is_whole: false };
    };
    let subject = flat(&without_marks(subject));
    let named = if subject.is_empty() { case_name(case) } else { subject };
    let short_description = head_of_units(&named, SHORT_DESCRIPTION_CHARACTERS).trim_end().to_owned();
    let author = short_line(&first.raw.submitted_by, NAME_BYTES);
    let moment = format_servicenow(first.raw.time_created);
    let mut heading = format!("{}, opened at AWS by {author}, {moment} UTC.", case_name(case));
    if short_description.len() < named.len() {
        heading = format!("{heading}\nSubject: {}", short_line(&named, LONG_SUBJECT_BYTES));
    }
    let text = without_marks(&first.raw.body);
    let whole = format!("{heading}\n\n{text}");
    if units(&whole) <= DESCRIPTION_CHARACTERS {
        return IncidentTexts { short_description, description: whole, is_whole: true };
    }
    // A unit of UTF-16 takes at least one byte, so a text of so many bytes has no more units.
    let frame = format!("{heading}\n\n");
    let left = DESCRIPTION_CHARACTERS - units(&frame) - CONTINUED_IN_COMMENT.len();
    let description = format!("{frame}{}{CONTINUED_IN_COMMENT}", part_from(&text, 0, left).trim_end());
    IncidentTexts { short_description, description, is_whole: false }
}

/// Renders an incident for a case that goes on after its incident, of this number, was closed: the case's subject, and a
/// digest of what was said last.
pub fn next_incident_texts(case: &LinkedCase, number: &str, subject: &str, said: &[&Communication]) -> IncidentTexts {
    let named = flat(&without_marks(subject));
    let named = if named.is_empty() { case_name(case) } else { named };
    let short_description = head_of_units(&named, SHORT_DESCRIPTION_CHARACTERS).trim_end().to_owned();
    let mut description = format!(
        "{} was reopened at AWS after {} was closed. It goes on here.\n\nWhat was written at AWS last:",
        case_name(case),
        short_line(number, NAME_BYTES),
    );
    for communication in &said[said.len().saturating_sub(DIGEST_COMMUNICATIONS)..] {
        let author = short_line(&without_marks(&communication.raw.submitted_by), NAME_BYTES);
        let moment = format_servicenow(communication.raw.time_created);
        let text = short_line(&without_marks(&communication.raw.body), DIGEST_LINE_BYTES);
        description = format!("{description}\n\n{author}, {moment} UTC:\n{text}");
    }
    IncidentTexts { short_description, description, is_whole: false }
}

/// Returns a comment's author and time, as both sides see them.
fn byline(entry: &JournalEntry) -> String {
    let name = if entry.author.trim().is_empty() { &entry.created_by } else { &entry.author };
    format!("{}, {} UTC", short_line(&without_marks(name), NAME_BYTES), format_servicenow(entry.created_on))
}

/// The first communication of a case, and what did not fit into it.
pub struct Opening {
    /// The communication.
    pub body: String,
    /// How many of the earlier comments it contains, from the oldest on.
    pub entries: usize,
    /// The rest of the description, which has to follow; `None` if all of it fitted.
    pub remainder: Option<String>,
}

/// Returns the text that a case is opened with: the description, or the short description if that is empty. A text
/// longer than [`OPENING_BYTES`] is cut and says so.
pub fn opening_text(incident: &Incident) -> Cow<'_, str> {
    let described = !incident.description.trim().is_empty();
    let text = if described { &incident.description } else { &incident.short_description };
    if text.len() <= OPENING_BYTES {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{}{CUT_NOTICE}", part_from(text, 0, OPENING_BYTES)))
}

/// Renders the first communication: the description, then as many whole comments as fit, from the oldest on. It says which
/// case it continues, if there is one.
pub fn opening(incident: &Incident, former: Option<&FormerCase>, entries: &[&JournalEntry], mark: &Mark) -> Opening {
    let number = &incident.summary.number;
    let first_line = mark.sign(&match former {
        Some(former) => format!("{number} goes on in ServiceNow. It continues {}.", former_case_name(former)),
        None => format!("{number} was opened in ServiceNow."),
    });
    let text = opening_text(incident);
    let described = part_from(&text, 0, PART_BYTES);
    let mut body = format!("{first_line}\n\n{}", without_marks(described));
    let rest = &text[described.len()..];
    if !rest.is_empty() {
        body.push_str(if matches!(text, Cow::Owned(_)) { CONTINUED_IN_PART_NOTICE } else { CONTINUED_NOTICE });
        return Opening { body, entries: 0, remainder: Some(rest.to_owned()) };
    }
    let mut count = 0;
    for entry in entries {
        let heading = if count == 0 { DIGEST_HEADING } else { "" };
        let addition = format!("{heading}\n\n{}:\n{}", byline(entry), without_marks(&entry.text));
        if body.len() + addition.len() > COMMUNICATION_BYTES {
            break;
        }
        body.push_str(&addition);
        count += 1;
    }
    Opening { body, entries: count, remainder: None }
}

/// Returns the part of a text that begins at byte `offset` and has at most `limit` bytes, but at least one character. A
/// caller that remembers how many bytes were sent goes on from there, with smaller parts if needed. All parts in order
/// make up the text.
///
/// A part ends at the end of a line, or else of a word, or else between two graphemes. It ends within a grapheme only
/// if the grapheme alone is longer than `limit`. It is empty only at the end of the text. An offset within a character
/// counts as the start of that character, so that nothing is lost.
pub fn part_from(text: &str, offset: usize, limit: usize) -> &str {
    let rest = &text[text.floor_char_boundary(offset)..];
    if rest.len() <= limit {
        return rest;
    }
    let window = &rest[..rest.floor_char_boundary(limit)];
    // White space alone is not a part.
    let blank = rest.len() - rest.trim_start().len();
    let lines = window.rmatch_indices('\n').map(|(place, _)| place + 1);
    let words = window.rmatch_indices(char::is_whitespace).map(|(place, space)| place + space.len());
    let mut ends = lines.chain(words).filter(|end| *end > blank && is_boundary(rest, *end));
    let end = ends.next().or_else(|| last_boundary(rest, window.len())).unwrap_or(window.len());
    let first = rest.chars().next().map_or(0, char::len_utf8);
    &rest[..end.max(first)]
}

/// Returns how many bytes go into one part of a text. They are fewer once AWS has refused a part of it.
pub(crate) fn part_bytes(reduction: Option<Reduction>) -> usize {
    match reduction {
        None => PART_BYTES,
        Some(Reduction::Small) => SMALL_PART_BYTES,
        Some(Reduction::Smallest | Reduction::Placeholder) => SMALLEST_PART_BYTES,
    }
}

/// Cuts a text into parts of at most `limit` bytes. An empty text is one empty part.
pub fn parts(text: &str, limit: usize) -> Vec<&str> {
    let mut parts = vec![part_from(text, 0, limit)];
    let mut sent = parts[0].len();
    while sent < text.len() {
        let part = part_from(text, sent, limit);
        sent += part.len();
        parts.push(part);
    }
    parts
}

/// Returns `, part 1 of 2`, or nothing for a whole text.
fn part_note(part: Part) -> String {
    if part.of == 1 { String::new() } else { format!(", part {} of {}", part.number, part.of) }
}

/// Renders one part of a comment for the case.
pub fn comment(number: &str, entry: &JournalEntry, text: &str, part: Part, mark: &Mark) -> String {
    let first_line = mark.sign(&format!("{}, {number}{}", byline(entry), part_note(part)));
    format!("{first_line}\n\n{}", without_marks(text))
}

/// Renders one part of what did not fit into the first communication.
pub fn opening_remainder(number: &str, text: &str, part: Part, mark: &Mark) -> String {
    let first_line = mark.sign(&format!("{number}, description continued{}", part_note(part)));
    format!("{first_line}\n\n{}", without_marks(text))
}

/// Renders the communication that reopens a case.
pub fn reopen_notice(number: &str, mark: &Mark) -> String {
    let first_line = mark.sign(&format!("{number} was reopened in ServiceNow."));
    format!("{first_line}\n\nPlease continue to work on this case.")
}

/// Renders the communication with files of the incident.
pub fn files(number: &str, author: &str, names: &[&str], mark: &Mark) -> String {
    let author = short_line(&without_marks(author), NAME_BYTES);
    let who = if author.is_empty() { "Somebody" } else { author.as_str() };
    let what = if names.len() == 1 { "a file".to_owned() } else { format!("{} files", names.len()) };
    let first_line = mark.sign(&format!("{who} attached {what} to {number}."));
    let names: Vec<String> = names.iter().map(|name| flat(&without_marks(name))).collect();
    format!("{first_line}\n\n{}", names.join("\n"))
}

/// Returns what people are told of a file that stays where it is.
pub(crate) fn file_stays(name: &str, reason: &str) -> String {
    format!("The file {} was not sent to the other side: {reason}", short_line(name, NAME_BYTES))
}

/// Renders the notice on a file that stays where it is.
pub fn file_notice(number: &str, text: &str, mark: &Mark) -> String {
    let first_line = mark.sign(&format!("{number}, about a file."));
    format!("{first_line}\n\n{}", without_marks(text))
}

/// Renders the note on a double.
pub fn double_notice(number: &str, case: &LinkedCase, mark: &Mark) -> String {
    let first_line = mark.sign(&format!("{number} has another case."));
    let other = case_name(case);
    format!("{first_line}\n\nThis case was opened twice by mistake. Please go on with {other}; this one is resolved.")
}

/// Returns the name of the case in texts for agents.
pub fn case_name(case: &LinkedCase) -> String {
    name_of_case(&case.case_id, case.display_id.as_ref())
}

/// Returns the name of a former case in texts for agents and for AWS.
pub fn former_case_name(former: &FormerCase) -> String {
    name_of_case(&former.case_id, former.display_id.as_ref())
}

fn name_of_case(case_id: &CaseId, display_id: Option<&DisplayId>) -> String {
    match display_id {
        Some(display_id) => format!("AWS Support case {display_id}"),
        None => format!("AWS Support {case_id}"),
    }
}

/// Renders a communication for the incident: the author, the time and the case, then the text without the marks that it
/// quotes.
pub fn reply(case: &LinkedCase, communication: &Communication) -> String {
    let author = short_line(&communication.raw.submitted_by, NAME_BYTES);
    let moment = format_servicenow(communication.raw.time_created);
    format!("{author}, {moment} UTC, {}:\n\n{}", case_name(case), without_marks(&communication.raw.body))
}

/// Renders the placeholder on the incident for a communication that ServiceNow refuses.
pub fn left_out_reply(case: &LinkedCase, communication: &Communication) -> String {
    let author = short_line(&communication.raw.submitted_by, NAME_BYTES);
    let moment = format_servicenow(communication.raw.time_created);
    format!("{author}, {moment} UTC, {}:\n\n{LEFT_OUT_REPLY}", case_name(case))
}

/// Renders the close notes of an incident whose case was resolved.
pub fn close_notes(case: &LinkedCase, now: Timestamp) -> String {
    format!("{} was resolved at AWS (seen {} UTC).", case_name(case), format_servicenow(now))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{collection::vec, prelude::*};
    use serde_json::json;
    use unicode_segmentation::UnicodeSegmentation;

    use super::*;
    use crate::{
        identifiers::{CommunicationId, JournalEntryId},
        support::case::{AMAZON_WEB_SERVICES, RawCommunication},
    };

    /// Seven characters that a reader sees as one: 25 bytes.
    const FAMILY: &str = "👩\u{200d}👩\u{200d}👧\u{200d}👦";
    /// The part with the longest possible note.
    const LAST_PART: Part = Part { number: u16::MAX, of: u16::MAX, end: 0, left_out: false };

    /// Words, line ends, and graphemes that a cut may split.
    fn text_of_any_script() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[a-z]{1,40}",
            Just(" ".to_owned()),
            Just("\n".to_owned()),
            Just("\r\n".to_owned()),
            "[東京都庁]{1,20}",
            Just(FAMILY.to_owned()),
            Just("🇩🇪🇫🇷".to_owned()),
            "e\u{301}{1,3}",
            Just(" \u{308}".to_owned()),
        ];
        vec(piece, 0..80).prop_map(|pieces| pieces.concat())
    }

    fn moment() -> Timestamp {
        "2026-11-20T21:14:05Z".parse().unwrap()
    }

    fn mark() -> Mark {
        Mark::of_text("[ref bcdf-ghjk-mnpq-rstv]").unwrap()
    }

    fn incident(description: &str) -> Incident {
        let snapshot = json!({
            "sys_id": "0123456789abcdef0123456789abcdef", "number": "INC0010001", "sys_mod_count": 1, "state": "1",
            "taken_at": "2026-11-20 21:14:05", "service_code": "", "category_code": "", "priority": "3",
            "short_description": "Instance\nunreachable", "description": description,
            "entries": [], "entries_complete": true,
        });
        serde_json::from_value(snapshot).unwrap()
    }

    fn entry(author: &str, text: &str) -> JournalEntry {
        JournalEntry {
            sys_id: JournalEntryId::new("a"),
            created_on: moment(),
            created_by: "abel.tuter".to_owned(),
            author: author.to_owned(),
            text: text.to_owned(),
            ours: false,
            undecided: false,
            mod_count: None,
            element: "comments".to_owned(),
        }
    }

    fn communication(submitted_by: &str, body: &str) -> Communication {
        let raw = RawCommunication {
            time_created: moment(),
            submitted_by: submitted_by.to_owned(),
            body: body.to_owned(),
            attachments: Vec::new(),
        };
        Communication { id: CommunicationId::new("a"), raw }
    }

    fn linked_case() -> LinkedCase {
        let case = json!({
            "account": "111122223333", "case_id": "case-111122223333-muen-2026-0123456789abcdef",
            "display_id": "1234563851", "status": null, "status_since": moment(), "opened_at": moment(),
        });
        serde_json::from_value(case).unwrap()
    }

    #[test]
    fn a_subject_is_one_line_that_says_which_incident_it_is_and_whether_it_is_a_test() {
        let policy = Policy::default();
        let mut incident = incident("");
        assert_eq!(subject(&policy, &incident, true), "[INC0010001] Instance unreachable");
        let test = "TEST CASE--Please ignore - [INC0010001] Instance unreachable";
        assert_eq!(subject(&policy, &incident, false), test);
        incident.short_description = "é".repeat(300);
        assert_eq!(subject(&policy, &incident, true), format!("[INC0010001] {}…", "é".repeat(117)));
        incident.short_description = FAMILY.repeat(300);
        assert_eq!(subject(&policy, &incident, true), format!("[INC0010001] {}…", FAMILY.repeat(9)));
    }

    #[test]
    fn a_line_that_begins_with_a_grapheme_that_does_not_fit_is_cut_within_it() {
        assert_eq!(one_line(&format!("{}x", "\u{301}".repeat(9)), 3), "\u{301}\u{301}\u{301}");
        assert_eq!(one_line(&format!("a{FAMILY}"), 3), "a");
    }

    #[test]
    fn what_servicenow_counts_in_utf_16_is_cut_between_graphemes() {
        for (text, limit, expected) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "abc"),
            ("\u{1f680}\u{1f680}", 4, "\u{1f680}\u{1f680}"),
            ("\u{1f680}\u{1f680}", 3, "\u{1f680}"),
            ("ae\u{301}", 2, "a"),
        ] {
            assert_eq!(head_of_units(text, limit), expected, "{limit}");
        }
    }

    #[test]
    fn a_description_begins_with_the_subject_if_the_short_description_can_not_hold_it() {
        let first = communication(AMAZON_WEB_SERVICES, "It does not answer.");
        for (characters, has_subject) in [(160, false), (161, true)] {
            let subject = "s".repeat(characters);
            let texts = incident_texts(&linked_case(), Some((&subject, &first)));
            assert_eq!(texts.short_description, "s".repeat(160));
            assert_eq!(texts.description.contains(&format!("\nSubject: {subject}\n")), has_subject, "{characters}");
        }
    }

    #[test]
    fn a_case_is_ours_by_what_its_subject_begins_with() {
        let shown =
            ["[INC0010001] Disk", "TEST CASE--Please ignore - [INC0010001]", "\n[ inc0010001 ]\tkey [REDACTED]"];
        let policy = Policy::default();
        assert!(shown.iter().all(|subject| is_subject_of(&policy, subject, "INC0010001")));
        let strange = Policy { test_subject_prefix: "Test & Übung: ".to_owned(), ..Policy::default() };
        assert!(is_subject_of(&strange, "Test &amp; Übung [INC0010001] Disk", "INC0010001"));
        let others = [
            "",
            "INC0010001",
            "Question about my bill [INC0010001]",
            "[INC00100011] Disk",
            "[INC0010002] Like [INC001000",
            "[] Disk",
        ];
        assert!(!others.iter().any(|subject| is_subject_of(&policy, subject, "INC0010001")));
        assert!(!is_subject_of(&policy, "[] Disk", ""));
    }

    #[test]
    fn a_case_opens_with_the_description_and_the_earlier_comments() {
        let entries = [entry("Abel Tuter", "It was slow before."), entry(" ", "Now it is gone.")];
        let opening = opening(&incident("It does not answer."), None, &entries.each_ref(), &mark());
        let expected = "INC0010001 was opened in ServiceNow. [ref bcdf-ghjk-mnpq-rstv]\n\n\
            It does not answer.\n\n\
            Earlier comments:\n\n\
            Abel Tuter, 2026-11-20 21:14:05 UTC:\nIt was slow before.\n\n\
            abel.tuter, 2026-11-20 21:14:05 UTC:\nNow it is gone.";
        assert_eq!((opening.body.as_str(), opening.entries, opening.remainder), (expected, 2, None));
    }

    #[test]
    fn a_case_without_a_description_opens_with_the_short_one() {
        let opening = opening(&incident(" \n"), None, &[], &mark());
        let expected = "INC0010001 was opened in ServiceNow. [ref bcdf-ghjk-mnpq-rstv]\n\nInstance\nunreachable";
        assert_eq!((opening.body.as_str(), opening.entries, opening.remainder), (expected, 0, None));
    }

    #[test]
    fn comments_open_the_case_as_far_as_they_fit_into_one_communication() {
        let open = |entries: &[&JournalEntry]| opening(&incident("It does not answer."), None, entries, &mark());
        let room = COMMUNICATION_BYTES - open(&[&entry("Abel Tuter", "")]).body.len();
        let text = format!("{}{}", "é".repeat(room / 2), "x".repeat(room % 2));
        let fitting = open(&[&entry("Abel Tuter", &text)]);
        assert_eq!((fitting.body.len(), fitting.entries), (8_000, 1));
        // The short one is not included either, since comments are sent in order.
        let too_long = open(&[&entry("Abel Tuter", &format!("{text}x")), &entry("Abel Tuter", "short")]);
        assert_eq!((too_long.body, too_long.entries), (open(&[]).body, 0));
    }

    #[test]
    fn a_long_description_follows_in_parts_and_says_where_it_was_cut() {
        let first_line = "INC0010001 was opened in ServiceNow. [ref bcdf-ghjk-mnpq-rstv]\n\n";
        let goes_on = "\n\n(The description goes on in the next message.)";
        let in_part = "\n\n(The description goes on in the next message. It is too long to be sent whole: its end stays in \
            ServiceNow.)";
        let cut = "\n\n(The description goes on in ServiceNow.)";
        for (characters, note, end) in [(32_000, goes_on, ""), (32_001, in_part, cut)] {
            let incident = incident(&"é".repeat(characters));
            let opening = opening(&incident, None, &[&entry("Abel Tuter", "It was slow before.")], &mark());
            assert_eq!(opening.body, format!("{first_line}{}{note}", "é".repeat(3_750)));
            assert_eq!(opening.entries, 0);
            assert_eq!(opening.remainder, Some(format!("{}{end}", "é".repeat(28_250))));
            assert_eq!(opening.remainder.as_deref(), opening_text(&incident).get(7_500..));
        }
    }

    #[test]
    fn a_part_ends_with_a_line_or_else_a_word_or_else_between_graphemes() {
        assert_eq!(part_from("one\ntwo three", 0, 9), "one\n");
        assert_eq!(part_from("one\r\ntwo", 0, 4), "one", "nothing is parted that a reader sees as one");
        assert_eq!(part_from("one two three", 0, 9), "one two ");
        assert_eq!(part_from(" \n onetwothree", 0, 9), " \n onetwo", "blanks alone are no part");
        assert_eq!(part_from("東京都庁", 0, 8), "東京");
        let text = format!("{FAMILY}{FAMILY}");
        assert_eq!(part_from(&text, 0, text.len() - 1), FAMILY);
        assert_eq!(part_from("e\u{301}e\u{301}", 0, 5), "e\u{301}");
    }

    #[test]
    fn a_part_begins_where_the_last_one_ended_and_never_lets_a_text_stand_still() {
        assert_eq!(part_from("one two three", 8, 100), "three");
        assert_eq!(part_from("one", 3, 100), "");
        assert_eq!(part_from("one", 4, 100), "");
        assert_eq!(part_from("東京", 1, 100), "東京", "rather twice than lost");
        assert_eq!(part_from("東京", 0, 1), "東", "one character at least");
        assert_eq!(part_from(&"\u{301}".repeat(9), 0, 5), "\u{301}\u{301}", "a grapheme that fits into no part");
    }

    #[test]
    fn long_texts_of_any_script_fit_by_whatever_aws_counts() {
        for (text, count) in [("x".repeat(60_000), 8), ("東".repeat(9_000), 4), (FAMILY.repeat(2_000), 7)] {
            let parts = parts(&text, PART_BYTES);
            assert_eq!(parts.concat(), text);
            assert_eq!(parts.len(), count);
            for part in parts {
                let body = comment("INC0010001", &entry(&"東".repeat(500), ""), part, LAST_PART, &mark());
                assert!(body.len() <= COMMUNICATION_BYTES, "{}", body.len());
            }
        }
        assert_eq!(parts("", PART_BYTES), [""]);
    }

    proptest! {
        #[test]
        fn the_parts_of_a_text_are_the_text(text in text_of_any_script(), limits in vec(26_usize..200, 1..8)) {
            let mut sent = 0;
            let boundaries: BTreeSet<usize> =
                text.grapheme_indices(true).map(|(start, _)| start).chain([text.len()]).collect();
            for limit in limits.iter().cycle() {
                let part = part_from(&text, sent, *limit);
                let end = sent + part.len();
                prop_assert!(part.len() <= *limit);
                prop_assert_eq!(&text[sent..end], part);
                prop_assert!(boundaries.contains(&end), "{:?} ends within a grapheme", part);
                if end < text.len() {
                    let begun = part.trim_start();
                    prop_assert!(part.ends_with('\n') || !begun.contains('\n'), "{:?} does not end with a line", part);
                    // A blank with a combining accent does not end a word.
                    let word_ends = begun.graphemes(true).any(|grapheme| grapheme == " ");
                    let whole_words = part.ends_with(char::is_whitespace) || !word_ends;
                    prop_assert!(whole_words, "{:?} does not end with a word", part);
                    prop_assert!(!part.is_empty());
                } else {
                    break;
                }
                sent = end;
            }
        }
    }

    #[test]
    fn what_casebridge_adds_to_a_case_says_what_it_is_and_carries_its_mark() {
        let reopened = "INC0010001 was reopened in ServiceNow. [ref bcdf-ghjk-mnpq-rstv]\n\n\
            Please continue to work on this case.";
        assert_eq!(reopen_notice("INC0010001", &mark()), reopened);
        let double = "INC0010001 has another case. [ref bcdf-ghjk-mnpq-rstv]\n\n\
            This case was opened twice by mistake. Please go on with AWS Support case 1234563851; this one is resolved.";
        assert_eq!(double_notice("INC0010001", &linked_case(), &mark()), double);
        let whole = "Abel Tuter, 2026-11-20 21:14:05 UTC, INC0010001 [ref bcdf-ghjk-mnpq-rstv]\n\nIt works again.";
        let entry = entry("Abel Tuter", "It works again.");
        assert_eq!(comment("INC0010001", &entry, "It works again.", Part::whole(0), &mark()), whole);
        let part = "INC0010001, description continued, part 2 of 3 [ref bcdf-ghjk-mnpq-rstv]\n\nand so on";
        assert_eq!(
            opening_remainder("INC0010001", "and so on", Part { number: 2, of: 3, ..Part::whole(0) }, &mark()),
            part
        );
    }

    #[test]
    fn a_case_is_called_by_its_number_once_it_is_known() {
        let mut case = linked_case();
        assert_eq!(case_name(&case), "AWS Support case 1234563851");
        case.display_id = None;
        assert_eq!(case_name(&case), "AWS Support case-111122223333-muen-2026-0123456789abcdef");
    }

    #[test]
    fn what_comes_from_aws_says_from_which_case_and_when() {
        let said = communication(AMAZON_WEB_SERVICES, "Please try again.\nThank you.");
        let replied = "Amazon Web Services, 2026-11-20 21:14:05 UTC, AWS Support case 1234563851:\n\n\
            Please try again.\nThank you.";
        assert_eq!(reply(&linked_case(), &said), replied);
        let left_out = "Amazon Web Services, 2026-11-20 21:14:05 UTC, AWS Support case 1234563851:\n\n\
            (ServiceNow does not accept this text. It stands on the case.)";
        assert_eq!(left_out_reply(&linked_case(), &said), left_out);
        let resolved = "AWS Support case 1234563851 was resolved at AWS (seen 2026-11-20 21:14:05 UTC).";
        assert_eq!(close_notes(&linked_case(), moment()), resolved);
    }
}
