"""The workloads: each function with its events, and the bounds on the cost of each event."""

import dataclasses
from collections.abc import Callable

import console
import events
from world import Incident, World, unique


@dataclasses.dataclass(frozen=True)
class Bounds:
    """The bounds on the median cost of one kind of event: remote calls, bytes of HTTP sent and received."""

    calls: int
    sent: int
    received: int


# The bytes are those on the local stack and a tenth more. Ids and times differ by a few bytes from run to run, so a
# larger difference comes from a change of the code. Every AWS request has some 900 bytes of signature and agent.
#
# The lease, the incident, the intent, the case, its columns on the incident, the outcome with the lease's end.
NEW_CASE = Bounds(calls=6, sent=14_600, received=4_600)
# The lease, the case with its number, the incident, the number on it, the lease's end.
NEW_CASE_EVENT = Bounds(calls=5, sent=9_200, received=7_600)
# The lease, both sides, the intent, the comment, the outcome with the lease's end.
COMMENT = Bounds(calls=6, sent=15_700, received=7_500)
# The lease, the case, the lease's end: AWS reports our own comment, and nothing is left to do.
COMMENT_EVENT = Bounds(calls=3, sent=8_900, received=5_800)
# The lease, the case, the reply on the incident, the lease's end. The incident is not read: the answer shows it.
REPLY = Bounds(calls=4, sent=10_000, received=8_600)
# The lease, both sides, the transfer's row, its message, the lease's end.
FILE = Bounds(calls=6, sent=12_900, received=10_700)
# The transfer's lease, the file, the set at AWS, the transfer with its end, the hint. A kilobyte is the file's.
TRANSFER = Bounds(calls=5, sent=8_400, received=4_200)
# The lease, both sides, the transfer, the intent, the communication, the outcome with the lease's end.
FILE_MOVED = Bounds(calls=7, sent=19_400, received=12_100)
# The message to the queue: the secret is known since the start.
WEBHOOK = Bounds(calls=1, sent=1_400, received=700)
# The link of the case, and the message to the queue.
SUPPORT_EVENT = Bounds(calls=2, sent=2_500, received=1_430)
# Four shards of due links; the version of the secret; three watermarks, of which two move; the list of accounts; the
# rows of watched cases of two accounts, and one read of the cases of the account that has some; for each account the
# watermark of cases that people open, and the cases that were opened since; the changes in ServiceNow, and the
# remembered counts of their links. Each of the 35 cases that the run opens adds some 50 bytes sent and 2,800 received,
# and its recently changed incident adds 90 and 220.
TICK = Bounds(calls=20, sent=26_100, received=134_900)


FILE_NAME = "thread dump.log"
FILE_CONTENT = b"A line of a log.\n" * 64


@dataclasses.dataclass(frozen=True)
class Workload:
    """A function, a kind of event, its bounds, and the checks of its effect."""

    function: str
    event: str
    bounds: Bounds
    # Returns this number of events. All are prepared before the first is handed out, so that nothing else runs while a
    # process is measured.
    make: Callable[[int], list[dict]]
    # Returns what is wrong with an answer, or None if nothing is.
    problem: Callable[[object], str | None]
    # Raises StackError if the events did not have their effect.
    verify: Callable[[], None] = lambda: None

    @property
    def name(self) -> str:
        """Returns a name for people and for the comparison with another run."""
        return f"{self.function}, {self.event}"


class Work:
    """All workloads of one run. Those of the reconciler come first: they open the cases that the others need."""

    def __init__(self, world: World):
        self.world = world
        stack = world.stack
        self.topic = stack.description["sns_events_topic_arn"]
        secret = stack.hub("secretsmanager").get_secret_value(SecretId=stack.description["webhook_secret_id"])
        self.secret = secret["SecretString"]
        self.queue_arn = self._queue_arn("queue_url")
        self.file_queue_arn = self._queue_arn("file_queue_url")
        self.incidents: list[Incident] = []
        self.comment = unique("It still does not answer, whatever we try.")
        self.reply = unique("We are looking into it and come back to you as soon as we know more.")

    def loads(self) -> list[Workload]:
        """Returns the workloads in their order."""
        return [
            Workload("reconciler", "new case", NEW_CASE, self.new_cases, handled),
            Workload("reconciler", "event of the case", NEW_CASE_EVENT, self.own_events, handled, self.are_open),
            Workload("reconciler", "comment", COMMENT, self.comments, handled, self.are_sent),
            Workload("reconciler", "event of the comment", COMMENT_EVENT, self.own_events, handled),
            Workload("reconciler", "reply of AWS", REPLY, self.replies, handled, self.are_received),
            Workload("servicenow-webhook", "webhook", WEBHOOK, self.webhooks, accepted),
            Workload("aws-events", "Support event", SUPPORT_EVENT, self.support_events, silent),
            Workload("case-poller", "tick", TICK, self.ticks, silent),
            # They come last: a tick hands off each incident that has just got a file.
            Workload("reconciler", "file", FILE, self.files, handled),
            Workload("attachments", "small file", TRANSFER, self.transfers, handled),
            Workload("reconciler", "file that was moved", FILE_MOVED, self.moved, handled, self.are_on_cases),
        ]

    def new_cases(self, count: int) -> list[dict]:
        """Opens incidents in scope. Returns the hints of ServiceNow's webhooks."""
        self.incidents = [self.world.open_incident() for _ in range(count)]
        return self._hints("servicenow_webhook", count)

    def comments(self, count: int) -> list[dict]:
        """Writes a comment on each incident. Returns the hints of ServiceNow's webhooks."""
        for incident in self.incidents[:count]:
            self.world.comment(incident, self.comment)
        return self._hints("servicenow_webhook", count)

    def own_events(self, count: int) -> list[dict]:
        """Returns the hints of the events that the reconciler's own writes to the cases cause."""
        return self._hints("support_event", count)

    def replies(self, count: int) -> list[dict]:
        """Writes a reply on each case. Returns the hints of AWS's events."""
        for incident in self.incidents[:count]:
            self.world.reply(incident, self.reply)
        return self._hints("support_event", count)

    def _hints(self, cause: str, count: int) -> list[dict]:
        # A pass would read comments of the present second again in the next pass.
        self.world.next_second()
        return [events.hint(self.world, incident, cause, self.queue_arn) for incident in self.incidents[:count]]

    def files(self, count: int) -> list[dict]:
        """Attaches a small file to each incident. Returns the hints of ServiceNow's webhooks."""
        for incident in self.incidents[:count]:
            record = self.world.stack.agent.GlideRecord("incident")
            record.get(incident.sys_id)
            record.add_attachment(FILE_NAME, FILE_CONTENT, "text/plain")
        return self._hints("servicenow_webhook", count)

    def transfers(self, count: int) -> list[dict]:
        """Returns the messages that the reconciler has put on the queue of files."""
        queue, url = self.world.stack.hub("sqs"), self.world.stack.description["file_queue_url"]
        bodies: list[str] = []
        while len(bodies) < count:
            found = queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            if not found:
                raise console.StackError(f"of {count} files {len(bodies)} were ordered.")
            bodies += [message["Body"] for message in found]
        return [events.transfer(body, self.file_queue_arn) for body in bodies[:count]]

    def moved(self, count: int) -> list[dict]:
        """Returns the hints that the function attachments sends when files have been moved."""
        return self._hints("file_moved", count)

    def webhooks(self, count: int) -> list[dict]:
        """Returns webhooks about incidents with a case."""
        return [events.webhook(incident, self.secret) for incident in self.incidents[:count]]

    def support_events(self, count: int) -> list[dict]:
        """Returns events of our own cases."""
        cases = self.world.all_cases()
        return [
            events.support_event(incident, case, self.topic)
            for incident in self.incidents[:count]
            for case in cases
            if f"[{incident.number}]" in case["subject"]
        ]

    def ticks(self, count: int) -> list[dict]:
        """Returns ticks while nothing is left to do on any link."""
        return [events.tick() for _ in range(count)]

    def are_open(self) -> None:
        """Checks that every incident shows its case."""
        wrong = [incident for incident in self.incidents if not self.world.in_sync(incident)]
        self._expect("does not show its case", wrong)

    def are_sent(self) -> None:
        """Checks that every case has the comment once."""
        wrong = [incident for incident in self.incidents if len(self.world.communications(incident, self.comment)) != 1]
        self._expect("has no comment, or two", wrong)

    def are_received(self) -> None:
        """Checks that every incident has the reply once."""
        wrong = [incident for incident in self.incidents if len(self.world.comments(incident, self.reply)) != 1]
        self._expect("has no reply, or two", wrong)

    def are_on_cases(self) -> None:
        """Checks that every case has the file once."""

        def names(incident: Incident) -> list[str]:
            sent = self.world.communications(incident)
            return [file["fileName"] for communication in sent for file in communication["attachments"]]

        wrong = [incident for incident in self.incidents if names(incident) != [FILE_NAME]]
        self._expect("has no file, or two", wrong)

    def _queue_arn(self, name: str) -> str:
        """Returns the ARN of one of the stack's queues."""
        stack = self.world.stack
        found = stack.hub("sqs").get_queue_attributes(QueueUrl=stack.description[name], AttributeNames=["QueueArn"])
        return found["Attributes"]["QueueArn"]

    def _expect(self, what: str, wrong: list[Incident]) -> None:
        if wrong:
            numbers = ", ".join(incident.number for incident in wrong[:3])
            raise console.StackError(f"of {len(self.incidents)} incidents {len(wrong)} are wrong; {numbers}: {what}.")


def handled(answer: object) -> str | None:
    """Returns what is wrong with an answer of the reconciler: it must not return a message to the queue."""
    return None if answer == {"batchItemFailures": []} else f"a message was not handled: {answer}"


def accepted(answer: object) -> str | None:
    """Returns what is wrong with an answer of the webhook: its status must be 202."""
    is_accepted = isinstance(answer, dict) and answer.get("statusCode") == 202
    return None if is_accepted else f"a webhook was not accepted: {answer}"


def silent(answer: object) -> str | None:
    """Returns what is wrong with an answer of a function that must answer nothing."""
    return None if answer is None else f"an answer was not expected: {answer}"
