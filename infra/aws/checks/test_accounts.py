"""What the hub and the member accounts may do to each other: events come in over a bus, the hub's roles go out."""

import pytest

from expansion import as_list, of_type, referenced, statements

EVERY_EVENT = {"source": ["aws.support"], "detail-type": ["Support Case Update"]}
RULES = {"ForwardedEventsRule", "SupportEventsRule"}
CALLERS_OF_SUPPORT = {"CasePollerRole", "ReconcilerRole", "CatalogSyncRole", "AttachmentsRole"}
# What the calls of the client of AWS Support need: shared/aws/src. An action has the name of its call, except for large
# files. Source: AWS Support User Guide, "Required permissions for large attachments".
SUPPORT_ACTIONS = {
    "support:AddAttachmentsToSet",
    "support:AddCommunicationToCase",
    "support:CreateCase",
    "support:DescribeAttachment",
    "support:DescribeCases",
    "support:DescribeCommunications",
    "support:DescribeServices",
    "support:DescribeSeverityLevels",
    "support:DownloadAttachment",
    "support:ResolveCase",
    "support:UploadAttachment",
}
# The longest value of a parameter, and the longest policies of a role and of an event bus, in characters. Source:
# CloudFormation, IAM and EventBridge quotas.
PARAMETER_LENGTH = 4096
POLICY_LENGTH = 10_240


@pytest.fixture
def member(member_template) -> dict:
    return member_template["Resources"]


# ---- Events come in -------------------------------------------------------------------------------------------------


def test_only_the_rules_of_the_hub_publish_events_to_the_topic(resources):
    (statement,) = statements(resources["SupportEventsTopicPolicy"])
    assert statement["Effect"] == "Allow"
    assert referenced(statement["Principal"]["AWS"]) == "EventRulesRole"
    assert statement["Action"] == "sns:Publish"
    # EventBridge is no principal here: a topic's policy can't hold it to rules of this account by a condition.
    assert "Condition" not in statement
    publishing = {name for name, role in of_type(resources, "AWS::IAM::Role").items()
                  if any("sns:Publish" in as_list(s["Action"]) for s in statements(role["Policies"]))}  # fmt: skip
    assert publishing == {"EventRulesRole"}


def test_the_role_of_the_rules_is_for_rules_of_this_account(resources):
    role = resources["EventRulesRole"]["Properties"]
    (trust,) = statements(role["AssumeRolePolicyDocument"])
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    publish, encrypt = statements(role["Policies"])
    assert referenced(publish["Resource"]) == "SupportEventsTopic"
    assert referenced(encrypt["Resource"]) == "TopicKey"
    assert encrypt["Condition"] == {"StringEquals": {"kms:ViaService": {"Fn::Sub": "sns.${AWS::Region}.amazonaws.com"}}}


def test_every_rule_hands_support_events_to_the_topic_and_keeps_what_failed(resources):
    rules = of_type(resources, "AWS::Events::Rule")
    assert set(rules) == RULES
    for name, rule in rules.items():
        assert rule["EventPattern"] == EVERY_EVENT, name
        (target,) = rule["Targets"]
        assert referenced(target["Arn"]) == "SupportEventsTopic", name
        assert referenced(target["RoleArn"]) == "EventRulesRole", name
        assert referenced(target["DeadLetterConfig"]["Arn"]) == "EventFailureQueue", name
        # What comes over a bus is believed as it is: an input of the rule's own could tell another account.
        assert not {"Input", "InputPath", "InputTransformer"} & set(target), name
    (undelivered,) = [s for s in statements(resources["EventFailureQueuePolicy"]) if s["Sid"] == "UndeliveredByRules"]
    forwarded, own = undelivered["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert {referenced(forwarded), referenced(own["Fn::If"][1])} == RULES


def test_the_rule_for_the_hubs_own_events_exists_only_where_support_emits_them(template):
    rules = template["Resources"]
    assert rules["SupportEventsRule"]["Condition"] == "EmitsSupportEvents"
    assert "EventBusName" not in rules["SupportEventsRule"]["Properties"]
    assert template["Conditions"]["EmitsSupportEvents"] == {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}
    assert "Condition" not in rules["ForwardedEventsRule"]
    assert referenced(rules["ForwardedEventsRule"]["Properties"]["EventBusName"]) == "HubEventBus"


def test_the_bus_takes_events_of_the_members_and_nothing_else(resources):
    bus = resources["HubEventBus"]["Properties"]
    accounts, organisation = statements(bus["Policy"])
    for statement in (accounts, organisation):
        assert statement["Action"] == "events:PutEvents"
        assert statement["Resource"]["Fn::Sub"].endswith(f":event-bus/{bus['Name']}")
    assert accounts["Principal"] == {"AWS": {"Ref": "MemberAccountIds"}}
    assert organisation["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": {"Ref": "OrganizationId"}}}


def test_as_many_accounts_as_fit_into_the_parameter_fit_into_the_policies():
    accounts = (PARAMETER_LENGTH + 1) // len("111122223333,")
    assert accounts == 315, "the parameter's description tells this number"
    # Half of a policy is room enough for what else it says.
    assert accounts * len('"111122223333",') < POLICY_LENGTH / 2


# ---- The hub goes out -----------------------------------------------------------------------------------------------


def test_the_hub_assumes_the_role_of_members_alone(resources):
    assuming = {
        name: statement
        for name, body in resources.items()
        for statement in statements(body.get("Properties", {}).get("PolicyDocument", {}))
        if "sts:AssumeRole" in as_list(statement["Action"])
    }
    assert set(assuming) == {"MemberRolesPolicy"}
    policy = resources["MemberRolesPolicy"]
    assert {referenced(role) for role in policy["Properties"]["Roles"]} == CALLERS_OF_SUPPORT
    assert policy["Condition"] == "HasMembers"
    conditions = []
    for statement in statements(policy):
        assert statement["Resource"] == {"Fn::Sub": "arn:${AWS::Partition}:iam::*:role/${MemberRoleName}"}
        conditions.append(statement["Condition"]["StringEquals"])
    assert conditions == [
        {"aws:ResourceAccount": {"Ref": "MemberAccountIds"}},
        {"aws:ResourceOrgID": {"Ref": "OrganizationId"}},
    ]
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        for statement in statements(role.get("Policies", [])):
            assert "sts:AssumeRole" not in as_list(statement["Action"]), name


def test_a_member_lets_the_hubs_four_roles_in_with_an_external_id(member, member_template):
    (trust,) = statements(member["MemberRole"]["Properties"]["AssumeRolePolicyDocument"])
    assert trust["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${HubAccountId}:root"}}
    assert trust["Condition"] == {
        "StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}},
        "ArnEquals": {
            "aws:PrincipalArn": [
                {"Ref": "CasePollerRoleArn"},
                {"Ref": "ReconcilerRoleArn"},
                {"Ref": "CatalogSyncRoleArn"},
                {"Ref": "AttachmentsRoleArn"},
            ]
        },
    }
    external_id = member_template["Parameters"]["ExternalId"]
    assert external_id["NoEcho"] is True
    assert "Default" not in external_id, "an external id that all know keeps nobody out"
    assert external_id["MinLength"] >= 16


def test_a_member_grants_the_calls_that_are_made_and_no_others(member):
    (granted,) = statements(member["MemberRole"]["Properties"]["Policies"])
    assert set(granted["Action"]) == SUPPORT_ACTIONS
    assert "ManagedPolicyArns" not in member["MemberRole"]["Properties"]


def test_a_member_forwards_every_event_unchanged_to_the_hubs_bus(member, member_template):
    rule = member["SupportEventsRule"]
    assert rule["Properties"]["EventPattern"] == EVERY_EVENT
    (target,) = rule["Properties"]["Targets"]
    assert target == {
        "Id": "casebridge-hub",
        "Arn": {"Ref": "HubEventBusArn"},
        "RoleArn": {"Fn::GetAtt": ["EventForwardingRole", "Arn"]},
    }
    role = member["EventForwardingRole"]["Properties"]
    (forward,) = statements(role["Policies"])
    assert (forward["Action"], forward["Resource"]) == ("events:PutEvents", {"Ref": "HubEventBusArn"})
    (trust,) = statements(role["AssumeRolePolicyDocument"])
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    for name in ("SupportEventsRule", "EventForwardingRole"):
        assert member[name]["Condition"] == "EmitsSupportEvents", name
    assert member_template["Conditions"]["EmitsSupportEvents"] == {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}


def test_the_hub_and_its_members_mean_the_same_role(template, member_template):
    for which in ("Default", "AllowedPattern"):
        hub, member = (t["Parameters"]["MemberRoleName"][which] for t in (template, member_template))
        assert hub == member, which
    # The member template asks for what the hub tells.
    for parameter, output in [
        ("HubEventBusArn", "EventBusArn"),
        ("CasePollerRoleArn", "CasePollerRoleArn"),
        ("ReconcilerRoleArn", "ReconcilerRoleArn"),
        ("CatalogSyncRoleArn", "CatalogSyncRoleArn"),
        ("AttachmentsRoleArn", "AttachmentsRoleArn"),
    ]:
        assert output in template["Outputs"]
        assert output in member_template["Parameters"][parameter]["Description"]
