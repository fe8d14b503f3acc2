"""What is measured: each function with the events that it gets, and how much each event may cost."""

import dataclasses
from collections.abc import Callable

import console
import events
from world import Incident, World, unique


@dataclasses.dataclass(frozen=True)
class Bounds:
    """The most that an event of one kind may cost in the middle of many: remote calls, and bytes of HTTP both ways."""

    calls: int
    sent: int
    received: int


# The bytes are those of the local stack and a tenth more: ids and times differ by a few from run to run, and what goes
# beyond a tenth was added by somebody. Every AWS request has some 900 bytes of signature and agent.
#
# The lease, the incident, the intent, the case, its columns on the incident, the outcome with the lease's end.
NEW_CASE = Bounds(calls=6, sent=14_600, received=4_600)
# The lease, the case with its number, the incident, the number on it, the lease's end.
NEW_CASE_EVENT = Bounds(calls=5, sent=9_200, received=7_600)
# The lease, both sides, the intent, the comment, the outcome with the lease's end.
COMMENT = Bounds(calls=6, sent=15_700, received=7_500)
# The lease, the case, the lease's end: AWS tells of our own comment, and nothing is left to do.
COMMENT_EVENT = Bounds(calls=3, sent=8_900, received=5_800)
# The lease, the case, the reply on the incident, the lease's end. The incident is not read: the answer shows it.
REPLY = Bounds(calls=4, sent=10_000, received=8_600)
# The message to the queue: the secret is known since the start.
WEBHOOK = Bounds(calls=1, sent=1_400, received=700)
# The link of the case, and the message to the queue.
SUPPORT_EVENT = Bounds(calls=2, sent=2_500, received=1_430)
# The four shards of what is due; the secret's version; three watermarks, of which two move; the accounts, the cases of
# each of the two, and one read of those of the account that has some; what changed in ServiceNow, and what is known of
# it. Each of the 35 cases that the run opens adds some 50 bytes sent and 1,500 received, and its incident, which has
# changed lately, 90 and 220.
TICK = Bounds(calls=16, sent=21_900, received=79_800)


@dataclasses.dataclass(frozen=True)
class Workload:
    """A function, a kind of event, and what must come of it."""

    function: str
    event: str
    bounds: Bounds
    # So many events, all prepared before the first is handed out: nothing else happens while a process is measured.
    make: Callable[[int], list[dict]]
    # What is wrong with an answer; nothing where it is as it should be.
    problem: Callable[[object], str | None]
    # Raises StackError if the events did not have their effect.
    verify: Callable[[], None] = lambda: None

    @property
    def name(self) -> str:
        """For people, and for comparing with another run."""
        return f"{self.function}, {self.event}"


class Work:
    """All workloads of one run. The reconciler's come first: they open the cases that the others are about."""

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
        """The workloads in their order."""
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
        """Incidents that want a case, told by ServiceNow."""
        self.incidents = [self.world.open_incident() for _ in range(count)]
        return self._hints("servicenow_webhook", count)

    def comments(self, count: int) -> list[dict]:
        """A comment on each incident, told by ServiceNow."""
        for incident in self.incidents[:count]:
            self.world.comment(incident, self.comment)
        return self._hints("servicenow_webhook", count)

    def own_events(self, count: int) -> list[dict]:
        """AWS tells of what was written to each case just now, by the reconciler itself."""
        return self._hints("support_event", count)

    def replies(self, count: int) -> list[dict]:
        """A reply on each case, told by AWS."""
        for incident in self.incidents[:count]:
            self.world.reply(incident, self.reply)
        return self._hints("support_event", count)

    def _hints(self, cause: str, count: int) -> list[dict]:
        # What was written in the second that is not over yet would be read a second time.
        self.world.next_second()
        return [events.hint(self.world, incident, cause, self.queue_arn) for incident in self.incidents[:count]]

    def webhooks(self, count: int) -> list[dict]:
        """Webhooks about incidents with a case."""
        return [events.webhook(incident, self.secret) for incident in self.incidents[:count]]

    def support_events(self, count: int) -> list[dict]:
        """Events of cases of ours."""
        cases = self.world.all_cases()
        return [
            events.support_event(incident, case, self.topic)
            for incident in self.incidents[:count]
            for case in cases
            if f"[{incident.number}]" in case["subject"]
        ]

    def ticks(self, count: int) -> list[dict]:
        """Ticks of a world at rest."""
        return [events.tick() for _ in range(count)]

    def are_open(self) -> None:
        """Every incident shows its case."""
        wrong = [incident for incident in self.incidents if not self.world.in_sync(incident)]
        self._expect("does not show its case", wrong)

    def are_sent(self) -> None:
        """Every case has the comment once."""
        wrong = [incident for incident in self.incidents if len(self.world.communications(incident, self.comment)) != 1]
        self._expect("has no comment, or two", wrong)

    def are_received(self) -> None:
        """Every incident has the reply once."""
        wrong = [incident for incident in self.incidents if len(self.world.comments(incident, self.reply)) != 1]
        self._expect("has no reply, or two", wrong)

    def _expect(self, what: str, wrong: list[Incident]) -> None:
        if wrong:
            numbers = ", ".join(incident.number for incident in wrong[:3])
            raise console.StackError(f"of {len(self.incidents)} incidents {len(wrong)} are wrong; {numbers}: {what}.")


def handled(answer: object) -> str | None:
    """Of the reconciler: no message has to come again."""
    return None if answer == {"batchItemFailures": []} else f"a message was not handled: {answer}"


def accepted(answer: object) -> str | None:
    """Of the webhook: 202."""
    is_accepted = isinstance(answer, dict) and answer.get("statusCode") == 202
    return None if is_accepted else f"a webhook was not accepted: {answer}"


def silent(answer: object) -> str | None:
    """Of a function that answers nothing."""
    return None if answer is None else f"an answer was not expected: {answer}"
