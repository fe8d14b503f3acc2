//! The records: tables of rows. A copy is cheap, since copies share the rows that neither has changed.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    query::{self, Order, Query},
    schema::{Schema, Table},
    view::View,
};

/// A record, without its empty columns.
pub type Row = BTreeMap<String, String>;

/// Returns a record's column. Returns an empty text if it has none.
pub fn field<'a>(row: &'a Row, name: &str) -> &'a str {
    row.get(name).map_or("", String::as_str)
}

/// All records of an instance.
#[derive(Debug, Clone, Default)]
pub struct Store {
    tables: BTreeMap<String, Arc<BTreeMap<String, Arc<Row>>>>,
}

impl Store {
    /// Returns a record of exactly this table. Returns `None` if there is none.
    pub fn row(&self, table: &str, sys_id: &str) -> Option<&Arc<Row>> {
        self.tables.get(table)?.get(sys_id)
    }

    /// Returns a record of this table or of one that extends it, with the record's own table. Returns `None` if there
    /// is none.
    pub fn find<'a>(&'a self, schema: &'a Schema, table: &str, sys_id: &str) -> Option<(&'a Arc<Table>, &'a Arc<Row>)> {
        if let Some(row) = self.row(table, sys_id) {
            return schema.table(table).map(|table| (table, row));
        }
        schema.family(table).iter().find_map(|member| Some((schema.table(member)?, self.row(member, sys_id)?)))
    }

    /// Returns the records of exactly this table, by `sys_id`.
    pub fn rows(&self, table: &str) -> impl Iterator<Item = (&String, &Arc<Row>)> {
        self.tables.get(table).into_iter().flat_map(|rows| rows.iter())
    }

    /// Returns the first record of exactly this table whose column has this value. Returns `None` if there is none.
    pub fn find_by(&self, table: &str, column: &str, value: &str) -> Option<&Arc<Row>> {
        self.rows(table).map(|(_, row)| row).find(|row| field(row, column) == value)
    }

    /// Stores a record.
    pub fn put(&mut self, table: &str, sys_id: &str, row: Row) {
        let rows = self.tables.entry(table.to_owned()).or_default();
        Arc::make_mut(rows).insert(sys_id.to_owned(), Arc::new(row));
    }

    /// Removes a record.
    pub fn remove(&mut self, table: &str, sys_id: &str) -> Option<Arc<Row>> {
        Arc::make_mut(self.tables.get_mut(table)?).remove(sys_id)
    }

    /// Returns the records of a table and of those that extend it that match, in the query's order, see
    /// [`Self::select_where`].
    pub fn select<'a>(&'a self, schema: &'a Schema, table: &str, query: &Query) -> Vec<View<'a>> {
        self.select_where(schema, table, query.identifier(), &query.order, |view| query.matches(view))
    }

    /// Returns the records of a table and of those that extend it that `accepts` accepts, in this order. The platform
    /// promises no order for records that are equal in it. Here the greatest `sys_id` comes first, since a client might
    /// expect the smallest. If only one record is possible, its `sys_id` makes the search unnecessary.
    pub fn select_where<'a>(
        &'a self,
        schema: &'a Schema,
        table: &str,
        sys_id: Option<&str>,
        order: &[Order],
        accepts: impl Fn(&View<'a>) -> bool,
    ) -> Vec<View<'a>> {
        let mut found = Vec::new();
        for member in schema.family(table) {
            let Some(definition) = schema.table(&member) else { continue };
            let mut consider = |row: &'a Row| {
                let view = View::new(schema, self, definition, row);
                if accepts(&view) {
                    found.push(view);
                }
            };
            match sys_id {
                Some(sys_id) => self.row(&member, sys_id).into_iter().for_each(|row| consider(row)),
                None => self.rows(&member).for_each(|(_, row)| consider(row)),
            }
        }
        found.reverse();
        if !order.is_empty() {
            found.sort_by(|left, right| query::compare(order, left, right));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident(sys_id: &str, number: &str, state: &str) -> Row {
        [("sys_id", sys_id), ("number", number), ("state", state)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    fn numbers(store: &Store, query: &str) -> Vec<String> {
        let found = store.select(Schema::platform(), "task", &Query::parse(query));
        found.into_iter().map(|view| field(view.row, "number").to_owned()).collect()
    }

    #[test]
    fn selects_through_the_parent_table_in_order() {
        let mut store = Store::default();
        store.put("incident", "a", incident("a", "INC3", "1"));
        store.put("incident", "b", incident("b", "INC2", "10"));
        store.put("incident", "c", incident("c", "INC1", "2"));
        assert_eq!(numbers(&store, "ORDERBYnumber"), ["INC1", "INC2", "INC3"]);
        assert_eq!(numbers(&store, "state>1^ORDERBYDESCstate"), ["INC2", "INC1"]);
        assert_eq!(numbers(&store, "state=1^NQnumber=INC1"), ["INC1", "INC3"], "the greatest `sys_id` first");
        assert_eq!(numbers(&store, "no_such_column=1").len(), 3, "an unknown column is ignored");
    }

    #[test]
    fn a_copy_does_not_see_later_changes() {
        let mut store = Store::default();
        store.put("incident", "a", incident("a", "INC1", "1"));
        let copy = store.clone();
        store.remove("incident", "a");
        assert!(copy.row("incident", "a").is_some());
        assert!(store.row("incident", "a").is_none());
    }
}
