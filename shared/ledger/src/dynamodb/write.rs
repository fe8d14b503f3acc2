//! A conditional write to a link's row: one UpdateItem or DeleteItem, or the first item of a transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, ReturnValuesOnConditionCheckFailure, Update};

use crate::dynamodb::rows::Keys;

/// The condition of a write that takes a lease: no attempt has it, it has expired, or this attempt has it already.
pub(super) const FREE: &str =
    "attribute_not_exists(#lease_owner) OR #lease_until <= :now OR #lease_owner = :lease_owner";

/// Like [`FREE`], and the link has the claim that is asked for.
pub(super) const FREE_AND_CLAIMED: &str = "#claim = :claim AND (attribute_not_exists(#lease_owner) OR \
    #lease_until <= :now OR #lease_owner = :lease_owner)";

/// The condition of a wake-up: the link exists, and no attempt has its lease.
pub(super) const THERE_AND_FREE: &str =
    "attribute_exists(#revision) AND (attribute_not_exists(#lease_owner) OR #lease_until <= :now)";

/// The condition of an order of a transfer: there is none with its id.
pub(super) const NEW: &str = "attribute_not_exists(#revision)";

/// The condition of a write that takes a transfer: it exists, and no attempt has its lease, the lease has expired, or this
/// attempt has it already.
pub(super) const THERE_AND_TAKEABLE: &str = "attribute_exists(#revision) AND (attribute_not_exists(#lease_owner) OR \
    #lease_until <= :now OR #lease_owner = :lease_owner)";

/// The condition of a claim: the link still has the due time that was seen.
pub(super) const DUE_AS_SEEN: &str = "#due_at = :seen";

/// The condition of a link that is created beside a write: the link remembers nothing yet.
pub(super) const WITHOUT_STATE: &str = "attribute_not_exists(#state)";

/// The condition of a write under a lease: the caller has the lease, in the revision that it knows.
pub(super) const UNDER_LEASE: &str = "#lease_owner = :holder AND #revision = :expected";

/// Like [`UNDER_LEASE`], and the link is not dirty.
pub(super) const UNDER_CLEAN_LEASE: &str =
    "#lease_owner = :holder AND #revision = :expected AND attribute_not_exists(#dirty)";

/// A conditional write to one row. In expressions `#name` stands for the attribute of that name.
#[derive(Debug, Clone)]
pub(super) struct ConditionalWrite {
    keys: Keys,
    condition: &'static str,
    sets: Vec<String>,
    removes: Vec<String>,
    deletes: bool,
    values: HashMap<String, AttributeValue>,
}

impl ConditionalWrite {
    /// Creates a write on this condition.
    pub(super) fn new(keys: Keys, condition: &'static str) -> Self {
        Self { keys, condition, sets: Vec::new(), removes: Vec::new(), deletes: false, values: HashMap::new() }
    }

    /// Sets the value of a placeholder of the condition.
    pub(super) fn bind(mut self, placeholder: &'static str, value: AttributeValue) -> Self {
        self.values.insert(placeholder.to_owned(), value);
        self
    }

    /// Sets an attribute.
    pub(super) fn set(mut self, attribute: &'static str, value: AttributeValue) -> Self {
        self.sets.push(format!("#{attribute} = :{attribute}"));
        self.values.insert(format!(":{attribute}"), value);
        self
    }

    /// Sets an attribute if the row does not have it yet.
    pub(super) fn set_once(mut self, attribute: &'static str, value: AttributeValue) -> Self {
        self.sets.push(format!("#{attribute} = if_not_exists(#{attribute}, :{attribute})"));
        self.values.insert(format!(":{attribute}"), value);
        self
    }

    /// Sets an attribute, or removes it if the value is `None`.
    pub(super) fn set_or_remove(self, attribute: &'static str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(attribute, value),
            None => self.remove(attribute),
        }
    }

    /// Removes an attribute.
    pub(super) fn remove(mut self, attribute: &'static str) -> Self {
        self.removes.push(format!("#{attribute}"));
        self
    }

    /// Deletes the row instead of updating it.
    pub(super) fn delete(mut self) -> Self {
        self.deletes = true;
        self
    }

    pub(super) fn deletes(&self) -> bool {
        self.deletes
    }

    pub(super) fn keys(&self) -> HashMap<String, AttributeValue> {
        self.keys.attributes()
    }

    pub(super) fn condition(&self) -> &'static str {
        self.condition
    }

    /// Returns the expression for what it sets and removes: empty if it deletes the row.
    pub(super) fn update_expression(&self) -> String {
        let clause = |verb: &str, parts: &[String]| {
            if parts.is_empty() { String::new() } else { format!("{verb} {} ", parts.join(", ")) }
        };
        if self.deletes {
            return String::new();
        }
        format!("{}{}", clause("SET", &self.sets), clause("REMOVE", &self.removes)).trim_end().to_owned()
    }

    /// Returns the names behind the placeholders that the expressions use. DynamoDB refuses a name that no expression
    /// uses.
    pub(super) fn names(&self) -> HashMap<String, String> {
        let expressions = format!("{} {}", self.condition, self.update_expression());
        expressions
            .split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_' || letter == '#'))
            .filter_map(|word| word.strip_prefix('#'))
            .map(|name| (format!("#{name}"), name.to_owned()))
            .collect()
    }

    pub(super) fn values(&self) -> HashMap<String, AttributeValue> {
        self.values.clone()
    }

    /// Returns the write as an update within a transaction.
    pub(super) fn to_update(&self, table: &str) -> Result<Update, aws_sdk_dynamodb::error::BuildError> {
        Update::builder()
            .table_name(table)
            .set_key(Some(self.keys()))
            .update_expression(self.update_expression())
            .condition_expression(self.condition)
            .set_expression_attribute_names(Some(self.names()))
            .set_expression_attribute_values(Some(self.values()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
    }

    /// Returns the write as a deletion within a transaction.
    pub(super) fn to_delete(&self, table: &str) -> Result<Delete, aws_sdk_dynamodb::error::BuildError> {
        Delete::builder()
            .table_name(table)
            .set_key(Some(self.keys()))
            .condition_expression(self.condition)
            .set_expression_attribute_names(Some(self.names()))
            .set_expression_attribute_values(Some(self.values()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamodb::rows::number;

    #[test]
    fn names_and_values_are_those_of_the_expressions() {
        let keys = Keys { partition: "p".to_owned(), sort: "s".to_owned() };
        let write = ConditionalWrite::new(keys, UNDER_LEASE)
            .bind(":holder", AttributeValue::S("a".to_owned()))
            .bind(":expected", number(&1))
            .set("state", AttributeValue::S("{}".to_owned()))
            .set_or_remove("mod_count", None);
        assert_eq!(write.update_expression(), "SET #state = :state REMOVE #mod_count");
        let mut names: Vec<String> = write.names().into_values().collect();
        names.sort();
        assert_eq!(names, ["lease_owner", "mod_count", "revision", "state"]);
        assert_eq!(write.values().len(), 3);
    }
}
