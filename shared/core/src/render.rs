//! The texts that people read, on either side.

use jiff::Timestamp;

use crate::{
    case::Communication,
    effect::Part,
    incident::{Incident, JournalEntry},
    link::LinkedCase,
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
pub fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let head = cut(rest, PART_CHARACTERS);
        parts.push(head);
        rest = &rest[head.len()..];
        if rest.is_empty() {
            return parts;
        }
    }
}

/// `, part 1 of 2`, or nothing for a whole text.
fn part_note(part: Part) -> String {
    if part == Part::WHOLE { String::new() } else { format!(", part {} of {}", part.number, part.of) }
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
        None => format!("AWS Support case {}", case.case_id),
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
