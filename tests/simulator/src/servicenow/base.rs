//! The records of an instance on its first day: demo users and groups, choices, roles, the tables' own descriptions.

use std::{collections::BTreeMap, sync::LazyLock};

use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{
    User,
    schema::{Column, Schema, Table},
    state::named_identifier,
    store::{Row, Store, field},
};

const DEMO_DATA: &str = include_str!("demo_data.json");
/// The time at which the instance was made, in its first records.
const FIRST_DAY: &str = "2026-01-01 00:00:00";
/// The size of the large demo data: several pages for clients under test. A stock instance gives the role `admin` to a
/// dozen of its demo users, and the role `itil` to hundreds.
const LARGE_USERS: usize = 600;
const LARGE_ADMINISTRATORS: usize = 14;
const LARGE_AGENTS: usize = 300;
const LARGE_PROBLEMS: usize = 80;
const LARGE_LOG_LINES: usize = 700;
/// The role that marks internal users. It gives no rights. A stock instance gives it to all users that it comes with, and
/// to later ones when they first log in. Source: ServiceNow KB0748329, *Explicit Roles*.
const INTERNAL_ROLE: &str = "snc_internal";
/// The roles that have the same `sys_id` on every instance, as clients know.
const STOCK_ROLES: [(&str, &str); 2] =
    [("admin", "2831a114c611228501d4ea6c309d626d"), ("itil", "282bf1fac6112285017366cb5f867469")];

#[derive(Deserialize)]
struct DemoData {
    choices: BTreeMap<String, BTreeMap<String, String>>,
    roles: Vec<String>,
    contained_roles: BTreeMap<String, Vec<String>>,
    users: Vec<Row>,
    groups: Vec<Row>,
    /// The records of other tables.
    records: BTreeMap<String, Vec<Row>>,
    /// The groups of the large demo data that have a role, with its name.
    role_groups: BTreeMap<String, String>,
}

fn demo_data() -> DemoData {
    serde_json::from_str(DEMO_DATA).expect("the demo data is part of the source")
}

/// Returns the records of the first day. Copies share them.
pub fn store(large: bool) -> Store {
    static SMALL: LazyLock<Store> = LazyLock::new(small_store);
    static LARGE: LazyLock<Store> = LazyLock::new(|| {
        let mut store = SMALL.clone();
        add_large_data(&mut store);
        store
    });
    if large { LARGE.clone() } else { SMALL.clone() }
}

fn small_store() -> Store {
    let data = demo_data();
    let mut store = Store::default();
    for (column, choices) in data.choices {
        let (table, element) = column.split_once('.').unwrap_or_default();
        for (position, (value, label)) in choices.iter().enumerate() {
            let sequence = position.to_string();
            put(
                &mut store,
                "sys_choice",
                &named_identifier(&format!("choice:{column}:{value}")),
                &[
                    ("name", table),
                    ("element", element),
                    ("value", value),
                    ("label", label),
                    ("language", "en"),
                    ("sequence", &sequence),
                    ("inactive", "false"),
                ],
            );
        }
    }
    for role in &data.roles {
        put_role(&mut store, role);
    }
    for (role, contained) in &data.contained_roles {
        for inner in contained {
            let (outer_id, inner_id) = (role_identifier(role), role_identifier(inner));
            let sys_id = named_identifier(&format!("contains:{role}:{inner}"));
            put(&mut store, "sys_user_role_contains", &sys_id, &[("role", &outer_id), ("contains", &inner_id)]);
        }
    }
    for mut user in data.users {
        let name = format!("{} {}", field(&user, "first_name"), field(&user, "last_name"));
        user.insert("name".to_owned(), name);
        put_active(&mut store, "sys_user", user);
    }
    for group in data.groups {
        put_active(&mut store, "sys_user_group", group);
    }
    for (table, rows) in data.records {
        for row in rows {
            put_row(&mut store, &table, row);
        }
    }
    grant(&mut store, "admin", "6816f79cc0a8016401c5a33be04be441");
    for (table, sys_id, row) in describe_tables(Schema::platform(), &Schema::default()) {
        store.put(&table, &sys_id, row);
    }
    store
}

fn add_large_data(store: &mut Store) {
    for number in 0..LARGE_USERS {
        let (user_name, last_name) = (format!("demo.user{number:04}"), format!("User {number:04}"));
        let (name, email) = (format!("Demo {last_name}"), format!("{user_name}@example.com"));
        let columns = [
            ("user_name", user_name.as_str()),
            ("first_name", "Demo"),
            ("last_name", &last_name),
            ("name", &name),
            ("email", &email),
            ("active", "true"),
        ];
        let sys_id = named_identifier(&user_name);
        put(store, "sys_user", &sys_id, &columns);
        grant(store, INTERNAL_ROLE, &sys_id);
        if number < LARGE_ADMINISTRATORS {
            grant(store, "admin", &sys_id);
        } else if number < LARGE_ADMINISTRATORS + LARGE_AGENTS {
            grant(store, "itil", &sys_id);
        }
    }
    for (name, role) in demo_data().role_groups {
        let (group, role) = (named_identifier(&format!("group:{name}")), put_role(store, &role));
        put(store, "sys_user_group", &group, &[("name", &name), ("active", "true")]);
        let sys_id = named_identifier(&format!("group role:{name}"));
        put(store, "sys_group_has_role", &sys_id, &[("group", &group), ("role", &role), ("inherits", "true")]);
    }
    for number in 0..LARGE_PROBLEMS {
        let name = format!("PRB{:07}", 40_000 + number);
        let columns = [
            ("number", name.as_str()),
            ("short_description", "A problem of the demo data"),
            ("active", "true"),
            ("state", "101"),
            ("priority", "4"),
            ("impact", "3"),
            ("urgency", "2"),
            ("opened_by", "6816f79cc0a8016401c5a33be04be441"),
            ("sys_class_name", "problem"),
        ];
        put(store, "problem", &named_identifier(&name), &columns);
    }
    for number in 0..LARGE_LOG_LINES {
        let message = format!("demo line {number}");
        put(store, "syslog", &named_identifier(&message), &[("level", "0"), ("message", &message)]);
    }
}

/// Returns a record with the system's columns of the first day, except those that it has already.
pub fn stamped(mut row: Row) -> Row {
    let columns = [
        ("sys_created_on", FIRST_DAY),
        ("sys_created_by", "admin"),
        ("sys_updated_on", FIRST_DAY),
        ("sys_updated_by", "admin"),
        ("sys_mod_count", "0"),
    ];
    for (name, value) in columns {
        row.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    row
}

fn put(store: &mut Store, table: &str, sys_id: &str, columns: &[(&str, &str)]) {
    let mut row: Row = columns.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    row.insert("sys_id".to_owned(), sys_id.to_owned());
    store.put(table, sys_id, stamped(row));
}

fn put_row(store: &mut Store, table: &str, row: Row) {
    let sys_id = field(&row, "sys_id").to_owned();
    store.put(table, &sys_id, stamped(row));
}

fn put_active(store: &mut Store, table: &str, mut row: Row) {
    row.insert("active".to_owned(), "true".to_owned());
    put_row(store, table, row);
}

fn role_identifier(name: &str) -> String {
    let stock = STOCK_ROLES.iter().find(|(role, _)| *role == name);
    stock.map_or_else(|| named_identifier(&format!("role:{name}")), |(_, sys_id)| (*sys_id).to_owned())
}

fn put_role(store: &mut Store, name: &str) -> String {
    if let Some(row) = store.find_by("sys_user_role", "name", name) {
        return field(row, "sys_id").to_owned();
    }
    let sys_id = role_identifier(name);
    put(store, "sys_user_role", &sys_id, &[("name", name)]);
    sys_id
}

fn grant(store: &mut Store, role: &str, user: &str) {
    let role_id = put_role(store, role);
    let sys_id = named_identifier(&format!("grant:{user}:{role}"));
    put(store, "sys_user_has_role", &sys_id, &[("user", user), ("role", &role_id), ("state", "active")]);
}

/// Adds a user of the configuration, or gives a user of the demo data a password and roles.
pub fn put_user(store: &mut Store, user: &User) {
    let known = store.find_by("sys_user", "user_name", &user.user_name).map(|row| row.as_ref().clone());
    let mut row = known.unwrap_or_else(|| {
        stamped(Row::from([
            ("sys_id".to_owned(), named_identifier(&format!("user:{}", user.user_name))),
            ("user_name".to_owned(), user.user_name.clone()),
            ("name".to_owned(), user.user_name.clone()),
            ("active".to_owned(), "true".to_owned()),
        ]))
    });
    row.insert("user_password".to_owned(), user.password.expose_secret().to_owned());
    let name = format!("{} {}", user.first_name, user.last_name);
    if !name.trim().is_empty() {
        row.insert("first_name".to_owned(), user.first_name.clone());
        row.insert("last_name".to_owned(), user.last_name.clone());
        row.insert("name".to_owned(), name.trim().to_owned());
    }
    let sys_id = field(&row, "sys_id").to_owned();
    store.put("sys_user", &sys_id, row);
    for role in &user.roles {
        grant(store, role, &sys_id);
    }
}

/// Returns the platform's records of the tables and columns that are not in `known`: `sys_db_object` and
/// `sys_dictionary`.
pub fn describe_tables(schema: &Schema, known: &Schema) -> Vec<(String, String, Row)> {
    let mut records = Vec::new();
    for table in schema.tables() {
        let known_table = known.table(&table.name);
        if known_table.is_none() {
            records.push(describe_table(table));
        }
        for (name, column) in &table.columns {
            if known_table.is_none_or(|known| !known.columns.contains_key(name)) {
                records.push(describe_column(&table.name, name, column));
            }
        }
    }
    records
}

fn table_identifier(name: &str) -> String {
    if name.is_empty() { String::new() } else { named_identifier(&format!("table:{name}")) }
}

fn describe_table(table: &Table) -> (String, String, Row) {
    let columns = [
        ("name", table.name.clone()),
        ("label", table.label.clone()),
        ("super_class", table_identifier(&table.extends)),
        ("ws_access", table.web_service_access.to_string()),
    ];
    described("sys_db_object", table_identifier(&table.name), columns)
}

fn describe_column(table: &str, name: &str, column: &Column) -> (String, String, Row) {
    let columns = [
        ("name", table.to_owned()),
        ("element", name.to_owned()),
        ("internal_type", column.kind.internal_type().to_owned()),
        ("column_label", column.label.clone()),
        ("reference", column.reference.clone()),
        ("max_length", column.max_length.map(|length| length.to_string()).unwrap_or_default()),
        ("active", "true".to_owned()),
    ];
    described("sys_dictionary", named_identifier(&format!("column:{table}:{name}")), columns)
}

fn described<const COUNT: usize>(
    table: &str,
    sys_id: String,
    columns: [(&str, String); COUNT],
) -> (String, String, Row) {
    let mut row: Row = columns.map(|(name, value)| (name.to_owned(), value)).into();
    row.insert("sys_id".to_owned(), sys_id.clone());
    (table.to_owned(), sys_id, stamped(row))
}
