//! The texts that people read, on either side.

use jiff::Timestamp;

use crate::{
    case::Communication,
    effect::Part,
    incident::{Incident, JournalEntry},
    link::{LinkedCase, Reduction},
    mark::Mark,
    policy::Policy,
    time::format_servicenow,
};

/// How many characters a communication may have. Source: AWS Support API, `communicationBody`.
pub const COMMUNICATION_CHARACTERS: usize = 8_000;
/// How many characters a subject may have: the console's limit, the API states none.
pub const SUBJECT_CHARACTERS: usize = 250;
/// How many characters of a text go into one part: what is left beside the first line.
pub const PART_CHARACTERS: usize = 7_500;
/// How many bytes of a text that AWS refused go into one part, at first.
pub(crate) const SMALL_PART_BYTES: usize = 2_000;
/// How many bytes of it go into one part, at last.
pub(crate) const SMALLEST_PART_BYTES: usize = 400;
/// How many characters of AWS's reason are remembered for a text that is left out.
pub(crate) const REASON_CHARACTERS: usize = 300;
/// What stands in the place of a text that AWS refuses.
pub(crate) const LEFT_OUT: &str = "(AWS Support does not accept this text. It stands in ServiceNow.)";

/// How many bytes go into one part of a text.
pub(crate) fn part_bytes(reduction: Option<Reduction>) -> usize {
    match reduction {
        None => PART_CHARACTERS,
        Some(Reduction::Small) => SMALL_PART_BYTES,
        Some(Reduction::Smallest | Reduction::Placeholder) => SMALLEST_PART_BYTES,
    }
}
/// How many characters of a name go into a first line.
const NAME_CHARACTERS: usize = 100;
/// How many characters of the opening text are sent at most; the rest stays in ServiceNow, and the text says so.
const OPENING_CHARACTERS: usize = 64_000;
/// What ends an opening text that was cut.
const CUT_NOTICE: &str = "\n\n(The description goes on in ServiceNow.)";
/// What stands between the description and the comments before the case.
const DIGEST_HEADING: &str = "\n\nEarlier comments:";

/// The first `count` characters of a text.
fn cut(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(end, _)| &text[..end])
}

/// A text on one line, without control characters, so that it can stand in a subject or a first line.
pub(crate) fn one_line(text: &str, characters: usize) -> String {
    let flat: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let words: Vec<&str> = flat.split_whitespace().collect();
    cut(&words.join(" "), characters).to_owned()
}

/// The subject of the case of an incident.
pub fn subject(policy: &Policy, incident: &Incident, production: bool) -> String {
    let prefix = if production { "" } else { policy.test_subject_prefix.as_str() };
    let subject = format!("{prefix}[{}] {}", incident.summary.number, incident.short_description);
    one_line(&subject, SUBJECT_CHARACTERS)
}

/// Whether a subject, as AWS shows it, is that of a case of the incident with this number.
pub fn is_subject_of(shown: &str, number: &str) -> bool {
    shown.contains(&format!("[{number}]"))
}

/// A comment's author and moment, as both sides see them.
fn byline(entry: &JournalEntry) -> String {
    let name = if entry.author.trim().is_empty() { &entry.created_by } else { &entry.author };
    format!("{}, {} UTC", one_line(name, NAME_CHARACTERS), format_servicenow(entry.created_on))
}

/// The first communication of a case, and what of it does not fit.
pub struct Opening {
    /// The communication.
    pub body: String,
    /// How many of the earlier comments it contains, from the oldest on.
    pub entries: usize,
    /// What of the description has to follow.
    pub remainder: Option<String>,
}

/// Renders the first communication: the description, then as many of the earlier comments as fit, whole.
pub fn opening(incident: &Incident, entries: &[&JournalEntry], mark: &Mark) -> Opening {
    let first_line = mark.sign(&format!("{} was opened in ServiceNow.", incident.summary.number));
    let description =
        if incident.description.trim().is_empty() { &incident.short_description } else { &incident.description };
    let mut text = cut(description, OPENING_CHARACTERS).to_owned();
    if text.len() < description.len() {
        text.push_str(CUT_NOTICE);
    }
    let head = cut(&text, PART_CHARACTERS);
    let remainder = (head.len() < text.len()).then(|| text[head.len()..].to_owned());
    let mut body = format!("{first_line}\n\n{head}");
    let mut count = 0;
    if remainder.is_none() {
        for entry in entries {
            let heading = if count == 0 { DIGEST_HEADING } else { "" };
            let addition = format!("{heading}\n\n{}:\n{}", byline(entry), entry.text);
            if body.chars().count() + addition.chars().count() > COMMUNICATION_CHARACTERS {
                break;
            }
            body.push_str(&addition);
            count += 1;
        }
    }
    Opening { body, entries: count, remainder }
}

/// Cuts a text into the parts that communications carry. An empty text is one empty part.
pub fn parts(text: &str, limit: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let head = cut(rest, limit);
        parts.push(head);
        rest = &rest[head.len()..];
        if rest.is_empty() {
            return parts;
        }
    }
}

/// `, part 1 of 2`, or nothing for a whole text.
fn part_note(part: Part) -> String {
    if part.of == 1 { String::new() } else { format!(", part {} of {}", part.number, part.of) }
}

/// Renders one part of a comment for the case.
pub fn comment(number: &str, entry: &JournalEntry, text: &str, part: Part, mark: &Mark) -> String {
    let first_line = mark.sign(&format!("{}, {number}{}", byline(entry), part_note(part)));
    format!("{first_line}\n\n{text}")
}

/// Renders one part of what did not fit into the first communication.
pub fn opening_remainder(number: &str, text: &str, part: Part, mark: &Mark) -> String {
    let first_line = mark.sign(&format!("{number}, description continued{}", part_note(part)));
    format!("{first_line}\n\n{text}")
}

/// Renders the communication that reopens a case.
pub fn reopen_notice(number: &str, mark: &Mark) -> String {
    let first_line = mark.sign(&format!("{number} was reopened in ServiceNow."));
    format!("{first_line}\n\nPlease continue to work on this case.")
}

/// Renders the communication on a case that was opened twice.
pub fn double_notice(number: &str, case: &LinkedCase, mark: &Mark) -> String {
    let first_line = mark.sign(&format!("{number} has another case."));
    let other = case_name(case);
    format!("{first_line}\n\nThis case was opened twice by mistake. Please go on with {other}; this one is resolved.")
}

/// How the case is called in texts for agents.
pub fn case_name(case: &LinkedCase) -> String {
    match &case.display_id {
        Some(display_id) => format!("AWS Support case {display_id}"),
        None => format!("AWS Support {}", case.case_id),
    }
}

/// Renders a communication for the incident: who, when, then the text.
pub fn reply(case: &LinkedCase, communication: &Communication) -> String {
    let author = one_line(&communication.raw.submitted_by, NAME_CHARACTERS);
    let moment = format_servicenow(communication.raw.time_created);
    format!("{author}, {moment} UTC, {}:\n\n{}", case_name(case), communication.raw.body)
}

/// Renders the close notes of an incident whose case was resolved.
pub fn close_notes(case: &LinkedCase, now: Timestamp) -> String {
    format!("{} was resolved at AWS (seen {} UTC).", case_name(case), format_servicenow(now))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        case::{AMAZON_WEB_SERVICES, RawCommunication},
        identifiers::JournalEntryId,
    };

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
        assert_eq!(subject(&policy, &incident, true), format!("[INC0010001] {}", "é".repeat(237)));
    }

    #[test]
    fn a_case_opens_with_the_description_and_the_earlier_comments() {
        let entries = [entry("Abel Tuter", "It was slow before."), entry(" ", "Now it is gone.")];
        let opening = opening(&incident("It does not answer."), &entries.each_ref(), &mark());
        let expected = "INC0010001 was opened in ServiceNow. [ref bcdf-ghjk-mnpq-rstv]\n\n\
            It does not answer.\n\n\
            Earlier comments:\n\n\
            Abel Tuter, 2026-11-20 21:14:05 UTC:\nIt was slow before.\n\n\
            abel.tuter, 2026-11-20 21:14:05 UTC:\nNow it is gone.";
        assert_eq!((opening.body.as_str(), opening.entries, opening.remainder), (expected, 2, None));
    }

    #[test]
    fn a_case_without_a_description_opens_with_the_short_one() {
        let opening = opening(&incident(" \n"), &[], &mark());
        let expected = "INC0010001 was opened in ServiceNow. [ref bcdf-ghjk-mnpq-rstv]\n\nInstance\nunreachable";
        assert_eq!((opening.body.as_str(), opening.entries, opening.remainder), (expected, 0, None));
    }

    #[test]
    fn comments_open_the_case_as_far_as_they_fit_into_one_communication() {
        let open = |entries: &[&JournalEntry]| opening(&incident("It does not answer."), entries, &mark());
        let room = COMMUNICATION_CHARACTERS - open(&[&entry("Abel Tuter", "")]).body.chars().count();
        let fitting = open(&[&entry("Abel Tuter", &"é".repeat(room))]);
        assert_eq!((fitting.body.chars().count(), fitting.entries), (8_000, 1));
        // The short one stays behind too: comments are sent in their order.
        let too_long = open(&[&entry("Abel Tuter", &"é".repeat(room + 1)), &entry("Abel Tuter", "short")]);
        assert_eq!((too_long.body, too_long.entries), (open(&[]).body, 0));
    }

    #[test]
    fn a_long_description_follows_in_parts_and_says_where_it_was_cut() {
        let first_line = "INC0010001 was opened in ServiceNow. [ref bcdf-ghjk-mnpq-rstv]\n\n";
        for (characters, end) in [(64_000, ""), (64_001, "\n\n(The description goes on in ServiceNow.)")] {
            let incident = incident(&"é".repeat(characters));
            let opening = opening(&incident, &[&entry("Abel Tuter", "It was slow before.")], &mark());
            assert_eq!(opening.body, format!("{first_line}{}", "é".repeat(7_500)));
            assert_eq!(opening.entries, 0);
            assert_eq!(opening.remainder, Some(format!("{}{end}", "é".repeat(56_500))));
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
            opening_remainder("INC0010001", "and so on", Part { number: 2, of: 3, end: 0, left_out: false }, &mark()),
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
        let raw = RawCommunication {
            time_created: moment(),
            submitted_by: AMAZON_WEB_SERVICES.to_owned(),
            body: "Please try again.\nThank you.".to_owned(),
        };
        let replied = "Amazon Web Services, 2026-11-20 21:14:05 UTC, AWS Support case 1234563851:\n\n\
            Please try again.\nThank you.";
        assert_eq!(
            reply(&linked_case(), &Communication { id: crate::identifiers::CommunicationId::new("a"), raw }),
            replied
        );
        let resolved = "AWS Support case 1234563851 was resolved at AWS (seen 2026-11-20 21:14:05 UTC).";
        assert_eq!(close_notes(&linked_case(), moment()), resolved);
    }
}
