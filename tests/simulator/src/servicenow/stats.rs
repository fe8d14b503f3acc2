//! The Aggregate API: `/api/now/stats/{table}`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    UserRequest,
    acl::{self, Operation},
    errors, table_api,
    view::View,
};
use crate::wire::Response;

/// Answers a request for counts and sums, grouped or not.
pub fn answer(call: &UserRequest<'_, '_>, table: &str) -> Response {
    let definition = match table_api::open_table(call, table) {
        Ok(definition) => definition,
        Err(response) => return response,
    };
    if !acl::allows(call.session.app, &call.session.actor, table, Operation::Read) {
        return errors::may_not_query();
    }
    let query = table_api::request_query(call, &definition);
    let found = table_api::matching(call, &definition, &query);
    let group_by: Vec<&str> = call
        .request
        .parameter("sysparm_group_by")
        .unwrap_or_default()
        .split(',')
        .filter(|name| !name.is_empty())
        .collect();
    if group_by.is_empty() {
        return Response::json(200, &json!({"result": {"stats": Value::Object(statistics(call, &found))}}));
    }
    let mut groups: BTreeMap<Vec<String>, Vec<View<'_>>> = BTreeMap::new();
    for view in found {
        groups.entry(group_by.iter().map(|name| view.value(name).into_owned()).collect()).or_default().push(view);
    }
    let results: Vec<Value> = groups
        .into_iter()
        .map(|(values, members)| {
            let fields = group_by.iter().zip(&values).map(|(name, value)| json!({"field": name, "value": value}));
            json!({"stats": statistics(call, &members), "groupby_fields": fields.collect::<Vec<_>>()})
        })
        .collect();
    Response::json(200, &json!({"result": results}))
}

fn statistics(call: &UserRequest<'_, '_>, found: &[View<'_>]) -> Map<String, Value> {
    let mut statistics = Map::new();
    if call.request.parameter("sysparm_count") == Some("true") {
        statistics.insert("count".to_owned(), json!(found.len().to_string()));
    }
    for kind in ["min", "max", "sum", "avg"] {
        let fields = call.request.parameter(&format!("sysparm_{kind}_fields")).unwrap_or_default();
        let columns: Map<String, Value> = fields
            .split(',')
            .filter(|name| !name.is_empty())
            .map(|name| (name.to_owned(), json!(statistic(kind, name, found))))
            .collect();
        if !columns.is_empty() {
            statistics.insert(kind.to_owned(), Value::Object(columns));
        }
    }
    statistics
}

fn statistic(kind: &str, column: &str, found: &[View<'_>]) -> String {
    let values: Vec<String> =
        found.iter().map(|view| view.value(column).into_owned()).filter(|value| !value.is_empty()).collect();
    let numbers: Vec<i64> = values.iter().filter_map(|value| value.parse().ok()).collect();
    let sum: i64 = numbers.iter().sum();
    match kind {
        "sum" => sum.to_string(),
        "avg" => {
            i64::try_from(numbers.len()).ok().and_then(|count| sum.checked_div(count)).unwrap_or_default().to_string()
        }
        "min" if numbers.len() == values.len() => numbers.iter().min().map(ToString::to_string).unwrap_or_default(),
        "max" if numbers.len() == values.len() => numbers.iter().max().map(ToString::to_string).unwrap_or_default(),
        "min" => values.into_iter().min().unwrap_or_default(),
        _ => values.into_iter().max().unwrap_or_default(),
    }
}
