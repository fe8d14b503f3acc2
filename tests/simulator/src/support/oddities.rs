//! Behaviour that AWS may have and does not document. Each oddity can be switched on; all are off by default.
//!
//! It is not known whether AWS behaves like this. A client that survives all oddities relies on documented behaviour
//! only.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::attachments::MAXIMUM_SMALL_FILE_BYTES;

/// The column at which a reflowed text is wrapped.
pub const WRAP_COLUMNS: usize = 70;
/// The longest wait that [`Oddities::draw`] draws, in seconds. It is below the shortest L of the tests.
const MAXIMUM_DRAWN_SECONDS: u64 = 10;

/// The oddities of AWS Support.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent switch")]
pub struct Oddities {
    /// Texts are shown wrapped at [`WRAP_COLUMNS`], trimmed, with `\r\n` as line end and HTML entities for `&<>`.
    pub reflowed_texts: bool,
    /// After this many seconds, `submittedBy` of a customer's communication shows the account's address alone. `None`
    /// if it does not change.
    pub authors_change_after_seconds: Option<u32>,
    /// The seconds after which secrets in a text are redacted. `None` if they are redacted at once.
    pub redacted_after_seconds: Option<u32>,
    /// The precision of the shown times.
    pub precision: Precision,
    /// Times in whole seconds are rounded to the nearest one, not cut.
    pub seconds_are_rounded: bool,
    /// `recentCommunications` has no `nextToken`, however many communications there are.
    pub recent_without_token: bool,
    /// DescribeCases with `caseIdList` and `maxResults` is refused.
    pub page_size_refused_with_ids: bool,
    /// After a change of language a case is known only by its new id and its display id.
    pub earlier_ids_unknown: bool,
    /// AddCommunicationToCase on a case that is too old to be reopened answers with success and does nothing.
    pub late_reopening_ignored: bool,
    /// What the limit of a text counts.
    pub length: LengthUnit,
    /// Communications show whole seconds, and DescribeCommunications lists those of one second in the opposite order of
    /// DescribeCases.
    pub seconds_in_any_order: bool,
    /// The seconds after which reads show a text from the API. Until then a read may show a text that quotes it and not
    /// the text itself.
    pub api_texts_shown_after_seconds: u32,
    /// ResolveCase refuses a case that is resolved.
    pub repeated_resolution_refused: bool,
    /// What happens to a request with a set of attachments that an earlier request used.
    pub attachment_set_reuse: AttachmentSetReuse,
    /// Reads show other ids for attachments in each period of this many seconds. An id is known in its period and in the
    /// next. `None` if ids do not change.
    pub attachment_ids_change_after_seconds: Option<u32>,
    /// Names of files are shown without the characters that file systems and shells treat specially, and cut to
    /// [`SHOWN_NAME_CHARACTERS`].
    pub file_names_sanitised: bool,
    /// Where AWS says 5 MB it means 5,000,000 bytes.
    pub decimal_megabytes: bool,
}

/// The longest name of a file that is shown, in characters, if names are sanitised.
pub const SHOWN_NAME_CHARACTERS: usize = 100;
/// 5 MB in decimal megabytes.
const DECIMAL_SMALL_FILE_BYTES: u64 = 5_000_000;

/// What AWS does with a set of attachments that is used a second time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentSetReuse {
    /// The set is gone: the request is refused.
    #[default]
    Refused,
    /// The files are attached again.
    AttachedAgain,
}

/// The fraction of a second from which a time is rounded up.
const HALF_A_SECOND: SignedDuration = SignedDuration::from_millis(500);

/// The precision of the times that AWS shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// Milliseconds everywhere.
    #[default]
    Milliseconds,
    /// Whole seconds in DescribeCases, its recent communications included; milliseconds in DescribeCommunications.
    SecondsInCases,
    /// Whole seconds in DescribeCommunications, milliseconds in DescribeCases.
    SecondsInCommunications,
}

/// What the limit of a text counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LengthUnit {
    /// Unicode's characters (code points).
    #[default]
    Characters,
    /// Units of UTF-16: two for a character beyond the first 65,536, as Java counts.
    Utf16Units,
    /// Bytes of UTF-8.
    Bytes,
}

impl LengthUnit {
    /// Returns the length of a text in this unit.
    pub fn length(self, text: &str) -> usize {
        match self {
            Self::Characters => text.chars().count(),
            Self::Utf16Units => text.encode_utf16().count(),
            Self::Bytes => text.len(),
        }
    }
}

/// Which operation shows a communication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShownBy {
    Cases,
    Communications,
}

impl Oddities {
    /// Returns oddities from random bits. Each switch is on or off with the same chance.
    pub fn draw(bits: u64) -> Self {
        let is_on = |bit: u32| bits >> bit & 1 == 1;
        // The low bits are the switches. The waits and the choices come from the high ones.
        let seconds = |bit: u32| u32::try_from(1 + (bits >> bit) % MAXIMUM_DRAWN_SECONDS).unwrap_or(1);
        Self {
            reflowed_texts: is_on(0),
            authors_change_after_seconds: is_on(1).then(|| seconds(16)),
            redacted_after_seconds: is_on(2).then(|| seconds(24)),
            precision: match bits >> 48 & 3 {
                0 => Precision::SecondsInCases,
                1 => Precision::SecondsInCommunications,
                _ => Precision::Milliseconds,
            },
            recent_without_token: is_on(3),
            page_size_refused_with_ids: is_on(4),
            earlier_ids_unknown: is_on(5),
            late_reopening_ignored: is_on(6),
            length: match bits >> 50 & 3 {
                0 => LengthUnit::Utf16Units,
                1 => LengthUnit::Bytes,
                _ => LengthUnit::Characters,
            },
            seconds_in_any_order: is_on(7),
            api_texts_shown_after_seconds: if is_on(8) { seconds(32) } else { 0 },
            repeated_resolution_refused: is_on(9),
            seconds_are_rounded: is_on(10),
            ..Self::default()
        }
    }

    /// Returns a text as reads show it.
    pub fn shown_text(&self, text: &str) -> String {
        if self.reflowed_texts { reflow(text) } else { text.to_owned() }
    }

    /// Returns a subject as reads show it, on one line.
    pub(super) fn shown_subject(&self, subject: &str) -> String {
        let mut shown = String::with_capacity(subject.len());
        if self.reflowed_texts {
            encode(subject, &mut shown);
        } else {
            shown.push_str(subject);
        }
        shown
    }

    /// Returns a time as an operation shows it.
    pub(super) fn shown_time(&self, shown_by: ShownBy, time: Timestamp) -> Timestamp {
        let in_seconds = match shown_by {
            ShownBy::Cases => self.precision == Precision::SecondsInCases,
            ShownBy::Communications => self.precision == Precision::SecondsInCommunications,
        };
        match (in_seconds, self.seconds_are_rounded) {
            (false, _) => time,
            (true, false) => whole_second(time),
            (true, true) => nearest_second(time),
        }
    }

    /// Returns the name of a file as reads show it.
    pub fn shown_file_name(&self, name: &str) -> String {
        if !self.file_names_sanitised {
            return name.to_owned();
        }
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
        let letters = name.chars().map(|letter| if plain(letter) { letter } else { '_' });
        letters.take(SHOWN_NAME_CHARACTERS).collect()
    }

    /// Returns the size of the largest file that a set takes and that DescribeAttachment returns, in bytes.
    pub fn largest_small_file(&self) -> u64 {
        if self.decimal_megabytes { DECIMAL_SMALL_FILE_BYTES } else { MAXIMUM_SMALL_FILE_BYTES }
    }

    /// Returns when reads begin to show what was written through the API at this moment.
    pub(super) fn shown_from(&self, written_at: Timestamp) -> Timestamp {
        written_at + SignedDuration::from_secs(i64::from(self.api_texts_shown_after_seconds))
    }
}

/// Whether this many seconds have passed. False for `None`.
pub(super) fn has_passed(seconds: Option<u32>, since: Timestamp, now: Timestamp) -> bool {
    seconds.is_some_and(|seconds| now.duration_since(since) >= SignedDuration::from_secs(i64::from(seconds)))
}

/// Returns a time rounded to a whole second.
pub fn nearest_second(time: Timestamp) -> Timestamp {
    whole_second(time + HALF_A_SECOND)
}

/// Returns a time without its fraction of a second.
pub(super) fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_millisecond().div_euclid(1_000)).unwrap_or(time)
}

fn reflow(text: &str) -> String {
    let mut output = String::with_capacity(text.len() + text.len() / WRAP_COLUMNS * 2);
    for line in text.trim().lines() {
        let mut rest = line.trim_end();
        while rest.chars().nth(WRAP_COLUMNS).is_some() {
            let (head, tail) = rest.split_at(wrap(rest));
            encode(head.trim_end(), &mut output);
            rest = tail.trim_start();
        }
        encode(rest, &mut output);
    }
    output.truncate(output.trim_end().len());
    output
}

/// Returns where to wrap a long line: after the last blank or hyphen that fits, or else within the word.
fn wrap(line: &str) -> usize {
    let limit = line.char_indices().nth(WRAP_COLUMNS).map_or(line.len(), |(place, _)| place);
    let opportunity = line[..limit].rfind([' ', '-']).map(|place| place + 1);
    opportunity.filter(|place| !line[..*place].trim().is_empty()).unwrap_or(limit)
}

fn encode(line: &str, output: &mut String) {
    for piece in line.split_inclusive(['&', '<', '>']) {
        let plain = piece.trim_end_matches(['&', '<', '>']);
        output.push_str(plain);
        output.push_str(match &piece[plain.len()..] {
            "&" => "&amp;",
            "<" => "&lt;",
            ">" => "&gt;",
            _ => "",
        });
    }
    output.push_str("\r\n");
}
