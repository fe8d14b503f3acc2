"""`make demo`: walks through the main scenario on the running stack. The exit code is 0 if every line of it holds.

An agent works in ServiceNow through its Table API, people at AWS answer through the simulator, and everything between
is the product: the app's own scripts, the functions, the queue and the ledger.
"""

import base64
import hashlib
import random
import time

import console
import up
import web

PATIENCE_SECONDS = 60
# A wake-up resolves a call in doubt. The poller finds it within its minute.
LONG_PATIENCE_SECONDS = 180
LOOK_SECONDS = 0.1
QUIET_SECONDS = 3
# Above the 5 MB of an attachment set at AWS.
LARGE_FILE_BYTES = 6_000_000
IN_PROGRESS, RESOLVED = "2", "6"
TEST_PREFIX = "TEST CASE--Please ignore - "


class Untrue(console.StackError):
    """A line of the story that does not hold."""


class Story:
    """Both sides of the stack, and the times of the story."""

    def __init__(self, stack: dict):
        self.stack = stack
        login = stack["servicenow"]
        self.agent = web.ServiceNow(login["url"], login["agent"]["username"], login["agent"]["password"])
        self.admin = web.ServiceNow(login["url"], login["admin"]["username"], login["admin"]["password"])
        self.control = stack["control"]["url"]
        self.lines = 0

    def tell(self, text: str) -> None:
        """Prints what a person does next."""
        console.say(f"\n{console.paint(text, 'bold')}")

    def until(self, outcome: str, probe, patience: float = PATIENCE_SECONDS):
        """Waits until the probe returns something, and prints the time."""
        began = time.monotonic()
        while time.monotonic() - began < patience:
            result = probe()
            if result:
                self._held(f"{outcome}", f"{time.monotonic() - began:.1f} s")
                return result
            time.sleep(LOOK_SECONDS)
        raise Untrue(f"“{outcome}” did not come true within {patience:.0f} s. {self.state()}")

    def holds(self, outcome: str, condition: bool) -> None:
        """Checks something that must hold now."""
        if not condition:
            raise Untrue(f"“{outcome}” is not so. {self.state()}")
        self._held(outcome)

    def _held(self, outcome: str, took: str = "") -> None:
        self.lines += 1
        console.say(f"  {console.paint('✓', 'green')} {outcome}{console.paint('  ' + took, 'grey') if took else ''}")

    def state(self) -> str:
        """Returns where to look if the story does not hold."""
        return "The stack is still up for a look: .local/stack.json names its parts, .local/logs has its logs."

    def open_incident(self, group: str, short_description: str, description: str) -> dict:
        """Opens an incident in the scope of an account."""
        (found,) = self.admin.find("sys_user_group", name=group)
        return self.agent.insert("incident", {
            "short_description": short_description,
            "description": description,
            "assignment_group": found["sys_id"],
            "impact": "2",
            "urgency": "2",
            "x_casebridge_aws_service_code": "amazon-elastic-compute-cloud-linux",
            "x_casebridge_aws_category_code": "instance-issue",
        })  # fmt: skip

    def incident(self, incident: dict) -> dict:
        """Returns the incident as it is now."""
        return self.agent.read("incident", incident["sys_id"])

    def change(self, incident: dict, **changes: str) -> None:
        """Saves changes as the agent."""
        self.agent.update("incident", incident["sys_id"], changes)

    def comments(self, incident: dict, text: str) -> list[dict]:
        """Returns the incident's comments that contain a text."""
        journal = self.admin.find("sys_journal_field", element_id=incident["sys_id"], element="comments")
        return [entry for entry in journal if text in entry["value"]]

    def cases(self, incident: dict) -> list[dict]:
        """Returns the cases about an incident, as AWS sees them."""
        cases = web.request("GET", self.control + "/support/cases")["cases"]
        return [case for case in cases if f"[{incident['number']}]" in case["subject"]]

    def case(self, incident: dict) -> dict | None:
        """Returns the case of an incident, or None. Fails the story if there is a second case."""
        cases = self.cases(incident)
        if len(cases) > 1:
            raise Untrue(f"{incident['number']} has {len(cases)} cases. {self.state()}")
        return cases[0] if cases else None

    def communications(self, incident: dict, text: str) -> list[dict]:
        """Returns the communications of an incident's case that contain a text."""
        case = self.case(incident) or {"communications": []}
        return [communication for communication in case["communications"] if text in communication["body"]]

    def at_aws(self, incident: dict, what: str, body: dict) -> None:
        """Plays an engineer at AWS on the case: `communications` or `status`."""
        web.request("POST", f"{self.control}/support/cases/{self.case(incident)['caseId']}/{what}", body)


def case_opens(story: Story) -> dict:
    """An incident in scope becomes a case."""
    story.tell("An agent opens an incident and assigns it to the group of a production account.")
    group = story.stack["accounts"][0]["assignment_group"]
    incident = story.open_incident(group, "Checkout is down", "Instances of the checkout fleet stop answering.")
    case = story.until(f"a case opens for {incident['number']}", lambda: story.case(incident))
    story.holds("it is in that account, with the subject of the incident", (
        case["account"] == story.stack["accounts"][0]["id"]
        and case["subject"] == f"[{incident['number']}] Checkout is down"
    ))  # fmt: skip
    story.holds("the description is its first message", "checkout fleet" in case["communications"][0]["body"])

    def shown() -> bool:
        record = story.incident(incident)
        return record["x_casebridge_aws_case_id"] == case["caseId"] and bool(record["x_casebridge_aws_case_status"])

    story.until("case id and status stand on the incident", shown)
    story.until("and its number", lambda: story.incident(incident)["x_casebridge_aws_display_id"] == case["displayId"])
    return incident


def conversation_flows(story: Story, incident: dict) -> None:
    """Comments go out, replies come in, work notes stay."""
    story.tell("The agent comments on the incident.")
    story.change(incident, comments="Two of ten instances answer again.")
    story.until("the case has the comment", lambda: story.communications(incident, "Two of ten instances"))
    story.tell("An engineer at AWS replies.")
    story.at_aws(incident, "communications", {"body": "We see a host failure. Please restart the instances."})
    story.until("the incident has the reply as a comment", lambda: story.comments(incident, "We see a host failure"))
    story.tell("The agent writes a work note, then a comment.")
    story.change(incident, work_notes="Internal: the on-call engineer forgot the runbook.")
    story.change(incident, comments="All instances were restarted.")
    story.until("the comment arrives at AWS", lambda: story.communications(incident, "All instances were restarted"))
    story.holds("the work note stays in ServiceNow", not story.communications(incident, "runbook"))


def files_flow(story: Story, incident: dict) -> None:
    """A file goes each way, one of them too large for a set."""
    story.tell("The agent attaches a heap dump of six megabytes.")
    dump = random.randbytes(LARGE_FILE_BYTES)
    story.agent.attach("incident", incident["sys_id"], "heap.bin", dump, "application/octet-stream")

    def sent() -> list[dict]:
        communications = story.communications(incident, "")
        return [file for communication in communications for file in communication["attachments"]]

    (file,) = story.until("the case has the file", sent)
    story.holds("with the same bytes", file["sha256"] == hashlib.sha256(dump).hexdigest())
    story.tell("The engineer at AWS answers with a picture.")
    picture = random.randbytes(1000)
    story.at_aws(incident, "communications", {
        "body": "The dump shows a leak, see the picture.",
        "attachments": [{"fileName": "leak.png", "data": base64.b64encode(picture).decode()}],
    })  # fmt: skip

    def received() -> list[dict]:
        return story.admin.find("sys_attachment", table_sys_id=incident["sys_id"], file_name="leak.png")

    (attachment,) = story.until("the incident has the picture", received)
    story.holds("with the same bytes, as a picture", (
        attachment["hash"] == hashlib.sha256(picture).hexdigest() and attachment["content_type"] == "image/png"
    ))  # fmt: skip
    time.sleep(QUIET_SECONDS)
    story.holds("no file comes back", (
        len(sent()) == 2 and len(story.admin.find("sys_attachment", table_sys_id=incident["sys_id"])) == 2
    ))  # fmt: skip


def nothing_is_doubled(story: Story, incident: dict) -> None:
    """AWS carries out a call, and its answer is lost."""
    story.tell("AWS takes the next comment, but its answer is lost on the way.")
    doubtful = "Please confirm that the host was replaced."
    web.request("POST", story.control + "/faults", {
        "target": "support", "operation": "AddCommunicationToCase", "containing": doubtful, "kind": "apply_then_drop",
    })  # fmt: skip
    story.change(incident, comments=doubtful)

    def settled() -> bool:
        return story.incident(incident)["x_casebridge_aws_sync_status"] == "in_sync"

    story.until("the case has it", lambda: story.communications(incident, doubtful))
    story.holds("and nobody told us", not web.request("GET", story.control + "/faults")["faults"])
    story.change(incident, comments="This one comes after the doubtful one.")
    story.until("doubt is settled by reading back, and the conversation goes on",
                lambda: story.communications(incident, "after the doubtful one"), LONG_PATIENCE_SECONDS)  # fmt: skip
    story.until("the incident says that both sides are in step", settled, LONG_PATIENCE_SECONDS)
    for text in ["Two of ten instances", "All instances were restarted", "Please confirm", "after the doubtful one"]:
        story.holds(f"“{text}…” is on the case once", len(story.communications(incident, text)) == 1)
    story.holds("the reply is on the incident once", len(story.comments(incident, "We see a host failure")) == 1)


def agent_resolves(story: Story, incident: dict) -> None:
    """A comment and the resolution in one save: the comment goes first, and the case stays resolved."""
    story.tell("The agent thanks and resolves, in one save.")
    story.change(
        incident,
        comments="Thank you, it works again.",
        state=RESOLVED,
        close_code="Solution provided",
        close_notes="Host replaced.",
    )
    story.until("the case is resolved", lambda: story.case(incident)["status"] == "resolved")
    story.holds("it has the last comment", len(story.communications(incident, "Thank you, it works")) == 1)
    time.sleep(QUIET_SECONDS)
    story.holds("it stays resolved", story.case(incident)["status"] == "resolved")
    story.holds("so does the incident", story.incident(incident)["state"] == RESOLVED)


def aws_resolves(story: Story) -> dict:
    """AWS resolves a case of the other account, and the incident follows."""
    story.tell("Another incident goes to the group of an account that is not production.")
    group = story.stack["accounts"][1]["assignment_group"]
    incident = story.open_incident(group, "Snapshot takes long", "A snapshot has been pending for an hour.")
    case = story.until(f"a case opens for {incident['number']}", lambda: story.case(incident))
    story.holds("in that account, marked as a test", (
        case["account"] == story.stack["accounts"][1]["id"] and case["subject"].startswith(TEST_PREFIX)
    ))  # fmt: skip
    story.until("it stands on the incident",
                lambda: story.incident(incident)["x_casebridge_aws_case_id"] == case["caseId"])  # fmt: skip
    story.tell("AWS resolves that case.")
    story.at_aws(incident, "status", {"status": "resolved"})
    story.until("the incident is resolved", lambda: story.incident(incident)["state"] == RESOLVED)
    record = story.incident(incident)
    story.holds(f"with the close code “{record['close_code']}”", bool(record["close_code"]))
    story.holds("and with close notes", bool(record["close_notes"]))
    return incident


def person_reopens(story: Story, incident: dict) -> None:
    """A question right after the resolution reopens both sides."""
    story.tell("The agent is not convinced and comments on the resolved incident.")
    question = "The snapshot is still pending. Are you sure?"
    story.change(incident, comments=question)
    story.until("the case has the question", lambda: story.communications(incident, question))
    story.until("the case is open again", lambda: story.case(incident)["status"] == "reopened")
    story.until("so is the incident", lambda: story.incident(incident)["state"] == IN_PROGRESS)
    time.sleep(QUIET_SECONDS)
    story.holds("both stay open", (
        story.case(incident)["status"] == "reopened" and story.incident(incident)["state"] == IN_PROGRESS
    ))  # fmt: skip
    story.holds("the question is on the case once", len(story.communications(incident, question)) == 1)


def colleague_opens_case(story: Story) -> None:
    """A colleague opens a case at AWS, and it becomes an incident."""
    story.tell("A colleague opens a case in the AWS console.")
    account = story.stack["accounts"][0]
    text = "Writes to the volume take seconds since noon."
    opened = web.request("POST", f"{story.control}/support/accounts/{account['id']}/cases", {
        "subject": "Volume is slow",
        "body": text,
        "serviceCode": "amazon-elastic-compute-cloud-linux",
        "categoryCode": "instance-issue",
        "severityCode": "urgent",
    })  # fmt: skip

    def incidents() -> list[dict]:
        return story.admin.find("incident", x_casebridge_aws_case_id=opened["caseId"])

    (incident,) = story.until("an incident opens for it", incidents)
    story.holds("it has the case's subject and its first text", (
        incident["short_description"] == "Volume is slow" and text in incident["description"]
    ))  # fmt: skip
    story.holds("its priority is that of the severity", incident["priority"] == "2")
    (group,) = story.admin.find("sys_user_group", name=account["assignment_group"])
    story.holds("it is in the account's group", bool(
        story.admin.find("incident", sys_id=incident["sys_id"], assignment_group=group["sys_id"])
    ))  # fmt: skip
    story.tell("An agent comments on it, and AWS replies.")
    question = "Which volume is it?"
    story.change(incident, comments=question)

    def bodies() -> list[str]:
        cases = web.request("GET", story.control + "/support/cases")["cases"]
        (case,) = [case for case in cases if case["caseId"] == opened["caseId"]]
        return [communication["body"] for communication in case["communications"]]

    story.until("the case has the comment", lambda: [body for body in bodies() if question in body])
    reply = "It is the data volume."
    web.request("POST", f"{story.control}/support/cases/{opened['caseId']}/communications", {"body": reply})
    story.until("the incident has the reply", lambda: story.comments(incident, reply))
    time.sleep(QUIET_SECONDS)
    story.holds("there is one incident for the case", len(incidents()) == 1)


def main() -> None:
    """Brings the stack up and tells the story."""
    story = Story(up.bring_up())
    ready = console.elapsed()
    console.say(f"\nThe stack is up after {ready:.1f} s.")
    incident = case_opens(story)
    conversation_flows(story, incident)
    files_flow(story, incident)
    nothing_is_doubled(story, incident)
    agent_resolves(story, incident)
    person_reopens(story, aws_resolves(story))
    colleague_opens_case(story)
    verdict = console.paint("The story holds", "green")
    console.say(f"\n{verdict}: {story.lines} outcomes in {console.elapsed() - ready:.1f} s.")
    console.say("`make down` stops the stack.")


if __name__ == "__main__":
    console.run(main)
