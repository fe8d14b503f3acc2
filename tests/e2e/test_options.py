"""What a case is opened with: its language, its issue type, who gets copies, and what agents are told of it."""

import contextlib
from collections.abc import Iterator

import pysnc.exceptions
import pytest

from world import PREFIX, SERVICE_CODE, Incident, World, unique

ACCOUNTS = f"{PREFIX}account"
NOTED = ("language", "issue type", "copies")


def options(**values: str) -> dict[str, str]:
    """Returns the incident's columns of these names."""
    return {f"{PREFIX}{name}": value for name, value in values.items()}


def notes(world: World, incident: Incident) -> list[str]:
    """Returns the incident's work notes on what its case was opened with."""
    entries = world.find("sys_journal_field", element_id=incident.sys_id, element="work_notes")
    return [entry["value"] for entry in entries if any(word in entry["value"] for word in NOTED)]


def change_account(world: World, account: dict, **values: str) -> None:
    """Saves the record of an account, as an administrator. Raises what the instance says against it."""
    record = world.stack.admin.GlideRecord(ACCOUNTS)
    assert record.get("number", account["id"]), f"there is no account {account['id']}"
    for name, value in values.items():
        record.set_value(name, value)
    record.update()


@contextlib.contextmanager
def account_with(world: World, name: str, **values: str) -> Iterator[dict]:
    """Yields an account for one test whose record says this of its cases."""
    with world.further_account(name) as account:
        world.store_keys(account, account)
        change_account(world, account, **values)
        yield account


def opened_with(world: World, incident: Incident) -> tuple[str, list[str]]:
    """Returns language and copies of the incident's case, from the simulator itself."""
    case = world.case(incident)
    return case["language"], case["ccEmailAddresses"]


def as_aws_shows(world: World, incident: Incident) -> tuple[str, list[str]]:
    """Returns language and copies of the incident's case, as AWS's own client reads them."""
    case = world.case(incident)
    support = world.stack.support(incident.account["id"])
    (described,) = support.describe_cases(caseIdList=[case["caseId"]], includeCommunications=False)["cases"]
    return described["language"], described["ccEmailAddresses"]


def test_a_case_has_what_its_incident_says(world: World):
    contacts = " jane@example.com;bob@example.com\nJANE@example.com, "
    incident = world.linked(**options(additional_contacts=contacts, language="ja", issue_type="customer-service"))
    assert as_aws_shows(world, incident) == ("ja", ["jane@example.com", "bob@example.com"])
    case = world.case(incident)
    assert opened_with(world, incident) == as_aws_shows(world, incident)
    assert case["issueType"] == "customer-service"
    assert "-muja-" in case["caseId"] and world.column(incident, "case_id") == case["caseId"]
    # The conversation goes on under the id that names the language.
    world.comment(incident, "Is anybody there?")
    world.until_sent(incident, "Is anybody there?")
    world.reply(incident, "We are.")
    world.until_received(incident, "We are.")
    world.settle()
    world.assert_once_at_aws(incident, "Is anybody there?")
    assert notes(world, incident) == []


def test_an_incident_that_says_nothing_has_a_case_by_the_policy(world: World):
    incident = world.linked()
    assert opened_with(world, incident) == ("en", [])
    assert world.case(incident)["issueType"] == "technical"
    assert notes(world, incident) == []


@pytest.mark.slow
def test_the_defaults_of_the_account_count_where_the_incident_says_nothing(world: World):
    said = {"additional_contacts": "duty@example.com", "language": "ko", "issue_type": "customer-service"}
    with account_with(world, "Options", **said) as account:
        incident = world.linked(account)
        assert opened_with(world, incident) == ("ko", ["duty@example.com"])
        assert world.case(incident)["issueType"] == "customer-service"
        own = world.linked(account, **options(additional_contacts="jane@example.com", language="fr"))
        assert opened_with(world, own) == ("fr", ["jane@example.com"])
        assert world.case(own)["issueType"] == "customer-service"
        assert notes(world, incident) == notes(world, own) == []
        for opened in (incident, own):
            world.end(opened)


def test_what_aws_support_does_not_know_is_told_and_costs_no_case(world: World):
    addresses = [f"agent{number}@example.com" for number in range(1, 13)]
    contacts = "\n".join(["the whole team", *addresses])
    incident = world.linked(**options(additional_contacts=contacts, language="jp", issue_type="billing"))
    assert opened_with(world, incident) == ("en", addresses[:10])
    assert world.case(incident)["issueType"] == "technical"
    world.until("agents are told", lambda: notes(world, incident), incident)
    world.settle()
    (note,) = notes(world, incident)
    for words in (
        "language en instead of jp",
        "issue type technical instead of billing",
        "the whole team",
        *addresses[10:],
    ):
        assert words in note, note
    assert world.column(incident, "language") == "jp", "what the agent typed stays visible"
    assert world.column(incident, "sync_status") == "in_sync"
    assert len(world.communications(incident)) == 1, "a work note stays in ServiceNow"
    world.assert_once_at_aws(incident)


@pytest.mark.slow
def test_a_language_that_aws_refuses_gives_way_to_the_policys(world: World):
    with account_with(world, "English") as account:
        catalogue = {"services": [{"code": SERVICE_CODE, "languages": ["en"]}]}
        world.stack.control("POST", f"/support/accounts/{account['id']}/catalogue", catalogue)
        incident = world.linked(account, **options(additional_contacts="jane@example.com", language="ja"))
        assert opened_with(world, incident) == ("en", ["jane@example.com"])
        world.until("agents are told", lambda: notes(world, incident), incident)
        world.settle()
        (note,) = notes(world, incident)
        assert "language en instead of ja, because AWS Support refused an earlier request" in note, note
        world.assert_once_at_aws(incident)
        world.end(incident)


def test_a_change_after_the_case_is_open_has_no_effect(world: World):
    incident = world.linked(**options(additional_contacts="jane@example.com", language="fr"))
    world.change(incident, **options(additional_contacts="nobody", language="jp", issue_type="customer-service"))
    world.comment(incident, "Still there?")
    world.until_sent(incident, "Still there?")
    world.settle()
    assert opened_with(world, incident) == ("fr", ["jane@example.com"])
    assert world.case(incident)["issueType"] == "technical"
    assert notes(world, incident) == []
    assert world.column(incident, "additional_contacts") == "nobody"
    world.assert_once_at_aws(incident, "Still there?")


@pytest.mark.slow
def test_the_caller_gets_copies_only_if_the_account_asks_for_it(world: World):
    name = unique("caller").replace(" ", ".")
    caller = world.insert("sys_user", user_name=name, email=f"{name}@example.com")["sys_id"]
    with account_with(world, "Callers") as account:
        without = world.linked(account, caller_id=caller)
        assert opened_with(world, without) == ("en", [])
        assert world.snapshot(without)["caller_email"] == ""
        change_account(world, account, copy_caller="true")
        copied = world.linked(account, caller_id=caller, **options(additional_contacts="jane@example.com"))
        assert opened_with(world, copied) == ("en", ["jane@example.com", f"{name}@example.com"])
        for opened in (without, copied):
            world.end(opened)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("language", "jp", "Case language: AWS Support has"),
        ("issue_type", "billing", "Issue type: AWS Support has"),
        ("additional_contacts", "jane@example.com, nobody", "nobody is no e-mail address"),
    ],
)
def test_an_account_is_not_saved_with_what_aws_support_would_not_take(
    world: World, column: str, value: str, words: str
):
    account = world.stack.sandbox
    with pytest.raises(pysnc.exceptions.RoleException, match=words):
        change_account(world, account, **{column: value})
    (kept,) = world.find(ACCOUNTS, number=account["id"])
    assert kept[column] == ""
