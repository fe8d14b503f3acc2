"""An unreadable message is parked with all that a replay needs, and does not stop other groups."""

import json
import time
import uuid

import pytest

from world import World

# The time for seven deliveries, a quarter of a minute apart, each of which waits for a worker.
PARKED_SECONDS = 300
# How long the queue hides a message that was found. After that its receipt can't delete it.
HELD_SECONDS = 60


def send(world: World, body: str, group: str) -> None:
    """Puts a message on the hint queue."""
    world.stack.hub("sqs").send_message(
        QueueUrl=world.stack.description["queue_url"],
        MessageBody=body,
        MessageGroupId=group,
        MessageDeduplicationId=uuid.uuid4().hex,
    )


def parked(world: World, body: str) -> dict | None:
    """Returns the message with this body in the dead-letter queue, or None. Puts other messages back at once."""
    queues, url = world.stack.hub("sqs"), world.stack.description["dead_letter_queue_url"]
    answer = queues.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=HELD_SECONDS,
        AttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    found = None
    for message in answer.get("Messages", []):
        if message["Body"] == body:
            found = message
        else:
            queues.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    return found


@pytest.mark.slow
def test_a_message_that_nobody_can_read_is_parked_and_can_be_replayed(world: World, alone: None):
    queues, url = world.stack.hub("sqs"), world.stack.description["dead_letter_queue_url"]
    incident = world.draft()
    world.change_unannounced(incident, **world.scope(incident.account))
    # A damaged hint of this incident. Its text must be kept, so that people can repair it.
    damaged = world.hint(incident).replace('"kind": "link"', '"kind": "lnik"')
    assert damaged != world.hint(incident)
    send(world, damaged, incident.link)
    # Meanwhile the messages of other groups are handled.
    other = world.linked()
    world.assert_once_at_aws(other)
    message = world.until(
        "the message is parked", lambda: parked(world, damaged), incident, patience=PARKED_SECONDS
    )  # fmt: skip
    assert message["Body"] == damaged
    assert message["Attributes"]["MessageGroupId"] == incident.link
    repaired = json.loads(message["Body"])
    repaired["subject"]["kind"] = "link"
    send(world, json.dumps(repaired), message["Attributes"]["MessageGroupId"])
    queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    world.until_in_sync(incident)
    world.settle()
    world.assert_once_at_aws(incident)
    assert parked(world, damaged) is None


@pytest.mark.slow
def test_whatever_is_on_the_queue_is_parked_as_it_came(world: World, alone: None):
    mark = uuid.uuid4().hex
    bodies = [f"not JSON {mark}", f'{{"mark": "{mark}"}}', f'{{"subject": "{mark}"}}', f'["{mark}"]', f"{mark}\u00e9"]
    for body in bodies:
        send(world, body, f"e2e-{uuid.uuid4().hex}")
    for body in bodies:
        message = world.until(f"{body} is parked", lambda body=body: parked(world, body), patience=PARKED_SECONDS)
        world.stack.hub("sqs").delete_message(
            QueueUrl=world.stack.description["dead_letter_queue_url"], ReceiptHandle=message["ReceiptHandle"]
        )


def test_a_hint_about_an_incident_that_is_gone_is_no_failure(world: World):
    incident = world.linked()
    record = world.stack.admin.GlideRecord("incident")
    assert record.get(incident.sys_id)
    record.delete()
    send(world, world.hint(incident), incident.link)
    time.sleep(2)
    world.poll()
    other = world.linked()
    world.assert_once_at_aws(other)
    assert len(world.cases(incident)) == 1
