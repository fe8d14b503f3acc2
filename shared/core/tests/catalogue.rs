//! What is written of the catalogue: differences only, until ServiceNow holds what AWS offers.

use std::collections::BTreeMap;

use casebridge_core::{
    catalogue::{Changes, Entry, Held, HeldSeverities, Named, Offered, OfferedService, ROWS_PER_REQUEST, Service},
    identifiers::AccountId,
};
use proptest::{collection::vec, prelude::*, sample::select};

/// Does what the app does with a request.
fn apply(held: &mut Held, changes: &Changes) {
    for change in &changes.services {
        let position = held.services.iter().position(|service| service.code == change.code);
        let position = position.unwrap_or_else(|| {
            held.services.push(Service { categories: Vec::new(), ..change.clone() });
            held.services.len() - 1
        });
        let service = &mut held.services[position];
        service.name.clone_from(&change.name);
        service.active = change.active;
        for category in &change.categories {
            put(&mut service.categories, category);
        }
    }
    for change in &changes.severities {
        let account = held.severities.iter_mut().find(|account| account.account == change.account);
        let levels = &mut account.expect("the app refuses the severities of an unknown account").levels;
        for level in levels.iter_mut() {
            level.active = false;
        }
        for level in &change.levels {
            put(levels, &Entry { code: level.code.clone(), name: level.name.clone(), active: true });
        }
    }
}

/// Writes at once what is to be written.
fn bring(held: &mut Held, offered: &Offered) {
    let changes = offered.changes(held);
    apply(held, &changes);
}

fn put(entries: &mut Vec<Entry>, entry: &Entry) {
    match entries.iter_mut().find(|known| known.code == entry.code) {
        Some(known) => known.clone_from(entry),
        None => entries.push(entry.clone()),
    }
}

/// Returns the active rows, as texts.
fn active(held: &Held) -> Vec<String> {
    let mut rows = Vec::new();
    for service in &held.services {
        rows.extend(service.active.then(|| service.code.clone()));
        let categories = service.categories.iter().filter(|category| category.active);
        rows.extend(categories.map(|category| format!("{} {}", service.code, category.code)));
    }
    for account in &held.severities {
        let levels = account.levels.iter().filter(|level| level.active);
        rows.extend(levels.map(|level| format!("{} {}", account.account, level.code)));
    }
    rows.sort();
    rows
}

fn named(code: &str) -> Named {
    Named { code: code.to_owned(), name: format!("Name of {code}") }
}

fn offered(code: &str, categories: &[&str]) -> OfferedService {
    OfferedService { service: named(code), categories: categories.iter().map(|code| named(code)).collect() }
}

fn account(number: u8) -> AccountId {
    AccountId::new(format!("{number:012}"))
}

/// The codes and names of the random worlds: few, so that they meet, and some that ServiceNow can't hold.
fn some_code() -> impl Strategy<Value = String> {
    select(vec!["a", "b", "c", "d", "e:f", "g h", ""]).prop_map(str::to_owned)
}

fn some_named() -> impl Strategy<Value = Named> {
    let name = select(vec!["One", "Two", " Two ", "", "Three\nlines"]);
    (some_code(), name).prop_map(|(code, name)| Named { code, name: name.to_owned() })
}

fn some_offer() -> impl Strategy<Value = (Vec<OfferedService>, Vec<Named>)> {
    let service = (some_named(), vec(some_named(), 0..4));
    let service = service.prop_map(|(service, categories)| OfferedService { service, categories });
    (vec(service, 0..4), vec(some_named(), 0..4))
}

fn some_entries() -> impl Strategy<Value = Vec<Entry>> {
    let entry = (some_named(), any::<bool>());
    vec(entry, 0..4).prop_map(|entries| {
        let by_code: BTreeMap<String, Entry> = entries
            .into_iter()
            .map(|(Named { code, name }, active)| (code.clone(), Entry { code, name, active }))
            .collect();
        by_code.into_values().collect()
    })
}

fn some_held() -> impl Strategy<Value = Held> {
    let categories = vec(some_entries(), 4);
    (some_entries(), categories, vec(some_entries(), 3)).prop_map(|(services, mut categories, severities)| Held {
        services: services
            .into_iter()
            .map(|Entry { code, name, active }| Service {
                code,
                name,
                active,
                categories: categories.pop().unwrap_or_default(),
            })
            .collect(),
        severities: (0..)
            .zip(severities)
            .map(|(number, levels)| HeldSeverities { account: account(number), levels })
            .collect(),
    })
}

/// The accounts' answers; `None` for an account that did not answer.
fn some_answers() -> impl Strategy<Value = Vec<Option<(Vec<OfferedService>, Vec<Named>)>>> {
    vec(prop_oneof![4 => some_offer().prop_map(Some), 1 => Just(None)], 0..4)
}

fn all_offered(answers: &[Option<(Vec<OfferedService>, Vec<Named>)>]) -> Offered {
    let mut offered = Offered::default();
    for (number, answer) in (0..).zip(answers) {
        match answer {
            Some((services, levels)) => offered.add(&account(number), services, levels),
            None => offered.miss(),
        }
    }
    offered
}

proptest! {
    #[test]
    fn once_written_nothing_is_left_to_write(held in some_held(), answers in some_answers()) {
        let offered = all_offered(&answers);
        let mut written = held.clone();
        for request in offered.changes(&held).into_requests() {
            apply(&mut written, &request);
        }
        prop_assert_eq!(offered.changes(&written), Changes::default());
        let mut twice = written.clone();
        apply(&mut twice, &offered.changes(&held));
        prop_assert_eq!(twice, written, "a repeat changes nothing");
    }

    #[test]
    fn only_differences_are_written(held in some_held(), answers in some_answers()) {
        for change in all_offered(&answers).changes(&held).services {
            let known = held.services.iter().find(|service| service.code == change.code);
            let Some(known) = known else { continue };
            let is_same = (known.active, &known.name) == (change.active, &change.name);
            prop_assert!(!is_same || !change.categories.is_empty(), "{change:?}");
            prop_assert!(change.categories.iter().all(|category| !known.categories.contains(category)), "{change:?}");
        }
    }

    #[test]
    fn an_account_that_did_not_answer_retires_nothing(held in some_held(), answers in some_answers()) {
        let mut offered = all_offered(&answers);
        offered.miss();
        let mut written = held.clone();
        for change in offered.changes(&held).services {
            apply(&mut written, &Changes { services: vec![change], severities: Vec::new() });
        }
        let kept = active(&written);
        prop_assert!(active(&held).iter().all(|row| kept.contains(row)), "{held:?} {written:?}");
    }

    #[test]
    fn after_all_answers_what_is_offered_is_active_and_nothing_else(held in some_held(), answers in some_answers()) {
        let offered = all_offered(&answers);
        prop_assume!(offered.is_complete());
        let mut empty = Held { services: Vec::new(), severities: held.severities.clone() };
        bring(&mut empty, &offered);
        let mut written = held.clone();
        apply(&mut written, &offered.changes(&held));
        // A row with a code that the app refuses can't be told, so it stays.
        let usable = |row: &String| !row.contains(':') && row.split(' ').all(|code| !code.is_empty()) && !row.contains("g h");
        let rows = |held: &Held| -> Vec<String> { active(held).into_iter().filter(usable).collect() };
        let services = |rows: Vec<String>| -> Vec<String> {
            rows.into_iter().filter(|row| !row.starts_with("00")).collect()
        };
        prop_assert_eq!(services(rows(&written)), services(rows(&empty)));
    }
}

#[test]
fn accounts_together_offer_what_each_of_them_has() {
    let mut all = Offered::default();
    all.add(&account(1), &[offered("a", &["x"])], &[named("low")]);
    all.add(&account(2), &[offered("a", &["y"]), offered("b", &[])], &[named("low"), named("urgent")]);
    let severities = [1, 2, 3].map(|number| HeldSeverities { account: account(number), levels: Vec::new() });
    let mut held = Held { services: Vec::new(), severities: severities.to_vec() };
    bring(&mut held, &all);
    let expected = ["000000000001 low", "000000000002 low", "000000000002 urgent", "a", "a x", "a y", "b"];
    assert_eq!(active(&held), expected);
    let mut fewer = Offered::default();
    fewer.add(&account(2), &[offered("a", &["y"])], &[named("low")]);
    fewer.miss();
    bring(&mut held, &fewer);
    let expected = ["000000000001 low", "000000000002 low", "a", "a x", "a y", "b"];
    assert_eq!(active(&held), expected, "the severities of an account are its own");
    let mut fewer = Offered::default();
    fewer.add(&account(2), &[offered("a", &["y"])], &[]);
    bring(&mut held, &fewer);
    assert_eq!(active(&held), ["000000000001 low", "000000000002 low", "a", "a y"]);
}

#[test]
fn without_any_answer_nothing_changes() {
    let held = Held {
        services: vec![Service { code: "a".into(), name: "A".into(), active: true, categories: Vec::new() }],
        severities: vec![HeldSeverities { account: account(1), levels: Vec::new() }],
    };
    assert!(Offered::default().changes(&held).is_empty(), "there may be no account yet");
    let mut empty = Offered::default();
    empty.add(&account(1), &[], &[]);
    assert!(!empty.is_complete() && empty.changes(&held).is_empty());
}

#[test]
fn names_are_kept_as_they_read_back() {
    let long = format!("{}\u{1f680}", "n".repeat(199));
    let service = Named { code: "a".to_owned(), name: format!(" Two\nlines{long}") };
    let mut all = Offered::default();
    all.add(
        &account(1),
        &[OfferedService { service, categories: vec![Named { code: "x".into(), name: " ".into() }] }],
        &[],
    );
    let changes = all.changes(&Held::default());
    assert!(changes.services[0].name.starts_with("Two linesnnn"));
    assert!(changes.services[0].name.encode_utf16().count() <= 200);
    assert_eq!(changes.services[0].categories[0].name, "x", "a blank name is the code");
}

#[test]
fn a_category_is_written_if_its_name_differs_or_servicenow_holds_it_as_no_longer_offered() {
    let mut all = Offered::default();
    all.add(&account(1), &[offered("a", &["x"])], &[]);
    let Named { code, name } = named("x");
    for (held_name, active, is_written) in [(name.as_str(), true, false), (&name, false, true), ("Old", true, true)] {
        let held = Entry { code: code.clone(), name: held_name.to_owned(), active };
        let Named { code, name } = named("a");
        let service = Service { code, name, active: true, categories: vec![held] };
        let changes = all.changes(&Held { services: vec![service], severities: Vec::new() });
        assert_eq!(!changes.is_empty(), is_written, "{held_name} {active}");
    }
}

#[test]
fn a_code_that_servicenow_can_not_hold_is_left_out() {
    let longest = "c".repeat(100);
    let too_long = "c".repeat(101);
    for (code, is_usable) in [
        ("amazon-ec2", true),
        ("~!\"#", true),
        (&longest, true),
        (&too_long, false),
        ("", false),
        ("g h", false),
        ("e:f", false),
        ("e^f", false),
        ("é", false),
        ("e\u{7f}", false),
        ("JavaScript", false),
        ("javascript:1", false),
    ] {
        let mut all = Offered::default();
        all.add(&account(1), &[offered(code, &[]), offered("a", &[code])], &[named(code)]);
        let severities = vec![HeldSeverities { account: account(1), levels: Vec::new() }];
        let changes = all.changes(&Held { services: Vec::new(), severities });
        let written =
            (changes.services.len() - 1, changes.services.iter().map(|service| service.categories.len()).sum());
        let expected = usize::from(is_usable);
        assert_eq!((written, changes.severities.len()), ((expected, expected), expected), "{code}");
    }
}

/// Returns the rows of each request for new services with so many categories.
fn rows_of_requests(categories: &[usize]) -> Vec<usize> {
    let codes: Vec<String> = (0..ROWS_PER_REQUEST).map(|number| format!("c{number:04}")).collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    let services = (1_000..).zip(categories).map(|(number, count)| offered(&number.to_string(), &codes[..*count]));
    let mut all = Offered::default();
    all.add(&account(1), &services.collect::<Vec<_>>(), &[]);
    let requests = all.changes(&Held::default()).into_requests();
    let rows = |request: &Changes| request.services.iter().map(|service| 1 + service.categories.len()).sum();
    requests.iter().map(rows).collect()
}

#[test]
fn a_request_is_filled_to_its_last_row_and_no_further() {
    assert_eq!(ROWS_PER_REQUEST, 200);
    assert_eq!(rows_of_requests(&[1; 100]), [200]);
    let mut odd = vec![1; 100];
    odd.insert(0, 0);
    assert_eq!(rows_of_requests(&odd), [199, 2]);
    assert_eq!(rows_of_requests(&[199]), [200]);
    assert_eq!(rows_of_requests(&[200]), [200, 2], "the service is in both");
}

#[test]
fn requests_are_bounded_and_hold_everything_once() {
    let codes: Vec<String> = (0..ROWS_PER_REQUEST * 2).map(|number| format!("c{number:04}")).collect();
    let many: Vec<&str> = codes.iter().map(String::as_str).collect();
    let mut services = vec![offered("large", &many)];
    services.extend(many.iter().map(|code| offered(code, &["x"])));
    let mut all = Offered::default();
    let mut held = Held::default();
    for number in 0..120 {
        all.add(&account(number), &services, &[named("low"), named("urgent")]);
        held.severities.push(HeldSeverities { account: account(number), levels: Vec::new() });
    }
    let changes = all.changes(&held);
    let mut at_once = held.clone();
    apply(&mut at_once, &changes);
    for request in changes.into_requests() {
        let categories: usize = request.services.iter().map(|service| service.categories.len()).sum();
        let levels: usize = request.severities.iter().map(|account| account.levels.len()).sum();
        let rows = request.services.len() + categories + levels;
        assert!((1..=ROWS_PER_REQUEST).contains(&rows), "{rows}");
        apply(&mut held, &request);
    }
    assert_eq!(active(&held), active(&at_once));
}

#[test]
fn a_request_has_the_form_that_the_app_takes() {
    let mut all = Offered::default();
    all.add(&account(1), &[offered("a", &["x"])], &[named("low")]);
    let held = Held { services: Vec::new(), severities: vec![HeldSeverities { account: account(1), levels: vec![] }] };
    let request = serde_json::to_value(all.changes(&held)).unwrap();
    let expected = serde_json::json!({
        "services": [{"code": "a", "name": "Name of a", "active": true,
            "categories": [{"code": "x", "name": "Name of x", "active": true}]}],
        "severities": [{"account": "000000000001", "levels": [{"code": "low", "name": "Name of low"}]}],
    });
    assert_eq!(request, expected);
}
