"""What the integration user and people may see and do in ServiceNow, over its own APIs and the app's."""

import functools
import uuid

import pysnc
import pytest

from stack import REQUEST_SECONDS, Stack
from world import PREFIX, Incident, World, unique

APP = PREFIX[:-1]
ACCOUNTS, OUTBOX, SETTINGS = f"{PREFIX}account", f"{PREFIX}outbox", f"{PREFIX}settings"
DELIVERIES, ANNOUNCEMENTS, LINKS = f"{PREFIX}delivery", f"{PREFIX}announcement", f"{PREFIX}link"
OWN_TABLES = [ACCOUNTS, OUTBOX, SETTINGS, DELIVERIES, ANNOUNCEMENTS, LINKS]
OK, BAD_REQUEST, FORBIDDEN, NOT_FOUND = 200, 400, 403, 404


@functools.cache
def incident_with_everything(world: World) -> Incident:
    """Returns an incident with all that the app keeps: a case, a sent webhook, a delivery, a link."""
    incident = world.linked()
    world.until_announced(incident)
    text = unique("From AWS.")
    world.reply(incident, text)
    world.until_received(incident, text)
    return incident


@pytest.fixture
def incident(world: World) -> Incident:
    """Returns one incident for all tests of this file. The first test opens it, never beside an exclusive test."""
    return incident_with_everything(world)


def call(client: pysnc.ServiceNowClient, method: str, path: str, body: dict | None = None):
    """Makes one request as this user."""
    return client.session.request(method, client.instance + path, json=body, timeout=REQUEST_SECONDS)


def assert_hidden(client: pysnc.ServiceNowClient, table: str, sys_id: str | None = None) -> None:
    """Checks that the user sees no record of the table, neither in a list nor by its sys_id."""
    listed = call(client, "GET", f"/api/now/table/{table}?sysparm_limit=5")
    is_empty = listed.ok and listed.json()["result"] == []
    assert listed.status_code == FORBIDDEN or is_empty, listed.text
    if sys_id:
        shown = call(client, "GET", f"/api/now/table/{table}/{sys_id}")
        assert shown.status_code in (FORBIDDEN, NOT_FOUND), shown.text


def assert_unwritable(client: pysnc.ServiceNowClient, table: str, sys_id: str, values: dict) -> None:
    """Checks that the user can't insert a record of the table, and can't change or delete this one."""
    path = f"/api/now/table/{table}"
    assert call(client, "POST", path, values).status_code == FORBIDDEN
    for method in ("PATCH", "PUT", "DELETE"):
        answer = call(client, method, f"{path}/{sys_id}", values)
        assert answer.status_code in (FORBIDDEN, NOT_FOUND), answer.text


def sys_id_of(world: World, table: str, **values: str) -> str:
    """Returns the sys_id of a record in a table that web services reach."""
    return world.find(table, **values)[0]["sys_id"]


def order(text: str) -> dict:
    """Returns a body for `deliver` with one comment."""
    external_id = f"{uuid.uuid4().hex[:16]}-1795208400-{uuid.uuid4().hex[:16]}-0a"
    message = {"external_id": external_id, "text": text, "kind": "comment"}
    return {"kind": "support_case", "messages": [message]}


def resources(incident: str) -> list[tuple[str, str, dict | None]]:
    """Returns a valid request to each of the app's resources of incidents that takes JSON."""
    path = f"/api/{APP}/v1/incidents"
    return [
        ("GET", f"{path}/changes?since=2020-01-01%2000:00:00&limit=1", None),
        ("GET", f"{path}/{incident}/snapshot?kind=support_case", None),
        ("POST", f"{path}/{incident}/deliver", order("Not by AWS.")),
    ]


def test_the_integration_user_has_the_documented_role_alone(world: World, stack: Stack):
    (user,) = world.find("sys_user", user_name="casebridge.integration")
    granted = [record["role"] for record in world.find("sys_user_has_role", user=user["sys_id"])]
    names = [role["name"] for role in world.find("sys_user_role") if role["sys_id"] in granted]
    assert names == [f"{APP}.integration"]
    assert world.find("sys_user_grmember", user=user["sys_id"]) == []


def test_the_integration_user_sees_incidents_by_the_apps_resources_alone(
    world: World, stack: Stack, incident: Incident
):
    for table in ["incident", "sys_journal_field", "sys_properties", "sys_audit", *OWN_TABLES]:
        assert_hidden(stack.integration, table)
    assert_hidden(stack.integration, "incident", incident.sys_id)
    record = stack.agent.GlideRecord("incident")
    assert record.get(incident.sys_id)
    record.add_attachment("secret.txt", b"secret", "text/plain")
    files = f"/api/now/attachment?sysparm_query=table_sys_id={incident.sys_id}"
    assert call(stack.agent, "GET", files).json()["result"] != []
    assert call(stack.integration, "GET", files).json()["result"] == []
    shown = call(stack.integration, *resources(incident.sys_id)[1])
    assert shown.json()["result"]["number"] == incident.number


def test_the_integration_user_writes_by_the_apps_resources_alone(world: World, stack: Stack, incident: Incident):
    before = world.record(incident)
    changes = {"comments": "Past the app.", "state": "6", f"{PREFIX}case_id": "case-1", "short_description": "x"}
    assert_unwritable(stack.integration, "incident", incident.sys_id, changes)
    assert world.record(incident) == before
    account = sys_id_of(world, ACCOUNTS, number=stack.production["id"])
    assert_unwritable(stack.integration, ACCOUNTS, account, {"name": "Mine", "number": "999999999999"})
    entry = sys_id_of(world, OUTBOX, incident=incident.sys_id)
    assert_unwritable(stack.integration, OUTBOX, entry, {"state": "sent"})
    link = sys_id_of(world, LINKS, incident=incident.sys_id)
    assert_unwritable(stack.integration, LINKS, link, {"sync_status": "error"})
    assert_unwritable(stack.integration, SETTINGS, sys_id_of(world, SETTINGS), {"webhook_url": ""})
    user = sys_id_of(world, "sys_user", user_name="abel.tuter")
    assert_unwritable(stack.integration, "sys_user", user, {"email": "mine@example.com"})
    for table in [DELIVERIES, ANNOUNCEMENTS]:
        assert call(stack.integration, "POST", f"/api/now/table/{table}", {"x": "y"}).status_code == FORBIDDEN


def test_the_integration_user_meets_no_foreign_incident(world: World, stack: Stack):
    foreign = world.draft(comments="About a printer.")
    changes, snapshot, deliver = resources(foreign.sys_id)
    for request in (snapshot, deliver):
        answer = call(stack.integration, *request)
        assert (answer.status_code, answer.json()["error"]["message"]) == (FORBIDDEN, "Incident not served")
    since = world.record(foreign)["sys_created_on"]
    listed = call(stack.integration, "GET", f"/api/{APP}/v1/incidents/changes?since={since}&limit=200")
    assert listed.ok and foreign.sys_id not in listed.text
    assert len(world.comments(foreign)) == 1
    assert world.outbox(foreign) == []


def test_without_a_role_nobody_sees_outbox_accounts_links_or_settings(world: World, stack: Stack, incident: Incident):
    records = {
        ACCOUNTS: sys_id_of(world, ACCOUNTS, number=stack.production["id"]),
        OUTBOX: sys_id_of(world, OUTBOX, incident=incident.sys_id),
        LINKS: sys_id_of(world, LINKS, incident=incident.sys_id),
        SETTINGS: sys_id_of(world, SETTINGS),
        "incident": incident.sys_id,
    }
    for table, sys_id in records.items():
        assert_hidden(stack.employee, table, sys_id)
        assert_unwritable(stack.employee, table, sys_id, {"name": "x"})
    for table in [DELIVERIES, ANNOUNCEMENTS, "sys_properties", "sys_journal_field"]:
        assert_hidden(stack.employee, table)
    for request in resources(incident.sys_id):
        assert call(stack.employee, *request).status_code == FORBIDDEN
    assert world.comments(incident, "Not by AWS.") == []


def test_agents_reach_neither_the_settings_nor_the_apps_resources(world: World, stack: Stack, incident: Incident):
    settings = sys_id_of(world, SETTINGS)
    assert_hidden(stack.agent, SETTINGS, settings)
    assert_unwritable(stack.agent, SETTINGS, settings, {"webhook_url": ""})
    for request in resources(incident.sys_id):
        assert call(stack.agent, *request).status_code == FORBIDDEN
    columns = {f"{PREFIX}case_id": "case-1", f"{PREFIX}account": "999999999999"}
    before = {name: world.record(incident)[name] for name in columns}
    world.change(incident, **columns)
    assert {name: world.record(incident)[name] for name in columns} == before


def test_agents_make_no_incident_with_a_case_of_their_own_choice(world: World, stack: Stack, incident: Incident):
    columns = [f"{PREFIX}case_id", f"{PREFIX}account"]
    known = world.record(incident)
    drafted = world.draft(**{name: known[name] for name in columns})
    assert [world.record(drafted)[name] for name in columns] == ["", ""]
    answer = call(stack.integration, *resources(drafted.sys_id)[1])
    assert (answer.status_code, answer.json()["error"]["message"]) == (FORBIDDEN, "Incident not served")


def test_files_leave_and_come_by_the_apps_resource_for_the_integration_user_alone(
    world: World, stack: Stack, incident: Incident
):
    foreign = world.draft()
    paths = []
    for owner in (incident, foreign):
        record = stack.agent.GlideRecord("incident")
        assert record.get(owner.sys_id)
        name = unique("file")
        record.add_attachment(name, b"secret", "text/plain")
        (file,) = world.find("sys_attachment", file_name=name)
        paths.append(f"/api/{APP}/v1/incidents/{owner.sys_id}/files/{file['sys_id']}")
    shown = call(stack.integration, "GET", paths[0])
    assert (shown.status_code, shown.content) == (OK, b"secret")
    hidden = call(stack.integration, "GET", paths[1])
    assert (hidden.status_code, hidden.json()["error"]["message"]) == (FORBIDDEN, "Incident not served")
    name = f"{uuid.uuid4().hex[:16]}-1795208400-{uuid.uuid4().hex[:16]}-0a-f0"
    query = {"external_id": name, "file_name": "a.txt", "content_type": "text/plain", "size_bytes": "1"}
    headers = {"Content-Type": "application/octet-stream"}
    for client in (stack.agent, stack.employee):
        assert call(client, "GET", paths[0]).status_code == FORBIDDEN
        url = f"{client.instance}/api/{APP}/v1/incidents/{incident.sys_id}/files"
        written = client.session.post(url, params=query, data=b"x", headers=headers, timeout=REQUEST_SECONDS)
        assert written.status_code == FORBIDDEN
    assert world.find("sys_attachment", table_sys_id=incident.sys_id, file_name="a.txt") == []


def test_only_the_name_of_a_communication_names_a_delivery(stack: Stack, incident: Incident):
    method, path, body = resources(incident.sys_id)[2]
    body["messages"][0]["external_id"] = "javascript:gs.getUserID()"
    answer = call(stack.integration, method, path, body)
    assert answer.status_code == BAD_REQUEST
    assert answer.json()["error"]["detail"].startswith("messages[0].external_id: must name a communication of a case")


def test_nobody_is_shown_the_secret_that_signs_webhooks(world: World, stack: Stack):
    shown = call(stack.admin, "GET", f"/api/now/table/{SETTINGS}?sysparm_display_value=all")
    assert shown.ok
    manager, secret_id = stack.hub("secretsmanager"), stack.description["webhook_secret_id"]
    secret = manager.get_secret_value(SecretId=secret_id)["SecretString"]
    assert secret.removeprefix("whsec_") not in shown.text
