//! Support cases: their reads and calls, and how the link of a case is found.

mod carrier;
mod find;
mod owner;

pub(crate) use self::{
    carrier::SupportCarrier,
    find::{Found, find_link},
    owner::HintedCase,
};
