//! The rooms of the simulation: the engine and ServiceNow's room know no kind of link, except in the files that list
//! what each kind has.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The kinds of link. Each has a room of this name here, in the core and in the simulator.
const KINDS: [&str; 1] = ["support"];

/// The files that list what each kind has.
const KNOWING_KINDS: [&str; 10] = [
    // The remote calls.
    "calls.rs",
    // The contents of files, which the simulated AWS Support makes.
    "contents.rs",
    // The judges.
    "invariants.rs",
    // The commands, one of which measures links of a kind.
    "main.rs",
    // What is remembered for the judges.
    "memory.rs",
    // The ports.
    "ports.rs",
    // What a sabotage makes the ledger forget, and what it hides at a kind's port.
    "sabotage/ledger.rs",
    "sabotage/support.rs",
    // How AWS may behave.
    "settings.rs",
    // AWS's side of the world.
    "world.rs",
];

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Returns all source files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Whether a source names a room in its code above its tests: in a `use`, or in a path such as `crate::room::item`.
fn names(source: &str, room: &str) -> bool {
    let product = source.split("#[cfg(test)]").next().unwrap_or_default();
    let code: Vec<&str> = product.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let is_of_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    code.split(';').any(|statement| {
        let is_use = statement.lines().any(|line| line.starts_with("use ") || line.starts_with("pub use "));
        statement.match_indices(room).any(|(start, _)| {
            let (before, after) = (&statement[..start], &statement[start + room.len()..]);
            let is_whole = !before.ends_with(is_of_word) && !after.starts_with(is_of_word);
            is_whole && (is_use || after.starts_with("::"))
        })
    })
}

#[test]
fn the_engine_knows_no_kind_of_link_but_where_the_kinds_are_listed() {
    let sources = sources();
    let mut knowing = BTreeSet::new();
    for file in files(&sources) {
        let name = file.strip_prefix(&sources).unwrap().to_str().unwrap().replace('\\', "/");
        let is_of = |kind: &&str| name == format!("{kind}.rs") || name.starts_with(&format!("{kind}/"));
        let source = fs::read_to_string(&file).unwrap();
        if KINDS.iter().filter(|kind| !is_of(kind)).any(|kind| names(&source, kind)) {
            knowing.insert(name);
        }
    }
    assert_eq!(knowing, KNOWING_KINDS.map(str::to_owned).into());
}

#[test]
fn the_rooms_that_a_source_names_are_found() {
    for knows in [
        "use crate::{desk::Desk, support::{cases, people}};",
        "use casebridge_core::{\n    link::Link,\n    support,\n};",
        "pub use crate::support::judge::excuses;",
        "fn live() {\n    crate::support::judge::judge();\n}",
    ] {
        assert!(names(knows, "support"), "{knows}");
    }
    for ignorant in [
        "pub mod support;",
        "// use crate::support;\nuse crate::supporters::Desk;",
        "fn live(world: &World) {\n    world.support.settle();\n}",
        "use crate::desk;\n#[cfg(test)]\nuse crate::support;",
    ] {
        assert!(!names(ignorant, "support"), "{ignorant}");
    }
}
