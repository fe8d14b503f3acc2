"""Credentials are used only for the account that their secret is named after."""

import json
import secrets

import pytest

from world import CATEGORY_CODE, PREFIX, SERVICE_CODE, Incident, World, unique


def foreign_alarms(world: World, account: str) -> list[dict]:
    """The lines of the reconciler's log that an alarm looks for, where the template's metric filter looks for them."""
    said = [line.get("fields", {}) for line in world.log_lines("reconciler")]
    return [line for line in said if line.get("alarm") == "foreign_credentials" and line.get("account") == account]


@pytest.mark.slow
def test_a_secret_that_holds_another_accounts_keys_opens_no_case_there(world: World):
    # An account of the test's own: nobody else waits for its secret to be right.
    account = str(7 * 10**11 + secrets.randbelow(10**11))
    keys = {"access_key_id": "AKIA" + secrets.token_hex(8).upper(), "secret_access_key": secrets.token_hex(20)}
    email = f"aws+{account}@example.com"
    described = {"id": account, "access_key_id": keys["access_key_id"], "email": email}
    world.stack.control("POST", "/support/accounts", described)
    group = world.insert("sys_user_group", name=unique("AWS-Archive"))["sys_id"]
    record = world.insert(
        "x_casebridge_aws_account", name="Archive", number=account, active="true", production="true",
        assignment_group=group,
    )  # fmt: skip
    manager, secret = world.stack.hub("secretsmanager"), f"casebridge/accounts/{account}"
    other = world.stack.sandbox
    wrong = {name: other[name] for name in keys}
    manager.create_secret(Name=secret, SecretString=json.dumps(wrong))
    try:
        incident = open_in_group(world, group, {"id": account})
        said = world.until_said(incident, "error", "AWS refuses the account's keys")
        assert account in said and other["id"] in said, said
        assert foreign_alarms(world, account)
        # Nothing was written: neither there, where the keys belong, nor anywhere else.
        assert world.cases(incident) == []
        # The keys' own account goes on.
        world.assert_once_at_aws(world.linked(other))
        # The operator stores the right ones: the case opens by itself.
        manager.put_secret_value(SecretId=secret, SecretString=json.dumps(keys))
        case = world.until_case(incident)
        assert case["account"] == account
        world.until_in_sync(incident)
        world.reply(incident, "Found it.")
        world.until_received(incident, "Found it.")
        world.settle()
        world.assert_once_at_aws(incident)
        assert world.column(incident, "last_error") == ""
        # Nothing is left to do in an account that is gone in a moment.
        world.resolve(incident)
        world.until_status(incident, "resolved")
        world.until("the incident shows it", lambda: world.column(incident, "case_status") == "resolved", incident)
        world.settle()
    finally:
        manager.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
        retired = world.stack.admin.GlideRecord("x_casebridge_aws_account")
        assert retired.get(record["sys_id"])
        retired.set_value("active", "false")
        retired.update()


def open_in_group(world: World, group: str, account: dict) -> Incident:
    """A new incident of this group, with both codes."""
    return world.draft(
        account,
        assignment_group=group,
        **{f"{PREFIX}service_code": SERVICE_CODE, f"{PREFIX}category_code": CATEGORY_CODE},
    )
