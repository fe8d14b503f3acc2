"""The rules' patterns against documented events: no local AWS takes events of `aws.*` sources."""

import json
import pathlib

import pytest

from event_pattern import matches

EVENTS = {path.stem: json.loads(path.read_text()) for path in (pathlib.Path(__file__).parent / "events").glob("*.json")}
WANTED = sorted(name for name in EVENTS if name.startswith("support-case-update-"))
OTHER = sorted(name for name in EVENTS if not name.startswith("support-case-update-"))


@pytest.fixture(params=["the hub's own", "forwarded to the hub", "a member's"])
def pattern(request, resources, member_template) -> dict:
    rule = {
        "the hub's own": resources["SupportEventsRule"],
        "forwarded to the hub": resources["ForwardedEventsRule"],
        "a member's": member_template["Resources"]["SupportEventsRule"],
    }[request.param]
    return rule["Properties"]["EventPattern"]


def test_there_are_events_of_both_kinds():
    assert len(WANTED) >= 5
    assert OTHER


@pytest.mark.parametrize("name", WANTED)
def test_the_rule_takes_support_case_updates(pattern, name):
    assert matches(pattern, EVENTS[name])


@pytest.mark.parametrize("name", OTHER)
def test_the_rule_leaves_other_events(pattern, name):
    assert not matches(pattern, EVENTS[name])


@pytest.mark.parametrize("name", WANTED)
@pytest.mark.parametrize("field", ["source", "detail-type"])
def test_both_fields_count(pattern, name, field):
    assert not matches(pattern, {**EVENTS[name], field: "other"})
    assert not matches(pattern, {key: value for key, value in EVENTS[name].items() if key != field})


def test_the_matcher_reads_nested_fields_and_prefixes():
    event = {"source": "aws.ssm-incidents", "detail": {"status": "OPEN"}, "resources": ["a", "b"]}
    assert matches({"detail": {"status": ["OPEN", "RESOLVED"]}}, event)
    assert matches({"source": [{"prefix": "aws."}], "resources": ["b"]}, event)
    assert not matches({"detail": {"status": ["RESOLVED"]}}, event)
    assert not matches({"detail": {"missing": ["OPEN"]}}, event)
    with pytest.raises(NotImplementedError):
        matches({"source": [{"suffix": "incidents"}]}, event)
