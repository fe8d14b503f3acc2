//! Metrics in CloudWatch's embedded format: CloudWatch reads the values of metrics from a line of JSON in the log.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use casebridge_core::{
    failure::{Failure, FailureKind, Refusal},
    support::unknown_case::UnknownCase,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

/// The namespace of all metrics.
const NAMESPACE: &str = "casebridge";
/// The one dimension.
const DIMENSION: &str = "function";
/// The most values of a metric in one line. Source: CloudWatch embedded metric format specification.
const MAXIMUM_VALUES_PER_LINE: usize = 100;

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Milliseconds from the trigger to the end of the pass.
    SyncLag,
    /// Effects that were applied.
    Effects,
    /// Calls that a side throttled, or during which it was not available.
    Throttles,
    /// Calls whose outcome is not known.
    Doubts,
    /// Calls that a side refused for good.
    Refusals,
    /// Reads that AWS refused for an account that is out of use in ServiceNow.
    RefusalsOutOfUse,
    /// Records that are set aside because they can't be read.
    Parked,
    /// Events of cases that are not ours and become no incident.
    EventsOfOthers,
    /// Events that wait for the outcome of a CreateCase.
    EventsPostponed,
    /// Events that were dropped because the account's reads of unknown cases in that minute were used up.
    EventsOverLimit,
    /// Records that were found at AWS and that casebridge had opened twice.
    Doubles,
    /// Hints whose link was leased to another worker.
    Deferred,
    /// Wake-ups whose claim was gone: another pass came first, or the link was handed off again.
    Unclaimed,
    /// Links whose wake message the queue did not take. The poller wakes them.
    WakesLost,
    /// Remote calls, the ledger's among them.
    RemoteCalls,
    /// Hints that were put on the queue.
    HintsSent,
    /// Links that were due at a poll.
    LinksDue,
    /// Incidents that a poll read.
    IncidentsPolled,
    /// Cases that a poll read.
    CasesPolled,
    /// Hints for cases that somebody opened at AWS and that have no link yet.
    OpenedCases,
    /// Accounts or instances that could not be polled.
    PollFailures,
    /// Accounts that a poll did not finish, for any reason. The next poll continues.
    AccountsNotPolled,
    /// Seconds since the account with the longest wait was polled whole.
    LongestUnpolledAccount,
    /// Webhooks that were accepted.
    WebhooksAccepted,
    /// Webhooks that were rejected.
    WebhooksRejected,
    /// Rows of the catalogue that were written to ServiceNow.
    CatalogueRowsWritten,
    /// Accounts whose services and severities could not be read, and rows of the catalogue that ServiceNow refused.
    CatalogueFailures,
    /// Files that were moved, or wait for the communication that names them.
    FilesMoved,
    /// Files that stay where they are: a side refused them, or they could not be moved for days.
    FilesRefused,
    /// Policy documents that could not be read. The last valid one stays in force.
    PolicyFailures,
}

impl Metric {
    /// Returns its name in CloudWatch.
    pub fn name(self) -> &'static str {
        match self {
            Self::SyncLag => "SyncLag",
            Self::Effects => "Effects",
            Self::Throttles => "Throttles",
            Self::Doubts => "Doubts",
            Self::Refusals => "Refusals",
            Self::RefusalsOutOfUse => "RefusalsOutOfUse",
            Self::Parked => "Parked",
            Self::EventsOfOthers => "EventsOfOthers",
            Self::EventsPostponed => "EventsPostponed",
            Self::EventsOverLimit => "EventsOverLimit",
            Self::Doubles => "Doubles",
            Self::Deferred => "Deferred",
            Self::Unclaimed => "Unclaimed",
            Self::WakesLost => "WakesLost",
            Self::RemoteCalls => "RemoteCalls",
            Self::HintsSent => "HintsSent",
            Self::LinksDue => "LinksDue",
            Self::IncidentsPolled => "IncidentsPolled",
            Self::CasesPolled => "CasesPolled",
            Self::OpenedCases => "OpenedCases",
            Self::PollFailures => "PollFailures",
            Self::AccountsNotPolled => "AccountsNotPolled",
            Self::LongestUnpolledAccount => "LongestUnpolledAccount",
            Self::WebhooksAccepted => "WebhooksAccepted",
            Self::WebhooksRejected => "WebhooksRejected",
            Self::CatalogueRowsWritten => "CatalogueRowsWritten",
            Self::CatalogueFailures => "CatalogueFailures",
            Self::FilesMoved => "FilesMoved",
            Self::FilesRefused => "FilesRefused",
            Self::PolicyFailures => "PolicyFailures",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::SyncLag => "Milliseconds",
            Self::LongestUnpolledAccount => "Seconds",
            _ => "Count",
        }
    }

    /// Returns the metric of an event whose case has no link. Returns `None` if casebridge reads the case.
    pub fn of_unknown_case(unknown: UnknownCase) -> Option<Self> {
        match unknown {
            UnknownCase::NotOurs => Some(Self::EventsOfOthers),
            UnknownCase::Wait(_) => Some(Self::EventsPostponed),
            UnknownCase::LimitReached => Some(Self::EventsOverLimit),
            UnknownCase::Read => None,
        }
    }

    /// Returns the metric of a failure.
    pub fn of_failure(failure: FailureKind) -> Self {
        match failure {
            FailureKind::Unavailable => Self::Throttles,
            FailureKind::InDoubt => Self::Doubts,
            // It is so until somebody registers the account, and must not ring every hour.
            FailureKind::Refused(Refusal::AccountNotInUse) => Self::RefusalsOutOfUse,
            FailureKind::Refused(
                Refusal::Subscription
                | Refusal::CaseQuota
                | Refusal::Credentials
                | Refusal::InvalidRequest
                | Refusal::NotFound
                | Refusal::NotServed,
            ) => Self::Refusals,
        }
    }
}

/// The values of one invocation.
pub struct Metrics {
    function: &'static str,
    values: Mutex<BTreeMap<Metric, Vec<i64>>>,
}

impl Metrics {
    /// Creates the metrics of the function of this name, without values.
    pub fn new(function: &'static str) -> Self {
        Self { function, values: Mutex::new(BTreeMap::new()) }
    }

    /// Adds to a count.
    pub fn count(&self, metric: Metric, by: usize) {
        let by = i64::try_from(by).unwrap_or(i64::MAX);
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        match values.entry(metric).or_default().as_mut_slice() {
            [sum] => *sum = sum.saturating_add(by),
            _ => drop(values.insert(metric, vec![by])),
        }
    }

    /// Counts a failure under its metric.
    pub fn failure(&self, failure: &Failure) {
        self.count(Metric::of_failure(failure.kind()), 1);
    }

    /// Adds a duration, in the metric's unit.
    pub fn duration(&self, metric: Metric, duration: SignedDuration) {
        let value = match metric.unit() {
            "Seconds" => duration.as_secs(),
            _ => i64::try_from(duration.as_millis()).unwrap_or(i64::MAX),
        };
        self.values.lock().unwrap_or_else(PoisonError::into_inner).entry(metric).or_default().push(value);
    }

    /// Writes the values to the log and forgets them.
    #[expect(clippy::print_stdout, reason = "Lambda writes standard output to the log, where CloudWatch reads metrics")]
    pub fn flush(&self, now: Timestamp) {
        let mut lines = Vec::new();
        match self.write(now, &mut lines) {
            Ok(()) => print!("{}", String::from_utf8_lossy(&lines)),
            Err(error) => tracing::error!(%error, "the metrics could not be written"),
        }
    }

    /// Returns the values and forgets them.
    pub fn take(&self) -> BTreeMap<Metric, Vec<i64>> {
        std::mem::take(&mut *self.values.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes the values to the target and forgets them.
    ///
    /// # Errors
    /// If the target does not take the text.
    pub fn write(&self, now: Timestamp, target: &mut impl Write) -> io::Result<()> {
        let mut values = self.take();
        while !values.is_empty() {
            let line: BTreeMap<Metric, Vec<i64>> = values
                .iter_mut()
                .map(|(metric, values)| (*metric, values.drain(..values.len().min(MAXIMUM_VALUES_PER_LINE)).collect()))
                .collect();
            values.retain(|_, values| !values.is_empty());
            writeln!(target, "{}", self.line(now, &line))?;
        }
        target.flush()
    }

    fn line(&self, now: Timestamp, values: &BTreeMap<Metric, Vec<i64>>) -> Value {
        let definitions: Vec<Value> =
            values.keys().map(|metric| json!({"Name": metric.name(), "Unit": metric.unit()})).collect();
        let mut line = Map::new();
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": now.as_millisecond(),
                "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": definitions}],
            }),
        );
        line.insert(DIMENSION.to_owned(), self.function.into());
        for (metric, values) in values {
            let value = match values.as_slice() {
                [single] => (*single).into(),
                several => several.into(),
            };
            line.insert(metric.name().to_owned(), value);
        }
        Value::Object(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(metrics: &Metrics) -> Vec<Value> {
        let mut written = Vec::new();
        metrics.write(Timestamp::from_second(1).unwrap(), &mut written).unwrap();
        String::from_utf8(written).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn one_line_holds_the_invocation_in_cloudwatchs_format() {
        let metrics = Metrics::new("reconciler");
        metrics.count(Metric::Effects, 1);
        metrics.count(Metric::Effects, 2);
        metrics.duration(Metric::SyncLag, SignedDuration::from_millis(7));
        metrics.duration(Metric::SyncLag, SignedDuration::from_millis(9));
        let expected = json!({
            "_aws": {"Timestamp": 1_000, "CloudWatchMetrics": [{
                "Namespace": "casebridge", "Dimensions": [["function"]],
                "Metrics": [{"Name": "SyncLag", "Unit": "Milliseconds"}, {"Name": "Effects", "Unit": "Count"}]}]},
            "function": "reconciler", "SyncLag": [7, 9], "Effects": 3,
        });
        assert_eq!(lines(&metrics), [expected]);
        assert!(lines(&metrics).is_empty(), "values are written once");
    }

    #[test]
    fn a_duration_is_told_in_its_metrics_unit() {
        let metrics = Metrics::new("case-poller");
        metrics.duration(Metric::LongestUnpolledAccount, SignedDuration::from_millis(90_500));
        let line = &lines(&metrics)[0];
        assert_eq!(line["LongestUnpolledAccount"], 90);
        let definitions = &line["_aws"]["CloudWatchMetrics"][0]["Metrics"];
        assert_eq!(*definitions, json!([{"Name": "LongestUnpolledAccount", "Unit": "Seconds"}]));
    }

    #[test]
    fn no_line_holds_more_values_than_cloudwatch_reads() {
        let metrics = Metrics::new("reconciler");
        for millisecond in 0..250 {
            metrics.duration(Metric::SyncLag, SignedDuration::from_millis(millisecond));
        }
        let counts: Vec<usize> = lines(&metrics).iter().map(|line| line["SyncLag"].as_array().unwrap().len()).collect();
        assert_eq!(counts, [100, 100, 50]);
    }
}
