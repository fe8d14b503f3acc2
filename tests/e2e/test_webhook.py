"""The webhook: senders, contents and repeats. Signed by the library of the Standard Webhooks project."""

import concurrent.futures
import datetime
import json
import time
import uuid

import pytest
import requests
import standardwebhooks

from stack import Stack
from world import Incident, World

SECRET_PREFIX = "whsec_"
# The webhook's secret during the test of a rotation.
ROTATED = SECRET_PREFIX + "cm90YXRlZCByb3RhdGVkIHJvdGF0ZWQgcm90YXRlZA=="
# The limit of a body is 16 KiB.
LARGEST = 16 * 1024
# How long ServiceNow waits for an answer. It has four connections for each host.
ANSWER_SECONDS = 5
# Beside other tests one answer may be late, but hardly each of these.
ANSWERS = 5


def secret(stack: Stack) -> str:
    """Returns the secret that ServiceNow signs with, also while another test has stored a newer one."""
    manager, secret_id = stack.hub("secretsmanager"), stack.description["webhook_secret_id"]
    # Read the current version a second time: the rotation of the other test may begin or end between the reads.
    stages = ("AWSCURRENT", "AWSPREVIOUS", "AWSCURRENT")
    texts = (manager.get_secret_value(SecretId=secret_id, VersionStage=stage)["SecretString"] for stage in stages)
    text = next(text for text in texts if text != ROTATED)
    return text if text.startswith(SECRET_PREFIX) else SECRET_PREFIX + text


def signed(stack: Stack, body: str, *, key: str = "", age: float = 0, webhook_id: str = "") -> dict[str, str]:
    """Returns the headers of a signed webhook."""
    webhook_id = webhook_id or uuid.uuid4().hex
    moment = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=age)
    signature = standardwebhooks.Webhook(key or secret(stack)).sign(webhook_id, moment, body)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": signature,
    }


def post(stack: Stack, body: str | bytes, headers: dict[str, str], method: str = "POST") -> requests.Response:
    """Sends a webhook as ServiceNow does."""
    headers = {"content-type": "application/json; charset=utf-8", **headers}
    return stack.webhook(body if isinstance(body, bytes) else body.encode(), headers, method)


def body_of(data: dict) -> str:
    """Returns the body of a webhook with this content."""
    timestamp = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps({"id": uuid.uuid4().hex, "type": "incident.changed", "timestamp": timestamp, "data": data})


def told(incident: Incident) -> dict:
    """Returns the content of a webhook about an incident."""
    return {"sys_id": incident.sys_id, "sys_mod_count": 1}


@pytest.fixture
def unknown(world: World) -> tuple[Incident, dict]:
    """Returns an incident that does not exist, and the webhook's content. A hint about it only leaves a log line."""
    incident = Incident(uuid.uuid4().hex, "INC0", world.stack.production)
    return incident, told(incident)


def assert_refused(answer: requests.Response, status: int) -> dict:
    """Checks that the answer is an error in JSON with this status. Returns the error."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    error = answer.json()["error"]
    assert error["code"] and error["message"]
    return error


def assert_nothing_enqueued(world: World, *incidents: Incident) -> None:
    """Checks that no hint about these incidents reached the reconciler, while a later one about another one did."""
    stack = world.stack
    witness = Incident(uuid.uuid4().hex, "INC0", stack.production)
    body = body_of(told(witness))

    def is_handled() -> bool:
        # Send it each time: the local AWS may show the last line of an invocation only with the next invocation.
        assert post(stack, body, signed(stack, body)).status_code == 202
        return bool(world.hints_handled(witness))

    world.until("the witness is handled", is_handled)
    links = {line.get("link") for line in world.log_lines("reconciler")}
    assert not links & {incident.link for incident in incidents}


def test_a_signed_webhook_is_accepted(world: World, unknown):
    incident, data = unknown
    body = body_of(data)
    answer = post(world.stack, body, signed(world.stack, body))
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    world.until("the hint is handled", lambda: world.hints_handled(incident))


@pytest.mark.parametrize("flaw", [
    "unsigned", "wrong secret", "older than 5 minutes", "newer than 5 minutes", "another body", "another id",
    "another time", "no version", "not base64", "asymmetric", "empty time", "no id",
])  # fmt: skip
def test_a_signature_that_does_not_hold_is_refused_without_detail(world: World, unknown, flaw: str):
    incident, data = unknown
    stack, body = world.stack, body_of(data)
    headers = signed(stack, body)
    signature = headers["webhook-signature"].removeprefix("v1,")
    if flaw == "unsigned":
        headers = {}
    elif flaw == "wrong secret":
        headers = signed(stack, body, key=SECRET_PREFIX + "d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmc=")
    elif flaw == "older than 5 minutes":
        headers = signed(stack, body, age=310)
    elif flaw == "newer than 5 minutes":
        # The webhook grows older on its way, so date it in the future.
        headers = signed(stack, body, age=-600)
    elif flaw == "another body":
        body = body.replace('"sys_mod_count": 1', '"sys_mod_count": 2')
    elif flaw == "another id":
        headers["webhook-id"] = uuid.uuid4().hex
    elif flaw == "another time":
        headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + 1)
    elif flaw == "no version":
        headers["webhook-signature"] = signature
    elif flaw == "not base64":
        headers["webhook-signature"] = "v1,!!!"
    elif flaw == "asymmetric":
        headers["webhook-signature"] = f"v1a,{signature}"
    elif flaw == "empty time":
        headers["webhook-timestamp"] = ""
    elif flaw == "no id":
        del headers["webhook-id"]
    error = assert_refused(post(stack, body, headers), 401)
    # All refusals have the same text, so that a sender that guesses learns nothing.
    assert error == assert_refused(post(stack, body, {}), 401)
    assert_nothing_enqueued(world, incident)


def test_a_webhook_of_four_minutes_ago_is_accepted(world: World, unknown):
    _, data = unknown
    body = body_of(data)
    for age in (240, -240):
        assert post(world.stack, body, signed(world.stack, body, age=age)).status_code == 202


def test_one_good_signature_of_several_is_enough(world: World, unknown):
    _, data = unknown
    body = body_of(data)
    headers = signed(world.stack, body)
    headers["webhook-signature"] = "v1,AAAA v1a,BBBB " + headers["webhook-signature"]
    assert post(world.stack, body, headers).status_code == 202


@pytest.mark.parametrize("flaw", ["not JSON", "no object", "another type", "no data", "no time", "empty"])
def test_a_malformed_body_is_refused(world: World, unknown, flaw: str):
    incident, data = unknown
    body = {
        "not JSON": body_of(data)[:-2],
        "no object": "[]",
        "another type": body_of(data).replace("incident.changed", "incident.sneezed"),
        "no data": json.dumps({"type": "incident.changed", "timestamp": "2026-11-20T21:14:06Z"}),
        "no time": json.dumps({"type": "incident.changed", "data": data}),
        "empty": "",
    }[flaw]
    assert_refused(post(world.stack, body, signed(world.stack, body)), 400)
    assert_nothing_enqueued(world, incident)


@pytest.mark.parametrize("sys_id", [None, 7, "", "../now", "0" * 31, "g" * 32])
def test_a_sys_id_that_is_none_is_named(world: World, sys_id):
    data = {"sys_mod_count": 1} if sys_id is None else {"sys_id": sys_id}
    body = body_of(data)
    assert "data.sys_id" in assert_refused(post(world.stack, body, signed(world.stack, body)), 400)["message"]


def test_what_a_body_says_of_an_incident_is_not_believed(world: World):
    incident = world.linked()
    forged = {**told(incident), "state": "6", "sys_mod_count": "many", "entries": [{"text": "forged"}]}
    body = body_of(forged)
    assert post(world.stack, body, signed(world.stack, body)).status_code == 202
    world.settle()
    assert world.status(incident) != "resolved"
    assert len(world.communications(incident)) == 1


def test_a_body_over_the_limit_is_refused(world: World, unknown):
    incident, data = unknown
    body = body_of({**data, "description": "x" * LARGEST})
    assert_refused(post(world.stack, body, signed(world.stack, body)), 413)
    assert_nothing_enqueued(world, incident)


def test_another_method_is_refused(world: World):
    assert_refused(post(world.stack, "", {}, method="GET"), 405)


def unannounced(world: World) -> Incident:
    """Returns an incident in scope whose webhook was not sent."""
    incident = world.draft()
    world.change_unannounced(incident, **world.scope(incident.account))
    return incident


def test_the_same_webhook_five_times_opens_one_case(world: World):
    incident = unannounced(world)
    body = body_of(told(incident))
    headers = signed(world.stack, body)
    for _ in range(5):
        assert post(world.stack, body, headers).status_code == 202
    world.until_in_sync(incident)
    # Send it again after everything is done.
    assert post(world.stack, body, signed(world.stack, body, webhook_id=headers["webhook-id"])).status_code == 202
    world.settle()
    world.assert_once_at_aws(incident)
    assert len(world.communications(incident)) == 1


def test_two_webhooks_at_once_open_one_case(world: World):
    incident = unannounced(world)
    body = body_of(told(incident))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda _: post(world.stack, body, signed(world.stack, body)), range(2)))
    assert [answer.status_code for answer in answers] == [202, 202]
    world.until_in_sync(incident)
    world.settle()
    world.assert_once_at_aws(incident)
    assert len(world.communications(incident)) == 1


def test_a_comment_is_sent_once_however_often_it_is_told(world: World):
    incident = world.linked()
    world.change_unannounced(incident, comments="Told often.")
    body = body_of(told(incident))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: post(world.stack, body, signed(world.stack, body)), range(5)))
    world.until_sent(incident, "Told often.")
    world.settle()
    world.assert_once_at_aws(incident, "Told often.")


def test_an_old_webhook_takes_nothing_back(world: World):
    incident = world.linked()
    old = body_of(told(incident))
    world.comment(incident, "The newer one.")
    world.resolve(incident)
    world.until_status(incident, "resolved")
    world.until_in_sync(incident)
    assert post(world.stack, old, signed(world.stack, old)).status_code == 202
    world.settle()
    assert world.status(incident) == "resolved"
    assert len(world.communications(incident)) == 2


def test_the_previous_secret_holds_after_a_rotation(world: World, unknown):
    stack, (_, data) = world.stack, unknown
    manager, secret_id = stack.hub("secretsmanager"), stack.description["webhook_secret_id"]
    original = manager.get_secret_value(SecretId=secret_id)["SecretString"]
    old_key, body = secret(stack), body_of(data)
    try:
        manager.put_secret_value(SecretId=secret_id, SecretString=ROTATED)
        # ServiceNow signs with the old secret until its administrator sets the new one, and no webhook is lost.
        assert post(stack, body, signed(stack, body, key=old_key)).status_code == 202
        # The function accepts the new secret as soon as it has read it.
        world.until(
            "the new secret is good", lambda: post(stack, body, signed(stack, body, key=ROTATED)).ok
        )  # fmt: skip
        assert post(stack, body, signed(stack, body, key=old_key)).status_code == 202
        incident = world.linked()
        world.assert_once_at_aws(incident)
    finally:
        manager.put_secret_value(SecretId=secret_id, SecretString=original)
    world.until("the first secret is good again", lambda: post(stack, body, signed(stack, body, key=old_key)).ok)


def test_the_answer_comes_at_once(world: World, unknown):
    _, data = unknown
    body = body_of(data)

    def seconds() -> float:
        headers = signed(world.stack, body)
        began = time.monotonic()
        assert post(world.stack, body, headers).status_code == 202
        return time.monotonic() - began

    # The first answer is not counted, since a function that starts takes longer.
    seconds()
    assert any(seconds() < ANSWER_SECONDS for _ in range(ANSWERS)), f"no answer came within {ANSWER_SECONDS} s"
