//! The API calls: a count for each target and operation, and a log.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::faults::{Kind, ReceivedCall, Target};

/// The most calls in the log, which holds a run of the end-to-end tests in a few megabytes. The oldest go first. The
/// counts include all calls.
pub const MAXIMUM_LOG_LENGTH: usize = 10_000;

#[derive(Debug)]
struct Entry {
    at: Timestamp,
    target: Target,
    operation: String,
    account: Option<String>,
    status: Option<u16>,
    fault: Option<Kind>,
}

/// Every call since the start or the last reset.
#[derive(Debug, Default)]
pub struct Calls {
    counts: BTreeMap<(Target, String), u64>,
    log: VecDeque<Entry>,
}

impl Calls {
    /// Records a call with the time of its arrival. `status` is `None` if the call got no answer.
    pub fn record(&mut self, at: Timestamp, call: &ReceivedCall<'_>, status: Option<u16>, fault: Option<Kind>) {
        *self.counts.entry((call.target, call.operation.to_owned())).or_default() += 1;
        if self.log.len() == MAXIMUM_LOG_LENGTH {
            self.log.pop_front();
        }
        self.log.push_back(Entry {
            at,
            target: call.target,
            operation: call.operation.to_owned(),
            account: call.account.map(ToOwned::to_owned),
            status,
            fault,
        });
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Returns the counts per target and operation, and the log.
    pub fn to_json(&self) -> Value {
        let counts = |target: Target| -> Map<String, Value> {
            let of_target = self.counts.iter().filter(|((owner, _), _)| *owner == target);
            of_target.map(|((_, operation), count)| (operation.clone(), json!(count))).collect()
        };
        json!({
            "support": counts(Target::Support),
            "sts": counts(Target::Sts),
            "servicenow": counts(Target::Servicenow),
            "log": self.log.iter().map(Entry::to_json).collect::<Vec<_>>(),
        })
    }
}

impl Entry {
    fn to_json(&self) -> Value {
        let mut entry = json!({
            "at": format!("{:.3}", self.at),
            "target": self.target,
            "operation": self.operation,
            "status": self.status,
        });
        if let Some(account) = &self.account {
            entry["account"] = json!(account);
        }
        if let Some(fault) = self.fault {
            entry["fault"] = json!(fault.as_str());
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_bounded_and_the_counts_are_not() {
        let mut calls = Calls::default();
        let call = ReceivedCall {
            target: Target::Support,
            operation: "CreateCase",
            account: Some("111122223333"),
            path: "/",
            body: b"",
        };
        for _ in 0..=MAXIMUM_LOG_LENGTH {
            calls.record(Timestamp::UNIX_EPOCH, &call, Some(200), None);
        }
        let json = calls.to_json();
        assert_eq!(json["support"]["CreateCase"], MAXIMUM_LOG_LENGTH + 1);
        assert_eq!(json["log"].as_array().unwrap().len(), MAXIMUM_LOG_LENGTH);
        calls.reset();
        assert_eq!(calls.to_json(), json!({"support": {}, "sts": {}, "servicenow": {}, "log": []}));
    }
}
