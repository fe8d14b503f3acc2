//! AWS Support: the parts of a world that belong to this kind of link.

pub mod cases;
pub mod catalogue;
pub mod judge;
pub mod long_links;
pub mod people;
pub mod port;
mod script;
pub mod succession;
