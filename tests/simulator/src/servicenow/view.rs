//! One record as queries and displays see it: by paths that follow references.

use std::{borrow::Cow, collections::BTreeSet};

use jiff::tz::TimeZone;

use super::{
    journal,
    schema::{ColumnKind, Schema, Table},
    store::{Row, Store, field},
    zone,
};

/// The column that names a record's own table, in tables that others extend.
const CLASS: &str = "sys_class_name";

/// A record within its instance, with its earlier state if that is known.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The instance's tables.
    pub schema: &'a Schema,
    /// The instance's records.
    pub store: &'a Store,
    /// The record's table.
    pub table: &'a Table,
    /// The record.
    pub row: &'a Row,
    /// The record before a change, and the columns that the change touched. `None` if no change is known.
    change: Option<(&'a Row, &'a BTreeSet<String>)>,
}

impl<'a> View<'a> {
    /// Returns a record without a change.
    pub fn new(schema: &'a Schema, store: &'a Store, table: &'a Table, row: &'a Row) -> Self {
        Self { schema, store, table, row, change: None }
    }

    /// Returns a record with its earlier state and the columns that changed.
    #[must_use]
    pub fn with_change(mut self, previous: &'a Row, changed: &'a BTreeSet<String>) -> Self {
        self.change = Some((previous, changed));
        self
    }

    /// Returns the kind of the column at the path. Returns `None` if there is no such column.
    pub fn kind(&self, path: &str) -> Option<ColumnKind> {
        self.schema.column_at(&self.table.name, path).map(|column| column.kind)
    }

    /// Returns the value at the path. Returns an empty text if there is none.
    pub fn value(&self, path: &str) -> Cow<'a, str> {
        match path.split_once('.') {
            None => Cow::Borrowed(self.own_value(path)),
            Some((first, rest)) => self.referenced(first).map_or(Cow::Borrowed(""), |view| view.value(rest)),
        }
    }

    /// Returns the value of a column. The class of a record is its table, also if the record does not say so.
    fn own_value(&self, column: &str) -> &'a str {
        let value = field(self.row, column);
        let is_class = value.is_empty() && column == CLASS && self.table.columns.contains_key(CLASS);
        if is_class { &self.table.name } else { value }
    }

    /// Returns the record that a reference points to. Returns `None` if there is none.
    pub fn referenced(&self, name: &str) -> Option<View<'a>> {
        let column = self.table.columns.get(name).filter(|column| column.kind == ColumnKind::Reference)?;
        let (table, row) = self.store.find(self.schema, &column.reference, field(self.row, name))?;
        Some(View::new(self.schema, self.store, table, row))
    }

    /// Returns what people in UTC see for the value at the path.
    pub fn display(&self, path: &str) -> String {
        self.display_in(path, &TimeZone::UTC)
    }

    /// Returns what people in the time zone see for the value at the path.
    pub fn display_in(&self, path: &str, zone: &TimeZone) -> String {
        if let Some((first, rest)) = path.split_once('.') {
            return self.referenced(first).map(|view| view.display_in(rest, zone)).unwrap_or_default();
        }
        let Some(column) = self.table.columns.get(path) else { return String::new() };
        let value = self.own_value(path);
        match column.kind {
            ColumnKind::Reference => self.referenced(path).map(|view| view.display_name()).unwrap_or_default(),
            ColumnKind::Journal => journal::display(self, &[path], zone),
            ColumnKind::JournalList => journal::display(self, &self.table.journals().collect::<Vec<_>>(), zone),
            ColumnKind::Boolean if value.is_empty() => "false".to_owned(),
            ColumnKind::Password => String::new(),
            ColumnKind::DateTime => zone::local(zone, value),
            _ if column.choice => self.choice_label(path, value).unwrap_or_else(|| value.to_owned()),
            _ => value.to_owned(),
        }
    }

    /// Returns the display name of the record.
    pub fn display_name(&self) -> String {
        if self.table.display.is_empty() {
            field(self.row, "sys_id").to_owned()
        } else {
            self.display(&self.table.display)
        }
    }

    fn choice_label(&self, column: &str, value: &str) -> Option<String> {
        let tables = [self.table.name.as_str(), self.table.extends.as_str()];
        tables.iter().find_map(|table| {
            let found = self.store.rows("sys_choice").find(|(_, row)| {
                field(row, "name") == *table && field(row, "element") == column && field(row, "value") == value
            });
            found.map(|(_, row)| field(row, "label").to_owned())
        })
    }

    /// Whether the change touched the column.
    pub fn changed(&self, column: &str) -> bool {
        self.change.is_some_and(|(_, changed)| changed.contains(column))
    }

    /// Returns the column's value before the change.
    pub fn previous(&self, column: &str) -> &'a str {
        self.change.map_or("", |(previous, _)| field(previous, column))
    }
}
