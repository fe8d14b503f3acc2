//! ServiceNow: the side that every kind of link shares.

pub mod accounts;
pub mod judge;
pub mod model;
pub mod options;
pub mod people;
pub mod port;
pub mod scope;
