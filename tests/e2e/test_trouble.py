"""Either side throttles, fails or refuses. casebridge repeats the calls and reports what a person has to mend."""

import time

import pytest

from world import PREFIX, Incident, World, unique

TRANSIENT_AT_AWS = [
    {"kind": "throttle"},
    {"kind": "throttle", "error": "TooManyRequestsException"},
    {"kind": "error", "error": "InternalServerError"},
    {"kind": "error", "error": "ServiceUnavailable"},
    {"kind": "timeout"},
]
TRANSIENT_IN_SERVICENOW = [
    {"kind": "throttle"},
    {"kind": "error", "error": "semaphore"},
    {"kind": "error", "error": "500"},
    {"kind": "error", "error": "503"},
    {"kind": "error", "error": "html"},
    {"kind": "error", "error": "truncated"},
    {"kind": "timeout"},
]


def name(fault: dict) -> str:
    """Returns a fault's name for the list of tests."""
    return "-".join(fault.values())


@pytest.mark.slow
@pytest.mark.parametrize("fault", TRANSIENT_AT_AWS, ids=name)
def test_aws_fails_for_a_while(world: World, fault: dict):
    incident = world.linked()
    case_id = world.case(incident)["caseId"]
    text = unique("Through it all.")
    world.fault("support", containing=case_id, operation="DescribeCases", count=2, **fault)
    world.fault("support", containing=text, operation="AddCommunicationToCase", count=1, **fault)
    world.comment(incident, text)
    world.until_sent(incident, text)
    world.reply(incident, "And back.")
    world.until_received(incident, "And back.")
    world.until_in_sync(incident)
    assert not world.faults_on(case_id) + world.faults_on(text), "not every fault was met"
    world.settle()
    world.assert_once_at_aws(incident, text)
    world.assert_once_in_servicenow(incident, "And back.")


@pytest.mark.slow
@pytest.mark.parametrize("fault", TRANSIENT_IN_SERVICENOW, ids=name)
def test_servicenow_fails_for_a_while(world: World, fault: dict):
    written, read = world.linked(), world.linked()
    text = unique("We see a host failure.")
    world.fault("servicenow", containing=written.sys_id, operation="deliver", count=2, **fault)
    world.reply(written, text)
    # No webhook is sent for this change: the poller finds it, and the reconciler has to read the incident.
    world.fault("servicenow", containing=read.sys_id, operation="snapshot", count=1, **fault)
    world.change_unannounced(read, comments="Thank you.")
    world.until_received(written, text)
    world.until_sent(read, "Thank you.")
    for incident in (written, read):
        world.until_broken(incident, incident.sys_id)
        world.until_in_sync(incident)
    world.settle()
    world.assert_once_in_servicenow(written, text)
    world.assert_once_at_aws(read, "Thank you.")


@pytest.mark.slow
def test_a_throttled_new_case_opens_later(world: World):
    incident = world.draft()
    world.fault("support", "throttle", incident.number, operation="CreateCase", count=2)
    world.assign(incident)
    world.until_broken(incident, incident.number)
    world.until_in_sync(incident)
    world.settle()
    world.assert_once_at_aws(incident)


def looks(world: World, incident: Incident, effect: str) -> list[dict]:
    """Returns the reconciler's lines about an incident in which this effect was tried."""
    return [line for line in world.hints_handled(incident) if f'("{effect}", ' in line["effects"]]


@pytest.mark.parametrize("times", [1, 2])
def test_what_is_throttled_once_or_twice_is_done_by_the_same_pass(world: World, times: int):
    incident = world.draft()
    world.fault("support", "throttle", incident.number, operation="CreateCase", count=times)
    world.assign(incident)
    world.until_in_sync(incident)
    (line,) = world.until("the pass is logged", lambda: looks(world, incident, "open_case"), incident)
    assert line["effects"].count("unavailable") == times, line
    text = unique("Any news?")
    world.fault("support", "throttle", text, operation="AddCommunicationToCase", count=times)
    world.comment(incident, text)
    world.until_sent(incident, text)
    (line,) = world.until("the pass is logged", lambda: looks(world, incident, "add_communication"), incident)
    assert line["effects"].count("unavailable") == times, line
    world.settle()
    world.assert_once_at_aws(incident, text)


@pytest.mark.exclusive
def test_a_link_that_waits_wakes_by_itself(world: World):
    """Runs without others: they poll every few seconds, and a poll may come first at each due time."""
    incident = world.linked()
    text = unique("Any news?")

    def woken() -> list[dict]:
        return [line for line in looks(world, incident, "add_communication") if line["cause"] == "wake"]

    # AWS throttles until a message that was sent ahead begins a pass. The scheduled poll may come first once.
    world.fault("support", "throttle", text, operation="AddCommunicationToCase", count=20)
    try:
        world.comment(incident, text)
        world.until("a pass is logged that no poll began", woken, incident)
    finally:
        world.heal(text)
    world.until_sent(incident, text)
    world.settle()
    world.assert_once_at_aws(incident, text)


@pytest.mark.slow
def test_an_account_without_a_support_plan(world: World):
    incident = world.draft(world.stack.sandbox)
    world.fault(
        "support", "error", incident.number, operation="CreateCase", error="SubscriptionRequiredException"
    )  # fmt: skip
    world.assign(incident)
    world.until_said(incident, "error", "support plan")
    assert world.cases(incident) == []
    # The links of the account's other incidents go on.
    other = world.linked(world.stack.sandbox)
    world.assert_once_at_aws(other)
    # The customer buys the plan: the case opens by itself.
    world.until_in_sync(incident)
    world.settle()
    world.assert_once_at_aws(incident)
    assert world.column(incident, "last_error") == ""


@pytest.mark.slow
def test_the_quota_of_new_cases_is_waited_out(world: World):
    incident = world.draft(world.stack.sandbox)
    world.fault(
        "support", "error", incident.number, operation="CreateCase", error="CaseCreationLimitExceeded"
    )  # fmt: skip
    world.assign(incident)
    world.until_said(incident, "waiting", "too many cases")
    assert world.cases(incident) == []
    other = world.linked(world.stack.sandbox)
    world.assert_once_at_aws(other)
    world.until_in_sync(incident)
    world.settle()
    world.assert_once_at_aws(incident)


def test_an_unknown_service_code_is_said_and_can_be_mended(world: World):
    incident = world.draft(**{**world.scope(world.stack.production), f"{PREFIX}service_code": "no-such-service"})
    world.until_said(incident, "error", "service code")
    assert world.cases(incident) == []
    other = world.linked()
    world.assert_once_at_aws(other)
    world.change(incident, **world.scope(incident.account))
    world.until_in_sync(incident)
    world.settle()
    world.assert_once_at_aws(incident)
    assert world.column(incident, "last_error") == ""


def test_one_unknown_case_does_not_stop_the_others(world: World):
    incident, other = world.linked(), world.linked()
    case_id = world.case(incident)["caseId"]
    world.fault("support", "error", case_id, operation="DescribeCases", error="CaseIdNotFound", count=1)
    world.poll()
    world.reply(other, "Go on.")
    world.until_received(other, "Go on.")
    world.reply(incident, "You too.")
    world.until_received(incident, "You too.")
    world.assert_once_in_servicenow(incident, "You too.")


@pytest.mark.slow
def test_servicenow_refuses_a_message_and_says_so_in_the_log_of_the_link(world: World):
    incident = world.linked()
    world.fault("servicenow", "error", incident.sys_id, operation="deliver", error="403", count=1)
    world.reply(incident, "Refused at first.")
    world.until_broken(incident, incident.sys_id)
    other = world.linked()
    world.reply(other, "Unmoved.")
    world.until_received(other, "Unmoved.")
    world.until_received(incident, "Refused at first.")
    world.settle()
    world.assert_once_in_servicenow(incident, "Refused at first.")


@pytest.mark.slow
@pytest.mark.parametrize("status", ["413", "403"])
def test_a_delivery_that_is_refused_as_a_whole_holds_back_nothing_else(world: World, status: str):
    incident = world.linked()
    more_than_enough = 500
    began = time.monotonic()
    try:
        world.fault("servicenow", "error", incident.sys_id, operation="deliver", error=status, count=more_than_enough)
        world.reply(incident, "Nobody lets this through.")
        world.until("the delivery is refused", lambda: refused(world, incident, more_than_enough) >= 1, incident)
        # The other direction still works.
        texts = [unique(f"Comment {number}") for number in range(1, 4)]
        for text in texts:
            world.comment(incident, text)
            world.until_sent(incident, text)
            world.next_second()
        world.settle()
        world.assert_once_at_aws(incident, *texts)
        assert world.comments(incident, "Nobody lets") == []
        # Each refused request is made a few times a minute, not in a loop. So the bound grows with the minutes.
        minutes = 1 + (time.monotonic() - began) // 60
        assert refused(world, incident, more_than_enough) <= 12 * minutes, world.describe(incident)
    finally:
        world.heal(incident.sys_id)
    world.until_received(incident, "Nobody lets this through.")
    world.until_in_sync(incident)
    world.assert_once_in_servicenow(incident, "Nobody lets this through.")


def refused(world: World, incident, ordered: int) -> int:
    """Returns how many deliveries have met the fault that was ordered `ordered` times."""
    return ordered - sum(fault["count"] for fault in world.faults_on(incident.sys_id))


def test_a_text_that_aws_refuses_for_good_is_replaced_and_said(world: World):
    incident = world.linked()
    poison, later = unique("Poison"), unique("What came later.")
    try:
        world.fault(
            "support", "error", poison, operation="AddCommunicationToCase", error="ValidationException", count=100
        )  # fmt: skip
        world.comment(incident, f"It says: {poison}.")
        world.until_sent(incident, "AWS Support does not accept this text")
        world.comment(incident, later)
        world.until_sent(incident, later)
        said = world.until_said(incident, "waiting", "left out")
        world.settle()
        world.assert_once_at_aws(incident, "does not accept this text", later)
        assert world.communications(incident, poison) == []
        assert "refused a text" in said
        assert len(world.communications(incident)) == 3
    finally:
        world.heal(poison)


def test_what_stands_before_a_refused_line_is_sent(world: World):
    incident = world.linked()
    poison = unique("Poison")
    lines = [f"Line {number:03} of a long report that nobody objects to.\n" for number in range(120)]
    try:
        world.fault(
            "support", "error", poison, operation="AddCommunicationToCase", error="ValidationException", count=100
        )  # fmt: skip
        world.comment(incident, "".join([*lines[:80], f"{poison}\n", *lines[80:]]))
        world.until_sent(incident, "AWS Support does not accept this text")
        world.settle()
        sent = "".join(
            communication["body"].split("\n\n", 1)[1] for communication in world.communications(incident)[1:]
        )
        assert sent.startswith("".join(lines[:70]))
        assert all(sent.count(line) <= 1 for line in lines)
        assert poison not in sent
        assert sent.count("does not accept this text") == 1
        world.until_said(incident, "waiting", "left out")
    finally:
        world.heal(poison)
