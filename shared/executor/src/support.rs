//! Support cases: their reads and calls, and whose a case is.

mod carrier;
mod find;
mod owner;

pub use self::owner::{Owner, Told, owner_of_case};
pub(crate) use self::{
    carrier::SupportCarrier,
    find::{Found, find_link},
};
