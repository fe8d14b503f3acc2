"""AWS's own clients use every operation of the simulated AWS Support that is not Trusted Advisor's.

The AWS CLI calls each of the operations, for real and as a dry run; boto3 uploads and downloads a large file in parts.
The account is one that casebridge does not know, so that its cases stay alone.
"""

import base64
import dataclasses
import hashlib
import json
import os
import pathlib
import random
import secrets
import shutil
import subprocess
import sys
import time

import boto3
import botocore
import botocore.config
import pytest
import requests

from stack import Stack

CLI = pathlib.Path(sys.executable).with_name("aws")
CLI_SECONDS = 120
# Longer than the simulator's scan.
SCAN_SECONDS = 30
SERVICE = ["--service-code", "amazon-elastic-compute-cloud-linux", "--category-code", "instance-issue"]
SUBJECT = "TEST CASE--Please ignore"
# More than DescribeAttachment returns, and a part of the simulator's size and a smaller one.
LARGE_FILE_BYTES = 8 * 1024 * 1024 + 12345


@dataclasses.dataclass
class Customer:
    """The people of an AWS account who use AWS's own clients."""

    stack: Stack
    account: str
    access_key_id: str
    models: pathlib.Path

    @property
    def endpoint(self) -> str:
        """Returns the address of the simulated AWS Support."""
        return self.stack.description["support"]["endpoint"]

    def run(self, operation: str, *arguments: str) -> subprocess.CompletedProcess:
        """Runs one command of the AWS CLI."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.models),
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
            # The CLI's own model of the service is older than boto3's.
            "AWS_DATA_PATH": str(self.models),
        }
        command = [str(CLI), "support", operation, "--endpoint-url", self.endpoint, "--output", "json", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=CLI_SECONDS)

    def cli(self, operation: str, *arguments: str) -> dict:
        """Runs one command that has to succeed, and then its dry run. Returns the answer of the former."""
        dry = self.run(operation, *arguments, "--dry-run")
        assert "DryRunOperationException" in dry.stderr, dry.stderr
        done = self.run(operation, *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refused(self, operation: str, *arguments: str) -> str:
        """Runs one command that has to fail. Returns its message."""
        done = self.run(operation, *arguments)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def boto3(self):
        """Returns a client of AWS Support."""
        return boto3.client(
            "support",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key="secret",
            config=botocore.config.Config(retries={"max_attempts": 1}, proxies={}),
        )

    def web(self) -> requests.Session:
        """Returns a client for presigned links. They have https only."""
        session = requests.Session()
        session.trust_env = False
        session.verify = self.stack.description["servicenow"]["ca_file"]
        return session


@pytest.fixture
def customer(stack: Stack, tmp_path: pathlib.Path) -> Customer:
    """Returns the people of a new account."""
    models = tmp_path / "models"
    shutil.copytree(pathlib.Path(botocore.__file__).parent / "data" / "support", models / "support")
    account, key = str(6 * 10**11 + secrets.randbelow(10**11)), "AKIA" + secrets.token_hex(8).upper()
    stack.control("POST", "/support/accounts", {"id": account, "access_key_id": key, "email": "owner@example.com"})
    return Customer(stack, account, key, models)


def text_file(name: str, text: str) -> str:
    """Returns one attachment as the CLI takes it."""
    return json.dumps([{"fileName": name, "data": text}])


def until_ready(status, seconds: float = SCAN_SECONDS) -> None:
    """Waits until the status of an upload is final. It has to be ready."""
    deadline = time.monotonic() + seconds
    while (seen := status()) == "attachment-not-ready" and time.monotonic() < deadline:
        time.sleep(0.5)
    assert seen == "attachment-ready"


def test_the_cli_reads_what_a_case_can_be_about(customer: Customer):
    services = customer.cli("describe-services", "--service-code-list", SERVICE[1])["services"]
    assert [service["code"] for service in services] == [SERVICE[1]]
    assert SERVICE[3] in [category["code"] for category in services[0]["categories"]]
    levels = customer.cli("describe-severity-levels")["severityLevels"]
    assert [level["code"] for level in levels] == ["low", "normal", "high", "urgent", "critical"]
    about = ["--issue-type", "technical", *SERVICE]
    options = customer.cli("describe-create-case-options", "--language", "en", *about)
    assert options["languageAvailability"] == "available"
    assert {way["type"] for way in options["communicationTypes"]} == {"web", "chat", "call"}
    languages = customer.cli("describe-supported-languages", *about)["supportedLanguages"]
    assert {"code": "ja", "language": "JAPANESE", "display": "JAPANESE"} in languages

    change = {"services": [{"code": SERVICE[1], "languages": ["en"]}], "severities": ["low"]}
    customer.stack.control("POST", f"/support/accounts/{customer.account}/catalogue", change)
    languages = customer.cli("describe-supported-languages", *about)["supportedLanguages"]
    assert [language["code"] for language in languages] == ["en"]
    new = ["--subject", SUBJECT, "--communication-body", "Hello.", *SERVICE]
    assert "severity" in customer.refused("create-case", *new, "--severity-code", "high")
    assert "language" in customer.refused("create-case", *new, "--language", "fr")
    assert "service" in customer.refused("create-case", *new[:4], "--service-code", "nothing")


def test_the_cli_leads_a_conversation_with_small_files(customer: Customer):
    added = customer.cli("add-attachments-to-set", "--attachments", text_file("kernel.log", "panic"))
    body = ["--subject", SUBJECT, "--communication-body", "It does not answer.", *SERVICE]
    copies = ["--cc-email-addresses", "ops@example.com"]
    case_id = customer.cli("create-case", *body, *copies, "--attachment-set-id", added["attachmentSetId"])["caseId"]
    more = customer.cli("add-attachments-to-set", "--attachments", text_file("disk.txt", "full"))
    reply = ["--case-id", case_id, "--communication-body", "And the disk is full."]
    answer = customer.cli("add-communication-to-case", *reply, "--attachment-set-id", more["attachmentSetId"])
    assert answer == {"result": True}
    customer.stack.control(
        "POST", f"/support/cases/{case_id}/communications",
        {"body": "Try this.", "attachments": [{"fileName": "fix.txt", "data": base64.b64encode(b"reboot").decode()}]},
    )  # fmt: skip

    (case,) = customer.cli("describe-cases", "--case-id-list", case_id)["cases"]
    assert case["ccEmailAddresses"] == ["ops@example.com"]
    shown = customer.cli("describe-communications", "--case-id", case_id)["communications"]
    names = [[attachment["fileName"] for attachment in each["attachmentSet"]] for each in shown]
    assert names == [["fix.txt"], ["disk.txt"], ["kernel.log"]]
    assert [each["attachments"] for each in shown] == [each["attachmentSet"] for each in shown]
    attachment = shown[0]["attachmentSet"][0]["attachmentId"]
    read = customer.cli("describe-attachment", "--attachment-id", attachment)["attachment"]
    assert (read["fileName"], base64.b64decode(read["data"])) == ("fix.txt", b"reboot")
    link = customer.cli("get-attachment-download-link", "--attachment-id", attachment)
    assert customer.web().get(link["downloadUrl"]["url"], timeout=CLI_SECONDS).content == b"reboot"
    assert "AttachmentIdNotFound" in customer.refused("describe-attachment", "--attachment-id", "attachment-1")

    customer.stack.control("POST", f"/support/cases/{case_id}/severity", {"severityCode": "urgent"})
    (case,) = customer.cli("describe-cases", "--case-id-list", case_id)["cases"]
    assert case["severityCode"] == "urgent"
    assert customer.cli("resolve-case", "--case-id", case_id)["finalCaseStatus"] == "resolved"


def test_the_cli_uploads_a_file_in_parts(customer: Customer):
    content = b"x" * 1000
    begin = ["--file-name", "core.dump", "--file-size-bytes", str(len(content))]
    links = customer.cli("get-attachment-upload-links", *begin)
    assert (links["totalParts"], "nextIndex" in links) == (1, False)
    put = customer.web().put(links["uploadUrls"][0]["url"], data=content, timeout=CLI_SECONDS)
    assert put.ok, put.text
    upload = ["--upload-id", links["uploadId"]]
    parts = json.dumps([{"partIndex": 1, "eTag": put.headers["ETag"]}])
    customer.cli("complete-attachment-upload", *upload, "--completed-uploads", parts)
    until_ready(lambda: customer.cli("describe-attachment-upload-status", *upload)["uploadStatus"])
    new = ["--subject", SUBJECT, "--communication-body", "See the dump.", "--upload-ids", links["uploadId"]]
    case_id = customer.cli("create-case", *new)["caseId"]
    assert "InvalidParameterValueException" in customer.refused("create-case", *new)
    cases = customer.stack.control("GET", "/support/cases")["cases"]
    (case,) = [case for case in cases if case["caseId"] == case_id]
    (attachment,) = case["communications"][0]["attachments"]
    assert (attachment["fileName"], attachment["size"]) == ("core.dump", len(content))
    assert attachment["sha256"] == hashlib.sha256(content).hexdigest()


def test_boto3_uploads_and_downloads_a_large_file(customer: Customer):
    support, web = customer.boto3(), customer.web()
    content = random.Random(customer.account).randbytes(LARGE_FILE_BYTES)
    name = f"heap-{customer.account}.dump"
    completed, begun = [], support.get_attachment_upload_links(fileName=name, fileSizeBytes=len(content))
    links = begun
    # The first PUT takes effect and its answer is lost. The part is uploaded again.
    fault = {"target": "support", "operation": "UploadPart", "containing": name, "kind": "apply_then_drop"}
    customer.stack.control("POST", "/faults", fault)
    with pytest.raises(requests.ConnectionError):
        web.put(links["uploadUrls"][0]["url"], data=b"", timeout=CLI_SECONDS)
    while True:
        for link in links["uploadUrls"]:
            start = (link["partIndex"] - 1) * begun["partSizeBytes"]
            part = content[start : start + begun["partSizeBytes"]]
            answer = web.put(link["url"], data=part, timeout=CLI_SECONDS)
            assert answer.ok, answer.text
            completed.append({"partIndex": link["partIndex"], "eTag": answer.headers["ETag"]})
        if "nextIndex" not in links:
            break
        following = {"uploadId": begun["uploadId"], "uploadRange": {"startIndex": links["nextIndex"]}}
        links = support.get_attachment_upload_links(fileName=name, **following)
    assert len(completed) == begun["totalParts"] > 1
    upload = {"uploadId": begun["uploadId"]}
    support.complete_attachment_upload(**upload, completedUploads=completed)
    until_ready(lambda: support.describe_attachment_upload_status(**upload)["uploadStatus"])
    case_id = support.create_case(
        subject=SUBJECT, communicationBody="See the dump.", uploadIds=[begun["uploadId"]]
    )["caseId"]  # fmt: skip

    (communication,) = support.describe_communications(caseId=case_id)["communications"]
    assert communication["attachmentSet"] == []
    (attachment,) = communication["attachments"]
    with pytest.raises(support.exceptions.ClientError, match="InvalidParameterValueException"):
        support.describe_attachment(attachmentId=attachment["attachmentId"])
    url = support.get_attachment_download_link(attachmentId=attachment["attachmentId"])["downloadUrl"]["url"]
    assert web.get(url, timeout=CLI_SECONDS).content == content
    middle = len(content) // 2
    answer = web.get(url, headers={"Range": f"bytes={middle}-"}, timeout=CLI_SECONDS)
    assert (answer.status_code, answer.content) == (206, content[middle:])


def test_an_infected_file_is_never_attached(customer: Customer):
    support, name = customer.boto3(), f"infected-{customer.account}.doc"
    customer.stack.control("POST", "/support/scans", {"containing": name})
    begun = support.get_attachment_upload_links(fileName=name, fileSizeBytes=4)
    answer = customer.web().put(begun["uploadUrls"][0]["url"], data=b"evil", timeout=CLI_SECONDS)
    upload = {"uploadId": begun["uploadId"]}
    support.complete_attachment_upload(**upload, completedUploads=[{"partIndex": 1, "eTag": answer.headers["ETag"]}])
    deadline = time.monotonic() + SCAN_SECONDS
    while support.describe_attachment_upload_status(**upload)["uploadStatus"] == "attachment-not-ready":
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert support.describe_attachment_upload_status(**upload)["uploadStatus"] == "failed"
    with pytest.raises(support.exceptions.ClientError, match="InvalidParameterValueException"):
        support.create_case(subject=SUBJECT, communicationBody="Look.", uploadIds=[begun["uploadId"]])
