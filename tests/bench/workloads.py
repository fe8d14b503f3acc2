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
# The message to the queue: the secret is known since the start.
WEBHOOK = Bounds(calls=1, sent=1_400, received=700)
# The link of the case, and the message to the queue.
SUPPORT_EVENT = Bounds(calls=2, sent=2_500, received=1_430)
# Four shards of due links; the version of the secret; three watermarks, of which two move; the list of accounts; the
# rows of watched cases of two accounts, and one read of the cases of the account that has some; the changes in
# ServiceNow, and the remembered counts of their links. Each of the 35 cases that the run opens adds some 50 bytes sent
# and 1,500 received, and its recently changed incident adds 90 and 220.
TICK = Bounds(calls=16, sent=21_900, received=79_800)


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
        queue = stack.hub("sqs").get_queue_attributes(
            QueueUrl=stack.description["queue_url"], AttributeNames=["QueueArn"]
        )
        self.queue_arn = queue["Attributes"]["QueueArn"]
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
