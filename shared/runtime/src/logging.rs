//! Logs: one JSON object a line, with the link in question on every line.
//!
//! No line holds a customer's text: subjects, descriptions, comments and communications stay out of logs, and so do the
//! words of a remote side's error, which may repeat them. They are on the incident's `last_error` instead.

use std::{env, error::Error, fmt, future::Future, process::ExitCode};

use casebridge_core::hint::Hint;
use lambda_runtime::tracing::subscriber::{self, filter::LevelFilter};
use tracing::Span;

/// How many causes of a failure are told: more than there are layers between us and a socket.
const MOST_CAUSES: usize = 12;

/// A failure with all its causes, as logs tell it: from what could not be done down to what the system said.
///
/// A log's own way to write an error tells the outermost only, and that is never why. A cause that the text before it has
/// told already is not told again. For failures of our own services (the ledger, the queue, secrets, settings): an error of
/// ServiceNow or AWS Support may repeat a customer's text and is logged by its name.
pub struct Causes<'error>(pub &'error (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = self.0.to_string();
        let mut error = self.0;
        for _ in 0..MOST_CAUSES {
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

/// Begins the log: JSON, whatever format Lambda is set to. Lambda adds the time.
///
/// The runtime's own way to begin it brings a language for filters with it, which nobody uses here: 300 KB.
fn begin() {
    let level = env::var(LEVEL).ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    subscriber::fmt().json().with_target(false).without_time().with_max_level(level).init();
}

/// Runs a function from its start to its end, with a log at the level that Lambda is set to.
///
/// What keeps it from starting is told in plain words, with every cause.
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

/// The span in which a hint is handled: each line within it carries the link and the cause.
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
