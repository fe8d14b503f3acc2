"""Both sides end, stay ended and reopen together."""

import pytest

from world import CANCELLED, CLOSED, IN_PROGRESS, NEW, ON_HOLD, PREFIX, RESOLUTION, RESOLVED, Incident, World, unique

# A count of calls that a test does not reach: the fault lasts until the test heals it.
MORE_THAN_ENOUGH = 500


def times_tried(world: World, incident, effect: str) -> int:
    """Returns how often the reconciler tried an effect on an incident's link."""
    return sum(line["effects"].count(f'("{effect}"') for line in world.hints_handled(incident))


@pytest.mark.parametrize("state", [RESOLVED, CLOSED, CANCELLED])
def test_the_case_is_resolved_once_when_the_incident_ends(world: World, state: str):
    incident = world.linked()
    world.change(incident, world.stack.admin, state=state, **RESOLUTION)
    world.until_status(incident, "resolved")
    # A further save of the ended incident does not resolve the case again.
    world.change(incident, world.stack.admin, work_notes="For the record.")
    world.change(incident, world.stack.admin, category="software")
    world.until("the incident shows it", lambda: world.column(incident, "case_status") == "resolved", incident)
    # The line appears in the log when its invocation has ended.
    world.until("the resolution is logged", lambda: times_tried(world, incident, "resolve_case"), incident)
    world.settle()
    assert world.status(incident) == "resolved"
    assert world.state(incident) == state
    assert len(world.communications(incident)) == 1
    assert times_tried(world, incident, "resolve_case") == 1, world.describe(incident)
    assert world.column(incident, "case_status") == "resolved"


def test_a_comment_and_the_resolution_in_one_save(world: World):
    incident = world.linked()
    text = unique("Thank you, it works again.")
    world.resolve(incident, comments=text)
    world.until_status(incident, "resolved")
    world.settle()
    world.assert_once_at_aws(incident, text)
    assert world.status(incident) == "resolved", "the comment reopened what it came with"
    assert world.state(incident) == RESOLVED


def test_the_link_lasts_in_a_group_of_no_account_and_pauses_in_one_of_another(world: World):
    incident = world.linked()
    world.change(incident, assignment_group=world.group("Service Desk"))
    world.comment(incident, "The service desk goes on.")
    world.until_sent(incident, "The service desk goes on.")
    world.reply(incident, "Hello, service desk.")
    world.until_received(incident, "Hello, service desk.")
    # The incident goes to the other account's group, and back.
    world.change(incident, assignment_group=world.group(world.stack.sandbox["assignment_group"]))
    world.comment(incident, "A word of the sandbox.")
    said = world.until_said(incident, "waiting", "nothing is sent to the case")
    assert world.stack.sandbox["id"] in said and world.stack.production["id"] in said, said
    world.reply(incident, "Hello, sandbox.")
    world.until_received(incident, "Hello, sandbox.")
    world.settle()
    assert world.communications(incident, "A word of the sandbox.") == [], world.describe(incident)
    world.assign(incident)
    world.comment(incident, "Home again.")
    world.until_sent(incident, "Home again.")
    world.until_in_sync(incident)
    world.settle()
    texts = ["The service desk goes on.", "A word of the sandbox.", "Home again."]
    world.assert_once_at_aws(incident, *texts)
    world.assert_order([communication["body"] for communication in world.communications(incident)], texts)
    assert world.column(incident, "last_error") == ""
    assert world.case(incident)["account"] == world.stack.production["id"]
    assert world.column(incident, "account") == world.stack.production["id"]


@pytest.mark.parametrize("last_reply", ["", "Replaced. We close this case."])
def test_the_incident_is_resolved_when_aws_resolves_the_case(world: World, last_reply: str):
    incident = world.linked()
    if last_reply:
        world.reply(incident, last_reply)
    world.set_status(incident, "resolved")
    world.until_state(incident, RESOLVED)
    world.settle()
    record = world.record(incident)
    choices = {choice["value"] for choice in world.find("sys_choice", name="incident", element="close_code")}
    assert record["close_code"] in choices
    assert world.column(incident, "display_id") in record["close_notes"]
    assert record["state"] == RESOLVED
    assert world.status(incident) == "resolved"
    assert record[f"{PREFIX}case_status"] == "resolved"
    assert len(world.comments(incident)) == bool(last_reply)
    assert len(world.communications(incident)) == 1 + bool(last_reply)


def test_a_customer_resolves_the_case_in_the_console(world: World):
    incident = world.linked()
    support = world.stack.support(incident.account["id"])
    support.resolve_case(caseId=world.column(incident, "case_id"))
    world.until_state(incident, RESOLVED)
    world.settle()
    assert world.status(incident) == "resolved"


def test_what_the_agent_has_drafted_for_the_end_is_kept(world: World):
    incident = world.linked()
    draft = {"close_code": "Resolved by request", "close_notes": unique("The volume was replaced.")}
    world.change(incident, **draft)
    world.set_status(incident, "resolved")
    world.until_state(incident, RESOLVED)
    world.settle()
    record = world.record(incident)
    assert {name: record[name] for name in draft} == draft
    assert record["state"] == RESOLVED


def test_a_comment_right_after_aws_has_resolved_reopens_both_once(world: World):
    incident = world.linked()
    question = unique("Are you sure? It is down again.")
    world.set_status(incident, "resolved")
    world.until_state(incident, RESOLVED)
    # Comment at once, perhaps still in the second of the resolution.
    world.comment(incident, question)
    world.until_sent(incident, question)
    world.until_status(incident, "reopened")
    world.until_state(incident, IN_PROGRESS)
    world.until_in_sync(incident)
    world.settle()
    world.assert_once_at_aws(incident, question)
    assert (world.status(incident), world.state(incident)) == ("reopened", IN_PROGRESS)
    assert world.column(incident, "last_error") == ""
    # The same text after the next resolution may come from a program: it reopens nothing, and the incident says so.
    world.set_status(incident, "resolved")
    world.until_state(incident, RESOLVED)
    world.next_second()
    world.comment(incident, question)
    world.until_said(incident, "waiting", "reopened nothing")
    world.settle()
    assert (world.status(incident), world.state(incident)) == ("resolved", RESOLVED)
    world.assert_once_at_aws(incident, question)
    # Another text reopens both.
    other = unique("A person asks: is it really over?")
    world.next_second()
    world.comment(incident, other)
    world.until_state(incident, IN_PROGRESS)
    world.until_sent(incident, other)
    world.until("nothing is left to say", lambda: world.column(incident, "last_error") == "", incident)


def test_the_platforms_own_word_on_closing_stays_at_home(world: World):
    incident = resolved_pair(world)
    sent = len(world.communications(incident))
    world.stack.control("POST", f"/servicenow/incidents/{incident.sys_id}/auto-close", {"days": 7})
    assert world.state(incident) == CLOSED
    (comment,) = world.comments(incident, "automatically closed")
    assert comment["sys_created_by"] == "system"
    world.settle()
    world.settle()
    assert world.status(incident) == "resolved"
    assert len(world.communications(incident)) == sent
    assert times_tried(world, incident, "add_communication") == 0, world.describe(incident)
    record = world.record(incident)
    assert (record[f"{PREFIX}sync_status"], record[f"{PREFIX}last_error"]) == ("in_sync", "")


def test_an_incident_on_hold_is_resolved_too(world: World):
    incident = world.linked()
    world.change(incident, state=ON_HOLD, hold_reason="4")
    world.set_status(incident, "resolved")
    world.until_state(incident, RESOLVED)


def resolved_pair(world: World):
    """Returns an incident whose case is resolved, too, and in step with it."""
    incident = world.linked()
    world.resolve(incident)
    world.until_status(incident, "resolved")
    world.until("the incident shows it", lambda: world.column(incident, "case_status") == "resolved", incident)
    # A comment in the second of the resolution would belong to it.
    world.settle()
    return incident


def test_a_comment_on_a_resolved_incident_reopens_both(world: World):
    incident = resolved_pair(world)
    text = unique("It is down again.")
    world.comment(incident, text)
    world.until_status(incident, "reopened")
    world.until_state(incident, IN_PROGRESS)
    world.settle()
    world.assert_once_at_aws(incident, text)
    assert world.status(incident) == "reopened"
    assert world.state(incident) == IN_PROGRESS
    world.resolve(incident, comments="Now it is good.")
    world.until_status(incident, "resolved")
    world.settle()
    assert (world.status(incident), world.state(incident)) == ("resolved", RESOLVED)


def test_a_second_resolution_with_a_word_stays(world: World):
    """The instance keeps the time of the first resolution, and no read falls between the two."""
    incident = resolved_pair(world)
    world.fault("servicenow", "error", incident.sys_id, operation="snapshot", count=MORE_THAN_ENOUGH)
    world.change(incident, state=IN_PROGRESS)
    world.next_second()
    text = unique("Solved for good.")
    world.resolve(incident, comments=text)
    world.heal(incident.sys_id)
    world.until_sent(incident, text)
    world.until_status(incident, "resolved")
    world.settle()
    world.assert_once_at_aws(incident, text)
    assert (world.status(incident), world.state(incident)) == ("resolved", RESOLVED)


def test_a_reply_on_a_resolved_case_reopens_both(world: World):
    incident = resolved_pair(world)
    text = unique("One more thing.")
    # A customer's reply reopens a case by itself. AWS sets the status when it writes.
    world.stack.support(incident.account["id"]).add_communication_to_case(
        caseId=world.column(incident, "case_id"), communicationBody=text
    )
    world.until_state(incident, IN_PROGRESS)
    world.until_received(incident, text)
    world.settle()
    world.assert_once_in_servicenow(incident, text)
    assert world.status(incident) == "reopened"
    assert world.state(incident) == IN_PROGRESS


def test_aws_reopens_the_case(world: World):
    incident = resolved_pair(world)
    world.reply(incident, "We look into it once more.")
    world.set_status(incident, "reopened")
    world.until_state(incident, IN_PROGRESS)
    world.until_received(incident, "We look into it once more.")
    world.settle()
    assert world.status(incident) == "reopened"


def test_an_agent_reopens_without_a_word(world: World):
    incident = resolved_pair(world)
    world.change(incident, state=IN_PROGRESS)
    world.until_status(incident, "reopened")
    world.settle()
    assert world.state(incident) == IN_PROGRESS
    assert len(world.communications(incident)) == 2
    assert world.comments(incident) == []


def test_an_incident_that_is_resolved_before_it_comes_into_scope_opens_nothing(world: World):
    incident = world.draft()
    world.resolve(incident)
    world.assign(incident)
    world.settle()
    assert world.cases(incident) == []


def test_a_case_that_is_reopened_after_the_closing_goes_on_in_another_incident(world: World):
    incident = resolved_pair(world)
    world.change(incident, world.stack.admin, state=CLOSED, **RESOLUTION)
    world.settle()
    case = world.case(incident)
    text = unique("It is back, and it was not the cable.")
    world.reply(incident, text)
    world.set_status(incident, "reopened")
    said = "It goes on in another incident"
    world.until("the closed one says so", lambda: said in world.column(incident, "last_error"), incident)
    found = world.until(
        "it goes on",
        lambda: [
            record
            for record in world.find("incident", x_casebridge_aws_case_id=case["caseId"])
            if record["sys_id"] != incident.sys_id
        ],
    )
    (record,) = found
    successor = Incident(record["sys_id"], record["number"], incident.account)
    assert incident.number in record["description"] and text in record["description"]
    assert len(world.comments(incident, text)) + len(world.comments(successor, text)) == 1
    assert world.state(incident) == CLOSED
    answer = unique("We look into it.")
    world.comment(successor, answer)
    world.until("the answer is on the case", lambda: world.communications(incident, answer), incident)


def test_new_incidents_of_one_moment_have_a_case_each(world: World):
    incidents = [world.open_incident() for _ in range(8)]
    for incident in incidents:
        world.until_in_sync(incident)
    world.settle()
    for incident in incidents:
        world.assert_once_at_aws(incident)
        assert world.state(incident) == NEW
    assert len({world.column(incident, "case_id") for incident in incidents}) == len(incidents)
