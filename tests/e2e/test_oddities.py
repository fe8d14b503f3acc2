"""AWS Support behaves in undocumented ways, and the conversation still crosses once, whole and in order.

An oddity changes all of AWS Support, so the tests run without others.
"""

import contextlib

import pytest

from world import World, unique

pytestmark = [pytest.mark.slow, pytest.mark.exclusive]

SECONDS = 3
ODDITIES = {
    "texts come back reflowed": {"reflowed_texts": True},
    "reads as strict as may be": {
        "page_size_refused_with_ids": True,
        "recent_without_token": True,
        "earlier_ids_unknown": True,
    },
    "all at once": {
        "reflowed_texts": True,
        "page_size_refused_with_ids": True,
        "recent_without_token": True,
        "earlier_ids_unknown": True,
        "seconds_in_any_order": True,
        "length": "bytes",
        "authors_change_after_seconds": SECONDS,
        "redacted_after_seconds": SECONDS,
        "api_texts_shown_after_seconds": SECONDS,
        "repeated_resolution_refused": True,
    },
}
# More than DescribeCases shows of a case.
REPLIES = 7


@contextlib.contextmanager
def odd(world: World, oddities: dict):
    """Lets AWS Support behave like this within the block."""
    world.stack.control("POST", "/support/oddities", oddities)
    try:
        yield
    finally:
        world.stack.control("DELETE", "/support/oddities")
        # A process remembers for its lifetime that AWS refuses a page size.
        for function in ("case-poller", "reconciler"):
            world.start_anew(function)


@pytest.mark.parametrize("name", list(ODDITIES))
def test_the_conversation_crosses_once_however_odd_aws_is(world: World, name: str):
    oddities = ODDITIES[name]
    with odd(world, oddities):
        incident = world.linked()
        # The text is longer than a line of a reflowed text, and has characters that HTML encodes.
        comment = unique(f"If a < b & b > c, then {'the instance is down, ' * 6}they say.")
        world.comment(incident, comment)
        world.until_sent(incident, comment)
        if oddities.get("earlier_ids_unknown"):
            case_id = world.case(incident)["caseId"]
            world.stack.control("POST", f"/support/cases/{case_id}/language", {"language": "ja"})
        replies = [unique(f"Reply {number} in a row.") for number in range(1, REPLIES + 1)]
        for reply in replies:
            world.reply(incident, reply)
        world.until("all replies arrive", lambda: all(world.comments(incident, reply) for reply in replies), incident)
        afterwards = unique("Thank you.")
        world.comment(incident, afterwards)
        world.until_sent(incident, afterwards)
        world.settle()
        check(world, incident, [comment, afterwards], replies)
        # Both sides end as well, and stay ended.
        world.resolve(incident)
        world.until_status(incident, "resolved")
        world.settle()
        assert world.status(incident) == "resolved"
    # Without the oddities AWS shows the earlier texts in another form. casebridge knows them by marks and order.
    world.settle()
    check(world, incident, [comment, afterwards], replies)
    assert world.status(incident) == "resolved"


def check(world: World, incident, comments: list[str], replies: list[str]) -> None:
    """Checks that each side has each text once and no other text."""
    world.assert_once_at_aws(incident, *comments, *replies)
    world.assert_once_in_servicenow(incident, *replies)
    assert len(world.communications(incident)) == 1 + len(comments) + len(replies), world.describe(incident)
    assert len(world.comments(incident)) == len(comments) + len(replies), world.describe(incident)
