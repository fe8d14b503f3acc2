//! Encoded queries: `active=true^stateIN1,2^ORpriority<3^NQnumber=INC0010001^ORDERBYnumber`.

use std::cmp::Ordering;

use super::{schema::ColumnKind, view::View};

/// The operators, in the order in which they are tried: a longer one before any that it starts with.
const OPERATORS: [(&str, Operator); 30] = [
    ("VALCHANGES", Operator::Changes),
    ("CHANGESFROM", Operator::ChangesFrom),
    ("CHANGESTO", Operator::ChangesTo),
    ("CHANGES", Operator::Changes),
    ("ISNOTEMPTY", Operator::IsNotEmpty),
    ("ISEMPTY", Operator::IsEmpty),
    ("EMPTYSTRING", Operator::IsEmpty),
    ("ANYTHING", Operator::Anything),
    ("STARTSWITH", Operator::StartsWith),
    ("ENDSWITH", Operator::EndsWith),
    ("DOES NOT CONTAIN", Operator::NotLike),
    ("CONTAINS", Operator::Like),
    ("NOT LIKE", Operator::NotLike),
    ("NOTLIKE", Operator::NotLike),
    ("LIKE", Operator::Like),
    ("NOT IN", Operator::NotIn),
    ("NOTIN", Operator::NotIn),
    ("INSTANCEOF", Operator::InstanceOf),
    ("IN", Operator::In),
    ("BETWEEN", Operator::Between),
    ("NSAMEAS", Operator::NotSameAs),
    ("SAMEAS", Operator::SameAs),
    ("ON", Operator::On),
    ("!=", Operator::NotEqual),
    ("<>", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
];

/// How the parts about other tables begin and end.
const JOIN_START: &str = "JOIN";
const LIST_START: &str = "RLQUERY";
const LIST_END: &str = "^ENDRLQUERY";

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named after the platform's operator")]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Like,
    NotLike,
    StartsWith,
    EndsWith,
    IsEmpty,
    IsNotEmpty,
    Anything,
    Between,
    SameAs,
    NotSameAs,
    On,
    InstanceOf,
    Changes,
    ChangesFrom,
    ChangesTo,
}

impl Operator {
    /// Reads a single operator, as a script's `addQuery` names it. Returns `None` for an unknown one.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_uppercase();
        OPERATORS.iter().find(|(name, _)| *name == text).map(|(_, operator)| *operator)
    }
}

/// One comparison of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The column, or a path to one.
    pub field: String,
    /// The comparison.
    pub operator: Operator,
    /// The value that it compares with.
    pub value: String,
}

/// A column to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The column, or a path to one.
    pub field: String,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// Conditions of which at least one must hold.
pub type AnyOf = Vec<Condition>;

/// A query. Its alternatives (`^NQ`) are lists of groups that must all hold (`^`). A group is a list of conditions of
/// which at least one must hold (`^OR`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The alternatives. If the list is empty, everything matches.
    pub alternatives: Vec<Vec<AnyOf>>,
    /// The conditions on the records of other tables that belong to the record.
    pub related: Vec<Related>,
    /// The order of the result.
    pub order: Vec<Order>,
}

/// A condition on the number of another table's records that belong to a record. `JOIN` requires at least one,
/// `RLQUERY` names a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The record's own column.
    pub own_field: String,
    /// The other table.
    pub table: String,
    /// The other table's column that holds the same value.
    pub field: String,
    /// What the other records must match.
    pub query: Query,
    /// How their number is compared, and with what.
    pub count: (Operator, usize),
}

impl Related {
    /// Reads `table.field=other.field!conditions`.
    fn parse_join(text: &str) -> Option<Self> {
        let (columns, conditions) = text.split_once('!')?;
        let (own, other) = columns.split_once('=')?;
        let (_, own_field) = own.split_once('.')?;
        let (table, field) = other.split_once('.')?;
        Some(Self::new(own_field, table, field, conditions, (Operator::Greater, 0)))
    }

    /// Reads `other.field,>0[,m2m][^conditions]`.
    fn parse_related_list(text: &str) -> Option<Self> {
        let (columns, conditions) = text.split_once('^').unwrap_or((text, ""));
        let mut parts = columns.split(',');
        let (table, field) = parts.next()?.split_once('.')?;
        let comparison = parts.next()?;
        let (name, operator) = OPERATORS.iter().find(|(name, _)| comparison.starts_with(name))?;
        let count = comparison[name.len()..].parse().ok()?;
        Some(Self::new("sys_id", table, field, conditions, (*operator, count)))
    }

    fn new(own_field: &str, table: &str, field: &str, conditions: &str, count: (Operator, usize)) -> Self {
        Self {
            own_field: own_field.to_owned(),
            table: table.to_owned(),
            field: field.to_owned(),
            query: Query::parse(conditions),
            count,
        }
    }

    fn matches(&self, view: &View<'_>) -> bool {
        let own = view.value(&self.own_field);
        let found = view.store.select_where(view.schema, &self.table, None, &[], |other| {
            !own.is_empty() && other.value(&self.field) == own && self.query.matches(other)
        });
        let (operator, count) = self.count;
        match operator {
            Operator::Equal => found.len() == count,
            Operator::NotEqual => found.len() != count,
            Operator::Less => found.len() < count,
            Operator::LessOrEqual => found.len() <= count,
            Operator::GreaterOrEqual => found.len() >= count,
            _ => found.len() > count,
        }
    }
}

impl Query {
    /// Reads an encoded query. Leaves out what can't be read as a condition, as the platform does.
    pub fn parse(text: &str) -> Self {
        let mut query = Self::default();
        let text = query.take_related(text);
        let mut groups: Vec<AnyOf> = Vec::new();
        for term in split_terms(&text) {
            if term.is_empty() || term == "EQ" {
                continue;
            }
            if let Some(field) = term.strip_prefix("ORDERBYDESC") {
                query.order.push(Order { field: field.to_owned(), descending: true });
            } else if let Some(field) = term.strip_prefix("ORDERBY") {
                query.order.push(Order { field: field.to_owned(), descending: false });
            } else if let Some(rest) = term.strip_prefix("NQ") {
                query.alternatives.push(std::mem::take(&mut groups));
                groups.extend(parse_condition(rest).map(|condition| vec![condition]));
            } else if let Some(rest) = term.strip_prefix("OR") {
                match (parse_condition(rest), groups.last_mut()) {
                    (Some(condition), Some(group)) => group.push(condition),
                    (Some(condition), None) => groups.push(vec![condition]),
                    (None, _) => {}
                }
            } else if let Some(condition) = parse_condition(&term) {
                groups.push(vec![condition]);
            }
        }
        if !groups.is_empty() || !query.alternatives.is_empty() {
            query.alternatives.push(groups);
        }
        query
    }

    /// Removes the parts about other tables from the text and reads them. Returns the rest. A related list has an end
    /// mark. A join reaches to the order or to the end of the text.
    fn take_related(&mut self, text: &str) -> String {
        let mut rest = text.to_owned();
        while let Some((start, end)) =
            rest.find(LIST_START).and_then(|start| Some((start, start + rest[start..].find(LIST_END)?)))
        {
            self.related.extend(Related::parse_related_list(&rest[start + LIST_START.len()..end]));
            cut(&mut rest, start, end + LIST_END.len());
        }
        if let Some(start) = rest.find(JOIN_START).filter(|start| *start == 0 || rest[..*start].ends_with('^')) {
            let end = rest[start..].find("^ORDERBY").map_or(rest.len(), |length| start + length);
            self.related.extend(Related::parse_join(&rest[start + JOIN_START.len()..end]));
            cut(&mut rest, start, end);
        }
        rest
    }

    /// Whether a record matches. A condition on a column that does not exist is ignored.
    pub fn matches(&self, view: &View<'_>) -> bool {
        let is_among = self.alternatives.is_empty()
            || self.alternatives.iter().any(|groups| groups.iter().all(|group| any_matches(group, view)));
        is_among && self.related.iter().all(|related| related.matches(view))
    }

    /// Whether any condition names a column that the table does not have.
    pub fn has_invalid_field(&self, view: &View<'_>) -> bool {
        self.alternatives.iter().flatten().flatten().any(|condition| view.kind(&condition.field).is_none())
    }

    /// Returns the only `sys_id` that can match. Returns `None` if the query does not name one.
    pub fn identifier(&self) -> Option<&str> {
        let [groups] = self.alternatives.as_slice() else { return None };
        groups.iter().find_map(|group| identifier(group))
    }
}

/// Returns the only `sys_id` for which the conditions can hold. Returns `None` if they do not name one.
pub fn identifier(group: &[Condition]) -> Option<&str> {
    let [condition] = group else { return None };
    let names_one = condition.field == "sys_id" && condition.operator == Operator::Equal;
    names_one.then_some(condition.value.as_str())
}

/// Compares two records by an order.
pub fn compare(orders: &[Order], left: &View<'_>, right: &View<'_>) -> Ordering {
    for order in orders {
        let Some(kind) = left.kind(&order.field) else { continue };
        let result = compare_values(kind, &left.value(&order.field), &right.value(&order.field));
        let result = if order.descending { result.reverse() } else { result };
        if result != Ordering::Equal {
            return result;
        }
    }
    Ordering::Equal
}

/// Whether at least one of the conditions holds. Conditions on unknown columns are ignored; without any other condition
/// the answer is true.
pub fn any_matches(group: &[Condition], view: &View<'_>) -> bool {
    let mut known = group.iter().filter(|condition| view.kind(&condition.field).is_some()).peekable();
    known.peek().is_none() || known.any(|condition| matches(condition, view))
}

/// Removes a part and the separator before it, since two separators in a row would mean one in a value.
fn cut(text: &mut String, start: usize, end: usize) {
    let start = if text[..start].ends_with('^') { start - 1 } else { start };
    text.replace_range(start..end, "");
}

/// Splits a text at each `^`. A doubled one is a `^` in a value.
fn split_terms(text: &str) -> Vec<String> {
    let mut terms = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '^' {
            if characters.peek() != Some(&'^') {
                terms.push(String::new());
                continue;
            }
            characters.next();
        }
        if let Some(term) = terms.last_mut() {
            term.push(character);
        }
    }
    terms
}

/// Reads one condition: a column's name in lower case, an operator, a value.
fn parse_condition(text: &str) -> Option<Condition> {
    let end = text.find(|character: char| {
        !(character.is_ascii_lowercase() || character.is_ascii_digit() || matches!(character, '_' | '.'))
    })?;
    let (field, rest) = text.split_at(end);
    let (name, operator) = OPERATORS.iter().find(|(name, _)| rest.starts_with(name))?;
    (!field.is_empty()).then(|| Condition {
        field: field.to_owned(),
        operator: *operator,
        value: rest[name.len()..].to_owned(),
    })
}

fn matches(condition: &Condition, view: &View<'_>) -> bool {
    let Some(kind) = view.kind(&condition.field) else { return true };
    let actual = view.value(&condition.field);
    let expected = normalize(kind, &condition.value);
    let lower = || (actual.to_lowercase(), expected.to_lowercase());
    // The platform does not document what a comparison with an empty value finds. Here it finds no record.
    let compared = || (!actual.is_empty() && !expected.is_empty()).then(|| compare_values(kind, &actual, &expected));
    match condition.operator {
        Operator::Equal => equal(kind, &actual, &expected),
        Operator::NotEqual => !equal(kind, &actual, &expected),
        Operator::Less => compared().is_some_and(Ordering::is_lt),
        Operator::LessOrEqual => compared().is_some_and(Ordering::is_le),
        Operator::Greater => compared().is_some_and(Ordering::is_gt),
        Operator::GreaterOrEqual => compared().is_some_and(Ordering::is_ge),
        Operator::In => condition.value.split(',').any(|value| equal(kind, &actual, value.trim())),
        Operator::NotIn => !condition.value.split(',').any(|value| equal(kind, &actual, value.trim())),
        Operator::Like => contains(&lower()),
        Operator::NotLike => !contains(&lower()),
        Operator::StartsWith => lower().0.starts_with(&lower().1),
        Operator::EndsWith => lower().0.ends_with(&lower().1),
        Operator::IsEmpty => actual.is_empty(),
        Operator::IsNotEmpty => !actual.is_empty(),
        Operator::Anything => true,
        Operator::Between => condition.value.split_once('@').is_some_and(|(low, high)| {
            compare_values(kind, &actual, low).is_ge() && compare_values(kind, &actual, high).is_le()
        }),
        Operator::SameAs => actual == view.value(&condition.value),
        Operator::NotSameAs => actual != view.value(&condition.value),
        Operator::On => !expected.is_empty() && actual.starts_with(expected.split('@').next().unwrap_or_default()),
        Operator::InstanceOf => actual == expected,
        Operator::Changes => view.changed(&condition.field),
        Operator::ChangesFrom => view.changed(&condition.field) && view.previous(&condition.field) == expected,
        Operator::ChangesTo => view.changed(&condition.field) && actual == expected,
    }
}

fn contains((actual, expected): &(String, String)) -> bool {
    actual.contains(expected.trim_matches('%'))
}

fn normalize(kind: ColumnKind, value: &str) -> String {
    match (kind, value) {
        (ColumnKind::Boolean, "1") => "true".to_owned(),
        (ColumnKind::Boolean, "0") => "false".to_owned(),
        (_, "NULL") => String::new(),
        _ => value.to_owned(),
    }
}

/// Compares two values. Texts are equal in upper and lower case, as in the platform's database.
fn equal(kind: ColumnKind, actual: &str, expected: &str) -> bool {
    match kind {
        ColumnKind::Boolean => {
            let actual = if actual.is_empty() { "false" } else { actual };
            actual == normalize(kind, expected)
        }
        _ => actual == expected || actual.to_lowercase() == expected.to_lowercase(),
    }
}

fn compare_values(kind: ColumnKind, left: &str, right: &str) -> Ordering {
    match kind {
        ColumnKind::Integer => left.parse::<i64>().ok().cmp(&right.parse::<i64>().ok()),
        ColumnKind::DateTime => left.cmp(right),
        _ => left.to_lowercase().cmp(&right.to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(field: &str, operator: Operator, value: &str) -> Condition {
        Condition { field: field.to_owned(), operator, value: value.to_owned() }
    }

    #[test]
    fn terms_become_alternatives_of_groups() {
        let query = Query::parse("active=true^stateIN1,2^ORpriority<=3^NQnumberSTARTSWITHINC^ORDERBYDESCnumber^EQ");
        assert_eq!(
            query.alternatives,
            vec![
                vec![
                    vec![condition("active", Operator::Equal, "true")],
                    vec![condition("state", Operator::In, "1,2"), condition("priority", Operator::LessOrEqual, "3")],
                ],
                vec![vec![condition("number", Operator::StartsWith, "INC")]],
            ]
        );
        assert_eq!(query.order, vec![Order { field: "number".to_owned(), descending: true }]);
    }

    #[test]
    fn a_doubled_separator_belongs_to_the_value() {
        let query = Query::parse("short_description=a^^b^active=true");
        assert_eq!(query.alternatives[0][0][0].value, "a^b");
        assert_eq!(query.alternatives[0].len(), 2);
    }

    #[test]
    fn operators_are_recognised_by_their_longest_form() {
        for (text, operator) in [
            ("closed_atISNOTEMPTY", Operator::IsNotEmpty),
            ("stateNOT IN1,2", Operator::NotIn),
            ("state!=1", Operator::NotEqual),
            ("stateVALCHANGES", Operator::Changes),
            ("sys_updated_on>=2026-01-01 00:00:00", Operator::GreaterOrEqual),
        ] {
            assert_eq!(Query::parse(text).alternatives[0][0][0].operator, operator, "{text}");
        }
        assert_eq!(Query::parse("nonsense").alternatives, Vec::<Vec<AnyOf>>::new());
    }

    #[test]
    fn a_comparison_with_an_empty_value_finds_no_record() {
        let store = crate::servicenow::base::store(false);
        let schema = crate::servicenow::schema::Schema::platform();
        let count = |query: &str| store.select(schema, "sys_user", &Query::parse(query)).len();
        for operator in ["<", "<=", ">", ">="] {
            assert_eq!(count(&format!("user_name{operator}")), 0, "{operator}");
        }
        assert!(count("user_name>=a") > 0);
    }

    #[test]
    fn other_tables_are_asked_by_joins_and_related_lists() {
        let join = Query::parse("JOINsys_user.sys_id=sys_user_has_role.user!state=active^ORDERBYname");
        assert_eq!(join.order.len(), 1);
        assert_eq!(join.related[0].own_field, "sys_id");
        assert_eq!(join.related[0].query.alternatives[0][0][0], condition("state", Operator::Equal, "active"));
        let list = Query::parse("active=true^RLQUERYsys_user_has_role.user,>=2,m2m^state=active^ENDRLQUERY^name=a");
        assert_eq!(list.related[0].count, (Operator::GreaterOrEqual, 2));
        assert_eq!(list.alternatives[0].len(), 2);
        let store = crate::servicenow::base::store(false);
        let names = |query: &str| -> Vec<String> {
            let found = store.select(crate::servicenow::schema::Schema::platform(), "sys_user", &Query::parse(query));
            found.iter().map(|view| view.value("user_name").into_owned()).collect()
        };
        assert_eq!(names("JOINsys_user.sys_id=sys_user_has_role.user!"), ["admin"]);
        assert_eq!(names("RLQUERYsys_user_has_role.user,>0^ENDRLQUERY"), ["admin"]);
        assert!(names("RLQUERYsys_user_has_role.user,=0^ENDRLQUERY").len() > 3);
    }
}
