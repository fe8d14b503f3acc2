"""Events of AWS Support come only over the hub's bus, so that the account in them is true."""

import contextlib
import datetime
import json
import uuid
from collections.abc import Iterator

import boto3
import botocore.config
import botocore.exceptions
import pytest

from stack import Stack
from world import Incident, World, unique

# Another test's poll may find one reply before its event comes, but hardly each of so many.
REPLIES = 10


def of_account(stack: Stack, account: str, service: str):
    """Returns a client of a service of the local AWS, as the root user of another account."""
    return boto3.client(
        service,
        endpoint_url=stack.description["aws"]["endpoint"],
        region_name=stack.description["aws"]["region"],
        aws_access_key_id=account,
        aws_secret_access_key="not verified",
        config=botocore.config.Config(retries={"max_attempts": 1}, proxies={}),
    )


@contextlib.contextmanager
def published(world: World) -> Iterator:
    """Yields a function that returns the events that the topic has published since the block began."""
    queues, topics = world.stack.hub("sqs"), world.stack.hub("sns")
    url = queues.create_queue(QueueName=f"e2e-{uuid.uuid4().hex}")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = world.stack.description["sns_events_topic_arn"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    subscribed = topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
    events = []

    def read() -> list[dict]:
        answer = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            events.append(json.loads(json.loads(message["Body"])["Message"]))
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return events

    try:
        yield read
    finally:
        topics.unsubscribe(SubscriptionArn=subscribed["SubscriptionArn"])
        queues.delete_queue(QueueUrl=url)


def case_update(world: World, incident: Incident, **differing: str) -> dict:
    """Returns an event of the incident's case, as a rule of its account forwards it to the hub's bus."""
    case = world.case(incident)
    detail = {
        "case-id": case["caseId"],
        "display-id": case["displayId"],
        "communication-id": uuid.uuid4().hex,
        "event-name": "AddCommunicationToCase",
        "origin": "AWS",
    }
    return {
        "EventBusName": world.stack.description["events"]["event_bus_arn"],
        "Time": datetime.datetime.now(datetime.UTC),
        "Source": "aws.support",
        "DetailType": "Support Case Update",
        "Detail": json.dumps(detail),
        **differing,
    }


def communication_ids(events: list[dict]) -> set[str]:
    """Returns the communication ids of the events, which identify them."""
    return {event["detail"]["communication-id"] for event in events}


def test_an_event_that_a_member_forwards_reaches_the_topic_with_its_account(world: World):
    incident = world.linked(world.stack.sandbox)
    account = incident.account["id"]
    member = of_account(world.stack, account, "events")
    wanted = case_update(world, incident)
    others = [case_update(world, incident, Source="a.members.own"), case_update(world, incident, DetailType="Other")]
    with published(world) as events:
        answer = member.put_events(Entries=[*others, wanted])
        assert answer["FailedEntryCount"] == 0, answer
        communication = json.loads(wanted["Detail"])["communication-id"]
        world.until("the event is published", lambda: communication in communication_ids(events()), incident)
        (event,) = [e for e in events() if e["detail"]["communication-id"] == communication]
        assert event["account"] == account
        # The events of another source or type were put first, and no rule sends them to the topic.
        assert not communication_ids(events()) & {json.loads(other["Detail"])["communication-id"] for other in others}


def test_nobody_puts_an_event_of_awss_own_on_a_bus_of_their_account(world: World):
    incident = world.linked()
    entry = {**case_update(world, incident), "EventBusName": "default"}
    for client in (world.stack.hub("events"), of_account(world.stack, incident.account["id"], "events")):
        answer = client.put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 1, answer
        assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"


def test_a_reply_arrives_by_its_event_alone(world: World):
    incident = world.linked()
    case_id = world.case(incident)["caseId"]
    # After this the hint that brought the new case's number is in the log.
    world.settle()

    def deliveries() -> list[dict]:
        return [line for line in world.hints_handled(incident) if '("deliver", None)' in line["effects"]]

    def is_brought_by_its_event() -> bool:
        known, text = len(deliveries()), unique("By the event.")
        world.reply(incident, text)
        world.until_received(incident, text)
        first, *_ = world.until("the delivery is logged", lambda: deliveries()[known:], incident)
        return first["cause"] == "support_event"

    with published(world) as events:
        brought = any(is_brought_by_its_event() for _ in range(REPLIES))
        assert brought, "the poller brought each reply, not its event"
        told = world.until(
            "the events are published",
            lambda: [event for event in events() if event["detail"]["case-id"] == case_id],
            incident,
        )
    assert {event["account"] for event in told} == {incident.account["id"]}


def test_a_member_can_not_publish_to_the_topic(stack: Stack):
    if not stack.iam_enforced:
        pytest.skip("IAM is open on this stack: `make up IAM=enforced`")
    member = of_account(stack, stack.sandbox["id"], "sns")
    with pytest.raises(botocore.exceptions.ClientError) as refusal:
        member.publish(TopicArn=stack.description["sns_events_topic_arn"], Message="{}")
    assert refusal.value.response["Error"]["Code"] == "AuthorizationError"
