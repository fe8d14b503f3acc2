"""All webhooks and events are lost, and the poller brings both sides in step within its interval."""

import contextlib
import time

import pytest

from world import RESOLUTION, RESOLVED, World, unique

POLL_SECONDS = 60
# One interval, the work, and the time until the links that it wakes are done.
WITHIN_SECONDS = POLL_SECONDS + 30
DROP_SECONDS = 3


@contextlib.contextmanager
def events_lost(world: World):
    """No event of AWS Support reaches the hub."""
    bus = world.stack.description["events"]
    # Nothing listens on this port: the simulator gives up after a few attempts, as if no rule had forwarded the event.
    world.stack.control("PUT", "/events", {**bus, "events_endpoint": "http://127.0.0.1:9"})
    try:
        yield
        time.sleep(DROP_SECONDS)
    finally:
        world.stack.control("PUT", "/events", bus)


@pytest.mark.slow
def test_the_webhook_of_a_new_incident_is_lost(world: World):
    incident = world.draft()
    world.change_unannounced(incident, **world.scope(incident.account))
    assert world.outbox(incident) == []
    world.until("the incident has a case", lambda: world.case(incident), incident, patience=WITHIN_SECONDS)
    world.until_in_sync(incident)
    world.settle()
    world.assert_once_at_aws(incident)
    assert world.outbox(incident) == []


@pytest.mark.slow
def test_the_webhook_of_a_comment_is_lost(world: World):
    incident = world.linked()
    text = unique("Unheard.")
    announced = len(world.outbox(incident))
    world.change_unannounced(incident, comments=text)
    world.until("the case has it", lambda: world.communications(incident, text), incident, patience=WITHIN_SECONDS)
    world.settle()
    world.assert_once_at_aws(incident, text)
    assert len(world.outbox(incident)) == announced


@pytest.mark.slow
def test_the_webhook_of_a_resolution_is_lost(world: World):
    incident = world.linked()
    world.change_unannounced(incident, comments="It works.", state=RESOLVED, **RESOLUTION)
    world.until("the case is resolved", lambda: world.status(incident) == "resolved", incident, patience=WITHIN_SECONDS)
    world.settle()
    assert (world.status(incident), world.state(incident)) == ("resolved", RESOLVED)
    world.assert_once_at_aws(incident, "It works.")


@pytest.mark.slow
def test_the_events_of_replies_and_a_resolution_are_lost(world: World, alone: None):
    replied, resolved = world.linked(), world.linked(world.stack.sandbox)
    text = unique("Unheard.")
    with events_lost(world):
        world.reply(replied, text)
        world.set_status(resolved, "resolved")
    world.until("the incident has it", lambda: world.comments(replied, text), replied, patience=WITHIN_SECONDS)
    world.until(
        "the incident is resolved", lambda: world.state(resolved) == RESOLVED, resolved, patience=WITHIN_SECONDS
    )
    world.settle()
    world.assert_once_in_servicenow(replied, text)
    assert (world.status(resolved), world.state(resolved)) == ("resolved", RESOLVED)


@pytest.mark.slow
def test_the_address_of_the_webhook_is_wrong_for_a_while(world: World, alone: None):
    incident = world.linked()
    text = unique("Into the void.")
    earlier = {row["webhook_id"] for row in world.outbox(incident)}

    # By their ids: their times are whole seconds and give no order.
    def new_webhook(state: str) -> dict[str, str] | None:
        rows = [row for row in world.outbox(incident) if row["webhook_id"] not in earlier]
        assert len(rows) <= 1, rows
        return next((row for row in rows if row["state"] == state), None)

    # ServiceNow sends its webhooks to a port that nothing listens on.
    with world.setting_set("webhook_url", "https://127.0.0.1:9/"):
        world.comment(incident, text)
        row = world.until("the outbox keeps the webhook and says why", lambda: new_webhook("error"), incident)
    assert "not reached" in row["last_error"], row
    world.until_sent(incident, text)
    # The outbox keeps its entries and sends them later under the same ids. This repeats no effect.
    sent = world.until("the outbox is empty", lambda: new_webhook("sent"), incident)
    assert sent["webhook_id"] == row["webhook_id"]
    assert int(sent["attempts"]) >= 2
    world.settle()
    world.assert_once_at_aws(incident, text)
