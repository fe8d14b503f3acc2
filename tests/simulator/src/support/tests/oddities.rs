use casebridge_core::link::mark::{Mark, marks_in};

use super::*;
use crate::support::model::{CasesPage, CommunicationDetails};
use crate::support::oddities::{LengthUnit, Precision};

fn odd(oddities: Oddities) -> Support {
    let mut support = support();
    support.set_oddities(oddities);
    support
}

fn communications_of(case_id: &str) -> DescribeCommunications {
    DescribeCommunications { case_id: Some(case_id.to_owned()), ..DescribeCommunications::default() }
}

fn communications(support: &mut Support, now: Timestamp, case_id: &str) -> Vec<CommunicationDetails> {
    support.describe_communications(now, ACCOUNT, &communications_of(case_id)).unwrap().communications
}

fn case_page(support: &mut Support, now: Timestamp, case_id: &str) -> CasesPage {
    support.describe_cases(now, ACCOUNT, &by_ids(&[case_id])).unwrap()
}

fn recent(support: &mut Support, now: Timestamp, case_id: &str) -> Vec<CommunicationDetails> {
    case_page(support, now, case_id).cases.remove(0).recent_communications.unwrap().communications
}

fn bodies(communications: &[CommunicationDetails]) -> Vec<&str> {
    communications.iter().map(|communication| communication.body.as_str()).collect()
}

#[test]
fn texts_come_back_reflowed() {
    let mut support = odd(Oddities { reflowed_texts: true, ..Oddities::default() });
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    let mark = "[ref bcdf-ghjk-mnpq-rstv]";
    let written = format!(
        "\nAbel Tuter, 2026-11-20 21:14:05 UTC, INC0010001, part 1 of 2 {mark}\n\n{} <a & b>\n",
        "x".repeat(80)
    );
    support.add_communication_to_case(start(), ACCOUNT, &message(&case_id, &written)).unwrap();
    let shown = recent(&mut support, start(), &case_id).remove(0).body;
    let expected = "Abel Tuter, 2026-11-20 21:14:05 UTC, INC0010001, part 1 of 2 [ref\r\nbcdf-ghjk-mnpq-rstv]\r\n\r\n"
        .to_owned()
        + &"x".repeat(70)
        + "\r\n"
        + &"x".repeat(10)
        + " &lt;a &amp; b&gt;";
    assert_eq!(shown, expected);
    assert_eq!(marks_in(&shown), [Mark::of_text(mark).unwrap()], "however it is broken");
    assert_eq!(support.case(&case_id).unwrap().communications[1].body, written, "the truth is what was written");
}

#[test]
fn an_author_is_shown_differently_later_and_a_secret_is_redacted_later() {
    let oddities =
        Oddities { authors_change_after_seconds: Some(10), redacted_after_seconds: Some(20), ..Oddities::default() };
    let mut support = odd(oddities);
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    let secret = "key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    support.add_communication_to_case(start(), ACCOUNT, &message(&case_id, secret)).unwrap();
    support.communicate(start(), &case_id, "We look into it.", None).unwrap();
    let mut shown = |seconds| {
        let seen = communications(&mut support, after(seconds), &case_id);
        assert_eq!(seen[0].submitted_by, SUBMITTED_BY_AWS);
        (seen[1].submitted_by.clone(), seen[1].body.clone())
    };
    let redacted = "key [REDACTED_BY_Amazon Web Services]";
    assert_eq!(shown(9), ("AdminRole (Role) <one@example.com>".to_owned(), secret.to_owned()));
    assert_eq!(shown(10), ("one@example.com".to_owned(), secret.to_owned()));
    assert_eq!(shown(20), ("one@example.com".to_owned(), redacted.to_owned()));
}

#[test]
fn one_operation_shows_whole_seconds_and_the_other_milliseconds() {
    let exact: Timestamp = "2026-11-20T21:14:05.678Z".parse().unwrap();
    let of_cases = (Precision::SecondsInCases, start(), exact);
    let of_communications = (Precision::SecondsInCommunications, exact, start());
    for (precision, in_cases, in_communications) in
        [(Precision::Milliseconds, exact, exact), of_cases, of_communications]
    {
        let mut support = odd(Oddities { precision, ..Oddities::default() });
        let case_id = support.create_case(exact, ACCOUNT, &creation()).unwrap();
        assert_eq!(case_page(&mut support, exact, &case_id).cases[0].time_created, in_cases, "{precision:?}");
        assert_eq!(recent(&mut support, exact, &case_id)[0].time_created, in_cases, "{precision:?}");
        let shown = communications(&mut support, exact, &case_id)[0].time_created;
        assert_eq!(shown, in_communications, "{precision:?}");
    }
}

#[test]
fn whole_seconds_may_be_rounded() {
    let precision = Precision::SecondsInCases;
    let mut support = odd(Oddities { precision, seconds_are_rounded: true, ..Oddities::default() });
    for (written, shown) in [("05.499", "05"), ("05.500", "06")] {
        let at = |second: &str| format!("2026-11-20T21:14:{second}Z").parse::<Timestamp>().unwrap();
        let case_id = support.create_case(at(written), ACCOUNT, &creation()).unwrap();
        assert_eq!(recent(&mut support, at("10"), &case_id)[0].time_created, at(shown), "{written}");
    }
}

#[test]
fn recent_communications_may_not_say_that_there_are_more() {
    for recent_without_token in [false, true] {
        let mut support = odd(Oddities { recent_without_token, ..Oddities::default() });
        let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
        for _ in 0..5 {
            support.communicate(start(), &case_id, "We look into it.", None).unwrap();
        }
        let page = case_page(&mut support, start(), &case_id).cases.remove(0).recent_communications.unwrap();
        assert_eq!((page.communications.len(), page.next_token.is_none()), (5, recent_without_token));
    }
}

#[test]
fn a_list_of_ids_with_a_page_size_may_be_refused() {
    let mut support = odd(Oddities { page_size_refused_with_ids: true, ..Oddities::default() });
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    let both = DescribeCases { max_results: Some(100), ..by_ids(&[&case_id]) };
    assert_eq!(support.describe_cases(start(), ACCOUNT, &both).unwrap_err().code(), "ValidationException");
    let size_alone = DescribeCases { max_results: Some(100), ..DescribeCases::default() };
    for request in [by_ids(&[&case_id]), size_alone] {
        assert_eq!(support.describe_cases(start(), ACCOUNT, &request).unwrap().cases.len(), 1);
    }
}

#[test]
fn a_change_of_language_changes_the_id_and_the_earlier_one_may_be_unknown() {
    for earlier_ids_unknown in [false, true] {
        let mut support = odd(Oddities { earlier_ids_unknown, ..Oddities::default() });
        let earlier = support.create_case(start(), ACCOUNT, &creation()).unwrap();
        let display_id = support.case(&earlier).unwrap().display_id.clone();
        support.set_language(start(), &earlier, "fr").unwrap();
        let request = DescribeCases { display_id: Some(display_id), ..DescribeCases::default() };
        let page = support.describe_cases(start(), ACCOUNT, &request).unwrap();
        let renamed = earlier.replace("-muen-", "-mufr-");
        assert_eq!((page.cases[0].case_id.as_str(), page.cases[0].language.as_str()), (renamed.as_str(), "fr"));
        assert_eq!(recent(&mut support, start(), &renamed)[0].case_id, renamed);
        let answers = [
            support.describe_cases(start(), ACCOUNT, &by_ids(&[&earlier])).map(drop),
            support.describe_communications(start(), ACCOUNT, &communications_of(&earlier)).map(drop),
            support.add_communication_to_case(start(), ACCOUNT, &message(&earlier, "text")),
            support.resolve_case(start(), ACCOUNT, &resolution(&earlier)).map(drop),
        ];
        for answer in answers {
            assert_eq!(answer.is_err(), earlier_ids_unknown, "{answer:?}");
        }
        support.add_communication_to_case(start(), ACCOUNT, &message(&renamed, "text")).unwrap();
    }
    assert!(support().set_language(start(), "nowhere", "fr").is_err());
}

#[test]
fn a_late_reopening_may_be_answered_and_ignored() {
    let mut support = odd(Oddities { late_reopening_ignored: true, ..Oddities::default() });
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    support.resolve_case(start(), ACCOUNT, &resolution(&case_id)).unwrap();
    let late = start() + REOPEN_WINDOW + SignedDuration::from_secs(1);
    support.add_communication_to_case(late, ACCOUNT, &message(&case_id, "later")).unwrap();
    let case = support.case(&case_id).unwrap();
    assert!(case.is_resolved() && case.communications.len() == 1);
}

#[test]
fn a_length_may_be_counted_in_units_or_in_bytes() {
    // An emoji is one character, two units of UTF-16 and four bytes.
    for (length, fitting) in
        [(LengthUnit::Characters, 8_000), (LengthUnit::Utf16Units, 4_000), (LengthUnit::Bytes, 2_000)]
    {
        let mut support = odd(Oddities { length, ..Oddities::default() });
        let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
        let mut add =
            |count| support.add_communication_to_case(start(), ACCOUNT, &message(&case_id, &"😀".repeat(count)));
        add(fitting).unwrap();
        assert_eq!(add(fitting + 1).unwrap_err().code(), "ValidationException", "{length:?}");
    }
}

#[test]
fn the_communications_of_one_second_have_no_order() {
    let mut support = odd(Oddities { seconds_in_any_order: true, ..Oddities::default() });
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    for text in ["one", "two"] {
        support.communicate(after(1), &case_id, text, None).unwrap();
    }
    support.communicate(after(2), &case_id, "three", None).unwrap();
    let shown = recent(&mut support, after(3), &case_id);
    assert_eq!(bodies(&shown)[..3], ["three", "two", "one"]);
    assert_eq!(shown[1].time_created, shown[2].time_created);
    assert_eq!(bodies(&communications(&mut support, after(3), &case_id))[..3], ["three", "one", "two"]);
}

#[test]
fn an_answer_that_quotes_may_be_shown_before_what_it_quotes() {
    let mut support = odd(Oddities { api_texts_shown_after_seconds: 30, ..Oddities::default() });
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    support.add_communication_to_case(after(40), ACCOUNT, &message(&case_id, "ours")).unwrap();
    support.communicate(after(41), &case_id, "> ours", Some("janedoe@example.com")).unwrap();
    let mut shown = |seconds| bodies(&communications(&mut support, after(seconds), &case_id)).join(", ");
    assert_eq!(shown(29), "", "not even what the case was opened with");
    assert_eq!(shown(69), "> ours, The disk of ip-10-0-0-1 is full.");
    assert_eq!(shown(70), "> ours, ours, The disk of ip-10-0-0-1 is full.");
}

#[test]
fn a_resolved_case_may_not_be_resolved_again() {
    let mut support = odd(Oddities { repeated_resolution_refused: true, ..Oddities::default() });
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    support.resolve_case(start(), ACCOUNT, &resolution(&case_id)).unwrap();
    let error = support.resolve_case(start(), ACCOUNT, &resolution(&case_id)).unwrap_err();
    assert_eq!(error.code(), "ValidationException");
}

#[test]
fn communications_after_a_time_are_those_alone() {
    let mut support = support();
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    for (second, text) in [(1, "one"), (2, "two"), (3, "three")] {
        support.communicate(after(second), &case_id, text, None).unwrap();
    }
    let request = DescribeCommunications { after_time: Some(after(1).to_string()), ..communications_of(&case_id) };
    let page = support.describe_communications(after(4), ACCOUNT, &request).unwrap();
    assert_eq!(bodies(&page.communications), ["three", "two"]);
}

#[test]
fn every_oddity_is_drawn_sometimes() {
    assert_eq!(Oddities { precision: Precision::Milliseconds, ..Oddities::draw(u64::MAX << 48) }, Oddities::default());
    let all = Oddities::draw(0x7FF);
    assert!(all.reflowed_texts && all.repeated_resolution_refused && all.seconds_in_any_order);
    assert!(all.recent_without_token && all.page_size_refused_with_ids && all.earlier_ids_unknown);
    assert!(all.seconds_are_rounded && all.late_reopening_ignored && all.api_texts_shown_after_seconds > 0);
    assert!(all.authors_change_after_seconds > Some(0) && all.redacted_after_seconds > Some(0));
    assert_eq!((all.precision, all.length), (Precision::SecondsInCases, LengthUnit::Utf16Units));
}
