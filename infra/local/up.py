"""`make up`: builds what has changed, starts the local AWS and the simulator, deploys, and writes .local/stack.json.

With IAM=enforced in the environment the local AWS refuses what the functions' roles don't grant.
"""

import concurrent.futures
import dataclasses
import json
import os
import shutil
import socket
import urllib.parse

import artifacts
import cloud
import console
import layout
import paths
import processes
import tools
import web

MINISTACK = "ministack"
SIMULATOR = "simulator"
START_SECONDS = 30
# The app's table with one record.
SETTINGS = "x_casebridge_aws_settings"
IAM_MODES = ("open", "enforced")
# The prefix of a secret in Standard Webhooks. The generated secret lacks it.
WEBHOOK_SECRET_PREFIX = "whsec_"
# The sources of the running processes and of their content, beside the binaries.
STARTING_SOURCES = ("layout.py", "ministack_server.py", "requirements-ministack.txt", "up.py")


def main() -> None:
    """Starts the stack, or updates it to the state of the sources."""
    stack = bring_up()
    console.say(f"\n{console.paint('The stack is up', 'green')} after {console.elapsed():.1f} s.")
    console.say(f"  ServiceNow  {stack['servicenow']['url']}")
    console.say(f"  AWS         {stack['aws']['endpoint']}")
    console.say(f"  everything  {paths.relative(paths.STACK_FILE)}")


def bring_up() -> dict:
    """Starts the stack, or updates what has changed. Returns its description."""
    mode = os.environ.get("IAM", "open")
    if mode not in IAM_MODES:
        raise console.StackError(f"IAM={mode} is not known: use one of {', '.join(IAM_MODES)}.")
    with processes.exclusive():
        return _bring_up(mode)


def _bring_up(mode: str) -> dict:
    tools.ensure()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        # The app's build waits for the network and uses one core, and cargo uses all cores. Both together take little
        # longer than cargo alone.
        building_app = pool.submit(artifacts.build_app)
        executables = artifacts.build_binaries()
        app = building_app.result()
    packages = artifacts.local_packages(executables)
    template = cloud.template()
    wanted = fingerprint(mode, app, executables, packages, template)
    running = read_running()
    if running and running["environment"] == wanted["environment"]:
        stack = json.loads(paths.STACK_FILE.read_text())
        if running["deployment"] != wanted["deployment"]:
            with console.step("deploying what has changed"):
                deploy(cloud.Cloud(stack["aws"]["endpoint"]), template, packages, stack["servicenow"]["https_url"])
                write_json(paths.FINGERPRINT_FILE, wanted)
        return stack
    take_down()
    stack = start(mode, executables, packages, template)
    write_json(paths.FINGERPRINT_FILE, wanted)
    # Write it last and in one step: its existence means that the stack works.
    write_json(paths.STACK_FILE, stack)
    return stack


def fingerprint(mode: str, app: str, executables: dict, packages: dict, template: dict) -> dict[str, str]:
    """Returns digests of the parts whose change needs a new start, and of those that a running stack can deploy."""
    simulator = artifacts.file_digest(executables[artifacts.SIMULATOR_PACKAGE])
    sources = [(paths.LOCAL / name).read_bytes() for name in STARTING_SOURCES]
    names = sorted(package.name for package in packages.values())
    return {
        "environment": tools.digest(mode.encode(), app.encode(), simulator.encode(), *sources),
        "deployment": tools.digest(json.dumps([names, template], sort_keys=True).encode()),
    }


def read_running() -> dict | None:
    """Returns the fingerprint of the running stack, or None if any part of it is missing or does not answer."""
    try:
        stack = json.loads(paths.STACK_FILE.read_text())
        running = json.loads(paths.FINGERPRINT_FILE.read_text())
        if processes.find(MINISTACK) is None or processes.find(SIMULATOR) is None:
            return None
        web.request("GET", stack["aws"]["endpoint"] + "/_ministack/health")
        web.request("GET", stack["control"]["url"] + "/calls")
    except (OSError, ValueError, KeyError, console.StackError):
        return None
    return running


def take_down() -> bool:
    """Stops the processes and removes their description. Returns whether any ran."""
    paths.STACK_FILE.unlink(missing_ok=True)
    paths.FINGERPRINT_FILE.unlink(missing_ok=True)
    stopped = [processes.stop(MINISTACK), processes.stop(SIMULATOR)]
    for folder in [paths.TEMPORARY / MINISTACK, paths.SIMULATOR]:
        shutil.rmtree(folder, ignore_errors=True)
    return any(stopped)


def start(mode: str, executables: dict, packages: dict, template: dict) -> dict:
    """Starts all parts of an empty stack and returns its description."""
    accounts = layout.make_accounts()
    users = layout.make_users()
    oauth = {"client_id": layout.token(32), "client_secret": layout.token(32)}
    try:
        with console.step("starting the simulator of ServiceNow and AWS Support"):
            simulator = start_simulator(executables[artifacts.SIMULATOR_PACKAGE], accounts, users, oauth)
        with console.step(f"starting the local AWS, IAM {mode}"):
            hub = cloud.Cloud(start_hub(mode, simulator))
        with console.step("deploying the template"):
            outputs = deploy(hub, template, packages, simulator["https_url"])
        with console.step("storing the credentials of accounts and ServiceNow"):
            for account in accounts:
                keys = {"access_key_id": account.access_key_id, "secret_access_key": account.secret_access_key}
                hub.put_secret(layout.ACCOUNT_SECRET_PREFIX + account.id, keys)
            hub.put_secret(outputs["ServiceNowSecretId"], oauth)
        stack = describe(hub.endpoint, simulator, outputs, accounts, users)
        with console.step("setting up the app in ServiceNow"):
            connect(stack, hub.read_secret(outputs["WebhookSecretId"]), accounts, users["admin"])
        with console.step("bringing the names of AWS's services to ServiceNow") as remark:
            remark.append(hub.invoke(outputs["CatalogSyncFunctionName"]))
        return stack
    except BaseException:
        # This keeps the logs.
        take_down()
        raise


def start_simulator(executable, accounts: list, users: dict, oauth: dict) -> dict:
    """Starts ServiceNow and AWS Support. Returns the addresses that the simulator prints when it is ready."""
    paths.SIMULATOR.mkdir(parents=True, exist_ok=True)
    configuration = {
        "listen": "127.0.0.1:0",
        "directory": str(paths.SIMULATOR),
        "app": str(paths.APP_BUILT),
        # AWS's quotas would stop people who try things out, and tests that run at once. Tests of the quotas order a
        # fault.
        "support": {
            "cases_per_hour": None,
            "calls_per_second": None,
            "attachment_sets_per_minute": None,
            "attachment_reads_per_minute": None,
        },
        "servicenow": {
            "users": [dataclasses.asdict(user) for user in users.values()],
            "oauth_clients": [{**oauth, "user_name": layout.INTEGRATION_USER}],
            # A stock instance has demo data for several pages, and does not show times in UTC.
            "large_demo_data": True,
            "time_zone": "US/Pacific",
        },
        "accounts": [
            {
                "id": account.id,
                "access_key_id": account.access_key_id,
                "secret_access_key": account.secret_access_key,
                "email": account.email,
            }
            for account in accounts
        ],
    }
    configuration_file = paths.SIMULATOR / "config.json"
    write_json(configuration_file, configuration)
    output = paths.SIMULATOR / "addresses.json"
    processes.start(SIMULATOR, [str(executable), "--config", str(configuration_file)], clean_environment(), output)

    def addresses() -> dict | None:
        text = output.read_text()
        return json.loads(text.splitlines()[0]) if "\n" in text else None

    return processes.wait_until(SIMULATOR, addresses, START_SECONDS)


def start_hub(mode: str, simulator: dict) -> str:
    """Starts the hub's AWS and returns its endpoint. Its environment gives the functions the local addresses."""
    surroundings = {
        "AUTH": "true" if mode == "enforced" else "false",
        "AWS_ENDPOINT_URL_SUPPORT": simulator["support"]["endpoint"],
        # The simulator knows the accounts' keys and roles: the local AWS has only its own account.
        "AWS_ENDPOINT_URL_STS": simulator["support"]["endpoint"],
        "AWS_ENDPOINT_URL_SSM_INCIDENTS": simulator["ssm_incidents"]["endpoint"],
        "SSL_CERT_FILE": simulator["ca_file"],
        # AWS passes the functions' LoggingConfig on; the local AWS does not.
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
    }
    return start_ministack(MINISTACK, surroundings)


def start_ministack(name: str, surroundings: dict[str, str]) -> str:
    """Starts an empty local AWS on a free port. Returns its endpoint."""
    temporary = paths.TEMPORARY / name
    temporary.mkdir(parents=True, exist_ok=True)
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    environment = {
        **clean_environment(),
        "TMPDIR": str(temporary),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": layout.REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        **surroundings,
    }
    command = [str(paths.MINISTACK / "bin" / "python"), str(paths.LOCAL / "ministack_server.py")]
    processes.start(name, command, environment)

    def is_ready() -> bool:
        try:
            return bool(web.request("GET", endpoint + "/_ministack/health"))
        except console.StackError:
            return False

    processes.wait_until(name, is_ready, START_SECONDS)
    return endpoint


def deploy(hub: cloud.Cloud, template: dict, packages: dict, servicenow_url: str) -> dict[str, str]:
    """Uploads the packages and deploys the template."""
    hub.upload(packages)
    return hub.deploy(template, cloud.parameters(packages, servicenow_url))


def describe(endpoint: str, simulator: dict, outputs: dict[str, str], accounts: list, users: dict) -> dict:
    """Returns the description of the stack that people, scripts and tests read."""
    webhook_host = urllib.parse.urlparse(outputs["WebhookUrl"]).hostname
    return {
        "aws": {"endpoint": endpoint, "region": layout.REGION},
        "support": simulator["support"],
        "ssm_incidents": simulator["ssm_incidents"],
        "servicenow": {
            "url": simulator["url"],
            "https_url": simulator["https_url"],
            "ca_file": simulator["ca_file"],
            "agent": {"username": users["agent"].user_name, "password": users["agent"].password},
            "admin": {"username": users["admin"].user_name, "password": users["admin"].password},
            "employee": {"username": users["employee"].user_name, "password": users["employee"].password},
        },
        "accounts": [dataclasses.asdict(account) for account in accounts],
        "webhook": {"url": endpoint + "/", "headers": {"Host": webhook_host}},
        "webhook_secret_id": outputs["WebhookSecretId"],
        # The bus to which the accounts' rules forward the events of AWS Support.
        "events": {
            "events_endpoint": endpoint,
            "event_bus_arn": outputs["EventBusArn"],
            "region": layout.REGION,
        },
        "sns_events_topic_arn": outputs["SupportEventsTopicArn"],
        "chat_topic_arn": outputs["ChatTopicArn"],
        "queue_url": outputs["HintQueueUrl"],
        "dead_letter_queue_url": outputs["HintDeadLetterQueueUrl"],
        "file_queue_url": outputs["FileQueueUrl"],
        "file_dead_letter_queue_url": outputs["FileDeadLetterQueueUrl"],
        "table_name": outputs["TableName"],
        "functions": {
            "servicenow-webhook": outputs["ServicenowWebhookFunctionName"],
            "aws-events": outputs["AwsEventsFunctionName"],
            "case-poller": outputs["CasePollerFunctionName"],
            "reconciler": outputs["ReconcilerFunctionName"],
            "catalog-sync": outputs["CatalogSyncFunctionName"],
            "attachments": outputs["AttachmentsFunctionName"],
        },
        "control": simulator["control"],
    }


def connect(stack: dict, webhook_secret: str, accounts: list, administrator: layout.User) -> None:
    """Configures the app as an administrator does once, and connects the two sides on this machine."""
    webhook_host = stack["webhook"]["headers"]["Host"]
    aws_address = urllib.parse.urlparse(stack["aws"]["endpoint"]).netloc
    web.request("PUT", stack["control"]["url"] + "/resolve", {webhook_host: aws_address})
    web.request("PUT", stack["control"]["url"] + "/events", stack["events"])
    servicenow = web.ServiceNow(stack["servicenow"]["url"], administrator.user_name, administrator.password)
    instance = servicenow.find("sys_properties", name="instance_name")[0]
    user = servicenow.find("sys_user", user_name=layout.INTEGRATION_USER)[0]
    (settings,) = servicenow.find(SETTINGS)
    values = {
        "webhook_url": f"https://{webhook_host}/",
        "webhook_secret": WEBHOOK_SECRET_PREFIX + webhook_secret.removeprefix(WEBHOOK_SECRET_PREFIX),
        # Also allow this machine: tests and people point the webhook to a port that no process listens on.
        "allowed_hosts": "127.0.0.1",
        "integration_user": user["sys_id"],
        # The button "Adopt this instance" writes the same value.
        "home_instance": instance["value"],
    }
    servicenow.update(SETTINGS, settings["sys_id"], values)
    for account in accounts:
        group = servicenow.ensure("sys_user_group", "name", {"name": account.assignment_group})
        record = {
            "name": account.name,
            "number": account.id,
            "active": "true",
            "production": str(account.production).lower(),
            "assignment_group": group["sys_id"],
        }
        servicenow.ensure("x_casebridge_aws_account", "number", record)


def clean_environment() -> dict[str, str]:
    """Returns the smallest environment of a process, so that no variable of this shell reaches the functions."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(paths.STATE)}


def free_port() -> int:
    """Returns a port of this machine that no process listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_json(path, value) -> None:
    """Writes a file in one step, readable by its owner alone, since it holds secrets."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
    unfinished.replace(path)


if __name__ == "__main__":
    console.run(main)
