"""Alarms: each is on a metric that exists, tells people, and says what to do.

The functions' own metrics are read from their sources; `tests/e2e/test_alarms.py` makes each of them move. The local
AWS produces no metrics of AWS's own services, so those are held against the names that AWS documents, and nothing more.
"""

import pathlib
import re

import pytest

from expansion import of_type, referenced

ROOT = pathlib.Path(__file__).resolve().parents[3]
METRICS = ROOT / "shared" / "runtime" / "src" / "metrics.rs"
# The policy's default wait after a refusal that only a person can lift: shared/core/src/policy.rs.
REFUSAL_RETRY_SECONDS = 3600
# What CloudWatch keeps of an alarm's description. Source: CloudWatch API, PutMetricAlarm.
DESCRIPTION_LENGTH = 1024
INSTRUCTION = re.compile(
    r"(?:^|[.;:] )(?:If [^,]*, |if [^,]*, )?(?:Look|Correct|Raise|Lower|Store|Compare|compare|raise)\b"
)
# The metrics of AWS's own services that the alarms use, and the one dimension of each with the type of what it names.
# Source: Lambda, "Types of metrics" and "Monitoring Lambda function URLs"; SQS, "Available CloudWatch metrics".
DOCUMENTED = {
    ("AWS/Lambda", "Errors"): ("FunctionName", "AWS::Lambda::Function"),
    ("AWS/Lambda", "Invocations"): ("FunctionName", "AWS::Lambda::Function"),
    ("AWS/Lambda", "Throttles"): ("FunctionName", "AWS::Lambda::Function"),
    ("AWS/Lambda", "Url5xxCount"): ("FunctionName", "AWS::Lambda::Function"),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): ("QueueName", "AWS::SQS::Queue"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): ("QueueName", "AWS::SQS::Queue"),
    ("AWS/SQS", "NumberOfMessagesSent"): ("QueueName", "AWS::SQS::Queue"),
}


@pytest.fixture(scope="session")
def alarms(resources) -> dict:
    return of_type(resources, "AWS::CloudWatch::Alarm")


@pytest.fixture(scope="session")
def metrics_of_lines(resources) -> set[tuple[str, str, str]]:
    """Namespace and name of each metric that counts lines of a log, and the logical id of that log's group."""
    return {
        (metric["MetricNamespace"], metric["MetricName"], referenced(found["LogGroupName"]))
        for found in of_type(resources, "AWS::Logs::MetricFilter").values()
        for metric in found["MetricTransformations"]
    }


def body_of(function: str) -> str:
    """One function of the metrics' source."""
    return re.search(rf"fn {function}\(.*?\n    }}\n", METRICS.read_text(encoding="utf-8"), re.DOTALL)[0]


def emitted_by_functions() -> dict[str, set[str]]:
    """The names of the metrics that each function's sources measure."""
    names = dict(re.findall(r'Self::(\w+) => "(\w+)"', body_of("name")))
    variants_of_failures = set(re.findall(r"=> Self::(\w+)", body_of("of_failure")))
    emitted = {}
    for manifest in ROOT.glob("functions/*/Cargo.toml"):
        code = "\n".join(path.read_text(encoding="utf-8") for path in manifest.parent.glob("src/**/*.rs"))
        variants = set(re.findall(r"Metric::([A-Z]\w+)", code))
        if re.search(r"Metric::of_failure|metrics\.failure\(", code):
            variants |= variants_of_failures
        assert f'Metrics::new("{manifest.parent.name}")' in code, "the dimension is the function's own name"
        emitted[manifest.parent.name] = {names[variant] for variant in variants}
    return emitted


def test_the_alarms_are_these(alarms):
    assert set(alarms) == {
        "HintsParkedAlarm", "HintsParkedLongAlarm", "HintsLateAlarm", "WebhookErrorsAlarm", "WebhookThrottledAlarm",
        "WebhooksRejectedAlarm", "EventsFailedAlarm", "PollerSilentAlarm", "PollerErrorsAlarm", "PollFailuresAlarm",
        "AccountsUnpolledAlarm", "TicksLostAlarm", "SyncLagAlarm", "ThrottlesAlarm", "RefusalsAlarm",
        "PolicyUnreadableAlarm", "ForeignCredentialsAlarm", "ForeignCasesAlarm", "WakesParkedAlarm", "WakesLostAlarm",
        "CatalogErrorsAlarm", "CatalogFailuresAlarm", "FilesParkedAlarm", "FilesLateAlarm",
    }  # fmt: skip


def test_every_alarm_tells_people_what_happened_and_what_to_do(alarms):
    for name, alarm in alarms.items():
        for actions in ("AlarmActions", "OKActions"):
            assert [referenced(action) for action in alarm[actions]] == ["ChatTopic"], name
        assert len(alarm["AlarmDescription"]) <= DESCRIPTION_LENGTH, name
        assert INSTRUCTION.search(alarm["AlarmDescription"]), f"{name} does not say what to do"


def test_what_a_description_names_exists(alarms, template):
    known = {*template["Outputs"], *template["Parameters"]}
    for name, alarm in alarms.items():
        for word in re.findall(r"\b(?:[A-Z][a-z]+){2,}\b", alarm["AlarmDescription"]):
            if word not in ("ServiceNow",):
                assert word in known, f"{name} names {word}, which is no parameter and no output"


def test_alarms_on_our_own_metrics_name_what_that_function_writes(alarms, metrics_of_lines):
    source = METRICS.read_text(encoding="utf-8")
    namespace = re.search(r'NAMESPACE: &str = "(\w+)"', source)[1]
    dimension = re.search(r'DIMENSION: &str = "(\w+)"', source)[1]
    emitted = emitted_by_functions()
    counted = {name for _, name, _ in metrics_of_lines}
    ours = {name: alarm for name, alarm in alarms.items() if not alarm["Namespace"].startswith("AWS/")}
    ours = {name: alarm for name, alarm in ours.items() if alarm["MetricName"] not in counted}
    assert len(ours) >= 7
    for name, alarm in ours.items():
        assert alarm["Namespace"] == namespace, name
        (only,) = alarm["Dimensions"]
        assert only["Name"] == dimension, name
        assert alarm["MetricName"] in emitted[only["Value"]], f"{name}: {only['Value']} writes no such metric"


def test_alarms_on_metrics_of_aws_name_documented_ones_and_a_resource_of_ours(alarms, resources):
    theirs = {name: alarm for name, alarm in alarms.items() if alarm["Namespace"].startswith("AWS/")}
    assert {(alarm["Namespace"], alarm["MetricName"]) for alarm in theirs.values()} == set(DOCUMENTED)
    for name, alarm in theirs.items():
        (only,) = alarm["Dimensions"]
        dimension, kind = DOCUMENTED[alarm["Namespace"], alarm["MetricName"]]
        assert only["Name"] == dimension, name
        assert resources[referenced(only["Value"])]["Type"] == kind, name


def test_statistics_and_thresholds_fit_the_metrics(alarms):
    units = dict(re.findall(r'Self::(\w+) => "(\w+)"', body_of("unit")))
    assert units == {"SyncLag": "Milliseconds", "LongestUnpolledAccount": "Seconds"}
    lag = alarms["SyncLagAlarm"]
    assert (lag["ExtendedStatistic"], lag["Threshold"]) == ("p90", 5 * 60 * 1000)
    assert alarms["AccountsUnpolledAlarm"]["Threshold"] == 60 * 60
    for name, alarm in alarms.items():
        if alarm["MetricName"] not in {*units, "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"}:
            assert alarm["Statistic"] == "Sum", f"{name} is on a count"


def test_a_poller_that_is_not_started_is_told_within_five_minutes(alarms, template):
    alarm = alarms["PollerSilentAlarm"]
    assert referenced(alarm["Dimensions"][0]["Value"]) == "CasePollerFunction"
    assert alarm["TreatMissingData"] == "breaching", "a function that is not started has no data"
    assert (alarm["ComparisonOperator"], alarm["Threshold"], alarm["Period"]) == ("LessThanThreshold", 1, 300)
    condition, default, otherwise = alarm["EvaluationPeriods"]["Fn::If"]
    assert default == 1
    assert template["Conditions"][condition] == {"Fn::Equals": [{"Ref": "PollRate"}, "rate(1 minute)"]}
    assert template["Parameters"]["PollRate"]["Default"] == "rate(1 minute)"
    # Two of the longest poll rate, so that one late tick is no silence.
    longest = max(minutes for minutes in range(1, 1000) if is_poll_rate(template, f"rate({minutes} minutes)"))
    assert alarm["Period"] * otherwise >= 2 * longest * 60


def is_poll_rate(template: dict, text: str) -> bool:
    return re.match(template["Parameters"]["PollRate"]["AllowedPattern"], text) is not None


def test_an_alarm_hears_of_every_line_that_is_written_for_one(resources, alarms, metrics_of_lines):
    sources = [path for folder in ("shared", "functions") for path in (ROOT / folder).glob("*/src/**/*.rs")]
    lines = {name for path in sources for name in re.findall(r'\balarm = "(\w+)"', path.read_text(encoding="utf-8"))}
    assert "foreign_credentials" in lines
    filters = of_type(resources, "AWS::Logs::MetricFilter").values()
    # What a line says is in "fields" of its JSON.
    assert {f'{{ $.fields.alarm = "{name}" }}' for name in lines} == {found["FilterPattern"] for found in filters}
    # A metric of lines has no dimensions: all functions count as one.
    heard = {(alarm["Namespace"], alarm["MetricName"]) for alarm in alarms.values() if not alarm.get("Dimensions")}
    assert {(namespace, name) for namespace, name, _ in metrics_of_lines} == heard


def test_foreign_credentials_are_told_by_every_function_that_reads_the_accounts_secrets(
    resources, alarms, metrics_of_lines
):
    functions = of_type(resources, "AWS::Lambda::Function").values()
    readers = {
        referenced(function["LoggingConfig"]["LogGroup"])
        for function in functions
        if "CASEBRIDGE_ACCOUNT_SECRET_PREFIX" in function["Environment"]["Variables"]
    }
    assert {group for _, name, group in metrics_of_lines if name == "ForeignCredentials"} == readers
    alarm = alarms["ForeignCredentialsAlarm"]
    # One line is enough, and between two of them lies an hour and a little: the alarm stays up meanwhile.
    assert (alarm["Statistic"], alarm["Threshold"], alarm["DatapointsToAlarm"]) == ("Sum", 0, 1)
    assert alarm["Period"] * alarm["EvaluationPeriods"] >= 2 * REFUSAL_RETRY_SECONDS
    assert "casebridge/accounts/" in alarm["AlarmDescription"], "what to do"
