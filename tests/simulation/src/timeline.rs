//! The story of a world: what happened, in order. It is kept only if it will be read.

use std::fmt::Write;

use jiff::Timestamp;

/// The longest part of a text that a line shows.
const TEXT_CHARACTERS: usize = 60;

/// Where something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In ServiceNow.
    ServiceNow,
    /// At AWS.
    Aws,
    /// In the functions or in what they run on.
    Bridge,
}

impl Place {
    fn indent(self) -> &'static str {
        match self {
            Self::ServiceNow => "ServiceNow  ",
            Self::Bridge => "       bridge   ",
            Self::Aws => "                 AWS   ",
        }
    }
}

/// The story of a life, and its digest.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    kept: bool,
    lines: Vec<(Timestamp, Place, String)>,
    digest: u64,
}

impl Timeline {
    /// Returns an empty story. Without `kept` only its digest is kept.
    pub fn new(kept: bool) -> Self {
        Self { kept, ..Self::default() }
    }

    /// Adds a line to the story, if it is kept.
    pub fn add(&mut self, now: Timestamp, place: Place, what: impl FnOnce() -> String) {
        if self.kept {
            self.lines.push((now, place, what()));
        }
    }

    /// Adds a step to the digest of the life. Two equal lives have equal digests.
    pub fn fold(&mut self, now: Timestamp, step: u64) {
        for value in [u64::try_from(now.as_millisecond()).unwrap_or_default(), step] {
            self.digest = (self.digest ^ value).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
        }
    }

    /// Returns the digest of the life so far.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Returns the story, one line for each thing that happened.
    pub fn tell(&self) -> String {
        let mut text = String::new();
        for (moment, place, what) in &self.lines {
            let _ = writeln!(text, "{}  {}{what}", moment.strftime("%H:%M:%S%.3f"), place.indent());
        }
        text
    }
}

/// Returns a text on one line, shortened to its beginning and end.
pub fn shorten(text: &str) -> String {
    let flat: String = text.chars().map(|letter| if letter.is_control() { '⏎' } else { letter }).collect();
    let count = flat.chars().count();
    if count <= TEXT_CHARACTERS {
        return flat;
    }
    let head: String = flat.chars().take(TEXT_CHARACTERS / 2).collect();
    let tail: String = flat.chars().skip(count - TEXT_CHARACTERS / 2).collect();
    format!("{head}…{tail}")
}

/// Returns numbers in a row, with commas between them.
pub fn join(numbers: &[u64]) -> String {
    let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    words.join(", ")
}
