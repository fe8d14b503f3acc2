"""What must hold in the expansion, where a linter sees nothing wrong."""

import json
import pathlib
import re

FUNCTIONS = {"ServicenowWebhookFunction", "AwsEventsFunction", "CasePollerFunction", "ReconcilerFunction"}
VISIBILITY_FACTOR = 6
# The waits between them add up to a quarter of an hour: shared/core/src/hint.rs.
RECEIVES = 7
SHORTEST_POLL_SECONDS = 60
# The policy's default wait after a refusal that only a person can lift: shared/core/src/policy.rs.
REFUSAL_RETRY_SECONDS = 3600
BOTH_SIDES_ENVIRONMENT = {
    "CASEBRIDGE_ACCOUNT_SECRET_PREFIX",
    "CASEBRIDGE_POLICY_PARAMETER",
    "CASEBRIDGE_QUEUE_URL",
    "CASEBRIDGE_SERVICENOW_SECRET_ID",
    "CASEBRIDGE_SERVICENOW_URL",
    "CASEBRIDGE_TABLE_NAME",
}
ENVIRONMENT = {
    "ServicenowWebhookFunction": {"CASEBRIDGE_QUEUE_URL", "CASEBRIDGE_WEBHOOK_SECRET_ID"},
    "AwsEventsFunction": {"CASEBRIDGE_QUEUE_URL", "CASEBRIDGE_TABLE_NAME"},
    "CasePollerFunction": BOTH_SIDES_ENVIRONMENT,
    "ReconcilerFunction": BOTH_SIDES_ENVIRONMENT,
}
# Actions that AWS authorises for all resources or not at all.
ACTIONS_WITHOUT_RESOURCE = {"secretsmanager:ListSecrets"}


ROOT = pathlib.Path(__file__).resolve().parents[3]
METRICS = ROOT / "shared" / "runtime" / "src" / "metrics.rs"


def of_type(resources: dict, kind: str) -> dict:
    return {name: body["Properties"] for name, body in resources.items() if body["Type"] == kind}


def as_list(value) -> list:
    return value if isinstance(value, list) else [value]


def referenced(value) -> str | None:
    """The logical id that a Ref or GetAtt points to."""
    if not isinstance(value, dict):
        return None
    if "Ref" in value:
        return value["Ref"]
    attribute = value.get("Fn::GetAtt")
    return as_list(attribute)[0].split(".")[0] if attribute else None


def policy_documents(value):
    """Every policy document below `value`, wherever a resource keeps it."""
    if isinstance(value, dict):
        if "Statement" in value:
            yield value
        for inner in value.values():
            yield from policy_documents(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from policy_documents(inner)


def statements(value):
    """Every statement below `value`, those inside a condition included."""
    for document in policy_documents(value):
        for statement in as_list(document["Statement"]):
            if "Fn::If" in statement:
                yield from (branch for branch in statement["Fn::If"][1:] if "Effect" in branch)
            else:
                yield statement


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


def test_the_functions_are_the_four_of_the_hub(resources):
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


def test_a_public_principal_is_held_by_a_condition(resources):
    for name, resource in resources.items():
        for statement in statements(resource):
            principal = statement.get("Principal")
            if principal == "*" or (isinstance(principal, dict) and principal.get("AWS") == "*"):
                keys = {key for test in statement["Condition"].values() for key in test}
                assert keys & {"aws:PrincipalOrgID", "aws:PrincipalAccount"}, f"{name}: {statement['Sid']}"
                assert "aws:PrincipalArn" in keys, f"{name}: {statement['Sid']}"


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


def test_the_public_function_can_be_bounded(resources):
    reserved = resources["ServicenowWebhookFunction"]["Properties"]["ReservedConcurrentExecutions"]
    assert reserved["Fn::If"][1] == {"Ref": "WebhookReservedConcurrency"}


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
        assert "MaximumBatchingWindowInSeconds" not in mapping, f"{name}: a FIFO queue has no batch window"


def test_hints_are_ordered_by_group_and_deduplicated_by_event(resources):
    queue = resources["HintQueue"]["Properties"]
    assert queue["FifoQueue"] is True
    assert queue["ContentBasedDeduplication"] is False


def test_asynchronous_functions_keep_what_failed(resources):
    configured = {
        referenced(config["FunctionName"]): referenced(config["DestinationConfig"]["OnFailure"]["Destination"])
        for config in of_type(resources, "AWS::Lambda::EventInvokeConfig").values()
    }
    assert configured == {"AwsEventsFunction": "EventFailureQueue", "CasePollerFunction": "PollFailureQueue"}
    for function, queue in configured.items():
        role = resources[referenced(resources[function]["Properties"]["Role"])]
        granted = [s for s in statements(role) if s["Action"] == "sqs:SendMessage"]
        assert any(queue == referenced(r) for s in granted for r in as_list(s["Resource"])), function


def test_the_subscription_and_the_rule_keep_what_failed(resources):
    (subscription,) = of_type(resources, "AWS::SNS::Subscription").values()
    assert referenced(subscription["RedrivePolicy"]["deadLetterTargetArn"]) == "EventFailureQueue"
    (target,) = resources["SupportEventsRule"]["Properties"]["Targets"]
    assert referenced(target["Arn"]) == "SupportEventsTopic"
    assert referenced(target["DeadLetterConfig"]["Arn"]) == "EventFailureQueue"
    senders = {s["Principal"]["Service"] for s in statements(resources["EventFailureQueuePolicy"])}
    assert senders == {"sns.amazonaws.com", "events.amazonaws.com"}


def test_the_rule_exists_only_where_support_emits_events(template):
    assert template["Resources"]["SupportEventsRule"]["Condition"] == "EmitsSupportEvents"
    assert template["Conditions"]["EmitsSupportEvents"] == {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}


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


def test_what_can_not_be_made_again_outlives_the_stack(resources):
    for name in ["LedgerTable", "WebhookSecret", "ServiceNowSecret"]:
        assert resources[name]["DeletionPolicy"] == "Retain", name
        assert resources[name]["UpdateReplacePolicy"] == "Retain", name


def test_topics_are_encrypted_under_a_key_that_their_publishers_may_use(resources):
    key = resources["TopicKey"]["Properties"]
    assert key["EnableKeyRotation"] is True
    for name, topic in of_type(resources, "AWS::SNS::Topic").items():
        assert referenced(topic["KmsMasterKeyId"]) == "TopicKey", name
    publishers = {s["Sid"]: s for s in statements(key["KeyPolicy"])}
    assert set(publishers["PublishingServices"]["Principal"]["Service"]) == {
        "events.amazonaws.com",
        "cloudwatch.amazonaws.com",
    }
    topic_policy = {s["Sid"] for s in statements(resources["SupportEventsTopicPolicy"])}
    assert topic_policy == {"HubAccountRules", "MemberAccounts", "Organization"}
    assert {"MemberAccounts", "Organization"} <= set(publishers)


def test_the_webhook_secret_is_base64_text_of_a_strong_key(resources):
    generated = resources["WebhookSecret"]["Properties"]["GenerateSecretString"]
    assert generated["PasswordLength"] % 4 == 0, "base64 comes in groups of four"
    assert generated["PasswordLength"] * 3 // 4 >= 24, "Standard Webhooks asks for 24 bytes at least"
    assert generated["IncludeSpace"] is False
    punctuation = {chr(code) for code in range(33, 127) if not chr(code).isalnum()}
    assert punctuation <= set(generated["ExcludeCharacters"])


def test_the_poller_runs_on_time_and_never_twice_at_once(template):
    resources = template["Resources"]
    (schedule,) = of_type(resources, "AWS::Scheduler::Schedule").values()
    assert schedule["ScheduleExpression"] == {"Ref": "PollRate"}
    assert template["Parameters"]["PollRate"]["Default"] == "rate(1 minute)"
    assert referenced(schedule["Target"]["DeadLetterConfig"]["Arn"]) == "PollFailureQueue"
    assert resources["CasePollerFunction"]["Properties"]["Timeout"] < SHORTEST_POLL_SECONDS


def test_a_poll_rate_is_grammatical(template):
    pattern = re.compile(template["Parameters"]["PollRate"]["AllowedPattern"])
    for accepted in ["rate(1 minute)", "rate(5 minutes)", "rate(15 minutes)"]:
        assert pattern.match(accepted), accepted
    for refused in ["rate(5 minute)", "rate(1 minutes)", "rate(0 minutes)", "rate(1 hour)", "cron(0 * * * ? *)"]:
        assert not pattern.match(refused), refused


def test_every_alarm_tells_people(resources):
    alarms = of_type(resources, "AWS::CloudWatch::Alarm")
    assert {"HintsParkedAlarm", "EventsFailedAlarm", "WebhookErrorsAlarm"} <= set(alarms)
    for name, alarm in alarms.items():
        assert [referenced(action) for action in alarm["AlarmActions"]] == ["ChatTopic"], name
        assert alarm["AlarmDescription"], name


def test_alarms_on_our_own_metrics_name_what_the_functions_write(resources):
    source = METRICS.read_text(encoding="utf-8")
    namespace = re.search(r'NAMESPACE: &str = "(\w+)"', source)[1]
    dimension = re.search(r'DIMENSION: &str = "(\w+)"', source)[1]
    written = set(re.findall(r'Self::\w+ => "(\w+)"', source))
    alarms = of_type(resources, "AWS::CloudWatch::Alarm").values()
    counted = {name for _, name, _ in metrics_of_lines(resources)}
    ours = [alarm for alarm in alarms if not alarm["Namespace"].startswith("AWS/")]
    ours = [alarm for alarm in ours if alarm["MetricName"] not in counted]
    assert "LongestUnpolledAccount" in {alarm["MetricName"] for alarm in ours}
    functions = {path.parent.name for path in ROOT.glob("functions/*/Cargo.toml")}
    for alarm in ours:
        assert alarm["Namespace"] == namespace, alarm["MetricName"]
        assert alarm["MetricName"] in written
        (only,) = alarm["Dimensions"]
        assert only["Name"] == dimension
        assert only["Value"] in functions, alarm["MetricName"]


def metrics_of_lines(resources: dict) -> set[tuple[str, str, str]]:
    """Namespace and name of each metric that counts lines of a log, and the logical id of that log's group."""
    return {
        (metric["MetricNamespace"], metric["MetricName"], referenced(found["LogGroupName"]))
        for found in of_type(resources, "AWS::Logs::MetricFilter").values()
        for metric in found["MetricTransformations"]
    }


def test_an_alarm_hears_of_every_line_that_is_written_for_one(resources):
    sources = [path for folder in ("shared", "functions") for path in (ROOT / folder).glob("*/src/**/*.rs")]
    lines = {name for path in sources for name in re.findall(r'\balarm = "(\w+)"', path.read_text(encoding="utf-8"))}
    assert "foreign_credentials" in lines
    filters = of_type(resources, "AWS::Logs::MetricFilter").values()
    # What a line says is in "fields" of its JSON.
    assert {f'{{ $.fields.alarm = "{name}" }}' for name in lines} == {found["FilterPattern"] for found in filters}
    alarms = of_type(resources, "AWS::CloudWatch::Alarm").values()
    # A metric of lines has no dimensions: all functions count as one.
    heard = {(alarm["Namespace"], alarm["MetricName"]) for alarm in alarms if not alarm.get("Dimensions")}
    assert {(namespace, name) for namespace, name, _ in metrics_of_lines(resources)} == heard


def test_foreign_credentials_are_told_by_every_function_that_reads_the_accounts_secrets(resources):
    functions = of_type(resources, "AWS::Lambda::Function").values()
    readers = {
        referenced(function["LoggingConfig"]["LogGroup"])
        for function in functions
        if "CASEBRIDGE_ACCOUNT_SECRET_PREFIX" in function["Environment"]["Variables"]
    }
    assert {group for _, name, group in metrics_of_lines(resources) if name == "ForeignCredentials"} == readers
    alarm = resources["ForeignCredentialsAlarm"]["Properties"]
    # One line is enough, and between two of them lies an hour and a little: the alarm stays up meanwhile.
    assert (alarm["Statistic"], alarm["Threshold"], alarm["DatapointsToAlarm"]) == ("Sum", 0, 1)
    assert alarm["Period"] * alarm["EvaluationPeriods"] >= 2 * REFUSAL_RETRY_SECONDS
    assert "casebridge/accounts/" in alarm["AlarmDescription"], "what to do"


def test_roles_may_do_to_the_ledger_what_their_function_does(resources):
    def granted(role: str) -> set[str]:
        tables = [s for s in statements(resources[role]) if as_list(s["Action"])[0].startswith("dynamodb:")]
        on_table = [s for s in tables if any(referenced(r) == "LedgerTable" for r in as_list(s["Resource"]))]
        return {action.removeprefix("dynamodb:") for s in on_table for action in as_list(s["Action"])}

    # Reads pages, counts and watermarks; claims what is due; moves watermarks.
    assert granted("CasePollerRole") == {"BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem"}
    # Leases, states and the rows beside them; looks for the first that waits for a quota.
    assert granted("ReconcilerRole") == {"DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"}
    assert granted("AwsEventsRole") == {"GetItem"}


def test_the_outputs_name_what_operators_need(template):
    assert {
        "WebhookUrl", "WebhookSecretId", "ServiceNowSecretId", "PolicyParameterName", "SupportEventsTopicArn",
        "ChatTopicArn", "HintQueueUrl", "HintDeadLetterQueueUrl", "EventFailureQueueUrl", "TableName",
        "ServicenowWebhookFunctionName", "AwsEventsFunctionName", "CasePollerFunctionName", "ReconcilerFunctionName",
    } <= set(template["Outputs"])  # fmt: skip
