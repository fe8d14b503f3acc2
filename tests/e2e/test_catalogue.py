"""Agents choose what a case is about by AWS's names for it. An account gets its group and its user."""

import contextlib
import secrets
from collections.abc import Iterator

import pytest

from world import CATEGORY_CODE, PREFIX, SERVICE_CODE, Incident, World, unique

SERVICES, CATEGORIES, SEVERITIES = f"{PREFIX}service", f"{PREFIX}category", f"{PREFIX}severity"
NOTHING = {"services": 0, "categories": 0, "severities": 0}


def chosen(client, table: str, **values: str) -> str:
    """Returns the sys_id of the one active row with these values, as a form offers it to a user."""
    rows = client.GlideRecord(table)
    for name, value in {**values, "active": "true"}.items():
        rows.add_query(name, value)
    rows.query()
    (found,) = [row.serialize() for row in rows]
    return found["sys_id"]


def codes_of_case(world: World, incident: Incident) -> tuple[str, str]:
    """Returns the codes of service and category of the incident's case, as AWS shows them."""
    case = world.case(incident)
    support = world.stack.support(case["account"])
    (described,) = support.describe_cases(caseIdList=[case["caseId"]], includeCommunications=False)["cases"]
    return described["serviceCode"], described["categoryCode"]


def test_the_names_of_aws_are_there_when_the_stack_is_up(world: World):
    services = world.stack.support(world.stack.production["id"]).describe_services(language="en")["services"]
    assert services
    held = {row["code"]: row for row in world.find(SERVICES)}
    keys = {row["category_key"]: row for row in world.find(CATEGORIES)}
    for service in services:
        row = held[service["code"]]
        assert (row["name"], row["active"]) == (service["name"], "true"), row
        for category in service["categories"]:
            row = keys[f"{service['code']}:{category['code']}"]
            assert (row["name"], row["active"]) == (category["name"], "true"), row
            assert row["service"] == held[service["code"]]["sys_id"]


def test_an_agent_chooses_by_name_and_the_case_has_the_codes(world: World):
    agent = world.stack.agent
    service = chosen(agent, SERVICES, name="Lambda")
    category = chosen(agent, CATEGORIES, service=service, name="Function Issue")
    incident = world.draft(
        assignment_group=world.group(world.stack.production["assignment_group"]),
        **{f"{PREFIX}service": service, f"{PREFIX}category": category},
    )
    world.until_in_sync(incident)
    assert codes_of_case(world, incident) == ("aws-lambda", "function-issue")
    assert world.column(incident, "service_code") == "aws-lambda"
    assert world.column(incident, "category_code") == "function-issue"
    world.settle()
    world.assert_once_at_aws(incident)


def test_typed_codes_work_as_before(world: World):
    incident = world.linked()
    assert codes_of_case(world, incident) == (SERVICE_CODE, CATEGORY_CODE)
    assert (world.column(incident, "service"), world.column(incident, "category")) == ("", "")


def test_a_snapshot_shows_the_severities_of_the_account(world: World):
    incident = world.linked()
    levels = world.stack.support(incident.account["id"]).describe_severity_levels(language="en")["severityLevels"]
    assert world.snapshot(incident)["account"]["severities"] == sorted(level["code"] for level in levels)


# Another test may keep an account's secret unusable for a while. Without its answer nothing is retired.
@pytest.mark.exclusive
def test_what_no_account_offers_becomes_inactive_and_a_second_run_writes_nothing(world: World):
    world.sync_catalogue()
    code = unique("removed").replace(" ", "-")
    service = world.insert(SERVICES, code=code, name="Removed by AWS", active="true")["sys_id"]
    world.insert(
        CATEGORIES, category_key=f"{code}:other", service=service, code="other", name="Other", active="true"
    )  # fmt: skip
    (renamed,) = world.find(SERVICES, code=SERVICE_CODE)
    record = world.stack.admin.GlideRecord(SERVICES)
    assert record.get(renamed["sys_id"])
    record.set_value("name", "Former name")
    record.update()
    assert world.sync_catalogue() == {"services": 2, "categories": 1, "severities": 0}
    assert [row["active"] for row in world.find(SERVICES, code=code)] == ["false"]
    assert [row["active"] for row in world.find(CATEGORIES, category_key=f"{code}:other")] == ["false"]
    assert [row["name"] for row in world.find(SERVICES, code=SERVICE_CODE)] == [renamed["name"]]
    tables = (SERVICES, CATEGORIES, SEVERITIES)
    before = [world.find(table) for table in tables]
    assert world.sync_catalogue() == NOTHING
    assert [world.find(table) for table in tables] == before


@contextlib.contextmanager
def account_without_group(world: World, name: str) -> Iterator[dict[str, str]]:
    """Yields an account that was saved without a group, and sets it inactive at the end."""
    number = str(6 * 10**11 + secrets.randbelow(10**11))
    record = world.insert(f"{PREFIX}account", name=name, number=number)
    try:
        yield record
    finally:
        world.set_active({"id": number}, False)


def test_an_account_that_is_saved_without_a_group_gets_its_group_and_its_user(world: World):
    name = unique("Shop")
    with account_without_group(world, name) as account:
        (group,) = world.find("sys_user_group", name=f"AWS-{name}")
        (user,) = world.find("sys_user", user_name=f"aws-{account['number']}")
        assert (account["assignment_group"], account["aws_user"]) == (group["sys_id"], user["sys_id"])
        assert (user["name"], user["web_service_access_only"]) == (f"AWS {name}", "true")
        members = {"user": user["sys_id"], "group": group["sys_id"]}
        assert len(world.find("sys_user_grmember", **members)) == 1
        assert world.find("sys_user_has_role", user=user["sys_id"]) == []
        world.set_active({"id": account["number"]}, False)
        world.set_active({"id": account["number"]}, True)
        assert len(world.find("sys_user_group", name=f"AWS-{name}")) == 1
        assert len(world.find("sys_user", user_name=f"aws-{account['number']}")) == 1
        assert len(world.find("sys_user_grmember", **members)) == 1
        (saved,) = world.find(f"{PREFIX}account", number=account["number"])
        assert (saved["assignment_group"], saved["aws_user"]) == (group["sys_id"], user["sys_id"])
