//! One more message costs a link of ten thousand messages what it costs a link of a hundred. Times are no part of this
//! test: `make bench-links` prints them.

use casebridge_simulation::support::long_links::{self, Size};

/// By how many bytes the state of the longer link may exceed that of the shorter one: its numbers have more digits, and the
/// polls are not in step with the messages, so that it may remember one message more.
const ONE_MESSAGE: usize = 512;
/// How many more pages of DescribeCommunications a hundred messages may take, for the same reason.
const MORE_PAGES: u64 = 2;

#[test]
fn one_more_message_costs_the_same_after_ten_thousand_as_after_a_hundred() {
    let sizes = long_links::measure(&[100, 10_000], 1, || {});
    let [few, many] = sizes.as_slice() else { panic!("{sizes:?}") };
    let told = long_links::table(&sizes);
    assert_eq!((few.messages, many.messages), (100, 10_000));
    assert!(many.item_bytes <= few.item_bytes + ONE_MESSAGE, "{told}");
    for (few, many) in few.costs.iter().zip(&many.costs) {
        assert_eq!((many.calls, many.ledger.rows), (few.calls, few.ledger.rows), "{told}");
        assert_eq!(many.ledger.writes, few.ledger.writes, "{told}");
        assert!(many.ledger.read_bytes <= few.ledger.read_bytes + ONE_MESSAGE, "{told}");
        assert!(many.ledger.written_bytes <= few.ledger.written_bytes + few.ledger.writes * ONE_MESSAGE, "{told}");
        assert!(many.seen.entries <= few.seen.entries + 1, "{told}");
        assert!(many.seen.communications <= few.seen.communications, "{told}");
        assert_eq!(many.seen.pages, 0, "{told}");
    }
    assert!(pages_in_a_hundred(many) <= pages_in_a_hundred(few) + MORE_PAGES, "{told}");
}

/// Returns how many pages of DescribeCommunications a hundred messages took while the conversation grew to this size.
fn pages_in_a_hundred(size: &Size) -> u64 {
    size.pages_meanwhile * 100 / size.grown_by as u64
}
