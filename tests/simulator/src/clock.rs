//! The time that the server passes to the state machines. They have no clock of their own.

use jiff::Timestamp;

/// Returns the time of this machine.
pub fn now() -> Timestamp {
    Timestamp::now()
}
