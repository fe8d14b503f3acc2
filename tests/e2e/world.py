"""The acts of people on both sides, the reads of both sides, and the waits for them."""

import contextlib
import dataclasses
import datetime
import json
import secrets
import time
import urllib.parse
import uuid
from collections.abc import Iterator

import pysnc
import pysnc.exceptions

from stack import Stack

SERVICE_CODE = "amazon-elastic-compute-cloud-linux"
CATEGORY_CODE = "instance-issue"
PREFIX = "x_casebridge_aws_"
NEW, IN_PROGRESS, ON_HOLD, RESOLVED, CLOSED, CANCELLED = "1", "2", "3", "6", "7", "8"
RESOLUTION = {"close_code": "Solution provided", "close_notes": "Done."}
BY_AWS = "Amazon Web Services"
TEST_PREFIX = "TEST CASE--Please ignore - "

LOOK_SECONDS = 0.5
# Long enough on a slow machine for the longest wait of the local policy (after a refusal: 90 seconds with its spread)
# and for two polls, which find a change whose trigger another test's fault has lost.
PATIENCE_SECONDS = 240
# The longest time after a first text or case until a double of it shows.
SETTLE_SECONDS = 4
# How long the simulator tries to send an event to an address where nobody listens.
DROP_SECONDS = 3
# How late a line may appear in a log after lines with later times. Also how long before the tests the log is read from.
LATE_LOG_SECONDS = 30
# The local AWS answers with at most this many events of a log, the oldest ones, and has no further page.
MAXIMUM_LOG_EVENTS = 10_000
# L of the local stack's policy.
L_SECONDS = 20
# L, with a margin.
UNKNOWN_OUTCOME_SECONDS = L_SECONDS + 5


@dataclasses.dataclass(frozen=True)
class Incident:
    """An incident, and the account that it should have a case in."""

    sys_id: str
    number: str
    account: dict = dataclasses.field(compare=False)

    @property
    def link(self) -> str:
        """Returns the name of its link in logs and on the queue."""
        return f"support_case:{self.sys_id}"


class World:
    """Both sides of the stack."""

    def __init__(self, stack: Stack):
        self.stack = stack
        self._groups: dict[str, str] = {}
        self._groups_of_logs: dict[str, str] = {}
        self._logs: dict[str, dict[tuple, dict]] = {}
        self._began = int((time.time() - LATE_LOG_SECONDS) * 1000)

    # ---- The agent in ServiceNow ---------------------------------------------------------------------------------

    def group(self, name: str) -> str:
        """Returns the sys_id of an assignment group."""
        if name not in self._groups:
            (found,) = self.find("sys_user_group", name=name)
            self._groups[name] = found["sys_id"]
        return self._groups[name]

    def scope(self, account: dict) -> dict[str, str]:
        """Returns the columns that put an incident in the scope of an account."""
        return {
            "assignment_group": self.group(account["assignment_group"]),
            f"{PREFIX}service_code": SERVICE_CODE,
            f"{PREFIX}category_code": CATEGORY_CODE,
        }

    def insert(self, table: str, client=None, **columns: str) -> dict[str, str]:
        """Inserts a record and returns it."""
        record = (client or self.stack.admin).GlideRecord(table)
        record.initialize()
        for name, value in columns.items():
            record.set_value(name, value)
        assert record.insert(), f"{table} was not inserted"
        return record.serialize()

    def draft(self, account: dict | None = None, **columns: str) -> Incident:
        """Opens an incident that is out of scope, so that nothing happens yet."""
        account = account or self.stack.production
        unique = uuid.uuid4().hex[:8]
        values = {
            "short_description": f"Instance {unique} is down",
            "description": f"Instance {unique} does not answer.",
            "impact": "2",
            "urgency": "2",
            **columns,
        }
        record = self.insert("incident", self.stack.agent, **values)
        return Incident(record["sys_id"], record["number"], account)

    def assign(self, incident: Incident, **columns: str) -> None:
        """Puts the incident in the scope of its account, as the agent."""
        self.change(incident, **self.scope(incident.account), **columns)

    def open_incident(self, account: dict | None = None, **columns: str) -> Incident:
        """Opens an incident in the scope of an account."""
        account = account or self.stack.production
        return self.draft(account, **self.scope(account), **columns)

    def linked(self, account: dict | None = None, **columns: str) -> Incident:
        """Opens an incident and waits until it is in step with its case."""
        incident = self.open_incident(account, **columns)
        self.until_in_sync(incident)
        return incident

    def change(self, incident: Incident, client=None, **changes: str) -> None:
        """Saves the incident as the agent, in one update."""
        record = (client or self.stack.agent).GlideRecord("incident")
        assert record.get(incident.sys_id), f"{incident.number} does not exist"
        for name, value in changes.items():
            record.set_value(name, value)
        record.update()

    def comment(self, incident: Incident, text: str) -> None:
        """Writes a comment, as the agent."""
        self.change(incident, comments=text)

    def next_second(self) -> None:
        """Waits for the instance's next second, since texts of one second have no order."""
        time.sleep(1.1)

    def resolve(self, incident: Incident, **changes: str) -> None:
        """Resolves the incident, as the agent."""
        self.change(incident, state=RESOLVED, **RESOLUTION, **changes)

    def change_unannounced(self, incident: Incident, **changes: str) -> None:
        """Saves as the agent, and stops the instance before it queues a webhook. So no webhook is sent."""
        # The instance makes one write for the record and one for each journal entry.
        commits = 1 + sum(name in ("comments", "work_notes") for name in changes)
        self.fault("servicenow", "stop", incident.sys_id, operation="table.patch", after_commits=commits)
        with contextlib.suppress(pysnc.exceptions.RestException, pysnc.exceptions.RequestException):
            self.change(incident, **changes)
            raise AssertionError("the instance did not die")
        waiting = [fault["kind"] for fault in self.faults_on(incident.sys_id)]
        assert "stop" not in waiting, "the instance did not meet its fault"

    def property_set(self, name: str, value: str):
        """Gives a system property of the instance another value within the block."""
        properties = self.stack.admin.GlideRecord("sys_properties")
        assert properties.get("name", name), f"there is no property {name}"
        return self._column_set(properties, "value", value)

    def setting_set(self, name: str, value: str):
        """Gives one of the app's settings another value within the block."""
        settings = self.stack.admin.GlideRecord(f"{PREFIX}settings")
        settings.query()
        assert settings.next(), "there is no record of settings"
        return self._column_set(settings, name, value)

    @contextlib.contextmanager
    def _column_set(self, record: pysnc.GlideRecord, column: str, value: str):
        right = record.get_value(column)
        record.set_value(column, value)
        record.update()
        try:
            yield right
        finally:
            record.set_value(column, right)
            record.update()

    # ---- What ServiceNow shows -----------------------------------------------------------------------------------

    def find(self, table: str, order: str = "sys_created_on", **values: str) -> list[dict[str, str]]:
        """Returns the records whose columns have these values, oldest first."""
        records = self.stack.admin.GlideRecord(table)
        for name, value in values.items():
            records.add_query(name, value)
        records.order_by(order)
        records.query()
        return [record.serialize() for record in records]

    def record(self, incident: Incident) -> dict[str, str]:
        """Returns the incident as the agent sees it."""
        record = self.stack.agent.GlideRecord("incident")
        assert record.get(incident.sys_id), f"{incident.number} does not exist"
        return record.serialize()

    def column(self, incident: Incident, name: str) -> str:
        """Returns one of the app's columns of the incident."""
        return self.record(incident)[PREFIX + name]

    def state(self, incident: Incident) -> str:
        """Returns the incident's state."""
        return self.record(incident)["state"]

    def comments(self, incident: Incident, text: str = "") -> list[dict[str, str]]:
        """Returns the incident's comments that contain a text, oldest first."""
        entries = self.find("sys_journal_field", element_id=incident.sys_id, element="comments")
        return [entry for entry in entries if text in entry["value"]]

    def outbox(self, incident: Incident) -> list[dict[str, str]]:
        """Returns the outbox's entries about the incident."""
        return self.find("x_casebridge_aws_outbox", incident=incident.sys_id)

    def until_announced(self, incident: Incident) -> list[dict[str, str]]:
        """Waits until the webhook of a new incident is sent, and returns the outbox's entries about the incident.

        The rule that queues it runs after the save, so the poller may bring the incident in step before that.
        """

        def all_sent() -> list[dict[str, str]]:
            entries = self.outbox(incident)
            return entries if all(entry["state"] == "sent" for entry in entries) else []

        return self.until("the incident's webhook is sent", all_sent, incident)

    def until_said(self, incident: Incident, status: str, words: str) -> str:
        """Waits until the incident's last error contains a text, and returns the whole error."""

        def said() -> str:
            record = self.record(incident)
            error = record[f"{PREFIX}last_error"]
            return error if record[f"{PREFIX}sync_status"] == status and words in error else ""

        # Return what this read showed, since the next one may show something else.
        return self.until(f"the incident is {status} and says {words!r}", said, incident)

    def in_sync(self, incident: Incident) -> bool:
        """Whether the incident says that both sides are in step, and shows the whole case."""
        record = self.record(incident)
        return record[f"{PREFIX}sync_status"] == "in_sync" and bool(record[f"{PREFIX}display_id"])

    def snapshot(self, incident: Incident) -> dict:
        """Returns the app's snapshot of the incident."""
        url = f"{self.stack.admin.instance}/api/x_casebridge_aws/v1/incidents/{incident.sys_id}/snapshot"
        answer = self.stack.admin.session.get(url, params={"kind": "support_case"})
        answer.raise_for_status()
        return answer.json()["result"]

    # ---- Accounts ------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def further_account(self, name: str):
        """Yields an account for one test, in scope. It has no secret until keys are stored."""
        account = str(7 * 10**11 + secrets.randbelow(10**11))
        keys = {"access_key_id": "AKIA" + secrets.token_hex(8).upper(), "secret_access_key": secrets.token_hex(20)}
        described = {"id": account, "access_key_id": keys["access_key_id"], "email": f"aws+{account}@example.com"}
        self.stack.control("POST", "/support/accounts", described)
        group = unique(f"AWS-{name}")
        sys_id = self.insert("sys_user_group", name=group)["sys_id"]
        self.insert(
            "x_casebridge_aws_account", name=name, number=account, active="true", production="true",
            assignment_group=sys_id,
        )  # fmt: skip
        manager, secret = self.stack.hub("secretsmanager"), f"casebridge/accounts/{account}"
        try:
            yield {"id": account, "name": name, "assignment_group": group, **keys}
        finally:
            with contextlib.suppress(manager.exceptions.ResourceNotFoundException):
                manager.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
            self.set_active({"id": account}, False)

    def set_active(self, account: dict, active: bool) -> None:
        """Sets an account inactive or active again, as an administrator."""
        record = self.stack.admin.GlideRecord("x_casebridge_aws_account")
        assert record.get("number", account["id"]), f"there is no account {account['id']}"
        record.set_value("active", "true" if active else "false")
        record.update()

    def store_keys(self, account: dict, owner: dict) -> None:
        """Stores an owner's keys in the account's secret, as an operator does."""
        keys = json.dumps({name: owner[name] for name in ("access_key_id", "secret_access_key")})
        manager, secret = self.stack.hub("secretsmanager"), f"casebridge/accounts/{account['id']}"
        try:
            manager.put_secret_value(SecretId=secret, SecretString=keys)
        except manager.exceptions.ResourceNotFoundException:
            # Create the secret with its keys: a poll that reads a secret without keys uses that for minutes.
            manager.create_secret(Name=secret, SecretString=keys)

    def end(self, incident: Incident) -> None:
        """Resolves an incident on both sides, so that nothing is left to do in an account that will be removed."""
        self.resolve(incident)
        self.until_status(incident, "resolved")
        self.until("the incident shows it", lambda: self.column(incident, "case_status") == "resolved", incident)
        self.settle()

    # ---- People at AWS, and what AWS shows -----------------------------------------------------------------------

    def all_cases(self) -> list[dict]:
        """Returns all cases of all accounts, from the simulator itself and without any quota."""
        return self.stack.control("GET", "/support/cases")["cases"]

    def cases(self, incident: Incident) -> list[dict]:
        """Returns the cases about an incident."""
        return [case for case in self.all_cases() if f"[{incident.number}]" in case["subject"]]

    def case(self, incident: Incident) -> dict | None:
        """Returns the incident's case, or None. Fails if there is more than one."""
        cases = self.cases(incident)
        assert len(cases) <= 1, f"{len(cases)} cases for one incident.\n{self.describe(incident)}"
        return cases[0] if cases else None

    def status(self, incident: Incident) -> str:
        """Returns the status of the incident's case."""
        return (self.case(incident) or {"status": "no case"})["status"]

    def communications(self, incident: Incident, text: str = "") -> list[dict]:
        """Returns the communications of the incident's case that contain a text, oldest first."""
        case = self.case(incident) or {"communications": []}
        return [communication for communication in case["communications"] if text in communication["body"]]

    def reply(self, incident: Incident, text: str) -> None:
        """Writes on the case, as an engineer at AWS."""
        case = self.case(incident)
        self.stack.control("POST", f"/support/cases/{case['caseId']}/communications", {"body": text})

    def set_status(self, incident: Incident, status: str) -> None:
        """Sets the case's status, as AWS."""
        case = self.case(incident)
        self.stack.control("POST", f"/support/cases/{case['caseId']}/status", {"status": status})

    # ---- What breaks ---------------------------------------------------------------------------------------------

    def fault(self, target: str, kind: str, containing: str, **details) -> None:
        """Breaks the next calls about one record, and no calls of other tests."""
        self.stack.control("POST", "/faults", {"target": target, "kind": kind, "containing": containing, **details})

    def heal(self, containing: str) -> None:
        """Drops the faults about one record that have not met their calls."""
        self.stack.control("DELETE", f"/faults?containing={urllib.parse.quote(containing)}")

    def faults_on(self, containing: str) -> list[dict]:
        """Returns the faults about one record that wait for their calls."""
        return [fault for fault in self.stack.control("GET", "/faults")["faults"] if containing in fault.values()]

    def until_broken(self, incident: Incident, containing: str) -> None:
        """Waits until the ordered faults have met their calls."""
        self.until("the faults are used up", lambda: not self.faults_on(containing), incident)

    # ---- The hub -------------------------------------------------------------------------------------------------

    def poll(self) -> None:
        """Runs the poller now, without the wait for its minute."""
        self._run("case-poller")

    def sync_catalogue(self) -> dict[str, int]:
        """Brings what AWS Support offers to ServiceNow now. Returns how many rows were written, by their kind."""
        return json.loads(self._run("catalog-sync"))

    def _run(self, function: str) -> bytes:
        """Invokes a function and returns its answer."""
        name = self.stack.description["functions"][function]
        answer = self.stack.hub("lambda").invoke(FunctionName=name, Payload=b"{}")
        text = answer["Payload"].read()
        assert "FunctionError" not in answer, text
        return text

    def start_anew(self, function: str) -> None:
        """Replaces a function's processes by new ones, which have cached nothing, by a change of its environment."""
        self.set_environment(function, STARTED_ANEW=uuid.uuid4().hex)

    def set_environment(self, function: str, **changes: str) -> dict[str, str]:
        """Replaces a function's processes by new ones with these variables. Returns the earlier variables."""
        name, functions = self.stack.description["functions"][function], self.stack.hub("lambda")
        before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": before | changes})
        functions.get_waiter("function_updated_v2").wait(FunctionName=name)
        return before

    @contextlib.contextmanager
    def environment(self, function: str, **changes: str) -> Iterator[None]:
        """Runs a function with other variables within the block."""
        before = self.set_environment(function, **changes)
        try:
            yield
        finally:
            self.set_environment(function, **before)

    def hint(self, incident: Incident) -> str:
        """Returns the body of a hint about an incident."""
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        key = {"kind": "support_case", "incident": incident.sys_id}
        return json.dumps({"subject": {"kind": "link", "key": key}, "cause": "replay", "received_at": now})

    def log_lines(self, function: str) -> list[dict]:
        """Returns a function's JSON log lines since the tests began, oldest first, fields and span on one level."""
        log = self._logs.setdefault(function, {})
        while True:
            known = len(log)
            newest = max((event["timestamp"] for event in log.values()), default=self._began)
            # Read new lines only, since the local AWS is slow with long logs.
            since = max(self._began, newest - LATE_LOG_SECONDS * 1000)
            pages = self.stack.hub("logs").get_paginator("filter_log_events")
            events = [
                event
                for page in pages.paginate(logGroupName=self._log_group(function), startTime=since)
                for event in page["events"]
            ]
            log.update(((event["logStreamName"], event["timestamp"], event["message"]), event) for event in events)
            # Read again if the answer was full, or a test would miss the newest lines of a long log.
            if len(events) < MAXIMUM_LOG_EVENTS or len(log) == known:
                break
        return [
            line for event in sorted(log.values(), key=lambda event: event["timestamp"]) for line in lines_of(event)
        ]

    def _log_group(self, function: str) -> str:
        """Returns the log group of a function."""
        if function not in self._groups_of_logs:
            name = self.stack.description["functions"][function]
            configuration = self.stack.hub("lambda").get_function_configuration(FunctionName=name)
            group = configuration.get("LoggingConfig", {}).get("LogGroup")
            self._groups_of_logs[function] = group or f"/aws/lambda/{name}"
        return self._groups_of_logs[function]

    def hints_handled(self, incident: Incident) -> list[dict]:
        """Returns the reconciler's lines about the outcome of an incident's hints."""
        lines = self.log_lines("reconciler")
        names = ("link", "case_link")
        return [line for line in lines if "calls" in line and incident.link in [line.get(name) for name in names]]

    # ---- Waiting -------------------------------------------------------------------------------------------------

    def until(self, outcome: str, probe, *incidents: Incident, patience: float = PATIENCE_SECONDS):
        """Waits until the probe returns something, and returns that. On a timeout, fails with what both sides show."""
        began = time.monotonic()
        while True:
            result = probe()
            if result:
                return result
            if time.monotonic() - began > patience:
                shown = "\n".join(self.describe(incident) for incident in incidents)
                raise AssertionError(f"after {patience:.0f} s it is not so that {outcome}.\n{shown}")
            time.sleep(LOOK_SECONDS)

    def until_case(self, incident: Incident) -> dict:
        """Waits for the incident's case."""
        return self.until("the incident has a case", lambda: self.case(incident), incident)

    def until_in_sync(self, incident: Incident) -> None:
        """Waits until both sides are in step."""
        self.until("the incident shows its case, in sync", lambda: self.in_sync(incident), incident)

    def until_sent(self, incident: Incident, text: str) -> None:
        """Waits until the case has a text of the incident."""
        self.until(f"the case has {text[:60]!r}", lambda: self.communications(incident, text), incident)

    def until_received(self, incident: Incident, text: str) -> None:
        """Waits until the incident has a text of the case."""
        self.until(f"the incident has {text[:60]!r}", lambda: self.comments(incident, text), incident)

    def until_state(self, incident: Incident, state: str) -> None:
        """Waits until the incident has a state."""
        self.until(f"the incident's state is {state}", lambda: self.state(incident) == state, incident)

    def until_status(self, incident: Incident, status: str) -> None:
        """Waits until the case has a status."""
        self.until(f"the case is {status}", lambda: self.status(incident) == status, incident)

    def settle(self, seconds: float = SETTLE_SECONDS) -> None:
        """Waits until a double would show: some time, a poll, and some time again."""
        time.sleep(seconds)
        self.poll()
        time.sleep(SETTLE_SECONDS)

    @contextlib.contextmanager
    def events_lost(self):
        """Keeps the events of AWS Support from the hub within the block."""
        bus = self.stack.description["events"]
        # No process listens on this port. The simulator gives up after a few attempts, as if no rule forwarded the
        # event.
        self.stack.control("PUT", "/events", {**bus, "events_endpoint": "http://127.0.0.1:9"})
        try:
            yield
            time.sleep(DROP_SECONDS)
        finally:
            self.stack.control("PUT", "/events", bus)

    # ---- What must hold ------------------------------------------------------------------------------------------

    def assert_once_at_aws(self, incident: Incident, *texts: str) -> None:
        """Checks that the incident has one case, with each of the texts on it once."""
        assert len(self.cases(incident)) == 1, self.describe(incident)
        for text in texts:
            found = len(self.communications(incident, text))
            assert found == 1, f"{text!r} is on the case {found} times.\n{self.describe(incident)}"

    def assert_once_in_servicenow(self, incident: Incident, *texts: str) -> None:
        """Checks that each of the texts is in exactly one of the incident's comments."""
        for text in texts:
            found = len(self.comments(incident, text))
            assert found == 1, f"{text!r} is on the incident {found} times.\n{self.describe(incident)}"

    def assert_order(self, shown: list[str], texts: list[str]) -> None:
        """Checks that each of the texts is in exactly one of the shown texts, in their order."""
        places = [[place for place, body in enumerate(shown) if text in body] for text in texts]
        assert all(len(found) == 1 for found in places), dict(zip(texts, places, strict=True))
        assert places == sorted(places), dict(zip(texts, places, strict=True))

    # ---- For people who read a failure ---------------------------------------------------------------------------

    def describe(self, incident: Incident) -> str:
        """Describes an incident: both sides, the outbox and the reconciler's log."""
        record = self.record(incident)
        columns = {name.removeprefix(PREFIX): value for name, value in record.items() if name.startswith(PREFIX)}
        lines = [f"ServiceNow: {incident.number} {incident.sys_id}, state {record['state']}, {columns}"]
        lines += [
            f"    {entry['sys_created_on']} {entry['sys_created_by']}: {brief(entry['value'])}"
            for entry in self.comments(incident)
        ]
        lines += [
            f"    webhook {row['webhook_id'][:8]} {row['state']} after {row['attempts']} attempts {row['last_error']}"
            for row in self.outbox(incident)
        ]
        for case in self.cases(incident):
            lines.append(f"AWS: {case['account']} {case['caseId']} ({case['displayId']}), {case['status']}")
            lines += [
                f"    {communication['timeCreated']} {communication['submittedBy']}: {brief(communication['body'])}"
                for communication in case["communications"]
            ]
        about = (incident.sys_id, incident.number)
        faults = [fault for text in about for fault in self.faults_on(text)]
        lines.append(f"Faults that wait: {faults}")
        try:
            lines += self.logged_about(incident)
        except Exception as problem:  # The state of both sides is worth more than the logs.
            lines.append(f"The logs could not be read: {problem}")
        return "\n".join(lines)

    def logged_about(self, incident: Incident) -> list[str]:
        """Returns the functions' log lines about an incident, and all errors of the poller."""
        nested = ("fields", "span", "spans")
        lines = []
        for function in self.stack.description["functions"]:
            for line in self.log_lines(function):
                if incident.sys_id in json.dumps(line) or (function == "case-poller" and line.get("level") == "ERROR"):
                    told = {key: value for key, value in line.items() if key not in nested}
                    lines.append((line["logged_at"], f"{function}: {told}"))
        return [text for _, text in sorted(lines)]


def lines_of(event: dict) -> list[dict]:
    """Returns the JSON lines in an event of a log, with fields and span on one level."""
    lines = []
    for text in event["message"].splitlines():
        with contextlib.suppress(ValueError):
            line = json.loads(text)
            if isinstance(line, dict):
                lines.append(
                    {"logged_at": event["timestamp"], **line.get("span", {}), **line.get("fields", {}), **line}
                )
    return lines


def brief(text: str) -> str:
    """Returns the beginning of a text, on one line."""
    flat = " | ".join(text.splitlines())
    return flat if len(flat) <= 160 else flat[:160] + f"... ({len(text)} characters)"


def unique(text: str) -> str:
    """Returns the text with a word that no other text has."""
    return f"{text} {uuid.uuid4().hex[:8]}"
