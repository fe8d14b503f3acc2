//! What the platform itself does to incidents on every write: defaults, priority, state, data policy.

use jiff::Timestamp;

use casebridge_core::time::format_servicenow;

use super::{
    records::{Actor, WriteError},
    store::{Row, field},
};

/// The rule that keeps a closed incident closed, with the name that the platform's refusal gives it.
const CLOSED_RULE: &str = "Closed incident cannot be reopened^7f1d6a5cc0a80164000b1a2c3d4e5f60";
/// The columns that a resolved or closed incident must have, with their labels.
const RESOLUTION_COLUMNS: [(&str, &str); 2] = [("close_code", "Resolution code"), ("close_notes", "Close notes")];

const IN_PROGRESS: &str = "2";
const ON_HOLD: &str = "3";
const RESOLVED: &str = "6";
const CLOSED: &str = "7";
const CANCELLED: &str = "8";
const AWAITING_CALLER: &str = "1";

/// Applies the platform's rules to an incident that is about to be written.
pub fn before_write(
    old: Option<&Row>,
    new: &mut Row,
    journals: &[(String, String)],
    actor: &Actor,
    now: Timestamp,
    resolved_at_is_overwritten: bool,
) -> Result<(), WriteError> {
    let empty = Row::new();
    let old_row = old.unwrap_or(&empty);
    if old.is_none() {
        set_defaults(new);
    }
    agree_on_state(old_row, new);
    if field(old_row, "state") == CLOSED && field(new, "state") != CLOSED && !actor.is_admin() {
        return Err(WriteError::Aborted(CLOSED_RULE.to_owned()));
    }
    let caller_answers = journals.iter().any(|(element, _)| element == "comments")
        && !field(new, "caller_id").is_empty()
        && field(new, "caller_id") == actor.sys_id;
    if caller_answers && field(new, "state") == ON_HOLD && field(new, "hold_reason") == AWAITING_CALLER {
        set(new, "state", IN_PROGRESS);
        set(new, "incident_state", IN_PROGRESS);
    }
    set(new, "priority", priority(field(new, "impact"), field(new, "urgency")));
    if field(new, "state") != field(old_row, "state") {
        let first_resolved_at = field(new, "resolved_at").to_owned();
        enter_state(old_row, new, actor, now);
        if !resolved_at_is_overwritten && !first_resolved_at.is_empty() {
            set(new, "resolved_at", &first_resolved_at);
        }
    }
    data_policy(new)
}

fn set(row: &mut Row, name: &str, value: &str) {
    row.insert(name.to_owned(), value.to_owned());
}

fn set_defaults(row: &mut Row) {
    let defaults = [
        ("impact", "3"),
        ("urgency", "3"),
        ("severity", "3"),
        ("approval", "not requested"),
        ("category", "inquiry"),
        ("escalation", "0"),
        ("made_sla", "true"),
        ("knowledge", "false"),
        ("notify", "1"),
        ("upon_approval", "proceed"),
        ("upon_reject", "cancel"),
        ("reopen_count", "0"),
        ("reassignment_count", "0"),
        ("child_incidents", "0"),
        ("sys_domain", "global"),
    ];
    for (name, value) in defaults {
        if field(row, name).is_empty() {
            set(row, name, value);
        }
    }
}

/// Keeps `state` and `incident_state` equal: a write of either writes both. A new incident starts as New.
fn agree_on_state(old: &Row, new: &mut Row) {
    let state_changed = field(new, "state") != field(old, "state");
    let agreed = if state_changed && !field(new, "state").is_empty() {
        field(new, "state").to_owned()
    } else if !field(new, "incident_state").is_empty() {
        field(new, "incident_state").to_owned()
    } else {
        "1".to_owned()
    };
    set(new, "state", &agreed);
    set(new, "incident_state", &agreed);
}

/// Returns the priority that the platform derives from impact and urgency.
fn priority(impact: &str, urgency: &str) -> &'static str {
    match (impact, urgency) {
        ("1", "1") => "1",
        ("1", "2") | ("2", "1") => "2",
        ("1", "3") | ("2", "2") | ("3", "1") => "3",
        ("2", "3") | ("3", "2") => "4",
        _ => "5",
    }
}

/// Writes the times and users that belong to the new state. Those of an earlier resolution stay when the incident is
/// reopened.
fn enter_state(old: &Row, new: &mut Row, actor: &Actor, now: Timestamp) {
    let moment = format_servicenow(now);
    let state = field(new, "state").to_owned();
    match state.as_str() {
        RESOLVED => {
            set(new, "resolved_at", &moment);
            set(new, "resolved_by", &actor.sys_id);
        }
        CLOSED | CANCELLED => {
            set(new, "closed_at", &moment);
            set(new, "closed_by", &actor.sys_id);
        }
        _ => {}
    }
    set(new, "active", if matches!(state.as_str(), CLOSED | CANCELLED) { "false" } else { "true" });
    if field(old, "state") == ON_HOLD {
        new.remove("hold_reason");
    }
    if field(old, "state") == RESOLVED && !matches!(state.as_str(), CLOSED | CANCELLED) {
        let count = field(new, "reopen_count").parse::<u64>().unwrap_or_default() + 1;
        set(new, "reopen_count", &count.to_string());
        set(new, "reopened_time", &moment);
        set(new, "reopened_by", &actor.sys_id);
    }
}

fn data_policy(row: &Row) -> Result<(), WriteError> {
    if !matches!(field(row, "state"), RESOLVED | CLOSED) {
        return Ok(());
    }
    let missing: Vec<&str> = RESOLUTION_COLUMNS
        .iter()
        .filter(|(name, _)| field(row, name).trim().is_empty())
        .map(|(_, label)| *label)
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(WriteError::DataPolicy(missing.join(", "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pairs: &[(&str, &str)]) -> Row {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn write(old: Option<&Row>, changes: &[(&str, &str)], comment: bool) -> Result<Row, WriteError> {
        let mut new = old.cloned().unwrap_or_default();
        new.extend(row(changes));
        let journals = if comment { vec![("comments".to_owned(), "text".to_owned())] } else { Vec::new() };
        let actor = Actor { sys_id: "caller".to_owned(), ..Actor::default() };
        before_write(old, &mut new, &journals, &actor, Timestamp::UNIX_EPOCH, false)?;
        Ok(new)
    }

    #[test]
    fn a_second_resolution_keeps_the_first_time_unless_the_instance_overwrites_it() {
        let resolved = row(&[("state", "6"), ("close_code", "Solution provided"), ("close_notes", "done")]);
        let mut open = write(None, &[], false).unwrap();
        open.insert("resolved_at".to_owned(), "1969-12-31 00:00:00".to_owned());
        for (overwritten, shown) in [(false, "1969-12-31 00:00:00"), (true, "1970-01-01 00:00:00")] {
            let mut new = open.clone();
            new.extend(resolved.clone());
            before_write(Some(&open), &mut new, &[], &Actor::default(), Timestamp::UNIX_EPOCH, overwritten).unwrap();
            assert_eq!(field(&new, "resolved_at"), shown);
        }
    }

    #[test]
    fn a_new_incident_has_the_platforms_defaults() {
        let new = write(None, &[("priority", "1")], false).unwrap();
        for (name, value) in [("state", "1"), ("incident_state", "1"), ("priority", "5"), ("active", "true")] {
            assert_eq!(field(&new, name), value, "{name}");
        }
        let urgent = write(None, &[("impact", "1"), ("urgency", "2")], false).unwrap();
        assert_eq!(field(&urgent, "priority"), "2");
    }

    #[test]
    fn resolving_needs_code_and_notes_and_sets_the_time() {
        let open = write(None, &[], false).unwrap();
        let refused = write(Some(&open), &[("state", "6"), ("close_notes", "done")], false);
        assert_eq!(refused, Err(WriteError::DataPolicy("Resolution code".to_owned())));
        let resolved = write(
            Some(&open),
            &[("incident_state", "6"), ("close_notes", "done"), ("close_code", "Solution provided")],
            false,
        )
        .unwrap();
        assert_eq!(field(&resolved, "state"), "6");
        assert_eq!(field(&resolved, "resolved_at"), "1970-01-01 00:00:00");
        let reopened = write(Some(&resolved), &[("state", "2")], false).unwrap();
        assert_eq!(field(&reopened, "reopen_count"), "1");
        let closed = write(Some(&resolved), &[("state", "7")], false).unwrap();
        assert_eq!(field(&closed, "active"), "false");
        assert!(matches!(write(Some(&closed), &[("state", "2")], false), Err(WriteError::Aborted(_))));
    }

    #[test]
    fn the_callers_comment_ends_awaiting_caller() {
        let held = write(None, &[("caller_id", "caller"), ("state", "3"), ("hold_reason", "1")], false).unwrap();
        let answered = write(Some(&held), &[], true).unwrap();
        assert_eq!(field(&answered, "state"), "2");
        assert_eq!(field(&answered, "hold_reason"), "");
    }
}
