//! Ordered faults. A rule breaks the calls that it matches until it is used up. Rules apply in the order in which they
//! were given.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The most rules that may wait at a time. It is more than any test gives, so that a test that adds rules in a loop
/// ends with an error.
pub const MAXIMUM_RULES: usize = 1000;

/// The target of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// AWS Support.
    Support,
    /// AWS STS.
    Sts,
    /// ServiceNow.
    Servicenow,
}

/// How a call breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It is answered with an error and has no effect.
    Error,
    /// It is refused because of too many calls, without effect.
    Throttle,
    /// It has no effect, and nothing answers until the client gives up.
    Timeout,
    /// It takes effect, and the answer is lost.
    ApplyThenDrop,
    /// It takes effect, and nothing answers until the client gives up.
    ApplyThenTimeout,
    /// The instance dies after some of its record writes; only ServiceNow.
    Stop,
}

impl Kind {
    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Throttle => "throttle",
            Self::Timeout => "timeout",
            Self::ApplyThenDrop => "apply_then_drop",
            Self::ApplyThenTimeout => "apply_then_timeout",
            Self::Stop => "stop",
        }
    }
}

/// A rule: an ordered fault.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The target of the calls that it breaks.
    pub target: Target,
    /// Only calls of this operation. `table` matches `table.get`, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Only calls of this account; not for ServiceNow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Only calls with this text in their path or body: those about one record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub containing: Option<String>,
    /// How many calls it breaks.
    #[serde(default = "once")]
    pub count: u64,
    /// How the calls break.
    pub kind: Kind,
    /// The error that the calls get. By default it is the target's own server error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// After how many record writes the instance dies; only with the kind `stop`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_commits: Option<u64>,
}

fn once() -> u64 {
    1
}

impl Rule {
    /// Refuses a rule that could never match, or that has a part which would be ignored.
    fn check(&self) -> Result<(), RuleError> {
        if self.count == 0 {
            return Err(RuleError("'count' must be at least 1"));
        }
        if self.containing.as_deref() == Some("") {
            return Err(RuleError("'containing' must not be empty"));
        }
        if self.target == Target::Servicenow && self.account.is_some() {
            return Err(RuleError("'account' belongs to targets of AWS: ServiceNow has no AWS accounts"));
        }
        match (self.kind, self.target, self.after_commits) {
            (Kind::Stop, Target::Support | Target::Sts, _) => {
                Err(RuleError("the kind 'stop' belongs to the target 'servicenow'"))
            }
            (Kind::Stop, Target::Servicenow, None) => Err(RuleError("the kind 'stop' needs 'after_commits'")),
            (Kind::Stop, Target::Servicenow, Some(_)) | (_, _, None) => Ok(()),
            (_, _, Some(_)) => Err(RuleError("'after_commits' belongs to the kind 'stop'")),
        }
    }

    fn matches(&self, call: &ReceivedCall<'_>) -> bool {
        let same_operation = |wanted: &str| {
            call.operation.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.target == call.target
            && self.operation.as_deref().is_none_or(same_operation)
            && (self.account.is_none() || self.account.as_deref() == call.account)
            && self.containing.as_deref().is_none_or(|text| call.contains(text))
    }
}

/// Why a rule was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuleError(&'static str);

/// A call that rules may match.
#[derive(Debug, Clone, Copy)]
pub struct ReceivedCall<'a> {
    /// The target of the call.
    pub target: Target,
    /// The operation.
    pub operation: &'a str,
    /// The calling account.
    pub account: Option<&'a str>,
    /// The path.
    pub path: &'a str,
    /// The body.
    pub body: &'a [u8],
}

impl ReceivedCall<'_> {
    fn contains(&self, text: &str) -> bool {
        self.path.contains(text) || String::from_utf8_lossy(self.body).contains(text)
    }
}

/// The fault of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// How it breaks.
    pub kind: Kind,
    /// The error. `None` for the target's own server error.
    pub error: Option<String>,
    /// After how many record writes the instance dies.
    pub after_commits: u64,
}

/// The ordered faults.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    rules: VecDeque<Rule>,
}

impl Faults {
    /// Adds a rule after the others.
    pub fn add(&mut self, rule: Rule) -> Result<(), RuleError> {
        rule.check()?;
        if self.rules.len() == MAXIMUM_RULES {
            return Err(RuleError("too many faults are waiting; DELETE /control/faults drops them"));
        }
        self.rules.push_back(rule);
        Ok(())
    }

    /// Drops all rules.
    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// Drops the rules whose `containing` is this text.
    pub fn drop_about(&mut self, containing: &str) {
        self.rules.retain(|rule| rule.containing.as_deref() != Some(containing));
    }

    /// Returns the rules that are left.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Returns the fault for this call, and takes one from the count of the first rule that matches. Returns `None` if
    /// no rule matches.
    pub fn take(&mut self, call: &ReceivedCall<'_>) -> Option<Fault> {
        let position = self.rules.iter().position(|rule| rule.matches(call))?;
        let rule = &mut self.rules[position];
        rule.count -= 1;
        let fault =
            Fault { kind: rule.kind, error: rule.error.clone(), after_commits: rule.after_commits.unwrap_or(0) };
        if rule.count == 0 {
            self.rules.remove(position);
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: &str) -> Rule {
        serde_json::from_str(json).unwrap()
    }

    fn call<'a>(target: Target, operation: &'a str, account: Option<&'a str>) -> ReceivedCall<'a> {
        ReceivedCall { target, operation, account, path: "/", body: b"" }
    }

    #[test]
    fn rules_are_used_up_in_their_order() {
        let mut faults = Faults::default();
        faults.add(rule(r#"{"target":"support","operation":"CreateCase","count":2,"kind":"throttle"}"#)).unwrap();
        faults.add(rule(r#"{"target":"support","kind":"timeout"}"#)).unwrap();
        let create = call(Target::Support, "CreateCase", Some("111122223333"));
        let kinds: Vec<Option<Kind>> = (0..4).map(|_| faults.take(&create).map(|fault| fault.kind)).collect();
        assert_eq!(kinds, [Some(Kind::Throttle), Some(Kind::Throttle), Some(Kind::Timeout), None]);
    }

    #[test]
    fn a_rule_breaks_only_what_it_names() {
        let mut faults = Faults::default();
        faults.add(rule(r#"{"target":"support","account":"111122223333","kind":"error"}"#)).unwrap();
        faults.add(rule(r#"{"target":"servicenow","operation":"table","kind":"error","error":"html"}"#)).unwrap();
        assert!(faults.take(&call(Target::Support, "CreateCase", Some("444455556666"))).is_none());
        assert!(faults.take(&call(Target::Support, "CreateCase", None)).is_none());
        assert!(faults.take(&call(Target::Servicenow, "deliver", None)).is_none());
        assert!(faults.take(&call(Target::Servicenow, "tables", None)).is_none());
        let fault = faults.take(&call(Target::Servicenow, "table.get", None)).unwrap();
        assert_eq!(fault.error.as_deref(), Some("html"));
        assert!(faults.take(&call(Target::Support, "CreateCase", Some("111122223333"))).is_some());
    }

    #[test]
    fn a_rule_may_break_only_calls_about_one_record() {
        let mut faults = Faults::default();
        faults.add(rule(r#"{"target":"support","containing":"INC0010002","kind":"apply_then_timeout"}"#)).unwrap();
        let about = |body| ReceivedCall { body, ..call(Target::Support, "CreateCase", None) };
        assert!(faults.take(&about(br#"{"subject":"[INC0010001] One"}"#)).is_none());
        let fault = faults.take(&about(br#"{"subject":"[INC0010002] Two"}"#)).unwrap();
        assert_eq!(fault.kind, Kind::ApplyThenTimeout);
        faults.add(rule(r#"{"target":"servicenow","containing":"0123abcd","kind":"error"}"#)).unwrap();
        let deliver = ReceivedCall { path: "/incidents/0123abcd/deliver", ..call(Target::Servicenow, "deliver", None) };
        assert!(faults.take(&deliver).is_some());
    }

    #[test]
    fn the_rules_about_one_record_are_dropped_alone() {
        let mut faults = Faults::default();
        for record in ["INC0010001", "INC0010002"] {
            let json = format!(r#"{{"target":"support","containing":"{record}","kind":"error","count":9}}"#);
            faults.add(rule(&json)).unwrap();
        }
        faults.drop_about("INC0010001");
        let left: Vec<_> = faults.rules().map(|rule| rule.containing.as_deref()).collect();
        assert_eq!(left, [Some("INC0010002")]);
    }

    #[test]
    fn a_rule_that_could_not_work_is_refused() {
        let mut faults = Faults::default();
        for wrong in [
            r#"{"target":"support","kind":"error","count":0}"#,
            r#"{"target":"support","kind":"stop","after_commits":1}"#,
            r#"{"target":"sts","kind":"stop","after_commits":1}"#,
            r#"{"target":"servicenow","kind":"stop"}"#,
            r#"{"target":"servicenow","kind":"error","containing":""}"#,
            r#"{"target":"servicenow","kind":"error","after_commits":1}"#,
            r#"{"target":"servicenow","kind":"error","account":"111122223333"}"#,
        ] {
            assert!(faults.add(rule(wrong)).is_err(), "{wrong}");
        }
        assert!(serde_json::from_str::<Rule>(r#"{"target":"support","kind":"error","times":3}"#).is_err());
    }
}
