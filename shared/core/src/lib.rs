#![doc = include_str!("../README.md")]

pub mod catalogue;
pub mod failure;
pub mod file;
pub mod hint;
pub mod identifiers;
pub mod link;
pub mod policy;
pub mod poll;
pub mod rotation;
pub mod servicenow;
pub mod support;
pub mod text;
pub mod time;
pub mod unreadable;
