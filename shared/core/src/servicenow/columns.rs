//! The app's own columns on an incident.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The column of a kind that names the account of its record. The app tells the state of the account that it names.
pub const ACCOUNT: &str = "account";

/// The app's columns on incident (`x_casebridge_aws_*`) that one link writes or sees. No person writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BridgeColumns {
    /// The columns that belong to one kind of link alone, by their names without the prefix `x_casebridge_aws_`. A
    /// delivery that leaves one out leaves it as it is. The app refuses a name that does not belong to the kind.
    #[serde(flatten)]
    pub own: BTreeMap<String, String>,
    /// `pending`, `in_sync`, `waiting` or `error`; empty for a link without anything to show.
    pub sync_status: String,
    /// What is wrong and what to do, in plain words. Empty if nothing is wrong.
    pub last_error: String,
}

impl BridgeColumns {
    /// Returns the text of a column that belongs to one kind alone. Empty if the column is absent.
    pub fn own(&self, name: &str) -> &str {
        self.own.get(name).map_or("", String::as_str)
    }

    /// Whether all columns are empty.
    pub fn are_empty(&self) -> bool {
        self.sync_status.is_empty() && self.last_error.is_empty() && self.own.values().all(String::is_empty)
    }

    /// Whether these columns of an incident match the columns that a link wants. A column that the link does not write
    /// may hold any text.
    pub fn show(&self, wanted: &Self) -> bool {
        let same_status = self.sync_status == wanted.sync_status && self.last_error == wanted.last_error;
        same_status && wanted.own.iter().all(|(name, text)| self.own(name) == text)
    }

    /// Returns the columns for an incident whose link has become too large to be recorded.
    pub(crate) fn of_full_link(&self) -> Self {
        let last_error = "casebridge remembers more of this incident than one link can hold and stopped here. Open a new \
                          incident, and tell the operators of casebridge.";
        Self { sync_status: "error".to_owned(), last_error: last_error.to_owned(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(own: &[(&str, &str)], sync_status: &str) -> BridgeColumns {
        let own = own.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        BridgeColumns { own, sync_status: sync_status.to_owned(), last_error: String::new() }
    }

    #[test]
    fn the_columns_of_a_kind_stand_beside_the_status() {
        let json = r#"{"account":"111122223333","case_id":"","sync_status":"pending","last_error":""}"#;
        let read: BridgeColumns = serde_json::from_str(json).unwrap();
        assert_eq!(read, columns(&[("account", "111122223333"), ("case_id", "")], "pending"));
        assert_eq!(serde_json::to_string(&read).unwrap(), json, "an empty column is written: that clears it");
        assert_eq!((read.own("account"), read.own("case_id"), read.own("none")), ("111122223333", "", ""));
    }

    #[test]
    fn a_column_that_the_link_does_not_write_makes_no_difference() {
        let said = columns(&[("account", "1"), ("case_id", "")], "in_sync");
        for (shown, expected) in [
            (columns(&[("account", "1"), ("case_id", "")], "in_sync"), true),
            (columns(&[("account", "1"), ("of_a_newer_app", "text")], "in_sync"), true),
            (columns(&[("account", "2")], "in_sync"), false),
            (columns(&[], "in_sync"), false),
            (columns(&[("account", "1")], "waiting"), false),
            (BridgeColumns { last_error: "e".to_owned(), ..columns(&[("account", "1")], "in_sync") }, false),
        ] {
            assert_eq!(shown.show(&said), expected, "{shown:?}");
        }
    }

    #[test]
    fn columns_are_empty_where_all_texts_are() {
        assert!(BridgeColumns::default().are_empty() && columns(&[("account", "")], "").are_empty());
        assert!(!columns(&[("account", "1")], "").are_empty() && !columns(&[], "pending").are_empty());
        assert!(!BridgeColumns { last_error: "e".to_owned(), ..BridgeColumns::default() }.are_empty());
    }

    #[test]
    fn the_columns_of_a_full_link_keep_the_name_of_its_record_and_say_that_it_is_full() {
        let full = columns(&[("account", "1")], "in_sync").of_full_link();
        assert_eq!((full.own("account"), full.sync_status.as_str()), ("1", "error"));
        assert!(full.last_error.contains("Open a new incident"), "{}", full.last_error);
    }
}
