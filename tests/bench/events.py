"""The events for the functions, in the form in which AWS sends them."""

import datetime
import json
import time
import uuid

import standardwebhooks

from world import Incident, World

SECRET_PREFIX = "whsec_"
WEBHOOK_TYPE = "incident.changed"


def now() -> str:
    """Returns the present time in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def webhook(incident: Incident, secret: str) -> dict:
    """Returns a request to a Function URL: the webhook that ServiceNow signs when an incident has changed."""
    webhook_id = uuid.uuid4().hex
    told = {"sys_id": incident.sys_id, "sys_mod_count": 1}
    body = json.dumps({"id": webhook_id, "type": WEBHOOK_TYPE, "timestamp": now(), "data": told})
    moment = datetime.datetime.now(datetime.UTC)
    key = SECRET_PREFIX + secret.removeprefix(SECRET_PREFIX)
    host = "benchmark.lambda-url.us-east-1.on.aws"
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": {
            "content-type": "application/json; charset=utf-8",
            "host": host,
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": standardwebhooks.Webhook(key).sign(webhook_id, moment, body),
        },
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "benchmark",
            "domainName": host,
            "domainPrefix": "benchmark",
            "http": {
                "method": "POST",
                "path": "/",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "ServiceNow/1.0",
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "time": datetime.datetime.now(datetime.UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(time.time() * 1000),
        },
        "body": body,
        "isBase64Encoded": False,
    }


def support_event(incident: Incident, case: dict, topic: str) -> dict:
    """Returns SNS's message with the event of AWS Support for a new communication on a case."""
    message = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Support Case Update",
        "source": "aws.support",
        "account": incident.account["id"],
        "time": now(),
        "region": topic.split(":")[3],
        "resources": [],
        "detail": {
            "case-id": case["caseId"],
            "display-id": case["displayId"],
            "communication-id": uuid.uuid4().hex,
            "event-name": "AddCommunicationToCase",
            "origin": "AWS",
        },
    }
    notification = {
        "Type": "Notification",
        "MessageId": str(uuid.uuid4()),
        "TopicArn": topic,
        "Subject": None,
        "Message": json.dumps(message),
        "Timestamp": now(),
        "SignatureVersion": "1",
        "Signature": "none",
        "SigningCertUrl": "https://sns.us-east-1.amazonaws.com/none.pem",
        "UnsubscribeUrl": "https://sns.us-east-1.amazonaws.com/",
        "MessageAttributes": {},
    }
    subscription = f"{topic}:{uuid.uuid4()}"
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription,
        "Sns": notification,
    }
    return {"Records": [record]}


def tick() -> dict:
    """Returns the event with which the scheduler starts the poller each minute."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "000000000000",
        "time": now(),
        "region": "us-east-1",
        "resources": [],
        "detail": "{}",
    }


def hint(world: World, incident: Incident, cause: str, queue_arn: str) -> dict:
    """Returns an event with one message of the hint queue."""
    body = json.dumps(json.loads(world.hint(incident)) | {"cause": cause})
    message_id = str(uuid.uuid4())
    ordered = {
        "SequenceNumber": "18870000000000000000",
        "MessageGroupId": incident.link,
        "MessageDeduplicationId": message_id,
    }
    return message(message_id, body, queue_arn, ordered)


def transfer(body: str, queue_arn: str) -> dict:
    """Returns an event with one message of the queue of files."""
    return message(str(uuid.uuid4()), body, queue_arn, {})


def message(message_id: str, body: str, queue_arn: str, attributes: dict[str, str]) -> dict:
    """Returns an event with one message of a queue."""
    moment = str(int(time.time() * 1000))
    record = {
        "messageId": message_id,
        "receiptHandle": uuid.uuid4().hex,
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": moment,
            "SenderId": "benchmark",
            "ApproximateFirstReceiveTimestamp": moment,
            **attributes,
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }
    return {"Records": [record]}
