"""Deploys the hub's own template to the local AWS, and stores what an operator would store."""

import json
import pathlib
import sys
import time

import boto3
import botocore.config
import botocore.exceptions

import console
import layout
import paths

sys.path.insert(0, str(paths.AWS))

import expand  # noqa: E402

DEPLOY_SECONDS = 60
POLL_SECONDS = 0.1
TEMPLATE_KEY = "template.json"
PACKAGE_PARAMETERS = {
    "servicenow-webhook": "ServicenowWebhookKey",
    "aws-events": "AwsEventsKey",
    "case-poller": "CasePollerKey",
    "reconciler": "ReconcilerKey",
    "catalog-sync": "CatalogSyncKey",
    "attachments": "AttachmentsKey",
}


class Cloud:
    """The local AWS, seen from its own account."""

    def __init__(self, endpoint: str):
        self.endpoint = endpoint
        self.session = boto3.Session(layout.AWS_ACCESS_KEY_ID, layout.AWS_SECRET_ACCESS_KEY, region_name=layout.REGION)

    def client(self, service: str):
        """Returns a client without retries, since everything is on this machine."""
        settings = botocore.config.Config(retries={"max_attempts": 1}, connect_timeout=5, read_timeout=60, proxies={})
        return self.session.client(service, endpoint_url=self.endpoint, config=settings)

    def upload(self, packages: dict[str, pathlib.Path]) -> None:
        """Uploads the functions' packages to the bucket that the template names."""
        storage = self.client("s3")
        storage.create_bucket(Bucket=layout.ARTIFACT_BUCKET)
        for package in packages.values():
            storage.put_object(Bucket=layout.ARTIFACT_BUCKET, Key=package.name, Body=package.read_bytes())

    def deploy(self, template: dict, parameters: dict[str, str]) -> dict[str, str]:
        """Creates or updates the stack and returns its outputs."""
        formation = self.client("cloudformation")
        # CloudFormation takes 51,200 bytes in a request, and 1 MB from a bucket.
        self.client("s3").put_object(
            Bucket=layout.ARTIFACT_BUCKET, Key=TEMPLATE_KEY, Body=json.dumps(template).encode()
        )
        request = {
            "StackName": layout.STACK_NAME,
            "TemplateURL": f"{self.endpoint}/{layout.ARTIFACT_BUCKET}/{TEMPLATE_KEY}",
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            "Capabilities": ["CAPABILITY_IAM"],
        }
        try:
            if self.stack(formation) is None:
                formation.create_stack(**request)
            else:
                formation.update_stack(**request)
        except botocore.exceptions.ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise console.StackError(f"the template was refused: {error}") from error
        return self._outputs(formation)

    def stack(self, formation) -> dict | None:
        """Returns the stack's description, or None if there is no stack."""
        try:
            return formation.describe_stacks(StackName=layout.STACK_NAME)["Stacks"][0]
        except botocore.exceptions.ClientError:
            return None

    def _outputs(self, formation) -> dict[str, str]:
        deadline = time.monotonic() + DEPLOY_SECONDS
        while time.monotonic() < deadline:
            stack = self.stack(formation)
            status = stack["StackStatus"] if stack else "missing"
            if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
                return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
            if not status.endswith("_IN_PROGRESS"):
                raise console.StackError(f"the deployment ended as {status}.{self._reasons(formation)}")
            time.sleep(POLL_SECONDS)
        raise console.StackError(f"the deployment was not done after {DEPLOY_SECONDS} s.")

    def _reasons(self, formation) -> str:
        events = formation.describe_stack_events(StackName=layout.STACK_NAME)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
        return "".join(f"\n    {e['LogicalResourceId']}: {e.get('ResourceStatusReason', '')}" for e in failed)

    def invoke(self, function: str) -> str:
        """Invokes a function and returns its answer. Raises StackError if it fails."""
        answer = self.client("lambda").invoke(FunctionName=function, Payload=b"{}")
        text = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise console.StackError(f"{function} failed: {text}")
        return text

    def put_secret(self, name: str, value: dict) -> None:
        """Creates or updates a secret with this value."""
        manager = self.client("secretsmanager")
        try:
            manager.put_secret_value(SecretId=name, SecretString=json.dumps(value))
        except manager.exceptions.ResourceNotFoundException:
            manager.create_secret(Name=name, SecretString=json.dumps(value))

    def read_secret(self, name: str) -> str:
        """Returns a secret's text."""
        return self.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]


def template() -> dict:
    """Returns the expansion of the template that is deployed everywhere."""
    return expand.expand()


def parameters(packages: dict[str, pathlib.Path], servicenow_url: str) -> dict[str, str]:
    """Returns the template's parameters: the only difference between the local stack and one in AWS."""
    return {
        "ArtifactBucket": layout.ARTIFACT_BUCKET,
        "ServiceNowUrl": servicenow_url,
        "MemberAccountIds": ",".join(layout.ACCOUNT_IDS),
        "Policy": json.dumps(layout.POLICY),
        # Ten end-to-end tests at once move files.
        "AttachmentsConcurrency": "10",
        "LogRetentionDays": "1",
        "TableDeletionProtection": "false",
        **{PACKAGE_PARAMETERS[function]: package.name for function, package in packages.items()},
    }
