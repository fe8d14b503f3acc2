"""Files go both ways: each arrives once with its content, none comes back, and what can't go is told on both sides."""

import base64
import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator

import pysnc.exceptions
import pytest

from stack import REQUEST_SECONDS
from world import Incident, World

# Above the 5 MB of a set: such a file goes in parts.
LARGE_BYTES = 6_000_000
INTEGRATION_USER = "casebridge.integration"
# How long nothing further happens until a double of a file would show.
QUIET_SECONDS = 8


def named(name: str) -> str:
    """Returns a file name that no other test has, so that a fault can name it."""
    stem, _, ending = name.rpartition(".")
    return f"{stem}-{uuid.uuid4().hex[:8]}.{ending}"


def digest(data: bytes) -> str:
    """Returns the SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def attach(world: World, incident: Incident, name: str, data: bytes, content_type: str = "text/plain") -> None:
    """Attaches a file to the incident, as the agent."""
    record = world.stack.agent.GlideRecord("incident")
    assert record.get(incident.sys_id), f"{incident.number} does not exist"
    record.add_attachment(name, data, content_type)


def reply_with(world: World, incident: Incident, text: str, *files: dict) -> None:
    """Writes on the case with files, as an engineer at AWS."""
    case = world.case(incident)
    body = {"body": text, "attachments": list(files)}
    world.stack.control("POST", f"/support/cases/{case['caseId']}/communications", body)


def file_at_aws(name: str, data: bytes) -> dict:
    """Returns a file of an engineer with these bytes."""
    return {"fileName": name, "data": base64.b64encode(data).decode()}


def at_aws(world: World, incident: Incident, name: str = "", through_api: bool = True) -> list[dict]:
    """Returns the files on the case with this text in their name: casebridge's own, or people's at AWS."""
    case = world.case(incident) or {"communications": []}
    files = [file for communication in case["communications"] for file in communication["attachments"]]
    return [file for file in files if name in file["fileName"] and file["throughApi"] == through_api]


def attached(world: World, incident: Incident, name: str = "", by_aws: bool = True) -> list[dict]:
    """Returns the incident's attachments with this text in their name: casebridge's own, or the agents'."""
    files = world.find("sys_attachment", table_sys_id=incident.sys_id)
    of_aws = [file for file in files if (file["sys_created_by"] == INTEGRATION_USER) == by_aws]
    return [file for file in of_aws if name in file["file_name"]]


def content(world: World, attachment: dict) -> bytes:
    """Returns the bytes of an attachment, as the agent downloads them."""
    client = world.stack.agent
    url = f"{client.instance}/api/now/attachment/{attachment['sys_id']}/file"
    answer = client.session.get(url, timeout=REQUEST_SECONDS)
    answer.raise_for_status()
    return answer.content


def work_notes(world: World, incident: Incident, text: str) -> list[str]:
    """Returns the incident's work notes that contain a text."""
    entries = world.find("sys_journal_field", element_id=incident.sys_id, element="work_notes")
    return [entry["value"] for entry in entries if text in entry["value"]]


def until_at_aws(world: World, incident: Incident, name: str, count: int = 1) -> list[dict]:
    """Waits until the case has so many files of casebridge's with this name, and returns them."""
    world.until(f"{name} is on the case", lambda: len(at_aws(world, incident, name)) >= count, incident)
    return at_aws(world, incident, name)


def until_attached(world: World, incident: Incident, name: str, count: int = 1) -> list[dict]:
    """Waits until the incident has so many files of AWS with this name, and returns them."""
    world.until(f"{name} is on the incident", lambda: len(attached(world, incident, name)) >= count, incident)
    return attached(world, incident, name)


def assert_no_more(world: World, incident: Incident, at_case: int, on_incident: int) -> None:
    """Checks that so many files have gone each way, and stay so many."""
    world.settle(QUIET_SECONDS)
    assert (len(at_aws(world, incident)), len(attached(world, incident))) == (at_case, on_incident)


def test_a_file_of_an_agent_goes_to_the_case_once_and_does_not_come_back(world: World):
    incident = world.linked()
    name, data = named("thread dump.log"), os.urandom(2000)
    attach(world, incident, name, data)
    (file,) = until_at_aws(world, incident, name)
    assert (file["fileName"], file["sha256"]) == (name, digest(data))
    (communication,) = world.communications(incident, name)
    assert incident.number in communication["body"]
    assert_no_more(world, incident, 1, 0)
    assert len(attached(world, incident, by_aws=False)) == 1
    assert world.in_sync(incident)


def test_a_file_of_aws_comes_to_the_incident_once_and_does_not_go_back(world: World):
    incident = world.linked()
    name, data = named("what we saw.png"), os.urandom(2000)
    reply_with(world, incident, "See the picture.", file_at_aws(name, data))
    (file,) = until_attached(world, incident, name)
    assert (file["file_name"], file["hash"], file["content_type"]) == (name, digest(data), "image/png")
    assert content(world, file) == data
    world.until_received(incident, "See the picture.")
    assert_no_more(world, incident, 0, 1)
    assert world.in_sync(incident)


def test_files_of_one_name_all_arrive_both_ways(world: World):
    incident = world.linked()
    name, first, second = named("log.txt"), os.urandom(100), os.urandom(100)
    for data in (first, second, first):
        attach(world, incident, name, data)
    sent = until_at_aws(world, incident, name, 3)
    assert sorted(file["sha256"] for file in sent) == sorted(map(digest, (first, second, first)))
    other = named("log.txt")
    reply_with(world, incident, "Two logs.", file_at_aws(other, first), file_at_aws(other, second))
    reply_with(world, incident, "And the first again.", file_at_aws(other, first))
    received = until_attached(world, incident, other, 3)
    assert sorted(file["hash"] for file in received) == sorted(map(digest, (first, second, first)))
    assert_no_more(world, incident, 3, 3)


def test_files_above_five_megabytes_go_in_parts_both_ways(world: World):
    incident = world.linked()
    name, data = named("heap.bin"), os.urandom(LARGE_BYTES)
    attach(world, incident, name, data, "application/octet-stream")
    (file,) = until_at_aws(world, incident, name)
    assert (file["size"], file["sha256"]) == (LARGE_BYTES, digest(data))
    other = named("core.bin")
    reply_with(world, incident, "A dump.", {"fileName": other, "size": LARGE_BYTES, "seed": 7})
    (given,) = at_aws(world, incident, other, through_api=False)
    (received,) = until_attached(world, incident, other)
    assert (received["hash"], received["size_bytes"]) == (given["sha256"], str(LARGE_BYTES))
    assert_no_more(world, incident, 1, 1)


def test_files_that_were_there_before_the_case_follow_it(world: World):
    incident = world.draft()
    name, data = named("config.json"), b'{"a": 1}'
    attach(world, incident, name, data, "application/json")
    world.assign(incident)
    (file,) = until_at_aws(world, incident, name)
    assert file["sha256"] == digest(data)
    assert_no_more(world, incident, 1, 0)


def test_a_file_whose_webhook_was_lost_is_found_by_the_poll(world: World):
    incident = world.linked()
    name = named("lost.log")
    # The instance dies when the file is written, before it queues the rule.
    world.fault("servicenow", "stop", name, operation="attachment.post", after_commits=2)
    with contextlib.suppress(pysnc.exceptions.RestException, pysnc.exceptions.RequestException):
        attach(world, incident, name, b"found")
    assert not world.faults_on(name), "the instance did not meet its fault"
    assert len(attached(world, incident, name, by_aws=False)) == 1
    world.poll()
    until_at_aws(world, incident, name)
    assert_no_more(world, incident, 1, 0)


# What is broken on a file's way to the case, how, and the file's size. The body or the link of each call names it.
BROKEN_TO_AWS = [
    ("support", "AddAttachmentsToSet", "apply_then_drop", 100),
    ("support", "AddAttachmentsToSet", "error", 100),
    ("support", "AddCommunicationToCase", "apply_then_drop", 100),
    ("support", "GetAttachmentUploadLinks", "apply_then_drop", LARGE_BYTES),
    ("support", "UploadPart", "apply_then_drop", LARGE_BYTES),
    ("support", "UploadPart", "error", LARGE_BYTES),
    ("support", "AddCommunicationToCase", "apply_then_drop", LARGE_BYTES),
]


@pytest.mark.slow
@pytest.mark.parametrize(("target", "operation", "kind", "size"), BROKEN_TO_AWS)
def test_a_lost_answer_doubles_no_file_at_aws(world: World, target: str, operation: str, kind: str, size: int):
    incident = world.linked()
    name, data = named("dump.bin"), os.urandom(size)
    world.fault(target, kind, name, operation=operation)
    attach(world, incident, name, data, "application/octet-stream")
    world.until_broken(incident, name)
    (file,) = until_at_aws(world, incident, name)
    assert file["sha256"] == digest(data)
    assert_no_more(world, incident, 1, 0)
    world.until_in_sync(incident)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["apply_then_drop", "error", "throttle"])
def test_a_lost_answer_doubles_no_file_in_servicenow(world: World, kind: str):
    incident = world.linked()
    name, data = named("dump.bin"), os.urandom(1000)
    world.fault("servicenow", kind, name, operation="files")
    reply_with(world, incident, "A dump.", file_at_aws(name, data))
    world.until_broken(incident, name)
    (file,) = until_attached(world, incident, name)
    assert file["hash"] == digest(data)
    assert_no_more(world, incident, 0, 1)


@pytest.mark.slow
@pytest.mark.parametrize("size", [1000, LARGE_BYTES])
def test_a_download_that_breaks_off_is_ended_by_the_next(world: World, size: int):
    incident = world.linked()
    name = named("dump.bin")
    world.fault("support", "apply_then_drop", name, operation="DownloadFile")
    reply_with(world, incident, "A dump.", {"fileName": name, "size": size, "seed": 3})
    world.until_broken(incident, name)
    (given,) = at_aws(world, incident, name, through_api=False)
    (file,) = until_attached(world, incident, name)
    assert file["hash"] == given["sha256"]
    assert_no_more(world, incident, 0, 1)


@pytest.mark.slow
@pytest.mark.parametrize("after_commits", [1, 2, 3])
def test_an_instance_that_dies_while_it_takes_a_file_gets_it_once(world: World, after_commits: int):
    incident = world.linked()
    name, data = named("dump.bin"), os.urandom(1000)
    world.fault("servicenow", "stop", name, operation="files", after_commits=after_commits)
    reply_with(world, incident, "A dump.", file_at_aws(name, data))
    world.until_broken(incident, name)

    def is_whole() -> bool:
        return [file["hash"] for file in attached(world, incident, name)] == [digest(data)]

    world.until("the file is there, whole", is_whole, incident)
    assert_no_more(world, incident, 0, 1)


def assert_told_on_both_sides(world: World, incident: Incident, name: str) -> None:
    """Checks that a note on the incident and a communication on the case name the file, once each."""
    world.until("agents are told", lambda: work_notes(world, incident, name), incident)
    world.until("AWS is told", lambda: world.communications(incident, name), incident)
    world.settle(QUIET_SECONDS)
    assert len(work_notes(world, incident, name)) == 1
    assert len(world.communications(incident, name)) == 1


def test_a_file_that_aws_does_not_take_is_told_on_both_sides(world: World):
    incident = world.linked()
    name = named("setup.exe")
    # A scan at AWS refuses programs in uploads, as its console does.
    attach(world, incident, name, os.urandom(LARGE_BYTES), "application/octet-stream")
    assert_told_on_both_sides(world, incident, name)
    assert at_aws(world, incident, name) == []


def test_an_empty_file_is_told_on_both_sides_and_others_go(world: World):
    incident = world.linked()
    empty, other = named("empty.log"), named("full.log")
    attach(world, incident, empty, b"")
    attach(world, incident, other, b"full")
    until_at_aws(world, incident, other)
    assert_told_on_both_sides(world, incident, empty)
    assert at_aws(world, incident, empty) == []


def test_a_file_in_which_a_scan_found_something_is_told_on_both_sides(world: World):
    incident = world.draft()
    name = named("infected.doc")
    attach(world, incident, name, b"infected")
    (file,) = attached(world, incident, name, by_aws=False)
    record = world.stack.admin.GlideRecord("sys_attachment")
    assert record.get(file["sys_id"])
    record.set_value("state", "not_available")
    record.update()
    world.assign(incident)
    assert_told_on_both_sides(world, incident, name)
    assert at_aws(world, incident, name) == []


@contextlib.contextmanager
def extensions(world: World, accepted: str) -> Iterator[None]:
    """Lets the instance accept files of these types alone."""
    record = world.insert("sys_properties", name="glide.attachment.extensions", value=accepted)
    try:
        yield
    finally:
        properties = world.stack.admin.GlideRecord("sys_properties")
        assert properties.get(record["sys_id"])
        properties.delete()


@pytest.mark.exclusive
def test_a_file_that_servicenow_does_not_take_is_told_on_both_sides(world: World):
    incident = world.linked()
    name = named("trace.xyz")
    with extensions(world, "txt,log"):
        reply_with(world, incident, "A trace.", file_at_aws(name, b"trace"))
        world.until("agents are told", lambda: work_notes(world, incident, name), incident)
        world.until("AWS is told", lambda: world.communications(incident, name), incident)
        world.settle(QUIET_SECONDS)
    assert attached(world, incident, name) == []
    assert len(work_notes(world, incident, name)) == 1
    assert len(world.communications(incident, name)) == 1
