//! Logs: one JSON object a line, with the link on each line.
//!
//! No line holds a customer's text. Subjects, descriptions, comments and communications stay out of logs. So does the
//! text of a remote side's error, which may repeat them: the incident's `last_error` shows it instead.

use std::{env, error::Error, fmt, future::Future, process::ExitCode};

use casebridge_core::hint::Hint;
use lambda_runtime::tracing::subscriber::{self, filter::LevelFilter};
use tracing::Span;

/// The most causes of a failure in one line: more than there are layers between a function and a socket.
const MAXIMUM_CAUSES: usize = 12;

/// A failure with all its causes, for the log: from the operation that failed down to the system's own words.
///
/// `tracing` writes the outermost error only, which does not say why. A cause whose text is already in the line is left
/// out. Use this for failures of our own services (the ledger, the queue, secrets, settings). Log an error of
/// ServiceNow or AWS Support by its name, since its text may repeat a customer's.
pub struct Causes<'error>(pub &'error (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = self.0.to_string();
        let mut error = self.0;
        for _ in 0..MAXIMUM_CAUSES {
            let Some(cause) = error.source() else { break };
            error = cause;
            let cause = cause.to_string();
            if !told.contains(&cause) {
                told.push_str(": ");
                told.push_str(&cause);
            }
        }
        formatter.write_str(&told)
    }
}

/// The level that Lambda is set to write. Source: AWS Lambda, advanced logging controls.
const LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";

/// Starts the log in JSON, whatever format Lambda is set to. Lambda adds the time.
///
/// The runtime's own subscriber includes a filter language that casebridge does not use, in 300 KB.
fn begin() {
    let level = env::var(LEVEL).ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    subscriber::fmt().json().with_target(false).without_time().with_max_level(level).init();
}

/// Runs a function from its start to its end, with a log at the level that Lambda is set to.
///
/// If the function can't start, logs the error with every cause and returns a failure.
pub async fn logged(function: impl Future<Output = Result<(), lambda_runtime::Error>>) -> ExitCode {
    begin();
    match function.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let error: &(dyn Error + 'static) = error.as_ref();
            tracing::error!(error = %Causes(error), "the function could not start");
            ExitCode::FAILURE
        }
    }
}

/// Returns the span of a hint: each line within it carries the link and the cause.
pub fn hint_span(hint: &Hint) -> Span {
    tracing::info_span!("hint", link = hint.group_id(), cause = hint.cause.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Failure {
        #[error("the poll failed")]
        Plain(#[source] Box<Failure>),
        #[error(transparent)]
        Transparent(Box<Failure>),
        #[error("unreadable: {0}")]
        Repeated(#[source] Box<Failure>),
        #[error("no answer")]
        Last,
    }

    #[test]
    fn every_cause_is_told_once() {
        let last = || Box::new(Failure::Last);
        for (failure, told) in [
            (Failure::Last, "no answer"),
            (Failure::Plain(last()), "the poll failed: no answer"),
            (Failure::Plain(Box::new(Failure::Transparent(last()))), "the poll failed: no answer"),
            (Failure::Repeated(last()), "unreadable: no answer"),
            (Failure::Plain(Box::new(Failure::Repeated(last()))), "the poll failed: unreadable: no answer"),
        ] {
            assert_eq!(Causes(&failure).to_string(), told);
        }
    }
}
