"""`make bench`: measures the release packages, one function after the other, on a local stack of their own.

    python bench.py [--name NAME] [--before FILE]

A start is measured from the exec of the bootstrap to its first request for an event. Then come its first event and many
warm ones. Times are printed and have no bounds, since they depend on the machine. Remote calls and bytes must stay
within the bounds in workloads.py. The figures go to target/bench/<name>.json.
"""

import argparse
import contextlib
import datetime
import os
import pathlib
import platform
import re
import shutil
import signal
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The stack of `make up` may run beside this one, and stays as it is.
os.environ["CASEBRIDGE_STATE"] = ".local/bench"
sys.path[1:1] = [str(ROOT / "infra" / "local"), str(ROOT / "tests" / "e2e")]

import artifacts  # noqa: E402
import cloud  # noqa: E402
import console  # noqa: E402
import endpoints  # noqa: E402
import figures  # noqa: E402
import layout  # noqa: E402
import paths  # noqa: E402
import processes  # noqa: E402
import runtime_api  # noqa: E402
import up  # noqa: E402
import web  # noqa: E402
from stack import Stack  # noqa: E402
from workloads import Work, Workload  # noqa: E402
from world import World  # noqa: E402

# The sum is the number of cases that the run opens. The bounds of a tick depend on it.
COLD_STARTS = 5
WARM_EVENTS = 30
OUTPUT = paths.TARGET / "bench"
DEFAULT_NAME = "latest"
NAME = re.compile(r"[A-Za-z0-9._-]+")


def main() -> None:
    """Measures, prints and stores the figures. Raises StackError if calls or bytes exceed their bounds."""
    options = parse()
    before = figures.read(options.before) if options.before else None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Each of these signals raises KeyboardInterrupt, so that everything that was started is stopped.
        signal.signal(number, signal.default_int_handler)
    packages = find_packages()
    facts = describe(packages)
    with own_stack(packages) as stack, endpoints.serving(endpoints.Sink()) as sink:
        take_over_triggers(stack, sink.address)
        with endpoints.surroundings(stack) as surroundings:
            measured, problems = measure_all(stack, surroundings, packages)
    console.say()
    figures.show(measured)
    if before is not None:
        console.say()
        figures.compare(before, measured)
    file = OUTPUT / f"{options.name}.json"
    figures.write(file, facts, measured)
    console.say(f"\nThe figures are in {paths.relative(file)}.")
    if problems:
        raise console.StackError("\n  ".join(["an event costs more than it may:", *problems]))
    console.say(f"{console.paint('Measured', 'green')} after {console.elapsed():.0f} s: calls and bytes are in bounds.")


def parse() -> argparse.Namespace:
    """Returns the command's options. Raises StackError if the name can't be that of a file."""
    parser = argparse.ArgumentParser(description="Measures the release packages.")
    parser.add_argument("--name", default=DEFAULT_NAME, help="of the file for the figures, without .json")
    parser.add_argument("--before", type=pathlib.Path, help="a file of an earlier run, to be shown beside this one")
    options = parser.parse_args()
    if not NAME.fullmatch(options.name):
        raise console.StackError(f"{options.name!r} can't be the name of a file: use letters, digits, dots and dashes.")
    return options


def find_packages() -> dict[str, pathlib.Path]:
    """Returns the release packages of all functions. Raises StackError if one is missing."""
    packages = {function: paths.PACKAGES / f"{function}.zip" for function in paths.FUNCTIONS}
    missing = [paths.relative(package) for package in packages.values() if not package.exists()]
    if missing:
        raise console.StackError(f"{', '.join(missing)} is not there: build it with `make package`.")
    return packages


def describe(packages: dict[str, pathlib.Path]) -> dict:
    """Prints and returns what is measured, and on which machine."""
    built = min(package.stat().st_mtime for package in packages.values())
    console.say(f"Release packages of {datetime.datetime.fromtimestamp(built):%Y-%m-%d, %H:%M}.")
    if newest_source() > built:
        console.say(console.paint("The sources have changed since: `make package` builds them anew.", "yellow"))
    console.say("The local stack speaks plain HTTP. Endpoints in front of it count, and speak TLS as AWS does, so that")
    console.say("handshakes are in the figures. What all these take is part of the wall time, not of the CPU time.")
    console.say("Each function has a whole core, which Lambda gives it only while it starts.")
    console.say(f"Medians of {COLD_STARTS} starts and first events, and of {WARM_EVENTS} warm events.")
    console.say(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}: what else runs here changes all times.\n")
    return {
        "made_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": {"architecture": platform.machine(), "processors": os.cpu_count(), "load": os.getloadavg()[0]},
        "cold_starts": COLD_STARTS,
        "warm_events": WARM_EVENTS,
        "packages": {
            function: {"bytes": package.stat().st_size, "digest": artifacts.file_digest(package)}
            for function, package in packages.items()
        },
    }


def newest_source() -> float:
    """Returns when a source of the functions last changed."""
    sources = [source for folder in ("functions", "shared") for source in (ROOT / folder).glob("*/src/**/*.rs")]
    return max(source.stat().st_mtime for source in [*sources, ROOT / "Cargo.toml", ROOT / "Cargo.lock"])


@contextlib.contextmanager
def own_stack(packages: dict[str, pathlib.Path]):
    """Runs a local stack with these packages within the block. Yields its description."""
    with processes.exclusive():
        # Stop what a killed run has left.
        up.take_down()
        with processes.exclusive(paths.SHARED_STATE):
            artifacts.build_app()
            # Only the simulator of these binaries runs here. Built alone, it would get other features of its libraries
            # and differ from the binary of `make up`.
            executables = artifacts.build_binaries()
        try:
            yield up.start("open", executables, packages, cloud.template())
        finally:
            up.take_down()


def take_over_triggers(stack: dict, sink: str) -> None:
    """Removes all triggers of the stack, so that only this program hands events to a function."""
    hub = cloud.Cloud(stack["aws"]["endpoint"])
    functions, scheduler = hub.client("lambda"), hub.client("scheduler")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.delete_event_source_mapping(UUID=mapping["UUID"])
    for schedule in scheduler.list_schedules()["Schedules"]:
        scheduler.delete_schedule(Name=schedule["Name"], GroupName=schedule["GroupName"])
    control = stack["control"]["url"]
    web.request("PUT", control + "/resolve", {stack["webhook"]["headers"]["Host"]: sink})
    web.request("PUT", control + "/events", {**stack["events"], "events_endpoint": f"http://{sink}"})


def measure_all(
    stack: dict, surroundings: endpoints.Surroundings, packages: dict[str, pathlib.Path]
) -> tuple[dict[str, figures.Figures], list[str]]:
    """Returns the figures of all workloads, and a text for each bound that is exceeded."""
    logs = OUTPUT / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    deployed = {function: deploy(function, packages[function], stack, surroundings) for function in paths.FUNCTIONS}
    measured, problems = {}, []
    for workload in Work(World(Stack(stack))).loads():
        log = logs / f"{workload.name.replace(', ', '-').replace(' ', '-').lower()}.log"
        with console.step(f"measuring {workload.name}") as remark:
            found = measure(workload, deployed[workload.function], surroundings.tally, log)
            start, warm = found.values["start_cpu_ms"], found.values["warm_cpu_ms"]
            remark.append(f"{start:.0f} ms of CPU to start, {warm:.1f} ms for a warm event")
        measured[workload.name] = found
        problems += figures.excesses(workload.name, found, workload.bounds)
    return measured, problems


def deploy(
    function: str, package: pathlib.Path, stack: dict, surroundings: endpoints.Surroundings
) -> runtime_api.Deployed:
    """Returns the function as the stack has it deployed, with its bootstrap unpacked."""
    folder = OUTPUT / "bootstraps" / function
    with zipfile.ZipFile(package) as archive:
        bootstrap = pathlib.Path(archive.extract("bootstrap", folder))
    bootstrap.chmod(0o755)
    functions = cloud.Cloud(stack["aws"]["endpoint"]).client("lambda")
    configuration = functions.get_function_configuration(FunctionName=stack["functions"][function])
    variables = configuration["Environment"]["Variables"]
    if "CASEBRIDGE_SERVICENOW_URL" in variables:
        variables["CASEBRIDGE_SERVICENOW_URL"] = surroundings.servicenow_url
    return runtime_api.Deployed(
        name=function,
        bootstrap=bootstrap,
        variables=up.clean_environment() | variables | lambda_variables(configuration) | surroundings.variables,
        arn=configuration["FunctionArn"],
        timeout_seconds=configuration["Timeout"],
    )


def lambda_variables(configuration: dict) -> dict[str, str]:
    """Returns the variables that Lambda adds to a function's own."""
    return {
        "AWS_REGION": layout.REGION,
        "AWS_DEFAULT_REGION": layout.REGION,
        "AWS_ACCESS_KEY_ID": layout.AWS_ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": layout.AWS_SECRET_ACCESS_KEY,
        "AWS_LAMBDA_FUNCTION_NAME": configuration["FunctionName"],
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        # This machine has no metadata service with credentials.
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def measure(
    workload: Workload, deployed: runtime_api.Deployed, tally: endpoints.Tally, log: pathlib.Path
) -> figures.Figures:
    """Returns the figures of a workload. Each start gets a first event, and the last process all the warm ones.

    Raises StackError if an event fails or has no effect.
    """
    events = iter(workload.make(COLD_STARTS + WARM_EVENTS))
    starts, firsts, warms = [], [], []
    memory_bytes = 0
    for number in range(COLD_STARTS):
        with runtime_api.started(deployed, tally, log) as process:
            starts.append(process.start)
            firsts.append(process.hand_out(next(events)))
            if number == COLD_STARTS - 1:
                warms = [process.hand_out(event) for event in events]
                memory_bytes = process.largest_memory_bytes()
    for measured in firsts + warms:
        problem = workload.problem(measured.answer)
        if problem:
            raise console.StackError(f"{problem}. All of it: {paths.relative(log)}")
    workload.verify()
    return figures.medians(starts, firsts, warms, memory_bytes)


if __name__ == "__main__":
    console.run(main)
