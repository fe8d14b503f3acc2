"""The severity of a case: which one it is opened with, and what agents are told of it."""

import contextlib
from collections.abc import Iterator

import pytest

from world import World

PLAN = ["low", "normal", "high"]
ALL = [*PLAN, "urgent", "critical"]


def notes(world: World, incident) -> list[str]:
    """Returns the incident's work notes on the severity."""
    entries = world.find("sys_journal_field", element_id=incident.sys_id, element="work_notes")
    return [entry["value"] for entry in entries if "severity" in entry["value"]]


@contextlib.contextmanager
def plan_without_urgent(world: World, account: dict) -> Iterator[None]:
    """Takes the two highest severities from an account's support plan for a while."""
    try:
        world.stack.control("POST", f"/support/accounts/{account['id']}/catalogue", {"severities": PLAN})
        world.sync_catalogue()
        yield
    finally:
        world.stack.control("POST", f"/support/accounts/{account['id']}/catalogue", {"severities": ALL})
        world.sync_catalogue()


@pytest.mark.exclusive
def test_a_severity_that_the_plan_lacks_becomes_the_next_lower_one_and_agents_are_told(world: World):
    account = world.stack.sandbox
    with plan_without_urgent(world, account):
        incident = world.linked(account=account, impact="1", urgency="1")
        assert world.case(incident)["severityCode"] == "high"
        world.until("agents are told", lambda: notes(world, incident), incident)
        world.settle()
        (note,) = notes(world, incident)
        assert "high instead of critical" in note
        world.assert_once_at_aws(incident)


def test_a_severity_that_is_changed_in_the_console_is_told_once(world: World):
    incident = world.linked()
    case = world.case(incident)
    before = world.record(incident)["priority"]
    world.stack.control("POST", f"/support/cases/{case['caseId']}/severity", {"severityCode": "urgent"})
    world.until("agents are told", lambda: notes(world, incident), incident)
    world.settle()
    (note,) = notes(world, incident)
    assert note.rstrip().endswith("to urgent.")
    assert world.record(incident)["priority"] == before, "the policy leaves impact and urgency alone"
    assert len(world.communications(incident)) == 1
