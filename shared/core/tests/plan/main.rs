//! The plan: what it does row by row, and its properties over random worlds.

mod merge;
mod properties;
mod world;
