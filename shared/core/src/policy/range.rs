//! What a field of the policy may hold.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

/// Returns the parts of a value that are out of range, as what follows the field's name. An empty text is the whole
/// value.
type Outside<T> = Box<dyn Fn(&T) -> Vec<String>>;

/// The range of a field: a check for documents, and words for people.
pub(super) struct Range<T> {
    words: String,
    unit: &'static str,
    outside: Outside<T>,
}

impl<T: 'static> Range<T> {
    /// A range of whole values.
    pub(super) fn new(words: impl Into<String>, unit: &'static str, holds: impl Fn(&T) -> bool + 'static) -> Self {
        let outside = move |value: &T| if holds(value) { Vec::new() } else { vec![String::new()] };
        Self { words: words.into(), unit, outside: Box::new(outside) }
    }

    /// The same range with a condition that another check makes.
    pub(super) fn with(self, condition: &str) -> Self {
        Self { words: format!("{}, {condition}", self.words), ..self }
    }

    /// The parts of a value that are out of range, see [`Outside`].
    pub(super) fn outside(&self, value: &T) -> Vec<String> {
        (self.outside)(value)
    }

    /// The range in words, without its unit.
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// What the range counts in; empty where it counts nothing.
    pub(super) fn unit(&self) -> &'static str {
        self.unit
    }
}

impl Range<u32> {
    /// Numbers from the least to the most, both included.
    pub(super) fn numbers(least: u32, most: u32, unit: &'static str) -> Self {
        Self::new(format!("{least} to {most}"), unit, move |number| (least..=most).contains(number))
    }
}

impl Range<String> {
    /// Any text.
    pub(super) fn any_text() -> Self {
        Self::new("any text", "", |_| true)
    }

    /// A text that says something.
    pub(super) fn text() -> Self {
        Self::new("not empty", "", |text: &String| !text.is_empty())
    }

    /// A text of at most so many characters.
    pub(super) fn short_text(most: usize) -> Self {
        Self::new(format!("at most {most}"), "characters", move |text: &String| text.chars().count() <= most)
    }

    /// One of these words.
    pub(super) fn words_of(choices: &'static [&'static str]) -> Self {
        Self::new(listed(choices), "", move |word: &String| choices.contains(&word.as_str()))
    }
}

impl Range<Vec<String>> {
    /// A list of at least one text.
    pub(super) fn some(unit: &'static str) -> Self {
        Self::new("at least 1", unit, |list: &Vec<String>| !list.is_empty())
    }

    /// A list of at most so many texts.
    pub(super) fn at_most(most: usize, unit: &'static str) -> Self {
        Self::new(format!("at most {most}"), unit, move |list: &Vec<String>| list.len() <= most)
    }
}

impl<V: 'static> Range<BTreeMap<String, V>> {
    /// A table whose every entry is in range.
    pub(super) fn table(words: impl Into<String>, holds: impl Fn(&str, &V) -> bool + 'static) -> Self {
        let outside = move |table: &BTreeMap<String, V>| {
            let outside = table.iter().filter(|(key, value)| !holds(key, value));
            outside.map(|(key, _)| format!(".{key}")).collect()
        };
        Self { words: words.into(), unit: "", outside: Box::new(outside) }
    }
}

impl<T: Serialize + PartialEq + 'static> Range<T> {
    /// One of these values.
    pub(super) fn one_of<const COUNT: usize>(choices: [T; COUNT]) -> Self {
        let words: Vec<String> =
            choices.iter().map(|choice| json!(choice).as_str().unwrap_or_default().to_owned()).collect();
        Self::new(listed(&words), "", move |value| choices.contains(value))
    }
}

/// The words as code, with "or" between them.
pub(super) fn listed<W: AsRef<str>>(words: &[W]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    words.join(" or ")
}
