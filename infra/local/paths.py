"""The paths of the project. Git ignores everything that the local stack writes."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOCAL = ROOT / "infra" / "local"
AWS = ROOT / "infra" / "aws"
APP = ROOT / "infra" / "servicenow"
APP_BUILT = APP / "dist" / "app"

# Tools in exact versions, kept between runs.
TOOLS = ROOT / ".tools"
PYTHON = TOOLS / "python"
MINISTACK = TOOLS / "ministack"
STAMPS = TOOLS / "stamps"

# The running stack. A command that needs a stack of its own, beside that of `make up`, names another folder for it.
SHARED_STATE = ROOT / ".local"
STATE = ROOT / os.environ.get("CASEBRIDGE_STATE", SHARED_STATE)
STACK_FILE = STATE / "stack.json"
FINGERPRINT_FILE = STATE / "fingerprint.json"
LOGS = STATE / "logs"
PROCESSES = STATE / "processes"
TEMPORARY = STATE / "temporary"
SIMULATOR = STATE / "simulator"

TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
LOCAL_PACKAGES = TARGET / "local-packages"
PACKAGES = TARGET / "package"

FUNCTIONS = ["servicenow-webhook", "aws-events", "case-poller", "reconciler", "catalog-sync", "attachments"]


def relative(path: pathlib.Path) -> str:
    """Returns a path as a person in the project's folder would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
