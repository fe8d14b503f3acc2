//! The time that the server passes to the state machines. They have no clock of their own.

use jiff::Timestamp;

/// The time of this machine.
pub fn now() -> Timestamp {
    Timestamp::now()
}
