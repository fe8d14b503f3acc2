"""casebridge uses credentials only for the account in their secret's name, and sends nothing to an inactive account."""

import pytest

from world import World


def foreign_alarms(world: World, account: str) -> list[dict]:
    """Returns the lines of the reconciler's log that the template's metric filter counts for the alarm."""
    said = [line.get("fields", {}) for line in world.log_lines("reconciler")]
    return [line for line in said if line.get("alarm") == "foreign_credentials" and line.get("account") == account]


@pytest.mark.slow
def test_a_secret_that_holds_another_accounts_keys_opens_no_case_there(world: World):
    other = world.stack.sandbox
    with world.further_account("Archive") as account:
        world.store_keys(account, other)
        incident = world.open_incident(account)
        said = world.until_said(incident, "error", "AWS refuses the account's keys")
        assert account["id"] in said and other["id"] in said, said
        world.until("the log says so where an alarm hears it", lambda: foreign_alarms(world, account["id"]), incident)
        # casebridge wrote to no account, not even to the keys' own one.
        assert world.cases(incident) == []
        # The links of the keys' own account go on.
        world.assert_once_at_aws(world.linked(other))
        # The operator stores the right keys: the case opens by itself.
        world.store_keys(account, account)
        case = world.until_case(incident)
        assert case["account"] == account["id"]
        world.until_in_sync(incident)
        world.reply(incident, "Found it.")
        world.until_received(incident, "Found it.")
        world.settle()
        world.assert_once_at_aws(incident)
        assert world.column(incident, "last_error") == ""
        world.end(incident)


@pytest.mark.slow
def test_a_link_pauses_while_its_account_is_inactive(world: World):
    with world.further_account("Dormant") as account:
        world.store_keys(account, account)
        incident = world.linked(account)
        world.set_active(account, False)
        world.comment(incident, "Does anybody read this?")
        said = world.until_said(incident, "waiting", "is inactive in ServiceNow")
        assert account["id"] in said, said
        world.reply(incident, "We do.")
        world.until_received(incident, "We do.")
        world.resolve(incident)
        world.settle()
        assert world.communications(incident, "Does anybody read this?") == [], world.describe(incident)
        assert world.status(incident) != "resolved", world.describe(incident)
        # No trigger reports that the account is active again: the link finds it at its next look.
        world.set_active(account, True)
        world.until_sent(incident, "Does anybody read this?")
        world.until_status(incident, "resolved")
        world.until_in_sync(incident)
        world.settle()
        world.assert_once_at_aws(incident, "Does anybody read this?")
        world.assert_once_in_servicenow(incident, "We do.")
        assert world.column(incident, "last_error") == ""
