"""Cases that somebody opens at AWS become incidents, once, and go on as any link does."""

import pytest

from stack import Stack
from world import Incident, World, unique

CUSTOMER = "Beth Anglin (Role) <beth.anglin@example.com>"


def open_case(stack: Stack, account: dict, subject: str, body: str, severity: str = "urgent") -> str:
    """Opens a case in the console of an account, and returns its id."""
    details = {
        "subject": subject,
        "body": body,
        "serviceCode": "amazon-elastic-compute-cloud-linux",
        "categoryCode": "instance-issue",
        "severityCode": severity,
        "submittedBy": CUSTOMER,
    }
    return stack.control("POST", f"/support/accounts/{account['id']}/cases", details)["caseId"]


def incidents_of(world: World, case_id: str) -> list[dict[str, str]]:
    """Returns the incidents of a case."""
    return world.find("incident", x_casebridge_aws_case_id=case_id)


def opened_incident(world: World, account: dict, case_id: str) -> Incident:
    """Waits for the incident of a case."""
    (record,) = world.until("the case has an incident", lambda: incidents_of(world, case_id))
    return Incident(record["sys_id"], record["number"], account)


def case_with(world: World, case_id: str) -> dict:
    """Returns the case with this id."""
    (case,) = [case for case in world.all_cases() if case["caseId"] == case_id]
    return case


def test_a_case_opened_at_aws_becomes_an_incident_with_all_that_it_says(world: World):
    account, subject = world.stack.production, unique("Volume is slow")
    case_id = open_case(world.stack, account, subject, "Writes take seconds.")
    incident = opened_incident(world, account, case_id)
    record = world.record(incident)
    assert record["short_description"] == subject
    assert record["description"].endswith("Writes take seconds.")
    assert CUSTOMER in record["description"]
    assert record["assignment_group"] == world.group(account["assignment_group"])
    assert (record["impact"], record["urgency"], record["priority"]) == ("1", "2", "2")
    assert record["x_casebridge_aws_service_code"] == "amazon-elastic-compute-cloud-linux"
    assert record["x_casebridge_aws_category_code"] == "instance-issue"
    assert (world.column(incident, "service"), world.column(incident, "category")) != ("", ""), "people see names"
    world.until_in_sync(incident)
    assert world.column(incident, "display_id") == case_with(world, case_id)["displayId"]
    world.settle()
    assert len(incidents_of(world, case_id)) == 1
    assert len(case_with(world, case_id)["communications"]) == 1, "nothing is sent to AWS"


def test_such_an_incident_goes_on_as_any_other(world: World):
    account = world.stack.production
    case_id = open_case(world.stack, account, unique("Volume is slow"), "Writes take seconds.")
    incident = opened_incident(world, account, case_id)
    world.stack.control("POST", f"/support/cases/{case_id}/communications", {"body": "We look into it."})
    world.until("the reply is on the incident", lambda: world.comments(incident, "We look into it."), incident)
    world.comment(incident, "Since noon.")

    def is_sent() -> bool:
        return any("Since noon." in text["body"] for text in case_with(world, case_id)["communications"])

    world.until("the comment is on the case", is_sent, incident)
    world.resolve(incident)
    world.until("the case is resolved", lambda: case_with(world, case_id)["status"] == "resolved", incident)
    world.stack.control("POST", f"/support/cases/{case_id}/communications", {"body": "One more thing."})
    world.until("the incident is open again", lambda: world.state(incident) == "2", incident)


def test_a_case_whose_event_is_lost_is_found_by_the_poll(world: World):
    account, subject = world.stack.production, unique("Lost event")
    with world.events_lost():
        case_id = open_case(world.stack, account, subject, "Nobody announces this.")
    opened_incident(world, account, case_id)


@pytest.mark.parametrize("kind", ["error", "apply_then_drop"])
def test_an_opening_that_fails_or_is_not_answered_leaves_one_incident(world: World, kind: str):
    account, subject = world.stack.production, unique("Broken opening")
    world.stack.control("POST", "/faults", {"target": "servicenow", "operation": "open", "count": 1, "kind": kind})
    case_id = open_case(world.stack, account, subject, "Writes take seconds.")
    incident = opened_incident(world, account, case_id)
    world.until_in_sync(incident)
    world.settle()
    assert len(incidents_of(world, case_id)) == 1
    assert not world.comments(incident), "the text is in the description"


def test_a_long_text_arrives_whole(world: World):
    account = world.stack.production
    text = "\n".join(f"line {number} of the log" for number in range(350))
    case_id = open_case(world.stack, account, unique("A long text"), text)
    incident = opened_incident(world, account, case_id)
    assert len(world.record(incident)["description"]) <= 4000
    world.until("the whole text is on the incident", lambda: world.comments(incident, text), incident)
