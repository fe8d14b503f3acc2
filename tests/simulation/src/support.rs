//! AWS Support: what this kind of link has in a world.

pub mod cases;
pub mod judge;
pub mod people;
pub mod port;
mod script;
