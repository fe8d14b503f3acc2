//! Standard changes: changes that are made of a template.

use super::{
    query::{Operator, Query},
    store::{Row, Store, field},
};

/// Gives a new change the values of its template's version, except where it has values of its own. A change without a
/// version, or with one that has no template, stays as it is. Source: the tests of the Ansible collection
/// `servicenow.itsm` expect the template's description on a change that was made with the version alone.
pub fn apply_template(store: &Store, change: &mut Row) {
    let Some(template) = template_of(store, change) else { return };
    let query = Query::parse(field(template, "template"));
    for condition in query.alternatives.into_iter().flatten().flatten() {
        if condition.operator == Operator::Equal && field(change, &condition.field).is_empty() {
            change.insert(condition.field, condition.value);
        }
    }
}

fn template_of<'a>(store: &'a Store, change: &Row) -> Option<&'a Row> {
    let version = store.row("std_change_producer_version", field(change, "std_change_producer_version"))?;
    let producer = store.row("std_change_record_producer", field(version, "std_change_producer"))?;
    store.row("sys_template", field(producer, "template")).map(AsRef::as_ref)
}
