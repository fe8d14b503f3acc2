//! The ranges of the policy's fields.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

/// Returns the parts of a value that are out of range. Each is the text that follows the field's name in an error; an
/// empty text stands for the whole value.
type Outside<T> = Box<dyn Fn(&T) -> Vec<String>>;

/// The range of a field: a check for documents, and a description for people.
pub(super) struct Range<T> {
    words: String,
    unit: &'static str,
    outside: Outside<T>,
}

impl<T: 'static> Range<T> {
    /// Returns a range that accepts or rejects a value as a whole.
    pub(super) fn new(words: impl Into<String>, unit: &'static str, holds: impl Fn(&T) -> bool + 'static) -> Self {
        let outside = move |value: &T| if holds(value) { Vec::new() } else { vec![String::new()] };
        Self { words: words.into(), unit, outside: Box::new(outside) }
    }

    /// Adds a condition to the description. The check of the condition is elsewhere.
    pub(super) fn with(self, condition: &str) -> Self {
        Self { words: format!("{}, {condition}", self.words), ..self }
    }

    /// Returns the parts of a value that are out of range, see [`Outside`].
    pub(super) fn outside(&self, value: &T) -> Vec<String> {
        (self.outside)(value)
    }

    /// Returns the description, without the unit.
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// Returns the unit. Empty if the values have none.
    pub(super) fn unit(&self) -> &'static str {
        self.unit
    }
}

impl Range<u32> {
    /// Accepts numbers from `least` to `most`, both included.
    pub(super) fn numbers(least: u32, most: u32, unit: &'static str) -> Self {
        Self::new(format!("{least} to {most}"), unit, move |number| (least..=most).contains(number))
    }
}

impl Range<String> {
    /// Accepts any text.
    pub(super) fn any_text() -> Self {
        Self::new("any text", "", |_| true)
    }

    /// Accepts a text that is not empty.
    pub(super) fn text() -> Self {
        Self::new("not empty", "", |text: &String| !text.is_empty())
    }

    /// Accepts a text of at most `most` characters.
    pub(super) fn short_text(most: usize) -> Self {
        Self::new(format!("at most {most}"), "characters", move |text: &String| text.chars().count() <= most)
    }

    /// Accepts one of these words.
    pub(super) fn words_of(choices: &'static [&'static str]) -> Self {
        Self::new(listed(choices), "", move |word: &String| choices.contains(&word.as_str()))
    }
}

impl Range<Vec<String>> {
    /// Accepts a list of at least one text.
    pub(super) fn some(unit: &'static str) -> Self {
        Self::new("at least 1", unit, |list: &Vec<String>| !list.is_empty())
    }

    /// Accepts a list of at most `most` texts.
    pub(super) fn at_most(most: usize, unit: &'static str) -> Self {
        Self::new(format!("at most {most}"), unit, move |list: &Vec<String>| list.len() <= most)
    }
}

impl<V: 'static> Range<BTreeMap<String, V>> {
    /// Accepts a table if `holds` accepts each of its entries.
    pub(super) fn table(words: impl Into<String>, holds: impl Fn(&str, &V) -> bool + 'static) -> Self {
        let outside = move |table: &BTreeMap<String, V>| {
            let outside = table.iter().filter(|(key, value)| !holds(key, value));
            outside.map(|(key, _)| format!(".{key}")).collect()
        };
        Self { words: words.into(), unit: "", outside: Box::new(outside) }
    }
}

impl<T: Serialize + PartialEq + 'static> Range<T> {
    /// Accepts one of these values.
    pub(super) fn one_of<const COUNT: usize>(choices: [T; COUNT]) -> Self {
        let words: Vec<String> =
            choices.iter().map(|choice| json!(choice).as_str().unwrap_or_default().to_owned()).collect();
        Self::new(listed(&words), "", move |value| choices.contains(value))
    }
}

/// Returns the words as code, with "or" between them.
pub(super) fn listed<W: AsRef<str>>(words: &[W]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    words.join(" or ")
}
