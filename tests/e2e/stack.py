"""The running local stack, reached with independent clients: PySNC for ServiceNow, boto3 for AWS."""

import functools
import json
import os
import pathlib
import time

import boto3
import botocore.config
import pysnc
import requests

# The variable CASEBRIDGE_STACK names another stack than the one of `make up`.
STACK_FILE = pathlib.Path(
    os.environ.get("CASEBRIDGE_STACK", pathlib.Path(__file__).resolve().parents[2] / ".local" / "stack.json")
)
# The local AWS takes these keys as those of its account's root user.
HUB_KEYS = ("test", "test")
# Longer than one run of the outbox's job, which blocks all other requests to the instance while webhooks are slow.
REQUEST_SECONDS = 60
# How long a webhook is sent again if the function could not take it.
WEBHOOK_SECONDS = 60
# The secret with the integration user's keys.
SERVICENOW_SECRET = "casebridge/servicenow"


class Stack:
    """The stack that .local/stack.json describes."""

    def __init__(self, description: dict):
        self.description = description
        self.accounts = description["accounts"]
        # PySNC accepts https only and reads the usual variables for the authority and the proxies.
        os.environ["REQUESTS_CA_BUNDLE"] = description["servicenow"]["ca_file"]
        os.environ["NO_PROXY"] = "127.0.0.1,localhost"
        self.web = requests.Session()
        self.web.trust_env = False

    @classmethod
    def running(cls) -> "Stack":
        """Returns the stack that `make up` started."""
        if not STACK_FILE.exists():
            raise RuntimeError(f"{STACK_FILE} does not exist: start the stack with `make up`.")
        return cls(json.loads(STACK_FILE.read_text()))

    @property
    def production(self) -> dict:
        """Returns the production account."""
        return next(account for account in self.accounts if account["production"])

    @property
    def sandbox(self) -> dict:
        """Returns the account that is not production: its cases are marked as tests."""
        return next(account for account in self.accounts if not account["production"])

    @functools.cached_property
    def agent(self) -> pysnc.ServiceNowClient:
        """Returns a client of ServiceNow as an agent."""
        return self.servicenow("agent")

    @functools.cached_property
    def admin(self) -> pysnc.ServiceNowClient:
        """Returns a client of ServiceNow as its administrator, who sees journals and properties, too."""
        return self.servicenow("admin")

    @functools.cached_property
    def employee(self) -> pysnc.ServiceNowClient:
        """Returns a client of ServiceNow as a user without any role."""
        return self.servicenow("employee")

    @functools.cached_property
    def integration(self) -> pysnc.ServiceNowClient:
        """Returns a client of ServiceNow as the integration user, with the credentials that AWS keeps for it."""
        keys = json.loads(self.hub("secretsmanager").get_secret_value(SecretId=SERVICENOW_SECRET)["SecretString"])
        flow = pysnc.ServiceNowClientCredentialsFlow(keys["client_id"], keys["client_secret"])
        return pysnc.ServiceNowClient(self.description["servicenow"]["https_url"], flow, auto_retry=False)

    def servicenow(self, login: str) -> pysnc.ServiceNowClient:
        """Returns a client of ServiceNow as one of its users."""
        servicenow = self.description["servicenow"]
        user = servicenow[login]
        # The test must see a failed call, so the client must not repeat it.
        return pysnc.ServiceNowClient(
            servicenow["https_url"], (user["username"], user["password"]), auto_retry=False
        )  # fmt: skip

    @functools.cache  # noqa: B019 - one stack lives as long as the tests
    def support(self, account_id: str):
        """Returns a client of AWS Support with the keys of an account, for its people."""
        account = next(account for account in self.accounts if account["id"] == account_id)
        return boto3.client(
            "support",
            endpoint_url=self.description["support"]["endpoint"],
            region_name=self.description["aws"]["region"],
            aws_access_key_id=account["access_key_id"],
            aws_secret_access_key=account["secret_access_key"],
            config=botocore.config.Config(retries={"max_attempts": 10, "mode": "adaptive"}, proxies={}),
        )

    @functools.cache  # noqa: B019 - one stack lives as long as the tests
    def hub(self, service: str):
        """Returns a client of a service in the hub."""
        return boto3.client(
            service,
            endpoint_url=self.description["aws"]["endpoint"],
            region_name=self.description["aws"]["region"],
            aws_access_key_id=HUB_KEYS[0],
            aws_secret_access_key=HUB_KEYS[1],
            config=botocore.config.Config(retries={"max_attempts": 3}, read_timeout=90, proxies={}),
        )

    @functools.cached_property
    def iam_enforced(self) -> bool:
        """Whether the local AWS refuses what the functions' roles don't grant."""
        health = self.web.get(self.description["aws"]["endpoint"] + "/_ministack/health", timeout=REQUEST_SECONDS)
        return health.json()["auth"] == "enabled"

    def webhook(self, body: bytes, headers: dict[str, str], method: str = "POST") -> requests.Response:
        """Sends a webhook. Sends it again, as the outbox does, while the function can't take it now."""
        webhook = self.description["webhook"]
        began = time.monotonic()
        while True:
            answer = self.web.request(
                method, webhook["url"], data=body, headers={**webhook["headers"], **headers}, timeout=REQUEST_SECONDS
            )
            if answer.status_code < 500 or time.monotonic() - began > WEBHOOK_SECONDS:
                return answer
            time.sleep(1)

    def control(self, method: str, path: str, body: dict | None = None) -> dict:
        """Calls the simulator's control API: the people at AWS, faults, counts, and the full state of AWS Support."""
        url = self.description["control"]["url"] + path
        answer = self.web.request(method, url, json=body, timeout=REQUEST_SECONDS)
        assert answer.ok, f"{method} {url} answered {answer.status_code}: {answer.text}"
        return answer.json()
