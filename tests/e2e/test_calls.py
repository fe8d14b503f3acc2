"""The number of remote calls of each job, as the reconciler and the simulator count them."""

import datetime
from collections import Counter
from collections.abc import Callable

import pytest

from world import Incident, World, unique

NEW_CASE_CALLS = 6
COMMENT_CALLS = 6
REPLY_CALLS = 4
CASES_PER_CALL = 100
# A poll or a webhook that comes during a pass adds a look to it. So the lowest of several counts is what the code needs
# by itself. Beside other tests that poll, half of the rounds may be disturbed.
ROUNDS = 12
# The rounds of a test that runs without others.
POLLS = 4


def hints_with(world: World, incident: Incident, effect: str) -> list[dict]:
    """Returns the reconciler's lines about an incident in which this effect was applied."""
    return [line for line in world.hints_handled(incident) if f'("{effect}", None)' in line["effects"]]


def warm_up(world: World) -> None:
    """Lets the function read secrets, tokens and the policy, which it then keeps."""
    for incident in [world.open_incident() for _ in range(3)]:
        world.until_in_sync(incident)


def assert_takes_at_most(bound: int, one_round: Callable[[], int]) -> None:
    """Checks that a round takes at most `bound` calls. Repeats the round until one does, up to ROUNDS times."""
    counts = []
    while len(counts) < ROUNDS and min(counts, default=bound + 1) > bound:
        counts.append(one_round())
    assert min(counts) <= bound, counts


def test_a_new_incident_takes_at_most_six_calls(world: World):
    warm_up(world)

    def one_round() -> int:
        incident = world.linked()
        (line,) = world.until("the hint is logged", lambda: hints_with(world, incident, "open_case"), incident)
        return line["calls"]

    assert_takes_at_most(NEW_CASE_CALLS, one_round)


def test_a_comment_takes_at_most_six_calls(world: World):
    incident = world.linked()

    def one_round() -> int:
        text = unique("Comment")
        known = len(hints_with(world, incident, "add_communication"))
        world.comment(incident, text)
        world.until_sent(incident, text)
        lines = world.until(
            "the hint is logged", lambda: hints_with(world, incident, "add_communication")[known:], incident
        )
        return sum(line["calls"] for line in lines)

    assert_takes_at_most(COMMENT_CALLS, one_round)


def test_a_reply_takes_at_most_four_calls(world: World):
    incident = world.linked()
    # After this the earlier deliveries are in the log, and are not counted for a reply.
    world.settle()

    def one_round() -> int:
        text = unique("Reply")
        known = len(hints_with(world, incident, "deliver"))
        world.reply(incident, text)
        world.until_received(incident, text)
        lines = world.until("the hint is logged", lambda: hints_with(world, incident, "deliver")[known:], incident)
        return sum(line["calls"] for line in lines)

    assert_takes_at_most(REPLY_CALLS, one_round)


def moment(call: dict) -> datetime.datetime:
    """Returns the time of a call, by the simulator's clock, which is this machine's."""
    return datetime.datetime.fromisoformat(call["at"])


@pytest.mark.exclusive
def test_a_poll_asks_for_a_hundred_cases_at_once(world: World):
    """Runs without others: their polls and their links ask about the same account's cases."""
    account = world.stack.sandbox
    for incident in [world.open_incident(account) for _ in range(12)]:
        world.until_in_sync(incident)
    open_cases = sum(case["account"] == account["id"] and case["status"] != "resolved" for case in world.all_cases())
    assert open_cases >= 12
    bound = 2 + open_cases // CASES_PER_CALL
    counts = []
    for _ in range(POLLS):
        began = datetime.datetime.now(datetime.UTC)
        world.poll()
        log = [call for call in world.stack.control("GET", "/calls")["log"] if moment(call) >= began]
        counts.append(Counter(call["operation"] for call in log if call.get("account") == account["id"]))
    # The scheduled poll and links of earlier tests may add calls. With a call for each case, no round would stay within
    # the bound.
    assert min(count["DescribeCases"] for count in counts) <= bound, counts
    assert min(count["DescribeCommunications"] for count in counts) == 0, counts
