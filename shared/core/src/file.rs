//! Files: what moves between an incident and its record, in which steps, and what is said of a file that can't.
//!
//! Files move apart from the link: each transfer has a row of its own in the ledger, which the function `attachments`
//! works on. The link orders a transfer and reads its end.

pub mod name;
pub mod order;
pub mod transfer;

use serde::{Deserialize, Serialize};

use crate::failure::Side;

/// The largest file that goes into a set of attachments. AWS says "5 MB", in the strictest reading. Source: AWS Support
/// API, AddAttachmentsToSet.
pub const MAXIMUM_SET_FILE_BYTES: u64 = 5_000_000;
/// How many files one set takes. Source: AWS Support API, AddAttachmentsToSet.
pub const FILES_PER_SET: usize = 3;

/// How a file of this size goes to AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeClass {
    /// It has no content. AWS takes no such file.
    Empty,
    /// In a set of attachments.
    Set,
    /// In an upload of its own, in parts.
    Upload,
    /// Not at all.
    TooLarge,
}

impl SizeClass {
    /// Returns the class of a file of this many bytes, if `largest` is the most that may go.
    pub fn of(bytes: u64, largest: u32) -> Self {
        match bytes {
            0 => Self::Empty,
            bytes if bytes > u64::from(largest) => Self::TooLarge,
            bytes if bytes <= MAXIMUM_SET_FILE_BYTES => Self::Set,
            _ => Self::Upload,
        }
    }
}

/// Why a file does not go to the other side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum FileRefusal {
    /// It is empty.
    Empty,
    /// It is larger than the policy allows.
    TooLarge {
        /// The most bytes.
        largest: u64,
    },
    /// A check for viruses withholds it.
    Infected {
        /// Whose check.
        by: Side,
    },
    /// A side does not accept it.
    NotAccepted {
        /// Which side.
        by: Side,
        /// Its reason.
        reason: String,
    },
    /// It could not be moved within days.
    Unreachable,
}

/// How many bytes a megabyte has where people read it.
const MEGABYTE: u64 = 1_000_000;

impl FileRefusal {
    /// Returns the end of the sentence `The file … was not sent:` for people.
    pub fn words(&self) -> String {
        let name = |side: &Side| if *side == Side::Aws { "AWS Support" } else { "ServiceNow" };
        match self {
            Self::Empty => "it is empty.".to_owned(),
            Self::TooLarge { largest } if *largest < MEGABYTE => format!("it has more than {largest} bytes."),
            Self::TooLarge { largest } => format!("it is larger than {} MB.", largest / MEGABYTE),
            Self::Infected { by } => format!("the check for viruses of {} withholds it.", name(by)),
            Self::NotAccepted { by, reason } if reason.trim().is_empty() => {
                format!("{} does not accept it.", name(by))
            }
            Self::NotAccepted { by, reason } => format!("{} does not accept it ({reason}).", name(by)),
            Self::Unreachable => "it could not be read or written for three days.".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_file_decides_how_it_goes() {
        let largest = 157_286_400;
        for (bytes, class) in [
            (0, SizeClass::Empty),
            (1, SizeClass::Set),
            (5_000_000, SizeClass::Set),
            (5_000_001, SizeClass::Upload),
            (157_286_400, SizeClass::Upload),
            (157_286_401, SizeClass::TooLarge),
        ] {
            assert_eq!(SizeClass::of(bytes, largest), class, "{bytes}");
        }
        assert_eq!(SizeClass::of(11, 10), SizeClass::TooLarge);
    }

    #[test]
    fn people_read_why_a_file_stays() {
        let not_accepted = |reason: &str| FileRefusal::NotAccepted { by: Side::ServiceNow, reason: reason.to_owned() };
        assert_eq!(not_accepted(" ").words(), "ServiceNow does not accept it.");
        assert_eq!(not_accepted("type").words(), "ServiceNow does not accept it (type).");
        assert_eq!(FileRefusal::TooLarge { largest: 157_286_400 }.words(), "it is larger than 157 MB.");
        assert_eq!(FileRefusal::TooLarge { largest: 1_000_000 }.words(), "it is larger than 1 MB.");
        assert_eq!(FileRefusal::TooLarge { largest: 999_999 }.words(), "it has more than 999999 bytes.");
        assert!(FileRefusal::Infected { by: Side::Aws }.words().contains("AWS Support"));
    }
}
