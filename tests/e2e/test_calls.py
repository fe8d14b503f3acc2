"""The number of remote calls of each job, by the reconciler's own count and by the simulator's."""

import datetime
from collections import Counter

from world import Incident, World, unique

NEW_CASE_CALLS = 6
COMMENT_CALLS = 6
REPLY_CALLS = 4
CASES_PER_CALL = 100
# Another test's throttling may add calls: the lowest of a few counts is what the code does by itself.
ROUNDS = 4


def hints_with(world: World, incident: Incident, effect: str) -> list[dict]:
    """The reconciler's lines about an incident in which this effect was applied."""
    return [line for line in world.hints_handled(incident) if f'("{effect}", None)' in line["effects"]]


def warm_up(world: World) -> None:
    """Secrets, tokens and policy are read once and kept."""
    for incident in [world.open_incident() for _ in range(3)]:
        world.until_in_sync(incident)


def test_a_new_incident_takes_at_most_six_calls(world: World):
    warm_up(world)
    counts = []
    for _ in range(ROUNDS):
        incident = world.linked()
        (line,) = world.until("the hint is logged", lambda it=incident: hints_with(world, it, "open_case"), incident)
        counts.append(line["calls"])
    assert min(counts) <= NEW_CASE_CALLS, counts


def test_a_comment_takes_at_most_six_calls(world: World):
    incident = world.linked()
    counts = []
    for number in range(ROUNDS):
        text = unique(f"Comment {number}")
        known = len(hints_with(world, incident, "add_communication"))
        world.comment(incident, text)
        world.until_sent(incident, text)
        lines = world.until(
            "the hint is logged",
            lambda known=known: hints_with(world, incident, "add_communication")[known:],
            incident,
        )
        counts.append(sum(line["calls"] for line in lines))
    assert min(counts) <= COMMENT_CALLS, counts


def test_a_reply_takes_at_most_four_calls(world: World):
    incident = world.linked()
    counts = []
    for number in range(ROUNDS):
        text = unique(f"Reply {number}")
        known = len(hints_with(world, incident, "deliver"))
        world.reply(incident, text)
        world.until_received(incident, text)
        lines = world.until(
            "the hint is logged", lambda known=known: hints_with(world, incident, "deliver")[known:], incident
        )
        counts.append(sum(line["calls"] for line in lines))
    assert min(counts) <= REPLY_CALLS, counts


def moment(call: dict) -> datetime.datetime:
    """The time of a call, by the simulator's clock, which is this machine's."""
    return datetime.datetime.fromisoformat(call["at"])


def test_a_poll_asks_for_a_hundred_cases_at_once(world: World):
    account = world.stack.sandbox
    for incident in [world.open_incident(account) for _ in range(12)]:
        world.until_in_sync(incident)
    open_cases = sum(case["account"] == account["id"] and case["status"] != "resolved" for case in world.all_cases())
    assert open_cases >= 12
    bound = 2 + open_cases // CASES_PER_CALL
    counts = []
    for _ in range(ROUNDS):
        began = datetime.datetime.now(datetime.UTC)
        world.poll()
        log = [call for call in world.stack.control("GET", "/calls")["log"] if moment(call) >= began]
        counts.append(Counter(call["operation"] for call in log if call.get("account") == account["id"]))
    # Other tests' links are at work meanwhile, one call each: with a call per case no round would be this small.
    assert min(count["DescribeCases"] for count in counts) <= bound, counts
    assert min(count["DescribeCommunications"] for count in counts) == 0, counts
