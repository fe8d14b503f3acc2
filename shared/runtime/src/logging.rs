//! Logs: one JSON object a line, with the link in question on every line.
//!
//! No line holds a customer's text: subjects, descriptions, comments and communications stay out of logs, and so do the
//! words of a remote side's error, which may repeat them. They are on the incident's `last_error` instead.

use std::{error::Error, future::Future, process::ExitCode};

use casebridge_core::hint::Hint;
use tracing::Span;

/// Runs a function from its start to its end, with a log whose level and format are Lambda's own settings.
///
/// What keeps it from starting is told in plain words, with every cause.
pub async fn logged(function: impl Future<Output = Result<(), lambda_runtime::Error>>) -> ExitCode {
    lambda_runtime::tracing::init_default_subscriber();
    match function.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let error: &(dyn Error + 'static) = error.as_ref();
            tracing::error!(error, "the function could not start");
            ExitCode::FAILURE
        }
    }
}

/// The span in which a hint is handled: each line within it carries the link and the cause.
pub fn hint_span(hint: &Hint) -> Span {
    tracing::info_span!("hint", link = hint.group_id(), cause = hint.cause.as_str())
}
