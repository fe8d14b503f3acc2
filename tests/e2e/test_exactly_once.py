"""Answers are lost, processes die, sides fail between two writes: no text is lost or doubled."""

import base64
import json
import os
import pathlib
import signal
import time
import uuid

import pytest

from world import (
    CATEGORY_CODE,
    L_SECONDS,
    PREFIX,
    RESOLVED,
    SERVICE_CODE,
    UNKNOWN_OUTCOME_SECONDS,
    Incident,
    World,
    unique,
)

# The time for a lease, the poll after it, and L.
LEASE_SECONDS = 300


def test_aws_opens_the_case_and_the_answer_is_lost(world: World):
    incident = world.draft()
    world.fault("support", "apply_then_drop", incident.number, operation="CreateCase")
    world.assign(incident)
    world.until_broken(incident, incident.number)
    world.until_in_sync(incident)
    world.settle(UNKNOWN_OUTCOME_SECONDS)
    world.assert_once_at_aws(incident)
    assert len(world.communications(incident)) == 1
    assert world.column(incident, "case_id") == world.case(incident)["caseId"]


def test_aws_takes_the_comment_and_the_answer_is_lost(world: World):
    incident = world.linked()
    first, second = unique("Doubtful."), unique("Certain.")
    world.fault("support", "apply_then_drop", first, operation="AddCommunicationToCase")
    world.comment(incident, first)
    world.until_broken(incident, first)
    world.next_second()
    world.comment(incident, second)
    world.until_sent(incident, second)
    world.until_in_sync(incident)
    world.settle(UNKNOWN_OUTCOME_SECONDS)
    world.assert_once_at_aws(incident, first, second)
    world.assert_order([communication["body"] for communication in world.communications(incident)], [first, second])
    assert world.comments(incident, "Amazon Web Services") == []


def test_aws_resolves_the_case_and_the_answer_is_lost(world: World):
    incident = world.linked()
    case_id = world.case(incident)["caseId"]
    world.fault("support", "apply_then_drop", case_id, operation="ResolveCase")
    world.resolve(incident, comments="Solved.")
    world.until_broken(incident, case_id)
    world.until("the incident shows it", lambda: world.column(incident, "case_status") == "resolved", incident)
    world.settle(UNKNOWN_OUTCOME_SECONDS)
    assert (world.status(incident), world.state(incident)) == ("resolved", RESOLVED)
    world.assert_once_at_aws(incident, "Solved.")
    assert len(world.communications(incident)) == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["timeout", "error"])
def test_the_answer_is_lost_and_no_case_was_opened(world: World, kind: str):
    incident = world.draft()
    world.fault("support", kind, incident.number, operation="CreateCase")
    # Read the clock before the first call, so that it does not matter how late the test sees the call fail.
    began = time.monotonic()
    world.assign(incident)
    world.until_broken(incident, incident.number)
    world.until_case(incident)
    # The repeat does not come before L, since the first call may show its effect until then. The second is for clocks
    # that differ.
    assert time.monotonic() - began > L_SECONDS - 1
    world.until_in_sync(incident)
    world.settle(UNKNOWN_OUTCOME_SECONDS)
    world.assert_once_at_aws(incident)
    assert len(world.communications(incident)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["apply_then_drop", "apply_then_timeout"])
def test_the_incident_leaves_the_scope_while_its_case_is_in_doubt(world: World, kind: str):
    incident = world.draft()
    world.fault("support", kind, incident.number, operation="CreateCase")
    world.assign(incident)
    world.until_broken(incident, incident.number)
    # AWS has the case, and the link does not know it. The incident is no longer in scope.
    world.change(incident, **{f"{PREFIX}category_code": ""})
    case = world.until_case(incident)
    text = unique("We are on it.")
    world.reply(incident, text)
    world.until("the incident shows it", lambda: world.column(incident, "case_id") == case["caseId"], incident)
    world.until_received(incident, text)
    world.settle(UNKNOWN_OUTCOME_SECONDS)
    world.assert_once_at_aws(incident)
    world.assert_once_in_servicenow(incident, text)
    assert world.column(incident, "display_id") == case["displayId"]


@pytest.mark.slow
def test_the_incident_leaves_the_scope_and_no_case_was_opened(world: World):
    incident = world.draft()
    world.fault("support", "timeout", incident.number, operation="CreateCase")
    world.assign(incident)
    world.until_broken(incident, incident.number)
    world.change(incident, **{f"{PREFIX}category_code": ""})
    world.settle(UNKNOWN_OUTCOME_SECONDS)
    world.settle(UNKNOWN_OUTCOME_SECONDS)
    assert world.cases(incident) == []
    assert world.column(incident, "case_id") == ""
    # The agent puts the incident in scope again, and one case opens.
    world.assign(incident)
    world.until_in_sync(incident)
    world.settle(UNKNOWN_OUTCOME_SECONDS)
    world.assert_once_at_aws(incident)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["timeout", "error"])
def test_the_answer_is_lost_and_no_comment_was_added(world: World, kind: str):
    incident = world.linked()
    first, second = unique("Doubtful."), unique("Later.")
    world.fault("support", kind, first, operation="AddCommunicationToCase")
    world.comment(incident, first)
    world.until_broken(incident, first)
    world.next_second()
    world.comment(incident, second)
    world.until_sent(incident, second)
    world.until_in_sync(incident)
    world.settle(UNKNOWN_OUTCOME_SECONDS)
    world.assert_once_at_aws(incident, first, second)
    # No call overtakes a call in doubt: the second comment has waited for the first.
    world.assert_order([communication["body"] for communication in world.communications(incident)], [first, second])


@pytest.mark.exclusive
def test_a_call_in_doubt_is_looked_at_when_the_doubt_ends(world: World):
    """Runs without others: they poll every few seconds, and a poll may come first at each due time."""
    incident = world.linked()
    text = unique("Doubtful.")

    def searches() -> list[dict]:
        # No call of this link was in doubt before the fault. A message whose claim was gone has no waits in its line.
        handled = world.hints_handled(incident)
        return [line for line in handled if line["cause"] == "wake" and "unknown_outcome" in line["waits"]]

    def repeats() -> list[dict]:
        handled = world.hints_handled(incident)
        return [line for line in handled if '("add_communication", None)' in line["effects"]]

    # The call fails again after each L, until a message that was sent ahead has begun a search for it. The scheduled
    # poll may come first at one due time.
    world.fault("support", "error", text, operation="AddCommunicationToCase", count=20)
    try:
        world.comment(incident, text)
        world.until("a search for the call is logged that no poll began", searches, incident)
    finally:
        world.heal(text)
    world.until_sent(incident, text)
    (repeat,) = world.until("the repeat is logged", repeats, incident)
    assert repeat["cause"] in ("wake", "due"), repeat
    world.settle(UNKNOWN_OUTCOME_SECONDS)
    world.assert_once_at_aws(incident, text)


@pytest.mark.slow
def test_the_resolution_is_lost_and_done_again(world: World):
    incident = world.linked()
    case_id = world.case(incident)["caseId"]
    world.fault("support", "timeout", case_id, operation="ResolveCase")
    world.resolve(incident)
    world.until_broken(incident, case_id)
    world.until_status(incident, "resolved")
    world.settle()
    assert world.status(incident) == "resolved"
    assert len(world.communications(incident)) == 1


def test_the_event_of_a_new_case_arrives_before_its_link_is_stored(world: World):
    incident = world.draft()
    # AWS opens the case and sends its event, while CreateCase still waits for its answer.
    world.fault("support", "apply_then_timeout", incident.number, operation="CreateCase")
    before = {record["sys_id"] for record in world.find("incident")}
    world.assign(incident)
    case = world.until_case(incident)
    world.until_in_sync(incident)
    world.settle(UNKNOWN_OUTCOME_SECONDS)
    world.assert_once_at_aws(incident)
    assert world.column(incident, "case_id") == case["caseId"]
    made = [record for record in world.find("incident") if record["sys_id"] not in before]
    about_it = [record for record in made if case["caseId"] in str(record) or incident.number in str(record)]
    assert about_it == []


def copy_reconciler(world: World, name: str) -> None:
    """Deploys a copy of the reconciler, so that killing its process stops only this test's work."""
    lambda_client = world.stack.hub("lambda")
    deployed = lambda_client.get_function(FunctionName=world.stack.description["functions"]["reconciler"])
    package = world.stack.web.get(deployed["Code"]["Location"], timeout=60).content
    configuration = deployed["Configuration"]
    lambda_client.create_function(
        FunctionName=name,
        Runtime=configuration["Runtime"],
        Handler=configuration["Handler"],
        Role=configuration["Role"],
        Timeout=configuration["Timeout"],
        MemorySize=configuration["MemorySize"],
        Environment={"Variables": configuration["Environment"]["Variables"]},
        LoggingConfig=configuration["LoggingConfig"],
        Code={"ZipFile": package},
    )
    lambda_client.get_waiter("function_active_v2").wait(FunctionName=name)


def queue_event(world: World, incident: Incident) -> bytes:
    """Returns the event with which the queue delivers a hint about the incident to the reconciler."""
    queue = world.stack.description["queue_url"].rpartition("/")[2]
    region = world.stack.description["aws"]["region"]
    message_id = str(uuid.uuid4())
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": str(int(time.time() * 1000)),
        "SenderId": "000000000000",
        "ApproximateFirstReceiveTimestamp": str(int(time.time() * 1000)),
        "MessageGroupId": incident.link,
        "MessageDeduplicationId": message_id,
        "SequenceNumber": "1",
    }
    record = {
        "messageId": message_id,
        "receiptHandle": "none",
        "body": world.hint(incident),
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{region}:000000000000:{queue}",
        "awsRegion": region,
    }
    return json.dumps({"Records": [record]}).encode()


def started(world: World, function: str) -> int:
    """Lets a copy of the reconciler handle a hint about an incident that does not exist. Returns the process's id."""
    nobody = Incident(uuid.uuid4().hex, "INC0", world.stack.production)
    answer = world.stack.hub("lambda").invoke(FunctionName=function, Payload=queue_event(world, nobody))
    assert "FunctionError" not in answer, answer["Payload"].read()
    (process,) = processes_of(function)
    return process


def processes_of(function: str) -> list[int]:
    """Returns the numbers of the processes that run a function."""
    wanted = f"AWS_LAMBDA_FUNCTION_NAME={function}".encode()
    found = []
    for environment in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in environment.read_bytes().split(b"\0"):
                found.append(int(environment.parent.name))
        except OSError:
            continue
    return found


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["CreateCase", "AddCommunicationToCase"])
def test_the_reconciler_dies_after_the_call(world: World, operation: str):
    name = f"casebridge-e2e-{uuid.uuid4().hex[:8]}"
    copy_reconciler(world, name)
    try:
        # Start the copy first, so that it handles its hint at once. Otherwise another test's poll may send the deployed
        # reconciler a hint before.
        process = started(world, name)
        # The call takes effect, and the process is killed while it waits for the answer.
        text = unique("Last words.")
        if operation == "CreateCase":
            incident = world.draft(short_description=text)
            world.fault("support", "apply_then_timeout", text, operation=operation)
            world.change_unannounced(incident, **world.scope(incident.account))
        else:
            incident = world.linked()
            world.fault("support", "apply_then_timeout", text, operation=operation)
            world.change_unannounced(incident, comments=text)
        world.stack.hub("lambda").invoke(
            FunctionName=name, InvocationType="Event", Payload=queue_event(world, incident)
        )  # fmt: skip
        world.until_broken(incident, text)
        os.kill(process, signal.SIGKILL)
    finally:
        world.stack.hub("lambda").delete_function(FunctionName=name)
    # The next worker finds the lease taken until it expires. Then it finds the intent and reads back.
    outcome = "the case is shown on the incident, in sync"
    world.until(outcome, lambda: world.in_sync(incident), incident, patience=LEASE_SECONDS)
    world.comment(incident, "Afterwards.")
    world.until(
        "the conversation goes on", lambda: world.communications(incident, "Afterwards."), incident,
        patience=LEASE_SECONDS,
    )  # fmt: skip
    world.settle()
    world.assert_once_at_aws(incident, "Afterwards.")
    if operation == "AddCommunicationToCase":
        world.assert_once_at_aws(incident, text)
    else:
        assert len([case for case in world.all_cases() if text in case["subject"]]) == 1, world.describe(incident)


@pytest.mark.slow
@pytest.mark.parametrize("commits", [1, 2, 3])
def test_servicenow_dies_between_the_records_of_a_delivery(world: World, commits: int):
    incident = world.linked()
    text = unique("We see a host failure.")
    world.fault("servicenow", "stop", incident.sys_id, operation="deliver", after_commits=commits)
    world.reply(incident, text)
    world.until_broken(incident, incident.sys_id)
    world.until_received(incident, text)
    world.reply(incident, "And another one.")
    world.until_received(incident, "And another one.")
    world.settle()
    world.assert_once_in_servicenow(incident, text, "And another one.")


def test_the_answer_of_a_delivery_is_lost(world: World):
    incident = world.linked()
    text = unique("Heard twice?")
    world.fault("servicenow", "apply_then_drop", incident.sys_id, operation="deliver")
    world.reply(incident, text)
    world.until_broken(incident, incident.sys_id)
    world.until_received(incident, text)
    world.reply(incident, "The next one.")
    world.until_received(incident, "The next one.")
    world.settle()
    world.assert_once_in_servicenow(incident, text, "The next one.")


def test_a_message_that_aws_rewrites_is_not_sent_again(world: World):
    incident = world.linked()
    card = "4111 1111 1111 1111"
    key = base64.b64encode(b"thirty bytes of a secret key..").decode()
    assert len(key) == 40
    text = unique("Charged to")
    world.comment(incident, f"{text} {card} with {key}.")
    world.until_sent(incident, text)
    world.settle()
    world.poll()
    world.assert_once_at_aws(incident, text)
    (communication,) = world.communications(incident, text)
    assert card not in communication["body"] and key not in communication["body"]
    assert len(world.communications(incident)) == 2
    assert len(world.comments(incident)) == 1


def test_a_rewritten_description_is_found_again(world: World):
    incident = world.draft(description="The card 4111 1111 1111 1111 was refused.")
    world.fault("support", "apply_then_drop", incident.number, operation="CreateCase")
    world.change(incident, **world.scope(incident.account))
    world.until_in_sync(incident)
    world.settle(UNKNOWN_OUTCOME_SECONDS)
    world.assert_once_at_aws(incident)
    assert "REDACTED" in world.communications(incident)[0]["body"]
    assert world.column(incident, "service_code") == SERVICE_CODE
    assert world.record(incident)[f"{PREFIX}category_code"] == CATEGORY_CODE
