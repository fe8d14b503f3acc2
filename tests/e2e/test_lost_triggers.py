"""All webhooks and events are lost, and the poller brings both sides in step."""

import pytest

from world import RESOLUTION, RESOLVED, World, unique

# The time for two more attempts of the outbox, after 30 and 60 seconds, each with the next run of its job, a minute.
OUTBOX_SECONDS = 300


@pytest.mark.slow
def test_the_webhook_of_a_new_incident_is_lost(world: World):
    incident = world.draft()
    world.change_unannounced(incident, **world.scope(incident.account))
    assert world.outbox(incident) == []
    world.until_case(incident)
    world.until_in_sync(incident)
    world.settle()
    world.assert_once_at_aws(incident)
    assert world.outbox(incident) == []


@pytest.mark.slow
def test_the_webhook_of_a_comment_is_lost(world: World):
    incident = world.linked()
    text = unique("Unheard.")
    announced = len(world.until_announced(incident))
    world.change_unannounced(incident, comments=text)
    world.until_sent(incident, text)
    world.settle()
    world.assert_once_at_aws(incident, text)
    assert len(world.outbox(incident)) == announced


@pytest.mark.slow
def test_the_webhook_of_a_resolution_is_lost(world: World):
    incident = world.linked()
    world.change_unannounced(incident, comments="It works.", state=RESOLVED, **RESOLUTION)
    world.until_status(incident, "resolved")
    world.settle()
    assert (world.status(incident), world.state(incident)) == ("resolved", RESOLVED)
    world.assert_once_at_aws(incident, "It works.")


@pytest.mark.slow
def test_the_events_of_replies_and_a_resolution_are_lost(world: World, alone: None):
    replied, resolved = world.linked(), world.linked(world.stack.sandbox)
    text = unique("Unheard.")
    with world.events_lost():
        world.reply(replied, text)
        world.set_status(resolved, "resolved")
    world.until_received(replied, text)
    world.until_state(resolved, RESOLVED)
    world.settle()
    world.assert_once_in_servicenow(replied, text)
    assert (world.status(resolved), world.state(resolved)) == ("resolved", RESOLVED)


@pytest.mark.slow
def test_the_address_of_the_webhook_is_wrong_for_a_while(world: World, alone: None):
    incident = world.linked()
    text = unique("Into the void.")
    earlier = {row["webhook_id"] for row in world.until_announced(incident)}

    # Find the new one by its id, since the times are whole seconds and give no order.
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
    # The outbox keeps its entries and sends them later with the same ids. This repeats no effect.
    sent = world.until("the outbox is empty", lambda: new_webhook("sent"), incident, patience=OUTBOX_SECONDS)
    assert sent["webhook_id"] == row["webhook_id"]
    assert int(sent["attempts"]) >= 2
    world.settle()
    world.assert_once_at_aws(incident, text)
