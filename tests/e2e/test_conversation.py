"""An incident becomes a case, and the conversation flows both ways."""

import re
import uuid

import pytest

from world import (
    BY_AWS,
    CATEGORY_CODE,
    IN_PROGRESS,
    NEW,
    ON_HOLD,
    PREFIX,
    SERVICE_CODE,
    TEST_PREFIX,
    Incident,
    World,
    unique,
)

MARK = re.compile(r" \[ref (?:[bcdfghjklmnpqrstvwxz]{4}-){3}[bcdfghjklmnpqrstvwxz]{4}\]$")
UTC_TIME = r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC"


@pytest.mark.parametrize("way", ["created", "assigned"])
def test_an_incident_in_scope_opens_one_case(world: World, way: str):
    if way == "created":
        incident = world.open_incident(short_description="Checkout is down", description="No instance answers.")
    else:
        incident = world.draft(short_description="Checkout is down", description="No instance answers.")
        world.assign(incident)
    world.until_in_sync(incident)
    world.settle()
    case = world.case(incident)
    record = world.record(incident)
    assert case["account"] == world.stack.production["id"]
    assert case["subject"] == f"[{incident.number}] Checkout is down"
    assert "No instance answers." in case["communications"][0]["body"]
    assert (case["serviceCode"], case["categoryCode"], case["severityCode"]) == (SERVICE_CODE, CATEGORY_CODE, "high")
    assert (case["issueType"], case["language"]) == ("technical", "en")
    assert len(case["communications"]) == 1
    assert record[f"{PREFIX}account"] == case["account"]
    assert record[f"{PREFIX}case_id"] == case["caseId"]
    assert record[f"{PREFIX}display_id"] == case["displayId"]
    assert record[f"{PREFIX}case_status"] == case["status"]
    assert record[f"{PREFIX}sync_status"] == "in_sync"
    assert record[f"{PREFIX}last_error"] == ""


def test_the_people_of_the_account_see_the_case(world: World):
    incident = world.linked()
    support = world.stack.support(incident.account["id"])
    case_id = world.column(incident, "case_id")
    (case,) = support.describe_cases(caseIdList=[case_id])["cases"]
    assert case["subject"].startswith(f"[{incident.number}] ")
    assert case["displayId"] == world.column(incident, "display_id")
    (communication,) = support.describe_communications(caseId=case_id)["communications"]
    first_line = communication["body"].splitlines()[0]
    assert MARK.search(first_line), first_line


def test_a_case_of_an_account_that_is_not_production_is_marked_as_a_test(world: World):
    incident = world.linked(world.stack.sandbox, short_description="Try it")
    case = world.case(incident)
    assert case["account"] == world.stack.sandbox["id"]
    assert case["subject"] == f"{TEST_PREFIX}[{incident.number}] Try it"
    assert world.column(incident, "account") == world.stack.sandbox["id"]


def test_earlier_comments_are_a_digest_in_the_first_message(world: World):
    incident = world.draft(description="The disk is full.")
    world.comment(incident, "We have cleaned /tmp.")
    world.next_second()
    world.change(incident, world.stack.admin, comments="It is full again.")
    world.assign(incident)
    world.until_in_sync(incident)
    world.settle()
    (opening,) = world.communications(incident)
    assert "The disk is full." in opening["body"]
    assert re.search(rf"^Abel Tuter, {UTC_TIME}:\nWe have cleaned /tmp\.$", opening["body"], re.MULTILINE)
    assert re.search(rf"^System Administrator, {UTC_TIME}:\nIt is full again\.$", opening["body"], re.MULTILINE)
    assert opening["body"].index("cleaned") < opening["body"].index("again")


def test_the_severity_follows_the_priority(world: World):
    wanted = {("1", "1"): "critical", ("1", "2"): "urgent", ("2", "2"): "high", ("3", "2"): "normal", ("3", "3"): "low"}
    incidents = {
        world.open_incident(impact=impact, urgency=urgency): severity for (impact, urgency), severity in wanted.items()
    }
    for incident, severity in incidents.items():
        assert world.until_case(incident)["severityCode"] == severity


def test_an_incident_out_of_scope_opens_nothing(world: World):
    production = world.scope(world.stack.production)
    group = world.insert("sys_user_group", name=unique("Printers"))["sys_id"]
    # A random number, so that the tests can run again on the same stack.
    number = str(uuid.uuid4().int)[:12]
    world.insert("x_casebridge_aws_account", name="Retired", number=number, active="false", assignment_group=group)
    incidents = [
        world.draft(short_description="The printer is broken"),
        world.draft(assignment_group=production["assignment_group"]),
        world.draft(**{f"{PREFIX}service_code": SERVICE_CODE, f"{PREFIX}category_code": CATEGORY_CODE}),
        world.draft(**{**production, f"{PREFIX}category_code": ""}),
        world.draft(**{**production, "assignment_group": group}),
    ]
    for incident in incidents:
        world.comment(incident, "Does anybody know more?")
    world.settle(10)
    for incident in incidents:
        assert world.cases(incident) == [], world.describe(incident)
        assert world.column(incident, "case_id") == ""
        assert world.column(incident, "sync_status") == ""


def test_a_comment_reaches_the_case_once(world: World):
    incident = world.linked()
    text = unique("Two of ten instances answer again.")
    world.comment(incident, text)
    world.until_sent(incident, text)
    world.settle()
    world.assert_once_at_aws(incident, text)
    (communication,) = world.communications(incident, text)
    first_line, empty, body = communication["body"].split("\n", 2)
    assert re.match(rf"^Abel Tuter, {UTC_TIME}, {incident.number} \[ref ", first_line), first_line
    assert MARK.search(first_line)
    assert (empty, body) == ("", text)
    assert communication["submittedBy"] != BY_AWS
    # The comment does not come back to the incident as a reply.
    world.assert_once_in_servicenow(incident, text)
    assert len(world.comments(incident)) == 1


def test_many_comments_arrive_in_their_order(world: World):
    incident = world.linked()
    texts = [f"Comment number {number:02}." for number in range(1, 31)]
    for text in texts:
        world.comment(incident, text)
    # Wait for all of them: comments of one second have no order, so the last one written may not be the last one sent.
    world.until("all are sent", lambda: len(world.communications(incident)) >= 1 + len(texts), incident)
    world.until_in_sync(incident)
    world.settle()
    world.assert_once_at_aws(incident, *texts)
    assert len(world.communications(incident)) == 1 + len(texts)
    assert len(world.comments(incident)) == len(texts)
    # Comments of one second have no order.
    written = {entry["value"]: entry["sys_created_on"] for entry in world.comments(incident)}
    sent = [communication["body"].split("\n\n", 1)[1] for communication in world.communications(incident)[1:]]
    assert [written[text] for text in sent] == sorted(written.values())


def test_a_reply_reaches_the_incident_once(world: World):
    incident = world.linked()
    text = unique("We see a host failure.")
    world.reply(incident, text)
    world.until_received(incident, text)
    world.settle()
    world.assert_once_in_servicenow(incident, text)
    (entry,) = world.comments(incident, text)
    display_id = world.column(incident, "display_id")
    heading = rf"^Amazon Web Services, {UTC_TIME}, AWS Support case {display_id}:\n\n"
    assert re.match(heading, entry["value"]), entry["value"]
    assert len(world.communications(incident)) == 2
    assert world.find("sys_journal_field", element_id=incident.sys_id, element="work_notes") == []


def test_more_replies_than_a_case_shows_at_once_arrive_in_their_order(world: World):
    incident = world.linked()
    texts = [f"Reply number {number:02}." for number in range(1, 13)]
    for text in texts:
        world.reply(incident, text)
    world.until_received(incident, texts[-1])
    world.until_in_sync(incident)
    world.settle()
    # The entries of one delivery may share a second, and the instance then lists them in the order of their sys_ids.
    world.assert_once_in_servicenow(incident, *texts)
    assert len(world.comments(incident)) == len(texts)


def test_a_conversation_of_sixty_messages_crosses_whole_and_in_order(world: World):
    incident = world.linked()
    comments = [f"Agent says number {number:02}." for number in range(1, 31)]
    replies = [f"Engineer says number {number:02}." for number in range(1, 31)]
    for comment, reply in zip(comments, replies, strict=True):
        world.comment(incident, comment)
        world.reply(incident, reply)
    world.until("all comments are sent", lambda: len(world.communications(incident, "Agent says")) == 30, incident)
    world.until("all replies arrive", lambda: len(world.comments(incident, "Engineer says")) == 30, incident)
    world.until_in_sync(incident)
    world.settle()
    world.assert_once_at_aws(incident, *comments, *replies)
    world.assert_once_in_servicenow(incident, *comments, *replies)
    assert len(world.communications(incident)) == 1 + 60
    assert len(world.comments(incident)) == 60
    # Texts of one second have no order in ServiceNow, so compare the order of the seconds.
    written = {entry["value"]: entry["sys_created_on"] for entry in world.comments(incident, "Agent says")}
    sent = [body for body in texts_of(world, incident) if body.startswith("Agent says")]
    assert [written[text] for text in sent] == sorted(written.values())
    arrived = [(entry["sys_created_on"], entry["value"]) for entry in world.comments(incident, "Engineer says")]
    moments = [next(moment for moment, value in arrived if value.endswith(text)) for text in replies]
    assert moments == sorted(moments)


def texts_of(world: World, incident) -> list[str]:
    """Returns the case's texts after the first, without the lines that casebridge writes before them."""
    return [communication["body"].split("\n\n", 1)[-1] for communication in world.communications(incident)[1:]]


def test_both_sides_write_at_once(world: World):
    incident = world.linked()
    for number in range(1, 6):
        world.comment(incident, f"Agent {number}.")
        world.reply(incident, f"Engineer {number}.")
    ours, theirs = ([f"{who} {number}." for number in range(1, 6)] for who in ("Agent", "Engineer"))
    world.until("all comments are sent", lambda: len(world.communications(incident)) >= 1 + 5 + 5, incident)
    world.until("all replies arrive", lambda: len(world.comments(incident)) >= 5 + 5, incident)
    world.settle()
    world.assert_once_at_aws(incident, *ours, *theirs)
    world.assert_once_in_servicenow(incident, *ours, *theirs)
    assert len(world.communications(incident)) == 1 + 5 + 5
    assert len(world.comments(incident)) == 5 + 5


def test_a_person_of_the_account_writes_in_the_console(world: World):
    incident = world.linked()
    text = unique("I write to AWS directly.")
    support = world.stack.support(incident.account["id"])
    support.add_communication_to_case(caseId=world.column(incident, "case_id"), communicationBody=text)
    world.until_received(incident, text)
    world.settle()
    world.assert_once_in_servicenow(incident, text)
    world.assert_once_at_aws(incident, text)


def test_the_state_follows_the_status_table(world: World):
    incident = world.linked()
    assert world.state(incident) == NEW
    world.set_status(incident, "work-in-progress")
    world.until_state(incident, IN_PROGRESS)
    for status in ("pending-customer-action", "reopened", "opened", "unassigned"):
        world.set_status(incident, status)
        shown = f"the incident shows {status}"
        world.until(shown, lambda status=status: world.column(incident, "case_status") == status, incident)
        assert world.state(incident) == IN_PROGRESS, f"{status} took the incident back"


@pytest.mark.parametrize("status", ["work-in-progress", "pending-amazon-action", "pending-customer-action"])
def test_an_incident_on_hold_stays_on_hold_while_aws_waits(world: World, status: str):
    incident = world.linked()
    world.change(incident, state=ON_HOLD, hold_reason="4")
    world.set_status(incident, status)
    world.until(f"the incident shows {status}", lambda: world.column(incident, "case_status") == status, incident)
    world.settle()
    record = world.record(incident)
    assert (record["state"], record["hold_reason"]) == (ON_HOLD, "4")


def test_a_status_that_nobody_knows_breaks_nothing(world: World):
    incident = world.linked()
    world.set_status(incident, "contemplating-the-universe")
    world.until(
        "the incident shows it", lambda: world.column(incident, "case_status").startswith("contemplating"), incident
    )
    assert world.state(incident) == NEW
    world.reply(incident, "Still here.")
    world.until_received(incident, "Still here.")
    world.comment(incident, "So are we.")
    world.until_sent(incident, "So are we.")


def test_the_agents_triage_is_left_alone(world: World):
    incident = world.linked()
    world.change(incident, impact="1", urgency="1", category="network", assigned_to=world.find(
        "sys_user", user_name="abel.tuter")[0]["sys_id"])  # fmt: skip
    columns = ("impact", "urgency", "priority", "category", "assigned_to", "assignment_group", "short_description",
               "description", "caller_id")  # fmt: skip
    before = {name: world.record(incident)[name] for name in columns}
    world.reply(incident, "Please tell us more.")
    world.set_status(incident, "work-in-progress")
    world.until_received(incident, "Please tell us more.")
    world.until_state(incident, IN_PROGRESS)
    world.settle()
    assert {name: world.record(incident)[name] for name in columns} == before
    assert world.case(incident)["severityCode"] == "high"


def test_work_notes_stay_in_servicenow(world: World):
    secret = unique("Internal")
    incident = world.draft()
    world.change(incident, work_notes=f"{secret} before the case.")
    world.assign(incident)
    world.until_in_sync(incident)
    world.change(incident, work_notes=f"{secret} alone.")
    world.change(incident, work_notes=f"{secret} together.", comments="This may be known.")
    world.until_sent(incident, "This may be known.")
    world.resolve(incident, work_notes=f"{secret} at the end.")
    world.until_status(incident, "resolved")
    world.settle()
    assert secret not in str(world.cases(incident))
    assert len(world.communications(incident)) == 2
    assert len(world.find("sys_journal_field", element_id=incident.sys_id, element="work_notes")) == 4
    assert secret not in str(world.snapshot(incident))
    assert secret not in str([world.log_lines(function) for function in world.stack.description["functions"]])


def test_a_copy_of_an_incident_has_a_case_of_its_own(world: World):
    original = world.linked()
    # "Insert and Stay" copies all columns, an app's columns, too, except the number and the journals. Through the API
    # only the administrator may write them.
    taken_anew = ("sys_", "number", "comments", "work_notes", "comments_and_work_notes")
    columns = {
        name: value for name, value in world.record(original).items() if value and not name.startswith(taken_anew)
    }
    assert columns[f"{PREFIX}case_id"] == world.case(original)["caseId"]
    record = world.insert("incident", **columns)
    copy = Incident(record["sys_id"], record["number"], original.account)
    assert record[f"{PREFIX}case_id"] == columns[f"{PREFIX}case_id"], "the copy does not begin with the columns"
    case = world.until_case(copy)
    world.until("the copy shows it", lambda: world.column(copy, "case_id") == case["caseId"], copy)
    world.until_in_sync(copy)
    world.comment(copy, "Of the copy.")
    world.comment(original, "Of the original.")
    world.until_sent(copy, "Of the copy.")
    world.until_sent(original, "Of the original.")
    world.reply(copy, "To the copy.")
    world.until_received(copy, "To the copy.")
    world.settle()
    assert world.column(original, "case_id") == columns[f"{PREFIX}case_id"]
    assert len(world.communications(copy)) == len(world.communications(original)) + 1 == 3
    assert (len(world.comments(copy)), len(world.comments(original))) == (2, 1)


def test_our_own_words_in_a_persons_mouth_are_the_persons(world: World):
    incident = world.linked(description="The first message.")
    world.comment(incident, "An agent wrote this.")
    world.until_sent(incident, "An agent wrote this.")
    world.until_in_sync(incident)
    support = world.stack.support(incident.account["id"])
    opening, ours = world.communications(incident)
    # A person copies our message with its mark into the same case, and opens another case with our first message.
    support.add_communication_to_case(caseId=world.case(incident)["caseId"], communicationBody=ours["body"])
    copied = support.create_case(subject=unique("Copied"), communicationBody=opening["body"])["caseId"]
    world.until_received(incident, "AWS Support case")
    world.settle()
    assert len(world.cases(incident)) == 1
    assert len(world.communications(incident, "An agent wrote this.")) == 2
    # The incident has the agent's own comment, and the copy as a text that a person wrote at AWS.
    assert len(world.comments(incident, "An agent wrote this.")) == 2
    assert len(world.comments(incident)) == 2
    assert world.column(incident, "case_id") != copied
    # An agent copies our message, with its mark, into a comment.
    world.comment(incident, ours["body"])
    world.until(
        "the copy is sent", lambda: len(world.communications(incident, "An agent wrote this.")) == 3, incident
    )  # fmt: skip
    world.settle()
    assert len(world.communications(incident, "An agent wrote this.")) == 3
    assert len(world.comments(incident)) == 3
