//! Writes `docs/policy.md` from the fields of the policy: `make policy-table`. Its test fails if the file differs from
//! them.

use std::{fs, io, path::PathBuf};

use casebridge_core::policy::{Field, Policy};
use serde_json::Value;

/// The longest default that the table shows, in characters. A longer one would make the table unreadable; it is only in
/// the default document below the table.
const MAXIMUM_DEFAULT_SHOWN: usize = 80;

fn main() -> io::Result<()> {
    fs::write(path(), document())
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy.md")
}

/// Returns the text of `docs/policy.md`.
fn document() -> String {
    let rows: String = Policy::fields().iter().map(row).collect();
    let default = serde_json::to_string_pretty(&Policy::default()).unwrap_or_default();
    format!(
        "# The policy\n\n\
         What an organisation may decide is one JSON document, in the SSM parameter that the functions read.\n\
         casebridge validates it as a whole, and a document with an error changes nothing: the last valid one stays\n\
         in force. A field that the document leaves out has its default, so `{{}}` is a policy. The functions read the\n\
         parameter again after minutes.\n\n\
         `make policy-table` writes this file from `shared/core/src/policy.rs`.\n\n\
         | field | default | range | unit | what it decides |\n\
         |---|---|---|---|---|\n\
         {rows}\n\
         The default document:\n\n\
         ```json\n{default}\n```\n"
    )
}

fn row(field: &Field) -> String {
    let Field { name, purpose, default, range, unit } = field;
    format!("| `{name}` | {} | {range} | {unit} | {purpose} |\n", shown(default))
}

fn shown(default: &Value) -> String {
    let json = default.to_string();
    if json.chars().count() <= MAXIMUM_DEFAULT_SHOWN { format!("`{json}`") } else { "see below".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_what_the_code_gives() {
        let file = fs::read_to_string(path()).unwrap();
        assert!(file == document(), "docs/policy.md is not what the policy's fields give: run `make policy-table`");
    }

    #[test]
    fn the_default_document_is_in_the_file_and_valid() {
        let file = document();
        let (_, rest) = file.split_once("```json\n").unwrap();
        let (default, _) = rest.split_once("```").unwrap();
        assert_eq!(Policy::parse(default).unwrap(), Policy::default());
    }
}
