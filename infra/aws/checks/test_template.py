"""What must hold in the expansion, where a linter sees nothing wrong."""

import json
import re

from expansion import as_list, of_type, referenced, statements

FUNCTIONS = {
    "ServicenowWebhookFunction",
    "AwsEventsFunction",
    "CasePollerFunction",
    "ReconcilerFunction",
    "CatalogSyncFunction",
    "AttachmentsFunction",
}
VISIBILITY_FACTOR = 6
# Source: Lambda quotas, function timeout.
MAXIMUM_TIMEOUT_SECONDS = 900
# The waits between them add up to a quarter of an hour: shared/core/src/hint.rs.
RECEIVES = 7
MINIMUM_POLL_SECONDS = 60
BOTH_SIDES_ENVIRONMENT = {
    "CASEBRIDGE_ACCOUNT_SECRET_PREFIX",
    "CASEBRIDGE_POLICY_PARAMETER",
    "CASEBRIDGE_QUEUE_URL",
    "CASEBRIDGE_SERVICENOW_SECRET_ID",
    "CASEBRIDGE_SERVICENOW_URL",
    "CASEBRIDGE_TABLE_NAME",
}
ENVIRONMENT = {
    "ServicenowWebhookFunction": {"CASEBRIDGE_QUEUE_URL", "CASEBRIDGE_TABLE_NAME", "CASEBRIDGE_WEBHOOK_SECRET_ID"},
    "AwsEventsFunction": {"CASEBRIDGE_QUEUE_URL", "CASEBRIDGE_TABLE_NAME"},
    "CasePollerFunction": BOTH_SIDES_ENVIRONMENT | {"CASEBRIDGE_WEBHOOK_SECRET_ID"},
    "ReconcilerFunction": BOTH_SIDES_ENVIRONMENT | {"CASEBRIDGE_FILE_QUEUE_URL", "CASEBRIDGE_WAKE_QUEUE_URL"},
    "AttachmentsFunction": BOTH_SIDES_ENVIRONMENT | {"CASEBRIDGE_FILE_QUEUE_URL"},
    "CatalogSyncFunction": {
        "CASEBRIDGE_ACCOUNT_SECRET_PREFIX",
        "CASEBRIDGE_SERVICENOW_SECRET_ID",
        "CASEBRIDGE_SERVICENOW_URL",
    },
}
# Actions that AWS authorises for all resources or not at all.
ACTIONS_WITHOUT_RESOURCE = {"secretsmanager:ListSecrets"}


def dead_letter_targets(value):
    """Logical ids of the queues below `value` that take what failed elsewhere."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "deadLetterTargetArn":
                yield referenced(inner)
            elif key == "DeadLetterConfig":
                yield referenced(inner["Arn"])
            elif key == "OnFailure":
                yield referenced(inner["Destination"])
            else:
                yield from dead_letter_targets(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from dead_letter_targets(inner)


def test_the_functions_are_the_six_of_the_hub(resources):
    assert set(of_type(resources, "AWS::Lambda::Function")) == FUNCTIONS


def test_every_function_runs_a_bootstrap_from_a_package_named_by_parameters(resources):
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        assert function["Runtime"] == "provided.al2023", name
        assert function["Handler"] == "bootstrap", name
        assert function["Architectures"] == [{"Ref": "Architecture"}], name
        assert set(function["Code"]) == {"S3Bucket", "S3Key"}, name
    keys = [function["Code"]["S3Key"]["Ref"] for function in of_type(resources, "AWS::Lambda::Function").values()]
    assert len(set(keys)) == len(FUNCTIONS)


def test_every_function_logs_json_to_a_group_with_retention(resources):
    groups = of_type(resources, "AWS::Logs::LogGroup")
    used = set()
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        assert function["LoggingConfig"]["LogFormat"] == "JSON", name
        group = referenced(function["LoggingConfig"]["LogGroup"])
        assert groups[group]["RetentionInDays"], name
        used.add(group)
    assert used == set(groups), "a log group that no function uses"


def test_every_function_has_a_role_of_its_own(resources):
    roles = [referenced(function["Role"]) for function in of_type(resources, "AWS::Lambda::Function").values()]
    assert len(set(roles)) == len(FUNCTIONS)
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in role, f"{name}: managed policies grant more than a function needs"


def test_every_function_has_its_environment(resources):
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        assert set(function["Environment"]["Variables"]) == ENVIRONMENT[name], name


def test_no_function_is_told_of_a_local_endpoint(template):
    assert "AWS_ENDPOINT_URL" not in json.dumps(template)
    assert "127.0.0.1" not in json.dumps(template)


def test_no_action_has_a_wildcard(resources):
    for name, resource in resources.items():
        for statement in statements(resource):
            for action in as_list(statement["Action"]):
                assert "*" not in action, f"{name}: {action}"
            assert "NotAction" not in statement, name


def test_role_statements_name_their_resources(resources):
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        for statement in statements(role["Policies"]):
            if set(as_list(statement["Action"])) <= ACTIONS_WITHOUT_RESOURCE:
                continue
            for resource in as_list(statement["Resource"]):
                assert resource != "*", f"{name}: {statement['Sid']}"


def test_only_an_organisation_is_admitted_without_being_named(resources):
    for name, resource in resources.items():
        for statement in statements(resource):
            principal = statement.get("Principal")
            if principal == "*" or (isinstance(principal, dict) and principal.get("AWS") == "*"):
                assert statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": {"Ref": "OrganizationId"}}}, (
                    name
                )


def test_the_function_url_has_both_permissions(resources):
    (url,) = of_type(resources, "AWS::Lambda::Url").values()
    assert url["AuthType"] == "NONE"
    assert referenced(url["TargetFunctionArn"]) == "ServicenowWebhookFunction"
    public = [p for p in of_type(resources, "AWS::Lambda::Permission").values() if p["Principal"] == "*"]
    assert {p["Action"] for p in public} == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    for permission in public:
        assert referenced(permission["FunctionName"]) == "ServicenowWebhookFunction"
        if permission["Action"] == "lambda:InvokeFunctionUrl":
            assert permission["FunctionUrlAuthType"] == "NONE"
        else:
            assert permission["InvokedViaFunctionUrl"] is True, "without it anyone might invoke the function directly"


def test_the_public_function_can_be_bounded_and_nothing_is_reserved_unasked(template):
    functions = of_type(template["Resources"], "AWS::Lambda::Function")
    reserving = [name for name, function in functions.items() if "ReservedConcurrentExecutions" in function]
    assert reserving == ["ServicenowWebhookFunction"]
    reserved = functions["ServicenowWebhookFunction"]["ReservedConcurrentExecutions"]["Fn::If"]
    assert reserved == ["ReserveWebhookConcurrency", {"Ref": "WebhookReservedConcurrency"}, {"Ref": "AWS::NoValue"}]
    # A new account's quota is 10: a reservation there fails the first deployment.
    assert template["Parameters"]["WebhookReservedConcurrency"]["Default"] == 0


def test_every_queue_is_encrypted_and_keeps_what_failed(resources):
    queues = of_type(resources, "AWS::SQS::Queue")
    dead_letter = set(dead_letter_targets(resources))
    assert dead_letter <= set(queues)
    for name, queue in queues.items():
        assert queue["SqsManagedSseEnabled"] is True, name
        if name not in dead_letter:
            target = referenced(queue["RedrivePolicy"]["deadLetterTargetArn"])
            assert queue["RedrivePolicy"]["maxReceiveCount"] == RECEIVES, name
            assert queues[target].get("FifoQueue") == queue.get("FifoQueue"), f"{name} and {target} are of two kinds"
            assert queues[target]["MessageRetentionPeriod"] >= queue["MessageRetentionPeriod"], target


def test_a_polled_queue_hides_messages_for_six_timeouts(resources):
    functions = of_type(resources, "AWS::Lambda::Function")
    queues = of_type(resources, "AWS::SQS::Queue")
    mappings = of_type(resources, "AWS::Lambda::EventSourceMapping")
    assert mappings
    for name, mapping in mappings.items():
        queue = queues[referenced(mapping["EventSourceArn"])]
        timeout = functions[referenced(mapping["FunctionName"])]["Timeout"]
        assert queue["VisibilityTimeout"] >= VISIBILITY_FACTOR * timeout, name
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
        assert mapping["BatchSize"] == 1, f"{name}: a slow hint would hold up those behind it"
        assert "MaximumBatchingWindowInSeconds" not in mapping, f"{name}: a hint would wait for others"


def test_hints_are_ordered_by_group_and_deduplicated_by_event(resources):
    queue = resources["HintQueue"]["Properties"]
    assert queue["FifoQueue"] is True
    assert queue["ContentBasedDeduplication"] is False


def test_links_are_woken_by_a_queue_that_can_delay_each_message(resources):
    queue = resources["WakeQueue"]["Properties"]
    assert "FifoQueue" not in queue, "a FIFO queue has no delay for one message"
    # A delay of 15 minutes, and a few tries.
    assert queue["MessageRetentionPeriod"] >= 3600
    # Lambda would take its messages to itself for a loop.
    assert resources["ReconcilerFunction"]["Properties"]["RecursiveLoop"] == "Allow"
    mapped = {
        referenced(mapping["EventSourceArn"])
        for mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").values()
        if referenced(mapping["FunctionName"]) == "ReconcilerFunction"
    }
    assert mapped == {"HintQueue", "WakeQueue"}
    granted = {
        statement["Sid"]: {referenced(resource) for resource in as_list(statement["Resource"])}
        for statement in statements(resources["ReconcilerRole"])
        if as_list(statement["Action"])[0].startswith("sqs:")
    }
    assert granted == {
        "TakeHints": {"HintQueue", "WakeQueue"},
        "SendHintsAhead": {"WakeQueue"},
        "OrderFiles": {"FileQueue"},
    }


def test_files_have_a_queue_of_their_own_and_all_the_time_that_lambda_gives(resources):
    queue = resources["FileQueue"]["Properties"]
    assert "FifoQueue" not in queue, "a file that takes long would hold up others of its group"
    function = resources["AttachmentsFunction"]["Properties"]
    assert function["Timeout"] == MAXIMUM_TIMEOUT_SECONDS
    # Lambda would take what the function sends itself for a loop.
    assert function["RecursiveLoop"] == "Allow"
    (mapping,) = [
        mapping
        for mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").values()
        if referenced(mapping["FunctionName"]) == "AttachmentsFunction"
    ]
    assert referenced(mapping["EventSourceArn"]) == "FileQueue"
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "AttachmentsConcurrency"}}
    granted = {
        statement["Sid"]: {referenced(resource) for resource in as_list(statement["Resource"])}
        for statement in statements(resources["AttachmentsRole"])
        if as_list(statement["Action"])[0].startswith("sqs:")
    }
    assert granted == {"TakeFiles": {"FileQueue"}, "GoOnLaterAndWakeLinks": {"FileQueue", "HintQueue"}}


def test_asynchronous_functions_keep_what_failed(resources):
    configured = {
        referenced(config["FunctionName"]): referenced(config["DestinationConfig"]["OnFailure"]["Destination"])
        for config in of_type(resources, "AWS::Lambda::EventInvokeConfig").values()
    }
    assert configured == {
        "AwsEventsFunction": "EventFailureQueue",
        "CasePollerFunction": "PollFailureQueue",
        "CatalogSyncFunction": "PollFailureQueue",
    }
    for function, queue in configured.items():
        role = resources[referenced(resources[function]["Properties"]["Role"])]
        granted = [s for s in statements(role) if s["Action"] == "sqs:SendMessage"]
        assert any(queue == referenced(r) for s in granted for r in as_list(s["Resource"])), function


def test_the_subscription_keeps_what_failed(resources):
    (subscription,) = of_type(resources, "AWS::SNS::Subscription").values()
    assert referenced(subscription["RedrivePolicy"]["deadLetterTargetArn"]) == "EventFailureQueue"
    senders = {s["Principal"]["Service"] for s in statements(resources["EventFailureQueuePolicy"])}
    assert senders == {"sns.amazonaws.com", "events.amazonaws.com"}


def test_the_table_is_encrypted_and_recoverable(resources):
    (table,) = of_type(resources, "AWS::DynamoDB::Table").values()
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["DeletionProtectionEnabled"] == {"Ref": "TableDeletionProtection"}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_the_table_has_the_ledgers_keys(resources):
    (table,) = of_type(resources, "AWS::DynamoDB::Table").values()
    keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
    assert keys == {"HASH": "pk", "RANGE": "sk"}
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "due"
    assert {key["KeyType"]: key["AttributeName"] for key in index["KeySchema"]} == {
        "HASH": "due_shard",
        "RANGE": "due_at",
    }
    types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}
    assert types == {"pk": "S", "sk": "S", "due_shard": "S", "due_at": "N"}


def test_what_can_not_be_made_again_outlives_the_stack_but_not_a_first_deployment_that_fails(resources):
    # What a failed first deployment left behind would make every further one fail: the secrets have names.
    for name in ["LedgerTable", "WebhookSecret", "ServiceNowSecret"]:
        assert resources[name]["DeletionPolicy"] == "RetainExceptOnCreate", name
        assert resources[name]["UpdateReplacePolicy"] == "Retain", name
    kept = {name for name, body in resources.items() if "DeletionPolicy" in body}
    assert kept == {"LedgerTable", "WebhookSecret", "ServiceNowSecret"}


def test_topics_are_encrypted_under_a_key_that_nobody_outside_uses(resources):
    key = resources["TopicKey"]["Properties"]
    assert key["EnableKeyRotation"] is True
    for name, topic in of_type(resources, "AWS::SNS::Topic").items():
        assert referenced(topic["KmsMasterKeyId"]) == "TopicKey", name
    users = {statement["Sid"]: statement["Principal"] for statement in statements(key["KeyPolicy"])}
    root = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    assert users == {"Administration": root, "Alarms": {"Service": "cloudwatch.amazonaws.com"}}


def test_the_webhook_secret_is_base64_text_of_a_strong_key(resources):
    generated = resources["WebhookSecret"]["Properties"]["GenerateSecretString"]
    assert generated["PasswordLength"] % 4 == 0, "base64 comes in groups of four"
    assert generated["PasswordLength"] * 3 // 4 >= 24, "Standard Webhooks asks for 24 bytes at least"
    assert generated["IncludeSpace"] is False
    punctuation = {chr(code) for code in range(33, 127) if not chr(code).isalnum()}
    assert punctuation <= set(generated["ExcludeCharacters"])


def schedule_of(resources, function: str) -> dict:
    """The one schedule that starts a function."""
    schedules = of_type(resources, "AWS::Scheduler::Schedule").values()
    (found,) = [schedule for schedule in schedules if referenced(schedule["Target"]["Arn"]) == function]
    return found


def test_the_catalogue_is_brought_daily_and_a_missed_run_is_kept(template):
    resources = template["Resources"]
    schedule = schedule_of(resources, "CatalogSyncFunction")
    assert schedule["ScheduleExpression"] == {"Ref": "CatalogRate"}
    assert referenced(schedule["Target"]["DeadLetterConfig"]["Arn"]) == "PollFailureQueue"
    rate = template["Parameters"]["CatalogRate"]
    assert rate["Default"] == "rate(1 day)"
    for accepted in ["rate(1 day)", "rate(7 days)", "rate(1 hour)", "rate(12 hours)", "rate(24 hours)"]:
        assert re.match(rate["AllowedPattern"], accepted), accepted
    for refused in [
        "rate(1 days)",
        "rate(8 days)",
        "rate(2 hour)",
        "rate(25 hours)",
        "rate(1 minute)",
        "cron(0 0 * * ? *)",
    ]:
        assert not re.match(rate["AllowedPattern"], refused), refused


def test_the_poller_runs_on_time_and_never_twice_at_once(template):
    resources = template["Resources"]
    schedule = schedule_of(resources, "CasePollerFunction")
    assert schedule["ScheduleExpression"] == {"Ref": "PollRate"}
    assert template["Parameters"]["PollRate"]["Default"] == "rate(1 minute)"
    assert referenced(schedule["Target"]["DeadLetterConfig"]["Arn"]) == "PollFailureQueue"
    assert resources["CasePollerFunction"]["Properties"]["Timeout"] < MINIMUM_POLL_SECONDS


def test_a_poll_rate_is_grammatical(template):
    pattern = re.compile(template["Parameters"]["PollRate"]["AllowedPattern"])
    for accepted in ["rate(1 minute)", "rate(5 minutes)", "rate(15 minutes)", "rate(30 minutes)"]:
        assert pattern.match(accepted), accepted
    for refused in ["rate(5 minute)", "rate(1 minutes)", "rate(0 minutes)", "rate(31 minutes)", "rate(1 hour)"]:
        assert not pattern.match(refused), refused


def test_roles_may_do_to_the_ledger_what_their_function_does(resources):
    def granted(role: str) -> set[str]:
        tables = [s for s in statements(resources[role]) if as_list(s["Action"])[0].startswith("dynamodb:")]
        on_table = [s for s in tables if any(referenced(r) == "LedgerTable" for r in as_list(s["Resource"]))]
        return {action.removeprefix("dynamodb:") for s in on_table for action in as_list(s["Action"])}

    # Reads pages, counts and watermarks; claims what is due; moves watermarks.
    assert granted("CasePollerRole") == {"BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem"}
    # Leases, states and the rows beside them; looks for the first that waits for a quota.
    assert granted("ReconcilerRole") == {"DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"}
    # Rows of files: their leases and states.
    assert granted("AttachmentsRole") == {"DeleteItem", "GetItem", "PutItem", "UpdateItem"}
    # Finds links by their cases, and the undecided CreateCases of an account.
    # The rows of accounts alone: which case is whose, and which CreateCases are undecided.
    assert granted("AwsEventsRole") == {"GetItem", "Query"}
    finding = next(s for s in statements(resources["AwsEventsRole"]) if s.get("Sid") == "FindLinks")
    assert finding["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["ACCOUNT#*"]}}
    # It knows no link.
    assert granted("CatalogSyncRole") == set()
    # Watermarks alone, of which the rotation of its secret is one.
    assert granted("ServicenowWebhookRole") == {"GetItem"}
    rotation = next(s for s in statements(resources["ServicenowWebhookRole"]) if s.get("Sid") == "ReadRotation")
    assert rotation["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["WATERMARK"]}}


def test_the_outputs_name_what_operators_need(template):
    assert {
        "WebhookUrl", "WebhookSecretId", "ServiceNowSecretId", "PolicyParameterName", "EventBusArn",
        "SupportEventsTopicArn", "CasePollerRoleArn", "ReconcilerRoleArn", "ChatTopicArn", "HintQueueUrl",
        "HintDeadLetterQueueUrl", "WakeQueueUrl", "WakeDeadLetterQueueUrl", "EventFailureQueueUrl",
        "PollFailureQueueUrl", "TableName",
        "ServicenowWebhookFunctionName", "AwsEventsFunctionName", "CasePollerFunctionName", "ReconcilerFunctionName",
        "CatalogSyncRoleArn", "CatalogSyncFunctionName", "FileQueueUrl", "FileDeadLetterQueueUrl",
        "AttachmentsRoleArn", "AttachmentsFunctionName",
    } <= set(template["Outputs"])  # fmt: skip
