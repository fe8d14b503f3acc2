//! Tests of the plan: its behaviour row by row, and its properties over random sides.

#![expect(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod columns;
mod conversation;
mod doubt;
mod files;
mod journal;
mod memory;
mod merge;
mod opened_case;
mod options;
mod order;
mod pause;
mod properties;
mod reads;
mod refusals;
mod severity;
mod sides;
mod stories;
mod story;
mod successor;
mod trouble;
