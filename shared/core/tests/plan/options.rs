//! The language and the issue type of a case, and who gets copies: what it is opened with, and what agents are told.

use casebridge_core::{
    failure::Refusal,
    policy::{ISSUE_TYPES, LANGUAGES, MAXIMUM_CC_EMAIL_ADDRESSES},
    servicenow::{delivery::MessageKind, incident::CaseOptions},
    support::{
        call::NewCase,
        options::{AskedOptions, Without, asked},
    },
};
use proptest::prelude::*;

use crate::sides::Sides;

fn options(contacts: &str, language: &str, issue_type: &str) -> CaseOptions {
    CaseOptions {
        additional_contacts: contacts.to_owned(),
        language: language.to_owned(),
        issue_type: issue_type.to_owned(),
    }
}

/// Returns sides whose incident and account say this.
fn sides(incident: CaseOptions, account: CaseOptions) -> Sides {
    let mut sides = Sides::new();
    sides.incident.options = incident;
    sides.incident.account.as_mut().unwrap().options = account;
    sides
}

fn asked_of(sides: &Sides) -> AskedOptions {
    asked(&sides.policy, &sides.incident, None)
}

/// Returns language, issue type and copies of the only case that was opened.
fn opened(sides: &Sides) -> (&str, &str, &[String]) {
    let [NewCase { language, issue_type, cc_email_addresses, .. }] = sides.opened.as_slice() else {
        panic!("{:?}", sides.opened)
    };
    (language, issue_type, cc_email_addresses)
}

/// Returns the work notes on options.
fn told(sides: &Sides) -> Vec<&str> {
    let is_told = |text: &&str| ["language", "issue type", "copies"].iter().any(|word| text.contains(word));
    assert!(sides.told.iter().all(|message| message.kind == MessageKind::WorkNote));
    sides.told.iter().map(|message| message.text.as_str()).filter(is_told).collect()
}

#[test]
fn the_incident_counts_before_its_account_and_that_before_the_policy() {
    let none = CaseOptions::default;
    let account = || options("duty@example.com", "ko", "customer-service");
    let incident = || options("jane@example.com", "ja", "technical");
    for (incident, account, expected) in [
        (none(), none(), ("pt", "technical", "policy@example.com")),
        (none(), account(), ("ko", "customer-service", "duty@example.com")),
        (incident(), none(), ("ja", "technical", "jane@example.com")),
        (incident(), account(), ("ja", "technical", "jane@example.com")),
        (options("", "fr", ""), account(), ("fr", "customer-service", "duty@example.com")),
        (options(" \n", " ", "\t"), account(), ("ko", "customer-service", "duty@example.com")),
    ] {
        let mut sides = sides(incident, account);
        sides.policy.language = "pt".to_owned();
        sides.policy.cc_email_addresses = vec!["policy@example.com".to_owned()];
        sides.settle();
        let (language, issue_type, copies) = opened(&sides);
        assert_eq!((language, issue_type, copies.join(" ").as_str()), expected);
        assert!(sides.told.is_empty(), "{:?}", sides.told);
    }
}

#[test]
fn an_incident_whose_group_has_no_account_has_the_values_of_the_policy() {
    let mut sides = Sides::new();
    sides.incident.account = None;
    let asked = asked_of(&sides);
    assert_eq!((asked.choices.language.as_str(), asked.choices.issue_type.as_str()), ("en", "technical"));
    assert_eq!((asked.cc_email_addresses, asked.note), (Vec::new(), None));
}

#[test]
fn a_code_is_known_in_any_case_and_one_that_is_not_known_gives_way_to_the_next() {
    for code in LANGUAGES {
        assert_eq!(asked_of(&sides(options("", code, ""), CaseOptions::default())).choices.language, code);
    }
    for code in ISSUE_TYPES {
        assert_eq!(asked_of(&sides(options("", "", code), CaseOptions::default())).choices.issue_type, code);
    }
    let mut sides = sides(options("", " JA", "Billing"), options("", "ko", "Customer-Service "));
    sides.settle();
    assert_eq!(opened(&sides), ("ja", "customer-service", [].as_slice()));
    let [note] = told(&sides)[..] else { panic!("{:?}", sides.told) };
    assert!(note.contains("issue type customer-service instead of Billing"), "{note}");
    assert!(!note.contains("language"), "{note}");
}

#[test]
fn a_note_names_every_code_that_was_not_used() {
    let mut sides = sides(options("", "jp", ""), options("", "english", ""));
    sides.settle();
    assert_eq!(opened(&sides).0, "en");
    let [note] = told(&sides)[..] else { panic!("{:?}", sides.told) };
    assert!(note.contains("language en instead of jp, english. AWS Support accepts en, zh, fr"), "{note}");
    sides.settle();
    assert_eq!(told(&sides).len(), 1, "it is told once");
}

#[test]
fn a_language_of_the_policys_own_is_left_to_aws() {
    let mut sides = Sides::new();
    sides.policy.language = "de".to_owned();
    sides.settle();
    assert_eq!(opened(&sides).0, "de");
    assert!(sides.told.is_empty());
}

#[test]
fn addresses_are_separated_by_commas_semicolons_and_line_ends_and_none_counts_twice() {
    let text = " jane@example.com,, bob@example.com ;JANE@Example.com\r\nO'Hara+aws@mail.example.co.uk\n";
    let mut sides = sides(options(text, "", ""), options("duty@example.com", "", ""));
    sides.settle();
    assert_eq!(opened(&sides).2, ["jane@example.com", "bob@example.com", "O'Hara+aws@mail.example.co.uk"]);
    assert!(sides.told.is_empty(), "{:?}", sides.told);
}

#[test]
fn what_is_no_address_is_left_out_and_told() {
    let too_long = format!("{}@example.com", "x".repeat(243));
    let wrong = [
        "jane",
        "@example.com",
        "jane@",
        "jane@host",
        "jane@a@b.c",
        "jane doe@example.com",
        "Jane <jane@example.com>",
        "jane@exa_mple.com",
        "jäne@example.com",
        "jane@.com",
        "jane@example.",
        "ja(ne)@example.com",
        &too_long,
    ];
    for wrong in wrong {
        let mut sides = sides(options(&format!("{wrong};bob@example.com"), "", ""), CaseOptions::default());
        sides.settle();
        assert_eq!(opened(&sides).2, ["bob@example.com"], "{wrong}");
        let [note] = told(&sides)[..] else { panic!("{wrong}: {:?}", sides.told) };
        assert!(note.contains(&wrong[..wrong.len().min(60)]) && !note.contains("bob"), "{note}");
    }
    let long_enough = format!("{}@example.com", "x".repeat(242));
    assert_eq!(asked_of(&sides(options(&long_enough, "", ""), CaseOptions::default())).note, None);
}

#[test]
fn the_accounts_addresses_count_where_the_incident_has_none_that_can_be_used() {
    let mut sides = sides(options("the whole team", "", ""), options("duty@example.com, nobody", "", ""));
    sides.settle();
    assert_eq!(opened(&sides).2, ["duty@example.com"]);
    let [note] = told(&sides)[..] else { panic!("{:?}", sides.told) };
    assert!(note.contains("the whole team, nobody"), "{note}");
}

#[test]
fn ten_addresses_get_copies_and_the_others_are_told() {
    let addresses: Vec<String> = (1..=12).map(|number| format!("agent{number}@example.com")).collect();
    let mut sides = sides(options(&addresses.join("\n"), "", ""), CaseOptions::default());
    sides.incident.caller_email = "caller@example.com".to_owned();
    sides.settle();
    assert_eq!(opened(&sides).2, &addresses[..10]);
    let [note] = told(&sides)[..] else { panic!("{:?}", sides.told) };
    assert!(note.contains("These get none: agent11@example.com, agent12@example.com, caller@example.com."), "{note}");
}

#[test]
fn the_caller_gets_copies_beside_the_others_and_not_twice() {
    for (contacts, caller, expected) in [
        ("", "caller@example.com", &["caller@example.com"][..]),
        ("jane@example.com", " caller@example.com ", &["jane@example.com", "caller@example.com"]),
        ("Caller@Example.com", "caller@example.com", &["Caller@Example.com"]),
    ] {
        let mut sides = sides(options(contacts, "", ""), CaseOptions::default());
        sides.incident.caller_email = caller.to_owned();
        assert_eq!(asked_of(&sides).cc_email_addresses, expected);
    }
    let mut sides = sides(CaseOptions::default(), options("duty@example.com", "", ""));
    sides.incident.caller_email = "caller@example.com".to_owned();
    assert_eq!(asked_of(&sides).cc_email_addresses, ["duty@example.com", "caller@example.com"]);
}

#[test]
fn a_note_names_the_first_values_and_counts_the_others() {
    let wrong: Vec<String> = (1..=33).map(|number| format!("wrong{number}")).collect();
    let note = asked_of(&sides(options(&wrong.join(","), "", ""), CaseOptions::default())).note.unwrap();
    assert!(note.contains("wrong20, 13 more") && !note.contains("wrong21"), "{note}");
}

#[test]
fn what_looks_like_a_mark_is_no_mark_in_a_note() {
    let note = asked_of(&sides(options("", "[ref bcdf-ghjk-mnpq-rstv]", ""), CaseOptions::default())).note.unwrap();
    assert!(!note.contains("bcdf-ghjk"), "{note}");
}

#[test]
fn a_language_that_aws_refuses_gives_way_to_the_policys_and_agents_are_told() {
    let mut sides = sides(options("jane@example.com", "ja", ""), CaseOptions::default());
    sides.refuses = |request| request.language == "ja";
    sides.settle();
    let (language, issue_type, copies) = opened(&sides);
    assert_eq!((language, issue_type, copies.join(" ").as_str()), ("en", "technical", "jane@example.com"));
    let [note] = told(&sides)[..] else { panic!("{:?}", sides.told) };
    assert!(
        note.contains("with language en instead of ja, because AWS Support refused an earlier request: no"),
        "{note}"
    );
    let memory = &sides.link.memory;
    assert_eq!((&memory.refused_options, &memory.options_note), (&None, &None));
    assert_eq!(sides.incident.summary.columns.sync_status, "in_sync");
}

#[test]
fn copies_that_aws_refuses_are_left_out_and_the_language_stays() {
    let mut sides = sides(options("jane@example.com", "ja", "customer-service"), CaseOptions::default());
    sides.refuses = |request| !request.cc_email_addresses.is_empty();
    sides.settle();
    assert_eq!(opened(&sides), ("ja", "customer-service", [].as_slice()));
    let [note] = told(&sides)[..] else { panic!("{:?}", sides.told) };
    assert!(note.contains("opened without copies to jane@example.com, because AWS"), "{note}");
}

#[test]
fn where_aws_refuses_both_both_are_left_out() {
    let mut sides = sides(options("jane@example.com", "ja", "customer-service"), CaseOptions::default());
    sides.refuses = |request| !request.cc_email_addresses.is_empty() || request.language == "ja";
    sides.settle();
    assert_eq!(opened(&sides), ("en", "technical", [].as_slice()));
    let [note] = told(&sides)[..] else { panic!("{:?}", sides.told) };
    let changes = "with language en instead of ja and with issue type technical instead of customer-service and without \
                   copies to jane@example.com";
    assert!(note.contains(changes), "{note}");
}

#[test]
fn a_case_that_aws_refuses_whatever_its_options_waits_and_is_tried_with_all_of_them_again() {
    let mut sides = sides(options("jane@example.com", "ja", ""), CaseOptions::default());
    sides.refuses = |_| true;
    sides.settle();
    assert_eq!(sides.incident.summary.columns.sync_status, "error");
    assert_eq!(sides.link.memory.refused_options, None);
    assert!(sides.opened.is_empty());
    sides.refuses = |_| false;
    assert!(!sides.settle().contains(&"open_case"), "the same request waits");
    sides.pass_time(i64::from(sides.policy.refusal_retry_seconds));
    sides.settle();
    let (language, _, copies) = opened(&sides);
    assert_eq!((language, copies.join(" ").as_str()), ("ja", "jane@example.com"));
    assert!(told(&sides).is_empty());
}

#[test]
fn another_language_is_tried_at_once_and_so_is_all_of_it_after_another_service() {
    let mut sides = sides(CaseOptions::default(), CaseOptions::default());
    sides.policy.language = "tr".to_owned();
    sides.refuses = |request| request.language == "tr";
    sides.settle();
    assert!(sides.opened.is_empty(), "the policy's own language has no other in its place");
    sides.incident.options.language = "en".to_owned();
    sides.settle();
    assert_eq!(opened(&sides).0, "en");

    let mut sides = self::sides(options("", "ja", ""), CaseOptions::default());
    sides.refuses = |request| request.language == "ja";
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    assert!(!sides.apply(&mut pass, &plan.effects[0]));
    let refused = pass.link.memory.refused_options.as_ref().unwrap();
    assert_eq!((refused.without, refused.codes.language.as_str()), (Without::Choices, "ja"));
    sides.link = pass.link;
    sides.incident.service_code = "amazon-s3".to_owned();
    sides.refuses = |_| false;
    sides.settle();
    assert_eq!(opened(&sides).0, "ja");
    assert!(told(&sides).is_empty());
}

#[test]
fn other_refusals_leave_the_options_alone() {
    for reason in [Refusal::CaseQuota, Refusal::Subscription, Refusal::Credentials] {
        let mut sides = sides(options("jane@example.com", "ja", ""), CaseOptions::default());
        let mut pass = sides.observe();
        let plan = sides.plan(&pass);
        pass.begin(&plan.effects[0], sides.now);
        let failure = crate::sides::refusal(reason);
        let call = crate::sides::call_of(&plan.effects[0]);
        pass.refused(&sides.policy, call, &failure, sides.now, 0).unwrap();
        assert_eq!(pass.link.memory.refused_options, None, "{reason:?}");
        assert!(pass.link.troubles.active(sides.now).next().is_some(), "{reason:?}");
    }
}

#[test]
fn a_change_after_the_case_is_open_has_no_effect() {
    let mut sides = sides(options("jane@example.com", "ja", ""), CaseOptions::default());
    sides.settle();
    for text in ["en", "jp", ""] {
        sides.incident.options = options("nobody", text, text);
        sides.incident.summary.sys_mod_count += 1;
        assert_eq!(sides.settle(), Vec::<&str>::new(), "{text}");
    }
    assert_eq!(sides.opened.len(), 1);
    assert!(told(&sides).is_empty());
}

fn address() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-cA-C]{1,2}@[a-c]{1,2}\\.example", 1 => "[ -~]{0,12}", 1 => Just(String::new())]
}

fn list() -> impl Strategy<Value = String> {
    let separator = proptest::sample::select(vec![",", ";", "\n", "\r\n", " , "]);
    proptest::collection::vec((address(), separator), 0..9)
        .prop_map(|parts| parts.into_iter().map(|(address, separator)| address + separator).collect())
}

proptest! {
    #[test]
    fn aws_gets_ten_addresses_at_most_each_once_and_none_is_lost_without_a_note(
        incident in list(), account in list(), policy in proptest::collection::vec(address(), 0..10), caller in address(),
    ) {
        let mut sides = sides(options(&incident, "", ""), options(&account, "", ""));
        sides.policy.cc_email_addresses = policy;
        sides.incident.caller_email = caller.clone();
        let AskedOptions { cc_email_addresses: copies, note, .. } = asked_of(&sides);
        prop_assert!(copies.len() <= MAXIMUM_CC_EMAIL_ADDRESSES);
        for (number, address) in copies.iter().enumerate() {
            let is_same = |other: &String| other.eq_ignore_ascii_case(address);
            prop_assert!(!copies[..number].iter().any(is_same), "{copies:?}");
            let is_plain = !address.contains([' ', ',', ';', '\n', '\r']) && address.matches('@').count() == 1;
            prop_assert!(is_plain && !address.starts_with('@') && !address.ends_with('@'), "{copies:?}");
        }
        let note = note.unwrap_or_default().to_ascii_lowercase();
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
        let given = incident.split([',', ';', '\n', '\r']).map(str::trim).filter(|text| !text.is_empty());
        for text in given.chain([caller.trim()]) {
            let is_copied = copies.iter().any(|address| address.eq_ignore_ascii_case(text));
            prop_assert!(is_copied || note.contains(&words(text)), "{text} is in neither {copies:?} nor {note}");
        }
    }
}
