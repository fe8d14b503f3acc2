//! Logs: one JSON object a line, with the link in question on every line.
//!
//! No line holds a customer's text: subjects, descriptions, comments and communications stay out of logs, and so do the
//! words of a remote side's error, which may repeat them. They are on the incident's `last_error` instead.

use casebridge_core::hint::Hint;
use tracing::Span;

/// Starts the log; its level and format are Lambda's own settings.
pub fn start() {
    lambda_runtime::tracing::init_default_subscriber();
}

/// The span in which a hint is handled: each line within it carries the link and the cause.
pub fn hint_span(hint: &Hint) -> Span {
    tracing::info_span!("hint", link = hint.group_id(), cause = hint.cause.as_str())
}
