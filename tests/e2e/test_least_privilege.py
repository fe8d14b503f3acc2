"""The functions' roles grant only what the functions need. The other tests prove that they grant enough."""

import boto3
import botocore.config
import botocore.exceptions
import pytest

from stack import Stack

FORBIDDEN = {
    # This function may read watermarks only. The local AWS can't tell them from other rows, so the template's checks
    # check that condition.
    "servicenow-webhook": [
        ("dynamodb", "scan", "table only"), ("dynamodb", "put_item", "table"), ("sqs", "receive_message", "queue"),
        ("secretsmanager", "get_secret_value", "account secret"), ("ssm", "get_parameter", "policy"),
    ],
    "aws-events": [
        ("dynamodb", "put_item", "table"), ("dynamodb", "scan", "table only"), ("sqs", "receive_message", "queue"),
        ("secretsmanager", "get_secret_value", "webhook secret"),
        ("secretsmanager", "get_secret_value", "account secret"),
    ],
    "case-poller": [
        ("dynamodb", "scan", "table only"), ("dynamodb", "delete_item", "table"), ("sqs", "receive_message", "queue"),
        ("secretsmanager", "get_secret_value", "webhook secret"),
    ],
    "catalog-sync": [
        ("dynamodb", "get_item", "table"), ("sqs", "send_message", "dead letters"),
        ("secretsmanager", "get_secret_value", "webhook secret"), ("ssm", "get_parameter", "policy"),
    ],
    "attachments": [
        ("dynamodb", "scan", "table only"), ("sqs", "receive_message", "queue"),
        ("sqs", "send_message", "dead letters"),
        ("secretsmanager", "get_secret_value", "webhook secret"), ("secretsmanager", "list_secrets", "nothing"),
    ],
    "reconciler": [
        ("dynamodb", "scan", "table only"), ("secretsmanager", "get_secret_value", "webhook secret"),
        ("secretsmanager", "list_secrets", "nothing"), ("sqs", "send_message", "dead letters"),
    ],
}  # fmt: skip


def arguments(stack: Stack, of: str, operation: str) -> dict:
    """Returns the arguments of an operation."""
    key = {"pk": {"S": "e2e"}, "sk": {"S": "e2e"}}
    table = {"TableName": stack.description["table_name"]}
    whole = {"put_item": {**table, "Item": key}}.get(operation, {**table, "Key": key})
    return {
        "table": whole,
        "table only": table,
        "queue": {"QueueUrl": stack.description["queue_url"]},
        "dead letters": {
            "QueueUrl": stack.description["dead_letter_queue_url"],
            "MessageBody": "e2e",
            "MessageGroupId": "e2e",
            "MessageDeduplicationId": "e2e",
        },
        "account secret": {"SecretId": f"casebridge/accounts/{stack.production['id']}"},
        "webhook secret": {"SecretId": stack.description["webhook_secret_id"]},
        "policy": {"Name": "/casebridge/policy"},
        "nothing": {},
    }[of]


@pytest.fixture
def enforced(stack: Stack) -> None:
    """Skips the tests unless the stack was started with IAM=enforced."""
    if not stack.iam_enforced:
        pytest.skip("IAM is open on this stack: `make up IAM=enforced`")


CASES = [(function, *case) for function, cases in FORBIDDEN.items() for case in cases]


@pytest.mark.usefixtures("enforced")
@pytest.mark.parametrize(("function", "service", "operation", "of"), CASES)
def test_what_a_function_does_not_do_its_role_does_not_grant(
    stack: Stack, function: str, service: str, operation: str, of: str
):
    name = stack.description["functions"][function]
    role = stack.hub("lambda").get_function_configuration(FunctionName=name)["Role"]
    session = stack.hub("sts").assume_role(RoleArn=role, RoleSessionName="e2e")["Credentials"]
    client = boto3.client(
        service,
        endpoint_url=stack.description["aws"]["endpoint"],
        region_name=stack.description["aws"]["region"],
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
        config=botocore.config.Config(retries={"max_attempts": 1}, proxies={}),
    )
    with pytest.raises(botocore.exceptions.ClientError) as refusal:
        getattr(client, operation)(**arguments(stack, of, operation))
    assert "AccessDenied" in refusal.value.response["Error"]["Code"], refusal.value
