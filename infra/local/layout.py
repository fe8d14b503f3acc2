"""The local stack's Region, accounts, users and policy. Each start makes new keys and passwords."""

import dataclasses
import secrets
import string

REGION = "us-east-1"
STACK_NAME = "casebridge"
ARTIFACT_BUCKET = "casebridge-artifacts"
# The local AWS takes these keys as those of its account's root user.
AWS_ACCESS_KEY_ID = "test"
AWS_SECRET_ACCESS_KEY = "test"
INTEGRATION_USER = "casebridge.integration"
ACCOUNT_IDS = ("111122223333", "444455556666")
ACCOUNT_SECRET_PREFIX = "casebridge/accounts/"

# Shorter waits than the defaults (docs/policy.md), so that a call in doubt does not take a quarter of an hour.
POLICY = {
    "unknown_outcome_seconds": 20,
    "retry_first_seconds": 1,
    "retry_longest_seconds": 30,
    "refusal_retry_seconds": 60,
    "case_quota_retry_seconds": 60,
}


@dataclasses.dataclass
class Account:
    """An AWS account that has cases, with the keys in its secret."""

    id: str
    name: str
    production: bool
    assignment_group: str
    access_key_id: str
    secret_access_key: str

    @property
    def email(self) -> str:
        """Returns the sender's address of what the account writes."""
        return f"aws+{self.id}@example.com"


@dataclasses.dataclass
class User:
    """A ServiceNow user."""

    user_name: str
    password: str
    first_name: str
    last_name: str
    roles: list[str]


def token(length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    """Returns a random text."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def make_account(id: str, name: str, production: bool, assignment_group: str) -> Account:
    """Returns an account with new keys in the form of AWS's."""
    access_key_id = "AKIA" + token(16, string.ascii_uppercase + "234567")
    return Account(id, name, production, assignment_group, access_key_id, token(40))


def make_accounts() -> list[Account]:
    """Returns two accounts, one of them not for production."""
    payments, sandbox = ACCOUNT_IDS
    return [
        make_account(payments, "Payments", True, "AWS-Payments"),
        make_account(sandbox, "Sandbox", False, "AWS-Sandbox"),
    ]


def make_users() -> dict[str, User]:
    """Returns the users of ServiceNow: people, and the integration user."""
    return {
        "admin": User("admin", token(24), "System", "Administrator", ["admin"]),
        "agent": User("abel.tuter", token(24), "Abel", "Tuter", ["itil", "x_casebridge_aws.user"]),
        # Only the role that the app's documentation names.
        "integration": User(INTEGRATION_USER, token(24), "casebridge", "Integration", ["x_casebridge_aws.integration"]),
        "employee": User("joe.employee", token(24), "Joe", "Employee", []),
    }
