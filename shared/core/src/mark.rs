//! Marks: how we recognise our own text on the AWS side, where communications have no id.
//!
//! A mark stands at the end of a text's first line, as `[ref bcdf-ghjk-mnpq-rstv]`. Four groups of four consonants
//! carry 69 bits: too many to guess, and no shape that AWS redacts as a key or a card number. A quotation of our text
//! starts with somebody else's line, so it does not count; a plain copy is later than ours, see [`crate::link`].

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

use crate::identifiers::LinkKey;

/// The letters of a mark: consonants only, so that no word and no number appears.
const LETTERS: &[u8; 20] = b"bcdfghjklmnpqrstvwxz";
/// How many groups of [`GROUP_LETTERS`] letters a mark has.
const GROUPS: usize = 4;
/// How many letters a group has.
const GROUP_LETTERS: usize = 4;
/// What stands before a mark in a first line.
const OPENING: &str = "[ref ";
/// What stands after a mark in a first line.
const CLOSING: &str = "]";

/// 128 random bits that a worker draws for one attempt: where unguessable marks come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Entropy([u8; 16]);

impl Entropy {
    /// Wraps bytes of a cryptographically secure source.
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
    /// The mark of the link's intent with this sequence number.
    pub fn draw(entropy: Entropy, link: &LinkKey, sequence: u64) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(entropy.0);
        hasher.update(link.to_string().as_bytes());
        hasher.update(sequence.to_be_bytes());
        let digest = hasher.finalize();
        let letters: Vec<u8> = digest
            .iter()
            .take(GROUPS * GROUP_LETTERS)
            .map(|byte| LETTERS[usize::from(*byte) % LETTERS.len()])
            .collect();
        let groups: Vec<String> =
            letters.chunks(GROUP_LETTERS).map(|group| group.iter().copied().map(char::from).collect()).collect();
        Self(groups.join("-"))
    }

    /// The mark as it is written, without its brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text carries this mark anywhere, by its letters alone.
    pub fn is_in(&self, text: &str) -> bool {
        marks_in(text).contains(self)
    }

    /// The first line of a text of ours: what it says, then the mark.
    pub fn sign(&self, first_line: &str) -> String {
        format!("{first_line} {OPENING}{}{CLOSING}", self.0)
    }

    /// The mark that a text carries where only a text of ours carries it: at the end of its first line.
    pub fn of_text(text: &str) -> Option<Self> {
        let first_line = text.lines().next()?.trim_end();
        if first_line.starts_with('>') {
            return None;
        }
        let (_, candidate) = first_line.strip_suffix(CLOSING)?.rsplit_once(OPENING)?;
        let groups: Vec<&str> = candidate.split('-').collect();
        let well_formed = groups.len() == GROUPS
            && groups
                .iter()
                .all(|group| group.len() == GROUP_LETTERS && group.bytes().all(|byte| LETTERS.contains(&byte)));
        well_formed.then(|| Self(candidate.to_owned()))
    }
}

/// The marks that a text carries anywhere, by their letters alone.
pub fn marks_in(text: &str) -> Vec<Mark> {
    let letters: Vec<u8> = text.bytes().filter(u8::is_ascii_alphabetic).map(|byte| byte.to_ascii_lowercase()).collect();
    let size = GROUPS * GROUP_LETTERS;
    let mut found: Vec<Mark> = Vec::new();
    for start in 3..=letters.len().saturating_sub(size) {
        let candidate = &letters[start..start + size];
        if letters[start - 3..start] == *b"ref" && candidate.iter().all(|letter| LETTERS.contains(letter)) {
            let groups: Vec<String> =
                candidate.chunks(GROUP_LETTERS).map(|group| group.iter().copied().map(char::from).collect()).collect();
            let mark = Mark(groups.join("-"));
            if !found.contains(&mark) {
                found.push(mark);
            }
        }
    }
    found
}

impl fmt::Display for Mark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::identifiers::IncidentId;

    fn mark(sequence: u64) -> Mark {
        Mark::draw(Entropy::new([7; 16]), &LinkKey::support_case(IncidentId::new("a")), sequence)
    }

    #[test]
    fn a_mark_is_read_back_from_the_first_line_only() {
        let text = format!("{}\n\nbody", mark(1).sign("Abel Tuter wrote"));
        assert_eq!(Mark::of_text(&text), Some(mark(1)));
        assert_eq!(Mark::of_text(&format!("Thanks!\n\n> {text}")), None);
        assert_eq!(Mark::of_text(&format!("> {text}")), None);
        assert_eq!(Mark::of_text(""), None);
        assert_eq!(Mark::of_text("[ref bcdf-ghjk-mnpq-rst1]"), None);
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
