//! What happened, in the order in which it did: kept only when somebody will read it.

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
    /// In the functions and what they run on.
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

/// The story of a life.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    kept: bool,
    lines: Vec<(Timestamp, Place, String)>,
    digest: u64,
}

impl Timeline {
    /// A story that is told (`kept`), or only summed up in its digest.
    pub fn new(kept: bool) -> Self {
        Self { kept, ..Self::default() }
    }

    /// Adds what happened.
    pub fn add(&mut self, now: Timestamp, place: Place, what: impl FnOnce() -> String) {
        if self.kept {
            self.lines.push((now, place, what()));
        }
    }

    /// Folds a step into the digest of the life, which two equal lives share.
    pub fn fold(&mut self, now: Timestamp, step: u64) {
        for value in [u64::try_from(now.as_millisecond()).unwrap_or_default(), step] {
            self.digest = (self.digest ^ value).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
        }
    }

    /// The digest of the life so far.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// The story, one line for each thing that happened.
    pub fn tell(&self) -> String {
        let mut text = String::new();
        for (moment, place, what) in &self.lines {
            let _ = writeln!(text, "{}  {}{what}", moment.strftime("%H:%M:%S%.3f"), place.indent());
        }
        text
    }
}

/// A text on one line, cut.
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

/// Numbers in a row.
pub fn join(numbers: &[u64]) -> String {
    let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    words.join(", ")
}
