//! Tables and their columns: the platform's own, and those that an app brings.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use serde::Deserialize;

/// The platform's tables that casebridge and ordinary clients use.
const PLATFORM_TABLES: &str = include_str!("platform_tables.json");
/// The columns that every table has.
const SYSTEM_COLUMNS: [(&str, ColumnKind); 7] = [
    ("sys_id", ColumnKind::Text),
    ("sys_created_on", ColumnKind::DateTime),
    ("sys_created_by", ColumnKind::Text),
    ("sys_updated_on", ColumnKind::DateTime),
    ("sys_updated_by", ColumnKind::Text),
    ("sys_mod_count", ColumnKind::Integer),
    ("sys_tags", ColumnKind::Text),
];

/// The table of the platform that is audited. The tables that extend it are audited too.
const AUDITED_TABLE: &str = "task";

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Any text, and every other kind that behaves like text here.
    Text,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A time in UTC, in whole seconds.
    DateTime,
    /// The `sys_id` of a record of another table.
    Reference,
    /// Input only. A written text becomes a row of `sys_journal_field`.
    Journal,
    /// Shows several journals as one text.
    JournalList,
    /// A secret. Scripts can read it, no API shows it.
    Password,
}

impl ColumnKind {
    /// Reads the platform's name of a kind (`sys_dictionary.internal_type`).
    pub fn from_internal_type(name: &str) -> Self {
        match name {
            "integer" | "longint" => Self::Integer,
            "boolean" => Self::Boolean,
            "datetime" | "glide_date_time" | "due_date" => Self::DateTime,
            "reference" => Self::Reference,
            "journal" | "journal_input" => Self::Journal,
            "journal_list" => Self::JournalList,
            "password" | "password2" => Self::Password,
            _ => Self::Text,
        }
    }

    /// Returns the platform's name of the kind.
    pub fn internal_type(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::DateTime => "glide_date_time",
            Self::Reference => "reference",
            Self::Journal => "journal_input",
            Self::JournalList => "journal_list",
            Self::Password => "password2",
        }
    }
}

/// One column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    /// What it holds.
    pub kind: ColumnKind,
    /// The label that people see.
    pub label: String,
    /// The table that a reference points to. Empty for other kinds.
    pub reference: String,
    /// Whether its values are choices of `sys_choice`.
    pub choice: bool,
    /// The number of characters at which the database cuts a value. `None` if it does not cut it.
    pub max_length: Option<usize>,
    /// The value that the column of a new record gets by default.
    pub default_value: String,
}

impl Column {
    /// Returns a column of this kind with defaults for everything else.
    pub fn of_kind(kind: ColumnKind, label: &str) -> Self {
        Self {
            kind,
            label: label.to_owned(),
            reference: String::new(),
            choice: false,
            max_length: None,
            default_value: String::new(),
        }
    }
}

/// One table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name, for example `incident`.
    pub name: String,
    /// The label that people see.
    pub label: String,
    /// The table that it extends. Empty if it extends none.
    pub extends: String,
    /// The column whose value is a record's display name. Empty if there is none.
    pub display: String,
    /// All its columns, also inherited ones.
    pub columns: BTreeMap<String, Column>,
    /// The unique indexes: no two records have the same values in such a set of columns.
    pub unique: Vec<Vec<String>>,
    /// Whether the Table API gives access to it.
    pub web_service_access: bool,
    /// Whether its changes are audited. *Undelete Record* restores references in audited tables only.
    pub is_audited: bool,
    /// The scope that owns it. Empty for the platform.
    pub scope: String,
}

impl Table {
    /// Returns the columns that hold journals.
    pub fn journals(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|(_, column)| column.kind == ColumnKind::Journal).map(|(name, _)| name.as_str())
    }
}

/// All tables of an instance.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    tables: BTreeMap<String, Arc<Table>>,
}

/// A table in the file of platform tables. A column is `kind Label [referenced table] [choice] [unique]
/// [default=value]`.
#[derive(Deserialize)]
struct PlatformTable {
    label: String,
    #[serde(default)]
    extends: String,
    #[serde(default)]
    display: String,
    columns: BTreeMap<String, String>,
}

impl Schema {
    /// Returns the platform's tables without any app.
    pub fn platform() -> &'static Self {
        static PLATFORM: LazyLock<Schema> = LazyLock::new(|| {
            let mut described: BTreeMap<String, PlatformTable> =
                serde_json::from_str(PLATFORM_TABLES).expect("the platform's tables are part of the source");
            let mut schema = Schema::default();
            // A table inherits the columns that its parent has by then, so parents come first.
            while !described.is_empty() {
                let (next, later): (BTreeMap<_, _>, BTreeMap<_, _>) = described
                    .into_iter()
                    .partition(|(_, table)| table.extends.is_empty() || schema.table(&table.extends).is_some());
                assert!(!next.is_empty(), "every platform table extends a known one");
                for (name, table) in next {
                    schema.add_platform_table(name, table);
                }
                described = later;
            }
            schema
        });
        &PLATFORM
    }

    fn add_platform_table(&mut self, name: String, described: PlatformTable) {
        let mut unique = Vec::new();
        let mut columns = BTreeMap::new();
        for (column_name, description) in described.columns {
            let words: Vec<&str> = description.split(' ').collect();
            let kind = ColumnKind::from_internal_type(words[0]);
            let label = words.get(1).copied().unwrap_or_default().replace('_', " ");
            let mut column = Column::of_kind(kind, &label);
            if kind == ColumnKind::Reference {
                words.get(2).copied().unwrap_or_default().clone_into(&mut column.reference);
            }
            column.choice = words.contains(&"choice");
            let default_value = words.iter().find_map(|word| word.strip_prefix("default="));
            default_value.unwrap_or_default().clone_into(&mut column.default_value);
            if words.contains(&"unique") {
                unique.push(vec![column_name.clone()]);
            }
            columns.insert(column_name, column);
        }
        let is_audited = name == AUDITED_TABLE || self.is_a(&described.extends, AUDITED_TABLE);
        self.add(Table {
            name,
            label: described.label,
            extends: described.extends,
            is_audited,
            display: described.display,
            columns,
            unique,
            web_service_access: true,
            scope: String::new(),
        });
    }

    /// Adds a table, with the system's columns and those of the table that it extends.
    pub fn add(&mut self, mut table: Table) {
        for (name, kind) in SYSTEM_COLUMNS {
            table.columns.entry(name.to_owned()).or_insert_with(|| Column::of_kind(kind, name));
        }
        if let Some(parent) = self.tables.get(&table.extends) {
            for (name, column) in &parent.columns {
                table.columns.entry(name.clone()).or_insert_with(|| column.clone());
            }
        }
        self.tables.insert(table.name.clone(), Arc::new(table));
    }

    /// Adds columns to a table. Returns `false` if there is no such table.
    pub fn augment(&mut self, name: &str, columns: BTreeMap<String, Column>, unique: Vec<Vec<String>>) -> bool {
        let Some(table) = self.tables.get_mut(name) else { return false };
        let table = Arc::make_mut(table);
        table.columns.extend(columns);
        table.unique.extend(unique);
        true
    }

    /// Returns the table of this name. Returns `None` if there is none.
    pub fn table(&self, name: &str) -> Option<&Arc<Table>> {
        self.tables.get(name)
    }

    /// Returns all tables, by name.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.tables.values()
    }

    /// Returns the columns of all tables that may refer to a record of this table, each with its table.
    pub fn references_to<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a Arc<Table>, &'a str)> {
        let refers = move |column: &Column| column.kind == ColumnKind::Reference && self.is_a(name, &column.reference);
        self.tables.values().flat_map(move |table| {
            let columns = table.columns.iter().filter(move |(_, column)| refers(column));
            columns.map(move |(column, _)| (table, column.as_str()))
        })
    }

    /// Returns a table and all tables that extend it. Their records are records of the table too.
    pub fn family(&self, name: &str) -> BTreeSet<String> {
        let children = self.tables.values().filter(|table| !table.extends.is_empty() && table.extends == name);
        let mut family: BTreeSet<String> = children.flat_map(|table| self.family(&table.name)).collect();
        family.insert(name.to_owned());
        family
    }

    /// Whether the first table is the second or extends it.
    pub fn is_a(&self, name: &str, ancestor: &str) -> bool {
        name == ancestor
            || self
                .tables
                .get(name)
                .is_some_and(|table| !table.extends.is_empty() && self.is_a(&table.extends, ancestor))
    }

    /// Returns the column at the end of a path like `caller_id.email`. Returns `None` if a step of the path does not
    /// exist.
    pub fn column_at(&self, table: &str, path: &str) -> Option<&Column> {
        let table = self.tables.get(table)?;
        match path.split_once('.') {
            None => table.columns.get(path),
            Some((first, rest)) => {
                let column = table.columns.get(first).filter(|column| column.kind == ColumnKind::Reference)?;
                self.column_at(&column.reference, rest)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incident_inherits_from_task_and_paths_follow_references() {
        let schema = Schema::platform();
        let incident = schema.table("incident").unwrap();
        assert_eq!(incident.columns["comments"].kind, ColumnKind::Journal);
        assert!(incident.columns["close_code"].choice);
        assert_eq!(schema.column_at("incident", "caller_id.email").unwrap().kind, ColumnKind::Text);
        assert!(schema.column_at("incident", "short_description.email").is_none());
        assert!(schema.column_at("incident", "nonsense").is_none());
        assert!(schema.family("task").contains("problem"));
        assert!(schema.is_a("incident", "task"));
        assert!(schema.table("cmdb_ci_linux_server").unwrap().columns.contains_key("serial_number"));
        assert_eq!(incident.journals().collect::<Vec<_>>(), ["comments", "work_notes"]);
    }
}
