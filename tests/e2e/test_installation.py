"""Changes by an administrator of the instance: the integration user, and the home instance of the app.

These settings are those of the whole instance, so the tests run without others.
"""

import contextlib

import pytest

from world import PREFIX, World, unique

pytestmark = [pytest.mark.slow, pytest.mark.exclusive]

APP = PREFIX[:-1]
INTEGRATION_USER = "casebridge.integration"


@contextlib.contextmanager
def renamed(world: World, old: str, new: str):
    """Gives a user another name within the block."""
    world.stack.control("POST", f"/servicenow/users/{old}/rename", {"user_name": new})
    try:
        yield
    finally:
        world.stack.control("POST", f"/servicenow/users/{new}/rename", {"user_name": old})


def assert_silent(world: World, incident, why: str) -> None:
    """Checks that the REST API refuses a request with this reason."""
    answer = world.stack.admin.session.get(snapshot_url(world, incident))
    assert answer.status_code == 503, answer.text
    assert why in answer.text


def snapshot_url(world: World, incident) -> str:
    """Returns the address of an incident's snapshot."""
    instance = world.stack.description["servicenow"]["https_url"]
    return f"{instance}/api/{APP}/v1/incidents/{incident.sys_id}/snapshot?kind=support_case"


def waiting_webhooks(world: World, incident, why: str) -> list[dict[str, str]]:
    """Returns the incident's webhooks that were not sent for this reason."""
    return [row for row in world.outbox(incident) if row["state"] == "error" and why in row["last_error"]]


def waits_for_servicenow(world: World, incident) -> list[dict]:
    """Returns the reconciler's lines in which the incident's link waits because ServiceNow is unavailable."""
    lines = world.hints_handled(incident)
    return [
        line for line in lines if '("servicenow", "unavailable")' in line["failures"] and "backoff" in line["waits"]
    ]


def test_the_integration_user_is_renamed(world: World):
    incident = world.linked()
    before, during, after = (unique(f"Reply {moment} the renaming.") for moment in ("before", "during", "after"))
    world.reply(incident, before)
    world.until_received(incident, before)
    with renamed(world, INTEGRATION_USER, f"{INTEGRATION_USER}.2"):
        world.reply(incident, during)
        world.until_received(incident, during)
        (entry,) = world.comments(incident, during)
        assert entry["sys_created_by"] == f"{INTEGRATION_USER}.2"
        world.comment(incident, "The agent writes meanwhile.")
        world.until_sent(incident, "The agent writes meanwhile.")
        world.settle()
    world.reply(incident, after)
    world.until_received(incident, after)
    world.comment(incident, "And afterwards.")
    world.until_sent(incident, "And afterwards.")
    world.settle()
    # No text from AWS went back to AWS.
    world.assert_once_at_aws(incident, before, during, after, "writes meanwhile", "And afterwards.")
    world.assert_once_in_servicenow(incident, before, during, after)
    assert len(world.communications(incident)) == 1 + 3 + 2
    assert len(world.comments(incident)) == 3 + 2
    world.until_in_sync(incident)


def test_nobody_says_who_the_integration_user_is(world: World):
    incident = world.linked()
    known, meanwhile = unique("Known."), unique("Meanwhile.")
    world.reply(incident, known)
    world.until_received(incident, known)
    comments = len(world.comments(incident))
    why = "The integration user is not known"
    with world.setting_set("integration_user", ""):
        # A job that began before sends what it finds.
        world.settle()
        # The app now can't tell AWS's comments from people's. So it shows none, and no reply goes back as a comment.
        world.comment(incident, "The agent writes.")
        world.reply(incident, meanwhile)
        world.until("the outbox says why nothing is sent", lambda: waiting_webhooks(world, incident, why), incident)
        world.until("the log says that the link waits", lambda: waits_for_servicenow(world, incident), incident)
        assert_silent(world, incident, why)
        world.settle()
        assert len(world.communications(incident)) == 1 + 2
        assert len(world.comments(incident)) == comments + 1
    world.poll()
    world.until_sent(incident, "The agent writes.")
    world.until_received(incident, meanwhile)
    world.until_in_sync(incident)
    world.settle()
    world.assert_once_at_aws(incident, known, meanwhile, "The agent writes.")
    world.assert_once_in_servicenow(incident, known, meanwhile)
    assert len(world.communications(incident)) == 1 + 3
    assert len(world.comments(incident)) == 3


def test_a_clone_is_silent(world: World):
    incident = world.linked()
    sent = len(world.until_announced(incident))
    text = unique("Written on the clone.")
    why = "This instance has not been adopted"
    with world.property_set("instance_name", "the-clone"):
        for number in range(2):
            world.comment(incident, f"{text} {number}")
        rows = world.until("the outbox says why", lambda: waiting_webhooks(world, incident, why), incident)
        assert [row["attempts"] for row in rows] == ["0"], "a clone has sent a webhook"
        assert len(world.outbox(incident)) == sent + 1
        assert "the-clone" in rows[0]["last_error"]
        assert_silent(world, incident, why)
        world.settle()
        assert world.communications(incident, text) == []
    # The home instance is right again: the waiting webhooks go out.
    world.until("both are sent", lambda: len(world.communications(incident, text)) == 2, incident)
    world.until("the outbox is empty", lambda: not waiting_webhooks(world, incident, ""), incident)
    world.until_in_sync(incident)
    world.settle()
    world.assert_once_at_aws(incident, f"{text} 0", f"{text} 1")
    assert len(world.communications(incident)) == 3
