//! The rooms of the core and of the executor: which room may use which.

#![expect(clippy::unwrap_used, reason = "a test that can not go on fails")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The rooms of the core by floor, the lowest first. A room may use its own modules and the rooms on lower floors.
const FLOORS: [&[&str]; 7] = [
    &["identifiers", "rotation", "time", "unreadable"],
    &["catalogue", "failure", "hint", "poll", "text"],
    &["servicenow"],
    &["policy"],
    &["file"],
    &["link"],
    &["support"],
];

/// The rooms of the executor by floor, the lowest first.
const FLOORS_OF_EXECUTOR: [&[&str]; 6] = [
    &["carrier", "error", "ports", "report", "task"],
    &["counted"],
    &["work"],
    &["apply", "look", "support"],
    &["drive"],
    &["reconcile"],
];

/// The rooms of the executor that know a kind of link: `support` makes its reads and calls; `ports` and `counted` list
/// the ports of all kinds, and `report` the outcomes.
const KNOWING_KINDS: [&str; 4] = ["counted", "ports", "report", "support"];

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources_of_executor() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../executor/src")
}

/// Returns all source files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Returns the room of a file: the first part of its path below the sources.
fn room(file: &Path, sources: &Path) -> String {
    let path = file.strip_prefix(sources).unwrap();
    let first = Path::new(path.components().next().unwrap().as_os_str());
    first.file_stem().unwrap().to_str().unwrap().to_owned()
}

fn floor(floors: &[&[&str]], room: &str) -> usize {
    floors.iter().position(|rooms| rooms.contains(&room)).unwrap_or_else(|| panic!("{room} is on no floor"))
}

/// Returns how many uses lead from one room to another. Fails if one does not lead to a lower floor.
fn arrows(sources: &Path, floors: &[&[&str]]) -> usize {
    let mut arrows = 0;
    for file in files(sources).iter().filter(|file| !file.ends_with("lib.rs")) {
        let own = room(file, sources);
        for other in used(&fs::read_to_string(file).unwrap(), "crate::").iter().filter(|other| **other != own) {
            let leads_down = floor(floors, other) < floor(floors, &own);
            assert!(leads_down, "{} uses {other}, which is not below {own}", file.display());
            arrows += 1;
        }
    }
    arrows
}

fn assert_each_room_is_on_one_floor(sources: &Path, floors: &[&[&str]]) {
    let rooms: BTreeSet<String> =
        files(sources).iter().map(|file| room(file, sources)).filter(|room| room != "lib").collect();
    let listed: Vec<String> = floors.iter().copied().flatten().map(|room| (*room).to_owned()).collect();
    assert_eq!(rooms, listed.iter().cloned().collect());
    assert_eq!(rooms.len(), listed.len());
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect()
}

/// Returns the rooms that a source file uses before its tests, as `crate::room::…` or `crate::{room::…, …}`. `root` is
/// the name of the crate and two colons.
fn used(source: &str, root: &str) -> BTreeSet<String> {
    let product = source.split("#[cfg(test)]").next().unwrap_or_default();
    let product: String = product.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let mut rooms = BTreeSet::new();
    for rest in product.split(root).skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => rooms.extend(members(group)),
            None => drop(rooms.insert(first_word(rest))),
        }
    }
    rooms
}

/// Returns the first word of each item between braces. `group` begins after the opening brace.
fn members(group: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut depth, mut begins) = (0, true);
    for (at, letter) in group.char_indices() {
        match letter {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            _ if letter.is_whitespace() => {}
            _ if begins => {
                words.push(first_word(&group[at..]));
                begins = false;
            }
            _ => {}
        }
    }
    words
}

#[test]
fn no_room_knows_one_above_it_or_beside_it() {
    assert!(arrows(&sources(), &FLOORS) > 50);
    assert!(arrows(&sources_of_executor(), &FLOORS_OF_EXECUTOR) > 20);
}

#[test]
fn the_loop_of_the_executor_knows_no_kind_of_link() {
    let sources = sources_of_executor();
    let mut knowing = BTreeSet::new();
    for file in files(&sources).iter().filter(|file| !file.ends_with("lib.rs")) {
        if used(&fs::read_to_string(file).unwrap(), "casebridge_core::").contains("support") {
            knowing.insert(room(file, &sources));
        }
    }
    assert_eq!(knowing, KNOWING_KINDS.map(str::to_owned).into());
}

/// The ledger may use only what every kind of link shares.
#[test]
fn the_ledger_knows_no_kind_of_link() {
    let ledger = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ledger/src");
    let kinds = FLOORS[floor(&FLOORS, "support")];
    let mut rooms = BTreeSet::new();
    for file in files(&ledger) {
        let used = used(&fs::read_to_string(&file).unwrap(), "casebridge_core::");
        let known: Vec<&String> = used.iter().filter(|room| kinds.contains(&room.as_str())).collect();
        assert!(known.is_empty(), "{} uses {known:?}", file.display());
        rooms.extend(used);
    }
    assert!(rooms.contains("link"), "the ledger uses {rooms:?}");
}

#[test]
fn every_room_is_on_one_floor() {
    assert_each_room_is_on_one_floor(&sources(), &FLOORS);
    assert_each_room_is_on_one_floor(&sources_of_executor(), &FLOORS_OF_EXECUTOR);
}

#[test]
fn the_rooms_that_a_source_names_are_found() {
    let source = "use crate::{failure::{Failure, Refusal}, link::mark::Mark};\nfn now() { crate::time::now() }\n\
                  #[cfg(test)]\nuse crate::support;";
    assert_eq!(used(source, "crate::"), ["failure", "link", "time"].map(str::to_owned).into());
}
