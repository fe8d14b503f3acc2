//! Journals: a text that is written to `comments` or `work_notes` becomes a row of `sys_journal_field` and stays there.

use jiff::tz::TimeZone;

use super::{
    store::{Row, field},
    view::View,
    zone,
};

/// Removes the texts of journal columns from the values, since they are not part of the record itself. Returns them by
/// column, without empty ones.
pub fn take_entries(table: &super::schema::Table, values: &mut Row) -> Vec<(String, String)> {
    let journals: Vec<String> = table.journals().map(str::to_owned).collect();
    let taken = journals.into_iter().filter_map(|name| values.remove(&name).map(|text| (name, text)));
    taken.filter(|(_, text)| !text.is_empty()).collect()
}

/// Returns the row of an entry, without the system's columns.
pub fn entry(table: &str, record: &str, element: &str, text: &str) -> Row {
    [("name", table), ("element", element), ("element_id", record), ("value", text)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// Returns all entries of some journals as the platform shows them: one text, the newest first,
/// with their times in the zone.
pub fn display(view: &View<'_>, elements: &[&str], zone: &TimeZone) -> String {
    let record = field(view.row, "sys_id");
    let mut entries: Vec<&Row> = view
        .store
        .rows("sys_journal_field")
        .map(|(_, row)| row.as_ref())
        .filter(|row| field(row, "element_id") == record && elements.contains(&field(row, "element")))
        .collect();
    entries.sort_by_key(|row| (field(row, "sys_created_on"), field(row, "sys_id")));
    entries.iter().rev().map(|row| display_entry(view, row, zone)).collect()
}

fn display_entry(view: &View<'_>, row: &Row, zone: &TimeZone) -> String {
    let user_name = field(row, "sys_created_by");
    let author = view.store.find_by("sys_user", "user_name", user_name).map_or(user_name, |user| field(user, "name"));
    let label = view.table.columns.get(field(row, "element")).map_or("", |column| column.label.as_str());
    let moment = zone::local(zone, field(row, "sys_created_on"));
    format!("{moment} - {author} ({label})\n{}\n\n", field(row, "value"))
}
