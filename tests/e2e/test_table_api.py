"""The simulated instance works with PySNC, a client that was written against real instances."""

import json
import uuid

import pysnc
import pysnc.exceptions
import pytest

from stack import SERVICENOW_SECRET, Stack
from world import RESOLUTION, RESOLVED, World, unique


def inserted(stack: Stack, **columns: str) -> pysnc.GlideRecord:
    """Inserts an incident and returns its record."""
    record = stack.agent.GlideRecord("incident")
    record.initialize()
    for name, value in columns.items():
        record.set_value(name, value)
    assert record.insert()
    return record


def test_a_record_lives_from_insert_to_delete(stack: Stack):
    record = inserted(stack, short_description="Born", impact="1", urgency="2")
    sys_id = str(record.sys_id)
    assert record.get_value("number").startswith("INC")
    assert record.get_value("priority") == "2"
    assert record.get_display_value("state") == "New"
    record.short_description = "Grown"
    record.update()
    again = stack.agent.GlideRecord("incident")
    assert again.get(sys_id)
    assert again.short_description == "Grown"
    assert int(again.get_value("sys_mod_count")) == 1
    owner = stack.admin.GlideRecord("incident")
    assert owner.get(sys_id)
    assert owner.delete()
    assert not stack.agent.GlideRecord("incident").get(sys_id)


def test_a_caller_may_choose_the_sys_id(stack: Stack):
    sys_id = uuid.uuid4().hex
    record = stack.agent.GlideRecord("incident")
    record.initialize()
    record.set_new_guid_value(sys_id)
    record.short_description = "Chosen"
    assert record.insert() == sys_id
    twin = stack.agent.GlideRecord("incident")
    twin.initialize()
    twin.set_new_guid_value(sys_id)
    with pytest.raises(pysnc.exceptions.RoleException, match="Error during insert"):
        twin.insert()


def test_queries_find_what_they_name(stack: Stack):
    word = unique("Query")
    for number in range(5):
        inserted(stack, short_description=f"{word} {number}", urgency=str(1 + number % 3))

    def found(*conditions: tuple, order: str = "short_description") -> list[str]:
        records = stack.agent.GlideRecord("incident")
        for condition in conditions:
            records.add_query(*condition)
        records.order_by(order)
        records.query()
        return [str(record.short_description)[-1] for record in records]

    assert found(("short_description", "STARTSWITH", word)) == list("01234")
    assert found(("short_description", f"{word} 3")) == ["3"]
    assert found(("short_description", "LIKE", word), ("urgency", "1")) == list("03")
    assert found(("short_description", "LIKE", word), ("urgency", "IN", "2,3")) == list("124")
    assert found(("short_description", "LIKE", word), ("urgency", "!=", "1")) == list("124")
    either = stack.agent.GlideRecord("incident")
    either.add_query("short_description", f"{word} 1").add_or_condition("short_description", f"{word} 4")
    either.order_by_desc("short_description")
    either.query()
    assert [str(record.short_description)[-1] for record in either] == list("41")


def test_pages_hold_everything_once(stack: Stack):
    word = unique("Page")
    made = {str(inserted(stack, short_description=word).sys_id) for _ in range(23)}
    records = stack.agent.GlideRecord("incident", batch_size=5)
    records.add_query("short_description", word)
    records.query()
    assert len(records) == len(made)
    listed = [str(record.sys_id) for record in records]
    assert len(listed) == len(made) and set(listed) == made
    few = stack.agent.GlideRecord("incident", batch_size=5)
    few.add_query("short_description", word)
    few.limit = 7
    few.query()
    assert len(list(few)) == 7


def test_references_have_display_values(world: World, stack: Stack):
    group = world.group(stack.production["assignment_group"])
    record = inserted(stack, short_description="Group", assignment_group=group)
    assert record.get_value("assignment_group") == group
    assert record.get_display_value("assignment_group") == stack.production["assignment_group"]
    walked = stack.agent.GlideRecord("incident")
    walked.fields = ["number", "assignment_group.name"]
    assert walked.get(str(record.sys_id))
    assert walked.get_value("assignment_group.name") == stack.production["assignment_group"]


def test_a_journal_is_appended_to_and_its_entries_have_rights_of_their_own(world: World, stack: Stack):
    record = inserted(stack, short_description="Journal")
    for text in ("First.", "Second."):
        record.comments = text
        record.update()
        world.next_second()
    shown = stack.agent.GlideRecord("incident")
    assert shown.get(str(record.sys_id))
    assert shown.get_value("comments") == ""
    assert shown.get_display_value("comments").index("Second.") < shown.get_display_value("comments").index("First.")
    entries = world.find("sys_journal_field", element_id=str(record.sys_id), element="comments")
    assert sorted(entry["value"] for entry in entries) == ["First.", "Second."]
    assert {entry["sys_created_by"] for entry in entries} == {"abel.tuter"}
    # An agent may read incidents, but not the table of journal entries. The query has no error and no rows.
    hidden = stack.agent.GlideRecord("sys_journal_field")
    hidden.add_query("element_id", str(record.sys_id))
    hidden.query()
    assert list(hidden) == []


def test_the_data_policy_wants_a_resolution(stack: Stack):
    record = inserted(stack, short_description="Policy")
    record.state = RESOLVED
    with pytest.raises(pysnc.exceptions.RoleException, match="Data Policy Exception"):
        record.update()
    record = stack.agent.GlideRecord("incident")
    record.add_query("short_description", "Policy")
    record.order_by_desc("sys_created_on")
    record.query()
    assert record.next()
    # The instance drops a close code that is not a choice, as if it had been left out.
    record.state, record.close_notes, record.close_code = RESOLVED, "Done.", "No such code"
    with pytest.raises(pysnc.exceptions.RoleException, match="Resolution code"):
        record.update()
    for name, value in RESOLUTION.items():
        record.set_value(name, value)
    record.update()
    assert record.get_display_value("state") == "Resolved"


def test_who_is_unknown_or_has_no_rights_is_refused(stack: Stack):
    servicenow = stack.description["servicenow"]
    stranger = pysnc.ServiceNowClient(servicenow["https_url"], ("abel.tuter", "wrong"), auto_retry=False)
    with pytest.raises(pysnc.exceptions.AuthenticationException):
        stranger.GlideRecord("incident").get("0" * 32)
    with pytest.raises(pysnc.exceptions.RequestException, match="Invalid table"):
        stack.agent.GlideRecord("no_such_table").query()
    properties = stack.agent.GlideRecord("sys_properties")
    properties.initialize()
    properties.name = unique("not.mine")
    with pytest.raises(pysnc.exceptions.RoleException):
        properties.insert()


def test_client_credentials_get_a_token(stack: Stack):
    record = stack.integration.GlideRecord("sys_user_group")
    record.limit = 1
    record.query()
    assert record.next()
    keys = stack.hub("secretsmanager").get_secret_value(SecretId=SERVICENOW_SECRET)["SecretString"]
    wrong = pysnc.ServiceNowClientCredentialsFlow(json.loads(keys)["client_id"], "wrong")
    with pytest.raises(pysnc.exceptions.AuthenticationException):
        pysnc.ServiceNowClient(stack.description["servicenow"]["https_url"], wrong, auto_retry=False)


def test_an_attachment_comes_back_byte_for_byte(stack: Stack):
    record = inserted(stack, short_description="Attachment")
    content = bytes(range(256)) * 40
    record.add_attachment("all bytes.bin", content, "application/octet-stream")
    attachments = record.get_attachments()
    assert attachments.next()
    assert (attachments.file_name, int(attachments.size_bytes)) == ("all bytes.bin", len(content))
    assert attachments.read() == content
    assert not attachments.next()


def test_the_instance_has_the_demo_data_of_a_stock_instance(stack: Stack):
    administrator = stack.admin.GlideRecord("sys_user")
    administrator.fields = "department,department.name,department.dept_head,department.dept_head.email"
    assert administrator.get("6816f79cc0a8016401c5a33be04be441")
    assert administrator.department.name == "Finance"
    assert administrator.department.dept_head.email == "natasha.ingram@example.com"
    files = stack.admin.GlideRecord("sys_metadata", batch_size=100)
    files.fields = "sys_id"
    files.limit = 500
    files.query()
    assert len([str(file.sys_id) for file in files]) == 500
    managers = stack.admin.GlideRecord("sys_user")
    managers.add_join_query("sys_user_group", join_table_field="manager").add_query("active", "true")
    managers.query()
    assert len(managers) > 1


def test_columns_keep_their_order_and_times_have_the_users_zone(stack: Stack):
    record = inserted(stack, short_description="Forms")
    names = ["sys_id", "short_description", "opened_at", "number"]
    shown = stack.agent.GlideRecord("incident")
    shown.fields = names
    assert shown.get(str(record.sys_id))
    assert list(shown.serialize()) == names
    assert shown.get_value("opened_at") != shown.get_display_value("opened_at")


def test_a_rule_that_an_administrator_adds_is_followed(stack: Stack):
    word = unique("Forbidden")
    rule = stack.admin.GlideRecord("sys_script")
    rule.initialize()
    for name, value in {
        "name": word,
        "collection": "problem",
        "when": "before",
        "active": True,
        "action_insert": True,
        "action_update": True,
        "abort_action": True,
        "add_message": True,
        "message": f"{word} is not allowed",
        "filter_condition": f"short_descriptionLIKE{word}",
    }.items():
        rule.set_value(name, value)
    assert rule.insert()
    problem = stack.admin.GlideRecord("problem")
    problem.initialize()
    assert problem.insert(), "a record may be made without any value"
    problem.short_description = word
    with pytest.raises(pysnc.exceptions.RoleException, match="is not allowed"):
        problem.update()
    assert rule.delete()
    problem.update()
    assert problem.delete()


def test_an_address_that_is_too_long_gets_a_page(stack: Stack):
    with pytest.raises(pysnc.exceptions.RequestException, match="^<.*html>"):
        stack.admin.GlideRecord("A" * 23_000).get("nothing")
