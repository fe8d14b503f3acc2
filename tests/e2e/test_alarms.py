"""The cause of each alarm on the functions' own metrics moves its metric.

Metrics are lines in CloudWatch's embedded format in the functions' logs. The local AWS does not turn them into metrics,
so a metric counts as moved when a line holds a value of it under the deployed alarm's namespace, name and dimensions.
The local AWS has no metrics of AWS's own services either: `infra/aws/checks/test_alarms.py` compares their alarms with
the documented names.
"""

import contextlib
import json
import time
import uuid
from collections.abc import Iterator

import pytest

from stack import Stack
from world import PREFIX, World

NAMESPACE = "casebridge"
# Metrics that a metric filter counts from lines of the log. test_accounts.py checks the first. The second has no test
# here, since these tests can't open a case of another account.
OF_LINES = {"ForeignCredentials", "ForeignCases"}


def alarms_of_ours(stack: Stack) -> dict[str, dict]:
    """Returns the deployed alarms on the functions' own metrics, by the metric's name."""
    pages = stack.hub("cloudwatch").get_paginator("describe_alarms").paginate()
    alarms = [alarm for page in pages for alarm in page["MetricAlarms"] if alarm["Namespace"] == NAMESPACE]
    return {alarm["MetricName"]: alarm for alarm in alarms}


def values(world: World, alarm: dict) -> list[float]:
    """Returns the values of an alarm's metric in the function's log."""
    wanted = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
    (function,) = wanted.values()
    found = []
    for line in world.log_lines(function):
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            named = {metric["Name"] for metric in directive["Metrics"]}
            dimensions = [{name: line.get(name) for name in names} for names in directive["Dimensions"]]
            is_it = directive["Namespace"] == alarm["Namespace"] and alarm["MetricName"] in named
            if is_it and wanted in dimensions:
                value = line[alarm["MetricName"]]
                found += value if isinstance(value, list) else [value]
    return found


@contextlib.contextmanager
def moving(world: World, metric: str) -> Iterator[None]:
    """Checks that the block moves the metric of a deployed alarm."""
    alarm = alarms_of_ours(world.stack)[metric]
    before = len([value for value in values(world, alarm) if value > 0])
    yield

    def moved() -> bool:
        return len([value for value in values(world, alarm) if value > 0]) > before

    world.until(f"{alarm['AlarmName']} has heard of it", moved)


def test_every_alarm_on_our_own_metrics_is_deployed_and_tested_here(stack: Stack):
    assert set(alarms_of_ours(stack)) == OF_LINES | {
        "WebhooksRejected", "PollFailures", "LongestUnpolledAccount", "SyncLag", "Throttles", "Refusals",
        "PolicyFailures", "WakesLost", "CatalogueFailures",
    }  # fmt: skip


def test_a_webhook_that_is_not_signed_is_counted(world: World):
    with moving(world, "WebhooksRejected"):
        answer = world.stack.webhook(b"{}", {})
        assert answer.status_code == 401, answer.text


@pytest.mark.slow
def test_an_account_that_can_not_be_polled_is_counted_and_its_age_told(world: World):
    with world.further_account("Unreachable") as account:
        world.store_keys(account, account)
        incident = world.linked(account)
        case_id = world.case(incident)["caseId"]
        with moving(world, "PollFailures"), moving(world, "LongestUnpolledAccount"):
            world.fault("support", "error", case_id, operation="DescribeCases", error="ServiceUnavailable", count=100)
            world.poll()
            # The next poll reports the time since the account was polled whole.
            time.sleep(2)
            world.poll()
        world.heal(case_id)
        world.end(incident)


def test_an_account_whose_services_can_not_be_read_is_counted(world: World):
    with world.further_account("Without permissions") as account:
        world.store_keys(account, account)
        refusal = {"operation": "DescribeServices", "account": account["id"], "error": "AccessDeniedException"}
        with moving(world, "CatalogueFailures"):
            world.stack.control("POST", "/faults", {"target": "support", "kind": "error", "count": 1, **refusal})
            world.sync_catalogue()


def test_how_long_a_change_takes_is_told(world: World):
    with moving(world, "SyncLag"):
        world.linked()


@pytest.mark.slow
def test_calls_that_are_turned_away_are_counted(world: World):
    incident = world.draft()
    world.fault("support", "throttle", incident.number, operation="CreateCase", count=2)
    with moving(world, "Throttles"):
        world.assign(incident)
        world.until_broken(incident, incident.number)
    world.until_in_sync(incident)


@pytest.mark.slow
def test_a_call_that_is_refused_is_counted(world: World):
    incident = world.draft()
    with moving(world, "Refusals"):
        world.change(incident, **{**world.scope(incident.account), f"{PREFIX}service_code": "no-such-service"})
        world.until("the incident says so", lambda: world.column(incident, "sync_status") == "error", incident)
    world.change(incident, **world.scope(incident.account))
    world.until_in_sync(incident)
    world.assert_once_at_aws(incident)


@pytest.mark.exclusive
def test_a_policy_that_can_not_be_read_is_counted_and_the_last_good_one_stays_in_force(world: World):
    parameters, name = world.stack.hub("ssm"), "/casebridge/policy"
    good = parameters.get_parameter(Name=name)["Parameter"]["Value"]
    unreadable = json.dumps({"a_field_that_does_not_exist": uuid.uuid4().hex})
    with moving(world, "PolicyFailures"):
        parameters.put_parameter(Name=name, Value=unreadable, Overwrite=True)
        try:
            # Functions that start now have never read the last valid policy.
            for function in ("case-poller", "reconciler"):
                world.start_anew(function)
            world.poll()
            world.assert_once_at_aws(world.linked())
        finally:
            parameters.put_parameter(Name=name, Value=good, Overwrite=True)


@pytest.mark.exclusive
def test_a_wake_up_that_can_not_be_sent_is_counted_and_the_poller_wakes_the_link(world: World):
    incident = world.draft()
    with world.environment("reconciler", CASEBRIDGE_WAKE_QUEUE_URL=f"{world.stack.description['queue_url']}-nowhere"):
        # A pass makes the call three times by itself.
        world.fault("support", "throttle", incident.number, operation="CreateCase", count=3)
        with moving(world, "WakesLost"):
            world.assign(incident)
        world.until_in_sync(incident)
    world.assert_once_at_aws(incident)
