//! Access control of the Table API. It does not apply to scripts.

use std::collections::BTreeSet;

use super::{
    app::App,
    records::Actor,
    store::{Store, field},
};

/// An operation on a record or a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say what they are")]
pub enum Operation {
    Read,
    Write,
    Create,
    Delete,
}

impl Operation {
    /// Returns the platform's name of the operation.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Create => "create",
            Self::Delete => "delete",
        }
    }
}

/// An access control that an app brings: a table (`name`), a column (`name.column`) or an endpoint.
#[derive(Debug, Clone)]
pub struct AccessControl {
    /// Its record.
    pub sys_id: String,
    /// `record` or `REST_Endpoint`.
    pub kind: String,
    /// What it protects.
    pub name: String,
    /// `read`, `write`, `create`, `delete` or `execute`.
    pub operation: String,
    /// The roles that it admits, any of them. If the list is empty, it admits everybody.
    pub roles: Vec<String>,
}

impl AccessControl {
    /// Whether it admits the user.
    pub fn admits(&self, actor: &Actor) -> bool {
        self.roles.is_empty() || self.roles.iter().any(|role| actor.has_role(role))
    }
}

/// The roles for a platform table: to read, and to write, create or delete. An empty list means every user.
struct PlatformAccess {
    table: &'static str,
    read: &'static [&'static str],
    change: &'static [&'static str],
}

const EVERYONE: &[&str] = &[];
const ADMINISTRATORS: &[&str] = &["admin"];
const PLATFORM_ACCESS: &[PlatformAccess] = &[
    PlatformAccess {
        table: "incident",
        read: &["itil", "sn_incident_read", "sn_incident_write"],
        change: &["itil", "sn_incident_write"],
    },
    PlatformAccess { table: "problem", read: &["itil"], change: &["itil"] },
    PlatformAccess { table: "change_request", read: &["itil"], change: &["itil"] },
    PlatformAccess { table: "task", read: &["itil"], change: &["itil"] },
    PlatformAccess { table: "sys_user", read: EVERYONE, change: &["user_admin"] },
    PlatformAccess { table: "sys_user_group", read: EVERYONE, change: &["user_admin"] },
    PlatformAccess { table: "sys_user_grmember", read: EVERYONE, change: &["user_admin"] },
    PlatformAccess { table: "sys_user_role", read: &["user_admin"], change: ADMINISTRATORS },
    PlatformAccess { table: "sys_user_has_role", read: &["user_admin"], change: &["user_admin"] },
    PlatformAccess { table: "sys_choice", read: EVERYONE, change: ADMINISTRATORS },
    PlatformAccess { table: "sys_attachment", read: &["itil", "sn_incident_read"], change: &["itil"] },
    PlatformAccess { table: "cmdb_ci", read: &["itil"], change: &["itil"] },
    PlatformAccess { table: "cmn_department", read: EVERYONE, change: &["user_admin"] },
    PlatformAccess { table: "std_change_producer_version", read: &["itil"], change: ADMINISTRATORS },
];

/// Whether the user may do this to records of the table. The app's own controls come first. Without any control, a
/// table of the platform is open to administrators only, and a table of the app to everybody: instances differ there.
pub fn allows(app: &App, actor: &Actor, table: &str, operation: Operation) -> bool {
    if actor.is_admin() {
        return true;
    }
    let mut controls = app.controls_of(table, operation.name()).peekable();
    if controls.peek().is_some() {
        if controls.any(|control| control.admits(actor)) {
            return true;
        }
    } else if app.owns(table) {
        return true;
    }
    platform_access(app, table).is_some_and(|access| {
        let roles = if operation == Operation::Read { access.read } else { access.change };
        roles.is_empty() || roles.iter().any(|role| actor.has_role(role))
    })
}

/// Returns the access to a platform table: its own, or else that of the table that it extends.
fn platform_access(app: &App, table: &str) -> Option<&'static PlatformAccess> {
    let own = PLATFORM_ACCESS.iter().find(|access| access.table == table);
    own.or_else(|| platform_access(app, &app.schema.table(table)?.extends))
}

/// Whether the user may do this to the column. A column without a control for the operation follows its table. So a
/// column that may not be written may still get a value when the record is created.
pub fn allows_column(app: &App, actor: &Actor, table: &str, column: &str, operation: Operation) -> bool {
    if actor.is_admin() {
        return true;
    }
    let name = format!("{table}.{column}");
    let mut controls = app.controls_of(&name, operation.name()).peekable();
    controls.peek().is_none() || controls.any(|control| control.admits(actor))
}

/// Returns the roles of a user, given directly or through a group, with all roles that they contain.
pub fn roles_of(store: &Store, user: &str) -> BTreeSet<String> {
    let mut waiting: Vec<String> = store
        .rows("sys_user_has_role")
        .filter(|(_, row)| field(row, "user") == user)
        .map(|(_, row)| field(row, "role").to_owned())
        .collect();
    let groups = store.rows("sys_user_grmember").filter(|(_, row)| field(row, "user") == user);
    for (_, membership) in groups {
        let group = field(membership, "group");
        let granted = store.rows("sys_group_has_role").filter(|(_, row)| field(row, "group") == group);
        waiting.extend(granted.map(|(_, row)| field(row, "role").to_owned()));
    }
    let mut seen = BTreeSet::new();
    let mut names = BTreeSet::new();
    while let Some(role) = waiting.pop() {
        if !seen.insert(role.clone()) {
            continue;
        }
        if let Some(row) = store.row("sys_user_role", &role) {
            names.insert(field(row, "name").to_owned());
        }
        let contained = store.rows("sys_user_role_contains").filter(|(_, row)| field(row, "role") == role);
        waiting.extend(contained.map(|(_, row)| field(row, "contains").to_owned()));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servicenow::{base, store::Row};

    fn actor(roles: &[&str]) -> Actor {
        Actor { roles: roles.iter().map(|role| (*role).to_owned()).collect(), ..Actor::default() }
    }

    #[test]
    fn tables_are_read_and_written_by_their_roles() {
        let app = App::platform();
        assert!(allows(&app, &actor(&["itil"]), "incident", Operation::Write));
        assert!(allows(&app, &actor(&["sn_incident_read"]), "incident", Operation::Read));
        assert!(!allows(&app, &actor(&["sn_incident_read"]), "incident", Operation::Write));
        assert!(!allows(&app, &actor(&["itil"]), "sys_journal_field", Operation::Read));
        assert!(allows(&app, &actor(&["admin"]), "sys_journal_field", Operation::Read));
        assert!(allows(&app, &actor(&[]), "sys_choice", Operation::Read));
        assert!(!allows(&app, &actor(&[]), "sys_properties", Operation::Read));
    }

    #[test]
    fn roles_come_through_groups_and_contain_others() {
        let mut store = base::store(false);
        let role = store.find_by("sys_user_role", "name", "itil").unwrap()["sys_id"].clone();
        let row = |pairs: &[(&str, &str)]| -> Row {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        store.put("sys_user_grmember", "m", row(&[("user", "u"), ("group", "g")]));
        store.put("sys_group_has_role", "r", row(&[("group", "g"), ("role", &role)]));
        let roles = roles_of(&store, "u");
        assert!(roles.contains("itil") && roles.contains("sn_incident_write"), "{roles:?}");
        assert!(roles_of(&store, "other").is_empty());
    }
}
