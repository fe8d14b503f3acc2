//! Marks: how casebridge recognises its own texts on the AWS side, where communications have no id.
//!
//! A mark is written at the end of a text's first line, as `[ref bcdf-ghjk-mnpq-rstv]`. Four groups of four consonants
//! carry 69 bits: too many to guess, and in a form that AWS does not redact as a key or a card number. AWS may wrap,
//! trim or re-encode a text, so a mark is matched by its letters alone, anywhere in a text: brackets, hyphens, blanks,
//! line ends and HTML entities do not count. Quotations and copies of our text carry its mark as well, and they are
//! later than our text. When casebridge passes on what people wrote, it removes the marks, see [`without_marks`].

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{borrow::Cow, fmt, ops::Range};

use crate::identifiers::LinkKey;

/// The letters of a mark. They are consonants, so that a mark contains no word and no number.
const LETTERS: &[u8; 20] = b"bcdfghjklmnpqrstvwxz";
/// How many groups of [`GROUP_LETTERS`] letters a mark has. Sixteen letters out of twenty hold 69 random bits, which
/// nobody guesses, and people can still read them out.
const GROUPS: usize = 4;
/// How many letters a group has: few enough for people to copy, and short enough for AWS's redaction, which looks for
/// keys and card numbers, not to take a group for one.
const GROUP_LETTERS: usize = 4;
/// What precedes a mark in a first line.
const OPENING: &str = "[ref ";
/// What follows a mark in a first line.
const CLOSING: &str = "]";
/// The letters that precede the letters of each mark. A mark's own letters include no vowel, so no mark begins inside
/// another one.
const WORD: &[u8] = b"ref";
/// What replaces the letters of a mark that was removed. Its vowels end each run of a mark's letters and its brackets
/// end each entity, so the text around it can't form a new mark.
const REMOVED: &str = "(removed)";
/// The most letters and digits that the name of an HTML entity has. Source: HTML, named character references.
const MAXIMUM_ENTITY_NAME_LENGTH: usize = 31;

/// 128 random bits that a worker draws for one attempt. They make the marks unguessable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Entropy([u8; 16]);

impl Entropy {
    /// Wraps bytes from a cryptographically secure source.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Entropy(..)")
    }
}

/// The unguessable mark of one intent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(String);

impl Mark {
    /// Returns the mark for the link's intent with this sequence number.
    pub fn draw(entropy: Entropy, link: &LinkKey, sequence: u64) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(entropy.0);
        hasher.update(link.to_string().as_bytes());
        hasher.update(sequence.to_be_bytes());
        let digest = hasher.finalize();
        let drawn = digest.iter().take(GROUPS * GROUP_LETTERS);
        let letters: Vec<u8> = drawn.map(|byte| LETTERS[usize::from(*byte) % LETTERS.len()]).collect();
        Self::of_letters(&letters)
    }

    /// Returns the mark as it is written, without its brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the first line of one of our texts: `first_line`, then the mark.
    pub fn sign(&self, first_line: &str) -> String {
        format!("{first_line} {OPENING}{}{CLOSING}", self.0)
    }

    /// Returns the first mark in a text. Returns `None` if there is no mark.
    pub fn of_text(text: &str) -> Option<Self> {
        marks_in(text).into_iter().next()
    }

    /// Whether a text carries this mark, even if it was wrapped, trimmed or re-encoded since it was signed.
    pub fn is_in(&self, text: &str) -> bool {
        marks_in(text).contains(self)
    }

    /// Returns the mark with these letters.
    fn of_letters(letters: &[u8]) -> Self {
        let groups =
            letters.chunks(GROUP_LETTERS).map(|group| group.iter().copied().map(char::from).collect::<String>());
        Self(groups.collect::<Vec<_>>().join("-"))
    }
}

/// Returns the marks in a text in their order, each once.
pub fn marks_in(text: &str) -> Vec<Mark> {
    let letters = Letters::of(text);
    let mut marks = Vec::new();
    for place in letters.marks() {
        let mark = Mark::of_letters(&letters.letters[place]);
        if !marks.contains(&mark) {
            marks.push(mark);
        }
    }
    marks
}

/// Replaces the letters of each mark in a text, so that the text is not taken for one of ours. Changes nothing else.
pub fn without_marks(text: &str) -> Cow<'_, str> {
    let letters = Letters::of(text);
    let mut output = String::new();
    let mut kept_from = 0;
    for place in letters.marks() {
        // The word of this mark may begin with the last letter of the mark before, which was removed. Then this is no
        // mark.
        let (start, end) = (letters.places[place.start], letters.places[place.end - 1] + 1);
        if letters.places[place.start - WORD.len()] < kept_from {
            continue;
        }
        output.push_str(&text[kept_from..start]);
        output.push_str(REMOVED);
        kept_from = end;
    }
    if kept_from == 0 {
        return Cow::Borrowed(text);
    }
    output.push_str(&text[kept_from..]);
    Cow::Owned(output)
}

/// The letters of a text in lower case, with their places in it. Marks are found by the letters alone.
struct Letters {
    letters: Vec<u8>,
    places: Vec<usize>,
}

impl Letters {
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let (mut letters, mut places) = (Vec::new(), Vec::new());
        let mut place = 0;
        while place < bytes.len() {
            if let Some(length) = entity_length(&bytes[place..]) {
                place += length;
                continue;
            }
            if bytes[place].is_ascii_alphabetic() {
                letters.push(bytes[place].to_ascii_lowercase());
                places.push(place);
            }
            place += 1;
        }
        Self { letters, places }
    }

    /// Returns the ranges of the letters of marks, without the word before them.
    fn marks(&self) -> impl Iterator<Item = Range<usize>> {
        let length = WORD.len() + GROUPS * GROUP_LETTERS;
        let is_mark = |window: &[u8]| {
            window.strip_prefix(WORD).is_some_and(|letters| letters.iter().all(|letter| LETTERS.contains(letter)))
        };
        let windows = self.letters.windows(length).enumerate();
        windows.filter(move |(_, window)| is_mark(window)).map(move |(start, _)| start + WORD.len()..start + length)
    }
}

/// Returns how many bytes at the start of a text belong to an HTML entity, also to one that was encoded again
/// (`&amp;lt;`). Its last semicolon may be missing in that count: it is no letter. An `&` alone counts as an entity. Returns
/// `None` if the text does not start with an `&`.
fn entity_length(text: &[u8]) -> Option<usize> {
    let mut rest = text.strip_prefix(b"&")?;
    while let Some(after) = rest.strip_prefix(b"amp;") {
        rest = after;
    }
    let name = rest.strip_prefix(b"#").unwrap_or(rest);
    let length = name.iter().take(MAXIMUM_ENTITY_NAME_LENGTH).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let after = if name.get(length) == Some(&b';') { &name[length..] } else { rest };
    Some(text.len() - after.len())
}

impl fmt::Display for Mark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::identifiers::IncidentId;

    fn mark(sequence: u64) -> Mark {
        Mark::draw(Entropy::new([7; 16]), &LinkKey::support_case(IncidentId::new("a")), sequence)
    }

    #[test]
    fn a_mark_is_found_by_its_letters_anywhere_in_a_text() {
        let text = format!("{}\n\nbody", mark(1).sign("Abel Tuter wrote"));
        for shown in [
            text.clone(),
            format!("Thanks!\n\n> {text}"),
            text.replace(' ', "\r\n"),
            text.replace('-', "-\n> "),
            text.replace('-', "&#45;").replace('[', "&lsqb;"),
            text.replace('-', "&amp;hyphen;&amp;"),
            text.replace(['-', '[', ']', ' '], ""),
            text.to_uppercase(),
        ] {
            assert_eq!(marks_in(&shown), [mark(1)], "{shown}");
            assert!(mark(1).is_in(&shown) && !mark(2).is_in(&shown), "{shown}");
        }
        for other in ["", "[ref bcdf-ghjk-mnpq-rst1]", "[ref bcdf-ghjk-mnpq-rsta]", "bcdf-ghjk-mnpq-rstv"] {
            assert_eq!(marks_in(other), [], "{other}");
        }
    }

    #[test]
    fn the_marks_of_a_text_come_in_their_order_and_once() {
        let [first, second, third] = [mark(1), mark(2), mark(3)].map(|mark| mark.sign("Re:"));
        assert_eq!(marks_in(&format!("{second}{first}\n> {second}{third}")), [mark(2), mark(1), mark(3)]);
    }

    #[test]
    fn a_text_loses_its_marks_and_nothing_else() {
        let text = format!("> {}\n\nThe ref. is bcdf &amp; é.", mark(1).sign("Abel Tuter wrote"));
        let expected = "> Abel Tuter wrote [ref (removed)]\n\nThe ref. is bcdf &amp; é.";
        assert_eq!(without_marks(&text), expected);
        assert_eq!(without_marks("a ref bcdf-\r\n> ghjk-mnpq-rstv]"), "a ref (removed)]");
        let overlapping = "refbcdfghjkmnpqrstrefbcdfghjkmnpqrstv";
        assert_eq!(without_marks(overlapping), "ref(removed)efbcdfghjkmnpqrstv", "a word that is cut begins no mark");
    }

    #[test]
    fn no_mark_is_left_where_marks_touch() {
        // First text: the letters after the mark would follow its word once its own are removed. Second text: the
        // mark's last letter begins the word of the next one.
        for text in ["ref bcdf-ghjk-mnpq-rstv bcdf-ghjk-mnpq-rstv", "refbcdfghjkmnpqrstrefbcdfghjkmnpqrstv"] {
            assert!(!marks_in(text).is_empty());
            assert_eq!(marks_in(&without_marks(text)), [], "{text}");
        }
    }

    /// Changes a text as AWS may do: breaks lines anywhere, trims the ends, changes line ends, encodes what HTML
    /// reserves.
    fn shown(text: &str, breaks: &[usize], entities: bool, line_end: &str) -> String {
        let mut shown = text.trim().to_owned();
        for place in breaks {
            shown.insert(shown.floor_char_boundary(place % (shown.len() + 1)), '\n');
        }
        shown = shown.replace('\n', line_end);
        if entities {
            shown = shown.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        }
        shown
    }

    /// Texts of the pieces of marks, and of pieces that look like them.
    fn tricky_text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("ref".to_owned()),
            Just("r".to_owned()),
            Just("ef".to_owned()),
            Just("&amp;".to_owned()),
            "[&;#\\[\\] \n-]{1,2}",
            "[bcdfghjklmnpqrstvwxz]{1,17}",
            "[bcdf-]{16,20}",
            "[a-z]{1,3}",
            "\\PC{0,3}",
        ];
        proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn a_signed_text_keeps_its_mark(
            first_line in "[A-Za-z0-9 &<>,.é]{0,80}",
            body in "\\PC{0,80}",
            breaks in proptest::collection::vec(any::<usize>(), 0..12),
            entities in any::<bool>(),
            carriage_return in any::<bool>(),
            sequence in any::<u64>(),
        ) {
            let text = format!("{}\n\n{body}", mark(sequence).sign(&first_line));
            let line_end = if carriage_return { "\r\n" } else { "\n" };
            prop_assert!(mark(sequence).is_in(&shown(&text, &breaks, entities, line_end)));
        }

        #[test]
        fn a_text_without_marks_has_none(text in tricky_text(), sequence in any::<u64>(), place in any::<usize>()) {
            let mut signed = text.clone();
            signed.insert_str(text.floor_char_boundary(place % (text.len() + 1)), &mark(sequence).sign(""));
            for text in [text, signed] {
                let harmless = without_marks(&text);
                prop_assert_eq!(marks_in(&harmless), vec![]);
                prop_assert!(harmless.len() <= text.len());
                prop_assert_eq!(marks_in(&text).is_empty(), harmless == text);
            }
        }
    }

    #[test]
    fn each_intent_has_its_own_mark() {
        assert_ne!(mark(1), mark(2));
        let other = Mark::draw(Entropy::new([8; 16]), &LinkKey::support_case(IncidentId::new("a")), 1);
        assert_ne!(mark(1), other);
    }

    #[test]
    fn marks_use_all_letters() {
        let used: BTreeSet<u8> =
            (0..100).flat_map(|sequence| mark(sequence).as_str().to_owned().into_bytes()).collect();
        assert_eq!(used, LETTERS.iter().copied().chain([b'-']).collect());
    }

    #[test]
    fn a_mark_is_written_alike_everywhere() {
        let mark = Mark::of_text("Abel Tuter wrote [ref bcdf-ghjk-mnpq-rstv]").unwrap();
        assert_eq!(mark.as_str(), "bcdf-ghjk-mnpq-rstv");
        assert_eq!(mark.to_string(), "bcdf-ghjk-mnpq-rstv");
        assert_eq!(serde_json::to_value(&mark).unwrap(), "bcdf-ghjk-mnpq-rstv");
        assert_eq!(mark.sign("Beth Anglin wrote"), "Beth Anglin wrote [ref bcdf-ghjk-mnpq-rstv]");
    }

    #[test]
    fn entropy_does_not_get_into_a_debug_print() {
        assert_eq!(format!("{:?}", Entropy::new([7; 16])), "Entropy(..)");
    }
}
